//! Reports of real tools (`fixtures/`), and what they may not get away with.

use std::path::Path;

use ringfence_sdk::Severity;
use serde_json::{Value, json};

use super::*;

/// A result of rule `r` in `a.rs`, or what `more` says instead.
fn result(message: &str, line: u32, more: Value) -> Value {
    let mut result = json!({
        "ruleId": "r",
        "level": "error",
        "message": { "text": message },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": "a.rs" }, "region": { "startLine": line } } }],
    });
    let merged = result.as_object_mut().unwrap();
    merged.extend(more.as_object().unwrap().clone());
    merged.retain(|_, value| !value.is_null());
    result
}

fn plain(message: &str, line: u32) -> Value {
    result(message, line, json!({}))
}

fn log(results: &[Value]) -> Value {
    json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "t" } }, "results": results }] })
}

fn run(side: Side, log: &Value) -> TestRun {
    TestRun::new("lint", side).report("sarif", log.to_string())
}

fn judged(config: Value, runs: Vec<TestRun>) -> Verdict {
    let files = vec![
        TestFile::modified("src/a.rs", "1\n", "2\n"),
        TestFile::added("b.rs", ""),
    ];
    let change = Change::test(files).with_evidence(runs);
    judge(&Context::test(config), &change).unwrap()
}

fn config() -> Value {
    json!({ "commands": ["lint"] })
}

fn compared(before: &[Value], after: &[Value]) -> Verdict {
    judged(
        config(),
        vec![
            run(Side::Before, &log(before)),
            run(Side::After, &log(after)),
        ],
    )
}

fn told(verdict: &Verdict) -> Vec<String> {
    let one = |finding: &Finding| {
        let places: String = finding
            .locations
            .iter()
            .map(|place| format!(" {}:{}:{}", place.path, place.line, place.column))
            .collect();
        let severity = format!("{:?}", finding.severity).to_lowercase();
        format!("{severity} {} {}{places}", finding.rule, finding.message)
    };
    verdict.findings.iter().map(one).collect()
}

fn rules(verdict: &Verdict) -> Vec<&str> {
    verdict
        .findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect()
}

#[track_caller]
fn check(before: &[Value], after: &[Value], new: usize) {
    let verdict = compared(before, after);
    assert_eq!(verdict.findings.len(), new, "{:?}", told(&verdict));
    assert_eq!(verdict.ruling == Ruling::Pass, new == 0);
}

#[test]
fn reports_of_real_tools() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for (tool, file) in [
        ("ruff", "src/album.py"),
        ("bandit", "src/album.py"),
        ("eslint", "src/a.js"),
    ] {
        let folder = root.join(tool);
        let text = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap();
        let side = |side: Side| {
            let report = text(&format!("evidence/lint/{side}/sarif.json"));
            let code = text(&format!("evidence/lint/{side}/run.toml"));
            let code = if code.contains("= 1") { 1 } else { 0 };
            TestRun::new("lint", side)
                .exited(code)
                .report("sarif", report)
        };
        let changed = TestFile::modified(
            file,
            text(&format!("before/{file}")),
            text(&format!("after/{file}")),
        );
        let judged = |runs: Vec<TestRun>| {
            let change = Change::test(vec![changed.clone()]).with_evidence(runs);
            judge(&Context::test(config()), &change).unwrap()
        };
        let verdict = judged(vec![side(Side::Before), side(Side::After)]);
        let expect: Vec<String> = text("expected.txt").lines().map(str::to_owned).collect();
        assert_eq!(told(&verdict), expect, "{tool}");
        let report = text("evidence/lint/after/sarif.json");
        let same = [Side::Before, Side::After]
            .map(|side| TestRun::new("lint", side).report("sarif", &*report));
        assert_eq!(judged(same.into()).ruling, Ruling::Pass, "{tool}");
    }
}

#[test]
fn results_without_fingerprints_are_told_by_path_and_message() {
    check(&[], &[], 0);
    check(&[plain("m", 1)], &[plain("m", 1)], 0);
    check(&[plain("m", 1)], &[], 0);
    check(&[], &[plain("m", 1)], 1);
    check(&[plain("m", 1)], &[plain("m", 90)], 0);
    check(&[plain("m", 1)], &[plain("n", 1)], 1);
    check(&[plain("m", 1)], &[plain(" m\n", 1)], 0);
    check(&[plain("m", 1)], &[plain("m", 1), plain("m", 2)], 1);
    check(&[plain("m", 1), plain("m", 2)], &[plain("m", 2)], 0);
    check(
        &[plain("m", 1)],
        &[result("m", 1, json!({ "ruleId": "s" }))],
        1,
    );
    let elsewhere =
        json!({ "locations": [{ "physicalLocation": { "artifactLocation": { "uri": "b.rs" } } }] });
    check(&[plain("m", 1)], &[result("m", 1, elsewhere)], 1);
    check(
        &[result("m", 1, json!({ "locations": null }))],
        &[result("m", 1, json!({ "locations": [] }))],
        0,
    );
    let other_tool = |name: &str| {
        let mut log = log(&[plain("m", 1)]);
        log["runs"][0]["tool"]["driver"]["name"] = json!(name);
        log
    };
    let verdict = judged(
        config(),
        vec![
            run(Side::Before, &other_tool("t")),
            run(Side::After, &other_tool("u")),
        ],
    );
    assert_eq!(rules(&verdict), ["r"]);
}

#[test]
fn numbers_of_lines_in_messages_are_none() {
    for (before, at, after, then, new) in [
        ("unused since line 3", 9, "unused since line 13", 9, 0),
        ("lines 3-4 differ", 3, "lines 5-6 differ", 5, 1),
        ("see src/a.rs:3:5", 1, "see src/a.rs:33:55", 1, 0),
        ("defined at 7", 7, "defined at 8", 8, 0),
        ("takes 3 arguments", 1, "takes 4 arguments", 1, 1),
        ("takes 3 arguments", 3, "takes 4 arguments", 4, 0),
        ("sha256 is fine", 256, "sha512 is fine", 512, 1),
        ("version 1.2", 2, "version 1.3", 3, 1),
        ("online 3", 1, "online 4", 1, 1),
    ] {
        let verdict = compared(&[plain(before, at)], &[plain(after, then)]);
        assert_eq!(verdict.findings.len(), new, "{before} → {after}");
    }
}

#[test]
fn fingerprints_tell_results_where_there_are_any() {
    let marked = |mark: &str, uri: &str, message: &str| {
        result(
            message,
            1,
            json!({
                "partialFingerprints": { "primaryLocationLineHash": mark },
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri } } }],
            }),
        )
    };
    check(
        &[marked("1:1", "a.rs", "m")],
        &[marked("1:1", "a.rs", "other words")],
        0,
    );
    check(
        &[marked("1:1", "a.rs", "m")],
        &[marked("2:1", "a.rs", "m")],
        1,
    );
    check(&[marked("1:1", "a.rs", "m")], &[plain("m", 1)], 1);
    // The file was renamed; a copy is new, and the one that is new is the one in the file that had none.
    check(
        &[marked("1:1", "a.rs", "m")],
        &[marked("1:1", "b.rs", "m")],
        0,
    );
    let verdict = compared(
        &[marked("1:1", "b.rs", "m")],
        &[marked("1:1", "a.rs", "m"), marked("1:1", "b.rs", "m")],
    );
    assert_eq!(told(&verdict), ["error r t r: m a.rs:0:0"]);
}

#[test]
fn a_level_is_what_the_specification_says() {
    let level = |result: Value, rule: Value, invocation: Value| {
        let mut log = log(&[result]);
        log["runs"][0]["tool"]["driver"]["rules"] = json!([{ "id": "first" }, rule]);
        log["runs"][0]["invocations"] = json!([invocation]);
        sarif::read(log.to_string().as_bytes())
            .unwrap()
            .found
            .first()
            .map(|found| found.level)
    };
    let unsaid = |more: Value| {
        let mut result = result("m", 1, more);
        result.as_object_mut().unwrap().remove("level");
        result
    };
    let rule = |level: &str| json!({ "id": "r", "defaultConfiguration": { "level": level } });
    let none = || json!({ "executionSuccessful": true });
    let set = |by: Value| json!({ "ruleConfigurationOverrides": [{ "configuration": { "level": "error" }, "descriptor": by }] });
    assert_eq!(
        level(plain("m", 1), rule("note"), none()),
        Some(Level::Error)
    );
    assert_eq!(
        level(unsaid(json!({})), rule("note"), none()),
        Some(Level::Note)
    );
    assert_eq!(
        level(unsaid(json!({})), json!({ "id": "r" }), none()),
        Some(Level::Warning)
    );
    assert_eq!(
        level(unsaid(json!({ "ruleId": "r/sub" })), rule("error"), none()),
        Some(Level::Error)
    );
    assert_eq!(
        level(
            unsaid(json!({ "ruleId": null, "ruleIndex": 1 })),
            rule("error"),
            none()
        ),
        Some(Level::Error)
    );
    assert_eq!(
        level(unsaid(json!({ "ruleIndex": -1 })), rule("error"), none()),
        Some(Level::Error)
    );
    assert_eq!(
        level(unsaid(json!({})), rule("note"), set(json!({ "id": "r" }))),
        Some(Level::Error)
    );
    assert_eq!(
        level(
            unsaid(json!({ "ruleIndex": 1 })),
            rule("note"),
            set(json!({ "index": 1 }))
        ),
        Some(Level::Error)
    );
    assert_eq!(
        level(unsaid(json!({})), rule("note"), set(json!({ "id": "s" }))),
        Some(Level::Note)
    );
    assert_eq!(
        level(unsaid(json!({ "kind": "fail" })), rule("error"), none()),
        Some(Level::Error)
    );
    for kind in ["pass", "open", "review", "informational", "notApplicable"] {
        assert_eq!(
            level(unsaid(json!({ "kind": kind })), rule("error"), none()),
            None,
            "{kind}"
        );
    }
}

#[test]
fn only_new_results_of_the_level_fail() {
    let at = |level: &str, least: &str| {
        let config = json!({ "commands": ["lint"], "level": least });
        let found = log(&[result("m", 1, json!({ "level": level }))]);
        let verdict = judged(
            config,
            vec![run(Side::Before, &log(&[])), run(Side::After, &found)],
        );
        verdict.findings[0].severity
    };
    for (level, least, expect) in [
        ("error", "error", Severity::Error),
        ("warning", "error", Severity::Note),
        ("warning", "warning", Severity::Error),
        ("note", "warning", Severity::Note),
        ("note", "note", Severity::Error),
    ] {
        assert_eq!(at(level, least), expect, "{level} {least}");
    }
    for wrong in [
        json!({ "commands": ["lint"], "level": "none" }),
        json!({ "commands": [] }),
    ] {
        let verdict = judge(&Context::test(wrong), &Change::test(vec![]));
        assert!(matches!(verdict, Err(Error::Config(_))), "{verdict:?}");
    }
}

#[test]
fn suppressions_count_where_the_operator_wants_it() {
    let suppressed = |kind: &str, status: Value| {
        let mut suppression = json!({ "kind": kind, "status": status });
        suppression
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        result("m", 1, json!({ "suppressions": [suppression] }))
    };
    let judged_with = |respect: Value, found: Value| {
        let config = json!({ "commands": ["lint"], "respect_suppressions": respect });
        let runs = vec![
            run(Side::Before, &log(&[])),
            run(Side::After, &log(&[found])),
        ];
        let verdict = judged(config, runs);
        verdict.findings[0].rule.clone()
    };
    let in_source = || suppressed("inSource", Value::Null);
    assert_eq!(judged_with(json!([]), in_source()), "r");
    assert_eq!(judged_with(json!(["external"]), in_source()), "r");
    assert_eq!(judged_with(json!(["in-source"]), in_source()), "suppressed");
    let external = |status: &str| suppressed("external", json!(status));
    assert_eq!(
        judged_with(json!(["external"]), external("accepted")),
        "suppressed"
    );
    for status in ["underReview", "rejected", "new-word"] {
        assert_eq!(
            judged_with(json!(["external"]), external(status)),
            "r",
            "{status}"
        );
    }
    assert_eq!(
        judged_with(
            json!(["external"]),
            result("m", 1, json!({ "suppressions": [] }))
        ),
        "r"
    );
    // What a tool believes to be old is not.
    assert_eq!(
        judged_with(
            json!([]),
            result("m", 1, json!({ "baselineState": "unchanged" }))
        ),
        "r"
    );
}

#[test]
fn paths_of_other_places_are_those_of_the_workspace() {
    let change = Change::test(vec![
        TestFile::added("src/a b.rs", ""),
        TestFile::added("deep/src/x.rs", ""),
        TestFile::deleted("x.rs", ""),
    ]);
    let places = Places::of(&change);
    for (uri, expect) in [
        ("src/a%20b.rs", "src/a b.rs"),
        ("./src/a%20b.rs", "src/a b.rs"),
        ("file:///builds/album/src/a%20b.rs", "src/a b.rs"),
        ("/builds/album/deep/src/x.rs", "deep/src/x.rs"),
        ("/builds/album/x.rs", "x.rs"),
        ("file:///C:/builds/src/a%20b.rs", "src/a b.rs"),
        ("src\\a%20b.rs", "src/a b.rs"),
        ("file:///etc/../../x.rs", "etc/../../x.rs"),
        ("../x.rs", "../x.rs"),
        ("%", "%"),
        ("%zz%4", "%zz%4"),
        ("/gone/nowhere.rs", "gone/nowhere.rs"),
    ] {
        assert_eq!(places.path(uri), expect, "{uri}");
    }
}

#[test]
fn a_run_that_proves_nothing_is_no_pass() {
    let clean = log(&[]);
    let found = log(&[plain("m", 1)]);
    let before = || run(Side::Before, &clean);
    let mut failed = clean.clone();
    failed["runs"][0]["invocations"] = json!([{ "executionSuccessful": false }]);
    let mut elsewhere = clean.clone();
    elsewhere["runs"][0]["externalPropertyFileReferences"] =
        json!({ "results": [{ "location": {} }] });
    let mut unsearched = clean.clone();
    unsearched["runs"][0]
        .as_object_mut()
        .unwrap()
        .remove("results");
    let mut old = clean.clone();
    old["version"] = json!("2.0.0");
    let no_run = json!({ "version": "2.1.0", "runs": [] });
    let unknown = log(&[result("m", 1, json!({ "level": "fatal" }))]);
    let wild_text = |text: &str| TestRun::new("lint", Side::After).report("sarif", text);
    for (after, expect) in [
        (run(Side::After, &found).ended("timed-out"), "broken-run"),
        (run(Side::After, &clean).ended("signalled"), "broken-run"),
        (run(Side::After, &clean).exited(2), "broken-run"),
        (
            TestRun::new("lint", Side::After).report("stdout", ""),
            "no-report",
        ),
        (TestRun::new("test", Side::After), "not-run"),
        (run(Side::After, &failed), "unreadable-report"),
        (run(Side::After, &elsewhere), "unreadable-report"),
        (run(Side::After, &unsearched), "unreadable-report"),
        (run(Side::After, &old), "unreadable-report"),
        (run(Side::After, &no_run), "unreadable-report"),
        (run(Side::After, &unknown), "unreadable-report"),
        (wild_text(""), "unreadable-report"),
        (wild_text("[]"), "unreadable-report"),
        (wild_text(&clean.to_string()[..30]), "unreadable-report"),
        (wild_text(&"[".repeat(10_000)), "unreadable-report"),
    ] {
        let verdict = judged(config(), vec![before(), after.clone()]);
        assert_eq!(
            (verdict.ruling, rules(&verdict)),
            (Ruling::Fail, vec![expect]),
            "{after:?}"
        );
    }
    // Many tools exit with a code of their own when they find something.
    let same = [
        run(Side::Before, &found).exited(1),
        run(Side::After, &found).exited(1),
    ];
    assert_eq!(judged(config(), same.into()).ruling, Ruling::Pass);
    let marked = format!("\u{feff}{clean}");
    assert_eq!(
        judged(config(), vec![before(), wild_text(&marked)]).ruling,
        Ruling::Pass
    );
}

#[test]
fn without_a_run_before_the_operator_decides() {
    let after = |results: &[Value]| run(Side::After, &log(results));
    let lax = || json!({ "commands": ["lint"], "require_before": false });
    let verdict = judged(config(), vec![after(&[])]);
    assert_eq!(
        (verdict.ruling, rules(&verdict)),
        (Ruling::Fail, vec!["no-before"])
    );
    let verdict = judged(lax(), vec![after(&[])]);
    assert_eq!(
        (verdict.ruling, rules(&verdict)),
        (Ruling::Pass, vec!["no-before"])
    );
    let broken = run(Side::Before, &log(&[plain("m", 1)])).ended("timed-out");
    let verdict = judged(lax(), vec![broken, after(&[plain("m", 1)])]);
    assert_eq!(
        (verdict.ruling, rules(&verdict)),
        (Ruling::Fail, vec!["r", "no-before"])
    );
}

#[test]
fn the_worst_findings_come_first_and_none_is_left_out() {
    let notes = (0..300).map(|n| result(&format!("n{n}x"), 1, json!({ "level": "note" })));
    let mut all: Vec<Value> = notes.collect();
    all.push(plain(&"é".repeat(1_000), 1));
    let verdict = compared(&[], &all);
    assert_eq!(
        (verdict.ruling, verdict.findings.len()),
        (Ruling::Fail, 301)
    );
    assert_eq!(verdict.findings[0].severity, Severity::Error);
    assert!(verdict.findings[0].message.chars().count() < 450);
    assert_eq!(verdict.summary, "lint: 301 results, 0 before; 301 new");
}

#[test]
fn rules_and_messages_of_tools_are_put_in_our_words() {
    for (rule, expect) in [
        ("no-unused-vars", "no-unused-vars"),
        ("py/sql-injection", "py-sql-injection"),
        ("CA1000/1", "ca1000-1"),
        ("clippy::needless_return", "clippy-needless-return"),
        ("", "result"),
        ("\u{202e}", "result"),
    ] {
        assert_eq!(rule_name(rule), expect, "{rule}");
    }
    let text = |message: Value| {
        let mut log = log(&[result("", 1, json!({ "message": message }))]);
        log["runs"][0]["tool"]["driver"]["rules"] =
            json!([{ "id": "r", "messageStrings": { "m": { "text": "`{0}` is not {1}" } } }]);
        sarif::read(log.to_string().as_bytes()).unwrap().found[0]
            .message
            .clone()
    };
    assert_eq!(
        text(json!({ "id": "m", "arguments": ["a", "b"] })),
        "`a` is not b"
    );
    assert_eq!(text(json!({ "text": "a\n  b" })), "a b");
    assert_eq!(text(json!({ "markdown": "*a*" })), "*a*");
    assert_eq!(text(json!({ "id": "other" })), "");
}

#[test]
fn a_tool_that_stumbled_did_not_see_everything() {
    let stumbled = |key: &str, level: Value| {
        let told = json!([{ "level": level, "message": { "text": "cannot parse b.rs" } }]);
        let mut log = log(&[]);
        log["runs"][0]["invocations"] = json!([{ "executionSuccessful": true, key: told }]);
        log
    };
    let of = |config: Value, before: &Value, after: &Value| {
        let verdict = judged(
            config,
            vec![run(Side::Before, before), run(Side::After, after)],
        );
        (verdict.ruling, told(&verdict))
    };
    let fine = log(&[]);
    for key in [
        "toolExecutionNotifications",
        "toolConfigurationNotifications",
    ] {
        let error = stumbled(key, json!("error"));
        let expect = (
            Ruling::Fail,
            vec!["error tool-error t: cannot parse b.rs".to_owned()],
        );
        assert_eq!(of(config(), &fine, &error), expect);
        assert_eq!(of(config(), &error, &error), expect);
        // Before the change, less that was seen is more that is new.
        assert_eq!(of(config(), &error, &fine), (Ruling::Pass, vec![]));
        let allowed = json!({ "commands": ["lint"], "allow_tool_errors": true });
        let expect = (
            Ruling::Pass,
            vec!["note tool-error t: cannot parse b.rs".to_owned()],
        );
        assert_eq!(of(allowed, &fine, &error), expect);
        for level in [json!("warning"), json!("note"), Value::Null] {
            let told = stumbled(key, level);
            assert_eq!(of(config(), &fine, &told), (Ruling::Pass, vec![]));
        }
    }
}

#[test]
fn what_is_missing_before_says_how_to_have_it() {
    let verdict = judged(config(), vec![run(Side::After, &log(&[]))]);
    assert_eq!(rules(&verdict), ["no-before"]);
    let help = "on = \"both\" in [command.lint], or `require_before = false`";
    assert_eq!(verdict.findings[0].help, help);
}
