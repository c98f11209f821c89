//! The document that the decider is given, from what the beat knows.

use serde_json::Value;

use crate::beat::{Context, eligibility};
use crate::decision::{
    BudgetLeft, ExecutorInfo, LastFailure, SITUATION_VERSION, SensorReport, SensorStatus, Situation,
};
use crate::guard::{self, SpendLimit};
use crate::journal::Settle;
use crate::quantity::Money;
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
        flapping: flapping(context),
    }
}

/// With this beat's signals, which are not in the journal yet.
fn flapping(context: &Context) -> Vec<String> {
    let mut evidence = context.plan.state.evidence.clone();
    evidence.add_signals(&context.signals);
    evidence
        .flapping()
        .into_iter()
        .map(ToString::to_string)
        .collect()
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
    let plan = &context.plan;
    let spent = guard::spent(&plan.state, &plan.now);
    let allowed = guard::allowance(&plan.state, &plan.limits, &plan.now);
    let left = |limit: Option<SpendLimit>, spent| Some(limit?.per_day.saturating_sub(spent));
    let money = |amount: u64| Money(amount).to_string();
    BudgetLeft {
        fuel_beat: context.purse.beat_left().0,
        fuel_day: context.purse.day_left().0,
        beats_day: plan.limits.beats_per_day.saturating_sub(spent.beats),
        tokens_beat: allowed.tokens,
        tokens_day: left(plan.limits.tokens, spent.tokens),
        money_beat: allowed.money.map(|money| money.to_string()),
        money_day: left(plan.limits.money, spent.money.0).map(money),
    }
}
