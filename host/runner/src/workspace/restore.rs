//! Puts a change that was laid aside back into the checkout.
//!
//! **Invariant:** only the diff that the journal knows by its digest is applied, and to the files of the checkout alone: the
//! index stays that of the base, so that what comes out is measured like what an executor did. A part that does not fit
//! exactly is a conflict, never a guess.

use std::path::Path;

use ringfence_core::digest::Digest;

use super::Workspace;
use super::diff::PATCH_BYTES_MAX;
use crate::git::GitError;
use crate::settle::patch_diff;
use crate::state_dir::read_plain_bytes;

// Limit: the lines before a diff: the message of one beat.
const HEADER_BYTES_MAX: u64 = 64 << 10;

/// How far a change could be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restored {
    /// It is in the checkout.
    Whole,
    /// It is not, or not wholly: the checkout has to be reset.
    Impossible {
        /// Why, in one line.
        why: String,
    },
}

impl Workspace {
    /// Applies the diff in `file`, from the loop's folder, to the checkout, which must be at its base.
    ///
    /// # Errors
    /// [`GitError`] when git could not be run.
    pub fn restore(&self, file: &str, diff: &Digest) -> Result<Restored, GitError> {
        let impossible = |why: String| Ok(Restored::Impossible { why });
        let Some(bytes) = read_held(&self.dir().path().join(file)) else {
            return impossible(format!("{file} is gone, or cannot be read"));
        };
        let Some(found) = patch_diff(&bytes).filter(|found| Digest::of(found) == *diff) else {
            return impossible(format!("{file} is not what was laid aside"));
        };
        let git = self.checkout_git();
        let ended = git
            .call("apply")
            .args(["--whitespace=nowarn", "-"])
            .stdin(found.to_vec())
            .run_any()?;
        match ended.code {
            Some(0) => Ok(Restored::Whole),
            _ => impossible(format!(
                "it does not go together with the base: {}",
                ended.stderr
            )),
        }
    }
}

/// The bytes of a change that was laid aside.
pub(crate) fn read_held(path: &Path) -> Option<Vec<u8>> {
    read_plain_bytes(path, PATCH_BYTES_MAX as u64 + HEADER_BYTES_MAX)
}
