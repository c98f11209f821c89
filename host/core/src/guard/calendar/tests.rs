//! Days, times, weeks and zones, and what is no calendar.

use super::*;

const BERLIN: &str = "timezone = \"Europe/Berlin\"\n";

fn frozen(source: &str, now: &str) -> Option<String> {
    let calendar = Calendar::parse(source).unwrap();
    let timezone = calendar
        .timezone()
        .map_or(TimeZone::UTC, |name| TimeZone::get(name).unwrap());
    let freeze = calendar.freeze(now.parse().unwrap(), &timezone)?;
    Some(format!("{} {}", freeze.until, freeze.why))
}

#[test]
fn days_are_frozen_to_their_end() {
    let source = "[[freeze]]\nfrom = \"2026-12-21\"\nuntil = \"2026-12-24\"\nreason = \"holidays\"";
    let expect = "2026-12-25T00:00:00Z frozen by the calendar: holidays";
    for (now, is_frozen) in [
        ("2026-12-20T23:59:59Z", false),
        ("2026-12-21T00:00:00Z", true),
        ("2026-12-24T23:59:59Z", true),
        ("2026-12-25T00:00:00Z", false),
    ] {
        assert_eq!(
            frozen(source, now),
            is_frozen.then(|| expect.to_owned()),
            "{now}"
        );
    }
}

#[test]
fn a_zone_counts() {
    let source = format!(
        "{BERLIN}[[freeze]]\nfrom = \"2026-12-21T18:00\"\nuntil = \"2026-12-21T20:00+00:00\""
    );
    for (now, expect) in [
        ("2026-12-21T16:59:59Z", None),
        (
            "2026-12-21T17:00:00Z",
            Some("2026-12-21T20:00:00Z frozen by the calendar"),
        ),
        ("2026-12-21T20:00:00Z", None),
    ] {
        assert_eq!(frozen(&source, now).as_deref(), expect, "{now}");
    }
}

#[test]
fn windows_of_each_week_cross_midnight_and_clock_changes() {
    // On 2026-10-25 at 03:00 the clocks of Berlin go back to 02:00.
    let source = format!(
        "{BERLIN}[[weekly]]\ndays = [\"sat\"]\nfrom = \"22:00\"\nuntil = \"06:00\"\n[[weekly]]\ndays = [\"sun\"]\nfrom = \"06:00\"\nreason = \"Sunday\""
    );
    for (now, expect) in [
        ("2026-10-24T19:59:59Z", None),
        (
            "2026-10-24T20:00:00Z",
            Some("2026-10-25T23:00:00Z frozen by the calendar"),
        ),
        (
            "2026-10-25T04:59:59Z",
            Some("2026-10-25T23:00:00Z frozen by the calendar"),
        ),
        (
            "2026-10-25T05:00:00Z",
            Some("2026-10-25T23:00:00Z frozen by the calendar: Sunday"),
        ),
        ("2026-10-25T23:00:00Z", None),
        ("2026-10-31T20:59:59Z", None),
        (
            "2026-10-31T21:00:00Z",
            Some("2026-11-01T23:00:00Z frozen by the calendar"),
        ),
    ] {
        assert_eq!(frozen(&source, now).as_deref(), expect, "{now}");
    }
}

#[test]
fn always_frozen_is_frozen_without_end() {
    let source =
        "[[weekly]]\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]";
    assert_eq!(
        frozen(source, "2026-01-01T12:00:00Z").unwrap(),
        "2026-03-07T00:00:00Z frozen by the calendar"
    );
}

#[test]
fn what_is_not_understood_is_no_calendar() {
    for (source, expect) in [
        ("freeze", "line 1: invalid TOML"),
        (
            "[[freezes]]\nfrom = \"2026-12-21\"",
            "line 1: the calendar has no key \"freezes\"",
        ),
        (
            "[[freeze]]\nfrom = \"2026-12-21\"",
            "line 1: [[freeze]] has no `until`",
        ),
        (
            "[[freeze]]\nfrom = \"2026-12-32\"\nuntil = \"2026-12-32\"",
            "line 2: \"2026-12-32\" is not a day",
        ),
        (
            "[[freeze]]\nfrom = \"2026-12-21T18:00[Europe/Berlin]\"\nuntil = \"2026-12-32\"",
            "line 2: \"2026-12-21T18:00[Europe/Berlin]\" is not",
        ),
        (
            "[[freeze]]\nfrom = \"2026-12-24\"\nuntil = \"2026-12-21\"",
            "a [[freeze]] from 2026-12-24 that ends before",
        ),
        ("[[weekly]]\ndays = []", "a [[weekly]] without days"),
        (
            "[[weekly]]\ndays = [\"Sunday\"]",
            "line 2: \"Sunday\" is not one of",
        ),
        (
            "[[weekly]]\ndays = [\"sun\"]\nfrom = \"24:00\"",
            "line 3: \"24:00\" is not a time",
        ),
    ] {
        let error = Calendar::parse(source).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{source}: {error}");
    }
    assert_eq!(frozen("", "2026-01-01T12:00:00Z"), None);
}
