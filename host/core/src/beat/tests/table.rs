//! The transition table: every state against every event.

use super::sample::*;
use crate::beat::*;
use crate::evidence::Ended;
use crate::failure::{Failure, FailureClass};
use crate::journal::{Outcome, Settle};

/// One event of every kind, the good answer and the bad one where there are two.
fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("observed", observed(1, &[("a", "x")])),
        ("decided", decided(go("a"))),
        ("decided noop", decided(noop(0))),
        (
            "decided badly",
            Event::Decided {
                answer: Err(trap()),
                receipts: vec![],
            },
        ),
        ("acted", acted(Ok(()))),
        ("acted badly", acted(Err(trap()))),
        ("measured", Event::Measured(Ok(measurement("new")))),
        ("measured badly", Event::Measured(Err("git".to_owned()))),
        ("ran", ran("new", Ended::Exited { code: 1 })),
        ("ran not", ran("new", Ended::NotStarted)),
        ("judged", judged("new", "pass", "pass")),
        ("judged no", judged("new", "pass", "fail")),
        ("published", published()),
        ("published badly", Event::Published(Err("race".to_owned()))),
        ("shadowed", shadowed()),
        ("shadowed badly", Event::Shadowed(Err("disk".to_owned()))),
        ("committed", committed()),
        (
            "committed badly",
            Event::Committed(Err(Failure::new(FailureClass::Conflict, "it moved"))),
        ),
        ("held", held()),
        ("held badly", Event::Held(Err("disk".to_owned()))),
        ("restored", Event::Restored(Ok(Restored::Whole))),
        (
            "restored badly",
            Event::Restored(Ok(Restored::Impossible("no".to_owned()))),
        ),
        ("discarded", Event::Discarded),
        ("recorded", Event::Recorded),
        ("host failed", Event::HostFailed("disk".to_owned())),
        ("interrupted", Event::Interrupted { receipts: vec![] }),
    ]
}

/// Every state, by the shortest way to it.
fn states() -> Vec<(&'static str, BeatState)> {
    let run = |settle, events: Vec<Event>| {
        let start = BeatState::start(BeatPlan { settle, ..plan() }).0;
        events
            .into_iter()
            .fold(start, |state, event| state.next(event).0)
    };
    let way = || {
        vec![
            observed(1, &[("a", "x")]),
            decided(go("a")),
            acted(Ok(())),
            Event::Measured(Ok(measurement("new"))),
            judged("new", "pass", "pass"),
        ]
    };
    let after = |count: usize| run(Settle::Propose, way().into_iter().take(count).collect());
    let holding = || {
        let escalated_paths = vec![crate::relpath::RelPath::lexical("a.md").unwrap()];
        let measured = Measurement {
            escalated_paths,
            ..measurement("new")
        };
        after(3)
            .next(Event::Measured(Ok(measured)))
            .0
            .next(judged("new", "pass", "pass"))
            .0
    };
    let running = way()
        .into_iter()
        .take(4)
        .fold(BeatState::start(with_command()).0, |state, event| {
            state.next(event).0
        });
    vec![
        ("running", running),
        ("sensing", after(0)),
        ("deciding", after(1)),
        ("acting", after(2)),
        ("measuring", after(3)),
        ("judging", after(4)),
        ("proposing", after(5)),
        ("shadowing", run(Settle::Shadow, way())),
        ("committing", run(Settle::Commit, way())),
        ("holding", holding()),
        ("restoring", BeatState::start(approved(plan())).0),
        ("discarding", after(2).next(acted(Err(trap()))).0),
        ("recording", after(1).next(decided(noop(0))).0),
        (
            "done",
            after(1).next(decided(noop(0))).0.next(Event::Recorded).0,
        ),
    ]
}

/// What each state expects, and the effect that follows. Every other event ends the beat as a failure.
const EXPECTED: [(&str, &str, &str); 24] = [
    ("sensing", "observed", "decide"),
    ("deciding", "decided", "act"),
    ("deciding", "decided noop", "record nothing-to-do"),
    ("deciding", "decided badly", "record failed trap"),
    ("acting", "acted", "measure"),
    ("acting", "acted badly", "discard failed trap"),
    ("measuring", "measured", "judge"),
    ("measuring", "measured badly", "discard failed host"),
    ("running", "ran", "judge"),
    ("judging", "judged", "publish"),
    ("judging", "judged no", "discard discarded"),
    ("proposing", "published", "record proposed"),
    ("proposing", "published badly", "discard failed host"),
    ("shadowing", "shadowed", "record shadowed"),
    ("shadowing", "shadowed badly", "discard failed host"),
    ("committing", "committed", "record committed"),
    ("committing", "committed badly", "discard failed conflict"),
    ("holding", "held", "record escalated"),
    ("holding", "held badly", "discard failed host"),
    ("restoring", "restored", "measure"),
    ("restoring", "restored badly", "discard discarded"),
    ("discarding", "discarded", "record failed trap"),
    ("recording", "recorded", "finish nothing-to-do"),
    ("done", "any", "finish nothing-to-do"),
];

fn expected(state: &str, event: &str) -> String {
    let line = EXPECTED
        .iter()
        .find(|(from, on, _)| *from == state && (*on == event || *on == "any"));
    let class = if event == "interrupted" {
        "interrupted"
    } else {
        "host"
    };
    match (line, state) {
        (Some((_, _, effect)), _) => (*effect).to_owned(),
        (None, "sensing" | "deciding" | "discarding") => format!("record failed {class}"),
        (
            None,
            "acting" | "measuring" | "running" | "judging" | "proposing" | "shadowing"
            | "committing" | "holding" | "restoring",
        ) => {
            format!("discard failed {class}")
        }
        (None, _) => format!("finish failed {class}"),
    }
}

/// The effect, and how the beat will have ended where that is settled.
fn found((state, effect): &Step) -> String {
    let outcome = match state {
        BeatState::Discarding(_, outcome)
        | BeatState::Recording(outcome)
        | BeatState::Done(outcome) => outcome,
        _ => return effect_name(effect).to_owned(),
    };
    match outcome {
        Outcome::Failed { class, .. } => format!("{} failed {class}", effect_name(effect)),
        other => format!("{} {}", effect_name(effect), other.kind()),
    }
}

#[test]
fn every_state_against_every_event() {
    for (state_name, state) in states() {
        for (event_name, event) in events() {
            let step = state.clone().next(event);
            assert_eq!(
                found(&step),
                expected(state_name, event_name),
                "{state_name} × {event_name}"
            );
        }
    }
}

#[test]
fn an_unexpected_event_says_what_was_expected() {
    let (state, _) = BeatState::start(plan()).0.next(Event::Discarded);
    let BeatState::Recording(outcome) = state else {
        panic!("{state:?}")
    };
    assert_eq!(
        outcome.to_string(),
        "failed (host): the beat waited for the sensors and was told «discarded»"
    );
}

#[test]
fn what_could_not_be_recorded_is_not_hidden() {
    let (state, _) = BeatState::start(plan())
        .0
        .next(observed(1, &[]))
        .0
        .next(decided(noop(0)))
        .0
        .next(Event::HostFailed("no space".to_owned()));
    assert_eq!(
        state.outcome().unwrap().to_string(),
        "failed (host): no space (not recorded: nothing-to-do: quiet)"
    );
}
