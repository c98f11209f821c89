//! The other names of a file with several hard links.
//!
//! A hard link is an alias that no path shows. So when a file says that it has more than one name, the tree is searched
//! for them, and every name that is found must allow what is asked. A name outside the tree cannot be judged: reading
//! is allowed (whoever put it under an allowed name had the right to), writing is not, since it would change a file
//! outside.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ringfence_core::policy::{Access, Decision, Rule};
use ringfence_core::relpath::RelPath;
use rustix::fs::{FileType, Stat};

use super::place::{Spot, Tree};
use super::search::{self, Seen};
use super::stop::{Answer, denied};
use super::sys;
use crate::bindings::wasi::filesystem::types::ErrorCode;
use crate::meter::Meter;

// Limit: what the host keeps of a tree full of such files, some hundred thousand of them; a larger one counts as one
// that cannot be known.
const NAMES_BYTES_MAX: usize = 64 << 20;
const NAMES_BYTES_PER_NAME: usize = 192;

type Names = HashMap<(u64, u64), Vec<RelPath>>;

/// What is known of files with several names, forgotten whenever the guest makes, moves or removes a name.
#[derive(Debug, Default)]
pub(super) struct OtherNames(Mutex<Option<Names>>);

impl OtherNames {
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Refuses `access` to a file one of whose other names refuses it.
pub(super) fn judge_other_names(
    tree: &Tree,
    stat: &Stat,
    spot: &Spot,
    access: Access,
    meter: &Meter,
) -> Answer<()> {
    let count = sys::name_count(stat);
    if count < 2 || sys::file_type(stat) == FileType::Directory {
        return Ok(());
    }
    let mut known = tree
        .other_names
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let names = match known.as_mut() {
        Some(names) => names,
        None => known.insert(find(tree, meter)?),
    };
    let names = names
        .get(&(stat.st_dev, stat.st_ino))
        .map(Vec::as_slice)
        .unwrap_or_default();
    for name in names {
        if let Decision::Denied { .. } = tree.policy.decide(name, access) {
            return denied(
                &spot.path,
                access,
                Rule::HardLink {
                    other: name.to_string(),
                },
            );
        }
    }
    if access == Access::Write && (names.len() as u64) < count {
        return denied(
            &spot.path,
            access,
            Rule::HardLink {
                other: String::new(),
            },
        );
    }
    Ok(())
}

/// Every name in the tree of every file with more than one, denied places included.
fn find(tree: &Tree, meter: &Meter) -> Answer<Names> {
    let mut names = Names::new();
    let mut bytes = 0_usize;
    search::below(tree, &RelPath::ROOT, meter, &mut |seen| {
        if let Seen::Entry(path, stat) = seen
            && sys::file_type(stat) != FileType::Directory
            && sys::name_count(stat) > 1
        {
            bytes = bytes.saturating_add(path.as_str().len() + NAMES_BYTES_PER_NAME);
            if bytes > NAMES_BYTES_MAX {
                return Err(ErrorCode::InsufficientMemory.into());
            }
            names
                .entry((stat.st_dev, stat.st_ino))
                .or_default()
                .push(path);
        }
        Ok(())
    })?;
    Ok(names)
}
