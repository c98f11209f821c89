//! Cargo: which locks a change touches, and what is asked of each.
//!
//! **Invariant:** a lock is held to every manifest of its workspace, not only to those that differ.

mod lock;
mod manifest;
mod patch;
mod settings;
mod source;
mod workspace;

use std::collections::BTreeSet;

use ringfence_sdk::prelude::*;

use crate::compare::compare;
use crate::tree::{Tree, below, folder_of};
use crate::{Config, Report};

use self::lock::Lock;
use self::workspace::Workspace;

const MANIFEST: &str = "Cargo.toml";
const LOCK: &str = "Cargo.lock";
/// Known where nothing was locked before.
const PUBLIC: &[&str] = &[source::CRATES_IO];

/// What manifests, locks and settings are called.
pub(crate) const NAMES: [&str; 5] = [
    MANIFEST,
    LOCK,
    ".cargo",
    ".cargo/config",
    ".cargo/config.toml",
];

/// Whether a path is a manifest or a lock.
pub(crate) fn is_ours(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == MANIFEST || name == LOCK
}

/// Judges every lock that the change touches, itself or by a manifest.
pub(crate) fn judge(
    tree: &Tree,
    config: &Config,
    change: &Change,
    report: &mut Report,
) -> Result<()> {
    let mut folders = BTreeSet::new();
    for file in change.files() {
        let paths = [Some(file.path.as_str()), file.renamed_from.as_deref()];
        for path in paths.into_iter().flatten() {
            if is_ours(path) {
                folders.extend(lock_folder(tree, change, path)?);
            }
            if settings::is_settings(path) {
                settings::judge(tree, change, path, report)?;
            }
        }
        if config.lock_only && file.path.rsplit('/').next() == Some(MANIFEST) {
            manifest::only_versions(tree, change, &file.path, report)?;
        }
    }
    for folder in folders {
        judge_lock(tree, config, change, &folder, report)?;
    }
    Ok(())
}

/// The folder of the lock that a manifest belongs to: the nearest above that has one, or had one until now.
fn lock_folder(tree: &Tree, change: &Change, path: &str) -> Result<Option<String>> {
    let mut folder = folder_of(path);
    loop {
        let lock = below(folder, LOCK);
        let differs = change.files().iter().any(|file| file.path == lock);
        if differs || tree.has(&lock)? {
            return Ok(Some(folder.to_owned()));
        }
        if folder.is_empty() {
            return Ok(None);
        }
        folder = folder_of(folder);
    }
}

fn judge_lock(
    tree: &Tree,
    config: &Config,
    change: &Change,
    folder: &str,
    report: &mut Report,
) -> Result<()> {
    let path = below(folder, LOCK);
    report.locks += 1;
    let Some(text) = tree.text(&path)? else {
        if tree.has(&below(folder, MANIFEST))? {
            let message = "is gone, and its manifest is not";
            report.add(Finding::error("lock-removed", message).at(&path));
        }
        return Ok(());
    };
    let lock = match Lock::parse(&text) {
        Ok(lock) => lock,
        Err(why) => {
            report.add(Finding::error("unreadable", why).at(&path));
            return Ok(());
        }
    };
    report.packages += lock.packages.len();
    let workspace = Workspace::read(tree, folder, report)?;
    lock.check(&path, report);
    if let Some(workspace) = workspace {
        workspace.check(&path, &lock, report);
    }
    if change.files().iter().any(|file| file.path == path) {
        let before = tree.text_before(change, &path)?;
        // A lock that was none is no lock to hold another to.
        let before = before.and_then(|text| Lock::parse(&text).ok());
        let before = before.map(|lock| lock.locked());
        let after = lock.locked();
        compare(&path, before.as_deref(), &after, PUBLIC, config, report);
    }
    Ok(())
}
