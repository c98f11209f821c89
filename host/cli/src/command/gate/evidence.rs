//! Reports that were made elsewhere: `--evidence COMMAND/REPORT=FILE`.

use ringfence_core::evidence::Side;
use ringfence_core::ids::StepId;
use ringfence_runner::gating::HandedIn;
use ringfence_runner::state_dir::open_followed;

use super::{Context, Exit, Stop, whole};
use crate::args::GateAsk;
use crate::render::{Safe, text};

// Limit: what a native program's report may be, too.
const REPORT_BYTES_MAX: u64 = 64 << 20;

/// Reads all of them.
pub(super) fn read(args: &GateAsk, context: &Context<'_, '_>) -> Result<Vec<HandedIn>, Stop> {
    let before = args.evidence_before.iter().map(|one| (one, Side::Before));
    let after = args.evidence.iter().map(|one| (one, Side::After));
    before
        .chain(after)
        .map(|(one, side)| one_of(one, side, context))
        .collect()
}

fn one_of(one: &str, side: Side, context: &Context<'_, '_>) -> Result<HandedIn, Stop> {
    let parts = one.split_once('=').and_then(|(name, file)| {
        let (command, report) = name.split_once('/')?;
        Some((StepId::new(command).ok()?, StepId::new(report).ok()?, file))
    });
    let Some((command, report, file)) = parts else {
        let stop = Stop::new(Exit::Usage, text![Safe::line(one), " names no report"]);
        return Err(stop.help("--evidence test/junit=target/junit.xml, say"));
    };
    let path = context.dir.join(file);
    let bytes = whole(&path, open_followed(&path), REPORT_BYTES_MAX)?;
    Ok(HandedIn {
        command,
        side,
        report: report.to_string(),
        bytes,
    })
}
