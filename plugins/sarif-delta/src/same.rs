//! Which results are the same one before and after: by fingerprints, or by path and message.
//!
//! **Invariant:** two that are alike are counted, so that a second one beside an old one is new. Where the counts leave open which
//! one is new, it is one in a file that had none.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_sdk::Change;

use crate::sarif::Found;

/// Limit: names of a path that are tried as its beginning.
const NAMES_MAX: usize = 64;
/// More than the longest word that leads to a line, and what separates it.
const TAIL_CHARS: usize = 16;

/// The files of the workspace, to tell which of them a report means.
pub(crate) struct Places<'a> {
    changed: BTreeSet<&'a str>,
}

impl<'a> Places<'a> {
    pub(crate) fn of(change: &'a Change) -> Self {
        let files = change.files().iter();
        let changed =
            files.flat_map(|file| [Some(file.path.as_str()), file.renamed_from.as_deref()]);
        Self {
            changed: changed.flatten().collect(),
        }
    }

    /// The path in the workspace that `uri` means. Tools that write whole paths saw the workspace somewhere else: the longest
    /// end of it that is a file here counts.
    pub(crate) fn path(&self, uri: &str) -> String {
        let path = decoded(uri.strip_prefix("file://").unwrap_or(uri)).replace('\\', "/");
        let names: Vec<&str> = path
            .split('/')
            .filter(|name| !matches!(*name, "" | "."))
            .collect();
        let is_whole = path.starts_with('/') || uri.contains(':');
        if is_whole && !names.contains(&"..") {
            for from in 0..names.len().min(NAMES_MAX) {
                let end = names.get(from..).unwrap_or_default().join("/");
                if self.changed.contains(end.as_str())
                    || std::fs::metadata(&end).is_ok_and(|meta| meta.is_file())
                {
                    return end;
                }
            }
        }
        names.join("/")
    }
}

/// `%20` as the byte it stands for. What is no such escape stays.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, after @ ..] = rest {
        let digit = |at: usize| {
            after
                .get(at)
                .and_then(|byte| char::from(*byte).to_digit(16))
        };
        let byte = match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        bytes.push(byte.unwrap_or(*first));
        rest = after
            .get(if byte.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a result is told by.
type Key = (String, String, Vec<String>);

fn key(found: &Found, path: &str) -> Key {
    let marks = if found.fingerprints.is_empty() {
        vec![path.to_owned(), without_lines(found)]
    } else {
        let marks = found.fingerprints.iter();
        marks
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    };
    (found.tool.clone(), found.rule.clone(), marks)
}

/// Those of `after` that were not there before, in their order.
pub(crate) fn new<'a>(before: &[Found], after: &'a [Found], places: &Places<'_>) -> Vec<&'a Found> {
    let path = |found: &Found| {
        found
            .uri
            .as_deref()
            .map(|uri| places.path(uri))
            .unwrap_or_default()
    };
    // How many there were of each kind, and in which files.
    let mut old: BTreeMap<Key, BTreeMap<String, usize>> = BTreeMap::new();
    for found in before {
        let path = path(found);
        let of_kind = old.entry(key(found, &path)).or_default();
        *of_kind.entry(path).or_default() += 1;
    }
    let mut strays = Vec::new();
    for (place, found) in after.iter().enumerate() {
        let path = path(found);
        let key = key(found, &path);
        let left = old.get_mut(&key).and_then(|of_kind| of_kind.get_mut(&path));
        match left {
            Some(left) if *left > 0 => *left -= 1,
            _ => strays.push((place, found, key)),
        }
    }
    // The same fingerprint in another file: it moved, if one is missing elsewhere.
    strays.retain(|(_, _, key)| {
        let missing = old
            .get_mut(key)
            .and_then(|of_kind| of_kind.values_mut().find(|left| **left > 0));
        match missing {
            Some(left) => {
                *left -= 1;
                false
            }
            None => true,
        }
    });
    strays.into_iter().map(|(_, found, _)| found).collect()
}

/// The message, where numbers that say a line are none: those of the result's own place, and those that a word or a path
/// leads to.
fn without_lines(found: &Found) -> String {
    let own = [found.line, found.end_line, found.column].map(|number| number.to_string());
    let mut text = String::with_capacity(found.message.len());
    let mut rest = found.message.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let end = from
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(from.len());
        let (number, after) = from.split_at(end);
        text.push_str(before);
        let joined = text.ends_with(|c: char| c.is_alphanumeric() || c == '.')
            || after.starts_with(|c: char| c.is_alphanumeric());
        let said = own.iter().any(|figure| figure == number && figure != "0");
        if leads_to_line(&text) || said && !joined {
            text.push('#');
        } else {
            text.push_str(number);
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

fn leads_to_line(before: &str) -> bool {
    // Only the end of it matters; a long message has many numbers.
    let tail = before
        .char_indices()
        .rev()
        .nth(TAIL_CHARS)
        .map_or(0, |(at, _)| at);
    let before = before.get(tail..).unwrap_or_default();
    let word = before.trim_end().to_ascii_lowercase();
    let named = ["line", "lines", "column", "col", "ln"].iter().any(|name| {
        word.strip_suffix(name)
            .is_some_and(|left| !left.ends_with(char::is_alphanumeric))
    });
    // `src/a.rs:12:5`
    named
        || before
            .strip_suffix(':')
            .is_some_and(|path| path.ends_with(|c: char| c.is_alphanumeric() || c == '#'))
}
