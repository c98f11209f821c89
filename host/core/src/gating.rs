//! Gates over a change that no loop made: what their findings count for, and the report of it all.
//!
//! Owns the judgement of `ringfence gate`: a finding is new, known from a [`Baseline`], or allowed by a comment where the
//! operator lets comments do so; a gate's [`Standing`] follows from that, and the [`Outcome`] from all of them. [`FuelFile`]
//! and [`Profile`] say what gates cost, [`Receipt`] what decided.
//!
//! **Invariant:** whatever is not a whole, well-formed answer has not passed, and neither a baseline nor a comment excuses
//! it. Only findings at a place can be known or allowed, and they are known only while what stands there stays; what a gate
//! says of the change as a whole always counts.

mod allow;
mod baseline;
mod commands;
mod document;
mod fingerprint;
mod fuel;
mod fuel_file;
mod profile;
mod receipt;
mod report;
mod standing;
#[cfg(test)]
mod tests;

pub use self::allow::Comments;
pub use self::baseline::{BASELINE_BYTES_MAX, Baseline, BaselineError, KnownFinding};
pub use self::commands::{COMMAND_UNREAD, OUTPUT_BYTES_MAX, Output, reads, unread};
pub use self::document::{Document, REPORT_VERSION, report_schema};
pub use self::fingerprint::{Fingerprint, Fingerprints, Stands, is_bound};
pub use self::fuel::{
    Compared, FUEL_REGRESSION, FUEL_UNKNOWN, FuelLine, FuelRules, HeldFuel, Percent, PercentError,
};
pub use self::fuel_file::{
    FUEL_FILE, FUEL_FILE_BYTES_MAX, FuelFile, FuelFileError, FuelKey, FuelRecord,
};
pub use self::profile::{
    APART_MIN, FUNCTION_CHARS_MAX, Grown, IN_HOST, POINTS_DEFAULT, POINTS_MAX, Profile, Share,
    UNNAMED,
};
pub use self::receipt::{
    Difference, GateReceipt, RECEIPT_BYTES_MAX, Ran, Receipt, ReceiptError, ReceiptSide, RulesTree,
    receipt_schema,
};
pub use self::report::{ChangeFacts, Excerpt, Judged, Remark, Report, Status, TreeName};
pub use self::standing::{Outcome, Standing, outcome, standing};

/// True for what git calls an object by: 40 or 64 hex digits in lower case.
fn is_object_id(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    matches!(text.len(), 40 | 64) && text.bytes().all(hex)
}
