//! The journal's bytes on disk: lines that are appended and flushed, and a torn end that is cut off but kept.
//!
//! **Invariant:** a line that matters counts only after it is flushed; after a failed write nothing more is appended, so a torn line
//! is always the last one. What a line says is `ringfence_core`'s business.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub use ringfence_core::journal::LINE_BYTES_MAX;

use crate::state_dir::{open_plain, sync_dir};
use crate::steps::{self, Steps};

/// Longest journal that is read, in bytes.
// Limit: decades of entries; beyond it the file was not written by a loop.
pub const JOURNAL_BYTES_MAX: u64 = 512 << 20;
// Limit: torn ends that are kept; one a crash, and a person should have looked long before.
const TORN_FILES_MAX: u32 = 10_000;

/// Why the journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalFileError {
    /// The system refused.
    #[error("the journal {} cannot be {doing}", path.display())]
    Io {
        /// The journal, or the file a torn end was copied to.
        path: PathBuf,
        /// `opened`, `read`, `written`, `flushed` or `cut`.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A line with a newline in it, or longer than [`LINE_BYTES_MAX`].
    #[error("a journal line of {bytes} bytes is too long or holds a newline")]
    BadLine {
        /// Its length.
        bytes: usize,
    },
    /// The file is longer than [`JOURNAL_BYTES_MAX`].
    #[error("the journal {} has {bytes} bytes, more than the {JOURNAL_BYTES_MAX} that are read", path.display())]
    TooLong {
        /// The journal.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// An entry that cannot be put into a line.
    #[error("a journal entry cannot be written: {0}")]
    Unwritable(String),
    /// An earlier write failed; only a new beat, which reads the journal again, may append.
    #[error("the journal was not written completely a moment ago, so nothing more is appended")]
    Poisoned,
    /// Entries that were written are not there any more.
    #[error("the journal {} has {found} entries where {expected} were written", path.display())]
    Lost {
        /// The journal.
        path: PathBuf,
        /// How many it has.
        found: u64,
        /// How many it had.
        expected: u64,
    },
    /// Somebody else wrote to it, or cut it, while we held the lock.
    #[error("the journal {} has {found} bytes where {expected} were left", path.display())]
    Changed {
        /// The journal.
        path: PathBuf,
        /// Its length after our last read or write.
        expected: u64,
        /// Its length now.
        found: u64,
    },
}

/// Lines on a durable medium; a trait so that a test can make the n-th write fail.
pub trait JournalFile {
    /// Reads everything there is; empty when nothing was ever appended.
    ///
    /// # Errors
    /// [`JournalFileError`] when it cannot be read or is too long.
    fn read(&mut self) -> Result<Vec<u8>, JournalFileError>;

    /// Appends `line` (without newline) and one newline; `durable` flushes both, else the system does so when it likes.
    ///
    /// # Errors
    /// [`JournalFileError`]; the line then may or may not be there, in whole or in part, and only a new read can tell.
    fn append(&mut self, line: &[u8], durable: bool) -> Result<(), JournalFileError>;

    /// Cuts everything from `keep` on, after copying it to a file beside the journal; returns that file, or none when
    /// there was nothing to cut.
    ///
    /// # Errors
    /// [`JournalFileError`]; the torn bytes then still are in the journal.
    fn cut_torn(&mut self, keep: u64) -> Result<Option<PathBuf>, JournalFileError>;
}

/// A journal in a file.
pub struct DiskJournal<'a> {
    path: PathBuf,
    file: File,
    length: u64,
    poisoned: bool,
    steps: &'a dyn Steps,
}

impl<'a> DiskJournal<'a> {
    /// Opens the journal at `path` for a beat that holds its loop's lock, making an empty one when there is none.
    ///
    /// # Errors
    /// [`JournalFileError::Io`] when it is no regular file or cannot be opened.
    pub fn open(path: &Path, steps: &'a dyn Steps) -> Result<Self, JournalFileError> {
        let io = |source| JournalFileError::Io {
            path: path.to_owned(),
            doing: "opened",
            source,
        };
        let is_new = fs::symlink_metadata(path).is_err();
        let file = open_plain(
            path,
            OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .mode(0o600),
        )
        .map_err(io)?;
        if let Some(dir) = path.parent().filter(|_| is_new) {
            sync_dir(dir).map_err(io)?;
        }
        let length = file.metadata().map_err(io)?.len();
        steps.at(steps::JOURNAL_OPENED);
        Ok(Self {
            path: path.to_owned(),
            file,
            length,
            poisoned: false,
            steps,
        })
    }

    /// What the system says of the file, which must be as this writer left it.
    ///
    /// # Errors
    /// [`JournalFileError::Changed`] when it has another length, and [`JournalFileError::Io`].
    pub(crate) fn metadata(&self) -> Result<Metadata, JournalFileError> {
        let meta = self.file.metadata().map_err(self.error("read"))?;
        if meta.len() == self.length {
            return Ok(meta);
        }
        Err(JournalFileError::Changed {
            path: self.path.clone(),
            expected: self.length,
            found: meta.len(),
        })
    }

    fn error(&self, doing: &'static str) -> impl Fn(io::Error) -> JournalFileError + use<> {
        let path = self.path.clone();
        move |source| JournalFileError::Io {
            path: path.clone(),
            doing,
            source,
        }
    }
}

impl JournalFile for DiskJournal<'_> {
    fn read(&mut self) -> Result<Vec<u8>, JournalFileError> {
        self.metadata()?;
        self.file.rewind().map_err(self.error("read"))?;
        read_bounded(&self.path, &mut self.file)
    }

    fn append(&mut self, line: &[u8], durable: bool) -> Result<(), JournalFileError> {
        if self.poisoned {
            return Err(JournalFileError::Poisoned);
        }
        if line.len() > LINE_BYTES_MAX || line.contains(&b'\n') {
            return Err(JournalFileError::BadLine { bytes: line.len() });
        }
        self.metadata()?;
        let whole = [line, b"\n"].concat();
        self.poisoned = true;
        self.file.write_all(&whole).map_err(self.error("written"))?;
        self.steps.at(steps::JOURNAL_WRITTEN);
        if durable {
            self.file.sync_all().map_err(self.error("flushed"))?;
        }
        self.length += whole.len() as u64;
        self.poisoned = false;
        self.steps.at(steps::JOURNAL_SYNCED);
        Ok(())
    }

    fn cut_torn(&mut self, keep: u64) -> Result<Option<PathBuf>, JournalFileError> {
        self.metadata()?;
        if keep >= self.length {
            return Ok(None);
        }
        let mut torn = Vec::new();
        let rest = self.length - keep;
        self.file
            .seek(SeekFrom::Start(keep))
            .map_err(self.error("read"))?;
        Read::by_ref(&mut self.file)
            .take(rest)
            .read_to_end(&mut torn)
            .map_err(self.error("read"))?;
        let copy = keep_torn(&self.path, &torn)?;
        self.steps.at(steps::JOURNAL_TORN_KEPT);
        self.file
            .set_len(keep)
            .and_then(|()| self.file.sync_all())
            .map_err(self.error("cut"))?;
        self.length = keep;
        self.steps.at(steps::JOURNAL_CUT);
        Ok(Some(copy))
    }
}

/// Reads a journal without holding its lock; empty when there is none. The end may be a line that is being written.
///
/// # Errors
/// [`JournalFileError::Io`] and [`JournalFileError::TooLong`].
pub fn read_journal(path: &Path) -> Result<Vec<u8>, JournalFileError> {
    match open_journal(path)? {
        Some(mut file) => read_bounded(path, &mut file),
        None => Ok(Vec::new()),
    }
}

/// Opens a journal for whoever only looks at it; none when there is none.
pub(crate) fn open_journal(path: &Path) -> Result<Option<File>, JournalFileError> {
    match open_plain(path, OpenOptions::new().read(true)) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(JournalFileError::Io {
            path: path.to_owned(),
            doing: "opened",
            source,
        }),
    }
}

fn read_bounded(path: &Path, file: &mut File) -> Result<Vec<u8>, JournalFileError> {
    let io = |source| JournalFileError::Io {
        path: path.to_owned(),
        doing: "read",
        source,
    };
    let bytes = file.metadata().map_err(io)?.len();
    if bytes > JOURNAL_BYTES_MAX {
        return Err(JournalFileError::TooLong {
            path: path.to_owned(),
            bytes,
        });
    }
    let mut all = Vec::new();
    file.take(JOURNAL_BYTES_MAX)
        .read_to_end(&mut all)
        .map_err(io)?;
    Ok(all)
}

/// Writes the torn bytes to the first free `journal.torn-<n>` beside the journal.
fn keep_torn(journal: &Path, torn: &[u8]) -> Result<PathBuf, JournalFileError> {
    for n in 1..=TORN_FILES_MAX {
        let path = journal.with_file_name(format!("journal.torn-{n}"));
        let io = |source| JournalFileError::Io {
            path: path.clone(),
            doing: "written",
            source,
        };
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
        {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => {
                let mut file = opened.map_err(io)?;
                if let Err(error) = file.write_all(torn).and_then(|()| file.sync_all()) {
                    // On a full disk each try would leave another one that holds nothing.
                    if let Err(error) = fs::remove_file(&path) {
                        tracing::debug!(path = %path.display(), %error, "half a copy was left");
                    }
                    return Err(io(error));
                }
                path.parent().map_or(Ok(()), sync_dir).map_err(io)?;
                return Ok(path);
            }
        }
    }
    let source = io::Error::other("too many torn ends are kept already");
    Err(JournalFileError::Io {
        path: journal.to_owned(),
        doing: "cut",
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::NoSteps;

    #[test]
    fn lines_are_appended_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        assert_eq!(read_journal(&path).unwrap(), b"");
        let mut journal = DiskJournal::open(&path, &NoSteps).unwrap();
        assert_eq!(journal.read().unwrap(), b"");
        journal.append(b"one", true).unwrap();
        journal.append(b"", true).unwrap();
        assert_eq!(journal.read().unwrap(), b"one\n\n");
        assert_eq!(journal.cut_torn(5).unwrap(), None);
        let mut journal = DiskJournal::open(&path, &NoSteps).unwrap();
        journal.append(b"two", true).unwrap();
        assert_eq!(read_journal(&path).unwrap(), b"one\n\ntwo\n");
    }

    #[test]
    fn bad_lines_are_refused_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let mut journal = DiskJournal::open(&path, &NoSteps).unwrap();
        for line in [b"a\nb".to_vec(), vec![b'x'; LINE_BYTES_MAX + 1]] {
            assert!(matches!(
                journal.append(&line, true),
                Err(JournalFileError::BadLine { .. })
            ));
        }
        journal.append(&vec![b'x'; LINE_BYTES_MAX], true).unwrap();
        assert_eq!(journal.read().unwrap().len(), LINE_BYTES_MAX + 1);
    }

    #[test]
    fn a_torn_end_is_cut_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        for n in 1..=2 {
            fs::write(&path, "whole\n{\"torn").unwrap();
            let mut journal = DiskJournal::open(&path, &NoSteps).unwrap();
            let kept = journal.cut_torn(6).unwrap().unwrap();
            assert_eq!(kept, dir.path().join(format!("journal.torn-{n}")));
            assert_eq!(fs::read(&kept).unwrap(), b"{\"torn");
            journal.append(b"next", true).unwrap();
            assert_eq!(journal.read().unwrap(), b"whole\nnext\n");
        }
    }

    #[test]
    fn another_writer_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let mut journal = DiskJournal::open(&path, &NoSteps).unwrap();
        fs::write(&path, "else").unwrap();
        for error in [
            journal.append(b"x", true).unwrap_err(),
            journal.read().unwrap_err(),
        ] {
            assert!(
                matches!(
                    error,
                    JournalFileError::Changed {
                        expected: 0,
                        found: 4,
                        ..
                    }
                ),
                "{error}"
            );
        }
    }

    #[test]
    fn after_a_failed_write_nothing_more_is_appended() {
        let mut journal = DiskJournal {
            path: "/dev/full".into(),
            file: OpenOptions::new()
                .read(true)
                .write(true)
                .open("/dev/full")
                .unwrap(),
            length: 0,
            poisoned: false,
            steps: &NoSteps,
        };
        assert!(matches!(
            journal.append(b"x", true),
            Err(JournalFileError::Io {
                doing: "written",
                ..
            })
        ));
        assert!(matches!(
            journal.append(b"y", true),
            Err(JournalFileError::Poisoned)
        ));
    }

    #[test]
    fn only_a_regular_file_is_a_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        fs::write(dir.path().join("target"), "").unwrap();
        std::os::unix::fs::symlink("target", &path).unwrap();
        assert!(DiskJournal::open(&path, &NoSteps).is_err());
        fs::remove_file(&path).unwrap();
        let status = std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap();
        assert!(status.success());
        assert!(DiskJournal::open(&path, &NoSteps).is_err());
        assert!(read_journal(&path).is_err());
    }
}
