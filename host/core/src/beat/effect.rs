//! What the machine asks for, and what it can be told.

use crate::change::ChangeSet;
use crate::decision::{Move, RawDecision, Situation};
use crate::digest::Digest;
use crate::evidence::CommandReceipt;
use crate::failure::Failure;
use crate::guard::Purse;
use crate::ids::{BeatNo, StepId};
use crate::journal::{BeatReceipt, Held, Outcome, StepReceipt};
use crate::quantity::Fuel;
use crate::relpath::RelPath;
use crate::snapshot::Snapshot;
use crate::verdict::{Finding, GateResult, Verdict};

/// What is to be done next. Each is answered with one event.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Ask all sensors, in the order of the plan; answer [`Event::Observed`].
    ///
    /// Each call is offered and charged to a copy of the purse; one it does not cover is a reading that failed with
    /// class `budget`. What is remembered costs nothing.
    Observe {
        /// What is left.
        purse: Purse,
    },
    /// Ask the decider; answer [`Event::Decided`].
    Decide {
        /// What it is told.
        situation: Box<Situation>,
        /// The limit of the call.
        fuel_max: Fuel,
    },
    /// Begin a workspace over the base and let the executor act in it; answer [`Event::Acted`].
    Act {
        /// What it is to do.
        mv: Box<Move>,
        /// The limit of the call.
        fuel_max: Fuel,
    },
    /// Measure what the executor did; answer [`Event::Measured`].
    Measure,
    /// Run the operator's commands on the change, and on the base those that want it; answer [`Event::Ran`].
    RunCommands {
        /// The digest of the change set they look at.
        change: Digest,
    },
    /// Ask all gates; answer [`Event::Judged`].
    Judge {
        /// Each of them once.
        gates: Vec<StepId>,
        /// The digest of the change set to be judged.
        change: Digest,
        /// What is left; used as for [`Effect::Observe`], a call it does not cover being a gate without verdict.
        purse: Purse,
    },
    /// Make the change one commit on a branch of its own and give back the workspace; answer [`Event::Published`].
    Publish(Box<Publication>),
    /// Record the change as a patch and give back the workspace; answer [`Event::Shadowed`].
    Shadow(Box<Publication>),
    /// Move the target branch on by one commit and give back the workspace; answer [`Event::Committed`].
    Commit(Box<Publication>),
    /// Lay the change aside until a person has answered, and give back the workspace; answer [`Event::Held`].
    Hold(Box<Holding>),
    /// Begin a workspace over the base and put a change into it that was laid aside; answer [`Event::Restored`].
    Restore(Box<Held>),
    /// Throw the workspace away; answer [`Event::Discarded`].
    Discard,
    /// Write the receipt; answer [`Event::Recorded`].
    Record {
        /// What to write.
        receipt: Box<BeatReceipt>,
        /// False when losing it in a power cut would harm nothing.
        durable: bool,
    },
    /// Nothing: the beat is over.
    Finish(Outcome),
}

/// A change that all gates let through.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    /// The beat.
    pub beat: BeatNo,
    /// What was decided.
    pub mv: Move,
    /// The executor's line: escape before showing.
    pub summary: String,
    /// The digest that the gates judged: measure again and compare before anything is settled.
    pub digest: Digest,
    /// The change.
    pub change: ChangeSet,
    /// What the gates said, in their order.
    pub verdicts: Vec<(StepId, Verdict)>,
    /// The beat that had laid it aside, when a person has approved it.
    pub held: Option<BeatNo>,
}

/// A change that all gates let through and that a person has to approve.
#[derive(Debug, Clone, PartialEq)]
pub struct Holding {
    /// The change.
    pub publication: Publication,
    /// Why a person is asked, one line each.
    pub why: Vec<String>,
    /// The digest of the item as its sensor showed it.
    pub content: Option<Digest>,
}

/// How far a change that was laid aside could be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restored {
    /// It is in the workspace.
    Whole,
    /// It does not go together with the base, or is not there any more: why, in one line.
    Impossible(String),
}

/// What the executor answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActOutcome {
    /// One line.
    pub summary: String,
}

/// What the host found in the workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// What differs from the base.
    pub change: ChangeSet,
    /// What the scope check has to say; an error refuses the change.
    pub scope: Vec<Finding>,
    /// Changed paths that are a person's to decide about.
    pub escalated_paths: Vec<RelPath>,
}

/// A branch that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its full name.
    pub reference: String,
    /// The commit's object id.
    pub commit: String,
}

/// A target branch that was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Its full name.
    pub reference: String,
    /// The commit's object id.
    pub commit: String,
    /// The commit it was at.
    pub previous: String,
}

/// A patch that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadowed {
    /// Where, from the loop's state directory.
    pub patch: String,
}

/// What happened. Receipts are of the calls that were made, also of those that failed.
#[derive(Debug, Clone)]
pub enum Event {
    /// All sensors were asked.
    Observed {
        /// One reading for each sensor of the plan, in its order.
        snapshot: Snapshot,
        /// The calls.
        receipts: Vec<StepReceipt>,
    },
    /// The decider was asked.
    Decided {
        /// What it said.
        answer: Result<RawDecision, Failure>,
        /// The call.
        receipts: Vec<StepReceipt>,
    },
    /// The executor was called.
    Acted {
        /// What it said.
        answer: Result<ActOutcome, Failure>,
        /// The call.
        receipts: Vec<StepReceipt>,
    },
    /// The workspace was measured, or could not be.
    Measured(Result<Measurement, String>),
    /// The commands ran, or something could not be run as it was declared.
    Ran {
        /// The digest of the change set they looked at.
        change: Digest,
        /// One receipt for each command and tree, in order.
        answer: Result<Vec<CommandReceipt>, Failure>,
    },
    /// All gates were asked.
    Judged {
        /// The digest of the change set they were shown.
        change: Digest,
        /// One result for each gate.
        results: Vec<GateResult>,
        /// The calls.
        receipts: Vec<StepReceipt>,
    },
    /// The branch was made, or was not.
    Published(Result<Published, String>),
    /// The target branch was moved, or was not; of class [`Conflict`](crate::failure::FailureClass::Conflict) when
    /// somebody else's work is in the way.
    Committed(Result<Committed, Failure>),
    /// The patch was recorded, or was not.
    Shadowed(Result<Shadowed, String>),
    /// The change was laid aside, or was not.
    Held(Result<Shadowed, String>),
    /// A change was put back, or nobody can say.
    Restored(Result<Restored, String>),
    /// The workspace is gone.
    Discarded,
    /// The receipt is written.
    Recorded,
    /// The host could not do what it was asked.
    HostFailed(String),
    /// Somebody stopped the beat; instead of an answer to the last effect, which has had no lasting consequence.
    Interrupted {
        /// The calls that were made before that.
        receipts: Vec<StepReceipt>,
    },
}

impl Event {
    /// The event's name, for messages and tables.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Observed { .. } => "observed",
            Self::Decided { .. } => "decided",
            Self::Acted { .. } => "acted",
            Self::Measured(_) => "measured",
            Self::Ran { .. } => "ran",
            Self::Judged { .. } => "judged",
            Self::Published(_) => "published",
            Self::Committed(_) => "committed",
            Self::Shadowed(_) => "shadowed",
            Self::Held(_) => "held",
            Self::Restored(_) => "restored",
            Self::Discarded => "discarded",
            Self::Recorded => "recorded",
            Self::HostFailed(_) => "host failed",
            Self::Interrupted { .. } => "interrupted",
        }
    }

    pub(super) fn receipts(&self) -> &[StepReceipt] {
        match self {
            Self::Observed { receipts, .. }
            | Self::Decided { receipts, .. }
            | Self::Acted { receipts, .. }
            | Self::Judged { receipts, .. }
            | Self::Interrupted { receipts } => receipts,
            Self::Measured(_)
            | Self::Ran { .. }
            | Self::Published(_)
            | Self::Committed(_)
            | Self::Shadowed(_)
            | Self::Held(_)
            | Self::Restored(_)
            | Self::Discarded
            | Self::Recorded
            | Self::HostFailed(_) => &[],
        }
    }
}
