//! `ringfence health`: how a loop does, and what follows from it for its authority, its pace and its use.
//!
//! **Invariant:** it recommends and never acts.

use jiff::Timestamp;
use ringfence_core::ids::LoopId;
use ringfence_core::regulator::{
    Advice, Cadence, Health, Phase, Rescue, Saturation, Window, advise, cadence, saturation,
};
use ringfence_core::spec::Level;
use serde::Serialize;

use super::trust::know;
use super::{Context, Stop};
use crate::args;
use crate::exit::Exit;
use crate::render::authority;

// Limit: a page; the figures are folded from all of them.
const RESCUES_SHOWN: usize = 10;

/// How a loop does.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The version of this shape.
    pub(crate) version: u32,
    /// The loop.
    #[serde(rename = "loop")]
    pub(crate) loop_id: LoopId,
    /// How far it goes.
    pub(crate) level: Level,
    /// How far it has been trusted.
    pub(crate) phase: Phase,
    /// Since when.
    pub(crate) since: Timestamp,
    /// What it adds up to since then.
    pub(crate) cycles: Cycles,
    /// What to do about its authority.
    pub(crate) advice: Advice,
    /// What to do about its pace.
    pub(crate) cadence: Cadence,
    /// Why.
    pub(crate) cadence_why: String,
    /// Whether it still brings anything.
    pub(crate) saturation: Saturation,
    /// The last window of cycles.
    pub(crate) current: Window,
    /// The one before it.
    pub(crate) prior: Option<Window>,
    /// The last times that people had to help.
    pub(crate) rescues: Vec<Rescue>,
}

/// Cycles, added up.
#[derive(Debug, Serialize)]
pub(crate) struct Cycles {
    /// How many.
    pub(crate) all: usize,
    /// Those that went well.
    pub(crate) well: usize,
    /// Pieces of work.
    pub(crate) tasks: u32,
    /// Those of them that had been done before.
    pub(crate) duplicates: u32,
    /// How often people had to help.
    pub(crate) rescues: u32,
}

/// Prints how a loop does.
pub(super) fn run(args: &args::Health, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let known = know(args.file.file.as_deref(), context)?;
    let record = &known.record;
    let (health, rescues) = (record.health(), record.rescue_times());
    let entered = known.entered();
    let (cadence, cadence_why) = cadence(&record.beats);
    let (current, prior) = record.windows();
    let since = health.iter().filter(|one| one.ts >= entered.entered_at);
    let last = record.rescues.len().saturating_sub(RESCUES_SHOWN);
    let report = Report {
        version: 1,
        loop_id: known.spec.loop_id.clone(),
        level: known.reach.level,
        phase: entered.phase,
        since: entered.entered_at,
        cycles: added_up(since),
        advice: advise(entered, &health, &rescues, known.now, true),
        cadence,
        cadence_why,
        saturation: saturation(&current, prior.as_ref()),
        current,
        prior,
        rescues: record.rescues.iter().skip(last).cloned().collect(),
    };
    if args.output.is_json() {
        context.print_json(&report)?;
    } else {
        context.console.print(&authority::health(&report));
    }
    Ok(Exit::Done)
}

fn added_up<'a>(cycles: impl Iterator<Item = &'a Health>) -> Cycles {
    let mut sums = Cycles {
        all: 0,
        well: 0,
        tasks: 0,
        duplicates: 0,
        rescues: 0,
    };
    for one in cycles {
        sums.all += 1;
        sums.well += usize::from(one.e2e_ok);
        sums.tasks = sums.tasks.saturating_add(one.tasks_created);
        sums.duplicates = sums.duplicates.saturating_add(one.duplicates);
        sums.rescues = sums.rescues.saturating_add(one.manual_rescues);
    }
    sums
}
