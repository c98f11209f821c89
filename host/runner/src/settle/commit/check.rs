//! Whether a change fits into the working tree and the index as they are: what would be lost otherwise is named.
//!
//! **Invariant:** reads, and changes nothing. A path counts as free only if the index has exactly what the base has and the
//! working tree exactly the same bytes; a path where nothing was, only if nothing is there at all.

use std::collections::{BTreeSet, HashSet};
use std::io;

use ringfence_core::relpath::RelPath;

use super::index::{Index, Tracked};
use super::log::{Content, Entry, GoneDir};
use super::tree::{Found, Tree};

/// A path that a change cannot have, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTheWay {
    /// The path, as the change or the index has it.
    pub path: String,
    /// What is there: `edited`, `staged`, `an untracked file`, …
    pub why: &'static str,
}

/// What there is to know before a change is put in place.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Directories that are to be made, outermost first.
    pub(super) made: Vec<RelPath>,
    /// Directories that files take the place of, innermost first.
    pub(super) gone: Vec<GoneDir>,
    /// For each entry, what the file that is there may be used for.
    pub(super) permissions: Vec<Option<u32>>,
}

/// Looks at every path of a change.
pub(super) fn check(
    tree: &Tree,
    index: &Index,
    entries: &[Entry],
) -> io::Result<Result<Layout, Vec<InTheWay>>> {
    let leaving: HashSet<&RelPath> = entries
        .iter()
        .filter(|entry| entry.new.is_none())
        .map(|entry| &entry.path)
        .collect();
    let mut look = Look {
        tree,
        leaving,
        in_the_way: Vec::new(),
        made: BTreeSet::new(),
        gone: Vec::new(),
    };
    let mut permissions = Vec::new();
    for entry in entries {
        look.at_index(index, entry);
        permissions.push(match &entry.old {
            Some(old) => look.at_old(&entry.path, old)?,
            None => {
                look.at_new(&entry.path)?;
                None
            }
        });
    }
    if !look.in_the_way.is_empty() {
        return Ok(Err(look.in_the_way));
    }
    look.gone.sort_by(|a, b| b.path.cmp(&a.path));
    Ok(Ok(Layout {
        made: look.made.into_iter().collect(),
        gone: look.gone,
        permissions,
    }))
}

struct Look<'a> {
    tree: &'a Tree,
    /// What the change deletes.
    leaving: HashSet<&'a RelPath>,
    in_the_way: Vec<InTheWay>,
    made: BTreeSet<RelPath>,
    gone: Vec<GoneDir>,
}

impl Look<'_> {
    fn note(&mut self, path: &str, why: &'static str) {
        let path = path.to_owned();
        self.in_the_way.push(InTheWay { path, why });
    }

    fn at_index(&mut self, index: &Index, entry: &Entry) {
        let path = entry.path.as_str();
        match (&entry.old, index.get(path)) {
            (Some(old), Some(tracked)) => {
                if let Some(why) = differs(old, tracked) {
                    self.note(path, why);
                }
            }
            (Some(_), None) => self.note(path, "taken out of the index"),
            (None, Some(_)) => self.note(path, "in the index already"),
            (None, None) => {
                let others = index
                    .around(&entry.path)
                    .filter(|other| !self.leaving.iter().any(|path| path.as_str() == *other));
                if let Some(other) = others.map(str::to_owned).next() {
                    self.note(&other, "in the index, where the change needs the name");
                }
            }
        }
    }

    /// A file of the base: it has to be there as it was.
    fn at_old(&mut self, path: &RelPath, old: &Content) -> io::Result<Option<u32>> {
        let why = match self.tree.look(path)? {
            Found::File(seen) if old.is(&seen) => {
                self.nested(path)?;
                return Ok(seen.permissions);
            }
            Found::File(_) => "edited",
            Found::Nothing => "deleted",
            Found::Directory | Found::Other => "replaced",
        };
        self.note(path.as_str(), why);
        Ok(None)
    }

    /// A file that is new: its place has to be free, or to become free.
    fn at_new(&mut self, path: &RelPath) -> io::Result<()> {
        self.directories_to(path)?;
        match self.tree.look(path)? {
            Found::Nothing => {}
            Found::Directory => self.vacate(path)?,
            Found::File(_) => self.note(path.as_str(), "an untracked file"),
            Found::Other => self.note(path.as_str(), "neither file nor directory"),
        }
        self.nested(path)
    }

    /// Notes the directories that have to be made for `path`.
    fn directories_to(&mut self, path: &RelPath) -> io::Result<()> {
        for dir in ancestors(path) {
            match self.tree.look(&dir)? {
                Found::Directory if self.tree.is_blocked(path)? && self.is_mounted(&dir)? => {
                    self.note(dir.as_str(), "another file system");
                    return Ok(());
                }
                Found::Directory => {}
                Found::Nothing => {
                    self.made.insert(dir);
                }
                Found::File(_) if self.leaving.contains(&dir) => {
                    self.made.insert(dir);
                }
                Found::File(_) | Found::Other => {
                    self.note(dir.as_str(), "no directory, where the change needs one");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// True when what is below `dir` cannot be reached although it is a directory.
    fn is_mounted(&self, dir: &RelPath) -> io::Result<bool> {
        dir.join("x")
            .map_or(Ok(false), |below| self.tree.is_blocked(&below))
    }

    /// A directory stands where a file comes: everything in it has to go with this change.
    fn vacate(&mut self, path: &RelPath) -> io::Result<()> {
        let mut dirs = vec![path.clone()];
        while let Some(dir) = dirs.pop() {
            for name in self.tree.names(&dir)? {
                let below = dir.join(&name).ok();
                match below {
                    Some(below) if self.leaving.contains(&below) => {}
                    Some(below) if self.tree.directory(&below)?.is_some() => dirs.push(below),
                    _ => self.note(
                        &format!("{dir}/{name}"),
                        "an untracked file where a folder becomes a file",
                    ),
                }
            }
            let mode = self.tree.directory(&dir)?.unwrap_or(0o777);
            self.gone.push(GoneDir { path: dir, mode });
        }
        Ok(())
    }

    /// Another repository's files are its own affair.
    fn nested(&mut self, path: &RelPath) -> io::Result<()> {
        for dir in ancestors(path) {
            let inside = dir
                .join(".git")
                .map_or(Ok(Found::Nothing), |git| self.tree.look(&git))?;
            if inside != Found::Nothing {
                self.note(dir.as_str(), "another repository");
                break;
            }
        }
        Ok(())
    }
}

/// The directories that `path` lies in, outermost first, without the top.
pub(super) fn ancestors(path: &RelPath) -> Vec<RelPath> {
    let mut all: Vec<_> = std::iter::successors(path.parent(), RelPath::parent)
        .filter(|dir| !dir.is_root())
        .collect();
    all.reverse();
    all
}

fn differs(old: &Content, tracked: &Tracked) -> Option<&'static str> {
    match tracked.tag {
        b'S' => Some("left out of the working tree (sparse checkout)"),
        tag if tag.is_ascii_lowercase() => {
            Some("marked as unchanged (git update-index --assume-unchanged)")
        }
        _ if tracked.mode != old.mode || tracked.id != old.blob => Some("staged"),
        _ => None,
    }
}
