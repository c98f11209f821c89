//! The rules of a promotion, each with what was seen and what is needed.
//!
//! **Invariant:** every rule answers for itself from the facts; none is left out because another one failed.

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use super::{above, below, drills_valid, entered, shown};
use crate::digest::Digest;
use crate::ids::BeatNo;
use crate::journal::LoopState;
use crate::regulator::{Action, Cycle, Record, advise};
use crate::spec::Level;
use crate::text;

/// Moves in a row that all gates let through before a loop may propose.
pub const MOVES_IN_A_ROW: usize = 3;
/// Proposals that people took before a loop may commit.
pub const ACCEPTED_MIN: usize = 5;
/// Days that a proposal stays in memory that people turned down.
pub const TURNED_DOWN_DAYS: i64 = 30;

// The guard without which nothing bounds a commit.
const SIZE: &str = "size";

/// What has to be so before a loop may go further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The loop file allows that level.
    Ceiling,
    /// No level is skipped.
    OneLevel,
    /// The history was written here.
    OwnHistory,
    /// The last moves were let through by all gates, with this very setup.
    CleanMoves,
    /// No step of those beats was denied anything.
    NoDenials,
    /// Nobody had to help since the first of them.
    NoRescues,
    /// The regulator does not ask for less.
    Regulator,
    /// The operator denies something.
    Deny,
    /// The budgets are written out.
    Budgets,
    /// The drills passed, and are worth something still.
    Drills,
    /// They showed that something holds a change to a size.
    SizeGuard,
    /// People took enough of what was proposed.
    Accepted,
    /// They turned nothing down lately.
    NoneTurnedDown,
    /// Nothing waits for a person.
    NoEscalations,
}

/// A rule, what was seen, and what is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The rule.
    pub rule: Rule,
    /// True when it holds.
    pub met: bool,
    /// What was seen, in one line.
    pub seen: String,
    /// What is needed, in one line.
    pub needed: String,
}

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// People took it.
    Accepted,
    /// Nobody has dealt with it.
    Open,
    /// People did not want it.
    TurnedDown,
}

/// A proposal and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Proposed {
    /// By which beat.
    pub beat: BeatNo,
    /// When.
    pub at: Timestamp,
    /// What became of it.
    pub fate: Fate,
}

/// What is known of a loop when its promotion is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Where it stands.
    pub level: Level,
    /// How far its loop file lets it go.
    pub ceiling: Level,
    /// What its journal adds up to.
    pub state: &'a LoopState,
    /// How it has done.
    pub record: &'a Record,
    /// What was proposed, oldest first.
    pub proposed: &'a [Proposed],
    /// False when its journal was copied or shipped here.
    pub own_history: bool,
    /// The digest of loop file and plugins.
    pub setup: Digest,
    /// What drills of it as it is would be bound to.
    pub bound: Option<Digest>,
    /// How many patterns the operator denies.
    pub denials: usize,
    /// The budgets that the loop file leaves to their defaults.
    pub unwritten: &'a [&'static str],
    /// Attempts after which an item is a person's.
    pub attempts_max: u64,
    /// The time.
    pub now: Timestamp,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 14] = [
        Self::Ceiling,
        Self::OneLevel,
        Self::OwnHistory,
        Self::CleanMoves,
        Self::NoDenials,
        Self::NoRescues,
        Self::Regulator,
        Self::Deny,
        Self::Budgets,
        Self::Drills,
        Self::SizeGuard,
        Self::Accepted,
        Self::NoneTurnedDown,
        Self::NoEscalations,
    ];

    /// Its name on the command line and in the journal.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ceiling => "ceiling",
            Self::OneLevel => "one-level",
            Self::OwnHistory => "own-history",
            Self::CleanMoves => "clean-moves",
            Self::NoDenials => "no-denials",
            Self::NoRescues => "no-rescues",
            Self::Regulator => "regulator",
            Self::Deny => "deny",
            Self::Budgets => "budgets",
            Self::Drills => "drills",
            Self::SizeGuard => "size-guard",
            Self::Accepted => "accepted",
            Self::NoneTurnedDown => "none-turned-down",
            Self::NoEscalations => "no-escalations",
        }
    }

    /// The rule of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// True when an operator may pass it over: what the loop file says, the order of the levels and somebody else's history
    /// are beyond that.
    #[must_use]
    pub fn may_be_passed_over(self) -> bool {
        !matches!(self, Self::Ceiling | Self::OneLevel | Self::OwnHistory)
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Check {
    /// The line that the journal keeps of a rule that was passed over: its name, a colon, and what was seen.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{}: {}", self.rule.name(), self.seen)
    }
}

/// Everything that has to be so before the loop may go to `to`.
#[must_use]
pub fn evidence(to: Level, facts: &Facts<'_>) -> Vec<Check> {
    let mut checks = vec![
        check(
            Rule::Ceiling,
            to <= facts.ceiling,
            format!("the loop file says {}", facts.ceiling),
            format!("{to} in the loop file"),
        ),
        check(
            Rule::OneLevel,
            above(facts.level) == Some(to),
            format!("it is at {}", facts.level),
            format!("one level at a time, {to} from the one below"),
        ),
        check(
            Rule::OwnHistory,
            facts.own_history,
            if facts.own_history {
                "its journal was written here"
            } else {
                "its journal was copied or shipped here"
            }
            .to_owned(),
            "a journal of this very folder".to_owned(),
        ),
    ];
    if to == Level::L3 {
        checks.extend(of_commit(to, facts));
    }
    checks.extend(of_moves(to, facts));
    checks
}

/// Since when what it did speaks for `to`, and that in words. What led there speaks for a loop that has come there, too.
fn on_the_way(to: Level, facts: &Facts<'_>) -> (Timestamp, String) {
    let words = match below(to) {
        Some(below) => format!("since it came to {below}"),
        None => "since it began".to_owned(),
    };
    (facts.record.below(to).unwrap_or(facts.now), words)
}

/// How its last moves went.
fn of_moves(to: Level, facts: &Facts<'_>) -> Vec<Check> {
    let (since, in_words) = on_the_way(to, facts);
    let cycles: Vec<&Cycle> = facts.record.since(since).collect();
    let with_setup = cycles.iter().rev();
    let with_setup = with_setup.take_while(|cycle| cycle.setup == facts.setup);
    let moves: Vec<_> = with_setup
        .filter(|cycle| cycle.moved)
        .take(MOVES_IN_A_ROW)
        .collect();
    let passed = moves.iter().take_while(|cycle| cycle.passed).count();
    let first = moves.last().map_or(facts.now, |cycle| cycle.health.ts);
    let looked_at = cycles.iter().filter(|cycle| cycle.health.ts >= first);
    let denied = looked_at.filter(|cycle| cycle.denied).count();
    let rescues = facts.record.rescues.iter();
    let rescues: Vec<_> = rescues.filter(|rescue| rescue.at >= first).collect();
    vec![
        check(
            Rule::CleanMoves,
            passed >= MOVES_IN_A_ROW,
            format!("all gates let {passed} in a row through, with this setup, {in_words}"),
            format!("{MOVES_IN_A_ROW} in a row"),
        ),
        check(
            Rule::NoDenials,
            denied == 0,
            format!(
                "steps of {} since then were denied something",
                text::count(denied, "beat", "beats")
            ),
            "none".to_owned(),
        ),
        check(
            Rule::NoRescues,
            rescues.is_empty(),
            match rescues.last() {
                Some(last) => format!("{} since then, the last: {}", rescues.len(), last.what),
                None => "nobody had to help since then".to_owned(),
            },
            "none".to_owned(),
        ),
        regulator(facts),
    ]
}

fn regulator(facts: &Facts<'_>) -> Check {
    let entered = entered(facts.level, facts.state, facts.record, facts.now);
    let (health, rescues) = (facts.record.health(), facts.record.rescue_times());
    let advice = advise(entered, &health, &rescues, facts.now, true);
    check(
        Rule::Regulator,
        !matches!(advice.action, Action::Demote | Action::Pause),
        format!("{}: {}", advice.action.as_str(), advice.why.join(", ")),
        "neither demote nor pause".to_owned(),
    )
}

/// What it needs besides before it may commit.
fn of_commit(to: Level, facts: &Facts<'_>) -> Vec<Check> {
    let drills = drills_valid(facts.state, facts.bound.as_ref(), facts.now);
    let run = facts.state.drilled.as_ref().map(|drilled| &drilled.run);
    let size = drills.is_ok() && run.is_some_and(|run| shown(run, SIZE));
    let written = facts.unwritten.is_empty();
    let escalated = facts.state.items.values();
    let escalated = escalated.filter(|item| item.escalated(facts.attempts_max).is_some());
    let items = escalated.count() + facts.state.unanswered_labels().count();
    let held = facts.state.held.len();
    let mut checks = vec![
        check(
            Rule::Deny,
            facts.denials > 0,
            format!(
                "{} in `deny`",
                text::count(facts.denials, "pattern", "patterns")
            ),
            "at least one of the operator's own".to_owned(),
        ),
        check(
            Rule::Budgets,
            written,
            if written {
                "written out".to_owned()
            } else {
                format!("left to their defaults: {}", facts.unwritten.join(", "))
            },
            "all of them in [budget]".to_owned(),
        ),
        check(
            Rule::Drills,
            drills.is_ok(),
            match &drills {
                Ok(until) => format!("all passed, good until {until:.0}"),
                Err(problem) => problem.to_string(),
            },
            "all passed, with this setup, in the last month".to_owned(),
        ),
        check(
            Rule::SizeGuard,
            size,
            if size {
                "a drill showed a gate that holds a change to a size"
            } else {
                "no drill showed a gate that holds a change to a size"
            }
            .to_owned(),
            "such a gate, drilled".to_owned(),
        ),
    ];
    checks.extend(of_proposals(to, facts));
    checks.push(check(
        Rule::NoEscalations,
        items + held == 0,
        format!(
            "{} and {} wait for a person",
            text::count(items, "item", "items"),
            text::count(held, "held change", "held changes")
        ),
        "none".to_owned(),
    ));
    checks
}

fn of_proposals(to: Level, facts: &Facts<'_>) -> [Check; 2] {
    let (since, in_words) = on_the_way(to, facts);
    let count = |fate, since| {
        let some = facts.proposed.iter();
        let some = some.filter(|one| one.fate == fate && one.at >= since);
        some.count()
    };
    let recent = facts
        .now
        .checked_sub(SignedDuration::from_hours(24 * TURNED_DOWN_DAYS))
        .unwrap_or(Timestamp::MIN);
    let accepted = count(Fate::Accepted, since);
    let rejected = facts.record.rejected.iter().filter(|at| **at >= recent);
    let turned_down = count(Fate::TurnedDown, recent) + rejected.count();
    [
        check(
            Rule::Accepted,
            accepted >= ACCEPTED_MIN,
            format!(
                "people took {} {in_words}",
                text::count(accepted, "proposal", "proposals")
            ),
            format!("at least {ACCEPTED_MIN}"),
        ),
        check(
            Rule::NoneTurnedDown,
            turned_down == 0,
            format!("people turned {turned_down} down in {TURNED_DOWN_DAYS} days"),
            "none".to_owned(),
        ),
    ]
}

fn check(rule: Rule, met: bool, seen: String, needed: String) -> Check {
    Check {
        rule,
        met,
        seen,
        needed,
    }
}
