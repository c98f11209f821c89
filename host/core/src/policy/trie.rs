//! Many globs as one automaton that is stepped one name at a time.
//!
//! Patterns that begin alike share nodes; a node finds the next one by a hash look-up for literal names and among few
//! candidates for wildcards ([`wilds`](super::wilds)), so that a thousand patterns cost little more than ten.
//!
//! A glob matches bytes, and a letter beyond ASCII has several. So that `?` and `[!a]` stand for one letter, names that
//! have such letters are matched a second time with one byte in the place of each.

use std::collections::{BTreeMap, HashMap};

use globset::Glob;

use super::pattern::{Pattern, PatternError, Segment, wild};
use super::wilds::Wilds;

#[derive(Debug, Default)]
pub(super) struct Trie {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<String, u32>,
    wild: Wilds,
    /// Those of `wild` in which the length of a letter matters, for names written by [`one_byte_each`].
    short: Wilds,
    /// The node of a following `**`, live together with this one because `**` may stand for nothing.
    any_depth: Option<u32>,
    /// This node is a `**`: it stays live whatever the next name is.
    stays: bool,
    /// The pattern that ends here; the first where several do.
    accepts: Option<usize>,
}

/// What a node is built from; wildcards by their text, so that equal ones share a node.
#[derive(Default)]
struct Draft {
    node: Node,
    wild: BTreeMap<String, (Glob, u32)>,
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
    /// # Errors
    /// Those of [`Wilds::new`].
    pub(super) fn new(patterns: &[Pattern], beyond: Beyond) -> Result<Self, PatternError> {
        let mut drafts = vec![Draft::default()];
        for (index, pattern) in patterns.iter().enumerate() {
            let end = pattern
                .segments
                .iter()
                .fold(0, |at, segment| follow(&mut drafts, at, segment));
            if let Some(draft) = drafts.get_mut(end as usize) {
                draft.node.accepts.get_or_insert(index);
            }
        }
        let nodes = drafts.into_iter().map(|draft| draft.finish(beyond));
        Ok(Self {
            nodes: nodes.collect::<Result<_, _>>()?,
        })
    }

    /// Adds the nodes that are live at the root: sorted, each once.
    pub(super) fn start(&self, live: &mut Vec<u32>) {
        let before = live.len();
        self.enter(0, live);
        tidy(live, before);
    }

    /// Adds the nodes that are live one name further than `live`: sorted, each once. None: nothing can match any more.
    pub(super) fn step(&self, live: &[u32], name: &str, next: &mut Vec<u32>) {
        let before = next.len();
        let short = (!name.is_ascii()).then(|| one_byte_each(name));
        for (at, node) in live.iter().filter_map(|at| Some((*at, self.node(*at)?))) {
            if node.stays {
                self.enter(at, next);
            }
            if let Some(target) = node.literals.get(name) {
                self.enter(*target, next);
            }
            let mut found = |target| self.enter(target, next);
            node.wild.matching(name, &mut found);
            if let Some(name) = &short {
                node.short.matching(name, &mut found);
            }
        }
        tidy(next, before);
    }

    /// The pattern that matches here, the first in the list where several do.
    pub(super) fn accepted(&self, live: &[u32]) -> Option<usize> {
        live.iter().filter_map(|at| self.node(*at)?.accepts).min()
    }

    fn node(&self, at: u32) -> Option<&Node> {
        self.nodes.get(at as usize)
    }

    fn enter(&self, at: u32, live: &mut Vec<u32>) {
        let mut next = Some(at);
        while let Some(at) = next {
            live.push(at);
            next = self.node(at).and_then(|node| node.any_depth);
        }
    }
}

impl Draft {
    fn finish(self, beyond: Beyond) -> Result<Node, PatternError> {
        let globs: Vec<_> = self.wild.into_values().collect();
        let mut short = Vec::new();
        for (glob, target) in &globs {
            let text = glob.glob();
            let fits = text.is_ascii() || beyond == Beyond::Widen;
            if fits && text.contains(['?', '[']) {
                let glob = wild(&one_byte_each(text)).map_err(|why| PatternError {
                    pattern: text.to_owned(),
                    why,
                })?;
                short.push((glob, *target));
            }
        }
        Ok(Node {
            wild: Wilds::new(&globs)?,
            short: Wilds::new(&short)?,
            ..self.node
        })
    }
}

/// `text` with a byte that no name and no pattern has in the place of every letter beyond ASCII.
fn one_byte_each(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii() { c } else { '\0' })
        .collect()
}

/// The node behind `segment` from node `at`, made where there is none yet.
fn follow(drafts: &mut Vec<Draft>, at: u32, segment: &Segment) -> u32 {
    let Ok(fresh) = u32::try_from(drafts.len()) else {
        unreachable!("four thousand million nodes fit into no memory")
    };
    let Some(draft) = drafts.get_mut(at as usize) else {
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

/// Sorts what stands in `live` from `before` on, and keeps each once.
fn tidy(live: &mut Vec<u32>, before: usize) {
    let Some(added) = live.get_mut(before..).filter(|added| added.len() > 1) else {
        return;
    };
    added.sort_unstable();
    let (mut at, mut last) = (0, None);
    live.retain(|node| {
        let keep = at < before || last.replace(*node) != Some(*node);
        at += 1;
        keep
    });
}
