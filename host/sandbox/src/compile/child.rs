//! What the compiling process does: limits itself, reads a component from stdin, writes its code to stdout.
//!
//! Owns the order that it gets as arguments, and its exit codes.
//!
//! **Invariant:** no byte of the component is looked at before every limit is set. The process asks for no file, no
//! variable and no clock, so what it gives back depends on the component and the engine alone.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use ringfence_core::digest::Digest;
use ringfence_core::quantity::Bytes;
use rustix::process::{Resource, Rlimit, getpid, getppid, getrlimit, setrlimit};
use wasmtime::Engine;

use super::CompileLimits;
use crate::artifact::{Label, engine_key};
use crate::engine::code_settings;
use crate::inspect::COMPONENT_BYTES_MAX;

/// The component is refused; why, is on stderr.
pub(super) const REFUSED: u8 = 3;
/// The process cannot do its work; why, is on stderr.
const BROKEN: u8 = 4;

// Not a word of the command line, which nobody is to type.
const VERB: &str = "__compile-component";
// Limit: three streams, and one for luck while they are set up.
const FILES_MAX: u64 = 4;
// Limit: code, stacks and the engine's own reservations, which are no memory yet, come on top of it.
const ADDRESS_BYTES_MORE: u64 = 4 << 30;

/// What a compiling process is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    /// Whom to end with.
    pub(super) parent: u32,
    /// Digest of the component that will come.
    pub(super) component: Digest,
    /// What it may use; the wall clock is its parent's.
    pub(super) limits: CompileLimits,
}

impl Order {
    pub(super) fn to_args(self) -> [String; 6] {
        let CompileLimits { cpu, wall, memory } = self.limits;
        [
            VERB.to_owned(),
            self.parent.to_string(),
            self.component.to_string(),
            cpu.as_secs().to_string(),
            wall.as_secs().to_string(),
            memory.0.to_string(),
        ]
    }

    fn from_args(args: &[String]) -> Option<Self> {
        let [parent, component, cpu, wall, memory] = args else {
            return None;
        };
        Some(Self {
            parent: parent.parse().ok()?,
            component: component.parse().ok()?,
            limits: CompileLimits {
                cpu: Duration::from_secs(cpu.parse().ok()?),
                wall: Duration::from_secs(wall.parse().ok()?),
                memory: Bytes(memory.parse().ok()?),
            },
        })
    }
}

/// Compiles and ends, when `args` (the program's name first) say that this process was started for that by
/// [`Compiler::Child`](super::Compiler::Child); none in any other process. The first thing a `main` has to call.
#[must_use]
pub fn compiler_main(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.into_iter().skip(1);
    if args.next()? != VERB {
        return None;
    }
    let args: Result<Vec<String>, OsString> = args.map(OsString::into_string).collect();
    let order = args.ok().and_then(|args| Order::from_args(&args));
    let ended = match order {
        Some(order) => run(order),
        None => Err(Failure(BROKEN, "this is no command for people".to_owned())),
    };
    Some(match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(code, why)) => {
            let told = io::stderr().write_all(why.as_bytes());
            ExitCode::from(if told.is_ok() { code } else { BROKEN })
        }
    })
}

struct Failure(u8, String);

impl<E: Into<io::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(BROKEN, error.into().to_string())
    }
}

fn run(order: Order) -> Result<(), Failure> {
    end_with(order.parent)?;
    let broken = |error: wasmtime::Error| Failure(BROKEN, format!("{error:#}"));
    // Before the limits: this much is ours, and asks what processor this is.
    let engine = Engine::new(&code_settings()).map_err(broken)?;
    let label = Label {
        component: order.component,
        maker: engine_key(&engine),
    };
    confine(order.limits)?;
    let component = read(order.component)?;
    let refused = |error: wasmtime::Error| Failure(REFUSED, format!("{error:#}"));
    let code = engine.precompile_component(&component).map_err(refused)?;
    drop(component);
    let mut out = io::stdout();
    out.write_all(&code)?;
    out.write_all(&label.tail(&code))?;
    out.flush()?;
    Ok(())
}

fn read(expected: Digest) -> Result<Vec<u8>, Failure> {
    let mut component = Vec::new();
    let most = COMPONENT_BYTES_MAX as u64;
    io::stdin().take(most).read_to_end(&mut component)?;
    if Digest::of(&component) != expected {
        // Whoever sent it ended before it was through.
        return Err(Failure(BROKEN, "the component came incomplete".to_owned()));
    }
    Ok(component)
}

/// Ends this process when its parent ends.
fn end_with(parent: u32) -> Result<(), Failure> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // It may be gone already.
    let now = getppid().map(|pid| pid.as_raw_pid().unsigned_abs());
    if now == Some(parent) {
        return Ok(());
    }
    Err(Failure(BROKEN, "nobody waits for it".to_owned()))
}

/// Gives up everything that compiling does not need.
fn confine(limits: CompileLimits) -> Result<(), Failure> {
    let memory = limits.memory.0;
    let seconds = limits.cpu.as_secs();
    // A second later the kernel would kill, which does not say why.
    limit(Resource::Cpu, seconds, seconds.saturating_add(1))?;
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Nofile, FILES_MAX),
        // Counts what can be written to, so that what is only reserved costs nothing.
        (Resource::Data, memory),
        (Resource::As, memory.saturating_add(ADDRESS_BYTES_MORE)),
    ] {
        limit(resource, most, most)?;
    }
    // A layer below the limits, for bugs of the compiler: where it cannot be had, there is one layer less.
    #[cfg(target_os = "linux")]
    if let Err(why) = super::filter::apply(getpid().as_raw_pid().unsigned_abs()) {
        // Seen only when something else goes wrong.
        writeln!(io::stderr(), "without a filter of system calls: {why}")?;
    }
    Ok(())
}

/// Lowers a limit; one that is lower already stays.
fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let now = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit {
        current: Some(soft.min(now)),
        maximum: Some(hard.min(now)),
    };
    Ok(setrlimit(resource, limit)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_as_they_were_given() {
        let order = Order {
            parent: 7,
            component: Digest::of(b"x"),
            limits: CompileLimits::default(),
        };
        let args = order.to_args();
        assert_eq!(Order::from_args(&args[1..]), Some(order));
        assert_eq!(Order::from_args(&args), None);
        assert_eq!(Order::from_args(&args[1..5]), None);
        let mut wrong = args[1..].to_vec();
        wrong[0] = "-1".to_owned();
        assert_eq!(Order::from_args(&wrong), None);
    }

    #[test]
    fn other_processes_go_their_own_way() {
        for args in [&["ringfence"][..], &[], &["ringfence", "beat", VERB]] {
            assert!(compiler_main(args.iter().map(OsString::from)).is_none());
        }
        assert!(compiler_main(["ringfence", VERB].map(OsString::from)).is_some());
    }
}
