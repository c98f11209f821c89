//! JSON that a component wrote: read within bounds and printed in one canonical form. Checking it
//! against a schema is [`json_schema`](crate::json_schema)'s.
//!
//! **Invariant:** every [`Value`] that [`parse`] lets through is at most 128 levels deep, holds only finite numbers and
//! has exactly one canonical text.

use std::fmt::Write as _;

use serde_json::{Map, Value};

mod number;

/// The most bytes that any single JSON text of a component may have: 1 MiB.
// Limit: a decider that needs more than this to say what it means is not deciding.
pub const JSON_BYTES_MAX: usize = 1 << 20;

/// Why a text is not taken for JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text is longer than its limit.
    #[error("{bytes} bytes of JSON, the limit is {limit}")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The text is not JSON, or nested too deeply.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// A number that is infinite for nearly every reader.
    #[error("a number out of range: {0:?}")]
    Number(String),
}

/// Reads JSON text of at most `bytes_max` bytes.
///
/// # Errors
/// [`JsonError`] when the text is too long, is not JSON (NaN and infinities are not), is nested deeper than 128 levels,
/// or holds a number whose exponent puts it out of range.
pub fn parse(text: &str, bytes_max: usize) -> Result<Value, JsonError> {
    if text.len() > bytes_max {
        return Err(JsonError::TooLong {
            bytes: text.len(),
            limit: bytes_max,
        });
    }
    let value: Value =
        serde_json::from_str(text).map_err(|error| JsonError::Syntax(error.to_string()))?;
    check_numbers(&value)?;
    Ok(value)
}

/// The canonical text: keys sorted by their bytes, no white space, equal numbers written alike.
///
/// `1`, `1.0` and `1e0` are one number; integers keep all their digits.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

fn check_numbers(value: &Value) -> Result<(), JsonError> {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(number) => number::normalise(number.as_str())
            .map(drop)
            .ok_or_else(|| JsonError::Number(number.as_str().chars().take(40).collect())),
        Value::Array(values) => values.iter().try_for_each(check_numbers),
        Value::Object(fields) => fields.values().try_for_each(check_numbers),
    }
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        // A number that no parser of ours let through keeps its text: distinct, if not canonical.
        Value::Number(number) => {
            out.push_str(&number::normalise(number.as_str()).unwrap_or_else(|| number.to_string()))
        }
        Value::Array(values) => write_array(out, values),
        Value::Object(fields) => write_object(out, fields),
        Value::Null | Value::Bool(_) | Value::String(_) => append(out, value),
    }
}

fn write_array(out: &mut String, values: &[Value]) {
    out.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_value(out, value);
    }
    out.push(']');
}

fn write_object(out: &mut String, fields: &Map<String, Value>) {
    // The map may keep the order of insertion, depending on features that other crates switch on.
    let mut keys: Vec<&String> = fields.keys().collect();
    keys.sort_unstable();
    out.push('{');
    for (index, key) in keys.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        append(out, &Value::String(key.clone()));
        out.push(':');
        write_value(out, fields.get(key).unwrap_or(&Value::Null));
    }
    out.push('}');
}

fn append(out: &mut String, value: &Value) {
    // Writing to a string cannot fail.
    write!(out, "{value}").unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let got = parse(text, JSON_BYTES_MAX)
            .map_or_else(|error| error.to_string(), |value| canonical(&value));
        assert_eq!(got, expect, "{text}");
    }

    #[test]
    fn one_text_for_one_value() {
        check(
            r#"{ "b": [1.0, 1e0, 10E-1], "a": "\u0041" }"#,
            r#"{"a":"A","b":[1,1,1]}"#,
        );
        check("9007199254740993", "9007199254740993");
        check("9007199254740993.0", "9007199254740993");
        check("{}", "{}");
        check("{\"a\":null}", "{\"a\":null}");
        check("\"\u{1f600}\\n\"", "\"\u{1f600}\\n\"");
    }

    #[test]
    fn what_is_no_json() {
        check("NaN", "not JSON: expected value at line 1 column 1");
        check("Infinity", "not JSON: expected value at line 1 column 1");
        check("", "not JSON: EOF while parsing a value at line 1 column 0");
        check("{} {}", "not JSON: trailing characters at line 1 column 4");
        check("[1e999]", "a number out of range: \"1e+999\"");
        check(
            "1e-99999999999999999999",
            "a number out of range: \"1e-99999999999999999999\"",
        );
        assert!(parse(&"[".repeat(100_000), JSON_BYTES_MAX).is_err());
        assert_eq!(
            parse("12345", 4),
            Err(JsonError::TooLong { bytes: 5, limit: 4 })
        );
    }
}
