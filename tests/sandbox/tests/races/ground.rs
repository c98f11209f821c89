//! A workspace with secrets in and beside it, and what must stay as it is there.
//!
//! | place | may be |
//! | --- | --- |
//! | `docs/**`, `out/**` | read and written, but for `docs/?/hush.txt` |
//! | `secrets/**` | denied |
//! | `../outside` | no place at all |
//! | `../stage` | where the swapping thread makes things ready |
//!
//! **Invariant:** what is secret shows by its bytes, its name, its time or its size, so that no answer can hold any of
//! them unnoticed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::sandbox::{Call, Mount, Times};
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::probe::{Grant, policy};

/// What must never come out: the bytes of every secret file, and the name of one.
pub(crate) const SECRET: &str = "xyzzy-unseen-4711";
const SECRET_SIZE: usize = 4_711;
const SECRET_TIME: u64 = 4_711_471_147;
/// Any of these in an answer is a leak.
pub(crate) const TELLTALES: [&str; 3] = [SECRET, "\"size\":4711,", "\"mtime\":4711471147"];

const GRANT: Grant<'_> = Grant {
    read: &["docs/**", "out/**"],
    write: &["docs/**", "out/**"],
    deny: &["secrets/**", "docs/?/hush.txt"],
};

/// The temporary directory of one race.
#[derive(Debug)]
pub(crate) struct Ground {
    dir: tempfile::TempDir,
    /// Whether this thread has `openat2`.
    pub(crate) kernel_resolves: bool,
}

/// Content and metadata that nobody may change, by path.
pub(crate) type Kept = BTreeMap<PathBuf, (Vec<u8>, u32, u64, (i64, i64))>;

impl Ground {
    pub(crate) fn new(kernel_resolves: bool) -> Self {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let ground = Self {
            dir: dir.unwrap(),
            kernel_resolves,
        };
        for made in ["docs", "out", "secrets/sub", "../outside/sub", "../stage"] {
            fs::create_dir_all(ground.at(made)).unwrap();
        }
        for area in ["secrets", "../outside"] {
            for name in ["s.txt", "x", "sub/s.txt", SECRET] {
                ground.hide(&format!("{area}/{name}"));
            }
        }
        // May be read under another name by whoever was given one, and never written.
        fs::write(ground.at("../outside/twice.txt"), "plain words").unwrap();
        ground
    }

    /// Where `path` is on the host.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join("workspace").join(path)
    }

    fn hide(&self, path: &str) {
        let mut bytes = SECRET.as_bytes().repeat(SECRET_SIZE);
        bytes.truncate(SECRET_SIZE);
        fs::write(self.at(path), bytes).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(SECRET_TIME);
        let file = fs::File::options().write(true).open(self.at(path)).unwrap();
        file.set_modified(time).unwrap();
    }

    /// The call of `component` as a gate that may do what the table above says.
    pub(crate) fn call(&self, component: &Component) -> Call {
        let mut call = component.call(&Case::new(), Role::Gate);
        call.mounts = vec![Mount {
            guest_path: "/".to_owned(),
            host_path: self.at("."),
            policy: policy(GRANT),
        }];
        call.times = Times::Real;
        call
    }

    /// Everything in the secret places as it is now.
    pub(crate) fn kept(&self) -> Kept {
        let mut kept = Kept::new();
        look_below(&self.at("secrets"), &mut kept);
        look_below(&self.at("../outside"), &mut kept);
        kept
    }
}

fn look_below(dir: &Path, kept: &mut Kept) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let found = entry.metadata().unwrap();
        let bytes = if found.is_file() {
            fs::read(entry.path()).unwrap()
        } else {
            Vec::new()
        };
        let modified = (found.mtime(), found.mtime_nsec());
        let size = if found.is_file() { found.len() } else { 0 };
        kept.insert(entry.path(), (bytes, found.mode(), size, modified));
        if found.is_dir() {
            look_below(&entry.path(), kept);
        }
    }
}
