//! How a loop that gets nowhere is slowed down, and how long a «nothing to do» is believed.

use jiff::Timestamp;

use crate::guard::{Bite, Hold, Situated, wait_end};
use crate::journal::{Decided, SHIP_RATE_MOVES, WaitCause};
use crate::quantity::Millis;

/// Moves in vain that change nothing yet.
// Limit: two attempts at one item and one at the next are no pattern.
pub const NO_PROGRESS_AFTER: u32 = 3;
/// How many times slower a loop becomes at most.
// Limit: a quarter of an hour becomes most of a working day.
pub const NO_PROGRESS_SLOWEST: u32 = 30;
/// How long a «nothing to do» is believed while nothing changes.
// Limit: a wrong one costs at most the morning; a right one costs four calls a day.
pub const NOOP_HOLDS: Millis = Millis(6 * 3_600_000);
// Limit: for loops that are called from outside: as often as backoff begins.
const EVERY_DEFAULT: Millis = Millis(60_000);
// With this many of the last moves settled or fewer, the loop is slowed: by four, by two.
const POOR: usize = 2;
const MODEST: usize = 4;

/// How a loop is slowed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Pace {
    /// The time from beat to beat that a slowed loop takes a multiple of.
    pub every: Millis,
    /// Moves in vain that change nothing yet.
    pub no_progress_after: u32,
    /// How many times slower it becomes at most.
    pub no_progress_slowest: u32,
    /// How long a «nothing to do» is believed.
    pub noop_holds: Millis,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            every: EVERY_DEFAULT,
            no_progress_after: NO_PROGRESS_AFTER,
            no_progress_slowest: NO_PROGRESS_SLOWEST,
            noop_holds: NOOP_HOLDS,
        }
    }
}

impl Pace {
    /// How many times slower after `in_vain` moves in a row that got the loop no further; 1 for not at all.
    #[must_use]
    pub fn slower(&self, in_vain: u32) -> u32 {
        let over = in_vain.saturating_sub(self.no_progress_after);
        over.saturating_add(1).min(self.no_progress_slowest.max(1))
    }
}

/// How many times slower where few of the last moves were settled; 1 for not at all, and until there are enough of them.
fn slower_by_rate((shipped, all): (usize, usize)) -> u32 {
    if all < SHIP_RATE_MOVES || shipped > MODEST {
        1
    } else if shipped > POOR {
        2
    } else {
        4
    }
}

/// By how much the loop is slowed down, which rule says so, what it counted, and its limit.
pub(super) fn slowed(on: &Situated<'_>) -> Option<(u32, &'static str, String, String)> {
    let evidence = &on.state.evidence;
    let in_vain = on.pace.slower(evidence.no_progress);
    let rate = evidence.ship_rate();
    let by_rate = slower_by_rate(rate);
    if in_vain.max(by_rate) <= 1 {
        None
    } else if in_vain >= by_rate {
        let used = format!("{} moves in vain", evidence.no_progress);
        let limit = on.pace.no_progress_after.to_string();
        Some((in_vain, "no-progress", used, limit))
    } else {
        let used = format!("{} of the last {} moves settled", rate.0, rate.1);
        Some((by_rate, "ship-rate", used, (MODEST + 1).to_string()))
    }
}

/// The wait that is not over yet. Another setup is worth a try at once, as it is after failures.
pub(super) fn hold(on: &Situated<'_>) -> Option<Hold> {
    let (factor, guard, used, limit) = slowed(on)?;
    let last = on.state.evidence.last_attempt?;
    if last.setup != *on.setup {
        return None;
    }
    let now = on.now.timestamp();
    let seconds = (on.pace.every.0 / 1_000)
        .max(1)
        .saturating_mul(factor.into());
    let until = wait_end(last.at, now, seconds)?;
    let why = format!(
        "{guard}: {used}, the limit is {limit}: {factor} times slower, {seconds} s between decisions"
    );
    Some(Hold {
        guard,
        bite: Bite::Wait(WaitCause::NoProgress),
        used,
        limit,
        since: Some(last.at.min(now)),
        until: Some(until),
        why,
    })
}

/// Whether a «nothing to do» is too old to be believed. One from the future is: the clock was wrong then or is now.
#[must_use]
pub fn noop_aged(decided: &Decided, pace: &Pace, now: Timestamp) -> bool {
    decided.nothing_for.is_some()
        && (decided.at > now || wait_end(decided.at, now, pace.noop_holds.0 / 1_000).is_none())
}
