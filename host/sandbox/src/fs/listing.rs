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
// Limit: a second of a slow disk. So far above what may be seen that a guest cannot fill a directory up to it to count
// what is hidden there.
const HIDDEN_MAX: usize = 1_000_000;

/// The entries that are still to be handed out, in reverse.
#[expect(
    unreachable_pub,
    reason = "the generated bindings export it, privately"
)]
#[derive(Debug)]
pub struct Listing(pub(super) Vec<DirectoryEntry>);

impl Fs {
    /// Lists a directory as it is now. Names that may not be seen are left out without a trace, in the price as well; the
    /// order is by bytes, not the file system's.
    pub(super) fn list(&self, place: &Place) -> Answer<Listing> {
        self.meter.charge(SYSCALL);
        place.spot.judge_look(Access::Read)?;
        let dir = sys::reopen_for_listing(place.fd())?;
        let mut entries = Vec::new();
        for (seen, entry) in rustix::fs::Dir::read_from(&dir)?.enumerate() {
            let entry = entry?;
            // A name that is no UTF-8 cannot be spelled by a guest or a rule.
            if let Ok(name) = entry.file_name().to_str() {
                entries.extend(visible(place, name, entry.file_type()));
            }
            let held = entries.len() + self.listed;
            if held > ENTRIES_MAX || seen > HIDDEN_MAX || self.meter.is_late() {
                // One price, wherever this ends: that depends on the order in which the file system has them.
                self.meter.charge(ENTRY * ENTRIES_MAX as u64);
                return Err(Stop::Code(ErrorCode::InsufficientMemory));
            }
        }
        self.meter
            .charge(ENTRY.saturating_mul(entries.len() as u64));
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
