//! Where a path leads, compared with the kernel: random trees of directories, files and links, and random paths in them.
//!
//! The oracle is `openat2` with `RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS`. Everything is allowed, so the walk must lead to the
//! same file or end for the same reason, with the kernel resolving and name by name. Every file has a time of its
//! own, by which an answer says what it is of.
//!
//! What differs, and why:
//!
//! - the kernel's `EXDEV`, for an absolute link and for a way that leads out, is a denial here, and reported;
//! - a path leads at most 128 directories down (not reached here);
//! - backslashes and drive letters are no names here (not tried here).
//!
//! How many: the same sixty trees on every run, or `RINGFENCE_TREES` others, each with some hundred lookups. A failing
//! tree is shrunk and printed; those that failed once are in [`known`].
//!
//! **Invariant:** trees and paths are made of few names, so that paths meet what is there.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end at once"
)]

#[path = "plans/runs.rs"]
mod runs;

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::sandbox::{Mount, Times};
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::probe::{Grant, carry_out, op, policy};
use ringfence_tests_sandbox::{guest, without_openat2};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, Timespec, Timestamps};
use rustix::io::Errno;
use serde_json::{Value, json};

static PROBE: LazyLock<Component> = LazyLock::new(|| guest("probe"));

/// What a tree is made of, in the order in which it is made; what does not fit is left out.
#[derive(Debug, Clone)]
enum Made {
    Dir(Vec<&'static str>),
    File(Vec<&'static str>),
    Link(Vec<&'static str>, String),
}

/// A tree, the directory whose handle is held, and paths from there and from the root.
#[derive(Debug, Clone)]
struct Sample {
    made: Vec<Made>,
    held: String,
    paths: Vec<String>,
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "d", "l", "m"])
}

fn place() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(name(), 1..5)
}

/// The names of a path or of a link's target, joined in all the ways that a text can spell them.
fn text() -> impl Strategy<Value = String> {
    let token = prop_oneof![6 => name(), 3 => Just(".."), 1 => Just(".")];
    let joint = prop_oneof![9 => Just("/"), 1 => Just("//"), 1 => Just("/./")];
    let end = prop_oneof![8 => Just(""), 2 => Just("/"), 1 => Just("/.")];
    (prop::collection::vec((token, joint), 1..7), end).prop_map(|(tokens, end)| {
        let mut text = String::new();
        for (index, (token, joint)) in tokens.iter().enumerate() {
            text += if index == 0 { "" } else { joint };
            text += token;
        }
        text + end
    })
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![12 => text(), 1 => text().prop_map(|text| format!("/{text}"))]
}

fn made() -> impl Strategy<Value = Made> {
    prop_oneof![
        3 => place().prop_map(Made::Dir),
        2 => place().prop_map(Made::File),
        4 => (place(), target()).prop_map(|(at, target)| Made::Link(at, target)),
    ]
}

fn sample() -> impl Strategy<Value = Sample> {
    let made = prop::collection::vec(made(), 4..24);
    let paths = prop::collection::vec(text(), 8..40);
    (made, text(), paths).prop_map(|(made, held, paths)| Sample { made, held, paths })
}

/// Makes the tree. Directories above a name are made as well, in an order that lets links be above others.
fn make(root: &Path, made: &[Made]) {
    for one in made {
        let (Made::Dir(names) | Made::File(names) | Made::Link(names, _)) = one;
        let at = root.join(names.join("/"));
        let Some(parent) = at.parent() else { continue };
        // Never through a link that was made before: that may lead out.
        let through_link = names[..names.len() - 1]
            .iter()
            .scan(root.to_owned(), |at, name| {
                at.push(name);
                Some(at.is_symlink())
            });
        if through_link.into_iter().any(|is| is) || fs::create_dir_all(parent).is_err() {
            continue;
        }
        let _made = match one {
            Made::Dir(_) => fs::create_dir(&at).is_ok(),
            Made::File(_) => fs::File::create_new(&at).is_ok(),
            Made::Link(_, target) => symlink(target, &at).is_ok(),
        };
    }
    let mut next = 1_000_000;
    stamp(root, &mut next);
}

/// Gives everything a time of its own, from below.
fn stamp(dir: &Path, next: &mut i64) {
    let mut entries: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() && !entry.is_symlink() {
            stamp(&entry, next);
        } else {
            set_time(&entry, next);
        }
    }
    set_time(dir, next);
}

fn set_time(path: &Path, next: &mut i64) {
    *next += 1;
    let time = Timespec {
        tv_sec: *next,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// Where a path leads: the time of what is there, or why it leads nowhere.
type End = Result<i64, &'static str>;

fn by_the_kernel(from: &OwnedFd, path: &str, follow: bool) -> End {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let flags = if follow {
        flags
    } else {
        flags | OFlags::NOFOLLOW
    };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    loop {
        return match rustix::fs::openat2(from, path, flags, Mode::empty(), resolve) {
            Ok(found) => Ok(rustix::fs::fstat(found).unwrap().st_mtime),
            // Somebody moved something somewhere on this machine while it went up.
            Err(Errno::AGAIN) => continue,
            Err(Errno::XDEV) => Err("not-permitted"),
            Err(Errno::NOENT) => Err("no-entry"),
            Err(Errno::NOTDIR) => Err("not-directory"),
            Err(Errno::LOOP) => Err("loop"),
            Err(errno) => panic!("{path}: {errno}"),
        };
    }
}

fn by_the_walk(root: &Path, plan: &[Value]) -> (Vec<Result<i64, String>>, u64) {
    let mut call = PROBE.call(&Case::new(), Role::Gate);
    call.mounts = vec![Mount {
        guest_path: "/".to_owned(),
        host_path: root.to_owned(),
        policy: policy(Grant {
            read: &["**"],
            write: &[],
            deny: &[],
        }),
    }];
    call.times = Times::Real;
    let done = carry_out(&PROBE, call, plan);
    let denied = done
        .results
        .iter()
        .filter(|result| **result == Err("not-permitted".to_owned()));
    let reported: u64 = done.denials().iter().map(|denial| denial.count).sum();
    assert_eq!(denied.count() as u64, reported, "each denial is reported");
    let ends = done.results.iter().map(|result| match result {
        Ok(told) => Ok(told["mtime"].as_i64().unwrap_or(0)),
        Err(code) => Err(code.clone()),
    });
    (ends.collect(), done.called.report.usage.fuel.used.0)
}

/// The lookups of a sample: handle, path, whether a link at the end is followed.
fn lookups(sample: &Sample) -> Vec<(&'static str, &str, bool)> {
    let both = |on| {
        let paths = sample.paths.iter();
        paths.flat_map(move |path| [(on, path.as_str(), true), (on, path.as_str(), false)])
    };
    both("root").chain(both("held")).collect()
}

fn check(sample: &Sample) -> Result<(), TestCaseError> {
    let dir = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    // A way up that leads out leads to something.
    let root = dir.path().join("a");
    fs::create_dir(&root).unwrap();
    make(&root, &sample.made);
    let open_dir = |from: &OwnedFd, path: &str| {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat2(from, path, flags, Mode::empty(), resolve)
    };
    let top = rustix::fs::open(&root, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let held = open_dir(&top, &sample.held);
    let lookups: Vec<_> = lookups(sample)
        .into_iter()
        .filter(|(on, ..)| *on == "root" || held.is_ok())
        .collect();
    let mut plan = vec![op(
        "open",
        json!({ "path": sample.held, "flags": ["directory"], "descriptor": ["read"], "follow": true, "as": "held" }),
    )];
    plan.extend(lookups.iter().map(|(on, path, follow)| {
        op(
            "stat-at",
            json!({ "on": on, "path": path, "follow": follow }),
        )
    }));
    let (walked, fuel) = by_the_walk(&root, &plan);
    let by_names = by_the_walk_without_openat2(&root, &plan);
    prop_assert_eq!(&walked, &by_names.0, "name by name it leads elsewhere");
    prop_assert_eq!(fuel, by_names.1, "name by name it costs other fuel");
    prop_assert_eq!(walked[0].is_ok(), held.is_ok(), "held {}", &sample.held);
    for ((on, path, follow), end) in lookups.iter().zip(&walked[1..]) {
        let from = if *on == "root" {
            &top
        } else {
            held.as_ref().unwrap()
        };
        let expect = by_the_kernel(from, path, *follow);
        prop_assert_eq!(
            end.as_ref().map_err(String::as_str),
            expect.as_ref().map_err(|code| *code),
            "{} from {}, following {}",
            path,
            on,
            follow
        );
    }
    Ok(())
}

fn by_the_walk_without_openat2(root: &Path, plan: &[Value]) -> (Vec<Result<i64, String>>, u64) {
    std::thread::scope(|scope| {
        let walk = scope.spawn(|| {
            without_openat2();
            by_the_walk(root, plan)
        });
        walk.join().unwrap()
    })
}

/// Trees that showed something once.
fn known() -> Vec<Sample> {
    let link = |at: &'static str, target: &str| Made::Link(vec![at], target.to_owned());
    let sample = |made: Vec<Made>, paths: &[&str]| Sample {
        made,
        held: ".".to_owned(),
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    };
    vec![
        // As many links as the kernel follows, and one more.
        sample(
            (0..41)
                .map(|n| {
                    let at: &'static str = Box::leak(format!("l{n}").into_boxed_str());
                    link(at, &format!("l{}", n + 1))
                })
                .chain([Made::File(vec!["l41"])])
                .collect(),
            &["l0", "l1", "l2", "l1/", "l1/x"],
        ),
        sample(
            vec![
                Made::Dir(vec!["d", "e"]),
                link("l", "d/e/"),
                link("m", "l/.."),
                link("up", "../a"),
                link("abs", "/etc"),
                link("self", "self"),
                link("dot", "."),
                Made::File(vec!["f"]),
                link("to-f", "f"),
                link("to-f-slash", "f/"),
            ],
            &[
                "l",
                "l/",
                "l/..",
                "l/../e",
                "m",
                "m/e",
                "up",
                "up/d",
                "abs",
                "abs/passwd",
                "self",
                "self/",
                "dot/dot/d",
                "f/",
                "f/.",
                "f/..",
                "to-f/",
                "to-f/..",
                "to-f-slash",
                "no/..",
                "no/.",
                "d/../..",
                "d/../../a",
                "..",
                "./..",
                "dot/..",
                "d//e///",
                "to-f/x",
            ],
        ),
    ]
}

#[test]
fn every_path_leads_where_the_kernel_says() {
    LazyLock::force(&PROBE);
    for sample in known() {
        check(&sample).unwrap_or_else(|error| panic!("{sample:?}: {error}"));
    }
    runs::runner("RINGFENCE_TREES", 60)
        .run(&sample(), |sample| check(&sample))
        .unwrap_or_else(|error| panic!("{error}"));
}
