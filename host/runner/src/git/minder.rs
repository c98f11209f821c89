//! Ends the programs that run when this process is ended, by whatever it is.
//!
//! Only a program itself can ask the kernel to end it with its parent, and git does not. So a second process of ours, the
//! minder, is told which programs run and which have ended. It hears it through a pipe, which closes when this process is gone.
//!
//! **Invariant:** the minder ends the groups of programs that it was told of and not told to forget, and only once nobody is
//! left who could tell it anything. Forgetting comes before a program's number can become another one's.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process_group};

// Not a word of the command line, which nobody is to type.
const VERB: &str = "__mind-programs";

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
static MINDER: OnceLock<Option<Child>> = OnceLock::new();

/// Has programs minded from now on by `program`: this one, whose `main` begins with [`minder_main`]. Where nobody says this,
/// programs that are running when this process is killed go on.
pub fn mind_with(program: &Path) {
    PROGRAM.get_or_init(|| program.to_owned());
}

/// Does the work of the minder and ends, when `args` (the program's name first) say that this process was started for that; none
/// in any other process.
#[must_use]
pub fn minder_main(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.into_iter().skip(1);
    (args.next()? == VERB).then_some(())?;
    for group in left(io::stdin().lock()) {
        if let Some(group) = Pid::from_raw(group)
            && let Err(error) = kill_process_group(group, Signal::KILL)
        {
            tracing::debug!(%error, "nothing was left to be ended");
        }
    }
    Some(ExitCode::SUCCESS)
}

/// Tells the minder of a program that leads a group of its own.
pub(super) fn mind(program: &Child) {
    tell('+', program.id());
}

/// Tells the minder that this program has ended, before anybody waits for it.
pub(super) fn forget(program: &Child) {
    tell('-', program.id());
}

fn tell(what: char, number: u32) {
    let Some(minder) = MINDER.get_or_init(start) else {
        return;
    };
    let Some(mut pipe) = minder.stdin.as_ref() else {
        return;
    };
    // One piece, which no other thread's comes between.
    if let Err(error) = pipe.write_all(format!("{what}{number}\n").as_bytes()) {
        tracing::warn!(%error, "nobody minds the programs that run");
    }
}

fn start() -> Option<Child> {
    let mut command = Command::new(PROGRAM.get()?);
    command
        .arg0("ringfence")
        .arg(VERB)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // What is sent to the group of this process is not for it.
        .process_group(0);
    match command.spawn() {
        Ok(minder) => Some(minder),
        Err(error) => {
            tracing::warn!(%error, "nobody minds the programs that run");
            None
        }
    }
}

/// The groups that were told of and not forgotten, once nothing more can come.
fn left(told: impl BufRead) -> BTreeSet<i32> {
    let mut groups = BTreeSet::new();
    for line in told.lines().map_while(Result::ok) {
        // The first process of a system is no program of ours, and what is less stands for many.
        let number = |text: &str| text.parse().ok().filter(|number| *number > 1);
        if let Some(group) = line.strip_prefix('+').and_then(number) {
            groups.insert(group);
        } else if let Some(group) = line.strip_prefix('-').and_then(number) {
            groups.remove(&group);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_forgotten_or_is_no_group_is_let_be() {
        let left = |told: &str| -> Vec<i32> { left(told.as_bytes()).into_iter().collect() };
        assert_eq!(left("+7\n+8\n-7\n+9\n"), [8, 9]);
        assert!(left("+7\n+7\n-7\n").is_empty());
        assert!(left("+0\n+1\n+-5\n+x\n8\n\n+99999999999\n").is_empty());
    }
}
