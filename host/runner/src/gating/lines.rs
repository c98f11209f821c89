//! The lines that findings point to, as they are in head.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_core::relpath::RelPath;

use super::GatingError;
use super::ask::Answer;
use super::sides::Sides;
use crate::git::output::records;
use crate::store::Store;

// Limit: longer files are no text that people read by lines.
const FILE_BYTES_MAX: u64 = 1 << 20;
// Limit: what is held of all files that findings point to.
const ALL_BYTES_MAX: u64 = 64 << 20;

/// The text files that findings point to.
pub(super) struct Lines(BTreeMap<RelPath, Text>);

/// A file, and where its lines begin: many findings may point into one.
struct Text {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Text {
    fn new(bytes: Vec<u8>) -> Self {
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1));
        Self {
            starts: starts.collect(),
            bytes,
        }
    }

    /// A line by its number from 0, without its end.
    fn line(&self, at: usize) -> Option<&[u8]> {
        let start = *self.starts.get(at)?;
        let end = match self.starts.get(at + 1) {
            Some(next) => next - 1,
            None => self.bytes.len(),
        };
        self.bytes.get(start..end)
    }
}

impl Lines {
    /// Reads them; those that are too long or not there have no lines.
    pub(super) fn read(
        store: &Store,
        sides: &Sides,
        answers: &[Answer],
    ) -> Result<Self, GatingError> {
        let verdicts = answers
            .iter()
            .filter_map(|answer| answer.result.answer.as_ref().ok());
        let places = verdicts
            .flat_map(|verdict| &verdict.findings)
            .flat_map(|finding| finding.locations.first())
            .filter(|place| place.line > 0);
        let wanted: BTreeSet<RelPath> = places
            .filter_map(|place| RelPath::lexical(&place.path).ok())
            .collect();
        let mut ids = BTreeMap::new();
        for file in &sides.change.files {
            if wanted.contains(&file.path) {
                ids.insert(file.path.clone(), file.new_blob.clone());
            }
        }
        if ids.len() < wanted.len() {
            let unchanged = wanted.iter().filter(|path| !ids.contains_key(*path));
            let unchanged: BTreeSet<RelPath> = unchanged.cloned().collect();
            ids.extend(blobs_of(store, &sides.head.tree, &unchanged)?);
        }
        ids.retain(|_, id| !id.is_empty());
        let asked: Vec<&str> = ids.values().map(String::as_str).collect();
        let blobs = store.blobs(&asked, FILE_BYTES_MAX, ALL_BYTES_MAX)?;
        let with_bytes = ids.keys().cloned().zip(blobs);
        Ok(Self(
            with_bytes
                .filter_map(|(path, bytes)| Some((path, Text::new(bytes?))))
                .collect(),
        ))
    }

    /// The text of one line of a file, from 1, without its end; none when there is none, or it is not UTF-8.
    pub(super) fn get(&self, path: &RelPath, line: u32) -> Option<&str> {
        let at = usize::try_from(line).ok()?.checked_sub(1)?;
        let line = std::str::from_utf8(self.0.get(path)?.line(at)?).ok()?;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

fn blobs_of(
    store: &Store,
    tree: &str,
    wanted: &BTreeSet<RelPath>,
) -> Result<Vec<(RelPath, String)>, GatingError> {
    let listed = store
        .git()
        .call("ls-tree")
        .args(["-r", "-z", "--full-tree", tree])
        .run()?;
    let mut found = Vec::new();
    for record in records("ls-tree", &listed)? {
        let text = std::str::from_utf8(record).unwrap_or_default();
        let Some((head, path)) = text.split_once('\t') else {
            continue;
        };
        let mut words = head.split(' ').skip(1);
        let (kind, id) = (words.next(), words.next());
        if let (Some("blob"), Some(id), Ok(path)) = (kind, id, RelPath::lexical(path))
            && wanted.contains(&path)
        {
            found.push((path, id.to_owned()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_what_lies_between_their_ends() {
        for text in ["", "a", "a\n", "\n", "a\n\nb", "a\nb\n", "\u{1}\n\n\n"] {
            let lines = Text::new(text.as_bytes().to_vec());
            let expect: Vec<&[u8]> = text.as_bytes().split(|byte| *byte == b'\n').collect();
            let found: Vec<&[u8]> = (0..).map_while(|at| lines.line(at)).collect();
            assert_eq!(found, expect, "{text:?}");
        }
    }
}
