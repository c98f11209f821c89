//! What a scheduler has to tell: one line for each beat.
//!
//! **Invariant:** a line is never broken, so that logs can be searched; what does not fit is cut.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ringfence_core::cadence::{Next, Why};
use ringfence_core::journal::Outcome;

use super::page::{Page, width};
use super::receipt::{outcome_line, outcome_word};
use super::safe::Safe;
use super::text::{Ink, Text, text};

const COLUMNS: usize = 80;
// Limit: of a reason so much is always shown, however long the name of its loop.
const DETAIL_CHARS_MIN: usize = 16;

/// A beat that ended.
pub(crate) fn beat(now: Timestamp, name: &str, outcome: &Outcome, next: Option<Next>) -> Page {
    let head = text![head(now, name), outcome_word(outcome)];
    let detail: String = outcome_line(outcome)
        .spans()
        .map(|(_, text)| text)
        .collect();
    line(head, &detail, tail(now, next))
}

/// A loop that cannot beat, and `why`.
pub(crate) fn trouble(now: Timestamp, name: &str, why: Page, next: Option<Next>) -> Page {
    let mut page = Page::new();
    let what = text!["cannot beat"].ink(Ink::Bad);
    page.copy(0, text![head(now, name), what, tail(now, next)]);
    page.append(why);
    page
}

/// A loop that is not due.
pub(crate) fn later(now: Timestamp, name: &str, next: Next) -> Page {
    let mut page = Page::new();
    page.copy(0, text![head(now, name), "not due", tail(now, Some(next))]);
    page
}

/// Anything else that is worth a line.
pub(crate) fn note(now: Timestamp, name: &str, what: &str) -> Page {
    let mut page = Page::new();
    page.hanging(0, 2, text![head(now, name), Safe::paragraph(what)]);
    page
}

/// Why a beat is due when it is.
pub(crate) fn why(why: Why) -> &'static str {
    match why {
        Why::First => "as it has never run",
        Why::Cadence => "by its cadence",
        Why::Wake => "as its decider wished",
        Why::Wait => "as it has to wait until then",
        Why::Clock => "as its last beat lies in the future",
        Why::Retry => "as the last one could not begin",
    }
}

fn head(now: Timestamp, name: &str) -> Text {
    text![
        text![now, " "].ink(Ink::Faint),
        text![Safe::line(name), " "].ink(Ink::Strong)
    ]
}

fn tail(now: Timestamp, next: Option<Next>) -> Text {
    let Some(next) = next else {
        return Text::new();
    };
    let at = if next.at == Timestamp::MAX {
        Text::from(if next.why == Why::Wait {
            "when a person resumes it"
        } else {
            "never"
        })
    } else if next.at <= now {
        Text::from("now")
    } else if day(next.at) == day(now) {
        Text::from(Safe::line(&next.at.strftime("%H:%M:%SZ").to_string()))
    } else {
        Text::from(next.at)
    };
    text![", next ", at].ink(Ink::Faint)
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn line(head: Text, detail: &str, tail: Text) -> Page {
    let room = COLUMNS.saturating_sub(width(&head) + width(&tail) + 2);
    let room = room.max(DETAIL_CHARS_MIN);
    let detail = if detail.chars().count() > room {
        let kept: String = detail.chars().take(room.saturating_sub(1)).collect();
        text![Safe::line(kept.trim_end()), "…"]
    } else {
        Safe::line(detail).into()
    };
    let mut page = Page::new();
    page.copy(0, text![head, ": ", detail, tail]);
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_beat_is_where_a_person_would_look_for_it() {
        let now: Timestamp = "2026-11-21T23:50:00Z".parse().unwrap();
        for (at, expect) in [
            ("2026-11-21T23:59:00Z", ", next 23:59:00Z"),
            ("2026-11-22T00:30:00Z", ", next 2026-11-22T00:30:00Z"),
            ("2026-11-20T00:30:00Z", ", next now"),
            ("never", ", next when a person resumes it"),
        ] {
            let next = Next {
                at: at.parse().unwrap_or(Timestamp::MAX),
                why: Why::Wait,
            };
            let said = tail(now, Some(next));
            let said: String = said.spans().map(|(_, text)| text).collect();
            assert_eq!(said, expect);
        }
    }
}
