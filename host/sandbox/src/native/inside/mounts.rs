//! Mounting, as the root of a sandbox needs it.
//!
//! **Invariant:** whatever of the machine is shown is read-only from the moment that it can be seen, with everything mounted
//! below it, and keeps each restriction that it had.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::kernel::{Flags, mount};

/// Where the mounts of this process are listed, under the names that they have for it.
const LIST: &str = "/old/proc/self/mountinfo";
/// The same, before the building begins.
const LIST_BEFORE: &str = "/proc/self/mountinfo";
/// What a directory or file of the machine may not do for a program.
const QUIET: Flags = Flags::NO_SETUID.and(Flags::NO_DEVICES);

/// Opens something to name it later, and for nothing else.
pub(super) fn open_path(path: &Path) -> io::Result<OwnedFd> {
    Ok(openat(
        CWD,
        path,
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
    )?)
}

/// Opens a directory.
pub(super) fn open_dir(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    Ok(openat(CWD, path, flags, Mode::empty())?)
}

/// Mounts memory at `at`, which is made.
pub(super) fn memory(at: &Path, data: &str) -> io::Result<()> {
    fs::create_dir_all(at)?;
    mount(Path::new("tmpfs"), at, "tmpfs", QUIET, data)
}

/// Shows the directory or file `from` at `at`, which is made, for reading.
pub(super) fn show(from: &Path, at: &Path) -> io::Result<()> {
    stand_in(from, at)?;
    mount(from, at, "", Flags::BIND.and(Flags::ALL_BELOW), "")?;
    all_read_only(LIST, at)
}

/// Shows the file `at` where it is, for reading; not yet in the new root.
pub(super) fn show_in_place(at: &Path) -> io::Result<()> {
    mount(at, at, "", Flags::BIND, "")?;
    all_read_only(LIST_BEFORE, at)
}

fn all_read_only(list: &str, at: &Path) -> io::Result<()> {
    let list = fs::read(list)?;
    for (point, flags) in mounted_below(&list, at) {
        read_only(&point, flags)?;
    }
    Ok(())
}

/// Shows a device, which can be written to and not be changed: its mode and times are the machine's.
pub(super) fn device(from: &Path, at: &Path) -> io::Result<()> {
    fs::write(at, "")?;
    mount(from, at, "", Flags::BIND, "")?;
    let flags = Flags::AGAIN.and(Flags::BIND).and(Flags::READ_ONLY);
    let flags = flags.and(Flags::NO_SETUID).and(Flags::NO_PROGRAMS);
    mount(Path::new(""), at, "", flags, "")
}

/// Puts `with`, in which there is nothing, over `at`.
pub(super) fn cover(with: &Path, at: &Path) -> io::Result<()> {
    mount(with, at, "", Flags::BIND, "")?;
    read_only(at, Flags::NO_PROGRAMS)
}

/// Shows the directory `from` at `at`, which is made, as it is.
pub(super) fn bind(from: &Path, at: &Path) -> io::Result<()> {
    fs::create_dir_all(at)?;
    mount(from, at, "", Flags::BIND, "")
}

/// Nothing can be written there from now on.
pub(super) fn read_only(at: &Path, had: Flags) -> io::Result<()> {
    let again = Flags::AGAIN.and(Flags::BIND).and(Flags::READ_ONLY);
    mount(Path::new(""), at, "", again.and(QUIET).and(had), "")
}

/// What a mount is put on.
fn stand_in(from: &Path, at: &Path) -> io::Result<()> {
    if fs::metadata(from)?.is_dir() {
        return fs::create_dir_all(at);
    }
    if let Some(dir) = at.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(at, "")
}

/// The mounts at and below `top`, with the flags that they have and must keep.
fn mounted_below(list: &[u8], top: &Path) -> Vec<(PathBuf, Flags)> {
    let lines = list.split(|byte| *byte == b'\n');
    let mounts = lines.filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        let point = PathBuf::from(std::ffi::OsString::from_vec(unescaped(fields.nth(4)?)));
        let options = fields.next()?;
        Some((point, flags(options)))
    });
    mounts.filter(|(point, _)| point.starts_with(top)).collect()
}

fn flags(options: &[u8]) -> Flags {
    let each = options
        .split(|byte| *byte == b',')
        .map(|option| match option {
            b"noexec" => Flags::NO_PROGRAMS,
            b"noatime" => Flags::NO_ACCESS_TIMES,
            b"nodiratime" => Flags::NO_DIRECTORY_TIMES,
            b"relatime" => Flags::RELATIVE_TIMES,
            // `nosuid` and `nodev` are set anyhow.
            _ => Flags::NONE,
        });
    each.fold(Flags::NONE, Flags::and)
}

/// Spaces, tabs, line ends and backslashes are written as three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) => {
                out.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

/// A name that nothing can be found under: it hides what a layer below has there.
pub(super) fn white_out(at: &Path) -> io::Result<()> {
    use rustix::fs::{FileType, mknodat};
    Ok(mknodat(
        CWD,
        at.as_os_str().as_bytes(),
        FileType::CharacterDevice,
        Mode::empty(),
        0,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mount_below_is_found_with_what_it_forbids() {
        let list = b"22 1 0:20 / / rw,relatime - ext4 /dev/vda rw\n\
            23 22 0:21 / /new/opt rw,nosuid,noexec,noatime - tmpfs x rw\n\
            24 23 0:22 /a /new/opt/a\\040b ro,nodev - tmpfs x rw\n\
            25 22 0:23 / /new/optional rw - tmpfs x rw\n";
        let found = mounted_below(list, Path::new("/new/opt"));
        let noexec = Flags::NO_PROGRAMS.and(Flags::NO_ACCESS_TIMES);
        assert_eq!(
            found,
            [
                (PathBuf::from("/new/opt"), noexec),
                (PathBuf::from("/new/opt/a b"), Flags::NONE)
            ]
        );
        assert_eq!(unescaped(b"a\\134b\\"), b"a\\b\\");
    }
}
