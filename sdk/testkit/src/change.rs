//! The change of a case, as a gate is shown it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use ringfence_core::change::{ChangeKind, Commit, FileChange, check_commits};
use ringfence_core::relpath::RelPath;
use ringfence_sandbox::ChangeSource;
use similar::{ChangeTag, TextDiff};

use crate::stop;

const FILE_MODE: u32 = 0o100_644;
const LINK_MODE: u32 = 0o120_000;
// As git has it, and so the host; see `FileChange::binary`.
const BINARY_WITHIN: usize = 8_000;

type Files = BTreeMap<String, Vec<u8>>;

/// What is to be said of the files of a change besides their bytes.
#[derive(Default)]
pub(crate) struct Marks {
    /// Where links of the change lead, by path.
    pub(crate) links: BTreeMap<String, String>,
    /// Modes after the change that are not those of other files.
    pub(crate) modes: BTreeMap<String, u32>,
    /// Old paths, by new ones.
    pub(crate) renames: BTreeMap<String, String>,
}

/// A change between two sets of files.
pub(crate) struct TestChange {
    files: Vec<FileChange>,
    before: Files,
    after: Files,
    renames: BTreeMap<String, String>,
    commits: Vec<Commit>,
}

impl TestChange {
    pub(crate) fn between(before: &Files, mut after: Files, marks: &Marks) -> Self {
        let links = marks.links.iter();
        after.extend(links.map(|(path, target)| (path.clone(), target.clone().into_bytes())));
        let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let moved_away: BTreeSet<&String> = marks.renames.values().collect();
        let files = paths
            .into_iter()
            .filter(|path| after.contains_key(*path) || !moved_away.contains(path))
            .filter(|path| before.get(*path) != after.get(*path) || marks.modes.contains_key(*path))
            .map(|path| {
                let old = marks.renames.get(path).unwrap_or(path);
                file_change(path, before.get(old), after.get(path), marks)
            })
            .collect();
        Self {
            files,
            before: before.clone(),
            after,
            renames: marks.renames.clone(),
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
            let side = |files: &Files, path: &str| {
                String::from_utf8_lossy(files.get(path).map_or(&[], Vec::as_slice)).into_owned()
            };
            let old = self.renames.get(path).map_or(path, String::as_str);
            let (before, after) = (side(&self.before, old), side(&self.after, path));
            let diff = TextDiff::from_lines(&before, &after);
            let mut unified = diff.unified_diff();
            let unified = unified
                .context_radius(context as usize)
                .header(&format!("a/{old}"), &format!("b/{path}"))
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

fn rel_path(path: &str) -> RelPath {
    RelPath::lexical(path).unwrap_or_else(|error| stop(format!("{path:?}: {error}")))
}

fn file_change(
    path: &str,
    before: Option<&Vec<u8>>,
    after: Option<&Vec<u8>>,
    marks: &Marks,
) -> FileChange {
    let binary = [before, after]
        .into_iter()
        .flatten()
        .any(|bytes| bytes.iter().take(BINARY_WITHIN).any(|byte| *byte == 0));
    let new_mode = match marks.modes.get(path) {
        Some(mode) => *mode,
        None if marks.links.contains_key(path) => LINK_MODE,
        None => FILE_MODE,
    };
    let (lines_added, lines_removed) = if binary { (0, 0) } else { lines(before, after) };
    FileChange {
        path: rel_path(path),
        kind: match (before, after) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Deleted,
            _ => ChangeKind::Modified,
        },
        renamed_from: marks.renames.get(path).map(|old| rel_path(old)),
        old_mode: before.map_or(0, |_| FILE_MODE),
        new_mode: after.map_or(0, |_| new_mode),
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
    fn modes_links_and_renames_are_told() {
        let case = crate::Case::new()
            .unchanged("tool", "x")
            .mode("tool", 0o100_755)
            .link_added("to", "tool")
            .renamed("old.md", "new.md", "1\n", "1\n2\n");
        let change = case.change();
        let told: Vec<_> = change
            .files()
            .iter()
            .map(|file| {
                let from = file.renamed_from.as_ref().map(RelPath::as_str);
                (
                    file.path.as_str(),
                    file.kind,
                    from,
                    file.old_mode,
                    file.new_mode,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (
                    "new.md",
                    ChangeKind::Modified,
                    Some("old.md"),
                    FILE_MODE,
                    FILE_MODE
                ),
                ("to", ChangeKind::Added, None, 0, LINK_MODE),
                ("tool", ChangeKind::Modified, None, FILE_MODE, 0o100_755),
            ]
        );
        let new = RelPath::lexical("new.md").unwrap();
        let diff = change.unified_diff(0, &[new], 1 << 20).unwrap();
        assert!(
            diff.starts_with("--- a/old.md\n+++ b/new.md\n") && diff.ends_with("+2\n"),
            "{diff}"
        );
        let old = RelPath::lexical("old.md").unwrap();
        assert_eq!(
            change.read_base(&old, 9).unwrap().as_deref(),
            Some(&b"1\n"[..])
        );
    }

    #[test]
    fn a_nul_near_the_beginning_makes_a_file_binary_and_nothing_else_does() {
        let binary =
            |bytes: Vec<u8>| crate::Case::new().added("a", bytes).change().files()[0].binary;
        let nul_at = |at: usize| [vec![b'a'; at], vec![0]].concat();
        assert!(binary(nul_at(BINARY_WITHIN - 1)));
        assert!(!binary(nul_at(BINARY_WITHIN)));
        assert!(!binary(b"caf\xe9\n".to_vec()));
    }

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
        let change = TestChange::between(&before, after, &Marks::default());
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
