//! A commit is killed at each of its steps, and so is what comes to bring it to an end, again and again.
//!
//! Each commit is a process of its own: this test program, told where to end itself.

use std::cell::Cell;
use std::os::unix::process::ExitStatusExt;

use super::*;

const STEP: &str = "RINGFENCE_TEST_COMMIT_STEP";
const TOP: &str = "RINGFENCE_TEST_COMMIT_TOP";
const NONE: usize = usize::MAX;

/// Ends the process at one step, counted from 1, as abruptly as that can be done.
struct KillAt {
    at: usize,
    seen: Cell<usize>,
}

impl Steps for KillAt {
    fn at(&self, _: &'static str) {
        self.seen.set(self.seen.get() + 1);
        if self.seen.get() == self.at {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                .unwrap();
        }
    }
}

/// What the journal would say.
fn intent(rig: &Rig) -> PathBuf {
    rig.loop_dir().path().join("intent")
}

/// Not a test by itself: a commit, or what comes after one that was cut off, in a process of its own.
#[test]
fn a_commit_that_kills_itself() {
    let (Ok(at), Some(top)) = (std::env::var(STEP), std::env::var_os(TOP)) else {
        return;
    };
    let rig = Rig::at(&gits()[0], top.into());
    let steps = KillAt {
        at: at.parse().unwrap(),
        seen: Cell::new(0),
    };
    let opened = rig.open();
    if intent(&rig).exists() {
        come_after(&rig, &opened, &steps).unwrap();
        return;
    }
    let base = opened.prepare();
    work(&base);
    let prepared = ready(&rig, &opened, &base, &NoSteps).unwrap();
    fs::write(
        intent(&rig),
        format!("{} {}", prepared.base_commit, prepared.commit),
    )
    .unwrap();
    carry_out(&opened.ws, BeatNo(7), prepared, &steps).unwrap();
}

fn come_after(
    rig: &Rig,
    opened: &Opened,
    steps: &dyn Steps,
) -> Result<(Option<String>, String), RecoveryError> {
    let text = fs::read_to_string(intent(rig)).unwrap();
    let (base_commit, commit) = text.split_once(' ').unwrap();
    recover(
        &opened.ws,
        Begun {
            beat: BeatNo(7),
            reference: MAIN,
            base_commit,
            commit,
        },
        steps,
    )
}

/// Runs a commit or a recovery that is killed at a step; false when it came to its end before.
fn killed(rig: &Rig, at: usize) -> bool {
    let ended = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "settle::commit::tests::crashes::a_commit_that_kills_itself",
        ])
        .env(STEP, at.to_string())
        .env(TOP, &rig.top)
        .output()
        .unwrap();
    assert!(
        ended.status.success() || ended.status.signal() == Some(9),
        "{}",
        String::from_utf8_lossy(&ended.stdout)
    );
    !ended.status.success()
}

fn fresh() -> (Rig, Users, String) {
    let rig = Rig::repository(&gits()[0]);
    used(&rig);
    rig.loop_dir().adopt(&rig.lock()).unwrap();
    let users = users(&rig);
    let base = rig.git(&["rev-parse", MAIN]);
    (rig, users, base)
}

/// Fails unless all is old or all is new, and the recovery's word is right about it.
#[track_caller]
fn assert_over(rig: &Rig, before: &Users, base: &str, said: &(Option<String>, String)) {
    match &said.0 {
        Some(commit) => assert_committed(rig, commit, before),
        None => {
            assert_eq!(rig.git(&["rev-parse", MAIN]), base, "{}", said.1);
            assert_eq!(&users(rig), before, "{}", said.1);
            assert!(
                rig.top.join("docs/deep/er/x.md").exists()
                    && rig.top.join("lonely/folder/file").exists()
            );
            assert_eq!(leftovers(&rig.top.join(".git")), [""; 0]);
            assert!(!rig.loop_dir().commit().exists());
            rig.assert_sound();
        }
    }
}

#[test]
fn a_commit_that_is_killed_anywhere_is_finished_or_undone() {
    let mut outcomes = [0, 0];
    for at in 1.. {
        let (rig, before, base) = fresh();
        if !killed(&rig, at) {
            break;
        }
        // What comes to clear up is killed at its first step, then at its second, and so on.
        let mut again = 1;
        while killed(&rig, again) {
            again += 1;
        }
        let said = come_after(&rig, &rig.open(), &NoSteps).unwrap();
        assert_over(&rig, &before, &base, &said);
        outcomes[usize::from(said.0.is_some())] += 1;
        // After one that was undone, the next beat does it.
        if said.0.is_none() {
            fs::remove_file(intent(&rig)).unwrap();
            assert!(!killed(&rig, NONE), "{at}");
            assert_committed(&rig, &rig.git(&["rev-parse", MAIN]), &before);
        }
    }
    assert!(outcomes[0] > 10 && outcomes[1] > 3, "{outcomes:?}");
}

/// The number of the step at which a commit has put `count` files in place.
fn after_files(count: usize) -> usize {
    3 + count
}

/// A commit that was cut off with all its files in place and the branch not moved.
fn cut_off() -> (Rig, Users, String) {
    let (rig, before, base) = fresh();
    assert!(killed(&rig, after_files(10)));
    assert_eq!(
        fs::read_to_string(rig.top.join("docs/deep")).unwrap(),
        "a file now\n"
    );
    (rig, before, base)
}

#[test]
fn an_edit_after_the_crash_is_never_overwritten() {
    let edits: [(&str, &str); 4] = [
        ("README.md", "edited"),
        ("docs/deep", "edited"),
        ("link.md/mine", "made anew"),
        ("lonely/folder/file", "made anew"),
    ];
    for (path, why) in edits {
        let (rig, before, base) = cut_off();
        rig.write(path, "mine\n");
        let there = files(&rig.top);
        let error = come_after(&rig, &rig.open(), &NoSteps).unwrap_err();
        assert!(
            matches!(&error, RecoveryError::Edited { paths, .. } if paths.contains(why)),
            "{path}: {error}"
        );
        assert_eq!(files(&rig.top), there, "{path}: something was touched");
        assert_eq!(
            leftovers(&rig.top.join(".git")),
            [""; 0],
            "{path}: the user cannot work"
        );
        // The same again until somebody has looked.
        come_after(&rig, &rig.open(), &NoSteps).unwrap_err();
        assert_eq!(files(&rig.top), there);
        if path == "README.md" {
            rig.git(&["restore", "README.md"]);
        } else {
            fs::remove_file(rig.top.join(path)).unwrap();
            if path == "docs/deep" {
                rig.write(path, "a file now\n");
            }
        }
        let said = come_after(&rig, &rig.open(), &NoSteps).unwrap();
        assert_over(&rig, &before, &base, &said);
        assert_eq!(said.0, None);
    }
}

#[test]
fn what_was_staged_after_the_crash_is_the_users() {
    let (rig, _, base) = cut_off();
    // As git says when it finds a lock.
    fs::remove_file(rig.top.join(".git/index.lock")).unwrap();
    rig.write("README.md", "mine\n");
    rig.git(&["add", "README.md"]);
    let said = come_after(&rig, &rig.open(), &NoSteps).unwrap();
    assert_eq!((said.0, rig.git(&["rev-parse", MAIN])), (None, base));
    assert_eq!(
        fs::read_to_string(rig.top.join("README.md")).unwrap(),
        "mine\n"
    );
    assert!(rig.git(&["status", "--porcelain"]).contains("M  README.md"));
    assert!(rig.top.join("docs/deep/er/x.md").exists() && !rig.top.join("new").exists());
}

#[test]
fn a_lock_of_somebody_elses_is_waited_for() {
    let (rig, before, base) = cut_off();
    rig.write(".git/index.lock", "");
    let error = come_after(&rig, &rig.open(), &NoSteps).unwrap_err();
    assert!(matches!(error, RecoveryError::IndexLocked(_)), "{error}");
    fs::remove_file(rig.top.join(".git/index.lock")).unwrap();
    let said = come_after(&rig, &rig.open(), &NoSteps).unwrap();
    assert_over(&rig, &before, &base, &said);
}

#[test]
fn a_branch_that_was_pushed_to_after_the_crash_stays_where_it_is() {
    let (rig, before, _) = cut_off();
    let tree = rig.git(&["rev-parse", "HEAD^{tree}"]);
    let pushed = rig.git(&["commit-tree", "-p", "HEAD", "-m", "pushed", &tree]);
    rig.git(&["update-ref", MAIN, &pushed]);
    let said = come_after(&rig, &rig.open(), &NoSteps).unwrap();
    assert_over(&rig, &before, &pushed, &said);
}

#[test]
fn stale_locks_of_a_git_that_was_killed_are_removed() {
    let (rig, before, base) = cut_off();
    for lock in [".git/refs/heads/main.lock", ".git/HEAD.lock"] {
        rig.write(lock, "");
    }
    let said = come_after(&rig, &rig.open(), &NoSteps).unwrap();
    assert_over(&rig, &before, &base, &said);
    assert!(!rig.top.join(".git/refs/heads/main.lock").exists());
    // One that names another commit is somebody else's.
    let (rig, _, base) = cut_off();
    rig.write(".git/refs/heads/main.lock", format!("{base}\n"));
    come_after(&rig, &rig.open(), &NoSteps).unwrap();
    assert!(rig.top.join(".git/refs/heads/main.lock").exists());
}

#[test]
fn a_log_that_was_brought_along_moves_nothing() {
    let (rig, _, _) = cut_off();
    let there = files(&rig.top);
    fs::write(rig.loop_dir().path().join("identity"), "of another folder").unwrap();
    let said = come_after(&rig, &rig.open(), &NoSteps).unwrap();
    assert_eq!((said.0, files(&rig.top)), (None, there));
    assert!(!rig.loop_dir().commit().exists());
}
