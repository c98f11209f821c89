//! npm: which locks a change touches, and what is asked of each.
//!
//! **Invariant:** each package that something in the lock asks for is found where Node would look for it, in a version
//! that was asked for.

mod address;
mod lock;
mod overrides;
mod places;
mod settings;
mod spec;

use std::collections::{BTreeMap, BTreeSet};

use ringfence_sdk::prelude::*;
use serde_json::Value;

use crate::compare::compare;
use crate::tree::{Tree, below, folder_of, joined};
use crate::{Config, Report};

use self::lock::{LISTS, Lock, Package};
use self::overrides::Overrides;

const MANIFEST: &str = "package.json";
/// The first that is there counts, as for npm.
const LOCKS: [&str; 2] = ["npm-shrinkwrap.json", "package-lock.json"];
/// Known where nothing was locked before.
const PUBLIC: &[&str] = &["https://registry.npmjs.org", lock::UNNAMED];

/// What manifests, locks and settings are called.
pub(crate) const NAMES: [&str; 4] = [MANIFEST, LOCKS[0], LOCKS[1], settings::SETTINGS];

/// Whether a path is a manifest or a lock.
pub(crate) fn is_ours(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == MANIFEST || LOCKS.contains(&name)
}

/// Judges every lock that the change touches, itself or by a manifest.
pub(crate) fn judge(
    tree: &Tree,
    config: &Config,
    change: &Change,
    report: &mut Report,
) -> Result<()> {
    let mut locks = BTreeSet::new();
    for file in change.files() {
        let paths = [Some(file.path.as_str()), file.renamed_from.as_deref()];
        for path in paths.into_iter().flatten() {
            if is_ours(path) {
                locks.extend(lock_of(tree, change, path)?);
            }
            if settings::is_settings(path) {
                settings::judge(tree, change, path, report)?;
            }
        }
        if config.lock_only && file.path.rsplit('/').next() == Some(MANIFEST) {
            only_versions(tree, change, &file.path, report)?;
        }
    }
    for path in locks {
        judge_lock(tree, config, change, &path, report)?;
    }
    Ok(())
}

/// The lock that a manifest belongs to: the nearest above, or what was one until now.
fn lock_of(tree: &Tree, change: &Change, path: &str) -> Result<Option<String>> {
    let mut folder = folder_of(path);
    loop {
        for name in LOCKS {
            let lock = below(folder, name);
            let differs = change.files().iter().any(|file| file.path == lock);
            if differs || tree.has(&lock)? {
                return Ok(Some(lock));
            }
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
    path: &str,
    report: &mut Report,
) -> Result<()> {
    let folder = folder_of(path);
    let manifest = below(folder, MANIFEST);
    report.locks += 1;
    let Some(text) = tree.text(path)? else {
        let mut others = LOCKS.iter().map(|name| below(folder, name));
        let has_other =
            others.try_fold(false, |has, lock| Ok::<_, Error>(has || tree.has(&lock)?))?;
        if !has_other && tree.has(&manifest)? {
            let message = "is gone, and its manifest is not";
            report.add(Finding::error("lock-removed", message).at(path));
        }
        return Ok(());
    };
    let lock = match Lock::parse(&text) {
        Ok(lock) => lock,
        Err(why) => {
            report.add(Finding::error("unreadable", why).at(path));
            return Ok(());
        }
    };
    report.packages += lock.packages.len();
    let overrides = Overrides::of(tree.text(&manifest)?.as_deref());
    if !lock.packages.contains_key("") {
        let message = "does not say for which manifest it was made";
        report.add(Finding::error("stale-lock", message).at(path));
    }
    for inner in lock.folders() {
        check_manifest(tree, path, folder, inner, &lock, report)?;
    }
    lock.check(path, &overrides, report);
    let before = Overrides::of(tree.text_before(change, &manifest)?.as_deref());
    for one in overrides.since(&before).filter(|one| !lock.has(one)) {
        let message = format!(
            "`overrides` put `{}` for {}, and {path} does not have it",
            one.spec, one.name
        );
        report.add(Finding::error("stale-lock", message).at(&manifest));
    }
    if change.files().iter().any(|file| file.path == path) {
        let before = text_before(tree, change, path)?;
        // A lock that was none is no lock to hold another to.
        let before = before.and_then(|text| Lock::parse(&text).ok());
        let before = before.map(|lock| lock.locked());
        compare(
            path,
            before.as_deref(),
            &lock.locked(),
            PUBLIC,
            config,
            report,
        );
    }
    Ok(())
}

/// The lock before: where this one begins, the one that counted in its folder until then.
fn text_before(tree: &Tree, change: &Change, path: &str) -> Result<Option<String>> {
    let folder = folder_of(path);
    let others = LOCKS.iter().map(|name| below(folder, name));
    for lock in std::iter::once(path.to_owned()).chain(others) {
        if let (Some(text), _) = tree.sides(change, &lock)? {
            return Ok(Some(text));
        }
    }
    tree.text_before(change, path)
}

/// Holds what the lock says a manifest asks for to what it does ask for.
fn check_manifest(
    tree: &Tree,
    path: &str,
    folder: &str,
    inner: &str,
    lock: &Lock,
    report: &mut Report,
) -> Result<()> {
    let Some(folder) = joined(folder, inner) else {
        let message = format!("`{inner}` is outside of the repository");
        report.add(Finding::error("stale-lock", message).at(path));
        return Ok(());
    };
    let manifest = below(&folder, MANIFEST);
    let Some(text) = tree.text(&manifest)? else {
        let message = format!("{path} has a package here, and there is none");
        report.add(Finding::error("stale-lock", message).at(&manifest));
        return Ok(());
    };
    let wanted: Package = match serde_json::from_str(&text) {
        Ok(wanted) => wanted,
        Err(why) => {
            report.add(Finding::error("unreadable", why.to_string()).at(&manifest));
            return Ok(());
        }
    };
    let Some(locked) = lock.packages.get(inner) else {
        return Ok(());
    };
    for list in LISTS {
        let (wanted_list, locked_list) = (wanted.list(list), locked.list(list));
        let names: BTreeSet<&String> = wanted_list.keys().chain(locked_list.keys()).collect();
        for name in names {
            // What is optional as well counts as that.
            if list == "dependencies" && wanted.optional_dependencies.contains_key(name) {
                continue;
            }
            let message = match (wanted_list.get(name), locked_list.get(name)) {
                (Some(wanted), Some(locked)) if wanted == locked => continue,
                (Some(wanted), Some(locked)) => {
                    format!("{name} is asked for as `{wanted}`, and {path} was made for `{locked}`")
                }
                (Some(wanted), None) => {
                    format!("{name} `{wanted}` is asked for, and {path} does not know")
                }
                (None, _) => {
                    format!("{name} is not asked for in `{list}`, and {path} was made as if")
                }
            };
            report.add(Finding::error("stale-lock", message).at(&manifest));
        }
    }
    if inner.is_empty() {
        let patterns = workspaces(&wanted.workspaces);
        if patterns != workspaces(&locked.workspaces) {
            let message = format!("`workspaces` are others than those that {path} was made for");
            report.add(Finding::error("stale-lock", message).at(&manifest));
        }
        check_workspaces(tree, path, &folder, &patterns, lock, report)?;
    }
    Ok(())
}

/// Finds workspaces that the lock does not know.
fn check_workspaces(
    tree: &Tree,
    path: &str,
    folder: &str,
    patterns: &[&str],
    lock: &Lock,
    report: &mut Report,
) -> Result<()> {
    let mut members = BTreeSet::new();
    for pattern in patterns {
        let (pattern, is_left_out) = match pattern.strip_prefix('!') {
            Some(pattern) => (pattern, true),
            None => (*pattern, false),
        };
        for found in tree.folders(&joined(folder, pattern).unwrap_or_default())? {
            if is_left_out {
                members.remove(&found);
            } else {
                members.insert(found);
            }
        }
    }
    for member in members {
        let inner = member.strip_prefix(folder).unwrap_or(&member);
        let is_known = lock.packages.contains_key(inner.trim_start_matches('/'));
        let manifest = below(&member, MANIFEST);
        if !is_known && tree.has(&manifest)? {
            let message = format!("is a workspace that {path} does not know");
            report.add(Finding::error("stale-lock", message).at(&manifest));
        }
    }
    Ok(())
}

/// `workspaces` as a list, which may stand under `packages`.
fn workspaces(value: &Value) -> Vec<&str> {
    let list = value.get("packages").unwrap_or(value).as_array();
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Finds what differs in a manifest besides the versions that it asks for, and dependencies that come or go.
fn only_versions(tree: &Tree, change: &Change, path: &str, report: &mut Report) -> Result<()> {
    let read = |text: Option<String>| -> Option<BTreeMap<String, Value>> {
        let mut manifest: BTreeMap<String, Value> = serde_json::from_str(&text?).ok()?;
        for list in LISTS {
            manifest.remove(list);
        }
        Some(manifest)
    };
    let (before, after) = (
        read(tree.text_before(change, path)?),
        read(tree.text(path)?),
    );
    if before.is_none() || before != after {
        let message = "differs in more than the versions that it asks for";
        report.add(Finding::error("other-change", message).at(path));
    }
    Ok(())
}
