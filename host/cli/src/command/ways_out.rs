//! What to do about an error of the layers below, in words of the command line.
//!
//! **Invariant:** advice never loses anything: it moves away, restores or installs.

use std::io::ErrorKind;

use ringfence_core::journal::{JournalError, JournalProblem};
use ringfence_core::spec::Diagnostic;
use ringfence_runner::git::GitError;
use ringfence_runner::git::discover::DiscoverError;
use ringfence_runner::journal_file::JournalFileError;
use ringfence_runner::settle::commit::TargetError;
use ringfence_runner::state_dir::StateDirError;

/// What to do about a journal that a newer version of this program has written to.
pub(super) const NEWER: &str = "a newer ringfence wrote it, and nothing is wrong with it: update this one, and leave the journal as it is";

/// What to do about a journal whose entries cannot be trusted.
pub(super) fn of_journal(error: &JournalError) -> &'static str {
    match error.problem {
        JournalProblem::OtherLoop => {
            "put the loop's own journal back; or move this one away, and the `bookmark` beside it, to begin anew"
        }
        _ if error.problem.is_newer() => NEWER,
        _ => {
            "no beat runs on a history that cannot be trusted: restore the file, or move it away, and the `bookmark` beside it, to begin anew"
        }
    }
}

/// What to do about a journal that cannot be read or written.
pub(super) fn of_journal_file(error: &JournalFileError) -> Option<&'static str> {
    match error {
        JournalFileError::Lost { .. } => Some(
            "restore it; to go on with what is there, move the `bookmark` beside it away: what is lost counts for no budget and no item then",
        ),
        JournalFileError::TooLong { .. } => Some(
            "retire the loop and give its file another name (`loop = \"…\"`): it begins anew, and this history stays where it is",
        ),
        JournalFileError::Io { .. }
        | JournalFileError::BadLine { .. }
        | JournalFileError::Unwritable(_)
        | JournalFileError::Poisoned
        | JournalFileError::Changed { .. } => None,
    }
}

/// What to do about a state directory that cannot be used.
pub(super) fn of_state(error: &StateDirError) -> Option<&'static str> {
    match error {
        StateDirError::Symlink(_) | StateDirError::NotADirectory(_) => {
            Some("move it away; a beat makes the directory where there is none")
        }
        StateDirError::ForeignOwner { .. } => {
            Some("run as that user, or move the directory away: a beat makes a new one")
        }
        StateDirError::ReadOnly(_) => {
            Some("give yourself the right to write there: beats keep their journal in it")
        }
        StateDirError::Io { source, .. } if source.kind() == ErrorKind::ReadOnlyFilesystem => Some(
            "the file system is read-only, and beats keep their journal there: mount it for writing",
        ),
        StateDirError::Io { .. } => None,
    }
}

/// What native programs need of a machine that keeps them from running confined.
pub(super) const TO_CONFINE: &str = "it takes Linux 5.11 and user namespaces: `sysctl user.max_user_namespaces=10000`; on Ubuntu \
     24.04 also `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; in a container `--security-opt seccomp=unconfined \
     --security-opt apparmor=unconfined --security-opt systempaths=unconfined`";

/// What to do about git.
pub(super) fn of_git(error: &GitError) -> Option<&'static str> {
    match error {
        GitError::NotFound => Some("install git, or add its folder to PATH by its absolute path"),
        GitError::TooOld { .. } => Some("install a newer git, or put one first in PATH"),
        _ => None,
    }
}

/// What to do about a project that cannot be used.
pub(super) fn of_discover(error: &DiscoverError) -> Option<&'static str> {
    match error {
        DiscoverError::Broken { .. } => {
            Some("restore the repository; without its .git the folder is worked on as it is")
        }
        DiscoverError::CorruptHead { .. } => Some("`git fsck` says more; nothing was changed"),
        DiscoverError::Git(error) => of_git(error),
        DiscoverError::Bare(_) | DiscoverError::OddPath(_) | DiscoverError::Io { .. } => None,
    }
}

/// How to have a revision of a change here, or the history behind it where the clone is shallow.
pub(super) fn to_fetch(name: &str, shallow: bool) -> String {
    let more = if shallow { "--unshallow " } else { "" };
    let short = name.strip_prefix("refs/remotes/").unwrap_or(name);
    let is_word = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    let branch = short
        .strip_prefix("origin/")
        .filter(|branch| branch.chars().all(is_word))
        .unwrap_or("BRANCH");
    // A clone of one branch fetches no other, unless it is told where to.
    let fetch = format!("`git fetch {more}origin {branch}:refs/remotes/origin/{branch}`");
    if shallow {
        format!("fetch what is missing: {fetch}, or `fetch-depth: 0` in a workflow")
    } else {
        format!("fetch it first: {fetch}; `git branch --all` shows what there is")
    }
}

/// What to do about a branch that a loop cannot commit to.
pub(super) fn of_target(error: &TargetError) -> Option<&'static str> {
    match error {
        TargetError::NoRepository(_) => Some("`level = \"L2\"` leaves a patch to apply"),
        TargetError::Apart(_) => Some("`level = \"L2\"` proposes branches"),
        TargetError::Detached => Some("switch to a branch, or name one: `target = \"main\"`"),
        TargetError::Unborn(_) => Some("commit something first"),
        TargetError::NotThere(_) | TargetError::NotABranch(_) => {
            Some("`git branch --list` shows the branches there are")
        }
        TargetError::Git(error) => of_git(error),
    }
}

/// The problems of a loop file with where to look for plugins that are not there, which only this program knows.
pub(super) fn of_diagnostics(text: &str, found: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut found = found.to_vec();
    let is_missing = |one: &&mut Diagnostic| one.code == "missing-plugin" && one.help.is_none();
    for missing in found.iter_mut().filter(is_missing) {
        let named = text.get(missing.span.clone()).unwrap_or_default();
        let help = if named.contains("std:") {
            "`ringfence plugin list` shows those inside this program"
        } else {
            "build it, or correct the path, which begins at the top of the project"
        };
        missing.help = Some(help.to_owned());
    }
    found
}
