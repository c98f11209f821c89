//! Whether a decision may be taken now: backoff after failures, and what the day may cost.
//!
//! Pure functions over [`LoopState`] and the time that the runner passes in, which carries the loop's time zone.
//!
//! **Invariant:** no clock that steps back makes a wait negative or longer than its full length, and every refusal names
//! what is used, the limit, and when it frees.

use jiff::{Timestamp, Zoned};

use crate::digest::Digest;
use crate::journal::{DaySpend, LoopState};
use crate::quantity::Fuel;

mod backoff;
mod calendar;
mod purse;
mod waiting;

pub use backoff::{BACKOFF_BASE_SECONDS, BACKOFF_CAP_SECONDS, backoff_seconds};
pub use calendar::{CALENDAR_BYTES_MAX, Calendar, CalendarError, Freeze};
pub use purse::{FuelCap, OverBudget, Purse};
pub use waiting::{OVERDUE_HOURS, Overdue, REMIND_HOURS, overdue};

/// What a loop may spend. All limits are above zero, and there is no way to write «unlimited».
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLimits {
    /// Fuel of all steps of a beat together.
    pub fuel_per_beat: Fuel,
    /// Fuel of all beats that end on one local day.
    pub fuel_per_day: Fuel,
    /// Beats of one local day that get as far as calling the decider.
    pub beats_per_day: u64,
}

/// What the guards say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// A decision may be taken.
    Go {
        /// Why its change may be recorded, not proposed: the day's fuel is nearly used up.
        shadow_only: Option<String>,
    },
    /// Beats failed; the next try is not due.
    Wait {
        /// When it is.
        until: Timestamp,
        /// With figures.
        why: String,
    },
    /// A budget of the day is used up.
    Refuse(Refusal),
}

/// A budget that is used up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{budget}: {used} of {limit} used, free again at {frees_at}")]
pub struct Refusal {
    /// `fuel_per_day` or `beats_per_day`, as in the loop file.
    pub budget: &'static str,
    /// What is used.
    pub used: u64,
    /// The limit.
    pub limit: u64,
    /// When the day ends.
    pub frees_at: Timestamp,
}

/// The beat's budget of fuel, as the loop file calls it.
pub const FUEL_PER_BEAT: &str = "fuel_per_beat";
/// The day's budget of fuel, as the loop file calls it.
pub const FUEL_PER_DAY: &str = "fuel_per_day";
/// The day's budget of beats, as the loop file calls it.
pub const BEATS_PER_DAY: &str = "beats_per_day";

// Limit: from here on a day's fuel is kept for looking, not for changing.
const NEAR_PERCENT: u128 = 80;

/// Judges whether a decision may be taken at `now` (a time of the loop's time zone) under `setup`.
#[must_use]
pub fn guard(state: &LoopState, limits: &BudgetLimits, now: &Zoned, setup: &Digest) -> Guard {
    if let Some(refusal) = refuse_day(state, limits, now) {
        return Guard::Refuse(refusal);
    }
    if let Some((until, why)) = backoff::wait(state, now.timestamp(), setup) {
        return Guard::Wait { until, why };
    }
    Guard::Go {
        shadow_only: near(today(state, now).fuel, limits.fuel_per_day),
    }
}

/// The refusal by a budget of the day, if one is used up.
#[must_use]
pub fn refuse_day(state: &LoopState, limits: &BudgetLimits, now: &Zoned) -> Option<Refusal> {
    let spent = today(state, now);
    [
        (FUEL_PER_DAY, spent.fuel.0, limits.fuel_per_day.0),
        (BEATS_PER_DAY, spent.beats, limits.beats_per_day),
    ]
    .into_iter()
    .find(|(_, used, limit)| used >= limit)
    .map(|(budget, used, limit)| Refusal {
        budget,
        used,
        limit,
        frees_at: day_end(now),
    })
}

/// What the day of `now` cost so far.
#[must_use]
pub fn today(state: &LoopState, now: &Zoned) -> DaySpend {
    state.day(now.date())
}

/// The purse of a beat that begins at `now`.
#[must_use]
pub fn open_purse(state: &LoopState, limits: &BudgetLimits, now: &Zoned) -> Purse {
    Purse::new(
        limits.fuel_per_beat,
        limits.fuel_per_day.minus(today(state, now).fuel),
    )
}

fn near(used: Fuel, limit: Fuel) -> Option<String> {
    let near = u128::from(used.0) * 100 >= u128::from(limit.0) * NEAR_PERCENT;
    near.then(|| format!("{FUEL_PER_DAY}: {} of {} used, at {NEAR_PERCENT} % changes are recorded and no longer proposed", used.approx(), limit.approx()))
}

/// When the day of `now` ends: the next local midnight, or the moment that stands for it where the clocks skip it.
#[must_use]
pub fn day_end(now: &Zoned) -> Timestamp {
    // Only the last day that can be written has no tomorrow.
    now.tomorrow()
        .and_then(|tomorrow| tomorrow.start_of_day())
        .map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}

#[cfg(test)]
mod tests;
