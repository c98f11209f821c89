//! What things cost, to the unit: the figures of `fuel/recorded.txt`, whatever machine, process, processor, cache, compiler
//! or kernel they are taken on, and the prices in `docs/fuel.md`.
//!
//! `RINGFENCE_RECORD=1 cargo test --workspace --test fuel` writes both anew. The probe that is measured is the
//! one that the boundary ships, because another compiler makes another probe.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may end at once")]

#[path = "fuel/plans.rs"]
mod plans;
#[path = "fuel/prices.rs"]
mod prices;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use ringfence_testkit::core::limits::Limits;
use ringfence_testkit::sandbox::{Compiler, FUEL_RULES, Sandbox, Settings};
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::{guest, root, without_openat2};
use serde_json::json;

/// In a process that was started to measure: where the figures go.
const OUT: &str = "RINGFENCE_TEST_FUEL_OUT";
/// And the directory of its compile cache.
const CACHE: &str = "RINGFENCE_TEST_FUEL_CACHE";
/// And whether its kernel lacks `openat2`.
const OLD_KERNEL: &str = "RINGFENCE_TEST_FUEL_OLD_KERNEL";
/// Set by hand: write down what is measured.
const RECORD: &str = "RINGFENCE_RECORD";

const PLUGINS: [&str; 6] = [
    "diff-size",
    "first-fixable",
    "md-link-fix",
    "md-links",
    "paths",
    "report",
];

/// Everything that is measured, compiled.
pub(crate) struct Components {
    pub(crate) probe: Component,
    plugins: BTreeMap<&'static str, Component>,
}

impl Components {
    fn load(settings: Settings) -> Self {
        let sandbox = Sandbox::new(settings).unwrap();
        let load = |path: PathBuf| {
            let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            Component::of(sandbox.load(&bytes).unwrap())
        };
        let shipped = |name| root().join(format!("host/cli/plugins/{name}.wasm"));
        Self {
            probe: load(root().join("host/sandbox/selftest/probe.wasm")),
            plugins: PLUGINS.map(|name| (name, load(shipped(name)))).into(),
        }
    }

    pub(crate) fn plugin(&self, name: &str) -> &Component {
        self.plugins.get(name).unwrap()
    }
}

static COMPONENTS: LazyLock<Components> = LazyLock::new(|| Components::load(Settings::default()));

/// What is measured in this process, once.
static FIGURES: LazyLock<String> = LazyLock::new(|| plans::figures(&COMPONENTS));

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuel")
        .join(name)
}

/// The record: what the figures depend on, and the figures.
fn record(figures: &str) -> String {
    format!("{FUEL_RULES}\n\n{figures}")
}

fn recorded() -> String {
    fs::read_to_string(here("recorded.txt")).unwrap_or_default()
}

/// Compares line by line, so that a failure shows what has moved.
#[track_caller]
fn assert_same(figures: &str, expect: &str, how: &str) {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (now, then) = (lines(figures), lines(expect));
    let moved: Vec<_> = now.iter().filter(|line| !then.contains(line)).collect();
    assert!(moved.is_empty(), "{how}: moved to\n{moved:#?}");
    assert_eq!(now.len(), then.len(), "{how}: something is missing");
}

#[test]
fn figures_are_those_on_record() {
    let figures = FIGURES.as_str();
    println!("{figures}");
    if std::env::var_os(RECORD).is_some() {
        fs::write(here("recorded.txt"), record(figures)).unwrap();
    }
    assert_same(&record(figures), &recorded(), "against the record");
    assert_same(&plans::figures(&COMPONENTS), figures, "once more");
}

#[test]
fn a_kernel_without_openat2_changes_nothing() {
    let figures = std::thread::spawn(|| {
        without_openat2();
        plans::figures(&COMPONENTS)
    });
    let figures = figures.join().unwrap();
    assert_same(&figures, &FIGURES, "without openat2");
}

/// What a process does that was started by the test below; in the test itself nothing.
#[test]
fn role() {
    let Some(out) = std::env::var_os(OUT) else {
        return;
    };
    if std::env::var_os(OLD_KERNEL).is_some() {
        without_openat2();
    }
    let components = Components::load(Settings {
        cache: std::env::var_os(CACHE).map(PathBuf::from),
        compiler: Compiler::Child(env!("CARGO_BIN_EXE_compiler").into()),
        ..Settings::default()
    });
    fs::write(out, plans::figures(&components)).unwrap();
}

/// One process compiles with a compiler of its own into a cold cache, on one processor; the next ones take what it left, on
/// the other, on all, and with an older kernel.
#[test]
fn processes_processors_and_caches_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let processors = processors();
    let first = processors.first().cloned();
    let last = processors.last().cloned();
    for (how, processor, old_kernel) in [
        ("cold cache, first processor", first, false),
        ("warm cache, last processor", last, false),
        ("warm cache, all processors, no openat2", None, true),
    ] {
        let out = dir.path().join("figures");
        let program = std::env::current_exe().unwrap();
        let mut command = match &processor {
            Some(processor) => {
                let mut command = Command::new("taskset");
                command.args(["--cpu-list", processor]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .args(["--exact", "role"])
            .env(OUT, &out)
            .env(CACHE, dir.path().join("cache"));
        if old_kernel {
            command.env(OLD_KERNEL, "yes");
        }
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{how}: {ended:?}");
        assert_same(&fs::read_to_string(out).unwrap(), &FIGURES, how);
    }
    let entries = fs::read_dir(dir.path().join("cache")).unwrap().count();
    assert_eq!(entries, PLUGINS.len() + 1, "the cache was used");
}

/// The processors that this process may use, by number; none where that cannot be said.
fn processors() -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let numbers = list.unwrap_or_default().trim().split([',', '-']);
    numbers
        .filter(|number| !number.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A price that no plan for files meets: waiting.
#[test]
fn a_sleep_costs_its_length() {
    let hog = guest("hog");
    let slept = |ms: u64| {
        let case = Case::new().config(json!({ "mode": "sleep", "count": ms }));
        hog.judge(&case.fuel(1 << 50)).fuel().0
    };
    let a_second = prices::of("FUEL_PER_NANO") * 1_000_000_000;
    assert_eq!(slept(2_000) - slept(1_000), a_second);
}

/// The prices, the name of the rules, and what a step is given when nothing is said.
#[test]
fn the_document_has_the_prices() {
    let path = root().join("docs/fuel.md");
    let text = fs::read_to_string(&path).unwrap();
    let with_prices = prices::replaced(&text);
    if std::env::var_os(RECORD).is_some() {
        fs::write(&path, &with_prices).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text == with_prices,
        "docs/fuel.md has other prices or rules than meter.rs"
    );
    let default = prices::grouped(Limits::default().fuel.0);
    assert!(
        text.contains(&default),
        "docs/fuel.md does not say {default}"
    );
}

/// Each function that a component may call on a file or directory is in a plan.
#[test]
fn no_verb_is_missing() {
    let source = fs::read_to_string(root().join("host/sandbox/src/fs/host.rs")).unwrap();
    let (_, host) = source
        .split_once("impl HostDescriptor for State {")
        .unwrap();
    let (host, _) = host.split_once("\n}\n").unwrap();
    let verbs = host.lines().filter_map(|line| {
        let line = line.strip_prefix("    ")?;
        let line = line
            .strip_prefix("async ")
            .unwrap_or(line)
            .strip_prefix("fn ")?;
        let (name, _) = line.split_once('(')?;
        Some(name.replace('_', "-"))
    });
    let verbs: Vec<String> = verbs.collect();
    assert!(verbs.len() > 25, "{verbs:?}");
    let plans = plans::plans();
    let used: Vec<&str> = plans
        .iter()
        .flat_map(|(_, plan)| plan)
        .filter_map(|operation| operation["op"].as_str())
        .collect();
    for verb in verbs {
        // Everything that is opened is dropped.
        let name = if verb == "open-at" {
            "open"
        } else {
            verb.as_str()
        };
        assert!(used.contains(&name) || name == "drop", "no plan has {verb}");
    }
}
