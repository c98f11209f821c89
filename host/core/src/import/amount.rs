//! Numbers, money and times of day as people put them into tables: `100k`, `~2M`, `$5`, `10–15m (active)`.
//!
//! **Invariant:** of several readings the careful one is taken, and zero is never «unlimited».

use crate::cadence::Cron;
use crate::quantity::Millis;

// Limit: an amount of money above this is a typing mistake.
const MICROS_MAX: u64 = 1_000_000_000_000;
// Limit: a loop that runs more often than each minute, or less than once in four weeks, is not meant.
const EVERY_MIN: u64 = 60_000;
const EVERY_MAX: u64 = 28 * 86_400_000;

/// A count: the first number of the text with its `k`, `M` or `G`; none without a number above zero.
pub(super) fn count(text: &str) -> Option<u64> {
    let (number, rest) = number(text)?;
    let factor = match rest.chars().next() {
        Some('k' | 'K') => 1_000.0,
        Some('m' | 'M') => 1_000_000.0,
        Some('b' | 'B' | 'g' | 'G') => 1_000_000_000.0,
        _ => 1.0,
    };
    // `9 merges` is nine, `9m` nine million.
    let factor = if rest.chars().nth(1).is_some_and(char::is_alphabetic) {
        1.0
    } else {
        factor
    };
    whole(number * factor)
}

/// Money in millionths of its unit, and the unit: `USD`, `EUR` …; none where no unit is written.
pub(super) fn money(text: &str) -> Option<(u64, &'static str)> {
    let lower = text.to_lowercase();
    let units = [
        ("$", "USD"),
        ("usd", "USD"),
        ("€", "EUR"),
        ("eur", "EUR"),
        ("£", "GBP"),
        ("gbp", "GBP"),
    ];
    let (_, unit) = units.iter().find(|(sign, _)| lower.contains(sign))?;
    let (number, rest) = number(text)?;
    let factor = if rest.starts_with(['k', 'K']) {
        1_000.0
    } else {
        1.0
    };
    let micros = whole(number * factor * 1_000_000.0)?;
    (micros <= MICROS_MAX).then_some((micros, *unit))
}

/// How often a loop runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cadence {
    /// Once in this time.
    Every(Millis),
    /// By five fields of cron.
    Cron(Cron),
}

/// The first cadence of a text; of a range the slower end.
pub(super) fn cadence(text: &str) -> Option<Cadence> {
    if let Some(fields) = cron(text) {
        return Some(Cadence::Cron(fields));
    }
    let first = text.split(" / ").next().unwrap_or(text);
    let first = first.split('(').next().unwrap_or(first).to_lowercase();
    let millis = range(&first).or_else(|| word(&first))?;
    (EVERY_MIN..=EVERY_MAX)
        .contains(&millis)
        .then_some(Cadence::Every(Millis(millis)))
}

fn word(text: &str) -> Option<u64> {
    let words = [
        ("hourly", 3_600_000),
        ("each hour", 3_600_000),
        ("every hour", 3_600_000),
        ("daily", 86_400_000),
        ("nightly", 86_400_000),
        ("every day", 86_400_000),
        ("every night", 86_400_000),
        ("weekday", 86_400_000),
        ("weekly", 7 * 86_400_000),
        ("every week", 7 * 86_400_000),
    ];
    words
        .iter()
        .find(|(word, _)| text.contains(word))
        .map(|(_, millis)| *millis)
}

/// `15m`, `every 2 hours`, `10–15m`, `6h-1d`.
fn range(text: &str) -> Option<u64> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let parts: Vec<&str> = text.get(start..)?.split(['–', '—', '-']).take(2).collect();
    let read = |part: &str| {
        let (amount, rest) = number(part)?;
        Some((amount, unit(rest)))
    };
    let (first, first_unit) = read(parts.first()?)?;
    let second = parts.get(1).and_then(|part| read(part));
    let ends = match second {
        // `10–15m`: the unit stands behind the second number.
        Some((amount, Some(unit))) => {
            vec![
                first * first_unit.unwrap_or(unit) as f64,
                amount * unit as f64,
            ]
        }
        _ => vec![first * first_unit? as f64],
    };
    ends.into_iter().filter_map(whole).max()
}

fn unit(text: &str) -> Option<u64> {
    let word: String = text
        .trim_start()
        .chars()
        .take_while(|c| c.is_alphabetic())
        .collect();
    Some(match word.as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "w" | "week" | "weeks" => 7 * 86_400_000,
        _ => return None,
    })
}

/// Five fields of cron, wherever they stand in the text.
fn cron(text: &str) -> Option<Cron> {
    let is_field = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "*/,-".contains(c))
            && word.len() <= 20
    };
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || "`'\"()".contains(c))
        .collect();
    words
        .windows(5)
        .filter(|five| five.iter().all(|word| is_field(word)))
        .filter(|five| five.iter().any(|word| word.contains('*')))
        .find_map(|five| five.join(" ").parse().ok())
}

/// The first number of a text, thousands separated or with a fraction, and what follows it.
fn number(text: &str) -> Option<(f64, &str)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let text = text.get(start..)?;
    let mut digits = String::new();
    let mut end = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let ahead = after.chars().take_while(char::is_ascii_digit).count();
        match c {
            '0'..='9' => digits.push(c),
            '_' if ahead > 0 => {}
            ',' | ' ' | '\u{a0}' | '\u{202f}' if ahead == 3 => {}
            '.' if ahead > 0 && !digits.contains('.') => digits.push('.'),
            _ => break,
        }
        end += c.len_utf8();
        rest = after;
    }
    let number: f64 = digits.parse().ok()?;
    Some((number, text.get(end..).unwrap_or_default()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range was looked at"
)]
fn whole(number: f64) -> Option<u64> {
    (1.0..=1e15).contains(&number).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        for (text, expect) in [
            ("100k", Some(100_000)),
            ("~2M", Some(2_000_000)),
            ("1.5M tokens", Some(1_500_000)),
            ("200,000 tokens", Some(200_000)),
            ("2 000 000", Some(2_000_000)),
            ("96 (every 15m)", Some(96)),
            ("9 merges", Some(9)),
            ("9 repair attempts (3/PR)", Some(9)),
            ("1,5", Some(1)),
            ("**10**", Some(10)),
            ("0 (L1) / 2 (L2)", None),
            ("unlimited", None),
            ("—", None),
            ("", None),
            ("99999999999999999999999", None),
            ("1.2.3", Some(1)),
        ] {
            assert_eq!(count(text), expect, "{text}");
        }
    }

    #[test]
    fn sums_of_money() {
        for (text, expect) in [
            ("$5", Some((5_000_000, "USD"))),
            ("2.50 USD", Some((2_500_000, "USD"))),
            ("€ 0.05", Some((50_000, "EUR"))),
            ("5", None),
            ("$0", None),
            ("$99999999999", None),
        ] {
            assert_eq!(money(text), expect, "{text}");
        }
    }

    #[test]
    fn cadences() {
        for (text, expect) in [
            ("15m", Some("15m")),
            ("10–15m during active hours", Some("15m")),
            ("6h–1d", Some("1d")),
            (
                "1d weekdays (`/.github/workflows/daily-triage.yml`)",
                Some("1d"),
            ),
            ("15m (active) / 30m (overnight)", Some("15m")),
            ("every 2 hours", Some("2h")),
            ("Daily", Some("1d")),
            ("weekly", Some("7d")),
            ("cron `0 8 * * 1-5`", Some("0 8 * * 1-5")),
            ("*/5 * * * *", Some("*/5 * * * *")),
            ("at 0 8 * * MON-FRI", Some("0 8 * * MON-FRI")),
            ("61 8 * * *", None),
            ("manual", None),
            ("on data update", None),
            ("1s", None),
            ("400d", None),
            ("2 (02:00 early, 04:30 late)", None),
        ] {
            let shown = cadence(text).map(|found| match found {
                Cadence::Every(every) => every.to_string(),
                Cadence::Cron(cron) => cron.to_string(),
            });
            assert_eq!(shown.as_deref(), expect, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[0-9.,_ kKmMhd–/$€*()-]{0,20}|\\PC{0,40}") {
            let _ = (count(&text), money(&text), cadence(&text));
        }
    }
}
