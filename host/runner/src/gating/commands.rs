//! The operator's commands in a run of gates: which of them run, what was handed in besides, and what no gate judges.
//!
//! **Invariant:** a command that did not start ends the run; one that did not end well is judged by a gate, or fails the change.

use std::path::PathBuf;

use ringfence_core::evidence::{Side, did_not_start};
use ringfence_core::gating::{
    Fingerprints, Output, Remark, Report, Status, outcome, reads, unread,
};
use ringfence_core::ids::StepId;
use ringfence_core::spec::{CommandSpec, LockedGates, LockedStep, STDERR, STDOUT, Sandboxing};
use ringfence_core::verdict::SCOPE;
use ringfence_sandbox::{EvidenceSource, native};

use super::sides::Sides;
use super::{Around, Gating, GatingError, Options, Progress};
use crate::native::{Evidence, gather, private};
use crate::workspace::Base;

impl Gating {
    /// Runs the operator's commands for `asked`, and takes what was handed in.
    pub(super) fn evidence(
        &self,
        locked: &LockedGates,
        asked: &[&LockedStep],
        sides: &Sides,
        options: &Options,
        around: Around<'_>,
    ) -> Result<Evidence, GatingError> {
        let commands = wanted(locked, asked);
        let unconfined = |command: &&CommandSpec| command.sandbox == Sandboxing::None;
        if let Some(command) = commands.iter().find(unconfined)
            && !options.allow_unconfined
        {
            return Err(GatingError::Unconfined(command.name.clone()));
        }
        let mut evidence = if sides.change.is_empty() {
            Evidence::default()
        } else {
            can_be_shown(&commands, &private(&self.project)?)?;
            let workspace = self.workspace.for_commands();
            let base = Base {
                tree: sides.base.tree.clone(),
                commit: None,
                time: sides.now(),
                dir: workspace.checkout_dir(),
            };
            gather(
                &workspace,
                (&base, &sides.head.tree),
                (&commands, &locked.command_policy),
                (around.sandbox, around.steps),
                |side| (around.progress)(Progress::Commands(side)),
            )
            .map_err(GatingError::Command)?
        };
        if let Some(why) = did_not_start(evidence.receipts()) {
            return Err(GatingError::Command(why));
        }
        for report in &options.reports {
            let tree = match report.side {
                Side::Before => &sides.base.tree,
                Side::After => &sides.head.tree,
            };
            let place = (&report.command, report.side, report.report.as_str());
            let taken = evidence.hand_in(place, tree, report.bytes.clone());
            taken.map_err(GatingError::Report)?;
        }
        Ok(evidence)
    }
}

/// The commands that run: where only some of the gates are asked, those that they read.
fn wanted(locked: &LockedGates, asked: &[&LockedStep]) -> Vec<CommandSpec> {
    let all = asked.len() == locked.gates.len();
    let commands = locked.commands.iter();
    let read = |command: &&CommandSpec| all || asked.iter().any(|gate| reads(gate, &command.name));
    commands.filter(read).cloned().collect()
}

/// Refuses what no run could begin with, before any does.
fn can_be_shown(commands: &[CommandSpec], private: &[PathBuf]) -> Result<(), GatingError> {
    let confined = |command: &&CommandSpec| command.sandbox == Sandboxing::Full;
    for command in commands.iter().filter(confined) {
        let system: Vec<PathBuf> = command.system.iter().map(Into::into).collect();
        native::check_system(&system, private).map_err(|error| GatingError::System {
            command: command.name.clone(),
            why: error.to_string(),
        })?;
    }
    Ok(())
}

/// Puts into the report what programs said last that did not end well, and refuses those of them that none of `asked` judges.
pub(super) fn remark(
    report: &mut Report,
    asked: &[&LockedStep],
    evidence: &Evidence,
) -> Result<(), GatingError> {
    let scope = StepId::new(SCOPE).map_err(|error| GatingError::Host(error.to_string()))?;
    let mut fingerprints = Fingerprints::default();
    let remarks = unread(asked, evidence.receipts()).into_iter();
    report.host.extend(remarks.map(|finding| Remark {
        fingerprint: fingerprints.next(&scope, &finding, &[]),
        knowable: false,
        finding,
        status: Status::New,
        excerpt: None,
    }));
    report.outcome = outcome(&report.host, &report.gates, report.rules);
    let output = |receipt| {
        let bytes = |stream| evidence.bytes(receipt, stream);
        Output::of(receipt, bytes(STDOUT), bytes(STDERR))
    };
    report.outputs = evidence.receipts().iter().flat_map(output).collect();
    Ok(())
}
