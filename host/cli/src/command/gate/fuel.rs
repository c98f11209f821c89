//! `ringfence gate fuel`: what gates cost on a change, beside what is recorded, and where that goes.
//!
//! **Invariant:** only whole answers are recorded: where a gate gave no verdict, nothing is written.

use ringfence_core::failure::FailureClass;
use ringfence_core::gating::{
    Compared, FUEL_FILE_BYTES_MAX, FuelLine, Outcome, POINTS_DEFAULT, Percent, Profile, Report,
    TreeName,
};
use ringfence_core::ids::StepId;
use ringfence_core::quantity::Fuel;
use ringfence_runner::gating::{FuelOptions, Gating, GatingError, Run};
use ringfence_runner::state_dir::write_atomic_for_all;
use ringfence_sandbox::FUEL_RULES;
use serde::Serialize;

use super::{Context, Exit, Stop, beat, git, open, options, wanted, watched};
use crate::args::GateFuel;
use crate::render::table::Table;
use crate::render::{Ink, Page, Safe, Text, text};

// Limit: a screen; `--format json` has all that are kept.
const FUNCTIONS_SHOWN: usize = 25;

/// The comparison for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    base: &'a TreeName,
    head: &'a TreeName,
    rules: &'a str,
    allowed: Option<Percent>,
    gates: &'a [FuelLine],
}

/// A profile for programs.
#[derive(Serialize)]
struct JsonProfile<'a> {
    version: u32,
    gate: &'a StepId,
    fuel: Fuel,
    /// The fuel between two points.
    apart: Fuel,
    profile: &'a Profile,
}

/// Asks gates, and shows or records what that cost.
pub(super) fn run(args: &GateFuel, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let fuel = FuelOptions {
        file: args.fuel_file.clone(),
        ..FuelOptions::default()
    };
    let profiled: Vec<StepId> = args.profile.iter().cloned().collect();
    let mut options = options(&args.ask, context)?;
    if !profiled.is_empty() {
        options.only.clone_from(&profiled);
    }
    let wanted = wanted(&args.ask.change, context)?;
    let sandbox = beat::sandbox(context)?;
    let (program, start, clock) = (git(context)?, context.dir.clone(), context.clock);
    let points = args.points.unwrap_or(POINTS_DEFAULT);
    let (gating, run, profiles) = watched(context.console, &sandbox, clock, |around| {
        let gating = open(&program, &start, &args.ask.file, around)?;
        if args.record {
            // What cannot be added to is not worth the asking.
            gating.fuel_file(&fuel)?;
        }
        // The comparison is made below, and fails nothing.
        let run = gating.run_unheld(&wanted, &options, around)?;
        let gates: Vec<StepId> = match run.report.outcome {
            Outcome::Broken if used_up(&run.report) => profiled.clone(),
            Outcome::Broken => Vec::new(),
            _ if args.record => run.gates().cloned().collect(),
            _ => profiled.clone(),
        };
        let profiles = gating.profile(&run, &gates, points, options.jobs, around)?;
        Ok::<_, GatingError>((gating, run, profiles))
    })?;
    if run.report.outcome == Outcome::Broken && profiles.is_empty() {
        return Err(super::no_verdict(&run.report));
    }
    if args.record {
        return record(args, &gating, &run, &profiles, context);
    }
    if let Some(gate) = &args.profile {
        return show_profile(args, gate, &run, &profiles, context);
    }
    let (place, file) = gating.fuel_file(&fuel)?;
    let recorded = file.is_some();
    let file = file.map(|(file, _)| file).unwrap_or_default();
    let allowed = run.allowed(&fuel);
    let lines = run.compare(&file, allowed);
    if args.output.is_json() {
        context.print_json(&Json {
            version: 1,
            base: &run.report.base,
            head: &run.report.head,
            rules: FUEL_RULES,
            allowed,
            gates: &lines,
        })?;
        return Ok(Exit::Done);
    }
    let mut page = table(&lines);
    if !recorded {
        page.gap();
        let nothing = text!["there is no ", Safe::path(&place)];
        page.line(text![nothing, "; `ringfence gate fuel --record` writes it"].ink(Ink::Faint));
    }
    context.console.print(&page);
    Ok(Exit::Done)
}

/// True where all that keeps gates from a verdict is that they used up their fuel.
fn used_up(report: &Report) -> bool {
    let mut failures = report.gates.iter().filter_map(|gate| gate.failure.as_ref());
    failures.all(|failure| failure.class == FailureClass::OutOfFuel)
}

fn record(
    args: &GateFuel,
    gating: &Gating,
    run: &Run,
    profiles: &[(StepId, Profile)],
    context: &mut Context<'_, '_>,
) -> Result<Exit, Stop> {
    if profiles.is_empty() {
        let stop = Stop::new(Exit::Usage, text!["no gate was asked: nothing was changed"]);
        return Err(stop.help("name a change with --base and --head, or take every file: --all"));
    }
    let fuel = FuelOptions {
        file: args.fuel_file.clone(),
        ..FuelOptions::default()
    };
    let (path, found) = gating.fuel_file(&fuel)?;
    let mut file = found.map(|(file, _)| file).unwrap_or_default();
    let count = run.record(&mut file, profiles);
    let text = file.text();
    if text.len() > FUEL_FILE_BYTES_MAX {
        let what = text![
            Safe::path(&path),
            " would become longer than the ",
            FUEL_FILE_BYTES_MAX >> 20,
            " MiB that are read"
        ];
        return Err(Stop::new(Exit::Usage, what).help("delete records of changes that are old"));
    }
    write_atomic_for_all(&path, text.as_bytes())
        .map_err(|error| Stop::unwritable(&path, &error))?;
    let mut page = Page::new();
    let known = text![
        count,
        " gates on this change, ",
        file.len(),
        " records in all"
    ];
    page.line(text!["wrote ", Safe::path(&path), ": ", known]);
    if run.allowed(&fuel).is_none() {
        let hold = "hold gates to it: `regression = \"5%\"` in [fuel] of the gates file, or ";
        page.line(text![hold, "--fuel-regression 5%"]);
    }
    context.console.say(&page);
    Ok(Exit::Done)
}

fn show_profile(
    args: &GateFuel,
    gate: &StepId,
    run: &Run,
    profiles: &[(StepId, Profile)],
    context: &mut Context<'_, '_>,
) -> Result<Exit, Stop> {
    let used = run.report.gates.iter().find(|judged| judged.gate == *gate);
    let used = used.and_then(|judged| judged.receipt.usage.as_ref());
    let (Some(usage), Some((_, profile))) = (used, profiles.first()) else {
        let what = text!["gate ", gate, " was not asked: nothing was changed"];
        return Err(Stop::new(Exit::Usage, what));
    };
    let fuel = usage.fuel.used;
    let apart = profile.part(fuel, 1);
    if args.output.is_json() {
        context.print_json(&JsonProfile {
            version: 1,
            gate,
            fuel,
            apart,
            profile,
        })?;
        return Ok(Exit::Done);
    }
    let mut page = Page::new();
    page.line(text![
        "gate ",
        gate,
        " used ",
        fuel.0,
        " fuel; looked at in ",
        profile.points,
        " points, one each ",
        Safe::line(&apart.approx())
    ]);
    if run.report.outcome == Outcome::Broken {
        page.line(text!["it gave no verdict: that is all that it is allowed"]);
    }
    page.gap();
    let mut table = Table::new(0, &[("own", 7), ("all", 7), ("function", 80)]);
    for share in profile.functions.iter().take(FUNCTIONS_SHOWN) {
        let part = |points: u32| percent(points, profile.points);
        table.row([
            part(share.own),
            part(share.all),
            Safe::line(&share.name).into(),
        ]);
    }
    table.put(&mut page);
    context.console.print(&page);
    Ok(Exit::Done)
}

fn percent(part: u32, whole: u32) -> Text {
    let tenths = u64::from(part) * 1_000 / u64::from(whole.max(1));
    text![tenths / 10, ".", tenths % 10, "%"]
}

fn table(lines: &[FuelLine]) -> Page {
    let mut page = Page::new();
    if lines.is_empty() {
        page.line("no gate was asked: nothing was changed");
        return page;
    }
    let columns = [
        ("gate", 24),
        ("fuel", 15),
        ("recorded", 15),
        ("change", 10),
        ("", 40),
    ];
    let mut table = Table::new(0, &columns);
    let amount = |fuel: Option<Fuel>| fuel.map_or(Text::from("-"), |fuel| text![fuel.0]);
    for line in lines {
        let note: Text = match line.compared {
            Compared::Regressed => text!["more than is allowed"].ink(Ink::Bad),
            Compared::Unknown | Compared::NotCalled => Safe::line(&line.why).into(),
            Compared::Same | Compared::Cheaper | Compared::Dearer => {
                match line.changed.as_slice() {
                    [] => Text::from(""),
                    changed => text!["another ", Safe::line(&changed.join(", "))],
                }
            }
        };
        let change = line.change().unwrap_or_default();
        table.row([
            text![&line.gate],
            amount(line.used),
            amount(line.recorded),
            Safe::line(&change).into(),
            note,
        ]);
    }
    table.put(&mut page);
    page
}
