//! What the guest does at a name while it is swapped: every verb that takes a path, from the root and from a held handle.
//!
//! **Invariant:** every verb of the WIT file that takes a path is in [`VERBS`], and a plan has each.

use ringfence_tests_sandbox::probe::op;
use serde_json::{Value, json};

/// The verbs that take a path.
pub(crate) const VERBS: [&str; 12] = [
    "create-directory-at",
    "link-at",
    "metadata-hash-at",
    "open-at",
    "readlink-at",
    "remove-directory-at",
    "rename-at",
    "set-times-at",
    "stat-at",
    "symlink-at",
    "unlink-file-at",
    "read-directory",
];

/// The verb of the WIT file that an operation of the plan is.
pub(crate) fn verb(op: &Value) -> &str {
    match op["op"].as_str().unwrap() {
        "open" => "open-at",
        "list" => "read-directory",
        verb => verb,
    }
}

/// Every verb at every path, once.
pub(crate) fn plan() -> Vec<Value> {
    let mut plan = vec![
        open("root", "docs", &["directory"], &["read"], "d"),
        open("root", "docs/up", &["directory"], &["read"], "u"),
    ];
    for path in [
        "docs/x",
        "docs/up/x",
        "docs/up/../up/x",
        "docs/up",
        "docs/x/s.txt",
    ] {
        plan.extend(at("root", path));
    }
    for path in ["x", "up/x", "up/../x"] {
        plan.extend(at("d", path));
    }
    plan.extend(at("u", "x"));
    plan.extend(at("u", "s.txt"));
    plan
}

/// Where a name that comes and goes would be kept by a guest that could.
pub(crate) const KEPT: [&str; 2] = ["out/linked", "out/moved"];

/// What reads and writes at a name that comes and goes.
pub(crate) fn at_second_name() -> Vec<Value> {
    let path = "docs/second";
    [
        read("root", path, true),
        write("root", path, &["truncate"]),
        vec![
            op("stat-at", json!({ "path": path })),
            op("set-times-at", json!({ "path": path, "mtime": "7.0" })),
            op("link-at", json!({ "path": path, "new_path": KEPT[0] })),
            op("rename-at", json!({ "path": path, "new_path": KEPT[1] })),
        ],
    ]
    .concat()
}

/// What reads and writes a file whose size changes.
pub(crate) fn at_any_size() -> Vec<Value> {
    let on = |verb: &str, keys: Value| op(verb, keys);
    vec![
        open("root", "docs/size", &[], &["read", "write"], "h"),
        on("read", json!({ "on": "h", "length": 1 << 20 })),
        on(
            "read",
            json!({ "on": "h", "length": 1 << 20, "offset": 69_999 }),
        ),
        on("read-via-stream", json!({ "on": "h", "as": "r" })),
        on("stream-read", json!({ "on": "r", "length": 100_000 })),
        on("append-via-stream", json!({ "on": "h", "as": "w" })),
        on("stream-write", json!({ "on": "w", "text": "plain words" })),
        on(
            "write",
            json!({ "on": "h", "text": "plain words", "offset": 99 }),
        ),
        on("set-size", json!({ "on": "h", "length": 99 })),
        on("drop", json!({ "on": "r" })),
        on("drop", json!({ "on": "w" })),
        drop_it(),
    ]
}

fn at(on: &str, path: &str) -> Vec<Value> {
    let below = |name: &str| format!("{path}/{name}");
    // A name beside, where what is moved or linked goes and comes back from.
    let (to, spare) = if on == "root" {
        ("root", "out/spare")
    } else {
        (on, "spare")
    };
    [
        read(on, path, true),
        read(on, path, false),
        write(on, path, &["truncate"]),
        write(on, path, &["create"]),
        write(on, path, &["create", "exclusive"]),
        read(on, &below("s.txt"), true),
        write(on, &below("s.txt"), &["truncate"]),
        list(on, path),
        ["stat-at", "metadata-hash-at", "set-times-at"]
            .iter()
            .flat_map(|verb| {
                [true, false].map(|follow| {
                    let keys = json!({ "on": on, "path": path, "follow": follow, "mtime": "7.0" });
                    op(verb, keys)
                })
            })
            .collect(),
        vec![
            simple("readlink-at", on, path),
            simple("create-directory-at", on, &below("new")),
            simple("remove-directory-at", on, &below("new")),
            simple("create-directory-at", on, path),
            op(
                "symlink-at",
                json!({ "on": on, "path": "s.txt", "new_path": below("l") }),
            ),
            simple("unlink-file-at", on, &below("l")),
        ],
        there_and_back("link-at", on, path, to, spare),
        there_and_back("rename-at", on, path, to, spare),
        vec![
            simple("remove-directory-at", on, path),
            simple("unlink-file-at", on, path),
            op(
                "symlink-at",
                json!({ "on": on, "path": "s.txt", "new_path": path }),
            ),
        ],
    ]
    .concat()
}

fn there_and_back(verb: &str, on: &str, path: &str, to: &str, spare: &str) -> Vec<Value> {
    let there = json!({ "on": on, "path": path, "to": to, "new_path": spare });
    let back = json!({ "on": to, "path": spare, "to": on, "new_path": path });
    let clean = simple("unlink-file-at", to, spare);
    let mut plan = vec![op(verb, there)];
    plan.extend(read(to, spare, true));
    plan.extend(list(to, spare));
    plan.extend([op("rename-at", back), clean]);
    plan
}

fn simple(verb: &str, on: &str, path: &str) -> Value {
    op(verb, json!({ "on": on, "path": path }))
}

fn open(on: &str, path: &str, flags: &[&str], descriptor: &[&str], name: &str) -> Value {
    let keys = json!({
        "on": on, "path": path, "flags": flags, "descriptor": descriptor, "follow": true, "as": name,
    });
    op("open", keys)
}

fn drop_it() -> Value {
    op("drop", json!({ "on": "h" }))
}

fn read(on: &str, path: &str, follow: bool) -> Vec<Value> {
    let open = json!({
        "on": on, "path": path, "descriptor": ["read"], "follow": follow, "as": "h",
    });
    vec![
        op("open", open),
        op("read", json!({ "on": "h", "length": 99 })),
        op("stat", json!({ "on": "h" })),
        op("set-times", json!({ "on": "h", "mtime": "7.0" })),
        drop_it(),
    ]
}

fn write(on: &str, path: &str, flags: &[&str]) -> Vec<Value> {
    vec![
        open(on, path, flags, &["write"], "h"),
        op("write", json!({ "on": "h", "text": "plain words" })),
        op("set-size", json!({ "on": "h", "length": 5 })),
        drop_it(),
    ]
}

fn list(on: &str, path: &str) -> Vec<Value> {
    vec![
        open(on, path, &["directory"], &["read"], "h"),
        op("list", json!({ "on": "h" })),
        op("stat", json!({ "on": "h" })),
        op(
            "open",
            json!({ "on": "h", "path": "s.txt", "descriptor": ["read"], "as": "f" }),
        ),
        op("read", json!({ "on": "f", "length": 99 })),
        op("drop", json!({ "on": "f" })),
        drop_it(),
    ]
}
