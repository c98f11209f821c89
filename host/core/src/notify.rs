//! What people are told, and when: one message for what is new, once; a reminder a day for what still waits.
//!
//! **Invariant:** what was delivered once is not sent as news again, whatever happens between; what could not be delivered
//! is tried again after longer and longer waits. Nothing of a message is older or longer than its bounds, and no text in it
//! can act upon a terminal.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::guard::{REMIND_HOURS, backoff_seconds};
use crate::ids::LoopId;
use crate::inbox::{Kind, Waiting};
use crate::journal::LoopState;
use crate::quantity::Millis;
use crate::text;

// Limit: what one person reads at once; the number of the others is told.
const EVENTS_MAX: usize = 20;
// Limit: one line each; the inbox has all of it.
const WHY_MAX: usize = 3;
const WHY_CHARS_MAX: usize = 300;

/// A message to people, as the command gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The version of this shape: 1.
    pub version: u32,
    /// The loop.
    #[serde(rename = "loop")]
    pub loop_id: LoopId,
    /// When it was put together.
    pub at: Timestamp,
    /// All of it for people: some lines of plain text.
    pub text: String,
    /// What it is about, oldest first.
    pub events: Vec<Event>,
    /// How many more there are than stand here.
    pub more: usize,
}

/// One thing that people are told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// What `answer` calls it.
    pub id: String,
    /// What kind of thing.
    pub kind: Kind,
    /// True when people were told before.
    pub reminder: bool,
    /// Since when.
    pub since: Timestamp,
    /// Why, in the first few lines.
    pub why: Vec<String>,
    /// The command that shows more, or helps.
    pub command: String,
    /// What the journal calls this.
    #[serde(skip)]
    pub about: String,
}

/// What there is to tell of `news` at `now`; none when nothing is, or the last message was less than `digest` ago.
#[must_use]
pub fn due(
    loop_id: &LoopId,
    state: &LoopState,
    news: &[Waiting],
    digest: Millis,
    now: Timestamp,
) -> Option<Message> {
    let due: Vec<Event> = news
        .iter()
        .filter_map(|one| event(state, one, now))
        .collect();
    if due.is_empty() || quiet_until(state, digest, now).is_some() {
        return None;
    }
    let more = due.len().saturating_sub(EVENTS_MAX);
    let events: Vec<Event> = due.into_iter().take(EVENTS_MAX).collect();
    Some(Message {
        version: 1,
        loop_id: loop_id.clone(),
        at: now,
        text: text_of(loop_id, &events, more),
        events,
        more,
    })
}

/// When there is something to tell of `news`, if nothing else happens: `now` when [`due`] has a message, none when all that
/// there is was told for good.
#[must_use]
pub fn due_at(
    state: &LoopState,
    news: &[Waiting],
    digest: Millis,
    now: Timestamp,
) -> Option<Timestamp> {
    let first = news.iter().filter_map(|one| tell_at(state, one, now)).min();
    Some(first?.max(quiet_until(state, digest, now).unwrap_or(now)))
}

/// When the digest of the last message ends, if it has not.
fn quiet_until(state: &LoopState, digest: Millis, now: Timestamp) -> Option<Timestamp> {
    let delivered = state.notices.values().filter_map(|told| told.last_told_at);
    let until = delivered.max().and_then(|last| later(last, digest))?;
    // A clock that stepped back does not silence a loop for longer than the digest.
    (now < until && until.duration_since(now) <= length(digest)).then_some(until)
}

/// When people are told of `one`, from `now` on; none when they were, and it is not their turn.
fn tell_at(state: &LoopState, one: &Waiting, now: Timestamp) -> Option<Timestamp> {
    let told = state.notices.get(&one.about()).copied().unwrap_or_default();
    if told.told_at.is_some() && !one.is_question() {
        return None;
    }
    let wait = if told.failed > 0 {
        SignedDuration::from_secs(i64::from(backoff_seconds(told.failed)))
    } else {
        SignedDuration::from_hours(REMIND_HOURS)
    };
    let waits_until = |last: Timestamp| last.checked_add(wait).unwrap_or(Timestamp::MAX);
    // One that was tried in the future was tried by a clock that was wrong.
    let last = told.last_try_at.filter(|last| *last <= now);
    Some(last.map_or(now, waits_until).max(now))
}

fn event(state: &LoopState, one: &Waiting, now: Timestamp) -> Option<Event> {
    let about = one.about();
    let told = state.notices.get(&about);
    (tell_at(state, one, now)? == now).then(|| Event {
        id: one.id.clone(),
        kind: one.kind,
        reminder: told.is_some_and(|told| told.told_at.is_some()),
        since: one.since,
        why: one
            .why
            .iter()
            .take(WHY_MAX)
            .map(|why| text::plain(why, WHY_CHARS_MAX))
            .collect(),
        command: command(one),
        about,
    })
}

fn command(one: &Waiting) -> String {
    match one.kind {
        Kind::Held | Kind::Item | Kind::Label => format!("ringfence inbox {}", one.id),
        Kind::Paused | Kind::Retired | Kind::ReportOnly | Kind::Unmetered => {
            "ringfence resume".to_owned()
        }
        Kind::Budget | Kind::Calendar | Kind::Failing | Kind::GivenUp => {
            "ringfence status".to_owned()
        }
    }
}

fn headline(event: &Event) -> String {
    let what = match event.kind {
        Kind::Held => "a change waits for approval",
        Kind::Item => "an item is left to a person",
        Kind::Label => "an item is for a person",
        Kind::Paused => "the loop is paused",
        Kind::Retired => "the loop is retired",
        Kind::ReportOnly => "changes are only recorded",
        Kind::Unmetered => "the decider does not say what it costs",
        Kind::Budget => "a budget is used up",
        Kind::Calendar => "the calendar cannot be read",
        Kind::Failing => "beats are failing",
        Kind::GivenUp => "an approved change could not be settled",
    };
    let still = if event.reminder { "still: " } else { "" };
    format!("{still}{what} ({}, since {:.0})", event.id, event.since)
}

fn text_of(loop_id: &LoopId, events: &[Event], more: usize) -> String {
    let mut lines = vec![format!("ringfence loop {loop_id}")];
    for event in events {
        lines.push(format!("- {}", headline(event)));
        lines.extend(event.why.iter().map(|why| format!("  {why}")));
        lines.push(format!("  {}", event.command));
    }
    if more > 0 {
        lines.push(format!("and {more} more: ringfence inbox"));
    }
    lines.join("\n")
}

fn later(at: Timestamp, by: Millis) -> Option<Timestamp> {
    at.checked_add(length(by)).ok()
}

fn length(time: Millis) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(time.0).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::BeatNo;
    use crate::journal::sample::at;
    use crate::journal::{Body, Entry, Notice};
    use jiff::tz::TimeZone;

    const HELD: &str = "held-1";

    fn one(id: &str, kind: Kind, since: &str) -> Waiting {
        Waiting {
            id: id.to_owned(),
            kind,
            since: at(since),
            why: vec!["because".to_owned()],
            item: None,
            beat: Some(BeatNo(1)),
            approved: false,
            not_yet: None,
            answers: Vec::new(),
        }
    }

    /// A loop's people, and what they were told.
    #[derive(Default)]
    struct Told {
        state: LoopState,
        news: Vec<Waiting>,
        digest: u64,
    }

    impl Told {
        /// What a beat at `now` tells, as `id` or `id again`; it is delivered or not.
        fn at(&mut self, now: &str, error: Option<&str>) -> Vec<String> {
            let loop_id = LoopId::new("docs").unwrap();
            let digest = Millis(self.digest * 3_600_000);
            let Some(message) = due(&loop_id, &self.state, &self.news, digest, at(now)) else {
                return Vec::new();
            };
            for event in &message.events {
                let body = Body::Notice(Notice {
                    about: event.about.clone(),
                    error: error.map(str::to_owned),
                });
                let entry = Entry {
                    seq: 1,
                    at: at(now),
                    body,
                };
                self.state.add(&entry, &TimeZone::UTC);
            }
            let name = |event: &Event| {
                format!("{}{}", event.id, if event.reminder { " again" } else { "" })
            };
            message.events.iter().map(name).collect()
        }
    }

    fn held() -> Told {
        Told {
            news: vec![one(HELD, Kind::Held, "2026-11-01T00:00:00Z")],
            ..Told::default()
        }
    }

    #[test]
    fn once_and_then_once_a_day() {
        let mut told = held();
        for (now, expect) in [
            ("2026-11-01T00:00:00Z", &["held-1"][..]),
            ("2026-11-01T00:00:01Z", &[]),
            ("2026-11-01T23:59:59Z", &[]),
            ("2026-11-02T00:00:00Z", &["held-1 again"]),
            ("2026-11-02T12:00:00Z", &[]),
            ("2026-11-03T00:00:00Z", &["held-1 again"]),
        ] {
            assert_eq!(told.at(now, None), expect, "{now}");
        }
        told.news = vec![one(HELD, Kind::Held, "2026-11-03T00:00:01Z")];
        assert_eq!(
            told.at("2026-11-03T00:00:01Z", None),
            ["held-1"],
            "it waits anew"
        );
        told.news.clear();
        assert_eq!(
            told.at("2026-12-01T00:00:00Z", None),
            [""; 0],
            "it was answered"
        );
    }

    #[test]
    fn what_is_no_question_is_told_once() {
        for kind in [
            Kind::Paused,
            Kind::Retired,
            Kind::Unmetered,
            Kind::Budget,
            Kind::Failing,
            Kind::GivenUp,
        ] {
            let mut told = Told {
                news: vec![one("x", kind, "2026-11-01T00:00:00Z")],
                ..Told::default()
            };
            assert_eq!(told.at("2026-11-01T00:00:00Z", None), ["x"]);
            assert_eq!(told.at("2026-11-05T00:00:00Z", None), [""; 0], "{kind:?}");
        }
        let mut told = held();
        told.at("2026-11-01T00:00:00Z", None);
        told.news[0].approved = true;
        assert_eq!(
            told.at("2026-11-05T00:00:00Z", None),
            [""; 0],
            "a beat is missing, not a person"
        );
    }

    #[test]
    fn what_could_not_be_told_is_tried_again_later_and_later() {
        let mut told = held();
        for (now, expect) in [
            ("2026-11-01T00:00:00Z", &["held-1"][..]),
            ("2026-11-01T00:00:59Z", &[]),
            ("2026-11-01T00:01:00Z", &["held-1"]),
            ("2026-11-01T00:02:59Z", &[]),
            ("2026-11-01T00:03:00Z", &["held-1"]),
        ] {
            assert_eq!(told.at(now, Some("exit 1")), expect, "{now}");
        }
        assert_eq!(told.at("2026-11-01T00:07:00Z", None), ["held-1"]);
        assert_eq!(told.at("2026-11-01T12:00:00Z", None), [""; 0]);
    }

    #[test]
    fn a_digest_collects() {
        let mut told = held();
        told.digest = 24;
        assert_eq!(
            told.at("2026-11-01T00:00:00Z", None),
            ["held-1"],
            "the first one is told at once"
        );
        told.news
            .push(one("budget", Kind::Budget, "2026-11-01T01:00:00Z"));
        told.news
            .push(one("held-2", Kind::Held, "2026-11-01T02:00:00Z"));
        assert_eq!(told.at("2026-11-01T23:59:59Z", None), [""; 0]);
        assert_eq!(
            told.at("2026-11-02T00:00:00Z", None),
            ["held-1 again", "budget", "held-2"]
        );
    }

    #[test]
    fn the_next_time_is_when_there_is_something_to_tell() {
        let next = |told: &Told, now: &str| {
            let digest = Millis(told.digest * 3_600_000);
            due_at(&told.state, &told.news, digest, at(now)).map(|next| next.to_string())
        };
        let mut told = held();
        told.digest = 2;
        let first = "2026-11-01T00:00:00Z";
        assert_eq!(next(&told, first).as_deref(), Some(first));
        told.at(first, None);
        let a_day_later = Some("2026-11-02T00:00:00Z");
        assert_eq!(next(&told, "2026-11-01T00:00:01Z").as_deref(), a_day_later);
        told.news.push(one("paused", Kind::Paused, first));
        let digest_ends = "2026-11-01T02:00:00Z";
        assert_eq!(next(&told, first).as_deref(), Some(digest_ends));
        assert_eq!(told.at(digest_ends, Some("exit 1")), ["paused"]);
        let retry = "2026-11-01T02:01:00Z";
        assert_eq!(next(&told, digest_ends).as_deref(), Some(retry));
        assert_eq!(told.at(retry, None), ["paused"]);
        told.news.remove(0);
        assert_eq!(next(&told, retry), None, "it was told for good");
    }

    #[test]
    fn a_clock_that_steps_back_silences_nobody() {
        let mut told = held();
        told.digest = 1;
        told.at("2026-11-20T00:00:00Z", None);
        told.news
            .push(one("held-2", Kind::Held, "2026-11-01T00:00:00Z"));
        assert_eq!(
            told.at("2026-11-01T00:00:00Z", None),
            ["held-1 again", "held-2"]
        );
    }

    #[test]
    fn a_message_is_bounded_and_harmless() {
        let mut news: Vec<Waiting> = (0..30)
            .map(|n| one(&format!("held-{n}"), Kind::Held, "2026-11-01T00:00:00Z"))
            .collect();
        news[0].why = vec![format!("\u{1b}[31m\u{202e}{}", "x".repeat(10_000)); 100];
        let loop_id = LoopId::new("docs").unwrap();
        let state = LoopState::default();
        let message = due(
            &loop_id,
            &state,
            &news,
            Millis(1),
            at("2026-11-01T00:00:00Z"),
        )
        .unwrap();
        assert_eq!(
            (
                message.events.len(),
                message.more,
                message.events[0].why.len()
            ),
            (20, 10, 3)
        );
        let text = serde_json::to_string(&message).unwrap();
        assert!(text.len() < 16 << 10, "{}", text.len());
        assert!(
            !message
                .text
                .chars()
                .any(|c| c.is_control() && c != '\n' || c == '\u{202e}')
        );
        let end: Vec<&str> = message.text.lines().rev().take(4).collect();
        assert_eq!(
            end,
            [
                "and 10 more: ringfence inbox",
                "  ringfence inbox held-19",
                "  because",
                "- a change waits for approval (held-19, since 2026-11-01T00:00:00Z)",
            ]
        );
    }
}
