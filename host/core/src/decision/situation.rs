//! What a decider is told: the JSON document of the contract's `decide` function.
//!
//! Its schema is published beside the contract; fields are only ever added, and readers ignore what they do not know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the document's shape.
pub const SITUATION_VERSION: u32 = 1;

/// Everything a decider may base its decision on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Situation {
    /// The version of this shape: 1.
    pub version: u32,
    /// The loop's name.
    #[serde(rename = "loop")]
    pub loop_id: String,
    /// The number of this beat, from 1.
    pub beat: u64,
    /// What happens to an accepted change in this beat: `L1` recorded as a patch, `L2` proposed on a branch, `L3` committed
    /// to the target branch.
    pub level: String,
    /// What each sensor said, in the order of the loop file.
    pub observations: Vec<SensorReport>,
    /// What could be worked on, sensor by sensor, most urgent first.
    pub items: Vec<SituationItem>,
    /// Who could do something, in the order of the loop file.
    pub executors: Vec<ExecutorInfo>,
    /// How the last failed beat failed; null when the last decision was carried through.
    pub last_failure: Option<LastFailure>,
    /// People's answers, oldest first.
    pub answers: Vec<Value>,
    /// What is left to spend.
    pub budget: BudgetLeft,
    /// The loop file's prose.
    pub prose: String,
    /// Sensors whose signals go to and fro without getting anywhere: what they show may not last.
    pub flapping: Vec<String>,
}

/// One sensor's observation, or its failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SensorReport {
    /// The sensor's id.
    pub sensor: String,
    /// Whether it worked.
    pub status: SensorStatus,
    /// What wakes the loop; null when it failed.
    pub signal: Value,
    /// What does not; null when it failed.
    pub detail: Value,
    /// Why it failed; null when it worked.
    pub error: Option<String>,
}

/// Whether a sensor worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SensorStatus {
    /// It did.
    Ok,
    /// It did not.
    Failed,
}

/// Something that could be worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SituationItem {
    /// The same from beat to beat.
    pub id: String,
    /// The sensor that found it.
    pub sensor: String,
    /// One line for people.
    pub title: String,
    /// Free words.
    pub labels: Vec<String>,
    /// The sensor's own description.
    pub detail: Value,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// Whether a decision may name it.
    pub eligible: bool,
    /// Why not, where it may not.
    pub why_not: Option<String>,
}

/// A step that can act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExecutorInfo {
    /// Its id in the loop file.
    pub id: String,
    /// Its plugin, as the loop file names it.
    pub plugin: String,
    /// What it can do.
    pub actions: Vec<ActionInfo>,
}

/// One thing an executor can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionInfo {
    /// What a decision calls it.
    pub name: String,
    /// One line for people and models.
    pub summary: String,
    /// The JSON Schema of its input.
    pub input: Value,
}

/// How the last failed beat failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastFailure {
    /// A kebab-case code: `out-of-fuel`, `trap`, `decision` …
    pub class: String,
    /// For people.
    pub message: String,
}

/// What is left to spend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetLeft {
    /// Fuel in this beat.
    pub fuel_beat: u64,
    /// Fuel today, in the loop's time zone.
    pub fuel_day: u64,
    /// Beats with a decision today, this one included.
    pub beats_day: u64,
    /// Tokens for this decision; null where the loop has no budget for them.
    pub tokens_beat: Option<u64>,
    /// Tokens today.
    pub tokens_day: Option<u64>,
    /// Money for this decision, as a decimal: `"0.50"`; null where the loop has no budget for it.
    pub money_beat: Option<String>,
    /// Money today.
    pub money_day: Option<String>,
}

/// The JSON Schema of [`Situation`], draft 2020-12.
#[must_use]
pub fn situation_schema() -> Value {
    schemars::schema_for!(Situation).to_value()
}
