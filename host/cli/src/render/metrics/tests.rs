//! The figures of loops, read back by a strict reader.

use jiff::tz::TimeZone;
use ringfence_core::journal::{Body, Entry, Outcome};

use super::checker::check;
use super::*;
use crate::render::receipt::tests::{EVIL, full};
use crate::render::status::tests::sample;

fn history(said: &str) -> History {
    let mut history = History::default();
    let outcome = Outcome::Discarded {
        reasons: vec![said.to_owned()],
    };
    let entry = Entry {
        seq: 1,
        at: "2026-11-21T11:00:00.5Z".parse().unwrap(),
        body: Body::Beat(Box::new(full(said, outcome).receipt)),
    };
    history.add(&entry, &TimeZone::UTC);
    history
}

fn printed(said: &str) -> String {
    let mut all = Exposition::new("1.0.0");
    figures(&mut all, &sample(said), &history(said));
    readable(&mut all, said, true);
    all.print()
}

#[test]
fn figures_of_a_loop() {
    insta::assert_snapshot!(printed("/srv/a"), @r#"
    # HELP ringfence_beat_possible Whether a beat that runs now may decide: 1 or 0.
    # TYPE ringfence_beat_possible gauge
    ringfence_beat_possible{project="/srv/a",loop="docs"} 0
    # HELP ringfence_beats_total Beats, by how they ended.
    # TYPE ringfence_beats_total counter
    ringfence_beats_total{project="/srv/a",loop="docs",outcome="discarded"} 1
    # HELP ringfence_budget_limit The limit of a budget of the day, in the budget's own unit.
    # TYPE ringfence_budget_limit gauge
    ringfence_budget_limit{project="/srv/a",loop="docs",budget="fuel_per_day"} 2000000
    ringfence_budget_limit{project="/srv/a",loop="docs",budget="beats_per_day"} 10
    # HELP ringfence_budget_used What is used of a budget of the day, in the budget's own unit.
    # TYPE ringfence_budget_used gauge
    ringfence_budget_used{project="/srv/a",loop="docs",budget="fuel_per_day"} 1500000
    ringfence_budget_used{project="/srv/a",loop="docs",budget="beats_per_day"} 9
    # HELP ringfence_budget_used_ratio What is used of a budget of the day, as a part of its limit.
    # TYPE ringfence_budget_used_ratio gauge
    ringfence_budget_used_ratio{project="/srv/a",loop="docs",budget="fuel_per_day"} 0.750000
    ringfence_budget_used_ratio{project="/srv/a",loop="docs",budget="beats_per_day"} 0.900000
    # HELP ringfence_build_info Which program this is; always 1.
    # TYPE ringfence_build_info gauge
    ringfence_build_info{version="1.0.0"} 1
    # HELP ringfence_denials_total Accesses that steps were refused.
    # TYPE ringfence_denials_total counter
    ringfence_denials_total{project="/srv/a",loop="docs"} 22
    # HELP ringfence_drills_passed Whether all drills passed, and are worth something still: 1 or 0.
    # TYPE ringfence_drills_passed gauge
    ringfence_drills_passed{project="/srv/a",loop="docs"} 0
    # HELP ringfence_drills_timestamp_seconds When drills were run last.
    # TYPE ringfence_drills_timestamp_seconds gauge
    ringfence_drills_timestamp_seconds{project="/srv/a",loop="docs"} 1793534400.000
    # HELP ringfence_fuel_used_total Fuel that all beats used; about 10^10 are a second of a core.
    # TYPE ringfence_fuel_used_total counter
    ringfence_fuel_used_total{project="/srv/a",loop="docs"} 2400000
    # HELP ringfence_journal_entries_total Entries of the journal.
    # TYPE ringfence_journal_entries_total counter
    ringfence_journal_entries_total{project="/srv/a",loop="docs"} 21
    # HELP ringfence_last_beat_timestamp_seconds When the last beat ended.
    # TYPE ringfence_last_beat_timestamp_seconds gauge
    ringfence_last_beat_timestamp_seconds{project="/srv/a",loop="docs"} 1795258800.500
    # HELP ringfence_loop_level How far the loop may go by itself: 1 records, 2 proposes, 3 commits.
    # TYPE ringfence_loop_level gauge
    ringfence_loop_level{project="/srv/a",loop="docs"} 1
    # HELP ringfence_loop_mode Which mode the loop is in: 1 for that one, 0 for the others.
    # TYPE ringfence_loop_mode gauge
    ringfence_loop_mode{project="/srv/a",loop="docs",mode="run"} 0
    ringfence_loop_mode{project="/srv/a",loop="docs",mode="slow"} 0
    ringfence_loop_mode{project="/srv/a",loop="docs",mode="report-only"} 0
    ringfence_loop_mode{project="/srv/a",loop="docs",mode="frozen"} 0
    ringfence_loop_mode{project="/srv/a",loop="docs",mode="paused"} 1
    ringfence_loop_mode{project="/srv/a",loop="docs",mode="retired"} 0
    # HELP ringfence_loop_readable Whether the loop file and its journal can be read: 1 or 0.
    # TYPE ringfence_loop_readable gauge
    ringfence_loop_readable{file="/srv/a"} 1
    # HELP ringfence_next_beat_timestamp_seconds When the next beat is due, or may decide again where that is later.
    # TYPE ringfence_next_beat_timestamp_seconds gauge
    ringfence_next_beat_timestamp_seconds{project="/srv/a",loop="docs"} 1795263300.000
    # HELP ringfence_notices_total Messages to people, by whether they got there.
    # TYPE ringfence_notices_total counter
    ringfence_notices_total{project="/srv/a",loop="docs",result="delivered"} 0
    ringfence_notices_total{project="/srv/a",loop="docs",result="failed"} 0
    # HELP ringfence_open_proposals Branches and patches that nobody has dealt with.
    # TYPE ringfence_open_proposals gauge
    ringfence_open_proposals{project="/srv/a",loop="docs"} 1
    # HELP ringfence_recoveries_total Publications that were cut off, by what was found of them.
    # TYPE ringfence_recoveries_total counter
    ringfence_recoveries_total{project="/srv/a",loop="docs",found="settled"} 0
    ringfence_recoveries_total{project="/srv/a",loop="docs",found="nothing"} 0
    # HELP ringfence_step_calls_total Calls of steps, by how they ended.
    # TYPE ringfence_step_calls_total counter
    ringfence_step_calls_total{project="/srv/a",loop="docs",role="sensor",step="look",result="answered"} 0
    ringfence_step_calls_total{project="/srv/a",loop="docs",role="sensor",step="look",result="remembered"} 1
    ringfence_step_calls_total{project="/srv/a",loop="docs",role="sensor",step="look",result="failed"} 0
    ringfence_step_calls_total{project="/srv/a",loop="docs",role="executor",step="fix",result="answered"} 0
    ringfence_step_calls_total{project="/srv/a",loop="docs",role="executor",step="fix",result="remembered"} 0
    ringfence_step_calls_total{project="/srv/a",loop="docs",role="executor",step="fix",result="failed"} 1
    # HELP ringfence_step_fuel_used_total Fuel that a step used.
    # TYPE ringfence_step_fuel_used_total counter
    ringfence_step_fuel_used_total{project="/srv/a",loop="docs",role="sensor",step="look"} 0
    ringfence_step_fuel_used_total{project="/srv/a",loop="docs",role="executor",step="fix"} 1200000
    # HELP ringfence_tried_items Items with attempts that came to nothing.
    # TYPE ringfence_tried_items gauge
    ringfence_tried_items{project="/srv/a",loop="docs"} 1
    # HELP ringfence_verdicts_total Verdicts of gates; none stands for a gate that gave none.
    # TYPE ringfence_verdicts_total counter
    ringfence_verdicts_total{project="/srv/a",loop="docs",gate="a-longer-name",ruling="pass"} 0
    ringfence_verdicts_total{project="/srv/a",loop="docs",gate="a-longer-name",ruling="fail"} 0
    ringfence_verdicts_total{project="/srv/a",loop="docs",gate="a-longer-name",ruling="abstain"} 0
    ringfence_verdicts_total{project="/srv/a",loop="docs",gate="a-longer-name",ruling="none"} 1
    ringfence_verdicts_total{project="/srv/a",loop="docs",gate="links",ruling="pass"} 0
    ringfence_verdicts_total{project="/srv/a",loop="docs",gate="links",ruling="fail"} 1
    ringfence_verdicts_total{project="/srv/a",loop="docs",gate="links",ruling="abstain"} 0
    ringfence_verdicts_total{project="/srv/a",loop="docs",gate="links",ruling="none"} 0
    # HELP ringfence_waiting_items What waits for a person.
    # TYPE ringfence_waiting_items gauge
    ringfence_waiting_items{project="/srv/a",loop="docs"} 1
    "#);
}

#[test]
fn whatever_components_say_a_collector_reads_it() {
    let tidy = check(&printed("/srv/a")).unwrap();
    let long = "\"}\n\\".repeat(10_000);
    for said in [EVIL, "\"} 1\nx 1\n", "\\", "\\n\"", long.as_str(), ""] {
        let text = printed(said);
        let found = check(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
        // No series more or less: nothing said makes one.
        assert_eq!(found.len(), tidy.len());
        assert!(text.len() < 60_000, "{}", text.len());
    }
}

#[test]
fn a_loop_that_is_named_twice_is_counted_once() {
    let mut all = Exposition::new("1.0.0");
    for _ in 0..2 {
        figures(&mut all, &sample("/srv/a"), &history("x"));
    }
    let mut other = sample("/srv/b");
    other.drills = None;
    figures(&mut all, &other, &History::default());
    let found = check(&all.print()).unwrap();
    let beats = found
        .keys()
        .filter(|(name, _)| name == "ringfence_beats_total");
    assert_eq!(beats.count(), 1);
    let ratio = found
        .keys()
        .filter(|(name, _)| name == "ringfence_budget_used_ratio");
    assert_eq!(ratio.count(), 4);
}

#[test]
fn numbers() {
    assert_eq!(seconds(Timestamp::UNIX_EPOCH), "0.000");
    assert_eq!(seconds("1969-12-31T23:59:58.5Z".parse().unwrap()), "-1.500");
    assert_eq!(
        seconds("2026-11-21T11:00:00.25Z".parse().unwrap()),
        "1795258800.250"
    );
    for (used, limit, expect) in [
        (1, 3, "0.333333"),
        (0, 9, "0.000000"),
        (7, 2, "3.500000"),
        (1, 0, "1.000000"),
    ] {
        assert_eq!(ratio(used, limit), expect);
    }
}

proptest::proptest! {
    #[test]
    fn any_label_comes_back(text: String, raw: Vec<char>) {
        for text in [text, raw.into_iter().collect()] {
            let mut all = Exposition::new("1");
            readable(&mut all, &text, true);
            proptest::prop_assert!(check(&all.print()).is_ok(), "{}", all.print());
        }
    }
}
