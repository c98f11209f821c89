//! What a loop may do at all: run, run slower, only record, or nothing, by order or by rule.
//!
//! **Invariant:** what a rule has tripped, only a person's `resume` lifts; slowness and the day's budgets end by themselves.
//! An order of the operator is never weaker than a rule.

use jiff::Timestamp;
use serde::Serialize;

use crate::digest::Digest;
use crate::guard::{Bite, Hold, OVERDUE_HOURS, Situated, overdue, pace, unmetered};
use crate::journal::{LoopState, Trip, Tripped, WaitCause};

/// What a loop may do at all, from most to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Everything that its level allows.
    Run,
    /// The same, so many times slower.
    Slow(u32),
    /// It decides and records, and proposes nothing.
    ReportOnly,
    /// Nothing, for as long as a calendar says.
    Frozen,
    /// Nothing, until somebody resumes it, or the pause or its reason ends.
    Paused,
    /// Nothing any more.
    Retired,
}

/// A mode, and the hold that it comes from; none for [`Mode::Run`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stance {
    /// What the loop may do.
    pub mode: Mode,
    /// Which rule says so, with figures, since when and until when.
    pub hold: Option<Hold>,
}

impl Mode {
    /// The mode's name: `report-only`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Slow(_) => "slow",
            Self::ReportOnly => "report-only",
            Self::Frozen => "frozen",
            Self::Paused => "paused",
            Self::Retired => "retired",
        }
    }
}

/// The mode that a loop is in. Budgets and backoff are no modes: they are holds of their own.
#[must_use]
pub fn mode(on: &Situated<'_>) -> Stance {
    let strongest = holds(on).into_iter().max_by_key(of);
    match (strongest, pace::slowed(on)) {
        (Some(hold), _) => Stance {
            mode: of(&hold),
            hold: Some(hold),
        },
        (None, Some((factor, guard, used, limit))) => Stance {
            mode: Mode::Slow(factor),
            hold: Some(pace::hold(on).unwrap_or_else(|| slow(factor, guard, used, limit))),
        },
        (None, None) => Stance {
            mode: Mode::Run,
            hold: None,
        },
    }
}

/// A loop that is slow and may decide all the same, since it has waited long enough.
fn slow(factor: u32, guard: &'static str, used: String, limit: String) -> Hold {
    Hold {
        guard,
        bite: Bite::Wait(WaitCause::NoProgress),
        why: format!("{guard}: {used}, the limit is {limit}: {factor} times slower"),
        used,
        limit,
        since: None,
        until: None,
    }
}

fn of(hold: &Hold) -> Mode {
    match hold.bite {
        Bite::ShadowOnly => Mode::ReportOnly,
        Bite::Wait(WaitCause::Retired) => Mode::Retired,
        Bite::Wait(WaitCause::Frozen) => Mode::Frozen,
        Bite::Wait(WaitCause::NoProgress) => Mode::Slow(1),
        Bite::Wait(
            WaitCause::Paused | WaitCause::Backoff | WaitCause::Budget | WaitCause::Unmetered,
        ) => Mode::Paused,
    }
}

/// The rule that has stopped the loop or lets it only record, whatever the operator has ordered.
#[must_use]
pub fn stopped_by_rule(state: &LoopState, now: Timestamp) -> Option<Hold> {
    let trips = state.evidence.trips.iter();
    let by_rule = trips.map(|(trip, tripped)| by_rule(*trip, tripped));
    by_rule
        .chain(unanswered(state, None, now))
        .chain(unmetered::last(state))
        .max_by_key(of)
}

/// Everything that puts the loop into a mode, the strongest first.
pub(super) fn holds(on: &Situated<'_>) -> Vec<Hold> {
    let mut holds: Vec<Hold> = [
        retired(on),
        paused(on),
        frozen(on),
        unanswered(on.state, Some(on.setup), on.now.timestamp()),
        unmetered::hold(on),
    ]
    .into_iter()
    .flatten()
    .collect();
    let trips = &on.state.evidence.trips;
    holds.extend(trips.iter().map(|(trip, tripped)| by_rule(*trip, tripped)));
    holds.sort_by_key(|hold| std::cmp::Reverse(of(hold)));
    holds
}

fn retired(on: &Situated<'_>) -> Option<Hold> {
    let order = on.state.orders.retired.as_ref()?;
    let why = format!("retired{}{}", by(&order.by), because(&order.reason));
    Some(Hold {
        since: Some(order.at),
        ..operator(WaitCause::Retired, why)
    })
}

fn paused(on: &Situated<'_>) -> Option<Hold> {
    let order = on.state.orders.pause_at(on.now.timestamp())?;
    let until = match order.what {
        Some(until) => format!("until {until:.0}"),
        None => "until it is resumed".to_owned(),
    };
    let why = format!("paused{} {until}{}", by(&order.by), because(&order.reason));
    Some(Hold {
        since: Some(order.at),
        until: order.what,
        ..operator(WaitCause::Paused, why)
    })
}

fn operator(cause: WaitCause, why: String) -> Hold {
    Hold {
        guard: "operator",
        bite: Bite::Wait(cause),
        used: String::new(),
        limit: String::new(),
        since: None,
        until: None,
        why,
    }
}

/// Who did it, where the system says.
fn by(user: &str) -> String {
    if user.is_empty() {
        String::new()
    } else {
        format!(" by {user}")
    }
}

fn because(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    }
}

fn frozen(on: &Situated<'_>) -> Option<Hold> {
    let freeze = on.freeze?;
    Some(Hold {
        guard: "calendar",
        bite: Bite::Wait(WaitCause::Frozen),
        used: String::new(),
        limit: String::new(),
        since: None,
        until: Some(freeze.until),
        why: freeze.why.clone(),
    })
}

/// A question that people have left open for too long; their answer lifts it.
fn unanswered(state: &LoopState, setup: Option<&Digest>, now: Timestamp) -> Option<Hold> {
    let overdue = overdue(state, setup, now)?;
    Some(Hold {
        guard: "unanswered",
        bite: Bite::Wait(WaitCause::Paused),
        used: overdue.id.clone(),
        limit: format!("{OVERDUE_HOURS} h"),
        since: Some(overdue.at),
        until: None,
        why: format!("unanswered: {overdue}"),
    })
}

fn by_rule(trip: Trip, tripped: &Tripped) -> Hold {
    let Tripped { at, used, limit } = tripped;
    let (bite, what) = match trip {
        Trip::Noise => (
            Bite::ShadowOnly,
            format!("{used} of the last moves came to nothing or repeated a change"),
        ),
        Trip::Rejected => (
            Bite::ShadowOnly,
            format!("people rejected {used} changes in a row"),
        ),
        Trip::RepeatEscalation => (
            Bite::Wait(WaitCause::Paused),
            format!("{used} items in a row were given up"),
        ),
        Trip::Denials => (
            Bite::Wait(WaitCause::Paused),
            format!("{used} beats within 24 hours tried to write what they may not"),
        ),
        Trip::Items => (
            Bite::Wait(WaitCause::Paused),
            format!("{used} items have failed"),
        ),
        Trip::Harm => (
            Bite::Wait(WaitCause::Retired),
            format!("people rejected {used} changes in a row"),
        ),
    };
    let guard = trip.as_str();
    let does = match bite {
        Bite::ShadowOnly => "changes are only recorded",
        Bite::Wait(WaitCause::Retired) => "the loop is over",
        Bite::Wait(_) => "the loop is paused",
    };
    Hold {
        guard,
        bite,
        used: used.to_string(),
        limit: limit.to_string(),
        since: Some(*at),
        until: None,
        why: format!(
            "{guard}: {what}, the limit is {limit}: {does} since {at:.0}, until it is resumed"
        ),
    }
}
