//! What an executor did, as the host measured it.
//!
//! **Invariant:** files are sorted by path and each path stands once; the digest covers both trees, every path, mode and
//! blob, from which the other fields follow.

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
