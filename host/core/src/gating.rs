//! Gates over a change that no loop made: what their findings count for, and the report of it all.
//!
//! Owns the judgement of `ringfence gate`: a finding is new, known from a [`Baseline`], or allowed by a comment where the
//! operator lets comments do so; a gate's [`Standing`] follows from that, and the [`Outcome`] from all of them.
//!
//! **Invariant:** whatever is not a whole, well-formed answer has not passed, and neither a baseline nor a comment excuses
//! it. Only findings at a place can be known or allowed; what a gate says of the change as a whole always counts.

mod allow;
mod baseline;
mod document;
mod fingerprint;
mod profile;
mod report;
mod standing;
#[cfg(test)]
mod tests;

pub use self::allow::Comments;
pub use self::baseline::{BASELINE_BYTES_MAX, Baseline, BaselineError, KnownFinding};
pub use self::document::{Document, REPORT_VERSION, report_schema};
pub use self::fingerprint::{Fingerprint, Fingerprints};
pub use self::profile::{
    APART_MIN, FUNCTION_CHARS_MAX, Grown, IN_HOST, POINTS_DEFAULT, POINTS_MAX, Profile, Share,
};
pub use self::report::{ChangeFacts, Excerpt, Judged, Remark, Report, Status, TreeName};
pub use self::standing::{Outcome, Standing, outcome, standing};
