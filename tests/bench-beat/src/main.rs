//! Measures a beat that finds nothing to do, and how long the program takes until a component runs.
//!
//! ```text
//! ringfence-bench-beat [--program FILE] [--files N] [--beats N,N,…] [--loops N,N,…] [--seconds N]
//! ringfence-bench-beat [--program FILE] --looks N,N,…
//! ```
//!
//! A repository of `--files` files (20,000) with a loop of five sensors is made in the folder for temporary files; the
//! journal is made as long as each of `--beats` (10, 1000) by as many real beats. `--program` is the `ringfence` to be
//! run as a process: the one beside this program. `--loops` (1, 100, 1000) is how many loops one `ringfence run` keeps, which are
//! watched for `--seconds` (60) each; `--beats 0 --loops N` measures nothing else. `--looks` measures what
//! only looks at a loop instead, with a journal of so many copies of one beat.
//!
//! **Invariant:** times are of real beats on real files with real git. What a process starts and flushes is counted by
//! `strace`, where there is one; the tests of `tests/recovery` hold it without.

mod beats;
mod ground;
mod looks;
mod parts;
mod program;
mod running;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::beats::Beats;
use crate::ground::Ground;
use crate::program::Program;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What is to be measured.
struct Plan {
    program: PathBuf,
    files: usize,
    beats: Vec<u64>,
    loops: Vec<usize>,
    seconds: u64,
    looks: Vec<u64>,
}

fn main() -> ExitCode {
    match Plan::read(std::env::args().skip(1)).and_then(|plan| plan.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

impl Plan {
    fn read(mut arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut plan = Self {
            program: std::env::current_exe()?.with_file_name("ringfence"),
            files: 20_000,
            beats: vec![10, 1_000],
            loops: vec![1, 100, 1_000],
            seconds: 60,
            looks: Vec::new(),
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or("an argument without a value")?;
            match name.as_str() {
                "--program" => plan.program = std::path::absolute(value)?,
                "--files" => plan.files = value.parse()?,
                "--beats" => plan.beats = numbers(&value)?,
                "--loops" => plan.loops = numbers(&value)?,
                "--looks" => plan.looks = numbers(&value)?,
                "--seconds" => plan.seconds = value.parse()?,
                _ => return Err(format!("{name} is not known").into()),
            }
        }
        Ok(plan)
    }

    fn run(&self) -> Outcome<()> {
        if !self.looks.is_empty() {
            return self.look();
        }
        if self.beats != [0] {
            self.run_beats()?;
            run_sensors()?;
        }
        for count in self.loops.iter().filter(|count| **count > 0) {
            running::idle(&self.program, *count, self.seconds)?;
        }
        if let Some(count) = self.loops.iter().max().filter(|count| **count > 0) {
            for jobs in [1, 2] {
                running::busy(&self.program, *count, jobs, self.seconds)?;
            }
        }
        Ok(())
    }

    fn run_beats(&self) -> Outcome<()> {
        let large = Ground::new(self.files)?;
        let program = Program::new(&self.program, &large)?;
        let mut beats = Beats::open(&large)?;
        for length in &self.beats {
            let bytes = beats.make(*length)?;
            say(&format!(
                "journal of {length} beats, {} KiB, {} files",
                bytes >> 10,
                self.files
            ));
            row("skip, warm process", beats.time(101)?);
            row("skip, own process", program.time(31, &["beat"])?);
            row("journal read, checked, added up", beats.time_reading(11)?);
            row("the whole way, warm process", beats.time_whole(11)?);
            row("the whole way, own process", program.time_whole(11)?);
        }
        if let Some(counted) = program.count(&["beat"])? {
            say(&format!("skip, own process, by strace: {counted}"));
        }
        let small = Ground::new(20)?;
        say("the parts of a start, in a warm process");
        for (part, times) in parts::times(&small, 31)? {
            row(part, times);
        }
        let program = Program::new(&self.program, &small)?;
        say("a repository of 20 files");
        row(
            "start and end: plugin list",
            program.time(31, &["plugin", "list"])?,
        );
        row(
            "start, read and lock a loop: check",
            program.time(31, &["check"])?,
        );
        row("skip, own process", program.time(31, &["beat"])?);
        row(
            "six components called: beat --no-memo --dry-run",
            program.time(31, &["beat", "--no-memo", "--dry-run"])?,
        );
        Ok(())
    }
}

/// As many sensors as the figures of others are of.
fn run_sensors() -> Outcome<()> {
    for (sensors, full) in [(5, true), (50, false)] {
        let ground = Ground::with(20, sensors)?;
        let beats = Beats::open(&ground)?;
        say(&format!(
            "{sensors} sensors, a small repository, warm process"
        ));
        row("skip", beats.time(101)?);
        if full {
            row("full, trivial decider", beats.time_full(31)?);
        }
    }
    Ok(())
}

impl Plan {
    fn look(&self) -> Outcome<()> {
        let small = Ground::new(20)?;
        let program = Program::new(&self.program, &small)?;
        for length in &self.looks {
            let bytes = looks::lengthen(&small, *length)?;
            say(&format!("journal of {length} beats, {} KiB", bytes >> 10));
            looks::time(&program, 5)?;
        }
        Ok(())
    }
}

fn numbers<T>(text: &str) -> Outcome<Vec<T>>
where
    T: std::str::FromStr,
    T::Err: Into<Box<dyn std::error::Error>>,
{
    let numbers = text.split(',').map(|number| number.parse::<T>());
    numbers.map(|number| number.map_err(Into::into)).collect()
}

/// The fastest and the middle one of some times.
fn row(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let shown = |time: Option<&Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    let (least, middle) = (shown(times.first()), shown(times.get(times.len() / 2)));
    say(&format!(
        "  {what:<50} min {least:8.2} ms   p50 {middle:8.2} ms   n {}",
        times.len()
    ));
}

#[expect(clippy::print_stdout, reason = "the answer")]
fn say(text: &str) {
    println!("{text}");
}
