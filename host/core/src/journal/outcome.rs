//! How a beat ended.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, FailureClass};

/// How a beat ended. Texts may hold what components wrote: escape before showing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// The world is the one that was decided on, and nothing in it is left to work on.
    Skipped,
    /// Something forbids a decision now.
    Waiting {
        /// What.
        cause: WaitCause,
        /// When it ends by itself; [`Timestamp::MAX`] when only a person ends it.
        until: Timestamp,
        /// With figures.
        why: String,
    },
    /// The decider found nothing to do.
    NothingToDo {
        /// In its own words.
        reason: String,
    },
    /// The change is one commit on a branch of its own.
    Proposed {
        /// The full name of the branch.
        reference: String,
        /// The commit's object id.
        commit: String,
    },
    /// The change is one commit on the loop's target branch.
    Committed {
        /// The full name of the branch.
        reference: String,
        /// The commit's object id.
        commit: String,
        /// The commit that the branch was at.
        previous: String,
    },
    /// The change is recorded as a patch.
    Shadowed {
        /// Where, from the loop's state directory.
        patch: String,
    },
    /// The change was not good enough, or there was none.
    Discarded {
        /// Why, one line each.
        reasons: Vec<String>,
    },
    /// A person has to look.
    Escalated {
        /// Why, one line each.
        why: Vec<String>,
        /// What waits for an answer, as the inbox calls it; empty in journals of hosts that had none.
        #[serde(default)]
        id: String,
    },
    /// A step, the budget or the host failed.
    Failed {
        /// What kind of failure.
        class: FailureClass,
        /// For people.
        message: String,
    },
}

/// What a beat waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitCause {
    /// Beats failed, and the next try is not due.
    Backoff,
    /// The day's budget is used up.
    Budget,
    /// Moves got the loop no further, so the next one comes later.
    NoProgress,
    /// The loop is paused: by the operator, or by a rule about what it did.
    Paused,
    /// The loop is over.
    Retired,
    /// The decider costs money or tokens and did not say how much.
    Unmetered,
    /// A calendar says that nothing is to be done now.
    Frozen,
}

impl Outcome {
    /// The outcome's name in journals and reports: `nothing-to-do`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Waiting { .. } => "waiting",
            Self::NothingToDo { .. } => "nothing-to-do",
            Self::Proposed { .. } => "proposed",
            Self::Committed { .. } => "committed",
            Self::Shadowed { .. } => "shadowed",
            Self::Discarded { .. } => "discarded",
            Self::Escalated { .. } => "escalated",
            Self::Failed { .. } => "failed",
        }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self::Failed {
            class: failure.class,
            message: failure.message,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Self::Skipped => Ok(()),
            Self::Waiting { until, why, .. } if *until == Timestamp::MAX => {
                write!(f, " for a person: {why}")
            }
            Self::Waiting { until, why, .. } => write!(f, " until {until:.0}: {why}"),
            Self::NothingToDo { reason } => write!(f, ": {reason}"),
            Self::Committed {
                reference, commit, ..
            }
            | Self::Proposed { reference, commit } => write!(f, ": {reference} ({commit})"),
            Self::Shadowed { patch } => write!(f, ": {patch}"),
            Self::Discarded { reasons: lines } | Self::Escalated { why: lines, .. } => {
                write!(f, ": {}", lines.join("; "))
            }
            Self::Failed { class, message } => write!(f, " ({class}): {message}"),
        }
    }
}
