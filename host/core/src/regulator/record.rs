//! What a journal says about how a loop has done: its cycles, the times that people had to help, and its pace.
//!
//! Owns the meaning of the regulator's figures. A *cycle* is a beat that called the decider and that
//! nobody stopped. It *went well* when nothing
//! failed, nothing was denied, and it ended with a change that all gates let through, or with nothing to do. Its *task* is
//! its move. That is a *duplicate* when its item was proposed or committed before, when it is shadowed again on the same
//! tree, or when a person rejected it with a reason that begins with «duplicate». A *rescue* is a resume that no order of the
//! operator explains, any other rejection of a change, and what a crash left for a later beat to clear up.
//!
//! **Invariant:** entries alone count, in their order; what the same history says is always the same.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Health, Pace, SATURATION_CYCLES, Window, last};
use crate::decision::Checked;
use crate::digest::Digest;
use crate::failure::FailureClass;
use crate::ids::{BeatNo, ItemId};
use crate::journal::{
    Act, Answer, BeatReceipt, Body, Entry, OperatorAct, Orders, Outcome, Settle, held_beat,
};
use crate::spec::Level;

// How the reason of a rejection begins that says no more than that the work was done before.
const DUPLICATE: &str = "duplicate";

/// How a loop has done so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// When its history begins.
    pub began: Option<Timestamp>,
    /// Every cycle, oldest first.
    pub cycles: Vec<Cycle>,
    /// Every time that a person had to help, oldest first.
    pub rescues: Vec<Rescue>,
    /// When people rejected a change that was held for them, oldest first.
    pub rejected: Vec<Timestamp>,
    /// Every beat, oldest first.
    pub beats: Vec<Pace>,
    /// When each change was about to be proposed.
    pub proposed: BTreeMap<BeatNo, Timestamp>,
    /// Every order of a level, oldest first, and when it was given; later where an entry before it says that it is from later.
    pub levels: Vec<(Level, Timestamp)>,
    latest: Option<Timestamp>,
    orders: Orders,
    settled: BTreeSet<ItemId>,
    shadowed: BTreeSet<(ItemId, String)>,
    known: BTreeSet<ItemId>,
}

/// One cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// Which beat it was.
    pub beat: BeatNo,
    /// The loop file and plugins that it was run with.
    pub setup: Digest,
    /// True when it made a move.
    pub moved: bool,
    /// True when all gates let its change through.
    pub passed: bool,
    /// True when a step was denied anything.
    pub denied: bool,
    /// True when its item had never been worked on.
    pub fresh: bool,
    /// Whether it got the loop on.
    pub progress: Option<bool>,
    /// Its figures.
    pub health: Health,
}

/// A time that a person had to help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rescue {
    /// When.
    pub at: Timestamp,
    /// How.
    pub what: String,
}

impl Record {
    /// What `entries` say.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut record = Self::default();
        for entry in entries {
            record.add(entry);
        }
        record
    }

    /// The figures of every cycle, oldest first.
    #[must_use]
    pub fn health(&self) -> Vec<Health> {
        self.cycles.iter().map(|cycle| cycle.health).collect()
    }

    /// When people had to help, oldest first.
    #[must_use]
    pub fn rescue_times(&self) -> Vec<Timestamp> {
        self.rescues.iter().map(|rescue| rescue.at).collect()
    }

    /// The cycles that ended at `since` or later.
    pub fn since(&self, since: Timestamp) -> impl DoubleEndedIterator<Item = &Cycle> {
        self.cycles
            .iter()
            .filter(move |cycle| cycle.health.ts >= since)
    }

    /// Since when the loop was last on its way to `level`: since it was ordered below that, else since its history begins.
    #[must_use]
    pub fn below(&self, level: Level) -> Option<Timestamp> {
        let mut orders = self.levels.iter().rev();
        let order = orders.find(|(to, _)| *to < level);
        order.map(|(_, from)| *from).or(self.began)
    }

    /// The last window of cycles, and the one before it where that is full.
    #[must_use]
    pub fn windows(&self) -> (Window, Option<Window>) {
        let before = self.cycles.len().saturating_sub(SATURATION_CYCLES);
        let (earlier, current) = self.cycles.split_at(before);
        let prior = last(earlier, SATURATION_CYCLES);
        let prior = (prior.len() == SATURATION_CYCLES).then(|| window(prior));
        (window(current), prior)
    }

    fn add(&mut self, entry: &Entry) {
        self.began.get_or_insert(entry.at);
        let latest = self.latest;
        self.latest = latest.max(Some(entry.at));
        match &entry.body {
            Body::Beat(receipt) => self.add_beat(receipt, entry.at),
            Body::Intent(intent) if intent.settle == Settle::Propose => {
                self.proposed.insert(intent.beat, entry.at);
            }
            Body::Recovered(recovered) => {
                let what = format!("beat {} was cut off", recovered.beat);
                self.add_rescue(entry.at, what);
            }
            Body::Operator(act) => {
                if let Act::Promote { to, .. } | Act::Demote { to } = act.act {
                    self.levels.push((to, after(latest, entry.at)));
                }
                self.add_act(act, entry.at);
            }
            _ => {}
        }
    }

    fn add_beat(&mut self, receipt: &BeatReceipt, at: Timestamp) {
        self.beats.push(Pace {
            skipped: receipt.outcome == Outcome::Skipped,
            progress: receipt.progress,
        });
        // One that somebody stopped says nothing about the loop, good or bad.
        let failure = receipt.failure.as_ref();
        let stopped = failure.is_some_and(|failure| failure.class == FailureClass::Interrupted);
        if receipt.attempted && !stopped {
            let cycle = self.cycle(receipt, at);
            self.cycles.push(cycle);
        }
        // Also by a beat that took up what a person had approved, and asked no decider.
        if is_settled(&receipt.outcome) {
            self.settled.extend(receipt.item().cloned());
        }
    }

    fn cycle(&mut self, receipt: &BeatReceipt, at: Timestamp) -> Cycle {
        let (moved, item) = match &receipt.decision {
            Some(Checked::Move(mv)) => (true, mv.item.clone()),
            Some(Checked::Noop { .. }) | None => (false, None),
        };
        let is_shadow = matches!(receipt.outcome, Outcome::Shadowed { .. });
        let is_held =
            matches!(receipt.outcome, Outcome::Escalated { .. }) && receipt.settle == Settle::Hold;
        let passed = is_shadow || is_held || is_settled(&receipt.outcome);
        let quiet = matches!(receipt.outcome, Outcome::NothingToDo { .. });
        let denied = receipt.steps.iter().any(|step| step.was_denied());
        let (mut duplicate, mut fresh) = (false, false);
        if let Some(item) = item {
            let on_tree = (item.clone(), receipt.base.tree.clone());
            // What was shadowed may well be proposed after a promotion: that is no work done twice.
            duplicate =
                self.settled.contains(&item) || (is_shadow && self.shadowed.contains(&on_tree));
            fresh = self.known.insert(item.clone());
            if is_shadow {
                self.shadowed.insert(on_tree);
            }
        }
        Cycle {
            beat: receipt.beat,
            setup: receipt.setup,
            moved,
            passed,
            denied,
            fresh,
            progress: receipt.progress,
            health: Health {
                ts: at,
                e2e_ok: (passed || quiet) && !denied && receipt.failure.is_none(),
                tasks_created: u32::from(moved),
                duplicates: u32::from(duplicate),
                manual_rescues: 0,
            },
        }
    }

    fn add_act(&mut self, told: &OperatorAct, at: Timestamp) {
        match &told.act {
            Act::Resume if self.orders.retired.is_none() && self.orders.pause_at(at).is_none() => {
                self.add_rescue(at, "resumed what a rule had stopped".to_owned());
            }
            Act::Answer {
                id,
                answer: Answer::Reject,
            } => self.add_rejection(id, &told.reason, at),
            _ => {}
        }
        self.orders.add(told, at);
    }

    /// What people do not want to be worked on is no change that was made in vain.
    fn add_rejection(&mut self, id: &str, reason: &str, at: Timestamp) {
        let Some(beat) = held_beat(id) else { return };
        self.rejected.push(at);
        if !reason.to_lowercase().starts_with(DUPLICATE) {
            return self.add_rescue(at, format!("{id} was rejected"));
        }
        let mut moves = self.cycles.iter_mut().filter(|cycle| cycle.moved);
        if let Some(cycle) = moves.find(|cycle| cycle.beat == beat) {
            cycle.health.duplicates = cycle.health.tasks_created;
        }
    }

    fn add_rescue(&mut self, at: Timestamp, what: String) {
        self.rescues.push(Rescue { at, what });
        if let Some(cycle) = self.cycles.last_mut() {
            cycle.health.manual_rescues = cycle.health.manual_rescues.saturating_add(1);
        }
    }
}

fn is_settled(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Proposed { .. } | Outcome::Committed { .. }
    )
}

/// From when on there is nothing but what was written after `at`, where something before says that it is from later.
fn after(latest: Option<Timestamp>, at: Timestamp) -> Timestamp {
    match latest {
        Some(latest) if latest > at => latest
            .checked_add(SignedDuration::from_nanos(1))
            .unwrap_or(Timestamp::MAX),
        _ => at,
    }
}

fn window(cycles: &[Cycle]) -> Window {
    let count = |of: fn(&Cycle) -> bool| cycles.iter().filter(|cycle| of(cycle)).count();
    let share = |part: usize, of: usize| {
        let thousandths = (part * 1_000).checked_div(of).unwrap_or(1_000);
        i64::try_from(thousandths).unwrap_or(i64::MAX)
    };
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Window {
        quality: share(count(|one| one.passed), count(|one| one.moved)),
        success: share(count(|one| one.health.e2e_ok), cycles.len()),
        new_actionable: number(count(|one| one.fresh)),
        progress: number(count(|one| one.progress == Some(true))),
        cycles: cycles.len(),
    }
}
