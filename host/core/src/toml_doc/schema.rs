//! The JSON Schema of a table of keys, for editors.
//!
//! **Invariant:** made of the same data as the reader, so every key the reader takes stands here and no other.

use serde_json::{Map, Value, json};

use super::{Key, Kind, Table, Text};

/// The schema of `table` and every table below it, draft 2020-12.
pub(crate) fn json_schema(table: &Table) -> Value {
    let properties: Map<String, Value> = table
        .keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let required: Vec<&str> = table
        .keys
        .iter()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn property(key: &Key) -> Value {
    let mut schema = shape(&key.kind, key.required);
    if let Value::Object(map) = &mut schema {
        map.insert("description".to_owned(), key.doc.into());
    }
    schema
}

fn shape(kind: &Kind, required: bool) -> Value {
    match kind {
        Kind::Text(rule) => string(rule.pattern),
        Kind::List(rule) => {
            json!({ "type": "array", "maxItems": super::LIST_ENTRIES_MAX, "items": string(rule.pattern) })
        }
        Kind::Choice(choice) => json!({ "enum": choice.values }),
        Kind::Amount(rule) => {
            let number = rule
                .integers
                .then(|| json!({ "type": "integer", "minimum": 1, "maximum": rule.max }));
            let text = rule.read.map(|_| string(rule.pattern));
            match (number, text) {
                (Some(number), Some(text)) => json!({ "anyOf": [text, number] }),
                (number, text) => number.or(text).unwrap_or(Value::Bool(false)),
            }
        }
        Kind::Whole(rule) => {
            json!({ "type": "integer", "minimum": rule.min, "maximum": rule.max })
        }
        Kind::Either(choice, table) => {
            json!({ "anyOf": [{ "enum": choice.values }, json_schema(table)] })
        }
        Kind::Json => json!({ "type": "object" }),
        Kind::One(table) => json_schema(table),
        Kind::Many(table) => json!({
            "type": "array",
            "minItems": u8::from(required),
            "maxItems": super::TABLES_MAX,
            "items": json_schema(table),
        }),
        Kind::Named(name, table) => named(name, json_schema(table)),
        Kind::Texts(name, text) => named(name, string(text.pattern)),
        Kind::Flag => json!({ "type": "boolean" }),
    }
}

fn named(name: &Text, each: Value) -> Value {
    json!({
        "type": "object",
        "maxProperties": super::TABLES_MAX,
        "propertyNames": string(name.pattern),
        "additionalProperties": each,
    })
}

fn string(pattern: Option<&str>) -> Value {
    match pattern {
        Some(pattern) => json!({ "type": "string", "pattern": pattern }),
        None => json!({ "type": "string" }),
    }
}
