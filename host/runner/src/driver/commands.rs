//! Runs the operator's commands between measuring and judging.
//!
//! **Invariant:** a command sees the tree that would be published, or the base as it was, and nothing that an executor left beside its
//! change. It writes into neither.

use std::sync::Arc;

use ringfence_core::beat::Event;
use ringfence_core::change::ChangeSet;
use ringfence_core::digest::Digest;
use ringfence_core::evidence::Side;
use ringfence_core::failure::Failure;
use ringfence_core::policy::PathPolicy;
use ringfence_sandbox::EvidenceSource;

use super::{Beat, Progress, chain};
use crate::native::{Evidence, Tree};
use crate::workspace::Base;

impl Beat<'_> {
    pub(super) fn run_commands(&mut self, digest: Digest) -> Event {
        let Some(change) = self.measured(digest) else {
            return Event::HostFailed(
                "the change that commands are to see is not the one that was measured".to_owned(),
            );
        };
        let answer = match self.evidence(&change) {
            Ok(evidence) => {
                let receipts = evidence.receipts().to_vec();
                self.evidence = Some(Arc::new(evidence));
                Ok(receipts)
            }
            Err(why) => Err(Failure::host(&why)),
        };
        Event::Ran {
            change: digest,
            answer,
        }
    }

    fn evidence(&mut self, change: &ChangeSet) -> Result<Evidence, String> {
        let helper = self.around.sandbox.helper();
        let helper = helper.ok_or("no program here can be the helper of a command")?;
        let policy = PathPolicy::new(&self.spec.command_policy)
            .map_err(|_| "the globs of the loop's paths do not compile together".to_owned())?;
        let mut evidence = Evidence::default();
        for side in [Side::Before, Side::After] {
            let mut commands = self.spec.commands.iter();
            if !commands.any(|command| command.sides().contains(&side)) {
                continue;
            }
            (self.progress)(Progress::Commands(side));
            let base = match side {
                Side::Before => self.base.clone(),
                Side::After => Base {
                    tree: change.candidate_tree.clone(),
                    ..self.base.clone()
                },
            };
            let moved = self.workspace.checkout(&base, self.around.steps);
            moved.map_err(|error| chain(&error))?;
            let tree = Tree {
                side,
                dir: &base.dir,
                id: &base.tree,
                policy: &policy,
            };
            let ran = evidence.run(helper, &self.spec.commands, tree);
            ran.map_err(|error| chain(&error))?;
        }
        Ok(evidence)
    }
}
