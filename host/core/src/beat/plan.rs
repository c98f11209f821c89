//! What a beat is given: the loop as far as it matters here, its past, and the world's name.

use std::collections::BTreeSet;

use jiff::Zoned;
use serde_json::Value;

use crate::decision::{ActionInfo, CostRule};
use crate::digest::Digest;
use crate::guard::{self, BudgetLimits, Freeze, FuelCap, Pace, Situated};
use crate::ids::{BeatNo, LoopId, StepId};
use crate::journal::{BaseRef, LoopState, Reservation, Settle};
use crate::snapshot;
use crate::spec::EscalateOn;

/// One step of the loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepPlan {
    /// Its id.
    pub id: StepId,
    /// What one call may use.
    pub fuel: FuelCap,
}

/// One executor of the loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutorPlan {
    /// The step.
    pub step: StepPlan,
    /// Its plugin, as the loop file names it.
    pub plugin: String,
    /// What it can do.
    pub actions: Vec<ActionInfo>,
}

/// Everything a beat knows from the start.
#[derive(Debug, Clone)]
pub struct BeatPlan {
    /// The loop.
    pub loop_id: LoopId,
    /// The number of this beat: [`LoopState::next_beat`].
    pub beat: BeatNo,
    /// An id that no other beat of any loop has.
    pub run: String,
    /// What becomes of a change that all gates let through.
    pub settle: Settle,
    /// The digest of the loop file.
    pub loop_file: Digest,
    /// The digest of every step's plugin, as (`role/id`, digest) in the order of the loop file.
    pub plugins: Vec<(String, Digest)>,
    /// The contract's version.
    pub contract: String,
    /// In the order of the loop file.
    pub sensors: Vec<StepPlan>,
    /// The one that decides.
    pub decider: StepPlan,
    /// In the order of the loop file.
    pub executors: Vec<ExecutorPlan>,
    /// In the order of the loop file.
    pub gates: Vec<StepPlan>,
    /// The names of the commands that run before the gates, in order.
    pub commands: Vec<StepId>,
    /// What the loop may spend.
    pub limits: BudgetLimits,
    /// After how many failed attempts an item is a person's.
    pub attempts_per_item: u64,
    /// Items with one of these labels are a person's from the start; case does not count.
    pub escalate_labels: Vec<String>,
    /// What else is asked a person about.
    pub escalate_on: EscalateOn,
    /// True when a step that was denied anything fails the beat.
    pub denials_are_fatal: bool,
    /// The loop's past.
    pub state: LoopState,
    /// Now, in the loop's time zone.
    pub now: Zoned,
    /// What the beat works on.
    pub base: BaseRef,
    /// Full names of the loop's branches that still exist.
    pub open_proposals: BTreeSet<String>,
    /// People's answers, oldest first.
    pub answers: Vec<Value>,
    /// The freeze of the loop's calendar that holds now.
    pub freeze: Option<Freeze>,
    /// The loop file's prose.
    pub prose: String,
    /// How the loop is slowed down.
    pub pace: Pace,
    /// How the cost of the decider is found.
    pub cost: CostRule,
    /// The digest of the decider's plugin.
    pub decider_plugin: Digest,
}

/// The digests that guards compare by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keys {
    /// Of loop file and plugins.
    pub(super) setup: Digest,
    /// Of the decider and how its cost is found.
    pub(super) meter: Digest,
}

impl BeatPlan {
    /// The most that this beat will cost: to be written down before anything of it costs.
    #[must_use]
    pub fn reservation(&self) -> Reservation {
        let allowance = guard::allowance(&self.state, &self.limits, &self.now);
        Reservation {
            beat: self.beat,
            fuel: guard::open_purse(&self.state, &self.limits, &self.now).left(),
            tokens: allowance.tokens.unwrap_or_default(),
            money: allowance.money.unwrap_or_default(),
        }
    }

    pub(super) fn keys(&self) -> Keys {
        Keys {
            setup: snapshot::setup(&self.loop_file, &self.plugins),
            meter: self.cost.meter(&self.decider_plugin),
        }
    }

    /// What the guards look at.
    pub(super) fn situated<'a>(&'a self, keys: &'a Keys) -> Situated<'a> {
        Situated {
            state: &self.state,
            limits: &self.limits,
            pace: &self.pace,
            settle: self.settle,
            setup: &keys.setup,
            meter: &keys.meter,
            freeze: self.freeze.as_ref(),
            now: &self.now,
        }
    }
}
