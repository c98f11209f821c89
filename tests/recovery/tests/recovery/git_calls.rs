//! A beat is killed in each call of git, and that git lives on: it ends its work when its beat is long gone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use crate::ground::{Ground, Kind, Project};
use crate::history::{History, published};
use crate::users::Users;

/// Puts a stand-in for git beside the project and returns its folder.
pub(crate) fn stand_in(project: &Project, order: &str) -> PathBuf {
    let dir = project.root().join("bin");
    fs::create_dir(&dir).unwrap();
    symlink(env!("CARGO_BIN_EXE_stand-in-git"), dir.join("git")).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let real = std::env::split_paths(&path)
        .map(|dir| dir.join("git"))
        .find(|git| git.is_file());
    fs::write(dir.join("real"), real.unwrap().to_str().unwrap()).unwrap();
    fs::write(dir.join("order"), order).unwrap();
    dir
}

/// Every call of git in a beat that settles, as its arguments.
pub(crate) fn calls(ground: &Ground) -> Vec<String> {
    let project = ground.fresh();
    let dir = stand_in(&project, "0");
    project.beat().with_path(&dir).run().assert_settled();
    let calls = fs::read_to_string(dir.join("calls")).unwrap();
    calls.lines().map(str::to_owned).collect()
}

#[test]
fn a_beat_that_is_killed_in_any_call_of_git_leaves_all_or_nothing() {
    let ground = Ground::new(Kind::Propose);
    for (number, call) in (1..).zip(calls(&ground)) {
        let when = format!("killed in call {number}, {call}");
        let project = ground.fresh();
        let users = Users::of(&project);
        let dir = stand_in(&project, &number.to_string());
        let killed = project.beat().with_path(&dir).run();
        assert_eq!(killed.signal, Some(9), "{when}: {}", killed.error);
        project.until_quiet();
        users.assert_unharmed(&project, &when);
        let settled = published(&project).len();
        project.beat().run().assert_settled();
        History::assert_settled(&project, &ground.items[..=settled], &when);
        users.assert_unharmed(&project, &when);
        assert_eq!(project.leftovers(), [""; 0], "{when}");
    }
}

#[test]
fn a_git_that_outlives_its_beat_keeps_the_next_one_waiting() {
    let ground = Ground::new(Kind::Propose);
    let calls = calls(&ground);
    let number = calls
        .iter()
        .position(|call| call.contains("\"update-ref\""));
    let project = ground.fresh();
    let users = Users::of(&project);
    let dir = stand_in(&project, &format!("{} wait", number.unwrap() + 1));
    let gate = dir.join("gate");
    assert!(
        Command::new("mkfifo")
            .arg(&gate)
            .status()
            .unwrap()
            .success()
    );
    let killed = project.beat().with_path(&dir).start();
    let pid = killed.child.id();
    assert_eq!(killed.end().signal, Some(9));

    let refused = project.beat().run();
    let expected =
        format!("another beat of this loop is running (process {pid}, since 2026-01-05T12:00:00Z)");
    assert_eq!(refused.refusal(), expected);
    assert!(published(&project).is_empty());

    fs::write(gate, "").unwrap();
    project.until_quiet();
    let ended = project.beat().run();
    // What it was fed may have been lost with its beat, so either is right; but not both.
    let settled = History::of(&project).items().len();
    let said = if settled == 2 { "after" } else { "before" };
    let said = format!("beat 1 was cut off {said} it had published refs/heads/ringfence/docs/1");
    assert!(
        ended.recovered().iter().any(|line| line.starts_with(&said)),
        "{:?}",
        ended.recovered()
    );
    History::assert_settled(&project, &ground.items[..settled], "outlived");
    users.assert_unharmed(&project, "outlived");
}
