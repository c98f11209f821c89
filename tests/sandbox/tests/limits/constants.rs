//! Every limit of the boundary, and what proves it.
//!
//! A limit is a constant under a comment `// Limit:` in `host/sandbox`. Each stands in [`PROVEN`] with the strain that runs
//! into it, or the test beside the code that does.
//!
//! **Invariant:** a limit without a line here fails, and so does a line without its limit, its strain or its test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ringfence_tests_sandbox::root;

use crate::is_long;

/// What runs into a limit.
enum Proof {
    /// The strains whose names begin so.
    Strain(&'static str),
    /// The same, of which there is one only where what takes minutes is wanted.
    LongStrain(&'static str),
    /// The test of this name in the limit's own file.
    Beside(&'static str),
    /// The test of this name in this file.
    At(&'static str, &'static str),
}

use Proof::{At, Beside, LongStrain, Strain};

const PROVEN: &[(&str, Proof)] = &[
    (
        "artifact.rs CODE_BYTES_MAX",
        At(
            "tests/sandbox/tests/compile.rs",
            "a_compiler_that_misbehaves_is_no_danger",
        ),
    ),
    (
        "cache.rs BYTES_MAX",
        At(
            "host/sandbox/src/cache/tests.rs",
            "what_was_not_used_for_longest_goes_first",
        ),
    ),
    (
        "cache.rs HALF_WRITTEN",
        At(
            "host/sandbox/src/cache/tests.rs",
            "junk_neither_stays_nor_stops_the_tidying",
        ),
    ),
    ("call.rs BYTES_WRITTEN_MAX", Strain("write-bytes 1")),
    ("call.rs FUEL_BETWEEN_YIELDS", Strain("spin 1 × 0 Deadline")),
    ("call.rs LIFT_BYTES_MAX", Strain("huge-string 1 × 41943040")),
    ("call.rs RESOURCES_MAX", Strain("pollables")),
    (
        "compile.rs cpu: Duration::from_secs(120),",
        At(
            "tests/sandbox/tests/compile.rs",
            "what_takes_too_long_is_ended",
        ),
    ),
    (
        "compile.rs memory: Bytes(2 << 30),",
        At(
            "tests/sandbox/tests/compile.rs",
            "what_needs_too_much_memory_is_ended",
        ),
    ),
    (
        "compile.rs wall: Duration::from_secs(360),",
        At(
            "tests/sandbox/tests/compile.rs",
            "what_takes_too_long_is_ended",
        ),
    ),
    (
        "compile/child.rs ADDRESS_BYTES_MORE",
        At(
            "tests/sandbox/tests/compile.rs",
            "honest_components_compile_within_the_limits",
        ),
    ),
    (
        "compile/child.rs FILES_MAX",
        At(
            "tests/sandbox/tests/compile.rs",
            "the_compiler_has_given_up_everything_and_can_be_killed",
        ),
    ),
    (
        "compile/process.rs PIECE_BYTES",
        At(
            "tests/sandbox/tests/compile.rs",
            "a_compiler_that_misbehaves_is_no_danger",
        ),
    ),
    (
        "compile/process.rs STDERR_BYTES_MAX",
        At(
            "tests/sandbox/tests/compile.rs",
            "a_compiler_that_misbehaves_is_no_danger",
        ),
    ),
    (
        "confine/landlock.rs OTHERS_END_WITHIN",
        At(
            "tests/sandbox/tests/confine.rs",
            "a_confined_process_is_confined_whole",
        ),
    ),
    ("contract/change.rs BYTES_MAX", Strain("all of a change")),
    (
        "contract/change.rs CONTEXT_LINES_MAX",
        Strain("all of a change"),
    ),
    (
        "engine.rs FIBER_STACK_BYTES",
        Strain("host calls down to the end of the stack"),
    ),
    ("engine.rs WASM_STACK_BYTES", Strain("recursion")),
    ("fs.rs OPEN_MAX", Strain("preopens")),
    ("fs/data.rs CHUNK_MAX", Strain("a read of everything")),
    (
        "fs/denials.rs KEPT_MAX",
        Beside("what_is_kept_is_bounded_in_number_and_length"),
    ),
    (
        "fs/denials.rs PATH_CHARS_MAX",
        Beside("what_is_kept_is_bounded_in_number_and_length"),
    ),
    (
        "fs/links.rs NAMES_BYTES_MAX",
        Strain("a file of many long names"),
    ),
    (
        "fs/stop.rs TRIES_MAX",
        At("tests/sandbox/tests/races.rs", "no_verb_loses_a_race"),
    ),
    ("fs/listing.rs ENTRIES_MAX", Strain("many names are listed")),
    (
        "fs/listing.rs HIDDEN_MAX",
        LongStrain("a million hidden names are listed"),
    ),
    (
        "fs/search.rs ENTRIES_MAX",
        LongStrain("a million names are searched"),
    ),
    (
        "fs/search.rs HELD_BYTES_MAX",
        Strain("many long names move"),
    ),
    ("fs/walk.rs DEPTH_MAX", Strain("a deep path")),
    ("fs/walk.rs LINKS_MAX", Strain("a chain of links")),
    (
        "inspect.rs COMPONENT_BYTES_MAX",
        Strain("100 MiB of a component"),
    ),
    ("inspect.rs MODULES_MAX", Strain("many modules")),
    ("inspect.rs NAMES_MAX", Strain("many imports")),
    ("limiter.rs INSTANCES_MAX", Strain("many core instances")),
    ("limiter.rs MEMORIES_MAX", Strain("many memories")),
    ("limiter.rs TABLES_MAX", Strain("many tables")),
    (
        "limiter.rs TABLE_ELEMENTS_MAX",
        Strain("a table that grows"),
    ),
    (
        "meter.rs NAMES_MADE_MAX",
        Beside("names_stop_at_their_number"),
    ),
    (
        "native/hidden.rs HIDDEN_MAX",
        Beside("no_more_is_hidden_than_fits"),
    ),
    (
        "native/inside/calls.rs SHARED_BYTES_MAX",
        At("tests/sandbox/tests/native/attacks.rs", "the_kernel"),
    ),
    (
        "native/inside/rights.rs LOCKED_BYTES_MAX",
        At("tests/sandbox/tests/native/attacks.rs", "rights"),
    ),
    (
        "native/inside/rights.rs OPEN_FILES_MAX",
        At("tests/sandbox/tests/native/attacks.rs", "rights"),
    ),
    (
        "native/inside/rights.rs SIGNALS_MAX",
        At("tests/sandbox/tests/native/attacks.rs", "rights"),
    ),
    (
        "native/inside/rights.rs TASKS_FOR_EACH",
        At(
            "tests/sandbox/tests/native/ends.rs",
            "when_there_are_too_many_processes",
        ),
    ),
    (
        "native/inside/root.rs BYTES_FOR_EACH_FILE",
        At(
            "tests/sandbox/tests/native/ends.rs",
            "when_the_disk_is_full",
        ),
    ),
    (
        "native/inside/root.rs SKELETON",
        At(
            "host/sandbox/src/native/hidden.rs",
            "no_more_is_hidden_than_fits",
        ),
    ),
    (
        "native/inside/watch.rs ENDS_WITHIN",
        At(
            "tests/sandbox/tests/native/ends.rs",
            "nothing_is_left_running",
        ),
    ),
    (
        "native/inside/watch.rs TICK",
        At(
            "tests/sandbox/tests/native/ends.rs",
            "when_there_are_too_many_processes",
        ),
    ),
    (
        "native/start.rs PIECE_BYTES",
        At(
            "tests/sandbox/tests/native/ends.rs",
            "when_there_is_too_much_output",
        ),
    ),
    (
        "native/start.rs STOPS_WITHIN",
        At("tests/sandbox/tests/native/ends.rs", "when_time_is_over"),
    ),
    (
        "native/talk.rs HIDDEN_BYTES_MAX",
        Beside("a_message_is_taken_whole_or_not_at_all"),
    ),
    (
        "native/talk.rs ORDER_BYTES_MAX",
        Beside("a_message_is_taken_whole_or_not_at_all"),
    ),
    (
        "native/talk.rs TOLD_BYTES_MAX",
        Beside("a_message_is_taken_whole_or_not_at_all"),
    ),
    (
        "output.rs BYTES_MAX",
        Beside("too_much_is_dropped_and_counted"),
    ),
    (
        "output.rs LINES_MAX",
        Beside("too_much_is_dropped_and_counted"),
    ),
    ("output.rs WRITE_MAX", Strain("zeroes 1 × 65537")),
    (
        "pool.rs CALLS_AT_ONCE",
        At("tests/sandbox/tests/pool.rs", "calls_wait_for_a_place"),
    ),
    (
        "pool.rs INSTANCE_BYTES_MAX",
        At(
            "tests/sandbox/tests/pool.rs",
            "a_component_of_many_parts_has_room",
        ),
    ),
    (
        "pool.rs KEPT_BYTES",
        At(
            "tests/sandbox/tests/pool.rs",
            "nothing_survives_from_one_call_to_the_next",
        ),
    ),
    (
        "pool.rs WARM_PLACES_MAX",
        At(
            "tests/sandbox/tests/pool.rs",
            "nothing_survives_from_one_call_to_the_next",
        ),
    ),
    (
        "selftest/each.rs SHARED_MAX",
        At(
            "tests/sandbox/tests/verbs.rs",
            "every_verb_at_every_kind_of_path",
        ),
    ),
    (
        "selftest/plan.rs LIMITS",
        At(
            "tests/sandbox/tests/verbs.rs",
            "every_verb_at_every_kind_of_path",
        ),
    ),
    ("stack.rs FRAMES_MAX", Beside("a_deep_stack_is_cut")),
    ("wasi/random.rs BYTES_MAX", Strain("random 1 × 16777217")),
    (
        "wasi/streams.rs PIECE_MAX",
        Beside("a_write_to_a_pipe_that_nobody_reads_ends_at_the_deadline"),
    ),
    ("wasi/streams.rs WRITE_MAX", Beside("everything_arrives")),
];

/// The limits as they stand, by file and name, with the text of their values.
static LIMITS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let src = root().join("host/sandbox/src");
    let mut found = BTreeMap::new();
    for path in sources(&src) {
        let file = path.strip_prefix(&src).unwrap().display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        for (name, value) in limits_of(&text) {
            found.insert(format!("{file} {name}"), value);
        }
    }
    found
});

/// The value of the limit `FILE NAME`, in its own unit.
pub(crate) fn value(limit: &str) -> u64 {
    let text = LIMITS.get(limit).unwrap();
    let plain = text.replace('_', "");
    let digits = |part: &str| {
        let kept: String = part.chars().filter(char::is_ascii_digit).collect();
        kept.parse::<u64>().unwrap()
    };
    match plain.split_once("<<") {
        Some((number, shift)) => digits(number) << digits(shift),
        None => digits(&plain),
    }
}

/// What is missing, a line each; `done` are the names of the strains that were run.
pub(crate) fn unproven(done: &BTreeSet<String>) -> Vec<String> {
    let listed: BTreeSet<&str> = PROVEN.iter().map(|(limit, _)| *limit).collect();
    let there: BTreeSet<&str> = LIMITS.keys().map(String::as_str).collect();
    let stray = there.symmetric_difference(&listed);
    let mut wrong: Vec<String> = stray
        .map(|limit| format!("{limit}: a limit, or a line about one, without the other"))
        .collect();
    if !limits_are_found_by_their_comments() {
        wrong.push("limits are not found by their comments".to_owned());
    }
    for (limit, proof) in PROVEN {
        if !is_proven(limit, proof, done) {
            wrong.push(format!("{limit}: what proves it is gone"));
        }
    }
    wrong
}

fn is_proven(limit: &str, proof: &Proof, done: &BTreeSet<String>) -> bool {
    let strained = |start: &str| done.iter().any(|name| name.starts_with(start));
    match proof {
        Strain(start) => strained(start),
        LongStrain(start) => !is_long() || strained(start),
        Beside(test) => {
            let file = limit.split(' ').next().unwrap_or_default();
            has_test(&format!("host/sandbox/src/{file}"), test)
        }
        At(file, test) => has_test(file, test),
    }
}

fn has_test(file: &str, test: &str) -> bool {
    let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
    let mut lines = text.lines().map(str::trim);
    let head = format!("fn {test}(");
    while lines.any(|line| line == "#[test]") {
        let function = lines.find(|line| !line.starts_with("#["));
        if function.is_some_and(|line| line.starts_with(&head)) {
            return true;
        }
    }
    false
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

/// Names and values of the constants that follow a `// Limit:`.
fn limits_of(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while lines.any(|line| line.starts_with("// Limit:")) {
        let constant = lines.find(|line| !line.starts_with("//")).unwrap_or("");
        let parts = constant
            .split_once("const ")
            .and_then(|(_, rest)| rest.split_once(": "))
            .and_then(|(name, rest)| Some((name, rest.split_once(" = ")?.1)));
        // A comment that no constant follows is listed by its line, so that it shows.
        let (name, value) = parts.unwrap_or((constant, ""));
        found.push((name.to_owned(), value.to_owned()));
    }
    found
}

/// A limit that is not found could not be missed either.
fn limits_are_found_by_their_comments() -> bool {
    let text = "// Limit: why\n// and more.\n/// Doc.\npub const A_MAX: Bytes = Bytes(2 << 10);\nconst B: u8 = 1;\n";
    limits_of(text) == [("A_MAX".to_owned(), "Bytes(2 << 10);".to_owned())]
        && value("call.rs LIFT_BYTES_MAX") == 32 << 20
}
