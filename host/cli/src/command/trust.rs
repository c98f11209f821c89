//! What is known of a loop when its authority is looked at, and how a word of the operator's is written down.
//!
//! **Invariant:** evidence is read without a lock, and what rests on it is written only while the journal still says the same.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use ringfence_core::authority::{Check, Facts, Proposed, Reach, entered, evidence, reach};
use ringfence_core::digest::Digest;
use ringfence_core::journal::{Act, Body, Entry, LoopState, OperatorAct};
use ringfence_core::regulator::{Entered, Record};
use ringfence_core::snapshot::setup;
use ringfence_core::spec::{Level, LockedSpec};
use ringfence_core::text::one_line;
use ringfence_runner::authority::fates;
use ringfence_runner::driver::{self, BeatError, Seams};
use ringfence_runner::open_loop::{LockMode, OpenLoop};
use ringfence_runner::state_dir::{LoopDir, Origin, StateDir};
use ringfence_runner::{drill, steps::NoSteps};

use super::{Context, Stop, journal};
use crate::exit::Exit;
use crate::render::text;

/// How long a beat under way is waited for before something is written down.
// Limit: a beat that lasts longer is better looked at first.
pub(super) const WRITE_WAIT: Duration = Duration::from_secs(60);

// Limit: a line of the journal that people read.
const REASON_CHARS_MAX: usize = 500;

/// Everything that is known.
pub(super) struct Known {
    pub(super) open: OpenLoop,
    pub(super) spec: LockedSpec,
    pub(super) entries: Vec<Entry>,
    pub(super) state: LoopState,
    pub(super) record: Record,
    pub(super) proposed: Vec<Proposed>,
    pub(super) own_history: bool,
    pub(super) bound: Option<Digest>,
    pub(super) reach: Reach,
    pub(super) now: Timestamp,
}

/// Why something was not written down.
enum Unwritten {
    /// Nothing can be written.
    Beat(BeatError),
    /// The journal says something else by now.
    Moved,
}

impl From<BeatError> for Unwritten {
    fn from(error: BeatError) -> Self {
        Self::Beat(error)
    }
}

/// Finds everything out about the loop of `file`.
pub(super) fn know(file: Option<&Path>, context: &mut Context<'_, '_>) -> Result<Known, Stop> {
    let open = context.open(file)?;
    let spec = context.lock(&open, LockMode::Require)?.spec;
    Known::of(open, spec, context.clock.now())
}

impl Known {
    /// Everything about an open loop.
    pub(super) fn of(open: OpenLoop, spec: LockedSpec, now: Timestamp) -> Result<Self, Stop> {
        let (entries, followed) = journal::read(&open)?;
        let state = followed.state().clone();
        let record = Record::of(&entries);
        let dir = super::loop_dir(&open)?;
        let proposed = match &dir {
            Some(dir) => fates(&open.project, dir, &state, &record)
                .map_err(|error| Stop::error(Exit::Host, &error))?,
            None => Vec::new(),
        };
        let bound = dir.as_ref().and_then(|dir| drill::bound(&spec, dir));
        let origin = dir.as_ref().map(LoopDir::origin).transpose()?;
        Ok(Self {
            own_history: origin != Some(Origin::BroughtAlong),
            reach: reach(spec.level, &state, bound.as_ref(), now),
            bound,
            open,
            spec,
            entries,
            state,
            record,
            proposed,
            now,
        })
    }

    /// What speaks for and against going to `to`.
    pub(super) fn evidence(&self, to: Level) -> Vec<Check> {
        evidence(to, &self.facts())
    }

    /// What the rules look at.
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            level: self.reach.level,
            ceiling: self.spec.level,
            state: &self.state,
            record: &self.record,
            proposed: &self.proposed,
            own_history: self.own_history,
            setup: setup(&self.spec.file_digest, &self.spec.plugins()),
            bound: self.bound,
            denials: self.open.spec.paths.deny.len(),
            unwritten: &self.open.spec.unwritten_budgets,
            attempts_max: self.spec.budget.attempts_per_item.into(),
            now: self.now,
        }
    }

    /// Since when the loop is where it is.
    pub(super) fn entered(&self) -> Entered {
        entered(self.reach.level, &self.state, &self.record, self.now)
    }
}

/// The folder of a loop, made when there is none.
pub(super) fn loop_dir(open: &OpenLoop) -> Result<LoopDir, Stop> {
    Ok(StateDir::open(&open.project)?.open_loop(&open.spec.loop_id)?)
}

/// Writes down what the operator says; with `seen`, only if the journal still adds up to that.
pub(super) fn tell(
    open: &OpenLoop,
    context: &Context<'_, '_>,
    act: Act,
    reason: &str,
    seen: Option<&LoopState>,
) -> Result<(), Stop> {
    let told = OperatorAct {
        by: one_line(&context.user, REASON_CHARS_MAX),
        reason: one_line(reason, REASON_CHARS_MAX),
        act,
    };
    write(open, context, Body::Operator(told), seen)
}

/// Appends one entry to the journal; with `seen`, only if it still adds up to that.
pub(super) fn write(
    open: &OpenLoop,
    context: &Context<'_, '_>,
    body: Body,
    seen: Option<&LoopState>,
) -> Result<(), Stop> {
    let seams = Seams {
        clock: context.clock,
        steps: &NoSteps,
    };
    let dir = loop_dir(open)?;
    let written = driver::note(&dir, &open.timezone, seams, WRITE_WAIT, |state| {
        if seen.is_some_and(|seen| seen != state) {
            return Err(Unwritten::Moved);
        }
        Ok(vec![body])
    });
    match written {
        Ok(_) => Ok(()),
        Err(Unwritten::Beat(error)) => Err(error.into()),
        Err(Unwritten::Moved) => Err(Stop::new(
            Exit::Waiting,
            text!["the journal went on while the evidence was looked at"],
        )
        .help("try again")),
    }
}
