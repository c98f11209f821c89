//! The measurements, one module for each group of them.
//!
//! **Invariant:** a group compares within itself; figures of two groups, let alone of two runs, are not compared.

pub mod call;
pub mod files;
pub mod gates;
pub mod overhead;
pub mod policy;

use crate::Outcome;
use crate::report::Row;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Turns of everybody in the short measurements, of which the long ones take a part.
    pub rounds: usize,
}

/// A group: its name on the command line, and what it measures.
pub type Group = (&'static str, fn(Scale) -> Outcome<Vec<Row>>);

/// All groups, in the order of the report.
pub const ALL: &[Group] = &[
    ("call", call::run),
    ("files", files::run),
    ("gates", gates::run),
    ("policy", policy::run),
    ("overhead", overhead::run),
];
