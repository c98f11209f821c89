//! The JSON Schema of a receipt.
//!
//! **Invariant:** it lists every field that [`Receipt`](super::Receipt) writes, and no other; a test reads them side by side.

use serde_json::{Map, Value, json};

use crate::failure::FailureClass;

/// The schema of one line of a file of receipts, draft 2020-12.
#[must_use]
pub fn receipt_schema() -> Value {
    let object = |fields: &[(&str, Value)]| {
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let fields = fields
            .iter()
            .map(|(name, schema)| ((*name).to_owned(), schema.clone()));
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": names,
            "properties": Value::Object(fields.collect::<Map<String, Value>>()),
        })
    };
    let or_none = |schema: Value| json!({"anyOf": [schema, {"type": "null"}]});
    let text = || json!({"type": "string"});
    let digest = || json!({"$ref": "#/$defs/digest"});
    let object_id = || json!({"$ref": "#/$defs/git-id"});
    let words = |words: &[&str]| json!({ "enum": words });
    let classes = FailureClass::ALL.map(|class| json!(class));
    let side = object(&[
        ("name", text()),
        ("commit", or_none(object_id())),
        ("tree", object_id()),
    ]);
    let gate = object(&[
        ("gate", text()),
        ("plugin", text()),
        ("name", text()),
        ("version", text()),
        ("contract", text()),
        ("component", digest()),
        ("config", digest()),
        ("grant", digest()),
        ("ruling", or_none(words(&["pass", "fail", "abstain"]))),
        (
            "standing",
            words(&["passed", "excused", "abstained", "failed", "broken"]),
        ),
        ("failure", or_none(json!({ "enum": classes }))),
        ("findings", digest()),
        ("fuel", or_none(json!({"type": "integer", "minimum": 0}))),
        ("memo", json!({"type": "boolean"})),
    ]);
    let rules = object(&[
        ("fail_on", words(&["note", "warning", "error"])),
        ("require_some", json!({"type": "boolean"})),
        ("submodules_accepted", json!({"type": "boolean"})),
    ]);
    let fuel = object(&[
        (
            "allowed",
            json!({"type": "string", "pattern": "^[0-9]{1,5}(\\.[0-9]{1,2})?%$"}),
        ),
        ("required", json!({"type": "boolean"})),
        ("file", digest()),
    ]);
    let mut schema = object(&[
        ("v", json!({"const": super::VERSION})),
        ("ringfence", text()),
        ("engine", text()),
        ("at", json!({"type": "string", "format": "date-time"})),
        ("who", text()),
        ("base", side.clone()),
        ("head", side),
        ("clock", json!({"type": "integer"})),
        ("change", digest()),
        ("file", text()),
        ("file_digest", digest()),
        (
            "rules_from",
            or_none(object(&[("name", text()), ("tree", object_id())])),
        ),
        ("rules", rules),
        ("baseline", or_none(digest())),
        ("fuel", or_none(fuel)),
        ("evidence", or_none(digest())),
        ("host", digest()),
        ("gates_in_file", json!({"type": "integer", "minimum": 0})),
        ("gates", json!({"type": "array", "items": gate})),
        (
            "outcome",
            words(&["passed", "unjudged", "failed", "broken"]),
        ),
        (
            "exit",
            json!({"type": "integer", "minimum": 0, "maximum": 255}),
        ),
        ("signed_off_by", text()),
        ("sum", digest()),
    ]);
    if let Value::Object(fields) = &mut schema {
        for (name, value) in [
            (
                "$schema",
                json!("https://json-schema.org/draft/2020-12/schema"),
            ),
            ("title", json!("Ringfence receipt of a run of gates")),
            (
                "$defs",
                json!({
                    "digest": {"type": "string", "pattern": "^blake3:[0-9a-f]{64}$"},
                    "git-id": {"type": "string", "pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$"},
                }),
            ),
        ] {
            fields.insert(name.to_owned(), value);
        }
    }
    schema
}
