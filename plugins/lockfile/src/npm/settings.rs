//! `.npmrc`: settings that say where packages come from and whether the lock is kept to, and stand in no lock.
//!
//! **Invariant:** no setting comes, goes or changes without a finding, and no finding tells a value, which may be a token.

use std::collections::BTreeSet;

use ringfence_sdk::prelude::*;

use crate::Report;
use crate::tree::Tree;

/// What settings of a project are called.
pub(super) const SETTINGS: &str = ".npmrc";
/// Limit: of names that one message lists, and of their characters.
const SHOWN_MAX: usize = 5;
const SHOWN_CHARS_MAX: usize = 80;

/// Whether a path is one that npm may read settings from, spelled as some file systems take it.
pub(super) fn is_settings(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.eq_ignore_ascii_case(SETTINGS)
}

/// Finds what differs in the settings at `path`.
pub(super) fn judge(tree: &Tree, change: &Change, path: &str, report: &mut Report) -> Result<()> {
    let (before, after) = tree.sides(change, path)?;
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let (before, after) = (settings(&before), settings(&after));
    if before == after {
        return Ok(());
    }
    let only = |these: &[&str], those: &[&str]| -> BTreeSet<String> {
        let differ = these.iter().filter(|line| !those.contains(line));
        differ.map(|line| name(line)).collect()
    };
    let names = &only(&before, &after) | &only(&after, &before);
    let mut names: Vec<String> = names.into_iter().take(SHOWN_MAX).collect();
    if names.is_empty() {
        names.push("their order".to_owned());
    }
    let message = format!("settings of npm differ: {}", names.join(", "));
    report.add(Finding::error("source-settings", message).at(path));
    Ok(())
}

/// The lines that say something, in their order: of two with one name, the later one counts.
fn settings(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']))
        .collect()
}

fn name(line: &str) -> String {
    let name = line.split('=').next().unwrap_or(line).trim();
    let name: String = name.chars().take(SHOWN_CHARS_MAX).collect();
    format!("`{name}`")
}
