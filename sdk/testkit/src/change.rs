//! The change of a case, as a gate is shown it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use ringfence_core::change::{ChangeKind, Commit, FileChange, check_commits};
use ringfence_core::relpath::RelPath;
use ringfence_sandbox::ChangeSource;
use similar::{ChangeTag, TextDiff};

use crate::stop;

const FILE_MODE: u32 = 0o100_644;

type Files = BTreeMap<String, Vec<u8>>;

/// A change between two sets of files.
pub(crate) struct TestChange {
    files: Vec<FileChange>,
    before: Files,
    after: Files,
    commits: Vec<Commit>,
}

impl TestChange {
    pub(crate) fn between(before: &Files, after: &Files) -> Self {
        let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let files = paths
            .into_iter()
            .filter(|path| before.get(*path) != after.get(*path))
            .map(|path| file_change(path, before.get(path), after.get(path)))
            .collect();
        Self {
            files,
            before: before.clone(),
            after: after.clone(),
            commits: Vec::new(),
        }
    }

    pub(crate) fn in_commits(self, commits: &[Commit]) -> Self {
        check_commits(commits).unwrap_or_else(|error| stop(error));
        Self {
            commits: commits.to_vec(),
            ..self
        }
    }
}

impl ChangeSource for TestChange {
    fn files(&self) -> &[FileChange] {
        &self.files
    }

    fn read_base(&self, path: &RelPath, max: u64) -> io::Result<Option<Vec<u8>>> {
        match self.before.get(path.as_str()) {
            Some(bytes) if bytes.len() as u64 > max => Err(io::Error::other("too large")),
            bytes => Ok(bytes.cloned()),
        }
    }

    fn unified_diff(&self, context: u32, paths: &[RelPath], max: u64) -> io::Result<String> {
        let mut text = String::new();
        for file in self.files.iter().filter(|file| paths.contains(&file.path)) {
            let path = file.path.as_str();
            if file.binary {
                text.push_str(&format!("Binary files a/{path} and b/{path} differ\n"));
                continue;
            }
            let side = |files: &Files| {
                String::from_utf8_lossy(files.get(path).map_or(&[], Vec::as_slice)).into_owned()
            };
            let (before, after) = (side(&self.before), side(&self.after));
            let diff = TextDiff::from_lines(&before, &after);
            let mut unified = diff.unified_diff();
            let unified = unified
                .context_radius(context as usize)
                .header(&format!("a/{path}"), &format!("b/{path}"))
                .to_string();
            text.push_str(&unified);
        }
        if text.len() as u64 > max {
            Err(io::Error::other("too large"))
        } else {
            Ok(text)
        }
    }

    fn commits(&self) -> &[Commit] {
        &self.commits
    }
}

fn file_change(path: &str, before: Option<&Vec<u8>>, after: Option<&Vec<u8>>) -> FileChange {
    let binary = [before, after]
        .into_iter()
        .flatten()
        .any(|bytes| bytes.contains(&0));
    let (lines_added, lines_removed) = if binary { (0, 0) } else { lines(before, after) };
    FileChange {
        path: RelPath::lexical(path).unwrap_or_else(|error| stop(format!("{path:?}: {error}"))),
        kind: match (before, after) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Deleted,
            _ => ChangeKind::Modified,
        },
        renamed_from: None,
        old_mode: before.map_or(0, |_| FILE_MODE),
        new_mode: after.map_or(0, |_| FILE_MODE),
        size: after.map_or(0, |bytes| bytes.len() as u64),
        lines_added,
        lines_removed,
        binary,
        old_blob: String::new(),
        new_blob: String::new(),
    }
}

fn lines(before: Option<&Vec<u8>>, after: Option<&Vec<u8>>) -> (u32, u32) {
    let text = |bytes: Option<&Vec<u8>>| {
        String::from_utf8_lossy(bytes.map_or(&[], Vec::as_slice)).into_owned()
    };
    let (before, after) = (text(before), text(after));
    let diff = TextDiff::from_lines(&before, &after);
    let count = |tag| {
        u32::try_from(
            diff.iter_all_changes()
                .filter(|change| change.tag() == tag)
                .count(),
        )
        .unwrap_or(u32::MAX)
    };
    (count(ChangeTag::Insert), count(ChangeTag::Delete))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_shows_what_differs() {
        let files = |files: &[(&str, &str)]| {
            files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
                .collect::<Files>()
        };
        let before = files(&[("a", "1\n2\n"), ("b", "x\n"), ("same", "s\n")]);
        let after = files(&[("a", "1\n3\n4\n"), ("c", "new\n"), ("same", "s\n")]);
        let change = TestChange::between(&before, &after);
        let told: Vec<_> = change
            .files()
            .iter()
            .map(|file| {
                (
                    file.path.as_str(),
                    file.kind,
                    file.lines_added,
                    file.lines_removed,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("a", ChangeKind::Modified, 2, 1),
                ("b", ChangeKind::Deleted, 0, 1),
                ("c", ChangeKind::Added, 1, 0)
            ]
        );
        let diff = change
            .unified_diff(0, &[RelPath::lexical("a").unwrap()], 1 << 20)
            .unwrap();
        assert!(
            diff.contains("-2\n+3\n+4\n") && !diff.contains("new"),
            "{diff}"
        );
        assert!(
            change
                .unified_diff(0, &[RelPath::lexical("a").unwrap()], 3)
                .is_err()
        );
    }
}
