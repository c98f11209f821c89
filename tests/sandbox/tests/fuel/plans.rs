//! What is measured: plans for the probe that use each verb once, each price at two sizes, and a call of each standard
//! plugin.
//!
//! **Invariant:** nothing here depends on the machine; a plan begins in a fresh workspace with the same files.

use std::fmt::Write;

use ringfence_testkit::Case;
use ringfence_tests_sandbox::probe::{Grant, carry_out, op, writing_call};
use serde_json::{Value, json};

use super::Components;

/// What the probe may do.
const GRANT: Grant<'_> = Grant {
    read: &["**"],
    write: &["**"],
    deny: &["secret/**"],
};

const BROKEN: &str = "# Hello\n\nSee [the setup](setup.md) and [the rest](gone.md).\n";
const SETUP: &str = "# Setup\n";

/// One plan: its name, and its operations.
pub(super) type Plan = (&'static str, Vec<Value>);

fn case() -> Case {
    let mut case = Case::new()
        .unchanged("a.md", "0123456789")
        .unchanged("docs/b.md", "x".repeat(1_000))
        .unchanged("docs/large", "x".repeat(100_000))
        .unchanged("1/2/3/4/5/6/7/8/deep.md", "deep")
        .unchanged("secret/s.md", "unseen")
        .unchanged("empty/gone.md", "")
        .link("to-a", "a.md")
        .link("to-to-a", "to-a");
    for n in 0..50 {
        case = case.unchanged(&format!("many/file-{n:02}"), "");
    }
    case
}

fn at(verb: &str, path: &str) -> Value {
    op(verb, json!({ "path": path }))
}

fn two(verb: &str, path: &str, new_path: &str) -> Value {
    op(verb, json!({ "path": path, "new_path": new_path }))
}

/// On what `opened` has opened.
fn on(verb: &str, keys: Value) -> Value {
    let mut operation = op(verb, keys);
    if let Some(keys) = operation.as_object_mut() {
        keys.insert("on".to_owned(), json!("h"));
    }
    operation
}

fn opened(path: &str) -> Value {
    op(
        "open",
        json!({ "path": path, "descriptor": ["read", "write"] }),
    )
}

fn folder(path: &str) -> Value {
    let directory = json!({ "path": path, "flags": ["directory"], "descriptor": ["read"] });
    op("open", directory)
}

/// Every plan, in the order of the record.
pub(super) fn plans() -> Vec<Plan> {
    let mut plans = vec![("nothing", vec![])];
    plans.extend(paths());
    plans.extend(descriptors());
    plans.extend(data());
    plans.extend(listings());
    plans
}

fn paths() -> Vec<Plan> {
    let create = json!({ "path": "new.md", "flags": ["create"], "descriptor": ["write"] });
    vec![
        ("open", vec![opened("a.md")]),
        ("open, created", vec![op("open", create)]),
        ("stat-at", vec![at("stat-at", "a.md")]),
        ("stat-at, nothing there", vec![at("stat-at", "b.md")]),
        ("stat-at, denied", vec![at("stat-at", "secret/s.md")]),
        ("stat-at, outside", vec![at("stat-at", "../a.md")]),
        (
            "stat-at, 9 names",
            vec![at("stat-at", "1/2/3/4/5/6/7/8/deep.md")],
        ),
        (
            "stat-at, 2 links",
            vec![op("stat-at", json!({ "path": "to-to-a", "follow": true }))],
        ),
        (
            "set-times-at",
            vec![op(
                "set-times-at",
                json!({ "path": "a.md", "mtime": "7.0" }),
            )],
        ),
        (
            "create-directory-at",
            vec![at("create-directory-at", "new")],
        ),
        (
            "remove-directory-at",
            vec![
                at("unlink-file-at", "empty/gone.md"),
                at("remove-directory-at", "empty"),
            ],
        ),
        ("link-at", vec![two("link-at", "a.md", "twice.md")]),
        ("symlink-at", vec![two("symlink-at", "a.md", "link.md")]),
        ("readlink-at", vec![at("readlink-at", "to-a")]),
        ("rename-at", vec![two("rename-at", "a.md", "c.md")]),
        (
            "rename-at, a directory",
            vec![two("rename-at", "docs", "texts")],
        ),
        ("unlink-file-at", vec![at("unlink-file-at", "a.md")]),
        ("metadata-hash-at", vec![at("metadata-hash-at", "a.md")]),
    ]
}

fn descriptors() -> Vec<Plan> {
    let plan = |verb: &'static str, keys: Value| (verb, vec![opened("a.md"), on(verb, keys)]);
    vec![
        plan("advise", json!({ "advice": "sequential" })),
        plan("get-flags", json!({})),
        plan("get-type", json!({})),
        plan("is-same-object", json!({})),
        plan("metadata-hash", json!({})),
        plan("set-size", json!({ "length": 5 })),
        plan("set-times", json!({ "mtime": "7.0" })),
        plan("stat", json!({})),
        plan("sync", json!({})),
        plan("sync-data", json!({})),
    ]
}

fn data() -> Vec<Plan> {
    let read =
        |path: &str, length: u64| vec![opened(path), on("read", json!({ "length": length }))];
    let write = |bytes: usize| {
        vec![
            opened("a.md"),
            on("write", json!({ "text": "y".repeat(bytes) })),
        ]
    };
    let read_stream = |length: u64| {
        vec![
            opened("docs/large"),
            on("read-via-stream", json!({})),
            on("stream-read", json!({ "length": length })),
        ]
    };
    let write_stream = |verb: &str, bytes: usize| {
        vec![
            opened("a.md"),
            on(verb, json!({})),
            on("stream-write", json!({ "text": "y".repeat(bytes) })),
        ]
    };
    vec![
        ("read, 10 bytes", read("a.md", 10)),
        ("read, 1,000 bytes", read("docs/b.md", 1_000)),
        ("read, 1,000 asked and 10 there", read("a.md", 1_000)),
        ("write, 10 bytes", write(10)),
        ("write, 1,000 bytes", write(1_000)),
        ("read-via-stream, 10 bytes", read_stream(10)),
        ("read-via-stream, 10,000 bytes", read_stream(10_000)),
        (
            "write-via-stream, 10 bytes",
            write_stream("write-via-stream", 10),
        ),
        (
            "write-via-stream, 1,000 bytes",
            write_stream("write-via-stream", 1_000),
        ),
        (
            "append-via-stream, 10 bytes",
            write_stream("append-via-stream", 10),
        ),
    ]
}

fn listings() -> Vec<Plan> {
    vec![
        (
            "read-directory",
            vec![folder("empty"), on("read-directory", json!({}))],
        ),
        (
            "list, 1 entry",
            vec![folder("empty"), on("list", json!({}))],
        ),
        (
            "list, 50 entries",
            vec![folder("many"), on("list", json!({}))],
        ),
    ]
}

/// The fuel of everything, a line each.
pub(super) fn figures(components: &Components) -> String {
    let mut lines = String::new();
    let mut tell = |name: &str, fuel: u64| {
        writeln!(lines, "{name}: {fuel}").unwrap();
    };
    for (name, plan) in plans() {
        let case = case();
        let done = carry_out(
            &components.probe,
            writing_call(&components.probe, &case, GRANT),
            &plan,
        );
        tell(
            &format!("probe: {name}"),
            done.called.report.usage.fuel.used.0,
        );
    }
    for (name, fuel) in plugins(components) {
        tell(name, fuel);
    }
    lines
}

fn plugins(components: &Components) -> Vec<(&'static str, u64)> {
    let broken = || {
        Case::new()
            .unchanged("README.md", BROKEN)
            .unchanged("docs/setup.md", SETUP)
    };
    let change = || {
        Case::new()
            .added("docs/a.md", "x\n")
            .modified("b.md", "1\n", "2\n3\n")
    };
    let worsened = broken().modified("c.md", "# C\n", "[x](nowhere.md)\n");
    let fix = json!({ "path": "README.md", "target": "setup.md", "suggestion": "docs/setup.md" });
    let situation = json!({
        "version": 1,
        "items": [{ "id": "a", "title": "a", "labels": ["fixable"], "detail": {}, "eligible": true }],
        "executors": [{ "id": "fix", "actions": [{ "name": "fix" }] }],
    });
    let report = json!({ "path": "out/r.md", "title": "Seen", "body": "text", "items": [] });
    let out = Case::new().unchanged("out/other.md", "other");
    let on = |name: &str| components.plugin(name);
    vec![
        (
            "md-links: observe",
            on("md-links").observe(&broken()).fuel().0,
        ),
        ("md-links: judge", on("md-links").judge(&worsened).fuel().0),
        (
            "first-fixable: decide",
            on("first-fixable")
                .decide(&Case::new(), &situation)
                .fuel()
                .0,
        ),
        (
            "md-link-fix: act",
            on("md-link-fix").act(&broken(), "fix", &fix).fuel().0,
        ),
        (
            "report: act",
            on("report").act(&out, "write", &report).fuel().0,
        ),
        (
            "diff-size: judge",
            on("diff-size").judge(&change()).fuel().0,
        ),
        (
            "paths: judge",
            on("paths")
                .judge(&change().config(json!({ "allow": ["docs/**"] })))
                .fuel()
                .0,
        ),
    ]
}
