//! What a beat leaves when it is cut off, and what the next one makes of it.
//!
//! Real beats of the example's loop, each a process of its own, on real repositories and folders: killed at every step
//! ([`kills`], and [`answers`] where a person was asked), in the midst of every call of git and at any time ([`git_calls`], [`any_time`]), with a full disk or a
//! damaged state directory ([`faults`]), and beside a user and another beat ([`company`]); all of that with a loop that commits
//! to the user's branch ([`commits`]); and what a beat costs that finds nothing to do ([`skips`]).
//!
//! **Invariant:** whatever happens, the user's files, index, stash, refs and checkout are byte for byte what they were, but
//! for what [`commits`] may change; the repository is sound, and each item is settled once: never twice, never lost.

#[cfg(test)]
#[path = "recovery/answers.rs"]
mod answers;
#[cfg(test)]
#[path = "recovery/any_time.rs"]
mod any_time;
#[cfg(test)]
#[path = "recovery/commits.rs"]
mod commits;
#[cfg(test)]
#[path = "recovery/company.rs"]
mod company;
#[cfg(test)]
#[path = "recovery/faults.rs"]
mod faults;
#[cfg(test)]
#[path = "recovery/git_calls.rs"]
mod git_calls;
#[cfg(test)]
#[path = "recovery/ground.rs"]
mod ground;
#[cfg(test)]
#[path = "recovery/history.rs"]
mod history;
#[cfg(test)]
#[path = "recovery/kills.rs"]
mod kills;
#[cfg(test)]
#[path = "recovery/one_beat.rs"]
mod one_beat;
#[cfg(test)]
#[path = "recovery/skips.rs"]
mod skips;
#[cfg(test)]
#[path = "recovery/users.rs"]
mod users;
