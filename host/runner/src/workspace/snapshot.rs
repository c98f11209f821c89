//! Names the user's files as they are now by a tree id, through an index of our own.
//!
//! **Invariant:** the files are only read. Submodules stay what the commit says; other repositories inside the folder,
//! and the state directory, are left out. No program of theirs runs: git is given names, and asked for no status.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{WorkspaceError, clean, lock_of};
use crate::git::discover::UserRepo;
use crate::git::output::{MODE_SUBMODULE, Tracked, one_id, records, tracked, tracked_entry};
use crate::git::{Git, GitError, unreadable};
use crate::state_dir::{LoopDir, STATE_DIR};
use crate::store::Store;

/// Writes the tree of the files below `top` into the store and returns its id. `repo` is the repository they belong to,
/// with the tree of the commit that is checked out, if there is one.
///
/// # Errors
/// [`WorkspaceError::Git`] when git cannot read a file, [`WorkspaceError::Io`].
pub(super) fn take(
    store: &Store,
    dir: &LoopDir,
    top: &Path,
    repo: Option<(&UserRepo, Option<&str>)>,
) -> Result<String, WorkspaceError> {
    let index = dir.index_user();
    let io = |source| WorkspaceError::Io {
        path: index.clone(),
        doing: "written",
        source,
    };
    clean::remove_file_if_there(&lock_of(&index)).map_err(io)?;
    let git = store.git().with_tree(top, &index);
    let wanted = match repo.and_then(|(_, tree)| tree) {
        Some(tree) => {
            git.call("read-tree").args(["--reset", tree]).run()?;
            list(&git, repo.map(|(repo, _)| repo))?
        }
        None => {
            // Against an index that is not there everything is untracked, so the rules decide of each file.
            let blank = store.git().with_tree(top, &dir.path().join("index-none"));
            let untracked = list(&blank, repo.map(|(repo, _)| repo))?.untracked;
            let known = tracked(&git.call("ls-files").args(["-z", "--stage"]).run()?)?;
            let stale: HashSet<_> = untracked.iter().map(Vec::as_slice).collect();
            let (keep, drop): (Vec<_>, Vec<_>) = known
                .into_iter()
                .partition(|entry| stale.contains(entry.path.as_slice()));
            remove(&git, drop.iter().map(|entry| entry.path.as_slice()))?;
            Listed {
                tracked: keep,
                untracked,
            }
        }
    };
    let mut looks = Looks::new(top);
    let (mut present, mut gone) = (Vec::new(), Vec::new());
    for Tracked { mode, path } in &wanted.tracked {
        if *mode == MODE_SUBMODULE || is_ours(path, repo.is_some()) {
            continue;
        }
        if looks.is_file(path) {
            present.push(path.as_slice())
        } else {
            gone.push(path.as_slice())
        }
    }
    let own: HashSet<_> = present.iter().copied().collect();
    let new = wanted.untracked.iter().map(Vec::as_slice);
    let new = new.filter(|path| {
        !path.ends_with(b"/") && !is_ours(path, repo.is_some()) && !own.contains(path)
    });
    remove(&git, gone.into_iter())?;
    add(&git, present.iter().copied().chain(new))?;
    Ok(write_tree(&git)?)
}

/// Takes paths out of the index.
pub(super) fn remove<'a>(git: &Git, paths: impl Iterator<Item = &'a [u8]>) -> Result<(), GitError> {
    let paths = terminated(paths);
    if paths.is_empty() {
        return Ok(());
    }
    git.call("update-index")
        .args(["--force-remove", "-z", "--stdin"])
        .stdin(paths)
        .run()
        .map(drop)
}

/// Takes files and links into the index, with their bytes as they are.
pub(super) fn add<'a>(git: &Git, paths: impl Iterator<Item = &'a [u8]>) -> Result<(), GitError> {
    let paths = terminated(paths);
    if paths.is_empty() {
        return Ok(());
    }
    git.call("update-index")
        .args(["--add", "--remove", "-z", "--stdin"])
        .stdin(paths)
        .run()
        .map(drop)
}

/// Writes the index as a tree.
pub(super) fn write_tree(git: &Git) -> Result<String, GitError> {
    one_id("write-tree", &git.call("write-tree").run()?)
}

/// Names, each ended by a NUL.
pub(super) fn terminated<'a>(paths: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    paths
        .flat_map(|path| path.iter().copied().chain([0]))
        .collect()
}

struct Listed {
    tracked: Vec<Tracked>,
    untracked: Vec<Vec<u8>>,
}

/// What the index has, and what is there besides and not ignored; a repository inside ends with `/`.
fn list(git: &Git, repo: Option<&UserRepo>) -> Result<Listed, GitError> {
    let mut call = git
        .call("ls-files")
        .args(["-z", "-t", "--stage", "--cached", "--others"]);
    call = call.arg("--exclude-per-directory=.gitignore");
    if let Some(exclude) = repo
        .map(|repo| repo.common_dir().join("info/exclude"))
        .filter(|path| path.is_file())
    {
        call = call.arg(OsString::from_iter([
            OsStr::new("--exclude-from="),
            exclude.as_os_str(),
        ]));
    }
    let said = call.run()?;
    let mut listed = Listed {
        tracked: Vec::new(),
        untracked: Vec::new(),
    };
    for record in records("ls-files", &said)? {
        match (record.strip_prefix(b"H "), record.strip_prefix(b"? ")) {
            (Some(entry), _) => listed.tracked.push(tracked_entry(entry)?),
            (_, Some(path)) => listed.untracked.push(path.to_vec()),
            _ => return Err(unreadable("ls-files", record)),
        }
    }
    Ok(listed)
}

/// True for the state directory, which lies among the files only where there is no repository.
fn is_ours(path: &[u8], in_repository: bool) -> bool {
    !in_repository && path.split(|byte| *byte == b'/').next() == Some(STATE_DIR.as_bytes())
}

/// Looks at files without going through links, remembering the folders already seen.
struct Looks<'a> {
    top: &'a Path,
    dirs: HashMap<Vec<u8>, bool>,
}

impl<'a> Looks<'a> {
    fn new(top: &'a Path) -> Self {
        Self {
            top,
            dirs: HashMap::from([(Vec::new(), true)]),
        }
    }

    fn is_file(&mut self, path: &[u8]) -> bool {
        self.is_dir(parent(path))
            && fs::symlink_metadata(self.full(path)).is_ok_and(|meta| !meta.is_dir())
    }

    fn is_dir(&mut self, path: &[u8]) -> bool {
        if let Some(known) = self.dirs.get(path) {
            return *known;
        }
        let is = self.is_dir(parent(path))
            && fs::symlink_metadata(self.full(path)).is_ok_and(|meta| meta.is_dir());
        self.dirs.insert(path.to_vec(), is);
        is
    }

    fn full(&self, path: &[u8]) -> PathBuf {
        self.top.join(OsStr::from_bytes(path))
    }
}

fn parent(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    path.get(..end).unwrap_or_default()
}
