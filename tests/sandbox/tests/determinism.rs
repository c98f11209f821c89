//! The same call gives the same answer for the same fuel, whatever the machine was doing.
//!
//! The guest `puppet` does a bit of everything and reports what it saw; the report, the fuel, the log and the denials
//! must not change with time, threads, processes, compile cache, or the accidents of a directory on disk.

#![expect(clippy::unwrap_used, reason = "a test may end at once")]

use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use ringfence_testkit::core::digest::Digest;
use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::sandbox::{Call, Called, Origin, Plugin, Sandbox, Settings, Times};
use ringfence_testkit::{Case, Component, NOW};
use ringfence_tests_sandbox::{guest, guest_bytes, wait};
use serde_json::{Value, json};

static PUPPET: LazyLock<Component> = LazyLock::new(|| guest("puppet"));

const FILES: [&str; 6] = ["b.md", "a.md", "docs/z.md", "docs/y/x.md", "c", "docs/a"];

fn case(order: impl Iterator<Item = &'static str>) -> Case {
    order.fold(Case::new(), |case, path| case.unchanged(path, path))
}

/// A bit of everything.
fn script() -> Value {
    json!({
        "log": [["info", "one"], ["error", "two"]],
        "stdout": "three\nfour",
        "stderr": "five",
        "reads": ["a.md", "docs/y/x.md", ".git/config", "nothing"],
        "lists": [".", "docs"],
        "clock": 3,
        "random": 3,
        "environment": true,
        "burn": 1000,
    })
}

fn call(case: &Case, script: &Value) -> Call {
    let mut call = PUPPET.call(case, Role::Sensor);
    call.config = script.to_string();
    call
}

fn observe(plugin: &Plugin, call: Call) -> Called<Value> {
    wait(plugin.observe(call)).map(|observed| serde_json::from_str(&observed.detail).unwrap())
}

/// What the puppet reports of `script`.
fn told(script: Value) -> (Value, u64) {
    let called = observe(PUPPET.plugin(), call(&case(FILES.into_iter()), &script));
    (
        called.answer.unwrap().unwrap(),
        called.report.usage.fuel.used.0,
    )
}

#[test]
fn nothing_of_the_machine_shows() {
    let case = case(FILES.into_iter());
    let first = observe(PUPPET.plugin(), call(&case, &script()));
    assert!(matches!(first.answer, Ok(Ok(_))), "{first:?}");
    assert_eq!(first.report.denials.len(), 1, "{first:?}");
    let again = || {
        for _ in 0..10 {
            assert_eq!(observe(PUPPET.plugin(), call(&case, &script())), first);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(again);
        scope.spawn(again);
    });
}

#[test]
fn neither_does_the_compile_cache() {
    let case = case(FILES.into_iter());
    let first = observe(PUPPET.plugin(), call(&case, &script()));
    let cache = tempfile::tempdir().unwrap();
    let bytes = guest_bytes("puppet");
    for round in ["cold", "warm"] {
        let sandbox = Sandbox::new(Settings {
            cache: Some(cache.path().join("cache")),
            ..Settings::default()
        });
        let sandbox = sandbox.unwrap();
        let plugin = sandbox.load(&bytes).unwrap();
        assert_eq!(observe(&plugin, call(&case, &script())), first, "{round}");
    }
    assert_eq!(fs::read_dir(cache.path().join("cache")).unwrap().count(), 1);
}

#[test]
fn nor_the_accidents_of_a_checkout() {
    let first = observe(PUPPET.plugin(), call(&case(FILES.into_iter()), &script()));
    let other = case(FILES.into_iter().rev());
    // Names that were there for a while leave larger directories behind.
    for n in 0..500 {
        fs::write(other.path().join(format!("passing-{n:0200}")), "").unwrap();
    }
    for n in 0..500 {
        fs::remove_file(other.path().join(format!("passing-{n:0200}"))).unwrap();
    }
    for path in FILES {
        let file = fs::File::options()
            .write(true)
            .open(other.path().join(path));
        let past = SystemTime::UNIX_EPOCH + Duration::from_secs(path.len() as u64);
        file.unwrap().set_modified(past).unwrap();
    }
    assert_eq!(observe(PUPPET.plugin(), call(&other, &script())), first);
}

/// Sizes of directories, inode numbers and times are the file system's own affair.
#[test]
fn what_a_probe_sees_of_files_is_the_same_everywhere() {
    use ringfence_tests_sandbox::probe::{carry_out, op};
    let probe = guest("probe");
    let plan: Vec<Value> = ["stat-at", "metadata-hash-at"]
        .iter()
        .flat_map(|verb| {
            ["a.md", "docs", "docs/y/x.md", "."].map(|path| op(verb, json!({ "path": path })))
        })
        .chain([
            op("stat", json!({})),
            op("metadata-hash", json!({})),
            op("list", json!({})),
        ])
        .collect();
    let see = |order: Vec<&'static str>| {
        let case = case(order.into_iter());
        let done = carry_out(&probe, probe.call(&case, Role::Gate), &plan);
        (done.results, done.called.report.usage)
    };
    let (results, usage) = see(FILES.to_vec());
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(see(FILES.into_iter().rev().collect()), (results, usage));
}

#[test]
fn there_is_no_environment_and_no_input() {
    let (told, _) = told(json!({ "environment": true }));
    let expect = json!({ "variables": [], "arguments": [], "folder": "/", "stdin": "" });
    assert_eq!(told["environment"], expect);
}

#[test]
fn the_clock_begins_at_now_and_moves_with_fuel_alone() {
    let (idle, _) = told(json!({ "clock": 2 }));
    let nanos = |told: &Value, index: usize| told["monotonic"][index].as_u64().unwrap();
    let (first, second) = (nanos(&idle, 0), nanos(&idle, 1));
    // Ten units of fuel are a nanosecond; what happened so far cost less than a millisecond.
    assert!(
        first < 1_000_000 && first < second && second < first + 10_000,
        "{idle}"
    );
    let wall = idle["clock"][0].as_str().unwrap();
    let (seconds, fraction) = wall.split_once('.').unwrap();
    assert_eq!(seconds.parse(), Ok(NOW));
    let fraction: u64 = fraction.parse().unwrap();
    assert!(fraction.abs_diff(first) < 10_000, "{idle}");
    // The clock is read before the burning, so burning shows in the fuel alone.
    let (_, little) = told(json!({ "burn": 1_000 }));
    let (_, much) = told(json!({ "burn": 1_001_000 }));
    assert!(much - little >= 1_000_000);
}

#[test]
fn a_sleep_costs_fuel_and_no_time() {
    let hog = guest("hog");
    let slept = |ms: u64| {
        let case = Case::new()
            .config(json!({ "mode": "sleep", "count": ms }))
            .fuel(1 << 50);
        let run = hog.judge(&case.deadline_ms(5_000));
        assert_eq!(run.answer().summary, format!("sleep: {ms} ms"));
        run.fuel().0
    };
    let (short, hour) = (slept(1_000), slept(3_600_000));
    // Within the call's deadline of five seconds, because nobody waits.
    let difference: u64 = hour - short;
    assert!(
        difference.abs_diff(3_599 * 10_000_000_000) < 10_000,
        "{difference}"
    );
}

#[test]
fn chance_is_the_seed() {
    let draw = |seed: &[u8]| {
        let case = case(FILES.into_iter());
        let mut call = call(&case, &json!({ "random": 4 }));
        call.origin = Origin {
            seed: Digest::of(seed),
            clock_start: NOW,
        };
        let told = observe(PUPPET.plugin(), call).answer.unwrap().unwrap();
        told["random"].as_array().unwrap().clone()
    };
    let (first, again, other) = (draw(b"seed"), draw(b"seed"), draw(b"another"));
    assert_eq!(first, again);
    assert!(
        first.iter().all(|number| !other.contains(number)),
        "{first:?} {other:?}"
    );
    let distinct: std::collections::BTreeSet<String> = first.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), 4, "{first:?}");
}

/// Where times are real, for components that need them, they are those of the files and nothing else changes.
#[test]
fn real_times_can_be_had() {
    use ringfence_tests_sandbox::probe::{carry_out, op};
    let probe = guest("probe");
    let case = Case::new().unchanged("a.md", "a");
    let file = fs::File::options()
        .write(true)
        .open(case.path().join("a.md"))
        .unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(77))
        .unwrap();
    for (times, expect) in [(Times::Real, 77), (Times::Fixed(NOW), NOW)] {
        let mut call = probe.call(&case, Role::Gate);
        call.times = times;
        let done = carry_out(&probe, call, &[op("stat-at", json!({ "path": "a.md" }))]);
        assert_eq!(done.last().as_ref().unwrap()["mtime"], json!(expect));
    }
}
