//! What the operator told a loop: pause, resume, retire, its level, and answers to what waits for a person.
//!
//! **Invariant:** an act says who did it and why; nothing but an act here lifts what an operator has ordered, except a
//! pause that has an end of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::spec::Level;

/// One thing that the operator did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorAct {
    /// Who, as the system calls them. Nothing proves it.
    pub by: String,
    /// Why, in one line; empty when nothing was said.
    pub reason: String,
    /// What.
    pub act: Act,
}

/// What an operator can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Act {
    /// No decision is taken any more.
    Pause {
        /// Until then, or until it is resumed.
        until: Option<Timestamp>,
    },
    /// Goes on, whatever had stopped it.
    Resume,
    /// The loop is over; only a resume brings it back.
    Retire,
    /// The loop may go further by itself.
    Promote {
        /// How far.
        to: Level,
        /// The rules that spoke against it and were passed over, one line each.
        overrides: Vec<String>,
    },
    /// The loop may no longer go as far by itself.
    Demote {
        /// How far.
        to: Level,
    },
    /// Says what to do about something that waits.
    Answer {
        /// Its id in the inbox.
        id: String,
        /// What to do.
        answer: Answer,
    },
}

/// What a person says to something that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The change may be settled.
    Approve,
    /// It may not.
    Reject,
    /// Neither; the act's reason is for the decider.
    Note,
}

/// What the operator's acts add up to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Orders {
    /// The pause that holds, unless its end has passed.
    pub paused: Option<Order<Option<Timestamp>>>,
    /// The retirement that holds.
    pub retired: Option<Order<()>>,
    /// When the loop was resumed last.
    pub resumed_at: Option<Timestamp>,
    /// The level that was ordered last.
    pub level: Option<Order<LevelOrder>>,
    /// Every answer, oldest first.
    pub answers: Vec<Order<Answered>>,
}

/// An act that holds, with who ordered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order<T> {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What.
    pub what: T,
}

/// How far a loop may go by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelOrder {
    /// At most this far.
    pub to: Level,
    /// The rules that were passed over to get there.
    pub overrides: Vec<String>,
}

/// An answer to something that waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Its id in the inbox.
    pub id: String,
    /// What was said.
    pub answer: Answer,
}

impl Orders {
    /// Adds what was done at `at`.
    pub fn add(&mut self, act: &OperatorAct, at: Timestamp) {
        match &act.act {
            Act::Pause { until } => self.paused = Some(order(act, at, *until)),
            Act::Resume => {
                self.paused = None;
                self.retired = None;
                self.resumed_at = Some(at);
            }
            Act::Retire => self.retired = Some(order(act, at, ())),
            Act::Promote { to, overrides } => {
                let level = LevelOrder {
                    to: *to,
                    overrides: overrides.clone(),
                };
                self.level = Some(order(act, at, level));
            }
            Act::Demote { to } => {
                let level = LevelOrder {
                    to: *to,
                    overrides: Vec::new(),
                };
                self.level = Some(order(act, at, level));
            }
            Act::Answer { id, answer } => {
                let answered = Answered {
                    id: id.clone(),
                    answer: *answer,
                };
                self.answers.push(order(act, at, answered));
            }
        }
    }

    /// The pause that holds at `now`.
    #[must_use]
    pub fn pause_at(&self, now: Timestamp) -> Option<&Order<Option<Timestamp>>> {
        self.paused
            .as_ref()
            .filter(|pause| pause.what.is_none_or(|until| now < until))
    }
}

fn order<T>(act: &OperatorAct, at: Timestamp, what: T) -> Order<T> {
    Order {
        at,
        by: act.by.clone(),
        reason: act.reason.clone(),
        what,
    }
}
