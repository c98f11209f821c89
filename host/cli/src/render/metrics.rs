//! Figures in the text format that Prometheus reads.
//!
//! Owns [`Exposition`], which keeps the format's rules, and what of a loop becomes a figure.
//!
//! **Invariant:** a series appears once, its family is described before it and stands in one piece; the values of labels
//! are ids, words of this program, or the paths of projects, so that nothing a component writes makes a series of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jiff::Timestamp;
use ringfence_core::journal::History;
use ringfence_core::spec::Level;

use super::safe::Safe;
use super::status::{Next, Standing};

// Limit: the longest path that a label carries; a longer one is cut, and says so.
const LABEL_CHARS_MAX: usize = 300;

/// Modes, each a series of its own, so that one of them is 1.
const MODES: [&str; 6] = ["run", "slow", "report-only", "frozen", "paused", "retired"];

/// What kind of figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It only grows, unless its journal is moved away.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// A family: its description and its series, each with its labels as they are written.
#[derive(Debug)]
struct Family {
    kind: Kind,
    help: &'static str,
    series: Vec<(String, String)>,
}

/// All families, by name.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    families: BTreeMap<&'static str, Family>,
    known: BTreeSet<(&'static str, String)>,
}

/// The labels of a series.
type Labels<'a> = &'a [(&'static str, &'a str)];

impl Exposition {
    /// What is the same for every loop.
    pub(crate) fn new(version: &str) -> Self {
        let mut all = Self::default();
        all.gauge(
            "ringfence_build_info",
            "Which program this is; always 1.",
            &[("version", version)],
            1_u8,
        );
        all
    }

    /// The text that is served.
    pub(crate) fn print(&self) -> String {
        let mut out = String::new();
        for (name, family) in &self.families {
            let kind = match family.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
            };
            out += &format!("# HELP {name} {}\n# TYPE {name} {kind}\n", family.help);
            for (labels, value) in &family.series {
                out += &format!("{name}{labels} {value}\n");
            }
        }
        out
    }

    fn counter(&mut self, name: &'static str, help: &'static str, labels: Labels, value: u64) {
        self.add(Kind::Counter, (name, help), labels, value.to_string());
    }

    fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels,
        value: impl std::fmt::Display,
    ) {
        self.add(Kind::Gauge, (name, help), labels, value.to_string());
    }

    /// Adds a series; one that is there already stays as it is.
    fn add(
        &mut self,
        kind: Kind,
        (name, help): (&'static str, &'static str),
        labels: Labels,
        value: String,
    ) {
        let labels = written(labels);
        if !self.known.insert((name, labels.clone())) {
            return;
        }
        let family = self.families.entry(name).or_insert_with(|| Family {
            kind,
            help,
            series: Vec::new(),
        });
        family.series.push((labels, value));
    }
}

/// `{loop="docs",outcome="proposed"}`; nothing where there are no labels.
fn written(labels: Labels) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let mut out = String::from("{");
    for (index, (name, value)) in labels.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let value = escaped(Safe::cut(value, LABEL_CHARS_MAX).as_str());
        // A `String` takes whatever it is given.
        if write!(out, "{comma}{name}=\"{value}\"").is_err() {
            return out;
        }
    }
    out + "}"
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// Seconds since 1970, to the millisecond.
fn seconds(time: Timestamp) -> String {
    let millis = time.as_millisecond();
    format!(
        "{}{}.{:03}",
        if millis < 0 { "-" } else { "" },
        millis.unsigned_abs() / 1_000,
        millis.unsigned_abs() % 1_000
    )
}

/// Six digits behind the point.
fn ratio(used: u64, limit: u64) -> String {
    let millionths = (u128::from(used) * 1_000_000)
        .checked_div(u128::from(limit))
        .unwrap_or(1_000_000);
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

/// Whether a loop file and its journal could be read.
pub(crate) fn readable(all: &mut Exposition, file: &str, is_readable: bool) {
    all.gauge(
        "ringfence_loop_readable",
        "Whether the loop file and its journal can be read: 1 or 0.",
        &[("file", file)],
        u8::from(is_readable),
    );
}

/// Adds the figures of one loop.
pub(crate) fn figures(all: &mut Exposition, found: &Standing, history: &History) {
    let mut one = One {
        all,
        project: &found.project,
        loop_id: found.loop_id.as_str(),
    };
    one.standing(found);
    one.budgets(found);
    one.past(found, history);
    one.steps(history);
}

/// One loop's series, with the labels that all of them have.
struct One<'a> {
    all: &'a mut Exposition,
    project: &'a str,
    loop_id: &'a str,
}

impl<'a> One<'a> {
    fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        more: &[(&'static str, &'a str)],
        value: impl std::fmt::Display,
    ) {
        let labels = self.labels(more);
        self.all.gauge(name, help, &labels, value);
    }

    fn counter(
        &mut self,
        name: &'static str,
        help: &'static str,
        more: &[(&'static str, &'a str)],
        value: u64,
    ) {
        let labels = self.labels(more);
        self.all.counter(name, help, &labels, value);
    }

    fn labels(&self, more: &[(&'static str, &'a str)]) -> Vec<(&'static str, &'a str)> {
        let mut labels = vec![("project", self.project), ("loop", self.loop_id)];
        labels.extend_from_slice(more);
        labels
    }

    fn standing(&mut self, found: &'a Standing) {
        for mode in MODES {
            self.gauge(
                "ringfence_loop_mode",
                "Which mode the loop is in: 1 for that one, 0 for the others.",
                &[("mode", mode)],
                u8::from(mode == found.mode.mode),
            );
        }
        self.gauge(
            "ringfence_loop_level",
            "How far the loop may go by itself: 1 records, 2 proposes, 3 commits.",
            &[],
            level(found.level.now),
        );
        self.gauge(
            "ringfence_waiting_items",
            "What waits for a person.",
            &[],
            found.waiting.len(),
        );
        self.gauge(
            "ringfence_open_proposals",
            "Branches and patches that nobody has dealt with.",
            &[],
            found.proposals.len(),
        );
        self.gauge(
            "ringfence_tried_items",
            "Items with attempts that came to nothing.",
            &[],
            found.items.len(),
        );
        if let Some(at) = next_at(found) {
            self.gauge(
                "ringfence_next_beat_timestamp_seconds",
                "When the next beat is due, or may decide again where that is later.",
                &[],
                seconds(at),
            );
        }
        self.gauge(
            "ringfence_beat_possible",
            "Whether a beat that runs now may decide: 1 or 0.",
            &[],
            u8::from(matches!(found.next, Next::Free | Next::ShadowOnly { .. })),
        );
        if let Some(drills) = &found.drills {
            let passed = drills.void.is_none() && drills.all > 0 && drills.passed == drills.all;
            self.gauge(
                "ringfence_drills_passed",
                "Whether all drills passed, and are worth something still: 1 or 0.",
                &[],
                u8::from(passed),
            );
            self.gauge(
                "ringfence_drills_timestamp_seconds",
                "When drills were run last.",
                &[],
                seconds(drills.at),
            );
        }
    }

    fn budgets(&mut self, found: &'a Standing) {
        for one in &found.budgets {
            let labels = [("budget", one.budget)];
            self.gauge(
                "ringfence_budget_used",
                "What is used of a budget of the day, in the budget's own unit.",
                &labels,
                one.used,
            );
            self.gauge(
                "ringfence_budget_limit",
                "The limit of a budget of the day, in the budget's own unit.",
                &labels,
                one.limit,
            );
            self.gauge(
                "ringfence_budget_used_ratio",
                "What is used of a budget of the day, as a part of its limit.",
                &labels,
                ratio(one.used, one.limit),
            );
        }
    }

    fn past(&mut self, found: &'a Standing, history: &'a History) {
        for (outcome, number) in &history.outcomes {
            self.counter(
                "ringfence_beats_total",
                "Beats, by how they ended.",
                &[("outcome", outcome)],
                *number,
            );
        }
        for (class, number) in &history.failures {
            self.counter(
                "ringfence_beat_failures_total",
                "Beats in which something failed, by what kind of failure.",
                &[("class", class.as_str())],
                *number,
            );
        }
        self.counter(
            "ringfence_fuel_used_total",
            "Fuel that all beats used; about 10^10 are a second of a core.",
            &[],
            history.fuel.0,
        );
        self.counter(
            "ringfence_denials_total",
            "Accesses that steps were refused.",
            &[],
            history.denials,
        );
        if let Some(last) = history.recent.back() {
            self.gauge(
                "ringfence_last_beat_timestamp_seconds",
                "When the last beat ended.",
                &[],
                seconds(last.at),
            );
        }
        let (whole, nothing) = history.recovered;
        for (word, number) in [("settled", whole), ("nothing", nothing)] {
            self.counter(
                "ringfence_recoveries_total",
                "Publications that were cut off, by what was found of them.",
                &[("found", word)],
                number,
            );
        }
        let (told, failed) = history.notices;
        for (word, number) in [("delivered", told), ("failed", failed)] {
            self.counter(
                "ringfence_notices_total",
                "Messages to people, by whether they got there.",
                &[("result", word)],
                number,
            );
        }
        self.counter(
            "ringfence_journal_entries_total",
            "Entries of the journal.",
            &[],
            found.journal.entries,
        );
    }

    fn steps(&mut self, history: &'a History) {
        for ((role, step), figures) in &history.steps {
            let labels = [("role", role.as_str()), ("step", step.as_str())];
            let ran = figures.calls.saturating_sub(figures.remembered);
            for (word, number) in [
                ("answered", ran.saturating_sub(figures.failed)),
                ("remembered", figures.remembered),
                ("failed", figures.failed),
            ] {
                self.counter(
                    "ringfence_step_calls_total",
                    "Calls of steps, by how they ended.",
                    &[labels.as_slice(), &[("result", word)]].concat(),
                    number,
                );
            }
            self.counter(
                "ringfence_step_fuel_used_total",
                "Fuel that a step used.",
                &labels,
                figures.fuel.0,
            );
        }
        for (gate, figures) in &history.gates {
            for (word, number) in [
                ("pass", figures.pass),
                ("fail", figures.fail),
                ("abstain", figures.abstain),
                ("none", figures.broken),
            ] {
                self.counter(
                    "ringfence_verdicts_total",
                    "Verdicts of gates; none stands for a gate that gave none.",
                    &[("gate", gate.as_str()), ("ruling", word)],
                    number,
                );
            }
        }
    }
}

fn level(level: Level) -> u8 {
    match level {
        Level::L1 => 1,
        Level::L2 => 2,
        Level::L3 => 3,
    }
}

fn next_at(found: &Standing) -> Option<Timestamp> {
    let due = found.due.next.at;
    let at = match &found.next {
        Next::Wait { until, .. } => due.max(until.unwrap_or(Timestamp::MAX)),
        Next::Free | Next::ShadowOnly { .. } => due,
        Next::Broken { .. } => return None,
    };
    (at != Timestamp::MAX).then_some(at)
}

#[cfg(test)]
pub(crate) mod checker;
#[cfg(test)]
mod tests;
