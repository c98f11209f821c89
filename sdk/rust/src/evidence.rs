//! What native programs said of the change: a build, tests, a linter.
//!
//! Owns the receipts of their runs and the way to their reports. Which commands run, and on which of the two trees, is the
//! operator's choice; a gate names the commands that it looks for in its configuration.
//!
//! **Invariant:** a command that did not run, a report that is not there and one that cannot be read are never the same as
//! good news: each is a `None` or an error, for the gate to fail on. Reports are bytes of an untrusted program.

use std::cell::OnceCell;
use std::fmt;

use crate::{
    bindings::shared::ringfence::beat::evidence as host,
    error::{Error, Result},
};

/// Which tree a program looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The base.
    Before,
    /// The candidate.
    After,
}

/// One report that a program wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// As the operator declared it: `junit`, `sarif`, `stdout`.
    pub name: String,
    /// Bytes.
    pub size: u64,
}

/// One run of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The command's name in the operator's file.
    pub command: String,
    /// The tree it looked at.
    pub side: Side,
    /// How it ended: `exited`, `signalled`, `timed-out`, `out-of-memory`, `too-much-output`, `too-many-processes`,
    /// `not-started`, `unseen` when it ran elsewhere; there may be more.
    pub ended: String,
    /// What it exited with; none when it did not exit by itself.
    pub exit_code: Option<i32>,
    /// How far it was confined: `full`, `none`, `elsewhere` when it did not run here; there may be more.
    pub confinement: String,
    /// True when it could reach the network.
    pub network: bool,
    /// By name.
    pub reports: Vec<Report>,
}

/// Everything that native programs said of the change.
#[derive(Debug)]
pub struct Evidence {
    receipts: OnceCell<Vec<Receipt>>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Host,
    Test(Vec<TestRun>),
}

/// One run of a command, for native tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRun {
    receipt: Receipt,
    reports: Vec<Vec<u8>>,
}

impl Evidence {
    /// What of a call by the host is asked for when first needed.
    pub(crate) fn of_call() -> Self {
        Self {
            receipts: OnceCell::new(),
            source: Source::Host,
        }
    }

    pub(crate) fn test(runs: Vec<TestRun>) -> Self {
        let receipts: Vec<Receipt> = runs.iter().map(|run| run.receipt.clone()).collect();
        Self {
            receipts: OnceCell::from(receipts),
            source: Source::Test(runs),
        }
    }

    /// All runs, at most one for each command and side; empty when no command ran.
    pub fn receipts(&self) -> &[Receipt] {
        self.receipts
            .get_or_init(|| host::receipts().into_iter().map(Receipt::from).collect())
    }

    /// The run of a command on one side; none when it did not run there.
    pub fn receipt(&self, command: &str, side: Side) -> Option<&Receipt> {
        self.receipts()
            .iter()
            .find(|receipt| receipt.command == command && receipt.side == side)
    }

    /// The bytes of a report.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is no such report, or it is larger than a gate is given.
    pub fn read(&self, command: &str, side: Side, report: &str) -> Result<Vec<u8>> {
        match &self.source {
            Source::Host => host::read(command, side.into(), report).map_err(Error::Unavailable),
            Source::Test(runs) => runs
                .iter()
                .filter(|run| run.receipt.command == command && run.receipt.side == side)
                .find_map(|run| run.read(report))
                .ok_or_else(|| {
                    let what = format!("{report} of {command} {side} the change: no such report");
                    Error::Unavailable(what)
                }),
        }
    }
}

impl Receipt {
    /// True when the program ended by itself with code 0.
    pub fn ended_well(&self) -> bool {
        self.ended == "exited" && self.exit_code == Some(0)
    }

    /// True when the program, as far as anybody saw it, was not cut off: its reports are as whole as it made them.
    pub fn came_to_an_end(&self) -> bool {
        matches!(self.ended.as_str(), "exited" | "unseen")
    }

    /// How it ended, in words: `exited with code 1`, `timed out`.
    pub fn end(&self) -> String {
        match (self.ended.as_str(), self.exit_code) {
            ("exited", Some(code)) => format!("exited with code {code}"),
            ("signalled", _) => "was ended by a signal".to_owned(),
            ("timed-out", _) => "timed out".to_owned(),
            ("out-of-memory", _) => "ran out of memory".to_owned(),
            ("too-much-output", _) => "wrote too much".to_owned(),
            ("too-many-processes", _) => "started too many processes".to_owned(),
            ("not-started", _) => "could not be started".to_owned(),
            ("unseen", _) => "ran elsewhere".to_owned(),
            (other, _) => format!("ended otherwise: {other}"),
        }
    }

    /// Whether it wrote a report of this name.
    pub fn has(&self, report: &str) -> bool {
        self.reports.iter().any(|known| known.name == report)
    }
}

impl TestRun {
    /// A confined run that exited with code 0 and wrote nothing.
    pub fn new(command: impl Into<String>, side: Side) -> Self {
        Self {
            receipt: Receipt {
                command: command.into(),
                side,
                ended: "exited".to_owned(),
                exit_code: Some(0),
                confinement: "full".to_owned(),
                network: false,
                reports: Vec::new(),
            },
            reports: Vec::new(),
        }
    }

    /// It exited with this code.
    #[must_use]
    pub fn exited(mut self, code: u8) -> Self {
        self.receipt.exit_code = Some(i32::from(code));
        self
    }

    /// It ended in another way: `timed-out`.
    #[must_use]
    pub fn ended(mut self, how: impl Into<String>) -> Self {
        self.receipt.ended = how.into();
        self.receipt.exit_code = None;
        self
    }

    /// It was confined otherwise: `none`.
    #[must_use]
    pub fn confinement(mut self, how: impl Into<String>) -> Self {
        self.receipt.confinement = how.into();
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
    pub fn report(mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        self.receipt.reports.push(Report {
            name: name.into(),
            size: bytes.len() as u64,
        });
        self.reports.push(bytes);
        self
    }

    fn read(&self, report: &str) -> Option<Vec<u8>> {
        let place = self
            .receipt
            .reports
            .iter()
            .position(|known| known.name == report)?;
        self.reports.get(place).cloned()
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::After => "after",
        })
    }
}

impl From<Side> for host::Side {
    fn from(side: Side) -> Self {
        match side {
            Side::Before => Self::Before,
            Side::After => Self::After,
        }
    }
}

impl From<host::Receipt> for Receipt {
    fn from(receipt: host::Receipt) -> Self {
        Self {
            command: receipt.command,
            side: match receipt.side {
                host::Side::Before => Side::Before,
                host::Side::After => Side::After,
            },
            exit_code: (receipt.ended == "exited").then_some(receipt.exit_code),
            ended: receipt.ended,
            confinement: receipt.confinement,
            network: receipt.network,
            reports: receipt
                .reports
                .into_iter()
                .map(|report| Report {
                    name: report.name,
                    size: report.size,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_host(ended: &str, exit_code: i32) -> Receipt {
        Receipt::from(host::Receipt {
            command: "test".to_owned(),
            side: host::Side::After,
            ended: ended.to_owned(),
            exit_code,
            confinement: "full".to_owned(),
            network: false,
            reports: vec![],
        })
    }

    #[test]
    fn only_an_exit_with_nothing_is_well() {
        for (ended, code, well, end) in [
            ("exited", 0, true, "exited with code 0"),
            ("exited", 2, false, "exited with code 2"),
            ("timed-out", -1, false, "timed out"),
            // A host that says nonsense is not believed.
            ("timed-out", 0, false, "timed out"),
            ("something-new", 0, false, "ended otherwise: something-new"),
        ] {
            let receipt = of_host(ended, code);
            assert_eq!((receipt.ended_well(), receipt.end().as_str()), (well, end));
            assert_eq!(receipt.came_to_an_end(), ended == "exited");
        }
    }

    #[test]
    fn a_test_describes_runs() {
        let evidence = Evidence::test(vec![
            TestRun::new("test", Side::Before).report("junit", "old"),
            TestRun::new("test", Side::After)
                .exited(1)
                .report("stdout", "")
                .report("junit", "new"),
            TestRun::new("lint", Side::After)
                .ended("timed-out")
                .confinement("none")
                .network(),
        ]);
        assert_eq!(evidence.receipts().len(), 3);
        let read = |command, side| evidence.read(command, side, "junit");
        assert_eq!(read("test", Side::Before).unwrap(), b"old");
        assert_eq!(read("test", Side::After).unwrap(), b"new");
        for (command, side) in [("lint", Side::After), ("other", Side::After)] {
            let error = read(command, side).unwrap_err();
            assert!(matches!(error, Error::Unavailable(_)), "{error}");
        }
        let lint = evidence.receipt("lint", Side::After).unwrap();
        assert!(!lint.ended_well() && lint.network && lint.confinement == "none");
        assert!(evidence.receipt("lint", Side::Before).is_none());
        let test = evidence.receipt("test", Side::After).unwrap();
        assert!(test.has("junit") && !test.has("sarif"));
        assert_eq!(test.exit_code, Some(1));
    }
}
