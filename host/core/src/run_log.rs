//! The line that loop tools keep of each run: eight keys in one JSON object.
//!
//! Written for a beat by [`RunLine::of`], so that those tools can read a journal; read back by
//! [`import`](crate::import).
//!
//! **Invariant:** a line that [`RunLine::of`] makes is one line of JSON with exactly the eight keys, and
//! [`RunLine::read`] gives it back unchanged.

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::LoopId;
use crate::journal::{BeatReceipt, Outcome};
use crate::json;
use crate::manifest::Role;
use crate::text;

/// Longest line in bytes.
// Limit: eight short values; tools that add keys of their own add a few.
pub const RUN_LINE_BYTES_MAX: usize = 16 << 10;
// Limit: words for a table.
const WORD_CHARS_MAX: usize = 80;

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunLine {
    /// When the run began, RFC 3339 in UTC: tools read it as a time.
    pub run_id: String,
    /// The loop.
    pub pattern: String,
    /// How long it took, in seconds, at least 0.
    pub duration_s: f64,
    /// What could have been worked on.
    pub items_found: u64,
    /// What was tried.
    pub actions_taken: u64,
    /// What was left to a person.
    pub escalations: u64,
    /// Tokens used, as far as they are known.
    pub tokens_estimate: u64,
    /// How it ended: `no-op`, `report-only`, `fix-proposed`, `escalated` or `failed` from us, any word from others.
    pub outcome: String,
}

impl RunLine {
    /// The line of a beat of `loop_id` that was recorded at `at`.
    #[must_use]
    pub fn of(receipt: &BeatReceipt, at: Timestamp, loop_id: &LoopId) -> Self {
        let began = receipt
            .started
            .round(Unit::Millisecond)
            .unwrap_or(receipt.started);
        let executors = receipt
            .steps
            .iter()
            .filter(|step| step.role == Role::Executor);
        Self {
            run_id: began.to_string(),
            pattern: loop_id.to_string(),
            duration_s: seconds(receipt.started, at),
            items_found: receipt.items_found.unwrap_or(0),
            actions_taken: executors.count() as u64,
            escalations: u64::from(matches!(receipt.outcome, Outcome::Escalated { .. })),
            tokens_estimate: receipt.cost.as_ref().map_or(0, |cost| cost.tokens),
            outcome: word(&receipt.outcome).to_owned(),
        }
    }

    /// Reads a line; keys beyond the eight are passed over.
    ///
    /// # Errors
    /// What is wrong, as one line: the text is longer than [`RUN_LINE_BYTES_MAX`], is no JSON object, or lacks a key.
    pub fn read(line: &str) -> Result<Self, String> {
        let value = json::parse(line, RUN_LINE_BYTES_MAX).map_err(|error| error.to_string())?;
        let Value::Object(fields) = value else {
            return Err("no JSON object".to_owned());
        };
        Ok(Self {
            run_id: text_of(&fields, "run_id")?,
            pattern: text_of(&fields, "pattern")?,
            duration_s: number(&fields, "duration_s")?,
            items_found: count(&fields, "items_found")?,
            actions_taken: count(&fields, "actions_taken")?,
            escalations: count(&fields, "escalations")?,
            tokens_estimate: count(&fields, "tokens_estimate")?,
            outcome: text_of(&fields, "outcome")?,
        })
    }

    /// When the run began, where the id says so.
    #[must_use]
    pub fn began(&self) -> Option<Timestamp> {
        self.run_id.parse().ok()
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Skipped | Outcome::Waiting { .. } | Outcome::NothingToDo { .. } => "no-op",
        Outcome::Shadowed { .. } | Outcome::Discarded { .. } => "report-only",
        Outcome::Proposed { .. } | Outcome::Committed { .. } => "fix-proposed",
        Outcome::Escalated { .. } => "escalated",
        Outcome::Failed { .. } => "failed",
    }
}

/// To the millisecond; a clock that stepped back took no time.
#[expect(clippy::cast_precision_loss, reason = "a beat takes hours at most")]
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    let millis = to.duration_since(from).as_millis().max(0);
    millis as f64 / 1_000.0
}

fn text_of(fields: &Map<String, Value>, key: &str) -> Result<String, String> {
    match fields.get(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text::one_line(text, WORD_CHARS_MAX)),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => Err(format!("`{key}` is no text")),
        None => Err(format!("no `{key}`")),
    }
}

fn number(fields: &Map<String, Value>, key: &str) -> Result<f64, String> {
    let number = match fields.get(key) {
        Some(Value::Null) => Some(0.0),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
        None => return Err(format!("no `{key}`")),
    };
    number
        .filter(|number: &f64| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| format!("`{key}` is no number from 0"))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast stops at the ends, and the number is not below zero"
)]
fn count(fields: &Map<String, Value>, key: &str) -> Result<u64, String> {
    number(fields, key).map(|number| number.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sample::*;

    fn id() -> LoopId {
        LoopId::new("docs-links").unwrap()
    }

    #[test]
    fn a_beat_in_eight_keys() {
        let mut receipt = proposed(3, "a");
        receipt.items_found = Some(4);
        let line = RunLine::of(&receipt, at("2026-11-21T12:00:01.5Z"), &id());
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"run_id":"2026-11-21T12:00:00Z","pattern":"docs-links","duration_s":1.5,"items_found":4,"actions_taken":0,"escalations":0,"tokens_estimate":0,"outcome":"fix-proposed"}"#
        );
        let back = RunLine::of(&receipt, at("2026-11-21T11:00:00Z"), &id());
        assert!(back.duration_s.abs() < f64::EPSILON);
    }

    #[test]
    fn reads_what_tools_write() {
        let line = r#"{"run_id":"2026-08-17T08:10:11Z","pattern":"daily-triage","duration_s":9,"items_found":1,"actions_taken":1,"escalations":0,"tokens_estimate":52000,"readiness_score":100,"outcome":"report-only","workflow_run":"32009058989"}"#;
        let read = RunLine::read(line).unwrap();
        assert_eq!(
            (read.tokens_estimate, read.outcome.as_str()),
            (52_000, "report-only")
        );
        assert_eq!(read.began(), Some(at("2026-08-17T08:10:11Z")));
        for (line, expect) in [
            ("{", "not JSON"),
            ("[]", "no JSON object"),
            ("{}", "no `run_id`"),
            (r#"{"run_id":"x"}"#, "no `pattern`"),
            (r#"{"run_id":[],"pattern":"x"}"#, "`run_id` is no text"),
            (
                r#"{"run_id":"x","pattern":"x","duration_s":-1}"#,
                "`duration_s` is no number from 0",
            ),
        ] {
            let error = RunLine::read(line).unwrap_err();
            assert!(error.starts_with(expect), "{line}: {error}");
        }
        assert!(RunLine::read(&format!("\"{}\"", "x".repeat(RUN_LINE_BYTES_MAX))).is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(beat in 1..1_000_u64, items in 0..100_000_u64, millis in 0..100_000_000_i64) {
            for outcome in [Outcome::Skipped, Outcome::Escalated { why: vec!["\u{1b}\n".to_owned()], id: String::new() }] {
                let mut receipt = receipt(beat, outcome);
                receipt.items_found = Some(items);
                let end = receipt.started + jiff::SignedDuration::from_millis(millis);
                let line = RunLine::of(&receipt, end, &id());
                let text = serde_json::to_string(&line).unwrap();
                proptest::prop_assert!(!text.contains('\n'));
                proptest::prop_assert_eq!(RunLine::read(&text), Ok(line));
            }
        }
    }
}
