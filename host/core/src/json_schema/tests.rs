//! Schemas of honest and hostile plugins.

use serde_json::json;

use super::*;

#[track_caller]
fn check(schema: &Value, expect: Result<(), &str>) {
    let found = check_schema(schema).map_err(|error| error.to_string());
    match (&found, expect) {
        (Ok(()), Ok(())) => {}
        (Err(found), Err(expect)) if found.contains(expect) => {}
        _ => panic!("{schema}: {found:?}, not {expect:?}"),
    }
}

#[test]
fn schemas_of_honest_plugins() {
    check(&json!({}), Ok(()));
    check(
        &json!({ "type": "object", "properties": { "roots": { "type": "array", "items": { "type": "string" } } } }),
        Ok(()),
    );
    check(
        &json!({ "$schema": DIALECT, "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": true } }),
        Ok(()),
    );
    check(
        &json!({ "properties": { "$ref": { "type": "string" }, "format": {} } }),
        Ok(()),
    );
    check(
        &json!({ "patternProperties": { "^x-": { "pattern": "^[a-z]+$" } } }),
        Ok(()),
    );
}

#[test]
fn schemas_of_hostile_plugins() {
    check(&json!({ "$ref": "#" }), Err("not of the form"));
    check(
        &json!({ "$ref": "https://example.com/s.json" }),
        Err("not of the form"),
    );
    check(
        &json!({ "$ref": "#/$defs/none" }),
        Err("no such definition"),
    );
    check(&json!({ "$ref": 7 }), Err("not of the form"));
    check(
        &json!({ "$id": "https://example.com/" }),
        Err("\"$id\" is not supported"),
    );
    check(&json!({ "$dynamicRef": "#x" }), Err("not supported"));
    check(
        &json!({ "unevaluatedProperties": false }),
        Err("not supported"),
    );
    check(&json!({ "format": "email" }), Err("not supported"));
    check(
        &json!({ "requierd": ["a"] }),
        Err("\"requierd\" is not supported"),
    );
    check(&json!({ "items": { "$defs": {} } }), Err("below the root"));
    check(
        &json!({ "$schema": "http://json-schema.org/draft-04/schema#" }),
        Err("$schema"),
    );
    check(&json!({ "type": "strin" }), Err("strin"));
    check(&json!({ "pattern": "(a" }), Err("regex"));
    check(&json!({ "pattern": "(?=a)b" }), Err("regex"));
    check(&json!({ "pattern": "(\\w{1000}){1000}" }), Err("regex"));
    check(
        &json!({ "pattern": "a".repeat(600) }),
        Err("regular expressions"),
    );
    check(
        &json!({ "allOf": vec![json!({ "pattern": "a" }); 100] }),
        Err("regular expressions"),
    );
    check(
        &json!({ "$defs": { "a": { "items": { "$ref": "#/$defs/a" } } }, "$ref": "#/$defs/a" }),
        Err("\"a\" is recursive"),
    );
    check(&json!({ "enum": vec![1; 5000] }), Err("more than"));
    check(
        &(0..100).fold(json!({}), |inner, _| json!({ "items": inner })),
        Err("levels"),
    );
}

#[test]
fn references_that_multiply() {
    let level = |next: usize| json!({ "allOf": [{ "$ref": format!("#/$defs/d{next}") }, { "$ref": format!("#/$defs/d{next}") }] });
    let mut definitions: Map<String, Value> =
        (0..14).map(|n| (format!("d{n}"), level(n + 1))).collect();
    definitions.insert("d14".to_owned(), json!({ "type": "string" }));
    check(
        &json!({ "$defs": definitions, "$ref": "#/$defs/d0" }),
        Err("more than"),
    );
    // The same by a chain, whose depth is what checking would recurse to.
    let mut chain: Map<String, Value> = (0..200)
        .map(|n| {
            (
                format!("d{n}"),
                json!({ "$ref": format!("#/$defs/d{}", n + 1) }),
            )
        })
        .collect();
    chain.insert("d200".to_owned(), json!({}));
    check(
        &json!({ "$defs": chain, "$ref": "#/$defs/d0" }),
        Err("levels"),
    );
}

#[test]
fn values() {
    let schema = json!({ "type": "object", "properties": { "n": { "type": "number", "maximum": 5 } }, "additionalProperties": false });
    let misfits = |text: &str| -> Vec<String> {
        let value = serde_json::from_str(text).unwrap();
        check_value(&schema, &value)
            .err()
            .into_iter()
            .flatten()
            .map(|misfit| misfit.to_string())
            .collect()
    };
    assert_eq!(misfits(r#"{"n": 5}"#), [] as [&str; 0]);
    assert_eq!(
        misfits(r#"{"n": 6}"#),
        ["/n: 6 is greater than the maximum of 5"]
    );
    assert_eq!(
        misfits(r#"{"n": 1e999}"#),
        ["the number 1e+999 is too large"]
    );
    assert_eq!(
        misfits(r#"{"\u001b": 1}"#),
        [r"Additional properties are not allowed ('\u{1b}' was unexpected)"]
    );
    assert_eq!(
        misfits(&format!("{}{}", "[".repeat(100), "]".repeat(100))),
        ["more than 50000 parts or 64 levels"]
    );
    assert_eq!(misfits(r#"["x"]"#).len(), 1);
}
