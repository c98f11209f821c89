//! Finds the tests in a source.
//!
//! Owns what a test is, whatever the language; each language has a module that reads its own.
//!
//! **Invariant:** looks at the blanked source for what things are, and at the written one only for names and conditions, which
//! are texts.

mod bound;
mod dropped;
mod go;
mod javascript;
mod live;
mod python;
mod rust;
mod words;

use crate::blank::blank;
use crate::language::Language;
use words::{count_calls, hash};

pub(crate) use python::REPLACED;
pub(crate) use rust::{Module, Outline, outline};
pub(crate) use words::line_of;

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) name: String,
    /// The modules, classes or groups that it is in.
    pub(crate) scope: String,
    /// 1-based.
    pub(crate) line: u32,
    /// Why it does not run, or not always; empty for one that does.
    pub(crate) off: Vec<String>,
    /// Whether it is marked as one to skip, rather than as one for some platform.
    pub(crate) skipped: bool,
    /// Singled out, so that others do not run.
    pub(crate) focused: bool,
    /// How often it asserts something that could fail, and that is reached.
    pub(crate) assertions: usize,
    /// A digest of what it does, white space aside.
    pub(crate) body: u64,
}

/// The tests of a source, in its order; `name` is that of the file, which says something in Go.
pub(crate) fn tests(language: Language, name: &str, text: &str) -> Vec<Test> {
    let source = Source::new(language, text);
    let mut tests = match language {
        Language::Rust => source.rust(),
        Language::Python => source.python(),
        Language::JavaScript => source.javascript(),
        Language::Go => source.go(name),
    };
    tests.sort_by_key(|test| test.line);
    tests
}

struct Source<'a> {
    blanked: String,
    text: &'a str,
    /// What calls of names begin with that the source itself gives to assertions.
    bound: Vec<String>,
    /// Where lines end.
    line_ends: Vec<usize>,
}

impl<'a> Source<'a> {
    fn new(language: Language, text: &'a str) -> Self {
        let blanked = blank(language, text);
        let bound = match language {
            Language::JavaScript => bound::starts(&blanked, text),
            Language::Rust | Language::Python | Language::Go => Vec::new(),
        };
        Self {
            blanked,
            text,
            bound,
            line_ends: text.match_indices('\n').map(|(at, _)| at).collect(),
        }
    }

    /// The line that `at` is in, from 1.
    fn line(&self, at: usize) -> u32 {
        let before = self.line_ends.partition_point(|end| *end < at);
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// A test that runs, at `at`, which does what stands in `body`, a part of the blanked source.
    fn test(&self, language: Language, name: &str, at: usize, body: &str) -> Test {
        let written = self.written(body);
        let live = live::live(language, body);
        Test {
            name: name.to_owned(),
            scope: String::new(),
            line: self.line(at),
            off: Vec::new(),
            skipped: false,
            focused: false,
            assertions: count_calls(language, &self.bound, &live, written),
            body: hash("", written),
        }
    }

    /// What was written where `part` of the blanked source is.
    fn written(&self, part: &str) -> &str {
        let start = (part.as_ptr() as usize).saturating_sub(self.blanked.as_ptr() as usize);
        self.text.get(start..start + part.len()).unwrap_or_default()
    }
}

impl Test {
    /// Says why it does not run.
    fn skip(&mut self, why: impl Into<String>) {
        self.off.push(why.into());
        self.skipped = true;
    }
}
