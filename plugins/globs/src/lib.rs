//! Path globs, anchored at the workspace root.
//!
//! Owns how a pattern of the configuration becomes one that matches, and which patterns are refused.
//!
//! The matcher is a small one: a regex engine would make each component several times as large.
//!
//! **Invariant:** a set of patterns that was parsed can say which of them matched.

mod denied;
mod fold;
mod short;

use fast_glob::{glob_match, validate};
use ringfence_sdk::prelude::*;

pub use crate::denied::Denied;

/// Whether upper and lower case differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `A` is not `a`: for what is allowed.
    Exact,
    /// `A` is `a`: for kinds of files. What may not be is told by [`Denied`].
    Any,
}

/// Some globs, in the order they were written.
#[derive(Debug)]
pub struct Globs {
    written: Vec<String>,
    folded: Vec<String>,
    case: Case,
}

impl Globs {
    /// Parses the globs under `key` of the configuration.
    ///
    /// # Errors
    /// [`Error::Config`] for a pattern that is none, or that no path can match.
    pub fn parse(key: &str, written: &[String], case: Case) -> Result<Self> {
        check(key, written)?;
        Ok(Self {
            written: written.to_vec(),
            folded: written.iter().map(|glob| case.fold(glob)).collect(),
            case,
        })
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// True when one covers `path`.
    #[must_use]
    pub fn cover(&self, path: &str) -> bool {
        self.matching(path).is_some()
    }

    /// The first glob that covers `path`. `dir/**` covers `dir` as well as what is below it.
    #[must_use]
    pub fn matching(&self, path: &str) -> Option<&str> {
        let path = self.case.fold(path);
        let first = self.folded.iter().position(|glob| covers(glob, &path))?;
        self.written.get(first).map(String::as_str)
    }
}

impl Case {
    fn fold(self, text: &str) -> String {
        match self {
            Self::Exact => text.to_owned(),
            Self::Any => text.to_lowercase(),
        }
    }
}

/// Holds globs to being some that a path can match.
fn check(key: &str, written: &[String]) -> Result<()> {
    for glob in written {
        let refused = |why: String| Error::config(format!("`{glob}` in `{key}`: {why}"));
        if let Some(why) = never_matches(glob) {
            return Err(refused(why.to_owned()));
        }
        validate(glob).map_err(|error| refused(error.to_string()))?;
    }
    Ok(())
}

/// True for what matches, and for the folder itself where the glob says all below it.
fn covers(glob: &str, path: &str) -> bool {
    let folder = glob.strip_suffix("/**");
    glob_match(glob, path) || folder.is_some_and(|folder| glob_match(folder, path))
}

/// Why no path of a workspace can match this glob, as far as that can be seen.
fn never_matches(glob: &str) -> Option<&'static str> {
    if glob.contains("[[:") || glob.contains("[^[:") || glob.contains("[![:") {
        Some("POSIX classes never match; write the characters out")
    } else if glob.starts_with('!') {
        Some("nothing is taken back; write the `!` as `\\!` if it is meant")
    } else if glob.starts_with('/') || glob.starts_with("./") {
        Some("paths are relative to the workspace root; leave the beginning away")
    } else if glob.ends_with('/') {
        Some("no path ends with `/`; write `**` behind it for everything below")
    } else if glob.split('/').any(|part| part == ".." || part == ".") {
        Some("no path has a `.` or `..` in it")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(glob: &str, path: &str, expect: bool) {
        let globs = Globs::parse("key", &[glob.to_owned()], Case::Exact).unwrap();
        assert_eq!(globs.cover(path), expect, "{glob} {path}");
    }

    #[test]
    fn what_is_covered() {
        for (glob, path, expect) in [
            ("**", "a/b", true),
            ("**/*", "a", true),
            ("**/*.md", "a.md", true),
            ("**/*.md", "a/b/c.md", true),
            ("*.md", "a/b.md", false),
            ("a/**", "a", true),
            ("a/**", "a/b/c", true),
            ("a/**", "ab", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("[ab]*", "bcd", true),
            ("[!ab]*", "bcd", false),
            ("{a,b/**}/c", "b/x/c", true),
            ("**/.env*", "a/.env.local", true),
            ("*", ".hidden", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("ä*", "äö", true),
        ] {
            check(glob, path, expect);
        }
    }
}
