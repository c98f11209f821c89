//! Everything of a user's project that a beat must leave alone, as it stands at one moment.
//!
//! **Invariant:** looking changes nothing: no lock is taken and no index refreshed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use crate::rig::Rig;

/// Below these a beat may make something of its own.
const OURS: [&str; 3] = [
    ".git/ringfence-state",
    ".git/refs/heads/ringfence",
    ".git/logs/refs/heads/ringfence",
];
const OBJECTS: &str = ".git/objects";

/// What stands in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Traces {
    /// Every file, link and folder but those of [`OURS`] and git's objects: mode, time of change, content.
    files: BTreeMap<String, String>,
    /// What git says of it.
    git: Vec<String>,
}

/// A project before, to be compared with the same one later.
pub(crate) struct Before<'r> {
    rig: &'r Rig,
    traces: Traces,
    objects: BTreeSet<String>,
}

impl<'r> Before<'r> {
    pub(crate) fn of(rig: &'r Rig) -> Self {
        Self {
            rig,
            traces: Traces::of(rig),
            objects: below(&rig.top(), OBJECTS).into_keys().collect(),
        }
    }

    /// Nothing of the user's is other than before, and git finds nothing to complain of that it had not found then.
    #[track_caller]
    pub(crate) fn assert_untouched(&self) {
        let found = self.differences();
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    fn differences(&self) -> Vec<String> {
        let (was, now) = (&self.traces, Traces::of(self.rig));
        let paths: BTreeSet<_> = was.files.keys().chain(now.files.keys()).collect();
        let differ = paths
            .into_iter()
            .filter(|path| was.files.get(*path) != now.files.get(*path));
        let mut found: Vec<_> = differ
            .map(|path| {
                format!(
                    "{path}: {:?}, now {:?}",
                    was.files.get(path),
                    now.files.get(path)
                )
            })
            .collect();
        let said = was.git.iter().zip(&now.git).filter(|(was, now)| was != now);
        found.extend(said.map(|(was, now)| format!("{was}\nis now {now}")));
        let objects = below(&self.rig.top(), OBJECTS);
        let lost = self
            .objects
            .iter()
            .filter(|path| !objects.contains_key(*path));
        found.extend(lost.map(|path| format!("{path}: gone")));
        found
    }
}

impl Traces {
    fn of(rig: &Rig) -> Self {
        let mut files = below(&rig.top(), "");
        files.retain(|path, _| {
            let is_below = |place: &&str| Path::new(path).starts_with(place);
            !OURS.iter().chain([&OBJECTS]).any(is_below)
        });
        let asked: [&[&str]; 5] = [
            &["status", "--porcelain=v2", "--branch", "--ignored"],
            &["stash", "list"],
            &["fsck", "--strict", "--no-dangling"],
            &["for-each-ref", "--exclude=refs/heads/ringfence/"],
            &["config", "--local", "--list"],
        ];
        let git = asked.iter().map(|args| {
            let ended = rig.try_git(args);
            let said = [ended.stdout, ended.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            format!("git {}: {:?}\n{said}", args.join(" "), ended.status.code())
        });
        Self {
            files,
            git: git.collect(),
        }
    }
}

/// Every entry below a folder of the project by its path, escaped.
fn below(top: &Path, folder: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![top.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let kind = meta.file_type();
            let content = if kind.is_dir() {
                folders.push(path.clone());
                "folder".to_owned()
            } else if kind.is_symlink() {
                format!("link to {:?}", fs::read_link(&path).unwrap())
            } else if kind.is_fifo() {
                "pipe".to_owned()
            } else {
                let time = (meta.mtime(), meta.mtime_nsec());
                format!("file of {time:?}: {}", escaped(&fs::read(&path).unwrap()))
            };
            let name = path.strip_prefix(top).unwrap().as_os_str();
            found.insert(name_of(name), format!("{:o} {content}", meta.mode()));
        }
    }
    found
}

fn name_of(name: &OsStr) -> String {
    escaped(name.as_bytes())
}

fn escaped(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

#[test]
fn what_is_changed_is_seen() {
    let rig = Rig::small();
    rig.write("README.md", "stashed\n");
    rig.git(&["stash", "-q"]);
    let blob = rig.git(&["rev-parse", "HEAD:README.md"]);
    let (folder, file) = blob.split_at(2);
    let object = rig.path(&format!("{OBJECTS}/{folder}/{file}"));
    let before = Before::of(&rig);
    assert_eq!(before.differences(), Vec::<String>::new());
    rig.write(".git/ringfence-state/docs/lock", "");
    rig.git(&["branch", "ringfence/new"]);
    assert_eq!(before.differences(), Vec::<String>::new());
    let check = |change: &dyn Fn(&Rig), seen: &str| {
        let before = Before::of(&rig);
        change(&rig);
        let found = before.differences();
        assert!(
            found.iter().any(|line| line.contains(seen)),
            "{seen}: {found:?}"
        );
    };
    check(&|rig| rig.write("README.md", "edited\n"), "README.md: ");
    check(&|rig| rig.write("new.md", ""), "new.md: None");
    check(&|rig| drop(rig.git(&["add", "new.md"])), ".git/index: ");
    check(
        &|rig| drop(rig.git(&["stash", "drop", "-q"])),
        "git stash list",
    );
    check(
        &|rig| drop(rig.git(&["config", "user.name", "x"])),
        ".git/config: ",
    );
    check(
        &|rig| drop(rig.git(&["branch", "other"])),
        "git for-each-ref",
    );
    check(
        &|rig| drop(rig.git(&["checkout", "-q", "other"])),
        ".git/HEAD: ",
    );
    check(&|rig| rig.write(".git/hooks/x", ""), ".git/hooks/x: None");
    check(&|_| fs::remove_file(&object).unwrap(), "git fsck");
}
