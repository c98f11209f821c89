//! The user's working tree, reached from its top name by name.
//!
//! **Invariant:** no link is followed, no other file system entered, and nothing is replaced or removed unseen: a file
//! goes out of its place whole, is compared where it lies then, and comes back if it is not what was expected.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use ringfence_core::relpath::RelPath;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use super::log::{Content, digest};
use crate::git::output::{MODE_EXECUTABLE, MODE_FILE, MODE_LINK};

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
// A pipe in the place of a file is not waited for.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);
// Limit: what is compared at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// A directory, and all that is reached from it.
pub(super) struct Tree {
    path: PathBuf,
    top: OwnedFd,
    device: u64,
}

/// What stands somewhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    File(Seen),
    Directory,
    /// A device, a pipe, or a name on the way that is no directory.
    Other,
}

/// A file or link that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// As git would call it.
    mode: u32,
    digest: String,
    /// What the owner, the group and others may; none of a link.
    pub(super) permissions: Option<u32>,
}

/// Where a path leads.
enum Way {
    To(OwnedFd),
    /// A directory on the way is not there.
    Missing,
    /// Something on the way is no directory, or lies on another file system.
    Blocked,
}

/// How a move ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Moved {
    Done,
    /// Something else was there: all is as it was.
    Refused,
}

impl Content {
    /// True when this is what was seen.
    pub(super) fn is(&self, seen: &Seen) -> bool {
        self.mode == seen.mode && self.digest == seen.digest
    }

    fn stands(&self, found: &Found) -> bool {
        matches!(found, Found::File(seen) if self.is(seen))
    }
}

impl Tree {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let top = rustix::fs::open(path, DIRECTORY, Mode::empty())?;
        let device = rustix::fs::fstat(&top)?.st_dev;
        Ok(Self {
            path: path.to_owned(),
            top,
            device,
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// True when files can be moved between the two.
    pub(super) fn shares_device(&self, other: &Self) -> bool {
        self.device == other.device
    }

    /// What stands at `path`.
    pub(super) fn look(&self, path: &RelPath) -> io::Result<Found> {
        match self.way(path)? {
            Way::To(dir) => look_at(&dir, name(path)),
            Way::Missing | Way::Blocked => Ok(Found::Nothing),
        }
    }

    /// The mode of a directory; none when there is no directory at `path`, be it nothing or something else.
    pub(super) fn directory(&self, path: &RelPath) -> io::Result<Option<u32>> {
        let Way::To(dir) = self.way(path)? else {
            return Ok(None);
        };
        let found = stat(&dir, name(path))?.filter(|stat| kind(stat) == FileType::Directory);
        Ok(found.map(|stat| stat.st_mode & 0o7777))
    }

    /// The names in a directory.
    pub(super) fn names(&self, path: &RelPath) -> io::Result<Vec<String>> {
        let Way::To(parent) = self.way(path)? else {
            return Err(Errno::NOENT.into());
        };
        let dir = rustix::fs::openat(&parent, name(path), DIRECTORY, Mode::empty())?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&dir)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Takes the file at `path` out into `to`, if it is `content`.
    pub(super) fn take(
        &self,
        path: &RelPath,
        content: &Content,
        to: &Self,
        as_name: &str,
    ) -> io::Result<Moved> {
        let Way::To(dir) = self.way(path)? else {
            return Ok(Moved::Refused);
        };
        match rename(&dir, name(path), &to.top, as_name, RenameFlags::NOREPLACE) {
            Err(Errno::NOENT) => return Ok(Moved::Refused),
            moved => moved?,
        }
        if content.stands(&look_at(&to.top, as_name)?) {
            return Ok(Moved::Done);
        }
        rename(&to.top, as_name, &dir, name(path), RenameFlags::NOREPLACE)?;
        Ok(Moved::Refused)
    }

    /// Puts the file `as_name` of `from` at `path`, if nothing is there.
    pub(super) fn put(&self, path: &RelPath, from: &Self, as_name: &str) -> io::Result<Moved> {
        let Way::To(dir) = self.way(path)? else {
            return Ok(Moved::Refused);
        };
        match rename(&from.top, as_name, &dir, name(path), RenameFlags::NOREPLACE) {
            Err(Errno::EXIST | Errno::NOTEMPTY) => Ok(Moved::Refused),
            moved => moved.map(|()| Moved::Done).map_err(Into::into),
        }
    }

    /// Lets the file at `path` and `as_name` of `with` change places, if the former is `content`.
    pub(super) fn exchange(
        &self,
        path: &RelPath,
        content: &Content,
        with: &Self,
        as_name: &str,
    ) -> io::Result<Moved> {
        let Way::To(dir) = self.way(path)? else {
            return Ok(Moved::Refused);
        };
        match rename(&dir, name(path), &with.top, as_name, RenameFlags::EXCHANGE) {
            Err(Errno::NOENT) => return Ok(Moved::Refused),
            moved => moved?,
        }
        if content.stands(&look_at(&with.top, as_name)?) {
            return Ok(Moved::Done);
        }
        rename(&dir, name(path), &with.top, as_name, RenameFlags::EXCHANGE)?;
        Ok(Moved::Refused)
    }

    /// Makes a directory and, unless the system's habits are to decide, gives it its mode; fine when it is there.
    pub(super) fn make_directory(&self, path: &RelPath, mode: Option<u32>) -> io::Result<()> {
        let Way::To(dir) = self.way(path)? else {
            return Err(Errno::NOTDIR.into());
        };
        match rustix::fs::mkdirat(&dir, name(path), Mode::from_raw_mode(0o777)) {
            Err(Errno::EXIST) => return Ok(()),
            made => made?,
        }
        if let Some(mode) = mode {
            let made = rustix::fs::openat(&dir, name(path), DIRECTORY, Mode::empty())?;
            rustix::fs::fchmod(&made, Mode::from_raw_mode(mode))?;
        }
        Ok(())
    }

    /// Removes an empty directory; false when it is none.
    pub(super) fn remove_directory(&self, path: &RelPath) -> io::Result<bool> {
        let Way::To(dir) = self.way(path)? else {
            return Ok(false);
        };
        match rustix::fs::unlinkat(&dir, name(path), AtFlags::REMOVEDIR) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Flushes the directory that `path` stands in, if there is one.
    pub(super) fn sync_around(&self, path: &RelPath) -> io::Result<()> {
        match self.way(path)? {
            Way::To(dir) => Ok(rustix::fs::fsync(&dir)?),
            Way::Missing | Way::Blocked => Ok(()),
        }
    }

    /// True when a name on the way to `path` is there and is no directory of this tree.
    pub(super) fn is_blocked(&self, path: &RelPath) -> io::Result<bool> {
        Ok(matches!(self.way(path)?, Way::Blocked))
    }

    fn way(&self, path: &RelPath) -> io::Result<Way> {
        let mut dir = self.top.try_clone()?;
        let Some(parent) = path.parent() else {
            return Ok(Way::Blocked);
        };
        for name in parent.names() {
            dir = match rustix::fs::openat(&dir, name, DIRECTORY, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT) => return Ok(Way::Missing),
                Err(Errno::NOTDIR | Errno::LOOP) => return Ok(Way::Blocked),
                Err(error) => return Err(error.into()),
            };
            if rustix::fs::fstat(&dir)?.st_dev != self.device {
                return Ok(Way::Blocked);
            }
        }
        Ok(Way::To(dir))
    }
}

fn name(path: &RelPath) -> &str {
    path.file_name().unwrap_or_default()
}

fn rename(
    from: &OwnedFd,
    old: &str,
    to: &OwnedFd,
    new: &str,
    flags: RenameFlags,
) -> Result<(), Errno> {
    rustix::fs::renameat_with(from, old, to, new, flags)
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

fn stat(dir: &OwnedFd, name: &str) -> io::Result<Option<Stat>> {
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn look_at(dir: &OwnedFd, name: &str) -> io::Result<Found> {
    let Some(stat) = stat(dir, name)? else {
        return Ok(Found::Nothing);
    };
    match kind(&stat) {
        FileType::RegularFile => read_file(dir.as_fd(), name),
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(dir, name, Vec::new())?;
            Ok(Found::File(Seen {
                mode: MODE_LINK,
                digest: digest(target.as_bytes()),
                permissions: None,
            }))
        }
        FileType::Directory => Ok(Found::Directory),
        _ => Ok(Found::Other),
    }
}

fn read_file(dir: std::os::fd::BorrowedFd<'_>, name: &str) -> io::Result<Found> {
    let file = match rustix::fs::openat(dir, name, FILE, Mode::empty()) {
        // It was something else a moment ago.
        Err(Errno::LOOP | Errno::NXIO) => return Ok(Found::Other),
        Err(Errno::NOENT) => return Ok(Found::Nothing),
        opened => opened?,
    };
    let stat = rustix::fs::fstat(&file)?;
    if kind(&stat) != FileType::RegularFile {
        return Ok(Found::Other);
    }
    let mode = if stat.st_mode & 0o100 == 0 {
        MODE_FILE
    } else {
        MODE_EXECUTABLE
    };
    let mut hasher = blake3::Hasher::new();
    let mut file = File::from(file);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
    Ok(Found::File(Seen {
        mode,
        digest: hasher.finalize().to_hex().to_string(),
        permissions: Some(stat.st_mode & 0o777),
    }))
}
