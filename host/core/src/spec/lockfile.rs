//! `ringfence.lock`: which components the loops of a repository run, by digest.
//!
//! Owns its format and the comparison with what is at hand. Reading and writing the file is `ringfence-runner`'s.
//!
//! **Invariant:** a plugin whose digest differs from its pin never runs; rendering is deterministic, so that the file only
//! changes when a plugin does.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{PluginFacts, PluginRef};
use crate::diagnostic::{Diagnostics, line_column, quote};
use crate::digest::Digest;
use crate::manifest::{NAME, VERSION};
use crate::toml_doc::{self, Amount, Key, Kind, Section, Table, Text};

/// Longest lock file in bytes.
// Limit: the entries that fit the reader's own limit, several times over.
pub const LOCK_FILE_BYTES_MAX: usize = 1 << 20;

const FORMAT: u64 = 1;

const HEADER: &str = "\
# Written by ringfence: the exact components that loops and gates here run. Commit it.
# A component that differs from its entry does not run. To accept a new one, run
# `ringfence check --write-lock --accept PLUGIN`, or for a file of gates
# `ringfence gate check --write-lock --accept PLUGIN`.
";

/// One entry: what was known of a plugin when it was pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PinnedPlugin {
    /// The plugin's own name.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// The contract it was built against.
    pub contract: String,
    /// Of the component's bytes.
    pub digest: Digest,
    /// The component's size in bytes.
    pub size: u64,
}

/// A whole lock file: entries by the spelling of [`PluginRef`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct LockFile {
    /// All entries; loops that are not at hand have theirs here too.
    pub plugins: BTreeMap<String, PinnedPlugin>,
}

/// Why a lock file cannot be used, or a plugin does not match it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockFileError {
    /// Longer than [`LOCK_FILE_BYTES_MAX`].
    #[error("ringfence.lock has {0} bytes, at most {LOCK_FILE_BYTES_MAX} are read")]
    TooLong(usize),
    /// Another format.
    #[error("ringfence.lock has format {0}, and this version reads format {FORMAT}")]
    Format(u64),
    /// Something in it is wrong.
    #[error("ringfence.lock line {line}, {entry}: {message}")]
    Entry {
        /// From 1.
        line: usize,
        /// `entry 2 ("std:md-links")`, or `the file`.
        entry: String,
        /// What is wrong.
        message: String,
    },
    /// A plugin was to be taken as it is now, and is not pinned.
    #[error("plugin {} is not pinned in ringfence.lock", quote(.0))]
    NotPinned(String),
    /// A plugin is not the one that was pinned.
    #[error("plugin {} has the digest {found}, and ringfence.lock pins {pinned}", quote(.reference))]
    Changed {
        /// As the loop file spells it.
        reference: String,
        /// The digest in the lock file.
        pinned: Digest,
        /// The digest of the component at hand.
        found: Digest,
    },
}

impl LockFileError {
    /// What the operator can do about it, who called the program as `check` to look at plugins: `ringfence check`, say.
    #[must_use]
    pub fn help(&self, check: &str) -> String {
        match self {
            Self::Changed { reference, .. } => {
                format!(
                    "if you changed or updated it yourself: `{check} --write-lock --accept {}`",
                    quote(reference)
                )
            }
            Self::Format(_) => {
                format!("update ringfence, or delete ringfence.lock and run `{check} --write-lock`")
            }
            Self::NotPinned(_) => {
                format!(
                    "write it as the file does; one that is new is pinned by `{check} --write-lock` alone"
                )
            }
            Self::TooLong(_) | Self::Entry { .. } => {
                format!(
                    "restore ringfence.lock from version control, or delete it and run `{check} --write-lock`"
                )
            }
        }
    }
}

/// How the plugins at hand compare with the lock file; references, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockCheck {
    /// Pinned nowhere yet.
    pub new: Vec<String>,
    /// As pinned.
    pub same: Vec<String>,
    /// Not as pinned: each a [`LockFileError::Changed`].
    pub changed: Vec<LockFileError>,
    /// Pinned, and not among the plugins at hand: another loop's, or nobody's any more.
    pub vanished: Vec<String>,
}

impl LockFile {
    /// Reads a lock file.
    ///
    /// # Errors
    /// The first problem, naming its line and entry.
    pub fn parse(text: &str) -> Result<Self, LockFileError> {
        if text.len() > LOCK_FILE_BYTES_MAX {
            return Err(LockFileError::TooLong(text.len()));
        }
        let mut found = Diagnostics::default();
        let root = toml_doc::read(text, &LOCK, 0..0, &mut found);
        // Before the keys: another format may have others.
        if let Some(format) = root
            .as_ref()
            .and_then(|root| root.amount("version"))
            .filter(|format| *format != FORMAT)
        {
            return Err(LockFileError::Format(format));
        }
        let entries = root
            .as_ref()
            .map(|root| root.many("plugin"))
            .unwrap_or_default();
        if let Some(first) = found.into_sorted().into_iter().next() {
            return Err(at_entry(text, entries, first.span.start, first.message));
        }
        let mut plugins = BTreeMap::new();
        for entry in entries {
            let Some((reference, pinned)) = read_entry(entry) else {
                continue;
            };
            if plugins.insert(reference.clone(), pinned).is_some() {
                let message = format!("{} stands here twice", quote(&reference));
                return Err(at_entry(text, entries, entry.span.start, message));
            }
        }
        Ok(Self { plugins })
    }

    /// The text of the file: entries sorted by reference, the same for the same entries.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!("{HEADER}version = {FORMAT}\n");
        for (reference, plugin) in &self.plugins {
            let string = |value: &str| toml::Value::String(value.to_owned()).to_string();
            text += &format!(
                "\n[[plugin]]\nreference = {}\nname = {}\nversion = {}\ncontract = {}\ndigest = {}\nsize = {}\n",
                string(reference),
                string(&plugin.name),
                string(&plugin.version),
                string(&plugin.contract),
                string(&plugin.digest.to_string()),
                plugin.size,
            );
        }
        text
    }

    /// Compares the entries with the plugins at hand.
    #[must_use]
    pub fn compare(&self, plugins: &BTreeMap<String, PluginFacts>) -> LockCheck {
        let mut check = LockCheck::default();
        for (reference, facts) in plugins {
            match self.plugins.get(reference) {
                None => check.new.push(reference.clone()),
                Some(pinned) if pinned.digest == facts.digest => check.same.push(reference.clone()),
                Some(pinned) => check.changed.push(LockFileError::Changed {
                    reference: reference.clone(),
                    pinned: pinned.digest,
                    found: facts.digest,
                }),
            }
        }
        check.vanished = self
            .plugins
            .keys()
            .filter(|reference| !plugins.contains_key(*reference))
            .cloned()
            .collect();
        check
    }

    /// The file without the entries of `references`.
    ///
    /// # Errors
    /// [`LockFileError::NotPinned`] for the first that has none.
    pub fn without(mut self, references: &[String]) -> Result<Self, LockFileError> {
        for reference in references {
            if self.plugins.remove(reference).is_none() {
                return Err(LockFileError::NotPinned(reference.clone()));
            }
        }
        Ok(self)
    }

    /// The file with entries for plugins that have none yet; entries that stand are never changed.
    #[must_use]
    pub fn with_new(mut self, plugins: &BTreeMap<String, PluginFacts>) -> Self {
        for (reference, facts) in plugins {
            self.plugins
                .entry(reference.clone())
                .or_insert_with(|| PinnedPlugin {
                    name: facts.manifest.name.clone(),
                    version: facts.manifest.version.clone(),
                    contract: facts.manifest.contract.clone(),
                    digest: facts.digest,
                    size: facts.size,
                });
        }
        self
    }
}

fn read_entry(entry: &Section) -> Option<(String, PinnedPlugin)> {
    let text = |key: &str| entry.text(key).map(str::to_owned);
    let pinned = PinnedPlugin {
        name: text("name")?,
        version: text("version")?,
        contract: text("contract")?,
        digest: entry.text("digest")?.parse().ok()?,
        size: entry.amount("size")?,
    };
    Some((text("reference")?, pinned))
}

fn at_entry(text: &str, entries: &[Section], offset: usize, message: String) -> LockFileError {
    let entry = entries.iter().rposition(|entry| entry.span.start <= offset);
    let name = entry
        .and_then(|index| entries.get(index))
        .and_then(|entry| entry.text("reference"));
    LockFileError::Entry {
        line: line_column(text, offset).0,
        entry: match (entry, name) {
            (Some(index), Some(name)) => format!("entry {} ({})", index + 1, quote(name)),
            (Some(index), None) => format!("entry {}", index + 1),
            (None, _) => "the file".to_owned(),
        },
        message,
    }
}

static LOCK: Table = Table {
    title: "the lock file",
    later: &[],
    keys: &[
        Key::required("version", Kind::Amount(&NUMBER), "the format of this file"),
        Key::optional("plugin", Kind::Many(&ENTRY), "one plugin"),
    ],
};

static ENTRY: Table = Table {
    title: "[[plugin]]",
    later: &[],
    keys: &[
        Key::required(
            "reference",
            Kind::Text(&REFERENCE),
            "as loop files spell it",
        ),
        Key::required("name", Kind::Text(&NAME), "the plugin's own name"),
        Key::required("version", Kind::Text(&VERSION), "its version"),
        Key::required(
            "contract",
            Kind::Text(&VERSION),
            "the contract it was built against",
        ),
        Key::required("digest", Kind::Text(&DIGEST), "of the component"),
        Key::required("size", Kind::Amount(&NUMBER), "of the component in bytes"),
    ],
};

static REFERENCE: Text = Text {
    code: "bad-plugin",
    what: "a plugin",
    check: |text| match text.parse::<PluginRef>() {
        Ok(plugin) if plugin.to_string() == text => Ok(()),
        Ok(plugin) => Err(format!("{} is spelled \"{plugin}\"", quote(text))),
        Err(error) => Err(error.to_string()),
    },
    pattern: None,
    example: "std:md-links",
};

static DIGEST: Text = Text {
    code: "bad-digest",
    what: "a digest",
    check: |text| {
        text.parse::<Digest>()
            .map(drop)
            .map_err(|error| error.to_string())
    },
    pattern: None,
    example: "blake3:…",
};

static NUMBER: Amount = Amount {
    what: "a number above zero",
    read: None,
    integers: true,
    max: i64::MAX as u64,
    show: |amount| amount.to_string(),
    pattern: None,
    example: "1",
};

#[cfg(test)]
mod tests;
