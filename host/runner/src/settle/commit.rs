//! Level L3: moves a branch of the user's on by one commit and, where it is checked out, brings index and files along.
//!
//! What anybody can see comes in this order: the lock on the index, the files, the branch, the index, the lock again. The
//! branch decides: a beat that was cut off before it moved is undone, one that was cut off after is finished.
//! `log` has what both need, `check` says whether the change fits, `apply` moves the files, `branch` and `index`
//! are git's side.
//!
//! **Invariant:** no edit of the user's is overwritten, whenever it was made: a path that differs from the base, or from
//! what this beat put there, ends the commit or its recovery, and is named.

mod apply;
mod branch;
mod change;
mod check;
mod index;
mod log;
mod tree;
mod work;

use std::io;
use std::path::{Path, PathBuf};

use ringfence_core::ids::BeatNo;

pub use self::branch::{TargetError, target};
pub use self::check::InTheWay;

use self::apply::Applied;
use self::branch::Seat;
use self::change::{entries_of, fits};
use self::index::Place;
use self::log::{Entry, Log, lock_text};
use self::work::{Stopped, Work};
use super::{SettleError, Settlement, import, is_as_judged, sync};
use crate::git::discover::UserRepo;
use crate::git::output::is_id;
use crate::git::{GitError, failed};
use crate::recovery::RecoveryError;
use crate::state_dir::Origin;
use crate::steps::{self, Steps};
use crate::workspace::{Workspace, clean};

// Limit: what a person reads of a list; the others are counted.
const SHOWN_MAX: usize = 10;
/// Somebody else's work that a commit would disturb. Nothing was changed, and the next beat may try again.
#[derive(Debug, thiserror::Error)]
pub enum Conflict {
    /// The branch is not where the beat began.
    #[error("{reference} is at {found}, and the beat began at {expected}")]
    Moved {
        /// Its full name.
        reference: String,
        /// Where the beat began.
        expected: String,
        /// Where it is; `no commit` when it is gone.
        found: String,
    },
    /// Another working tree has the branch checked out.
    #[error("{reference} is checked out in {tree}, whose files cannot be brought along")]
    Elsewhere {
        /// Its full name.
        reference: String,
        /// The other working tree.
        tree: String,
    },
    /// Another branch was checked out, or this one, while the beat ran.
    #[error("another branch was checked out while the beat ran")]
    Switched,
    /// A merge, a rebase or the like is not finished.
    #[error("{0}: finish it, or give it up")]
    UnderWay(String),
    /// Another git holds a lock.
    #[error("another git is at work, or left a lock behind: {0}")]
    Locked(String),
    /// Paths of the change are not as they were committed.
    #[error("the working tree is in the way: {}; commit, stash or move it", list(.0))]
    InTheWay(Vec<InTheWay>),
}

/// A commit that is in the object database, and what has to be moved so that it counts.
#[derive(Debug)]
pub struct Prepared {
    /// The full name of the branch.
    pub reference: String,
    /// Where it is.
    pub base_commit: String,
    /// Where it is to be.
    pub commit: String,
    /// True when index and files have to be brought along.
    pub working_tree: bool,
    entries: Vec<Entry>,
}

/// What the journal says of a commit that was begun.
#[derive(Debug, Clone, Copy)]
pub struct Begun<'a> {
    /// By which beat.
    pub beat: BeatNo,
    /// The full name of the branch.
    pub reference: &'a str,
    /// Where it was.
    pub base_commit: &'a str,
    /// Where it was to be.
    pub commit: &'a str,
}

/// Writes the commit into the object database and gets ready whatever can be got ready unseen. Nothing that the user can
/// see is changed.
///
/// # Errors
/// [`SettleError`]; [`SettleError::Conflict`] when it is clear already that the commit cannot be made.
pub fn prepare(
    ws: &Workspace,
    what: &Settlement<'_>,
    reference: &str,
    steps: &dyn Steps,
) -> Result<Prepared, SettleError> {
    if what.change.is_empty() {
        return Err(SettleError::Empty);
    }
    let repo = ws.project().repository().ok_or(SettleError::NoRepository)?;
    let base_commit = what.base.commit.clone().ok_or(SettleError::NoRepository)?;
    ws.verify(what.base, what.change, steps)?;
    let git = repo.git_without_hooks()?;
    let working_tree = is_free(repo, reference, &base_commit)? == Seat::Here;
    let mut entries = Vec::new();
    if working_tree {
        let (made, blobs) = entries_of(ws, &what.change.files)?;
        let layout = fits(repo, &git, &made)?;
        log::stage(ws.dir(), &made, &blobs, &layout.permissions)
            .map_err(io_at(&ws.dir().commit()))?;
        entries = made;
        steps.at(steps::COMMIT_STAGED);
    }
    let commit = import::import(ws, &git, what, &base_commit, steps)?;
    steps.at(steps::OBJECTS_IMPORTED);
    if !is_as_judged(
        ws.store().commit(&commit)?.as_ref(),
        &base_commit,
        &what.change.candidate_tree,
    ) {
        return Err(SettleError::NotAsJudged { commit });
    }
    sync::objects(ws.store(), repo.common_dir(), &commit, what.change)?;
    steps.at(steps::COMMIT_VERIFIED);
    Ok(Prepared {
        reference: reference.to_owned(),
        base_commit,
        commit,
        working_tree,
        entries,
    })
}

/// Moves the branch to a commit that was prepared.
///
/// # Errors
/// [`SettleError`]; after one that may have left something, [`recover`] says what is there.
pub fn carry_out(
    ws: &Workspace,
    beat: BeatNo,
    what: Prepared,
    steps: &dyn Steps,
) -> Result<(), SettleError> {
    let repo = ws.project().repository().ok_or(SettleError::NoRepository)?;
    let work = Work {
        ws,
        repo,
        git: repo.git_without_hooks()?,
        steps,
    };
    if !what.working_tree {
        if is_free(repo, &what.reference, &what.base_commit)? != Seat::Nobody {
            return Err(Conflict::Switched.into());
        }
        work.swap(&what.reference, &what.base_commit, &what.commit, false)?;
        return Ok(());
    }
    let mut log = Log::new(
        ws.dir().loop_id(),
        beat,
        &what.reference,
        &what.base_commit,
        &what.commit,
        what.entries,
    );
    let place = Place::new(repo, ws.dir());
    let text = log.lock_text();
    if !place.lock(&text).map_err(io_at(&place.lock_file()))? {
        return Err(Conflict::Locked(place.lock_file().display().to_string()).into());
    }
    steps.at(steps::INDEX_LOCKED);
    match work.move_all(&mut log, &place) {
        Ok(()) => work.end(&log, &place, true),
        Err(Stopped { error, is_clean }) => {
            if is_clean {
                work.end(&log, &place, false)?;
            }
            Err(error)
        }
    }
}

/// Brings to an end what a beat that was cut off had begun, forwards or backwards, and says which: the commit, when the
/// branch has it, and a note for people.
///
/// # Errors
/// [`RecoveryError::Edited`] when files were edited since; then nothing is touched.
pub fn recover(
    ws: &Workspace,
    begun: Begun<'_>,
    steps: &dyn Steps,
) -> Result<(Option<String>, String), RecoveryError> {
    let Begun {
        beat,
        reference,
        base_commit,
        commit,
    } = begun;
    let foreign = || RecoveryError::ForeignIntent {
        name: reference.to_owned(),
    };
    let repo = ws.project().repository().ok_or_else(foreign)?;
    if !branch::is_branch(reference) || !is_id(base_commit) || !is_id(commit) {
        return Err(foreign());
    }
    let place = Place::new(repo, ws.dir());
    let text = lock_text(ws.dir().loop_id(), beat, commit);
    let is_locked = place.holds(&text);
    if ws.origin() == Origin::Ours {
        branch::clear_locks(repo, reference, commit, is_locked).map_err(|source| {
            RecoveryError::Io {
                path: repo.common_dir().join(reference),
                source,
            }
        })?;
    }
    let touched = finish(ws, steps)?;
    place.unlock(&text).map_err(|source| RecoveryError::Io {
        path: place.lock_file(),
        source,
    })?;
    if !has(ws, repo, reference, base_commit, commit)? {
        let files = if touched {
            "; the files are as they were"
        } else {
            "; nothing is left of it"
        };
        return Ok((
            None,
            format!("beat {beat} was cut off before it had moved {reference}{files}"),
        ));
    }
    super::sync_reference(repo, reference)?;
    let files = if touched {
        "; files and index have been brought along"
    } else {
        ""
    };
    Ok((
        Some(commit.to_owned()),
        format!("beat {beat} was cut off after it had moved {reference}{files}"),
    ))
}

/// Finishes or undoes what a log in the loop's folder tells of, whoever wrote it; true when there was one.
///
/// # Errors
/// As [`recover`].
pub fn finish(ws: &Workspace, steps: &dyn Steps) -> Result<bool, RecoveryError> {
    let dir = ws.dir();
    let io = |path: PathBuf| move |source| RecoveryError::Io { path, source };
    let log = Log::read(dir).map_err(io(log::path(dir)))?;
    let (Some(log), Some(repo)) = (log, ws.project().repository()) else {
        clean::discard(&dir.commit(), &dir.trash()).map_err(io(dir.commit()))?;
        return Ok(false);
    };
    let place = Place::new(repo, dir);
    if !place
        .lock(&log.lock_text())
        .map_err(io(place.lock_file()))?
    {
        return Err(RecoveryError::IndexLocked(place.lock_file()));
    }
    let work = Work {
        ws,
        repo,
        git: repo.git_without_hooks()?,
        steps,
    };
    let is_moved = has(ws, repo, &log.reference, &log.base_commit, &log.commit)?;
    if is_moved {
        work.go_on(&log, &place)?;
    } else if let Applied::InTheWay(paths) = work.go_back(&log, &place)? {
        // The lock would keep the person from putting things in order.
        place
            .unlock(&log.lock_text())
            .map_err(io(place.lock_file()))?;
        return Err(RecoveryError::Edited {
            beat: log.beat,
            paths: list(&paths),
        });
    }
    work.end(&log, &place, is_moved)?;
    Ok(true)
}

/// True when the branch has the commit, at its end or further down.
fn has(
    ws: &Workspace,
    repo: &UserRepo,
    reference: &str,
    base_commit: &str,
    commit: &str,
) -> Result<bool, GitError> {
    match repo.resolve(reference)?.as_deref() {
        None => Ok(false),
        Some(found) if found == commit => Ok(true),
        Some(found) if found == base_commit => Ok(false),
        Some(found) => {
            let git = ws.store().git();
            let said = git
                .call("merge-base")
                .args(["--is-ancestor", commit, found])
                .run_any()?;
            match said.code {
                Some(0) => Ok(true),
                Some(1) => Ok(false),
                // The commit is not there any more, so nothing can be built on it.
                _ if ws.store().commit(commit)?.is_none() => Ok(false),
                _ => Err(failed("merge-base", &said)),
            }
        }
    }
}

/// Who sits on the branch, if it is where it should be and nobody is in the midst of something.
fn is_free(repo: &UserRepo, reference: &str, base_commit: &str) -> Result<Seat, SettleError> {
    let seat = branch::seat(repo, reference)?;
    if let Seat::Elsewhere(tree) = seat {
        return Err(Conflict::Elsewhere {
            reference: reference.to_owned(),
            tree,
        }
        .into());
    }
    if let Some(what) = branch::under_way(repo, reference, seat == Seat::Here) {
        return Err(Conflict::UnderWay(what).into());
    }
    let found = repo.resolve(reference)?;
    if found.as_deref() != Some(base_commit) {
        return Err(moved(reference, base_commit, found));
    }
    Ok(seat)
}

fn moved(reference: &str, base_commit: &str, found: Option<String>) -> SettleError {
    let conflict = Conflict::Moved {
        reference: reference.to_owned(),
        expected: base_commit.to_owned(),
        found: found.unwrap_or_else(|| "no commit".to_owned()),
    };
    conflict.into()
}

fn io_at(path: &Path) -> impl Fn(io::Error) -> SettleError + use<> {
    let path = path.to_owned();
    move |source| SettleError::Io {
        path: path.clone(),
        source,
    }
}

fn list(paths: &[InTheWay]) -> String {
    let shown = paths
        .iter()
        .take(SHOWN_MAX)
        .map(|one| format!("{} ({})", one.path, one.why));
    let more = paths.len().saturating_sub(SHOWN_MAX);
    let more = (more > 0).then(|| format!("and {more} more"));
    shown.chain(more).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
