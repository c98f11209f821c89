//! Whether the one name that a file counts is the name that it was found under.
//!
//! A file with several names is judged by all of them, a file with one by the name it was found under. But names come and
//! go by the hand of others, and neither a look-up nor a look at a file waits for them: while a name is being taken away, the
//! file counts one less already and is still found by it. Then the one name that it counts is another, which nobody has judged.
//!
//! What tells is the directory entry by which the file was found, to which a handle holds on. First the file is
//! asked how many names it has; then whoever changes names in the directory is waited for; then the kernel is asked where the
//! handle's entry is. One that was being taken away when the file was asked is gone by then, so one that is still in
//! its place is the one name that was counted.
//!
//! That is dear, and spared in a directory that has not changed for some seconds before it was last waited for: who takes a
//! name away first changes the directory's time, and then the file's count.
//!
//! **Invariant:** the file is asked before the rest, and again after every wait. What this does not close: a *directory* that
//! others move meanwhile, which takes its entries along.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use ringfence_core::policy::fold_name;
use ringfence_core::relpath::RelPath;
use rustix::fs::{FileType, Stat, Timestamps};
use rustix::io::{Errno, Result};

use super::handle::FileHandle;
use super::place::Tree;
use super::roots::{Identity, identity};
use super::stop::Answer;
use super::sys;
use super::walk::Entry;

/// No file system here tells times in larger steps than two seconds; one more for what whole seconds leave out.
const STEP_SECONDS: i64 = 3;

/// How many directories are remembered: a guest reads file after file in a few.
const REMEMBERED: usize = 64;

/// What the kernel adds to the path of an entry that is gone, whatever the name.
const GONE: &str = " (deleted)";

/// The file of an [`Entry`], which stays the same whatever becomes of the name.
#[derive(Debug)]
pub(super) struct Held<'a> {
    entry: &'a Entry,
    /// None where a file cannot be held without being opened.
    file: Option<OwnedFd>,
    pub(super) stat: Stat,
}

impl<'a> Held<'a> {
    /// The file that was `found` under the name of `entry`. None: the name is taken, or leads to another by now.
    ///
    /// # Errors
    /// Those of looking at a name.
    pub(super) fn of(entry: &'a Entry, found: &Stat) -> Answer<Option<Self>> {
        let (dir, name) = (entry.parent.fd(), &entry.name);
        let file = match sys::hold(dir, name) {
            Err(Errno::NOENT) => return Ok(None),
            held => held?,
        };
        let stat = match &file {
            Some(file) => rustix::fs::fstat(file)?,
            None => *found,
        };
        let as_found = sys::same_file(found, &stat)
            && sys::file_type(found) == sys::file_type(&stat)
            && sys::name_count(found) == sys::name_count(&stat);
        let lone = as_found && is_lone(entry, file.as_ref().map(AsFd::as_fd), &stat);
        Ok(lone.then_some(Self { entry, file, stat }))
    }

    /// Sets its times.
    pub(super) fn set_times(&self, times: &Timestamps) -> Result<()> {
        match &self.file {
            Some(file) => sys::set_times(file.as_fd(), times),
            None => sys::set_times_at(self.entry.parent.fd(), &self.entry.name, times),
        }
    }

    /// Where it leads, if it is a link.
    pub(super) fn target(&self) -> Result<Vec<u8>> {
        match &self.file {
            Some(file) => sys::target(file.as_fd(), ""),
            None => sys::target(self.entry.parent.fd(), &self.entry.name),
        }
    }
}

/// Up to which second of the clock directories were quiet when they were last waited for: whoever began to change a name there
/// before that second has done so.
#[derive(Debug)]
pub(super) struct Waits(Mutex<[Option<(Identity, i64)>; REMEMBERED]>);

impl Default for Waits {
    fn default() -> Self {
        Self(Mutex::new([None; REMEMBERED]))
    }
}

impl Waits {
    pub(super) fn remember(&self, dir: &Stat, until: i64) {
        self.with_slot(dir, |slot| *slot = Some((identity(dir), until)));
    }

    /// True when nobody had begun to change a name in the directory, of which `dir` is, since it was waited for.
    pub(super) fn show_quiet(&self, dir: &Stat) -> bool {
        self.with_slot(dir, |slot| {
            slot.is_some_and(|(known, until)| {
                let unchanged = dir.st_ctime.saturating_add(STEP_SECONDS) < until;
                // Where the clock has been set back, what is later looks earlier.
                known == identity(dir) && unchanged && until <= sys::now_seconds()
            })
        })
    }

    fn with_slot<T>(&self, dir: &Stat, f: impl FnOnce(&mut Option<(Identity, i64)>) -> T) -> T {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, number) = identity(dir);
        let index = usize::try_from(number % REMEMBERED as u64).unwrap_or(0);
        match slots.get_mut(index) {
            Some(slot) => f(slot),
            None => f(&mut None),
        }
    }
}

/// True when what `stat` says of the names of a file needs no second look.
fn is_settled(tree: &Tree, dir: BorrowedFd<'_>, stat: &Stat) -> bool {
    // A directory has one name, and those of a file that has several are all judged.
    sys::file_type(stat) == FileType::Directory
        || match (sys::name_count(stat), &tree.waits) {
            (0, _) | (1, None) => false,
            (1, Some(waits)) => rustix::fs::fstat(dir).is_ok_and(|dir| waits.show_quiet(&dir)),
            _ => true,
        }
}

/// What can be believed of the file that was `found` under the name of `entry`. None: the name is taken, or leads to another
/// by now.
///
/// # Errors
/// Those of looking at a name.
pub(super) fn settle(entry: &Entry, found: &Stat) -> Answer<Option<Stat>> {
    if is_settled(&entry.parent.tree, entry.parent.fd(), found) {
        return Ok(Some(*found));
    }
    Ok(Held::of(entry, found)?.map(|held| held.stat))
}

/// False when the one name that `stat` has counted may be another than that of `entry`, by which `file` was found.
pub(super) fn is_lone(entry: &Entry, file: Option<BorrowedFd<'_>>, stat: &Stat) -> bool {
    let tree = &entry.parent.tree;
    let (dir, path) = (entry.parent.fd(), &entry.spot.path);
    is_settled(tree, dir, stat) || Name { tree, dir, path }.is_the_one(file, stat)
}

/// The same for an open file, long after. (Never by the time of its directory: what follows is charged for, and must not depend on
/// the hour.)
pub(super) fn is_lone_still(handle: &FileHandle, stat: &Stat) -> bool {
    let (tree, path) = (&handle.tree, &handle.spot.path);
    let Some(above) = path.parent() else {
        return false;
    };
    tree.open_path(&above).is_ok_and(|dir| {
        let dir = dir.as_fd();
        Name { tree, dir, path }.is_the_one(Some(handle.file.as_fd()), stat)
    })
}

/// A name that was judged.
#[derive(Debug, Clone, Copy)]
struct Name<'a> {
    tree: &'a Tree,
    dir: BorrowedFd<'a>,
    path: &'a RelPath,
}

/// What the kernel says of the entry that a handle holds on to.
#[derive(Debug, PartialEq, Eq)]
enum Whereabouts {
    Here,
    Elsewhere,
    /// It does not say, or says something that can mean both.
    Unknown,
}

impl Name<'_> {
    fn is_the_one(self, file: Option<BorrowedFd<'_>>, stat: &Stat) -> bool {
        let name = self.path.file_name().unwrap_or_default();
        sys::name_count(stat) == 1
            && self.wait(name).unwrap_or(false)
            && match file.map(|file| self.whereabouts(file)) {
                Some(Whereabouts::Here) => true,
                Some(Whereabouts::Elsewhere) => false,
                Some(Whereabouts::Unknown) | None => self.has_not_changed(name, stat),
            }
    }

    /// False when the name is not there, after everybody is done who was at the names of the directory.
    fn wait(self, name: &str) -> Result<bool> {
        let until = sys::now_seconds();
        let there = sys::wait_for_changes(self.dir, name)?;
        if let Some(waits) = &self.tree.waits {
            waits.remember(&rustix::fs::fstat(self.dir)?, until);
        }
        Ok(there)
    }

    fn whereabouts(self, file: BorrowedFd<'_>) -> Whereabouts {
        let root = sys::path_of(self.tree.root.as_fd());
        match root.and_then(|root| Ok((root, sys::path_of(file)?))) {
            Ok((root, path)) => whereabouts(&root, &path, self.path),
            Err(_) => Whereabouts::Unknown,
        }
    }

    /// True when the name leads to a file that has not changed since `stat`, names included. A kernel before 6.13 tells
    /// times in steps of milliseconds, within which a name could still come and go.
    fn has_not_changed(self, name: &str, stat: &Stat) -> bool {
        sys::look(self.dir, name).is_ok_and(|now| {
            sys::same_file(&now, stat)
                && sys::name_count(&now) == sys::name_count(stat)
                && (now.st_ctime, now.st_ctime_nsec) == (stat.st_ctime, stat.st_ctime_nsec)
        })
    }
}

/// Whether `path`, of the entry, is that of `judged` below `root`.
fn whereabouts(root: &[u8], path: &[u8], judged: &RelPath) -> Whereabouts {
    let root = root.strip_suffix(b"/").unwrap_or(root);
    let below = path
        .strip_prefix(root)
        .and_then(|rest| rest.strip_prefix(b"/"));
    let Some(below) = below.and_then(|rest| std::str::from_utf8(rest).ok()) else {
        return Whereabouts::Elsewhere;
    };
    let folded = |name| fold_name(name).into_owned();
    let alike = || {
        let names = below.split('/').map(folded);
        names.eq(judged.names().map(folded))
    };
    match (below == judged.as_str(), below.ends_with(GONE)) {
        (true, false) => Whereabouts::Here,
        // A name that ends so itself, or one without this end, that is gone.
        (true, true) => Whereabouts::Unknown,
        (false, true) => Whereabouts::Elsewhere,
        // Where letter case does not matter, the kernel may spell a name otherwise.
        (false, false) if alike() => Whereabouts::Unknown,
        (false, false) => Whereabouts::Elsewhere,
    }
}

#[cfg(test)]
mod tests {
    use super::Whereabouts::{Elsewhere, Here, Unknown};
    use super::*;

    #[test]
    fn what_the_kernel_says_of_an_entry() {
        for (root, path, judged, expect) in [
            ("/w", "/w/docs/a", "docs/a", Here),
            ("/", "/docs/a", "docs/a", Here),
            ("/w", "/w/docs/a (deleted)", "docs/a", Elsewhere),
            ("/w", "/w/docs/b", "docs/a", Elsewhere),
            ("/w", "/w/secrets/docs/a", "docs/a", Elsewhere),
            ("/w", "/w/secrets/a", "docs/a", Elsewhere),
            ("/w", "/x/docs/a", "docs/a", Elsewhere),
            ("/w", "/ww/docs/a", "docs/a", Elsewhere),
            ("/w (deleted)", "/w/docs/a", "docs/a", Elsewhere),
            // A name that ends so, one like it that is gone, and itself when it is gone.
            ("/w", "/w/a (deleted)", "a (deleted)", Unknown),
            ("/w", "/w/a (deleted) (deleted)", "a (deleted)", Elsewhere),
            // What follows a colon is not part of a name everywhere.
            ("/w", "/w/a:b (deleted)", "a:b", Elsewhere),
            ("/w", "/w/Docs/É", "docs/é", Unknown),
            ("/w", "/w/Docs/É", "docs/e", Elsewhere),
        ] {
            let judged = RelPath::lexical(judged).unwrap();
            let said = whereabouts(root.as_bytes(), path.as_bytes(), &judged);
            assert_eq!(said, expect, "{path} below {root} for {judged}");
        }
    }
}
