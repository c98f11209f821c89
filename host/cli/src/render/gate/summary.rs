//! The report as a step summary: Markdown that is one block of HTML.
//!
//! In Markdown, text can be a table's edge, a link, a picture, a mention, a formula or an emoji by what stands in it. In a
//! block of HTML it is none of these, and within `code` GitHub adds none afterwards.
//!
//! **Invariant:** there is no empty line, which would end the block; foreign text stands in `code` and nowhere else; the
//! whole is less than GitHub takes.

use ringfence_core::gating::{Judged, Report, Status};

use super::items::{self, Item};
use super::said::said;
use super::text::{cost, counted, ran_line, spent, why};
use crate::render::html::Html;
use crate::render::safe::Safe;
use crate::render::text::{Ink, Text, text};

// Limit: GitHub takes 1 MiB; these rows, each cell at its longest and every character escaped, are two thirds of that.
const GATES_MAX: usize = 100;
const FINDINGS_MAX: usize = 60;
const OTHERS_MAX: usize = 20;
const OUTPUTS_MAX: usize = 5;
const LINE_CHARS_MAX: usize = 100;
const SUMMARY_CHARS_MAX: usize = 150;
const MESSAGE_CHARS_MAX: usize = 300;
const PATH_CHARS_MAX: usize = 200;
const NAME_CHARS_MAX: usize = 100;

/// The document.
pub(super) fn write(report: &Report) -> String {
    let items = items::all(report);
    let (counting, others): (Vec<&Item>, Vec<&Item>) = items.iter().partition(|item| item.counts());
    let mut html = Html::default();
    let outcome = items::outcome(report.outcome).0;
    html.leaf("h3", &[], text!["ringfence gate: ", outcome]);
    html.open("p", &[]);
    code(&mut html, Safe::cut(&report.head.name, NAME_CHARS_MAX));
    html.text("against ");
    code(&mut html, Safe::cut(&report.base.name, NAME_CHARS_MAX));
    let change = &report.change;
    let files = super::super::amount::count(change.files, "file", "files");
    html.text(text![
        files,
        ", +",
        change.lines_added,
        " −",
        change.lines_removed,
        ". "
    ]);
    html.text(text![
        why(report),
        ". ",
        counted(&items),
        "; ",
        plain_ink(spent(report)),
        "."
    ]);
    html.close();
    table(
        &mut html,
        &["gate", "stands", "cost", "says"],
        report.gates.iter(),
        GATES_MAX,
        gate,
    );
    let mut counting = counting;
    counting.sort_by_key(|item| std::cmp::Reverse(item.severity));
    table(
        &mut html,
        &["what", "where", "says"],
        counting.into_iter(),
        FINDINGS_MAX,
        finding,
    );
    if !others.is_empty() {
        html.open("details", &[]);
        let title = text!["Known, allowed or accepted: ", others.len()];
        html.leaf("summary", &[], title);
        table(
            &mut html,
            &["what", "where", "says", "why it does not count"],
            others.into_iter(),
            OTHERS_MAX,
            other,
        );
        html.close();
    }
    for command in report.commands.iter().take(OTHERS_MAX) {
        html.leaf(
            "p",
            &[],
            plain_ink(text!["Command ", ran_line(command), "."]),
        );
    }
    let programs = report.commands.iter();
    let said = programs.flat_map(|command| {
        let said = said(report, command, LINE_CHARS_MAX).into_iter();
        said.map(move |said| (command, said))
    });
    for (command, said) in said.take(OUTPUTS_MAX) {
        html.open("details", &[]);
        let title = text!["Command ", &command.command, ": ", said.title];
        html.leaf("summary", &[], plain_ink(title));
        let lines = said.lines.into_iter();
        table(&mut html, &["its last lines"], lines, usize::MAX, cell);
        html.close();
    }
    html.finish()
}

fn table<R>(
    html: &mut Html,
    columns: &[&'static str],
    rows: impl ExactSizeIterator<Item = R>,
    max: usize,
    row: impl Fn(&mut Html, R),
) {
    let rest = rows.len().saturating_sub(max);
    if rows.len() == 0 {
        return;
    }
    html.open("table", &[]).open("thead", &[]).open("tr", &[]);
    for column in columns {
        html.leaf("th", &[], *column);
    }
    html.close().close().open("tbody", &[]);
    for one in rows.take(max) {
        html.open("tr", &[]);
        row(html, one);
        html.close();
    }
    html.close().close();
    if rest > 0 {
        html.leaf("p", &[], text!["… and ", rest, " more."]);
    }
}

fn gate(html: &mut Html, gate: &Judged) {
    cell(html, Safe::line(gate.gate.as_str()));
    html.leaf("td", &[], items::standing(gate.standing).0);
    html.leaf("td", &[], plain_ink(cost(gate)));
    let said = match &gate.failure {
        Some(failure) => format!("{}: {}", failure.class, failure.message),
        None => gate.summary.clone(),
    };
    html.open("td", &[]);
    code(html, Safe::cut(&said, SUMMARY_CHARS_MAX));
    if let Some(rule) = items::fails_by(gate) {
        html.text("fails by ");
        code(html, Safe::cut(rule, NAME_CHARS_MAX));
    }
    html.close();
}

fn finding(html: &mut Html, item: &Item) {
    html.open("td", &[]);
    html.text(text![items::severity(item.severity).0, " "]);
    code(html, item.code());
    html.close();
    match item.places().first() {
        Some(place) => {
            let path = Safe::cut(place.path.as_str(), PATH_CHARS_MAX);
            let line = if place.line > 0 {
                text![":", place.line]
            } else {
                Text::new()
            };
            cell(html, text![path, line]);
        }
        None => {
            html.leaf("td", &[], "the change");
        }
    }
    cell(html, Safe::cut(item.message, MESSAGE_CHARS_MAX));
}

fn other(html: &mut Html, item: &Item) {
    finding(html, item);
    match item.remark().map(|remark| &remark.status) {
        Some(Status::Allowed { reason }) => cell(html, Safe::cut(reason, MESSAGE_CHARS_MAX)),
        Some(Status::Accepted) => {
            html.leaf("td", &[], "accepted by the gates file");
        }
        _ => {
            html.leaf("td", &[], "in the baseline");
        }
    }
}

/// A cell of foreign text.
fn cell(html: &mut Html, text: impl Into<Text>) {
    html.open("td", &[]);
    code(html, text);
    html.close();
}

fn code(html: &mut Html, text: impl Into<Text>) {
    html.leaf("code", &[], plain_ink(text.into()));
}

/// Without colours, whose classes GitHub does not know.
fn plain_ink(text: Text) -> Text {
    text.ink(Ink::Plain)
}
