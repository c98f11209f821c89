//! Projects to run beats in: the example as a repository with a user at work in it, or as a plain folder.
//!
//! Owns what a beat that nobody disturbs does ([`Ground::steps`], [`Ground::items`]): all else is compared with that.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use ringfence_core::spec::template;
use ringfence_runner::steps;

use crate::history::History;
use crate::one_beat::OneBeat;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/example");

/// Where a project's changes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A repository at level L2: branches.
    Propose,
    /// A repository at level L1: patches beside the journal.
    Shadow,
    /// A folder without git: patches to be applied.
    Folder,
    /// A repository at level L3: commits on the branch that is checked out.
    Commit,
}

/// A project that is copied for each trial.
pub(crate) struct Ground {
    template: Project,
    /// The steps of a beat that settles a change.
    pub(crate) steps: Vec<String>,
    /// The items in the order they are settled.
    pub(crate) items: Vec<String>,
}

/// One project in a folder of its own.
pub(crate) struct Project {
    root: tempfile::TempDir,
    pub(crate) kind: Kind,
}

impl Ground {
    pub(crate) fn new(kind: Kind) -> Self {
        // One at a time, so that the components are compiled once.
        static COLD: Mutex<()> = Mutex::new(());
        let _one = COLD.lock().unwrap();
        let template = Project::example(kind);
        let mut ground = Self {
            template,
            steps: Vec::new(),
            items: Vec::new(),
        };
        let project = ground.fresh();
        for _ in 0..4 {
            let ended = project.beat().run();
            ended.assert_settled();
            assert_eq!(ended.recovered(), [""; 0]);
            ground.steps = ended.steps;
        }
        ground.items = History::of(&project).items();
        assert_eq!(ground.items.len(), 4);
        ground
    }

    /// A copy that no beat has seen, with the user's second working tree.
    pub(crate) fn fresh(&self) -> Project {
        let project = Project::empty(self.template.kind);
        copy(&self.template.top(), &project.top());
        if project.is_repository() {
            project.git(&["worktree", "add", "-q", "--detach", "../worktree", "HEAD~1"]);
        }
        project.promote();
        project
    }

    /// True when a beat that has come to step `number` has made its change visible.
    pub(crate) fn is_published(&self, number: usize) -> bool {
        let publishing = [
            steps::REF_CREATED,
            steps::PATCH_WRITTEN,
            steps::TARGET_MOVED,
        ];
        let mut done = self.steps.iter().take(number);
        done.any(|step| publishing.contains(&step.as_str()))
    }

    /// The number of the `nth` call of a step, counted from 1.
    pub(crate) fn number_of(&self, name: &str, nth: usize) -> usize {
        let mut calls = self
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| *step == name);
        calls.nth(nth - 1).unwrap().0 + 1
    }
}

impl Project {
    fn empty(kind: Kind) -> Self {
        // A kill is no power cut: what was written is there, and flushing it to memory takes no time.
        let memory = Path::new("/dev/shm");
        let root = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir());
        let root = root.unwrap();
        fs::create_dir(root.path().join("project")).unwrap();
        Self { root, kind }
    }

    /// The example with its loop, in use.
    pub(crate) fn example(kind: Kind) -> Self {
        let project = Self::empty(kind);
        copy(Path::new(EXAMPLE), &project.top());
        let mut loop_file = template("docs");
        let level = match kind {
            Kind::Shadow => "L1",
            Kind::Propose | Kind::Folder => "L2",
            Kind::Commit => "L3",
        };
        loop_file = loop_file.replace("level = \"L2\"", &format!("level = {level:?}"));
        project.write("LOOP.md", &loop_file);
        let pinned = project.beat().told("pin").run();
        assert_eq!(pinned.code, Some(0), "{}", pinned.error);
        if project.is_repository() {
            project.be_used();
        }
        project
    }

    /// Orders a loop to L3 that is to commit: its file alone does not take it there.
    pub(crate) fn promote(&self) {
        if self.kind == Kind::Commit {
            let ended = self.beat().told("promote").run();
            assert_eq!(ended.code, Some(0), "{}", ended.error);
        }
    }

    /// A history, a stash, something staged, something not, and something new; none of it in a loop's way.
    fn be_used(&self) {
        self.git(&["init", "-q", "-b", "main"]);
        self.commit("first");
        self.write("notes.txt", "one\n");
        self.commit("second");
        self.git(&["branch", "other", "HEAD~1"]);
        self.git(&["tag", "-m", "a tag", "v1"]);
        self.write("notes.txt", "stashed\n");
        self.git(&["stash", "push", "-q"]);
        self.write("notes.txt", "staged\n");
        self.write("staged.txt", "new\n");
        self.git(&["add", "notes.txt", "staged.txt"]);
        self.write("notes.txt", "staged, and changed again\n");
        self.write("untracked.md", "not [yet](there.md)\n");
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn top(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// The loop's folder in the state directory.
    pub(crate) fn state(&self) -> PathBuf {
        let state = if self.is_repository() {
            ".git/ringfence-state"
        } else {
            ".ringfence"
        };
        self.top().join(state).join("docs")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.state().join("journal.jsonl")
    }

    pub(crate) fn is_repository(&self) -> bool {
        self.kind != Kind::Folder
    }

    pub(crate) fn beat(&self) -> OneBeat {
        OneBeat::of(&self.top())
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.top().join(path), text).unwrap();
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs the user's git and returns what it printed, trimmed.
    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let (ok, text) = self.try_git(&self.top(), args);
        assert!(ok, "git {args:?}: {text}");
        text
    }

    pub(crate) fn try_git(&self, dir: &Path, args: &[&str]) -> (bool, String) {
        let mut command = Command::new("git");
        command.env_clear().envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_AUTHOR_NAME", "User"),
            ("GIT_AUTHOR_EMAIL", "user@example.com"),
            ("GIT_COMMITTER_NAME", "User"),
            ("GIT_COMMITTER_EMAIL", "user@example.com"),
            ("GIT_AUTHOR_DATE", "1700000000 +0000"),
            ("GIT_COMMITTER_DATE", "1700000000 +0000"),
            ("HOME", "/nonexistent"),
        ]);
        let ended = command
            .env("PATH", std::env::var_os("PATH").unwrap())
            .args(args)
            .current_dir(dir)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat())
            .trim_end()
            .to_owned();
        (ended.status.success(), text)
    }

    /// Fails unless git finds the repository whole and strictly correct.
    #[track_caller]
    pub(crate) fn assert_sound(&self, when: &str) {
        if !self.is_repository() {
            return;
        }
        let switches = [
            "fsck",
            "--strict",
            "--full",
            "--no-progress",
            "--no-dangling",
        ];
        let (ok, text) = self.try_git(&self.top(), &switches);
        assert!(ok && text.is_empty(), "{when}: {text}");
    }

    /// Temporary files and locks anywhere in the project, but for what a git that failed or was killed left among the
    /// user's objects: that is for their own `git gc`.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let (mut found, mut dirs) = (Vec::new(), vec![self.top()]);
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if path.ends_with(".git/objects") {
                    continue;
                }
                let is_lock = name.ends_with(".lock") && name != "ringfence.lock";
                let is_temp = [
                    ".tmp-",
                    "tmp_",
                    "fast_import_crash_",
                    "trash",
                    "index-commit",
                    "ringfence-docs.",
                ];
                if is_lock || is_temp.iter().any(|prefix| name.starts_with(prefix)) {
                    found.push(path.to_str().unwrap().to_owned());
                } else if path.is_dir() && !path.is_symlink() {
                    dirs.push(path);
                }
            }
        }
        found
    }

    /// Waits until no program that a killed beat had started runs any more: each of them holds the loop's lock.
    pub(crate) fn until_quiet(&self) {
        if let Ok(lock) = fs::File::open(self.state().join("lock")) {
            lock.lock().unwrap();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .arg("-a")
        .arg(from.join("."))
        .arg(to)
        .status()
        .unwrap();
    assert!(status.success());
}
