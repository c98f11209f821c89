//! The wildcard segments that lead on from one place, so kept that a name is held against few of them.
//!
//! A name must begin as a glob does before its first wildcard (its *head*) and end as it does behind its last (its *tail*).
//! Globs with one head or one tail share a bucket, which is found by hash: one look-up for most names, which are unlike all
//! globs, and for the others one for each length that occurs. Every glob is in one bucket only, that of its head or its
//! tail, whichever has fewer globs.
//!
//! Most globs are a head, one `*` and a tail, and need no regular expression. The others of a bucket are one `GlobSet`.
//!
//! **Invariant:** what matches is what each glob would match alone. Buckets leave out only what cannot match.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::iter;

use globset::{Candidate, Glob, GlobSet};

use super::pattern::{PatternError, PatternProblem};

/// Globs, each with the node that it leads to.
#[derive(Debug, Default)]
pub(super) struct Wilds {
    by_head: Buckets,
    by_tail: Buckets,
}

/// Buckets by heads, or by tails: their keys.
#[derive(Debug, Default)]
struct Buckets {
    /// Of the keys, the shortest first.
    lengths: BTreeSet<usize>,
    /// The keys, cut to the shortest length: a name that has none of these has no key.
    stubs: HashSet<Box<[u8]>>,
    by_key: HashMap<Box<[u8]>, Bucket>,
}

/// Where in a name keys are looked for.
#[derive(Debug, Clone, Copy)]
enum End {
    Head,
    Tail,
}

#[derive(Debug, Default)]
struct Bucket {
    simple: Vec<Simple>,
    others: GlobSet,
    other_targets: Vec<u32>,
}

/// A glob that is a head, one `*` and a tail.
#[derive(Debug)]
struct Simple {
    head: Box<str>,
    tail: Box<str>,
    target: u32,
}

impl Wilds {
    /// # Errors
    /// [`PatternProblem::TooMuch`] where what the globs of a bucket compile to is larger than globset allows.
    pub(super) fn new(globs: &[(Glob, u32)]) -> Result<Self, PatternError> {
        let (mut heads, mut tails) = (HashMap::new(), HashMap::new());
        for (glob, _) in globs {
            let (head, tail) = ends(glob);
            *heads.entry(head).or_insert(0_usize) += 1;
            *tails.entry(tail).or_insert(0_usize) += 1;
        }
        let (mut by_head, mut by_tail) = (HashMap::new(), HashMap::new());
        for entry in globs {
            let (head, tail) = ends(&entry.0);
            let (buckets, key) = if heads.get(head) <= tails.get(tail) {
                (&mut by_head, head)
            } else {
                (&mut by_tail, tail)
            };
            buckets.entry(key).or_insert_with(Vec::new).push(entry);
        }
        Ok(Self {
            by_head: Buckets::new(End::Head, by_head)?,
            by_tail: Buckets::new(End::Tail, by_tail)?,
        })
    }

    /// Calls `found` with the node of every glob that matches `name`, in no order.
    pub(super) fn matching(&self, name: &str, found: &mut impl FnMut(u32)) {
        self.by_head.matching(End::Head, name, found);
        self.by_tail.matching(End::Tail, name, found);
    }
}

impl Buckets {
    fn new(end: End, globs: HashMap<&str, Vec<&(Glob, u32)>>) -> Result<Self, PatternError> {
        let lengths: BTreeSet<_> = globs.keys().map(|key| key.len()).collect();
        let shortest = lengths.first().copied().unwrap_or(0);
        let stubs = globs.keys().filter_map(|key| end.cut(key, shortest));
        Ok(Self {
            stubs: stubs.map(Box::from).collect(),
            lengths,
            by_key: globs
                .into_iter()
                .map(|(key, globs)| Ok((key.as_bytes().into(), Bucket::new(&globs)?)))
                .collect::<Result<_, _>>()?,
        })
    }

    fn matching(&self, end: End, name: &str, found: &mut impl FnMut(u32)) {
        let mut keys = self.lengths.iter().map_while(|at| end.cut(name, *at));
        let Some(stub) = keys.next().filter(|stub| self.stubs.contains(*stub)) else {
            return;
        };
        iter::once(stub)
            .chain(keys)
            .filter_map(|key| self.by_key.get(key))
            .for_each(|bucket| bucket.matching(name, found));
    }
}

impl End {
    /// The outermost `length` bytes of `text`, if it has as many.
    fn cut(self, text: &str, length: usize) -> Option<&[u8]> {
        let text = text.as_bytes();
        match self {
            Self::Head => text.get(..length),
            Self::Tail => text.get(text.len().checked_sub(length)?..),
        }
    }
}

impl Bucket {
    fn new(globs: &[&(Glob, u32)]) -> Result<Self, PatternError> {
        let mut bucket = Self::default();
        let mut others = Vec::new();
        for (glob, target) in globs {
            if let Some(simple) = Simple::new(glob, *target) {
                bucket.simple.push(simple);
            } else {
                others.push(glob);
                bucket.other_targets.push(*target);
            }
        }
        bucket.others = GlobSet::new(&others).map_err(|error| PatternError {
            pattern: others.first().map_or("", |glob| glob.glob()).to_owned(),
            why: PatternProblem::TooMuch(error.kind().to_string()),
        })?;
        Ok(bucket)
    }

    fn matching(&self, name: &str, found: &mut impl FnMut(u32)) {
        let simple = self.simple.iter().filter(|simple| simple.matches(name));
        simple.for_each(|simple| found(simple.target));
        if self.others.is_empty() {
            return;
        }
        let name = Candidate::new(name);
        // Most match none. To say so takes one pass; to say which ones do, something for every glob there is.
        if self.others.is_match_candidate(&name) {
            let hits = self.others.matches_candidate(&name);
            let targets = hits.iter().filter_map(|hit| self.other_targets.get(*hit));
            targets.for_each(|target| found(*target));
        }
    }
}

impl Simple {
    fn new(glob: &Glob, target: u32) -> Option<Self> {
        let (head, tail) = ends(glob);
        let rest = glob.glob().strip_prefix(head)?;
        (rest.strip_suffix(tail)? == "*").then(|| Self {
            head: head.into(),
            tail: tail.into(),
            target,
        })
    }

    fn matches(&self, name: &str) -> bool {
        let rest = name.strip_prefix(&*self.head);
        rest.is_some_and(|rest| rest.ends_with(&*self.tail))
    }
}

/// The texts that every name begins and ends with that matches `glob`. They may overlap where it has no wildcard.
fn ends(glob: &Glob) -> (&str, &str) {
    let text = glob.glob();
    let head = text.split(['*', '?', '[', '{']).next();
    let tail = text.rsplit(['*', '?', ']', '}']).next();
    (head.unwrap_or_default(), tail.unwrap_or_default())
}

#[cfg(test)]
mod tests;
