//! Manifests of honest and of hostile plugins.

use serde_json::json;

use super::*;

const GOOD: &str = r#"name = "md-link-fix"
version = "1.2.3-rc.1"
contract = "0.1.0"
sdk = "0.1.0"
roles = ["executor", "gate"]
summary = "Repairs links"

[asks]
read = ["**"]
write = ["**/*.md"]

[config]
type = "object"
additionalProperties = false
[config.properties.depth]
type = "integer"
maximum = 9

[[action]]
name = "fix"
summary = "Repairs one link"
[action.input]
type = "object"
required = ["path"]
"#;

#[test]
fn reads_everything() {
    let manifest = Manifest::parse(GOOD).unwrap();
    assert_eq!(manifest.name, "md-link-fix");
    assert_eq!(manifest.version, "1.2.3-rc.1");
    assert_eq!(manifest.roles, BTreeSet::from([Role::Executor, Role::Gate]));
    assert_eq!(manifest.asks.write, ["**/*.md"]);
    assert_eq!(manifest.actions.len(), 1);
    assert_eq!(manifest.validate_config(&json!({ "depth": 3 })), Ok(()));
    assert_eq!(
        manifest
            .validate_config(&json!({ "depth": 30 }))
            .unwrap_err(),
        ["/depth: 30 is greater than the maximum of 9"]
    );
    let action = manifest.actions.first().unwrap();
    assert_eq!(action.validate(&json!({ "path": "a.md" })), Ok(()));
    assert_eq!(action.validate(&json!({})).unwrap_err().len(), 1);
}

#[test]
fn without_a_schema_there_is_no_config() {
    let text = GOOD
        .split("[config]")
        .next()
        .unwrap()
        .replace("\"executor\", ", "");
    let manifest = Manifest::parse(&text).unwrap();
    assert_eq!(manifest.validate_config(&json!({})), Ok(()));
    assert_eq!(
        manifest.validate_config(&json!({ "a": 1 })).unwrap_err(),
        ["md-link-fix takes no config"]
    );
}

#[test]
fn contracts() {
    for (contract, expect) in [
        ("0.1.0", true),
        ("0.1.1", false),
        ("0.1.00", false),
        ("0.1.", false),
        ("0.1.+0", false),
        ("0.1.4294967296", false),
        ("0.2.0", false),
        ("0.10.0", false),
        ("1.1.0", false),
        ("", false),
    ] {
        assert_eq!(contract_supported(contract).is_ok(), expect, "{contract:?}");
    }
    assert_eq!(contract_supported(CONTRACT), Ok(()));
    assert_eq!(
        contract_supported("0.1.7").unwrap_err().to_string(),
        r#"contract "0.1.7" is not supported: this host keeps 0.1.0"#
    );
}

#[track_caller]
fn refused(from: &str, to: &str, expect: &str) {
    assert!(GOOD.contains(from), "{from}");
    let text = GOOD.replacen(from, to, 1);
    let error = Manifest::parse(&text).unwrap_err().to_string();
    assert!(
        error.contains(expect),
        "{error}\n  does not contain\n{expect}"
    );
}

#[test]
fn refuses_what_it_does_not_know() {
    refused(
        "roles =",
        "network = true\nroles =",
        "plugin.toml line 1: the manifest has no key \"network\"",
    );
    refused("write =", "wirte =", "[asks] has no key \"wirte\"");
    refused(
        "[action.input]",
        "[action.output]",
        "line 15: [[action]] has no `input`",
    );
    refused(
        "\"gate\"]",
        "\"gatekeeper\"]",
        "\"gatekeeper\" is none of the roles",
    );
}

#[test]
fn every_problem_is_told_with_its_line_and_what_was_meant() {
    let text = GOOD
        .replace("summary = \"Repairs links\"", "sumary = \"Repairs links\"")
        .replace("read =", "raed =")
        .replace("\"gate\"]", "\"gates\"]")
        .replace("\"integer\"", "\"integre\"")
        .replace("maximum = 9", "maxmum = 9");
    let told = Manifest::parse(&text).unwrap_err().to_string();
    let expect = [
        "plugin.toml line 1: \"gates\" is none of the roles sensor, decider, executor, gate",
        "plugin.toml line 2: the manifest has no key \"sumary\" (did you mean `summary`?)",
        "plugin.toml line 5: [asks] has no key \"raed\" (did you mean `read`?)",
        "plugin.toml line 13: the schema of config is not usable: keyword \"maxmum\" is not supported, at \
         /properties/depth/maxmum (did you mean \"maximum\"?)",
        "the manifest has no `summary` (`summary` is what it does, in one line)",
    ];
    assert_eq!(told, expect.join("; "));
    refused(
        "\"integer\"",
        "\"integre\"",
        "plugin.toml line 12: the schema of config is not usable: \"integre\" is no type: array, boolean, integer, \
         null, number, object, string, at /properties/depth/type (did you mean \"integer\"?)",
    );
    let many = format!("{GOOD}{}", "[[action]]\n".repeat(3));
    let told = Manifest::parse(&many).unwrap_err().to_string();
    assert!(told.ends_with("; and 4 more"), "{told}");
}

#[test]
fn lines_are_the_authors_own_whoever_made_the_manifest() {
    let told = |text: &str| Manifest::parse(text).unwrap_err().to_string();
    let by_hand = GOOD.replace("sdk = \"0.1.0\"\n", "");
    let wrong = by_hand.replace("read =", "raed =");
    assert!(
        told(&wrong).starts_with("plugin.toml line 8: "),
        "{}",
        told(&wrong)
    );
    let own_name = GOOD.replace("roles =", "name = \"x\"\nroles =");
    assert!(
        told(&own_name).starts_with("plugin.toml line 1: invalid TOML: duplicate key"),
        "{}",
        told(&own_name)
    );
    let crate_name = GOOD.replace("\"md-link-fix\"", "\"md.link\"");
    assert!(
        told(&crate_name).starts_with("\"md.link\" is not a name"),
        "{}",
        told(&crate_name)
    );
}

#[test]
fn the_published_schema_is_of_what_an_author_writes() {
    let schema = plugin_schema();
    let names: Vec<&str> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(names, ["action", "asks", "config", "roles", "summary"]);
    assert_eq!(schema["required"], json!(["roles", "summary"]));
}

#[test]
fn the_document_for_authors_names_every_key() {
    let document = include_str!("../../../../docs/plugin.md");
    let rows: Vec<&str> = document
        .lines()
        .skip_while(|line| *line != "| Key | Needed | What it is |")
        .skip(2)
        .take_while(|line| !line.is_empty())
        .collect();
    assert_eq!(
        rows,
        keys::rows(),
        "docs/plugin.md should say:\n{}",
        keys::rows().join("\n")
    );
}

#[test]
fn a_newer_contract_is_named_before_its_newer_keys() {
    refused(
        "contract = \"0.1.0\"",
        "contract = \"0.2.0\"\nmust = [\"x\"]",
        "contract \"0.2.0\" is not supported",
    );
}

#[test]
fn refuses_hostile_texts() {
    refused("\"md-link-fix\"", "\"../../x\"", "is not a name");
    refused("\"md-link-fix\"", "\"\"", "is not a name");
    refused("\"Repairs links\"", "\"\\u001b]0;x\"", "not one line");
    refused("\"1.2.3-rc.1\"", "\"1.2\\n3\"", "not a version");
    refused("\"**/*.md\"", "\"../**\"", "../**");
    refused("\"**/*.md\"", "7", "a list of strings");
    refused("\"executor\", \"gate\"", "", "line 1: `roles` is empty");
    refused("\"executor\", ", "\"gate\", ", "`roles` names a role twice");
    refused("\"executor\", ", "", "only an executor has an [[action]]");
    refused("\"fix\"", "\"fix\"\nname = \"fix\"", "invalid TOML");
    refused(
        "[[action]]",
        "[[action]]\nname = \"fix\"\nsummary = \"x\"\ninput = {}\n[[action]]",
        "two actions are called \"fix\"",
    );
    refused(
        "\"integer\"",
        "\"integre\"",
        "the schema of config is not usable",
    );
    refused(
        "required = [\"path\"]",
        "\"$ref\" = \"http://example.com/\"",
        "the schema of action \"fix\" is not usable",
    );
    refused("maximum = 9", "maximum = inf", "infinite");
    refused("maximum = 9", "maximum = 2026-11-21", "no dates");
    refused("maximum = 9", "maximum = 99999999999999999999", "64 bits");
    refused(
        "maximum = 9",
        &format!("pattern = \"{}\"", "a".repeat(MANIFEST_BYTES_MAX)),
        "at most 262144",
    );
}

#[test]
fn an_executor_needs_an_action() {
    let text = GOOD.split("[[action]]").next().unwrap();
    assert!(
        Manifest::parse(text)
            .unwrap_err()
            .to_string()
            .contains("an executor without an [[action]]")
    );
}

#[test]
fn deep_texts_end_in_an_error() {
    for text in [
        "[".repeat(100_000),
        "a.".repeat(100_000),
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(60_000)),
    ] {
        assert!(Manifest::parse(&text).is_err());
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}", cut in 0..400_usize) {
        drop(Manifest::parse(&text));
        let head: String = GOOD.chars().take(cut).collect();
        drop(Manifest::parse(&(head + &text)));
    }
}
