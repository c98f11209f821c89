//! Controls: the suite sees what a weaker boundary lets through.
//!
//! **Invariant:** each runs the shipped suite itself, with something taken away from the boundary.

use std::path::Path;

use ringfence_core::policy::{Access, Layer, PathPolicy, PolicySpec};
use serde_json::json;

use super::attempt::{Attempt, Must, Row};
use super::check::{Group, Outcome};
use super::deed::Effect;
use super::each::{Scope, all_cells, run};
use super::ground::{self, Ground};
use super::plan::{Probe, op};
use super::rules::Judge;
use super::spot::{Spot, What};
use super::words::{Family, Verb, Zone};
use super::{Escapes, Extent, Way};
use crate::Sandbox;

/// A file system in memory, where there is one: ground is made anew for almost every row.
fn memory() -> Option<&'static Path> {
    Some(Path::new("/dev/shm")).filter(|memory| memory.is_dir())
}

/// A file that the policy has a say about.
fn is_the_policys(spot: &Spot) -> bool {
    let judge = match spot.end.judge {
        Judge::Of(zone) | Judge::Twin(zone) => !matches!(zone, Zone::Own | Zone::Outside),
        Judge::Way | Judge::Special | Judge::Absolute | Judge::Backslash => false,
    };
    judge && spot.end.what == What::File
}

#[test]
fn without_a_policy_every_path_that_it_guards_fails() {
    let everything = Layer {
        name: "loop".to_owned(),
        read: vec!["**".to_owned()],
        write: vec!["**".to_owned()],
    };
    let spec = PolicySpec {
        layers: vec![everything],
        deny: Vec::new(),
    };
    let scope = Scope {
        policy: &PathPolicy::new(&spec).unwrap(),
        path: is_the_policys,
        pairs: false,
    };
    let sandbox = Sandbox::new(crate::Settings::default()).unwrap();
    let escapes = Escapes {
        sandbox: &sandbox,
        dir: memory(),
        way: Way::NameByName,
        extent: Extent::Usual,
    };
    let report = run(escapes, &scope, &mut |_| {}).unwrap();
    let ground = Ground::new(memory()).unwrap();
    let cells = all_cells(&ground).filter_map(|(_, cell)| cell.ok());
    let guarded: Vec<Spot> = cells.flatten().filter(is_the_policys).collect();
    assert!(guarded.len() > 60, "{}", guarded.len());
    for spot in guarded {
        let end = format!(" at {}", spot.name);
        assert!(
            report
                .failures
                .iter()
                .any(|failure| failure.row.ends_with(&end)),
            "{}",
            spot.name
        );
    }
}

/// Others give the guest something before it tries to have it: as if the boundary had.
fn given(from: &str, to: &str, verb: Verb, plan: &[serde_json::Value]) -> Outcome {
    let row = Row {
        verb,
        family: Family::Plain,
        deed: verb.name().to_owned(),
        spot: to.to_owned(),
        refused: None,
        wants: vec![Access::Read],
        must: Must::Anyhow,
    };
    let attempt = Attempt {
        plan: plan.to_vec(),
        rows: vec![row],
        effect: Effect::None,
        is_list: false,
        closes: &[],
    };
    let group = Group {
        prelude: vec![op("read-base", json!({ "path": "docs/file.md" }))],
        others: Some((from.to_owned(), to.to_owned())),
        attempts: vec![attempt],
    };
    let sandbox = Sandbox::new(crate::Settings::default()).unwrap();
    let probe = Probe::new(&sandbox, Way::AtOnce).unwrap();
    let mut ground = Ground::new(memory()).unwrap();
    group
        .run(&probe, &ground::policy().unwrap(), &mut ground)
        .unwrap()
}

#[test]
fn a_denied_byte_in_an_answer_is_seen() {
    let open = op(
        "open",
        json!({ "path": "docs/free.md", "descriptor": ["read"] }),
    );
    let read = op("read", json!({ "on": "h", "length": 99 }));
    let outcome = given("docs/x.key", "docs/free.md", Verb::Read, &[open, read]);
    assert!(outcome.broken.unwrap().starts_with("leaks"));
}

#[test]
fn a_change_of_what_is_denied_is_seen() {
    let stat = op("stat-at", json!({ "path": "docs/file.md" }));
    // A directory that is taken from a denied place is seen, whatever the guest does.
    let outcome = given("secrets/deep", "docs/free", Verb::StatAt, &[stat]);
    assert_eq!(
        outcome.broken, None,
        "what others do is none of the guest's"
    );
    let unlink = op("unlink-file-at", json!({ "path": "docs/free/in.md" }));
    let outcome = given("secrets/deep", "docs/free", Verb::UnlinkFileAt, &[unlink]);
    assert!(outcome.broken.unwrap().starts_with("changes"));
}
