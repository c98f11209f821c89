//! How soon a decider may ask to be woken again.

use serde_json::Value;

/// The soonest extra wake.
pub const NEXT_IN_SECONDS_MIN: u32 = 5;
/// The latest extra wake; the loop's own cadence goes on meanwhile.
pub const NEXT_IN_SECONDS_MAX: u32 = 3_600;

/// The seconds that were asked for, between [`NEXT_IN_SECONDS_MIN`] and [`NEXT_IN_SECONDS_MAX`].
#[must_use]
pub fn clamp_next_in(seconds: u64) -> u32 {
    u32::try_from(seconds)
        .unwrap_or(u32::MAX)
        .clamp(NEXT_IN_SECONDS_MIN, NEXT_IN_SECONDS_MAX)
}

/// Whole seconds from 0 up; none for anything else, which the caller notes and otherwise ignores.
pub(super) fn read(value: &Value) -> Option<u64> {
    // Whether a number is whole is asked of the number, not of how it was written: 5.0 is 5.
    let value = crate::json::canonical(value);
    let (digits, zeros) = value.split_once('e').unwrap_or((&value, "0"));
    let factor = 10_u64.checked_pow(zeros.parse().ok()?)?;
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clamps() {
        for (seconds, expect) in [
            (0, 5),
            (4, 5),
            (5, 5),
            (60, 60),
            (3_600, 3_600),
            (3_601, 3_600),
            (u64::MAX, 3_600),
        ] {
            assert_eq!(clamp_next_in(seconds), expect, "{seconds}");
        }
    }

    #[test]
    fn reads_whole_seconds_only() {
        for (text, expect) in [
            ("0", Some(0)),
            ("60", Some(60)),
            ("6e1", Some(60)),
            ("5.0", Some(5)),
            ("-5", None),
            ("1.5", None),
            ("\"5\"", None),
            ("null", None),
            ("1e300", None),
            ("[]", None),
        ] {
            let value = crate::json::parse(text, 100).unwrap();
            assert_eq!(read(&value), expect, "{text}");
        }
    }
}
