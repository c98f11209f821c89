//! What a decider says it cost: read out of its answer by a rule of the loop file.
//!
//! **Invariant:** what is not a number from 0 up is no report. One that nobody could have spent counts as more than any
//! allowance: it is the one thing that it certainly says.

use serde::Serialize;
use serde_json::Value;

use crate::digest::{Digest, PartsHasher};
use crate::json;
use crate::quantity::Money;

/// The member of a move's input that holds what it cost; it is taken out before the input is checked.
pub const USAGE_KEY: &str = "$usage";

// Limit: a million times what a day may have; more counts as this much.
const REPORT_MAX: u64 = 1_000_000_000_000_000_000;
// Limit: the reports of a decider that tells them one by one.
const REPORTS_MAX: usize = 10_000;
const MONEY_PLACES: i64 = 6;

/// How a loop learns what its decider costs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CostRule {
    /// The loop file does not say.
    #[default]
    Undeclared,
    /// It costs nothing but fuel.
    Free,
    /// Its answer says so.
    Reported(CostReport),
}

/// Where an answer says what it cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CostReport {
    /// JSON Pointer to the tokens.
    pub tokens: Option<String>,
    /// JSON Pointer to the money.
    pub money: Option<String>,
    /// What a list of numbers means.
    pub mode: CostMode,
}

/// What it means that an answer has several numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CostMode {
    /// Each is all that was spent so far; one that falls began anew.
    #[default]
    Total,
    /// Each is spent besides the others.
    Sum,
}

/// What was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reported {
    /// Tokens.
    pub tokens: u64,
    /// Money.
    pub money: Money,
}

/// Why an answer does not say what it cost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeteringError {
    /// The loop file has no rule.
    #[error("the loop file does not say how its cost is found")]
    Undeclared,
    /// There is nothing at the pointer.
    #[error("nothing at {0:?}")]
    Missing(String),
    /// There is something else.
    #[error("no amount at {pointer:?}: {found}")]
    NoAmount {
        /// Where.
        pointer: String,
        /// What, in short.
        found: String,
    },
}

impl CostRule {
    /// What `document`, a decider's answer, says it cost.
    ///
    /// # Errors
    /// [`MeteringError`] when it does not say, or says what cannot be.
    pub fn read(&self, document: &Value) -> Result<Reported, MeteringError> {
        match self {
            Self::Undeclared => Err(MeteringError::Undeclared),
            Self::Free => Ok(Reported::default()),
            Self::Reported(report) => report.read(document),
        }
    }

    /// The digest of a decider and how its cost is found: another rule or plugin gets a fresh start.
    #[must_use]
    pub fn meter(&self, plugin: &Digest) -> Digest {
        let mut hasher = PartsHasher::new("ringfence meter 1");
        hasher.part("plugin", plugin.as_bytes());
        match self {
            Self::Undeclared => {}
            Self::Free => {
                hasher.part("free", b"");
            }
            Self::Reported(report) => {
                for (what, pointer) in [("tokens", &report.tokens), ("money", &report.money)] {
                    if let Some(pointer) = pointer {
                        hasher.part(what, pointer.as_bytes());
                    }
                }
                let mode: &[u8] = match report.mode {
                    CostMode::Total => b"total",
                    CostMode::Sum => b"sum",
                };
                hasher.part("mode", mode);
            }
        }
        hasher.finish()
    }
}

impl CostReport {
    fn read(&self, document: &Value) -> Result<Reported, MeteringError> {
        let read = |pointer: &Option<String>, places| match pointer {
            None => Ok(0),
            Some(pointer) => self.amount(document, pointer, places),
        };
        Ok(Reported {
            tokens: read(&self.tokens, 0)?,
            money: Money(read(&self.money, MONEY_PLACES)?),
        })
    }

    fn amount(&self, document: &Value, pointer: &str, places: i64) -> Result<u64, MeteringError> {
        let found = document
            .pointer(pointer)
            .ok_or_else(|| MeteringError::Missing(pointer.to_owned()))?;
        let amounts = match found {
            Value::Array(list) if list.len() <= REPORTS_MAX => {
                list.iter().map(|one| scaled(one, places)).collect()
            }
            one => scaled(one, places).map(|one| vec![one]),
        };
        let total = amounts.filter(|amounts: &Vec<u64>| !amounts.is_empty());
        let total = total.map(|amounts| self.mode.add_up(&amounts));
        total
            .map(|total| total.min(REPORT_MAX))
            .ok_or_else(|| MeteringError::NoAmount {
                pointer: pointer.to_owned(),
                found: crate::text::one_line(&found.to_string(), 60),
            })
    }
}

impl CostMode {
    fn add_up(self, amounts: &[u64]) -> u64 {
        let all = || amounts.iter().copied().fold(0, u64::saturating_add);
        match self {
            Self::Sum => all(),
            Self::Total => {
                // A segment ends where the next number is smaller; its last number is what it cost.
                let pairs = amounts.windows(2);
                let ended = pairs.filter_map(|pair| match pair {
                    [before, after] if after < before => Some(*before),
                    _ => None,
                });
                ended
                    .chain(amounts.last().copied())
                    .fold(0, u64::saturating_add)
            }
        }
    }
}

/// A JSON number from 0 up in units of `10^-places`, rounded up; the largest there is when it is too large, none when it is
/// no such number. Without places it has to be whole.
fn scaled(value: &Value, places: i64) -> Option<u64> {
    let Value::Number(_) = value else { return None };
    let text = json::canonical(value);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let shift = exponent.parse::<i64>().ok()?.checked_add(places)?;
    if digits.starts_with('-') {
        return None;
    }
    if shift >= 0 {
        let digits = digits.parse().unwrap_or(u64::MAX);
        let power = u32::try_from(shift)
            .ok()
            .and_then(|shift| 10_u64.checked_pow(shift));
        return Some(match (digits, power) {
            (0, _) => 0,
            (digits, Some(power)) => digits.saturating_mul(power),
            (_, None) => u64::MAX,
        });
    }
    if places == 0 {
        return None;
    }
    let dropped = usize::try_from(shift.unsigned_abs()).ok()?;
    let kept = digits.len().saturating_sub(dropped);
    let whole = digits.get(..kept).unwrap_or_default();
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().unwrap_or(u64::MAX)
    };
    // What is dropped is not zero: the canonical text has no zeros at its end.
    Some(whole.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BUDGET: &str = include_str!("../../tests/vectors/daily-budget.json");

    fn rule(mode: CostMode) -> CostRule {
        CostRule::Reported(CostReport {
            tokens: None,
            money: Some("/usage/cost".to_owned()),
            mode,
        })
    }

    #[test]
    fn stream_vectors() {
        let vectors: Value = serde_json::from_str(BUDGET).unwrap();
        let cases = vectors["stream_totals"].as_array().unwrap();
        assert_eq!(cases.len(), 4);
        for case in cases {
            let mode = match case["mode"].as_str().unwrap() {
                "total" => CostMode::Total,
                "sum" => CostMode::Sum,
                other => panic!("{other}"),
            };
            let document = json!({ "usage": { "cost": case["reported"] } });
            let cost = rule(mode).read(&document).ok().map(|cost| cost.money);
            let expect = Some(&case["cost"])
                .filter(|cost| !cost.is_null())
                .and_then(|cost| scaled(cost, 6))
                .map(Money);
            assert_eq!(cost, expect, "{case}");
        }
    }

    #[test]
    fn amounts() {
        for (text, money, tokens) in [
            ("0", Some(0), Some(0)),
            ("0.0", Some(0), Some(0)),
            ("1200", Some(1_200_000_000), Some(1_200)),
            ("1.2e3", Some(1_200_000_000), Some(1_200)),
            ("0.000001", Some(1), None),
            ("0.0000001", Some(1), None),
            ("1.0000001", Some(1_000_001), None),
            ("1e-400", Some(1), None),
            ("0.5", Some(500_000), None),
            ("-0.5", None, None),
            ("1e300", Some(u64::MAX), Some(u64::MAX)),
            ("0e300", Some(0), Some(0)),
            ("18446744073709551615", Some(u64::MAX), Some(u64::MAX)),
            ("99999999999999999999999", Some(u64::MAX), Some(u64::MAX)),
            ("\"5\"", None, None),
            ("null", None, None),
            ("true", None, None),
            ("{}", None, None),
        ] {
            let value = json::parse(text, 100).unwrap();
            assert_eq!(scaled(&value, 6), money, "{text}");
            assert_eq!(scaled(&value, 0), tokens, "{text}");
        }
    }

    #[test]
    fn what_is_no_report() {
        let check = |document: Value, expect: &str| {
            let error = rule(CostMode::Sum).read(&document).unwrap_err();
            assert_eq!(error.to_string(), expect);
        };
        check(json!({}), "nothing at \"/usage/cost\"");
        check(
            json!({"usage": {"cost": []}}),
            "no amount at \"/usage/cost\": []",
        );
        check(
            json!({"usage": {"cost": "NaN"}}),
            "no amount at \"/usage/cost\": \"NaN\"",
        );
        assert!(CostRule::Undeclared.read(&json!({})).is_err());
        assert_eq!(CostRule::Free.read(&json!({})), Ok(Reported::default()));
    }

    #[test]
    fn what_nobody_could_have_spent_is_more_than_any_allowance() {
        for cost in [json!(9e12), json!(1e30), json!([1e30, 1e300])] {
            let document = json!({"usage": {"cost": cost}});
            for mode in [CostMode::Sum, CostMode::Total] {
                let reported = rule(mode).read(&document).unwrap();
                assert_eq!(reported.money, Money(REPORT_MAX), "{document}");
            }
        }
    }

    #[test]
    fn another_rule_or_plugin_is_another_meter() {
        let plugin = Digest::of(b"plugin");
        let meters = [
            CostRule::Undeclared.meter(&plugin),
            CostRule::Free.meter(&plugin),
            rule(CostMode::Sum).meter(&plugin),
            rule(CostMode::Total).meter(&plugin),
            rule(CostMode::Total).meter(&Digest::of(b"edited")),
        ];
        let different: std::collections::BTreeSet<_> = meters.into();
        assert_eq!(different.len(), meters.len());
    }
}
