//! Receipts of runs: made of a run, kept in a file of one line each.
//!
//! **Invariant:** a line is in the file whole or not at all, and nothing is appended to a file whose last line is not whole. Several
//! runs may append to one file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ringfence_core::gating::{RECEIPT_BYTES_MAX, Ran, Receipt, ReceiptError};
use ringfence_sandbox::FUEL_RULES;
use rustix::fs::OFlags;

use super::{Gating, Run};
use crate::state_dir::sync_dir;

/// Longest file of receipts in bytes.
// Limit: some hundred thousand runs; a file that is longer is not read from end to end for one line of it.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// Who answers for a run; nothing proves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signer<'a> {
    /// Who ran it, as the system calls them.
    pub user: &'a str,
    /// Who answers for it, in their own words.
    pub name: &'a str,
}

/// Which line of a file of receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The last one.
    Last,
    /// This one, from 1.
    Line(u64),
}

/// Why a file of receipts cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptFileError {
    /// The system refused.
    #[error("the receipts {} cannot be {doing}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `opened`, `read` or `written`.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The last line is not whole.
    #[error("the last line of {} has no end, so nothing is appended", .0.display())]
    Torn(PathBuf),
    /// Longer than what is read.
    #[error("the receipts {} have {bytes} bytes, more than the {FILE_BYTES_MAX} that are read", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// There is no such line.
    #[error("{} has no line {line}: it has {lines}", path.display())]
    NoLine {
        /// The file.
        path: PathBuf,
        /// The line that was asked for; 1 for the last of an empty file.
        line: u64,
        /// How many there are.
        lines: u64,
    },
    /// The line is no receipt.
    #[error("line {line} of {} is no receipt", path.display())]
    Receipt {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        source: ReceiptError,
    },
    /// A receipt that cannot be written.
    #[error("the receipt cannot be written")]
    Unwritable(#[source] ReceiptError),
}

impl Gating {
    /// The receipt of a run that ended at `at` with `exit`.
    #[must_use]
    pub fn receipt(&self, run: &Run, signer: Signer<'_>, at: Timestamp, exit: u8) -> Receipt {
        let ran = Ran {
            ringfence: env!("CARGO_PKG_VERSION").to_owned(),
            engine: FUEL_RULES.to_owned(),
            at,
            who: signer.user.to_owned(),
            clock: run.sides.now().as_second(),
            file: self.path().clone(),
            rules_from: self.rules_tree(),
            baseline: run.baseline,
            fuel: run.fuel.clone(),
            exit,
            signed_off_by: signer.name.to_owned(),
        };
        Receipt::of(&run.report, &run.locked, ran)
    }
}

/// Appends a receipt to the file at `path`, making it where there is none.
///
/// # Errors
/// [`ReceiptFileError`]; the file is then as it was, unless the system lets it be neither written nor cut.
pub fn append_receipt(path: &Path, receipt: &Receipt) -> Result<(), ReceiptFileError> {
    let line = receipt.line().map_err(ReceiptFileError::Unwritable)? + "\n";
    let doing = |doing| io_error(path, doing);
    let is_new = std::fs::symlink_metadata(path).is_err();
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o644);
    let mut file = open_plain(path, &mut options).map_err(doing("opened"))?;
    // Given back when the file is closed.
    file.lock().map_err(doing("opened"))?;
    let length = file.metadata().map_err(doing("read"))?.len();
    if length > 0 {
        let mut last = [0];
        file.seek(SeekFrom::Start(length - 1))
            .and_then(|_| file.read_exact(&mut last))
            .map_err(doing("read"))?;
        if last != *b"\n" {
            return Err(ReceiptFileError::Torn(path.to_owned()));
        }
    }
    let written = file
        .write_all(line.as_bytes())
        .and_then(|()| file.sync_all());
    if let Err(source) = written {
        // A half of a line would stand in the way of the next one.
        file.set_len(length).map_err(doing("written"))?;
        return Err(doing("written")(source));
    }
    match path.parent().filter(|_| is_new) {
        Some(dir) if !dir.as_os_str().is_empty() => sync_dir(dir).map_err(doing("written")),
        _ => Ok(()),
    }
}

/// Reads one receipt of the file at `path`; its line, too.
///
/// # Errors
/// [`ReceiptFileError`] for a file that cannot be read, a line that is not there and one that is no receipt.
pub fn read_receipt(path: &Path, which: Which) -> Result<(u64, Receipt), ReceiptFileError> {
    let doing = |doing| io_error(path, doing);
    let file = open_plain(path, OpenOptions::new().read(true)).map_err(doing("opened"))?;
    let bytes = file.metadata().map_err(doing("read"))?.len();
    if bytes > FILE_BYTES_MAX {
        let path = path.to_owned();
        return Err(ReceiptFileError::TooLong { path, bytes });
    }
    let mut lines = BufReader::new(file.take(FILE_BYTES_MAX));
    let (mut number, mut last) = (0, Vec::new());
    while let Some(line) = next_line(&mut lines).map_err(doing("read"))? {
        number += 1;
        last = line;
        if which == Which::Line(number) {
            break;
        }
    }
    let wanted = match which {
        Which::Last => number.max(1),
        Which::Line(line) => line,
    };
    if number != wanted {
        return Err(ReceiptFileError::NoLine {
            path: path.to_owned(),
            line: wanted,
            lines: number,
        });
    }
    let receipt = match str::from_utf8(&last) {
        Ok(text) => Receipt::read(text),
        Err(_) => Err(ReceiptError::Sum),
    };
    match receipt {
        Ok(receipt) => Ok((number, receipt)),
        Err(source) => Err(ReceiptFileError::Receipt {
            path: path.to_owned(),
            line: number,
            source,
        }),
    }
}

/// The next line without its end; of one that is too long, as much as shows that it is; none at the end of the file.
fn next_line(lines: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let most = RECEIPT_BYTES_MAX as u64 + 2;
    let read = lines.by_ref().take(most).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else {
        lines.skip_until(b'\n')?;
    }
    Ok(Some(line))
}

/// Opens a regular file, without following a link and without waiting for the other end of a pipe.
fn open_plain(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("no regular file"))
    }
}

fn io_error(path: &Path, doing: &'static str) -> impl Fn(io::Error) -> ReceiptFileError + use<> {
    let path = path.to_owned();
    move |source| ReceiptFileError::Io {
        path: path.clone(),
        doing,
        source,
    }
}
