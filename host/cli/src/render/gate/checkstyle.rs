//! What counts, as checkstyle XML: errors by file.
//!
//! **Invariant:** what is known, allowed or accepted is not in it, since its readers have no word for that.

use std::collections::BTreeMap;

use ringfence_core::gating::Report;
use ringfence_core::relpath::RelPath;
use ringfence_core::verdict::Severity;

use super::items::{self, Item, Place};
use crate::render::safe::Safe;
use crate::render::text::{Text, text};
use crate::render::xml::Xml;

/// The document.
pub(super) fn write(report: &Report) -> String {
    let items = items::all(report);
    let mut files: BTreeMap<RelPath, Vec<(Place, Text, &Item)>> = BTreeMap::new();
    for item in items.iter().filter(|item| item.counts()) {
        let (place, also) = item.shown_at(report);
        let said = item.said(&also);
        files
            .entry(place.path.clone())
            .or_default()
            .push((place, said, item));
    }
    let mut xml = Xml::new();
    xml.open("checkstyle", &[("version", "4.3".into())]);
    for (path, mut errors) in files {
        errors.sort_by_key(|(place, ..)| (place.line, place.column));
        xml.open("file", &[("name", Text::from(&path))]);
        for (place, said, item) in errors {
            error(&mut xml, &place, said, item);
        }
        xml.close();
    }
    xml.finish()
}

fn error(xml: &mut Xml, place: &Place, said: Text, item: &Item) {
    let mut attributes = Vec::new();
    if place.line > 0 {
        attributes.push(("line", Text::from(place.line)));
    }
    if place.column > 0 {
        attributes.push(("column", Text::from(place.column)));
    }
    let severity = match item.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "info",
    };
    let source = text![
        "ringfence.",
        Safe::line(item.source),
        ".",
        Safe::line(item.rule)
    ];
    attributes.extend([
        ("severity", severity.into()),
        ("message", said),
        ("source", source),
    ]);
    xml.empty("error", &attributes);
}
