//! What makes a finding the same one in another commit.
//!
//! **Invariant:** the number of a line is no part of it, the text of the line is; where there is no line, nothing is
//! normalised, so that a message with another figure in it is another finding.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, PartsHasher};
use crate::ids::StepId;
use crate::journal::normalise_reason;
use crate::verdict::Finding;

/// 32 hex digits that stay while a finding is the same one.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Fingerprint(String);

/// Gives fingerprints out; equal findings of one report are told apart by their number.
#[derive(Debug, Default)]
pub struct Fingerprints {
    seen: BTreeMap<Digest, u32>,
}

impl Fingerprint {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Fingerprints {
    /// The fingerprint of the next finding of `gate`; `line` is the text at its first place, where that is a line.
    pub fn next(&mut self, gate: &StepId, finding: &Finding, line: Option<&str>) -> Fingerprint {
        let mut hasher = PartsHasher::new("ringfence finding 1");
        hasher
            .part("gate", gate.as_str().as_bytes())
            .part("rule", finding.rule.as_bytes());
        if let Some(place) = finding.locations.first() {
            hasher.part("path", place.path.as_bytes());
        }
        match line {
            Some(line) => hasher
                .part("like", normalise_reason(&finding.message).as_bytes())
                .part("line", line.trim().as_bytes()),
            None => hasher.part("message", finding.message.as_bytes()),
        };
        let same = hasher.finish();
        let nth = self.seen.entry(same).or_default();
        let mut hasher = PartsHasher::new("ringfence finding 1 nth");
        hasher
            .part("same", same.as_bytes())
            .part("nth", &nth.to_le_bytes());
        *nth = nth.saturating_add(1);
        Fingerprint(hasher.finish().hex().chars().take(32).collect())
    }
}
