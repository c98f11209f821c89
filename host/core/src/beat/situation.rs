//! The document that the decider is given, from what the beat knows.

use serde_json::Value;

use crate::beat::{Context, eligibility};
use crate::decision::{
    BudgetLeft, ExecutorInfo, LastFailure, SITUATION_VERSION, SensorReport, SensorStatus, Situation,
};
use crate::guard;
use crate::journal::Settle;
use crate::snapshot::{SensorReading, Snapshot};

/// Builds it; items are eligible as things stand now.
pub(super) fn build(context: &Context, snapshot: &Snapshot) -> Situation {
    let plan = &context.plan;
    Situation {
        version: SITUATION_VERSION,
        loop_id: plan.loop_id.to_string(),
        beat: plan.beat.0,
        level: match context.settle {
            Settle::Shadow | Settle::Hold => "L1".to_owned(),
            Settle::Propose => "L2".to_owned(),
            Settle::Commit => "L3".to_owned(),
        },
        observations: snapshot.sensors.iter().map(report).collect(),
        items: eligibility::items(context, snapshot),
        executors: plan.executors.iter().map(executor).collect(),
        last_failure: plan.state.last_failure.as_ref().map(|failure| LastFailure {
            class: failure.class.as_str().to_owned(),
            message: failure.message.clone(),
        }),
        answers: plan.answers.clone(),
        budget: budget(context),
        prose: plan.prose.clone(),
    }
}

fn report(reading: &SensorReading) -> SensorReport {
    let sensor = reading.sensor.to_string();
    match &reading.result {
        Ok(observation) => SensorReport {
            sensor,
            status: SensorStatus::Ok,
            signal: observation.signal.clone(),
            detail: observation.detail.clone(),
            error: None,
        },
        Err(failure) => SensorReport {
            sensor,
            status: SensorStatus::Failed,
            signal: Value::Null,
            detail: Value::Null,
            error: Some(failure.to_string()),
        },
    }
}

fn executor(executor: &crate::beat::ExecutorPlan) -> ExecutorInfo {
    ExecutorInfo {
        id: executor.step.id.to_string(),
        plugin: executor.plugin.clone(),
        actions: executor.actions.clone(),
    }
}

fn budget(context: &Context) -> BudgetLeft {
    let beats = guard::today(&context.plan.state, &context.plan.now).beats;
    BudgetLeft {
        fuel_beat: context.purse.beat_left().0,
        fuel_day: context.purse.day_left().0,
        beats_day: context.plan.limits.beats_per_day.saturating_sub(beats),
    }
}
