//! The target branch: which it is, who else has to do with it, and how it is moved.
//!
//! **Invariant:** the branch is moved by git's own compare-and-swap from exactly one commit to another, never forced. A
//! lock on it is removed only if it can have been left by nobody but a git of ours that was killed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use crate::git::discover::{Project, UserRepo};
use crate::git::{Git, GitError, display_name, failed};
use crate::state_dir::read_plain;
use crate::workspace::clean;

/// How the full name of every branch begins.
pub(super) const BRANCHES: &str = "refs/heads/";
const LOOPS: &str = "refs/heads/ringfence/";
// Limit: git writes an id into the lock of a branch as soon as it has it; what is empty for so long belongs to nobody.
const STALE_AFTER: Duration = Duration::from_secs(1);
// Limit: a full name; what is longer was not written by git.
const NAME_BYTES_MAX: u64 = 1024;

/// Why a loop has no branch to commit to.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The project is a plain folder.
    #[error("level L3 commits to a branch, and {} is no git repository", .0.display())]
    NoRepository(PathBuf),
    /// Files cannot change places with those of the state directory, which lies in the git directory.
    #[error("level L3 exchanges files of the working tree, and {} lies on another file system", .0.display())]
    Apart(PathBuf),
    /// No branch is checked out, and the loop file names none.
    #[error("HEAD is detached, so there is no branch to commit to")]
    Detached,
    /// The branch is there by name only.
    #[error("the branch {0} has no commit yet")]
    Unborn(String),
    /// There is no such branch.
    #[error("there is no branch {0}")]
    NotThere(String),
    /// What is checked out, or what the name leads to, is no branch of the user's.
    #[error("{0} is no branch that a loop may commit to")]
    NotABranch(String),
    /// Git said no.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Who has the branch checked out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seat {
    Nobody,
    /// This working tree, and no other.
    Here,
    /// Another one, which cannot be brought along.
    Elsewhere(String),
}

/// The full name of the branch that a loop at level L3 commits to: the one that `wanted` names, else the one that is
/// checked out. It has a commit.
///
/// # Errors
/// [`TargetError`].
pub fn target(project: &Project, wanted: Option<&str>) -> Result<String, TargetError> {
    let repo = project
        .repository()
        .ok_or_else(|| TargetError::NoRepository(project.top().to_owned()))?;
    if !on_one_device(repo) {
        return Err(TargetError::Apart(repo.git_dir().to_owned()));
    }
    let name = match wanted {
        Some(name) => format!("{BRANCHES}{name}"),
        None => head(repo)?.ok_or(TargetError::Detached)?,
    };
    let shown = || display_name(name.strip_prefix(BRANCHES).unwrap_or(&name).as_bytes());
    if !is_branch(&name) || leads_to(repo, &name)?.is_some() {
        return Err(TargetError::NotABranch(shown()));
    }
    match (repo.resolve(&name)?, wanted) {
        (Some(_), _) => Ok(name),
        (None, Some(_)) => Err(TargetError::NotThere(shown())),
        (None, None) => Err(TargetError::Unborn(shown())),
    }
}

/// False where the git directory is known to be elsewhere; what cannot be looked at fails later, with its own words.
fn on_one_device(repo: &UserRepo) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).ok();
    device(repo.top()) == device(repo.git_dir())
}

/// True for the full name of a branch that is nobody's proposal, and no way out of the folder of branches.
pub(super) fn is_branch(name: &str) -> bool {
    let is_name =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    !name.starts_with(LOOPS)
        && name
            .strip_prefix(BRANCHES)
            .is_some_and(|name| name.split('/').all(is_name) && !name.contains(".."))
}

/// The full name of the branch that is checked out; none when `HEAD` is detached.
pub(super) fn head(repo: &UserRepo) -> Result<Option<String>, GitError> {
    leads_to(repo, "HEAD")
}

fn leads_to(repo: &UserRepo, name: &str) -> Result<Option<String>, GitError> {
    let git = repo.git();
    let found = git.call("symbolic-ref").args(["-q", name]).run_any()?;
    match found.code {
        Some(0) => Ok(Some(
            String::from_utf8_lossy(&found.stdout).trim_end().to_owned(),
        )),
        Some(1) => Ok(None),
        _ => Err(failed("symbolic-ref", &found)),
    }
}

/// Finds who has the branch checked out.
pub(super) fn seat(repo: &UserRepo, reference: &str) -> Result<Seat, GitError> {
    let here = head(repo)?.as_deref() == Some(reference);
    let git = repo.git();
    let listed = git
        .call("worktree")
        .args(["list", "--porcelain", "-z"])
        .run()?;
    let mut taken = Vec::new();
    let mut path = String::new();
    for line in listed.split(|byte| *byte == 0) {
        let line = String::from_utf8_lossy(line);
        if let Some(found) = line.strip_prefix("worktree ") {
            path = found.to_owned();
        } else if line.strip_prefix("branch ") == Some(reference) {
            taken.push(path.clone());
        }
    }
    if here {
        // By path, since of two trees with one branch either may be listed first.
        if let Some(one) = taken
            .iter()
            .position(|path| fs::canonicalize(path).is_ok_and(|path| path == repo.top()))
        {
            taken.swap_remove(one);
        } else {
            taken.pop();
        }
    }
    Ok(match taken.pop() {
        Some(path) => Seat::Elsewhere(path),
        None if here => Seat::Here,
        None => Seat::Nobody,
    })
}

/// What somebody is in the midst of that a commit would disturb, for people; `here` when the branch is checked out here.
pub(super) fn under_way(repo: &UserRepo, reference: &str, here: bool) -> Option<String> {
    const HERE: [(&str, &str); 6] = [
        ("MERGE_HEAD", "a merge"),
        ("CHERRY_PICK_HEAD", "a cherry-pick"),
        ("REVERT_HEAD", "a revert"),
        ("rebase-merge", "a rebase"),
        ("rebase-apply", "a rebase"),
        ("sequencer", "a series of picks or reverts"),
    ];
    let is_there = |name: &str| fs::symlink_metadata(repo.git_dir().join(name)).is_ok();
    if let Some((_, what)) = HERE.iter().find(|(name, _)| here && is_there(name)) {
        return Some(format!("{what} is under way"));
    }
    let linked = fs::read_dir(repo.common_dir().join("worktrees"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let mut all = std::iter::once(repo.common_dir().to_owned()).chain(linked);
    let short = reference.strip_prefix(BRANCHES).unwrap_or(reference);
    let names = [
        ("rebase-merge/head-name", reference),
        ("rebase-apply/head-name", reference),
        ("BISECT_START", short),
    ];
    all.find_map(|dir| {
        let names_it = |(file, name): &(&str, &str)| {
            read_plain(&dir.join(file), NAME_BYTES_MAX).is_some_and(|text| text.trim_end() == *name)
        };
        let (file, _) = names.iter().find(|pair| names_it(pair))?;
        let what = if *file == "BISECT_START" {
            "bisected"
        } else {
            "rebased"
        };
        Some(format!("{short} is being {what} ({})", dir.display()))
    })
}

/// How a move of the branch ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Move {
    Done,
    /// It was not at the commit it should have been at; none when it is not there at all.
    Elsewhere(Option<String>),
    /// It is where it was: another git holds a lock on it.
    Locked(String),
}

/// Moves `reference` from exactly `from` to `to`.
pub(super) fn swap(
    repo: &UserRepo,
    git: &Git,
    reference: &str,
    from: &str,
    to: &str,
) -> Result<Move, GitError> {
    let wish = format!("start\nupdate {reference} {to} {from}\nprepare\ncommit\n");
    let call = git
        .call("update-ref")
        .args(["--no-deref", "-m", "ringfence: committed", "--stdin"]);
    let ended = call.stdin(wish.into_bytes()).run_any()?;
    if ended.code == Some(0) {
        return Ok(Move::Done);
    }
    let found = repo.resolve(reference)?;
    match found.as_deref() {
        // A git that was killed may have moved it all the same.
        Some(found) if found == to => Ok(Move::Done),
        Some(found) if found == from && ended.stderr.contains(".lock") => {
            Ok(Move::Locked(ended.stderr))
        }
        Some(found) if found == from => Err(failed("update-ref", &ended)),
        _ => Ok(Move::Elsewhere(found)),
    }
}

/// Removes the locks that a killed git of ours left where it was moving `reference` to `commit`. `with_head` when the
/// index is locked by us, so that nothing but that git can have locked `HEAD`.
pub(super) fn clear_locks(
    repo: &UserRepo,
    reference: &str,
    commit: &str,
    with_head: bool,
) -> io::Result<()> {
    let mut paths = vec![lock_of(repo.common_dir(), reference)];
    if with_head {
        paths.push(Some(repo.git_dir().join("HEAD.lock")));
    }
    let mut empty = BTreeMap::new();
    for path in paths.into_iter().flatten() {
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_file() && meta.len() == 0 => {
                empty.insert(path, meta.ino());
            }
            Ok(_)
                if read_plain(&path, NAME_BYTES_MAX)
                    .is_some_and(|text| text.trim_end() == commit) =>
            {
                clean::remove_file_if_there(&path)?;
            }
            _ => {}
        }
    }
    if empty.is_empty() {
        return Ok(());
    }
    sleep(STALE_AFTER);
    for (path, inode) in empty {
        if fs::symlink_metadata(&path).is_ok_and(|meta| meta.ino() == inode && meta.len() == 0) {
            clean::remove_file_if_there(&path)?;
        }
    }
    Ok(())
}

/// The lock of a ref that has a file of its own; none when a name on the way is no folder.
fn lock_of(common_dir: &Path, reference: &str) -> Option<PathBuf> {
    let mut path = common_dir.to_owned();
    for part in reference.split('/') {
        fs::symlink_metadata(&path)
            .ok()
            .filter(fs::Metadata::is_dir)?;
        path.push(part);
    }
    path.as_mut_os_string().push(".lock");
    Some(path)
}
