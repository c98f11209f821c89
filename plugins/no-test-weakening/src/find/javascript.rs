//! Tests of JavaScript and TypeScript: calls of `it` and `test`, in all their forms.
//!
//! **Invariant:** what is done to a group is done to the tests in it.

use super::words::{block, hash, is_word, parens, word_at, word_starts};
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

/// Limit: of a condition that is shown.
const SHOWN_CHARS: usize = 80;

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
        let conditions = self.conditions();
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
            for (_, _, condition) in conditions
                .iter()
                .filter(|(start, end, _)| (*start..*end).contains(&call.at))
            {
                match condition {
                    Some(condition) => test.off.push(conditional(condition)),
                    None => test.skip("it is within what is never run"),
                }
            }
            test.off.extend(self.own_condition(call.at));
            tests.push(test);
        }
        tests
    }

    fn call<'s>(&'s self, word: &'static str, at: usize) -> Option<Call<'s>> {
        let code = self.blanked.get(at + word.len()..)?;
        if code.starts_with(is_word) || self.is_member(at) {
            return None;
        }
        let (modifiers, open) = self.modifiers(code)?;
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
            None if self.is_for_nothing(at + word.len() + open, start) => {
                Some("an empty table".to_owned())
            }
            None => option_of(arguments, self.written(arguments)),
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

    /// What stands between a name and its parenthesis, as `.a.b`, and where that parenthesis is. `['a']` is `.a`; what is computed is
    /// taken for what it may be.
    fn modifiers(&self, code: &str) -> Option<(String, usize)> {
        let mut modifiers = String::new();
        let mut rest = code.trim_start();
        loop {
            if rest.starts_with(['(', '`']) {
                return Some((modifiers, code.len() - rest.len()));
            }
            let after = if let Some(member) = rest.strip_prefix("?.").or(rest.strip_prefix('.')) {
                let member = member.trim_start();
                let name = word_at(member);
                modifiers.push('.');
                modifiers.push_str(name);
                member.get(name.len()..).filter(|_| !name.is_empty())
            } else if rest.starts_with('[') {
                let brackets = parens(rest, b'[', b']');
                let inner = self.written(brackets).trim_matches(['[', ']']).trim();
                let name = inner.trim_matches(['\'', '"', '`']);
                let is_plain = name.len() < inner.len() && name.chars().all(is_word);
                modifiers.push('.');
                modifiers.push_str(if is_plain { name } else { "skip" });
                rest.get(brackets.len()..)
            } else {
                None
            };
            rest = after?.trim_start();
        }
    }

    /// Whether a test is run for each row of a table that has none: between `open` and `start` stand the arguments of `each`.
    fn is_for_nothing(&self, open: usize, start: usize) -> bool {
        let table = self.blanked.get(open..start).unwrap_or_default();
        let bare: String = table.split_whitespace().collect();
        bare == "([])"
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

    /// The blocks that are run under a condition, and that as it is written; none for one that never holds.
    fn conditions(&self) -> Vec<(usize, usize, Option<String>)> {
        let mut found = Vec::new();
        for at in word_starts(&self.blanked, "if") {
            if self.is_member(at) {
                continue;
            }
            let Some((condition, start)) = self.condition(at) else {
                continue;
            };
            let written = (!super::live::is_never(condition)).then(|| self.shown(condition));
            let mut end = start;
            if let Some(body) = self.block_at(start) {
                end = start + body.len();
                found.push((start, end, written));
            }
            let rest = self.blanked.get(end..).unwrap_or_default();
            let gap = rest.len() - rest.trim_start().len();
            let start = end + gap + "else".len();
            if word_at(rest) == "else"
                && let Some(body) = self.block_at(start)
            {
                let other = format!("else of {}", self.shown(condition));
                found.push((start, start + body.len(), Some(other)));
            }
        }
        found
    }

    /// The condition of an `if`, and where it ends.
    fn condition(&self, at: usize) -> Option<(&str, usize)> {
        let rest = self.blanked.get(at + 2..)?;
        let open = rest.len() - rest.trim_start().len();
        let condition = rest.get(open..).filter(|rest| rest.starts_with('('))?;
        let condition = parens(condition, b'(', b')');
        Some((condition, at + 2 + open + condition.len()))
    }

    /// The block that begins at a place, with the white space before it.
    fn block_at(&self, at: usize) -> Option<&str> {
        let rest = self.blanked.get(at..)?;
        let body = rest.trim_start();
        let gap = rest.len() - body.len();
        let block = body.starts_with('{').then(|| block(body))?;
        rest.get(..gap + block.len())
    }

    /// The condition that stands before a call: `a && it(…)`, `if (a) it(…)`.
    fn own_condition(&self, at: usize) -> Option<String> {
        let before = self.blanked.get(..at)?.trim_end();
        let line = before.rfind([';', '{', '}']).map_or(0, |at| at + 1);
        let head = before.get(line..)?.trim_start();
        let is_own = ["&&", "||", "?"]
            .iter()
            .any(|operator| before.ends_with(operator))
            || head.split_whitespace().next_back() == Some("else")
            || is_if(head);
        let shown = head.rsplit('\n').next().unwrap_or(head);
        is_own.then(|| conditional(&self.shown(shown)))
    }

    /// A part of the blanked source as it is written, on one line.
    fn shown(&self, part: &str) -> String {
        let written = self.written(part);
        let words = written.split_whitespace().collect::<Vec<_>>().join(" ");
        words.chars().take(SHOWN_CHARS).collect()
    }
}

/// True for `if (…)` at the end of some code.
fn is_if(code: &str) -> bool {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let before = code.get(..at).unwrap_or_default().trim_end();
            let word = before.rsplit(|c| !is_word(c)).next();
            return byte == b'(' && word == Some("if");
        }
    }
    false
}

fn conditional(condition: &str) -> String {
    format!("it is there under a condition: `{condition}`")
}

/// `{ skip: true }` between the name of a test and what it does; `written` is what the blanked arguments were.
fn option_of(arguments: &str, written: &str) -> Option<String> {
    let end = ["=>", "function"]
        .iter()
        .filter_map(|start| arguments.find(start))
        .min()
        .unwrap_or(arguments.len());
    let (options, written) = (arguments.get(..end)?, written.get(..end)?);
    ["skip", "todo", "fails"]
        .into_iter()
        .find(|option| {
            written.match_indices(option).any(|(at, _)| {
                let end = at + option.len();
                let before = options.get(..at).unwrap_or_default();
                let value = options.get(end..).unwrap_or_default();
                let is_text =
                    before.ends_with(['"', '\'', '`']) && value.starts_with(['"', '\'', '`']);
                let is_name = options.get(at..end) == Some(*option) && !before.ends_with(is_word);
                if !is_text && !is_name {
                    return false;
                }
                let value = value.trim_start_matches(['"', '\'', '`']).trim_start();
                let value = value.strip_prefix(']').unwrap_or(value).trim_start();
                let value = value.strip_prefix(':').map(str::trim_start);
                value.is_some_and(|value| !value.starts_with("false"))
            })
        })
        .map(|option| format!("`{option}`"))
}
