//! What of a tree a program may not see, by the path policy.
//!
//! **Invariant:** whatever the policy does not let be read is hidden, also names that no policy can judge. A link is judged by
//! its own name: what it points to is hidden or not under the name that it has.

use std::ffi::OsStr;
use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use ringfence_core::policy::{Access, Cursor, PathPolicy};

use super::NativeError;

// Limit: each is a name that the sandbox makes; a policy that hides more allows the wrong thing.
const HIDDEN_MAX: usize = 1 << 16;

/// One name in a tree.
pub(super) enum Found<'a> {
    /// It is shown; what is in a directory comes after it.
    Shown(&'a Path, FileType),
    /// It is hidden, and whatever is in it.
    Hidden(&'a Path),
}

/// Everything that is hidden in `tree`, by its path in it; nothing that is in a directory that is hidden itself.
pub(super) fn paths(tree: &Path, policy: &PathPolicy) -> Result<Vec<PathBuf>, NativeError> {
    at_most(tree, policy, HIDDEN_MAX)
}

fn at_most(tree: &Path, policy: &PathPolicy, most: usize) -> Result<Vec<PathBuf>, NativeError> {
    let mut hidden = Vec::new();
    walk(tree, policy, &mut |found| {
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

/// Goes through `tree`; `each` gets every path relative to it, in an order of its own.
pub(super) fn walk(
    tree: &Path,
    policy: &PathPolicy,
    each: &mut dyn FnMut(Found<'_>) -> io::Result<()>,
) -> Result<(), NativeError> {
    let mut open = vec![(PathBuf::new(), policy.cursor())];
    while let Some((path, cursor)) = open.pop() {
        let failed = |source| NativeError::Tree {
            path: tree.join(&path),
            source,
        };
        for entry in std::fs::read_dir(tree.join(&path)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let name = entry.file_name();
            let path = path.join(&name);
            let shown = step(&cursor, &name).filter(|cursor| is_shown(cursor, kind));
            let found = match &shown {
                Some(_) => Found::Shown(&path, kind),
                None => Found::Hidden(&path),
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
        let hidden = |read: &[&str], deny: &[&str]| {
            let mut paths: Vec<_> = paths(tree.path(), &policy(read, deny))
                .unwrap()
                .iter()
                .map(|path| path.to_string_lossy().into_owned())
                .collect();
            paths.sort();
            paths.join(" ")
        };
        assert_eq!(hidden(&["**"], &[]), "\u{fffd}");
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
        let hidden = |most| at_most(tree.path(), &policy(&[], &[]), most);
        let error = hidden(3).unwrap_err();
        let why = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(why, "the policy hides more than 3 paths");
        assert_eq!(hidden(4).unwrap().len(), 4);
    }
}
