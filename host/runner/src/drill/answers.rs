//! Drills of what answers are worth: a gate that breaks counts as no, and a remembered answer is the one that would be given.

use std::path::Path;

use ringfence_core::quantity::Fuel;
use ringfence_core::text::one_line;
use ringfence_core::verdict::{GateResult, Judgement, judge};
use serde_json::json;

use super::{Drill, DrillError};
use crate::calls::Calls;
use crate::memo::Memo;

pub(super) const BROKEN_GATE: &str = "broken-gate";
pub(super) const MEMO: &str = "memo";

// Limit: enough to see that it broke, and how.
const FAILURE_CHARS: usize = 40;

impl Drill<'_> {
    /// With any one gate broken, what passed before passes no more.
    pub(super) fn broken_gates(&mut self) -> Result<(), DrillError> {
        let ids: Vec<_> = self.spec.gates.iter().map(|gate| gate.id.clone()).collect();
        let executor = self.spec.executors.first();
        let clean = executor
            .map(|executor| self.clean_change(executor))
            .transpose()?;
        let Some((path, judged)) = clean.flatten() else {
            let problem = "no clean change could be seeded".to_owned();
            self.passes(BROKEN_GATE.to_owned(), Err(problem));
            return Ok(());
        };
        let whole = judge(&judged.scope, &ids, &judged.results);
        self.passes(
            BROKEN_GATE.to_owned(),
            match whole {
                Judgement::Passed => Ok(format!("with all gates whole, {path} passes")),
                Judgement::Failed { reasons } => Err(reasons.join("; ")),
            },
        );
        self.ground.reset()?;
        for gate in &self.spec.gates {
            let probe = self.ground.probe_as(gate);
            let mut nonsense = probe.clone();
            nonsense.config = json!({ "plan": "nonsense" });
            // Limit: too little for any component to begin with.
            let starved = Fuel(1);
            let broken = [(nonsense, gate.limits.fuel), (probe, starved)];
            for (broken, fuel) in broken {
                let (result, _) = self.ground.ask(&broken, &self.ground.nothing(), fuel);
                let found = instead(&judged.results, &result, &ids, &judged.scope);
                self.fault(format!("{BROKEN_GATE}:{}", gate.id), found);
            }
        }
        Ok(())
    }

    /// What is remembered is what would be said, and what somebody altered is not believed.
    pub(super) fn memo(&mut self) -> Result<(), DrillError> {
        self.ground.reset()?;
        let ground = self.ground;
        let dir = ground.dir.memo();
        for sensor in &self.spec.sensors {
            let name = format!("{MEMO}:{}", sensor.id);
            let observe = |memo: &Memo| {
                let mut calls = Calls::new(ground.sandbox, &ground.components, &ground.base, memo);
                calls.observe(sensor, sensor.limits.fuel)
            };
            let (anew, _) = observe(&Memo::new(dir.clone(), false));
            let (again, receipt) = observe(&Memo::new(dir.clone(), true));
            let (once_more, _) = observe(&Memo::new(dir.clone(), false));
            let found = if anew.result.is_err() {
                Err("it gives no answer".to_owned())
            } else if !receipt.memo {
                Err("its answer was not remembered".to_owned())
            } else if anew == again && anew == once_more {
                Ok("asked anew, remembered and asked again, it says the same".to_owned())
            } else {
                Err("asked anew it says something else than it said before".to_owned())
            };
            self.passes(name.clone(), found);
            damage(&dir)?;
            let (after, receipt) = observe(&Memo::new(dir.clone(), true));
            let found = if receipt.memo {
                Err("an answer that somebody altered was taken for remembered".to_owned())
            } else if after == anew {
                Ok("an answer that somebody altered was not believed".to_owned())
            } else {
                Err("asked anew it says something else than it said before".to_owned())
            };
            self.fault(name, found);
        }
        Ok(())
    }
}

/// What the judgement says with one result in the place of the gate's own.
fn instead(
    results: &[GateResult],
    broken: &GateResult,
    gates: &[ringfence_core::ids::StepId],
    scope: &[ringfence_core::verdict::Finding],
) -> Result<String, String> {
    let Err(failure) = &broken.answer else {
        return Err("the broken gate gave an answer".to_owned());
    };
    let mut results = results.to_vec();
    for result in &mut results {
        if result.gate == broken.gate {
            *result = broken.clone();
        }
    }
    match judge(scope, gates, &results) {
        Judgement::Failed { .. } => Ok(format!("no: {}", one_line(failure, FAILURE_CHARS))),
        Judgement::Passed => Err(format!("the change passed all the same: {failure}")),
    }
}

/// Turns one letter of every remembered answer.
fn damage(dir: &Path) -> Result<(), DrillError> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let mut bytes = std::fs::read(&path)?;
        if let Some(byte) = bytes
            .iter_mut()
            .rev()
            .find(|byte| byte.is_ascii_lowercase())
        {
            *byte = if *byte == b'a' { b'b' } else { b'a' };
        }
        std::fs::write(&path, bytes)?;
    }
    Ok(())
}
