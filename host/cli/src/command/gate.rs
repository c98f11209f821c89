//! `ringfence gate`: a change judged by gates, without a loop.
//!
//! **Invariant:** the exit code is 0 only where no gate refused and every gate answered.

mod baseline;
mod check;
mod evidence;
mod fuel;
mod init;
pub(crate) mod outputs;
pub(super) mod place;
mod replay;

use std::io::{ErrorKind, Read};
use std::path::Path;

use ringfence_core::evidence::Side;
use ringfence_core::failure::FailureClass;
use ringfence_core::gating::{BaselineError, Outcome, Report};
use ringfence_core::verdict;
use ringfence_runner::clock::Clock;
use ringfence_runner::gating::{
    Around, Base, BaselineProblem, FuelOptions, FuelProblem, Gating, GatingError, Head, Options,
    Progress, ReceiptFileError, Run, Signer, Wanted, append_receipt,
};
use ringfence_runner::git::{GitError, GitProgram};
use ringfence_runner::open_loop::OpenError;
use ringfence_runner::state_dir::open_followed;
use ringfence_runner::steps::NoSteps;
use ringfence_runner::workspace::WorkspaceError;
use ringfence_sandbox::Sandbox;
use ringfence_sandbox::native::NO_SANDBOX;

use self::outputs::Outputs;
use super::meanwhile::meanwhile;
use super::{Context, Stop, beat, ways_out};
use crate::args::{Gate, GateAsk, GateChange, GateFile, GateRun, GateVerb, Severity};
use crate::console::Console;
use crate::exit::Exit;
use crate::render::gate::MORE_FUEL;
use crate::render::{Safe, Text, text};
use crate::std_plugins::StdPlugins;

// Limit: a patch of which a person has read a part.
const PATCH_BYTES_MAX: u64 = 64 << 20;

/// Judges a change, or does what the verb says.
pub(super) fn run(args: &Gate, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    match &args.verb {
        None => judge(&args.run, context),
        Some(GateVerb::Init(_)) => init::run(context),
        Some(GateVerb::Check(args)) => check::run(args, context),
        Some(GateVerb::Baseline(args)) => baseline::run(args, context),
        Some(GateVerb::Fuel(args)) => fuel::run(args, context),
        Some(GateVerb::Replay(args)) => replay::run(args, context),
    }
}

fn judge(args: &GateRun, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let outputs = Outputs::new(&args.format, args.receipt.as_deref(), context)?;
    let options = Options {
        fail_on: args.fail_on.map(severity),
        require_some: args.require_some,
        baseline: args.baseline.clone(),
        no_baseline: args.no_baseline,
        fuel: FuelOptions {
            file: args.fuel_file.clone(),
            regression: args.fuel_regression,
            required: args.require_fuel_baseline,
        },
        ..options(&args.ask, context)?
    };
    let (gating, run) = ask(&args.ask, &options, context)?;
    let exit = Exit::of_gating(&run.report);
    outputs.write(&run.report, exit, context)?;
    if let Some(file) = outputs.receipts() {
        let signer = Signer {
            user: &context.user,
            name: args.signed_off_by.as_deref().unwrap_or(&context.user),
        };
        let receipt = gating.receipt(&run, signer, context.clock.now(), exit.code());
        append_receipt(file, &receipt)?;
    }
    Ok(exit)
}

/// Runs gates, telling people who wait what is going on.
fn ask(
    args: &GateAsk,
    options: &Options,
    context: &mut Context<'_, '_>,
) -> Result<(Gating, Run), Stop> {
    let wanted = wanted(&args.change, context)?;
    let sandbox = beat::sandbox(context)?;
    let (program, start, clock) = (git(context)?, context.dir.clone(), context.clock);
    watched(context.console, &sandbox, clock, |around| {
        let gating = open(&program, &start, &args.file, around)?;
        let run = gating.run(&wanted, options, around)?;
        Ok((gating, run))
    })
    .map_err(|error: GatingError| Stop::from(error))
}

/// Ends because a gate gave no verdict, where only whole answers are written down.
fn no_verdict(report: &Report) -> Stop {
    let broken = report.gates.iter().find(|gate| gate.failure.is_some());
    let name = broken.map(|gate| gate.gate.to_string()).unwrap_or_default();
    let why = broken.map(|gate| gate.summary.as_str()).unwrap_or_default();
    let what = text![
        "gate ",
        Safe::line(&name),
        " gave no verdict: ",
        Safe::line(why)
    ];
    let failure = broken.and_then(|gate| gate.failure.as_ref());
    let help = match failure.map(|failure| failure.class) {
        Some(FailureClass::OutOfFuel) => text!["nothing was written; ", Safe::line(MORE_FUEL)],
        _ => text!["nothing was written"],
    };
    Stop::new(Exit::of_gating(report), what).help(help)
}

fn open(
    program: &GitProgram,
    start: &Path,
    file: &GateFile,
    around: Around<'_>,
) -> Result<Gating, GatingError> {
    let (config, from) = (file.config.as_deref(), file.rules_from.as_deref());
    Gating::open(program, start, config, from, around)
}

fn git(context: &Context<'_, '_>) -> Result<GitProgram, Stop> {
    context
        .git(&[&context.dir])
        .map_err(|error| Stop::error(Exit::Host, &error).help_if(ways_out::of_git(&error)))
}

fn options(args: &GateAsk, context: &Context<'_, '_>) -> Result<Options, Stop> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Options {
        only: args.only.clone(),
        no_memo: args.no_memo,
        jobs: args.jobs.map_or(cores, usize::from),
        allow_unconfined: args.allow_unconfined,
        reports: evidence::read(args, context)?,
        ..Options::default()
    })
}

fn wanted(args: &GateChange, context: &Context<'_, '_>) -> Result<Wanted, Stop> {
    let head = if let Some(name) = &args.head {
        Head::Revision(name.clone())
    } else if args.staged {
        Head::Staged(context.index_file.clone())
    } else if let Some(file) = &args.patch {
        Head::Patch(patch(file, context)?)
    } else if args.worktree || (args.base.is_none() && !args.all) {
        Head::Worktree
    } else {
        Head::Revision("HEAD".to_owned())
    };
    if matches!(head, Head::Revision(_)) && args.head.is_some() && args.base.is_none() && !args.all
    {
        let stop = Stop::new(Exit::Usage, text!["--head needs --base"]);
        return Err(stop.help("name what it is compared with, such as --base origin/main"));
    }
    Ok(Wanted {
        base: match &args.base {
            _ if args.all => Base::Nothing,
            Some(name) => Base::Revision(name.clone()),
            None => Base::Checked,
        },
        head,
        direct: args.direct,
    })
}

fn patch(file: &Path, context: &Context<'_, '_>) -> Result<Vec<u8>, Stop> {
    if file.as_os_str() == "-" {
        return whole(file, Ok(std::io::stdin().lock()), PATCH_BYTES_MAX);
    }
    let opened = open_followed(&context.dir.join(file));
    let read = whole(file, opened, PATCH_BYTES_MAX);
    read.map_err(|stop| stop.help("`--patch -` reads what is piped in"))
}

/// All bytes of `from`, which `file` was opened as.
fn whole(file: &Path, from: std::io::Result<impl Read>, bytes_max: u64) -> Result<Vec<u8>, Stop> {
    let read = |from: &mut dyn Read| {
        let mut bytes = Vec::new();
        from.take(bytes_max + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = from.and_then(|mut from| read(&mut from)).map_err(|error| {
        let what = text![Safe::path(file), " cannot be read: ", Safe::error(&error)];
        Stop::new(Exit::Usage, what)
    })?;
    if bytes.len() as u64 > bytes_max {
        let most = bytes_max >> 20;
        let what = text![
            Safe::path(file),
            " is longer than the ",
            most,
            " MiB that are read of it"
        ];
        return Err(Stop::new(Exit::Usage, what));
    }
    Ok(bytes)
}

fn severity(severity: Severity) -> verdict::Severity {
    match severity {
        Severity::Error => verdict::Severity::Error,
        Severity::Warning => verdict::Severity::Warning,
        Severity::Note => verdict::Severity::Note,
    }
}

/// Does `what`, and meanwhile tells people what is going on.
fn watched<T>(
    console: &mut Console<'_>,
    sandbox: &Sandbox,
    clock: &dyn Clock,
    what: impl FnOnce(Around<'_>) -> T,
) -> T {
    meanwhile(console, words, |progress| {
        what(Around {
            sandbox,
            plugins: &StdPlugins,
            clock,
            steps: &NoSteps,
            progress,
        })
    })
}

fn words(progress: &Progress) -> Text {
    match progress {
        Progress::Waiting => text!["waiting for another run of gates in this project"],
        Progress::Comparing => text!["comparing"],
        Progress::Preparing => text!["checking out what gates read"],
        Progress::Commands(Side::Before) => text!["running commands on the base"],
        Progress::Commands(Side::After) => text!["running commands on the candidate"],
        Progress::Gate(id) => text!["asking ", id],
        Progress::Profiling(id) => text!["looking where the fuel of ", id, " goes"],
    }
}

impl Exit {
    /// The exit for a change that was judged: of gates without a verdict, the highest of their codes.
    #[must_use]
    pub fn of_gating(report: &Report) -> Self {
        match report.outcome {
            Outcome::Passed | Outcome::Unjudged => Self::Done,
            Outcome::Failed => Self::Refused,
            Outcome::Broken => report
                .broken()
                .map(Self::of_failure)
                .max_by_key(|exit| exit.code())
                .unwrap_or(Self::Host),
        }
    }

    fn of_gating_error(error: &GatingError) -> Self {
        match error {
            GatingError::Open(open) => Self::of_open(open),
            GatingError::NoFile { .. }
            | GatingError::Outside { .. }
            | GatingError::NoRepository(_)
            | GatingError::NoGate { .. }
            | GatingError::Revision { .. }
            | GatingError::Ambiguous { .. }
            | GatingError::NoMergeBase { .. }
            | GatingError::SeveralMergeBases { .. }
            | GatingError::TooManyCommits { .. }
            | GatingError::NoCommit(_)
            | GatingError::Patch { .. }
            | GatingError::PatchNames(_)
            | GatingError::Unconfined(_)
            | GatingError::Report(_)
            | GatingError::System { .. }
            | GatingError::Baseline { .. }
            | GatingError::Fuel { .. } => Self::Usage,
            GatingError::Profile { .. } => Self::Plugin,
            GatingError::Discover(discover) => Self::of_discover(discover),
            GatingError::Lock(_) => Self::Waiting,
            GatingError::Workspace(WorkspaceError::NoCommit(_) | WorkspaceError::Index { .. }) => {
                Self::Usage
            }
            GatingError::State(_)
            | GatingError::Store(_)
            | GatingError::Workspace(_)
            | GatingError::Measure(_)
            | GatingError::Git(_)
            | GatingError::Command(_)
            | GatingError::Host(_) => Self::Host,
        }
    }
}

impl From<GatingError> for Stop {
    fn from(error: GatingError) -> Self {
        let exit = Exit::of_gating_error(&error);
        match error {
            GatingError::Open(open) => match open {
                OpenError::Unpinned(_) => Self::error(exit, &open).help(
                    "look at what they may read with `ringfence gate check`, then pin them with `ringfence gate check --write-lock`",
                ),
                OpenError::LockFile(ref lock) => {
                    let help = lock.help("ringfence gate check");
                    Self::error(exit, &open).help(Safe::paragraph(&help))
                }
                OpenError::Io { ref path, ref source, .. } if source.kind() == ErrorKind::NotFound => {
                    Self::new(exit, text!["there is no ", Safe::path(path)])
                }
                open => open.into(),
            },
            GatingError::NoFile { from: None, .. } => {
                Self::error(exit, &error).help("write one with `ringfence gate init`")
            }
            GatingError::NoFile {
                from: Some(ref from),
                ..
            } => {
                let help = text![
                    "rules are taken from ",
                    Safe::line(from),
                    ": merge a gates file there first; until then judge without --rules-from"
                ];
                Self::error(exit, &error).help(help)
            }
            GatingError::NoRepository(_) => Self::error(exit, &error)
                .help("start in a repository, or begin one with `git init`"),
            GatingError::Outside { .. } => Self::error(exit, &error)
                .help("put the file below that folder, and name it there through no link"),
            GatingError::Revision { ref name, shallow }
            | GatingError::NoMergeBase { base: ref name, shallow: shallow @ true, .. } => {
                Self::error(exit, &error).help(Safe::paragraph(&ways_out::to_fetch(name, shallow)))
            }
            GatingError::Ambiguous { .. } => {
                Self::error(exit, &error).help("write it out in full, from refs/ on")
            }
            GatingError::SeveralMergeBases { .. } => Self::error(exit, &error)
                .help("merge the base into it first, or compare the two as they are: --direct"),
            GatingError::TooManyCommits { .. } => Self::error(exit, &error)
                .help("judge it in parts: name a commit in between with --base"),
            GatingError::Workspace(WorkspaceError::NoCommit(_)) => Self::error(exit, &error)
                .help("commit something first, or judge the files as they are: --all --worktree"),
            GatingError::Workspace(WorkspaceError::Index { .. }) => Self::error(exit, &error)
                .help("it was named by GIT_INDEX_FILE, as git does for hooks of this repository"),
            GatingError::NoMergeBase { .. } | GatingError::NoCommit(_) => {
                Self::error(exit, &error).help("--direct compares the two as they are")
            }
            GatingError::PatchNames(_) => Self::error(exit, &error)
                .help("make it with `git diff --src-prefix=a/ --dst-prefix=b/`"),
            GatingError::Patch { source: GitError::Failed { ref stderr, .. }, .. }
                if stderr.contains("cannot apply binary patch") =>
            {
                Self::error(exit, &error).help("it lacks the bytes of files that are no text: make it with `git diff --binary`")
            }
            GatingError::Patch { .. } => Self::error(exit, &error)
                .help("make it anew against that base, or name the base it was made against: --base"),
            GatingError::Command(ref why) if why.contains(NO_SANDBOX) => {
                Self::error(exit, &error).help(ways_out::TO_CONFINE)
            }
            GatingError::Unconfined(_) => Self::error(exit, &error).help(
                "`ringfence gate check` shows what it is; --allow-unconfined runs it with all your rights",
            ),
            GatingError::System { .. } => Self::error(exit, &error).help(
                "correct `system` of that command in the gates file, or install what it names",
            ),
            GatingError::NoGate { ref known, .. } => {
                let known = known.iter().map(Text::from);
                let help = text!["there are ", Text::join(known, ", ")];
                Self::error(exit, &error).help(help)
            }
            GatingError::Baseline {
                why: BaselineProblem::Content(BaselineError::Old { .. }),
                ..
            } => Self::error(exit, &error).help(
                "look at what it knows, delete it, and write it anew with `ringfence gate baseline --all`",
            ),
            GatingError::Baseline { .. } => Self::error(exit, &error)
                .help("write one with `ringfence gate baseline`, or go without: --no-baseline"),
            GatingError::Fuel {
                why: FuelProblem::Missing,
                ..
            } => Self::error(exit, &error).help("write one with `ringfence gate fuel --record`"),
            GatingError::Workspace(WorkspaceError::MissingObject { .. }) => {
                Self::error(exit, &error)
                    .help("`git fsck` says more; a partial clone has to be made a whole one first")
            }
            GatingError::State(state) => state.into(),
            GatingError::Discover(discover) => {
                Self::error(exit, &discover).help_if(ways_out::of_discover(&discover))
            }
            error => Self::error(exit, &error),
        }
    }
}

impl From<ReceiptFileError> for Stop {
    fn from(error: ReceiptFileError) -> Self {
        let exit = match &error {
            ReceiptFileError::NoLine { .. }
            | ReceiptFileError::Receipt { .. }
            | ReceiptFileError::Torn(_)
            | ReceiptFileError::TooLong { .. } => Exit::Usage,
            ReceiptFileError::Io { source, .. } => match source.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Exit::Usage,
                _ => Exit::Host,
            },
            ReceiptFileError::Unwritable(_) => Exit::Host,
        };
        Self::error(exit, &error)
    }
}
