//! `report`: an executor that writes down what it is told, as a Markdown file for people.
//!
//! Its only action, `write`, takes a title, text, sections and items, and makes one file of them (`REPORT.md` when no
//! path is given). The text usually comes from sensors that read hostile files, or from a model, so none of it is
//! taken as Markdown: a title that tries to be a link, a heading, an image, a mention or HTML is shown as the
//! characters it is made of. `items` become a table, so a decider can hand on what the sensors said:
//!
//! ```json
//! { "title": "Broken links", "body": "Seen this morning.", "items": [{ "title": "a.md links to b.md", "labels": ["docs"] }] }
//! ```
//!
//! ```toml
//! [[executor]]
//! id = "report"
//! plugin = "std:report"
//! ```
//!
//! **Invariant:** a file that is there and was not written by this plugin is never overwritten (reports are known by
//! their first line), and no input changes the shape of the report.

mod escape;
mod render;
mod write;

use std::path::Path;

use ringfence_sdk::prelude::*;
use serde_json::{Value, json};

use crate::render::{Report, render};

ringfence_sdk::plugin!("../plugin.toml");

/// Writes the report that `input` describes.
///
/// # Errors
/// [`Error::Unavailable`] when the path is not one of ours to write, [`Error::Internal`] for an input that the
/// manifest's schema should have kept out.
#[executor]
pub fn act(_cx: &Context, action: &str, input: Value) -> Result<Outcome> {
    act_in(Path::new("."), action, input)
}

fn act_in(root: &Path, action: &str, input: Value) -> Result<Outcome> {
    if action != "write" {
        return Err(Error::internal(format!("unknown action `{action}`")));
    }
    let report: Report = serde_json::from_value(input)?;
    let text = render(&report);
    write::report(root, &report.path, &text)?;
    let summary = format!(
        "wrote {} with {} sections and {} items",
        report.path,
        report.sections.len(),
        report.items.len()
    );
    Ok(Outcome::new(summary).detail(json!({ "path": report.path, "bytes": text.len() })))
}

#[cfg(test)]
mod tests;
