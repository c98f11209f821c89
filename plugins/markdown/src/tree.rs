//! The files of the workspace by name: what exists, what exists in another case, what has a given ending.
//!
//! Owns the listing (made once, in sorted order) and the look-ups over it; file contents are [`crate::library`]'s.
//! Directories that hold nothing we can see are not in the tree: git knows none either.
//!
//! **Invariant:** links in the file system are entries and are not followed here, so the walk ends and stays inside.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::path::{fold, parent};

/// Limit: entries of one workspace. Ten times a large monorepo; at 100 bytes each they still fit a plugin's memory.
pub const ENTRIES_MAX: usize = 300_000;

/// Limit: folders in folders. git itself stops working on paths of 4,096 bytes.
const DEPTH_MAX: usize = 128;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder with something in it.
    Folder,
    /// A link in the file system.
    Link,
}

/// Why there is no tree.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A folder could not be listed.
    #[error("cannot list `{path}`")]
    List {
        /// Relative to the workspace root; `.` for the root itself.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// More than [`ENTRIES_MAX`] entries, or folders nested deeper than a repository can have.
    #[error(
        "the workspace has more than {ENTRIES_MAX} entries, or folders nested more than {DEPTH_MAX} deep"
    )]
    TooLarge,
}

/// Everything in the workspace, sorted by path.
#[derive(Clone, Debug)]
pub struct Tree {
    entries: BTreeMap<String, Kind>,
    /// (case-folded path with its components reversed, path), sorted: entries with a common ending are neighbours.
    endings: OnceCell<Vec<(String, String)>>,
}

impl Tree {
    /// Lists the folder `root` and everything below it; `.git` and names that are not UTF-8 are left out.
    ///
    /// # Errors
    /// [`TreeError::List`] when the root cannot be listed (a folder below it that cannot is left out),
    /// [`TreeError::TooLarge`] past the limits.
    pub fn read(root: &Path) -> Result<Self, TreeError> {
        let mut leaves = Vec::new();
        let mut pending = vec![(String::new(), 0)];
        while let Some((folder, depth)) = pending.pop() {
            let listed =
                match fs::read_dir(root.join(if folder.is_empty() { "." } else { &folder })) {
                    Ok(listed) => listed,
                    Err(source) if folder.is_empty() => {
                        return Err(TreeError::List {
                            path: ".".to_owned(),
                            source,
                        });
                    }
                    Err(_) => continue,
                };
            for entry in listed.flatten() {
                let name = entry.file_name();
                let (Some(name), Ok(kind)) = (name.to_str(), entry.file_type()) else {
                    continue;
                };
                if name == ".git" {
                    continue;
                }
                let path = if folder.is_empty() {
                    name.to_owned()
                } else {
                    format!("{folder}/{name}")
                };
                if kind.is_dir() {
                    pending.push((path, depth + 1));
                } else {
                    leaves.push((
                        path,
                        if kind.is_symlink() {
                            Kind::Link
                        } else {
                            Kind::File
                        },
                    ));
                }
                if leaves.len() + pending.len() > ENTRIES_MAX || depth > DEPTH_MAX {
                    return Err(TreeError::TooLarge);
                }
            }
        }
        Ok(Self::of(leaves))
    }

    /// Makes a tree of files and links; their folders follow from them.
    pub fn of(leaves: impl IntoIterator<Item = (String, Kind)>) -> Self {
        let mut entries = BTreeMap::new();
        entries.insert(String::new(), Kind::Folder);
        for (path, kind) in leaves {
            let mut folder = parent(&path);
            while !folder.is_empty() && entries.insert(folder.to_owned(), Kind::Folder).is_none() {
                folder = parent(folder);
            }
            entries.insert(path, kind);
        }
        Self {
            entries,
            endings: OnceCell::new(),
        }
    }

    /// Returns this tree without the entries `gone` and with the entries `back`.
    #[must_use]
    pub fn changed<'p>(
        &self,
        gone: impl IntoIterator<Item = &'p str>,
        back: impl IntoIterator<Item = (&'p str, Kind)>,
    ) -> Self {
        let leaves = self.leaves().map(|(path, kind)| (path.to_owned(), kind));
        let mut leaves: BTreeMap<String, Kind> = leaves.collect();
        for path in gone {
            leaves.remove(path);
        }
        leaves.extend(back.into_iter().map(|(path, kind)| (path.to_owned(), kind)));
        Self::of(leaves)
    }

    fn leaves(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.entries
            .iter()
            .map(|(path, kind)| (path.as_str(), *kind))
            .filter(|(_, kind)| *kind != Kind::Folder)
    }

    /// Iterates over the regular files, sorted.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.leaves()
            .filter(|(_, kind)| *kind == Kind::File)
            .map(|(path, _)| path)
    }

    /// What `path` names exactly; `""` is the root.
    pub fn kind(&self, path: &str) -> Option<Kind> {
        self.entries.get(path).copied()
    }

    /// Whether `path` exists, or lies behind a link and so may.
    pub fn may_hold(&self, path: &str) -> bool {
        let mut at = path;
        loop {
            match self.kind(at) {
                Some(Kind::Link) => return true,
                Some(_) => return at == path,
                None if at.is_empty() => return false,
                None => at = parent(at),
            }
        }
    }

    /// Paths that differ from `path` in case only, sorted; without `path` itself.
    pub fn other_cases(&self, path: &str) -> Vec<&str> {
        let wanted = reversed(path);
        let endings = self.endings();
        let start = endings.partition_point(|(ending, _)| *ending < wanted);
        let same = endings
            .iter()
            .skip(start)
            .take_while(|(ending, _)| *ending == wanted);
        same.map(|(_, found)| found.as_str())
            .filter(|found| *found != path)
            .collect()
    }

    /// The entries that share the longest ending with `path`, in whole components and at least `components_min` of
    /// them: how many that are, and the entries, sorted; `None` when there is no such entry. Looks no further than
    /// `limit` + 1 entries, so a longer answer means «too many».
    pub fn best_endings(
        &self,
        path: &str,
        components_min: usize,
        limit: usize,
        accepts: impl Fn(&str, Kind) -> bool,
    ) -> Option<(usize, Vec<&str>)> {
        let wanted = reversed(path);
        let ends = wanted
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([wanted.len()]);
        let ends: Vec<(usize, usize)> = (1..)
            .zip(ends)
            .skip(components_min.saturating_sub(1))
            .collect();
        ends.into_iter().rev().find_map(|(components, end)| {
            let found = self.with_ending(wanted.get(..end)?, limit, &accepts);
            (!found.is_empty()).then_some((components, found))
        })
    }

    fn with_ending(
        &self,
        ending: &str,
        limit: usize,
        accepts: &impl Fn(&str, Kind) -> bool,
    ) -> Vec<&str> {
        let endings = self.endings();
        let start = endings.partition_point(|(found, _)| found.as_str() < ending);
        let same = endings
            .iter()
            .skip(start)
            .take_while(|(found, _)| found.starts_with(ending));
        // Limit: an ending as common as `index.md` is ambiguous long before all of its files are looked at.
        let whole = same.take(limit.saturating_mul(64)).filter(|(found, _)| {
            found
                .get(ending.len()..)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let accepted =
            whole.filter(|(_, path)| self.kind(path).is_some_and(|kind| accepts(path, kind)));
        let mut found: Vec<&str> = accepted
            .map(|(_, path)| path.as_str())
            .take(limit + 1)
            .collect();
        found.sort_unstable();
        found
    }

    fn endings(&self) -> &[(String, String)] {
        self.endings.get_or_init(|| {
            let named = self.entries.keys().filter(|path| !path.is_empty());
            let mut endings: Vec<(String, String)> =
                named.map(|path| (reversed(path), path.clone())).collect();
            endings.sort_unstable();
            endings
        })
    }
}

fn reversed(path: &str) -> String {
    let folded = fold(path);
    let parts: Vec<&str> = folded.rsplit('/').collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> Tree {
        Tree::of(files.iter().map(|path| ((*path).to_owned(), Kind::File)))
    }

    #[test]
    fn folders_follow_from_files() {
        let tree = tree(&["a/b/c.md", "a/d.md", "e.md"]);
        assert_eq!(tree.kind("a/b"), Some(Kind::Folder));
        assert_eq!(tree.kind(""), Some(Kind::Folder));
        assert_eq!(tree.kind("a/b/c.md"), Some(Kind::File));
        assert_eq!(tree.kind("b"), None);
        assert_eq!(
            tree.files().collect::<Vec<_>>(),
            ["a/b/c.md", "a/d.md", "e.md"]
        );
    }

    #[test]
    fn what_lies_behind_a_link_may_exist() {
        let tree = Tree::of([("l".to_owned(), Kind::Link), ("a/b".to_owned(), Kind::File)]);
        for (path, expect) in [
            ("l", true),
            ("l/x/y", true),
            ("a/b", true),
            ("a/b/c", false),
            ("x", false),
            ("a", true),
        ] {
            assert_eq!(tree.may_hold(path), expect, "{path}");
        }
    }

    #[test]
    fn finds_other_cases() {
        let tree = tree(&["Docs/README.md", "docs/readme.MD", "docs/other.md"]);
        assert_eq!(
            tree.other_cases("docs/readme.md"),
            ["Docs/README.md", "docs/readme.MD"]
        );
        assert_eq!(tree.other_cases("docs/readme.MD"), ["Docs/README.md"]);
        assert!(tree.other_cases("readme.md").is_empty());
    }

    #[test]
    fn prefers_the_longest_common_ending() {
        let tree = tree(&[
            "a/x/guide.md",
            "b/y/guide.md",
            "b/my-guide.md",
            "c/x/Guide.md",
        ]);
        for (path, min, expect) in [
            ("old/y/guide.md", 1, Some((2, vec!["b/y/guide.md"]))),
            (
                "old/x/guide.md",
                1,
                Some((2, vec!["a/x/guide.md", "c/x/Guide.md"])),
            ),
            (
                "z/guide.md",
                1,
                Some((1, vec!["a/x/guide.md", "b/y/guide.md", "c/x/Guide.md"])),
            ),
            ("z/guide.md", 2, None),
            ("none.md", 1, None),
        ] {
            assert_eq!(
                tree.best_endings(path, min, 8, |_, _| true),
                expect,
                "{path} {min}"
            );
        }
        assert_eq!(
            tree.best_endings("guide.md", 1, 1, |_, _| true)
                .map(|(_, found)| found.len()),
            Some(2),
            "one more than the limit"
        );
        assert_eq!(
            tree.best_endings("q/x", 1, 8, |_, kind| kind == Kind::Folder),
            Some((1, vec!["a/x", "c/x"]))
        );
    }

    #[test]
    fn changes_back() {
        let tree = tree(&["a/b.md", "c.md"]).changed(["a/b.md"], [("d/e.md", Kind::File)]);
        assert_eq!(tree.files().collect::<Vec<_>>(), ["c.md", "d/e.md"]);
        assert_eq!(tree.kind("a"), None);
    }

    #[test]
    fn reads_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["a/b.md", ".git/config", "c.md"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let tree = Tree::read(folder.path()).unwrap();
        assert_eq!(tree.files().collect::<Vec<_>>(), ["a/b.md", "c.md"]);
        assert!(matches!(
            Tree::read(&folder.path().join("none")),
            Err(TreeError::List { .. })
        ));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_itself_ends() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(".", folder.path().join("loop")).unwrap();
        let tree = Tree::read(folder.path()).unwrap();
        assert_eq!(tree.kind("loop"), Some(Kind::Link));
    }
}
