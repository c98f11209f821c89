//! What beats did cost.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::Spread;
use crate::digest::Digest;
use crate::journal::{BeatReceipt, Body, Cost, Entry, Outcome};

/// The last beats that are looked at.
// Limit: two weeks at ten minutes; what is older says less of tomorrow.
const BEATS_MAX: usize = 2_000;

/// What the journal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// When the first of the beats ended.
    pub first: Timestamp,
    /// When the last did.
    pub last: Timestamp,
    /// Fuel of a beat, whatever came of it.
    pub fuel: Spread,
    /// Beats that called the decider.
    pub decided: u64,
    /// Beats that proposed a change or committed one.
    pub proposed: u64,
    /// Tokens of a beat that called the decider; none where the loop has no budget for them.
    pub tokens: Option<Spread>,
    /// The same in money, in millionths.
    pub money: Option<Spread>,
    /// Beats whose decider did not say what it cost, so that what it may cost was counted.
    pub unmetered: u64,
    /// The same by how beats ended, most frequent first.
    pub outcomes: Vec<OutcomeSpend>,
    /// Local days between the first day and the last one, without these two.
    pub full_days: u64,
    /// Fuel of such a day, days without a beat included; none when there is no such day.
    pub fuel_of_day: Option<Spread>,
    /// Beats that ran under another setup than the last one.
    pub other_setup: u64,
    /// Beats in which an answer was remembered.
    pub remembered: u64,
}

/// What beats that ended in one way did cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutcomeSpend {
    /// The outcome's name: `skipped`.
    pub outcome: String,
    /// Fuel of a beat.
    pub fuel: Spread,
}

/// Measures the last beats of a history; none when there is none. Days are those of `timezone`.
#[must_use]
pub fn measure(entries: &[Entry], timezone: &TimeZone) -> Option<Measured> {
    let mut beats: Vec<(Timestamp, &BeatReceipt)> = entries
        .iter()
        .rev()
        .filter_map(beat)
        .take(BEATS_MAX)
        .collect();
    beats.reverse();
    let times: BTreeSet<Timestamp> = beats.iter().map(|(at, _)| *at).collect();
    let setup: Option<Digest> = beats.last().map(|(_, receipt)| receipt.setup);
    let days = days(&beats, timezone);
    Some(Measured {
        first: *times.first()?,
        last: *times.last()?,
        fuel: Spread::of(beats.iter().map(|(_, receipt)| receipt.fuel.0).collect())?,
        decided: number(&beats, |receipt| receipt.attempted),
        proposed: number(&beats, |receipt| {
            matches!(
                receipt.outcome,
                Outcome::Proposed { .. } | Outcome::Committed { .. }
            )
        }),
        tokens: costs(&beats, |cost| cost.tokens),
        money: costs(&beats, |cost| cost.money.0),
        unmetered: number(&beats, |receipt| {
            receipt.cost.as_ref().is_some_and(|cost| cost.estimated)
        }),
        outcomes: outcomes(&beats),
        full_days: days.len() as u64,
        fuel_of_day: Spread::of(days),
        other_setup: number(&beats, |receipt| Some(receipt.setup) != setup),
        remembered: number(&beats, |receipt| receipt.steps.iter().any(|step| step.memo)),
    })
}

fn beat(entry: &Entry) -> Option<(Timestamp, &BeatReceipt)> {
    match &entry.body {
        Body::Beat(receipt) => Some((entry.at, receipt)),
        _ => None,
    }
}

fn number(beats: &[(Timestamp, &BeatReceipt)], is: impl Fn(&BeatReceipt) -> bool) -> u64 {
    beats.iter().filter(|(_, receipt)| is(receipt)).count() as u64
}

fn costs(beats: &[(Timestamp, &BeatReceipt)], of: impl Fn(&Cost) -> u64) -> Option<Spread> {
    let costs = beats
        .iter()
        .filter_map(|(_, receipt)| receipt.cost.as_ref());
    Spread::of(costs.map(of).collect())
}

fn outcomes(beats: &[(Timestamp, &BeatReceipt)]) -> Vec<OutcomeSpend> {
    let mut by_kind: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (_, receipt) in beats {
        by_kind
            .entry(receipt.outcome.kind())
            .or_default()
            .push(receipt.fuel.0);
    }
    let spreads = by_kind.into_iter().filter_map(|(kind, fuel)| {
        Some(OutcomeSpend {
            outcome: kind.to_owned(),
            fuel: Spread::of(fuel)?,
        })
    });
    let mut outcomes: Vec<OutcomeSpend> = spreads.collect();
    outcomes.sort_by_key(|one| std::cmp::Reverse(one.fuel.count));
    outcomes
}

/// What the days between the first and the last one cost, which are the ones that were seen whole.
fn days(beats: &[(Timestamp, &BeatReceipt)], timezone: &TimeZone) -> Vec<u64> {
    let mut spent: BTreeMap<Date, u64> = BTreeMap::new();
    for (at, receipt) in beats {
        let day = spent
            .entry(at.to_zoned(timezone.clone()).date())
            .or_default();
        *day = day.saturating_add(receipt.fuel.0);
    }
    let (Some((first, _)), Some((last, _))) = (spent.first_key_value(), spent.last_key_value())
    else {
        return Vec::new();
    };
    let (mut date, last) = (*first, *last);
    let mut days = Vec::new();
    // Limit: a clock that was years wrong once makes no list of all these days.
    while days.len() < BEATS_MAX {
        let Ok(next) = date.tomorrow() else { break };
        if next >= last {
            break;
        }
        days.push(spent.get(&next).copied().unwrap_or(0));
        date = next;
    }
    days
}
