//! Where a loop stands, on a page.
//!
//! Owns [`Standing`], which is what `status` found out, for people and for programs; of many loops, a row of each.

use jiff::Timestamp;
use ringfence_core::cadence::Why;
use ringfence_core::quantity::{Fuel, Money};

use super::amount::{ago, count, until};
use super::bar::{bar, percent};
use super::journal::by;
use super::page::Page;
use super::receipt::{branch, outcome_line, outcome_word};
use super::safe::Safe;
use super::table::Table;
use super::text::{Ink, Text, text};

pub(crate) use self::fleet::{OneOfMany, fleet};
pub(crate) use self::shape::{
    Budgeted, Drills, Due, JournalEnd, LevelNow, LevelOrdered, ModeNow, Next, OpenProposal,
    PastBeat, Standing, Today, TriedItem, Waiting,
};

mod fleet;
mod shape;

// Limit: a screen; the others are counted.
const ROWS_MAX: usize = 10;
// Limit: what `--items` shows; `--format json` has all of them.
const ITEMS_MAX: usize = 1_000;
// Limit: the last ones say how it goes on; the journal has the others.
const REASONS_MAX: usize = 5;

/// The page for people; `every_item` lists what was tried in vain with all its reasons.
pub(crate) fn standing(found: &Standing, every_item: bool) -> Page {
    let mut page = Page::new();
    page.line(text![
        text!["loop ", &found.loop_id].ink(Ink::Strong),
        " (",
        Safe::line(&found.file),
        ")"
    ]);
    page.field(2, AT, "level", level(&found.level));
    page.field(2, AT, "mode", mode(&found.mode, found.now));
    page.field(2, AT, "next", next(&found.next, found.now));
    page.field(2, AT, "due", due(&found.due, found.now));
    page.field(2, AT, "drills", drills(found.drills.as_ref(), found.now));
    if !found.flapping.is_empty() {
        let sensors = found.flapping.iter().map(|sensor| Safe::line(sensor));
        let what = text![Text::join(sensors, ", "), ": signals go to and fro"];
        page.field(2, AT, "flapping", what.ink(Ink::Warn));
    }
    page.gap().line(text![
        text!["today"].ink(Ink::Strong),
        " (",
        Safe::line(&found.today.timezone),
        ")"
    ]);
    budgets(&mut page, &found.budgets);
    waiting(&mut page, found);
    beats(&mut page, found);
    proposals(&mut page, found);
    items(&mut page, &found.items, every_item);
    page
}

/// The column where values begin.
const AT: usize = 12;

pub(crate) fn level(level: &LevelNow) -> Text {
    let ceiling = if level.now < level.ceiling {
        text![" of at most ", level.ceiling]
    } else {
        Text::new()
    };
    let ordered = level.order.as_ref().map_or_else(Text::new, |order| {
        let why = if order.reason.is_empty() {
            Text::new()
        } else {
            text![": ", Safe::line(&order.reason)]
        };
        let against = if order.overrides.is_empty() {
            Text::new()
        } else {
            let rules = order.overrides.iter().map(|rule| Safe::line(rule));
            text![text!["; passed over: "], Text::join(rules, "; ")].ink(Ink::Warn)
        };
        text![", ordered", by(&order.by), " at ", order.at, why, against]
    });
    let lapsed = level.lapsed.as_ref().map_or_else(Text::new, |why| {
        text!["; not further because of ", Safe::line(why)].ink(Ink::Warn)
    });
    text![level.now, ceiling, ordered, lapsed]
}

pub(crate) fn mode(mode: &ModeNow, now: Timestamp) -> Text {
    let ink = match mode.mode {
        "run" => Ink::Plain,
        "slow" | "report-only" => Ink::Warn,
        _ => Ink::Bad,
    };
    let mut line = Text::from(mode.mode).ink(ink);
    if let Some(since) = mode.since {
        line = text![line, " since ", since];
    }
    if let Some(end) = mode.until {
        line = text![line, " until ", end, " (", until(end, now), ")"];
    }
    if let Some(why) = &mode.why {
        line = text![line, ": ", Safe::line(why)];
    }
    line
}

/// When the next beat is due, and why then.
pub(crate) fn due(due: &Due, now: Timestamp) -> Text {
    let at = due.next.at;
    if at == Timestamp::MAX && due.next.why == Why::Wait {
        return text!["when a person resumes it: ", Safe::line(&due.cadence)];
    }
    let when = if at == Timestamp::MAX {
        text!["never"]
    } else if at <= now {
        text!["now"]
    } else {
        text![at, " (", until(at, now), ")"]
    };
    let why = match due.next.why {
        Why::Cadence => text![],
        Why::First => text!["it has never run; "],
        Why::Wake => text!["the decider asked for it; "],
        Why::Wait => text!["the last beat has to wait so long; "],
        Why::Clock => text!["the last beat began in the future; "],
        Why::Retry => text!["the last one could not begin; "],
    };
    text![when, ": ", why, Safe::line(&due.cadence)]
}

pub(crate) fn drills(drills: Option<&Drills>, now: Timestamp) -> Text {
    let Some(drills) = drills else {
        return "none was run".into();
    };
    let all_passed = drills.passed == drills.all && drills.all > 0;
    let ink = if all_passed { Ink::Good } else { Ink::Bad };
    let passed = text![drills.passed, " of ", drills.all, " passed"].ink(ink);
    let failed = if drills.failed.is_empty() {
        Text::new()
    } else {
        let names = drills.failed.iter().map(|name| Safe::line(name));
        text!["; not: ", Text::join(names, ", ")]
    };
    let old = drills.void.as_ref().map_or_else(Text::new, |why| {
        text!["; worth nothing now: ", Safe::line(why)].ink(Ink::Warn)
    });
    text![passed, " ", ago(drills.at, now), failed, old]
}

fn budgets(page: &mut Page, budgets: &[Budgeted]) {
    let mut table = Table::new(2, &[("", 20), ("", 22), ("", 6), ("", 80)]);
    for one in budgets {
        let amount = |amount: u64| amount_of(one.budget, amount);
        table.row([
            one.budget.into(),
            bar(one.used, one.limit),
            percent(one.used, one.limit),
            text![amount(one.used), " of ", amount(one.limit)],
        ]);
    }
    table.put(page);
}

/// An amount in the unit of its budget.
pub(crate) fn amount_of(budget: &str, amount: u64) -> Text {
    if budget.starts_with("fuel") {
        Fuel(amount).into()
    } else if budget.starts_with("money") {
        Safe::line(&Money(amount).to_string()).into()
    } else {
        amount.into()
    }
}

fn waiting(page: &mut Page, found: &Standing) {
    if found.waiting.is_empty() {
        return;
    }
    let number = count(found.waiting.len(), "thing", "things");
    let head = text![number, " for a person"].ink(Ink::Warn);
    page.gap().line(head);
    let mut table = Table::new(2, &[("", 30), ("", 12), ("", 80)]);
    for waiting in found.waiting.iter().take(ROWS_MAX) {
        table.row([
            Safe::line(&waiting.id).into(),
            waiting
                .since
                .map_or_else(Text::new, |since| ago(since, found.now)),
            Safe::line(&waiting.why).into(),
        ]);
    }
    table.put(page);
    more(page, found.waiting.len(), ROWS_MAX);
}

pub(crate) fn next(next: &Next, now: Timestamp) -> Text {
    match next {
        Next::Free => "a beat may run now".into(),
        Next::ShadowOnly { why, .. } => text![
            "a beat may run, and would only record its change: ",
            Safe::line(why)
        ]
        .ink(Ink::Warn),
        Next::Wait {
            until: Some(time),
            why,
            ..
        } => text![
            "waits until ",
            *time,
            " (",
            until(*time, now),
            "): ",
            Safe::line(why)
        ]
        .ink(Ink::Warn),
        Next::Wait { why, .. } => text!["waits for a person: ", Safe::line(why)].ink(Ink::Warn),
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
    more(page, found.proposals.len(), ROWS_MAX);
}

fn items(page: &mut Page, items: &[TriedItem], every: bool) {
    if items.is_empty() {
        return;
    }
    page.gap().line(text!["tried in vain"].ink(Ink::Strong));
    let rows = if every { ITEMS_MAX } else { ROWS_MAX };
    let mut table = Table::new(2, &[("item", 30), ("attempts", 8), ("", 80)]);
    for item in items.iter().take(rows) {
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
        if every {
            for reason in item.reasons.iter().rev().take(REASONS_MAX) {
                table.row([
                    Text::new(),
                    Text::new(),
                    text!["because ", Safe::line(reason)].ink(Ink::Faint),
                ]);
            }
        }
    }
    table.put(page);
    more(page, items.len(), rows);
}

fn more(page: &mut Page, number: usize, shown: usize) {
    let rest = number.saturating_sub(shown);
    if rest > 0 {
        page.item(
            2,
            text!["… ", rest, " more: see `--format json`"].ink(Ink::Faint),
        );
    }
}

#[cfg(test)]
pub(crate) mod tests;
