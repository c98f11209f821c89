//! What the engine bounds, strained by components written by hand: bulk operations, tables, memories, instances, the stack,
//! and what an answer may weigh.
//!
//! **Invariant:** each keeps the contract up to the one thing that it strains.

use std::rc::Rc;

use ringfence_testkit::core::limits::Limits;
use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::core::quantity::Bytes;
use ringfence_testkit::sandbox::{Allocation, Call, Called, Plugin, Sandbox, Settings};
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::made::{calling_another, core, executor, executor_around, sensor};
use ringfence_tests_sandbox::{guest, wait};

use crate::strain::End::{Contract, Deadline, Exhausted, Memory, OutOfFuel, Says, Trap};
use crate::strain::{End, MIB, Strain};

/// All strains of this kind.
pub(crate) fn strains() -> Vec<Strain> {
    let maker = Maker {
        sandbox: Sandbox::new(Settings::default()).unwrap(),
        puppet: Rc::new(guest("puppet")),
    };
    [
        maker.bulk(),
        maker.counts(),
        maker.stack(),
        maker.around_the_call(),
        maker.answers(),
        maker.between_components(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

struct Maker {
    sandbox: Sandbox,
    /// Whose calls are borrowed.
    puppet: Rc<Component>,
}

impl Maker {
    fn act(&self, name: &str, end: End, bytes: &[u8]) -> Strain {
        let (plugin, call) = (self.load(bytes), self.call(Role::Executor));
        Strain::new(name, end, move |limits| {
            let called = wait(plugin.act(call(limits), "do", "{}"));
            called.map(|outcome| outcome.summary)
        })
    }

    fn observe(&self, name: &str, end: End, bytes: &[u8]) -> Strain {
        let (plugin, call) = (self.load(bytes), self.call(Role::Sensor));
        Strain::new(name, end, move |limits| -> Called<String> {
            let called = wait(plugin.observe(call(limits)));
            called.map(|seen| {
                let labels: usize = seen.items.iter().map(|item| item.labels.len()).sum();
                format!("{} items, {labels} labels", seen.items.len())
            })
        })
    }

    fn load(&self, bytes: &[u8]) -> Plugin {
        self.sandbox.load(bytes).unwrap()
    }

    /// A call without a file system.
    fn call(&self, role: Role) -> impl Fn(Limits) -> Call + 'static {
        let puppet = Rc::clone(&self.puppet);
        move |limits| {
            let mut call = puppet.call(&Case::new(), role);
            call.mounts.clear();
            call.limits = limits;
            call
        }
    }

    /// Operations on much memory at once: paid for before they begin.
    fn bulk(&self) -> Vec<Strain> {
        let table = "(table $t 131000 funcref)";
        let passive = format!("(data $d \"{}\")", "x".repeat(1 << 20));
        let functions = format!("{table} (func $f) (elem $e func {})", "$f ".repeat(20_000));
        let rows = [
            (
                "memory.fill",
                "",
                "(memory.fill (i32.const 0) (i32.const 1) (i32.const 0xffffff))",
            ),
            (
                "memory.copy",
                "",
                "(memory.copy (i32.const 0) (i32.const 1) (i32.const 0xffffff))",
            ),
            (
                "memory.init",
                &passive,
                "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 0xfffff))",
            ),
            (
                "table.fill",
                table,
                "(table.fill $t (i32.const 0) (ref.null func) (i32.const 131000))",
            ),
            (
                "table.copy",
                table,
                "(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 130999))",
            ),
            (
                "table.init",
                &functions,
                "(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 20000))",
            ),
            ("memory.grow", "", "(drop (memory.grow (i32.const 0)))"),
            (
                "table.grow",
                table,
                "(drop (table.grow $t (ref.null func) (i32.const 0)))",
            ),
        ];
        let looped = |pages: u32, more: &str, body: &str| {
            let module = core(more, &format!("(loop {body} br 0) i32.const 0"));
            executor(&module.replace("\"memory\") 1", &format!("\"memory\") {pages}")))
        };
        let mut strains: Vec<Strain> = rows
            .iter()
            .flat_map(|(name, more, body)| {
                let bytes = looped(257, more, body);
                [OutOfFuel, Deadline]
                    .map(|end| self.act(&format!("{name} for ever, {end:?}"), end, &bytes))
            })
            .collect();
        for (name, body) in [
            (
                "fill",
                "(memory.fill (i32.const 0) (i32.const 1) (i32.const 0x3fffffff))",
            ),
            (
                "copy",
                "(memory.copy (i32.const 0) (i32.const 1) (i32.const 0x3fffffff))",
            ),
        ] {
            // None of it is done, so none of it is in the host's memory.
            let strain = self.act(
                &format!("{name} of 1 GiB"),
                OutOfFuel,
                &looped(16_385, "", body),
            );
            let run = strain.run;
            let large = move |limits: Limits| {
                let memory = Bytes(1_100 * MIB);
                run(Limits { memory, ..limits })
            };
            strains.push(Strain::new(strain.name, OutOfFuel, large));
        }
        strains
    }

    /// More of something than there may be.
    fn counts(&self) -> Vec<Strain> {
        // The pool has no more places than a call may take, and refuses the rest when it is loaded.
        let on_demand = Self {
            sandbox: Sandbox::new(Settings {
                allocation: Allocation::OnDemand,
                ..Settings::default()
            })
            .unwrap(),
            puppet: Rc::clone(&self.puppet),
        };
        let instances = |count: usize, inside: &str| {
            let more = format!(
                "(core module $x {inside}) {}",
                "(core instance (instantiate $x))".repeat(count)
            );
            executor_around(&format!(
                "{more} (core module $m {}) (core instance $i (instantiate $m))",
                core("", "i32.const 0")
            ))
        };
        let grows = core(
            "(table $t 1 funcref)",
            "(loop (br_if 0 (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable",
        );
        let one_too_large = "(table 100000000 funcref)";
        vec![
            on_demand.act(
                "a table that grows",
                Exhausted("table elements", "limiter.rs TABLE_ELEMENTS_MAX"),
                &executor(&grows),
            ),
            on_demand.act(
                "a table that is large",
                Exhausted("table elements", "limiter.rs TABLE_ELEMENTS_MAX"),
                &executor(&core(one_too_large, "i32.const 0")),
            ),
            on_demand.act(
                "many core instances",
                Exhausted("core instances", "limiter.rs INSTANCES_MAX"),
                &instances(100, ""),
            ),
            on_demand.act(
                "as many core instances as there may be",
                Says(""),
                &instances(99, ""),
            ),
            on_demand.act(
                "many memories",
                Exhausted("memories", "limiter.rs MEMORIES_MAX"),
                &instances(16, "(memory 1)"),
            ),
            on_demand.act(
                "as many memories as there may be",
                Says(""),
                &instances(15, "(memory 1)"),
            ),
            on_demand.act(
                "many tables",
                Exhausted("tables", "limiter.rs TABLES_MAX"),
                &instances(51, "(table 1 funcref) (table 1 funcref)"),
            ),
            on_demand.act(
                "as many tables as there may be",
                Says(""),
                &instances(50, "(table 1 funcref) (table 1 funcref)"),
            ),
            on_demand.act(
                "memories that are too large together",
                Memory,
                &instances(15, "(memory 200)"),
            ),
        ]
    }

    /// Down to the end of the stack.
    fn stack(&self) -> Vec<Strain> {
        let by_itself = core(
            "(func $down (param i64) (result i64) (i64.add (call $down (i64.add (local.get 0) (i64.const 1))) (local.get 0)))",
            "(drop (call $down (i64.const 0))) i32.const 0",
        );
        // Each call of the host calls the guest's `realloc` in turn, for the text that it hands over.
        let with_the_host = r#"
            (import "ringfence:beat/config@0.1.0" (instance $config (export "get" (func (result string)))))
            (core module $libc (memory (export "memory") 1)
              (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096))
            (core instance $libc (instantiate $libc))
            (core func $get (canon lower (func $config "get")
              (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
            (core module $m
              (import "libc" "memory" (memory 1))
              (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
              (import "host" "get" (func $get (param i32)))
              (export "memory" (memory 0)) (export "realloc" (func $realloc))
              (func $down (param i32) (result i32)
                (call $get (i32.const 64)) (i32.add (call $down (local.get 0)) (i32.const 1)))
              (func (export "act") (param i32 i32 i32 i32) (result i32) (call $down (i32.const 0))))
            (core instance $i (instantiate $m
              (with "libc" (instance $libc)) (with "host" (instance (export "get" (func $get))))))"#;
        vec![
            self.act(
                "recursion",
                Trap("call stack exhausted"),
                &executor(&by_itself),
            ),
            self.act(
                "host calls down to the end of the stack",
                Trap("call stack exhausted"),
                &executor_around(with_the_host),
            ),
        ]
    }

    /// Code of the guest that runs before or after the call itself.
    fn around_the_call(&self) -> Vec<Strain> {
        let start = core("(func $spin (loop (br 0))) (start $spin)", "i32.const 0");
        let realloc =
            core("", "i32.const 0").replace("i32.const 4096", "(loop (br 0)) i32.const 0");
        let post = core(
            r#"(func (export "post") (param i32) (loop (br 0)))"#,
            "i32.const 0",
        );
        let mut strains = Vec::new();
        for (name, module) in [
            ("a start that spins", start),
            ("a realloc that spins", realloc),
            ("a post-return that spins", post),
        ] {
            let bytes = executor(&module);
            strains.extend(
                [OutOfFuel, Deadline].map(|end| self.act(&format!("{name}, {end:?}"), end, &bytes)),
            );
        }
        let far = core("", "i32.const 0").replace("i32.const 4096", "i32.const -8");
        strains.push(self.act(
            "a realloc that points nowhere",
            Contract("beyond end of memory"),
            &executor(&far),
        ));
        strains
    }

    /// Answers that are small in the guest and large in the host.
    fn answers(&self) -> Vec<Strain> {
        let too_much = Exhausted("bytes in one", "call.rs LIFT_BYTES_MAX");
        // One item with `count` labels, each the same `len` bytes.
        let labels = |count: u32, len: u32| {
            let label: Vec<u32> = (0..count).flat_map(|_| [65_536, len]).collect();
            seen(
                &[
                    (0, &[0, 0, 0, 0, 0, 64, 1]),
                    (64, &[0, 0, 0, 0, 4_096, count, 0, 0]),
                ],
                &[(4_096, &label)],
                &[],
            )
        };
        let items = |count: u32| seen(&[(0, &[0, 0, 0, 0, 0, 65_536, count])], &[], &[]);
        let empty_labels = |count: u32| {
            seen(
                &[
                    (0, &[0, 0, 0, 0, 0, 64, 1]),
                    (64, &[0, 0, 0, 0, 65_536, count, 0, 0]),
                ],
                &[],
                &[],
            )
        };
        vec![
            self.observe("2,000 labels of 1 MiB", too_much, &labels(2_000, 1 << 20)),
            self.observe(
                "2,000 labels of 8 KiB",
                Says("1 items, 2000 labels"),
                &labels(2_000, 8 << 10),
            ),
            self.observe("a million items", too_much, &items(1_000_000)),
            self.observe("300,000 items", Says("300000 items"), &items(300_000)),
            self.observe(
                "4 billion items",
                Contract("out of bounds"),
                &items(u32::MAX),
            ),
            self.observe("two million labels", too_much, &empty_labels(2_000_000)),
            self.observe(
                "a million labels",
                Says("1 items, 1000000 labels"),
                &empty_labels(1_000_000),
            ),
        ]
    }

    /// Text from one component to another inside is copied by the engine, which takes no fuel for it by its length: the
    /// deadline is what ends it.
    fn between_components(&self) -> Vec<Strain> {
        ["utf8 utf8", "utf8 utf16", "utf16 utf8", "utf8 latin1+utf16"]
            .map(|encodings| {
                let (from, to) = encodings.split_once(' ').unwrap();
                let name = format!("{from} to {to} inside");
                self.act(&name, Deadline, &calling_another(&talking(from, to)))
                    .memory(256 * MIB)
            })
            .into()
    }
}

/// A sensor that answers with these words at these addresses, in 64 MiB of zeros.
fn seen(head: &[(u32, &[u32])], table: &[(u32, &[u32])], more: &[(u32, &[u32])]) -> Vec<u8> {
    let data: String = [head, table, more]
        .concat()
        .iter()
        .map(|(at, words)| {
            let bytes: String = words
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .map(|byte| format!("\\{byte:02x}"))
                .collect();
            format!("(data (i32.const {at}) \"{bytes}\")")
        })
        .collect();
    sensor(&format!(
        r#"(memory (export "memory") 1000)
           (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
           (func (export "observe") (result i32) i32.const 0)
           {data}"#
    ))
}

/// Two components, of which one tells the other 30 MiB again and again.
fn talking(from: &str, to: &str) -> String {
    let len = if from == "utf8" { 30 << 20 } else { 15 << 20 };
    format!(
        r#"(component $B
             (core module $b (memory (export "memory") 1200)
               (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
               (func (export "take") (param i32 i32)))
             (core instance $i (instantiate $b))
             (func (export "take") (param "s" string) (canon lift (core func $i "take") string-encoding={to}
               (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
           (instance $b (instantiate $B))
           (component $A
             (import "take" (func $take (param "s" string)))
             (core module $libc (memory (export "memory") 600)
               (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096))
             (core instance $libc (instantiate $libc))
             (core func $lowered (canon lower (func $take) string-encoding={from}
               (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
             (core module $a (import "b" "take" (func $take (param i32 i32)))
               (func (export "go") (loop (call $take (i32.const 0) (i32.const {len})) br 0)))
             (core instance $i (instantiate $a (with "b" (instance (export "take" (func $lowered))))))
             (func (export "go") (canon lift (core func $i "go"))))
           (instance $other (instantiate $A (with "take" (func $b "take"))))"#
    )
}
