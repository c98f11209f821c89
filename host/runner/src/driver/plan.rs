//! What the machine is told before it begins.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ringfence_core::beat::{BeatPlan, ExecutorPlan, StepPlan};
use ringfence_core::decision::ActionInfo;
use ringfence_core::digest::{Digest, PartsHasher};
use ringfence_core::guard::BudgetLimits;
use ringfence_core::journal::{BaseRef, LoopState, Settle};
use ringfence_core::manifest::CONTRACT;
use ringfence_core::spec::{self, Level, LockedSpec, LockedStep};

use super::{BeatError, BeatOptions};
use crate::open_loop::OpenLoop;
use crate::workspace::{Base, BaseFrom, Workspace};

/// Where the loop wants its base from.
pub(super) fn base_from(spec: &LockedSpec) -> BaseFrom {
    match spec.base {
        spec::Base::Head => BaseFrom::Head,
        spec::Base::Worktree => BaseFrom::Worktree,
    }
}

/// Puts everything together.
pub(super) fn plan(
    open: &OpenLoop,
    spec: &LockedSpec,
    state: LoopState,
    base: &Base,
    workspace: &Workspace,
    started: Timestamp,
    options: BeatOptions,
) -> Result<BeatPlan, BeatError> {
    let beat = state.next_beat();
    let settle = match spec.level {
        Level::L2 if !options.dry_run => Settle::Propose,
        Level::L1 | Level::L2 => Settle::Shadow,
    };
    Ok(BeatPlan {
        loop_id: spec.loop_id.clone(),
        beat,
        run: run_id(spec, beat.0, started),
        settle,
        loop_file: spec.file_digest,
        plugins: spec
            .steps()
            .map(|step| (format!("{}/{}", step.role, step.id), step.digest))
            .collect(),
        contract: CONTRACT.to_owned(),
        sensors: spec.sensors.iter().map(step_plan).collect(),
        decider: step_plan(&spec.decider),
        executors: spec.executors.iter().map(executor_plan).collect(),
        gates: spec.gates.iter().map(step_plan).collect(),
        limits: BudgetLimits {
            fuel_per_beat: spec.budget.fuel_per_beat,
            fuel_per_day: spec.budget.fuel_per_day,
            beats_per_day: spec.budget.beats_per_day,
        },
        attempts_per_item: spec.budget.attempts_per_item.into(),
        escalate_labels: spec.escalate.labels.clone(),
        denials_are_fatal: false,
        open_proposals: open_proposals(&state, workspace)?,
        state,
        now: started.to_zoned(open.timezone.clone()),
        base: BaseRef {
            tree: base.tree.clone(),
            commit: base.commit.clone(),
        },
        answers: Vec::new(),
        prose: spec.prose.clone(),
    })
}

/// The branches and patches of this loop that still stand.
fn open_proposals(state: &LoopState, workspace: &Workspace) -> Result<BTreeSet<String>, BeatError> {
    let mut open = BTreeSet::new();
    if state.proposals.is_empty() {
        return Ok(open);
    }
    if let Some(repo) = workspace.project().repository() {
        open.extend(repo.references(&format!(
            "refs/heads/ringfence/{}/",
            workspace.dir().loop_id()
        ))?);
    }
    let patches = state.proposals.iter().map(|proposal| &proposal.reference);
    open.extend(
        patches
            .filter(|patch| workspace.dir().path().join(patch).is_file())
            .cloned(),
    );
    Ok(open)
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
