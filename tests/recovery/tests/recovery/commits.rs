//! A loop that commits to the branch that is checked out, with the user's own work beside it: killed at every step of
//! that and while it is brought to an end, in the midst of git, and at any time.
//!
//! `RINGFENCE_TEST_KILLS` is how many rounds of three kills at any time are played; 8 unless it is set, hundreds for a night.
//!
//! **Invariant:** once a beat has come to its end, branch, index and files are those of the last commit, each item is
//! committed once, and all that the user had staged, edited, stashed or left lying about is as it was.

use std::time::{Duration, Instant};

use ringfence_runner::steps;

use crate::any_time::{Dice, kill_with_children};
use crate::git_calls::{calls, stand_in};
use crate::ground::{Ground, Kind, Project};
use crate::history::{History, committed};
use crate::one_beat::Ended;
use crate::users::Users;

const ROUNDS: u64 = 8;
const KILLS: u64 = 3;

/// Fails unless the beat said this of the one before it.
#[track_caller]
fn assert_says(ended: &Ended, moved: bool, when: &str) {
    ended.assert_settled();
    let expected = format!(
        "beat 1 was cut off {} it had moved refs/heads/main",
        if moved { "after" } else { "before" }
    );
    let said = ended.recovered();
    let of_beats: Vec<_> = said
        .iter()
        .filter(|line| line.starts_with("beat "))
        .collect();
    // Before the intent is written, and after its end, there is nothing to be said.
    assert!(
        of_beats.len() <= 1 && of_beats.iter().all(|line| line.starts_with(&expected)),
        "{when}: {of_beats:?}"
    );
}

/// All is as it should be between two beats.
#[track_caller]
fn assert_clean(users: &Users, project: &Project, when: &str) {
    users.assert_unharmed(project, when);
    assert_eq!(project.leftovers(), [""; 0], "{when}");
    assert!(!project.state().join("commit").exists(), "{when}");
}

/// The steps from which on something is being settled, by their number from 1.
fn settling(ground: &Ground) -> impl Iterator<Item = (usize, &String)> {
    let from = ground.number_of(steps::COMMIT_STAGED, 1);
    (1..).zip(&ground.steps).skip(from - 1)
}

#[test]
fn a_commit_that_is_killed_anywhere_leaves_all_or_nothing() {
    let ground = Ground::new(Kind::Commit);
    let names: Vec<_> = settling(&ground).map(|(_, step)| step.as_str()).collect();
    for step in steps::COMMIT_NAMES {
        let is_way_back = [steps::TREE_FILE_BACK, steps::TREE_BACK].contains(&step);
        assert!(names.contains(&step) || is_way_back, "{step}");
    }
    for (number, step) in settling(&ground) {
        let when = format!("killed at {number} ({step})");
        let project = ground.fresh();
        let users = Users::of(&project);
        project
            .beat()
            .told(format!("kill:{number}"))
            .run()
            .assert_killed_at(step);
        let moved = ground.is_published(number);
        let ended = project.beat().run();
        assert_says(&ended, moved, &when);
        History::assert_settled(&project, &ground.items[..=usize::from(moved)], &when);
        assert_clean(&users, &project, &when);
    }
}

#[test]
fn what_brings_a_commit_to_its_end_can_be_killed_as_well() {
    let ground = Ground::new(Kind::Commit);
    for cut in [
        steps::COMMIT_LOGGED,
        steps::TREE_FILE_PUT,
        steps::TREE_PUT,
        steps::TARGET_MOVED,
        steps::INDEX_REPLACED,
    ] {
        let number = ground.number_of(cut, 1);
        let project = ground.fresh();
        let users = Users::of(&project);
        project
            .beat()
            .told(format!("kill:{number}"))
            .run()
            .assert_killed_at(cut);
        for again in 1.. {
            let killed = project.beat().told(format!("kill:{again}")).run();
            assert_eq!(killed.signal, Some(9), "{cut}, {again}");
            // From here on it is at its own work.
            if killed
                .steps
                .iter()
                .any(|step| step == steps::CHECKOUT_BEGINS)
            {
                break;
            }
        }
        let when = format!("{cut}, and again");
        project.beat().run().assert_settled();
        let moved = usize::from(ground.is_published(number));
        History::assert_settled(&project, &ground.items[..=moved], &when);
        assert_clean(&users, &project, &when);
    }
}

#[test]
fn a_commit_that_is_killed_in_any_call_of_git_leaves_all_or_nothing() {
    let ground = Ground::new(Kind::Commit);
    let calls = calls(&ground);
    let first = calls
        .iter()
        .position(|call| call.contains("\"check-attr\""))
        .unwrap();
    for (number, call) in (1..).zip(&calls).skip(first) {
        let when = format!("killed in call {number}, {call}");
        let project = ground.fresh();
        let users = Users::of(&project);
        let dir = stand_in(&project, &number.to_string());
        let killed = project.beat().with_path(&dir).run();
        assert_eq!(killed.signal, Some(9), "{when}: {}", killed.error);
        project.until_quiet();
        let settled = committed(&project).len();
        project.beat().run().assert_settled();
        History::assert_settled(&project, &ground.items[..=settled], &when);
        assert_clean(&users, &project, &when);
    }
}

#[test]
fn a_commit_that_is_killed_at_any_time_leaves_all_or_nothing() {
    let rounds =
        std::env::var("RINGFENCE_TEST_KILLS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let ground = Ground::new(Kind::Commit);
    let mut dice = Dice(3);
    let began = Instant::now();
    ground.fresh().beat().run().assert_settled();
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap();
    for round in 0..rounds {
        let project = ground.fresh();
        let users = Users::of(&project);
        for _ in 0..KILLS {
            let mut running = project.beat().start();
            // Time is what this test is about: nothing is waited for. Most of a beat is not settling.
            std::thread::sleep(Duration::from_micros(micros / 2 + dice.roll(micros / 2)));
            if dice.roll(2) == 0 {
                kill_with_children(running.child.id());
            } else {
                running.child.kill().unwrap();
            }
            let ended = running.end();
            project.until_quiet();
            project.assert_sound(&format!("round {round}, after {:?}", ended.steps));
        }
        let ended = project.beat().run();
        let when = format!("round {round}, {:?}", ended.recovered());
        let items = History::of(&project).items();
        assert!(
            matches!(ended.outcome(), "committed" | "nothing-to-do" | "skipped"),
            "{when}: {}",
            ended.report()["outcome"]
        );
        History::assert_settled(&project, &ground.items[..items.len()], &when);
        users.assert_unharmed(&project, &when);
        assert!(
            !project.top().join(".git/index.lock").exists()
                && !project.state().join("commit").exists(),
            "{when}"
        );
    }
}

#[test]
fn work_in_the_way_ends_the_beat_and_the_next_one_tries_again() {
    let ground = Ground::new(Kind::Commit);
    let project = ground.fresh();
    let users = Users::of(&project);
    let before = project.git(&["rev-parse", "HEAD"]);
    // What the first repair changes, the user is changing as well.
    let dry = ground.fresh();
    dry.beat().run().assert_settled();
    let path = dry.git(&["diff", "--name-only", "HEAD~1", "HEAD"]);
    let kept = std::fs::read_to_string(project.top().join(&path)).unwrap();
    project.write(&path, &format!("{kept}mine\n"));
    let ended = project.beat().run();
    assert_eq!(ended.outcome(), "failed");
    assert_eq!(ended.report()["outcome"]["class"], "conflict");
    let said = ended.report()["outcome"]["message"].as_str().unwrap();
    assert!(said.contains(&format!("{path} (edited)")), "{said}");
    assert_eq!(
        (
            project.git(&["rev-parse", "HEAD"]),
            History::of(&project).items().len()
        ),
        (before, 0)
    );
    assert!(
        ended.report()["receipt"]["attempt"].is_null(),
        "the item is not to blame"
    );
    project.write(&path, &kept);
    project.beat().days_later(1).run().assert_settled();
    History::assert_settled(&project, &ground.items[..1], "tried again");
    assert_clean(&users, &project, "tried again");
}

#[test]
fn an_edit_after_a_crash_stops_the_loop_until_somebody_has_looked() {
    let ground = Ground::new(Kind::Commit);
    let project = ground.fresh();
    let users = Users::of(&project);
    let number = ground.number_of(steps::TREE_PUT, 1);
    project
        .beat()
        .told(format!("kill:{number}"))
        .run()
        .assert_killed_at(steps::TREE_PUT);
    let status = project.git(&["status", "--porcelain", "-uno"]);
    let path = status
        .lines()
        .find_map(|line| line.strip_prefix(" M "))
        .unwrap()
        .to_owned();
    let there = std::fs::read_to_string(project.top().join(&path)).unwrap();
    project.write(&path, &format!("{there}mine\n"));
    for _ in 0..2 {
        let refused = project.beat().run();
        let said = refused.refusal();
        assert!(said.contains(&format!("{path} (edited)")), "{said}");
        let now = std::fs::read_to_string(project.top().join(&path)).unwrap();
        assert_eq!(now, format!("{there}mine\n"));
    }
    project.git(&["restore", &path]);
    let ended = project.beat().run();
    assert_says(&ended, false, "restored");
    History::assert_settled(&project, &ground.items[..1], "restored");
    assert_clean(&users, &project, "restored");
}
