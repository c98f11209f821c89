//! The scratch copy of a tree for a program that runs unconfined.
//!
//! **Invariant:** what is hidden is not in the copy. The tree is only read.

use std::io;

use tempfile::TempDir;

use super::hidden::{Found, walk};
use super::{Command, NativeError};

/// A copy, and a home beside it; gone when this is dropped.
pub(super) struct Copy(TempDir);

impl Copy {
    /// Copies the tree of `command`.
    pub(super) fn of(command: &Command) -> Result<Self, NativeError> {
        let failed = |error: io::Error| NativeError::Failed(format!("no scratch copy: {error}"));
        let dir = tempfile::Builder::new()
            .prefix("ringfence-")
            .tempdir()
            .map_err(failed)?;
        let copy = Self(dir);
        for part in [copy.tree(), copy.home()] {
            std::fs::create_dir(part).map_err(failed)?;
        }
        walk(command, &mut |found| match found {
            Found::Hidden(_) => Ok(()),
            Found::Shown(path, kind) => {
                let (from, to) = (command.tree.join(path), copy.tree().join(path));
                if kind.is_dir() {
                    std::fs::create_dir(to)
                } else if kind.is_symlink() {
                    std::os::unix::fs::symlink(std::fs::read_link(from)?, to)
                } else if kind.is_file() {
                    std::fs::copy(from, to).map(drop)
                } else {
                    Ok(())
                }
            }
        })?;
        Ok(copy)
    }

    /// Where the tree is.
    pub(super) fn tree(&self) -> std::path::PathBuf {
        self.0.path().join("tree")
    }

    /// An empty directory.
    pub(super) fn home(&self) -> std::path::PathBuf {
        self.0.path().join("home")
    }
}
