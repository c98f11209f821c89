//! `Cargo.lock`, in all versions that there are.
//!
//! **Invariant:** what a package depends on is exactly one package of the lock, or there is a finding.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use ringfence_sdk::Finding;
use semver::Version;
use serde::Deserialize;
use toml::Spanned;

use crate::Report;
use crate::compare::{Locked, Source, at_lines};

/// The newest version of the file that is known.
const VERSION_MAX: u32 = 4;

#[derive(Debug, Deserialize)]
struct File {
    version: Option<u32>,
    #[serde(default)]
    package: Vec<Entry>,
    #[serde(default)]
    patch: Patches,
    /// The first version of the file kept checksums here.
    #[serde(default)]
    metadata: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
struct Patches {
    #[serde(default)]
    unused: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    name: Spanned<String>,
    version: Spanned<String>,
    source: Option<Spanned<String>>,
    checksum: Option<Spanned<String>>,
    #[serde(default)]
    dependencies: Vec<String>,
    /// What `[replace]` puts in its place.
    replace: Option<String>,
}

/// A lock.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) packages: Vec<Package>,
    /// What a `[patch]` names and nothing needs.
    pub(super) unused: Vec<Package>,
}

/// One package of a lock.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// As it is written; none for what lies in a folder.
    pub(super) source: Option<String>,
    /// Where it begins, and all on which its version, its source and its checksum stand.
    lines: Vec<u32>,
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
        let package = |entry| package(entry, &file.metadata, &lines);
        Ok(Self {
            packages: file.package.into_iter().map(package).collect(),
            unused: file.patch.unused.into_iter().map(package).collect(),
        })
    }

    pub(super) fn locked(&self) -> Vec<Locked> {
        let locked = |package: &Package| Locked {
            name: package.name.clone(),
            version: package.version.clone(),
            source: source(package.source.as_deref()),
            checksum: package.checksum.clone(),
            runs: false,
            lines: package.lines.clone(),
        };
        self.packages
            .iter()
            .chain(&self.unused)
            .map(locked)
            .collect()
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
        let fitting = || {
            self.packages.iter().filter(|package| {
                let own = package.source.as_deref().map(without_commit);
                package.name == name
                    && version.is_none_or(|version| version == package.version)
                    && (source.is_none() || source == own)
            })
        };
        // What lies in a folder has no source that could be written.
        let in_folders = fitting().filter(|package| package.source.is_none());
        only(in_folders).or_else(|| only(fitting()))
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
                        let finding = Finding::error("stale-lock", message);
                        report.add(package.place(finding, path));
                    }
                }
            }
        }
        for package in &self.packages {
            if !reached.contains(&std::ptr::from_ref(package)) {
                let Package { name, version, .. } = package;
                let message = format!("{name} {version} is there, and nothing needs it");
                report.add(package.place(Finding::error("stale-lock", message), path));
            }
        }
    }
}

impl Package {
    /// Points to all of the entry in the lock `path`.
    pub(super) fn place(&self, finding: Finding, path: &str) -> Finding {
        at_lines(finding, path, &self.lines)
    }

    pub(super) fn satisfies(&self, wanted: &semver::VersionReq) -> bool {
        self.version
            .parse::<Version>()
            .is_ok_and(|version| wanted.matches(&version))
    }
}

fn package(entry: Entry, sums: &BTreeMap<String, Spanned<String>>, lines: &Lines) -> Package {
    let checksum = entry.checksum.or_else(|| {
        let (name, version) = (entry.name.get_ref(), entry.version.get_ref());
        let source = entry.source.as_ref()?.get_ref();
        let sum = sums.get(&format!("checksum {name} {version} ({source})"))?;
        (sum.get_ref() != "<none>").then(|| sum.clone())
    });
    let facts = [
        Some(&entry.version),
        entry.source.as_ref(),
        checksum.as_ref(),
    ];
    let facts = facts.into_iter().flatten();
    let mut on: Vec<u32> = facts.flat_map(|fact| lines.across(fact)).collect();
    on.insert(0, lines.of(entry.name.span().start));
    // A package that is replaced leads to the one in its place.
    let dependencies = entry.dependencies.into_iter().chain(entry.replace);
    Package {
        name: entry.name.into_inner(),
        version: entry.version.into_inner(),
        source: entry.source.map(Spanned::into_inner),
        lines: on,
        checksum: checksum.map(Spanned::into_inner),
        dependencies: dependencies.collect(),
    }
}

/// The one that there is; none of several.
fn only<'a>(mut fitting: impl Iterator<Item = &'a Package>) -> Option<&'a Package> {
    let first = fitting.next()?;
    fitting.next().is_none().then_some(first)
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

    /// All that a value stands on: a text may go over several.
    fn across(&self, value: &Spanned<String>) -> RangeInclusive<u32> {
        let span = value.span();
        self.of(span.start)..=self.of(span.end.saturating_sub(1))
    }
}
