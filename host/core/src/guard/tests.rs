//! The vectors of backoff and of the day's budget; pace, modes, breaker and properties have files of their own.

mod modes;
mod pace;
mod properties;
mod spending;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::*;
use crate::digest::Digest;
use crate::journal::sample::*;
use crate::journal::{BeatReceipt, Outcome};
use crate::quantity::Fuel;

const BACKOFF: &str = include_str!("../../tests/vectors/failure-backoff.json");
const BUDGET: &str = include_str!("../../tests/vectors/daily-budget.json");
const LIMITS: BudgetLimits = BudgetLimits {
    fuel_per_beat: Fuel(1_000),
    fuel_per_day: Fuel(1_000_000),
    beats_per_day: 1_000,
    proposals_per_day: None,
    tokens: None,
    money: None,
};

/// What a loop with that past meets, if nothing else is said.
struct Now {
    state: LoopState,
    limits: BudgetLimits,
    pace: Pace,
    settle: Settle,
    setup: Digest,
    meter: Digest,
    freeze: Option<Freeze>,
    now: Zoned,
}

impl Now {
    fn of(state: LoopState, now: Zoned) -> Self {
        Self {
            state,
            limits: LIMITS,
            pace: Pace::default(),
            settle: Settle::Propose,
            setup: digest("setup"),
            meter: digest("meter"),
            freeze: None,
            now,
        }
    }

    fn situated(&self) -> Situated<'_> {
        Situated {
            state: &self.state,
            limits: &self.limits,
            pace: &self.pace,
            settle: self.settle,
            setup: &self.setup,
            meter: &self.meter,
            freeze: self.freeze.as_ref(),
            now: &self.now,
        }
    }

    fn guard(&self) -> Guard {
        guard(&self.situated())
    }

    /// `go`, `shadow WHY` or `wait CAUSE WHY`.
    fn says(&self) -> String {
        match self.guard() {
            Guard::Go { shadow_only: None } => "go".to_owned(),
            Guard::Go {
                shadow_only: Some(hold),
            } => format!("shadow {hold}"),
            Guard::Wait(hold) => {
                let cause = serde_json::to_value(hold.cause().unwrap()).unwrap();
                format!("wait {} {hold}", cause.as_str().unwrap())
            }
        }
    }
}

fn guarded(state: &LoopState, limits: &BudgetLimits, now: &Zoned, setup: &Digest) -> Guard {
    Now {
        limits: *limits,
        setup: *setup,
        ..Now::of(state.clone(), now.clone())
    }
    .guard()
}

fn vectors(text: &str, key: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).unwrap();
    file[key].as_array().unwrap().clone()
}

fn utc(seconds: i64) -> Zoned {
    Timestamp::from_second(seconds)
        .unwrap()
        .to_zoned(TimeZone::UTC)
}

/// A loop in short: at each second, the beat under that setup ended like this.
fn state(beats: &[(i64, &str, BeatReceipt)]) -> LoopState {
    let mut state = LoopState::default();
    for (index, (second, setup, receipt)) in beats.iter().enumerate() {
        let receipt = BeatReceipt {
            setup: digest(setup),
            ..receipt.clone()
        };
        let at = Timestamp::from_second(*second).unwrap();
        state.add(
            &crate::journal::Entry {
                seq: index as u64 + 1,
                at,
                body: crate::journal::Body::Beat(Box::new(receipt)),
            },
            &TimeZone::UTC,
        );
    }
    state
}

/// Seconds to wait at `now`; 0 when a decision may be taken.
fn wait(state: &LoopState, now: i64, setup: &str) -> i64 {
    match guarded(state, &LIMITS, &utc(now), &digest(setup)) {
        Guard::Go { .. } => 0,
        Guard::Wait(hold) => hold.until.unwrap().as_second() - now,
    }
}

#[test]
fn backoff_vectors() {
    let cases = vectors(BACKOFF, "cases");
    assert_eq!(cases.len(), 10);
    for case in cases {
        let number = |key: &str| u32::try_from(case[key].as_u64().unwrap()).unwrap();
        assert_eq!(
            (number("base_s"), number("cap_s")),
            (BACKOFF_BASE_SECONDS, BACKOFF_CAP_SECONDS)
        );
        assert_eq!(
            backoff_seconds(number("failures")),
            number("wait_s"),
            "{case}"
        );
    }
}

#[test]
fn a_flapping_world_backs_off() {
    let mut history = Vec::new();
    let mut tries = Vec::new();
    for second in 0..60 {
        if wait(&state(&history), second, "s") == 0 {
            tries.push(second);
            let world = Some(digest(&second.to_string()));
            history.push((
                second,
                "s",
                BeatReceipt {
                    fingerprint: world,
                    ..failed(1)
                },
            ));
        }
    }
    assert_eq!(tries, [0]);
    assert_eq!(
        wait(&state(&history), 60, "s"),
        0,
        "a wait that has exactly elapsed permits"
    );
    assert_eq!(wait(&state(&history), 59, "s"), 1);
}

#[test]
fn an_edited_setup_is_one_probe() {
    let twice = [(0, "s", failed(1)), (60, "s", failed(2))];
    assert_eq!(wait(&state(&twice), 61, "s"), 119);
    assert_eq!(wait(&state(&twice), 61, "edited"), 0);
    let probed = state(&[twice.to_vec(), vec![(61, "edited", failed(3))]].concat());
    assert_eq!(probed.failures, 3);
    assert_eq!(wait(&probed, 61, "edited"), 240);
    assert_eq!(
        wait(&probed, 61, "s"),
        240,
        "going back to a setup that has failed is no new probe"
    );
}

#[test]
fn a_clock_that_steps_back() {
    assert_eq!(wait(&state(&[(1_000, "s", failed(1))]), 400, "s"), 60);
}

#[test]
fn success_clears() {
    let history = state(&[
        (0, "s", failed(1)),
        (60, "s", failed(2)),
        (200, "s", nothing(3, None)),
        (201, "s", failed(4)),
    ]);
    assert_eq!(wait(&history, 201, "s"), 60);
}

#[test]
fn a_skip_is_no_attempt() {
    let skip = BeatReceipt {
        attempted: false,
        ..receipt(2, Outcome::Skipped)
    };
    let history = state(&[(0, "s", failed(1)), (30, "s", skip)]);
    assert_eq!(wait(&history, 30, "s"), 30);
}

#[test]
fn a_wait_says_why() {
    let Guard::Wait(hold) = guarded(
        &state(&[(0, "s", failed(1)), (60, "s", failed(2))]),
        &LIMITS,
        &utc(61),
        &digest("s"),
    ) else {
        panic!()
    };
    assert_eq!(hold.until.unwrap().to_string(), "1970-01-01T00:03:00Z");
    assert_eq!(
        (hold.guard, hold.used.as_str(), hold.limit.as_str()),
        ("backoff", "2 beats", "120 s")
    );
    assert_eq!(
        hold.to_string(),
        "backoff: 2 beats failed in a row, the last one at 1970-01-01T00:01:00Z: 120 s between tries"
    );
}

#[test]
fn a_resumed_loop_is_tried_at_once() {
    let mut history = state(&[(0, "s", failed(1)), (60, "s", failed(2))]);
    assert_eq!(wait(&history, 61, "s"), 119);
    let act = crate::journal::Body::Operator(told(crate::journal::Act::Resume));
    let entry = crate::journal::Entry {
        seq: 3,
        at: Timestamp::from_second(61).unwrap(),
        body: act,
    };
    history.add(&entry, &TimeZone::UTC);
    assert_eq!((wait(&history, 61, "s"), history.failures), (0, 2));
}

#[test]
fn day_vectors() {
    let days = vectors(BUDGET, "days");
    assert_eq!(days.len(), 3);
    for case in days {
        let text = |key: &str| case[key].as_str().unwrap();
        let zone = zone(text("timezone"));
        let now = at(text("now")).to_zoned(zone.clone());
        let history = LoopState::fold(&[entry(1, text("entry"), nothing(1, None))], &zone);
        assert_eq!(
            history.day(now.date()).beats == 1,
            case["same_day"].as_bool().unwrap(),
            "{case}"
        );
    }
}

/// The rules of the vectors' zones, spelled out: tests do not read the machine's zone database.
fn zone(name: &str) -> TimeZone {
    TimeZone::posix(match name {
        "Asia/Tokyo" => "JST-9",
        "America/New_York" => "EST5EDT,M3.2.0,M11.1.0",
        other => panic!("{other}"),
    })
    .unwrap()
}

#[test]
fn a_refusal_names_its_figures_and_frees_at_midnight() {
    let zone = zone("America/New_York");
    let history = LoopState::fold(&[entry(1, "2026-11-01T04:00:00Z", nothing(1, None))], &zone);
    let now = at("2026-11-01T12:00:00Z").to_zoned(zone);
    let frees_at = at("2026-11-02T05:00:00Z");
    let limits = |fuel_per_day, beats_per_day| BudgetLimits {
        fuel_per_day: Fuel(fuel_per_day),
        beats_per_day,
        ..LIMITS
    };
    let check = |limits: BudgetLimits, expect: Option<&str>| {
        let hold = match guarded(&history, &limits, &now, &digest("s")) {
            Guard::Go { shadow_only } => shadow_only,
            Guard::Wait(hold) => Some(hold),
        };
        if let Some(hold) = &hold {
            assert_eq!(hold.until, Some(frees_at));
        }
        assert_eq!(hold.map(|hold| hold.to_string()).as_deref(), expect);
    };
    check(
        limits(1_000, 1),
        Some("beats_per_day: 1 of 1 used, free again at 2026-11-02T05:00:00Z"),
    );
    check(
        limits(10, 1),
        Some("fuel_per_day: 10 of 10 used, free again at 2026-11-02T05:00:00Z"),
    );
    check(limits(1_000, 2), None);
}

#[test]
fn near_its_end_a_day_is_for_looking() {
    let history = state(&[(
        0,
        "s",
        BeatReceipt {
            fuel: Fuel(80),
            ..nothing(1, None)
        },
    )]);
    for (limit, near) in [(100, true), (101, false)] {
        let limits = BudgetLimits {
            fuel_per_day: Fuel(limit),
            ..LIMITS
        };
        let Guard::Go { shadow_only } = guarded(&history, &limits, &utc(1), &digest("s")) else {
            panic!()
        };
        assert_eq!(shadow_only.is_some(), near, "{shadow_only:?}");
    }
}

#[test]
fn the_purse_of_a_beat_knows_the_day() {
    let history = state(&[(
        0,
        "s",
        BeatReceipt {
            fuel: Fuel(400),
            ..nothing(1, None)
        },
    )]);
    let purse = open_purse(
        &history,
        &BudgetLimits {
            fuel_per_day: Fuel(1_000),
            ..LIMITS
        },
        &utc(1),
    );
    assert_eq!(
        (purse.left(), purse.beat_left(), purse.day_left()),
        (Fuel(600), Fuel(1_000), Fuel(600))
    );
    let next_day = open_purse(&history, &LIMITS, &utc(86_400));
    assert_eq!(next_day.day_left(), LIMITS.fuel_per_day);
}
