//! Every file verb × every kind of path × what may be done there, by the guest `probe`.
//!
//! `verbs/deed.rs` says how each verb is tried and what it needs, `verbs/spot.rs` which paths there are and whose they
//! are. What follows from the two is asserted for every pair: what is refused is refused by the right rule and
//! reported, nothing that may not change does, and the secret never shows. How the rest ends (`ok` or a POSIX code) is
//! in the snapshot, which is the same with and without `openat2`.
//!
//! **Invariant:** no verb can be missing: [`deed::Verb`] is held to the functions in the WIT file.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may end at once"
)]

#[path = "verbs/deed.rs"]
mod deed;
#[path = "verbs/spot.rs"]
mod spot;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use deed::{Deed, Verb, deeds};
use ringfence_testkit::Component;
use ringfence_testkit::core::policy::{Access, Decision, Denial, DenySource, Rule};
use ringfence_testkit::core::relpath::{PathError, RelPath};
use ringfence_tests_sandbox::probe::{Done, carry_out, op, policy};
use ringfence_tests_sandbox::world::{GRANT, SECRET, Seen, World, differing, may_change};
use ringfence_tests_sandbox::{guest, without_openat2};
use serde_json::{Value, json};
use spot::{Spot, Zone, spots};

/// The table as text: for the deeds that end alike, the spots by how they end there. Denials follow from [`Zone`], so
/// they are left out.
#[derive(Default)]
struct Table(BTreeMap<String, BTreeMap<String, Vec<String>>>);

impl Table {
    fn add(&mut self, deed: &Deed, spot: &Spot, end: String) {
        let ends = self.0.entry(deed.name()).or_default();
        ends.entry(end).or_default().push(spot.name.clone());
    }

    fn text(&self) -> String {
        let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (deed, ends) in &self.0 {
            let mut text = String::new();
            for (end, spots) in ends {
                writeln!(text, "    {end}: {}", spots.join(", ")).unwrap();
            }
            alike.entry(text).or_default().push(deed.trim_end());
        }
        let mut blocks: Vec<String> = alike
            .iter()
            .map(|(text, deeds)| format!("{}\n{text}", deeds.join("; ")))
            .collect();
        blocks.sort();
        blocks.concat()
    }
}

/// A world that is made anew when something in it has changed.
struct Ground {
    probe: Component,
    world: World,
    before: BTreeMap<String, Seen>,
}

impl Ground {
    fn new() -> Self {
        let world = World::new();
        let before = world.look();
        Self {
            probe: guest("probe"),
            world,
            before,
        }
    }

    /// Tries `deeds` at `spot`, one after the other in one call, and returns how each ended.
    fn check(&mut self, deeds: &[Deed], spot: &Spot) -> Result<Vec<String>, String> {
        let tries: Vec<Vec<Value>> = deeds.iter().map(|deed| deed.plan(spot)).collect();
        let mut plan = spot.prelude.clone();
        for tried in &tries {
            plan.extend(tried.iter().cloned());
            plan.extend(["h", "s", "l"].map(|handle| op("drop", json!({ "on": handle }))));
        }
        let neighbour = json!({ "path": "docs/neighbour.md", "descriptor": ["read"], "as": "n" });
        plan.push(op("open", neighbour));
        plan.push(op("read", json!({ "on": "n", "length": 99 })));
        let done = carry_out(&self.probe, self.world.call(&self.probe), &plan);
        let after = self.world.look();
        let changed = differing(&self.before, &after);
        let quiet = spot.prelude.is_empty() && !may_do_something(deeds, spot);
        let checked = leaks_nothing(spot, &done)
            .and_then(|()| changes_nothing_else(quiet, &changed))
            .and_then(|()| is_denied_where_it_must(deeds, spot, done.denials()));
        if !changed.is_empty() {
            self.world = World::new();
            self.before = self.world.look();
        }
        let lens = tries.iter().map(Vec::len);
        checked.map(|()| ends(&done.results[spot.prelude.len()..], lens))
    }
}

/// True when one of `deeds` wants to write at `spot` and may.
fn may_do_something(deeds: &[Deed], spot: &Spot) -> bool {
    let may =
        |deed: &Deed| deed.refused_at(spot).is_none() && deed.wants().contains(&Access::Write);
    deeds.iter().any(may)
}

/// How each of the plans ended, all of which were followed by three that close what they opened.
fn ends(results: &[Result<Value, String>], lens: impl Iterator<Item = usize>) -> Vec<String> {
    let mut rest = results;
    lens.map(|len| {
        let (own, after) = rest.split_at(len);
        rest = &after[3..];
        let failed = own.iter().find_map(|result| result.as_ref().err());
        failed.cloned().unwrap_or_else(|| "ok".to_owned())
    })
    .collect()
}

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

fn leaks_nothing(spot: &Spot, done: &Done) -> Result<(), String> {
    let report = format!("{:?}", done.called);
    ensure(!report.contains(SECRET), || format!("leaks: {report}"))?;
    let neighbour = done.results.last();
    ensure(
        neighbour == Some(&Ok(json!(["plain words", false]))),
        || format!("the neighbour: {neighbour:?}"),
    )?;
    let mut prelude = done.results.iter().take(spot.prelude.len());
    ensure(prelude.all(Result::is_ok), || {
        format!("prelude: {:?}", done.results)
    })
}

fn changes_nothing_else(quiet: bool, changed: &[&str]) -> Result<(), String> {
    ensure(!quiet || changed.is_empty(), || {
        format!("changes {changed:?}")
    })?;
    let wrong = changed.iter().find(|path| !may_change(path));
    ensure(wrong.is_none(), || format!("changes {wrong:?}"))
}

/// There are as many denials as deeds that must be refused, each by the rule of its zone and for what a deed wanted.
fn is_denied_where_it_must(deeds: &[Deed], spot: &Spot, denials: &[Denial]) -> Result<(), String> {
    let refused: Vec<(Zone, Vec<Access>)> = deeds
        .iter()
        .filter_map(|deed| Some((deed.refused_at(spot)?, deed.wants())))
        .collect();
    let count: u64 = denials.iter().map(|denial| denial.count).sum();
    ensure(count == refused.len() as u64, || {
        format!(
            "{} must be refused, not {count}: {denials:?}",
            refused.len()
        )
    })?;
    for denial in denials {
        let by = |(zone, wants): &&(Zone, Vec<Access>)| is_denial_of(denial, *zone, wants);
        ensure(refused.iter().any(|refused| by(&refused)), || {
            format!("{denial:?} of {refused:?}")
        })?;
        let list = if denial.access == Access::Write {
            "write"
        } else {
            "read"
        };
        let expect = matches!(denial.rule, Rule::NotAllowed { .. })
            .then(|| format!("{list} = [{:?}]", denial.path));
        ensure(is_refused_again(denial), || format!("path {denial:?}"))?;
        ensure(denial.grant_line() == expect, || {
            format!("grant {:?}", denial.grant_line())
        })?;
    }
    Ok(())
}

/// The path of a denial, asked of the policy once more, is refused by the same rule.
fn is_refused_again(denial: &Denial) -> bool {
    if !matches!(denial.rule, Rule::NotAllowed { .. } | Rule::Deny { .. }) {
        return !denial.path.is_empty();
    }
    let rule = denial.rule.clone();
    let path = RelPath::lexical(&format!("./{}", denial.path));
    path.is_ok_and(|path| policy(GRANT).decide(&path, denial.access) == Decision::Denied { rule })
}

fn is_denial_of(denial: &Denial, zone: Zone, wants: &[Access]) -> bool {
    let writes = wants.contains(&Access::Write);
    let looks = wants.iter().any(|access| *access != Access::Write);
    let wanted = match denial.access {
        Access::Write => writes,
        // What is special is refused before anybody asks what for, and opening to truncate is reading, too.
        _ => {
            looks
                || matches!(
                    zone,
                    Zone::Special | Zone::TwinOfHidden | Zone::TwinOfDenied
                )
        }
    };
    wanted
        && match (zone, &denial.rule) {
            (Zone::ReadOnly | Zone::Hidden | Zone::Way, Rule::NotAllowed { layer }) => {
                layer == "loop"
            }
            (Zone::Denied, Rule::Deny { source, .. }) => *source == DenySource::Operator,
            (Zone::Outside, Rule::Shape { error }) => *error == PathError::Escapes,
            (Zone::Absolute, Rule::Shape { error }) => *error == PathError::Absolute,
            (Zone::Backslash, Rule::Shape { error }) => *error == PathError::Backslash,
            (
                Zone::TwinOfDenied | Zone::TwinOfReadOnly | Zone::TwinOfHidden,
                Rule::HardLink { other },
            ) => !other.is_empty(),
            (Zone::TwinOfOutside, Rule::HardLink { other }) => other.is_empty(),
            (Zone::Special, Rule::Special { kind }) => kind == "fifo" || kind == "socket",
            _ => false,
        }
}

fn table() -> String {
    let mut ground = Ground::new();
    let mut table = Table::default();
    let mut wrong = Vec::new();
    for spot in spots() {
        let deeds: Vec<Deed> = Verb::ALL.into_iter().flat_map(deeds).collect();
        let fitting = deeds.into_iter().filter(|deed| deed.fits(&spot));
        // Deeds that change something need ground of their own; the others share it.
        let (busy, idle): (Vec<Deed>, Vec<Deed>) =
            fitting.partition(|deed| may_do_something(std::slice::from_ref(deed), &spot));
        let mut groups: Vec<Vec<Deed>> = busy.into_iter().map(|deed| vec![deed]).collect();
        groups.push(idle);
        for group in groups.iter().filter(|group| !group.is_empty()) {
            match ground.check(group, &spot) {
                Ok(ends) => group.iter().zip(ends).for_each(|(deed, end)| {
                    let denied = deed.refused_at(&spot).is_some();
                    if denied && end != "not-permitted" {
                        wrong.push(format!("{} at {} ends with {end}", deed.name(), spot.name));
                    }
                    if !denied {
                        table.add(deed, &spot, end);
                    }
                }),
                Err(why) => {
                    let names: Vec<String> = group.iter().map(Deed::name).collect();
                    wrong.push(format!("{} at {}: {why}", names.join(", "), spot.name));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    table.text()
}

#[test]
fn every_verb_at_every_kind_of_path() {
    insta::assert_snapshot!("table", table());
}

/// The walk without `openat2` is another piece of code and must be the same judge.
#[test]
fn every_verb_at_every_kind_of_path_without_openat2() {
    without_openat2();
    insta::assert_snapshot!("table", table());
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
