//! The format: what is written is read back, whole, up to a torn tail, or not at all.

use proptest::prelude::*;
use serde_json::json;

use crate::call::{Spent, Usage};
use crate::change::ChangeKind;
use crate::evidence::{CommandReceipt, Confinement, Ended, Report, Side};
use crate::failure::{Failure, FailureClass};
use crate::ids::BeatNo;
use crate::journal::sample::*;
use crate::journal::*;
use crate::manifest::Role;
use crate::policy::{Access, Denial, DenySource, Rule};
use crate::quantity::{Bytes, Fuel};
use crate::relpath::RelPath;
use crate::snapshot::SensorSignal;
use crate::verdict::{Finding, GateResult, Location, Ruling, Severity, Verdict};

fn write(bodies: &[Body]) -> Vec<u8> {
    let (mut head, mut file) = (Head::default(), String::new());
    for body in bodies {
        let (line, next) = encode(&head, at("2026-11-21T12:00:01.5Z"), body).unwrap();
        file.push_str(&line);
        head = next;
    }
    file.into_bytes()
}

fn bodies(journal: &Journal) -> Vec<Body> {
    journal
        .entries
        .iter()
        .map(|entry| entry.body.clone())
        .collect()
}

fn step_receipt() -> StepReceipt {
    let denial = |rule| Denial {
        path: "secrets/\u{1b}".to_owned(),
        access: Access::Read,
        rule,
        count: 3,
    };
    let usage = Usage {
        fuel: Spent {
            used: Fuel(7),
            limit: Fuel(u64::MAX),
        },
        memory: Spent {
            used: Bytes(1),
            limit: Bytes(2),
        },
        bytes_read: Bytes(3),
        bytes_written: Bytes(4),
    };
    StepReceipt {
        usage: Some(usage),
        denials: vec![
            denial(Rule::Deny {
                pattern: "**".to_owned(),
                source: DenySource::Operator,
            }),
            denial(Rule::NotAllowed {
                layer: "step".to_owned(),
            }),
        ],
        denials_more: 1,
        ..StepReceipt::new(
            step("links"),
            Role::Sensor,
            digest("p"),
            digest("g"),
            digest("c"),
        )
    }
    .failed(Failure::new(FailureClass::OutOfFuel, "out"))
    .remembered()
}

/// A receipt in which nothing is empty.
fn full() -> BeatReceipt {
    let finding = Finding {
        severity: Severity::Error,
        rule: "broken-link".to_owned(),
        message: "no \"such\"\nfile".to_owned(),
        locations: vec![Location {
            path: "a\\b".to_owned(),
            line: 1,
            column: 2,
        }],
        help: "x".to_owned(),
    };
    let verdict = Verdict {
        ruling: Ruling::Abstain,
        findings: vec![finding.clone()],
        summary: "s".to_owned(),
    };
    let mut receipt = discarded(9, "a", "no");
    if let Some(crate::decision::Checked::Move(mv)) = &mut receipt.decision {
        mv.input = crate::json::parse(r#"{"n":[1,0.1,-7,123456789012345678901234567890,{"sum":"x","sum\"":1}],",\"sum\":\"":"}"}"#, 1_000).unwrap();
        mv.next_in = Some(5);
    }
    receipt.signals = vec![SensorSignal {
        sensor: step("links"),
        digest: digest("s"),
    }];
    receipt.steps = vec![step_receipt()];
    receipt.change = Some(ChangeSummary {
        digest: digest("change"),
        base_tree: "b".to_owned(),
        candidate_tree: "c".to_owned(),
        files: vec![FileSummary {
            path: RelPath::lexical("docs/ä.md").unwrap(),
            kind: ChangeKind::Modified,
            added: 1,
            removed: 2,
        }],
        files_more: 3,
    });
    receipt.scope = vec![finding];
    receipt.verdicts = vec![
        GateResult {
            gate: step("links"),
            answer: Ok(verdict),
        },
        GateResult {
            gate: step("size"),
            answer: Err("trap".to_owned()),
        },
    ];
    receipt.commands = vec![CommandReceipt {
        command: step("test"),
        side: Side::Before,
        declared: digest("argv"),
        tree: "t".to_owned(),
        confinement: Confinement::None,
        network: true,
        ended: Ended::Signalled { signal: 9 },
        ms: 12,
        reports: vec![Report {
            name: "junit".to_owned(),
            size: 3,
            digest: digest("xml"),
        }],
        notes: vec!["not confined".to_owned()],
    }];
    receipt.failure = Some(Failure::host("disk"));
    receipt.summary = Some("did".to_owned());
    receipt.notes = vec!["note".to_owned()];
    receipt
}

fn outcomes() -> Vec<Outcome> {
    vec![
        Outcome::Skipped,
        Outcome::Waiting {
            cause: WaitCause::Budget,
            until: at("2026-11-22T00:00:00Z"),
            why: "w".to_owned(),
        },
        Outcome::NothingToDo {
            reason: "r".to_owned(),
        },
        Outcome::Proposed {
            reference: "refs/heads/x".to_owned(),
            commit: "c".to_owned(),
        },
        Outcome::Committed {
            reference: "r".to_owned(),
            commit: "c".to_owned(),
            previous: "p".to_owned(),
        },
        Outcome::Shadowed {
            patch: "p".to_owned(),
        },
        Outcome::Discarded {
            reasons: vec!["r".to_owned()],
        },
        Outcome::Escalated {
            why: vec!["w".to_owned()],
            id: "held-1".to_owned(),
        },
        Outcome::Failed {
            class: FailureClass::Host,
            message: "m".to_owned(),
        },
    ]
}

fn samples() -> Vec<Body> {
    let mut bodies = vec![
        Body::Beat(Box::new(full())),
        Body::Intent(intent(1, "a", Settle::Propose)),
        Body::Intent(holding(1, "a")),
        Body::Intent(Intent {
            held: Some(InHand::Settles(BeatNo(1))),
            ..intent(2, "a", Settle::Propose)
        }),
        Body::Done(Done {
            beat: BeatNo(1),
            settled: Some("commit".to_owned()),
        }),
        Body::Intent(intent(2, "a", Settle::Shadow)),
        Body::Intent(Intent {
            commit: Some("commit".to_owned()),
            working_tree: true,
            ..intent(3, "a", Settle::Commit)
        }),
        Body::Recovered(Recovered {
            beat: BeatNo(2),
            found: Found::Nothing,
            note: "n".to_owned(),
        }),
        Body::Recovered(Recovered {
            beat: BeatNo(2),
            found: Found::Settled("c".to_owned()),
            note: String::new(),
        }),
        Body::Beat(Box::new(nothing(3, Some(60)))),
        Body::Drill(DrillRun {
            setup: digest("setup"),
            results: vec![DrillResult {
                name: "denied-path".to_owned(),
                fault: true,
                passed: true,
                seen: "refused".to_owned(),
            }],
            unguarded: vec!["size: no gate".to_owned()],
        }),
        Body::Notice(Notice {
            about: "paused".to_owned(),
            error: Some("exit 1".to_owned()),
        }),
    ];
    bodies.extend(acts().map(Body::Operator));
    bodies.extend(
        outcomes()
            .into_iter()
            .map(|outcome| Body::Beat(Box::new(receipt(4, outcome)))),
    );
    bodies
}

#[test]
fn round_trip() {
    let bytes = write(&samples());
    let journal = decode(&bytes).unwrap();
    assert_eq!(bodies(&journal), samples());
    assert_eq!(journal.torn_tail, None);
    assert_eq!(journal.head.seq(), samples().len() as u64);
    assert_eq!(journal.entries[2].seq, 3);
    assert_eq!(journal.entries[2].at, at("2026-11-21T12:00:01.5Z"));
    assert_eq!(decode(b"").unwrap().head, Head::default());
}

#[test]
fn a_line_looks_like_this() {
    let line = String::from_utf8(write(&[Body::Done(Done {
        beat: BeatNo(1),
        settled: None,
    })]))
    .unwrap();
    insta::assert_snapshot!(line, @r#"{"v":1,"seq":1,"prev":"blake3:0000000000000000000000000000000000000000000000000000000000000000","at":"2026-11-21T12:00:01.5Z","kind":"done","body":{"beat":1,"settled":null},"sum":"blake3:7b280198d4a04885b93ad1ceb300bf413d748197aad3d701fa2462fac136d687"}"#);
}

#[test]
fn the_chain_goes_on_where_it_was_read() {
    let bytes = write(&samples()[..2]);
    let journal = decode(&bytes).unwrap();
    let (line, _) = encode(&journal.head, at("2026-11-21T12:00:01.5Z"), &samples()[2]).unwrap();
    assert_eq!([bytes, line.into_bytes()].concat(), write(&samples()[..3]));
}

/// A small history: what is tried at each of its bytes should not take long.
fn small() -> Vec<Body> {
    let mut bodies = samples();
    bodies
        .drain(1..6)
        .chain([Body::Done(Done {
            beat: BeatNo(9),
            settled: None,
        })])
        .collect()
}

#[test]
fn every_cut_is_a_prefix_or_a_torn_tail() {
    let bytes = write(&small());
    let ends: Vec<usize> = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1)
        .collect();
    for cut in 0..=bytes.len() {
        let journal = decode(&bytes[..cut]).unwrap();
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(bodies(&journal), small()[..whole], "cut at {cut}");
        let start = ends
            .iter()
            .copied()
            .filter(|end| *end <= cut)
            .max()
            .unwrap_or(0);
        assert_eq!(
            journal.torn_tail.map(|tail| tail.bytes),
            (start < cut).then_some(start..cut),
            "cut at {cut}"
        );
    }
}

#[test]
fn every_flipped_byte_is_noticed() {
    let bytes = write(&small());
    for at in 0..bytes.len() {
        for bit in [0, 5] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            match decode(&damaged) {
                Err(error) => assert!(error.offset <= at, "{error}"),
                Ok(journal) => {
                    let tail = journal
                        .torn_tail
                        .unwrap_or_else(|| panic!("byte {at} flipped unseen"));
                    assert!(tail.bytes.contains(&at));
                    assert_eq!(
                        journal.entries.len(),
                        small().len() - 1,
                        "more than the last line lost for byte {at}"
                    );
                }
            }
        }
    }
}

/// A line in the frame of the format with any fields, chained behind `head`.
fn forge(
    head: &Head,
    edit: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
) -> String {
    let (line, _) = encode(
        head,
        at("2026-11-21T12:00:00Z"),
        &Body::Done(Done {
            beat: BeatNo(1),
            settled: None,
        }),
    )
    .unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&line).unwrap();
    let fields = value.as_object_mut().unwrap();
    fields.remove("sum");
    edit(fields);
    let text = value.to_string();
    let open = text.strip_suffix('}').unwrap();
    format!(
        "{open},\"sum\":\"{}\"}}\n",
        crate::digest::Digest::of(open.as_bytes())
    )
}

#[track_caller]
fn check(edit: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>), expect: &str) {
    let first = write(&samples()[..1]);
    let head = decode(&first).unwrap().head;
    let line = forge(&head, edit);
    let result = decode(&[first, line.into_bytes()].concat()).map_or_else(
        |error| error.problem.to_string(),
        |journal| format!("{} entries", journal.entries.len()),
    );
    assert_eq!(result, expect);
}

#[test]
fn whole_lines_that_are_refused_even_at_the_end() {
    check(|_| (), "2 entries");
    check(
        |fields| drop(fields.insert("v".into(), json!(2))),
        "format version 2, this host reads 1",
    );
    check(
        |fields| drop(fields.remove("v")),
        "format version none, this host reads 1",
    );
    check(
        |fields| drop(fields.insert("seq".into(), json!(3))),
        "seq does not follow from the line before",
    );
    check(
        |fields| drop(fields.insert("prev".into(), json!(digest("other")))),
        "prev does not follow from the line before",
    );
    check(
        |fields| drop(fields.insert("kind".into(), json!("gone"))),
        "unknown kind \"gone\"",
    );
    check(
        |fields| drop(fields.insert("body".into(), json!({"beat": -1}))),
        "invalid value: integer `-1`, expected u64 at line 1 column 46",
    );
    check(
        |fields| drop(fields.insert("at".into(), json!(7))),
        "invalid type: number, expected a timestamp string",
    );
}

#[test]
fn what_a_newer_host_wrote() {
    let body = || json!({"beat": 1, "settled": null, "colour": "red"});
    check(
        |fields| drop(fields.insert("body".into(), body())),
        "2 entries",
    );
    check(
        |fields| drop(fields.insert("must_understand".into(), json!(["beat", "settled"]))),
        "2 entries",
    );
    let listed = |fields: &mut serde_json::Map<String, serde_json::Value>| {
        fields.insert("body".into(), body());
        fields.insert("must_understand".into(), json!(["colour"]));
    };
    check(
        listed,
        "field \"colour\" must be understood, and this host does not know it",
    );
    check(
        |fields| drop(fields.insert("must_understand".into(), json!("colour"))),
        "must_understand is no list",
    );
}

#[test]
fn an_error_names_its_place() {
    let mut bytes = write(&small());
    let second = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    bytes[second + 9] ^= 1;
    let error = decode(&bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("journal entry 2 at byte {second}: the line does not match its sum")
    );
}

#[test]
fn a_line_that_is_too_long_is_refused_whether_it_ends_or_not() {
    let before = write(&small()[..1]);
    for end in ["", "\n", "\n{}"] {
        let long = "x".repeat(LINE_BYTES_MAX + 1) + end;
        let error = decode(&[&before, long.as_bytes()].concat()).unwrap_err();
        assert_eq!(error.offset, before.len());
        assert_eq!(error.entry, 2);
        assert_eq!(error.problem, JournalProblem::TooLong);
    }
    let longest = [&before, "x".repeat(LINE_BYTES_MAX).as_bytes()].concat();
    assert!(decode(&longest).unwrap().torn_tail.is_some());
}

/// Hashing all before each of them would take minutes.
#[test]
fn a_tail_that_could_end_anywhere_is_read_once() {
    let before = write(&small()[..1]);
    let sum = format!(",\"sum\":\"{}\"}}", digest("x"));
    for end in [",\"sum\":\"", &sum] {
        let tail = end.repeat((2 << 20) / end.len());
        let journal = decode(&[&before, tail.as_bytes()].concat()).unwrap();
        assert_eq!(journal.entries.len(), 1);
        assert_eq!(journal.torn_tail.unwrap().bytes.start, before.len());
    }
}

#[test]
fn lines_taken_out_or_swapped() {
    let bytes = write(&small());
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for order in [vec![1], vec![0, 2], vec![1, 0], vec![0, 0]] {
        let file: Vec<u8> = order
            .iter()
            .flat_map(|line| lines[*line].iter().copied())
            .collect();
        assert!(
            matches!(decode(&file).unwrap_err().problem, JournalProblem::Chain(_)),
            "{order:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_comes_back(picks in proptest::collection::vec((0..samples().len(), ".{0,40}", any::<u64>()), 0..5), cut in any::<prop::sample::Index>()) {
        let samples = samples();
        let history: Vec<Body> = picks.iter().map(|(pick, text, number)| match samples[*pick].clone() {
            Body::Beat(receipt) => Body::Beat(Box::new(BeatReceipt { beat: BeatNo(*number), fuel: Fuel(*number), notes: vec![text.clone()], ..*receipt })),
            other => other,
        }).collect();
        let bytes = write(&history);
        prop_assert_eq!(bodies(&decode(&bytes).unwrap()), history.clone());
        let cut = decode(&bytes[..cut.index(bytes.len() + 1)]).unwrap();
        prop_assert_eq!(&bodies(&cut)[..], &history[..cut.entries.len()]);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(journal) = decode(&bytes) {
            prop_assert!(journal.entries.is_empty());
        }
    }
}

#[test]
fn a_journal_is_its_own_loops() {
    let [docs, other] = ["docs", "other"].map(|name| crate::ids::LoopId::new(name).unwrap());
    let begun = |head: &Head| {
        let (first, next) = encode(head, at("2026-11-21T12:00:00Z"), &samples()[0]).unwrap();
        let (second, _) = encode(&next, at("2026-11-21T12:00:00Z"), &samples()[1]).unwrap();
        (first + &second).into_bytes()
    };
    let bound = begun(&Head::of(&docs));
    for (bytes, of, expect) in [
        (&bound, &docs, Ok(2)),
        (&bound, &other, Err((1, JournalProblem::OtherLoop))),
        (&begun(&Head::default()), &docs, Ok(2)),
    ] {
        let read = decode_of(of, bytes).map(|journal| journal.entries.len());
        assert_eq!(read.map_err(|error| (error.entry, error.problem)), expect);
    }
    assert_eq!(decode(&bound).unwrap().entries.len(), 2);
    let (first, _) = encode(&Head::of(&docs), at("2026-11-21T12:00:00Z"), &samples()[0]).unwrap();
    let unchained = first.replacen("\"prev\":\"blake3:", "\"prev\":\"blake4:", 1);
    assert!(
        decode(unchained.as_bytes()).unwrap().entries.is_empty(),
        "its sum is not kept"
    );
}

#[test]
fn whoever_only_looks_passes_over_what_a_newer_host_wrote() {
    let first = write(&samples()[..1]);
    let head = decode(&first).unwrap().head;
    let look = |edit: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)| {
        let newer = forge(&head, edit);
        let after = head.after(crate::digest::Digest::of(newer.trim_end().as_bytes()));
        let (last, _) = encode(&after, at("2026-11-21T12:00:00Z"), &samples()[1]).unwrap();
        let bytes = [&first, newer.as_bytes(), last.as_bytes()].concat();
        assert!(decode(&bytes).is_err(), "whoever goes on from it refuses");
        let mut seen = Vec::new();
        let end = decode_on(&Head::default(), &bytes, Newer::PassOver, |entry| {
            seen.push(entry.seq)
        });
        end.map(|end| (seen, end.head.seq(), end.newer.map(|error| error.entry)))
            .map_err(|error| error.problem)
    };
    let put = |key: &'static str, value: serde_json::Value| {
        move |fields: &mut serde_json::Map<String, serde_json::Value>| {
            fields.insert(key.to_owned(), value.clone());
        }
    };
    for newer in [
        put("v", json!(2)),
        put("kind", json!("meditate")),
        put("must_understand", json!(["colour"])),
    ] {
        assert_eq!(look(&newer), Ok((vec![1, 3], 3, Some(2))));
    }
    for (wrong, problem) in [
        (put("v", json!(0)), "format version 0, this host reads 1"),
        (
            put("seq", json!(7)),
            "seq does not follow from the line before",
        ),
        (
            put("prev", json!(digest("other"))),
            "prev does not follow from the line before",
        ),
    ] {
        assert_eq!(look(&wrong).unwrap_err().to_string(), problem);
    }
}
