//! A file that a run writes: looked at before anything runs.
//!
//! **Invariant:** nothing is written over what is no plain file, and nothing in the project is reached through a link: a device,
//! a folder or a link may be there because a repository brought it along.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::command::Stop;
use crate::exit::Exit;
use crate::render::{Safe, text};

/// Where a file is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::command) struct Place {
    /// Its only spelling; the folder is there.
    path: PathBuf,
}

impl Place {
    /// The place that somebody who stands in `dir` calls `named`.
    pub(in crate::command) fn new(named: &Path, dir: &Path) -> Result<Self, Stop> {
        let dir = dir.canonicalize();
        let dir = dir.map_err(|error| Stop::unwritable(named, &error))?;
        let path = lexical(&dir.join(named));
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(refused(named, " is no plain file"));
        };
        if named.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(refused(named, " is no plain file"));
        }
        let folder = parent
            .canonicalize()
            .map_err(|error| Stop::unwritable(named, &error))?;
        if folder != unlinked(parent, &top(&dir), &folder) {
            return Err(refused(named, " is reached through a link in the project"));
        }
        let path = folder.join(name);
        match path.symlink_metadata() {
            Ok(found) if !found.is_file() => Err(refused(named, " is no plain file")),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Stop::unwritable(named, &error))
            }
            Ok(_) | Err(_) => Ok(Self { path }),
        }
    }

    /// The path.
    pub(in crate::command) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes away what is there, so that nobody takes it for what this run writes.
    pub(in crate::command) fn clear(&self) -> Result<(), Stop> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Stop::unwritable(&self.path, &error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn refused(named: &Path, why: &'static str) -> Stop {
    let what = text![Safe::path(named), why, "; nothing was written"];
    Stop::new(Exit::Usage, what)
}

/// The path without `.` and `..`, which take names away and follow nothing.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

/// The top of the project that `dir` is in: the nearest folder with a `.git`, else `dir` itself.
fn top(dir: &Path) -> PathBuf {
    let has_git = |dir: &&Path| dir.join(".git").symlink_metadata().is_ok();
    dir.ancestors().find(has_git).unwrap_or(dir).to_owned()
}

/// What `folder` is called where nothing below `top` is a link. Links above it are the operator's own.
fn unlinked(folder: &Path, top: &Path, real: &Path) -> PathBuf {
    let is_top = |dir: &&Path| dir.canonicalize().is_ok_and(|dir| dir == top);
    // The outermost: a link within the project may lead to its top, too.
    let entered = folder.ancestors().filter(is_top).last();
    match entered.map(|entered| folder.strip_prefix(entered)) {
        Some(Ok(below)) => top.join(below),
        Some(Err(_)) | None => real.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_link_of_the_project_is_followed() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let top = home.join("project");
        for dir in ["project/.git", "project/real", "out"] {
            fs::create_dir_all(home.join(dir)).unwrap();
        }
        fs::write(top.join("real/old"), "x").unwrap();
        symlink(home.join("out"), top.join("away")).unwrap();
        symlink(&top, top.join("round")).unwrap();
        symlink("real", top.join("other")).unwrap();
        symlink("real/old", top.join("old")).unwrap();
        symlink(&top, home.join("mine")).unwrap();
        let place = |named: &str, dir: &Path| {
            let place = Place::new(Path::new(named), dir).ok()?;
            let below = place.path().strip_prefix(&home).unwrap();
            Some(below.to_str().unwrap().to_owned())
        };
        for (named, expect) in [
            ("new", Some("project/new")),
            ("real/old", Some("project/real/old")),
            ("./real/../new", Some("project/new")),
            ("away/../new", Some("project/new")),
            ("../out/new", Some("out/new")),
            ("../mine/new", Some("project/new")),
            ("../mine/real/new", Some("project/real/new")),
            ("away/new", None),
            ("other/new", None),
            ("round/new", None),
            ("round/real/new", None),
            ("../mine/away/new", None),
            ("old", None),
            ("real", None),
            ("new/", None),
            ("none/new", None),
            ("real/old/new", None),
            (".", None),
            ("/", None),
        ] {
            assert_eq!(place(named, &top).as_deref(), expect, "{named}");
        }
        assert_eq!(
            place("new", &home.join("mine")).as_deref(),
            Some("project/new")
        );
        assert_eq!(place("../away/new", &top.join("real")), None);
    }
}
