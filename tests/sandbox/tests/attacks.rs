//! Attacks of several steps, and of sizes that the table in `verbs.rs` has no row for.
//!
//! **Invariant:** each was possible once, here or in a sandbox of another make; what must hold is said beside it.

#![expect(clippy::unwrap_used, reason = "a test may end at once")]

use std::fs;
use std::os::unix::fs::symlink;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::core::policy::Rule;
use ringfence_testkit::sandbox::Mount;
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::probe::{Done, Grant, carry_out, op, policy, writing_call};
use ringfence_tests_sandbox::world::SECRET;
use ringfence_tests_sandbox::{guest, wait, without_openat2};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::{Value, json};

static PROBE: LazyLock<Component> = LazyLock::new(|| guest("probe"));
static HOG: LazyLock<Component> = LazyLock::new(|| guest("hog"));

const ALL: Grant<'_> = Grant {
    read: &["**"],
    write: &["**"],
    deny: &["secrets/**", ".git/**"],
};

fn run(case: &Case, plan: &[Value]) -> Done {
    carry_out(&PROBE, writing_call(&PROBE, case, ALL), plan)
}

fn open(path: &str, handle: &str) -> Value {
    op(
        "open",
        json!({ "path": path, "descriptor": ["read"], "as": handle }),
    )
}

fn rename(old: &str, new: &str) -> Value {
    op("rename-at", json!({ "path": old, "new_path": new }))
}

/// What a hog with everything allowed says.
fn strain(case: &Case, config: &Value) -> String {
    let mut call = writing_call(&HOG, case, ALL);
    call.config = config.to_string();
    let called = wait(HOG.plugin().judge(call));
    called.answer.unwrap().unwrap().summary
}

/// A stream keeps its file open when the descriptor is gone, so it must count.
#[test]
fn files_that_only_a_stream_holds_count_as_open() {
    let case = Case::new().unchanged("a.md", "a");
    let steps = |n: usize| {
        let stream = json!({ "on": "h", "as": format!("s{n}") });
        [
            open("a.md", "h"),
            op("read-via-stream", stream),
            op("drop", json!({ "on": "h" })),
        ]
    };
    let plan: Vec<Value> = (0..300).flat_map(steps).collect();
    let done = run(&case, &plan);
    let opened = done
        .results
        .chunks(3)
        .filter(|chunk| chunk[0].is_ok())
        .count();
    assert!(
        (150..=200).contains(&opened),
        "{opened} files are open at once"
    );
}

/// Two hundred listings of a large directory are two hundred copies of its names.
#[test]
fn listings_are_bounded_together() {
    let case = Case::new();
    for n in 0..3_000 {
        fs::write(case.path().join(format!("{n}")), "").unwrap();
    }
    let said = strain(&case, &json!({ "mode": "dir-streams", "count": 150 }));
    assert!(
        said.starts_with("dir-streams: 87 done, then insufficient-memory"),
        "{said}"
    );
}

/// A path is walked with a handle for each directory, so deep ones are refused before the host is out of them.
#[test]
fn a_walk_holds_a_bounded_number_of_handles() {
    let case = Case::new();
    let down = |n: usize| vec!["d"; n].join("/");
    fs::create_dir_all(case.path().join(down(300))).unwrap();
    let stat = |path: String| op("stat-at", json!({ "path": path }));
    let plan = [
        stat(down(100)),
        stat(format!("{}/../d", down(100))),
        stat(down(300)),
        stat(format!("{}/../d", down(300))),
        open(&down(100), "h"),
        op("stat-at", json!({ "on": "h", "path": down(100) })),
    ];
    let done = run(&case, &plan);
    let ends: Vec<&str> = done
        .results
        .iter()
        .map(|result| result.as_ref().map_or_else(String::as_str, |_| "ok"))
        .collect();
    assert_eq!(
        ends,
        ["ok", "ok", "name-too-long", "name-too-long", "ok", "ok"]
    );
}

/// A rename is judged by everything below the directory, and the guest pays for that, deep ones by their depth.
#[test]
fn renaming_a_deep_tree_is_paid_for() {
    let cost = |depth: usize| {
        let case = Case::new().unchanged("a.md", "a");
        fs::create_dir_all(case.path().join(vec!["d"; depth].join("/"))).unwrap();
        let done = run(&case, &[rename("d", "e")]);
        assert!(done.last().is_ok(), "{:?}", done.results);
        done.called.report.usage.fuel.used.0
    };
    let (flat, deep) = (cost(1), cost(300));
    assert!(
        deep - flat > 300 * 300 / 2 * 1_000,
        "{deep} for a deep one, {flat} for a flat one"
    );
}

/// A text that is no path may be as long as the guest's memory; what the host keeps of it may not.
#[test]
fn denials_of_long_texts_are_short() {
    let long = "x".repeat(1 << 20);
    let plan = [
        op("stat-at", json!({ "path": format!("/{long}") })),
        op("stat-at", json!({ "path": format!("a\\{long}") })),
        op("stat-at", json!({ "path": format!("../{long}") })),
        op(
            "symlink-at",
            json!({ "path": format!("/{long}"), "new_path": "a" }),
        ),
        op(
            "symlink-at",
            json!({ "path": format!("../../{}", "x/".repeat(1_000)), "new_path": "a" }),
        ),
    ];
    let done = run(&Case::new(), &plan);
    assert!(
        done.results.iter().all(Result::is_err),
        "{:?}",
        done.results
    );
    for denial in done.denials() {
        assert!(denial.path.len() < 5_000, "{} bytes", denial.path.len());
    }
}

/// A byte written far behind the end makes a file that is large for everybody who reads it.
#[test]
fn a_hole_counts_as_written() {
    let case = Case::new();
    let create = json!({ "path": "a", "flags": ["create"], "descriptor": ["write"], "as": "h" });
    let far = 1_u64 << 40;
    let plan = [
        op("open", create),
        op("write", json!({ "on": "h", "text": "x", "offset": far })),
        op(
            "write",
            json!({ "on": "h", "text": "x", "offset": u64::MAX >> 1 }),
        ),
        op(
            "write-via-stream",
            json!({ "on": "h", "as": "s", "offset": far }),
        ),
        op("stream-write", json!({ "on": "s", "text": "x" })),
        op("set-size", json!({ "on": "h", "length": far })),
    ];
    let done = run(&case, &plan);
    for index in [1, 2, 4, 5] {
        assert_eq!(
            done.results[index],
            Err("insufficient-space".to_owned()),
            "step {index}"
        );
    }
    assert_eq!(fs::metadata(case.path().join("a")).unwrap().len(), 0);
}

/// A directory that holds something denied cannot be moved to where the denial would not reach it.
#[test]
fn what_is_denied_is_not_carried_away() {
    let grant = Grant {
        deny: &["docs/deep/secret.txt", "out/moved/*.lock", "**/*.key"],
        ..ALL
    };
    for (path, old, new) in [
        ("docs/deep/secret.txt", "docs/deep", "docs/free"),
        ("docs/deep/secret.txt", "docs", "free"),
        ("docs/deep/er/x.key", "docs/deep", "docs/free"),
        // Nor to where something in it would become denied.
        ("docs/deep/a.lock", "docs/deep", "out/moved"),
    ] {
        let case = Case::new()
            .unchanged(path, SECRET)
            .unchanged("out/a.md", "a");
        let before = case.files();
        let done = carry_out(
            &PROBE,
            writing_call(&PROBE, &case, grant),
            &[rename(old, new)],
        );
        assert_eq!(
            *done.last(),
            Err("not-permitted".to_owned()),
            "{path}: {old} -> {new}"
        );
        assert_eq!(done.denials().len(), 1, "{path}: {:?}", done.denials());
        assert_eq!(case.files(), before, "{path}");
    }
}

/// Reading is not to be had by writing: what may only be written cannot be moved to where it may be read.
#[test]
fn nothing_becomes_readable_by_being_moved() {
    let grant = Grant {
        read: &["open/**"],
        write: &["**"],
        deny: &[],
    };
    let case = Case::new()
        .unchanged("drop/s.txt", SECRET)
        .unchanged("open/a.md", "a");
    let read = |path: &str| {
        [
            open(path, "h"),
            op("read", json!({ "on": "h", "length": 99 })),
        ]
    };
    let plan = [
        vec![rename("drop/s.txt", "open/s.txt")],
        vec![rename("drop", "open/drop")],
        vec![op(
            "link-at",
            json!({ "path": "drop/s.txt", "new_path": "open/t.txt" }),
        )],
        vec![op(
            "symlink-at",
            json!({ "path": "../drop/s.txt", "new_path": "open/u.txt" }),
        )],
        read("open/s.txt").to_vec(),
        read("open/t.txt").to_vec(),
        read("open/u.txt").to_vec(),
        read("open/drop/s.txt").to_vec(),
    ];
    let done = carry_out(&PROBE, writing_call(&PROBE, &case, grant), &plan.concat());
    assert!(!format!("{done:?}").contains(SECRET), "{:?}", done.results);
    assert_eq!(case.text("drop/s.txt").as_deref(), Some(SECRET));
}

/// Names that may not be seen are not in listings, and neither is a trace of them.
#[test]
fn listings_do_not_count_what_they_hide() {
    let plain = Case::new().unchanged("a.md", "a").unchanged("b/c.md", "c");
    let with_secret = Case::new()
        .unchanged("a.md", "a")
        .unchanged("b/c.md", "c")
        .unchanged("b/secret-name.key", SECRET)
        .unchanged("secret-dir/x", SECRET);
    let grant = Grant {
        deny: &["**/*.key", "secret-dir/**"],
        ..ALL
    };
    let plan = [
        op("list", json!({})),
        op("std-list", json!({ "path": "b" })),
        op("stat-at", json!({ "path": "b" })),
        op("metadata-hash-at", json!({ "path": "." })),
    ];
    let see = |case: &Case| {
        let done = carry_out(&PROBE, writing_call(&PROBE, case, grant), &plan);
        assert!(done.denials().is_empty(), "{:?}", done.denials());
        done.results
    };
    assert_eq!(see(&plain), see(&with_secret));
}

/// A denial says the same of what is there and of what is not.
#[test]
fn denials_do_not_tell_what_exists() {
    let case = Case::new().unchanged("secrets/here", SECRET);
    let told = |path: &str| {
        let plan = [
            "stat-at",
            "readlink-at",
            "unlink-file-at",
            "remove-directory-at",
        ]
        .map(|verb| op(verb, json!({ "path": path })));
        let done = run(&case, &plan);
        (done.results, done.called.report.usage.fuel.used)
    };
    // The same length, for the guest pays for its own text.
    assert_eq!(told("secrets/here"), told("secrets/gone"));
    assert_eq!(told("secrets/here/x"), told("secrets/gone/x"));
}

/// Each mount has a policy of its own, and no handle or path leads from one to another.
#[test]
fn mounts_are_worlds_apart() {
    let (first, second) = (
        Case::new().unchanged("a.md", "first"),
        Case::new()
            .unchanged("a.md", "second")
            .unchanged("s.txt", SECRET),
    );
    symlink(second.path(), first.path().join("over")).unwrap();
    let mut call = writing_call(&PROBE, &first, ALL);
    call.mounts.push(Mount {
        guest_path: "/second".to_owned(),
        host_path: second.path().to_owned(),
        policy: policy(Grant {
            read: &["a.md"],
            write: &[],
            deny: &[],
        }),
    });
    let at = |on: &str, path: &str| {
        let open =
            json!({ "on": on, "path": path, "descriptor": ["read"], "follow": true, "as": "h" });
        [
            op("open", open),
            op("read", json!({ "on": "h", "length": 99 })),
            op("drop", json!({ "on": "h" })),
        ]
    };
    let over = json!({ "path": "a.md", "to": "root1", "new_path": "b.md" });
    let plan = [
        at("root", "a.md").to_vec(),
        at("root1", "a.md").to_vec(),
        at("root1", "s.txt").to_vec(),
        at("root", "over/s.txt").to_vec(),
        at("root1", "../a.md").to_vec(),
        vec![op("rename-at", over.clone()), op("link-at", over)],
    ];
    let done = carry_out(&PROBE, call, &plan.concat());
    let read = |index: usize| done.results[3 * index + 1].clone();
    assert_eq!(read(0), Ok(json!(["first", false])));
    assert_eq!(read(1), Ok(json!(["second", false])));
    assert!(
        (2..5).all(|index| read(index).is_err()),
        "{:?}",
        done.results
    );
    assert!(
        done.results[15..].iter().all(Result::is_err),
        "{:?}",
        done.results
    );
    assert!(!format!("{done:?}").contains(SECRET));
}

/// While somebody on the host swaps directories, files and second names for links to what is denied, a guest never reads
/// the one for the other.
fn races() {
    let case = Case::new()
        .unchanged("docs/dir/s.txt", "plain")
        .unchanged("docs/file", "plain")
        .unchanged("docs/name", "plain")
        .unchanged("secrets/s.txt", SECRET);
    let at = |path: &str| case.path().join(path);
    symlink("../secrets", at("docs/dir-swap")).unwrap();
    symlink("../secrets/s.txt", at("docs/file-swap")).unwrap();
    fs::hard_link(at("secrets/s.txt"), at("docs/name-swap")).unwrap();
    let reads = [
        "docs/dir/s.txt",
        "docs/dir/../dir/s.txt",
        "docs/file",
        "docs/name",
    ];
    let plan: Vec<Value> = reads
        .iter()
        .cycle()
        .take(4_000)
        .map(|path| op("std-read", json!({ "path": path })))
        .collect();
    let over = AtomicBool::new(false);
    let mut seen = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                for name in ["dir", "file", "name"] {
                    let (one, other) = (
                        at(&format!("docs/{name}")),
                        at(&format!("docs/{name}-swap")),
                    );
                    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
                }
            }
        });
        // Ended also by a failure: the swapping has to stop for that to show.
        let done = catch_unwind(AssertUnwindSafe(|| run(&case, &plan)));
        over.store(true, Ordering::Relaxed);
        let done = done.unwrap_or_else(|failure| resume_unwind(failure));
        assert!(!format!("{:?}", done.called).contains(SECRET));
        for result in &done.results {
            match result {
                Ok(text) => seen.0 += usize::from(*text == json!("plain")),
                Err(_) => seen.1 += 1,
            }
        }
    });
    // Both sides of the swap were met, or nothing was raced.
    assert!(seen.0 > 0 && seen.1 > 0, "{seen:?} of 4000");
}

#[test]
fn swapping_wins_no_race() {
    races();
}

#[test]
fn swapping_wins_no_race_without_openat2() {
    without_openat2();
    races();
}

/// Files are made without a bit that would let them be run, and one that is there keeps its mode.
#[test]
fn nothing_is_made_executable() {
    use std::os::unix::fs::PermissionsExt;
    let case = Case::new();
    let create = json!({ "path": "a", "flags": ["create"], "descriptor": ["write"] });
    let done = run(
        &case,
        &[
            op("open", create),
            op("std-write", json!({ "path": "b", "text": "b" })),
        ],
    );
    assert!(done.results.iter().all(Result::is_ok), "{:?}", done.results);
    for name in ["a", "b"] {
        let mode = fs::metadata(case.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o7111, 0, "{mode:o}");
    }
}

/// What no loop can allow, no spelling can.
#[test]
fn the_built_in_denials_hold_for_every_role() {
    let case = Case::new()
        .unchanged(".git/config", SECRET)
        .unchanged("sub/.git/HEAD", SECRET);
    for path in [
        ".git/config",
        ".GIT/config",
        "sub/.git/HEAD",
        "sub/../.git/config",
        ".git",
        "git~1/config",
        ".git./config",
        ".g\u{200d}it/config",
        ".ringfence/journal",
    ] {
        let open = json!({ "path": path, "descriptor": ["read"], "as": "h" });
        let done = carry_out(&PROBE, PROBE.call(&case, Role::Gate), &[op("open", open)]);
        assert_eq!(*done.last(), Err("not-permitted".to_owned()), "{path}");
        assert!(
            matches!(done.denials()[0].rule, Rule::Deny { .. }),
            "{path}: {:?}",
            done.denials()
        );
        assert_eq!(done.denials()[0].grant_line(), None, "{path}");
    }
}

/// More denials than anybody reads are counted, not kept.
#[test]
fn a_flood_of_denials_is_bounded() {
    let plan: Vec<Value> = (0..400)
        .map(|n| op("stat-at", json!({ "path": format!("../{n}\\") })))
        .chain([op(
            "stat-at",
            json!({ "path": "secrets/x", "repeat": 1_000 }),
        )])
        .collect();
    let done = run(&Case::new(), &plan);
    let kept: u64 = done.denials().iter().map(|denial| denial.count).sum();
    assert_eq!(done.denials().len(), 256);
    assert_eq!(kept + done.called.report.denials_dropped, 1_400);
}

/// What a gate is told of a change it may not read, it is told by name alone.
#[test]
fn a_gate_reads_no_base_and_no_diff_of_what_is_denied() {
    let case = Case::new()
        .modified("a.md", "before", "after")
        .modified("secrets/s.txt", SECRET, SECRET.to_uppercase())
        .deleted("secrets/gone.txt", SECRET)
        .deny("secrets/**")
        .config(json!({ "look_at_change": true }));
    let run = guest("puppet").judge(&case);
    let told: Value = serde_json::from_str(&run.answer().summary).unwrap();
    let report = format!("{:?}", run.called());
    assert!(!report.to_lowercase().contains(SECRET), "{report}");
    let files = told["change"]["files"].as_array().unwrap();
    let bases: Vec<(&str, &str)> = files
        .iter()
        .map(|file| {
            (
                file["path"].as_str().unwrap(),
                file["base"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(bases.len(), 3);
    for (path, base) in bases {
        assert_eq!(
            base.contains("not permitted"),
            path.starts_with("secrets"),
            "{path}: {base}"
        );
    }
    let diff = told["change"]["diff"].as_str().unwrap();
    assert!(
        diff.contains("+after") && !diff.contains("secrets"),
        "{diff}"
    );
}
