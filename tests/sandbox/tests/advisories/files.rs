//! Holes of file systems: rights that were not asked for, names that were not judged, times that ended the host.
//!
//! **Invariant:** each test looks at the disk as well as at the answers.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::LazyLock;

use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::sandbox::Times;
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::guest;
use ringfence_tests_sandbox::probe::{Done, carry_out, op, policy};
use ringfence_tests_sandbox::world::{GRANT, SECRET, World};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use serde_json::{Value, json};

static PROBE: LazyLock<Component> = LazyLock::new(|| guest("probe"));

/// Carries out a plan in a world.
fn in_world(world: &World, plan: &[Value]) -> Done {
    let mut call = PROBE.call(&Case::new(), Role::Gate);
    call.times = Times::Real;
    for mount in &mut call.mounts {
        mount.host_path = world.at("");
        mount.policy = policy(GRANT);
    }
    carry_out(&PROBE, call, plan)
}

/// Every operation is refused, with one of these codes.
#[track_caller]
fn all_refused(done: &Done, codes: &[&str]) {
    for (n, result) in done.results.iter().enumerate() {
        let refused = result
            .as_ref()
            .is_err_and(|code| codes.contains(&code.as_str()));
        assert!(refused, "operation {n}: {result:?}");
    }
}

/// RUSTSEC-2026-0149: a file that may only be read was opened with `truncate`, and was empty then.
#[test]
fn truncating_needs_the_right_to_write() {
    let world = World::new();
    let open = |path: &str, flags: &[&str], descriptor: &[&str]| {
        let keys =
            json!({ "path": path, "flags": flags, "descriptor": descriptor, "follow": true });
        op("open", keys)
    };
    let mut plan = Vec::new();
    for path in [
        "src/main.rs",
        "docs/to-src",
        "docs/chain-src",
        "docs/twice-src",
    ] {
        for flags in [&["truncate"][..], &["truncate", "create"]] {
            for descriptor in [&["read"][..], &[], &["write"], &["read", "write"]] {
                plan.push(open(path, flags, descriptor));
            }
        }
    }
    let done = in_world(&world, &plan);
    all_refused(&done, &["not-permitted"]);
    assert_eq!(fs::read(world.at("src/main.rs")).unwrap(), b"plain words");
    assert_eq!(fs::read(world.at("src/twice.rs")).unwrap(), b"plain words");
    // Where writing is allowed, so is this.
    let done = in_world(&world, &[open("docs/a.md", &["truncate"], &["read"])]);
    assert!(done.last().is_ok(), "{:?}", done.results);
    assert_eq!(fs::read(world.at("docs/a.md")).unwrap(), b"");
}

/// RUSTSEC-2026-0188: of a hard link and a rename only the old place was judged.
#[test]
fn both_ends_of_a_link_and_a_rename_are_judged() {
    let world = World::new();
    let dir = |path: &str| {
        let keys = json!({ "path": path, "descriptor": ["read"], "as": path });
        op("open", keys)
    };
    let mut plan = Vec::new();
    for verb in ["link-at", "rename-at"] {
        for (old, new) in [
            ("docs/a.md", "src/new.rs"),
            ("docs/a.md", "secrets/new.txt"),
            ("docs/a.md", "docs/new.key"),
            ("docs/a.md", "hidden/new.txt"),
            ("docs/a.md", "docs/into-src/new.rs"),
            ("src/main.rs", "docs/new.md"),
            ("docs/x.key", "docs/new.md"),
            ("docs/deep", "src/deep"),
        ] {
            plan.push(op(verb, json!({ "path": old, "new_path": new })));
        }
    }
    let done = in_world(&world, &plan);
    all_refused(&done, &["not-permitted"]);
    // By handles, which know nothing of each other.
    let across = |verb: &str| {
        op(
            verb,
            json!({ "on": "docs", "path": "a.md", "to": "src", "new_path": "new.rs" }),
        )
    };
    let plan = [
        dir("docs"),
        dir("src"),
        across("link-at"),
        across("rename-at"),
    ];
    let done = in_world(&world, &plan);
    assert_eq!(done.results[2], Err("not-permitted".to_owned()));
    assert_eq!(done.results[3], Err("not-permitted".to_owned()));
    assert!(!world.at("src/new.rs").exists() && world.at("docs/a.md").exists());
}

/// GHSA-hp8f: a slash after the last name made the walk follow, or forget to judge, what the name was.
#[test]
fn a_slash_at_the_end_opens_nothing() {
    let world = World::new();
    let before = fs::read(world.at("../outside/o.txt")).unwrap();
    let mut plan = Vec::new();
    for end in ["/", "//", "/.", "/./"] {
        for name in [
            "docs/to-outside",
            "docs/into-outside",
            "docs/to-secret",
            "docs/into-secret",
            "docs/chain-outside",
            "docs/dangling-outside",
            "docs/absolute",
            "secrets",
            "docs/x.key",
        ] {
            let path = format!("{name}{end}");
            for follow in [false, true] {
                plan.push(op("stat-at", json!({ "path": path, "follow": follow })));
                plan.push(op(
                    "set-times-at",
                    json!({ "path": path, "follow": follow, "mtime": "now" }),
                ));
                for flags in [&[][..], &["directory"], &["create"], &["truncate"]] {
                    let keys = json!({ "path": path, "follow": follow, "flags": flags, "descriptor": ["read"] });
                    plan.push(op("open", keys));
                }
            }
            for verb in ["readlink-at", "create-directory-at", "metadata-hash-at"] {
                plan.push(op(verb, json!({ "path": path })));
            }
            plan.push(op(
                "rename-at",
                json!({ "path": path, "new_path": "docs/moved" }),
            ));
            plan.push(op(
                "link-at",
                json!({ "path": path, "new_path": "docs/linked" }),
            ));
            plan.push(op(
                "symlink-at",
                json!({ "path": "a.md", "new_path": path }),
            ));
        }
    }
    let done = in_world(&world, &plan);
    for (asked, result) in plan.iter().zip(&done.results) {
        let shown = result.as_ref().map_or_else(String::clone, Value::to_string);
        assert!(!shown.contains(SECRET), "{asked}: {shown}");
        // A link itself may be looked at; what it leads to may not.
        let is_link = shown.contains("symbolic-link");
        assert!(result.is_err() || is_link, "{asked}: {shown}");
    }
    assert_eq!(fs::read(world.at("../outside/o.txt")).unwrap(), before);
    assert!(fs::symlink_metadata(world.at("docs/into-outside")).is_ok());
    assert!(!world.at("docs/moved").exists() && !world.at("docs/linked").exists());
}

/// Fixed in wasmtime 48.0.4: `set-times` with `u64::MAX` seconds, and files that are older than 1970, ended the host.
#[test]
fn times_beyond_every_calendar_are_answers() {
    let world = World::new();
    for (name, seconds) in [("a.md", -1), ("own.md", -(1 << 40)), ("spare.md", i64::MAX)] {
        let time = Timespec {
            tv_sec: seconds,
            tv_nsec: 7,
        };
        let times = Timestamps {
            last_access: time,
            last_modification: time,
        };
        let path = world.at("docs").join(name);
        // What the disk cannot keep, it cuts or refuses.
        rustix::fs::utimensat(CWD, path, &times, AtFlags::empty()).unwrap_or_default();
    }
    let stat = |path: &str| op("stat-at", json!({ "path": path }));
    let set = |verb: &str, time: &str| {
        op(
            verb,
            json!({ "on": "h", "path": "docs/a.md", "atime": time, "mtime": time }),
        )
    };
    let plan = [
        stat("docs/a.md"),
        stat("docs/own.md"),
        stat("docs/spare.md"),
        op(
            "open",
            json!({ "path": "docs/a.md", "descriptor": ["read"] }),
        ),
        op("stat", json!({ "on": "h" })),
        set("set-times", "18446744073709551615.0"),
        set("set-times", "0.4294967295"),
    ];
    let done = in_world(&world, &plan);
    let mtime = |n: usize| done.results[n].as_ref().unwrap()["mtime"].clone();
    assert_eq!(mtime(0), Value::Null);
    assert_eq!(mtime(4), Value::Null);
    assert!(done.results[1].is_ok() && done.results[2].is_ok());
    assert_eq!(done.results[5], Err("overflow".to_owned()));
    assert_eq!(done.results[6], Err("invalid".to_owned()));
}

/// A link in a directory of the workspace, made while the call runs, leads nowhere it should not: the base of most of the
/// holes above.
#[test]
fn a_link_that_a_guest_makes_leads_nowhere_new() {
    let world = World::new();
    let link =
        |target: &str, path: &str| op("symlink-at", json!({ "path": target, "new_path": path }));
    let read = |path: &str| {
        op(
            "open",
            json!({ "path": path, "follow": true, "descriptor": ["read"] }),
        )
    };
    let plan = [
        link("into-src", "docs/one"),
        read("docs/one/../../secrets/s.txt"),
        read("docs/one/../main.rs"),
        link("deep/..", "docs/two"),
        read("docs/two/x.key"),
    ];
    let done = in_world(&world, &plan);
    assert_eq!(done.results[1], Err("not-permitted".to_owned()));
    assert_eq!(done.results[4], Err("not-permitted".to_owned()));
    symlink("../secrets", world.at("docs/three")).unwrap();
    let done = in_world(&world, &[read("docs/three/s.txt")]);
    all_refused(&done, &["not-permitted"]);
}
