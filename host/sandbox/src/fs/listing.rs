//! `read-directory`: what may be seen, sorted, in one piece.

use ringfence_core::policy::Access;
use rustix::fs::FileType;

use super::look::descriptor_type;
use super::place::Place;
use super::stop::{Answer, Stop};
use super::{Fs, sys};
use crate::bindings::wasi::filesystem::types::{DirectoryEntry, ErrorCode};
use crate::meter::{ENTRY, SYSCALL};

// Limit: 64 MiB of names at most, those of all open listings together; no program wants such a directory at once.
const ENTRIES_MAX: usize = 1 << 18;

/// The entries that are still to be handed out, in reverse.
#[expect(
    unreachable_pub,
    reason = "the generated bindings export it, privately"
)]
#[derive(Debug)]
pub struct Listing(pub(super) Vec<DirectoryEntry>);

impl Fs {
    /// Lists a directory as it is now. Names that may not be seen are left out without a trace; the order is by bytes,
    /// not the file system's.
    pub(super) fn list(&self, place: &Place) -> Answer<Listing> {
        self.meter.charge(SYSCALL);
        place.spot.judge_look(Access::Read)?;
        let dir = sys::reopen_for_listing(place.fd())?;
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&dir)? {
            self.meter.charge(ENTRY);
            let entry = entry?;
            if entries.len() + self.listed >= ENTRIES_MAX {
                return Err(Stop::Code(ErrorCode::InsufficientMemory));
            }
            // A name that is no UTF-8 cannot be spelled by a guest or a rule.
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            entries.extend(visible(place, name, entry.file_type()));
        }
        entries.sort_unstable_by(|a, b| b.name.cmp(&a.name));
        Ok(Listing(entries))
    }
}

fn visible(place: &Place, name: &str, kind: FileType) -> Option<DirectoryEntry> {
    let spot = place.spot.step(name, Access::Stat).ok()?;
    let kind = match kind {
        FileType::Unknown => sys::file_type(&sys::look(place.fd(), name).ok()?),
        kind => kind,
    };
    let leads_on = kind == FileType::Directory && spot.allows(Access::Traverse);
    (leads_on || spot.allows(Access::Stat)).then(|| DirectoryEntry {
        type_: descriptor_type(kind),
        name: name.to_owned(),
    })
}
