//! Trees that are no commit: what is staged, and a commit with a patch.
//!
//! **Invariant:** the user's index is copied and never written, and no other is judged in the place of the one that was named; a
//! patch that does not fit exactly is an error.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{Workspace, WorkspaceError, clean, lock_of, snapshot};
use crate::git::Git;
use crate::git::discover::UserRepo;
use crate::state_dir::open_plain;

impl Workspace {
    /// The tree of the user's index: of the one at `named`, which may be relative to the top of the working tree, or else of the
    /// repository's own. For a commit of some paths, or of everything that changed, git hands its hooks another one, and
    /// commits that.
    ///
    /// # Errors
    /// [`WorkspaceError::Index`] for a `named` that is not there, or is none that git would hand to a hook here;
    /// [`WorkspaceError::Git`] for an index that cannot be a tree, such as one in the middle of a merge.
    pub(crate) fn staged(
        &self,
        repo: &UserRepo,
        named: Option<&Path>,
    ) -> Result<String, WorkspaceError> {
        let git = self.spare_index()?;
        let own = repo.git_dir().join("index");
        let from = match named {
            Some(named) => in_git_dir(repo, &repo.top().join(named))?,
            None => own.clone(),
        };
        match open_plain(&from, File::options().read(true)) {
            Ok(mut file) => {
                let to = self.dir.index_user();
                File::create_new(&to)
                    .and_then(|mut to| io::copy(&mut file, &mut to))
                    .map_err(|source| WorkspaceError::Io {
                        path: to,
                        doing: "written",
                        source,
                    })?;
            }
            // Nothing was ever staged.
            Err(error) if error.kind() == io::ErrorKind::NotFound && from == own => {
                git.call("read-tree").arg("--empty").run()?;
            }
            Err(error) => return Err(unusable(from, error)),
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

/// The index at `path` with the folder it is in spelled without links, if that is the repository's.
fn in_git_dir(repo: &UserRepo, path: &Path) -> Result<PathBuf, WorkspaceError> {
    let dir = path.parent().and_then(|dir| fs::canonicalize(dir).ok());
    let dir = dir.filter(|dir| dir.starts_with(repo.git_dir()));
    match (dir, path.file_name()) {
        (Some(dir), Some(name)) => Ok(dir.join(name)),
        _ => Err(WorkspaceError::Index {
            path: path.to_owned(),
            why: "it is not in the git directory of this working tree",
        }),
    }
}

fn unusable(path: PathBuf, error: io::Error) -> WorkspaceError {
    let is_link = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_symlink());
    let why = match error.kind() {
        io::ErrorKind::NotFound => "it is not there",
        // `Other` is said of what is no regular file.
        io::ErrorKind::Other => "it is no regular file",
        _ if is_link => "it is a link",
        _ => {
            return WorkspaceError::Io {
                path,
                doing: "read",
                source: error,
            };
        }
    };
    WorkspaceError::Index { path, why }
}
