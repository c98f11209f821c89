//! The kernel's file calls, each on a directory handle and one name, and none that follows a link.
//!
//! **Invariant:** no function here takes a path of more than one name, but [`open_beneath`], which lets the kernel
//! refuse every link, `..` and mount point on the way.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timestamps};
use rustix::io::{Errno, Result};

/// Never follow, never block on a FIFO, never become a terminal's owner.
const CAREFUL: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOCTTY);
const NEW_FILE: Mode = Mode::from_raw_mode(0o666);

/// A handle of a directory for walking on.
#[cfg(target_os = "linux")]
pub(super) const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);
/// A handle of a directory for walking on.
#[cfg(not(target_os = "linux"))]
pub(super) const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

/// Opens `path` (one or several names, no `..`) in one call of the kernel, which refuses links and mount points.
///
/// # Errors
/// `NOSYS` where the kernel lacks the call; `LOOP` for a link, `XDEV` for a mount point.
#[cfg(target_os = "linux")]
pub(super) fn open_beneath(dir: BorrowedFd<'_>, path: &str, flags: OFlags) -> Result<OwnedFd> {
    use rustix::fs::ResolveFlags;
    let resolve = ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV;
    // This call refuses flags and modes that have no meaning.
    let careful = if flags.contains(OFlags::PATH) {
        OFlags::NOFOLLOW | OFlags::CLOEXEC
    } else {
        CAREFUL
    };
    let mode = if flags.contains(OFlags::CREATE) {
        NEW_FILE
    } else {
        Mode::empty()
    };
    rustix::fs::openat2(dir, path, flags | careful, mode, resolve)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn open_beneath(_: BorrowedFd<'_>, _: &str, _: OFlags) -> Result<OwnedFd> {
    Err(Errno::NOSYS)
}

/// Opens the file or directory `name`, on the mount of `dir` only, where the kernel cannot hold it to that.
pub(super) fn open(dir: BorrowedFd<'_>, name: &str, flags: OFlags) -> Result<OwnedFd> {
    let opened = rustix::fs::openat(dir, name, flags | CAREFUL, NEW_FILE)?;
    same_mount(dir, &opened)?;
    Ok(opened)
}

/// Opens `dir` again for listing.
pub(super) fn reopen_for_listing(dir: BorrowedFd<'_>) -> Result<OwnedFd> {
    rustix::fs::openat(
        dir,
        ".",
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

/// Looks at `name` without following it.
pub(super) fn look(dir: BorrowedFd<'_>, name: &str) -> Result<Stat> {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
}

/// True when both are of the same file.
pub(super) fn same_file(a: &Stat, b: &Stat) -> bool {
    (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
}

/// Sets the times of `name`, which must still be what `seen` is of; false when it is something else by now.
#[cfg(target_os = "linux")]
pub(super) fn set_times(
    dir: BorrowedFd<'_>,
    name: &str,
    seen: &Stat,
    times: &Timestamps,
) -> Result<bool> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let found = match rustix::fs::openat(dir, name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(false),
        found => found?,
    };
    if !same_file(seen, &rustix::fs::fstat(&found)?) {
        return Ok(false);
    }
    rustix::fs::utimensat(found, "", times, AtFlags::EMPTY_PATH)?;
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn set_times(
    dir: BorrowedFd<'_>,
    name: &str,
    seen: &Stat,
    times: &Timestamps,
) -> Result<bool> {
    let same = same_file(seen, &look(dir, name)?);
    if same {
        rustix::fs::utimensat(dir, name, times, AtFlags::SYMLINK_NOFOLLOW)?;
    }
    Ok(same)
}

/// How many names the file has.
#[cfg_attr(
    target_os = "linux",
    expect(clippy::useless_conversion, reason = "narrower elsewhere")
)]
pub(super) fn name_count(stat: &Stat) -> u64 {
    u64::from(stat.st_nlink)
}

/// The type in `stat`.
pub(super) fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// A bind mount can give any directory a second name, so nothing beyond a mount point belongs to the workspace.
#[cfg(target_os = "linux")]
fn same_mount(dir: BorrowedFd<'_>, opened: &OwnedFd) -> Result<()> {
    let mount = |fd: BorrowedFd<'_>| {
        let stat = rustix::fs::statx(fd, "", AtFlags::EMPTY_PATH, rustix::fs::StatxFlags::MNT_ID)?;
        Ok((stat.stx_dev_major, stat.stx_dev_minor, stat.stx_mnt_id))
    };
    if mount(dir)? == mount(opened.as_fd())? {
        Ok(())
    } else {
        Err(Errno::XDEV)
    }
}

#[cfg(not(target_os = "linux"))]
fn same_mount(dir: BorrowedFd<'_>, opened: &OwnedFd) -> Result<()> {
    let same = rustix::fs::fstat(dir)?.st_dev == rustix::fs::fstat(opened)?.st_dev;
    if same { Ok(()) } else { Err(Errno::XDEV) }
}
