//! Beats one after the other, the journal between them.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::sample::*;
use crate::beat::*;
use crate::decision::RawDecision;
use crate::evidence::Ended;
use crate::failure::{Failure, FailureClass};
use crate::guard::{BudgetLimits, FuelCap};
use crate::ids::BeatNo;
use crate::journal::{BeatReceipt, Body, Done, Entry, Hold, InHand, Intent, LoopState, Settle};
use crate::manifest::Role;
use crate::quantity::Fuel;
use crate::snapshot::{SensorReading, Snapshot};

mod guarded;

/// A loop that remembers, and answers each effect as it was told to.
pub(super) struct Story {
    pub(super) plan: BeatPlan,
    pub(super) world: Event,
    pub(super) decision: Result<RawDecision, Failure>,
    pub(super) act: Event,
    pub(super) measured: Result<Measurement, String>,
    pub(super) ran: Event,
    pub(super) judged: Event,
    pub(super) committed: Event,
    pub(super) restored: Restored,
    pub(super) log: Vec<&'static str>,
    pub(super) receipt: Option<BeatReceipt>,
    pub(super) durable: bool,
    pub(super) situation: Option<crate::decision::Situation>,
}

impl Story {
    pub(super) fn new() -> Self {
        Self {
            plan: plan(),
            world: observed(1, &[("a", "x"), ("b", "x")]),
            decision: Ok(go("a")),
            act: acted(Ok(())),
            measured: Ok(measurement("new")),
            ran: ran("new", Ended::Exited { code: 101 }),
            judged: judged("new", "pass", "pass"),
            committed: committed(),
            restored: Restored::Whole,
            log: Vec::new(),
            receipt: None,
            durable: false,
            situation: None,
        }
    }

    pub(super) fn with(edit: impl FnOnce(&mut Self)) -> Self {
        let mut story = Self::new();
        edit(&mut story);
        story
    }

    fn answer(&mut self, effect: Effect) -> Event {
        match effect {
            Effect::Observe { .. } => self.world.clone(),
            Effect::Decide { situation, .. } => {
                self.situation = Some(*situation);
                Event::Decided {
                    answer: self.decision.clone(),
                    receipts: vec![call("first", Role::Decider)],
                }
            }
            Effect::Act { .. } => self.act.clone(),
            Effect::Measure => Event::Measured(self.measured.clone()),
            Effect::RunCommands { .. } => self.ran.clone(),
            Effect::Judge { .. } => self.judged.clone(),
            Effect::Publish(publication) => self.publish(&publication),
            Effect::Shadow(_) => shadowed(),
            Effect::Commit(_) => self.committed.clone(),
            Effect::Hold(holding) => self.hold(&holding),
            Effect::Restore(_) => Event::Restored(Ok(self.restored.clone())),
            Effect::Discard => Event::Discarded,
            Effect::Record { receipt, durable } => {
                self.durable = durable;
                self.receipt = Some(*receipt);
                Event::Recorded
            }
            Effect::Finish(_) => unreachable!(),
        }
    }

    /// Journals that a change is settled, as the runner does.
    fn settled(&mut self, intent: Intent) {
        let done = Done {
            beat: intent.beat,
            settled: Some("c".to_owned()),
        };
        for body in [Body::Intent(intent), Body::Done(done)] {
            let at = self.plan.now.timestamp();
            let entry = Entry { seq: 1, at, body };
            self.plan.state.add(&entry, &TimeZone::UTC);
        }
    }

    fn publish(&mut self, publication: &Publication) -> Event {
        if let Some(held) = publication.held {
            self.settled(Intent {
                held: Some(InHand::Settles(held)),
                ..intent_of(publication, Settle::Propose)
            });
        }
        Event::Published(Ok(Published {
            reference: format!("refs/{}", publication.beat),
            commit: "c".to_owned(),
        }))
    }

    fn hold(&mut self, holding: &Holding) -> Event {
        let hold = Hold {
            mv: holding.publication.mv.clone(),
            summary: holding.publication.summary.clone(),
            why: holding.why.clone(),
            content: holding.content,
            patch: digest("patch"),
        };
        self.settled(Intent {
            held: Some(InHand::Holds(Box::new(hold))),
            ..intent_of(&holding.publication, Settle::Hold)
        });
        held()
    }

    /// Runs one beat and remembers it; its outcome in one line.
    pub(super) fn beat(&mut self) -> String {
        self.plan.beat = self.plan.state.next_beat();
        self.log.clear();
        let (mut state, mut effect) = BeatState::start(self.plan.clone());
        while state.outcome().is_none() {
            self.log.push(effect_name(&effect));
            let event = self.answer(effect);
            (state, effect) = state.next(event);
        }
        let receipt = Box::new(self.receipt.clone().unwrap());
        assert_eq!(state.outcome(), Some(&receipt.outcome));
        let entry = Entry {
            seq: 1,
            at: self.plan.now.timestamp(),
            body: Body::Beat(receipt),
        };
        self.plan.state.add(&entry, &TimeZone::UTC);
        state.outcome().unwrap().to_string()
    }

    fn fuel_of_a_beat(mut self) -> Fuel {
        self.beat();
        self.receipt.unwrap().fuel
    }

    pub(super) fn later(&mut self, seconds: i64) {
        let now: Timestamp = self.plan.now.timestamp() + SignedDuration::from_secs(seconds);
        self.plan.now = now.to_zoned(TimeZone::UTC);
    }

    pub(super) fn why_not(&self) -> Vec<String> {
        let items = &self.situation.as_ref().unwrap().items;
        items
            .iter()
            .map(|item| {
                format!(
                    "{}: {}",
                    item.id,
                    item.why_not.as_deref().unwrap_or("eligible")
                )
            })
            .collect()
    }
}

fn intent_of(publication: &Publication, settle: Settle) -> Intent {
    Intent {
        beat: publication.beat,
        settle,
        target: format!("refs/{}", publication.beat),
        item: publication.mv.item.clone(),
        change: publication.digest,
        base_tree: publication.change.base_tree.clone(),
        base_commit: None,
        candidate_tree: publication.change.candidate_tree.clone(),
        commit: None,
        working_tree: false,
        held: None,
    }
}

#[test]
fn commands_run_before_the_gates_and_judge_nothing_themselves() {
    let mut story = Story::with(|story| story.plan = with_command());
    assert_eq!(story.beat(), "proposed: refs/1 (c)");
    assert_eq!(
        story.log,
        [
            "observe", "decide", "act", "measure", "run", "judge", "publish", "record"
        ]
    );
    let receipt = story.receipt.unwrap();
    assert_eq!(receipt.commands[0].ended, Ended::Exited { code: 101 });
    assert_eq!(receipt.fuel, Story::with(|_| {}).fuel_of_a_beat());

    // Not the item's fault, and kept all the same.
    let mut story = Story::with(|story| {
        story.plan = with_command();
        story.ran = ran("new", Ended::NotStarted);
    });
    assert_eq!(
        story.beat(),
        "failed (host): command test did not start: why"
    );
    let receipt = story.receipt.unwrap();
    assert_eq!((receipt.commands.len(), receipt.attempt), (1, None));
}

#[test]
fn a_whole_beat() {
    let mut story = Story::new();
    assert_eq!(story.beat(), "proposed: refs/1 (c)");
    assert_eq!(
        story.log,
        [
            "observe", "decide", "act", "measure", "judge", "publish", "record"
        ]
    );
    let receipt = story.receipt.unwrap();
    assert_eq!(
        (receipt.fuel, receipt.steps.len(), receipt.progress),
        (Fuel(50), 5, Some(true))
    );
    assert_eq!(receipt.summary.as_deref(), Some("did it"));
    assert_eq!(receipt.change.unwrap().digest, change("new").digest());
    assert!(story.durable);
}

#[test]
fn one_item_after_the_other_then_nothing() {
    let mut story = Story::new();
    assert_eq!(story.beat(), "proposed: refs/1 (c)");
    story.plan.open_proposals = BTreeSet::from(["refs/1".to_owned()]);
    story.decision = Ok(go("b"));
    assert_eq!(story.beat(), "proposed: refs/2 (c)");
    assert_eq!(story.why_not(), ["a: proposed on refs/1", "b: eligible"]);
    assert_eq!(story.beat(), "skipped");
    assert_eq!(story.log, ["observe", "record"]);
    assert!(!story.durable, "a skip costs no flush");
    story.world = observed(2, &[("a", "x")]);
    assert_eq!(story.beat(), "failed (decision): no sensor shows an item b");
}

#[test]
fn a_proposal_that_is_gone_comes_back_with_another_tree_only() {
    let mut story = Story::new();
    story.beat();
    story.decision = Ok(noop(0));
    story.beat();
    assert_eq!(
        story.why_not()[0],
        "a: proposed by beat 1 for the same tree"
    );
    story.plan.base.tree = "other".to_owned();
    story.world = observed(2, &[("a", "x")]);
    story.beat();
    assert_eq!(story.why_not(), ["a: eligible"]);
}

#[test]
fn a_decider_is_not_asked_twice_about_the_same_nothing() {
    let mut story = Story::with(|story| story.decision = Ok(noop(0)));
    assert_eq!(story.beat(), "nothing-to-do: quiet");
    assert_eq!(story.beat(), "skipped");
    story.world = observed(1, &[("a", "x"), ("c", "x")]);
    assert_eq!(
        story.beat(),
        "nothing-to-do: quiet",
        "other items, although the signal is the same"
    );
    story.plan.loop_file = digest("edited");
    assert_eq!(story.beat(), "nothing-to-do: quiet");
}

#[test]
fn a_wake_asks_again_once() {
    let mut story = Story::with(|story| story.decision = Ok(noop(60)));
    story.beat();
    story.later(59);
    assert_eq!(story.beat(), "skipped");
    story.later(1);
    story.decision = Ok(noop(0));
    assert_eq!(story.beat(), "nothing-to-do: quiet");
    story.later(60);
    assert_eq!(story.beat(), "skipped");
}

#[test]
fn a_wake_survives_a_beat_that_had_to_wait() {
    let mut story = Story::with(|story| story.decision = Ok(noop(60)));
    story.beat();
    story.later(60);
    story.plan.limits.beats_per_day = 1;
    assert_eq!(
        story.beat(),
        "waiting until 2026-11-22T00:00:00Z: beats_per_day: 1 of 1 used, free again at 2026-11-22T00:00:00Z"
    );
    assert_eq!(story.log, ["record"], "not even the sensors ran");
    story.plan.limits.beats_per_day = 2;
    assert_eq!(story.beat(), "nothing-to-do: quiet");
}

#[test]
fn a_failing_decider_is_backed_off_in_any_world() {
    let mut story = Story::with(|story| story.decision = Err(trap()));
    assert_eq!(story.beat(), "failed (trap): unreachable at 0x12");
    for second in 1..60 {
        story.later(1);
        story.world = observed(second, &[("a", "x")]);
        assert_eq!(
            story.beat(),
            "waiting until 2026-11-21T12:01:00Z: backoff: 1 beat failed in a row, the last one at 2026-11-21T12:00:00Z: 60 s between tries"
        );
    }
    story.later(1);
    assert_eq!(story.beat(), "failed (trap): unreachable at 0x12");
    let last = story
        .situation
        .as_ref()
        .unwrap()
        .last_failure
        .clone()
        .unwrap();
    assert_eq!(
        (last.class.as_str(), last.message.as_str()),
        ("trap", "unreachable at 0x12")
    );
}

#[test]
fn attempts_run_out() {
    let mut story = Story::with(|story| story.judged = judged("new", "pass", "fail"));
    assert_eq!(story.beat(), "discarded: size: says so");
    assert_eq!(
        story.log,
        [
            "observe", "decide", "act", "measure", "judge", "discard", "record"
        ]
    );
    story.measured = Ok(measurement(""));
    assert_eq!(
        story.beat(),
        "escalated: item a is left to a person: 2 of 2 attempts failed; the executor changed nothing"
    );
    story.decision = Ok(go("a"));
    assert_eq!(
        story.beat(),
        "failed (decision): item a is not to be worked on: left to a person: 2 of 2 attempts failed"
    );
    story.plan.loop_file = digest("edited");
    assert_eq!(
        story.beat(),
        "discarded: the executor changed nothing",
        "another setup is a fresh start"
    );
}

#[test]
fn the_same_failure_twice_is_enough() {
    let mut story = Story::with(|story| {
        story.plan.attempts_per_item = 9;
        story.act = acted(Err(trap()));
    });
    assert_eq!(story.beat(), "failed (trap): unreachable at 0x12");
    assert_eq!(story.log, ["observe", "decide", "act", "discard", "record"]);
    story.later(60);
    story.act = acted(Err(Failure::new(FailureClass::Trap, "unreachable at 0x99")));
    assert_eq!(
        story.beat(),
        "escalated: item a is left to a person: failed twice for the same reason: trap unreachable at #x#; trap: unreachable at 0x99"
    );
    assert_eq!(
        story.plan.state.failures, 2,
        "it was a failure all the same"
    );
}

#[test]
fn what_is_not_the_items_fault_is_not_counted_against_it() {
    let mut story = Story::with(|story| story.measured = Err("no space".to_owned()));
    assert_eq!(story.beat(), "failed (host): no space");
    let receipt = story.receipt.unwrap();
    assert_eq!((receipt.attempt, receipt.progress), (None, None));
}

#[test]
fn labels_and_doubles() {
    let reading = |sensor: &str, items| SensorReading {
        sensor: step(sensor),
        ..snapshot(1, items).sensors.remove(0)
    };
    let mut story = Story::with(|story| {
        story.plan.sensors.push(StepPlan {
            id: step("more"),
            fuel: FuelCap::AtMost(Fuel(5)),
        });
        let sensors = vec![
            reading("links", &[("a", "SECURITY"), ("b", "x")]),
            reading("more", &[("b", "x")]),
        ];
        story.world = Event::Observed {
            snapshot: Snapshot { sensors },
            receipts: vec![],
        };
        story.decision = Ok(noop(0));
    });
    story.beat();
    assert_eq!(
        story.why_not(),
        [
            "a: label \"Security \" leaves it to a person",
            "b: eligible",
            "b: another sensor shows an item of this id"
        ]
    );
}

#[test]
fn changes_that_no_gate_is_asked_about() {
    let check = |edit: fn(&mut Measurement), expect: &str| {
        let mut story = Story::new();
        let mut measured = measurement("new");
        edit(&mut measured);
        story.measured = Ok(measured);
        assert_eq!(story.beat(), expect);
        assert!(!story.log.contains(&"judge") && story.log.contains(&"discard"));
    };
    check(
        |measured| measured.scope = vec![outside()],
        "discarded: scope: outside",
    );
    check(
        |measured| measured.change = change(""),
        "discarded: the executor changed nothing",
    );
    check(
        |measured| measured.change.base_tree = "other".to_owned(),
        "failed (host): the change is one of tree \"other\", the beat's is \"base\"",
    );
}

#[test]
fn gates() {
    let check = |event: Event, expect: &str| {
        let mut story = Story::with(|story| story.judged = event);
        assert_eq!(story.beat(), expect);
        assert_eq!(
            story.log.contains(&"publish"),
            expect.starts_with("proposed")
        );
    };
    check(judged("new", "pass", "abstain"), "proposed: refs/1 (c)");
    check(
        judged("new", "abstain", "abstain"),
        "discarded: no gate passed the change: all abstained, or the loop has none",
    );
    check(
        judged("new", "pass", "unreachable"),
        "failed (trap): size: unreachable",
    );
    check(
        judged("new", "fail", "unreachable"),
        "discarded: links: says so; size: unreachable",
    );
    check(
        judged("old", "pass", "pass"),
        &format!(
            "failed (host): the gates judged another change than {}",
            change("new").digest()
        ),
    );
    let missing = Event::Judged {
        change: change("new").digest(),
        results: vec![gate("links", "pass")],
        receipts: vec![],
    };
    check(missing, "discarded: size: no verdict");
}

#[test]
fn level_one_records_a_patch() {
    let mut story = Story::with(|story| story.plan.settle = Settle::Shadow);
    assert_eq!(story.beat(), "shadowed: patches/1");
    story.decision = Ok(noop(0));
    story.beat();
    assert_eq!(
        story.why_not(),
        ["a: recorded as patches/1 for the same tree", "b: eligible"]
    );
    story.plan.settle = Settle::Propose;
    story.world = observed(2, &[("a", "x")]);
    story.beat();
    assert_eq!(
        story.why_not(),
        ["a: eligible"],
        "a patch is not in the way of a proposal"
    );
}

#[test]
fn level_three_moves_the_branch_and_does_not_do_it_twice() {
    let mut story = Story::with(|story| story.plan.settle = Settle::Commit);
    assert_eq!(story.beat(), "committed: refs/heads/main (c)");
    assert!(story.durable);
    assert_eq!(story.situation.as_ref().unwrap().level, "L3");
    let made = story.plan.state.commits.clone();
    assert_eq!((made.len(), made[0].base_tree.as_str()), (1, "base"));
    story.decision = Ok(noop(0));
    let mut why_not = |tree: &str| {
        story.plan.base.tree = tree.to_owned();
        story.world = observed(tree.len() as u64, &[("a", "x")]);
        story.beat();
        story.why_not()
    };
    assert_eq!(
        why_not(&made[0].tree),
        ["a: committed by beat 1, and still there"]
    );
    assert_eq!(why_not("something else"), ["a: eligible"]);
    assert_eq!(
        why_not("base"),
        ["a: committed by beat 1 for the same tree"],
        "somebody went back"
    );
}

#[test]
fn a_branch_that_moved_is_nobodys_fault() {
    let mut story = Story::with(|story| {
        story.plan.settle = Settle::Commit;
        let moved = Failure::new(FailureClass::Conflict, "main moved");
        story.committed = Event::Committed(Err(moved));
    });
    assert_eq!(story.beat(), "failed (conflict): main moved");
    assert!(story.log.ends_with(&["commit", "discard", "record"]));
    let receipt = story.receipt.clone().unwrap();
    assert_eq!((receipt.attempt, receipt.progress), (None, None));
    assert!(story.plan.state.items.is_empty() && story.plan.state.commits.is_empty());
    story.later(3_600);
    story.committed = committed();
    assert_eq!(
        story.beat(),
        "committed: refs/heads/main (c)",
        "the next beat tries again"
    );
}

#[test]
fn near_the_days_end_a_change_is_only_recorded() {
    let mut story = Story::with(|story| story.plan.limits.fuel_per_day = Fuel(62));
    assert_eq!(story.beat(), "proposed: refs/1 (c)");
    story.decision = Ok(noop(0));
    assert_eq!(story.beat(), "nothing-to-do: quiet");
    assert_eq!(story.situation.as_ref().unwrap().level, "L1");
    assert_eq!(
        story.receipt.as_ref().unwrap().notes,
        [
            "fuel_per_day: 50 of 62 used; from 80 % until 2026-11-22T00:00:00Z changes are recorded and no longer proposed"
        ]
    );
}

#[test]
fn budgets_stop_a_step_before_it_starts() {
    let check = |edit: fn(&mut BeatPlan), log: &[&str], expect: &str| {
        let mut story = Story::with(|story| edit(&mut story.plan));
        assert_eq!(story.beat(), expect);
        assert_eq!(story.log, log);
    };
    check(
        |plan| plan.decider.fuel = FuelCap::Exactly(Fuel(991)),
        &["observe", "record"],
        "failed (budget): decider first: not enough fuel: the step's limit is 991, and 990 is left of fuel_per_beat",
    );
    check(
        |plan| plan.executors[0].step.fuel = FuelCap::Exactly(Fuel(981)),
        &["observe", "decide", "record"],
        "failed (budget): executor fix: not enough fuel: the step's limit is 981, and 980 is left of fuel_per_beat",
    );
    check(
        |plan| plan.gates[1].fuel = FuelCap::Exactly(Fuel(971)),
        &["observe", "decide", "act", "measure", "discard", "record"],
        "failed (budget): gate size: not enough fuel: the step's limit is 971, and 970 is left of fuel_per_beat",
    );
    check(
        |plan| plan.limits.fuel_per_day = Fuel(10),
        &["observe", "record"],
        "waiting until 2026-11-22T00:00:00Z: decider first: not enough fuel: the step's limit is 500, and 0 is left of fuel_per_day",
    );
}

#[test]
fn a_sensor_without_fuel_ends_the_beat() {
    let mut story = Story::new();
    let mut snapshot = snapshot(1, &[]);
    snapshot.sensors[0].result = Err(Failure::new(FailureClass::Budget, "not enough"));
    story.world = Event::Observed {
        snapshot,
        receipts: vec![],
    };
    assert_eq!(story.beat(), "failed (budget): not enough");
    assert_eq!(story.plan.state.failures, 1, "it would be so at every tick");
}

#[test]
fn a_sensor_that_fails_is_part_of_the_world() {
    let mut story = Story::with(|story| story.decision = Ok(noop(0)));
    let mut snapshot = snapshot(1, &[]);
    snapshot.sensors[0].result = Err(trap());
    story.world = Event::Observed {
        snapshot,
        receipts: vec![],
    };
    assert_eq!(story.beat(), "nothing-to-do: quiet");
    assert_eq!(
        story.situation.as_ref().unwrap().observations[0]
            .error
            .as_deref(),
        Some("trap: unreachable at 0x12")
    );
    assert_eq!(story.beat(), "skipped");
}

#[test]
fn what_was_remembered_costs_nothing() {
    let mut story = Story::with(|story| story.decision = Ok(noop(0)));
    story.world = Event::Observed {
        snapshot: snapshot(1, &[]),
        receipts: vec![call("links", Role::Sensor).remembered()],
    };
    story.beat();
    assert_eq!(story.receipt.unwrap().fuel, Fuel(10), "the decider's alone");
}

#[test]
fn readings_of_other_sensors_are_no_world() {
    let mut story = Story::with(|story| {
        story.world = Event::Observed {
            snapshot: Snapshot::default(),
            receipts: vec![],
        }
    });
    assert_eq!(
        story.beat(),
        "failed (host): the readings are not those of the loop's sensors"
    );
}

#[test]
fn a_denial_may_be_fatal() {
    let mut story = Story::new();
    story.act = Event::Acted {
        answer: Ok(ActOutcome::default()),
        receipts: vec![denied(call("fix", Role::Executor))],
    };
    assert_eq!(story.beat(), "proposed: refs/1 (c)");
    story.plan.denials_are_fatal = true;
    story.decision = Ok(go("b"));
    assert_eq!(
        story.beat(),
        "failed (denied): executor fix was denied access: read \"secrets/x\" (not in the step's list)"
    );
    assert_eq!(story.log.last_chunk(), Some(&["discard", "record"]));
}

#[test]
fn an_open_intent_comes_first() {
    let mut story = Story::new();
    let intent = Intent {
        beat: BeatNo(4),
        settle: Settle::Propose,
        target: "refs/4".to_owned(),
        item: None,
        change: digest("c"),
        base_tree: String::new(),
        base_commit: None,
        candidate_tree: String::new(),
        commit: None,
        working_tree: false,
        held: None,
    };
    story.plan.state = LoopState {
        pending: Some(intent),
        ..LoopState::default()
    };
    assert_eq!(
        story.beat(),
        "failed (host): beat 4 began to settle \"refs/4\" and its end is not known: it has to be recovered first"
    );
    assert_eq!(story.log, ["record"]);
}

#[test]
fn a_step_gets_what_is_left_and_no_more() {
    let limits = BudgetLimits {
        fuel_per_beat: Fuel(25),
        ..plan().limits
    };
    let (state, effect) = BeatState::start(BeatPlan { limits, ..plan() });
    let Effect::Observe { purse } = effect else {
        panic!()
    };
    assert_eq!(purse.left(), Fuel(25));
    let (state, effect) = state.next(observed(1, &[("a", "x")]));
    let Effect::Decide {
        fuel_max,
        situation,
    } = effect
    else {
        panic!()
    };
    assert_eq!((fuel_max, situation.budget.fuel_beat), (Fuel(15), 15));
    let (_, effect) = state.next(decided(go("a")));
    let Effect::Act { fuel_max, mv } = effect else {
        panic!()
    };
    assert_eq!((fuel_max, mv.executor), (Fuel(5), step("fix")));
}

#[test]
fn an_interrupted_beat_leaves_the_loop_as_due_as_it_was() {
    let mut story = Story::new();
    story.plan.state.pace.began = Some(Timestamp::UNIX_EPOCH);
    story.world = Event::Interrupted {
        receipts: vec![call("look", Role::Sensor)],
    };
    let outcome = story.beat();
    assert_eq!(
        outcome,
        "failed (interrupted): interrupted while waiting for the sensors"
    );
    let receipt = story.receipt.clone().unwrap();
    assert_eq!((receipt.steps.len(), receipt.attempted), (1, false));
    let pace = story.plan.state.pace;
    assert_eq!(pace.began, Some(Timestamp::UNIX_EPOCH));
}
