//! A loop with nothing left to look up: plugins by digest, grants written out.
//!
//! Owns [`LockedSpec`] and the one place where what a plugin asks meets what the operator grants.
//!
//! **Invariant:** every step's policy has the operator's layer *and* the plugin's, so neither widens the other; whatever is
//! no executor has no write list at all; built-in denials are in every policy.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::{
    Base, Budget, CalendarRef, CommandSpec, Escalate, Level, Notify, Paths, Role, Spec, StepSpec,
};
use crate::cadence::Cadence;
use crate::decision::CostRule;
use crate::diagnostic::{Diagnostic, Diagnostics, did_you_mean, quote};
use crate::digest::{Digest, PartsHasher};
use crate::guard::{FuelCap, Pace};
use crate::ids::{LoopId, StepId};
use crate::json;
use crate::json_schema::Misfit;
use crate::limits::Limits;
use crate::manifest::{Action, Manifest, contract_supported};
use crate::policy::{
    Access, Decision, DenyPattern, DenySource, Layer, PathPolicy, PatternError, PolicySpec, Rule,
    builtin_denials,
};
use crate::relpath::RelPath;

/// What is known of a plugin without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFacts {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Of the component's bytes.
    pub digest: Digest,
    /// The component's size in bytes.
    pub size: u64,
    /// What it can ask for.
    pub sees: Sees,
}

/// What a component can ask the host for besides files and the change itself, by what it imports. Nothing else of a run has a
/// part in its answers, so nothing else makes an old answer a wrong one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sees {
    /// The commits that the change came in.
    pub commits: bool,
    /// What native programs said.
    pub evidence: bool,
}

/// One step, ready to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockedStep {
    /// Unique among the steps of its role.
    pub id: StepId,
    /// What it is in this loop.
    pub role: Role,
    /// The plugin as the loop file and the lock file spell it.
    pub plugin: String,
    /// The plugin's own name.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// The contract it was built against, one that this host keeps.
    pub contract: String,
    /// Of the component's bytes.
    pub digest: Digest,
    /// The component's size in bytes.
    pub size: u64,
    /// What it can ask for.
    #[serde(skip)]
    pub sees: Sees,
    /// An object that fits the plugin's schema.
    pub config: Value,
    /// What one call may use.
    pub limits: Limits,
    /// True when the operator wrote the fuel limit: the step then gets all of it or does not start.
    pub fuel_written: bool,
    /// The effective grant: what is asked and granted, without what is denied.
    pub policy: PolicySpec,
    /// What an executor can be told to do; empty for every other role.
    pub actions: Vec<Action>,
}

/// A whole loop, ready to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockedSpec {
    /// The loop's name.
    #[serde(rename = "loop")]
    pub loop_id: LoopId,
    /// How far it may go by itself.
    pub level: Level,
    /// What it works on.
    pub base: Base,
    /// How often it beats.
    pub cadence: Cadence,
    /// At L3, the branch that it commits to, without `refs/heads/`; the one that is checked out unless it is written.
    pub target: Option<String>,
    /// Of the loop file's bytes, prose included.
    pub file_digest: Digest,
    /// What the loop is for.
    pub prose: String,
    /// Default denials that this loop does without.
    pub lifted: Vec<String>,
    /// At least one.
    pub sensors: Vec<LockedStep>,
    /// Exactly one.
    pub decider: LockedStep,
    /// At least one.
    pub executors: Vec<LockedStep>,
    /// At least one.
    pub gates: Vec<LockedStep>,
    /// Native programs that run on a change before the gates judge it.
    pub commands: Vec<CommandSpec>,
    /// What of a tree they see.
    pub command_policy: PolicySpec,
    /// What the loop may use.
    pub budget: Budget,
    /// What a person has to look at.
    pub escalate: Escalate,
    /// Whom people's messages go to.
    pub notify: Option<Notify>,
    /// Where it stands when the loop is frozen.
    pub calendar: Option<CalendarRef>,
    /// How the cost of the decider is found.
    pub cost: CostRule,
    /// How a loop that gets nowhere is slowed down.
    pub pace: Pace,
}

impl LockedStep {
    /// What the budget has to cover before the step starts.
    #[must_use]
    pub fn fuel_cap(&self) -> FuelCap {
        if self.fuel_written {
            FuelCap::Exactly(self.limits.fuel)
        } else {
            FuelCap::AtMost(self.limits.fuel)
        }
    }

    /// The digest of its configuration.
    #[must_use]
    pub fn config_digest(&self) -> Digest {
        Digest::of(json::canonical(&self.config).as_bytes())
    }

    /// The digest of everything this step is allowed: paths and limits.
    #[must_use]
    pub fn grant_digest(&self) -> Digest {
        let mut hasher = PartsHasher::new("ringfence grant 1");
        for layer in &self.policy.layers {
            hasher.part("layer", layer.name.as_bytes());
            for (access, globs) in [("read", &layer.read), ("write", &layer.write)] {
                for glob in globs {
                    hasher.part(access, glob.as_bytes());
                }
            }
        }
        for deny in &self.policy.deny {
            hasher.part("deny", deny.pattern.as_bytes());
        }
        hasher.part("fuel", &self.limits.fuel.0.to_le_bytes());
        hasher.part("memory", &self.limits.memory.0.to_le_bytes());
        hasher.part("deadline", &self.limits.deadline.0.to_le_bytes());
        hasher.finish()
    }
}

impl LockedSpec {
    /// Every step in the order of a beat.
    pub fn steps(&self) -> impl Iterator<Item = &LockedStep> {
        let decider = std::iter::once(&self.decider);
        self.sensors
            .iter()
            .chain(decider)
            .chain(&self.executors)
            .chain(&self.gates)
    }

    /// The plugins of all steps, as the fingerprint names them: `ROLE/ID` and digest, in the order of a beat.
    #[must_use]
    pub fn plugins(&self) -> Vec<(String, Digest)> {
        let named = |step: &LockedStep| (format!("{}/{}", step.role, step.id), step.digest);
        self.steps().map(named).collect()
    }

    /// The executor of that name.
    #[must_use]
    pub fn executor(&self, id: &StepId) -> Option<&LockedStep> {
        self.executors.iter().find(|step| step.id == *id)
    }
}

impl Escalate {
    /// Compiles the path globs.
    ///
    /// # Errors
    /// Every glob that the policy refuses; none for globs that came out of [`parse`](super::parse).
    pub fn matcher(&self) -> Result<Escalation, Vec<PatternError>> {
        let everything = vec!["**".to_owned()];
        let deny = self.paths.iter().map(|pattern| operator(pattern)).collect();
        let layers = vec![Layer {
            name: "escalate".to_owned(),
            read: everything.clone(),
            write: everything,
        }];
        PathPolicy::new(&PolicySpec { layers, deny }).map(Escalation)
    }
}

/// The escalation globs, compiled.
///
/// They match as denials do: a directory with everything below it, and whatever some file system takes for the same name.
#[derive(Debug, Clone)]
pub struct Escalation(PathPolicy);

impl Escalation {
    /// The glob that says a person has to look at a change of `path`.
    #[must_use]
    pub fn hit(&self, path: &RelPath) -> Option<String> {
        match self.0.decide(path, Access::Write) {
            Decision::Denied {
                rule: Rule::Deny { pattern, .. },
            } => Some(pattern),
            Decision::Denied { rule } => Some(rule.to_string()),
            Decision::Allowed => None,
        }
    }
}

impl Spec {
    /// Resolves the loop against the plugins at hand, by the spelling of [`PluginRef`](super::PluginRef).
    ///
    /// # Errors
    /// All problems at once in the order of the file: a plugin that is missing, lacks the role, keeps another contract, or
    /// refuses its config; globs that together cannot be compiled.
    pub fn lock(
        &self,
        file_digest: Digest,
        plugins: &BTreeMap<String, PluginFacts>,
    ) -> Result<LockedSpec, Vec<Diagnostic>> {
        let mut found = Diagnostics::default();
        let mut lock = |steps: &[StepSpec]| -> Vec<LockedStep> {
            steps
                .iter()
                .filter_map(|step| lock_step(&self.paths, step, plugins, &mut found))
                .collect()
        };
        let sensors = lock(&self.sensors);
        let decider = lock(std::slice::from_ref(&self.decider)).pop();
        let (executors, gates) = (lock(&self.executors), lock(&self.gates));
        match decider {
            Some(decider) if !found.has_errors() => Ok(LockedSpec {
                loop_id: self.loop_id.clone(),
                level: self.level,
                base: self.base,
                cadence: self.cadence.clone(),
                target: self.target.clone(),
                file_digest,
                prose: self.prose.clone(),
                lifted: self.paths.lift.clone(),
                sensors,
                decider,
                executors,
                gates,
                commands: self.commands.clone(),
                command_policy: command_policy(&self.paths),
                budget: self.budget.clone(),
                escalate: self.escalate.clone(),
                notify: self.notify.clone(),
                calendar: self.calendar.clone(),
                cost: self.cost.clone(),
                pace: self.pace,
            }),
            _ => Err(found.into_sorted()),
        }
    }
}

/// Resolves one step, with what every layer of path lists leaves it.
pub(super) fn lock_step(
    paths: &Paths,
    step: &StepSpec,
    plugins: &BTreeMap<String, PluginFacts>,
    found: &mut Diagnostics,
) -> Option<LockedStep> {
    let reference = step.plugin.to_string();
    let Some(facts) = plugins.get(&reference) else {
        found.push(missing(step, &reference, plugins));
        return None;
    };
    check_plugin(step, &facts.manifest, found);
    check_config(step, &facts.manifest, found);
    let policy = grant(paths, step, &facts.manifest);
    if let Err(errors) = PathPolicy::check(&policy) {
        let why: Vec<String> = errors.iter().take(3).map(ToString::to_string).collect();
        found.push(Diagnostic::error(
            "bad-glob",
            step.at.step.clone(),
            why.join("; "),
            "in this step's path lists",
        ));
    }
    Some(LockedStep {
        id: step.id.clone(),
        role: step.role,
        plugin: reference,
        name: facts.manifest.name.clone(),
        version: facts.manifest.version.clone(),
        contract: facts.manifest.contract.clone(),
        digest: facts.digest,
        size: facts.size,
        sees: facts.sees,
        config: step.config.clone(),
        limits: step.limits,
        fuel_written: step.fuel_written,
        policy,
        actions: if step.role == Role::Executor {
            facts.manifest.actions.clone()
        } else {
            Vec::new()
        },
    })
}

/// What `step` may touch: every layer must allow it and no denial may match it.
fn grant(loop_paths: &Paths, step: &StepSpec, manifest: &Manifest) -> PolicySpec {
    let mut layers = Vec::new();
    if step.role != Role::Executor {
        // First, so that a refused write is not explained by a list that the operator could extend in vain.
        layers.push(layer("role", vec!["**".to_owned()], Vec::new()));
    }
    layers.push(layer(
        "loop",
        loop_paths.read.clone(),
        loop_paths.write.clone(),
    ));
    if let Some(paths) = &step.paths {
        let or_all =
            |list: &Option<Vec<String>>| list.clone().unwrap_or_else(|| vec!["**".to_owned()]);
        layers.push(layer("step", or_all(&paths.read), or_all(&paths.write)));
    }
    layers.push(layer(
        "plugin",
        manifest.asks.read.clone(),
        manifest.asks.write.clone(),
    ));
    if step.role != Role::Executor {
        layers.iter_mut().for_each(|layer| layer.write.clear());
    }
    PolicySpec {
        layers,
        deny: denials(
            loop_paths,
            step.paths.as_ref().map_or(&[], |paths| &paths.deny),
        ),
    }
}

/// What of a tree a native program sees where these lists hold.
pub(crate) fn command_policy(paths: &Paths) -> PolicySpec {
    PolicySpec {
        layers: vec![layer("loop", paths.read.clone(), Vec::new())],
        deny: denials(paths, &[]),
    }
}

fn denials(paths: &Paths, own: &[String]) -> Vec<DenyPattern> {
    let lifted: BTreeSet<&str> = paths.lift.iter().map(String::as_str).collect();
    let stays = |denial: &DenyPattern| {
        denial.source != DenySource::Default || !lifted.contains(denial.pattern.as_str())
    };
    builtin_denials()
        .into_iter()
        .filter(stays)
        .chain(
            paths
                .deny
                .iter()
                .chain(own)
                .map(|pattern| operator(pattern)),
        )
        .collect()
}

fn layer(name: &str, read: Vec<String>, write: Vec<String>) -> Layer {
    Layer {
        name: name.to_owned(),
        read,
        write,
    }
}

fn operator(pattern: &str) -> DenyPattern {
    DenyPattern {
        pattern: pattern.to_owned(),
        source: DenySource::Operator,
    }
}

fn missing(
    step: &StepSpec,
    reference: &str,
    plugins: &BTreeMap<String, PluginFacts>,
) -> Diagnostic {
    let message = format!("there is no plugin {}", quote(reference));
    let problem = Diagnostic::error(
        "missing-plugin",
        step.at.plugin.clone(),
        message,
        "not found",
    );
    match did_you_mean(reference, plugins.keys().map(String::as_str)) {
        Some(guess) => problem.with_help(format!("did you mean {guess:?}?")),
        None => problem,
    }
}

fn check_plugin(step: &StepSpec, manifest: &Manifest, found: &mut Diagnostics) {
    let plugin = || step.at.plugin.clone();
    if let Err(error) = contract_supported(&manifest.contract) {
        let problem = Diagnostic::error(
            "contract",
            plugin(),
            format!("{}: {error}", manifest.name),
            "built for another host",
        );
        found.push(problem.with_help(
            "rebuild the plugin with an SDK of this host's version, or update ringfence",
        ));
    }
    if !manifest.roles.contains(&step.role) {
        let roles: Vec<&str> = manifest.roles.iter().map(|role| role.as_str()).collect();
        let message = format!(
            "{} is no {}; it can be {}",
            manifest.name,
            step.role,
            roles.join(" or ")
        );
        found.push(Diagnostic::error(
            "wrong-role",
            plugin(),
            message,
            format!("used as {} here", step.role),
        ));
    }
}

fn check_config(step: &StepSpec, manifest: &Manifest, found: &mut Diagnostics) {
    if manifest.config.is_none()
        && step
            .config
            .as_object()
            .is_some_and(|config| !config.is_empty())
    {
        let span = step
            .at
            .config
            .as_ref()
            .map_or_else(|| step.at.step.clone(), |place| place.span_at(""));
        found.push(Diagnostic::error(
            "bad-config",
            span,
            format!("{} takes no config", manifest.name),
            "remove this",
        ));
        return;
    }
    for misfit in manifest
        .config_misfits(&step.config)
        .err()
        .into_iter()
        .flatten()
    {
        if unknown_names(step, manifest, &misfit, found) {
            continue;
        }
        let span = step.at.config.as_ref().map_or_else(
            || step.at.plugin.clone(),
            |place| place.span_at(&misfit.pointer),
        );
        let message = format!("the config of {} does not fit: {misfit}", manifest.name);
        let label = if step.at.config.is_some() {
            "does not fit"
        } else {
            "without `config`"
        };
        found.push(Diagnostic::error("bad-config", span, message, label));
    }
}

/// Reports names that the config must not have, each in its place; true when that says all of the misfit.
fn unknown_names(
    step: &StepSpec,
    manifest: &Manifest,
    misfit: &Misfit,
    found: &mut Diagnostics,
) -> bool {
    let Some(config) = &step.at.config else {
        return false;
    };
    for name in &misfit.unexpected {
        let span = config
            .name_at(&misfit.pointer, name)
            .unwrap_or_else(|| config.span_at(&misfit.pointer));
        let message = format!("the config of {} has no key {}", manifest.name, quote(name));
        let problem = Diagnostic::error("bad-config", span, message, "unknown key");
        let known = || manifest.config_names();
        let help = match (misfit.pointer.as_str(), did_you_mean(name, known())) {
            ("", Some(guess)) => Some(format!("did you mean `{guess}`?")),
            ("", None) => {
                let names: Vec<&str> = known().collect();
                (!names.is_empty()).then(|| format!("its keys are {}", names.join(", ")))
            }
            _ => None,
        };
        found.push(match help {
            Some(help) => problem.with_help(help),
            None => problem,
        });
    }
    !misfit.unexpected.is_empty()
}
