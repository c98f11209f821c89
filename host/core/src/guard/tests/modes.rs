//! Modes, by order and by rule.

use super::*;
use crate::failure::FailureClass;
use crate::ids::BeatNo;
use crate::journal::{Act, Answer, Body, ChangeSummary, Done, Entry, FailedAttempt, Trip, held_id};

fn loop_with(bodies: impl IntoIterator<Item = Body>) -> LoopState {
    let mut state = LoopState::default();
    for body in bodies {
        add(&mut state, 0, body);
    }
    state
}

fn add(state: &mut LoopState, at: i64, body: Body) {
    let entry = Entry {
        seq: 1,
        at: Timestamp::from_second(at).unwrap(),
        body,
    };
    state.add(&entry, &TimeZone::UTC);
}

fn stance(state: &LoopState) -> (String, Option<String>) {
    let stance = mode(&Now::of(state.clone(), utc(90_000)).situated());
    let mode = match stance.mode {
        Mode::Slow(factor) => format!("slow x{factor}"),
        mode => mode.as_str().to_owned(),
    };
    (mode, stance.hold.map(|hold| hold.to_string()))
}

fn operator(act: Act) -> Body {
    Body::Operator(told(act))
}

/// A change that waits, and what a person says to it.
fn asked(answer: Answer) -> [Body; 3] {
    let done = Done {
        beat: BeatNo(7),
        settled: Some(String::new()),
    };
    let id = held_id(BeatNo(7));
    [
        Body::Intent(holding(7, "a")),
        Body::Done(done),
        operator(Act::Answer { id, answer }),
    ]
}

fn beat(receipt: BeatReceipt) -> Body {
    Body::Beat(Box::new(receipt))
}

fn given_up(on: &str) -> Body {
    beat(BeatReceipt {
        progress: Some(false),
        attempt: Some(FailedAttempt {
            item: item(on),
            reason: "no".to_owned(),
            person_needed: false,
            content: None,
        }),
        ..moved(
            1,
            on,
            Outcome::Escalated {
                why: vec![],
                id: String::new(),
            },
        )
    })
}

fn denied() -> Body {
    beat(receipt(
        1,
        Outcome::Failed {
            class: FailureClass::Denied,
            message: String::new(),
        },
    ))
}

#[test]
fn orders() {
    let pause = |until: Option<&str>| {
        operator(Act::Pause {
            until: until.map(at),
        })
    };
    for (bodies, mode, why) in [
        (vec![], "run", None),
        (
            vec![pause(None)],
            "paused",
            Some("paused by ann until it is resumed: because"),
        ),
        (
            vec![pause(Some("1970-01-03T00:00:00Z"))],
            "paused",
            Some("paused by ann until 1970-01-03T00:00:00Z: because"),
        ),
        (vec![pause(Some("1970-01-02T00:00:00Z"))], "run", None),
        (vec![pause(None), operator(Act::Resume)], "run", None),
        (
            vec![pause(None), operator(Act::Retire)],
            "retired",
            Some("retired by ann: because"),
        ),
        (
            vec![operator(Act::Retire), operator(Act::Resume)],
            "run",
            None,
        ),
    ] {
        let expect = (mode.to_owned(), why.map(str::to_owned));
        assert_eq!(stance(&loop_with(bodies)), expect);
    }
}

#[test]
fn a_calendar_freezes_and_a_pause_is_stronger() {
    let freeze = Freeze {
        until: at("1970-02-01T00:00:00Z"),
        why: "release week".to_owned(),
    };
    let frozen = |state| Now {
        freeze: Some(freeze.clone()),
        ..Now::of(state, utc(90_000))
    };
    let now = frozen(LoopState::default());
    assert_eq!(now.says(), "wait frozen release week");
    assert_eq!(mode(&now.situated()).mode, Mode::Frozen);
    let paused = frozen(loop_with([operator(Act::Pause { until: None })]));
    assert_eq!(mode(&paused.situated()).mode, Mode::Paused);
}

#[test]
fn rejections_restrict_and_then_end_a_loop() {
    let rejected = |count: usize| loop_with((0..count).flat_map(|_| asked(Answer::Reject)));
    assert_eq!(stance(&rejected(2)).0, "run");
    assert_eq!(
        stance(&rejected(3)),
        (
            "report-only".to_owned(),
            Some("rejected: people rejected 3 changes in a row, the limit is 3: changes are only recorded since 1970-01-01T00:00:00Z, until it is resumed".to_owned())
        )
    );
    assert_eq!(
        stance(&rejected(5)),
        (
            "retired".to_owned(),
            Some("harm: people rejected 5 changes in a row, the limit is 5: the loop is over since 1970-01-01T00:00:00Z, until it is resumed".to_owned())
        )
    );
    let approved = [
        Answer::Reject,
        Answer::Reject,
        Answer::Note,
        Answer::Approve,
        Answer::Reject,
    ];
    assert_eq!(
        stance(&loop_with(approved.into_iter().flat_map(asked))).0,
        "run"
    );
}

#[test]
fn words_about_items_are_none_about_changes() {
    let id = crate::journal::item_id(&item("a"));
    let reject = |id: &str| {
        operator(Act::Answer {
            id: id.to_owned(),
            answer: Answer::Reject,
        })
    };
    let triage = std::iter::once(given_up("a")).chain((0..9).map(|_| reject(&id)));
    assert_eq!(stance(&loop_with(triage)).0, "run");
    let gone = (0..9).map(|_| reject("held-7"));
    let once = asked(Answer::Reject).into_iter().chain(gone);
    assert_eq!(
        stance(&loop_with(once)).0,
        "run",
        "one change, said ten times"
    );
}

#[test]
fn denied_writes_pause() {
    let hour = 3_600;
    let after = |hours: &[i64]| {
        let mut state = LoopState::default();
        for at in hours {
            add(&mut state, at * hour, denied());
        }
        state.evidence.trips.contains_key(&Trip::Denials)
    };
    assert!(!after(&[0, 1]));
    assert!(after(&[0, 1, 23]));
    assert!(!after(&[0, 1, 24]));
    assert!(after(&[0, 1, 24, 24]));
    assert!(after(&[30, 2, 1]), "the clock stepped back");
}

#[test]
fn items_given_up_one_after_the_other_pause() {
    let names = ["a", "b", "c", "d", "e"];
    let all = || names.into_iter().map(given_up);
    assert_eq!(stance(&loop_with(all().take(4))).0, "slow x2");
    assert_eq!(
        stance(&loop_with(all())),
        (
            "paused".to_owned(),
            Some("repeat-escalation: 5 items in a row were given up, the limit is 5: the loop is paused since 1970-01-01T00:00:00Z, until it is resumed".to_owned())
        )
    );
    let settled = beat(proposed(9, "z"));
    let between = all().take(4).chain([settled]).chain(all().take(4));
    assert!(loop_with(between).evidence.trips.is_empty());
    let for_people = names.map(|on| {
        let Body::Beat(mut receipt) = given_up(on) else {
            panic!()
        };
        receipt.attempt = receipt.attempt.map(|attempt| FailedAttempt {
            person_needed: true,
            ..attempt
        });
        Body::Beat(receipt)
    });
    assert!(loop_with(for_people).evidence.trips.is_empty());
}

#[test]
fn noise_makes_a_loop_report_only_and_resuming_is_a_watermark() {
    let vain = || beat(discarded(1, "a", "no"));
    let good = |beat_no| beat(proposed(beat_no, "a"));
    let mut state = loop_with((0..4).map(good).chain((0..16).map(|_| vain())));
    assert_eq!(
        stance(&state),
        (
            "report-only".to_owned(),
            Some("noise: 16 of the last moves came to nothing or repeated a change, the limit is 16: changes are only recorded since 1970-01-01T00:00:00Z, until it is resumed".to_owned())
        )
    );
    for number in 30..60 {
        add(&mut state, 1, good(number));
    }
    assert_eq!(
        stance(&state).0,
        "report-only",
        "it does not recover by itself"
    );
    add(&mut state, 2, operator(Act::Resume));
    assert_eq!(stance(&state).0, "run");
    for _ in 0..3 {
        add(&mut state, 3, vain());
    }
    assert_eq!(stance(&state).0, "run", "what was before counts no more");
    let few = loop_with((0..5).map(good).chain((0..15).map(|_| vain())));
    assert!(few.evidence.trips.is_empty());
}

#[test]
fn the_same_change_again_is_noise() {
    let same = |number| {
        beat(BeatReceipt {
            change: Some(ChangeSummary {
                digest: digest("change"),
                base_tree: String::new(),
                candidate_tree: String::new(),
                files: Vec::new(),
                files_more: 0,
            }),
            ..proposed(number, "a")
        })
    };
    let state = loop_with((0..20).map(same));
    assert_eq!(stance(&state).0, "report-only");
}

#[test]
fn flapping_sensors_are_named() {
    let seen = |signals: &str| {
        let beats = signals.chars().map(|signal| {
            let signal = crate::snapshot::SensorSignal {
                sensor: step("links"),
                digest: digest(&signal.to_string()),
            };
            let receipt = BeatReceipt {
                signals: vec![signal],
                ..nothing(1, None)
            };
            beat(receipt)
        });
        let state = loop_with(beats);
        !state.evidence.flapping().is_empty()
    };
    for (signals, expect) in [
        ("", false),
        ("aaaaaaaa", false),
        ("abcdefgh", false),
        ("abab", false),
        ("ababa", true),
        ("abcabc", true),
        ("aababbab", true),
        ("ababaxyzuvwq", false),
        ("aaaabaaa", false),
    ] {
        assert_eq!(seen(signals), expect, "{signals}");
    }
}
