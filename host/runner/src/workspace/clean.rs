//! Takes everything out of a checkout that its tree does not have, and deletes what no ordinary call could delete.
//!
//! **Invariant:** no symbolic link is followed, and no path gets longer than it is: what has to go is first moved into a
//! flat trash folder, so trees of any depth, without permissions or marked immutable, can be deleted. What is too deep to be
//! looked at has to go, whatever it is.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::git::output::{MODE_LINK, MODE_SUBMODULE, Tracked};

/// What a checkout may hold.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    files: HashMap<Vec<u8>, bool>,
    dirs: HashSet<Vec<u8>>,
}

impl Expected {
    /// What the entries of an index, and nothing else, would lead to.
    pub(crate) fn new(tracked: &[Tracked]) -> Self {
        let mut expected = Self::default();
        for Tracked { mode, path } in tracked {
            if *mode == MODE_SUBMODULE {
                expected.dirs.insert(path.clone());
            } else {
                expected.files.insert(path.clone(), *mode == MODE_LINK);
            }
            let mut end = path.len();
            while let Some(slash) = path
                .get(..end)
                .and_then(|head| head.iter().rposition(|byte| *byte == b'/'))
            {
                end = slash;
                let parent = path.get(..end).unwrap_or_default();
                if !expected.dirs.insert(parent.to_vec()) {
                    break;
                }
            }
        }
        expected
    }

    fn keeps(&self, path: &[u8], meta: &Metadata) -> bool {
        let kind = meta.file_type();
        if kind.is_dir() {
            return self.dirs.contains(path);
        }
        // Odd permissions and second names are no difference to git, so a file that has them is checked out again.
        let plain = meta.mode() & 0o7000 == 0 && meta.mode() & 0o600 == 0o600 && meta.nlink() == 1;
        match self.files.get(path) {
            Some(true) => kind.is_symlink(),
            Some(false) => kind.is_file() && plain,
            None => false,
        }
    }
}

/// Removes everything in `root` that is not `expected`, be it by its path or by its kind.
///
/// # Errors
/// The first thing that cannot be listed or removed.
pub(crate) fn clean(root: &Path, expected: &Expected, trash: &Path) -> io::Result<()> {
    make_plain_dir(root, trash)?;
    let mut unwanted = Vec::new();
    let mut dirs = vec![Vec::new()];
    while let Some(dir) = dirs.pop() {
        match look(root, &dir, expected) {
            Ok(mut found) => {
                unwanted.append(&mut found.unwanted);
                dirs.append(&mut found.dirs);
            }
            // Nobody can use what has such a path, and what is missing then is checked out again, or refused.
            Err(error) if is_too_long(&error) => unwanted.push(top_of(root, &dir)),
            Err(error) => return Err(error),
        }
    }
    for path in unwanted {
        discard_into(&path, trash)?;
    }
    empty(trash)
}

/// What is in one directory.
#[derive(Default)]
struct Found {
    unwanted: Vec<PathBuf>,
    dirs: Vec<Vec<u8>>,
}

fn look(root: &Path, dir: &[u8], expected: &Expected) -> io::Result<Found> {
    let mut found = Found::default();
    for name in names(&root.join(OsStr::from_bytes(dir)))? {
        let path = if dir.is_empty() {
            name
        } else {
            [dir, &b"/"[..], &name].concat()
        };
        let full = root.join(OsStr::from_bytes(&path));
        let meta = fs::symlink_metadata(&full)?;
        if !expected.keeps(&path, &meta) {
            found.unwanted.push(full);
        } else if meta.is_dir() {
            open_up(&full, &meta)?;
            found.dirs.push(path);
        }
    }
    Ok(found)
}

fn is_too_long(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NAMETOOLONG.raw_os_error())
}

/// What of `root` the directory is in, or it itself.
fn top_of(root: &Path, dir: &[u8]) -> PathBuf {
    let top = dir.split(|byte| *byte == b'/').next().unwrap_or_default();
    root.join(OsStr::from_bytes(top))
}

/// Removes `path`, whatever it is; fine when it is not there.
///
/// # Errors
/// What could not be removed, and why.
pub(crate) fn discard(path: &Path, trash: &Path) -> io::Result<()> {
    discard_into(path, trash)?;
    empty(trash)
}

/// Removes a file or link; fine when it is not there.
pub(crate) fn remove_file_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Empties the trash folder, making it if need be.
pub(crate) fn empty(trash: &Path) -> io::Result<()> {
    let mut free = 0;
    if fs::symlink_metadata(trash).is_ok_and(|meta| !meta.is_dir()) {
        return insist(trash, || fs::remove_file(trash));
    }
    loop {
        let waiting = match names(trash) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if waiting.is_empty() {
            return fs::remove_dir(trash);
        }
        for name in waiting {
            let path = trash.join(OsStr::from_bytes(&name));
            let meta = fs::symlink_metadata(&path)?;
            if !meta.is_dir() {
                insist(&path, || fs::remove_file(&path))?;
                continue;
            }
            open_up(&path, &meta)?;
            for child in names(&path)? {
                let from = path.join(OsStr::from_bytes(&child));
                discard_as(&from, trash, &mut free)?;
            }
            insist(&path, || fs::remove_dir(&path))?;
        }
    }
}

fn discard_into(path: &Path, trash: &Path) -> io::Result<()> {
    discard_as(path, trash, &mut 0)
}

/// Deletes a file at once and moves a directory to the first free name of the trash folder from `free` on.
fn discard_as(path: &Path, trash: &Path, free: &mut u64) -> io::Result<()> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !meta.is_dir() {
        return insist(path, || fs::remove_file(path));
    }
    make_trash(trash)?;
    // A directory that is moved has its `..` rewritten, so it must be writable itself.
    open_up(path, &meta)?;
    let to = loop {
        let to = trash.join(free.to_string());
        *free += 1;
        if fs::symlink_metadata(&to).is_err() {
            break to;
        }
    };
    insist(path, || fs::rename(path, &to))
}

fn make_trash(trash: &Path) -> io::Result<()> {
    match fs::create_dir(trash) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let is_dir = fs::symlink_metadata(trash)?.is_dir();
            if is_dir { Ok(()) } else { Err(error) }
        }
        made => made,
    }
}

fn make_plain_dir(path: &Path, trash: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => open_up(path, &meta),
        Ok(_) => discard_into(path, trash).and_then(|()| fs::create_dir(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir(path),
        Err(error) => Err(error),
    }
}

fn names(dir: &Path) -> io::Result<Vec<Vec<u8>>> {
    fs::read_dir(dir)?
        .map(|entry| Ok(entry?.file_name().as_bytes().to_vec()))
        .collect()
}

/// Gives the owner of a directory every right in it.
fn open_up(dir: &Path, meta: &Metadata) -> io::Result<()> {
    if meta.mode() & 0o700 == 0o700 {
        return Ok(());
    }
    let mode = meta.mode() & 0o077 | 0o700;
    insist(dir, || {
        fs::set_permissions(dir, Permissions::from_mode(mode))
    })
}

/// Does it; when that is not permitted, takes the file's and its folder's immutable marks away and does it again.
fn insist(path: &Path, work: impl Fn() -> io::Result<()>) -> io::Result<()> {
    match work() {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            unmark(path);
            path.parent().into_iter().for_each(unmark);
            work().map_err(|_| error)
        }
        done => done,
    }
    .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

#[cfg(target_os = "linux")]
const MARKS: rustix::fs::IFlags = rustix::fs::IFlags::IMMUTABLE.union(rustix::fs::IFlags::APPEND);

#[cfg(target_os = "linux")]
fn marked(path: &Path) -> Option<(rustix::fd::OwnedFd, rustix::fs::IFlags)> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    let found = rustix::fs::ioctl_getflags(&fd).ok()?;
    found.intersects(MARKS).then_some((fd, found))
}

#[cfg(target_os = "linux")]
fn unmark(path: &Path) {
    // What cannot be unmarked shows in the second try of what was to be done.
    if let Some((fd, found)) = marked(path)
        && let Err(error) = rustix::fs::ioctl_setflags(&fd, found.difference(MARKS))
    {
        tracing::debug!(%error, "an immutable mark stays");
    }
}

#[cfg(not(target_os = "linux"))]
fn unmark(_path: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_what_is_deep_closed_and_odd() {
        let dir = tempfile::tempdir().unwrap();
        let (root, trash) = (dir.path().join("base"), dir.path().join("trash"));
        fs::create_dir(&root).unwrap();
        // Deeper than any path can name from the outside.
        let mut deep = rustix::fs::open(
            &root,
            rustix::fs::OFlags::DIRECTORY,
            rustix::fs::Mode::empty(),
        )
        .unwrap();
        for _ in 0..1000 {
            let mode = rustix::fs::Mode::from_raw_mode(0o700);
            rustix::fs::mkdirat(&deep, "deep", mode).unwrap();
            deep = rustix::fs::openat(&deep, "deep", rustix::fs::OFlags::DIRECTORY, mode).unwrap();
        }
        fs::create_dir(root.join("closed")).unwrap();
        fs::write(root.join("closed/file"), "x").unwrap();
        fs::set_permissions(root.join("closed"), Permissions::from_mode(0o000)).unwrap();
        std::os::unix::fs::symlink("/etc", root.join("kept")).unwrap();
        fs::write(root.join("setuid"), "x").unwrap();
        fs::set_permissions(root.join("setuid"), Permissions::from_mode(0o4755)).unwrap();
        let file = |mode, path: &str| Tracked {
            mode,
            path: path.as_bytes().to_vec(),
        };
        let expected = Expected::new(&[
            file(0o100_644, "kept"),
            file(0o100_644, "setuid"),
            file(0o100_644, "a/b/c"),
        ]);
        fs::create_dir_all(root.join("a/b/c")).unwrap();
        fs::write(root.join("a/b/d"), "x").unwrap();
        clean(&root, &expected, &trash).unwrap();
        let left: Vec<_> = fs::read_dir(&root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["a"]);
        assert_eq!(fs::read_dir(root.join("a/b")).unwrap().count(), 0);
        assert!(!trash.exists());
        assert!(Path::new("/etc/passwd").exists());
    }

    #[test]
    fn what_is_too_deep_to_look_at_goes_though_it_is_expected() {
        let dir = tempfile::tempdir().unwrap();
        let (root, trash) = (dir.path().join("base"), dir.path().join("trash"));
        fs::create_dir(&root).unwrap();
        let open = |at: rustix::fd::BorrowedFd<'_>, name: &str| {
            let mode = rustix::fs::Mode::from_raw_mode(0o700);
            rustix::fs::mkdirat(at, name, mode).unwrap();
            rustix::fs::openat(at, name, rustix::fs::OFlags::DIRECTORY, mode).unwrap()
        };
        let flags = rustix::fs::OFlags::DIRECTORY;
        let mut deep = rustix::fs::open(&root, flags, rustix::fs::Mode::empty()).unwrap();
        for _ in 0..2045 {
            deep = open(rustix::fd::AsFd::as_fd(&deep), "d");
        }
        fs::write(root.join("kept"), "x").unwrap();
        let file = |path: &str| Tracked {
            mode: 0o100_644,
            path: path.as_bytes().to_vec(),
        };
        let expected = Expected::new(&[file(&format!("{}f", "d/".repeat(2045))), file("kept")]);
        clean(&root, &expected, &trash).unwrap();
        assert_eq!(names(&root).unwrap(), [b"kept".to_vec()]);
        clean(&root, &expected, &trash).unwrap();
    }

    #[test]
    fn immutable_marks_are_taken_away() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("base");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(root.join("sub/file"), "x").unwrap();
        for path in ["sub/file", "sub"] {
            let fd = rustix::fs::open(
                root.join(path),
                rustix::fs::OFlags::RDONLY,
                rustix::fs::Mode::empty(),
            )
            .unwrap();
            // Not every file system, and not everybody, can mark a file; then there is nothing to take away.
            let set = rustix::fs::ioctl_getflags(&fd).and_then(|flags| {
                rustix::fs::ioctl_setflags(&fd, flags | rustix::fs::IFlags::IMMUTABLE)
            });
            println!("marking {path}: {set:?}");
        }
        clean(&root, &Expected::default(), &dir.path().join("trash")).unwrap();
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
    }

    #[test]
    fn a_link_in_the_place_of_the_trash_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (outside, trash) = (dir.path().join("outside"), dir.path().join("trash"));
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(&outside, &trash).unwrap();
        fs::create_dir_all(dir.path().join("base/unwanted")).unwrap();
        assert!(discard(&dir.path().join("base"), &trash).is_err());
        empty(&trash).unwrap();
        assert!(outside.join("file").exists() && fs::symlink_metadata(&trash).is_err());
        discard(&dir.path().join("base"), &trash).unwrap();
        assert!(!dir.path().join("base").exists());
    }

    #[test]
    fn a_link_in_the_place_of_the_checkout_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "x").unwrap();
        let root = dir.path().join("base");
        std::os::unix::fs::symlink(&outside, &root).unwrap();
        clean(&root, &Expected::default(), &dir.path().join("trash")).unwrap();
        assert!(outside.join("file").exists());
        assert!(fs::symlink_metadata(&root).unwrap().is_dir());
    }
}
