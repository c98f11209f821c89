//! `junit-delta`: the gate that lets no test newly fail, vanish or be skipped.
//!
//! A command of the operator's runs the tests on the trees before and after the change, and writes how they went as JUnit XML.
//! `report.rs` reads such a report, whichever tool wrote it, `run.rs` says whether a run can be relied on, and here the two are
//! compared, test by test.
//!
//! | rule | means |
//! | --- | --- |
//! | `newly-failing` | it fails, and did not before |
//! | `vanished` | it ran before, and there is nothing of it now |
//! | `newly-skipped` | it ran before, and is skipped now |
//! | `flaky-failure` | it fails, and is on the list of those that may (a note) |
//! | `not-run`, `broken-run`, `no-report`, `empty-report`, `unreadable-report` | what happened after the change proves nothing |
//! | `no-before` | nor does what happened before; a note where `require_before` is off |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:junit-delta"
//! config = { commands = ["test"], flaky = ["net::*"] }
//! ```
//!
//! A test is told by its class (or suite) and name: `CLASS::NAME`. Several of one name are counted: one of them that fails more
//! than before is newly failing.
//!
//! **Invariant:** it passes only if tests ran after the change, came to an end, and said so. A run that was cut off, and one that
//! ended badly without a test that failed, is a failure whatever its report says.

mod report;
mod run;
mod wild;

use ringfence_sdk::prelude::*;
use serde::Deserialize;

use crate::report::{Tally, Tests};
use crate::wild::matches;

ringfence_sdk::plugin!("../plugin.toml");

/// The `config` table; every key but `commands` has the default that `plugin.toml` names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    commands: Vec<String>,
    #[serde(default = "junit")]
    report: String,
    #[serde(default = "yes")]
    require_before: bool,
    #[serde(default)]
    flaky: Vec<String>,
    #[serde(default)]
    may_vanish: Vec<String>,
    #[serde(default)]
    may_be_skipped: Vec<String>,
}

fn junit() -> String {
    "junit".to_owned()
}

fn yes() -> bool {
    true
}

/// Judges what tests said before and after the change.
///
/// # Errors
/// [`Error::Config`] without a command.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    let config: Config = cx.config()?;
    if config.commands.is_empty() {
        return Err(Error::config("`commands` names no command"));
    }
    let (mut findings, mut said) = (Vec::new(), Vec::new());
    for command in &config.commands {
        let judged = config.judge(command, change.evidence());
        findings.extend(judged.0);
        said.push(format!("{command}: {}", judged.1));
    }
    // What is worst is read first, whichever command it is of.
    findings.sort_by_key(|finding| finding.severity);
    let mut verdict = Verdict::from(findings);
    verdict.summary = said.join("; ");
    Ok(verdict)
}

impl Config {
    /// What one command said, and that in words.
    fn judge(&self, command: &str, evidence: &Evidence) -> (Vec<Finding>, String) {
        let look = |side| run::tests(evidence, command, side, &self.report);
        let after = match look(Side::After) {
            Ok(tests) => tests,
            Err(wrong) => {
                let finding = Finding::error(wrong.rule, wrong.what.clone());
                return (vec![finding], wrong.what);
            }
        };
        let mut findings = Vec::new();
        let before = match look(Side::Before) {
            Ok(tests) => tests,
            Err(wrong) => {
                let what = format!("nothing to compare with: {}", wrong.what);
                let help = if wrong.rule == "not-run" {
                    format!("on = \"both\" in [command.{command}], or `require_before = false`")
                } else {
                    String::new()
                };
                findings.push(if self.require_before {
                    Finding::error("no-before", what).help(help)
                } else {
                    Finding::note("no-before", what)
                });
                Tests::default()
            }
        };
        let delta = self.compare(&before, &after);
        let said = delta.in_words(&after);
        findings.extend(delta.findings);
        (findings, said)
    }

    fn compare(&self, before: &Tests, after: &Tests) -> Delta {
        let listed = |list: &[String], test: &str| list.iter().any(|wild| matches(wild, test));
        let mut delta = Delta::default();
        let nothing = Tally::default();
        for (test, now) in after.iter() {
            let then = before.get(test).unwrap_or(&nothing);
            if now.failed > then.failed {
                let why = if now.message.is_empty() {
                    String::new()
                } else {
                    format!(": {}", now.message)
                };
                if listed(&self.flaky, test) {
                    let what = format!("`{test}` fails, as it may{why}");
                    delta
                        .findings
                        .push(now.at(Finding::note("flaky-failure", what)));
                } else {
                    delta.failing += 1;
                    let what = format!("`{test}` fails{why}");
                    delta
                        .findings
                        .push(now.at(Finding::error("newly-failing", what)));
                }
            } else if now.failed > 0 {
                delta.still_failing += 1;
            }
            if now.skipped > then.skipped && then.ran() > 0 && !listed(&self.may_be_skipped, test) {
                delta.skipped += 1;
                let what = format!("`{test}` ran before, and is skipped now");
                delta
                    .findings
                    .push(now.at(Finding::error("newly-skipped", what)));
            }
        }
        for (test, then) in before.iter() {
            let left = after.get(test).map_or(0, Tally::all);
            if left < then.all() && !listed(&self.may_vanish, test) {
                delta.vanished += 1;
                let what = match left {
                    0 => format!("`{test}` is gone"),
                    left => format!(
                        "there are {left} tests called `{test}`, and were {}",
                        then.all()
                    ),
                };
                delta.findings.push(Finding::error("vanished", what));
            }
        }
        delta
    }
}

/// What differs.
#[derive(Debug, Default)]
struct Delta {
    findings: Vec<Finding>,
    failing: u64,
    still_failing: u64,
    skipped: u64,
    vanished: u64,
}

impl Delta {
    fn in_words(&self, after: &Tests) -> String {
        format!(
            "{}, {} newly failing, {} vanished, {} newly skipped; {} failing as before",
            count(after.count(), "test", "tests"),
            self.failing,
            self.vanished,
            self.skipped,
            self.still_failing
        )
    }
}

#[cfg(test)]
mod tests;
