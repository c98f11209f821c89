//! Tests of receipts of gates.

use super::super::{ChangeFacts, Fingerprints, FuelRules, Judged, Status};
use super::*;
use crate::journal::StepReceipt;
use crate::manifest::Role;
use crate::policy::PolicySpec;
use crate::verdict::{Finding, Severity};

fn remark() -> Remark {
    let finding = Finding {
        severity: Severity::Error,
        rule: "a-rule".to_owned(),
        message: "a \u{202e}message\n".to_owned(),
        locations: Vec::new(),
        help: String::new(),
    };
    Remark {
        fingerprint: Fingerprints::default().next(&id("g"), &finding, &[]),
        knowable: false,
        finding,
        status: Status::New,
        excerpt: None,
    }
}

fn id(name: &str) -> StepId {
    StepId::new(name).unwrap()
}

fn report() -> Report {
    let side = |name: &str| TreeName {
        name: name.to_owned(),
        commit: Some("1".repeat(40)),
        tree: "2".repeat(40),
    };
    let gate = |name: &str| Judged {
        gate: id(name),
        plugin: "std:paths".to_owned(),
        name: "paths".to_owned(),
        version: "1.0.0".to_owned(),
        standing: Standing::Failed,
        ruling: Some(Ruling::Fail),
        failure: None,
        summary: "no".to_owned(),
        remarks: vec![remark()],
        receipt: StepReceipt::new(
            id(name),
            Role::Gate,
            Digest::of(b"component"),
            Digest::of(b"grant"),
            Digest::of(b"config"),
        ),
        log: Vec::new(),
        ms: 7,
    };
    Report {
        outcome: Outcome::Failed,
        base: side("main"),
        head: side("HEAD"),
        change: ChangeFacts {
            digest: Digest::of(b"change"),
            files: 1,
            lines_added: 2,
            lines_removed: 3,
            commits: 1,
        },
        file: "ringfence-gates.toml".to_owned(),
        file_digest: Digest::of(b"file"),
        rules_from: None,
        rules: VerdictRules::default(),
        host: Vec::new(),
        gates: vec![gate("a"), gate("b")],
        not_asked: Vec::new(),
        commands: Vec::new(),
        outputs: Vec::new(),
    }
}

/// A gates file without gates.
fn locked(text: &[u8]) -> LockedGates {
    LockedGates {
        name: "ringfence-gates.toml".to_owned(),
        file_digest: Digest::of(text),
        gates: Vec::new(),
        verdict: VerdictRules::default(),
        baseline: None,
        allow: Vec::new(),
        commands: Vec::new(),
        command_policy: PolicySpec {
            layers: Vec::new(),
            deny: Vec::new(),
        },
        fuel: FuelRules::default(),
    }
}

fn receipt() -> Receipt {
    let ran = Ran {
        ringfence: "0.1.0".to_owned(),
        engine: "wasmtime 48, prices 2".to_owned(),
        at: "2026-01-02T03:04:05Z".parse().unwrap(),
        who: "me".to_owned(),
        clock: 5,
        file: RelPath::lexical("ringfence-gates.toml").unwrap(),
        rules_from: None,
        baseline: None,
        fuel: Some(HeldFuel {
            allowed: "5%".parse().unwrap(),
            required: true,
            file: Digest::of(b"fuel"),
        }),
        exit: 1,
        signed_off_by: "Me \u{1b}[31m<me@example.com>".to_owned(),
    };
    Receipt::of(&report(), &locked(b"file"), ran)
}

/// The line with something else in it, and a sum that fits.
fn altered(from: &str, to: &str) -> String {
    let line = receipt().line().unwrap();
    let (open, _) = line.rsplit_once(SUM_START).unwrap();
    assert!(open.contains(from), "{from}");
    let open = open.replacen(from, to, 1);
    let sum = Digest::of(open.as_bytes());
    format!("{open}{SUM_START}{sum}{SUM_END}")
}

#[test]
fn a_line_reads_back() {
    let line = receipt().line().unwrap();
    assert_eq!(Receipt::read(&line).unwrap(), receipt());
    assert!(!line.contains('\n') && !line.contains("\\u001b"), "{line}");
    assert_eq!(receipt().came_otherwise(&receipt()), []);
}

#[test]
fn a_line_fits_the_schema_and_the_schema_the_line() {
    let schema = jsonschema::validator_for(&receipt_schema()).unwrap();
    let line: Value = serde_json::from_str(&receipt().line().unwrap()).unwrap();
    let wrong: Vec<String> = schema
        .iter_errors(&line)
        .map(|error| error.to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    for field in line.as_object().unwrap().keys() {
        let mut less = line.clone();
        less.as_object_mut().unwrap().remove(field);
        assert!(!schema.is_valid(&less), "{field} may be missing");
    }
}

#[test]
fn what_is_damaged_or_foreign_is_no_receipt() {
    let line = receipt().line().unwrap();
    let deep = format!("\"v\":1,\"deep\":{}{},", "[".repeat(500), "]".repeat(500));
    for (bad, expect) in [
        (String::new(), "sum"),
        ("{}".to_owned(), "sum"),
        (line.get(..line.len() - 1).unwrap().to_owned(), "sum"),
        (line.replace("\"exit\":1", "\"exit\":0"), "sum"),
        (format!("{line} "), "sum"),
        (format!("{line}{line}"), "sum"),
        ("x".repeat(RECEIPT_BYTES_MAX + 1), "bytes"),
        (altered("\"v\":1", "\"v\":2"), "version 2"),
        (altered("\"v\":1", "\"v\":\"1\""), "version"),
        (altered("\"v\":1,", ""), "version null"),
        (altered("\"v\":1,", "\"v\":1,\"more\":1,"), "more"),
        (altered("\"v\":1,", &deep), "deep"),
        (altered("\"fail_on\"", "\"more\":1,\"fail_on\""), "spelled"),
        (altered("\"v\":1,", "\"v\": 1,"), "spelled"),
        (altered("\"exit\":1", "\"exit\":256"), "256"),
        (altered("\"exit\":1", "\"exit\":\"1\""), "string"),
        (altered("\"clock\":5", "\"clock\":5e99"), "invalid"),
        (altered("ringfence-gates.toml", "../../etc/passwd"), ""),
        (altered("ringfence-gates.toml", "/etc/passwd"), ""),
        (altered(&"2".repeat(40), "--upload-pack=x"), "no git id"),
        (altered(&"1".repeat(40), "HEAD"), "no git id"),
        (altered("\"gate\":\"b\"", "\"gate\":\"a\""), "twice"),
        (altered("\"gate\":\"b\"", "\"gate\":\"../b\""), ""),
        (altered("\"blake3:", "\"md5:"), "digest"),
        (
            altered("\"standing\":\"failed\"", "\"standing\":\"fine\""),
            "fine",
        ),
        (
            altered("\"HEAD\"", &format!("{:?}", "x".repeat(5_000))),
            "too long",
        ),
    ] {
        let error = Receipt::read(&bad).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}: {expect}");
        assert!(error.chars().count() < 300, "{error}");
    }
}

#[test]
fn what_came_otherwise_is_named() {
    let changed = |change: fn(&mut Receipt)| {
        let mut now = receipt();
        change(&mut now);
        let found = receipt().came_otherwise(&now);
        let named = |one: &Difference| (one.gate.clone().unwrap_or_default(), one.what);
        found.iter().map(named).collect::<Vec<_>>()
    };
    let gate = |gate: &str, what| (gate.to_owned(), what);
    assert_eq!(
        changed(|now| now.outcome = Outcome::Passed),
        [gate("", "outcome")]
    );
    assert_eq!(changed(|now| now.engine.clear()), [gate("", "engine")]);
    assert_eq!(changed(|now| now.exit = 0), [gate("", "exit")]);
    assert_eq!(
        changed(|now| now.gates[1].fuel = Some(Fuel(1))),
        [gate("b", "fuel")]
    );
    assert_eq!(
        changed(|now| now.gates[0].findings = Digest::of(b"other")),
        [gate("a", "findings")]
    );
    assert_eq!(
        changed(|now| drop(now.gates.remove(0))),
        [gate("a", "gate")]
    );
    assert_eq!(
        changed(|now| now.gates[0].gate = id("c")),
        [gate("a", "gate"), gate("c", "gate")]
    );
    // Neither when nor by whom it was run, nor whether it was remembered, is what came of it.
    assert_eq!(
        changed(|now| {
            now.who.clear();
            now.signed_off_by.clear();
            now.at = Timestamp::UNIX_EPOCH;
            now.gates[0].memo = true;
        }),
        []
    );
}

#[test]
fn what_decides_otherwise_is_named() {
    let found =
        receipt().decided_otherwise(&locked(b"another"), Some(Digest::of(b"baseline")), None);
    let found: Vec<_> = found
        .iter()
        .map(|one| (one.gate.as_deref().unwrap_or_default(), one.what))
        .collect();
    assert_eq!(
        found,
        [
            ("", "gates file"),
            ("", "baseline"),
            ("", "fuel file"),
            ("a", "gate"),
            ("b", "gate")
        ]
    );
}
