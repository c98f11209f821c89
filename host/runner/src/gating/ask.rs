//! Asks the gates, several at once.
//!
//! **Invariant:** each gate is asked exactly once, or its answer to the very same question is remembered. The checkout has what
//! the gates that are asked may read; when none may read anything, it is an empty folder.

use std::sync::Arc;
use std::time::Instant;

use ringfence_core::call::LogLine;
use ringfence_core::failure::Failure;
use ringfence_core::journal::StepReceipt;
use ringfence_core::policy::{Access, Layer, PathPolicy, PolicySpec};
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::LockedStep;
use ringfence_core::verdict::GateResult;
use ringfence_sandbox::EvidenceSource;

use super::side_by_side::side_by_side;
use super::sides::Sides;
use super::{Around, Gating, GatingError, Options, Progress};
use crate::calls::{Calls, Matter, receipt};
use crate::change_view::ChangeView;
use crate::memo::Memo;
use crate::native::Evidence;
use crate::open_loop::Components;
use crate::workspace::Base;

/// One gate's answer, unweighed.
pub(super) struct Answer {
    pub(super) gate: LockedStep,
    pub(super) result: GateResult,
    pub(super) receipt: StepReceipt,
    pub(super) log: Vec<LogLine>,
    pub(super) ms: u64,
}

/// What gates are asked about.
pub(super) fn matter(
    gating: &Gating,
    sides: &Sides,
    evidence: &Arc<Evidence>,
) -> Result<Matter, GatingError> {
    let view =
        ChangeView::new(&gating.workspace, &sides.change).in_commits(sides.commits.shown.clone());
    let said = !evidence.receipts().is_empty();
    Ok(Matter {
        change: sides.change.digest(),
        source: Arc::new(view.map_err(|error| GatingError::Host(error.to_string()))?),
        evidence: said.then(|| Arc::clone(evidence) as Arc<dyn EvidenceSource>),
    })
}

/// Asks `gates` about the change; answers stand in the same order. Commits that come to no difference are the business of
/// those that can ask for commits, and a change of nothing is nobody's.
pub(super) fn ask(
    gating: &Gating,
    gates: &[&LockedStep],
    components: &Components,
    (sides, matter): (&Sides, &Matter),
    options: &Options,
    around: Around<'_>,
) -> Result<Vec<Answer>, GatingError> {
    let differs = !sides.change.is_empty();
    let concerned = |gate: &&&LockedStep| differs || (gate.sees.commits && sides.commits.count > 0);
    let gates: Vec<&LockedStep> = gates.iter().filter(concerned).copied().collect();
    let gates = gates.as_slice();
    if gates.is_empty() {
        return Ok(Vec::new());
    }
    let memo = Memo::new(gating.dir.memo(), !options.no_memo);
    let mut base = base(gating, sides);
    let (sandbox, progress) = (around.sandbox, around.progress);
    let mut answers: Vec<Option<Answer>> = Vec::new();
    for gate in gates {
        let known = Calls::new(sandbox, components, &base, &memo);
        let known = known.remembered_verdict(gate, matter);
        answers.push(known.map(|(result, receipt)| Answer {
            gate: (*gate).clone(),
            result,
            receipt,
            log: Vec::new(),
            ms: 0,
        }));
    }
    let left: Vec<usize> = (0..gates.len())
        .filter(|at| answers.get(*at).is_some_and(Option::is_none))
        .collect();
    let unknown: Vec<&LockedStep> = left
        .iter()
        .filter_map(|at| gates.get(*at).copied())
        .collect();
    if !unknown.is_empty() {
        progress(Progress::Preparing);
        base = prepare(gating, base, &unknown, around)?;
    }
    let calls = || Calls::new(sandbox, components, &base, &memo);
    let made = side_by_side(options.jobs, &unknown, calls, |calls, gate| {
        one(calls, gate, matter, progress)
    });
    if !unknown.is_empty() {
        memo.shrink();
    }
    for (at, answer) in left.into_iter().zip(made) {
        if let Some(place) = answers.get_mut(at) {
            *place = answer;
        }
    }
    let whole =
        |(answer, gate): (Option<Answer>, &&LockedStep)| answer.unwrap_or_else(|| unanswered(gate));
    Ok(answers.into_iter().zip(gates).map(whole).collect())
}

/// What gates look at: head, checked out.
pub(super) fn base(gating: &Gating, sides: &Sides) -> Base {
    Base {
        tree: sides.head.tree.clone(),
        commit: None,
        time: sides.now(),
        dir: gating.dir.base(),
    }
}

fn one(
    calls: &mut Calls<'_>,
    gate: &LockedStep,
    matter: &Matter,
    progress: &(dyn Fn(Progress) + Sync),
) -> Answer {
    progress(Progress::Gate(gate.id.clone()));
    let began = Instant::now();
    let (result, receipt) = calls.judge(gate, gate.limits.fuel, matter);
    let log = calls.logs.drain(..).flat_map(|log| log.lines).collect();
    Answer {
        gate: gate.clone(),
        result,
        receipt,
        log,
        ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

fn unanswered(gate: &LockedStep) -> Answer {
    let failure = Failure::host("the thread that asked it ended");
    Answer {
        gate: gate.clone(),
        result: GateResult {
            gate: gate.id.clone(),
            answer: Err(failure.message.clone()),
        },
        receipt: receipt(gate).failed(failure),
        log: Vec::new(),
        ms: 0,
    }
}

/// Checks out what `gates` may read of the candidate, and says where.
pub(super) fn prepare(
    gating: &Gating,
    base: Base,
    gates: &[&LockedStep],
    around: Around<'_>,
) -> Result<Base, GatingError> {
    let workspace = &gating.workspace;
    let specs = || gates.iter().map(|gate| &gate.policy);
    if specs().all(reads_nothing) {
        let dir = workspace.nothing()?;
        return Ok(Base { dir, ..base });
    }
    let tree = if specs().any(reads_everything) {
        base.tree.clone()
    } else {
        let policies: Vec<PathPolicy> = specs()
            .filter_map(|spec| PathPolicy::new(spec).ok())
            .collect();
        let may_read = |path: &RelPath| {
            let mut policies = policies.iter();
            policies.any(|policy| policy.decide(path, Access::Read).is_allowed())
        };
        workspace.view(&base.tree, &may_read)?
    };
    let view = Base {
        tree,
        ..base.clone()
    };
    workspace.checkout_to_read(&view, around.steps)?;
    Ok(base)
}

fn reads_nothing(policy: &PolicySpec) -> bool {
    policy.layers.iter().any(|layer| layer.read.is_empty())
}

fn reads_everything(policy: &PolicySpec) -> bool {
    let all = |layer: &Layer| layer.read.iter().any(|glob| glob == "**");
    policy.layers.iter().all(all)
}
