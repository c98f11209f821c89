//! The fuel that a beat has left, handed out call by call.
//!
//! **Invariant:** nothing is handed out beyond what is left of the beat and of the day, and what is left is never below
//! zero.

use crate::guard::{FUEL_PER_BEAT, FUEL_PER_DAY};
use crate::quantity::Fuel;

/// What one call of a step may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FuelCap {
    /// The operator wrote this limit: the call gets all of it or is not made.
    Exactly(Fuel),
    /// Nobody wrote one: the call gets this default, or what is left where that is less.
    AtMost(Fuel),
}

/// A call that the purse does not cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not enough fuel: the step's limit is {}, and {} is left of {budget}", cap.approx(), left.approx())]
pub struct OverBudget {
    /// What the call may use.
    pub cap: Fuel,
    /// What is left.
    pub left: Fuel,
    /// Of what: `fuel_per_beat` or `fuel_per_day`, as in the loop file.
    pub budget: &'static str,
}

/// The fuel that is left. A copy can be given away; only the original is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purse {
    beat_left: Fuel,
    day_left: Fuel,
    spent: Fuel,
}

impl FuelCap {
    /// The limit as it was written, or the default.
    #[must_use]
    pub fn fuel(self) -> Fuel {
        match self {
            Self::Exactly(fuel) | Self::AtMost(fuel) => fuel,
        }
    }
}

impl Purse {
    /// A purse with what a beat may use and what is left of its day.
    #[must_use]
    pub fn new(fuel_per_beat: Fuel, day_left: Fuel) -> Self {
        Self {
            beat_left: fuel_per_beat,
            day_left,
            spent: Fuel(0),
        }
    }

    /// The limit for one call that is made next.
    ///
    /// # Errors
    /// [`OverBudget`] when nothing is left, or less than the operator's limit.
    pub fn offer(&self, cap: FuelCap) -> Result<Fuel, OverBudget> {
        let left = self.left();
        match cap {
            FuelCap::Exactly(fuel) if fuel <= left => Ok(fuel),
            FuelCap::AtMost(fuel) if left > Fuel(0) => Ok(fuel.min(left)),
            FuelCap::Exactly(cap) | FuelCap::AtMost(cap) => Err(OverBudget {
                cap,
                left,
                budget: self.narrower(),
            }),
        }
    }

    /// Takes out what a call has used.
    pub fn charge(&mut self, used: Fuel) {
        self.spent = self.spent.plus(used);
        self.beat_left = self.beat_left.minus(used);
        self.day_left = self.day_left.minus(used);
    }

    /// What one call could be given at most.
    #[must_use]
    pub fn left(&self) -> Fuel {
        self.beat_left.min(self.day_left)
    }

    /// What is left of the beat.
    #[must_use]
    pub fn beat_left(&self) -> Fuel {
        self.beat_left
    }

    /// What is left of the day.
    #[must_use]
    pub fn day_left(&self) -> Fuel {
        self.day_left
    }

    /// What was taken out so far.
    #[must_use]
    pub fn spent(&self) -> Fuel {
        self.spent
    }

    fn narrower(&self) -> &'static str {
        if self.beat_left <= self.day_left {
            FUEL_PER_BEAT
        } else {
            FUEL_PER_DAY
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers() {
        let purse = Purse::new(Fuel(100), Fuel(50));
        for (cap, expect) in [
            (FuelCap::Exactly(Fuel(50)), Ok(Fuel(50))),
            (
                FuelCap::Exactly(Fuel(51)),
                Err("not enough fuel: the step's limit is 51, and 50 is left of fuel_per_day"),
            ),
            (FuelCap::AtMost(Fuel(51)), Ok(Fuel(50))),
            (FuelCap::AtMost(Fuel(9)), Ok(Fuel(9))),
        ] {
            assert_eq!(
                purse.offer(cap).map_err(|error| error.to_string()),
                expect.map_err(str::to_owned),
                "{cap:?}"
            );
        }
        let empty = Purse::new(Fuel(0), Fuel(5));
        assert_eq!(
            empty
                .offer(FuelCap::AtMost(Fuel(1)))
                .unwrap_err()
                .to_string(),
            "not enough fuel: the step's limit is 1, and 0 is left of fuel_per_beat"
        );
    }

    #[test]
    fn charges() {
        let mut purse = Purse::new(Fuel(10), Fuel(20));
        purse.charge(Fuel(7));
        assert_eq!(
            (purse.left(), purse.day_left(), purse.spent()),
            (Fuel(3), Fuel(13), Fuel(7))
        );
        purse.charge(Fuel(7));
        assert_eq!(
            (purse.left(), purse.day_left(), purse.spent()),
            (Fuel(0), Fuel(6), Fuel(14))
        );
    }
}
