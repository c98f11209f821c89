//! Files as JSON values, with the place of each.
//!
//! Owns which formats there are, the value with its places, and how a place becomes a line and a column.
//!
//! **Invariant:** a value of at most [`NODES_MAX`] parts and [`DEPTH_MAX`] levels, in which no key stood twice; or an
//! error with its place.

mod json;
mod toml;
mod yaml;

use std::borrow::Cow;
use std::collections::BTreeSet;

use ringfence_sdk::Finding;
use serde::Deserialize;
use serde_json::Value;

/// Limit: parts of a file, aliases written out; as many as a file of the largest size may reasonably hold.
const NODES_MAX: usize = 200_000;
/// Limit: a validator goes as deep as the value, on a stack of a megabyte.
const DEPTH_MAX: usize = 100;

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Json,
    Yaml,
    Toml,
}

impl Format {
    /// By the end of the name.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }
}

/// Why a text is no document, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    line: u32,
    column: u32,
    what: String,
}

impl Refused {
    /// What `text` says at `at` in the unit of `format`.
    fn new(text: &str, format: Format, at: usize, what: impl Into<String>) -> Self {
        let (line, column) = Positions::new(text, format).of(at);
        Self {
            line,
            column,
            what: what.into(),
        }
    }

    pub(crate) fn finding(&self, rule: &str, path: &str) -> Finding {
        Finding::error(rule, shortened(&self.what, crate::MESSAGE_CHARS_MAX)).at_position(
            path,
            self.line,
            self.column,
        )
    }
}

/// A value and where its parts stand.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) value: Value,
    place: Place,
}

/// Where a value begins, and its parts: in characters for YAML, in bytes otherwise.
#[derive(Debug, Clone, Default)]
struct Place {
    at: usize,
    parts: Parts,
}

#[derive(Debug, Clone, Default)]
enum Parts {
    #[default]
    None,
    List(Vec<Place>),
    /// Key, where it stands, and the value's.
    Map(Vec<(String, usize, Place)>),
}

impl Place {
    /// Itself and all that is in it.
    fn count(&self) -> usize {
        match &self.parts {
            Parts::None => 1,
            Parts::List(parts) => 1 + parts.iter().map(Self::count).sum::<usize>(),
            Parts::Map(parts) => 1 + parts.iter().map(|(_, _, part)| part.count()).sum::<usize>(),
        }
    }

    fn part(&self, name: &str) -> Option<&Self> {
        match &self.parts {
            Parts::None => None,
            Parts::List(parts) => parts.get(name.parse::<usize>().ok()?),
            Parts::Map(parts) => {
                let found = parts.iter().find(|(key, _, _)| key == name);
                found.map(|(_, _, place)| place)
            }
        }
    }
}

impl Document {
    /// Where the value at this JSON pointer begins, or the nearest around it that is known.
    pub(crate) fn at(&self, pointer: &str) -> usize {
        self.find(pointer).at
    }

    /// Where a key of the object at this JSON pointer stands.
    pub(crate) fn key(&self, pointer: &str, key: &str) -> Option<usize> {
        let Parts::Map(parts) = &self.find(pointer).parts else {
            return None;
        };
        let found = parts.iter().find(|(known, _, _)| known == key);
        found.map(|(_, at, _)| *at)
    }

    fn find(&self, pointer: &str) -> &Place {
        let mut place = &self.place;
        for name in pointer.split('/').skip(1) {
            match place.part(&unescaped(name)) {
                Some(part) => place = part,
                None => break,
            }
        }
        place
    }
}

fn unescaped(name: &str) -> Cow<'_, str> {
    if name.contains('~') {
        Cow::Owned(name.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(name)
    }
}

/// The documents of a text: one, but for YAML any number.
///
/// `tags` are those of YAML that count for nothing.
pub(crate) fn read(
    text: &str,
    format: Format,
    tags: &BTreeSet<String>,
) -> Result<Vec<Document>, Refused> {
    match format {
        Format::Json => Ok(vec![json::read(text)?]),
        Format::Toml => Ok(vec![toml::read(text)?]),
        Format::Yaml => yaml::read(text, tags),
    }
}

/// Lines and columns of a text.
pub(crate) struct Positions<'a> {
    text: &'a str,
    format: Format,
}

impl<'a> Positions<'a> {
    pub(crate) fn new(text: &'a str, format: Format) -> Self {
        Self { text, format }
    }

    /// Line and column, both from 1, the column in characters.
    pub(crate) fn of(&self, at: usize) -> (u32, u32) {
        let end = match self.format {
            Format::Yaml => {
                let byte = self.text.char_indices().nth(at);
                byte.map_or(self.text.len(), |(byte, _)| byte)
            }
            Format::Json | Format::Toml => self.text.floor_char_boundary(at),
        };
        let before = self.text.get(..end).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let line_before = before.get(line_start..).unwrap_or_default();
        let column = line_before.chars().filter(|c| *c != '\u{feff}').count() + 1;
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        (number(line), number(column))
    }
}

/// At most so many characters, with a mark where some were left out.
pub(crate) fn shortened(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}
