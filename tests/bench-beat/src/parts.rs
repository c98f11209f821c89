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
    let find = || GitProgram::find(&std::env::var_os("PATH").unwrap_or_default(), &[]);
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
    let inspected = || -> Outcome<()> {
        for component in locked.components.values() {
            inspect(component)?;
        }
        Ok(())
    };
    let parsed = || ringfence::command_line().try_get_matches_from(["ringfence", "beat"]);
    let relocked = || opened.lock(&StdPlugins, LockMode::Require);
    Ok(vec![
        ("command line", timed(rounds, || Ok(parsed()?))?),
        ("git asked for its version", timed(rounds, || Ok(find()?))?),
        (
            "project found, loop file read",
            timed(rounds, || Ok(open()?))?,
        ),
        ("plugins inspected", timed(rounds, inspected)?),
        (
            "plugins inspected, configurations checked, loop locked",
            timed(rounds, || Ok(relocked()?))?,
        ),
        ("engine and linker", timed(rounds, || Ok(engine()?))?),
        (
            "plugins loaded from the cache",
            timed(rounds, || load(&sandbox))?,
        ),
    ])
}

fn timed<T>(rounds: usize, mut part: impl FnMut() -> Outcome<T>) -> Outcome<Vec<Duration>> {
    let round = |_| {
        let began = Instant::now();
        let made = part()?;
        let took = began.elapsed();
        drop(made);
        Ok(took)
    };
    (0..rounds).map(round).collect()
}
