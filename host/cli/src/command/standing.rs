//! Where a loop stands: what its journal adds up to, held against its loop file and the time.
//!
//! `status`, `metrics` and `report` show what is found here. **Invariant:** everything is folded from the journal; nothing is
//! kept, and nothing is locked.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ringfence_core::digest::Digest;
use ringfence_core::guard::{BEATS_PER_DAY, BudgetLimits, FUEL_PER_DAY, Guard, guard, today};
use ringfence_core::journal::{Entry, LoopState, Order, Proposal};
use ringfence_core::snapshot::setup;
use ringfence_core::spec::{Level, LockedSpec};
use ringfence_runner::follow::{FollowError, Followed, Look};
use ringfence_runner::open_loop::{LockMode, OpenLoop};
use ringfence_runner::people;

use super::{Stop, loop_dir};
use crate::exit::Exit;
use crate::render::Safe;
use crate::render::status::{
    Budgeted, Drills, Due, JournalEnd, LevelNow, LevelOrdered, ModeNow, Next, OpenProposal,
    PastBeat, Standing, Today, TriedItem, Waiting,
};
use crate::std_plugins::StdPlugins;

// Limit: how it has been going lately; `journal show` has the others.
const BEATS_MAX: usize = 5;

/// Reads what is new in the journal of a loop.
pub(super) fn look(
    open: &OpenLoop,
    followed: &mut Followed,
    each: &mut dyn FnMut(Entry),
) -> Result<Look, Stop> {
    match loop_dir(open)? {
        Some(dir) => Ok(followed.look(&dir.journal(), each)?),
        None => Ok(Look::Same),
    }
}

/// The journal of a loop, read and checked from the beginning.
pub(super) fn read(open: &OpenLoop) -> Result<Followed, Stop> {
    let mut followed = Followed::new(open.timezone.clone());
    look(open, &mut followed, &mut |_| ())?;
    Ok(followed)
}

/// Where the loop stands at `now`.
pub(super) fn standing(
    open: &OpenLoop,
    followed: &Followed,
    now: Timestamp,
) -> Result<Standing, Stop> {
    let state = followed.state();
    let locked = open.lock(&StdPlugins, LockMode::Require);
    let setup = locked
        .as_ref()
        .ok()
        .map(|locked| setup_digest(&locked.spec));
    Ok(Standing {
        version: 1,
        loop_id: open.spec.loop_id.clone(),
        file: open.path.to_string(),
        project: open.project.top().display().to_string(),
        now,
        level: level(open.spec.level, state),
        mode: mode(state, now),
        beats: last_beats(followed),
        proposals: open_proposals(open, state)?,
        waiting: waiting(open, state, now),
        items: tried_items(open, state),
        today: spent_today(open, state, now),
        budgets: budgets(open, state, now),
        next: match (&locked, &setup) {
            (Ok(_), Some(setup)) => next(open, state, now, setup),
            (Ok(_), None) => Next::Free,
            (Err(error), _) => Next::Broken {
                why: error.to_string(),
            },
        },
        due: Due {
            next: open.next(state, now, now),
            cadence: open.spec.cadence.to_string(),
        },
        wake_at: state.wake_at.filter(|wake| *wake > now),
        drills: drills(state, setup.as_ref()),
        journal: JournalEnd {
            entries: followed.head().seq(),
            head: followed.head().line().map(|line| line.to_string()),
        },
    })
}

fn level(ceiling: Level, state: &LoopState) -> LevelNow {
    let order = state.orders.level.as_ref();
    LevelNow {
        now: order.map_or(Level::L2, |order| order.what.to).min(ceiling),
        ceiling,
        order: order.map(|order| LevelOrdered {
            at: order.at,
            by: order.by.clone(),
            reason: order.reason.clone(),
            overrides: order.what.overrides.clone(),
        }),
    }
}

fn mode(state: &LoopState, now: Timestamp) -> ModeNow {
    let orders = &state.orders;
    if let Some(order) = &orders.retired {
        ordered("retired", order, None)
    } else if let Some(order) = orders.pause_at(now) {
        ordered("paused", order, order.what)
    } else {
        ModeNow {
            mode: "run",
            why: None,
            since: None,
            until: None,
        }
    }
}

fn ordered<T>(mode: &'static str, order: &Order<T>, until: Option<Timestamp>) -> ModeNow {
    let why = if order.reason.is_empty() {
        format!("by {}", order.by)
    } else {
        format!("by {}: {}", order.by, order.reason)
    };
    ModeNow {
        mode,
        why: Some(why),
        since: Some(order.at),
        until,
    }
}

fn last_beats(followed: &Followed) -> Vec<PastBeat> {
    let recent = followed.history().recent.iter().rev().take(BEATS_MAX);
    recent
        .map(|past| PastBeat {
            beat: past.beat,
            at: past.at,
            fuel: past.fuel,
            outcome: past.outcome.clone(),
        })
        .collect()
}

/// Branches and patches that still stand.
fn open_proposals(open: &OpenLoop, state: &LoopState) -> Result<Vec<OpenProposal>, Stop> {
    if state.proposals.is_empty() {
        return Ok(Vec::new());
    }
    let branches: BTreeSet<String> = match open.project.repository() {
        Some(repo) => repo
            .references(&format!("refs/heads/ringfence/{}/", open.spec.loop_id))
            .map_err(|error| Stop::error(Exit::Host, &error))?
            .into_iter()
            .collect(),
        None => BTreeSet::new(),
    };
    let dir = loop_dir(open)?;
    let stands = |proposal: &&Proposal| {
        if proposal.reference.starts_with("refs/") {
            branches.contains(&proposal.reference)
        } else {
            dir.as_ref()
                .is_some_and(|dir| dir.proposal(proposal.beat).is_file())
        }
    };
    let open = state.proposals.iter().filter(stands);
    Ok(open
        .map(|proposal| OpenProposal {
            beat: proposal.beat,
            item: proposal.item.as_ref().map(ToString::to_string),
            reference: proposal.reference.clone(),
        })
        .collect())
}

fn tried_items(open: &OpenLoop, state: &LoopState) -> Vec<TriedItem> {
    let attempts_max = open.spec.budget.attempts_per_item;
    let items = state.items.iter().map(|(item, history)| TriedItem {
        item: item.to_string(),
        attempts: history.attempts,
        attempts_max,
        escalated: history.escalated(attempts_max.into()),
        reason: history.reasons.last().cloned(),
        reasons: history.reasons.clone(),
    });
    items.collect()
}

/// What the inbox has.
fn waiting(open: &OpenLoop, state: &LoopState, now: Timestamp) -> Vec<Waiting> {
    let inbox = people::inbox(open, state, now).into_iter();
    inbox
        .map(|one| Waiting {
            id: one.id,
            why: one.why.join("; "),
            since: Some(one.since),
        })
        .collect()
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

fn budgets(open: &OpenLoop, state: &LoopState, now: Timestamp) -> Vec<Budgeted> {
    let spent = today(state, &now.to_zoned(open.timezone.clone()));
    let budget = &open.spec.budget;
    let of = |budget, used, limit| Budgeted {
        budget,
        used,
        limit,
    };
    vec![
        of(FUEL_PER_DAY, spent.fuel.0, budget.fuel_per_day.0),
        of(BEATS_PER_DAY, spent.beats, budget.beats_per_day),
    ]
}

/// What the guards would say.
fn next(open: &OpenLoop, state: &LoopState, now: Timestamp, setup: &Digest) -> Next {
    let budget = &open.spec.budget;
    let limits = BudgetLimits {
        fuel_per_beat: budget.fuel_per_beat,
        fuel_per_day: budget.fuel_per_day,
        beats_per_day: budget.beats_per_day,
    };
    let now = now.to_zoned(open.timezone.clone());
    match guard(state, &limits, &now, setup) {
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

fn setup_digest(spec: &LockedSpec) -> Digest {
    let plugins: Vec<_> = spec
        .steps()
        .map(|step| (format!("{}/{}", step.role, step.id), step.digest))
        .collect();
    setup(&spec.file_digest, &plugins)
}

fn drills(state: &LoopState, setup: Option<&Digest>) -> Option<Drills> {
    let drilled = state.drilled.as_ref()?;
    let results = &drilled.run.results;
    let failed = results.iter().filter(|result| !result.passed);
    Some(Drills {
        at: drilled.at,
        passed: results.iter().filter(|result| result.passed).count(),
        all: results.len(),
        failed: failed.map(|result| result.name.clone()).collect(),
        current: setup == Some(&drilled.run.setup),
    })
}

impl From<FollowError> for Stop {
    fn from(error: FollowError) -> Self {
        let stop = Self::new(Exit::Host, Safe::error(&error));
        match error {
            FollowError::File(_) => stop,
            FollowError::Journal { .. } => stop.help(super::journal::NOT_TRUSTED),
        }
    }
}
