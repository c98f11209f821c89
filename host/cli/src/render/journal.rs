//! A loop's history, a line for each entry.

use ringfence_core::ids::LoopId;
use ringfence_core::journal::{
    Act, Answer, BeatReceipt, Body, DrillRun, Entry, Found, Notice, OperatorAct, Outcome,
    Reservation, Settle,
};
use ringfence_core::quantity::{Fuel, Money};

use super::page::Page;
use super::receipt::{branch, outcome_line, outcome_word};
use super::safe::Safe;
use super::table::Table;
use super::text::{Ink, Text, text};

/// The entries, oldest first.
pub(crate) fn entries(entries: &[Entry]) -> Page {
    let mut table = Table::new(
        0,
        &[
            ("entry", 6),
            ("at", 20),
            ("beat", 5),
            ("fuel ", 6),
            ("what", 80),
        ],
    );
    for entry in entries {
        let (beat, fuel, what) = cells(&entry.body);
        table.row([entry.seq.into(), entry.at.into(), beat, fuel, what]);
    }
    let mut page = Page::new();
    table.put(&mut page);
    page
}

/// One entry of a loop in one line: `2026-01-02T03:04:05Z docs-links beat 4: proposed: …`.
pub(crate) fn news(loop_id: &LoopId, entry: &Entry) -> Text {
    let (beat, _, what) = cells(&entry.body);
    let beat = if beat.is_empty() {
        beat
    } else {
        text![" beat ", beat]
    };
    text![
        text![entry.at].ink(Ink::Faint),
        " ",
        loop_id,
        beat,
        ": ",
        what
    ]
}

/// Beat, fuel, and what it says.
fn cells(body: &Body) -> (Text, Text, Text) {
    match body {
        Body::Beat(receipt) => (receipt.beat.into(), fuel(receipt.fuel), beat(receipt)),
        Body::Intent(intent) => {
            let verb = match intent.settle {
                Settle::Shadow => "about to record ",
                Settle::Propose => "about to propose ",
                Settle::Commit => "about to commit to ",
                Settle::Hold => "about to lay aside ",
            };
            (
                intent.beat.into(),
                Text::new(),
                text![verb, Safe::line(branch(&intent.target))],
            )
        }
        Body::Done(done) => {
            let what = if done.settled.is_some() {
                text!["done"]
            } else {
                text!["not done: nothing was left behind"]
            };
            (done.beat.into(), Text::new(), what)
        }
        Body::Recovered(recovered) => {
            let what = match &recovered.found {
                Found::Settled(_) => "recovered: it was there",
                Found::Nothing => "recovered: nothing was there",
            };
            (
                recovered.beat.into(),
                Text::new(),
                text![
                    text![what].ink(Ink::Warn),
                    "; ",
                    Safe::line(&recovered.note)
                ],
            )
        }
        Body::Operator(act) => (Text::new(), Text::new(), operator(act)),
        Body::Drill(run) => (Text::new(), Text::new(), drill(run)),
        Body::Notice(notice) => (Text::new(), Text::new(), told(notice)),
        Body::Reserve(reservation) => (reservation.beat.into(), Text::new(), reserved(reservation)),
    }
}

pub(crate) fn operator(told: &OperatorAct) -> Text {
    let what = match &told.act {
        Act::Pause { until: None } => text!["paused"],
        Act::Pause { until: Some(until) } => text!["paused until ", *until],
        Act::Resume => text!["resumed"],
        Act::Retire => text!["retired"],
        Act::Promote { to, overrides } if overrides.is_empty() => {
            text!["promoted to ", Safe::line(&to.to_string())]
        }
        Act::Promote { to, overrides } => text![
            text!["promoted to ", Safe::line(&to.to_string()), " against: "].ink(Ink::Warn),
            Safe::line(&overrides.join("; "))
        ],
        Act::Demote { to } => text!["demoted to ", Safe::line(&to.to_string())],
        Act::Answer { id, answer } => {
            let verb = match answer {
                Answer::Approve => "approved ",
                Answer::Reject => "rejected ",
                Answer::Note => "noted on ",
            };
            text![verb, Safe::line(id)]
        }
    };
    let why = if told.reason.is_empty() {
        Text::new()
    } else {
        text![": ", Safe::line(&told.reason)]
    };
    text![what, by(&told.by), why]
}

/// ` by NAME`, where the journal has one.
pub(super) fn by(name: &str) -> Text {
    if name.is_empty() {
        Text::new()
    } else {
        text![" by ", Safe::line(name)]
    }
}

fn drill(run: &DrillRun) -> Text {
    let passed = run.results.iter().filter(|result| result.passed).count();
    let all = run.results.len();
    let ink = if run.passed() { Ink::Good } else { Ink::Bad };
    text![text!["drills: ", passed, " of ", all, " passed"].ink(ink)]
}

fn told(notice: &Notice) -> Text {
    match &notice.error {
        None => text!["people were told: ", Safe::line(&notice.about)],
        Some(error) => text![
            text!["people could not be told"].ink(Ink::Warn),
            " of ",
            Safe::line(&notice.about),
            ": ",
            Safe::line(error)
        ],
    }
}

fn reserved(reservation: &Reservation) -> Text {
    let mut what = text!["began: may cost ", reservation.fuel, " fuel"];
    if reservation.tokens > 0 {
        what = text![what, ", ", reservation.tokens, " tokens"];
    }
    if reservation.money > Money(0) {
        what = text![
            what,
            ", ",
            Safe::line(&reservation.money.to_string()),
            " of money"
        ];
    }
    what.ink(Ink::Faint)
}

fn beat(receipt: &BeatReceipt) -> Text {
    let what = text![
        outcome_word(&receipt.outcome),
        ": ",
        outcome_line(&receipt.outcome)
    ];
    // Why it went no further than that.
    match &receipt.outcome {
        Outcome::Shadowed { .. } if !receipt.notes.is_empty() => {
            text![what, "; ", Safe::line(&receipt.notes.join("; "))]
        }
        _ => what,
    }
}

fn fuel(fuel: Fuel) -> Text {
    if fuel == Fuel(0) {
        Text::new()
    } else {
        fuel.into()
    }
}
