//! The operator's files that say what runs: plugins, and the lock file that pins them.
//!
//! Owns where such files are read from ([`Files`]): the disk, or a tree of the repository, for whoever does not believe what
//! a change brings along. **Invariant:** a file is read whole and within bounds or not at all, and through no link: a link of the
//! candidate could lead to anything of the machine, and messages quote what they do not understand. Nothing is run, and only
//! [`LockMode::Write`] writes, and then only `ringfence.lock` on the disk.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ringfence_core::relpath::RelPath;
use ringfence_core::spec::{LOCK_FILE_BYTES_MAX, LockFile, PluginFacts, PluginRef};
use ringfence_sandbox::{COMPONENT_BYTES_MAX, inspect};

use crate::git::output::MODE_LINK;
use crate::open_loop::{Components, LOCK_FILE, LockMode, OpenError, Pins, PluginSource};
use crate::state_dir::{open_followed, open_plain, write_atomic};
use crate::store::Store;

/// Plugins by reference.
pub(crate) type Facts = BTreeMap<String, PluginFacts>;

/// Where the operator's files are read.
pub(crate) enum Files<'a> {
    /// As they stand below this folder now.
    Disk(&'a Path),
    /// As they are in a tree of this store.
    Tree {
        /// Where its objects are.
        store: &'a Store,
        /// Its git id.
        tree: &'a str,
        /// How messages call it.
        name: &'a str,
    },
}

impl Files<'_> {
    /// The bytes of a regular file, of a longer one `bytes_max` and one more; none when there is no such file.
    ///
    /// # Errors
    /// [`OpenError::Link`] for a link; [`OpenError::Io`] when it cannot be read, or is no regular file.
    pub(crate) fn read(
        &self,
        path: &RelPath,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, OpenError> {
        match self {
            Self::Disk(top) => read_below(top, path, bytes_max),
            Self::Tree { store, tree, .. } => match store.file_at(tree, path)? {
                None => Ok(None),
                Some((MODE_LINK, _)) => Err(OpenError::Link(self.place(path))),
                Some((_, blob)) => Ok(Some(store.blob(&blob, bytes_max)?)),
            },
        }
    }

    /// The text of a file; none when there is no such file.
    ///
    /// # Errors
    /// As [`Files::read`], and when it is not UTF-8.
    pub(crate) fn text(
        &self,
        path: &RelPath,
        bytes_max: usize,
    ) -> Result<Option<String>, OpenError> {
        let bytes = self.read(path, bytes_max)?;
        let text = bytes.map(String::from_utf8).transpose();
        text.map_err(|_| not_utf8(self.place(path)))
    }

    /// How messages call a file.
    pub(crate) fn place(&self, path: &RelPath) -> PathBuf {
        match self {
            Self::Disk(top) => top.join(path.as_str()),
            Self::Tree { name, .. } => PathBuf::from(format!("{name}:{path}")),
        }
    }
}

/// Reads plugins without running them. One that is missing is left out: whoever needs it says so with its place.
///
/// # Errors
/// [`OpenError`] for a file that cannot be read or is no plugin.
pub(crate) fn read_plugins(
    files: &Files<'_>,
    plugins: BTreeSet<PluginRef>,
    source: &dyn PluginSource,
) -> Result<(Facts, Components), OpenError> {
    let (mut facts, mut components) = (BTreeMap::new(), BTreeMap::new());
    for plugin in plugins {
        let reference = plugin.to_string();
        let bytes = match &plugin {
            PluginRef::Std(name) => source.std(name).map(Cow::Borrowed),
            PluginRef::File(path) => files.read(path, COMPONENT_BYTES_MAX)?.map(Cow::Owned),
        };
        let Some(bytes) = bytes else {
            continue;
        };
        let found = inspect(&bytes).map_err(|source| OpenError::Plugin {
            reference: reference.clone(),
            source,
        })?;
        components.insert(found.digest, bytes);
        facts.insert(
            reference,
            PluginFacts {
                manifest: found.manifest,
                digest: found.digest,
                size: found.size,
                sees: found.sees,
            },
        );
    }
    Ok((facts, components))
}

/// Compares plugins with those that the lock file pins; with [`LockMode::Write`], those of `accepted` are taken as they are now,
/// whatever was pinned.
///
/// # Errors
/// [`OpenError`]: a lock file that cannot be used, a plugin that is not the pinned one, or one that is not pinned where that is
/// required.
pub(crate) fn compare(
    files: &Files<'_>,
    facts: &Facts,
    mode: LockMode,
    accepted: &[String],
) -> Result<Pins, OpenError> {
    let name = RelPath::lexical(LOCK_FILE).map_err(|_| not_utf8(PathBuf::from(LOCK_FILE)))?;
    let lock = match files.text(&name, LOCK_FILE_BYTES_MAX)? {
        Some(text) => LockFile::parse(&text)?,
        None => LockFile::default(),
    };
    let lock = lock.without(accepted)?;
    let check = lock.compare(facts);
    if let Some(changed) = check.changed.into_iter().next() {
        return Err(changed.into());
    }
    match (mode, files) {
        (LockMode::Require, _) if !check.new.is_empty() => Err(OpenError::Unpinned(check.new)),
        (LockMode::Write, Files::Disk(top)) if !check.new.is_empty() || !accepted.is_empty() => {
            let text = lock.with_new(facts).render();
            let path = top.join(LOCK_FILE);
            write_atomic(&path, text.as_bytes()).map_err(|source| OpenError::Io {
                path,
                doing: "written",
                source,
            })?;
            let is_gone = |reference: &&String| !facts.contains_key(*reference);
            Ok(Pins {
                dropped: accepted.iter().filter(is_gone).cloned().collect(),
                written: check.new,
                unused: check.vanished,
                ..Pins::default()
            })
        }
        (LockMode::Check | LockMode::Require | LockMode::Write, _) => Ok(Pins {
            unpinned: check.new,
            unused: check.vanished,
            ..Pins::default()
        }),
    }
}

/// Reads a file below `top` as [`read_bounded`] does, through no link below it; none when there is no such file.
fn read_below(top: &Path, path: &RelPath, bytes_max: usize) -> Result<Option<Vec<u8>>, OpenError> {
    let mut place = top.to_owned();
    let refused = |path: &Path, source: io::Error| OpenError::Io {
        path: path.to_owned(),
        doing: "read",
        source,
    };
    for name in path.names() {
        place.push(name);
        match std::fs::symlink_metadata(&place) {
            Ok(meta) if meta.is_symlink() => return Err(OpenError::Link(place)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused(&place, error)),
        }
    }
    let file = open_plain(&place, std::fs::File::options().read(true));
    let bytes = file.and_then(|file| bounded(file, bytes_max));
    bytes.map(Some).map_err(|error| refused(&place, error))
}

/// The text of a regular file.
pub(crate) fn read_text(path: &Path, bytes_max: usize) -> Result<String, OpenError> {
    let bytes = read_bounded(path, bytes_max)?;
    String::from_utf8(bytes).map_err(|_| not_utf8(path.to_owned()))
}

/// Reads a regular file, one byte beyond the limit at most, so that whoever checks the limit sees that it is exceeded.
pub(crate) fn read_bounded(path: &Path, bytes_max: usize) -> Result<Vec<u8>, OpenError> {
    let bytes = open_followed(path).and_then(|file| bounded(file, bytes_max));
    bytes.map_err(|source| OpenError::Io {
        path: path.to_owned(),
        doing: "read",
        source,
    })
}

fn bounded(file: std::fs::File, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn not_utf8(path: PathBuf) -> OpenError {
    OpenError::Io {
        path,
        doing: "read",
        source: io::Error::other("it is not UTF-8"),
    }
}
