//! What a loop may spend in a day, and what it did spend: the plan beside the measurement.
//!
//! The plan is what cadence, limits and budgets allow at most. The measurement is what the journal's beats cost, each kind of
//! ending by itself, since a beat that finds nothing new costs next to nothing.
//!
//! **Invariant:** nothing is measured that did not happen: without a beat there is a plan alone, and a small sample is said
//! to be one. No figure is larger than a budget lets it become without saying that the budget ends it.

mod measured;
mod spread;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use self::measured::{Measured, OutcomeSpend, measure};
pub use self::spread::Spread;
use crate::cadence::{Cadence, Rhythm};
use crate::guard::{BEATS_PER_DAY, FUEL_PER_DAY, MONEY_PER_DAY, PROPOSALS_PER_DAY, TOKENS_PER_DAY};
use crate::quantity::{Fuel, Millis};
use crate::spec::{Spec, StepSpec};
use crate::text;

const DAY: u64 = 86_400_000;
// Limit: as long as it takes until weekdays come round; a cron of every minute has 40,000 ticks by then.
const SAMPLE_DAYS: i64 = 28;

/// Below this many beats a sample says little.
// Limit: nine of ten need ten to count from.
pub const BEATS_ENOUGH: u64 = 10;

/// What a day costs at most by the loop file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// Fuel of one beat in which every step uses all it may; at most `fuel_per_beat`.
    pub fuel_per_beat: Fuel,
    /// What the steps' own limits add up to, whatever the beat may use.
    pub fuel_of_steps: Fuel,
}

/// What the amounts of a budget are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Fuel.
    Fuel,
    /// Beats that call the decider.
    Beats,
    /// Changes that are proposed.
    Proposals,
    /// Tokens.
    Tokens,
    /// Money, in millionths.
    Money,
}

/// One budget, and what a day takes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BudgetUse {
    /// As the loop file calls it.
    pub budget: &'static str,
    /// What the amounts are.
    pub unit: Unit,
    /// The budget.
    pub limit: u64,
    /// A day by the plan, if nothing stopped it.
    pub planned: u64,
    /// How long the budget lasts by the plan; none when it lasts the whole day.
    pub planned_lasts: Option<Millis>,
    /// A day as it was measured; none without a beat.
    pub measured: Option<u64>,
    /// The same, none when it lasts the whole day or there is no beat.
    pub measured_lasts: Option<Millis>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// How often it runs, and so beats at most.
    pub beats_per_day: u64,
    /// By the loop file.
    pub planned: Planned,
    /// By the journal; none when no beat has run.
    pub measured: Option<Measured>,
    /// Every budget of the day.
    pub budgets: Vec<BudgetUse>,
    /// The budget that ends a day first by the plan; none when all last.
    pub binds_planned: Option<&'static str>,
    /// The same as it was measured.
    pub binds_measured: Option<&'static str>,
    /// What to know about these figures, one line each.
    pub cautions: Vec<String>,
}

/// Beats of a day of a loop that runs every so often, rounded up.
#[must_use]
pub fn beats_of_every(every: Millis) -> u64 {
    DAY.div_ceil(every.0.max(1))
}

/// Beats of a day by a cadence, of which the four weeks after `now` are the sample, rounded up.
#[must_use]
pub fn beats_of(cadence: &Cadence, zone: &TimeZone, now: Timestamp) -> u64 {
    if let Rhythm::Every(every) = cadence.rhythm {
        return beats_of_every(every);
    }
    let sample = SignedDuration::from_hours(24 * SAMPLE_DAYS);
    let end = now.checked_add(sample).unwrap_or(Timestamp::MAX);
    let (mut ticks, mut from) = (0_u64, now);
    while let Some(tick) = cadence.tick_after(from, zone).filter(|tick| *tick <= end) {
        ticks += 1;
        from = tick;
    }
    ticks.div_ceil(SAMPLE_DAYS.unsigned_abs())
}

/// The estimate of a loop that beats so often a day, with what was measured of it.
#[must_use]
pub fn estimate(spec: &Spec, beats_per_day: u64, measured: Option<Measured>) -> Estimate {
    let planned = plan(spec);
    let budgets = budgets(spec, &planned, beats_per_day, measured.as_ref());
    Estimate {
        beats_per_day,
        planned,
        binds_planned: first(&budgets, |one| one.planned_lasts),
        binds_measured: first(&budgets, |one| one.measured_lasts),
        cautions: cautions(measured.as_ref()),
        measured,
        budgets,
    }
}

/// Every budget of the day with what a day takes of it.
fn budgets(
    spec: &Spec,
    planned: &Planned,
    beats: u64,
    measured: Option<&Measured>,
) -> Vec<BudgetUse> {
    let budget = &spec.budget;
    // Whatever a decider costs, it costs in beats that decide.
    let deciding = beats.min(budget.beats_per_day);
    let part = |of: fn(&Measured) -> u64| measured.map(|one| share(beats, of(one), one.fuel.count));
    let cost = |of: fn(&Measured) -> Option<Spread>| {
        measured.map(|one| of(one).map_or(0, |cost| share(beats, cost.sum, one.fuel.count)))
    };
    let mut all = vec![
        BudgetUse::of(
            FUEL_PER_DAY,
            Unit::Fuel,
            budget.fuel_per_day.0,
            beats.saturating_mul(planned.fuel_per_beat.0),
            measured.map(|one| beats.saturating_mul(one.fuel.mean())),
        ),
        BudgetUse::of(
            BEATS_PER_DAY,
            Unit::Beats,
            budget.beats_per_day,
            beats,
            part(|one| one.decided),
        ),
    ];
    all.extend(budget.proposals_per_day.map(|limit| {
        let used = part(|one| one.proposed);
        BudgetUse::of(PROPOSALS_PER_DAY, Unit::Proposals, limit, deciding, used)
    }));
    all.extend(budget.tokens.map(|limit| {
        let planned = deciding.saturating_mul(limit.per_beat);
        let used = cost(|one| one.tokens);
        BudgetUse::of(TOKENS_PER_DAY, Unit::Tokens, limit.per_day, planned, used)
    }));
    all.extend(budget.money.map(|limit| {
        let planned = deciding.saturating_mul(limit.per_beat);
        let used = cost(|one| one.money);
        BudgetUse::of(MONEY_PER_DAY, Unit::Money, limit.per_day, planned, used)
    }));
    all
}

fn plan(spec: &Spec) -> Planned {
    let sum = |steps: &[StepSpec]| {
        steps
            .iter()
            .fold(Fuel(0), |sum, step| sum.plus(step.limits.fuel))
    };
    let executors = spec.executors.iter().map(|step| step.limits.fuel);
    let fuel_of_steps = sum(&spec.sensors)
        .plus(spec.decider.limits.fuel)
        // A beat makes one move.
        .plus(executors.max().unwrap_or_default())
        .plus(sum(&spec.gates));
    Planned {
        fuel_per_beat: fuel_of_steps.min(spec.budget.fuel_per_beat),
        fuel_of_steps,
    }
}

/// So much of `amount` as `part` is of `whole`, rounded up.
fn share(amount: u64, part: u64, whole: u64) -> u64 {
    let share = (u128::from(amount) * u128::from(part)).div_ceil(u128::from(whole.max(1)));
    u64::try_from(share).unwrap_or(u64::MAX)
}

fn first(
    budgets: &[BudgetUse],
    lasts: impl Fn(&BudgetUse) -> Option<Millis>,
) -> Option<&'static str> {
    let ends = budgets
        .iter()
        .filter_map(|one| Some((lasts(one)?, one.budget)));
    ends.min_by_key(|(lasts, _)| *lasts)
        .map(|(_, budget)| budget)
}

fn cautions(measured: Option<&Measured>) -> Vec<String> {
    let mut out = Vec::new();
    let Some(measured) = measured else {
        out.push("no beat has run: there is nothing measured to set beside the plan".to_owned());
        return out;
    };
    let beats = measured.fuel.count;
    if beats < BEATS_ENOUGH {
        out.push(format!(
            "{}: what is measured may be far off, and the 90 % is the largest",
            text::count(beats, "beat is little", "beats are few")
        ));
    }
    if measured.full_days == 0 {
        out.push(
            "no whole day has passed between its beats: nights and weekends are not in it"
                .to_owned(),
        );
    }
    if measured.other_setup > 0 {
        out.push(format!(
            "{} of them ran with another loop file or other plugins",
            measured.other_setup
        ));
    }
    if measured.unmetered > 0 {
        out.push(format!(
            "in {} of them the decider did not say what it cost: what it may cost was counted",
            measured.unmetered
        ));
    }
    if measured.remembered > 0 {
        out.push("answers that were remembered cost nothing: a repository that changes more often costs more".to_owned());
    }
    out
}

impl BudgetUse {
    fn of(
        budget: &'static str,
        unit: Unit,
        limit: u64,
        planned: u64,
        measured: Option<u64>,
    ) -> Self {
        Self {
            budget,
            unit,
            limit,
            planned,
            planned_lasts: lasts(limit, planned),
            measured,
            measured_lasts: measured.and_then(|used| lasts(limit, used)),
        }
    }
}

/// How long a day's budget lasts when `used` of it is spent evenly over the day; none for all of it.
fn lasts(limit: u64, used: u64) -> Option<Millis> {
    (used > limit).then(|| Millis(share(DAY, limit, used)))
}

#[cfg(test)]
mod tests;
