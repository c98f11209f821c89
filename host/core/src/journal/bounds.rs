//! What a state forgets, so that it stays small however long the history is.
//!
//! **Invariant:** nothing is forgotten that would let a beat do more than it may: not the day that is being spent on, not an
//! item that was given up, not a change of the tree that is being worked on.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::ids::ItemId;
use crate::journal::state::{
    Committed, DaySpend, ItemHistory, LoopState, Noticed, Proposal, Shadow,
};

// Limit: a month and some days, for those who look back; guards need today and tomorrow.
const DAYS_MAX: usize = 40;
// Limit: more open branches than anybody reads.
const SETTLED_MAX: usize = 200;
// Limit: the same for changes of one and the same tree, which must not be made again.
const SETTLED_OF_TREE_MAX: usize = 4_000;
// Limit: a loop that has failed at so many items has to be looked at.
const ITEMS_MAX: usize = 2_000;
// Limit: one for each attempt at an item; it is given up long before.
const REASONS_MAX: usize = 8;
// Limit: edits between two successes. Further ones are no reason to try at once.
const FAILED_SETUPS_MAX: usize = 32;
// Limit: what people were told of last; what waits for longer is told again by and by.
const NOTICES_MAX: usize = 500;

/// A change that was settled.
pub(super) trait Settled {
    /// Git tree id of what it is a change of.
    fn base_tree(&self) -> &str;
    /// For which item.
    fn item(&self) -> Option<&ItemId>;
}

impl Settled for Proposal {
    fn base_tree(&self) -> &str {
        &self.base_tree
    }
    fn item(&self) -> Option<&ItemId> {
        self.item.as_ref()
    }
}

impl Settled for Committed {
    fn base_tree(&self) -> &str {
        &self.base_tree
    }
    fn item(&self) -> Option<&ItemId> {
        self.item.as_ref()
    }
}

impl Settled for Shadow {
    fn base_tree(&self) -> &str {
        &self.base_tree
    }
    fn item(&self) -> Option<&ItemId> {
        self.item.as_ref()
    }
}

/// Adds a change; one of the same item and tree is forgotten for it, then the oldest of another tree.
pub(super) fn push<T: Settled>(list: &mut Vec<T>, new: T) {
    let same = |old: &T| {
        new.item().is_some() && old.item() == new.item() && old.base_tree() == new.base_tree()
    };
    list.retain(|old| !same(old));
    let other_tree = |old: &T| old.base_tree() != new.base_tree();
    if list.len() >= SETTLED_MAX
        && let Some(oldest) = list.iter().position(other_tree)
    {
        list.remove(oldest);
    }
    list.push(new);
    let excess = list.len().saturating_sub(SETTLED_OF_TREE_MAX);
    list.drain(..excess);
}

/// Forgets the oldest day, but not the one that was just spent on.
pub(super) fn days(days: &mut BTreeMap<Date, DaySpend>, spent_on: Date) {
    if days.len() > DAYS_MAX
        && let Some(oldest) = days.keys().find(|day| **day != spent_on).copied()
    {
        days.remove(&oldest);
    }
}

/// Forgets the reasons that say least.
pub(super) fn reasons(reasons: &mut Vec<String>) {
    let excess = reasons.len().saturating_sub(REASONS_MAX);
    reasons.drain(..excess);
}

/// Forgets what was told longest ago.
pub(super) fn notices(notices: &mut BTreeMap<String, Noticed>) {
    if notices.len() > NOTICES_MAX {
        let oldest = notices.iter().min_by_key(|(_, told)| told.last_try_at);
        let oldest = oldest.map(|(about, _)| about.clone());
        notices.retain(|about, _| Some(about) != oldest.as_ref());
    }
}

impl LoopState {
    /// What is kept of an item, if there is room; none when it is new and there is not.
    pub(super) fn item_mut(&mut self, item: &ItemId) -> Option<&mut ItemHistory> {
        if self.items.len() >= ITEMS_MAX && !self.items.contains_key(item) {
            return None;
        }
        Some(self.items.entry(item.clone()).or_default())
    }

    /// How many items a loop can keep in mind.
    pub(super) fn items_max() -> u64 {
        ITEMS_MAX as u64
    }

    /// Whether a setup is worth a try at once, after failures: one that none of them had.
    #[must_use]
    pub fn is_new_setup(&self, setup: &crate::digest::Digest) -> bool {
        self.failed_setups.len() < FAILED_SETUPS_MAX && !self.failed_setups.contains(setup)
    }

    /// Notes a setup that failed; what there is no room for counts as noted.
    pub(super) fn failed_under(&mut self, setup: crate::digest::Digest) {
        if self.failed_setups.len() < FAILED_SETUPS_MAX {
            self.failed_setups.insert(setup);
        }
    }
}
