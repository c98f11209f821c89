//! What of a tree a program may not see, by the path policy, and what it is to write itself.
//!
//! **Invariant:** whatever the policy does not let be read is hidden, also names that no policy can judge. A link is judged by
//! its own name: what it points to is hidden or not under the name that it has. A report that is there before is not: what
//! stands at its place afterwards, the program wrote.

use std::ffi::OsStr;
use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use ringfence_core::policy::{Access, Cursor, PathPolicy};
use ringfence_core::relpath::RelPath;

use super::{Command, NativeError};

// Limit: each is a name that the sandbox makes; a policy that hides more allows the wrong thing.
const HIDDEN_MAX: usize = 1 << 16;

/// One name in a tree.
pub(super) enum Found<'a> {
    /// It is shown; what is in a directory comes after it.
    Shown(&'a Path, FileType),
    /// It is hidden, and whatever is in it.
    Hidden(&'a Path),
}

/// Everything that is hidden in the tree of `command`, by its path in it; nothing that is in a directory that is hidden itself.
pub(super) fn paths(command: &Command) -> Result<Vec<PathBuf>, NativeError> {
    at_most(Tree::of(command), HIDDEN_MAX)
}

/// What is gone through.
#[derive(Clone, Copy)]
struct Tree<'a> {
    dir: &'a Path,
    policy: &'a PathPolicy,
    reports: &'a [(String, RelPath)],
}

impl<'a> Tree<'a> {
    fn of(command: &'a Command) -> Self {
        Self {
            dir: &command.tree,
            policy: &command.policy,
            reports: &command.reports,
        }
    }

    fn is_report(self, path: &Path) -> bool {
        let mut reports = self.reports.iter();
        reports.any(|(_, report)| Path::new(report.as_str()) == path)
    }
}

fn at_most(tree: Tree<'_>, most: usize) -> Result<Vec<PathBuf>, NativeError> {
    let mut hidden = Vec::new();
    go_through(tree, &mut |found| {
        if let Found::Hidden(path) = found {
            hidden.push(path.to_owned());
        }
        if hidden.len() > most {
            return Err(io::Error::other(format!(
                "the policy hides more than {most} paths"
            )));
        }
        Ok(())
    })?;
    Ok(hidden)
}

/// Goes through the tree of `command`; `each` gets every path relative to it, in an order of its own.
pub(super) fn walk(
    command: &Command,
    each: &mut dyn FnMut(Found<'_>) -> io::Result<()>,
) -> Result<(), NativeError> {
    go_through(Tree::of(command), each)
}

fn go_through(
    tree: Tree<'_>,
    each: &mut dyn FnMut(Found<'_>) -> io::Result<()>,
) -> Result<(), NativeError> {
    let mut open = vec![(PathBuf::new(), tree.policy.cursor())];
    while let Some((path, cursor)) = open.pop() {
        let failed = |source| NativeError::Tree {
            path: tree.dir.join(&path),
            source,
        };
        for entry in std::fs::read_dir(tree.dir.join(&path)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let name = entry.file_name();
            let path = path.join(&name);
            let shown = step(&cursor, &name).filter(|cursor| is_shown(cursor, kind));
            let is_old_report = !kind.is_dir() && tree.is_report(&path);
            let found = match &shown {
                Some(_) if !is_old_report => Found::Shown(&path, kind),
                Some(_) | None => Found::Hidden(&path),
            };
            each(found).map_err(failed)?;
            if let (Some(cursor), true) = (shown, kind.is_dir()) {
                open.push((path, cursor));
            }
        }
    }
    Ok(())
}

fn step(cursor: &Cursor, name: &OsStr) -> Option<Cursor> {
    Some(cursor.step(name.to_str()?))
}

fn is_shown(cursor: &Cursor, kind: FileType) -> bool {
    let access = if kind.is_dir() {
        Access::Traverse
    } else {
        Access::Read
    };
    cursor.allows(access)
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir_all, write};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use ringfence_core::policy::{DenyPattern, DenySource, Layer, PolicySpec};

    use super::*;

    fn policy(read: &[&str], deny: &[&str]) -> PathPolicy {
        let layer = Layer {
            name: "loop".to_owned(),
            read: read.iter().map(|glob| (*glob).to_owned()).collect(),
            write: vec![],
        };
        let deny = deny.iter().map(|glob| DenyPattern {
            pattern: (*glob).to_owned(),
            source: DenySource::Operator,
        });
        PathPolicy::new(&PolicySpec {
            layers: vec![layer],
            deny: deny.collect(),
        })
        .unwrap()
    }

    #[test]
    fn what_may_not_be_read_is_hidden() {
        let tree = tempfile::tempdir().unwrap();
        let at = |path: &str| tree.path().join(path);
        create_dir_all(at("secrets/deep")).unwrap();
        create_dir_all(at("docs/empty")).unwrap();
        for file in ["a", ".env", "docs/.env.local", "docs/b", "secrets/deep/c"] {
            write(at(file), "x").unwrap();
        }
        write(tree.path().join(OsStr::from_bytes(b"\xff")), "x").unwrap();
        symlink("secrets", at("link")).unwrap();
        let find = |read: &[&str], deny: &[&str], reports: &[&str]| {
            let reports = reports
                .iter()
                .map(|path| (String::new(), RelPath::lexical(path).unwrap()));
            let reports: Vec<_> = reports.collect();
            let tree = Tree {
                dir: tree.path(),
                policy: &policy(read, deny),
                reports: &reports,
            };
            let mut paths: Vec<_> = at_most(tree, HIDDEN_MAX)
                .unwrap()
                .iter()
                .map(|path| path.to_string_lossy().into_owned())
                .collect();
            paths.sort();
            paths.join(" ")
        };
        let hidden = |read: &[&str], deny: &[&str]| find(read, deny, &[]);
        assert_eq!(hidden(&["**"], &[]), "\u{fffd}");
        // What is to be written anew, each once, but for directories and what lies at the end of a link.
        assert_eq!(
            find(&["**"], &["secrets/**"], &["a", "link", "none", "docs"]),
            "a link secrets \u{fffd}"
        );
        assert_eq!(
            find(&["**"], &["secrets/**"], &["secrets/deep/c", "link/deep/c"]),
            "secrets \u{fffd}"
        );
        assert_eq!(
            hidden(&["**"], &["**/.ENV*", "secrets/**"]),
            ".env docs/.env.local secrets \u{fffd}"
        );
        assert_eq!(hidden(&["docs/*"], &[]), ".env a link secrets \u{fffd}");
        assert_eq!(
            hidden(&["secrets/deep/*"], &["**/c"]),
            ".env a docs link secrets/deep/c \u{fffd}"
        );
        assert_eq!(hidden(&[], &[]).split(' ').count(), 6);
    }

    #[test]
    fn no_more_is_hidden_than_fits() {
        let tree = tempfile::tempdir().unwrap();
        for number in 0..4 {
            write(tree.path().join(format!("{number}")), "").unwrap();
        }
        let tree = Tree {
            dir: tree.path(),
            policy: &policy(&[], &[]),
            reports: &[],
        };
        let hidden = |most| at_most(tree, most);
        let error = hidden(3).unwrap_err();
        let why = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(why, "the policy hides more than 3 paths");
        assert_eq!(hidden(4).unwrap().len(), 4);
    }
}
