//! Runs of native programs that a case tells a gate about. Nothing runs: what a program would have said is given.

use std::io;

use ringfence_core::digest::Digest;
use ringfence_core::evidence::{CommandReceipt, Confinement, Ended, Report, Side};
use ringfence_core::ids::StepId;
use ringfence_sandbox::EvidenceSource;

use crate::stop;

/// One run of a command.
#[derive(Debug, Clone)]
pub struct CommandRun {
    receipt: CommandReceipt,
    /// The bytes of its reports, in their order.
    reports: Vec<Vec<u8>>,
}

impl CommandRun {
    /// A confined run that exited with code 0 and wrote nothing.
    ///
    /// # Panics
    /// When the name is none that a loop file could have.
    #[must_use]
    pub fn new(command: &str, side: Side) -> Self {
        Self {
            receipt: CommandReceipt {
                command: StepId::new(command).unwrap_or_else(|error| stop(error)),
                side,
                declared: Digest::of(command.as_bytes()),
                tree: String::new(),
                confinement: Confinement::Full,
                network: false,
                ended: Ended::Exited { code: 0 },
                ms: 0,
                reports: Vec::new(),
                notes: Vec::new(),
            },
            reports: Vec::new(),
        }
    }

    /// How it ended.
    #[must_use]
    pub fn ended(mut self, ended: Ended) -> Self {
        self.receipt.ended = ended;
        self
    }

    /// How far it was confined.
    #[must_use]
    pub fn confinement(mut self, confinement: Confinement) -> Self {
        self.receipt.confinement = confinement;
        self
    }

    /// It could reach the network.
    #[must_use]
    pub fn network(mut self) -> Self {
        self.receipt.network = true;
        self
    }

    /// It wrote a report.
    #[must_use]
    pub fn report(mut self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref().to_vec();
        self.receipt.reports.push(Report {
            name: name.to_owned(),
            size: bytes.len() as u64,
            digest: Digest::of(&bytes),
        });
        self.reports.push(bytes);
        self
    }
}

/// All runs of a case.
pub(crate) struct TestEvidence {
    receipts: Vec<CommandReceipt>,
    runs: Vec<CommandRun>,
}

impl TestEvidence {
    pub(crate) fn of(runs: &[CommandRun]) -> Self {
        Self {
            receipts: runs.iter().map(|run| run.receipt.clone()).collect(),
            runs: runs.to_vec(),
        }
    }
}

impl EvidenceSource for TestEvidence {
    fn receipts(&self) -> &[CommandReceipt] {
        &self.receipts
    }

    fn read(&self, command: &StepId, side: Side, report: &str, max: u64) -> io::Result<Vec<u8>> {
        let of_run =
            |run: &&CommandRun| run.receipt.command == *command && run.receipt.side == side;
        let run = self.runs.iter().find(of_run);
        let bytes = run.and_then(|run| {
            let named = |known: &Report| known.name == report;
            let place = run.receipt.reports.iter().position(named)?;
            run.reports.get(place)
        });
        match bytes {
            Some(bytes) if bytes.len() as u64 <= max => Ok(bytes.clone()),
            Some(_) => Err(io::Error::other("too large")),
            None => Err(io::Error::other("no such report")),
        }
    }
}
