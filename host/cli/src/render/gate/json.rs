//! The report as JSON, by the published schema.
//!
//! **Invariant:** nothing is left out, cut or renamed: texts are those that components wrote.

use ringfence_core::gating::{Document, Report};

use crate::render::json;

/// The document.
///
/// # Errors
/// See [`super::write`].
pub(super) fn write(report: &Report, exit_code: u8) -> Result<String, serde_json::Error> {
    json::print(&Document::new(report, exit_code))
}
