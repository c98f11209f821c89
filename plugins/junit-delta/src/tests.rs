//! Reports of real tools (`fixtures/`), and what they may not get away with.

use std::path::Path;

use serde_json::{Value, json};

use super::*;

/// A suite with these tests in it.
fn suite(tests: &str) -> String {
    format!("<testsuites><testsuite name=\"s\">{tests}</testsuite></testsuites>")
}

const GOOD: &str = r#"<testcase classname="a.B" name="x"/>"#;
const BAD: &str = r#"<testcase classname="a.B" name="x"><failure message="no"/></testcase>"#;
const SKIPPED: &str = r#"<testcase classname="a.B" name="x"><skipped/></testcase>"#;

fn run(side: Side, report: &str) -> TestRun {
    TestRun::new("test", side).report("junit", report)
}

fn judged(config: Value, runs: Vec<TestRun>) -> Verdict {
    let change = Change::test(vec![]).with_evidence(runs);
    judge(&Context::test(config), &change).unwrap()
}

fn rules(verdict: &Verdict) -> Vec<&str> {
    verdict
        .findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect()
}

/// Tests before and after, as they stand in one suite.
fn check_with(more: Value, before: &str, after: &str, expect: &[&str]) {
    let mut config = json!({ "commands": ["test"] });
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let after_run = run(Side::After, &suite(after));
    let after_run = if after.contains("<failure") {
        after_run.exited(1)
    } else {
        after_run
    };
    let before_run = run(Side::Before, &suite(before));
    let verdict = judged(config, vec![before_run, after_run]);
    assert_eq!(rules(&verdict), expect, "{before} → {after}: {verdict:?}");
    let fails = verdict
        .findings
        .iter()
        .any(|f| f.severity == ringfence_sdk::Severity::Error);
    assert_eq!(verdict.ruling == Ruling::Fail, fails);
}

fn check(before: &str, after: &str, expect: &[&str]) {
    check_with(json!({}), before, after, expect);
}

#[test]
fn reports_of_real_tools() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for tool in ["pytest", "jest", "surefire", "nextest"] {
        let folder = folder.join(tool);
        let text = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap();
        let config = serde_json::from_str(&text("config.json")).unwrap();
        let before = run(Side::Before, &text("evidence/test/before/junit.xml"));
        let after = run(Side::After, &text("evidence/test/after/junit.xml")).exited(1);
        let verdict = judged(config, vec![before.clone(), after]);
        let mut found: Vec<String> = verdict
            .findings
            .iter()
            .map(|f| {
                format!(
                    "{} {} {}",
                    format!("{:?}", f.severity).to_lowercase(),
                    f.rule,
                    f.message
                )
            })
            .collect();
        let mut expect: Vec<String> = text("expected.txt").lines().map(str::to_owned).collect();
        found.sort();
        expect.sort();
        assert_eq!(found, expect, "{tool}");
        let again = run(Side::After, &text("evidence/test/before/junit.xml"));
        let same = judged(json!({ "commands": ["test"] }), vec![before, again]);
        assert_eq!(same.ruling, Ruling::Pass, "{tool}: {same:?}");
    }
}

#[test]
fn each_test_is_compared_with_itself() {
    let other = r#"<testcase classname="a.B" name="y"/>"#;
    check(GOOD, GOOD, &[]);
    check(GOOD, BAD, &["newly-failing"]);
    check(BAD, BAD, &[]);
    check(BAD, GOOD, &[]);
    check(GOOD, SKIPPED, &["newly-skipped"]);
    check(BAD, SKIPPED, &["newly-skipped"]);
    check(SKIPPED, SKIPPED, &[]);
    check(SKIPPED, BAD, &["newly-failing"]);
    check(GOOD, other, &["vanished"]);
    check(other, &format!("{other}{GOOD}"), &[]);
    check(other, &format!("{other}{BAD}"), &["newly-failing"]);
    check(other, &format!("{other}{SKIPPED}"), &[]);
    let verdict = judged(
        json!({ "commands": ["test"] }),
        vec![
            run(Side::Before, &suite(GOOD)),
            run(Side::After, &suite(GOOD)),
        ],
    );
    let expect = "test: 1 test, 0 newly failing, 0 vanished, 0 newly skipped; 0 failing as before";
    assert_eq!(
        (verdict.ruling, verdict.summary.as_str()),
        (Ruling::Pass, expect)
    );
}

#[test]
fn tests_of_one_name_are_counted() {
    let twice = |a: &str, b: &str| format!("{a}{b}");
    check(&twice(GOOD, GOOD), &twice(GOOD, GOOD), &[]);
    check(&twice(GOOD, GOOD), &twice(GOOD, BAD), &["newly-failing"]);
    check(&twice(GOOD, BAD), &twice(BAD, GOOD), &[]);
    check(&twice(GOOD, BAD), &twice(BAD, BAD), &["newly-failing"]);
    check(
        &twice(GOOD, GOOD),
        &twice(GOOD, SKIPPED),
        &["newly-skipped"],
    );
    check(&twice(GOOD, GOOD), GOOD, &["vanished"]);
}

#[test]
fn lists_let_tests_be() {
    let other = r#"<testcase classname="a.B" name="y"/>"#;
    check_with(
        json!({ "flaky": ["a.B::*"] }),
        GOOD,
        BAD,
        &["flaky-failure"],
    );
    check_with(
        json!({ "flaky": ["a.B::y"] }),
        GOOD,
        BAD,
        &["newly-failing"],
    );
    // A list of one kind is none of another.
    check_with(json!({ "flaky": ["*"] }), GOOD, SKIPPED, &["newly-skipped"]);
    check_with(json!({ "flaky": ["*"] }), GOOD, other, &["vanished"]);
    check_with(json!({ "may_be_skipped": ["*::x"] }), GOOD, SKIPPED, &[]);
    check_with(json!({ "may_vanish": ["a.B::x"] }), GOOD, other, &[]);
}

#[test]
fn a_test_has_a_class_or_its_suite() {
    let id = |test: &str| {
        let mut tests = Tests::default();
        report::read(suite(test).as_bytes(), &mut tests).unwrap();
        tests
            .iter()
            .map(|(id, _)| id.to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (test, expect) in [
        (r#"<testcase classname="a.B" name="x"/>"#, "a.B::x"),
        (r#"<testcase classname="" name="x"/>"#, "s::x"),
        (r#"<testcase name="x"/>"#, "s::x"),
        (r#"<testcase classname=" x" name="x"/>"#, "x"),
        (
            r#"<testcase classname="a&lt;b&gt;&#x21;" name="&quot;"/>"#,
            "a<b>!::\"",
        ),
        (
            r#"<testsuite name="t"><testcase name="x"/></testsuite>"#,
            "t::x",
        ),
    ] {
        assert_eq!(id(test), expect, "{test}");
    }
}

#[test]
fn how_a_test_went_is_said_in_several_ways() {
    let went = |attributes: &str, children: &str| {
        let mut tests = Tests::default();
        let test = suite(&format!(
            "<testcase name=\"x\" {attributes}>{children}</testcase>"
        ));
        report::read(test.as_bytes(), &mut tests).unwrap();
        let tally = tests.get("s::x").unwrap();
        (tally.passed, tally.failed, tally.skipped)
    };
    for (attributes, children, expect) in [
        ("", "", (1, 0, 0)),
        ("status=\"run\" result=\"completed\"", "", (1, 0, 0)),
        ("status=\"notrun\"", "", (0, 0, 1)),
        ("status=\"run\" result=\"SKIPPED\"", "", (0, 0, 1)),
        ("status=\"notrun\"", "<failure/>", (0, 1, 0)),
        ("", "<error type=\"t\"/>", (0, 1, 0)),
        ("", "<skipped/><failure/>", (0, 1, 0)),
        ("", "<failure/><skipped/>", (0, 1, 0)),
        ("", "<flakyFailure/><flakyError/>", (1, 0, 0)),
        ("", "<failure/><rerunFailure/>", (0, 1, 0)),
        (
            "",
            "<system-out>&lt;failure/></system-out><properties><failure/></properties>",
            (1, 0, 0),
        ),
        (
            "",
            "<system-out><![CDATA[<failure/>]]></system-out>",
            (1, 0, 0),
        ),
    ] {
        assert_eq!(
            went(attributes, children),
            expect,
            "{attributes} {children}"
        );
    }
}

#[test]
fn a_run_that_proves_nothing_is_no_pass() {
    let good = suite(GOOD);
    let config = || json!({ "commands": ["test"] });
    let before = || run(Side::Before, &good);
    for (after, expect) in [
        (run(Side::After, &good).ended("timed-out"), "broken-run"),
        (run(Side::After, &good).ended("signalled"), "broken-run"),
        (run(Side::After, &good).ended("out-of-memory"), "broken-run"),
        (run(Side::After, &good).ended("something-new"), "broken-run"),
        (run(Side::After, &good).exited(101), "broken-run"),
        (
            run(Side::After, &suite(BAD)).ended("timed-out"),
            "broken-run",
        ),
        (TestRun::new("test", Side::After), "no-report"),
        (
            TestRun::new("test", Side::After).report("stdout", "ok"),
            "no-report",
        ),
        (
            TestRun::new("other", Side::After).report("junit", &*good),
            "not-run",
        ),
        (run(Side::After, &suite("")), "empty-report"),
        (run(Side::After, "<testsuites/>"), "empty-report"),
        (run(Side::After, ""), "unreadable-report"),
        (run(Side::After, &good[..40]), "unreadable-report"),
    ] {
        let verdict = judged(config(), vec![before(), after.clone()]);
        assert_eq!(
            (verdict.ruling, rules(&verdict)),
            (Ruling::Fail, vec![expect]),
            "{after:?}"
        );
    }
    // Handed in from elsewhere, the report is all there is.
    let unseen = |report: &str| run(Side::After, report).ended("unseen");
    assert_eq!(
        judged(config(), vec![before(), unseen(&good)]).ruling,
        Ruling::Pass
    );
    let verdict = judged(config(), vec![before(), unseen(&suite(BAD))]);
    assert_eq!(rules(&verdict), ["newly-failing"]);
}

#[test]
fn without_a_run_before_the_operator_decides() {
    let strict = || json!({ "commands": ["test"] });
    let lax = || json!({ "commands": ["test"], "require_before": false });
    let befores = [
        vec![],
        vec![run(Side::Before, &suite(GOOD)).ended("timed-out")],
        vec![run(Side::Before, &suite(GOOD)).exited(2)],
        vec![run(Side::Before, "<")],
    ];
    for before in befores {
        let with = |after: TestRun| [before.clone(), vec![after]].concat();
        let good = run(Side::After, &suite(GOOD));
        let bad = run(Side::After, &suite(BAD)).exited(1);
        let verdict = judged(strict(), with(good.clone()));
        assert_eq!(
            (verdict.ruling, rules(&verdict)),
            (Ruling::Fail, vec!["no-before"])
        );
        let verdict = judged(lax(), with(good));
        assert_eq!(
            (verdict.ruling, rules(&verdict)),
            (Ruling::Pass, vec!["no-before"])
        );
        // Only where it did not run at all is that to be said.
        let help = "on = \"both\" in [command.test], or `require_before = false`";
        let strict = judged(strict(), with(run(Side::After, &suite(GOOD))));
        let expect = if before.is_empty() { help } else { "" };
        assert_eq!(strict.findings[0].help, expect);
        let verdict = judged(lax(), with(bad));
        assert_eq!(
            (verdict.ruling, rules(&verdict)),
            (Ruling::Fail, vec!["newly-failing", "no-before"])
        );
    }
}

#[test]
fn all_commands_and_all_their_reports_count() {
    let both = |side| {
        TestRun::new("test", side)
            .report("junit-a", suite(GOOD))
            .report("junit-b", suite(r#"<testcase classname="c" name="y"/>"#))
            .report("stdout", "text")
    };
    let config = |commands: &[&str]| json!({ "commands": commands, "report": "junit-*" });
    let verdict = judged(
        config(&["test"]),
        vec![both(Side::Before), both(Side::After)],
    );
    assert_eq!(verdict.ruling, Ruling::Pass, "{verdict:?}");
    let one = TestRun::new("test", Side::After).report("junit-a", suite(GOOD));
    let verdict = judged(config(&["test"]), vec![both(Side::Before), one]);
    assert_eq!(rules(&verdict), ["vanished"]);
    let verdict = judged(
        config(&["test", "e2e"]),
        vec![both(Side::Before), both(Side::After)],
    );
    assert_eq!(rules(&verdict), ["not-run"]);
    assert!(verdict.summary.contains("test: 2 tests") && verdict.summary.contains("e2e"));
}

#[test]
fn documents_that_are_not_whole_are_refused() {
    let deep = format!(
        "{}{}",
        "<testsuite>".repeat(101),
        "</testsuite>".repeat(101)
    );
    let laughs =
        "<!DOCTYPE t [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><testsuites name=\"&b;\"/>";
    let counted = "<testsuite failures=\"1\"><testcase name=\"x\"/></testsuite>";
    for (text, expect) in [
        ("", "it is empty"),
        ("   \n", "it is empty"),
        ("plain text", "text outside of the root"),
        ("{\"testsuites\": []}", "text outside of the root"),
        ("<html></html>", "no suite of tests"),
        ("<testsuite>", "it ends too early"),
        ("<testsuite></testsuites>", "expected"),
        ("</testsuite>", "testsuite"),
        ("<testsuite/><testsuite/>", "a second root"),
        ("<testsuite/>text", "text outside of the root"),
        (
            "<testsuite><testcase/></testsuite>",
            "a test without a name",
        ),
        (
            "<testsuite><properties><testcase name=\"x\"/></properties></testsuite>",
            "in no suite",
        ),
        (
            "<testsuite><testcase name=\"x\"><testcase name=\"y\"/></testcase></testsuite>",
            "in no suite",
        ),
        ("<testsuite name=\"&x;\"/>", "x"),
        ("<testsuite>&x;</testsuite>", "an unknown reference &x;"),
        ("<testsuite name=\"a\" name=\"b\"/>", "duplicate"),
        ("<testsuite name=a/>", "must be enclosed"),
        (laughs, "a document type"),
        (
            "<!DOCTYPE t SYSTEM \"file:///etc/passwd\"><testsuite/>",
            "a document type",
        ),
        (&deep, "more than 100 elements"),
        (counted, "counts failures and shows none"),
        (
            "<testsuites errors=\"2\"><testsuite/></testsuites>",
            "counts failures and shows none",
        ),
    ] {
        let mut tests = Tests::default();
        let error = report::read(text.as_bytes(), &mut tests).unwrap_err();
        assert!(error.to_lowercase().contains(expect), "{text}: {error}");
    }
    let mut tests = Tests::default();
    assert!(report::read(b"<testsuite name=\"\xff\"/>", &mut tests).is_err());
    let with_mark = format!(
        "\u{feff}<?xml version=\"1.0\"?>\n<!-- by x -->\n{}\n",
        suite(GOOD)
    );
    report::read(with_mark.as_bytes(), &mut tests).unwrap();
    // A rerun that went well may be counted as a failure.
    let rerun =
        "<testsuite failures=\"1\"><testcase name=\"x\"><flakyFailure/></testcase></testsuite>";
    report::read(rerun.as_bytes(), &mut tests).unwrap();
    // A suite may fail as a whole.
    let mut tests = Tests::default();
    report::read(
        suite("<error message=\"no setup\"/>").as_bytes(),
        &mut tests,
    )
    .unwrap();
    assert_eq!(tests.get("s").map(|tally| tally.failed), Some(1));
}

#[test]
fn findings_have_a_place_and_none_is_left_out() {
    let test = r#"<testcase name="x" file="./src/a.py" line="7"><failure message="m"/></testcase>"#;
    let verdict = judged(
        json!({ "commands": ["test"] }),
        vec![
            run(Side::Before, &suite(GOOD)),
            run(Side::After, &suite(test)).exited(1),
        ],
    );
    let place = &verdict.findings[0].locations[0];
    assert_eq!((place.path.as_str(), place.line), ("src/a.py", 7));
    let many: String = (0..300)
        .map(|n| {
            format!(
                "<testcase name=\"t{n}\"><failure message=\"{}\"/></testcase>",
                "m".repeat(900)
            )
        })
        .collect();
    let verdict = judged(
        json!({ "commands": ["test"] }),
        vec![
            run(Side::Before, &suite(GOOD)),
            run(Side::After, &suite(&many)).exited(1),
        ],
    );
    assert_eq!(verdict.findings.len(), 301);
    assert!(
        verdict.summary.contains("300 newly failing"),
        "{}",
        verdict.summary
    );
    assert!(
        verdict
            .findings
            .iter()
            .all(|finding| finding.message.len() < 300)
    );
}
