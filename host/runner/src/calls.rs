//! Calls of a loop's components: each step under its own grant, over the base or the workspace.
//!
//! **Invariant:** a step sees one directory, the private checkout, through its own policy; its chance and time come from
//! the tree alone. Whatever goes wrong with a component is a [`Failure`] of that step, never of the host. Guests run
//! on a confined thread of their own; compiling, remembering and git are done on this one.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringfence_core::call::{CallReport, LogLine};
use ringfence_core::change::{Commit, FileChange, commits_digest};
use ringfence_core::decision::{Move, RawDecision, Situation};
use ringfence_core::digest::{Digest, PartsHasher};
use ringfence_core::evidence::{self, CommandReceipt};
use ringfence_core::failure::{Failure, FailureClass};
use ringfence_core::ids::StepId;
use ringfence_core::journal::StepReceipt;
use ringfence_core::limits::Limits;
use ringfence_core::manifest::Role;
use ringfence_core::policy::{Access, PathPolicy};
use ringfence_core::quantity::Fuel;
use ringfence_core::relpath::RelPath;
use ringfence_core::snapshot::{Observation, RawObservation, SensorReading};
use ringfence_core::spec::LockedStep;
use ringfence_core::verdict::{GateResult, Location, Verdict};
use ringfence_sandbox::{
    Call, CallError, Called, ChangeSource, EvidenceSource, Guests, LoadError, Mount, Origin,
    Plugin, PluginError, Sandbox, Times,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::memo::{Memo, Remembered, StepKey};
use crate::open_loop::Components;
use crate::workspace::Base;

/// What one step said on the side, for the report of the beat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepLog {
    /// The step.
    pub step: StepId,
    /// Its role.
    pub role: Role,
    /// What it logged and printed: escape before showing.
    pub lines: Vec<LogLine>,
    /// Bytes beyond what is kept.
    pub bytes_dropped: u64,
}

/// Calls components.
pub struct Calls<'a> {
    sandbox: &'a Sandbox,
    components: &'a Components,
    guests: Guests,
    loaded: BTreeMap<Digest, Plugin>,
    base: &'a Base,
    memo: &'a Memo,
    /// What steps said so far.
    pub logs: Vec<StepLog>,
}

/// What gates judge.
pub struct Matter {
    /// The digest of the change set.
    pub change: Digest,
    /// What they are shown of the change.
    pub source: Arc<dyn ChangeSource>,
    /// What native programs said of it; none where none ran.
    pub evidence: Option<Arc<dyn EvidenceSource>>,
}

impl Matter {
    /// What of it `step` is given.
    fn given(&self, step: &LockedStep) -> Given {
        Given {
            change: Some(Arc::clone(&self.source)),
            evidence: self.evidence.clone().filter(|_| step.sees.evidence),
        }
    }

    /// The receipts of the programs that `step` can ask about.
    fn receipts(&self, step: &LockedStep) -> &[CommandReceipt] {
        let evidence = self.evidence.as_ref().filter(|_| step.sees.evidence);
        evidence.map_or(&[][..], |evidence| evidence.receipts())
    }

    /// The commits that `step` can ask for.
    fn commits(&self, step: &LockedStep) -> &[Commit] {
        let commits = step.sees.commits.then(|| self.source.commits());
        commits.unwrap_or_default()
    }
}

/// What a gate is given besides what every step is.
#[derive(Default)]
struct Given {
    change: Option<Arc<dyn ChangeSource>>,
    evidence: Option<Arc<dyn EvidenceSource>>,
}

/// A call that was made, or remembered: the answer, or why there is none.
type Made<T> = (Result<T, Failure>, StepReceipt);

impl<'a> Calls<'a> {
    /// Calls over `base`.
    #[must_use]
    pub fn new(
        sandbox: &'a Sandbox,
        components: &'a Components,
        base: &'a Base,
        memo: &'a Memo,
    ) -> Self {
        Self {
            sandbox,
            components,
            guests: Guests::new(),
            loaded: BTreeMap::new(),
            base,
            memo,
            logs: Vec::new(),
        }
    }

    /// What a sensor said of this tree, if that is remembered. Nothing is called.
    #[must_use]
    pub fn remembered(&self, step: &LockedStep) -> Option<(SensorReading, StepReceipt)> {
        remembered_reading(self.memo, self.base, step)
    }

    /// Asks a sensor, or remembers what it said of this tree.
    pub fn observe(&mut self, step: &LockedStep, fuel: Fuel) -> (SensorReading, StepReceipt) {
        let key = self.key(step, &[]);
        let made = self.remember(step, key, |calls| {
            calls.call(step, fuel, Given::default(), async |plugin, call| {
                plugin.observe(call).await
            })
        });
        reading(step, made)
    }

    /// Asks the decider.
    pub fn decide(
        &mut self,
        step: &LockedStep,
        fuel: Fuel,
        situation: &Situation,
    ) -> Made<RawDecision> {
        let text = match serde_json::to_string(situation) {
            Ok(text) => text,
            Err(error) => return (Err(Failure::host(&error.to_string())), receipt(step)),
        };
        self.call(step, fuel, Given::default(), async move |plugin, call| {
            plugin.decide(call, &text).await
        })
    }

    /// Lets an executor act in the checkout; returns its own line about it.
    pub fn act(&mut self, step: &LockedStep, fuel: Fuel, mv: &Move) -> Made<String> {
        let input = mv.input.to_string();
        let action = mv.action.clone();
        let given = Given::default();
        let (answer, receipt) = self.call(step, fuel, given, async move |plugin, call| {
            plugin.act(call, &action, &input).await
        });
        (answer.map(|outcome| outcome.summary), receipt)
    }

    /// Asks a gate about a change, or remembers what it said of the same one; of the same commits and evidence, if it can see
    /// those.
    pub fn judge(
        &mut self,
        step: &LockedStep,
        fuel: Fuel,
        matter: &Matter,
    ) -> (GateResult, StepReceipt) {
        let key = self.matter_key(step, matter);
        let given = matter.given(step);
        let made = self.remember(step, key, |calls| {
            calls.call(step, fuel, given, async |plugin, call| {
                plugin.judge(call).await
            })
        });
        judged(step, made, matter.source.files())
    }

    /// Where a gate is when it has used `fuel`: its functions, innermost first; none when it has ended by then.
    ///
    /// # Errors
    /// The gate ended otherwise than it does when it judges.
    pub fn trace(
        &mut self,
        step: &LockedStep,
        fuel: Fuel,
        matter: &Matter,
    ) -> Result<Option<Vec<String>>, Failure> {
        let (stack, _) = self.call(step, fuel, matter.given(step), async |plugin, call| {
            plugin.trace_judge(call).await
        });
        // What it says on the way was said when it judged.
        self.logs.clear();
        stack
    }

    /// What a gate said of the same matter, if that is remembered. Nothing is called.
    #[must_use]
    pub fn remembered_verdict(
        &self,
        step: &LockedStep,
        matter: &Matter,
    ) -> Option<(GateResult, StepReceipt)> {
        let made = recall(self.memo, step, self.matter_key(step, matter))?;
        Some(judged(step, made, matter.source.files()))
    }

    fn matter_key(&self, step: &LockedStep, matter: &Matter) -> StepKey {
        let (commits, receipts) = (matter.commits(step), matter.receipts(step));
        let parts = matter_parts(matter.change, commits, receipts);
        let parts: Vec<(&str, &[u8])> = parts
            .iter()
            .map(|(name, digest)| (*name, digest.as_bytes().as_slice()))
            .collect();
        self.key(step, &parts)
    }

    fn key(&self, step: &LockedStep, more: &[(&str, &[u8])]) -> StepKey {
        key(self.base, step, more)
    }

    /// The remembered answer to `key`, or a new one, which is then remembered.
    fn remember<T: Serialize + DeserializeOwned + Clone>(
        &mut self,
        step: &LockedStep,
        key: StepKey,
        ask: impl FnOnce(&mut Self) -> (Result<T, Failure>, StepReceipt),
    ) -> Made<T> {
        if let Some(made) = recall(self.memo, step, key) {
            return made;
        }
        let (answer, receipt) = ask(self);
        if let (Ok(answer), Some(usage)) = (&answer, &receipt.usage) {
            let report = CallReport {
                usage: usage.clone(),
                denials: receipt.denials.clone(),
                denials_dropped: receipt.denials_more,
                log: Vec::new(),
                log_bytes_dropped: 0,
            };
            self.memo.put(
                key,
                &Remembered {
                    answer: answer.clone(),
                    report,
                },
            );
        }
        (answer, receipt)
    }

    /// Makes one call.
    fn call<T: Send + 'static>(
        &mut self,
        step: &LockedStep,
        fuel: Fuel,
        given: Given,
        ask: impl AsyncFnOnce(Plugin, Call) -> Result<Called<T>, CallError> + Send + 'static,
    ) -> Made<T> {
        let prepared = self
            .load(step)
            .and_then(|plugin| Ok((plugin, self.prepare(step, fuel, given)?)));
        let (plugin, call) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return (Err(failure.clone()), receipt(step).failed(failure)),
        };
        let called = self
            .guests
            .run(call, async move |call| ask(plugin, call).await);
        let called = match called {
            Ok(called) => called,
            Err(error) => {
                let failure = Failure::host(&chain(&error));
                return (Err(failure.clone()), receipt(step).failed(failure));
            }
        };
        self.keep_log(step, &called.report);
        let receipt = receipt(step).with_report(&called.report);
        match answer(called) {
            Ok(answer) => (Ok(answer), receipt),
            Err(failure) => (Err(failure.clone()), receipt.failed(failure)),
        }
    }

    fn load(&mut self, step: &LockedStep) -> Result<Plugin, Failure> {
        if let Some(plugin) = self.loaded.get(&step.digest) {
            return Ok(plugin.clone());
        }
        let bytes = self
            .components
            .get(&step.digest)
            .ok_or_else(|| Failure::host(&format!("plugin {} was not read", step.plugin)))?;
        let plugin = self.sandbox.load(bytes);
        let plugin = plugin.map_err(|error| not_loaded(step, &error))?;
        self.loaded.insert(step.digest, plugin.clone());
        Ok(plugin)
    }

    fn prepare(&self, step: &LockedStep, fuel: Fuel, given: Given) -> Result<Call, Failure> {
        let policy = PathPolicy::new(&step.policy).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Failure::host(&errors.join("; "))
        })?;
        let clock_start = clock_start(self.base);
        Ok(Call {
            mounts: vec![Mount {
                guest_path: "/".to_owned(),
                host_path: self.base.dir.clone(),
                policy,
            }],
            limits: Limits {
                fuel,
                ..step.limits
            },
            config: step.config.to_string(),
            origin: Origin {
                seed: chance(step, self.base),
                clock_start,
            },
            times: Times::Fixed(clock_start),
            change: given.change,
            evidence: given.evidence,
        })
    }

    fn keep_log(&mut self, step: &LockedStep, report: &CallReport) {
        if !report.log.is_empty() || report.log_bytes_dropped > 0 {
            self.logs.push(StepLog {
                step: step.id.clone(),
                role: step.role,
                lines: report.log.clone(),
                bytes_dropped: report.log_bytes_dropped,
            });
        }
    }
}

/// What a sensor said of `base`, if that is remembered. Nothing is called.
pub(crate) fn remembered_reading(
    memo: &Memo,
    base: &Base,
    step: &LockedStep,
) -> Option<(SensorReading, StepReceipt)> {
    let made = recall(memo, step, key(base, step, &[]))?;
    Some(reading(step, made))
}

fn recall<T: DeserializeOwned>(memo: &Memo, step: &LockedStep, key: StepKey) -> Option<Made<T>> {
    let Remembered { answer, report } = memo.get::<T>(key)?;
    Some((Ok(answer), receipt(step).with_report(&report).remembered()))
}

fn reading(
    step: &LockedStep,
    (answer, receipt): Made<RawObservation>,
) -> (SensorReading, StepReceipt) {
    let (result, receipt) = check(answer, receipt, |raw: RawObservation| {
        Observation::check(&raw)
            .map_err(|error| Failure::new(FailureClass::Contract, &error.to_string()))
    });
    let reading = SensorReading {
        sensor: step.id.clone(),
        plugin: step.digest,
        result,
    };
    (reading, receipt)
}

/// A gate's answer, if it keeps the contract.
fn judged(
    step: &LockedStep,
    (answer, receipt): Made<Verdict>,
    changed: &[FileChange],
) -> (GateResult, StepReceipt) {
    let (answer, receipt) = check(answer, receipt, |verdict: Verdict| {
        let verdict = Verdict::check(verdict)
            .map_err(|error| Failure::new(FailureClass::Contract, &error.to_string()))?;
        Ok(without_foreign_paths(verdict, step, changed))
    });
    let result = GateResult {
        gate: step.id.clone(),
        answer: answer.map_err(|failure| failure.message),
    };
    (result, receipt)
}

fn key(base: &Base, step: &LockedStep, more: &[(&str, &[u8])]) -> StepKey {
    StepKey::new(step, &base.tree, clock_start(base), more)
}

/// What decides a gate's answer besides step and tree. Where there are no commits and no evidence, nothing of them counts.
fn matter_parts(
    change: Digest,
    commits: &[Commit],
    receipts: &[CommandReceipt],
) -> Vec<(&'static str, Digest)> {
    let mut parts = vec![("change", change)];
    if !commits.is_empty() {
        parts.push(("commits", commits_digest(commits)));
    }
    if !receipts.is_empty() {
        parts.push(("evidence", evidence::digest(receipts)));
    }
    parts
}

/// What the randomness of a step comes from: its role and the tree, and nothing else that decides its answer. The fuel of a
/// call depends on it, and that is not to move with another version of the component, a word in its config, or evidence.
fn chance(step: &LockedStep, base: &Base) -> Digest {
    let mut hasher = PartsHasher::new("ringfence chance 1");
    hasher
        .part("role", step.role.as_str().as_bytes())
        .part("tree", base.tree.as_bytes());
    hasher.finish()
}

/// Components live in the second their base was made, so that their answers depend on nothing else.
fn clock_start(base: &Base) -> u64 {
    u64::try_from(base.time.as_second()).unwrap_or(0)
}

/// The receipt of a step that was not called.
pub fn receipt(step: &LockedStep) -> StepReceipt {
    StepReceipt::new(
        step.id.clone(),
        step.role,
        step.digest,
        step.grant_digest(),
        step.config_digest(),
    )
}

/// A finding may point only to what its gate could see, the changed paths among it: anything else is taken out before
/// anybody is shown it.
fn without_foreign_paths(
    mut verdict: Verdict,
    step: &LockedStep,
    changed: &[FileChange],
) -> Verdict {
    let policy = PathPolicy::new(&step.policy).ok();
    let seen = |location: &Location| {
        let Ok(path) = RelPath::lexical(&location.path) else {
            return false;
        };
        let may_see = |policy: &PathPolicy| policy.decide(&path, Access::Stat).is_allowed();
        changed.iter().any(|file| file.path == path) || policy.as_ref().is_some_and(may_see)
    };
    for finding in &mut verdict.findings {
        finding.locations.retain(seen);
    }
    verdict
}

/// An answer that does not keep the contract is a failure of the call.
fn check<T, U>(
    answer: Result<T, Failure>,
    receipt: StepReceipt,
    check: impl FnOnce(T) -> Result<U, Failure>,
) -> Made<U> {
    match answer.and_then(check) {
        Ok(checked) => (Ok(checked), receipt),
        Err(failure) => (Err(failure.clone()), receipt.failed(failure)),
    }
}

fn answer<T>(called: Called<T>) -> Result<T, Failure> {
    match called.answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Failure::new(class(&error), &error.to_string())),
        Err(failure) => Err(Failure::from(&failure)),
    }
}

fn not_loaded(step: &LockedStep, error: &LoadError) -> Failure {
    let class = match error {
        _ if error.is_ours() => FailureClass::Host,
        LoadError::Slow { .. } => FailureClass::Deadline,
        LoadError::Memory { .. } => FailureClass::Memory,
        LoadError::CodeSize { .. } => FailureClass::Exhausted,
        LoadError::Inspect(_)
        | LoadError::Compile(_)
        | LoadError::Crashed(_)
        | LoadError::Compiler(_)
        | LoadError::Import(_) => FailureClass::Contract,
    };
    let help = error.help().map(|help| format!("; {help}"));
    let help = help.unwrap_or_default();
    Failure::new(class, &format!("plugin {}: {error}{help}", step.plugin))
}

fn class(error: &PluginError) -> FailureClass {
    match error {
        PluginError::Config(_) => FailureClass::Config,
        PluginError::Unavailable(_) => FailureClass::Unavailable,
        PluginError::Internal(_) => FailureClass::Internal,
    }
}

/// An error with everything behind it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use ringfence_core::evidence::{Confinement, Ended, Side};

    use super::*;

    #[test]
    fn commits_and_evidence_decide_what_is_remembered() {
        let commit = Commit {
            id: "0".repeat(40),
            author: "A <a@example.org>".to_owned(),
            message: "fix: it".to_owned(),
            parents: 1,
        };
        let receipt = CommandReceipt {
            command: StepId::new("test").unwrap(),
            side: Side::After,
            declared: Digest::of(b"argv"),
            tree: "t".to_owned(),
            confinement: Confinement::Full,
            network: false,
            ended: Ended::Exited { code: 0 },
            ms: 5,
            reports: Vec::new(),
            notes: Vec::new(),
        };
        let failed = CommandReceipt {
            ended: Ended::Exited { code: 1 },
            ..receipt.clone()
        };
        let slower = CommandReceipt {
            ms: 6,
            ..receipt.clone()
        };
        let change = Digest::of(b"change");
        let of = |commits: &[Commit], receipts: &[CommandReceipt]| {
            matter_parts(change, commits, receipts)
        };
        assert_eq!(of(&[], &[]), [("change", change)]);
        let commits = [commit];
        let all = [
            of(&[], &[]),
            of(&commits, &[]),
            of(&[], from_ref(&receipt)),
            of(&[], &[failed]),
            of(&commits, from_ref(&receipt)),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(all[..n].iter().all(|other| other != one), "{n}");
        }
        assert_eq!(of(&[], &[slower]), of(&[], &[receipt]));
    }
}
