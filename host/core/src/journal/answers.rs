//! What people's answers change.
//!
//! **Invariant:** of the answers to one thing the last one counts; an answer to something that no longer waits changes
//! nothing, and reaches the decider all the same.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::ids::ItemId;
use crate::journal::{Act, Answer, LoopState, OperatorAct, Rejected, Said, item_id};
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
    fn apply(
        &mut self,
        id: &str,
        answer: Answer,
        reason: &str,
        at: Timestamp,
    ) -> Option<ItemId> {
        if let Some(index) = self.held.iter().position(|held| held.id() == id) {
            // A word about an item is none about a change that was made.
            self.evidence.add_answer(answer, at);
            return self.answer_held(index, answer, reason);
        }
        let mut known = self.items.keys().chain(self.rejected.keys());
        let tried = known.find(|item| item_id(item) == id).cloned();
        if let Some(item) = tried {
            self.answer_item(&item, answer, reason);
            return Some(item);
        }
        let labelled = self.labelled.iter().map(|labelled| &labelled.what.item);
        let item = labelled
            .into_iter()
            .find(|item| item_id(item) == id)?
            .clone();
        self.cleared.remove(&item);
        match answer {
            Answer::Approve => {
                self.rejected.remove(&item);
                self.cleared.insert(item.clone());
                self.answered.insert(item.clone());
            }
            Answer::Reject => self.reject(&item, reason, None),
            Answer::Note => {}
        }
        Some(item)
    }

    fn answer_held(&mut self, index: usize, answer: Answer, reason: &str) -> Option<ItemId> {
        let held = self.held.get_mut(index)?;
        held.approved = answer == Answer::Approve;
        let (item, content) = (held.hold.mv.item.clone(), held.hold.content);
        if answer == Answer::Reject {
            self.held.remove(index);
            if let Some(item) = &item {
                self.reject(item, reason, content);
            }
        }
        item
    }

    fn answer_item(&mut self, item: &ItemId, answer: Answer, reason: &str) {
        let asked = self
            .items
            .get(item)
            .and_then(|history| history.asked.as_ref());
        let content = asked.and_then(|asked| asked.content);
        match answer {
            Answer::Approve => {
                self.items.remove(item);
                self.rejected.remove(item);
            }
            Answer::Reject => {
                self.items.remove(item);
                self.reject(item, reason, content);
            }
            Answer::Note => {}
        }
    }

    fn reject(&mut self, item: &ItemId, reason: &str, content: Option<crate::digest::Digest>) {
        let reason = text::one_line(reason, REASON_CHARS_MAX);
        self.rejected
            .insert(item.clone(), Rejected { reason, content });
        self.answered.insert(item.clone());
    }
}
