//! From a directory handle and a path text to a directory and one name in it, judged at every step.
//!
//! Where no link and no `..` is in the way, the names are judged one by one and the kernel then opens the last directory
//! in one call that refuses links. Everything else is walked name by name from directory handle to directory handle:
//! a link is read by us and its target walked in its place; `..` goes back to the handle we came from.
//!
//! **Invariant:** between judging a name and using it nothing is looked up again by more than that one name, without
//! following; so nobody can put a link in between. The path as given and the path as resolved must both be allowed.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::sync::Arc;

use ringfence_core::policy::{Access, Cursor, Rule};
use ringfence_core::relpath::{PathError, RelPath, check_text};
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use super::place::{Place, Spot};
use super::stop::{Answer, Stop, denied, misshapen};
use super::sys;
use crate::bindings::wasi::filesystem::types::ErrorCode;
use crate::meter::{Meter, PATH_NAME};

// Limit: the kernel's own; beyond it a path is a loop.
const LINKS_MAX: usize = 40;
// Limit: handles that one walk holds at a time, beside those of the guest; no workspace is half as deep.
const DEPTH_MAX: usize = 128;

/// What to do with a link at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastLink {
    Follow,
    Keep,
}

/// What a path leads to.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "taken apart where it is made")]
pub(super) enum Found {
    /// A directory that was walked into: `.`, `..`, the mount itself.
    Dir(Arc<Place>),
    /// A name in a directory, there or not.
    Entry(Entry),
}

/// One name in a directory.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) parent: Arc<Place>,
    pub(super) name: String,
    pub(super) spot: Spot,
    /// None: nothing of that name is there.
    pub(super) stat: Option<Stat>,
    /// The path ended in a slash: only a directory will do.
    pub(super) must_be_dir: bool,
}

impl Entry {
    /// Refuses where something is already, and a slash after the name of what will be no directory.
    pub(super) fn is_free(&self) -> Answer<()> {
        match (&self.stat, self.must_be_dir) {
            (Some(_), _) => Err(ErrorCode::Exist.into()),
            (None, true) => Err(ErrorCode::NoEntry.into()),
            (None, false) => Ok(()),
        }
    }
}

/// Resolves `path` from `start`. `wanted` is what the guest is after, for the report.
///
/// # Errors
/// A denial when a name on the way may not be passed or the last may not be looked at; POSIX codes otherwise.
pub(super) fn resolve(
    start: &Arc<Place>,
    path: &str,
    last: LastLink,
    wanted: Access,
    meter: &Meter,
) -> Answer<Found> {
    if let Err(error) = check_text(path) {
        return misshapen(path, wanted, error);
    }
    meter.charge(PATH_NAME.saturating_mul(names(path).count() as u64));
    let aim = Aim {
        wanted,
        last,
        must_be_dir: asks_for_dir(path),
    };
    match aim.at_once(start, path)? {
        Some(found) => Ok(found),
        None => Walk::new(aim, start, path, meter).name_by_name(),
    }
}

/// The names that have to be walked.
fn names(path: &str) -> impl DoubleEndedIterator<Item = &str> + Clone {
    path.split('/').filter(|name| !matches!(*name, "" | "."))
}

fn asks_for_dir(path: &str) -> bool {
    path.ends_with('/') || matches!(path.rsplit('/').next(), Some("." | ".."))
}

/// What a path is resolved for.
#[derive(Debug, Clone, Copy)]
struct Aim {
    wanted: Access,
    last: LastLink,
    must_be_dir: bool,
}

impl Aim {
    /// The short way: no `..`, and the kernel finds no link. None: go name by name.
    fn at_once(self, start: &Arc<Place>, path: &str) -> Answer<Option<Found>> {
        let mut above = names(path);
        let Some(last) = above.next_back() else {
            return Ok(Some(Found::Dir(Arc::clone(start))));
        };
        if last == ".." || above.clone().any(|name| name == "..") {
            return Ok(None);
        }
        let Some(parent) = self.parent(start, above)? else {
            return Ok(None);
        };
        let spot = parent.spot.step(last, self.wanted)?;
        let entry = self.look(parent, last, spot)?;
        Ok((!self.goes_on(entry.stat.as_ref())).then_some(Found::Entry(entry)))
    }

    /// The directory that `above` leads to, each name judged, and opened in one call.
    fn parent<'a>(
        self,
        start: &Arc<Place>,
        above: impl Iterator<Item = &'a str> + Clone,
    ) -> Answer<Option<Arc<Place>>> {
        let depth = above.clone().count();
        if depth == 0 {
            return Ok(Some(Arc::clone(start)));
        }
        if depth > DEPTH_MAX {
            return Err(Stop::Code(ErrorCode::NameTooLong));
        }
        let mut spot = start.spot.clone();
        let mut way = String::new();
        for name in above {
            spot = spot.step(name, self.wanted)?;
            spot.judge_for(Access::Traverse, self.wanted)?;
            if !way.is_empty() {
                way.push('/');
            }
            way.push_str(name);
        }
        // Judged before: a denial does not depend on what is there, nor on how the rest is walked.
        if !start.tree.kernel_resolves() {
            return Ok(None);
        }
        let fd = match sys::open_beneath(start.fd(), &way, sys::DIRECTORY) {
            Ok(fd) => Arc::new(fd),
            Err(Errno::NOSYS | Errno::PERM) => {
                start.tree.kernel_cannot_resolve();
                return Ok(None);
            }
            // The walk finds out what it is, and says so by name.
            Err(_) => return Ok(None),
        };
        let tree = Arc::clone(&start.tree);
        Ok(Some(Place::new(tree, fd, spot)))
    }

    /// True when a link at the end is to be followed.
    fn goes_on(self, stat: Option<&Stat>) -> bool {
        stat.is_some_and(|stat| sys::file_type(stat) == FileType::Symlink)
            && (self.last == LastLink::Follow || self.must_be_dir)
    }

    fn look(self, parent: Arc<Place>, name: &str, spot: Spot) -> Answer<Entry> {
        spot.judge_look(self.wanted)?;
        let stat = match sys::look(parent.fd(), name) {
            Ok(stat) => Some(stat),
            Err(Errno::NOENT) => None,
            Err(errno) => return Err(errno.into()),
        };
        Ok(Entry {
            parent,
            name: name.to_owned(),
            spot,
            stat,
            must_be_dir: self.must_be_dir,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Given,
    Link,
}

/// The long way, which knows where it came from.
struct Walk<'a> {
    aim: Aim,
    meter: &'a Meter,
    queue: VecDeque<(String, Origin)>,
    stack: Vec<Arc<Place>>,
    given: Vec<Cursor>,
    links: usize,
}

impl<'a> Walk<'a> {
    fn new(aim: Aim, start: &Arc<Place>, path: &str, meter: &'a Meter) -> Self {
        let names = names(path).map(|name| (name.to_owned(), Origin::Given));
        Self {
            aim,
            meter,
            queue: names.collect(),
            stack: vec![Arc::clone(start)],
            given: vec![start.spot.asked().clone()],
            links: 0,
        }
    }

    /// Puts the names of a link's target before those that are still to be walked.
    fn push_front(&mut self, target: &str) {
        if self.queue.is_empty() {
            self.aim.must_be_dir |= asks_for_dir(target);
        }
        for name in names(target).rev() {
            self.meter.charge(PATH_NAME);
            self.queue.push_front((name.to_owned(), Origin::Link));
        }
    }

    fn name_by_name(mut self) -> Answer<Found> {
        while let Some((name, origin)) = self.queue.pop_front() {
            let Some(top) = self.stack.last().cloned() else {
                break;
            };
            if name == ".." {
                self.step_back(&top, origin)?;
                continue;
            }
            let spot = self.step(&top, &name, origin)?;
            let is_last = self.queue.is_empty();
            if !is_last {
                spot.judge_for(Access::Traverse, self.aim.wanted)?;
            }
            let entry = self.aim.look(top, &name, spot)?;
            let kind = entry.stat.as_ref().map(sys::file_type);
            match kind {
                Some(FileType::Symlink) if !is_last || self.aim.goes_on(entry.stat.as_ref()) => {
                    self.follow(&entry)?
                }
                _ if is_last => return Ok(Found::Entry(entry)),
                Some(FileType::Directory) => self.enter(entry)?,
                Some(_) => return Err(Stop::Code(ErrorCode::NotDirectory)),
                None => return Err(Stop::Code(ErrorCode::NoEntry)),
            }
        }
        match self.stack.pop() {
            Some(place) => Ok(Found::Dir(self.with_given(place))),
            None => Err(Stop::Code(ErrorCode::Io)),
        }
    }

    fn step_back(&mut self, top: &Place, origin: Origin) -> Answer<()> {
        if self.stack.len() == 1 {
            return misshapen(
                &format!("{}/..", top.spot.path),
                self.aim.wanted,
                PathError::Escapes,
            );
        }
        self.stack.pop();
        if origin == Origin::Given && self.given.len() > 1 {
            self.given.pop();
        }
        Ok(())
    }

    /// The spot of `name` below `top`, with the judge of the path as given beside it.
    fn step(&mut self, top: &Place, name: &str, origin: Origin) -> Answer<Spot> {
        if origin == Origin::Given {
            let next = self.given.last().map(|cursor| cursor.step(name));
            self.given.extend(next);
        }
        let spot = top.spot.step(name, self.aim.wanted)?;
        Ok(match self.given.last() {
            Some(given) => spot.reached_by(given),
            None => spot,
        })
    }

    /// Walks the target of a link in the place of the link.
    fn follow(&mut self, link: &Entry) -> Answer<()> {
        self.links += 1;
        if self.links > LINKS_MAX {
            return Err(Stop::Code(ErrorCode::Loop));
        }
        self.meter.charge(PATH_NAME);
        let target = sys::target(link.parent.fd(), &link.name)?;
        let target = link_text(link, target, self.aim.wanted)?;
        if let Err(error) = check_text(&target) {
            return misshapen(
                &format!("{} -> {target}", link.spot.path),
                self.aim.wanted,
                error,
            );
        }
        self.push_front(&target);
        Ok(())
    }

    fn enter(&mut self, entry: Entry) -> Answer<()> {
        let tree = Arc::clone(&entry.parent.tree);
        let fd = match tree.open_dir(entry.parent.fd.as_fd(), &entry.name) {
            Ok(fd) => Arc::new(fd),
            Err(Errno::XDEV) => return mount_point(&entry.spot.path, self.aim.wanted),
            Err(errno) => return Err(errno.into()),
        };
        if self.stack.len() > DEPTH_MAX {
            return Err(Stop::Code(ErrorCode::NameTooLong));
        }
        let spot = entry.spot;
        self.stack.push(Place::new(tree, fd, spot));
        Ok(())
    }

    fn with_given(&self, mut place: Arc<Place>) -> Arc<Place> {
        if let Some(given) = self.given.last() {
            Arc::make_mut(&mut place).spot.given_at(given);
        }
        place
    }
}

/// The target of a link as text, which was read as `target`.
pub(super) fn link_text(link: &Entry, target: Vec<u8>, wanted: Access) -> Answer<String> {
    match String::from_utf8(target) {
        Ok(target) => Ok(target),
        Err(_) => misshapen(&link.spot.path.to_string(), wanted, PathError::NotUtf8),
    }
}

/// Refuses to go beyond a mount point.
pub(super) fn mount_point<T>(path: &RelPath, wanted: Access) -> Answer<T> {
    denied(
        path,
        wanted,
        Rule::Special {
            kind: "mount point".to_owned(),
        },
    )
}
