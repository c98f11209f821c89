//! Answers that need not be asked for again.
//!
//! A component without clock, network and commands is a function of what it is given: its bytes, its config, its grant,
//! the tree it looks at, and for a gate the change. [`StepKey`] is the digest of all that, and names the file an answer is
//! kept in.
//!
//! **Invariant:** only an answer is kept, never a failure; a file that is damaged, or was written by another version of the
//! host, counts as none.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ringfence_core::call::CallReport;
use ringfence_core::digest::{Digest, PartsHasher};
use ringfence_core::json;
use ringfence_core::spec::LockedStep;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::state_dir::{read_plain, write_cached};

// Limit: some hundred beats' steps; those that were not used for longest go first.
const ENTRIES_MAX: usize = 500;
// Limit: what a person does not miss on a disk; an honest answer is some KiB.
const BYTES_MAX: u64 = 256 << 20;
// Limit: twice what the largest answer may weigh.
const ENTRY_BYTES_MAX: u64 = 64 << 20;
/// What may change an answer besides the key: the release, and a number that goes up within one when components are shown
/// something else.
const VERSION: &str = concat!("ringfence ", env!("CARGO_PKG_VERSION"), " answers 2");

/// Everything that decides a step's answer, as one digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepKey(pub Digest);

impl StepKey {
    /// The key of `step` on the tree `tree` at the clock's `start` (seconds since 1970), with what else it is given.
    #[must_use]
    pub fn new(step: &LockedStep, tree: &str, start: u64, more: &[(&str, &[u8])]) -> Self {
        let mut hasher = PartsHasher::new("ringfence step 1");
        hasher
            .part("version", VERSION.as_bytes())
            .part("fuel rules", ringfence_sandbox::FUEL_RULES.as_bytes())
            .part("component", step.digest.as_bytes())
            .part("role", step.role.as_str().as_bytes())
            .part("config", json::canonical(&step.config).as_bytes())
            .part("grant", step.grant_digest().as_bytes())
            .part("tree", tree.as_bytes())
            .part("start", &start.to_le_bytes());
        for (name, value) in more {
            hasher.part(name, value);
        }
        Self(hasher.finish())
    }
}

/// An answer and what it cost when it was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remembered<T> {
    /// The answer.
    pub answer: T,
    /// The report of the call.
    pub report: CallReport,
}

/// The answers of one loop.
#[derive(Debug, Clone)]
pub struct Memo {
    dir: PathBuf,
    enabled: bool,
}

impl Memo {
    /// The memo in `dir`; one that is not `enabled` knows nothing, but still learns.
    #[must_use]
    pub fn new(dir: PathBuf, enabled: bool) -> Self {
        Self { dir, enabled }
    }

    /// The answer to `key`, if it is known.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, key: StepKey) -> Option<Remembered<T>> {
        let path = self.enabled.then(|| self.path(key))?;
        let text = read_plain(&path, ENTRY_BYTES_MAX)?;
        let (sum, text) = text.split_once('\n')?;
        let whole = sum == Digest::of(text.as_bytes()).to_string();
        let remembered = whole.then(|| serde_json::from_str(text).ok())?;
        touch(&path);
        remembered
    }

    /// Keeps an answer. What cannot be kept is asked for again, so a failure here is only worth a line in the log.
    pub fn put<T: Serialize>(&self, key: StepKey, remembered: &Remembered<T>) {
        let Ok(text) = serde_json::to_string(remembered) else {
            return;
        };
        if text.len() as u64 >= ENTRY_BYTES_MAX {
            return;
        }
        let sum = Digest::of(text.as_bytes());
        let path = self.path(key);
        // Not flushed: an entry that is torn has another digest.
        if let Err(error) = write_cached(&path, format!("{sum}\n{text}").as_bytes()) {
            tracing::debug!(path = %path.display(), %error, "an answer could not be kept");
        }
    }

    /// Lets go what was not used for longest, down to what is kept. To be called once the answers of a run are in.
    pub fn shrink(&self) {
        self.shrink_to(ENTRIES_MAX, BYTES_MAX);
    }

    fn path(&self, key: StepKey) -> PathBuf {
        self.dir.join(format!("{}.json", key.0.hex()))
    }

    fn shrink_to(&self, entries_max: usize, bytes_max: u64) {
        let Ok(entries) = fs::read_dir(&self.dir) else {
            return;
        };
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let meta = entry.metadata().ok()?;
                let made = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                Some((made, meta.len(), entry.path()))
            })
            .collect();
        entries.sort_unstable_by(|a, b| b.cmp(a));
        let mut bytes = 0_u64;
        for (n, (_, len, path)) in entries.iter().enumerate() {
            bytes = bytes.saturating_add(*len);
            if (n >= entries_max || bytes > bytes_max) && fs::remove_file(path).is_err() {
                return;
            }
        }
    }
}

/// Marks an answer as used just now, so that it is not among the first to go. If that fails, it goes earlier.
fn touch(path: &Path) {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    let times = Timestamps {
        last_access: now,
        last_modification: now,
    };
    if let Err(error) = utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW) {
        tracing::debug!(path = %path.display(), %error, "an answer could not be marked as used");
    }
}

#[cfg(test)]
mod tests {
    use ringfence_core::call::{Spent, Usage};
    use ringfence_core::quantity::{Bytes, Fuel};

    use super::*;

    fn remembered(answer: &str) -> Remembered<String> {
        let usage = Usage {
            fuel: Spent {
                used: Fuel(1),
                limit: Fuel(2),
            },
            memory: Spent {
                used: Bytes(1),
                limit: Bytes(2),
            },
            bytes_read: Bytes(0),
            bytes_written: Bytes(0),
        };
        let report = CallReport {
            usage,
            denials: vec![],
            denials_dropped: 0,
            log: vec![],
            log_bytes_dropped: 0,
        };
        Remembered {
            answer: answer.to_owned(),
            report,
        }
    }

    #[test]
    fn keeps_what_is_whole_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let memo = Memo::new(dir.path().to_owned(), true);
        let key = StepKey(Digest::of(b"key"));
        assert_eq!(memo.get::<String>(key), None);
        memo.put(key, &remembered("yes"));
        assert_eq!(memo.get(key), Some(remembered("yes")));
        assert_eq!(
            Memo::new(dir.path().to_owned(), false).get::<String>(key),
            None
        );
        let text = fs::read_to_string(memo.path(key)).unwrap();
        for damaged in [
            text.replace("yes", "no!"),
            text[..text.len() - 1].to_owned(),
            String::new(),
        ] {
            fs::write(memo.path(key), damaged).unwrap();
            assert_eq!(memo.get::<String>(key), None);
        }
    }

    #[test]
    fn the_oldest_answers_go_first() {
        let dir = tempfile::tempdir().unwrap();
        let memo = Memo::new(dir.path().to_owned(), true);
        for n in 0..6_u8 {
            memo.put(StepKey(Digest::of(&[n])), &remembered("x"));
        }
        memo.shrink_to(4, u64::MAX);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
        let len = fs::metadata(memo.path(StepKey(Digest::of(&[5]))))
            .unwrap()
            .len();
        memo.shrink_to(4, 2 * len);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_link_is_no_answer() {
        let dir = tempfile::tempdir().unwrap();
        let memo = Memo::new(dir.path().to_owned(), true);
        let key = StepKey(Digest::of(b"key"));
        std::os::unix::fs::symlink("/dev/zero", memo.path(key)).unwrap();
        assert_eq!(memo.get::<String>(key), None);
    }
}
