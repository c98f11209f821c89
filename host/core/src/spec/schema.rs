//! The JSON Schema of a loop file's front matter, for editors and for `ringfence schema`.
//!
//! **Invariant:** made from the table of keys that the parser reads by. It says which keys there are and what they look
//! like; rules that span several keys are the parser's alone.

use serde_json::{Value, json};

use super::keys;
use crate::toml_doc::json_schema;

/// The schema, draft 2020-12.
#[must_use]
pub fn loop_file_schema() -> Value {
    let mut schema = json_schema(&keys::LOOP);
    if let Value::Object(map) = &mut schema {
        map.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        map.insert(
            "title".to_owned(),
            json!("Front matter of a Ringfence loop file (LOOP.md)"),
        );
    }
    schema
}
