//! The workspace as it was before a change: its listing and its files.
//!
//! Owns undoing the change on the listing; bytes come from the host's `read-base` for what the change touched and
//! from disk for the rest.
//!
//! **Invariant:** whatever cannot be read as it was counts as unreadable, so a break can only look newer than it is.

use std::collections::BTreeSet;
use std::io;

use ringfence_markdown::{Files, Kind, Tree};
use ringfence_sdk::prelude::*;

/// The type bits of a link in the file system, as git keeps them.
const LINK_MODE: u32 = 0o120_000;

/// Returns the listing before `change`, given the one after it.
pub(crate) fn tree(now: &Tree, change: &Change) -> Tree {
    let files = change.files();
    let gone = files
        .iter()
        .filter(|file| file.kind == ChangeKind::Added)
        .map(|file| file.path.as_str());
    let kept = files
        .iter()
        .filter(|file| file.kind != ChangeKind::Added)
        .map(|file| (file.path.as_str(), kind(file)));
    let moved = files
        .iter()
        .filter_map(|file| Some((file.renamed_from.as_deref()?, kind(file))));
    now.changed(gone, kept.chain(moved))
}

fn kind(file: &FileChange) -> Kind {
    if file.old_mode == LINK_MODE {
        Kind::Link
    } else {
        Kind::File
    }
}

/// The files before a change.
pub(crate) struct Before<'a> {
    now: &'a dyn Files,
    change: &'a Change,
    touched: BTreeSet<&'a str>,
}

impl<'a> Before<'a> {
    pub(crate) fn new(now: &'a dyn Files, change: &'a Change) -> Self {
        let paths = change.files().iter().map(|file| file.path.as_str());
        let sources = change
            .files()
            .iter()
            .filter_map(|file| file.renamed_from.as_deref());
        Self {
            now,
            change,
            touched: paths.chain(sources).collect(),
        }
    }
}

impl Files for Before<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if self.touched.contains(path) {
            return self
                .change
                .read_base(path)
                .map_err(|error| io::Error::other(error.to_string()));
        }
        self.now.read(path)
    }

    fn link(&self, path: &str) -> io::Result<String> {
        if !self.touched.contains(path) {
            return self.now.link(path);
        }
        let target = String::from_utf8(self.read(path)?);
        target.map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn is_hidden(&self, path: &str) -> bool {
        self.now.is_hidden(path)
    }
}
