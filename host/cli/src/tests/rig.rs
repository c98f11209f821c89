//! A project in a temporary folder, and the program run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use ringfence_runner::clock::FakeClock;
use ringfence_sandbox::Compiler;
use unicode_width::UnicodeWidthStr;

use crate::exit::Exit;
use crate::render::safe::is_treacherous;
use crate::{Stream, World};

/// A project, and a clock that stands still.
pub(super) struct Rig {
    temp: tempfile::TempDir,
    config: tempfile::TempDir,
    pub(super) clock: FakeClock,
    pub(super) cache_dir: PathBuf,
    /// What git names to a hook.
    pub(super) index_file: Option<PathBuf>,
}

/// What a command printed, and how it ended.
#[must_use]
pub(super) struct Ran {
    pub(super) exit: Exit,
    pub(super) out: String,
    pub(super) err: String,
    top: String,
}

impl Rig {
    /// A folder without git.
    pub(super) fn folder() -> Self {
        let clock = FakeClock::at("2026-01-02T03:04:05Z".parse().unwrap());
        Self {
            // Always as long, since lines break around it.
            temp: tempfile::Builder::new().tempdir_in("/tmp").unwrap(),
            config: tempfile::tempdir().unwrap(),
            clock,
            cache_dir: cache_dir(),
            index_file: None,
        }
    }

    /// A repository with some broken links, one of which can be repaired.
    pub(super) fn broken_links() -> Self {
        let rig = Self::folder();
        rig.write("README.md", "# Hello\n\nSee the [guide](docs/guide.md).\n");
        rig.write(
            "docs/guide.md",
            "# Guide\n\n[set up](setup.md) first, then [go](gone.md).\n",
        );
        rig.write("docs/old/setup.md", "# Set up\n");
        rig.git(&["init", "-q", "-b", "main"]);
        rig.commit();
        rig
    }

    /// The same with the loop file of `init`, committed.
    pub(super) fn with_loop() -> Self {
        let rig = Self::broken_links();
        assert_eq!(rig.run(&["init"]).exit, Exit::Done);
        rig.commit();
        rig
    }

    /// The same with another loop file, whose plugins are pinned.
    pub(super) fn with_loop_file(text: &str) -> Self {
        let rig = Self::broken_links();
        rig.write("LOOP.md", text);
        let ran = rig.run(&["check", "--write-lock"]);
        assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
        rig.commit();
        rig
    }

    /// Where the operator's own files are: beside the project, since what is in it is the repository's.
    pub(super) fn config_dir(&self) -> PathBuf {
        self.config.path().to_owned()
    }

    pub(super) fn top(&self) -> PathBuf {
        self.temp.path().canonicalize().unwrap()
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.top().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.top().join(path)).unwrap()
    }

    /// Replaces a piece of a file, which must be there.
    pub(super) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} does not hold {from:?}");
        self.write(path, &text.replace(from, to));
    }

    pub(super) fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a commit"]);
    }

    pub(super) fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.env_clear().envs([
            ("PATH", std::env::var("PATH").unwrap().as_str()),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_AUTHOR_NAME", "User"),
            ("GIT_AUTHOR_EMAIL", "user@example.com"),
            ("GIT_COMMITTER_NAME", "User"),
            ("GIT_COMMITTER_EMAIL", "user@example.com"),
        ]);
        let ended = command.args(args).current_dir(self.top()).output().unwrap();
        assert!(
            ended.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&ended.stderr)
        );
        String::from_utf8(ended.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    pub(super) fn set_clock(&self, time: &str) {
        self.clock.set(time.parse::<Timestamp>().unwrap());
    }

    /// Runs the program in the project.
    pub(super) fn run(&self, args: &[&str]) -> Ran {
        self.run_in(&self.top(), args)
    }

    /// The same where it has to work.
    pub(super) fn run_ok(&self, args: &[&str]) {
        let ran = self.run(args);
        assert_eq!(ran.exit, Exit::Done, "{args:?}: {}", ran.err);
    }

    pub(super) fn run_in(&self, dir: &Path, args: &[&str]) -> Ran {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = crate::run(World {
            args: std::iter::once("ringfence")
                .chain(args.iter().copied())
                .map(Into::into)
                .collect(),
            dir: dir.to_owned(),
            search_path: std::env::var_os("PATH").unwrap(),
            index_file: self.index_file.clone(),
            cache_dir: Some(self.cache_dir.clone()),
            config_dir: Some(self.config_dir()),
            user: "ann".to_owned(),
            compiler: Compiler::InProcess,
            no_color: false,
            out: Stream {
                to: &mut out,
                is_terminal: false,
            },
            err: Stream {
                to: &mut err,
                is_terminal: false,
            },
            clock: &self.clock,
            program_streams: World::own_streams(),
            may_be_confined: false,
        });
        let ran = Ran {
            exit,
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
            top: self.top().display().to_string(),
        };
        if !args.contains(&"--color=always") {
            ran.check_lines(args);
        }
        ran
    }
}

/// Compiled plugins are kept between runs of the tests.
fn cache_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/ringfence-test-cache")
}

impl Ran {
    /// Both outputs and the exit code, without what differs from build to build.
    pub(super) fn shown(&self) -> String {
        let err = self.told();
        let head = if err.is_empty() { "" } else { "--- stderr\n" };
        let all = format!("{}{head}{err}--- exit {}", self.out, self.exit.code());
        let all = redact(&all.replace(&self.top, "[project]"));
        all.lines()
            .map(|line| if line.contains("[n]") || line.contains("[hex]") { squeezed(line) } else { line.to_owned() } + "\n")
            .collect()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        assert_eq!(self.told(), "");
        serde_json::from_str(&self.out).unwrap()
    }

    /// What was said on stderr but for progress, which depends on how fast the machine is.
    fn told(&self) -> String {
        let is_progress = |line: &str| {
            line.split_once(" s: ")
                .is_some_and(|(seconds, _)| seconds.parse::<u64>().is_ok())
        };
        let lines = self.err.split_inclusive('\n');
        lines.filter(|line| !is_progress(line)).collect()
    }

    /// Nothing that a terminal acts upon, and no line over the edge unless it is one word, or there to be copied: a line
    /// to paste, or of a diff.
    fn check_lines(&self, args: &[&str]) {
        for line in self.out.lines().chain(self.err.lines()) {
            assert!(!line.chars().any(is_treacherous), "{args:?}: {line:?}");
        }
        let is_text = !args.iter().any(|arg| matches!(*arg, "json" | "github"))
            && !matches!(
                args,
                [
                    "schema" | "completions" | "install-service" | "metrics" | "report",
                    ..
                ]
            );
        let diff = self.out.find("\ndiff\n").unwrap_or(self.out.len());
        let page = self.out.get(..diff).unwrap();
        for line in page.lines().chain(self.err.lines()).filter(|_| is_text) {
            let words = line.split_whitespace().count();
            let is_long = line.replace(&self.top, "").width() > 80;
            assert!(
                !is_long || words < 3,
                "{args:?}: {} columns: {line}",
                line.width()
            );
        }
    }
}

/// A line whose columns stand two blanks apart, since they are as wide as what was redacted in them.
fn squeezed(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let words = line
        .split("  ")
        .map(str::trim)
        .filter(|words| !words.is_empty());
    " ".repeat(indent) + &words.collect::<Vec<_>>().join("  ")
}

/// Replaces digests and object ids by `[hex]`, and measured amounts by `[n]`.
fn redact(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let (before, after) = rest.split_at(start);
        let end = after.find(|c| !is_word(c)).unwrap_or(after.len());
        let (word, next) = after.split_at(end);
        out += before;
        out += redact_word(word);
        rest = next;
    }
    out + rest
}

fn redact_word(word: &str) -> &str {
    let hex = word.trim_end_matches('.');
    let is_hex = hex.len() >= 12
        && hex
            .chars()
            .all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase());
    let number = word.trim_end_matches(['k', 'M', 'G', 'T']);
    let is_number =
        number.chars().all(|c| c.is_ascii_digit() || c == '.') && number.matches('.').count() < 2;
    let is_amount =
        is_number && number.len() >= 3 && (number.len() < word.len() || number.contains('.'));
    match (is_hex, is_amount) {
        (true, _) => "[hex]",
        (_, true) => "[n]",
        _ => word,
    }
}

#[test]
fn redacting_leaves_words_alone() {
    for (text, expect) in [
        ("fuel 1.81M of 10.0G, 698k", "fuel [n] of [n], [n]"),
        (
            "std:md-links 0.1.0 f0a08a77a42c.",
            "std:md-links 0.1.0 [hex]",
        ),
        (
            "10G, 64MiB, 120 lines, 2026-01-02",
            "10G, 64MiB, 120 lines, 2026-01-02",
        ),
    ] {
        assert_eq!(redact(text), expect);
    }
}
