//! Where a loop stands.
//!
//! Owns [`Standing`], which is what `status` found out, for people and for programs.

use jiff::Timestamp;
use ringfence_core::ids::{BeatNo, LoopId};
use ringfence_core::journal::Outcome;
use ringfence_core::quantity::Fuel;
use serde::Serialize;

use super::amount::{ago, near, until};
use super::page::Page;
use super::receipt::{branch, outcome_line, outcome_word};
use super::safe::Safe;
use super::table::Table;
use super::text::{Ink, Text, text};

// Limit: a screen; the others are counted.
const ROWS_MAX: usize = 10;

/// Where a loop stands.
#[derive(Debug, Serialize)]
pub(crate) struct Standing {
    /// The version of this shape.
    pub(crate) version: u32,
    /// The loop.
    #[serde(rename = "loop")]
    pub(crate) loop_id: LoopId,
    /// The loop file from the top of the project.
    pub(crate) file: String,
    /// When this was found out.
    pub(crate) now: Timestamp,
    /// The last beats, newest first.
    pub(crate) beats: Vec<PastBeat>,
    /// Branches and patches that still stand, oldest first.
    pub(crate) proposals: Vec<OpenProposal>,
    /// Items with attempts that came to nothing.
    pub(crate) items: Vec<TriedItem>,
    /// What today cost.
    pub(crate) today: Today,
    /// What the next beat would meet.
    pub(crate) next: Next,
}

/// One beat of the past.
#[derive(Debug, Serialize)]
pub(crate) struct PastBeat {
    /// Its number.
    pub(crate) beat: BeatNo,
    /// When it ended.
    pub(crate) at: Timestamp,
    /// What it cost.
    pub(crate) fuel: Fuel,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// A proposal nobody has dealt with.
#[derive(Debug, Serialize)]
pub(crate) struct OpenProposal {
    /// By which beat.
    pub(crate) beat: BeatNo,
    /// For which item.
    pub(crate) item: Option<String>,
    /// The full name of the branch, or the patch's path from the loop's state directory.
    pub(crate) reference: String,
}

/// An item that was tried in vain.
#[derive(Debug, Serialize)]
pub(crate) struct TriedItem {
    /// The item.
    pub(crate) item: String,
    /// How often.
    pub(crate) attempts: u32,
    /// How often at most.
    pub(crate) attempts_max: u32,
    /// Why it is a person's now.
    pub(crate) escalated: Option<String>,
    /// The last reason, normalised.
    pub(crate) reason: Option<String>,
}

/// What the day of the loop's time zone cost so far.
#[derive(Debug, Serialize)]
pub(crate) struct Today {
    /// Fuel of all beats.
    pub(crate) fuel: Fuel,
    /// Its limit.
    pub(crate) fuel_max: Fuel,
    /// Beats that got as far as deciding.
    pub(crate) beats: u64,
    /// Their limit.
    pub(crate) beats_max: u64,
    /// Whose days these are.
    pub(crate) timezone: String,
}

/// What the next beat would meet.
#[derive(Debug, Serialize)]
#[serde(tag = "next", rename_all = "kebab-case")]
pub(crate) enum Next {
    /// Nothing stands in its way.
    Free,
    /// Its change would be recorded, not proposed.
    ShadowOnly {
        /// Why.
        why: String,
    },
    /// Beats failed, and the next try is not due.
    Wait {
        /// When it is.
        until: Timestamp,
        /// Why.
        why: String,
    },
    /// A budget of the day is used up.
    Refused {
        /// Which, as in the loop file.
        budget: &'static str,
        /// What is used.
        used: u64,
        /// The limit.
        limit: u64,
        /// When the day ends.
        until: Timestamp,
    },
    /// It could not begin.
    Broken {
        /// Why.
        why: String,
    },
}

/// The page for people.
pub(crate) fn standing(found: &Standing) -> Page {
    let mut page = Page::new();
    page.line(text![
        text!["loop ", &found.loop_id].ink(Ink::Strong),
        " (",
        Safe::line(&found.file),
        ")"
    ]);
    page.field(2, 10, "today", today(&found.today));
    page.field(2, 10, "next", next(&found.next, found.now));
    beats(&mut page, found);
    proposals(&mut page, found);
    items(&mut page, &found.items);
    page
}

fn today(today: &Today) -> Text {
    let part = |text: Text, used, limit| {
        if near(used, limit) {
            text.ink(Ink::Warn)
        } else {
            text
        }
    };
    let fuel = part(
        text![today.fuel, " of ", today.fuel_max, " fuel"],
        today.fuel.0,
        today.fuel_max.0,
    );
    let beats = part(
        text![today.beats, " of ", today.beats_max, " beats"],
        today.beats,
        today.beats_max,
    );
    text![fuel, ", ", beats, " (", Safe::line(&today.timezone), ")"]
}

fn next(next: &Next, now: Timestamp) -> Text {
    match next {
        Next::Free => "a beat may run now".into(),
        Next::ShadowOnly { why } => text![
            "a beat may run, and would only record its change: ",
            Safe::line(why)
        ]
        .ink(Ink::Warn),
        Next::Wait { until: time, why } => text![
            "waits until ",
            *time,
            " (",
            until(*time, now),
            "): ",
            Safe::line(why)
        ]
        .ink(Ink::Warn),
        Next::Refused {
            budget,
            used,
            limit,
            until: time,
        } => {
            let (used, limit) = match *budget {
                "fuel_per_day" => (Fuel(*used).into(), Fuel(*limit).into()),
                _ => (Text::from(*used), Text::from(*limit)),
            };
            text![
                "refused: ",
                *budget,
                " is used up (",
                used,
                " of ",
                limit,
                ") until ",
                *time,
                " (",
                until(*time, now),
                ")"
            ]
            .ink(Ink::Warn)
        }
        Next::Broken { why } => text!["cannot begin: ", Safe::paragraph(why)].ink(Ink::Bad),
    }
}

fn beats(page: &mut Page, found: &Standing) {
    if found.beats.is_empty() {
        page.gap().line("no beat has run yet");
        return;
    }
    page.gap().line(text!["last beats"].ink(Ink::Strong));
    let mut table = Table::new(
        2,
        &[
            ("beat", 5),
            ("when       ", 12),
            ("fuel ", 6),
            ("how it ended", 80),
        ],
    );
    for beat in &found.beats {
        let how = text![
            outcome_word(&beat.outcome),
            ": ",
            outcome_line(&beat.outcome)
        ];
        table.row([
            beat.beat.into(),
            ago(beat.at, found.now),
            beat.fuel.into(),
            how,
        ]);
    }
    table.put(page);
}

fn proposals(page: &mut Page, found: &Standing) {
    if found.proposals.is_empty() {
        return;
    }
    let are_branches = found
        .proposals
        .iter()
        .any(|one| one.reference.starts_with("refs/"));
    let how = if are_branches {
        " (to look: git diff HEAD...BRANCH)"
    } else {
        ""
    };
    page.gap()
        .line(text![text!["open proposals"].ink(Ink::Strong), how]);
    let mut table = Table::new(2, &[("beat", 5), ("branch or patch", 40), ("for", 80)]);
    for proposal in found.proposals.iter().rev().take(ROWS_MAX) {
        let item = proposal
            .item
            .as_ref()
            .map_or_else(Text::new, |item| Safe::line(item).into());
        table.row([
            proposal.beat.into(),
            Safe::line(branch(&proposal.reference)).into(),
            item,
        ]);
    }
    table.put(page);
    more(page, found.proposals.len());
}

fn items(page: &mut Page, items: &[TriedItem]) {
    if items.is_empty() {
        return;
    }
    page.gap().line(text!["tried in vain"].ink(Ink::Strong));
    let mut table = Table::new(2, &[("item", 30), ("attempts", 8), ("", 80)]);
    for item in items.iter().take(ROWS_MAX) {
        let why = match (&item.escalated, &item.reason) {
            (Some(why), _) => text![text!["a person's now: "].ink(Ink::Warn), Safe::line(why)],
            (None, Some(reason)) => Safe::line(reason).into(),
            (None, None) => Text::new(),
        };
        table.row([
            Safe::line(&item.item).into(),
            text![item.attempts, " of ", item.attempts_max],
            why,
        ]);
    }
    table.put(page);
    more(page, items.len());
}

fn more(page: &mut Page, number: usize) {
    let rest = number.saturating_sub(ROWS_MAX);
    if rest > 0 {
        page.item(
            2,
            text!["… ", rest, " more: see `--format json`"].ink(Ink::Faint),
        );
    }
}
