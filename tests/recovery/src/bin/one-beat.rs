//! Runs one beat of the loop in a folder, and says each step it comes to; on request it ends itself there, waits there,
//! or finds the disk full from there on.
//!
//! ```text
//! one-beat PROJECT CACHE TIME [pin | promote | approve:ID | kill:N | pause:N | full:N:BYTES | quiet:N]
//! ```
//!
//! On stdout: `step NAME` each time, `paused` before it reads a line from stdin, and at the end `report JSON`. What kept
//! the beat from beginning goes to stderr, with exit status 1. `pin` writes `ringfence.lock` and runs nothing, `approve`
//! answers what waits and runs nothing, `promote` orders the loop to level L3 and runs nothing. `quiet`
//! runs so many beats, each followed by `read BYTES`, and kills whoever waits for the disk from the first one on.
//!
//! **Invariant:** everything but the steps is what a user's beat does: the same driver, sandbox, git and disk.

use std::cell::Cell;
use std::error::Error;
use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use ringfence_core::journal::{Act, Answer, Body, OperatorAct};
use ringfence_core::spec::Level;
use ringfence_runner::clock::{FakeClock, SystemClock};
use ringfence_runner::driver::{self, BeatError, BeatOptions, Seams, Surroundings};
use ringfence_runner::git::GitProgram;
use ringfence_runner::open_loop::{LockMode, OpenLoop, PluginSource};
use ringfence_runner::state_dir::StateDir;
use ringfence_runner::steps::{NoSteps, Steps};
use ringfence_sandbox::{Sandbox, Settings};
use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process, setrlimit};

/// Entries of a table: a standard plugin by the name of its file, as it was when this program was built.
macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../../../../host/cli/plugins/", $name, ".wasm")))),*]
    };
}

static PLUGINS: [(&str, &[u8]); 6] = shipped![
    "diff-size",
    "first-fixable",
    "md-link-fix",
    "md-links",
    "paths",
    "report",
];

/// What is to happen at one of the steps, counted from 1.
#[derive(Debug, Clone, Copy)]
enum Order {
    Kill(usize),
    Pause(usize),
    /// From this step on no file can be written beyond so many bytes.
    Full(usize, u64),
    /// So many beats, none of which may flush anything.
    Quiet(usize),
}

struct Told {
    order: Option<Order>,
    seen: Cell<usize>,
}

impl Steps for Told {
    fn at(&self, step: &'static str) {
        self.seen.set(self.seen.get() + 1);
        let done = say(&format!("step {step}")).and_then(|()| self.obey());
        if done.is_err() {
            std::process::abort();
        }
    }
}

impl Told {
    fn obey(&self) -> io::Result<()> {
        let now = self.seen.get();
        match self.order {
            Some(Order::Kill(at)) if at == now => Ok(kill_process(getpid(), Signal::KILL)?),
            Some(Order::Pause(at)) if at == now => {
                say("paused")?;
                io::stdin().lock().read_line(&mut String::new()).map(drop)
            }
            Some(Order::Full(at, bytes)) if at == now => {
                let limit = Rlimit {
                    current: Some(bytes),
                    maximum: Some(bytes),
                };
                Ok(setrlimit(Resource::Fsize, limit)?)
            }
            _ => Ok(()),
        }
    }
}

/// The standard plugins.
struct Shipped;

impl PluginSource for Shipped {
    fn std(&self, name: &str) -> Option<&'static [u8]> {
        let found = PLUGINS.iter().find(|(known, _)| *known == name);
        found.map(|(_, bytes)| *bytes)
    }

    fn names(&self) -> Vec<&str> {
        PLUGINS.iter().map(|(name, _)| *name).collect()
    }
}

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = error.to_string();
            let mut source = error.source();
            while let Some(error) = source {
                text = format!("{text}: {error}");
                source = error.source();
            }
            match writeln!(io::stderr(), "{text}") {
                Ok(()) => ExitCode::FAILURE,
                Err(_) => ExitCode::from(2),
            }
        }
    }
}

fn run(args: Vec<OsString>) -> Result<(), Box<dyn Error>> {
    let mut args = args.into_iter();
    let (Some(project), Some(cache), Some(time)) = (args.next(), args.next(), args.next()) else {
        return Err("usage: one-beat PROJECT CACHE TIME [ORDER]".into());
    };
    let order = args.next().map(OsString::into_string).transpose();
    let order = order.map_err(|text| format!("{text:?} is no order"))?;
    let program = GitProgram::find(&std::env::var_os("PATH").unwrap_or_default(), &[])?;
    let open = OpenLoop::open(&program, &PathBuf::from(project), None)?;
    let locked = open.lock(&Shipped, LockMode::Write)?;
    if order.as_deref() == Some("pin") {
        return Ok(());
    }
    if let Some(id) = order
        .as_deref()
        .and_then(|order| order.strip_prefix("approve:"))
    {
        return approve(&open, id);
    }
    if order.as_deref() == Some("promote") {
        return promote(&open);
    }
    let told = Told {
        order: order.as_deref().map(read_order).transpose()?,
        seen: Cell::new(0),
    };
    let sandbox = Sandbox::new(Settings {
        cache: Some(PathBuf::from(cache)),
        ..Settings::default()
    })?;
    let time = time.into_string().map_err(|_| "the time is no text")?;
    let clock = FakeClock::at(time.parse()?);
    let around = Surroundings {
        sandbox: &sandbox,
        clock: &clock,
        steps: &told,
        config_dir: None,
    };
    let options = BeatOptions {
        dry_run: false,
        memo: true,
    };
    let beat = || -> Result<(), Box<dyn Error>> {
        let report = driver::beat(&open, &locked, options, around, &mut |_| {})?;
        Ok(say(&format!("report {}", serde_json::to_string(&report)?))?)
    };
    let Some(Order::Quiet(beats)) = told.order else {
        return beat();
    };
    kill_who_flushes()?;
    for _ in 0..beats {
        let before = bytes_read()?;
        beat()?;
        say(&format!("read {}", bytes_read()? - before))?;
    }
    Ok(())
}

/// Says yes to what waits, as a person would.
fn approve(open: &OpenLoop, id: &str) -> Result<(), Box<dyn Error>> {
    let seams = Seams {
        clock: &SystemClock,
        steps: &NoSteps,
    };
    let dir = StateDir::open(&open.project)?.open_loop(&open.spec.loop_id)?;
    let act = OperatorAct {
        by: "ann".to_owned(),
        reason: String::new(),
        act: Act::Answer {
            id: id.to_owned(),
            answer: Answer::Approve,
        },
    };
    driver::note(&dir, &open.timezone, seams, Duration::from_secs(60), |_| {
        Ok::<_, BeatError>(vec![Body::Operator(act)])
    })?;
    Ok(())
}

/// Orders the loop to level L3, whether it has been drilled or not.
fn promote(open: &OpenLoop) -> Result<(), Box<dyn Error>> {
    let dir = StateDir::open(&open.project)?.open_loop(&open.spec.loop_id)?;
    let seams = Seams {
        clock: &SystemClock,
        steps: &NoSteps,
    };
    let act = Act::Promote {
        to: Level::L3,
        overrides: vec!["drills: none were run".to_owned()],
    };
    let told = OperatorAct {
        by: "ann".to_owned(),
        reason: "a trial".to_owned(),
        act,
    };
    driver::note(&dir, &open.timezone, seams, Duration::ZERO, |_| {
        Ok::<_, BeatError>(vec![Body::Operator(told)])
    })?;
    Ok(())
}

/// What this process has read so far, from whatever it was.
fn bytes_read() -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/io")?;
    let mut lines = text.lines();
    let read = lines.find_map(|line| line.strip_prefix("rchar: "));
    Ok(read.ok_or("/proc/self/io does not say")?.parse()?)
}

/// From here on this process, and each that it starts, is killed when it waits for the disk.
#[cfg(target_os = "linux")]
fn kill_who_flushes() -> Result<(), Box<dyn Error>> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
    // msync, fsync, fdatasync, sync, sync_file_range, syncfs
    let calls: [i64; 6] = match std::env::consts::ARCH {
        "x86_64" => [26, 74, 75, 162, 277, 306],
        "aarch64" => [227, 82, 83, 81, 84, 267],
        arch => return Err(format!("the calls of {arch} are not known here").into()),
    };
    let filter = SeccompFilter::new(
        calls.into_iter().map(|call| (call, vec![])).collect(),
        SeccompAction::Allow,
        SeccompAction::KillProcess,
        std::env::consts::ARCH.try_into()?,
    )?;
    Ok(apply_filter(&BpfProgram::try_from(filter)?)?)
}

#[cfg(not(target_os = "linux"))]
fn kill_who_flushes() -> Result<(), Box<dyn Error>> {
    Ok(())
}

fn read_order(text: &str) -> Result<Order, Box<dyn Error>> {
    let parts: Vec<_> = text.split(':').collect();
    match parts.as_slice() {
        ["kill", at] => Ok(Order::Kill(at.parse()?)),
        ["pause", at] => Ok(Order::Pause(at.parse()?)),
        ["quiet", beats] => Ok(Order::Quiet(beats.parse()?)),
        ["full", at, bytes] => Ok(Order::Full(at.parse()?, bytes.parse()?)),
        _ => Err(format!("{text:?} is no order").into()),
    }
}

/// One line in one piece, so that a kill leaves nothing half said.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}
