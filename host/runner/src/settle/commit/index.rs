//! The user's index: read by git, locked as git locks it, and replaced whole.
//!
//! **Invariant:** the index is replaced only under its lock, by a file that differs from it in nothing but the paths of the
//! change. A lock that does not carry this beat's own text is never removed.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use ringfence_core::ids::LoopId;
use ringfence_core::relpath::RelPath;
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::log::{Content, Entry};
use crate::git::discover::UserRepo;
use crate::git::output::records;
use crate::git::{Git, GitError, unreadable};
use crate::settle::SettleError;
use crate::state_dir::{LoopDir, open_followed, read_plain, sync_dir};
use crate::workspace::clean;

// Limit: two seconds, in which an editor's `git status` or a commit by hand is over.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(100);
// Limit: our own text is some 200 bytes.
const LOCK_BYTES_MAX: u64 = 1024;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tracked {
    /// As `git ls-files -v` says it: `H`, `S` for what is left out, in lower case for what is taken for unchanged.
    pub(super) tag: u8,
    pub(super) mode: u32,
    pub(super) id: String,
}

/// What an index has.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: BTreeMap<Vec<u8>, Tracked>,
    /// True when a merge left more than one version of a path.
    pub(super) has_conflicts: bool,
}

impl Index {
    /// Reads the index in `file`.
    pub(super) fn read(git: &Git, top: &Path, file: &Path) -> Result<Self, GitError> {
        let listed = git
            .with_tree(top, file)
            .call("ls-files")
            .args(["-z", "-v", "--stage"])
            .run()?;
        let mut index = Self::default();
        for record in records("ls-files", &listed)? {
            let (path, stage, tracked) =
                read(record).ok_or_else(|| unreadable("ls-files", record))?;
            index.has_conflicts |= stage != "0";
            index.entries.insert(path, tracked);
        }
        Ok(index)
    }

    pub(super) fn get(&self, path: &str) -> Option<&Tracked> {
        self.entries.get(path.as_bytes())
    }

    /// The entries whose path cannot stand beside `path`: files on the way to it, and files below it.
    pub(super) fn around(&self, path: &RelPath) -> impl Iterator<Item = &str> {
        let below = format!("{path}/").into_bytes();
        let below = self
            .entries
            .range(below.clone()..)
            .map(|(path, _)| path)
            .take_while(move |path| path.starts_with(&below));
        let above = super::check::ancestors(path)
            .into_iter()
            .filter_map(|dir| Some(self.entries.get_key_value(dir.as_str().as_bytes())?.0));
        above
            .chain(below)
            .filter_map(|path| std::str::from_utf8(path).ok())
    }

    /// True when `path` is as the base of a beat had it.
    pub(super) fn has(&self, path: &RelPath, content: Option<&Content>) -> bool {
        match (self.get(path.as_str()), content) {
            (Some(tracked), Some(content)) => {
                tracked.mode == content.mode && tracked.id == content.blob
            }
            (None, None) => true,
            _ => false,
        }
    }
}

/// Reads `<tag> <mode> <id> <stage><TAB><path>`.
fn read(record: &[u8]) -> Option<(Vec<u8>, &str, Tracked)> {
    let tab = record.iter().position(|byte| *byte == b'\t')?;
    let (head, path) = record.split_at_checked(tab)?;
    let mut words = std::str::from_utf8(head).ok()?.split(' ');
    let tag = words
        .next()
        .filter(|tag| tag.len() == 1)?
        .as_bytes()
        .first()
        .copied()?;
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    let id = words.next()?.to_owned();
    Some((
        path.get(1..)?.to_vec(),
        words.next()?,
        Tracked { tag, mode, id },
    ))
}

/// Where the parts of a user's index are.
pub(super) struct Place<'a> {
    repo: &'a UserRepo,
    dir: &'a LoopDir,
}

impl<'a> Place<'a> {
    pub(super) fn new(repo: &'a UserRepo, dir: &'a LoopDir) -> Self {
        Self { repo, dir }
    }

    /// The index itself.
    pub(super) fn file(&self) -> PathBuf {
        self.repo.git_dir().join("index")
    }

    /// The lock that every git takes before it writes the index.
    pub(super) fn lock_file(&self) -> PathBuf {
        self.repo.git_dir().join("index.lock")
    }

    /// What is to become the index, beside it.
    fn next(&self) -> PathBuf {
        beside(self.repo, self.dir.loop_id(), "index")
    }

    /// Takes the lock under a text of our own; false when somebody else holds it.
    pub(super) fn lock(&self, text: &str) -> io::Result<bool> {
        if self.holds(text) {
            return Ok(true);
        }
        let made = beside(self.repo, self.dir.loop_id(), "lock");
        clean::remove_file_if_there(&made)?;
        // It gets its name with its text in it, so that whoever finds it later knows whose it is.
        write_new(&made, text.as_bytes(), None)?;
        for _ in 0..LOCK_TRIES {
            match rustix::fs::renameat_with(
                CWD,
                &made,
                CWD,
                self.lock_file(),
                RenameFlags::NOREPLACE,
            ) {
                Err(Errno::EXIST) => sleep(LOCK_PAUSE),
                taken => return taken.map(|()| true).map_err(Into::into),
            }
        }
        clean::remove_file_if_there(&made)?;
        Ok(false)
    }

    /// True when the lock is there and carries this text.
    pub(super) fn holds(&self, text: &str) -> bool {
        read_plain(&self.lock_file(), LOCK_BYTES_MAX).as_deref() == Some(text)
    }

    /// Gives back a lock that carries this text, with whatever was prepared under it.
    pub(super) fn unlock(&self, text: &str) -> io::Result<()> {
        clean::remove_file_if_there(&beside(self.repo, self.dir.loop_id(), "lock"))?;
        clean::remove_file_if_there(&self.next())?;
        if self.holds(text) {
            clean::remove_file_if_there(&self.lock_file())?;
        }
        Ok(())
    }

    /// Writes what the index is to be once `entries` have come about: to disk, beside the index.
    pub(super) fn prepare(&self, git: &Git, entries: &[&Entry]) -> Result<(), IndexError> {
        let copy = self.dir.index_commit();
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| IndexError::Io { path, source }
        };
        clean::remove_file_if_there(&copy).map_err(io(&copy))?;
        let file = self.file();
        let permissions = match open_followed(&file) {
            Ok(mut found) => {
                let mut made = File::create_new(&copy).map_err(io(&copy))?;
                io::copy(&mut found, &mut made).map_err(io(&file))?;
                Some(found.metadata().map_err(io(&file))?.permissions())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io(&file)(error)),
        };
        let wishes = wishes(entries);
        let git = git.with_tree(self.repo.top(), &copy);
        git.call("update-index")
            .args(["-z", "--index-info"])
            .stdin(wishes)
            .run()?;
        let bytes = fs::read(&copy).map_err(io(&copy))?;
        let next = self.next();
        clean::remove_file_if_there(&next).map_err(io(&next))?;
        write_new(&next, &bytes, permissions).map_err(io(&next))?;
        clean::remove_file_if_there(&copy).map_err(io(&copy))
    }

    /// Makes what was prepared the index.
    pub(super) fn replace(&self) -> io::Result<()> {
        fs::rename(self.next(), self.file())?;
        sync_dir(self.repo.git_dir())
    }
}

/// Why no new index was prepared.
#[derive(Debug)]
pub(super) enum IndexError {
    Git(GitError),
    Io { path: PathBuf, source: io::Error },
}

impl From<IndexError> for SettleError {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Git(error) => Self::Git(error),
            IndexError::Io { path, source } => Self::Io { path, source },
        }
    }
}

impl From<GitError> for IndexError {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// What `update-index --index-info` is told: what goes first, since a file may come where a folder was.
fn wishes(entries: &[&Entry]) -> Vec<u8> {
    let zero = |entry: &Entry| "0".repeat(entry.old.as_ref().map_or(40, |old| old.blob.len()));
    let going = entries.iter().filter(|entry| entry.new.is_none());
    let mut wishes: Vec<String> = going
        .map(|entry| format!("0 {}\t{}\0", zero(entry), entry.path))
        .collect();
    for entry in entries {
        if let Some(new) = &entry.new {
            wishes.push(format!("{:06o} {} 0\t{}\0", new.mode, new.blob, entry.path));
        }
    }
    wishes.concat().into_bytes()
}

/// A file of ours in the user's git directory, for as long as a commit takes.
fn beside(repo: &UserRepo, loop_id: &LoopId, what: &str) -> PathBuf {
    repo.git_dir().join(format!("ringfence-{loop_id}.{what}"))
}

fn write_new(path: &Path, bytes: &[u8], permissions: Option<fs::Permissions>) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.sync_all()
}
