//! What waits for a person, and what people should know: one list, oldest first, computed from a loop's state.
//!
//! **Invariant:** everything that a loop does not do because a person has to look first is in this list, with the word that
//! ends the waiting; nothing is kept of it but the journal.

use jiff::{Timestamp, Zoned};
use serde::Serialize;

use crate::guard::{self, BudgetLimits};
use crate::ids::{BeatNo, ItemId};
use crate::journal::{LoopState, item_id};
use crate::spec::EscalateOn;

/// After how many failed beats in a row people are told.
// Limit: the third try comes some minutes after the first; what heals by itself has healed.
pub const FAILING_MIN: u32 = 3;

/// What kind of thing waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A change that all gates let through.
    Held,
    /// An item that the loop gave up.
    Item,
    /// An item that a label leaves to people.
    Label,
    /// The loop itself: it is paused.
    Paused,
    /// The loop itself: it is over.
    Retired,
    /// The loop itself: a rule lets it only record its changes.
    ReportOnly,
    /// The loop itself: its decider does not say what it costs.
    Unmetered,
    /// A budget of the day is used up.
    Budget,
    /// The loop's calendar cannot be read, and so it is frozen.
    Calendar,
    /// Beats fail one after the other.
    Failing,
    /// An approved change that could not be settled. It does not wait; people are told.
    GivenUp,
}

/// One thing that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// What `answer` calls it.
    pub id: String,
    /// What kind of thing.
    pub kind: Kind,
    /// Since when.
    pub since: Timestamp,
    /// Why, one line each. May hold what components wrote: escape before showing.
    pub why: Vec<String>,
    /// The item that it is about.
    pub item: Option<ItemId>,
    /// The beat that it comes from.
    pub beat: Option<BeatNo>,
    /// True when a person has approved it.
    pub approved: bool,
    /// Why the next beat does not settle it, where it is approved; none when it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_yet: Option<String>,
    /// What can be answered: of `approve`, `reject`, `note`; nothing where another command helps.
    pub answers: Vec<&'static str>,
}

/// What the list depends on besides the loop's state.
#[derive(Debug, Clone)]
pub struct View<'a> {
    /// Now, in the loop's time zone.
    pub now: &'a Zoned,
    /// What people want to know.
    pub on: EscalateOn,
    /// What the loop may spend.
    pub limits: &'a BudgetLimits,
    /// That a rule has stopped the loop: since when, and why.
    pub stopped: Option<Stopped>,
    /// Why changes are only recorded, where more could come of them.
    pub only_recorded: Option<String>,
    /// Why the loop's calendar cannot be read.
    pub calendar: Option<String>,
}

/// A loop that a rule has stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// [`Kind::Paused`], [`Kind::Retired`], [`Kind::ReportOnly`] or [`Kind::Unmetered`].
    pub kind: Kind,
    /// Since when.
    pub since: Timestamp,
    /// Why, in one line.
    pub why: String,
}

impl Waiting {
    fn new(id: &str, kind: Kind, since: Timestamp, why: Vec<String>) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            since,
            why,
            item: None,
            beat: None,
            approved: false,
            not_yet: None,
            answers: Vec::new(),
        }
    }

    /// What people are told of once: the thing, and since when.
    #[must_use]
    pub fn about(&self) -> String {
        format!("{} {}", self.id, self.since)
    }

    /// True while a person has to answer before it goes on.
    #[must_use]
    pub fn is_question(&self) -> bool {
        match self.kind {
            Kind::Held => !self.approved,
            Kind::Item | Kind::Label => true,
            Kind::Paused
            | Kind::Retired
            | Kind::ReportOnly
            | Kind::Unmetered
            | Kind::Budget
            | Kind::Calendar
            | Kind::Failing
            | Kind::GivenUp => false,
        }
    }
}

/// Everything that waits, oldest first.
#[must_use]
pub fn waiting(state: &LoopState, view: &View<'_>) -> Vec<Waiting> {
    let mut all: Vec<Waiting> = held(state, view)
        .chain(items(state))
        .chain(labelled(state))
        .chain(stopped(state, view))
        .chain(failing(state))
        .chain(budget(state, view))
        .chain(calendar(view))
        .collect();
    all.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
    all
}

/// Everything that people are told of: what waits, and what was approved in vain.
#[must_use]
pub fn news(state: &LoopState, view: &View<'_>) -> Vec<Waiting> {
    let given_up = state.given_up.iter().map(|given_up| {
        Waiting::new(
            &given_up.id,
            Kind::GivenUp,
            given_up.at,
            given_up.why.clone(),
        )
    });
    waiting(state, view).into_iter().chain(given_up).collect()
}

fn held(state: &LoopState, view: &View<'_>) -> impl Iterator<Item = Waiting> {
    state.held.iter().map(|held| Waiting {
        item: held.hold.mv.item.clone(),
        beat: Some(held.beat),
        approved: held.approved,
        not_yet: view.only_recorded.clone().filter(|_| held.approved),
        answers: vec!["approve", "reject", "note"],
        ..Waiting::new(&held.id(), Kind::Held, held.since, held.hold.why.clone())
    })
}

fn items(state: &LoopState) -> impl Iterator<Item = Waiting> {
    state.items.iter().filter_map(|(item, history)| {
        let asked = history.asked.as_ref()?;
        Some(Waiting {
            item: Some(item.clone()),
            beat: Some(asked.beat),
            answers: vec!["approve", "reject", "note"],
            ..Waiting::new(&item_id(item), Kind::Item, asked.at, asked.why.clone())
        })
    })
}

fn labelled(state: &LoopState) -> impl Iterator<Item = Waiting> {
    state.unanswered_labels().map(|labelled| {
        let what = &labelled.what;
        let why = format!(
            "label {:?} leaves it to a person: {}",
            what.label, what.title
        );
        Waiting {
            item: Some(what.item.clone()),
            answers: vec!["approve", "reject", "note"],
            ..Waiting::new(&item_id(&what.item), Kind::Label, labelled.since, vec![why])
        }
    })
}

fn stopped(state: &LoopState, view: &View<'_>) -> Option<Waiting> {
    let ordered = |kind, at, by: &str, reason: &str| {
        let said = if reason.is_empty() {
            String::new()
        } else {
            format!(": {reason}")
        };
        let by = if by.is_empty() { "the operator" } else { by };
        Waiting::new(word(kind), kind, at, vec![format!("by {by}{said}")])
    };
    if let Some(order) = &state.orders.retired {
        return Some(ordered(Kind::Retired, order.at, &order.by, &order.reason));
    }
    if let Some(order) = state.orders.pause_at(view.now.timestamp()) {
        return Some(ordered(Kind::Paused, order.at, &order.by, &order.reason));
    }
    let rule = view.stopped.as_ref()?;
    Some(Waiting::new(
        word(rule.kind),
        rule.kind,
        rule.since,
        vec![rule.why.clone()],
    ))
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Retired => "retired",
        Kind::ReportOnly => "report-only",
        Kind::Unmetered => "unmetered",
        _ => "paused",
    }
}

fn failing(state: &LoopState) -> Option<Waiting> {
    let (beat, since) = state.failing_since?;
    (state.failures >= FAILING_MIN).then_some(())?;
    let last = state.last_failure.as_ref().map(ToString::to_string);
    let why = format!(
        "{} beats failed in a row, the last one by {}",
        state.failures, last?
    );
    Some(Waiting {
        beat: Some(beat),
        ..Waiting::new("failing", Kind::Failing, since, vec![why])
    })
}

fn budget(state: &LoopState, view: &View<'_>) -> Option<Waiting> {
    view.on.budget.then_some(())?;
    let refusal = guard::refuse_day(state, view.limits, view.now)?;
    let told = today("budget", Kind::Budget, refusal.to_string(), view)?;
    // What used it up: until it is free again no other decision is taken, so this stays as it is.
    let last = state.evidence.last_attempt.map(|last| last.at);
    let since = last.filter(|last| (told.since..=view.now.timestamp()).contains(last));
    Some(Waiting {
        since: since.unwrap_or(told.since),
        ..told
    })
}

fn calendar(view: &View<'_>) -> Option<Waiting> {
    today("calendar", Kind::Calendar, view.calendar.clone()?, view)
}

/// What is so today. One a day: the time that it was noticed at differs from beat to beat.
fn today(id: &str, kind: Kind, why: String, view: &View<'_>) -> Option<Waiting> {
    let since = view.now.start_of_day().ok()?.timestamp();
    Some(Waiting::new(id, kind, since, vec![why]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Failure, FailureClass};
    use crate::journal::sample::*;
    use crate::journal::{Act, Answer, BeatReceipt, Body, Done, Entry, Labelled, Outcome};
    use crate::quantity::Fuel;
    use jiff::tz::TimeZone;

    const LIMITS: BudgetLimits = BudgetLimits {
        fuel_per_beat: Fuel(100),
        fuel_per_day: Fuel(1_000),
        beats_per_day: 3,
        proposals_per_day: None,
        tokens: None,
        money: None,
    };

    fn state(entries: Vec<(&str, Body)>) -> LoopState {
        let entries: Vec<Entry> = entries
            .into_iter()
            .map(|(when, body)| Entry {
                seq: 1,
                at: at(when),
                body,
            })
            .collect();
        LoopState::fold(&entries, &TimeZone::UTC)
    }

    fn shown(
        state: &LoopState,
        now: &str,
        on: EscalateOn,
        stopped: Option<Stopped>,
    ) -> Vec<String> {
        let now = at(now).to_zoned(TimeZone::UTC);
        let view = View {
            now: &now,
            on,
            limits: &LIMITS,
            stopped,
            only_recorded: None,
            calendar: None,
        };
        waiting(state, &view)
            .into_iter()
            .map(|one| {
                format!(
                    "{} {:?}{} {}: {}",
                    one.id,
                    one.kind,
                    if one.is_question() { "?" } else { "" },
                    one.since,
                    one.why.join("; ")
                )
            })
            .collect()
    }

    fn beat(receipt: BeatReceipt) -> Body {
        Body::Beat(Box::new(receipt))
    }

    #[test]
    fn everything_that_waits_oldest_first() {
        let asked = BeatReceipt {
            outcome: Outcome::Escalated {
                why: vec!["2 of 2".to_owned()],
                id: String::new(),
            },
            failure: Some(Failure::new(FailureClass::Trap, "trap")),
            ..discarded(3, "b", "no")
        };
        let labelled = Labelled {
            item: item("c"),
            title: "a hole".to_owned(),
            label: "security".to_owned(),
            content: Some(digest("content")),
        };
        let labelled = BeatReceipt {
            labelled: vec![labelled],
            attempted: false,
            ..receipt(4, Outcome::Skipped)
        };
        let pause = Body::Operator(told(Act::Pause { until: None }));
        let done = Done {
            beat: BeatNo(1),
            settled: Some(String::new()),
        };
        let state = state(vec![
            ("2026-11-21T01:00:00Z", beat(failed(1))),
            ("2026-11-21T02:00:00Z", beat(failed(2))),
            ("2026-11-21T03:00:00Z", beat(asked)),
            ("2026-11-21T04:00:00Z", beat(labelled.clone())),
            ("2026-11-21T05:00:00Z", beat(labelled)),
            ("2026-11-21T06:00:00Z", Body::Intent(holding(6, "a"))),
            (
                "2026-11-21T06:00:00Z",
                Body::Done(Done {
                    beat: BeatNo(6),
                    ..done
                }),
            ),
            ("2026-11-21T07:00:00Z", pause),
        ]);
        let all = shown(&state, "2026-11-21T12:00:00Z", EscalateOn::default(), None);
        insta::assert_snapshot!(all.join("\n"), @r#"
        failing Failing 2026-11-21T01:00:00Z: 3 beats failed in a row, the last one by trap: trap
        budget Budget 2026-11-21T03:00:00Z: beats_per_day: 3 of 3 used, free again at 2026-11-22T00:00:00Z
        item-10e5cf3d3c8a4f9f3468c8cc58eea848 Item? 2026-11-21T03:00:00Z: 2 of 2
        item-ea7aa1fc9efdbe106dbb70369a75e967 Label? 2026-11-21T04:00:00Z: label "security" leaves it to a person: a hole
        held-6 Held? 2026-11-21T06:00:00Z: auth
        paused Paused 2026-11-21T07:00:00Z: by ann: because
        "#);
        let quiet = EscalateOn {
            budget: false,
            ..EscalateOn::default()
        };
        let budget = |all: Vec<String>| all.iter().any(|one| one.starts_with("budget"));
        assert!(!budget(shown(&state, "2026-11-21T12:00:00Z", quiet, None)));
        assert!(!budget(shown(
            &state,
            "2026-11-22T12:00:00Z",
            EscalateOn::default(),
            None
        )));
    }

    #[test]
    fn what_keeps_an_approved_change_is_said() {
        let approve = told(Act::Answer {
            id: "held-6".to_owned(),
            answer: Answer::Approve,
        });
        let done = Done {
            beat: BeatNo(6),
            settled: Some(String::new()),
        };
        let mut entries = vec![
            ("2026-11-21T06:00:00Z", Body::Intent(holding(6, "a"))),
            ("2026-11-21T06:00:00Z", Body::Done(done)),
        ];
        let now = at("2026-11-21T12:00:00Z").to_zoned(TimeZone::UTC);
        let mut not_yet = Vec::new();
        for body in [None, Some(Body::Operator(approve))] {
            entries.extend(body.map(|body| ("2026-11-21T07:00:00Z", body)));
            for only_recorded in [None, Some("noise".to_owned())] {
                let view = View {
                    now: &now,
                    on: EscalateOn::default(),
                    limits: &LIMITS,
                    stopped: None,
                    only_recorded,
                    calendar: Some("it is gone".to_owned()),
                };
                let all = waiting(&state(entries.clone()), &view);
                assert_eq!(
                    (all[0].kind, all[0].since),
                    (Kind::Calendar, at("2026-11-21T00:00:00Z"))
                );
                not_yet.push(all[1].not_yet.clone());
            }
        }
        assert_eq!(not_yet, [None, None, None, Some("noise".to_owned())]);
    }

    #[test]
    fn what_was_answered_waits_no_more() {
        let labelled = Labelled {
            item: item("c"),
            title: "a hole".to_owned(),
            label: "security".to_owned(),
            content: Some(digest("content")),
        };
        let labelled = BeatReceipt {
            labelled: vec![labelled],
            attempted: false,
            ..receipt(4, Outcome::Skipped)
        };
        for answer in [Answer::Approve, Answer::Reject] {
            let act = told(Act::Answer {
                id: item_id(&item("c")),
                answer,
            });
            let state = state(vec![
                ("2026-11-21T04:00:00Z", beat(labelled.clone())),
                ("2026-11-21T05:00:00Z", Body::Operator(act)),
            ]);
            assert_eq!(
                shown(&state, "2026-11-21T12:00:00Z", EscalateOn::default(), None),
                [""; 0]
            );
        }
    }

    #[test]
    fn a_rule_may_have_stopped_the_loop_and_the_operator_goes_first() {
        let rule = || {
            Some(Stopped {
                kind: Kind::Paused,
                since: at("2026-11-21T04:00:00Z"),
                why: "three denials".to_owned(),
            })
        };
        let now = "2026-11-21T12:00:00Z";
        assert_eq!(
            shown(&LoopState::default(), now, EscalateOn::default(), rule()),
            ["paused Paused 2026-11-21T04:00:00Z: three denials"]
        );
        let retired = state(vec![(
            "2026-11-21T05:00:00Z",
            Body::Operator(told(Act::Retire)),
        )]);
        assert_eq!(
            shown(&retired, now, EscalateOn::default(), rule()),
            ["retired Retired 2026-11-21T05:00:00Z: by ann: because"]
        );
        let until = Some(at("2026-11-21T06:00:00Z"));
        let paused = state(vec![(
            "2026-11-21T05:00:00Z",
            Body::Operator(told(Act::Pause { until })),
        )]);
        assert_eq!(
            shown(&paused, now, EscalateOn::default(), None),
            [""; 0],
            "its end has passed"
        );
    }
}
