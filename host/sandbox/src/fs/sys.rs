//! The kernel's file calls, each on a directory handle and one name, and none that follows a link.
//!
//! **Invariant:** no function here takes a path of more than one name, but [`open_beneath`], which lets the kernel
//! refuse every link, `..` and mount point on the way. What [`path_of`] returns is compared and never opened.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
#[cfg(target_os = "linux")]
use std::sync::LazyLock;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Stat, Timestamps};
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

/// True when the files that `root` holds have the times of this kernel's clock: not those of a server, or of a program.
#[cfg(target_os = "linux")]
pub(super) fn keeps_our_time(root: BorrowedFd<'_>) -> bool {
    // ext4 (and its elders), xfs, btrfs, f2fs, tmpfs, and overlays, which write to one of these.
    const LOCAL: [rustix::fs::FsWord; 6] = [
        0xef53,
        0x5846_5342,
        0x9123_683e,
        0xf2f5_2010,
        0x0102_1994,
        0x794c_7630,
    ];
    rustix::fs::fstatfs(root).is_ok_and(|system| LOCAL.contains(&system.f_type))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn keeps_our_time(_: BorrowedFd<'_>) -> bool {
    false
}

/// The time of day, as the kernel writes it into files.
pub(super) fn now_seconds() -> i64 {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::RealtimeCoarse;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Realtime;
    rustix::time::clock_gettime(clock).tv_sec
}

/// True when both are of the same file.
pub(super) fn same_file(a: &Stat, b: &Stat) -> bool {
    (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
}

/// Holds on to what `name` leads to without opening it, pipes and links too; none where that cannot be done.
#[cfg(target_os = "linux")]
pub(super) fn hold(dir: BorrowedFd<'_>, name: &str) -> Result<Option<OwnedFd>> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty()).map(Some)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn hold(_: BorrowedFd<'_>, _: &str) -> Result<Option<OwnedFd>> {
    Ok(None)
}

/// Sets the times of what was [held](hold).
#[cfg(target_os = "linux")]
pub(super) fn set_times(file: BorrowedFd<'_>, times: &Timestamps) -> Result<()> {
    rustix::fs::utimensat(file, "", times, AtFlags::EMPTY_PATH)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn set_times(file: BorrowedFd<'_>, times: &Timestamps) -> Result<()> {
    rustix::fs::futimens(file, times)
}

/// Sets the times of `name` without following it.
pub(super) fn set_times_at(dir: BorrowedFd<'_>, name: &str, times: &Timestamps) -> Result<()> {
    rustix::fs::utimensat(dir, name, times, AtFlags::SYMLINK_NOFOLLOW)
}

/// Where the link `name` leads; an empty name is the link that `dir` holds.
pub(super) fn target(dir: BorrowedFd<'_>, name: &str) -> Result<Vec<u8>> {
    let target = rustix::fs::readlinkat(dir, name, Vec::new())?;
    Ok(target.into_bytes())
}

/// Waits until everybody who changes a name in `dir` right now has done so; false when `name` is not there then.
///
/// Moving a name onto itself, over nothing, never changes anything; the kernel notices that only once it has the directory
/// to itself, as everybody has who makes, moves or removes a name.
///
/// # Errors
/// Those of listing `dir`, where names can be changed by another way than this one.
pub(super) fn wait_for_changes(dir: BorrowedFd<'_>, name: &str) -> Result<bool> {
    match rustix::fs::renameat_with(dir, name, dir, name, RenameFlags::NOREPLACE) {
        Err(Errno::EXIST) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        // A read-only mount says no before it waits, and the same directory may be writable by another one. A listing waits, too.
        Ok(()) | Err(_) => match rustix::fs::Dir::read_from(dir)?.next() {
            Some(Err(errno)) => Err(errno),
            Some(Ok(_)) | None => Ok(true),
        },
    }
}

/// Where `file` is by now, as a path of this process.
///
/// # Errors
/// `NOSYS` where the kernel does not tell, `NAMETOOLONG` for a path of 4,096 bytes or more.
#[cfg(target_os = "linux")]
pub(super) fn path_of(file: BorrowedFd<'_>) -> Result<Vec<u8>> {
    let files = OPEN_FILES.as_ref().ok_or(Errno::NOSYS)?;
    target(files.as_fd(), rustix::path::DecInt::from_fd(file).as_str())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn path_of(_: BorrowedFd<'_>) -> Result<Vec<u8>> {
    Err(Errno::NOSYS)
}

/// Opens what [`path_of`] needs, so that no guest has to pay for it, and none sees one file more open.
pub(super) fn prepare() {
    #[cfg(target_os = "linux")]
    LazyLock::force(&OPEN_FILES);
}

/// The kernel's list of what this process has open; none where `/proc` is missing or something else. No guest ever has it.
#[cfg(target_os = "linux")]
static OPEN_FILES: LazyLock<Option<OwnedFd>> = LazyLock::new(|| {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let files = rustix::fs::open("/proc/self/fd", flags, Mode::empty()).ok()?;
    let system = rustix::fs::fstatfs(&files).ok()?;
    (system.f_type == rustix::fs::PROC_SUPER_MAGIC).then_some(files)
});

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
