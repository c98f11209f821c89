//! A small workspace on disk, and what was changed in it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ringfence_core::change::Commit;
use ringfence_core::limits::Limits;
use ringfence_core::policy::{DenyPattern, DenySource};
use ringfence_core::quantity::{Bytes, Fuel, Millis};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::change::{Marks, TestChange};
use crate::evidence::{CommandRun, TestEvidence};
use crate::{fixture, stop};

/// A workspace with its policy and limits. Everything may be read and written unless a method says otherwise; what every
/// loop denies is denied here, too.
pub struct Case {
    dir: TempDir,
    /// Bytes before the change, of every file that was there.
    before: BTreeMap<String, Vec<u8>>,
    marks: Marks,
    commits: Vec<Commit>,
    runs: Vec<CommandRun>,
    pub(crate) read: Vec<String>,
    pub(crate) write: Vec<String>,
    pub(crate) deny: Vec<DenyPattern>,
    pub(crate) config: Value,
    pub(crate) limits: Limits,
}

impl Default for Case {
    fn default() -> Self {
        Self::new()
    }
}

impl Case {
    /// An empty workspace.
    ///
    /// # Panics
    /// When no temporary directory can be made.
    #[must_use]
    pub fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap_or_else(|error| stop(error)),
            before: BTreeMap::new(),
            marks: Marks::default(),
            commits: Vec::new(),
            runs: Vec::new(),
            read: vec!["**".into()],
            write: vec!["**".into()],
            deny: Vec::new(),
            config: json!({}),
            limits: Limits::default(),
        }
    }

    /// The case in a folder: `before/` and `after/` have the files, and, each where there is something to say, `config.json` the
    /// configuration, `commits.toml` the commits (`[[commit]]` with `message`, and `author`, `parents` or `id` where that
    /// matters), `evidence/COMMAND/after/junit.xml` the report `junit` of a command, with `run.toml` beside it (`ended`,
    /// `exit_code`, `confinement`, `network`) where it did not simply end well.
    ///
    /// # Panics
    /// When there is no such folder, or something in it is not understood.
    #[must_use]
    pub fn fixture(folder: impl AsRef<Path>) -> Self {
        fixture::read(folder.as_ref())
    }

    /// A file that is the same before and after.
    #[must_use]
    pub fn unchanged(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.modified(path, bytes.as_ref(), bytes.as_ref())
    }

    /// A file that is new.
    #[must_use]
    pub fn added(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.put(path, bytes.as_ref());
        self
    }

    /// A file with other bytes than before.
    #[must_use]
    pub fn modified(
        mut self,
        path: &str,
        before: impl AsRef<[u8]>,
        after: impl AsRef<[u8]>,
    ) -> Self {
        self.before
            .insert(path.to_owned(), before.as_ref().to_vec());
        self.put(path, after.as_ref());
        self
    }

    /// A file that is gone.
    #[must_use]
    pub fn deleted(mut self, path: &str, before: impl AsRef<[u8]>) -> Self {
        self.before
            .insert(path.to_owned(), before.as_ref().to_vec());
        self
    }

    /// A file that had another path, and perhaps other bytes.
    #[must_use]
    pub fn renamed(
        mut self,
        from: &str,
        path: &str,
        before: impl AsRef<[u8]>,
        after: impl AsRef<[u8]>,
    ) -> Self {
        self.before
            .insert(from.to_owned(), before.as_ref().to_vec());
        self.marks.renames.insert(path.to_owned(), from.to_owned());
        self.put(path, after.as_ref());
        self
    }

    /// Another mode of a file after the change, which makes it part of that: 0o100755 for a program. Before, it was 0o100644.
    #[must_use]
    pub fn mode(mut self, path: &str, mode: u32) -> Self {
        self.marks.modes.insert(path.to_owned(), mode);
        self
    }

    /// A symbolic link that is new.
    #[must_use]
    pub fn link_added(mut self, path: &str, target: &str) -> Self {
        self.marks.links.insert(path.to_owned(), target.to_owned());
        self.link(path, target)
    }

    /// A symbolic link; it is no part of the change.
    #[must_use]
    pub fn link(self, path: &str, target: &str) -> Self {
        let link = self.make_room(path);
        symlink(target, link).unwrap_or_else(|error| stop(error));
        self
    }

    /// All files of a directory on disk, as they are, unchanged.
    #[must_use]
    pub fn tree(mut self, from: impl AsRef<Path>) -> Self {
        for (path, bytes) in read_tree(from.as_ref()) {
            self = self.unchanged(&path, bytes);
        }
        self
    }

    /// The change comes in these commits, oldest first, and not in none.
    #[must_use]
    pub fn commits(mut self, commits: Vec<Commit>) -> Self {
        self.commits = commits;
        self
    }

    /// A command has looked at the change.
    #[must_use]
    pub fn ran(mut self, run: CommandRun) -> Self {
        self.runs.push(run);
        self
    }

    /// The step's configuration.
    #[must_use]
    pub fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// What the loop lets be read, instead of everything.
    #[must_use]
    pub fn read(mut self, globs: &[&str]) -> Self {
        self.read = globs.iter().map(|glob| (*glob).to_owned()).collect();
        self
    }

    /// What the loop lets be written, instead of everything.
    #[must_use]
    pub fn write(mut self, globs: &[&str]) -> Self {
        self.write = globs.iter().map(|glob| (*glob).to_owned()).collect();
        self
    }

    /// One more denial.
    #[must_use]
    pub fn deny(mut self, glob: &str) -> Self {
        self.deny.push(DenyPattern {
            pattern: glob.to_owned(),
            source: DenySource::Operator,
        });
        self
    }

    /// The fuel of a call.
    #[must_use]
    pub fn fuel(mut self, fuel: u64) -> Self {
        self.limits.fuel = Fuel(fuel);
        self
    }

    /// The memory of a call, in bytes.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.limits.memory = Bytes(bytes);
        self
    }

    /// The wall-clock time of a call, in milliseconds.
    #[must_use]
    pub fn deadline_ms(mut self, ms: u64) -> Self {
        self.limits.deadline = Millis(ms);
        self
    }

    /// Where the workspace is on disk.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The files that are there now, as (path, bytes), sorted by path.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        read_tree(self.path())
    }

    /// One file as text; none when it is not there or no UTF-8.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path().join(path)).ok()
    }

    pub(crate) fn change(&self) -> TestChange {
        TestChange::between(&self.before, self.files(), &self.marks).in_commits(&self.commits)
    }

    pub(crate) fn evidence(&self) -> TestEvidence {
        TestEvidence::of(&self.runs)
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        fs::write(self.make_room(path), bytes).unwrap_or_else(|error| stop(error));
    }

    fn make_room(&self, path: &str) -> PathBuf {
        let path = self.path().join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).unwrap_or_else(|error| stop(error));
        }
        path
    }
}

/// Regular files below `root`, links not followed.
pub(crate) fn read_tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        let entries =
            fs::read_dir(&dir).unwrap_or_else(|error| stop(format!("{}: {error}", dir.display())));
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file()
                && let Ok(relative) = entry.path().strip_prefix(root)
                && let Ok(bytes) = fs::read(entry.path())
            {
                files.insert(relative.to_string_lossy().into_owned(), bytes);
            }
        }
    }
    files
}
