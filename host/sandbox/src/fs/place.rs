//! Where a handle stands: a directory, the path it was judged by, and the judge itself.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use ringfence_core::policy::{Access, Cursor, Decision, PathPolicy};
use ringfence_core::relpath::RelPath;
use rustix::fs::{OFlags, Stat};
use rustix::io::{Errno, Result};

use super::lone::Waits;
use super::roots::{Identity, identity};
use super::stop::{Answer, denied, misshapen};
use super::sys;
use crate::bindings::wasi::filesystem::types::ErrorCode;
use crate::fs::links::OtherNames;
use crate::meter::{Meter, PATH_NAME};

/// One mounted directory and its policy.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) policy: PathPolicy,
    pub(super) root: Arc<OwnedFd>,
    pub(super) other_names: OtherNames,
    /// The kernel cannot resolve several names at once for us; the walk goes name by name.
    name_by_name: AtomicBool,
    /// Directories that were waited for; none where the times of files are not those of this kernel's clock.
    pub(super) waits: Option<Waits>,
}

impl Tree {
    pub(super) fn new(policy: PathPolicy, root: OwnedFd, name_by_name: bool) -> Arc<Self> {
        sys::prepare();
        Arc::new(Self {
            policy,
            waits: sys::keeps_our_time(root.as_fd()).then(Waits::default),
            root: Arc::new(root),
            other_names: OtherNames::default(),
            name_by_name: AtomicBool::new(name_by_name),
        })
    }

    pub(super) fn kernel_resolves(&self) -> bool {
        !self.name_by_name.load(Ordering::Relaxed)
    }

    pub(super) fn kernel_cannot_resolve(&self) {
        self.name_by_name.store(true, Ordering::Relaxed);
    }

    /// Opens the file or directory `name` in `dir`, not following it, on the mount of `dir` only.
    ///
    /// # Errors
    /// `XDEV` for a mount point.
    pub(super) fn open(&self, dir: BorrowedFd<'_>, name: &str, flags: OFlags) -> Result<OwnedFd> {
        if self.kernel_resolves() {
            match sys::open_beneath(dir, name, flags) {
                Err(Errno::NOSYS) => self.kernel_cannot_resolve(),
                // Said of the file, or by a filter that does not know the call: the other way tells.
                Err(Errno::PERM) => {}
                opened => return opened,
            }
        }
        sys::open(dir, name, flags)
    }

    /// Opens the directory `name` in `dir` for walking on; see [`open`](Self::open).
    ///
    /// # Errors
    /// `XDEV` for a mount point.
    pub(super) fn open_dir(&self, dir: BorrowedFd<'_>, name: &str) -> Result<OwnedFd> {
        self.open(dir, name, sys::DIRECTORY)
    }

    /// Looks at the directory at `path`, which is not the root; no link and no mount point is on the way to it.
    fn look(&self, path: &RelPath) -> Result<Stat> {
        let mut names = path.names();
        match (names.next(), names.next()) {
            (Some(name), None) => sys::look(self.root.as_fd(), name),
            _ => rustix::fs::fstat(self.open_path(path)?),
        }
    }

    /// Opens the directory at `path` for walking on; no link and no mount point is on the way.
    pub(super) fn open_path(&self, path: &RelPath) -> Result<OwnedFd> {
        if path.is_root() {
            return self.root.try_clone().map_err(|_| Errno::MFILE);
        }
        if self.kernel_resolves() {
            match sys::open_beneath(self.root.as_fd(), path.as_str(), sys::DIRECTORY) {
                Err(Errno::NOSYS) => self.kernel_cannot_resolve(),
                Err(Errno::PERM) => {}
                opened => return opened,
            }
        }
        let mut dir = None::<OwnedFd>;
        for name in path.names() {
            let above = dir.as_ref().map_or(self.root.as_fd(), AsFd::as_fd);
            dir = Some(sys::open(above, name, sys::DIRECTORY)?);
        }
        dir.ok_or(Errno::NOENT)
    }
}

/// A directory that was reached, and how it is judged.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) tree: Arc<Tree>,
    pub(super) fd: Arc<OwnedFd>,
    pub(super) spot: Spot,
    /// Device and number, once they were asked for.
    identity: OnceLock<Identity>,
}

/// A path and the judge standing there.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    /// As resolved, links and all.
    pub(super) path: RelPath,
    resolved: Cursor,
    /// The judge at the path as given; none when it is the same.
    given: Option<Cursor>,
}

impl Place {
    pub(super) fn new(tree: Arc<Tree>, fd: Arc<OwnedFd>, spot: Spot) -> Arc<Self> {
        Arc::new(Self {
            tree,
            fd,
            spot,
            identity: OnceLock::new(),
        })
    }

    pub(super) fn root(tree: &Arc<Tree>) -> Arc<Self> {
        let fd = Arc::clone(&tree.root);
        Self::new(Arc::clone(tree), fd, Spot::root(&tree.policy))
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Refuses a handle whose directory is no longer where it was judged: others have moved or replaced it, and what lies in it
    /// there is nothing that anybody gave. Between this look and the use of the handle they still can.
    pub(super) fn check_is_there(&self, meter: &Meter) -> Answer<()> {
        if self.spot.path.is_root() {
            return Ok(());
        }
        meter.charge(PATH_NAME.saturating_mul(self.spot.path.names().count() as u64));
        let there = self.tree.look(&self.spot.path);
        let there = identity(&there.map_err(|_| ErrorCode::NoEntry)?);
        if self.identity.get() == Some(&there) {
            return Ok(());
        }
        if there != identity(&rustix::fs::fstat(&self.fd)?) {
            return Err(ErrorCode::NoEntry.into());
        }
        // It stays what it is for as long as it is held. (The first of two that find out at a time is right.)
        self.identity.set(there).unwrap_or_default();
        Ok(())
    }

    /// The same directory under the path it has after a rename.
    pub(super) fn moved(&mut self, from: &RelPath, to: &RelPath) {
        if !self.spot.path.is_within(from) {
            return;
        }
        let below = self.spot.path.names().skip(from.names().count());
        let spot = to
            .names()
            .chain(below)
            .try_fold(Spot::root(&self.tree.policy), |spot, name| {
                spot.step(name, Access::Traverse)
            });
        if let Ok(spot) = spot {
            self.spot = spot;
        }
    }
}

impl Spot {
    pub(super) fn root(policy: &PathPolicy) -> Self {
        Self {
            path: RelPath::ROOT,
            resolved: policy.cursor(),
            given: None,
        }
    }

    /// One name further down; `wanted` is only for the report.
    pub(super) fn step(&self, name: &str, wanted: Access) -> Answer<Self> {
        let path = match self.path.join(name) {
            Ok(path) => path,
            Err(error) => return misshapen(name, wanted, error),
        };
        Ok(Self {
            path,
            resolved: self.resolved.step(name),
            given: self.given.as_ref().map(|given| given.step(name)),
        })
    }

    /// The judge at the path as given.
    pub(super) fn asked(&self) -> &Cursor {
        self.given.as_ref().unwrap_or(&self.resolved)
    }

    /// The same spot, reached by a path as given that the judge `given` stands at.
    pub(super) fn reached_by(mut self, given: &Cursor) -> Self {
        self.given_at(given);
        self
    }

    /// From now on the judge of the path as given is the one that stands at `given`.
    pub(super) fn given_at(&mut self, given: &Cursor) {
        self.given = Some(given.clone());
    }

    /// True when both the path as resolved and the path as given allow `access`.
    pub(super) fn allows(&self, access: Access) -> bool {
        self.cursors().all(|cursor| cursor.allows(access))
    }

    /// Refuses unless both the path as resolved and the path as given allow `access`.
    pub(super) fn judge(&self, access: Access) -> Answer<()> {
        self.judge_for(access, access)
    }

    /// Like [`judge`](Self::judge), reporting that `wanted` was what the guest was after.
    pub(super) fn judge_for(&self, access: Access, wanted: Access) -> Answer<()> {
        for cursor in self.cursors() {
            if let Decision::Denied { rule } = cursor.decide(access) {
                return denied(&self.path, wanted, rule);
            }
        }
        Ok(())
    }

    fn cursors(&self) -> impl Iterator<Item = &Cursor> {
        [Some(&self.resolved), self.given.as_ref()]
            .into_iter()
            .flatten()
    }

    /// Refuses unless the guest may know that something is here.
    pub(super) fn judge_look(&self, wanted: Access) -> Answer<()> {
        if self.allows(Access::Stat) {
            Ok(())
        } else {
            self.judge_for(Access::Traverse, wanted)
        }
    }
}
