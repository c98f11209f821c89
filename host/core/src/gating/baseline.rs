//! Findings that are known already: the file, and what it excuses.
//!
//! **Invariant:** a file that is not wholly understood excuses nothing and is an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fingerprint;
use super::report::{Judged, Status};

/// Longest file in bytes.
// Limit: some ten thousand findings, after which nobody works them off.
pub const BASELINE_BYTES_MAX: usize = 8 << 20;
/// Goes up when findings are known by something else.
const VERSION: u32 = 2;

/// Findings that do not fail a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baseline {
    known: BTreeMap<Fingerprint, KnownFinding>,
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
pub enum BaselineError {
    /// It was written when findings were known by less.
    #[error(
        "it is of version {found}, which knew findings by less than is known now; this host reads {VERSION}"
    )]
    Old {
        /// Its version.
        found: u32,
    },
    /// It is no baseline, or one of a later version.
    #[error("{0}")]
    Content(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    findings: Vec<KnownFinding>,
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Baseline {
    /// Reads a baseline of at most [`BASELINE_BYTES_MAX`].
    ///
    /// # Errors
    /// [`BaselineError`] for anything but a whole file of this version.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        if text.len() > BASELINE_BYTES_MAX {
            return Err(BaselineError::Content(format!(
                "it has {} bytes, at most {BASELINE_BYTES_MAX} are read",
                text.len()
            )));
        }
        let unread = |error: serde_json::Error| BaselineError::Content(error.to_string());
        let Versioned { version: found } = serde_json::from_str(text).map_err(unread)?;
        if found < VERSION {
            return Err(BaselineError::Old { found });
        }
        if found > VERSION {
            let why = format!("it is of version {found}, this host reads {VERSION}");
            return Err(BaselineError::Content(why));
        }
        let file: File = serde_json::from_str(text).map_err(unread)?;
        Ok(file.findings.into_iter().collect())
    }

    /// Everything that can be known of what gates found and no comment allows.
    #[must_use]
    pub fn of(gates: &[Judged]) -> Self {
        gates
            .iter()
            .flat_map(|gate| gate.remarks.iter().map(move |remark| (gate, remark)))
            .filter(|(_, remark)| remark.knowable)
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
            .collect()
    }

    /// Takes over what `old` knows of other gates than those that `asked` is true for.
    pub fn keep(&mut self, old: &Self, asked: impl Fn(&str) -> bool) {
        let others = old.known.values().filter(|known| !asked(&known.gate));
        for known in others.cloned() {
            self.known.insert(known.fingerprint.clone(), known);
        }
    }

    /// The findings here that `new` does not know.
    pub fn lost_in<'a>(&'a self, new: &'a Self) -> impl Iterator<Item = &'a KnownFinding> {
        let lost = |known: &&KnownFinding| !new.knows(&known.fingerprint);
        self.known.values().filter(lost)
    }

    /// How many findings it knows.
    #[must_use]
    pub fn count(&self) -> usize {
        self.known.len()
    }

    /// True when a finding is known.
    #[must_use]
    pub fn knows(&self, fingerprint: &Fingerprint) -> bool {
        self.known.contains_key(fingerprint)
    }

    /// The file: sorted, so that its diffs are read.
    #[must_use]
    pub fn text(&self) -> String {
        let mut findings: Vec<KnownFinding> = self.known.values().cloned().collect();
        findings.sort();
        let file = File {
            version: VERSION,
            findings,
        };
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }
}

impl FromIterator<KnownFinding> for Baseline {
    fn from_iter<I: IntoIterator<Item = KnownFinding>>(findings: I) -> Self {
        let known = findings.into_iter();
        Self {
            known: known.map(|one| (one.fingerprint.clone(), one)).collect(),
        }
    }
}
