//! What the guards remember of a loop's moves: how the last ones ended, and which rule was tripped.
//!
//! **Invariant:** bounded, however long the history is. A rule that was tripped stays so until the operator resumes the loop;
//! what was seen before that counts no more.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::failure::FailureClass;
use crate::ids::StepId;
use crate::journal::{Answer, BeatReceipt, Outcome};
use crate::snapshot::SensorSignal;

/// How many moves the ship rate looks at.
// Limit: a day's worth of a slow loop, and soon enough for a quick one.
pub const SHIP_RATE_MOVES: usize = 10;
/// How many moves the noise rule looks at.
// Limit: two windows of the ship rate, which has slowed the loop by then.
pub const NOISE_MOVES: usize = 20;
/// How many of these may be noise before a loop only records.
// Limit: four of five.
pub const NOISE_MAX: usize = 16;
/// Items given up one after the other before the loop stops.
// Limit: a person has that much to look at, and the sixth would be no other.
pub const GIVEN_UP_MAX: u32 = 5;
/// Beats with a denied write within [`DENIED_HOURS`] before the loop stops.
// Limit: once is a mistake, three times is a habit.
pub const DENIED_MAX: usize = 3;
/// How long a denied write is held against the loop.
pub const DENIED_HOURS: i64 = 24;
/// Rejections in a row before a loop only records.
// Limit: what people say three times they mean.
pub const REJECTED_MAX: u32 = 3;
/// Rejections in a row before a loop is over.
// Limit: two more, which somebody had to ask for by resuming or approving nothing.
pub const HARM_MAX: u32 = 5;
/// How many signals of a sensor the flapping rule looks at.
// Limit: enough for three returns with a pause in between.
pub const FLAPPING_SIGNALS: usize = 8;
/// How often a sensor may come back to an earlier signal among these.
// Limit: there and back once is an undo; the third return is a pattern.
pub const FLAPPING_RETURNS: usize = 3;

/// A rule about a loop's own moves that was tripped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trip {
    /// Most moves came to nothing, or repeated an earlier change.
    Noise,
    /// People rejected what the loop did, again and again.
    Rejected,
    /// One item after the other was given up.
    RepeatEscalation,
    /// Steps kept trying to write what they may not.
    Denials,
    /// More items failed than the loop can keep in mind.
    Items,
    /// People went on rejecting.
    Harm,
}

impl Trip {
    /// The rule's name: `repeat-escalation`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Noise => "noise",
            Self::Rejected => "rejected",
            Self::RepeatEscalation => "repeat-escalation",
            Self::Denials => "denials",
            Self::Items => "items",
            Self::Harm => "harm",
        }
    }
}

/// When and by how much a rule was tripped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tripped {
    /// When.
    pub at: Timestamp,
    /// What was counted.
    pub used: u64,
    /// At what number the rule trips.
    pub limit: u64,
}

/// How one move ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastMove {
    /// Whether it was settled.
    pub shipped: bool,
    /// True when its change is one that an earlier move among those kept had made.
    pub duplicate: bool,
    /// The digest of its change set, if it got as far.
    pub change: Option<Digest>,
}

/// The last beat that called the decider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAttempt {
    /// When it ended.
    pub at: Timestamp,
    /// Under which setup.
    pub setup: Digest,
}

/// Deciders that did not say what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmetered {
    /// The digest of the plugin and its cost rule.
    pub meter: Digest,
    /// Beats in a row.
    pub in_a_row: u32,
    /// When the last of them ended.
    pub at: Timestamp,
}

/// The last signals of a sensor, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenSignals {
    /// The sensor.
    pub sensor: StepId,
    /// At most [`FLAPPING_SIGNALS`], one for each beat that saw the world; a signal that rests stands here once.
    pub signals: Vec<Digest>,
}

/// What the guards remember of a loop's moves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The last beat that called the decider.
    pub last_attempt: Option<LastAttempt>,
    /// Moves in a row that got the loop no further.
    pub no_progress: u32,
    /// The last [`NOISE_MOVES`] moves that say something about progress, oldest first.
    pub moves: Vec<PastMove>,
    /// Items in a row that were given up, with no move settled in between.
    pub given_up: u32,
    /// When the last [`DENIED_MAX`] beats ended that were denied a write.
    pub denied: Vec<Timestamp>,
    /// Changes in a row that had waited for people, and that they rejected.
    pub rejected: u32,
    /// Beats in a row whose decider did not say what it cost.
    pub unmetered: Option<Unmetered>,
    /// The last signals of each sensor.
    pub seen: Vec<SeenSignals>,
    /// The rules that were tripped since the loop was last resumed.
    pub trips: BTreeMap<Trip, Tripped>,
}

impl Evidence {
    /// Of the last moves that say something about progress, how many were settled, and how many there are.
    #[must_use]
    pub fn ship_rate(&self) -> (usize, usize) {
        let last = self.moves.iter().rev().take(SHIP_RATE_MOVES);
        let shipped = last.clone().filter(|one| one.shipped).count();
        (shipped, last.count())
    }

    /// The sensors whose signals go to and fro: each came back to an earlier one again and again.
    #[must_use]
    pub fn flapping(&self) -> Vec<&StepId> {
        let flaps = |seen: &&SeenSignals| returns(&seen.signals) >= FLAPPING_RETURNS;
        self.seen
            .iter()
            .filter(flaps)
            .map(|seen| &seen.sensor)
            .collect()
    }

    pub(super) fn add_beat(&mut self, receipt: &BeatReceipt, at: Timestamp) {
        if receipt.fingerprint.is_some() {
            self.add_signals(&receipt.signals);
        }
        if receipt.attempted {
            let setup = receipt.setup;
            self.last_attempt = Some(LastAttempt { at, setup });
        }
        self.add_denial(receipt, at);
        self.add_cost(receipt, at);
        self.add_move(receipt, at);
        self.add_given_up(receipt, at);
    }

    /// Adds an answer to a change that waits.
    pub(super) fn add_answer(&mut self, answer: Answer, at: Timestamp) {
        match answer {
            Answer::Note => return,
            Answer::Approve => self.rejected = 0,
            Answer::Reject => self.rejected = self.rejected.saturating_add(1),
        }
        for (trip, limit) in [(Trip::Rejected, REJECTED_MAX), (Trip::Harm, HARM_MAX)] {
            self.count(trip, self.rejected.into(), limit.into(), at);
        }
    }

    /// Forgets what is held against the loop. That deciders were last called then, and what sensors showed, stays.
    pub(super) fn resume(&mut self) {
        *self = Self {
            last_attempt: self.last_attempt,
            seen: std::mem::take(&mut self.seen),
            ..Self::default()
        };
    }

    pub(super) fn trip(&mut self, trip: Trip, tripped: Tripped) {
        self.trips.entry(trip).or_insert(tripped);
    }

    fn count(&mut self, trip: Trip, used: u64, limit: u64, at: Timestamp) {
        if used >= limit {
            self.trip(trip, Tripped { at, used, limit });
        }
    }

    /// Adds what the sensors show now.
    pub(crate) fn add_signals(&mut self, signals: &[SensorSignal]) {
        self.seen
            .retain(|seen| signals.iter().any(|signal| signal.sensor == seen.sensor));
        for SensorSignal { sensor, digest } in signals {
            match self.seen.iter_mut().find(|seen| seen.sensor == *sensor) {
                // Of a signal that rests, one says as much as many.
                Some(seen) if seen.signals.iter().all(|old| old == digest) => {
                    seen.signals = vec![*digest];
                }
                Some(seen) => push(&mut seen.signals, *digest, FLAPPING_SIGNALS),
                None => self.seen.push(SeenSignals {
                    sensor: sensor.clone(),
                    signals: vec![*digest],
                }),
            }
        }
    }

    fn add_denial(&mut self, receipt: &BeatReceipt, at: Timestamp) {
        let denied = |failure: &crate::failure::Failure| failure.class == FailureClass::Denied;
        if !receipt.failure.as_ref().is_some_and(denied) {
            return;
        }
        push(&mut self.denied, at, DENIED_MAX);
        // A clock that stepped back is no way to have these forgotten.
        let age = |then: &Timestamp| at.duration_since(*then);
        let recent = |then: &&Timestamp| age(then) < SignedDuration::from_hours(DENIED_HOURS);
        let count = self.denied.iter().filter(recent).count();
        self.count(Trip::Denials, count as u64, DENIED_MAX as u64, at);
    }

    fn add_cost(&mut self, receipt: &BeatReceipt, at: Timestamp) {
        let Some(cost) = &receipt.cost else { return };
        let before = self.unmetered.filter(|before| before.meter == cost.meter);
        let in_a_row = before.map_or(0, |before| before.in_a_row);
        self.unmetered = match (&cost.unmetered, &receipt.failure) {
            (Some(_), _) => Some(Unmetered {
                meter: cost.meter,
                in_a_row: in_a_row.saturating_add(1),
                at,
            }),
            // A decider that failed has had no chance to say: backoff is about those.
            (None, Some(_)) if cost.estimated => before,
            (None, _) => None,
        };
    }

    fn add_move(&mut self, receipt: &BeatReceipt, at: Timestamp) {
        let Some(shipped) = receipt.progress else {
            return;
        };
        self.no_progress = if shipped {
            0
        } else {
            self.no_progress.saturating_add(1)
        };
        let change = receipt.change.as_ref().map(|change| change.digest);
        let known = |past: &PastMove| change.is_some() && past.change == change;
        let duplicate = self.moves.iter().any(known);
        let past = PastMove {
            shipped,
            duplicate,
            change,
        };
        push(&mut self.moves, past, NOISE_MOVES);
        let noise = |past: &&PastMove| past.duplicate || !past.shipped;
        let noise = self.moves.iter().filter(noise).count();
        if self.moves.len() == NOISE_MOVES {
            self.count(Trip::Noise, noise as u64, NOISE_MAX as u64, at);
        }
    }

    fn add_given_up(&mut self, receipt: &BeatReceipt, at: Timestamp) {
        if receipt.progress == Some(true) {
            self.given_up = 0;
        }
        let in_vain = |attempt: &super::FailedAttempt| !attempt.person_needed;
        let gave_up = matches!(receipt.outcome, Outcome::Escalated { .. })
            && receipt.attempt.as_ref().is_some_and(in_vain);
        if gave_up {
            self.given_up = self.given_up.saturating_add(1);
            let (used, limit) = (self.given_up.into(), GIVEN_UP_MAX.into());
            self.count(Trip::RepeatEscalation, used, limit, at);
        }
    }
}

/// How often the signal became another one that had been seen before.
fn returns(signals: &[Digest]) -> usize {
    let pairs = signals.windows(2).enumerate();
    let came_back = pairs.filter(|(index, pair)| match pair {
        [before, after] => before != after && signals.iter().take(*index).any(|old| old == after),
        _ => false,
    });
    came_back.count()
}

/// Adds to the end, and takes away from the front what is too much.
fn push<T>(list: &mut Vec<T>, new: T, max: usize) {
    list.push(new);
    let excess = list.len().saturating_sub(max);
    list.drain(..excess);
}
