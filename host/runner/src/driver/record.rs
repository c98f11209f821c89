//! The journal of a beat under way: read once, appended to, never rewritten.

use jiff::tz::TimeZone;
use ringfence_core::ids::StepId;
use ringfence_core::journal::{BeatReceipt, Body, Entry, Head, LoopState, decode, encode};

use super::{BeatError, Surroundings};
use crate::journal_file::{DiskJournal, JournalFile, JournalFileError};
use crate::state_dir::LoopDir;

/// An open journal.
pub(super) struct Record<'a> {
    file: Box<dyn JournalFile + 'a>,
    entries: Vec<Entry>,
    head: Head,
    around: Surroundings<'a>,
    /// What was done to a torn end.
    pub(super) repaired: Option<String>,
    /// Whose change is being measured.
    pub(super) executor: Option<StepId>,
}

impl<'a> Record<'a> {
    /// Reads the journal of a loop; a torn end is cut off, kept aside, and said.
    pub(super) fn open(dir: &LoopDir, around: Surroundings<'a>) -> Result<Self, BeatError> {
        let path = dir.journal();
        let mut file = DiskJournal::open(&path, around.steps)?;
        let journal = decode(&file.read()?).map_err(|source| BeatError::Journal {
            path: path.display().to_string(),
            source,
        })?;
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
        let (entries, head) = (journal.entries, journal.head);
        Ok(Self {
            file: Box::new(file),
            entries,
            head,
            around,
            repaired,
            executor: None,
        })
    }

    /// What the loop's history adds up to.
    pub(super) fn fold(&self, timezone: &TimeZone) -> LoopState {
        LoopState::fold(&self.entries, timezone)
    }

    /// Appends the receipt of a beat.
    pub(super) fn beat(
        &mut self,
        receipt: BeatReceipt,
        durable: bool,
    ) -> Result<(), JournalFileError> {
        self.append(Body::Beat(Box::new(receipt)), durable)
    }

    /// Appends one entry; `durable` waits until it is on the disk.
    pub(super) fn append(&mut self, body: Body, durable: bool) -> Result<(), JournalFileError> {
        let at = self.around.clock.now();
        let (line, head) = encode(&self.head, at, &body).map_err(JournalFileError::Unwritable)?;
        self.file
            .append(line.trim_end_matches('\n').as_bytes(), durable)?;
        self.entries.push(Entry {
            seq: head.seq(),
            at,
            body,
        });
        self.head = head;
        Ok(())
    }
}
