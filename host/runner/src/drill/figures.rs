//! Drills that need no component: the budgets of a day that is used up, and what is a person's to decide.

use jiff::{Timestamp, Zoned};
use ringfence_core::guard::{
    BEATS_PER_DAY, BudgetLimits, FUEL_PER_BEAT, FUEL_PER_DAY, FuelCap, Guard, Situated, guard,
    open_purse,
};
use ringfence_core::journal::{DaySpend, LoopState, Settle};
use ringfence_core::policy::witness;
use ringfence_core::quantity::Fuel;
use ringfence_core::snapshot::setup;

use super::{Drill, DrillError};

pub(super) const BUDGET: &str = "budget";
pub(super) const ESCALATION: &str = "escalation";

impl Drill<'_> {
    /// A day that has used up a budget of this loop allows no beat, a new day does.
    pub(super) fn budgets(&mut self) {
        let budget = &self.spec.budget;
        let limits = budget.limits();
        let now = Timestamp::UNIX_EPOCH.to_zoned(self.timezone.clone());
        let used = |fuel, beats| {
            let spent = DaySpend {
                fuel,
                beats,
                ..DaySpend::default()
            };
            self.guarded(&limits, &now, spent)
        };
        let refused = |budget: &str, said: Guard| match said {
            Guard::Wait(hold) if hold.guard == budget => {
                Ok("used up: no beat before the day ends".to_owned())
            }
            other => Err(format!("used up, and yet: {other:?}")),
        };
        let fuel = refused(FUEL_PER_DAY, used(limits.fuel_per_day, 0));
        let beats = refused(BEATS_PER_DAY, used(Fuel(0), limits.beats_per_day));
        let fresh = match used(Fuel(0), 0) {
            Guard::Go { shadow_only: None } => Ok("a new day allows a beat".to_owned()),
            other => Err(format!("nothing is used, and yet: {other:?}")),
        };
        let mut purse = open_purse(&LoopState::default(), &limits, &now);
        purse.charge(limits.fuel_per_beat);
        let beat = match purse.offer(FuelCap::AtMost(Fuel(1))) {
            Err(_) => Ok("used up: no call any more".to_owned()),
            Ok(fuel) => Err(format!(
                "a beat that has used all its fuel is given {fuel} more"
            )),
        };
        self.fault(format!("{BUDGET}:{FUEL_PER_DAY}"), fuel);
        self.fault(format!("{BUDGET}:{BEATS_PER_DAY}"), beats);
        self.fault(format!("{BUDGET}:{FUEL_PER_BEAT}"), beat);
        self.passes(BUDGET.to_owned(), fresh);
    }

    fn guarded(&self, limits: &BudgetLimits, now: &Zoned, spent: DaySpend) -> Guard {
        let mut state = LoopState::default();
        state.days.insert(now.date(), spent);
        let setup = setup(&self.spec.file_digest, &self.spec.plugins());
        guard(&Situated {
            state: &state,
            limits,
            pace: &self.spec.pace,
            settle: Settle::Propose,
            setup: &setup,
            meter: &self.spec.cost.meter(&self.spec.decider.digest),
            freeze: None,
            now,
        })
    }

    /// A change of what is a person's to decide is left to one, and another one is not.
    pub(super) fn escalation(&mut self) -> Result<(), DrillError> {
        let globs = &self.spec.escalate.paths;
        if globs.is_empty() {
            self.unguarded(ESCALATION, "no path is a person's to decide on");
            return Ok(());
        }
        let matcher = self.spec.escalate.matcher();
        let missed = globs.iter().find(|glob| {
            let hit = |path| {
                matcher
                    .as_ref()
                    .is_ok_and(|globs| globs.hit(&path).is_some())
            };
            !witness(glob).is_some_and(hit)
        });
        let found = match missed {
            None => Ok(format!(
                "a change at any of {} globs is a person's",
                globs.len()
            )),
            Some(glob) => Err(format!("a change at {glob:?} is nobody's")),
        };
        self.fault(ESCALATION.to_owned(), found);
        // A place is one that none of these globs takes.
        let found = match self.place(|_| true)? {
            Some((_, path)) => Ok(format!("a change of {path} is not")),
            None => Err("nowhere can anything be changed without a person".to_owned()),
        };
        self.passes(ESCALATION.to_owned(), found);
        Ok(())
    }
}
