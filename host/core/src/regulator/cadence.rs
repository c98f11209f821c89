//! Whether a loop looks too often, or not often enough.

use serde::Serialize;

use super::last;
use crate::text;

// Limit: the beats of some days at the usual intervals; fewer than the least say nothing.
const BEATS: usize = 50;
const BEATS_MIN: usize = 20;
// Limit: of a hundred beats, so many that found the world as it was mean that half as many would have found as much.
const SKIPPED_SLOWER: usize = 90;
// Limit: where hardly any was skipped and most of what was done got on, work is waiting.
const SKIPPED_FASTER: usize = 10;
const PROGRESS_FASTER: usize = 80;
// Limit: of a hundred cycles that say whether they got on, so many that did not.
const STUCK_SLOWER: usize = 50;

/// One beat, as far as its pace is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Nothing had changed.
    pub skipped: bool,
    /// Whether it got the loop on; none where it says nothing about that.
    pub progress: Option<bool>,
}

/// How often a loop should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cadence {
    /// Nothing can be said yet.
    Unknown,
    /// As it does.
    Keep,
    /// Less often.
    Slower,
    /// More often.
    Faster,
}

impl Cadence {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Keep => "keep",
            Self::Slower => "slower",
            Self::Faster => "faster",
        }
    }
}

/// What the last beats, oldest first, say about the pace, with the figures.
#[must_use]
pub fn cadence(beats: &[Pace]) -> (Cadence, String) {
    let beats = last(beats, BEATS);
    let count = |of: fn(&Pace) -> bool| beats.iter().filter(|beat| of(beat)).count();
    let skipped = count(|beat| beat.skipped);
    let (on, stuck) = (
        count(|beat| beat.progress == Some(true)),
        count(|beat| beat.progress == Some(false)),
    );
    let (all, known) = (beats.len(), on + stuck);
    let evidence = if all == 0 {
        "no beat has ended yet".to_owned()
    } else {
        let all = text::count(all, "beat", "beats");
        format!(
            "of the last {all} {skipped} found nothing new; of {known} that say so, {on} got on and {stuck} did not"
        )
    };
    let at_least = |part: usize, of: usize, percent: usize| of > 0 && part * 100 >= of * percent;
    let cadence = if all < BEATS_MIN {
        Cadence::Unknown
    } else if at_least(skipped, all, SKIPPED_SLOWER) || at_least(stuck, known, STUCK_SLOWER) {
        Cadence::Slower
    } else if skipped * 100 <= all * SKIPPED_FASTER && at_least(on, known, PROGRESS_FASTER) {
        Cadence::Faster
    } else {
        Cadence::Keep
    };
    (cadence, evidence)
}
