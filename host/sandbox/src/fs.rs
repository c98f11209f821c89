//! Our own `wasi:filesystem` host: every verb goes through one walk and one judge.
//!
//! [`walk`] turns a handle and a path text into a directory and one name, judged by `ringfence_core::policy` at every
//! step; the verbs ([`open`], [`look`], [`listing`], [`change`], [`two_paths`], [`data`]) then make one kernel call on that one
//! name ([`sys`]). [`host`] maps descriptors and errors to the WASI bindings and does nothing else.
//!
//! **Invariant:** no verb makes a path text into a kernel call by itself, and a denial is decided before anything is
//! looked at, so it says nothing about what is there.
//!
//! Directory handles follow their directory when the guest renames it, so a handle never keeps the rights of a path
//! that its directory has left. The `mutate-directory` flag of a handle is kept and reported, but rights come from the policy
//! alone: C libraries open directories read-only and then write below them.

mod change;
mod data;
mod denials;
mod handle;
mod host;
mod links;
mod listing;
mod lone;
mod look;
mod open;
mod place;
mod roots;
mod search;
mod stop;
mod sys;
mod two_paths;
mod walk;

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use ringfence_core::call::CallReport;
use ringfence_core::policy::{Access, Decision, PathPolicy};
use ringfence_core::relpath::RelPath;
use rustix::fs::FileType;

use self::denials::Denials;
#[expect(
    unreachable_pub,
    reason = "the generated bindings export it, privately"
)]
pub use self::handle::Descriptor;
#[expect(
    unreachable_pub,
    reason = "the generated bindings export it, privately"
)]
pub use self::host::FsError;
#[expect(
    unreachable_pub,
    reason = "the generated bindings export it, privately"
)]
pub use self::listing::Listing;
use self::place::{Place, Tree};
use self::stop::Refusal;
use crate::meter::Meter;

// Limit: what a process may open on every system (256) without the host's own being in danger.
pub(crate) const OPEN_MAX: usize = 200;
/// What a guest is ended with that asks for its mounts once too often: that call has no error code.
pub(crate) const TOO_MANY_OPEN: &str = "too many open files";

/// A directory that a guest sees, and what it may do there.
#[derive(Debug, Clone)]
pub struct Mount {
    /// Where the guest finds it; `/` is where plain relative paths lead.
    pub guest_path: String,
    /// The directory on the host.
    pub host_path: PathBuf,
    /// The judge.
    pub policy: PathPolicy,
}

/// Which times files have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// All the same, in seconds since 1970: what a checkout's files have is no fact about the repository.
    Fixed(u64),
    /// What the file system says.
    Real,
}

/// Where a guest's own links may lead. Following one is judged in any case; this is for others who do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// To what it may see: a plugin's links end up in a repository.
    Inside,
    /// Also out of the mount, as POSIX has it.
    Anywhere,
}

/// How paths are walked. Both ways are the same judge; the first is faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// In one call of the kernel, where it has one.
    AtOnce,
    /// Name by name, as where the kernel has none.
    NameByName,
}

/// The file system of one call.
#[derive(Debug)]
pub(crate) struct Fs {
    links: Links,
    mounts: Vec<(String, Arc<Tree>)>,
    times: Times,
    meter: Arc<Meter>,
    denials: Denials,
    /// Listings the guest holds.
    listings: usize,
    /// Entries of open listings that are still to be handed out.
    listed: usize,
    dirs: Vec<Weak<Mutex<Arc<Place>>>>,
    /// Open files. A stream keeps its file open when the descriptor is gone.
    files: Vec<Weak<File>>,
}

impl Fs {
    /// Opens the mounts.
    ///
    /// # Errors
    /// The first mount that is no directory, cannot be opened, or lies within another.
    pub(crate) fn new(
        mounts: &[Mount],
        times: Times,
        name_by_name: bool,
        meter: &Arc<Meter>,
    ) -> Result<Self, (PathBuf, std::io::Error)> {
        let mut opened: Vec<(String, Arc<Tree>)> = Vec::new();
        for mount in mounts {
            let failed = |error| (mount.host_path.clone(), error);
            let root = open_ambient(&mount.host_path).map_err(failed)?;
            let tree = match roots::among(&root, &mount.policy, &opened).map_err(failed)? {
                // One tree, so that what is known of it under one name is known under the other.
                Some(same) => same,
                None => Tree::new(mount.policy.clone(), root.into(), name_by_name),
            };
            opened.push((mount.guest_path.clone(), tree));
        }
        Ok(Self {
            mounts: opened,
            links: Links::Inside,
            times,
            meter: Arc::clone(meter),
            denials: Denials::default(),
            listings: 0,
            listed: 0,
            dirs: Vec::new(),
            files: Vec::new(),
        })
    }

    /// The same, with links that may lead elsewhere.
    pub(crate) fn with_links(mut self, links: Links) -> Self {
        self.links = links;
        self
    }

    /// Moves what was denied into the report.
    pub(crate) fn report(&mut self, report: &mut CallReport) {
        (report.denials, report.denials_dropped) = std::mem::take(&mut self.denials).into_parts();
    }

    /// True when the mount at the workspace root allows `access` at `path`, by the policy alone.
    pub(crate) fn allows(&self, path: &RelPath, access: Access) -> bool {
        let root = self
            .mounts
            .first()
            .map(|(_, tree)| tree.policy.decide(path, access));
        matches!(root, Some(Decision::Allowed))
    }

    /// Like [`allows`](Self::allows), but a refusal is reported, and returned as what the guest may know of it.
    ///
    /// # Errors
    /// A line for the guest.
    pub(crate) fn judge_path(&mut self, path: &RelPath, access: Access) -> Result<(), String> {
        let decision = self
            .mounts
            .first()
            .map(|(_, tree)| tree.policy.decide(path, access));
        if let Some(Decision::Denied { rule }) = decision {
            self.denials.add(Refusal {
                path: path.to_string(),
                access,
                rule,
            });
            return Err(format!("{path}: not permitted"));
        }
        if decision.is_some() {
            Ok(())
        } else {
            Err(format!("{path}: not permitted"))
        }
    }

    /// True when the guest holds as much open as it may.
    fn is_full(&mut self) -> bool {
        self.dirs.retain(|dir| dir.strong_count() > 0);
        self.files.retain(|file| file.strong_count() > 0);
        self.dirs.len() + self.files.len() + self.listings >= OPEN_MAX
    }

    fn for_each_dir(&mut self, mut visit: impl FnMut(&mut Place)) {
        self.dirs.retain(|dir| dir.strong_count() > 0);
        for dir in self.dirs.iter().filter_map(Weak::upgrade) {
            let mut place = dir
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            visit(Arc::make_mut(&mut place));
        }
    }
}

/// The one place where the sandbox takes a directory by its name on the host.
fn open_ambient(path: &Path) -> std::io::Result<Dir> {
    let dir = Dir::open_ambient_dir(path, ambient_authority())?;
    if holds_processes(&dir)? {
        return Err(std::io::Error::other(
            "the memory of processes lies in it, this one's too",
        ));
    }
    Ok(dir)
}

/// True for `/proc`: its files are doors into what runs, and ordinary ones by their type.
#[cfg(target_os = "linux")]
fn holds_processes(dir: &Dir) -> rustix::io::Result<bool> {
    Ok(rustix::fs::fstatfs(dir)?.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

#[cfg(not(target_os = "linux"))]
fn holds_processes(_: &Dir) -> rustix::io::Result<bool> {
    Ok(false)
}

/// True when the kernel resolves paths of several names for us.
pub(crate) fn kernel_resolves() -> bool {
    let tried = open_ambient(Path::new("/"))
        .map(|root| sys::open_beneath(root.as_fd(), ".", sys::DIRECTORY));
    matches!(tried, Ok(Ok(_)))
}

fn kind_name(kind: FileType) -> String {
    match kind {
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
        FileType::CharacterDevice | FileType::BlockDevice => "device",
        FileType::RegularFile | FileType::Directory | FileType::Symlink | FileType::Unknown => {
            "special file"
        }
    }
    .to_owned()
}

#[cfg(test)]
mod tests;
