//! A change set as text: for gates and people, and as a patch that carries everything.
//!
//! **Invariant:** both are made from the two trees that were measured, not from the files.

use ringfence_core::change::ChangeSet;
use ringfence_core::relpath::RelPath;

use super::Workspace;
use crate::git::GitError;

/// Most lines of context around a change.
pub const CONTEXT_LINES_MAX: u32 = 1000;

// Limit: so many names fit on one command line everywhere.
const PATHS_PER_CALL: usize = 500;
// Limit: twice what a change may have, since binary data is written in a longer alphabet, with what it removes.
pub(crate) const PATCH_BYTES_MAX: usize = 512 << 20;

impl Workspace {
    /// The change to `paths` as a unified diff with `context_lines` (at most [`CONTEXT_LINES_MAX`]) of context. Binary
    /// files are named only. Empty when `paths` is.
    ///
    /// # Errors
    /// [`GitError`], also when the text has more than `bytes_max` bytes.
    pub fn unified_diff(
        &self,
        change: &ChangeSet,
        context_lines: u32,
        paths: &[RelPath],
        bytes_max: usize,
    ) -> Result<Vec<u8>, GitError> {
        let context = format!("-U{}", context_lines.min(CONTEXT_LINES_MAX));
        let mut text = Vec::new();
        for some in paths.chunks(PATHS_PER_CALL) {
            let call = self.store.git().call("diff-tree").args([
                "-r",
                "-p",
                "-M",
                "--no-ext-diff",
                "--no-textconv",
            ]);
            let call = call
                .arg(&context)
                .args([&change.base_tree, &change.candidate_tree])
                .arg("--");
            let call = call.args(
                some.iter()
                    .map(|path| format!(":(literal){}", path.as_str())),
            );
            text.extend(
                call.stdout_max(bytes_max.saturating_sub(text.len()))
                    .run()?,
            );
        }
        Ok(text)
    }

    /// The change as a patch that `git apply` turns the base into the candidate with, binary files included.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn patch(&self, change: &ChangeSet) -> Result<Vec<u8>, GitError> {
        let switches = [
            "-r",
            "-p",
            "--binary",
            "--full-index",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
        ];
        let call = self.store.git().call("diff-tree").args(switches);
        call.args([&change.base_tree, &change.candidate_tree])
            .stdout_max(PATCH_BYTES_MAX)
            .run()
    }
}
