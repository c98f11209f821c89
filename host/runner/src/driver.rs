//! Carries out one beat: what the machine in `ringfence_core::beat` asks for, in the order it asks.
//!
//! Owns the beat's lock, journal and workspace while it lasts. **Invariant:** no decision is taken here: every effect is
//! answered with what happened, and the machine says what that means. A change is published between two lines of the
//! journal, so that whatever ends this process, the next beat can say what came of it.

mod brought_along;
mod commands;
mod links;
mod look;
mod note;
mod plan;
mod record;
mod settling;
mod skip;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use ringfence_core::beat::{ActOutcome, BeatPlan, BeatState, Effect, Event, Measurement, Restored};
use ringfence_core::cadence::Next;
use ringfence_core::change::ChangeSet;
use ringfence_core::decision::{Move, Situation, SituationItem};
use ringfence_core::digest::Digest;
use ringfence_core::evidence::Side;
use ringfence_core::failure::{Failure, FailureClass};
use ringfence_core::guard::Purse;
use ringfence_core::ids::StepId;
use ringfence_core::journal::{
    BeatReceipt, Body, Held, JournalError, Outcome, Reservation, StepReceipt,
};
use ringfence_core::manifest::Role;
use ringfence_core::notify::Message;
use ringfence_core::policy::{Access, Decision, PathPolicy};
use ringfence_core::quantity::Fuel;
use ringfence_core::relpath::RelPath;
use ringfence_core::snapshot::{SensorReading, Snapshot};
use ringfence_core::spec::{LockedSpec, LockedStep};
use ringfence_core::verdict::{Finding, GateResult, Location, Severity};
use ringfence_sandbox::{EvidenceSource, Sandbox};
use serde::Serialize;

pub use self::look::look;
pub use self::note::note;
use self::plan::Standing;
pub(crate) use self::plan::base_from;
use self::record::Record;
use crate::authority;
use crate::bookmark::BaseCommit;
use crate::calls::{Calls, Matter, StepLog, chain, receipt};
use crate::change_view::ChangeView;
use crate::clock::Clock;
use crate::git::GitError;
use crate::journal_file::JournalFileError;
use crate::lock::{Holder, LockError, LoopLock};
use crate::memo::Memo;
use crate::open_loop::{Locked, OpenLoop};
use crate::people;
use crate::recovery::RecoveryError;
use crate::settle::commit::TargetError;
use crate::state_dir::{LoopDir, Origin, StateDir, StateDirError};
use crate::steps::Steps;
use crate::workspace::{self, Base, MeasureError, Workspace, WorkspaceError};

/// How a beat is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeatOptions {
    /// Settle nothing and record nothing: the report says what would have been.
    pub dry_run: bool,
    /// Use remembered answers.
    pub memo: bool,
}

/// What is going on, for people who wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The base is being checked out.
    Preparing,
    /// A step is being called.
    Step {
        /// The step.
        id: StepId,
        /// Its role.
        role: Role,
    },
    /// The change is being measured.
    Measuring,
    /// Commands are being run on this tree.
    Commands(Side),
    /// The change is being settled.
    Settling,
}

/// Everything there is to say of one beat.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BeatReport {
    /// The receipt, as the journal has it.
    pub receipt: BeatReceipt,
    /// How the beat ended for the operator: the receipt's outcome, or that the receipt could not be written.
    pub outcome: Outcome,
    /// What could be worked on, as the decider was told; empty when it was not asked.
    pub found: Vec<SituationItem>,
    /// What steps logged and printed.
    pub logs: Vec<StepLog>,
    /// The change as a unified diff; empty when there is none.
    pub diff: String,
    /// What earlier beats had left, and what was done about it.
    pub recovered: Vec<String>,
    /// When the next beat is due.
    pub next: Next,
    /// True when nothing was settled or recorded.
    pub dry_run: bool,
    /// What people are to be told of now; [`people::tell`] does that.
    #[serde(skip)]
    pub due: Option<Message>,
}

/// Why a beat could not begin. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BeatError {
    /// Another beat of this loop is running, or its lock cannot be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StateDirError),
    /// The journal cannot be read or written.
    #[error(transparent)]
    JournalFile(#[from] JournalFileError),
    /// The journal is damaged.
    #[error("the journal {path} cannot be trusted")]
    Journal {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: JournalError,
    },
    /// What an earlier beat began cannot be brought to an end.
    #[error("an earlier beat was cut off, and what came of it is unclear")]
    Recovery(#[from] RecoveryError),
    /// There is no branch to commit to.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The base cannot be had.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// Git said no.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The machine has no timer, or something of that kind.
    #[error("failed to begin: {0}")]
    Host(String),
}

/// What a beat is given from outside: engine, time, and the places where a test may stop it.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The engine.
    pub sandbox: &'a Sandbox,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Is told between two effects.
    pub steps: &'a dyn Steps,
    /// Where the operator's own files are.
    pub config_dir: Option<&'a Path>,
}

/// What writing into a journal is given from outside.
#[derive(Clone, Copy)]
pub struct Seams<'a> {
    /// The time.
    pub clock: &'a dyn Clock,
    /// The places where a test may stop it.
    pub steps: &'a dyn Steps,
}

impl<'a> Surroundings<'a> {
    /// Without the engine.
    #[must_use]
    pub fn seams(&self) -> Seams<'a> {
        Seams {
            clock: self.clock,
            steps: self.steps,
        }
    }
}

/// Runs one beat from beginning to end.
///
/// # Errors
/// [`BeatError`] when it could not begin; everything that happens later is in the report.
pub fn beat(
    open: &OpenLoop,
    locked: &Locked,
    options: BeatOptions,
    around: Surroundings<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<BeatReport, BeatError> {
    let started = around.clock.now();
    let dir = StateDir::open(&open.project)?.open_loop(&locked.spec.loop_id)?;
    let lock = LoopLock::acquire(&dir, around.clock)?;
    let begun = Begun {
        open,
        spec: &locked.spec,
        dir: &dir,
        lock: &lock,
        started,
        options,
        around,
    };
    match begun.skip() {
        Some(report) => report,
        None => begun.beat(locked, progress),
    }
}

/// A beat that holds its loop's lock and has looked at nothing yet.
#[derive(Clone, Copy)]
struct Begun<'a> {
    open: &'a OpenLoop,
    spec: &'a LockedSpec,
    dir: &'a LoopDir,
    lock: &'a LoopLock,
    started: Timestamp,
    options: BeatOptions,
    around: Surroundings<'a>,
}

impl Begun<'_> {
    /// The whole way: everything read, swept up and checked out before anything is asked.
    fn beat(
        self,
        locked: &Locked,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<BeatReport, BeatError> {
        let Self {
            open,
            spec,
            dir,
            lock,
            options,
            around,
            ..
        } = self;
        let mut recovered: Vec<_> = lock.died().map(end_of).into_iter().collect();
        let swept = crate::recovery::sweep(dir, lock, around.steps)?;
        let removed =
            |path: &PathBuf| format!("removed what an earlier beat left: {}", path.display());
        recovered.extend(swept.iter().map(removed));
        let mut record = Record::open(dir, &open.timezone, around.seams())?;
        recovered.extend(record.repaired.take());
        let doubted = brought_along::doubt(dir, &mut record)?;
        progress(Progress::Preparing);
        let workspace = Workspace::open(&open.program, dir, lock, &open.project)?;
        if workspace.origin() == Origin::BroughtAlong {
            recovered.push(format!(
                "{} was copied or shipped with the project: its caches are gone, and its journal is somebody's word",
                dir.path().display()
            ));
        }
        recovered.extend(doubted);
        recovered.extend(settling::recover(&workspace, &mut record, around.steps)?);
        let level = authority::stands(spec, dir, record.state(), self.started).level;
        let target = plan::target(level, spec, &open.project)?;
        let base = match &target {
            Some(branch) => workspace.prepare_branch(branch, around.steps)?,
            None => workspace.prepare(plan::base_from(spec), around.steps)?,
        };
        let standing = Standing::new(record.state(), dir, &open.project)?;
        let plan = plan::plan(&self, standing, &base);
        let memo = Memo::new(dir.memo(), options.memo);
        let calls = Calls::new(around.sandbox, &locked.components, &base, &memo);
        let mut beat = Beat {
            open,
            spec,
            workspace: &workspace,
            base: &base,
            target,
            calls,
            record,
            options,
            around,
            change: None,
            evidence: None,
            found: Vec::new(),
            receipt: None,
            reservation: Some(plan.reservation()).filter(|_| !options.dry_run),
            progress,
        };
        let outcome = beat.run(plan);
        memo.shrink();
        beat.report(outcome, recovered)
    }
}

fn end_of(holder: &Holder) -> String {
    let Holder { pid, since } = holder;
    format!("an earlier beat (process {pid}, since {since}) did not come to its end")
}

/// A beat under way.
struct Beat<'a> {
    open: &'a OpenLoop,
    spec: &'a LockedSpec,
    workspace: &'a Workspace,
    base: &'a Base,
    /// The branch that a commit goes to.
    target: Option<String>,
    calls: Calls<'a>,
    record: Record<'a>,
    options: BeatOptions,
    around: Surroundings<'a>,
    /// What was measured.
    change: Option<ChangeSet>,
    /// What the operator's commands said of it.
    evidence: Option<Arc<dyn EvidenceSource>>,
    /// What the decider was told of.
    found: Vec<SituationItem>,
    /// What was recorded.
    receipt: Option<BeatReceipt>,
    /// What the beat may cost, until that is written down.
    reservation: Option<Reservation>,
    progress: &'a mut dyn FnMut(Progress),
}

impl Beat<'_> {
    fn run(&mut self, plan: BeatPlan) -> Outcome {
        let (mut state, mut effect) = BeatState::start(plan);
        loop {
            let event = match effect {
                _ if self.is_stopped(&effect) => interrupted(Vec::new()),
                Effect::Observe { purse } => self.observe(purse),
                Effect::Decide {
                    situation,
                    fuel_max,
                } => self.decide(&situation, fuel_max),
                Effect::Act { mv, fuel_max } => self.act(&mv, fuel_max),
                Effect::Measure => self.measure(),
                Effect::RunCommands { change } => self.run_commands(change),
                Effect::Judge {
                    gates,
                    change,
                    purse,
                } => self.judge(&gates, change, purse),
                Effect::Publish(publication) => Event::Published(self.publish(&publication)),
                Effect::Commit(publication) => Event::Committed(self.commit(&publication)),
                Effect::Shadow(publication) => Event::Shadowed(self.shadow(&publication)),
                Effect::Hold(holding) => Event::Held(self.hold(&holding)),
                Effect::Restore(held) => self.restore(&held),
                Effect::Discard => self.discard(),
                Effect::Record { receipt, durable } => self.write(*receipt, durable),
                Effect::Finish(outcome) => return outcome,
            };
            (state, effect) = state.next(event);
        }
    }

    /// True when somebody ended the beat before it asks the next component. What was begun is brought to its end.
    fn is_stopped(&self, next: &Effect) -> bool {
        let asks = matches!(
            next,
            Effect::Observe { .. }
                | Effect::Decide { .. }
                | Effect::Act { .. }
                | Effect::Measure
                | Effect::RunCommands { .. }
                | Effect::Judge { .. }
        );
        asks && self.around.steps.stopped()
    }

    /// Writes down what the beat may cost, before the first call that costs anything: whoever kills it now has spent that.
    fn reserve(&mut self) -> Result<(), JournalFileError> {
        match self.reservation.take() {
            Some(reservation) => self.record.append(Body::Reserve(reservation), false),
            None => Ok(()),
        }
    }

    fn decide(&mut self, situation: &Situation, fuel_max: Fuel) -> Event {
        if let Err(error) = self.reserve() {
            return Event::HostFailed(chain(&error));
        }
        self.announce(&self.spec.decider);
        self.found.clone_from(&situation.items);
        let (answer, receipt) = self.calls.decide(&self.spec.decider, fuel_max, situation);
        Event::Decided {
            answer,
            receipts: vec![receipt],
        }
    }

    fn announce(&mut self, step: &LockedStep) {
        (self.progress)(Progress::Step {
            id: step.id.clone(),
            role: step.role,
        });
    }

    fn observe(&mut self, mut purse: Purse) -> Event {
        let (mut snapshot, mut receipts) = (Snapshot::default(), Vec::new());
        for step in &self.spec.sensors {
            if self.around.steps.stopped() {
                return interrupted(receipts);
            }
            self.announce(step);
            let (reading, receipt) = match purse.offer(step.fuel_cap()) {
                Ok(fuel) => match self.calls.remembered(step) {
                    Some(made) => made,
                    None => match self.reserve() {
                        Ok(()) => self.calls.observe(step, fuel),
                        Err(error) => return Event::HostFailed(chain(&error)),
                    },
                },
                Err(over) => {
                    let failure = Failure::new(FailureClass::Budget, &over.to_string());
                    let reading = SensorReading {
                        sensor: step.id.clone(),
                        plugin: step.digest,
                        result: Err(failure.clone()),
                    };
                    (reading, receipt(step).failed(failure))
                }
            };
            purse.charge(receipt.spent());
            snapshot.sensors.push(reading);
            receipts.push(receipt);
        }
        Event::Observed { snapshot, receipts }
    }

    fn act(&mut self, mv: &Move, fuel_max: Fuel) -> Event {
        let Some(step) = self.spec.executor(&mv.executor) else {
            return Event::HostFailed(format!("there is no executor {}", mv.executor));
        };
        self.announce(step);
        let (answer, receipt) = self.calls.act(step, fuel_max, mv);
        self.record.executor = Some(step.id.clone());
        Event::Acted {
            answer: answer.map(|summary| ActOutcome { summary }),
            receipts: vec![receipt],
        }
    }

    fn restore(&mut self, held: &Held) -> Event {
        self.record.executor = Some(held.hold.mv.executor.clone());
        let restored = match self.workspace.restore(&held.file, &held.hold.patch) {
            Ok(workspace::Restored::Whole) => Ok(Restored::Whole),
            Ok(workspace::Restored::Impossible { why }) => Ok(Restored::Impossible(why)),
            Err(error) => Err(chain(&error)),
        };
        Event::Restored(restored)
    }

    fn measure(&mut self) -> Event {
        (self.progress)(Progress::Measuring);
        let tree = &self.base.tree;
        let measurement = match self.workspace.measure(self.base, self.around.steps) {
            Ok(change) => {
                let scope = self.scope(&change);
                let escalated_paths = self.escalated(&change);
                self.change = Some(change.clone());
                Measurement {
                    change,
                    scope,
                    escalated_paths,
                }
            }
            Err(
                error @ (MeasureError::Refused(_)
                | MeasureError::TooLarge { .. }
                | MeasureError::Incomparable { .. }),
            ) => {
                let change = ChangeSet {
                    base_tree: tree.clone(),
                    candidate_tree: tree.clone(),
                    files: Vec::new(),
                    ignored: Vec::new(),
                };
                Measurement {
                    change,
                    scope: refusals(&error),
                    escalated_paths: Vec::new(),
                }
            }
            Err(error) => return Event::Measured(Err(chain(&error))),
        };
        Event::Measured(Ok(measurement))
    }

    fn scope(&self, change: &ChangeSet) -> Vec<Finding> {
        let executor = self.record.executor.as_ref();
        let step = executor.and_then(|id| self.spec.executor(id));
        scope(self.workspace, change, step)
    }

    fn escalated(&self, change: &ChangeSet) -> Vec<RelPath> {
        let matcher = self.spec.escalate.matcher();
        change
            .files
            .iter()
            .map(|file| &file.path)
            // Globs that do not compile were refused long ago; if not, everything is a person's.
            .filter(|path| {
                matcher
                    .as_ref()
                    .map_or(true, |matcher| matcher.hit(path).is_some())
            })
            .cloned()
            .collect()
    }

    fn judge(&mut self, gates: &[StepId], digest: Digest, mut purse: Purse) -> Event {
        // A change that a person approved comes here without a decider.
        if let Err(error) = self.reserve() {
            return Event::HostFailed(chain(&error));
        }
        let Some(change) = self.measured(digest) else {
            return Event::HostFailed(
                "the change to be judged is not the one that was measured".to_owned(),
            );
        };
        // The gates see the tree that would be published and nothing else: no ignored file, no empty folder.
        let candidate = Base {
            tree: change.candidate_tree.clone(),
            ..self.base.clone()
        };
        if let Err(error) = self.workspace.checkout(&candidate, self.around.steps) {
            return Event::HostFailed(chain(&error));
        }
        let matter = Matter {
            change: digest,
            source: Arc::new(ChangeView::new(self.workspace, &change)),
            evidence: self.evidence.clone(),
        };
        let (mut results, mut receipts) = (Vec::new(), Vec::new());
        for step in self
            .spec
            .gates
            .iter()
            .filter(|step| gates.contains(&step.id))
        {
            if self.around.steps.stopped() {
                return interrupted(receipts);
            }
            self.announce(step);
            let (result, receipt) = match purse.offer(step.fuel_cap()) {
                Ok(fuel) => self.calls.judge(step, fuel, &matter),
                Err(over) => {
                    let failure = Failure::new(FailureClass::Budget, &over.to_string());
                    let result = GateResult {
                        gate: step.id.clone(),
                        answer: Err(failure.to_string()),
                    };
                    (result, receipt(step).failed(failure))
                }
            };
            purse.charge(receipt.spent());
            results.push(result);
            receipts.push(receipt);
        }
        Event::Judged {
            change: digest,
            results,
            receipts,
        }
    }

    /// The change with that digest, if it is the one that was measured.
    fn measured(&self, digest: Digest) -> Option<ChangeSet> {
        self.change
            .clone()
            .filter(|change| change.digest() == digest)
    }

    fn discard(&self) -> Event {
        match self.workspace.reset(self.base, self.around.steps) {
            Ok(()) => Event::Discarded,
            Err(error) => Event::HostFailed(chain(&error)),
        }
    }

    fn write(&mut self, receipt: BeatReceipt, durable: bool) -> Event {
        self.receipt = Some(receipt.clone());
        if self.options.dry_run {
            return Event::Recorded;
        }
        match self.record.beat(receipt, durable) {
            Ok(()) => Event::Recorded,
            Err(error) => Event::HostFailed(chain(&error)),
        }
    }

    fn report(self, outcome: Outcome, recovered: Vec<String>) -> Result<BeatReport, BeatError> {
        let now = self.around.clock.now();
        let next = self.open.next(self.record.state(), now, now);
        let config_dir = self.around.config_dir;
        let due = people::due(self.open, self.record.state(), config_dir, now)
            .filter(|_| !self.options.dry_run);
        if let Some(base) = BaseCommit::of(self.base).filter(|_| !self.options.dry_run) {
            let timezone = &self.open.spec.budget.timezone;
            self.record
                .leave_bookmark(self.workspace.dir(), timezone, base);
        }
        let receipt = self.receipt.ok_or_else(|| {
            BeatError::Host(format!("the beat ended without a receipt: {outcome}"))
        })?;
        let diff = self
            .change
            .as_ref()
            .map(|change| settling::diff(self.workspace, change))
            .unwrap_or_default();
        Ok(BeatReport {
            receipt,
            outcome,
            found: self.found,
            logs: self.calls.logs,
            diff,
            recovered,
            next,
            dry_run: self.options.dry_run,
            due,
        })
    }
}

fn interrupted(receipts: Vec<StepReceipt>) -> Event {
    Event::Interrupted { receipts }
}

/// Judges every changed path once more, by the policy of the executor that made the change.
pub(crate) fn scope(
    workspace: &Workspace,
    change: &ChangeSet,
    step: Option<&LockedStep>,
) -> Vec<Finding> {
    let policy = step.and_then(|step| PathPolicy::new(&step.policy).ok());
    let from = change
        .files
        .iter()
        .filter_map(|file| file.renamed_from.as_ref());
    let paths: BTreeSet<&RelPath> = change
        .files
        .iter()
        .map(|file| &file.path)
        .chain(from)
        .collect();
    let links = links::stray_links(workspace, change, policy.as_ref());
    paths
        .into_iter()
        .filter_map(|path| {
            match policy
                .as_ref()
                .map(|policy| policy.decide(path, Access::Write))
            {
                Some(Decision::Allowed) => None,
                Some(Decision::Denied { rule }) => Some(out_of_scope(path, &rule.to_string())),
                None => Some(out_of_scope(path, "no policy covers it")),
            }
        })
        .chain(links)
        .collect()
}

fn refusals(error: &MeasureError) -> Vec<Finding> {
    match error {
        MeasureError::Refused(refusals) => refusals
            .iter()
            .map(|refusal| finding("refused", &refusal.to_string(), None))
            .collect(),
        other => vec![finding("too-large", &other.to_string(), None)],
    }
}

fn out_of_scope(path: &RelPath, why: &str) -> Finding {
    finding(
        "out-of-scope",
        &format!("{path} may not be changed: {why}"),
        Some(path),
    )
}

fn finding(rule: &str, message: &str, path: Option<&RelPath>) -> Finding {
    Finding {
        severity: Severity::Error,
        rule: rule.to_owned(),
        message: message.to_owned(),
        locations: path
            .map(|path| Location {
                path: path.to_string(),
                line: 0,
                column: 0,
            })
            .into_iter()
            .collect(),
        help: String::new(),
    }
}
