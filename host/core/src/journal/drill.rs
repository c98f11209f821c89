//! That a loop's guards were tried, and how they did.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// All drills of a loop, run once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillRun {
    /// The loop file, plugins and policy that they were run with: they say nothing of others.
    pub setup: Digest,
    /// One for each drill.
    pub results: Vec<DrillResult>,
    /// What the loop has no guard for, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unguarded: Vec<String>,
}

/// One drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillResult {
    /// Its name: `denied-path`.
    pub name: String,
    /// True for a fault that must be caught, false for a clean case that must pass.
    pub fault: bool,
    /// True when it went as it must.
    pub passed: bool,
    /// What was seen, in one line.
    pub seen: String,
}

impl DrillRun {
    /// True when every drill went as it must, and there was one.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.results.is_empty() && self.results.iter().all(|result| result.passed)
    }
}
