//! The journal of a beat under way: read once, appended to, never rewritten.

use jiff::tz::TimeZone;
use ringfence_core::ids::StepId;
use ringfence_core::journal::{BeatReceipt, Body, Entry, Head, LoopState, decode_of, encode};
use ringfence_core::text;
use ringfence_core::verdict::Finding;

use super::{BeatError, Seams};
use crate::bookmark::{BaseCommit, Bookmark, Mark, Reach};
use crate::journal_file::{DiskJournal, JournalFile, JournalFileError, LINE_BYTES_MAX};
use crate::state_dir::LoopDir;

// Limit: a line of the journal without what stands around the receipt.
const RECEIPT_BYTES_MAX: usize = LINE_BYTES_MAX - (4 << 10);
// What stays of a receipt that is too long: enough to see what it was about.
const FINDINGS_KEPT: usize = 10;
const FILES_KEPT: usize = 20;
const DENIALS_KEPT: usize = 5;
const CHARS_KEPT: usize = 200;

/// An open journal.
pub(super) struct Record<'a> {
    file: DiskJournal<'a>,
    head: Head,
    /// How many entries are known to be on the disk.
    flushed: u64,
    state: LoopState,
    timezone: TimeZone,
    seams: Seams<'a>,
    /// What was done to a torn end.
    pub(super) repaired: Option<String>,
    /// Whose change is being measured.
    pub(super) executor: Option<StepId>,
}

impl<'a> Record<'a> {
    /// Reads the journal of a loop; a torn end is cut off, kept aside, and said. One that has lost entries is refused.
    pub(super) fn open(
        dir: &LoopDir,
        timezone: &TimeZone,
        seams: Seams<'a>,
    ) -> Result<Self, BeatError> {
        let path = dir.journal();
        let mut file = DiskJournal::open(&path, seams.steps)?;
        let reach = Reach::of(dir);
        let bytes = file.read()?;
        let journal = decode_of(dir.loop_id(), &bytes).map_err(|source| BeatError::Journal {
            path: path.display().to_string(),
            source,
        })?;
        reach.check(dir, &journal.head)?;
        let mut repaired = None;
        if let Some(torn) = journal.torn_tail {
            let kept = file.cut_torn(torn.bytes.start as u64)?;
            let kept = kept
                .map(|path| path.display().to_string())
                .unwrap_or_default();
            repaired = Some(format!(
                "the journal's last line was torn ({}); it was cut off and kept in {kept}",
                torn.why
            ));
        }
        Ok(Self {
            file,
            head: journal.head,
            flushed: reach.flushed(),
            state: LoopState::fold(&journal.entries, timezone),
            timezone: timezone.clone(),
            seams,
            repaired,
            executor: None,
        })
    }

    /// Goes on where a bookmark stands; none when the journal is not as it was left.
    pub(super) fn resume(
        dir: &LoopDir,
        timezone: &TimeZone,
        seams: Seams<'a>,
        bookmark: Bookmark,
    ) -> Option<Self> {
        let path = dir.journal();
        // Looked at before it is opened, since opening makes one where there is none.
        let found = std::fs::symlink_metadata(&path).ok()?;
        bookmark.fits(&found).then_some(())?;
        let file = DiskJournal::open(&path, seams.steps).ok()?;
        bookmark.fits(&file.metadata().ok()?).then_some(())?;
        Some(Self {
            file,
            head: bookmark.head,
            flushed: bookmark.flushed,
            state: bookmark.state,
            timezone: timezone.clone(),
            seams,
            repaired: None,
            executor: None,
        })
    }

    /// What the loop's history adds up to.
    pub(super) fn state(&self) -> &LoopState {
        &self.state
    }

    /// True when there is no entry.
    pub(super) fn is_empty(&self) -> bool {
        self.head.seq() == 0
    }

    /// Leaves a bookmark where the journal ends now.
    pub(super) fn leave_bookmark(self, dir: &LoopDir, timezone: &str, base: BaseCommit) {
        match self.file.metadata() {
            Ok(meta) => {
                let end = (self.head, self.flushed);
                Bookmark::new(Mark::of(&meta), timezone, end, self.state, base).write(dir);
            }
            Err(error) => tracing::debug!(%error, "no bookmark was left in the journal"),
        }
    }

    /// Appends the receipt of a beat.
    pub(super) fn beat(
        &mut self,
        receipt: BeatReceipt,
        durable: bool,
    ) -> Result<(), JournalFileError> {
        self.append(Body::Beat(Box::new(fitted(receipt))), durable)
    }

    /// Appends one entry; `durable` waits until it is on the disk.
    pub(super) fn append(&mut self, body: Body, durable: bool) -> Result<(), JournalFileError> {
        let at = self.seams.clock.now();
        let (line, head) = encode(&self.head, at, &body).map_err(JournalFileError::Unwritable)?;
        self.file
            .append(line.trim_end_matches('\n').as_bytes(), durable)?;
        let seq = head.seq();
        self.state.add(&Entry { seq, at, body }, &self.timezone);
        self.head = head;
        if durable {
            self.flushed = seq;
        }
        Ok(())
    }
}

/// The receipt, shortened when it does not fit into a line: whoever makes a beat talkative must not make it forgotten,
/// with the fuel it spent and the attempt it was.
fn fitted(mut receipt: BeatReceipt) -> BeatReceipt {
    let bytes = serde_json::to_vec(&receipt).map_or(0, |text| text.len());
    if bytes <= RECEIPT_BYTES_MAX {
        return receipt;
    }
    shorten(&mut receipt.scope);
    for result in &mut receipt.verdicts {
        if let Ok(verdict) = &mut result.answer {
            shorten(&mut verdict.findings);
        }
    }
    for step in &mut receipt.steps {
        let more = step.denials.len().saturating_sub(DENIALS_KEPT);
        step.denials.truncate(DENIALS_KEPT);
        step.denials_more = step.denials_more.saturating_add(more as u64);
    }
    if let Some(change) = &mut receipt.change {
        let more = change.files.len().saturating_sub(FILES_KEPT);
        change.files.truncate(FILES_KEPT);
        change.files_more = change.files_more.saturating_add(more as u64);
    }
    receipt.notes.push(format!(
        "findings, denials and files were left out: the whole receipt had {bytes} bytes, and a line may have {LINE_BYTES_MAX}"
    ));
    receipt
}

fn shorten(findings: &mut Vec<Finding>) {
    findings.truncate(FINDINGS_KEPT);
    for finding in findings {
        finding.message = text::cut(&finding.message, CHARS_KEPT);
        finding.help.clear();
        finding.locations.truncate(1);
        finding
            .locations
            .retain(|location| location.path.len() <= CHARS_KEPT);
    }
}

#[cfg(test)]
mod tests {
    use ringfence_core::verdict::{GateResult, Location, Ruling, Severity, Verdict};

    use super::*;

    fn receipt() -> BeatReceipt {
        let digest = ringfence_core::digest::Digest::of(b"x").to_string();
        let text = serde_json::json!({
            "beat": 1, "run": "r", "started": "2026-01-02T03:04:05Z", "settle": "propose", "loop_file": digest,
            "setup": digest, "contract": "0.1.0", "base": {"tree": "t", "commit": null}, "signals": [], "steps": [],
            "attempted": true, "scope": [], "verdicts": [], "outcome": {"kind": "skipped"}, "fuel": 7, "notes": [],
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn a_receipt_always_fits_into_a_line() {
        assert_eq!(fitted(receipt()), receipt());
        let location = Location {
            path: "a/".repeat(200),
            line: 1,
            column: 1,
        };
        let finding = Finding {
            severity: Severity::Error,
            rule: "loud".to_owned(),
            message: "\u{1}".repeat(1_000),
            locations: vec![location; 2],
            help: "\u{1}".repeat(1_000),
        };
        let verdict = Verdict {
            ruling: Ruling::Fail,
            findings: vec![finding; 1_000],
            summary: "no".to_owned(),
        };
        let gate = GateResult {
            gate: StepId::new("loud").unwrap(),
            answer: Ok(verdict),
        };
        let loud = BeatReceipt {
            verdicts: vec![gate],
            ..receipt()
        };
        let fitted = fitted(loud.clone());
        assert!(serde_json::to_vec(&loud).unwrap().len() > LINE_BYTES_MAX);
        assert!(serde_json::to_vec(&fitted).unwrap().len() < 1 << 20);
        assert_eq!((fitted.fuel, fitted.notes.len()), (loud.fuel, 1));
        assert!(fitted.verdicts.iter().all(|result| result.answer.is_ok()));
    }
}
