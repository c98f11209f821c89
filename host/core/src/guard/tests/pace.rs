//! The vectors of slowing down, and how long «nothing to do» is believed.

use super::*;
use crate::journal::Decided;

const NO_PROGRESS: &str = include_str!("../../../tests/vectors/no-progress-backoff.json");

/// The history that a word of T, F and N stands for, oldest first.
fn history(word: &str) -> LoopState {
    let beats: Vec<_> = word
        .chars()
        .map(|letter| {
            let progress = match letter {
                'T' => Some(true),
                'F' => Some(false),
                'N' => None,
                other => panic!("{other}"),
            };
            let receipt = BeatReceipt {
                progress,
                ..nothing(1, None)
            };
            (0, "setup", receipt)
        })
        .collect();
    state(&beats)
}

#[test]
fn no_progress_vectors() {
    let cases = vectors(NO_PROGRESS, "cases");
    assert_eq!(cases.len(), 12);
    for case in cases {
        let state = history(case["history"].as_str().unwrap());
        let in_vain = state.evidence.no_progress;
        assert_eq!(u64::from(in_vain), case["n"].as_u64().unwrap(), "{case}");
        let slower = Pace::default().slower(in_vain);
        assert_eq!(u64::from(slower), case["mult"].as_u64().unwrap(), "{case}");
    }
}

#[test]
fn ship_rate_vectors() {
    let file: Value = serde_json::from_str(NO_PROGRESS).unwrap();
    let cases = file["ship_rate"]["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let (shipped, all) = history(case["history"].as_str().unwrap())
            .evidence
            .ship_rate();
        let rate = (all > 0).then(|| format!("{shipped}/{all}"));
        assert_eq!(rate.as_deref(), case["rate"].as_str(), "{case}");
    }
}

fn waits(word: &str, every: u64) -> String {
    let now = Now {
        pace: Pace {
            every: Millis(every * 1_000),
            ..Pace::default()
        },
        ..Now::of(history(word), utc(0))
    };
    match now.guard() {
        Guard::Wait(hold) => format!("{} s: {hold}", hold.until.unwrap().as_second()),
        Guard::Go { .. } => "go".to_owned(),
    }
}

use crate::quantity::Millis;

#[test]
fn a_loop_that_gets_nowhere_is_slow() {
    for (word, expect) in [
        ("FFF", "go"),
        (
            "FFFF",
            "1800 s: no-progress: 4 moves in vain, the limit is 3: 2 times slower, 1800 s between decisions",
        ),
        ("FFFFT", "go"),
        ("TTTFFTFFTF", "go"),
        (
            "TTFFTFFTFF",
            "1800 s: ship-rate: 4 of the last 10 moves settled, the limit is 5: 2 times slower, 1800 s between decisions",
        ),
        (
            "FFTFFTFFFF",
            "3600 s: ship-rate: 2 of the last 10 moves settled, the limit is 5: 4 times slower, 3600 s between decisions",
        ),
        (
            &"F".repeat(16),
            "12600 s: no-progress: 16 moves in vain, the limit is 3: 14 times slower, 12600 s between decisions",
        ),
    ] {
        assert_eq!(waits(word, 900), expect, "{word}");
    }
}

#[test]
fn of_two_waits_the_longer_one_counts() {
    let mut state = history("FFFF");
    state.failures = 3;
    state.last_failed_at = Some(Timestamp::UNIX_EPOCH);
    state.failed_setups.insert(digest("setup"));
    for (every, expect) in [(60, ("backoff", 240)), (600, ("no-progress", 1_200))] {
        let now = Now {
            pace: Pace {
                every: Millis(every * 1_000),
                ..Pace::default()
            },
            ..Now::of(state.clone(), utc(0))
        };
        let Guard::Wait(hold) = now.guard() else {
            panic!()
        };
        assert_eq!((hold.guard, hold.until.unwrap().as_second()), expect);
    }
}

#[test]
fn another_setup_is_worth_a_try_at_once() {
    let now = Now::of(history("FFFFFF"), utc(1));
    assert!(matches!(now.guard(), Guard::Wait(_)));
    let edited = Now {
        setup: digest("edited"),
        ..now
    };
    assert_eq!(edited.says(), "go");
}

#[test]
fn settings_bound_the_factor() {
    let pace = |after, slowest| Pace {
        no_progress_after: after,
        no_progress_slowest: slowest,
        ..Pace::default()
    };
    for (after, slowest, in_vain, expect) in [
        (0, 30, 1, 2),
        (0, 1, 9, 1),
        (3, 10_000, u32::MAX, 10_000),
        (u32::MAX, 30, u32::MAX, 1),
    ] {
        assert_eq!(pace(after, slowest).slower(in_vain), expect);
    }
}

#[test]
fn nothing_to_do_is_believed_for_a_while() {
    let decided = |nothing_for| Decided {
        fingerprint: digest("world"),
        at: Timestamp::from_second(100_000).unwrap(),
        nothing_for,
    };
    let six_hours = 6 * 3_600;
    for (now, expect) in [
        (100_000, false),
        (100_000 + six_hours - 1, false),
        (100_000 + six_hours, true),
        (99_999, true),
    ] {
        let now = Timestamp::from_second(now).unwrap();
        let aged = |decided| noop_aged(&decided, &Pace::default(), now);
        assert_eq!(aged(decided(Some(digest("items")))), expect, "{now}");
        assert!(!aged(decided(None)), "a move is no «nothing to do»");
    }
}
