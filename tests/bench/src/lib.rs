//! What the boundary costs, as ratios to somebody who does the same work in the same run.
//!
//! [`ours`] runs a component in the boundary, [`stock`] the same bytes in the engine's own host, and what goes through
//! `std::fs` runs natively as the floor. [`rounds`] lets them take turns and times them; [`groups`] holds the
//! measurements, [`report`] their rows. `cargo xtask bench` runs it; `docs/performance.md` has results.
//!
//! **Invariant:** who is compared does the same work: the sums of what everybody saw are compared as well
//! (`tests/same_work.rs`, and before every measurement).

pub mod groups;
pub mod ours;
pub mod report;
pub mod rounds;
pub mod stock;
pub mod timed_git;
pub mod tree;

use std::path::{Path, PathBuf};

/// Whatever goes wrong ends the benchmark: a figure with a hole in it is none.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The bytes of the guest that does the work.
///
/// # Errors
/// When it is not built: `cargo xtask guests` does that.
pub fn guest() -> Outcome<Vec<u8>> {
    let path = root().join("target/guests/bench.wasm");
    std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// What waits for calls, as the runner does: on this thread.
///
/// # Errors
/// When the system has no timer for it.
pub fn runtime() -> Outcome<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    Ok(builder.enable_time().build()?)
}
