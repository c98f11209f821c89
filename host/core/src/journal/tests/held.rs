//! Changes that wait for a person, and what answers make of them.

use super::fold::fold;
use crate::failure::{Failure, FailureClass};
use crate::ids::BeatNo;
use crate::journal::sample::*;
use crate::journal::*;

/// A change of «a» by beat 1 that waits, and what follows.
fn held_and(then: Vec<Body>) -> LoopState {
    let done = |beat, settled: Option<&str>| {
        Body::Done(Done {
            beat: BeatNo(beat),
            settled: settled.map(str::to_owned),
        })
    };
    let before = vec![Body::Intent(holding(1, "a")), done(1, Some(""))];
    fold([before, then].concat())
}

fn answered(id: &str, answer: Answer) -> Body {
    Body::Operator(told(Act::Answer {
        id: id.to_owned(),
        answer,
    }))
}

#[test]
fn a_change_that_waits_does_so_until_it_is_settled() {
    let state = held_and(vec![]);
    let [held] = state.held.as_slice() else {
        panic!("{:?}", state.held)
    };
    assert_eq!((held.id(), held.approved), ("held-1".to_owned(), false));
    assert!(state.proposals.is_empty() && state.shadows.is_empty() && state.approved().is_none());
    let settles = || {
        Body::Intent(Intent {
            held: Some(InHand::Settles(BeatNo(1))),
            ..intent(2, "a", Settle::Propose)
        })
    };
    let ended = |settled: Option<&str>| {
        Body::Done(Done {
            beat: BeatNo(2),
            settled: settled.map(str::to_owned),
        })
    };
    let found = |found| {
        Body::Recovered(Recovered {
            beat: BeatNo(2),
            found,
            note: String::new(),
        })
    };
    let approve = || answered("held-1", Answer::Approve);
    for (what, last, waits) in [
        ("settled", ended(Some("c")), false),
        ("not settled", ended(None), true),
        (
            "cut off afterwards",
            found(Found::Settled("c".to_owned())),
            false,
        ),
        ("cut off before", found(Found::Nothing), true),
    ] {
        // Without the receipt of the beat, which a crash may have taken.
        let state = held_and(vec![approve(), settles(), last]);
        assert_eq!(state.approved().is_some(), waits, "{what}");
        assert_eq!(state.held.len() + state.proposals.len(), 1, "{what}: once");
    }
}

#[test]
fn what_was_laid_aside_in_vain_does_not_wait() {
    let done = Body::Done(Done {
        beat: BeatNo(1),
        settled: None,
    });
    let state = fold(vec![Body::Intent(holding(1, "a")), done]);
    assert!(state.held.is_empty());
}

#[test]
fn of_answers_the_last_counts_and_some_are_kept() {
    let approved = |answers: &[Answer]| {
        let answers = answers.iter().map(|answer| answered("held-1", *answer));
        held_and(answers.collect()).approved().is_some()
    };
    assert!(approved(&[Answer::Note, Answer::Approve]));
    assert!(!approved(&[Answer::Approve, Answer::Note]));
    assert!(!approved(&[
        Answer::Approve,
        Answer::Reject,
        Answer::Approve
    ]));
    let many = held_and(vec![answered("held-1", Answer::Note); ANSWERS_MAX + 5]);
    assert_eq!(many.answers().len(), ANSWERS_MAX);
    assert_eq!(many.orders.answers.len(), ANSWERS_MAX + 5);
}

#[test]
fn a_change_outlasts_the_gate_that_broke_over_it() {
    let failure = |class| Some(Failure::new(class, "size: unreachable"));
    let escalated = Outcome::Escalated {
        why: vec!["item a is left to a person".to_owned()],
        id: item_id(&item("a")),
    };
    for (what, failure, waits, approved) in [
        // So older hosts counted it.
        ("a gate broke", failure(FailureClass::Trap), 1, false),
        ("the disk was full", failure(FailureClass::Host), 1, true),
        ("a gate said no", None, 0, false),
    ] {
        let receipt = BeatReceipt {
            held: Some(BeatNo(1)),
            attempted: false,
            failure,
            ..receipt(2, escalated.clone())
        };
        let approve = answered("held-1", Answer::Approve);
        let state = held_and(vec![approve, Body::Beat(Box::new(receipt))]);
        assert_eq!(state.held.len(), waits, "{what}");
        assert_eq!(state.approved().is_some(), approved, "{what}");
        assert_eq!(state.given_up.len(), 1 - waits, "{what}");
    }
}

/// Two items whose names in the inbox begin with the same eight digits; somebody has looked for them.
const ALIKE: [&str; 2] = ["x-72028", "x-95606"];

#[test]
fn an_answer_means_one_item() {
    let escalated = |beat, on: &str| {
        let outcome = Outcome::Escalated {
            why: vec!["twice".to_owned()],
            id: String::new(),
        };
        Body::Beat(Box::new(BeatReceipt {
            outcome,
            ..discarded(beat, on, "no")
        }))
    };
    let [a, b] = ALIKE.map(|id| item_id(&item(id)));
    let short = a.get(..13).unwrap();
    assert!(a != b && b.starts_with(short));
    let both = || vec![escalated(1, ALIKE[0]), escalated(2, ALIKE[1])];
    let rejected = |before: Vec<Body>, id: &str| {
        let state = fold([before, vec![answered(id, Answer::Reject)]].concat());
        state
            .rejected
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(rejected(both(), &a), [ALIKE[0]]);
    assert_eq!(rejected(both(), &b), [ALIKE[1]]);
    assert_eq!(rejected(both(), short), [""; 0], "it may be either");
    let one = vec![escalated(1, ALIKE[1])];
    assert_eq!(rejected(one, short), [ALIKE[1]], "as older hosts wrote it");
    for id in ["", "item-", &short[..12]] {
        assert_eq!(rejected(vec![escalated(1, ALIKE[1])], id), [""; 0]);
    }
    let called = |id: &str| fold(both()).called(id).len();
    assert_eq!(
        (called(&a), called(short), called("item-"), called("")),
        (1, 2, 2, 0)
    );
    assert_eq!(held_and(both()).called("held-1").len(), 1);
    assert_eq!(held_and(both()).called("held-").len(), 0);
}
