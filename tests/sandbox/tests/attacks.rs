//! Attacks of several steps, and of sizes that the table in `verbs.rs` has no row for.

use std::fs;
use std::sync::LazyLock;

use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::census::census;
use ringfence_tests_sandbox::guest;
use ringfence_tests_sandbox::probe::{Done, Grant, carry_out, op, writing_call};
use serde_json::{Value, json};

static PROBE: LazyLock<Component> = LazyLock::new(|| guest("probe"));

const ALL: Grant<'_> = Grant {
    read: &["**"],
    write: &["**"],
    deny: &["secrets/**", ".git/**"],
};

fn run(case: &Case, plan: &[Value]) -> Done {
    carry_out(&PROBE, writing_call(&PROBE, case, ALL), plan)
}

fn open(path: &str, handle: &str) -> Value {
    op("open", json!({ "path": path, "descriptor": ["read"], "as": handle }))
}

#[test]
fn try_mkdir() {
    let case = Case::new();
    let grant = Grant { read: &["**"], write: &["**/*.md"], deny: &[] };
    let plan = [
        op("create-directory-at", json!({ "path": "out" })),
        op("std-create-dir", json!({ "path": "./out" })),
        op("std-create-dir-all", json!({ "path": "./out" })),
        op("std-create-dir-all", json!({ "path": "out/x" })),
    ];
    let done = carry_out(&PROBE, writing_call(&PROBE, &case, grant), &plan);
    eprintln!("{done:#?}");
    eprintln!("{:?}", fs::read_dir(case.path()).unwrap().collect::<Vec<_>>());
}

#[test]
fn streams_keep_files_open_and_so_count_as_open() {
    let case = Case::new().unchanged("a.md", "a");
    let plan: Vec<Value> = (0..400)
        .flat_map(|n| {
            [
                open("a.md", "h"),
                op("read-via-stream", json!({ "on": "h", "as": format!("s{n}") })),
                op("drop", json!({ "on": "h" })),
            ]
        })
        .collect();
    let done = run(&case, &plan);
    let opened = done.results.chunks(3).filter(|chunk| chunk[0].is_ok()).count();
    assert!(opened <= 200, "{opened} files are open at once");
}

#[test]
fn deep() {
    let case = Case::new();
    let deep = vec!["d"; 1500].join("/");
    let mut at = String::new();
    let mut plan: Vec<Value> = vec![];
    let _ = &mut at;
    // From a handle each, so that the paths stay short.
    plan.push(open(".", "h"));
    for _ in 0..1500 {
        plan.push(op("create-directory-at", json!({ "on": "h", "path": "d" })));
        plan.push(op("open", json!({ "on": "h", "path": "d", "descriptor": ["read"], "as": "h" })));
    }
    plan.push(op("stat-at", json!({ "path": format!("{deep}/../x") })));
    plan.push(op("rename-at", json!({ "path": "d", "new_path": "e" })));
    plan.push(op("rename-at", json!({ "path": "e", "new_path": "d" })));
    plan.push(op("rename-at", json!({ "path": "d", "new_path": "e" })));
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    eprintln!("{limit:?} {:?}", census());
    rustix::process::setrlimit(rustix::process::Resource::Nofile, rustix::process::Rlimit { current: Some(1000), maximum: limit.maximum }).unwrap();
    let started = std::time::Instant::now();
    let done = run(&case, &plan);
    eprintln!("{:?} {:?} {:?} {:?}", started.elapsed(), done.results.iter().filter(|r| r.is_err()).count(), &done.results[done.results.len()-4..], done.called.report.usage);
    eprintln!("{:?}", done.denials());
}
