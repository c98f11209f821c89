//! What other processes may do to a name while a guest uses it.
//!
//! Each thing is made ready beside the workspace and then exchanged with what stands under the name, so that the name always
//! leads to something, whatever the guest has done there meanwhile.
//!
//! **Invariant:** no secret is ever moved: what a guest can reach of one, it reaches by a link or by a second name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};

use super::ground::Ground;

/// A thing that can stand under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Dir,
    LinkToOwn,
    LinkToSecret,
    LinkToSecrets,
    LinkToOutside,
    LinkOutside,
    SecondNameOfSecret,
    SecondNameOutside,
    Fifo,
    LinkToItself,
}

/// The order in which a name changes: what may be used and what may not take turns.
pub(crate) const TURNS: [Kind; 17] = [
    Kind::File,
    Kind::LinkToSecret,
    Kind::Dir,
    Kind::LinkToSecrets,
    Kind::File,
    Kind::SecondNameOfSecret,
    Kind::Dir,
    Kind::LinkToOutside,
    Kind::File,
    Kind::SecondNameOutside,
    Kind::LinkToOwn,
    Kind::LinkOutside,
    Kind::Dir,
    Kind::Fifo,
    Kind::File,
    Kind::LinkToItself,
    Kind::Dir,
];

/// Swaps what stands at `docs/x` and `docs/up` until `over`, and counts how often.
pub(crate) fn keep_swapping(ground: &Ground, kinds: &[Kind], over: &AtomicBool, swaps: &AtomicU64) {
    let names = ["docs/x", "docs/up"];
    for (kind, name) in kinds.iter().cycle().zip(names.iter().cycle()) {
        if over.load(Ordering::Relaxed) {
            return;
        }
        put(ground, name, *kind);
        let swapped = swaps.fetch_add(1, Ordering::Relaxed);
        // Sometimes at once, sometimes only after the guest has done something.
        for _ in 0..(swapped % 7) * 1_000 {
            std::hint::spin_loop();
        }
    }
}

/// Gives a secret a second name at `docs/second` and takes it away, there or where it was moved to, until `over`.
pub(crate) fn keep_naming(ground: &Ground, over: &AtomicBool, swaps: &AtomicU64) {
    let (secret, second) = (ground.at("secrets/s.txt"), ground.at("docs/second"));
    let moved = ground.at("secrets/second");
    while !over.load(Ordering::Relaxed) {
        fs::hard_link(&secret, &second).unwrap();
        let swapped = swaps.fetch_add(1, Ordering::Relaxed);
        if swapped.is_multiple_of(2) {
            fs::remove_file(&second).unwrap();
        } else {
            fs::rename(&second, &moved).unwrap();
            fs::remove_file(&moved).unwrap();
        }
    }
}

/// Lets `docs/size` grow and shrink until `over`.
pub(crate) fn keep_resizing(ground: &Ground, over: &AtomicBool, swaps: &AtomicU64) {
    let file = fs::File::create(ground.at("docs/size")).unwrap();
    while !over.load(Ordering::Relaxed) {
        let swapped = swaps.fetch_add(1, Ordering::Relaxed);
        file.set_len((swapped % 5) * 70_000).unwrap();
    }
}

/// Puts a fresh thing of `kind` under `name` in one step.
pub(crate) fn put(ground: &Ground, name: &str, kind: Kind) {
    let stage = ground.at("../stage/next");
    make(ground, &stage, kind);
    let place = ground.at(name);
    let swapped = renameat_with(CWD, &stage, CWD, &place, RenameFlags::EXCHANGE);
    if swapped.is_err() {
        // The guest has taken away what was there, or a directory is in the way by now.
        let _gone = fs::rename(&stage, &place).is_ok();
    }
    clear(&stage);
}

fn make(ground: &Ground, at: &Path, kind: Kind) {
    match kind {
        Kind::File => fs::write(at, "plain words").unwrap(),
        Kind::Dir => {
            fs::create_dir(at).unwrap();
            for name in ["s.txt", "x"] {
                fs::write(at.join(name), "plain words").unwrap();
            }
        }
        Kind::LinkToOwn => symlink("other", at).unwrap(),
        Kind::LinkToSecret => symlink("../secrets/s.txt", at).unwrap(),
        Kind::LinkToSecrets => symlink("../secrets", at).unwrap(),
        Kind::LinkToOutside => symlink("../../outside", at).unwrap(),
        Kind::LinkOutside => symlink("../../outside/s.txt", at).unwrap(),
        Kind::SecondNameOfSecret => fs::hard_link(ground.at("secrets/s.txt"), at).unwrap(),
        Kind::SecondNameOutside => fs::hard_link(ground.at("../outside/twice.txt"), at).unwrap(),
        Kind::Fifo => {
            mknodat(CWD, at, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        }
        Kind::LinkToItself => symlink("x", at).unwrap(),
    }
}

/// Removes whatever stands at `at`.
pub(crate) fn clear(at: &Path) {
    while let Ok(found) = at.symlink_metadata() {
        // A guest that still has the directory open may put something in while it goes.
        let _again = if found.is_dir() {
            fs::remove_dir_all(at).is_err()
        } else {
            fs::remove_file(at).is_err()
        };
    }
}
