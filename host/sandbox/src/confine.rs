//! The kernel as a second layer: what runs guests gives up what no guest needs.
//!
//! [`thread`] confines the calling thread and what it begins, [`process`] the whole process, [`nothing`] a process that
//! needs no file at all. Landlock leaves no file outside the roots, seccomp no call of the kernel that is not on a list.
//!
//! **Invariant:** nothing here is why a path is denied. Whatever the first layer lets through works, so both layers give up
//! nothing below the roots; where the kernel lacks one, the other and the first layer stand, and [`Confinement`] says so.
//!
//! What this closes: a mistake of ours in walking or opening, and native code that a bug of the engine lets run, as far as
//! it asks the kernel. What it does not: native code on a confined *thread* shares memory and open files with the rest of the
//! process. Only a confined process has nothing to share.

#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
pub(crate) mod seccomp;
mod trial;

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

pub use self::trial::{Attempt, trial};

/// What a thread or process has given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confinement {
    /// Files outside the roots, TCP, signals to and abstract sockets of others.
    pub landlock: Layer,
    /// Calls of the kernel that are not on the list.
    pub seccomp: Layer,
    /// True when nothing it starts can have more rights than it.
    pub no_new_privs: bool,
}

/// How far one layer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Layer {
    /// All of it.
    On {
        /// Which version of it: `ABI 7`, `66 calls`.
        what: String,
    },
    /// A part of it.
    Weaker {
        /// Which version of it.
        what: String,
        /// What is not closed.
        lacks: String,
    },
    /// None of it.
    Missing {
        /// Why not.
        why: String,
    },
}

/// Who gives up what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The calling thread, and what it begins.
    Thread,
    /// Every thread of the process.
    Process,
    /// The same, and whatever takes a path.
    Nothing,
}

impl Confinement {
    /// True when every layer holds in full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let on = |layer: &Layer| matches!(layer, Layer::On { .. });
        on(&self.landlock) && on(&self.seccomp) && self.no_new_privs
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On { what } => f.write_str(what),
            Self::Weaker { what, lacks } => write!(f, "{what}, {lacks}"),
            Self::Missing { why } => f.write_str(why),
        }
    }
}

/// Confines the calling thread, and every thread that it begins from now on, to what guests with these mounts need.
/// It cannot be undone.
///
/// # Errors
/// A root that cannot be opened; nothing is given up then.
pub fn thread(roots: &[PathBuf]) -> io::Result<Confinement> {
    confine(roots, Scope::Thread)
}

/// Confines the process. Files that are open stay usable, standard input and output among them. It is for a process with
/// one thread: others would be out of Landlock's reach, and are waited for a moment. It cannot be undone.
///
/// # Errors
/// A root that cannot be opened; nothing is given up then.
pub fn process(roots: &[PathBuf]) -> io::Result<Confinement> {
    confine(roots, Scope::Process)
}

/// Confines the process to computing, and to reading and writing the files that are open. It cannot be undone.
///
/// # Errors
/// None that is known: there is no root that could not be opened.
pub fn nothing() -> io::Result<Confinement> {
    confine(&[], Scope::Nothing)
}

#[cfg(target_os = "linux")]
fn confine(roots: &[PathBuf], scope: Scope) -> io::Result<Confinement> {
    let roots = landlock::open(roots)?;
    let (landlock, no_new_privs) = landlock::restrict(roots, scope);
    let seccomp = seccomp::restrict(scope);
    let filtered = !matches!(seccomp, Layer::Missing { .. });
    Ok(Confinement {
        landlock,
        seccomp,
        // The kernel takes no filter before that is promised.
        no_new_privs: no_new_privs || filtered,
    })
}

#[cfg(not(target_os = "linux"))]
fn confine(roots: &[PathBuf], _: Scope) -> io::Result<Confinement> {
    for root in roots {
        std::fs::read_dir(root)?;
    }
    let missing = || Layer::Missing {
        why: "only Linux has it".to_owned(),
    };
    Ok(Confinement {
        landlock: missing(),
        seccomp: missing(),
        no_new_privs: false,
    })
}
