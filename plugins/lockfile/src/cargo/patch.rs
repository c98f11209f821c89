//! `[patch]` and `[replace]`: what takes packages from elsewhere than the manifests say.
//!
//! **Invariant:** what is patched is in the lock, from where the patch says, or there is a finding: a build takes the patch
//! in, whatever the lock has.

use ringfence_sdk::prelude::*;
use toml::{Table, Value};

use super::lock::{Lock, Package};
use super::manifest::{Dependency, From, Manifest, dependency};
use super::{MANIFEST, source};
use crate::Report;
use crate::tree::{Tree, below, joined};

/// One package that is taken from elsewhere.
#[derive(Debug)]
pub(super) struct Patch {
    wanted: Dependency,
    /// The version that it has, or that it replaces; none where nobody can tell.
    version: Option<String>,
    is_replacement: bool,
    /// The file that says so.
    path: String,
}

impl Patch {
    /// The patches in a manifest, or in settings, which lie in `folder` at `path`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] for a manifest that may not be read.
    pub(super) fn all(
        tree: &Tree,
        (folder, path): (&str, &str),
        table: &Table,
        report: &mut Report,
    ) -> Result<Vec<Self>> {
        let tables = |key: &str| table.get(key).and_then(Value::as_table).into_iter();
        let patches = tables("patch").flatten();
        let patches = patches.filter_map(|(_, table)| table.as_table()).flatten();
        let replaced = tables("replace").flatten();
        let all = patches
            .map(|one| (one, false))
            .chain(replaced.map(|one| (one, true)));
        let mut found = Vec::new();
        for ((key, value), is_replacement) in all {
            let mut wanted = match dependency(key, value, None) {
                Ok(wanted) => wanted,
                Err(why) => {
                    report.add(Finding::error("unreadable", why).at(path));
                    continue;
                }
            };
            let version = if is_replacement {
                let (name, version) = replaced_package(key);
                wanted.name = name.to_owned();
                version.map(str::to_owned)
            } else {
                version(tree, folder, &wanted.from)?
            };
            found.push(Self {
                wanted,
                version,
                is_replacement,
                path: path.to_owned(),
            });
        }
        Ok(found)
    }

    /// Whether `package` is what this one takes in.
    pub(super) fn brings(&self, package: &Package) -> bool {
        package.name == self.wanted.name
            && self
                .version
                .as_ref()
                .is_none_or(|version| *version == package.version)
            && source::is_from(package, &self.wanted.from)
    }

    /// Holds the lock at `path` to it.
    pub(super) fn check(&self, path: &str, lock: &Lock, report: &mut Report) {
        let is_there = lock.packages.iter().any(|package| self.brings(package));
        if is_there || self.is_unused(lock) {
            return;
        }
        let how = if self.is_replacement {
            "replaced"
        } else {
            "patched"
        };
        let message = format!(
            "{} is {how}, and {path} does not have it from there",
            self.wanted.name
        );
        report.add(Finding::error("stale-lock", message).at(&self.path));
    }

    fn is_unused(&self, lock: &Lock) -> bool {
        let is_locked = |name: &str, version: Option<&String>| {
            let mut named = lock.packages.iter().filter(|package| package.name == name);
            named.any(|package| version.is_none_or(|version| *version == package.version))
        };
        if self.is_replacement {
            return !is_locked(&self.wanted.name, self.version.as_ref());
        }
        // Cargo takes a patch for each package of the same version.
        let mut unused = lock.unused.iter().filter(|package| self.brings(package));
        unused.any(|package| !is_locked(&package.name, Some(&package.version)))
    }
}

/// Name and version of what `[replace]` names: `name:version`, or an address with that behind `#`.
fn replaced_package(id: &str) -> (&str, Option<&str>) {
    let id = id.rsplit(['/', '#']).next().unwrap_or(id);
    match id.split_once([':', '@']) {
        Some((name, version)) => (name, Some(version)),
        None => (id, None),
    }
}

/// The version of a package in a folder of the repository; none for one that it inherits, from whatever workspace.
fn version(tree: &Tree, folder: &str, from: &From) -> Result<Option<String>> {
    let From::Path { path, .. } = from else {
        return Ok(None);
    };
    let Some(folder) = joined(folder, path) else {
        return Ok(None);
    };
    let text = tree.text(&below(&folder, MANIFEST))?;
    let manifest = text.and_then(|text| Manifest::parse(&text).ok());
    Ok(manifest.and_then(|manifest| manifest.version(None).map(str::to_owned)))
}
