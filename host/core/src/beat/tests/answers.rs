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
