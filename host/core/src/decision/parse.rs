//! A decision written as text, by a decider that is a program or a model: one JSON object, bare or in one fenced block.

use serde_json::{Map, Value};

use crate::decision::{NO_EXECUTOR, RawDecision, next_in};
use crate::json::{self, JSON_BYTES_MAX, JsonError};
use crate::text;

const KEYS: [&str; 7] = [
    "item_id",
    "executor",
    "action",
    "input",
    "reason",
    "next_in",
    "uncertain",
];
// Limit: notes are for people; past these only their number is noted.
const NOTED_KEYS_MAX: usize = 10;
const NOTED_KEY_CHARS_MAX: usize = 60;

/// Why a text is no decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing was written.
    #[error("an empty answer")]
    Empty,
    /// A fence that is not closed, or text beside the fenced block.
    #[error("an answer that is neither one JSON object nor one fenced block of it")]
    Fence,
    /// The answer is no JSON; two objects are none either.
    #[error("an answer that is {0}")]
    Json(#[from] JsonError),
    /// JSON, but no object.
    #[error("an answer that is no JSON object")]
    NoObject,
    /// A field that has to be there.
    #[error("an answer without {0:?}")]
    Missing(&'static str),
    /// An `uncertain` that is neither true nor false.
    #[error("an answer whose \"uncertain\" is neither true nor false")]
    Uncertain,
    /// A field that is no text.
    #[error("an answer whose {0:?} is no text")]
    Type(&'static str),
}

/// Reads a decision of at most 1 MiB of text: `{"executor", "action", "input", "reason"}` with optional `item_id`,
/// `next_in` and `uncertain`; where the executor is `none`, action and input may be left out.
///
/// Unknown keys and a `next_in` that is no whole number from 0 up are ignored and noted.
///
/// # Errors
/// [`TextError`] with the first thing that is wrong.
pub fn parse_text(text: &str) -> Result<RawDecision, TextError> {
    if text.len() > JSON_BYTES_MAX {
        return Err(JsonError::TooLong {
            bytes: text.len(),
            limit: JSON_BYTES_MAX,
        }
        .into());
    }
    let mut fields = match json::parse(unfenced(text.trim())?, JSON_BYTES_MAX)? {
        Value::Object(fields) => fields,
        _ => return Err(TextError::NoObject),
    };
    let executor = required(&mut fields, "executor")?;
    let noop = executor == NO_EXECUTOR;
    let mut notes = Vec::new();
    let decision = RawDecision {
        item_id: optional(&mut fields, "item_id")?.unwrap_or_default(),
        action: if noop {
            optional(&mut fields, "action")?.unwrap_or_default()
        } else {
            required(&mut fields, "action")?
        },
        input: match fields.remove("input") {
            Some(input) => input.to_string(),
            None if noop => "{}".to_owned(),
            None => return Err(TextError::Missing("input")),
        },
        reason: required(&mut fields, "reason")?,
        next_in: take_next_in(&mut fields, &mut notes),
        uncertain: take_uncertain(&mut fields)?,
        executor,
        notes: Vec::new(),
        more: Map::new(),
    };
    note_unknown(&fields, &mut notes);
    Ok(RawDecision {
        notes,
        more: fields,
        ..decision
    })
}

/// The text inside the one fence, or all of it where there is no fence.
fn unfenced(text: &str) -> Result<&str, TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    let Some(rest) = text.strip_prefix("```") else {
        return Ok(text);
    };
    let (info, body) = rest.split_once('\n').ok_or(TextError::Fence)?;
    let body = body.strip_suffix("```").ok_or(TextError::Fence)?;
    // A fence inside would mean two blocks; inside a JSON text it can only stand in a string, where no line begins.
    let fits = matches!(info.trim(), "" | "json" | "JSON")
        && !body
            .lines()
            .any(|line| line.trim_start().starts_with("```"));
    if fits {
        Ok(body)
    } else {
        Err(TextError::Fence)
    }
}

fn required(fields: &mut Map<String, Value>, key: &'static str) -> Result<String, TextError> {
    optional(fields, key)?.ok_or(TextError::Missing(key))
}

fn optional(
    fields: &mut Map<String, Value>,
    key: &'static str,
) -> Result<Option<String>, TextError> {
    match fields.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TextError::Type(key)),
    }
}

/// What is not plainly a «no» would be passed over if it were ignored, so anything but a truth value is no decision.
fn take_uncertain(fields: &mut Map<String, Value>) -> Result<bool, TextError> {
    match fields.remove("uncertain") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(uncertain)) => Ok(uncertain),
        Some(_) => Err(TextError::Uncertain),
    }
}

fn take_next_in(fields: &mut Map<String, Value>, notes: &mut Vec<String>) -> Option<u64> {
    let value = fields.remove("next_in").filter(|value| !value.is_null())?;
    let seconds = next_in::read(&value);
    if seconds.is_none() {
        notes.push(format!(
            "next_in ignored: {} is no whole number of seconds from 0 up",
            text::one_line(&value.to_string(), NOTED_KEY_CHARS_MAX)
        ));
    }
    seconds
}

fn note_unknown(fields: &Map<String, Value>, notes: &mut Vec<String>) {
    let unknown: Vec<&String> = fields
        .keys()
        .filter(|key| !KEYS.contains(&key.as_str()))
        .collect();
    notes.extend(unknown.iter().take(NOTED_KEYS_MAX).map(|key| {
        format!(
            "unknown key ignored: {}",
            text::one_line(key, NOTED_KEY_CHARS_MAX)
        )
    }));
    if let Some(more) = unknown
        .len()
        .checked_sub(NOTED_KEYS_MAX)
        .filter(|more| *more > 0)
    {
        notes.push(format!("{more} more unknown keys ignored"));
    }
}
