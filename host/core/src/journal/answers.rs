//! What people's answers change.
//!
//! **Invariant:** of the answers to one thing the last one counts; an answer to something that no longer waits changes
//! nothing, and reaches the decider all the same.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::digest::Digest;
use crate::ids::ItemId;
use crate::journal::held::{ITEM, is_meant};
use crate::journal::{Act, Answer, Held, LoopState, OperatorAct, Rejected, Said, item_id};
use crate::text;

/// How many answers a decider is told of.
// Limit: what people said lately; each also wakes the loop once.
pub const ANSWERS_MAX: usize = 20;
// Limit: a paragraph.
const REASON_CHARS_MAX: usize = 1_000;

impl LoopState {
    /// The last answers of people, oldest first, as a decider is told of them.
    #[must_use]
    pub fn answers(&self) -> Vec<Value> {
        let answers = self.said.iter().map(|said| {
            json!({
                "at": said.at,
                "id": said.id,
                "item": said.item,
                "answer": said.answer,
                "reason": said.reason,
            })
        });
        answers.collect()
    }

    /// Adds what an answer changes besides the operator's orders.
    pub(super) fn add_answer(&mut self, act: &OperatorAct, at: Timestamp) {
        let Act::Answer { id, answer } = &act.act else {
            return;
        };
        let item = self.apply(id, *answer, &act.reason, at);
        self.said.push(Said {
            at,
            id: id.clone(),
            item,
            answer: *answer,
            reason: text::one_line(&act.reason, REASON_CHARS_MAX),
        });
        let surplus = self.said.len().saturating_sub(ANSWERS_MAX);
        self.said.drain(..surplus);
    }

    /// Carries an answer out; the item that it was about.
    fn apply(&mut self, id: &str, answer: Answer, reason: &str, at: Timestamp) -> Option<ItemId> {
        if let Some(index) = self.held.iter().position(|held| held.id() == id) {
            // A word about an item is none about a change that was made.
            self.evidence.add_answer(answer, at);
            return self.answer_held(index, answer, reason);
        }
        let item = self.meant(id)?.clone();
        self.answer_item(&item, answer, reason);
        Some(item)
    }

    /// The item that an answer is about; none where two are called so, of which nobody knows which one the person saw.
    fn meant(&self, id: &str) -> Option<&ItemId> {
        let mut meant = self
            .answerable()
            .filter(|item| is_meant(&item_id(item), id));
        let first = meant.next()?;
        meant.all(|item| item == first).then_some(first)
    }

    /// Every item that an answer can be about, some more than once.
    fn answerable(&self) -> impl Iterator<Item = &ItemId> {
        let labelled = self.labelled.iter().map(|labelled| &labelled.what.item);
        let answered = self.rejected.keys().chain(self.cleared.keys());
        self.items.keys().chain(answered).chain(labelled)
    }

    /// Everything that can be answered and is called `id`, or, if it is an item, something that begins so.
    #[must_use]
    pub fn called(&self, id: &str) -> BTreeSet<String> {
        let held = self.held.iter().map(Held::id).filter(|held| held == id);
        let items = self.answerable().map(item_id);
        let items = items.filter(|item| id.starts_with(ITEM) && item.starts_with(id));
        held.chain(items).collect()
    }

    fn answer_held(&mut self, index: usize, answer: Answer, reason: &str) -> Option<ItemId> {
        let held = self.held.get_mut(index)?;
        held.approved = answer == Answer::Approve;
        let (item, content) = (held.hold.mv.item.clone(), held.hold.content);
        if answer == Answer::Reject {
            self.held.remove(index);
            if let Some(item) = &item {
                let labelled = self.cleared.contains_key(item);
                self.reject(item, reason, content, labelled);
            }
        }
        item
    }

    fn answer_item(&mut self, item: &ItemId, answer: Answer, reason: &str) {
        let (content, labelled) = self.shown(item);
        self.cleared.remove(item);
        match answer {
            Answer::Approve => {
                self.items.remove(item);
                self.rejected.remove(item);
                if let Some(content) = content.filter(|_| labelled) {
                    self.cleared.insert(item.clone(), content);
                    self.answered.insert(item.clone());
                }
            }
            Answer::Reject => {
                self.items.remove(item);
                self.reject(item, reason, content, labelled);
            }
            Answer::Note => {}
        }
    }

    /// What people have last been shown of an item: its digest, and whether it is a label that leaves it to them.
    fn shown(&self, item: &ItemId) -> (Option<Digest>, bool) {
        let labelled = self.labelled.iter().find(|known| known.what.item == *item);
        let rejected = self.rejected.get(item);
        let cleared = self.cleared.get(item).copied();
        let asked = self.items.get(item).and_then(|tried| tried.asked.as_ref());
        let contents = [
            labelled.and_then(|labelled| labelled.what.content),
            asked.and_then(|asked| asked.content),
            rejected.and_then(|rejected| rejected.content),
            cleared,
        ];
        let by_label = labelled.is_some()
            || cleared.is_some()
            || rejected.is_some_and(|rejected| rejected.labelled);
        (contents.into_iter().flatten().next(), by_label)
    }

    fn reject(&mut self, item: &ItemId, reason: &str, content: Option<Digest>, labelled: bool) {
        let rejected = Rejected {
            reason: text::one_line(reason, REASON_CHARS_MAX),
            content,
            labelled,
        };
        self.rejected.insert(item.clone(), rejected);
        self.answered.insert(item.clone());
    }
}
