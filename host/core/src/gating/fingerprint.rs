//! What makes a finding the same one in another commit.
//!
//! **Invariant:** the number of a line is no part of it, the text of the line is; where there is no line, the file's bytes
//! and mode are. The message is, as it stands: one with another figure or another checksum in it is another finding, also
//! where a number in it only says which line is meant. What is bound to nothing that stands in head is the same finding as
//! nothing else.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, PartsHasher};
use crate::ids::StepId;
use crate::verdict::{Finding, LOCATIONS_MAX};

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

/// What stands in head at a place that a finding points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands<'a> {
    /// A line: its bytes, without its end.
    Line(&'a [u8]),
    /// A file, and no line of it that can be read.
    File {
        /// As git keeps it.
        mode: u32,
        /// The git id of its bytes.
        blob: &'a str,
    },
    /// No file.
    Nothing,
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
    /// The fingerprint of the next finding of `gate`; `stands` is what stands at its places, one for each.
    pub fn next(&mut self, gate: &StepId, finding: &Finding, stands: &[Stands<'_>]) -> Fingerprint {
        let mut hasher = PartsHasher::new("ringfence finding 2");
        hasher
            .part("gate", gate.as_str().as_bytes())
            .part("rule", finding.rule.as_bytes())
            .part("message", finding.message.as_bytes());
        if let Some(place) = finding.locations.first() {
            hasher.part("path", place.path.as_bytes());
        }
        for one in stands {
            match one {
                Stands::Line(line) => hasher.part("line", trimmed(line)),
                Stands::File { mode, blob } => hasher
                    .part("mode", format!("{mode:o}").as_bytes())
                    .part("blob", blob.as_bytes()),
                Stands::Nothing => hasher.part("nothing", b""),
            };
        }
        for place in finding.locations.iter().skip(1) {
            hasher.part("path", place.path.as_bytes());
        }
        let same = hasher.finish();
        let nth = self.seen.entry(same).or_default();
        let mut hasher = PartsHasher::new("ringfence finding 2 nth");
        hasher
            .part("same", same.as_bytes())
            .part("nth", &nth.to_le_bytes());
        *nth = nth.saturating_add(1);
        Fingerprint(hasher.finish().hex().chars().take(32).collect())
    }
}

/// True when a fingerprint of `finding` holds what it was said of: it has places, each of them is known, and something
/// stands at each.
#[must_use]
pub fn is_bound(finding: &Finding, stands: &[Stands<'_>]) -> bool {
    let places = finding.locations.len();
    // With the most that are kept, some may have been left out.
    (1..LOCATIONS_MAX).contains(&places)
        && stands.len() == places
        && !stands.contains(&Stands::Nothing)
}

/// A line without the white space around it, which another indentation changes.
fn trimmed(line: &[u8]) -> &[u8] {
    str::from_utf8(line).map_or(line.trim_ascii(), |line| line.trim().as_bytes())
}
