//! Budgets of what deciders report, cost rules, and how a loop is slowed down.

use super::*;
use crate::decision::{CostMode, CostReport};

/// The small file with this decider's `cost` and these further tables.
fn text(cost: &str, tables: &str) -> String {
    SMALL
        .replacen("\"std:pick\"", &format!("\"std:pick\"\n{cost}"), 1)
        .replacen("+++\nProse.", &format!("{tables}\n+++\nProse."), 1)
}

fn says(cost: &str, tables: &str) -> String {
    problems(&text(cost, tables))
}

#[test]
fn what_is_read() {
    let plain = spec(SMALL);
    assert_eq!(
        (plain.cost, plain.pace),
        (CostRule::Undeclared, Pace::default())
    );
    assert_eq!((plain.budget.tokens, plain.budget.money), (None, None));
    let cost = "cost = { tokens = \"/usage/total\", money = \"/usage/cost~1usd\" }";
    let budget =
        "[budget]\ntokens_per_day = 1_000\nmoney_per_day = \"5.00\"\nmoney_per_beat = \"0.5\"";
    let read = spec(&text(cost, budget));
    let report = CostReport {
        tokens: Some("/usage/total".to_owned()),
        money: Some("/usage/cost~1usd".to_owned()),
        mode: CostMode::Total,
    };
    assert_eq!(read.cost, CostRule::Reported(report));
    let limits = |per_beat, written, per_day| {
        Some(SpendLimit {
            per_beat,
            written,
            per_day,
        })
    };
    assert_eq!(read.budget.tokens, limits(100, false, 1_000));
    assert_eq!(read.budget.money, limits(500_000, true, 5_000_000));
    let free = spec(&text("cost = \"free\"", "[budget]\nmoney_per_day = \"1\""));
    assert_eq!(free.cost, CostRule::Free);
    assert_eq!(spec(&text("cost = \"free\"", "")).cost, CostRule::Free);
}

#[test]
fn a_budget_and_what_is_held_against_it_come_together() {
    insta::assert_snapshot!(says("", "[budget]\ntokens_per_day = 5"), @r#"
    15:18 error[budget] `tokens_per_day`, and nothing says where the decider reports tokens
        help: in [decider]: `cost = { tokens = "/usage/total_tokens" }`, or `cost = "free"`
    "#);
    let money = "cost = { money = \"/cost\" }";
    insta::assert_snapshot!(says(money, "[budget]\ntokens_per_day = 5"), @r#"
    9:8 error[budget] the decider reports money, and [budget] has no `money_per_day`
        help: say how much a day may have: `money_per_day`
    15:18 error[budget] `tokens_per_day`, and nothing says where the decider reports tokens
        help: in [decider]: `cost = { tokens = "/usage/total_tokens" }`, or `cost = "free"`
    "#);
    insta::assert_snapshot!(says("cost = \"free\"", "[budget]\nmoney_per_beat = \"1\""), @"
    15:18 error[budget] `money_per_beat` without `money_per_day`
        help: add `money_per_day`: beats repeat
    ");
    insta::assert_snapshot!(says("cost = \"free\"", "[budget]\nmoney_per_day = \"1\"\nmoney_per_beat = \"1.01\""), @"16:18 error[budget] `money_per_beat` is 1.01, and a whole day has 1.00: no beat could start");
}

#[test]
fn amounts_that_are_none() {
    for (cost, tables, expect) in [
        (
            "cost = \"cheap\"",
            "",
            "9:8 error[bad-value] `cost` is \"free\", not \"cheap\"",
        ),
        (
            "cost = 5",
            "",
            "9:8 error[wrong-type] `cost` is a word or a table, not an integer",
        ),
        (
            "cost = {}",
            "",
            "9:8 error[budget] `cost` names neither tokens nor money",
        ),
        (
            "cost = { tokens = \"usage\" }",
            "",
            "\"usage\" is no JSON Pointer such as \"/usage/total_tokens\"",
        ),
        (
            "cost = { tokens = \"/a~2\" }",
            "",
            "\"/a~2\" is no JSON Pointer",
        ),
        (
            "cost = { tokens = \"/a\", mode = \"mean\" }",
            "[budget]\ntokens_per_day = 5",
            "`mode` is \"total\" or \"sum\", not \"mean\"",
        ),
        (
            "cost = \"free\"",
            "[budget]\nmoney_per_day = \"0\"",
            "\"0\" is not an amount of money above zero, such as \"5.00\"",
        ),
        (
            "cost = \"free\"",
            "[budget]\nmoney_per_day = \"NaN\"",
            "\"NaN\" is not an amount of money above zero",
        ),
        (
            "cost = \"free\"",
            "[budget]\nmoney_per_day = 5",
            "`money_per_day` is an amount of money, as a text, not an integer",
        ),
        (
            "cost = \"free\"",
            "[budget]\ntokens_per_day = 0",
            "0 is not above zero, and no number means «unlimited»",
        ),
        (
            "",
            "[budget]\nproposals_per_day = -1",
            "-1 is not above zero",
        ),
        (
            "",
            "[guards]\nno_progress_after = -1",
            "`no_progress_after` is a whole number from 0 to 10000",
        ),
        (
            "",
            "[guards]\nno_progress_slowest = 0",
            "`no_progress_slowest` is a whole number from 1 to 10000",
        ),
        (
            "",
            "[guards]\nno_progress_slowest = 10_001",
            "`no_progress_slowest` is a whole number from 1 to 10000",
        ),
        (
            "",
            "[guards]\nnoop_holds = \"0h\"",
            "\"0h\" is not a duration above zero",
        ),
        (
            "",
            "[guards]\nnoop_holds = \"31d\"",
            "`noop_holds` is 31d, and the most is 30d",
        ),
    ] {
        let said = says(cost, tables);
        assert!(said.contains(expect), "{cost} {tables}: {said}");
    }
}
