//! The git program: found, called within limits, and deaf to what a repository configures.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::fixture::{Rig, gits};

fn fake(dir: &Path, says: &str) {
    fs::write(dir.join("git"), format!("#!/bin/sh\n{says}\n")).unwrap();
    fs::set_permissions(dir.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn versions() {
    for (text, expect) in [
        ("git version 2.39.5", Some((2, 39))),
        ("git version 2.39.5 (Apple Git-154)", Some((2, 39))),
        ("git version 3.0", Some((3, 0))),
        ("git version 2.50.rc1", Some((2, 50))),
        ("git version two", None),
        ("hub version 2.1", None),
        ("", None),
    ] {
        assert_eq!(parse_version(text), expect, "{text:?}");
    }
}

#[test]
fn finds_only_a_git_that_is_new_enough_and_absolute() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().as_os_str();
    assert!(matches!(
        GitProgram::find(path, &[]),
        Err(GitError::NotFound)
    ));
    assert!(matches!(
        GitProgram::find(OsStr::new(""), &[]),
        Err(GitError::NotFound)
    ));
    assert!(matches!(
        GitProgram::find(OsStr::new(".:bin:"), &[]),
        Err(GitError::NotFound)
    ));
    fake(dir.path(), "echo git version 2.38.9");
    let error = GitProgram::find(path, &[]).unwrap_err();
    let expect = format!(
        "{}/git is version git version 2.38.9, and 2.39 or later is needed",
        dir.path().display()
    );
    assert_eq!(error.to_string(), expect);
    fake(dir.path(), "printf 'what\\033['; exit 1");
    assert!(matches!(
        GitProgram::find(path, &[]),
        Err(GitError::Unreadable {
            command: "version",
            ..
        })
    ));
    fake(dir.path(), "echo git version 2.39.0");
    assert_eq!(GitProgram::find(path, &[]).unwrap().version(), (2, 39));
    // It is not even asked what it is, where a change could have brought it along.
    assert!(matches!(
        GitProgram::find(path, &[dir.path()]),
        Err(GitError::NotFound)
    ));
    fs::set_permissions(dir.path().join("git"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(
        GitProgram::find(path, &[])
            .unwrap_err()
            .is_missing_program()
    );
}

#[test]
fn a_failed_call_says_what_and_why() {
    for program in gits() {
        let rig = Rig::empty(&program, &[]);
        let git = Git::new(&program, &rig.top.join(".git"), Durability::Full);
        let error = git
            .call("cat-file")
            .args(["blob", "nope"])
            .run()
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "git cat-file failed (exit 128): fatal: Not a valid object name nope"
        );
        let error = git
            .call("rev-parse")
            .arg("--git-dir")
            .stdout_max(1)
            .run()
            .unwrap_err();
        assert!(
            matches!(
                error,
                GitError::Run {
                    source: RunError::TooMuchOutput(1),
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn nothing_of_the_environment_or_the_machine_reaches_git() {
    for program in gits() {
        let rig = Rig::empty(&program, &[]);
        let git = Git::new(&program, &rig.top.join(".git"), Durability::Full);
        let said = git
            .call("config")
            .args(["--list", "--show-scope", "-z"])
            .run()
            .unwrap();
        let text = String::from_utf8(said).unwrap();
        let scopes: std::collections::BTreeSet<_> = text
            .split('\0')
            .step_by(2)
            .filter(|scope| !scope.is_empty())
            .collect();
        assert_eq!(scopes.into_iter().collect::<Vec<_>>(), ["command", "local"]);
    }
}
