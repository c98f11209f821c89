//! How a loop file names a plugin.
//!
//! **Invariant:** a reference stays inside the workspace or inside this binary; what it names is pinned by digest in the
//! lock file.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::diagnostic::quote;
use crate::ids::StepId;
use crate::relpath::{PathError, RelPath};

/// Which plugin: `std:NAME`, or `./PATH.wasm` from the workspace root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PluginRef {
    /// A standard plugin, shipped inside this program; its name.
    Std(String),
    /// A component in the workspace.
    File(RelPath),
}

/// A text that names no plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginRefError {
    /// A registry, which a later version will read.
    #[error("plugins from a registry ({}) are not supported by this version: put the component into the repository as \"./name.wasm\"", quote(.0))]
    Registry(String),
    /// `std:` and something that is no name.
    #[error("{} is not \"std:\" and a name of lower-case letters, digits and dashes", quote(.0))]
    StdName(String),
    /// `./` and something that is no path inside the workspace.
    #[error("{} is {error}", quote(.text))]
    Path {
        /// As it was written.
        text: String,
        /// What is wrong with it.
        error: PathError,
    },
    /// Anything else.
    #[error("{} names no plugin: write \"std:name\", or \"./path.wasm\" from the root of the workspace", quote(.0))]
    Unknown(String),
}

impl PluginRef {
    /// The plugin's name without scheme, folders and ending, as a step id; none when it has not the shape of one.
    #[must_use]
    pub fn default_id(&self) -> Option<StepId> {
        let bare = match self {
            Self::Std(name) => name.as_str(),
            Self::File(path) => path.file_name()?.strip_suffix(".wasm")?,
        };
        // Cargo writes `my_gate.wasm` for a crate called `my-gate`.
        StepId::new(&bare.replace('_', "-")).ok()
    }
}

impl FromStr for PluginRef {
    type Err = PluginRefError;

    fn from_str(text: &str) -> Result<Self, PluginRefError> {
        if let Some(name) = text.strip_prefix("std:") {
            return match StepId::new(name) {
                Ok(name) => Ok(Self::Std(name.into())),
                Err(_) => Err(PluginRefError::StdName(text.to_owned())),
            };
        }
        if text.starts_with("oci:") {
            return Err(PluginRefError::Registry(text.to_owned()));
        }
        if !text.starts_with("./") || !text.ends_with(".wasm") || text.chars().any(char::is_control)
        {
            return Err(PluginRefError::Unknown(text.to_owned()));
        }
        match RelPath::lexical(text) {
            Ok(path) => Ok(Self::File(path)),
            Err(error) => Err(PluginRefError::Path {
                text: text.to_owned(),
                error,
            }),
        }
    }
}

impl fmt::Display for PluginRef {
    /// One spelling for each plugin: the key of the lock file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Std(name) => write!(f, "std:{name}"),
            Self::File(path) => write!(f, "./{path}"),
        }
    }
}

impl Serialize for PluginRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<(&str, Option<&str>), &str>) {
        let found = text.parse::<PluginRef>();
        match (&found, expect) {
            (Ok(found), Ok((spelled, id))) => {
                assert_eq!(found.to_string(), spelled);
                assert_eq!(found.default_id().as_ref().map(StepId::as_str), id);
                assert_eq!(spelled.parse().as_ref(), Ok(found));
            }
            (Err(found), Err(expect)) => assert!(found.to_string().contains(expect), "{found}"),
            _ => panic!("{text}: {found:?}, not {expect:?}"),
        }
    }

    #[test]
    fn references() {
        check("std:md-links", Ok(("std:md-links", Some("md-links"))));
        check(
            "./gates/my_gate.wasm",
            Ok(("./gates/my_gate.wasm", Some("my-gate"))),
        );
        check("./gates/../x.wasm", Ok(("./x.wasm", Some("x"))));
        check("./A.wasm", Ok(("./A.wasm", None)));
        check("./.wasm", Ok(("./.wasm", None)));
        check("std:", Err("lower-case letters"));
        check("std:../x", Err("lower-case letters"));
        check("oci://ghcr.io/x", Err("not supported by this version"));
        check("../x.wasm", Err("names no plugin"));
        check("./../x.wasm", Err("leaves the workspace"));
        check("./a\\b.wasm", Err("backslash"));
        check("./a\nb.wasm", Err("names no plugin"));
        check("/etc/x.wasm", Err("names no plugin"));
        check("./x.wat", Err("names no plugin"));
        check("https://x/y.wasm", Err("names no plugin"));
        check("", Err("names no plugin"));
    }
}
