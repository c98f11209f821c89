//! Where a file lies that was named on the command line: in the project, or elsewhere.
//!
//! **Invariant:** within the project names are joined as they are written. Where a link of the candidate leads is never asked.

use std::path::{Component, Path, PathBuf};

use ringfence_core::relpath::RelPath;

use super::GatingError;

/// `file` from `top`, both `top` and the folder `start` that it begins in without links; none for a file outside the project.
///
/// # Errors
/// [`GatingError::Outside`] for what cannot be a file of the project and yet leads into it: a name that no rule can be written
/// for, the top itself, or a way through a link from outside.
pub(super) fn in_project(
    top: &Path,
    start: &Path,
    file: &Path,
) -> Result<Option<RelPath>, GatingError> {
    let outside = || GatingError::Outside {
        file: file.to_owned(),
        top: top.to_owned(),
    };
    let full = lexical(&start.join(file));
    let is_top = |dir: &&Path| dir.canonicalize().is_ok_and(|dir| dir == top);
    let root = if full.starts_with(top) {
        Some(top)
    } else {
        // The outermost, since a link below it is the candidate's.
        full.ancestors().filter(is_top).last()
    };
    let Some(root) = root else {
        let leads_in = full.canonicalize().is_ok_and(|full| full.starts_with(top));
        return if leads_in { Err(outside()) } else { Ok(None) };
    };
    let relative = full.strip_prefix(root).ok().and_then(Path::to_str);
    let path = RelPath::lexical(relative.ok_or_else(outside)?).map_err(|_| outside())?;
    if path.is_root() {
        return Err(outside());
    }
    Ok(Some(path))
}

/// An absolute path without `.` and `..`.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_of_the_candidate_lead_nowhere() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().canonicalize().unwrap();
        let top = dir.join("top");
        fs::create_dir_all(top.join("real")).unwrap();
        fs::write(top.join("real/x"), "").unwrap();
        fs::write(dir.join("x"), "").unwrap();
        symlink("real", top.join("link")).unwrap();
        symlink(".", top.join("self")).unwrap();
        symlink("top", dir.join("alias")).unwrap();
        symlink("top/real", dir.join("inner")).unwrap();
        let check = |start: &str, file: &str| {
            let found = in_project(&top, &dir.join(start), &dir.join(start).join(file));
            match found {
                Ok(Some(path)) => path.to_string(),
                Ok(None) => "outside".to_owned(),
                Err(_) => "refused".to_owned(),
            }
        };
        for (start, file, expect) in [
            ("top", "real/x", "real/x"),
            ("top", "link/x", "link/x"),
            ("top", "self/link/x", "self/link/x"),
            ("top", "nowhere/x", "nowhere/x"),
            ("top", "link/../x", "x"),
            ("top/real", "../link/./x", "link/x"),
            ("top", "../x", "outside"),
            ("top", "../alias/real/x", "real/x"),
            ("top", "../alias/self/x", "self/x"),
            ("top", "../inner/x", "refused"),
            ("top", "a\\b", "refused"),
            ("top", ".", "refused"),
        ] {
            assert_eq!(check(start, file), expect, "{start} {file}");
        }
    }
}
