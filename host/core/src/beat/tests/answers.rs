//! For how long an answer holds, and for what.

use super::people::{answer, held};
use super::sample::*;
use super::stories::Story;
use crate::journal::{Answer, item_id};

fn edit(story: &mut Story, text: &str) {
    story.plan.loop_file = digest(text);
}

/// A story of items with these labels, which the decider has no use for; the first beat has seen them.
fn seen(items: &[(&str, &str)]) -> Story {
    let mut story = Story::with(|story| {
        story.world = observed(1, items);
        story.decision = Ok(noop(0));
    });
    story.beat();
    story
}

/// The items of the next beat, each with why it is left alone.
fn next(story: &mut Story) -> Vec<String> {
    // Whatever else is so, an answer is a new world.
    answer(story, "nothing", Answer::Note, "look");
    assert_eq!(story.beat(), "nothing-to-do: quiet");
    story.why_not()
}

const REJECTED: &str = "a: a person does not want it: we like it";
const LABELLED: &str = "a: label \"Security \" leaves it to a person";

#[test]
fn a_rejection_holds_for_the_setup_that_comes_next() {
    let mut story = held();
    story.decision = Ok(noop(0));
    answer(&mut story, "held-1", Answer::Reject, "we like it");
    edit(&mut story, "edited");
    assert_eq!(next(&mut story)[0], REJECTED);
    assert_eq!(next(&mut story)[0], REJECTED);
    edit(&mut story, "edited again");
    assert_eq!(next(&mut story)[0], "a: eligible");
}

#[test]
fn a_label_stays_lifted_for_the_setup_that_comes_next() {
    let mut story = seen(&[("a", "security")]);
    answer(&mut story, &item_id(&item("a")), Answer::Approve, "");
    edit(&mut story, "edited");
    assert_eq!(next(&mut story), ["a: eligible"]);
    assert_eq!(next(&mut story), ["a: eligible"]);
    edit(&mut story, "edited again");
    assert_eq!(next(&mut story), [LABELLED]);
}

#[test]
fn a_rejected_label_is_lifted_by_the_first_approval() {
    let id = item_id(&item("a"));
    for beats_between in 0..2 {
        let mut story = seen(&[("a", "security")]);
        answer(&mut story, &id, Answer::Reject, "we like it");
        for _ in 0..beats_between {
            assert_eq!(next(&mut story), [LABELLED]);
            assert!(
                story.plan.state.labelled.is_empty(),
                "nobody is asked twice"
            );
        }
        answer(&mut story, &id, Answer::Approve, "");
        assert_eq!(next(&mut story), ["a: eligible"], "{beats_between}");
    }
}

#[test]
fn a_note_puts_the_label_back() {
    let id = item_id(&item("a"));
    let mut story = seen(&[("a", "security")]);
    answer(&mut story, &id, Answer::Approve, "");
    assert_eq!(next(&mut story), ["a: eligible"]);
    answer(&mut story, &id, Answer::Note, "wait");
    assert_eq!(next(&mut story), [LABELLED]);
}

#[test]
fn what_was_approved_is_the_item_as_it_was_shown() {
    let id = item_id(&item("a"));
    let mut story = seen(&[("a", "security")]);
    answer(&mut story, &id, Answer::Approve, "");
    let shown = std::mem::replace(&mut story.world, observed(2, &[("a", " SECURITY")]));
    assert_eq!(next(&mut story), [LABELLED]);
    let waits = story.plan.state.unanswered_labels().count();
    assert_eq!(waits, 1, "people are asked about what it is now");
    story.world = shown;
    assert_eq!(next(&mut story), ["a: eligible"]);
    story.world = observed(3, &[("a", "x")]);
    answer(&mut story, &id, Answer::Reject, "");
    story.world = observed(4, &[("a", " SECURITY")]);
    next(&mut story);
    let waits = story.plan.state.unanswered_labels().count();
    assert_eq!(waits, 1, "and a rejection is no word about it either");
}

#[test]
fn what_people_rejected_leaves_room_for_what_they_have_not_seen() {
    let names: Vec<String> = (0..25).map(|n| format!("item-{n:02}")).collect();
    let items: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), "security"))
        .collect();
    let mut story = seen(&items);
    let shown = |story: &Story| -> Vec<_> {
        let all = story.plan.state.unanswered_labels();
        all.map(|one| one.what.item.to_string()).collect()
    };
    assert_eq!(shown(&story), names[..20]);
    for name in &names[..20] {
        answer(&mut story, &item_id(&item(name)), Answer::Reject, "");
    }
    next(&mut story);
    assert_eq!(shown(&story), names[20..]);
}
