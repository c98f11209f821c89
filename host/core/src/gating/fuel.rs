//! Whether a gate has become dearer: what it used against what is recorded for the same change.
//!
//! **Invariant:** figures are compared only where they mean the same: the same change, and the same rules of fuel. What
//! cannot be compared is never taken for unchanged.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::fuel_file::{FuelKey, FuelRecord};
use super::profile::Grown;
use crate::digest::Digest;
use crate::ids::StepId;
use crate::quantity::Fuel;
use crate::relpath::RelPath;

/// The rule of a gate that became dearer than it may.
pub const FUEL_REGRESSION: &str = "fuel-regression";
/// The rule of a gate whose fuel compares with nothing.
pub const FUEL_UNKNOWN: &str = "fuel-unknown";

// Limit: a hundredfold; whoever allows more compares nothing.
const HUNDREDTHS_MAX: u32 = 1_000_000;

/// A share in hundredths of a percent, 0 to 10,000 percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Percent(u32);

/// A text that is no percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no percentage from 0% to 10000%: {}", meant(text))]
pub struct PercentError {
    text: String,
}

/// What was probably meant, or what one looks like.
fn meant(text: &str) -> String {
    let with = format!("{text}%");
    match with.parse::<Percent>() {
        Ok(_) => format!("write {with:?}"),
        Err(_) => "write \"5%\" or \"0.5%\"".to_owned(),
    }
}

/// What the gates file says of fuel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FuelRules {
    /// Where the records are, from the top of the project.
    pub file: Option<RelPath>,
    /// How much dearer a gate may become; none to compare nothing.
    pub regression: Option<Percent>,
}

/// What the fuel of a run was held to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldFuel {
    /// How much dearer a gate may have become.
    pub allowed: Percent,
    /// True when a gate whose fuel compares with nothing was refused.
    pub required: bool,
    /// Of the bytes of the file that had the records.
    pub file: Digest,
}

/// How a gate's fuel compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compared {
    /// The very same.
    Same,
    /// Less.
    Cheaper,
    /// More, and no more than is allowed, or nothing was said of that.
    Dearer,
    /// More than is allowed.
    Regressed,
    /// The gate ran, and there is nothing that its fuel can be compared with.
    Unknown,
    /// The gate has no figure: it could not be called.
    NotCalled,
}

/// One gate's fuel beside what is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuelLine {
    /// The gate.
    pub gate: StepId,
    /// What it used; none when it could not be called.
    pub used: Option<Fuel>,
    /// What is recorded; none where nothing comparable is.
    pub recorded: Option<Fuel>,
    /// How they compare.
    pub compared: Compared,
    /// What is not as it was recorded: `component`, `config`, `grant`.
    pub changed: Vec<String>,
    /// Why there is nothing to compare with; empty where there is.
    pub why: String,
    /// What takes more than it did, most first; only for what has regressed.
    pub grown: Vec<Grown>,
}

impl Percent {
    /// The most fuel that is allowed where `recorded` was used.
    #[must_use]
    pub fn above(self, recorded: Fuel) -> Fuel {
        let more = u128::from(recorded.0) * u128::from(self.0) / 10_000;
        Fuel(
            recorded
                .0
                .saturating_add(u64::try_from(more).unwrap_or(u64::MAX)),
        )
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let read = || {
            let number = text.strip_suffix('%')?;
            let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            (digits(whole) && digits(part) && part.len() <= 2).then_some(())?;
            let part: u32 = format!("{part:0<2}").parse().ok()?;
            let all = whole
                .parse::<u32>()
                .ok()?
                .checked_mul(100)?
                .checked_add(part)?;
            (all <= HUNDREDTHS_MAX).then_some(Self(all))
        };
        read().ok_or_else(|| PercentError {
            text: text.chars().take(40).collect(),
        })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match part {
            0 => write!(f, "{whole}%"),
            part if part % 10 == 0 => write!(f, "{whole}.{}%", part / 10),
            part => write!(f, "{whole}.{part:02}%"),
        }
    }
}

impl TryFrom<String> for Percent {
    type Error = PercentError;

    fn try_from(text: String) -> Result<Self, PercentError> {
        text.parse()
    }
}

impl From<Percent> for String {
    fn from(percent: Percent) -> Self {
        percent.to_string()
    }
}

impl FuelLine {
    /// Compares what a gate used now with what is recorded; `now` is as it would be recorded, none when it could not be
    /// called.
    #[must_use]
    pub fn new(
        key: &FuelKey,
        now: Option<&FuelRecord>,
        recorded: Option<&FuelRecord>,
        allowed: Option<Percent>,
    ) -> Self {
        let line = |compared, why: &str| Self {
            gate: key.gate.clone(),
            used: now.map(|now| now.fuel),
            recorded: None,
            compared,
            changed: Vec::new(),
            why: why.to_owned(),
            grown: Vec::new(),
        };
        let Some(now) = now else {
            return line(Compared::NotCalled, "it could not be called");
        };
        let Some(old) = recorded else {
            return line(Compared::Unknown, "nothing is recorded for this change");
        };
        if old.rules != now.rules {
            let why = format!(
                "fuel was recorded by the rules {:?}, this host counts by {:?}",
                old.rules, now.rules
            );
            return line(Compared::Unknown, &why);
        }
        let changed = [
            ("component", old.component == now.component),
            ("config", old.config == now.config),
            ("grant", old.grant == now.grant),
        ];
        let changed = changed.into_iter().filter(|(_, same)| !same);
        let compared = match now.fuel.cmp(&old.fuel) {
            std::cmp::Ordering::Equal => Compared::Same,
            std::cmp::Ordering::Less => Compared::Cheaper,
            std::cmp::Ordering::Greater => match allowed {
                Some(allowed) if now.fuel > allowed.above(old.fuel) => Compared::Regressed,
                _ => Compared::Dearer,
            },
        };
        Self {
            recorded: Some(old.fuel),
            changed: changed.map(|(name, _)| name.to_owned()).collect(),
            ..line(compared, "")
        }
    }

    /// By how much it has changed, in percent of what is recorded, with its sign; none where there is nothing to compare.
    #[must_use]
    pub fn change(&self) -> Option<String> {
        let (used, old) = (self.used?.0, self.recorded?.0);
        (old > 0).then_some(())?;
        let (less, more) = (used < old, used.abs_diff(old));
        let hundredths = (u128::from(more) * 10_000 + u128::from(old) / 2) / u128::from(old);
        let sign = if less { '-' } else { '+' };
        Some(match hundredths {
            0 if more == 0 => "0%".to_owned(),
            0 => format!("{sign}0.01%"),
            _ => format!("{sign}{}.{:02}%", hundredths / 100, hundredths % 100),
        })
    }

    /// What to say of a gate that became too dear.
    #[must_use]
    pub fn regression(&self, allowed: Percent) -> String {
        let amount = |fuel: Option<Fuel>| fuel.unwrap_or_default().0;
        let mut text = format!(
            "gate {} used {} fuel, {} against the {} recorded for this change; {allowed} is allowed",
            self.gate,
            amount(self.used),
            self.change().unwrap_or_default(),
            amount(self.recorded),
        );
        // Limit: the first few tell what happened.
        for (n, Grown { name, by }) in self.grown.iter().take(3).enumerate() {
            let start = if n == 0 { "; grew most: " } else { ", " };
            text += &format!("{start}{name} (+{})", by.approx());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::Profile;
    use super::*;

    #[test]
    fn percentages_are_exact() {
        for (text, expect) in [
            ("5%", Some("5%")),
            ("0%", Some("0%")),
            ("0.5%", Some("0.5%")),
            ("2.05%", Some("2.05%")),
            ("10000%", Some("10000%")),
            ("10000.01%", None),
            ("4294967296%", None),
            ("5", None),
            ("-1%", None),
            ("+1%", None),
            ("1e3%", None),
            ("0.001%", None),
            (".5%", None),
            ("5.%", None),
            ("%", None),
            ("NaN%", None),
        ] {
            let found = text.parse::<Percent>().ok().map(|found| found.to_string());
            assert_eq!(found.as_deref(), expect, "{text}");
        }
        let above = |text: &str, fuel| text.parse::<Percent>().unwrap().above(Fuel(fuel)).0;
        assert_eq!(above("5%", 1_000), 1_050);
        assert_eq!(above("0%", 1_000), 1_000);
        assert_eq!(above("5%", 19), 19);
        assert_eq!(above("10000%", u64::MAX), u64::MAX);
    }

    fn record(fuel: u64) -> FuelRecord {
        FuelRecord {
            plugin: "std:paths".to_owned(),
            component: Digest::of(b"component"),
            config: Digest::of(b"config"),
            grant: Digest::of(b"grant"),
            rules: "rules".to_owned(),
            fuel: Fuel(fuel),
            profile: Profile::default(),
        }
    }

    #[test]
    fn only_what_means_the_same_is_compared() {
        let key = FuelKey {
            base: String::new(),
            head: String::new(),
            gate: StepId::new("g").unwrap(),
        };
        let five: Percent = "5%".parse().unwrap();
        let other_rules = FuelRecord {
            rules: "other".to_owned(),
            ..record(100)
        };
        for (now, old, allowed, expect, change) in [
            (
                Some(100),
                Some(record(100)),
                Some(five),
                Compared::Same,
                Some("0%"),
            ),
            (
                Some(99),
                Some(record(100)),
                Some(five),
                Compared::Cheaper,
                Some("-1.00%"),
            ),
            (
                Some(105),
                Some(record(100)),
                Some(five),
                Compared::Dearer,
                Some("+5.00%"),
            ),
            (
                Some(106),
                Some(record(100)),
                Some(five),
                Compared::Regressed,
                Some("+6.00%"),
            ),
            (
                Some(106),
                Some(record(100)),
                None,
                Compared::Dearer,
                Some("+6.00%"),
            ),
            (
                Some(1),
                Some(record(0)),
                Some(five),
                Compared::Regressed,
                None,
            ),
            (
                Some(100),
                Some(other_rules),
                Some(five),
                Compared::Unknown,
                None,
            ),
            (Some(100), None, Some(five), Compared::Unknown, None),
            (
                None,
                Some(record(100)),
                Some(five),
                Compared::NotCalled,
                None,
            ),
        ] {
            let now = now.map(record);
            let line = FuelLine::new(&key, now.as_ref(), old.as_ref(), allowed);
            assert_eq!(line.compared, expect, "{line:?}");
            assert_eq!(line.change().as_deref(), change, "{line:?}");
        }
        let other = FuelRecord {
            component: Digest::of(b"another"),
            ..record(200)
        };
        let mut line = FuelLine::new(&key, Some(&other), Some(&record(100)), Some(five));
        assert_eq!(line.changed, ["component"]);
        line.grown = [("f", 70_000_000), ("(host) g", 3), ("h", 2), ("i", 1)]
            .map(|(name, by)| Grown {
                name: name.to_owned(),
                by: Fuel(by),
            })
            .to_vec();
        assert_eq!(
            line.regression(five),
            "gate g used 200 fuel, +100.00% against the 100 recorded for this change; 5% is allowed; \
             grew most: f (+70.0M), (host) g (+3), h (+2)"
        );
    }
}
