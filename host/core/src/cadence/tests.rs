//! Cadences: times of cron across changed clocks, jitter, and one beat for all that were missed.

use jiff::tz::TimeZone;

use super::*;
use crate::journal::sample::digest;

/// The rules of some zones, spelled out: tests do not read the machine's zone database.
fn zone(name: &str) -> TimeZone {
    TimeZone::posix(match name {
        "UTC" => "UTC0",
        "Berlin" => "CET-1CEST,M3.5.0,M10.5.0/3",
        "New York" => "EST5EDT,M3.2.0,M11.1.0",
        // Changes by half an hour.
        "Lord Howe" => "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        // Midnight itself is skipped.
        "Havana" => "CST5CDT,M3.2.0/0,M11.1.0/1",
        "Kathmandu" => "<+0545>-5:45",
        other => panic!("{other}"),
    })
    .unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().expect(text)
}

/// The next times of `cron` after `from`, local, with their offset.
fn times(cron: &str, name: &str, from: &str, count: usize) -> String {
    let (cron, zone): (Cron, _) = (cron.parse().expect(cron), zone(name));
    let mut time = at(from);
    let times = (0..count).map(|_| {
        time = cron.after(time, &zone).unwrap();
        let local = time.to_zoned(zone.clone());
        local.strftime("%m-%d %H:%M%z").to_string()
    });
    times.collect::<Vec<_>>().join(", ")
}

#[test]
fn cron_times() {
    let check = |cron, from, expect| assert_eq!(times(cron, "UTC", from, 3), expect, "{cron}");
    // 2026-11-21 is a Saturday.
    let from = "2026-11-21T10:07:30Z";
    for (cron, expect) in [
        (
            "* * * * *",
            "11-21 10:08+0000, 11-21 10:09+0000, 11-21 10:10+0000",
        ),
        (
            "*/15 * * * *",
            "11-21 10:15+0000, 11-21 10:30+0000, 11-21 10:45+0000",
        ),
        (
            "7-9,50 10 * * *",
            "11-21 10:08+0000, 11-21 10:09+0000, 11-21 10:50+0000",
        ),
        (
            "5/20 * * * *",
            "11-21 10:25+0000, 11-21 10:45+0000, 11-21 11:05+0000",
        ),
        (
            "0 8 * * 1-5",
            "11-23 08:00+0000, 11-24 08:00+0000, 11-25 08:00+0000",
        ),
        (
            "0 8 * * MON-fri/2",
            "11-23 08:00+0000, 11-25 08:00+0000, 11-27 08:00+0000",
        ),
        (
            "0 0 * * 7",
            "11-22 00:00+0000, 11-29 00:00+0000, 12-06 00:00+0000",
        ),
        (
            "0 0 * * 5-7",
            "11-22 00:00+0000, 11-27 00:00+0000, 11-28 00:00+0000",
        ),
        (
            "0 0 31 * *",
            "12-31 00:00+0000, 01-31 00:00+0000, 03-31 00:00+0000",
        ),
        (
            "0 0 1 JAN,mar *",
            "01-01 00:00+0000, 03-01 00:00+0000, 01-01 00:00+0000",
        ),
        // Either of the two lists, as cron has always had it; both where one of them begins with a star.
        (
            "0 0 1 * 1",
            "11-23 00:00+0000, 11-30 00:00+0000, 12-01 00:00+0000",
        ),
        (
            "0 0 */2 * 1",
            "11-23 00:00+0000, 12-07 00:00+0000, 12-21 00:00+0000",
        ),
        (
            "0 0 29 2 *",
            "02-29 00:00+0000, 02-29 00:00+0000, 02-29 00:00+0000",
        ),
        (
            "@hourly",
            "11-21 11:00+0000, 11-21 12:00+0000, 11-21 13:00+0000",
        ),
        (
            "@daily",
            "11-22 00:00+0000, 11-23 00:00+0000, 11-24 00:00+0000",
        ),
        (
            "@weekly",
            "11-22 00:00+0000, 11-29 00:00+0000, 12-06 00:00+0000",
        ),
        (
            "@monthly",
            "12-01 00:00+0000, 01-01 00:00+0000, 02-01 00:00+0000",
        ),
        (
            "@yearly",
            "01-01 00:00+0000, 01-01 00:00+0000, 01-01 00:00+0000",
        ),
    ] {
        check(cron, from, expect);
    }
    // A time itself is not after itself.
    check(
        "0 8 * * *",
        "2026-11-21T08:00:00Z",
        "11-22 08:00+0000, 11-23 08:00+0000, 11-24 08:00+0000",
    );
}

#[test]
fn clocks_that_change() {
    for (cron, name, from, expect) in [
        // Skipped: made up for at once, each day once.
        (
            "30 2 * * *",
            "Berlin",
            "2026-03-28T12:00:00Z",
            "03-29 03:00+0200, 03-30 02:30+0200",
        ),
        (
            "0 2 * * *",
            "Berlin",
            "2026-03-28T12:00:00Z",
            "03-29 03:00+0200, 03-30 02:00+0200",
        ),
        (
            "0,20,40 2 * * *",
            "Berlin",
            "2026-03-28T12:00:00Z",
            "03-29 03:00+0200, 03-30 02:00+0200",
        ),
        (
            "0 2,3 * * *",
            "Berlin",
            "2026-03-28T12:00:00Z",
            "03-29 03:00+0200, 03-30 02:00+0200",
        ),
        (
            "30 2 * * *",
            "New York",
            "2026-03-07T12:00:00Z",
            "03-08 03:00-0400, 03-09 02:30-0400",
        ),
        (
            "@daily",
            "Havana",
            "2026-03-07T12:00:00Z",
            "03-08 01:00-0400, 03-09 00:00-0400",
        ),
        (
            "15 2 * * *",
            "Lord Howe",
            "2026-10-03T00:00:00Z",
            "10-04 02:30+1100, 10-05 02:15+1100",
        ),
        // Twice: the first time, each day once.
        (
            "30 2 * * *",
            "Berlin",
            "2026-10-24T12:00:00Z",
            "10-25 02:30+0200, 10-26 02:30+0100",
        ),
        (
            "30 2 * * *",
            "Berlin",
            "2026-10-25T00:30:00Z",
            "10-26 02:30+0100, 10-27 02:30+0100",
        ),
        (
            "30 2 * * *",
            "Berlin",
            "2026-10-25T01:10:00Z",
            "10-26 02:30+0100, 10-27 02:30+0100",
        ),
        (
            "45 1 * * *",
            "Lord Howe",
            "2026-04-04T00:00:00Z",
            "04-05 01:45+1100, 04-06 01:45+1030",
        ),
        (
            "@daily",
            "Havana",
            "2026-10-31T12:00:00Z",
            "11-01 00:00-0400, 11-02 00:00-0500",
        ),
        // What comes again and again comes as often as time goes on.
        (
            "30 * * * *",
            "Berlin",
            "2026-10-24T23:40:00Z",
            "10-25 02:30+0200, 10-25 02:30+0100, 10-25 03:30+0100",
        ),
        (
            "30 * * * *",
            "Berlin",
            "2026-03-29T00:10:00Z",
            "03-29 01:30+0100, 03-29 03:30+0200",
        ),
        (
            "*/20 * * * *",
            "Lord Howe",
            "2026-04-04T14:35:00Z",
            "04-05 01:40+1100, 04-05 01:40+1030, 04-05 02:00+1030",
        ),
        (
            "*/30 2 * * *",
            "Berlin",
            "2026-03-28T12:00:00Z",
            "03-30 02:00+0200, 03-30 02:30+0200",
        ),
        (
            "0 8 * * *",
            "Kathmandu",
            "2026-03-28T12:00:00Z",
            "03-29 08:00+0545, 03-30 08:00+0545",
        ),
    ] {
        let count = expect.split(", ").count();
        assert_eq!(
            times(cron, name, from, count),
            expect,
            "{cron} {name} {from}"
        );
    }
}

#[test]
fn what_is_no_cron() {
    for (text, expect) in [
        (
            "",
            r#""" has 0 fields, and cron has five: minute, hour, day, month, weekday"#,
        ),
        (
            "0 0 8 * * *",
            r#""0 0 8 * * *" has 6 fields, and cron has five: minute, hour, day, month, weekday"#,
        ),
        (
            "@reboot",
            r#""@reboot" is not known: write @hourly, @daily, @weekly, @monthly, @yearly, or five fields"#,
        ),
        (
            "60 * * * *",
            r#"the minute "60" has "60" where a number from 0 to 59 is due"#,
        ),
        (
            "* 24 * * *",
            r#"the hour "24" has "24" where a number from 0 to 23 is due"#,
        ),
        (
            "* * 0 * *",
            r#"the day "0" has "0" where a number from 1 to 31 is due"#,
        ),
        (
            "* * * foo *",
            r#"the month "foo" has "foo" where a number from 1 to 12 is due"#,
        ),
        (
            "* * * * 8",
            r#"the weekday "8" has "8" where a number from 0 to 7 is due"#,
        ),
        (
            "-1 * * * *",
            r#"the minute "-1" has "" where a number from 0 to 59 is due"#,
        ),
        (
            "1, * * * *",
            r#"the minute "1," has "" where a number from 0 to 59 is due"#,
        ),
        (
            "*/0 * * * *",
            r#"the minute "*/0" has a step that is not from 1 to 59"#,
        ),
        (
            "*/99999999999 * * * *",
            r#"the minute "*/99999999999" has a step that is not from 1 to 59"#,
        ),
        (
            "* * * * fri-mon",
            r#"the weekday "fri-mon" has a range that ends before it begins: fri-mon"#,
        ),
        ("0 0 31 2 *", r#""0 0 31 2 *" names no day that ever comes"#),
        (
            "0 0 31 4,6,9,11 *",
            r#""0 0 31 4,6,9,11 *" names no day that ever comes"#,
        ),
    ] {
        let error = text.parse::<Cron>().map(|_| text).expect_err(text);
        assert_eq!(error.to_string(), expect);
    }
}

fn every(seconds: u64) -> Cadence {
    Cadence {
        rhythm: Rhythm::Every(Millis(seconds * 1_000)),
        jitter: None,
        timezone: "UTC".to_owned(),
    }
}

fn cron(text: &str) -> Cadence {
    Cadence {
        rhythm: Rhythm::Cron(text.parse().expect(text)),
        ..every(1)
    }
}

/// A loop whose last beat began at 10:00.
fn ran() -> LoopState {
    LoopState {
        pace: Pace {
            began: Some(at("2026-01-02T10:00:00Z")),
            waits: None,
        },
        ..LoopState::default()
    }
}

fn waiting(until: &str) -> LoopState {
    let mut state = ran();
    state.pace.waits = Some(Waits {
        until: at(until),
        loop_file: digest("file"),
    });
    state
}

#[test]
fn when_next() {
    let woken = |at: &str| LoopState {
        wake_at: Some(at.parse().unwrap()),
        ..ran()
    };
    let quarter = every(900);
    let daily = cron("0 8 * * *");
    // The times are of one day; the loop was seen first at 09:00.
    for (cadence, state, now, expect) in [
        (&quarter, LoopState::default(), "10:05", "09:00 First"),
        (&daily, LoopState::default(), "10:05", "08:00 Cadence"),
        (&quarter, ran(), "10:05", "10:15 Cadence"),
        (&quarter, ran(), "10:15", "10:15 Cadence"),
        // Hours of sleep: one beat is due, since then and once.
        (&quarter, ran(), "18:00", "10:15 Cadence"),
        (&daily, ran(), "10:05", "08:00 Cadence"),
        // A decider's wish comes first, where it comes first.
        (
            &quarter,
            woken("2026-01-02T10:01:00Z"),
            "10:05",
            "10:01 Wake",
        ),
        (
            &quarter,
            woken("2026-01-02T10:20:00Z"),
            "10:05",
            "10:15 Cadence",
        ),
        (
            &quarter,
            woken("2026-01-02T09:59:00Z"),
            "10:05",
            "10:15 Cadence",
        ),
        // A wait is longer than the cadence, or does not count.
        (
            &quarter,
            waiting("2026-01-02T11:00:00Z"),
            "10:05",
            "11:00 Wait",
        ),
        (
            &quarter,
            waiting("2026-01-02T10:10:00Z"),
            "10:05",
            "10:15 Cadence",
        ),
        // The clock stepped back, a little and a lot.
        (&quarter, ran(), "09:30", "10:15 Cadence"),
        (&quarter, ran(), "08:59", "08:59 Clock"),
        (&daily, ran(), "08:30", "08:30 Clock"),
        (
            &quarter,
            waiting("2027-01-02T10:10:00Z"),
            "08:30",
            "08:30 Clock",
        ),
    ] {
        let next = cadence.next(
            &LoopId::new("docs").unwrap(),
            &zone("UTC"),
            &state,
            &digest("file"),
            at("2026-01-02T09:00:00Z"),
            at(&format!("2026-01-02T{now}:00Z")),
        );
        let shown = format!("{} {:?}", next.at.strftime("%H:%M"), next.why);
        assert_eq!(shown, expect, "{cadence} at {now}");
    }
}

#[test]
fn a_wake_does_not_end_a_wait() {
    let state = LoopState {
        wake_at: Some(at("2026-01-02T10:01:00Z")),
        ..waiting("2026-01-02T11:00:00Z")
    };
    assert_eq!(next(&state, "file").why, Why::Wait);
}

#[test]
fn an_edited_loop_file_is_not_what_waits() {
    let state = waiting("2026-01-02T11:00:00Z");
    assert_eq!(next(&state, "file").why, Why::Wait);
    assert_eq!(next(&state, "edited").why, Why::Cadence);
}

fn next(state: &LoopState, loop_file: &str) -> Next {
    let now = at("2026-01-02T10:02:00Z");
    every(900).next(
        &LoopId::new("docs").unwrap(),
        &zone("UTC"),
        state,
        &digest(loop_file),
        now,
        now,
    )
}

#[test]
fn another_zone_counts_from_the_last_beat() {
    let daily = cron("0 8 * * *");
    let next = |name| {
        let now = at("2026-01-02T10:02:00Z");
        let id = LoopId::new("docs").unwrap();
        daily
            .next(&id, &zone(name), &ran(), &digest("file"), now, now)
            .at
    };
    assert_eq!(next("UTC"), at("2026-01-03T08:00:00Z"));
    assert_eq!(next("Berlin"), at("2026-01-03T07:00:00Z"));
    assert_eq!(next("New York"), at("2026-01-02T13:00:00Z"));
}

#[test]
fn jitter_is_the_same_each_time_and_not_the_same_for_all() {
    let of = |id: &str, second: i64| {
        let tick = Timestamp::from_second(second).unwrap();
        jitter(&LoopId::new(id).unwrap(), tick, Millis(30_000)).0
    };
    assert_eq!((of("docs", 60), of("docs", 60)), (3_014, 3_014));
    assert_ne!(of("docs", 60), of("links", 60));
    assert_ne!(of("docs", 60), of("docs", 120));
    let all: Vec<u64> = (0..1_000).map(|tick| of("docs", tick)).collect();
    assert!(all.iter().all(|delay| *delay <= 30_000));
    let late = all.iter().filter(|delay| **delay > 15_000).count();
    assert!((400..600).contains(&late), "{late} of 1000 are late");
}

#[test]
fn jitter_delays_a_tick_and_no_other() {
    let cadence = Cadence {
        jitter: Some(Millis(30_000)),
        ..every(900)
    };
    let now = at("2026-01-02T10:02:00Z");
    let id = LoopId::new("docs").unwrap();
    let next = cadence
        .next(&id, &zone("UTC"), &ran(), &digest("file"), now, now)
        .at;
    let tick = at("2026-01-02T10:15:00Z");
    assert_eq!(
        next.duration_since(tick).as_millis(),
        i128::from(jitter(&id, tick, Millis(30_000)).0)
    );
}

#[test]
fn the_oldest_first_and_no_more_than_there_is_room_for() {
    let time = |second| Timestamp::from_second(second).unwrap();
    let mut schedule = Schedule::new(2);
    for (key, second) in [("c", 30), ("a", 10), ("b", 20), ("d", 90)] {
        schedule.put(key, time(second));
    }
    assert_eq!(schedule.begin(time(5)), None);
    assert_eq!(schedule.next(), Some(time(10)));
    assert_eq!(schedule.begin(time(60)), Some("a"));
    assert_eq!(schedule.begin(time(60)), Some("b"));
    assert_eq!((schedule.begin(time(60)), schedule.next()), (None, None));
    schedule.end(&"a");
    assert_eq!(schedule.begin(time(60)), Some("c"));
    // What is due again while it runs waits for its end.
    schedule.put("b", time(1));
    schedule.end(&"c");
    assert_eq!(schedule.begin(time(60)), None);
    schedule.end(&"b");
    assert_eq!(schedule.begin(time(60)), Some("b"));
    schedule.remove(&"d");
    schedule.end(&"b");
    assert_eq!((schedule.begin(time(99)), schedule.running()), (None, 0));
    schedule.put("a", time(1));
    schedule.stop();
    assert_eq!((schedule.begin(time(99)), schedule.next()), (None, None));
}

#[test]
fn who_is_always_due_keeps_nobody_waiting() {
    // One place; each beat takes ten seconds, and two loops are due each second.
    let mut schedule = Schedule::new(1);
    let time = |second| Timestamp::from_second(second).unwrap();
    for (key, second) in [("busy", 0), ("eager", 0), ("calm", 5)] {
        schedule.put(key, time(second));
    }
    let mut began = Vec::new();
    for round in 0..12 {
        let now = time(round * 10);
        let key = schedule.begin(now).unwrap();
        began.push(key);
        let every = if key == "calm" { 40 } else { 1 };
        schedule.put(key, time(round * 10 + every));
        schedule.end(&key);
    }
    let calm: Vec<usize> = (0..began.len())
        .filter(|index| began.get(*index) == Some(&"calm"))
        .collect();
    assert_eq!(calm, [3, 9], "{began:?}");
}
