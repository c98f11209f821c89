//! What a beat has gathered so far, and the receipt it becomes.
//!
//! **Invariant:** fuel is charged as soon as a receipt arrives, whatever becomes of the answer that came with it.

use crate::beat::BeatPlan;
use crate::beat::plan::Keys;
use crate::decision::{Checked, Move};
use crate::digest::Digest;
use crate::evidence::CommandReceipt;
use crate::failure::{Failure, FailureClass};
use crate::guard::{self, Purse, Situated};
use crate::ids::ItemId;
use crate::journal::{
    BeatReceipt, ChangeSummary, Cost, FailedAttempt, Held, Labelled, Outcome, Settle, StepReceipt,
    item_id,
};
use crate::manifest::Role;
use crate::policy::{Access, Denial};
use crate::snapshot::SensorSignal;
use crate::verdict::{Finding, GateResult};

/// What a beat has gathered so far: the machine's own.
#[derive(Debug, Clone)]
pub struct Context {
    pub(super) plan: BeatPlan,
    pub(super) keys: Keys,
    pub(super) purse: Purse,
    /// What becomes of an accepted change; the guards may have lowered it.
    pub(super) settle: Settle,
    pub(super) fingerprint: Option<Digest>,
    pub(super) signals: Vec<SensorSignal>,
    pub(super) eligible: Option<Digest>,
    pub(super) items_found: Option<u64>,
    pub(super) attempted: bool,
    pub(super) decision: Option<Checked>,
    /// True once a workspace was begun.
    pub(super) moved: bool,
    pub(super) summary: Option<String>,
    pub(super) change: Option<ChangeSummary>,
    pub(super) scope: Vec<Finding>,
    pub(super) commands: Vec<CommandReceipt>,
    pub(super) verdicts: Vec<GateResult>,
    pub(super) notes: Vec<String>,
    /// Why a person has to approve the change.
    pub(super) ask: Vec<String>,
    /// The digest of the item that was chosen.
    pub(super) content: Option<Digest>,
    /// The change that is taken up again.
    pub(super) held: Option<Held>,
    /// Items that a label leaves to a person.
    pub(super) labelled: Vec<Labelled>,
    /// What the decider cost besides fuel.
    pub(super) cost: Option<Cost>,
    steps: Vec<StepReceipt>,
    failure: Option<Failure>,
    attempt: Option<FailedAttempt>,
}

impl Context {
    pub(super) fn new(plan: BeatPlan) -> Self {
        Self {
            keys: plan.keys(),
            purse: guard::open_purse(&plan.state, &plan.limits, &plan.now),
            settle: plan.settle,
            fingerprint: None,
            signals: Vec::new(),
            eligible: None,
            items_found: None,
            attempted: false,
            decision: None,
            moved: false,
            summary: None,
            change: None,
            scope: Vec::new(),
            commands: Vec::new(),
            verdicts: Vec::new(),
            notes: Vec::new(),
            ask: Vec::new(),
            content: None,
            held: None,
            labelled: Vec::new(),
            cost: None,
            steps: Vec::new(),
            failure: None,
            attempt: None,
            plan,
        }
    }

    pub(super) fn take_receipts(&mut self, receipts: &[StepReceipt]) {
        for receipt in receipts {
            self.purse.charge(receipt.spent());
            self.steps.push(receipt.clone());
        }
    }

    /// True when a step of that role was called and ran.
    pub(super) fn has_run(&self, role: Role) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| step.role == role && step.usage.is_some())
    }

    /// What the guards look at.
    pub(super) fn situated(&self) -> Situated<'_> {
        self.plan.situated(&self.keys)
    }

    /// The step that was denied a write, or anything at all where the loop treats that as fatal. Looking where one may not
    /// can be a search; writing there is no accident.
    pub(super) fn fatal_denial(&self) -> Option<Failure> {
        let (step, denial) = self.steps.iter().find_map(|step| {
            let writes = |denial: &&Denial| denial.access == Access::Write;
            let denial = step
                .denials
                .iter()
                .find(writes)
                .or_else(|| step.denials.first());
            let fatal = self.plan.denials_are_fatal && step.was_denied();
            (fatal || denial.as_ref().is_some_and(writes)).then_some((step, denial))
        })?;
        let what = denial.map_or_else(String::new, |denial| {
            format!(": {} {:?} ({})", denial.access, denial.path, denial.rule)
        });
        Some(Failure::new(
            FailureClass::Denied,
            &format!("{} {} was denied access{what}", step.role, step.step),
        ))
    }

    /// Notes a failure, and what it means for the item that was worked on. Of several, the first one stands in the
    /// receipt, except that nothing hides trouble of the host.
    pub(super) fn fail(&mut self, failure: Failure) -> Outcome {
        let blames = failure.class.blames_the_item();
        // A change that was good enough for all gates and a person says nothing bad of its item.
        let escalation = if blames && self.held.is_none() {
            self.attempt_failed(&failure.to_string())
        } else {
            None
        };
        if self.failure.is_none() || !blames {
            self.failure = Some(failure.clone());
        }
        match escalation {
            Some((id, why)) => Outcome::Escalated {
                why: vec![why, failure.to_string()],
                id,
            },
            None => failure.into(),
        }
    }

    /// Notes that the change was not good enough.
    pub(super) fn refuse(&mut self, reasons: Vec<String>) -> Outcome {
        match self.attempt_failed(&reasons.join("; ")) {
            Some((id, why)) => Outcome::Escalated {
                why: [vec![why], reasons].concat(),
                id,
            },
            None => Outcome::Discarded { reasons },
        }
    }

    /// Counts the attempt against its item. If that used up its chances and people want to be asked then: what the inbox
    /// calls the item, and why it is a person's now.
    fn attempt_failed(&mut self, reason: &str) -> Option<(String, String)> {
        let item = self.item_at_work()?.clone();
        let mut history = self.plan.state.item(&item, &self.keys.setup);
        let attempt = FailedAttempt {
            item,
            reason: crate::text::one_line(reason, 500),
            person_needed: false,
            content: self.content,
        };
        history.add(&attempt);
        let why = history
            .escalated(self.plan.attempts_per_item)
            .filter(|_| self.plan.escalate_on.repeated_failure)
            .map(|why| {
                let item = &attempt.item;
                (
                    item_id(item),
                    format!("item {item} is left to a person: {why}"),
                )
            });
        self.attempt = Some(attempt);
        why
    }

    fn item_at_work(&self) -> Option<&ItemId> {
        match &self.decision {
            Some(Checked::Move(Move { item, .. })) if self.moved => item.as_ref(),
            _ => None,
        }
    }

    /// The receipt of a beat that ended like this, and whether losing it would matter.
    pub(super) fn into_receipt(self, outcome: Outcome) -> (BeatReceipt, bool) {
        let durable = !matches!(outcome, Outcome::Skipped | Outcome::Waiting { .. });
        let receipt = BeatReceipt {
            progress: self.progress(&outcome),
            beat: self.plan.beat,
            run: self.plan.run,
            started: self.plan.now.timestamp(),
            settle: self.settle,
            loop_file: self.plan.loop_file,
            setup: self.keys.setup,
            contract: self.plan.contract,
            base: self.plan.base,
            fingerprint: self.fingerprint,
            signals: self.signals,
            eligible: self.eligible,
            steps: self.steps,
            attempted: self.attempted,
            decision: self.decision,
            summary: self.summary,
            change: self.change,
            scope: self.scope,
            commands: self.commands,
            verdicts: self.verdicts,
            outcome,
            failure: self.failure,
            attempt: self.attempt,
            fuel: self.purse.spent(),
            notes: self.notes,
            items_found: self.items_found,
            held: self.held.map(|held| held.beat),
            labelled: self.labelled,
            cost: self.cost,
        };
        (receipt, durable)
    }

    /// A move either got the loop on or did not; where none was made, or the host got in its way, that is not known.
    fn progress(&self, outcome: &Outcome) -> Option<bool> {
        match outcome {
            Outcome::Proposed { .. } | Outcome::Committed { .. } | Outcome::Shadowed { .. } => {
                Some(true)
            }
            Outcome::Escalated { .. } if self.settle == Settle::Hold => Some(true),
            _ if self.moved
                && self
                    .failure
                    .as_ref()
                    .is_none_or(|failure| failure.class.blames_the_item()) =>
            {
                Some(false)
            }
            _ => None,
        }
    }
}
