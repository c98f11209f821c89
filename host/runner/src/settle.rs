//! Makes a judged change visible outside the loop's own folder: as a branch with one commit, as a patch file, or, in
//! [`commit`], as one more commit on a branch of the user's.
//!
//! The driver journals the [`Intent`] first, then calls [`carry_out`], then journals what came of it; after a crash
//! [`recovery`](crate::recovery) reads the intent and says which of the two it was.
//!
//! **Invariant:** but for [`commit`], the user's index, checkout, stash and `HEAD` are never touched, and no ref is ever
//! moved or removed: a proposal is a new branch or nothing. What is published is compared with what was judged before any
//! ref names it.

pub mod commit;
mod import;
mod patch;
mod sync;

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use ringfence_core::change::ChangeSet;
use ringfence_core::ids::{BeatNo, LoopId};
use serde::{Deserialize, Serialize};

use crate::git::discover::UserRepo;
use crate::git::output::Commit;
use crate::git::{GitError, failed};
use crate::steps::{self, Steps};
use crate::workspace::{Base, MeasureError, Workspace};

/// How far a change may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// L1: a patch beside the journal.
    Shadow,
    /// L2: a branch; without a commit to begin from, a patch.
    Propose,
    /// A patch that waits for a person.
    Hold,
}

/// A change that every gate has passed, and how it is to be published.
#[derive(Debug, Clone, Copy)]
pub struct Settlement<'a> {
    /// Whose change.
    pub loop_id: &'a LoopId,
    /// Which beat's.
    pub beat: BeatNo,
    /// How far it may go.
    pub target: Target,
    /// What it was made from.
    pub base: &'a Base,
    /// What was judged.
    pub change: &'a ChangeSet,
    /// Commit message; control characters are taken out.
    pub message: &'a str,
    /// Time of the commit.
    pub time: Timestamp,
}

/// What is about to be published, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Intent {
    /// A branch with one commit.
    Branch {
        /// Full name: `refs/heads/ringfence/<loop>/<beat>`.
        reference: String,
        /// The commit's only parent.
        base_commit: String,
        /// The commit's tree.
        candidate_tree: String,
    },
    /// A patch file in the loop's folder.
    Patch {
        /// `shadow/<beat>.patch`, `proposals/<beat>.patch` or `held/<beat>.patch`.
        file: String,
        /// Tree it leads to, which its header names.
        candidate_tree: String,
    },
}

/// What has been published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Published {
    /// A branch.
    Branch {
        /// Full name of the ref.
        reference: String,
        /// The commit on it.
        commit: String,
    },
    /// A patch file.
    Patch {
        /// Its path from the loop's folder.
        file: String,
    },
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// There is nothing in the change set.
    #[error("the change is empty")]
    Empty,
    /// A proposal of that name is there; it is never overwritten.
    #[error("{0} exists already")]
    Exists(String),
    /// A branch stands where a folder of branches has to be.
    #[error("a branch named {taken} is in the way of {wanted}")]
    NameTaken {
        /// The user's branch.
        taken: String,
        /// The proposal's.
        wanted: String,
    },
    /// What git wrote is not what was judged; no ref names it.
    #[error("the commit {commit} that was written is not the change that was judged")]
    NotAsJudged {
        /// The commit.
        commit: String,
    },
    /// The project is no git repository, or the base has no commit, and a branch was asked for.
    #[error("a branch needs a commit to begin from")]
    NoRepository,
    /// Somebody else's work is in the way of a commit to the target branch.
    #[error(transparent)]
    Conflict(#[from] commit::Conflict),
    /// What a commit to the checked-out branch replaces is too much to be compared.
    #[error(
        "the files that the change replaces have {0} bytes together, more than can be brought along"
    )]
    TooLarge(u64),
    /// A path that is no file and no link.
    #[error("{0} is neither a file nor a link, before or after")]
    Odd(String),
    /// Files were edited while they were being put back.
    #[error("the working tree could not be put back as it was: {0}")]
    HalfWay(String),
    /// The checkout is not what was judged, or cannot be measured.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// A file cannot be written or flushed.
    #[error("{} cannot be written", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Git said no.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl SettleError {
    /// True when it is certain that nothing was made visible, whatever stands under the name.
    #[must_use]
    pub fn leaves_nothing(&self) -> bool {
        match self {
            Self::Empty
            | Self::Exists(_)
            | Self::NameTaken { .. }
            | Self::NotAsJudged { .. }
            | Self::NoRepository
            | Self::Conflict(_)
            | Self::TooLarge(_)
            | Self::Odd(_)
            | Self::Measure(_) => true,
            Self::HalfWay(_) | Self::Io { .. } | Self::Git(_) => false,
        }
    }
}

impl Settlement<'_> {
    /// What [`carry_out`] would do.
    #[must_use]
    pub fn intent(&self) -> Intent {
        let candidate_tree = self.change.candidate_tree.clone();
        let beat = self.beat;
        match (self.target, &self.base.commit) {
            (Target::Shadow, _) => Intent::Patch {
                file: format!("shadow/{beat}.patch"),
                candidate_tree,
            },
            (Target::Hold, _) => Intent::Patch {
                file: format!("held/{beat}.patch"),
                candidate_tree,
            },
            (Target::Propose, None) => Intent::Patch {
                file: format!("proposals/{beat}.patch"),
                candidate_tree,
            },
            (Target::Propose, Some(commit)) => Intent::Branch {
                reference: reference(self.loop_id, beat),
                base_commit: commit.clone(),
                candidate_tree,
            },
        }
    }
}

/// The branch that a beat's proposal stands on.
#[must_use]
pub fn reference(loop_id: &LoopId, beat: BeatNo) -> String {
    format!("refs/heads/ringfence/{loop_id}/{beat}")
}

/// Publishes what `what.intent()` says, after measuring the checkout once more.
///
/// # Errors
/// [`SettleError`]. Whether the ref or file is there then is for [`recovery`](crate::recovery) to say: an error while
/// flushing comes after it has been made.
pub fn carry_out(
    ws: &Workspace,
    what: &Settlement<'_>,
    steps: &dyn Steps,
) -> Result<Published, SettleError> {
    if what.change.is_empty() {
        return Err(SettleError::Empty);
    }
    ws.verify(what.base, what.change, steps)?;
    match what.intent() {
        Intent::Patch { file, .. } => {
            patch::publish(ws, what, &file, steps).map(|()| Published::Patch { file })
        }
        Intent::Branch {
            reference,
            base_commit,
            ..
        } => {
            let repo = ws.project().repository().ok_or(SettleError::NoRepository)?;
            let commit = publish_branch(ws, repo, what, &reference, &base_commit, steps)?;
            Ok(Published::Branch { reference, commit })
        }
    }
}

fn publish_branch(
    ws: &Workspace,
    repo: &UserRepo,
    what: &Settlement<'_>,
    reference: &str,
    base_commit: &str,
    steps: &dyn Steps,
) -> Result<String, SettleError> {
    check_name(repo, reference)?;
    let git = repo.git_without_hooks()?;
    let commit = import::import(ws, &git, what, base_commit, steps)?;
    steps.at(steps::OBJECTS_IMPORTED);
    if !is_as_judged(
        ws.store().commit(&commit)?.as_ref(),
        base_commit,
        &what.change.candidate_tree,
    ) {
        return Err(SettleError::NotAsJudged { commit });
    }
    sync::objects(ws.store(), repo.common_dir(), &commit, what.change)?;
    steps.at(steps::COMMIT_VERIFIED);
    // `create` is the compare-and-swap: it holds only where no such ref is.
    let wish = format!("start\ncreate {reference} {commit}\nprepare\ncommit\n");
    let call = git
        .call("update-ref")
        .args(["--no-deref", "-m", "ringfence: proposed", "--stdin"]);
    let ended = call.stdin(wish.into_bytes()).run_any()?;
    if ended.code != Some(0) {
        // A git that was killed may have made it all the same.
        if repo.resolve(reference)?.as_ref() != Some(&commit) {
            check_name(repo, reference)?;
        }
        return Err(failed("update-ref", &ended).into());
    }
    steps.at(steps::REF_CREATED);
    sync::reference(repo.common_dir(), reference)?;
    steps.at(steps::REF_SYNCED);
    Ok(commit)
}

/// True when a commit is the candidate on top of the base and nothing else.
pub(crate) fn is_as_judged(
    commit: Option<&Commit>,
    base_commit: &str,
    candidate_tree: &str,
) -> bool {
    commit.is_some_and(|commit| {
        commit.tree == candidate_tree && commit.parents.iter().eq([base_commit])
    })
}

/// Flushes a ref once more, for a beat that was interrupted between making and flushing it.
pub(crate) fn sync_reference(repo: &UserRepo, reference: &str) -> Result<(), SettleError> {
    sync::reference(repo.common_dir(), reference)
}

/// The diff in a patch file, without what stands before it; none when it is no patch of ours.
pub(crate) fn patch_diff(bytes: &[u8]) -> Option<&[u8]> {
    patch::diff(bytes)
}

/// The candidate tree that a patch file says it leads to; none when there is no such file, or it is no patch of ours.
pub(crate) fn patch_candidate(path: &std::path::Path) -> io::Result<Option<String>> {
    patch::candidate(path)
}

fn check_name(repo: &UserRepo, reference: &str) -> Result<(), SettleError> {
    if repo.resolve(reference)?.is_some() {
        return Err(SettleError::Exists(reference.to_owned()));
    }
    for (end, _) in reference.match_indices('/').skip(2) {
        let taken = reference.get(..end).unwrap_or_default();
        if repo.resolve(taken)?.is_some() {
            return Err(SettleError::NameTaken {
                taken: taken.to_owned(),
                wanted: reference.to_owned(),
            });
        }
    }
    Ok(())
}

/// Text fit for a commit: no control characters but newline and tab, one newline at its end.
fn clean_message(text: &str) -> String {
    let clean: String = text
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    format!("{}\n", clean.trim_end())
}

#[cfg(test)]
mod tests;
