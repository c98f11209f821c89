//! Random plans of operations by a guest under a random policy, compared with a plain model of tree and policy.
//!
//! `plans/steps.rs` makes trees, policies and plans, `plans/model.rs` says what they should come to. What must hold of each:
//! every answer is the model's, with the kernel resolving and name by name, at the same price; each denial is reported;
//! nothing that is denied changes; and one denial more, or one grant less, takes something away or nothing, and gives
//! nothing.
//!
//! How many: the same hundred plans on every run, or `RINGFENCE_PLANS` others. What fails is shrunk and printed; what once
//! failed is in [`known`].
//!
//! **Invariant:** the model shares no code with the host.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end at once"
)]

#[path = "plans/model.rs"]
mod model;
#[path = "plans/rules.rs"]
mod rules;
#[path = "plans/runs.rs"]
mod runs;
#[path = "plans/steps.rs"]
mod steps;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use model::{Model, is_denied};
use proptest::prelude::*;
use ringfence_testkit::Case;
use ringfence_testkit::Component;
use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::sandbox::Mount;
use ringfence_tests_sandbox::probe::{Grant, carry_out, policy};
use ringfence_tests_sandbox::{guest, without_openat2};
use rules::{Rules, denial, rules};
use serde_json::{Value, json};
use steps::{Made, Mode, Step, make, plan, tree};
use tempfile::TempDir;

static PROBE: LazyLock<Component> = LazyLock::new(|| guest("probe"));

/// What came of a plan on disk.
#[derive(Debug, PartialEq)]
struct Came {
    results: Vec<Result<Value, String>>,
    denials: u64,
    fuel: u64,
    after: BTreeMap<String, String>,
}

fn ground(made: &[Made]) -> TempDir {
    let dir = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    make(dir.path(), made);
    dir
}

fn seen(root: &Path) -> BTreeMap<String, String> {
    let all = Rules {
        read: vec![],
        write: vec![],
        deny: vec![],
    };
    Model::new(root, &all).tree()
}

fn run(made: &[Made], rules: &Rules, plan: &[Step]) -> Came {
    let dir = ground(made);
    let mut call = PROBE.call(&Case::new(), Role::Gate);
    call.mounts = vec![Mount {
        guest_path: "/".to_owned(),
        host_path: dir.path().to_owned(),
        policy: policy(Grant {
            read: &rules.read,
            write: &rules.write,
            deny: &rules.deny,
        }),
    }];
    let plan: Vec<Value> = plan.iter().map(Step::json).collect();
    let done = carry_out(&PROBE, call, &plan);
    let report = &done.called.report;
    let kept: u64 = report.denials.iter().map(|denial| denial.count).sum();
    Came {
        denials: kept + report.denials_dropped,
        fuel: report.usage.fuel.used.0,
        results: done.results.into_iter().map(without_times).collect(),
        after: seen(dir.path()),
    }
}

fn without_times(result: Result<Value, String>) -> Result<Value, String> {
    result.map(|told| match told.get("type") {
        Some(kind) => json!({ "type": kind, "size": told["size"], "links": told["links"] }),
        None => told,
    })
}

fn run_without_openat2(made: &[Made], rules: &Rules, plan: &[Step]) -> Came {
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            without_openat2();
            run(made, rules, plan)
        });
        run.join().unwrap()
    })
}

fn check(made: &[Made], rules: &Rules, plan: &[Step]) -> Result<Came, TestCaseError> {
    let dir = ground(made);
    let before = seen(dir.path());
    let mut model = Model::new(dir.path(), rules);
    let came = run(made, rules, plan);
    for (step, told) in plan.iter().zip(&came.results) {
        prop_assert_eq!(told, &model.step(step), "{:?}", step);
    }
    prop_assert_eq!(came.denials, model.denials, "each denial is reported");
    prop_assert_eq!(&came.after, &model.tree());
    let denied = |tree: &BTreeMap<String, String>| -> Vec<(String, String)> {
        let hidden = |path: &str| is_denied(rules, &path.split('/').collect::<Vec<_>>());
        let tree = tree.iter().filter(|(path, _)| hidden(path));
        tree.map(|(path, what)| (path.clone(), what.clone()))
            .collect()
    };
    prop_assert_eq!(
        denied(&before),
        denied(&came.after),
        "nothing denied changes"
    );
    prop_assert_eq!(
        &came,
        &run_without_openat2(made, rules, plan),
        "name by name"
    );
    Ok(came)
}

/// A stricter policy: until something is refused all is as before.
fn is_stricter(wide: &Came, narrow: &Came, plan: &[Step]) -> Result<(), TestCaseError> {
    let first = wide
        .results
        .iter()
        .zip(&narrow.results)
        .position(|(wide, narrow)| wide != narrow);
    let Some(first) = first else {
        prop_assert_eq!(&wide.after, &narrow.after);
        return Ok(());
    };
    let taken = match (&wide.results[first], &narrow.results[first]) {
        (_, Err(code)) if code == "not-permitted" => true,
        // What may not be read is not moved to where it may, so it is moved to where that may not be read either.
        (Err(code), _) if matches!(plan[first], Step::Rename(..) | Step::Link(..)) => {
            code == "not-permitted"
        }
        (Ok(Value::Array(wide)), Ok(Value::Array(narrow))) => {
            narrow.iter().all(|entry| wide.contains(entry))
        }
        _ => false,
    };
    prop_assert!(
        taken,
        "{:?}: {:?}, then {:?}",
        plan[first],
        wide.results[first],
        narrow.results[first]
    );
    Ok(())
}

/// One thing that a policy takes away: a denial more, or a grant less.
fn narrower(rules: &Rules, extra: &'static str, which: usize) -> Rules {
    let mut narrow = rules.clone();
    let grants = rules.read.len() + rules.write.len();
    match which % (grants + 2) {
        index if index < rules.read.len() => drop(narrow.read.remove(index)),
        index if index < grants => drop(narrow.write.remove(index - rules.read.len())),
        _ => narrow.deny.push(extra),
    }
    narrow
}

fn try_plan(
    made: &[Made],
    rules: &Rules,
    plan: &[Step],
    extra: &'static str,
    which: usize,
) -> Result<(), TestCaseError> {
    let wide = check(made, rules, plan)?;
    let narrow = run(made, &narrower(rules, extra, which), plan);
    is_stricter(&wide, &narrow, plan)
}

/// Plans that failed once, here or in the model.
fn known() -> Vec<(Vec<Made>, Rules, Vec<Step>)> {
    let at = |path: &str| path.to_owned();
    let all = Rules {
        read: vec!["**"],
        write: vec!["**"],
        deny: vec!["a/b/**"],
    };
    let dir = Mode {
        directory: true,
        read: true,
        ..Mode::default()
    };
    vec![
        // A directory with a second name of the file is not above the file.
        (
            vec![
                Made::Dir(vec!["a"]),
                Made::File(vec!["c"]),
                Made::Name(vec!["c"], vec!["a", "a"]),
            ],
            all.clone(),
            vec![Step::Rename("root", at("c"), "root", at("a"))],
        ),
        // A denial below what is not there, and below a file.
        (
            vec![Made::Dir(vec!["b"]), Made::File(vec!["a"])],
            all.clone(),
            vec![
                Step::StatAt("root", at("a/b/c"), true),
                Step::StatAt("root", at("b/c/../k"), true),
            ],
        ),
        // A denial of a path as it is given, through a link and through a handle that was opened by it.
        (
            vec![
                Made::File(vec!["b", "c"]),
                Made::Link(vec!["a", "k"], at("../b")),
            ],
            Rules {
                deny: vec!["a/*/c"],
                ..all.clone()
            },
            vec![
                Step::StatAt("root", at("a/k/c"), true),
                Step::Unlink("root", at("a/k/c")),
                Step::Open("root", at("a/k"), true, dir, "h0"),
                Step::StatAt("h0", at("c"), true),
                Step::List("h0"),
                Step::StatAt("root", at("b/c"), true),
            ],
        ),
        // A held directory, moved to where a denial waits for what comes into it.
        (
            vec![Made::Dir(vec!["a"]), Made::Dir(vec!["k"])],
            all,
            vec![
                Step::Open("root", at("k"), true, dir, "h0"),
                Step::RemoveDir("root", at("a")),
                Step::Rename("root", at("k"), "root", at("a")),
                Step::MakeDir("h0", at("b")),
                Step::MakeDir("h0", at("c")),
            ],
        ),
    ]
}

#[test]
fn plans_come_to_what_the_model_says() {
    LazyLock::force(&PROBE);
    for (made, rules, plan) in known() {
        check(&made, &rules, &plan).unwrap_or_else(|error| panic!("{plan:?}: {error}"));
    }
    let strategy = (tree(), rules(), plan(), denial(), 0_usize..20);
    runs::runner("RINGFENCE_PLANS", 100)
        .run(&strategy, |(made, rules, plan, extra, which)| {
            try_plan(&made, &rules, &plan, extra, which)
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
