//! Takes a report out of what a program wrote.
//!
//! **Invariant:** only a regular file that the program wrote itself is a report: no link is followed, nothing is waited for, and
//! no more is read than there is room.

use std::fs::File;
use std::io::Read;
use std::os::fd::BorrowedFd;

use ringfence_core::relpath::RelPath;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

/// The bytes of the file at `path` below `written`; none when there is no such file.
pub(super) fn take(
    written: BorrowedFd<'_>,
    path: &RelPath,
    room: u64,
) -> Result<Option<Vec<u8>>, String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let file = match openat2(written, path.as_str(), flags, Mode::empty(), resolve) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err("a link is in its place".to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    let is_file = file
        .metadata()
        .is_ok_and(|metadata| metadata.file_type().is_file());
    if !is_file {
        return Err("it is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let read = file.take(room.saturating_add(1)).read_to_end(&mut bytes);
    match read {
        Ok(_) if bytes.len() as u64 > room => {
            Err(format!("it is larger than {room} bytes, which are left"))
        }
        Ok(_) => Ok(Some(bytes)),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    #[test]
    fn a_report_is_a_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("dir")).unwrap();
        std::fs::write(at("dir/file"), "report").unwrap();
        symlink("dir/file", at("link")).unwrap();
        symlink("dir", at("way")).unwrap();
        symlink("/etc/passwd", at("out")).unwrap();
        mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let written = super::super::mounts::open_dir(dir.path()).unwrap();
        let take = |path: &str, room| take(written.as_fd(), &RelPath::lexical(path).unwrap(), room);
        assert_eq!(take("dir/file", 6), Ok(Some(b"report".to_vec())));
        assert_eq!(take("none", 6), Ok(None));
        assert!(take("dir/file", 5).unwrap_err().contains("larger than 5"));
        for (path, why) in [
            ("link", "a link"),
            ("way/file", "a link"),
            ("out", "a link"),
            ("dir", "no regular file"),
            ("pipe", "no regular file"),
        ] {
            assert!(take(path, 6).unwrap_err().contains(why), "{path}");
        }
    }
}
