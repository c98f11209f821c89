//! Receipts for tests: one that says as little as possible, to be changed where a test cares.

use crate::decision::{Checked, Move};
use crate::failure::{Failure, FailureClass};
use crate::journal::*;

use jiff::Timestamp;

use crate::digest::Digest;
use crate::ids::{BeatNo, ItemId, StepId};
use crate::quantity::Fuel;
use crate::spec::Level;

pub(crate) fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn item(id: &str) -> ItemId {
    ItemId::new(id).unwrap()
}

pub(crate) fn step(id: &str) -> StepId {
    StepId::new(id).unwrap()
}

pub(crate) fn receipt(beat: u64, outcome: Outcome) -> BeatReceipt {
    let failure = match &outcome {
        Outcome::Failed { class, message } => Some(Failure::new(*class, message)),
        _ => None,
    };
    BeatReceipt {
        beat: BeatNo(beat),
        run: format!("run-{beat}"),
        started: at("2026-11-21T12:00:00Z"),
        settle: Settle::Propose,
        loop_file: digest("loop"),
        setup: digest("setup"),
        contract: "0.1.0".to_owned(),
        base: BaseRef {
            tree: "tree".to_owned(),
            commit: Some("commit".to_owned()),
        },
        fingerprint: Some(digest("world")),
        signals: Vec::new(),
        eligible: Some(digest("items")),
        steps: Vec::new(),
        attempted: true,
        decision: None,
        summary: None,
        change: None,
        scope: Vec::new(),
        verdicts: Vec::new(),
        outcome,
        failure,
        attempt: None,
        progress: None,
        fuel: Fuel(10),
        notes: Vec::new(),
        items_found: None,
        held: None,
        labelled: Vec::new(),
        commands: Vec::new(),
        cost: None,
    }
}

pub(crate) fn failed(beat: u64) -> BeatReceipt {
    receipt(
        beat,
        Outcome::Failed {
            class: FailureClass::Trap,
            message: "trap".to_owned(),
        },
    )
}

pub(crate) fn nothing(beat: u64, next_in: Option<u32>) -> BeatReceipt {
    let decision = Some(Checked::Noop {
        reason: "quiet".to_owned(),
        next_in,
    });
    BeatReceipt {
        decision,
        ..receipt(
            beat,
            Outcome::NothingToDo {
                reason: "quiet".to_owned(),
            },
        )
    }
}

pub(crate) fn moved(beat: u64, on: &str, outcome: Outcome) -> BeatReceipt {
    let mv = Move {
        item: Some(item(on)),
        executor: step("fix"),
        action: "fix".to_owned(),
        input: serde_json::json!({}),
        reason: String::new(),
        next_in: None,
    };
    BeatReceipt {
        decision: Some(Checked::Move(mv)),
        ..receipt(beat, outcome)
    }
}

/// A beat whose move came to nothing for `reason`.
pub(crate) fn discarded(beat: u64, on: &str, reason: &str) -> BeatReceipt {
    let attempt = Some(FailedAttempt {
        item: item(on),
        reason: reason.to_owned(),
        person_needed: false,
        content: None,
    });
    BeatReceipt {
        attempt,
        progress: Some(false),
        ..moved(
            beat,
            on,
            Outcome::Discarded {
                reasons: vec![reason.to_owned()],
            },
        )
    }
}

pub(crate) fn proposed(beat: u64, on: &str) -> BeatReceipt {
    let outcome = Outcome::Proposed {
        reference: format!("refs/heads/ringfence/docs/{beat}"),
        commit: format!("commit-{beat}"),
    };
    BeatReceipt {
        progress: Some(true),
        ..moved(beat, on, outcome)
    }
}

pub(crate) fn entry(seq: u64, when: &str, receipt: BeatReceipt) -> Entry {
    Entry {
        seq,
        at: at(when),
        body: Body::Beat(Box::new(receipt)),
    }
}

pub(crate) fn intent(beat: u64, on: &str, settle: Settle) -> Intent {
    Intent {
        beat: BeatNo(beat),
        settle,
        target: format!("target-{beat}"),
        item: Some(item(on)),
        change: digest("change"),
        base_tree: "tree".to_owned(),
        base_commit: None,
        candidate_tree: "candidate".to_owned(),
        commit: None,
        working_tree: false,
        held: None,
    }
}

/// The intent to lay a change of `on` aside.
pub(crate) fn holding(beat: u64, on: &str) -> Intent {
    let Some(Checked::Move(mv)) = moved(beat, on, Outcome::Skipped).decision else {
        unreachable!("a beat that moved")
    };
    let hold = Hold {
        mv,
        summary: "did it".to_owned(),
        why: vec!["auth".to_owned()],
        content: Some(digest("content")),
        patch: digest("patch"),
    };
    Intent {
        held: Some(InHand::Holds(Box::new(hold))),
        ..intent(beat, on, Settle::Hold)
    }
}

/// One of each kind, in an order in which none hides another but the first pause.
pub(crate) fn acts() -> impl Iterator<Item = OperatorAct> {
    let until = Some(at("2026-11-22T12:00:00Z"));
    let overrides = vec!["no drills".to_owned()];
    let answer = |answer| Act::Answer {
        id: "beat-7".to_owned(),
        answer,
    };
    [
        Act::Pause { until },
        Act::Retire,
        Act::Resume,
        Act::Pause { until: None },
        Act::Retire,
        Act::Promote {
            to: Level::L2,
            overrides,
        },
        answer(Answer::Note),
        answer(Answer::Reject),
        answer(Answer::Approve),
    ]
    .into_iter()
    .map(told)
}

pub(crate) fn told(act: Act) -> OperatorAct {
    OperatorAct {
        by: "ann".to_owned(),
        reason: "because".to_owned(),
        act,
    }
}
