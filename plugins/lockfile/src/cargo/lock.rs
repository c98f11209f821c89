//! `Cargo.lock`, in all versions that there are.
//!
//! **Invariant:** what a package depends on is exactly one package of the lock, or there is a finding.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_sdk::Finding;
use semver::Version;
use serde::Deserialize;
use toml::Spanned;

use crate::Report;
use crate::compare::{Locked, Source};

/// The newest version of the file that is known.
const VERSION_MAX: u32 = 4;

#[derive(Debug, Deserialize)]
struct File {
    version: Option<u32>,
    #[serde(default)]
    package: Vec<Entry>,
    /// The first version of the file kept checksums here.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    name: Spanned<String>,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// A lock.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) packages: Vec<Package>,
}

/// One package of a lock.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// As it is written; none for what lies in a folder.
    pub(super) source: Option<String>,
    pub(super) line: u32,
    checksum: Option<String>,
    dependencies: Vec<String>,
}

impl Lock {
    /// Reads a lock, or says why it is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        if file.version.is_some_and(|version| version > VERSION_MAX) {
            let version = file.version.unwrap_or_default();
            return Err(format!("is of version {version}, which is not known here"));
        }
        let lines = Lines::new(text);
        let package = |entry: Entry| Package {
            line: lines.of(entry.name.span().start),
            checksum: entry
                .checksum
                .clone()
                .or_else(|| old_checksum(&file.metadata, &entry)),
            name: entry.name.into_inner(),
            version: entry.version,
            source: entry.source,
            dependencies: entry.dependencies,
        };
        Ok(Self {
            packages: file.package.into_iter().map(package).collect(),
        })
    }

    pub(super) fn locked(&self) -> Vec<Locked> {
        let locked = |package: &Package| Locked {
            name: package.name.clone(),
            version: package.version.clone(),
            source: source(package.source.as_deref()),
            checksum: package.checksum.clone(),
            runs: false,
            line: package.line,
        };
        self.packages.iter().map(locked).collect()
    }

    /// The packages that `package` depends on; none for an entry that means no package, or several.
    pub(super) fn dependencies<'a>(
        &'a self,
        package: &'a Package,
    ) -> impl Iterator<Item = (&'a str, Option<&'a Package>)> {
        let written = package.dependencies.iter().map(String::as_str);
        written.map(|written| (written, self.find(written)))
    }

    /// `name`, `name version` or `name version (source)`.
    fn find(&self, written: &str) -> Option<&Package> {
        let mut words = written.splitn(3, ' ');
        let name = words.next()?;
        let version = words.next();
        let source = words.next();
        let source = source.map(|word| without_commit(word.trim_matches(['(', ')'])));
        let mut fitting = self.packages.iter().filter(|package| {
            let own = package.source.as_deref().map(without_commit);
            package.name == name
                && version.is_none_or(|version| version == package.version)
                && (source.is_none() || source == own)
        });
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }

    /// Holds the lock to itself: all that is needed is there, and all that is there is needed.
    pub(super) fn check(&self, path: &str, report: &mut Report) {
        let mut reached: BTreeSet<*const Package> = BTreeSet::new();
        let roots = self.packages.iter().filter(|p| p.source.is_none());
        let mut open: Vec<&Package> = roots.collect();
        while let Some(package) = open.pop() {
            if !reached.insert(std::ptr::from_ref(package)) {
                continue;
            }
            for (written, found) in self.dependencies(package) {
                match found {
                    Some(found) => open.push(found),
                    None => {
                        let message = format!(
                            "{} needs `{written}`, which is not one package here",
                            package.name
                        );
                        report
                            .add(Finding::error("stale-lock", message).at_line(path, package.line));
                    }
                }
            }
        }
        for package in &self.packages {
            if !reached.contains(&std::ptr::from_ref(package)) {
                let Package { name, version, .. } = package;
                let message = format!("{name} {version} is there, and nothing needs it");
                report.add(Finding::error("stale-lock", message).at_line(path, package.line));
            }
        }
    }
}

impl Package {
    pub(super) fn satisfies(&self, wanted: &semver::VersionReq) -> bool {
        self.version
            .parse::<Version>()
            .is_ok_and(|version| wanted.matches(&version))
    }
}

fn old_checksum(metadata: &BTreeMap<String, String>, entry: &Entry) -> Option<String> {
    let source = entry.source.as_deref()?;
    let key = format!(
        "checksum {} {} ({source})",
        entry.name.get_ref(),
        entry.version
    );
    metadata.get(&key).filter(|sum| *sum != "<none>").cloned()
}

fn without_commit(source: &str) -> &str {
    source.split('#').next().unwrap_or(source)
}

fn source(written: Option<&str>) -> Source {
    let Some(written) = written else {
        return Source::Tree;
    };
    if written.starts_with("git+") {
        let (from, at) = written.split_at(written.find(['?', '#']).unwrap_or(written.len()));
        return Source::Git {
            from: from.to_owned(),
            at: at.to_owned(),
        };
    }
    if written.starts_with("registry+") || written.starts_with("sparse+") {
        return Source::Registry(written.to_owned());
    }
    Source::Other(written.to_owned())
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    fn of(&self, at: usize) -> u32 {
        let before = self.0.partition_point(|end| *end < at);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }
}
