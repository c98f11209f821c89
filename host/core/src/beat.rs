//! The beat: a machine that is told what happened and says what to do next.
//!
//! [`BeatState::start`] and [`BeatState::next`] are all of it. They carry nothing out: the runner performs each
//! [`Effect`] and answers with one [`Event`]. Phases only ever go forward:
//!
//! ```text
//! sensing ─▶ deciding ─▶ acting ─▶ measuring ─▶ running ─▶ judging ─▶ settling ─▶ recording ─▶ done
//!    └──────────┴────────── ╳ ──────────┴──────────┴──────────┴────▶ discarding ─────▲
//! ```
//!
//! Running is left out where the loop has no commands. Comparing with the world that was decided on, and the guards, happen between sensing and deciding without leaving
//! the machine.
//!
//! A change that a person approved comes before all that: it is restored instead of made, then measured and judged like
//! any other.
//!
//! **Invariant:** whatever events come, in whatever order: at most one move is made; nothing is settled but the very
//! change set that was measured and that every gate judged; a workspace that was begun is settled or discarded; exactly
//! one receipt is recorded; and the machine ends after at most nine events.

mod acting;
mod approved;
mod context;
mod deciding;
mod effect;
mod eligibility;
mod judging;
mod metering;
mod plan;
mod running;
mod sensing;
mod situation;

pub use context::Context;
pub use effect::{
    ActOutcome, Committed, Effect, Event, Holding, Measurement, Publication, Published, Restored,
    Shadowed,
};
pub use plan::{BeatPlan, ExecutorPlan, StepPlan};

use crate::change::ChangeSet;
use crate::decision::{Move, Situation};
use crate::failure::{Failure, FailureClass};
use crate::journal::Outcome;

/// Where a beat stands: what it waits for the answer of.
#[derive(Debug, Clone)]
pub enum BeatState {
    /// The sensors are asked.
    Sensing(Box<Context>),
    /// The decider is asked.
    Deciding(Box<Context>, Box<Situation>),
    /// The executor acts in the workspace.
    Acting(Box<Context>, Box<Move>),
    /// A change that had waited for a person is put back into the workspace.
    Restoring(Box<Context>, Box<Move>),
    /// The host measures what it did.
    Measuring(Box<Context>, Box<Move>),
    /// The operator's commands run on the change.
    Running(Box<Context>, Box<Move>, Box<ChangeSet>),
    /// The gates are asked.
    Judging(Box<Context>, Box<Move>, Box<ChangeSet>),
    /// The change is being proposed or recorded.
    Settling(Box<Context>),
    /// The workspace is being thrown away; then this is how the beat ends.
    Discarding(Box<Context>, Outcome),
    /// The receipt is being written.
    Recording(Outcome),
    /// Over.
    Done(Outcome),
}

/// What the machine answers: where it stands now, and what is to be done.
pub type Step = (BeatState, Effect);

impl BeatState {
    /// Begins a beat.
    ///
    /// The first effect is [`Effect::Observe`], or [`Effect::Record`] when not even sensing may begin: the day's budget
    /// is used up, the loop is frozen, or something an earlier beat began has not been recovered; or
    /// [`Effect::Restore`] when a person has approved a change.
    #[must_use]
    pub fn start(plan: BeatPlan) -> Step {
        sensing::begin(Box::new(Context::new(plan)))
    }

    /// Goes on with what happened.
    ///
    /// An event that does not answer the last effect ends the beat as a failure of the host: what was begun is
    /// discarded, and nothing is settled. After the end, every event is answered with the same [`Effect::Finish`].
    #[must_use]
    pub fn next(self, event: Event) -> Step {
        match self.take_receipts(&event) {
            Self::Sensing(context) => sensing::sensed(context, event),
            Self::Deciding(context, situation) => deciding::decided(context, &situation, event),
            Self::Acting(context, mv) => acting::acted(context, mv, event),
            Self::Restoring(context, mv) => approved::restored(context, mv, event),
            Self::Measuring(context, mv) => acting::measured(context, mv, event),
            Self::Running(context, mv, change) => running::ran(context, mv, change, event),
            Self::Judging(context, mv, change) => judging::judged(context, *mv, *change, event),
            Self::Settling(context) => judging::settled(context, event),
            Self::Discarding(context, outcome) => discarded(context, outcome, &event),
            Self::Recording(outcome) => recorded(outcome, &event),
            Self::Done(outcome) => finish(outcome),
        }
    }

    /// How the beat ended, once it has.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Keeps and charges the receipts of an event, also of one that should not have come: the fuel is spent.
    fn take_receipts(mut self, event: &Event) -> Self {
        match &mut self {
            Self::Sensing(context)
            | Self::Deciding(context, _)
            | Self::Acting(context, _)
            | Self::Restoring(context, _)
            | Self::Measuring(context, _)
            | Self::Running(context, _, _)
            | Self::Judging(context, _, _)
            | Self::Settling(context)
            | Self::Discarding(context, _) => context.take_receipts(event.receipts()),
            Self::Recording(_) | Self::Done(_) => {}
        }
        self
    }
}

/// What an event means that is not the answer to `effect`.
fn instead_of(effect: &str, event: &Event) -> Failure {
    match event {
        Event::HostFailed(message) => Failure::host(message),
        Event::Interrupted { .. } => Failure::new(
            FailureClass::Interrupted,
            &format!("interrupted while waiting for {effect}"),
        ),
        other => Failure::host(&format!(
            "the beat waited for {effect} and was told «{}»",
            other.name()
        )),
    }
}

/// Ends a beat that has begun no workspace.
fn end(context: Box<Context>, outcome: Outcome) -> Step {
    let (receipt, durable) = context.into_receipt(outcome.clone());
    (
        BeatState::Recording(outcome),
        Effect::Record {
            receipt: Box::new(receipt),
            durable,
        },
    )
}

/// Ends a beat that has begun a workspace.
fn discard(context: Box<Context>, outcome: Outcome) -> Step {
    (BeatState::Discarding(context, outcome), Effect::Discard)
}

fn discarded(mut context: Box<Context>, outcome: Outcome, event: &Event) -> Step {
    match event {
        Event::Discarded => end(context, outcome),
        other => {
            // The workspace is the runner's to clear away before the next beat; it is not tried twice here.
            let failure = context.fail(instead_of("the workspace to be discarded", other));
            end(context, failure)
        }
    }
}

fn recorded(outcome: Outcome, event: &Event) -> Step {
    match event {
        Event::Recorded => finish(outcome),
        other => {
            let failure = instead_of("the receipt to be recorded", other);
            let message = format!("{} (not recorded: {outcome})", failure.message);
            finish(Failure::new(failure.class, &message).into())
        }
    }
}

fn finish(outcome: Outcome) -> Step {
    (BeatState::Done(outcome.clone()), Effect::Finish(outcome))
}

#[cfg(test)]
mod tests;
