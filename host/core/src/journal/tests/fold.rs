//! What histories add up to.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cadence::{Pace, Waits};
use crate::failure::{Failure, FailureClass};
use crate::ids::BeatNo;
use crate::journal::sample::*;
use crate::journal::*;
use crate::quantity::Fuel;
use crate::spec::Level;

pub(super) fn fold(bodies: Vec<Body>) -> LoopState {
    let entries: Vec<Entry> = bodies
        .into_iter()
        .enumerate()
        .map(|(index, body)| Entry {
            seq: index as u64 + 1,
            at: at("2026-11-21T12:00:00Z"),
            body,
        })
        .collect();
    let state = LoopState::fold(&entries, &TimeZone::UTC);
    // However far a history was added up and kept, what is added later leads to the same.
    for middle in 0..=entries.len() {
        let (kept, later) = entries.split_at(middle);
        let mut resumed = kept_as_text(&LoopState::fold(kept, &TimeZone::UTC));
        for entry in later {
            resumed.add(entry, &TimeZone::UTC);
        }
        assert_eq!(resumed, state);
    }
    state
}

fn kept_as_text(state: &LoopState) -> LoopState {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

fn beats(receipts: Vec<BeatReceipt>) -> LoopState {
    fold(
        receipts
            .into_iter()
            .map(|receipt| Body::Beat(Box::new(receipt)))
            .collect(),
    )
}

#[test]
fn a_loop_that_never_ran() {
    let state = beats(Vec::new());
    assert_eq!(state, LoopState::default());
    assert_eq!(state.next_beat(), BeatNo(1));
}

#[test]
fn a_number_is_never_given_twice() {
    assert_eq!(beats(vec![nothing(4, None)]).next_beat(), BeatNo(5));
    assert_eq!(
        fold(vec![Body::Intent(intent(7, "a", Settle::Propose))]).next_beat(),
        BeatNo(8)
    );
}

#[test]
fn failures_in_a_row() {
    let interrupted = receipt(
        2,
        Outcome::Failed {
            class: FailureClass::Interrupted,
            message: String::new(),
        },
    );
    let before_deciding = BeatReceipt {
        attempted: false,
        fingerprint: None,
        ..failed(2)
    };
    let interrupted_before_deciding = BeatReceipt {
        attempted: false,
        fingerprint: None,
        ..interrupted.clone()
    };
    let escalated = BeatReceipt {
        failure: Some(Failure::host("x")),
        ..receipt(
            2,
            Outcome::Escalated {
                why: vec![],
                id: String::new(),
            },
        )
    };
    for (what, beat, expect) in [
        ("another failure", failed(2), 2),
        ("success", nothing(2, None), 0),
        ("a proposal", proposed(2, "a"), 0),
        (
            "a skip",
            BeatReceipt {
                attempted: false,
                ..receipt(2, Outcome::Skipped)
            },
            1,
        ),
        ("a discarded change", discarded(2, "a", "no"), 1),
        ("an interruption", interrupted, 1),
        ("a failure before the decider", before_deciding, 2),
        (
            "an interruption before the decider",
            interrupted_before_deciding,
            1,
        ),
        ("a failure that needs a person", escalated, 2),
    ] {
        assert_eq!(beats(vec![failed(1), beat]).failures, expect, "{what}");
    }
    let state = beats(vec![failed(1), failed(2), nothing(3, None), failed(4)]);
    assert_eq!(
        (
            state.failures,
            state.last_failed_at,
            state.last_failure.unwrap().class
        ),
        (1, Some(at("2026-11-21T12:00:00Z")), FailureClass::Trap)
    );
}

#[test]
fn attempts_at_an_item() {
    let of = |receipts: Vec<BeatReceipt>| beats(receipts).item(&item("a"), &digest("setup"));
    assert_eq!(
        of(vec![
            discarded(1, "a", "no"),
            nothing(2, None),
            discarded(3, "a", "other")
        ])
        .attempts,
        2,
        "a no-op does not reset the count"
    );
    assert_eq!(
        of(vec![discarded(1, "a", "no"), discarded(2, "b", "no")]).attempts,
        1
    );
    assert_eq!(
        of(vec![discarded(1, "a", "no"), proposed(2, "a")]).attempts,
        0,
        "a proposal does"
    );
    assert_eq!(
        of(vec![
            discarded(1, "a", "no"),
            BeatReceipt {
                setup: digest("new"),
                ..nothing(2, None)
            }
        ])
        .attempts,
        0,
        "and so does another setup"
    );
    assert_eq!(
        beats(vec![discarded(1, "a", "no")])
            .item(&item("a"), &digest("new"))
            .attempts,
        0
    );
}

#[test]
fn when_an_item_is_escalated() {
    let why = |reasons: &[&str]| {
        let receipts = reasons
            .iter()
            .enumerate()
            .map(|(index, reason)| discarded(index as u64 + 1, "a", reason))
            .collect();
        beats(receipts)
            .item(&item("a"), &digest("setup"))
            .escalated(3)
    };
    assert_eq!(why(&[]), None);
    assert_eq!(why(&["links: x", "size: y"]), None);
    assert_eq!(
        why(&["links: broken-link ×2", "links: broken-link ×3"]).unwrap(),
        "failed twice for the same reason: links broken link #"
    );
    assert_eq!(why(&["a", "b", "c"]).unwrap(), "3 of 3 attempts failed");
}

#[test]
fn reasons_without_what_changes() {
    for (reason, expect) in [
        ("", ""),
        ("Links: Broken-Link ×2", "links broken link #"),
        ("trap at 0x7f001122: line 12:7", "trap at #x#f# line # #"),
        ("object deadbeefcafe0123  gone\n", "object # gone"),
        ("a.md v2", "a md v#"),
    ] {
        assert_eq!(normalise_reason(reason), expect);
    }
    assert!(normalise_reason(&"a b ".repeat(900)).len() < 300);
}

#[test]
fn what_was_decided() {
    let of = |receipts| beats(receipts).decided;
    let world = digest("world");
    assert_eq!(
        of(vec![nothing(1, None)]),
        Some(Decided {
            at: at("2026-11-21T12:00:00Z"),
            fingerprint: world,
            nothing_for: Some(digest("items"))
        })
    );
    assert_eq!(
        of(vec![proposed(1, "a")]),
        Some(Decided {
            at: at("2026-11-21T12:00:00Z"),
            fingerprint: world,
            nothing_for: None
        })
    );
    assert_eq!(
        of(vec![discarded(1, "a", "no")]),
        Some(Decided {
            at: at("2026-11-21T12:00:00Z"),
            fingerprint: world,
            nothing_for: None
        })
    );
    assert_eq!(of(vec![failed(1)]), None, "a failed beat is tried again");
    assert_eq!(
        of(vec![
            nothing(1, None),
            BeatReceipt {
                fingerprint: Some(digest("new")),
                ..failed(2)
            }
        ])
        .unwrap()
        .fingerprint,
        world
    );
}

#[test]
fn a_wait_lasts_until_something_else_is_said() {
    let waiting = BeatReceipt {
        attempted: false,
        ..receipt(
            2,
            Outcome::Waiting {
                cause: WaitCause::Budget,
                until: at("2026-11-22T00:00:00Z"),
                why: String::new(),
            },
        )
    };
    let ended = |bodies| fold(bodies).pace;
    let beat = |receipt: &BeatReceipt| Body::Beat(Box::new(receipt.clone()));
    let resumed = Body::Operator(OperatorAct {
        by: "ann".to_owned(),
        reason: String::new(),
        act: Act::Resume,
    });
    let waits = Some(Waits {
        until: at("2026-11-22T00:00:00Z"),
        loop_file: waiting.loop_file,
    });
    let began = Some(waiting.started);
    assert_eq!(ended(vec![]), Pace::default());
    assert_eq!(ended(vec![beat(&waiting)]), Pace { began, waits });
    for after in [resumed, beat(&nothing(3, None))] {
        let pace = ended(vec![beat(&waiting), after]);
        assert_eq!((pace.began.is_some(), pace.waits), (true, None));
    }
}

#[test]
fn a_wait_that_a_file_may_end_is_not_believed_for_long() {
    let waits = |cause, until: Timestamp| {
        let waiting = Outcome::Waiting {
            cause,
            until,
            why: String::new(),
        };
        beats(vec![receipt(2, waiting)]).pace.waits.unwrap().until
    };
    let soon = at("2026-11-21T12:15:00Z");
    for (cause, until, expect) in [
        (WaitCause::Frozen, at("2027-01-04T00:00:00Z"), soon),
        (
            WaitCause::Frozen,
            at("2026-11-21T12:14:00Z"),
            at("2026-11-21T12:14:00Z"),
        ),
        (WaitCause::Unmetered, Timestamp::MAX, soon),
        (WaitCause::Paused, Timestamp::MAX, Timestamp::MAX),
        (
            WaitCause::Budget,
            at("2026-11-22T00:00:00Z"),
            at("2026-11-22T00:00:00Z"),
        ),
    ] {
        assert_eq!(waits(cause, until), expect, "{cause:?}");
    }
}

#[test]
fn a_wake_lasts_until_a_decider_is_called() {
    let woken = Some(at("2026-11-21T12:01:00Z"));
    assert_eq!(beats(vec![nothing(1, Some(60))]).wake_at, woken);
    assert_eq!(
        beats(vec![
            nothing(1, Some(60)),
            BeatReceipt {
                attempted: false,
                ..receipt(2, Outcome::Skipped)
            }
        ])
        .wake_at,
        woken
    );
    assert_eq!(
        beats(vec![nothing(1, Some(60)), nothing(2, None)]).wake_at,
        None
    );
    assert_eq!(beats(vec![nothing(1, Some(60)), failed(2)]).wake_at, None);
}

#[test]
fn spend_by_day() {
    let entries = [
        entry(1, "2026-11-20T23:59:59Z", nothing(1, None)),
        entry(2, "2026-11-21T00:00:00Z", failed(2)),
        entry(
            3,
            "2026-11-21T01:00:00Z",
            BeatReceipt {
                attempted: false,
                ..receipt(3, Outcome::Skipped)
            },
        ),
    ];
    let state = LoopState::fold(&entries, &TimeZone::UTC);
    assert_eq!(
        state.day(jiff::civil::date(2026, 11, 20)),
        DaySpend {
            fuel: Fuel(10),
            beats: 1,
            ..DaySpend::default()
        }
    );
    assert_eq!(
        state.day(jiff::civil::date(2026, 11, 21)),
        DaySpend {
            fuel: Fuel(20),
            beats: 1,
            ..DaySpend::default()
        }
    );
    assert_eq!(
        state.day(jiff::civil::date(2026, 11, 22)),
        DaySpend::default()
    );
}

#[test]
fn intents_and_their_ends() {
    let pending = Body::Intent(intent(1, "a", Settle::Propose));
    let done = |settled: Option<&str>| {
        Body::Done(Done {
            beat: BeatNo(1),
            settled: settled.map(str::to_owned),
        })
    };
    let recovered = |found| {
        Body::Recovered(Recovered {
            beat: BeatNo(1),
            found,
            note: String::new(),
        })
    };
    let proposals = |bodies| {
        fold(bodies)
            .proposals
            .into_iter()
            .map(|proposal| {
                format!(
                    "{} {} {}",
                    proposal.beat, proposal.reference, proposal.commit
                )
            })
            .collect::<Vec<_>>()
    };
    assert!(fold(vec![pending.clone()]).pending.is_some());
    assert_eq!(proposals(vec![pending.clone()]), [""; 0]);
    assert_eq!(proposals(vec![pending.clone(), done(None)]), [""; 0]);
    assert_eq!(
        proposals(vec![pending.clone(), recovered(Found::Nothing)]),
        [""; 0]
    );
    assert_eq!(
        proposals(vec![pending.clone(), done(Some("c"))]),
        ["1 target-1 c"]
    );
    assert_eq!(
        proposals(vec![
            pending.clone(),
            recovered(Found::Settled("c".to_owned()))
        ]),
        ["1 target-1 c"]
    );
    assert_eq!(
        proposals(vec![
            pending.clone(),
            done(Some("c")),
            Body::Beat(Box::new(proposed(1, "a")))
        ]),
        ["1 target-1 c"],
        "not twice"
    );
    assert_eq!(
        proposals(vec![Body::Beat(Box::new(proposed(1, "a")))]),
        ["1 refs/heads/ringfence/docs/1 commit-1"]
    );
    let other = Body::Done(Done {
        beat: BeatNo(2),
        settled: None,
    });
    assert!(
        fold(vec![pending, other]).pending.is_some(),
        "the end of another beat ends nothing"
    );
    let shadow = fold(vec![
        Body::Intent(intent(1, "a", Settle::Shadow)),
        done(Some("")),
    ])
    .shadows;
    assert_eq!(
        shadow,
        [Shadow {
            beat: BeatNo(1),
            item: Some(item("a")),
            patch: "target-1".to_owned(),
            base_tree: "tree".to_owned()
        }]
    );
}

fn ordered(acts: impl IntoIterator<Item = Act>) -> Orders {
    fold(acts.into_iter().map(told).map(Body::Operator).collect()).orders
}

#[test]
fn the_operators_word_holds_until_the_next() {
    let all = fold(acts().map(Body::Operator).collect()).orders;
    assert!(all.paused.is_some() && all.retired.is_some());
    assert_eq!(all.answers.len(), 3);
    let resumed = ordered([Act::Pause { until: None }, Act::Retire, Act::Resume]);
    assert_eq!((resumed.paused, resumed.retired), (None, None));
    let lowered = ordered([
        Act::Promote {
            to: Level::L2,
            overrides: vec!["no drills".to_owned()],
        },
        Act::Demote { to: Level::L1 },
    ]);
    let level = lowered.level.unwrap();
    assert_eq!(
        (level.what.to, level.what.overrides),
        (Level::L1, Vec::new())
    );
    assert_eq!(
        (level.by.as_str(), level.reason.as_str()),
        ("ann", "because")
    );
}

#[test]
fn a_pause_may_have_an_end() {
    let end = at("2026-11-22T12:00:00Z");
    let orders = ordered([Act::Pause { until: Some(end) }]);
    for (now, holds) in [
        ("2026-11-21T12:00:00Z", true),
        ("2026-11-22T11:59:59Z", true),
        ("2026-11-22T12:00:00Z", false),
    ] {
        assert_eq!(orders.pause_at(at(now)).is_some(), holds, "{now}");
    }
}

#[test]
fn what_people_were_told_is_counted() {
    let notice = |error: Option<&str>| {
        Body::Notice(Notice {
            about: "paused".to_owned(),
            error: error.map(str::to_owned),
        })
    };
    let failed = fold(vec![notice(Some("exit 1"))]);
    let told = failed.notices.get("paused").unwrap();
    assert_eq!((told.tries, told.told_at), (1, None));
    let state = fold(vec![notice(Some("exit 1")), notice(None)]);
    let told = state.notices.get("paused").unwrap();
    assert_eq!((told.tries, told.told_at.is_some()), (2, true));
}
