//! What a gate's answer comes to, and what all of them come to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::report::{Judged, Remark, Status};
use crate::failure::FailureClass;
use crate::spec::VerdictRules;
use crate::verdict::{FINDINGS_MAX, Ruling, Severity, Verdict};

/// Where one gate stands on a change.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It passed the change.
    Passed,
    /// It failed the change, and everything it found is known or allowed.
    Excused,
    /// The change is none of its business.
    Abstained,
    /// It refuses the change, or found something that is bad enough.
    Failed,
    /// It gave no verdict.
    Broken,
}

/// What became of the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// At least one gate passed it, and none refused.
    Passed,
    /// Nothing refused it, and nothing vouched for it: every gate abstained, or nothing was changed.
    Unjudged,
    /// A gate, or the host's own check, refused it.
    Failed,
    /// A gate gave no verdict.
    Broken,
}

/// Where a gate stands that gave `verdict`, whose findings are `remarks`.
///
/// Its `fail` stands unless each finding that speaks for it is known or allowed; these are the errors, or all findings
/// where there is no error. A `fail` without findings is excused by nothing, nor is an answer with so many that some that
/// are bad enough may have been left out.
#[must_use]
pub fn standing(verdict: &Verdict, remarks: &[Remark], rules: VerdictRules) -> Standing {
    let counts = |remark: &&Remark| remark.status == Status::New;
    let bad_enough = |remark: &Remark| remark.finding.severity >= rules.fail_on;
    // What is left out is no worse than anything that is kept.
    let may_hide = remarks.len() >= FINDINGS_MAX && remarks.iter().all(bad_enough);
    if may_hide || remarks.iter().filter(counts).any(bad_enough) {
        return Standing::Failed;
    }
    match verdict.ruling {
        Ruling::Pass => Standing::Passed,
        Ruling::Abstain => Standing::Abstained,
        Ruling::Fail if remarks.is_empty() || remarks.len() >= FINDINGS_MAX => Standing::Failed,
        Ruling::Fail => {
            let is_error = |remark: &&Remark| remark.finding.severity == Severity::Error;
            let mut speaking: Vec<&Remark> = remarks.iter().filter(is_error).collect();
            if speaking.is_empty() {
                speaking = remarks.iter().collect();
            }
            if speaking.iter().any(counts) {
                Standing::Failed
            } else {
                Standing::Excused
            }
        }
    }
}

/// What all gates come to, with what the host itself remarked.
#[must_use]
pub fn outcome(host: &[Remark], gates: &[Judged], rules: VerdictRules) -> Outcome {
    let has = |standing| gates.iter().any(|gate| gate.standing == standing);
    let refused = host
        .iter()
        .any(|remark| remark.status == Status::New && remark.finding.severity >= rules.fail_on);
    let vouched = has(Standing::Passed) || has(Standing::Excused);
    if has(Standing::Broken) {
        Outcome::Broken
    } else if refused || has(Standing::Failed) || (rules.require_some && !vouched) {
        Outcome::Failed
    } else if vouched {
        Outcome::Passed
    } else {
        Outcome::Unjudged
    }
}

impl super::Report {
    /// The class of each gate that gave no verdict, in the order of the file.
    pub fn broken(&self) -> impl Iterator<Item = FailureClass> {
        self.gates
            .iter()
            .filter_map(|gate| gate.failure.as_ref())
            .map(|failure| failure.class)
    }
}
