//! What a gate concludes.
//!
//! Owns the ruling and the rule by which findings become one.
//!
//! **Invariant:** an error-level finding is never lost in a pass: findings convert to a failure as soon as one of
//! them is an error.

use crate::finding::{Finding, Severity};

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
        let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
        let errors = count(Severity::Error);
        let ruling = if errors > 0 {
            Ruling::Fail
        } else {
            Ruling::Pass
        };
        let parts: Vec<String> = [
            (errors, "error"),
            (count(Severity::Warning), "warning"),
            (count(Severity::Note), "note"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }))
        .collect();
        let summary = if parts.is_empty() {
            "no findings".to_owned()
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
}
