//! Amounts and counts in words.

use jiff::{SignedDuration, Timestamp};

use super::text::{Ink, Text, text};
use ringfence_core::call::Spent;
use ringfence_core::quantity::Fuel;

/// `1 file`, `2 files`: the number with the word that fits.
pub(crate) fn count<N>(number: N, one: &'static str, many: &'static str) -> Text
where
    N: Into<Text> + PartialEq + From<u8>,
{
    let word = if number == N::from(1) { one } else { many };
    text![number, " ", word]
}

/// `12.3M of 500M`, standing out from four fifths on.
pub(crate) fn fuel(spent: Spent<Fuel>) -> Text {
    let text = text![spent.used, " of ", spent.limit];
    if near(spent.used.0, spent.limit.0) {
        text.ink(Ink::Warn)
    } else {
        text
    }
}

/// How long something took: `12ms`, `9.8s`, `2m 5s`.
pub(crate) fn took(ms: u64) -> Text {
    match ms {
        0..1_000 => text![ms, "ms"],
        1_000..60_000 => text![ms / 1_000, ".", ms % 1_000 / 100, "s"],
        _ => text![ms / 60_000, "m ", ms % 60_000 / 1_000, "s"],
    }
}

/// True when four fifths of `limit` are used.
pub(crate) fn near(used: u64, limit: u64) -> bool {
    u128::from(used) * 5 >= u128::from(limit) * 4
}

/// How long before `now` a time was: `3 min ago`; `just now` also for what has not come yet.
pub(crate) fn ago(time: Timestamp, now: Timestamp) -> Text {
    let past = now.duration_since(time);
    if past < SignedDuration::from_secs(10) {
        "just now".into()
    } else {
        text![span(past), " ago"]
    }
}

/// How long it takes from `now` until a time: `in 3 min`.
pub(crate) fn until(time: Timestamp, now: Timestamp) -> Text {
    let ahead = time.duration_since(now);
    if ahead <= SignedDuration::ZERO {
        "now".into()
    } else {
        text!["in ", span(ahead)]
    }
}

/// A span in its largest whole unit.
fn span(span: SignedDuration) -> Text {
    let seconds = span.as_secs().unsigned_abs();
    match seconds {
        0..120 => text![seconds, " s"],
        120..7_200 => text![seconds / 60, " min"],
        7_200..172_800 => text![seconds / 3_600, " h"],
        _ => text![seconds / 86_400, " days"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &Text, expect: &str) {
        let words: String = text.spans().map(|(_, text)| text).collect();
        assert_eq!(words, expect);
    }

    #[test]
    fn counts() {
        check(&count(1_usize, "file", "files"), "1 file");
        check(&count(0_usize, "file", "files"), "0 files");
    }

    #[test]
    fn what_took_how_long() {
        for (ms, expect) in [
            (0, "0ms"),
            (999, "999ms"),
            (9_861, "9.8s"),
            (60_000, "1m 0s"),
            (3_725_000, "62m 5s"),
        ] {
            check(&took(ms), expect);
        }
    }

    #[test]
    fn times() {
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        for (then, expect) in [
            (1_000_000, "just now"),
            (1_000_500, "just now"),
            (999_950, "50 s ago"),
            (999_000, "16 min ago"),
            (986_400, "3 h ago"),
            (0, "11 days ago"),
        ] {
            check(&ago(at(then), at(1_000_000)), expect);
        }
        check(&until(at(90), at(0)), "in 90 s");
        check(&until(at(0), at(90)), "now");
    }

    #[test]
    fn fuel_stands_out_when_it_runs_low() {
        let ink = |used| {
            fuel(Spent {
                used: Fuel(used),
                limit: Fuel(100),
            })
            .spans()
            .next()
            .map(|(ink, _)| ink)
        };
        assert_eq!([ink(79), ink(80)], [Some(Ink::Plain), Some(Ink::Warn)]);
    }
}
