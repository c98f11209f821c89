//! What a decider decides.
//!
//! Owns the decision. The situation it is made from is in `situation.rs`.
//!
//! **Invariant:** a decision names at most one executor and one action; whether they exist is the host's to judge.

use serde_json::{Map, Value};

/// The name that stands for «no executor».
const NONE: &str = "none";

/// A decider's answer: at most one move.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The item worked on; `None` when the decision is about none.
    pub item: Option<String>,
    /// The id of an executor in the loop file, or `none` for «nothing to do».
    pub executor: String,
    /// One of that executor's actions; empty for `none`.
    pub action: String,
    /// The action's input, which the host checks against the action's schema; an empty object for `none`.
    pub input: Value,
    /// One line for the journal: why this, why now.
    pub reason: String,
    /// Seconds until an extra wake; 0 for none.
    pub next_in: u32,
}

impl Decision {
    /// There is nothing to do.
    pub fn noop(reason: impl Into<String>) -> Self {
        Self::run(NONE, "", Value::Object(Map::new()), reason)
    }

    /// Runs one action of one executor.
    pub fn run(
        executor: impl Into<String>,
        action: impl Into<String>,
        input: Value,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            item: None,
            executor: executor.into(),
            action: action.into(),
            input,
            reason: reason.into(),
            next_in: 0,
        }
    }

    /// Names the item that the decision is about.
    #[must_use]
    pub fn item(mut self, id: impl Into<String>) -> Self {
        self.item = Some(id.into());
        self
    }

    /// Asks for an extra wake in so many seconds; the host clamps it.
    #[must_use]
    pub fn next_in(mut self, secs: u32) -> Self {
        self.next_in = secs;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noop_runs_nothing() {
        let decision = Decision::noop("all is well");
        assert_eq!(
            (
                decision.executor.as_str(),
                decision.action.as_str(),
                decision.input
            ),
            ("none", "", serde_json::json!({}))
        );
    }

    #[test]
    fn builders_add_to_a_move() {
        let decision = Decision::run("fix", "retarget", serde_json::json!({"n": 1}), "first")
            .item("broken-link-1")
            .next_in(60);
        assert_eq!(decision.item.as_deref(), Some("broken-link-1"));
        assert_eq!(decision.next_in, 60);
    }
}
