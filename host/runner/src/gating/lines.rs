//! What stands where findings point to, as it is in head.

use std::collections::BTreeMap;

use ringfence_core::gating::Stands;
use ringfence_core::relpath::RelPath;
use ringfence_core::verdict::Location;

use super::GatingError;
use super::ask::Answer;
use super::sides::Sides;
use crate::git::output::records;
use crate::store::Store;

// Limit: longer files are no text that people read by lines.
const FILE_BYTES_MAX: u64 = 1 << 20;
// Limit: what is held of all files that findings point to.
const ALL_BYTES_MAX: u64 = 64 << 20;

/// The files that findings point to.
pub(super) struct Lines(BTreeMap<RelPath, Held>);

struct Held {
    mode: u32,
    blob: String,
    /// None where no line is pointed to, and for a file that is too long.
    text: Option<Text>,
}

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
    /// Finds them, and reads those in which a line is pointed to.
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
            .flat_map(|finding| &finding.locations);
        // Each with whether a line in it is pointed to.
        let mut wanted: BTreeMap<RelPath, bool> = BTreeMap::new();
        for place in places {
            if let Ok(path) = RelPath::lexical(&place.path) {
                *wanted.entry(path).or_default() |= place.line > 0;
            }
        }
        let mut held = BTreeMap::new();
        for file in &sides.change.files {
            if wanted.contains_key(&file.path) {
                let (mode, blob) = (file.new_mode, file.new_blob.clone());
                let text = None;
                held.insert(file.path.clone(), Held { mode, blob, text });
            }
        }
        if held.len() < wanted.len() {
            let is_left = |path: &RelPath| wanted.contains_key(path) && !held.contains_key(path);
            let unchanged = blobs_of(store, &sides.head.tree, is_left)?;
            held.extend(unchanged);
        }
        held.retain(|_, one| !one.blob.is_empty());
        let is_lined = |path: &RelPath| wanted.get(path).copied().unwrap_or_default();
        let lined: Vec<String> = held
            .iter()
            .filter(|(path, _)| is_lined(path))
            .map(|(_, one)| one.blob.clone())
            .collect();
        let asked: Vec<&str> = lined.iter().map(String::as_str).collect();
        let blobs = store.blobs(&asked, FILE_BYTES_MAX, ALL_BYTES_MAX)?;
        let lined = held.iter_mut().filter(|(path, _)| is_lined(path));
        for ((_, one), bytes) in lined.zip(blobs) {
            one.text = bytes.map(Text::new);
        }
        Ok(Self(held))
    }

    /// The text of one line of a file, from 1, without its end; none when there is none, or it is not UTF-8.
    pub(super) fn get(&self, path: &RelPath, line: u32) -> Option<&str> {
        str::from_utf8(self.0.get(path)?.line(line)?).ok()
    }

    /// What stands at a place.
    pub(super) fn stands(&self, place: &Location) -> Stands<'_> {
        let path = RelPath::lexical(&place.path).ok();
        let Some(file) = path.and_then(|path| self.0.get(&path)) else {
            return Stands::Nothing;
        };
        match file.line(place.line) {
            Some(line) => Stands::Line(line),
            None => Stands::File {
                mode: file.mode,
                blob: &file.blob,
            },
        }
    }
}

impl Held {
    /// The bytes of a line, from 1, without its end.
    fn line(&self, line: u32) -> Option<&[u8]> {
        let at = usize::try_from(line).ok()?.checked_sub(1)?;
        let line = self.text.as_ref()?.line(at)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

fn blobs_of(
    store: &Store,
    tree: &str,
    wanted: impl Fn(&RelPath) -> bool,
) -> Result<Vec<(RelPath, Held)>, GatingError> {
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
        let mut words = head.split(' ');
        let (mode, kind, id) = (words.next(), words.next(), words.next());
        let mode = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok());
        if let (Some(mode), Some("blob"), Some(id), Ok(path)) =
            (mode, kind, id, RelPath::lexical(path))
            && wanted(&path)
        {
            let (blob, text) = (id.to_owned(), None);
            found.push((path, Held { mode, blob, text }));
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
