//! The report's text.
//!
//! Owns its shape: a marker, a title, text, sections, a table of items.
//!
//! **Invariant:** the length is bounded, and what is left out is said in the report.

use serde::Deserialize;

use crate::escape::{line, paragraphs};

/// The first line of every report; a file that does not begin with it is not ours to overwrite.
pub(crate) const MARKER: &str = "<!-- ringfence:report -->";

/// Limit: rows of the table; more is a file nobody reads.
const ROWS_MAX: usize = 1_000;

/// Limit: characters of a heading, of a row's title and of its labels.
const HEADING_CHARS_MAX: usize = 200;
const TITLE_CHARS_MAX: usize = 300;
const LABELS_CHARS_MAX: usize = 100;

/// The action's input; every string is plain text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    #[serde(default = "default_path")]
    pub(crate) path: String,
    #[serde(default = "default_title")]
    title: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    pub(crate) sections: Vec<Section>,
    #[serde(default)]
    pub(crate) items: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    heading: String,
    #[serde(default)]
    body: String,
}

/// An item as a sensor names it; what else it has is left out.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    title: String,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    id: String,
}

fn default_path() -> String {
    "REPORT.md".to_owned()
}

fn default_title() -> String {
    "Report".to_owned()
}

/// Returns the whole file.
pub(crate) fn render(report: &Report) -> String {
    let mut parts = vec![
        format!("{MARKER}\n"),
        format!("# {}\n", heading(&report.title)),
        paragraphs(&report.body),
    ];
    for section in &report.sections {
        parts.push(format!("## {}\n", heading(&section.heading)));
        parts.push(paragraphs(&section.body));
    }
    if !report.items.is_empty() {
        parts.push(format!("## Items ({})\n", report.items.len()));
        parts.push(table(&report.items));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn heading(text: &str) -> String {
    let heading = line(text, HEADING_CHARS_MAX);
    if heading.is_empty() {
        "—".to_owned()
    } else {
        heading
    }
}

fn table(items: &[Row]) -> String {
    let mut table = "| Item | Labels | Id |\n| --- | --- | --- |\n".to_owned();
    for Row { title, labels, id } in items.iter().take(ROWS_MAX) {
        let labels = line(&labels.join(", "), LABELS_CHARS_MAX);
        let row = format!(
            "| {} | {labels} | {} |\n",
            line(title, TITLE_CHARS_MAX),
            line(id, LABELS_CHARS_MAX)
        );
        table.push_str(&row);
    }
    match items.len().saturating_sub(ROWS_MAX) {
        0 => {}
        left_out => table.push_str(&format!("\n{left_out} more items are left out.\n")),
    }
    table
}
