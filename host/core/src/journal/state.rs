//! What a history adds up to: everything that guards and the beat know of a loop's past.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::cadence::Pace;
use crate::digest::Digest;
use crate::failure::Failure;
use crate::ids::{BeatNo, ItemId};
use crate::journal::{
    Answer, Asked, DrillRun, Evidence, GivenUp, Held, Intent, Labelled, Orders, Outcome, Rejected,
    Reservation, Reserved,
};
use crate::quantity::{Fuel, Money};
use crate::snapshot::SensorSignal;

/// The state of a loop; empty for one that never ran.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoopState {
    /// The highest number that a beat was given.
    pub last_beat: Option<BeatNo>,
    /// The last world that was decided on, and carried through without a failure.
    pub decided: Option<Decided>,
    /// The signals of the last beat that saw the world.
    pub signals: Vec<SensorSignal>,
    /// The setup that the items' histories belong to: another loop file or plugin gives each item a fresh start.
    pub setup: Option<Digest>,
    /// Items with attempts that came to nothing.
    pub items: BTreeMap<ItemId, ItemHistory>,
    /// Failed beats since the last one that succeeded.
    pub failures: u32,
    /// When the last of them ended.
    pub last_failed_at: Option<Timestamp>,
    /// What it was.
    pub last_failure: Option<Failure>,
    /// True when it failed before it had seen the world.
    pub failed_blind: bool,
    /// The setups that these failures had.
    pub failed_setups: BTreeSet<Digest>,
    /// Spend of the last days, by local day; [`LoopState::day`] adds what is reserved.
    pub days: BTreeMap<Date, DaySpend>,
    /// Spend of all days together.
    pub total: DaySpend,
    /// What a beat without a receipt may have cost.
    pub reserved: Option<Reserved>,
    /// The last branches that were made, oldest first.
    pub proposals: Vec<Proposal>,
    /// The last patches that were recorded, oldest first.
    pub shadows: Vec<Shadow>,
    /// The last commits that were made on a target branch, oldest first.
    pub commits: Vec<Committed>,
    /// What is held for and against the loop's moves.
    pub evidence: Evidence,
    /// An intent without an end: it has to be recovered before anything else.
    pub pending: Option<Intent>,
    /// How the last beat ended.
    pub last_outcome: Option<Outcome>,
    /// When the last decision asked to be woken.
    pub wake_at: Option<Timestamp>,
    /// What the time of the next beat follows from.
    pub pace: Pace,
    /// What the operator has ordered.
    pub orders: Orders,
    /// The last drills.
    pub drilled: Option<Drilled>,
    /// What people were told of.
    pub notices: BTreeMap<String, Noticed>,
    /// Changes that wait for a person, oldest first.
    pub held: Vec<Held>,
    /// Changes that a person had approved in vain; the last few.
    pub given_up: Vec<GivenUp>,
    /// What people do not want to be worked on, under `setup`.
    pub rejected: BTreeMap<ItemId, Rejected>,
    /// Items that a label left to a person, who left them to the loop as they were then, under `setup`.
    pub cleared: BTreeMap<ItemId, Digest>,
    /// The items of these two that were answered since the last beat: nobody knew then which setup the next one would have.
    pub answered: BTreeSet<ItemId>,
    /// Items that a label leaves to a person, as the last beat that looked saw them.
    pub labelled: Vec<LabelledSince>,
    /// The last answers of people, oldest first.
    pub said: Vec<Said>,
    /// The first of the failed beats in a row, and when it ended.
    pub failing_since: Option<(BeatNo, Timestamp)>,
}

/// An item that a label leaves to a person, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelledSince {
    /// When it was first seen.
    pub since: Timestamp,
    /// The item.
    pub what: Labelled,
}

/// What a person said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// About what, as the inbox calls it.
    pub id: String,
    /// The item that it was about.
    pub item: Option<ItemId>,
    /// What they want.
    pub answer: Answer,
    /// In their words.
    pub reason: String,
}

/// Drills that were run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drilled {
    /// When.
    pub at: Timestamp,
    /// How they went.
    pub run: DrillRun,
}

/// What people were told of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Noticed {
    /// How often it was tried.
    pub tries: u32,
    /// The last time that it was tried.
    pub last_try_at: Option<Timestamp>,
    /// The first time that it was delivered.
    pub told_at: Option<Timestamp>,
    /// The last time that it was delivered.
    pub last_told_at: Option<Timestamp>,
    /// How often it could not be delivered since then.
    pub failed: u32,
}

/// A world that was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Its fingerprint.
    pub fingerprint: Digest,
    /// When the beat ended.
    pub at: Timestamp,
    /// When nothing was found to do: the digest of the items that could have been worked on.
    pub nothing_for: Option<Digest>,
}

/// Attempts at one item since the last one that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ItemHistory {
    /// How many there were.
    pub attempts: u32,
    /// Why they failed, normalised, oldest first, each reason once, the last few.
    pub reasons: Vec<String>,
    /// True when one reason came back.
    pub repeated: bool,
    /// True when a change touched something that is a person's to decide.
    pub person_needed: bool,
    /// That a person was asked about it.
    pub asked: Option<Asked>,
}

/// What one day cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DaySpend {
    /// Fuel of all beats that ended that day.
    pub fuel: Fuel,
    /// Those that got as far as calling the decider.
    pub beats: u64,
    /// Tokens that deciders used.
    pub tokens: u64,
    /// Money that deciders cost, in millionths.
    pub money: Money,
    /// Changes that became commits: on branches of their own, on a target branch, or as patches where there is no repository.
    pub proposals: u64,
}

/// A change that became a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// By which beat.
    pub beat: BeatNo,
    /// For which item.
    pub item: Option<ItemId>,
    /// The full name of the branch.
    pub reference: String,
    /// The commit's object id.
    pub commit: String,
    /// Git tree id of what it is a change of.
    pub base_tree: String,
}

/// A change that became a commit on the target branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// By which beat.
    pub beat: BeatNo,
    /// For which item.
    pub item: Option<ItemId>,
    /// The full name of the branch.
    pub reference: String,
    /// The commit's object id.
    pub commit: String,
    /// Git tree id of what it is a change of.
    pub base_tree: String,
    /// Git tree id of what it led to.
    pub tree: String,
}

/// A change that became a patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    /// By which beat.
    pub beat: BeatNo,
    /// For which item.
    pub item: Option<ItemId>,
    /// Where it is, from the loop's state directory.
    pub patch: String,
    /// Git tree id of what it is a change of.
    pub base_tree: String,
}

impl LoopState {
    /// The number that the next beat gets.
    #[must_use]
    pub fn next_beat(&self) -> BeatNo {
        BeatNo(self.last_beat.map_or(0, |beat| beat.0).saturating_add(1))
    }

    /// What `item` has behind it under `setup`; nothing when it was never tried under that one.
    #[must_use]
    pub fn item(&self, item: &ItemId, setup: &Digest) -> ItemHistory {
        if self.setup == Some(*setup) {
            self.items.get(item).cloned().unwrap_or_default()
        } else {
            ItemHistory::default()
        }
    }

    /// Why a person does not want `item` to be worked on under `setup`, as long as it is what `content` says.
    #[must_use]
    pub fn rejection(&self, item: &ItemId, setup: &Digest, content: &Digest) -> Option<&str> {
        let rejected = self.rejected.get(item)?;
        let holds =
            self.answer_holds(item, setup) && rejected.content.is_none_or(|then| then == *content);
        holds.then_some(rejected.reason.as_str())
    }

    /// True when a person left `item` to the loop in spite of its label, under `setup`, as long as it is what `content` says.
    #[must_use]
    pub fn is_cleared(&self, item: &ItemId, setup: &Digest, content: &Digest) -> bool {
        self.answer_holds(item, setup) && self.cleared.get(item) == Some(content)
    }

    /// The items that a label leaves to people who have not answered yet.
    pub fn unanswered_labels(&self) -> impl Iterator<Item = &LabelledSince> {
        let is_open = |one: &&LabelledSince| {
            let Labelled { item, content, .. } = &one.what;
            let rejected = self.rejected.get(item);
            let rejected =
                rejected.is_some_and(|no| no.content.is_none() || no.content == *content);
            let cleared = content.is_some() && self.cleared.get(item) == content.as_ref();
            !rejected && !cleared
        };
        self.labelled.iter().filter(is_open)
    }

    /// True when an answer about `item` counts under `setup`: the one it was given under, or the first one after it.
    fn answer_holds(&self, item: &ItemId, setup: &Digest) -> bool {
        self.setup == Some(*setup) || self.answered.contains(item)
    }

    /// The change that is to be settled next, because a person approved it.
    #[must_use]
    pub fn approved(&self) -> Option<&Held> {
        self.held.iter().find(|held| held.approved)
    }

    /// What `day` cost so far, a beat that has not ended being as dear as it may be.
    #[must_use]
    pub fn day(&self, day: Date) -> DaySpend {
        let spent = self.days.get(&day).copied().unwrap_or_default();
        match &self.reserved {
            Some(reserved) if reserved.day == day => spent.plus(&DaySpend::of(&reserved.what)),
            _ => spent,
        }
    }

    /// The days after `day` on which something was spent or is reserved, in no order: a clock was ahead of `day` then.
    pub fn days_after(&self, day: Date) -> impl Iterator<Item = Date> {
        let spent = self.days.keys().copied();
        let reserved = self.reserved.as_ref().map(|reserved| reserved.day);
        spent.chain(reserved).filter(move |later| *later > day)
    }
}

impl DaySpend {
    /// A beat that costs all that was reserved.
    #[must_use]
    pub fn of(reservation: &Reservation) -> Self {
        Self {
            fuel: reservation.fuel,
            beats: 1,
            tokens: reservation.tokens,
            money: reservation.money,
            proposals: 0,
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            fuel: self.fuel.plus(other.fuel),
            beats: self.beats.saturating_add(other.beats),
            tokens: self.tokens.saturating_add(other.tokens),
            money: self.money.plus(other.money),
            proposals: self.proposals.saturating_add(other.proposals),
        }
    }

    /// Of each kind the larger one.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        Self {
            fuel: self.fuel.max(other.fuel),
            beats: self.beats.max(other.beats),
            tokens: self.tokens.max(other.tokens),
            money: self.money.max(other.money),
            proposals: self.proposals.max(other.proposals),
        }
    }
}

impl ItemHistory {
    /// Why the item is a person's now: a change needs one, its attempts are used up, or they fail in the same way.
    #[must_use]
    pub fn escalated(&self, attempts_max: u64) -> Option<String> {
        if self.person_needed {
            Some("its change needs a person".to_owned())
        } else if u64::from(self.attempts) >= attempts_max {
            Some(format!(
                "{} of {attempts_max} attempts failed",
                self.attempts
            ))
        } else if self.repeated {
            Some(format!(
                "failed twice for the same reason: {}",
                self.reasons.last().map_or("", String::as_str)
            ))
        } else {
            None
        }
    }
}
