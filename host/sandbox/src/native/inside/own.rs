//! The program that the first process of a sandbox runs: this very one, but not where the machine has it.
//!
//! What is about to become another program can still name the one it is: `#!/proc/self/exe` is opened before anything is
//! given up. So the file must be none that could be written or started through that name. It is shown once more in its own
//! place, read-only, and the first process is started from there; that takes the place away again and lets nothing more be
//! started from it. Where its name leads elsewhere meanwhile, it is copied into memory that nobody can change.
//!
//! **Invariant:** the first process runs from a file that cannot be written through it, even by the user who owns the
//! machine's own.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use super::kernel::{Flags, detach};
use super::mounts;

const THIS: &str = "/proc/self/exe";
const SHOWN: &str = "shown";
const COPIED: &str = "copied";

/// Where the first process is started from.
pub(super) enum Own {
    /// At its own name, which is a mount by itself.
    Shown(PathBuf),
    /// In memory.
    Copied(OwnedFd),
}

impl Own {
    /// In the mount namespace of this process, which is no longer the machine's.
    pub(super) fn prepare() -> io::Result<Self> {
        match Self::show() {
            Ok(Some(name)) => Ok(Self::Shown(name)),
            // Also where a newer one has taken its name, or it lies where nothing can be shown again.
            Ok(None) | Err(_) => Self::copy(),
        }
    }

    fn show() -> io::Result<Option<PathBuf>> {
        let name = std::env::current_exe()?;
        if !is_this(&name)? {
            return Ok(None);
        }
        mounts::show_in_place(&name)?;
        Ok(is_this(&name)?.then_some(name))
    }

    fn copy() -> io::Result<Self> {
        let copy = memfd_create("ringfence", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let mut copy = File::from(copy);
        io::copy(&mut File::open(THIS)?, &mut copy)?;
        let all = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        fcntl_add_seals(&copy, all)?;
        Ok(Self::Copied(copy.into()))
    }

    /// What to start.
    pub(super) fn program(&self) -> PathBuf {
        match self {
            Self::Shown(name) => name.clone(),
            Self::Copied(copy) => format!("/proc/self/fd/{}", copy.as_raw_fd()).into(),
        }
    }

    /// What to tell the first process of it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Shown(_) => SHOWN,
            Self::Copied(_) => COPIED,
        }
    }
}

/// What the first process does once it runs, with the word that it was told.
pub(super) fn leave(word: &str) -> io::Result<()> {
    match word {
        SHOWN => {
            let name = std::env::current_exe()?;
            mounts::read_only(&name, Flags::NO_PROGRAMS)?;
            detach(&name)
        }
        COPIED => Ok(()),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

fn is_this(name: &Path) -> io::Result<bool> {
    let file = |path: &Path| -> io::Result<(u64, u64)> {
        let found = std::fs::metadata(path)?;
        Ok((found.dev(), found.ino()))
    };
    Ok(file(name)? == file(Path::new(THIS))?)
}
