//! What the decider cost besides fuel, as soon as it has answered.
//!
//! **Invariant:** whatever is not reported counts as all that was allowed, so that silence is never cheaper than the truth; a
//! decider that spent more than it was allowed gets nothing done.

use crate::beat::Context;
use crate::decision::{RawDecision, Reported};
use crate::failure::{Failure, FailureClass};
use crate::guard::{self, Allowance, MONEY_PER_BEAT, TOKENS_PER_BEAT};
use crate::journal::Cost;
use crate::manifest::Role;

/// Takes down what `answer` cost, where the loop has a budget for that.
///
/// # Errors
/// A failure of class `budget` when it is more than the beat may spend.
pub(super) fn meter(
    context: &mut Context,
    answer: Result<&RawDecision, &Failure>,
) -> Result<(), Failure> {
    let plan = &context.plan;
    let allowed = guard::allowance(&plan.state, &plan.limits, &plan.now);
    if allowed == Allowance::default() || !context.has_run(Role::Decider) {
        return Ok(());
    }
    let meter = context.keys.meter;
    let (reported, unmetered) = match answer.map(|raw| plan.cost.read(&raw.document())) {
        Ok(Ok(reported)) => (Some(reported), None),
        Ok(Err(error)) => (None, Some(error.to_string())),
        Err(_) => (None, None),
    };
    let all = Reported {
        tokens: allowed.tokens.unwrap_or_default(),
        money: allowed.money.unwrap_or_default(),
    };
    let Reported { tokens, money } = reported.unwrap_or(all);
    if let Some(why) = &unmetered {
        context.notes.push(format!(
            "the decider did not say what it cost ({why}): all that it may cost was counted"
        ));
    }
    context.cost = Some(Cost {
        meter,
        tokens,
        money,
        estimated: reported.is_none(),
        unmetered,
    });
    let over = |budget: &str, used: String, limit: String| {
        let message = format!("{budget}: the decider used {used}, and {limit} was left to it");
        Err(Failure::new(FailureClass::Budget, &message))
    };
    if let Some(limit) = allowed.tokens.filter(|limit| tokens > *limit) {
        return over(TOKENS_PER_BEAT, tokens.to_string(), limit.to_string());
    }
    match allowed.money.filter(|limit| money > *limit) {
        Some(limit) => over(MONEY_PER_BEAT, money.to_string(), limit.to_string()),
        None => Ok(()),
    }
}
