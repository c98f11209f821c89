//! Projects in temporary folders, and the program run in them.
//!
//! **Invariant:** the program and git get the environment that is written here, and no other.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::shown;

/// The program as Cargo has just built it.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ringfence-under-test");

/// A project: the folder `top`, beside a home of its own.
pub(crate) struct Rig {
    temp: tempfile::TempDir,
}

/// What a command printed, and how it ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    top: PathBuf,
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A misbehaving component.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    let path = root().join("target/guests").join(format!("{name}.wasm"));
    fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}: run `cargo xtask guests`", path.display());
    })
}

/// The variables that the program and git are given; git's name and address are for the user's own commits.
pub(crate) fn environment(home: &Path) -> Vec<(&'static str, PathBuf)> {
    let text = |text: &str| PathBuf::from(text);
    vec![
        ("PATH", PathBuf::from(std::env::var_os("PATH").unwrap())),
        ("HOME", home.to_owned()),
        ("LC_ALL", text("C.UTF-8")),
        (
            "XDG_CACHE_HOME",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e-cache"),
        ),
        ("GIT_CONFIG_GLOBAL", text("/dev/null")),
        ("GIT_CONFIG_NOSYSTEM", text("1")),
        ("GIT_OPTIONAL_LOCKS", text("0")),
        ("GIT_AUTHOR_NAME", text("User")),
        ("GIT_AUTHOR_EMAIL", text("user@example.com")),
        ("GIT_COMMITTER_NAME", text("User")),
        ("GIT_COMMITTER_EMAIL", text("user@example.com")),
    ]
}

impl Rig {
    /// An empty folder.
    pub(crate) fn folder() -> Self {
        // Always as long, since lines break around it.
        let temp = tempfile::Builder::new()
            .prefix("e2e-")
            .tempdir_in("/tmp")
            .unwrap();
        for name in ["top", "home"] {
            fs::create_dir(temp.path().join(name)).unwrap();
        }
        Self { temp }
    }

    /// A repository with one broken link that can be repaired.
    pub(crate) fn small() -> Self {
        let rig = Self::folder();
        rig.write("README.md", "# Hello\n\nSee the [guide](guide.md).\n");
        rig.write("docs/guide.md", "# Guide\n");
        rig.git(&["init", "-q", "-b", "main"]);
        rig.commit("begin");
        rig
    }

    /// The same with the loop file of `init`, committed.
    pub(crate) fn small_with_loop() -> Self {
        let rig = Self::small();
        rig.init();
        rig
    }

    /// The repository of the README: the example's documentation, without a loop.
    pub(crate) fn example() -> Self {
        let rig = Self::folder();
        copy(&root().join("docs/example"), &rig.top());
        rig.git(&["init", "-q", "-b", "main"]);
        rig.commit("documentation with broken links");
        rig
    }

    /// A repository with `loop_file` and the guests that it names, pinned and committed.
    pub(crate) fn with_guests(loop_file: &str, guests: &[&str]) -> Self {
        let rig = Self::small();
        for name in guests {
            fs::write(rig.top().join(format!("{name}.wasm")), guest(name)).unwrap();
        }
        rig.set_loop(loop_file);
        rig
    }

    /// Writes the loop file of `init`, and commits it.
    pub(crate) fn init(&self) {
        let ran = self.run(&["init"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        self.commit("a loop");
    }

    /// Writes another loop file, pins its plugins, and commits it.
    pub(crate) fn set_loop(&self, loop_file: &str) {
        self.write("LOOP.md", loop_file);
        let ran = self.run(&["check", "--write-lock"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        self.commit("a loop");
    }

    /// Orders the loop to the level of its file, whatever it has shown.
    pub(crate) fn promote(&self) {
        let ran = self.run(&["promote", "--reason", "a trial", "--override"]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    }

    pub(crate) fn top(&self) -> PathBuf {
        self.temp.path().join("top")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.temp.path().join("home")
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.top().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Replaces a piece of a file, which must be there.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} does not hold {from:?}");
        self.write(path, &text.replace(from, to));
    }

    pub(crate) fn link(&self, target: &str, path: &str) {
        symlink(target, self.path(path)).unwrap();
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    /// Runs the user's git, which must succeed; what it printed, trimmed at the end.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let ended = self.try_git(args);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "git {args:?}: {said}");
        String::from_utf8_lossy(&ended.stdout).trim_end().to_owned()
    }

    pub(crate) fn try_git(&self, args: &[&str]) -> Output {
        self.hermetic("git").args(args).output().unwrap()
    }

    /// A command in the project with nothing of the machine's own environment.
    pub(crate) fn hermetic(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(environment(&self.home()))
            .current_dir(self.top());
        command
    }

    /// Runs the program in the project.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_command(self.hermetic(PROGRAM).args(args))
    }

    pub(crate) fn run_command(&self, command: &mut Command) -> Ran {
        let ended = command.output().unwrap();
        Ran {
            code: ended.status.code().unwrap(),
            out: String::from_utf8(ended.stdout).unwrap(),
            err: shown::without_progress(&String::from_utf8(ended.stderr).unwrap()),
            top: self.top(),
        }
    }

    /// Runs a beat that must end with `code`; its report.
    #[track_caller]
    pub(crate) fn beat(&self, code: i32) -> Value {
        let ran = self.run(&["beat", "--format", "json"]);
        assert_eq!(ran.code, code, "{}{}", ran.err, ran.out);
        assert_eq!(ran.err, "");
        ran.json()
    }
}

impl Ran {
    /// Both outputs and the exit code, without what differs from run to run.
    pub(crate) fn shown(&self) -> String {
        let head = if self.err.is_empty() {
            ""
        } else {
            "--- stderr\n"
        };
        let all = format!("{}{head}{}--- exit {}", self.out, self.err, self.code);
        shown::redact(&all.replace(self.top.to_str().unwrap(), "[project]"))
    }

    /// The paragraphs of it that begin with these words, and the exit code.
    pub(crate) fn parts(&self, begin: &[&str]) -> String {
        let shown = self.shown();
        let (text, end) = shown.rsplit_once('\n').unwrap();
        let wanted = |part: &&str| begin.iter().any(|words| part.starts_with(words));
        let parts = text.split("\n\n").filter(wanted).chain([end]);
        parts.collect::<Vec<_>>().join("\n\n")
    }

    /// Stdout, which holds one JSON document and nothing else.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
