//! Publishing between two lines of the journal, and saying later what came of it.

use ringfence_core::beat::{Committed, Holding, Publication, Published, Shadowed};
use ringfence_core::change::ChangeSet;
use ringfence_core::digest::Digest;
use ringfence_core::failure::{Failure, FailureClass};
use ringfence_core::ids::BeatNo;
use ringfence_core::journal::{
    Body, Done, Found, Hold, InHand, Intent, Recovered, Settle, held_id,
};
use ringfence_core::text::one_line;
use ringfence_core::verdict::Ruling;

use super::record::Record;
use super::{Beat, BeatError, Progress};
use crate::calls::chain;
use crate::journal_file::JournalFileError;
use crate::recovery;
use crate::settle::commit::{self, Begun};
use crate::settle::{self, SettleError, Settlement, Target};
use crate::steps::Steps;
use crate::workspace::Workspace;

// Limit: what a report shows; the branch or patch has all of it.
const DIFF_BYTES_MAX: usize = 1 << 20;
const DIFF_CONTEXT: u32 = 3;
// Limit: what `git log --oneline` shows of a subject, and a line of prose.
const SUBJECT_CHARS_MAX: usize = 100;
const REASON_CHARS_MAX: usize = 500;

impl Beat<'_> {
    /// Makes the change a branch, or a patch where there is no repository.
    pub(super) fn publish(&mut self, publication: &Publication) -> Result<Published, String> {
        let held = publication.held.map(InHand::Settles);
        match self.settle(publication, Target::Propose, held)? {
            settle::Published::Branch { reference, commit } => Ok(Published { reference, commit }),
            settle::Published::Patch { file } => Ok(Published {
                reference: file,
                commit: String::new(),
            }),
        }
    }

    /// Records the change as a patch.
    pub(super) fn shadow(&mut self, publication: &Publication) -> Result<Shadowed, String> {
        if self.options.dry_run {
            return Ok(Shadowed {
                patch: "none (dry run)".to_owned(),
            });
        }
        let held = publication.held.map(InHand::Settles);
        patch(self.settle(publication, Target::Shadow, held)?)
    }

    /// Lays the change aside as a patch, with all that it takes to go on with it later.
    pub(super) fn hold(&mut self, holding: &Holding) -> Result<Shadowed, String> {
        let publication = &holding.publication;
        if self.options.dry_run {
            return Ok(Shadowed {
                patch: "none (dry run)".to_owned(),
            });
        }
        let diff = self
            .workspace
            .patch(&publication.change)
            .map_err(|error| chain(&error))?;
        let hold = Hold {
            mv: publication.mv.clone(),
            summary: publication.summary.clone(),
            why: holding.why.clone(),
            content: holding.content,
            patch: Digest::of(&diff),
        };
        let held = Some(InHand::Holds(Box::new(hold)));
        patch(self.settle(publication, Target::Hold, held)?)
    }

    /// Moves the target branch on by one commit.
    pub(super) fn commit(&mut self, publication: &Publication) -> Result<Committed, Failure> {
        (self.progress)(Progress::Settling);
        let host = |error: &dyn std::error::Error| Failure::host(&chain(error));
        let Some(reference) = self.target.clone() else {
            return Err(Failure::host(
                "a commit was asked for, and no branch is the target",
            ));
        };
        let message = self.message(publication);
        let settlement = Settlement {
            loop_id: &self.spec.loop_id,
            beat: publication.beat,
            target: Target::Propose,
            base: self.base,
            change: &publication.change,
            message: &message,
            time: self.around.clock.now(),
        };
        let steps = self.around.steps;
        let prepared = commit::prepare(self.workspace, &settlement, &reference, steps)
            .map_err(|error| settle_failure(&error))?;
        let done = Committed {
            reference,
            commit: prepared.commit.clone(),
            previous: prepared.base_commit.clone(),
        };
        let intent = Intent {
            settle: Settle::Commit,
            target: prepared.reference.clone(),
            commit: Some(prepared.commit.clone()),
            working_tree: prepared.working_tree,
            ..intent(
                publication,
                &settlement,
                publication.held.map(InHand::Settles),
            )
        };
        let appended = self.record.append(Body::Intent(intent), true);
        appended.map_err(|error| host(&error))?;
        let moved = commit::carry_out(self.workspace, publication.beat, prepared, steps);
        let settled = match &moved {
            Ok(()) => Some(done.commit.clone()),
            Err(error) if error.leaves_nothing() => None,
            Err(error) => return Err(settle_failure(error)),
        };
        self.done(publication.beat, settled)
            .map_err(|error| host(&error))?;
        moved.map(|()| done).map_err(|error| settle_failure(&error))
    }

    fn done(&mut self, beat: BeatNo, settled: Option<String>) -> Result<(), JournalFileError> {
        self.record.append(Body::Done(Done { beat, settled }), true)
    }

    fn settle(
        &mut self,
        publication: &Publication,
        target: Target,
        held: Option<InHand>,
    ) -> Result<settle::Published, String> {
        (self.progress)(Progress::Settling);
        let message = self.message(publication);
        let settlement = Settlement {
            loop_id: &self.spec.loop_id,
            beat: publication.beat,
            target,
            base: self.base,
            change: &publication.change,
            message: &message,
            time: self.around.clock.now(),
        };
        let intent = intent(publication, &settlement, held);
        self.record
            .append(Body::Intent(intent), true)
            .map_err(|error| chain(&error))?;
        let published = settle::carry_out(self.workspace, &settlement, self.around.steps);
        let settled = match &published {
            Ok(settle::Published::Branch { commit, .. }) => Some(commit.clone()),
            Ok(settle::Published::Patch { .. }) => Some(String::new()),
            Err(error) if error.leaves_nothing() => None,
            // Whether it is there is for the next beat to find out: the intent stays open.
            Err(error) => return Err(chain(error)),
        };
        self.done(publication.beat, settled)
            .map_err(|error| chain(&error))?;
        published.map_err(|error| chain(&error))
    }

    fn message(&self, publication: &Publication) -> String {
        let summary = match publication.summary.as_str() {
            "" => "Change by a loop",
            summary => summary,
        };
        let gates = publication.verdicts.iter().map(|(gate, verdict)| {
            let ruling = match verdict.ruling {
                Ruling::Pass => "passed",
                Ruling::Fail => "failed",
                Ruling::Abstain => "abstained",
            };
            format!("{gate} {ruling}")
        });
        let gates = gates.collect::<Vec<_>>().join(", ");
        // One line each: a component must not be able to write trailers of its own.
        let line = |text: &str, chars_max| one_line(&in_order(text), chars_max);
        let subject = line(summary, SUBJECT_CHARS_MAX);
        let reason = line(&publication.mv.reason, REASON_CHARS_MAX);
        // What a subject has no room for stands in the body.
        let whole = Some(line(summary, REASON_CHARS_MAX)).filter(|whole| *whole != subject);
        let body = whole
            .into_iter()
            .chain([reason])
            .collect::<Vec<_>>()
            .join("\n\n");
        let (loop_id, beat) = (&self.spec.loop_id, publication.beat);
        let item = publication
            .mv
            .item
            .as_ref()
            .map_or("none", |item| item.as_str());
        let approved = publication
            .held
            .map(|beat| format!("Ringfence-Approved: {}\n", held_id(beat)))
            .unwrap_or_default();
        format!(
            "{subject}\n\n{body}\n\nRingfence-Loop: {loop_id}\nRingfence-Beat: {beat}\nRingfence-Item: {item}\nRingfence-Gates: {gates}\n{approved}"
        )
    }
}

/// The text without the marks that make a terminal show it in another order.
fn in_order(text: &str) -> String {
    let turns = |c: &char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !turns(c)).collect()
}

fn patch(published: settle::Published) -> Result<Shadowed, String> {
    match published {
        settle::Published::Patch { file } => Ok(Shadowed { patch: file }),
        settle::Published::Branch { reference, .. } => {
            Err(format!("a branch {reference} where a patch was asked for"))
        }
    }
}

fn intent(publication: &Publication, settlement: &Settlement<'_>, held: Option<InHand>) -> Intent {
    let (settle, target) = match settlement.intent() {
        settle::Intent::Branch { reference, .. } => (Settle::Propose, reference),
        settle::Intent::Patch { file, .. } => match settlement.target {
            Target::Propose => (Settle::Propose, file),
            Target::Shadow => (Settle::Shadow, file),
            Target::Hold => (Settle::Hold, file),
        },
    };
    Intent {
        beat: publication.beat,
        settle,
        target,
        item: publication.mv.item.clone(),
        change: publication.digest,
        base_tree: publication.change.base_tree.clone(),
        base_commit: settlement.base.commit.clone(),
        candidate_tree: publication.change.candidate_tree.clone(),
        commit: None,
        working_tree: false,
        held,
    }
}

/// What a settlement that failed means: somebody else's work in the way is nobody's fault.
fn settle_failure(error: &SettleError) -> Failure {
    let class = match error {
        SettleError::Conflict(_) => FailureClass::Conflict,
        _ => FailureClass::Host,
    };
    Failure::new(class, &chain(error))
}

/// Finds out what came of a publication that was cut off, and writes it down.
pub(super) fn recover(
    workspace: &Workspace,
    record: &mut Record<'_>,
    steps: &dyn Steps,
) -> Result<Option<String>, BeatError> {
    let Some(pending) = record.state().pending.clone() else {
        let finished = commit::finish(workspace, steps)?;
        return Ok(finished.then(|| {
            "what an earlier beat had begun in the working tree was brought to its end".to_owned()
        }));
    };
    if pending.settle == Settle::Commit {
        return recover_commit(workspace, record, &pending, steps).map(Some);
    }
    let candidate_tree = pending.candidate_tree.clone();
    let intent = match (&pending.base_commit, pending.target.starts_with("refs/")) {
        (Some(base_commit), true) => settle::Intent::Branch {
            reference: pending.target.clone(),
            base_commit: base_commit.clone(),
            candidate_tree,
        },
        _ => settle::Intent::Patch {
            file: pending.target.clone(),
            candidate_tree,
        },
    };
    let (found, note) = match recovery::look(workspace, &intent)? {
        recovery::Found::Published { commit } => {
            let note = format!(
                "beat {} was cut off after it had published {}",
                pending.beat, pending.target
            );
            (Found::Settled(commit.unwrap_or_default()), note)
        }
        recovery::Found::NotPublished => {
            let note = format!(
                "beat {} was cut off before it had published {}; nothing is left of it",
                pending.beat, pending.target
            );
            (Found::Nothing, note)
        }
    };
    let recovered = Recovered {
        beat: pending.beat,
        found,
        note: note.clone(),
    };
    record.append(Body::Recovered(recovered), true)?;
    Ok(Some(note))
}

fn recover_commit(
    workspace: &Workspace,
    record: &mut Record<'_>,
    pending: &Intent,
    steps: &dyn Steps,
) -> Result<String, BeatError> {
    let (commit, note) = commit::recover(
        workspace,
        Begun {
            beat: pending.beat,
            reference: &pending.target,
            base_commit: pending.base_commit.as_deref().unwrap_or_default(),
            commit: pending.commit.as_deref().unwrap_or_default(),
        },
        steps,
    )?;
    let recovered = Recovered {
        beat: pending.beat,
        found: commit.map_or(Found::Nothing, Found::Settled),
        note: note.clone(),
    };
    record.append(Body::Recovered(recovered), true)?;
    Ok(note)
}

/// The change for people; what cannot be shown is said.
pub(super) fn diff(workspace: &Workspace, change: &ChangeSet) -> String {
    let paths: Vec<_> = change.files.iter().map(|file| file.path.clone()).collect();
    match workspace.unified_diff(change, DIFF_CONTEXT, &paths, DIFF_BYTES_MAX) {
        Ok(diff) => String::from_utf8_lossy(&diff).into_owned(),
        Err(error) => format!("(the diff cannot be shown: {})", chain(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_as_it_is_written() {
        assert_eq!(in_order("a\u{202e}b\u{2066}é\u{61c}"), "abé");
    }
}
