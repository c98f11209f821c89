//! A decider's answer, from the strings of the contract to at most one move.
//!
//! **Invariant:** a [`Move`] names an executor and an action that the loop has, an item (if any) that a sensor showed and
//! that may be worked on, and an input that is valid under the action's schema. Whatever is not so, nothing of the answer
//! happens.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{IdError, ItemId, StepId};
use crate::json::{self, JSON_BYTES_MAX, JsonError};
use crate::json_schema;
use crate::text;

mod cost;
mod next_in;
mod parse;
mod situation;

pub use cost::{CostMode, CostReport, CostRule, MeteringError, Reported, USAGE_KEY};
pub use next_in::{NEXT_IN_SECONDS_MAX, NEXT_IN_SECONDS_MIN, clamp_next_in};
pub use parse::{TextError, parse_text};
pub use situation::{
    ActionInfo, BudgetLeft, ExecutorInfo, LastFailure, SITUATION_VERSION, SensorReport,
    SensorStatus, Situation, SituationItem, situation_schema,
};

/// What the reason of a decider begins with that is not sure of its move; case does not count.
pub const UNCERTAIN: &str = "uncertain:";

/// The executor that stands for «nothing to do»; no step of a loop may be called that.
pub const NO_EXECUTOR: &str = "none";

// Limit: one line for the journal.
const REASON_CHARS_MAX: usize = 500;
// Limit: names in an answer that turn out to be unknown are quoted in the message.
const QUOTE_CHARS_MAX: usize = 80;

/// A decider's answer before anything is believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawDecision {
    /// The item worked on; empty for none.
    pub item_id: String,
    /// A step id, or `none`.
    pub executor: String,
    /// One of that executor's actions; empty for `none`.
    pub action: String,
    /// JSON text.
    pub input: String,
    /// One line.
    pub reason: String,
    /// Seconds until an extra wake, as asked for: not yet clamped.
    pub next_in: Option<u64>,
    /// True when the decider says that it is not sure.
    pub uncertain: bool,
    /// What was wrong with the answer without making it useless: unknown keys, a `next_in` that is no number.
    pub notes: Vec<String>,
    /// What the answer says besides: nobody acts on it, but a cost rule may look at it.
    pub more: Map<String, Value>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The item worked on.
    pub item: Option<ItemId>,
    /// Who does it.
    pub executor: StepId,
    /// Which of its actions.
    pub action: String,
    /// Valid under the action's schema.
    pub input: Value,
    /// Why, in one line: escape before showing.
    pub reason: String,
    /// Seconds until an extra wake, 5 to 3600.
    pub next_in: Option<u32>,
}

/// A decision that can be carried out.
// Tagged from outside: serde's other ways of tagging lose digits of the numbers in an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checked {
    /// Nothing to do.
    Noop {
        /// Why, in one line: escape before showing.
        reason: String,
        /// Seconds until an extra wake, 5 to 3600.
        next_in: Option<u32>,
    },
    /// One move.
    Move(Move),
}

/// Why an answer is no decision; the beat has then failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// «Nothing to do», and yet an action.
    #[error("executor \"none\" with action {0:?}")]
    NoopWithAction(String),
    /// The item id has no valid shape.
    #[error(transparent)]
    ItemId(#[from] IdError),
    /// No sensor showed this item.
    #[error("no sensor shows an item {0}")]
    UnknownItem(ItemId),
    /// The item may not be worked on now.
    #[error("item {id} is not to be worked on: {why}")]
    Ineligible {
        /// The item.
        id: ItemId,
        /// Why not.
        why: String,
    },
    /// The loop file has no such executor.
    #[error("the loop has no executor {0:?}")]
    UnknownExecutor(String),
    /// The executor has no such action.
    #[error("executor {executor} has no action {action:?}")]
    UnknownAction {
        /// The executor.
        executor: String,
        /// As the decider wrote it.
        action: String,
    },
    /// The input is no JSON.
    #[error("the input is {0}")]
    Input(#[from] JsonError),
    /// The input does not satisfy the action's schema.
    #[error("the input for {executor} {action} does not fit: {misfit}")]
    Schema {
        /// The executor.
        executor: String,
        /// Its action.
        action: String,
        /// The first thing that does not fit.
        misfit: String,
    },
}

impl RawDecision {
    /// Takes over a component's answer, where 0 seconds mean «no extra wake».
    #[must_use]
    pub fn from_contract(
        item_id: String,
        executor: String,
        action: String,
        input: String,
        reason: String,
        next_in: u32,
    ) -> Self {
        let next_in = Some(u64::from(next_in)).filter(|seconds| *seconds > 0);
        Self {
            item_id,
            executor,
            action,
            input,
            reason,
            next_in,
            uncertain: false,
            notes: Vec::new(),
            more: Map::new(),
        }
    }

    /// True when the decider says that it is not sure: by the field, or by a reason that begins with [`UNCERTAIN`], which
    /// is how a component says it.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        let start = self.reason.trim_start().get(..UNCERTAIN.len());
        self.uncertain || start.is_some_and(|start| start.eq_ignore_ascii_case(UNCERTAIN))
    }

    /// The whole answer as one JSON object, in which a cost rule finds what it cost.
    ///
    /// What a component puts into its input under [`USAGE_KEY`] stands here as `usage`.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut document = self.more.clone();
        let mut input = json::parse(&self.input, JSON_BYTES_MAX).unwrap_or(Value::Null);
        if let Some(usage) = take_usage(&mut input) {
            document.entry("usage").or_insert(usage);
        }
        for (key, text) in [
            ("item_id", &self.item_id),
            ("executor", &self.executor),
            ("action", &self.action),
            ("reason", &self.reason),
        ] {
            document.insert(key.to_owned(), text.as_str().into());
        }
        document.insert("input".to_owned(), input);
        Value::Object(document)
    }
}

fn take_usage(input: &mut Value) -> Option<Value> {
    input.as_object_mut()?.remove(USAGE_KEY)
}

/// Checks an answer against the situation that the decider was given.
///
/// # Errors
/// [`DecisionError`] with the first thing that is wrong.
pub fn check(raw: &RawDecision, situation: &Situation) -> Result<Checked, DecisionError> {
    let reason = text::one_line(&raw.reason, REASON_CHARS_MAX);
    let next_in = raw.next_in.map(clamp_next_in);
    let item = check_item(&raw.item_id, situation)?;
    if raw.executor == NO_EXECUTOR {
        return match raw.action.as_str() {
            "" => Ok(Checked::Noop { reason, next_in }),
            action => Err(DecisionError::NoopWithAction(text::one_line(
                action,
                QUOTE_CHARS_MAX,
            ))),
        };
    }
    let (executor, action) = find_action(raw, situation)?;
    Ok(Checked::Move(Move {
        item,
        executor,
        action: action.name.clone(),
        input: check_input(raw, action)?,
        reason,
        next_in,
    }))
}

fn check_item(id: &str, situation: &Situation) -> Result<Option<ItemId>, DecisionError> {
    if id.is_empty() {
        return Ok(None);
    }
    let id = ItemId::new(id)?;
    // The first one of a name is the one that counts; later ones are shown as ineligible.
    match situation.items.iter().find(|item| item.id == id.as_str()) {
        None => Err(DecisionError::UnknownItem(id)),
        Some(item) if item.eligible => Ok(Some(id)),
        Some(item) => Err(DecisionError::Ineligible {
            id,
            why: item.why_not.clone().unwrap_or_default(),
        }),
    }
}

fn find_action<'s>(
    raw: &RawDecision,
    situation: &'s Situation,
) -> Result<(StepId, &'s ActionInfo), DecisionError> {
    let unknown = || DecisionError::UnknownExecutor(text::one_line(&raw.executor, QUOTE_CHARS_MAX));
    let executor = situation
        .executors
        .iter()
        .find(|executor| executor.id == raw.executor)
        .ok_or_else(unknown)?;
    let id = StepId::new(&executor.id)?;
    let action = executor
        .actions
        .iter()
        .find(|action| action.name == raw.action);
    let action = action.ok_or_else(|| DecisionError::UnknownAction {
        executor: executor.id.clone(),
        action: text::one_line(&raw.action, QUOTE_CHARS_MAX),
    })?;
    Ok((id, action))
}

fn check_input(raw: &RawDecision, action: &ActionInfo) -> Result<Value, DecisionError> {
    let mut input = json::parse(&raw.input, JSON_BYTES_MAX)?;
    take_usage(&mut input);
    match json_schema::check_value(&action.input, &input) {
        Ok(()) => Ok(input),
        Err(misfits) => Err(DecisionError::Schema {
            executor: raw.executor.clone(),
            action: action.name.clone(),
            misfit: misfits.first().map(ToString::to_string).unwrap_or_default(),
        }),
    }
}

#[cfg(test)]
mod tests;
