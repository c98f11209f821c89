//! State directories and journals that are damaged, in use, or somebody else's.
//!
//! **Invariant:** what cannot be trusted stays where it is and is not believed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::refused_in;
use crate::rig::{PROGRAM, Rig};
use crate::traces::Before;

#[test]
fn state_directories_that_cannot_be_used() {
    let rig = Rig::small_with_loop();
    rig.write(".git/ringfence-state", "a file");
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r"
    --- stderr
    error: something that is no directory stands where the state directory should
      be: [project]/.git/ringfence-state
    help: move it away; a beat makes the directory where there is none
    --- exit 8
    ");
    fs::remove_file(rig.path(".git/ringfence-state")).unwrap();
    fs::create_dir(rig.home().join("elsewhere")).unwrap();
    rig.link("../home/elsewhere", ".git/ringfence-state");
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r"
    --- stderr
    error: a symbolic link stands where the state directory should be:
      [project]/.git/ringfence-state
    help: move it away; a beat makes the directory where there is none
    --- exit 8
    ");
    assert_eq!(
        fs::read_dir(rig.home().join("elsewhere")).unwrap().count(),
        0
    );
    fs::remove_file(rig.path(".git/ringfence-state")).unwrap();
    assert_eq!(rig.run(&["beat", "--dry-run"]).code, 0);
    for folder in [".git/ringfence-state", ".git/ringfence-state/docs-links"] {
        fs::set_permissions(rig.path(folder), Permissions::from_mode(0o500)).unwrap();
        let shown = refused_in(&rig, &["beat"]);
        let said = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.contains(&format!("[project]/{folder} cannot be written")),
            "{shown}"
        );
        assert!(shown.ends_with("exit 8"), "{shown}");
        fs::set_permissions(rig.path(folder), Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(rig.beat(0)["outcome"]["kind"], "proposed");
}

#[test]
fn two_beats_at_once() {
    let rig = Rig::small_with_loop();
    let report = rig.beat(0);
    assert_eq!(report["receipt"]["beat"], 1);
    let lock = fs::File::options()
        .write(true)
        .open(rig.path(".git/ringfence-state/docs-links/lock"))
        .unwrap();
    lock.lock().unwrap();
    fs::write(
        rig.path(".git/ringfence-state/docs-links/lock"),
        "{\"pid\":4711,\"since\":\"2026-01-02T03:04:05Z\"}",
    )
    .unwrap();
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r"
    --- stderr
    error: another beat of this loop is running (process 4711, since
      [time])
    help: wait until it has ended, or end it
    --- exit 4
    ");
    drop(lock);
    let beats = [(); 3].map(|()| {
        let mut command = rig.hermetic(PROGRAM);
        command.args(["beat", "--format", "json"]);
        command.stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null());
        command.spawn().unwrap()
    });
    for mut beat in beats {
        let code = beat.wait().unwrap().code();
        assert!(matches!(code, Some(0 | 4)), "{code:?}");
    }
    assert_eq!(rig.run(&["journal", "verify"]).code, 0);
}

#[test]
fn a_damaged_journal() {
    let rig = Rig::small_with_loop();
    assert_eq!(rig.run(&["beat"]).code, 0);
    let journal = ".git/ringfence-state/docs-links/journal.jsonl";
    let whole = rig.read(journal);
    rig.edit(journal, "\"kind\":\"done\"", "\"kind\":\"gone\"");
    let damaged = rig.read(journal);
    // Where the third line begins depends on how many digits the times of the first two have.
    let third: usize = whole.split_inclusive('\n').take(2).map(str::len).sum();
    let at = format!("at byte {third}");
    let refused = refused_in(&rig, &["beat"]).replace(&at, "at byte [third line]");
    insta::assert_snapshot!(refused, @"
    --- stderr
    error: the journal
      [project]/.git/ringfence-state/docs-links/journal.jsonl cannot be
      trusted: journal entry 3 at byte [third line]: the line does not match its sum
    help: no beat runs on a history that cannot be trusted: restore the file, or
          move it away, and the `bookmark` beside it, to begin anew
    --- exit 8
    ");
    for args in [
        &["status"][..],
        &["journal", "show"],
        &["journal", "verify"],
    ] {
        assert_eq!(rig.run(args).code, 8, "{args:?}");
    }
    assert_eq!(rig.read(journal), damaged, "kept for whoever looks into it");
    rig.write(journal, &whole.replacen("{\"", "{ \"", 1));
    assert_eq!(rig.run(&["journal", "verify"]).code, 8);
    let lines: Vec<_> = whole.split_inclusive('\n').collect();
    rig.write(journal, &lines[1..].concat());
    insta::assert_snapshot!(rig.run(&["journal", "verify"]).shown(), @"
    --- stderr
    error: [project]/.git/ringfence-state/docs-links/journal.jsonl:
      journal entry 1 at byte 0: seq does not follow from the line before
    help: no beat runs on a history that cannot be trusted: restore the file, or
          move it away, and the `bookmark` beside it, to begin anew
    --- exit 8
    ");
    rig.write(journal, &whole);
    assert_eq!(rig.run(&["journal", "verify"]).code, 0);
}

#[test]
fn a_clone_that_brings_a_state_directory_along() {
    let rig = Rig::small_with_loop();
    // What a beat left in somebody else's clone, and what somebody would like to be found there.
    assert_eq!(rig.run(&["beat"]).code, 0);
    let copy = Rig::folder();
    let ran = copy.home().join("ran").display().to_string();
    let store = ".git/ringfence-state/docs-links/store.git";
    for hook in [
        "post-checkout",
        "post-index-change",
        "reference-transaction",
    ] {
        let hook = format!("{store}/hooks/{hook}");
        rig.write(&hook, &format!("#!/bin/sh\ntouch {ran}\n"));
        fs::set_permissions(rig.path(&hook), Permissions::from_mode(0o755)).unwrap();
    }
    rig.write(
        &format!("{store}/config"),
        &format!("[core]\n\thooksPath = hooks\n\tfsmonitor = touch {ran}\n"),
    );
    rig.write(
        ".git/ringfence-state/docs-links/base/README.md",
        "[planted](nowhere.md)\n",
    );
    copy.git(&["clone", "-q", rig.top().to_str().unwrap(), "."]);
    let from = rig.path(".git/ringfence-state");
    let status = copy
        .hermetic("cp")
        .args(["-r", from.to_str().unwrap(), ".git"])
        .status();
    assert!(status.unwrap().success());
    copy.write("later.md", "See [nothing](nowhere.md).\n");
    copy.commit("later");
    let before = Before::of(&copy);
    let report = copy.beat(0);
    before.assert_untouched();
    assert_eq!(report["outcome"]["kind"], "proposed", "{report:#}");
    assert_eq!(report["receipt"]["change"]["files"][0]["path"], "README.md");
    assert!(!Path::new(&ran).exists());
    let config = copy.read(&format!("{store}/config"));
    assert!(!config.contains("touch"), "{config}");
    let step = &report["receipt"]["steps"][0];
    assert_eq!(
        step["memo"], false,
        "what others remembered is not believed"
    );
}
