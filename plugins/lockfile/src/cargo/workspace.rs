//! The manifests that share a lock, and what they ask of it.
//!
//! **Invariant:** a member that the workspace names is held against the lock, or there is a finding.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_sdk::prelude::*;
use toml::{Table, Value};

use super::lock::{Lock, Package};
use super::manifest::{Dependency, From, Manifest};
use super::patch::Patch;
use super::settings::Settings;
use super::{MANIFEST, source};
use crate::Report;
use crate::tree::{Tree, below, joined};

/// Limit: manifests of one workspace.
const MEMBERS_MAX: usize = 5_000;

/// A workspace, or a package by itself.
pub(super) struct Workspace {
    /// By the path of the manifest.
    members: BTreeMap<String, Member>,
    /// What comes from elsewhere than the manifests say.
    patches: Vec<Patch>,
}

struct Member {
    name: String,
    version: String,
    dependencies: Vec<Dependency>,
}

impl Workspace {
    /// Reads all manifests that share the lock in `folder`; none where there is no readable one at the root.
    pub(super) fn read(tree: &Tree, folder: &str, report: &mut Report) -> Result<Option<Self>> {
        let path = below(folder, MANIFEST);
        let Some(root) = manifest(tree, &path, report)? else {
            return Ok(None);
        };
        let mut reader = Reader {
            tree,
            root: folder,
            workspace: root.workspace(),
            left_out: Vec::new(),
            open: vec![(folder.to_owned(), false)],
            seen: BTreeSet::new(),
            members: BTreeMap::new(),
        };
        reader.patterns(report)?;
        reader.all(report)?;
        let mut members = reader.members;
        let settings = Settings::read(tree, folder, report)?;
        for dependency in members.values_mut().flat_map(|one| &mut one.dependencies) {
            settings.resolve(&mut dependency.from);
        }
        let mut patches = Patch::all(tree, (folder, &path), &root.table, report)?;
        patches.extend(settings.patches);
        Ok(Some(Self { members, patches }))
    }

    /// Holds the lock to each manifest.
    pub(super) fn check(&self, path: &str, lock: &Lock, report: &mut Report) {
        for patch in &self.patches {
            patch.check(path, lock, report);
        }
        for (manifest, member) in &self.members {
            let own = lock.packages.iter().find(|package| {
                package.source.is_none()
                    && package.name == member.name
                    && package.version == member.version
            });
            let Some(own) = own else {
                let message = format!("{} {} is not in {path}", member.name, member.version);
                report.add(Finding::error("stale-lock", message).at(manifest));
                continue;
            };
            let locked: Vec<&Package> = lock.dependencies(own).filter_map(|(_, p)| p).collect();
            for dependency in &member.dependencies {
                self.check_dependency(path, manifest, dependency, &locked, report);
            }
            for package in locked {
                if !member
                    .dependencies
                    .iter()
                    .any(|dependency| dependency.name == package.name)
                {
                    let message = format!(
                        "{} needs {} here, and {manifest} does not ask for it",
                        member.name, package.name
                    );
                    report.add(own.place(Finding::error("stale-lock", message), path));
                }
            }
        }
    }

    fn check_dependency(
        &self,
        path: &str,
        manifest: &str,
        dependency: &Dependency,
        locked: &[&Package],
        report: &mut Report,
    ) {
        let Dependency { name, wanted, .. } = dependency;
        let named: Vec<&Package> = locked.iter().copied().filter(|p| p.name == *name).collect();
        let Some(first) = named.first() else {
            let message = format!("{name} {wanted} is not in {path}");
            report.add(Finding::error("stale-lock", message).at(manifest));
            return;
        };
        let fitting: Vec<&Package> = named
            .iter()
            .copied()
            .filter(|p| p.satisfies(wanted))
            .collect();
        if fitting.is_empty() {
            let message = format!(
                "{name} is {}, and {manifest} asks for {wanted}",
                first.version
            );
            report.add(first.place(Finding::error("out-of-range", message), path));
        } else if !fitting
            .iter()
            .any(|package| self.is_from(package, dependency))
        {
            let message = format!("{name} comes from elsewhere than {manifest} says");
            report.add(first.place(Finding::error("stale-lock", message), path));
        }
    }

    fn is_from(&self, package: &Package, dependency: &Dependency) -> bool {
        source::is_from(package, &dependency.from)
            || self.patches.iter().any(|patch| patch.brings(package))
    }
}

/// The manifest at `path`; none, with a finding where there is one that cannot be read.
fn manifest(tree: &Tree, path: &str, report: &mut Report) -> Result<Option<Manifest>> {
    let Some(text) = tree.text(path)? else {
        return Ok(None);
    };
    match Manifest::parse(&text) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(why) => {
            report.add(Finding::error("unreadable", why).at(path));
            Ok(None)
        }
    }
}

/// Reads members, and what they lead to.
struct Reader<'a> {
    tree: &'a Tree,
    root: &'a str,
    workspace: Option<&'a Table>,
    left_out: Vec<String>,
    /// Folders to be looked at, and whether a manifest has to be there.
    open: Vec<(String, bool)>,
    seen: BTreeSet<String>,
    members: BTreeMap<String, Member>,
}

impl Reader<'_> {
    /// Takes in what `members` and `exclude` of the workspace say.
    fn patterns(&mut self, report: &mut Report) -> Result<()> {
        for written in self.list("exclude") {
            self.left_out.extend(joined(self.root, &written));
        }
        for written in self.list("members") {
            let Some(pattern) = joined(self.root, &written) else {
                let message = format!("member `{written}` lies outside");
                let path = below(self.root, MANIFEST);
                report.add(Finding::error("unreadable", message).at(path));
                continue;
            };
            let is_name = !pattern.contains(['*', '?', '[', '{']);
            let folders = self.tree.folders(&pattern)?;
            self.open
                .extend(folders.into_iter().map(|folder| (folder, is_name)));
        }
        Ok(())
    }

    fn list(&self, key: &str) -> Vec<String> {
        let list = self.workspace.and_then(|workspace| workspace.get(key));
        let list = list.and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn all(&mut self, report: &mut Report) -> Result<()> {
        while let Some((folder, is_named)) = self.open.pop() {
            if !self.seen.insert(folder.clone()) || (!is_named && self.is_left_out(&folder)) {
                continue;
            }
            if self.members.len() >= MEMBERS_MAX {
                return Err(Error::unavailable(format!(
                    "a workspace has more than {MEMBERS_MAX} members"
                )));
            }
            let path = below(&folder, MANIFEST);
            if is_named && !self.tree.has(&path)? {
                let message = format!("member {folder} has no manifest");
                report.add(Finding::error("unreadable", message).at(below(self.root, MANIFEST)));
                continue;
            }
            if let Some(manifest) = manifest(self.tree, &path, report)? {
                self.member(&folder, &path, &manifest, report);
            }
        }
        Ok(())
    }

    fn is_left_out(&self, folder: &str) -> bool {
        let within = |outer: &String| {
            folder
                .strip_prefix(outer.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.left_out.iter().any(within)
    }

    fn member(&mut self, folder: &str, path: &str, manifest: &Manifest, report: &mut Report) {
        // Another workspace, or a root that is no package.
        let is_other = folder != self.root && manifest.workspace().is_some();
        let Some(name) = manifest.name().filter(|_| !is_other) else {
            return;
        };
        let (Some(version), Ok(dependencies)) = (
            manifest.version(self.workspace),
            manifest.dependencies(self.workspace),
        ) else {
            let why = manifest.dependencies(self.workspace).err();
            let why = why.unwrap_or_else(|| "has a version that its workspace does not".to_owned());
            report.add(Finding::error("unreadable", why).at(path));
            return;
        };
        if self.workspace.is_some() {
            let within = dependencies
                .iter()
                .filter_map(|found| self.path(folder, found));
            let within: Vec<String> = within.collect();
            self.open
                .extend(within.into_iter().map(|path| (path, false)));
        }
        let member = Member {
            name: name.to_owned(),
            version: version.to_owned(),
            dependencies,
        };
        self.members.insert(path.to_owned(), member);
    }

    /// The folder of a dependency that is a member because it lies within the workspace.
    fn path(&self, folder: &str, dependency: &Dependency) -> Option<String> {
        let From::Path { path, of_workspace } = &dependency.from else {
            return None;
        };
        let from = if *of_workspace { self.root } else { folder };
        let path = joined(from, path)?;
        let is_within = self.root.is_empty() || path.strip_prefix(self.root)?.starts_with('/');
        is_within.then_some(path)
    }
}
