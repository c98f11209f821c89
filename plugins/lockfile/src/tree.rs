//! Manifests and locks, as they are after the change and before it.
//!
//! **Invariant:** nothing is read but regular files of a bounded size, below the root.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use ringfence_sdk::prelude::*;

/// Limit: the lock of a very large project; it is held in memory several times.
const FILE_BYTES_MAX: u64 = 8 << 20;
/// Limit: folders that one pattern of a workspace may name.
const FOLDERS_MAX: usize = 5_000;

/// The workspace.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The text of a file after the change; none where there is none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it may not be read, is too large or no UTF-8.
    pub(crate) fn text(&self, path: &str) -> Result<Option<String>> {
        let ambient = self.root.join(path);
        let failed = |error: std::io::Error| Error::unread(path, &error);
        match fs::metadata(&ambient) {
            Ok(found) if !found.is_file() => return Ok(None),
            Ok(found) if found.len() > FILE_BYTES_MAX => {
                let size = found.len();
                return Err(Error::unavailable(format!(
                    "{path} has {size} bytes, more than the {FILE_BYTES_MAX} that are read"
                )));
            }
            Ok(_) => {}
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        utf8(path, fs::read(&ambient).map_err(failed)?).map(Some)
    }

    /// Whether there is a regular file.
    pub(crate) fn has(&self, path: &str) -> Result<bool> {
        match fs::metadata(self.root.join(path)) {
            Ok(found) => Ok(found.is_file()),
            Err(error) if is_gone(&error) => Ok(false),
            Err(error) => Err(Error::unread(path, &error)),
        }
    }

    /// Whether there is a link, wherever it leads. What must not be looked at is none: whoever changes it asks for its text.
    pub(crate) fn is_link(&self, path: &str) -> Result<bool> {
        match fs::symlink_metadata(self.root.join(path)) {
            Ok(found) => Ok(found.is_symlink()),
            Err(error) if is_gone(&error) || error.kind() == ErrorKind::PermissionDenied => {
                Ok(false)
            }
            Err(error) => Err(Error::unread(path, &error)),
        }
    }

    /// The text before the change; none where there was none.
    ///
    /// # Errors
    /// As for [`text`](Self::text).
    pub(crate) fn text_before(&self, change: &Change, path: &str) -> Result<Option<String>> {
        let Some(file) = change.files().iter().find(|file| file.path == path) else {
            return self.text(path);
        };
        let before = file.renamed_from.as_deref().unwrap_or(path);
        // What was called something else was judged as something else, if at all.
        if name_of(before) != name_of(path) {
            return Ok(None);
        }
        if !is_file(file.old_mode) {
            return Ok(None);
        }
        utf8(before, change.read_base(before)?).map(Some)
    }

    /// The text under exactly this path, before the change and after it; none where there was or is no such file.
    ///
    /// # Errors
    /// As for [`text`](Self::text).
    pub(crate) fn sides(
        &self,
        change: &Change,
        path: &str,
    ) -> Result<(Option<String>, Option<String>)> {
        let was_here = |file: &&FileChange| match &file.renamed_from {
            Some(from) => from == path,
            None => file.path == path && is_file(file.old_mode),
        };
        let before = match change.files().iter().find(was_here) {
            Some(_) => Some(utf8(path, change.read_base(path)?)?),
            None if change.files().iter().any(|file| file.path == path) => None,
            None => self.text(path)?,
        };
        Ok((before, self.text(path)?))
    }

    /// The folders that a pattern names, sorted: `*` and `?` within a name, and `**` for any number of folders.
    pub(crate) fn folders(&self, pattern: &str) -> Result<Vec<String>> {
        let Some(pattern) = joined("", pattern) else {
            return Ok(Vec::new());
        };
        let mut found = vec![String::new()];
        for name in pattern.split('/') {
            let mut next = Vec::new();
            for folder in found {
                self.step_into(&folder, name, &mut next)?;
            }
            next.sort();
            next.dedup();
            found = next;
        }
        Ok(found)
    }

    fn step_into(&self, folder: &str, name: &str, next: &mut Vec<String>) -> Result<()> {
        if name == "**" {
            next.push(folder.to_owned());
            for below in self.names(folder, "*")? {
                self.step_into(&below, name, next)?;
            }
        } else if name.contains(['*', '?', '[', '{']) {
            next.extend(self.names(folder, name)?);
        } else {
            next.push(below(folder, name));
        }
        if next.len() > FOLDERS_MAX {
            let what = format!("{name} in a workspace names more than {FOLDERS_MAX} folders");
            return Err(Error::unavailable(what));
        }
        Ok(())
    }

    /// The folders in `folder` whose names match. Hidden ones and installed packages are nobody's members.
    fn names(&self, folder: &str, pattern: &str) -> Result<Vec<String>> {
        let globs = ringfence_globs::Globs::parse(
            "members",
            &[pattern.to_owned()],
            ringfence_globs::Case::Exact,
        )?;
        let failed = |error: std::io::Error| Error::unread(folder, &error);
        let entries = match fs::read_dir(self.root.join(folder)) {
            Ok(entries) => entries,
            Err(error) if is_gone(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            if !entry.file_type().map_err(failed)?.is_dir() {
                continue;
            }
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            if !name.starts_with('.') && name != "node_modules" && globs.cover(&name) {
                names.push(below(folder, &name));
            }
        }
        Ok(names)
    }
}

fn is_file(mode: u32) -> bool {
    mode & 0o170_000 == 0o100_000
}

fn is_gone(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn utf8(path: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Error::unavailable(format!("{path} is not UTF-8")))
}

/// The path of `name` in `folder`, where the empty one is the root.
pub(crate) fn below(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// The name of a path.
pub(crate) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder of a path; empty for the root.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `path` as seen from `folder`, without `.` and `..`; none when that leaves the root.
pub(crate) fn joined(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}
