//! The face of Ringfence: the command line, what it prints, and its exit codes.
//!
//! [`main_ambient`] is the program; [`run`] is the same with everything from outside handed in, which is how tests run
//! it. What a loop does is decided in `ringfence_core` and carried out by `ringfence_runner`; here people and scripts
//! are told of it.
//!
//! **Invariant:** results go to stdout, everything else to stderr, and with `--format json` stdout holds one JSON document
//! or nothing; `run` writes one a line. Text that others wrote is never shown but through the escapes of `render`. Nothing here panics, also when
//! stdout is closed.
//!
//! Modules: `args` reads the command line, `command` has one file for each command, `render` makes pages of values,
//! `console` prints them, [`exit`] chooses the exit code; [`std_plugins`] is what `std:NAME` means.
//!
//! ```
//! use ringfence::{Stream, World, exit::Exit};
//! use ringfence_runner::clock::SystemClock;
//!
//! let (mut out, mut err) = (Vec::new(), Vec::new());
//! let exit = ringfence::run(World {
//!     args: vec!["ringfence".into(), "plugin".into(), "list".into()],
//!     dir: ".".into(),
//!     search_path: "/usr/bin".into(),
//!     cache_dir: None,
//!     config_dir: None,
//!     index_file: None,
//!     user: "ann".into(),
//!     compiler: Default::default(),
//!     no_color: true,
//!     out: Stream { to: &mut out, is_terminal: false },
//!     err: Stream { to: &mut err, is_terminal: false },
//!     clock: &SystemClock,
//!     program_streams: World::own_streams(),
//!     may_be_confined: false,
//! });
//! assert_eq!(exit, Exit::Done);
//! assert!(String::from_utf8_lossy(&out).contains("md-links"));
//! ```

mod args;
mod command;
mod console;
pub mod exit;
mod render;
pub mod std_plugins;
#[cfg(test)]
mod tests;
mod world;

use clap::FromArgMatches;

pub use self::world::{Stream, World, main_ambient};
use crate::args::Args;
use crate::command::Context;
use crate::console::Console;
use crate::exit::Exit;

/// Runs one command and says how it ended.
#[must_use]
pub fn run(world: World<'_>) -> Exit {
    let World {
        args,
        dir,
        search_path,
        index_file,
        cache_dir,
        config_dir,
        user,
        compiler,
        no_color,
        out,
        err,
        clock,
        program_streams,
        may_be_confined,
    } = world;
    let parsed = args::command()
        .try_get_matches_from(args)
        .and_then(|matches| Args::from_arg_matches(&matches));
    let args = match parsed {
        Ok(args) => args,
        Err(error) => {
            let mut console = Console::new(out, err, args::Colour::Auto, no_color);
            let exit = console.usage(&args::explained(error));
            return console.finish(exit);
        }
    };
    let mut console = Console::new(out, err, args.color, no_color);
    world::log_to_stderr(args.verbose, console.err_is_coloured());
    let dir = args
        .directory
        .as_ref()
        .map_or_else(|| dir.clone(), |to| dir.join(to));
    let mut context = Context {
        console: &mut console,
        dir,
        search_path,
        index_file,
        cache_dir,
        config_dir,
        user,
        compiler,
        clock,
        program_streams,
        may_be_confined,
    };
    let exit = match command::run(&args.command, &mut context) {
        Ok(exit) => exit,
        Err(stop) => {
            console.say(&stop.page);
            stop.exit
        }
    };
    console.finish(exit)
}

/// The command line's definition, for documents made from it.
#[must_use]
pub fn command_line() -> clap::Command {
    args::command()
}
