//! What a cut-off publication left behind, found and told apart.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use ringfence_core::ids::BeatNo;

use super::*;
use crate::fixture::{Rig, files, gits, put};
use crate::journal_file::{DiskJournal, JournalFile};
use crate::settle::{Published, Target, carry_out};
use crate::steps::{NAMES, NoSteps};
use crate::workspace::BaseFrom;

const REF: &str = "refs/heads/ringfence/docs/7";

const STEP: &str = "RINGFENCE_TEST_STEP";
const TOP: &str = "RINGFENCE_TEST_TOP";

/// Ends the process at one step, as abruptly as that can be done.
struct KillAt(String);

impl Steps for KillAt {
    fn at(&self, step: &'static str) {
        if step == self.0 {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                .unwrap();
        }
    }
}

fn beat(rig: &Rig, steps: &dyn Steps) -> Intent {
    let journal = |line: &[u8]| {
        let path = rig.loop_dir().journal();
        let mut journal = DiskJournal::open(&path, steps).unwrap();
        if journal.read().unwrap().ends_with(b"torn") {
            journal.cut_torn(0).unwrap();
        }
        journal.append(line, true).unwrap();
    };
    let lock = rig.lock();
    sweep(&rig.loop_dir(), &lock, steps).unwrap();
    drop(lock);
    let opened = rig.open();
    let base = opened.ws.prepare(BaseFrom::Head, steps).unwrap();
    put(&base.dir, b"README.md", b"repaired\n");
    let change = opened.ws.measure(&base, steps).unwrap();
    let settlement = rig.settlement(Target::Propose, &base, &change);
    journal(b"intent");
    carry_out(&opened.ws, &settlement, steps).unwrap();
    journal(b"done");
    let shadow = rig.settlement(Target::Shadow, &base, &change);
    carry_out(&opened.ws, &shadow, steps).unwrap();
    settlement.intent()
}

/// Not a test by itself: what the next one runs in a process of its own.
#[test]
fn a_beat_that_kills_itself() {
    let (Ok(step), Some(top)) = (std::env::var(STEP), std::env::var_os(TOP)) else {
        return;
    };
    let gits = gits();
    let rig = Rig::at(&gits[step.len() % gits.len()], top.into());
    beat(&rig, &KillAt(step));
}

#[test]
fn after_a_kill_at_any_step_the_next_beat_knows() {
    for name in NAMES {
        let gits = gits();
        let rig = Rig::repository(&gits[name.len() % gits.len()]);
        put(rig.loop_dir().path(), b"journal.jsonl", b"torn");
        rig.loop_dir().adopt(&rig.lock()).unwrap();
        let before = rig.users_state();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "recovery::tests::a_beat_that_kills_itself"])
            .env(STEP, name)
            .env(TOP, &rig.top)
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.signal(), Some(9), "{name}");
        assert_eq!(rig.users_state(), before, "{name}");
        rig.assert_sound();

        let there = rig
            .git(&["for-each-ref", "--format=%(refname)"])
            .contains(REF);
        let expect = ["ref-created", "ref-synced", "patch-begins", "patch-written"].contains(&name);
        assert_eq!(there, expect, "{name}");
        let text = fs::read_to_string(rig.loop_dir().journal()).unwrap();
        assert!(
            ["", "torn", "intent\n", "intent\ndone\n"].contains(&text.as_str()),
            "{name}: {text:?}"
        );
        let lock = rig.lock();
        assert!(
            lock.died().is_some() || name == "leftovers-removed",
            "{name}"
        );
        sweep(&rig.loop_dir(), &lock, &NoSteps).unwrap();
        drop(lock);
        let opened = rig.open();
        let base = opened.prepare();
        assert_eq!(files(&base.dir), files(&rig.top), "{name}");
        put(&base.dir, b"README.md", b"repaired\n");
        let change = opened.ws.measure(&base, &NoSteps).unwrap();
        let settlement = rig.settlement(Target::Propose, &base, &change);
        assert_eq!(
            look(&opened.ws, &settlement.intent()).unwrap() != Found::NotPublished,
            there,
            "{name}"
        );
        if !there {
            carry_out(&opened.ws, &settlement, &NoSteps).unwrap();
        }
        rig.assert_sound();
    }
}

#[test]
fn a_stale_lock_of_our_own_ref_is_removed_and_no_other() {
    for program in gits() {
        let rig = Rig::repository(&program);
        let opened = rig.open();
        let base = opened.prepare();
        put(&base.dir, b"README.md", b"repaired\n");
        let change = opened.ws.measure(&base, &NoSteps).unwrap();
        let settlement = rig.settlement(Target::Propose, &base, &change);
        let refs = rig.top.join(".git/refs/heads");
        put(&refs, b"ringfence/docs/7.lock", b"");
        put(&refs, b"ringfence/docs/6.lock", b"");
        put(&refs, b"main.lock", b"");
        let error = carry_out(&opened.ws, &settlement, &NoSteps).unwrap_err();
        assert!(error.to_string().contains("7.lock"), "{error}");
        assert_eq!(
            look(&opened.ws, &settlement.intent()).unwrap(),
            Found::NotPublished
        );
        assert!(!refs.join("ringfence/docs/7.lock").exists());
        assert!(refs.join("ringfence/docs/6.lock").exists() && refs.join("main.lock").exists());
        let Published::Branch { commit, .. } =
            carry_out(&opened.ws, &settlement, &NoSteps).unwrap()
        else {
            panic!()
        };
        // Once the branch is there, a lock beside it is somebody's who works on it.
        put(&refs, b"ringfence/docs/7.lock", b"");
        assert_eq!(
            look(&opened.ws, &settlement.intent()).unwrap(),
            Found::Published {
                commit: Some(commit)
            }
        );
        assert!(refs.join("ringfence/docs/7.lock").exists());
    }
}

#[test]
fn an_intent_of_another_loop_is_not_acted_on() {
    let rig = Rig::repository(&gits()[0]);
    let opened = rig.open();
    let base = opened.prepare();
    let commit = base.commit.clone().unwrap();
    for reference in [
        "refs/heads/main",
        "refs/heads/ringfence/other/7",
        "refs/heads/ringfence/docs/../main",
        "refs/heads/ringfence/docs/x",
        "--help",
    ] {
        let reference = reference.to_owned();
        let intent = Intent::Branch {
            reference,
            base_commit: commit.clone(),
            candidate_tree: base.tree.clone(),
        };
        assert!(
            matches!(
                look(&opened.ws, &intent),
                Err(RecoveryError::ForeignIntent { .. })
            ),
            "{intent:?}"
        );
    }
    for file in [
        "shadow/../journal.jsonl",
        "/etc/passwd",
        "shadow/x.patch",
        "memo/7.patch",
    ] {
        let intent = Intent::Patch {
            file: file.to_owned(),
            candidate_tree: base.tree.clone(),
        };
        assert!(
            matches!(
                look(&opened.ws, &intent),
                Err(RecoveryError::ForeignIntent { .. })
            ),
            "{intent:?}"
        );
    }
    let intent = Intent::Patch {
        file: "shadow/7.patch".to_owned(),
        candidate_tree: base.tree.clone(),
    };
    let path = opened.ws.dir().shadow(BeatNo(7));
    let not_ours = || {
        let found = look(&opened.ws, &intent);
        assert!(
            matches!(found, Err(RecoveryError::NotOurs { .. })),
            "{found:?}"
        );
        fs::remove_file(&path).unwrap();
    };
    fs::write(&path, "something else").unwrap();
    not_ours();
    // Nobody writes into the pipe, so opening it would not end.
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    not_ours();
    let patch = format!("Ringfence patch 1\ncandidate-tree: {}\n", base.tree);
    let outside = rig.top.with_file_name("outside");
    fs::write(&outside, &patch).unwrap();
    std::os::unix::fs::symlink(&outside, &path).unwrap();
    not_ours();
    fs::write(&path, &patch).unwrap();
    let found = look(&opened.ws, &intent).unwrap();
    assert_eq!(found, Found::Published { commit: None });
}

#[test]
fn leftovers_are_swept_and_nothing_else() {
    let rig = Rig::repository(&gits()[0]);
    let dir = rig.loop_dir();
    let lock = rig.lock();
    for path in [
        ".tmp-a",
        "index.lock",
        "index-user.lock",
        "shadow/.tmp-b",
        "proposals/.tmp-c",
        "memo/.tmp-d",
        "trash/9/x",
    ] {
        put(dir.path(), path.as_bytes(), b"x");
    }
    let kept = [
        "journal.jsonl",
        "index",
        "shadow/1.patch",
        "memo/x",
        "journal.torn-1",
    ];
    for path in kept {
        put(dir.path(), path.as_bytes(), b"x");
    }
    assert_eq!(sweep(&dir, &lock, &NoSteps).unwrap().len(), 6);
    assert!(kept.iter().all(|path| dir.path().join(path).exists()));
    assert!(!dir.trash().exists());
    assert!(sweep(&dir, &lock, &NoSteps).unwrap().is_empty());
}

#[test]
fn links_in_a_folder_that_was_brought_along_lead_nowhere() {
    let rig = Rig::folder(&gits()[0]);
    let outside = rig.top.with_file_name("outside");
    for path in ["tmp_x", "a.lock", "info/x.lock", "file"] {
        put(&outside, path.as_bytes(), b"x");
    }
    let dir = rig.top.join(".ringfence/docs");
    fs::create_dir_all(&dir).unwrap();
    for name in ["store.git", "trash", "base", "index", "identity", "rules"] {
        std::os::unix::fs::symlink(&outside, dir.join(name)).unwrap();
    }
    let (dir, lock) = (rig.loop_dir(), rig.lock());
    assert_eq!(dir.origin().unwrap(), Origin::BroughtAlong);
    sweep(&dir, &lock, &NoSteps).unwrap();
    drop(lock);
    rig.write("README.md", "x");
    let opened = rig.open();
    assert_eq!(opened.ws.origin(), Origin::BroughtAlong);
    assert_eq!(files(&opened.prepare().dir), files(&rig.top));
    assert_eq!(files(&outside).len(), 4);
}
