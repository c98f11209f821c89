//! Path globs, anchored at the workspace root.
//!
//! Owns how a pattern of the configuration becomes one that matches, and which patterns are refused.
//!
//! **Invariant:** a set of patterns that was parsed can say which of them matched.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ringfence_sdk::prelude::*;

/// Whether upper and lower case differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// `A` is not `a`: for what is allowed.
    Exact,
    /// `A` is `a`: for what is denied.
    Any,
}

/// Some globs, in the order they were written.
pub(crate) struct Globs {
    written: Vec<String>,
    set: GlobSet,
    case: Case,
}

impl Globs {
    /// Parses the globs under `key` of the configuration.
    pub(crate) fn parse(key: &str, written: &[String], case: Case) -> Result<Self> {
        let mut set = GlobSetBuilder::new();
        for glob in written {
            let refused = |why: String| Error::config(format!("`{glob}` in `{key}`: {why}"));
            if let Some(why) = never_matches(glob) {
                return Err(refused(why.to_owned()));
            }
            let folded = case.fold(glob);
            let parsed = GlobBuilder::new(&folded)
                .literal_separator(true)
                .backslash_escape(true)
                .build();
            set.add(parsed.map_err(|error| refused(error.kind().to_string()))?);
        }
        let set = set
            .build()
            .map_err(|error| Error::config(format!("`{key}`: {error}")))?;
        Ok(Self {
            written: written.to_vec(),
            set,
            case,
        })
    }

    /// The first glob that covers `path`. `dir/**` covers `dir` as well as what is below it.
    pub(crate) fn matching(&self, path: &str) -> Option<&str> {
        let path = self.case.fold(path);
        let below = format!("{path}/x");
        let mut matched = self.set.matches(&path);
        let as_folder = self
            .set
            .matches(&below)
            .into_iter()
            .filter(|at| self.is_whole_folder(*at));
        matched.extend(as_folder);
        let first = matched.into_iter().min()?;
        self.written.get(first).map(String::as_str)
    }

    fn is_whole_folder(&self, at: usize) -> bool {
        self.written
            .get(at)
            .is_some_and(|glob| glob.ends_with("/**"))
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

/// Why no path of a workspace can match this glob, as far as that can be seen.
fn never_matches(glob: &str) -> Option<&'static str> {
    if glob.contains("[[:") || glob.contains("[^[:") || glob.contains("[![:") {
        Some("POSIX classes never match; write the characters out")
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
