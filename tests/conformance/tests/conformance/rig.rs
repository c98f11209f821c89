//! A folder for a program to work in, and `ringfence exec` run there.
//!
//! **Invariant:** the program under test gets no environment but what is written here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program as Cargo has just built it.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ringfence-conforming");

/// A folder of its own.
pub(crate) struct Rig {
    temp: tempfile::TempDir,
}

/// What was printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The guest, as a file.
pub(crate) fn guest() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("target/guests/conform.wasm");
    assert!(
        path.exists(),
        "{}: run `cargo xtask guests`",
        path.display()
    );
    path.canonicalize().unwrap()
}

/// Where compiled code is kept between tests.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance-cache")
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self {
            temp: tempfile::tempdir().unwrap(),
        }
    }

    /// With these files; a path that ends in a slash is a folder.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let rig = Self::new();
        for (path, text) in files {
            let path = rig.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        rig
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.temp.path().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// `ringfence exec` in the folder, not yet started.
    pub(crate) fn exec(&self, options: &[&str], args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .current_dir(self.temp.path())
            .env_clear()
            .env("XDG_CACHE_HOME", cache())
            .arg("exec")
            .arg(guest())
            .args(options)
            .arg("--")
            .args(args)
            .stdin(Stdio::null());
        command
    }

    /// Runs a deed of the guest.
    pub(crate) fn run(&self, options: &[&str], args: &[&str]) -> Ran {
        self.exec(options, args).output().unwrap().into()
    }

    /// The same with a report.
    pub(crate) fn reported(&self, options: &[&str], args: &[&str]) -> (Ran, Value) {
        // Out of the program's reach.
        let away = tempfile::tempdir().unwrap();
        let report = away.path().join("report.json");
        let mut options = options.to_vec();
        options.extend(["--report", report.to_str().unwrap()]);
        let ran = self.run(&options, args);
        let report = std::fs::read_to_string(report).unwrap();
        (ran, serde_json::from_str(&report).unwrap())
    }
}
