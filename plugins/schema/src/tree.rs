//! The files of the workspace, as they are after the change.
//!
//! **Invariant:** nothing is read but regular files of a bounded size, below the root, and none by a link: what it leads to
//! may change, and the path under which it was judged would not.

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
        let failed = |error: std::io::Error| Error::unread(path, &error);
        if let Some(link) = self.link_on(path).map_err(failed)? {
            return Ok(Err(match link == path {
                true => "is a link, and what it leads to is not judged".to_owned(),
                false => format!("is reached by the link {link}, which is not followed"),
            }));
        }
        let ambient = self.root.join(path);
        let size = match fs::symlink_metadata(&ambient) {
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

    /// The first link on the way to `path`, or `path` itself if it is one.
    fn link_on<'p>(&self, path: &'p str) -> std::io::Result<Option<&'p str>> {
        let ends = path
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([path.len()]);
        for prefix in ends.filter_map(|end| path.get(..end)) {
            match fs::symlink_metadata(self.root.join(prefix)) {
                Ok(found) if found.is_symlink() => return Ok(Some(prefix)),
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(None)
    }

    /// The files that `globs` cover, and the links. Those are not followed.
    pub(crate) fn files(&self, globs: &Globs) -> Result<Walked> {
        let mut files = BTreeSet::new();
        let mut names = 0_usize;
        let mut folders = vec![(String::new(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            if depth > DEPTH_MAX {
                return Ok(Walked::TooMany(NAMES_MAX));
            }
            let failed = |error: std::io::Error| Error::unread(&folder, &error);
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
                } else if globs.cover(&path) {
                    files.insert(path);
                }
            }
        }
        Ok(Walked::Files(files))
    }
}
