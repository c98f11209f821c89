//! Keeps a file open where no program can find it.
//!
//! What a process has open, the program that it becomes can still name until it runs: `#!/proc/self/fd/3/..` is looked up
//! before the kernel closes anything. A file that lies in a socket, on its way from this process to itself, has no such name.
//!
//! **Invariant:** between `put` and `take` the file is in no table of open files.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

/// A file that was put aside.
pub(super) struct Aside {
    from: OwnedFd,
    _to: OwnedFd,
}

impl Aside {
    pub(super) fn put(file: OwnedFd) -> io::Result<Self> {
        let (to, from) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        let files = [file.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        if !beside.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        sendmsg(&to, &[IoSlice::new(b"x")], &mut beside, SendFlags::empty())?;
        Ok(Self { from, _to: to })
    }

    pub(super) fn take(self) -> io::Result<OwnedFd> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
        recvmsg(
            &self.from,
            &mut [IoSliceMut::new(&mut byte)],
            &mut beside,
            flags,
        )?;
        let mut files = beside.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(files) => Some(files),
            _ => None,
        });
        let file = files.next().and_then(|mut files| files.next());
        file.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// What this process has open besides its streams, and a program could find something through; none when all of it is
/// sockets, which cannot be opened by a name.
pub(super) fn open_files() -> io::Result<Option<String>> {
    const STREAMS: u32 = 3;
    const LIST: &str = "/proc/self/fd";
    let listed = std::fs::read_dir(LIST)?.map(|entry| Ok(entry?.file_name()));
    let listed: Vec<OsString> = listed.collect::<io::Result<_>>()?;
    for name in listed {
        let number: Option<u32> = name.to_str().and_then(|name| name.parse().ok());
        if number.is_some_and(|number| number < STREAMS) {
            continue;
        }
        match std::fs::read_link(Path::new(LIST).join(name)) {
            Ok(to) if to.to_string_lossy().starts_with("socket:") => {}
            Ok(to) => return Ok(Some(to.display().to_string())),
            // The listing itself, which is closed by now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};

    use super::*;

    #[test]
    fn what_is_put_aside_comes_back() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"report").unwrap();
        let inode =
            |file: &std::fs::File| std::os::unix::fs::MetadataExt::ino(&file.metadata().unwrap());
        let before = inode(&file);
        let aside = Aside::put(file.into()).unwrap();
        let mut file = std::fs::File::from(aside.take().unwrap());
        assert_eq!(inode(&file), before);
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "report");
    }
}
