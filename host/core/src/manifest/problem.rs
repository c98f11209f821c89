//! What is wrong with a manifest, as its author reads it.
//!
//! Owns the way from bytes of the stamped text to lines of `plugin.toml`, and how several problems make one message.
//!
//! **Invariant:** a line is that of the author's file: what the SDK stamps above it does not count.

use std::fmt;

use super::keys::STAMPED;
use crate::diagnostic::{Diagnostic, line_column};

// Limit: a message of some lines; whoever mends these sees the rest.
const TOLD_MAX: usize = 5;

/// One problem of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1, in `plugin.toml`; none where something is missing from all of it, or what the SDK stamped is wrong.
    pub line: Option<usize>,
    /// What is wrong, in one lower-case line without a period.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "plugin.toml line {line}: {}", self.message)?,
            None => write!(f, "{}", self.message)?,
        }
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// The problems of `text` with the lines that its author knows.
pub(super) fn told(text: &str, found: Vec<Diagnostic>) -> Vec<Problem> {
    let stamped = stamped_lines(text);
    let problem = |one: Diagnostic| {
        let (line, _) = line_column(text, one.span.start);
        let is_somewhere = one.span.start < text.len();
        Problem {
            line: line
                .checked_sub(stamped)
                .filter(|line| is_somewhere && *line > 0),
            message: one.message,
            help: one.help,
        }
    };
    found.into_iter().map(problem).collect()
}

/// One text of them all.
pub(super) fn listed(problems: &[Problem]) -> String {
    let told: Vec<String> = problems
        .iter()
        .take(TOLD_MAX)
        .map(ToString::to_string)
        .collect();
    let more = problems.len().saturating_sub(TOLD_MAX);
    let more = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    told.join("; ") + &more
}

/// How many lines the SDK put above the author's text: all of its own, or none where something else made the manifest.
fn stamped_lines(text: &str) -> usize {
    let stamps = |(line, key): &(&str, &str)| {
        line.strip_prefix(key)
            .is_some_and(|rest| rest.starts_with(" = "))
    };
    let lines = text.lines().zip(STAMPED).take_while(stamps).count();
    if lines == STAMPED.len() { lines } else { 0 }
}
