//! What a promotion has to know of the project: where a loop stands, and what became of its proposals.
//!
//! **Invariant:** only questions are asked; a proposal counts as taken when the branch that is checked out has its commit, or
//! the same change in another one, and never because somebody says so.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ringfence_core::authority::{Fate, Proposed, Reach, reach};
use ringfence_core::journal::{Act, LoopState, OperatorAct, Proposal};
use ringfence_core::regulator::Record;
use ringfence_core::spec::{Level, LockedSpec};

use crate::drill;
use crate::git::discover::{Project, UserRepo};
use crate::git::output::is_id;
use crate::git::{GitError, failed};
use crate::state_dir::LoopDir;

// Limit: each is asked for with a program of its own; what is older says little of how a loop does now.
const PROPOSALS_MAX: usize = 50;

/// Where a loop stands at `now`.
#[must_use]
pub fn stands(spec: &LockedSpec, dir: &LoopDir, state: &LoopState, now: Timestamp) -> Reach {
    let bound = drill::bound(spec, dir);
    reach(spec.level, state, bound.as_ref(), now)
}

/// What became of the last fifty proposals, oldest first.
///
/// # Errors
/// [`GitError`] when the repository does not say.
pub fn fates(
    project: &Project,
    dir: &LoopDir,
    state: &LoopState,
    record: &Record,
) -> Result<Vec<Proposed>, GitError> {
    let Some(repo) = project.repository() else {
        // A patch that is gone may have been applied or not: nobody can say.
        return Ok(Vec::new());
    };
    let prefix = format!("refs/heads/ringfence/{}/", dir.loop_id());
    let branches: BTreeSet<String> = repo.references(&prefix)?.into_iter().collect();
    let of_branches = |one: &&Proposal| one.reference.starts_with("refs/");
    let last = state.proposals.iter().rev().filter(of_branches);
    let mut fates = Vec::new();
    for proposal in last.take(PROPOSALS_MAX) {
        let at = record.proposed.get(&proposal.beat).copied();
        fates.push(Proposed {
            beat: proposal.beat,
            at: at.unwrap_or(Timestamp::MIN),
            fate: fate(repo, proposal, &branches)?,
        });
    }
    fates.reverse();
    Ok(fates)
}

fn fate(
    repo: &UserRepo,
    proposal: &Proposal,
    branches: &BTreeSet<String>,
) -> Result<Fate, GitError> {
    Ok(if is_taken(repo, &proposal.commit)? {
        Fate::Accepted
    } else if branches.contains(&proposal.reference) {
        Fate::Open
    } else {
        Fate::TurnedDown
    })
}

/// Whether the branch that is checked out has the commit, or the same change in another one.
fn is_taken(repo: &UserRepo, commit: &str) -> Result<bool, GitError> {
    // A journal may say anything, and git would take much of it for a revision or an option.
    if !is_id(commit) {
        return Ok(false);
    }
    let git = repo.git();
    let call = git.call("merge-base");
    let found = call.args(["--is-ancestor", commit, "HEAD"]).run_any()?;
    match found.code {
        Some(0) => return Ok(true),
        Some(1) => {}
        // The commit is no more, and so nobody has it.
        Some(128) => return Ok(false),
        _ => return Err(failed("merge-base", &found)),
    }
    let parent = format!("{commit}^");
    let found = git
        .call("cherry")
        .args(["HEAD", commit, &parent])
        .run_any()?;
    let same = format!("- {commit}");
    let said = String::from_utf8_lossy(&found.stdout);
    Ok(found.code == Some(0) && said.trim_end() == same)
}

/// What is to be written into a journal that was brought along: that what it says of the loop's authority is worth nothing
/// here. Also where it says nothing beyond what every loop may do: its record counts from the last order on.
#[must_use]
pub(crate) fn disown(state: &LoopState) -> OperatorAct {
    let order = state.orders.level.as_ref();
    let ordered = order.map_or(Level::L2, |order| order.what.to);
    OperatorAct {
        by: "ringfence".to_owned(),
        reason: "this journal was written elsewhere".to_owned(),
        act: Act::Demote {
            to: ordered.min(Level::L2),
        },
    }
}

#[cfg(test)]
mod tests;
