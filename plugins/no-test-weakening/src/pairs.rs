//! Which test was which.
//!
//! **Invariant:** a test is paired at most once; one that has another place or name is the same only if it runs as it did.

use std::collections::BTreeMap;

use crate::find::Test;
use crate::language::Language;

/// A test, and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) language: Language,
    /// The file of the change, whatever its path is on this side.
    pub(crate) file: usize,
    pub(crate) path: String,
    pub(crate) test: Test,
}

/// For each test before, which one after it is; and those after that are new.
pub(crate) fn pairs(before: &[Known], after: &[Known]) -> (Vec<Option<usize>>, Vec<usize>) {
    let mut pairing = Pairing {
        before,
        after,
        pairs: vec![None; before.len()],
        taken: vec![false; after.len()],
    };
    let scope = |known: &Known| {
        (
            known.file,
            known.test.scope.clone(),
            known.test.name.clone(),
        )
    };
    let in_file = |known: &Known| (known.file, known.test.name.clone());
    let name = |known: &Known| (known.language, known.test.name.clone());
    pairing.pair(scope, |_, _| true);
    pairing.pair(in_file, runs_as_well);
    pairing.pair(name, runs_as_well);
    pairing.pair(|known| (known.language, known.test.body), runs_as_well);
    // What is there, but does not run any more, says so better than what is gone.
    pairing.pair(in_file, |_, _| true);
    pairing.pair(name, |_, _| true);
    let new = pairing.taken.iter().enumerate();
    let new = new
        .filter(|(_, taken)| !**taken)
        .map(|(at, _)| at)
        .collect();
    (pairing.pairs, new)
}

struct Pairing<'a> {
    before: &'a [Known],
    after: &'a [Known],
    pairs: Vec<Option<usize>>,
    taken: Vec<bool>,
}

impl Pairing<'_> {
    /// Pairs what has no pair yet and the same key, those first that are most alike.
    fn pair<K: Ord>(&mut self, key: impl Fn(&Known) -> K, may: impl Fn(&Test, &Test) -> bool) {
        let mut free: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for (at, known) in self.after.iter().enumerate() {
            if self.taken.get(at) == Some(&false) {
                free.entry(key(known)).or_default().push(at);
            }
        }
        for alike in [2, 1, 0] {
            for (was, pair) in self.before.iter().zip(&mut self.pairs) {
                if pair.is_some() {
                    continue;
                }
                let Some(candidates) = free.get_mut(&key(was)) else {
                    continue;
                };
                let fits = |at: &usize| {
                    self.after.get(*at).is_some_and(|is| {
                        likeness(&was.test, &is.test) >= alike && may(&was.test, &is.test)
                    })
                };
                if let Some(found) = candidates.iter().position(fits) {
                    let at = candidates.remove(found);
                    *pair = Some(at);
                    if let Some(taken) = self.taken.get_mut(at) {
                        *taken = true;
                    }
                }
            }
        }
    }
}

fn likeness(was: &Test, is: &Test) -> u8 {
    u8::from(was.body == is.body) + u8::from(runs_as_well(was, is))
}

/// True when nothing keeps it from running that did not before.
fn runs_as_well(was: &Test, is: &Test) -> bool {
    is.off.iter().all(|why| was.off.contains(why))
}
