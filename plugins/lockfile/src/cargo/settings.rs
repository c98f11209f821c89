//! `.cargo/config.toml`: settings that take packages from elsewhere, and stand in no lock.
//!
//! **Invariant:** no setting that says where packages come from comes, goes or changes without a finding.

use std::collections::BTreeMap;

use ringfence_sdk::prelude::*;
use toml::{Table, Value};

use super::manifest::From;
use super::patch::Patch;
use crate::Report;
use crate::tree::{Tree, below, folder_of};

const FOLDER: &str = ".cargo";
/// The first that is there counts, as for Cargo.
const NAMES: [&str; 2] = [".cargo/config", ".cargo/config.toml"];
/// What says where packages come from, or that more settings stand elsewhere.
const TABLES: [&str; 6] = [
    "include",
    "patch",
    "paths",
    "registries",
    "registry",
    "source",
];

/// What the settings for a lock say of packages.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) patches: Vec<Patch>,
    /// Addresses of registries by name.
    registries: BTreeMap<String, String>,
}

impl Settings {
    /// Reads the settings in `folder`, which may be the root, and above.
    pub(super) fn read(tree: &Tree, folder: &str, report: &mut Report) -> Result<Self> {
        let mut settings = Self::default();
        let mut folder = Some(folder);
        while let Some(here) = folder {
            for name in NAMES {
                settings.add(tree, here, &below(here, name), report)?;
            }
            folder = (!here.is_empty()).then(|| folder_of(here));
        }
        Ok(settings)
    }

    fn add(&mut self, tree: &Tree, folder: &str, path: &str, report: &mut Report) -> Result<()> {
        let Some(text) = tree.text(path)? else {
            return Ok(());
        };
        let table = match text.parse::<Table>() {
            Ok(table) => table,
            Err(why) => {
                report.add(Finding::error("unreadable", why.message()).at(path));
                return Ok(());
            }
        };
        let patches = Patch::all(tree, (folder, path), &table, report)?;
        self.patches.extend(patches);
        let registries = table.get("registries").and_then(Value::as_table);
        for (name, registry) in registries.into_iter().flatten() {
            if let Some(index) = registry.get("index").and_then(Value::as_str) {
                let known = self.registries.entry(name.clone());
                known.or_insert_with(|| index.to_owned());
            }
        }
        Ok(())
    }

    /// Puts the address of a registry for its name, where the settings have it.
    pub(super) fn resolve(&self, from: &mut From) {
        if let From::Registry(Some(name)) = from
            && let Some(index) = self.registries.get(name)
        {
            name.clone_from(index);
        }
    }
}

/// Whether a path is one that Cargo may read settings from, spelled as some file systems take it.
pub(super) fn is_settings(path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else {
        return false;
    };
    let folder = folder.rsplit('/').next().unwrap_or(folder);
    let name = name.to_ascii_lowercase();
    folder.eq_ignore_ascii_case(FOLDER) && (name == "config" || name.ends_with(".toml"))
}

/// Finds what differs in the settings at `path`.
pub(super) fn judge(tree: &Tree, change: &Change, path: &str, report: &mut Report) -> Result<()> {
    let (before, after) = tree.sides(change, path)?;
    let before: Table = before
        .and_then(|text| text.parse().ok())
        .unwrap_or_default();
    let after = match after.unwrap_or_default().parse::<Table>() {
        Ok(after) => after,
        Err(why) => {
            report.add(Finding::error("unreadable", why.message()).at(path));
            return Ok(());
        }
    };
    let differs = |key: &&&str| before.get(**key) != after.get(**key);
    let differ: Vec<String> = TABLES
        .iter()
        .filter(differs)
        .map(|key| format!("`{key}`"))
        .collect();
    if !differ.is_empty() {
        let message = format!(
            "settings differ that say where packages come from: {}",
            differ.join(", ")
        );
        report.add(Finding::error("source-settings", message).at(path));
    }
    Ok(())
}
