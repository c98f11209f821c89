//! TOML read against a table of keys, so that one reading reports every problem.
//!
//! Owns the shape of such tables ([`Table`], [`Key`], [`Kind`]) and the walk; the tables themselves stand beside what
//! they describe: `spec/keys.rs`, `manifest/keys.rs`, `spec/lockfile.rs`. The JSON Schema that is published of a table
//! comes out of the same data ([`schema`]), so the two cannot differ in a key.
//!
//! **Invariant:** a key that no table lists is an error, never ignored; what is left out of a [`Section`] was reported.

mod json;
mod reader;
mod schema;
mod table;

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeTable;

pub(crate) use self::json::{Json, Place};
use self::reader::Reader;
pub(crate) use self::schema::json_schema;
pub(crate) use self::table::{Amount, Choice, Key, Kind, Table, Text, Whole};
use crate::diagnostic::{Diagnostic, Diagnostics};

// Limit: far above any list a person writes; it bounds what a policy has to be compiled from.
const LIST_ENTRIES_MAX: usize = 256;
// Limit: steps of one role, commands, plugins of all loops in a lock file.
const TABLES_MAX: usize = 256;

/// A table that was read: only keys of its [`Table`], only values that fit.
#[derive(Debug, Default)]
pub(crate) struct Section {
    /// Where its header or its braces stand.
    pub(crate) span: Range<usize>,
    entries: BTreeMap<&'static str, Entry>,
}

#[derive(Debug)]
struct Entry {
    span: Range<usize>,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Text(String),
    List(Vec<String>),
    Amount(u64),
    Json(Json),
    One(Section),
    Many(Vec<Section>),
    Named(Vec<(String, Section)>),
    Texts(BTreeMap<String, String>),
    Flag(bool),
    // Present but unusable, which was reported.
    Bad,
}

impl Section {
    /// True when the key stands in the file, whether or not its value fits.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Where the value of `key` stands, or the table without it.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.entries
            .get(key)
            .map_or(&self.span, |entry| &entry.span)
            .clone()
    }

    /// A string or a chosen word.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A list of strings.
    pub(crate) fn list(&self, key: &str) -> Option<&[String]> {
        match self.value(key)? {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// An amount in its smallest unit.
    pub(crate) fn amount(&self, key: &str) -> Option<u64> {
        match self.value(key)? {
            Value::Amount(amount) => Some(*amount),
            _ => None,
        }
    }

    /// A table of any shape.
    pub(crate) fn json(&self, key: &str) -> Option<&Json> {
        match self.value(key)? {
            Value::Json(json) => Some(json),
            _ => None,
        }
    }

    /// A table.
    pub(crate) fn one(&self, key: &str) -> Option<&Self> {
        match self.value(key)? {
            Value::One(section) => Some(section),
            _ => None,
        }
    }

    /// Tables; none when the key is missing.
    pub(crate) fn many(&self, key: &str) -> &[Self] {
        match self.value(key) {
            Some(Value::Many(sections)) => sections,
            _ => &[],
        }
    }

    /// Tables with names of their own, by name; none when the key is missing.
    pub(crate) fn named(&self, key: &str) -> &[(String, Self)] {
        match self.value(key) {
            Some(Value::Named(sections)) => sections,
            _ => &[],
        }
    }

    /// A table of strings.
    pub(crate) fn texts(&self, key: &str) -> Option<&BTreeMap<String, String>> {
        match self.value(key)? {
            Value::Texts(texts) => Some(texts),
            _ => None,
        }
    }

    /// True or false.
    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key)? {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.entries.get(key).map(|entry| &entry.value)
    }
}

/// Reads `source` as `root`; none when it is no TOML at all, which is then the only problem reported.
///
/// `header` is what a missing key of the root points at.
pub(crate) fn read(
    source: &str,
    root: &'static Table,
    header: Range<usize>,
    out: &mut Diagnostics,
) -> Option<Section> {
    match DeTable::parse(source) {
        Ok(document) => Some(Reader { root, out }.section(document.get_ref(), header, root)),
        Err(error) => {
            let span = error.span().unwrap_or(header);
            out.push(Diagnostic::error(
                "toml",
                span,
                format!("invalid TOML: {}", one_line(error.message())),
                "here",
            ));
            None
        }
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
