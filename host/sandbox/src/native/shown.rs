//! What a confined program is shown of the machine besides what every one is: the directories of `system`, and what resolves
//! names.
//!
//! **Invariant:** each directory that was asked for can be read under its name, or is refused here; where a link leads is
//! held to the same rules as a name that somebody wrote.

use std::io;
use std::path::{Path, PathBuf};

use ringfence_core::spec::check_system_directory;

use super::inside::SYSTEM;
use super::talk::Shown;
use super::{Command, NativeError};

/// What resolves names, where there is a network to do so with.
const RESOLVER: &[&str] = &["/etc/resolv.conf", "/etc/hosts"];

/// For a run of `command` in `tree`, which is free of links.
pub(super) fn shown(command: &Command, tree: &Path) -> Result<Vec<Shown>, NativeError> {
    let mut shown = directories(&command.system)?;
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

/// Where each directory of `system` is, without those that are shown with another.
pub(super) fn directories(system: &[PathBuf]) -> Result<Vec<Shown>, NativeError> {
    judged(system, check_system_directory)
}

/// The same; `judge` says what is wrong with where a link leads.
fn judged(
    system: &[PathBuf],
    judge: impl Fn(&str) -> Result<(), String>,
) -> Result<Vec<Shown>, NativeError> {
    let mut asked: Vec<&PathBuf> = system.iter().collect();
    // Each comes after those that it lies in.
    asked.sort();
    asked.dedup();
    let mut shown: Vec<Shown> = Vec::new();
    for at in asked {
        let from = place(at, &judge)?;
        if !comes_along(at, &shown) {
            shown.push(Shown {
                at: at.clone(),
                from,
            });
        } else if !is_found(at, &from, &shown) {
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
fn comes_along(at: &Path, shown: &[Shown]) -> bool {
    is_of_the_system(at) || shown.iter().any(|one| at.starts_with(&one.at))
}

/// True when what lies at `from` is found there, too, under the name `at`.
fn is_found(at: &Path, from: &Path, shown: &[Shown]) -> bool {
    let has = |one: &Shown| {
        let same_way = at.strip_prefix(&one.at).ok();
        let inside = from.strip_prefix(&one.from).ok();
        inside.is_some() && (one.at == one.from || inside == same_way)
    };
    is_of_the_system(from) || shown.iter().any(has)
}

fn is_of_the_system(path: &Path) -> bool {
    SYSTEM.iter().any(|top| path.starts_with(top))
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
            match judged(&system, judge) {
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
}
