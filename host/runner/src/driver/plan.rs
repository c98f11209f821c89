//! What the machine is told before it begins.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ringfence_core::beat::{BeatPlan, ExecutorPlan, StepPlan};
use ringfence_core::decision::ActionInfo;
use ringfence_core::digest::{Digest, PartsHasher};
use ringfence_core::ids::BeatNo;
use ringfence_core::journal::{BaseRef, LoopState, Settle};
use ringfence_core::manifest::CONTRACT;
use ringfence_core::spec::{self, Level, LockedSpec, LockedStep};

use super::{BeatError, BeatOptions, Begun};
use crate::authority;
use crate::calendar;
use crate::git::discover::Project;
use crate::settle::commit::{self, TargetError};
use crate::state_dir::LoopDir;
use crate::workspace::{Base, BaseFrom};

// Limit: a branch with a higher number was not made by a loop, and must not use up the numbers there are.
const NUMBER_MAX: u64 = 1 << 53;

/// Where the loop wants its base from.
pub(crate) fn base_from(spec: &LockedSpec) -> BaseFrom {
    match spec.base {
        spec::Base::Head => BaseFrom::Head,
        spec::Base::Worktree => BaseFrom::Worktree,
    }
}

/// The branch that the loop file has a beat begin at; none where that is whatever is checked out.
pub(super) fn base_branch(level: Level, spec: &LockedSpec) -> Option<&str> {
    match level {
        Level::L3 => spec.target.as_deref(),
        Level::L1 | Level::L2 => None,
    }
}

/// The full name of the branch that an accepted change is committed to; none below level L3.
pub(super) fn target(
    level: Level,
    spec: &LockedSpec,
    project: &Project,
) -> Result<Option<String>, TargetError> {
    match level {
        Level::L3 => commit::target(project, spec.target.as_deref()).map(Some),
        Level::L1 | Level::L2 => Ok(None),
    }
}

/// What becomes of an accepted change, by where the loop stands.
fn settle(level: Level, options: BeatOptions) -> Settle {
    match level {
        _ if options.dry_run => Settle::Shadow,
        Level::L1 => Settle::Shadow,
        Level::L2 => Settle::Propose,
        Level::L3 => Settle::Commit,
    }
}

/// What a beat finds of those before it.
pub(super) struct Standing {
    state: LoopState,
    branches: BTreeSet<String>,
    beat: BeatNo,
}

impl Standing {
    /// Everything: for a beat that may settle a change, under a number that nothing else has.
    pub(super) fn new(
        state: &LoopState,
        dir: &LoopDir,
        project: &Project,
    ) -> Result<Self, BeatError> {
        let branches = branches(dir, project)?;
        let beat = number(state, &branches, dir, patch_numbers(dir));
        let state = state.clone();
        Ok(Self {
            state,
            branches,
            beat,
        })
    }

    /// The same for a beat that settles nothing, so that no patch can be in the way of its number.
    pub(super) fn settling_nothing(
        state: &LoopState,
        dir: &LoopDir,
        branches: BTreeSet<String>,
    ) -> Self {
        let beat = number(state, &branches, dir, std::iter::empty());
        let state = state.clone();
        Self {
            state,
            branches,
            beat,
        }
    }
}

/// Puts everything together.
pub(super) fn plan(begun: &Begun<'_>, standing: Standing, base: &Base) -> BeatPlan {
    let Begun {
        open,
        spec,
        dir,
        started,
        options,
        around,
        ..
    } = *begun;
    let Standing {
        state,
        branches,
        beat,
    } = standing;
    let level = authority::stands(spec, dir, &state, started).level;
    let settle = settle(level, options);
    BeatPlan {
        loop_id: spec.loop_id.clone(),
        beat,
        run: run_id(spec, beat.0, started),
        settle,
        loop_file: spec.file_digest,
        plugins: spec.plugins(),
        contract: CONTRACT.to_owned(),
        sensors: spec.sensors.iter().map(step_plan).collect(),
        decider: step_plan(&spec.decider),
        executors: spec.executors.iter().map(executor_plan).collect(),
        gates: spec.gates.iter().map(step_plan).collect(),
        commands: spec
            .commands
            .iter()
            .map(|command| command.name.clone())
            .collect(),
        limits: spec.budget.limits(),
        attempts_per_item: spec.budget.attempts_per_item.into(),
        escalate_labels: spec.escalate.labels.clone(),
        escalate_on: spec.escalate.on,
        denials_are_fatal: false,
        open_proposals: open_proposals(&state, dir, branches),
        answers: state.answers(),
        freeze: calendar::freeze(
            spec.calendar.as_ref(),
            open.project.top(),
            around.config_dir,
            started,
            &open.timezone,
        ),
        state,
        now: started.to_zoned(open.timezone.clone()),
        base: BaseRef {
            tree: base.tree.clone(),
            commit: base.commit.clone(),
        },
        prose: spec.prose.clone(),
        pace: spec.pace,
        cost: spec.cost.clone(),
        decider_plugin: spec.decider.digest,
    }
}

/// The branches of this loop that stand in the user's repository.
fn branches(dir: &LoopDir, project: &Project) -> Result<BTreeSet<String>, BeatError> {
    let Some(repo) = project.repository() else {
        return Ok(BTreeSet::new());
    };
    Ok(repo.references(&prefix(dir))?.into_iter().collect())
}

/// What the full names of a loop's branches begin with.
pub(super) fn prefix(dir: &LoopDir) -> String {
    format!("refs/heads/ringfence/{}/", dir.loop_id())
}

/// The first number that neither the journal nor a branch or patch has: whoever deletes the state directory keeps the
/// branches, and other working trees of a repository have journals of their own.
fn number(
    state: &LoopState,
    branches: &BTreeSet<String>,
    dir: &LoopDir,
    patches: impl Iterator<Item = u64>,
) -> BeatNo {
    let prefix = prefix(dir);
    let of_branches = branches
        .iter()
        .filter_map(|name| name.strip_prefix(&prefix)?.parse().ok());
    let taken = of_branches.chain(patches);
    let highest: u64 = taken
        .filter(|number| *number < NUMBER_MAX)
        .max()
        .unwrap_or(0);
    BeatNo(state.next_beat().0.max(highest.saturating_add(1)))
}

/// The numbers of all patches in the loop's folder; what cannot be listed is met again when a patch is written.
fn patch_numbers(dir: &LoopDir) -> impl Iterator<Item = u64> + use<> {
    let folders = ["shadow", "proposals", "held"].map(|folder| dir.path().join(folder));
    let entries = folders
        .into_iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok());
    entries.flatten().filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.to_str()?.strip_suffix(".patch")?.parse().ok()
    })
}

/// The branches and patches of this loop that still stand.
fn open_proposals(
    state: &LoopState,
    dir: &LoopDir,
    branches: BTreeSet<String>,
) -> BTreeSet<String> {
    let mut open = branches;
    let references = state.proposals.iter().map(|proposal| &proposal.reference);
    let patches = references.filter(|name| !name.starts_with("refs/"));
    open.extend(
        patches
            .filter(|patch| dir.path().join(patch).is_file())
            .cloned(),
    );
    open
}

fn step_plan(step: &LockedStep) -> StepPlan {
    StepPlan {
        id: step.id.clone(),
        fuel: step.fuel_cap(),
    }
}

fn executor_plan(step: &LockedStep) -> ExecutorPlan {
    let actions = step.actions.iter().map(|action| ActionInfo {
        name: action.name.clone(),
        summary: action.summary.clone(),
        input: action.input.clone(),
    });
    ExecutorPlan {
        step: step_plan(step),
        plugin: step.name.clone(),
        actions: actions.collect(),
    }
}

/// No two beats share loop, number, moment and process.
fn run_id(spec: &LockedSpec, beat: u64, started: Timestamp) -> String {
    let mut hasher = PartsHasher::new("ringfence run 1");
    hasher
        .part("loop", spec.loop_id.as_str().as_bytes())
        .part("beat", &beat.to_le_bytes())
        .part("started", &started.as_nanosecond().to_le_bytes())
        .part("process", &std::process::id().to_le_bytes());
    let run: Digest = hasher.finish();
    run.hex().chars().take(24).collect()
}
