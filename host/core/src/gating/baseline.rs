//! Findings that are known already: the file, and what it excuses.
//!
//! **Invariant:** a file that is not wholly understood excuses nothing and is an error.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Fingerprint;
use super::report::{Judged, Status};

/// Longest file in bytes.
// Limit: some ten thousand findings, after which nobody works them off.
pub const BASELINE_BYTES_MAX: usize = 8 << 20;
const VERSION: u32 = 1;

/// Findings that do not fail a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baseline {
    known: BTreeSet<Fingerprint>,
}

/// One of them, with what a person needs to find it again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFinding {
    /// The gate that found it.
    pub gate: String,
    /// Where it stood.
    pub path: String,
    /// Its code.
    pub rule: String,
    /// What it said.
    pub message: String,
    /// What it is known by.
    pub fingerprint: Fingerprint,
}

/// Why a baseline cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BaselineError(String);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    findings: Vec<KnownFinding>,
}

impl Baseline {
    /// Reads a baseline of at most [`BASELINE_BYTES_MAX`].
    ///
    /// # Errors
    /// [`BaselineError`] for anything but a whole file of this version.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        if text.len() > BASELINE_BYTES_MAX {
            return Err(BaselineError(format!(
                "it has {} bytes, at most {BASELINE_BYTES_MAX} are read",
                text.len()
            )));
        }
        let file: File =
            serde_json::from_str(text).map_err(|error| BaselineError(error.to_string()))?;
        if file.version != VERSION {
            return Err(BaselineError(format!(
                "it is of version {}, this host reads {VERSION}",
                file.version
            )));
        }
        let known = file.findings.into_iter().map(|known| known.fingerprint);
        Ok(Self {
            known: known.collect(),
        })
    }

    /// The text of a baseline in which everything is known that can be: findings at a place that no comment allows.
    /// Sorted, so that its diffs are read.
    #[must_use]
    pub fn of(gates: &[Judged]) -> (String, usize) {
        let mut findings: Vec<KnownFinding> = gates
            .iter()
            .flat_map(|gate| gate.remarks.iter().map(move |remark| (gate, remark)))
            .filter(|(_, remark)| !matches!(remark.status, Status::Allowed { .. }))
            .filter_map(|(gate, remark)| {
                Some(KnownFinding {
                    gate: gate.gate.to_string(),
                    path: remark.finding.locations.first()?.path.clone(),
                    rule: remark.finding.rule.clone(),
                    message: remark.finding.message.clone(),
                    fingerprint: remark.fingerprint.clone(),
                })
            })
            .collect();
        findings.sort();
        let count = findings.len();
        let file = File {
            version: VERSION,
            findings,
        };
        let text = serde_json::to_string_pretty(&file).unwrap_or_default();
        (text + "\n", count)
    }

    /// True when a finding is known.
    #[must_use]
    pub fn knows(&self, fingerprint: &Fingerprint) -> bool {
        self.known.contains(fingerprint)
    }
}
