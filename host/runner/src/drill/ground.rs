//! The place where drills happen, and the probe that does in it what it is told.
//!
//! **Invariant:** files are put, changed and looked at by the probe alone, inside the boundary, so that a link in the project
//! leads nowhere else.

use std::sync::Arc;

use ringfence_core::change::ChangeSet;
use ringfence_core::digest::Digest;
use ringfence_core::failure::Failure;
use ringfence_core::ids::StepId;
use ringfence_core::journal::StepReceipt;
use ringfence_core::limits::Limits;
use ringfence_core::policy::{Layer, PathPolicy, PolicySpec};
use ringfence_core::quantity::{Bytes, Fuel, Millis};
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::{LockedSpec, LockedStep};
use ringfence_core::verdict::{Finding, GateResult, Ruling, Severity, Verdict};
use ringfence_sandbox::Sandbox;
use ringfence_sandbox::selftest::PROBE;
use serde_json::{Value, json};

use super::DrillError;
use crate::calls::{Calls, Matter};
use crate::change_view::ChangeView;
use crate::driver::{self, Surroundings};
use crate::git::discover::Project;
use crate::git::output::records;
use crate::lock::LoopLock;
use crate::memo::Memo;
use crate::open_loop::{Components, Locked, OpenLoop};
use crate::state_dir::{LoopDir, StateDir};
use crate::steps::NoSteps;
use crate::workspace::{Base, MeasureError, Workspace};

// Limit: enough to put a change of the largest seeded size in place.
const MAKER: Limits = Limits {
    fuel: Fuel(200_000_000_000),
    memory: Bytes(512 << 20),
    deadline: Millis(120_000),
};
// Limit: each operation answers with a finding, and of a gate's findings a thousand are kept.
const PLAN_MAX: usize = 500;
// Limit: names of files to choose a place from; the first of a very large project do.
const LISTING_BYTES_MAX: usize = 64 << 20;

/// A checkout of its own with everything to try things in it.
pub(super) struct Ground<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) components: Components,
    pub(super) base: Base,
    pub(super) dir: LoopDir,
    workspace: Workspace,
    memo: Memo,
    probe: Digest,
    spec: &'a LockedSpec,
    _lock: LoopLock,
    _temp: tempfile::TempDir,
}

/// One thing to put into the checkout.
#[derive(Debug, Clone)]
pub(super) enum Seed {
    /// A file with this text; what was there is gone.
    File(RelPath, String),
    /// A file of that many zeros.
    Zeros(RelPath, u64),
    /// A symbolic link that leads to a neighbour.
    Link(RelPath),
    /// No file there any more.
    Gone(RelPath),
}

/// A seeded change as the loop's own checks see it.
#[derive(Debug)]
pub(super) struct Judged {
    /// Why the host refuses it before any gate.
    pub(super) refused: Option<String>,
    /// What the host's own check of the paths says.
    pub(super) scope: Vec<Finding>,
    /// What each gate says.
    pub(super) results: Vec<GateResult>,
    /// How many files differ.
    pub(super) files: usize,
}

impl<'a> Ground<'a> {
    pub(super) fn new(
        open: &OpenLoop,
        locked: &'a Locked,
        around: Surroundings<'a>,
    ) -> Result<Self, DrillError> {
        let temp = tempfile::tempdir()?;
        let dir = StateDir::open(&Project::Folder(temp.path().to_owned()))?
            .open_loop(&locked.spec.loop_id)?;
        let lock = LoopLock::acquire(&dir, around.clock)?;
        let workspace = Workspace::open(&open.program, &dir, &lock, &open.project)?;
        let base = workspace.prepare(driver::base_from(&locked.spec), &NoSteps)?;
        let probe = Digest::of(PROBE);
        let mut components = locked.components.clone();
        components.insert(probe, PROBE.into());
        Ok(Self {
            sandbox: around.sandbox,
            components,
            base,
            memo: Memo::new(dir.memo(), false),
            dir,
            workspace,
            probe,
            spec: &locked.spec,
            _lock: lock,
            _temp: temp,
        })
    }

    /// Calls of the loop's components that remember nothing.
    pub(super) fn calls(&self) -> Calls<'_> {
        Calls::new(self.sandbox, &self.components, &self.base, &self.memo)
    }

    /// The checkout as the base has it.
    pub(super) fn reset(&self) -> Result<(), DrillError> {
        Ok(self.workspace.checkout(&self.base, &NoSteps)?)
    }

    /// The probe in the place of `step`, with that step's grant and limits.
    pub(super) fn probe_as(&self, step: &LockedStep) -> LockedStep {
        LockedStep {
            plugin: "the probe".to_owned(),
            digest: self.probe,
            config: json!({}),
            ..step.clone()
        }
    }

    /// Lets the probe carry out `plan` with the grant of `step`; what came of each operation.
    pub(super) fn try_as(
        &self,
        step: &LockedStep,
        plan: &[Value],
    ) -> Result<Vec<Result<Value, String>>, DrillError> {
        let mut probe = self.probe_as(step);
        probe.limits = MAKER;
        probe.config = json!({ "plan": plan });
        let (result, _) = self.ask(&probe, &self.nothing(), MAKER.fuel);
        let verdict = result.answer.map_err(DrillError::Probe)?;
        let done: Vec<_> = verdict
            .findings
            .iter()
            .filter_map(|finding| outcome(&finding.message))
            .collect();
        if done.len() == plan.len() {
            Ok(done)
        } else {
            let (done, all) = (done.len(), plan.len());
            Err(DrillError::Probe(format!("{done} of {all} operations")))
        }
    }

    /// Lets the probe carry out `plan` with every right.
    pub(super) fn make(&self, plan: &[Value]) -> Result<Vec<Result<Value, String>>, DrillError> {
        let mut maker = self.spec.decider.clone();
        let everything = vec!["**".to_owned()];
        maker.policy = PolicySpec {
            layers: vec![Layer {
                name: "drill".to_owned(),
                read: everything.clone(),
                write: everything,
            }],
            deny: Vec::new(),
        };
        let mut done = Vec::new();
        for some in plan.chunks(PLAN_MAX) {
            done.extend(self.try_as(&maker, some)?);
        }
        Ok(done)
    }

    /// Seeds a change and shows it to the host's own check, in the name of `executor`, and to every gate of the loop.
    pub(super) fn judge(
        &self,
        executor: &LockedStep,
        seeds: &[Seed],
    ) -> Result<Judged, DrillError> {
        self.reset()?;
        let plan: Vec<Value> = seeds.iter().flat_map(Seed::plan).collect();
        self.make(&plan)?;
        let refused = |why: String| Judged {
            refused: Some(why),
            scope: Vec::new(),
            results: Vec::new(),
            files: 0,
        };
        let change = match self.workspace.measure(&self.base, &NoSteps) {
            Ok(change) => change,
            Err(
                error @ (MeasureError::Refused(_)
                | MeasureError::TooLarge { .. }
                | MeasureError::Incomparable { .. }),
            ) => {
                return Ok(refused(error.to_string()));
            }
            Err(error) => return Err(error.into()),
        };
        let scope = driver::scope(&self.workspace, &change, Some(executor));
        let candidate = Base {
            tree: change.candidate_tree.clone(),
            ..self.base.clone()
        };
        self.workspace.checkout(&candidate, &NoSteps)?;
        let mut calls = self.calls();
        let matter = self.matter(&change);
        let judge = |gate: &LockedStep| calls.judge(gate, gate.limits.fuel, &matter).0;
        let results = self.spec.gates.iter().map(judge).collect();
        self.reset()?;
        Ok(Judged {
            refused: None,
            scope,
            results,
            files: change.files.len(),
        })
    }

    /// Asks a gate about `change`, whatever stands in the checkout.
    pub(super) fn ask(
        &self,
        gate: &LockedStep,
        change: &ChangeSet,
        fuel: Fuel,
    ) -> (GateResult, StepReceipt) {
        self.calls().judge(gate, fuel, &self.matter(change))
    }

    fn matter(&self, change: &ChangeSet) -> Matter {
        Matter {
            change: change.digest(),
            source: Arc::new(ChangeView::new(&self.workspace, change)),
            evidence: None,
        }
    }

    /// The text of a file of the base; none of what is long, or no text.
    pub(super) fn text(&self, path: &RelPath, bytes_max: usize) -> Option<String> {
        let blob = self
            .workspace
            .store()
            .blob_at(&self.base.tree, path)
            .ok()??;
        let bytes = self.workspace.read_blob(&blob, bytes_max).ok()?;
        String::from_utf8(bytes).ok()
    }

    /// A change of nothing.
    pub(super) fn nothing(&self) -> ChangeSet {
        ChangeSet {
            base_tree: self.base.tree.clone(),
            candidate_tree: self.base.tree.clone(),
            files: Vec::new(),
            ignored: Vec::new(),
        }
    }

    /// Every file of the base, links included.
    pub(super) fn files(&self) -> Result<Vec<RelPath>, DrillError> {
        let git = self.workspace.store().git();
        let listed = git
            .call("ls-tree")
            .args(["-r", "-z", "--name-only", &self.base.tree])
            .stdout_max(LISTING_BYTES_MAX)
            .run()
            .map_err(crate::workspace::WorkspaceError::from)?;
        let names = records("ls-tree", &listed).map_err(crate::workspace::WorkspaceError::from)?;
        let path = |name: &[u8]| RelPath::lexical(std::str::from_utf8(name).ok()?).ok();
        Ok(names.into_iter().filter_map(path).collect())
    }
}

impl Seed {
    fn plan(&self) -> Vec<Value> {
        let with_folder = |path: &RelPath, op: Value| {
            let folder = path.parent().unwrap_or(RelPath::ROOT);
            let mut plan = Vec::new();
            if !folder.is_root() {
                plan.push(json!({ "op": "std-create-dir-all", "path": folder.as_str() }));
            }
            plan.push(op);
            plan
        };
        match self {
            Self::File(path, text) => with_folder(
                path,
                json!({ "op": "std-write", "path": path.as_str(), "text": text }),
            ),
            Self::Zeros(path, bytes) => {
                let mut plan = with_folder(
                    path,
                    json!({ "op": "std-write", "path": path.as_str(), "text": "" }),
                );
                plan.push(json!({ "op": "std-set-len", "path": path.as_str(), "length": bytes }));
                plan
            }
            Self::Link(path) => with_folder(
                path,
                json!({ "op": "symlink-at", "path": "ringfence-drill", "new_path": path.as_str() }),
            ),
            Self::Gone(path) => vec![json!({ "op": "std-remove-file", "path": path.as_str() })],
        }
    }
}

impl Judged {
    /// What the gate of that name says.
    pub(super) fn of(&self, gate: &StepId) -> Result<&Verdict, &str> {
        let result = self.results.iter().find(|result| result.gate == *gate);
        match result.map(|result| &result.answer) {
            Some(Ok(verdict)) => Ok(verdict),
            Some(Err(failure)) => Err(failure),
            None => Err("it was not asked"),
        }
    }

    /// True when the gate of that name said no to it.
    pub(super) fn fails(&self, gate: &StepId) -> bool {
        matches!(self.of(gate), Ok(verdict) if verdict.ruling == Ruling::Fail)
    }

    /// Why the host's own checks refuse it; none when they do not.
    pub(super) fn out_of_scope(&self) -> Option<String> {
        let mut errors = self.scope.iter();
        let first = errors.find(|finding| finding.severity == Severity::Error);
        self.refused
            .clone()
            .or_else(|| first.map(|finding| finding.message.clone()))
    }
}

/// What a gate said, in a few words.
pub(super) fn said(answer: Result<&Verdict, &str>) -> String {
    match answer {
        Err(failure) => format!("no answer: {failure}"),
        Ok(verdict) => match (verdict.ruling, verdict.findings.first()) {
            (Ruling::Pass, _) => format!("pass: {}", verdict.summary),
            (Ruling::Abstain, _) => format!("abstain: {}", verdict.summary),
            (Ruling::Fail, Some(finding)) => format!("fail: {}", finding.rule),
            (Ruling::Fail, None) => format!("fail: {}", verdict.summary),
        },
    }
}

/// A failure in one line.
pub(super) fn failed(failure: Option<&Failure>) -> String {
    failure.map_or_else(|| "it ended well".to_owned(), ToString::to_string)
}

/// The policy of a step; none of one that cannot be compiled, which no loop has.
pub(super) fn policy(step: &LockedStep) -> Option<PathPolicy> {
    PathPolicy::new(&step.policy).ok()
}

fn outcome(message: &str) -> Option<Result<Value, String>> {
    let mut value: Value = serde_json::from_str(message).ok()?;
    if let Some(code) = value.get("err").and_then(Value::as_str) {
        return Some(Err(code.to_owned()));
    }
    value.get_mut("ok").map(Value::take).map(Ok)
}
