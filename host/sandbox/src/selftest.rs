//! The escape suite: every verb with all its flags at every kind of path in every zone, on real directories.
//!
//! `words` has the dimensions of the table, `kinds` and `deed` fill them, each by one match over all cases; `rules` says what must
//! hold, `attempt` and `check` find out whether it does, `ground` is where.
//!
//! What may be known without running anything is decided by `rules` alone, which asks neither the policy nor the walk: what must be
//! refused ends with `not-permitted` and is reported by the right rule, no denied byte is in any answer, nothing that may
//! not change does (content, metadata, names), and an ordinary neighbour works on. How the rest ends is the file
//! system's affair, and the same however paths are walked.
//!
//! **Invariant:** a combination without a row has a reason beside it ([`LeftOut`]).

mod attempt;
mod check;
mod deed;
mod each;
mod ground;
mod kinds;
mod plan;
mod report;
mod rules;
mod seen;
mod spot;
mod words;

use std::path::{Path, PathBuf};

pub use self::plan::PROBE;
pub use self::report::{Count, Ends, Failure, LeftOut, Report};
pub use self::words::{Family, Kind, Thing, Verb, Zone};
pub use crate::fs::Way;
use crate::{CallError, LoadError, Sandbox};

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// One path of each kind, zone and thing as part of a pair, and flags about syncing at plain paths.
    Usual,
    /// Every path with every other, and all flags at every path: some minutes.
    Full,
}

/// What a run is about.
#[derive(Clone, Copy)]
pub struct Escapes<'a> {
    /// Compiles and runs the probe.
    pub sandbox: &'a Sandbox,
    /// Where a temporary directory is made, and removed at the end; none for where the system has such.
    pub dir: Option<&'a Path>,
    /// How paths are walked.
    pub way: Way,
    /// How much is tried.
    pub extent: Extent,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Paths that are done.
    pub done: usize,
    /// All paths.
    pub of: usize,
}

/// The suite itself could not go on.
#[derive(Debug, thiserror::Error)]
pub enum SelftestError {
    /// A file of the ground cannot be made, read or removed.
    #[error("failed to prepare {}", path.display())]
    Ground {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The probe cannot be loaded.
    #[error("failed to load the probe")]
    Load(#[from] LoadError),
    /// A call of the probe cannot be set up.
    #[error("failed to call the probe")]
    Call(#[from] CallError),
    /// The probe did not do what it was told.
    #[error("the probe does not carry out its plan: {0}")]
    Probe(String),
    /// The ground's own policy is wrong.
    #[error("the policy cannot be used: {0}")]
    Policy(String),
}

impl SelftestError {
    fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        |source| Self::Ground { path, source }
    }
}

/// Runs the suite, telling `watch` how far it has come.
///
/// # Errors
/// [`SelftestError`] when it cannot be set up or carried on; what the boundary does wrong is in the report.
pub fn escapes(
    escapes: Escapes<'_>,
    watch: &mut dyn FnMut(Progress),
) -> Result<Report, SelftestError> {
    let scope = each::Scope {
        policy: &ground::policy()?,
        path: |_| true,
        pairs: true,
    };
    each::run(escapes, &scope, watch)
}

#[cfg(test)]
mod tests;
