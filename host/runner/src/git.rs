//! The one place that starts `git`.
//!
//! Owns which program is run, its environment, and what of the user's or the machine's configuration it may see.
//! `found` looks where it may be, [`discover`] finds the user's repository, [`glance`] asks it the least that a beat can do with, [`output`] reads what git
//! prints, [`process`] runs a program with limits, and [`minder`] ends it with this one.
//!
//! **Invariant:** git never looks for a repository by itself (`--git-dir` is always given), runs no hook, filter,
//! monitor, pager, transport or helper that a repository names, and reads no configuration but that of the repository
//! given. In the user's repository it is asked for nothing but refs, an import of objects, and a new ref; for
//! level L3, to move one, and to read and rewrite copies of the index.

pub mod discover;
mod found;
pub mod glance;
pub mod minder;
pub mod output;
pub mod process;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ringfence_core::quantity::Bytes;

use process::{Finished, Input, Limits, RunError};

/// The oldest git that works: the first with every switch used here, and the one of Debian 12.
pub const GIT_OLDEST: (u32, u32) = (2, 39);

// Limit: a cold checkout of 100,000 files takes 14 s of one core; twenty times that on a slow disk.
const DEADLINE: Duration = Duration::from_secs(300);
// Limit: the names of a million files.
const STDOUT_BYTES_MAX: usize = 128 << 20;
/// Most memory that a call may use, without what it maps of files.
// Limit: the indexes of two trees of a million files take 600 MB. Trees of a few bytes can name as many files as somebody likes.
pub const MEMORY_BYTES_MAX: u64 = 1 << 30;
// How git, its libraries and the system say that there is no more.
const NO_MEMORY: [&str; 2] = ["out of memory", "cannot allocate memory"];

/// What is switched off or pinned in every call. What is given like this outranks every file.
const CONFIG: [&str; 28] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "protocol.allow=never",
    "core.untrackedCache=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "core.excludesFile=/dev/null",
    "core.attributesFile=/dev/null",
    "core.fileMode=true",
    "core.symlinks=true",
    "core.ignoreCase=false",
    "core.precomposeUnicode=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.trustctime=true",
    "core.checkStat=default",
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.quotePath=false",
    "core.sparseCheckout=false",
    "core.splitIndex=false",
    "core.commitGraph=false",
    "core.useReplaceRefs=false",
    "core.fsyncMethod=fsync",
    "index.sparse=false",
    "submodule.recurse=false",
    "fastimport.unpackLimit=100",
    "diff.renameLimit=400",
];

/// Why a call of git did not give an answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No directory of the search path that can be trusted holds it.
    #[error("the git program was not found")]
    NotFound,
    /// It is there and too old.
    #[error("{} is version {found}, and {}.{} or later is needed", program.display(), GIT_OLDEST.0, GIT_OLDEST.1)]
    TooOld {
        /// The program.
        program: PathBuf,
        /// What it said its version was.
        found: String,
    },
    /// It ended with a status that the call does not expect.
    #[error("git {command} failed ({status}): {stderr}")]
    Failed {
        /// The subcommand.
        command: &'static str,
        /// `exit 128` or `signal 9`.
        status: String,
        /// The end of what it wrote to stderr, on one line.
        stderr: String,
    },
    /// It could not be started, ran too long or printed too much.
    #[error("git {command} could not be run")]
    Run {
        /// The subcommand.
        command: &'static str,
        /// Why.
        source: RunError,
    },
    /// What it was to do takes too much memory.
    #[error("git {command} needs more than the {limit} of memory that it may use")]
    Memory {
        /// The subcommand.
        command: &'static str,
        /// What it may use.
        limit: Bytes,
    },
    /// It printed something that this program cannot read.
    #[error("git {command} printed something unexpected: {text:?}")]
    Unreadable {
        /// The subcommand.
        command: &'static str,
        /// The first bytes of it.
        text: String,
    },
}

/// A git program that is new enough.
#[derive(Debug, Clone)]
pub struct GitProgram {
    path: PathBuf,
    version: (u32, u32),
}

impl GitProgram {
    /// Finds `git` in `search_path` (the value of `PATH`), and asks its version. Passes over what a change could have brought
    /// along, or anybody on the machine: relative directories, those in a project that one of `starts` is in, and those that
    /// everybody may write to. Who owns a directory of the search path, or is in its group, is trusted with it.
    ///
    /// # Errors
    /// [`GitError::NotFound`], [`GitError::TooOld`], or why the version could not be read.
    pub fn find(search_path: &OsStr, starts: &[&Path]) -> Result<Self, GitError> {
        let tops: Vec<PathBuf> = starts
            .iter()
            .filter_map(|start| found::top(start))
            .collect();
        let path = std::env::split_paths(search_path)
            .find_map(|dir| found::program(&dir, "git", &tops))
            .ok_or(GitError::NotFound)?;
        let mut command = Command::new(&path);
        command.arg("version").env_clear().current_dir("/");
        let limits = Limits {
            stdout_bytes_max: 4096,
            deadline: Duration::from_secs(30),
            memory_bytes_max: Some(MEMORY_BYTES_MAX),
        };
        let finished =
            process::run(command, Input::Nothing, limits).map_err(|source| GitError::Run {
                command: "version",
                source,
            })?;
        let text = String::from_utf8_lossy(&finished.stdout).trim().to_owned();
        let version = parse_version(&text).ok_or_else(|| unreadable("version", text.as_bytes()))?;
        if version < GIT_OLDEST {
            return Err(GitError::TooOld {
                program: path,
                found: text,
            });
        }
        Ok(Self { path, version })
    }

    /// The program.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Major and minor version.
    #[must_use]
    pub fn version(&self) -> (u32, u32) {
        self.version
    }
}

/// How much git does so that what it wrote survives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: what is lost can be made again.
    Cache,
    /// Everything git can do; directories remain to be flushed.
    Full,
}

/// A repository that git is pointed at, and how.
#[derive(Debug, Clone)]
pub struct Git {
    program: GitProgram,
    git_dir: PathBuf,
    work_tree: Option<PathBuf>,
    index: Option<PathBuf>,
    durability: Durability,
    overrides: Vec<(OsString, OsString)>,
}

impl Git {
    /// Points at the repository in `git_dir`, an absolute path.
    #[must_use]
    pub fn new(program: &GitProgram, git_dir: &Path, durability: Durability) -> Self {
        Self {
            program: program.clone(),
            git_dir: git_dir.to_owned(),
            work_tree: None,
            index: None,
            durability,
            overrides: Vec::new(),
        }
    }

    /// The same with a working tree and the index that describes it, both absolute.
    #[must_use]
    pub fn with_tree(&self, work_tree: &Path, index: &Path) -> Self {
        Self {
            work_tree: Some(work_tree.to_owned()),
            index: Some(index.to_owned()),
            ..self.clone()
        }
    }

    /// The same with more configuration, which outranks that of the repository.
    #[must_use]
    pub fn with_config(&self, overrides: Vec<(OsString, OsString)>) -> Self {
        Self {
            overrides,
            ..self.clone()
        }
    }

    /// The repository's directory.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Begins a call of one subcommand.
    pub fn call(&self, command: &'static str) -> Call<'_> {
        Call {
            git: self,
            command,
            args: Vec::new(),
            input: Input::Nothing,
            stdout_bytes_max: STDOUT_BYTES_MAX,
            memory_bytes_max: MEMORY_BYTES_MAX,
        }
    }

    fn command(&self, name: &str, args: &[OsString]) -> Command {
        let mut command = Command::new(&self.program.path);
        command.env_clear();
        command.envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
            // Outranks a repository's own `protocol.ext.allow`, which outranks `protocol.allow`.
            ("GIT_ALLOW_PROTOCOL", ""),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_COMMITTER_NAME", IDENTITY_NAME),
            ("GIT_COMMITTER_EMAIL", IDENTITY_EMAIL),
            ("LC_ALL", "C"),
            ("TZ", "UTC"),
            ("HOME", "/nonexistent"),
            ("XDG_CONFIG_HOME", "/nonexistent"),
        ]);
        // Git finds its own parts by the path compiled in; the rest of the search path is not for it.
        command.env(
            "PATH",
            self.program.path.parent().unwrap_or(Path::new("/usr/bin")),
        );
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        for (n, (key, value)) in self.overrides.iter().enumerate() {
            command
                .env(format!("GIT_CONFIG_KEY_{n}"), key)
                .env(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
        command.env("GIT_CONFIG_COUNT", self.overrides.len().to_string());
        command.arg(joined("--git-dir=", &self.git_dir));
        if let Some(work_tree) = &self.work_tree {
            command.arg(joined("--work-tree=", work_tree));
        }
        command.arg("--no-pager");
        for setting in CONFIG {
            command.args(["-c", setting]);
        }
        let fsync = match self.durability {
            Durability::Cache => "core.fsync=none",
            Durability::Full => "core.fsync=all",
        };
        command.args(["-c", fsync, name]).args(args);
        command.current_dir(self.work_tree.as_ref().unwrap_or(&self.git_dir));
        command
    }
}

/// Name of the author and committer of every proposal.
pub const IDENTITY_NAME: &str = "Ringfence";
/// Mail address of the author and committer of every proposal.
pub const IDENTITY_EMAIL: &str = "ringfence@localhost";

/// One call of git, being put together.
#[derive(Debug)]
#[must_use]
pub struct Call<'a> {
    git: &'a Git,
    command: &'static str,
    args: Vec<OsString>,
    input: Input,
    stdout_bytes_max: usize,
    memory_bytes_max: u64,
}

impl Call<'_> {
    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Gives `bytes` on stdin.
    pub fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.input = Input::Bytes(bytes);
        self
    }

    /// Gives a file on stdin, from where it stands.
    pub fn stdin_file(mut self, file: File) -> Self {
        self.input = Input::File(file);
        self
    }

    /// Allows at most `bytes` of output.
    pub fn stdout_max(mut self, bytes: usize) -> Self {
        self.stdout_bytes_max = bytes;
        self
    }

    /// Allows at most `bytes` of memory.
    pub fn memory_max(mut self, bytes: u64) -> Self {
        self.memory_bytes_max = bytes;
        self
    }

    /// Runs it and returns stdout of a run that exited with 0.
    ///
    /// # Errors
    /// [`GitError::Run`], [`GitError::Memory`], [`GitError::Failed`].
    pub fn run(self) -> Result<Vec<u8>, GitError> {
        let name = self.command;
        let finished = self.run_any()?;
        if finished.code == Some(0) {
            Ok(finished.stdout)
        } else {
            Err(failed(name, &finished))
        }
    }

    /// Runs it and returns what came of it, whatever the exit status.
    ///
    /// # Errors
    /// [`GitError::Run`], [`GitError::Memory`].
    pub fn run_any(self) -> Result<Finished, GitError> {
        let command = self.git.command(self.command, &self.args);
        let limits = Limits {
            stdout_bytes_max: self.stdout_bytes_max,
            deadline: DEADLINE,
            memory_bytes_max: Some(self.memory_bytes_max),
        };
        let finished =
            process::run(command, self.input, limits).map_err(|source| GitError::Run {
                command: self.command,
                source,
            })?;
        tracing::debug!(command = self.command, code = finished.code, "git ended");
        if finished.code != Some(0) && lacks_memory(&finished.stderr) {
            return Err(GitError::Memory {
                command: self.command,
                limit: Bytes(self.memory_bytes_max),
            });
        }
        Ok(finished)
    }
}

fn lacks_memory(stderr: &str) -> bool {
    let said = stderr.to_ascii_lowercase();
    said.contains("fatal: ") && NO_MEMORY.iter().any(|words| said.contains(words))
}

/// The error for a run whose status the caller does not expect.
#[must_use]
pub fn failed(command: &'static str, finished: &Finished) -> GitError {
    let status = match (finished.code, finished.signal) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown status".to_owned(),
    };
    GitError::Failed {
        command,
        status,
        stderr: finished.stderr.clone(),
    }
}

/// The error for output that cannot be read.
#[must_use]
pub fn unreadable(command: &'static str, bytes: &[u8]) -> GitError {
    let text = String::from_utf8_lossy(bytes).chars().take(80).collect();
    GitError::Unreadable { command, text }
}

impl GitError {
    /// True when the program could not be started for want of something a person can install or free.
    #[must_use]
    pub fn is_missing_program(&self) -> bool {
        match self {
            Self::NotFound | Self::TooOld { .. } => true,
            Self::Run {
                source: RunError::Spawn(error),
                ..
            } => error.kind() == io::ErrorKind::NotFound,
            Self::Run { .. }
            | Self::Memory { .. }
            | Self::Failed { .. }
            | Self::Unreadable { .. } => false,
        }
    }
}

fn joined(prefix: &str, path: &Path) -> OsString {
    OsString::from_iter([OsStr::new(prefix), path.as_os_str()])
}

/// Reads `git version 2.39.5 (Apple Git-154)`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Bytes as git prints a name where it has to be on one line: readable, with the odd bytes escaped.
#[must_use]
pub fn display_name(name: &[u8]) -> String {
    OsStr::from_bytes(name).to_str().map_or_else(
        || name.escape_ascii().to_string(),
        |text| text.escape_debug().to_string(),
    )
}

#[cfg(test)]
mod tests;
