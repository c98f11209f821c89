//! Many globs as one automaton that is stepped one name at a time.
//!
//! Patterns that begin alike share nodes; a node finds the next one by a hash look-up for literal names and by one
//! `GlobSet` match for wildcards, so that a thousand patterns cost little more than ten.
//!
//! A `GlobSet` matches bytes, and a letter beyond ASCII has several. So that `?` and `[!a]` stand for one letter, names that
//! have such letters are matched a second time with one byte in the place of each.

use std::collections::{BTreeMap, HashMap};

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::pattern::{Pattern, Segment, wild};

/// The nodes that are live after some names: sorted, each once. Empty: nothing can match any more.
pub(super) type States = Vec<usize>;

#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<String, usize>,
    wild: GlobSet,
    wild_targets: Vec<usize>,
    /// Those of `wild` in which the length of a letter matters, for names written by [`one_byte_each`].
    short: GlobSet,
    short_targets: Vec<usize>,
    /// The node of a following `**`, live together with this one because `**` may stand for nothing.
    any_depth: Option<usize>,
    /// This node is a `**`: it stays live whatever the next name is.
    stays: bool,
    /// The pattern that ends here; the first where several do.
    accepts: Option<usize>,
}

/// What a node is built from; wildcards by their text, so that equal ones share a node.
#[derive(Default)]
struct Draft {
    node: Node,
    wild: BTreeMap<String, (Glob, usize)>,
}

/// What a glob that names letters beyond ASCII may match where their length matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    /// Too much: one such letter counts for any other. For denials.
    Widen,
    /// Too little. For what allows.
    Narrow,
}

impl Trie {
    pub(super) fn new(patterns: &[Pattern], beyond: Beyond) -> Self {
        let mut drafts = vec![Draft::default()];
        for (index, pattern) in patterns.iter().enumerate() {
            let end = pattern
                .segments
                .iter()
                .fold(0, |at, segment| follow(&mut drafts, at, segment));
            if let Some(draft) = drafts.get_mut(end) {
                draft.node.accepts.get_or_insert(index);
            }
        }
        Self {
            nodes: drafts
                .into_iter()
                .map(|draft| draft.finish(beyond))
                .collect(),
        }
    }

    /// The states at the root.
    pub(super) fn start(&self) -> States {
        let mut states = Vec::new();
        self.enter(0, &mut states);
        tidy(states)
    }

    /// The states one name further.
    pub(super) fn step(&self, states: &[usize], name: &str) -> States {
        let mut next = Vec::new();
        let short = (!name.is_ascii()).then(|| one_byte_each(name));
        for (at, node) in states
            .iter()
            .filter_map(|at| Some((*at, self.nodes.get(*at)?)))
        {
            if node.stays {
                self.enter(at, &mut next);
            }
            if let Some(target) = node.literals.get(name) {
                self.enter(*target, &mut next);
            }
            for hit in node.wild.matches(name) {
                if let Some(target) = node.wild_targets.get(hit) {
                    self.enter(*target, &mut next);
                }
            }
            for hit in short.iter().flat_map(|name| node.short.matches(name)) {
                if let Some(target) = node.short_targets.get(hit) {
                    self.enter(*target, &mut next);
                }
            }
        }
        tidy(next)
    }

    /// The pattern that matches here, the first in the list where several do.
    pub(super) fn accepted(&self, states: &[usize]) -> Option<usize> {
        states
            .iter()
            .filter_map(|at| self.nodes.get(*at)?.accepts)
            .min()
    }

    fn enter(&self, at: usize, states: &mut States) {
        let mut next = Some(at);
        while let Some(at) = next {
            states.push(at);
            next = self.nodes.get(at).and_then(|node| node.any_depth);
        }
    }
}

impl Draft {
    fn finish(self, beyond: Beyond) -> Node {
        let (mut globs, mut short) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        let (mut wild_targets, mut short_targets) = (Vec::new(), Vec::new());
        for (glob, target) in self.wild.into_values() {
            let text = glob.glob();
            let fits = text.is_ascii() || beyond == Beyond::Widen;
            if fits && text.contains(['?', '[']) {
                let Ok(glob) = wild(&one_byte_each(text)) else {
                    unreachable!("letters in the place of letters do not break a glob")
                };
                short.add(glob);
                short_targets.push(target);
            }
            globs.add(glob);
            wild_targets.push(target);
        }
        let (Ok(wild), Ok(short)) = (globs.build(), short.build()) else {
            unreachable!("each glob was built on its own before")
        };
        Node {
            wild,
            wild_targets,
            short,
            short_targets,
            ..self.node
        }
    }
}

/// `text` with a byte that no name and no pattern has in the place of every letter beyond ASCII.
fn one_byte_each(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii() { c } else { '\0' })
        .collect()
}

/// The node behind `segment` from node `at`, made where there is none yet.
fn follow(drafts: &mut Vec<Draft>, at: usize, segment: &Segment) -> usize {
    let fresh = drafts.len();
    let Some(draft) = drafts.get_mut(at) else {
        unreachable!("nodes are only ever added")
    };
    let target = match segment {
        Segment::Literal(name) => *draft.node.literals.entry(name.clone()).or_insert(fresh),
        Segment::Wild(glob) => {
            draft
                .wild
                .entry(glob.glob().to_owned())
                .or_insert_with(|| (glob.clone(), fresh))
                .1
        }
        // `**/**` is `**`.
        Segment::AnyDepth if draft.node.stays => at,
        Segment::AnyDepth => *draft.node.any_depth.get_or_insert(fresh),
    };
    if target == fresh {
        let mut draft = Draft::default();
        draft.node.stays = matches!(segment, Segment::AnyDepth);
        drafts.push(draft);
    }
    target
}

fn tidy(mut states: States) -> States {
    states.sort_unstable();
    states.dedup();
    states
}
