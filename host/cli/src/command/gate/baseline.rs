//! `ringfence gate baseline`: what is found now is known from now on.
//!
//! **Invariant:** only whole answers become a baseline: where a gate gave no verdict, nothing is written.

use ringfence_core::gating::{Baseline, Outcome};
use ringfence_runner::gating::Options;
use ringfence_runner::state_dir::write_atomic_for_all;

use super::{Context, Exit, Stop, ask, no_verdict, options};
use crate::args::GateBaseline;
use crate::render::{Page, Safe, text};

const FILE: &str = "ringfence-baseline.json";

/// Asks the gates, and writes what they found.
pub(super) fn run(args: &GateBaseline, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let options = Options {
        no_baseline: true,
        ..options(&args.ask, context)?
    };
    let (gating, run) = ask(&args.ask, &options, context)?;
    let report = run.report;
    if report.outcome == Outcome::Broken {
        return Err(no_verdict(&report));
    }
    let (text, count) = Baseline::of(&report.gates);
    let path = match (&args.output, &gating.gates().baseline) {
        (Some(file), _) => context.dir.join(file),
        (None, Some(path)) => gating.top().join(path.as_str()),
        (None, None) => gating.top().join(FILE),
    };
    write_atomic_for_all(&path, text.as_bytes())
        .map_err(|error| Stop::unwritable(&path, &error))?;
    let whole: usize = report
        .gates
        .iter()
        .flat_map(|gate| &gate.remarks)
        .filter(|remark| remark.finding.locations.is_empty())
        .count();
    let mut page = Page::new();
    page.line(text![
        "wrote ",
        Safe::path(&path),
        ": ",
        count,
        " known findings"
    ]);
    if whole > 0 {
        page.line(text![
            whole,
            " findings about the change as a whole are never known, and still count"
        ]);
    }
    if gating.gates().baseline.is_none() && args.output.is_none() {
        page.line(text![
            "name it in the gates file: `baseline = \"",
            FILE,
            "\"` in [verdict]"
        ]);
    }
    context.console.say(&page);
    Ok(Exit::Done)
}
