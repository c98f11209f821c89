//! Directories that the guest moves while something that is denied comes into them.
//!
//! **Invariant:** a secret counts as seen only when it had certainly arrived at its denied place before it was moved: the
//! kernel itself can put a file into a directory that has been moved since the path to it was looked up.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ringfence_tests_sandbox::probe::op;
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, fstat, open, renameat, renameat_with, stat,
};
use serde_json::{Value, json};

use super::ground::{Ground, SECRET};

/// Puts one secret after the other to where it is denied in `docs/a`, takes it away again, and returns the numbers of those
/// that were there.
pub(crate) fn keep_coming(ground: &Ground, over: &AtomicBool, swaps: &AtomicU64) -> BTreeSet<u64> {
    let (stage, dir) = (ground.at("../stage/hush"), ground.at("docs/a"));
    let mut arrived = BTreeSet::new();
    for number in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        fs::write(&stage, format!("{SECRET}-{number};")).unwrap();
        let Ok(held) = open(&dir, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()) else {
            continue;
        };
        renameat(CWD, &stage, &held, "hush.txt").unwrap();
        swaps.fetch_add(1, Ordering::Relaxed);
        let (is, was) = (stat(&dir), fstat(held.as_fd()).unwrap());
        if is.is_ok_and(|is| is.st_ino == was.st_ino) {
            arrived.insert(number);
        }
        for _ in 0..number % 64 {
            std::hint::spin_loop();
        }
        let _gone = rustix::fs::unlinkat(&held, "hush.txt", AtFlags::empty()).is_ok();
    }
    arrived
}

/// Moves the directory that they come into, and looks whether one has come along.
pub(crate) fn carry_away() -> Vec<Value> {
    let there = json!({ "path": "docs/a", "new_path": "docs/free" });
    let back = json!({ "path": "docs/free", "new_path": "docs/a" });
    let mut plan = vec![op("rename-at", there)];
    plan.extend(look("docs/free/hush.txt"));
    plan.push(op(
        "unlink-file-at",
        json!({ "path": "docs/free/hush.txt" }),
    ));
    plan.push(op("rename-at", back));
    plan
}

/// Exchanges a file for a directory with a secret that is denied in both places.
pub(crate) fn keep_exchanging(ground: &Ground, over: &AtomicBool, swaps: &AtomicU64) {
    let (file, dir) = (ground.at("docs/f"), ground.at("docs/g"));
    while !over.load(Ordering::Relaxed) {
        // Fails while the guest has moved the one or the other.
        if renameat_with(CWD, &file, CWD, &dir, RenameFlags::EXCHANGE).is_ok() {
            swaps.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Moves the file, which may be the directory by then.
pub(crate) fn carry_file() -> Vec<Value> {
    let there = json!({ "path": "docs/f", "new_path": "out/free" });
    let back = json!({ "path": "out/free", "new_path": "docs/f" });
    let mut plan = vec![op("rename-at", there)];
    plan.extend(look("out/free/hush.txt"));
    plan.push(op("rename-at", back));
    plan
}

fn look(path: &str) -> [Value; 3] {
    [
        op(
            "open",
            json!({ "path": path, "descriptor": ["read"], "as": "h" }),
        ),
        op("read", json!({ "on": "h", "length": 99 })),
        op("drop", json!({ "on": "h" })),
    ]
}
