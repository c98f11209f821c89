//! Compiling on a thread of this process, for components that are trusted to compile.
//!
//! **Invariant:** whoever waits, waits no longer than the deadline. The thread itself cannot be stopped: it ends when it is
//! done, or with the process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use wasmtime::Engine;

use super::{CompileClock, LoadError};
use crate::artifact::CODE_BYTES_MAX;

pub(super) fn code(engine: &Engine, wall: Duration, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
    let (engine, bytes) = (engine.clone(), bytes.to_vec());
    let compiled = within(wall, move || engine.precompile_component(&bytes))?;
    let code = compiled.map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    if code.len() > CODE_BYTES_MAX {
        return Err(LoadError::code_size());
    }
    Ok(code)
}

/// Runs `work` on a thread of its own, and waits for `deadline` at most.
fn within<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, LoadError> {
    let (done, result) = mpsc::sync_channel(1);
    let worker = std::thread::Builder::new()
        .name("compile".to_owned())
        .spawn(move || {
            // A panic is told by what is not sent. Nobody waits any more when the deadline has passed.
            if let Ok(result) = catch_unwind(AssertUnwindSafe(work)) {
                done.send(result).unwrap_or_default();
            }
        });
    worker.map_err(|error| LoadError::Compiler(error.to_string()))?;
    result.recv_timeout(deadline).map_err(|error| match error {
        RecvTimeoutError::Timeout => LoadError::Slow {
            limit: deadline,
            clock: CompileClock::Wall,
        },
        RecvTimeoutError::Disconnected => LoadError::Crashed("it panicked".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_given_up_at_its_deadline() {
        let minute = Duration::from_secs(60);
        assert_eq!(within(minute, || 7).unwrap(), 7);
        let (_keep, forever) = mpsc::channel::<()>();
        let late = within(Duration::ZERO, move || forever.recv().is_ok());
        assert!(matches!(late, Err(LoadError::Slow { .. })), "{late:?}");
    }

    #[test]
    fn a_panic_is_no_deadline() {
        let crashed = within(Duration::from_secs(60), || panic!("on purpose"));
        assert!(matches!(crashed, Err::<(), _>(LoadError::Crashed(_))));
    }
}
