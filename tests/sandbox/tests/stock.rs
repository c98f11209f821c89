//! The same random plans under Wasmtime's own file host, where our policy allows everything.
//!
//! `plans/steps.rs` makes trees and plans; the same guest carries them out on two copies of a tree, once under ours and
//! once under a preopened directory of `wasmtime-wasi`. Each answer and the tree that is left must be the same, but
//! for what is in [`DIFFERENCES`], with a reason each. A plan ends where only one of the two has done something: the trees
//! are no longer the same from there.
//!
//! How many: the same two hundred plans on every run, or `RINGFENCE_STOCK_PLANS` others.
//!
//! **Invariant:** a difference without a reason is a failure.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end at once"
)]

#[path = "plans/runs.rs"]
mod runs;
#[path = "plans/steps.rs"]
mod steps;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::sandbox::Mount;
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::probe::{Grant, carry_out, policy};
use ringfence_tests_sandbox::{guest, guest_bytes};
use serde_json::{Value, json};
use steps::{Made, Step, make, plan, tree};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{self, Linker, ResourceTable, Val};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

static PROBE: LazyLock<Component> = LazyLock::new(|| guest("probe"));
static STOCK: LazyLock<Stock> = LazyLock::new(Stock::new);

/// The probe under Wasmtime's own host.
struct Stock {
    engine: Engine,
    component: component::Component,
    linker: Linker<Guest>,
}

struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl Stock {
    fn new() -> Self {
        let engine = Engine::default();
        let component = component::Component::new(&engine, guest_bytes("probe")).unwrap();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        // The plan comes as an argument: of what is ours, only the configuration is asked for, and not used.
        for (name, import) in component.component_type().imports(&engine) {
            let ComponentItem::ComponentInstance(instance) = import.ty else {
                continue;
            };
            for (function, item) in instance.exports(&engine) {
                if name.starts_with("ringfence:")
                    && matches!(item.ty, ComponentItem::ComponentFunc(_))
                {
                    let mut ours = linker.instance(name).unwrap();
                    let empty = |_: StoreContextMut<'_, Guest>, _, _: &[Val], told: &mut [Val]| {
                        told.fill(Val::String("{}".to_owned()));
                        Ok(())
                    };
                    ours.func_new(function, empty).unwrap();
                }
            }
        }
        Self {
            engine,
            component,
            linker,
        }
    }

    async fn act(&self, root: &Path, plan: &[Value]) -> Vec<Result<Value, String>> {
        let mut wasi = WasiCtx::builder();
        wasi.preopened_dir(root, "/", FsPerms::ReadWrite).unwrap();
        wasi.allow_blocking_current_thread(true);
        let guest = Guest {
            wasi: wasi.build(),
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&self.engine, guest);
        let instance = self
            .linker
            .instantiate_async(&mut store, &self.component)
            .await
            .unwrap();
        let act = instance
            .get_export_index(&mut store, None, "ringfence:beat/act@0.1.0")
            .unwrap();
        let act = instance
            .get_export_index(&mut store, Some(&act), "act")
            .unwrap();
        let act = instance.get_func(&mut store, act).unwrap();
        let input = json!({ "plan": plan }).to_string();
        let mut told = [Val::Bool(false)];
        let asked = [Val::String("run".into()), Val::String(input)];
        act.call_async(&mut store, &asked, &mut told).await.unwrap();
        let Val::Result(Ok(Some(outcome))) = &told[0] else {
            panic!("{told:?}")
        };
        let Val::Record(fields) = &**outcome else {
            panic!("{outcome:?}")
        };
        let (_, Val::String(detail)) = &fields[1] else {
            panic!("{fields:?}")
        };
        let results: Vec<Value> = serde_json::from_str(detail).unwrap();
        results.iter().map(read).collect()
    }
}

fn read(told: &Value) -> Result<Value, String> {
    match told.get("err").and_then(Value::as_str) {
        Some(code) if code.starts_with("plan: nothing is open") => Err("unopened".to_owned()),
        Some(code) => Err(code.to_owned()),
        None => Ok(told["ok"].clone()),
    }
}

/// What both hosts must tell alike: not the times, and not what a directory weighs.
fn comparable(result: Result<Value, String>) -> Result<Value, String> {
    result.map(|told| match told.get("type") {
        Some(kind) if kind == "directory" => json!({ "type": kind }),
        Some(kind) => json!({ "type": kind, "size": told["size"], "links": told["links"] }),
        None => told,
    })
}

fn ours(root: &Path, plan: &[Value]) -> Vec<Result<Value, String>> {
    let mut call = PROBE.call(&Case::new(), Role::Gate);
    call.mounts = vec![Mount {
        guest_path: "/".to_owned(),
        host_path: root.to_owned(),
        policy: policy(Grant {
            read: &["**"],
            write: &["**"],
            deny: &[],
        }),
    }];
    carry_out(&PROBE, call, plan).results
}

fn theirs(root: &Path, plan: &[Value]) -> Vec<Result<Value, String>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(STOCK.act(root, plan))
}

/// Where the two may answer differently: the verb, what ours ends with, what theirs does, and why. Where both refuse, the
/// path is wrong in two ways, and each tells of another.
const DIFFERENCES: &[Difference] = &[
    (
        "*",
        "no-entry",
        "not-permitted",
        "that the folder of a handle is gone is said here before what is wrong with the path",
    ),
    (
        "list",
        "no-entry",
        "ok",
        "a folder that is gone is an empty one there",
    ),
    (
        "stat-at",
        "no-entry",
        "ok",
        "a folder that is gone may be looked at there by its handle",
    ),
    (
        "open",
        "*",
        "invalid",
        "flags that make no sense with `directory` are refused there before anything is looked at",
    ),
    (
        "open",
        "not-permitted no-entry not-directory is-directory exist loop",
        "no-entry not-directory is-directory",
        "a file is to be made under a name with a slash",
    ),
    (
        "read",
        "bad-descriptor",
        "ok",
        "what was opened for nothing may be read there",
    ),
    (
        "write",
        "bad-descriptor",
        "ok",
        "what was opened to be cut may be written there",
    ),
    (
        "set-size",
        "bad-descriptor",
        "ok invalid",
        "what was opened to be cut may be written there",
    ),
    (
        "read",
        "is-directory",
        "bad-descriptor",
        "which error a directory is",
    ),
    (
        "write",
        "is-directory",
        "bad-descriptor",
        "which error a directory is",
    ),
    (
        "set-size",
        "is-directory",
        "bad-descriptor",
        "which error a directory is",
    ),
    (
        "stat-at",
        "not-directory",
        "ok",
        "a slash after a file is not seen there",
    ),
    (
        "stat-at/",
        "loop no-entry not-permitted",
        "ok",
        "a slash after a link is not seen there",
    ),
    (
        "readlink-at",
        "ok",
        "not-permitted",
        "an absolute target is kept secret there",
    ),
    (
        "readlink-at",
        "invalid",
        "not-directory",
        "a slash after a file",
    ),
    (
        "create-directory-at",
        "not-directory",
        "exist",
        "a link with a slash is there something, and no directory here",
    ),
    (
        "remove-directory-at",
        "ok not-empty",
        "invalid",
        "a slash after a directory is refused there",
    ),
    (
        "remove-directory-at/",
        "not-directory",
        "no-entry loop invalid not-permitted",
        "a link with a slash is followed there",
    ),
    (
        "unlink-file-at/",
        "not-directory",
        "no-entry loop is-directory not-permitted",
        "a link with a slash is followed there",
    ),
    (
        "symlink-at",
        "not-permitted",
        "ok",
        "a target that leads out is refused here already",
    ),
    (
        "symlink-at",
        "not-permitted not-directory no-entry exist loop",
        "not-permitted not-directory no-entry exist loop",
        "target and name are both wrong, or the name ends in a slash",
    ),
    (
        "link-at",
        "not-permitted",
        "ok",
        "a link gets no second name here",
    ),
    (
        "link-at",
        "not-permitted not-directory no-entry exist loop",
        "not-permitted not-directory no-entry exist loop",
        "old and new name are both wrong",
    ),
    (
        "link-at",
        "no-entry",
        "invalid",
        "the folder of a handle is gone, and no link is followed either",
    ),
    (
        "rename-at",
        "busy not-directory no-entry",
        "busy not-directory no-entry not-permitted loop invalid",
        "old and new name are both wrong",
    ),
];

/// Verb (`*`: any; `verb/`: with a slash after the path), ends of ours, ends of theirs (`*`: any), reason.
type Difference = (&'static str, &'static str, &'static str, &'static str);

/// Why the two may answer a step differently; none when they may not.
fn differs(
    step: &Step,
    ours: &Result<Value, String>,
    theirs: &Result<Value, String>,
) -> Option<&'static str> {
    let end =
        |told: &Result<Value, String>| told.as_ref().map_or_else(Clone::clone, |_| "ok".to_owned());
    let (json, ours, theirs) = (step.json(), end(ours), end(theirs));
    let (verb, path) = (&json["op"], json["path"].as_str().unwrap_or_default());
    let among = |ends: &str, end: &str| ends == "*" || ends.split(' ').any(|one| one == end);
    let fits = |(of, one, other, _): &&Difference| {
        let slash = of.strip_suffix('/');
        let of_this =
            *of == "*" || slash.map_or(verb == of, |of| verb == of && path.ends_with('/'));
        of_this && among(one, &ours) && among(other, &theirs)
    };
    DIFFERENCES.iter().find(fits).map(|(.., why)| *why)
}

fn check(made: &[Made], plan: &[Step]) -> Result<(), TestCaseError> {
    let ground = || {
        let dir = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        make(dir.path(), made);
        dir
    };
    let (one, other) = (ground(), ground());
    let asked: Vec<Value> = plan.iter().map(Step::json).collect();
    let (ours, theirs) = (ours(one.path(), &asked), theirs(other.path(), &asked));
    let told = ours
        .into_iter()
        .map(comparable)
        .zip(theirs.into_iter().map(comparable));
    for (step, (ours, theirs)) in plan.iter().zip(told) {
        if ours == theirs {
            continue;
        }
        let known = differs(step, &ours, &theirs).is_some();
        prop_assert!(known, "{:?}: {:?}, and stock {:?}", step, ours, theirs);
        // Where only one of them has done something, the trees are no longer the same.
        if ours.is_ok() || theirs.is_ok() {
            return Ok(());
        }
    }
    prop_assert_eq!(files(one.path()), files(other.path()));
    Ok(())
}

fn files(root: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let shown = if path.is_symlink() {
                format!("link {}", std::fs::read_link(&path).unwrap().display())
            } else if path.is_dir() {
                open.push(path.clone());
                "dir".to_owned()
            } else {
                format!(
                    "file {}",
                    String::from_utf8_lossy(&std::fs::read(&path).unwrap())
                )
            };
            let name = path.strip_prefix(root).unwrap().display().to_string();
            files.insert(name, shown);
        }
    }
    files
}

#[test]
fn the_stock_host_says_the_same() {
    LazyLock::force(&PROBE);
    LazyLock::force(&STOCK);
    runs::runner("RINGFENCE_STOCK_PLANS", 200)
        .run(&(tree(), plan()), |(made, plan)| check(&made, &plan))
        .unwrap_or_else(|error| panic!("{error}"));
}
