//! Work that needs no host: a JSON document, read and written.
//!
//! **Invariant:** the document depends on the count alone.

use std::io::Result;

use serde_json::{Value, json};

use crate::{Sum, Work};

/// Writes and reads a document of `bytes` records, `count` times.
pub(crate) fn json(work: &Work) -> Result<Sum> {
    let records = (0..work.bytes).map(|n| {
        json!({
            "id": n,
            "name": format!("record {n}"),
            "tags": ["one", "two", "three"],
            "share": n as f64 / 7.0,
            "inner": { "yes": true, "no": null, "text": "a \"quoted\" line\n" },
        })
    });
    let mut document = Value::Array(records.collect()).to_string();
    let mut sum = Sum::default();
    for _ in 0..work.count {
        let value: Value = serde_json::from_str(&document)?;
        document = value.to_string();
        sum.add(document.as_bytes());
    }
    Ok(sum)
}
