//! What a loop may spend: by beat, and by day of its time zone.
//!
//! **Invariant:** no beat begins that could spend more than its day has left, as far as the host can stop it: fuel is stopped,
//! tokens and money are what the decider says, and one that says too much gets nothing done.

use jiff::civil::Date;
use jiff::{Timestamp, Zoned};

use crate::guard::{Bite, Hold, Purse, Situated};
use crate::journal::{DaySpend, LoopState, Settle, WaitCause};
use crate::quantity::{Fuel, Money};

/// The beat's budget of fuel, as the loop file calls it.
pub const FUEL_PER_BEAT: &str = "fuel_per_beat";
/// The day's budget of fuel, as the loop file calls it.
pub const FUEL_PER_DAY: &str = "fuel_per_day";
/// The day's budget of beats, as the loop file calls it.
pub const BEATS_PER_DAY: &str = "beats_per_day";
/// The day's budget of proposals, as the loop file calls it.
pub const PROPOSALS_PER_DAY: &str = "proposals_per_day";
/// The beat's budget of tokens, as the loop file calls it.
pub const TOKENS_PER_BEAT: &str = "tokens_per_beat";
/// The day's budget of tokens, as the loop file calls it.
pub const TOKENS_PER_DAY: &str = "tokens_per_day";
/// The beat's budget of money, as the loop file calls it.
pub const MONEY_PER_BEAT: &str = "money_per_beat";
/// The day's budget of money, as the loop file calls it.
pub const MONEY_PER_DAY: &str = "money_per_day";

// Limit: from here on a day's budget is kept for looking, not for changing.
const NEAR_PERCENT: u128 = 80;
// Limit: what a beat may spend where nobody says: a tenth of its day.
const BEATS_OF_A_DAY: u64 = 10;

/// What a loop may spend. All limits are above zero, and there is no way to write «unlimited».
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLimits {
    /// Fuel of all steps of a beat together.
    pub fuel_per_beat: Fuel,
    /// Fuel of all beats that end on one local day.
    pub fuel_per_day: Fuel,
    /// Beats of one local day that get as far as calling the decider.
    pub beats_per_day: u64,
    /// Changes that are proposed or committed on one local day; none where the beats are limit enough.
    pub proposals_per_day: Option<u64>,
    /// Tokens, where the decider uses any.
    pub tokens: Option<SpendLimit>,
    /// Money in millionths, where the decider costs any.
    pub money: Option<SpendLimit>,
}

/// What may be spent of something that the decider reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct SpendLimit {
    /// In one beat.
    pub per_beat: u64,
    /// True when the operator wrote that: a beat then has all of it or does not begin.
    pub written: bool,
    /// On one local day.
    pub per_day: u64,
}

/// What the decider of a beat may report at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowance {
    /// Tokens; none where the loop has no budget for them.
    pub tokens: Option<u64>,
    /// Money; none where the loop has no budget for it.
    pub money: Option<Money>,
}

impl SpendLimit {
    /// The limits as they are written; a beat may spend a tenth of its day where that is all there is.
    #[must_use]
    pub fn new(per_beat: Option<u64>, per_day: u64) -> Self {
        Self {
            per_beat: per_beat.unwrap_or((per_day / BEATS_OF_A_DAY).max(1)),
            written: per_beat.is_some(),
            per_day,
        }
    }

    fn left(&self, spent: u64) -> u64 {
        self.per_day.saturating_sub(spent)
    }
}

/// One budget of the day and what is used of it.
struct Line {
    budget: &'static str,
    used: u64,
    limit: u64,
    show: fn(u64) -> String,
    /// False where a day that is nearly used up is no reason to hold back.
    nears: bool,
    /// What a beat must be able to spend before it begins.
    needs: u64,
}

fn lines(limits: &BudgetLimits, spent: &DaySpend, settle: Settle) -> Vec<Line> {
    let plain: fn(u64) -> String = |amount| amount.to_string();
    let line = |budget, used, limit| Line {
        budget,
        used,
        limit,
        show: plain,
        nears: true,
        needs: 1,
    };
    let mut lines = vec![
        Line {
            show: |amount| Fuel(amount).to_string(),
            ..line(FUEL_PER_DAY, spent.fuel.0, limits.fuel_per_day.0)
        },
        line(BEATS_PER_DAY, spent.beats, limits.beats_per_day),
    ];
    let needs = |limit: &SpendLimit| if limit.written { limit.per_beat } else { 1 };
    lines.extend(limits.tokens.map(|limit| Line {
        needs: needs(&limit),
        ..line(TOKENS_PER_DAY, spent.tokens, limit.per_day)
    }));
    lines.extend(limits.money.map(|limit| Line {
        needs: needs(&limit),
        show: |amount| Money(amount).to_string(),
        ..line(MONEY_PER_DAY, spent.money.0, limit.per_day)
    }));
    // A loop that only records proposes nothing.
    let proposals = limits
        .proposals_per_day
        .filter(|_| settle != Settle::Shadow);
    lines.extend(proposals.map(|limit| Line {
        nears: false,
        ..line(PROPOSALS_PER_DAY, spent.proposals, limit)
    }));
    lines
}

/// Every budget of the day that does not cover another beat.
pub(super) fn used_up(on: &Situated<'_>) -> Vec<Hold> {
    let spent = spent(on.state, on.now);
    let lines = lines(on.limits, &spent, on.settle);
    let short = |line: &Line| line.limit.saturating_sub(line.used) < line.needs;
    let holds = lines.into_iter().filter(short).map(|line| {
        let Line {
            budget,
            used,
            limit,
            show,
            needs,
            ..
        } = line;
        let until = frees(on, budget);
        let (used_text, limit_text) = (show(used), show(limit));
        let needs = if used < limit {
            format!(", and a beat may need {}", show(needs))
        } else {
            String::new()
        };
        let why =
            format!("{budget}: {used_text} of {limit_text} used{needs}, free again at {until:.0}");
        Hold {
            guard: budget,
            bite: Bite::Wait(WaitCause::Budget),
            used: used_text,
            limit: limit_text,
            since: None,
            until: Some(until),
            why,
        }
    });
    holds.collect()
}

/// Every budget of the day that is nearly used up.
pub(super) fn near(on: &Situated<'_>) -> Vec<Hold> {
    let spent = spent(on.state, on.now);
    let is_near = |line: &Line| {
        line.nears && u128::from(line.used) * 100 >= u128::from(line.limit) * NEAR_PERCENT
    };
    let lines = lines(on.limits, &spent, on.settle);
    let holds = lines.into_iter().filter(is_near).map(|line| {
        let until = day_end(on.now);
        let (used, limit) = (line.shown(line.used), line.shown(line.limit));
        let why = format!(
            "{}: {used} of {limit} used; from {NEAR_PERCENT} % until {until} changes are recorded and no longer proposed",
            line.budget
        );
        Hold {
            guard: line.budget,
            bite: Bite::ShadowOnly,
            used,
            limit,
            since: None,
            until: Some(until),
            why,
        }
    });
    holds.collect()
}

impl Line {
    /// In three digits, where it is fuel: such figures are long and say nothing at their end.
    fn shown(&self, amount: u64) -> String {
        if self.budget == FUEL_PER_DAY {
            Fuel(amount).approx()
        } else {
            (self.show)(amount)
        }
    }
}

/// When a budget that does not cover another beat does so again: when the day ends on which it is spent.
fn frees(on: &Situated<'_>, budget: &str) -> Timestamp {
    let used_up = |day: &Date| {
        let lines = lines(on.limits, &on.state.day(*day), on.settle);
        let same = |line: &&Line| line.budget == budget;
        let short = |line: &Line| line.limit.saturating_sub(line.used) < line.needs;
        lines.iter().find(same).is_some_and(short)
    };
    let last = on.state.days_after(on.now.date()).filter(used_up).max();
    let midnight = last.and_then(|day| day.to_zoned(on.now.time_zone().clone()).ok());
    day_end(midnight.as_ref().unwrap_or(on.now))
}

/// What a beat that begins now has to reckon with: the most of today and of each later day that is remembered. A clock that
/// stepped back has spent of those already, and gets no second budget.
#[must_use]
pub fn spent(state: &LoopState, now: &Zoned) -> DaySpend {
    let later = state.days_after(now.date()).map(|day| state.day(day));
    later.fold(state.day(now.date()), |most, day| most.max(&day))
}

/// The purse of a beat that begins at `now`.
#[must_use]
pub fn open_purse(state: &LoopState, limits: &BudgetLimits, now: &Zoned) -> Purse {
    Purse::new(
        limits.fuel_per_beat,
        limits.fuel_per_day.minus(spent(state, now).fuel),
    )
}

/// What the decider of a beat that begins at `now` may report.
#[must_use]
pub fn allowance(state: &LoopState, limits: &BudgetLimits, now: &Zoned) -> Allowance {
    let spent = spent(state, now);
    let of = |limit: SpendLimit, spent| limit.per_beat.min(limit.left(spent));
    Allowance {
        tokens: limits.tokens.map(|limit| of(limit, spent.tokens)),
        money: limits.money.map(|limit| Money(of(limit, spent.money.0))),
    }
}

/// When the day of `now` ends: the next local midnight, or the moment that stands for it where the clocks skip it.
#[must_use]
pub fn day_end(now: &Zoned) -> Timestamp {
    // Only the last day that can be written has no tomorrow.
    now.tomorrow()
        .and_then(|tomorrow| tomorrow.start_of_day())
        .map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}
