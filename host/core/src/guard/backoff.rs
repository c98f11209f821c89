//! The wait after failed beats.

use crate::guard::{Bite, Hold, Situated, wait_end};
use crate::journal::WaitCause;
use crate::text;

/// The wait after the first failure; each further one doubles it.
pub const BACKOFF_BASE_SECONDS: u32 = 60;
/// The longest wait: an hour, so that what heals by itself is noticed the same morning.
pub const BACKOFF_CAP_SECONDS: u32 = 3_600;

/// The wait in seconds after `failures` failed beats in a row; 0 after none.
#[must_use]
pub fn backoff_seconds(failures: u32) -> u32 {
    let Some(doublings) = failures.checked_sub(1) else {
        return 0;
    };
    // 2^31 seconds are far beyond the cap already.
    let factor = 2_u32.checked_pow(doublings.min(31)).unwrap_or(u32::MAX);
    BACKOFF_BASE_SECONDS
        .saturating_mul(factor)
        .min(BACKOFF_CAP_SECONDS)
}

/// The wait that is not over yet.
///
/// A setup that none of these failures had is worth one try at once. It does not reset the count.
pub(super) fn hold(on: &Situated<'_>) -> Option<Hold> {
    let state = on.state;
    let seconds = backoff_seconds(state.failures);
    if seconds == 0 || state.is_new_setup(on.setup) {
        return None;
    }
    let now = on.now.timestamp();
    let since = state.last_failed_at.unwrap_or(now).min(now);
    let until = wait_end(since, now, seconds.into())?;
    let used = text::count(state.failures, "beat", "beats");
    let why = format!(
        "backoff: {used} failed in a row, the last one at {since:.0}: {seconds} s between tries"
    );
    Some(Hold {
        guard: "backoff",
        bite: Bite::Wait(WaitCause::Backoff),
        used,
        limit: format!("{seconds} s"),
        since: Some(since),
        until: Some(until),
        why,
    })
}
