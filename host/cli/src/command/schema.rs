//! `ringfence schema`: the JSON Schema of a document.

use ringfence_core::decision::situation_schema;
use ringfence_core::gating::{receipt_schema, report_schema};
use ringfence_core::manifest::plugin_schema;
use ringfence_core::spec::{gates_file_schema, loop_file_schema};

use super::{Context, Stop};
use crate::args::{Document, Schema};
use crate::exit::Exit;

/// Prints the schema.
pub(super) fn run(args: &Schema, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let schema = match args.document {
        Document::LoopFile => loop_file_schema(),
        Document::Situation => situation_schema(),
        Document::GatesFile => gates_file_schema(),
        Document::GateReport => report_schema(),
        Document::GateReceipt => receipt_schema(),
        Document::Plugin => plugin_schema(),
    };
    context.print_json(&schema)?;
    Ok(Exit::Done)
}
