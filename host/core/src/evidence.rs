//! What native programs said of a change: how each run ended, and the reports it wrote.
//!
//! A build, a test runner or a linter is no component. It runs as a command that the operator declared, before the gates,
//! on the trees before and after the change; gates read what is kept here.
//!
//! **Invariant:** a receipt says by itself how far its program was confined. Reports are bytes of an untrusted program.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, PartsHasher};
use crate::ids::StepId;

/// Which tree a program looked at.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The base.
    Before,
    /// The candidate.
    After,
}

/// How far a program was confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confinement {
    /// By the operating system: allow-listed files, no network unless declared, every process of it ended.
    Full,
    /// Not at all: the operator wrote `sandbox = "none"`.
    None,
    /// It did not run here: the operator handed in its reports.
    Elsewhere,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum Ended {
    /// By itself, with this code.
    Exited {
        /// 0 to 255.
        code: u8,
    },
    /// By a signal that was not ours.
    Signalled {
        /// Its number.
        signal: u8,
    },
    /// By us: it took longer than it may.
    TimedOut,
    /// By us: it took more memory than it may.
    OutOfMemory,
    /// By us: it wrote more than it may.
    TooMuchOutput,
    /// By us: it started more processes than it may.
    TooManyProcesses,
    /// It could not be started at all.
    NotStarted,
    /// Nobody here saw it: its reports were handed in.
    Unseen,
}

/// One report that a program wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CommandReport")]
pub struct Report {
    /// As the operator declared it: `junit`, `sarif`, `stdout`.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Of its bytes.
    pub digest: Digest,
}

/// What is known of one run of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandReceipt {
    /// The command's name in the operator's file.
    pub command: StepId,
    /// The tree it looked at.
    pub side: Side,
    /// Of the command as it was declared: program, arguments, environment, limits.
    pub declared: Digest,
    /// The tree's git id.
    pub tree: String,
    /// How far it was confined.
    pub confinement: Confinement,
    /// True when it could reach the network.
    pub network: bool,
    /// How it ended.
    pub ended: Ended,
    /// Wall time in milliseconds; for people, never given to components.
    pub ms: u64,
    /// Its reports, by name.
    pub reports: Vec<Report>,
    /// What could not be enforced, or was noticed; one line each.
    pub notes: Vec<String>,
}

impl Side {
    /// As it stands in files: `before`, `after`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Ended {
    /// True when the program ended by itself with code 0.
    #[must_use]
    pub fn well(self) -> bool {
        self == Self::Exited { code: 0 }
    }

    /// As components and reports are told: `exited`, `timed-out`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exited { .. } => "exited",
            Self::Signalled { .. } => "signalled",
            Self::TimedOut => "timed-out",
            Self::OutOfMemory => "out-of-memory",
            Self::TooMuchOutput => "too-much-output",
            Self::TooManyProcesses => "too-many-processes",
            Self::NotStarted => "not-started",
            Self::Unseen => "unseen",
        }
    }
}

impl Confinement {
    /// As components and reports are told: `full`, `none`, `elsewhere`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::None => "none",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// What is wrong when one of these programs could not even be started; none when all were.
#[must_use]
pub fn did_not_start(receipts: &[CommandReceipt]) -> Option<String> {
    let mut receipts = receipts.iter();
    let receipt = receipts.find(|receipt| receipt.ended == Ended::NotStarted)?;
    // The others are of the sandbox.
    let why = receipt.notes.last().map_or("", String::as_str);
    Some(format!("command {} did not start: {why}", receipt.command))
}

/// The digest of everything in `receipts` that a component can see: all but times.
#[must_use]
pub fn digest(receipts: &[CommandReceipt]) -> Digest {
    let mut hasher = PartsHasher::new("ringfence evidence 1");
    for receipt in receipts {
        let code = match receipt.ended {
            Ended::Exited { code } => code,
            Ended::Signalled { signal } => signal,
            _ => 0,
        };
        hasher
            .part("command", receipt.command.as_str().as_bytes())
            .part("side", receipt.side.as_str().as_bytes())
            .part("declared", receipt.declared.as_bytes())
            .part("tree", receipt.tree.as_bytes())
            .part("confinement", receipt.confinement.as_str().as_bytes())
            .part("network", &[u8::from(receipt.network)])
            .part("ended", receipt.ended.as_str().as_bytes())
            .part("code", &[code]);
        for report in &receipt.reports {
            hasher
                .part("report", report.name.as_bytes())
                .part("bytes", report.digest.as_bytes());
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> CommandReceipt {
        CommandReceipt {
            command: StepId::new("test").unwrap(),
            side: Side::After,
            declared: Digest::of(b"argv"),
            tree: "t".to_owned(),
            confinement: Confinement::Full,
            network: false,
            ended: Ended::Exited { code: 0 },
            ms: 5,
            reports: vec![Report {
                name: "junit".to_owned(),
                size: 1,
                digest: Digest::of(b"x"),
            }],
            notes: Vec::new(),
        }
    }

    #[test]
    fn the_digest_covers_all_that_a_gate_sees_and_no_time() {
        let whole = digest(&[receipt()]);
        let with = |change: fn(&mut CommandReceipt)| {
            let mut other = receipt();
            change(&mut other);
            digest(&[other])
        };
        assert_eq!(with(|receipt| receipt.ms = 6), whole);
        let changes: [fn(&mut CommandReceipt); 8] = [
            |receipt| receipt.side = Side::Before,
            |receipt| receipt.declared = Digest::of(b"other"),
            |receipt| receipt.tree = "u".to_owned(),
            |receipt| receipt.confinement = Confinement::None,
            |receipt| receipt.network = true,
            |receipt| receipt.ended = Ended::Exited { code: 1 },
            |receipt| receipt.ended = Ended::Unseen,
            |receipt| receipt.reports.clear(),
        ];
        for change in changes {
            assert_ne!(with(change), whole);
        }
        assert_ne!(digest(&[]), whole);
        assert!(receipt().ended.well() && !Ended::Unseen.well());
    }
}
