//! `ringfence estimate`: what a day of a loop may cost, beside what it did cost.
//!
//! **Invariant:** nothing runs and nothing is written; a loop whose plugins are not pinned can be estimated as well.

use ringfence_core::estimate::{Estimate, beats_of, beats_of_every, estimate, measure};
use ringfence_core::ids::LoopId;
use serde::Serialize;

use super::{Context, Stop, journal};
use crate::args;
use crate::exit::Exit;
use crate::render;

/// An estimate for programs.
#[derive(Serialize)]
struct JsonEstimate<'a> {
    version: u32,
    #[serde(rename = "loop")]
    loop_id: &'a LoopId,
    timezone: &'a str,
    #[serde(flatten)]
    estimate: &'a Estimate,
}

/// Prints the estimate of a loop.
pub(super) fn run(args: &args::Estimate, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let open = context.open(args.file.file.as_deref())?;
    let (entries, followed) = journal::read(&open)?;
    context.say_newer(&followed);
    let beats = match args.every {
        Some(every) => beats_of_every(every),
        None => beats_of(&open.spec.cadence, &open.cadence_zone, context.clock.now()),
    };
    let found = estimate(&open.spec, beats, measure(&entries, &open.timezone));
    if args.output.is_json() {
        context.print_json(&JsonEstimate {
            version: 1,
            loop_id: &open.spec.loop_id,
            timezone: &open.spec.budget.timezone,
            estimate: &found,
        })?;
    } else {
        let page = render::estimate::estimate(&open.spec.loop_id, &found);
        context.console.print(&page);
    }
    Ok(Exit::Done)
}
