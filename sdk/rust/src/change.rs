//! What the executor did, as the host measured it: what a gate judges.
//!
//! Owns the change and its files. Native tests build one in `change/testing.rs`.
//!
//! **Invariant:** the bytes before the change are had only through here; those after it are ordinary files, which `read`
//! reads as a test describes them, too.

use std::cell::OnceCell;

use crate::{
    bindings::shared::ringfence::beat::change as host,
    error::{Error, Result},
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
    /// Whether the bytes look like something other than text.
    pub binary: bool,
}

/// The change to judge.
#[derive(Debug)]
pub struct Change {
    files: OnceCell<Vec<FileChange>>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Host,
    Test(Vec<TestFile>),
}

impl Change {
    /// A change for native tests, sorted by path; line counts come from a simple line diff.
    pub fn test(files: Vec<TestFile>) -> Self {
        Self {
            files: OnceCell::from(testing::file_changes(&files)),
            source: Source::Test(files),
        }
    }

    /// The change of a call by the host, asked for when first needed.
    pub(crate) fn of_call() -> Self {
        Self {
            files: OnceCell::new(),
            source: Source::Host,
        }
    }

    /// The files that differ, sorted by path; may be empty.
    pub fn files(&self) -> &[FileChange] {
        self.files
            .get_or_init(|| host::files().into_iter().map(FileChange::from).collect())
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
            Source::Host => {
                std::fs::read(path).map_err(|error| Error::unavailable(format!("{path}: {error}")))
            }
            Source::Test(files) => testing::read(files, path),
        }
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
