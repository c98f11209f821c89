//! Drills of a step's limits: the probe in its place takes all it can.

use ringfence_core::decision::Move;
use ringfence_core::failure::FailureClass;
use ringfence_core::journal::StepReceipt;
use ringfence_core::limits::{LIMITS_MAX, Limits};
use ringfence_core::quantity::{Bytes, Fuel, Millis};
use ringfence_core::spec::LockedStep;
use serde_json::{Value, json};

use super::ground::failed;
use super::{Drill, DrillError};

pub(super) const RUNAWAY: &str = "runaway";

// Limit: what is passed into a component to make it want more memory than this; steps with more are tried with this much.
const MEMORY_TRIED_MAX: Bytes = Bytes(64 << 20);
// Limit: a second or two of one core; steps with more are tried with this much.
const FUEL_TRIED_MAX: Fuel = Fuel(10_000_000_000);
// Limit: a deadline that a busy component reaches long before its fuel, which is lifted, is used up.
const DEADLINE_TRIED: Millis = Millis(200);

impl Drill<'_> {
    /// A component that never ends, and one that wants ever more memory, end where the step's limits are.
    pub(super) fn runaways(&mut self) -> Result<(), DrillError> {
        self.ground.reset()?;
        let mut tried: Vec<Limits> = Vec::new();
        for step in self.spec.steps() {
            if tried.contains(&step.limits) {
                continue;
            }
            tried.push(step.limits);
            let name = |what: &str| format!("{RUNAWAY}:{}/{what}", step.id);
            // Each by itself: the other one is lifted.
            let little = Limits {
                fuel: step.limits.fuel.min(FUEL_TRIED_MAX),
                deadline: LIMITS_MAX.deadline,
                ..step.limits
            };
            let found = self.spins(step, little, FailureClass::OutOfFuel);
            self.fault(name("fuel"), found);
            let short = Limits {
                fuel: LIMITS_MAX.fuel,
                deadline: step.limits.deadline.min(DEADLINE_TRIED),
                ..step.limits
            };
            let found = self.spins(step, short, FailureClass::Deadline);
            self.fault(name("deadline"), found);
            let found = self.swells(step);
            self.fault(name("memory"), found);
            let few = json!({ "plan": [{ "op": "std-metadata", "path": "." }] });
            let (answer, receipt) = self.act(step, step.limits, few);
            let found = answer.map_err(|_| failed(receipt.failure.as_ref()));
            self.passes(name("fuel"), found);
        }
        Ok(())
    }

    fn spins(&self, step: &LockedStep, limits: Limits, by: FailureClass) -> Result<String, String> {
        // Looks for what is not there, without a word to the host: nothing but its own instructions is used.
        let endless = json!({ "op": "drop", "on": "nothing", "repeat": u64::MAX });
        let (_, receipt) = self.act(step, limits, json!({ "plan": [endless] }));
        stopped(&receipt, by)
    }

    fn swells(&self, step: &LockedStep) -> Result<String, String> {
        let limits = Limits {
            memory: step.limits.memory.min(MEMORY_TRIED_MAX),
            ..step.limits
        };
        let length = usize::try_from(limits.memory.0).unwrap_or(usize::MAX);
        let (_, receipt) = self.act(step, limits, json!({ "plan": "x".repeat(length) }));
        stopped(&receipt, FailureClass::Memory)
    }

    fn act(
        &self,
        step: &LockedStep,
        limits: Limits,
        input: Value,
    ) -> (Result<String, ()>, StepReceipt) {
        let mut probe = self.ground.probe_as(step);
        probe.limits = limits;
        let mv = Move {
            item: None,
            executor: step.id.clone(),
            action: "run".to_owned(),
            input,
            reason: String::new(),
            next_in: None,
        };
        let (answer, receipt) = self.ground.calls().act(&probe, limits.fuel, &mv);
        (answer.map_err(drop), receipt)
    }
}

/// That a call was ended by that limit, and within all of them.
fn stopped(receipt: &StepReceipt, by: FailureClass) -> Result<String, String> {
    let class = receipt.failure.as_ref().map(|failure| failure.class);
    let within = receipt.usage.as_ref().is_some_and(|usage| {
        usage.fuel.used <= usage.fuel.limit && usage.memory.used <= usage.memory.limit
    });
    let seen = failed(receipt.failure.as_ref());
    if class == Some(by) && within {
        Ok(seen)
    } else {
        Err(format!("it was not stopped as it should be: {seen}"))
    }
}
