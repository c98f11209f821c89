//! Which entries somebody asks for.
//!
//! **Invariant:** an entry that does not say what is asked for is left out, never taken on suspicion.

use jiff::Timestamp;

use crate::decision::Checked;
use crate::ids::{BeatNo, ItemId};
use crate::journal::{BeatReceipt, Body, Entry};

/// What entries have to be like; all of it has to hold, and nothing is asked at first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// They belong to this beat.
    pub beat: Option<BeatNo>,
    /// They are beats that ended so: `nothing-to-do`.
    pub outcome: Option<String>,
    /// They were written then or later.
    pub since: Option<Timestamp>,
    /// They are about this item.
    pub item: Option<ItemId>,
}

impl Selection {
    /// True when nothing is asked for.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// True for an entry that is asked for.
    #[must_use]
    pub fn takes(&self, entry: &Entry) -> bool {
        self.since.is_none_or(|since| entry.at >= since)
            && self
                .beat
                .is_none_or(|beat| beat_of(&entry.body) == Some(beat))
            && self
                .outcome
                .as_ref()
                .is_none_or(|kind| outcome_of(&entry.body) == Some(kind))
            && self
                .item
                .as_ref()
                .is_none_or(|item| item_of(&entry.body) == Some(item))
    }
}

fn beat_of(body: &Body) -> Option<BeatNo> {
    match body {
        Body::Beat(receipt) => Some(receipt.beat),
        Body::Intent(intent) => Some(intent.beat),
        Body::Done(done) => Some(done.beat),
        Body::Recovered(recovered) => Some(recovered.beat),
        Body::Reserve(reservation) => Some(reservation.beat),
        Body::Operator(_) | Body::Drill(_) | Body::Notice(_) => None,
    }
}

fn outcome_of(body: &Body) -> Option<&'static str> {
    match body {
        Body::Beat(receipt) => Some(receipt.outcome.kind()),
        _ => None,
    }
}

fn item_of(body: &Body) -> Option<&ItemId> {
    match body {
        Body::Beat(receipt) => receipt.item(),
        Body::Intent(intent) => intent.item.as_ref(),
        _ => None,
    }
}

impl BeatReceipt {
    /// The item that the beat was about, if one.
    #[must_use]
    pub fn item(&self) -> Option<&ItemId> {
        let decided = match &self.decision {
            Some(Checked::Move(mv)) => mv.item.as_ref(),
            Some(Checked::Noop { .. }) | None => None,
        };
        decided.or_else(|| self.attempt.as_ref().map(|attempt| &attempt.item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sample::*;
    use crate::journal::{Notice, Settle};

    #[test]
    fn what_is_asked_for() {
        let note = Body::Notice(Notice {
            about: "a".to_owned(),
            error: None,
        });
        let on = |seq, body| Entry {
            seq,
            at: at("2026-11-21T12:00:00Z"),
            body,
        };
        let entries = [
            entry(1, "2026-11-20T12:00:00Z", failed(1)),
            on(2, Body::Intent(intent(2, "a", Settle::Propose))),
            on(3, Body::Beat(Box::new(proposed(2, "a")))),
            on(4, Body::Beat(Box::new(discarded(3, "b", "no")))),
            on(5, note),
        ];
        let taken = |selection: Selection| -> Vec<u64> {
            let taken = entries.iter().filter(|entry| selection.takes(entry));
            taken.map(|entry| entry.seq).collect()
        };
        let all = Selection::default;
        assert!(all().is_everything());
        assert_eq!(taken(all()), [1, 2, 3, 4, 5]);
        let beat = Some(BeatNo(2));
        assert_eq!(taken(Selection { beat, ..all() }), [2, 3]);
        let outcome = Some("discarded".to_owned());
        assert_eq!(taken(Selection { outcome, ..all() }), [4]);
        let since = Some(at("2026-11-21T12:00:00Z"));
        assert_eq!(taken(Selection { since, ..all() }), [2, 3, 4, 5]);
        let item = Some(item("a"));
        let both = Selection {
            item: item.clone(),
            outcome: Some("proposed".to_owned()),
            ..all()
        };
        assert_eq!(taken(Selection { item, ..all() }), [2, 3]);
        assert_eq!(taken(both), [3]);
    }
}
