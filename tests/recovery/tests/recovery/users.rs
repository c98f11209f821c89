//! Everything in a project that is the user's, so that it can be compared.
//!
//! **Invariant:** what a loop may add (its branches, objects, its state directory) is left out, and nothing else is; of a
//! loop that commits, also the branch, the index and the files that it commits to, of which git says whether they agree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::ground::{Kind, Project};

/// The user's side of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Users {
    /// Files, with mode and bytes: of the working trees, and of `.git` but for objects and the loop's branches.
    files: BTreeMap<String, (u32, Vec<u8>)>,
    objects: BTreeSet<String>,
    /// What git makes of it.
    said: Vec<String>,
}

impl Users {
    pub(crate) fn of(project: &Project) -> Self {
        let mut all = BTreeMap::new();
        for tree in ["project", "worktree"].map(|name| project.root().join(name)) {
            if tree.is_dir() {
                let name = tree.file_name().unwrap().to_str().unwrap();
                collect(&tree, &format!("{name}/"), &mut all);
            }
        }
        let is_object = |path: &str| path.starts_with("project/.git/objects/");
        let objects = all.keys().filter(|path| is_object(path)).cloned().collect();
        let commits = project.kind == Kind::Commit;
        all.retain(|path, _| {
            !(is_object(path) || is_the_loops(path) || commits && is_committed_to(path))
        });
        let said = if project.is_repository() {
            let questions: [&[&str]; 2] = [
                &["status", "--porcelain=v2", "--branch"],
                &["stash", "list", "--format=%H %gs"],
            ];
            let mut said = questions.map(|args| project.git(args)).to_vec();
            if commits {
                // Where the branch stands is for the history to say.
                let lines = said[0].lines();
                said[0] = lines
                    .filter(|line| !line.starts_with("# branch.oid"))
                    .collect::<Vec<_>>()
                    .join("\n");
            }
            said
        } else {
            Vec::new()
        };
        Self {
            files: all,
            objects,
            said,
        }
    }

    /// Fails unless `project` is for its user as it was; objects may have been added.
    #[track_caller]
    pub(crate) fn assert_unharmed(&self, project: &Project, when: &str) {
        let now = Self::of(project);
        let differs = |path: &&String| self.files.get(*path) != now.files.get(*path);
        let paths: BTreeSet<_> = self.files.keys().chain(now.files.keys()).collect();
        let differing: Vec<_> = paths.into_iter().filter(differs).collect();
        assert!(differing.is_empty(), "{when}: {differing:?} changed");
        assert_eq!(self.said, now.said, "{when}");
        let gone: Vec<_> = self.objects.difference(&now.objects).collect();
        assert!(gone.is_empty(), "{when}: {gone:?} are gone");
        project.assert_sound(when);
    }
}

/// True for what a loop may make outside its objects.
fn is_the_loops(path: &str) -> bool {
    [
        "project/.git/ringfence-state/",
        "project/.ringfence/",
        "project/.git/refs/heads/ringfence/",
        "project/.git/logs/refs/heads/ringfence/",
    ]
    .iter()
    .any(|prefix| path.starts_with(prefix))
}

/// True for what a commit to the checked-out branch may change.
fn is_committed_to(path: &str) -> bool {
    const THE_USERS: [&str; 3] = ["notes.txt", "staged.txt", "untracked.md"];
    const MOVED: [&str; 4] = [
        "index",
        "refs/heads/main",
        "logs/HEAD",
        "logs/refs/heads/main",
    ];
    match path.strip_prefix("project/") {
        Some(path) => match path.strip_prefix(".git/") {
            Some(path) => MOVED.contains(&path),
            None => !THE_USERS.contains(&path),
        },
        None => false,
    }
}

fn collect(dir: &Path, name: &str, all: &mut BTreeMap<String, (u32, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let meta = fs::symlink_metadata(&path).unwrap();
        let name = format!("{name}{}", entry.file_name().to_str().unwrap());
        if meta.is_dir() {
            collect(&path, &format!("{name}/"), all);
        } else if meta.is_symlink() {
            let target = fs::read_link(&path).unwrap().into_os_string();
            all.insert(name, (meta.mode(), target.into_encoded_bytes()));
        } else {
            all.insert(name, (meta.mode(), fs::read(&path).unwrap()));
        }
    }
}
