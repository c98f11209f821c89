//! `open-at`.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use ringfence_core::policy::{Access, Rule};
use rustix::fs::{FileType, OFlags, Stat};
use rustix::io::Errno;

use super::Fs;
use super::handle::{Descriptor, DirHandle, FileHandle};
use super::links::judge_other_names;
use super::lone::is_lone;
use super::place::Place;
use super::stop::{Answer, denied, settled};
use super::walk::{Entry, Found, LastLink, mount_point, resolve};
use super::{kind_name, sys};
use crate::bindings::wasi::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags};
use crate::meter::SYSCALL;

impl Fs {
    pub(super) fn open_at(
        &self,
        place: &Arc<Place>,
        last: LastLink,
        path: &str,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Answer<Descriptor> {
        self.meter.charge(SYSCALL);
        let wanted = if writes(open, flags) {
            Access::Write
        } else {
            Access::Read
        };
        // An exclusive creation fails on a link instead of following it.
        let last = if only_new(open) { LastLink::Keep } else { last };
        let for_files = OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE;
        let contradicts = open.contains(OpenFlags::DIRECTORY) && open.intersects(for_files);
        settled(|| {
            let found = resolve(place, path, last, wanted, &self.meter)?;
            if contradicts {
                return Err(ErrorCode::Invalid.into());
            }
            match found {
                Found::Dir(place) => open_walked(place, open, flags).map(Some),
                Found::Entry(entry) => self.open_entry(entry, open, flags),
            }
        })
    }

    /// None: the entry is something else by now.
    fn open_entry(
        &self,
        entry: Entry,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Answer<Option<Descriptor>> {
        let Some(stat) = entry.stat else {
            return self.create(entry, open, flags).map(Some);
        };
        if only_new(open) {
            entry.spot.judge(Access::Write)?;
            return Err(ErrorCode::Exist.into());
        }
        match sys::file_type(&stat) {
            FileType::Directory => open_dir(entry, open, flags).map(Some),
            FileType::Symlink => Err(ErrorCode::Loop.into()),
            FileType::RegularFile => self.open_file(entry, &stat, open, flags),
            special => denied(
                &entry.spot.path,
                Access::Read,
                Rule::Special {
                    kind: kind_name(special),
                },
            ),
        }
    }

    fn open_file(
        &self,
        entry: Entry,
        stat: &Stat,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Answer<Option<Descriptor>> {
        let judge = |access| {
            entry.spot.judge(access)?;
            judge_other_names(&entry.parent.tree, stat, &entry.spot, access, &self.meter)
        };
        // Emptying a file is writing it.
        let mut granted = flags;
        if open.contains(OpenFlags::TRUNCATE) {
            granted |= DescriptorFlags::WRITE;
        }
        for access in accesses(granted) {
            judge(access)?;
        }
        if entry.must_be_dir || open.contains(OpenFlags::DIRECTORY) {
            return Err(ErrorCode::NotDirectory.into());
        }
        if asks_for_nothing(flags) && judge(Access::Read).is_ok() {
            granted |= DescriptorFlags::READ;
        }
        let fd = open_here(&entry, file_flags(granted))?;
        let opened = rustix::fs::fstat(&fd)?;
        if !is_lone(&entry, Some(fd.as_fd()), &opened) {
            return Ok(None);
        }
        self.checked_file(entry, fd, &opened, open, granted)
            .map(Some)
    }

    fn create(&self, entry: Entry, open: OpenFlags, flags: DescriptorFlags) -> Answer<Descriptor> {
        if !open.contains(OpenFlags::CREATE) {
            return Err(ErrorCode::NoEntry.into());
        }
        entry.spot.judge(Access::Write)?;
        if flags.contains(DescriptorFlags::READ) {
            entry.spot.judge(Access::Read)?;
        }
        if entry.must_be_dir {
            return Err(ErrorCode::IsDirectory.into());
        }
        self.may_make()?;
        // Making a file is writing it.
        let mut granted = flags | DescriptorFlags::WRITE;
        if asks_for_nothing(flags) && entry.spot.allows(Access::Read) {
            granted |= DescriptorFlags::READ;
        }
        // Exclusive: had somebody else put a file here meanwhile, it was not judged.
        let fd = open_here(&entry, file_flags(granted) | OFlags::CREATE | OFlags::EXCL)?;
        let stat = rustix::fs::fstat(&fd)?;
        self.checked_file(entry, fd, &stat, open, granted)
    }

    /// The file behind `fd`, of which `stat` is, must be what was judged: regular, and without names that were not looked at.
    fn checked_file(
        &self,
        entry: Entry,
        fd: OwnedFd,
        stat: &Stat,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Answer<Descriptor> {
        let kind = sys::file_type(stat);
        if kind != FileType::RegularFile {
            return denied(
                &entry.spot.path,
                Access::Read,
                Rule::Special {
                    kind: kind_name(kind),
                },
            );
        }
        for access in accesses(flags) {
            judge_other_names(&entry.parent.tree, stat, &entry.spot, access, &self.meter)?;
        }
        // Truncated only now: the open file is the one that was judged.
        if open.contains(OpenFlags::TRUNCATE) && stat.st_size > 0 {
            rustix::fs::ftruncate(&fd, 0)?;
        }
        Ok(Descriptor::File(Box::new(FileHandle {
            file: Arc::new(File::from(fd)),
            tree: Arc::clone(&entry.parent.tree),
            spot: entry.spot,
            flags: flags & !DescriptorFlags::MUTATE_DIRECTORY,
            names: sys::name_count(stat),
        })))
    }
}

/// What opening an existing file needs to be allowed.
fn accesses(flags: DescriptorFlags) -> impl Iterator<Item = Access> {
    let (read, write) = (flags.contains(DescriptorFlags::READ), writes_data(flags));
    let accesses = [
        read.then_some(Access::Read),
        write.then_some(Access::Write),
        (!read && !write).then_some(Access::Stat),
    ];
    accesses.into_iter().flatten()
}

/// Without `CREATE`, `EXCLUSIVE` says nothing.
fn only_new(open: OpenFlags) -> bool {
    open.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE)
}

fn writes(open: OpenFlags, flags: DescriptorFlags) -> bool {
    writes_data(flags) || open.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE)
}

fn writes_data(flags: DescriptorFlags) -> bool {
    flags.contains(DescriptorFlags::WRITE)
}

/// Such a handle is for reading, where that is allowed.
fn asks_for_nothing(flags: DescriptorFlags) -> bool {
    !flags.intersects(DescriptorFlags::READ | DescriptorFlags::WRITE)
}

fn file_flags(flags: DescriptorFlags) -> OFlags {
    match (flags.contains(DescriptorFlags::READ), writes_data(flags)) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        (_, false) => OFlags::RDONLY,
    }
}

fn open_here(entry: &Entry, flags: OFlags) -> Answer<OwnedFd> {
    let Place { tree, fd, .. } = &*entry.parent;
    match tree.open(fd.as_fd(), &entry.name, flags) {
        Err(Errno::XDEV) => mount_point(&entry.spot.path, Access::Read),
        opened => Ok(opened?),
    }
}

fn open_dir(entry: Entry, open: OpenFlags, flags: DescriptorFlags) -> Answer<Descriptor> {
    check_dir_flags(open, flags)?;
    let fd = Arc::new(open_here(&entry, sys::DIRECTORY)?);
    let tree = Arc::clone(&entry.parent.tree);
    let spot = entry.spot;
    let place = Place::new(tree, fd, spot);
    Ok(Descriptor::Dir(DirHandle::new(place, flags)))
}

fn open_walked(place: Arc<Place>, open: OpenFlags, flags: DescriptorFlags) -> Answer<Descriptor> {
    if only_new(open) {
        return Err(ErrorCode::Exist.into());
    }
    check_dir_flags(open, flags)?;
    place.spot.judge_look(Access::Read)?;
    Ok(Descriptor::Dir(DirHandle::new(place, flags)))
}

fn check_dir_flags(open: OpenFlags, flags: DescriptorFlags) -> Answer<()> {
    if writes(open, flags) {
        Err(ErrorCode::IsDirectory.into())
    } else {
        Ok(())
    }
}
