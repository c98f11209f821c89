//! From the executor's answer to a measured change.

use crate::beat::{
    BeatState, Context, Effect, Event, Measurement, Step, approved, discard, instead_of, running,
};
use crate::decision::Move;
use crate::failure::{Failure, FailureClass};
use crate::journal::{ChangeSummary, Outcome};
use crate::text;
use crate::verdict::{self, Judgement, Severity};

// Limit: one line for the journal.
const SUMMARY_CHARS_MAX: usize = 500;
// Limit: paths named in one reason; the receipt lists the files.
const PATHS_MAX: usize = 5;

pub(super) fn acted(mut context: Box<Context>, mv: Box<Move>, event: Event) -> Step {
    let answer = match event {
        Event::Acted { answer, .. } => answer,
        other => Err(instead_of("the executor", &other)),
    };
    match answer.and_then(|answer| context.fatal_denial().map_or(Ok(answer), Err)) {
        Ok(answer) => {
            context.summary = Some(text::one_line(&answer.summary, SUMMARY_CHARS_MAX));
            (BeatState::Measuring(context, mv), Effect::Measure)
        }
        Err(failure) => {
            let outcome = context.fail(failure);
            discard(context, outcome)
        }
    }
}

pub(super) fn measured(mut context: Box<Context>, mv: Box<Move>, event: Event) -> Step {
    let measurement = match event {
        Event::Measured(Ok(measurement)) => Ok(measurement),
        Event::Measured(Err(message)) => Err(Failure::host(&message)),
        other => Err(instead_of("the change to be measured", &other)),
    };
    match measurement {
        Ok(measurement) => judge(context, mv, measurement),
        Err(failure) => {
            let outcome = context.fail(failure);
            discard(context, outcome)
        }
    }
}

fn judge(mut context: Box<Context>, mv: Box<Move>, measurement: Measurement) -> Step {
    context.change = Some(ChangeSummary::of(&measurement.change));
    context.scope.clone_from(&measurement.scope);
    if let Some(outcome) = refused(&mut context, &measurement) {
        return discard(context, outcome);
    }
    running::run(context, mv, measurement.change)
}

/// How the beat ends without asking any gate, where the change leaves them nothing to say.
fn refused(context: &mut Context, measurement: &Measurement) -> Option<Outcome> {
    if measurement.change.base_tree != context.plan.base.tree {
        let message = format!(
            "the change is one of tree {:?}, the beat's is {:?}",
            measurement.change.base_tree, context.plan.base.tree
        );
        return Some(context.fail(Failure::host(&message)));
    }
    if measurement
        .scope
        .iter()
        .any(|finding| finding.severity == Severity::Error)
    {
        // Judged by the scope check alone.
        return match verdict::judge(&measurement.scope, &[], &[]) {
            Judgement::Failed { reasons } => Some(context.refuse(reasons)),
            Judgement::Passed => None,
        };
    }
    if measurement.change.is_empty() {
        return Some(context.refuse(vec!["the executor changed nothing".to_owned()]));
    }
    if let Some(failure) = approved::altered(context, &measurement.change) {
        return Some(context.fail(failure));
    }
    if !measurement.escalated_paths.is_empty() {
        let paths = named(measurement.escalated_paths.iter().map(ToString::to_string));
        context.ask.push(format!(
            "the change touches what a person decides about: {paths}"
        ));
    }
    let uncovered = context
        .plan
        .gates
        .iter()
        .find_map(|gate| Some((gate.id.clone(), context.purse.offer(gate.fuel).err()?)));
    uncovered.map(|(gate, over)| {
        context.fail(Failure::new(
            FailureClass::Budget,
            &format!("gate {gate}: {over}"),
        ))
    })
}

fn named(paths: impl ExactSizeIterator<Item = String>) -> String {
    let more = paths.len().saturating_sub(PATHS_MAX);
    let mut names: Vec<String> = paths.take(PATHS_MAX).collect();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}
