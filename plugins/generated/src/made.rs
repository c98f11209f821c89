//! One rule: files, and what they are made from.
//!
//! Owns what `{name}` stands for: some text within a file's name, the same on both sides.
//!
//! **Invariant:** a file is no source of itself, whatever the globs say.

use ringfence_globs::{Case, Globs};
use ringfence_sdk::prelude::*;

use crate::Rule;

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

    /// # Errors
    /// [`Error::Unavailable`] for a file that cannot be read.
    pub(crate) fn judge(&self, change: &Change) -> Result<Vec<Finding>> {
        let sides = sides(change, |path| self.from.covers(path))?;
        let made: Vec<&Differs> = sides.iter().filter(|side| self.makes(side.path)).collect();
        let sources: Vec<&Differs> = sides
            .iter()
            .filter(|side| self.from.covers(side.path) && !self.makes(side.path) && side.text)
            .collect();
        let by_hand = made
            .iter()
            .filter(|made| !sources.iter().any(|source| self.lifts(made, source)))
            .map(|made| {
                let message = "is generated, and nothing that it is made from differs";
                Finding::error("edited-by-hand", message).at(made.path)
            });
        let stale = sources
            .iter()
            .filter(|source| {
                let belongs = |made: &&Differs| self.belong(made.path, source.path);
                self.together && !made.iter().any(belongs)
            })
            .map(|source| {
                let message = "differs, and what is made from it does not: generate it again";
                Finding::error("not-regenerated", message).at(source.path)
            });
        Ok(by_hand.chain(stale).collect())
    }

    /// True when that the source differs may be why the generated file does. What is gone makes nothing; where there are many
    /// sources, what the others make may differ without it.
    fn lifts(&self, made: &Differs, source: &Differs) -> bool {
        let one_of_many = || {
            let glob = self.from.plain.matching(source.path);
            glob.is_some_and(|glob| glob.contains(['*', '?', '[', '{']))
        };
        self.belong(made.path, source.path) && (source.there || !made.there || one_of_many())
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

    /// As it is written, even where the text around it may be written otherwise.
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
        let cuts = || last.char_indices().map(|(at, _)| at).chain([last.len()]);
        let (before, after) = (fold(&self.before), fold(&self.after));
        let start = cuts().find(|at| last.get(..*at).is_some_and(|text| fold(text) == before))?;
        let end = cuts().find(|at| last.get(*at..).is_some_and(|text| fold(text) == after))?;
        let name = last.get(start..end)?;
        (fits && !name.is_empty()).then(|| name.to_owned())
    }
}

/// A path of the change, on the side where it is.
struct Differs<'a> {
    path: &'a str,
    /// Whether it is there afterwards.
    there: bool,
    /// Whether what stands in it differs, and not only who may run it.
    text: bool,
}

/// Both paths of every file; what stands in those files is compared that `look` picks.
fn sides(change: &Change, look: impl Fn(&str) -> bool) -> Result<Vec<Differs<'_>>> {
    let is_file = |mode: u32| mode & 0o170_000 == 0o100_000;
    let mut sides = Vec::new();
    for file in change.files() {
        let may_be_same = is_file(file.old_mode)
            && is_file(file.new_mode)
            && file.lines_added == 0
            && file.lines_removed == 0
            && file.renamed_from.is_none();
        let text = !(may_be_same
            && look(&file.path)
            && change.read(&file.path)? == change.read_base(&file.path)?);
        sides.push(Differs {
            path: &file.path,
            there: file.kind != ChangeKind::Deleted,
            text,
        });
        if let Some(path) = &file.renamed_from {
            sides.push(Differs {
                path,
                there: false,
                text: true,
            });
        }
    }
    Ok(sides)
}
