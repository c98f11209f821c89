//! A run made again from its receipt.
//!
//! **Invariant:** nothing is run unless everything that decided then decides now, by digest; nothing is remembered from then; and
//! what the receipt says is compared with what a run comes to, never believed.

use ringfence_core::gating::{Difference, Receipt, Report};
use ringfence_core::spec::VerdictRules;

use super::{Around, FuelOptions, Gating, GatingError, Options, Progress, Signer};
use crate::git::GitError;
use crate::open_loop::LockMode;

/// A run beside the one of its receipt.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// What it came to now.
    pub now: Receipt,
    /// What of that is not as the receipt says.
    pub differences: Vec<Difference>,
}

/// Why a run cannot be made again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// What decided then does not decide now.
    #[error("what decided is not what decides now")]
    Rules(Vec<Difference>),
    /// Something that was judged is not here.
    #[error("the {what} {id} is not in this repository")]
    NoObject {
        /// `commit` or `tree`.
        what: &'static str,
        /// Its git id.
        id: String,
    },
    /// A commit that has another tree than the receipt says.
    #[error("the commit {id} does not have the tree that the receipt says")]
    OtherTree {
        /// The commit.
        id: String,
    },
    /// A time that is none.
    #[error("{0} is no second that a component could live in")]
    Clock(i64),
    /// The judgement did not come about.
    #[error(transparent)]
    Gating(#[from] GatingError),
}

impl From<GitError> for ReplayError {
    fn from(error: GitError) -> Self {
        Self::Gating(error.into())
    }
}

impl Gating {
    /// Judges the change of `receipt` again and compares; `exit` is what the program ends with after a report. Of
    /// `options`, only where files are and how many gates run at once counts: everything else is as the receipt says.
    ///
    /// # Errors
    /// [`ReplayError`] when the run cannot be made again.
    pub fn replay(
        &self,
        receipt: &Receipt,
        options: &Options,
        exit: impl Fn(&Report) -> u8,
        around: Around<'_>,
    ) -> Result<Replayed, ReplayError> {
        (around.progress)(Progress::Comparing);
        let options = as_then(receipt, options);
        let rules = self.lock(around.plugins, LockMode::Require)?;
        let (_, baseline) = self.baseline(&rules.0, &options)?;
        let fuel = match receipt.fuel {
            Some(_) => self.fuel_file(&options.fuel)?.1.map(|(_, digest)| digest),
            None => None,
        };
        let mut otherwise = receipt.decided_otherwise(&rules.0, baseline, fuel);
        let VerdictRules {
            submodules_accepted,
            require_some,
            ..
        } = rules.0.verdict;
        let mut rule = |what, was: bool, is: bool| {
            let word = |accepted| if accepted { "accepted" } else { "refused" };
            otherwise.extend((was != is).then(|| Difference {
                gate: None,
                what,
                was: word(was).to_owned(),
                is: word(is).to_owned(),
            }));
        };
        // The command line may have been stricter than the file.
        if require_some {
            rule("an unjudged change", !receipt.rules.require_some, false);
        }
        let was = receipt.rules.submodules_accepted;
        rule("a change of submodules", was, submodules_accepted);
        if !otherwise.is_empty() {
            return Err(ReplayError::Rules(otherwise));
        }
        let sides = self.sides_of(receipt, &rules.0.gates)?;
        let mut run = self.judge(rules, sides, &options, around)?;
        self.hold_fuel(&mut run, &options, around)?;
        let signer = Signer {
            user: &receipt.who,
            name: &receipt.signed_off_by,
        };
        let now = self.receipt(&run, signer, around.clock.now(), exit(&run.report));
        let differences = receipt.came_otherwise(&now);
        Ok(Replayed { now, differences })
    }
}

/// How the run of a receipt was asked for.
fn as_then(receipt: &Receipt, options: &Options) -> Options {
    Options {
        only: receipt.gates.iter().map(|gate| gate.gate.clone()).collect(),
        fail_on: Some(receipt.rules.fail_on),
        require_some: receipt.rules.require_some,
        baseline: options.baseline.clone(),
        no_baseline: receipt.baseline.is_none(),
        no_memo: true,
        jobs: options.jobs,
        allow_unconfined: options.allow_unconfined,
        reports: options.reports.clone(),
        fuel: FuelOptions {
            file: options.fuel.file.clone(),
            regression: receipt.fuel.as_ref().map(|fuel| fuel.allowed),
            required: receipt.fuel.as_ref().is_some_and(|fuel| fuel.required),
        },
    }
}
