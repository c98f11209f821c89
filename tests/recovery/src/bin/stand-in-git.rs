//! Stands in for `git`: counts the calls, and at one of them kills whoever called before it becomes the real git.
//!
//! What to do lies beside the link it was called by: `real` is the path of git, `order` is `N` or `N wait`; with `wait`
//! it goes on only when somebody opens the pipe `gate`. Each call adds a line to `calls`.
//!
//! **Invariant:** git itself runs unchanged, with the very arguments, environment and files it was given.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use rustix::process::{Signal, getppid, kill_process};

fn main() -> ExitCode {
    match run() {
        Ok(never) => match never {},
        Err(error) => match writeln!(io::stderr(), "stand-in for git: {error}") {
            Ok(()) => ExitCode::from(99),
            Err(_) => ExitCode::from(98),
        },
    }
}

fn run() -> Result<std::convert::Infallible, Box<dyn Error>> {
    let mut args = std::env::args_os();
    let own = PathBuf::from(args.next().ok_or("called without a name")?);
    let dir = own.parent().ok_or("called without a folder")?;
    let args: Vec<_> = args.collect();
    let mut calls = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("calls"))?;
    writeln!(calls, "{args:?}")?;
    let now = fs::read_to_string(dir.join("calls"))?.lines().count();
    let order = fs::read_to_string(dir.join("order"))?;
    let (at, wait) = order
        .split_once(' ')
        .map_or((order.as_str(), false), |(at, _)| (at, true));
    if at.parse() == Ok(now) {
        kill_process(getppid().ok_or("the caller is gone")?, Signal::KILL)?;
        if wait {
            fs::read(dir.join("gate"))?;
        }
    }
    let real = fs::read_to_string(dir.join("real"))?;
    Err(Command::new(real).args(args).exec().into())
}
