//! What a beat may cost, written down before it costs anything.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::BeatNo;
use crate::quantity::{Fuel, Money};

/// The most that a beat under way will cost. Its receipt says what it did cost; a beat without a receipt counts as all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The beat.
    pub beat: BeatNo,
    /// All its steps together.
    pub fuel: Fuel,
    /// What its decider may report.
    pub tokens: u64,
    /// The same in money, in millionths.
    pub money: Money,
}

/// A reservation whose receipt is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// The day it was made, in the loop's time zone.
    pub day: Date,
    /// What was reserved.
    pub what: Reservation,
}

/// What a decider's call cost besides fuel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The digest of the plugin and its cost rule.
    pub meter: Digest,
    /// Tokens.
    pub tokens: u64,
    /// Money, in millionths.
    pub money: Money,
    /// True when nothing was reported, so that what was reserved counts.
    pub estimated: bool,
    /// Why the answer does not say what it cost, where it should.
    pub unmetered: Option<String>,
}
