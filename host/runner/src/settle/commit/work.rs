//! A commit to the checked-out branch: each of its parts, forwards and backwards.
//!
//! **Invariant:** whatever stops it, either everything is as it was, or the log stays and says what is left to do.

use std::fs;
use std::io;

use super::apply::{Applied, Ground};
use super::branch::{self, Move, Seat};
use super::change::fits;
use super::check::Layout;
use super::index::{Index, Place};
use super::log::{self, Log, staged_name};
use super::tree::Tree;
use super::{Conflict, io_at, is_free, list, moved};
use crate::git::discover::UserRepo;
use crate::git::{Git, GitError};
use crate::recovery::RecoveryError;
use crate::settle::{SettleError, sync};
use crate::state_dir::LoopDir;
use crate::steps::{self, Steps};
use crate::workspace::{Workspace, clean};

/// Why a commit did not come about, and whether everything is as it was.
pub(super) struct Stopped {
    pub(super) error: SettleError,
    pub(super) is_clean: bool,
}

impl Stopped {
    fn clean(error: SettleError) -> Self {
        Self {
            error,
            is_clean: true,
        }
    }

    /// The rest is for the next beat, which looks at what is there.
    fn open(error: SettleError) -> Self {
        Self {
            error,
            is_clean: false,
        }
    }
}

/// A commit to the checked-out branch under way.
pub(super) struct Work<'a> {
    pub(super) ws: &'a Workspace,
    pub(super) repo: &'a UserRepo,
    pub(super) git: Git,
    pub(super) steps: &'a dyn Steps,
}

impl Work<'_> {
    fn dir(&self) -> &LoopDir {
        self.ws.dir()
    }

    fn index(&self, place: &Place<'_>) -> Result<Index, GitError> {
        Index::read(&self.git, self.repo.top(), &place.file())
    }

    fn on_ground<T>(
        &self,
        work: impl FnOnce(Ground<'_>) -> io::Result<T>,
    ) -> Result<T, SettleError> {
        let tree = Tree::open(self.repo.top()).map_err(io_at(self.repo.top()))?;
        let staged = Tree::open(&self.dir().commit()).map_err(io_at(&self.dir().commit()))?;
        if !tree.shares_device(&staged) {
            return Err(io_at(staged.path())(io::Error::other(
                "it lies on another file system than the working tree",
            )));
        }
        work(Ground {
            tree: &tree,
            staged: &staged,
        })
        .map_err(io_at(tree.path()))
    }

    /// Looks once more, now that nobody else can write the index, and gets it ready; the log is on disk then.
    fn begin(&self, log: &mut Log, place: &Place<'_>) -> Result<(), SettleError> {
        if is_free(self.repo, &log.reference, &log.base_commit)? != Seat::Here {
            return Err(Conflict::Switched.into());
        }
        let Layout { made, gone, .. } = fits(self.repo, &self.git, &log.entries)?;
        (log.made, log.gone) = (made, gone);
        place.prepare(&self.git, &log.entries.iter().collect::<Vec<_>>())?;
        self.steps.at(steps::INDEX_PREPARED);
        log.write(self.dir())
            .map_err(io_at(&log::path(self.dir())))?;
        self.steps.at(steps::COMMIT_LOGGED);
        Ok(())
    }

    /// Files, branch and index, in this order.
    pub(super) fn move_all(&self, log: &mut Log, place: &Place<'_>) -> Result<(), Stopped> {
        self.begin(log, place).map_err(Stopped::clean)?;
        let applied = self.on_ground(|ground| ground.apply(log, self.steps));
        let moved = match applied {
            Ok(Applied::Done) => self.swap(&log.reference, &log.base_commit, &log.commit, true),
            Ok(Applied::InTheWay(paths)) => Err(Conflict::InTheWay(paths).into()),
            Err(error) => return Err(self.undo(log, place, error)),
        };
        match moved {
            Ok(()) => {}
            Err(error) if error.leaves_nothing() => return Err(self.undo(log, place, error)),
            // The branch may have moved: that is for the next beat to find out.
            Err(error) => return Err(Stopped::open(error)),
        }
        place
            .replace()
            .map_err(io_at(&place.file()))
            .map_err(Stopped::open)?;
        self.steps.at(steps::INDEX_REPLACED);
        Ok(())
    }

    /// Takes the files out again, because of `error`; the branch has not moved.
    fn undo(&self, log: &Log, place: &Place<'_>, error: SettleError) -> Stopped {
        match self.go_back(log, place) {
            Ok(Applied::Done) => Stopped::clean(error),
            Ok(Applied::InTheWay(paths)) => Stopped::open(SettleError::HalfWay(list(&paths))),
            Err(other) => Stopped::open(SettleError::HalfWay(other.to_string())),
        }
    }

    pub(super) fn go_back(&self, log: &Log, place: &Place<'_>) -> Result<Applied, RecoveryError> {
        let index = self.index(place)?;
        Ok(self.on_ground(|ground| ground.roll_back(log, &index, self.steps))?)
    }

    /// Brings the index along after the branch; where somebody has switched or committed since, it is theirs.
    pub(super) fn go_on(&self, log: &Log, place: &Place<'_>) -> Result<(), RecoveryError> {
        let is_here = branch::head(self.repo)?.as_deref() == Some(log.reference.as_str());
        if !is_here || self.repo.resolve(&log.reference)?.as_deref() != Some(log.commit.as_str()) {
            return Ok(());
        }
        let index = self.index(place)?;
        let behind: Vec<_> = log
            .entries
            .iter()
            .filter(|entry| index.has(&entry.path, entry.old.as_ref()))
            .collect();
        if !behind.is_empty() {
            place
                .prepare(&self.git, &behind)
                .map_err(SettleError::from)?;
            place.replace().map_err(io_at(&place.file()))?;
        }
        self.steps.at(steps::INDEX_REPLACED);
        Ok(())
    }

    /// Moves the branch, and flushes it.
    pub(super) fn swap(
        &self,
        reference: &str,
        from: &str,
        to: &str,
        is_here: bool,
    ) -> Result<(), SettleError> {
        match branch::swap(self.repo, &self.git, reference, from, to) {
            Ok(Move::Done) => {}
            Ok(Move::Elsewhere(found)) => return Err(moved(reference, from, found)),
            Ok(Move::Locked(why)) => return Err(Conflict::Locked(why).into()),
            Err(error) => {
                // If it was killed, its locks are ours to remove; whether it had moved the branch is found out later.
                branch::clear_locks(self.repo, reference, to, is_here)
                    .map_err(io_at(self.repo.common_dir()))?;
                return Err(error.into());
            }
        }
        self.steps.at(steps::TARGET_MOVED);
        sync::reference(self.repo.common_dir(), reference)?;
        self.steps.at(steps::TARGET_SYNCED);
        Ok(())
    }

    /// Clears away what was needed for it. `is_moved` when the change stays.
    pub(super) fn end(
        &self,
        log: &Log,
        place: &Place<'_>,
        is_moved: bool,
    ) -> Result<(), SettleError> {
        let folder = self.dir().commit();
        if is_moved {
            self.on_ground(|ground| ground.prune(log))?;
            self.keep_late(log)?;
        }
        Log::remove(self.dir()).map_err(io_at(&log::path(self.dir())))?;
        self.steps.at(steps::COMMIT_LOG_REMOVED);
        place
            .unlock(&log.lock_text())
            .map_err(io_at(&place.lock_file()))?;
        self.steps.at(steps::INDEX_UNLOCKED);
        clean::discard(&folder, &self.dir().trash()).map_err(io_at(&folder))
    }

    /// A program that had a file open wrote to the old one after it had been replaced: what it wrote is kept.
    fn keep_late(&self, log: &Log) -> Result<(), SettleError> {
        let late = self.on_ground(|ground| {
            let late = ground.written_late(log)?;
            Ok(late
                .into_iter()
                .map(|(number, entry)| (number, entry.path.to_string()))
                .collect::<Vec<_>>())
        })?;
        if late.is_empty() {
            return Ok(());
        }
        let kept = self.dir().kept();
        fs::create_dir_all(&kept).map_err(io_at(&kept))?;
        for (number, path) in late {
            let to = kept.join(format!("{}-{number}", log.beat));
            fs::rename(self.dir().commit().join(staged_name(number)), &to).map_err(io_at(&to))?;
            tracing::warn!(path, kept = %to.display(), "a file was written to after it had been replaced; its bytes are kept");
        }
        Ok(())
    }
}
