//! One strain: what is run, within what, how it must end, and what the host may hold meanwhile.
//!
//! **Invariant:** a strain is judged by the typed end of its call and by what the kernel says of this process, never by how
//! long it took.

use ringfence_testkit::Component;
use ringfence_testkit::core::call::CallFailure;
use ringfence_testkit::core::limits::{LIMITS_MAX, Limits};
use ringfence_testkit::core::quantity::{Bytes, Fuel, Millis};
use ringfence_testkit::sandbox::Called;
use ringfence_tests_sandbox::census::{Census, census, forget_peak, peak_rss, rss};

use crate::constants;
use crate::hog;

pub(crate) const MIB: u64 = 1 << 20;
/// What those get that must use it up, and those that must end by something else.
pub(crate) const FUEL: u64 = 100_000_000;
pub(crate) const FUEL_ENOUGH: u64 = 4_000_000_000;
pub(crate) const MEMORY: u64 = 64 * MIB;
/// The ceiling: beside the guest's own memory, what the host may hold for a call, its answer and its report.
const HOST_BYTES_MAX: u64 = 160 * MIB;
pub(crate) const DEADLINE: Millis = Millis(150);

/// How a call must end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    OutOfFuel,
    Memory,
    /// Too many of what holds this, by the constant of this name in this file.
    Exhausted(&'static str, &'static str),
    /// With a message that holds this.
    Trap(&'static str),
    Contract(&'static str),
    /// With an answer whose text begins so.
    Says(&'static str),
    /// With all fuel there is, by the wall clock.
    Deadline,
}

/// See the module.
pub(crate) struct Strain {
    pub(crate) name: String,
    pub(crate) end: End,
    /// What the guest may have, in bytes.
    pub(crate) memory: u64,
    /// Makes the call; the answer as text.
    pub(crate) run: Box<dyn Fn(Limits) -> Called<String>>,
}

/// What must be the same before and after every strain.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Health {
    census: Census,
    fuel: Fuel,
    answer: String,
}

impl Health {
    /// What a sound call of `hog` shows now.
    pub(crate) fn of(hog: &Component) -> Self {
        let limits = limits(End::Says(""), MEMORY);
        let called = hog::strain(hog, "burn", 1_000, 0, ".", limits);
        Self {
            fuel: called.report.usage.fuel.used,
            answer: format!("{:?}", called.answer),
            census: census(),
        }
    }
}

impl Strain {
    pub(crate) fn new(
        name: impl Into<String>,
        end: End,
        run: impl Fn(Limits) -> Called<String> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            end,
            memory: MEMORY,
            run: Box::new(run),
        }
    }

    pub(crate) fn memory(self, memory: u64) -> Self {
        Self { memory, ..self }
    }

    /// Runs it; what is wrong, a line each.
    pub(crate) fn check(&self, sound: &Component) -> Vec<String> {
        // A component's first call makes an image of its memory, which is the component's and stays with it.
        let first = limits(self.end, self.memory);
        drop((self.run)(Limits {
            fuel: Fuel(1),
            ..first
        }));
        let well = Health::of(sound);
        let before = rss();
        forget_peak();
        let called = (self.run)(limits(self.end, self.memory));
        let mut wrong: Vec<String> = self.judge(&called).into_iter().collect();
        drop(called);
        let grown = peak_rss().saturating_sub(before);
        if grown > self.memory + HOST_BYTES_MAX {
            wrong.push(format!("takes {} MiB of the host", grown / MIB));
        }
        let after = Health::of(sound);
        if after != well {
            wrong.push(format!("leaves {after:?} instead of {well:?}"));
        }
        let line = |wrong| format!("{}: {wrong}", self.name);
        wrong.into_iter().map(line).collect()
    }

    fn judge(&self, called: &Called<String>) -> Option<String> {
        let fits = match (&called.answer, self.end) {
            (Ok(Ok(text)), End::Says(start)) => text.starts_with(start),
            (Err(failure), _) => is_failure(failure, self.end, called),
            _ => false,
        };
        let usage = &called.report.usage;
        let bounded =
            usage.fuel.used <= usage.fuel.limit && usage.memory.used <= usage.memory.limit;
        if fits && bounded {
            return None;
        }
        let mut got = format!("{:?}", called.answer);
        got.truncate(300);
        Some(format!("{:?} is not {got}, {usage:?}", self.end))
    }
}

fn limits(end: End, memory: u64) -> Limits {
    // Long enough for a machine with a hundred other things to do.
    let (fuel, deadline) = match end {
        End::OutOfFuel => (Fuel(FUEL), Millis(60_000)),
        End::Deadline => (LIMITS_MAX.fuel, DEADLINE),
        _ => (Fuel(FUEL_ENOUGH), Millis(60_000)),
    };
    Limits {
        fuel,
        memory: Bytes(memory),
        deadline,
    }
}

fn is_failure(failure: &CallFailure, expect: End, called: &Called<String>) -> bool {
    match (failure, expect) {
        (CallFailure::OutOfFuel { used, limit }, End::OutOfFuel) => {
            // The engine stops a little early, never late.
            *limit == Fuel(FUEL) && used.0 <= FUEL && used.0 > FUEL - FUEL / 100
        }
        (CallFailure::Deadline { limit }, End::Deadline) => *limit == DEADLINE,
        (CallFailure::Memory { asked, limit }, End::Memory) => {
            asked > limit && *limit == called.report.usage.memory.limit
        }
        (CallFailure::Exhausted { resource, limit }, End::Exhausted(what, constant)) => {
            resource.contains(what) && *limit == constants::value(constant)
        }
        (CallFailure::Trap { message }, End::Trap(what)) => message.contains(what),
        (CallFailure::Contract { message }, End::Contract(what)) => message.contains(what),
        _ => false,
    }
}
