//! Which loop files there are: those that were named, those of a repository, those of all repositories below a folder.
//!
//! **Invariant:** nothing is followed by a symbolic link and nothing is opened; however large or odd the tree, the search
//! ends.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::git::GitProgram;
use crate::git::discover::{DiscoverError, Project};
use crate::open_loop::LOOP_FILE;

/// The folder of a project with a folder for each further loop.
const LOOPS_DIR: &str = "loops";
// Limit: deeper than people keep their repositories: host/owner/name, with room on both sides.
const DEPTH_MAX: usize = 6;
// Limit: a folder of repositories has thousands of entries; a disk has millions, and was named by mistake.
const ENTRIES_MAX: usize = 200_000;
/// The most loops of one scheduler.
// Limit: ten times as many as are measured; each takes some paths and a look every few seconds.
const LOOPS_MAX: usize = 10_000;

/// Where to look for loops.
#[derive(Debug, Clone)]
pub enum Search {
    /// These loop files, whether they are there or not.
    Files(Vec<PathBuf>),
    /// The loops of the project that this folder belongs to.
    Project(PathBuf),
    /// The loops of all repositories below this folder.
    Below(PathBuf),
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Loop files, absolute.
    pub files: BTreeSet<Arc<Path>>,
    /// What was left out.
    pub notes: Vec<String>,
}

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// There is no loop.
    #[error("no {LOOP_FILE} in {}, and none in {LOOPS_DIR}/", .0.display())]
    NoLoop(PathBuf),
    /// None of the named loop files is there.
    #[error("there is no {}", .0.display())]
    NoFile(PathBuf),
    /// There is no repository with a loop.
    #[error("no repository with a {LOOP_FILE} below {}", .0.display())]
    NoLoopBelow(PathBuf),
    /// The project cannot be used.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// The folder cannot be read.
    #[error("{} cannot be read", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Search {
    /// Looks.
    ///
    /// # Errors
    /// [`FindError`] when there is no loop at all.
    pub fn find(&self, program: &GitProgram) -> Result<Found, FindError> {
        let mut found = Found::default();
        match self {
            Self::Files(files) => {
                for file in files {
                    // One that is not there yet keeps the name it was given.
                    let file = fs::canonicalize(file).unwrap_or_else(|_| file.clone());
                    found.add(file);
                }
            }
            Self::Project(dir) => {
                let project = Project::discover(program, dir)?;
                of_project(project.top(), &mut found);
                if found.files.is_empty() {
                    return Err(FindError::NoLoop(project.top().to_owned()));
                }
            }
            Self::Below(dir) => {
                let unreadable = |source| FindError::Io {
                    path: dir.clone(),
                    source,
                };
                let dir = fs::canonicalize(dir).map_err(unreadable)?;
                fs::read_dir(&dir).map_err(unreadable)?;
                below(&dir, &mut found);
                if found.files.is_empty() {
                    return Err(FindError::NoLoopBelow(dir));
                }
            }
        }
        Ok(found)
    }
}

impl Found {
    fn add(&mut self, file: PathBuf) {
        if self.files.len() < LOOPS_MAX {
            self.files.insert(file.into());
        } else {
            self.note(format!(
                "more than {LOOPS_MAX} loops: {} is left out",
                file.display()
            ));
        }
    }

    fn note(&mut self, note: String) {
        // Limit: a few are read, thousands are not.
        if self.notes.len() < 20 {
            self.notes.push(note);
        }
    }
}

/// The loop at the top of a project, and those in folders of their own.
fn of_project(top: &Path, found: &mut Found) {
    let file = top.join(LOOP_FILE);
    if is_file(&file) {
        found.add(file);
    }
    let loops = top.join(LOOPS_DIR);
    let is_folder = fs::symlink_metadata(&loops).is_ok_and(|meta| meta.is_dir());
    let names = is_folder.then(|| fs::read_dir(&loops));
    for name in names
        .into_iter()
        .flatten()
        .flatten()
        .take(LOOPS_MAX)
        .flatten()
    {
        let file = name.path().join(LOOP_FILE);
        if is_dir(&name) && is_file(&file) {
            found.add(file);
        }
    }
}

/// Repositories, folder by folder, the upper ones first. What is inside of a repository belongs to it.
fn below(dir: &Path, found: &mut Found) {
    let mut level = vec![dir.to_owned()];
    let mut entries = 0_usize;
    for _ in 0..=DEPTH_MAX {
        let mut deeper = Vec::new();
        for folder in level {
            if fs::symlink_metadata(folder.join(".git")).is_ok() {
                of_project(&folder, found);
                continue;
            }
            let names = match fs::read_dir(&folder) {
                Ok(names) => names,
                Err(error) => {
                    found.note(format!("{} cannot be read: {error}", folder.display()));
                    continue;
                }
            };
            for name in names.flatten() {
                entries += 1;
                if entries > ENTRIES_MAX {
                    found.note(format!(
                        "{} has more than {ENTRIES_MAX} entries, of which the others were not looked at",
                        dir.display()
                    ));
                    return;
                }
                if is_dir(&name) && !is_hidden(&name) {
                    deeper.push(name.path());
                }
            }
        }
        level = deeper;
    }
    if let Some(folder) = level.first() {
        found.note(format!(
            "{} and what is as deep was not looked at: {DEPTH_MAX} folders below {} are",
            folder.display(),
            dir.display()
        ));
    }
}

fn is_dir(name: &DirEntry) -> bool {
    name.file_type().is_ok_and(|kind| kind.is_dir())
}

fn is_hidden(name: &DirEntry) -> bool {
    name.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn write(top: &Path, path: &str) {
        let path = top.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    fn found(search: &Search, top: &Path) -> Vec<String> {
        let program = crate::fixture::gits().swap_remove(0);
        let found = search.find(&program).unwrap();
        let names = found.files.iter().map(|file| {
            let file = file.strip_prefix(top).unwrap();
            file.display().to_string()
        });
        names
            .chain(
                found
                    .notes
                    .iter()
                    .map(|note| note.replace(&top.display().to_string(), "TOP")),
            )
            .collect()
    }

    #[test]
    fn the_loops_of_all_repositories() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        for path in [
            "a/.git/HEAD",
            "a/LOOP.md",
            "a/loops/one/LOOP.md",
            "a/loops/two/LOOP.md",
            "a/loops/none/README.md",
            "a/loops/deep/er/LOOP.md",
            // A part of `a`, and nothing of its own.
            "a/inner/.git/HEAD",
            "a/inner/LOOP.md",
            "group/b/.git",
            "group/b/LOOP.md",
            "no-repository/LOOP.md",
            ".hidden/c/.git/HEAD",
            ".hidden/c/LOOP.md",
            "1/2/3/4/5/6/.git",
            "1/2/3/4/5/6/LOOP.md",
            "1/2/3/4/5/x/7/.git",
            "1/2/3/4/5/x/7/LOOP.md",
            "e/.git/HEAD",
            "e/LOOP.md/file",
        ] {
            write(&top, path);
        }
        symlink(top.join("a"), top.join("link")).unwrap();
        symlink("..", top.join("group/up")).unwrap();
        write(&top, "d/.git/HEAD");
        symlink("../a/LOOP.md", top.join("d/LOOP.md")).unwrap();
        symlink("../a/loops", top.join("d/loops")).unwrap();
        assert_eq!(
            found(&Search::Below(top.clone()), &top),
            [
                "1/2/3/4/5/6/LOOP.md",
                "a/LOOP.md",
                "a/loops/one/LOOP.md",
                "a/loops/two/LOOP.md",
                "group/b/LOOP.md",
                "TOP/1/2/3/4/5/x/7 and what is as deep was not looked at: 6 folders below TOP are",
            ]
        );
        assert_eq!(
            found(
                &Search::Files(vec![top.join("a/../a/LOOP.md"), top.join("x/LOOP.md")]),
                &top
            ),
            ["a/LOOP.md", "x/LOOP.md"]
        );
    }

    #[test]
    fn the_loops_of_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        let program = crate::fixture::gits().swap_remove(0);
        let search = Search::Project(top.clone());
        assert!(matches!(search.find(&program), Err(FindError::NoLoop(_))));
        assert!(matches!(
            Search::Below(top.clone()).find(&program),
            Err(FindError::NoLoopBelow(_))
        ));
        assert!(matches!(
            Search::Below(top.join("x")).find(&program),
            Err(FindError::Io { .. })
        ));
        write(&top, "loops/one/LOOP.md");
        assert_eq!(found(&search, &top), ["loops/one/LOOP.md"]);
    }
}
