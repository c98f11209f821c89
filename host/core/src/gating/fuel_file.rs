//! What gates cost on known changes: `ringfence.fuel`.
//!
//! One record for each change, by its two trees, and each gate. It is TOML with one fact on a line, in a fixed order, so that
//! a difference can be read.
//!
//! **Invariant:** a file that is not wholly understood compares with nothing and is an error. What is written reads back as
//! the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::profile::{FUNCTION_CHARS_MAX, FUNCTIONS_MAX, IN_HOST, POINTS_MAX, Profile, Share};
use crate::digest::Digest;
use crate::ids::StepId;
use crate::quantity::Fuel;
use crate::text;

/// The usual name of the file, at the top of the project.
pub const FUEL_FILE: &str = "ringfence.fuel";
/// Longest file in bytes.
// Limit: a thousand records with their profiles; more changes than that nobody compares.
pub const FUEL_FILE_BYTES_MAX: usize = 8 << 20;
const VERSION: u32 = 1;
// Limit: a plugin reference is a path or a short name.
const WORD_CHARS_MAX: usize = 4_096;

/// Which change, and which gate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FuelKey {
    /// Git id of the base's tree.
    pub base: String,
    /// Git id of the head's tree.
    pub head: String,
    /// The gate.
    pub gate: StepId,
}

/// What a gate cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FuelRecord {
    /// Its plugin as the gates file spells it.
    pub plugin: String,
    /// The digest of its plugin.
    pub component: Digest,
    /// The digest of its configuration.
    pub config: Digest,
    /// The digest of what it may do.
    pub grant: Digest,
    /// What fuel means: `FUEL_RULES` of the host that counted.
    pub rules: String,
    /// What the call used.
    pub fuel: Fuel,
    /// Where it went.
    pub profile: Profile,
}

/// All records of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FuelFile {
    records: BTreeMap<FuelKey, FuelRecord>,
}

/// Why a fuel file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FuelFileError(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    record: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    base: String,
    head: String,
    gate: StepId,
    plugin: String,
    component: Digest,
    config: Digest,
    grant: Digest,
    rules: String,
    fuel: u64,
    points: u32,
    functions: Vec<String>,
}

impl FuelFile {
    /// Reads a file of at most [`FUEL_FILE_BYTES_MAX`].
    ///
    /// # Errors
    /// [`FuelFileError`] for anything but a whole file of this version.
    pub fn parse(text: &str) -> Result<Self, FuelFileError> {
        if text.len() > FUEL_FILE_BYTES_MAX {
            return Err(FuelFileError(format!(
                "it has {} bytes, at most {FUEL_FILE_BYTES_MAX} are read",
                text.len()
            )));
        }
        let file: File = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.unwrap_or_default().matches('\n').count() + 1;
            let what = text::one_line(error.message(), 200);
            FuelFileError(format!("line {line}: {what}"))
        })?;
        if file.version != VERSION {
            return Err(FuelFileError(format!(
                "it is of version {}, this host reads {VERSION}",
                file.version
            )));
        }
        let mut records = BTreeMap::new();
        for (at, record) in file.record.into_iter().enumerate() {
            let (key, record) = record
                .check()
                .map_err(|why| FuelFileError(format!("record {}: {why}", at + 1)))?;
            let gate = key.gate.clone();
            if records.insert(key, record).is_some() {
                let why = format!("record {}: gate {gate} is there twice", at + 1);
                return Err(FuelFileError(why));
            }
        }
        Ok(Self { records })
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!(
            "# What gates cost on known changes. Written by `ringfence gate fuel --record`.\nversion = {VERSION}\n"
        );
        for (key, record) in &self.records {
            // Writing to a string cannot fail.
            write_record(&mut out, key, record).unwrap_or_default();
        }
        out
    }

    /// What is known of a gate on a change.
    #[must_use]
    pub fn get(&self, key: &FuelKey) -> Option<&FuelRecord> {
        self.records.get(key)
    }

    /// Keeps a record instead of the one with the same key.
    pub fn put(&mut self, key: FuelKey, record: FuelRecord) {
        self.records.insert(key, record);
    }

    /// Forgets what is known of the change between two trees.
    pub fn forget(&mut self, base: &str, head: &str) {
        self.records
            .retain(|key, _| key.base != base || key.head != head);
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// True when there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

impl Record {
    fn check(self) -> Result<(FuelKey, FuelRecord), String> {
        for id in [&self.base, &self.head] {
            if !super::is_object_id(id) {
                return Err(format!("{:?} is no git id of a tree", text::cut(id, 80)));
            }
        }
        for word in [&self.plugin, &self.rules] {
            if word.chars().nth(WORD_CHARS_MAX).is_some() || word.chars().any(char::is_control) {
                return Err("a word is too long or no plain text".to_owned());
            }
        }
        if self.points > POINTS_MAX || self.functions.len() > FUNCTIONS_MAX {
            return Err("its profile has too many points or functions".to_owned());
        }
        let functions: Result<Vec<Share>, String> = self
            .functions
            .iter()
            .map(|line| {
                let bad = || format!("{:?} is no line of a profile", text::cut(line, 80));
                share(line)
                    .filter(|share| share.own <= share.all && share.all <= self.points)
                    .ok_or_else(bad)
            })
            .collect();
        let key = FuelKey {
            base: self.base,
            head: self.head,
            gate: self.gate,
        };
        let record = FuelRecord {
            plugin: self.plugin,
            component: self.component,
            config: self.config,
            grant: self.grant,
            rules: self.rules,
            fuel: Fuel(self.fuel),
            profile: Profile {
                points: self.points,
                functions: functions?,
            },
        };
        Ok((key, record))
    }
}

/// `OWN ALL NAME`.
fn share(line: &str) -> Option<Share> {
    let mut words = line.splitn(3, ' ');
    let (own, all) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let name = words.next()?.to_owned();
    let chars_max = FUNCTION_CHARS_MAX + IN_HOST.len();
    let fits = name.chars().nth(chars_max).is_none() && !name.chars().any(char::is_control);
    fits.then_some(Share { name, own, all })
}

fn write_record(out: &mut String, key: &FuelKey, record: &FuelRecord) -> std::fmt::Result {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    writeln!(out, "\n[[record]]")?;
    for (name, value) in [
        ("base", key.base.as_str()),
        ("head", &key.head),
        ("gate", key.gate.as_str()),
        ("plugin", &record.plugin),
        ("component", &record.component.to_string()),
        ("config", &record.config.to_string()),
        ("grant", &record.grant.to_string()),
        ("rules", &record.rules),
    ] {
        writeln!(out, "{name} = {}", quoted(value))?;
    }
    writeln!(out, "fuel = {}", record.fuel.0)?;
    writeln!(out, "points = {}", record.profile.points)?;
    writeln!(out, "functions = [")?;
    for Share { name, own, all } in &record.profile.functions {
        writeln!(out, "  {},", quoted(&format!("{own} {all} {name}")))?;
    }
    writeln!(out, "]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> FuelFile {
        let mut file = FuelFile::default();
        for (gate, fuel) in [("b", 5), ("a", i64::MAX as u64)] {
            let key = FuelKey {
                base: "1".repeat(40),
                head: "2".repeat(64),
                gate: StepId::new(gate).unwrap(),
            };
            let stacks = [vec!["it's \"f\" \\ é".to_owned(), "(host) g".to_owned()]];
            let record = FuelRecord {
                plugin: "std:paths".to_owned(),
                component: Digest::of(b"component"),
                config: Digest::of(b"config"),
                grant: Digest::of(b"grant"),
                rules: "wasmtime 48, prices 2".to_owned(),
                fuel: Fuel(fuel),
                profile: Profile::of(&stacks),
            };
            file.put(key, record);
        }
        file
    }

    #[test]
    fn what_is_written_reads_back() {
        let file = file();
        assert_eq!(FuelFile::parse(&file.text()).unwrap(), file);
        assert_eq!(FuelFile::parse(&file.text()).unwrap().text(), file.text());
        assert_eq!(FuelFile::parse("version = 1").unwrap(), FuelFile::default());
        let mut less = file.clone();
        less.forget(&"1".repeat(40), &"9".repeat(40));
        assert_eq!(less.len(), 2);
        less.forget(&"1".repeat(40), &"2".repeat(64));
        assert!(less.is_empty());
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let text = file().text();
        let deep = format!(
            "version = 1\nrecord = {}{}",
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        let (_, one) = text.split_once("[[record]]").unwrap();
        let twice = format!("{text}\n[[record]]{one}");
        for (bad, expect) in [
            (text.replace("version = 1", "version = 2"), "version 2"),
            (text.replace("version = 1", ""), "version"),
            (text.replace("gate =", "gates ="), "gates"),
            (text.replace("fuel = 5", "fuel = -5"), "-5"),
            (text.replace("fuel = 5", "fuel = \"5\""), "string"),
            (text.replace("11111", "../.."), "no git id"),
            (text.replace("blake3:", "sha256:"), "digest"),
            (text.replace("points = 1", "points = 5000"), "points"),
            (
                text.replace("points = 1", "points = 0"),
                "line of a profile",
            ),
            (text.replace("\"0 1", "\"2 1"), "line of a profile"),
            (
                text.replace("\"0 1 (host)", "\"0 1\\u001b"),
                "line of a profile",
            ),
            (text.replace("std:paths", "std\\n:paths"), "plain text"),
            (twice, "twice"),
            (deep, ""),
            ("version = 1\n".repeat(FUEL_FILE_BYTES_MAX / 10), "bytes"),
            ("\0".to_owned(), ""),
        ] {
            let error = FuelFile::parse(&bad).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}: {expect}");
            assert!(error.chars().count() < 300, "{error}");
        }
    }
}
