//! What was asked, what was refused, and by which rule.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::relpath::PathError;

/// What a step wants to do at a path.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Pass through a directory, or look at one that leads to something allowed.
    Traverse,
    /// See that something is there, its type, size and times.
    Stat,
    /// Read bytes, a listing or a link's target.
    Read,
    /// Create, change, rename, link or remove.
    Write,
}

impl Access {
    /// Every access, for tables.
    pub const ALL: [Self; 4] = [Self::Traverse, Self::Stat, Self::Read, Self::Write];
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Traverse => "traverse",
            Self::Stat => "stat",
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// Who wrote a deny pattern.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DenySource {
    /// Part of every loop, and not to be lifted.
    BuiltIn,
    /// A file that the loop itself goes by: its loop file in another place than the usual ones, its calendar. Not to be lifted.
    Own,
    /// Part of every loop, unless the loop file lifts it by name.
    Default,
    /// Written by the operator.
    Operator,
}

/// The rule that refused an access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum Rule {
    /// A deny pattern matches the path or a directory above it.
    Deny {
        /// As it was written.
        pattern: String,
        /// Who wrote it.
        source: DenySource,
    },
    /// No pattern of this layer allows it.
    NotAllowed {
        /// Whose list lacks it: `loop`, `step`, `plugin` or `mount`.
        layer: String,
    },
    /// The text is no path inside the workspace.
    Shape {
        /// Why not.
        error: PathError,
    },
    /// Only files, directories and links are opened.
    Special {
        /// `fifo`, `socket`, `device`, or `mount point`.
        kind: String,
    },
    /// The file has other names, one of which is refused or unknown.
    HardLink {
        /// The other name, or empty when it lies outside the workspace.
        other: String,
    },
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deny {
                pattern,
                source: DenySource::Operator,
            } => write!(f, "deny = {pattern:?}"),
            Self::Deny {
                pattern,
                source: DenySource::Default,
            } => write!(f, "denied by default: {pattern:?}"),
            Self::Deny {
                pattern,
                source: DenySource::BuiltIn,
            } => write!(f, "always denied: {pattern:?}"),
            Self::Deny {
                pattern,
                source: DenySource::Own,
            } => write!(f, "the loop goes by it: {pattern:?}"),
            Self::NotAllowed { layer } if layer == "plugin" => {
                f.write_str("the plugin does not ask for it: `[asks]` in its `plugin.toml`")
            }
            Self::NotAllowed { layer } => write!(f, "not in the {layer}'s list"),
            Self::Shape { error } => write!(f, "{error}"),
            Self::Special { kind } => write!(f, "a {kind}, not a file or directory"),
            Self::HardLink { other } if other.is_empty() => {
                f.write_str("a file with another name outside the workspace")
            }
            Self::HardLink { other } => write!(f, "a file whose other name {other:?} is refused"),
        }
    }
}

/// One refused access. Not an error of the host: the component sees `not-permitted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Denial {
    /// The path as far as it was resolved, or as given where it has no such shape: escape before showing.
    pub path: String,
    /// What was wanted.
    pub access: Access,
    /// Which rule refused it.
    #[serde(flatten)]
    pub rule: Rule,
    /// How often.
    pub count: u64,
}

impl Denial {
    /// The line to paste into the loop file to allow this; none where the operator should not or cannot.
    #[must_use]
    pub fn grant_line(&self) -> Option<String> {
        let quoted = toml_string(&self.path);
        match (&self.rule, self.access) {
            // What the plugin asks and what its role allows is not the operator's to widen.
            (Rule::NotAllowed { layer }, _) if matches!(layer.as_str(), "plugin" | "role") => None,
            (Rule::NotAllowed { .. }, Access::Write) => Some(format!("write = [{quoted}]")),
            (Rule::NotAllowed { .. }, _) => Some(format!("read = [{quoted}]")),
            (
                Rule::Deny {
                    pattern,
                    source: DenySource::Default,
                },
                _,
            ) => Some(format!("lift = [{}]", toml_string(pattern))),
            _ => None,
        }
    }
}

fn toml_string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
