//! A change as a file: what a shadowed beat leaves, and a proposal where there is no commit to begin from.
//!
//! **Invariant:** a patch is there whole or not at all, and is never overwritten by another one. `git apply` takes it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::{SettleError, Settlement, clean_message};
use crate::git::output::is_id;
use crate::state_dir::{open_plain, write_atomic};
use crate::steps::{self, Steps};
use crate::workspace::Workspace;

const HEADER: &str = "Ringfence patch 1";
const CANDIDATE: &str = "candidate-tree: ";
// Limit: the lines before the message are fixed; this is several times as long.
const HEADER_BYTES_MAX: u64 = 1024;

pub(super) fn publish(
    ws: &Workspace,
    what: &Settlement<'_>,
    file: &str,
    steps: &dyn Steps,
) -> Result<(), SettleError> {
    steps.at(steps::PATCH_BEGINS);
    let path = ws.dir().path().join(file);
    let bytes = [header(what).into_bytes(), ws.patch(what.change)?].concat();
    let io = |source| SettleError::Io {
        path: path.clone(),
        source,
    };
    if fs::symlink_metadata(&path).is_ok() {
        return Err(SettleError::Exists(file.to_owned()));
    }
    write_atomic(&path, &bytes).map_err(io)?;
    steps.at(steps::PATCH_WRITTEN);
    Ok(())
}

/// The tree that the patch at `path` says it leads to; none for whatever else is there: a link and a pipe are no patch.
pub(super) fn candidate(path: &Path) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(meta) if !meta.is_file() => return Ok(None),
        Ok(_) => open_plain(path, File::options().read(true))?
            .take(HEADER_BYTES_MAX)
            .read_to_end(&mut head)?,
    };
    let text = String::from_utf8_lossy(&head);
    let mut lines = text.lines();
    if lines.next() != Some(HEADER) {
        return Ok(None);
    }
    Ok(lines
        .find_map(|line| line.strip_prefix(CANDIDATE))
        .filter(|id| is_id(id))
        .map(str::to_owned))
}

/// The diff in the bytes of a patch file. No line before it begins like one: the message is indented.
pub(super) fn diff(bytes: &[u8]) -> Option<&[u8]> {
    const START: &[u8] = b"\ndiff --git ";
    bytes.starts_with(HEADER.as_bytes()).then_some(())?;
    let at = bytes
        .windows(START.len())
        .position(|window| window == START)?;
    bytes.get(at + 1..)
}

fn indented(line: &str) -> String {
    if line.is_empty() {
        "\n".to_owned()
    } else {
        format!("    {line}\n")
    }
}

fn header(what: &Settlement<'_>) -> String {
    let Settlement {
        loop_id,
        beat,
        change,
        message,
        ..
    } = what;
    // Indented, so that no line of it can begin like a part of the patch.
    let message: String = clean_message(message).lines().map(indented).collect();
    format!(
        "{HEADER}\nloop: {loop_id}\nbeat: {beat}\nbase-tree: {}\n{CANDIDATE}{}\n\n{message}\n",
        change.base_tree, change.candidate_tree
    )
}
