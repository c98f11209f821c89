//! `package-lock.json` of versions 2 and 3: what is installed where.
//!
//! **Invariant:** the keys of the lock are folders; which package one depends on is what Node would find from there. No entry
//! is passed over because of what it says of itself.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_sdk::Finding;
use serde::Deserialize;
use serde_json::Value;

use super::address;
use super::overrides::{Override, Overrides};
use super::places::{self, Places};
use super::spec::{Spec, satisfies};
use crate::Report;
use crate::compare::{Locked, Source, at_lines};

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
    bundle_dependencies: Value,
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

    /// What its archive brings along: by name, or all that it asks for.
    fn bundle(&self) -> Vec<&str> {
        match &self.bundle_dependencies {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            Value::Bool(true) => self.dependencies.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    fn is_in_a_bundle(&self) -> bool {
        self.in_bundle && !self.link && self.resolved.is_none()
    }
}

/// A lock.
#[derive(Debug)]
pub(super) struct Lock {
    /// By folder, relative to that of the lock; the empty one is its own.
    pub(super) packages: BTreeMap<String, Package>,
    places: Places,
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
            places: places::of(text),
        })
    }

    /// The folders that hold manifests of the repository: the lock's own, and its workspaces.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        let folders = self.packages.keys().map(String::as_str);
        folders.filter(|folder| !is_installed(folder))
    }

    /// Where the entry begins, and what it says of its package; for a link that of where it leads, too.
    fn lines(&self, folder: &str) -> Vec<u32> {
        let own = self.packages.get(folder);
        let linked = own.and_then(|package| self.linked(folder, package));
        let linked = linked
            .map(|(place, _)| place)
            .filter(|place| *place != folder);
        let of = |folder| self.places.get(folder).into_iter().flatten();
        let lines: Vec<u32> = of(folder)
            .chain(linked.into_iter().flat_map(of))
            .copied()
            .collect();
        if lines.is_empty() { vec![0] } else { lines }
    }

    pub(super) fn locked(&self) -> Vec<Locked> {
        let bundled = self.bundled();
        let installed = self
            .packages
            .iter()
            .filter(|(folder, _)| is_installed(folder) && !bundled.contains(folder.as_str()));
        let locked = installed.map(|(folder, package)| Locked {
            name: name(folder, package).to_owned(),
            version: self.version(folder, package).to_owned(),
            source: self.source(folder, package),
            checksum: package.integrity.clone(),
            runs: package.has_install_script,
            lines: self.lines(folder),
        });
        locked.collect()
    }

    /// Holds the lock to itself: what packages ask for, and what they are fetched as.
    pub(super) fn check(&self, path: &str, overrides: &Overrides, report: &mut Report) {
        let mut check = Check {
            lock: self,
            path,
            overrides,
            known: BTreeMap::new(),
            report,
        };
        for (folder, package) in &self.packages {
            if !is_plain(folder) {
                check.add("unreadable", format!("`{folder}` is no folder"), folder);
            }
            if package.link {
                check.link(folder, package);
            } else {
                check.package(folder, package);
            }
        }
    }

    /// The version of a package, which for a link stands where it leads.
    fn version<'a>(&'a self, folder: &'a str, package: &'a Package) -> &'a str {
        let (_, found) = self.linked(folder, package).unwrap_or((folder, package));
        found.version.as_deref().unwrap_or_default()
    }

    fn source(&self, folder: &str, package: &Package) -> Source {
        let Some(resolved) = package.resolved.as_deref() else {
            return Source::Registry(UNNAMED.to_owned());
        };
        if package.link {
            return Source::Path(resolved.to_owned());
        }
        if resolved.starts_with("git") {
            let (from, at) = resolved.split_at(resolved.find('#').unwrap_or(resolved.len()));
            return Source::Git {
                from: from.to_owned(),
                at: at.to_owned(),
            };
        }
        let name = name(folder, package);
        let version = package.version.as_deref().unwrap_or_default();
        if let Some(registry) = address::registry(resolved, name, version) {
            return Source::Registry(registry);
        }
        match (address::origin(resolved), resolved.strip_prefix("file:")) {
            (_, Some(path)) => Source::Path(path.to_owned()),
            // Of a registry, and another package: that is told.
            (Some(origin), _) if !self.is_asked_for(of_folder(folder), resolved) => {
                Source::Registry(origin.to_owned())
            }
            _ => Source::Other(resolved.to_owned()),
        }
    }

    /// The folders of what comes within the archive of another package: an installed one lists it, or what that lists needs it.
    /// A package of the repository has no archive, whatever it lists.
    fn bundled(&self) -> BTreeSet<&str> {
        let mut bundled = BTreeSet::new();
        let bundlers = self
            .packages
            .iter()
            .filter(|(folder, _)| is_installed(folder));
        for (folder, package) in bundlers {
            let inside = format!("{folder}/");
            let names = package.bundle().into_iter();
            let mut open: Vec<(&str, &str)> = names.map(|name| (folder.as_str(), name)).collect();
            let mut seen = BTreeSet::new();
            while let Some((from, name)) = open.pop() {
                let found = self.resolve(from, name);
                let found = found
                    .filter(|(place, found)| place.starts_with(&inside) && found.is_in_a_bundle());
                let Some((place, found)) = found else {
                    continue;
                };
                if seen.insert(place) {
                    let lists = LISTS.iter().filter(|list| **list != "devDependencies");
                    let needed = lists.flat_map(|list| found.list(list).keys());
                    open.extend(needed.map(|name| (place, name.as_str())));
                }
            }
            bundled.extend(seen);
        }
        bundled
    }

    /// Whether a package is what an override puts there; true if there is none that it is for.
    pub(super) fn has(&self, one: &Override) -> bool {
        let named = || {
            let places = self.packages.iter();
            places.filter(|(folder, _)| is_installed(folder) && of_folder(folder) == one.name)
        };
        let is_it = |(folder, package): (&String, &Package)| {
            let linked = self.linked(folder, package);
            linked.is_some_and(|(place, found)| one.brings(place, found))
        };
        named().next().is_none() || named().any(|(folder, package)| is_it((folder, package)))
    }

    /// Whether a manifest of the repository asks for exactly this address under this name.
    fn is_asked_for(&self, wanted: &str, address: &str) -> bool {
        let manifests = self
            .packages
            .iter()
            .filter(|(folder, _)| !is_installed(folder));
        let mut lists = manifests.flat_map(|(_, package)| LISTS.map(|list| package.list(list)));
        lists.any(|list| list.get(wanted).is_some_and(|spec| spec == address))
    }

    /// The package that Node finds for `name` from `folder`: in it, or in a folder above.
    fn resolve<'a>(&'a self, folder: &str, name: &str) -> Option<(&'a str, &'a Package)> {
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
    overrides: &'a Overrides,
    /// Versions and ranges that were seen together.
    known: BTreeMap<(&'a str, &'a str), bool>,
    report: &'a mut Report,
}

impl<'a> Check<'a> {
    fn add(&mut self, rule: &str, message: String, folder: &str) {
        let finding = Finding::error(rule, message);
        let lines = self.lock.lines(folder);
        self.report.add(at_lines(finding, self.path, &lines));
    }

    fn package(&mut self, folder: &str, package: &'a Package) {
        if let Some(why) = self.wrong_package(folder, package) {
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

    /// A link is one to a folder of the repository that has a manifest, which is judged then.
    fn link(&mut self, folder: &str, package: &Package) {
        let target = package.resolved.as_deref().unwrap_or_default();
        if is_installed(target) || !self.lock.packages.contains_key(target) {
            let name = name(folder, package);
            let message =
                format!("{name} is a link to `{target}`, which is no package of the lock");
            self.add("wrong-package", message, folder);
        }
    }

    /// Why what is fetched from the web is not the package that the entry names.
    fn wrong_package(&self, folder: &str, package: &Package) -> Option<String> {
        let resolved = package.resolved.as_deref()?;
        address::origin(resolved)?;
        let name = name(folder, package);
        let version = package.version.as_deref().unwrap_or_default();
        let is_right = address::registry(resolved, name, version).is_some()
            || self.lock.is_asked_for(of_folder(folder), resolved);
        (!is_right).then(|| format!("{name} {version} is fetched from {resolved}"))
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
        // What comes in an archive of another package, nobody overrides.
        if !found.is_in_a_bundle() && self.is_overridden(who, wanted, place, found) {
            return;
        }
        let (real, range) = match Spec::parse(spec) {
            Spec::Range(range) => (wanted, range),
            Spec::Alias { name, range } => (name, range),
            Spec::Other => return,
        };
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

impl Check<'_> {
    /// Whether an override decides what `wanted` is, so that what was asked for does not count.
    fn is_overridden(&mut self, who: &str, wanted: &str, place: &str, found: &Package) -> bool {
        let overrides = self.overrides;
        if overrides
            .for_name(wanted)
            .any(|one| one.brings(place, found))
        {
            return true;
        }
        let Some(one) = overrides.for_name(wanted).find(|one| one.is_for_all) else {
            return false;
        };
        let version = found.version.as_deref().unwrap_or_default();
        let message = format!(
            "{wanted} is {version} for {who}, and `overrides` say `{}`",
            one.spec
        );
        self.add("out-of-range", message, place);
        true
    }
}

impl Override {
    /// Whether the package at `place` is what it puts there.
    fn brings(&self, place: &str, found: &Package) -> bool {
        let version = found.version.as_deref().unwrap_or_default();
        let (real, range) = match Spec::parse(&self.spec) {
            Spec::Range(range) => (self.name.as_str(), range),
            Spec::Alias { name, range } => (name, range),
            Spec::Other => {
                let from = found.resolved.as_deref();
                let is_fetched = |from: &str| address::origin(from).is_none() || from == self.spec;
                return !is_installed(place) || from.is_some_and(is_fetched);
            }
        };
        name(place, found) == real && satisfies(version, range)
    }
}

fn is_installed(folder: &str) -> bool {
    folder.starts_with(INSTALLED) || folder.contains("/node_modules/")
}

/// Whether a key is a folder as npm writes it: each has one name, by which it is found.
fn is_plain(folder: &str) -> bool {
    let mut names = folder.split('/').skip_while(|name| *name == "..");
    let is_name = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\\');
    folder.is_empty() || names.all(is_name)
}

/// What a package is asked for as.
fn of_folder(folder: &str) -> &str {
    let installed = folder.rsplit_once(INSTALLED);
    installed.map_or(folder, |(_, name)| name)
}

/// What a package is called: by its entry, or else by its folder.
fn name<'a>(folder: &'a str, package: &'a Package) -> &'a str {
    package.name.as_deref().unwrap_or(of_folder(folder))
}
