//! From the start to the question to the decider: sensing, comparing, guarding.

use crate::beat::{
    BeatState, Context, Effect, Event, Step, approved, eligibility, end, instead_of, situation,
};
use crate::failure::{Failure, FailureClass};
use crate::guard::{self, Guard, Hold};
use crate::journal::{Outcome, Settle, WaitCause};
use crate::snapshot::{Snapshot, fingerprint};

pub(super) fn begin(mut context: Box<Context>) -> Step {
    if let Some(intent) = &context.plan.state.pending {
        let message = format!(
            "beat {} began to settle {:?} and its end is not known: it has to be recovered first",
            intent.beat, intent.target
        );
        let outcome = context.fail(Failure::host(&message));
        return end(context, outcome);
    }
    // Sensing costs fuel as well, so a day that is used up is over before it.
    if let Some(hold) = guard::before_sensing(&context.situated()) {
        return wait(context, &hold);
    }
    if let Some(held) = approved::to_settle(&mut context) {
        return approved::begin(context, held);
    }
    let purse = context.purse;
    (BeatState::Sensing(context), Effect::Observe { purse })
}

pub(super) fn sensed(mut context: Box<Context>, event: Event) -> Step {
    let snapshot = match event {
        Event::Observed { snapshot, .. } => snapshot,
        other => {
            let outcome = context.fail(instead_of("the sensors", &other));
            return end(context, outcome);
        }
    };
    match unusable(&context, &snapshot) {
        Some(failure) => {
            let outcome = context.fail(failure);
            end(context, outcome)
        }
        None => compare(context, &snapshot),
    }
}

/// Why this snapshot is no ground to go on from. That a sensor failed is none: it is part of the world.
fn unusable(context: &Context, snapshot: &Snapshot) -> Option<Failure> {
    let asked = context.plan.sensors.iter().map(|sensor| &sensor.id);
    if !asked.eq(snapshot.sensors.iter().map(|reading| &reading.sensor)) {
        return Some(Failure::host(
            "the readings are not those of the loop's sensors",
        ));
    }
    let over_budget = snapshot.sensors.iter().find_map(|reading| {
        reading
            .result
            .as_ref()
            .err()
            .filter(|failure| failure.class == FailureClass::Budget)
    });
    over_budget.cloned().or_else(|| context.fatal_denial())
}

fn compare(mut context: Box<Context>, snapshot: &Snapshot) -> Step {
    let plan = &context.plan;
    let seen = fingerprint(&plan.loop_file, &plan.plugins, snapshot, &plan.answers);
    let eligible = eligibility::digest(&eligibility::items(&context, snapshot));
    let woken = plan
        .state
        .wake_at
        .is_some_and(|at| at <= plan.now.timestamp());
    let nothing_new = plan.state.decided.is_some_and(|decided| {
        // Nothing is left, or just what the decider had no use for when it was last asked, not too long ago.
        let nothing_left =
            eligible == eligibility::digest(&[]) || decided.nothing_for == Some(eligible);
        let aged = guard::noop_aged(&decided, &plan.pace, plan.now.timestamp());
        decided.fingerprint == seen && nothing_left && !aged
    });
    context.fingerprint = Some(seen);
    context.signals = snapshot.signals();
    context.labelled = eligibility::labelled(&context, snapshot);
    context.eligible = Some(eligible);
    context.items_found = Some(snapshot.items());
    if nothing_new && !woken {
        return end(context, Outcome::Skipped);
    }
    match guard::guard(&context.situated()) {
        Guard::Go { shadow_only } => ask(lowered(context, shadow_only, snapshot), snapshot),
        Guard::Wait(hold) => wait(context, &hold),
    }
}

/// Ends a beat that a guard holds back.
pub(super) fn wait(mut context: Box<Context>, hold: &Hold) -> Step {
    let Some(cause) = hold.cause() else {
        let message = format!("a guard that forbids nothing was to end the beat: {hold}");
        let outcome = context.fail(Failure::host(&message));
        return end(context, outcome);
    };
    let outcome = Outcome::Waiting {
        cause,
        until: hold.until_or_never(),
        why: hold.to_string(),
    };
    end(context, outcome)
}

/// The context with what the guards want to be careful about.
fn lowered(
    mut context: Box<Context>,
    shadow_only: Option<Hold>,
    snapshot: &Snapshot,
) -> Box<Context> {
    if let Some(hold) = shadow_only.filter(|_| context.settle != Settle::Shadow) {
        context.settle = Settle::Shadow;
        context.notes.push(hold.to_string());
        context.eligible = Some(eligibility::digest(&eligibility::items(&context, snapshot)));
    }
    context
}

fn ask(mut context: Box<Context>, snapshot: &Snapshot) -> Step {
    match context.purse.offer(context.plan.decider.fuel) {
        Ok(fuel_max) => {
            context.attempted = true;
            let situation = Box::new(situation::build(&context, snapshot));
            let effect = Effect::Decide {
                situation: situation.clone(),
                fuel_max,
            };
            (BeatState::Deciding(context, situation), effect)
        }
        // The rest of the day is too small for a decider, so nothing can be decided before it ends.
        Err(over) if over.budget == guard::FUEL_PER_DAY => {
            let (until, why) = (
                guard::day_end(&context.plan.now),
                format!("decider {}: {over}", context.plan.decider.id),
            );
            end(
                context,
                Outcome::Waiting {
                    cause: WaitCause::Budget,
                    until,
                    why,
                },
            )
        }
        Err(over) => {
            let message = format!("decider {}: {over}", context.plan.decider.id);
            let outcome = context.fail(Failure::new(FailureClass::Budget, &message));
            end(context, outcome)
        }
    }
}
