//! One text for each number, whatever notation it came in.

/// The canonical text of a JSON number: `digits` or `digits` `e` `exponent`, the digits without leading or trailing
/// zeros. None when the number is out of range: infinite as a double although it is written with an exponent, or with
/// an exponent that no 64-bit number holds.
pub(super) fn normalise(text: &str) -> Option<String> {
    let (sign, rest) = text
        .strip_prefix('-')
        .map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            exponent.parse::<i64>().ok().filter(|_| finite(text))?,
        ),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let exponent = exponent
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(zeros)?;
    let significant = significant.trim_start_matches('0');
    match (significant, exponent) {
        ("", _) => Some("0".to_owned()),
        (digits, 0) => Some(format!("{sign}{digits}")),
        (digits, exponent) => Some(format!("{sign}{digits}e{exponent}")),
    }
}

fn finite(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_written_alike() {
        for (text, expect) in [
            ("1", Some("1")),
            ("1.0", Some("1")),
            ("1e0", Some("1")),
            ("1E+0", Some("1")),
            ("0.1e1", Some("1")),
            ("100", Some("1e2")),
            ("1e2", Some("1e2")),
            ("100.00", Some("1e2")),
            ("0.001", Some("1e-3")),
            ("-0", Some("0")),
            ("0.0e7", Some("0")),
            ("-12.50", Some("-125e-1")),
            ("9007199254740993", Some("9007199254740993")),
            ("9007199254740992", Some("9007199254740992")),
            ("1e308", Some("1e308")),
            ("1e309", None),
            ("1e9223372036854775808", None),
        ] {
            assert_eq!(normalise(text).as_deref(), expect, "{text}");
        }
    }

    #[test]
    fn a_long_integer_keeps_its_digits() {
        let digits = "7".repeat(400);
        assert_eq!(normalise(&digits), Some(digits));
    }
}
