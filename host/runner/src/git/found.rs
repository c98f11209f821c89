//! Where a program may be taken from.
//!
//! **Invariant:** nothing in the project that is worked on, and nothing that everybody may write, is ever run: a change could
//! have brought it along, as `node_modules/.bin` does for whoever has that in `PATH`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const ANYBODY_WRITES: u32 = 0o002;
const ANYBODY_RUNS: u32 = 0o111;

/// The top of the project that `start` is in: the nearest folder with a `.git`, else `start` itself. None where that is
/// everything there is, or not there.
pub(super) fn top(start: &Path) -> Option<PathBuf> {
    let start = start.canonicalize().ok()?;
    let has_git = |dir: &&Path| dir.join(".git").symlink_metadata().is_ok();
    let top = start.ancestors().find(has_git).unwrap_or(&start);
    top.parent()?;
    Some(top.to_owned())
}

/// The program `name` in `dir`, where it can be run and lies below none of `tops`.
pub(super) fn program(dir: &Path, name: &str, tops: &[PathBuf]) -> Option<PathBuf> {
    let path = dir.join(name);
    let is_apart = |path: &Path| {
        let real = path.canonicalize();
        let apart = |real: PathBuf| {
            let holds = |top: &PathBuf| real.starts_with(top) || path.starts_with(top);
            !tops.iter().any(holds)
        };
        real.is_ok_and(apart)
    };
    let mode = |path: &Path| path.metadata().map(|meta| meta.permissions().mode());
    let is_kept = |path: &Path| mode(path).is_ok_and(|mode| mode & ANYBODY_WRITES == 0);
    let runs = path.is_file() && mode(&path).is_ok_and(|mode| mode & ANYBODY_RUNS != 0);
    let places = [dir, path.as_path()];
    let trusted = places.iter().all(|path| is_apart(path) && is_kept(path));
    (dir.is_absolute() && runs && trusted).then_some(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_a_change_or_anybody_could_bring_along_is_passed_over() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        for dir in [
            "project/.git",
            "project/bin",
            "project/src",
            "bin",
            "linked",
            "open",
            "apart",
        ] {
            fs::create_dir_all(home.join(dir)).unwrap();
        }
        for dir in ["project/bin", "bin", "open", "apart"] {
            fs::write(home.join(dir).join("git"), "").unwrap();
            mode(&home.join(dir).join("git"), 0o755);
        }
        symlink(home.join("project/bin/git"), home.join("linked/git")).unwrap();
        symlink(home.join("project/bin"), home.join("way")).unwrap();
        symlink(home.join("bin"), home.join("project/out")).unwrap();
        let top = top(&home.join("project/src"));
        assert_eq!(top, Some(home.join("project")));
        let tops = [home.join("other"), top.unwrap()];
        let found = |dir: &str| program(&home.join(dir), "git", &tops).is_some();
        for (dir, expect) in [
            ("bin", true),
            ("project/bin", false),
            ("project/src/../bin", false),
            ("way", false),
            ("linked", false),
            // A directory outside, which a change says is another.
            ("project/out", false),
            ("none", false),
        ] {
            assert_eq!(found(dir), expect, "{dir}");
        }
        for (dir_mode, file_mode, expect) in [
            (0o775, 0o775, true),
            (0o777, 0o755, false),
            (0o1777, 0o755, false),
            (0o755, 0o757, false),
            (0o755, 0o644, false),
            (0o755, 0o755, true),
        ] {
            mode(&home.join("open"), dir_mode);
            mode(&home.join("open/git"), file_mode);
            assert_eq!(found("open"), expect, "{dir_mode:o} {file_mode:o}");
        }
        assert_eq!(program(Path::new("bin"), "git", &[]), None);
        assert!(program(&home.join("project/bin"), "git", &[]).is_some());
    }

    #[test]
    fn the_top_is_the_nearest_repository_or_the_folder() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        fs::create_dir_all(home.join("a/b/c")).unwrap();
        assert_eq!(top(&home.join("a/b")), Some(home.join("a/b")));
        fs::write(home.join("a/.git"), "gitdir: x").unwrap();
        assert_eq!(top(&home.join("a/b/../b/c")), Some(home.join("a")));
        assert_eq!(top(&home.join("none")), None);
        assert_eq!(top(Path::new("/")), None);
    }
}
