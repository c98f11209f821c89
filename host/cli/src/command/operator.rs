//! What the operator's commands share: which loop, writing what was said into its journal, and telling people of it.
//!
//! **Invariant:** these commands work whatever state a loop is in, as long as its journal can be trusted: they need no plugin
//! and no lock file, and with `--loop` not even a loop file. What they do is in the journal before they say so.

use std::time::Duration;

use jiff::tz::TimeZone;
use ringfence_core::ids::LoopId;
use ringfence_core::journal::{Act, Body, LoopState, OperatorAct};
use ringfence_core::spec;
use ringfence_core::text::one_line;
use ringfence_runner::driver::{self, BeatError, Seams};
use ringfence_runner::git::discover::Project;
use ringfence_runner::lock::LockError;
use ringfence_runner::open_loop::{OpenError, OpenLoop};
use ringfence_runner::people;
use ringfence_runner::state_dir::{LoopDir, StateDir};
use ringfence_runner::steps::NoSteps;

use super::{Context, Stop};
use crate::args::AnyLoop;
use crate::exit::Exit;
use crate::render::{Ink, Page, Safe, text};

// Limit: one line of the journal.
const REASON_CHARS_MAX: usize = 1_000;
// How long a beat may run before somebody who waits for it is told.
const QUIET: Duration = Duration::from_secs(1);
// Limit: a beat at its limits takes minutes; what takes longer is somebody's to look at.
const WAIT: Duration = Duration::from_secs(600);

/// A loop that the operator wants to say something to.
pub(super) struct Told {
    /// Its file, where that can be read.
    pub(super) open: Option<OpenLoop>,
    /// Its name.
    pub(super) loop_id: LoopId,
    /// Where its history is.
    pub(super) dir: LoopDir,
    /// The time zone of its days, or UTC where its file cannot be read.
    pub(super) timezone: TimeZone,
}

/// Why something was not written.
pub(super) enum Refusal {
    /// The journal cannot be read or written, or the lock cannot be taken.
    Beat(BeatError),
    /// What was said makes no sense in this state.
    Said(Stop),
}

impl From<BeatError> for Refusal {
    fn from(error: BeatError) -> Self {
        Self::Beat(error)
    }
}

/// Finds the loop.
pub(super) fn find(which: &AnyLoop, context: &mut Context<'_, '_>) -> Result<Told, Stop> {
    if let Some(name) = &which.name {
        let git = context.git(&[&context.dir]).map_err(OpenError::from)?;
        let project = Project::discover(&git, &context.dir).map_err(OpenError::from)?;
        return of_name(name, &project, None);
    }
    match context.open_quietly(which.file.as_deref()) {
        Ok(open) => {
            let (name, project) = (open.spec.loop_id.clone(), open.project.clone());
            of_name(&name, &project, Some(open))
        }
        Err(error) => {
            let name = match &error {
                OpenError::Diagnostics { text, .. } => spec::name_of(text),
                _ => None,
            };
            let stop = Stop::from(error);
            match name {
                // The file is wrong, and says all the same whose it is.
                Some(name) => {
                    let which = AnyLoop {
                        file: None,
                        name: Some(name),
                    };
                    find(&which, context)
                }
                None => Err(stop.help("name the loop: --loop NAME")),
            }
        }
    }
}

fn of_name(loop_id: &LoopId, project: &Project, open: Option<OpenLoop>) -> Result<Told, Stop> {
    let dir = match &open {
        Some(_) => Some(StateDir::open(project)?.open_loop(loop_id)?),
        // A name that is mistyped must not make a loop.
        None => StateDir::find(project)?
            .map(|state| state.find_loop(loop_id))
            .transpose()?
            .flatten(),
    };
    let Some(dir) = dir else {
        return Err(Stop::new(
            Exit::Usage,
            text![
                "no loop ",
                loop_id,
                " has run in ",
                Safe::path(project.top())
            ],
        ));
    };
    let timezone = open
        .as_ref()
        .map_or(TimeZone::UTC, |open| open.timezone.clone());
    Ok(Told {
        open,
        loop_id: loop_id.clone(),
        dir,
        timezone,
    })
}

/// Writes into the journal what `act` makes of the loop's state, and returns the state after that.
pub(super) fn say(
    told: &Told,
    context: &mut Context<'_, '_>,
    reason: &str,
    act: impl Fn(&LoopState) -> Result<Act, Stop>,
) -> Result<LoopState, Stop> {
    let by = context.user.clone();
    let seams = Seams {
        clock: context.clock,
        steps: &NoSteps,
    };
    let note = |wait| {
        driver::note(&told.dir, &told.timezone, seams, wait, |state| {
            let act = OperatorAct {
                by: by.clone(),
                reason: one_line(reason, REASON_CHARS_MAX),
                act: act(state).map_err(Refusal::Said)?,
            };
            Ok::<_, Refusal>(vec![Body::Operator(act)])
        })
    };
    let noted = match note(QUIET) {
        Err(Refusal::Beat(BeatError::Lock(LockError::Held { .. }))) => {
            let mut page = Page::new();
            page.line("waiting for the beat under way to end");
            context.console.say(&page);
            note(WAIT)
        }
        noted => noted,
    };
    noted.map_err(|refusal| match refusal {
        Refusal::Beat(error) => Stop::from(error),
        Refusal::Said(stop) => stop,
    })
}

/// Tells people what is due; what goes wrong is worth a line and no more.
pub(super) fn tell(open: &OpenLoop, dir: &LoopDir, context: &mut Context<'_, '_>) {
    let seams = Seams {
        clock: context.clock,
        steps: &NoSteps,
    };
    let problem = match people::tell(open, dir, context.config_dir.as_deref(), seams) {
        Ok(None | Some(Ok(()))) => return,
        Ok(Some(Err(error))) => Safe::error(&error),
        Err(error) => Safe::error(&error),
    };
    let mut page = Page::new();
    let what = text![
        text!["warning"].ink(Ink::Warn),
        ": people could not be told: ",
        problem
    ];
    page.hanging(0, 2, what);
    context.console.say(&page);
}
