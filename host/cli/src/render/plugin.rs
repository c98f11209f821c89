//! What a plugin says of itself, and what its bytes say.
//!
//! **Invariant:** the plugin's own words are never taken for the program's: they stand behind a name of ours.

use ringfence_core::quantity::Bytes;
use ringfence_sandbox::Inspection;
use serde_json::Value;

use super::page::Page;
use super::safe::Safe;
use super::table::Table;
use super::text::{Ink, Text, text};

// Column of the values.
const VALUES: usize = 12;
// Limit: schemas are read in an editor; the first screen shows what kind of config it is.
const SCHEMA_LINES_MAX: usize = 60;

/// Everything about one plugin.
pub(crate) fn whole(found: &Inspection) -> Page {
    let Inspection {
        digest,
        size,
        manifest,
        imports,
        // The imports say it.
        sees: _,
    } = found;
    let mut page = Page::new();
    let globs = |globs: &[String]| match globs {
        [] => Text::from("nothing"),
        globs => Text::join(globs.iter().map(|glob| Safe::line(glob)), ", "),
    };
    page.line(text![
        text![Safe::line(&manifest.name)].ink(Ink::Strong),
        " ",
        Safe::line(&manifest.version)
    ]);
    let mut field = |name, value: Text| {
        page.field(2, VALUES, name, value);
    };
    field("summary", Safe::line(&manifest.summary).into());
    field("roles", Text::join(manifest.roles.iter().copied(), ", "));
    field("contract", Safe::line(&manifest.contract).into());
    if !manifest.sdk.is_empty() {
        field("sdk", Safe::line(&manifest.sdk).into());
    }
    field("digest", Safe::line(&digest.to_string()).into());
    field("size", Bytes(*size).into());
    field("reads", globs(&manifest.asks.read));
    field("writes", globs(&manifest.asks.write));
    field(
        "imports",
        Text::join(imports.iter().map(|name| Safe::line(name)), ", "),
    );
    for action in &manifest.actions {
        page.gap().line(text![
            text!["action ", Safe::line(&action.name)].ink(Ink::Strong),
            ": ",
            Safe::line(&action.summary)
        ]);
        schema(&mut page, &action.input);
    }
    page.gap();
    match &manifest.config {
        None => {
            page.line(text![text!["config"].ink(Ink::Strong), ": none"]);
        }
        Some(config) => {
            page.line(text!["config"].ink(Ink::Strong));
            schema(&mut page, config);
        }
    }
    page
}

/// One line for each plugin.
pub(crate) fn list(found: &[(String, Inspection)]) -> Page {
    let mut table = Table::new(
        0,
        &[
            ("plugin", 24),
            ("version", 8),
            ("roles", 14),
            ("size", 9),
            ("what it does", 80),
        ],
    );
    for (name, Inspection { size, manifest, .. }) in found {
        table.row([
            Safe::line(name).into(),
            Safe::line(&manifest.version).into(),
            Text::join(manifest.roles.iter().copied(), ", "),
            Bytes(*size).into(),
            Safe::line(&manifest.summary).into(),
        ]);
    }
    let mut page = Page::new();
    table.put(&mut page);
    page
}

fn schema(page: &mut Page, schema: &Value) {
    // A value prints without failing; if not, there is nothing to show.
    let text = serde_json::to_string_pretty(schema).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    for line in lines.iter().take(SCHEMA_LINES_MAX) {
        let indent = line.len() - line.trim_start().len();
        page.hanging(2 + indent, 4 + indent, Safe::line(line.trim_start()));
    }
    let more = lines.len().saturating_sub(SCHEMA_LINES_MAX);
    if more > 0 {
        page.item(
            2,
            text!["… ", more, " more lines: see `--format json`"].ink(Ink::Faint),
        );
    }
}
