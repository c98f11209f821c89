//! What a commit to the checked-out branch keeps until it is finished or undone: the log, and the files beside it.
//!
//! Everything stands in one folder of the loop: `log.json`, and for each path of the change a file named by its number. That
//! one holds the new bytes until they are put in place, and from then on the old ones.
//!
//! **Invariant:** the files are on disk before the log is, and the log before anything of the user's is touched. Without a
//! log the folder is rubbish; with one, it says all that is needed to go on or back.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use ringfence_core::ids::{BeatNo, LoopId};
use ringfence_core::relpath::RelPath;
use serde::{Deserialize, Serialize};

use crate::git::output::{MODE_EXECUTABLE, MODE_LINK};
use crate::state_dir::{LoopDir, read_plain, sync_dir, write_atomic};
use crate::workspace::clean;

const VERSION: u32 = 1;
// Limit: ten thousand files, each with two digests and a path of the longest kind.
const LOG_BYTES_MAX: u64 = 64 << 20;

/// One file as git keeps it, and what its bytes are known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    /// Git mode: a file, an executable one, or a link.
    pub(super) mode: u32,
    /// Git id.
    pub(super) blob: String,
    /// BLAKE3 of the bytes, or of where the link leads.
    pub(super) digest: String,
}

/// One path of the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) path: RelPath,
    /// None when it is new.
    pub(super) old: Option<Content>,
    /// None when it goes.
    pub(super) new: Option<Content>,
}

/// A directory that a file takes the place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GoneDir {
    pub(super) path: RelPath,
    pub(super) mode: u32,
}

/// What is being done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Log {
    version: u32,
    pub(super) loop_id: LoopId,
    pub(super) beat: BeatNo,
    /// Full name of the branch.
    pub(super) reference: String,
    /// Where it was.
    pub(super) base_commit: String,
    /// Where it is to be.
    pub(super) commit: String,
    /// Each path once.
    pub(super) entries: Vec<Entry>,
    /// Directories that are made for it, outermost first.
    pub(super) made: Vec<RelPath>,
    /// Directories that go for it, innermost first.
    pub(super) gone: Vec<GoneDir>,
}

impl Log {
    pub(super) fn new(
        loop_id: &LoopId,
        beat: BeatNo,
        reference: &str,
        base_commit: &str,
        commit: &str,
        entries: Vec<Entry>,
    ) -> Self {
        Self {
            version: VERSION,
            loop_id: loop_id.clone(),
            beat,
            reference: reference.to_owned(),
            base_commit: base_commit.to_owned(),
            commit: commit.to_owned(),
            entries,
            made: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// The log in a loop's folder; none when there is none.
    ///
    /// # Errors
    /// One that is there and cannot be read, or was written by another version.
    pub(super) fn read(dir: &LoopDir) -> io::Result<Option<Self>> {
        let path = path(dir);
        if fs::symlink_metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(None);
        }
        let text = read_plain(&path, LOG_BYTES_MAX)
            .ok_or_else(|| io::Error::other("it is no file, or too long"))?;
        let log: Self = serde_json::from_str(&text)?;
        if log.version == VERSION {
            Ok(Some(log))
        } else {
            Err(io::Error::other(format!(
                "version {} of the log, this host reads {VERSION}",
                log.version
            )))
        }
    }

    /// Writes it to disk.
    pub(super) fn write(&self, dir: &LoopDir) -> io::Result<()> {
        write_atomic(&path(dir), &serde_json::to_vec(self)?)
    }

    /// Takes it away for good: what it was about is over.
    pub(super) fn remove(dir: &LoopDir) -> io::Result<()> {
        clean::remove_file_if_there(&path(dir))?;
        match sync_dir(&dir.commit()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            synced => synced,
        }
    }

    /// What the lock on the user's index says while this lasts; nobody else writes the same.
    pub(super) fn lock_text(&self) -> String {
        lock_text(&self.loop_id, self.beat, &self.commit)
    }
}

/// What the lock on the user's index says while a beat commits.
pub(super) fn lock_text(loop_id: &LoopId, beat: BeatNo, commit: &str) -> String {
    format!(
        "ringfence: beat {beat} of loop {loop_id} is committing {commit}; the next beat finishes what this one cannot\n"
    )
}

/// The path of the log.
pub(super) fn path(dir: &LoopDir) -> PathBuf {
    dir.commit().join("log.json")
}

/// The name of the file that belongs to entry `number`.
pub(super) fn staged_name(number: usize) -> String {
    number.to_string()
}

/// Makes the folder anew and writes the new files into it; `blobs` are those of the entries, and `permissions` those of
/// the files that are there.
pub(super) fn stage(
    dir: &LoopDir,
    entries: &[Entry],
    blobs: &[Vec<u8>],
    permissions: &[Option<u32>],
) -> io::Result<()> {
    let folder = dir.commit();
    clean::discard(&folder, &dir.trash())?;
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    for (number, ((entry, bytes), permissions)) in
        entries.iter().zip(blobs).zip(permissions).enumerate()
    {
        if let Some(new) = &entry.new {
            put(&folder.join(staged_name(number)), new, bytes, *permissions)?;
        }
    }
    sync_dir(&folder)?;
    sync_dir(dir.path())
}

fn put(path: &Path, content: &Content, bytes: &[u8], permissions: Option<u32>) -> io::Result<()> {
    if content.mode == MODE_LINK {
        return symlink(std::ffi::OsStr::from_bytes(bytes), path);
    }
    let executable = content.mode == MODE_EXECUTABLE;
    let mode = if executable { 0o777 } else { 0o666 };
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(bytes)?;
    if let Some(found) = permissions {
        let mode = if executable {
            found | (found & 0o444) >> 2
        } else {
            found & !0o111
        };
        file.set_permissions(Permissions::from_mode(mode & 0o777))?;
    }
    file.sync_all()
}

/// The digest of some bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
