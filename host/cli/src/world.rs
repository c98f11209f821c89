//! What the program is given from outside, and the one place that takes it from the machine.
//!
//! **Invariant:** the environment, the current directory, the streams and the machine's clock are asked for here and
//! nowhere else in this crate.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use ringfence_runner::clock::{Clock, SystemClock};
use ringfence_runner::git::minder::{mind_with, minder_main};
use ringfence_sandbox::native::helper_main;
use ringfence_sandbox::{Compiler, Input, Streams, Target, compiler_main};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::exit::Exit;
use crate::render::log::LogLine;

/// Everything that differs from run to run.
pub struct World<'a> {
    /// The command line, the program's name first.
    pub args: Vec<OsString>,
    /// The current directory.
    pub dir: PathBuf,
    /// Where `git` is looked for: the value of `PATH`.
    pub search_path: OsString,
    /// The index that git names to its hooks: the value of `GIT_INDEX_FILE`.
    pub index_file: Option<PathBuf>,
    /// Where compiled components are kept; none to compile them each time.
    pub cache_dir: Option<PathBuf>,
    /// Where the operator's own files are; none where the user has no such place.
    pub config_dir: Option<PathBuf>,
    /// Who the user is, as the system calls them; a name of one line. Nothing proves it.
    pub user: String,
    /// Who compiles them.
    pub compiler: Compiler,
    /// True when the user wants no colours anywhere.
    pub no_color: bool,
    /// Where results go.
    pub out: Stream<'a>,
    /// Where everything else goes.
    pub err: Stream<'a>,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// Where the streams of a program lead that `exec` runs.
    pub program_streams: Streams,
    /// True when this process runs one command and then ends, so that it may give up rights for good.
    pub may_be_confined: bool,
}

impl World<'_> {
    /// The streams of this process.
    #[must_use]
    pub fn own_streams() -> Streams {
        Streams {
            stdin: Input::Inherited,
            stdout: Target::Inherited,
            stderr: Target::Inherited,
        }
    }
}

/// Where text goes.
pub struct Stream<'a> {
    /// The stream.
    pub to: &'a mut (dyn Write + Send),
    /// True when a person is looking at it.
    pub is_terminal: bool,
}

/// Runs the program in the machine's environment.
#[must_use]
pub fn main_ambient() -> ExitCode {
    // First of all: a helper has one thread.
    let args = std::env::args_os;
    let helper = compiler_main(args())
        .or_else(|| helper_main(args()))
        .or_else(|| minder_main(args()));
    if let Some(ended) = helper {
        return ended;
    }
    mind_with(&own_program());
    let dir = match std::env::current_dir() {
        Ok(dir) => dir,
        // Whatever needs the directory will say what is wrong with this one.
        Err(_) => PathBuf::from("."),
    };
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let (out_is_terminal, err_is_terminal) = (out.is_terminal(), err.is_terminal());
    let exit = crate::run(World {
        args: std::env::args_os().collect(),
        dir,
        search_path: std::env::var_os("PATH").unwrap_or_default(),
        index_file: std::env::var_os("GIT_INDEX_FILE").map(PathBuf::from),
        cache_dir: user_dir("XDG_CACHE_HOME", ".cache"),
        config_dir: user_dir("XDG_CONFIG_HOME", ".config"),
        user: ringfence_runner::user::name(),
        compiler: Compiler::Child(own_program()),
        no_color: no_color(),
        out: Stream {
            to: &mut out,
            is_terminal: out_is_terminal,
        },
        err: Stream {
            to: &mut err,
            is_terminal: err_is_terminal,
        },
        clock: &SystemClock,
        program_streams: World::own_streams(),
        may_be_confined: true,
    });
    exit.into()
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// This very program, also when a newer one has taken its name meanwhile.
fn own_program() -> PathBuf {
    let running = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && running.exists() {
        return running;
    }
    // Where it cannot be found, compiling says so.
    std::env::current_exe().unwrap_or(running)
}

fn no_color() -> bool {
    let is_set = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    is_set || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// `ringfence` in the directory that `variable` names, else in `fallback` below the user's home; none where they have
/// neither.
fn user_dir(variable: &str, fallback: &str) -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let dir = absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(fallback)))?;
    Some(dir.join("ringfence"))
}

/// Sends what the program does to stderr: warnings, more with each `-v`. Another logger that is there already stays.
pub(crate) fn log_to_stderr(verbose: u8, coloured: bool) {
    let (ours, others) = match verbose {
        0 => (LevelFilter::WARN, LevelFilter::OFF),
        1 => (LevelFilter::DEBUG, LevelFilter::WARN),
        _ => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    let crates = ["ringfence", "ringfence_runner", "ringfence_sandbox"];
    let filter = Targets::new()
        .with_default(others)
        .with_targets(crates.map(|name| (name, ours)));
    let shown = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        // The colours are those of the lines, and what is in a line is escaped there.
        .with_ansi(false)
        .event_format(LogLine { coloured });
    let logger = tracing_subscriber::registry()
        .with(shown)
        .with(filter)
        .try_init();
    if logger.is_err() {
        tracing::debug!("another logger is there already");
    }
}
