//! A loop's history, a line for each entry.

use ringfence_core::journal::{BeatReceipt, Body, Entry, Found, Settle};
use ringfence_core::quantity::Fuel;

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
        let (beat, fuel, what) = match &entry.body {
            Body::Beat(receipt) => (receipt.beat, fuel(receipt.fuel), beat(receipt)),
            Body::Intent(intent) => {
                let verb = match intent.settle {
                    Settle::Shadow => "about to record ",
                    Settle::Propose => "about to propose ",
                };
                (
                    intent.beat,
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
                (done.beat, Text::new(), what)
            }
            Body::Recovered(recovered) => {
                let what = match &recovered.found {
                    Found::Settled(_) => "recovered: it was there",
                    Found::Nothing => "recovered: nothing was there",
                };
                (
                    recovered.beat,
                    Text::new(),
                    text![
                        text![what].ink(Ink::Warn),
                        "; ",
                        Safe::line(&recovered.note)
                    ],
                )
            }
        };
        table.row([entry.seq.into(), entry.at.into(), beat.into(), fuel, what]);
    }
    let mut page = Page::new();
    table.put(&mut page);
    page
}

fn beat(receipt: &BeatReceipt) -> Text {
    text![
        outcome_word(&receipt.outcome),
        ": ",
        outcome_line(&receipt.outcome)
    ]
}

fn fuel(fuel: Fuel) -> Text {
    if fuel == Fuel(0) {
        Text::new()
    } else {
        fuel.into()
    }
}
