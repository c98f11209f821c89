//! Where a guest was when its fuel was up: the functions on its stack, by name.
//!
//! The engine keeps the innermost frames of every trap. Their names come out of the component, which may call its functions
//! whatever it likes.
//!
//! **Invariant:** what comes out is a bounded number of short, plain lines, and the same ones on every run of a call.

use std::fmt::{self, Write};

use ringfence_core::gating::{FUNCTION_CHARS_MAX, IN_HOST, UNNAMED};
use ringfence_core::text;
use wasmtime::{Error, FrameInfo, WasmBacktrace};

/// The most frames that are kept, innermost first.
// Limit: an honest stack is some twenty deep; a recursion would fill any number with one name.
pub(crate) const FRAMES_MAX: usize = 64;

/// The names of the functions that `error` went through, innermost first. With `in_host`, the host comes before them, under
/// the name of the innermost function that has one: those without are what linking put between.
pub(crate) fn of(error: &Error, in_host: bool) -> Vec<String> {
    let frames = error.downcast_ref::<WasmBacktrace>();
    let frames = frames.map_or(&[][..], WasmBacktrace::frames);
    let caller = frames.iter().find(|frame| named(frame).is_some());
    let caller = caller.or(frames.first()).filter(|_| in_host);
    let host = caller.map(|frame| format!("{IN_HOST}{}", name(frame)));
    host.into_iter().chain(frames.iter().map(name)).collect()
}

/// What the component calls a function; what is left of the names of a stripped one says nothing.
fn named(frame: &FrameInfo) -> Option<&str> {
    frame.func_name().filter(|name| !name.is_empty())
}

fn name(frame: &FrameInfo) -> String {
    match named(frame) {
        Some(name) => readable(name),
        None => {
            let of = frame.module().name();
            let of = of.map(|module| format!(" of {}", plain(module)));
            format!("{UNNAMED}{}{}", frame.func_index(), of.unwrap_or_default())
        }
    }
}

/// A function's name as its language spells it.
fn readable(name: &str) -> String {
    let mut cut = Cut(String::new());
    // A name can be made to unfold to megabytes: what is beyond the limit is never written.
    let whole = write!(cut, "{:#}", rustc_demangle::demangle(name)).is_ok();
    let name = plain(&cut.0);
    if whole { name } else { format!("{name}…") }
}

fn plain(text: &str) -> String {
    text::plain(text, FUNCTION_CHARS_MAX - 1)
}

/// Text that refuses to grow beyond the limit.
struct Cut(String);

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut left = (FUNCTION_CHARS_MAX - 1).saturating_sub(self.0.chars().count());
        for c in text.chars() {
            left = left.checked_sub(1).ok_or(fmt::Error)?;
            self.0.push(c);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Engine, Instance, Module, Store};

    use super::*;
    use crate::engine::settings;

    #[test]
    fn names_are_short_and_plain() {
        for (name, expect) in [
            ("main", "main"),
            (
                "_ZN9diff_size5judge17h0123456789abcdefE",
                "diff_size::judge",
            ),
            ("a\n::error::\u{202e}b", "a ::error::b"),
            ("", ""),
        ] {
            assert_eq!(readable(name), expect);
        }
        let long = readable(&"x".repeat(1 << 20));
        assert_eq!(long.chars().count(), FUNCTION_CHARS_MAX);
        assert!(long.ends_with("x…"));
    }

    #[test]
    fn a_name_that_unfolds_is_cut() {
        // Each of these means the one before twice.
        let doubled = (0..40).fold("h".to_owned(), |inner, _| format!("T{inner}B0_E"));
        for name in [
            format!("_RMC1a{doubled}"),
            format!("_RNvC1a{}", "1b".repeat(1 << 16)),
            format!("_ZN{}E", "1a".repeat(1 << 16)),
        ] {
            assert!(readable(&name).chars().count() <= FUNCTION_CHARS_MAX);
        }
    }

    /// The stack of a module's `run` when its fuel is up.
    fn stack(text: &str) -> Vec<String> {
        of(&ended(text), false)
    }

    fn ended(text: &str) -> Error {
        let engine = Engine::new(&settings()).unwrap();
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_fuel(100_000).unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let run = instance.get_typed_func::<(), ()>(&mut store, "run");
        run.unwrap().call(&mut store, ()).unwrap_err()
    }

    #[test]
    fn the_innermost_function_comes_first() {
        let text = r#"(module
            (func $spin (loop (br 0)))
            (func $outer (export "run") (call $spin)))"#;
        assert_eq!(stack(text), ["spin", "outer"]);
        let nameless = text.replace("$spin", "0").replace("(func 0", "(func");
        let nameless = nameless.replace("$outer ", "");
        assert_eq!(stack(&nameless), ["function 0", "function 1"]);
        let empty = text.replace("$spin (loop", "(@name \"\") (loop");
        let empty = empty.replace("call $spin", "call 0");
        assert_eq!(stack(&empty), ["function 0", "outer"]);
        let in_host = of(&ended(&empty), true);
        assert_eq!(in_host, ["(host) outer", "function 0", "outer"]);
    }

    #[test]
    fn a_deep_stack_is_cut() {
        let text = r#"(module (func $deeper (export "run") (call $deeper)))"#;
        assert_eq!(stack(text), vec!["deeper"; FRAMES_MAX]);
    }
}
