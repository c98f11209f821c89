//! Says what came of a publication that an earlier beat had begun, and removes what that beat left lying about.
//!
//! **Invariant:** removes only what this loop made and nobody can be using, since the loop's lock is held: temporary
//! files and lock files in the loop's folder, and the one ref lock that a pending intent names while its ref is not
//! there. A branch or patch is never removed. What became of a commit to a branch of the user's is for
//! [`settle::commit`](crate::settle::commit) to say.

use std::io;
use std::path::{Path, PathBuf};

use ringfence_core::ids::BeatNo;

use crate::git::GitError;
use crate::git::discover::UserRepo;
use crate::lock::LoopLock;
use crate::settle::{Intent, SettleError, is_as_judged, patch_candidate, sync_reference};
use crate::state_dir::{LoopDir, Origin, StateDirError, TEMP_PREFIX};
use crate::steps::{self, Steps};
use crate::store::{Store, remove_files};
use crate::workspace::{Workspace, clean};

/// What came of a pending publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It was completed.
    Published {
        /// The commit; none for a patch.
        commit: Option<String>,
    },
    /// Nothing of it can be seen.
    NotPublished,
}

/// Why nobody can say what came of it.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// Something else stands under the name that was to be published.
    #[error("{name} is there, and is not what this loop was about to publish")]
    NotOurs {
        /// The ref or file.
        name: String,
    },
    /// The journal's intent does not belong to this loop or this project.
    #[error("the journal names {name}, which this loop cannot have published")]
    ForeignIntent {
        /// The ref or file.
        name: String,
    },
    /// A leftover cannot be removed.
    #[error("what an earlier beat left in {} cannot be removed", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A commit was cut off, and files it had to do with were edited before it was undone.
    #[error(
        "beat {beat} was cut off while it changed the working tree, and some of these files were changed since, so nothing was put back: {paths}"
    )]
    Edited {
        /// The beat.
        beat: BeatNo,
        /// Each path, with what is wrong with it.
        paths: String,
    },
    /// Another git is at work, or was killed.
    #[error("a commit that was cut off cannot be brought to its end while {} is there", .0.display())]
    IndexLocked(PathBuf),
    /// The loop's folder cannot be used.
    #[error(transparent)]
    State(#[from] StateDirError),
    /// Flushing what was published failed.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// Git said no.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Removes what an earlier, killed beat of this loop left behind, and returns the files. Call it before
/// [`Workspace::open`].
///
/// # Errors
/// [`RecoveryError::Io`].
pub fn sweep(
    dir: &LoopDir,
    _lock: &LoopLock,
    steps: &dyn Steps,
) -> Result<Vec<PathBuf>, RecoveryError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| RecoveryError::Io { path, source }
    };
    let is_temp = |name: &[u8]| name.starts_with(TEMP_PREFIX.as_bytes());
    let is_index_lock = |name: &[u8]| name.starts_with(b"index") && name.ends_with(b".lock");
    let mut removed = remove_files(dir.path(), &|name| is_temp(name) || is_index_lock(name))
        .map_err(io(dir.path()))?;
    for sub in ["shadow", "proposals", "held", "memo"] {
        let sub = dir.path().join(sub);
        removed.extend(remove_files(&sub, &is_temp).map_err(io(&sub))?);
    }
    if dir.origin()? == Origin::Ours {
        // In a folder that was brought along, a link could lead anywhere; its store is thrown away soon.
        removed.extend(Store::sweep(dir).map_err(io(&dir.store()))?);
    }
    clean::empty(&dir.trash()).map_err(io(&dir.trash()))?;
    steps.at(steps::LEFTOVERS_REMOVED);
    Ok(removed)
}

/// Says what came of `intent`, which the journal has as begun and not as done.
///
/// A branch that is there is flushed once more; one that is not has a stale ref lock of its own removed.
///
/// # Errors
/// [`RecoveryError::NotOurs`] when something else has the name, [`RecoveryError::ForeignIntent`], [`RecoveryError::Git`].
pub fn look(ws: &Workspace, intent: &Intent) -> Result<Found, RecoveryError> {
    match intent {
        Intent::Patch {
            file,
            candidate_tree,
        } => look_at_patch(ws.dir(), file, candidate_tree),
        Intent::Branch {
            reference,
            base_commit,
            candidate_tree,
        } => {
            let prefix = format!("refs/heads/ringfence/{}/", ws.dir().loop_id());
            let beat = reference
                .strip_prefix(&prefix)
                .filter(|beat| beat.parse::<u64>().is_ok());
            let (Some(repo), Some(_)) = (ws.project().repository(), beat) else {
                return Err(RecoveryError::ForeignIntent {
                    name: reference.clone(),
                });
            };
            look_at_branch(ws, repo, reference, base_commit, candidate_tree)
        }
    }
}

fn look_at_branch(
    ws: &Workspace,
    repo: &UserRepo,
    reference: &str,
    base_commit: &str,
    candidate_tree: &str,
) -> Result<Found, RecoveryError> {
    let Some(commit) = repo.resolve(reference)? else {
        remove_ref_lock(repo, reference)?;
        return Ok(Found::NotPublished);
    };
    if !is_as_judged(
        ws.store().commit(&commit)?.as_ref(),
        base_commit,
        candidate_tree,
    ) {
        return Err(RecoveryError::NotOurs {
            name: reference.to_owned(),
        });
    }
    sync_reference(repo, reference)?;
    Ok(Found::Published {
        commit: Some(commit),
    })
}

/// Our own git made it if anybody did: the ref was not there when the intent was written, and is not there now.
fn remove_ref_lock(repo: &UserRepo, reference: &str) -> Result<(), RecoveryError> {
    let mut path = repo.common_dir().to_owned();
    for part in reference.split('/') {
        let is_dir = std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir());
        if !is_dir {
            return Ok(());
        }
        path.push(part);
    }
    path.as_mut_os_string().push(".lock");
    clean::remove_file_if_there(&path).map_err(|source| RecoveryError::Io { path, source })
}

fn look_at_patch(dir: &LoopDir, file: &str, candidate_tree: &str) -> Result<Found, RecoveryError> {
    let is_ours = ["shadow/", "proposals/", "held/"].iter().any(|folder| {
        let beat = file
            .strip_prefix(folder)
            .and_then(|name| name.strip_suffix(".patch"));
        beat.is_some_and(|beat| beat.parse::<u64>().is_ok())
    });
    if !is_ours {
        return Err(RecoveryError::ForeignIntent {
            name: file.to_owned(),
        });
    }
    let path = dir.path().join(file);
    match patch_candidate(&path) {
        Ok(Some(found)) if found == candidate_tree => Ok(Found::Published { commit: None }),
        Ok(None) if std::fs::symlink_metadata(&path).is_err() => Ok(Found::NotPublished),
        Ok(_) => Err(RecoveryError::NotOurs {
            name: file.to_owned(),
        }),
        Err(source) => Err(RecoveryError::Io { path, source }),
    }
}

#[cfg(test)]
mod tests;
