//! The schemas that others publish, and our own.

use std::sync::LazyLock;

use jsonschema::Validator;
use ringfence_core::gating::report_schema;
use uppsala::{XsdValidator, parse};

use super::super::Format;

// One of its patterns has a bracket too many, at which a strict reader of expressions stops.
static SARIF: LazyLock<Validator> =
    LazyLock::new(|| json(&include_str!("schemas/sarif-2.1.0.json").replace("{2}]?$", "{2}$")));
static RDJSON: LazyLock<Validator> = LazyLock::new(|| json(include_str!("schemas/rdjson.json")));
static OURS: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&report_schema()).unwrap());
static JUNIT: LazyLock<XsdValidator> = LazyLock::new(|| xsd(include_str!("schemas/junit-10.xsd")));
static CHECKSTYLE: LazyLock<XsdValidator> =
    LazyLock::new(|| xsd(include_str!("schemas/checkstyle.xsd")));

fn json(schema: &str) -> Validator {
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
}

fn xsd(schema: &str) -> XsdValidator {
    XsdValidator::from_schema(&parse(schema).unwrap()).unwrap()
}

/// Every way in which `text` breaks the schema of its format.
pub(super) fn problems(format: Format, text: &str) -> Vec<String> {
    let by_json = |schema: &Validator| {
        let value = serde_json::from_str(text).unwrap();
        schema
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect()
    };
    let by_xsd = |schema: &XsdValidator| match parse(text) {
        Ok(document) => schema
            .validate(&document)
            .iter()
            .map(ToString::to_string)
            .collect(),
        Err(error) => vec![error.to_string()],
    };
    match format {
        Format::Json => by_json(&OURS),
        Format::Sarif => by_json(&SARIF),
        Format::Rdjson => by_json(&RDJSON),
        Format::Junit => by_xsd(&JUNIT),
        Format::Checkstyle => by_xsd(&CHECKSTYLE),
        Format::Text | Format::Github | Format::Summary => Vec::new(),
    }
}

/// Holds `text` to the schema of its format.
pub(super) fn check(format: Format, text: &str) {
    let found = problems(format, text);
    assert!(found.is_empty(), "{format:?}: {found:#?}\n{text:.4000}");
}

/// A schema that takes everything would prove nothing.
#[test]
fn schemas_refuse() {
    for (format, text) in [
        (Format::Json, r#"{"version": 1}"#),
        (
            Format::Sarif,
            r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{}]}]}"#,
        ),
        (Format::Rdjson, r#"{"diagnostics": [{"severity": "BAD"}]}"#),
        (
            Format::Junit,
            "<testsuites><testsuite name=\"x\"/></testsuites>",
        ),
        (
            Format::Checkstyle,
            "<checkstyle><file name=\"x\"><error line=\"0\"/></file></checkstyle>",
        ),
        (Format::Checkstyle, "<checkstyle><b></checkstyle>"),
    ] {
        assert!(!problems(format, text).is_empty(), "{format:?} {text}");
    }
}
