//! What a history holds for people to look at: how beats ended, what they cost and what gates said, by day and in all.
//!
//! No guard looks at any of this; what they look at is `LoopState`.
//!
//! **Invariant:** its size does not grow with the number of entries but for one record a day; whatever is left out is
//! counted.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::failure::FailureClass;
use crate::ids::{BeatNo, ItemId, StepId};
use crate::journal::{BeatReceipt, Body, Entry, Found, OperatorAct, Outcome, Settle, StepReceipt};
use crate::manifest::Role;
use crate::quantity::Fuel;
use crate::text;
use crate::verdict::{Finding, GateResult, Ruling, SCOPE, Severity};

// Limit: a long table; `journal show` has all of them.
const RECENT_MAX: usize = 50;
// Limit: the rules that one gate has; more of them are made up, and counted together.
const RULES_MAX: usize = 50;
// Limit: steps that ever were in the loop file; ids come from people, who do not write as many.
const STEPS_MAX: usize = 1_000;
// Limit: what an operator said of late; the journal has all of it.
const ACTS_MAX: usize = 200;
// Limit: a kebab-case code and one sentence.
const RULE_CHARS_MAX: usize = 80;
const MESSAGE_CHARS_MAX: usize = 300;

/// What a loop's past looks like.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// Entries by kind.
    pub entries: BTreeMap<&'static str, u64>,
    /// Beats by how they ended.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Beats that failed, also where a person has to look, by class.
    pub failures: BTreeMap<FailureClass, u64>,
    /// All fuel spent.
    pub fuel: Fuel,
    /// The same and more by local day.
    pub days: BTreeMap<Date, DayFigures>,
    /// The last beats, oldest first.
    pub recent: VecDeque<PastBeat>,
    /// Gates, and what they said.
    pub gates: BTreeMap<StepId, GateFigures>,
    /// Findings by gate and rule; those of the host's own check stand under `scope`.
    pub findings: BTreeMap<(String, String), FindingFigures>,
    /// Findings of rules beyond those.
    pub findings_more: u64,
    /// Steps, and what they used.
    pub steps: BTreeMap<(Role, StepId), StepFigures>,
    /// Refused accesses.
    pub denials: u64,
    /// The last acts of the operator, oldest first.
    pub acts: VecDeque<PastAct>,
    /// Acts before those.
    pub acts_more: u64,
    /// Beats from which on accepted changes went another way, oldest first.
    pub settles: VecDeque<PastSettle>,
    /// Publications that were cut off and found whole, and those that were found to be nothing.
    pub recovered: (u64, u64),
    /// Messages to people that were delivered, and those that were not.
    pub notices: (u64, u64),
}

/// One day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayFigures {
    /// Beats by how they ended.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Fuel of all of them.
    pub fuel: Fuel,
}

/// One beat in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastBeat {
    /// Its number.
    pub beat: BeatNo,
    /// When it ended.
    pub at: Timestamp,
    /// What it cost.
    pub fuel: Fuel,
    /// What it was about.
    pub item: Option<ItemId>,
    /// How it ended.
    pub outcome: Outcome,
}

/// What one gate said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GateFigures {
    /// How often it let a change through.
    pub pass: u64,
    /// How often it refused one.
    pub fail: u64,
    /// How often it had nothing to say.
    pub abstain: u64,
    /// How often it gave no verdict.
    pub broken: u64,
    /// The last beat that it was asked in.
    pub last: Option<BeatNo>,
}

/// What one rule of one gate found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingFigures {
    /// How often.
    pub times: u64,
    /// How bad, at worst.
    pub severity: Severity,
    /// The last beat that had it.
    pub last: BeatNo,
    /// What it said then: escape before showing.
    pub message: String,
}

/// What one step used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepFigures {
    /// Calls, remembered answers included.
    pub calls: u64,
    /// Answers that were remembered.
    pub remembered: u64,
    /// Calls without an answer.
    pub failed: u64,
    /// Fuel of all calls.
    pub fuel: Fuel,
}

/// Something the operator did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAct {
    /// When.
    pub at: Timestamp,
    /// What.
    pub act: OperatorAct,
}

/// A beat from which on accepted changes went another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastSettle {
    /// When it ended.
    pub at: Timestamp,
    /// Its number.
    pub beat: BeatNo,
    /// Which way.
    pub settle: Settle,
}

impl History {
    /// Adds the entry that follows; days are those of `timezone`.
    pub fn add(&mut self, entry: &Entry, timezone: &TimeZone) {
        bump(&mut self.entries, entry.body.kind());
        match &entry.body {
            Body::Beat(receipt) => self.add_beat(receipt, entry.at, timezone),
            Body::Operator(act) => {
                let act = act.clone();
                let dropped = push(&mut self.acts, PastAct { at: entry.at, act }, ACTS_MAX);
                self.acts_more = self.acts_more.saturating_add(u64::from(dropped));
            }
            Body::Recovered(recovered) => {
                let (whole, nothing) = &mut self.recovered;
                match recovered.found {
                    Found::Settled(_) => *whole = whole.saturating_add(1),
                    Found::Nothing => *nothing = nothing.saturating_add(1),
                }
            }
            Body::Notice(notice) => {
                let (told, failed) = &mut self.notices;
                let which = if notice.error.is_none() { told } else { failed };
                *which = which.saturating_add(1);
            }
            Body::Intent(_) | Body::Done(_) | Body::Drill(_) | Body::Reserve(_) => {}
        }
    }

    /// How many beats there were.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.entries.get("beat").copied().unwrap_or(0)
    }

    fn add_beat(&mut self, receipt: &BeatReceipt, at: Timestamp, timezone: &TimeZone) {
        let kind = receipt.outcome.kind();
        bump(&mut self.outcomes, kind);
        if let Some(failure) = &receipt.failure {
            bump(&mut self.failures, failure.class);
        }
        self.fuel = self.fuel.plus(receipt.fuel);
        let day = self
            .days
            .entry(at.to_zoned(timezone.clone()).date())
            .or_default();
        bump(&mut day.outcomes, kind);
        day.fuel = day.fuel.plus(receipt.fuel);
        if self.settles.back().map(|past| past.settle) != Some(receipt.settle) {
            let past = PastSettle {
                at,
                beat: receipt.beat,
                settle: receipt.settle,
            };
            push(&mut self.settles, past, ACTS_MAX);
        }
        for step in &receipt.steps {
            self.add_step(step);
        }
        for result in &receipt.verdicts {
            self.add_verdict(receipt.beat, result);
        }
        for finding in &receipt.scope {
            self.add_finding(receipt.beat, SCOPE, finding);
        }
        let past = PastBeat {
            beat: receipt.beat,
            at,
            fuel: receipt.fuel,
            item: receipt.item().cloned(),
            outcome: receipt.outcome.clone(),
        };
        push(&mut self.recent, past, RECENT_MAX);
    }

    fn add_step(&mut self, step: &StepReceipt) {
        let listed: u64 = step.denials.iter().map(|denial| denial.count).sum();
        self.denials = self
            .denials
            .saturating_add(listed)
            .saturating_add(step.denials_more);
        let key = (step.role, step.step.clone());
        if self.steps.len() >= STEPS_MAX && !self.steps.contains_key(&key) {
            return;
        }
        let figures = self.steps.entry(key).or_default();
        figures.calls = figures.calls.saturating_add(1);
        figures.remembered = figures.remembered.saturating_add(u64::from(step.memo));
        figures.failed = figures
            .failed
            .saturating_add(u64::from(step.failure.is_some()));
        figures.fuel = figures.fuel.plus(step.spent());
    }

    fn add_verdict(&mut self, beat: BeatNo, result: &GateResult) {
        if let Ok(verdict) = &result.answer {
            for finding in &verdict.findings {
                self.add_finding(beat, result.gate.as_str(), finding);
            }
        }
        if self.gates.len() >= STEPS_MAX && !self.gates.contains_key(&result.gate) {
            return;
        }
        let figures = self.gates.entry(result.gate.clone()).or_default();
        figures.last = Some(beat);
        let which = match result.answer.as_ref().map(|verdict| verdict.ruling) {
            Ok(Ruling::Pass) => &mut figures.pass,
            Ok(Ruling::Fail) => &mut figures.fail,
            Ok(Ruling::Abstain) => &mut figures.abstain,
            Err(_) => &mut figures.broken,
        };
        *which = which.saturating_add(1);
    }

    fn add_finding(&mut self, beat: BeatNo, gate: &str, finding: &Finding) {
        let rule = text::cut(&finding.rule, RULE_CHARS_MAX);
        let key = (gate.to_owned(), rule);
        if !self.findings.contains_key(&key) && self.rules_of(gate) >= RULES_MAX {
            self.findings_more = self.findings_more.saturating_add(1);
            return;
        }
        let message = text::cut(&finding.message, MESSAGE_CHARS_MAX);
        let figures = self.findings.entry(key).or_insert_with(|| FindingFigures {
            times: 0,
            severity: finding.severity,
            last: beat,
            message: String::new(),
        });
        figures.times = figures.times.saturating_add(1);
        figures.severity = figures.severity.max(finding.severity);
        figures.last = beat;
        figures.message = message;
    }
}

impl History {
    fn rules_of(&self, gate: &str) -> usize {
        let from = (gate.to_owned(), String::new());
        self.findings
            .range(from..)
            .take_while(|((other, _), _)| other == gate)
            .count()
    }
}

fn bump<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}

/// Adds `value` behind the others; true when the oldest had to go.
fn push<T>(queue: &mut VecDeque<T>, value: T, max: usize) -> bool {
    queue.push_back(value);
    queue.len() > max && queue.pop_front().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sample::*;
    use crate::journal::{Act, Notice};
    use crate::verdict::Verdict;

    fn history(bodies: impl IntoIterator<Item = (&'static str, Body)>) -> History {
        let mut history = History::default();
        for (seq, (when, body)) in (1..).zip(bodies) {
            let entry = Entry {
                seq,
                at: at(when),
                body,
            };
            history.add(&entry, &TimeZone::UTC);
        }
        history
    }

    fn beat(receipt: BeatReceipt) -> Body {
        Body::Beat(Box::new(receipt))
    }

    #[test]
    fn figures_by_day_and_in_all() {
        let found = history([
            ("2026-11-21T23:59:59Z", beat(proposed(1, "a"))),
            ("2026-11-22T00:00:00Z", beat(failed(2))),
            ("2026-11-22T09:00:00Z", beat(discarded(3, "b", "no"))),
            (
                "2026-11-22T09:00:00Z",
                Body::Notice(Notice {
                    about: "x".to_owned(),
                    error: Some("no".to_owned()),
                }),
            ),
        ]);
        assert_eq!(found.beats(), 3);
        assert_eq!(found.fuel, Fuel(30));
        assert_eq!(found.notices, (0, 1));
        assert_eq!(found.failures, [(FailureClass::Trap, 1)].into());
        let days: Vec<_> = found
            .days
            .iter()
            .map(|(day, figures)| (day.to_string(), figures.fuel.0, figures.outcomes.len()))
            .collect();
        assert_eq!(
            days,
            [
                ("2026-11-21".to_owned(), 10, 1),
                ("2026-11-22".to_owned(), 20, 2)
            ]
        );
        let about: Vec<_> = found.recent.iter().map(|past| past.item.clone()).collect();
        assert_eq!(about, [Some(item("a")), None, Some(item("b"))]);
    }

    #[test]
    fn what_gates_say() {
        let finding = |rule: &str, severity| Finding {
            severity,
            rule: rule.to_owned(),
            message: "m".repeat(10_000),
            locations: Vec::new(),
            help: String::new(),
        };
        let mut receipt = discarded(1, "a", "no");
        receipt.scope = vec![finding("outside", Severity::Error)];
        let verdict = Verdict {
            ruling: Ruling::Fail,
            findings: (0..RULES_MAX + 5)
                .map(|n| finding(&format!("rule-{n}"), Severity::Note))
                .chain([finding("rule-0", Severity::Error)])
                .collect(),
            summary: String::new(),
        };
        receipt.verdicts = vec![
            GateResult {
                gate: step("links"),
                answer: Ok(verdict),
            },
            GateResult {
                gate: step("size"),
                answer: Err("trap".to_owned()),
            },
        ];
        let found = history([("2026-11-21T12:00:00Z", beat(receipt))]);
        let gates: Vec<_> = found.gates.iter().collect();
        let (links, size) = (gates[0].1, gates[1].1);
        assert_eq!((links.fail, links.pass, size.broken), (1, 0, 1));
        // A gate takes no room from the host's own check.
        assert_eq!(found.findings.len(), RULES_MAX + 1);
        assert_eq!(found.findings_more, 5);
        let worst = &found.findings[&("links".to_owned(), "rule-0".to_owned())];
        assert_eq!((worst.times, worst.severity), (2, Severity::Error));
        assert!(worst.message.chars().count() < MESSAGE_CHARS_MAX + 40);
    }

    #[test]
    fn it_stays_small() {
        let long = (0..1_000).flat_map(|n| {
            let act = Body::Operator(told(Act::Resume));
            [
                ("2026-11-21T12:00:00Z", beat(failed(n))),
                ("2026-11-21T12:00:00Z", act),
            ]
        });
        let found = history(long);
        assert_eq!(
            (found.recent.len(), found.acts.len()),
            (RECENT_MAX, ACTS_MAX)
        );
        assert_eq!(found.recent.back().map(|past| past.beat), Some(BeatNo(999)));
        assert_eq!(found.acts_more, 800);
        assert_eq!(found.settles.len(), 1);
    }
}
