//! A hostile repository: pipes, times, sizes, depths and numbers of names that no honest one has.
//!
//! **Invariant:** directories are made by this test, in memory where there is such a place, and are gone with it.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::rc::Rc;

use ringfence_testkit::core::limits::Limits;
use ringfence_testkit::sandbox::{Called, Times};
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::probe::{Grant, op, writing_call};
use ringfence_tests_sandbox::{guest, wait};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Timespec, Timestamps};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::is_long;
use crate::strain::End::{OutOfFuel, Says};
use crate::strain::{End, Strain};

const GRANT: Grant<'_> = Grant {
    read: &["**"],
    write: &["**"],
    deny: &["unseen/*"],
};
const YEAR_1901: i64 = -(1 << 31);
const YEAR_2446: i64 = (1 << 34) - (1 << 31);

/// All strains of this kind.
pub(crate) fn strains() -> Vec<Strain> {
    let probe = Rc::new(guest("probe"));
    let mut strains = Vec::new();
    let mut add = |name: &str, end: End, dir: &Rc<TempDir>, plan: Vec<Value>| {
        let (probe, dir) = (Rc::clone(&probe), Rc::clone(dir));
        let run = move |limits| carry_out(&probe, dir.path(), &plan, limits);
        strains.push(Strain::new(name, end, run));
    };
    pipes(&mut add);
    times(&mut add);
    paths(&mut add);
    sizes(&mut add);
    names(&mut add);
    if is_long() {
        a_million_names(&mut add);
    }
    strains
}

type Add<'a> = &'a mut dyn FnMut(&str, End, &Rc<TempDir>, Vec<Value>);

/// Opening a pipe waits for the other end, and neither fuel nor a deadline ends that.
fn pipes(add: Add<'_>) {
    let dir = directory();
    let mode = Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(CWD, dir.path().join("fifo"), FileType::Fifo, mode, 0).unwrap();
    symlink("fifo", dir.path().join("link")).unwrap();
    let open = |keys: Value| op("open", keys);
    let plan = vec![
        open(json!({ "path": "fifo", "descriptor": ["read"] })),
        open(json!({ "path": "fifo", "descriptor": ["write"] })),
        open(json!({ "path": "fifo", "descriptor": ["read", "write"] })),
        open(json!({ "path": "fifo" })),
        open(json!({ "path": "fifo", "flags": ["directory"], "descriptor": ["read"] })),
        open(json!({ "path": "fifo", "flags": ["create"], "descriptor": ["write"] })),
        open(json!({ "path": "fifo", "flags": ["truncate"], "descriptor": ["write"] })),
        open(json!({ "path": "link", "follow": true, "descriptor": ["read"] })),
        op("set-times-at", json!({ "path": "fifo", "mtime": "now" })),
        op(
            "set-times-at",
            json!({ "path": "link", "follow": true, "mtime": "now" }),
        ),
        op("link-at", json!({ "path": "fifo", "new_path": "other" })),
        op("readlink-at", json!({ "path": "fifo" })),
    ];
    let says = "not-permitted, not-permitted, not-permitted, not-permitted, not-permitted, not-permitted, \
                not-permitted, not-permitted, not-permitted, not-permitted, not-permitted, invalid";
    add("a pipe", Says(says), &dir, plan);
    let looks = vec![
        op("stat-at", json!({ "path": "fifo" })),
        op("metadata-hash-at", json!({ "path": "fifo" })),
        op("list", json!({})),
    ];
    add("a pipe is looked at", Says("{"), &dir, looks);
}

/// Times that have no form in WASI, or none on disk.
fn times(add: Add<'_>) {
    let dir = directory();
    let seconds = [-1, YEAR_1901, YEAR_2446, i64::MIN, i64::MAX];
    for (n, seconds) in seconds.into_iter().enumerate() {
        let path = dir.path().join(format!("{n}"));
        fs::write(&path, "x").unwrap();
        let time = Timespec {
            tv_sec: seconds,
            tv_nsec: 999_999_999,
        };
        let times = Timestamps {
            last_access: time,
            last_modification: time,
        };
        // A file system may take less than that, or cut it.
        rustix::fs::utimensat(CWD, &path, &times, AtFlags::empty()).unwrap_or_default();
    }
    let looks = |verb: &'static str| {
        (0..seconds.len()).map(move |n| op(verb, json!({ "path": format!("{n}") })))
    };
    let plan: Vec<Value> = looks("stat-at")
        .chain(looks("metadata-hash-at"))
        .chain([op("list", json!({}))])
        .collect();
    add("times of files", Says("{"), &dir, plan);
    let set = |time: &str| op("set-times-at", json!({ "path": "0", "mtime": time }));
    let open = op("open", json!({ "path": "0", "descriptor": ["read"] }));
    let set_open = |time: &str| op("set-times", json!({ "on": "h", "atime": time }));
    let plan = vec![
        set("18446744073709551615.0"),
        set("9223372036854775808.0"),
        set("0.1000000000"),
        set("0.4294967295"),
        // What the kernel spells «now» and «leave it» with.
        set("0.1073741823"),
        set("0.1073741822"),
        open,
        set_open("18446744073709551615.999999999"),
        set_open("1.1000000000"),
    ];
    let says = "overflow, overflow, invalid, invalid, invalid, invalid, ok, overflow, invalid";
    add("times that are set", Says(says), &dir, plan);
    // Whether the disk takes them is its affair; that the host lives is ours.
    let plan = ["9223372036854775807.999999999", "15032385536.0", "0.0"];
    let plan = plan.map(set).into_iter().chain(looks("stat-at")).collect();
    add("times that are set far off", Says(""), &dir, plan);
}

/// Deep paths and chains of links.
fn paths(add: Add<'_>) {
    let dir = directory();
    fs::create_dir_all(dir.path().join(vec!["d"; 140].join("/"))).unwrap();
    for n in 0..45 {
        symlink(format!("{}", n + 1), dir.path().join(format!("{n}"))).unwrap();
    }
    fs::write(dir.path().join("45"), "x").unwrap();
    symlink("../".repeat(1_300) + "x", dir.path().join("up")).unwrap();
    let stat =
        |path: String, follow: bool| op("stat-at", json!({ "path": path, "follow": follow }));
    let deep = |names: usize| vec!["d"; names].join("/");
    let plan = vec![
        stat(deep(130), false),
        stat(deep(10_000), false),
        stat("./".repeat(10_000), false),
        stat("../".repeat(10_000), false),
        stat(format!("{}..", "d/../".repeat(400)), false),
        stat("/".repeat(5_000), false),
    ];
    let says =
        "name-too-long, name-too-long, name-too-long, name-too-long, not-permitted, name-too-long";
    add("a deep path", Says(says), &dir, plan);
    let plan = vec![stat("0".to_owned(), true), stat("up".to_owned(), true)];
    add("a chain of links", Says("loop, not-permitted"), &dir, plan);
    let plan = vec![stat("10".to_owned(), true)];
    add("a shorter chain of links", Says("{"), &dir, plan);
}

/// Files that are larger than any disk.
fn sizes(add: Add<'_>) {
    let dir = directory();
    let sparse = |name: &str, size: u64| {
        let file = fs::File::create(dir.path().join(name)).unwrap();
        // A file system may have less than that.
        (0..20).find(|shift| file.set_len(size >> shift).is_ok())
    };
    sparse("large", 1 << 62);
    sparse("some", 3 << 20);
    let open = |path: &str| {
        let keys = json!({ "path": path, "descriptor": ["read", "write"] });
        op("open", keys)
    };
    let on = |verb: &str, length: u64, offset: u64| {
        let keys = json!({ "on": "h", "length": length, "offset": offset, "text": "x" });
        op(verb, keys)
    };
    let plan = vec![open("some"), on("read", u64::MAX, 0)];
    add(
        "a read of everything",
        Says("ok, [1048576 bytes,false]"),
        &dir,
        plan,
    );
    let plan = vec![
        open("large"),
        on("read", u64::MAX, 1 << 30),
        on("read", 1, u64::MAX),
        on("write", 0, u64::MAX),
        on("set-size", u64::MAX, 0),
        on("write", 0, 1 << 63),
        on("write", 0, u64::MAX >> 1),
    ];
    let says = "ok, [1048576 bytes,false], invalid, invalid, invalid, invalid, insufficient-space";
    add("a sparse file", Says(says), &dir, plan);
    let again = json!({ "on": "h", "length": u64::MAX, "repeat": 1_000_000 });
    let plan = vec![open("large"), op("read", again)];
    add("a sparse file is read for ever", OutOfFuel, &dir, plan);
}

/// More names than the host holds at once.
fn names(add: Add<'_>) {
    let dir = directory();
    fs::create_dir(dir.path().join("many")).unwrap();
    fill(&dir.path().join("many"), 262_145, 255, make);
    let list = |on: &str| op("list", json!({ "on": on }));
    let open = |path: &str, name: &str| {
        op(
            "open",
            json!({ "path": path, "descriptor": ["read"], "as": name }),
        )
    };
    let rename = op("rename-at", json!({ "path": "many", "new_path": "moved" }));
    let plan = vec![open("many", "m"), list("m"), list("root")];
    let says = "ok, insufficient-memory, [[\"many\",\"directory\"]";
    add("many names are listed", Says(says), &dir, plan.clone());
    add(
        "many names are listed for too little",
        OutOfFuel,
        &dir,
        plan,
    );
    add(
        "many long names move",
        Says("insufficient-memory"),
        &dir,
        vec![rename.clone()],
    );
    add(
        "many long names move for too little",
        OutOfFuel,
        &dir,
        vec![rename],
    );
    let dir = directory();
    let deep = dir.path().join(vec!["d".repeat(250); 15].join("/"));
    fs::create_dir_all(&deep).unwrap();
    fill(&deep, 20_000, 10, link);
    fs::hard_link(deep.join(name(0, 10)), dir.path().join("one")).unwrap();
    let plan = vec![op("stat-at", json!({ "path": "one" })), list("root")];
    add(
        "a file of many long names",
        Says("insufficient-memory, [["),
        &dir,
        plan,
    );
}

/// What takes minutes to make.
fn a_million_names(add: Add<'_>) {
    let dir = directory();
    for place in ["many", "unseen"] {
        fs::create_dir(dir.path().join(place)).unwrap();
        fill(&dir.path().join(place), 1_000_001, 7, make);
    }
    let open = |path: &str| op("open", json!({ "path": path, "descriptor": ["read"] }));
    let list = op("list", json!({ "on": "h" }));
    add(
        "a million names are listed",
        Says("ok, insufficient-memory"),
        &dir,
        vec![open("many"), list.clone()],
    );
    add(
        "a million hidden names are listed",
        Says("ok, insufficient-memory"),
        &dir,
        vec![open("unseen"), list],
    );
    let rename = op("rename-at", json!({ "path": "many", "new_path": "moved" }));
    add(
        "a million names are searched",
        Says("insufficient-memory"),
        &dir,
        vec![rename],
    );
}

fn directory() -> Rc<TempDir> {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    Rc::new(dir.unwrap())
}

fn name(n: u32, len: usize) -> String {
    format!("{n:0len$}")
}

/// Makes that many names of `len` characters, each but the first by `next`.
fn fill(dir: &Path, count: u32, len: usize, next: fn(&OwnedFd, &str, &str)) {
    let dir: OwnedFd = rustix::fs::open(dir, OFlags::PATH, Mode::empty()).unwrap();
    let first = name(0, len);
    make(&dir, &first, &first);
    for n in 1..count {
        next(&dir, &first, &name(n, len));
    }
}

/// An empty file.
fn make(dir: &OwnedFd, _: &str, name: &str) {
    let mode = Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(dir, name, FileType::RegularFile, mode, 0).unwrap();
}

/// One more name of the first.
fn link(dir: &OwnedFd, first: &str, name: &str) {
    rustix::fs::linkat(dir, first, dir, name, AtFlags::empty()).unwrap();
}

/// Carries out a plan in `dir`; the answer is what came of each operation.
fn carry_out(probe: &Component, dir: &Path, plan: &[Value], limits: Limits) -> Called<String> {
    let mut call = writing_call(probe, &Case::new(), GRANT);
    for mount in &mut call.mounts {
        dir.clone_into(&mut mount.host_path);
    }
    call.limits = limits;
    call.times = Times::Real;
    call.config = json!({ "plan": plan }).to_string();
    wait(probe.plugin().judge(call)).map(|verdict| {
        let told: Vec<String> = verdict
            .findings
            .iter()
            .map(|finding| told(&finding.message))
            .collect();
        told.join(", ")
    })
}

/// `ok`, the name of an error, or what was answered, with long texts by their length.
fn told(message: &str) -> String {
    let told: Value = serde_json::from_str(message).unwrap();
    let ok = told.get("ok").unwrap_or(&Value::Null);
    match (told.get("err"), ok, ok.as_array().map(Vec::as_slice)) {
        (Some(Value::String(code)), ..) => code.clone(),
        (_, Value::Null, _) => "ok".to_owned(),
        (.., Some([Value::String(text), Value::Bool(end)])) => {
            format!("[{} bytes,{end}]", text.len())
        }
        (_, value, _) => value.to_string(),
    }
}
