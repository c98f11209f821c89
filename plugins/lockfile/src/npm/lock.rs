//! `package-lock.json` of versions 2 and 3: what is installed where.
//!
//! **Invariant:** the keys of the lock are folders; which package one depends on is what Node would find from there.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_sdk::Finding;
use serde::Deserialize;
use serde_json::Value;

use super::spec::{Spec, satisfies};
use crate::Report;
use crate::compare::{Locked, Source};

type List = BTreeMap<String, String>;

/// The lists of a manifest.
pub(super) const LISTS: [&str; 4] = [
    "dependencies",
    "devDependencies",
    "peerDependencies",
    "optionalDependencies",
];
/// npm can be told to leave out of a lock where the registry is.
pub(super) const UNNAMED: &str = "the registry that npm is set up with";

const INSTALLED: &str = "node_modules/";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    lockfile_version: u32,
    #[serde(default)]
    packages: BTreeMap<String, Package>,
}

/// One entry of the lock; a manifest has the same shape.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Package {
    name: Option<String>,
    version: Option<String>,
    resolved: Option<String>,
    integrity: Option<String>,
    link: bool,
    in_bundle: bool,
    has_install_script: bool,
    dependencies: List,
    dev_dependencies: List,
    peer_dependencies: List,
    pub(super) optional_dependencies: List,
    pub(super) workspaces: Value,
}

impl Package {
    pub(super) fn list(&self, name: &str) -> &List {
        match name {
            "devDependencies" => &self.dev_dependencies,
            "peerDependencies" => &self.peer_dependencies,
            "optionalDependencies" => &self.optional_dependencies,
            _ => &self.dependencies,
        }
    }
}

/// A lock.
#[derive(Debug)]
pub(super) struct Lock {
    /// By folder, relative to that of the lock; the empty one is its own.
    pub(super) packages: BTreeMap<String, Package>,
    lines: BTreeMap<String, u32>,
}

impl Lock {
    /// Reads a lock, or says why it is none that is known here.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if !(2..=3).contains(&file.lockfile_version) {
            let version = file.lockfile_version;
            return Err(format!(
                "is of version {version}: have `npm install --package-lock-only --lockfile-version 3` write it anew"
            ));
        }
        Ok(Self {
            packages: file.packages,
            lines: lines(text),
        })
    }

    /// The folders that hold manifests of the repository: the lock's own, and its workspaces.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        let folders = self.packages.keys().map(String::as_str);
        folders.filter(|folder| !is_installed(folder))
    }

    fn line(&self, folder: &str) -> u32 {
        self.lines.get(folder).copied().unwrap_or(0)
    }

    pub(super) fn locked(&self) -> Vec<Locked> {
        let installed = self.packages.iter().filter(|(folder, package)| {
            is_installed(folder) && !package.link && !package.in_bundle
        });
        let locked = installed.map(|(folder, package)| Locked {
            name: name(folder, package).to_owned(),
            version: package.version.clone().unwrap_or_default(),
            source: source(package),
            checksum: package.integrity.clone(),
            runs: package.has_install_script,
            line: self.line(folder),
        });
        locked.collect()
    }

    /// Holds the lock to itself: what packages ask for, and what they are fetched as.
    pub(super) fn check(&self, path: &str, overridden: &BTreeSet<String>, report: &mut Report) {
        let mut check = Check {
            lock: self,
            path,
            overridden,
            known: BTreeMap::new(),
            report,
        };
        let packages = self.packages.iter().filter(|(_, package)| !package.link);
        for (folder, package) in packages {
            check.package(folder, package);
        }
    }

    /// The package that Node finds for `name` from `folder`: in it, or in a folder above.
    fn resolve(&self, folder: &str, name: &str) -> Option<(&str, &Package)> {
        let mut folder = folder;
        loop {
            let place = crate::tree::below(folder, &format!("{INSTALLED}{name}"));
            if let Some((place, found)) = self.packages.get_key_value(&place) {
                return self.linked(place, found);
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    /// What a link leads to.
    fn linked<'a>(&'a self, place: &'a str, found: &'a Package) -> Option<(&'a str, &'a Package)> {
        if !found.link {
            return Some((place, found));
        }
        let target = found.resolved.as_deref()?;
        let (place, found) = self.packages.get_key_value(target)?;
        Some((place, found))
    }
}

/// A lock on its way to being held to itself.
struct Check<'a> {
    lock: &'a Lock,
    path: &'a str,
    overridden: &'a BTreeSet<String>,
    /// Versions and ranges that were seen together.
    known: BTreeMap<(&'a str, &'a str), bool>,
    report: &'a mut Report,
}

impl<'a> Check<'a> {
    fn add(&mut self, rule: &str, message: String, folder: &str) {
        let finding = Finding::error(rule, message);
        self.report
            .add(finding.at_line(self.path, self.lock.line(folder)));
    }

    fn package(&mut self, folder: &str, package: &'a Package) {
        if let Some(why) = wrong_package(folder, package) {
            self.add("wrong-package", why, folder);
        }
        for (name, spec) in &package.dependencies {
            let is_optional = package.optional_dependencies.contains_key(name);
            self.dependency(folder, name, spec, is_optional);
        }
        for (name, spec) in &package.optional_dependencies {
            self.dependency(folder, name, spec, true);
        }
        // Nobody installs what others develop with.
        if !is_installed(folder) {
            for (name, spec) in &package.dev_dependencies {
                self.dependency(folder, name, spec, false);
            }
        }
    }

    fn dependency(&mut self, folder: &str, wanted: &'a str, spec: &'a str, is_optional: bool) {
        let who = if folder.is_empty() {
            "the manifest"
        } else {
            folder
        };
        let Some((place, found)) = self.lock.resolve(folder, wanted) else {
            if !is_optional {
                let message = format!("{who} asks for {wanted} `{spec}`, which is not there");
                self.add("stale-lock", message, folder);
            }
            return;
        };
        let (real, range) = match Spec::parse(spec) {
            Spec::Range(range) => (wanted, range),
            Spec::Alias { name, range } => (name, range),
            Spec::Other => return,
        };
        if self.overridden.contains(wanted) {
            return;
        }
        let is = name(place, found);
        if is != real {
            let message = format!("{who} asks for {real}, and it is {is}");
            self.add("wrong-package", message, place);
            return;
        }
        let version = found.version.as_deref().unwrap_or_default();
        let known = self.known.entry((version, range));
        if !*known.or_insert_with(|| satisfies(version, range)) {
            let message = format!("{real} is {version}, and {who} asks for `{range}`");
            self.add("out-of-range", message, place);
        }
    }
}

fn is_installed(folder: &str) -> bool {
    folder.starts_with(INSTALLED) || folder.contains("/node_modules/")
}

/// What a package is called: by its entry, or else by its folder.
fn name<'a>(folder: &'a str, package: &'a Package) -> &'a str {
    let of_folder = folder
        .rsplit_once(INSTALLED)
        .map_or(folder, |(_, name)| name);
    package.name.as_deref().unwrap_or(of_folder)
}

fn source(package: &Package) -> Source {
    let Some(resolved) = package.resolved.as_deref() else {
        return Source::Registry(UNNAMED.to_owned());
    };
    if resolved.starts_with("git") {
        let (from, at) = resolved.split_at(resolved.find('#').unwrap_or(resolved.len()));
        return Source::Git {
            from: from.to_owned(),
            at: at.to_owned(),
        };
    }
    match origin(resolved) {
        Some(origin) => Source::Registry(origin.to_owned()),
        None if resolved.starts_with("file:") => Source::Tree,
        None => Source::Other(resolved.to_owned()),
    }
}

/// Scheme and host of a URL of the web.
fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    if scheme != "https" && scheme != "http" {
        return None;
    }
    let host = rest.split('/').next().unwrap_or(rest);
    url.get(..scheme.len() + "://".len() + host.len())
}

/// Why what is fetched is not the package that the entry names. Known of addresses that npm's registry has.
fn wrong_package(folder: &str, package: &Package) -> Option<String> {
    let resolved = package.resolved.as_deref()?;
    origin(resolved)?;
    let (before, file) = resolved.split_once("/-/")?;
    let name = name(folder, package);
    let version = package.version.as_deref().unwrap_or_default();
    let base = name.rsplit('/').next().unwrap_or(name);
    let before = before.replace("%2f", "/").replace("%2F", "/");
    let file = file.split(['?', '#']).next().unwrap_or(file);
    let file = file.rsplit('/').next().unwrap_or(file);
    let is_right = before.ends_with(&format!("/{name}")) && file == format!("{base}-{version}.tgz");
    (!is_right).then(|| format!("{name} {version} is fetched from {resolved}"))
}

/// The line on which each entry begins, where the lock is written as npm writes it.
fn lines(text: &str) -> BTreeMap<String, u32> {
    let mut lines = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let key = line.trim_start().strip_prefix('"');
        if let Some(key) = key.and_then(|rest| rest.strip_suffix("\": {")) {
            let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
            lines.entry(key.to_owned()).or_insert(number);
        }
    }
    lines
}
