//! Holes of engines: tables without end, state that outlives a call, work that is suspended where it must not be.
//!
//! **Invariant:** nothing here depends on how the engine allots memory: each test holds for a pool as well as without.

use std::fs;
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::Poll;
use std::time::Duration;

use ringfence_testkit::core::call::CallFailure;
use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::core::quantity::{Bytes, Fuel, Millis};
use ringfence_testkit::sandbox::{
    ActOutcome, COMPONENT_BYTES_MAX, Call, Called, InspectError, LoadError, Plugin, Sandbox,
    Settings,
};
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::made::executor;
use ringfence_tests_sandbox::{guest, root, wait};
use serde_json::json;

static HOG: LazyLock<Component> = LazyLock::new(|| guest("hog"));
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::new(Settings::default()).unwrap());

/// RUSTSEC-2026-0020: handles without end, and lists whose elements take more room in the host than in the guest.
#[test]
fn tables_of_handles_and_lists_end() {
    for (mode, count, what) in [
        ("handles", u64::MAX, "streams"),
        ("pollables", u64::MAX, "pollables"),
        ("poll-same", 100_000, "handles"),
        ("huge-locations", 2_000_000, "bytes in one"),
    ] {
        let config = json!({ "mode": mode, "count": count });
        let case = Case::new().config(config).memory(256 << 20);
        let run = HOG.judge(&case);
        let CallFailure::Exhausted { resource, limit } = run.failure() else {
            panic!("{mode}: {:?}", run.failure())
        };
        assert!(resource.contains(what) && *limit > 0, "{mode}: {resource}");
    }
    // A list that may be long is paid for by its length, beyond what the guest's own work on it costs.
    let cost = |count: u64| {
        let config = json!({ "mode": "poll-same", "count": count });
        HOG.judge(&Case::new().config(config)).fuel().0
    };
    assert!(cost(500) - cost(400) > 100 * 100);
}

/// CVE-2026-27195: a call whose future was dropped left the engine in a state in which the next one panicked.
#[test]
fn a_call_that_is_dropped_hurts_no_other() {
    let run = |turns: Option<u64>| {
        let case = Case::new().config(json!({ "mode": "burn", "count": 2_000_000 }));
        let call = HOG.call(&case, Role::Gate);
        wait(async {
            let mut call = pin!(HOG.plugin().judge(call));
            let mut done = 0;
            std::future::poll_fn(|context| {
                if turns == Some(done) {
                    return Poll::Ready(Ok::<_, String>(None));
                }
                done += 1;
                let polled = call.as_mut().poll(context);
                polled.map(|called| Ok(Some(called.unwrap())))
            })
            .await
        })
    };
    let whole = run(None).unwrap();
    assert!(matches!(whole.answer, Ok(Ok(_))), "{whole:?}");
    for turns in 0..12 {
        assert_eq!(run(Some(turns)), None, "there are more turns than that");
        assert_eq!(run(None).as_ref(), Some(&whole));
    }
    // The same by the call's own deadline, which drops what it was waiting for.
    let case = Case::new().config(json!({ "mode": "spin" })).fuel(1 << 50);
    let run_late = HOG.judge(&case.deadline_ms(1));
    assert!(matches!(run_late.failure(), CallFailure::Deadline { .. }));
    assert_eq!(run(None), Some(whole));
}

/// An executor that answers `clean` if all it was given is as new, after it made everything dirty; `then` ends it.
fn dirty(pages: u32, grown: u32, then: &str) -> Plugin {
    let code = format!(
        r#"(memory (export "memory") {pages})
        (table $t 10 funcref)
        (global $g (mut i64) (i64.const 7))
        (func $f) (elem declare func $f)
        (data (i32.const 32) "\00\00\00\00\40\00\00\00\05\00\00\00\40\00\00\00\00\00\00\00")
        (data (i32.const 64) "clean")
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
        ;; Traps unless everything from one address up to another is zero.
        (func $zeros (param $at i32) (param $end i32)
          (loop $next
            (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))
        (func $nulls (param $at i32)
          (loop $next
            (if (i32.eqz (ref.is_null (table.get $t (local.get $at)))) (then unreachable))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (table.size $t)))))
        (func (export "act") (param i32 i32 i32 i32) (result i32)
          (if (i64.ne (global.get $g) (i64.const 7)) (then unreachable))
          (if (i32.ne (memory.size) (i32.const {pages})) (then unreachable))
          (if (i32.ne (table.size $t) (i32.const 10)) (then unreachable))
          (call $zeros (i32.const 8192) (i32.const {end}))
          (call $nulls (i32.const 0))
          (if (i32.ne (memory.grow (i32.const {grown})) (i32.const {pages})) (then unreachable))
          (if (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const 10)) (then unreachable))
          (call $zeros (i32.const 8192) (i32.shl (memory.size) (i32.const 16)))
          (call $nulls (i32.const 0))
          (memory.fill (i32.const 8192) (i32.const 0x5a) (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 8192)))
          (table.fill $t (i32.const 0) (ref.func $f) (i32.const 1010))
          (global.set $g (i64.const 0x5a5a))
          {then}
          i32.const 32)"#,
        end = pages << 16,
    );
    SANDBOX.load(&executor(&code)).unwrap()
}

/// A call without files.
fn bare() -> Call {
    let mut call = HOG.call(&Case::new().fuel(400_000_000), Role::Executor);
    call.mounts.clear();
    call.limits.deadline = Millis(60_000);
    call.limits.memory = Bytes(64 << 20);
    call
}

fn act(plugin: &Plugin) -> Called<ActOutcome> {
    wait(plugin.act(bare(), "do", "{}"))
}

#[track_caller]
fn is_clean(called: &Called<ActOutcome>) {
    let answer = called.answer.as_ref().unwrap().as_ref();
    assert_eq!(answer.unwrap().summary, "clean");
}

/// CVE-2026-34988: a slot of the pooling allocator still held memory of the instance before.
#[test]
fn nothing_of_one_call_is_in_the_next() {
    let small = dirty(1, 30, "");
    let large = dirty(40, 300, "");
    let traps = dirty(3, 200, "unreachable");
    let spins = dirty(1, 100, "(loop (br 0))");
    // Whether a byte that is not zero would be seen.
    let control = dirty(1, 30, "(call $zeros (i32.const 8192) (i32.const 65536))");
    let seen = act(&control).answer.unwrap_err();
    assert!(matches!(seen, CallFailure::Trap { .. }), "{seen:?}");
    let first = act(&small);
    for _ in 0..8 {
        for plugin in [&small, &large, &small] {
            is_clean(&act(plugin));
        }
        let trapped = act(&traps).answer.unwrap_err();
        assert!(matches!(trapped, CallFailure::Trap { .. }), "{trapped:?}");
        is_clean(&act(&large));
        let spent = act(&spins).answer.unwrap_err();
        assert!(matches!(spent, CallFailure::OutOfFuel { .. }), "{spent:?}");
        assert_eq!(act(&small), first);
    }
    // Several at a time, so that slots are taken and given back in another order.
    interleave(vec![&small, &large, &small, &large, &small, &small]);
    assert_eq!(act(&small), first);
}

/// Runs calls side by side on one thread; each must come out clean.
fn interleave(plugins: Vec<&Plugin>) {
    type Running<'a> = Pin<Box<dyn Future<Output = Called<ActOutcome>> + 'a>>;
    let mut running: Vec<Running<'_>> = Vec::new();
    for plugin in plugins {
        let call = plugin.act(bare(), "do", "{}");
        running.push(Box::pin(async { call.await.unwrap() }));
    }
    wait(std::future::poll_fn(|context| {
        running.retain_mut(|call| match call.as_mut().poll(context) {
            Poll::Ready(called) => {
                is_clean(&called);
                false
            }
            Poll::Pending => true,
        });
        if running.is_empty() {
            return Poll::Ready(Ok::<_, String>(()));
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }));
}

/// RUSTSEC-2026-0223, GHSA-2hw9: a guest was suspended inside a bulk operation, and what it saw or moved afterwards was
/// stale. Here calls are suspended all the time, each operation is longer than a turn, and memory moves in between.
#[test]
fn bulk_operations_are_whole_whoever_runs_in_between() {
    let checks = r#"(func $is (param $at i32) (param $byte i32)
          (if (i32.ne (i32.load8_u (local.get $at)) (local.get $byte)) (then unreachable)))"#;
    let body = r#"(local $n i32)
        (loop $again
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (memory.fill (i32.const 8192) (local.get $n) (i32.const 8000000))
          (drop (memory.grow (i32.const 1)))
          (memory.copy (i32.const 8008192) (i32.const 8192) (i32.const 8000000))
          (call $is (i32.const 8192) (local.get $n))
          (call $is (i32.const 8008191) (local.get $n))
          (call $is (i32.const 8008192) (local.get $n))
          (call $is (i32.const 16008191) (local.get $n))
          (call $is (i32.const 16008192) (i32.const 0))
          (drop (table.grow $t (ref.func $f) (i32.const 1000)))
          (table.fill $t (i32.const 0) (ref.func $f) (table.size $t))
          (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 1000))
          (call_indirect $t (i32.sub (table.size $t) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const 8))))"#;
    let module = format!(
        r#"(memory (export "memory") 250)
           (table $t 2 funcref) (func $f) (elem declare func $f)
           (data (i32.const 32) "\00\00\00\00\40\00\00\00\05\00\00\00\40\00\00\00\00\00\00\00")
           (data (i32.const 64) "clean")
           (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
           {checks}
           (func (export "act") (param i32 i32 i32 i32) (result i32) {body} i32.const 32)"#
    );
    let plugin = SANDBOX.load(&executor(&module)).unwrap();
    let alone = act(&plugin);
    is_clean(&alone);
    interleave(vec![&plugin; 4]);
    assert_eq!(act(&plugin), alone);
    // Cut off by fuel anywhere in them, it used no more than it had.
    for share in 1..20 {
        let mut call = bare();
        call.limits.fuel = Fuel(alone.report.usage.fuel.used.0 * share / 20);
        let called = wait(plugin.act(call, "do", "{}"));
        let usage = &called.report.usage.fuel;
        assert!(
            matches!(called.answer, Err(CallFailure::OutOfFuel { .. })),
            "{called:?}"
        );
        assert!(usage.used <= usage.limit, "{usage:?}");
    }
}

/// Several holes of 2026: code of the engine's other compiler, Winch, left the sandbox. It is not part of this program.
#[test]
fn there_is_one_compiler() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"wasmtime-internal-cranelift\""));
    for absent in [
        "winch-codegen",
        "wasmtime-internal-winch",
        "pulley-interpreter-fuzz",
    ] {
        assert!(!lock.contains(&format!("name = \"{absent}\"")), "{absent}");
    }
}

/// No advisory, since the engine promises nothing: a component may be made to compile for ever. We bound its size, what is
/// in it, and the time.
#[test]
fn compiling_is_bounded_here() {
    let large = vec![0; COMPONENT_BYTES_MAX + 1];
    let refused = SANDBOX.load(&large).err().unwrap();
    assert!(
        matches!(refused, LoadError::Inspect(InspectError::TooLarge { .. })),
        "{refused}"
    );
    assert!(Settings::default().compile_limits.cpu <= Duration::from_secs(120));
}
