//! What gates said of a change, in every format that people and programs ask for.
//!
//! Owns the [`Format`]s; each has a module, and [`items`] says for all of them what counts.
//!
//! **Invariant:** what fails a run stands in every format, and whatever a component or a repository wrote is text in each of
//! them. JSON has that text as it was written, the others as [`Safe`](super::Safe) shows it.

mod checkstyle;
mod github;
mod items;
mod json;
mod junit;
mod rdjson;
mod said;
mod sarif;
mod summary;
#[cfg(test)]
mod tests;
mod text;

use clap::ValueEnum;
use ringfence_core::gating::Report;

pub(crate) use self::items::MORE_FUEL;
pub(crate) use self::text::page;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// Everything, by docs/gate-report.schema.json.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, a test case for each gate.
    Junit,
    /// GitHub workflow commands, for annotations.
    Github,
    /// Markdown for a GitHub step summary.
    Summary,
    /// reviewdog's DiagnosticResult.
    Rdjson,
    /// Checkstyle XML.
    Checkstyle,
}

/// The report of a run that ends with `exit_code`.
///
/// # Errors
/// A value that JSON cannot express, which none of ours is.
pub(crate) fn write(
    report: &Report,
    exit_code: u8,
    format: Format,
) -> Result<String, serde_json::Error> {
    Ok(match format {
        Format::Text => page(report).print(false),
        Format::Json => json::write(report, exit_code)?,
        Format::Sarif => sarif::write(report, exit_code)?,
        Format::Junit => junit::write(report),
        Format::Github => github::write(report),
        Format::Summary => summary::write(report),
        Format::Rdjson => rdjson::write(report)?,
        Format::Checkstyle => checkstyle::write(report),
    })
}
