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

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::builtin::builtin_denials;
pub use self::denial::{Access, Denial, DenySource, Rule};
pub use self::fold::fold_name;
use self::pattern::Pattern;
pub use self::pattern::{PatternError, PatternProblem, check_pattern};
use self::trie::{Beyond, States, Trie};
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

impl PathPolicy {
    /// True when `other` is a clone of this policy; one compiled anew from the same text is another.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Compiles `spec`.
    ///
    /// # Errors
    /// Every pattern that [`check_pattern`] refuses.
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
            Trie::new(&patterns, beyond)
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
        let policy = &self.0;
        let mut cursor = Cursor {
            policy: self.clone(),
            exact: policy.deny_exact.start(),
            folded: policy.deny_folded.start(),
            layers: policy
                .layers
                .iter()
                .map(|layer| (layer.read.start(), layer.write.start()))
                .collect(),
            denied_by: None,
        };
        cursor.notice_denial();
        cursor
    }
}

/// The judge standing at one path.
#[derive(Debug, Clone)]
pub struct Cursor {
    policy: PathPolicy,
    exact: States,
    folded: States,
    layers: Vec<(States, States)>,
    // Index of the deny pattern that matched here or above.
    denied_by: Option<usize>,
}

impl Cursor {
    /// The judge one name further down. `name` is a single name, neither `.` nor `..`.
    #[must_use]
    pub fn step(&self, name: &str) -> Self {
        let policy = &self.policy.0;
        let mut next = Self {
            policy: self.policy.clone(),
            exact: policy.deny_exact.step(&self.exact, name),
            folded: policy.deny_folded.step(&self.folded, &fold_name(name)),
            layers: policy
                .layers
                .iter()
                .zip(&self.layers)
                .map(|(layer, (read, write))| {
                    (layer.read.step(read, name), layer.write.step(write, name))
                })
                .collect(),
            denied_by: self.denied_by,
        };
        next.notice_denial();
        next
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
        let refusing = policy
            .layers
            .iter()
            .zip(&self.layers)
            .find(|(layer, states)| !layer.allows(states, access));
        match refusing {
            Some((layer, _)) => not_allowed(&layer.name),
            None if policy.layers.is_empty() => not_allowed("loop"),
            None => Decision::Allowed,
        }
    }

    fn notice_denial(&mut self) {
        let policy = &self.policy.0;
        self.denied_by = self
            .denied_by
            .or_else(|| policy.deny_exact.accepted(&self.exact))
            .or_else(|| policy.deny_folded.accepted(&self.folded));
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
    fn allows(&self, (read, write): &(States, States), access: Access) -> bool {
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
