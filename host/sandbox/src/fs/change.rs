//! Verbs that change one name: `create-directory-at`, `remove-directory-at`, `unlink-file-at`, `symlink-at`, `set-times-at`.

use std::sync::Arc;

use ringfence_core::policy::{Access, Rule};
use ringfence_core::relpath::{PathError, RelPath};
use rustix::fs::{AtFlags, FileType, Mode, Stat, Timespec, Timestamps};

use super::handle::{Descriptor, FileHandle};
use super::links::{judge_every_name, judge_other_names};
use super::lone::{Held, is_lone_still};
use super::place::{Place, Spot};
use super::stop::{Answer, Stop, denied, misshapen, settled};
use super::walk::{Entry, Found, LastLink, resolve};
use super::{Fs, Links, kind_name, sys};
use crate::bindings::wasi::filesystem::types::{DescriptorFlags, ErrorCode, NewTimestamp};
use crate::meter::SYSCALL;

impl Fs {
    pub(super) fn create_directory_at(&self, place: &Arc<Place>, path: &str) -> Answer<()> {
        let entry = self.entry_to_change(place, path, ErrorCode::Exist)?;
        self.may_make()?;
        Ok(rustix::fs::mkdirat(
            entry.parent.fd(),
            &entry.name,
            Mode::from_raw_mode(0o777),
        )?)
    }

    pub(super) fn remove_directory_at(&self, place: &Arc<Place>, path: &str) -> Answer<()> {
        let entry = self.entry_to_change(place, path, ErrorCode::Invalid)?;
        Ok(rustix::fs::unlinkat(
            entry.parent.fd(),
            &entry.name,
            AtFlags::REMOVEDIR,
        )?)
    }

    pub(super) fn unlink_file_at(&self, place: &Arc<Place>, path: &str) -> Answer<()> {
        let entry = self.entry_to_change(place, path, ErrorCode::IsDirectory)?;
        match entry.stat.as_ref().map(sys::file_type) {
            Some(FileType::Directory) => return Err(ErrorCode::IsDirectory.into()),
            Some(_) if entry.must_be_dir => return Err(ErrorCode::NotDirectory.into()),
            _ => {}
        }
        rustix::fs::unlinkat(entry.parent.fd(), &entry.name, AtFlags::empty())?;
        entry.parent.tree.other_names.forget();
        Ok(())
    }

    /// A link is judged when it is walked; here it is refused only when it plainly leads outside or to what is denied.
    pub(super) fn symlink_at(&self, place: &Arc<Place>, target: &str, path: &str) -> Answer<()> {
        let entry = self.entry_to_change(place, path, ErrorCode::Exist)?;
        judge_target(&entry, target, self.links)?;
        entry.is_free()?;
        self.may_make()?;
        Ok(rustix::fs::symlinkat(
            target,
            entry.parent.fd(),
            &entry.name,
        )?)
    }

    pub(super) fn set_times_at(
        &self,
        place: &Arc<Place>,
        last: LastLink,
        path: &str,
        access: NewTimestamp,
        modification: NewTimestamp,
    ) -> Answer<()> {
        self.meter.charge(SYSCALL);
        let times = timestamps(access, modification)?;
        settled(
            || match resolve(place, path, last, Access::Write, &self.meter)? {
                Found::Dir(place) => set_dir_times(&place, &times).map(Some),
                Found::Entry(entry) => self.set_entry_times(&entry, &times),
            },
        )
    }

    /// None: the entry is something else by now.
    fn set_entry_times(&self, entry: &Entry, times: &Timestamps) -> Answer<Option<()>> {
        entry.spot.judge(Access::Write)?;
        let Some(stat) = &entry.stat else {
            return Err(ErrorCode::NoEntry.into());
        };
        let kind = sys::file_type(stat);
        if !matches!(
            kind,
            FileType::RegularFile | FileType::Directory | FileType::Symlink
        ) {
            return denied(
                &entry.spot.path,
                Access::Write,
                Rule::Special {
                    kind: kind_name(kind),
                },
            );
        }
        if entry.must_be_dir && kind != FileType::Directory {
            return Err(ErrorCode::NotDirectory.into());
        }
        let tree = &entry.parent.tree;
        judge_other_names(tree, stat, &entry.spot, Access::Write, &self.meter)?;
        let Some(held) = Held::of(entry, stat)? else {
            return Ok(None);
        };
        Ok(Some(held.set_times(times)?))
    }

    pub(super) fn set_times(
        &self,
        descriptor: &Descriptor,
        access: NewTimestamp,
        modification: NewTimestamp,
    ) -> Answer<()> {
        self.meter.charge(SYSCALL);
        let times = timestamps(access, modification)?;
        match descriptor {
            // The handle may be read-only: the path decides.
            Descriptor::File(file) => {
                file.spot.judge(Access::Write)?;
                let stat = rustix::fs::fstat(&*file.file)?;
                let judge = if has_kept_its_names(file, &stat) {
                    judge_other_names
                } else {
                    judge_every_name
                };
                judge(&file.tree, &stat, &file.spot, Access::Write, &self.meter)?;
                Ok(rustix::fs::futimens(&*file.file, &times)?)
            }
            Descriptor::Dir(dir) => {
                let place = dir.place();
                place.check_is_there(&self.meter)?;
                set_dir_times(&place, &times)
            }
        }
    }

    /// Refuses to make one more name when the call has made too many.
    pub(super) fn may_make(&self) -> Answer<()> {
        if self.meter.may_make() {
            Ok(())
        } else {
            Err(ErrorCode::InsufficientSpace.into())
        }
    }

    /// The entry at `path`, which may be written; `here` is what a path without a last name means for this verb.
    pub(super) fn entry_to_change(
        &self,
        place: &Arc<Place>,
        path: &str,
        here: ErrorCode,
    ) -> Answer<Entry> {
        self.meter.charge(SYSCALL);
        if path.trim_end_matches('/').ends_with("/.") {
            return self.no_last_name(place, path, here);
        }
        match resolve_last_name(place, path, self)? {
            Found::Dir(place) => {
                place.spot.judge(Access::Write)?;
                Err(Stop::Code(here))
            }
            Found::Entry(entry) => {
                entry.spot.judge(Access::Write)?;
                Ok(entry)
            }
        }
    }
}

impl Fs {
    /// A path that ends in `.` is one of a directory by itself, which has no name here that could be changed.
    fn no_last_name(&self, place: &Arc<Place>, path: &str, here: ErrorCode) -> Answer<Entry> {
        let spot = match resolve(place, path, LastLink::Keep, Access::Write, &self.meter)? {
            Found::Dir(place) => place.spot.clone(),
            Found::Entry(entry) => {
                entry.spot.judge(Access::Write)?;
                match entry.stat.as_ref().map(sys::file_type) {
                    None => return Err(ErrorCode::NoEntry.into()),
                    Some(FileType::Directory) => entry.spot,
                    Some(_) => return Err(ErrorCode::NotDirectory.into()),
                }
            }
        };
        spot.judge(Access::Write)?;
        Err(here.into())
    }
}

/// These verbs are about the last name itself, so `link/` is the link (and then no directory), not what it leads to.
fn resolve_last_name(place: &Arc<Place>, path: &str, fs: &Fs) -> Answer<Found> {
    let trimmed = path.trim_end_matches('/');
    let must_be_dir = trimmed.len() < path.len() && !trimmed.is_empty();
    let path = if must_be_dir { trimmed } else { path };
    let mut found = resolve(place, path, LastLink::Keep, Access::Write, &fs.meter)?;
    if let Found::Entry(entry) = &mut found {
        entry.must_be_dir |= must_be_dir;
        let is_link = entry
            .stat
            .as_ref()
            .is_some_and(|stat| sys::file_type(stat) == FileType::Symlink);
        if must_be_dir && is_link {
            entry.spot.judge(Access::Write)?;
            return Err(ErrorCode::NotDirectory.into());
        }
    }
    Ok(found)
}

fn judge_target(link: &Entry, target: &str, links: Links) -> Answer<()> {
    let wanted = Access::Write;
    let shown = || format!("{} -> {target}", link.spot.path);
    if let Err(error) = ringfence_core::relpath::check_text(target) {
        return misshapen(&shown(), wanted, error);
    }
    let path = match RelPath::lexical(&format!("./{}/{target}", link.parent.spot.path.as_str())) {
        Ok(path) => path,
        Err(PathError::Escapes) if links == Links::Anywhere => return Ok(()),
        Err(error) => return misshapen(&shown(), wanted, error),
    };
    let spot = path
        .names()
        .try_fold(Spot::root(&link.parent.tree.policy), |spot, name| {
            spot.step(name, wanted)
        })?;
    spot.judge_look(wanted)
}

/// False when names are gone that were judged for reading, maybe, and those that are left were not at all.
fn has_kept_its_names(file: &FileHandle, stat: &Stat) -> bool {
    let writable = file.flags.contains(DescriptorFlags::WRITE);
    let count = sys::name_count(stat);
    // What may write its bytes may set its times, wherever its one name has gone.
    count == file.names && (count != 1 || writable || is_lone_still(file, stat))
}

fn set_dir_times(place: &Place, times: &Timestamps) -> Answer<()> {
    place.spot.judge(Access::Write)?;
    let dir = sys::reopen_for_listing(place.fd())?;
    Ok(rustix::fs::futimens(&dir, times)?)
}

fn timestamps(access: NewTimestamp, modification: NewTimestamp) -> Answer<Timestamps> {
    Ok(Timestamps {
        last_access: timespec(access)?,
        last_modification: timespec(modification)?,
    })
}

fn timespec(time: NewTimestamp) -> Answer<Timespec> {
    Ok(match time {
        NewTimestamp::NoChange => Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_OMIT,
        },
        NewTimestamp::Now => Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_NOW,
        },
        NewTimestamp::Timestamp(time) if time.nanoseconds < 1_000_000_000 => Timespec {
            tv_sec: i64::try_from(time.seconds).map_err(|_| ErrorCode::Overflow)?,
            tv_nsec: time.nanoseconds.into(),
        },
        NewTimestamp::Timestamp(_) => return Err(ErrorCode::Invalid.into()),
    })
}
