//! `commands`: the gate that wants the operator's commands to have ended well on the candidate.
//!
//! A command counts when it ran after the change, by itself came to an end with code 0, and was confined. What it says in its
//! reports is for other gates.
//!
//! | rule | means |
//! | --- | --- |
//! | `not-run` | it did not run on the candidate |
//! | `ended-badly` | it exited with another code, was ended, or nobody saw how it ended |
//! | `not-confined` | nothing kept it from altering what it judged, and `require_confinement` is on |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:commands"
//! config = { commands = ["build", "test"] }
//! ```
//!
//! **Invariant:** it passes only if every command that is named ended well; a summary says how far each was confined.

use ringfence_sdk::prelude::*;
use serde::Deserialize;

ringfence_sdk::plugin!("../plugin.toml");

/// The `config` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    commands: Vec<String>,
    #[serde(default = "yes")]
    require_confinement: bool,
}

fn yes() -> bool {
    true
}

/// Judges how commands ended.
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
        let receipt = change.evidence().receipt(command, Side::After);
        said.push(in_words(command, receipt));
        findings.extend(judge_one(&config, command, receipt));
    }
    let mut verdict = Verdict::from(findings);
    verdict.summary = said.join("; ");
    Ok(verdict)
}

fn judge_one(config: &Config, command: &str, receipt: Option<&Receipt>) -> Vec<Finding> {
    let Some(receipt) = receipt else {
        let message = format!("`{command}` did not run on the candidate");
        let help = format!("declare it as [command.{command}]");
        return vec![Finding::error("not-run", message).help(help)];
    };
    let mut findings = Vec::new();
    if !receipt.ended_well() {
        let message = format!("`{command}` {}", receipt.end());
        findings.push(Finding::error("ended-badly", message));
    }
    if config.require_confinement && receipt.confinement != "full" {
        let message = format!(
            "`{command}` was not confined: {}",
            confinement(&receipt.confinement)
        );
        findings.push(Finding::error("not-confined", message));
    }
    findings
}

fn in_words(command: &str, receipt: Option<&Receipt>) -> String {
    let Some(receipt) = receipt else {
        return format!("{command}: did not run");
    };
    let network = if receipt.network {
        ", with network"
    } else {
        ""
    };
    let confined = confinement(&receipt.confinement);
    format!("{command}: {}, {confined}{network}", receipt.end())
}

fn confinement(code: &str) -> String {
    match code {
        "full" => "confined".to_owned(),
        "none" => "without a sandbox".to_owned(),
        "elsewhere" => "it ran elsewhere".to_owned(),
        other => format!("confinement {other}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(config: Value, runs: Vec<TestRun>, rules: &[&str], summary: &str) {
        let change = Change::test(vec![]).with_evidence(runs);
        let verdict = judge(&Context::test(config), &change).unwrap();
        let found: Vec<_> = verdict.findings.iter().map(|f| f.rule.as_str()).collect();
        assert_eq!(
            (found.as_slice(), verdict.summary.as_str()),
            (rules, summary)
        );
        let passes = verdict.ruling == Ruling::Pass;
        assert_eq!(passes, rules.is_empty());
    }

    fn after(command: &str) -> TestRun {
        TestRun::new(command, Side::After)
    }

    #[test]
    fn every_command_has_to_end_well() {
        let both = || json!({ "commands": ["build", "test"] });
        check(
            both(),
            vec![after("build"), after("test"), after("lint").exited(1)],
            &[],
            "build: exited with code 0, confined; test: exited with code 0, confined",
        );
        check(
            both(),
            vec![
                after("test").exited(101),
                TestRun::new("build", Side::Before),
            ],
            &["not-run", "ended-badly"],
            "build: did not run; test: exited with code 101, confined",
        );
        for how in [
            "timed-out",
            "signalled",
            "not-started",
            "unseen",
            "out-of-memory",
            "new",
        ] {
            let runs = vec![after("test").ended(how)];
            let change = Change::test(vec![]).with_evidence(runs);
            let cx = Context::test(json!({ "commands": ["test"] }));
            let verdict = judge(&cx, &change).unwrap();
            assert_eq!(verdict.ruling, Ruling::Fail, "{how}");
        }
    }

    #[test]
    fn a_program_that_was_not_confined_proves_nothing_unless_the_operator_says_so() {
        let free = || vec![after("test").confinement("none").network()];
        let summary = "test: exited with code 0, without a sandbox, with network";
        let config = |on: bool| json!({ "commands": ["test"], "require_confinement": on });
        check(
            json!({ "commands": ["test"] }),
            free(),
            &["not-confined"],
            summary,
        );
        check(config(true), free(), &["not-confined"], summary);
        check(config(false), free(), &[], summary);
        check(
            config(true),
            vec![after("test").confinement("half")],
            &["not-confined"],
            "test: exited with code 0, confinement half",
        );
    }

    #[test]
    fn the_configuration_has_to_name_commands() {
        for config in [
            json!({}),
            json!({ "commands": [] }),
            json!({ "command": "x" }),
        ] {
            let verdict = judge(&Context::test(config), &Change::test(vec![]));
            assert!(matches!(verdict, Err(Error::Config(_))), "{verdict:?}");
        }
    }
}
