//! Who takes part takes turns, so that a noisy moment of the machine meets everybody.
//!
//! **Invariant:** ratios are those of single rounds, of which the middle one counts; a slow minute shifts both sides of it.

use std::fs;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::Outcome;

/// Somebody who does the work once.
pub struct Contender<'a> {
    /// What the report calls them.
    pub name: &'static str,
    /// One turn.
    pub turn: Box<dyn FnMut() -> Outcome<()> + 'a>,
}

impl<'a> Contender<'a> {
    /// Somebody who does `turn`.
    pub fn new(name: &'static str, turn: impl FnMut() -> Outcome<()> + 'a) -> Self {
        let turn = Box::new(turn);
        Self { name, turn }
    }
}

/// What somebody took.
#[derive(Debug, Clone)]
pub struct Taken {
    /// See [`Contender`].
    pub name: &'static str,
    /// Nanoseconds of each turn, by the clock on the wall.
    pub wall: Vec<f64>,
    /// Seconds of processor over all turns, those of child processes included.
    pub cpu: f64,
}

/// Lets everybody have `rounds` turns after one that does not count.
///
/// # Errors
/// The first turn that fails.
pub fn run(rounds: usize, contenders: &mut [Contender<'_>]) -> Outcome<Vec<Taken>> {
    let taken = |one: &Contender<'_>| Taken {
        name: one.name,
        wall: Vec::with_capacity(rounds),
        cpu: 0.0,
    };
    let mut taken: Vec<Taken> = contenders.iter().map(taken).collect();
    for one in contenders.iter_mut() {
        (one.turn)()?;
    }
    for _ in 0..rounds {
        for (one, taken) in contenders.iter_mut().zip(&mut taken) {
            let (cpu, start) = (cpu_seconds(), Instant::now());
            (one.turn)()?;
            taken.wall.push(start.elapsed().as_nanos() as f64);
            taken.cpu += cpu_seconds() - cpu;
        }
    }
    Ok(taken)
}

impl Taken {
    /// The middle turn in nanoseconds.
    #[must_use]
    pub fn median(&self) -> f64 {
        median(self.wall.clone())
    }

    /// How many times longer `other` took: in the middle round, and by the processor over all rounds.
    #[must_use]
    pub fn ratio_of(&self, other: &Self) -> (f64, f64) {
        let rounds = self.wall.iter().zip(&other.wall);
        let wall = median(rounds.map(|(own, other)| other / own).collect());
        (wall, other.cpu / self.cpu)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Seconds of processor that this process and its ended children have had.
fn cpu_seconds() -> f64 {
    let own = clock_gettime(ClockId::ProcessCPUTime);
    own.tv_sec as f64 + own.tv_nsec as f64 / 1e9 + children_seconds().unwrap_or(0.0)
}

/// In ticks of a hundredth of a second: good for a sum over many turns.
fn children_seconds() -> Option<f64> {
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(13);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / TICKS)
}
