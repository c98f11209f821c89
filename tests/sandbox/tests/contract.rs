//! What is no plugin is refused with a message that names what is wrong, and what answers nonsense gives no answer.
//!
//! Components are written by hand here, as text: no compiler would make them.

#![expect(clippy::unwrap_used, reason = "a test may end at once")]

use std::sync::LazyLock;

use ringfence_testkit::core::call::CallFailure;
use ringfence_testkit::core::change::Commit;
use ringfence_testkit::core::evidence::{Confinement, Ended, Side};
use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::core::verdict::Verdict;
use ringfence_testkit::sandbox::{
    ActOutcome, Called, Plugin, PluginError, Sandbox, Settings, inspect,
};
use ringfence_testkit::{Case, CommandRun, Component};
use ringfence_tests_sandbox::made::{ACTION, component, core, executor, manifest, section};
use ringfence_tests_sandbox::{guest, guest_bytes, wait};
use serde_json::{Value, json};

static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::new(Settings::default()).unwrap());

/// A component that exports a function without parameters as `export`.
fn exports(export: &str, function: &str) -> String {
    format!(
        r#"(core module $m (func (export "f") (result i32) i32.const 7))
           (core instance $i (instantiate $m))
           (func $f (result u32) (canon lift (core func $i "f")))
           (instance $e (export "{function}" (func $f)))
           (export "{export}" (instance $e))"#
    )
}

/// The core module of an executor that answers with `bytes`, at address 0 of one page.
fn answering(bytes: &[u8]) -> String {
    let bytes: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    core(&format!("(data (i32.const 0) \"{bytes}\")"), "i32.const 0")
}

fn load(bytes: &[u8]) -> Result<Plugin, String> {
    SANDBOX.load(bytes).map_err(|error| error.to_string())
}

fn act(bytes: &[u8]) -> Called<ActOutcome> {
    static PUPPET: LazyLock<Component> = LazyLock::new(|| guest("puppet"));
    let plugin = load(bytes).unwrap();
    let mut call = PUPPET.call(&Case::new().fuel(50_000_000), Role::Executor);
    // A mount that is gone would fail the call before the component can.
    call.mounts.clear();
    wait(plugin.act(call, "do", "{}"))
}

fn refuses(bytes: &[u8], expect: &[&str]) {
    let error = load(bytes).map(|_| ()).unwrap_err();
    for part in expect {
        assert!(error.contains(part), "{part:?} is not in {error:?}");
    }
}

#[test]
fn what_is_no_component() {
    let puppet = guest_bytes("puppet");
    for (bytes, expect) in [
        (&b""[..], "not a WebAssembly component"),
        (b"\x7fELF\x02\x01\x01\0", "not a WebAssembly component"),
        (b"#!/bin/sh\nexit 0\n", "not a WebAssembly component"),
        (
            &wat::parse_str("(module)").unwrap(),
            "a core WebAssembly module, not a component",
        ),
        (&component(""), "no plugin manifest inside"),
        (
            &component(&exports("ringfence:beat/judge@0.1.0", "judge")),
            "no plugin manifest inside",
        ),
        (
            &[puppet.as_slice(), b"rubbish"].concat(),
            "not a WebAssembly component",
        ),
    ] {
        refuses(bytes, &[expect]);
    }
    // Cut anywhere, it is no plugin; and nothing panics on bytes that were changed.
    for n in 0..60 {
        let at = puppet.len() * n / 60;
        assert!(inspect(&puppet[..at]).is_err(), "cut at {at}");
        let mut changed = puppet.clone();
        changed[at] ^= 0x55;
        drop(inspect(&changed));
    }
}

#[test]
fn manifests_that_cannot_be_used() {
    let act = exports("ringfence:beat/act@0.1.0", "act");
    let whole = manifest(r#""executor""#, ACTION);
    for (manifest, expect) in [
        (section("this is no toml"), &["plugin.toml line 1"][..]),
        (section(r"\ff\fe"), &["not UTF-8"]),
        (section(&"#".repeat(300 << 10)), &["too large"]),
        (format!("{whole}{whole}"), &["two manifests"]),
        (
            manifest(r#""executor""#, &format!("surprise = 1\\n{ACTION}")),
            &["surprise"],
        ),
        (manifest(r#""executor""#, ""), &["[[action]]"]),
        (manifest("", ACTION), &["roles"]),
        (manifest(r#""king""#, ACTION), &["king"]),
        (
            manifest(
                r#""executor""#,
                &format!(r"asks = {{ read = [\22[[:alpha:]]\22] }}\n{ACTION}"),
            ),
            &["[[:alpha:]]"],
        ),
        (
            whole.replace("0.1.0", "0.2.0"),
            &["contract", "0.2.0", "0.1.0"],
        ),
        (whole.replace("0.1.0", "0.1.9"), &["contract", "0.1.9"]),
        (
            manifest(r#""gate""#, ""),
            &["names the roles gate", "exports executor"],
        ),
        (
            manifest(r#""executor", "gate""#, ACTION),
            &["executor, gate", "exports executor"],
        ),
    ] {
        refuses(&component(&format!("{manifest}{act}")), expect);
    }
    // One that is inside a component inside counts, too: there is one manifest or none.
    refuses(
        &component(&format!("{whole}{act}(component {whole})")),
        &["two manifests"],
    );
}

#[test]
fn exports_that_do_not_fit() {
    let gate = |export: &str| component(&(manifest(r#""gate""#, "") + &exports(export, "judge")));
    for (export, expect) in [
        (
            "ringfence:beat/judge@0.2.0",
            &["ringfence:beat/judge@0.2.0", "0.1.0"][..],
        ),
        (
            "ringfence:beat/judge@1.0.0",
            &["ringfence:beat/judge@1.0.0"],
        ),
        (
            "ringfence:beat/reign@0.1.0",
            &["ringfence:beat/reign@0.1.0"],
        ),
        ("another:beat/judge@0.1.0", &["gate", "exports none"]),
    ] {
        refuses(&gate(export), expect);
    }
}

#[test]
fn imports_that_nobody_offers() {
    let function = r#"(func)"#;
    let instance = r#"(instance (export "run" (func (param "command" string))))"#;
    for (name, what) in [
        ("shell", function),
        ("wasi:sockets/tcp@0.2.0", instance),
        ("wasi:http/outgoing-handler@0.2.0", instance),
        ("evil:host/shell", instance),
        // The interface is offered, this function is not.
        ("ringfence:beat/config@0.1.0", instance),
        ("wasi:cli/environment@0.2.0", instance),
    ] {
        let import = format!("(import \"{name}\" {what})");
        let export = exports("ringfence:beat/judge@0.1.0", "judge");
        let bytes = component(&format!("{}{import}{export}", manifest(r#""gate""#, "")));
        refuses(&bytes, &["imports what is not offered", name]);
    }
}

/// Answers that are well made, so that what follows is refused for what it says.
#[test]
fn a_hand_made_executor_answers() {
    let text = |answer: &[u8]| [answer, b"hello"].concat();
    let ok = text(&[0, 0, 0, 0, 20, 0, 0, 0, 5, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0]);
    let called = act(&executor(&answering(&ok)));
    assert_eq!(called.answer.unwrap().unwrap().summary, "hello");
    let refusal = text(&[1, 0, 0, 0, 1, 0, 0, 0, 16, 0, 0, 0, 5, 0, 0, 0]);
    let called = act(&executor(&answering(&refusal)));
    assert_eq!(
        called.answer.unwrap(),
        Err(PluginError::Unavailable("hello".to_owned()))
    );
}

#[test]
fn answers_that_are_no_answers() {
    let far = [
        0, 0, 0, 0, 255, 255, 255, 127, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let long = [
        0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let not_utf8 = [
        0, 0, 0, 0, 20, 0, 0, 0, 2, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe,
    ];
    let no_such_result = [7, 0, 0, 0, 0, 0, 0, 0];
    let no_such_error = [1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (bytes, expect) in [
        (&far[..], "out of bounds"),
        (&long, "out of bounds"),
        (&not_utf8, "utf-8"),
        (&no_such_result, "discriminant"),
        (&no_such_error, "discriminant"),
    ] {
        let called = act(&executor(&answering(bytes)));
        let Err(CallFailure::Contract { message }) = &called.answer else {
            panic!("{expect}: {:?}", called.answer)
        };
        assert!(
            message.to_lowercase().contains(expect),
            "{expect}: {message}"
        );
    }
    for (address, expect) in [("i32.const -4", "out of bounds"), ("i32.const 3", "align")] {
        let called = act(&executor(&core("", address)));
        let Err(CallFailure::Contract { message }) = &called.answer else {
            panic!("{expect}: {:?}", called.answer)
        };
        assert!(message.contains(expect), "{expect}: {message}");
    }
}

#[test]
fn what_happens_before_the_call_is_bounded_as_well() {
    let with = |more: &str| {
        act(&executor(&core(more, "i32.const 0")))
            .answer
            .unwrap_err()
    };
    let spins = with("(func $spin (loop (br 0))) (start $spin)");
    assert!(matches!(spins, CallFailure::OutOfFuel { .. }), "{spins:?}");
    let traps = with("(func $trap unreachable) (start $trap)");
    assert!(matches!(traps, CallFailure::Trap { .. }), "{traps:?}");
    let table = executor(&core("(table 100000000 funcref)", "i32.const 0"));
    refuses(&table, &["table", "exceeds the limit"]);
    let large = executor(&core("", "i32.const 0").replace("\"memory\") 1", "\"memory\") 20000"));
    let large = act(&large).answer.unwrap_err();
    assert!(matches!(large, CallFailure::Memory { .. }), "{large:?}");
}

#[test]
fn a_role_that_a_component_lacks_is_no_crash() {
    let md_links = ringfence_tests_sandbox::plugin("md-links");
    let case = Case::new();
    let run = md_links.act(&case, "fix", &json!({}));
    let CallFailure::Contract { message } = run.failure() else {
        panic!("{:?}", run.failure())
    };
    assert!(message.contains("ringfence:beat/act"), "{message}");
    // The name is right, the function is not.
    let bytes =
        component(&(manifest(r#""gate""#, "") + &exports("ringfence:beat/judge@0.1.0", "judge")));
    let gate = Component::from_bytes(&bytes);
    let run = gate.judge(&case);
    assert!(
        matches!(run.failure(), CallFailure::Contract { .. }),
        "{:?}",
        run.failure()
    );
    let bytes =
        component(&(manifest(r#""gate""#, "") + &exports("ringfence:beat/judge@0.1.0", "rule")));
    let run_of_other_name = Component::from_bytes(&bytes).judge(&case);
    let CallFailure::Contract { message } = run_of_other_name.failure() else {
        panic!("{:?}", run_of_other_name.failure())
    };
    assert!(message.contains("judge"), "{message}");
}

/// What the engine leaves off, no component can bring along.
#[test]
fn proposals_that_are_off_stay_off() {
    for core in [
        "(memory i64 1)",
        "(memory 1 1 shared)",
        "(func (param v128) (result v128) local.get 0 local.get 0 i32x4.relaxed_trunc_f32x4_s drop local.get 0)",
    ] {
        let Ok(bytes) = wat::parse_str(format!(
            "(component {}{} (core module {core}))",
            manifest(r#""gate""#, ""),
            exports("ringfence:beat/judge@0.1.0", "judge")
        )) else {
            panic!("{core} is not text")
        };
        refuses(&bytes, &["does not compile"]);
    }
}

/// What a gate is told besides the files: all of it, and nothing where there is nothing.
#[test]
fn gates_are_told_of_commits_and_of_evidence() {
    let puppet = guest("puppet");
    let told = |case: Case| -> Value {
        let run = puppet.judge(&case.config(json!({ "look_at_change": true })));
        serde_json::from_str(&run.answer().summary).unwrap()
    };
    let nothing = told(Case::new());
    assert_eq!(nothing["change"]["commits"], json!([]));
    assert_eq!(nothing["change"]["evidence"], json!([]));
    let commit = |number: u32, message: &str| Commit {
        id: format!("{number:040x}"),
        author: "Ann <ann@example.org>".to_owned(),
        message: message.to_owned(),
        parents: number,
    };
    let case = Case::new()
        .commits(vec![
            commit(1, "feat: a\n\nBody.\n"),
            commit(2, "\u{1b}[31mMerge"),
        ])
        .ran(CommandRun::new("test", Side::Before).report("junit", "<a/>"))
        .ran(
            CommandRun::new("test", Side::After)
                .ended(Ended::Exited { code: 101 })
                .confinement(Confinement::None)
                .network()
                .report("junit", "<b/>")
                .report("stdout", ""),
        )
        .ran(CommandRun::new("lint", Side::After).ended(Ended::TimedOut));
    let told = told(case);
    let id = |number: u32| format!("{number:040x}");
    let author = "Ann <ann@example.org>";
    assert_eq!(
        told["change"]["commits"],
        json!([
            [id(1), author, "feat: a\n\nBody.\n", 1],
            [id(2), author, "\u{1b}[31mMerge", 2]
        ])
    );
    let run = |command: &str, side: &str, ended: &str, code: Value, free: bool, reports: Value| {
        let what = format!("no-such-report of {command} {side} the change");
        json!({
            "command": command, "side": side, "ended": ended, "exit_code": code, "reports": reports,
            "confinement": if free { "none" } else { "full" }, "network": free,
            "other": format!("error: unavailable: {what}: no such report"),
        })
    };
    assert_eq!(
        told["change"]["evidence"],
        json!([
            run(
                "test",
                "before",
                "exited",
                json!(0),
                false,
                json!([["junit", 4, "<a/>"]])
            ),
            run(
                "test",
                "after",
                "exited",
                json!(101),
                true,
                json!([["junit", 4, "<b/>"], ["stdout", 0, ""]])
            ),
            run("lint", "after", "timed-out", Value::Null, false, json!([])),
        ])
    );
}

/// Each byte that is told costs fuel, whatever the guest does with it.
#[test]
fn commits_and_reports_are_paid_for() {
    let hog = guest("hog");
    let fuel = |mode: &str, case: Case| {
        let config = json!({ "mode": mode, "path": "stdout" });
        let run = hog.judge(&case.config(config));
        assert_eq!(run.answer().summary, format!("{mode}: 1 done"));
        run.fuel().0
    };
    let both = |bytes: usize| {
        let message = "x".repeat(bytes);
        let run = CommandRun::new("test", Side::After).report("stdout", &message);
        let commit = Commit {
            id: "0".repeat(40),
            author: String::new(),
            message,
            parents: 1,
        };
        [
            fuel("commits", Case::new().commits(vec![commit])),
            fuel("read-report", Case::new().ran(run)),
        ]
    };
    for (little, much) in both(10_000).into_iter().zip(both(60_000)) {
        assert!(
            (50_000..60_000).contains(&(much - little)),
            "{little} → {much}"
        );
    }
}

/// A signal that is no JSON is handed on as it stands: to refuse it is the beat's part, not the boundary's.
#[test]
fn texts_in_answers_are_handed_on_as_they_stand() {
    let puppet = guest("puppet");
    let run =
        puppet.observe(&Case::new().config(json!({ "raw_observation": { "signal": "{no json" } })));
    assert_eq!(run.answer().signal, "{no json");
    let case = Case::new().config(json!({ "raw_input": "[", "decision": { "executor": "x" } }));
    let situation = json!({ "version": 1, "items": [], "executors": [] });
    assert_eq!(puppet.decide(&case, &situation).answer().input, "[");
    let case = Case::new().config(json!({ "raw_detail": "\u{1b}[31m" }));
    assert_eq!(
        puppet.act(&case, "act", &json!({})).answer().detail,
        "\u{1b}[31m"
    );
}

#[test]
fn a_plugins_own_refusal_is_no_failure() {
    let puppet = guest("puppet");
    for (kind, expect) in [
        ("config", PluginError::Config("why".into())),
        ("unavailable", PluginError::Unavailable("why".into())),
        ("internal", PluginError::Internal("why".into())),
    ] {
        let case = Case::new().config(json!({ "error": [kind, "why"] }));
        let run = puppet.observe(&case);
        assert_eq!(*run.refusal(), expect);
    }
    let run = puppet.judge(&Case::new().config(json!({ "panic": "out of eels" })));
    let CallFailure::Trap { message } = run.failure() else {
        panic!("{:?}", run.failure())
    };
    assert!(message.contains("out of eels"), "{message}");
    let run = puppet.judge(&Case::new().config(json!({ "no such key": 1 })));
    assert!(
        matches!(run.refusal(), PluginError::Config(_)),
        "{:?}",
        run.refusal()
    );
}

/// Text that looks like a manifest's, in a place where it is none.
#[test]
fn a_manifest_elsewhere_is_none() {
    let other = manifest(r#""gate""#, "").replace("ringfence:plugin", "ringfence:plugins");
    let bytes = component(&(other + &exports("ringfence:beat/judge@0.1.0", "judge")));
    refuses(&bytes, &["no plugin manifest inside"]);
}

/// What is too much for a person is cut by the core, which says how much; what is too much for the host ends the call.
#[test]
fn more_findings_than_anybody_reads_are_cut() {
    let hog = guest("hog");
    let case = Case::new().config(json!({ "mode": "huge-list", "count": 20_000, "bytes": 100 }));
    let raw = hog.judge(&case).answer().clone();
    assert_eq!(raw.findings.len(), 20_000);
    let checked = Verdict::check(raw).unwrap();
    assert_eq!(checked.findings.len(), 1_000);
    assert!(
        checked.summary.contains("19000") || checked.summary.contains("19,000"),
        "{}",
        checked.summary
    );
}
