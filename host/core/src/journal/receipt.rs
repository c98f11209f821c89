//! The receipt of one beat: what ran, what it used, what was said, and what came of it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::{CallReport, Usage};
use crate::change::{ChangeKind, ChangeSet};
use crate::decision::Checked;
use crate::digest::Digest;
use crate::evidence::CommandReceipt;
use crate::failure::Failure;
use crate::ids::{BeatNo, ItemId, StepId};
use crate::journal::{Cost, Labelled, Outcome, Settle, role_text};
use crate::manifest::Role;
use crate::policy::Denial;
use crate::quantity::Fuel;
use crate::relpath::RelPath;
use crate::snapshot::SensorSignal;
use crate::verdict::{Finding, GateResult};

// Limit: one line each in a receipt that is kept for ever; the number of the others is kept.
const DENIALS_MAX: usize = 100;
// Limit: the same; the digest covers every file.
const FILES_MAX: usize = 1_000;

/// The tree a beat worked on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BaseRef {
    /// Git tree id.
    pub tree: String,
    /// The commit that had it, when it was a commit's.
    pub commit: Option<String>,
}

/// One beat, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeatReceipt {
    /// Its number.
    pub beat: BeatNo,
    /// An id that no other beat of any loop has.
    pub run: String,
    /// When it began; the entry's own time is its end.
    pub started: Timestamp,
    /// What would have become of an accepted change.
    pub settle: Settle,
    /// The digest of the loop file.
    pub loop_file: Digest,
    /// The digest of loop file and plugins together.
    pub setup: Digest,
    /// The contract's version.
    pub contract: String,
    /// What it worked on.
    pub base: BaseRef,
    /// The world it saw; none when it ended before all sensors had answered.
    pub fingerprint: Option<Digest>,
    /// The parts of that world.
    pub signals: Vec<SensorSignal>,
    /// The digest of the ids of all eligible items.
    pub eligible: Option<Digest>,
    /// Every call, in order.
    pub steps: Vec<StepReceipt>,
    /// True when the decider was called.
    pub attempted: bool,
    /// What was decided, if it could be carried out.
    pub decision: Option<Checked>,
    /// The executor's line.
    pub summary: Option<String>,
    /// What the executor changed.
    pub change: Option<ChangeSummary>,
    /// What the host's own check of the changed paths said.
    pub scope: Vec<Finding>,
    /// What the gates said.
    pub verdicts: Vec<GateResult>,
    /// How it ended.
    pub outcome: Outcome,
    /// What failed, also where the outcome is that a person has to look.
    pub failure: Option<Failure>,
    /// The attempt that came to nothing, when that was the item's doing.
    pub attempt: Option<FailedAttempt>,
    /// Whether the loop got on; none when the beat says nothing about that.
    pub progress: Option<bool>,
    /// All fuel spent; what was remembered cost none.
    pub fuel: Fuel,
    /// What a person should know besides.
    pub notes: Vec<String>,
    /// How many items the sensors showed; none when they did not get to answer, or an older host did not count them.
    #[serde(default)]
    pub items_found: Option<u64>,
    /// The change that had waited for a person and that this beat took up, by the beat that had laid it aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<BeatNo>,
    /// The first items that a label leaves to a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labelled: Vec<Labelled>,
    /// The runs of the operator's commands, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandReceipt>,
    /// What the decider cost besides fuel, where the loop has a budget for that.
    #[serde(default)]
    pub cost: Option<Cost>,
}

/// An attempt at an item that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// The item.
    pub item: ItemId,
    /// Why, in one line.
    pub reason: String,
    /// True when no further attempt makes sense before a person has looked.
    pub person_needed: bool,
    /// The digest of the item as its sensor showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Digest>,
}

/// One call of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepReceipt {
    /// The step.
    pub step: StepId,
    /// Its role.
    #[serde(with = "role_text")]
    #[schemars(with = "Role")]
    pub role: Role,
    /// The digest of its plugin.
    pub plugin: Digest,
    /// The digest of its effective grant.
    pub grant: Digest,
    /// The digest of its configuration.
    pub config: Digest,
    /// True when the answer was remembered: nothing ran, and the usage is what it cost then.
    pub memo: bool,
    /// What it used; none when it could not be started.
    pub usage: Option<Usage>,
    /// The first hundred denials.
    pub denials: Vec<Denial>,
    /// How many more there were.
    pub denials_more: u64,
    /// Why there is no answer.
    pub failure: Option<Failure>,
}

/// What an executor changed, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSummary {
    /// The digest of the change set.
    pub digest: Digest,
    /// Git tree id of the base.
    pub base_tree: String,
    /// Git tree id of the candidate.
    pub candidate_tree: String,
    /// The first thousand files.
    pub files: Vec<FileSummary>,
    /// How many more there were.
    pub files_more: u64,
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSummary {
    /// Where.
    pub path: RelPath,
    /// What happened.
    pub kind: ChangeKind,
    /// Lines added; 0 for a binary file.
    pub added: u32,
    /// Lines removed; 0 for a binary file.
    pub removed: u32,
}

impl StepReceipt {
    /// The receipt of a step that has not been called.
    #[must_use]
    pub fn new(step: StepId, role: Role, plugin: Digest, grant: Digest, config: Digest) -> Self {
        Self {
            step,
            role,
            plugin,
            grant,
            config,
            memo: false,
            usage: None,
            denials: Vec::new(),
            denials_more: 0,
            failure: None,
        }
    }

    /// The receipt with what is kept of a call's report; its log is for the report of the beat, not for ever.
    #[must_use]
    pub fn with_report(mut self, report: &CallReport) -> Self {
        let more = report.denials.len().saturating_sub(DENIALS_MAX);
        self.usage = Some(report.usage.clone());
        self.denials = report.denials.iter().take(DENIALS_MAX).cloned().collect();
        self.denials_more = report.denials_dropped.saturating_add(more as u64);
        self
    }

    /// The receipt of an answer that was remembered.
    #[must_use]
    pub fn remembered(mut self) -> Self {
        self.memo = true;
        self
    }

    /// The receipt of a call that gave no answer.
    #[must_use]
    pub fn failed(mut self, failure: Failure) -> Self {
        self.failure = Some(failure);
        self
    }

    /// What the budget is charged: nothing for an answer that was remembered.
    #[must_use]
    pub fn spent(&self) -> Fuel {
        match &self.usage {
            Some(usage) if !self.memo => usage.fuel.used,
            _ => Fuel(0),
        }
    }

    /// True when the step was refused anything.
    #[must_use]
    pub fn was_denied(&self) -> bool {
        !self.denials.is_empty() || self.denials_more > 0
    }
}

impl ChangeSummary {
    /// The short form of a change set.
    #[must_use]
    pub fn of(change: &ChangeSet) -> Self {
        let files = change.files.iter().take(FILES_MAX).map(|file| FileSummary {
            path: file.path.clone(),
            kind: file.kind,
            added: file.lines_added,
            removed: file.lines_removed,
        });
        Self {
            digest: change.digest(),
            base_tree: change.base_tree.clone(),
            candidate_tree: change.candidate_tree.clone(),
            files: files.collect(),
            files_more: change.files.len().saturating_sub(FILES_MAX) as u64,
        }
    }
}
