//! What the guards make of a beat: cost, modes, pace, and steps that try to write where they may not.

use super::*;
use crate::decision::{CostMode, CostReport, CostRule};
use crate::guard::SpendLimit;
use crate::journal::{Act, OperatorAct, StepReceipt};
use crate::policy::{Access, Denial, Rule};
use crate::quantity::Money;

fn tells(more: &str) -> RawDecision {
    let text = format!("{{\"executor\":\"none\",\"reason\":\"quiet\"{more}}}");
    crate::decision::parse_text(&text).unwrap()
}

/// A loop whose decider reports what it cost, and may cost 10 tokens and 0.30 in a beat, three times that in a day.
fn metered() -> Story {
    Story::with(|story| {
        story.plan.cost = CostRule::Reported(CostReport {
            tokens: Some("/usage/tokens".to_owned()),
            money: Some("/usage/cost".to_owned()),
            mode: CostMode::Sum,
        });
        story.plan.limits.tokens = Some(SpendLimit::new(Some(10), 30));
        story.plan.limits.money = Some(SpendLimit::new(Some(300_000), 900_000));
    })
}

fn cost(story: &Story) -> (u64, String, bool) {
    let cost = story.receipt.as_ref().unwrap().cost.as_ref().unwrap();
    (cost.tokens, cost.money.to_string(), cost.estimated)
}

fn act(story: &mut Story, act: Act) {
    let entry = Entry {
        seq: 1,
        at: story.plan.now.timestamp(),
        body: Body::Operator(OperatorAct {
            by: "ann".to_owned(),
            reason: "because".to_owned(),
            act,
        }),
    };
    story.plan.state.add(&entry, &TimeZone::UTC);
}

#[test]
fn a_decider_says_what_it_cost() {
    let mut story = metered();
    story.decision = Ok(tells(",\"usage\":{\"tokens\":7,\"cost\":[0.1,0.05]}"));
    assert_eq!(story.beat(), "nothing-to-do: quiet");
    assert_eq!(cost(&story), (7, "0.15".to_owned(), false));
    let left = &story.situation.as_ref().unwrap().budget;
    assert_eq!((left.tokens_beat, left.tokens_day), (Some(10), Some(30)));
    assert_eq!(left.money_day.as_deref(), Some("0.90"));
    let reserved = story.plan.reservation();
    assert_eq!((reserved.tokens, reserved.money), (10, Money(300_000)));
}

#[test]
fn a_component_says_it_in_its_input() {
    let mut story = metered();
    story.plan.executors[0].actions[0].input =
        serde_json::json!({"type": "object", "properties": {}, "additionalProperties": false});
    let usage = "{\"$usage\":{\"tokens\":1,\"cost\":0.000001}}";
    story.decision = Ok(RawDecision {
        input: usage.to_owned(),
        ..go("a")
    });
    assert_eq!(story.beat(), "proposed: refs/1 (c)");
    assert_eq!(cost(&story), (1, "0.000001".to_owned(), false));
}

#[test]
fn silence_costs_all_that_was_allowed_and_three_times_is_enough() {
    let mut story = metered();
    story.decision = Ok(noop(0));
    for _ in 0..3 {
        story.later(86_400);
        assert_eq!(story.beat(), "nothing-to-do: quiet");
        assert_eq!(cost(&story), (10, "0.30".to_owned(), true));
    }
    assert_eq!(
        story.receipt.as_ref().unwrap().notes,
        [
            "the decider did not say what it cost (nothing at \"/usage/tokens\"): all that it may cost was counted"
        ]
    );
    story.later(86_400);
    let refused = "waiting for a person: unmetered: the decider did not say what it cost 3 times in a row, the limit is 3; until decider or `cost` is another, or the loop is resumed";
    assert_eq!(story.beat(), refused);
    assert_eq!(story.log, ["record"]);
    let decider = std::mem::replace(&mut story.plan.decider_plugin, digest("new"));
    assert_eq!(story.beat(), "nothing-to-do: quiet", "another decider");
    story.plan.decider_plugin = decider;
}

#[test]
fn a_decider_that_failed_cost_all_that_was_allowed_if_it_ran() {
    let mut story = metered();
    story.decision = Err(trap());
    assert_eq!(story.beat(), "failed (trap): unreachable at 0x12");
    assert_eq!(cost(&story), (10, "0.30".to_owned(), true));
    assert_eq!(story.plan.state.evidence.unmetered, None);
}

#[test]
fn who_spends_more_than_allowed_gets_nothing_done() {
    let mut story = metered();
    story.decision = Ok(RawDecision {
        input: "{\"$usage\":{\"tokens\":1,\"cost\":0.5}}".to_owned(),
        ..go("a")
    });
    assert_eq!(
        story.beat(),
        "failed (budget): money_per_beat: the decider used 0.50, and 0.30 was left to it"
    );
    assert_eq!(story.log, ["observe", "decide", "record"]);
    assert_eq!(
        cost(&story),
        (1, "0.50".to_owned(), false),
        "it counts all the same"
    );
    story.later(60);
    assert_eq!(
        story.beat(),
        "failed (budget): money_per_beat: the decider used 0.50, and 0.30 was left to it"
    );
    story.later(3_600);
    assert_eq!(
        story.beat(),
        "waiting until 2026-11-22T00:00:00Z: money_per_day: 1.00 of 0.90 used, free again at 2026-11-22T00:00:00Z"
    );
}

#[test]
fn without_a_budget_nothing_is_metered() {
    let mut story = Story::new();
    assert_eq!(story.beat(), "proposed: refs/1 (c)");
    assert_eq!(story.receipt.unwrap().cost, None);
}

fn denied_a(access: Access, receipt: StepReceipt) -> StepReceipt {
    let mut receipt = denied(receipt);
    receipt.denials.push(Denial {
        path: "auth/key".to_owned(),
        access,
        rule: Rule::NotAllowed {
            layer: "loop".to_owned(),
        },
        count: 1,
    });
    receipt
}

#[test]
fn a_denied_write_discards_the_beat_and_the_third_pauses_the_loop() {
    let acted = |access| Event::Acted {
        answer: Ok(ActOutcome::default()),
        receipts: vec![denied_a(access, call("fix", Role::Executor))],
    };
    let mut story = Story::new();
    story.act = acted(Access::Stat);
    assert_eq!(story.beat(), "proposed: refs/1 (c)");
    story.act = acted(Access::Write);
    story.plan.attempts_per_item = 9;
    for item in ["b", "c", "d"] {
        story.world = observed(1, &[(item, "x")]);
        story.decision = Ok(go(item));
        story.later(3_600);
        assert_eq!(
            story.beat(),
            "failed (denied): executor fix was denied access: write \"auth/key\" (not in the loop's list)"
        );
        assert_eq!(story.log.last_chunk(), Some(&["discard", "record"]));
    }
    story.later(3_600);
    assert_eq!(
        story.beat(),
        "waiting for a person: denials: 3 beats within 24 hours tried to write what they may not, the limit is 3: the loop is paused since 2026-11-21T15:00:00Z, until it is resumed"
    );
    assert_eq!(story.log, ["record"]);
    act(&mut story, Act::Resume);
    story.act = super::acted(Ok(()));
    assert_eq!(story.beat(), "proposed: refs/6 (c)");
}

#[test]
fn a_paused_loop_looks_at_nothing() {
    let mut story = Story::new();
    let until = Some("2026-11-21T13:00:00Z".parse().unwrap());
    act(&mut story, Act::Pause { until });
    assert_eq!(
        story.beat(),
        "waiting until 2026-11-21T13:00:00Z: paused by ann until 2026-11-21T13:00:00Z: because"
    );
    assert_eq!(
        (story.log.as_slice(), story.durable),
        (&["record"][..], false)
    );
    story.later(3_600);
    assert_eq!(story.beat(), "proposed: refs/2 (c)");
    act(&mut story, Act::Retire);
    assert_eq!(
        story.beat(),
        "waiting for a person: retired by ann: because"
    );
}

#[test]
fn nothing_to_do_is_asked_again_after_a_while() {
    let mut story = Story::new();
    story.decision = Ok(noop(0));
    assert_eq!(story.beat(), "nothing-to-do: quiet");
    for _ in 0..5 {
        story.later(3_600);
        assert_eq!(story.beat(), "skipped");
    }
    story.later(3_600);
    assert_eq!(story.beat(), "nothing-to-do: quiet");
    story.later(3_600);
    assert_eq!(story.beat(), "skipped", "and believed anew");
}

#[test]
fn a_beat_that_fails_before_it_sees_the_world_backs_off_too() {
    let mut story = Story::new();
    let world = std::mem::replace(&mut story.world, Event::HostFailed("no space".to_owned()));
    for wait in [60, 120, 240] {
        assert_eq!(story.beat(), "failed (host): no space");
        assert_eq!(story.log, ["observe", "record"]);
        story.later(wait - 1);
        assert!(
            story.beat().starts_with("waiting until"),
            "{wait}: {:?}",
            story.log
        );
        assert_eq!(story.log, ["record"], "nothing is looked at");
        story.later(1);
    }
    assert_eq!(story.plan.state.failing_since.unwrap().0, BeatNo(1));
    story.world = world;
    assert_eq!(story.beat(), "proposed: refs/7 (c)");
    assert_eq!(story.plan.state.failures, 0);
}

#[test]
fn a_beat_that_failed_later_looks_while_it_backs_off() {
    let mut story = Story::new();
    story.decision = Ok(noop(0));
    assert_eq!(story.beat(), "nothing-to-do: quiet");
    let world = std::mem::replace(&mut story.world, observed(2, &[("c", "x")]));
    story.decision = Err(trap());
    assert!(story.beat().starts_with("failed (trap)"));
    story.world = world;
    assert_eq!(story.beat(), "skipped");
}

#[test]
fn a_wish_to_be_woken_holds_until_a_decision_was_attempted() {
    let mut story = Story::new();
    story.decision = Ok(noop(600));
    assert_eq!(story.beat(), "nothing-to-do: quiet");
    story.later(599);
    assert_eq!(story.beat(), "skipped");
    act(&mut story, Act::Pause { until: None });
    story.later(1);
    assert!(story.beat().starts_with("waiting for a person: paused"));
    act(&mut story, Act::Resume);
    story.decision = Ok(noop(0));
    assert_eq!(story.beat(), "nothing-to-do: quiet");
    story.later(600);
    assert_eq!(story.beat(), "skipped");
}

#[test]
fn moves_in_vain_slow_the_loop_and_the_world_does_not_hurry_it() {
    let mut story = Story::new();
    story.judged = judged("new", "pass", "fail");
    for number in 0..4 {
        let item = format!("item-{number}");
        story.world = observed(number, &[(&item, "x")]);
        story.decision = Ok(go(&item));
        assert!(story.beat().starts_with("discarded"));
    }
    story.world = observed(9, &[("new", "x")]);
    story.decision = Ok(go("new"));
    assert_eq!(
        story.beat(),
        "waiting until 2026-11-21T12:02:00Z: no-progress: 4 moves in vain, the limit is 3: 2 times slower, 120 s between decisions"
    );
    story.later(120);
    assert!(story.beat().starts_with("discarded"));
}

#[test]
fn the_decider_is_told_which_sensors_flap() {
    let mut story = Story::new();
    story.decision = Ok(noop(0));
    for signal in [1, 2, 1, 2] {
        story.world = observed(signal, &[("a", "x")]);
        story.beat();
        assert_eq!(story.situation.as_ref().unwrap().flapping, [""; 0]);
    }
    story.world = observed(1, &[("a", "x")]);
    story.beat();
    assert_eq!(story.situation.as_ref().unwrap().flapping, ["links"]);
}

#[test]
fn proposals_of_a_day_are_counted() {
    let mut story = Story::with(|story| story.plan.limits.proposals_per_day = Some(1));
    assert_eq!(story.beat(), "proposed: refs/1 (c)");
    assert_eq!(
        story.beat(),
        "waiting until 2026-11-22T00:00:00Z: proposals_per_day: 1 of 1 used, free again at 2026-11-22T00:00:00Z"
    );
}
