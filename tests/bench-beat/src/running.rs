//! `ringfence run` over many loops: what it costs while nothing is due, and how many beats it makes when all are.
//!
//! **Invariant:** figures are the kernel's, of the process and of all programs that it started and waited for.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::ground::Ground;
use crate::{Outcome, say};

// Limit: a thousand first beats take a minute or two on a slow machine.
const PATIENCE: Duration = Duration::from_secs(600);
// Ticks of the processor's clock in a second, as Linux tells them in /proc.
const TICKS: f64 = 100.0;

/// A scheduler under way, and the lines it writes: one for each beat.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

/// What a process has used so far.
struct Used {
    seconds: f64,
    rss_mib: f64,
}

/// How much processor and memory so many loops take that are not due.
pub(crate) fn idle(program: &Path, count: usize, seconds: u64) -> Outcome<()> {
    let ground = Ground::loops(count, "12h")?;
    let running = Running::begin(program, &ground, 2)?;
    running.wait_for(count, |_| true)?;
    let before = running.used()?;
    let beats = running.count(Duration::from_secs(seconds));
    let after = running.used()?;
    let hourly = (after.seconds - before.seconds) * 3_600.0 / f64::from(u32::try_from(seconds)?);
    let loops = f64::from(u32::try_from(count)?);
    say(&format!(
        "{count} loops, none due for {seconds} s: {hourly:.2} CPU s an hour ({:.4} a loop), {:.1} MiB resident, {beats} beats",
        hourly / loops,
        after.rss_mib
    ));
    Ok(())
}

/// How many beats so many loops make that are all due each second, and what one costs.
pub(crate) fn busy(program: &Path, count: usize, jobs: usize, seconds: u64) -> Outcome<()> {
    let ground = Ground::loops(count, "1s")?;
    let running = Running::begin(program, &ground, jobs)?;
    running.wait_for(count, |_| true)?;
    let before = running.used()?;
    let began = Instant::now();
    let beats = running.count(Duration::from_secs(seconds));
    let took = began.elapsed().as_secs_f64();
    let cost = running.used()?.seconds - before.seconds;
    let beats = f64::from(u32::try_from(beats)?);
    say(&format!(
        "{count} loops of 1 s, {jobs} at once: {:.1} beats a second that skip, {:.2} CPU ms each",
        beats / took,
        cost * 1e3 / beats
    ));
    ground.commit()?;
    let began = Instant::now();
    running.wait_for(count, |line| line.contains("\"nothing-to-do\""))?;
    say(&format!(
        "{count} loops of 1 s, {jobs} at once: {:.1} beats a second that look, decide and have nothing to do",
        f64::from(u32::try_from(count)?) / began.elapsed().as_secs_f64()
    ));
    Ok(())
}

impl Running {
    fn begin(program: &Path, ground: &Ground, jobs: usize) -> Outcome<Self> {
        let told = |arguments: &[&str]| {
            let mut command = Command::new(program);
            command
                .args(arguments)
                .env("XDG_CACHE_HOME", ground.cache())
                .current_dir(ground.top())
                .stderr(Stdio::inherit());
            command
        };
        let first = fs::read_dir(ground.top().join("loops"))?.next();
        let first = first.ok_or("there is no loop")??.path().join("LOOP.md");
        // All have the same plugins, in one lock file.
        let pinned = told(&["check", "--write-lock"])
            .arg(first)
            .stdout(Stdio::null())
            .status()?;
        pinned.success().then_some(()).ok_or("check failed")?;
        let mut child = told(&["run", "--format", "json", "--jobs", &jobs.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("no stdout")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// Waits for so many beats that are meant.
    fn wait_for(&self, count: usize, meant: impl Fn(&str) -> bool) -> Outcome<()> {
        let (mut seen, began) = (0, Instant::now());
        while seen < count {
            let line = self.lines.recv_timeout(PATIENCE)?;
            if began.elapsed() > PATIENCE {
                return Err(
                    format!("only {seen} of {count} beats were what was waited for").into(),
                );
            }
            if line.contains("\"trouble\"") || line.contains("\"failed\"") {
                return Err(line.into());
            }
            seen += usize::from(meant(&line));
        }
        Ok(())
    }

    /// How many beats end within this time.
    fn count(&self, time: Duration) -> usize {
        let until = Instant::now() + time;
        let mut seen = 0;
        loop {
            match self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(_) => seen += 1,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return seen,
            }
        }
    }

    fn used(&self) -> Outcome<Used> {
        let of = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", self.child.id()));
        let stat = of("stat")?;
        let (_, fields) = stat.rsplit_once(") ").ok_or("an odd stat")?;
        // Own and children's time, in and out of the kernel: the 14th to the 17th field of all, the first two of which are cut.
        let ticks = fields.split(' ').skip(11).take(4);
        let ticks: u32 = ticks.map(str::parse::<u32>).sum::<Result<_, _>>()?;
        let status = of("status")?;
        let rss = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .ok_or("no VmRSS")?;
        Ok(Used {
            seconds: f64::from(ticks) / TICKS,
            rss_mib: f64::from(rss.parse::<u32>()?) / 1024.0,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            self.child.wait().map(drop).unwrap_or_default();
        }
    }
}
