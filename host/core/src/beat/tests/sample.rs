//! A loop with one sensor, one executor and two gates, and what its steps may say.

use std::collections::BTreeSet;

use serde_json::json;

use crate::beat::*;
use crate::call::{Spent, Usage};
use crate::change::{ChangeKind, ChangeSet, FileChange};
use crate::decision::{ActionInfo, CostRule, RawDecision};
use crate::evidence::{CommandReceipt, Confinement, Ended, Side};
use crate::failure::{Failure, FailureClass};
use crate::guard::{BudgetLimits, FuelCap, Pace};
use crate::ids::{BeatNo, LoopId};
pub(super) use crate::journal::sample::{at, digest, item, step};
use crate::journal::sample::{holding, told};
use crate::journal::{
    Act, Answer, BaseRef, Body, Done, Entry, Intent, LoopState, Settle, StepReceipt,
};
use crate::manifest::Role;
use crate::policy::{Access, Denial, Rule};
use crate::quantity::{Bytes, Fuel};
use crate::relpath::RelPath;
use crate::snapshot::{Item, Observation, SensorReading, Snapshot};
use crate::spec::EscalateOn;
use crate::verdict::{Finding, GateResult, Ruling, Severity, Verdict};

pub(super) const FUEL_PER_BEAT: Fuel = Fuel(1_000);

pub(super) fn plan() -> BeatPlan {
    let step_plan = |id: &str| StepPlan {
        id: step(id),
        fuel: FuelCap::AtMost(Fuel(500)),
    };
    BeatPlan {
        loop_id: LoopId::new("docs").unwrap(),
        beat: BeatNo(1),
        run: "run".to_owned(),
        settle: Settle::Propose,
        loop_file: digest("loop"),
        plugins: vec![("sensor/links".to_owned(), digest("plugin"))],
        contract: "0.1.0".to_owned(),
        sensors: vec![step_plan("links")],
        decider: step_plan("first"),
        executors: vec![ExecutorPlan {
            step: step_plan("fix"),
            plugin: "std:md-link-fix".to_owned(),
            actions: vec![ActionInfo {
                name: "fix".to_owned(),
                summary: String::new(),
                input: json!({"type": "object"}),
            }],
        }],
        gates: vec![step_plan("links"), step_plan("size")],
        commands: Vec::new(),
        limits: BudgetLimits {
            fuel_per_beat: FUEL_PER_BEAT,
            fuel_per_day: Fuel(1_000_000),
            beats_per_day: 100,
            proposals_per_day: None,
            tokens: None,
            money: None,
        },
        attempts_per_item: 2,
        escalate_labels: vec!["Security ".to_owned()],
        escalate_on: EscalateOn::default(),
        denials_are_fatal: false,
        state: LoopState::default(),
        now: at("2026-11-21T12:00:00Z").to_zoned(jiff::tz::TimeZone::UTC),
        base: BaseRef {
            tree: "base".to_owned(),
            commit: None,
        },
        open_proposals: BTreeSet::new(),
        answers: Vec::new(),
        freeze: None,
        prose: String::new(),
        pace: Pace::default(),
        cost: CostRule::Undeclared,
        decider_plugin: digest("decider"),
    }
}

/// The receipt of a call that used ten units of fuel.
pub(super) fn call(id: &str, role: Role) -> StepReceipt {
    let usage = Usage {
        fuel: Spent {
            used: Fuel(10),
            limit: Fuel(500),
        },
        memory: Spent {
            used: Bytes(1),
            limit: Bytes(1),
        },
        bytes_read: Bytes(0),
        bytes_written: Bytes(0),
    };
    StepReceipt {
        usage: Some(usage),
        ..StepReceipt::new(step(id), role, digest("p"), digest("g"), digest("c"))
    }
}

pub(super) fn denied(mut receipt: StepReceipt) -> StepReceipt {
    let rule = Rule::NotAllowed {
        layer: "step".to_owned(),
    };
    receipt.denials = vec![Denial {
        path: "secrets/x".to_owned(),
        access: Access::Read,
        rule,
        count: 1,
    }];
    receipt
}

pub(super) fn snapshot(signal: u64, items: &[(&str, &str)]) -> Snapshot {
    let items = items.iter().map(|(id, label)| Item {
        id: item(id),
        title: String::new(),
        labels: vec![(*label).to_owned()],
        detail: json!({}),
    });
    let observation = Observation {
        signal: json!(signal),
        detail: json!(null),
        items: items.collect(),
    };
    Snapshot {
        sensors: vec![SensorReading {
            sensor: step("links"),
            plugin: digest("plugin"),
            result: Ok(observation),
        }],
    }
}

pub(super) fn observed(signal: u64, items: &[(&str, &str)]) -> Event {
    Event::Observed {
        snapshot: snapshot(signal, items),
        receipts: vec![call("links", Role::Sensor)],
    }
}

pub(super) fn decided(raw: RawDecision) -> Event {
    Event::Decided {
        answer: Ok(raw),
        receipts: vec![call("first", Role::Decider)],
    }
}

pub(super) fn go(on: &str) -> RawDecision {
    RawDecision::from_contract(
        on.to_owned(),
        "fix".into(),
        "fix".into(),
        "{}".into(),
        "because".into(),
        0,
    )
}

pub(super) fn noop(next_in: u32) -> RawDecision {
    RawDecision::from_contract(
        String::new(),
        "none".into(),
        String::new(),
        "{}".into(),
        "quiet".into(),
        next_in,
    )
}

pub(super) fn acted(answer: Result<(), Failure>) -> Event {
    Event::Acted {
        answer: answer.map(|()| ActOutcome {
            summary: "did\nit".to_owned(),
        }),
        receipts: vec![call("fix", Role::Executor)],
    }
}

pub(super) fn trap() -> Failure {
    Failure::new(FailureClass::Trap, "unreachable at 0x12")
}

/// A change of one file whose bytes are `blob`; none without.
pub(super) fn change(blob: &str) -> ChangeSet {
    let file = FileChange {
        path: RelPath::lexical("a.md").unwrap(),
        kind: ChangeKind::Modified,
        renamed_from: None,
        old_mode: 0o100_644,
        new_mode: 0o100_644,
        size: 1,
        lines_added: 1,
        lines_removed: 1,
        binary: false,
        old_blob: "old".to_owned(),
        new_blob: blob.to_owned(),
    };
    let files = if blob.is_empty() {
        Vec::new()
    } else {
        vec![file]
    };
    ChangeSet {
        base_tree: "base".to_owned(),
        candidate_tree: format!("base{blob}"),
        files,
        ignored: Vec::new(),
    }
}

pub(super) fn measurement(blob: &str) -> Measurement {
    Measurement {
        change: change(blob),
        scope: Vec::new(),
        escalated_paths: Vec::new(),
    }
}

pub(super) fn outside() -> Finding {
    Finding {
        severity: Severity::Error,
        rule: "outside".to_owned(),
        message: "m".to_owned(),
        locations: Vec::new(),
        help: String::new(),
    }
}

/// The plan of a loop with a command `test`.
pub(super) fn with_command() -> BeatPlan {
    BeatPlan {
        commands: vec![step("test")],
        ..plan()
    }
}

/// The command ran on the change of `blob`, and ended so.
pub(super) fn ran(blob: &str, ended: Ended) -> Event {
    let receipt = CommandReceipt {
        command: step("test"),
        side: Side::After,
        declared: digest("test"),
        tree: change(blob).candidate_tree,
        confinement: Confinement::Full,
        network: false,
        ended,
        ms: 1,
        reports: Vec::new(),
        notes: vec!["why".to_owned()],
    };
    Event::Ran {
        change: change(blob).digest(),
        answer: Ok(vec![receipt]),
    }
}

/// `pass`, `fail`, `abstain`, or the message of a call that failed.
pub(super) fn gate(id: &str, answer: &str) -> GateResult {
    let verdict = |ruling| {
        Ok(Verdict {
            ruling,
            findings: Vec::new(),
            summary: "says so".to_owned(),
        })
    };
    let answer = match answer {
        "pass" => verdict(Ruling::Pass),
        "fail" => verdict(Ruling::Fail),
        "abstain" => verdict(Ruling::Abstain),
        failure => Err(failure.to_owned()),
    };
    GateResult {
        gate: step(id),
        answer,
    }
}

/// The gates of the loop on the change of `blob`.
pub(super) fn judged(blob: &str, links: &str, size: &str) -> Event {
    let results = vec![gate("links", links), gate("size", size)];
    let receipts = results.iter().map(|result| match &result.answer {
        Ok(_) => call(result.gate.as_str(), Role::Gate),
        Err(_) => call(result.gate.as_str(), Role::Gate).failed(trap()),
    });
    Event::Judged {
        change: change(blob).digest(),
        receipts: receipts.collect(),
        results,
    }
}

pub(super) fn published() -> Event {
    Event::Published(Ok(Published {
        reference: "refs/heads/ringfence/docs/1".to_owned(),
        commit: "c".to_owned(),
    }))
}

pub(super) fn committed() -> Event {
    Event::Committed(Ok(Committed {
        reference: "refs/heads/main".to_owned(),
        commit: "c".to_owned(),
        previous: "b".to_owned(),
    }))
}

pub(super) fn shadowed() -> Event {
    Event::Shadowed(Ok(Shadowed {
        patch: "patches/1".to_owned(),
    }))
}

pub(super) fn held() -> Event {
    Event::Held(Ok(Shadowed {
        patch: "held/1.patch".to_owned(),
    }))
}

/// The same plan with a change that a person has approved, which was made for the same tree.
pub(super) fn approved(mut plan: BeatPlan) -> BeatPlan {
    let intent = Intent {
        base_tree: "base".to_owned(),
        change: change("new").digest(),
        ..holding(1, "a")
    };
    let done = Done {
        beat: BeatNo(1),
        settled: Some(String::new()),
    };
    let approve = told(Act::Answer {
        id: "held-1".to_owned(),
        answer: Answer::Approve,
    });
    for body in [
        Body::Intent(intent),
        Body::Done(done),
        Body::Operator(approve),
    ] {
        let at = plan.now.timestamp();
        let entry = Entry { seq: 1, at, body };
        plan.state.add(&entry, &jiff::tz::TimeZone::UTC);
    }
    plan.beat = BeatNo(2);
    plan
}

pub(super) fn effect_name(effect: &Effect) -> &'static str {
    match effect {
        Effect::Observe { .. } => "observe",
        Effect::Decide { .. } => "decide",
        Effect::Act { .. } => "act",
        Effect::Measure => "measure",
        Effect::RunCommands { .. } => "run",
        Effect::Judge { .. } => "judge",
        Effect::Publish(_) => "publish",
        Effect::Shadow(_) => "shadow",
        Effect::Commit(_) => "commit",
        Effect::Hold(_) => "hold",
        Effect::Restore(_) => "restore",
        Effect::Discard => "discard",
        Effect::Record { .. } => "record",
        Effect::Finish(_) => "finish",
    }
}
