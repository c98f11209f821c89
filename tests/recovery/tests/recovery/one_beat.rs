//! Starts a beat as a process of its own and hears what it says.
//!
//! **Invariant:** the process gets a clean environment, so that nothing of this machine's git configuration matters.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_one-beat");
/// What the system says of a signal that writing to a full disk must not raise: here a limit stands in for the disk.
const IGNORING_THE_LIMIT: &str = "trap '' XFSZ; exec \"$@\"";

/// A beat that is to be run.
#[derive(Debug, Clone)]
pub(crate) struct OneBeat {
    top: PathBuf,
    day: u32,
    order: String,
    search_path: OsString,
}

/// A beat that is running.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    steps: Vec<String>,
    report: Option<Value>,
    read: Vec<u64>,
}

/// A beat that has ended, one way or another.
#[must_use]
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) signal: Option<i32>,
    pub(crate) code: Option<i32>,
    /// Names of the steps it came to.
    pub(crate) steps: Vec<String>,
    pub(crate) report: Option<Value>,
    /// How much each of several beats read.
    pub(crate) read: Vec<u64>,
    pub(crate) error: String,
}

impl OneBeat {
    pub(crate) fn of(top: &Path) -> Self {
        Self {
            top: top.to_owned(),
            day: 0,
            order: String::new(),
            search_path: std::env::var_os("PATH").unwrap(),
        }
    }

    /// So many days later, when no earlier failure holds the loop back.
    pub(crate) fn days_later(mut self, day: u32) -> Self {
        self.day = day;
        self
    }

    /// With what is to happen, and when.
    pub(crate) fn told(mut self, order: impl Into<String>) -> Self {
        self.order = order.into();
        self
    }

    /// With another place to look for git.
    pub(crate) fn with_path(mut self, path: &Path) -> Self {
        self.search_path = path.into();
        self
    }

    pub(crate) fn start(self) -> Running {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", IGNORING_THE_LIMIT, "sh", PROGRAM]);
        command
            .env_clear()
            .env("PATH", self.search_path)
            .arg(self.top)
            .arg(concat!(env!("CARGO_TARGET_TMPDIR"), "/recovery-cache"))
            .arg(format!("2026-01-{:02}T12:00:00Z", 5 + self.day));
        if !self.order.is_empty() {
            command.arg(self.order);
        }
        let piped = Stdio::piped;
        let mut child = command
            .stdin(piped())
            .stdout(piped())
            .stderr(piped())
            .spawn()
            .unwrap();
        Running {
            stdin: child.stdin.take(),
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
            steps: Vec::new(),
            report: None,
            read: Vec::new(),
        }
    }

    pub(crate) fn run(self) -> Ended {
        self.start().end()
    }
}

impl Running {
    /// Waits until it waits at the step it was told of.
    pub(crate) fn until_paused(&mut self) {
        while let Some(line) = self.lines.next() {
            let line = line.unwrap();
            if line == "paused" {
                return;
            }
            self.hear(&line);
        }
        panic!("it did not pause: {:?}", self.steps);
    }

    /// Lets it go on.
    pub(crate) fn go_on(&mut self) {
        self.stdin.take().unwrap().write_all(b"\n").unwrap();
    }

    pub(crate) fn end(mut self) -> Ended {
        while let Some(line) = self.lines.next() {
            self.hear(&line.unwrap());
        }
        let mut error = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut error)
            .unwrap();
        let status = self.child.wait().unwrap();
        Ended {
            signal: status.signal(),
            code: status.code(),
            steps: self.steps,
            report: self.report,
            read: self.read,
            error,
        }
    }

    fn hear(&mut self, line: &str) {
        if let Some(step) = line.strip_prefix("step ") {
            self.steps.push(step.to_owned());
        } else if let Some(report) = line.strip_prefix("report ") {
            self.report = Some(serde_json::from_str(report).unwrap());
        } else if let Some(bytes) = line.strip_prefix("read ") {
            self.read.push(bytes.parse().unwrap());
        } else {
            assert_eq!(line, "paused");
        }
    }
}

impl Ended {
    /// The report of a beat that came to its end.
    #[track_caller]
    pub(crate) fn report(&self) -> &Value {
        self.report
            .as_ref()
            .unwrap_or_else(|| panic!("no report: {} {:?}", self.error, self.signal))
    }

    /// How it ended: `proposed`, `failed`, …
    #[track_caller]
    pub(crate) fn outcome(&self) -> &str {
        self.report()["outcome"]["kind"].as_str().unwrap()
    }

    /// What it said of earlier beats.
    #[track_caller]
    pub(crate) fn recovered(&self) -> Vec<String> {
        serde_json::from_value(self.report()["recovered"].clone()).unwrap()
    }

    /// Fails unless the beat settled a change.
    #[track_caller]
    pub(crate) fn assert_settled(&self) {
        let outcome = self.outcome();
        assert!(
            matches!(outcome, "proposed" | "shadowed" | "committed"),
            "{}",
            self.report()["outcome"]
        );
    }

    /// Fails unless the beat was killed at `step`.
    #[track_caller]
    pub(crate) fn assert_killed_at(&self, step: &str) {
        assert_eq!(
            (self.signal, self.steps.last().map(String::as_str)),
            (Some(9), Some(step)),
            "{}",
            self.error
        );
    }

    /// What kept the beat from beginning.
    #[track_caller]
    pub(crate) fn refusal(&self) -> &str {
        assert_eq!(
            (self.code, &self.report),
            (Some(1), &None),
            "{}",
            self.error
        );
        self.error.trim_end()
    }
}
