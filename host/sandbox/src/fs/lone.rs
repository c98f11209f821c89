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
//! **Invariant:** the file is asked through the handle, and before the rest. What this does not close: a *directory* that
//! others move meanwhile, which takes its entries along.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ringfence_core::policy::fold_name;
use ringfence_core::relpath::RelPath;
use rustix::fs::{FileType, Stat, Timestamps};
use rustix::io::{Errno, Result};

use super::handle::FileHandle;
use super::place::Tree;
use super::stop::Answer;
use super::sys;
use super::walk::Entry;

/// A file that last changed so long before it was looked for has no name that is being taken away, or whoever does that
/// has been stopped for a minute between two steps of one call of the kernel. (And nobody has set the clock forward by a
/// minute just then, and the file system's clock is this one: where it is not, names cannot be counted either.)
const REST_SECONDS: i64 = 60;

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

/// True when what `stat` says of a file's names needs no second look.
pub(super) fn is_settled(entry: &Entry, stat: &Stat) -> bool {
    // A directory has one name, and those of a file that has several are all judged.
    sys::file_type(stat) == FileType::Directory
        || match sys::name_count(stat) {
            0 => false,
            1 => stat.st_ctime.saturating_add(REST_SECONDS) < entry.asked,
            _ => true,
        }
}

/// False when the one name that `found` has counted may be another than that of `entry`.
///
/// # Errors
/// Those of looking at a name.
pub(super) fn is_lone_now(entry: &Entry, found: &Stat) -> Answer<bool> {
    Ok(is_settled(entry, found) || Held::of(entry, found)?.is_some())
}

/// False when the one name that `stat` has counted may be another than that of `entry`, by which `file` was found.
pub(super) fn is_lone(entry: &Entry, file: Option<BorrowedFd<'_>>, stat: &Stat) -> bool {
    is_settled(entry, stat) || {
        let tree = &entry.parent.tree;
        let (dir, path) = (entry.parent.fd(), &entry.spot.path);
        Name { tree, dir, path }.is_the_one(file, stat)
    }
}

/// The same for an open file, long after.
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
            && sys::wait_for_changes(self.dir, name).unwrap_or(false)
            && match file.map(|file| self.whereabouts(file)) {
                Some(Whereabouts::Here) => true,
                Some(Whereabouts::Elsewhere) => false,
                Some(Whereabouts::Unknown) | None => self.has_not_changed(name, stat),
            }
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
