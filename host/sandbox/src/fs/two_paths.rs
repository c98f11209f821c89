//! Verbs on two paths: `rename-at`, `link-at`. Both are judged, and so is everything a directory carries along.

use std::sync::Arc;

use ringfence_core::policy::{Access, Rule};
use ringfence_core::relpath::{PathError, RelPath};
use rustix::fs::{AtFlags, FileType};

use super::Fs;
use super::links::judge_other_names;
use super::place::{Place, Spot};
use super::search::{self, Seen};
use super::stop::{Answer, Stop, denied};
use super::sys;
use super::walk::{Entry, LastLink};
use crate::bindings::wasi::filesystem::types::ErrorCode;

impl Fs {
    pub(super) fn rename_at(
        &mut self,
        from: &Arc<Place>,
        old: &str,
        to: &Arc<Place>,
        new: &str,
    ) -> Answer<()> {
        let old = self.entry_to_change(from, old, ErrorCode::Busy)?;
        let new = self.entry_to_change(to, new, ErrorCode::Busy)?;
        let Some(stat) = &old.stat else {
            return Err(ErrorCode::NoEntry.into());
        };
        same_tree(&old, &new)?;
        judge_move(&old.spot, &new.spot)?;
        let is_dir = sys::file_type(stat) == FileType::Directory;
        if !is_dir && (old.must_be_dir || new.must_be_dir) {
            return Err(ErrorCode::NotDirectory.into());
        }
        if is_dir {
            self.judge_carried(&old, &new)?;
        } else {
            judge_other_names(
                &old.parent.tree,
                stat,
                &old.spot,
                Access::Write,
                &self.meter,
            )?;
        }
        rustix::fs::renameat(old.parent.fd(), &old.name, new.parent.fd(), &new.name)?;
        old.parent.tree.other_names.forget();
        if is_dir {
            self.dirs_moved(&old, &new);
        }
        Ok(())
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
        let old = self.entry_to_change(from, old, ErrorCode::NotPermitted)?;
        let new = self.entry_to_change(to, new, ErrorCode::Exist)?;
        let Some(stat) = &old.stat else {
            return Err(ErrorCode::NoEntry.into());
        };
        same_tree(&old, &new)?;
        judge_move(&old.spot, &new.spot)?;
        new.is_free()?;
        match sys::file_type(stat) {
            FileType::RegularFile | FileType::Symlink if old.must_be_dir => {
                return Err(ErrorCode::NotDirectory.into());
            }
            FileType::RegularFile | FileType::Symlink => {}
            _ => return Err(ErrorCode::NotPermitted.into()),
        }
        judge_other_names(
            &old.parent.tree,
            stat,
            &old.spot,
            Access::Write,
            &self.meter,
        )?;
        self.may_make()?;
        rustix::fs::linkat(
            old.parent.fd(),
            &old.name,
            new.parent.fd(),
            &new.name,
            AtFlags::empty(),
        )?;
        old.parent.tree.other_names.forget();
        Ok(())
    }

    /// Judges everything below a directory at the path it has and at the path it would get. All of it is looked at,
    /// whatever is denied: a guest that could see by its fuel how far this came could find out a hidden name by names of
    /// its own that are sorted before or after it.
    fn judge_carried(&self, old: &Entry, new: &Entry) -> Answer<()> {
        let tree = &old.parent.tree;
        let mut verdict = Ok(());
        search::below(tree, &old.spot.path, &self.meter, &mut |seen| match self
            .judge_one_carried(old, new, seen)
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

    fn judge_one_carried(&self, old: &Entry, new: &Entry, seen: Seen<'_>) -> Answer<()> {
        let Seen::Entry(path, stat) = seen else {
            return denied(
                &old.spot.path,
                Access::Write,
                Rule::Shape {
                    error: PathError::NotUtf8,
                },
            );
        };
        let below: Vec<&str> = path.names().skip(old.spot.path.names().count()).collect();
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

/// Both places must be writable, and nothing may become readable by being moved.
fn judge_move(old: &Spot, new: &Spot) -> Answer<()> {
    old.judge(Access::Write)?;
    new.judge(Access::Write)?;
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
