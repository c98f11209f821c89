//! Instances live in places that are used again: nothing of one call is there in the next, no call is refused for want
//! of a place, and where no pool can be reserved everything goes on without one.

#![expect(clippy::unwrap_used, reason = "a test may end at once")]

use std::process::Command;
use std::sync::LazyLock;

use ringfence_testkit::core::call::CallFailure;
use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::sandbox::{ActOutcome, Allocation, Called, Plugin, Sandbox, Settings};
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::made::executor;
use ringfence_tests_sandbox::{guest, wait};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many pages a guest grows its memory by.
const PAGES: u32 = 64;
/// The most address space of a process that has no room for a pool, but for a memory or two.
const LITTLE_SPACE: u64 = 12 << 30;
const IN_LITTLE_SPACE: &str = "RINGFENCE_TEST_IN_LITTLE_SPACE";

/// An executor that traps unless everything that it can see is as it says, and then leaves a mess: memory of the start and
/// memory that was grown, a global, a table. `mark` is a byte of its data.
fn messy(mark: u8) -> Vec<u8> {
    executor(&format!(
        r#"(memory (export "memory") 2)
           (data (i32.const 65536) "\{mark:02x}")
           (table $t 10 100 funcref)
           (elem (i32.const 3) $act)
           (elem declare func $act)
           (global $g (mut i32) (i32.const 5))
           (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
           (func $zero (param $at i32) (param $end i32)
             (block $out (loop $more
               (br_if $out (i32.ge_u (local.get $at) (local.get $end)))
               (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
               (local.set $at (i32.add (local.get $at) (i32.const 8)))
               (br $more))))
           (func $check
             (if (i32.ne (memory.size) (i32.const 2)) (then unreachable))
             (if (i32.ne (i32.load8_u (i32.const 65536)) (i32.const {mark})) (then unreachable))
             (if (i32.ne (global.get $g) (i32.const 5)) (then unreachable))
             (if (i32.ne (table.size $t) (i32.const 10)) (then unreachable))
             (if (ref.is_null (table.get $t (i32.const 3))) (then unreachable))
             (if (i32.eqz (ref.is_null (table.get $t (i32.const 4)))) (then unreachable))
             (call $zero (i32.const 8192) (i32.const 65536))
             (call $zero (i32.const 65544) (i32.const 131072))
             (drop (memory.grow (i32.const {PAGES})))
             (call $zero (i32.const 131072) (i32.mul (memory.size) (i32.const 65536)))
             (drop (table.grow $t (ref.null func) (i32.const 50)))
             (if (i32.eqz (ref.is_null (table.get $t (i32.const 40)))) (then unreachable)))
           (func $leave
             (memory.fill (i32.const 0) (i32.const 0xa5) (i32.mul (memory.size) (i32.const 65536)))
             (global.set $g (i32.const 6))
             (table.fill $t (i32.const 0) (ref.func $act) (i32.const 60)))
           (func $act (export "act") (param i32 i32 i32 i32) (result i32)
             (call $check) (call $leave)
             (memory.fill (i32.const 0) (i32.const 0) (i32.const 64))
             i32.const 0)"#
    ))
}

fn act(plugin: &Plugin) -> Called<ActOutcome> {
    static PUPPET: LazyLock<Component> = LazyLock::new(|| guest("puppet"));
    let mut call = PUPPET.call(&Case::new(), Role::Executor);
    call.mounts.clear();
    wait(plugin.act(call, "do", "{}"))
}

#[track_caller]
fn finds_all_clean(plugin: &Plugin) {
    let called = act(plugin);
    assert!(matches!(called.answer, Ok(Ok(_))), "{:?}", called.answer);
}

#[test]
fn nothing_survives_from_one_call_to_the_next() {
    for allocation in [Allocation::Pooled, Allocation::OnDemand] {
        let sandbox = Sandbox::new(Settings {
            allocation,
            ..Settings::default()
        })
        .unwrap();
        assert_eq!(sandbox.allocation(), allocation);
        let same = sandbox.load(&messy(1)).unwrap();
        for _ in 0..8 {
            finds_all_clean(&same);
        }
        // More components than there are places that stay warm, so that places change hands.
        let others: Vec<Plugin> = (2..42)
            .map(|mark| sandbox.load(&messy(mark)).unwrap())
            .collect();
        for _ in 0..3 {
            others.iter().for_each(finds_all_clean);
        }
    }
}

#[test]
fn calls_wait_for_a_place() {
    let sandbox = Sandbox::new(Settings::default()).unwrap();
    let plugin = sandbox.load(&messy(1)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| (0..4).for_each(|_| finds_all_clean(&plugin)));
        }
    });
}

/// What a component may have of everything fits into a place, and more than that is refused.
#[test]
fn a_component_of_many_parts_has_room() {
    let sandbox = Sandbox::new(Settings::default()).unwrap();
    let with = |memories: usize, tables: usize| {
        let text = format!(
            r#"(memory (export "memory") 1) {} {}
               (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
               (func (export "act") (param i32 i32 i32 i32) (result i32) i32.const 0)"#,
            "(memory 1)".repeat(memories - 1),
            "(table 100 funcref)".repeat(tables),
        );
        sandbox.load(&executor(&text))
    };
    finds_all_clean(&with(16, 100).unwrap());
    for (memories, tables) in [(17, 1), (1, 101)] {
        let refused = with(memories, tables).map(drop).unwrap_err().to_string();
        assert!(refused.contains("exceeds"), "{refused}");
    }
}

#[test]
fn without_room_for_a_pool_there_is_none() {
    if std::env::var_os(IN_LITTLE_SPACE).is_some() {
        return in_little_space();
    }
    let test = std::env::current_exe().unwrap();
    let mut again = Command::new(test);
    again.args(["--exact", "without_room_for_a_pool_there_is_none"]);
    let done = again.env(IN_LITTLE_SPACE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

fn in_little_space() {
    let limit = Rlimit {
        current: Some(LITTLE_SPACE),
        ..getrlimit(Resource::As)
    };
    setrlimit(Resource::As, limit).unwrap();
    let sandbox = Sandbox::new(Settings::default()).unwrap();
    assert_eq!(sandbox.allocation(), Allocation::OnDemand);
    let plugin = sandbox.load(&messy(1)).unwrap();
    for _ in 0..3 {
        finds_all_clean(&plugin);
    }
    let table = executor(
        r#"(memory (export "memory") 1) (table 100000000 funcref)
           (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
           (func (export "act") (param i32 i32 i32 i32) (result i32) i32.const 0)"#,
    );
    let refused = act(&sandbox.load(&table).unwrap()).answer.unwrap_err();
    assert!(
        matches!(refused, CallFailure::Exhausted { .. }),
        "{refused:?}"
    );
}
