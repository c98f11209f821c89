//! How much of something is used, as a bar of plain characters.
//!
//! **Invariant:** a bar is full exactly when everything is used, and empty exactly when nothing is.

use super::amount::near;
use super::text::{Ink, Text, text};

const CELLS: u64 = 20;

/// `[####----------------]`, standing out from four fifths on.
pub(crate) fn bar(used: u64, limit: u64) -> Text {
    let filled = filled(used, limit);
    let mut drawn = Text::from("[");
    for cell in 0..CELLS {
        drawn = drawn.and(if cell < filled { "#" } else { "-" });
    }
    drawn.and("]").ink(ink(used, limit))
}

/// `20 %`, standing out as the bar does.
pub(crate) fn percent(used: u64, limit: u64) -> Text {
    let percent = (u128::from(used) * 100)
        .checked_div(u128::from(limit))
        .unwrap_or(100);
    let shown = u64::try_from(percent).unwrap_or(u64::MAX);
    text![shown, " %"].ink(ink(used, limit))
}

fn filled(used: u64, limit: u64) -> u64 {
    if used >= limit {
        return CELLS;
    }
    let cells = u128::from(used) * u128::from(CELLS) / u128::from(limit.max(1));
    let cells = u64::try_from(cells).unwrap_or(CELLS);
    cells.max(u64::from(used > 0))
}

fn ink(used: u64, limit: u64) -> Ink {
    if used >= limit {
        Ink::Bad
    } else if near(used, limit) {
        Ink::Warn
    } else {
        Ink::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        for (used, limit, expect) in [
            (0, 100, "[--------------------] 0 %"),
            (1, 1_000, "[#-------------------] 0 %"),
            (50, 100, "[##########----------] 50 %"),
            (999, 1_000, "[###################-] 99 %"),
            (100, 100, "[####################] 100 %"),
            (250, 100, "[####################] 250 %"),
            (1, 0, "[####################] 100 %"),
            (u64::MAX - 1, u64::MAX, "[###################-] 99 %"),
        ] {
            let drawn = text![bar(used, limit), " ", percent(used, limit)];
            let drawn: String = drawn.spans().map(|(_, text)| text).collect();
            assert_eq!(drawn, expect, "{used} of {limit}");
        }
    }

    #[test]
    fn what_runs_out_stands_out() {
        let ink = |used| bar(used, 100).spans().next().map(|(ink, _)| ink);
        assert_eq!(
            [79, 80, 100].map(ink),
            [Some(Ink::Plain), Some(Ink::Warn), Some(Ink::Bad)]
        );
    }
}
