//! `host/core` is pure: it names no file system, network, process, environment, clock or thread.
//!
//! Tests of core are outside the rule: `cfg(test)` items, `tests.rs` files and `tests/` folders.

use crate::Finding;
use crate::source::{Source, is_test_file, names, without_tests};

/// The room that is pure.
pub const PURE: &str = "host/core/";

/// Modules and functions of std that reach outside, with everything below them.
const OUTSIDE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Whole modules under another name or by `*`, in which [`OUTSIDE`] could hide.
const HIDING: &[&str] = &["std", "std::io", "std::time"];

/// Calls that ask the machine, whatever the path to them: the last two names of it.
const ASKING: &[&str] = &[
    "Instant::now",
    "RandomState::new",
    "SystemTime::now",
    "TimeZone::get",
    "TimeZone::system",
    "TimeZone::try_system",
    "Timestamp::now",
    "Zoned::now",
];

/// Refuses names in core's code that reach outside.
#[must_use]
pub fn is_pure(path: &str, text: &str) -> Vec<Finding> {
    if !path.starts_with(PURE) || !path.ends_with(".rs") || is_test_file(path) {
        return Vec::new();
    }
    let code = without_tests(&Source::new(text).code);
    let mut found = reaching_out(path, &code);
    // Files of that name are passed over, so they must be tests.
    for (number, _) in (1..)
        .zip(code.lines())
        .filter(|(_, line)| line.contains("mod tests"))
    {
        found.push(Finding::line(
            path,
            number,
            "`mod tests` without `#[cfg(test)]` before it",
        ));
    }
    found
}

fn reaching_out(path: &str, code: &str) -> Vec<Finding> {
    names(code)
        .into_iter()
        .filter(|(_, name)| reaches_out(name))
        .map(|(line, name)| {
            let what = format!(
                "core names `{name}`: take it as a value, and let the runner ask the machine"
            );
            Finding::line(path, line, what)
        })
        .collect()
}

fn reaches_out(name: &str) -> bool {
    let below = |module: &str| {
        let rest = name.strip_prefix(module);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let asks = |call: &str| {
        let rest = name.strip_suffix(call);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
    };
    let outside = OUTSIDE.iter().any(|module| below(module));
    outside || HIDING.contains(&name) || ASKING.iter().any(|call| asks(call))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, lines: &[usize]) {
        let found: Vec<usize> = is_pure("host/core/src/x.rs", text)
            .iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(found, lines, "{text}");
    }

    #[test]
    fn what_reaches_outside_is_found() {
        for text in [
            "use std::fs;",
            "use std::{fmt, fs::File};",
            "use std::{\n collections::BTreeMap, env};".trim_start_matches('\n'),
            "use std::net::{IpAddr};",
            "use std::os::unix::fs::MetadataExt;",
            "use std::time::{Duration, Instant};",
            "use std::time::*;",
            "use std::*;",
            "use std as s;",
            "use ::std::thread;",
            "fn f() { std::process::exit(1) }",
            "let now = jiff::Timestamp::now();",
            "let zone = TimeZone::system();",
        ] {
            let found = is_pure("host/core/src/x.rs", text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
        }
        check("mod tests;", &[1]);
        check("fn a() {}\n\nfn b() { std::env::var(x); }\n", &[3]);
    }

    #[test]
    fn values_are_fine() {
        check(
            "use std::{fmt, time::Duration};\nuse std::io::Read;\nuse std::collections::HashMap;",
            &[],
        );
        check("#[cfg(test)]\nmod tests;", &[]);
        check(
            "// std::fs\nlet text = \"std::env::var\";\nuse crate::fs;",
            &[],
        );
        check("#[cfg(test)]\nmod tests { use std::fs; }", &[]);
        check("#[cfg(not(test))]\nmod x { use std::fs; }", &[2]);
    }

    #[test]
    fn other_rooms_and_tests_of_core_are_free() {
        for path in [
            "host/runner/src/x.rs",
            "host/core/src/spec/tests.rs",
            "host/core/src/spec/tests/x.rs",
            "host/core/tests/x.rs",
        ] {
            assert!(is_pure(path, "use std::fs;").is_empty(), "{path}");
        }
    }
}
