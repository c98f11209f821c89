//! Tests of the judgement of gates.

use super::*;
use crate::ids::StepId;
use crate::relpath::RelPath;
use crate::spec::{Allow, Gates, VerdictRules};
use crate::verdict::{FINDINGS_MAX, Finding, LOCATIONS_MAX, Location, Ruling, Severity, Verdict};

fn finding(severity: Severity, rule: &str, path: &str, line: u32, message: &str) -> Finding {
    Finding {
        severity,
        rule: rule.to_owned(),
        message: message.to_owned(),
        locations: if path.is_empty() {
            Vec::new()
        } else {
            vec![Location {
                path: path.to_owned(),
                line,
                column: 0,
            }]
        },
        help: String::new(),
    }
}

fn remark(severity: Severity, status: Status) -> Remark {
    let finding = finding(severity, "a-rule", "a.md", 1, "m");
    let gate = StepId::new("g").unwrap();
    Remark {
        fingerprint: Fingerprints::default().next(&gate, &finding, &[Stands::Line(b"x")]),
        knowable: true,
        finding,
        status,
        excerpt: None,
    }
}

fn stands(ruling: Ruling, remarks: &[Remark], fail_on: Severity) -> Standing {
    let verdict = Verdict {
        ruling,
        findings: remarks
            .iter()
            .map(|remark| remark.finding.clone())
            .collect(),
        summary: String::new(),
    };
    let rules = VerdictRules {
        fail_on,
        ..VerdictRules::default()
    };
    standing(&verdict, remarks, rules)
}

#[test]
fn where_a_gate_stands() {
    use Ruling::{Abstain, Fail, Pass};
    use Severity::{Error, Note, Warning};
    let new = |severity| remark(severity, Status::New);
    let known = |severity| remark(severity, Status::Known);
    let allowed = |severity| {
        let reason = "legacy".to_owned();
        remark(severity, Status::Allowed { reason })
    };
    for (ruling, remarks, fail_on, expect) in [
        (Pass, vec![], Error, Standing::Passed),
        (Abstain, vec![], Error, Standing::Abstained),
        (Fail, vec![], Error, Standing::Failed),
        (Fail, vec![new(Error)], Error, Standing::Failed),
        (Fail, vec![known(Error)], Error, Standing::Excused),
        (Fail, vec![allowed(Error)], Error, Standing::Excused),
        (
            Fail,
            vec![known(Error), new(Error)],
            Error,
            Standing::Failed,
        ),
        // What speaks for the `fail` is the errors, where there are any.
        (
            Fail,
            vec![known(Error), new(Warning)],
            Error,
            Standing::Excused,
        ),
        (
            Fail,
            vec![known(Error), new(Warning)],
            Warning,
            Standing::Failed,
        ),
        (Fail, vec![new(Warning)], Error, Standing::Failed),
        (
            Fail,
            vec![known(Warning), new(Note)],
            Error,
            Standing::Failed,
        ),
        (Pass, vec![new(Warning)], Error, Standing::Passed),
        (Pass, vec![new(Warning)], Warning, Standing::Failed),
        (Pass, vec![known(Warning)], Warning, Standing::Passed),
        (Abstain, vec![new(Note)], Note, Standing::Failed),
    ] {
        let found = stands(ruling, &remarks, fail_on);
        assert_eq!(found, expect, "{ruling:?} {remarks:?} {fail_on:?}");
    }
    // Some were left out, and nobody knows whether they are known.
    let many = vec![known(Error); FINDINGS_MAX];
    assert_eq!(stands(Fail, &many, Error), Standing::Failed);
    let mut many = vec![known(Warning); FINDINGS_MAX];
    assert_eq!(stands(Pass, &many, Warning), Standing::Failed);
    assert_eq!(stands(Abstain, &many, Note), Standing::Failed);
    // No error is left out for a warning.
    assert_eq!(stands(Pass, &many, Error), Standing::Passed);
    many[0] = known(Note);
    assert_eq!(stands(Pass, &many, Warning), Standing::Passed);
}

#[test]
fn a_fingerprint_stays_where_only_lines_move() {
    let gate = StepId::new("g").unwrap();
    let next = |all: &mut Fingerprints, line, message: &str, text: &str| {
        let finding = finding(Severity::Error, "a-rule", "a.md", line, message);
        all.next(&gate, &finding, &[Stands::Line(text.as_bytes())])
    };
    let first = |line, message: &str, text| next(&mut Fingerprints::default(), line, message, text);
    let known = first(3, "the link is broken", "see x");
    assert_eq!(first(9, "the link is broken", "  see x "), known);
    assert_ne!(first(3, "the link is broken", "see y"), known);
    assert_ne!(first(3, "the link is odd", "see x"), known);
    let mut all = Fingerprints::default();
    assert_eq!(next(&mut all, 3, "the link is broken", "see x"), known);
    let second = next(&mut all, 5, "the link is broken", "see x");
    assert_ne!(second, known);
    assert_eq!(known.as_str().len(), 32);
}

#[test]
fn a_baseline_excuses_no_later_tampering() {
    let gate = StepId::new("g").unwrap();
    let print = |line, message: &str| {
        let finding = finding(Severity::Error, "a-rule", "Cargo.lock", line, message);
        let stands = [Stands::Line(b"name = \"a\"")];
        Fingerprints::default().next(&gate, &finding, &stands)
    };
    for (known, later) in [
        (
            "sum ddc6f9aa00 is now aaaaaa0011",
            "sum ddc6f9aa00 is now bbbbbb0011",
        ),
        ("1.0.200 to 1.1.0", "1.1.0 to 1.9.7"),
        ("9 assertions, now 8", "8 assertions, now 2"),
        ("adds a dependency a-b", "adds a dependency a_b"),
        ("adds the feature X", "adds the feature x"),
    ] {
        assert_ne!(print(3, later), print(3, known), "{later}");
        // Not even where the figure is the line's own.
        assert_ne!(print(2, later), print(8, known), "{later}");
    }
}

#[test]
fn a_finding_without_a_line_is_another_when_the_file_is() {
    let gate = StepId::new("g").unwrap();
    let print = |message: &str, stands: &[Stands]| {
        let finding = finding(Severity::Error, "denied", "infra/a.tf", 0, message);
        Fingerprints::default().next(&gate, &finding, stands)
    };
    let file = |mode, blob| Stands::File { mode, blob };
    let known = print("it is denied", &[file(0o100_644, "aa")]);
    assert_eq!(print("it is denied", &[file(0o100_644, "aa")]), known);
    for (message, stands) in [
        ("it is denied", file(0o100_644, "bb")),
        ("it is denied", file(0o100_755, "aa")),
        ("it is denied", Stands::Nothing),
        ("it is denied", Stands::Line(b"aa")),
        ("it is denied 2", file(0o100_644, "aa")),
    ] {
        assert_ne!(print(message, &[stands]), known, "{message} {stands:?}");
    }
    // Bytes that are no text are still those of this line.
    assert_ne!(
        print("a secret", &[Stands::Line(b"\xffone")]),
        print("a secret", &[Stands::Line(b"\xfftwo")]),
    );
}

#[test]
fn only_what_stands_somewhere_can_be_known() {
    let mut finding = finding(Severity::Error, "a-rule", "a.md", 1, "m");
    let line = Stands::Line(b"x");
    assert!(is_bound(&finding, &[line]));
    assert!(!is_bound(&finding, &[Stands::Nothing]));
    assert!(!is_bound(&finding, &[]));
    let place = finding.locations.remove(0);
    assert!(!is_bound(&finding, &[]));
    finding.locations = vec![place.clone(); 2];
    assert!(is_bound(&finding, &[line, line]));
    assert!(!is_bound(&finding, &[line, Stands::Nothing]));
    // There may have been more places.
    finding.locations = vec![place; LOCATIONS_MAX];
    assert!(!is_bound(&finding, &[line; LOCATIONS_MAX]));
}

#[test]
fn a_comment_counts_where_the_operator_says_so_and_with_a_reason() {
    let comments = Comments::new(&[Allow {
        rules: vec!["secret-*".to_owned(), "no-unwrap".to_owned()],
        paths: vec!["tests/**".to_owned()],
    }])
    .unwrap();
    let said = |rule: &str, path: &str, line: &str| {
        comments.reason(rule, &RelPath::lexical(path).unwrap(), [line])
    };
    let line = "x // ringfence:allow no-unwrap: it is a test */";
    assert_eq!(
        said("no-unwrap", "tests/a.rs", line).unwrap(),
        "it is a test"
    );
    let html = "<!-- ringfence:allow secret-aws: an example -->";
    assert_eq!(
        said("secret-aws", "tests/a.md", html).unwrap(),
        "an example"
    );
    for (rule, path, line) in [
        ("no-unwrap", "src/a.rs", line),
        ("other", "tests/a.rs", "// ringfence:allow other: why"),
        ("no-unwrap", "tests/a.rs", "// ringfence:allow no-unwrap"),
        (
            "no-unwrap",
            "tests/a.rs",
            "// ringfence:allow no-unwrap:   ",
        ),
        (
            "no-unwrap",
            "tests/a.rs",
            "// ringfence:allow no-unwraps: why",
        ),
        (
            "no-unwrap",
            "tests/a.rs",
            "// ringfence:allowno-unwrap: why",
        ),
        ("no-unwrap", "tests/a.rs", "// nothing"),
    ] {
        assert_eq!(said(rule, path, line), None, "{rule} {path} {line}");
    }
    let lacks = |rule: &str, path: &str, line: &str| {
        comments.lacks_reason(rule, &RelPath::lexical(path).unwrap(), [line])
    };
    for (rule, path, line, expect) in [
        (
            "no-unwrap",
            "tests/a.rs",
            "// ringfence:allow no-unwrap",
            true,
        ),
        (
            "no-unwrap",
            "tests/a.rs",
            "/* ringfence:allow no-unwrap: */",
            true,
        ),
        ("no-unwrap", "tests/a.rs", line, false),
        (
            "no-unwrap",
            "src/a.rs",
            "// ringfence:allow no-unwrap",
            false,
        ),
        (
            "no-unwrap",
            "tests/a.rs",
            "// ringfence:allow no-unwraps",
            false,
        ),
        ("no-unwrap", "tests/a.rs", "// nothing", false),
    ] {
        assert_eq!(lacks(rule, path, line), expect, "{rule} {path} {line}");
    }
}

#[test]
fn a_baseline_is_whole_or_an_error() {
    let print = remark(Severity::Error, Status::New).fingerprint;
    let line =
        format!(r#"{{"gate":"g","path":"a","rule":"r","message":"m","fingerprint":"{print}"}}"#);
    let text = format!(r#"{{"version":2,"findings":[{line}]}}"#);
    assert!(Baseline::parse(&text).unwrap().knows(&print));
    assert!(!Baseline::default().knows(&print));
    for bad in [
        String::new(),
        "{}".to_owned(),
        text.replace("\"version\":2", "\"version\":3"),
        text.replace("\"gate\"", "\"gates\""),
        r#"{"version":2,"findings":[],"more":1}"#.to_owned(),
    ] {
        let found = Baseline::parse(&bad);
        assert!(matches!(found, Err(BaselineError::Content(_))), "{bad}");
    }
    for old in ["[]", r#"[{"of":"another shape"}]"#] {
        let old = format!(r#"{{"version":1,"findings":{old}}}"#);
        let found = Baseline::parse(&old);
        assert_eq!(found, Err(BaselineError::Old { found: 1 }), "{old}");
    }
}

#[test]
fn a_baseline_keeps_what_nobody_was_asked_about() {
    let known = |gate: &str, line: &'static str| {
        let finding = finding(Severity::Error, "a-rule", "a.md", 1, "m");
        let id = StepId::new(gate).unwrap();
        let stands = [Stands::Line(line.as_bytes())];
        KnownFinding {
            gate: gate.to_owned(),
            path: "a.md".to_owned(),
            rule: finding.rule.clone(),
            message: finding.message.clone(),
            fingerprint: Fingerprints::default().next(&id, &finding, &stands),
        }
    };
    let old: Baseline = [known("links", "1"), known("links", "2"), known("size", "1")]
        .into_iter()
        .collect();
    let mut new: Baseline = [known("links", "2")].into_iter().collect();
    assert_eq!(old.lost_in(&new).count(), 2);
    new.keep(&old, |gate| gate == "links");
    assert_eq!((new.count(), old.lost_in(&new).count()), (2, 1));
    assert_eq!(Baseline::parse(&new.text()).unwrap(), new);
}

#[test]
fn a_gates_file_is_read_like_a_loop_file() {
    let text = r#"
[paths]
deny = ["private/**"]
[verdict]
fail_on = "warning"
unjudged = "refused"
baseline = "ci/known.json"
[[allow]]
rules = ["broken-link"]
paths = ["docs/**"]
[[gate]]
plugin = "std:paths"
config = { deny = ["x/**"] }
[[gate]]
id = "size"
plugin = "std:diff-size"
limits = { fuel = "1G" }
"#;
    let (gates, warnings) = Gates::parse(text, "ringfence-gates.toml").unwrap();
    assert_eq!(warnings, []);
    let ids: Vec<_> = gates.gates.iter().map(|gate| gate.id.as_str()).collect();
    assert_eq!(ids, ["paths", "size"]);
    assert_eq!(gates.verdict.fail_on, Severity::Warning);
    assert!(gates.verdict.require_some);
    assert_eq!(gates.baseline.unwrap().as_str(), "ci/known.json");
    assert_eq!(gates.paths.read, ["**"]);
    let (_, warnings) = Gates::parse(crate::spec::gates_template(), "g").unwrap();
    assert_eq!(warnings, []);
    for (bad, code) in [
        ("", "missing-key"),
        ("[[gate]]\nplugin = \"std:a\"\nwrite = []", "unknown-key"),
        (
            "[paths]\nwrite = []\n[[gate]]\nplugin = \"std:a\"",
            "not-supported",
        ),
        (
            "[[gate]]\nplugin = \"std:a\"\n[[gate]]\nplugin = \"std:a\"",
            "duplicate-id",
        ),
        (
            "[verdict]\nbaseline = \"../x\"\n[[gate]]\nplugin = \"std:a\"",
            "bad-path",
        ),
        (
            "[[allow]]\nrules = [\"A\"]\npaths = []\n[[gate]]\nplugin = \"std:a\"",
            "bad-rule",
        ),
        (
            "[[allow]]\nrules = [\"*\"]\npaths = []\n[[gate]]\nplugin = \"std:a\"",
            "bad-rule",
        ),
        ("[[gate]", "toml"),
    ] {
        let found = Gates::parse(bad, "g").unwrap_err();
        let codes: Vec<_> = found.iter().map(|problem| problem.code).collect();
        assert!(codes.contains(&code), "{bad}: {codes:?}");
    }
}

#[test]
fn a_gates_file_may_hold_gates_to_their_fuel() {
    let gates = |fuel: &str| {
        let text = format!("{fuel}\n[[gate]]\nplugin = \"std:paths\"\n");
        Gates::parse(&text, "g.toml").map(|(gates, _)| gates.fuel)
    };
    assert_eq!(gates("").unwrap(), FuelRules::default());
    let found = gates("[fuel]\nregression = \"2.5%\"\nfile = \"ci/gates.fuel\"").unwrap();
    assert_eq!(found.regression.unwrap().to_string(), "2.5%");
    assert_eq!(found.file.unwrap().as_str(), "ci/gates.fuel");
    for bad in [
        "[fuel]\nregression = \"-5%\"",
        "[fuel]\nregression = \"5\"",
        "[fuel]\nregression = 5",
        "[fuel]\nfile = \"../gates.fuel\"",
        "[fuel]\nfile = \"/gates.fuel\"",
        "[fuel]\nmore = 1",
    ] {
        assert!(gates(bad).is_err(), "{bad}");
    }
}
