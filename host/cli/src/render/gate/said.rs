//! What native programs that did not end well said last.
//!
//! **Invariant:** each line is shown by itself, behind something of ours, and what is left out is said.

use ringfence_core::evidence::CommandReceipt;
use ringfence_core::gating::{Output, Report};
use ringfence_core::spec::{STDERR, STDOUT};

use crate::render::safe::Safe;
use crate::render::text::{Text, text};

// Limit: what a person reads of one program; `--format json` has some more.
const LINES_MAX: usize = 20;

/// The last lines of one program on one stream, for people.
pub(super) struct Said {
    /// `stderr, its last 20 lines`.
    pub(super) title: Text,
    /// The lines that are not empty.
    pub(super) lines: Vec<Safe>,
}

/// What `command` said last on each stream, each line with at most some `chars_max` characters; nothing where it ended well or
/// said nothing.
pub(super) fn said(report: &Report, command: &CommandReceipt, chars_max: usize) -> Vec<Said> {
    let outputs = report.outputs.iter();
    let of_it = outputs.filter(|one| one.command == command.command && one.side == command.side);
    of_it.map(|output| end(output, chars_max)).collect()
}

fn end(output: &Output, chars_max: usize) -> Said {
    let full = output.tail.lines().filter(|line| !line.trim().is_empty());
    let all: Vec<&str> = full.collect();
    let first = all.len().saturating_sub(LINES_MAX);
    let whole = first == 0 && output.left_out == 0;
    let lines = all.get(first..).unwrap_or_default();
    let number = lines.len();
    let stream = match output.stream.as_str() {
        STDOUT => STDOUT,
        _ => STDERR,
    };
    Said {
        title: match whole {
            true => text!["what it said on ", stream],
            false => text!["the last ", number, " lines that it said on ", stream],
        },
        lines: lines
            .iter()
            .map(|line| Safe::cut(line, chars_max))
            .collect(),
    }
}
