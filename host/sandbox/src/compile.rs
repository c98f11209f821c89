//! From bytes to code, bounded in time.
//!
//! The engine promises nothing about how long a hostile component takes to compile, so compilation runs on a thread of its
//! own and is given up at the deadline. The thread cannot be stopped: it ends when it is done, or with the process.

use std::sync::mpsc;
use std::time::Duration;

use ringfence_core::digest::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cache::Cache;
use crate::inspect::InspectError;

// Limit: the largest component seen takes 15 s of CPU on one slow core.
/// How long a component may take to compile.
pub const COMPILE_DEADLINE: Duration = Duration::from_secs(60);

/// Why a component cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its bytes are no plugin.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// The engine refuses it.
    #[error("the component does not compile: {0}")]
    Compile(String),
    /// It takes too long.
    #[error("the component did not compile within {} seconds", COMPILE_DEADLINE.as_secs())]
    Deadline,
    /// It imports what no plugin is given.
    #[error("the component imports what is not offered: {0}")]
    Import(String),
}

/// Compiles `bytes`, or takes the code from the cache.
pub(crate) fn compile(
    engine: &Engine,
    cache: Option<&Cache>,
    bytes: &[u8],
    digest: &Digest,
) -> Result<Component, LoadError> {
    if let Some(component) = cache.and_then(|cache| cache.get(engine, digest)) {
        return Ok(component);
    }
    let component = within(COMPILE_DEADLINE, {
        let (engine, bytes) = (engine.clone(), bytes.to_vec());
        move || Component::from_binary(&engine, &bytes)
    })
    .ok_or(LoadError::Deadline)?
    .map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    if let Some(cache) = cache {
        cache.put(&component, digest);
    }
    Ok(component)
}

/// Runs `work` on a thread of its own; none when it takes longer than `deadline`.
fn within<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = mpsc::sync_channel(1);
    let worker = std::thread::Builder::new()
        .name("compile".to_owned())
        .spawn(move || {
            // Nobody waits any more when the deadline has passed.
            done.send(work()).unwrap_or_default();
        });
    worker.ok()?;
    result.recv_timeout(deadline).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_given_up_at_its_deadline() {
        assert_eq!(within(COMPILE_DEADLINE, || 7), Some(7));
        let (_keep, forever) = mpsc::channel::<()>();
        assert_eq!(within(Duration::ZERO, move || forever.recv().is_ok()), None);
    }
}
