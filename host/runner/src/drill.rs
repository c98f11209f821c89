//! Proves a loop's guards in both directions: a seeded fault has to be caught, a clean case has to pass.
//!
//! Everything happens in a private checkout of the loop's base, in a temporary folder, with the loop's own plugins, grants,
//! limits and gates. Whatever is put there or tried there is put and tried by the probe, a component inside the boundary.
//! `ground` is that place, `seeds` says where something can be put; `boundary`, `runaway`, `changes`, `kinds`, `answers` and
//! `figures` hold the drills.
//!
//! **Invariant:** nothing is published, and nothing of the project or of the loop's folder is changed. What could not be tried
//! is never counted as passed: it failed, or the loop has no guard for it, and that is said.

mod answers;
mod boundary;
mod changes;
mod figures;
mod ground;
mod kinds;
mod runaway;
mod seeds;

use jiff::tz::TimeZone;
use ringfence_core::authority::bound_to;
use ringfence_core::digest::Digest;
use ringfence_core::journal::{DrillResult, DrillRun};
use ringfence_core::spec::LockedSpec;
use ringfence_sandbox::FUEL_RULES;

use self::ground::Ground;
use crate::driver::Surroundings;
use crate::lock::LockError;
use crate::open_loop::{Locked, OpenLoop};
use crate::state_dir::{LoopDir, StateDirError};
use crate::workspace::{MeasureError, WorkspaceError};

/// The names of all drills, in their order.
pub const NAMES: [&str; 13] = [
    boundary::DENIED_PATH,
    boundary::WRITE_GRANT,
    changes::SCOPE,
    changes::CLEAN,
    kinds::SIZE,
    kinds::LINKS,
    kinds::PATHS,
    kinds::OTHER_GATE,
    answers::BROKEN_GATE,
    answers::MEMO,
    runaway::RUNAWAY,
    figures::BUDGET,
    figures::ESCALATION,
];

/// Why drills could not be run. What they found is no error.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// There is no place for them.
    #[error("no temporary folder can be made for the drills")]
    Temp(#[from] std::io::Error),
    /// The temporary folder cannot be used.
    #[error(transparent)]
    State(#[from] StateDirError),
    /// It cannot be locked.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The base cannot be had.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A seeded change cannot be measured.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// The probe could not do what it was told.
    #[error("the probe could not be used: {0}")]
    Probe(String),
}

/// What a drill works on.
struct Drill<'a> {
    ground: &'a Ground<'a>,
    spec: &'a LockedSpec,
    timezone: &'a TimeZone,
    results: Vec<DrillResult>,
    unguarded: Vec<String>,
}

/// What drills of a loop that keeps its history in `dir` are bound to; none when the folder cannot be told from others.
#[must_use]
pub fn bound(spec: &LockedSpec, dir: &LoopDir) -> Option<Digest> {
    let place = dir.identity().ok()?;
    Some(bound_to(spec, FUEL_RULES, &place))
}

/// Runs the drills: all, or the one called `only`. `begins` is told the name of each.
///
/// # Errors
/// [`DrillError`] when they cannot be run.
pub fn run(
    open: &OpenLoop,
    locked: &Locked,
    dir: &LoopDir,
    around: Surroundings<'_>,
    only: Option<&str>,
    begins: &mut dyn FnMut(&'static str),
) -> Result<DrillRun, DrillError> {
    let ground = Ground::new(open, locked, around)?;
    let mut drill = Drill {
        ground: &ground,
        spec: &locked.spec,
        timezone: &open.timezone,
        results: Vec::new(),
        unguarded: Vec::new(),
    };
    for name in NAMES {
        if only.is_none_or(|only| only == name) {
            begins(name);
            drill.one(name)?;
        }
    }
    Ok(DrillRun {
        setup: bound(&locked.spec, dir).unwrap_or(Digest::of(b"nowhere")),
        results: drill.results,
        unguarded: drill.unguarded,
    })
}

impl Drill<'_> {
    fn one(&mut self, name: &'static str) -> Result<(), DrillError> {
        match name {
            boundary::DENIED_PATH => self.denied_paths(),
            boundary::WRITE_GRANT => self.write_grants(),
            changes::SCOPE => self.scope(),
            changes::CLEAN => self.clean(),
            kinds::SIZE => self.size(),
            kinds::LINKS => self.links(),
            kinds::PATHS => self.paths(),
            kinds::OTHER_GATE => self.other_gates(),
            answers::BROKEN_GATE => self.broken_gates(),
            answers::MEMO => self.memo(),
            runaway::RUNAWAY => self.runaways(),
            figures::BUDGET => {
                self.budgets();
                Ok(())
            }
            _ => self.escalation(),
        }
    }

    /// A fault: `problem` is why it was not caught, or `seen` how it was.
    fn fault(&mut self, name: String, found: Result<String, String>) {
        self.add(name, true, found);
    }

    /// A clean case: `problem` is why it did not pass, or `seen` how it did.
    fn passes(&mut self, name: String, found: Result<String, String>) {
        self.add(name, false, found);
    }

    fn add(&mut self, name: String, fault: bool, found: Result<String, String>) {
        let (passed, seen) = match found {
            Ok(seen) => (true, seen),
            Err(problem) => (false, problem),
        };
        self.results.push(DrillResult {
            name,
            fault,
            passed,
            seen: ringfence_core::text::one_line(&seen, SEEN_CHARS_MAX),
        });
    }

    /// Something that the loop has no guard for.
    fn unguarded(&mut self, name: &str, why: &str) {
        self.unguarded.push(format!("{name}: {why}"));
    }
}

// Limit: one line of a table.
const SEEN_CHARS_MAX: usize = 300;
