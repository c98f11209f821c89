//! The whole table of the escape suite: every verb with all its flags at every kind of path.
//!
//! The suite itself, and what it holds every row to, is in `host/sandbox/src/selftest.rs`. Here it is run in both ways, and once more with a
//! kernel that has no `openat2`; how the rows end that nobody refuses (`ok` or a POSIX code) is in the snapshot, which is one for
//! all three. `RINGFENCE_TABLE=full` tries every pair of paths and all flags everywhere.
//!
//! **Invariant:** a row can be left out only with a reason, and the reasons are in a snapshot, too.

#![expect(clippy::unwrap_used, reason = "a test may end at once")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use ringfence_testkit::sandbox::Sandbox;
use ringfence_testkit::sandbox::selftest::{Ends, Escapes, Extent, Report, Verb, Way, escapes};
use ringfence_tests_sandbox::without_openat2;

/// The table as text: deeds that end alike everywhere stand together, and so do paths. Denials are left out, since they follow
/// from the rules, and devices, which only root can make.
fn text(report: &Report) -> String {
    let (pairs, singles) = report
        .ends
        .clone()
        .into_iter()
        .filter(|(deed, _)| !deed.contains(" from device"))
        .partition(|(deed, _)| deed.contains(" from "));
    format!("{}\n{}", section("", &singles), section("PAIRS ", &pairs))
}

fn section(title: &str, deeds_ends: &Ends) -> String {
    let mut ends_at: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (deed, ends) in deeds_ends {
        for (end, spots) in ends {
            for spot in spots.iter().filter(|spot| !spot.starts_with("device")) {
                ends_at.entry(spot).or_default().insert(deed, end);
            }
        }
    }
    let (leaders, alike) = grouped(&ends_at);
    let mut text = format!("{title}PATHS\n{alike}\n{title}DEEDS\n");
    let blocks: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = deeds_ends
        .iter()
        .map(|(deed, ends)| {
            let ends = ends
                .iter()
                .map(|(end, spots)| (end.as_str(), only(spots, &leaders)));
            (
                deed.as_str(),
                ends.filter(|(_, spots)| !spots.is_empty()).collect(),
            )
        })
        .collect();
    let mut by_end: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for (deed, ends) in &blocks {
        by_end.entry(ends).or_default().push(deed);
    }
    let mut deeds: Vec<_> = by_end.into_iter().collect();
    deeds.sort_by(|a, b| a.1.cmp(&b.1));
    for (ends, deeds) in deeds {
        writeln!(text, "{}", deeds.join("; ")).unwrap();
        for (end, spots) in ends {
            writeln!(text, "    {end}: {}", spots.join(", ")).unwrap();
        }
    }
    text
}

fn only<'a>(spots: &'a [String], leaders: &BTreeSet<&str>) -> Vec<&'a str> {
    let spots = spots.iter().map(String::as_str);
    spots.filter(|spot| leaders.contains(spot)).collect()
}

/// The first of the paths that end alike for all deeds, and a line for each with the others.
fn grouped<'a>(ends_at: &BTreeMap<&'a str, BTreeMap<&str, &str>>) -> (BTreeSet<&'a str>, String) {
    let mut alike: BTreeMap<&BTreeMap<&str, &str>, Vec<&str>> = BTreeMap::new();
    for (spot, ends) in ends_at {
        alike.entry(ends).or_default().push(spot);
    }
    let leaders = alike
        .values()
        .filter_map(|spots| spots.first().copied())
        .collect();
    let mut lines: Vec<String> = alike
        .values()
        .map(|spots| spots.join(" = ") + "\n")
        .collect();
    lines.sort();
    (leaders, lines.concat())
}

fn table(way: Way) -> Report {
    let sandbox = Sandbox::new(ringfence_testkit::sandbox::Settings::default()).unwrap();
    // Ground is made anew thousands of times: in memory, where there is such a place.
    let dir = Some(Path::new("/dev/shm")).filter(|memory| memory.is_dir());
    let full = std::env::var_os("RINGFENCE_TABLE").is_some_and(|extent| extent == "full");
    let extent = if full { Extent::Full } else { Extent::Usual };
    let run = Escapes {
        sandbox: &sandbox,
        dir,
        way,
        extent,
    };
    let report = escapes(run, &mut |_| {}).unwrap();
    let failures: Vec<String> = report
        .failures
        .iter()
        .map(|failure| format!("{}: {}", failure.row, failure.why))
        .collect();
    let lacking: Vec<_> = report.left_out.iter().filter(|row| row.here).collect();
    assert!(
        lacking.iter().all(|row| row.what.starts_with("device")),
        "only root can make devices, and all else can be had: {lacking:?}"
    );
    assert!(
        failures.is_empty(),
        "{} wrong:\n{}",
        failures.len(),
        failures.join("\n")
    );
    report
}

fn check(report: &Report) {
    let (rows, refused) = (report.rows(), report.refused());
    assert!(
        rows > 300_000 && refused > rows / 2,
        "the table has shrunk: {rows} rows, {refused} refused"
    );
    insta::assert_snapshot!("table", text(report));
}

#[test]
fn every_verb_at_every_kind_of_path() {
    check(&table(Way::AtOnce));
}

/// The walk name by name is another piece of code and must be the same judge.
#[test]
fn every_verb_at_every_kind_of_path_without_openat2() {
    without_openat2();
    check(&table(Way::AtOnce));
}

#[test]
fn the_wit_has_no_other_verbs() {
    let wit = include_str!("../../../host/sandbox/wit/filesystem.wit");
    let resource = wit.split("resource descriptor {").nth(1).unwrap();
    let resource = resource.split("\n  }").next().unwrap();
    let functions = resource.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(": ")?;
        rest.starts_with("func(").then_some(name)
    });
    let known: BTreeSet<&str> = Verb::ALL.iter().map(|verb| verb.name()).collect();
    assert_eq!(functions.collect::<BTreeSet<_>>(), known);
}
