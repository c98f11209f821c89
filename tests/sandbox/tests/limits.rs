//! What is bounded ends in its own typed failure, or in a refusal that the guest sees, and the host stays well.
//!
//! Every mode of the guest `hog` is tried. After each, the same component answers as before for the same fuel, no file
//! and no thread is left open, and the host's memory has stayed below a bound.
//!
//! One test, because what a process holds can only be counted while nothing else runs in it.

use std::collections::BTreeSet;

use ringfence_testkit::core::call::CallFailure;
use ringfence_testkit::core::limits::LIMITS_MAX;
use ringfence_testkit::core::quantity::{Bytes, Fuel, Millis};
use ringfence_testkit::core::verdict::Verdict;
use ringfence_testkit::sandbox::Called;
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::census::{Census, census, forget_peak, peak_rss, rss};
use ringfence_tests_sandbox::probe::{Grant, writing_call};
use ringfence_tests_sandbox::{guest, wait};
use serde_json::json;

const MIB: u64 = 1 << 20;
/// What those get that must use it up, and those that must end by something else.
const FUEL: u64 = 100_000_000;
const FUEL_ENOUGH: u64 = 4_000_000_000;
const MEMORY: u64 = 64 * MIB;
/// Beside the guest's own memory: what the host may hold for a call, its answer and its report.
const HOST_BYTES_MAX: u64 = 160 * MIB;
const DEADLINE: Millis = Millis(150);

/// How a call must end.
#[derive(Debug, Clone, Copy)]
enum End {
    OutOfFuel,
    Memory,
    Exhausted(&'static str),
    /// With a message that holds this.
    Trap(&'static str),
    Contract(&'static str),
    /// With a verdict whose summary begins so.
    Says(&'static str),
    /// With all fuel there is, by the wall clock.
    Deadline,
}

use End::{Contract, Deadline, Exhausted, Memory, OutOfFuel, Says, Trap};

/// A mode with its `count`, `bytes` and `path`.
type Strain = (&'static str, u64, u64, &'static str, End);

const STRAINS: &[Strain] = &[
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
    ("huge-string", 1, 40 * MIB, ".", Exhausted("bytes in one")),
    ("huge-list", 200_000, 0, ".", Says("")),
    ("huge-list", 20, 2 * MIB, ".", Exhausted("bytes in one")),
    (
        "huge-locations",
        2_000_000,
        0,
        ".",
        Exhausted("bytes in one"),
    ),
    ("huge-locations", 400_000, 0, ".", Says("")),
    ("handles", u64::MAX, 0, ".", Exhausted("streams")),
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
    ("file-streams", u64::MAX, 0, "a.md", Exhausted("handles")),
    ("preopens", u64::MAX, 0, ".", Exhausted("open files")),
    ("pollables", u64::MAX, 0, ".", Exhausted("pollables")),
    ("poll-list", 100, 0, ".", Says("poll-list: 1 ready")),
    ("poll-list", 1_000_000, 0, ".", Exhausted("pollables")),
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
    ("random", u64::MAX, 65_536, ".", OutOfFuel),
    ("random", 1, 1 << 40, ".", Contract("random bytes")),
    ("read-base", u64::MAX, 0, "a.md", OutOfFuel),
    ("read-base", u64::MAX, 0, "a.md", Deadline),
    ("diff", u64::MAX, u64::MAX, ".", OutOfFuel),
];

/// Answers that are too large for the host have to fit into the guest first.
fn memory(end: End) -> Bytes {
    Bytes(if let Exhausted(_) = end {
        4 * MEMORY
    } else {
        MEMORY
    })
}

fn strain(hog: &Component, (mode, count, bytes, path, end): Strain) -> Called<Verdict> {
    let case = Case::new().modified("a.md", "before\n", "after\n");
    let everything = Grant {
        read: &["**"],
        write: &["**"],
        deny: &[],
    };
    let mut call = writing_call(hog, &case, everything);
    call.config = json!({ "mode": mode, "count": count, "bytes": bytes, "path": path }).to_string();
    // Long enough for a machine with a hundred other things to do.
    let (fuel, deadline) = match end {
        OutOfFuel => (Fuel(FUEL), Millis(60_000)),
        Deadline => (LIMITS_MAX.fuel, DEADLINE),
        _ => (Fuel(FUEL_ENOUGH), Millis(60_000)),
    };
    call.limits.fuel = fuel;
    call.limits.deadline = deadline;
    call.limits.memory = memory(end);
    wait(hog.plugin().judge(call))
}

fn check((mode, count, bytes, _, expect): Strain, called: &Called<Verdict>) -> Result<(), String> {
    let fits = match (&called.answer, expect) {
        (Ok(Ok(verdict)), Says(start)) => verdict.summary.starts_with(start),
        (Err(failure), _) => is_failure(failure, expect, called),
        _ => false,
    };
    let usage = &called.report.usage;
    let bounded = usage.fuel.used <= usage.fuel.limit && usage.memory.used <= usage.memory.limit;
    if fits && bounded {
        Ok(())
    } else {
        let mut got = format!("{:?} {usage:?}", called.answer);
        got.truncate(300);
        Err(format!("{mode} {count} × {bytes}: {expect:?} is not {got}"))
    }
}

fn is_failure(failure: &CallFailure, expect: End, called: &Called<Verdict>) -> bool {
    match (failure, expect) {
        (CallFailure::OutOfFuel { used, limit }, OutOfFuel) => {
            // The engine stops a little early, never late.
            *limit == Fuel(FUEL) && used.0 <= FUEL && used.0 > FUEL - FUEL / 100
        }
        (CallFailure::Deadline { limit }, Deadline) => *limit == DEADLINE,
        (CallFailure::Memory { asked, limit }, Memory) => {
            asked > limit && *limit == called.report.usage.memory.limit
        }
        (CallFailure::Exhausted { resource, limit }, Exhausted(what)) => {
            resource.contains(what) && *limit > 0
        }
        (CallFailure::Trap { message }, Trap(what)) => message.contains(what),
        (CallFailure::Contract { message }, Contract(what)) => message.contains(what),
        _ => false,
    }
}

/// What must be the same before and after every strain.
#[derive(Debug, PartialEq, Eq)]
struct Health {
    census: Census,
    fuel: Fuel,
    answer: String,
}

fn health(hog: &Component) -> Health {
    let called = strain(hog, ("burn", 1_000, 0, ".", Says("")));
    Health {
        fuel: called.report.usage.fuel.used,
        answer: format!("{:?}", called.answer),
        census: census(),
    }
}

#[test]
fn every_strain_ends_as_it_should_and_leaves_the_host_well() {
    let hog = guest("hog");
    health(&hog);
    let well = health(&hog);
    let mut wrong = Vec::new();
    for strained in STRAINS.iter().copied() {
        let before = rss();
        forget_peak();
        let called = strain(&hog, strained);
        wrong.extend(check(strained, &called).err());
        drop(called);
        let grown = peak_rss().saturating_sub(before);
        if grown > memory(strained.4).0 + HOST_BYTES_MAX {
            wrong.push(format!(
                "{strained:?} takes {} MiB of the host",
                grown / MIB
            ));
        }
        let after = health(&hog);
        if after != well {
            wrong.push(format!("{strained:?} leaves {after:?} instead of {well:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A mode of the guest that no strain tries proves nothing.
#[test]
fn no_mode_is_left_out() {
    let sources = [
        include_str!("../../guests/hog/src/engine.rs"),
        include_str!("../../guests/hog/src/host.rs"),
    ];
    let lines = sources.iter().flat_map(|source| source.lines());
    let modes: BTreeSet<&str> = lines
        .filter_map(|line| Some(line.trim().strip_prefix('"')?.split_once("\" =>")?.0))
        .collect();
    let tried: BTreeSet<&str> = STRAINS.iter().map(|strain| strain.0).collect();
    let untried: Vec<_> = modes.symmetric_difference(&tried).collect();
    assert!(untried.is_empty(), "{untried:?}");
}
