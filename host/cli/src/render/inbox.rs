//! What waits for a person.
//!
//! Owns [`Waits`], which is what `inbox` found out, for people and for programs.

use jiff::Timestamp;
use ringfence_core::ids::{BeatNo, LoopId};
use ringfence_core::inbox::{Kind, Waiting};
use ringfence_core::journal::BeatReceipt;
use ringfence_core::verdict::Ruling;
use serde::Serialize;

use super::amount::{ago, count};
use super::page::Page;
use super::receipt::{changed, decided, judged, put_diff};
use super::safe::Safe;
use super::text::{Ink, Text, text};

// Limit: two screens; the others are counted.
const ROWS_MAX: usize = 10;
// Limit: enough to see what kind of change it is.
const EXCERPT_LINES: usize = 8;
const AT: usize = 10;

/// What waits in a loop.
#[derive(Debug, Serialize)]
pub(crate) struct Waits {
    /// The version of this shape.
    pub(crate) version: u32,
    /// The loop.
    #[serde(rename = "loop")]
    pub(crate) loop_id: LoopId,
    /// The loop file from the top of the project.
    pub(crate) file: String,
    /// When this was found out.
    pub(crate) now: Timestamp,
    /// Oldest first.
    pub(crate) waiting: Vec<Shown>,
}

/// One thing that waits, with its evidence.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// The thing.
    #[serde(flatten)]
    pub(crate) waiting: Waiting,
    /// The beat that it comes from: decision, change, verdicts.
    pub(crate) receipt: Option<BeatReceipt>,
    /// The change.
    pub(crate) diff: Option<Diff>,
    /// What was tried before.
    pub(crate) attempts: Vec<Attempt>,
}

/// A change as a unified diff.
#[derive(Debug, Serialize)]
pub(crate) struct Diff {
    /// Its beginning.
    pub(crate) text: String,
    /// True when it goes on.
    pub(crate) more: bool,
    /// True when it is not there any more, or is not what was laid aside.
    pub(crate) gone: bool,
}

/// An attempt that came to nothing.
#[derive(Debug, Serialize)]
pub(crate) struct Attempt {
    /// By which beat.
    pub(crate) beat: BeatNo,
    /// Why.
    pub(crate) reason: String,
}

/// All that waits.
pub(crate) fn all(found: &Waits) -> Page {
    let mut page = Page::new();
    let name = text!["loop ", &found.loop_id].ink(Ink::Strong);
    if found.waiting.is_empty() {
        page.line(text![name, ": nothing waits for a person"]);
        return page;
    }
    let things = count(found.waiting.len(), "thing waits", "things wait");
    page.line(text![name, ": ", things, ", oldest first"]);
    for shown in found.waiting.iter().take(ROWS_MAX) {
        page.gap();
        head(&mut page, shown, found.now);
        if let Some(receipt) = &shown.receipt {
            in_short(&mut page, receipt);
        }
        if let Some(diff) = &shown.diff {
            excerpt(&mut page, diff);
        }
        foot(&mut page, &shown.waiting);
    }
    let rest = found.waiting.len().saturating_sub(ROWS_MAX);
    if rest > 0 {
        page.gap()
            .line(text!["… ", rest, " more: see `--format json`"].ink(Ink::Faint));
    }
    page
}

/// Everything of one thing.
pub(crate) fn one(shown: &Shown, now: Timestamp) -> Page {
    let mut page = Page::new();
    head(&mut page, shown, now);
    for attempt in &shown.attempts {
        let what = text![
            "beat ",
            attempt.beat,
            ": ",
            Safe::paragraph(&attempt.reason)
        ];
        page.field(2, AT, "tried", what);
    }
    foot(&mut page, &shown.waiting);
    if let Some(receipt) = &shown.receipt {
        decided(&mut page, receipt);
        if let Some(change) = &receipt.change {
            changed(&mut page, change);
        }
        judged(&mut page, receipt);
    }
    match &shown.diff {
        Some(Diff { gone: true, .. }) => {
            page.gap().line(gone());
        }
        Some(diff) => {
            page.gap();
            put_diff(&mut page, &diff.text);
            if diff.more {
                page.item(
                    2,
                    text!["… and more: the whole is in the patch that was laid aside"]
                        .ink(Ink::Faint),
                );
            }
        }
        None => {}
    }
    page
}

fn gone() -> Text {
    text!["the change is gone, or is not what was laid aside: reject it"].ink(Ink::Warn)
}

fn head(page: &mut Page, shown: &Shown, now: Timestamp) {
    let waiting = &shown.waiting;
    let id = text![Safe::line(&waiting.id)].ink(Ink::Strong);
    page.line(text![
        id,
        ": ",
        what(waiting),
        ", ",
        ago(waiting.since, now)
    ]);
    page.field(2, AT, "since", waiting.since);
    if let Some(item) = &waiting.item {
        page.field(2, AT, "item", item);
    }
    for why in &waiting.why {
        page.field(2, AT, "why", Safe::paragraph(why));
    }
    if let Some(why) = &waiting.not_yet {
        page.field(2, AT, "not yet", Safe::paragraph(why));
    }
}

fn what(waiting: &Waiting) -> Text {
    match waiting.kind {
        Kind::Held if waiting.not_yet.is_some() => {
            text!["a change that is approved, and not settled yet"]
        }
        Kind::Held if waiting.approved => {
            text!["a change that is approved; the next beat settles it"]
        }
        Kind::Held => text!["a change that all gates let through"],
        Kind::Item => text!["an item that the loop gave up"],
        Kind::Label => text!["an item that its label leaves to people"],
        Kind::Paused => text!["the loop is paused"],
        Kind::Retired => text!["the loop is retired"],
        Kind::ReportOnly => text!["the loop's changes are only recorded"],
        Kind::Unmetered => text!["the loop is paused, as its decider does not say what it costs"],
        Kind::Budget => text!["a budget of the day is used up"],
        Kind::Calendar => text!["the calendar cannot be read, so the loop is frozen"],
        Kind::Failing => text!["beats fail"],
        Kind::GivenUp => text!["an approved change that could not be settled"],
    }
}

fn in_short(page: &mut Page, receipt: &BeatReceipt) {
    if let Some(change) = &receipt.change {
        let more = usize::try_from(change.files_more).unwrap_or(usize::MAX);
        let files = count(change.files.len().saturating_add(more), "file", "files");
        let added: u64 = change.files.iter().map(|file| u64::from(file.added)).sum();
        let removed: u64 = change
            .files
            .iter()
            .map(|file| u64::from(file.removed))
            .sum();
        page.field(2, AT, "change", text![files, ", +", added, " -", removed]);
    }
    let verdicts = receipt.verdicts.iter().map(|result| {
        let word = match &result.answer {
            Ok(verdict) => match verdict.ruling {
                Ruling::Pass => text!["pass"].ink(Ink::Good),
                Ruling::Fail => text!["fail"].ink(Ink::Bad),
                Ruling::Abstain => text!["abstain"],
            },
            Err(_) => text!["broken"].ink(Ink::Bad),
        };
        text![&result.gate, " ", word]
    });
    let verdicts = Text::join(verdicts, ", ");
    if !verdicts.is_empty() {
        page.field(2, AT, "gates", verdicts);
    }
}

fn excerpt(page: &mut Page, diff: &Diff) {
    if diff.gone {
        page.field(2, AT, "diff", gone());
        return;
    }
    let mut lines = diff.text.lines().filter(|line| !is_preamble(line));
    for line in lines.by_ref().take(EXCERPT_LINES) {
        let ink = match line.as_bytes().first() {
            Some(b'+') => Ink::Good,
            Some(b'-') => Ink::Bad,
            _ => Ink::Plain,
        };
        page.copy(4, text![Safe::cut(line, 72)].ink(ink));
    }
    if diff.more || lines.next().is_some() {
        page.item(
            4,
            text!["… the first ", EXCERPT_LINES, " lines; its id shows all"].ink(Ink::Faint),
        );
    }
}

fn is_preamble(line: &str) -> bool {
    ["diff --git ", "index ", "--- "]
        .iter()
        .any(|start| line.starts_with(start))
}

fn foot(page: &mut Page, waiting: &Waiting) {
    let help = match waiting.kind {
        Kind::Held | Kind::Item | Kind::Label => text![
            "ringfence answer ",
            Safe::line(&waiting.id),
            " ",
            Text::join(
                waiting.answers.iter().map(|answer| Text::from(*answer)),
                "|"
            )
        ],
        Kind::Paused | Kind::Retired | Kind::ReportOnly | Kind::Unmetered => {
            text!["ringfence resume"]
        }
        Kind::Budget | Kind::Calendar | Kind::Failing | Kind::GivenUp => {
            text!["ringfence status"]
        }
    };
    page.field(2, AT, "answer", help);
}
