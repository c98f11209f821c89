//! Everything below a directory, visited without following a link and with two handles open at a time.
//!
//! **Invariant:** names alone decide the order, never the disk: what was visited before a limit ended the search, and what
//! that cost, is the same everywhere.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use ringfence_core::relpath::RelPath;
use rustix::fs::{FileType, Stat};

use super::stop::{Answer, Stop};
use super::sys;
use crate::bindings::wasi::filesystem::types::ErrorCode;
use crate::meter::{ENTRY, Meter, PATH_NAME};

// Limit: half a minute of a slow disk; a larger tree counts as one that cannot be known.
const ENTRIES_MAX: usize = 1_000_000;
// Limit: names that wait for their turn at a time, a million short ones; whole paths would be a hundred times that.
const HELD_BYTES_MAX: usize = 64 << 20;
const HELD_BYTES_PER_NAME: usize = 32;
/// No file has this name: it stands for one that is no UTF-8.
const NO_NAME: &str = "\0";

/// What a visit comes upon.
pub(super) enum Seen<'a> {
    Entry(RelPath, &'a Stat),
    /// Something that cannot be judged: a name no path can spell, a directory that does not open.
    Unknown,
}

/// Visits everything below the directory `top`, whose path is `start`.
///
/// # Errors
/// What `visit` returns; `insufficient-memory` for a tree with more than a million entries, for too many names at once,
/// and when fuel or time is over.
pub(super) fn below(
    top: BorrowedFd<'_>,
    start: &RelPath,
    meter: &Meter,
    visit: &mut dyn FnMut(Seen<'_>) -> Answer<()>,
) -> Answer<()> {
    let mut search = Search {
        top,
        depth: start.names().count(),
        meter,
        visit,
        pending: Vec::new(),
        entries: 0,
        held: 0,
    };
    search.folder(start.clone())?;
    while let Some((parent, name)) = search.pending.pop() {
        search.let_go(&name);
        match parent.join(&name) {
            Ok(path) => search.folder(path)?,
            Err(_) => (search.visit)(Seen::Unknown)?,
        }
    }
    Ok(())
}

struct Search<'a> {
    top: BorrowedFd<'a>,
    /// How many names lead to the top.
    depth: usize,
    meter: &'a Meter,
    visit: &'a mut dyn FnMut(Seen<'_>) -> Answer<()>,
    /// Directories that are still to be searched.
    pending: Vec<(Rc<RelPath>, String)>,
    entries: usize,
    /// Bytes of names that wait.
    held: usize,
}

impl Search<'_> {
    /// Visits what is in one directory, which costs by its depth.
    fn folder(&mut self, path: RelPath) -> Answer<()> {
        let depth = path.names().count() as u64;
        self.meter.charge(PATH_NAME.saturating_mul(depth));
        let Ok(dir) = open(self.top, self.depth, &path) else {
            return (self.visit)(Seen::Unknown);
        };
        let path = Rc::new(path);
        for name in self.names(&dir)? {
            self.go_on()?;
            let known = path
                .join(&name)
                .ok()
                .zip(sys::look(dir.as_fd(), &name).ok());
            let Some((inner, stat)) = known else {
                self.let_go(&name);
                (self.visit)(Seen::Unknown)?;
                continue;
            };
            (self.visit)(Seen::Entry(inner, &stat))?;
            if sys::file_type(&stat) == FileType::Directory {
                self.pending.push((Rc::clone(&path), name));
            } else {
                self.let_go(&name);
            }
        }
        Ok(())
    }

    /// The names in `dir`, sorted.
    fn names(&mut self, dir: &OwnedFd) -> Answer<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(dir)? {
            self.entries += 1;
            self.meter.charge(ENTRY);
            self.go_on()?;
            let entry = entry?;
            let name = entry.file_name().to_str().unwrap_or(NO_NAME);
            if !matches!(name, "." | "..") {
                self.held += name.len() + HELD_BYTES_PER_NAME;
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn let_go(&mut self, name: &str) {
        self.held = self.held.saturating_sub(name.len() + HELD_BYTES_PER_NAME);
    }

    fn go_on(&self) -> Answer<()> {
        if self.entries > ENTRIES_MAX || self.held > HELD_BYTES_MAX || self.meter.is_over() {
            return Err(Stop::Code(ErrorCode::InsufficientMemory));
        }
        Ok(())
    }
}

fn open(top: BorrowedFd<'_>, depth: usize, path: &RelPath) -> rustix::io::Result<OwnedFd> {
    let mut dir = sys::reopen_for_listing(top)?;
    for name in path.names().skip(depth) {
        dir = sys::open(dir.as_fd(), name, sys::DIRECTORY)?;
    }
    sys::reopen_for_listing(dir.as_fd())
}
