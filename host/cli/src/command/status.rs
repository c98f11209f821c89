//! `ringfence status`: where a loop stands, and what the next beat would meet.
//!
//! **Invariant:** everything is folded from the journal at this moment; nothing is kept, and nothing is locked.

use jiff::Timestamp;
use ringfence_core::guard::{BudgetLimits, Guard, guard, today};
use ringfence_core::journal::{Body, Entry, LoopState, Proposal};
use ringfence_core::snapshot::setup;
use ringfence_core::spec::LockedSpec;
use ringfence_runner::open_loop::{LockMode, OpenLoop};

use super::{Context, Stop, journal, loop_dir};
use crate::args::Status;
use crate::exit::Exit;
use crate::render::status::{Next, OpenProposal, PastBeat, Standing, Today, TriedItem, standing};
use crate::std_plugins::StdPlugins;

// Limit: how it has been going lately; `journal show` has the others.
const BEATS_MAX: usize = 5;

/// Prints the standing of a loop.
pub(super) fn run(args: &Status, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let open = context.open(args.file.file.as_deref())?;
    let entries = journal::read(&open)?.entries;
    let state = LoopState::fold(&entries, &open.timezone);
    let now = context.clock.now();
    let found = Standing {
        version: 1,
        loop_id: open.spec.loop_id.clone(),
        file: open.path.to_string(),
        now,
        beats: last_beats(&entries),
        proposals: open_proposals(&open, &state)?,
        items: tried_items(&open, &state),
        today: spent_today(&open, &state, now),
        next: next(&open, &state, now),
    };
    if args.output.is_json() {
        context.print_json(&found)?;
    } else {
        context.console.print(&standing(&found));
    }
    Ok(Exit::Done)
}

fn last_beats(entries: &[Entry]) -> Vec<PastBeat> {
    let beats = entries.iter().rev().filter_map(|entry| match &entry.body {
        Body::Beat(receipt) => Some(PastBeat {
            beat: receipt.beat,
            at: entry.at,
            fuel: receipt.fuel,
            outcome: receipt.outcome.clone(),
        }),
        Body::Intent(_)
        | Body::Done(_)
        | Body::Recovered(_)
        | Body::Operator(_)
        | Body::Drill(_)
        | Body::Notice(_) => None,
    });
    beats.take(BEATS_MAX).collect()
}

fn open_proposals(open: &OpenLoop, state: &LoopState) -> Result<Vec<OpenProposal>, Stop> {
    let mut proposals = Vec::new();
    for proposal in &state.proposals {
        if stands(open, proposal)? {
            proposals.push(OpenProposal {
                beat: proposal.beat,
                item: proposal.item.as_ref().map(ToString::to_string),
                reference: proposal.reference.clone(),
            });
        }
    }
    Ok(proposals)
}

fn stands(open: &OpenLoop, proposal: &Proposal) -> Result<bool, Stop> {
    match open
        .project
        .repository()
        .filter(|_| proposal.reference.starts_with("refs/"))
    {
        Some(repo) => {
            let found = repo
                .resolve(&proposal.reference)
                .map_err(|error| Stop::error(Exit::Host, &error))?;
            Ok(found.is_some())
        }
        None => Ok(loop_dir(open)?.is_some_and(|dir| dir.proposal(proposal.beat).is_file())),
    }
}

fn tried_items(open: &OpenLoop, state: &LoopState) -> Vec<TriedItem> {
    let attempts_max = open.spec.budget.attempts_per_item;
    let items = state.items.iter().map(|(item, history)| TriedItem {
        item: item.to_string(),
        attempts: history.attempts,
        attempts_max,
        escalated: history.escalated(attempts_max.into()),
        reason: history.reasons.last().cloned(),
    });
    items.collect()
}

fn spent_today(open: &OpenLoop, state: &LoopState, now: Timestamp) -> Today {
    let spent = today(state, &now.to_zoned(open.timezone.clone()));
    let budget = &open.spec.budget;
    Today {
        fuel: spent.fuel,
        fuel_max: budget.fuel_per_day,
        beats: spent.beats,
        beats_max: budget.beats_per_day,
        timezone: budget.timezone.clone(),
    }
}

/// What the guards would say; why the loop cannot be locked, where that is so.
fn next(open: &OpenLoop, state: &LoopState, now: Timestamp) -> Next {
    let locked = match open.lock(&StdPlugins, LockMode::Require) {
        Ok(locked) => locked,
        Err(error) => {
            return Next::Broken {
                why: error.to_string(),
            };
        }
    };
    let budget = &open.spec.budget;
    let limits = BudgetLimits {
        fuel_per_beat: budget.fuel_per_beat,
        fuel_per_day: budget.fuel_per_day,
        beats_per_day: budget.beats_per_day,
    };
    let now = now.to_zoned(open.timezone.clone());
    match guard(state, &limits, &now, &setup_digest(&locked.spec)) {
        Guard::Go { shadow_only: None } => Next::Free,
        Guard::Go {
            shadow_only: Some(why),
        } => Next::ShadowOnly { why },
        Guard::Wait { until, why } => Next::Wait { until, why },
        Guard::Refuse(refusal) => Next::Refused {
            budget: refusal.budget,
            used: refusal.used,
            limit: refusal.limit,
            until: refusal.frees_at,
        },
    }
}

fn setup_digest(spec: &LockedSpec) -> ringfence_core::digest::Digest {
    let plugins: Vec<_> = spec
        .steps()
        .map(|step| (format!("{}/{}", step.role, step.id), step.digest))
        .collect();
    setup(&spec.file_digest, &plugins)
}
