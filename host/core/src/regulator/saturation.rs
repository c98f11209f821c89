//! Whether more cycles of the same still bring anything.

use serde::{Deserialize, Serialize};

/// Cycles of one window.
pub const SATURATION_CYCLES: usize = 14;

// Limit: a difference in quality below this is none, in thousandths.
const PLATEAU: i64 = 20;
// Limit: below this share of cycles that went well, in thousandths, standing still has another cause.
const SUCCESS: i64 = 850;

/// What some cycles in a row brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Share of the work that was good enough, in thousandths.
    pub quality: i64,
    /// Share of the cycles that went well, in thousandths.
    pub success: i64,
    /// Work that had not been known before.
    pub new_actionable: u32,
    /// Cycles that got the loop on.
    pub progress: u32,
    /// How many cycles these are.
    pub cycles: usize,
}

/// How a loop's work develops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Saturation {
    /// Nothing can be said yet.
    Hold,
    /// There is work, and it gets done.
    Active,
    /// All goes well, and there is nothing new: fewer cycles would do.
    Saturated,
    /// Nothing goes well, and so nothing gets on.
    Famine,
    /// What it does gets worse.
    Regressing,
}

impl Saturation {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Active => "active",
            Self::Saturated => "saturated",
            Self::Famine => "famine",
            Self::Regressing => "regressing",
        }
    }
}

/// Compares the last window with the one before it.
#[must_use]
pub fn saturation(current: &Window, prior: Option<&Window>) -> Saturation {
    let is_full = |window: &Window| window.cycles >= SATURATION_CYCLES;
    let Some(prior) = prior.filter(|prior| is_full(prior) && is_full(current)) else {
        return Saturation::Hold;
    };
    let change = current.quality - prior.quality;
    if change <= -PLATEAU {
        Saturation::Regressing
    } else if current.success < SUCCESS && current.progress == 0 {
        Saturation::Famine
    } else if change < PLATEAU
        && current.success >= SUCCESS
        && current.new_actionable == 0
        && current.progress <= prior.progress
    {
        Saturation::Saturated
    } else {
        Saturation::Active
    }
}
