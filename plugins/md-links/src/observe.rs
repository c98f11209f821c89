//! The sensor: every broken link, as signal, detail and items.
//!
//! Owns what wakes the loop: path, target and rule of each broken link, sorted; lines and repairs do not.
//!
//! **Invariant:** the answer is bounded whatever the workspace holds, and what is cut off still changes the signal.

use std::collections::BTreeSet;

use ringfence_markdown::breaks::breaks;
use ringfence_markdown::{Break, Files, Library, Repair, Tree, repair};
use ringfence_sdk::item_id;
use ringfence_sdk::prelude::*;
use serde_json::{Value, json};

use crate::scope::Scope;
use crate::{SHOWN_MAX, shown};

/// Limit: bytes of the signal, and of all items' details; the host takes a megabyte. What of the signal goes beyond it
/// is in it as a count and a digest.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// Limit: broken links for which a repair is looked for.
const TRIED_MAX: usize = 2_000;

/// Limit: bytes of a target that an item is made of; longer ones can only be mended by hand.
const TARGET_BYTES_MAX: usize = 2_048;

/// What the workspace holds.
#[derive(Default)]
struct Survey {
    files: usize,
    links: usize,
    broken: Vec<Break>,
    unreadable: Vec<(String, String)>,
}

pub(crate) fn observe(tree: &Tree, files: &dyn Files, scope: &Scope) -> Observation {
    let library = Library::new(tree, files);
    let survey = survey(&library, scope);
    let items: Vec<Item> = items(&library, &survey, scope);
    let fixable = items.iter().filter(|item| is_fixable(item)).count();
    let listed: Vec<&Value> = items.iter().map(|item| &item.detail).collect();
    let unreadable: Vec<Value> = survey
        .unreadable
        .iter()
        .take(SHOWN_MAX)
        .map(|(path, reason)| json!({ "path": path, "reason": reason }))
        .collect();
    let detail = json!({
        "files": survey.files,
        "links": survey.links,
        "broken": survey.broken.len(),
        "fixable": fixable,
        "listed": listed.len(),
        "list": listed,
        "unreadable": unreadable,
    });
    Observation {
        signal: signal(&survey),
        detail,
        items,
    }
}

fn survey(library: &Library<'_>, scope: &Scope) -> Survey {
    let mut survey = Survey::default();
    for path in library.tree().files().filter(|path| scope.covers(path)) {
        survey.files += 1;
        match breaks(library, path, scope.settings) {
            Ok(broken) => survey
                .broken
                .extend(broken.into_iter().filter(|broken| !scope.ignores(broken))),
            Err(reason) => survey.unreadable.push((path.to_owned(), reason)),
        }
        survey.links += library
            .document(path)
            .as_ref()
            .as_ref()
            .map_or(0, |document| document.links().len());
    }
    survey
}

fn signal(survey: &Survey) -> Value {
    let broken = survey.broken.iter().map(|b| {
        [
            b.path.clone(),
            brief(&b.link.target),
            b.rule.id().to_owned(),
        ]
    });
    let unreadable = survey
        .unreadable
        .iter()
        .map(|(path, _)| [path.clone(), String::new(), "unreadable".to_owned()]);
    let mut entries: Vec<[String; 3]> = broken.chain(unreadable).collect();
    entries.sort();
    let rest = entries.split_off(fitting(
        entries.iter().map(|entry| entry.concat().len() + 16),
    ));
    if !rest.is_empty() {
        let parts: Vec<&str> = rest.iter().flatten().map(String::as_str).collect();
        entries.push([
            rest.len().to_string(),
            item_id("rest", &parts),
            "more".to_owned(),
        ]);
    }
    json!(entries)
}

/// A target short enough for the signal; a long one keeps its beginning and a digest of all of it.
fn brief(target: &str) -> String {
    if target.len() <= TARGET_BYTES_MAX {
        return target.to_owned();
    }
    format!("{} {}", shown(target), item_id("target", &[target]))
}

fn items(library: &Library<'_>, survey: &Survey, scope: &Scope) -> Vec<Item> {
    // One item for all occurrences in a document: they are mended together.
    let mut seen: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    let workable = survey
        .broken
        .iter()
        .filter(|broken| broken.link.target.len() <= TARGET_BYTES_MAX);
    let mut items: Vec<Item> = Vec::new();
    for broken in workable.take(TRIED_MAX) {
        if seen.insert((&broken.path, &broken.link.target, broken.rule.id())) {
            items.push(item(library, broken, scope));
        }
    }
    // What can be mended comes first, so that what cannot does not hide it.
    items.sort_by_key(|item| !is_fixable(item));
    let fitting = fitting(items.iter().map(|item| item.detail.to_string().len()));
    items.truncate(fitting.min(SHOWN_MAX));
    items
}

/// A link from `/` into a folder that the workspace does not have is a route of a published site: whatever file has that name,
/// the link would break there.
fn is_site_route(library: &Library<'_>, target: &str) -> bool {
    let first = target
        .strip_prefix('/')
        .and_then(|rest| rest.split(['/', '#', '?']).next());
    first.is_some_and(|first| library.tree().kind(first).is_none())
}

fn is_fixable(item: &Item) -> bool {
    item.labels.iter().any(|label| label == "fixable")
}

/// How many of the first things fit into an answer, given their sizes in bytes.
fn fitting(sizes: impl Iterator<Item = usize>) -> usize {
    let sums = sizes.scan(0, |sum, size| {
        *sum += size;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= ANSWER_BYTES_MAX).count()
}

fn item(library: &Library<'_>, broken: &Break, scope: &Scope) -> Item {
    let Break {
        path, link, rule, ..
    } = broken;
    let mut labels = vec!["broken-link".to_owned(), rule.id().to_owned()];
    let mut detail = json!({
        "path": path,
        "line": link.line,
        "column": link.column,
        "target": link.target,
        "rule": rule.id(),
    });
    let suggestion = match repair(library, broken, scope.settings) {
        Repair::Unique(new) if link.span.is_some() && !is_site_route(library, &link.target) => {
            Some(new)
        }
        _ => None,
    };
    if let (Some(new), Some(fields)) = (suggestion, detail.as_object_mut()) {
        labels.push("fixable".to_owned());
        fields.insert("suggestion".to_owned(), Value::String(new));
    }
    Item {
        id: item_id("broken-link", &[rule.id(), path, &link.target]),
        title: format!("`{}` in {path} {}", shown(&link.target), rule.words()),
        labels,
        detail,
    }
}
