//! A measured change as gates are shown it: files from the change set, bytes and diffs from the private store, and the commits
//! that it came in.

use std::collections::BTreeSet;
use std::io;

use ringfence_core::change::{ChangeSet, Commit, CommitsError, FileChange, check_commits};
use ringfence_core::relpath::RelPath;
use ringfence_sandbox::ChangeSource;

use crate::calls::chain;
use crate::git::GitError;
use crate::workspace::Workspace;

/// One change of one workspace. Holds the store, not the checkout: what is read here is what was measured.
pub struct ChangeView {
    workspace: Workspace,
    change: ChangeSet,
    commits: Vec<Commit>,
}

impl ChangeView {
    /// Shows `change`, which was measured in `workspace` and came in no commits.
    #[must_use]
    pub fn new(workspace: &Workspace, change: &ChangeSet) -> Self {
        Self {
            workspace: workspace.clone(),
            change: change.clone(),
            commits: Vec::new(),
        }
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
                .map_err(failed)?,
        };
        let bytes_max = usize::try_from(max).unwrap_or(usize::MAX);
        blob.map(|blob| self.workspace.read_blob(&blob, bytes_max).map_err(failed))
            .transpose()
    }

    fn unified_diff(&self, context: u32, paths: &[RelPath], max: u64) -> io::Result<String> {
        let bytes_max = usize::try_from(max).unwrap_or(usize::MAX);
        let diff = self
            .workspace
            .unified_diff(
                &self.change,
                context,
                &alone(&self.change.files, paths),
                bytes_max,
            )
            .map_err(failed)?;
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
fn failed(error: GitError) -> io::Error {
    tracing::debug!(error = chain(&error), "a gate's look at the change failed");
    io::Error::other("the bytes cannot be had, or are too many")
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
        for path in [":(top)README.md", ":(literal)README.md", ":/README.md"] {
            assert!(!matches!(read(path), Ok(Some(_))), "{path}");
        }
    }
}
