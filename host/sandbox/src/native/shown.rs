//! What a confined program is shown of the machine besides what every one is: the directories of `system`, and what resolves
//! names; and what it is not shown of what every one is.
//!
//! **Invariant:** each directory that was asked for can be read under its name, or is refused here; where a link leads is
//! held to the same rules as a name that somebody wrote. The tree and what is private are found in nothing that is shown, unless
//! somebody asked for a directory in it by its name.

use std::io;
use std::path::{Path, PathBuf};

use ringfence_core::spec::check_system_directory;

use super::inside::{SYSTEM, is_of_etc};
use super::talk::Shown;
use super::{Command, NativeError};

/// What resolves names, where there is a network to do so with.
const RESOLVER: &[&str] = &["/etc/resolv.conf", "/etc/hosts"];

/// For a run of `command` in `tree`, which is free of links, as are those of `covered`.
pub(super) fn shown(
    command: &Command,
    tree: &Path,
    covered: &[PathBuf],
) -> Result<Vec<Shown>, NativeError> {
    let mut shown = directories(&command.system, covered)?;
    hold_nothing(&shown, &real(&command.private)?)?;
    let in_each_other = |one: &&Shown| one.from.starts_with(tree) || tree.starts_with(&one.from);
    if let Some(one) = shown.iter().find(in_each_other) {
        let why = format!(
            "the directory {} and the tree {} are one in the other",
            one.at.display(),
            tree.display()
        );
        return Err(NativeError::Refused(why));
    }
    let resolver = RESOLVER.iter().filter(|_| command.network);
    shown.extend(resolver.filter_map(|at| {
        let from = std::fs::canonicalize(at).ok()?;
        Some(Shown {
            at: PathBuf::from(at),
            from,
        })
    }));
    Ok(shown)
}

/// See [`super::check_system`].
pub(super) fn check(system: &[PathBuf], private: &[PathBuf]) -> Result<(), NativeError> {
    let private = real(private)?;
    let covered = covered_of(private.clone())?;
    hold_nothing(&directories(system, &covered)?, &private)
}

/// What every sandbox has, and the program of a run in `tree` must not see.
pub(super) fn covered(private: &[PathBuf], tree: &Path) -> Result<Vec<PathBuf>, NativeError> {
    let mut private = real(private)?;
    private.push(tree.to_owned());
    covered_of(private)
}

/// Of directories that are free of links those that lie in something that every sandbox has, and not in another of them.
fn covered_of(mut private: Vec<PathBuf>) -> Result<Vec<PathBuf>, NativeError> {
    // Each comes after those that it lies in.
    private.sort();
    let mut covered: Vec<PathBuf> = Vec::new();
    for path in private {
        if SYSTEM.iter().any(|top| Path::new(top).starts_with(&path)) || is_of_etc(&path) {
            let why = "no command can run beside it, since every command sees what is in there";
            return Err(NativeError::Refused(format!(
                "{} is of the system: {why}",
                path.display()
            )));
        }
        if is_of_the_system(&path, &covered) {
            covered.push(path);
        }
    }
    Ok(covered)
}

/// Those that are there, free of links.
fn real(private: &[PathBuf]) -> Result<Vec<PathBuf>, NativeError> {
    let mut found = Vec::new();
    for path in private {
        match std::fs::canonicalize(path) {
            Ok(path) => found.push(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                let path = path.clone();
                return Err(NativeError::Tree { path, source });
            }
        }
    }
    Ok(found)
}

/// Refuses a directory that is, or holds, what is private. One in such a place was named by somebody who wants just that.
fn hold_nothing(shown: &[Shown], private: &[PathBuf]) -> Result<(), NativeError> {
    for one in shown {
        let held = private.iter().find(|path| path.starts_with(&one.from));
        if let Some(held) = held {
            let why = format!(
                "holds {}, which no command sees: name the directory in it that is needed",
                held.display()
            );
            return Err(refused(&one.at, &why));
        }
    }
    Ok(())
}

/// Where each directory of `system` is, without those that are shown with another.
fn directories(system: &[PathBuf], covered: &[PathBuf]) -> Result<Vec<Shown>, NativeError> {
    judged(system, covered, check_system_directory)
}

/// The same; `judge` says what is wrong with where a link leads.
fn judged(
    system: &[PathBuf],
    covered: &[PathBuf],
    judge: impl Fn(&str) -> Result<(), String>,
) -> Result<Vec<Shown>, NativeError> {
    let mut asked: Vec<&PathBuf> = system.iter().collect();
    // Each comes after those that it lies in.
    asked.sort();
    asked.dedup();
    let mut shown: Vec<Shown> = Vec::new();
    for at in asked {
        let from = place(at, &judge)?;
        if !comes_along(at, &shown, covered) {
            shown.push(Shown {
                at: at.clone(),
                from,
            });
        } else if !is_found(at, &from, &shown, covered) {
            let why = format!("leads to {}, which is not shown", from.display());
            return Err(refused(at, &why));
        }
    }
    Ok(shown)
}

fn place(at: &Path, judge: impl Fn(&str) -> Result<(), String>) -> Result<PathBuf, NativeError> {
    let from = std::fs::canonicalize(at).map_err(|error| refused(at, &reason(&error)))?;
    if !from.is_dir() {
        return Err(refused(at, "is no directory"));
    }
    // The name itself was judged where it was read.
    if from != *at {
        let text = from.to_string_lossy();
        judge(&text).map_err(|why| refused(at, &format!("leads to {text}, and {why}")))?;
    }
    Ok(from)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is not there".to_owned(),
        _ => format!("cannot be looked at: {error}"),
    }
}

fn refused(at: &Path, why: &str) -> NativeError {
    NativeError::Directory(format!("the directory {} {why}", at.display()))
}

/// True when the name lies in something that is shown.
fn comes_along(at: &Path, shown: &[Shown], covered: &[PathBuf]) -> bool {
    is_of_the_system(at, covered) || shown.iter().any(|one| at.starts_with(&one.at))
}

/// True when what lies at `from` is found there, too, under the name `at`.
fn is_found(at: &Path, from: &Path, shown: &[Shown], covered: &[PathBuf]) -> bool {
    let has = |one: &Shown| {
        let same_way = at.strip_prefix(&one.at).ok();
        let inside = from.strip_prefix(&one.from).ok();
        inside.is_some() && (one.at == one.from || inside == same_way)
    };
    is_of_the_system(from, covered) || shown.iter().any(has)
}

fn is_of_the_system(path: &Path, covered: &[PathBuf]) -> bool {
    let is_covered = covered.iter().any(|top| path.starts_with(top));
    !is_covered && SYSTEM.iter().any(|top| path.starts_with(top))
}

#[cfg(test)]
mod tests {
    use std::fs::create_dir_all;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_asked_for_is_shown_or_refused() {
        let dir = tempfile::tempdir().unwrap();
        let top = std::fs::canonicalize(dir.path()).unwrap();
        for name in ["a/b/c", "other", "file/.."] {
            create_dir_all(top.join(name)).unwrap();
        }
        std::fs::write(top.join("a/text"), "").unwrap();
        symlink("../other", top.join("a/out")).unwrap();
        symlink("b", top.join("a/within")).unwrap();
        symlink("/usr/bin", top.join("a/programs")).unwrap();
        symlink("/proc/self", top.join("process")).unwrap();
        symlink("/etc", top.join("settings")).unwrap();
        let names = |system: &[&str]| {
            let system: Vec<PathBuf> = system.iter().map(|name| top.join(name)).collect();
            // What is made for a test lies where nothing is shown of.
            let judge = |text: &str| {
                if text.starts_with(top.to_str().unwrap()) {
                    Ok(())
                } else {
                    check_system_directory(text)
                }
            };
            match judged(&system, &[], judge) {
                Ok(shown) => {
                    let names = shown.iter().map(|one| one.at.strip_prefix(&top).unwrap());
                    let names: Vec<_> = names.map(|name| name.display().to_string()).collect();
                    names.join(" ")
                }
                Err(NativeError::Directory(why)) => why.replace(&format!("{}/", top.display()), ""),
                Err(other) => other.to_string(),
            }
        };
        // In whatever order they are written.
        assert_eq!(names(&["a/b/c", "a/b"]), "a/b");
        assert_eq!(names(&["a/b", "a/b/c", "other", "a/b"]), "a/b other");
        assert_eq!(names(&["a/b/c", "other"]), "a/b/c other");
        assert_eq!(names(&["a", "a/within", "a/programs"]), "a");
        assert_eq!(names(&["a/programs"]), "a/programs");
        assert_eq!(names(&["/usr/bin"]), "");
        assert_eq!(names(&["a/out"]), "a/out");
        assert_eq!(
            names(&["a", "a/out"]),
            "the directory a/out leads to other, which is not shown"
        );
        assert_eq!(names(&["a", "a/out", "other"]), names(&["a", "a/out"]));
        assert_eq!(names(&["none"]), "the directory none is not there");
        assert_eq!(names(&["a/text"]), "the directory a/text is no directory");
        for (link, why) in [
            ("process", "is never shown to a command"),
            ("settings", "\"/etc\" shows a command too much"),
        ] {
            assert!(names(&[link]).contains(why), "{}", names(&[link]));
        }
    }
    #[test]
    fn what_is_private_is_shown_under_no_name() {
        let paths = |paths: &[&str]| -> Vec<PathBuf> { paths.iter().map(Into::into).collect() };
        let covered =
            |private: &[&str]| covered_of(paths(private)).map_err(|error| error.to_string());
        assert_eq!(
            covered(&[
                "/srv/app",
                "/usr/src/app/.git",
                "/lib/app",
                "/usr/src/app",
                "/usrlocal"
            ]),
            Ok(paths(&["/lib/app", "/usr/src/app"]))
        );
        for of_the_system in ["/", "/usr", "/lib", "/etc/ssl/certs", "/etc/python3.11/x"] {
            let why = covered(&["/srv/app", of_the_system]).unwrap_err();
            assert!(
                why.starts_with(&format!("{of_the_system} is of the system: ")),
                "{why}"
            );
        }
        assert_eq!(covered(&["/etc/app", "/etc", "/srv/me"]), Ok(vec![]));

        let private = paths(&["/usr/src/app"]);
        assert!(is_of_the_system(Path::new("/usr/src/apple"), &private));
        assert!(!is_of_the_system(Path::new("/usr/src/app/x"), &private));
        assert!(!comes_along(Path::new("/usr/src/app/x"), &[], &private));
        let from = Path::new("/usr/src/app/x");
        assert!(!is_found(Path::new("/usr/x"), from, &[], &private));

        let shown = |from: &str| Shown {
            at: "/name".into(),
            from: from.into(),
        };
        let holds = |from: &str| hold_nothing(&[shown(from)], &paths(&["/srv/app/.git"]));
        for from in ["/srv", "/srv/app", "/srv/app/.git"] {
            let why = holds(from).unwrap_err().to_string();
            assert!(
                why.starts_with("the directory /name holds /srv/app/.git, which"),
                "{why}"
            );
        }
        for from in ["/srv/app/.git/lfs", "/srv/app/src", "/srv/ap", "/opt"] {
            holds(from).unwrap();
        }
    }
}
