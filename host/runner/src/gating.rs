//! `ringfence gate`: any change between two trees, judged by gates without a loop.
//!
//! A run takes the lock of the folder that gates work in, reads its rules ([`open`](Gating::open)), finds the two trees
//! (`sides`), runs the operator's programs (`commands`), checks out what gates may read and no more, asks the gates side by side (`ask`), weighs what they say,
//! and holds what they cost to what is recorded (`fuel`). `receipt` keeps what decided, `replay` makes a run again from it.
//!
//! **Invariant:** the user's repository is only read. What runs is pinned; what is not answered has not passed. With rules from
//! a revision, nothing that the change brings along decides about it.

mod ask;
mod commands;
mod fuel;
mod lines;
mod open;
mod patch_names;
mod place;
mod receipt;
mod replay;
mod side_by_side;
mod sides;
mod spelled;
mod weigh;

use std::path::PathBuf;
use std::sync::Arc;

use ringfence_core::change::COMMITS_MAX;
use ringfence_core::digest::Digest;
use ringfence_core::evidence::Side;
use ringfence_core::gating::{BaselineError, FuelFileError, HeldFuel, Percent, Report};
use ringfence_core::ids::StepId;
use ringfence_core::spec::LockedGates;
use ringfence_core::verdict::Severity;
use ringfence_sandbox::{EvidenceSource, Sandbox};

use crate::calls::Matter;
use crate::clock::Clock;
use crate::git::GitError;
use crate::git::discover::DiscoverError;
use crate::lock::LockError;
use crate::open_loop::{Components, LockMode, OpenError, PluginSource};
use crate::state_dir::StateDirError;
use crate::steps::Steps;
use crate::store::StoreError;
use crate::workspace::{MeasureError, WorkspaceError};

use self::sides::Sides;

pub use self::open::{GATES_FILE, Gating};
pub use self::receipt::{ReceiptFileError, Signer, Which, append_receipt, read_receipt};
pub use self::replay::{ReplayError, Replayed};

/// What is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A revision, as git spells it.
    Revision(String),
    /// The user's files as they are, without what is ignored.
    Worktree,
    /// The user's index: the one that git names to a hook, from the top of the working tree, or else its own.
    Staged(Option<PathBuf>),
    /// A unified diff over the base.
    Patch(Vec<u8>),
}

/// What a change is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// The commit that is checked out.
    Checked,
    /// A revision, as git spells it.
    Revision(String),
    /// Nothing: every file is new.
    Nothing,
}

/// Which change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it is compared with.
    pub base: Base,
    /// What is judged.
    pub head: Head,
    /// True to compare with the base itself, not with where head left it. Only a revision is left somewhere.
    pub direct: bool,
}

/// How it is judged.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only these gates; all of them where there are none.
    pub only: Vec<StepId>,
    /// Instead of the gates file's `fail_on`.
    pub fail_on: Option<Severity>,
    /// True to refuse what no gate passed.
    pub require_some: bool,
    /// Instead of the gates file's `baseline`; from the folder the command was started in.
    pub baseline: Option<PathBuf>,
    /// True to go without any baseline.
    pub no_baseline: bool,
    /// True to run what is remembered as well.
    pub no_memo: bool,
    /// How many gates run at once; at least 1.
    pub jobs: usize,
    /// True to run commands that are not confined.
    pub allow_unconfined: bool,
    /// Reports that were made elsewhere.
    pub reports: Vec<HandedIn>,
    /// How their fuel is compared.
    pub fuel: FuelOptions,
}

/// A report of a native program that ran somewhere else, say in an earlier step of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedIn {
    /// The command that gates know it by.
    pub command: StepId,
    /// The tree it ran on.
    pub side: Side,
    /// The report's name.
    pub report: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How the fuel of gates is compared with what is recorded.
#[derive(Debug, Clone, Default)]
pub struct FuelOptions {
    /// Instead of the gates file's `file`; from the folder the command was started in.
    pub file: Option<PathBuf>,
    /// Instead of the gates file's `regression`.
    pub regression: Option<Percent>,
    /// True to refuse a gate whose fuel compares with nothing.
    pub required: bool,
}

/// A change that was judged.
pub struct Run {
    /// What became of it.
    pub report: Report,
    locked: LockedGates,
    components: Components,
    sides: Sides,
    matter: Matter,
    baseline: Option<Digest>,
    fuel: Option<HeldFuel>,
}

/// What a run is given from outside.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The engine.
    pub sandbox: &'a Sandbox,
    /// Where standard plugins come from.
    pub plugins: &'a dyn PluginSource,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// Where a test may interrupt.
    pub steps: &'a dyn Steps,
    /// Told what begins; from several threads.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

/// What begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Waiting for another run in this project.
    Waiting,
    /// Finding the trees and what differs.
    Comparing,
    /// Checking out what gates read.
    Preparing,
    /// Running native programs on this tree.
    Commands(Side),
    /// Asking a gate.
    Gate(StepId),
    /// Finding out where the fuel of a gate goes.
    Profiling(StepId),
}

/// Why a change was not judged.
#[derive(Debug, thiserror::Error)]
pub enum GatingError {
    /// The rules cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There are no rules.
    #[error("no {GATES_FILE} and no LOOP.md in {}", from.clone().unwrap_or_else(|| top.display().to_string()))]
    NoFile {
        /// The project's top folder.
        top: PathBuf,
        /// The revision that rules are read from; none for the disk.
        from: Option<String>,
    },
    /// A file that is to be in the project is not.
    #[error("{} is not in the project {}", file.display(), top.display())]
    Outside {
        /// The file.
        file: PathBuf,
        /// The project's top folder.
        top: PathBuf,
    },
    /// The folder is in no git repository.
    #[error("{} is in no git repository, so there is nothing to compare with", .0.display())]
    NoRepository(PathBuf),
    /// No gate has such a name.
    #[error("there is no gate {gate} in the gates file")]
    NoGate {
        /// As it was asked for.
        gate: StepId,
        /// The gates that there are.
        known: Vec<StepId>,
    },
    /// A revision that git does not know.
    #[error("the revision {name:?} is not known here{}", shallow_note(*shallow))]
    Revision {
        /// As it was asked for.
        name: String,
        /// True when the clone lacks history.
        shallow: bool,
    },
    /// A revision that can mean several things, and git would choose.
    #[error("the revision {name:?} can mean {}", meanings.join(", or "))]
    Ambiguous {
        /// As it was asked for.
        name: String,
        /// Full names of refs; at least two meanings.
        meanings: Vec<String>,
    },
    /// Two commits that met more than once, so that there are several common ones to choose from.
    #[error("{head:?} left {base:?} in more than one place")]
    SeveralMergeBases {
        /// As it was asked for.
        base: String,
        /// As it was asked for.
        head: String,
    },
    /// More commits than gates are shown.
    #[error(
        "from {base:?} to {head:?} there are more than the {COMMITS_MAX} commits that gates are shown"
    )]
    TooManyCommits {
        /// As it was asked for.
        base: String,
        /// As it was asked for.
        head: String,
    },
    /// Two commits without a common one.
    #[error("{base:?} and {head:?} have no commit in common{}", shallow_note(*shallow))]
    NoMergeBase {
        /// As it was asked for.
        base: String,
        /// As it was asked for.
        head: String,
        /// True when the clone lacks history.
        shallow: bool,
    },
    /// A head that is a tree, where a commit is needed.
    #[error("{0:?} is a tree, not a commit, so nobody knows where it left the base")]
    NoCommit(String),
    /// The gates file wants a program run that nothing confines, and the operator has not said so.
    #[error("command {0} is to run without a sandbox")]
    Unconfined(StepId),
    /// A report that was handed in cannot be used.
    #[error("a report that was given cannot be used: {0}")]
    Report(String),
    /// A directory that the gates file shows to a command, and that cannot be shown.
    #[error("command {command}: {why}")]
    System {
        /// Which.
        command: StepId,
        /// Which directory, and what is wrong with it.
        why: String,
    },
    /// A command could not be run as it is declared.
    #[error("{0}")]
    Command(String),
    /// A patch that does not fit, or is none.
    #[error("the patch cannot be applied to {base}")]
    Patch {
        /// The base.
        base: String,
        /// What git said.
        source: GitError,
    },
    /// A patch whose names do not begin as git's do, so that nobody knows which files are meant.
    #[error("the patch names a file without a/ or b/ before it: {0:?}")]
    PatchNames(String),
    /// The baseline cannot be used.
    #[error("the baseline {} cannot be used: {why}", path.display())]
    Baseline {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: BaselineProblem,
    },
    /// The file of what gates cost cannot be used.
    #[error("the fuel file {} cannot be used: {why}", path.display())]
    Fuel {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: FuelProblem,
    },
    /// A gate that took another way when it was called again.
    #[error("gate {gate} cannot be profiled: {why}")]
    Profile {
        /// The gate.
        gate: StepId,
        /// How it ended.
        why: String,
    },
    /// The project cannot be used.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// Another run holds the folder for too long.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StateDirError),
    /// The private store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The trees cannot be found or checked out.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// There is no change set.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// Git said no.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The host could not do its part.
    #[error("{0}")]
    Host(String),
}

/// What is wrong with a baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineProblem {
    /// There is none.
    #[error("there is no such file")]
    Missing,
    /// It says something else.
    #[error(transparent)]
    Content(#[from] BaselineError),
}

/// What is wrong with a fuel file.
#[derive(Debug, thiserror::Error)]
pub enum FuelProblem {
    /// There is none.
    #[error("there is no such file")]
    Missing,
    /// It says something else.
    #[error(transparent)]
    Content(#[from] FuelFileError),
}

fn shallow_note(shallow: bool) -> &'static str {
    if shallow {
        ": this clone lacks a part of the history"
    } else {
        ""
    }
}

impl Gating {
    /// Judges a change.
    ///
    /// # Errors
    /// [`GatingError`] when no judgement came about; a gate without a verdict is no error but part of the report.
    pub fn run(
        &self,
        wanted: &Wanted,
        options: &Options,
        around: Around<'_>,
    ) -> Result<Run, GatingError> {
        let mut run = self.run_unheld(wanted, options, around)?;
        self.hold_fuel(&mut run, options, around)?;
        Ok(run)
    }

    /// The same without a word on fuel.
    ///
    /// # Errors
    /// See [`run`](Self::run).
    pub fn run_unheld(
        &self,
        wanted: &Wanted,
        options: &Options,
        around: Around<'_>,
    ) -> Result<Run, GatingError> {
        (around.progress)(Progress::Comparing);
        let rules = self.lock(around.plugins, LockMode::Require)?;
        let sides = self.sides(wanted, &rules.0.gates)?;
        self.judge(rules, sides, options, around)
    }

    /// Judges the change between two sides.
    fn judge(
        &self,
        (locked, components): (LockedGates, Components),
        sides: Sides,
        options: &Options,
        around: Around<'_>,
    ) -> Result<Run, GatingError> {
        let asked: Vec<_> = match options.only.as_slice() {
            [] => locked.gates.iter().collect(),
            only => {
                let unknown = |id: &&StepId| !locked.gates.iter().any(|gate| gate.id == **id);
                if let Some(id) = only.iter().find(unknown) {
                    let known = locked.gates.iter().map(|gate| gate.id.clone());
                    return Err(GatingError::NoGate {
                        gate: id.clone(),
                        known: known.collect(),
                    });
                }
                let wanted = locked.gates.iter().filter(|gate| only.contains(&gate.id));
                wanted.collect()
            }
        };
        let (known, baseline) = self.baseline(&locked, options)?;
        let evidence = Arc::new(self.evidence(&locked, &asked, &sides, options, around)?);
        let matter = ask::matter(self, &sides, &evidence)?;
        let answers = ask::ask(
            self,
            &asked,
            &components,
            (&sides, &matter),
            options,
            around,
        )?;
        let receipts = evidence.receipts().to_vec();
        let mut report = weigh::weigh(self, &locked, &sides, (answers, receipts), &known, options)?;
        commands::remark(&mut report, &asked, &evidence)?;
        Ok(Run {
            report,
            locked,
            components,
            sides,
            matter,
            baseline,
            fuel: None,
        })
    }

    /// The digest of the file that names the gates.
    #[must_use]
    pub fn file_digest(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }
}
