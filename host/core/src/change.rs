//! What an executor did, as the host measured it, and the commits that a change came in.
//!
//! **Invariant:** files are sorted by path and each path stands once; the digest covers both trees, every path, mode and
//! blob, from which the other fields follow. Commits say what their authors like: nothing of them but the id is checked.

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, PartsHasher};
use crate::relpath::RelPath;

/// What happened to one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// Its bytes or its mode differ.
    Modified,
    /// It is gone.
    Deleted,
}

/// One file that differs between base and candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Where, from the workspace root.
    pub path: RelPath,
    /// What happened.
    pub kind: ChangeKind,
    /// Where the bytes came from, when a rename was recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<RelPath>,
    /// Mode before as git keeps it (`0o100644`, `0o100755`, `0o120000`); 0 for an added file.
    pub old_mode: u32,
    /// Mode after; 0 for a deleted file.
    pub new_mode: u32,
    /// Bytes after; 0 for a deleted file.
    pub size: u64,
    /// Lines that a line diff adds; 0 for a binary file.
    pub lines_added: u32,
    /// Lines that a line diff removes; 0 for a binary file.
    pub lines_removed: u32,
    /// True when git takes either side for binary.
    pub binary: bool,
    /// Git object id of the bytes before; empty for an added file.
    pub old_blob: String,
    /// Git object id of the bytes after; empty for a deleted file.
    pub new_blob: String,
}

/// All files that differ between the base tree and the candidate tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSet {
    /// Git tree id of the base.
    pub base_tree: String,
    /// Git tree id of the candidate; equal to `base_tree` when nothing changed.
    pub candidate_tree: String,
    /// Sorted by path.
    pub files: Vec<FileChange>,
    /// Paths that changed but that the repository ignores: listed, never published. Sorted.
    pub ignored: Vec<RelPath>,
}

impl ChangeSet {
    /// True when no file differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The digest of trees and files, which a verdict and a publication refer to.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = PartsHasher::new("ringfence change set 1");
        hasher.part("base", self.base_tree.as_bytes());
        hasher.part("candidate", self.candidate_tree.as_bytes());
        for file in &self.files {
            hasher.part("path", file.path.as_str().as_bytes());
            hasher.part(
                "modes",
                format!("{:o} {:o}", file.old_mode, file.new_mode).as_bytes(),
            );
            hasher.part(
                "blobs",
                format!("{} {}", file.old_blob, file.new_blob).as_bytes(),
            );
        }
        hasher.finish()
    }
}

// Limit: ten times what a review is made of; a change of more is judged in parts.
/// The most commits of one change.
pub const COMMITS_MAX: usize = 1_000;
// Limit: the longest messages of public histories have some KiB.
/// The longest message of a commit in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 << 10;
// Limit: a name and an address.
/// The longest author of a commit in bytes.
pub const AUTHOR_BYTES_MAX: usize = 1 << 10;
// Limit: what a gate is handed at once; its memory has to hold it.
/// The most bytes of all commits of one change together.
pub const COMMITS_BYTES_MAX: usize = 4 << 20;

/// One of the commits that make up a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Git's id: 40 or 64 hexadecimal digits in lower case.
    pub id: String,
    /// `Name <address>`, as the commit says it.
    pub author: String,
    /// Everything that its author wrote, subject first.
    pub message: String,
    /// 1 for most, 0 for the first of a history, more for a merge.
    pub parents: u32,
}

/// Commits that gates cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitsError {
    /// More than [`COMMITS_MAX`].
    #[error("{0} commits, more than the {COMMITS_MAX} that are allowed")]
    TooMany(usize),
    /// Something that git does not call a commit.
    #[error("not the id of a commit: {0:?}")]
    Id(String),
    /// An author of more than [`AUTHOR_BYTES_MAX`].
    #[error(
        "commit {id}: an author of {bytes} bytes, more than the {AUTHOR_BYTES_MAX} that are allowed"
    )]
    Author {
        /// The commit.
        id: String,
        /// The author's bytes.
        bytes: usize,
    },
    /// A message of more than [`MESSAGE_BYTES_MAX`].
    #[error(
        "commit {id}: a message of {bytes} bytes, more than the {MESSAGE_BYTES_MAX} that are allowed"
    )]
    Message {
        /// The commit.
        id: String,
        /// The message's bytes.
        bytes: usize,
    },
    /// More than [`COMMITS_BYTES_MAX`] together.
    #[error("commits of {0} bytes together, more than the {COMMITS_BYTES_MAX} that are allowed")]
    TooLarge(usize),
}

impl Commit {
    /// Bytes of its texts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.id.len() + self.author.len() + self.message.len()
    }

    fn check(&self) -> Result<(), CommitsError> {
        let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if !matches!(self.id.len(), 40 | 64) || !self.id.bytes().all(hexadecimal) {
            return Err(CommitsError::Id(self.id.chars().take(64).collect()));
        }
        if self.author.len() > AUTHOR_BYTES_MAX {
            return Err(CommitsError::Author {
                id: self.id.clone(),
                bytes: self.author.len(),
            });
        }
        if self.message.len() > MESSAGE_BYTES_MAX {
            return Err(CommitsError::Message {
                id: self.id.clone(),
                bytes: self.message.len(),
            });
        }
        Ok(())
    }
}

/// Holds the commits of one change to their bounds.
///
/// # Errors
/// [`CommitsError`], the first that applies.
pub fn check_commits(commits: &[Commit]) -> Result<(), CommitsError> {
    if commits.len() > COMMITS_MAX {
        return Err(CommitsError::TooMany(commits.len()));
    }
    commits.iter().try_for_each(Commit::check)?;
    let bytes = commits.iter().map(Commit::bytes).sum();
    if bytes > COMMITS_BYTES_MAX {
        return Err(CommitsError::TooLarge(bytes));
    }
    Ok(())
}

/// The digest of everything in `commits`.
#[must_use]
pub fn commits_digest(commits: &[Commit]) -> Digest {
    let mut hasher = PartsHasher::new("ringfence commits 1");
    for commit in commits {
        hasher
            .part("commit", commit.id.as_bytes())
            .part("author", commit.author.as_bytes())
            .part("message", commit.message.as_bytes())
            .part("parents", &commit.parents.to_le_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit() -> Commit {
        Commit {
            id: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            author: "A <a@example.org>".to_owned(),
            message: "fix: it\n".to_owned(),
            parents: 1,
        }
    }

    #[test]
    fn commits_have_bounds() {
        let with = |change: &dyn Fn(&mut Commit)| {
            let mut commit = commit();
            change(&mut commit);
            check_commits(&[commit]).map_err(|error| error.to_string())
        };
        assert_eq!(with(&|_| ()), Ok(()));
        assert_eq!(with(&|commit| commit.id = "a".repeat(64)), Ok(()));
        for id in [
            "",
            "HEAD",
            &"A".repeat(40),
            &"a".repeat(41),
            &"é".repeat(20),
        ] {
            let error = with(&|commit| commit.id = id.to_owned()).unwrap_err();
            assert!(error.contains("not the id of a commit"), "{error}");
        }
        let long = |bytes: usize| "x".repeat(bytes);
        assert_eq!(
            with(&|commit| commit.author = long(AUTHOR_BYTES_MAX)),
            Ok(())
        );
        assert_eq!(
            with(&|commit| commit.message = long(MESSAGE_BYTES_MAX)),
            Ok(())
        );
        let error = with(&|commit| commit.author = long(AUTHOR_BYTES_MAX + 1)).unwrap_err();
        assert!(error.contains("an author of 1025 bytes"), "{error}");
        let error = with(&|commit| commit.message = long(MESSAGE_BYTES_MAX + 1)).unwrap_err();
        assert!(error.contains("a message of 65537 bytes"), "{error}");
        let many = vec![commit(); COMMITS_MAX + 1];
        assert_eq!(check_commits(&many[..COMMITS_MAX]), Ok(()));
        assert_eq!(check_commits(&many), Err(CommitsError::TooMany(1001)));
        let mut large = commit();
        large.message = long(MESSAGE_BYTES_MAX);
        let large = vec![large; COMMITS_BYTES_MAX / MESSAGE_BYTES_MAX];
        assert!(matches!(
            check_commits(&large),
            Err(CommitsError::TooLarge(_))
        ));
    }

    #[test]
    fn the_digest_of_commits_covers_all_of_them() {
        let whole = commits_digest(&[commit()]);
        let changes: [fn(&mut Commit); 4] = [
            |commit| commit.id = "a".repeat(40),
            |commit| commit.author.push('x'),
            |commit| commit.message.push('x'),
            |commit| commit.parents = 2,
        ];
        for change in changes {
            let mut other = commit();
            change(&mut other);
            assert_ne!(commits_digest(&[other]), whole);
        }
        assert_ne!(commits_digest(&[]), whole);
        assert_ne!(commits_digest(&[commit(), commit()]), whole);
    }
}
