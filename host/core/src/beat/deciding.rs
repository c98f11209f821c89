//! From the decider's answer to at most one move.

use crate::beat::{
    BeatState, Context, Effect, Event, Step, eligibility, end, instead_of, metering,
};
use crate::decision::{self, Checked, Move, RawDecision, Situation};
use crate::failure::{Failure, FailureClass};
use crate::journal::Outcome;
use crate::quantity::Fuel;

pub(super) fn decided(mut context: Box<Context>, situation: &Situation, event: Event) -> Step {
    let answer = match event {
        Event::Decided { answer, .. } => answer,
        other => {
            // Nobody was asked, so nothing of the day's beats is used up.
            context.attempted &= !matches!(other, Event::Interrupted { .. });
            Err(instead_of("the decider", &other))
        }
    };
    let metered = metering::meter(&mut context, answer.as_ref());
    let checked = answer
        .and_then(|raw| metered.map(|()| raw))
        .and_then(|raw| check(&mut context, &raw, situation));
    match checked {
        Err(failure) => {
            let outcome = context.fail(failure);
            end(context, outcome)
        }
        Ok(Checked::Noop { reason, .. }) => end(context, Outcome::NothingToDo { reason }),
        Ok(Checked::Move(mv)) => act(context, mv),
    }
}

fn check(
    context: &mut Context,
    raw: &RawDecision,
    situation: &Situation,
) -> Result<Checked, Failure> {
    context.notes.extend(raw.notes.iter().cloned());
    if let Some(denial) = context.fatal_denial() {
        return Err(denial);
    }
    let checked = decision::check(raw, situation)
        .map_err(|error| Failure::new(FailureClass::Decision, &error.to_string()))?;
    if let Checked::Move(mv) = &checked {
        if raw.is_uncertain() && context.plan.escalate_on.ambiguity {
            context
                .ask
                .push(format!("the decider is uncertain: {}", mv.reason));
        }
        context.content = mv
            .item
            .as_ref()
            .and_then(|item| {
                situation
                    .items
                    .iter()
                    .find(|known| known.id == item.as_str())
            })
            .map(eligibility::content);
    }
    context.decision = Some(checked.clone());
    Ok(checked)
}

fn act(mut context: Box<Context>, mv: Move) -> Step {
    match fuel_for(&context, &mv) {
        Ok(fuel_max) => {
            context.moved = true;
            let mv = Box::new(mv);
            (
                BeatState::Acting(context, mv.clone()),
                Effect::Act { mv, fuel_max },
            )
        }
        Err(failure) => {
            let outcome = context.fail(failure);
            end(context, outcome)
        }
    }
}

fn fuel_for(context: &Context, mv: &Move) -> Result<Fuel, Failure> {
    let executor = context
        .plan
        .executors
        .iter()
        .find(|executor| executor.step.id == mv.executor);
    let executor = executor
        .ok_or_else(|| Failure::host(&format!("the plan has no executor {}", mv.executor)))?;
    let offer = context.purse.offer(executor.step.fuel);
    offer.map_err(|over| {
        Failure::new(
            FailureClass::Budget,
            &format!("executor {}: {over}", mv.executor),
        )
    })
}
