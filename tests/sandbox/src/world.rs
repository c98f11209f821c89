//! A workspace with something of every kind in it, beside a directory that is not part of it.
//!
//! | place | may be |
//! | --- | --- |
//! | `docs/**`, `out/**` | read and written, `**/*.key` excepted |
//! | `src/**` | read |
//! | `hidden/**` | neither: no list has it |
//! | `wide` | passed through, for the sake of `wide/one/*.md` |
//! | `secrets/**` | denied |
//! | `../outside` | no place at all |
//!
//! **Invariant:** every file that may not be read holds [`SECRET`], and no other does.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use ringfence_testkit::sandbox::{Call, Mount, Times};
use ringfence_testkit::{Case, Component, core::manifest::Role};
use rustix::fs::{CWD, FileType, Mode};

use crate::probe::{Grant, policy};
use crate::stop;

/// What must never come out.
pub const SECRET: &str = "xyzzy-unseen-4711";

/// What may be done in a [`World`].
pub const GRANT: Grant<'_> = Grant {
    read: &["docs/**", "out/**", "src/**", "wide/one/*.md"],
    write: &["docs/**", "out/**"],
    deny: &["secrets/**", "**/*.key", "out/moved/*.lock"],
};

/// The workspace and what is beside it.
#[derive(Debug)]
pub struct World {
    dir: tempfile::TempDir,
}

/// What can be seen of one file, directory or link without opening what a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    mode: u32,
    size: u64,
    modified: (i64, i64),
    bytes: Vec<u8>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Makes everything.
    ///
    /// # Panics
    /// When the temporary directory cannot be filled.
    #[must_use]
    pub fn new() -> Self {
        // A world is made anew hundreds of times: in memory, where there is such a place.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let world = Self {
            dir: dir.unwrap_or_else(|error| stop(error)),
        };
        for path in [
            "docs/deep/er",
            "docs/empty",
            "out",
            "src/lib",
            "hidden/dir",
            "wide/one",
            "secrets/deep",
            "../outside/dir",
        ] {
            fs::create_dir_all(world.at(path)).unwrap_or_else(|error| stop(error));
        }
        world.make_files();
        world.make_links();
        world.make_special();
        world
    }

    fn make_files(&self) {
        for path in [
            "docs/a.md",
            "docs/neighbour.md",
            "docs/spare.md",
            "docs/own.md",
            "docs/deep/b.md",
            "docs/deep/er/c.md",
            "src/main.rs",
            "src/twice.rs",
            "src/lib/mod.rs",
            "wide/one/w.md",
            "../outside/twice.txt",
        ] {
            self.put(path, "plain words");
        }
        for path in [
            "docs/x.key",
            "hidden/h.txt",
            "hidden/twice.txt",
            "hidden/dir/h.txt",
            "wide/two.md",
            "secrets/s.txt",
            "secrets/twice.txt",
            "secrets/deep/t.txt",
            "../outside/o.txt",
            "../outside/dir/o.txt",
        ] {
            self.put(path, SECRET);
        }
    }

    fn make_links(&self) {
        for (name, target) in [
            ("own", "a.md"),
            ("src", "../src/main.rs"),
            ("hidden", "../hidden/h.txt"),
            ("secret", "../secrets/s.txt"),
            ("outside", "../../outside/o.txt"),
        ] {
            self.link(target, &format!("docs/to-{name}"));
            self.link(&format!("to-{name}"), &format!("docs/chain-{name}"));
        }
        for (name, target) in [
            ("own", "deep"),
            ("src", "../src/lib"),
            ("hidden", "../hidden/dir"),
            ("secret", "../secrets/deep"),
            ("outside", "../../outside/dir"),
        ] {
            self.link(target, &format!("docs/into-{name}"));
        }
        for (name, target) in [
            ("own", "nothing"),
            ("src", "../src/nothing"),
            ("hidden", "../hidden/nothing"),
            ("secret", "../secrets/nothing"),
            ("outside", "../../outside/nothing"),
        ] {
            self.link(target, &format!("docs/dangling-{name}"));
        }
        self.link("/etc/passwd", "docs/absolute");
        self.link("loop-b", "docs/loop-a");
        self.link("loop-a", "docs/loop-b");
        for (name, old) in [
            ("own", "docs/own.md"),
            ("src", "src/twice.rs"),
            ("hidden", "hidden/twice.txt"),
            ("secret", "secrets/twice.txt"),
            ("outside", "../outside/twice.txt"),
        ] {
            let new = self.at(&format!("docs/twice-{name}"));
            fs::hard_link(self.at(old), new).unwrap_or_else(|error| stop(error));
        }
    }

    fn make_special(&self) {
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(CWD, self.at("docs/fifo"), FileType::Fifo, mode, 0)
            .unwrap_or_else(|error| stop(error));
        // The socket stays when the listener is gone.
        drop(UnixListener::bind(self.at("docs/socket")).unwrap_or_else(|error| stop(error)));
    }

    /// Where `path` is on the host.
    #[must_use]
    pub fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join("workspace").join(path)
    }

    fn put(&self, path: &str, text: &str) {
        fs::write(self.at(path), text).unwrap_or_else(|error| stop(error));
    }

    fn link(&self, target: &str, path: &str) {
        symlink(target, self.at(path)).unwrap_or_else(|error| stop(error));
    }

    /// The call of `component` as a gate that may do what [`GRANT`] says.
    #[must_use]
    pub fn call(&self, component: &Component) -> Call {
        let mut call = component.call(&Case::new(), Role::Gate);
        call.mounts = vec![Mount {
            guest_path: "/".to_owned(),
            host_path: self.at("."),
            policy: policy(GRANT),
        }];
        call.times = Times::Real;
        call
    }

    /// Everything that is there, by its path from the workspace.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn look(&self) -> BTreeMap<String, Seen> {
        let mut seen = BTreeMap::new();
        look_below(&self.at("."), "", &mut seen);
        look_below(&self.at("../outside"), "../outside/", &mut seen);
        seen
    }
}

fn look_below(dir: &Path, prefix: &str, seen: &mut BTreeMap<String, Seen>) {
    for entry in fs::read_dir(dir).unwrap_or_else(|error| stop(error)) {
        let entry = entry.unwrap_or_else(|error| stop(error));
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let found = entry.metadata().unwrap_or_else(|error| stop(error));
        let kind = found.file_type();
        let bytes = if kind.is_file() {
            fs::read(entry.path()).unwrap_or_else(|error| stop(error))
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap_or_else(|error| stop(error));
            target.into_os_string().into_encoded_bytes()
        } else {
            Vec::new()
        };
        let size = if kind.is_dir() { 0 } else { found.len() };
        let modified = (found.mtime(), found.mtime_nsec());
        let mode = found.mode();
        seen.insert(
            name.clone(),
            Seen {
                mode,
                size,
                modified,
                bytes,
            },
        );
        if kind.is_dir() {
            look_below(&entry.path(), &format!("{name}/"), seen);
        }
    }
}

/// The paths at which two looks differ.
#[must_use]
pub fn differing<'a>(
    before: &'a BTreeMap<String, Seen>,
    after: &'a BTreeMap<String, Seen>,
) -> Vec<&'a str> {
    let paths = before.keys().chain(after.keys());
    let mut paths: Vec<&str> = paths
        .filter(|path| before.get(*path) != after.get(*path))
        .map(String::as_str)
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// True where [`GRANT`] lets something be written.
#[must_use]
pub fn may_change(path: &str) -> bool {
    (path.starts_with("docs") || path.starts_with("out")) && !path.ends_with(".key")
}
