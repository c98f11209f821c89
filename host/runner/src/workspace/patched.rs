//! Trees that are no commit: what is staged, and a commit with a patch.
//!
//! **Invariant:** the user's index is copied and never written; a patch that does not fit exactly is an error.

use std::fs;
use std::io;

use super::{Workspace, WorkspaceError, clean, lock_of, snapshot};
use crate::git::Git;
use crate::git::discover::UserRepo;

impl Workspace {
    /// The tree of the user's index.
    ///
    /// # Errors
    /// [`WorkspaceError::Git`] for an index that cannot be a tree, such as one in the middle of a merge.
    pub(crate) fn staged(&self, repo: &UserRepo) -> Result<String, WorkspaceError> {
        let git = self.spare_index()?;
        let (from, to) = (repo.git_dir().join("index"), self.dir.index_user());
        match fs::copy(&from, &to) {
            Ok(_) => {}
            // Nothing was ever staged.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                git.call("read-tree").arg("--empty").run()?;
            }
            Err(source) => {
                return Err(WorkspaceError::Io {
                    path: from,
                    doing: "read",
                    source,
                });
            }
        }
        Ok(snapshot::write_tree(&git)?)
    }

    /// The tree that `patch`, a unified diff as git writes it, makes of `tree`.
    ///
    /// # Errors
    /// [`WorkspaceError::Git`] for a patch that does not fit, or names what no tree can have.
    pub(crate) fn patched(&self, tree: &str, patch: Vec<u8>) -> Result<String, WorkspaceError> {
        let git = self.spare_index()?;
        git.call("read-tree").arg(tree).run()?;
        git.call("apply")
            .args(["--cached", "--whitespace=nowarn", "-"])
            .stdin(patch)
            .run()?;
        Ok(snapshot::write_tree(&git)?)
    }

    /// Git with an index that nothing is in; the one that snapshots are taken with, which is made again from a tree.
    fn spare_index(&self) -> Result<Git, WorkspaceError> {
        let index = self.dir.index_user();
        for path in [lock_of(&index), index.clone()] {
            clean::remove_file_if_there(&path).map_err(|source| WorkspaceError::Io {
                path,
                doing: "written",
                source,
            })?;
        }
        // No file below it is looked at.
        Ok(self.store.git().with_tree(self.dir.path(), &index))
    }
}
