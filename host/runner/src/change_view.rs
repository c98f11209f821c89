//! A measured change as gates are shown it: files from the change set, bytes and diffs from the private store.

use std::io;

use ringfence_core::change::{ChangeSet, FileChange};
use ringfence_core::relpath::RelPath;
use ringfence_sandbox::ChangeSource;

use crate::calls::chain;
use crate::git::GitError;
use crate::workspace::Workspace;

/// One change of one workspace. Holds the store, not the checkout: what is read here is what was measured.
pub struct ChangeView {
    workspace: Workspace,
    change: ChangeSet,
}

impl ChangeView {
    /// Shows `change`, which was measured in `workspace`.
    #[must_use]
    pub fn new(workspace: &Workspace, change: &ChangeSet) -> Self {
        Self {
            workspace: workspace.clone(),
            change: change.clone(),
        }
    }
}

impl ChangeSource for ChangeView {
    fn files(&self) -> &[FileChange] {
        &self.change.files
    }

    fn read_base(&self, path: &RelPath, max: u64) -> io::Result<Option<Vec<u8>>> {
        let changed = self.change.files.iter().find(|file| file.path == *path);
        let blob = match changed {
            Some(file) if file.old_blob.is_empty() => None,
            Some(file) => Some(file.old_blob.clone()),
            None => self
                .workspace
                .blob_at(&self.change.base_tree, path)
                .map_err(failed)?,
        };
        let bytes_max = usize::try_from(max).unwrap_or(usize::MAX);
        blob.map(|blob| self.workspace.read_blob(&blob, bytes_max).map_err(failed))
            .transpose()
    }

    fn unified_diff(&self, context: u32, paths: &[RelPath], max: u64) -> io::Result<String> {
        let bytes_max = usize::try_from(max).unwrap_or(usize::MAX);
        let diff = self
            .workspace
            .unified_diff(&self.change, context, paths, bytes_max)
            .map_err(failed)?;
        Ok(String::from_utf8_lossy(&diff).into_owned())
    }
}

/// Messages for a guest: no path of the host in them.
fn failed(error: GitError) -> io::Error {
    tracing::debug!(error = chain(&error), "a gate's look at the change failed");
    io::Error::other("the bytes cannot be had, or are too many")
}
