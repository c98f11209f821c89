//! A tree with only some of another one's files, so that a checkout costs no more than what is read of it.

use ringfence_core::relpath::RelPath;

use super::{Workspace, WorkspaceError, clean, lock_of, snapshot};
use crate::git::output::records;

impl Workspace {
    /// The tree that has those files of `tree` that `keep` wants; names that no policy can be asked about are left out.
    ///
    /// # Errors
    /// [`WorkspaceError::Git`] when the tree cannot be read, [`WorkspaceError::Io`].
    pub(crate) fn view(
        &self,
        tree: &str,
        keep: &dyn Fn(&RelPath) -> bool,
    ) -> Result<String, WorkspaceError> {
        let git = self.store.git();
        let listed = git
            .call("ls-tree")
            .args(["-r", "-z", "--full-tree", tree])
            .run()?;
        let mut kept = Vec::new();
        for record in records("ls-tree", &listed)? {
            let name = record.splitn(2, |byte| *byte == b'\t').nth(1);
            let path = name.and_then(|name| std::str::from_utf8(name).ok());
            let path = path.and_then(|path| RelPath::lexical(path).ok());
            // A submodule has no file to read.
            if !record.starts_with(b"160000 ") && path.as_ref().is_some_and(keep) {
                kept.extend_from_slice(record);
                kept.push(0);
            }
        }
        let index = self.dir.path().join("index-view");
        let io = |source| WorkspaceError::Io {
            path: index.clone(),
            doing: "written",
            source,
        };
        clean::remove_file_if_there(&lock_of(&index)).map_err(io)?;
        clean::remove_file_if_there(&index).map_err(io)?;
        // No file below it is looked at.
        let git = git.with_tree(self.dir.path(), &index);
        git.call("update-index")
            .args(["-z", "--index-info"])
            .stdin(kept)
            .run()?;
        Ok(snapshot::write_tree(&git)?)
    }
}
