//! Globs as people write them: anchored at the root, `/`-separated, `**` for any depth.
//!
//! A single segment's wildcards (`*`, `?`, `[a-z]`, `{a,b}`) are globset's; how segments follow one another is ours
//! (see [`trie`](super::trie)), because a judge that steps name by name needs to know what may still come.
//!
//! **Invariant:** a pattern that could silently never match is refused, since a denial that never matches is an open door.

use std::fmt;

use globset::{Glob, GlobBuilder};

use super::fold;
use crate::relpath::{PATH_BYTES_MAX, check_name};

/// A pattern that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern {pattern:?} {why}")]
pub struct PatternError {
    /// As it was written.
    pub pattern: String,
    /// What is wrong with it.
    pub why: PatternProblem,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternProblem {
    /// No text, or longer than a path may be.
    Length,
    /// It starts with `/`: patterns are relative to the workspace root already.
    Absolute,
    /// It starts with `!`: a denial is never taken back by a pattern.
    Negated,
    /// It holds a backslash.
    Backslash,
    /// It holds an empty segment, `.` or `..`, a NUL, or a name too long to exist.
    Segment(String),
    /// `**` does not stand alone between slashes.
    DoubleStar(String),
    /// A POSIX class such as `[[:alpha:]]`.
    PosixClass(String),
    /// `{` or `[` spans a slash or is not closed, or a range is upside down.
    Glob(String),
    /// It and others like it compile to more than may be kept.
    TooMuch(String),
}

impl fmt::Display for PatternProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => write!(f, "is empty or longer than {PATH_BYTES_MAX} bytes"),
            Self::Absolute => {
                f.write_str("starts with a slash: patterns are relative to the workspace root")
            }
            Self::Negated => f.write_str("starts with `!`: nothing takes a denial back"),
            Self::Backslash => f.write_str("holds a backslash, which no path may hold"),
            Self::Segment(segment) => write!(f, "holds the segment {segment:?}, which no path has"),
            Self::DoubleStar(segment) => write!(
                f,
                "holds {segment:?}: `**` must stand alone between slashes"
            ),
            Self::PosixClass(segment) => write!(
                f,
                "holds a POSIX class in {segment:?}, which would never match"
            ),
            Self::Glob(why) => write!(f, "is no glob: {why}"),
            Self::TooMuch(why) => write!(f, "is too much together with others like it: {why}"),
        }
    }
}

/// Checks a pattern without keeping it.
///
/// # Errors
/// [`PatternError`] when the pattern cannot be used.
pub fn check_pattern(text: &str) -> Result<(), PatternError> {
    Pattern::parse(text)?.folded().map(drop)
}

/// One segment of a pattern.
#[derive(Debug, Clone)]
pub(super) enum Segment {
    /// Exactly this name.
    Literal(String),
    /// One name by wildcards.
    Wild(Glob),
    /// Any number of names, none included.
    AnyDepth,
}

/// A parsed pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    text: String,
    pub(super) segments: Vec<Segment>,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        let segments = parse(text).map_err(|why| PatternError {
            pattern: text.to_owned(),
            why,
        })?;
        Ok(Self {
            text: text.to_owned(),
            segments,
        })
    }

    /// The same pattern for folded names.
    pub(super) fn folded(&self) -> Result<Self, PatternError> {
        let segments = self
            .segments
            .iter()
            .map(fold_segment)
            .collect::<Result<_, _>>();
        Ok(Self {
            text: self.text.clone(),
            segments: segments.map_err(|why| PatternError {
                pattern: self.text.clone(),
                why,
            })?,
        })
    }
}

fn parse(text: &str) -> Result<Vec<Segment>, PatternProblem> {
    match text {
        "" => return Err(PatternProblem::Length),
        _ if text.len() > PATH_BYTES_MAX => return Err(PatternProblem::Length),
        _ if text.starts_with('/') => return Err(PatternProblem::Absolute),
        _ if text.starts_with('!') => return Err(PatternProblem::Negated),
        _ if text.contains('\\') => return Err(PatternProblem::Backslash),
        _ => {}
    }
    let (body, directory) = match text.strip_suffix('/') {
        Some(body) => (body, true),
        None => (text, false),
    };
    let mut segments = body
        .split('/')
        .map(segment)
        .collect::<Result<Vec<_>, _>>()?;
    if directory {
        segments.push(Segment::AnyDepth);
    }
    Ok(segments)
}

fn segment(text: &str) -> Result<Segment, PatternProblem> {
    if text == "**" {
        return Ok(Segment::AnyDepth);
    }
    if text.contains("**") {
        return Err(PatternProblem::DoubleStar(text.to_owned()));
    }
    if text.contains("[:") {
        return Err(PatternProblem::PosixClass(text.to_owned()));
    }
    check_name(text).map_err(|_| PatternProblem::Segment(text.to_owned()))?;
    if text.contains(['*', '?', '[', ']', '{', '}']) {
        wild(text).map(Segment::Wild)
    } else {
        Ok(Segment::Literal(text.to_owned()))
    }
}

/// A glob of one segment.
pub(super) fn wild(text: &str) -> Result<Glob, PatternProblem> {
    if class_beyond_ascii(text) {
        let why = "a `[…]` holds a letter beyond ASCII, which would never match: write `{ä,ö}`";
        return Err(PatternProblem::Glob(why.to_owned()));
    }
    GlobBuilder::new(text)
        // No name has a slash, but a folded one may: «／» becomes one, and must not slip through a denial's wildcard.
        .literal_separator(false)
        .backslash_escape(false)
        // As shells do: without it `.env{,.local}` would not be about `.env`.
        .empty_alternates(true)
        .build()
        .map_err(|error| PatternProblem::Glob(error.kind().to_string()))
}

/// Globs are matched byte by byte, so a class can stand for nothing that is longer.
fn class_beyond_ascii(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, class)) = rest.split_once('[') {
        // A bracket that comes first is a member.
        let class = class.strip_prefix(['!', '^']).unwrap_or(class);
        let first = class.chars().next().map_or(0, char::len_utf8);
        let (first, more) = class.split_at_checked(first).unwrap_or((class, ""));
        let (members, after) = more.split_once(']').unwrap_or((more, ""));
        if !first.is_ascii() || !members.is_ascii() {
            return true;
        }
        rest = after;
    }
    false
}

fn fold_segment(segment: &Segment) -> Result<Segment, PatternProblem> {
    Ok(match segment {
        Segment::Literal(name) => Segment::Literal(fold::fold_name(name).into_owned()),
        Segment::Wild(glob) => {
            let folded = fold::fold_text(glob.glob());
            // Folded names have no trailing dots or spaces, so a pattern that insists on some would never match.
            let trimmed = folded.trim_end_matches(['.', ' ']);
            Segment::Wild(wild(if trimmed.is_empty() { &folded } else { trimmed })?)
        }
        Segment::AnyDepth => Segment::AnyDepth,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_could_never_match() {
        for (text, fits) in [
            ("**", true),
            ("docs/**", true),
            ("docs/", true),
            ("**/*.{md,txt}", true),
            ("a[bc]?d", true),
            ("file,with,comma.txt", true),
            ("", false),
            ("/docs", false),
            ("!docs", false),
            ("docs\\x", false),
            ("a//b", false),
            ("./a", false),
            ("a/../b", false),
            ("a/**b", false),
            ("***", false),
            ("[[:alpha:]]", false),
            ("{a/b,c}", false),
            ("[a", false),
            ("{a", false),
            ("[z-a]", false),
            ("[Z-a]", false),
            ("[äö]", false),
            ("[!ä]", false),
            ("[]ä]", false),
            ("[a-ä]x", false),
            ("[]a]ä", true),
            ("ä[a]ö[b]", true),
            ("{ä,ö}?", true),
            (".env{,.local}", true),
        ] {
            assert_eq!(
                check_pattern(text).is_ok(),
                fits,
                "{text:?}: {:?}",
                check_pattern(text)
            );
        }
    }
}
