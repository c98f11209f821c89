//! Budgets of what deciders report, and of proposals.

use super::*;
use crate::journal::{Body, Cost, DaySpend, Done, Entry, Reservation, Settle};
use crate::quantity::Money;

fn cost(tokens: u64, money: u64, unmetered: Option<&str>) -> Option<Cost> {
    Some(Cost {
        meter: digest("meter"),
        tokens,
        money: Money(money),
        estimated: unmetered.is_some(),
        unmetered: unmetered.map(str::to_owned),
    })
}

fn spent(money: u64) -> LoopState {
    let receipt = BeatReceipt {
        cost: cost(0, money, None),
        ..nothing(1, None)
    };
    state(&[(0, "setup", receipt)])
}

fn money(limit: Option<SpendLimit>, state: LoopState) -> Now {
    let limits = BudgetLimits {
        money: limit,
        ..LIMITS
    };
    Now {
        limits,
        ..Now::of(state, utc(1))
    }
}

#[test]
fn budget_vectors() {
    let cases = vectors(BUDGET, "cases");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let amount = |key: &str| {
            case[key]
                .as_str()
                .map(|text| text.parse::<Money>().unwrap().0)
        };
        let limit = amount("limit").map(|limit| SpendLimit::new(None, limit));
        let now = money(limit, spent(amount("spent").unwrap()));
        let may_start = matches!(now.guard(), Guard::Go { .. });
        assert_eq!(may_start, case["may_start"].as_bool().unwrap(), "{case}");
    }
}

#[test]
fn a_beat_that_may_cost_more_than_is_left_does_not_begin() {
    let check = |per_beat, used, expect: &str| {
        let now = money(Some(SpendLimit::new(per_beat, 5_000_000)), spent(used));
        assert_eq!(now.says(), expect);
    };
    check(Some(1_000_000), 3_900_000, "go");
    check(
        Some(1_000_000),
        4_000_000,
        "shadow money_per_day: 4.00 of 5.00 used; from 80 % until 1970-01-02T00:00:00Z changes are recorded and no longer proposed",
    );
    check(
        Some(1_000_000),
        4_000_001,
        "wait budget money_per_day: 4.000001 of 5.00 used, and a beat may need 1.00, free again at 1970-01-02T00:00:00Z",
    );
    check(
        None,
        4_999_999,
        "shadow money_per_day: 4.999999 of 5.00 used; from 80 % until 1970-01-02T00:00:00Z changes are recorded and no longer proposed",
    );
    check(
        None,
        5_000_000,
        "wait budget money_per_day: 5.00 of 5.00 used, free again at 1970-01-02T00:00:00Z",
    );
}

#[test]
fn where_nobody_says_a_beat_may_spend_a_tenth_of_its_day_or_what_is_left() {
    for (per_beat, used, expect) in [
        (None, 0, 500_000),
        (None, 4_900_000, 100_000),
        (Some(2_000_000), 0, 2_000_000),
    ] {
        let now = money(Some(SpendLimit::new(per_beat, 5_000_000)), spent(used));
        let allowed = allowance(&now.state, &now.limits, &now.now);
        assert_eq!(allowed.money, Some(Money(expect)));
        assert_eq!(allowed.tokens, None);
    }
    assert_eq!(SpendLimit::new(None, 3).per_beat, 1);
}

#[test]
fn proposals_of_a_day() {
    let beats = [
        (0, "setup", proposed(1, "a")),
        (1, "setup", proposed(2, "b")),
    ];
    for (settle, limit, expect) in [
        (Settle::Propose, Some(3), "go"),
        (
            Settle::Propose,
            Some(2),
            "wait budget proposals_per_day: 2 of 2 used, free again at 1970-01-02T00:00:00Z",
        ),
        (Settle::Shadow, Some(2), "go"),
        (Settle::Propose, None, "go"),
    ] {
        let limits = BudgetLimits {
            proposals_per_day: limit,
            ..LIMITS
        };
        let now = Now {
            settle,
            limits,
            ..Now::of(state(&beats), utc(2))
        };
        assert_eq!(now.says(), expect);
    }
}

#[test]
fn commits_of_a_day_are_counted_as_proposals_are() {
    let committed = |beat: u64| Outcome::Committed {
        reference: "refs/heads/main".to_owned(),
        commit: "c".to_owned(),
        previous: beat.to_string(),
    };
    let by_receipt = |beat| Body::Beat(Box::new(moved(beat, "a", committed(beat))));
    let by_intent = |beat| {
        let done = Done {
            beat: crate::ids::BeatNo(beat),
            settled: Some("c".to_owned()),
        };
        [
            Body::Intent(intent(beat, "a", Settle::Commit)),
            Body::Done(done),
            by_receipt(beat),
        ]
    };
    for (what, bodies, expect) in [
        ("once", by_intent(1).to_vec(), 1),
        ("an older host's", vec![by_receipt(1)], 1),
        ("twice", [by_intent(1), by_intent(2)].concat(), 2),
    ] {
        let entries = bodies.into_iter().map(|body| Entry {
            seq: 1,
            at: Timestamp::from_second(0).unwrap(),
            body,
        });
        let state = LoopState::fold(&entries.collect::<Vec<_>>(), &TimeZone::UTC);
        assert_eq!(today_of(&state, 1).proposals, expect, "{what}");
        let limits = BudgetLimits {
            proposals_per_day: Some(2),
            ..LIMITS
        };
        let now = Now {
            settle: Settle::Commit,
            limits,
            ..Now::of(state, utc(1))
        };
        assert_eq!(now.says() == "go", expect < 2, "{what}");
    }
}

#[test]
fn unmetered_vectors() {
    let cases = vectors(BUDGET, "unmetered");
    assert_eq!(cases.len(), 5);
    for case in cases {
        let runs = case["runs"].as_array().unwrap();
        let beats: Vec<_> = runs
            .iter()
            .map(|run| (0, "setup", run_of(run.as_str().unwrap())))
            .collect();
        let mut history = state(&beats);
        // What the vectors leave to backoff is not asked of it here.
        history.failures = 0;
        let edited = case["then"].is_string();
        let now = Now {
            meter: digest(if edited { "edited" } else { "meter" }),
            ..Now::of(history, utc(10))
        };
        let refused = case["expect"].as_str().unwrap().contains("refused");
        let expect = "wait unmetered unmetered: the decider did not say what it cost 3 times in a row, the limit is 3; until decider or `cost` is another, or the loop is resumed";
        assert_eq!(now.says(), if refused { expect } else { "go" }, "{case}");
    }
}

#[test]
fn a_decider_that_does_not_say_what_it_costs_stops_the_loop_for_all_to_see() {
    for (runs, expect) in [(2, ("run", None)), (3, ("paused", Some("unmetered")))] {
        let beats: Vec<_> = (0..runs).map(|_| (0, "setup", run_of("no cost"))).collect();
        let now = Now::of(state(&beats), utc(10));
        let stopped = stopped_by_rule(&now.state, now.now.timestamp());
        let seen = (
            mode(&now.situated()).mode.as_str(),
            stopped.as_ref().map(|hold| hold.guard),
        );
        assert_eq!(seen, expect, "{runs}");
    }
}

fn run_of(run: &str) -> BeatReceipt {
    match run {
        "no cost" => BeatReceipt {
            cost: cost(0, 100, Some("nothing at \"/cost\"")),
            ..nothing(1, None)
        },
        "$0.10" => BeatReceipt {
            cost: cost(0, 100_000, None),
            ..nothing(1, None)
        },
        "declared cost = free" => BeatReceipt {
            cost: cost(0, 0, None),
            ..nothing(1, None)
        },
        "exit 1 without cost" => BeatReceipt {
            cost: Some(Cost {
                estimated: true,
                ..cost(0, 100, None).unwrap()
            }),
            ..failed(1)
        },
        other => panic!("{other}"),
    }
}

#[test]
fn a_failure_in_between_neither_counts_nor_clears() {
    let runs = ["no cost", "no cost", "exit 1 without cost"];
    let mut beats: Vec<_> = runs.map(|run| (0, "setup", run_of(run))).to_vec();
    let in_a_row = |beats: &[_]| {
        state(beats)
            .evidence
            .unmetered
            .map(|unmetered| unmetered.in_a_row)
    };
    assert_eq!(in_a_row(&beats), Some(2));
    beats.push((0, "setup", run_of("no cost")));
    assert_eq!(in_a_row(&beats), Some(3));
}

/// A beat that reserves at one second and ends, or does not, at another.
fn reserved(beat: u64, at: i64) -> Entry {
    Entry {
        seq: 1,
        at: Timestamp::from_second(at).unwrap(),
        body: Body::Reserve(Reservation {
            beat: crate::ids::BeatNo(beat),
            fuel: Fuel(500),
            tokens: 50,
            money: Money(5),
        }),
    }
}

fn ended(beat: u64, at: i64) -> Entry {
    Entry {
        seq: 1,
        at: Timestamp::from_second(at).unwrap(),
        body: Body::Beat(Box::new(nothing(beat, None))),
    }
}

const DAY: i64 = 86_400;

#[test]
fn a_beat_without_a_receipt_has_cost_what_it_reserved() {
    let whole = DaySpend {
        fuel: Fuel(500),
        beats: 1,
        tokens: 50,
        money: Money(5),
        proposals: 0,
    };
    let receipt = DaySpend {
        fuel: Fuel(10),
        beats: 1,
        ..DaySpend::default()
    };
    let nothing = DaySpend::default();
    for (what, entries, today, tomorrow) in [
        ("under way", vec![reserved(1, 9)], whole, nothing),
        (
            "ended",
            vec![reserved(1, 9), ended(1, 10)],
            receipt,
            nothing,
        ),
        (
            "cut off, then another",
            vec![reserved(1, 9), ended(2, 10)],
            whole.plus(&receipt),
            nothing,
        ),
        (
            "cut off twice",
            vec![reserved(1, 9), reserved(2, 10)],
            whole.plus(&whole),
            nothing,
        ),
        (
            "over midnight",
            vec![reserved(1, DAY - 1), ended(1, DAY)],
            nothing,
            receipt,
        ),
        (
            "the clock stepped back over midnight",
            vec![reserved(1, DAY), ended(1, DAY - 1)],
            nothing,
            receipt,
        ),
        (
            "cut off the day before",
            vec![reserved(1, DAY - 1), ended(2, DAY)],
            whole,
            receipt,
        ),
    ] {
        let state = LoopState::fold(&entries, &TimeZone::UTC);
        let spent = [0, DAY].map(|second| today_of(&state, second));
        assert_eq!(spent, [today, tomorrow], "{what}");
    }
    let state = LoopState::fold(&[reserved(7, 0)], &TimeZone::UTC);
    assert_eq!(state.next_beat(), crate::ids::BeatNo(8));
}

fn today_of(state: &LoopState, second: i64) -> DaySpend {
    state.day(utc(second).date())
}

#[test]
fn what_was_spent_of_tomorrow_counts_already() {
    let state = LoopState::fold(&[ended(1, DAY + 1)], &TimeZone::UTC);
    let limits = BudgetLimits {
        fuel_per_day: Fuel(10),
        ..LIMITS
    };
    let now = Now {
        limits,
        ..Now::of(state, utc(DAY - 1))
    };
    assert_eq!(
        now.says(),
        "wait budget fuel_per_day: 10 of 10 used, free again at 1970-01-03T00:00:00Z"
    );
}

#[test]
fn a_clock_that_steps_back_by_days_frees_no_budget() {
    let state = LoopState::fold(&[ended(1, 3 * DAY + 1)], &TimeZone::UTC);
    let limits = BudgetLimits {
        fuel_per_day: Fuel(10),
        ..LIMITS
    };
    let on = |second| Now {
        limits,
        ..Now::of(state.clone(), utc(second))
    };
    assert_eq!(
        on(DAY).says(),
        "wait budget fuel_per_day: 10 of 10 used, free again at 1970-01-05T00:00:00Z"
    );
    assert!(
        on(4 * DAY).says().starts_with("go"),
        "{}",
        on(4 * DAY).says()
    );
}
