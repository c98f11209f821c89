//! The modes of the guest `hog`, each with what must come of it.
//!
//! **Invariant:** every mode is here; `limits.rs` holds that.

use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use ringfence_testkit::core::change::FileChange;
use ringfence_testkit::core::evidence::Side;
use ringfence_testkit::core::limits::Limits;
use ringfence_testkit::core::relpath::RelPath;
use ringfence_testkit::sandbox::{Called, ChangeSource};
use ringfence_testkit::{Case, CommandRun, Component};
use ringfence_tests_sandbox::probe::{Grant, writing_call};
use ringfence_tests_sandbox::{guest, wait};
use serde_json::json;

use crate::strain::End::{self, Contract, Deadline, Exhausted, Memory, OutOfFuel, Says, Trap};
use crate::strain::{MEMORY, MIB, Strain};

const EVERYTHING: Grant<'_> = Grant {
    read: &["**"],
    write: &["**"],
    deny: &[],
};

/// `mode`, `count`, `bytes` and `path`.
type Row = (&'static str, u64, u64, &'static str, End);

const ROWS: &[Row] = &[
    ("spin", 1, 0, ".", OutOfFuel),
    ("spin", 1, 0, ".", Deadline),
    ("burn", u64::MAX, 0, ".", OutOfFuel),
    ("burn", 1_000, 0, ".", Says("burn: 1000 done")),
    ("memory", u64::MAX, MIB, ".", Memory),
    ("memory", 1, 1 << 30, ".", Memory),
    ("reserve", u64::MAX, MIB, ".", Says("reserve: ")),
    ("reserve", 1, 1 << 30, ".", Says("reserve: 0 done, then ")),
    ("recurse", u64::MAX, 0, ".", Trap("out of bounds")),
    ("recurse", 100, 0, ".", Says("recurse: 100")),
    ("bulk-fill", u64::MAX, 16 * MIB, ".", OutOfFuel),
    ("bulk-fill", u64::MAX, 16 * MIB, ".", Deadline),
    ("bulk-copy", u64::MAX, 16 * MIB, ".", OutOfFuel),
    ("trap", 1, 0, ".", Trap("unreachable")),
    ("abort", 1, 0, ".", Trap("unreachable")),
    ("exit", 0, 0, ".", Trap("exit code 0")),
    ("exit", 7, 0, ".", Trap("exit code 1")),
    ("overflow", 1, 0, ".", Trap("division by zero")),
    ("huge-string", 1, 24 * MIB, ".", Says("xxxx")),
    (
        "huge-string",
        1,
        40 * MIB,
        ".",
        Exhausted("bytes in one", "call.rs LIFT_BYTES_MAX"),
    ),
    ("huge-list", 200_000, 0, ".", Says("")),
    (
        "huge-list",
        20,
        2 * MIB,
        ".",
        Exhausted("bytes in one", "call.rs LIFT_BYTES_MAX"),
    ),
    (
        "huge-locations",
        2_000_000,
        0,
        ".",
        Exhausted("bytes in one", "call.rs LIFT_BYTES_MAX"),
    ),
    ("huge-locations", 400_000, 0, ".", Says("")),
    (
        "handles",
        u64::MAX,
        0,
        ".",
        Exhausted("streams", "call.rs RESOURCES_MAX"),
    ),
    ("open-files", u64::MAX, 0, "a.md", Says("open-files: 1")),
    (
        "open-descriptors",
        u64::MAX,
        0,
        "a.md",
        Says("open-descriptors: 19"),
    ),
    (
        "open-descriptors",
        u64::MAX,
        0,
        ".",
        Says("open-descriptors: 19"),
    ),
    ("dir-streams", u64::MAX, 0, ".", Says("dir-streams: 19")),
    (
        "file-streams",
        u64::MAX,
        0,
        "a.md",
        Exhausted("handles", "call.rs RESOURCES_MAX"),
    ),
    (
        "preopens",
        u64::MAX,
        0,
        ".",
        Exhausted("open files", "fs.rs OPEN_MAX"),
    ),
    (
        "pollables",
        u64::MAX,
        0,
        ".",
        Exhausted("pollables", "call.rs RESOURCES_MAX"),
    ),
    ("poll-list", 100, 0, ".", Says("poll-list: 1 ready")),
    (
        "poll-list",
        1_000_000,
        0,
        ".",
        Exhausted("pollables", "call.rs RESOURCES_MAX"),
    ),
    (
        "write-bytes",
        u64::MAX,
        MIB,
        "big",
        Says("write-bytes: 256 done, then "),
    ),
    ("write-bytes", u64::MAX, 1, "big", OutOfFuel),
    ("read-bytes", u64::MAX, 0, "a.md", OutOfFuel),
    ("read-bytes", u64::MAX, 0, "a.md", Deadline),
    (
        "set-size",
        u64::MAX,
        MIB,
        "big",
        Says("set-size: 256 done, then "),
    ),
    (
        "set-size",
        1,
        1 << 50,
        "big",
        Says("set-size: 0 done, then "),
    ),
    ("many-files", u64::MAX, 10, ".", OutOfFuel),
    (
        "deep-dirs",
        u64::MAX,
        0,
        ".",
        Says("deep-dirs: 129 done, then "),
    ),
    ("stat", u64::MAX, 0, "a.md", OutOfFuel),
    ("stat", u64::MAX, 0, "a.md", Deadline),
    ("list", u64::MAX, 0, ".", OutOfFuel),
    ("list", u64::MAX, 0, ".", Deadline),
    ("log", u64::MAX, 1_000, ".", OutOfFuel),
    ("log", 1, 20 * MIB, ".", Says("log: 1 done")),
    ("stdout", u64::MAX, 1_000, ".", OutOfFuel),
    ("stdout", 10, MIB, ".", Says("stdout: 10 done")),
    ("print", 1, MIB, ".", Says("print: 1 done")),
    ("stderr", u64::MAX, 1_000, ".", OutOfFuel),
    ("stdin", 1_000, 0, ".", Says("stdin: 1000 done")),
    ("sleep", 1, 0, ".", Says("sleep: 1 ms")),
    ("sleep", 3_600_000, 0, ".", OutOfFuel),
    ("clock", u64::MAX, 0, ".", OutOfFuel),
    ("clock", u64::MAX, 0, ".", Deadline),
    ("random", u64::MAX, 16 << 20, ".", OutOfFuel),
    ("random", 1, 1 << 40, ".", Contract("random bytes")),
    ("random", 1, (16 << 20) + 1, ".", Contract("random bytes")),
    ("read-base", u64::MAX, 0, "a.md", OutOfFuel),
    ("read-base", u64::MAX, 0, "a.md", Deadline),
    ("diff", u64::MAX, u64::MAX, ".", OutOfFuel),
    ("commits", 1, 0, ".", Says("commits: 1 done")),
    ("read-report", u64::MAX, 0, "junit", OutOfFuel),
    ("read-report", u64::MAX, 0, "junit", Deadline),
    (
        "read-report",
        1,
        0,
        "none",
        Says(
            "read-report: 0 done, then unavailable: none of test after the change: no such report",
        ),
    ),
    ("poll-same", 500, 0, ".", Says("poll-same: 500 ready")),
    (
        "poll-same",
        100_000,
        0,
        ".",
        Exhausted("handles", "call.rs RESOURCES_MAX"),
    ),
    ("poll-none", 1, 0, ".", Contract("empty poll list")),
    // A text is paid for by its length, whether it is a path or not.
    ("long-path", u64::MAX, 20 * MIB, ".", OutOfFuel),
    ("long-path", u64::MAX, 20 * MIB, ".", Deadline),
    (
        "long-path",
        1,
        20 * MIB,
        ".",
        Says("long-path: 1 done, then name-too-long"),
    ),
    (
        "long-path",
        1,
        20_000,
        ".",
        Says("long-path: 1 done, then name-too-long"),
    ),
    (
        "long-path",
        1,
        4_000,
        ".",
        Says("long-path: 1 done, then name-too-long"),
    ),
    (
        "long-name",
        1,
        255,
        ".",
        Says("long-name: 1 done, then no-entry"),
    ),
    (
        "long-name",
        1,
        256,
        ".",
        Says("long-name: 1 done, then name-too-long"),
    ),
    ("long-name", u64::MAX, 20 * MIB, ".", OutOfFuel),
    (
        "long-path",
        1,
        40 * MIB,
        ".",
        Exhausted("bytes in one", "call.rs LIFT_BYTES_MAX"),
    ),
    (
        "long-link",
        1,
        20 * MIB,
        ".",
        Says("long-link: 0 done, then name-too-long"),
    ),
    ("long-link", 1, 4_000, ".", Says("long-link: ")),
    ("denials", u64::MAX, 10, ".", OutOfFuel),
    (
        "denials",
        20_000,
        1_000,
        ".",
        Says("denials: 20000 done, then not-permitted"),
    ),
    (
        "read-at-once",
        10,
        u64::MAX,
        "a.md",
        Says("read-at-once: 10 done"),
    ),
    ("read-at-once", u64::MAX, u64::MAX, "a.md", OutOfFuel),
    ("skip", 10, u64::MAX, "a.md", Says("skip: 10 done")),
    ("splice", 10, u64::MAX, "a.md", Says("splice: 10 done")),
    (
        "write-at-once",
        1,
        20 * MIB,
        ".",
        Says("write-at-once: 1 done"),
    ),
    ("write-at-once", u64::MAX, 20 * MIB, ".", OutOfFuel),
    (
        "zeroes",
        1,
        u64::MAX,
        ".",
        Contract("cannot write more zeroes"),
    ),
    (
        "zeroes",
        1,
        65_537,
        ".",
        Contract("cannot write more zeroes"),
    ),
    ("zeroes", u64::MAX, 65_536, ".", OutOfFuel),
    (
        "zeroes-and-flush",
        1,
        u64::MAX,
        ".",
        Contract("Buffer too large"),
    ),
    ("environment", u64::MAX, 0, ".", OutOfFuel),
    ("environment", u64::MAX, 0, ".", Deadline),
];

/// All strains of this guest.
pub(crate) fn strains() -> Vec<Strain> {
    let hog = Rc::new(guest("hog"));
    let one = |&(mode, count, bytes, path, end): &Row| {
        let hog = Rc::clone(&hog);
        let name = format!("{mode} {count} × {bytes} {end:?}");
        let run = move |limits| strain(&hog, mode, count, bytes, path, limits);
        Strain::new(name, end, run).memory(memory(end))
    };
    let mut strains: Vec<Strain> = ROWS.iter().map(one).collect();
    for (mode, says) in [
        (
            "diff",
            "diff: 0 done, then unavailable: 1000 lines, 16777216 bytes",
        ),
        (
            "read-base",
            "read-base: 0 done, then unavailable: a.md: 16777216 bytes",
        ),
    ] {
        let hog = Rc::clone(&hog);
        let run = move |limits| {
            let case = Case::new();
            let mut call = writing_call(&hog, &case, EVERYTHING);
            call.config = json!({ "mode": mode, "bytes": u64::MAX, "path": "a.md" }).to_string();
            call.limits = limits;
            call.change = Some(Arc::new(Asked));
            wait(hog.plugin().judge(call)).map(|verdict| verdict.summary)
        };
        strains.push(Strain::new(
            format!("all of a change by {mode}"),
            Says(says),
            run,
        ));
    }
    strains
}

/// Answers with what it was asked for.
struct Asked;

impl ChangeSource for Asked {
    fn files(&self) -> &[FileChange] {
        &[]
    }

    fn read_base(&self, _: &RelPath, max: u64) -> io::Result<Option<Vec<u8>>> {
        Err(io::Error::other(format!("{max} bytes")))
    }

    fn unified_diff(&self, context: u32, _: &[RelPath], max: u64) -> io::Result<String> {
        Err(io::Error::other(format!("{context} lines, {max} bytes")))
    }
}

/// The modes that are tried.
pub(crate) fn modes() -> BTreeSet<&'static str> {
    ROWS.iter().map(|row| row.0).collect()
}

/// Answers that are too large for the host have to fit into the guest first.
fn memory(end: End) -> u64 {
    if let Exhausted(..) = end {
        4 * MEMORY
    } else {
        MEMORY
    }
}

/// Runs one mode in a small workspace where everything is allowed.
pub(crate) fn strain(
    hog: &Component,
    mode: &str,
    count: u64,
    bytes: u64,
    path: &str,
    limits: Limits,
) -> Called<String> {
    let case = Case::new()
        .modified("a.md", "before\n", "after\n")
        .ran(CommandRun::new("test", Side::After).report("junit", "<testsuites/>"));
    let mut call = writing_call(hog, &case, EVERYTHING);
    call.config = json!({ "mode": mode, "count": count, "bytes": bytes, "path": path }).to_string();
    call.limits = limits;
    wait(hog.plugin().judge(call)).map(|verdict| verdict.summary)
}
