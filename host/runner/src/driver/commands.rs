//! Runs the operator's commands between measuring and judging.
//!
//! **Invariant:** a command sees the tree that would be published, or the base as it was, and nothing that an executor left beside its
//! change. It writes into neither.

use std::sync::Arc;

use ringfence_core::beat::Event;
use ringfence_core::change::ChangeSet;
use ringfence_core::digest::Digest;
use ringfence_core::failure::Failure;
use ringfence_sandbox::EvidenceSource;

use super::{Beat, Progress};
use crate::native::{Evidence, gather};

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
        let progress = &mut self.progress;
        gather(
            self.workspace,
            (self.base, &change.candidate_tree),
            (&self.spec.commands, &self.spec.command_policy),
            (self.around.sandbox, self.around.steps),
            |side| progress(Progress::Commands(side)),
        )
    }
}
