//! The regulator's vectors, and what a journal says about a loop.

use serde::Deserialize;

use super::*;
use crate::journal::sample::{
    acts, at, digest, discarded, entry, failed, nothing, proposed, step, told,
};
use crate::journal::{Act, Answer, Body, Entry, Outcome, Settle, StepReceipt};
use crate::manifest::Role;

const VECTORS: &str = include_str!("../../tests/vectors/regulator.json");

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
    saturation: Vec<Saturated>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    cadence: Entered,
    health: Vec<Health>,
    rescues: Vec<Timestamp>,
    now: Timestamp,
    recommendation: Action,
    #[serde(rename = "override")]
    overridden: Option<Override>,
    expect: Expected,
}

#[derive(Deserialize)]
struct Override {
    phase: Phase,
}

#[derive(Deserialize)]
struct Expected {
    action: Action,
    to: Phase,
    why: Vec<String>,
}

#[derive(Deserialize)]
struct Saturated {
    name: String,
    current: Averages,
    prior: Option<Averages>,
    expect: Saturation,
}

#[derive(Deserialize)]
struct Averages {
    avg_quality: f64,
    success_rate: f64,
    new_actionable: u32,
    progress_or_merged: u32,
    cycles: usize,
}

impl From<Averages> for Window {
    fn from(averages: Averages) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "shares are below one")]
        let thousandths = |share: f64| (share * 1_000.0).round() as i64;
        Self {
            quality: thousandths(averages.avg_quality),
            success: thousandths(averages.success_rate),
            new_actionable: averages.new_actionable,
            progress: averages.progress_or_merged,
            cycles: averages.cycles,
        }
    }
}

#[test]
fn vectors() {
    let vectors: Vectors = serde_json::from_str(VECTORS).unwrap();
    assert_eq!((vectors.cases.len(), vectors.saturation.len()), (9, 5));
    for case in vectors.cases {
        let wanted = case.recommendation == Action::Promote;
        let mut advice = advise(case.cadence, &case.health, &case.rescues, case.now, wanted);
        if let Some(to) = case.overridden {
            let (overruled, skipped) = overruled(advice, to.phase, case.cadence.phase);
            assert!(!skipped.is_empty(), "{}", case.name);
            advice = overruled;
        }
        let Expected { action, to, why } = case.expect;
        assert_eq!(advice, Advice { action, to, why }, "{}", case.name);
    }
    for case in vectors.saturation {
        let prior = case.prior.map(Window::from);
        let found = saturation(&case.current.into(), prior.as_ref());
        assert_eq!(found, case.expect, "{}", case.name);
    }
}

const BEGIN: &str = "2026-06-01T00:00:00Z";

/// A clean cycle of each hour from the beginning.
fn clean(cycles: usize) -> Vec<Health> {
    let hour = |n: usize| {
        let hours = i64::try_from(n).unwrap();
        at(BEGIN) + SignedDuration::from_hours(hours)
    };
    let one = |n| Health {
        ts: hour(n),
        e2e_ok: true,
        tasks_created: 1,
        duplicates: 0,
        manual_rescues: 0,
    };
    (0..cycles).map(one).collect()
}

fn entered(phase: Phase) -> Entered {
    Entered {
        phase,
        entered_at: at(BEGIN),
    }
}

fn check(phase: Phase, health: &[Health], rescues: &[&str], now: &str, expect: (Action, &str)) {
    let rescues: Vec<_> = rescues.iter().map(|time| at(time)).collect();
    let advice = advise(entered(phase), health, &rescues, at(now), true);
    assert_eq!((advice.action, advice.why.join(",").as_str()), expect);
}

#[test]
fn what_the_vectors_leave_open() {
    let now = "2026-06-02T12:00:00Z";
    let twice = ["2026-06-02T00:00:00Z", "2026-06-02T11:00:00Z"];
    for (phase, action) in [
        (Phase::Bootstrap, Action::Pause),
        (Phase::Stabilize, Action::Demote),
        (Phase::Operate, Action::Demote),
    ] {
        check(phase, &clean(20), &twice, now, (action, "rescues-24h=2"));
    }
    // What led to the phase before does not count again in this one.
    let before = ["2026-05-31T23:00:00Z", "2026-05-31T23:30:00Z"];
    let early = "2026-06-01T01:00:00Z";
    let window = (Action::Hold, "exit-criteria(3),window 1/7");
    check(Phase::Bootstrap, &clean(1), &before, early, window);
    let mut health = clean(14);
    health[11].manual_rescues = 1;
    check(
        Phase::Stabilize,
        &health,
        &[],
        now,
        (Action::Hold, "rescues3=1"),
    );
    health[11].manual_rescues = 0;
    health[13].e2e_ok = false;
    check(
        Phase::Stabilize,
        &health,
        &[],
        now,
        (Action::Promote, "all-four"),
    );
    check(
        Phase::Bootstrap,
        &health,
        &[],
        now,
        (Action::Hold, "exit-criteria(3)"),
    );
    health.truncate(13);
    check(
        Phase::Stabilize,
        &health,
        &[],
        now,
        (Action::Hold, "exit-criteria(14)"),
    );
    for one in health.iter_mut().skip(10) {
        (one.tasks_created, one.duplicates) = (5, 2);
    }
    // Two fifths are not more than two fifths.
    check(
        Phase::Operate,
        &health,
        &[],
        now,
        (Action::Hold, "top-phase"),
    );
    health[12].duplicates = 3;
    health[11].duplicates = 3;
    check(
        Phase::Operate,
        &health,
        &[],
        now,
        (Action::Hold, "top-phase"),
    );
    health[10].duplicates = 3;
    check(
        Phase::Operate,
        &health,
        &[],
        now,
        (Action::Demote, "fpr>0.4 x3"),
    );
    assert_eq!(
        advise(entered(Phase::Bootstrap), &clean(7), &[], at(now), false).why,
        ["no-recommendation"]
    );
}

#[test]
fn saturation_has_edges() {
    let good = Window {
        quality: 800,
        success: 850,
        new_actionable: 0,
        progress: 0,
        cycles: 14,
    };
    for (change, expect) in [
        (good, Saturation::Saturated),
        (
            Window {
                quality: 819,
                ..good
            },
            Saturation::Saturated,
        ),
        (
            Window {
                quality: 820,
                ..good
            },
            Saturation::Active,
        ),
        (
            Window {
                quality: 780,
                ..good
            },
            Saturation::Regressing,
        ),
        (
            Window {
                success: 849,
                ..good
            },
            Saturation::Famine,
        ),
        (
            Window {
                success: 849,
                progress: 1,
                ..good
            },
            Saturation::Active,
        ),
        (
            Window {
                new_actionable: 1,
                ..good
            },
            Saturation::Active,
        ),
        (
            Window {
                progress: 1,
                ..good
            },
            Saturation::Active,
        ),
        (Window { cycles: 13, ..good }, Saturation::Hold),
    ] {
        assert_eq!(saturation(&change, Some(&good)), expect, "{change:?}");
    }
}

#[test]
fn pace() {
    let beats = |skipped: usize, on: usize, stuck: usize| {
        let pace = |skipped, progress| Pace { skipped, progress };
        let mut all = vec![pace(true, None); skipped];
        all.extend(vec![pace(false, Some(true)); on]);
        all.extend(vec![pace(false, Some(false)); stuck]);
        all
    };
    for (skipped, on, stuck, expect) in [
        (19, 0, 0, Cadence::Unknown),
        (20, 0, 0, Cadence::Slower),
        (18, 2, 0, Cadence::Slower),
        (17, 3, 0, Cadence::Keep),
        (2, 18, 0, Cadence::Faster),
        (3, 17, 0, Cadence::Keep),
        (0, 16, 4, Cadence::Faster),
        (0, 15, 5, Cadence::Keep),
        (0, 10, 10, Cadence::Slower),
        (100, 50, 0, Cadence::Faster),
    ] {
        let (found, why) = cadence(&beats(skipped, on, stuck));
        assert_eq!(found, expect, "{skipped} {on} {stuck}: {why}");
    }
    assert_eq!(
        cadence(&beats(17, 2, 1)).1,
        "of the last 20 beats 17 found nothing new; of 3 that say so, 2 got on and 1 did not"
    );
}

fn operator(seq: u64, when: &str, act: Act, reason: &str) -> Entry {
    let mut told = told(act);
    reason.clone_into(&mut told.reason);
    Entry {
        seq,
        at: at(when),
        body: Body::Operator(told),
    }
}

fn figures(entries: &[Entry]) -> Vec<(bool, u32, u32, u32)> {
    let health = Record::of(entries).health();
    let figures = |one: &Health| {
        (
            one.e2e_ok,
            one.tasks_created,
            one.duplicates,
            one.manual_rescues,
        )
    };
    health.iter().map(figures).collect()
}

#[test]
fn what_beats_say() {
    let shadowed = |beat, tree: &str| {
        let mut receipt = proposed(beat, "s");
        receipt.outcome = Outcome::Shadowed {
            patch: "p".to_owned(),
        };
        tree.clone_into(&mut receipt.base.tree);
        receipt
    };
    let mut denied = proposed(8, "d");
    let none = digest("none");
    let mut step = StepReceipt::new(step("fix"), Role::Executor, none, none, none);
    step.denials_more = 1;
    denied.steps.push(step);
    let mut skipped = nothing(9, None);
    skipped.outcome = Outcome::Skipped;
    skipped.attempted = false;
    let receipts = [
        proposed(1, "a"),
        nothing(2, None),
        discarded(3, "b", "no"),
        proposed(4, "a"),
        shadowed(5, "t1"),
        shadowed(6, "t2"),
        shadowed(7, "t2"),
        denied,
        skipped,
        failed(10),
    ];
    let entries: Vec<_> = receipts
        .into_iter()
        .zip(1..)
        .map(|(receipt, seq)| entry(seq, BEGIN, receipt))
        .collect();
    assert_eq!(
        figures(&entries),
        [
            (true, 1, 0, 0),
            (true, 0, 0, 0),
            (false, 1, 0, 0),
            (true, 1, 1, 0),
            (true, 1, 0, 0),
            (true, 1, 0, 0),
            (true, 1, 1, 0),
            (false, 1, 0, 0),
            (false, 0, 0, 0),
        ]
    );
    let record = Record::of(&entries);
    assert_eq!(record.beats.len(), 10);
    let fresh: Vec<_> = record.cycles.iter().map(|cycle| cycle.fresh).collect();
    let expect = [true, false, true, false, true, false, false, true, false];
    assert_eq!(fresh, expect);
    let (window, prior) = record.windows();
    assert_eq!(
        (window.quality, window.success, window.new_actionable, prior),
        (857, 666, 4, None)
    );
}

#[test]
fn what_was_shadowed_may_be_proposed() {
    let mut shadowed = proposed(1, "a");
    shadowed.outcome = Outcome::Shadowed {
        patch: "p".to_owned(),
    };
    let entries = [
        entry(1, BEGIN, shadowed),
        entry(2, BEGIN, proposed(2, "a")),
        entry(3, BEGIN, proposed(3, "a")),
    ];
    let duplicates: Vec<_> = figures(&entries).iter().map(|one| one.2).collect();
    assert_eq!(duplicates, [0, 0, 1]);
}

#[test]
fn a_change_that_a_person_approved_was_proposed() {
    let mut held = proposed(1, "a");
    held.settle = Settle::Hold;
    held.outcome = Outcome::Escalated {
        why: Vec::new(),
        id: "held-1".to_owned(),
    };
    let mut taken_up = proposed(2, "a");
    taken_up.attempted = false;
    let entries = [
        entry(1, BEGIN, held),
        entry(2, BEGIN, proposed(4, "b")),
        entry(3, BEGIN, taken_up),
        entry(4, BEGIN, proposed(3, "a")),
    ];
    let found: Vec<_> = figures(&entries).iter().map(|one| (one.0, one.2)).collect();
    assert_eq!(found, [(true, 0), (true, 0), (true, 1)]);
}

#[test]
fn what_people_say() {
    let reject = |id: &str| Act::Answer {
        id: id.to_owned(),
        answer: Answer::Reject,
    };
    let later = "2026-06-01T05:00:00Z";
    let beats = [
        entry(1, BEGIN, proposed(1, "a")),
        entry(2, BEGIN, proposed(2, "b")),
    ];
    for (acts, expect, rescues) in [
        (vec![(Act::Resume, "")], [(0, 0), (0, 1)], 1),
        (
            vec![(Act::Pause { until: None }, ""), (Act::Resume, "")],
            [(0, 0); 2],
            0,
        ),
        (vec![(Act::Retire, ""), (Act::Resume, "")], [(0, 0); 2], 0),
        (
            vec![
                (
                    Act::Pause {
                        until: Some(at(BEGIN)),
                    },
                    "",
                ),
                (Act::Resume, ""),
            ],
            [(0, 0), (0, 1)],
            1,
        ),
        (vec![(reject("held-1"), "wrong")], [(0, 0), (0, 1)], 1),
        (
            vec![(reject("held-1"), "Duplicate of #7")],
            [(1, 0), (0, 0)],
            0,
        ),
        (vec![(reject("held-9"), "duplicate")], [(0, 0); 2], 0),
        (vec![(reject("item-00000001"), "wrong")], [(0, 0); 2], 0),
        (vec![(reject("item-00000001"), "duplicate")], [(0, 0); 2], 0),
    ] {
        let mut entries = beats.to_vec();
        for (act, reason) in acts {
            let seq = u64::try_from(entries.len()).unwrap() + 1;
            entries.push(operator(seq, later, act, reason));
        }
        let found: Vec<_> = figures(&entries)
            .iter()
            .map(|(_, _, duplicates, rescues)| (*duplicates, *rescues))
            .collect();
        assert_eq!(found, expect, "{:?}", entries.last());
        assert_eq!(Record::of(&entries).rescues.len(), rescues);
    }
    let all: Vec<_> = acts()
        .zip(1..)
        .map(|(act, seq)| Entry {
            seq,
            at: at(BEGIN),
            body: Body::Operator(act),
        })
        .collect();
    assert_eq!(Record::of(&all).rescues.len(), 0);
}
