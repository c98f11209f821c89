//! From a measured change to the gates, by way of the operator's commands where the loop has any.
//!
//! **Invariant:** a command that did not run, or of which nothing is known, ends the beat before any gate is asked. What one that ran says
//! is for the gates to judge, however it ended.

use crate::beat::{BeatState, Context, Effect, Event, Step, discard, instead_of};
use crate::change::ChangeSet;
use crate::decision::Move;
use crate::digest::Digest;
use crate::evidence::{Side, did_not_start};
use crate::failure::Failure;

/// The next effect after measuring.
pub(super) fn run(context: Box<Context>, mv: Box<Move>, change: ChangeSet) -> Step {
    if context.plan.commands.is_empty() {
        return ask_gates(context, mv, Box::new(change));
    }
    let effect = Effect::RunCommands {
        change: change.digest(),
    };
    (BeatState::Running(context, mv, Box::new(change)), effect)
}

pub(super) fn ran(
    mut context: Box<Context>,
    mv: Box<Move>,
    change: Box<ChangeSet>,
    event: Event,
) -> Step {
    let failure = match event {
        Event::Ran {
            change: of,
            answer: Ok(receipts),
        } => {
            context.commands = receipts;
            trouble(&context, change.digest(), of)
        }
        Event::Ran {
            answer: Err(failure),
            ..
        } => Some(failure),
        other => Some(instead_of("the commands", &other)),
    };
    match failure {
        None => ask_gates(context, mv, change),
        Some(failure) => {
            let outcome = context.fail(failure);
            discard(context, outcome)
        }
    }
}

/// Why the gates cannot be asked.
fn trouble(context: &Context, change: Digest, of: Digest) -> Option<Failure> {
    if change != of {
        let message = format!("the commands ran on another change than {change}");
        return Some(Failure::host(&message));
    }
    if let Some(why) = did_not_start(&context.commands) {
        return Some(Failure::host(&why));
    }
    let ran = |name: &&_| {
        let mut receipts = context.commands.iter();
        receipts.any(|receipt| receipt.command == **name && receipt.side == Side::After)
    };
    let missing = context.plan.commands.iter().find(|name| !ran(name));
    missing.map(|name| Failure::host(&format!("nothing is known of command {name}")))
}

fn ask_gates(context: Box<Context>, mv: Box<Move>, change: Box<ChangeSet>) -> Step {
    let gates = context.plan.gates.iter();
    let effect = Effect::Judge {
        gates: gates.map(|gate| gate.id.clone()).collect(),
        change: change.digest(),
        purse: context.purse,
    };
    (BeatState::Judging(context, mv, change), effect)
}
