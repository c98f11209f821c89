//! What is decided, and every reason for deciding on nothing.

use serde_json::{Value, json};

use super::*;

fn item(id: &str, labels: &[&str], eligible: bool) -> Value {
    let why_not = (!eligible).then_some("escalated");
    json!({ "id": id, "title": format!("title of {id}"), "labels": labels, "detail": { "of": id }, "eligible": eligible,
            "why_not": why_not })
}

fn executor_with(id: &str, actions: &[&str]) -> Value {
    let actions: Vec<Value> = actions.iter().map(|name| json!({ "name": name })).collect();
    json!({ "id": id, "actions": actions })
}

fn decided(config: Value, items: &[Value], executors: &[Value]) -> Decision {
    let situation =
        json!({ "version": 1, "items": items, "executors": executors, "later": "field" });
    decide(
        &Context::test(config),
        &serde_json::from_value(situation).unwrap(),
    )
    .unwrap()
}

/// Checks (item, executor, action) of a move.
fn runs(config: Value, items: &[Value], executors: &[Value], expect: (&str, &str, &str)) {
    let decision = decided(config, items, executors);
    let item = decision.item.unwrap();
    assert_eq!(
        (
            item.as_str(),
            decision.executor.as_str(),
            decision.action.as_str()
        ),
        expect,
        "{}",
        decision.reason
    );
    assert_eq!(decision.input, json!({ "of": item }));
}

/// Checks the reason for deciding on nothing.
fn rests(config: Value, items: &[Value], executors: &[Value], reason: &str) {
    let decision = decided(config, items, executors);
    assert_eq!(
        (decision.executor.as_str(), decision.reason.as_str()),
        ("none", reason)
    );
    assert_eq!(decision.item, None);
}

#[test]
fn takes_the_first_that_fits() {
    let fix = [executor_with("fix", &["fix"])];
    let items = [
        item("other", &["x"], true),
        item("held", &["fixable"], false),
        item("first", &["y", "fixable"], true),
        item("second", &["fixable"], true),
    ];
    runs(json!({}), &items, &fix, ("first", "fix", "fix"));
    runs(
        json!({ "labels": ["x"] }),
        &items,
        &fix,
        ("other", "fix", "fix"),
    );
    runs(
        json!({ "labels": [] }),
        &items,
        &fix,
        ("other", "fix", "fix"),
    );
    runs(
        json!({ "labels": ["nope", "y"] }),
        &items,
        &fix,
        ("first", "fix", "fix"),
    );
}

#[test]
fn finds_the_executor() {
    let items = [item("a", &["fixable"], true)];
    let both = [
        executor_with("one", &["fix"]),
        executor_with("two", &["fix", "write"]),
    ];
    runs(
        json!({ "executor": "two" }),
        &items,
        &both,
        ("a", "two", "fix"),
    );
    runs(
        json!({ "action": "write" }),
        &items,
        &both,
        ("a", "two", "write"),
    );
}

#[test]
fn says_why_it_does_nothing() {
    let fix = [executor_with("fix", &["fix"])];
    let good = [item("a", &["fixable"], true)];
    rests(json!({}), &[], &fix, "the sensors name no items");
    rests(
        json!({}),
        &[item("a", &["x"], true)],
        &fix,
        "of 1 items none is labelled fixable",
    );
    rests(
        json!({ "labels": ["p", "q"] }),
        &[item("a", &["p"], false), item("b", &["q"], false)],
        &fix,
        "2 items labelled p or q but none is eligible; the first: escalated",
    );
    rests(json!({}), &good, &[], "no executor has the action `fix`");
    rests(
        json!({ "action": "erase" }),
        &good,
        &fix,
        "no executor has the action `erase`",
    );
    rests(
        json!({ "executor": "two" }),
        &good,
        &fix,
        "there is no executor `two` with the action `fix`",
    );
    rests(
        json!({}),
        &good,
        &[
            executor_with("one", &["fix"]),
            executor_with("two", &["fix"]),
        ],
        "2 executors have the action `fix`, and `executor` in the configuration names none: one, two",
    );
}

#[test]
fn an_attempt_is_counted_in_the_reason() {
    let mut again = item("a", &["fixable"], true);
    again["attempts"] = json!(1);
    let decision = decided(json!({}), &[again], &[executor_with("fix", &["fix"])]);
    assert_eq!(
        decision.reason,
        "first eligible item labelled fixable, attempt 2: title of a"
    );
}

#[test]
fn a_wrong_config_is_an_error() {
    let cx = Context::test(json!({ "lables": [] }));
    assert!(matches!(
        decide(&cx, &Situation::default()),
        Err(Error::Config(_))
    ));
}
