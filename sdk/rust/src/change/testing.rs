//! Changes for native unit tests of gates.
//!
//! Owns the file that a test describes, and a plain line diff over it.
//!
//! **Invariant:** line counts are those of a longest common subsequence, as the host's diff would count them for
//! the small files of a test. The time is quadratic: real changes are measured by the host.

use std::borrow::Cow;

use super::{ChangeKind, FileChange};
use crate::error::{Error, Result};

const FILE_MODE: u32 = 0o100_644;
/// Where a NUL makes a file binary; see [`FileChange::binary`].
const BINARY_WITHIN: usize = 8_000;

/// One file of a test's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFile {
    path: String,
    renamed_from: Option<String>,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
    modes: (u32, u32),
}

impl TestFile {
    /// A new file.
    pub fn added(path: impl Into<String>, after: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            renamed_from: None,
            before: None,
            after: Some(after.into()),
            modes: (FILE_MODE, FILE_MODE),
        }
    }

    /// A file with other bytes.
    pub fn modified(
        path: impl Into<String>,
        before: impl Into<Vec<u8>>,
        after: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            path: path.into(),
            renamed_from: None,
            before: Some(before.into()),
            after: Some(after.into()),
            modes: (FILE_MODE, FILE_MODE),
        }
    }

    /// A file with another path, and perhaps other bytes.
    pub fn renamed(
        from: impl Into<String>,
        path: impl Into<String>,
        before: impl Into<Vec<u8>>,
        after: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            renamed_from: Some(from.into()),
            ..Self::modified(path, before, after)
        }
    }

    /// A file that is gone.
    pub fn deleted(path: impl Into<String>, before: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            renamed_from: None,
            before: Some(before.into()),
            after: None,
            modes: (FILE_MODE, FILE_MODE),
        }
    }

    /// The same file with another mode after the change: 0o100755 for a program, 0o120000 for a link, whose bytes are where it
    /// leads.
    #[must_use]
    pub fn with_mode(self, after: u32) -> Self {
        let modes = (self.modes.0, after);
        Self { modes, ..self }
    }

    /// The same file with another mode before the change.
    #[must_use]
    pub fn with_old_mode(self, before: u32) -> Self {
        let modes = (before, self.modes.1);
        Self { modes, ..self }
    }

    fn binary(&self) -> bool {
        [&self.before, &self.after]
            .into_iter()
            .flatten()
            .any(|bytes| bytes.iter().take(BINARY_WITHIN).any(|byte| *byte == 0))
    }

    /// What is said of the lines that differ, and of those around them.
    fn with_lines<T>(&self, say: impl FnOnce(&[Line<'_>]) -> T) -> T {
        let (before, after) = (text(self.before.as_deref()), text(self.after.as_deref()));
        let split = |text| str::split_inclusive(text, '\n').collect::<Vec<_>>();
        say(&diff(&split(&before), &split(&after)))
    }

    fn change(&self) -> FileChange {
        let binary = self.binary();
        let counted = |lines: &[Line<'_>]| {
            [Side::New, Side::Old].map(|side| {
                let count = lines.iter().filter(|line| line.side == side).count();
                u32::try_from(count).unwrap_or(u32::MAX)
            })
        };
        let [lines_added, lines_removed] = if binary {
            [0, 0]
        } else {
            self.with_lines(counted)
        };
        FileChange {
            path: self.path.clone(),
            kind: match (&self.before, &self.after) {
                (None, _) => ChangeKind::Added,
                (Some(_), None) => ChangeKind::Deleted,
                (Some(_), Some(_)) => ChangeKind::Modified,
            },
            renamed_from: self.renamed_from.clone(),
            old_mode: self.before.as_ref().map_or(0, |_| self.modes.0),
            new_mode: self.after.as_ref().map_or(0, |_| self.modes.1),
            size: self.after.as_ref().map_or(0, |bytes| bytes.len() as u64),
            lines_added,
            lines_removed,
            binary,
        }
    }
}

/// The test's files as the host would list them.
pub(super) fn file_changes(files: &[TestFile]) -> Vec<FileChange> {
    let mut changes: Vec<_> = files.iter().map(TestFile::change).collect();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

/// The bytes before the change.
pub(super) fn read_base(files: &[TestFile], path: &str) -> Result<Vec<u8>> {
    files
        .iter()
        .find(|file| file.renamed_from.as_deref().unwrap_or(&file.path) == path)
        .and_then(|file| file.before.clone())
        .ok_or_else(|| Error::unavailable(format!("{path} had no bytes before the change")))
}

/// The bytes after the change.
pub(super) fn read(files: &[TestFile], path: &str) -> Result<Vec<u8>> {
    files
        .iter()
        .find(|file| file.path == path)
        .and_then(|file| file.after.clone())
        .ok_or_else(|| Error::unavailable(format!("{path} has no bytes after the change")))
}

/// All files as one unified diff.
pub(super) fn unified_diff(files: &[TestFile], context: u32) -> String {
    let mut files: Vec<_> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.iter().map(|file| file_diff(file, context)).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Old,
    New,
    Both,
}

#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    side: Side,
    text: &'a str,
}

fn text(bytes: Option<&[u8]>) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.unwrap_or_default())
}

/// The edit script from `old` to `new`, removals before additions.
fn diff<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    // common[i][j]: length of the longest common subsequence of old[i..] and new[j..].
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    let at = |table: &[Vec<u32>], i: usize, j: usize| {
        table
            .get(i)
            .and_then(|row| row.get(j))
            .copied()
            .unwrap_or(0)
    };
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let best = if a == b {
                at(&common, i + 1, j + 1) + 1
            } else {
                at(&common, i + 1, j).max(at(&common, i, j + 1))
            };
            if let Some(cell) = common.get_mut(i).and_then(|row| row.get_mut(j)) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    loop {
        let (side, text) = match (old.get(i), new.get(j)) {
            (None, None) => return lines,
            (Some(a), Some(b)) if a == b => (Side::Both, *a),
            (Some(a), Some(_)) if at(&common, i + 1, j) >= at(&common, i, j + 1) => (Side::Old, *a),
            (Some(a), None) => (Side::Old, *a),
            (_, Some(b)) => (Side::New, *b),
        };
        i += usize::from(side != Side::New);
        j += usize::from(side != Side::Old);
        lines.push(Line { side, text });
    }
}

fn file_diff(file: &TestFile, context: u32) -> String {
    let name = |side: &Option<Vec<u8>>, prefix: &str| match side {
        Some(_) if prefix == "a" => {
            format!("a/{}", file.renamed_from.as_ref().unwrap_or(&file.path))
        }
        Some(_) => format!("{prefix}/{}", file.path),
        None => "/dev/null".to_owned(),
    };
    let (old, new) = (name(&file.before, "a"), name(&file.after, "b"));
    let mut text = format!("diff --git a/{0} b/{0}\n", file.path);
    if file.binary() {
        text.push_str(&format!("Binary files {old} and {new} differ\n"));
        return text;
    }
    let hunks = file.with_lines(|lines| hunks(lines, context as usize));
    if !hunks.is_empty() {
        text.push_str(&format!("--- {old}\n+++ {new}\n{hunks}"));
    }
    text
}

/// Cuts the edit script into hunks: what is changed, and what stands so near that it is context.
fn hunks(lines: &[Line<'_>], context: usize) -> String {
    let near = |index: usize| {
        let from = index.saturating_sub(context);
        let to = (index + context + 1).min(lines.len());
        lines
            .get(from..to)
            .is_some_and(|window| window.iter().any(|line| line.side != Side::Both))
    };
    let (mut text, mut hunk) = (String::new(), Hunk::default());
    let (mut old, mut new) = (1, 1);
    for (index, line) in lines.iter().enumerate() {
        if near(index) {
            hunk.push(line, old, new);
        } else {
            hunk.flush(&mut text);
        }
        old += usize::from(line.side != Side::New);
        new += usize::from(line.side != Side::Old);
    }
    hunk.flush(&mut text);
    text
}

#[derive(Default)]
struct Hunk {
    body: String,
    start: (usize, usize),
    lines: (usize, usize),
}

impl Hunk {
    fn push(&mut self, line: &Line<'_>, old: usize, new: usize) {
        if self.body.is_empty() {
            self.start = (old, new);
        }
        self.body.push(match line.side {
            Side::Old => '-',
            Side::New => '+',
            Side::Both => ' ',
        });
        self.body.push_str(line.text);
        if !line.text.ends_with('\n') {
            self.body.push_str("\n\\ No newline at end of file\n");
        }
        self.lines.0 += usize::from(line.side != Side::New);
        self.lines.1 += usize::from(line.side != Side::Old);
    }

    fn flush(&mut self, text: &mut String) {
        let hunk = std::mem::take(self);
        if hunk.body.is_empty() {
            return;
        }
        // A side without lines is said to begin before its first one.
        let start = |start: usize, lines: usize| if lines == 0 { start - 1 } else { start };
        text.push_str(&format!(
            "@@ -{},{} +{},{} @@\n{}",
            start(hunk.start.0, hunk.lines.0),
            hunk.lines.0,
            start(hunk.start.1, hunk.lines.1),
            hunk.lines.1,
            hunk.body
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Change;
    use super::*;

    fn check(file: TestFile, kind: ChangeKind, added: u32, removed: u32, size: u64) {
        let change = Change::test(vec![file]);
        let file = &change.files()[0];
        assert_eq!(
            (file.kind, file.lines_added, file.lines_removed, file.size),
            (kind, added, removed, size)
        );
    }

    #[test]
    fn lines_are_counted() {
        check(TestFile::added("a", "x\ny\n"), ChangeKind::Added, 2, 0, 4);
        check(TestFile::deleted("a", "x\ny"), ChangeKind::Deleted, 0, 2, 0);
        check(
            TestFile::modified("a", "1\n2\n3\n", "1\nzwei\n3\n4\n"),
            ChangeKind::Modified,
            2,
            1,
            11,
        );
        check(
            TestFile::modified("a", "1\n", "1\n"),
            ChangeKind::Modified,
            0,
            0,
            2,
        );
        check(
            TestFile::added("a", vec![0, 1, 10]),
            ChangeKind::Added,
            0,
            0,
            3,
        );
    }

    #[test]
    fn a_nul_near_the_beginning_makes_a_file_binary_and_nothing_else_does() {
        let binary =
            |bytes: &[u8]| Change::test(vec![TestFile::added("a", bytes)]).files()[0].binary;
        let nul_at = |at: usize| [vec![b'a'; at], vec![0]].concat();
        assert!(binary(b"\0"));
        assert!(binary(&nul_at(BINARY_WITHIN - 1)));
        assert!(!binary(&nul_at(BINARY_WITHIN)));
        assert!(!binary(b"caf\xe9\n"));
        let change = Change::test(vec![TestFile::modified("a", "x\n", b"x\ncaf\xe9\n")]);
        let lines = change.added_lines().unwrap();
        assert_eq!((lines[0].line, lines[0].text.as_str()), (2, "caf\u{fffd}"));
        let before = TestFile::modified("a", vec![0], "text");
        assert!(Change::test(vec![before]).files()[0].binary);
    }

    #[test]
    fn modes_are_what_a_test_says() {
        let change = Change::test(vec![
            TestFile::modified("a", "x", "x").with_mode(0o100_755),
            TestFile::added("b", "a").with_mode(0o120_000),
            TestFile::deleted("c", "a").with_old_mode(0o120_000),
        ]);
        let modes: Vec<_> = change
            .files()
            .iter()
            .map(|file| (file.old_mode, file.new_mode))
            .collect();
        let expect = [(0o100_644, 0o100_755), (0, 0o120_000), (0o120_000, 0)];
        assert_eq!(modes, expect);
    }

    #[test]
    fn files_are_sorted() {
        let change = Change::test(vec![TestFile::added("b", ""), TestFile::added("a", "")]);
        let paths: Vec<_> = change.files().iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["a", "b"]);
    }

    #[test]
    fn the_base_is_what_was_before() {
        let change = Change::test(vec![
            TestFile::modified("a", "old", "new"),
            TestFile::added("b", ""),
        ]);
        assert_eq!(change.read_base("a").unwrap(), b"old");
        assert_eq!(change.read("a").unwrap(), b"new");
        assert_eq!(change.read_text("a").unwrap(), "new");
        assert!(change.read("c").is_err());
        let moved = Change::test(vec![TestFile::renamed("a", "b", "old", "new")]);
        assert_eq!(moved.files()[0].renamed_from.as_deref(), Some("a"));
        assert_eq!(moved.read_base("a").unwrap(), b"old");
        assert_eq!(moved.read("b").unwrap(), b"new");
        assert!(moved.read_base("b").is_err());
        for path in ["b", "c"] {
            assert!(
                matches!(change.read_base(path), Err(Error::Unavailable(_))),
                "{path}"
            );
        }
    }

    #[test]
    fn the_diff_is_unified() {
        let before: String = (1..=20).map(|n| format!("{n}\n")).collect();
        let after = before.replace("\n3\n", "\nthree\n").replace("\n18\n", "\n");
        let change = Change::test(vec![
            TestFile::modified("a.md", before, after),
            TestFile::added("b.md", "x"),
            TestFile::modified("c.bin", vec![0], vec![0, 1]),
        ]);
        let diff = change.unified_diff(1).unwrap();
        assert_eq!(
            diff,
            "diff --git a/a.md b/a.md\n--- a/a.md\n+++ b/a.md\n@@ -2,3 +2,3 @@\n 2\n-3\n+three\n 4\n\
             @@ -17,3 +17,2 @@\n 17\n-18\n 19\n\
             diff --git a/b.md b/b.md\n--- /dev/null\n+++ b/b.md\n@@ -0,0 +1,1 @@\n+x\n\\ No newline at end of file\n\
             diff --git a/c.bin b/c.bin\nBinary files a/c.bin and b/c.bin differ\n"
        );
    }
}
