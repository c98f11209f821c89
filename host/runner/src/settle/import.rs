//! Writes a candidate as one commit into the user's object database, with no ref to it.
//!
//! **Invariant:** the stream that git is fed holds nothing but hex ids, byte counts, quoted paths and counted bytes, and
//! git gets it whole or not at all.

use std::fs::File;
use std::io::{Seek, Write};

use ringfence_core::change::ChangeKind;

use super::{SettleError, Settlement, clean_message};
use crate::git::output::one_id;
use crate::git::{Git, GitError, IDENTITY_EMAIL, IDENTITY_NAME, failed, unreadable};
use crate::state_dir::TEMP_PREFIX;
use crate::steps::{self, Steps};
use crate::store::Store;
use crate::workspace::Workspace;
use crate::workspace::measure::CHANGED_BYTES_MAX;

// Never comes to be: the stream takes it back before it ends. Git wants a name to build a commit under.
const SCRATCH_REF: &str = "refs/ringfence/scratch";
// Limit: header lines of `cat-file --batch`, on top of the bytes themselves.
const BATCH_BYTES_MAX: usize = (CHANGED_BYTES_MAX as usize) + (4 << 20);

/// Imports the change on top of `base_commit` and returns the new commit's id.
pub(super) fn import(
    ws: &Workspace,
    git: &Git,
    what: &Settlement<'_>,
    base_commit: &str,
    steps: &dyn Steps,
) -> Result<String, SettleError> {
    let io = |source| SettleError::Io {
        path: ws.dir().path().to_owned(),
        source,
    };
    let files = what.change.files.iter();
    let wanted: Vec<_> = files
        .filter(|file| file.kind != ChangeKind::Deleted)
        .map(|file| (file.new_blob.as_str(), file.size))
        .collect();
    let stream = stream(blobs(ws.store(), &wanted)?, what, base_commit);
    let mut file = tempfile::Builder::new()
        .prefix(TEMP_PREFIX)
        .tempfile_in(ws.dir().path())
        .map_err(io)?;
    file.write_all(&stream)
        .and_then(|()| file.rewind())
        .map_err(io)?;
    drop(stream);
    steps.at(steps::STREAM_WRITTEN);
    let input: File = file.reopen().map_err(io)?;
    let ended = git
        .call("fast-import")
        .args(["--quiet", "--done", "--date-format=raw"])
        .stdin_file(input)
        .run_any()?;
    if ended.code != Some(0) {
        // Git leaves a report of its own in the user's repository when it does not like a stream.
        let report = git
            .git_dir()
            .join(format!("fast_import_crash_{}", ended.pid));
        if let Err(error) = crate::workspace::clean::remove_file_if_there(&report) {
            tracing::warn!(%error, path = %report.display(), "a crash report of git stays");
        }
        return Err(failed("fast-import", &ended).into());
    }
    Ok(one_id("fast-import", &ended.stdout)?)
}

/// The bytes of blobs, each named by its id and its size, in the order asked.
pub(super) fn blobs(store: &Store, wanted: &[(&str, u64)]) -> Result<Vec<Vec<u8>>, GitError> {
    let asked: String = wanted.iter().flat_map(|(id, _)| [*id, "\n"]).collect();
    let call = store
        .git()
        .call("cat-file")
        .arg("--batch=%(objectname) %(objecttype) %(objectsize)");
    let said = call
        .stdin(asked.into_bytes())
        .stdout_max(BATCH_BYTES_MAX)
        .run()?;
    let mut rest = said.as_slice();
    let mut blobs = Vec::new();
    for (id, size) in wanted {
        let head = format!("{id} blob {size}\n");
        let size = usize::try_from(*size).unwrap_or(usize::MAX);
        let body = rest
            .strip_prefix(head.as_bytes())
            .and_then(|body| body.split_at_checked(size));
        let (bytes, after) = body.ok_or_else(|| unreadable("cat-file", rest))?;
        rest = after
            .strip_prefix(b"\n")
            .ok_or_else(|| unreadable("cat-file", after))?;
        blobs.push(bytes.to_vec());
    }
    Ok(blobs)
}

/// `blobs` are those of the files that are not deleted, in their order.
fn stream(blobs: Vec<Vec<u8>>, what: &Settlement<'_>, base_commit: &str) -> Vec<u8> {
    let who = format!(
        "{IDENTITY_NAME} <{IDENTITY_EMAIL}> {} +0000",
        what.time.as_second().max(0)
    );
    let message = clean_message(what.message);
    let mut stream = format!(
        "feature done\ncommit {SCRATCH_REF}\nmark :1\nauthor {who}\ncommitter {who}\ndata {}\n{message}\nfrom {base_commit}\n",
        message.len()
    )
    .into_bytes();
    let (going, coming): (Vec<_>, Vec<_>) = what
        .change
        .files
        .iter()
        .partition(|file| file.kind == ChangeKind::Deleted);
    // What goes, goes first: a file may stand where a folder was, and the other way round.
    for file in going {
        stream.extend_from_slice(format!("D {}\n", quoted(file.path.as_str())).as_bytes());
    }
    for (file, bytes) in coming.into_iter().zip(blobs) {
        let head = format!(
            "M {:06o} inline {}\ndata {}\n",
            file.new_mode,
            quoted(file.path.as_str()),
            bytes.len()
        );
        stream.extend_from_slice(head.as_bytes());
        stream.extend_from_slice(&bytes);
        stream.push(b'\n');
    }
    stream.extend_from_slice(format!("get-mark :1\nreset {SCRATCH_REF}\ndone\n").as_bytes());
    stream
}

/// A path in double quotes with every byte that is not plain ASCII written in octal.
fn quoted(path: &str) -> String {
    let mut text = String::from("\"");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' | 0..=31 | 127.. => text.push_str(&format!("\\{byte:03o}")),
            plain => text.push(char::from(plain)),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_bytes_in_paths_are_quoted() {
        for (path, expect) in [
            ("a/b c", "\"a/b c\""),
            ("a\n\"b\t", "\"a\\012\\042b\\011\""),
            ("ü", "\"\\303\\274\""),
            ("--help", "\"--help\""),
        ] {
            assert_eq!(quoted(path), expect);
        }
    }
}
