//! A stand-in for git that says how long git took: this program, called `git`.
//!
//! **Invariant:** git itself runs unchanged, with the arguments, environment and streams it was given.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::Outcome;

const NAME: &str = "git";
const TIMES: &str = "times";
const REAL: &str = "real";

/// A folder with the stand-in, to be searched before all others.
#[derive(Debug)]
pub struct TimedGit(PathBuf);

impl TimedGit {
    /// Makes the folder in `dir`.
    ///
    /// # Errors
    /// What the file system says.
    pub fn new(dir: &Path) -> Outcome<Self> {
        let dir = dir.join("timed-git");
        fs::create_dir(&dir)?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let real = std::env::split_paths(&path).map(|dir| dir.join(NAME));
        let real = real.into_iter().find(|git| git.is_file());
        symlink(real.ok_or("there is no git")?, dir.join(REAL))?;
        symlink(std::env::current_exe()?, dir.join(NAME))?;
        Ok(Self(dir))
    }

    /// The value of `PATH` with which the stand-in is found.
    ///
    /// # Errors
    /// When the present value cannot be joined to it.
    pub fn search_path(&self) -> Outcome<OsString> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let dirs = std::iter::once(self.0.clone()).chain(std::env::split_paths(&path));
        Ok(std::env::join_paths(dirs)?)
    }

    /// What all calls of git took since the last time this was asked.
    ///
    /// # Errors
    /// When there was no call.
    pub fn take(&self) -> Outcome<Duration> {
        let path = self.0.join(TIMES);
        let lines = fs::read_to_string(&path)?;
        fs::remove_file(path)?;
        let nanos: Result<Vec<u64>, _> = lines.lines().map(str::parse).collect();
        Ok(Duration::from_nanos(nanos?.iter().sum()))
    }
}

/// Whether this process was started as git, and then its end.
#[must_use]
pub fn as_git(mut arguments: impl Iterator<Item = OsString>) -> Option<Outcome<ExitCode>> {
    let own = PathBuf::from(arguments.next()?);
    (own.file_name() == Some(OsStr::new(NAME))).then(|| call(&own, arguments))
}

fn call(own: &Path, arguments: impl Iterator<Item = OsString>) -> Outcome<ExitCode> {
    let dir = own.parent().ok_or("called without a folder")?;
    let began = Instant::now();
    let status = Command::new(dir.join(REAL)).args(arguments).status()?;
    let took = began.elapsed().as_nanos();
    let mut times = OpenOptions::new();
    let mut times = times.create(true).append(true).open(dir.join(TIMES))?;
    times.write_all(format!("{took}\n").as_bytes())?;
    Ok(match status.code() {
        Some(code) => ExitCode::from(u8::try_from(code)?),
        None => ExitCode::FAILURE,
    })
}
