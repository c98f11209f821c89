//! Where a loop stands, what drills are worth, and each rule of a promotion.

use super::*;
use crate::ids::BeatNo;
use crate::journal::sample::{at, digest, discarded, entry, proposed};
use crate::journal::{
    Act, BeatReceipt, Body, DrillResult, DrillRun, Drilled, Entry, ItemHistory, Labelled,
    LabelledSince, OperatorAct, Outcome, Settle,
};

const NOW: &str = "2026-06-20T00:00:00Z";
const ORDERED: &str = "2026-06-01T00:00:00Z";

fn result(name: &str, fault: bool, passed: bool) -> DrillResult {
    DrillResult {
        name: name.to_owned(),
        fault,
        passed,
        seen: String::new(),
    }
}

fn drilled(results: Vec<DrillResult>) -> LoopState {
    let run = DrillRun {
        setup: digest("bound"),
        results,
        unguarded: Vec::new(),
    };
    LoopState {
        drilled: Some(Drilled {
            at: at(ORDERED),
            run,
        }),
        ..LoopState::default()
    }
}

fn passed() -> LoopState {
    drilled(vec![
        result("size:diff-size", true, true),
        result("size:diff-size", false, true),
    ])
}

fn ordered(mut state: LoopState, to: Level, overrides: &[&str]) -> LoopState {
    let overrides = overrides.iter().map(|line| (*line).to_owned()).collect();
    let act = OperatorAct {
        by: "ann".to_owned(),
        reason: String::new(),
        act: Act::Promote { to, overrides },
    };
    state.orders.add(&act, at(ORDERED));
    state
}

#[test]
fn what_drills_are_worth() {
    let bound = digest("bound");
    let check =
        |state: &LoopState, bound: Option<&crate::digest::Digest>, now: &str, expect: &str| {
            let found = drills_valid(state, bound, at(now));
            let found = found.map_or_else(|problem| problem.to_string(), |until| until.to_string());
            assert_eq!(found, expect);
        };
    let good = "2026-07-01T00:00:00Z";
    check(&passed(), Some(&bound), NOW, good);
    check(&passed(), Some(&bound), "2026-06-30T23:59:59Z", good);
    let expired = "those of 2026-06-01T00:00:00Z were good for 30 days";
    check(&passed(), Some(&bound), good, expired);
    check(&passed(), Some(&bound), "2026-05-31T00:00:00Z", good);
    let future = "those of 2026-06-01T00:00:00Z lie in the future";
    check(&passed(), Some(&bound), "2026-05-30T23:59:59Z", future);
    let other =
        "loop file, plugins, policy or place are not those that were tried at 2026-06-01T00:00:00Z";
    check(&passed(), Some(&digest("other")), NOW, other);
    check(&passed(), None, NOW, other);
    check(&LoopState::default(), Some(&bound), NOW, "none were run");
    let failed = drilled(vec![result("a", true, true), result("b", true, false)]);
    let said = "1 of 2 failed at 2026-06-01T00:00:00Z";
    check(&failed, Some(&bound), NOW, said);
    let said = "0 of 0 failed at 2026-06-01T00:00:00Z";
    check(&drilled(Vec::new()), Some(&bound), NOW, said);
}

#[test]
fn both_directions_make_a_guard() {
    let run = |results| drilled(results).drilled.unwrap().run;
    let (fault, clean) = (result("size:a", true, true), result("size:b", false, true));
    assert!(shown(&run(vec![fault.clone(), clean.clone()]), "size"));
    assert!(!shown(&run(vec![fault.clone(), clean.clone()]), "sizes"));
    assert!(!shown(&run(vec![fault.clone(), fault.clone()]), "size"));
    assert!(!shown(&run(vec![clean.clone(), clean.clone()]), "size"));
    let missed = result("size", true, false);
    assert!(!shown(&run(vec![missed, clean]), "size"));
}

#[test]
fn where_a_loop_stands() {
    let bound = digest("bound");
    let none = LoopState::default();
    for (ceiling, state, expect) in [
        (Level::L1, none.clone(), (Level::L1, Level::L1, false)),
        (Level::L2, none.clone(), (Level::L2, Level::L2, false)),
        (Level::L3, none.clone(), (Level::L2, Level::L2, false)),
        (
            Level::L3,
            ordered(none.clone(), Level::L1, &[]),
            (Level::L1, Level::L1, false),
        ),
        (
            Level::L3,
            ordered(passed(), Level::L3, &[]),
            (Level::L3, Level::L3, false),
        ),
        (
            Level::L2,
            ordered(passed(), Level::L3, &[]),
            (Level::L2, Level::L2, false),
        ),
        (
            Level::L1,
            ordered(passed(), Level::L3, &[]),
            (Level::L1, Level::L1, false),
        ),
        (
            Level::L3,
            ordered(none.clone(), Level::L3, &[]),
            (Level::L2, Level::L3, true),
        ),
        (
            Level::L3,
            ordered(none.clone(), Level::L3, &["drills: none"]),
            (Level::L3, Level::L3, false),
        ),
        (
            Level::L3,
            ordered(none, Level::L3, &["deny: drills: none"]),
            (Level::L2, Level::L3, true),
        ),
    ] {
        let found = reach(ceiling, &state, Some(&bound), at(NOW));
        assert_eq!((found.level, found.ordered, found.lapsed.is_some()), expect);
    }
    let lapsed = reach(Level::L3, &ordered(passed(), Level::L3, &[]), None, at(NOW));
    assert!(lapsed.lapsed.unwrap().starts_with("its drills: loop file"));
}

/// Three proposals of the setup `setup`, one a day, and a state at L2 whose drills are good.
struct Ground {
    entries: Vec<Entry>,
    state: LoopState,
    proposed: Vec<Proposed>,
    facts: fn(&mut Facts<'_>),
}

fn ground() -> Ground {
    let beats = (1..=3).map(|n| {
        entry(
            n,
            &format!("2026-06-0{}T00:00:00Z", n + 1),
            proposed(n, &n.to_string()),
        )
    });
    let taken = (1..=5).map(|n| Proposed {
        beat: BeatNo(n),
        at: at(ORDERED),
        fate: Fate::Accepted,
    });
    Ground {
        entries: beats.collect(),
        state: ordered(passed(), Level::L2, &[]),
        proposed: taken.collect(),
        facts: |_| {},
    }
}

impl Ground {
    fn beat(mut self, receipt: BeatReceipt) -> Self {
        let seq = u64::try_from(self.entries.len()).unwrap() + 1;
        self.entries
            .push(entry(seq, "2026-06-10T00:00:00Z", receipt));
        self
    }

    /// The names of the rules that do not hold.
    fn unmet(&self, to: Level) -> Vec<&'static str> {
        // What the state says was ordered before the first of these entries.
        let ordered = self.state.orders.level.as_ref().map(|order| Entry {
            seq: 0,
            at: order.at,
            body: Body::Operator(OperatorAct {
                by: order.by.clone(),
                reason: String::new(),
                act: Act::Demote { to: order.what.to },
            }),
        });
        let entries: Vec<Entry> = ordered.into_iter().chain(self.entries.clone()).collect();
        let record = Record::of(&entries);
        let mut facts = Facts {
            level: Level::L2,
            ceiling: Level::L3,
            state: &self.state,
            record: &record,
            proposed: &self.proposed,
            own_history: true,
            setup: digest("setup"),
            bound: Some(digest("bound")),
            denials: 1,
            unwritten: &[],
            attempts_max: 2,
            now: at(NOW),
        };
        (self.facts)(&mut facts);
        let unmet = evidence(to, &facts).into_iter().filter(|check| !check.met);
        unmet.map(|check| check.rule.name()).collect()
    }
}

fn check(change: impl FnOnce(&mut Ground), expect: &[&str]) {
    let mut ground = ground();
    change(&mut ground);
    assert_eq!(ground.unmet(Level::L3), expect);
}

#[test]
fn each_rule_of_l3_is_refused_for_itself() {
    check(|_| {}, &[]);
    check(
        |ground| ground.facts = |facts| facts.ceiling = Level::L2,
        &["ceiling"],
    );
    check(
        |ground| ground.facts = |facts| facts.own_history = false,
        &["own-history"],
    );
    check(|ground| ground.facts = |facts| facts.denials = 0, &["deny"]);
    check(
        |ground| ground.facts = |facts| facts.unwritten = &["fuel_per_day"],
        &["budgets"],
    );
    check(
        |ground| ground.facts = |facts| facts.bound = None,
        &["drills", "size-guard"],
    );
    check(
        |ground| ground.state = ordered(drilled(vec![result("memo", true, true)]), Level::L2, &[]),
        &["size-guard"],
    );
    check(|ground| ground.proposed.truncate(4), &["accepted"]);
    check(
        |ground| ground.proposed[0].at = at("2026-05-31T23:59:59Z"),
        &["accepted"],
    );
    let turned_down = |when: &str| Proposed {
        beat: BeatNo(9),
        at: at(when),
        fate: Fate::TurnedDown,
    };
    let rejected = |when: &str| Entry {
        seq: 1,
        at: at(when),
        body: Body::Operator(OperatorAct {
            by: String::new(),
            reason: String::new(),
            act: Act::Answer {
                id: "held-7".to_owned(),
                answer: crate::journal::Answer::Reject,
            },
        }),
    };
    check(
        |ground| ground.proposed.push(turned_down("2026-05-21T00:00:00Z")),
        &["none-turned-down"],
    );
    check(
        |ground| ground.proposed.push(turned_down("2026-05-20T23:59:59Z")),
        &[],
    );
    check(
        |ground| ground.entries.insert(0, rejected("2026-05-21T00:00:00Z")),
        &["none-turned-down"],
    );
    check(
        |ground| ground.entries.insert(0, rejected("2026-05-20T23:59:59Z")),
        &[],
    );
    check(
        |ground| {
            let history = ItemHistory {
                attempts: 2,
                ..ItemHistory::default()
            };
            let item = crate::journal::sample::item("x");
            ground.state.items.insert(item, history);
        },
        &["no-escalations"],
    );
    check(
        |ground| {
            let what = Labelled {
                item: crate::journal::sample::item("x"),
                title: String::new(),
                label: "security".to_owned(),
                content: Some(digest("content")),
            };
            let since = at(ORDERED);
            ground.state.labelled.push(LabelledSince { since, what });
        },
        &["no-escalations"],
    );
}

#[test]
fn each_rule_about_moves_is_refused_for_itself() {
    let refused =
        |receipt, expect: &[&str]| assert_eq!(ground().beat(receipt).unmet(Level::L3), expect);
    refused(discarded(4, "x", "no"), &["clean-moves"]);
    let mut other = proposed(4, "x");
    other.setup = digest("another setup");
    refused(other, &["clean-moves"]);
    let mut denied = proposed(4, "x");
    let none = digest("none");
    let id = crate::journal::sample::step("fix");
    let role = crate::manifest::Role::Executor;
    let mut step = crate::journal::StepReceipt::new(id, role, none, none, none);
    step.denials_more = 1;
    denied.steps.push(step);
    refused(denied, &["no-denials"]);
    let mut skipped = proposed(4, "x");
    skipped.outcome = Outcome::Skipped;
    skipped.attempted = false;
    refused(skipped, &[]);
    // What was before the loop came to this level does not count.
    check(
        |ground| ground.facts = |facts| facts.level = Level::L1,
        &["one-level"],
    );
    check(
        |ground| ground.entries[0].at = at("2026-05-31T00:00:00Z"),
        &["clean-moves"],
    );
    check(|ground| drop(ground.entries.remove(0)), &["clean-moves"]);
    let resumed = |when: &str| Entry {
        seq: 9,
        at: at(when),
        body: Body::Operator(OperatorAct {
            by: "ann".to_owned(),
            reason: String::new(),
            act: Act::Resume,
        }),
    };
    check(|ground| ground.entries.push(resumed(NOW)), &["no-rescues"]);
    check(|ground| ground.entries.insert(0, resumed(ORDERED)), &[]);
    let twice = [resumed("2026-06-19T12:00:00Z"), resumed(NOW)];
    check(
        |ground| ground.entries.extend(twice),
        &["no-rescues", "regulator"],
    );
}

#[test]
fn what_led_to_l3_speaks_for_a_loop_that_is_there() {
    let mut ground = ground();
    let promoted = OperatorAct {
        by: "ann".to_owned(),
        reason: String::new(),
        act: Act::Promote {
            to: Level::L3,
            overrides: Vec::new(),
        },
    };
    ground.entries.push(Entry {
        seq: 4,
        at: at("2026-06-05T00:00:00Z"),
        body: Body::Operator(promoted),
    });
    ground.facts = |facts| facts.level = Level::L3;
    assert_eq!(ground.unmet(Level::L3), ["one-level"]);
    ground.proposed.truncate(4);
    let ground = ground.beat(discarded(5, "x", "no"));
    let unmet = ["one-level", "accepted", "clean-moves"];
    assert_eq!(ground.unmet(Level::L3), unmet);
}

#[test]
fn a_change_that_a_person_is_asked_about_was_let_through_all_the_same() {
    let two = || {
        let mut ground = ground();
        ground.entries.truncate(2);
        ground
    };
    assert_eq!(two().unmet(Level::L3), ["clean-moves"]);
    let asked = Outcome::Escalated {
        why: Vec::new(),
        id: "held-4".to_owned(),
    };
    let held = BeatReceipt {
        settle: Settle::Hold,
        outcome: asked.clone(),
        ..proposed(4, "x")
    };
    let given_up = BeatReceipt {
        outcome: asked,
        ..discarded(4, "x", "no")
    };
    assert_eq!(two().beat(held).unmet(Level::L3), [""; 0]);
    assert_eq!(two().beat(given_up).unmet(Level::L3), ["clean-moves"]);
}

#[test]
fn what_was_written_before_an_order_is_from_before_it_whatever_it_says() {
    let mut ground = ground();
    for entry in &mut ground.entries {
        entry.at = at("2026-06-19T00:00:00Z");
    }
    assert_eq!(ground.unmet(Level::L3), [""; 0]);
    ground.entries.push(Entry {
        seq: 4,
        at: at(ORDERED),
        body: Body::Operator(OperatorAct {
            by: "ringfence".to_owned(),
            reason: String::new(),
            act: Act::Demote { to: Level::L2 },
        }),
    });
    assert_eq!(ground.unmet(Level::L3), ["accepted", "clean-moves"]);
}

#[test]
fn l2_needs_its_own_rules_only() {
    let mut ground = ground();
    ground.state = LoopState::default();
    ground.proposed.clear();
    ground.facts = |facts| {
        facts.level = Level::L1;
        facts.ceiling = Level::L2;
        facts.denials = 0;
    };
    assert_eq!(ground.unmet(Level::L2), [""; 0]);
    assert_eq!(ground.unmet(Level::L1), ["one-level"]);
    ground.entries.clear();
    assert_eq!(ground.unmet(Level::L2), ["clean-moves"]);
}

#[test]
fn names_lead_to_rules() {
    for rule in Rule::ALL {
        assert_eq!(Rule::named(rule.name()), Some(rule));
    }
    assert_eq!(Rule::named("rule"), None);
    let hard: Vec<_> = Rule::ALL
        .into_iter()
        .filter(|rule| !rule.may_be_passed_over())
        .collect();
    assert_eq!(hard, [Rule::Ceiling, Rule::OneLevel, Rule::OwnHistory]);
    assert_eq!((above(Level::L3), below(Level::L1)), (None, None));
}
