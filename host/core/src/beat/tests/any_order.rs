//! Whatever the runner says, in whatever order.

use proptest::prelude::*;

use super::sample::*;
use crate::beat::*;
use crate::digest::Digest;
use crate::evidence::{CommandReceipt, Ended};
use crate::guard::{BudgetLimits, FuelCap};
use crate::journal::{Settle, StepReceipt};
use crate::quantity::Fuel;
use crate::verdict::{GateResult, Judgement, judge};

/// What the runner says next: mostly an answer to the last effect, good or bad, sometimes anything.
#[derive(Debug, Clone)]
struct Say {
    fitting: bool,
    pick: usize,
    fuel: u64,
    stop: bool,
}

fn says() -> impl Strategy<Value = Vec<Say>> {
    let say = (
        prop::bool::weighted(0.85),
        any::<usize>(),
        0_u64..300,
        prop::bool::weighted(0.02),
    )
        .prop_map(|(fitting, pick, fuel, stop)| Say {
            fitting,
            pick,
            fuel,
            stop,
        });
    proptest::collection::vec(say, 9)
}

fn answers(effect: &str) -> Vec<Event> {
    match effect {
        "observe" => vec![
            observed(1, &[("a", "x")]),
            observed(1, &[]),
            Event::Observed {
                snapshot: crate::snapshot::Snapshot::default(),
                receipts: vec![],
            },
        ],
        "decide" => vec![
            decided(go("a")),
            decided(go("")),
            decided(go("zzz")),
            decided(noop(9)),
            Event::Decided {
                answer: Err(trap()),
                receipts: vec![],
            },
        ],
        "act" => vec![acted(Ok(())), acted(Ok(())), acted(Err(trap()))],
        "measure" => vec![
            Event::Measured(Ok(measurement("new"))),
            Event::Measured(Ok(measurement("new"))),
            Event::Measured(Ok(measurement(""))),
            Event::Measured(Ok(Measurement {
                escalated_paths: vec![crate::relpath::RelPath::lexical("a.md").unwrap()],
                ..measurement("new")
            })),
            Event::Measured(Ok(Measurement {
                scope: vec![outside()],
                ..measurement("new")
            })),
            Event::Measured(Err("git".to_owned())),
        ],
        "run" => vec![
            ran("new", Ended::Exited { code: 0 }),
            ran("new", Ended::TimedOut),
            ran("new", Ended::NotStarted),
            ran("old", Ended::Exited { code: 0 }),
            Event::Ran {
                change: change("new").digest(),
                answer: Ok(vec![]),
            },
            Event::Ran {
                change: change("new").digest(),
                answer: Err(trap()),
            },
        ],
        "judge" => vec![
            judged("new", "pass", "pass"),
            judged("new", "pass", "abstain"),
            judged("new", "abstain", "abstain"),
            judged("new", "pass", "fail"),
            judged("new", "pass", "trap"),
            judged("old", "pass", "pass"),
        ],
        "publish" => vec![published(), Event::Published(Err("race".to_owned()))],
        "shadow" => vec![shadowed(), Event::Shadowed(Err("disk".to_owned()))],
        "hold" => vec![held(), Event::Held(Err("disk".to_owned()))],
        "restore" => vec![
            Event::Restored(Ok(Restored::Whole)),
            Event::Restored(Ok(Restored::Whole)),
            Event::Restored(Ok(Restored::Impossible("no".to_owned()))),
            Event::Restored(Err("disk".to_owned())),
        ],
        "discard" => vec![Event::Discarded],
        _ => vec![Event::Recorded],
    }
}

fn anything() -> Vec<Event> {
    let effects = [
        "observe", "decide", "act", "measure", "run", "judge", "publish", "shadow", "hold",
        "restore", "discard", "record",
    ];
    effects
        .iter()
        .flat_map(|effect| answers(effect))
        .chain([Event::HostFailed("x".to_owned()), interrupted()])
        .collect()
}

fn interrupted() -> Event {
    Event::Interrupted { receipts: vec![] }
}

fn event(say: &Say, effect: &str) -> Event {
    let choices = match (say.stop, say.fitting) {
        (true, _) => vec![interrupted()],
        (false, true) => answers(effect),
        (false, false) => anything(),
    };
    let mut event = choices[say.pick % choices.len()].clone();
    if let Event::Observed { receipts, .. }
    | Event::Decided { receipts, .. }
    | Event::Acted { receipts, .. }
    | Event::Judged { receipts, .. } = &mut event
    {
        receipts
            .iter_mut()
            .for_each(|receipt| use_fuel(receipt, say.fuel));
    }
    event
}

fn use_fuel(receipt: &mut StepReceipt, fuel: u64) {
    if let Some(usage) = &mut receipt.usage {
        usage.fuel.used = Fuel(fuel);
    }
}

/// What an onlooker who knows nothing of the machine sees of one beat.
#[derive(Debug, Default)]
struct Onlooker {
    acts: usize,
    settles: usize,
    discards: usize,
    records: usize,
    charged: u64,
    asked: Option<Digest>,
    ran: Option<Digest>,
    passed: Option<Digest>,
    settled: bool,
    may_hold: bool,
    trouble: bool,
}

impl Onlooker {
    fn sees_effect(&mut self, effect: &Effect, plan: &BeatPlan) {
        let left = plan.limits.fuel_per_beat.minus(Fuel(self.charged));
        match effect {
            Effect::Observe { purse } => assert_eq!(purse.left(), left),
            Effect::Decide { fuel_max, .. } => assert!(*fuel_max <= left),
            Effect::Act { fuel_max, .. } => {
                assert!(*fuel_max <= left);
                self.acts += 1;
            }
            Effect::Measure => {}
            Effect::RunCommands { change } => {
                assert!(!plan.commands.is_empty());
                self.asked = Some(*change);
            }
            // Putting a change back begins a workspace, as making one does.
            Effect::Restore(_) => self.acts += 1,
            Effect::Hold(holding) => {
                assert!(self.may_hold, "nobody asked for a person");
                self.sees_settled(&holding.publication);
            }
            Effect::Judge { change, purse, .. } => {
                assert_eq!(purse.left(), left);
                let ran = self.ran == Some(*change) && self.asked == Some(*change);
                assert!(
                    ran || plan.commands.is_empty(),
                    "judged without the commands"
                );
                self.asked = Some(*change);
            }
            Effect::Publish(publication)
            | Effect::Shadow(publication)
            | Effect::Commit(publication) => {
                let settle = match effect {
                    Effect::Publish(_) => Settle::Propose,
                    Effect::Commit(_) => Settle::Commit,
                    _ => Settle::Shadow,
                };
                assert_eq!(settle, plan.settle);
                let is_approved = plan.state.approved().is_some();
                assert!(!self.may_hold || is_approved, "a person was to be asked");
                assert_eq!(publication.held.is_some(), is_approved);
                self.sees_settled(publication);
            }
            Effect::Discard => self.discards += 1,
            Effect::Record { receipt, .. } => {
                assert_eq!(receipt.fuel, Fuel(self.charged));
                self.records += 1;
            }
            Effect::Finish(_) => {}
        }
    }

    fn sees_settled(&mut self, publication: &Publication) {
        assert_eq!(
            Some(publication.digest),
            self.passed,
            "settled without every gate"
        );
        assert_eq!(publication.change.digest(), publication.digest);
        assert!(!self.trouble, "settled after a failure");
        self.settles += 1;
    }

    fn sees_event(&mut self, event: &Event, effect: &str, plan: &BeatPlan) {
        if self.records == 0 {
            self.charged += event
                .receipts()
                .iter()
                .map(|receipt| receipt.spent().0)
                .sum::<u64>();
        }
        self.trouble |= matches!(event, Event::HostFailed(_) | Event::Interrupted { .. });
        match event {
            Event::Ran {
                change,
                answer: Ok(receipts),
            } if effect == "run" => {
                let started = |one: &CommandReceipt| one.ended != Ended::NotStarted;
                let all = !receipts.is_empty() && receipts.iter().all(started);
                self.ran = Some(*change).filter(|_| all);
            }
            Event::Judged {
                change, results, ..
            } if effect == "judge" => {
                self.passed = Some(*change)
                    .filter(|change| Some(*change) == self.asked && all_passed(plan, results))
            }
            Event::Published(Ok(_)) => self.settled |= effect == "publish",
            Event::Committed(Ok(_)) => self.settled |= effect == "commit",
            Event::Shadowed(Ok(_)) => self.settled |= effect == "shadow",
            Event::Held(Ok(_)) => self.settled |= effect == "hold",
            Event::Measured(Ok(measured)) => {
                self.may_hold |= effect == "measure" && !measured.escalated_paths.is_empty();
            }
            _ => {}
        }
    }

    fn sums_up(&self) {
        assert!(self.acts <= 1 && self.settles <= 1);
        assert_eq!(self.records, 1);
        let given_back = self.discards + usize::from(self.settled);
        assert_eq!(given_back, self.acts, "{self:?}");
    }
}

fn all_passed(plan: &BeatPlan, results: &[GateResult]) -> bool {
    let gates: Vec<_> = plan.gates.iter().map(|gate| gate.id.clone()).collect();
    judge(&[], &gates, results) == Judgement::Passed
}

fn any_plan() -> impl Strategy<Value = BeatPlan> {
    let cap = prop_oneof![
        (1_u64..600).prop_map(|fuel| FuelCap::AtMost(Fuel(fuel))),
        (1_u64..600).prop_map(|fuel| FuelCap::Exactly(Fuel(fuel)))
    ];
    (
        0..3,
        1_u64..1_500,
        cap,
        any::<bool>(),
        prop::bool::weighted(0.3),
        any::<bool>(),
    )
        .prop_map(|(settle, fuel, cap, fatal, is_approved, commands)| {
            let settle = match settle {
                0 => Settle::Propose,
                1 => Settle::Commit,
                _ => Settle::Shadow,
            };
            let limits = BudgetLimits {
                fuel_per_beat: Fuel(fuel),
                ..plan().limits
            };
            let mut plan = BeatPlan {
                settle,
                limits,
                denials_are_fatal: fatal,
                ..plan()
            };
            if commands {
                plan.commands = with_command().commands;
            }
            plan.executors[0].step.fuel = cap;
            plan.gates[1].fuel = cap;
            if is_approved { approved(plan) } else { plan }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_invariants_hold(plan in any_plan(), says in says()) {
        let mut onlooker = Onlooker::default();
        let (mut state, mut effect) = BeatState::start(plan.clone());
        for say in &says {
            onlooker.sees_effect(&effect, &plan);
            if state.outcome().is_some() {
                break;
            }
            let event = event(say, effect_name(&effect));
            onlooker.sees_event(&event, effect_name(&effect), &plan);
            (state, effect) = state.next(event);
        }
        prop_assert!(state.outcome().is_some(), "did not end within {} events", says.len());
        onlooker.sums_up();
    }
}
