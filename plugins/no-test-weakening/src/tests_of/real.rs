//! Steps between published releases, to see how often the gate is wrong.
//!
//! `RINGFENCE_CRATES=~/.cargo/registry/src/index.crates.io-… cargo test -p no-test-weakening steps_of -- --nocapture` judges every
//! step between two releases of one crate; without it, there is nothing to look at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::json;

use crate::{Change, Context, Ruling, TestFile, judge};

#[test]
fn steps_of_crates() {
    let Ok(root) = std::env::var("RINGFENCE_CRATES") else {
        return;
    };
    let mut releases: BTreeMap<String, Vec<(Vec<u64>, String)>> = BTreeMap::new();
    for entry in std::fs::read_dir(&root).unwrap().flatten() {
        let folder = entry.file_name().to_string_lossy().into_owned();
        let number = folder.find(|c: char| c.is_ascii_digit());
        let starts = folder.match_indices('-').map(|(at, _)| at + 1);
        let at = starts
            .into_iter()
            .find(|at| folder[*at..].starts_with(|c: char| c.is_ascii_digit()));
        if let (Some(_), Some(at)) = (number, at) {
            let version = folder[at..].split(['.', '+', '-']);
            let version = version.map(|part| part.parse().unwrap_or(0)).collect();
            releases
                .entry(folder[..at].to_owned())
                .or_default()
                .push((version, folder));
        }
    }
    let (mut steps, mut rulings) = (0, BTreeMap::<String, u32>::new());
    for versions in releases.values_mut() {
        versions.sort();
        for pair in versions.windows(2) {
            let [old, new] = pair else { continue };
            let (before, after) = (files(&root, &old.1), files(&root, &new.1));
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            let changes = names.into_iter().filter_map(|name| {
                Some(match (before.get(name), after.get(name)) {
                    (Some(was), Some(is)) if was != is => {
                        TestFile::modified(name, was.clone(), is.clone())
                    }
                    (Some(was), None) => TestFile::deleted(name, was.clone()),
                    (None, Some(is)) => TestFile::added(name, is.clone()),
                    _ => return None,
                })
            });
            let change = Change::test(changes.collect());
            let verdict = judge(&Context::test(json!({})), &change).unwrap();
            steps += 1;
            *rulings.entry(format!("{:?}", verdict.ruling)).or_default() += 1;
            if verdict.ruling != Ruling::Pass {
                println!(
                    "{} -> {}: {:?} {}",
                    old.1, new.1, verdict.ruling, verdict.summary
                );
            }
            for finding in &verdict.findings {
                let place = finding
                    .locations
                    .first()
                    .map_or("", |place| place.path.as_str());
                println!(
                    "  {:?} {} {place}: {}",
                    finding.severity, finding.rule, finding.message
                );
            }
        }
    }
    println!("{steps} steps: {rulings:?}");
    assert!(steps > 0);
}

/// The files of a release, by their paths in it.
fn files(root: &str, release: &str) -> BTreeMap<String, Vec<u8>> {
    let top = Path::new(root).join(release);
    let (mut folders, mut files) = (vec![top.clone()], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                let name = path.strip_prefix(&top).unwrap().to_string_lossy();
                files.insert(name.into_owned(), bytes);
            }
        }
    }
    files
}
