//! The program `ringfence`, run as a user runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::beats::not_there;
use crate::ground::Ground;

/// A program and the project it is run in.
pub(crate) struct Program<'g> {
    path: PathBuf,
    ground: &'g Ground,
}

impl<'g> Program<'g> {
    /// The program at `path` in the project of `ground`, whose loop gets its lock file and its first beats.
    pub(crate) fn new(path: &Path, ground: &'g Ground) -> Outcome<Self> {
        let program = Self {
            path: path.to_owned(),
            ground,
        };
        for arguments in [&["check", "--write-lock"][..], &["beat"], &["beat"]] {
            program.timed(arguments)?;
        }
        Ok(program)
    }

    /// Times so many runs from start to end.
    pub(crate) fn time(&self, rounds: usize, arguments: &[&str]) -> Outcome<Vec<Duration>> {
        (0..rounds).map(|_| self.timed(arguments)).collect()
    }

    /// The same for beats that have to read, clear and check everything.
    pub(crate) fn time_whole(&self, rounds: usize) -> Outcome<Vec<Duration>> {
        let round = |_| {
            fs::remove_file(self.ground.state().join("bookmark")).or_else(not_there)?;
            self.timed(&["beat"])
        };
        (0..rounds).map(round).collect()
    }

    /// What one run starts and flushes; none where there is no `strace`.
    pub(crate) fn count(&self, arguments: &[&str]) -> Outcome<Option<String>> {
        let list = self.ground.state().join("strace");
        let mut strace = Command::new("strace");
        strace.args([
            "-f",
            "-e",
            "trace=execve,fsync,fdatasync,msync,sync,syncfs",
            "-o",
        ]);
        let ran = self
            .told(strace.arg(&list).arg(&self.path), arguments)
            .status();
        if !ran.is_ok_and(|status| status.success()) {
            return Ok(None);
        }
        let text = fs::read_to_string(&list)?;
        fs::remove_file(&list)?;
        let count = |call: &str| text.matches(call).count();
        let programs = count(" execve(").saturating_sub(1);
        let flushes = count("sync(") + count("syncfs(");
        Ok(Some(format!(
            "{programs} programs started, {flushes} flushes"
        )))
    }

    fn timed(&self, arguments: &[&str]) -> Outcome<Duration> {
        let mut command = Command::new(&self.path);
        let began = Instant::now();
        let status = self.told(&mut command, arguments).status()?;
        let took = began.elapsed();
        status
            .success()
            .then_some(took)
            .ok_or_else(|| format!("{arguments:?}: {status}").into())
    }

    fn told<'c>(&self, command: &'c mut Command, arguments: &[&str]) -> &'c mut Command {
        command
            .args(arguments)
            .env("XDG_CACHE_HOME", self.ground.cache())
            .current_dir(self.ground.top())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
    }
}
