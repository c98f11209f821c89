//! From the gates' verdicts to a settled change.

use crate::beat::{
    BeatState, Context, Effect, Event, Holding, Publication, Step, discard, end, instead_of,
};
use crate::change::ChangeSet;
use crate::decision::Move;
use crate::failure::{Failure, FailureClass};
use crate::ids::StepId;
use crate::journal::{Outcome, Settle, StepReceipt, held_id};
use crate::manifest::Role;
use crate::text;
use crate::verdict::{self, GateResult, Judgement, Ruling, Severity, Verdict};

// Limit: one line in the inbox.
const WHY_CHARS_MAX: usize = 300;

pub(super) fn judged(mut context: Box<Context>, mv: Move, change: ChangeSet, event: Event) -> Step {
    let outcome = match event {
        Event::Judged {
            change: judged,
            results,
            receipts,
        } => {
            context.verdicts.clone_from(&results);
            match judge(
                &mut context,
                &change,
                judged == change.digest(),
                &results,
                &receipts,
            ) {
                None => {
                    uncertain(&mut context, &results);
                    return settle(context, mv, change, &results);
                }
                Some(outcome) => outcome,
            }
        }
        other => context.fail(instead_of("the gates", &other)),
    };
    discard(context, outcome)
}

/// How the beat ends when the change does not pass; none when it does.
fn judge(
    context: &mut Context,
    change: &ChangeSet,
    same: bool,
    results: &[GateResult],
    receipts: &[StepReceipt],
) -> Option<Outcome> {
    if !same {
        let message = format!("the gates judged another change than {}", change.digest());
        return Some(context.fail(Failure::host(&message)));
    }
    if let Some(denial) = context.fatal_denial() {
        return Some(context.fail(denial));
    }
    let gates: Vec<StepId> = context
        .plan
        .gates
        .iter()
        .map(|gate| gate.id.clone())
        .collect();
    match verdict::judge(&context.scope, &gates, results) {
        Judgement::Passed => None,
        Judgement::Failed { reasons } => Some(match broken(results, receipts) {
            Some(class) => context.fail(Failure::new(class, &reasons.join("; "))),
            None => context.refuse(reasons),
        }),
    }
}

/// The class of the first gate that could not answer, where no gate said no: the plugin is to blame then, not the change.
fn broken(results: &[GateResult], receipts: &[StepReceipt]) -> Option<FailureClass> {
    let said_no = results
        .iter()
        .any(|result| matches!(&result.answer, Ok(verdict) if verdict.ruling == Ruling::Fail));
    if said_no || results.iter().all(|result| result.answer.is_ok()) {
        return None;
    }
    let failure = receipts
        .iter()
        .filter(|receipt| receipt.role == Role::Gate)
        .find_map(|receipt| receipt.failure.as_ref());
    Some(failure.map_or(FailureClass::Contract, |failure| failure.class))
}

/// Asks a person when a gate was not sure, where the loop wants that.
fn uncertain(context: &mut Context, results: &[GateResult]) {
    if !context.plan.escalate_on.gate_uncertainty {
        return;
    }
    for result in results {
        let Ok(verdict) = &result.answer else {
            continue;
        };
        let warnings = verdict
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Warning);
        let why = match (verdict.ruling, warnings.count()) {
            (Ruling::Abstain, _) => format!("gate {} abstained: {}", result.gate, verdict.summary),
            (_, 0) => continue,
            (_, 1) => format!("gate {} passed it with a warning", result.gate),
            (_, count) => format!("gate {} passed it with {count} warnings", result.gate),
        };
        context.ask.push(text::one_line(&why, WHY_CHARS_MAX));
    }
}

fn settle(mut context: Box<Context>, mv: Move, change: ChangeSet, results: &[GateResult]) -> Step {
    if context.held.is_none() && !context.ask.is_empty() {
        context.settle = Settle::Hold;
    }
    let publication = Box::new(Publication {
        beat: context.plan.beat,
        mv,
        summary: context.summary.clone().unwrap_or_default(),
        digest: change.digest(),
        change,
        verdicts: results.iter().filter_map(given).collect(),
        held: context.held.as_ref().map(|held| held.beat),
    });
    let effect = match context.settle {
        Settle::Propose => Effect::Publish(publication),
        Settle::Commit => Effect::Commit(publication),
        Settle::Shadow => Effect::Shadow(publication),
        Settle::Hold => Effect::Hold(Box::new(Holding {
            publication: *publication,
            why: context.ask.clone(),
            content: context.content,
        })),
    };
    (BeatState::Settling(context), effect)
}

fn given(result: &GateResult) -> Option<(StepId, Verdict)> {
    let verdict = result.answer.as_ref().ok()?;
    Some((result.gate.clone(), verdict.clone()))
}

pub(super) fn settled(mut context: Box<Context>, event: Event) -> Step {
    let failure = match (context.settle, event) {
        (Settle::Propose, Event::Published(Ok(published))) => {
            return end(
                context,
                Outcome::Proposed {
                    reference: published.reference,
                    commit: published.commit,
                },
            );
        }
        (Settle::Commit, Event::Committed(Ok(committed))) => {
            return end(
                context,
                Outcome::Committed {
                    reference: committed.reference,
                    commit: committed.commit,
                    previous: committed.previous,
                },
            );
        }
        (Settle::Shadow, Event::Shadowed(Ok(shadowed))) => {
            return end(
                context,
                Outcome::Shadowed {
                    patch: shadowed.patch,
                },
            );
        }
        (Settle::Hold, Event::Held(Ok(_))) => {
            let id = held_id(context.plan.beat);
            let ask = format!("the gates let the change through; it waits for a person as {id}");
            let why = std::iter::once(ask).chain(context.ask.clone()).collect();
            return end(context, Outcome::Escalated { why, id });
        }
        (Settle::Propose, Event::Published(Err(message)))
        | (Settle::Hold, Event::Held(Err(message)))
        | (Settle::Shadow, Event::Shadowed(Err(message))) => Failure::host(&message),
        (Settle::Commit, Event::Committed(Err(failure))) => failure,
        (_, other) => instead_of("the change to be settled", &other),
    };
    let outcome = context.fail(failure);
    discard(context, outcome)
}
