//! `ringfence selftest`: the boundary's own tests, on the user's machine.
//!
//! **Invariant:** it ends well only if every row held, walked either way, and both ways ended alike.

use std::time::{Duration, Instant};

use ringfence_sandbox::selftest::{
    Escapes, Extent, Failure, Progress, Report, SelftestError, Way, escapes,
};
use serde::Serialize;

use super::{Context, Stop, beat};
use crate::args::Selftest;
use crate::exit::Exit;
use crate::render::{Ink, Page, selftest, text};

// Limit: what is over sooner needs no telling.
const QUIET: Duration = Duration::from_secs(1);
// Limit: as often as somebody who waits looks up.
const TOLD_EVERY_PERCENT: usize = 10;

/// The result for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    exit_code: u8,
    ways: &'a [Report],
    differences: &'a [Failure],
}

/// Runs the escape suite.
pub(super) fn run(args: &Selftest, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let began = Instant::now();
    let sandbox = beat::sandbox(context)?;
    let dir = args.dir.as_ref().map(|dir| context.dir.join(dir));
    let mut reports = Vec::new();
    for way in [Way::AtOnce, Way::NameByName] {
        let escapes_ = Escapes {
            sandbox: &sandbox,
            dir: dir.as_deref(),
            way,
            extent: Extent::Usual,
        };
        let mut told = None;
        reports.push(escapes(escapes_, &mut |progress| {
            let elapsed = began.elapsed();
            let percent = percent(progress);
            if elapsed >= QUIET && told != Some(percent) {
                told = Some(percent);
                context.console.say(&telling(way, percent, elapsed));
            }
        })?);
    }
    let differences = match reports.as_slice() {
        [one, other] => one.differences(other),
        _ => Vec::new(),
    };
    let holds = differences.is_empty() && reports.iter().all(|report| report.failures.is_empty());
    let exit = if holds { Exit::Done } else { Exit::Host };
    if args.output.is_json() {
        context.print_json(&Json {
            version: 1,
            exit_code: exit.code(),
            ways: &reports,
            differences: &differences,
        })?;
    } else {
        context
            .console
            .print(&selftest::report(&reports, &differences));
    }
    Ok(exit)
}

/// How much is done, in steps that are worth telling.
fn percent(progress: Progress) -> usize {
    let percent = (progress.done * 100)
        .checked_div(progress.of)
        .unwrap_or(100);
    percent - percent % TOLD_EVERY_PERCENT
}

fn telling(way: Way, percent: usize, elapsed: Duration) -> Page {
    let mut page = Page::new();
    page.line(text![
        text![elapsed.as_secs(), " s: "].ink(Ink::Faint),
        selftest::way(way),
        ", ",
        percent as u64,
        " %"
    ]);
    page
}

impl From<SelftestError> for Stop {
    fn from(error: SelftestError) -> Self {
        let exit = match &error {
            SelftestError::Ground { .. }
            | SelftestError::Load(_)
            | SelftestError::Call(_)
            | SelftestError::Probe(_)
            | SelftestError::Policy(_) => Exit::Host,
        };
        Self::error(exit, &error)
    }
}
