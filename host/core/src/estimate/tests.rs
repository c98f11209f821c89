//! Plans and measurements of small loops.

use jiff::tz::TimeZone;

use super::*;
use crate::cadence::Rhythm;
use crate::digest::Digest;
use crate::guard::SpendLimit;
use crate::journal::sample::{entry, nothing, proposed, receipt};
use crate::journal::{BeatReceipt, Body, Cost, Entry, Outcome};
use crate::quantity::Money;
use crate::spec;

fn spec() -> Spec {
    let text = spec::template("docs-links");
    spec::parse(&text, "LOOP.md").unwrap().0
}

fn with(fuel: u64, receipt: BeatReceipt) -> BeatReceipt {
    BeatReceipt {
        fuel: Fuel(fuel),
        ..receipt
    }
}

fn skipped(beat: u64) -> BeatReceipt {
    BeatReceipt {
        attempted: false,
        ..with(0, receipt(beat, Outcome::Skipped))
    }
}

/// Eight skips, a beat without a move and a proposal, three hours apart.
fn history(first_day: u32) -> Vec<Entry> {
    (1..=10)
        .map(|n| {
            let receipt = match n {
                4 => with(1_000_000, nothing(n, None)),
                9 => with(9_000_000, proposed(n, "a")),
                n => skipped(n),
            };
            let hour = (n - 1) * 3;
            let day = u64::from(first_day) + hour / 24;
            entry(
                n,
                &format!("2026-11-{day:02}T{:02}:00:00Z", hour % 24),
                receipt,
            )
        })
        .collect()
}

#[test]
fn a_plan_alone() {
    let found = estimate(&spec(), 96, None);
    // Six steps of 10G, of which a beat may use 50G; 2T are for 40 of them.
    assert_eq!(found.beats_per_day, 96);
    assert_eq!(found.planned.fuel_of_steps, Fuel(60_000_000_000));
    assert_eq!(found.planned.fuel_per_beat, Fuel(50_000_000_000));
    let fuel = found.budgets.first().unwrap();
    assert_eq!(fuel.planned, 4_800_000_000_000);
    assert_eq!(fuel.planned_lasts, Some(Millis(36_000_000)));
    assert_eq!(
        (found.binds_planned, found.binds_measured),
        (Some("fuel_per_day"), None)
    );
    assert_eq!(
        found.cautions,
        ["no beat has run: there is nothing measured to set beside the plan"]
    );
}

#[test]
fn what_was_measured_stands_beside_it() {
    let measured = measure(&history(21), &TimeZone::UTC);
    let found = estimate(&spec(), 96, measured);
    let measured = found.measured.as_ref().unwrap();
    assert_eq!(
        (
            measured.fuel.count,
            measured.fuel.median,
            measured.fuel.p90,
            measured.fuel.max
        ),
        (10, 0, 1_000_000, 9_000_000)
    );
    assert_eq!(measured.decided, 2);
    let kinds: Vec<_> = measured
        .outcomes
        .iter()
        .map(|one| (one.outcome.as_str(), one.fuel.count, one.fuel.median))
        .collect();
    assert_eq!(
        kinds,
        [
            ("skipped", 8, 0),
            ("nothing-to-do", 1, 1_000_000),
            ("proposed", 1, 9_000_000)
        ]
    );
    // The mean of 10M over ten beats, 96 times; a fifth of the beats decide.
    let used: Vec<_> = found
        .budgets
        .iter()
        .map(|one| (one.budget, one.measured, one.measured_lasts))
        .collect();
    assert_eq!(
        used,
        [
            ("fuel_per_day", Some(96_000_000), None),
            ("beats_per_day", Some(20), None)
        ]
    );
    assert_eq!(found.binds_measured, None);
    assert_eq!(
        found.cautions,
        ["no whole day has passed between its beats: nights and weekends are not in it"]
    );
}

#[test]
fn the_budget_that_ends_first_binds() {
    let mut spec = spec();
    spec.budget.beats_per_day = 48;
    spec.budget.fuel_per_day = Fuel(5_000_000_000_000);
    let entries: Vec<Entry> = (1..=3)
        .map(|n| {
            entry(
                n,
                "2026-11-21T12:00:00Z",
                with(60_000_000_000, nothing(n, None)),
            )
        })
        .collect();
    let found = estimate(&spec, 96, measure(&entries, &TimeZone::UTC));
    assert_eq!(found.binds_planned, Some("beats_per_day"));
    assert_eq!(found.binds_measured, Some("beats_per_day"));
    let lasts: Vec<_> = found
        .budgets
        .iter()
        .map(|one| one.measured_lasts.map(|time| time.to_string()))
        .collect();
    assert_eq!(lasts, [Some("1250m".to_owned()), Some("12h".to_owned())]);
    assert!(
        found
            .cautions
            .first()
            .unwrap()
            .starts_with("3 beats are few"),
        "{:?}",
        found.cautions
    );
}

#[test]
fn days_without_a_beat_count() {
    let mut entries = history(18);
    entries.extend(history(21).into_iter().map(|mut one| {
        one.seq += 10;
        one
    }));
    let measured = measure(&entries, &TimeZone::UTC).unwrap();
    // The 19th had the proposal, the 20th nothing, the 21st the other one.
    let days = measured.fuel_of_day.unwrap();
    assert_eq!(
        (measured.full_days, days.median, days.max),
        (3, 1_000_000, 9_000_000)
    );
}

#[test]
fn a_clock_that_was_wrong_makes_no_endless_list() {
    let entries = [
        entry(1, "1970-01-01T00:00:00Z", skipped(1)),
        entry(2, "2026-11-21T00:00:00Z", skipped(2)),
        entry(3, "1999-11-21T00:00:00Z", skipped(3)),
    ];
    let measured = measure(&entries, &TimeZone::UTC).unwrap();
    assert!(measured.full_days <= 2_000);
    assert!(measured.first < measured.last);
    assert_eq!(measure(&[], &TimeZone::UTC), None);
}

#[test]
fn beats_of_a_day() {
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let every = |time: &str| Rhythm::Every(time.parse().unwrap());
    let cron = |cron: &str| Rhythm::Cron(cron.parse().unwrap());
    let mut cadence = spec().cadence;
    for (rhythm, expect) in [
        (every("15m"), 96),
        (every("7h"), 4),
        (every("30d"), 1),
        (cron("0 8 * * 1-5"), 1),
        (cron("*/10 8-17 * * *"), 60),
        (cron("* * * * *"), 1440),
        // 20 of 28 days.
        (cron("0 * * * 1-5"), 18),
    ] {
        cadence.rhythm = rhythm;
        assert_eq!(beats_of(&cadence, &TimeZone::UTC, now), expect, "{cadence}");
        assert!(beats_of(&cadence, &TimeZone::UTC, Timestamp::MAX) <= expect);
    }
}

#[test]
fn what_a_decider_reports_is_part_of_the_plan() {
    let mut spec = spec();
    spec.budget.tokens = Some(SpendLimit::new(Some(10_000), 500_000));
    spec.budget.money = Some(SpendLimit::new(None, 5_000_000));
    spec.budget.proposals_per_day = Some(3);
    let mut history = history(21);
    for entry in &mut history {
        if let Body::Beat(receipt) = &mut entry.body
            && receipt.attempted
        {
            receipt.cost = Some(Cost {
                meter: Digest::of(b"meter"),
                tokens: 4_000,
                money: Money(30_000),
                estimated: receipt.fuel == Fuel(1_000_000),
                unmetered: None,
            });
        }
    }
    let found = estimate(&spec, 100, measure(&history, &TimeZone::UTC));
    let used: Vec<_> = found
        .budgets
        .iter()
        .skip(2)
        .map(|one| (one.budget, one.planned, one.measured))
        .collect();
    // A fifth of a hundred beats decide, half of them propose.
    assert_eq!(
        used,
        [
            ("proposals_per_day", 100, Some(10)),
            ("tokens_per_day", 1_000_000, Some(80_000)),
            ("money_per_day", 50_000_000, Some(600_000)),
        ]
    );
    assert!(
        found
            .cautions
            .iter()
            .any(|caution| caution.contains("did not say what it cost"))
    );
}
