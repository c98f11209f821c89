//! What the last drills are worth.

use jiff::{SignedDuration, Timestamp};

use crate::digest::Digest;
use crate::journal::{DrillResult, DrillRun, LoopState};

/// Days after which drills say nothing any more.
// Limit: a month: plugins and machine drift, and a trial takes a minute.
pub const DRILLS_DAYS: i64 = 30;

// Limit: how far the clock may have stepped back since; further, and nobody knows how old they are.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Why drills are worth nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrillsProblem {
    /// There were none.
    #[error("none were run")]
    Never,
    /// Not all went as they must.
    #[error("{failed} of {all} failed at {at:.0}")]
    Failed {
        /// How many did not.
        failed: usize,
        /// Of how many.
        all: usize,
        /// When.
        at: Timestamp,
    },
    /// They were run with another loop file, plugin, policy or engine, or in another place.
    #[error("loop file, plugins, policy or place are not those that were tried at {at:.0}")]
    OtherSetup {
        /// When.
        at: Timestamp,
    },
    /// They are too old.
    #[error("those of {at:.0} were good for {DRILLS_DAYS} days")]
    Expired {
        /// When they were run.
        at: Timestamp,
    },
    /// They were run later than now.
    #[error("those of {at:.0} lie in the future")]
    Future {
        /// When they were run.
        at: Timestamp,
    },
}

/// Says until when the last drills are worth something to a loop that is `bound` as they have to be.
///
/// # Errors
/// [`DrillsProblem`]: why they are worth nothing.
pub fn drills_valid(
    state: &LoopState,
    bound: Option<&Digest>,
    now: Timestamp,
) -> Result<Timestamp, DrillsProblem> {
    let drilled = state.drilled.as_ref().ok_or(DrillsProblem::Never)?;
    let (at, run) = (drilled.at, &drilled.run);
    if bound != Some(&run.setup) {
        return Err(DrillsProblem::OtherSetup { at });
    }
    if !run.passed() {
        let (failed, all) = (count(run, |result| !result.passed), run.results.len());
        return Err(DrillsProblem::Failed { failed, all, at });
    }
    let until = at
        .checked_add(SignedDuration::from_hours(24 * DRILLS_DAYS))
        .unwrap_or(Timestamp::MAX);
    if now >= until {
        Err(DrillsProblem::Expired { at })
    } else if at.duration_since(now) > AHEAD_MAX {
        Err(DrillsProblem::Future { at })
    } else {
        Ok(until)
    }
}

/// True when the run showed both directions of a guard: a fault that was caught, and a clean case that passed. A guard may have
/// been tried on several things; its name stands before the colon.
#[must_use]
pub fn shown(run: &DrillRun, guard: &str) -> bool {
    let of_guard = |result: &&DrillResult| result.name.split(':').next() == Some(guard);
    [true, false].into_iter().all(|fault| {
        let mut some = run.results.iter().filter(of_guard);
        some.any(|result| result.fault == fault && result.passed)
    })
}

fn count(run: &DrillRun, of: impl Fn(&DrillResult) -> bool) -> usize {
    run.results.iter().filter(|result| of(result)).count()
}
