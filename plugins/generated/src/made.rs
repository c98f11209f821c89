//! One rule: files, and what they are made from.
//!
//! Owns what `{name}` stands for: some text within a file's name, the same on both sides.
//!
//! **Invariant:** a file is no source of itself, whatever the globs say.

use ringfence_globs::{Case, Globs};
use ringfence_sdk::prelude::*;

use crate::{Rule, paths_of};

const NAME: &str = "{name}";

/// A rule, read.
pub(crate) struct Made {
    files: Side,
    from: Side,
    together: bool,
}

impl Made {
    /// # Errors
    /// [`Error::Config`] for a glob that is none, and for a `{name}` that stands on one side alone.
    pub(crate) fn new(rule: &Rule) -> Result<Self> {
        // More files are generated when case does not count, but no more sources.
        let files = Side::new("files", &rule.files, Case::Any)?;
        let from = Side::new("from", &rule.from, Case::Exact)?;
        if files.named.is_empty() != from.named.is_empty() {
            return Err(Error::config(format!(
                "`{NAME}` has to stand in `files` and in `from`, or in neither"
            )));
        }
        Ok(Self {
            files,
            from,
            together: rule.together,
        })
    }

    /// True for a generated file.
    pub(crate) fn makes(&self, path: &str) -> bool {
        self.files.covers(path)
    }

    pub(crate) fn judge(&self, files: &[FileChange]) -> Vec<Finding> {
        let paths = || files.iter().flat_map(paths_of);
        let made: Vec<&String> = paths().filter(|path| self.makes(path)).collect();
        let sources: Vec<&String> = paths()
            .filter(|path| self.from.covers(path) && !self.makes(path))
            .collect();
        let by_hand = made
            .iter()
            .filter(|path| !sources.iter().any(|source| self.belong(path, source)))
            .map(|path| {
                let message = "is generated, and nothing that it is made from differs";
                Finding::error("edited-by-hand", message).at(path.as_str())
            });
        let stale = sources
            .iter()
            .filter(|source| self.together && !made.iter().any(|path| self.belong(path, source)))
            .map(|path| {
                let message = "differs, and what is made from it does not: generate it again";
                Finding::error("not-regenerated", message).at(path.as_str())
            });
        by_hand.chain(stale).collect()
    }

    /// True when `source` may be what `made` is made from.
    fn belong(&self, made: &str, source: &str) -> bool {
        // One that has no name of its own is a source of all, and is made from all.
        if self.files.plain.cover(made) || self.from.plain.cover(source) {
            return true;
        }
        let names = self.from.names(source);
        self.files
            .names(made)
            .iter()
            .any(|name| names.contains(name))
    }
}

/// The globs of one side.
struct Side {
    plain: Globs,
    named: Vec<Named>,
}

/// A glob with `{name}` in its last part.
struct Named {
    folder: Globs,
    before: String,
    after: String,
    case: Case,
}

impl Side {
    fn new(key: &str, globs: &[String], case: Case) -> Result<Self> {
        let (named, plain): (Vec<String>, Vec<String>) =
            globs.iter().cloned().partition(|glob| glob.contains(NAME));
        Ok(Self {
            plain: Globs::parse(key, &plain, case)?,
            named: named
                .iter()
                .map(|glob| Named::new(key, glob, case))
                .collect::<Result<_>>()?,
        })
    }

    fn covers(&self, path: &str) -> bool {
        self.plain.cover(path) || !self.names(path).is_empty()
    }

    /// What `{name}` may stand for in `path`.
    fn names(&self, path: &str) -> Vec<String> {
        self.named
            .iter()
            .filter_map(|named| named.name(path))
            .collect()
    }
}

impl Named {
    fn new(key: &str, glob: &str, case: Case) -> Result<Self> {
        let refused = || {
            Error::config(format!(
                "`{glob}` in `{key}`: `{NAME}` stands once, in the last part, and plain text around it"
            ))
        };
        let (folder, last) = glob.rsplit_once('/').unwrap_or(("", glob));
        let (before, after) = last.split_once(NAME).ok_or_else(refused)?;
        let is_odd = |text: &str| text.contains(['*', '?', '[', ']', '{', '}', '!', '\\']);
        if is_odd(before) || is_odd(after) || folder.contains(NAME) {
            return Err(refused());
        }
        let folders: Vec<String> = if folder.is_empty() {
            Vec::new()
        } else {
            vec![folder.to_owned()]
        };
        Ok(Self {
            folder: Globs::parse(key, &folders, case)?,
            before: before.to_owned(),
            after: after.to_owned(),
            case,
        })
    }

    fn name(&self, path: &str) -> Option<String> {
        let fold = |text: &str| match self.case {
            Case::Any => text.to_lowercase(),
            Case::Exact => text.to_owned(),
        };
        let (folder, last) = path.rsplit_once('/').unwrap_or(("", path));
        let fits = if self.folder.is_empty() {
            folder.is_empty()
        } else {
            self.folder.cover(folder)
        };
        let last = fold(last);
        let name = last
            .strip_prefix(fold(&self.before).as_str())?
            .strip_suffix(fold(&self.after).as_str())?;
        (fits && !name.is_empty()).then(|| name.to_lowercase())
    }
}
