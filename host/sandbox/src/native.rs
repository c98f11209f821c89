//! Native programs, in a sandbox that the operating system gives: the boundary for what is no component.
//!
//! [`run`] runs one program in a scratch copy of a tree and says how it ended, what it printed and what it reported. The
//! program runs in namespaces of its own, below a root that shows it the system's programs, the tree without what is
//! denied, and nothing else; what it writes lands in memory and is gone afterwards. [`probe`] says whether this machine can
//! do that.
//!
//! `start` begins the helper (this program again, with one thread) and listens to it, `talk` is what the two say to each other,
//! `inside` is the helper. `hidden` finds what the program must not see, `shown` what it sees besides, `copy` makes the scratch copy of a program that runs
//! unconfined.
//!
//! **Invariant:** a program runs either behind every layer listed in `inside`, or unconfined because the caller said so, and
//! [`Ran`] says which. The tree that it was given is as it was, in both cases, and nothing it started is left running.

mod copy;
mod hidden;
#[cfg(target_os = "linux")]
mod inside;
#[cfg(target_os = "linux")]
mod shown;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod talk;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ringfence_core::evidence::{Confinement, Ended};
use ringfence_core::policy::PathPolicy;
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::{CommandLimits, Sandboxing};

/// Where the program finds the tree.
pub const TREE: &str = "/tree";

/// One program to be run.
#[derive(Debug, Clone)]
pub struct Command {
    /// Program and arguments; the program is looked up in `PATH`, as the program itself sees it.
    pub argv: Vec<String>,
    /// On top of `PATH`, `HOME`, `LANG` and `TZ`, which these may replace.
    pub env: BTreeMap<String, String>,
    /// In the tree: where it starts.
    pub cwd: RelPath,
    /// The tree, which nobody changes meanwhile.
    pub tree: PathBuf,
    /// What of the tree it may read; everything else is not there for it.
    pub policy: PathPolicy,
    /// True when it may reach the network.
    pub network: bool,
    /// How it is to be confined.
    pub sandbox: Sandboxing,
    /// What it may use.
    pub limits: CommandLimits,
    /// Files in the tree that it may write for us, by name.
    pub reports: Vec<(String, RelPath)>,
    /// Absolute directories that it may read besides those of the system.
    pub system: Vec<PathBuf>,
    /// Absolute directories that it does not see where they lie in those of the system, nor the tree under its own name: the
    /// project, its repository, and whatever has a copy of what is denied. One that is not there is none.
    pub private: Vec<PathBuf>,
}

/// What is known of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub ended: Ended,
    /// How far it was confined.
    pub confinement: Confinement,
    /// What it printed; no more than its limit of output together with `stderr`.
    pub stdout: Vec<u8>,
    /// What it complained of.
    pub stderr: Vec<u8>,
    /// The declared reports that it wrote, in the order of the declaration; one that it did not write is not there.
    pub reports: Vec<(String, Vec<u8>)>,
    /// How long it took, the sandbox's own time included.
    pub took: Duration,
    /// What could not be enforced, or was noticed; one line each.
    pub notes: Vec<String>,
}

/// How the message of [`NativeError::NoSandbox`] begins.
pub const NO_SANDBOX: &str = "no sandbox for native programs";

/// Why a program was not run, or nothing is known of its run.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// This machine does not give what the sandbox is made of, and the program was to be confined.
    #[error("{NO_SANDBOX}: {missing}")]
    NoSandbox {
        /// Which part, and why.
        missing: String,
    },
    /// A directory of `system` that is not there, or is none to be shown: whoever wrote it has to change it.
    #[error("{0}")]
    Directory(String),
    /// The declaration and the machine do not fit together.
    #[error("{0}")]
    Refused(String),
    /// The tree cannot be read.
    #[error("the tree {} cannot be read", path.display())]
    Tree {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The sandbox itself failed; the program may have run.
    #[error("the sandbox failed: {0}")]
    Failed(String),
}

/// Runs `command` to its end; `program` is this program, whose `main` begins with [`helper_main`].
///
/// It blocks for as long as the limits allow. A program that ends badly, or is ended, is no error.
///
/// # Errors
/// [`NativeError`]. What was started is gone then, too.
#[cfg(target_os = "linux")]
pub fn run(program: &Path, command: &Command) -> Result<Ran, NativeError> {
    start::run(program, command)
}

/// Says whether each directory of `system` can be shown to a confined program that must not see those of `private`, as in
/// [`Command`].
///
/// # Errors
/// [`NativeError::Directory`] with the first that cannot; [`NativeError::Refused`] where one of `private` is part of every
/// sandbox.
#[cfg(target_os = "linux")]
pub fn check_system(system: &[PathBuf], private: &[PathBuf]) -> Result<(), NativeError> {
    shown::check(system, private)
}

/// Builds a sandbox, runs nothing in it, and says what is missing if that does not work.
///
/// # Errors
/// [`NativeError::NoSandbox`] where the machine does not give it; others where trying failed.
#[cfg(target_os = "linux")]
pub fn probe(program: &Path) -> Result<(), NativeError> {
    start::probe(program)
}

/// Does the work of the helper and ends, when `args` (the program's name first) say that this process was started for
/// that; none in any other process. The first thing a `main` has to call, before it begins a thread.
#[cfg(target_os = "linux")]
#[must_use]
pub fn helper_main(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    inside::main(args)
}

/// Runs `command`: not on this system.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn run(_: &Path, _: &Command) -> Result<Ran, NativeError> {
    probe(Path::new("")).and(Err(NativeError::Failed("unreachable".to_owned())))
}

/// Says what is missing: Linux.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn probe(_: &Path) -> Result<(), NativeError> {
    Err(NativeError::NoSandbox {
        missing: "native programs run on Linux only".to_owned(),
    })
}

/// Nothing is shown on this system.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub fn check_system(_: &[PathBuf], _: &[PathBuf]) -> Result<(), NativeError> {
    Ok(())
}

/// There is no helper on this system.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn helper_main(_: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    None
}
