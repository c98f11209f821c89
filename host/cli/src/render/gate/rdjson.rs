//! What counts, as the DiagnosticResult of reviewdog.
//!
//! reviewdog writes messages into comments, where they are Markdown: each is a code span, out of which no link, picture,
//! mention or markup leads.
//!
//! **Invariant:** what is known, allowed or accepted is not in it.

use ringfence_core::gating::Report;
use ringfence_core::verdict::Severity;
use serde_json::{Value, json};

use super::items::{self, Item, Place, plain};
use crate::render::json;
use crate::render::safe::Safe;
use crate::render::text::Text;

/// The document.
///
/// # Errors
/// See [`super::write`].
pub(super) fn write(report: &Report) -> Result<String, serde_json::Error> {
    let items = items::all(report);
    let counting = items.iter().filter(|item| item.counts());
    json::print(&json!({
        "source": { "name": "ringfence" },
        "diagnostics": counting.map(|item| diagnostic(report, item)).collect::<Vec<_>>(),
    }))
}

fn diagnostic(report: &Report, item: &Item) -> Value {
    let (place, also) = item.shown_at(report);
    let severity = match item.severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
        Severity::Note => "INFO",
    };
    let mut message = code(&Safe::paragraph(item.message).into());
    if !also.is_empty() {
        message += ", also at ";
        message += &code(&Text::join(also.iter().map(Place::text), ", "));
    }
    if !item.help.is_empty() {
        message += "; help: ";
        message += &code(&Safe::paragraph(item.help).into());
    }
    json!({
        "message": message,
        "location": location(item, &place),
        "severity": severity,
        "code": { "value": plain(&item.code()) },
    })
}

fn location(item: &Item, place: &Place) -> Value {
    let path = plain(&Text::from(&place.path));
    if place.line == 0 {
        return json!({ "path": path });
    }
    let start = match column(item, place) {
        Some(column) => json!({ "line": place.line, "column": column }),
        None => json!({ "line": place.line }),
    };
    json!({ "path": path, "range": { "start": start } })
}

/// The column in bytes, which takes the line to know.
fn column(item: &Item, place: &Place) -> Option<usize> {
    let excerpt = item.remark()?.excerpt.as_ref()?;
    // Of what is left out nobody knows here how many bytes it has.
    let line = Some(&excerpt.text).filter(|_| excerpt.left_out == 0)?;
    let before = usize::try_from(place.column).ok()?.checked_sub(1)?;
    let at = line
        .char_indices()
        .map(|(at, _)| at)
        .chain([line.len()])
        .nth(before)?;
    Some(at + 1)
}

/// A code span of Markdown, fenced by more backticks than stand anywhere in it.
fn code(text: &Text) -> String {
    let text = plain(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // The spaces are not shown: they keep a backtick at an end of the text apart from the fence.
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}
