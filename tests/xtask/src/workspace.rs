//! Where things stand in the repository, and the few file and process habits that every task shares.
//!
//! Owns the root folder's discovery, error texts that name the path, and running a program to its end.
//!
//! **Invariant:** a failing program or file is an error that names the command line or the path.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// The repository's root folder.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the root from this crate's own place.
    ///
    /// # Errors
    /// The sources were moved away after the build.
    pub(crate) fn find() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here
            .ancestors()
            .nth(2)
            .context("the xtask crate lies two folders below the root")?;
        if !root.join("wit/beat.wit").is_file() {
            bail!("{} is not this workspace's root any more", root.display());
        }
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// The root itself, absolute.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root; `relative` uses `/`.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// `program` with the root as its folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that started this task.
    pub(crate) fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }
}

/// Runs a program and fails with its command line unless it ends well.
///
/// # Errors
/// The program cannot be started or exits with another status than 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("starting {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// Runs a program and returns its standard output, trimmed.
///
/// # Errors
/// The program cannot be started, exits with another status than 0, or prints something that is not UTF-8.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} ended with {}: {stderr}", output.status);
    }
    let text = String::from_utf8(output.stdout).with_context(|| format!("{command:?}"))?;
    Ok(text.trim().to_owned())
}

/// Reads a file; the error names it.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("reading {}", path.display()))
}

/// Reads a text file; the error names it.
///
/// # Errors
/// The file cannot be read or is not UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// Writes a file and the folders above it; the error names it.
///
/// # Errors
/// The file or a folder cannot be written.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)
            .with_context(|| format!("creating {}", parent.display()))?;
    }
    std::fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}

/// Tells the person at the terminal what is going on.
#[expect(clippy::print_stderr, reason = "the one place where tasks speak")]
pub(crate) fn say(text: &str) {
    eprintln!("xtask: {text}");
}
