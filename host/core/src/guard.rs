//! Whether a decision may be taken now, and what may come of it: modes, budgets, backoff and pace.
//!
//! Pure functions over [`LoopState`] and the time that the runner passes in, which carries the loop's time zone. Each guard
//! answers with a [`Hold`] or with nothing; [`holds`] has all of them for people, [`guard`] what the beat acts on.
//!
//! **Invariant:** no clock that steps back makes a wait negative or longer than its full length, and every hold names
//! what is used, the limit, and when it frees.

use std::fmt;

use jiff::{SignedDuration, Timestamp, Zoned};

use crate::digest::Digest;
use crate::journal::{LoopState, Settle, WaitCause};

mod backoff;
mod budget;
mod calendar;
mod mode;
mod pace;
mod purse;
mod unmetered;
mod waiting;

pub use backoff::{BACKOFF_BASE_SECONDS, BACKOFF_CAP_SECONDS, backoff_seconds};
pub use budget::{
    Allowance, BEATS_PER_DAY, BudgetLimits, FUEL_PER_BEAT, FUEL_PER_DAY, MONEY_PER_BEAT,
    MONEY_PER_DAY, PROPOSALS_PER_DAY, SpendLimit, TOKENS_PER_BEAT, TOKENS_PER_DAY, allowance,
    day_end, open_purse, spent,
};
pub use calendar::{CALENDAR_BYTES_MAX, Calendar, CalendarError, Freeze};
pub use mode::{Mode, Stance, mode, stopped_by_rule};
pub use pace::{NO_PROGRESS_AFTER, NO_PROGRESS_SLOWEST, NOOP_HOLDS, Pace, noop_aged};
pub use purse::{FuelCap, OverBudget, Purse};
pub use unmetered::UNMETERED_MAX;
pub use waiting::{OVERDUE_HOURS, Overdue, REMIND_HOURS, overdue};

/// Everything that the guards look at.
#[derive(Debug, Clone, Copy)]
pub struct Situated<'a> {
    /// The loop's past.
    pub state: &'a LoopState,
    /// What it may spend.
    pub limits: &'a BudgetLimits,
    /// How it is slowed down.
    pub pace: &'a Pace,
    /// What becomes of a change, if no guard lowers it.
    pub settle: Settle,
    /// The digest of loop file and plugins.
    pub setup: &'a Digest,
    /// The digest of the decider and how its cost is found.
    pub meter: &'a Digest,
    /// That a calendar forbids beats now.
    pub freeze: Option<&'a Freeze>,
    /// Now, in the loop's time zone.
    pub now: &'a Zoned,
}

/// What a hold does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bite {
    /// No decision is taken.
    Wait(WaitCause),
    /// A change is recorded as a patch and goes no further.
    ShadowOnly,
}

/// One guard that holds the loop back. Shown as its `why`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The guard's name: a budget as the loop file calls it, `backoff`, `no-progress`, `noise` …
    pub guard: &'static str,
    /// What it does.
    pub bite: Bite,
    /// What is used or was counted.
    pub used: String,
    /// The limit it is held against.
    pub limit: String,
    /// Since when; none when that is not known.
    pub since: Option<Timestamp>,
    /// When it ends by itself; none when only a person ends it.
    pub until: Option<Timestamp>,
    /// All of it in one line: guard, figures, and how it ends.
    pub why: String,
}

/// What the guards say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// A decision may be taken.
    Go {
        /// Why its change may be recorded, not proposed.
        shadow_only: Option<Hold>,
    },
    /// None may, for now.
    Wait(Hold),
}

impl Hold {
    /// When it ends by itself; [`Timestamp::MAX`] when only a person ends it.
    #[must_use]
    pub fn until_or_never(&self) -> Timestamp {
        self.until.unwrap_or(Timestamp::MAX)
    }

    /// What a beat waits for, if it has to.
    #[must_use]
    pub fn cause(&self) -> Option<WaitCause> {
        match self.bite {
            Bite::Wait(cause) => Some(cause),
            Bite::ShadowOnly => None,
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// All that holds the loop back, what weighs most first. Empty when a beat may do whatever the loop may.
#[must_use]
pub fn holds(on: &Situated<'_>) -> Vec<Hold> {
    let mut holds = mode::holds(on);
    holds.extend(budget::used_up(on));
    let later = [backoff::hold(on), pace::hold(on)];
    // Of two waits the longer one counts.
    let mut later: Vec<Hold> = later.into_iter().flatten().collect();
    later.sort_by_key(|hold| std::cmp::Reverse(hold.until));
    holds.extend(later);
    holds.extend(budget::near(on));
    holds.sort_by_key(|hold| hold.cause().is_none());
    holds
}

/// Judges whether a decision may be taken.
#[must_use]
pub fn guard(on: &Situated<'_>) -> Guard {
    match holds(on).into_iter().next() {
        Some(hold) if hold.cause().is_some() => Guard::Wait(hold),
        shadow_only => Guard::Go { shadow_only },
    }
}

/// What forbids a beat before anything is looked at: looking costs fuel, too.
#[must_use]
pub fn before_sensing(on: &Situated<'_>) -> Option<Hold> {
    let mut holds = mode::holds(on);
    holds.extend(budget::used_up(on));
    // Where looking is what failed, nothing else would ever wait.
    holds.extend(backoff::hold(on).filter(|_| on.state.failed_blind));
    holds.into_iter().find(|hold| hold.cause().is_some())
}

/// The budget of the day that is used up, as far as that can be said without the plugins.
#[must_use]
pub fn refuse_day(state: &LoopState, limits: &BudgetLimits, now: &Zoned) -> Option<Hold> {
    let used_up = without_plugins(state, limits, now, budget::used_up);
    used_up.into_iter().next()
}

/// Why changes are only recorded now, at a level that would have more come of them.
#[must_use]
pub fn only_recorded(state: &LoopState, limits: &BudgetLimits, now: &Zoned) -> Option<Hold> {
    let holds = without_plugins(state, limits, now, |on| {
        [mode::holds(on), budget::near(on)].concat()
    });
    holds.into_iter().find(|hold| hold.cause().is_none())
}

/// What does not go by the plugins.
fn without_plugins(
    state: &LoopState,
    limits: &BudgetLimits,
    now: &Zoned,
    say: impl FnOnce(&Situated<'_>) -> Vec<Hold>,
) -> Vec<Hold> {
    let (pace, none) = (Pace::default(), Digest::of(b""));
    say(&Situated {
        state,
        limits,
        pace: &pace,
        settle: Settle::Propose,
        setup: &none,
        meter: &none,
        freeze: None,
        now,
    })
}

/// When a wait of `seconds` that began at `since` ends, if it has not. A clock that stepped back would make it longer than
/// it is: all of it counts from now, then.
fn wait_end(since: Timestamp, now: Timestamp, seconds: u64) -> Option<Timestamp> {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let until = since
        .min(now)
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX);
    (now < until).then_some(until)
}

#[cfg(test)]
mod tests;
