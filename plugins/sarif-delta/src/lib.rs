//! `sarif-delta`: the gate that lets no analysis find something new.
//!
//! A command of the operator's analyses the trees before and after the change, and writes what it found as SARIF 2.1.0.
//! `sarif.rs` reads a report, `same.rs` says which results are the same one on both sides, and here the new ones are judged.
//!
//! | rule | means |
//! | --- | --- |
//! | the tool's own, in kebab-case | a result that was not there before: at `level` or above an error, below it a note |
//! | `suppressed` | a new result that a suppression lets be, and `respect_suppressions` lets it (a note) |
//! | `not-run`, `broken-run`, `no-report`, `unreadable-report` | what happened after the change proves nothing |
//! | `tool-error` | the tool says that something went wrong, so it did not see everything; a note where `allow_tool_errors` is on |
//! | `no-before` | nor does what happened before; a note where `require_before` is off |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:sarif-delta"
//! config = { commands = ["lint"], level = "error" }
//! ```
//!
//! A result is told by its tool, rule and `partialFingerprints`; where it has none, by its path and its message, without the
//! numbers of lines. Several alike are counted.
//!
//! **Invariant:** it passes only if an analysis ran after the change, came to an end, and says that it succeeded. What a tool says
//! of old and new (`baselineState`) is not believed, nor are suppressions unless the operator wants it.

mod same;
mod sarif;

use ringfence_sdk::prelude::*;
use serde::Deserialize;

use crate::same::Places;
use crate::sarif::{Found, Level, Report};

ringfence_sdk::plugin!("../plugin.toml");

/// Limit: of a result's message that is shown.
const MESSAGE_CHARS: usize = 400;

/// The `config` table; every key but `commands` has the default that `plugin.toml` names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    commands: Vec<String>,
    #[serde(default = "sarif_report")]
    report: String,
    #[serde(default)]
    level: Level,
    #[serde(default = "yes")]
    require_before: bool,
    #[serde(default)]
    allow_tool_errors: bool,
    #[serde(default)]
    respect_suppressions: Vec<Kind>,
}

/// Where a suppression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    InSource,
    External,
}

fn sarif_report() -> String {
    "sarif".to_owned()
}

fn yes() -> bool {
    true
}

/// Why a run proves nothing.
struct Wrong {
    rule: &'static str,
    what: String,
}

/// Judges what analyses found before and after the change.
///
/// # Errors
/// [`Error::Config`] without a command, or for a level below a note.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    let config: Config = cx.config()?;
    if config.commands.is_empty() {
        return Err(Error::config("`commands` names no command"));
    }
    if config.level == Level::None {
        return Err(Error::config("`level` is `error`, `warning` or `note`"));
    }
    let places = Places::of(change);
    let (mut findings, mut said) = (Vec::new(), Vec::new());
    for command in &config.commands {
        let judged = config.judge(command, change.evidence(), &places);
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
    /// What one command found, and that in words.
    fn judge(
        &self,
        command: &str,
        evidence: &Evidence,
        places: &Places<'_>,
    ) -> (Vec<Finding>, String) {
        let Report {
            found: after,
            tool_errors,
        } = match self.look(evidence, command, Side::After) {
            Ok(report) => report,
            Err(wrong) => {
                let finding = Finding::error(wrong.rule, wrong.what.clone());
                return (vec![finding], wrong.what);
            }
        };
        let mut findings: Vec<Finding> = tool_errors
            .iter()
            .map(|error| self.tool_error(error))
            .collect();
        // What a tool did not see before only makes more results new.
        let before = match self.look(evidence, command, Side::Before) {
            Ok(report) => report.found,
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
                Vec::new()
            }
        };
        let new = same::new(&before, &after, places);
        let said = format!(
            "{}, {} before; {} new",
            count(after.len(), "result", "results"),
            before.len(),
            new.len()
        );
        findings.extend(new.into_iter().map(|found| self.finding(found, places)));
        (findings, said)
    }

    /// The results of a run that can be relied on.
    fn look(
        &self,
        evidence: &Evidence,
        command: &str,
        side: Side,
    ) -> std::result::Result<Report, Wrong> {
        let wrong = |rule, what: &str| Wrong {
            rule,
            what: format!("`{command}` {what} {side} the change"),
        };
        let receipt = evidence
            .receipt(command, side)
            .ok_or_else(|| wrong("not-run", "did not run"))?;
        if !receipt.came_to_an_end() {
            return Err(wrong("broken-run", &receipt.end()));
        }
        if !receipt.has(&self.report) {
            let what = format!("wrote no report `{}`", self.report);
            return Err(wrong("no-report", &what));
        }
        let read = evidence
            .read(command, side, &self.report)
            .map_err(|error| error.to_string());
        let report = read.and_then(|bytes| sarif::read(&bytes)).map_err(|why| {
            let what = format!(
                "wrote a report `{}` that cannot be used ({why})",
                self.report
            );
            wrong("unreadable-report", &what)
        })?;
        // A tool that finds something may say so by its code; one that finds nothing has no such reason.
        let well = receipt.ended_well() || receipt.ended == "unseen";
        if !well && report.found.is_empty() {
            let what = format!("{}, and found nothing,", receipt.end());
            return Err(wrong("broken-run", &what));
        }
        Ok(report)
    }

    fn tool_error(&self, error: &str) -> Finding {
        let message: String = error.chars().take(MESSAGE_CHARS).collect();
        if self.allow_tool_errors {
            return Finding::note("tool-error", message);
        }
        let help = "mend what it stumbles over; where it always does, `allow_tool_errors = true`";
        Finding::error("tool-error", message).help(help)
    }

    fn finding(&self, found: &Found, places: &Places<'_>) -> Finding {
        let rule = rule_name(&found.rule);
        let message: String = found.message.chars().take(MESSAGE_CHARS).collect();
        let message = format!("{} {}: {message}", found.tool, found.rule);
        let lets_be = |kind: &Kind| self.respect_suppressions.contains(kind);
        let finding = if found.suppressed.iter().any(lets_be) {
            Finding::note("suppressed", message)
        } else if found.level >= self.level {
            Finding::error(rule, message)
        } else {
            Finding::note(rule, message)
        };
        match &found.uri {
            Some(uri) => finding.at_position(places.path(uri), found.line, found.column),
            None => finding,
        }
    }
}

/// A tool's name for a rule as a rule of ours: `no-unused-vars`, `py-sql-injection` for `py/sql-injection`.
fn rule_name(rule: &str) -> String {
    let kebab: String = rule
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let words: Vec<&str> = kebab.split('-').filter(|word| !word.is_empty()).collect();
    match words.join("-") {
        name if name.is_empty() || name.len() > 100 => "result".to_owned(),
        name => name,
    }
}

#[cfg(test)]
mod tests;
