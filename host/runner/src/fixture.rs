//! A user's project in a temporary folder, with real git and nothing of the machine's configuration.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use ringfence_core::ids::{BeatNo, LoopId};

use crate::clock::FakeClock;
use crate::git::GitProgram;
use crate::git::discover::Project;
use crate::lock::LoopLock;
use crate::settle::{Settlement, Target};
use crate::state_dir::{LoopDir, StateDir};
use crate::steps::NoSteps;
use crate::workspace::{Base, BaseFrom, Workspace};

/// Every git on this machine that is of another version than those before it.
pub(crate) fn gits() -> Vec<GitProgram> {
    let mut gits: Vec<GitProgram> = Vec::new();
    let path = std::env::var_os("PATH").unwrap();
    for dir in std::env::split_paths(&path).chain(["/usr/bin".into(), "/usr/local/bin".into()]) {
        let found = GitProgram::find(dir.as_os_str(), &[]).ok();
        gits.extend(found.filter(|git| gits.iter().all(|seen| seen.version() != git.version())));
    }
    assert!(!gits.is_empty(), "no git 2.39 or later");
    gits
}

/// A project, and the loop `docs` in it.
pub(crate) struct Rig {
    pub(crate) _temp: Option<tempfile::TempDir>,
    pub(crate) top: PathBuf,
    pub(crate) program: GitProgram,
    pub(crate) loop_id: LoopId,
}

/// The index, what git says, `HEAD`, and the files with their bytes.
pub(crate) type UsersState = (Vec<u8>, String, Vec<u8>, Vec<(PathBuf, Vec<u8>)>);

/// A beat's view of a project.
pub(crate) struct Opened {
    pub(crate) ws: Workspace,
    _lock: LoopLock,
}

impl Rig {
    /// A folder without git.
    pub(crate) fn folder(program: &GitProgram) -> Self {
        // A kill is no power cut: what was written is there, and flushing it to memory takes no time.
        let temp = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let temp = temp.unwrap();
        let top = temp.path().canonicalize().unwrap().join("project");
        fs::create_dir(&top).unwrap();
        Self {
            _temp: Some(temp),
            top,
            program: program.clone(),
            loop_id: LoopId::new("docs").unwrap(),
        }
    }

    /// A project that another process has made.
    pub(crate) fn at(program: &GitProgram, top: PathBuf) -> Self {
        Self {
            _temp: None,
            top,
            program: program.clone(),
            loop_id: LoopId::new("docs").unwrap(),
        }
    }

    /// An empty repository.
    pub(crate) fn empty(program: &GitProgram, switches: &[&str]) -> Self {
        let rig = Self::folder(program);
        rig.git(&[&["init", "-q", "-b", "main"], switches].concat());
        rig
    }

    /// A repository with some files and one commit.
    pub(crate) fn repository(program: &GitProgram) -> Self {
        Self::filled(program, &[])
    }

    pub(crate) fn filled(program: &GitProgram, switches: &[&str]) -> Self {
        let rig = Self::empty(program, switches);
        rig.fill();
        rig.commit("first");
        rig
    }

    pub(crate) fn fill(&self) {
        self.write("README.md", "# Hello\n\n[guide](docs/guid.md)\n");
        self.write("docs/guide.md", "one\ntwo\nthree\nfour\nfive\nsix\n");
        self.write("docs/deep/er/x.md", "x\n");
        self.write("run.sh", "#!/bin/sh\n");
        self.write(".gitignore", "target/\n*.log\n");
        Command::new("chmod")
            .arg("+x")
            .arg(self.top.join("run.sh"))
            .status()
            .unwrap();
        symlink("docs/guide.md", self.top.join("link.md")).unwrap();
    }

    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        put(&self.top, path.as_bytes(), bytes.as_ref());
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs the user's git in the project and returns what it printed, trimmed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let (ok, text) = self.try_git(&self.top, args);
        assert!(ok, "git {args:?}: {text}");
        text
    }

    pub(crate) fn try_git(&self, dir: &Path, args: &[&str]) -> (bool, String) {
        let mut command = Command::new(self.program.path());
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
            ("PATH", "/usr/bin:/bin"),
        ]);
        let ended = command
            .args(["-c", "protocol.file.allow=always", "-c", "core.fsync=none"])
            .args(args)
            .current_dir(dir)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat())
            .trim_end()
            .to_owned();
        (ended.status.success(), text)
    }

    pub(crate) fn project(&self) -> Project {
        Project::discover(&self.program, &self.top).unwrap()
    }

    pub(crate) fn loop_dir(&self) -> LoopDir {
        StateDir::open(&self.project())
            .unwrap()
            .open_loop(&self.loop_id)
            .unwrap()
    }

    pub(crate) fn lock(&self) -> LoopLock {
        LoopLock::acquire(&self.loop_dir(), &FakeClock::at(Timestamp::UNIX_EPOCH)).unwrap()
    }

    pub(crate) fn open(&self) -> Opened {
        let lock = self.lock();
        let ws = Workspace::open(&self.program, &self.loop_dir(), &lock, &self.project()).unwrap();
        Opened { ws, _lock: lock }
    }

    pub(crate) fn settlement<'a>(
        &'a self,
        target: Target,
        base: &'a Base,
        change: &'a ringfence_core::change::ChangeSet,
    ) -> Settlement<'a> {
        Settlement {
            loop_id: &self.loop_id,
            beat: BeatNo(7),
            target,
            base,
            change,
            message: "docs: repair a link\n\nBecause.",
            time: Timestamp::from_second(1_800_000_000).unwrap(),
        }
    }

    /// What must be the same before and after whatever a beat does.
    pub(crate) fn users_state(&self) -> UsersState {
        let dot_git = PathBuf::from(self.git(&["rev-parse", "--absolute-git-dir"]));
        let seen = [
            "status --porcelain",
            "stash list",
            "branch --list main",
            "config --local --list",
        ];
        let seen: Vec<_> = seen
            .iter()
            .map(|args| self.git(&args.split(' ').collect::<Vec<_>>()))
            .collect();
        let index = fs::read(dot_git.join("index")).unwrap_or_default();
        (
            index,
            seen.join("\n--\n"),
            fs::read(dot_git.join("HEAD")).unwrap(),
            files(&self.top),
        )
    }

    /// Fails unless git finds the repository whole and strictly correct.
    pub(crate) fn assert_sound(&self) {
        let (ok, text) = self.try_git(
            &self.top,
            &["fsck", "--strict", "--no-progress", "--no-dangling"],
        );
        assert!(
            ok && !text.contains("error") && !text.contains("warning"),
            "{text}"
        );
    }
}

impl Opened {
    pub(crate) fn prepare(&self) -> Base {
        self.ws.prepare(BaseFrom::Head, &NoSteps).unwrap()
    }
}

/// Writes a file below `root`, making the folders on the way.
pub(crate) fn put(root: &Path, path: &[u8], bytes: &[u8]) {
    let path = root.join(OsStr::from_bytes(path));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// All files below `root` with their bytes, but for `.git` and the state directory. Links as their target.
pub(crate) fn files(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if [".git", ".ringfence"]
                .iter()
                .any(|name| entry.file_name() == *name)
            {
                continue;
            }
            if kind.is_dir() {
                dirs.push(path);
            } else if kind.is_symlink() {
                all.push((
                    path.clone(),
                    fs::read_link(&path)
                        .unwrap()
                        .into_os_string()
                        .into_encoded_bytes(),
                ));
            } else if kind.is_file() {
                all.push((path.clone(), fs::read(&path).unwrap()));
            }
        }
    }
    for (path, _) in &mut all {
        *path = path.strip_prefix(root).unwrap().to_owned();
    }
    all.sort();
    all
}
