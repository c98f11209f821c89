//! What a decider is told.
//!
//! Owns the Rust shape of the situation's JSON. Its schema, `situation.schema.json`, is published beside the WIT.
//!
//! **Invariant:** fields that this version does not know are ignored and absent ones take their default, so an old
//! plugin reads a newer host's situation.

use serde::Deserialize;
use serde_json::Value;

/// Everything a decider may base its decision on.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Situation {
    /// The version of this shape; 1 here.
    pub version: u32,
    /// The loop's name.
    #[serde(rename = "loop")]
    pub loop_id: String,
    /// The beat's number, counted from 1.
    pub beat: u64,
    /// How far a change may go: `L1`, `L2` or `L3`.
    pub level: String,
    /// One report a sensor, in the loop file's order.
    pub observations: Vec<SensorReport>,
    /// All sensors' items, in order.
    pub items: Vec<SituationItem>,
    /// What could be run.
    pub executors: Vec<ExecutorInfo>,
    /// The last beat that failed, unless one has succeeded since.
    pub last_failure: Option<LastFailure>,
    /// What people answered to this loop's questions.
    pub answers: Vec<Value>,
    /// What is left to spend.
    pub budget: BudgetLeft,
    /// The prose of the loop file.
    pub prose: String,
}

/// What one sensor said.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct SensorReport {
    /// The sensor's id in the loop file.
    pub sensor: String,
    /// `ok` or `failed`.
    pub status: String,
    /// What wakes the loop.
    pub signal: Value,
    /// What the sensor says beyond that.
    pub detail: Value,
    /// Why it failed.
    pub error: Option<String>,
}

/// An item, and what the host knows about it.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct SituationItem {
    /// Stable from beat to beat.
    pub id: String,
    /// The id of the sensor that named it.
    pub sensor: String,
    /// One line for people.
    pub title: String,
    /// Free words.
    pub labels: Vec<String>,
    /// The sensor's own shape.
    pub detail: Value,
    /// How often it was tried already.
    pub attempts: u32,
    /// Whether it may be worked on now.
    pub eligible: bool,
    /// Why not, when it may not.
    pub why_not: Option<String>,
}

/// An executor of the loop file.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct ExecutorInfo {
    /// The id to name in a decision.
    pub id: String,
    /// The plugin behind it.
    pub plugin: String,
    /// What it can do.
    pub actions: Vec<ActionInfo>,
}

/// One action of an executor.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct ActionInfo {
    /// The name to give in a decision.
    pub name: String,
    /// One line for people and models.
    pub summary: String,
    /// The JSON Schema of its input.
    pub input: Value,
}

/// How the last failed beat failed.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct LastFailure {
    /// The host's word for it.
    pub class: String,
    /// In one sentence.
    pub message: String,
}

/// What is left to spend.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct BudgetLeft {
    /// Fuel left for this beat.
    pub fuel_beat: u64,
    /// Fuel left for this day.
    pub fuel_day: u64,
    /// Beats left for this day.
    pub beats_day: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_absent_fields_are_fine() {
        let situation: Situation = serde_json::from_str(
            r#"{"version": 1, "loop": "docs", "new": {"x": 1},
                "items": [{"id": "a", "sensor": "s", "eligible": true, "why_not": null}],
                "executors": [{"id": "fix", "actions": [{"name": "retarget", "input": {}}]}]}"#,
        )
        .unwrap();
        assert_eq!(situation.loop_id, "docs");
        assert!(situation.items[0].eligible);
        assert_eq!(situation.executors[0].actions[0].name, "retarget");
        assert_eq!(situation.budget, BudgetLeft::default());
    }

    #[test]
    fn a_wrong_type_is_refused() {
        assert!(serde_json::from_str::<Situation>(r#"{"beat": "three"}"#).is_err());
    }
}
