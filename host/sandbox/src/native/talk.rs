//! What the process that wants a program run and the helper that runs it say to each other, over one socket.
//!
//! The one sends an [`Order`] and what is hidden, and keeps its end open: when that closes, everything the helper began ends.
//! The other answers with one [`Told`] when the program begins and one when it has ended, and the bytes of the reports after
//! that; or with one alone that says why not.
//!
//! **Invariant:** each message has its length before it, and a reader takes no more than it said it would.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use ringfence_core::evidence::Ended;
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::CommandLimits;
use serde::{Deserialize, Serialize};

// Limit: arguments, variables and paths of one declaration, escaped.
pub(super) const ORDER_BYTES_MAX: u64 = 16 << 20;
// Limit: sixty-odd thousand paths of some length.
pub(super) const HIDDEN_BYTES_MAX: u64 = 32 << 20;
// Limit: an end, and a note for whatever was noticed.
pub(super) const TOLD_BYTES_MAX: u64 = 1 << 20;
/// Bytes of a length.
pub(super) const LENGTH_BYTES: usize = 8;

/// What is to be run, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Order {
    /// Empty when nothing is to be run: the sandbox is built, and that is all.
    pub(super) argv: Vec<String>,
    /// The whole environment.
    pub(super) env: Vec<(String, String)>,
    /// Where in the tree to start.
    pub(super) cwd: RelPath,
    /// Absolute, and free of links.
    pub(super) tree: PathBuf,
    /// Files and directories to be shown besides those of every sandbox: where, and what stands there now.
    pub(super) shown: Vec<Shown>,
    /// Directories of every sandbox in whose place there is an empty one, but for what of them is in `shown`: absolute, free of
    /// links, and none in another.
    pub(super) covered: Vec<PathBuf>,
    pub(super) network: bool,
    pub(super) limits: CommandLimits,
    pub(super) reports: Vec<(String, RelPath)>,
}

/// Something of the machine that the program may read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Shown {
    /// Where the program finds it.
    pub(super) at: PathBuf,
    /// Where it is: absolute, and free of links.
    pub(super) from: PathBuf,
}

/// How it went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Told {
    /// The sandbox cannot be had here.
    Missing(String),
    /// What was asked for cannot be done.
    Refused(String),
    /// Something that should work did not.
    Failed(String),
    /// The program is begun next; one line for each thing that could not be had. More is told when it has ended.
    Begun(Vec<String>),
    /// The program ran, or could not be started.
    Ended(End),
}

/// How a program ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) ended: Ended,
    pub(super) notes: Vec<String>,
    /// The names of the reports whose bytes follow, in this order.
    pub(super) reports: Vec<String>,
}

/// Sends one message.
pub(super) fn send(mut to: impl Write, message: &[u8]) -> io::Result<()> {
    to.write_all(&(message.len() as u64).to_le_bytes())?;
    to.write_all(message)
}

/// Takes one message of `most` bytes at most.
pub(super) fn take(mut from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut length = [0; LENGTH_BYTES];
    from.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > most {
        return Err(io::Error::other(format!(
            "a message of {length} bytes, at most {most} are taken"
        )));
    }
    let mut message = Vec::new();
    let read = from.take(length).read_to_end(&mut message)?;
    if read as u64 == length {
        Ok(message)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Sends one message as JSON.
pub(super) fn send_json(to: impl Write, message: &impl Serialize) -> io::Result<()> {
    send(to, &serde_json::to_vec(message)?)
}

/// Takes one message that is JSON.
pub(super) fn take_json<T: for<'de> Deserialize<'de>>(from: impl Read, most: u64) -> io::Result<T> {
    Ok(serde_json::from_slice(&take(from, most)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_whole_or_not_at_all() {
        let mut sent = Vec::new();
        send(&mut sent, b"one").unwrap();
        send(&mut sent, b"").unwrap();
        let mut rest = sent.as_slice();
        assert_eq!(take(&mut rest, 3).unwrap(), b"one");
        assert_eq!(take(&mut rest, 3).unwrap(), b"");
        assert!(take(&mut rest, 3).is_err());
        assert!(take(sent.as_slice(), 2).is_err(), "too long");
        assert!(take(&sent[..10], 3).is_err(), "cut off");
        assert!(take([0xff; 9].as_slice(), u64::MAX).is_err());
    }
}
