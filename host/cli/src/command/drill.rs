//! `ringfence drill`: each guard of a loop, tried with a fault and with a clean case.
//!
//! **Invariant:** only a run of all drills is written down: one alone says nothing of the others.

use std::time::{Duration, Instant};

use ringfence_core::ids::LoopId;
use ringfence_core::journal::{Body, DrillRun};
use ringfence_runner::drill::{self, DrillError, NAMES};
use ringfence_runner::driver::Surroundings;
use ringfence_runner::open_loop::LockMode;
use ringfence_runner::steps::NoSteps;
use serde::Serialize;

use super::trust::{loop_dir, write};
use super::{Context, Stop, beat};
use crate::args::Drill;
use crate::exit::Exit;
use crate::render::{Ink, Page, Safe, drill as page, text};

// Limit: what is over sooner needs no telling.
const QUIET: Duration = Duration::from_secs(1);

/// The result for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    #[serde(rename = "loop")]
    loop_id: &'a LoopId,
    passed: bool,
    recorded: bool,
    #[serde(flatten)]
    run: &'a DrillRun,
}

/// Runs the drills.
pub(super) fn run(args: &Drill, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let began = Instant::now();
    let only = args.only.as_deref();
    if let Some(name) = only.filter(|name| !NAMES.contains(name)) {
        let stop = Stop::new(Exit::Usage, text!["there is no drill ", Safe::line(name)]);
        return Err(stop.help(Safe::paragraph(&format!("there are: {}", NAMES.join(", ")))));
    }
    let open = context.open(args.file.file.as_deref())?;
    let locked = context.lock(&open, LockMode::Require)?;
    let sandbox = beat::sandbox(context)?;
    let around = Surroundings {
        sandbox: &sandbox,
        clock: context.clock,
        steps: &NoSteps,
        config_dir: None,
    };
    let dir = loop_dir(&open)?;
    let console = &mut *context.console;
    let run = drill::run(&open, &locked, &dir, around, only, &mut |name| {
        if began.elapsed() >= QUIET {
            let mut page = Page::new();
            let seconds = text![began.elapsed().as_secs(), " s: "].ink(Ink::Faint);
            page.line(text![seconds, "drill ", name]);
            console.say(&page);
        }
    })?;
    let recorded = only.is_none();
    if recorded {
        write(&open, context, Body::Drill(run.clone()), None)?;
    }
    if args.output.is_json() {
        context.print_json(&Json {
            version: 1,
            loop_id: &locked.spec.loop_id,
            passed: run.passed(),
            recorded,
            run: &run,
        })?;
    } else {
        let report = page::report(&locked.spec.loop_id, &run, recorded);
        context.console.print(&report);
    }
    Ok(if run.passed() {
        Exit::Done
    } else {
        Exit::Refused
    })
}

impl From<DrillError> for Stop {
    fn from(error: DrillError) -> Self {
        Self::error(Exit::Host, &error)
    }
}
