//! The breaker for deciders that cost something and do not say what.

use crate::guard::{Bite, Hold, Situated};
use crate::journal::{LoopState, Unmetered, WaitCause};

/// Beats in a row without a report before the decider is called no more.
// Limit: once may be an accident of the service behind it, three times it does not report.
pub const UNMETERED_MAX: u32 = 3;

/// The breaker, if it is open for this decider and this cost rule.
pub(super) fn hold(on: &Situated<'_>) -> Option<Hold> {
    open(on.state)
        .filter(|unmetered| unmetered.meter == *on.meter)
        .map(|unmetered| tripped(&unmetered))
}

/// The breaker, if it is open for the decider that was called last: whoever does not know the plugins knows no other.
pub(super) fn last(state: &LoopState) -> Option<Hold> {
    open(state).map(|unmetered| tripped(&unmetered))
}

fn open(state: &LoopState) -> Option<Unmetered> {
    let unmetered = state.evidence.unmetered?;
    (unmetered.in_a_row >= UNMETERED_MAX).then_some(unmetered)
}

fn tripped(unmetered: &Unmetered) -> Hold {
    let used = unmetered.in_a_row.to_string();
    let why = format!(
        "unmetered: the decider did not say what it cost {used} times in a row, the limit is {UNMETERED_MAX}; until decider or `cost` is another, or the loop is resumed"
    );
    Hold {
        guard: "unmetered",
        bite: Bite::Wait(WaitCause::Unmetered),
        used,
        limit: UNMETERED_MAX.to_string(),
        since: Some(unmetered.at),
        until: None,
        why,
    }
}
