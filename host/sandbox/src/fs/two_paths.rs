//! Verbs on two paths: `rename-at`, `link-at`. Both are judged, and so is everything a directory carries along.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use ringfence_core::policy::{Access, Rule};
use ringfence_core::relpath::{PathError, RelPath};
use rustix::fs::{AtFlags, FileType, RenameFlags, Stat};
use rustix::io::Errno;

use super::Fs;
use super::links::judge_other_names;
use super::lone::settle;
use super::place::{Place, Spot};
use super::search::{self, Seen};
use super::stop::{Answer, Stop, denied, settled};
use super::sys;
use super::walk::{Entry, LastLink, mount_point};
use crate::bindings::wasi::filesystem::types::ErrorCode;

impl Fs {
    pub(super) fn rename_at(
        &mut self,
        from: &Arc<Place>,
        old: &str,
        to: &Arc<Place>,
        new: &str,
    ) -> Answer<()> {
        let (old, new, stat) = settled(|| {
            let old = self.entry_to_change(from, old, ErrorCode::Busy)?;
            let new = self.entry_to_change(to, new, ErrorCode::Busy)?;
            let judged = self.judge_rename(&old, &new)?;
            Ok(judged.map(|stat| (old, new, stat)))
        })?;
        rustix::fs::renameat(old.parent.fd(), &old.name, new.parent.fd(), &new.name)?;
        old.parent.tree.other_names.forget();
        if self.judge_arrived(&old, &new, &stat)? {
            self.dirs_moved(&old, &new);
        }
        Ok(())
    }

    /// What is to be moved. None: the entry is something else by now.
    fn judge_rename(&self, old: &Entry, new: &Entry) -> Answer<Option<Stat>> {
        let Some(stat) = old.stat else {
            return Err(ErrorCode::NoEntry.into());
        };
        same_tree(old, new)?;
        judge_move(&old.spot, &new.spot)?;
        if sys::file_type(&stat) == FileType::Directory {
            let dir = match old.parent.tree.open_dir(old.parent.fd(), &old.name) {
                Err(Errno::XDEV) => return mount_point(&old.spot.path, Access::Write),
                opened => opened?,
            };
            self.judge_carried(&dir, &old.spot.path, old, new)?;
            return Ok(Some(stat));
        }
        if old.must_be_dir || new.must_be_dir {
            return Err(ErrorCode::NotDirectory.into());
        }
        let tree = &old.parent.tree;
        judge_other_names(tree, &stat, &old.spot, Access::Write, &self.meter)?;
        settle(old, &stat)
    }

    /// Looks at a directory once more where it has arrived: what others put into it after it was judged is no longer under
    /// the path that denies it. Then it goes back, and the call ends, for there is no way back that nobody could cross.
    /// True for a directory.
    fn judge_arrived(&self, old: &Entry, new: &Entry, judged: &Stat) -> Answer<bool> {
        let is_dir = |stat: &Stat| sys::file_type(stat) == FileType::Directory;
        let Ok(arrived) = sys::look(new.parent.fd(), &new.name) else {
            return Ok(is_dir(judged));
        };
        if !is_dir(&arrived) {
            self.judge_other(old, new, &arrived, judged)?;
            return Ok(is_dir(judged));
        }
        match self.judge_late(old, new) {
            Ok(()) => Ok(true),
            // Ends with this call: what it was charged is more than it had.
            Err(stop) if self.meter.is_over() => Err(stop),
            Err(_) => {
                if sys::same_file(&arrived, judged) {
                    take_back(old, new)?;
                }
                let why = format!("{} was changed while it was being moved", old.spot.path);
                Err(Stop::Broken(std::io::Error::other(why)))
            }
        }
    }

    /// Puts a file back that somebody has put in the place of the one that was judged, and that may not be moved.
    fn judge_other(&self, old: &Entry, new: &Entry, arrived: &Stat, judged: &Stat) -> Answer<()> {
        if sys::same_file(arrived, judged) {
            return Ok(());
        }
        let tree = &new.parent.tree;
        let verdict = judge_other_names(tree, arrived, &new.spot, Access::Write, &self.meter);
        if verdict.is_err() {
            take_back(old, new)?;
            tree.other_names.forget();
        }
        verdict
    }

    /// Refuses what is in the new place and might not have left the old one.
    fn judge_late(&self, old: &Entry, new: &Entry) -> Answer<()> {
        let dir = new.parent.tree.open_dir(new.parent.fd(), &new.name)?;
        let at = &new.spot.path;
        search::below(dir.as_fd(), at, &self.meter, &mut |seen| match seen {
            Seen::Entry(path, _) => {
                let below: Vec<&str> = path.names().skip(at.names().count()).collect();
                judge_leaving(&descend(&old.spot, &below)?, &descend(&new.spot, &below)?)
            }
            // What cannot be spelled or opened is out of the guest's reach as well.
            Seen::Unknown => Ok(()),
        })
    }

    pub(super) fn link_at(
        &self,
        from: &Arc<Place>,
        last: LastLink,
        old: &str,
        to: &Arc<Place>,
        new: &str,
    ) -> Answer<()> {
        if last == LastLink::Follow {
            // POSIX lets a system refuse this, and a link made through a link is an alias nobody sees.
            return Err(ErrorCode::Invalid.into());
        }
        let (old, new, stat) = settled(|| {
            let old = self.entry_to_change(from, old, ErrorCode::NotPermitted)?;
            let new = self.entry_to_change(to, new, ErrorCode::Exist)?;
            let judged = self.judge_link(&old, &new)?;
            Ok(judged.map(|stat| (old, new, stat)))
        })?;
        self.may_make()?;
        rustix::fs::linkat(
            old.parent.fd(),
            &old.name,
            new.parent.fd(),
            &new.name,
            AtFlags::empty(),
        )?;
        old.parent.tree.other_names.forget();
        self.judge_linked(&new, &stat)
    }

    /// What is to have one more name. None: the entry is something else by now.
    fn judge_link(&self, old: &Entry, new: &Entry) -> Answer<Option<Stat>> {
        let Some(stat) = old.stat else {
            return Err(ErrorCode::NoEntry.into());
        };
        same_tree(old, new)?;
        judge_move(&old.spot, &new.spot)?;
        new.is_free()?;
        match sys::file_type(&stat) {
            FileType::RegularFile | FileType::Symlink if old.must_be_dir => {
                return Err(ErrorCode::NotDirectory.into());
            }
            FileType::RegularFile | FileType::Symlink => {}
            _ => return Err(ErrorCode::NotPermitted.into()),
        }
        let tree = &old.parent.tree;
        judge_other_names(tree, &stat, &old.spot, Access::Write, &self.meter)?;
        settle(old, &stat)
    }

    /// Takes the new name back when somebody has put another file in the place of the one that was judged, and that
    /// may not have it.
    fn judge_linked(&self, new: &Entry, judged: &Stat) -> Answer<()> {
        let Ok(linked) = sys::look(new.parent.fd(), &new.name) else {
            return Ok(());
        };
        if sys::same_file(&linked, judged) {
            return Ok(());
        }
        let tree = &new.parent.tree;
        let judged = judge_other_names(tree, &linked, &new.spot, Access::Write, &self.meter);
        if judged.is_err() {
            rustix::fs::unlinkat(new.parent.fd(), &new.name, AtFlags::empty())?;
            tree.other_names.forget();
        }
        judged
    }

    /// Judges everything below the directory `dir`, which is at `at` now, for the way from `old` to `new`. All of it is
    /// looked at, whatever is denied: a guest that could see by its fuel how far this came could find out a hidden name by
    /// names of its own that are sorted before or after it.
    fn judge_carried(&self, dir: &OwnedFd, at: &RelPath, old: &Entry, new: &Entry) -> Answer<()> {
        let mut verdict = Ok(());
        search::below(dir.as_fd(), at, &self.meter, &mut |seen| match self
            .judge_one_carried(at, old, new, seen)
        {
            Err(Stop::Denied(refusal)) if verdict.is_ok() => {
                verdict = Err(Stop::Denied(refusal));
                Ok(())
            }
            Err(Stop::Denied(_)) => Ok(()),
            other => other,
        })?;
        verdict
    }

    fn judge_one_carried(
        &self,
        at: &RelPath,
        old: &Entry,
        new: &Entry,
        seen: Seen<'_>,
    ) -> Answer<()> {
        let Seen::Entry(path, stat) = seen else {
            return denied(
                &old.spot.path,
                Access::Write,
                Rule::Shape {
                    error: PathError::NotUtf8,
                },
            );
        };
        let below: Vec<&str> = path.names().skip(at.names().count()).collect();
        let before = descend(&old.spot, &below)?;
        let after = descend(&new.spot, &below)?;
        judge_move(&before, &after)?;
        let tree = &old.parent.tree;
        judge_other_names(tree, stat, &before, Access::Write, &self.meter)
    }

    fn dirs_moved(&mut self, old: &Entry, new: &Entry) {
        let (from, to): (&RelPath, &RelPath) = (&old.spot.path, &new.spot.path);
        self.for_each_dir(|place| {
            if Arc::ptr_eq(&place.tree, &old.parent.tree) {
                place.moved(from, to);
            }
        });
    }
}

fn take_back(old: &Entry, new: &Entry) -> Answer<()> {
    let (from, to) = (new.parent.fd(), old.parent.fd());
    // Not over what somebody has put there meanwhile.
    let flags = RenameFlags::NOREPLACE;
    let back = rustix::fs::renameat_with(from, &new.name, to, &old.name, flags);
    back.map_err(|errno| Stop::Broken(errno.into()))
}

/// Both places must be writable, and nothing may become readable by being moved.
fn judge_move(old: &Spot, new: &Spot) -> Answer<()> {
    new.judge(Access::Write)?;
    judge_leaving(old, new)
}

/// The old place must be writable, and readable if the new one is.
fn judge_leaving(old: &Spot, new: &Spot) -> Answer<()> {
    old.judge(Access::Write)?;
    if new.allows(Access::Read) {
        old.judge(Access::Read)
    } else {
        Ok(())
    }
}

fn descend(spot: &Spot, names: &[&str]) -> Answer<Spot> {
    names
        .iter()
        .try_fold(spot.clone(), |spot, name| spot.step(name, Access::Write))
}

fn same_tree(old: &Entry, new: &Entry) -> Answer<()> {
    if Arc::ptr_eq(&old.parent.tree, &new.parent.tree) {
        Ok(())
    } else {
        Err(ErrorCode::CrossDevice.into())
    }
}
