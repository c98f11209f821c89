//! What the executor did, as the host measured it: what a gate judges.
//!
//! Owns the change, its files and its commits; what native programs said of it is in `evidence`. Native tests build one in
//! `change/testing.rs`.
//!
//! **Invariant:** the bytes before the change are had only through here; those after it are ordinary files, which `read`
//! reads as a test describes them, too.

use std::cell::OnceCell;

use crate::{
    bindings::shared::ringfence::beat::change as host,
    error::{Error, Result},
    evidence::{Evidence, TestRun},
};

pub use lines::AddedLine;
pub use testing::TestFile;

mod lines;
mod testing;

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// Its bytes or its mode differ.
    Modified,
    /// It is gone.
    Deleted,
}

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Relative to the workspace root, `/`-separated.
    pub path: String,
    /// What happened to it.
    pub kind: ChangeKind,
    /// Where the bytes came from, when the host recognised a rename.
    pub renamed_from: Option<String>,
    /// Unix mode bits as git keeps them (0o100644, 0o100755, 0o120000); 0 when the file was added.
    pub old_mode: u32,
    /// The same after the change; 0 when the file was deleted.
    pub new_mode: u32,
    /// Bytes after the change; 0 when deleted.
    pub size: u64,
    /// Lines added as a line diff counts them; 0 for binary files.
    pub lines_added: u32,
    /// Lines removed as a line diff counts them; 0 for binary files.
    pub lines_removed: u32,
    /// Whether it is no text: a NUL is among the first 8,000 bytes before or after the change. So git tells them apart;
    /// other encodings than UTF-8 are text, and attributes of the repository do not count.
    pub binary: bool,
}

/// One of the commits that make up the change. Whoever made it wrote what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The id that git gave it, in hexadecimal.
    pub id: String,
    /// `Name <address>`; nobody checked it.
    pub author: String,
    /// Everything that its author wrote, subject first.
    pub message: String,
    /// 1 for most, 0 for the first of a history, more for a merge.
    pub parents: u32,
}

/// The change to judge.
#[derive(Debug)]
pub struct Change {
    files: OnceCell<Vec<FileChange>>,
    commits: OnceCell<Vec<Commit>>,
    evidence: Evidence,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Host,
    Test(Vec<TestFile>),
}

impl Change {
    /// A change for native tests, sorted by path; line counts come from a simple line diff. It comes in no commits, and no
    /// command looked at it.
    pub fn test(files: Vec<TestFile>) -> Self {
        Self {
            files: OnceCell::from(testing::file_changes(&files)),
            commits: OnceCell::from(Vec::new()),
            evidence: Evidence::test(Vec::new()),
            source: Source::Test(files),
        }
    }

    /// The change of a test, in these commits, oldest first.
    #[must_use]
    pub fn in_commits(self, commits: Vec<Commit>) -> Self {
        let commits = OnceCell::from(commits);
        Self { commits, ..self }
    }

    /// The change of a test, with what commands said of it.
    #[must_use]
    pub fn with_evidence(self, runs: Vec<TestRun>) -> Self {
        let evidence = Evidence::test(runs);
        Self { evidence, ..self }
    }

    /// The change of a call by the host, asked for when first needed.
    pub(crate) fn of_call() -> Self {
        Self {
            files: OnceCell::new(),
            commits: OnceCell::new(),
            evidence: Evidence::of_call(),
            source: Source::Host,
        }
    }

    /// The files that differ, sorted by path; may be empty.
    pub fn files(&self) -> &[FileChange] {
        self.files
            .get_or_init(|| host::files().into_iter().map(FileChange::from).collect())
    }

    /// The commits that make up the change, oldest first; empty when it is none: what a beat did, a patch, a working tree.
    pub fn commits(&self) -> &[Commit] {
        self.commits
            .get_or_init(|| host::commits().into_iter().map(Commit::from).collect())
    }

    /// What native programs said of the trees before and after the change.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The bytes of one file before the change.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the path had none, may not be read, or exceeds what is left of the step's budget.
    pub fn read_base(&self, path: &str) -> Result<Vec<u8>> {
        match &self.source {
            Source::Host => host::read_base(path).map_err(Error::Unavailable),
            Source::Test(files) => testing::read_base(files, path),
        }
    }

    /// The bytes of one of its files after the change.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the path has none, or may not be read.
    pub fn read(&self, path: &str) -> Result<Vec<u8>> {
        match &self.source {
            Source::Host => std::fs::read(path).map_err(|error| Error::unread(path, &error)),
            Source::Test(files) => testing::read(files, path),
        }
    }

    /// The same as text; what is not UTF-8 in it becomes U+FFFD.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the path has none, or may not be read.
    pub fn read_text(&self, path: &str) -> Result<String> {
        let bytes = self.read(path)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The change as a unified diff with so many lines of context, at most 1000. Binary files are named only, files
    /// that the step may not read are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it exceeds what is left of the step's budget.
    pub fn unified_diff(&self, context: u32) -> Result<String> {
        match &self.source {
            Source::Host => host::unified_diff(context).map_err(Error::Unavailable),
            Source::Test(files) => Ok(testing::unified_diff(files, context)),
        }
    }

    /// The lines that the change adds, file by file. Files that are no text have none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a file may not be read, or the diff exceeds what is left of the step's budget.
    pub fn added_lines(&self) -> Result<Vec<AddedLine>> {
        lines::added(&self.unified_diff(0)?, self.files())
    }
}

impl Commit {
    /// The first line of the message.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The id as people are shown it: its first twelve digits.
    pub fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    /// A commit for native tests, with one parent.
    pub fn test(message: impl Into<String>) -> Self {
        Self {
            id: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            author: "A. Author <author@example.org>".to_owned(),
            message: message.into(),
            parents: 1,
        }
    }
}

impl From<host::Commit> for Commit {
    fn from(commit: host::Commit) -> Self {
        Self {
            id: commit.id,
            author: commit.author,
            message: commit.message,
            parents: commit.parents,
        }
    }
}

impl From<host::FileChange> for FileChange {
    fn from(file: host::FileChange) -> Self {
        Self {
            path: file.path,
            kind: match file.kind {
                host::ChangeKind::Added => ChangeKind::Added,
                host::ChangeKind::Modified => ChangeKind::Modified,
                host::ChangeKind::Deleted => ChangeKind::Deleted,
            },
            renamed_from: Some(file.renamed_from).filter(|path| !path.is_empty()),
            old_mode: file.old_mode,
            new_mode: file.new_mode,
            size: file.size,
            lines_added: file.lines_added,
            lines_removed: file.lines_removed,
            binary: file.binary,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_comes_in_commits_or_in_none() {
        assert!(Change::test(vec![]).commits().is_empty());
        let change = Change::test(vec![]).in_commits(vec![Commit::test("fix: it\n\nWhy.\n")]);
        let [commit] = change.commits() else {
            panic!("{:?}", change.commits());
        };
        assert_eq!(
            (commit.subject(), commit.short_id()),
            ("fix: it", "0123456789ab")
        );
        assert_eq!(Commit::test("").subject(), "");
    }

    #[test]
    fn an_empty_old_name_is_none() {
        let file = |renamed_from: &str| {
            FileChange::from(host::FileChange {
                path: "b".to_owned(),
                kind: host::ChangeKind::Modified,
                renamed_from: renamed_from.to_owned(),
                old_mode: 0o100_644,
                new_mode: 0o100_755,
                size: 7,
                lines_added: 1,
                lines_removed: 2,
                binary: false,
            })
        };
        assert_eq!(file("").renamed_from, None);
        assert_eq!(file("a").renamed_from.as_deref(), Some("a"));
        assert_eq!(file("a").kind, ChangeKind::Modified);
    }
}
