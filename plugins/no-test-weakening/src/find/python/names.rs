//! What a Python source calls what skips.
//!
//! **Invariant:** a name counts in the whole source, wherever it is given; that finds too much only where a source uses one name for
//! two things, before and after alike.

use std::collections::BTreeSet;

use super::super::words::{is_word, word_at, word_starts};
use super::statement::{Import, assigned, import, statements};
use super::{Logical, SKIPS};

/// Calls that end a test, or the collection of a file, as skipped.
const CALLS: [&str; 9] = [
    "skip(",
    "xfail(",
    "skipTest(",
    "importorskip(",
    "SkipTest",
    "SkipTest(",
    "os._exit(",
    "sys.exit(",
    "pytest.exit(",
];
/// The same as names, without what they are in.
const NAMES: [&str; 7] = [
    "skip",
    "xfail",
    "skipTest",
    "importorskip",
    "SkipTest",
    "_exit",
    "exit",
];
/// Modules that have such calls.
const MODULES: [&str; 5] = ["pytest", "unittest", "nose", "os", "sys"];

/// Names of a source.
#[derive(Default)]
pub(super) struct Names {
    /// Names for what skips, as a decorator.
    skips: BTreeSet<String>,
    /// Names for functions that skip when they are called.
    calls: BTreeSet<String>,
    /// Names for the modules.
    modules: BTreeSet<String>,
}

impl Names {
    pub(super) fn of(lines: &[Logical<'_>]) -> Self {
        let mut names = Self::default();
        let all = lines.iter().flat_map(|line| statements(line.code));
        for statement in all {
            for Import { from, what, name } in import(statement) {
                names.import(from, what, name);
            }
            for (name, value) in assigned(statement) {
                let of = value.rsplit('.').next().unwrap_or(value);
                if value.chars().all(|c| is_word(c) || c == '.') && NAMES.contains(&of) {
                    names.calls.insert(name.to_owned());
                }
            }
        }
        names
    }

    fn import(&mut self, from: &str, what: &str, name: &str) {
        if from.is_empty() && MODULES.contains(&what) {
            self.modules.insert(name.to_owned());
        }
        if !MODULES.contains(&from) {
            return;
        }
        if SKIPS.iter().any(|skip| what.contains(skip)) {
            self.skips.insert(name.to_owned());
        }
        if NAMES.contains(&what) {
            self.calls.insert(name.to_owned());
        }
    }

    /// Gives a name to what skips.
    pub(super) fn add(&mut self, name: &str) {
        self.skips.insert(name.to_owned());
    }

    /// True for something that makes of a test one that is skipped.
    pub(super) fn skips(&self, code: &str) -> bool {
        SKIPS.iter().any(|skip| code.contains(skip))
            || code
                .split(|c| !is_word(c))
                .any(|word| !word.is_empty() && self.skips.contains(word))
    }

    /// The call in some code that skips, without its parenthesis.
    pub(super) fn call<'c>(&self, code: &'c str) -> Option<&'c str> {
        let known = CALLS.into_iter().find_map(|call| {
            let at = word_starts(code, call).find(|at| self.is_call(code, *at, call))?;
            code.get(at..at + call.len())
        });
        let own = || {
            self.calls.iter().find_map(|name| {
                let mut found = code.match_indices(name.as_str());
                let (at, _) = found.find(|(at, _)| is_called(code, *at, name))?;
                code.get(at..at + name.len())
            })
        };
        known.map(|call| call.trim_end_matches('(')).or_else(own)
    }

    /// True for a call by that name, in whatever module or object it is.
    fn is_call(&self, code: &str, at: usize, call: &str) -> bool {
        let before = code.get(..at).unwrap_or_default();
        let object = before.rsplit(|c| !(is_word(c) || c == '.')).next();
        let object = object.unwrap_or_default();
        call.contains('.')
            || (matches!(object, "" | "pytest." | "self." | "unittest." | "nose.")
                || object
                    .strip_suffix('.')
                    .is_some_and(|module| self.modules.contains(module)))
                && !before.trim_end().ends_with("def")
    }
}

/// True where the whole name stands, and is called.
fn is_called(code: &str, at: usize, name: &str) -> bool {
    let before = code.get(..at).unwrap_or_default();
    let rest = code.get(at..).unwrap_or_default();
    let after = rest.get(name.len()..).unwrap_or_default();
    !before.ends_with(|c| is_word(c) || c == '.')
        && word_at(rest) == name
        && after.trim_start().starts_with('(')
        && !before.trim_end().ends_with("def")
}
