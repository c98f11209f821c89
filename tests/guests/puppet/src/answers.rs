//! The answers a test can order, one a role.
//!
//! Owns their spelling in the configuration; the SDK's own types have none, because no plugin needs it.
//!
//! **Invariant:** absent fields are empty; unknown ones are an error, so that a test's typing mistake shows.

use ringfence_sdk::{__private::sensor, prelude::*};
use serde::Deserialize;

/// A sensor's answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Observed {
    signal: Value,
    detail: Value,
    items: Vec<ObservedItem>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ObservedItem {
    id: String,
    title: String,
    labels: Vec<String>,
    detail: Value,
}

/// Texts that take the place of JSON in a sensor's answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawObservation {
    signal: Option<String>,
    detail: Option<String>,
    item_detail: Option<String>,
}

/// A decider's answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Decided {
    item: Option<String>,
    executor: String,
    action: String,
    input: Value,
    reason: String,
    next_in: u32,
}

/// An executor's answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Done {
    summary: String,
    detail: Value,
}

/// A gate's answer; `ruling` is `pass`, `fail` or `abstain`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Judged {
    ruling: String,
    findings: Vec<Found>,
    summary: String,
}

/// `severity` is `error`, `warning` or `note`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Found {
    severity: String,
    rule: String,
    message: String,
    locations: Vec<Place>,
    help: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Place {
    path: String,
    line: u32,
    column: u32,
}

impl RawObservation {
    /// Puts the texts where JSON stood.
    pub(crate) fn replace(self, answer: &mut sensor::RawObservation) {
        if let Some(signal) = self.signal {
            answer.signal = signal;
        }
        if let Some(detail) = self.detail {
            answer.detail = detail;
        }
        if let Some(detail) = self.item_detail {
            for item in &mut answer.items {
                item.detail.clone_from(&detail);
            }
        }
    }
}

impl From<Observed> for Observation {
    fn from(answer: Observed) -> Self {
        let item = |item: ObservedItem| Item {
            id: item.id,
            title: item.title,
            labels: item.labels,
            detail: item.detail,
        };
        Self {
            signal: answer.signal,
            detail: answer.detail,
            items: answer.items.into_iter().map(item).collect(),
        }
    }
}

impl From<Decided> for Decision {
    fn from(answer: Decided) -> Self {
        Self {
            item: answer.item,
            executor: answer.executor,
            action: answer.action,
            input: answer.input,
            reason: answer.reason,
            next_in: answer.next_in,
        }
    }
}

impl From<Done> for Outcome {
    fn from(answer: Done) -> Self {
        Self {
            summary: answer.summary,
            detail: answer.detail,
        }
    }
}

impl From<Judged> for Verdict {
    fn from(answer: Judged) -> Self {
        Self {
            ruling: match answer.ruling.as_str() {
                "pass" => Ruling::Pass,
                "abstain" => Ruling::Abstain,
                _ => Ruling::Fail,
            },
            findings: answer.findings.into_iter().map(Into::into).collect(),
            summary: answer.summary,
        }
    }
}

impl From<Found> for Finding {
    fn from(found: Found) -> Self {
        let place = |place: Place| Location {
            path: place.path,
            line: place.line,
            column: place.column,
        };
        Self {
            severity: match found.severity.as_str() {
                "note" => Severity::Note,
                "warning" => Severity::Warning,
                _ => Severity::Error,
            },
            rule: found.rule,
            message: found.message,
            locations: found.locations.into_iter().map(place).collect(),
            help: found.help,
        }
    }
}
