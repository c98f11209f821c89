//! Tests of JavaScript and TypeScript: calls of `it` and `test`, in all their forms.
//!
//! **Invariant:** what is done to a group is done to the tests in it.

use super::words::{block, hash, is_word, parens, word_starts};
use super::{Source, Test};
use crate::language::Language;

const PLAIN: [&str; 3] = ["it", "test", "specify"];
const SKIPPED: [&str; 5] = ["xit", "xtest", "xspecify", "xdescribe", "xcontext"];
const FOCUSED: [&str; 4] = ["fit", "ftest", "fdescribe", "fcontext"];
const GROUPS: [&str; 3] = ["describe", "suite", "context"];
/// What is done to a test so that it does not run, or not always, or that its failure counts for nothing.
const MODIFIERS: [&str; 8] = [
    ".skip", ".todo", ".failing", ".fails", ".fail", ".fixme", ".runIf", ".if",
];
/// Calls in a test that skip it.
const SKIP_CALLS: [&str; 9] = [
    "this.skip(",
    "t.skip(",
    "t.todo(",
    "ctx.skip(",
    "context.skip(",
    "test.skip(",
    "test.fixme(",
    "it.skip(",
    "process.exit(0",
];

/// A call that may be of a test or a group.
struct Call<'a> {
    at: usize,
    name: &'a str,
    off: Option<String>,
    focused: bool,
    is_group: bool,
    /// Where its last arguments begin, and what they are, in the blanked source.
    start: usize,
    arguments: &'a str,
}

impl Source<'_> {
    pub(super) fn javascript(&self) -> Vec<Test> {
        let mut calls: Vec<Call<'_>> = PLAIN
            .into_iter()
            .chain(SKIPPED)
            .chain(FOCUSED)
            .chain(GROUPS)
            .flat_map(|word| {
                word_starts(&self.blanked, word).filter_map(move |at| self.call(word, at))
            })
            .collect();
        calls.sort_by_key(|call| call.at);
        let never = self.never_run();
        let mut groups: Vec<&Call<'_>> = Vec::new();
        let mut tests = Vec::new();
        for call in &calls {
            groups.retain(|group| call.at < group.start + group.arguments.len());
            if call.is_group {
                // A group that is singled out counts for itself.
                if call.focused {
                    tests.extend(self.javascript_test(call));
                }
                groups.push(call);
                continue;
            }
            let Some(mut test) = self.javascript_test(call) else {
                continue;
            };
            test.scope = groups
                .iter()
                .map(|group| group.name)
                .collect::<Vec<_>>()
                .join(" > ");
            for off in groups.iter().filter_map(|group| group.off.clone()) {
                test.skip(off);
            }
            if never
                .iter()
                .any(|(start, end)| (*start..*end).contains(&call.at))
            {
                test.skip("it is within what is never run");
            }
            tests.push(test);
        }
        tests
    }

    fn call<'s>(&'s self, word: &'static str, at: usize) -> Option<Call<'s>> {
        let code = self.blanked.get(at + word.len()..)?;
        if code.starts_with(is_word) || self.is_member(at) {
            return None;
        }
        let open = code.find(['(', '`'])?;
        let modifiers: String = code.get(..open)?.split_whitespace().collect();
        let is_chain = modifiers.is_empty()
            || modifiers.starts_with('.') && modifiers.chars().all(|c| c == '.' || is_word(c));
        if !is_chain {
            return None;
        }
        let (start, arguments) = self.arguments(at + word.len() + open)?;
        let modifier = MODIFIERS.iter().find(|modifier| {
            let mut found = modifiers.match_indices(**modifier);
            found.any(|(at, _)| {
                let rest = modifiers.get(at + modifier.len()..).unwrap_or_default();
                **modifier == ".skip" || !rest.starts_with(is_word)
            })
        });
        let off = match modifier {
            Some(modifier) => Some(format!("`{modifier}`")),
            None if SKIPPED.contains(&word) => Some(format!("`{word}`")),
            None => option_of(arguments),
        };
        Some(Call {
            at,
            name: self.name_of(start, arguments).unwrap_or_default(),
            off,
            focused: FOCUSED.contains(&word) || modifiers.contains(".only"),
            is_group: GROUPS.contains(&word)
                || ["xdescribe", "xcontext", "fdescribe", "fcontext"].contains(&word)
                || modifiers.contains(".describe"),
            start,
            arguments,
        })
    }

    fn is_member(&self, at: usize) -> bool {
        self.blanked
            .get(..at)
            .is_some_and(|before| before.ends_with(['.', '$']))
    }

    /// The last arguments of a call: of `it.each(table)(name, …)` and `` it.each`table`(name, …) `` the second ones.
    fn arguments(&self, open: usize) -> Option<(usize, &str)> {
        let mut start = open;
        let rest = self.blanked.get(open..)?;
        if let Some(inner) = rest.strip_prefix('`') {
            start += 1 + inner.find('`')? + 1;
        } else {
            let first = parens(rest, b'(', b')');
            if self.blanked.get(open + first.len()..)?.starts_with('(') {
                start += first.len();
            }
        }
        let arguments = self
            .blanked
            .get(start..)
            .filter(|rest| rest.starts_with('('))?;
        Some((start, parens(arguments, b'(', b')')))
    }

    /// The text that is the first argument.
    fn name_of(&self, start: usize, arguments: &str) -> Option<&str> {
        let written = self.text.get(start..start + arguments.len())?;
        let inner = written.get(1..)?.trim_start();
        let quote = inner
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\'' | '`'))?;
        inner.get(1..)?.split(quote).next()
    }

    fn javascript_test(&self, call: &Call<'_>) -> Option<Test> {
        let name = self.name_of(call.start, call.arguments)?;
        let mut test = self.test(Language::JavaScript, name, call.at, call.arguments);
        let written = self.written(call.arguments);
        let rest = written.find(',').and_then(|comma| written.get(comma..));
        test.body = hash("", rest.unwrap_or_default());
        test.focused = call.focused;
        if let Some(off) = &call.off {
            test.skip(off.as_str());
        }
        if let Some(skip) = SKIP_CALLS
            .iter()
            .find(|skip| word_starts(call.arguments, skip).next().is_some())
        {
            test.skip(format!("it calls `{}`", skip.trim_end_matches('(')));
        }
        Some(test)
    }

    /// The blocks below `if (false)`.
    fn never_run(&self) -> Vec<(usize, usize)> {
        let conditions = word_starts(&self.blanked, "if");
        conditions
            .filter_map(|at| {
                let rest = self.blanked.get(at + 2..)?;
                let open = rest
                    .find('(')
                    .filter(|open| rest.get(..*open).is_some_and(|gap| gap.trim().is_empty()))?;
                let condition = parens(rest.get(open..)?, b'(', b')');
                if !super::live::is_never(condition) {
                    return None;
                }
                let start = at + 2 + open + condition.len();
                let body = block(self.blanked.get(start..)?);
                let start = body.as_ptr() as usize - self.blanked.as_ptr() as usize;
                Some((start, start + body.len()))
            })
            .collect()
    }
}

/// `{ skip: true }` between the name of a test and what it does.
fn option_of(arguments: &str) -> Option<String> {
    let end = ["=>", "function"]
        .iter()
        .filter_map(|start| arguments.find(start))
        .min()
        .unwrap_or(arguments.len());
    let options = arguments.get(..end)?;
    ["skip", "todo", "fails"]
        .into_iter()
        .find(|option| {
            word_starts(options, option).any(|at| {
                let value = options
                    .get(at + option.len()..)
                    .unwrap_or_default()
                    .trim_start();
                let value = value.strip_prefix(':').map(str::trim_start);
                value.is_some_and(|value| !value.starts_with("false"))
            })
        })
        .map(|option| format!("`{option}`"))
}
