//! The JSON document of one run, which is published: [`Report`] with a version and the exit code.
//!
//! Owns its schema. Fields are only ever added, and readers ignore what they do not know.
//!
//! **Invariant:** the schema is made of the very types that are written.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;

use super::Report;

/// The version of the document's shape.
pub const REPORT_VERSION: u32 = 1;

/// What `ringfence gate --format json` writes.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[schemars(title = "Ringfence gate report")]
pub struct Document<'a> {
    /// The version of this shape: 1.
    pub version: u32,
    /// What the program ended with.
    pub exit_code: u8,
    /// The run.
    #[serde(flatten)]
    pub report: &'a Report,
}

impl<'a> Document<'a> {
    /// The document of a run that ended with `exit_code`.
    #[must_use]
    pub fn new(report: &'a Report, exit_code: u8) -> Self {
        Self {
            version: REPORT_VERSION,
            exit_code,
            report,
        }
    }
}

/// The JSON Schema of [`Document`], draft 2020-12.
#[must_use]
pub fn report_schema() -> Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Document<'static>>()
        .to_value()
}
