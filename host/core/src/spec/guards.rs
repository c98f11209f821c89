//! The keys of a loop file that are about guards: what the decider may cost, how that is found, and how a loop is slowed down.
//!
//! **Invariant:** what is budgeted can be measured, and what is measured has a budget; anything else is an error here, not a
//! breaker that opens after three beats.

use std::ops::Range;

use crate::cadence::{Cadence, Rhythm};
use crate::decision::{CostMode, CostReport, CostRule};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::guard::{Pace, SpendLimit};
use crate::quantity::{Millis, Money};
use crate::toml_doc::Section;

/// The two keys of a budget that the decider's own report is held against.
pub(super) struct SpendKeys {
    per_beat: &'static str,
    per_day: &'static str,
    /// The key of `cost` that says where it is reported.
    cost: &'static str,
    example: &'static str,
    show: fn(u64) -> String,
}

pub(super) static TOKENS: SpendKeys = SpendKeys {
    per_beat: "tokens_per_beat",
    per_day: "tokens_per_day",
    cost: "tokens",
    example: "/usage/total_tokens",
    show: |amount| amount.to_string(),
};
pub(super) static MONEY: SpendKeys = SpendKeys {
    per_beat: "money_per_beat",
    per_day: "money_per_day",
    cost: "money",
    example: "/usage/cost_usd",
    show: |amount| Money(amount).to_string(),
};

/// The limits of one of them, if there are any.
pub(super) fn spend(
    section: Option<&Section>,
    keys: &SpendKeys,
    found: &mut Diagnostics,
) -> Option<SpendLimit> {
    let section = section?;
    let (per_beat, per_day) = (section.amount(keys.per_beat), section.amount(keys.per_day));
    if per_beat.is_some() && !section.has(keys.per_day) {
        let message = format!("`{}` without `{}`", keys.per_beat, keys.per_day);
        let span = section.span_of(keys.per_beat);
        let problem = Diagnostic::error("budget", span, message, "and how much in a day?");
        found.push(problem.with_help(format!("add `{}`: beats repeat", keys.per_day)));
    }
    let per_day = per_day?;
    if let Some(per_beat) = per_beat.filter(|per_beat| *per_beat > per_day) {
        let message = format!(
            "`{}` is {}, and a whole day has {}: no beat could start",
            keys.per_beat,
            (keys.show)(per_beat),
            (keys.show)(per_day)
        );
        let span = section.span_of(keys.per_beat);
        found.push(Diagnostic::error(
            "budget",
            span,
            message,
            "more than a day has",
        ));
    }
    Some(SpendLimit::new(per_beat, per_day))
}

/// The decider's cost rule, held against the budgets.
pub(super) fn cost(root: &Section, found: &mut Diagnostics) -> CostRule {
    let decider = root.one("decider");
    let rule = decider.map_or(CostRule::Undeclared, read);
    let span = decider.map_or_else(|| root.span.clone(), |decider| decider.span_of("cost"));
    if decider.is_some_and(|decider| decider.has("cost")) && rule == CostRule::Undeclared {
        if decider.is_some_and(|decider| decider.one("cost").is_some()) {
            let problem = Diagnostic::error(
                "budget",
                span,
                "`cost` names neither tokens nor money".to_owned(),
                "nothing to find here",
            );
            found.push(problem.with_help("write `cost = \"free\"` if it costs nothing but fuel"));
        }
        return rule;
    }
    for keys in [&TOKENS, &MONEY] {
        agree(root, &rule, keys, span.clone(), found);
    }
    rule
}

/// One without the other is refused: a budget that nothing is held against, or a cost that nothing bounds.
fn agree(
    root: &Section,
    rule: &CostRule,
    keys: &SpendKeys,
    span: Range<usize>,
    found: &mut Diagnostics,
) {
    let budget = root.one("budget");
    let budgeted = budget.is_some_and(|budget| budget.amount(keys.per_day).is_some());
    let reported = match rule {
        CostRule::Undeclared => false,
        // Nothing of it is spent, and that is known.
        CostRule::Free => budgeted,
        CostRule::Reported(report) => match keys.cost {
            "tokens" => report.tokens.is_some(),
            _ => report.money.is_some(),
        },
    };
    let (cost, per_day) = (keys.cost, keys.per_day);
    let problem = match (budgeted, reported) {
        (true, true) | (false, false) => return,
        (true, false) => Diagnostic::error(
            "budget",
            budget.map_or(span, |budget| budget.span_of(per_day)),
            format!("`{per_day}`, and nothing says where the decider reports {cost}"),
            "held against nothing",
        )
        .with_help(format!(
            "in [decider]: `cost = {{ {cost} = {:?} }}`, or `cost = \"free\"`",
            keys.example
        )),
        (false, true) => Diagnostic::error(
            "budget",
            span,
            format!("the decider reports {cost}, and [budget] has no `{per_day}`"),
            "without a limit",
        )
        .with_help(format!("say how much a day may have: `{per_day}`")),
    };
    found.push(problem);
}

fn read(decider: &Section) -> CostRule {
    if decider.text("cost") == Some("free") {
        return CostRule::Free;
    }
    let Some(report) = decider.one("cost") else {
        return CostRule::Undeclared;
    };
    let pointer = |key| report.text(key).map(str::to_owned);
    let (tokens, money) = (pointer("tokens"), pointer("money"));
    if tokens.is_none() && money.is_none() {
        return CostRule::Undeclared;
    }
    CostRule::Reported(CostReport {
        tokens,
        money,
        mode: match report.text("mode") {
            Some("sum") => CostMode::Sum,
            _ => CostMode::Total,
        },
    })
}

// Gaps between times of cron differ; a slowed loop passes over some of them all the same.
const CRON_GAP: Millis = Millis(3_600_000);

/// How the loop is slowed down.
pub(super) fn pace(root: &Section, cadence: &Cadence) -> Pace {
    let section = root.one("guards");
    let amount = |key: &str| section.and_then(|section| section.amount(key));
    let small = |key: &str| amount(key).and_then(|amount| u32::try_from(amount).ok());
    let default = Pace::default();
    let every = match &cadence.rhythm {
        // A loop that is called from outside has a rhythm that nobody has written.
        _ if !root.has("cadence") => default.every,
        Rhythm::Every(every) => *every,
        Rhythm::Cron(_) => CRON_GAP,
    };
    Pace {
        every,
        no_progress_after: small("no_progress_after").unwrap_or(default.no_progress_after),
        no_progress_slowest: small("no_progress_slowest").unwrap_or(default.no_progress_slowest),
        noop_holds: amount("noop_holds").map_or(default.noop_holds, Millis),
    }
}
