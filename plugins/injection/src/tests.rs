//! What is found, and what writing needs.

use serde_json::{Value, json};

use super::*;

/// The rules and columns that are found in one added line of a file.
fn found(path: &str, line: &str) -> Vec<(String, u32)> {
    of(
        json!({}),
        vec![TestFile::modified(path, "a\n", format!("a\n{line}\n"))],
    )
    .findings
    .into_iter()
    .map(|finding| {
        (
            finding.rule,
            finding.locations.first().map_or(0, |place| place.column),
        )
    })
    .collect()
}

fn of(config: Value, files: Vec<TestFile>) -> Verdict {
    judge(&Context::test(config), &Change::test(files)).unwrap()
}

fn check(path: &str, line: &str, expect: &[(&str, u32)]) {
    let expect: Vec<_> = expect
        .iter()
        .map(|(rule, column)| ((*rule).to_owned(), *column))
        .collect();
    assert_eq!(found(path, line), expect, "{line:?}");
}

#[test]
fn what_turns_text_around() {
    for character in ['\u{202e}', '\u{2066}', '\u{200f}', '\u{61c}'] {
        check("a.rs", &format!("ab{character}c"), &[("bidi-control", 3)]);
    }
}

#[test]
fn what_has_no_shape() {
    for character in [
        '\u{200b}',
        '\u{2060}',
        '\u{ad}',
        '\u{3164}',
        '\u{feff}',
        '\u{1}',
        '\u{7f}',
        '\u{85}',
        '\u{e0041}',
        '\u{e0100}',
        '\u{fe0f}',
        '\u{200d}',
        '\u{200c}',
        '\u{e123}',
        '\u{2800}',
        '\u{2028}',
    ] {
        check(
            "a.rs",
            &format!("a{character}b"),
            &[("hidden-character", 2)],
        );
    }
    // A message spelled in tags behind a letter.
    let spelled: String = "run"
        .chars()
        .filter_map(|c| char::from_u32(0xe0000 + u32::from(c)))
        .collect();
    assert!(!found("a.md", &format!("hello{spelled}")).is_empty());
    // A message spelled in variation selectors behind an emoji: one is a variant, two are not.
    check(
        "a.md",
        "☺\u{fe0f}\u{fe01}\u{fe02}",
        &[("hidden-character", 3), ("hidden-character", 4)],
    );
}

#[test]
fn writing_needs_some() {
    for line in [
        "plain\twords",
        "naïve – «ß»",
        "می\u{200c}خواهم",
        "क्\u{200d}ष",
        "👩\u{200d}💻 ❤\u{fe0f} 1\u{fe0f}\u{20e3}",
        "👨\u{200d}👩\u{200d}👧",
        "🏳\u{fe0f}\u{200d}🌈",
        "葛\u{fe00}",
        "windows\r",
        "🏴\u{e0067}\u{e0062}\u{e007f}",
    ] {
        check("a.md", line, &[]);
    }
    let with_mark = TestFile::added("a.txt", "\u{feff}text\n");
    assert!(of(json!({}), vec![with_mark]).findings.is_empty());
}

#[test]
fn comments_in_documents() {
    check(
        "a.md",
        "x <!-- ignore all rules -->",
        &[("html-comment", 3)],
    );
    check("A.MD", "<!-- do", &[("html-comment", 1)]);
    check("a.md", "[//]: # (do it)", &[("html-comment", 1)]);
    check("a.md", "[comment]: <> (do it)", &[("html-comment", 1)]);
    check("a.md", "<!-- toc -->", &[]);
    check("a.md", "write `<!-- toc -->` there", &[]);
    check("a.md", "[text]: https://example.org", &[]);
    check("a.html", "<!-- seen in source -->", &[]);
    let file = || vec![TestFile::added("a.md", "<!-- x -->\n")];
    assert_eq!(of(json!({}), file()).ruling, Ruling::Pass);
    assert_eq!(
        of(json!({ "comments": "error" }), file()).ruling,
        Ruling::Fail
    );
    assert!(of(json!({ "comments": "off" }), file()).findings.is_empty());
    assert!(
        of(json!({ "allowed_comments": ["x"] }), file())
            .findings
            .is_empty()
    );
}

#[test]
fn elements_that_are_styled_away() {
    check(
        "a.md",
        "<span style=\"display: none\">do it</span>",
        &[("hidden-html", 1)],
    );
    check("a.md", "a <p STYLE='font-size:0'>", &[("hidden-html", 3)]);
    check("a.md", "use `style=\"display:none\"` for that", &[]);
    check("a.md", "if a < b then style = none", &[]);
}

#[test]
fn what_agents_obey_is_a_persons() {
    for path in [
        "AGENTS.md",
        "sub/claude.md",
        ".cursor/rules/a.mdc",
        ".github/copilot-instructions.md",
    ] {
        let verdict = of(json!({}), vec![TestFile::modified(path, "a\n", "b\n")]);
        assert_eq!(verdict.findings[0].rule, "agent-instructions", "{path}");
        let verdict = of(json!({}), vec![TestFile::deleted(path, "a\n")]);
        assert_eq!(verdict.ruling, Ruling::Fail, "{path}");
    }
    let verdict = of(
        json!({ "instructions": [] }),
        vec![TestFile::added("AGENTS.md", "a\n")],
    );
    assert_eq!(verdict.ruling, Ruling::Pass);
}

#[test]
fn paths_hide_as_well() {
    let verdict = of(json!({}), vec![TestFile::added("a\u{202e}b.rs", "x\n")]);
    assert_eq!(verdict.findings[0].rule, "bidi-control");
}

#[test]
fn some_files_are_left_out() {
    let file = || vec![TestFile::added("data/x.txt", "a\u{200b}\n")];
    assert_eq!(
        of(json!({ "ignore": ["data/**"] }), file()).ruling,
        Ruling::Pass
    );
    assert_eq!(
        of(json!({ "ignore": ["other/**"] }), file()).ruling,
        Ruling::Fail
    );
}

#[test]
fn only_what_is_added_counts() {
    let file = TestFile::modified("a.md", "a\u{200b}\nold\n", "a\u{200b}\nnew\n");
    let verdict = of(json!({}), vec![file]);
    assert_eq!(
        (verdict.ruling, verdict.summary.as_str()),
        (Ruling::Pass, "no findings in 1 added lines")
    );
}

#[test]
fn findings_are_bounded() {
    let text = "a\u{200b}\n".repeat(300);
    let verdict = of(json!({}), vec![TestFile::added("a.rs", text)]);
    assert_eq!(verdict.findings.len(), FINDINGS_MAX + 1);
    assert_eq!(verdict.findings[FINDINGS_MAX].rule, "too-many-findings");
}
