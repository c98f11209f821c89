//! What a run has found.
//!
//! **Invariant:** every row is counted once; every failure is kept whole.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Way;
use super::attempt::Must;
use super::check::{Group, Outcome};
use super::words::{Family, Verb};

/// By deed: how it ends (`ok`, or a code as WASI spells it), and the paths where it ends so.
pub type Ends = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How paths were walked.
    pub way: Way,
    /// By verb and kind of path, in the order of the table.
    pub counts: Vec<Count>,
    /// What broke a rule.
    pub failures: Vec<Failure>,
    /// What has no row, and why.
    pub left_out: Vec<LeftOut>,
    /// Of the rows that nobody refuses, and that say something of their own.
    #[serde(skip)]
    pub ends: Ends,
}

/// How many rows there are of one verb and family of paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The verb.
    pub verb: Verb,
    /// The family of paths.
    pub family: Family,
    /// All of them.
    pub rows: u64,
    /// Those that must be refused.
    pub refused: u64,
    /// Those that broke a rule.
    pub failed: u64,
}

/// A row that broke a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What was done where.
    pub row: String,
    /// What is wrong.
    pub why: String,
}

/// Something that has no row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What.
    pub what: String,
    /// Why it makes no sense, or cannot be had.
    pub why: String,
    /// True when another machine or file system could have it.
    pub here: bool,
}

impl Report {
    pub(super) fn new(way: Way) -> Self {
        let count = |verb, family| Count {
            verb,
            family,
            rows: 0,
            refused: 0,
            failed: 0,
        };
        let of = |verb: Verb| Family::ALL.map(move |family| count(verb, family));
        Self {
            way,
            counts: Verb::ALL.into_iter().flat_map(of).collect(),
            failures: Vec::new(),
            left_out: Vec::new(),
            ends: BTreeMap::new(),
        }
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.counts.iter().map(|count| count.rows).sum()
    }

    /// The rows that must be refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.counts.iter().map(|count| count.refused).sum()
    }

    /// The deeds that end otherwise than in `other`, as failures: how paths are walked must make no difference.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Failure> {
        let deeds = self.ends.keys().chain(other.ends.keys());
        let mut differing: Vec<&String> = deeds
            .filter(|deed| self.ends.get(*deed) != other.ends.get(*deed))
            .collect();
        differing.sort_unstable();
        differing.dedup();
        let why = |deed| {
            format!(
                "{:?} one way, {:?} the other",
                self.ends.get(deed),
                other.ends.get(deed)
            )
        };
        differing
            .into_iter()
            .map(|deed| Failure {
                row: deed.clone(),
                why: why(deed),
            })
            .collect()
    }

    /// Leaves out what makes no sense.
    pub(super) fn leave_out(&mut self, what: String, why: impl Into<String>) {
        let (why, here) = (why.into(), false);
        self.left_out.push(LeftOut { what, why, here });
    }

    /// Leaves out what this machine does not have.
    pub(super) fn leave_out_here(&mut self, what: String, why: String) {
        let here = true;
        self.left_out.push(LeftOut { what, why, here });
    }

    pub(super) fn fail(&mut self, row: impl Into<String>, why: impl Into<String>) {
        self.failures.push(Failure {
            row: row.into(),
            why: why.into(),
        });
    }

    pub(super) fn add(&mut self, group: &Group, outcome: &Outcome) {
        for (index, row) in group.rows().enumerate() {
            let wrong = outcome.wrong.get(&index);
            let mut counts = self.counts.iter_mut();
            if let Some(count) =
                counts.find(|count| (count.verb, count.family) == (row.verb, row.family))
            {
                count.rows += 1;
                count.refused += u64::from(row.refused.is_some());
                count.failed += u64::from(wrong.is_some());
            }
            if let Some(why) = wrong {
                self.fail(format!("{} at {}", row.deed, row.spot), why);
            }
            if row.refused.is_none()
                && !matches!(row.must, Must::Like(_))
                && let Some(end) = outcome.ends.get(index)
            {
                let end = end.trim_end_matches('*').to_owned();
                let ends = self.ends.entry(row.deed.clone()).or_default();
                ends.entry(end).or_default().push(row.spot.clone());
            }
        }
        if let Some(why) = &outcome.broken {
            let named = match group.attempts.as_slice() {
                [one] => one
                    .rows
                    .first()
                    .map(|row| format!("{} at {}", row.deed, row.spot)),
                _ => None,
            };
            self.fail(
                named.unwrap_or_else(|| "several rows in one call".to_owned()),
                why,
            );
        }
    }
}
