//! What a journal added up to when the last beat left it, so that a beat that finds nothing new need not read it again.
//!
//! Owns the file `bookmark` in a loop's folder: a digest, then what it covers as JSON. Deleting it costs one beat the time to
//! read the journal, and with it the knowledge how long the journal was.
//!
//! **Invariant:** a bookmark counts only while the journal is the very file, with the very length and times, that it was
//! written for, since the same start of the machine, for the same version of this program and the same time zone. A journal
//! that was touched is read whole. It is good for two things: to find that nothing is to be done, and that a journal has lost
//! entries. Whoever decides, recovers or publishes reads the journal.

use std::fs::{Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use jiff::Timestamp;
use ringfence_core::digest::Digest;
use ringfence_core::journal::{Head, LoopState};
use serde::{Deserialize, Serialize};

use crate::journal_file::JournalFileError;
use crate::state_dir::{LoopDir, Origin, boot_id, open_plain, read_plain};
use crate::workspace::Base;

// Limit: a thousand times the usual one; what is longer takes longer to read than a journal.
const BYTES_MAX: u64 = 16 << 20;
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where a journal was left, and what it added up to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bookmark {
    version: String,
    boot: String,
    timezone: String,
    journal: Mark,
    /// What the next line refers to.
    pub(crate) head: Head,
    /// How many entries are known to be on the disk.
    pub(crate) flushed: u64,
    /// What all lines add up to.
    pub(crate) state: LoopState,
    /// The commit that the last beat worked on.
    pub(crate) base: BaseCommit,
}

/// What is known of a commit, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BaseCommit {
    /// Its id.
    pub(crate) commit: String,
    /// The id of its tree.
    pub(crate) tree: String,
    /// When it was made.
    pub(crate) time: Timestamp,
}

/// What tells a file that nobody has written to from any other. The kernel sets the times of a write, and only it can set
/// the second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Mark {
    /// The mark of the file with this metadata.
    pub(crate) fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            bytes: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// True when it is a mark of the same file, whatever was written to it.
    pub(crate) fn is_the_file_of(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

impl BaseCommit {
    /// What is known of the commit of a base; none when the base is no commit's.
    pub(crate) fn of(base: &Base) -> Option<Self> {
        Some(Self {
            commit: base.commit.clone()?,
            tree: base.tree.clone(),
            time: base.time,
        })
    }
}

/// How many entries a loop's journal must have, whatever became of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reach {
    written: u64,
    flushed: u64,
}

/// What of a bookmark says how far the journal reaches, in every version of this program.
#[derive(Deserialize)]
struct Reached {
    boot: String,
    head: Head,
    #[serde(default)]
    flushed: u64,
}

impl Reach {
    /// What the bookmark in a loop's folder says; nothing where there is none, or the folder was brought along. To be asked for
    /// before the journal is read: a beat appends first.
    pub(crate) fn of(dir: &LoopDir) -> Self {
        Self::read(dir).unwrap_or_default()
    }

    fn read(dir: &LoopDir) -> Option<Self> {
        (dir.origin().ok()? == Origin::Ours).then_some(())?;
        let text = read_plain(&dir.bookmark(), BYTES_MAX)?;
        let (sum, text) = text.split_once('\n')?;
        (sum == Digest::of(text.as_bytes()).to_string()).then_some(())?;
        let Reached {
            boot,
            head,
            flushed,
        } = serde_json::from_str(text).ok()?;
        // A crash takes what was not flushed.
        let survived = !boot.is_empty() && boot == boot_id();
        let written = if survived { head.seq() } else { flushed };
        Some(Self { written, flushed })
    }

    /// How many entries are known to be on the disk.
    pub(crate) fn flushed(self) -> u64 {
        self.flushed
    }

    /// Checks that a journal that ends at `head` has lost nothing.
    ///
    /// # Errors
    /// [`JournalFileError::Lost`].
    pub(crate) fn check(self, dir: &LoopDir, head: &Head) -> Result<(), JournalFileError> {
        if head.seq() >= self.written {
            return Ok(());
        }
        Err(JournalFileError::Lost {
            path: dir.journal(),
            found: head.seq(),
            expected: self.written,
        })
    }
}

impl Bookmark {
    /// A bookmark for the journal with this mark, whose days are those of `timezone`.
    pub(crate) fn new(
        journal: Mark,
        timezone: &str,
        (head, flushed): (Head, u64),
        state: LoopState,
        base: BaseCommit,
    ) -> Self {
        Self {
            version: VERSION.to_owned(),
            boot: boot_id(),
            timezone: timezone.to_owned(),
            journal,
            head,
            flushed,
            state,
            base,
        }
    }

    /// The bookmark in a loop's folder, if there is one that may count. Whether it fits the journal is not looked at.
    pub(crate) fn read(dir: &LoopDir, timezone: &str) -> Option<Self> {
        let text = read_plain(&dir.bookmark(), BYTES_MAX)?;
        let (sum, text) = text.split_once('\n')?;
        (sum == Digest::of(text.as_bytes()).to_string()).then_some(())?;
        let found: Self = serde_json::from_str(text).ok()?;
        // Without a name for this start of the machine nobody knows whether a crash has taken the journal's end.
        let counts = !found.boot.is_empty()
            && found.boot == boot_id()
            && found.version == VERSION
            && found.timezone == timezone;
        counts.then_some(found)
    }

    /// True when the journal with this metadata is the one it was written for, untouched.
    pub(crate) fn fits(&self, journal: &Metadata) -> bool {
        journal.is_file() && self.journal == Mark::of(journal)
    }

    /// Writes it. One that is cut short keeps no sum, and one that is missing is not missed: a failure is worth a line in
    /// the log.
    pub(crate) fn write(&self, dir: &LoopDir) {
        let path = dir.bookmark();
        if let Err(error) = self.try_write(&path) {
            tracing::debug!(path = %path.display(), %error, "no bookmark was left in the journal");
        }
    }

    fn try_write(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_string(self)?;
        let text = format!("{}\n{text}", Digest::of(text.as_bytes()));
        // In place: a new file under the old name would be flushed by the file system.
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let mut file = open_plain(path, &mut options)?;
        file.write_all(text.as_bytes())?;
        file.set_len(text.len() as u64)
    }
}
