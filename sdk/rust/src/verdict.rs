//! What a gate concludes.
//!
//! Owns the ruling, the rule by which findings become one, and what is left out of too many.
//!
//! **Invariant:** an error-level finding is never lost: findings convert to a failure as soon as one of them is an error,
//! and where some are left out, a finding without a place says so, which no baseline and no comment excuses.

use crate::finding::{Finding, Severity};
use crate::words::count;

/// Limit: what a host keeps of one gate. Whatever it left out itself could not be told from what is excused.
const FINDINGS_MAX: usize = 1_000;
/// The rule of the finding that says how many are left out.
const TOO_MANY: &str = "too-many-findings";

/// A gate's conclusion about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ruling {
    /// Positive evidence that the change is fine by this gate.
    Pass,
    /// The change must not go through.
    Fail,
    /// This change is none of this gate's business. It is not a pass.
    Abstain,
}

/// A gate's answer.
///
/// Give it every finding. A host keeps 1,000; of more, the least bad are left out on the way there, and a finding
/// `too-many-findings` without a place, as bad as the worst of those, stands for them. If that is an error, the ruling
/// becomes [`Ruling::Fail`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The conclusion.
    pub ruling: Ruling,
    /// Its reasons; may be empty.
    pub findings: Vec<Finding>,
    /// One line for the journal.
    pub summary: String,
}

impl Verdict {
    /// The change is fine by this gate.
    pub fn pass(summary: impl Into<String>) -> Self {
        Self::new(Ruling::Pass, Vec::new(), summary)
    }

    /// The change must not go through.
    pub fn fail(summary: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self::new(Ruling::Fail, findings, summary)
    }

    /// The change is none of this gate's business.
    pub fn abstain(summary: impl Into<String>) -> Self {
        Self::new(Ruling::Abstain, Vec::new(), summary)
    }

    /// Leaves out what no host keeps, and says so.
    pub(crate) fn bounded(mut self) -> Self {
        if self.findings.len() <= FINDINGS_MAX {
            return self;
        }
        self.findings.sort_by_key(|finding| finding.severity);
        let left_out = self.findings.split_off(FINDINGS_MAX - 1);
        let worst = left_out
            .first()
            .map_or(Severity::Error, |finding| finding.severity);
        let message = format!("{} more are not shown", left_out.len());
        self.findings
            .insert(0, Finding::new(worst, TOO_MANY, message));
        if worst == Severity::Error {
            self.ruling = Ruling::Fail;
        }
        self
    }

    fn new(ruling: Ruling, findings: Vec<Finding>, summary: impl Into<String>) -> Self {
        Self {
            ruling,
            findings,
            summary: summary.into(),
        }
    }
}

impl From<Vec<Finding>> for Verdict {
    /// Fails if any finding is an error, passes otherwise; the summary counts them.
    fn from(findings: Vec<Finding>) -> Self {
        let of = |severity| findings.iter().filter(|f| f.severity == severity).count();
        let errors = of(Severity::Error);
        let ruling = if errors > 0 {
            Ruling::Fail
        } else {
            Ruling::Pass
        };
        let parts: Vec<String> = [
            (errors, "error", "errors"),
            (of(Severity::Warning), "warning", "warnings"),
            (of(Severity::Note), "note", "notes"),
        ]
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| count(number, one, many))
        .collect();
        let summary = if parts.is_empty() {
            count(0_usize, "finding", "findings")
        } else {
            parts.join(", ")
        };
        Self::new(ruling, findings, summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(findings: Vec<Finding>, ruling: Ruling, summary: &str) {
        let verdict = Verdict::from(findings);
        assert_eq!(
            (verdict.ruling, verdict.summary.as_str()),
            (ruling, summary)
        );
    }

    #[test]
    fn findings_become_a_ruling() {
        check(vec![], Ruling::Pass, "no findings");
        check(vec![Finding::note("a", "b")], Ruling::Pass, "1 note");
        check(
            vec![Finding::warning("a", "b"), Finding::warning("a", "c")],
            Ruling::Pass,
            "2 warnings",
        );
        check(
            vec![Finding::note("a", "b"), Finding::error("a", "c")],
            Ruling::Fail,
            "1 error, 1 note",
        );
    }

    fn told(ruling: Ruling, errors: usize, notes: usize) -> (Ruling, usize, Finding) {
        let mut findings = vec![Finding::note("b", "c").at("d"); notes];
        findings.extend(vec![Finding::error("a", "b").at("c"); errors]);
        let verdict = Verdict {
            ruling,
            findings,
            summary: String::new(),
        }
        .bounded();
        (
            verdict.ruling,
            verdict.findings.len(),
            verdict.findings[0].clone(),
        )
    }

    #[test]
    fn what_is_left_out_is_as_bad_as_its_worst() {
        use Ruling::{Fail, Pass};
        let too_many = Finding::error("too-many-findings", "2 more are not shown");
        assert_eq!(told(Fail, 1_001, 0), (Fail, 1_000, too_many.clone()));
        // A gate that says so of errors does not pass, whatever it says.
        assert_eq!(told(Pass, 1_001, 0).0, Fail);
        assert_eq!(told(Pass, 0, 1_000).2, Finding::note("b", "c").at("d"));
        assert_eq!(
            told(Fail, 999, 1),
            (Fail, 1_000, Finding::note("b", "c").at("d"))
        );
        assert_eq!(told(Fail, 1, 1_000).2.severity, Severity::Note);
        let (ruling, shown, first) = told(Pass, 0, 1_001);
        assert_eq!((ruling, shown), (Pass, 1_000));
        assert_eq!(
            first,
            Finding::note("too-many-findings", "2 more are not shown")
        );
    }
}
