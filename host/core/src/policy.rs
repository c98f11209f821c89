//! The one judge of paths: what a step may do where.
//!
//! A policy is a list of *layers* (the loop's lists, the step's, the plugin's asks), all of which must allow an access, and a
//! list of *denials*, any one of which refuses it. Deny wins, always: over every layer, for a directory and everything
//! below it, for things that do not exist yet, and for names that some file system takes for the denied one
//! ([`fold_name`]).
//!
//! The judge steps name by name ([`Cursor`]), so that the sandbox can carry its state along with a directory handle and
//! never joins path texts; [`PathPolicy::decide`] is the same walk over a whole path.
//!
//! **Invariant:** adding a denial never allows anything, and adding a layer never does. How links and `..` become a
//! path is the sandbox's business; nothing but this module says yes.

mod builtin;
mod denial;
mod fold;
mod pattern;
mod trie;
mod wilds;
mod witness;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::builtin::builtin_denials;
pub use self::denial::{Access, Denial, DenySource, Rule};
pub use self::fold::fold_name;
use self::pattern::Pattern;
pub use self::pattern::{PatternError, PatternProblem, check_pattern};
use self::trie::{Beyond, Trie};
pub use self::witness::witness;
use crate::relpath::RelPath;

/// A policy as data: what `check` prints and the journal digests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PolicySpec {
    /// All of these must allow an access; without any, nothing is allowed.
    pub layers: Vec<Layer>,
    /// Any of these refuses it.
    pub deny: Vec<DenyPattern>,
}

/// One side's allow lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Whose: `loop`, `step`, `plugin` or `mount`; denials name it.
    pub name: String,
    /// Globs of what may be read.
    pub read: Vec<String>,
    /// Globs of what may be written; writing does not include reading.
    pub write: Vec<String>,
}

/// One deny glob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenyPattern {
    /// The glob.
    pub pattern: String,
    /// Who wrote it.
    pub source: DenySource,
}

/// The answer to «may it?».
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Allowed,
    /// No, and by which rule.
    Denied {
        /// The rule.
        rule: Rule,
    },
}

impl Decision {
    /// True for [`Decision::Allowed`].
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed)
    }
}

// Places in what a cursor keeps: the denials by exact names, those by folded ones, then two for each layer.
const EXACT: usize = 0;
const FOLDED: usize = 1;
const LAYERS: usize = 2;

/// A compiled policy. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PathPolicy(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    layers: Vec<CompiledLayer>,
    deny: Vec<DenyPattern>,
    // Folding may widen a denial (`.GIT`) and may narrow one (`[!a]` against `A`): names are matched both ways.
    deny_exact: Trie,
    deny_folded: Trie,
}

#[derive(Debug)]
struct CompiledLayer {
    name: String,
    read: Trie,
    write: Trie,
}

impl Compiled {
    /// Every trie, in the order in which a [`Cursor`] keeps their live nodes.
    fn tries(&self) -> impl Iterator<Item = &Trie> {
        let layers = self.layers.iter();
        [&self.deny_exact, &self.deny_folded]
            .into_iter()
            .chain(layers.flat_map(|layer| [&layer.read, &layer.write]))
    }
}

impl PathPolicy {
    /// True when `other` is a clone of this policy; one compiled anew from the same text is another.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Compiles `spec`.
    ///
    /// # Errors
    /// Every pattern that [`check_pattern`] refuses, and one of those that are too much together.
    pub fn new(spec: &PolicySpec) -> Result<Self, Vec<PatternError>> {
        let mut errors = Vec::new();
        let mut compile = |texts: &mut dyn Iterator<Item = &String>, folded: bool, beyond| {
            let mut patterns = Vec::new();
            for text in texts {
                match Pattern::parse(text).and_then(|p| if folded { p.folded() } else { Ok(p) }) {
                    Ok(pattern) => patterns.push(pattern),
                    Err(error) => errors.push(error),
                }
            }
            Trie::new(&patterns, beyond).unwrap_or_else(|error| {
                errors.push(error);
                Trie::default()
            })
        };
        let layers = spec
            .layers
            .iter()
            .map(|layer| CompiledLayer {
                name: layer.name.clone(),
                read: compile(&mut layer.read.iter(), false, Beyond::Narrow),
                write: compile(&mut layer.write.iter(), false, Beyond::Narrow),
            })
            .collect();
        let mut denials = |folded| {
            let mut texts = spec.deny.iter().map(|deny| &deny.pattern);
            compile(&mut texts, folded, Beyond::Widen)
        };
        let (deny_exact, deny_folded) = (denials(false), denials(true));
        if errors.is_empty() {
            Ok(Self(Arc::new(Compiled {
                layers,
                deny: spec.deny.clone(),
                deny_exact,
                deny_folded,
            })))
        } else {
            errors.dedup();
            Err(errors)
        }
    }

    /// Says whether [`PathPolicy::new`] takes `spec`, at a small part of its price.
    ///
    /// # Errors
    /// As [`PathPolicy::new`], though not always in its order, and without what only compiling finds: globs that are too
    /// much together.
    pub fn check(spec: &PolicySpec) -> Result<(), Vec<PatternError>> {
        let layers = spec.layers.iter();
        let allow = layers.flat_map(|layer| layer.read.iter().chain(&layer.write));
        let allow = allow.filter_map(|text| Pattern::parse(text).err());
        let deny = spec.deny.iter();
        let deny = deny.filter_map(|deny| check_pattern(&deny.pattern).err());
        let mut errors: Vec<_> = allow.chain(deny).collect();
        errors.dedup();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// Judges `access` at `path`.
    #[must_use]
    pub fn decide(&self, path: &RelPath, access: Access) -> Decision {
        path.names()
            .fold(self.cursor(), |cursor, name| cursor.step(name))
            .decide(access)
    }

    /// The judge standing at the root.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self, |_, trie, live| trie.start(live))
    }
}

/// The judge standing at one path. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cursor {
    policy: PathPolicy,
    /// The live nodes of every trie, one trie after the other; where each one's end stands before them all.
    live: Arc<[u32]>,
    // Index of the deny pattern that matched here or above. What else could match is then of no interest any more.
    denied_by: Option<usize>,
}

impl Cursor {
    /// Lets `enter` add the live nodes of each trie, which it is given with its place.
    fn new(policy: &PathPolicy, enter: impl Fn(usize, &Trie, &mut Vec<u32>)) -> Self {
        let compiled = &policy.0;
        let mut live = vec![0; LAYERS + 2 * compiled.layers.len()];
        live.reserve(2 * live.len());
        for (at, trie) in compiled.tries().enumerate() {
            enter(at, trie, &mut live);
            let end = u32::try_from(live.len()).unwrap_or(u32::MAX);
            if let Some(slot) = live.get_mut(at) {
                *slot = end;
            }
        }
        let mut cursor = Self {
            policy: policy.clone(),
            live: live.into(),
            denied_by: None,
        };
        let by = |at, trie: &Trie| trie.accepted(cursor.live(at)?);
        cursor.denied_by =
            by(EXACT, &compiled.deny_exact).or_else(|| by(FOLDED, &compiled.deny_folded));
        cursor
    }

    /// The judge one name further down. `name` is a single name, neither `.` nor `..`.
    #[must_use]
    pub fn step(&self, name: &str) -> Self {
        if self.denied_by.is_some() {
            return self.clone();
        }
        let folded = fold_name(name);
        Self::new(&self.policy, |at, trie, next| {
            let name = if at == FOLDED { &folded } else { name };
            trie.step(self.live(at).unwrap_or_default(), name, next);
        })
    }

    /// True when [`decide`](Self::decide) says so.
    #[must_use]
    pub fn allows(&self, access: Access) -> bool {
        self.denied_by.is_none()
            && !self.policy.0.layers.is_empty()
            && self.refusing(access).is_none()
    }

    /// Judges `access` at this path.
    #[must_use]
    pub fn decide(&self, access: Access) -> Decision {
        let policy = &self.policy.0;
        if let Some(deny) = self.denied_by.and_then(|index| policy.deny.get(index)) {
            let rule = Rule::Deny {
                pattern: deny.pattern.clone(),
                source: deny.source,
            };
            return Decision::Denied { rule };
        }
        match self.refusing(access) {
            Some(layer) => not_allowed(&layer.name),
            None if policy.layers.is_empty() => not_allowed("loop"),
            None => Decision::Allowed,
        }
    }

    /// The first layer that does not allow `access`.
    fn refusing(&self, access: Access) -> Option<&CompiledLayer> {
        let mut layers = self.policy.0.layers.iter().enumerate();
        let refuses = |(at, layer): &(usize, &CompiledLayer)| {
            let at = LAYERS + 2 * at;
            let lists = self.live(at).zip(self.live(at + 1));
            lists.is_none_or(|(read, write)| !layer.allows(read, write, access))
        };
        layers.find(refuses).map(|(_, layer)| layer)
    }

    /// The live nodes of the trie at place `at`.
    fn live(&self, at: usize) -> Option<&[u32]> {
        let end = *self.live.get(at)? as usize;
        let start = match at.checked_sub(1) {
            Some(before) => *self.live.get(before)? as usize,
            None => LAYERS + 2 * self.policy.0.layers.len(),
        };
        self.live.get(start..end)
    }
}

fn not_allowed(layer: &str) -> Decision {
    Decision::Denied {
        rule: Rule::NotAllowed {
            layer: layer.to_owned(),
        },
    }
}

impl CompiledLayer {
    fn allows(&self, read: &[u32], write: &[u32], access: Access) -> bool {
        let readable = || self.read.accepted(read).is_some();
        let writable = || self.write.accepted(write).is_some();
        match access {
            // A directory on the way to something allowed is passed through and looked at.
            Access::Traverse => !read.is_empty() || !write.is_empty(),
            Access::Stat => readable() || writable(),
            Access::Read => readable(),
            Access::Write => writable(),
        }
    }
}

#[cfg(test)]
mod tests;
