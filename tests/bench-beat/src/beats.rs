//! Beats in this process, which holds the loop, its plugins and the engine.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ringfence::std_plugins::StdPlugins;
use ringfence_core::journal::{LoopState, Outcome as Ended, decode};
use ringfence_runner::clock::SystemClock;
use ringfence_runner::driver::{self, BeatOptions, BeatReport, Surroundings};
use ringfence_runner::git::GitProgram;
use ringfence_runner::open_loop::{LockMode, Locked, OpenLoop};
use ringfence_runner::steps::NoSteps;
use ringfence_sandbox::{Sandbox, Settings};

use crate::Outcome;
use crate::ground::Ground;

/// A loop that is held open.
pub(crate) struct Beats<'g> {
    ground: &'g Ground,
    open: OpenLoop,
    locked: Locked,
    sandbox: Sandbox,
}

impl<'g> Beats<'g> {
    /// Opens the loop, pins its plugins, and lets it find that there is nothing to do.
    pub(crate) fn open(ground: &'g Ground) -> Outcome<Self> {
        let program = GitProgram::find(&std::env::var_os("PATH").unwrap_or_default(), &[])?;
        let open = OpenLoop::open(&program, &ground.top(), None)?;
        let locked = open.lock(&StdPlugins, LockMode::Write)?;
        let sandbox = Sandbox::new(Settings {
            cache: Some(ground.cache()),
            ..Settings::default()
        })?;
        let beats = Self {
            ground,
            open,
            locked,
            sandbox,
        };
        beats.beat()?;
        Ok(beats)
    }

    /// Makes beats until the journal has so many, and says how long it is in bytes.
    pub(crate) fn make(&mut self, length: u64) -> Outcome<u64> {
        while self.skip()?.receipt.beat.0 < length {}
        Ok(fs::metadata(self.ground.state().join("journal.jsonl"))?.len())
    }

    /// Times so many beats that find nothing to do.
    pub(crate) fn time(&self, rounds: usize) -> Outcome<Vec<Duration>> {
        (0..rounds).map(|_| self.timed()).collect()
    }

    /// The same for beats that have to read, clear and check everything.
    pub(crate) fn time_whole(&self, rounds: usize) -> Outcome<Vec<Duration>> {
        let round = |_| {
            fs::remove_file(self.ground.state().join("bookmark")).or_else(not_there)?;
            self.timed()
        };
        (0..rounds).map(round).collect()
    }

    /// Times reading and checking the journal so many times.
    pub(crate) fn time_reading(&self, rounds: usize) -> Outcome<Vec<Duration>> {
        let path = self.ground.state().join("journal.jsonl");
        let round = |_| {
            let began = Instant::now();
            let journal = decode(&fs::read(&path)?)?;
            let state = LoopState::fold(&journal.entries, &self.open.timezone);
            let took = began.elapsed();
            state
                .pending
                .is_none()
                .then_some(took)
                .ok_or_else(|| "something is pending".into())
        };
        (0..rounds).map(round).collect()
    }

    /// Times beats that find another commit, ask their sensors and the decider, and have nothing to do.
    pub(crate) fn time_full(&self, rounds: usize) -> Outcome<Vec<Duration>> {
        let round = |_| {
            self.ground.commit()?;
            let began = Instant::now();
            let report = self.beat()?;
            let took = began.elapsed();
            match report.outcome {
                Ended::NothingToDo { .. } => Ok(took),
                other => Err(format!("a beat with a new commit ended as {other}").into()),
            }
        };
        (0..rounds).map(round).collect()
    }

    fn timed(&self) -> Outcome<Duration> {
        let began = Instant::now();
        self.skip()?;
        Ok(began.elapsed())
    }

    fn skip(&self) -> Outcome<BeatReport> {
        let report = self.beat()?;
        match report.outcome {
            Ended::Skipped => Ok(report),
            other => Err(format!(
                "a beat that was to find nothing to do ended as {other}, {}",
                Timestamp::now()
            )
            .into()),
        }
    }

    fn beat(&self) -> Outcome<BeatReport> {
        let around = Surroundings {
            sandbox: &self.sandbox,
            clock: &SystemClock,
            steps: &NoSteps,
            config_dir: None,
        };
        let options = BeatOptions {
            dry_run: false,
            memo: true,
        };
        Ok(driver::beat(
            &self.open,
            &self.locked,
            options,
            around,
            &mut |_| {},
        )?)
    }
}

/// A file that is not there need not be removed.
pub(crate) fn not_there(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}
