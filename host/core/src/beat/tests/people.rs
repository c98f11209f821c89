//! Beats that ask a person, and what they do with the answer.

use super::sample::*;
use super::stories::Story;
use crate::beat::*;
use crate::decision::RawDecision;
use crate::guard::Freeze;
use crate::ids::BeatNo;
use crate::journal::{Act, Answer, BeatReceipt, Body, Entry, OperatorAct, Settle, Trip, Tripped};
use crate::relpath::RelPath;
use crate::verdict::{Finding, Severity};

use jiff::tz::TimeZone;

const HELD: &str = "escalated: the gates let the change through; it waits for a person as held-1";

fn escalated(blob: &str) -> Result<Measurement, String> {
    Ok(Measurement {
        escalated_paths: vec![RelPath::lexical("auth/x").unwrap()],
        ..measurement(blob)
    })
}

/// A story whose first change waits as `held-1`.
pub(super) fn held() -> Story {
    let mut story = Story::with(|story| story.measured = escalated("new"));
    assert_eq!(
        story.beat(),
        format!("{HELD}; the change touches what a person decides about: auth/x")
    );
    story
}

pub(super) fn answer(story: &mut Story, id: &str, answer: Answer, reason: &str) {
    let act = OperatorAct {
        by: "ann".to_owned(),
        reason: reason.to_owned(),
        act: Act::Answer {
            id: id.to_owned(),
            answer,
        },
    };
    let entry = Entry {
        seq: 1,
        at: story.plan.now.timestamp(),
        body: Body::Operator(act),
    };
    story.plan.state.add(&entry, &TimeZone::UTC);
    story.plan.answers = story.plan.state.answers();
}

#[test]
fn a_change_for_a_person_is_judged_first_and_then_waits() {
    let mut story = held();
    assert_eq!(
        story.log,
        [
            "observe", "decide", "act", "measure", "judge", "hold", "record"
        ]
    );
    let receipt = story.receipt.clone().unwrap();
    assert_eq!(
        (receipt.settle, receipt.progress, receipt.attempt),
        (Settle::Hold, Some(true), None)
    );
    assert!(story.durable);
    story.decision = Ok(go("b"));
    story.measured = Ok(measurement("new"));
    assert_eq!(story.beat(), "proposed: refs/2 (c)", "other items go on");
    assert_eq!(
        story.why_not()[0],
        "a: its change waits for a person as held-1"
    );
}

#[test]
fn what_the_gates_refuse_no_person_is_asked_about() {
    let mut story = Story::with(|story| {
        story.measured = escalated("new");
        story.judged = judged("new", "pass", "fail");
    });
    assert_eq!(story.beat(), "discarded: size: says so");
    assert!(story.plan.state.held.is_empty());
}

#[test]
fn paths_are_named_up_to_five() {
    let escalated_paths = (0..7).map(|n| RelPath::lexical(&format!("auth/{n}")).unwrap());
    let measured = Measurement {
        escalated_paths: escalated_paths.collect(),
        ..measurement("new")
    };
    let mut story = Story::with(|story| story.measured = Ok(measured));
    assert!(
        story
            .beat()
            .ends_with("auth/0, auth/1, auth/2, auth/3, auth/4, 2 more")
    );
}

#[test]
fn an_approved_change_comes_before_everything_else() {
    let mut story = held();
    answer(&mut story, "held-1", Answer::Approve, "");
    assert_eq!(story.beat(), "proposed: refs/2 (c)");
    assert_eq!(
        story.log,
        ["restore", "measure", "judge", "publish", "record"]
    );
    let receipt = story.receipt.clone().unwrap();
    assert_eq!(
        (receipt.held, receipt.attempted, receipt.fingerprint),
        (Some(BeatNo(1)), false, None)
    );
    assert_eq!(receipt.progress, Some(true));
    let state = &story.plan.state;
    assert!(state.held.is_empty() && state.given_up.is_empty());
    assert_eq!(state.proposals.len(), 1, "once");
    story.measured = Ok(measurement("new"));
    assert!(
        story
            .beat()
            .starts_with("failed (decision): item a is not to be worked on: proposed")
    );
    assert_eq!(story.situation.unwrap().answers[0]["answer"], "approve");
}

#[test]
fn an_approved_change_is_judged_anew() {
    let check = |edit: fn(&mut Story), expect: &str, log: &[&str], is_held: bool| {
        let mut story = held();
        answer(&mut story, "held-1", Answer::Approve, "");
        edit(&mut story);
        assert_eq!(story.beat(), expect);
        assert_eq!(story.log, log);
        assert_eq!(
            story.plan.state.held.len(),
            usize::from(is_held),
            "{expect}"
        );
        assert_eq!(
            story.plan.state.given_up.len(),
            usize::from(!is_held),
            "{expect}"
        );
    };
    check(
        |story| story.judged = judged("new", "pass", "fail"),
        "discarded: size: says so",
        &["restore", "measure", "judge", "discard", "record"],
        false,
    );
    check(
        |story| story.restored = Restored::Impossible("a.md does not fit".to_owned()),
        "discarded: held-1 is approved and cannot be taken up: a.md does not fit",
        &["restore", "discard", "record"],
        false,
    );
    check(
        |story| story.measured = Ok(measurement("other")),
        &format!(
            "failed (host): held-1 is change {}, and what was put back is {}",
            change("new").digest(),
            change("other").digest()
        ),
        &["restore", "measure", "discard", "record"],
        true,
    );
    check(
        |story| {
            story.measured = Ok(Measurement {
                scope: vec![outside()],
                ..measurement("new")
            })
        },
        "discarded: scope: outside",
        &["restore", "measure", "discard", "record"],
        false,
    );
    check(
        |story| story.judged = judged("new", "pass", "unreachable"),
        "failed (trap): size: unreachable",
        &["restore", "measure", "judge", "discard", "record"],
        true,
    );
}

#[test]
fn on_another_base_another_change_may_come_out() {
    let mut story = held();
    answer(&mut story, "held-1", Answer::Approve, "");
    story.plan.base.tree = "moved".to_owned();
    let moved = crate::change::ChangeSet {
        base_tree: "moved".to_owned(),
        ..change("new")
    };
    story.judged = match judged("new", "pass", "pass") {
        Event::Judged {
            results, receipts, ..
        } => Event::Judged {
            change: moved.digest(),
            results,
            receipts,
        },
        other => other,
    };
    story.measured = Ok(Measurement {
        change: moved,
        ..escalated("new").unwrap()
    });
    assert_eq!(story.beat(), "proposed: refs/2 (c)");
}

#[test]
fn what_failed_with_a_plugin_waits_for_a_person_anew() {
    let mut story = held();
    answer(&mut story, "held-1", Answer::Approve, "");
    story.judged = judged("new", "pass", "unreachable");
    story.later(60);
    story.beat();
    let [held] = story.plan.state.held.as_slice() else {
        panic!()
    };
    assert!(!held.approved && held.since == story.plan.now.timestamp());
    assert_eq!(
        held.hold.why[1],
        "approved, and then failed (trap): size: unreachable"
    );
    story.later(60);
    story.judged = judged("new", "pass", "pass");
    assert!(!story.beat().starts_with("proposed: refs/2"));
    assert_eq!(story.log[0], "observe");
}

#[test]
fn a_gate_that_breaks_at_an_items_last_attempt_takes_no_approved_change_away() {
    let mut story = held();
    answer(&mut story, "held-1", Answer::Approve, "");
    let once = crate::journal::sample::discarded(1, "a", "no");
    let setup = story.receipt.as_ref().unwrap().setup;
    let entry = Entry {
        seq: 1,
        at: story.plan.now.timestamp(),
        body: Body::Beat(Box::new(BeatReceipt { setup, ..once })),
    };
    story.plan.state.add(&entry, &TimeZone::UTC);
    story.judged = judged("new", "pass", "unreachable");
    assert_eq!(story.beat(), "failed (trap): size: unreachable");
    let state = &story.plan.state;
    assert!(!state.held[0].approved && state.given_up.is_empty());
    assert_eq!(state.items[&item("a")].attempts, 1);
}

#[test]
fn what_the_host_failed_at_is_tried_again_later() {
    let mut story = held();
    answer(&mut story, "held-1", Answer::Approve, "");
    story.measured = Err("no space".to_owned());
    assert_eq!(story.beat(), "failed (host): no space");
    assert_eq!(
        story.beat(),
        "waiting until 2026-11-21T12:01:00Z: backoff: 1 beat failed in a row, the last one at 2026-11-21T12:00:00Z: 60 s between tries"
    );
    assert_eq!(story.log, ["record"]);
    story.later(60);
    story.measured = escalated("new");
    assert_eq!(story.beat(), "proposed: refs/4 (c)");
    assert_eq!(story.plan.state.failures, 0);
}

#[test]
fn approval_does_not_lift_a_budget() {
    let mut story = held();
    answer(&mut story, "held-1", Answer::Approve, "");
    story.plan.limits.beats_per_day = 1;
    assert_eq!(
        story.beat(),
        "waiting until 2026-11-22T00:00:00Z: beats_per_day: 1 of 1 used, free again at 2026-11-22T00:00:00Z",
    );
    assert!(!story.durable && story.plan.state.approved().is_some());
}

#[test]
fn a_loop_that_only_records_goes_on_doing_so_and_keeps_what_is_approved() {
    let near: fn(&mut Story) = |story| {
        for day in story.plan.state.days.values_mut() {
            day.beats = 80;
        }
    };
    let noisy: fn(&mut Story) = |story| {
        let tripped = Tripped {
            at: story.plan.now.timestamp(),
            used: 16,
            limit: 16,
        };
        story.plan.state.evidence.trips.insert(Trip::Noise, tripped);
    };
    let cases = [
        (near, "beats_per_day: 80 of 100 used"),
        (noisy, "noise: 16 of the last moves"),
    ];
    for (only_records, why) in cases {
        let mut story = held();
        answer(&mut story, "held-1", Answer::Approve, "");
        let before = story.plan.state.clone();
        only_records(&mut story);
        story.decision = Ok(go("b"));
        story.measured = Ok(measurement("new"));
        assert_eq!(story.beat(), "shadowed: patches/1", "{why}");
        let notes = &story.receipt.as_ref().unwrap().notes;
        let note = format!("held-1 is approved, and not settled yet: {why}");
        assert!(notes[0].starts_with(&note), "{notes:?}");
        assert!(story.plan.state.approved().is_some());
        story.decision = Ok(noop(0));
        assert_eq!(story.beat(), "nothing-to-do: quiet", "{why}");
        story.plan.state = before;
        assert_eq!(story.beat(), "proposed: refs/2 (c)");
    }
}

#[test]
fn a_rejected_item_stays_away_until_it_is_another() {
    let mut story = held();
    answer(&mut story, "held-1", Answer::Reject, "we\nlike it");
    assert!(story.plan.state.held.is_empty());
    story.decision = Ok(noop(0));
    assert_eq!(
        story.beat(),
        "nothing-to-do: quiet",
        "an answer is a new world"
    );
    assert_eq!(
        story.why_not()[0],
        "a: a person does not want it: we like it"
    );
    assert_eq!(
        story.situation.as_ref().unwrap().answers[0]["reason"],
        "we like it"
    );
    assert_eq!(story.situation.as_ref().unwrap().answers[0]["item"], "a");
    story.world = observed(2, &[("a", "y")]);
    story.beat();
    assert_eq!(story.why_not(), ["a: eligible"], "its labels differ");
    story.world = observed(3, &[("a", "x")]);
    story.plan.loop_file = digest("edited");
    story.beat();
    assert_eq!(story.why_not(), ["a: eligible"], "the setup differs");
}

#[test]
fn a_note_takes_an_approval_back_and_reaches_the_decider() {
    let mut story = held();
    answer(&mut story, "held-1", Answer::Approve, "");
    answer(&mut story, "held-1", Answer::Note, "wait, look at b first");
    story.decision = Ok(noop(0));
    assert_eq!(story.beat(), "nothing-to-do: quiet");
    let answers = &story.situation.as_ref().unwrap().answers;
    assert_eq!(answers[1]["reason"], "wait, look at b first");
    assert_eq!(story.beat(), "skipped");
}

#[test]
fn approving_an_item_gives_it_fresh_attempts() {
    let mut story = Story::with(|story| story.judged = judged("new", "pass", "fail"));
    story.beat();
    story.measured = Ok(measurement(""));
    assert!(
        story
            .beat()
            .starts_with("escalated: item a is left to a person")
    );
    let id = crate::journal::item_id(&item("a"));
    let asked = story.plan.state.items[&item("a")].asked.clone().unwrap();
    assert_eq!((asked.beat, asked.why.len()), (BeatNo(2), 2));
    answer(&mut story, &id, Answer::Approve, "");
    story.measured = Ok(measurement("new"));
    story.judged = judged("new", "pass", "pass");
    assert_eq!(story.beat(), "proposed: refs/3 (c)");
}

#[test]
fn a_repeated_failure_may_be_nobodys_business() {
    let mut story = Story::with(|story| {
        story.plan.escalate_on.repeated_failure = false;
        story.judged = judged("new", "pass", "fail");
    });
    story.beat();
    assert_eq!(story.beat(), "discarded: size: says so");
    assert_eq!(story.plan.state.items[&item("a")].asked, None);
    assert!(
        story
            .beat()
            .starts_with("failed (decision): item a is not to be worked on: left to a person")
    );
}

#[test]
fn doubts() {
    let uncertain = || RawDecision {
        reason: "Uncertain: two places".to_owned(),
        ..go("a")
    };
    let warned = || {
        let Event::Judged {
            change,
            mut results,
            receipts,
        } = judged("new", "pass", "pass")
        else {
            panic!()
        };
        let finding = Finding {
            severity: Severity::Warning,
            ..outside()
        };
        results[1].answer.as_mut().unwrap().findings = vec![finding];
        Event::Judged {
            change,
            results,
            receipts,
        }
    };
    let check = |edit: &dyn Fn(&mut Story), expect: &str| {
        let mut story = Story::with(edit);
        assert_eq!(story.beat(), expect);
    };
    check(
        &|story| story.decision = Ok(uncertain()),
        &format!("{HELD}; the decider is uncertain: Uncertain: two places"),
    );
    check(
        &|story| {
            story.decision = Ok(uncertain());
            story.plan.escalate_on.ambiguity = false;
        },
        "proposed: refs/1 (c)",
    );
    check(&|story| story.judged = warned(), "proposed: refs/1 (c)");
    check(
        &|story| {
            story.judged = warned();
            story.plan.escalate_on.gate_uncertainty = true;
        },
        &format!("{HELD}; gate size passed it with a warning"),
    );
    check(
        &|story| {
            story.judged = judged("new", "pass", "abstain");
            story.plan.escalate_on.gate_uncertainty = true;
        },
        &format!("{HELD}; gate size abstained: says so"),
    );
    check(
        &|story| {
            story.judged = judged("new", "pass", "pass");
            story.plan.escalate_on.gate_uncertainty = true;
        },
        "proposed: refs/1 (c)",
    );
}

#[test]
fn a_label_is_lifted_by_a_person() {
    let mut story = Story::with(|story| {
        story.world = observed(1, &[("a", "security"), ("b", "x")]);
        story.decision = Ok(noop(0));
    });
    story.beat();
    assert_eq!(story.plan.state.labelled[0].what.item, item("a"));
    answer(
        &mut story,
        &crate::journal::item_id(&item("a")),
        Answer::Approve,
        "",
    );
    story.beat();
    assert_eq!(story.why_not(), ["a: eligible", "b: eligible"]);
    assert!(story.plan.state.labelled.is_empty());
}

#[test]
fn a_frozen_loop_looks_at_nothing() {
    let mut story = held();
    answer(&mut story, "held-1", Answer::Approve, "");
    story.plan.freeze = Some(Freeze {
        until: at("2026-11-22T00:00:00Z"),
        why: "holidays".to_owned(),
    });
    assert_eq!(story.beat(), "waiting until 2026-11-22T00:00:00Z: holidays");
    assert_eq!(story.log, ["record"]);
    assert!(!story.durable);
}

#[test]
fn people_are_not_asked_without_end() {
    let mut story = held();
    let held = story.plan.state.held[0].clone();
    story.plan.state.held = vec![held; 50];
    story.decision = Ok(noop(0));
    story.world = observed(2, &[("a", "x"), ("b", "x")]);
    story.beat();
    assert_eq!(
        story.why_not()[1],
        "b: 50 changes wait for a person already"
    );
}
