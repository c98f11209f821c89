//! `ringfence beat`: one beat, and its report.

use jiff::Timestamp;
use ringfence_core::cadence::Next;
use ringfence_core::ids::LoopId;
use ringfence_runner::driver::{self, BeatError, BeatOptions, BeatReport, Progress, Surroundings};
use ringfence_runner::lock::LockError;
use ringfence_runner::open_loop::{LockMode, OpenLoop};
use ringfence_runner::recovery::RecoveryError;
use ringfence_runner::state_dir::place_from_top;
use ringfence_runner::steps::NoSteps;
use ringfence_runner::workspace::WorkspaceError;
use ringfence_sandbox::{Sandbox, SandboxError, Settings};
use serde::Serialize;

use super::meanwhile::meanwhile;
use super::{Context, Stop, loop_dir, operator, ways_out};
use crate::args::Beat;
use crate::exit::Exit;
use crate::render::receipt::Whose;
use crate::render::{Ink, Page, Safe, Text, receipt, run, text};

/// The report for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    #[serde(rename = "loop")]
    loop_id: &'a LoopId,
    exit_code: u8,
    #[serde(flatten)]
    report: &'a BeatReport,
}

/// What is told instead of a report.
#[derive(Serialize)]
struct Later<'a> {
    version: u32,
    #[serde(rename = "loop")]
    loop_id: &'a LoopId,
    exit_code: u8,
    due: bool,
    next: Next,
}

/// Runs a beat.
pub(super) fn run(args: &Beat, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let open = context.open(args.file.file.as_deref())?;
    if args.if_due
        && let Some(next) = not_due(&open, context.clock.now())?
    {
        return tell_later(args, &open, next, context);
    }
    let locked = context.lock(&open, LockMode::Require)?;
    let sandbox = sandbox(context)?;
    let config_dir = context.config_dir.clone();
    let options = BeatOptions {
        dry_run: args.dry_run,
        memo: !args.no_memo,
    };
    let around = Surroundings {
        sandbox: &sandbox,
        clock: context.clock,
        steps: &NoSteps,
        config_dir: config_dir.as_deref(),
    };
    let report = meanwhile(context.console, words, |tell| {
        driver::beat(&open, &locked, options, around, &mut |what| tell(what))
    })?;
    let exit = Exit::of_outcome(&report.outcome, args.detailed_exit_code);
    if args.output.is_json() {
        context.print_json(&Json {
            version: 1,
            loop_id: &locked.spec.loop_id,
            exit_code: exit.code(),
            report: &report,
        })?;
    } else {
        let whose = Whose {
            loop_id: &locked.spec.loop_id,
            state: &place_from_top(&open.project),
        };
        context.console.print(&receipt::report(whose, &report));
    }
    // After everything else: a command that hangs keeps nobody from the report, and no beat from its lock.
    if let (true, Some(dir)) = (report.due.is_some(), loop_dir(&open)?) {
        operator::tell(&open, &dir, context);
    }
    Ok(exit)
}

/// When the next beat is due, if it is not now. A loop without a history is due: nobody knows when it last ran.
fn not_due(open: &OpenLoop, now: Timestamp) -> Result<Option<Next>, BeatError> {
    let state = driver::look(open)?;
    let next = open.next(&state, now, now);
    Ok(Some(next).filter(|next| next.at > now && state.pace.began.is_some()))
}

fn tell_later(
    args: &Beat,
    open: &OpenLoop,
    next: Next,
    context: &mut Context<'_, '_>,
) -> Result<Exit, Stop> {
    let exit = if args.detailed_exit_code {
        Exit::Skipped
    } else {
        Exit::Done
    };
    if args.output.is_json() {
        context.print_json(&Later {
            version: 1,
            loop_id: &open.spec.loop_id,
            exit_code: exit.code(),
            due: false,
            next,
        })?;
    } else {
        let mut page = Page::new();
        let loop_id = text!["loop ", &open.spec.loop_id].ink(Ink::Strong);
        page.line(text![
            loop_id,
            ": not due before ",
            next.at,
            ", ",
            run::why(next.why)
        ]);
        context.console.print(&page);
    }
    Ok(exit)
}

/// The engine; without its cache where that cannot be used, since a cache only saves time.
pub(super) fn sandbox(context: &mut Context<'_, '_>) -> Result<Sandbox, Stop> {
    let wanted = |cache| Settings {
        cache,
        compiler: context.compiler.clone(),
        ..Settings::default()
    };
    let made = match Sandbox::new(wanted(context.cache_dir.clone())) {
        Err(error @ SandboxError::Cache { .. }) => {
            let wanted = wanted(None);
            let mut page = Page::new();
            let why = text![": ", Safe::error(&error), "; plugins are compiled anew"];
            page.line(text![text!["warning"].ink(Ink::Warn), why]);
            context.console.say(&page);
            Sandbox::new(wanted)
        }
        made => made,
    };
    made.map_err(|error| Stop::error(Exit::Host, &error))
}

fn words(progress: &Progress) -> Text {
    match progress {
        Progress::Preparing => text!["preparing the checkout"],
        Progress::Step { id, role } => text!["calling ", *role, " ", id],
        Progress::Measuring => text!["measuring the change"],
        Progress::Commands(side) => text!["running commands, ", side.as_str(), " the change"],
        Progress::Settling => text!["settling"],
    }
}

impl From<BeatError> for Stop {
    fn from(error: BeatError) -> Self {
        let stop = Self::error(Exit::of_beat(&error), &error);
        match error {
            BeatError::Lock(LockError::Held { .. }) => stop.help("wait until it has ended, or end it"),
            BeatError::Journal { source, .. } => stop.help(ways_out::of_journal(&source)),
            BeatError::JournalFile(error) => stop.help_if(ways_out::of_journal_file(&error)),
            BeatError::Workspace(WorkspaceError::NoCommit(_)) => {
                stop.help("commit something first, or work on the files as they are: `base = \"worktree\"` in the loop file")
            }
            BeatError::Workspace(WorkspaceError::MissingObject { .. }) => {
                stop.help("`git fsck` says more; a partial clone has to be made a whole one first")
            }
            BeatError::Workspace(WorkspaceError::Project(project)) => {
                stop.help_if(ways_out::of_discover(&project))
            }
            BeatError::Workspace(WorkspaceError::Git(git)) | BeatError::Git(git) => {
                stop.help_if(ways_out::of_git(&git))
            }
            BeatError::Recovery(RecoveryError::NotOurs { .. }) => stop.help(
                "nothing was changed; rename what stands there, or delete it, and the next beat goes on",
            ),
            BeatError::Recovery(RecoveryError::Edited { .. }) => stop.help(
                "look with `git diff`; then `git add` what is to stay and `git restore` what is not, and the next beat goes on",
            ),
            BeatError::Recovery(RecoveryError::IndexLocked(_)) => stop.help(
                "let the git that made it come to its end; if there is none, remove the file, and the next beat goes on",
            ),
            BeatError::Target(target) => stop.help_if(ways_out::of_target(&target)),
            BeatError::State(state) => stop.help_if(ways_out::of_state(&state)),
            BeatError::Workspace(_)
            | BeatError::Lock(LockError::Io { .. })
            | BeatError::Recovery(_)
            | BeatError::Host(_) => stop,
        }
    }
}
