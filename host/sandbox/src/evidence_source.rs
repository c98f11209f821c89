//! Where a gate's `evidence` interface takes its answers from.

use std::io;

use ringfence_core::evidence::{CommandReceipt, Side};
use ringfence_core::ids::StepId;

/// What native programs said of a change, as the runner or a test offers it to gates.
pub trait EvidenceSource: Send + Sync {
    /// The runs, at most one for each command and side.
    fn receipts(&self) -> &[CommandReceipt];

    /// The bytes of one report that a receipt names. At most `max` bytes; those of another digest than the receipt's are no answer.
    ///
    /// # Errors
    /// When the bytes cannot be had or are more than `max`.
    fn read(&self, command: &StepId, side: Side, report: &str, max: u64) -> io::Result<Vec<u8>>;
}
