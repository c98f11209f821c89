//! The wait after failed beats.

use jiff::{SignedDuration, Timestamp};

use crate::digest::Digest;
use crate::journal::LoopState;

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

/// Until when a try under `setup` has to wait at `now`, and why; none when it is due.
///
/// A setup that none of these failures had is worth one try at once. It does not reset the count.
pub(super) fn wait(
    state: &LoopState,
    now: Timestamp,
    setup: &Digest,
) -> Option<(Timestamp, String)> {
    let seconds = backoff_seconds(state.failures);
    if seconds == 0 || !state.failed_setups.contains(setup) {
        return None;
    }
    // A clock that stepped back would make the wait longer than it is; the full wait counts from now, then.
    let since = state.last_failed_at.unwrap_or(now).min(now);
    let until = since
        .checked_add(SignedDuration::from_secs(i64::from(seconds)))
        .unwrap_or(Timestamp::MAX);
    let why = format!(
        "{} failed in a row, the last one at {since}: {seconds} s between tries",
        count(state.failures)
    );
    (now < until).then_some((until, why))
}

fn count(failures: u32) -> String {
    if failures == 1 {
        "1 beat".to_owned()
    } else {
        format!("{failures} beats")
    }
}
