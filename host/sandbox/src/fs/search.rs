//! Everything below a directory, visited without following a link and with two handles open at a time.

use std::os::fd::{AsFd, OwnedFd};

use ringfence_core::relpath::RelPath;
use rustix::fs::{FileType, Stat};

use super::place::Tree;
use super::stop::{Answer, Stop};
use super::sys;
use crate::bindings::wasi::filesystem::types::ErrorCode;
use crate::meter::{ENTRY, Meter, PATH_NAME};

// Limit: half a minute of a slow disk; a larger tree counts as one that cannot be known.
const ENTRIES_MAX: usize = 1_000_000;

/// What a visit comes upon.
pub(super) enum Seen<'a> {
    Entry(RelPath, &'a Stat),
    /// Something that cannot be judged: a name no path can spell, a directory that does not open.
    Unknown,
}

/// Visits everything below `start`.
///
/// # Errors
/// What `visit` returns; `insufficient-memory` for a tree with more than a million entries, or one that costs more than the
/// guest has left.
pub(super) fn below(
    tree: &Tree,
    start: &RelPath,
    meter: &Meter,
    visit: &mut dyn FnMut(Seen<'_>) -> Answer<()>,
) -> Answer<()> {
    let mut entries = 0;
    let mut pending = vec![start.clone()];
    while let Some(path) = pending.pop() {
        meter.charge(PATH_NAME.saturating_mul(path.names().count() as u64));
        let Ok(dir) = open(tree, &path) else {
            visit(Seen::Unknown)?;
            continue;
        };
        for entry in rustix::fs::Dir::read_from(&dir)? {
            entries += 1;
            meter.charge(ENTRY);
            if entries > ENTRIES_MAX || meter.is_spent() {
                return Err(Stop::Code(ErrorCode::InsufficientMemory));
            }
            let entry = entry?;
            let name = entry.file_name().to_str().unwrap_or("\0");
            if matches!(name, "." | "..") {
                continue;
            }
            let known = path.join(name).ok().zip(sys::look(dir.as_fd(), name).ok());
            let Some((inner, stat)) = known else {
                visit(Seen::Unknown)?;
                continue;
            };
            visit(Seen::Entry(inner.clone(), &stat))?;
            if sys::file_type(&stat) == FileType::Directory {
                pending.push(inner);
            }
        }
    }
    Ok(())
}

fn open(tree: &Tree, path: &RelPath) -> rustix::io::Result<OwnedFd> {
    let mut dir = sys::reopen_for_listing(tree.root.as_fd())?;
    for name in path.names() {
        dir = sys::open_dir(dir.as_fd(), name)?;
    }
    sys::reopen_for_listing(dir.as_fd())
}
