//! The six calls of the kernel that the safe interfaces in this tree do not have: namespaces, mounts, the host's name, who is at
//! the other end of a socket, and keeping what is open from a program.
//!
//! **Invariant:** nothing here but texts that end in a NUL and plain numbers is handed to the kernel, and nothing comes back
//! but numbers; no memory is shared with it beyond the call.

#![expect(
    unsafe_code,
    reason = "calls of the kernel without a safe interface here"
)]

use std::ffi::{CStr, CString, c_int, c_ulong};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

/// Namespaces to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Namespaces(c_int);

impl Namespaces {
    pub(super) const USER: Self = Self(libc::CLONE_NEWUSER);
    pub(super) const MOUNT: Self = Self(libc::CLONE_NEWNS);
    /// Of what this process begins from now on, not of itself.
    pub(super) const PROCESS: Self = Self(libc::CLONE_NEWPID);
    pub(super) const NETWORK: Self = Self(libc::CLONE_NEWNET);
    pub(super) const IPC: Self = Self(libc::CLONE_NEWIPC);
    pub(super) const UTS: Self = Self(libc::CLONE_NEWUTS);
    pub(super) const CGROUP: Self = Self(libc::CLONE_NEWCGROUP);
}

/// How something is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flags(c_ulong);

impl Flags {
    pub(super) const NONE: Self = Self(0);
    /// The same files at another place.
    pub(super) const BIND: Self = Self(libc::MS_BIND);
    /// With whatever is mounted below.
    pub(super) const ALL_BELOW: Self = Self(libc::MS_REC);
    /// Nothing that is mounted elsewhere comes here, or the other way round.
    pub(super) const PRIVATE: Self = Self(libc::MS_PRIVATE);
    /// Changes the flags of what is mounted already.
    pub(super) const AGAIN: Self = Self(libc::MS_REMOUNT);
    pub(super) const READ_ONLY: Self = Self(libc::MS_RDONLY);
    pub(super) const NO_SETUID: Self = Self(libc::MS_NOSUID);
    pub(super) const NO_DEVICES: Self = Self(libc::MS_NODEV);
    pub(super) const NO_PROGRAMS: Self = Self(libc::MS_NOEXEC);
    pub(super) const NO_ACCESS_TIMES: Self = Self(libc::MS_NOATIME);
    pub(super) const NO_DIRECTORY_TIMES: Self = Self(libc::MS_NODIRATIME);
    pub(super) const RELATIVE_TIMES: Self = Self(libc::MS_RELATIME);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Puts this process, which has one thread, into new namespaces.
pub(super) fn unshare(namespaces: Namespaces) -> io::Result<()> {
    // SAFETY: takes a number. Nothing is unshared that memory or file descriptors of this process depend on.
    done(unsafe { libc::unshare(namespaces.0) })
}

/// Mounts `source` of the kind `kind` at `target`.
pub(super) fn mount(
    source: &Path,
    target: &Path,
    kind: &str,
    flags: Flags,
    data: &str,
) -> io::Result<()> {
    let (source, target) = (text(source.as_os_str().as_bytes())?, path(target)?);
    let (kind, data) = (text(kind.as_bytes())?, text(data.as_bytes())?);
    let or_null = |text: &CStr| {
        if text.is_empty() {
            ptr::null()
        } else {
            text.as_ptr()
        }
    };
    // SAFETY: four pointers to texts that outlive the call and end in a NUL, or to nothing; the kernel only reads them.
    done(unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            or_null(&kind),
            flags.0,
            or_null(&data).cast(),
        )
    })
}

/// Takes what is mounted at `target` away, with all below it, once nobody uses it any more.
pub(super) fn detach(target: &Path) -> io::Result<()> {
    let target = path(target)?;
    // SAFETY: a pointer to a text that outlives the call and ends in a NUL.
    done(unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) })
}

/// Calls the machine `name`, in this namespace.
pub(super) fn name_host(name: &str) -> io::Result<()> {
    // SAFETY: a pointer and the length of what it points to, which the kernel only reads.
    done(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) })
}

/// The number of the process that made the other end of a socket: 0 for one that this namespace does not know.
// The safe interface takes a process's number never to be 0.
pub(super) fn maker_of_peer(socket: BorrowedFd<'_>) -> io::Result<i32> {
    let mut peer = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut length = libc::socklen_t::try_from(size_of_val(&peer)).map_err(io::Error::other)?;
    // SAFETY: two pointers to memory of this function, of which the kernel writes as much as `length` says at most; any bytes
    // are a `ucred`.
    done(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut peer).cast(),
            &raw mut length,
        )
    })?;
    Ok(peer.pid)
}

/// Whatever is open but the three streams is closed for every program that this process becomes or begins.
pub(super) fn keep_to_itself() -> io::Result<()> {
    const FIRST: libc::c_uint = 3;
    // SAFETY: takes numbers. No file is closed in this process, so that nothing that owns one is mistaken about it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            FIRST,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    done(c_int::from(result != 0))
}

fn done(result: c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn path(path: &Path) -> io::Result<CString> {
    text(path.as_os_str().as_bytes())
}

fn text(text: &[u8]) -> io::Result<CString> {
    Ok(CString::new(text)?)
}
