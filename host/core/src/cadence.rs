//! When the next beat of a loop is due, and why then.
//!
//! Owns what a loop file says about that ([`Cadence`]) and the answer ([`Next`]), which follows from the loop's history and a
//! time that is passed in. `cron` reads the five fields, `schedule` keeps many loops in order.
//!
//! **Invariant:** however long nothing ran, one beat is due and not those that were missed; no clock that was wrong keeps
//! a loop waiting for longer than its cadence and an hour.

mod cron;
mod schedule;

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::cron::{Cron, CronError};
pub use self::schedule::Schedule;
use crate::digest::{Digest, PartsHasher};
use crate::ids::LoopId;
use crate::journal::LoopState;
use crate::quantity::Millis;

// Limit: how far ahead of the clock the last beat may be before the clock of that time counts as wrong.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(1);

/// How often a loop beats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cadence {
    /// The rule.
    #[serde(flatten)]
    pub rhythm: Rhythm,
    /// How much later than its tick a beat is due at most; none when it is due at the tick.
    pub jitter: Option<Millis>,
    /// IANA name of the time zone that `cron` speaks of: of the right shape, existing or not.
    pub timezone: String,
}

/// The rule by which ticks follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rhythm {
    /// So long after the last beat began.
    Every(Millis),
    /// At these times of a time zone.
    Cron(Cron),
}

/// What the next beat's time follows from; a part of [`LoopState`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pace {
    /// When the last beat began.
    pub began: Option<Timestamp>,
    /// What it waits for, until something else is said.
    pub waits: Option<Waits>,
}

/// A wait that a beat ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// When it is over.
    pub until: Timestamp,
    /// Under which loop file: another one is worth a beat.
    pub loop_file: Digest,
}

/// When the next beat is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Next {
    /// When: past or now, when it is due.
    pub at: Timestamp,
    /// Why then.
    pub why: Why,
}

/// Why a beat is due when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The loop has never run.
    First,
    /// Its cadence.
    Cadence,
    /// The decider asked to be woken before its cadence.
    Wake,
    /// The last beat said that it has to wait for longer than its cadence.
    Wait,
    /// The last beat began in the future: a clock was wrong, and nobody knows for how long.
    Clock,
    /// The last beat could not begin: the next try.
    Retry,
}

impl Cadence {
    /// The first tick after `time`; none in the centuries that dates are written for.
    #[must_use]
    pub fn tick_after(&self, time: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match &self.rhythm {
            Rhythm::Every(every) => time.checked_add(duration(*every)).ok(),
            Rhythm::Cron(cron) => cron.after(time, zone),
        }
    }

    /// When the next beat is due. `loop_file` is the digest of the file as it is now; `since` is from when on a loop that never
    /// ran counts the times of its cron.
    #[must_use]
    pub fn next(
        &self,
        loop_id: &LoopId,
        zone: &TimeZone,
        state: &LoopState,
        loop_file: &Digest,
        since: Timestamp,
        now: Timestamp,
    ) -> Next {
        let due = self.due(loop_id, zone, state, since, now);
        match state.pace.waits {
            Some(waits)
                if due.why != Why::Clock
                    && waits.until > due.at
                    && waits.loop_file == *loop_file =>
            {
                Next {
                    at: waits.until,
                    why: Why::Wait,
                }
            }
            _ => due,
        }
    }

    fn due(
        &self,
        loop_id: &LoopId,
        zone: &TimeZone,
        state: &LoopState,
        since: Timestamp,
        now: Timestamp,
    ) -> Next {
        let from = match (state.pace.began, &self.rhythm) {
            (Some(began), _) if began.duration_since(now) > AHEAD_MAX => {
                return Next {
                    at: now,
                    why: Why::Clock,
                };
            }
            (Some(began), _) => began,
            (None, Rhythm::Every(_)) => {
                return Next {
                    at: since,
                    why: Why::First,
                };
            }
            (None, Rhythm::Cron(_)) => since,
        };
        let at = self
            .tick_after(from, zone)
            .map_or(Timestamp::MAX, |tick| self.delayed(loop_id, tick));
        match state.wake_at {
            // One that the last beat did not take up is not worth another beat of its own.
            Some(wake) if from < wake && wake < at => Next {
                at: wake,
                why: Why::Wake,
            },
            _ => Next {
                at,
                why: Why::Cadence,
            },
        }
    }

    fn delayed(&self, loop_id: &LoopId, tick: Timestamp) -> Timestamp {
        let delay = self
            .jitter
            .map_or(Millis(0), |max| jitter(loop_id, tick, max));
        tick.checked_add(duration(delay)).unwrap_or(tick)
    }
}

/// How much later than `tick` a loop is due: at most `max`, the same each time that it is asked, and for no two loops alike.
#[must_use]
pub fn jitter(loop_id: &LoopId, tick: Timestamp, max: Millis) -> Millis {
    let mut hasher = PartsHasher::new("ringfence jitter 1");
    hasher
        .part("loop", loop_id.as_str().as_bytes())
        .part("tick", &tick.as_second().to_le_bytes());
    let digest = hasher.finish();
    let number = digest
        .as_bytes()
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Millis(number % max.0.saturating_add(1).max(1))
}

fn duration(time: Millis) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(time.0).unwrap_or(i64::MAX))
}

impl fmt::Display for Cadence {
    /// `every 15m`, `cron 0 8 * * 1-5 (Europe/Berlin), up to 30s later`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rhythm {
            Rhythm::Every(every) => write!(f, "every {every}")?,
            Rhythm::Cron(cron) => write!(f, "cron {cron} ({})", self.timezone)?,
        }
        match self.jitter {
            Some(jitter) => write!(f, ", up to {jitter} later"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
