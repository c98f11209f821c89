//! The commands, one file each, and what they share: opening a loop, and stopping with a message and an exit code.
//!
//! **Invariant:** a command prints its result through the console and says everything else by returning [`Stop`]; none
//! knows about terminals.

mod answer;
mod beat;
mod check;
mod completions;
mod demote;
mod doctor;
mod drill;
mod estimate;
mod exec;
mod explain;
pub(crate) mod gate;
pub(crate) mod health;
mod import;
mod inbox;
mod init;
mod install_service;
mod journal;
mod meanwhile;
mod metrics;
mod operator;
mod pause;
mod plugin;
mod promote;
mod readiness;
mod report;
mod run;
mod schema;
mod selftest;
mod standing;
mod status;
mod trust;
mod ways_out;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ringfence_core::spec::Diagnostic;
use ringfence_runner::clock::Clock;
use ringfence_runner::git::{GitError, GitProgram};
use ringfence_runner::open_loop::{LockMode, Locked, OpenError, OpenLoop};
use ringfence_runner::scheduler::Search;
use ringfence_runner::state_dir::{LoopDir, StateDir, StateDirError};
use ringfence_sandbox::{Compiler, Streams};
use serde::Serialize;

use crate::args::{Command, Journal, Loops, Plugin};
use crate::console::Console;
use crate::exit::Exit;
use crate::render::diagnostic::diagnostics;
use crate::render::{Ink, Page, Safe, Text, json, text};
use crate::std_plugins::StdPlugins;

/// What a command is given.
pub(crate) struct Context<'c, 'w> {
    /// Where it prints.
    pub(crate) console: &'c mut Console<'w>,
    /// Where paths begin.
    pub(crate) dir: PathBuf,
    /// Where `git` is looked for.
    pub(crate) search_path: OsString,
    /// The index that git names to its hooks.
    pub(crate) index_file: Option<PathBuf>,
    /// Where compiled components are kept.
    pub(crate) cache_dir: Option<PathBuf>,
    /// Where the operator's own files are.
    pub(crate) config_dir: Option<PathBuf>,
    /// Who the user is; empty where nobody knows.
    pub(crate) user: String,
    /// Who compiles them.
    pub(crate) compiler: Compiler,
    /// What time it is.
    pub(crate) clock: &'w dyn Clock,
    /// Where the streams of a program lead that is run.
    pub(crate) program_streams: Streams,
    /// True when the process may give up rights for good.
    pub(crate) may_be_confined: bool,
}

/// A command that could not do its work: what to tell, and how the program ends.
#[derive(Debug)]
pub(crate) struct Stop {
    /// How the program ends.
    pub(crate) exit: Exit,
    /// What stderr is told.
    pub(crate) page: Page,
}

/// Carries out a command.
pub(crate) fn run(command: &Command, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    match command {
        Command::Init(args) => init::run(args, context),
        Command::Import(args) => import::run(args, context),
        Command::Check(args) => check::run(args, context),
        Command::Beat(args) => beat::run(args, context),
        Command::Run(args) => run::run(args, context),
        Command::Gate(args) => gate::run(args, context),
        Command::Explain(args) => explain::run(args, context),
        Command::Exec(args) => exec::run(args, context),
        Command::Plugin(Plugin::Inspect(args)) => plugin::inspect(args, context),
        Command::Plugin(Plugin::List(args)) => plugin::list(args, context),
        Command::Plugin(Plugin::New(args)) => plugin::new::run(args, context),
        Command::Journal(Journal::Show(args)) => journal::show(args, context),
        Command::Journal(Journal::Verify(args)) => journal::verify(args, context),
        Command::Journal(Journal::Export(args)) => journal::export(args, context),
        Command::Status(args) => status::run(args, context),
        Command::Inbox(args) => inbox::run(args, context),
        Command::Answer(args) => answer::run(args, context),
        Command::Pause(args) => pause::pause(args, context),
        Command::Resume(args) => pause::resume(args, context),
        Command::Retire(args) => pause::retire(args, context),
        Command::Health(args) => health::run(args, context),
        Command::Promote(args) => promote::run(args, context),
        Command::Demote(args) => demote::run(args, context),
        Command::Drill(args) => drill::run(args, context),
        Command::Metrics(args) => metrics::run(args, context),
        Command::Report(args) => report::run(args, context),
        Command::Doctor(args) => doctor::run(args, context),
        Command::Selftest(args) => selftest::run(args, context),
        Command::Estimate(args) => estimate::run(args, context),
        Command::InstallService(args) => install_service::run(args, context),
        Command::Schema(args) => schema::run(args, context),
        Command::Completions(args) => completions::run(args, context),
    }
}

impl Stop {
    /// Ends with one line.
    pub(crate) fn new(exit: Exit, what: impl Into<Text>) -> Self {
        let mut page = Page::new();
        page.hanging(0, 2, text![text!["error"].ink(Ink::Bad), ": ", what]);
        Self { exit, page }
    }

    /// Ends with an error and its causes.
    pub(crate) fn error(exit: Exit, error: &dyn std::error::Error) -> Self {
        Self::new(exit, Safe::error(error))
    }

    /// Ends because a file cannot be written.
    pub(crate) fn unwritable(file: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let path = Safe::path(file);
        match error.kind() {
            ErrorKind::AlreadyExists => {
                Self::new(Exit::Usage, text![path, " exists; nothing was written"])
            }
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::new(
                Exit::Usage,
                text![path, " cannot be written: there is no such folder"],
            ),
            _ => Self::new(
                Exit::Host,
                text![path, " cannot be written: ", Safe::error(error)],
            ),
        }
    }

    /// The same with what to do about it.
    pub(crate) fn help(mut self, what: impl Into<Text>) -> Self {
        self.page
            .hanging(0, 6, text![text!["help"].ink(Ink::Strong), ": ", what]);
        self
    }

    /// The same where there is something to do about it.
    pub(crate) fn help_if(self, what: Option<&'static str>) -> Self {
        match what {
            Some(what) => self.help(what),
            None => self,
        }
    }
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Self {
        let exit = Exit::of_open(&error);
        let stop = |error: &OpenError| Self::error(exit, error);
        match &error {
            OpenError::Diagnostics { name, text, diagnostics: found } => {
                Self { exit, page: diagnostics(name, text, &ways_out::of_diagnostics(text, found)) }
            }
            OpenError::NoLoopFile(_) => stop(&error).help("write one with `ringfence init`"),
            OpenError::Unpinned(_) => stop(&error).help(
                "look at what they may do with `ringfence check`, then pin them with `ringfence check --write-lock`",
            ),
            OpenError::LockFile(lock) => stop(&error).help(Safe::paragraph(&lock.help("ringfence check"))),
            OpenError::Timezone(_) => stop(&error).help("name one of the IANA database, such as \"Europe/Berlin\""),
            OpenError::Git(git) => stop(&error).help_if(ways_out::of_git(git)),
            OpenError::Discover(project) => stop(&error).help_if(ways_out::of_discover(project)),
            OpenError::Outside { .. }
            | OpenError::Link(_)
            | OpenError::Io { .. }
            | OpenError::Plugin { .. } => stop(&error),
        }
    }
}

impl From<StateDirError> for Stop {
    fn from(error: StateDirError) -> Self {
        Self::error(Exit::Host, &error).help_if(ways_out::of_state(&error))
    }
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        Self::error(Exit::Host, &error)
    }
}

impl Context<'_, '_> {
    /// Opens the loop of `file`, or the nearest one, and tells its warnings.
    pub(crate) fn open(&mut self, file: Option<&Path>) -> Result<OpenLoop, Stop> {
        let open = self.open_quietly(file)?;
        if !open.warnings.is_empty() {
            let page = diagnostics(open.path.as_str(), &open.text, &open.warnings);
            self.console.say(&page);
        }
        Ok(open)
    }

    /// Finds the git program for what is done in the projects that `starts` are in.
    pub(crate) fn git(&self, starts: &[&Path]) -> Result<GitProgram, GitError> {
        GitProgram::find(&self.search_path, starts)
    }

    /// Opens the loop of `file`, or the nearest one.
    pub(crate) fn open_quietly(&self, file: Option<&Path>) -> Result<OpenLoop, OpenError> {
        let file_dir = file.and_then(|file| self.dir.join(file).parent().map(Path::to_owned));
        let git = self.git(&[file_dir.as_deref().unwrap_or(&self.dir)])?;
        OpenLoop::open(&git, &self.dir, file)
    }

    /// Locks a loop.
    pub(crate) fn lock(&self, open: &OpenLoop, mode: LockMode) -> Result<Locked, Stop> {
        Ok(open.lock(&StdPlugins, mode)?)
    }

    /// Where the loops are that are meant.
    pub(crate) fn search(&self, loops: &Loops) -> Search {
        match &loops.all {
            Some(dir) => Search::Below(self.dir.join(dir)),
            None if loops.files.is_empty() => Search::Project(self.dir.clone()),
            None => Search::Files(loops.files.iter().map(|file| self.dir.join(file)).collect()),
        }
    }

    /// Prints a result as JSON.
    pub(crate) fn print_json(&mut self, value: &impl Serialize) -> Result<(), Stop> {
        let text = json::print(value)?;
        self.console.print_text(&text);
        Ok(())
    }
}

/// The folder with a loop's history; none when it never ran here.
fn loop_dir(open: &OpenLoop) -> Result<Option<LoopDir>, Stop> {
    let state = StateDir::find(&open.project)?;
    Ok(state
        .map(|state| state.find_loop(&open.spec.loop_id))
        .transpose()?
        .flatten())
}

/// A problem of a loop file for programs.
#[derive(Serialize)]
struct JsonDiagnostic<'a> {
    #[serde(flatten)]
    diagnostic: &'a Diagnostic,
    line: usize,
    column: usize,
}

fn json_diagnostics<'a>(text: &str, found: &'a [Diagnostic]) -> Vec<JsonDiagnostic<'a>> {
    found
        .iter()
        .map(|diagnostic| {
            let (line, column) =
                ringfence_core::diagnostic::line_column(text, diagnostic.span.start);
            JsonDiagnostic {
                diagnostic,
                line,
                column,
            }
        })
        .collect()
}
