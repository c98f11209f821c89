//! A beat is killed at each of its steps, and so is the one that comes to clear up.

use ringfence_runner::steps;

use crate::ground::{Ground, Kind, Project};
use crate::history::History;
use crate::one_beat::Ended;
use crate::users::Users;

/// Kills a beat at every step, `earlier` beats having run before it; then lets others run in peace.
fn check(kind: Kind, earlier: usize) {
    let ground = Ground::new(kind);
    for (number, step) in (1..).zip(&ground.steps) {
        let when = format!("{kind:?}, killed at {number} ({step}) after {earlier} beats");
        let project = ground.fresh();
        let users = Users::of(&project);
        for _ in 0..earlier {
            project.beat().run().assert_settled();
        }
        project
            .beat()
            .told(format!("kill:{number}"))
            .run()
            .assert_killed_at(step);
        users.assert_unharmed(&project, &when);
        let settled = earlier + usize::from(ground.is_published(number));
        let expected = note_of(&project, settled > earlier);
        let ended = project.beat().run();
        assert_says(&ended, expected.as_deref(), &when);
        History::assert_settled(&project, &ground.items[..=settled], &when);
        if earlier == 0 {
            project.beat().run().assert_settled();
            History::assert_settled(&project, &ground.items[..settled + 2], &when);
        }
        assert_clean(&users, &project, &when);
    }
}

/// What the next beat has to say of the intent that is open now.
fn note_of(project: &Project, is_published: bool) -> Option<String> {
    let history = History::of(project);
    let intent = history.pending()?;
    let (beat, target) = (intent.beat, &intent.target);
    Some(if is_published {
        format!("beat {beat} was cut off after it had published {target}")
    } else {
        format!("beat {beat} was cut off before it had published {target}; nothing is left of it")
    })
}

#[track_caller]
fn assert_says(ended: &Ended, expected: Option<&str>, when: &str) {
    ended.assert_settled();
    let said = ended.recovered();
    let is_death = |line: &String| line.ends_with("did not come to its end");
    assert_eq!(
        said.iter().filter(|line| is_death(line)).count(),
        1,
        "{when}"
    );
    let of_beats: Vec<_> = said
        .iter()
        .filter(|line| line.starts_with("beat "))
        .collect();
    assert_eq!(of_beats, Vec::from_iter(expected), "{when}");
}

/// Nothing of the user's has changed, and nothing was left lying about.
#[track_caller]
fn assert_clean(users: &Users, project: &Project, when: &str) {
    users.assert_unharmed(project, when);
    assert_eq!(project.leftovers(), [""; 0], "{when}");
}

#[test]
fn a_first_beat_that_is_killed_anywhere_leaves_all_or_nothing() {
    check(Kind::Propose, 0);
}

#[test]
fn a_later_beat_that_is_killed_anywhere_leaves_all_or_nothing() {
    check(Kind::Propose, 1);
}

#[test]
fn a_shadowing_beat_that_is_killed_anywhere_leaves_all_or_nothing() {
    check(Kind::Shadow, 0);
}

#[test]
fn a_beat_without_git_that_is_killed_anywhere_leaves_all_or_nothing() {
    check(Kind::Folder, 0);
}

/// Kills a beat at every step, and after it those that come to clear up, at every step of that, forwards or backwards.
fn check_again(kind: Kind) {
    // Five of them when there is an intent to be followed up; then the work begins.
    const FORWARDS: [usize; 5] = [1, 2, 3, 4, 5];
    const BACKWARDS: [usize; 5] = [5, 4, 3, 2, 1];
    let ground = Ground::new(kind);
    for (number, step) in (1..).zip(&ground.steps) {
        let when = format!("{kind:?}, killed at {number} ({step}), and again");
        let project = ground.fresh();
        let users = Users::of(&project);
        project
            .beat()
            .told(format!("kill:{number}"))
            .run()
            .assert_killed_at(step);
        let settled = usize::from(ground.is_published(number));
        for again in if number % 2 == 0 { FORWARDS } else { BACKWARDS } {
            let expected = note_of(&project, settled > 0);
            let killed = project.beat().told(format!("kill:{again}")).run();
            assert_eq!(
                (killed.signal, killed.steps.len()),
                (Some(9), again),
                "{when}"
            );
            let is_over = History::of(&project).pending().is_none();
            let has_written = killed
                .steps
                .iter()
                .any(|step| step == steps::JOURNAL_WRITTEN);
            assert_eq!(expected.is_some() && is_over, has_written, "{when}");
        }
        let expected = note_of(&project, settled > 0);
        assert_says(&project.beat().run(), expected.as_deref(), &when);
        History::assert_settled(&project, &ground.items[..=settled], &when);
        assert_clean(&users, &project, &when);
    }
}

#[test]
fn a_beat_that_clears_up_can_be_killed_as_well() {
    check_again(Kind::Propose);
}

#[test]
fn a_beat_that_clears_up_without_git_can_be_killed_as_well() {
    check_again(Kind::Folder);
}
