//! Puts a report on disk.
//!
//! Owns the question whether a path is ours to write.
//!
//! **Invariant:** only a path inside the workspace that names nothing, or a report, is written.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use ringfence_sdk::prelude::*;

use crate::render::MARKER;

/// Writes `text` to `path` below `root`. The folder must be there: a step that may write reports need not be granted
/// folders.
pub(crate) fn report(root: &Path, path: &str, text: &str) -> Result<()> {
    let plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."))
        && !path.contains(['\\', '\0']);
    if !plain || !path.ends_with(".md") {
        return Err(Error::unavailable(format!(
            "`{path}` is not the path of a `.md` file in the workspace"
        )));
    }
    let file = root.join(path);
    may_write(&file, path)?;
    fs::write(&file, text)
        .map_err(|error| Error::unavailable(format!("{path} cannot be written: {error}")))
}

fn may_write(file: &Path, path: &str) -> Result<()> {
    let refused = |why: String| Err(Error::unavailable(format!("{path} {why}")));
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => refused(format!("cannot be looked at: {error}")),
        Ok(found) if !found.is_file() => refused("exists and is no regular file".to_owned()),
        Ok(_) => match fs::read(file) {
            Ok(bytes) if bytes.starts_with(MARKER.as_bytes()) => Ok(()),
            Ok(_) => refused("exists and was not written by this plugin".to_owned()),
            Err(error) => refused(format!("exists and cannot be read: {error}")),
        },
    }
}
