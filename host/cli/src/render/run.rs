//! What a scheduler has to tell: one line for each beat.
//!
//! **Invariant:** a line is never broken, so that logs can be searched; what does not fit is cut.

use jiff::{SignedDuration, Timestamp};
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
    let soon = next.at.duration_since(now) < SignedDuration::from_hours(24);
    let at = if soon {
        Text::from(Safe::line(&next.at.strftime("%H:%M:%SZ").to_string()))
    } else {
        Text::from(next.at)
    };
    text![", next ", at].ink(Ink::Faint)
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
