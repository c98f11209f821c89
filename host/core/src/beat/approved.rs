//! A change that had waited for a person who approved it: put back into the workspace, then measured and judged anew.
//!
//! **Invariant:** approval stands in for a person's look at the change, and for nothing else: it is measured,
//! scope-checked and judged like any other, and on the tree it was made for it must be the very change that was approved.

use crate::beat::{
    BeatState, Context, Effect, Event, Restored, Step, discard, instead_of, sensing,
};
use crate::change::ChangeSet;
use crate::decision::{Checked, Move};
use crate::failure::Failure;
use crate::guard::{self, Guard};
use crate::journal::{Held, Outcome, Settle};

/// The change that a person approved, if there is one that this beat may settle.
pub(super) fn to_settle(context: &mut Context) -> Option<Held> {
    let held = context.plan.state.approved()?.clone();
    match guard::guard(&context.situated()) {
        // Approved was a change that is proposed; recording it in its place would use the approval up.
        Guard::Go {
            shadow_only: Some(hold),
        } if context.settle != Settle::Shadow => {
            let note = format!("{} is approved, and not settled yet: {hold}", held.id());
            context.notes.push(note);
            None
        }
        Guard::Go { .. } | Guard::Wait(_) => Some(held),
    }
}

/// Begins with `held`, if the guards let anything begin.
pub(super) fn begin(mut context: Box<Context>, held: Held) -> Step {
    if let Guard::Wait(hold) = guard::guard(&context.situated()) {
        return sensing::wait(context, &hold);
    }
    let mv = Box::new(held.hold.mv.clone());
    context.decision = Some(Checked::Move((*mv).clone()));
    context.summary = Some(held.hold.summary.clone());
    context.content = held.hold.content;
    context.moved = true;
    context.held = Some(held.clone());
    (
        BeatState::Restoring(context, mv),
        Effect::Restore(Box::new(held)),
    )
}

pub(super) fn restored(mut context: Box<Context>, mv: Box<Move>, event: Event) -> Step {
    let outcome = match event {
        Event::Restored(Ok(Restored::Whole)) => {
            return (BeatState::Measuring(context, mv), Effect::Measure);
        }
        // The item is not to blame: it is open again, and the loop may find a change that fits.
        Event::Restored(Ok(Restored::Impossible(why))) => {
            let id = context.held.as_ref().map(Held::id).unwrap_or_default();
            Outcome::Discarded {
                reasons: vec![format!("{id} is approved and cannot be taken up: {why}")],
            }
        }
        Event::Restored(Err(message)) => context.fail(Failure::host(&message)),
        other => context.fail(instead_of("the approved change to be put back", &other)),
    };
    discard(context, outcome)
}

/// The failure, when what was put back is not what was approved.
pub(super) fn altered(context: &Context, change: &ChangeSet) -> Option<Failure> {
    let held = context.held.as_ref()?;
    let same = held.base_tree != change.base_tree || held.change == change.digest();
    (!same).then(|| {
        Failure::host(&format!(
            "{} is change {}, and what was put back is {}",
            held.id(),
            held.change,
            change.digest()
        ))
    })
}
