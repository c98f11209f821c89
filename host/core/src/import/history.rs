//! What the loop has behind it: lines of a run log, attempts of a ledger.
//!
//! **Invariant:** nothing of it becomes a limit by itself; it is told to whoever reviews the new file.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::fact::{Findings, Setting, slug};
use crate::estimate::Spread;
use crate::json::{self, JSON_BYTES_MAX};
use crate::quantity::Millis;
use crate::run_log::RunLine;
use crate::text;

// Limit: lines of one JSON object that was written over several.
const OBJECT_LINES_MAX: usize = 64;
// Limit: half a century of days; what is older says little.
const RUNS_MAX: usize = 20_000;
// Limit: kinds of endings worth a line.
const OUTCOMES_MAX: usize = 20;

/// The runs of one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    /// The file.
    pub file: String,
    /// How many runs were read.
    pub runs: u64,
    /// Entries that could not be read.
    pub unreadable: u64,
    /// When the first of them began, where that is written.
    pub first: Option<Timestamp>,
    /// When the last of them began.
    pub last: Option<Timestamp>,
    /// The median time from run to run; none below three runs.
    pub every: Option<Millis>,
    /// Tokens of a run, where they are written.
    pub tokens: Option<Spread>,
    /// Seconds of a run, where they are written.
    pub seconds: Option<Spread>,
    /// How runs ended, and how many did.
    pub outcomes: BTreeMap<String, u64>,
}

/// One run of whatever file.
#[derive(Debug, Clone, Default)]
struct Run {
    of: String,
    began: Option<Timestamp>,
    tokens: Option<u64>,
    seconds: Option<u64>,
    outcome: String,
}

/// Runs as they were read, not yet those of one loop.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    file: String,
    runs: Vec<Run>,
    unreadable: u64,
}

/// Reads a run log: JSON lines, also within Markdown.
pub(super) fn run_log(source: &str, out: &mut Findings) -> Runs {
    let mut runs = Runs::new(out);
    let mut rows = 0;
    // Some write their entries over several lines.
    let mut open: Option<(usize, usize, String)> = None;
    for (index, line) in source.lines().enumerate() {
        let line = line.trim();
        rows += usize::from(line.starts_with('|'));
        if line.starts_with('{') {
            runs.end(&mut open, out);
            open = Some((index + 1, 1, line.to_owned()));
        } else if let Some((_, lines, object)) = &mut open {
            *lines += 1;
            object.push_str(line);
        }
        let whole = |(_, lines, object): &(usize, usize, String)| {
            *lines >= OBJECT_LINES_MAX || object.ends_with('}') || line.is_empty()
        };
        if open.as_ref().is_some_and(whole) {
            runs.end(&mut open, out);
        }
    }
    runs.end(&mut open, out);
    if rows > 2 {
        out.left(0, "tables", "runs are read as JSON, one object each");
    }
    runs
}

/// Reads a ledger: attempts at one goal, or a list of runs.
pub(super) fn ledger(source: &str, out: &mut Findings) -> Runs {
    let mut runs = Runs::new(out);
    let value = match json::parse(source, JSON_BYTES_MAX) {
        Ok(value) => value,
        Err(error) => {
            out.left(1, "the file", error.to_string());
            return runs;
        }
    };
    match &value {
        Value::Array(entries) => runs.entries(entries, out),
        Value::Object(fields) => {
            for (key, setting) in [("goal", Setting::Goal), ("level", Setting::Level)] {
                if let Some(Value::String(text)) = fields.get(key) {
                    out.fact(setting, &text::one_line(text, 2_000), 1, None);
                }
            }
            if let Some(Value::String(pattern)) = fields.get("pattern") {
                out.fact(Setting::Name, &text::one_line(pattern, 100), 1, None);
            }
            let budget = fields.get("budget").and_then(Value::as_object);
            let limits = [
                ("max_tokens", Setting::TokensPerRun),
                ("max_attempts_per_item", Setting::Attempts),
                ("max_attempts_per_step", Setting::Attempts),
                ("max_attempts", Setting::Attempts),
            ];
            for (key, setting) in limits {
                let found = fields.get(key).or_else(|| budget?.get(key));
                if let Some(number) = found.and_then(Value::as_u64) {
                    out.fact(setting, &number.to_string(), 1, None);
                }
            }
            match fields.get("attempts") {
                Some(Value::Array(entries)) => runs.entries(entries, out),
                Some(Value::Object(items)) => out.left(
                    1,
                    "attempts",
                    format!("{} items: attempts begin anew here", items.len()),
                ),
                _ => {}
            }
        }
        _ => out.left(1, "the file", "it is no ledger"),
    }
    runs
}

impl Runs {
    fn new(out: &Findings) -> Self {
        Self {
            file: out.file.clone(),
            ..Self::default()
        }
    }

    fn end(&mut self, open: &mut Option<(usize, usize, String)>, out: &mut Findings) {
        if let Some((line, _, object)) = open.take() {
            self.line(&object, line, out);
        }
    }

    fn line(&mut self, object: &str, line: usize, out: &mut Findings) {
        match RunLine::read(object) {
            // The format's own example.
            Ok(run) if run.outcome.contains('|') => {}
            Ok(run) => self.push(Run {
                of: slug(&run.pattern),
                began: run.began(),
                tokens: Some(run.tokens_estimate),
                seconds: Some(whole_seconds(run.duration_s)),
                outcome: run.outcome,
            }),
            Err(why) => {
                self.unreadable += 1;
                // One line is enough to see what kind of trouble it is.
                if self.unreadable == 1 {
                    out.left(line, "a run", why);
                }
            }
        }
    }

    fn entries(&mut self, entries: &[Value], out: &mut Findings) {
        for entry in entries {
            let Value::Object(fields) = entry else {
                self.unreadable += 1;
                continue;
            };
            let text = |keys: &[&str]| {
                let found = keys.iter().find_map(|key| fields.get(*key)?.as_str());
                found.map(|text| text::one_line(text, 80))
            };
            let number = |keys: &[&str]| keys.iter().find_map(|key| fields.get(*key)?.as_u64());
            let millis = number(&["duration_ms"]).map(|millis| millis.div_ceil(1_000));
            self.push(Run {
                of: text(&["loop", "pattern"])
                    .map(|name| slug(&name))
                    .unwrap_or_default(),
                began: text(&["timestamp", "started_at", "startedAt", "ts"])
                    .and_then(|time| time.parse().ok()),
                tokens: number(&[
                    "tokensUsed",
                    "tokens_used",
                    "tokensEstimate",
                    "tokens_estimate",
                ]),
                seconds: millis.or_else(|| number(&["duration_s"])),
                outcome: text(&["outcome", "result", "status"])
                    .unwrap_or_else(|| "not said".to_owned()),
            });
        }
        if self.unreadable > 0 {
            out.left(1, "attempts", format!("{} are no objects", self.unreadable));
        }
    }

    fn push(&mut self, run: Run) {
        if self.runs.len() < RUNS_MAX {
            self.runs.push(run);
        } else {
            self.unreadable += 1;
        }
    }

    /// The history of the loop called `of`, or of all where no run names it; none without a run.
    pub(super) fn of(&self, of: &str) -> Option<History> {
        let named = self.runs.iter().any(|run| run.of == of);
        let runs: Vec<&Run> = self
            .runs
            .iter()
            .filter(|run| !named || run.of == of)
            .collect();
        if runs.is_empty() && self.unreadable == 0 {
            return None;
        }
        let mut times: Vec<Timestamp> = runs.iter().filter_map(|run| run.began).collect();
        times.sort_unstable();
        let mut outcomes = BTreeMap::new();
        for run in &runs {
            if outcomes.len() < OUTCOMES_MAX || outcomes.contains_key(&run.outcome) {
                *outcomes.entry(run.outcome.clone()).or_default() += 1;
            }
        }
        Some(History {
            file: self.file.clone(),
            runs: runs.len() as u64,
            unreadable: self.unreadable,
            first: times.first().copied(),
            last: times.last().copied(),
            every: every(&times),
            tokens: Spread::of(runs.iter().filter_map(|run| run.tokens).collect()),
            seconds: Spread::of(runs.iter().filter_map(|run| run.seconds).collect()),
            outcomes,
        })
    }
}

fn every(times: &[Timestamp]) -> Option<Millis> {
    let gaps = times.windows(2).filter_map(|two| match two {
        [first, second] => u64::try_from(second.duration_since(*first).as_millis()).ok(),
        _ => None,
    });
    Spread::of(gaps.collect())
        .filter(|gaps| gaps.count >= 2 && gaps.median > 0)
        .map(|gaps| Millis(gaps.median))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast stops at the ends, and the number is not below zero"
)]
fn whole_seconds(seconds: f64) -> u64 {
    seconds.ceil() as u64
}
