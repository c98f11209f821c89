//! What of the workspace is looked at: the configuration, checked.
//!
//! Owns roots, ignored targets and documents, and how strict to be.
//!
//! **Invariant:** a pattern that could never match is an error, not an ignored wish.

use fast_glob::{glob_match, validate};
use ringfence_markdown::path::{Joined, is_markdown, join};
use ringfence_markdown::{Break, RootRelative, Settings, Tree};
use ringfence_sdk::prelude::*;
use serde::Deserialize;

/// The `config` table; every key has the default that `plugin.toml` names.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    roots: Vec<String>,
    ignore: Vec<String>,
    anchors: bool,
    root_relative: Slash,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            ignore: Vec::new(),
            anchors: true,
            root_relative: Slash::Workspace,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Slash {
    Workspace,
    Ignore,
}

/// A checked [`Config`].
#[derive(Debug)]
pub(crate) struct Scope {
    roots: Vec<String>,
    ignore: Vec<String>,
    pub(crate) settings: Settings,
}

impl Scope {
    /// # Errors
    /// [`Error::Config`] for a glob that is none and for a root outside of the workspace.
    pub(crate) fn new(config: Config) -> Result<Self> {
        let root_relative = match config.root_relative {
            Slash::Workspace => RootRelative::Workspace,
            Slash::Ignore => RootRelative::Ignore,
        };
        Ok(Self {
            roots: config
                .roots
                .iter()
                .map(|root| parse_root(root))
                .collect::<Result<_>>()?,
            ignore: parse_globs(&config.ignore)?,
            settings: Settings {
                anchors: config.anchors,
                root_relative,
            },
        })
    }

    /// Whether the Markdown file `path` is looked at.
    pub(crate) fn covers(&self, path: &str) -> bool {
        let below = |root: &String| {
            root.is_empty()
                || path
                    .strip_prefix(root.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        is_markdown(path)
            && (self.roots.is_empty() || self.roots.iter().any(below))
            && !self.matches(path)
    }

    /// Whether a broken link is one that people said not to care about.
    pub(crate) fn ignores(&self, broken: &Break) -> bool {
        self.ignores_target(&broken.link.target)
    }

    /// The same of a link's target, as it is written.
    pub(crate) fn ignores_target(&self, target: &str) -> bool {
        self.matches(target)
    }

    fn matches(&self, text: &str) -> bool {
        self.ignore.iter().any(|glob| glob_match(glob, text))
    }

    /// Configured roots that are not in the workspace.
    pub(crate) fn missing_roots<'a>(&'a self, tree: &'a Tree) -> impl Iterator<Item = &'a str> {
        self.roots
            .iter()
            .map(String::as_str)
            .filter(|root| !tree.may_hold(root))
    }
}

fn parse_root(root: &str) -> Result<String> {
    match join("", root) {
        Joined::Inside(path) if !root.starts_with('/') => Ok(path),
        _ => Err(Error::config(format!(
            "`{root}` in `roots` is not a path inside the workspace"
        ))),
    }
}

/// Checks globs. Their matcher is a small one, because a regex engine would double the size of this component.
fn parse_globs(globs: &[String]) -> Result<Vec<String>> {
    for glob in globs {
        let refused = |why: &str| Err(Error::config(format!("`{glob}` in `ignore`: {why}")));
        if glob.starts_with('!') {
            return refused(
                "nothing takes an ignored link back; write the `!` as `\\!` if it is meant",
            );
        }
        if glob.contains("[[:") || glob.contains("[^[:") || glob.contains("[![:") {
            return refused("POSIX classes never match; write the characters out");
        }
        if let Err(error) = validate(glob) {
            return refused(&error.to_string());
        }
    }
    Ok(globs.to_vec())
}
