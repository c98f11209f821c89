//! The second layer: what native code can still do on the thread of a guest, and that no guest notices the layer.
//!
//! **Invariant:** each thing that must fail is tried without the layer, too, and works there: a refusal that has another
//! cause proves nothing.

#![cfg(target_os = "linux")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may end at once"
)]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use ringfence_testkit::core::change::FileChange;
use ringfence_testkit::core::evidence::{CommandReceipt, Side};
use ringfence_testkit::core::ids::StepId;
use ringfence_testkit::core::manifest::Role;
use ringfence_testkit::core::relpath::RelPath;
use ringfence_testkit::core::verdict::Verdict;
use ringfence_testkit::sandbox::confine::{self, Confinement, Layer};
use ringfence_testkit::sandbox::{
    Call, CallError, Called, ChangeSource, EvidenceSource, Guests, Mount, Plugin,
};
use ringfence_testkit::{Case, Component};
use ringfence_tests_sandbox::attempts::{CALLS, Deed, FILES, Ground, INSIDE, SECRET, UNSEEN};
use ringfence_tests_sandbox::census::census;
use ringfence_tests_sandbox::probe::{Grant, op, policy};
use ringfence_tests_sandbox::{guest, without};
use serde_json::json;

const LANDLOCK_CREATE_RULESET: i64 = 444;
#[cfg(target_arch = "x86_64")]
const SECCOMP: i64 = 317;
#[cfg(not(target_arch = "x86_64"))]
const SECCOMP: i64 = 277;

/// Runs `work` on a thread of its own and returns what it returns.
fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    thread::spawn(work).join().unwrap()
}

/// Runs `work` on a thread that is confined to the roots of `ground`.
fn confined<T: Send + 'static>(
    ground: &Arc<Ground>,
    work: impl FnOnce(&Ground) -> T + Send + 'static,
) -> T {
    let ground = Arc::clone(ground);
    elsewhere(move || {
        let confinement = confine::thread(&ground.roots()).unwrap();
        assert!(confinement.is_full(), "{confinement:?}");
        work(&ground)
    })
}

/// Tries to get out on a confined thread of a kernel without `lacks`.
fn is_refused(attempt: &'static Deed, lacks: &'static [i64]) {
    let ground = Arc::new(Ground::new());
    let before = ground.look_outside();
    let on = Arc::clone(&ground);
    let refused = elsewhere(move || {
        without(lacks);
        let confinement = confine::thread(&on.roots()).unwrap();
        assert_eq!(confinement.is_full(), lacks.is_empty(), "{confinement:?}");
        (attempt.act)(&on)
    });
    assert!(refused.is_err(), "{} without {lacks:?}", attempt.name);
    assert_eq!(ground.look_outside(), before, "{}", attempt.name);
}

#[test]
fn native_code_on_a_confined_thread_gets_nothing_outside() {
    for attempt in FILES.iter().chain(CALLS) {
        let ground = Ground::new();
        let control = elsewhere(move || (attempt.act)(&ground));
        assert!(control.is_ok(), "{}: {control:?} everywhere", attempt.name);
        is_refused(attempt, &[]);
    }
}

#[test]
fn each_layer_holds_by_itself() {
    for attempt in FILES {
        is_refused(attempt, &[SECCOMP]);
    }
    for attempt in CALLS {
        is_refused(attempt, &[LANDLOCK_CREATE_RULESET]);
    }
}

#[test]
fn threads_that_a_confined_thread_begins_are_confined() {
    let ground = Arc::new(Ground::new());
    let inner = Arc::clone(&ground);
    let (outside, inside) = confined(&ground, move |_| {
        elsewhere(move || (File::open(inner.secret()), File::open(inner.one())))
    });
    assert!(outside.is_err());
    assert!(inside.is_ok());
}

#[test]
fn everything_inside_the_roots_works() {
    for deed in INSIDE {
        let ground = Arc::new(Ground::new());
        let done = confined(&ground, |ground| (deed.act)(ground));
        assert!(done.is_ok(), "{}: {done:?}", deed.name);
    }
}

#[test]
fn what_neither_layer_sees_is_known() {
    for deed in UNSEEN {
        let ground = Arc::new(Ground::new());
        let done = confined(&ground, |ground| (deed.act)(ground));
        assert!(done.is_ok(), "{}: docs/security.md names it", deed.name);
    }
}

#[test]
fn what_was_open_before_stays_open() {
    let ground = Arc::new(Ground::new());
    let open = File::open(ground.secret()).unwrap();
    let read = confined(&ground, move |_| io::read_to_string(open));
    assert!(
        read.is_ok(),
        "a thread shares open files: docs/security.md says so"
    );
}

#[test]
fn no_code_is_made_on_a_confined_thread() {
    let bytes = ringfence_tests_sandbox::guest_bytes("hog");
    let sandbox = ringfence_testkit::sandbox::Sandbox::new(Default::default()).unwrap();
    let ground = Arc::new(Ground::new());
    let again = (sandbox.clone(), bytes.clone());
    let loaded = confined(&ground, move |_| again.0.load(&again.1).map(drop));
    assert!(loaded.is_err(), "memory was made executable");
    assert!(elsewhere(move || sandbox.load(&bytes).map(drop)).is_ok());
}

/// A call of a gate that may do everything below `dir`.
fn call(component: &Component, dir: &Path) -> Call {
    let grant = Grant {
        read: &["**"],
        write: &["**"],
        deny: &[],
    };
    let mut call = component.call(&Case::new(), Role::Gate);
    call.mounts = vec![Mount {
        guest_path: "/".to_owned(),
        host_path: dir.to_owned(),
        policy: policy(grant),
    }];
    call.config = json!({ "plan": [op("open", json!({ "path": "one", "descriptor": ["read"] }))] })
        .to_string();
    call
}

async fn judge(plugin: Plugin, call: Call) -> Result<Called<Verdict>, CallError> {
    plugin.judge(call).await
}

/// What the probe says of opening `one`.
fn said(called: &Called<Verdict>) -> String {
    let verdict = called.answer.as_ref().unwrap().as_ref().unwrap();
    verdict.findings[0].message.clone()
}

#[test]
fn a_mistake_of_the_first_layer_ends_at_the_second() {
    let (probe, ground) = (guest("probe"), Ground::new());
    let plugin = probe.plugin().clone();
    let (inside, outside) = (ground.one(), ground.secret());
    // Stands for a walk that goes wrong: host code in the middle of a call opens what the guest named.
    let called = Guests::new().run(call(&probe, &ground.root()), async move |call| {
        let opened = [File::open(inside).is_ok(), File::open(outside).is_ok()];
        Ok(judge(plugin, call).await?.map(|_| opened))
    });
    assert_eq!(called.unwrap().answer, Ok(Ok([true, false])));
}

#[test]
fn a_kernel_without_a_layer_runs_guests_and_says_so() {
    let (probe, ground) = (guest("probe"), Ground::new());
    let states = |confinement: &Confinement| {
        [&confinement.landlock, &confinement.seccomp].map(|layer| match layer {
            Layer::On { .. } => "on",
            Layer::Weaker { .. } => "weaker",
            Layer::Missing { .. } => "missing",
        })
    };
    for (lacks, states_then, opens) in [
        (&[][..], ["on", "on"], false),
        (&[LANDLOCK_CREATE_RULESET], ["missing", "on"], true),
        (&[SECCOMP], ["on", "missing"], false),
        (&[LANDLOCK_CREATE_RULESET, SECCOMP], ["missing"; 2], true),
    ] {
        let (call, plugin) = (call(&probe, &ground.root()), probe.plugin().clone());
        let outside = ground.secret();
        let (confinement, called) = elsewhere(move || {
            without(lacks);
            let mut guests = Guests::new();
            let called = guests.run(call, async move |call| {
                let opened = File::open(outside).is_ok();
                Ok(judge(plugin, call).await?.map(|verdict| (verdict, opened)))
            });
            (guests.confinement().cloned().unwrap(), called.unwrap())
        });
        assert_eq!(states(&confinement), states_then, "{confinement:?}");
        assert!(confinement.no_new_privs, "{confinement:?}");
        let (verdict, opened) = called.answer.unwrap().unwrap();
        assert_eq!(opened, opens, "without {lacks:?}");
        assert!(verdict.findings[0].message.contains("ok"), "{verdict:?}");
    }
}

#[test]
fn another_root_is_another_thread() {
    let (probe, ground) = (guest("probe"), Ground::new());
    let mut guests = Guests::new();
    let mut ask = |dir: &Path| {
        let plugin = probe.plugin().clone();
        let called = guests.run(call(&probe, dir), async move |call| {
            let here = thread::current().id();
            Ok(judge(plugin, call).await?.map(|verdict| (verdict, here)))
        });
        let (verdict, here) = called.unwrap().answer.unwrap().unwrap();
        (verdict.findings[0].message.contains("ok"), here)
    };
    let (opened, first) = ask(&ground.root());
    assert!(opened);
    assert_eq!(ask(&ground.root()), (true, first), "begun once");
    let (opened, second) = ask(&ground.other_root());
    assert!(opened);
    assert_ne!(second, first);
    // A checkout that is made anew has its name, and nothing else, in common with the old one.
    fs::rename(ground.other_root(), ground.aside()).unwrap();
    fs::create_dir(ground.other_root()).unwrap();
    fs::write(ground.other_root().join("one"), "new").unwrap();
    let (opened, third) = ask(&ground.other_root());
    assert!(opened);
    assert_ne!(third, second);
}

#[test]
fn threads_end_with_their_guests() {
    let (probe, ground) = (guest("probe"), Ground::new());
    let call_once = || {
        let plugin = probe.plugin().clone();
        let run = Guests::new().run(call(&probe, &ground.root()), async move |call| {
            judge(plugin, call).await
        });
        said(&run.unwrap())
    };
    // What the engine makes once per process is made now. Other tests of this process come and go meanwhile.
    let first = call_once();
    let before = census();
    for _ in 0..50 {
        assert_eq!(call_once(), first);
    }
    let after = census();
    assert!(after.threads < before.threads + 25, "{before:?} {after:?}");
    assert!(
        after.open_files < before.open_files + 25,
        "{before:?} {after:?}"
    );
}

#[test]
fn a_panic_beside_a_guest_is_an_error_and_the_next_call_runs() {
    let (probe, ground) = (guest("probe"), Ground::new());
    let mut guests = Guests::new();
    let panics = guests.run::<Verdict>(call(&probe, &ground.root()), async move |_| {
        panic!("as a bug of ours would")
    });
    assert!(
        panics
            .unwrap_err()
            .to_string()
            .contains("the thread of the call ended")
    );
    let plugin = probe.plugin().clone();
    let next = guests.run(call(&probe, &ground.root()), async move |call| {
        judge(plugin, call).await
    });
    assert!(said(&next.unwrap()).contains("ok"));
}

/// Answers with what only an unconfined thread can have, and says on which thread it was asked.
struct Outside {
    secret: PathBuf,
    asked: std::sync::Mutex<std::sync::mpsc::Sender<thread::ThreadId>>,
}

impl ChangeSource for Outside {
    fn files(&self) -> &[FileChange] {
        &[]
    }

    fn read_base(&self, path: &RelPath, _: u64) -> io::Result<Option<Vec<u8>>> {
        let asked = self.asked.lock().unwrap();
        asked.send(thread::current().id()).unwrap();
        let told = std::process::Command::new("cat").arg(&self.secret).output();
        match path.as_str() {
            "panic" => std::panic::resume_unwind(Box::new("as a bug of the source would")),
            _ => Ok(Some(told?.stdout)),
        }
    }

    fn unified_diff(&self, _: u32, _: &[RelPath], _: u64) -> io::Result<String> {
        Ok("a diff".to_owned())
    }
}

impl EvidenceSource for Outside {
    fn receipts(&self) -> &[CommandReceipt] {
        &[]
    }

    fn read(&self, _: &StepId, _: Side, report: &str, max: u64) -> io::Result<Vec<u8>> {
        let told = self.read_base(&RelPath::lexical(report).unwrap(), max)?;
        Ok(told.unwrap())
    }
}

#[test]
fn a_source_that_panics_ends_the_waiting_thread_and_the_guests() {
    let (probe, ground) = (guest("probe"), Ground::new());
    let (asked, threads) = channel();
    let mut call = call(&probe, &ground.root());
    call.change = Some(Arc::new(Outside {
        secret: ground.secret(),
        asked: asked.into(),
    }));
    let plugin = probe.plugin().clone();
    let (tell, hear) = channel();
    let waiting = thread::spawn(move || {
        Guests::new().run(call, async move |call| {
            let source = call.change.clone().unwrap();
            let look = |path: &str| source.read_base(&RelPath::lexical(path).unwrap(), 100);
            tell.send([look("panic"), look("a")].map(|told| told.is_err()))
                .unwrap();
            judge(plugin, call).await
        })
    });
    assert!(waiting.join().is_err(), "the panic is the waiting thread's");
    assert_eq!(hear.recv(), Ok([true, true]), "nobody is there any more");
    assert_eq!(threads.try_iter().count(), 1);
}

#[test]
fn a_change_and_evidence_are_looked_up_by_the_thread_that_waits() {
    let (probe, ground) = (guest("probe"), Ground::new());
    let (asked, threads) = channel();
    let mut call = call(&probe, &ground.root());
    let outside = Arc::new(Outside {
        secret: ground.secret(),
        asked: asked.into(),
    });
    call.change = Some(outside.clone());
    call.evidence = Some(outside);
    let plugin = probe.plugin().clone();
    let called = Guests::new().run(call, async move |call| {
        let source = call.change.clone().unwrap();
        let path = RelPath::lexical("a").unwrap();
        let told = source.read_base(&path, 100).unwrap();
        let diff = source.unified_diff(0, &[], 100).unwrap();
        let evidence = call.evidence.clone().unwrap();
        let test = StepId::new("test").unwrap();
        let report = evidence.read(&test, Side::After, "junit", 100).unwrap();
        Ok(judge(plugin, call).await?.map(|_| (told, diff, report)))
    });
    let (told, diff, report) = called.unwrap().answer.unwrap().unwrap();
    assert_eq!(told.as_deref(), Some(SECRET.as_bytes()));
    assert_eq!(diff, "a diff");
    assert_eq!(report, SECRET.as_bytes());
    assert_eq!(
        threads.try_iter().collect::<Vec<_>>(),
        [thread::current().id(); 2]
    );
}

#[test]
fn a_confined_process_is_confined_whole() {
    let said = |scope: &str| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_confined"));
        let dir = tempfile::tempdir().unwrap();
        let out = program.arg(scope).arg(dir.path()).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    for (scope, inside) in [("process", true), ("nothing", false)] {
        let said = said(scope);
        assert!(said.contains("full: true"), "{said}");
        for attempt in FILES.iter().chain(CALLS) {
            let refused = format!("{}: true\n", attempt.name);
            assert!(said.contains(&refused), "{scope}: {refused} not in {said}");
        }
        assert!(said.contains(&format!("inside: {inside}")), "{said}");
        assert!(said.contains("threads inherit: true"), "{said}");
    }
    let said = said("late");
    let thread = "1 threads that were there before run without it";
    assert!(said.contains(thread), "{said}");
}

#[test]
fn a_trial_says_that_the_kernel_keeps_its_word() {
    let (confinement, attempts) = confine::trial().unwrap();
    assert!(confinement.is_full());
    assert!(
        attempts.iter().all(|attempt| attempt.refused),
        "{attempts:?}"
    );
    let (confinement, attempts) = elsewhere(|| {
        without(&[LANDLOCK_CREATE_RULESET, SECCOMP]);
        confine::trial().unwrap()
    });
    assert!(!confinement.is_full());
    assert!(
        attempts.iter().all(|attempt| !attempt.refused),
        "{attempts:?}"
    );
}
