//! Bars over time.
//!
//! The plot is SVG in parts of its own width, so that it is sharp on any; labels are HTML around it, so that they are as
//! large as other text. The same figures stand in a table below for those who cannot see it.
//!
//! **Invariant:** a chart has at most [`BARS_MAX`] bars, however long and odd the history is.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Span};
use ringfence_core::journal::DayFigures;
use ringfence_core::quantity::Fuel;

use crate::render::html::{Html, percent};
use crate::render::{Safe, Text, text};

/// Most bars in a chart.
// Limit: a finger's width each on a wide screen, and still a few pixels on a narrow one.
pub(super) const BARS_MAX: i64 = 60;
// A loop that is a day old has not a single bar over the whole width.
const DAYS_MIN: i64 = 14;
// Above so many times what is there, the limit would flatten all bars.
const LIMIT_FAR: u64 = 3;
/// Lines across a plot, the one at its foot included.
const LINES: u64 = 4;

/// Some days that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bucket {
    /// The first of them.
    pub(super) from: Date,
    /// What they add up to.
    pub(super) figures: DayFigures,
}

/// A history in at most [`BARS_MAX`] parts of as many days each, up to `today`; and how many days that are.
pub(super) fn buckets(days: &BTreeMap<Date, DayFigures>, today: Date) -> (Vec<Bucket>, i64) {
    let (Some(first), Some(last)) = (days.keys().next(), days.keys().next_back()) else {
        return (Vec::new(), 1);
    };
    let last = (*last).max(today);
    let first = (*first).min(plus(last, 1 - DAYS_MIN));
    let number = between(first, last) + 1;
    let width = number.div_euclid(BARS_MAX) + i64::from(number % BARS_MAX != 0);
    let mut buckets: Vec<Bucket> = (0..number.div_euclid(width) + i64::from(number % width != 0))
        .map(|index| Bucket {
            from: plus(first, index * width),
            figures: DayFigures::default(),
        })
        .collect();
    for (day, figures) in days {
        let index = usize::try_from(between(first, *day).div_euclid(width)).unwrap_or(usize::MAX);
        let Some(bucket) = buckets.get_mut(index) else {
            continue;
        };
        bucket.figures.fuel = bucket.figures.fuel.plus(figures.fuel);
        for (kind, number) in &figures.outcomes {
            let count = bucket.figures.outcomes.entry(*kind).or_default();
            *count = count.saturating_add(*number);
        }
    }
    (buckets, width)
}

fn between(from: Date, to: Date) -> i64 {
    const DAY: i64 = SignedDuration::from_hours(24).as_secs();
    from.duration_until(to).as_secs() / DAY
}

fn plus(day: Date, days: i64) -> Date {
    let end = if days < 0 { Date::MIN } else { Date::MAX };
    Span::new()
        .try_days(days)
        .and_then(|span| day.checked_add(span))
        .unwrap_or(end)
}

/// One part of a bar.
pub(super) struct Part {
    /// Its class in the style sheet.
    pub(super) class: &'static str,
    /// How much.
    pub(super) amount: u64,
}

/// A chart.
pub(super) struct Chart {
    /// What it shows, for those who cannot see it.
    pub(super) title: Text,
    /// Days in a bar.
    pub(super) width: i64,
    /// The first day of each bar, and its parts from the foot up.
    pub(super) bars: Vec<(Date, Vec<Part>, Text)>,
    /// A limit for each bar.
    pub(super) limit: Option<u64>,
    /// How an amount is written at the side.
    pub(super) label: fn(u64) -> Text,
}

impl Chart {
    /// Draws it.
    pub(super) fn draw(&self, html: &mut Html) {
        let highest = self.bars.iter().map(|(_, parts, _)| sum(parts)).max();
        let highest = highest.unwrap_or(0);
        let shown_limit = self
            .limit
            .filter(|limit| *limit / LIMIT_FAR <= highest.max(1));
        let top = nice(highest.max(shown_limit.unwrap_or(0)));
        html.open("div", &[("class", "chart".into())]);
        html.open(
            "div",
            &[("class", "y".into()), ("aria-hidden", "true".into())],
        );
        for line in (0..=LINES).rev() {
            html.leaf("span", &[], (self.label)(top / LINES * line));
        }
        html.close();
        self.plot(html, top, shown_limit);
        self.days(html);
        html.close();
    }

    fn plot(&self, html: &mut Html, top: u64, limit: Option<u64>) {
        let label = ("aria-label", self.title.clone());
        html.open(
            "svg",
            &[("class", "plot".into()), ("role", "img".into()), label],
        );
        for line in 0..=LINES {
            across(html, "grid", percent(line, LINES));
        }
        let slots = self.bars.len() as u64;
        for (index, (_, parts, says)) in (0_u64..).zip(&self.bars) {
            html.open("g", &[]).leaf("title", &[], says.clone());
            let mut below = 0_u64;
            for part in parts.iter().filter(|part| part.amount > 0) {
                below = below.saturating_add(part.amount);
                html.void(
                    "rect",
                    &[
                        ("class", part.class.into()),
                        // Four fifths of its slot.
                        ("x", percent(index * 10 + 1, slots * 10)),
                        ("width", percent(8, slots * 10)),
                        ("y", percent(top.saturating_sub(below), top)),
                        ("height", percent(part.amount, top)),
                    ],
                );
            }
            html.close();
        }
        if let Some(limit) = limit {
            across(html, "limit", percent(top.saturating_sub(limit), top));
        }
        html.close();
    }

    fn days(&self, html: &mut Html) {
        html.open(
            "div",
            &[("class", "x".into()), ("aria-hidden", "true".into())],
        );
        let day = |index: usize| self.bars.get(index).map(|(day, ..)| date(*day));
        let last = self.bars.len().saturating_sub(1);
        for (class, index) in [("first", 0), ("middle", last / 2), ("last", last)] {
            if let Some(day) = day(index) {
                html.leaf("span", &[("class", class.into())], day);
            }
        }
        html.close();
    }

    /// What a bar is.
    pub(super) fn unit(&self) -> Text {
        match self.width {
            1 => "a bar is a day".into(),
            days => text![
                "a bar is ",
                days.unsigned_abs(),
                " days, named by the first"
            ],
        }
    }
}

fn across(html: &mut Html, class: &'static str, at: Text) {
    html.void(
        "line",
        &[
            ("class", class.into()),
            ("x1", "0".into()),
            ("x2", "100%".into()),
            ("y1", at.clone()),
            ("y2", at),
        ],
    );
}

fn sum(parts: &[Part]) -> u64 {
    parts
        .iter()
        .fold(0, |sum, part| sum.saturating_add(part.amount))
}

/// A day as text.
pub(super) fn date(day: Date) -> Text {
    Safe::line(&day.to_string()).into()
}

/// An amount of fuel at the side of a plot: as short as it can be.
pub(super) fn fuel(amount: u64) -> Text {
    let shown = Fuel(amount).approx();
    let unit = shown.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = shown.strip_suffix(unit).unwrap_or(&shown);
    let short = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    };
    Safe::line(&format!("{short}{unit}")).into()
}

/// The least number from `amount` on whose quarters are easy to read.
fn nice(amount: u64) -> u64 {
    let mut scale = 1_u64;
    loop {
        for step in [4, 8, 12, 20, 40] {
            let top = scale.saturating_mul(step);
            if top >= amount || top == u64::MAX {
                return top;
            }
        }
        scale = scale.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn figures(fuel: u64) -> DayFigures {
        DayFigures {
            outcomes: [("proposed", 1)].into(),
            fuel: Fuel(fuel),
        }
    }

    fn shape(days: &[&str], today: &str) -> (String, usize, i64, u64) {
        let days: BTreeMap<_, _> = days.iter().map(|text| (day(text), figures(10))).collect();
        let (buckets, width) = buckets(&days, day(today));
        let fuel = buckets.iter().map(|bucket| bucket.figures.fuel.0).sum();
        (buckets[0].from.to_string(), buckets.len(), width, fuel)
    }

    #[test]
    fn days_in_bars() {
        let first = |day: &str| day.to_owned();
        assert_eq!(
            shape(&["2026-11-21"], "2026-11-21"),
            (first("2026-11-08"), 14, 1, 10)
        );
        assert_eq!(
            shape(&["2026-09-23", "2026-11-21"], "2026-11-20"),
            (first("2026-09-23"), 60, 1, 20)
        );
        assert_eq!(
            shape(&["2026-09-22", "2026-11-20"], "2026-11-21"),
            (first("2026-09-22"), 31, 2, 20)
        );
        let (_, bars, _, fuel) = shape(&["-009999-01-02", "9999-12-30"], "2026-11-21");
        assert!(bars <= 60);
        assert_eq!(fuel, 20);
        assert_eq!(buckets(&BTreeMap::new(), day("2026-11-21")).0, []);
    }

    #[test]
    fn tops_have_easy_quarters() {
        for (amount, expect) in [
            (0, 4),
            (4, 4),
            (5, 8),
            (9, 12),
            (13, 20),
            (21, 40),
            (41, 80),
            (81, 120),
            (401, 800),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(nice(amount), expect, "{amount}");
        }
    }

    #[test]
    fn fuel_at_the_side() {
        for (amount, expect) in [
            (0, "0"),
            (20, "20"),
            (100, "100"),
            (1_500_000, "1.5M"),
            (2_000_000_000, "2G"),
            (10_000_000_000, "10G"),
            (100_000_000_000, "100G"),
        ] {
            assert_eq!(fuel(amount), Safe::line(expect).into());
        }
    }
}
