//! How far a loop may go by itself, and what has to be shown before it may go further.
//!
//! [`reach`] says where a loop stands: the level that the operator ordered, below the ceiling of its loop file, and at L3 only
//! as long as its drills are worth something. [`evidence`] lays out every rule of a promotion with what was seen and what is
//! needed; [`drills_valid`] says what drills are worth.
//!
//! **Invariant:** nothing but an order of the operator takes a loop to L3, and nothing at all takes it above its loop file.
//! What cannot be shown counts as not so.

mod bound;
mod drills;
mod rules;

use jiff::Timestamp;
use serde::Serialize;

use crate::digest::Digest;
use crate::journal::{LevelOrder, LoopState};
use crate::regulator::{Entered, Phase, Record};
use crate::spec::Level;

pub use bound::bound_to;
pub use drills::{DRILLS_DAYS, DrillsProblem, drills_valid, shown};
pub use rules::{
    ACCEPTED_MIN, Check, Facts, Fate, MOVES_IN_A_ROW, Proposed, Rule, TURNED_DOWN_DAYS, evidence,
};

/// How far a loop goes that nobody has promoted.
const UNORDERED_MAX: Level = Level::L2;

/// Where a loop stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// How far it goes now.
    pub level: Level,
    /// How far it is meant to go.
    pub ordered: Level,
    /// Why it does not go as far as that.
    pub lapsed: Option<String>,
}

/// Says how far a loop with the ceiling of its loop file may go at `now`. `bound` is what drills of it as it is would be bound
/// to; none when that cannot be said.
#[must_use]
pub fn reach(ceiling: Level, state: &LoopState, bound: Option<&Digest>, now: Timestamp) -> Reach {
    let order = state.orders.level.as_ref().map(|order| &order.what);
    let ordered = order.map_or(UNORDERED_MAX, |order| order.to).min(ceiling);
    let standing = |level, lapsed| Reach {
        level,
        ordered,
        lapsed,
    };
    if ordered <= UNORDERED_MAX || order.is_some_and(|order| is_passed_over(order, Rule::Drills)) {
        return standing(ordered, None);
    }
    match drills_valid(state, bound, now) {
        Ok(_) => standing(ordered, None),
        Err(problem) => standing(UNORDERED_MAX, Some(format!("its drills: {problem}"))),
    }
}

/// True when the order was given against that rule.
#[must_use]
pub fn is_passed_over(order: &LevelOrder, rule: Rule) -> bool {
    let named = |line: &String| line.split(':').next() == Some(rule.name());
    order.overrides.iter().any(named)
}

/// Since when a loop has been at `level`: since it was ordered there, else since its history begins.
#[must_use]
pub fn entered(level: Level, state: &LoopState, record: &Record, now: Timestamp) -> Entered {
    let ordered = state.orders.level.as_ref().map(|order| order.at);
    let counted = record.levels.last().map(|(_, from)| *from);
    Entered {
        phase: Phase::of(level),
        entered_at: ordered.max(counted).or(record.began).unwrap_or(now),
    }
}

/// The level after this one; none after the last.
#[must_use]
pub fn above(level: Level) -> Option<Level> {
    match level {
        Level::L1 => Some(Level::L2),
        Level::L2 => Some(Level::L3),
        Level::L3 => None,
    }
}

/// The level before this one; none before the first.
#[must_use]
pub fn below(level: Level) -> Option<Level> {
    match level {
        Level::L1 => None,
        Level::L2 => Some(Level::L1),
        Level::L3 => Some(Level::L2),
    }
}

#[cfg(test)]
mod tests;
