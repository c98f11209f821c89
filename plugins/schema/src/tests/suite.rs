//! The official JSON-Schema-Test-Suite, as far as it applies.
//!
//! Every case goes the way that a file goes: schemas and values are files of a workspace, what a case calls remote is a
//! listed schema with that `$id`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Group {
    description: String,
    schema: Value,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    description: String,
    data: Value,
    valid: bool,
}

/// The cases of a file that come out otherwise than the suite says, as `file: group: case`, and how many there are in all.
fn failing(name: &str, assert_formats: Option<bool>) -> (usize, Vec<String>) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite");
    let text = |name: &str| std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    let files: BTreeMap<String, Vec<Group>> = serde_json::from_str(&text(name)).unwrap();
    let remotes: BTreeMap<String, Value> = serde_json::from_str(&text("remotes")).unwrap();
    let root = tempfile::tempdir().unwrap();
    let mut listed = BTreeSet::new();
    for (number, (uri, mut schema)) in remotes.into_iter().enumerate() {
        // As if it had been fetched: its place is what it was asked for under.
        if let Some(map) = schema.as_object_mut() {
            map.entry("$id").or_insert(json!(uri));
        }
        let path = format!("remote-{number}.json");
        std::fs::write(root.path().join(&path), schema.to_string()).unwrap();
        listed.insert(path);
    }
    let schemas = Schemas::new(Tree::new(root.path()), listed, assert_formats);
    let (mut count, mut failing) = (0, Vec::new());
    for (file, groups) in files {
        for group in groups {
            let schema = root.path().join("schema.json");
            std::fs::write(schema, group.schema.to_string()).unwrap();
            let compiled = schemas.compile("schema.json").unwrap().0;
            for test in group.tests {
                count += 1;
                let valid = compiled.as_ref().is_ok_and(|compiled| {
                    let document =
                        document::read(&test.data.to_string(), Format::Json, &BTreeSet::new())
                            .unwrap();
                    remarks("schema.json", compiled, &document[0]).0.is_empty()
                });
                if compiled.is_err() || valid != test.valid {
                    let why = compiled
                        .as_ref()
                        .err()
                        .map_or("", |finding| &finding.message);
                    let case = format!("{file}: {}: {} {why}", group.description, test.description);
                    failing.push(case.trim_end().to_owned());
                }
            }
        }
    }
    (count, failing)
}

/// Holds the cases that come out otherwise to those that are known not to apply.
fn check(name: &str, assert_formats: Option<bool>, count: usize, not_applying: &[(&str, usize)]) {
    let (all, mut failing) = failing(name, assert_formats);
    assert_eq!(all, count);
    for (beginning, count) in not_applying {
        let before = failing.len();
        failing.retain(|case| !case.starts_with(beginning));
        assert_eq!(before - failing.len(), *count, "{beginning}");
    }
    assert!(failing.is_empty(), "{failing:#?}");
}

#[test]
fn all_that_is_required_passes() {
    // What is fetched from one URI and says that it stands under another: nothing is fetched, so a schema is known under
    // its `$id` alone.
    let by_place = [
        ("refRemote: remote HTTP ref with different $id", 2),
        ("refRemote: remote HTTP ref with different URN $id", 2),
    ];
    check("required", None, 1257, &by_place);
}

#[test]
fn formats_pass() {
    let unknown = [
        // The tables of international names would double the component's size: whoever asserts these formats is told.
        ("idn-email: ", 10),
        ("idn-hostname: ", 65),
        // A format that nobody knows is an error where formats are asserted.
        ("unknown: ", 7),
    ];
    check("format", Some(true), 491, &unknown);
}

#[test]
fn what_is_optional_passes() {
    check("optional", None, 158, &[]);
}
