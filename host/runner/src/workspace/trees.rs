//! Looks whether the trees of a change are as git writes them.
//!
//! **Invariant:** a tree that is compared has each name once, and in order. One that has a name twice is one tree to whoever
//! compares and another to whoever checks out or merges, who takes the last of them: a file that is changed would look
//! new, and gates would see nothing of what it was. What does not differ is not looked at.

use std::collections::{BTreeSet, HashSet};

use super::MeasureError;
use crate::git::output::{MODE_TREE, TreeEntry, raw_changes, tree};
use crate::git::{GitError, display_name};
use crate::store::Store;

// Limit: the trees of three million files, every one of which differs.
const TREES_BYTES_MAX: usize = 128 << 20;

/// Looks at the two trees and at every one below them that differs, with `memory` bytes for git.
///
/// # Errors
/// [`MeasureError::Tree`] for the first that is not as git writes it, [`MeasureError::Incomparable`], [`MeasureError::Git`].
pub(super) fn well_formed(
    store: &Store,
    base: &str,
    candidate: &str,
    memory: u64,
) -> Result<(), MeasureError> {
    if base == candidate {
        return Ok(());
    }
    let switches = ["-r", "-t", "-z", "--raw", "--no-renames", "--no-abbrev"];
    let call = store.git().call("diff-tree").args(switches);
    let said = call.args([base, candidate]).memory_max(memory).run();
    let said = said.map_err(|error| match error {
        GitError::Memory { limit, .. } => MeasureError::Incomparable { limit },
        error => error.into(),
    })?;
    let mut ids = BTreeSet::from([base.to_owned(), candidate.to_owned()]);
    for change in raw_changes(&said)? {
        let sides = [
            (change.old_mode, change.old_id),
            (change.new_mode, change.new_id),
        ];
        let trees = sides.into_iter().filter(|(mode, _)| *mode == MODE_TREE);
        ids.extend(trees.map(|(_, id)| id));
    }
    let ids: Vec<String> = ids.into_iter().collect();
    for (id, bytes) in ids.iter().zip(store.tree_texts(&ids, TREES_BYTES_MAX)?) {
        let entries = tree(&bytes, store.format())?;
        if let Some((name, what)) = oddity(&entries) {
            let (tree, name) = (id.clone(), display_name(name));
            return Err(MeasureError::Tree { tree, name, what });
        }
    }
    Ok(())
}

/// The first name that git would not have written where it stands, and why not.
fn oddity<'a>(entries: &[TreeEntry<'a>]) -> Option<(&'a [u8], &'static str)> {
    let mut seen = HashSet::new();
    let mut last: Option<&TreeEntry<'_>> = None;
    for entry in entries {
        let name = entry.name;
        if !seen.insert(name) {
            return Some((name, "twice"));
        }
        if name.contains(&b'/') {
            return Some((name, "as one name"));
        }
        if last.is_some_and(|last| order(last).ge(order(entry))) {
            return Some((name, "out of order"));
        }
        last = Some(entry);
    }
    None
}

/// What git sorts by: the name of a tree as if a slash stood behind it.
fn order<'a>(entry: &TreeEntry<'a>) -> impl Iterator<Item = &'a u8> {
    let slash = (entry.mode == MODE_TREE).then_some(&b'/');
    entry.name.iter().chain(slash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Rig, gits};
    use crate::git::output::one_id;

    fn blob(store: &Store, bytes: &[u8]) -> String {
        let call = store.git().call("hash-object").args(["-w", "--stdin"]);
        one_id("hash-object", &call.stdin(bytes.to_vec()).run().unwrap()).unwrap()
    }

    /// Makes a tree of these entries as they are; a name with two slashes behind it is that of a tree.
    fn made(store: &Store, entries: &[(&str, &str)]) -> String {
        let mut bytes = Vec::new();
        for (name, id) in entries {
            let mode = if name.ends_with("//") {
                "40000"
            } else {
                "100644"
            };
            let name = name.strip_suffix("//").unwrap_or(name);
            bytes.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            let digits = id.as_bytes().chunks(2);
            let hex = |two: &[u8]| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap();
            bytes.extend(digits.map(hex));
        }
        let call = store.git().call("hash-object");
        let call = call.args(["-w", "-t", "tree", "--literally", "--stdin"]);
        one_id("hash-object", &call.stdin(bytes).run().unwrap()).unwrap()
    }

    #[test]
    fn a_name_that_stands_twice_hides_nothing() {
        for program in gits() {
            for switches in [&[][..], &["--object-format=sha256"]] {
                let rig = Rig::filled(&program, switches);
                let opened = rig.open();
                let store = opened.ws.store();
                let (a, b) = (blob(store, b"one\n"), blob(store, b"two\n"));
                let base = made(store, &[("a", &a), ("a.b", &a), ("b", &a)]);
                let dir = made(store, &[("x", &a)]);
                let twice = made(store, &[("x", &a), ("x", &b)]);
                let check = |base: &str, candidate: &str| {
                    let found = super::super::measure::differences(store, base, candidate);
                    found
                        .map(|(files, _)| files.len())
                        .map_err(|e| e.to_string())
                };
                for (entries, expect) in [
                    (&[("a", &a), ("a.b", &b), ("b", &a)][..], Ok(1)),
                    (
                        &[("a", &a), ("a.b", &a), ("a//", &dir), ("b", &a)],
                        Err("twice"),
                    ),
                    (&[("a.b", &a), ("a//", &dir), ("a0", &a), ("b", &a)], Ok(3)),
                    (
                        &[("a", &a), ("a", &b), ("a.b", &a), ("b", &a)],
                        Err("twice"),
                    ),
                    (
                        &[("a", &a), ("a.b", &a), ("b", &a), ("a", &b)],
                        Err("twice"),
                    ),
                    (
                        &[("a", &a), ("a.b", &a), ("b", &a), ("aa", &b)],
                        Err("out of order"),
                    ),
                    (
                        &[("a//", &dir), ("a.b", &a), ("b", &a)],
                        Err("out of order"),
                    ),
                    (
                        &[("a", &a), ("a.b", &a), ("b", &a), ("c//", &twice)],
                        Err("twice"),
                    ),
                    (
                        &[("a", &a), ("a.b", &a), ("b", &a), ("b/x", &b)],
                        Err("as one name"),
                    ),
                ] {
                    let entries: Vec<_> = entries.iter().map(|(n, id)| (*n, id.as_str())).collect();
                    let tree = made(store, &entries);
                    for found in [check(&base, &tree), check(&tree, &base)] {
                        match (&found, expect) {
                            (Ok(files), Ok(expect)) => assert_eq!(*files, expect, "{entries:?}"),
                            (Err(said), Err(expect)) => assert!(said.contains(expect), "{said}"),
                            _ => panic!("{entries:?}: {found:?}"),
                        }
                    }
                }
                // What both sides have is nobody's doing.
                let both = |file: &str| made(store, &[("a", file), ("c//", &twice)]);
                assert_eq!(check(&both(&a), &both(&b)), Ok(1));
            }
        }
    }
}
