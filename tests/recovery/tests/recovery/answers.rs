//! A beat that asks a person, or does what they said, is killed at each of its steps.

use ringfence_runner::steps;

use crate::ground::{Ground, Kind, Project};
use crate::history::{History, published};
use crate::users::Users;

/// A project whose every change waits for a person.
fn asking(ground: &Ground) -> Project {
    let project = ground.fresh();
    let loop_file = std::fs::read_to_string(project.top().join("LOOP.md")).unwrap();
    let asking = loop_file.replace("paths = [\"**/LICENSE*\"", "paths = [\"**\"");
    assert_ne!(asking, loop_file);
    project.write("LOOP.md", &asking);
    project
}

fn approve(project: &Project) {
    let ended = project.beat().told("approve:held-1").run();
    assert_eq!(ended.code, Some(0), "{}", ended.error);
}

/// The steps of the first beat, which asks, and of the second, which was told yes.
fn steps_of(ground: &Ground) -> [Vec<String>; 2] {
    let project = asking(ground);
    let asked = project.beat().run();
    assert_eq!(asked.outcome(), "escalated");
    assert_eq!(History::of(&project).held(), ["1"], "held-1 waits");
    approve(&project);
    let told = project.beat().run();
    told.assert_settled();
    History::assert_settled(&project, &ground.items[..1], "undisturbed");
    [asked.steps, told.steps]
}

/// The last call of each step, by its number: where else a beat may be cut off, `kills` has tried.
fn once_each(steps: &[String]) -> impl Iterator<Item = (usize, &String)> {
    let is_last = |number: usize, step: &String| !steps[number..].contains(step);
    (1..)
        .zip(steps)
        .filter(move |(number, step)| is_last(*number, step))
}

#[test]
fn a_beat_that_asks_and_is_killed_anywhere_asks_once() {
    let ground = Ground::new(Kind::Propose);
    let [steps, _] = steps_of(&ground);
    for (number, step) in once_each(&steps) {
        let when = format!("killed at {number} ({step})");
        let project = asking(&ground);
        let users = Users::of(&project);
        project
            .beat()
            .told(format!("kill:{number}"))
            .run()
            .assert_killed_at(step);
        users.assert_unharmed(&project, &when);
        let is_held = steps[..number]
            .iter()
            .any(|step| step == steps::PATCH_WRITTEN);
        assert_eq!(project.beat().run().outcome(), "escalated", "{when}");
        let history = History::of(&project);
        assert_eq!(history.pending(), None, "{when}");
        let items = history.held_items();
        assert_eq!(
            items,
            ground.items[..=usize::from(is_held)],
            "{when}: each item once"
        );
        assert_eq!(published(&project).len(), 0, "{when}");
        users.assert_unharmed(&project, &when);
        assert_eq!(project.leftovers(), [""; 0], "{when}");
    }
}

#[test]
fn an_approved_change_whose_beat_is_killed_anywhere_is_settled_once() {
    let ground = Ground::new(Kind::Propose);
    let [_, steps] = steps_of(&ground);
    for (number, step) in (1..).zip(&steps) {
        let when = format!("killed at {number} ({step})");
        let project = asking(&ground);
        let users = Users::of(&project);
        assert_eq!(project.beat().run().outcome(), "escalated", "{when}");
        approve(&project);
        project
            .beat()
            .told(format!("kill:{number}"))
            .run()
            .assert_killed_at(step);
        users.assert_unharmed(&project, &when);
        let publishing = [steps::REF_CREATED, steps::PATCH_WRITTEN];
        let is_there = steps[..number]
            .iter()
            .any(|step| publishing.contains(&step.as_str()));
        // What was there is found, and the loop goes on to ask about the next item.
        let expect = if is_there { "escalated" } else { "proposed" };
        assert_eq!(project.beat().run().outcome(), expect, "{when}");
        History::assert_settled(&project, &ground.items[..1], &when);
        let waits = History::of(&project).held_items();
        assert_eq!(waits, ground.items[1..1 + usize::from(is_there)], "{when}");
        users.assert_unharmed(&project, &when);
        assert_eq!(project.leftovers(), [""; 0], "{when}");
    }
}
