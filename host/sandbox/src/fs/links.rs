//! The other names of a file with several hard links.
//!
//! A hard link is an alias that no path shows. So when a file says that it has more than one name, the tree is searched
//! for them, and every name that is found must allow what is asked. A name outside the tree cannot be judged: reading
//! is allowed (whoever put it under an allowed name had the right to), writing is not, since it would change a file
//! outside. Where a part of the tree cannot be searched, a name that was not found may be there, so nothing is allowed.
//!
//! Names also come and go by the hand of others. What was found is believed only as long as the file has as many names as
//! it had then. What a count of one says is the business of `lone`.

use std::collections::{HashMap, HashSet};
use std::os::fd::AsFd;
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

/// What a search found.
#[derive(Debug)]
struct Names {
    files: HashMap<(u64, u64), Known>,
    /// Nothing in the tree was out of reach.
    complete: bool,
}

/// A file's names in the tree, and what it said of itself when they were found.
#[derive(Debug)]
struct Known {
    names: Vec<RelPath>,
    count: u64,
    changed: (i64, u64),
    /// It said the same at each of them, so nobody has moved it while it was searched for.
    steady: bool,
}

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
    if sys::name_count(stat) < 2 || sys::file_type(stat) == FileType::Directory {
        return Ok(());
    }
    judge_every_name(tree, stat, spot, access, meter)
}

/// Like [`judge_other_names`], for a file that has lost a name since it was opened: one that is left is another.
pub(super) fn judge_every_name(
    tree: &Tree,
    stat: &Stat,
    spot: &Spot,
    access: Access,
    meter: &Meter,
) -> Answer<()> {
    let count = sys::name_count(stat);
    let mut known = tree
        .other_names
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let file = (stat.st_dev, stat.st_ino);
    let is_current = |names: &Names| {
        let known = names.files.get(&file);
        known.is_some_and(|known| known.steady && known.count == count)
    };
    let found = match known.take().filter(is_current) {
        Some(names) => known.insert(names),
        None => known.insert(find(tree, file, meter)?),
    };
    let seen = found.files.get(&file);
    let names = seen.map(|known| known.names.as_slice()).unwrap_or_default();
    let steady = seen.is_none_or(|known| known.steady);
    let refused = |other: String| denied(&spot.path, access, Rule::HardLink { other });
    for name in names {
        if let Decision::Denied { .. } = tree.policy.decide(name, access) {
            return refused(name.to_string());
        }
    }
    let unknown = (names.len() as u64) < count;
    if !steady || unknown && (access == Access::Write || !found.complete) {
        return refused(String::new());
    }
    Ok(())
}

/// Every name in the tree of `file` and of every file with more than one, denied places included.
///
/// The tree is walked twice: a file that is given its second name meanwhile may have had one when it was passed.
fn find(tree: &Tree, file: (u64, u64), meter: &Meter) -> Answer<Names> {
    let mut wanted = HashSet::from([file]);
    each_file(tree, meter, &mut |_, stat| {
        if sys::name_count(stat) > 1 {
            wanted.insert((stat.st_dev, stat.st_ino));
        }
        Ok(())
    })?;
    let (mut files, mut bytes) = (HashMap::<_, Known>::new(), 0_usize);
    let complete = each_file(tree, meter, &mut |path, stat| {
        let file = (stat.st_dev, stat.st_ino);
        if !wanted.contains(&file) {
            return Ok(());
        }
        bytes = bytes.saturating_add(path.as_str().len() + NAMES_BYTES_PER_NAME);
        if bytes > NAMES_BYTES_MAX {
            return Err(ErrorCode::InsufficientMemory.into());
        }
        let (count, changed) = (sys::name_count(stat), (stat.st_ctime, stat.st_ctime_nsec));
        let known = files.entry(file).or_insert_with(|| Known {
            names: Vec::new(),
            count,
            changed,
            steady: true,
        });
        known.steady &= known.count == count && known.changed == changed;
        known.names.push(path);
        Ok(())
    })?;
    Ok(Names { files, complete })
}

/// Visits everything in the tree but directories; true when nothing was out of reach.
fn each_file(
    tree: &Tree,
    meter: &Meter,
    visit: &mut dyn FnMut(RelPath, &Stat) -> Answer<()>,
) -> Answer<bool> {
    let mut complete = true;
    search::below(
        tree.root.as_fd(),
        &RelPath::ROOT,
        meter,
        &mut |seen| match seen {
            Seen::Entry(_, stat) if sys::file_type(stat) == FileType::Directory => Ok(()),
            Seen::Entry(path, stat) => visit(path, stat),
            Seen::Unknown => {
                complete = false;
                Ok(())
            }
        },
    )?;
    Ok(complete)
}
