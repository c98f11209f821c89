//! Changes that all gates let through and that wait for a person, and what became of them.
//!
//! **Invariant:** what is needed to take a change up again stands in the entry that announced it; the patch beside the
//! journal is compared with that before it is used.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decision::Move;
use crate::digest::Digest;
use crate::ids::{BeatNo, ItemId};

/// What the names of items in the inbox begin with.
pub(super) const ITEM: &str = "item-";
// Limit: nobody finds a second item of the same digits.
const ITEM_DIGITS: usize = 32;
// How many older hosts wrote, of which a second item is found in minutes.
const ITEM_DIGITS_MIN: usize = 8;
// Limit: what people have not been told of yet; a beat gives up one at most.
const GIVEN_UP_MAX: usize = 20;

/// What an intent has to do with a change that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InHand {
    /// It lays one aside until a person has answered.
    Holds(Box<Hold>),
    /// It settles the one that this beat laid aside.
    Settles(BeatNo),
}

/// What is kept of a change besides its patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// What was decided.
    #[serde(rename = "move")]
    pub mv: Move,
    /// The executor's line: escape before showing.
    pub summary: String,
    /// Why a person is asked, one line each.
    pub why: Vec<String>,
    /// The digest of the item as its sensor showed it.
    pub content: Option<Digest>,
    /// The digest of the patch, without what stands before it in the file.
    pub patch: Digest,
}

/// A change that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// By which beat.
    pub beat: BeatNo,
    /// Since when it waits for an answer.
    pub since: Timestamp,
    /// True when the last answer was to settle it.
    pub approved: bool,
    /// Where its patch is, from the loop's state directory.
    pub file: String,
    /// Git tree id of what it is a change of.
    pub base_tree: String,
    /// Git tree id of what it leads to.
    pub candidate_tree: String,
    /// The digest of the change set that the gates judged.
    pub change: Digest,
    /// The rest.
    pub hold: Hold,
}

/// A change that a person had approved and that could not be settled any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    /// What it was called in the inbox.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: Vec<String>,
}

/// An item that a person does not want to be worked on as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// What they said.
    pub reason: String,
    /// The digest of the item as it was then; once it differs, the item is another matter.
    pub content: Option<Digest>,
    /// True when a label had left it to them, which stands in its way when they take this back.
    pub labelled: bool,
}

/// That a person was asked about an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// When.
    pub at: Timestamp,
    /// By which beat.
    pub beat: BeatNo,
    /// Why, one line each.
    pub why: Vec<String>,
    /// The digest of the item as its sensor showed it.
    pub content: Option<Digest>,
}

/// An item that one of its labels leaves to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labelled {
    /// The item.
    pub item: ItemId,
    /// Its title: escape before showing.
    pub title: String,
    /// The rule of the loop file.
    pub label: String,
    /// The digest of the item as its sensor showed it; none in journals of hosts that did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Digest>,
}

impl Held {
    /// What it is called in the inbox: `held-7`.
    #[must_use]
    pub fn id(&self) -> String {
        held_id(self.beat)
    }
}

/// What the change of `beat` is called in the inbox.
#[must_use]
pub fn held_id(beat: BeatNo) -> String {
    format!("held-{beat}")
}

/// The beat whose change is called so in the inbox; none where it is no change.
#[must_use]
pub fn held_beat(id: &str) -> Option<BeatNo> {
    let number = id.strip_prefix("held-")?.parse().ok()?;
    Some(BeatNo(number)).filter(|beat| held_id(*beat) == id)
}

/// What an item is called in the inbox: `item-` and the first 32 digits of the digest of its id, which may hold anything.
#[must_use]
pub fn item_id(item: &ItemId) -> String {
    let digest = Digest::of(item.as_str().as_bytes()).hex();
    format!("{ITEM}{}", digest.get(..ITEM_DIGITS).unwrap_or(&digest))
}

/// Whether `said` in a journal means what the inbox calls `id`: older hosts wrote fewer digits of an item.
pub(crate) fn is_meant(id: &str, said: &str) -> bool {
    let is_item = said.len() >= ITEM.len() + ITEM_DIGITS_MIN && said.starts_with(ITEM);
    id == said || (is_item && id.starts_with(said))
}

/// Adds to what was given up, of which the last few are kept.
pub(super) fn give_up(all: &mut Vec<GivenUp>, one: GivenUp) {
    all.push(one);
    let surplus = all.len().saturating_sub(GIVEN_UP_MAX);
    all.drain(..surplus);
}
