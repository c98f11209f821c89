//! Names that others take away between two steps of a verb.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::lone::{is_lone, settle};
use super::super::walk::{Entry, Found, resolve};
use super::*;

use rustix::fs::Stat;

type Deed = fn(&dyn Fn(&str) -> PathBuf);

impl World {
    /// What is to be read under `path`.
    fn entry(&self, path: &str) -> Entry {
        let found = resolve(&self.root, path, Keep, Access::Read, &self.fs.meter);
        match found {
            Ok(Found::Entry(entry)) => entry,
            other => panic!("{other:?}"),
        }
    }
}

fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    fs::rename(from, to).unwrap();
}

/// The file has one name whenever it is asked; what counts is whether that is the one that was judged.
#[test]
fn a_lone_name_is_the_one_that_was_judged() {
    let cases: [(&str, bool, Deed); 9] = [
        ("nothing", true, |_| ()),
        ("gone", false, |at| {
            fs::remove_file(at("docs/one")).unwrap();
        }),
        ("replaced", false, |at| {
            rename(at("docs/a.md"), at("docs/one"))
        }),
        ("moved out", false, |at| {
            rename(at("docs/one"), at("secrets/one"));
        }),
        ("moved and put back as a second name", false, |at| {
            rename(at("docs/one"), at("secrets/one"));
            fs::hard_link(at("secrets/one"), at("docs/one")).unwrap();
        }),
        ("exchanged for the other name", false, |at| {
            fs::hard_link(at("docs/one"), at("secrets/one")).unwrap();
            fs::remove_file(at("docs/one")).unwrap();
            fs::hard_link(at("secrets/one"), at("docs/one")).unwrap();
            fs::remove_file(at("secrets/one")).unwrap();
        }),
        ("moved with its directory", false, |at| {
            rename(at("docs"), at("secrets/docs"));
        }),
        ("there and back", true, |at| {
            rename(at("docs/one"), at("secrets/one"));
            rename(at("secrets/one"), at("docs/one"));
        }),
        ("another name came and went", true, |at| {
            fs::hard_link(at("docs/one"), at("secrets/one")).unwrap();
            fs::remove_file(at("secrets/one")).unwrap();
        }),
    ];
    for (what, expect, deed) in cases {
        both(|world| {
            let at = |path: &str| world.dir.path().join(path);
            fs::write(at("docs/one"), "one").unwrap();
            let entry = world.entry("docs/one");
            let file = sys::hold(entry.parent.fd(), &entry.name).unwrap().unwrap();
            let counted = rustix::fs::fstat(&file).unwrap();
            deed(&at);
            assert_eq!(
                is_lone(&entry, Some(file.as_fd()), &counted),
                expect,
                "{what}"
            );
        });
    }
}

// A count is believed wrongly once in a thousand times by whoever waits for nobody.
const COUNTS_OF_ONE: u32 = 20_000;
// Most tries find nothing, or two names; on a busy machine nearly all do.
const TRIES_MAX: u32 = 500_000;

/// The name goes while the file is asked, and what is left is never the one that was judged.
#[test]
fn a_name_that_is_being_taken_away_is_waited_for() {
    let world = world(false);
    let at = |path: &str| world.dir.path().join(path);
    fs::write(at("secrets/one"), SECRET).unwrap();
    fs::hard_link(at("secrets/one"), at("docs/one")).unwrap();
    let entry = world.entry("docs/one");
    let over = AtomicBool::new(false);
    let (mut counted, mut believed) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                fs::remove_file(at("docs/one")).unwrap();
                fs::hard_link(at("secrets/one"), at("docs/one")).unwrap();
            }
        });
        for _ in 0..TRIES_MAX {
            let Ok(Some(file)) = sys::hold(entry.parent.fd(), &entry.name) else {
                continue;
            };
            let stat = rustix::fs::fstat(&file).unwrap();
            if sys::name_count(&stat) == 1 {
                counted += 1;
                believed += u32::from(is_lone(&entry, Some(file.as_fd()), &stat));
            }
            if counted == COUNTS_OF_ONE {
                break;
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert_eq!(believed, 0, "of {counted}");
    assert!(counted > 0, "nothing was raced");
}

/// Where the kernel's word can mean both, the time of the last change decides, which no deed here leaves as it was.
#[test]
fn without_the_kernels_word_the_times_tell() {
    let cases: [(&str, bool, Deed); 3] = [
        ("nothing", true, |_| ()),
        ("cut short and gone", false, |at| {
            rename(at("docs/x (deleted)"), at("docs/x"));
            fs::remove_file(at("docs/x")).unwrap();
        }),
        ("gone", false, |at| {
            fs::remove_file(at("docs/x (deleted)")).unwrap();
        }),
    ];
    for (what, expect, deed) in cases {
        for told in [true, false] {
            let world = world(false);
            let at = |path: &str| world.dir.path().join(path);
            fs::write(at("docs/x (deleted)"), "x").unwrap();
            let entry = world.entry("docs/x (deleted)");
            let file = sys::hold(entry.parent.fd(), &entry.name).unwrap().unwrap();
            let counted = rustix::fs::fstat(&file).unwrap();
            deed(&at);
            let file = told.then_some(file.as_fd());
            assert_eq!(is_lone(&entry, file, &counted), expect, "{what}");
        }
    }
}

/// Only in a directory that was waited for, long after it had last changed, is a file believed without a second look.
#[test]
fn what_changed_lately_is_not_settled() {
    let world = world(false);
    let Some(waits) = &world.root.tree.waits else {
        return;
    };
    let entry = world.entry("docs/a.md");
    let found = entry.stat.unwrap();
    let dir = || rustix::fs::fstat(entry.parent.fd()).unwrap();
    let changed = dir().st_ctime;
    let is_settled = |until, dir: &Stat| {
        waits.remember(dir, until);
        waits.show_quiet(dir)
    };
    assert!(!waits.show_quiet(&dir()), "never waited for");
    let mut old = dir();
    old.st_ctime = changed - 100;
    for (until, expect) in [
        (changed - 97, false),
        (changed - 96, true),
        (changed, true),
        // The clock has been set back since.
        (changed + 1_000, false),
    ] {
        assert_eq!(is_settled(until, &old), expect, "{until}");
    }
    waits.remember(&old, changed);
    let mut other = old;
    other.st_ino += 64;
    assert!(!waits.show_quiet(&other), "another directory");
    // A second look that finds something else is what `settle` would have spared.
    fs::remove_file(world.dir.path().join("docs/a.md")).unwrap();
    assert!(settle(&entry, &found).unwrap().is_none());
}

/// A handle for reading does not set the times of a file that others have moved to where it may only be read, or not at all.
#[test]
fn a_handle_for_reading_does_not_touch_what_was_moved_away() {
    for (to, expect) in [
        ("docs/one", Fine),
        ("out/one", Fine),
        ("src/one", Denied),
        ("secrets/one", Denied),
    ] {
        both(|world| {
            let at = |path: &str| world.dir.path().join(path);
            fs::write(at("docs/one"), "one").unwrap();
            let open = |flags| world.open("docs/one", OpenFlags::empty(), flags).unwrap();
            let (reading, writing) = (open(Flags::READ), open(Flags::WRITE));
            rename(at("docs/one"), at(to));
            let now = NewTimestamp::Now;
            assert_eq!(end(&world.fs.set_times(&reading, now, now)), expect, "{to}");
            assert_eq!(end(&world.fs.set_times(&writing, now, now)), Fine, "{to}");
        });
    }
}
