//! Why a step, or the beat around it, came to nothing.
//!
//! The class is what programs act upon: exit codes, backoff and the fingerprint look at nothing else. The message is
//! for people and is bounded here, since much of it was written by components.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::CallFailure;
use crate::text;

// Limit: a screen and a half; panic texts and schema errors fit.
const MESSAGE_CHARS_MAX: usize = 2_000;

/// What kind of failure.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// The step used all its fuel.
    OutOfFuel,
    /// The step's wall clock ran out.
    Deadline,
    /// The step wanted more memory than it may have.
    Memory,
    /// Another bounded resource of the step ran out.
    Exhausted,
    /// The engine stopped the component.
    Trap,
    /// The component, or what it answered, does not keep the contract.
    Contract,
    /// The plugin says that its configuration is unusable.
    Config,
    /// The plugin says that something it needs is missing or broken.
    Unavailable,
    /// The plugin says that it has a bug.
    Internal,
    /// The decider's answer is no decision that this loop can carry out.
    Decision,
    /// A step was denied something, and the loop treats that as fatal.
    Denied,
    /// The beat's or the day's budget does not cover the next step.
    Budget,
    /// The host could not do its part: disk, git, journal, or a driver that broke the order of events.
    Host,
    /// Somebody stopped the beat.
    Interrupted,
    /// Somebody else is at work where the change should go: the branch moved, or edits or a lock are in the way.
    Conflict,
}

impl FailureClass {
    /// Every class, for tables.
    pub const ALL: [Self; 15] = [
        Self::OutOfFuel,
        Self::Deadline,
        Self::Memory,
        Self::Exhausted,
        Self::Trap,
        Self::Contract,
        Self::Config,
        Self::Unavailable,
        Self::Internal,
        Self::Decision,
        Self::Denied,
        Self::Budget,
        Self::Host,
        Self::Interrupted,
        Self::Conflict,
    ];

    /// The class as it stands in journals, reports and fingerprints: `out-of-fuel`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OutOfFuel => "out-of-fuel",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Exhausted => "exhausted",
            Self::Trap => "trap",
            Self::Contract => "contract",
            Self::Config => "config",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
            Self::Decision => "decision",
            Self::Denied => "denied",
            Self::Budget => "budget",
            Self::Host => "host",
            Self::Interrupted => "interrupted",
            Self::Conflict => "conflict",
        }
    }

    /// True when the failure says something about the item that was worked on: the host's own troubles, a person's
    /// interruption or work of their own, and an empty purse do not.
    #[must_use]
    pub fn blames_the_item(self) -> bool {
        !matches!(
            self,
            Self::Host | Self::Interrupted | Self::Budget | Self::Conflict
        )
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One failure: a class and a message of at most some 2,000 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{class}: {message}")]
pub struct Failure {
    /// What kind.
    pub class: FailureClass,
    /// For people: escape before showing.
    pub message: String,
}

impl Failure {
    /// A failure whose message is cut where it is too long.
    #[must_use]
    pub fn new(class: FailureClass, message: &str) -> Self {
        let message = text::cut(message, MESSAGE_CHARS_MAX);
        Self { class, message }
    }

    /// A failure of the host.
    #[must_use]
    pub fn host(message: &str) -> Self {
        Self::new(FailureClass::Host, message)
    }
}

impl From<&CallFailure> for Failure {
    fn from(failure: &CallFailure) -> Self {
        let class = match failure {
            CallFailure::OutOfFuel { .. } => FailureClass::OutOfFuel,
            CallFailure::Deadline { .. } => FailureClass::Deadline,
            CallFailure::Memory { .. } => FailureClass::Memory,
            CallFailure::Exhausted { .. } => FailureClass::Exhausted,
            CallFailure::Trap { .. } => FailureClass::Trap,
            CallFailure::Contract { .. } => FailureClass::Contract,
        };
        Self::new(class, &failure.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Fuel;

    #[test]
    fn the_name_is_the_one_that_serde_writes() {
        for class in FailureClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
    }

    #[test]
    fn a_call_failure_keeps_its_figures() {
        let failure = Failure::from(&CallFailure::OutOfFuel {
            used: Fuel(7),
            limit: Fuel(7),
        });
        assert_eq!(failure.to_string(), "out-of-fuel: out of fuel: used 7 of 7");
    }
}
