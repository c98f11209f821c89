//! Problems in a file that a person wrote, each with the place it is about.
//!
//! Owns [`Diagnostic`] and the list readers collect them in. Drawing carets is the command line's work.
//!
//! **Invariant:** a reader reports every problem it can see, in the order of the file, and at most
//! [`DIAGNOSTICS_MAX`] of them. Texts taken from the file are quoted and shortened.

use std::ops::Range;

use serde::Serialize;

use crate::verdict::Severity;

/// Most diagnostics for one file; the last one says that there are more.
// Limit: nobody reads further, and a hostile file must not make the report larger than itself many times over.
pub const DIAGNOSTICS_MAX: usize = 100;

/// Longest text from a file that a message repeats, in characters.
const QUOTE_CHARS_MAX: usize = 60;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// [`Severity::Error`] stops the loop; [`Severity::Warning`] does not.
    pub severity: Severity,
    /// Stable kebab-case code: `unknown-key`.
    pub code: &'static str,
    /// What is wrong: one lower-case line without a period.
    pub message: String,
    /// Bytes of the whole file, on character boundaries; empty for «here something is missing».
    pub span: Range<usize>,
    /// A few words to stand at the caret.
    pub label: String,
    /// What to do, often text to paste.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span`, without help.
    #[must_use]
    pub fn error(
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span,
            label: label.into(),
            help: None,
        }
    }

    /// A warning at `span`, without help.
    #[must_use]
    pub fn warning(
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message, label)
        }
    }

    /// The same with `help`.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    found: Vec<Diagnostic>,
    dropped: usize,
}

impl Diagnostics {
    /// Adds one, or counts it when there are too many.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.found.len() < DIAGNOSTICS_MAX - 1
            || diagnostic.severity == Severity::Error && !self.has_errors()
        {
            self.found.push(diagnostic);
        } else {
            self.dropped += 1;
        }
    }

    /// True when one of them is an error.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|one| one.severity == Severity::Error)
    }

    /// All of them in the order of the file.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|one| (one.span.start, one.span.end));
        if let (Some(last), true) = (self.found.last(), self.dropped > 0) {
            let message = format!("{} more problems are not shown", self.dropped);
            let severity = if self.has_errors() {
                Severity::Error
            } else {
                Severity::Warning
            };
            self.found.push(Diagnostic {
                severity,
                ..Diagnostic::error("more", last.span.clone(), message, "after this one")
            });
        }
        self.found
    }
}

/// `text` in quotes, escaped, and cut to a length that fits a line.
pub(crate) fn quote(text: &str) -> String {
    let short: String = text.chars().take(QUOTE_CHARS_MAX).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{dots}")
}

/// The line and column of a byte offset, both from 1, the column in characters.
///
/// An offset past the end counts as the end.
#[must_use]
pub fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |rest| rest.chars().count())
        + 1;
    (line, column)
}

/// The word of `known` that `word` was probably meant to be.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Limit: longer words are no typing mistakes, and the distance costs the product of both lengths.
    if word.len() > 64 {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        for (offset, expect) in [
            (0, (1, 1)),
            (2, (1, 3)),
            (3, (2, 1)),
            (6, (2, 3)),
            (99, (2, 4)),
        ] {
            assert_eq!(line_column("ab\nxéy", offset), expect, "{offset}");
        }
    }

    #[test]
    fn guesses() {
        for (word, expect) in [
            ("raed", Some("read")),
            ("wirte", Some("write")),
            ("denny", Some("deny")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(
                did_you_mean(word, ["read", "write", "deny"]),
                expect,
                "{word}"
            );
        }
    }

    #[test]
    fn an_error_is_never_lost_behind_warnings() {
        let mut found = Diagnostics::default();
        for _ in 0..500 {
            found.push(Diagnostic::warning("w", 0..0, "w", ""));
        }
        found.push(Diagnostic::error("e", 0..0, "e", ""));
        assert!(found.has_errors());
        let sorted = found.into_sorted();
        assert!(sorted.len() <= DIAGNOSTICS_MAX + 1);
        assert_eq!(sorted.last().map(|one| one.code), Some("more"));
    }

    #[test]
    fn quotes_escape_and_shorten() {
        assert_eq!(quote("a\u{1b}[31m"), r#""a\u{1b}[31m""#);
        assert_eq!(quote(&"x".repeat(100)).chars().count(), QUOTE_CHARS_MAX + 3);
    }
}
