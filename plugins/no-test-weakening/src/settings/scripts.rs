//! What the scripts of a `package.json` say of tests.
//!
//! **Invariant:** a script is told by its name as npm reads it, however the JSON is laid out or escaped.

use std::collections::BTreeMap;

use ringfence_sdk::prelude::*;
use serde_json::Value;

use crate::find::line_of;

/// Limit: of a script that is shown.
const SHOWN_CHARS: usize = 80;

/// The scripts of tests that are not as they were.
pub(super) fn judge(path: &str, before: &str, after: &str) -> Vec<Finding> {
    let (was, is) = (scripts(before), scripts(after));
    let mut findings = Vec::new();
    for (name, script) in is
        .iter()
        .filter(|(name, script)| was.get(*name) != Some(script))
    {
        let shown: String = script.chars().take(SHOWN_CHARS).collect();
        let finding = match runs_nothing(script) {
            Some(why) => {
                let message =
                    format!("keeps tests from being run: script `{name}` {why}: `{shown}`");
                Finding::error("test-settings", message)
            }
            None => {
                let message = format!("says which tests are run: script `{name}`: `{shown}`");
                Finding::warning("test-settings", message)
            }
        };
        let at = after.find(&format!("\"{name}\"")).unwrap_or(0);
        findings.push(finding.at_line(path, line_of(after, at)));
    }
    for name in was.keys().filter(|name| !is.contains_key(*name)) {
        let message = format!("says which tests are run: script `{name}` is gone");
        findings.push(Finding::warning("test-settings", message).at(path));
    }
    findings
}

/// Scripts that run tests, by name: `test` itself, and those that belong to it.
fn scripts(text: &str) -> BTreeMap<String, String> {
    let value: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
    let Some(Value::Object(scripts)) = value.get("scripts") else {
        return BTreeMap::new();
    };
    let is_of_tests = |name: &str| {
        name.split([':', '-', '_'])
            .any(|part| matches!(part, "test" | "tests" | "pretest" | "posttest"))
    };
    let texts = scripts.iter().filter(|(name, _)| is_of_tests(name));
    let texts =
        texts.filter_map(|(name, script)| Some((name.clone(), script.as_str()?.to_owned())));
    texts.collect()
}

/// Why a script passes whatever the tests say, if that is plain to see.
fn runs_nothing(script: &str) -> Option<&'static str> {
    const PASSES: [&str; 4] = ["true", ":", "exit 0", "exit"];
    let passes = |command: &str| {
        let command = command.trim().trim_matches(['(', ')']).trim();
        command.is_empty()
            || PASSES.contains(&command)
            || command == "echo"
            || command.starts_with("echo ")
    };
    // What a `#` follows is a comment to the shell.
    let script = script.split(" #").next().unwrap_or_default();
    let script = script.trim();
    let commands = script.split(['&', ';', '|', '\n']);
    if commands.clone().all(passes) {
        return Some("runs nothing");
    }
    let last = script
        .rsplit(['&', ';', '|', '\n'])
        .next()
        .unwrap_or_default();
    let before = script.strip_suffix(last).unwrap_or_default();
    let forgives = before.ends_with("||") || before.ends_with(';') || before.ends_with('\n');
    (forgives && !last.trim().is_empty() && passes(last)).then_some("passes whatever they say")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_cannot_fail() {
        for script in [
            "",
            "true",
            " : ",
            "exit 0",
            "echo ok",
            "echo a && echo b",
            "jest || true",
            "jest; exit 0",
            "jest || echo failed",
            "true # jest",
        ] {
            assert!(runs_nothing(script).is_some(), "{script}");
        }
        for script in [
            "jest",
            "echo start && jest",
            "jest && echo done",
            "echo \"Error: no test specified\" && exit 1",
            "mocha | tee log",
            "node test.js;",
        ] {
            assert_eq!(runs_nothing(script), None, "{script}");
        }
    }
}
