//! What the tests of the boundary share: the built guests, components written by hand, a world of files for the probe,
//! and a count of what this process holds.
//!
//! The tests themselves are in `tests/`: `verbs.rs` (file calls), `limits.rs` (what is bounded), `advisories.rs` (published
//! holes of other sandboxes), `determinism.rs`, `fuel.rs`, `contract.rs` (what is no plugin, or answers nonsense),
//! `plugins.rs` (the standard plugins), `pool.rs` and `compile.rs`, `confine.rs` (the kernel's layer below all that),
//! `native.rs` (programs that are no components), `races.rs` (others change files meanwhile), and against something else that should say the same: `resolution.rs` (the
//! kernel), `plans.rs` (a model), `stock.rs` (the engine's own file host).
//!
//! **Invariant:** nothing here is simulated: guests are real components, run by the real sandbox on real directories.
//! Functions panic when the set-up is wrong; they are made for tests.

#[cfg(target_os = "linux")]
pub mod attempts;
pub mod census;
pub mod heavy;
pub mod made;
pub mod native;
pub mod probe;
pub mod world;

use std::path::{Path, PathBuf};

use ringfence_testkit::Component;

/// A component from `tests/guests`.
///
/// # Panics
/// When it is not built: `cargo xtask guests` does that.
#[must_use]
pub fn guest(name: &str) -> Component {
    Component::load(root().join(format!("target/guests/{name}.wasm")))
}

/// The bytes of a component from `tests/guests`.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn guest_bytes(name: &str) -> Vec<u8> {
    std::fs::read(root().join(format!("target/guests/{name}.wasm"))).unwrap_or_else(|e| stop(e))
}

/// A standard plugin, as it is shipped.
///
/// # Panics
/// When there is none of that name.
#[must_use]
pub fn plugin(name: &str) -> Component {
    Component::load(root().join(format!("host/cli/plugins/{name}.wasm")))
}

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Waits for a call.
///
/// # Panics
/// When it cannot be set up.
pub fn wait<T, E: std::fmt::Display>(call: impl Future<Output = Result<T, E>>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.unwrap_or_else(|error| stop(error));
    runtime.block_on(call).unwrap_or_else(|error| stop(error))
}

/// From here on `openat2` is no call of the kernel for this thread; elsewhere than on Linux it never was.
///
/// # Panics
/// When the kernel takes no filter.
pub fn without_openat2() {
    #[cfg(target_os = "linux")]
    linux::without_openat2();
}

/// From here on these are no calls of the kernel for this thread and those that it begins.
///
/// # Panics
/// When the kernel takes no filter.
#[cfg(target_os = "linux")]
pub fn without(calls: &[i64]) {
    linux::without(calls);
}

#[cfg(target_os = "linux")]
mod linux {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

    use super::stop;

    const OPENAT2: i64 = 437;
    const ENOSYS: u32 = 38;

    pub(super) fn without_openat2() {
        without(&[OPENAT2]);
        let tried = openat2(CWD, ".", OFlags::PATH, Mode::empty(), ResolveFlags::BENEATH);
        if tried.err() != Some(rustix::io::Errno::NOSYS) {
            stop("openat2 is still there");
        }
    }

    pub(super) fn without(calls: &[i64]) {
        let arch = std::env::consts::ARCH.try_into();
        let filter = SeccompFilter::new(
            calls.iter().map(|call| (*call, vec![])).collect(),
            SeccompAction::Allow,
            SeccompAction::Errno(ENOSYS),
            arch.unwrap_or_else(|error| stop(error)),
        );
        let program = filter.and_then(BpfProgram::try_from);
        let program = program.unwrap_or_else(|error| stop(error));
        apply_filter(&program).unwrap_or_else(|error| stop(error));
    }
}

#[expect(clippy::panic, reason = "a test whose set-up is wrong has to end")]
#[track_caller]
pub(crate) fn stop(why: impl std::fmt::Display) -> ! {
    panic!("{why}")
}
