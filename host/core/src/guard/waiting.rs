//! How long people may leave a question open: they are reminded after a day, and after three the loop stops.
//!
//! **Invariant:** only an answer, a resumption or the end of the question stops this clock, and none of them is the loop's
//! own doing. A clock that steps back never makes anything overdue.

use jiff::{SignedDuration, Timestamp};

use crate::digest::Digest;
use crate::journal::{LoopState, is_meant, item_id};

/// After how many hours people are told again of what still waits.
pub const REMIND_HOURS: i64 = 24;
/// After how many hours without an answer a loop goes no further.
pub const OVERDUE_HOURS: i64 = 72;

/// A question that nobody has answered in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{id} has waited for an answer since {since:.0}, for over {OVERDUE_HOURS} h")]
pub struct Overdue {
    /// What the inbox calls it.
    pub id: String,
    /// Since when it waits: for itself, or since the last answer or resumption.
    pub since: Timestamp,
    /// When it became overdue.
    pub at: Timestamp,
}

/// The question that has been overdue longest at `now`: a change that is held and not approved, or an item that a person
/// was asked about. Under another `setup` than then nobody needs to know about the item; none where that cannot be said. What a
/// label leaves to people is not the loop's question.
#[must_use]
pub fn overdue(state: &LoopState, setup: Option<&Digest>, now: Timestamp) -> Option<Overdue> {
    let held = state
        .held
        .iter()
        .filter(|held| !held.approved)
        .map(|held| (held.id(), held.since));
    let asked = setup.is_none() || state.setup.as_ref() == setup;
    let items = state.items.iter().filter(|_| asked);
    let items = items.filter_map(|(item, history)| {
        let asked = history.asked.as_ref()?;
        Some((item_id(item), asked.at))
    });
    held.chain(items)
        .filter_map(|(id, since)| {
            let since = since.max(last_word(state, &id).unwrap_or(since));
            let at = since
                .checked_add(SignedDuration::from_hours(OVERDUE_HOURS))
                .ok()?;
            (at <= now).then_some(Overdue { id, since, at })
        })
        .min_by_key(|overdue| overdue.at)
}

/// When a person last did something that leaves the loop its time.
fn last_word(state: &LoopState, id: &str) -> Option<Timestamp> {
    let mut answers = state.orders.answers.iter().rev();
    let answered = answers
        .find(|answer| is_meant(id, &answer.what.id))
        .map(|answer| answer.at);
    answered.max(state.orders.resumed_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sample::*;
    use crate::journal::{Act, Answer, BeatReceipt, Body, Done, Entry, Outcome};
    use jiff::tz::TimeZone;

    /// What is overdue at `now` after entries of the given times.
    fn check(entries: Vec<(&str, Body)>, now: &str, expect: Option<&str>) {
        let entries: Vec<Entry> = entries
            .into_iter()
            .map(|(when, body)| Entry {
                seq: 1,
                at: at(when),
                body,
            })
            .collect();
        let state = LoopState::fold(&entries, &TimeZone::UTC);
        let overdue = overdue(&state, None, at(now)).map(|overdue| overdue.to_string());
        assert_eq!(overdue.as_deref(), expect, "{now}");
    }

    fn answer(id: &str, answer: Answer) -> Body {
        Body::Operator(told(Act::Answer {
            id: id.to_owned(),
            answer,
        }))
    }

    fn asked(beat: u64) -> Body {
        let outcome = Outcome::Escalated {
            why: vec!["twice".to_owned()],
            id: String::new(),
        };
        Body::Beat(Box::new(BeatReceipt {
            outcome,
            ..discarded(beat, "b", "no")
        }))
    }

    const HELD: Option<&str> =
        Some("held-1 has waited for an answer since 2026-11-01T00:00:00Z, for over 72 h");

    fn held() -> Vec<(&'static str, Body)> {
        let done = Done {
            beat: crate::ids::BeatNo(1),
            settled: Some(String::new()),
        };
        vec![
            ("2026-11-01T00:00:00Z", Body::Intent(holding(1, "a"))),
            ("2026-11-01T00:00:00Z", Body::Done(done)),
        ]
    }

    #[test]
    fn three_days_and_no_second_less() {
        check(held(), "2026-11-03T23:59:59Z", None);
        check(held(), "2026-11-04T00:00:00Z", HELD);
        check(held(), "2026-01-01T00:00:00Z", None);
        let item = || [held(), vec![("2026-10-31T00:00:00Z", asked(2))]].concat();
        check(item(), "2026-11-02T23:59:59Z", None);
        let id = item_id(&item_("b"));
        let expect =
            format!("{id} has waited for an answer since 2026-10-31T00:00:00Z, for over 72 h");
        check(item(), "2026-11-05T00:00:00Z", Some(&expect));
    }

    #[test]
    fn an_item_is_no_question_under_another_setup() {
        let entries = [Entry {
            seq: 1,
            at: at("2026-11-01T00:00:00Z"),
            body: asked(2),
        }];
        let state = LoopState::fold(&entries, &TimeZone::UTC);
        let under = |setup: Option<&str>| {
            let setup = setup.map(digest);
            overdue(&state, setup.as_ref(), at("2026-11-05T00:00:00Z")).is_some()
        };
        assert!(under(Some("setup")) && under(None));
        assert!(!under(Some("edited")));
    }

    fn item_(id: &str) -> crate::ids::ItemId {
        item(id)
    }

    #[test]
    fn a_word_of_a_person_gives_time() {
        let then = |body: Body| [held(), vec![("2026-11-03T12:00:00Z", body)]].concat();
        for answer in [
            answer("held-1", Answer::Note),
            Body::Operator(told(Act::Resume)),
        ] {
            check(then(answer.clone()), "2026-11-06T11:59:59Z", None);
            let expect =
                "held-1 has waited for an answer since 2026-11-03T12:00:00Z, for over 72 h";
            check(then(answer), "2026-11-06T12:00:00Z", Some(expect));
        }
        check(
            then(answer("held-2", Answer::Note)),
            "2026-11-04T00:00:00Z",
            HELD,
        );
        for over in [Answer::Approve, Answer::Reject] {
            check(then(answer("held-1", over)), "2026-12-01T00:00:00Z", None);
        }
    }
}
