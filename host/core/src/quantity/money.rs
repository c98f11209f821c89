//! Money: exact, in millionths of whatever unit the operator thinks in.
//!
//! **Invariant:** no amount ever passes through a floating-point number; what cannot be said in millionths is rounded up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::QuantityError;

const MILLIONTHS: u64 = 1_000_000;
const PLACES: usize = 6;

/// Millionths of a unit of money.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(pub u64);

impl Money {
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
}

impl FromStr for Money {
    type Err = QuantityError;

    /// Digits, and a point with up to six more: `5`, `5.00`, `0.000001`. Zero is none.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        parse(text)
            .filter(|amount| *amount > 0)
            .map(Self)
            .ok_or_else(|| QuantityError {
                text: text.chars().take(40).collect(),
                what: "an amount of money above zero",
                example: "\"5.00\"",
            })
    }
}

fn parse(text: &str) -> Option<u64> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if !digits(whole) || !digits(part) || part.len() > PLACES {
        return None;
    }
    let part: u64 = format!("{part:0<PLACES$}").parse().ok()?;
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(MILLIONTHS)?.checked_add(part)
}

impl fmt::Display for Money {
    /// At least two decimals: `5.00`, `0.0001`. Reads back as the same amount.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = format!("{:06}", self.0 % MILLIONTHS);
        let kept = part.trim_end_matches('0').len().max(2);
        write!(
            f,
            "{}.{}",
            self.0 / MILLIONTHS,
            part.get(..kept).unwrap_or(&part)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        for (text, expect) in [
            ("5.00", Some((5_000_000, "5.00"))),
            ("5", Some((5_000_000, "5.00"))),
            ("4.99", Some((4_990_000, "4.99"))),
            ("0.000001", Some((1, "0.000001"))),
            ("0.1234", Some((123_400, "0.1234"))),
            (
                "18446744073709.551615",
                Some((u64::MAX, "18446744073709.551615")),
            ),
            ("18446744073709.551616", None),
            ("0", None),
            ("0.00", None),
            ("0.0000001", None),
            ("-5", None),
            ("+5", None),
            ("5.", None),
            (".5", None),
            ("5,00", None),
            ("5e2", None),
            ("NaN", None),
            ("", None),
        ] {
            let read = text.parse::<Money>().ok();
            assert_eq!(read, expect.map(|(amount, _)| Money(amount)), "{text}");
            if let (Some(money), Some((_, shown))) = (read, expect) {
                assert_eq!(money.to_string(), shown);
            }
        }
    }
}
