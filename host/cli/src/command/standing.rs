//! Where a loop stands: what its journal adds up to, held against its loop file and the time.
//!
//! `status`, `metrics` and `report` show what is found here. **Invariant:** everything is folded from the journal; nothing is
//! kept, and nothing is locked.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;
use ringfence_core::authority::{DrillsProblem, drills_valid, reach};
use ringfence_core::digest::Digest;
use ringfence_core::guard::{
    BEATS_PER_DAY, FUEL_PER_DAY, Guard, MONEY_PER_DAY, PROPOSALS_PER_DAY, Situated, TOKENS_PER_DAY,
    guard, mode, spent,
};
use ringfence_core::journal::{Entry, LoopState, Proposal, Settle};
use ringfence_core::snapshot::setup;
use ringfence_core::spec::{Level, LockedSpec};
use ringfence_runner::calendar;
use ringfence_runner::drill;
use ringfence_runner::follow::{FollowError, Followed, Look};
use ringfence_runner::open_loop::{LockMode, OpenLoop};
use ringfence_runner::people;

use super::{Context, Stop, loop_dir, ways_out};
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
        Some(dir) => Ok(followed.look_in(&dir, each)?),
        None => Ok(Look::Same),
    }
}

/// The journal of a loop, read and checked from the beginning.
pub(super) fn read(open: &OpenLoop) -> Result<Followed, Stop> {
    let mut followed = Followed::new(&open.spec.loop_id, open.timezone.clone());
    look(open, &mut followed, &mut |_| ())?;
    Ok(followed)
}

/// When and from where a loop is looked at.
pub(super) struct Viewpoint {
    /// When.
    pub(super) now: Timestamp,
    /// Where the operator's own files are.
    pub(super) config_dir: Option<PathBuf>,
}

impl Context<'_, '_> {
    /// Now, by this user.
    pub(super) fn viewpoint(&self) -> Viewpoint {
        Viewpoint {
            now: self.clock.now(),
            config_dir: self.config_dir.clone(),
        }
    }
}

/// Where the loop stands.
pub(super) fn standing(
    open: &OpenLoop,
    followed: &Followed,
    from: &Viewpoint,
) -> Result<Standing, Stop> {
    let now = from.now;
    let state = followed.state();
    let locked = open.lock(&StdPlugins, LockMode::Require);
    let spec = locked.as_ref().ok().map(|locked| &locked.spec);
    let bound = match (spec, loop_dir(open)?) {
        (Some(spec), Some(dir)) => drill::bound(spec, &dir),
        _ => None,
    };
    Ok(Standing {
        version: 1,
        loop_id: open.spec.loop_id.clone(),
        file: open.path.to_string(),
        project: open.project.top().display().to_string(),
        now,
        level: level(open.spec.level, state, bound.as_ref(), now),
        mode: situated(open, state, from, (spec, bound.as_ref()), mode_now),
        beats: last_beats(followed),
        proposals: open_proposals(open, state)?,
        waiting: waiting(open, state, from),
        items: tried_items(open, state),
        today: spent_today(open, state, now),
        budgets: budgets(open, state, now),
        next: match (&locked, followed.newer()) {
            (_, Some(newer)) => Next::Broken {
                why: format!("{newer}; {}", ways_out::NEWER),
            },
            (Ok(_), None) => situated(open, state, from, (spec, bound.as_ref()), next),
            (Err(error), None) => Next::Broken {
                why: error.to_string(),
            },
        },
        due: Due {
            next: open.next(state, now, now),
            cadence: open.spec.cadence.to_string(),
        },
        wake_at: state.wake_at.filter(|wake| *wake > now),
        drills: drills(state, bound.as_ref(), now),
        flapping: state
            .evidence
            .flapping()
            .into_iter()
            .map(ToString::to_string)
            .collect(),
        journal: JournalEnd {
            entries: followed.head().seq(),
            head: followed.head().line().map(|line| line.to_string()),
        },
    })
}

/// How far it may go; as far as the loop file lets it where nobody can say what its drills are worth, at L3 not that.
fn level(ceiling: Level, state: &LoopState, bound: Option<&Digest>, now: Timestamp) -> LevelNow {
    let reach = reach(ceiling, state, bound, now);
    LevelNow {
        now: reach.level,
        ceiling,
        lapsed: reach.lapsed,
        order: state.orders.level.as_ref().map(|order| LevelOrdered {
            at: order.at,
            by: order.by.clone(),
            reason: order.reason.clone(),
            overrides: order.what.overrides.clone(),
        }),
    }
}

fn mode_now(on: &Situated<'_>) -> ModeNow {
    let stance = mode(on);
    let hold = stance.hold.as_ref();
    ModeNow {
        mode: stance.mode.as_str(),
        why: hold.map(|hold| hold.why.clone()),
        since: hold.and_then(|hold| hold.since),
        until: hold.and_then(|hold| hold.until),
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
fn waiting(open: &OpenLoop, state: &LoopState, from: &Viewpoint) -> Vec<Waiting> {
    let inbox = people::inbox(open, state, from.config_dir.as_deref(), from.now);
    let waiting = inbox.into_iter().map(|one| {
        let not_yet = one
            .not_yet
            .map(|why| format!("approved, and not settled yet: {why}"));
        let why: Vec<String> = one.why.into_iter().chain(not_yet).collect();
        Waiting {
            id: one.id,
            why: why.join("; "),
            since: Some(one.since),
        }
    });
    waiting.collect()
}

fn spent_today(open: &OpenLoop, state: &LoopState, now: Timestamp) -> Today {
    let spent = spent(state, &now.to_zoned(open.timezone.clone()));
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
    let spent = spent(state, &now.to_zoned(open.timezone.clone()));
    let budget = &open.spec.budget;
    let of = |budget, used, limit| Budgeted {
        budget,
        used,
        limit,
    };
    let limits = budget.limits();
    let mut budgets = vec![
        of(FUEL_PER_DAY, spent.fuel.0, limits.fuel_per_day.0),
        of(BEATS_PER_DAY, spent.beats, limits.beats_per_day),
    ];
    let proposals = limits.proposals_per_day;
    budgets.extend(proposals.map(|limit| of(PROPOSALS_PER_DAY, spent.proposals, limit)));
    let tokens = limits.tokens;
    budgets.extend(tokens.map(|limit| of(TOKENS_PER_DAY, spent.tokens, limit.per_day)));
    let money = limits.money;
    budgets.extend(money.map(|limit| of(MONEY_PER_DAY, spent.money.0, limit.per_day)));
    budgets
}

/// What the guards say of the loop as it stands.
fn situated<T>(
    open: &OpenLoop,
    state: &LoopState,
    from: &Viewpoint,
    (spec, bound): (Option<&LockedSpec>, Option<&Digest>),
    say: impl FnOnce(&Situated<'_>) -> T,
) -> T {
    // Without its plugins a loop has neither of these digests, and what goes by them is not said.
    let now = from.now;
    let freeze = calendar::freeze(
        open.spec.calendar.as_ref(),
        open.project.top(),
        from.config_dir.as_deref(),
        now,
        &open.timezone,
    );
    let none = Digest::of(b"");
    let (setup, meter) = spec.map_or((none, none), |spec| {
        (setup_digest(spec), spec.cost.meter(&spec.decider.digest))
    });
    let settle = match level(open.spec.level, state, bound, now).now {
        Level::L1 => Settle::Shadow,
        Level::L2 => Settle::Propose,
        Level::L3 => Settle::Commit,
    };
    say(&Situated {
        state,
        limits: &open.spec.budget.limits(),
        pace: &open.spec.pace,
        settle,
        setup: &setup,
        meter: &meter,
        freeze: freeze.as_ref(),
        now: &now.to_zoned(open.timezone.clone()),
    })
}

fn next(on: &Situated<'_>) -> Next {
    match guard(on) {
        Guard::Go { shadow_only: None } => Next::Free,
        Guard::Go {
            shadow_only: Some(hold),
        } => Next::ShadowOnly {
            guard: hold.guard,
            why: hold.why,
        },
        Guard::Wait(hold) => Next::Wait {
            guard: hold.guard,
            used: hold.used,
            limit: hold.limit,
            until: hold.until,
            why: hold.why,
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

fn drills(state: &LoopState, bound: Option<&Digest>, now: Timestamp) -> Option<Drills> {
    let drilled = state.drilled.as_ref()?;
    let results = &drilled.run.results;
    let failed = results.iter().filter(|result| !result.passed);
    Some(Drills {
        at: drilled.at,
        passed: results.iter().filter(|result| result.passed).count(),
        all: results.len(),
        failed: failed.map(|result| result.name.clone()).collect(),
        void: match drills_valid(state, bound, now) {
            Ok(_) | Err(DrillsProblem::Failed { .. }) => None,
            Err(problem) => Some(problem.to_string()),
        },
    })
}

impl From<FollowError> for Stop {
    fn from(error: FollowError) -> Self {
        let stop = Self::new(Exit::Host, Safe::error(&error));
        match error {
            FollowError::File(error) => stop.help_if(ways_out::of_journal_file(&error)),
            FollowError::Journal { source, .. } => stop.help(ways_out::of_journal(&source)),
        }
    }
}
