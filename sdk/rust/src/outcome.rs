//! What an executor did, in its own words.
//!
//! Owns the outcome. What it really did is measured by the host; gates see that, not this.
//!
//! **Invariant:** nothing in an outcome is believed.

use serde_json::{Map, Value};

/// An executor's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// One line for the journal.
    pub summary: String,
    /// For people; an empty object when there is nothing to add.
    pub detail: Value,
}

impl Outcome {
    /// An outcome without detail.
    pub fn new(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            detail: Value::Object(Map::new()),
        }
    }

    /// Adds detail.
    #[must_use]
    pub fn detail(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }
}
