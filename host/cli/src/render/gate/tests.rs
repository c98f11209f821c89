//! Every format of a rich report: how it looks, that its published schema takes it, and that nothing that is said in it is
//! ever more than text.

mod sample;
mod schemas;
mod shape;

use ringfence_core::gating::{Outcome, Report, Standing};
use ringfence_core::verdict::Severity;

use self::sample::{made, sample, with_paths};
use super::*;
use crate::render::safe::is_treacherous;

/// What a hostile component says wherever it can.
const EVIL: &str = "\u{1b}[2J'\"<b>&amp;]]></x>|`a`` ::error::x\r\n::set-output name=a::b ##[add-mask]e ##vso[x] \
     @octocat ![i](http://x) <!-- --> \u{202e}$1$ %0A{0}\0\u{fffe}é";

fn written(report: &Report, format: Format) -> String {
    write(report, 1, format).unwrap()
}

fn formats() -> impl Iterator<Item = Format> {
    Format::value_variants().iter().copied()
}

#[test]
fn the_page() {
    insta::assert_snapshot!(written(&sample(), Format::Text), @r#"
    judged: worktree against main (1f3870be274f): 17 files, +340 −21
    by the gates of ringfence-gates.toml as it is in main

    scope
      error[case-clash] `README.md` and `readme.md` are one file on some systems
        at readme.md

    md-links
      error[broken-link] `gone.md` leads to no file
        --> docs/guide.md:31:5
           |
        31 | See [what is gone](gone.md) before you begin.
           |     ^
        also at docs/other page.md:4
        help: write the file, or name another
      warning[bare-link] a link without words
        --> docs/guide.md:40
           |
        40 |     <https://example.org>
           |
      note[orphan] no page leads to this one
        at docs/lost.md
      note[many-links] 14 links were looked at
      known[known-link] at docs/history.md:7:3
      allowed[allowed-link] at docs/history.md:7:3: the page is kept as it was
      accepted[accepted-link] at docs/history.md:7:3

    md-links said
      warn: one page is no UTF-8

    secrets
      error[private-key] a private key
        at deploy/key.pem:1:1

    no-test-weakening
      known[weaker-test] at tests/a.rs:12:1

    diff-size
      error[refused] 17 files, more than the 10 that are allowed

    schema
      broken[out-of-fuel] out of fuel: used 500000000 of 500000000
        help: if that is what such a change takes, allow more in its [[gate]]:
              `limits = { fuel = "20G" }`; `ringfence gate fuel --profile` shows
              where it goes

    schema said
      debug: file 3 of 9

    denied
      gate md-links wanted to read private/notes.md (2 times): not in the step's
        list
          to allow it, in the step's paths: read = ["private/notes.md"]

    native programs
      test (before): reports were handed in; did not run here
      test (after): exited with 101 after 1.2s; confined by the system
        the last 2 lines that it said on stderr:
        | > test reads_links: FAILED
        | > left: 1
      lint (after): ended: out of time after 1.2s; not confined, with network
        its memory could not be bounded here

    gates
      passed     paths: all 17 files are where they may be (1.23M of 500M fuel,
                 remembered)
      failed     md-links: 2 of 14 links lead nowhere (1.23M of 500M fuel, 3ms)
      failed     secrets: 1 secret in added lines (1.23M of 500M fuel, 3ms)
      excused    no-test-weakening: 1 assertion is gone (1.23M of 500M fuel, 3ms)
      abstained  licence-header: no source file was changed (1.23M of 500M fuel,
                 3ms)
      failed     diff-size: 17 files, more than the 10 that are allowed (1.23M of
                 500M fuel, 3ms)
      broken     schema: out-of-fuel: out of fuel: used 500000000 of 500000000
                 (1.23M of 500M fuel, 3ms)

    broken: `scope` refused it; 1 gave no verdict, 3 failed, 1 excused by what is
      known or allowed, 1 passed, 1 abstained, of 7 gates
      6 findings, 2 known, 1 allowed, 1 accepted; 7.41M fuel, 18ms in gates; errors
        fail
    "#);
}

#[test]
fn the_formats() {
    for format in formats().filter(|format| *format != Format::Text) {
        let name = format!("{format:?}").to_lowercase();
        insta::assert_snapshot!(name.clone(), written(&sample(), format));
        insta::assert_snapshot!(format!("{name}_hostile"), written(&made(EVIL), format));
    }
}

#[test]
fn the_hostile_page() {
    insta::assert_snapshot!("text_hostile", written(&made(EVIL), Format::Text));
}

#[test]
fn schemas_take_what_is_written() {
    for report in [sample(), made(EVIL), made("said"), nothing()] {
        for format in formats() {
            schemas::check(format, &written(&report, format));
        }
    }
}

#[test]
fn json_is_the_report() {
    for report in [sample(), made(EVIL), nothing()] {
        let json = written(&report, Format::Json);
        let back: Report = serde_json::from_str(&json).unwrap();
        assert_eq!(back, report);
    }
}

/// A run in which nothing was asked and nothing changed.
fn nothing() -> Report {
    Report {
        outcome: Outcome::Unjudged,
        host: Vec::new(),
        gates: Vec::new(),
        commands: Vec::new(),
        ..sample()
    }
}

#[test]
fn what_is_said_is_text() {
    let shapes: Vec<_> = formats()
        .map(|format| shape::of(format, &written(&made("said"), format)).unwrap())
        .collect();
    let long = "]]>::error::".repeat(200);
    let mut wrong = Vec::new();
    for said in [
        EVIL,
        "</td></table><script>alert(1)</script>",
        "\"/><error line=\"1\" message=\"x",
        "' onload='x",
        "--><!-- x -->",
        "]]>",
        "&lt;&#60;&#x3c;&notanentity;",
        "\n\n# heading\n\n- item\n\n| a | b |\n|---|---|",
        "\0\u{1}\u{85}\u{feff}\u{202e}\u{2066}\u{fffe}\u{ffff}",
        "::endgroup::",
        "a\r\n::add-mask::x\u{85}::add-mask::x\u{2028}::add-mask::x\u{b}::add-mask::x",
        "word \u{a0}::stop-commands::x \u{3000}::error::y",
        "##[set-output name=a;]b ###[group]x",
        "%0A::error::x%25",
        "`` ` ``` ````",
        "\\",
        long.as_str(),
        "",
    ] {
        for (format, expect) in formats().zip(&shapes) {
            let out = written(&made(said), format);
            let problems = schemas::problems(format, &out);
            match shape::of(format, &out) {
                Ok(found) if found == *expect && problems.is_empty() => {}
                Ok(found) => wrong.push(format!(
                    "{format:?} {said:.40}: {:?} {problems:?}",
                    found.iter().find(|part| !expect.contains(part))
                )),
                Err(why) => wrong.push(format!("{format:?} {said:.40}: {why}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_moves_a_terminal() {
    for format in formats() {
        let out = written(&made(EVIL), format);
        let found: Vec<char> = out
            .chars()
            .filter(|c| *c != '\n' && is_treacherous(*c))
            .collect();
        assert!(found.is_empty(), "{format:?}: {found:?}");
    }
}

#[test]
fn paths_are_names_of_files_and_nothing_else() {
    for path in [
        "/etc/passwd",
        "../../x",
        "a\0b",
        "c:\\x",
        "",
        ".",
        "http://x/y",
        "a b/ü?x#y%41",
        "::error::x",
        "a,line=1::x",
    ] {
        let report = with_paths(path);
        for format in formats() {
            let out = written(&report, format);
            shape::of(format, &out).unwrap_or_else(|why| panic!("{format:?} {path:?}: {why}"));
            schemas::check(format, &out);
            let shown = matches!(format, Format::Json)
                || !out.contains("/etc/passwd") && !out.contains("..");
            assert!(shown, "{format:?} {path:?}: {out}");
        }
    }
}

/// A failed run says so in every format that knows nothing but remarks, even where no finding does.
#[test]
fn what_fails_is_told_everywhere() {
    let words = |report: &Report, word: &str| {
        for format in formats() {
            let out = written(report, format);
            assert!(out.contains(word), "{format:?} lacks {word}: {out}");
        }
    };
    let mut unvouched = nothing();
    unvouched.outcome = Outcome::Failed;
    unvouched.rules.require_some = true;
    for format in formats().filter(|format| *format != Format::Json) {
        let out = written(&unvouched, format);
        assert!(
            out.contains("no gate passed this change"),
            "{format:?}: {out}"
        );
    }
    let only = |standing| {
        let mut report = sample();
        report.host.clear();
        report
            .gates
            .retain(|gate| gate.standing == standing && gate.remarks.is_empty());
        assert_eq!(report.gates.len(), 1);
        report
    };
    words(
        &only(Standing::Failed),
        "17 files, more than the 10 that are allowed",
    );
    words(&only(Standing::Broken), "out-of-fuel");
}

#[test]
fn a_run_without_a_gate_says_so() {
    let out = written(&nothing(), Format::Text);
    assert!(out.contains("\nunjudged: no gate was asked\n"), "{out}");
}

#[test]
fn what_does_not_count_annotates_nothing() {
    for format in [Format::Github, Format::Rdjson, Format::Checkstyle] {
        let out = written(&sample(), format);
        for rule in ["known-link", "allowed-link", "accepted-link", "weaker-test"] {
            assert!(!out.contains(rule), "{format:?} {rule}: {out}");
        }
    }
}

/// `number` remarks of one gate.
fn many(severity: Severity, number: usize, said: &str) -> Report {
    let mut report = made(said);
    let mut gate = report.gates.remove(1);
    let mut remark = gate.remarks[0].clone();
    remark.finding.severity = severity;
    gate.remarks = vec![remark; number];
    report.gates = vec![gate];
    report.host.clear();
    report
}

#[test]
fn github_is_given_what_it_shows() {
    for (number, annotations) in [(10, 10), (11, 10), (1_000, 10)] {
        let out = written(&many(Severity::Warning, number, "said"), Format::Github);
        let found = out
            .lines()
            .filter(|line| line.starts_with("::warning "))
            .count();
        assert_eq!(found, annotations, "{number}");
        assert_eq!(
            out.contains(" more, listed in the log of this step"),
            number > 10
        );
    }
    let out = written(&many(Severity::Warning, 30, "said"), Format::Github);
    assert!(
        out.contains("::warning title=ringfence gate::21 more, listed in the log of this step\n"),
        "{out}"
    );
    assert_eq!(
        out.lines()
            .filter(|line| line.starts_with("warning["))
            .count(),
        21
    );
}

#[test]
fn a_summary_is_never_more_than_github_takes() {
    let longest = "\u{10ffff}".repeat(1_000);
    let mut report = many(Severity::Error, 200, &longest);
    let mut gate = report.gates[0].clone();
    gate.remarks = Vec::new();
    report.gates.extend(vec![gate; 200]);
    let out = written(&report, Format::Summary);
    assert!(out.len() < 1 << 20, "{} bytes", out.len());
    assert!(out.contains("… and "));
}

#[test]
fn pages_have_an_end() {
    let out = written(
        &many(Severity::Error, 1_000, &"w".repeat(1 << 12)),
        Format::Text,
    );
    assert!(out.len() < 200_000, "{} bytes", out.len());
    assert!(out.contains("980 more findings"));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(32))]
    #[test]
    fn whatever_is_said_a_report_keeps_its_shape(text in "[\\[\\]<>&\"'`|:#%@!{}/=, \\n\\r\\\\a-c\\p{any}]{0,60}") {
        let plain = made("said");
        let said = made(&text);
        for format in formats() {
            let expect = shape::of(format, &written(&plain, format));
            proptest::prop_assert_eq!(shape::of(format, &written(&said, format)), expect);
        }
    }
}
