//! Whether a loop deserves more authority, or less: recommended with its evidence, never taken.
//!
//! [`advise`] looks at the cycles since the loop came to its level ([`Phase`]), [`saturation`] at whether more of them still
//! bring anything, [`cadence`] at how often they come; [`Record`] makes all of that of a journal.
//!
//! **Invariant:** what speaks for less wins over whatever speaks for more, and a window that is not full speaks for nothing.

mod cadence;
mod record;
mod saturation;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::spec::Level;

pub use cadence::{Cadence, Pace, cadence};
pub use record::{Cycle, Record, Rescue};
pub use saturation::{SATURATION_CYCLES, Saturation, Window, saturation};

/// Cycles with tasks over which duplicates are pooled before a promotion.
pub const DUPLICATE_WINDOW: usize = 7;
/// Last cycles that must do without a rescue before a promotion, and with tasks each be noisy before a demotion.
pub const LAST_CYCLES: usize = 3;
/// Rescues within a day that demote.
pub const RESCUES_MAX: usize = 2;
/// Clean cycles that end the first phase.
pub const BOOTSTRAP_CYCLES: usize = 3;
/// Cycles that end the second phase.
pub const STABILIZE_CYCLES: usize = 14;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How far a loop has been trusted so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It shows what it would do (L1).
    Bootstrap,
    /// People decide on what it proposes (L2).
    Stabilize,
    /// It commits by itself (L3).
    Operate,
}

/// One cycle: a beat that called the decider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// When it ended.
    pub ts: Timestamp,
    /// True when it came to a good end from one end to the other.
    pub e2e_ok: bool,
    /// Pieces of work that it made.
    pub tasks_created: u32,
    /// Those of them that had been made before.
    pub duplicates: u32,
    /// How often a person had to help after it, and before the next one.
    pub manual_rescues: u32,
}

/// Since when a loop is where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// Where it is.
    pub phase: Phase,
    /// Since when: nothing before counts.
    pub entered_at: Timestamp,
}

/// What to do about a loop's authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It may go a phase further.
    Promote,
    /// It stays.
    Hold,
    /// It goes back to the first phase.
    Demote,
    /// It is in the first phase already, and should stop.
    Pause,
}

/// What is recommended, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What.
    pub action: Action,
    /// The phase that it would be in then.
    pub to: Phase,
    /// Why, in short: `all-four` where everything speaks for it.
    pub why: Vec<String>,
}

impl Phase {
    /// The phase that `level` stands for.
    #[must_use]
    pub fn of(level: Level) -> Self {
        match level {
            Level::L1 => Self::Bootstrap,
            Level::L2 => Self::Stabilize,
            Level::L3 => Self::Operate,
        }
    }

    fn next(self) -> Option<Self> {
        match self {
            Self::Bootstrap => Some(Self::Stabilize),
            Self::Stabilize => Some(Self::Operate),
            Self::Operate => None,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bootstrap => "bootstrap",
            Self::Stabilize => "stabilize",
            Self::Operate => "operate",
        })
    }
}

impl Action {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Hold => "hold",
            Self::Demote => "demote",
            Self::Pause => "pause",
        }
    }
}

/// Says what to do at `now` about a loop that is where `at` says, with its cycles and rescues, oldest first. `wanted`: whether
/// anybody wishes for more; without that nothing is promoted.
#[must_use]
pub fn advise(
    at: Entered,
    health: &[Health],
    rescues: &[Timestamp],
    now: Timestamp,
    wanted: bool,
) -> Advice {
    let since = |ts: Timestamp| ts >= at.entered_at;
    let cycles: Vec<&Health> = health.iter().filter(|one| since(one.ts)).collect();
    let rescues = rescues.iter().filter(|rescue| since(**rescue));
    let recent = rescues.filter(|rescue| now.duration_since(**rescue) < DAY);
    let against = against(&cycles, recent.count());
    if !against.is_empty() {
        let action = match at.phase {
            Phase::Bootstrap => Action::Pause,
            Phase::Stabilize | Phase::Operate => Action::Demote,
        };
        return Advice {
            action,
            to: Phase::Bootstrap,
            why: against,
        };
    }
    let Some(next) = at.phase.next() else {
        return hold(at.phase, vec!["top-phase".to_owned()]);
    };
    let missing = missing(at.phase, &cycles, wanted);
    if missing.is_empty() {
        Advice {
            action: Action::Promote,
            to: next,
            why: vec!["all-four".to_owned()],
        }
    } else {
        hold(at.phase, missing)
    }
}

/// What an operator's word makes of it: the phase that was asked for. The rules that spoke otherwise come with it.
#[must_use]
pub fn overruled(advice: Advice, to: Phase, from: Phase) -> (Advice, Vec<String>) {
    let action = match to.cmp(&from) {
        std::cmp::Ordering::Greater => Action::Promote,
        std::cmp::Ordering::Equal => Action::Hold,
        std::cmp::Ordering::Less => Action::Demote,
    };
    let skipped = if advice.action == action && advice.to == to {
        Vec::new()
    } else {
        advice.why
    };
    let why = vec!["operator-override".to_owned()];
    (Advice { action, to, why }, skipped)
}

fn hold(phase: Phase, why: Vec<String>) -> Advice {
    Advice {
        action: Action::Hold,
        to: phase,
        why,
    }
}

/// What speaks for less.
fn against(cycles: &[&Health], rescues: usize) -> Vec<String> {
    let mut why = Vec::new();
    if rescues >= RESCUES_MAX {
        why.push(format!("rescues-24h={rescues}"));
    }
    let noisy = last_with_tasks(cycles, LAST_CYCLES);
    let is_noisy =
        |one: &&&Health| u64::from(one.duplicates) * 5 > u64::from(one.tasks_created) * 2;
    if noisy.len() == LAST_CYCLES && noisy.iter().all(|one| is_noisy(&one)) {
        why.push(format!("fpr>0.4 x{LAST_CYCLES}"));
    }
    why
}

/// What is missing for more.
fn missing(phase: Phase, cycles: &[&Health], wanted: bool) -> Vec<String> {
    let mut why = Vec::new();
    let ended = match phase {
        Phase::Bootstrap => {
            let last = last(cycles, BOOTSTRAP_CYCLES);
            let clean = last.iter().filter(|one| one.e2e_ok).count();
            (clean < BOOTSTRAP_CYCLES).then_some(BOOTSTRAP_CYCLES)
        }
        Phase::Stabilize | Phase::Operate => {
            (cycles.len() < STABILIZE_CYCLES).then_some(STABILIZE_CYCLES)
        }
    };
    why.extend(ended.map(|cycles| format!("exit-criteria({cycles})")));
    why.extend(duplicates(cycles));
    let rescues: u32 = last(cycles, LAST_CYCLES)
        .iter()
        .map(|one| one.manual_rescues)
        .sum();
    if rescues > 0 {
        why.push(format!("rescues3={rescues}"));
    }
    if !wanted {
        why.push("no-recommendation".to_owned());
    }
    why
}

/// Why too much of the work had been done before, or too little of it is known; none when neither is so.
fn duplicates(cycles: &[&Health]) -> Option<String> {
    let window = last_with_tasks(cycles, DUPLICATE_WINDOW);
    if window.len() < DUPLICATE_WINDOW {
        return Some(format!("window {}/{DUPLICATE_WINDOW}", window.len()));
    }
    let sum = |of: fn(&Health) -> u32| window.iter().map(|one| u64::from(of(one))).sum::<u64>();
    let (tasks, duplicates) = (sum(|one| one.tasks_created), sum(|one| one.duplicates));
    let thousandths = (duplicates * 1_000).checked_div(tasks).unwrap_or(0);
    (duplicates * 5 >= tasks).then(|| {
        format!(
            "fpr{DUPLICATE_WINDOW}={}.{:03}",
            thousandths / 1_000,
            thousandths % 1_000
        )
    })
}

fn last<T>(all: &[T], number: usize) -> &[T] {
    all.get(all.len().saturating_sub(number)..).unwrap_or(all)
}

fn last_with_tasks<'a>(cycles: &[&'a Health], number: usize) -> Vec<&'a Health> {
    let with_tasks = cycles.iter().rev().filter(|one| one.tasks_created > 0);
    with_tasks.take(number).copied().collect()
}

#[cfg(test)]
mod tests;
