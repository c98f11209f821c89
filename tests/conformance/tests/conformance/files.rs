//! The checks of the guest `conform`, under both hosts.

use std::collections::BTreeMap;

use crate::rig::{Rig, guest};
use crate::stock;

/// Where the stock host answers otherwise, and why that is not what a check asks for.
const STOCK_DIFFERS: &[(&str, &str)] = &[
    (
        "open-mutable-directory",
        "it forgets mutate-directory, which C libraries ask for to know whether they may write",
    ),
    (
        "rmdir-slash",
        "it takes `sub/` for `sub/.`, so `rmdir -p a/b/` and the like fail",
    ),
    (
        "symlink-to-folder",
        "its stat of `link/` is that of the link, its open that of the folder",
    ),
];

/// Each check with how it ended.
fn ends(printed: &str) -> BTreeMap<&str, &str> {
    printed
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .collect()
}

fn failed<'a>(ends: &BTreeMap<&'a str, &'a str>) -> Vec<(&'a str, &'a str)> {
    ends.iter()
        .filter(|(_, end)| **end != "ok")
        .map(|(name, end)| (*name, *end))
        .collect()
}

#[test]
fn every_check_holds() {
    let rig = Rig::new();
    let ran = rig.run(&["--dir", ".::/"], &["checks"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ends = ends(&ran.out);
    assert!(ends.len() > 100, "{} checks", ends.len());
    assert_eq!(failed(&ends), []);
}

/// A policy that has a say elsewhere has none here.
#[test]
fn every_check_holds_beside_a_policy() {
    let rig = Rig::with(&[("secret", "denied"), ("beside/file", "not granted")]);
    let options = ["--dir", ".::/", "--write", "ground/**", "--deny", "secret"];
    let ran = rig.run(&options, &["checks"]);
    assert_eq!(failed(&ends(&ran.out)), [], "{}", ran.err);
}

/// The stock host holds all checks but those of a list, so what they ask for is not only what we do.
#[test]
fn the_stock_host_differs_where_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let printed = stock::run(&guest(), folder.path(), &["checks"]);
    let ends = ends(&printed);
    let seen: Vec<&str> = failed(&ends).iter().map(|(name, _)| *name).collect();
    let expect: Vec<&str> = STOCK_DIFFERS.iter().map(|(name, _)| *name).collect();
    assert_eq!(seen, expect, "{:#?}", failed(&ends));
}
