//! A lock, held to the lock before: the same for each kind of lock.
//!
//! **Invariant:** where a package comes from, and what exactly is fetched, only changes together with its version, and
//! then by an allowed step.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_sdk::prelude::*;
use semver::Version;

use crate::step::Step;
use crate::{Config, Report};

/// Limit: of versions and names that one message lists.
const SHOWN_MAX: usize = 5;
/// Limit: of a checksum that a message shows; one of SHA-512 has 95.
const SUM_CHARS_MAX: usize = 100;

/// One package that a lock has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) source: Source,
    pub(crate) checksum: Option<String>,
    /// Whether it runs something when it is installed.
    pub(crate) runs: bool,
    /// Where it begins, and where its version, its source and its checksum stand: from 1; 0 when that is not known.
    pub(crate) lines: Vec<u32>,
}

impl Locked {
    /// Name and version, if it has one.
    fn shown(&self) -> String {
        format!("{} {}", self.name, self.version)
            .trim_end()
            .to_owned()
    }
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// The tree itself.
    Tree,
    /// A folder or an archive of the tree, from the lock.
    Path(String),
    /// A registry, with a checksum for what is fetched.
    Registry(String),
    /// A repository, and which of its commits.
    Git { from: String, at: String },
    /// Anything else, such as the address of an archive.
    Other(String),
}

impl Source {
    /// What has to be known before; none for the tree.
    pub(crate) fn origin(&self) -> Option<&str> {
        match self {
            Self::Tree | Self::Path(_) => None,
            Self::Registry(from) | Self::Git { from, .. } | Self::Other(from) => Some(from),
        }
    }

    fn shown(&self) -> &str {
        match self {
            Self::Path(path) => path,
            other => other.origin().unwrap_or("the tree itself"),
        }
    }

    fn is_in_tree(&self) -> bool {
        matches!(self, Self::Tree | Self::Path(_))
    }

    /// Whether what comes from one of them may come from the other.
    fn is_that_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Path(a), Self::Path(b)) => a == b,
            _ => self.origin() == other.origin(),
        }
    }

    /// Scheme and host, for a file that is fetched from the web.
    fn host(&self) -> Option<&str> {
        let (Self::Registry(origin) | Self::Other(origin)) = self else {
            return None;
        };
        let (scheme, rest) = origin.split_once("://")?;
        if scheme != "https" && scheme != "http" {
            return None;
        }
        let host = rest.split('/').next()?;
        origin.get(..scheme.len() + "://".len() + host.len())
    }
}

/// Compares the packages of the lock `path` with those before, if there was a lock.
pub(crate) fn compare(
    path: &str,
    before: Option<&[Locked]>,
    after: &[Locked],
    public: &[&str],
    config: &Config,
    report: &mut Report,
) {
    let known = known_sources(before.unwrap_or_default(), public, config);
    let was = by_name(before.unwrap_or_default());
    let mut comparison = Comparison {
        path,
        config,
        report,
    };
    for (name, packages) in by_name(after) {
        let before = was.get(name).map_or(&[][..], Vec::as_slice);
        for package in &packages {
            comparison.source(package, &known);
            comparison.checksum(package, before);
        }
        if before.is_empty() {
            comparison.new_package(name, &packages, !was.is_empty());
        } else {
            comparison.moves(before, &packages);
        }
    }
}

/// What packages came from before; the public registry where nothing came from anywhere.
fn known_sources(before: &[Locked], public: &[&str], config: &Config) -> BTreeSet<String> {
    let origins = before.iter().filter_map(|package| package.source.origin());
    let mut known: BTreeSet<String> = origins.map(str::to_owned).collect();
    if known.is_empty() {
        known.extend(public.iter().map(|source| (*source).to_owned()));
    }
    known.extend(config.sources.iter().cloned());
    known
}

fn by_name(packages: &[Locked]) -> BTreeMap<&str, Vec<&Locked>> {
    let mut names: BTreeMap<&str, Vec<&Locked>> = BTreeMap::new();
    for package in packages {
        names.entry(&package.name).or_default().push(package);
    }
    names
}

/// Points to all lines that a finding is about: it is known, or allowed, until one of them changes.
pub(crate) fn at_lines<'a>(
    finding: Finding,
    path: &str,
    lines: impl IntoIterator<Item = &'a u32>,
) -> Finding {
    let mut seen = BTreeSet::new();
    let lines = lines.into_iter().filter(|line| seen.insert(**line));
    lines.fold(finding, |finding, line| finding.at_line(path, *line))
}

struct Comparison<'a> {
    path: &'a str,
    config: &'a Config,
    report: &'a mut Report,
}

impl Comparison<'_> {
    fn add(&mut self, finding: Finding, package: &Locked) {
        self.add_all(finding, &[package]);
    }

    fn add_all(&mut self, finding: Finding, packages: &[&Locked]) {
        let lines = packages.iter().flat_map(|package| &package.lines);
        self.report.add(at_lines(finding, self.path, lines));
    }

    fn source(&mut self, package: &Locked, known: &BTreeSet<String>) {
        let Some(origin) = package.source.origin() else {
            return;
        };
        let host = package.source.host();
        let is_host_named = host.is_some_and(|host| self.config.sources.contains(host));
        if !known.contains(origin) && !is_host_named {
            let shown = package.shown();
            let message = format!("{shown} comes from {origin}, as nothing did before");
            let help = "name it in `sources` if it may be";
            self.add(Finding::error("new-source", message).help(help), package);
        }
        let is_file = matches!(package.source, Source::Registry(_)) || host.is_some();
        if is_file && package.checksum.is_none() {
            let message = format!("{} has no checksum", package.shown());
            self.add(Finding::error("checksum-missing", message), package);
        }
    }

    /// The same version has the same bytes.
    fn checksum(&mut self, package: &Locked, before: &[&Locked]) {
        let same = before
            .iter()
            .find(|was| was.version == package.version && was.source == package.source);
        let Some(checksum) = same.and_then(|was| was.checksum.as_deref()) else {
            return;
        };
        let now = package.checksum.as_deref().unwrap_or_default();
        let shown = package.shown();
        let sums = format!("{}, and was {}", sum(now), sum(checksum));
        let finding = match compared(checksum, now) {
            File::Same => return,
            File::Unknown => {
                let message = format!("{shown} has a checksum of a better kind: {sums}");
                Finding::warning("checksum-changed", message)
            }
            File::Other => {
                let message = format!("{shown} is another file than before: {sums}");
                Finding::error("checksum-changed", message)
            }
        };
        self.add(finding, package);
    }

    fn new_package(&mut self, name: &str, packages: &[&Locked], has_before: bool) {
        // A lock that begins is new as a whole.
        if !has_before || packages.iter().all(|package| package.source.is_in_tree()) {
            return;
        }
        let versions: Vec<&str> = packages.iter().map(|p| p.version.as_str()).collect();
        let versions: BTreeSet<&str> = versions.into_iter().take(SHOWN_MAX).collect();
        let versions: Vec<&str> = versions.into_iter().collect();
        let script = if packages.iter().any(|package| package.runs) {
            "; runs a script when it is installed"
        } else {
            ""
        };
        let message = format!("{name} {} is new{script}", versions.join(", "));
        let finding = if self.config.allow_new {
            Finding::note("new-dependency", message)
        } else {
            Finding::error("new-dependency", message)
        };
        self.add_all(finding, packages);
    }

    fn moves(&mut self, before: &[&Locked], after: &[&Locked]) {
        let mut seen: BTreeSet<(&str, &Source)> = BTreeSet::new();
        for package in after {
            if !seen.insert((package.version.as_str(), &package.source))
                || before.iter().any(|was| is_same(was, package))
            {
                continue;
            }
            let from_there: Vec<&Locked> = before
                .iter()
                .copied()
                .filter(|was| was.source.is_that_of(&package.source))
                .collect();
            if from_there.is_empty() {
                self.moved_source(before, package);
                continue;
            }
            if !package.source.is_in_tree() {
                self.step(&from_there, after, package);
            }
        }
    }

    fn moved_source(&mut self, before: &[&Locked], package: &Locked) {
        let sources: BTreeSet<&str> = before.iter().map(|was| was.source.shown()).collect();
        let sources: Vec<&str> = sources.into_iter().take(SHOWN_MAX).collect();
        let message = format!(
            "{} comes from {}, and came from {}",
            package.shown(),
            package.source.shown(),
            sources.join(", ")
        );
        self.add(Finding::error("source-changed", message), package);
    }

    /// How far it is from what was there.
    fn step(&mut self, before: &[&Locked], after: &[&Locked], package: &Locked) {
        let name = &package.name;
        let allowed = self.config.overrides.get(name);
        let allowed = *allowed.unwrap_or(&self.config.allow);
        let Some(Pair {
            was,
            step,
            is_older,
        }) = pair(before, after, package)
        else {
            return;
        };
        if is_older && !self.config.allow_downgrade {
            let message = format!("{name} {} was {} before", package.version, was.version);
            self.add(Finding::error("downgrade", message), package);
        } else if step > allowed {
            let is_kept = after.iter().any(|now| is_same(now, was));
            let how = if is_kept { "beside" } else { "from" };
            let message = format!(
                "{name} {} {how} {} is a {} step, and {} is what is allowed",
                package.version,
                was.version,
                step.name(),
                allowed.name()
            );
            self.add(Finding::error("step-too-large", message), package);
        }
        if package.runs && !before.iter().any(|was| was.runs) {
            let message = format!(
                "{name} {} runs a script when it is installed, and {} did not",
                package.version, was.version
            );
            self.add(Finding::warning("install-script", message), package);
        }
    }
}

/// What two checksums say of two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum File {
    Same,
    /// The first is of a kind that nobody relies on any more, so that the second had to come.
    Unknown,
    Other,
}

/// Kinds of checksums, weakest first.
const KINDS: [&str; 5] = ["", "sha1", "sha256", "sha384", "sha512"];

/// Compares what Cargo writes (digits alone) or npm (`kind-digits`, several apart by spaces, any of the best kind fits).
fn compared(before: &str, after: &str) -> File {
    let of_kind = |text: &str, kind: &str| -> BTreeSet<String> {
        let words = text.split_whitespace();
        let parts = words.map(|word| word.split_once('-').unwrap_or(("", word)));
        let parts = parts.filter(|(found, _)| *found == kind);
        parts.map(|(_, digits)| digits.to_owned()).collect()
    };
    let best = |text: &str| {
        KINDS
            .iter()
            .rposition(|kind| !of_kind(text, kind).is_empty())
    };
    let Some(kind) = best(after).and_then(|best| KINDS.get(best)) else {
        return File::Other;
    };
    let (was, is) = (of_kind(before, kind), of_kind(after, kind));
    if was.is_empty() && best(before) < best(after) {
        return File::Unknown;
    }
    if is.is_subset(&was) {
        File::Same
    } else {
        File::Other
    }
}

/// A checksum, as it is shown.
fn sum(checksum: &str) -> String {
    match checksum {
        "" => "none".to_owned(),
        checksum => checksum.chars().take(SUM_CHARS_MAX).collect(),
    }
}

fn is_same(a: &Locked, b: &Locked) -> bool {
    a.version == b.version && a.source == b.source
}

/// What a package that is new in a lock is compared with.
struct Pair<'a> {
    was: &'a Locked,
    step: Step,
    is_older: bool,
}

/// Of what was there and is gone, the nearest that promises to be compatible; or else the nearest of all below, or above.
fn pair<'a>(before: &[&'a Locked], after: &[&Locked], package: &Locked) -> Option<Pair<'a>> {
    let version = |locked: &Locked| locked.version.parse::<Version>().ok();
    let known = before.iter().map(|was| Some((version(was)?, *was)));
    let known: Option<Vec<(Version, &Locked)>> = known.collect();
    let (Some(to), Some(mut known)) = (version(package), known) else {
        // What has no version that can be compared may be anything.
        return before.first().map(|was| Pair {
            was,
            step: Step::Major,
            is_older: false,
        });
    };
    known.sort_by(|a, b| a.0.cmp(&b.0));
    let is_gone = |was: &Locked| !after.iter().any(|now| is_same(now, was));
    let compatible: Vec<&(Version, &Locked)> = known
        .iter()
        .filter(|(from, was)| is_gone(was) && Step::between(from, &to) < Step::Major)
        .collect();
    let candidates = if compatible.is_empty() {
        known.iter().collect()
    } else {
        compatible
    };
    let below = candidates.iter().rev().find(|(from, _)| *from <= to);
    let (from, was) = below.or(candidates.first())?;
    let step = match (&was.source, *from == to) {
        // The same version of a repository at another commit may be anything.
        (Source::Git { .. } | Source::Other(_), true) => Step::Major,
        _ => Step::between(from, &to),
    };
    // An older version may come in beside one that stays, or goes on.
    let on = |now: &Version| now >= from && Step::between(from, now) < Step::Major;
    let goes_on = after
        .iter()
        .filter_map(|now| version(now))
        .any(|now| on(&now));
    Some(Pair {
        was,
        step,
        is_older: *from > to && !goes_on,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_say_whether_it_is_the_same_file() {
        for (before, after, expect) in [
            ("ab", "ab", File::Same),
            ("ab", "cd", File::Other),
            ("ab", "", File::Other),
            ("sha512-a", "sha512-a", File::Same),
            ("sha512-a", "sha512-b", File::Other),
            ("sha512-a", "sha512-a sha512-b", File::Other),
            ("sha512-a sha512-b", "sha512-b", File::Same),
            ("sha512-a", "sha1-x sha512-a", File::Same),
            ("sha1-x", "sha512-a", File::Unknown),
            ("sha512-a", "sha1-x", File::Other),
            ("sha1-x sha512-a", "sha1-x", File::Same),
            ("sha512-a", "md5-x", File::Other),
        ] {
            assert_eq!(compared(before, after), expect, "{before} {after}");
        }
    }
}
