//! What moving in has brought: what to fill in, what is weak, what was left, what was taken.

use std::path::Path;

use ringfence_core::import::{History, Import, Note, NoteKind, SourceKind};

use super::amount::count;
use super::page::Page;
use super::safe::Safe;
use super::table::Table;
use super::text::{Ink, Text, text};

/// The report.
pub(crate) fn report(found: &Import) -> Page {
    let mut page = Page::new();
    page.line(text![
        text!["loop "].ink(Ink::Strong),
        text![&found.loop_id].ink(Ink::Strong)
    ]);
    files(found, &mut page);
    for history in &found.history {
        past(history, &mut page);
    }
    for kind in [
        NoteKind::FillIn,
        NoteKind::Weak,
        NoteKind::Left,
        NoteKind::Taken,
    ] {
        notes(found, kind, &mut page);
    }
    if found.notes_dropped > 0 {
        page.line(text!["… ", found.notes_dropped, " more are not shown"].ink(Ink::Faint));
    }
    if !found.other_loops.is_empty() {
        let names = found
            .other_loops
            .iter()
            .take(20)
            .map(|name| Safe::line(name));
        page.gap().hanging(
            0,
            2,
            text![
                "The files tell of other loops, too; --loop NAME takes another one: ",
                Text::join(names, ", ")
            ],
        );
    }
    page.gap();
    page
}

fn files(found: &Import, page: &mut Page) {
    let mut table = Table::new(2, &[("read", 30), ("as", 16), ("settings", 9)]);
    for file in &found.files {
        let kind = match file.kind {
            None => "not read",
            Some(SourceKind::Spec) => "specification",
            Some(SourceKind::Loop) => "loops",
            Some(SourceKind::Rules) => "rules",
            Some(SourceKind::Gate) => "gate",
            Some(SourceKind::Budget) => "budget",
            Some(SourceKind::Ledger) => "ledger",
            Some(SourceKind::RunLog) => "run log",
        };
        table.row([
            Safe::line(&file.file).into(),
            kind.into(),
            file.facts.into(),
        ]);
    }
    table.put(page);
}

fn past(history: &History, page: &mut Page) {
    let mut line = text![
        Safe::line(&history.file),
        ": ",
        count(history.runs, "run", "runs")
    ];
    if let (Some(first), Some(last)) = (history.first, history.last) {
        line = line.and(text![" from ", first, " to ", last]);
    }
    if let Some(every) = history.every {
        line = line.and(text![
            ", half of them within ",
            minutes(every.0),
            " of the one before"
        ]);
    }
    if let Some(tokens) = &history.tokens {
        line = line.and(text![
            "; tokens: half at most ",
            tokens.median,
            ", most ",
            tokens.max
        ]);
    }
    let outcomes = history.outcomes.iter();
    let outcomes = outcomes.map(|(outcome, count)| text![*count, " ", Safe::line(outcome)]);
    line = line.and(text!["; ", Text::join(outcomes, ", ")]);
    if history.unreadable > 0 {
        line = line.and(text!["; ", history.unreadable, " could not be read"]);
    }
    page.hanging(2, 4, line);
}

fn minutes(millis: u64) -> Text {
    match millis {
        0..120_000 => text![millis.div_ceil(1_000), " s"],
        120_000..7_200_000 => text![millis / 60_000, " min"],
        _ => text![millis / 3_600_000, " h"],
    }
}

fn notes(found: &Import, kind: NoteKind, page: &mut Page) {
    let of_kind: Vec<&Note> = found
        .notes
        .iter()
        .filter(|note| note.kind == kind)
        .collect();
    if of_kind.is_empty() {
        return;
    }
    let (title, ink, last) = match kind {
        NoteKind::FillIn => ("fill in", Ink::Warn, "why"),
        NoteKind::Weak => ("weaker than it looks", Ink::Warn, "there"),
        NoteKind::Left => ("left out", Ink::Plain, "why"),
        NoteKind::Taken => ("taken", Ink::Good, "became"),
    };
    page.gap().line(text![title].ink(ink));
    let mut table = Table::new(2, &[("where", 20), ("what", 22), (last, 80)]);
    for note in of_kind {
        let at = match note.line {
            Some(line) => text![Safe::line(&note.file), ":", line],
            None => Safe::line(&note.file).into(),
        };
        table.row([
            at,
            Safe::line(&note.what).into(),
            Safe::line(&note.says).into(),
        ]);
    }
    table.put(page);
}

/// What was written, whether it can be used, and what to do next.
pub(crate) fn next(file: &Path, problems: &[String]) -> Page {
    let mut page = Page::new();
    page.line(text!["wrote ", text![Safe::path(file)].ink(Ink::Strong)]);
    for problem in problems {
        page.hanging(
            0,
            2,
            text![
                text!["not yet ready"].ink(Ink::Warn),
                ": ",
                Safe::line(problem)
            ],
        );
    }
    page.gap()
        .line("Next: read it through and fill in what is missing, then");
    page.copy(2, text!["ringfence check ", Safe::path(file)]);
    page.copy(2, text!["ringfence check --write-lock ", Safe::path(file)]);
    page.copy(2, text!["ringfence beat --dry-run ", Safe::path(file)]);
    page
}
