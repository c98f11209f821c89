//! The files of the workspace, as they are after the change.
//!
//! **Invariant:** nothing is read but regular files of a bounded size, below the root.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use ringfence_globs::Globs;
use ringfence_sdk::prelude::*;

/// Limit: the largest schemas that services publish have two megabytes; as values they take ten times that.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Limit: names seen on the way to the files that a schema covers; a large repository.
const NAMES_MAX: usize = 200_000;
/// Limit: folders in folders; no path of git's is much deeper.
const DEPTH_MAX: usize = 64;

/// The workspace.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    root: PathBuf,
}

/// What a walk came upon.
pub(crate) enum Walked {
    Files(BTreeSet<String>),
    /// More names than this, or folders nested too deep.
    TooMany(usize),
}

impl Tree {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The text of a file, or why it cannot be judged.
    pub(crate) fn text(&self, path: &str) -> Result<std::result::Result<String, String>> {
        if path.starts_with('/') || path.split('/').any(|name| name == "..") {
            return Ok(Err("is no path of the workspace".to_owned()));
        }
        let ambient = self.root.join(path);
        let failed = |error: std::io::Error| Error::unavailable(format!("{path}: {error}"));
        let size = match fs::metadata(&ambient) {
            Ok(found) if found.is_file() => found.len(),
            Ok(_) => return Ok(Err("is no file".to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Err("there is no such file".to_owned()));
            }
            Err(error) => return Err(failed(error)),
        };
        if size > FILE_BYTES_MAX {
            let why = format!("has {size} bytes, more than the {FILE_BYTES_MAX} that are read");
            return Ok(Err(why));
        }
        let bytes = fs::read(&ambient).map_err(failed)?;
        Ok(String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned()))
    }

    /// The files that `globs` cover. Links are not followed.
    pub(crate) fn files(&self, globs: &Globs) -> Result<Walked> {
        let mut files = BTreeSet::new();
        let mut names = 0_usize;
        let mut folders = vec![(String::new(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            if depth > DEPTH_MAX {
                return Ok(Walked::TooMany(NAMES_MAX));
            }
            let failed = |error: std::io::Error| Error::unavailable(format!("{folder}: {error}"));
            for entry in fs::read_dir(self.root.join(&folder)).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                names += 1;
                if names > NAMES_MAX {
                    return Ok(Walked::TooMany(NAMES_MAX));
                }
                // What is no UTF-8 matches no glob.
                let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                    continue;
                };
                let path = match folder.as_str() {
                    "" => name,
                    folder => format!("{folder}/{name}"),
                };
                let kind = entry.file_type().map_err(failed)?;
                if kind.is_dir() {
                    folders.push((path, depth + 1));
                } else if kind.is_file() && globs.cover(&path) {
                    files.insert(path);
                }
            }
        }
        Ok(Walked::Files(files))
    }
}
