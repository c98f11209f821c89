//! From a history to its state, entry by entry.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::cadence::{Pace, Waits};
use crate::decision::Checked;
use crate::failure::{Failure, FailureClass};
use crate::ids::ItemId;
use crate::journal::held::give_up;
use crate::journal::state::{
    Committed, DaySpend, Decided, Drilled, ItemHistory, LabelledSince, LoopState, Proposal, Shadow,
};
use crate::journal::{
    Act, Asked, BeatReceipt, Body, Entry, FailedAttempt, Found, GivenUp, Held, InHand, Intent,
    Notice, OperatorAct, Outcome, Reservation, Reserved, Settle, Trip, Tripped, WaitCause, bounds,
    held_id,
};
use crate::text;

// Limit: as soon as whoever has mended a calendar or a plugin would look again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(15);
// Limit: what tells two reasons apart stands at their beginning.
const REASON_CHARS_MAX: usize = 200;

impl LoopState {
    /// The state after `entries`; days are those of `timezone`.
    #[must_use]
    pub fn fold(entries: &[Entry], timezone: &TimeZone) -> Self {
        let mut state = Self::default();
        for entry in entries {
            state.add(entry, timezone);
        }
        state
    }

    /// Adds the entry that follows.
    pub fn add(&mut self, entry: &Entry, timezone: &TimeZone) {
        match &entry.body {
            Body::Beat(receipt) => self.add_beat(receipt, entry.at, timezone),
            Body::Intent(intent) => {
                self.last_beat = self.last_beat.max(Some(intent.beat));
                // A second one cannot be begun before the first has ended; if a file says so, the first one counts.
                self.pending.get_or_insert_with(|| intent.clone());
            }
            Body::Done(done) => {
                self.end_intent(done.beat.0, done.settled.as_deref(), entry.at, timezone);
            }
            Body::Recovered(recovered) => {
                let settled = match &recovered.found {
                    Found::Settled(commit) => Some(commit.as_str()),
                    Found::Nothing => None,
                };
                self.end_intent(recovered.beat.0, settled, entry.at, timezone);
            }
            Body::Operator(act) => {
                self.add_answer(act, entry.at);
                self.add_act(act, entry.at);
                self.pace.waits = None;
            }
            Body::Drill(run) => {
                self.drilled = Some(Drilled {
                    at: entry.at,
                    run: run.clone(),
                });
            }
            Body::Notice(notice) => self.add_notice(notice, entry.at),
            Body::Reserve(reservation) => {
                self.add_reservation(*reservation, day(entry.at, timezone));
            }
        }
    }

    /// A resumed loop is tried at once, and what it did before is held against it no more.
    fn add_act(&mut self, act: &OperatorAct, at: Timestamp) {
        if act.act == Act::Resume {
            self.evidence.resume();
            self.failed_setups.clear();
        }
        self.orders.add(act, at);
    }

    fn add_reservation(&mut self, what: Reservation, day: Date) {
        self.forfeit();
        self.last_beat = self.last_beat.max(Some(what.beat));
        self.reserved = Some(Reserved { day, what });
    }

    /// A beat that left no receipt has cost all that it reserved.
    fn forfeit(&mut self) {
        if let Some(reserved) = self.reserved.take() {
            self.spend(reserved.day, &DaySpend::of(&reserved.what));
        }
    }

    fn spend(&mut self, day: Date, spend: &DaySpend) {
        let spent = self.days.entry(day).or_default();
        *spent = spent.plus(spend);
        self.total = self.total.plus(spend);
        bounds::days(&mut self.days, day);
    }

    fn add_notice(&mut self, notice: &Notice, at: Timestamp) {
        let told = self.notices.entry(notice.about.clone()).or_default();
        told.tries = told.tries.saturating_add(1);
        told.last_try_at = Some(at);
        if notice.error.is_none() {
            told.told_at.get_or_insert(at);
            told.last_told_at = Some(at);
            told.failed = 0;
        } else {
            told.failed = told.failed.saturating_add(1);
        }
        bounds::notices(&mut self.notices);
    }

    fn add_beat(&mut self, receipt: &BeatReceipt, at: Timestamp, timezone: &TimeZone) {
        self.last_beat = self.last_beat.max(Some(receipt.beat));
        if receipt.fingerprint.is_some() {
            self.signals.clone_from(&receipt.signals);
            self.add_labelled(receipt, at);
        }
        let spent_on = self.add_spend(receipt, day(at, timezone));
        self.add_attempt(receipt, at);
        if receipt.attempted {
            self.add_decision(receipt, at);
        }
        self.add_failure(receipt, at);
        self.add_settled(receipt, spent_on);
        self.evidence.add_beat(receipt, at);
        self.add_taken_up(receipt, at);
        self.last_outcome = Some(receipt.outcome.clone());
        if receipt.failure.as_ref().is_some_and(was_interrupted) {
            // It is as due as it was before.
            return;
        }
        self.pace = Pace {
            began: Some(receipt.started),
            waits: match receipt.outcome {
                Outcome::Waiting { cause, until, .. } => Some(Waits {
                    until: until.min(believed_until(cause, at)),
                    loop_file: receipt.loop_file,
                }),
                _ => None,
            },
        };
    }

    /// Counts for the day on which the beat ended, and never for one before it began; returns that day.
    fn add_spend(&mut self, receipt: &BeatReceipt, ended: Date) -> Date {
        let own = |reserved: &mut Reserved| reserved.what.beat == receipt.beat;
        let begun = self.reserved.take_if(own).map(|reserved| reserved.day);
        self.forfeit();
        let cost = receipt.cost.as_ref();
        let spend = DaySpend {
            fuel: receipt.fuel,
            beats: receipt.attempted.into(),
            tokens: cost.map_or(0, |cost| cost.tokens),
            money: cost.map(|cost| cost.money).unwrap_or_default(),
            proposals: 0,
        };
        let day = begun.map_or(ended, |begun| begun.max(ended));
        if spend != DaySpend::default() {
            self.spend(day, &spend);
        }
        day
    }

    fn add_attempt(&mut self, receipt: &BeatReceipt, at: Timestamp) {
        if self.setup != Some(receipt.setup) {
            self.setup = Some(receipt.setup);
            self.items.clear();
            let answered = &self.answered;
            self.rejected.retain(|item, _| answered.contains(item));
            self.cleared.retain(|item, _| answered.contains(item));
        }
        self.answered.clear();
        if let Some(attempt) = &receipt.attempt {
            match self.item_mut(&attempt.item) {
                Some(history) => {
                    history.add(attempt);
                    if let Outcome::Escalated { why, .. } = &receipt.outcome {
                        history.asked = Some(Asked {
                            at,
                            beat: receipt.beat,
                            why: why.clone(),
                            content: attempt.content,
                        });
                    }
                }
                None => {
                    let limit = Self::items_max();
                    let used = limit;
                    self.evidence.trip(Trip::Items, Tripped { at, used, limit });
                }
            }
        } else if let (
            Outcome::Proposed { .. } | Outcome::Committed { .. } | Outcome::Shadowed { .. },
            Some(Checked::Move(mv)),
        ) = (&receipt.outcome, &receipt.decision)
        {
            self.items.retain(|item, _| Some(item) != mv.item.as_ref());
        }
    }

    /// A wish to be woken lasts until a decider was really called again.
    fn add_decision(&mut self, receipt: &BeatReceipt, at: Timestamp) {
        let next_in = match &receipt.decision {
            Some(
                Checked::Noop { next_in, .. }
                | Checked::Move(crate::decision::Move { next_in, .. }),
            ) => *next_in,
            None => None,
        };
        self.wake_at = next_in.and_then(|seconds| {
            at.checked_add(SignedDuration::from_secs(i64::from(seconds)))
                .ok()
        });
        let Some((fingerprint, decision)) = receipt.fingerprint.zip(receipt.decision.as_ref())
        else {
            return;
        };
        if receipt.failure.is_none() {
            let nothing_for = receipt
                .eligible
                .filter(|_| matches!(decision, Checked::Noop { .. }));
            self.decided = Some(Decided {
                fingerprint,
                at,
                nothing_for,
            });
        }
    }

    fn add_failure(&mut self, receipt: &BeatReceipt, at: Timestamp) {
        match (&receipt.failure, &receipt.outcome) {
            (Some(failure), _) if was_interrupted(failure) => {}
            (Some(failure), _) => {
                self.failures = self.failures.saturating_add(1);
                self.failing_since.get_or_insert((receipt.beat, at));
                self.last_failed_at = Some(at);
                self.last_failure = Some(failure.clone());
                self.failed_blind = receipt.fingerprint.is_none() && receipt.held.is_none();
                self.failed_under(receipt.setup);
            }
            (
                None,
                Outcome::Proposed { .. }
                | Outcome::Committed { .. }
                | Outcome::Shadowed { .. }
                | Outcome::NothingToDo { .. },
            ) => {
                self.failures = 0;
                self.failing_since = None;
                self.last_failed_at = None;
                self.last_failure = None;
                self.failed_blind = false;
                self.failed_setups.clear();
            }
            // What a gate refused is no failure of the machinery, and no proof that it works.
            (None, _) => {}
        }
    }

    /// Intents tell of what was settled even when the beat could not; this is for journals without them.
    fn add_settled(&mut self, receipt: &BeatReceipt, day: Date) {
        let item = match &receipt.decision {
            Some(Checked::Move(mv)) => mv.item.clone(),
            _ => None,
        };
        let (beat, base_tree) = (receipt.beat, receipt.base.tree.clone());
        match &receipt.outcome {
            Outcome::Proposed { reference, commit }
                if self.proposals.iter().all(|proposal| proposal.beat != beat) =>
            {
                let proposal = Proposal {
                    beat,
                    item,
                    reference: reference.clone(),
                    commit: commit.clone(),
                    base_tree,
                };
                self.add_proposal(proposal, day);
            }
            Outcome::Committed {
                reference, commit, ..
            } if self.commits.iter().all(|made| made.beat != beat) => {
                let tree = receipt.change.as_ref();
                let committed = Committed {
                    beat,
                    item,
                    reference: reference.clone(),
                    commit: commit.clone(),
                    tree: tree.map_or_else(String::new, |change| change.candidate_tree.clone()),
                    base_tree,
                };
                self.add_commit(committed, day);
            }
            Outcome::Shadowed { patch }
                if self.shadows.iter().all(|shadow| shadow.beat != beat) =>
            {
                let shadow = Shadow {
                    beat,
                    item,
                    patch: patch.clone(),
                    base_tree,
                };
                bounds::push(&mut self.shadows, shadow);
            }
            _ => {}
        }
    }

    fn add_proposal(&mut self, proposal: Proposal, day: Date) {
        bounds::push(&mut self.proposals, proposal);
        self.spend_proposal(day);
    }

    fn add_commit(&mut self, committed: Committed, day: Date) {
        bounds::push(&mut self.commits, committed);
        self.spend_proposal(day);
    }

    fn spend_proposal(&mut self, day: Date) {
        let spend = DaySpend {
            proposals: 1,
            ..DaySpend::default()
        };
        self.spend(day, &spend);
    }

    fn end_intent(&mut self, beat: u64, settled: Option<&str>, at: Timestamp, timezone: &TimeZone) {
        let Some(intent) = self.pending.take_if(|intent| intent.beat.0 == beat) else {
            return;
        };
        let Some(commit) = settled else {
            return;
        };
        let begun = self.reserved.as_ref().map(|reserved| reserved.day);
        let today = day(at, timezone);
        let day = begun.map_or(today, |begun| begun.max(today));
        let Intent {
            beat,
            settle,
            target,
            item,
            base_tree,
            candidate_tree,
            change,
            held,
            ..
        } = intent;
        if let Some(InHand::Settles(laid_aside)) = &held {
            self.held.retain(|held| held.beat != *laid_aside);
        }
        match settle {
            Settle::Propose => {
                let proposal = Proposal {
                    beat,
                    item,
                    reference: target,
                    commit: commit.to_owned(),
                    base_tree,
                };
                self.add_proposal(proposal, day);
            }
            Settle::Shadow => {
                let shadow = Shadow {
                    beat,
                    item,
                    patch: target,
                    base_tree,
                };
                bounds::push(&mut self.shadows, shadow);
            }
            Settle::Commit => {
                let committed = Committed {
                    beat,
                    item,
                    reference: target,
                    commit: commit.to_owned(),
                    base_tree,
                    tree: candidate_tree,
                };
                self.add_commit(committed, day);
            }
            Settle::Hold => {
                let Some(InHand::Holds(hold)) = held else {
                    return;
                };
                self.held.push(Held {
                    beat,
                    since: at,
                    approved: false,
                    file: target,
                    base_tree,
                    candidate_tree,
                    change,
                    hold: *hold,
                });
            }
        }
    }

    /// What became of a change that a person had approved: what failed for the host's sake is tried again, what a plugin
    /// failed at waits for a person anew, and everything else is over.
    fn add_taken_up(&mut self, receipt: &BeatReceipt, at: Timestamp) {
        let Some(beat) = receipt.held else { return };
        match &receipt.failure {
            Some(failure) if !failure.class.blames_the_item() => {}
            // Also where older hosts counted it against the item, and the outcome is that the item is a person's.
            Some(Failure { class, message }) => {
                for held in self.held.iter_mut().filter(|held| held.beat == beat) {
                    held.approved = false;
                    held.since = at;
                    let why = format!("approved, and then failed ({class}): {message}");
                    held.hold.why.push(why);
                }
            }
            None => {
                let was_there = self.held.iter().any(|held| held.beat == beat);
                self.held.retain(|held| held.beat != beat);
                if let (
                    true,
                    Outcome::Discarded { reasons: why } | Outcome::Escalated { why, .. },
                ) = (was_there, &receipt.outcome)
                {
                    let (id, why) = (held_id(beat), why.clone());
                    give_up(&mut self.given_up, GivenUp { id, at, why });
                }
            }
        }
    }

    fn add_labelled(&mut self, receipt: &BeatReceipt, at: Timestamp) {
        let since = |item: &ItemId| {
            let known = self.labelled.iter().find(|known| known.what.item == *item);
            known.map_or(at, |known| known.since)
        };
        let seen = receipt.labelled.iter().map(|what| LabelledSince {
            since: since(&what.item),
            what: what.clone(),
        });
        self.labelled = seen.collect::<Vec<_>>();
    }
}

/// How long a wait is believed by whoever does not look what it comes from: a calendar or a plugin says nothing here when it is
/// another.
fn believed_until(cause: WaitCause, at: Timestamp) -> Timestamp {
    match cause {
        WaitCause::Frozen | WaitCause::Unmetered => {
            at.checked_add(LOOK_AGAIN).unwrap_or(Timestamp::MAX)
        }
        WaitCause::Backoff
        | WaitCause::Budget
        | WaitCause::NoProgress
        | WaitCause::Paused
        | WaitCause::Retired => Timestamp::MAX,
    }
}

fn was_interrupted(failure: &Failure) -> bool {
    failure.class == FailureClass::Interrupted
}

fn day(at: Timestamp, timezone: &TimeZone) -> Date {
    at.to_zoned(timezone.clone()).date()
}

impl ItemHistory {
    /// Adds an attempt that came to nothing.
    pub fn add(&mut self, attempt: &FailedAttempt) {
        let reason = normalise_reason(&attempt.reason);
        self.attempts = self.attempts.saturating_add(1);
        self.person_needed |= attempt.person_needed;
        self.repeated |= self.reasons.contains(&reason);
        self.reasons.retain(|known| *known != reason);
        self.reasons.push(reason);
        bounds::reasons(&mut self.reasons);
    }
}

/// A reason without what differs from time to time: lower case, numbers and long hexadecimal words as `#`, one space
/// between words, at most some 200 characters.
#[must_use]
pub fn normalise_reason(reason: &str) -> String {
    let lower = reason.to_lowercase();
    let words: Vec<String> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(normalise_word)
        .collect();
    text::cut(&words.join(" "), REASON_CHARS_MAX)
}

fn normalise_word(word: &str) -> String {
    let hexadecimal = word.len() >= 8 && word.chars().all(|c| c.is_ascii_hexdigit());
    if hexadecimal {
        return "#".to_owned();
    }
    let mut out = String::new();
    for c in word.chars() {
        match (c.is_numeric(), out.ends_with('#')) {
            (true, true) => {}
            (true, false) => out.push('#'),
            (false, _) => out.push(c),
        }
    }
    out
}
