//! The command line.
//! Long because each command's options stand beside the words that explain them.
//!
//! **Invariant:** the text of the help is made from what is written here; the table of exit codes in it is
//! [`exit`]'s.

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use ringfence_core::gating::{POINTS_MAX, Percent};
use ringfence_core::ids::{LoopId, StepId};
use ringfence_core::quantity::{Bytes, Fuel, Millis};
use ringfence_runner::gating::Which;

use crate::exit;

/// Under which the options of every command stand, behind its own.
const COMMON: &str = "Options of every command";

/// Runs the repeating work of a repository in bounded steps that cannot reach past what you grant them.
#[derive(Debug, Parser)]
#[command(
    name = "ringfence",
    version,
    max_term_width = 80,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Args {
    /// Start in DIR instead of the current directory
    #[arg(
        short = 'C',
        long = "directory",
        value_name = "DIR",
        global = true,
        help_heading = COMMON
    )]
    pub(crate) directory: Option<PathBuf>,
    /// When to use colours: auto, always or never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        global = true,
        help_heading = COMMON,
        hide_possible_values = true
    )]
    pub(crate) color: Colour,
    /// Say on stderr what is being done; twice for more
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = COMMON)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Also into files and pipes.
    Always,
    /// Nowhere.
    Never,
}

/// For whom results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one JSON document.
    Json,
}

/// The format of a result.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Output {
    /// What the result is written as: text or json
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub(crate) format: Format,
}

impl Output {
    /// True for programs.
    pub(crate) fn is_json(&self) -> bool {
        match self.format {
            Format::Json => true,
            Format::Text => false,
        }
    }
}

/// Which loop.
#[derive(Debug, clap::Args)]
pub(crate) struct LoopFile {
    /// The loop file [default: the nearest LOOP.md from here upwards]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented LOOP.md that works as it is
    Init(Init),
    /// Write a LOOP.md to review from what other loop tools left here
    Import(Import),
    /// Show what each step of a loop may do, running nothing
    Check(Check),
    /// Run one beat: look, decide, act, judge, propose
    Beat(Beat),
    /// Keep loops beating, each in its own time
    Run(Run),
    /// Judge any change by gates, without a loop
    Gate(Box<Gate>),
    /// Say which rule decides whether a step may touch a path
    Explain(Explain),
    /// Run a WASI program that is not trusted, within what it is granted
    Exec(Exec),
    /// Look at plugins without running them
    #[command(subcommand)]
    Plugin(Plugin),
    /// Look at a loop's history
    #[command(subcommand)]
    Journal(Journal),
    /// Show where a loop stands and what the next beat would meet
    Status(Status),
    /// Show what waits for a person, oldest first
    Inbox(Inbox),
    /// Answer what waits: approve, reject, or note something
    Answer(Answer),
    /// Let a loop do nothing for a time, or until it is resumed
    Pause(Pause),
    /// Let a loop go on, whatever had stopped it
    Resume(Resume),
    /// End a loop; only resume brings it back
    Retire(Retire),
    /// Give the figures of a loop to Prometheus
    Metrics(Metrics),
    /// Write a loop's history as a page for a browser
    Report(Report),
    /// Say how a loop does, and whether it deserves more authority
    Health(Health),
    /// Let a loop go one level further, if its record allows that
    Promote(Promote),
    /// Let a loop go less far
    Demote(Demote),
    /// Prove each guard of a loop, by a fault and by a clean case
    Drill(Drill),
    /// Say what this machine offers, and what a loop has proven
    Doctor(Doctor),
    /// Try to escape from the boundary, on this machine
    Selftest(Selftest),
    /// Say what a day of a loop may cost, and what it did cost
    Estimate(Estimate),
    /// Print what lets the system run loops unattended
    InstallService(InstallService),
    /// Print the JSON Schema of a document
    Schema(Schema),
    /// Print a script that completes commands in a shell
    Completions(Completions),
}

/// Write a commented LOOP.md that works as it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// What the loop is called: lower-case letters, digits, dashes
    #[arg(long = "loop", value_name = "NAME", default_value = "docs-links")]
    pub(crate) name: String,
    /// The folder to write it in [default: the current directory]
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// Write a LOOP.md to review from LOOP.md, LOOP_SPEC.md, gate.yaml, loop-budget.md, loop-run-log.md
/// and loop-ledger.json of other tools, and say what was taken, what was not, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// A folder to look in, or files [default: the current directory]
    #[arg(value_name = "DIR|FILE")]
    pub(crate) from: Vec<PathBuf>,
    /// Which loop, where the files tell of several [default: the first]
    #[arg(long = "loop", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where to write [default: LOOP.md, or loops/NAME/LOOP.md where there is one already]
    #[arg(long, value_name = "FILE", conflicts_with = "stdout")]
    pub(crate) output: Option<PathBuf>,
    /// Write nothing: print the loop file, and the report on stderr
    #[arg(long)]
    pub(crate) stdout: bool,
    /// Replace the file if it exists
    #[arg(long, conflicts_with = "stdout")]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) format: Output,
}

/// Show what each step may do.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    /// Pin plugins that are new in ringfence.lock
    #[arg(long)]
    pub(crate) write_lock: bool,
    /// Take a pinned PLUGIN as it is now: another component, or one that nothing here uses any more
    #[arg(long, value_name = "PLUGIN", requires = "write_lock")]
    pub(crate) accept: Vec<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Run one beat.
#[derive(Debug, clap::Args)]
pub(crate) struct Beat {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    /// Do everything but settle: no branch, no patch, no journal entry
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Ask every step anew, also where the answer is known
    #[arg(long)]
    pub(crate) no_memo: bool,
    /// Do nothing unless the loop's cadence says that a beat is due
    #[arg(long)]
    pub(crate) if_due: bool,
    /// End with 10 when the beat was skipped, or none was due
    #[arg(long)]
    pub(crate) detailed_exit_code: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Which loops.
#[derive(Debug, clap::Args)]
pub(crate) struct Loops {
    /// The loop files [default: LOOP.md and loops/*/LOOP.md of this project]
    #[arg(value_name = "FILE", conflicts_with = "all")]
    pub(crate) files: Vec<PathBuf>,
    /// The loops of all repositories below DIR, six folders deep
    #[arg(long, value_name = "DIR")]
    pub(crate) all: Option<PathBuf>,
}

/// Keep loops beating until it is stopped: the first SIGTERM or SIGINT ends each beat before its next
/// step, the second one at once. Nothing is lost either way.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) loops: Loops,
    /// How many beats at once at most [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: Option<u8>,
    /// Run one beat of each loop that is due, and end with the highest of their exit codes
    #[arg(long)]
    pub(crate) once: bool,
    /// What each beat is told as: text lines on stderr, or json lines on stdout
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub(crate) format: Format,
}

/// Print units for systemd; where to put them stands in their first lines.
#[derive(Debug, clap::Args)]
pub(crate) struct InstallService {
    #[command(flatten)]
    pub(crate) loops: Loops,
    /// Print them, and change nothing
    #[arg(long, required = true)]
    pub(crate) print: bool,
    /// For the user's own systemd instead of the system's
    #[arg(long)]
    pub(crate) user: bool,
    /// A timer that runs what is due every five minutes, instead of a service that always runs
    #[arg(long)]
    pub(crate) timer: bool,
}

/// Judge a change: HEAD against your files, unless told otherwise. With --base alone, HEAD against
/// where it left that revision.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_value_name = "VERB")]
pub(crate) struct Gate {
    #[command(subcommand)]
    pub(crate) verb: Option<GateVerb>,
    #[command(flatten)]
    pub(crate) run: GateRun,
}

/// What to do with gates besides asking them.
#[derive(Debug, Subcommand)]
pub(crate) enum GateVerb {
    /// Write a commented ringfence-gates.toml that works as it is
    Init(GateInit),
    /// Show what each gate may read, running nothing
    Check(GateCheck),
    /// Write down what is found now, so that only new findings fail
    Baseline(GateBaseline),
    /// Show what each gate costs beside what is recorded, and where that goes
    Fuel(GateFuel),
    /// Make a run again from its receipt, and say whether it comes to the same
    Replay(GateReplay),
}

/// Which gates.
#[derive(Debug, clap::Args)]
pub(crate) struct GateFile {
    /// The gates file, or a loop file, in the project [default: ringfence-gates.toml, else LOOP.md, at
    /// the top]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Take the gates file, ringfence.lock, plugins and baseline as they are in REV
    #[arg(long, value_name = "REV")]
    pub(crate) rules_from: Option<String>,
}

/// Which change.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct GateChange {
    /// Compare with REV, or with where head left it
    #[arg(long, value_name = "REV", conflicts_with = "all")]
    pub(crate) base: Option<String>,
    /// Judge REV
    #[arg(long, value_name = "REV", group = "side")]
    pub(crate) head: Option<String>,
    /// Judge the files as they are, without what git ignores
    #[arg(long, group = "side")]
    pub(crate) worktree: bool,
    /// Judge what is staged
    #[arg(long, group = "side")]
    pub(crate) staged: bool,
    /// Judge the base with this diff applied; - for standard input
    #[arg(long, value_name = "FILE", group = "side")]
    pub(crate) patch: Option<PathBuf>,
    /// Compare with the base itself, also where head left it earlier
    #[arg(long)]
    pub(crate) direct: bool,
    /// Judge every file of HEAD as if it were new; with --worktree, every file as it is
    #[arg(long)]
    pub(crate) all: bool,
}

/// How gates are asked.
#[derive(Debug, clap::Args)]
pub(crate) struct GateAsk {
    #[command(flatten)]
    pub(crate) change: GateChange,
    #[command(flatten)]
    pub(crate) file: GateFile,
    /// Ask only these gates, with commas between them
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) only: Vec<StepId>,
    /// Ask every gate anew, also where the answer is known
    #[arg(long)]
    pub(crate) no_memo: bool,
    /// How many gates at once at most [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: Option<u8>,
    /// Run commands that the gates file wants run without a sandbox
    #[arg(long)]
    pub(crate) allow_unconfined: bool,
    /// What a program that ran elsewhere said of head: a report for gates that read it
    #[arg(long, value_name = "COMMAND/REPORT=FILE")]
    pub(crate) evidence: Vec<String>,
    /// The same of the base
    #[arg(long, value_name = "COMMAND/REPORT=FILE")]
    pub(crate) evidence_before: Vec<String>,
}

/// A whole run of gates.
#[derive(Debug, clap::Args)]
pub(crate) struct GateRun {
    #[command(flatten)]
    pub(crate) ask: GateAsk,
    /// Fail from this severity on: error, warning or note [default: as the gates file says]
    #[arg(long, value_name = "SEVERITY", hide_possible_values = true)]
    pub(crate) fail_on: Option<Severity>,
    /// Fail a change that no gate has passed
    #[arg(long)]
    pub(crate) require_some: bool,
    /// Findings that are known already [default: as the gates file says]
    #[arg(long, value_name = "FILE", conflicts_with = "no_baseline")]
    pub(crate) baseline: Option<PathBuf>,
    /// Take no finding for known
    #[arg(long)]
    pub(crate) no_baseline: bool,
    /// Fail a gate that uses more than PERCENT above what is recorded for this change, such as 5%
    #[arg(long, value_name = "PERCENT")]
    pub(crate) fuel_regression: Option<Percent>,
    /// Fail a gate whose fuel is not recorded for this change
    #[arg(long)]
    pub(crate) require_fuel_baseline: bool,
    /// What gates cost [default: as the gates file says, else ringfence.fuel at the top]
    #[arg(long, value_name = "FILE")]
    pub(crate) fuel_file: Option<PathBuf>,
    /// Append a line with everything that decided, by digest, to FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    /// Who answers for the run, in the receipt [default: the user's name]
    #[arg(long, value_name = "NAME", requires = "receipt")]
    pub(crate) signed_off_by: Option<String>,
    /// What the result is written as, and where, several times if wanted: text, json, sarif, junit,
    /// github, summary, rdjson or checkstyle [default: text, to standard output]
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub(crate) format: Vec<crate::command::gate::outputs::Output>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Severity {
    /// The change must not go through like this.
    Error,
    /// Somebody should look.
    Warning,
    /// For information.
    Note,
}

/// Write a gates file.
#[derive(Debug, clap::Args)]
pub(crate) struct GateInit {}

/// Show what each gate may read.
#[derive(Debug, clap::Args)]
pub(crate) struct GateCheck {
    #[command(flatten)]
    pub(crate) file: GateFile,
    /// Pin plugins that are new in ringfence.lock
    #[arg(long, conflicts_with = "rules_from")]
    pub(crate) write_lock: bool,
    /// Take a pinned PLUGIN as it is now: another component, or one that nothing here uses any more
    #[arg(long, value_name = "PLUGIN", requires = "write_lock")]
    pub(crate) accept: Vec<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Write a baseline.
#[derive(Debug, clap::Args)]
pub(crate) struct GateBaseline {
    #[command(flatten)]
    pub(crate) ask: GateAsk,
    /// Where to write [default: as the gates file says, else ringfence-baseline.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Forget what was known and is not found on this change
    #[arg(long)]
    pub(crate) prune: bool,
}

/// Show what gates cost.
#[derive(Debug, clap::Args)]
pub(crate) struct GateFuel {
    #[command(flatten)]
    pub(crate) ask: GateAsk,
    /// What gates cost [default: as the gates file says, else ringfence.fuel at the top]
    #[arg(long, value_name = "FILE")]
    pub(crate) fuel_file: Option<PathBuf>,
    /// Write down what they cost on this change
    #[arg(long, conflicts_with_all = ["rules_from", "profile"])]
    pub(crate) record: bool,
    /// Show which functions of the gate ID the fuel goes to
    #[arg(long, value_name = "ID", conflicts_with = "only")]
    pub(crate) profile: Option<StepId>,
    /// At how many points at most the gate is looked at [default: 64]
    #[arg(
        long,
        value_name = "N",
        requires = "profile",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(POINTS_MAX))
    )]
    pub(crate) points: Option<u32>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Make a run again.
#[derive(Debug, clap::Args)]
pub(crate) struct GateReplay {
    /// The file of receipts
    #[arg(value_name = "RECEIPT")]
    pub(crate) receipt: PathBuf,
    /// Which line of it, from 1, or last
    #[arg(long, value_name = "N", default_value = "last", value_parser = line)]
    pub(crate) line: Which,
    /// The baseline, where it was none of the project's
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// What gates cost, where it was none of the project's
    #[arg(long, value_name = "FILE")]
    pub(crate) fuel_file: Option<PathBuf>,
    /// How many gates at once at most [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: Option<u8>,
    /// Run commands that the gates file wants run without a sandbox
    #[arg(long)]
    pub(crate) allow_unconfined: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// A reason that says something: it is on record, and is what others read later.
fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("a reason has to say something".to_owned());
    }
    Ok(text.to_owned())
}

fn line(text: &str) -> Result<Which, String> {
    match text {
        "last" => Ok(Which::Last),
        number => match number.parse() {
            Ok(line @ 1..) => Ok(Which::Line(line)),
            Ok(0) | Err(_) => Err("not last, nor a number from 1".to_owned()),
        },
    }
}

/// Say which rule decides.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// A path from the top of the project
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
    /// The step, as ID or ROLE/ID
    #[arg(long, value_name = "ID")]
    pub(crate) step: String,
    /// What it would do there: read or write [default: both]
    #[arg(long, value_name = "ACCESS", hide_possible_values = true)]
    pub(crate) access: Option<Access>,
    /// The loop file [default: the nearest LOOP.md from here upwards]
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What a step would do at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Access {
    /// Read bytes or a listing.
    Read,
    /// Create, change, rename or remove.
    Write,
}

/// Run a WASI program within limits. Without --dir it sees no file, without --read and --write it may
/// do anything below each DIR but what is denied.
#[derive(Debug, clap::Args)]
pub(crate) struct Exec {
    /// A component that exports wasi:cli/run
    #[arg(value_name = "FILE")]
    pub(crate) program: PathBuf,
    /// What the program is told on its command line
    #[arg(value_name = "ARGS", last = true)]
    pub(crate) args: Vec<String>,
    /// Show it the directory HOST under the name GUEST [default: the same name]
    #[arg(long = "dir", value_name = "HOST[::GUEST]")]
    pub(crate) dirs: Vec<String>,
    /// Let it read paths that match, and no others; from each DIR
    #[arg(long, value_name = "GLOB")]
    pub(crate) read: Vec<String>,
    /// Let it write paths that match, and no others; without --read, it may read them too
    #[arg(long, value_name = "GLOB")]
    pub(crate) write: Vec<String>,
    /// Deny paths that match, whatever else is said
    #[arg(long, value_name = "GLOB")]
    pub(crate) deny: Vec<String>,
    /// Lift the denials that every loop has: .git, agent settings, shell profiles
    #[arg(long)]
    pub(crate) no_builtin_deny: bool,
    /// Set a variable of its environment, which is empty otherwise
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// How much it may compute; about 10G is a second
    #[arg(long, value_name = "FUEL", default_value = "100G")]
    pub(crate) fuel: Fuel,
    /// How much memory it may have
    #[arg(long, value_name = "BYTES", default_value = "256MiB")]
    pub(crate) memory: Bytes,
    /// How long it may take, waiting included
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(crate) deadline: Millis,
    /// Give it time by fuel, chance by its own digest, and files without times: two runs are alike
    #[arg(long)]
    pub(crate) deterministic: bool,
    /// Write what it used and was denied to this file, as JSON, instead of to stderr
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// Look at plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Show what a plugin is and what it asks for
    Inspect(PluginInspect),
    /// List the plugins inside this program
    List(PluginList),
    /// Write a crate of your own to begin with
    New(PluginNew),
}

/// Show what a plugin is.
#[derive(Debug, clap::Args)]
pub(crate) struct PluginInspect {
    /// A component's file, or std:NAME
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// List the plugins inside this program.
#[derive(Debug, clap::Args)]
pub(crate) struct PluginList {
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Write a crate to begin with.
#[derive(Debug, clap::Args)]
pub(crate) struct PluginNew {
    /// The plugin's name, and that of the new folder
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it is to be
    #[arg(long, value_name = "ROLE", value_enum, default_value = "gate")]
    pub(crate) role: PluginRole,
    /// Where the SDK is: a clone of Ringfence, or an address for git [default: that of this project]
    #[arg(long, value_name = "PLACE")]
    pub(crate) sdk: Option<String>,
}

/// What a plugin is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PluginRole {
    /// Observes the repository.
    Sensor,
    /// Decides what to do.
    Decider,
    /// Does it.
    Executor,
    /// Judges a change.
    Gate,
}

/// Look at a loop's history.
#[derive(Debug, Subcommand)]
pub(crate) enum Journal {
    /// Show the last entries
    Show(JournalShow),
    /// Check that no entry was altered, lost or cut off
    Verify(JournalVerify),
    /// Print it for other tools
    Export(JournalExport),
}

/// Show the last entries.
#[derive(Debug, clap::Args)]
pub(crate) struct JournalShow {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    /// How many entries to show
    #[arg(short = 'n', value_name = "N", default_value_t = 20)]
    pub(crate) number: usize,
    /// Show one beat whole: every step, verdict and refusal
    #[arg(long, value_name = "N")]
    pub(crate) beat: Option<u64>,
    /// Only beats that ended so: proposed, discarded, waiting, failed, ...
    #[arg(long, value_name = "OUTCOME")]
    pub(crate) outcome: Option<String>,
    /// Only entries since then: 2026-11-21, 2026-11-21T09:30:00Z, or 2h, 7d ago
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only entries about this item
    #[arg(long, value_name = "ID")]
    pub(crate) item: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Check the journal.
#[derive(Debug, clap::Args)]
pub(crate) struct JournalVerify {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Print the journal for other tools.
#[derive(Debug, clap::Args)]
pub(crate) struct JournalExport {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    /// As lines of loop-run-log.md: one JSON object with eight keys for each beat
    #[arg(long, required = true)]
    pub(crate) run_log: bool,
    /// Only beats that ended at this time or later: a day (the loop's) or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
}

/// Show where a loop stands.
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    /// Show every loop in DIR and below it, a line each
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "items"])]
    pub(crate) all: Option<PathBuf>,
    /// Show it again whenever something has happened, until you stop it
    #[arg(long)]
    pub(crate) watch: bool,
    /// Show every item that was tried in vain, with all its reasons
    #[arg(long)]
    pub(crate) items: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Which loop, also where its file cannot be read.
#[derive(Debug, clap::Args)]
pub(crate) struct AnyLoop {
    /// The loop file [default: the nearest LOOP.md from here upwards]
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The loop's name, where its file is gone or broken
    #[arg(long = "loop", value_name = "NAME", conflicts_with = "file")]
    pub(crate) name: Option<LoopId>,
}

/// Show what waits for a person.
#[derive(Debug, clap::Args)]
pub(crate) struct Inbox {
    /// A loop file, or what waits, to see all of it
    #[arg(value_name = "FILE|ID")]
    pub(crate) what: Option<PathBuf>,
    /// The loop file, with an ID [default: the nearest LOOP.md]
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Answer what waits.
#[derive(Debug, clap::Args)]
pub(crate) struct Answer {
    /// What the inbox calls it
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// What to do: approve, reject or note
    #[arg(value_name = "ANSWER", hide_possible_values = true)]
    pub(crate) answer: Say,
    /// Why, or what there is to note; the decider is told
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: Option<String>,
    /// Run the beat that acts on it at once
    #[arg(long)]
    pub(crate) now: bool,
    #[command(flatten)]
    pub(crate) which: AnyLoop,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What to do about something that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Say {
    /// Settle the change; give the item new attempts.
    Approve,
    /// Drop the change; leave the item alone while it is as it is.
    Reject,
    /// Neither; tell the decider.
    Note,
}

/// Let a loop do nothing for a time.
#[derive(Debug, clap::Args)]
pub(crate) struct Pause {
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: Option<String>,
    /// Until when: a time, a day or a span such as 3d [default: until resume]
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    #[command(flatten)]
    pub(crate) which: AnyLoop,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Let a loop go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) which: AnyLoop,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// End a loop.
#[derive(Debug, clap::Args)]
pub(crate) struct Retire {
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) which: AnyLoop,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Give the figures of a loop to Prometheus.
#[derive(Debug, clap::Args)]
pub(crate) struct Metrics {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    /// Every loop in DIR and below it
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    pub(crate) all: Option<PathBuf>,
    /// Write them to PATH at once, readable for all: for the textfile collector
    #[arg(long, value_name = "PATH", conflicts_with = "listen")]
    pub(crate) output: Option<PathBuf>,
    /// Serve them at http://ADDR/metrics until you stop it: 127.0.0.1:9477
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Let ADDR be one that other machines reach: nothing asks who they are
    #[arg(long, requires = "listen")]
    pub(crate) allow_remote: bool,
}

/// Write a loop's history as a page for a browser.
#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    /// One HTML file with everything in it, and no script
    #[arg(long, required = true)]
    pub(crate) html: bool,
    /// Write it to PATH [default: stdout]
    #[arg(long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
}

/// Say what this machine gives the sandbox to stand on.
/// Say how a loop does, and recommend: nothing is changed.
#[derive(Debug, clap::Args)]
pub(crate) struct Health {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// A level on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LevelName {
    /// Shadow.
    #[value(name = "L1", alias = "l1")]
    L1,
    /// Propose.
    #[value(name = "L2", alias = "l2")]
    L2,
    /// Commit.
    #[value(name = "L3", alias = "l3")]
    L3,
}

/// Let a loop go one level further. Everything that speaks for it and against it is shown; one rule that does not hold
/// refuses it.
#[derive(Debug, clap::Args)]
pub(crate) struct Promote {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    /// How far: L2 or L3 [default: the next level]
    #[arg(long, value_name = "LEVEL", hide_possible_values = true)]
    pub(crate) to: Option<LevelName>,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: Option<String>,
    /// Pass over these rules, by name, or over all that may be; needs --reason, and is on record
    #[arg(long = "override", value_name = "RULE", num_args = 0.., requires = "reason")]
    pub(crate) overrides: Option<Vec<String>>,
    /// Show the evidence, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Let a loop go less far. This always works.
#[derive(Debug, clap::Args)]
pub(crate) struct Demote {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    /// How far: L1 or L2 [default: one level less]
    #[arg(long, value_name = "LEVEL", hide_possible_values = true)]
    pub(crate) to: Option<LevelName>,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Prove each guard of a loop in both directions, in a private checkout of its base. What came of it goes into the
/// journal, and is good for 30 days, or until the loop file, a plugin or the policy changes.
#[derive(Debug, clap::Args)]
pub(crate) struct Drill {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    /// Run this drill alone; the journal is told nothing then
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Say what this machine gives the sandbox to stand on, and what the loop has proven of what its level needs.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Try to escape from the boundary, on this machine.
#[derive(Debug, clap::Args)]
pub(crate) struct Selftest {
    /// Every file verb with all its flags at every kind of path, both ways of walking
    #[arg(long, required = true)]
    pub(crate) escapes: bool,
    /// Make the temporary files in DIR, to try its file system
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Say what a day of a loop may cost by its file, and what it did cost by its journal.
#[derive(Debug, clap::Args)]
pub(crate) struct Estimate {
    #[command(flatten)]
    pub(crate) file: LoopFile,
    /// How often it runs [default: what the loop file says]
    #[arg(long, value_name = "TIME")]
    pub(crate) every: Option<Millis>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Print a JSON Schema.
#[derive(Debug, clap::Args)]
pub(crate) struct Schema {
    /// Which document: loop-file, situation, gates-file, gate-report or gate-receipt
    #[arg(
        value_name = "DOCUMENT",
        default_value = "loop-file",
        hide_possible_values = true
    )]
    pub(crate) document: Document,
}

/// A document with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Document {
    /// The front matter of a loop file.
    LoopFile,
    /// What a decider is told.
    Situation,
    /// A file of gates for `ringfence gate`.
    GatesFile,
    /// What `ringfence gate --format json` writes.
    GateReport,
    /// A line of `ringfence gate --receipt`.
    GateReceipt,
    /// A plugin's `plugin.toml`.
    Plugin,
}

/// Print a completion script.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// The error with a tip where somebody gave `gate` a revision in the place of a verb.
pub(crate) fn explained(mut error: clap::Error) -> clap::Error {
    let of_gate = |usage: &ContextValue| usage.to_string().contains("ringfence gate ");
    if error.get(ContextKind::Usage).is_some_and(of_gate)
        && let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
    {
        let tip = format!("what was added since a revision: ringfence gate --base {word}");
        let tips = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tips);
    }
    error
}

/// The whole command line with the table of exit codes below its help.
pub(crate) fn command() -> clap::Command {
    let gate = |gate: clap::Command| gate.after_help(exit::gate_table());
    let args = Args::command().after_help(exit::table());
    args.mut_subcommand("gate", gate)
}
