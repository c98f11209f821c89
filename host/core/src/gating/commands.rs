//! Native programs beside the gates: which gate reads which, what is said of one that nobody reads, and the end of what one
//! printed.
//!
//! **Invariant:** a command that did not end well is judged by a gate or refused here: none is passed over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::evidence::{CommandReceipt, Confinement, Ended, Side};
use crate::ids::StepId;
use crate::spec::{LockedStep, STDERR, STDOUT};
use crate::verdict::{Finding, Severity};

/// The rule of what the host says of a command that did not end well and that no gate reads.
pub const COMMAND_UNREAD: &str = "command-unread";

/// Most bytes that are kept of what a program printed.
// Limit: the screen or two that say what went wrong.
pub const OUTPUT_BYTES_MAX: usize = 4 << 10;

/// The end of what a native program printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CommandOutput")]
pub struct Output {
    /// The command.
    pub command: StepId,
    /// The tree it ran on.
    pub side: Side,
    /// Where it printed this: `stderr` or `stdout`.
    pub stream: String,
    /// At most 4,096 bytes, from the beginning of a line where there is one; what is no UTF-8 is replaced. Escape before showing.
    pub tail: String,
    /// How many bytes of the stream come before.
    pub left_out: u64,
}

impl Output {
    /// The end of what a run printed, of stderr before stdout, since tools differ in where they say what is wrong; nothing of
    /// a stream that it printed nothing to, and of a run that ended well.
    #[must_use]
    pub fn of(receipt: &CommandReceipt, stdout: &[u8], stderr: &[u8]) -> Vec<Self> {
        if receipt.ended.well() {
            return Vec::new();
        }
        let streams = [(STDERR, stderr), (STDOUT, stdout)].into_iter();
        let ends = streams.filter_map(|(stream, bytes)| Self::end(receipt, stream, bytes));
        ends.collect()
    }

    fn end(receipt: &CommandReceipt, stream: &str, bytes: &[u8]) -> Option<Self> {
        if bytes.trim_ascii().is_empty() {
            return None;
        }
        let cut = bytes.len().saturating_sub(OUTPUT_BYTES_MAX);
        let mut tail = bytes.get(cut..).unwrap_or_default();
        if cut > 0
            && let Some(end) = tail.iter().position(|byte| *byte == b'\n')
            && let Some(rest) = tail.get(end + 1..).filter(|rest| !rest.is_empty())
        {
            tail = rest;
        }
        Some(Self {
            command: receipt.command.clone(),
            side: receipt.side,
            stream: stream.to_owned(),
            tail: String::from_utf8_lossy(tail).into_owned(),
            left_out: (bytes.len() - tail.len()) as u64,
        })
    }
}

/// True when `gate` can read what `command` said, and its config does not leave that command out.
#[must_use]
pub fn reads(gate: &LockedStep, command: &StepId) -> bool {
    gate.sees.evidence
        && match gate.config.get("commands") {
            Some(Value::Array(names)) => names
                .iter()
                .any(|name| name.as_str() == Some(command.as_str())),
            _ => true,
        }
}

/// What is to be said of the commands that did not end well on the candidate and that none of `gates` reads.
#[must_use]
pub fn unread(gates: &[&LockedStep], receipts: &[CommandReceipt]) -> Vec<Finding> {
    let nobody_reads = |receipt: &&CommandReceipt| {
        receipt.side == Side::After
            && receipt.confinement != Confinement::Elsewhere
            && !receipt.ended.well()
            && !gates.iter().any(|gate| reads(gate, &receipt.command))
    };
    let said = |receipt: &CommandReceipt| {
        let (command, ended) = (&receipt.command, ended(receipt.ended));
        Finding {
            severity: Severity::Error,
            rule: COMMAND_UNREAD.to_owned(),
            message: format!("`{command}` {ended}, and no gate judges it"),
            locations: Vec::new(),
            help: format!(
                "[[gate]] plugin = \"std:commands\" with config = {{ commands = [\"{command}\"] }} wants it to end well"
            ),
        }
    };
    receipts.iter().filter(nobody_reads).map(said).collect()
}

fn ended(ended: Ended) -> String {
    match ended {
        Ended::Exited { code } => format!("exited with {code}"),
        Ended::Signalled { signal } => format!("was ended by signal {signal}"),
        Ended::TimedOut => "took too long".to_owned(),
        Ended::OutOfMemory => "took too much memory".to_owned(),
        Ended::TooMuchOutput => "printed too much".to_owned(),
        Ended::TooManyProcesses => "started too many processes".to_owned(),
        Ended::NotStarted => "did not start".to_owned(),
        Ended::Unseen => "was not seen".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn receipt(side: Side, ended: Ended) -> CommandReceipt {
        CommandReceipt {
            command: StepId::new("test").unwrap(),
            side,
            declared: Digest::of(b"argv"),
            tree: "t".to_owned(),
            confinement: Confinement::Full,
            network: false,
            ended,
            ms: 5,
            reports: Vec::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_bad_end_that_nobody_reads_is_an_error() {
        let bad = Ended::Exited { code: 1 };
        let said = |receipt: CommandReceipt| {
            let found = unread(&[], &[receipt]);
            found.first().map(|finding| finding.message.clone())
        };
        let whole = "`test` exited with 1, and no gate judges it";
        assert_eq!(said(receipt(Side::After, bad)).as_deref(), Some(whole));
        assert_eq!(said(receipt(Side::After, Ended::Exited { code: 0 })), None);
        // How the base fares is nothing that the change has done.
        assert_eq!(said(receipt(Side::Before, bad)), None);
        let mut elsewhere = receipt(Side::After, Ended::Unseen);
        elsewhere.confinement = Confinement::Elsewhere;
        assert_eq!(said(elsewhere), None);
    }

    #[test]
    fn the_end_of_what_was_printed_is_kept() {
        let bad = receipt(Side::After, Ended::TimedOut);
        let output = |stdout: &[u8], stderr: &[u8]| {
            let outputs = Output::of(&bad, stdout, stderr).into_iter();
            let shown = outputs.map(|output| (output.stream, output.tail, output.left_out));
            shown.collect::<Vec<_>>()
        };
        let kept = |stream: &str, tail: &str, left| (stream.to_owned(), tail.to_owned(), left);
        // Test runners say on stdout what failed, and on stderr only that something did.
        assert_eq!(
            output(b"out", b"err\xff"),
            [kept("stderr", "err\u{fffd}", 0), kept("stdout", "out", 0)]
        );
        assert_eq!(output(b"out", b"\n "), [kept("stdout", "out", 0)]);
        assert_eq!(output(b"", b""), []);
        let good = receipt(Side::After, Ended::Exited { code: 0 });
        assert_eq!(Output::of(&good, b"out", b"err"), []);
        let long = [b"x".repeat(9_000), b"\nlast\n".to_vec()].concat();
        assert_eq!(output(b"", &long), [kept("stderr", "last\n", 9_001)]);
        let line = b"y".repeat(9_000);
        let cut = output(b"", &line).swap_remove(0);
        assert_eq!((cut.1.len(), cut.2), (4_096, 4_904));
    }
}
