//! What native code may try on a confined thread: ways out, and what must go on working inside.
//!
//! Functions panic when the set-up is wrong; they are made for tests.
//!
//! **Invariant:** everything goes by the names that the host itself would use, through no code of the sandbox.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, Timespec, Timestamps, XattrFlags, linkat,
    mkdirat, readlinkat, renameat, symlinkat, unlinkat,
};
use rustix::process::{PidfdFlags, Signal, getpid};
use tempfile::TempDir;

use crate::stop;

const MODE: Mode = Mode::RWXU;
const TIMES: Timestamps = Timestamps {
    last_access: Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    },
    last_modification: Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    },
};
/// What is in the file outside.
pub const SECRET: &str = "xyzzy-unseen-4712";

/// Two roots, and a directory that is none.
#[derive(Debug)]
pub struct Ground {
    path: PathBuf,
    /// Opened before anything is given up, as a directory of the first layer would be by mistake.
    outside: File,
    _removed_at_the_end: Option<TempDir>,
}

impl Default for Ground {
    fn default() -> Self {
        Self::new()
    }
}

impl Ground {
    /// Makes everything in a directory that goes with it.
    ///
    /// # Panics
    /// When there is no room for it.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|error| stop(error));
        let mut ground = Self::at(dir.path());
        ground._removed_at_the_end = Some(dir);
        ground
    }

    /// Makes everything in `path`, which stays.
    ///
    /// # Panics
    /// When there is no room for it.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self::make(path).unwrap_or_else(|error| stop(error))
    }

    fn make(path: &Path) -> io::Result<Self> {
        for dir in ["root/dir", "other", "outside"] {
            fs::create_dir_all(path.join(dir))?;
        }
        fs::write(path.join("root/one"), "one")?;
        fs::write(path.join("other/one"), "one")?;
        fs::write(path.join("outside/secret"), SECRET)?;
        symlink("../outside/secret", path.join("root/to-secret"))?;
        symlink("../outside", path.join("root/to-outside"))?;
        Ok(Self {
            path: path.to_owned(),
            outside: File::open(path.join("outside"))?,
            _removed_at_the_end: None,
        })
    }

    /// The first root.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.path.join("root")
    }

    /// The second root.
    #[must_use]
    pub fn other_root(&self) -> PathBuf {
        self.path.join("other")
    }

    /// Where nothing is.
    #[must_use]
    pub fn aside(&self) -> PathBuf {
        self.path.join("aside")
    }

    /// Both roots.
    #[must_use]
    pub fn roots(&self) -> [PathBuf; 2] {
        [self.root(), self.other_root()]
    }

    /// A file in the first root.
    #[must_use]
    pub fn one(&self) -> PathBuf {
        self.root().join("one")
    }

    /// The file outside.
    #[must_use]
    pub fn secret(&self) -> PathBuf {
        self.outside("secret")
    }

    fn outside(&self, name: &str) -> PathBuf {
        self.path.join("outside").join(name)
    }

    /// Names and bytes outside.
    ///
    /// # Panics
    /// When they cannot be read.
    #[must_use]
    pub fn look_outside(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(self.path.join("outside")).unwrap_or_else(|error| stop(error));
        let look = |entry: io::Result<fs::DirEntry>| {
            let path = entry.unwrap_or_else(|error| stop(error)).path();
            let bytes = fs::read(&path).unwrap_or_else(|error| stop(error));
            (path, bytes)
        };
        entries.map(look).collect()
    }
}

/// One thing that native code does.
#[derive(Debug)]
pub struct Deed {
    /// What it is.
    pub name: &'static str,
    /// Does it.
    pub act: fn(&Ground) -> io::Result<()>,
}

macro_rules! deeds {
    ($($name:literal = $act:expr),* $(,)?) => { &[$(Deed { name: $name, act: $act }),*] };
}

/// Ways to files outside. Each works for a thread that has given up nothing.
pub const FILES: &[Deed] = deeds! {
    "read a file" = |g| fs::read(g.secret()).map(drop),
    "read through a link inside" = |g| fs::read(g.root().join("to-secret")).map(drop),
    "read through .." = |g| fs::read(g.root().join("dir/../../outside/secret")).map(drop),
    "read below an open directory" = |g| {
        rustix::fs::openat(&g.outside, "secret", OFlags::RDONLY, Mode::empty())?;
        Ok(())
    },
    "list a directory" = |g| fs::read_dir(g.path.join("outside")).map(drop),
    "list an open directory" = |g| {
        rustix::fs::openat(&g.outside, ".", OFlags::RDONLY, Mode::empty())?;
        Ok(())
    },
    "write to a file" = |g| OpenOptions::new().append(true).open(g.secret()).map(drop),
    "cut a file short" = |g| OpenOptions::new().write(true).truncate(true).open(g.secret()).map(drop),
    "create a file" = |g| File::create_new(g.outside("new")).map(drop),
    "create through a link inside" = |g| File::create_new(g.root().join("to-outside/new")).map(drop),
    "create a directory" = |g| Ok(mkdirat(CWD, g.outside("new"), MODE)?),
    "create a link" = |g| Ok(symlinkat("x", CWD, g.outside("new"))?),
    "remove a file" = |g| Ok(unlinkat(CWD, g.secret(), AtFlags::empty())?),
    "move a file out" = |g| Ok(renameat(CWD, g.one(), CWD, g.outside("new"))?),
    "move a file in" = |g| Ok(renameat(CWD, g.secret(), CWD, g.root().join("new"))?),
    "move a file over one outside" = |g| Ok(renameat(CWD, g.one(), CWD, g.secret())?),
    "exchange two files" = |g| {
        Ok(rustix::fs::renameat_with(CWD, g.one(), CWD, g.secret(), RenameFlags::EXCHANGE)?)
    },
    "give a file a name inside" = |g| {
        Ok(linkat(CWD, g.secret(), CWD, g.root().join("new"), AtFlags::empty())?)
    },
    "give a file a name outside" = |g| {
        Ok(linkat(CWD, g.one(), CWD, g.outside("new"), AtFlags::empty())?)
    },
    "read own memory" = |_| File::open("/proc/self/mem").map(drop),
    "write own memory" = |_| OpenOptions::new().write(true).open("/proc/self/mem").map(drop),
    "read own environment" = |_| fs::read("/proc/self/environ").map(drop),
    "open a device" = |_| File::open("/dev/null").map(drop),
};

/// Ways out that need no file. Each works for a thread that has given up nothing.
pub const CALLS: &[Deed] = deeds! {
    "start a program" = |_| Command::new("/bin/true").status().map(drop),
    "start a program by its name" = |_| Command::new("true").status().map(drop),
    "send a datagram" = |_| UdpSocket::bind("127.0.0.1:0").map(drop),
    "listen to TCP" = |_| TcpListener::bind("127.0.0.1:0").map(drop),
    "listen to a socket inside" = |g| UnixListener::bind(g.root().join("socket")).map(drop),
    "make a pair of sockets" = |_| UnixStream::pair().map(drop),
    "signal its own process" = |_| Ok(rustix::process::test_kill_process(getpid())?),
    "signal its parent" = |_| {
        let parent = rustix::process::getppid().ok_or(ErrorKind::NotFound)?;
        Ok(rustix::process::test_kill_process(parent)?)
    },
    "wind up its process group" = |_| {
        Ok(rustix::process::kill_current_process_group(Signal::CONT)?)
    },
    "hold a process" = |_| {
        rustix::process::pidfd_open(getpid(), PidfdFlags::empty())?;
        Ok(())
    },
    "change who may use a file" = |g| fs::set_permissions(g.one(), Permissions::from_mode(0o640)),
    "change who may use an open file" = |g| {
        File::open(g.one())?.set_permissions(Permissions::from_mode(0o640))
    },
    "change whose a file is" = |g| std::os::unix::fs::chown(g.one(), None, None),
    "set an attribute" = |g| {
        Ok(rustix::fs::setxattr(g.one(), "user.x", b"1", XattrFlags::empty())?)
    },
    "make a pipe in a directory" = |g| {
        let mode = Mode::from_raw_mode(0o600);
        Ok(rustix::fs::mknodat(CWD, g.root().join("fifo"), FileType::Fifo, mode, 0)?)
    },
    "lock a file" = |g| File::open(g.one())?.try_lock().map_err(io::Error::other),
    "go to another directory" = |g| std::env::set_current_dir(g.root()),
    "change a limit of the process" = |_| {
        let core = rustix::process::Resource::Core;
        let limit = rustix::process::getrlimit(core);
        Ok(rustix::process::setrlimit(core, limit)?)
    },
};

/// What neither layer sees: looking at a file, reading where a link leads, and setting times. No byte of a file is in it.
pub const UNSEEN: &[Deed] = deeds! {
    "look at a file" = |g| {
        rustix::fs::statat(CWD, g.secret(), AtFlags::empty())?;
        Ok(())
    },
    "read a link" = |_| {
        readlinkat(CWD, "/proc/self", Vec::new())?;
        Ok(())
    },
    "set times" = |g| Ok(rustix::fs::utimensat(CWD, g.secret(), &TIMES, AtFlags::empty())?),
};

/// What a file system of a guest is made of.
pub const INSIDE: &[Deed] = deeds! {
    "read" = |g| fs::read(g.one()).map(drop),
    "read in pieces" = |g| File::open(g.one())?.read_exact_at(&mut [0; 2], 1),
    "list" = |g| fs::read_dir(g.root())?.try_for_each(|entry| entry.map(drop)),
    "look" = |g| fs::symlink_metadata(g.root().join("to-secret")).map(drop),
    "look at what is open" = |g| File::open(g.one())?.metadata().map(drop),
    "read a link" = |g| {
        readlinkat(CWD, g.root().join("to-secret"), Vec::new())?;
        Ok(())
    },
    "create and write" = |g| {
        let mut file = File::create_new(g.root().join("new"))?;
        file.write_all(b"text")?;
        file.write_all_at(b"T", 0)?;
        file.sync_data()?;
        file.sync_all()?;
        file.rewind()
    },
    "cut short and extend" = |g| {
        let file = OpenOptions::new().write(true).open(g.one())?;
        file.set_len(1)?;
        file.set_len(9)?;
        OpenOptions::new().write(true).truncate(true).open(g.one()).map(drop)
    },
    "set times" = |g| {
        OpenOptions::new().write(true).open(g.one())?.set_modified(SystemTime::UNIX_EPOCH)?;
        let link = g.root().join("to-secret");
        Ok(rustix::fs::utimensat(CWD, link, &TIMES, AtFlags::SYMLINK_NOFOLLOW)?)
    },
    "make and remove a directory" = |g| {
        mkdirat(CWD, g.root().join("new"), MODE)?;
        Ok(unlinkat(CWD, g.root().join("new"), AtFlags::REMOVEDIR)?)
    },
    "make and remove a link" = |g| {
        symlinkat("/etc/passwd", CWD, g.root().join("new"))?;
        Ok(unlinkat(CWD, g.root().join("new"), AtFlags::empty())?)
    },
    "give a file another name in another directory" = |g| {
        Ok(linkat(CWD, g.one(), CWD, g.root().join("dir/two"), AtFlags::empty())?)
    },
    "move a file to another directory" = |g| {
        Ok(renameat(CWD, g.one(), CWD, g.root().join("dir/two"))?)
    },
    "move a directory" = |g| {
        mkdirat(CWD, g.root().join("dir/deep"), MODE)?;
        Ok(renameat(CWD, g.root().join("dir/deep"), CWD, g.root().join("deep"))?)
    },
    "move a file to another root" = |g| {
        Ok(renameat(CWD, g.one(), CWD, g.other_root().join("two"))?)
    },
    "give a file a name in another root" = |g| {
        Ok(linkat(CWD, g.one(), CWD, g.other_root().join("two"), AtFlags::empty())?)
    },
    "read into a vector" = |g| File::open(g.one())?.read_to_end(&mut Vec::new()).map(drop),
};
