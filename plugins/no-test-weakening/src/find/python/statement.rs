//! The statements of a logical line of Python, and the names that one gives to something.
//!
//! **Invariant:** several statements on a line are as many as on lines of their own.

use super::super::words::{is_word, top_level, word_at, word_starts};

/// Words that begin a statement with a suite, but for those of functions and classes.
const HEADS: [&str; 12] = [
    "if", "elif", "else", "for", "while", "with", "try", "except", "finally", "async", "match",
    "case",
];

/// The statements of a line; of one with a suite, its head is the first.
pub(in crate::find) fn statements(code: &str) -> Vec<&str> {
    let (head, suite) = match head_end(code) {
        Some(end) => (code.get(..end), code.get(end + 1..)),
        None => (None, Some(code)),
    };
    let suite = top_level(suite.unwrap_or_default(), &[";"]).into_iter();
    head.into_iter()
        .chain(suite)
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
        .collect()
}

/// Where the head of a statement with a suite ends, at its colon.
pub(in crate::find) fn head_end(code: &str) -> Option<usize> {
    let word = word_at(code);
    let has_suite = HEADS.contains(&word) || matches!(word, "class" | "def");
    if !has_suite || !code.starts_with(word) {
        return None;
    }
    let mut depth = 0_usize;
    let mut bytes = code.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && bytes.peek().is_none_or(|(_, next)| *next != b'=') => {
                return Some(at);
            }
            _ => {}
        }
    }
    None
}

/// One name of an import.
pub(super) struct Import<'c> {
    /// The module; empty where it is a module itself that is imported.
    pub(super) from: &'c str,
    pub(super) what: &'c str,
    pub(super) name: &'c str,
}

/// The names that an import gives.
pub(super) fn import(code: &str) -> Vec<Import<'_>> {
    let (from, names) = if let Some(names) = code.strip_prefix("import ") {
        ("", names)
    } else if let Some(rest) = code.strip_prefix("from ")
        && let Some((from, names)) = rest.split_once(" import")
    {
        (from.trim(), names)
    } else {
        return Vec::new();
    };
    let names = names.trim().trim_matches(['(', ')']).split(',');
    let names = names.filter_map(|name| {
        let mut words = name
            .split([' ', '\t', '\n', '\\'])
            .filter(|word| !word.is_empty());
        let what = words.next()?;
        let is_renamed = words.next() == Some("as");
        let name = words.next().filter(|_| is_renamed);
        let name = name.unwrap_or_else(|| what.split('.').next().unwrap_or(what));
        Some(Import { from, what, name })
    });
    names.collect()
}

/// The names, or the names with dots, that a statement gives a value, and that value. A type that stands between is left away, and
/// what is added to a value is one.
pub(super) fn assigned(code: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    let mut rest = code;
    while let Some(at) = equals(rest) {
        parts.push(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    let value = rest.trim();
    let targets = parts.into_iter().flat_map(|target| {
        let target = target.split(':').next().unwrap_or(target);
        let operators = ['+', '-', '*', '/', '%', '&', '|', '^', '@', '<', '>'];
        names(target.trim_end_matches(operators))
    });
    targets.map(|name| (name, value)).collect()
}

/// Where the first `=` is that gives a value.
fn equals(code: &str) -> Option<usize> {
    let first = top_level(code, &["="]).first().copied()?;
    let at = first.len();
    let after = code.get(at..)?;
    let compares = after.starts_with("==") || first.ends_with(['=', '!', ':']);
    let shifts = first.ends_with("<<") || first.ends_with(">>");
    let compares = compares || first.ends_with(['<', '>']) && !shifts;
    (after.starts_with('=') && !compares).then_some(at)
}

/// The names in a list of targets.
fn names(targets: &str) -> impl Iterator<Item = &str> {
    let is_name = |name: &&str| {
        !name.is_empty()
            && name
                .split('.')
                .all(|part| !part.is_empty() && part == word_at(part))
    };
    targets
        .split([',', '(', ')', '[', ']', '*'])
        .map(str::trim)
        .filter(is_name)
}

/// Names that a statement gives to something without assigning it: those of a loop, of a `with`, of an exception, of `:=`.
pub(super) fn given(code: &str) -> Vec<&str> {
    let code_after = |word: &str| {
        code.strip_prefix(word)
            .filter(|rest| !rest.starts_with(is_word))
    };
    let plain = code_after("async").map_or(code, str::trim_start);
    let mut given = Vec::new();
    if let Some(rest) = plain.strip_prefix("for ")
        && let Some((targets, _)) = rest.split_once(" in ")
    {
        given.extend(names(targets));
    }
    if ["with", "except", "case"].contains(&word_at(plain)) {
        let after = word_starts(plain, "as").filter_map(|at| {
            let rest = plain.get(at + 2..)?;
            let is_tuple = rest.trim_start().starts_with('(');
            let end = if is_tuple {
                rest.find(')')
            } else {
                rest.find([',', ')', ':'])
            };
            rest.starts_with([' ', '\t', '(']).then_some(())?;
            rest.get(..end.unwrap_or(rest.len()))
        });
        given.extend(after.flat_map(names));
    }
    let walrus = code.match_indices(":=").filter_map(|(at, _)| {
        let before = code.get(..at)?.trim_end();
        before.rsplit(|c| !is_word(c)).next()
    });
    given.extend(walrus.filter(|name| !name.is_empty()));
    given
}
