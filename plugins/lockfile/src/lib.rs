//! `lockfile`: the gate that holds lock files to their manifests, and updates to the steps that are allowed.
//!
//! Knows Cargo (`Cargo.toml`, `Cargo.lock`, workspaces) and npm (`package.json`, `package-lock.json` or
//! `npm-shrinkwrap.json` of lock versions 2 and 3, workspaces). Wherever a manifest or a lock differs, the lock is held to
//! all manifests of its workspace, and to the lock before.
//!
//! | rule | means |
//! | --- | --- |
//! | `stale-lock` | the lock does not have what a manifest asks for, or has what none asks for |
//! | `out-of-range` | the lock has another version than a manifest asks for |
//! | `lock-removed` | the lock is gone and its manifest is not |
//! | `unreadable` | a manifest or lock cannot be read as one, is a link, or is spelled otherwise |
//! | `step-too-large` | an update goes further than `allow` |
//! | `downgrade` | an older version than before |
//! | `new-source` | a registry, host or repository that nothing came from before |
//! | `source-changed` | a package comes from elsewhere than before, be it another folder of the repository |
//! | `source-settings` | settings that say where packages come from differ |
//! | `checksum-missing`, `checksum-changed` | what was locked is not what will be fetched |
//! | `wrong-package` | npm: what is fetched is another package than the one named |
//! | `install-script` | npm: an update that runs a script when it is installed, and did not before (a warning) |
//! | `new-dependency` | a package that was not locked before (a note, or an error) |
//! | `other-change` | `lock_only`, and something else differs |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:lockfile"
//! config = { allow = "minor", overrides = { tokio = "patch" }, allow_new = false }
//! ```
//!
//! What a registry package itself asks for stands in no Cargo lock, so that only npm's locks are held to it.
//!
//! **Invariant:** nothing of a lock is taken on trust that the lock before, a manifest or the configuration does not bear
//! out.

mod cargo;
mod compare;
mod npm;
mod percent;
mod step;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use ringfence_sdk::prelude::*;
use serde::Deserialize;

use crate::step::Step;
use crate::tree::Tree;

ringfence_sdk::plugin!("../plugin.toml");

/// The `config` table; every key has the default that `plugin.toml` names.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    allow: Step,
    overrides: BTreeMap<String, Step>,
    allow_downgrade: bool,
    allow_new: bool,
    sources: BTreeSet<String>,
    lock_only: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow: Step::Major,
            overrides: BTreeMap::new(),
            allow_downgrade: false,
            allow_new: true,
            sources: BTreeSet::new(),
            lock_only: false,
        }
    }
}

/// Judges the locks that a change touches, itself or by their manifests.
///
/// # Errors
/// [`Error::Config`] when the configuration is not one; [`Error::Unavailable`] for a file that may not be read.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    judge_in(&Tree::new("."), &cx.config()?, change)
}

fn judge_in(tree: &Tree, config: &Config, change: &Change) -> Result<Verdict> {
    let mut report = Report::default();
    refuse_links(tree, change, &mut report)?;
    refuse_other_spellings(change, &mut report);
    cargo::judge(tree, config, change, &mut report)?;
    npm::judge(tree, config, change, &mut report)?;
    if config.lock_only {
        for file in change.files() {
            let is_known = cargo::is_ours(&file.path) || npm::is_ours(&file.path);
            if !is_known || file.renamed_from.is_some() {
                let message = "differs, and is no manifest and no lock";
                report.add(Finding::error("other-change", message).at(&file.path));
            }
        }
    }
    Ok(report.verdict())
}

/// Finds manifests and locks that are links, beside what differs and above it. What one leads to may differ under a name that
/// is none of a lock.
fn refuse_links(tree: &Tree, change: &Change, report: &mut Report) -> Result<()> {
    let mut seen = BTreeSet::new();
    for file in change.files() {
        let mut folder = tree::folder_of(&file.path);
        while seen.insert(folder) {
            for name in cargo::NAMES.iter().chain(&npm::NAMES) {
                let path = tree::below(folder, name);
                if tree.is_link(&path)? {
                    let message = "is a link, and what it leads to may differ unseen";
                    let finding = Finding::error("unreadable", message).at(path);
                    report.add(finding.help("put the file itself here"));
                }
            }
            folder = tree::folder_of(folder);
        }
    }
    Ok(())
}

/// Finds what is a manifest or a lock where upper and lower case are the same, and nowhere else.
fn refuse_other_spellings(change: &Change, report: &mut Report) {
    for file in change.files().iter().filter(|file| file.new_mode != 0) {
        let name = tree::name_of(&file.path);
        let mut names = cargo::NAMES.iter().chain(&npm::NAMES);
        let meant = names.find(|meant| meant.eq_ignore_ascii_case(name) && **meant != name);
        if let Some(meant) = meant {
            let message = format!("is taken for `{meant}` where upper and lower case are the same");
            report.add(Finding::error("unreadable", message).at(&file.path));
        }
    }
}

/// What was found, and how much was looked at.
#[derive(Debug, Default)]
struct Report {
    locks: usize,
    packages: usize,
    findings: Vec<Finding>,
}

impl Report {
    fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Errors come first, since there may be many notes.
    fn verdict(mut self) -> Verdict {
        if self.locks == 0 && self.findings.is_empty() {
            return Verdict::abstain("no lock, and no manifest that has one, differs");
        }
        self.findings.sort_by_key(|finding| finding.severity);
        let mut verdict = Verdict::from(self.findings);
        let locks = count(self.locks, "lock", "locks");
        let packages = count(self.packages, "package", "packages");
        verdict.summary = format!("{locks} of {packages}; {}", verdict.summary);
        verdict
    }
}

#[cfg(test)]
mod tests;
