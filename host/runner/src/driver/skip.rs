//! The short way of a beat that has nothing to do: what the last beat left is looked at, and nothing is made ready.
//!
//! **Invariant:** the machine decides here as it does on the whole way, and is told the same; only a beat that ends without
//! asking anybody, with a receipt that may be lost, comes to its end here. Whatever is missing or odd, or would need a
//! component, the checkout or the journal's past, is left to the whole way, which begins anew: until the receipt is
//! written, nothing has happened. At most one program is started, and nothing is flushed.

use ringfence_core::beat::{BeatPlan, BeatState, Effect, Event};
use ringfence_core::guard::Purse;
use ringfence_core::journal::BeatReceipt;
use ringfence_core::snapshot::Snapshot;
use ringfence_core::spec::{Base as SpecBase, LockedSpec};

use super::plan::{self, Standing};
use super::record::Record;
use super::{BeatError, BeatReport, Begun};
use crate::authority;
use crate::bookmark::{BaseCommit, Bookmark};
use crate::calls::{chain, remembered_reading};
use crate::memo::Memo;
use crate::people;
use crate::state_dir::Origin;
use crate::workspace::Base;

impl Begun<'_> {
    /// Ends the beat if there is nothing to do; none when that is not so, or cannot be said so soon.
    pub(super) fn skip(self) -> Option<Result<BeatReport, BeatError>> {
        let Self {
            open, spec, dir, ..
        } = self;
        let repo = open.project.repository()?;
        let quiet = self.options.memo && spec.base == SpecBase::Head && self.lock.died().is_none();
        (quiet && dir.origin().ok()? == Origin::Ours).then_some(())?;
        let bookmark = Bookmark::read(dir, &open.spec.budget.timezone)?;
        let level = authority::stands(spec, dir, &bookmark.state, self.started).level;
        let seen = repo.glance(&plan::prefix(dir), plan::base_branch(level, spec))?;
        let known = Some(bookmark.base.clone()).filter(|base| base.commit == seen.commit)?;
        let base = Base {
            tree: known.tree.clone(),
            commit: Some(known.commit.clone()),
            time: known.time,
            dir: dir.base(),
        };
        let standing = Standing::settling_nothing(&bookmark.state, dir, seen.branches);
        let plan = plan::plan(&self, standing, &base);
        let (state, receipt) = nothing_to_do(plan, spec, &base, &Memo::new(dir.memo(), true))?;
        let record = Record::resume(dir, &open.timezone, self.around.seams(), bookmark)?;
        Some(self.end(state, receipt, record, known))
    }

    /// Writes the receipt of a beat that found nothing to do. From here on there is no way back.
    fn end(
        self,
        state: BeatState,
        receipt: BeatReceipt,
        mut record: Record<'_>,
        base: BaseCommit,
    ) -> Result<BeatReport, BeatError> {
        let now = self.around.clock.now();
        let (mut event, mut due) = (Event::Recorded, None);
        let mut next = self.open.next(record.state(), now, now);
        if !self.options.dry_run {
            match record.beat(receipt.clone(), false) {
                Ok(()) => {
                    next = self.open.next(record.state(), now, now);
                    due = people::due(self.open, record.state(), self.around.config_dir, now);
                    record.leave_bookmark(self.dir, &self.open.spec.budget.timezone, base);
                }
                Err(error) => event = Event::HostFailed(chain(&error)),
            }
        }
        let (ended, _) = state.next(event);
        let outcome = ended.outcome().cloned();
        Ok(BeatReport {
            receipt,
            outcome: outcome
                .ok_or_else(|| BeatError::Host("the beat was recorded and went on".to_owned()))?,
            found: Vec::new(),
            logs: Vec::new(),
            diff: String::new(),
            recovered: Vec::new(),
            next,
            dry_run: self.options.dry_run,
            due,
        })
    }
}

/// The beat's receipt, when it ends without asking anybody and the receipt may be lost.
fn nothing_to_do(
    plan: BeatPlan,
    spec: &LockedSpec,
    base: &Base,
    memo: &Memo,
) -> Option<(BeatState, BeatReceipt)> {
    let (mut state, mut effect) = BeatState::start(plan);
    if let Effect::Observe { purse } = effect {
        (state, effect) = state.next(remembered(spec, purse, base, memo)?);
    }
    match effect {
        Effect::Record {
            receipt,
            durable: false,
        } => Some((state, *receipt)),
        _ => None,
    }
}

/// What the sensors said of this base, if all of it is remembered and the purse would have covered each call.
fn remembered(spec: &LockedSpec, purse: Purse, base: &Base, memo: &Memo) -> Option<Event> {
    let (mut snapshot, mut receipts) = (Snapshot::default(), Vec::new());
    for step in &spec.sensors {
        purse.offer(step.fuel_cap()).ok()?;
        let (reading, receipt) = remembered_reading(memo, base, step)?;
        snapshot.sensors.push(reading);
        receipts.push(receipt);
    }
    Some(Event::Observed { snapshot, receipts })
}
