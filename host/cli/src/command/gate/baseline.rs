//! `ringfence gate baseline`: what is found now is known from now on.
//!
//! **Invariant:** only whole answers become a baseline: where a gate gave no verdict, or found more than it could say, nothing
//! is written. What was known and could not be seen is not forgotten unless the operator says so.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use ringfence_core::gating::{
    BASELINE_BYTES_MAX, Baseline, BaselineError, Judged, KnownFinding, Outcome, Status,
};
use ringfence_core::verdict::FINDINGS_MAX;
use ringfence_runner::gating::{Gating, GatingError, Options, Run};
use ringfence_runner::state_dir::write_atomic_for_all;

use super::place::Place;
use super::{Context, Exit, Stop, beat, git, no_verdict, open, options, wanted, watched};
use crate::args::GateBaseline;
use crate::render::amount::count;
use crate::render::{Page, Safe, text};

const FILE: &str = "ringfence-baseline.json";
/// The rule of a gate that says itself that it left findings out.
const TOO_MANY: &str = "too-many-findings";

/// Asks the gates, and writes what they found.
pub(super) fn run(args: &GateBaseline, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let options = Options {
        no_baseline: true,
        ..options(&args.ask, context)?
    };
    let wanted = wanted(&args.ask.change, context)?;
    let sandbox = beat::sandbox(context)?;
    let (program, start, clock) = (git(context)?, context.dir.clone(), context.clock);
    let (gating, run, place, old) = watched(context.console, &sandbox, clock, |around| {
        let gating = open(&program, &start, &args.ask.file, around)?;
        let place = Place::new(&file(args, &gating), &start)?;
        let old = read(place.path())?;
        // What gates cost is no finding.
        let run = gating.run_unheld(&wanted, &options, around);
        let run = run.map_err(|error: GatingError| Stop::from(error))?;
        Ok::<_, Stop>((gating, run, place, old))
    })?;
    let report = &run.report;
    if report.outcome == Outcome::Broken {
        return Err(no_verdict(report));
    }
    if let Some(gate) = report.gates.iter().find(|gate| is_cut(gate)) {
        let what = text![
            "gate ",
            &gate.gate,
            " found more than a report holds, so some would stay unknown"
        ];
        return Err(Stop::new(Exit::Usage, what).help("nothing was written"));
    }
    let mut new = Baseline::of(&report.gates);
    let only = &options.only;
    new.keep(&old, |gate| {
        only.is_empty() || only.iter().any(|id| id.as_str() == gate)
    });
    let lost: Vec<&KnownFinding> = old.lost_in(&new).collect();
    let whole = args.ask.change.all;
    if !lost.is_empty() && !args.prune {
        if whole {
            refuse_unseen(&lost, &gating, &run)?;
        } else {
            let help = "--all takes the whole repository; --prune forgets them";
            return Err(forgotten(
                lost.len(),
                " which this change does not show",
                help,
            ));
        }
    }
    let (count_new, lost) = (new.count(), lost.len());
    let path = place.path();
    write_atomic_for_all(path, new.text().as_bytes())
        .map_err(|error| Stop::unwritable(path, &error))?;
    let mut page = Page::new();
    page.line(text![
        "wrote ",
        Safe::path(path),
        ": ",
        count(count_new, "known finding", "known findings")
    ]);
    if lost > 0 {
        let one = "finding of before is forgotten";
        page.line(count(lost, one, "findings of before are forgotten"));
    }
    if count_new == 0 && !whole {
        page.line("this change has none to know; --all takes the whole repository");
    }
    let remarks = report.gates.iter().flat_map(|gate| &gate.remarks);
    let never = remarks.filter(|one| !one.knowable && one.status == Status::New);
    let never = never.count();
    if never > 0 {
        page.line(text![
            count(never, "finding still counts", "findings still count"),
            ": about the change as a whole, or about what is gone, which is never known"
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

/// Refuses to forget what stands in a file that lies on the disk otherwise than it was judged.
fn refuse_unseen(lost: &[&KnownFinding], gating: &Gating, run: &Run) -> Result<(), Stop> {
    let otherwise = gating.differs_from_disk(run)?;
    let is_otherwise = |known: &&&KnownFinding| {
        let mut paths = otherwise.iter();
        paths.any(|path| path.as_str() == known.path)
    };
    match lost.iter().filter(is_otherwise).count() {
        0 => Ok(()),
        unseen => {
            let why = " in files that are not as they were judged";
            let help = "--all judges HEAD, and your files are not committed as they are: --all --worktree judges those; \
                        --prune forgets them";
            Err(forgotten(unseen, why, help))
        }
    }
}

fn forgotten(findings: usize, why: &'static str, help: &'static str) -> Stop {
    let findings = count(findings, "known finding", "known findings");
    let what = text![
        findings,
        " would be forgotten",
        why,
        "; nothing was written"
    ];
    Stop::new(Exit::Usage, what).help(help)
}

fn file(args: &GateBaseline, gating: &Gating) -> PathBuf {
    match (&args.output, &gating.gates().baseline) {
        (Some(file), _) => file.clone(),
        (None, Some(path)) => gating.top().join(path.as_str()),
        (None, None) => gating.top().join(FILE),
    }
}

/// What is known already; nothing where there is no such file.
fn read(path: &Path) -> Result<Baseline, Stop> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| {
        let mut file = file.take(BASELINE_BYTES_MAX as u64 + 1);
        file.read_to_string(&mut text)
    });
    let anew = "delete it, and write it anew with `ringfence gate baseline --all`";
    let again = "take it from version control again, or delete it";
    let (why, help) = match read.map(|_| Baseline::parse(&text)) {
        Ok(Ok(old)) => return Ok(old),
        Ok(Err(error @ BaselineError::Old { .. })) => (error.to_string(), anew),
        Ok(Err(error @ BaselineError::Content(_))) => (error.to_string(), again),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Baseline::default()),
        Err(error) => (error.to_string(), again),
    };
    let what = text![
        "the baseline ",
        Safe::path(path),
        " cannot be added to: ",
        Safe::line(&why)
    ];
    Err(Stop::new(Exit::Usage, what).help(help))
}

/// True when a gate found more than it said.
fn is_cut(gate: &Judged) -> bool {
    let found = || gate.remarks.iter().map(|remark| &remark.finding);
    found().count() >= FINDINGS_MAX
        || found().any(|one| one.rule == TOO_MANY && one.locations.is_empty())
}
