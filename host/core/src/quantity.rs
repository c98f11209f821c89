//! Amounts as people write them in a loop file: fuel (`500M`), bytes (`64MiB`), durations (`10s`), money (`5.00`).
//!
//! **Invariant:** zero, a sign, a fraction or an overflow is an error, never «unlimited».

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod money;

pub use money::Money;

/// A text that is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {what}, such as {example}")]
pub struct QuantityError {
    text: String,
    what: &'static str,
    example: &'static str,
}

/// Wasmtime fuel; about 10^10 of it is one second of one core.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Fuel(pub u64);

/// A number of bytes.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// A span of time in milliseconds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

const FUEL_UNITS: &[(&str, u64)] = &[
    ("T", 1_000_000_000_000),
    ("G", 1_000_000_000),
    ("M", 1_000_000),
    ("k", 1_000),
    ("", 1),
];
const BYTE_UNITS: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
    ("", 1),
];
const TIME_UNITS: &[(&str, u64)] = &[
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

macro_rules! quantity {
    ($name:ident, $units:ident, $what:literal, $example:literal) => {
        impl FromStr for $name {
            type Err = QuantityError;
            fn from_str(text: &str) -> Result<Self, QuantityError> {
                parse(text, $units).map($name).ok_or_else(|| QuantityError {
                    text: text.chars().take(40).collect(),
                    what: $what,
                    example: $example,
                })
            }
        }

        impl fmt::Display for $name {
            /// The largest unit that keeps the number whole: reads back as the same amount.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let fits = $units
                    .iter()
                    .filter(|(unit, _)| !unit.is_empty())
                    .find(|(_, factor)| self.0 >= *factor && self.0 % factor == 0);
                match fits {
                    Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
                    None => write!(f, "{}", self.0),
                }
            }
        }
    };
}

quantity!(Fuel, FUEL_UNITS, "an amount of fuel above zero", "\"500M\"");
quantity!(
    Bytes,
    BYTE_UNITS,
    "a number of bytes above zero",
    "\"64MiB\""
);
quantity!(Millis, TIME_UNITS, "a duration above zero", "\"10s\"");

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '_')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    let number: u64 = number.replace('_', "").parse().ok()?;
    number.checked_mul(*factor).filter(|amount| *amount > 0)
}

impl Fuel {
    /// The sum, stopping at the largest number: spend is never lost by an overflow.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of `self` after `used`; never below zero.
    #[must_use]
    pub fn minus(self, used: Self) -> Self {
        Self(self.0.saturating_sub(used.0))
    }

    /// Three significant digits and a unit, for people: `1.23G`.
    #[must_use]
    pub fn approx(self) -> String {
        approx(
            self.0,
            &[
                ("T", 1_000_000_000_000),
                ("G", 1_000_000_000),
                ("M", 1_000_000),
                ("k", 1_000),
            ],
            "",
        )
    }
}

impl Bytes {
    /// Three significant digits and a unit, for people: `1.23 MiB`.
    #[must_use]
    pub fn approx(self) -> String {
        approx(
            self.0,
            &[(" GiB", 1 << 30), (" MiB", 1 << 20), (" KiB", 1 << 10)],
            " B",
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn approx(amount: u64, units: &[(&str, u64)], small: &str) -> String {
    let Some((unit, factor)) = units.iter().find(|(_, factor)| amount >= *factor) else {
        return format!("{amount}{small}");
    };
    let value = amount as f64 / *factor as f64;
    let decimals = if value < 10.0 {
        2
    } else {
        usize::from(value < 100.0)
    };
    format!("{value:.decimals$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, expect) in [
            ("500M", Some(500_000_000)),
            ("2G", Some(2_000_000_000)),
            ("12_000", Some(12_000)),
            ("0", None),
            ("0G", None),
            ("-1", None),
            ("1.5G", None),
            ("99999999T", None),
            ("", None),
            ("G", None),
            ("5m", None),
        ] {
            assert_eq!(text.parse::<Fuel>().ok(), expect.map(Fuel), "{text}");
        }
        for (text, expect) in [
            ("64MiB", Some(64 << 20)),
            ("10", Some(10)),
            ("1KiB", Some(1024)),
            ("1MB", None),
            ("0MiB", None),
        ] {
            assert_eq!(text.parse::<Bytes>().ok(), expect.map(Bytes), "{text}");
        }
        for (text, expect) in [
            ("10s", Some(10_000)),
            ("15m", Some(900_000)),
            ("250ms", Some(250)),
            ("2h", Some(7_200_000)),
            ("10", None),
            ("0s", None),
            ("1w", None),
        ] {
            assert_eq!(text.parse::<Millis>().ok(), expect.map(Millis), "{text}");
        }
    }

    #[test]
    fn prints_what_it_reads() {
        assert_eq!(Fuel(500_000_000).to_string(), "500M");
        assert_eq!(Fuel(1_500).to_string(), "1500");
        assert_eq!(Bytes(64 << 20).to_string(), "64MiB");
        assert_eq!(Millis(900_000).to_string(), "15m");
        assert_eq!(Fuel(1_234_567_890).approx(), "1.23G");
        assert_eq!(Fuel(12).approx(), "12");
        assert_eq!(Bytes(70_000).approx(), "68.4 KiB");
    }
}
