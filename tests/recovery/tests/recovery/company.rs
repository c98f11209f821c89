//! A beat is not alone: another one wants to begin, a dead one has left its lock, and the user goes on working.

use std::fs;

use ringfence_runner::steps;

use crate::ground::{Ground, Kind, Project};
use crate::history::{History, published};
use crate::one_beat::{OneBeat, Running};
use crate::users::Users;

/// Starts a beat and waits until it stands at the `nth` call of a step.
fn paused(ground: &Ground, project: &Project, step: &str, nth: usize) -> Running {
    let number = ground.number_of(step, nth);
    let mut running = project.beat().told(format!("pause:{number}")).start();
    running.until_paused();
    running
}

#[test]
fn a_second_beat_is_refused_at_once_and_the_first_is_unharmed() {
    let ground = Ground::new(Kind::Propose);
    for step in [
        steps::LEFTOVERS_REMOVED,
        steps::CHANGE_MEASURED,
        steps::REF_CREATED,
    ] {
        let project = ground.fresh();
        let users = Users::of(&project);
        let mut first = paused(&ground, &project, step, 1);
        let second = project.beat().run();
        let expected = format!(
            "another beat of this loop is running (process {}, since 2026-01-05T12:00:00Z)",
            first.child.id()
        );
        assert_eq!(second.refusal(), expected);
        first.go_on();
        first.end().assert_settled();
        History::assert_settled(&project, &ground.items[..1], step);
        users.assert_unharmed(&project, step);
    }
}

#[test]
fn the_lock_of_a_dead_process_is_taken_over() {
    let ground = Ground::new(Kind::Propose);
    let project = ground.fresh();
    project.beat().run().assert_settled();
    for (note, said) in [
        (
            "{\"pid\":1,\"since\":\"2026-01-01T00:00:00Z\"}",
            &["an earlier beat (process 1, since 2026-01-01T00:00:00Z) did not come to its end"][..],
        ),
        ("", &[]),
        ("no note", &[]),
    ] {
        fs::write(project.state().join("lock"), note).unwrap();
        let ended = project.beat().run();
        ended.assert_settled();
        assert_eq!(ended.recovered(), said);
    }
    History::assert_settled(&project, &ground.items[..4], "stale locks");
    assert_eq!(fs::read(project.state().join("lock")).unwrap(), b"");
}

#[test]
fn a_proposal_begins_from_its_base_even_when_the_user_has_gone_on() {
    let ground = Ground::new(Kind::Propose);
    for step in [
        steps::CHANGE_MEASURED,
        steps::OBJECTS_IMPORTED,
        steps::COMMIT_VERIFIED,
    ] {
        for (what, args) in [
            ("commit", &["commit", "-q", "-m", "meanwhile"][..]),
            ("switch", &["switch", "-q", "-c", "elsewhere"]),
            ("pack", &["pack-refs", "--all"]),
        ] {
            let when = format!("{what} at {step}");
            let project = ground.fresh();
            let base = project.git(&["rev-parse", "HEAD"]);
            let mut running = paused(&ground, &project, step, 1);
            project.git(args);
            let users = Users::of(&project);
            running.go_on();
            running.end().assert_settled();
            let parent = project.git(&["rev-parse", "refs/heads/ringfence/docs/1^"]);
            assert_eq!(parent, base, "{when}");
            History::assert_settled(&project, &ground.items[..1], &when);
            users.assert_unharmed(&project, &when);
            project.beat().run().assert_settled();
            History::assert_settled(&project, &ground.items[..2], &when);
        }
    }
}

#[test]
fn a_commit_that_the_users_gc_takes_away_is_not_proposed() {
    let ground = Ground::new(Kind::Propose);
    for step in [steps::OBJECTS_IMPORTED, steps::COMMIT_VERIFIED] {
        let project = ground.fresh();
        let mut running = paused(&ground, &project, step, 1);
        project.git(&["gc", "-q", "--prune=now"]);
        let users = Users::of(&project);
        running.go_on();
        let ended = running.end();
        assert_eq!(ended.outcome(), "failed", "{step}");
        users.assert_unharmed(&project, step);
        assert!(published(&project).is_empty(), "{step}");
        project.beat().days_later(1).run().assert_settled();
        History::assert_settled(&project, &ground.items[..1], step);
        users.assert_unharmed(&project, step);
    }
}

#[test]
fn between_beats_a_repository_is_its_users() {
    let ground = Ground::new(Kind::Propose);
    let project = ground.fresh();
    let acts = [
        &["commit", "-q", "-m", "more"][..],
        &["switch", "-q", "-c", "elsewhere"],
        &["gc", "-q", "--prune=now"],
    ];
    for (beats, args) in (1..).zip(acts) {
        project.beat().run().assert_settled();
        project.git(args);
        let users = Users::of(&project);
        History::assert_settled(&project, &ground.items[..beats], args[0]);
        users.assert_unharmed(&project, args[0]);
    }
    project.beat().run().assert_settled();
    History::assert_settled(&project, &ground.items[..4], "gc");
}

#[test]
fn what_the_user_deleted_is_not_proposed_again() {
    let ground = Ground::new(Kind::Propose);
    let project = ground.fresh();
    project.beat().run().assert_settled();
    project.git(&["branch", "-q", "-D", "ringfence/docs/1"]);
    project.beat().run().assert_settled();
    assert_eq!(History::of(&project).items(), ground.items[..2]);
    let left: Vec<_> = published(&project).into_iter().collect();
    assert_eq!(left, ["refs/heads/ringfence/docs/2"]);
}

#[test]
fn a_loop_without_its_state_directory_makes_new_branches_and_spares_the_old() {
    let ground = Ground::new(Kind::Propose);
    let project = ground.fresh();
    project.beat().run().assert_settled();
    project.beat().run().assert_settled();
    let before = project.git(&["for-each-ref", "refs/heads/ringfence"]);
    // As somebody does who wants to begin anew.
    fs::remove_dir_all(project.top().join(".git/ringfence-state")).unwrap();
    project.commit("meanwhile");
    for _ in 0..2 {
        project.beat().run().assert_settled();
    }
    let after = project.git(&["for-each-ref", "refs/heads/ringfence"]);
    assert!(after.starts_with(&before), "{after}");
    assert_eq!(after.lines().count(), 4);
    assert_eq!(History::of(&project).items(), ground.items[..2]);
}

#[test]
fn two_working_trees_of_a_repository_share_its_branches() {
    let ground = Ground::new(Kind::Propose);
    let project = ground.fresh();
    for _ in 0..2 {
        project.beat().run().assert_settled();
        let other = OneBeat::of(&project.root().join("worktree")).run();
        other.assert_settled();
        assert_eq!(other.recovered(), [""; 0]);
    }
    let names = published(&project).into_iter();
    let numbers: Vec<_> = names
        .filter_map(|name| Some(name.rsplit_once('/')?.1.to_owned()))
        .collect();
    assert_eq!(numbers, ["1", "2", "3", "4"]);
    assert_eq!(History::of(&project).items(), ground.items[..2]);
    project.assert_sound("two working trees");
}

#[test]
fn the_users_own_locks_are_neither_in_the_way_nor_removed() {
    let ground = Ground::new(Kind::Propose);
    let project = ground.fresh();
    for name in ["index", "HEAD", "refs/heads/main", "packed-refs", "config"] {
        project.write(&format!(".git/{name}.lock"), "");
    }
    let users = Users::of(&project);
    let number = ground.number_of(steps::REF_CREATED, 1);
    let killed = project.beat().told(format!("kill:{number}")).run();
    killed.assert_killed_at(steps::REF_CREATED);
    project.beat().run().assert_settled();
    History::assert_settled(&project, &ground.items[..2], "locks");
    users.assert_unharmed(&project, "locks");
}

#[test]
fn a_branch_in_the_way_is_named_and_costs_one_beat() {
    let ground = Ground::new(Kind::Propose);
    let project = ground.fresh();
    project.git(&["branch", "ringfence"]);
    let users = Users::of(&project);
    let ended = project.beat().run();
    assert_eq!(
        ended.report()["outcome"]["message"],
        "a branch named refs/heads/ringfence is in the way of refs/heads/ringfence/docs/1"
    );
    users.assert_unharmed(&project, "in the way");
    project.git(&["branch", "-q", "-m", "ringfence", "mine"]);
    let ended = project.beat().days_later(1).run();
    ended.assert_settled();
    assert_eq!(ended.recovered(), [""; 0], "nothing was cut off");
    assert_eq!(History::of(&project).items(), ground.items[..1]);
}

#[test]
fn a_proposal_that_was_cut_off_and_then_changed_by_the_user_is_theirs() {
    let ground = Ground::new(Kind::Propose);
    let project = ground.fresh();
    let number = ground.number_of(steps::REF_CREATED, 1);
    project
        .beat()
        .told(format!("kill:{number}"))
        .run()
        .assert_killed_at(steps::REF_CREATED);
    let name = "refs/heads/ringfence/docs/1";
    let commit = project.git(&[
        "commit-tree",
        "-p",
        name,
        "-m",
        "mine",
        &format!("{name}^{{tree}}"),
    ]);
    project.git(&["update-ref", name, &commit]);
    let expected = format!(
        "an earlier beat was cut off, and what came of it is unclear: {name} is there, and is not what this loop was about to publish"
    );
    assert_eq!(project.beat().run().refusal(), expected);
    assert_eq!(project.git(&["rev-parse", name]), commit);
    project.git(&["branch", "-q", "-m", "ringfence/docs/1", "mine"]);
    project.beat().run().assert_settled();
    assert_eq!(History::of(&project).items(), ground.items[..1]);
}

#[test]
fn two_processes_spend_no_more_than_one_would() {
    let ground = Ground::new(Kind::Propose);
    let project = ground.fresh();
    let text = fs::read_to_string(project.top().join("LOOP.md")).unwrap();
    let few = text.replace("beats_per_day     = 200", "beats_per_day     = 3");
    assert_ne!(few, text);
    project.write("LOOP.md", &few);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..4 {
                    // Refused while the other one runs, and that is an answer.
                    let _ended = project.beat().run();
                }
            });
        }
    });
    let last = loop {
        let ended = project.beat().run();
        if ended.outcome() == "waiting" {
            break ended;
        }
    };
    let why = last.report()["outcome"]["why"].as_str().unwrap().to_owned();
    assert!(why.starts_with("beats_per_day: 3 of 3 used"), "{why}");
    assert_eq!(History::of(&project).spent().beats, 3);
}

#[test]
fn a_killed_beat_has_spent_what_it_reserved() {
    let ground = Ground::new(Kind::Propose);
    let project = ground.fresh();
    let number = ground.number_of(steps::CHANGE_MEASURED, 1);
    for killed in 1..=2 {
        let ended = project.beat().told(format!("kill:{number}")).run();
        ended.assert_killed_at(steps::CHANGE_MEASURED);
        let spent = History::of(&project).spent();
        assert_eq!(
            (spent.beats, spent.fuel.0),
            (killed, killed * 50_000_000_000)
        );
    }
    project.beat().run().assert_settled();
    let spent = History::of(&project).spent();
    assert_eq!(spent.beats, 3);
    assert!(spent.fuel.0 > 100_000_000_000, "what was killed is spent");
    assert!(
        spent.fuel.0 < 150_000_000_000,
        "what has ended cost what it used"
    );
}
