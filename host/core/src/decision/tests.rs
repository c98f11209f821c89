//! The decision vectors, as far as components and text deciders answer them.

use serde_json::json;

use super::*;

fn item(id: &str, why_not: Option<&str>) -> SituationItem {
    SituationItem {
        id: id.to_owned(),
        sensor: "links".to_owned(),
        title: String::new(),
        labels: Vec::new(),
        detail: Value::Null,
        attempts: 0,
        eligible: why_not.is_none(),
        why_not: why_not.map(str::to_owned),
    }
}

fn situation() -> Situation {
    let input = json!({"type": "object", "required": ["path"], "properties": {"path": {"type": "string"}}, "additionalProperties": false});
    Situation {
        version: SITUATION_VERSION,
        loop_id: "docs".to_owned(),
        beat: 1,
        level: "L2".to_owned(),
        observations: Vec::new(),
        items: vec![
            item("a", None),
            item("b", Some("an open proposal")),
            item("a", Some("twice")),
        ],
        executors: vec![ExecutorInfo {
            id: "fix".to_owned(),
            plugin: "std:md-link-fix".to_owned(),
            actions: vec![ActionInfo {
                name: "retarget".to_owned(),
                summary: String::new(),
                input,
            }],
        }],
        last_failure: None,
        answers: Vec::new(),
        budget: BudgetLeft {
            fuel_beat: 1,
            fuel_day: 1,
            beats_day: 1,
            tokens_beat: None,
            tokens_day: None,
            money_beat: None,
            money_day: None,
        },
        prose: String::new(),
        flapping: Vec::new(),
    }
}

fn answer() -> RawDecision {
    RawDecision::from_contract(
        "a".into(),
        "fix".into(),
        "retarget".into(),
        r#"{"path":"x"}"#.into(),
        "because".into(),
        0,
    )
}

/// What becomes of the answer after `edit`, in short.
fn outcome(edit: impl FnOnce(&mut RawDecision)) -> String {
    let mut raw = answer();
    edit(&mut raw);
    match check(&raw, &situation()) {
        Ok(Checked::Noop { reason, next_in }) => format!("noop {reason:?} {next_in:?}"),
        Ok(Checked::Move(mv)) => format!(
            "move {} {} {}",
            mv.executor,
            mv.action,
            mv.item.map_or_else(|| "-".to_owned(), String::from)
        ),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_a_component_may_answer() {
    assert_eq!(outcome(|_| ()), "move fix retarget a");
    assert_eq!(outcome(|raw| raw.item_id.clear()), "move fix retarget -");
    assert_eq!(
        outcome(|raw| *raw = RawDecision::from_contract(
            String::new(),
            "none".into(),
            String::new(),
            "{}".into(),
            "quiet".into(),
            1
        )),
        "noop \"quiet\" Some(5)"
    );
    assert_eq!(
        outcome(|raw| *raw = RawDecision::from_contract(
            String::new(),
            "none".into(),
            String::new(),
            String::new(),
            String::new(),
            0
        )),
        "noop \"\" None"
    );
}

#[test]
fn what_it_may_not() {
    assert_eq!(
        outcome(|raw| raw.executor = "fixer\u{1b}".into()),
        "the loop has no executor \"fixer\""
    );
    assert_eq!(
        outcome(|raw| raw.executor = String::new()),
        "the loop has no executor \"\""
    );
    assert_eq!(
        outcome(|raw| raw.action = "fix".into()),
        "executor fix has no action \"fix\""
    );
    assert_eq!(
        outcome(|raw| raw.executor = "none".into()),
        "executor \"none\" with action \"retarget\""
    );
    assert_eq!(
        outcome(|raw| raw.item_id = "zzz".into()),
        "no sensor shows an item zzz"
    );
    assert_eq!(
        outcome(|raw| raw.item_id = "b".into()),
        "item b is not to be worked on: an open proposal"
    );
    assert_eq!(
        outcome(|raw| raw.input = "garbage".into()),
        "the input is not JSON: expected value at line 1 column 1"
    );
    assert_eq!(
        outcome(|raw| raw.input = "{} {}".into()),
        "the input is not JSON: trailing characters at line 1 column 4"
    );
    assert_eq!(
        outcome(|raw| raw.input = "[]".into()),
        "the input for fix retarget does not fit: [] is not of type \"object\""
    );
    assert_eq!(
        outcome(|raw| raw.input = "{}".into()),
        "the input for fix retarget does not fit: \"path\" is a required property"
    );
    assert_eq!(
        outcome(|raw| raw.input = r#"{"path":1}"#.into()),
        "the input for fix retarget does not fit: /path: 1 is not of type \"string\""
    );
    assert_eq!(
        outcome(|raw| raw.input = format!("{{\"path\":\"{}\"}}", "x".repeat(1 << 20))),
        "the input is 1048587 bytes of JSON, the limit is 1048576"
    );
    for id in ["a/b", "a\\b", ".a", "a\n", &"x".repeat(129)] {
        assert!(
            outcome(|raw| raw.item_id = id.to_owned()).starts_with("not an item id"),
            "{id:?}"
        );
    }
}

#[test]
fn a_reason_is_one_short_line() {
    let raw = RawDecision {
        reason: format!("a\nb{}", "x".repeat(600)),
        ..answer()
    };
    let Ok(Checked::Move(mv)) = check(&raw, &situation()) else {
        panic!("refused")
    };
    assert!(
        mv.reason.starts_with("a bx") && mv.reason.ends_with("… [103 more characters]"),
        "{}",
        mv.reason
    );
}

fn read(text: &str) -> String {
    match parse_text(text) {
        Ok(raw) => format!(
            "{}/{}/{}/{}/{}/{:?} {:?}",
            raw.item_id, raw.executor, raw.action, raw.input, raw.reason, raw.next_in, raw.notes
        ),
        Err(error) => error.to_string(),
    }
}

#[test]
fn text_deciders() {
    let object =
        r#"{"item_id":"a","executor":"fix","action":"retarget","input":{"path":"x"},"reason":"r"}"#;
    let expect = r#"a/fix/retarget/{"path":"x"}/r/None []"#;
    assert_eq!(read(object), expect);
    assert_eq!(read(&format!("```json\n{object}\n```\n")), expect);
    assert_eq!(read(&format!("```\n{object}\n```")), expect);
    assert_eq!(
        read(r#"{"executor":"none","reason":"r"}"#),
        "/none//{}/r/None []"
    );
    let fence = "an answer that is neither one JSON object nor one fenced block of it";
    assert_eq!(
        read(&format!("```json\n{object}\n```\n```json\n{object}\n```")),
        fence
    );
    assert_eq!(read(&format!("```json\n{object}")), fence);
    assert_eq!(read(&format!("```python\n{object}\n```")), fence);
    assert_eq!(read(""), "an empty answer");
    assert_eq!(
        read("garbage"),
        "an answer that is not JSON: expected value at line 1 column 1"
    );
    assert_eq!(
        read(&format!("{object}{object}")),
        "an answer that is not JSON: trailing characters at line 1 column 87"
    );
    assert_eq!(
        read(&format!("Here you are: {object}")),
        "an answer that is not JSON: expected value at line 1 column 1"
    );
    assert_eq!(read("[]"), "an answer that is no JSON object");
    assert_eq!(
        read(r#"{"action":"a","input":{},"reason":"r"}"#),
        "an answer without \"executor\""
    );
    assert_eq!(
        read(r#"{"executor":"fix","input":{},"reason":"r"}"#),
        "an answer without \"action\""
    );
    assert_eq!(
        read(r#"{"executor":"fix","action":"a","reason":"r"}"#),
        "an answer without \"input\""
    );
    assert_eq!(
        read(r#"{"executor":1,"action":"a","input":{},"reason":"r"}"#),
        "an answer whose \"executor\" is no text"
    );
    assert_eq!(
        read(&" ".repeat((1 << 20) + 1)),
        "an answer that is 1048577 bytes of JSON, the limit is 1048576"
    );
}

#[test]
fn extra_keys_and_a_bad_next_in_are_noted() {
    let with = |extra: &str| read(&format!(r#"{{"executor":"none","reason":"r",{extra}}}"#));
    assert_eq!(
        with(r#""mood":"good""#),
        r#"/none//{}/r/None ["unknown key ignored: mood"]"#
    );
    assert_eq!(with(r#""next_in":0"#), "/none//{}/r/Some(0) []");
    assert_eq!(with(r#""next_in":90"#), "/none//{}/r/Some(90) []");
    for bad in ["-5", "1.5", "\"5\""] {
        let note = format!(
            "next_in ignored: {} is no whole number of seconds from 0 up",
            bad
        );
        assert_eq!(
            with(&format!("\"next_in\":{bad}")),
            format!("/none//{{}}/r/None {:?}", [note])
        );
    }
    let many: Vec<String> = (0..12).map(|n| format!("\"k{n:02}\":1")).collect();
    assert!(with(&many.join(",")).contains("2 more unknown keys ignored"));
}

#[test]
fn the_situation_is_the_document_of_the_contract() {
    let value = serde_json::to_value(situation()).unwrap();
    let keys: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "answers",
            "beat",
            "budget",
            "executors",
            "flapping",
            "items",
            "last_failure",
            "level",
            "loop",
            "observations",
            "prose",
            "version"
        ]
    );
    assert_eq!(
        serde_json::from_value::<Situation>(value).unwrap(),
        situation()
    );
    let schema = situation_schema();
    assert_eq!(
        schema.pointer("/properties/items/items/$ref"),
        Some(&json!("#/$defs/SituationItem"))
    );
    assert_eq!(
        schema.pointer("/$schema"),
        Some(&json!("https://json-schema.org/draft/2020-12/schema"))
    );
}
