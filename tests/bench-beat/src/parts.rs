//! What a process does before its first component runs, part by part, in a process that has done it before.

use std::time::{Duration, Instant};

use ringfence::std_plugins::StdPlugins;
use ringfence_runner::git::GitProgram;
use ringfence_runner::open_loop::{LockMode, OpenLoop};
use ringfence_sandbox::{Sandbox, Settings, inspect};

use crate::Outcome;
use crate::ground::Ground;

/// The parts with their times.
pub(crate) fn times(ground: &Ground, rounds: usize) -> Outcome<Vec<(&'static str, Vec<Duration>)>> {
    let find = || GitProgram::find(&std::env::var_os("PATH").unwrap_or_default());
    let program = find()?;
    let open = || OpenLoop::open(&program, &ground.top(), None);
    let opened = open()?;
    let locked = opened.lock(&StdPlugins, LockMode::Write)?;
    let engine = || {
        Sandbox::new(Settings {
            cache: Some(ground.cache()),
            ..Settings::default()
        })
    };
    let sandbox = engine()?;
    let load = |sandbox: &Sandbox| -> Outcome<()> {
        for component in locked.components.values() {
            sandbox.load(component)?;
        }
        Ok(())
    };
    load(&sandbox)?;
    Ok(vec![
        (
            "command line",
            timed(rounds, || {
                Ok(drop(
                    ringfence::command_line().try_get_matches_from(["ringfence", "beat"])?,
                ))
            })?,
        ),
        (
            "git asked for its version",
            timed(rounds, || Ok(drop(find()?)))?,
        ),
        (
            "project found, loop file read",
            timed(rounds, || Ok(drop(open()?)))?,
        ),
        (
            "plugins inspected",
            timed(rounds, || {
                for component in locked.components.values() {
                    inspect(component)?;
                }
                Ok(())
            })?,
        ),
        (
            "loop locked: plugins inspected, configurations checked",
            timed(rounds, || {
                Ok(drop(opened.lock(&StdPlugins, LockMode::Require)?))
            })?,
        ),
        ("engine and linker", timed(rounds, || Ok(drop(engine()?)))?),
        (
            "plugins loaded from the cache",
            timed(rounds, || load(&sandbox))?,
        ),
    ])
}

fn timed(rounds: usize, mut part: impl FnMut() -> Outcome<()>) -> Outcome<Vec<Duration>> {
    let round = |_| {
        let began = Instant::now();
        part()?;
        Ok(began.elapsed())
    };
    (0..rounds).map(round).collect()
}
