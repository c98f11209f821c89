//! Names that a JavaScript source gives to assertions of libraries: `const { equal } = tspl(t)`, `import a from 'node:assert'`.
//!
//! **Invariant:** a name counts in the whole source, wherever it is bound: that finds too many assertions rather than too few
//! only where a source uses one name for two things, before and after alike.

use super::words::{is_word, word_starts};

/// Modules whose exports assert.
const MODULES: [&str; 6] = [
    "assert",
    "assert/strict",
    "node:assert",
    "node:assert/strict",
    "power-assert",
    "uvu/assert",
];
/// Calls that make something whose members assert.
const MAKERS: [&str; 1] = ["tspl"];

/// What calls of such names begin with: `plan.`, `plan(`, `equal(`.
pub(super) fn starts(blanked: &str, text: &str) -> Vec<String> {
    let mut starts: Vec<String> = made(blanked)
        .chain(required(blanked, text))
        .chain(imported(blanked, text))
        .flat_map(names)
        .flat_map(|name| [format!("{name}."), format!("{name}(")])
        .collect();
    starts.sort();
    starts.dedup();
    starts
}

/// What stands before `= tspl(`.
fn made(blanked: &str) -> impl Iterator<Item = &str> {
    MAKERS
        .iter()
        .flat_map(|maker| word_starts(blanked, maker).map(|at| (at, at + maker.len())))
        .filter(|(_, end)| rest(blanked, *end).starts_with('('))
        .filter_map(|(at, _)| pattern(blanked.get(..at)?))
}

/// What stands before `= require('assert')`, with or without `.strict` behind it.
fn required<'t>(blanked: &'t str, text: &'t str) -> impl Iterator<Item = &'t str> {
    word_starts(blanked, "require(").filter_map(|at| {
        let module = quoted(text.get(at + "require(".len()..)?)?;
        MODULES.contains(&module).then_some(())?;
        pattern(blanked.get(..at)?)
    })
}

/// What stands between `import` and `from 'assert'`.
fn imported<'t>(blanked: &'t str, text: &'t str) -> impl Iterator<Item = &'t str> {
    word_starts(blanked, "from").filter_map(|at| {
        let module = quoted(text.get(at + "from".len()..)?)?;
        MODULES.contains(&module).then_some(())?;
        let before = blanked.get(..at)?;
        let start = before.rfind("import")? + "import".len();
        before.get(start..)
    })
}

/// Of `const { a, b } = await`, the `{ a, b }`; of `const a =`, the `a`.
fn pattern(before: &str) -> Option<&str> {
    let before = before.trim_end();
    let before = before.strip_suffix("await").unwrap_or(before).trim_end();
    let before = before.strip_suffix('=')?.trim_end();
    let start = if before.ends_with('}') {
        before.rfind('{')?
    } else {
        before.rfind(|c| !is_word(c)).map_or(0, |at| at + 1)
    };
    before.get(start..)
}

/// The names that `a`, `{ a, b: c }`, `a, { b as c }` or `* as a` binds.
fn names(pattern: &str) -> impl Iterator<Item = &str> {
    pattern
        .split([',', '{', '}'])
        .filter_map(|part| {
            let part = part.split('=').next()?.trim_end();
            part.rsplit(|c| !is_word(c)).next()
        })
        .filter(|name| !name.is_empty())
}

/// The text in quotes that comes first.
fn quoted(written: &str) -> Option<&str> {
    let written = written.trim_start();
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    written.get(1..)?.split(quote).next()
}

fn rest(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default().trim_start()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blank::blank;
    use crate::language::Language;

    #[test]
    fn names_of_assertions_are_found() {
        for (text, expect) in [
            ("const plan = tspl(t, { plan: 2 })", vec!["plan(", "plan."]),
            (
                "const { equal, throws: bad } = await tspl(t)",
                vec!["bad(", "bad.", "equal(", "equal."],
            ),
            ("let a = require('node:assert').strict", vec!["a(", "a."]),
            (
                "import a, { ok as fine } from \"assert/strict\"",
                vec!["a(", "a.", "fine(", "fine."],
            ),
            ("import * as all from 'uvu/assert'", vec!["all(", "all."]),
            ("const a = require('./assert')", vec![]),
            ("// const a = tspl(t)\n'import b from \"assert\"'", vec![]),
            ("tspl(t).equal(1, 2)", vec![]),
            ("const tsplit = tspl2(t)", vec![]),
            ("from 'assert'; = require('assert') } = tspl(", vec![]),
        ] {
            let blanked = blank(Language::JavaScript, text);
            assert_eq!(starts(&blanked, text), expect, "{text}");
        }
    }
}
