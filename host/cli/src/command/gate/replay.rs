//! `ringfence gate replay`: a run made again from its receipt.
//!
//! **Invariant:** 0 means that everything came to the same, 1 that something did not, and whatever keeps a run from being made
//! again is an error.

use std::path::PathBuf;

use ringfence_core::gating::{Difference, Receipt};
use ringfence_runner::gating::{
    FuelOptions, Gating, GatingError, Options, ReceiptFileError, ReplayError, Replayed,
    read_receipt,
};
use ringfence_runner::git::discover::Project;
use serde::Serialize;

use super::{Context, Exit, Stop, beat, git, watched};
use crate::args::GateReplay;
use crate::render::{Ink, Page, Safe, Text, text};

/// The result for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    line: u64,
    same: bool,
    differences: &'a [Difference],
    receipt: &'a Receipt,
    now: &'a Receipt,
}

/// Makes the run again, and compares.
pub(super) fn run(args: &GateReplay, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let file = context.dir.join(&args.receipt);
    let (line, receipt) = read_receipt(&file, args.line).map_err(unusable)?;
    let program = git(context)?;
    let project = Project::discover(&program, &context.dir).map_err(GatingError::from)?;
    let rules: PathBuf = project.top().join(receipt.file.as_str());
    let from = receipt.rules_from.as_ref().map(|rules| rules.tree.as_str());
    let sandbox = beat::sandbox(context)?;
    let (start, clock) = (context.dir.clone(), context.clock);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        baseline: args.baseline.clone(),
        jobs: args.jobs.map_or(cores, usize::from),
        allow_unconfined: args.allow_unconfined,
        fuel: FuelOptions {
            file: args.fuel_file.clone(),
            ..FuelOptions::default()
        },
        ..Options::default()
    };
    let replayed = watched(context.console, &sandbox, clock, |around| {
        let gating = Gating::open(&program, &start, Some(&rules), from, around)?;
        let exit = |report: &_| Exit::of_gating(report).code();
        gating.replay(&receipt, &options, exit, around)
    });
    let Replayed { now, differences } = replayed?;
    let same = differences.is_empty();
    let exit = if same { Exit::Done } else { Exit::Refused };
    if args.output.is_json() {
        context.print_json(&Json {
            version: 1,
            line,
            same,
            differences: &differences,
            receipt: &receipt,
            now: &now,
        })?;
        return Ok(exit);
    }
    let mut page = Page::new();
    if same {
        let (asked, all) = (now.gates.len(), now.gates_in_file);
        page.line(text![
            "the same: ",
            asked,
            " of ",
            all,
            " gates, verdicts, findings and fuel"
        ]);
        sides(&mut page, &receipt);
    } else {
        page.line(text!["not the same:"].ink(Ink::Bad));
        list(&mut page, &differences);
    }
    if receipt.ringfence != now.ringfence {
        let versions = text![
            Safe::line(&receipt.ringfence),
            ", this is ",
            Safe::line(&now.ringfence)
        ];
        page.line(text!["the receipt is of version ", versions].ink(Ink::Faint));
    }
    context.console.print(&page);
    Ok(exit)
}

/// What was judged and by what: by trees, since what they were called then is not looked up.
fn sides(page: &mut Page, receipt: &Receipt) {
    let sides = [("base", &receipt.base), ("head", &receipt.head)];
    let rules = receipt.rules_from.iter();
    let named = sides
        .map(|(what, side)| (what, &side.tree, &side.name))
        .into_iter()
        .chain(rules.map(|rules| ("rules", &rules.tree, &rules.name)));
    for (what, tree, name) in named {
        let called = text!["tree ", Safe::line(tree), ", called ", Safe::line(name)];
        page.field(2, 7, what, called);
    }
}

fn unusable(error: ReceiptFileError) -> Stop {
    Stop::error(Exit::Usage, &error)
}

fn list(page: &mut Page, differences: &[Difference]) {
    for Difference {
        gate,
        what,
        was,
        is,
    } in differences
    {
        let whose: Text = match gate {
            Some(gate) => text![Safe::line(gate), ": "],
            None => Text::from(""),
        };
        let or_nothing = |value: &str| -> Text {
            if value.is_empty() {
                Text::from("nothing")
            } else {
                Safe::line(value).into()
            }
        };
        page.item(
            2,
            text![
                whose,
                *what,
                " was ",
                or_nothing(was),
                ", is ",
                or_nothing(is)
            ],
        );
    }
}

impl From<ReplayError> for Stop {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Gating(error) => error.into(),
            ReplayError::Rules(differences) => {
                let what = text!["what decided then is not what decides now"];
                let mut stop = Self::new(Exit::Usage, what);
                list(&mut stop.page, &differences);
                stop.help("check out the revision that the rules are of")
            }
            error @ (ReplayError::NoObject { .. }
            | ReplayError::OtherTree { .. }
            | ReplayError::Clock(_)) => Self::error(Exit::Usage, &error)
                .help("replay it in the repository that it is of; a tree that was never committed is kept only where it was judged"),
        }
    }
}
