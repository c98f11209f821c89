//! Many loops over simulated time, with beats that take as long as they are told.

use ringfence_core::ids::LoopId;

use super::*;
use crate::driver::BeatError;
use crate::lock::LockError;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn file(name: &str) -> Arc<Path> {
    Path::new(name).into()
}

fn files(names: &[&str]) -> BTreeSet<Arc<Path>> {
    names.iter().map(|name| file(name)).collect()
}

fn place(name: &str) -> Place {
    Place {
        top: PathBuf::from("/"),
        state: PathBuf::from("/.ringfence"),
        loop_id: LoopId::new(name).unwrap(),
    }
}

fn due(second: i64) -> Due {
    Due {
        beat: Next {
            at: at(second),
            why: Why::Cadence,
        },
        word: None,
    }
}

fn broken(why: &str) -> Trouble {
    Trouble::Begin(BeatError::Host(why.to_owned()))
}

fn held() -> Trouble {
    Trouble::Begin(BeatError::Lock(LockError::Held { holder: None }))
}

/// A roster of loops that are all due at 0.
fn roster(jobs: usize, once: bool, names: &[&str]) -> Roster<u32> {
    let mut roster = Roster::new(jobs, once);
    roster.take_in(files(names), at(0));
    for (file, marks, _) in roster.changed(|_, _| 0) {
        let place = place(file.to_str().unwrap());
        assert!(roster.looked(&file, marks, place, due(0), at(0)).unwrap());
    }
    roster
}

fn begin(roster: &mut Roster<u32>, second: i64) -> Option<String> {
    roster
        .begin(at(second))
        .map(|file| file.to_str().unwrap().to_owned())
}

/// Beats of (name, every, takes) until `end`; when each loop began.
fn simulate(jobs: usize, loops: &[(&str, i64, i64)], end: i64) -> BTreeMap<String, Vec<i64>> {
    let names: Vec<&str> = loops.iter().map(|(name, ..)| *name).collect();
    let of = |name: &str| loops.iter().find(|(known, ..)| *known == name).unwrap();
    let mut roster = roster(jobs, false, &names);
    let mut running: BTreeSet<(i64, i64, String)> = BTreeSet::new();
    let mut began: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut now = 0;
    while now < end {
        while let Some(name) = begin(&mut roster, now) {
            assert!(
                !running.iter().any(|(.., other)| *other == name),
                "{name} runs twice at once"
            );
            running.insert((now + of(&name).2, now, name.clone()));
            began.entry(name).or_default().push(now);
        }
        assert!(running.len() <= jobs, "{running:?}");
        let ends = running.first().map(|(at, ..)| *at);
        let next = roster.next().map(|at| at.as_second());
        now = ends.into_iter().chain(next).min().unwrap().max(now);
        while let Some((_, start, name)) =
            running.first().filter(|(ends, ..)| *ends <= now).cloned()
        {
            running.pop_first();
            let next = due(start + of(&name).1);
            roster.beaten(&file(&name), 0, next, at(start), at(now));
        }
    }
    began
}

#[test]
fn each_in_its_own_time() {
    let began = simulate(4, &[("a", 10, 1), ("b", 25, 1), ("c", 1000, 1)], 60);
    assert_eq!(began["a"], [0, 10, 20, 30, 40, 50]);
    assert_eq!(began["b"], [0, 25, 50]);
    assert_eq!(began["c"], [0]);
}

#[test]
fn nobody_starves() {
    // Two that take longer than their cadence, two calm ones, and one place.
    let loops = [
        ("a", 1, 10),
        ("b", 1, 10),
        ("calm", 60, 1),
        ("quiet", 60, 1),
    ];
    let began = simulate(1, &loops, 3_600);
    for name in ["calm", "quiet"] {
        let gaps = began[name].windows(2).map(|pair| pair[1] - pair[0]);
        let longest = gaps.max().unwrap();
        // What runs, and each of the others once.
        assert!(longest <= 60 + 3 * 10 + 1, "{name} waited {longest} s");
    }
    assert!(began["a"].len().abs_diff(began["b"].len()) <= 1);
    let (one, two) = (simulate(1, &loops, 3_600), simulate(2, &loops, 3_600));
    assert!(two["a"].len() > one["a"].len() * 3 / 2);
}

#[test]
fn after_a_long_sleep_one_beat_is_due() {
    let mut roster = roster(2, false, &["a"]);
    assert_eq!(begin(&mut roster, 0).unwrap(), "a");
    roster.beaten(&file("a"), 0, due(60), at(0), at(1));
    // Hours later.
    assert_eq!(begin(&mut roster, 30_000).unwrap(), "a");
    roster.beaten(&file("a"), 0, due(30_060), at(30_000), at(30_001));
    assert_eq!(begin(&mut roster, 30_002), None);
    assert_eq!(roster.next(), Some(at(30_060)));
}

#[test]
fn a_beat_that_was_not_recorded_is_not_made_again_at_once() {
    let mut roster = roster(1, false, &["a"]);
    let mut now = 0;
    for wait in [60, 120, 240] {
        assert_eq!(begin(&mut roster, now).unwrap(), "a");
        let next = roster.beaten(&file("a"), 0, due(0), at(now), at(now));
        assert_eq!((next.at, next.why), (at(now + wait), Why::Retry));
        now += wait;
    }
    begin(&mut roster, now).unwrap();
    let next = roster.beaten(&file("a"), 0, due(now + 5), at(now), at(now));
    assert_eq!((next.at, next.why), (at(now + 5), Why::Cadence));
}

#[test]
fn trouble_is_told_once_and_tried_later_each_time() {
    let mut roster = roster(1, false, &["a", "b"]);
    assert_eq!(begin(&mut roster, 0).unwrap(), "a");
    let news = roster.troubled(&file("a"), 0, &broken("x"), at(0));
    assert_eq!(news.unwrap().at, at(60));
    // The others go on.
    assert_eq!(begin(&mut roster, 0).unwrap(), "b");
    roster.beaten(&file("b"), 0, due(5_000), at(0), at(0));
    assert_eq!(begin(&mut roster, 59), None);
    assert_eq!(begin(&mut roster, 60).unwrap(), "a");
    let news = roster.troubled(&file("a"), 0, &broken("x"), at(60));
    assert!(news.is_none(), "the same again");
    assert_eq!(roster.next(), Some(at(180)));
    begin(&mut roster, 180).unwrap();
    assert!(
        roster
            .troubled(&file("a"), 0, &broken("y"), at(180))
            .is_some()
    );
}

#[test]
fn a_beat_of_another_process_is_waited_out() {
    let mut roster = roster(1, false, &["a"]);
    let mut tries = Vec::new();
    let mut now = 0;
    for _ in 0..9 {
        begin(&mut roster, now).unwrap();
        let news = roster.troubled(&file("a"), 0, &held(), at(now));
        assert_eq!(news, None, "it is waited out");
        tries.push(roster.next().unwrap().as_second() - now);
        now = roster.next().unwrap().as_second();
    }
    assert_eq!(tries, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    // It has ended and left a journal in which the loop is not due.
    begin(&mut roster, now).unwrap();
    assert_eq!(roster.looks_since(&file("a"), &0, at(now)), None);
    assert_eq!(roster.looks_since(&file("a"), &1, at(now)), Some(at(0)));
    roster.put_off(&file("a"), 1, due(now + 900));
    assert_eq!(roster.next(), Some(at(now + 900)));
}

#[test]
fn changed_files_are_looked_at_again() {
    let mut roster = roster(1, false, &["a", "b"]);
    let changed = |roster: &Roster<u32>, marks: u32| -> Vec<String> {
        let changed = roster.changed(|file, _| if file == Path::new("a") { marks } else { 0 });
        changed
            .iter()
            .map(|(file, ..)| file.to_str().unwrap().to_owned())
            .collect()
    };
    assert!(changed(&roster, 0).is_empty());
    assert_eq!(changed(&roster, 1), ["a"]);
    // A broken edit keeps the loop from beating until it is mended, or tried again.
    roster.troubled(&file("a"), 1, &broken("x"), at(0));
    assert!(changed(&roster, 1).is_empty());
    assert_eq!(begin(&mut roster, 10).unwrap(), "b");
    roster.beaten(&file("b"), 0, due(500), at(10), at(10));
    assert_eq!(begin(&mut roster, 10), None);
    assert_eq!(changed(&roster, 2), ["a"]);
    assert_eq!(
        roster.looked(&file("a"), 2, place("a"), due(5), at(10)),
        Ok(true)
    );
    assert_eq!(begin(&mut roster, 10).unwrap(), "a");
    // While it runs, nobody looks.
    assert!(changed(&roster, 3).is_empty());
}

#[test]
fn plans_of_a_wrong_clock_are_made_anew() {
    let mut roster = roster(1, false, &["a"]);
    begin(&mut roster, 0).unwrap();
    // The clock was years ahead when the next beat was planned, and has been set right since.
    roster.beaten(&file("a"), 0, due(1_000_000_000), at(0), at(0));
    assert!(roster.changed(|_, _| 0).is_empty());
    assert_eq!(begin(&mut roster, 100), None);
    roster.forget_marks();
    let changed = roster.changed(|_, _| 0);
    assert_eq!(changed.len(), 1);
    let looked = roster.looked(&file("a"), 0, place("a"), due(100), at(100));
    assert_eq!(looked, Ok(true));
    assert_eq!(begin(&mut roster, 100).unwrap(), "a");
}

#[test]
fn loops_come_and_go() {
    let mut roster = roster(2, false, &["a", "b"]);
    assert_eq!(begin(&mut roster, 0).unwrap(), "a");
    assert_eq!(roster.take_in(files(&["c"]), at(1)), [file("a"), file("b")]);
    let new: Vec<_> = roster.changed(|_, _| 0);
    assert_eq!(new.len(), 1);
    roster
        .looked(&file("c"), 0, place("c"), due(1), at(1))
        .unwrap();
    assert_eq!(begin(&mut roster, 1).unwrap(), "c");
    // Its beat comes to its end, and is the last one.
    roster.beaten(&file("a"), 0, due(2), at(0), at(2));
    assert_eq!(begin(&mut roster, 99), None);
}

#[test]
fn one_loop_has_one_file() {
    let mut roster = roster(2, false, &["a"]);
    roster.take_in(files(&["a", "copy"]), at(0));
    let again = roster.looked(&file("copy"), 0, place("a"), due(0), at(0));
    assert_eq!(again, Err(PathBuf::from("a")));
    // The name is free when the other one has taken another.
    roster
        .looked(&file("a"), 1, place("renamed"), due(0), at(0))
        .unwrap();
    let again = roster.looked(&file("copy"), 0, place("a"), due(0), at(0));
    assert_eq!(again, Ok(true));
}

#[test]
fn once_is_once() {
    let mut roster = roster(1, true, &["a", "b"]);
    roster.take_in(files(&["a", "b", "later"]), at(0));
    assert_eq!(
        roster.looked(&file("later"), 0, place("later"), due(9), at(0)),
        Ok(false)
    );
    assert_eq!(begin(&mut roster, 0).unwrap(), "a");
    roster.beaten(&file("a"), 0, due(0), at(0), at(1));
    assert!(!roster.is_over());
    assert_eq!(begin(&mut roster, 1).unwrap(), "b");
    assert!(!roster.is_over());
    roster.troubled(&file("b"), 0, &broken("x"), at(1));
    assert!(roster.is_over());
    assert_eq!(begin(&mut roster, 10_000), None);
}

#[test]
fn a_stop_waits_for_what_runs() {
    let mut roster = roster(2, false, &["a", "b", "c"]);
    begin(&mut roster, 0).unwrap();
    begin(&mut roster, 0).unwrap();
    roster.stop();
    assert!(!roster.is_over());
    roster.beaten(&file("a"), 0, due(1), at(0), at(1));
    assert_eq!(begin(&mut roster, 5), None);
    assert!(!roster.is_over());
    roster.troubled(&file("b"), 0, &broken("x"), at(1));
    assert!(roster.is_over());
}

#[test]
fn people_are_told_while_no_beat_is_due() {
    let mut roster = roster(1, false, &["a"]);
    let years = 1_000_000_000;
    let with_word = |second: Option<i64>| Due {
        word: second.map(at),
        ..due(years)
    };
    assert_eq!(begin(&mut roster, 0).as_deref(), Some("a"));
    assert_eq!(roster.looks_since(&file("a"), &0, at(0)), None, "it beats");
    roster.beaten(&file("a"), 0, with_word(Some(86_400)), at(0), at(1));
    assert_eq!(roster.next(), Some(at(86_400)));
    assert_eq!(begin(&mut roster, 86_399), None);
    assert_eq!(begin(&mut roster, 86_400).as_deref(), Some("a"));
    let looks = roster.looks_since(&file("a"), &0, at(86_400));
    assert_eq!(looks, Some(at(0)), "it does not beat");
    roster.put_off(&file("a"), 0, with_word(None));
    assert_eq!(roster.next(), Some(at(years)));
    assert_eq!(begin(&mut roster, years).as_deref(), Some("a"));
    assert_eq!(roster.looks_since(&file("a"), &0, at(years)), None);
}

#[test]
fn trouble_with_people_is_no_reason_to_beat() {
    let mut roster = roster(1, false, &["a"]);
    begin(&mut roster, 0).unwrap();
    let told = Due {
        word: Some(at(10)),
        ..due(900)
    };
    roster.beaten(&file("a"), 0, told, at(0), at(1));
    begin(&mut roster, 10).unwrap();
    roster.troubled(&file("a"), 0, &broken("x"), at(10));
    begin(&mut roster, 70).unwrap();
    assert_eq!(roster.looks_since(&file("a"), &0, at(70)), Some(at(0)));
}
