//! JSON Schemas that plugins bring along: checked before use, then used to check values.
//!
//! Owns the part of draft 2020-12 that a manifest may use. Who validates what against them:
//! [`manifest`](crate::manifest) and, through it, the loop file's lock and the decision check.
//!
//! **Invariant:** checking a value costs at most a constant times the size of the value. So there are no recursive or
//! remote references, the schema's size is bounded with its references written out, expressions run on an engine without
//! backtracking, and a keyword that would not be enforced is refused.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::diagnostic::{did_you_mean, quote};

// Limit: a config of some hundred settings; every value is checked against every part of the schema at worst.
const NODES_MAX: usize = 2_000;
// Limit: nesting of schema parts, references followed. Checking recurses that deep.
const DEPTH_MAX: usize = 32;
// Limit: nesting of checked values; serde_json reads 128 at most.
const VALUE_DEPTH_MAX: usize = 64;
// Limit: parts of a checked value; a report on some thousand items, not a data set.
const VALUE_NODES_MAX: usize = 50_000;
// Limit: one expression as text, all of them in number, and each of them compiled.
const PATTERN_BYTES_MAX: usize = 512;
const PATTERNS_MAX: usize = 64;
const PATTERN_COMPILED_BYTES_MAX: usize = 1 << 20;
// Limit: problems reported for one value.
const PROBLEMS_MAX: usize = 20;
// Limit: a message quotes the value, which may be large.
const MESSAGE_CHARS_MAX: usize = 200;

const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A schema that this host does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}{}", placed(at))]
pub struct SchemaError {
    /// JSON Pointer of what is wrong in the schema; empty for the whole.
    pub at: String,
    /// Why.
    pub fault: SchemaFault,
    /// What was probably meant.
    pub help: Option<String>,
}

/// What can be wrong with a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaFault {
    /// The keyword is unknown, or known and not enforced here.
    #[error("keyword {0:?} is not supported")]
    Keyword(String),
    /// A reference to anything but the schema's own `$defs`.
    #[error("reference {0:?} is not of the form \"#/$defs/name\", or there is no such definition")]
    Reference(String),
    /// A definition refers to itself.
    #[error("definition {0:?} is recursive")]
    Recursive(String),
    /// Larger or deeper than checking should cost.
    #[error("more than {NODES_MAX} parts or {DEPTH_MAX} levels, references written out")]
    TooLarge,
    /// Too many or too long regular expressions.
    #[error(
        "more than {PATTERNS_MAX} regular expressions, or one of more than {PATTERN_BYTES_MAX} bytes"
    )]
    Patterns,
    /// No valid schema of draft 2020-12.
    #[error("{0}")]
    Invalid(String),
}

fn placed(at: &str) -> String {
    if at.is_empty() {
        String::new()
    } else {
        format!(", at {}", clean(at))
    }
}

/// One reason why a value does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misfit {
    /// JSON Pointer of the part that does not fit; empty for the whole.
    pub pointer: String,
    /// Why, in one line; control characters are escaped.
    pub message: String,
    /// Names that the object there must not have, as they are written.
    #[serde(skip)]
    pub unexpected: Vec<String>,
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pointer.as_str() {
            "" => f.write_str(&self.message),
            pointer => write!(f, "{pointer}: {}", self.message),
        }
    }
}

/// Checks that `schema` may be used.
///
/// # Errors
/// The first [`SchemaError`] found.
pub fn check_schema(schema: &Value) -> Result<(), SchemaError> {
    Walk::new(schema).check(schema)?;
    compile(schema).map(drop).map_err(|error| misbuilt(&error))
}

/// Why the draft's own rules refuse a schema.
fn misbuilt(error: &ValidationError<'_>) -> SchemaError {
    let at = error.instance_path().to_string();
    let refuses = |message: String, help| SchemaError {
        at: at.clone(),
        fault: SchemaFault::Invalid(message),
        help,
    };
    // The draft says of `type` that it is a word or a list of words, which tells nobody what is wrong with the word.
    match (error.instance().as_ref(), error.kind()) {
        (Value::String(word), ValidationErrorKind::AnyOf { .. })
            if at.ends_with("/type") || at == "/type" =>
        {
            let types = TYPES.join(", ");
            refuses(
                format!("{} is no type: {types}", quote(word)),
                did_you_mean(word, TYPES).map(|guess| format!("did you mean {guess:?}?")),
            )
        }
        _ => refuses(clean(&error.to_string()), None),
    }
}

/// Checks `value` against a schema that [`check_schema`] took.
///
/// # Errors
/// Every [`Misfit`], at most twenty; one when the schema itself is unusable.
pub fn check_value(schema: &Value, value: &Value) -> Result<(), Vec<Misfit>> {
    let whole = |message: String| {
        vec![Misfit {
            pointer: String::new(),
            message,
            unexpected: Vec::new(),
        }]
    };
    check_size(value).map_err(whole)?;
    Walk::new(schema)
        .check(schema)
        .map_err(|error| whole(error.to_string()))?;
    let validator = compile(schema).map_err(|error| whole(clean(&error.to_string())))?;
    let misfits: Vec<Misfit> = validator
        .iter_errors(value)
        .take(PROBLEMS_MAX)
        .map(|error| Misfit {
            pointer: clean(&error.instance_path().to_string()),
            message: clean(&error.to_string()),
            unexpected: match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => unexpected.clone(),
                _ => Vec::new(),
            },
        })
        .collect();
    if misfits.is_empty() {
        Ok(())
    } else {
        Err(misfits)
    }
}

fn compile(schema: &Value) -> Result<Validator, ValidationError<'_>> {
    let patterns = PatternOptions::regex()
        .size_limit(PATTERN_COMPILED_BYTES_MAX)
        .dfa_size_limit(PATTERN_COMPILED_BYTES_MAX);
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(patterns)
        .build(schema)
}

fn clean(text: &str) -> String {
    let short: String = text.chars().take(MESSAGE_CHARS_MAX).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    let escaped: String = short
        .chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_unicode().collect()
            } else {
                vec![c]
            }
        })
        .collect();
    escaped + dots
}

/// Refuses values that are too large to check, or hold numbers that a comparison could not tell from any other.
fn check_size(value: &Value) -> Result<(), String> {
    let mut parts = vec![(value, 1)];
    let mut seen = 0_usize;
    while let Some((part, depth)) = parts.pop() {
        seen += 1;
        if seen > VALUE_NODES_MAX || depth > VALUE_DEPTH_MAX {
            return Err(format!(
                "more than {VALUE_NODES_MAX} parts or {VALUE_DEPTH_MAX} levels"
            ));
        }
        match part {
            Value::Array(entries) => parts.extend(entries.iter().map(|entry| (entry, depth + 1))),
            Value::Object(entries) => {
                parts.extend(entries.values().map(|entry| (entry, depth + 1)))
            }
            Value::Number(number) if number.as_f64().is_none() => {
                return Err(format!(
                    "the number {} is too large",
                    clean(&number.to_string())
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What stands behind a keyword.
#[derive(Clone, Copy)]
enum Holds {
    Data,
    Schema,
    Schemas,
    NamedSchemas,
    Pattern,
    NamedPatterns,
    Reference,
    Dialect,
}

/// Every keyword that is taken.
#[rustfmt::skip]
const KEYWORDS: &[(Holds, &[&str])] = &[
    (Holds::Data, &[
        "type", "enum", "const", "required", "dependentRequired", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
        "minItems", "maxItems", "uniqueItems", "minContains", "maxContains",
        "minProperties", "maxProperties", "title", "description", "default", "examples",
        "deprecated", "$comment",
    ]),
    (Holds::Schema, &[
        "items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else",
    ]),
    (Holds::Schemas, &["allOf", "anyOf", "oneOf", "prefixItems"]),
    (Holds::NamedSchemas, &["properties", "dependentSchemas", "$defs"]),
    (Holds::Pattern, &["pattern"]),
    (Holds::NamedPatterns, &["patternProperties"]),
    (Holds::Reference, &["$ref"]),
    (Holds::Dialect, &["$schema"]),
];

fn keyword(name: &str) -> Option<Holds> {
    let mut all = KEYWORDS.iter();
    all.find(|(_, names)| names.contains(&name))
        .map(|(holds, _)| *holds)
}

/// Parts and levels of a schema with its references written out.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    levels: usize,
}

struct Walk<'s> {
    definitions: Option<&'s Map<String, Value>>,
    // None while the definition is being walked: meeting it again means recursion.
    sizes: BTreeMap<&'s str, Option<Size>>,
    patterns: usize,
    /// The way to what is looked at; where something is wrong, it stays as it is.
    at: Vec<Cow<'s, str>>,
}

impl<'s> Walk<'s> {
    fn new(schema: &'s Value) -> Self {
        Self {
            definitions: schema.get("$defs").and_then(Value::as_object),
            sizes: BTreeMap::new(),
            patterns: 0,
            at: Vec::new(),
        }
    }

    fn check(mut self, schema: &'s Value) -> Result<(), SchemaError> {
        self.schema(schema, 1)
            .map(drop)
            .map_err(|fault| SchemaError {
                at: self.at.iter().map(|name| pointed(name)).collect(),
                help: match &fault {
                    SchemaFault::Keyword(word) => did_you_mean(word, keywords())
                        .map(|guess| format!("did you mean {guess:?}?")),
                    _ => None,
                },
                fault,
            })
    }

    fn schema(&mut self, schema: &'s Value, depth: usize) -> Result<Size, SchemaFault> {
        let mut size = Size {
            nodes: 1,
            levels: 1,
        };
        let Value::Object(keywords) = schema else {
            return Ok(size);
        };
        for (name, value) in keywords {
            self.at.push(Cow::Borrowed(name));
            let holds = keyword(name).ok_or_else(|| SchemaFault::Keyword(clean(name)))?;
            if name == "$defs" && depth > 1 {
                return Err(SchemaFault::Keyword("$defs below the root".to_owned()));
            }
            let inner = self.keyword(holds, value, depth)?;
            size.nodes = size.nodes.saturating_add(inner.nodes);
            size.levels = size.levels.max(inner.levels + 1);
            if size.nodes > NODES_MAX || size.levels > DEPTH_MAX || depth > DEPTH_MAX {
                return Err(SchemaFault::TooLarge);
            }
            self.at.pop();
        }
        Ok(size)
    }

    fn keyword(
        &mut self,
        holds: Holds,
        value: &'s Value,
        depth: usize,
    ) -> Result<Size, SchemaFault> {
        match holds {
            Holds::Data => data(value),
            Holds::Schema => self.schema(value, depth + 1),
            Holds::Schemas => {
                let entries = value.as_array().into_iter().flatten().enumerate();
                self.schemas(
                    entries.map(|(index, schema)| (Cow::Owned(index.to_string()), schema)),
                    depth,
                )
            }
            Holds::NamedSchemas => self.schemas(named(value), depth),
            Holds::Pattern => self.pattern(value.as_str().unwrap_or_default()),
            Holds::NamedPatterns => {
                for name in value.as_object().into_iter().flat_map(Map::keys) {
                    self.pattern(name)?;
                }
                self.schemas(named(value), depth)
            }
            Holds::Reference => self.reference(value, depth),
            Holds::Dialect if value.as_str() == Some(DIALECT) => Ok(Size::default()),
            Holds::Dialect => Err(SchemaFault::Invalid(format!(
                "`$schema` is not {DIALECT:?}"
            ))),
        }
    }

    fn schemas(
        &mut self,
        schemas: impl Iterator<Item = (Cow<'s, str>, &'s Value)>,
        depth: usize,
    ) -> Result<Size, SchemaFault> {
        let mut size = Size::default();
        for (name, schema) in schemas {
            self.at.push(name);
            let inner = self.schema(schema, depth + 1)?;
            self.at.pop();
            size.nodes = size.nodes.saturating_add(inner.nodes);
            size.levels = size.levels.max(inner.levels);
        }
        Ok(size)
    }

    fn pattern(&mut self, pattern: &str) -> Result<Size, SchemaFault> {
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX || pattern.len() > PATTERN_BYTES_MAX {
            return Err(SchemaFault::Patterns);
        }
        Ok(Size::default())
    }

    fn reference(&mut self, value: &'s Value, depth: usize) -> Result<Size, SchemaFault> {
        let text = value.as_str().unwrap_or_default();
        let unknown = || SchemaFault::Reference(clean(text));
        let name = text.strip_prefix("#/$defs/").ok_or_else(unknown)?;
        // A name with `~` or `%` would be spelled differently in the pointer.
        if !name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        {
            return Err(unknown());
        }
        let (name, schema) = self
            .definitions
            .and_then(|all| all.get_key_value(name))
            .ok_or_else(unknown)?;
        let size = match self.sizes.get(name.as_str()) {
            Some(Some(size)) => *size,
            Some(None) => return Err(SchemaFault::Recursive(clean(name))),
            None => {
                self.sizes.insert(name, None);
                let there = vec![Cow::Borrowed("$defs"), Cow::Borrowed(name.as_str())];
                let here = std::mem::replace(&mut self.at, there);
                let size = self.schema(schema, depth + 1)?;
                self.at = here;
                self.sizes.insert(name, Some(size));
                size
            }
        };
        if depth + size.levels > DEPTH_MAX {
            return Err(SchemaFault::TooLarge);
        }
        Ok(size)
    }
}

fn named(value: &Value) -> impl Iterator<Item = (Cow<'_, str>, &Value)> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(name, schema)| (Cow::Borrowed(name.as_str()), schema))
}

fn keywords() -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().flat_map(|(_, names)| names.iter().copied())
}

/// One step of a JSON Pointer.
fn pointed(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Counts a value that is compared as a whole (`enum`, `const`) or only shown (`default`).
fn data(value: &Value) -> Result<Size, SchemaFault> {
    check_size(value).map_err(SchemaFault::Invalid)?;
    let nodes = match value {
        Value::Array(entries) => entries.len(),
        Value::Object(entries) => entries.len(),
        _ => 0,
    };
    Ok(Size { nodes, levels: 0 })
}

#[cfg(test)]
mod tests;
