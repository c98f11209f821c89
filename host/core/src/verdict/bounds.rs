//! What a gate may say: findings within bounds, codes in one shape, no ruling that contradicts itself.
//!
//! Locations stay as the component wrote them; whoever shows or opens a path asks the policy first.

use crate::text;
use crate::verdict::{Finding, Location, Ruling, Severity, Verdict};

/// Most findings that are kept of one gate.
// Limit: what a person will ever read of one gate.
pub const FINDINGS_MAX: usize = 1_000;
// Limit: a paragraph.
const MESSAGE_CHARS_MAX: usize = 1_000;
const SUMMARY_CHARS_MAX: usize = 300;
const RULE_BYTES_MAX: usize = 64;
/// Most places that are kept of one finding.
// Limit: one finding is about one thing; SARIF viewers show a handful.
pub const LOCATIONS_MAX: usize = 20;
// Limit: the longest path there is.
const PATH_CHARS_MAX: usize = 4_096;

/// Why a gate's answer is no verdict; the gate has then not passed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerdictError {
    /// A code out of shape.
    #[error(
        "finding {index}: the rule {rule:?} is not kebab-case of at most {RULE_BYTES_MAX} bytes"
    )]
    Rule {
        /// Which, from 0.
        index: usize,
        /// As the gate wrote it, cut.
        rule: String,
    },
    /// A remark that says nothing.
    #[error("finding {index} ({rule}) has no message")]
    NoMessage {
        /// Which, from 0.
        index: usize,
        /// Its code.
        rule: String,
    },
    /// `pass` or `abstain` beside a finding which says that the change must not go through.
    #[error("the ruling is not fail, and yet {rule} is an error")]
    Contradiction {
        /// The code of the first such finding.
        rule: String,
    },
}

impl Verdict {
    /// Takes a gate's answer for a verdict.
    ///
    /// Texts are cut with a visible marker. Of more than 1,000 findings the first 1,000 are kept, errors before
    /// warnings before notes, and the summary says how many were left out.
    ///
    /// # Errors
    /// [`VerdictError`] with the first thing that is out of shape.
    pub fn check(raw: Self) -> Result<Self, VerdictError> {
        let contradiction = raw
            .findings
            .iter()
            .find(|finding| finding.severity == Severity::Error && raw.ruling != Ruling::Fail);
        if let Some(finding) = contradiction {
            return Err(VerdictError::Contradiction {
                rule: text::one_line(&finding.rule, RULE_BYTES_MAX),
            });
        }
        let mut findings = raw
            .findings
            .into_iter()
            .enumerate()
            .map(|(index, finding)| finding.check(index))
            .collect::<Result<Vec<_>, _>>()?;
        let left_out = findings.len().saturating_sub(FINDINGS_MAX);
        let mut summary = text::one_line(&raw.summary, SUMMARY_CHARS_MAX);
        if left_out > 0 {
            findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
            findings.truncate(FINDINGS_MAX);
            summary = format!("{summary} [{left_out} more findings left out]");
        }
        Ok(Self {
            ruling: raw.ruling,
            findings,
            summary,
        })
    }
}

impl Finding {
    /// Takes the `index`th remark of a gate within bounds: texts and locations beyond them are cut with a visible marker.
    ///
    /// # Errors
    /// [`VerdictError`] when the rule is not kebab-case or the message is empty.
    pub fn check(self, index: usize) -> Result<Self, VerdictError> {
        if !is_kebab(&self.rule) {
            return Err(VerdictError::Rule {
                index,
                rule: text::one_line(&self.rule, RULE_BYTES_MAX),
            });
        }
        if self.message.trim().is_empty() {
            return Err(VerdictError::NoMessage {
                index,
                rule: self.rule,
            });
        }
        let mut message = text::cut(&self.message, MESSAGE_CHARS_MAX);
        if let Some(more) = self
            .locations
            .len()
            .checked_sub(LOCATIONS_MAX)
            .filter(|more| *more > 0)
        {
            message = format!("{message} [{more} more locations]");
        }
        Ok(Self {
            severity: self.severity,
            rule: self.rule,
            message,
            locations: self
                .locations
                .into_iter()
                .take(LOCATIONS_MAX)
                .map(bound_location)
                .collect(),
            help: text::cut(&self.help, MESSAGE_CHARS_MAX),
        })
    }
}

fn bound_location(location: Location) -> Location {
    Location {
        path: text::cut(&location.path, PATH_CHARS_MAX),
        ..location
    }
}

fn is_kebab(rule: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    rule.len() <= RULE_BYTES_MAX && rule.split('-').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, rule: &str) -> Finding {
        Finding {
            severity,
            rule: rule.to_owned(),
            message: "wrong".to_owned(),
            locations: Vec::new(),
            help: String::new(),
        }
    }

    fn check(ruling: Ruling, findings: Vec<Finding>) -> Result<Verdict, String> {
        Verdict::check(Verdict {
            ruling,
            findings,
            summary: "sum".to_owned(),
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn rules_are_kebab_case() {
        for (rule, fits) in [
            ("a", true),
            ("broken-link", true),
            ("md-013", true),
            ("", false),
            ("-a", false),
            ("a-", false),
            ("a--b", false),
            ("Broken", false),
            ("a_b", false),
            ("a b", false),
            ("ü", false),
        ] {
            assert_eq!(
                check(Ruling::Pass, vec![finding(Severity::Note, rule)]).is_ok(),
                fits,
                "{rule:?}"
            );
        }
        assert_eq!(
            check(
                Ruling::Fail,
                vec![
                    finding(Severity::Error, "ok"),
                    finding(Severity::Error, "No\n!")
                ]
            ),
            Err("finding 1: the rule \"No !\" is not kebab-case of at most 64 bytes".to_owned())
        );
        assert!(check(Ruling::Pass, vec![finding(Severity::Note, &"a".repeat(65))]).is_err());
    }

    #[test]
    fn a_ruling_does_not_contradict_its_findings() {
        for (ruling, severity, fits) in [
            (Ruling::Pass, Severity::Warning, true),
            (Ruling::Pass, Severity::Error, false),
            (Ruling::Abstain, Severity::Error, false),
            (Ruling::Fail, Severity::Error, true),
            (Ruling::Fail, Severity::Note, true),
        ] {
            assert_eq!(
                check(ruling, vec![finding(severity, "a")]).is_ok(),
                fits,
                "{ruling:?} {severity:?}"
            );
        }
    }

    #[test]
    fn an_error_is_never_left_out_for_a_note() {
        let mut findings = vec![finding(Severity::Note, "a"); 1_000];
        findings.push(finding(Severity::Error, "b"));
        let verdict = check(Ruling::Fail, findings).unwrap();
        assert_eq!(verdict.findings.len(), 1_000);
        assert_eq!(verdict.findings[0].rule, "b");
        assert_eq!(verdict.summary, "sum [1 more findings left out]");
        assert_eq!(
            check(Ruling::Pass, vec![finding(Severity::Note, "a"); 1_000])
                .unwrap()
                .summary,
            "sum"
        );
    }

    #[test]
    fn long_texts_are_cut_where_it_shows() {
        let location = Location {
            path: "x".repeat(5_000),
            line: 1,
            column: 1,
        };
        let raw = Finding {
            message: "m".repeat(1_100),
            help: "h".repeat(1_100),
            locations: vec![location; 21],
            ..finding(Severity::Note, "a")
        };
        let finding = raw.check(0).unwrap();
        assert!(
            finding
                .message
                .ends_with("… [100 more characters] [1 more locations]"),
            "{}",
            finding.message
        );
        assert!(finding.help.ends_with("… [100 more characters]"));
        assert_eq!(finding.locations.len(), 20);
        assert!(
            finding.locations[0]
                .path
                .ends_with("… [904 more characters]")
        );
    }

    #[test]
    fn a_remark_says_something() {
        let raw = Finding {
            message: " \n".to_owned(),
            ..finding(Severity::Note, "a")
        };
        assert_eq!(
            raw.check(3).unwrap_err().to_string(),
            "finding 3 (a) has no message"
        );
    }
}
