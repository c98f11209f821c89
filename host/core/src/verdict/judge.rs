//! The judgement over a change: what the host's scope check and all gates say together.

use serde::{Deserialize, Serialize};

use crate::ids::StepId;
use crate::text;
use crate::verdict::{Finding, GateResult, Ruling, Severity, Verdict};

/// What the host's own check of every changed path is called where gates are named.
pub const SCOPE: &str = "scope";

// Limit: one line each, enough to see why; the journal keeps the verdicts whole.
const REASON_CHARS_MAX: usize = 300;
// Limit: codes named in one reason.
const RULES_MAX: usize = 5;

/// Whether a change may go through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "judgement", rename_all = "kebab-case")]
pub enum Judgement {
    /// It may.
    Passed,
    /// It may not.
    Failed {
        /// Why not, one line for each gate, never empty.
        reasons: Vec<String>,
    },
}

/// Judges a change by the host's scope check and by one result for each of the loop's gates.
///
/// It passes when the scope check found no error, every gate answered exactly once with `pass` or `abstain`, and at
/// least one of them with `pass`. An abstention is no pass: it adds nothing to the evidence, it only does not stand in
/// the way. Otherwise a loop could not have a gate for code beside one for prose, since each change is one gate's
/// business and none of the other's; and where all abstain, nobody has vouched for the change. A loop without gates
/// therefore passes nothing.
#[must_use]
pub fn judge(scope: &[Finding], gates: &[StepId], results: &[GateResult]) -> Judgement {
    let unasked = results
        .iter()
        .filter(|result| !gates.contains(&result.gate))
        .map(|result| format!("{}: not a gate of this loop", result.gate));
    let mut reasons: Vec<String> = scope_reason(scope)
        .into_iter()
        .chain(gates.iter().filter_map(|gate| gate_reason(gate, results)))
        .chain(unasked)
        .map(|reason| text::one_line(&reason, REASON_CHARS_MAX))
        .collect();
    if reasons.is_empty()
        && !results
            .iter()
            .any(|result| ruling(result) == Some(Ruling::Pass))
    {
        reasons.push("no gate passed the change: all abstained, or the loop has none".to_owned());
    }
    if reasons.is_empty() {
        Judgement::Passed
    } else {
        Judgement::Failed { reasons }
    }
}

fn scope_reason(findings: &[Finding]) -> Option<String> {
    let refused = findings
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    refused.then(|| format!("{SCOPE}: {}", rules(findings)))
}

fn gate_reason(gate: &StepId, results: &[GateResult]) -> Option<String> {
    let mut answers = results.iter().filter(|result| result.gate == *gate);
    match (answers.next().map(|result| &result.answer), answers.next()) {
        (None, _) => Some(format!("{gate}: no verdict")),
        (Some(_), Some(_)) => Some(format!("{gate}: more than one verdict")),
        (Some(Err(failure)), None) => Some(format!("{gate}: {failure}")),
        (Some(Ok(verdict)), None) => verdict_reason(gate, verdict),
    }
}

fn verdict_reason(gate: &StepId, verdict: &Verdict) -> Option<String> {
    match (verdict.ruling, verdict.findings.is_empty()) {
        (Ruling::Pass | Ruling::Abstain, _) => None,
        (Ruling::Fail, true) => Some(format!("{gate}: {}", verdict.summary)),
        (Ruling::Fail, false) => Some(format!("{gate}: {}", rules(&verdict.findings))),
    }
}

fn ruling(result: &GateResult) -> Option<Ruling> {
    result.answer.as_ref().ok().map(|verdict| verdict.ruling)
}

/// The codes of the worst findings with how often each stands: `broken-link ×2, no-anchor`.
fn rules(findings: &[Finding]) -> String {
    let worst = findings.iter().map(|finding| finding.severity).max();
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for finding in findings
        .iter()
        .filter(|finding| Some(finding.severity) == worst)
    {
        match counts.iter_mut().find(|(rule, _)| *rule == finding.rule) {
            Some((_, count)) => *count += 1,
            None => counts.push((&finding.rule, 1)),
        }
    }
    let more = counts.len().saturating_sub(RULES_MAX);
    let mut parts: Vec<String> = counts
        .iter()
        .take(RULES_MAX)
        .map(|(rule, count)| {
            if *count > 1 {
                format!("{rule} ×{count}")
            } else {
                (*rule).to_owned()
            }
        })
        .collect();
    if more > 0 {
        parts.push(format!("{more} more rules"));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A result in short: `pass`, `abstain`, `fail`, `fail:rule,rule`, or anything else as a failed call.
    fn result(gate: &str, answer: &str) -> GateResult {
        let finding = |rule: &str| Finding {
            severity: Severity::Error,
            rule: rule.to_owned(),
            message: "m".to_owned(),
            locations: Vec::new(),
            help: String::new(),
        };
        let verdict = |ruling, findings| {
            Ok(Verdict {
                ruling,
                findings,
                summary: "says no".to_owned(),
            })
        };
        let answer = match answer.split_once(':').unwrap_or((answer, "")) {
            ("pass", _) => verdict(Ruling::Pass, Vec::new()),
            ("abstain", _) => verdict(Ruling::Abstain, Vec::new()),
            ("fail", rules) => verdict(
                Ruling::Fail,
                rules
                    .split(',')
                    .filter(|rule| !rule.is_empty())
                    .map(finding)
                    .collect(),
            ),
            (failure, _) => Err(failure.to_owned()),
        };
        GateResult {
            gate: StepId::new(gate).unwrap(),
            answer,
        }
    }

    fn check(scope: &str, gates: &[&str], results: &[(&str, &str)], expect: &[&str]) {
        let gates: Vec<StepId> = gates
            .iter()
            .map(|gate| StepId::new(gate).unwrap())
            .collect();
        let results: Vec<GateResult> = results
            .iter()
            .map(|(gate, answer)| result(gate, answer))
            .collect();
        let scope = result("s", scope).answer.unwrap().findings;
        let reasons = match judge(&scope, &gates, &results) {
            Judgement::Passed => Vec::new(),
            Judgement::Failed { reasons } => reasons,
        };
        assert_eq!(reasons, expect);
    }

    #[test]
    fn what_passes() {
        check("pass", &["a"], &[("a", "pass")], &[]);
        check("pass", &["a", "b"], &[("b", "abstain"), ("a", "pass")], &[]);
    }

    #[test]
    fn what_does_not() {
        check(
            "fail:outside",
            &["a"],
            &[("a", "pass")],
            &["scope: outside"],
        );
        check("pass", &["a", "b"], &[("a", "pass")], &["b: no verdict"]);
        check(
            "pass",
            &["a"],
            &[("a", "pass"), ("a", "pass")],
            &["a: more than one verdict"],
        );
        check(
            "pass",
            &["a"],
            &[("a", "pass"), ("b", "pass")],
            &["b: not a gate of this loop"],
        );
        check("pass", &["a"], &[("a", "out of fuel")], &["a: out of fuel"]);
        check(
            "pass",
            &["a", "b"],
            &[("a", "pass"), ("b", "fail")],
            &["b: says no"],
        );
        check("pass", &["a"], &[("a", "fail:x,y,x")], &["a: x ×2, y"]);
        check(
            "pass",
            &["a"],
            &[("a", "fail:a,b,c,d,e,f,g")],
            &["a: a, b, c, d, e, 2 more rules"],
        );
        check(
            "fail:outside",
            &["a", "b"],
            &[("a", "trap\nat 0"), ("b", "fail")],
            &["scope: outside", "a: trap at 0", "b: says no"],
        );
    }

    #[test]
    fn an_abstention_is_no_pass() {
        let none = "no gate passed the change: all abstained, or the loop has none";
        check("pass", &["a"], &[("a", "abstain")], &[none]);
        check(
            "pass",
            &["a", "b"],
            &[("a", "abstain"), ("b", "abstain")],
            &[none],
        );
        check("pass", &[], &[], &[none]);
    }
}
