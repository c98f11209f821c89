//! One writer for each loop: a lock file that the kernel releases when its holder dies.
//!
//! **Invariant:** while the lock is held, no other beat of this loop runs and no git that an earlier, killed beat had
//! started runs either: every child inherits the lock's descriptor, so the lock is free only when all of them are gone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use jiff::Timestamp;
use rustix::io::FdFlags;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::state_dir::{LoopDir, open_plain};

// Limit: a holder's note is about 60 bytes; what is longer was not written by us.
const NOTE_BYTES_MAX: u64 = 1024;

/// Who holds or held the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// When it took the lock.
    pub since: Timestamp,
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another beat of this loop is running, or a program it started has not ended yet.
    #[error("another beat of this loop is running ({})", holder_text(.holder.as_ref()))]
    Held {
        /// Who, when the file says so.
        holder: Option<Holder>,
    },
    /// The lock file cannot be used.
    #[error("the lock file {} cannot be used", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The lock of one loop, held until it is dropped.
#[derive(Debug)]
pub struct LoopLock {
    file: File,
    died: Option<Holder>,
}

impl LoopLock {
    /// Takes the lock without waiting.
    ///
    /// # Errors
    /// [`LockError::Held`] while somebody else holds it, [`LockError::Io`] when the file cannot be used.
    pub fn acquire(dir: &LoopDir, clock: &dyn Clock) -> Result<Self, LockError> {
        let path = dir.lock();
        let io = |source| LockError::Io {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let mut file = open_plain(&path, &mut options).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    holder: read_note(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        let died = read_note(&mut file);
        rustix::io::fcntl_setfd(&file, FdFlags::empty()).map_err(|error| io(error.into()))?;
        write_note(
            &mut file,
            &Holder {
                pid: std::process::id(),
                since: clock.now(),
            },
        )
        .map_err(io)?;
        Ok(Self { file, died })
    }

    /// The last holder, when it ended without giving the lock back: it was killed, or the machine went down.
    #[must_use]
    pub fn died(&self) -> Option<&Holder> {
        self.died.as_ref()
    }
}

impl Drop for LoopLock {
    fn drop(&mut self) {
        let released = self.file.set_len(0).and_then(|()| self.file.unlock());
        if let Err(error) = released {
            tracing::warn!(%error, "the lock file could not be cleared; the next beat will report a dead holder");
        }
    }
}

fn read_note(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(NOTE_BYTES_MAX).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write_note(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(holder)?)
}

fn holder_text(holder: Option<&Holder>) -> String {
    match holder {
        Some(Holder { pid, since }) => format!("process {pid}, since {since:.0}"),
        None => "it has not said which process it is".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;
    use crate::state_dir::StateDir;
    use ringfence_core::ids::LoopId;

    fn loop_dir(top: &std::path::Path) -> LoopDir {
        StateDir::open(&crate::git::discover::Project::Folder(top.to_owned()))
            .unwrap()
            .open_loop(&LoopId::new("docs").unwrap())
            .unwrap()
    }

    #[test]
    fn one_holder_at_a_time_and_the_message_names_it() {
        let top = tempfile::tempdir().unwrap();
        let dir = loop_dir(top.path());
        let clock = FakeClock::at("2026-01-02T03:04:05Z".parse().unwrap());
        let lock = LoopLock::acquire(&dir, &clock).unwrap();
        assert_eq!(lock.died(), None);
        let error = LoopLock::acquire(&dir, &clock).unwrap_err();
        let text = format!("process {}, since 2026-01-02T03:04:05Z", std::process::id());
        assert_eq!(
            error.to_string(),
            format!("another beat of this loop is running ({text})")
        );
        drop(lock);
        assert_eq!(LoopLock::acquire(&dir, &clock).unwrap().died(), None);
    }

    #[test]
    fn a_holder_that_was_killed_is_told_of() {
        let top = tempfile::tempdir().unwrap();
        let dir = loop_dir(top.path());
        let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
        std::fs::write(dir.lock(), r#"{"pid":7,"since":"1970-01-01T00:00:07Z"}"#).unwrap();
        let lock = LoopLock::acquire(&dir, &clock).unwrap();
        assert_eq!(lock.died().map(|holder| holder.pid), Some(7));
    }

    #[test]
    fn a_child_that_outlives_its_parent_keeps_the_lock() {
        let top = tempfile::tempdir().unwrap();
        let dir = loop_dir(top.path());
        let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
        let mut lock = LoopLock::acquire(&dir, &clock).unwrap();
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // What a SIGKILL does to the holder: its descriptor is closed, and nothing else happens.
        drop(std::mem::replace(
            &mut lock.file,
            File::open("/dev/null").unwrap(),
        ));
        assert!(matches!(
            LoopLock::acquire(&dir, &clock),
            Err(LockError::Held { .. })
        ));
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn odd_lock_files_are_refused_or_overwritten() {
        let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
        let top = tempfile::tempdir().unwrap();
        let dir = loop_dir(top.path());
        std::os::unix::fs::symlink("/etc/passwd", dir.lock()).unwrap();
        assert!(matches!(
            LoopLock::acquire(&dir, &clock),
            Err(LockError::Io { .. })
        ));
        std::fs::remove_file(dir.lock()).unwrap();
        std::fs::create_dir(dir.lock()).unwrap();
        assert!(matches!(
            LoopLock::acquire(&dir, &clock),
            Err(LockError::Io { .. })
        ));
        std::fs::remove_dir(dir.lock()).unwrap();
        std::fs::write(dir.lock(), vec![b'x'; 5000]).unwrap();
        assert_eq!(LoopLock::acquire(&dir, &clock).unwrap().died(), None);
        assert_eq!(std::fs::metadata(dir.lock()).unwrap().len(), 0);
    }
}
