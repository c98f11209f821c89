//! The documents of the standard gates: their examples are gates files, and their table names every setting.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::Manifest;
use crate::spec::{Gates, PluginRef};

const GATES: &str = include_str!("../../../../../docs/gates.md");
const PAGES: [&str; 6] = [
    GATES,
    include_str!("../../../../../docs/gate.md"),
    include_str!("../../../../../docs/gates/commands.md"),
    include_str!("../../../../../docs/gates/conventional-commits.md"),
    include_str!("../../../../../docs/gates/junit-delta.md"),
    include_str!("../../../../../docs/gates/sarif-delta.md"),
];

macro_rules! manifests {
    ($($name:literal),+) => {
        BTreeMap::from([$((
            $name,
            manifest($name, include_str!(concat!("../../../../../plugins/", $name, "/plugin.toml"))),
        )),+])
    };
}

fn manifest(name: &str, text: &str) -> Manifest {
    let head = format!("name = {name:?}\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n");
    Manifest::parse(&format!("{head}{text}"))
        .map_err(|error| format!("{name}: {error}"))
        .unwrap()
}

fn gates() -> BTreeMap<&'static str, Manifest> {
    manifests![
        "codeowners",
        "commands",
        "conventional-commits",
        "diff-size",
        "generated",
        "injection",
        "junit-delta",
        "licence-header",
        "lockfile",
        "md-links",
        "no-test-weakening",
        "paths",
        "sarif-delta",
        "schema",
        "secrets"
    ]
}

/// The gates file that a block of a document is, or is a part of.
fn read(block: &str) -> Gates {
    let gate = if block.contains("[[gate]]") {
        ""
    } else {
        "\n[[gate]]\nplugin = \"std:paths\"\n"
    };
    let text = format!("{block}{gate}");
    let (gates, warnings) = Gates::parse(&text, "an example")
        .map_err(|found| format!("{text}\n{found:?}"))
        .unwrap();
    assert!(warnings.is_empty(), "{text}\n{warnings:?}");
    gates
}

#[test]
fn examples_are_gates_files_with_settings_that_there_are() {
    let manifests = gates();
    let mut shown = BTreeSet::new();
    let blocks = PAGES
        .iter()
        .flat_map(|page| page.split("```toml\n").skip(1));
    for block in blocks.filter_map(|rest| rest.split("```").next()) {
        for step in read(block).gates {
            let PluginRef::Std(name) = &step.plugin else {
                continue;
            };
            let manifest = &manifests[name.as_str()];
            assert_eq!(manifest.validate_config(&step.config), Ok(()), "{block}");
            shown.insert(name.clone());
        }
    }
    for name in ["codeowners", "licence-header", "md-links", "secrets"] {
        assert!(shown.contains(name), "{name} has no example");
    }
}

#[test]
fn the_table_names_every_setting() {
    let mut rows = 0;
    for (name, manifest) in gates() {
        let begins = format!("| [`{name}`](");
        let row = GATES.lines().find(|line| line.starts_with(&begins));
        let cell = row.unwrap_or_else(|| panic!("no row for {name}"));
        let cell = cell
            .trim_end_matches([' ', '|'])
            .rsplit(" | ")
            .next()
            .unwrap();
        let named: BTreeSet<&str> = cell.split('`').skip(1).step_by(2).collect();
        let settings = manifest.config.as_ref().map(|schema| &schema["properties"]);
        let settings = settings
            .and_then(|properties| properties.as_object())
            .unwrap();
        let settings: BTreeSet<&str> = settings.keys().map(String::as_str).collect();
        assert_eq!(named, settings, "{name}");
        rows += 1;
    }
    assert_eq!(rows, 15);
}
