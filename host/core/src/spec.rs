//! The loop file: what a person wrote, checked.
//!
//! Owns [`Spec`] and [`parse`]. From here a loop goes on as a [`LockedSpec`], in which every plugin is resolved and every
//! step's effective grant is written out; only that runs. `lockfile` pins the plugins between runs, `schema` describes the
//! file to editors, `template` is the file that `init` writes.
//!
//! **Invariant:** a key that this version cannot enforce is an error, never ignored; every limit is finite, also
//! when it is not written; nothing here opens a file.

mod build;
mod cadence;
pub(crate) mod command;
mod front;
mod gates;
mod guards;
mod keys;
mod locked;
mod lockfile;
mod people;
mod reference;
mod rules;
mod schema;
mod target;
mod template;
mod written;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::command::{
    CommandLimits, CommandSpec, RunsOn, STDERR, STDOUT, Sandboxing, check_system_directory,
};
pub use self::gates::{
    Allow, GATES_FILE_BYTES_MAX, Gates, LockedGates, VerdictRules, gates_file_schema,
};
pub use self::locked::{Escalation, LockedSpec, LockedStep, PluginFacts, Sees};
pub use self::lockfile::{LOCK_FILE_BYTES_MAX, LockCheck, LockFile, LockFileError, PinnedPlugin};
pub use self::people::{CalendarRef, EscalateOn, Notify};
pub use self::reference::{PluginRef, PluginRefError};
pub use self::schema::loop_file_schema;
pub use self::template::{gates_template, template};
use crate::cadence::Cadence;
use crate::decision::CostRule;
use crate::diagnostic::Diagnostics;
pub use crate::diagnostic::{Diagnostic, line_column};
use crate::guard::{BudgetLimits, Pace, SpendLimit};
use crate::ids::{LoopId, StepId};
use crate::limits::Limits;
pub use crate::manifest::Role;
use crate::quantity::Fuel;
use crate::toml_doc::Place;

/// Longest loop file in bytes, its prose included.
// Limit: many times the longest page that a model-driven decider would be given.
pub const LOOP_FILE_BYTES_MAX: usize = 1 << 20;

/// How far a loop may go by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Shadow: the change is recorded as a patch and nothing else happens.
    L1,
    /// Propose: the change becomes one commit on a branch of its own.
    L2,
    /// Commit: the change becomes one commit on the loop's target branch.
    L3,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
        })
    }
}

/// What a beat works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// The tree of the current commit.
    Head,
    /// The working tree as it is, uncommitted edits included.
    Worktree,
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "head",
            Self::Worktree => "worktree",
        })
    }
}

/// The path lists of the whole loop: globs from the workspace root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paths {
    /// What steps may read; everything unless it is written.
    pub read: Vec<String>,
    /// What executors may write; nothing unless it is written.
    pub write: Vec<String>,
    /// What no step may touch, besides the denials that every loop has.
    pub deny: Vec<String>,
    /// Default denials that this loop does without, spelled as they are.
    pub lift: Vec<String>,
}

/// The path lists of one step, which only narrow the loop's; `None` leaves them as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct StepPaths {
    /// What the step may read at most.
    pub read: Option<Vec<String>>,
    /// What the step may write at most; only an executor has this.
    pub write: Option<Vec<String>>,
    /// What the step may not touch.
    pub deny: Vec<String>,
}

/// One `[[sensor]]`, `[decider]`, `[[executor]]` or `[[gate]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepSpec {
    /// Unique among the steps of its role.
    pub id: StepId,
    /// What it is in this loop.
    pub role: Role,
    /// Which plugin.
    pub plugin: PluginRef,
    /// Its config: an object, empty when none is written.
    pub config: Value,
    /// What one call of it may use.
    pub limits: Limits,
    /// True when the operator wrote the fuel limit: the step then gets all of it or does not start.
    pub fuel_written: bool,
    /// Its own path lists, if any.
    pub paths: Option<StepPaths>,
    at: StepPlace,
}

/// Where the parts of a step stand in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct StepPlace {
    step: Range<usize>,
    plugin: Range<usize>,
    config: Option<Place>,
}

/// What a loop may use and how often it may try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// All steps of one beat together.
    pub fuel_per_beat: Fuel,
    /// All beats of one local day together.
    pub fuel_per_day: Fuel,
    /// Beats that get as far as deciding, per local day; at least 1.
    pub beats_per_day: u64,
    /// Failed attempts at one item before it is escalated; at least 1.
    pub attempts_per_item: u32,
    /// IANA name of the time zone whose days count: of the right shape, existing or not.
    pub timezone: String,
    /// Changes that are proposed, per local day; none where the beats are limit enough.
    pub proposals_per_day: Option<u64>,
    /// Tokens of the decider; none where it uses none.
    pub tokens: Option<SpendLimit>,
    /// Money for the decider, in millionths; none where it costs none.
    pub money: Option<SpendLimit>,
}

impl Budget {
    /// What the guards hold spending against.
    #[must_use]
    pub fn limits(&self) -> BudgetLimits {
        BudgetLimits {
            fuel_per_beat: self.fuel_per_beat,
            fuel_per_day: self.fuel_per_day,
            beats_per_day: self.beats_per_day,
            proposals_per_day: self.proposals_per_day,
            tokens: self.tokens,
            money: self.money,
        }
    }
}

/// What a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Escalate {
    /// Globs: a change that touches one of these paths.
    pub paths: Vec<String>,
    /// An item with one of these labels.
    pub labels: Vec<String>,
    /// What else people are asked or told about.
    pub on: EscalateOn,
}

/// A loop file that has no errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The file's name as it was given to [`parse`].
    pub name: String,
    /// The loop's name.
    pub loop_id: LoopId,
    /// How far it may go by itself.
    pub level: Level,
    /// What it works on.
    pub base: Base,
    /// How often it beats.
    pub cadence: Cadence,
    /// At L3, the branch that it commits to, without `refs/heads/`; the one that is checked out unless it is written.
    pub target: Option<String>,
    /// Path lists for all steps.
    pub paths: Paths,
    /// At least one, in the order of the file.
    pub sensors: Vec<StepSpec>,
    /// Exactly one.
    pub decider: StepSpec,
    /// At least one, in the order of the file.
    pub executors: Vec<StepSpec>,
    /// At least one, in the order of the file.
    pub gates: Vec<StepSpec>,
    /// Native programs that run on a change before the gates judge it, in the order of their names.
    pub commands: Vec<CommandSpec>,
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
    /// Everything after the front matter, without blank lines around it.
    pub prose: String,
    /// The budgets that are left to their defaults.
    pub unwritten_budgets: Vec<&'static str>,
}

impl Spec {
    /// Every step in the order of a beat.
    pub fn steps(&self) -> impl Iterator<Item = &StepSpec> {
        let decider = std::iter::once(&self.decider);
        self.sensors
            .iter()
            .chain(decider)
            .chain(&self.executors)
            .chain(&self.gates)
    }

    /// The plugins this loop needs, each once.
    #[must_use]
    pub fn plugins(&self) -> BTreeSet<PluginRef> {
        self.steps().map(|step| step.plugin.clone()).collect()
    }
}

/// Reads a loop file; `name` is how messages and reports call it.
///
/// # Errors
/// All problems at once in the order of the file, warnings included. A text that is no TOML is one problem.
pub fn parse(text: &str, name: &str) -> Result<(Spec, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut found = Diagnostics::default();
    let spec = read(text, name, &mut found);
    let errors = found.has_errors();
    let sorted = found.into_sorted();
    match spec {
        Some(spec) if !errors => Ok((spec, sorted)),
        _ => Err(sorted),
    }
}

/// True when `text` could be the name of a time zone.
pub(crate) fn is_timezone_name(text: &str) -> bool {
    (rules::TIMEZONE.check)(text).is_ok()
}

/// The loop's name in a file that may be wrong otherwise; none where even that cannot be read.
#[must_use]
pub fn name_of(text: &str) -> Option<LoopId> {
    let front = front::split(text, &mut Diagnostics::default())?;
    let root = crate::toml_doc::read(
        &front.padded,
        &keys::LOOP,
        front.opening.clone(),
        &mut Diagnostics::default(),
    )?;
    LoopId::new(root.text("loop")?).ok()
}

fn read(text: &str, name: &str, found: &mut Diagnostics) -> Option<Spec> {
    let front = front::split(text, found)?;
    let root = crate::toml_doc::read(&front.padded, &keys::LOOP, front.opening.clone(), found)?;
    build::spec(&root, name, front.prose, found)
}

#[cfg(test)]
mod tests;
