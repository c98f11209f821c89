//! What stands where findings point to, as it is in head.
//!
//! **Invariant:** of a file no more is held than the lines that are pointed to and those above them: of a file that is all ends of
//! lines, knowing where each begins would take eight times its size.

use std::collections::{BTreeMap, BTreeSet};

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
// Limit: what is read of all files that findings point to.
const ALL_BYTES_MAX: u64 = 64 << 20;

/// The files that findings point to.
pub(super) struct Lines(BTreeMap<RelPath, Held>);

struct Held {
    mode: u32,
    blob: String,
    /// None where no line is pointed to, and for a file that is too long.
    text: Option<Text>,
}

/// Lines of a file by their numbers from 1, without their ends.
struct Text(BTreeMap<u32, Vec<u8>>);

impl Text {
    fn new(bytes: &[u8], wanted: &BTreeSet<u32>) -> Self {
        let lines = (1..).zip(bytes.split(|byte| *byte == b'\n'));
        let lines = lines.filter(|(number, _)| wanted.contains(number));
        Self(
            lines
                .map(|(number, line)| (number, line.to_vec()))
                .collect(),
        )
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
        // Each with the lines in it that are pointed to, and those above, where comments stand.
        let mut wanted: BTreeMap<RelPath, BTreeSet<u32>> = BTreeMap::new();
        for place in places {
            if let Ok(path) = RelPath::lexical(&place.path) {
                let lines = wanted.entry(path).or_default();
                if place.line > 0 {
                    lines.extend([place.line - 1, place.line]);
                }
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
        let lines_of = |path: &RelPath| wanted.get(path).filter(|lines| !lines.is_empty());
        let lined: Vec<String> = held
            .iter()
            .filter(|(path, _)| lines_of(path).is_some())
            .map(|(_, one)| one.blob.clone())
            .collect();
        let asked: Vec<&str> = lined.iter().map(String::as_str).collect();
        let blobs = store.blobs(&asked, FILE_BYTES_MAX, ALL_BYTES_MAX)?;
        let lined = held
            .iter_mut()
            .filter_map(|(path, one)| Some((one, lines_of(path)?)));
        for ((one, lines), bytes) in lined.zip(blobs) {
            one.text = bytes.map(|bytes| Text::new(&bytes, lines));
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
        let line = self.text.as_ref()?.0.get(&line)?;
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
            let expect: Vec<&str> = text.split('\n').collect();
            let all = Text::new(text.as_bytes(), &(0..10).collect());
            let found: Vec<&[u8]> = all.0.values().map(Vec::as_slice).collect();
            assert_eq!(
                found,
                expect
                    .iter()
                    .map(|line| line.as_bytes())
                    .collect::<Vec<_>>()
            );
            for (number, line) in (1..).zip(expect) {
                let one = Text::new(text.as_bytes(), &BTreeSet::from([number]));
                assert_eq!(one.0, BTreeMap::from([(number, line.as_bytes().to_vec())]));
            }
        }
    }
}
