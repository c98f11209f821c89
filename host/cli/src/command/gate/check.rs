//! `ringfence gate check`: what each gate may read.
//!
//! **Invariant:** runs nothing, and writes nothing but `ringfence.lock`, and that only when asked to.

use ringfence_core::spec::LockedGates;
use ringfence_runner::open_loop::LockMode;
use serde::Serialize;

use super::{Context, Exit, Stop, beat, git, open, watched};
use crate::args::GateCheck;
use crate::command::check::pins;
use crate::render::diagnostic::diagnostics;
use crate::render::grant::gate_grants;
use crate::std_plugins::StdPlugins;

/// The result for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    file: &'a str,
    gates: &'a LockedGates,
    /// Plugins that `ringfence.lock` does not have; no gate is asked before it has them.
    unpinned: &'a [String],
}

/// Reads and locks gates, and prints their grants.
pub(super) fn run(args: &GateCheck, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let mode = if args.write_lock {
        LockMode::Write
    } else {
        LockMode::Check
    };
    let sandbox = beat::sandbox(context)?;
    let (program, start, clock) = (git(context)?, context.dir.clone(), context.clock);
    let (gating, locked, pinned) = watched(context.console, &sandbox, clock, |around| {
        let gating = open(&program, &start, &args.file, around)?;
        let (locked, _, pins) = gating.lock_accepting(&StdPlugins, mode, &args.accept)?;
        Ok::<_, ringfence_runner::gating::GatingError>((gating, locked, pins))
    })?;
    let file = gating.path().as_str();
    if args.output.is_json() {
        context.print_json(&Json {
            version: 1,
            file,
            gates: &locked,
            unpinned: &pinned.unpinned,
        })?;
        return Ok(Exit::Done);
    }
    if !gating.warnings().is_empty() {
        let page = diagnostics(file, gating.text(), gating.warnings());
        context.console.say(&page);
    }
    let mut page = gate_grants(&locked);
    page.gap();
    let command = "ringfence gate check";
    page.append(pins(&pinned, args.write_lock, "No gate", command));
    context.console.print(&page);
    Ok(Exit::Done)
}
