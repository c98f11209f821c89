//! A measured change as gates are shown it: files from the change set, bytes and diffs from the private store, and the commits
//! that it came in.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

use ringfence_core::change::{ChangeSet, Commit, CommitsError, FileChange, check_commits};
use ringfence_core::quantity::Bytes;
use ringfence_core::relpath::RelPath;
use ringfence_sandbox::{ChangeSource, HELD_FILE_BYTES_MAX};

use crate::calls::chain;
use crate::git::GitError;
use crate::git::process::RunError;
use crate::workspace::Workspace;

// Limit: of all that are held; and as much of diffs.
const HELD_BYTES_MAX: u64 = 64 << 20;

/// One change of one workspace. Holds the store, not the checkout: what is read here is what was measured.
///
/// Gates ask for the same files and diffs, one after the other, and each answer of git is a process: those that fit are held.
pub struct ChangeView {
    workspace: Workspace,
    change: ChangeSet,
    commits: Vec<Commit>,
    /// Bytes of the changed files as they were, by blob.
    before: OnceLock<BTreeMap<String, Vec<u8>>>,
    diffs: Mutex<Diffs>,
}

/// Diffs by context and paths.
#[derive(Default)]
struct Diffs {
    held: BTreeMap<(u32, Vec<RelPath>), Vec<u8>>,
    bytes: u64,
}

impl ChangeView {
    /// Shows `change`, which was measured in `workspace` and came in no commits.
    #[must_use]
    pub fn new(workspace: &Workspace, change: &ChangeSet) -> Self {
        Self {
            workspace: workspace.clone(),
            change: change.clone(),
            commits: Vec::new(),
            before: OnceLock::new(),
            diffs: Mutex::default(),
        }
    }

    /// The bytes of a blob as it was before the change, if it is among those that are held.
    fn held(&self, blob: &str) -> Option<&[u8]> {
        let read = || {
            let files = self.change.files.iter();
            let blobs: BTreeSet<&str> = files
                .map(|file| file.old_blob.as_str())
                .filter(|blob| !blob.is_empty())
                .collect();
            let blobs: Vec<&str> = blobs.into_iter().collect();
            let store = self.workspace.store();
            match store.blobs(&blobs, HELD_FILE_BYTES_MAX, HELD_BYTES_MAX) {
                Ok(bytes) => {
                    let known = blobs.iter().zip(bytes);
                    let known =
                        known.filter_map(|(blob, bytes)| Some(((*blob).to_owned(), bytes?)));
                    known.collect()
                }
                // Each is then asked for by itself, and whichever cannot be had says so.
                Err(_) => BTreeMap::new(),
            }
        };
        self.before.get_or_init(read).get(blob).map(Vec::as_slice)
    }

    fn diff(&self, context: u32, paths: &[RelPath], bytes_max: usize) -> Result<Vec<u8>, GitError> {
        let paths = alone(&self.change.files, paths);
        let mut diffs = self.diffs.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (context, paths);
        if let Some(held) = diffs.held.get(&key).filter(|held| held.len() <= bytes_max) {
            return Ok(held.clone());
        }
        let (context, paths) = (key.0, key.1.as_slice());
        let diff = self
            .workspace
            .unified_diff(&self.change, context, paths, bytes_max)?;
        let bytes = diffs.bytes.saturating_add(diff.len() as u64);
        if bytes <= HELD_BYTES_MAX {
            diffs.bytes = bytes;
            diffs.held.insert(key, diff.clone());
        }
        Ok(diff)
    }

    /// The same change, which came in these commits, oldest first.
    ///
    /// # Errors
    /// [`CommitsError`] when they are more than gates are shown.
    pub fn in_commits(self, commits: Vec<Commit>) -> Result<Self, CommitsError> {
        check_commits(&commits)?;
        Ok(Self { commits, ..self })
    }
}

impl ChangeSource for ChangeView {
    fn files(&self) -> &[FileChange] {
        &self.change.files
    }

    fn read_base(&self, path: &RelPath, max: u64) -> io::Result<Option<Vec<u8>>> {
        let changed = self.change.files.iter().find(|file| file.path == *path);
        let blob = match changed {
            Some(file) if file.old_blob.is_empty() => None,
            Some(file) => Some(file.old_blob.clone()),
            None => self
                .workspace
                .store()
                .blob_at(&self.change.base_tree, path)
                .map_err(|error| failed(error, "the name of the file", max))?,
        };
        let bytes_max = usize::try_from(max).unwrap_or(usize::MAX);
        let read = |blob: String| match self.held(&blob) {
            Some(held) if held.len() <= bytes_max => Ok(held.to_vec()),
            _ => self
                .workspace
                .read_blob(&blob, bytes_max)
                .map_err(|error| failed(error, "the file before the change", max)),
        };
        blob.map(read).transpose()
    }

    fn unified_diff(&self, context: u32, paths: &[RelPath], max: u64) -> io::Result<String> {
        let bytes_max = usize::try_from(max).unwrap_or(usize::MAX);
        let diff = self.diff(context, paths, bytes_max);
        let diff = diff.map_err(|error| failed(error, "the diff", max))?;
        Ok(String::from_utf8_lossy(&diff).into_owned())
    }

    fn commits(&self) -> &[Commit] {
        &self.commits
    }
}

/// Those of `paths` that stand for nothing else: where a folder became a file, git takes the file's name for all that was in
/// the folder, too.
fn alone(files: &[FileChange], paths: &[RelPath]) -> Vec<RelPath> {
    let wanted: BTreeSet<&RelPath> = paths.iter().collect();
    let mut above = BTreeSet::new();
    for file in files.iter().filter(|file| !wanted.contains(&file.path)) {
        let mut next = file.path.parent();
        while let Some(path) = next {
            next = path.parent();
            above.insert(path);
        }
    }
    let stands_alone = |path: &&RelPath| !above.contains(*path);
    paths.iter().filter(stands_alone).cloned().collect()
}

/// Messages for a guest: no path of the host in them.
fn failed(error: GitError, what: &str, bytes_max: u64) -> io::Error {
    tracing::debug!(error = chain(&error), "a gate's look at the change failed");
    io::Error::other(match error {
        GitError::Run {
            source: RunError::TooMuchOutput(_),
            ..
        } => format!(
            "{what} has more than {}, which is the most that a step is given at once: judge the change in smaller parts",
            Bytes(bytes_max)
        ),
        _ => format!("{what} cannot be had from git"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Rig, gits};

    #[test]
    fn a_file_in_the_place_of_a_folder_shows_nothing_of_the_folder() {
        let path = |text: &str| RelPath::lexical(text).unwrap();
        let file = |text: &str| FileChange {
            path: path(text),
            kind: ringfence_core::change::ChangeKind::Modified,
            renamed_from: None,
            old_mode: 0,
            new_mode: 0,
            size: 0,
            lines_added: 0,
            lines_removed: 0,
            binary: false,
            old_blob: String::new(),
            new_blob: String::new(),
        };
        let files = [file("a"), file("a/secret"), file("b"), file("b/x")];
        let all = files.each_ref().map(|file| file.path.clone());
        assert_eq!(alone(&files, &all), all);
        let some = [path("a"), path("b"), path("b/x")];
        assert_eq!(alone(&files, &some), [path("b"), path("b/x")]);
    }

    #[test]
    fn commits_are_shown_within_their_bounds() {
        let rig = Rig::repository(&gits().swap_remove(0));
        let opened = rig.open();
        let tree = opened.prepare().tree;
        let change = ChangeSet {
            base_tree: tree.clone(),
            candidate_tree: tree,
            files: Vec::new(),
            ignored: Vec::new(),
        };
        let commit = Commit {
            id: "0".repeat(40),
            author: "A <a@example.org>".to_owned(),
            message: "fix: it".to_owned(),
            parents: 1,
        };
        let view = || ChangeView::new(&opened.ws, &change);
        assert!(view().commits().is_empty());
        let shown = view().in_commits(vec![commit.clone()]).unwrap();
        assert_eq!(shown.commits(), std::slice::from_ref(&commit));
        assert!(view().in_commits(vec![commit; 1_001]).is_err());
    }

    #[test]
    fn a_path_is_never_an_instruction_for_git() {
        let rig = Rig::repository(&gits().swap_remove(0));
        let opened = rig.open();
        let base = opened.prepare();
        let change = ChangeSet {
            base_tree: base.tree.clone(),
            candidate_tree: base.tree.clone(),
            files: Vec::new(),
            ignored: Vec::new(),
        };
        let view = ChangeView::new(&opened.ws, &change);
        let read = |path: &str| view.read_base(&RelPath::lexical(path).unwrap(), 1 << 20);
        assert!(read("README.md").unwrap().is_some());
        assert!(read("nothing").unwrap().is_none());
        let short = view.read_base(&RelPath::lexical("README.md").unwrap(), 3);
        assert_eq!(
            short.unwrap_err().to_string(),
            "the file before the change has more than 3B, which is the most that a step is given at once: judge the change in \
             smaller parts"
        );
        for path in [":(top)README.md", ":(literal)README.md", ":/README.md"] {
            assert!(!matches!(read(path), Ok(Some(_))), "{path}");
        }
    }
}
