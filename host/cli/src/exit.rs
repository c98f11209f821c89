//! The exit codes: all of them, and which one a command ends with.
//!
//! **Invariant:** every choice is an exhaustive match without `_`, so that a new outcome or error cannot get a code by
//! accident.

use std::io::ErrorKind;

use ringfence_core::failure::FailureClass;
use ringfence_core::journal::{Outcome, WaitCause};
use ringfence_core::spec::LockFileError;
use ringfence_runner::driver::BeatError;
use ringfence_runner::git::discover::DiscoverError;
use ringfence_runner::lock::LockError;
use ringfence_runner::open_loop::OpenError;
use ringfence_runner::recovery::RecoveryError;
use ringfence_runner::settle::commit::TargetError;
use ringfence_runner::workspace::WorkspaceError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// It did its work.
    Done,
    /// A gate, or the host's own check, refused the change; or rules refused a promotion, a drill failed, or a loop has not
    /// proven what its level needs.
    Refused,
    /// The command line, the loop file or the project is wrong.
    Usage,
    /// A person has to look.
    Escalated,
    /// Something forbids a beat now and ends by itself.
    Waiting,
    /// A budget or a step's limit is used up.
    Exhausted,
    /// A step tried something that it was denied, and the loop treats that as fatal.
    Denied,
    /// A plugin is broken, or not the one that was pinned.
    Plugin,
    /// The host could not do its part.
    Host,
    /// Nothing had changed; only with `--detailed-exit-code`.
    Skipped,
    /// Somebody stopped it.
    Interrupted,
    /// A program that `exec` ran ended by itself, with this code.
    Program(u8),
}

impl Exit {
    /// Every exit of this program's own, by its code.
    pub const ALL: [Self; 11] = [
        Self::Done,
        Self::Refused,
        Self::Usage,
        Self::Escalated,
        Self::Waiting,
        Self::Exhausted,
        Self::Denied,
        Self::Plugin,
        Self::Host,
        Self::Skipped,
        Self::Interrupted,
    ];

    /// The code that the program ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Escalated => 3,
            Self::Waiting => 4,
            Self::Exhausted => 5,
            Self::Denied => 6,
            Self::Plugin => 7,
            Self::Host => 8,
            Self::Skipped => 10,
            Self::Interrupted => 130,
            Self::Program(code) => code,
        }
    }

    /// What the code means, as it stands in the help.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "committed, proposed, shadowed, nothing to do, or skipped",
            Self::Refused => "no, says a gate, a rule of promote, a drill or doctor",
            Self::Usage => "wrong command line, loop file, lock file or project",
            Self::Escalated => "a person is needed",
            Self::Waiting => "waiting: backoff, paused, slowed, another beat, your work in the way",
            Self::Exhausted => "a budget or a step's limit is used up",
            Self::Denied => "a step tried what it is denied, and that is fatal here",
            Self::Plugin => "a plugin is broken: trap, contract, digest",
            Self::Host => "the host failed: disk, git, journal, boundary",
            Self::Skipped => "skipped (only with --detailed-exit-code)",
            Self::Interrupted => "interrupted",
            Self::Program(_) => "the exit code of the program that was run",
        }
    }

    /// The exit for the outcome of a beat; `detailed` tells a skipped one from others that went well.
    #[must_use]
    pub fn of_outcome(outcome: &Outcome, detailed: bool) -> Self {
        match outcome {
            Outcome::Skipped if detailed => Self::Skipped,
            Outcome::Skipped
            | Outcome::NothingToDo { .. }
            | Outcome::Proposed { .. }
            | Outcome::Committed { .. }
            | Outcome::Shadowed { .. } => Self::Done,
            Outcome::Waiting {
                cause:
                    WaitCause::Backoff
                    | WaitCause::NoProgress
                    | WaitCause::Paused
                    | WaitCause::Retired
                    | WaitCause::Unmetered
                    | WaitCause::Frozen,
                ..
            } => Self::Waiting,
            Outcome::Waiting {
                cause: WaitCause::Budget,
                ..
            } => Self::Exhausted,
            Outcome::Discarded { .. } => Self::Refused,
            Outcome::Escalated { .. } => Self::Escalated,
            Outcome::Failed { class, .. } => Self::of_failure(*class),
        }
    }

    /// The exit for a beat that failed.
    #[must_use]
    pub fn of_failure(class: FailureClass) -> Self {
        match class {
            FailureClass::OutOfFuel
            | FailureClass::Deadline
            | FailureClass::Memory
            | FailureClass::Exhausted
            | FailureClass::Budget => Self::Exhausted,
            FailureClass::Config => Self::Usage,
            FailureClass::Trap
            | FailureClass::Contract
            | FailureClass::Unavailable
            | FailureClass::Internal
            | FailureClass::Decision => Self::Plugin,
            FailureClass::Denied => Self::Denied,
            FailureClass::Host => Self::Host,
            FailureClass::Interrupted => Self::Interrupted,
            FailureClass::Conflict => Self::Waiting,
        }
    }

    /// The exit for a loop that cannot be opened or locked.
    #[must_use]
    pub fn of_open(error: &OpenError) -> Self {
        match error {
            OpenError::Git(_) => Self::Host,
            OpenError::Discover(error) => Self::of_discover(error),
            OpenError::NoLoopFile(_)
            | OpenError::Outside { .. }
            | OpenError::Link(_)
            | OpenError::Timezone(_)
            | OpenError::Unpinned(_) => Self::Usage,
            // `Other` is the runner's own word for a file that is there and is no text, or no file.
            OpenError::Io { source, .. }
                if matches!(
                    source.kind(),
                    ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::Other
                ) =>
            {
                Self::Usage
            }
            OpenError::Io { .. } => Self::Host,
            OpenError::Diagnostics { diagnostics, .. } => {
                if diagnostics.iter().any(|one| one.code == "contract") {
                    Self::Plugin
                } else {
                    Self::Usage
                }
            }
            OpenError::Plugin { .. } => Self::Plugin,
            OpenError::LockFile(error) => match error {
                LockFileError::Changed { .. } => Self::Plugin,
                LockFileError::TooLong(_)
                | LockFileError::Format(_)
                | LockFileError::NotPinned(_)
                | LockFileError::Entry { .. } => Self::Usage,
            },
        }
    }

    /// The exit for a beat that could not begin.
    #[must_use]
    pub fn of_beat(error: &BeatError) -> Self {
        match error {
            BeatError::Lock(LockError::Held { .. }) => Self::Waiting,
            BeatError::Workspace(WorkspaceError::NoCommit(_)) => Self::Usage,
            BeatError::Recovery(RecoveryError::Edited { .. }) => Self::Escalated,
            BeatError::Recovery(RecoveryError::IndexLocked(_)) => Self::Waiting,
            BeatError::Target(TargetError::Git(_)) => Self::Host,
            BeatError::Target(_) => Self::Usage,
            BeatError::Workspace(WorkspaceError::Project(error)) => Self::of_discover(error),
            BeatError::Workspace(
                WorkspaceError::MissingObject { .. }
                | WorkspaceError::Index { .. }
                | WorkspaceError::Store(_)
                | WorkspaceError::Io { .. }
                | WorkspaceError::Unfit(_)
                | WorkspaceError::Git(_),
            )
            | BeatError::Lock(LockError::Io { .. })
            | BeatError::State(_)
            | BeatError::JournalFile(_)
            | BeatError::Journal { .. }
            | BeatError::Recovery(_)
            | BeatError::Git(_)
            | BeatError::Host(_) => Self::Host,
        }
    }

    /// The exit for a project that cannot be used.
    #[must_use]
    pub fn of_discover(error: &DiscoverError) -> Self {
        match error {
            DiscoverError::Bare(_) | DiscoverError::Broken { .. } => Self::Usage,
            DiscoverError::Io { source, .. } if source.kind() == ErrorKind::NotFound => Self::Usage,
            DiscoverError::CorruptHead { .. }
            | DiscoverError::OddPath(_)
            | DiscoverError::Io { .. }
            | DiscoverError::Git(_) => Self::Host,
        }
    }
}

/// The table of all codes, a line each, for the help and the documents.
#[must_use]
pub fn table() -> String {
    let lines = Exit::ALL.map(|exit| format!("  {:>3}  {}\n", exit.code(), exit.meaning()));
    format!(
        "Exit codes:\n{}  exec ends with the code of its program\n",
        lines.concat()
    )
}

/// The table of the codes that `ringfence gate` ends with, for its help.
#[must_use]
pub fn gate_table() -> String {
    let lines = GATE.map(|(exit, meaning)| format!("  {:>3}  {meaning}\n", exit.code()));
    format!("Exit codes:\n{}", lines.concat())
}

/// What the codes mean of a change that was judged. Of gates without a verdict, the highest code counts.
const GATE: [(Exit, &str); 8] = [
    (Exit::Done, "passed, or unjudged"),
    (
        Exit::Refused,
        "a gate, or the host's own check, refused the change",
    ),
    (
        Exit::Usage,
        "wrong command line, gates file, config, revision, patch or baseline",
    ),
    (
        Exit::Waiting,
        "another run of gates in this project takes too long",
    ),
    (Exit::Exhausted, "a gate used up its fuel, time or memory"),
    (
        Exit::Plugin,
        "a gate is broken, or not the one that was pinned",
    ),
    (Exit::Host, "the host failed: disk, git, boundary"),
    (Exit::Interrupted, "interrupted"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_once_and_in_order() {
        assert!(Exit::ALL.is_sorted_by_key(|exit| exit.code()));
        let codes: std::collections::BTreeSet<_> = Exit::ALL.map(Exit::code).into();
        assert_eq!(codes.len(), Exit::ALL.len());
    }

    #[test]
    fn the_table() {
        insta::assert_snapshot!(table(), @r"
        Exit codes:
            0  committed, proposed, shadowed, nothing to do, or skipped
            1  no, says a gate, a rule of promote, a drill or doctor
            2  wrong command line, loop file, lock file or project
            3  a person is needed
            4  waiting: backoff, paused, slowed, another beat, your work in the way
            5  a budget or a step's limit is used up
            6  a step tried what it is denied, and that is fatal here
            7  a plugin is broken: trap, contract, digest
            8  the host failed: disk, git, journal, boundary
           10  skipped (only with --detailed-exit-code)
          130  interrupted
          exec ends with the code of its program
        ");
    }

    #[test]
    fn outcomes() {
        let until = jiff::Timestamp::UNIX_EPOCH;
        let waiting = |cause| Outcome::Waiting {
            cause,
            until,
            why: String::new(),
        };
        for (outcome, plain, detailed) in [
            (Outcome::Skipped, 0, 10),
            (
                Outcome::NothingToDo {
                    reason: String::new(),
                },
                0,
                0,
            ),
            (
                Outcome::Proposed {
                    reference: String::new(),
                    commit: String::new(),
                },
                0,
                0,
            ),
            (
                Outcome::Committed {
                    reference: String::new(),
                    commit: String::new(),
                    previous: String::new(),
                },
                0,
                0,
            ),
            (
                Outcome::Shadowed {
                    patch: String::new(),
                },
                0,
                0,
            ),
            (Outcome::Discarded { reasons: vec![] }, 1, 1),
            (
                Outcome::Escalated {
                    why: vec![],
                    id: String::new(),
                },
                3,
                3,
            ),
            (waiting(WaitCause::Backoff), 4, 4),
            (waiting(WaitCause::Budget), 5, 5),
            (waiting(WaitCause::NoProgress), 4, 4),
            (waiting(WaitCause::Paused), 4, 4),
            (waiting(WaitCause::Retired), 4, 4),
            (waiting(WaitCause::Unmetered), 4, 4),
            (waiting(WaitCause::Frozen), 4, 4),
        ] {
            let codes = [false, true].map(|detail| Exit::of_outcome(&outcome, detail).code());
            assert_eq!(codes, [plain, detailed], "{outcome:?}");
        }
    }

    #[test]
    fn failures() {
        let codes =
            FailureClass::ALL.map(|class| format!("{class} {}", Exit::of_failure(class).code()));
        insta::assert_snapshot!(codes.join("\n"), @r"
        out-of-fuel 5
        deadline 5
        memory 5
        exhausted 5
        trap 7
        contract 7
        config 2
        unavailable 7
        internal 7
        decision 7
        denied 6
        budget 5
        host 8
        interrupted 130
        conflict 4
        ");
    }
}
