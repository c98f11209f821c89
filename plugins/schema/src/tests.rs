//! Whole changes, judged; the official suite is in `suite.rs`, hostile files in `hostile.rs`.

mod hostile;
mod suite;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const CAT: &str = r#"{
  "type": "object",
  "required": ["name"],
  "properties": {
    "name": { "type": "string" },
    "lives": { "type": "integer", "maximum": 9 },
    "toys": { "type": "array", "items": { "$ref": "toy.json" } }
  },
  "additionalProperties": false
}"#;
const TOY: &str = r#"{ "enum": ["ball", "mouse"] }"#;

/// A tree of files, and what a change of some of them is judged as.
struct Case {
    folder: TempDir,
    config: Value,
}

impl Case {
    fn new(config: Value, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { folder, config }
    }

    fn cats(files: &[(&str, &str)]) -> Self {
        let schemas = [("schemas/cat.json", CAT), ("schemas/toy.json", TOY)];
        let rule = json!({ "files": ["cats/**"], "schema": "schemas/cat.json" });
        Self::new(json!({ "rules": [rule] }), &[&schemas, files].concat())
    }

    fn judged(&self, differ: &[&str]) -> Verdict {
        let files = differ.iter().map(|path| TestFile::added(*path, "x"));
        self.judged_change(&Change::test(files.collect()))
    }

    fn judged_change(&self, change: &Change) -> Verdict {
        self.gate().judge(change.files()).unwrap()
    }

    fn gate(&self) -> Gate {
        let config = Context::test(self.config.clone()).config().unwrap();
        Gate::new(config, Tree::new(self.folder.path())).unwrap()
    }

    /// `path:line:column rule message` of each finding.
    fn check(&self, differ: &[&str], expect: &[&str]) {
        let verdict = self.judged(differ);
        assert_eq!(shown(&verdict), expect, "{}", verdict.summary);
        let ruling = if expect.is_empty() {
            Ruling::Pass
        } else {
            Ruling::Fail
        };
        assert_eq!(verdict.ruling, ruling, "{}", verdict.summary);
    }
}

fn shown(verdict: &Verdict) -> Vec<String> {
    let show = |finding: &Finding| {
        let place = &finding.locations[0];
        let (path, line, column) = (&place.path, place.line, place.column);
        format!(
            "{path}:{line}:{column} {} {}",
            finding.rule, finding.message
        )
    };
    verdict.findings.iter().map(show).collect()
}

#[test]
fn each_format_is_judged_in_its_place() {
    let json = "{\n  \"name\": \"Tom\",\n  \"toys\": [\"ball\", \"dog\"]\n}\n";
    let yaml = "name: Tom\nlives: 10\n# ä\nowner: x\n";
    let toml = "name = 1\ntoys = [\n  \"ball\",\n  \"mouse\",\n]\n";
    let case = Case::cats(&[
        ("cats/a.json", json),
        ("cats/b.yaml", yaml),
        ("cats/c.toml", toml),
        ("cats/d.yml", "{name: Mia, lives: 9, toys: [mouse]}"),
    ]);
    case.check(
        &["cats/a.json", "cats/b.yaml", "cats/c.toml", "cats/d.yml"],
        &[
            "cats/a.json:3:20 not-valid /toys/1: value is not one of \"ball\" or \"mouse\" (enum)",
            "cats/b.yaml:2:8 not-valid /lives: value is greater than the maximum of 9 (maximum)",
            "cats/b.yaml:4:1 not-valid /: Additional properties are not allowed ('owner' was unexpected) (additionalProperties)",
            "cats/c.toml:1:8 not-valid /name: value is not of type \"string\" (type)",
        ],
    );
    case.check(&["cats/d.yml"], &[]);
}

#[test]
fn only_what_differs_is_judged() {
    let case = Case::cats(&[
        ("cats/a.json", "{}"),
        ("cats/b.json", r#"{"name": ""}"#),
        ("c.json", "{}"),
    ]);
    case.check(&["cats/b.json"], &[]);
    for differ in [&["c.json"][..], &["src/a.rs"], &[]] {
        assert_eq!(case.judged(differ).ruling, Ruling::Abstain, "{differ:?}");
    }
    let deleted = Change::test(vec![TestFile::deleted("cats/x.json", "{}")]);
    assert_eq!(case.judged_change(&deleted).ruling, Ruling::Abstain);
}

#[test]
fn a_name_in_other_letters_is_covered() {
    let rule = json!({ "files": ["data/*.yaml"], "schema": "s.json" });
    let files = [
        ("s.json", r#"{ "type": "string" }"#),
        ("data/A.YAML", "1"),
        ("Data/b.Yaml", "text"),
        ("data/c.yml", "1"),
    ];
    let case = Case::new(json!({ "rules": [rule] }), &files);
    let refused = "data/A.YAML:1:1 not-valid /: value is not of type \"string\" (type)";
    case.check(&["data/A.YAML", "Data/b.Yaml", "data/c.yml"], &[refused]);
    case.check(&["s.json"], &[refused]);
}

#[test]
fn a_schema_that_differs_is_held_against_the_whole_tree() {
    let case = Case::cats(&[
        ("cats/a.json", "{}"),
        ("cats/deep/er/b.yaml", "name: 1"),
        ("cats/c.json", r#"{"name": ""}"#),
    ]);
    let expect = [
        "cats/a.json:1:1 not-valid /: \"name\" is a required property (required)",
        "cats/deep/er/b.yaml:1:7 not-valid /name: value is not of type \"string\" (type)",
    ];
    case.check(&["schemas/cat.json"], &expect);
    // What a schema refers to is a part of it.
    case.check(&["schemas/toy.json"], &expect);
    let summary = case.judged(&["schemas/toy.json"]).summary;
    assert_eq!(
        summary,
        "3 files judged, all in the tree where schemas/cat.json holds, since it differs; 2 findings"
    );
    assert_eq!(case.judged(&["schemas/dog.json"]).ruling, Ruling::Abstain);
}

#[test]
fn a_schema_that_is_gone_or_none_is_a_finding() {
    let rule = json!({ "files": ["*.json"], "schema": "s.json" });
    let check = |schema: &str, expect: &str| {
        let files = [("s.json", schema), ("a.json", "1")];
        let case = Case::new(json!({ "rules": [rule] }), &files);
        let found = shown(&case.judged(&["a.json"]));
        assert_eq!(found, [expect], "{schema}");
    };
    check(
        "{",
        "s.json:1:1 schema-unusable EOF while parsing an object",
    );
    check(
        r#"{"type": "strin"}"#,
        "s.json:1:10 schema-unusable /type: value is not valid under any of the schemas listed in the 'anyOf' keyword",
    );
    check(
        r#"{"pattern": "("}"#,
        "s.json:1:13 schema-unusable /pattern: value is not a \"regex\"",
    );
    let case = Case::new(json!({ "rules": [rule] }), &[("a.json", "1")]);
    case.check(
        &["a.json"],
        &["s.json:0:0 schema-unusable there is no such file"],
    );
    let deleted = Change::test(vec![TestFile::deleted("s.json", "{}")]);
    assert_eq!(
        case.judged_change(&deleted).findings[0].rule,
        "schema-unusable"
    );
    // A schema that nothing asks for is not this change's business.
    assert_eq!(case.judged(&["b.toml"]).ruling, Ruling::Abstain);
}

#[test]
fn nothing_is_fetched_and_nothing_passed_over() {
    let check = |schema: &str, expect: &[&str]| {
        let rule = json!({ "files": ["a.json"], "schema": "s/s.json" });
        let config = json!({ "rules": [rule], "refs": ["known.yaml", "s/gone.json"] });
        let files = [
            ("s/s.json", schema),
            (
                "known.yaml",
                "$id: https://x.test/known\n$defs: {n: {$id: inner, type: integer}}\ntype: string\n",
            ),
            ("s/o.json", r#"{"$defs": {"a b": {"type": "integer"}}}"#),
            ("s/bad.json", r#"{"type": 1}"#),
            ("top level.json", r#"{"type": "integer"}"#),
            ("a.json", "\"text\""),
        ];
        let found = shown(&Case::new(config, &files).judged(&["a.json"]));
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, expect, "{schema}");
    };
    let not_integer = ["a.json:1:1 not-valid /: value is not of type \"integer\" (type)"];
    check(r##"{"$ref": "o.json#/$defs/a%20b"}"##, &not_integer);
    check(r#"{"$ref": "../top%20level.json"}"#, &not_integer);
    check(r#"{"$ref": "/top%20level.json"}"#, &not_integer);
    check(r#"{"$ref": "https://x.test/known"}"#, &[]);
    check(r#"{"$ref": "https://x.test/inner"}"#, &not_integer);
    check(
        r#"{"$id": "https://x.test/s.json", "$ref": "inner"}"#,
        &not_integer,
    );
    check(
        r#"{"$ref": "https://json-schema.org/draft/2020-12/schema"}"#,
        &["a.json:1:1 not-valid /: value is not of types \"boolean\", \"object\" (type)"],
    );
    for (schema, expect) in [
        (r#"{"$ref": "https://x.test/other"}"#, "nothing is fetched"),
        (
            r#"{"properties": {"a": {"$ref": "https://x.test/other"}}}"#,
            "nothing is fetched",
        ),
        (r#"{"$ref": "gone.json"}"#, "there is no such file"),
        (r#"{"$ref": "bad.json"}"#, "value is not"),
        (r##"{"$ref": "#/$defs/none"}"##, "/$defs/none"),
        (
            r#"{"$ref": "workspace:////etc/passwd"}"#,
            "is no path of the workspace",
        ),
        (
            r#"{"$ref": "%2e%2e/%2e%2e/gone.json"}"#,
            "there is no such file",
        ),
        (
            r#"{"$ref": "..%2f..%2fx.json"}"#,
            "is no path of the workspace",
        ),
        (r#"{"$ref": "file:///etc/passwd"}"#, "nothing is fetched"),
        (r#"{"$schema": "https://x.test/meta"}"#, "is not at hand"),
    ] {
        let rule = json!({ "files": ["a.json"], "schema": "s/s.json" });
        let files = [
            ("s/s.json", schema),
            ("s/bad.json", r#"{"type": 1}"#),
            ("a.json", "1"),
        ];
        let found = shown(&Case::new(json!({ "rules": [rule] }), &files).judged(&["a.json"]));
        assert_eq!(found.len(), 1, "{schema}: {found:?}");
        assert!(
            found[0].starts_with("s/s.json")
                && found[0].contains("schema-unusable")
                && found[0].contains(expect),
            "{schema}: {found:?}"
        );
    }
}

#[test]
fn formats_are_asserted_when_asked_for() {
    let check = |assert: Option<bool>, format: &str, expect: &[&str]| {
        let mut config = json!({ "rules": [{ "files": ["a.json"], "schema": "s.json" }] });
        if let Some(assert) = assert {
            config["format_assertion"] = json!(assert);
        }
        let schema = json!({ "format": format }).to_string();
        let case = Case::new(config, &[("s.json", &schema), ("a.json", "\"x\"")]);
        let found: Vec<String> = case
            .judged(&["a.json"])
            .findings
            .into_iter()
            .map(|f| f.rule)
            .collect();
        assert_eq!(found, expect, "{assert:?} {format}");
    };
    check(None, "date", &[]);
    check(Some(false), "date", &[]);
    check(Some(true), "date", &["not-valid"]);
    check(Some(true), "hostname", &[]);
    check(None, "no-such", &[]);
    check(Some(true), "no-such", &["schema-unusable"]);
}

#[test]
fn names_that_say_nothing_need_a_format() {
    let files = [
        ("s.json", r#"{"type": "object"}"#),
        ("a.lock", "a = 1"),
        ("b.toml", "a = 1"),
    ];
    let rule = |format: Value| {
        let mut rule = json!({ "files": ["a.lock", "b.toml"], "schema": "s.json" });
        if !format.is_null() {
            rule["format"] = format;
        }
        json!({ "rules": [rule] })
    };
    let case = Case::new(rule(Value::Null), &files);
    assert_eq!(
        case.judged(&["a.lock", "b.toml"]).findings[0].rule,
        "no-format"
    );
    Case::new(rule(json!("toml")), &files).check(&["a.lock", "b.toml"], &[]);
    let case = Case::new(rule(json!("json")), &files);
    assert_eq!(case.judged(&["b.toml"]).findings[0].rule, "unreadable");
}

#[test]
fn the_branch_that_came_furthest_is_named() {
    let schema = r#"{"oneOf": [{"type": "string"}, {"properties": {"a": {"properties": {"b": {"const": 1}}}}}]}"#;
    let config = json!({ "rules": [{ "files": ["a.json"], "schema": "s.json" }] });
    let case = Case::new(
        config,
        &[("s.json", schema), ("a.json", r#"{"a": {"b": 2}}"#)],
    );
    let verdict = case.judged(&["a.json"]);
    assert_eq!(
        verdict.findings[0].help,
        "see s.json#/oneOf; nearest: /a/b: 1 was expected"
    );
}

#[test]
fn the_place_in_the_schema_is_named() {
    let case = Case::cats(&[("cats/a.json", r#"{"name": 1, "toys": ["dog"]}"#)]);
    let helps: Vec<String> = case
        .judged(&["cats/a.json"])
        .findings
        .into_iter()
        .map(|f| f.help)
        .collect();
    assert_eq!(
        helps,
        [
            "see schemas/cat.json#/properties/name/type",
            "see schemas/toy.json#/enum"
        ]
    );
}

#[test]
fn what_stands_in_a_file_is_not_told() {
    let case = Case::cats(&[("cats/a.yaml", "name: Tom\nlives: hunter2-secret\n")]);
    let verdict = case.judged(&["cats/a.yaml"]);
    assert_eq!(verdict.findings.len(), 1);
    assert!(!format!("{verdict:?}").contains("hunter2"), "{verdict:?}");
}

#[test]
fn a_config_that_is_none_is_refused() {
    for config in [
        json!({}),
        json!({ "rules": [{ "files": ["a["], "schema": "s.json" }] }),
        json!({ "rules": [{ "files": ["a"] }] }),
        json!({ "rules": [{ "files": ["a"], "schema": "s.json", "format": "xml" }] }),
    ] {
        let error = judge(&Context::test(config.clone()), &Change::test(vec![])).unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{config}: {error}");
    }
}

/// `RINGFENCE_EXAMPLES` names the unpacked source package of `check-jsonschema`, which has real schemas of many services
/// with files that fit and files that do not. The figures of `docs/gates.md` are from here.
#[test]
fn examples_of_a_checker() {
    let Ok(folder) = std::env::var("RINGFENCE_EXAMPLES") else {
        return;
    };
    let folder = std::path::PathBuf::from(folder);
    let mut counts = BTreeSet::new();
    for (kind, expect) in [("positive", Ruling::Pass), ("negative", Ruling::Fail)] {
        let (mut files, mut others) = (0, 0);
        let hooks = folder.join("tests/example-files/hooks").join(kind);
        for hook in std::fs::read_dir(hooks).unwrap() {
            let hook = hook.unwrap();
            let name = hook.file_name().into_string().unwrap();
            let vendored = folder.join("src/check_jsonschema/builtin_schemas/vendor");
            let Ok(schema) = std::fs::read_to_string(vendored.join(format!("{name}.json"))) else {
                println!("{kind} {name}: no schema");
                continue;
            };
            for file in std::fs::read_dir(hook.path()).unwrap() {
                let path = file.unwrap().path();
                let name = format!("files/{}", path.file_name().unwrap().to_str().unwrap());
                let mut rule = json!({ "files": ["files/**"], "schema": "s.json" });
                if Format::of(&name).is_none() {
                    rule["format"] = json!("yaml");
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let config = json!({ "rules": [rule], "tags": ["!reference"] });
                let case = Case::new(config, &[("s.json", &schema), (&name, &text)]);
                let started = std::time::Instant::now();
                let verdict = case.judged(&[&name]);
                files += 1;
                if verdict.ruling != expect {
                    others += 1;
                    println!("{kind} {} ({:?}):", path.display(), started.elapsed());
                    for finding in verdict.findings {
                        println!(
                            "  {} {} {:?} {}",
                            finding.rule, finding.message, finding.locations, finding.help
                        );
                    }
                }
            }
        }
        println!("{kind}: {files} files, {others} judged otherwise");
        counts.insert(files);
    }
    assert!(counts.iter().all(|count| *count > 0));
}
