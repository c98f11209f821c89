//! Words, blocks and calls of a blanked source.
//!
//! **Invariant:** a block that is never closed goes to the end of the source.

use std::hash::{DefaultHasher, Hasher};

use crate::language::Language;

/// Limit: of a statement whose condition is looked at, since brackets that are never closed would make each as long as the file.
const STATEMENT_BYTES_MAX: usize = 4096;
/// Limit: of brackets and operands within each other; nobody writes a condition that deep.
const DEPTH_MAX: u8 = 8;

/// True within a name.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The name that stands at the beginning.
pub(super) fn word_at(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Where `word` begins without being the end of a longer one.
pub(super) fn word_starts<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| {
            let before = text.get(..*at).and_then(|text| text.chars().next_back());
            !before.is_some_and(is_word)
        })
}

/// From `open`, with which the text begins, to the `close` that belongs to it.
pub(super) fn parens(text: &str, open: u8, close: u8) -> &str {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        if byte == open {
            depth += 1;
        } else if byte == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return text.get(..=at).unwrap_or(text);
            }
        }
    }
    text
}

/// The first block in braces.
pub(super) fn block(text: &str) -> &str {
    let start = text.find('{').unwrap_or(text.len());
    text.get(start..)
        .map_or("", |text| parens(text, b'{', b'}'))
}

/// How often something is called that asserts in this language, or begins with one of `bound`, and that could fail.
/// `written` is what the blanked `body` was.
pub(super) fn count_calls(
    language: Language,
    bound: &[String],
    body: &str,
    written: &str,
) -> usize {
    let known = language.asserts();
    let own = bound.iter().map(String::as_str);
    // What the language knows already is not counted twice.
    let own = own.filter(|start| !known.iter().any(|known| start.starts_with(known)));
    let starts = known.iter().copied().chain(own);
    let calls = starts.flat_map(|start| word_starts(body, start));
    let real = calls.filter(|at| {
        // A name that is a part of a longer path was counted with that path.
        let before = body.get(..*at).unwrap_or_default();
        let call = body.get(*at..).unwrap_or_default();
        let written = written.get(*at..).unwrap_or_default();
        !before.ends_with(['.', ':'])
            && !is_trivial(language, call)
            && !has_equal_sides(call, written)
    });
    real.count()
}

/// Members of a JavaScript test's own object, and of what `tspl` makes, that assert nothing.
const IDLE: [&str; 19] = [
    "after",
    "afterEach",
    "before",
    "beforeEach",
    "comment",
    "completed",
    "context",
    "diagnostic",
    "end",
    "log",
    "mock",
    "name",
    "pass",
    "plan",
    "signal",
    "teardown",
    "tearDown",
    "test",
    "timeout",
];
/// Those that ask whether something is true.
const ASK: [&str; 5] = ["assert", "isOk", "isTrue", "ok", "true"];

/// True for what holds whatever the program does.
fn is_trivial(language: Language, call: &str) -> bool {
    const TRUTH: [&str; 8] = [
        "assert!",
        "debug_assert!",
        "prop_assert!",
        "assert",
        "assert.ok",
        "self.assertTrue",
        "assert.True",
        "require.True",
    ];
    // The blanks of a text are as good as its words here.
    let statement: String = statement(call)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let trivial = [
        "expect(true).toBe(true)",
        "expect(true).toBeTruthy()",
        "expect(1).toBe(1)",
    ];
    if trivial.iter().any(|trivial| statement.starts_with(trivial)) {
        return true;
    }
    let open = statement.find('(').unwrap_or(statement.len());
    let (name, arguments) = statement.split_at(open);
    if language == Language::Python && word_at(&statement) == "assert" {
        let condition = statement.strip_prefix("assert").unwrap_or_default();
        return top_level(condition, &[","])
            .first()
            .is_some_and(|first| holds(first, 0));
    }
    let arguments = top_level(arguments.strip_prefix('(').unwrap_or_default(), &[","]);
    // In Go, the first one is the test itself.
    let condition = arguments
        .get(usize::from(language == Language::Go))
        .copied();
    let condition = condition.unwrap_or_default();
    let (mut asks, mut is_idle) = (TRUTH.contains(&name), false);
    if language == Language::JavaScript {
        asks |= name
            .rsplit('.')
            .next()
            .is_some_and(|last| ASK.contains(&last));
        is_idle = name
            .split('.')
            .nth(1)
            .is_some_and(|member| IDLE.contains(&member.trim()));
    }
    is_idle || asks && holds(condition, 0) || name == "expect" && has_constant(condition, 0)
}

/// True for a condition that is a constant, or has one beside an `or`; a tuple is one, and a list that is not empty.
fn holds(condition: &str, depth: u8) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    let condition = condition.trim();
    let inner = |open: char, close: char| {
        let is_whole = condition.starts_with(open)
            && parens(condition, open as u8, close as u8).len() == condition.len();
        let inner = condition.strip_prefix(open)?.strip_suffix(close)?;
        is_whole.then_some(inner)
    };
    if let Some(inner) = inner('(', ')') {
        return top_level(inner, &[","]).len() > 1 || holds(inner, depth + 1);
    }
    let is_list = |inner: &str| !inner.trim().is_empty() && !inner.contains(" for ");
    let is_text = |quote: char| {
        let inner = condition
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        inner.is_some_and(|inner| !inner.is_empty() && inner.trim().is_empty())
    };
    let bare: String = condition.chars().filter(|c| !c.is_whitespace()).collect();
    matches!(
        bare.as_str(),
        "true" | "True" | "1" | "!false" | "notFalse" | "not0"
    ) || is_text('"')
        || is_text('\'')
        || inner('[', ']').is_some_and(is_list)
        || has_constant(condition, depth)
}

/// True for an `or` of something with a constant.
fn has_constant(condition: &str, depth: u8) -> bool {
    let operands = top_level(condition, &["||", " or "]);
    operands.len() > 1
        && operands
            .into_iter()
            .any(|operand| holds(operand, depth + 1))
}

/// Up to the end of the line, or to a semicolon, outside of all brackets.
fn statement(call: &str) -> &str {
    let call = call
        .get(..call.floor_char_boundary(STATEMENT_BYTES_MAX))
        .unwrap_or(call);
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, byte) in call.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => return call.get(..at).unwrap_or(call),
            b')' | b']' | b'}' => depth -= 1,
            b'\n' | b';' if depth == 0 && !escaped => return call.get(..at).unwrap_or(call),
            _ => {}
        }
        escaped = byte == b'\\';
    }
    call
}

/// The parts of a text between separators that stand outside of all brackets, up to a bracket that was not opened.
pub(super) fn top_level<'t>(text: &'t str, separators: &[&str]) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut at) = (0_usize, 0, 0);
    while let Some(byte) = text.as_bytes().get(at) {
        let found = separators.iter().find(|separator| {
            depth == 0
                && text
                    .as_bytes()
                    .get(at..)
                    .is_some_and(|rest| rest.starts_with(separator.as_bytes()))
        });
        if let Some(separator) = found {
            parts.push(text.get(start..at).unwrap_or_default());
            at += separator.len();
            start = at;
            continue;
        }
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => break,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    parts.push(text.get(start..at).unwrap_or_default());
    parts
}

/// True for a comparison of something with itself.
fn has_equal_sides(call: &str, written: &str) -> bool {
    const EQUAL: [&str; 11] = [
        "assert_eq!",
        "debug_assert_eq!",
        "prop_assert_eq!",
        "self.assertEqual",
        "self.assertIs",
        "assert.equal",
        "assert.strictEqual",
        "assert.deepEqual",
        "assert.deepStrictEqual",
        "assert.Equal",
        "require.Equal",
    ];
    let squash = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let same = |a: &str, b: &str| !a.trim().is_empty() && squash(a) == squash(b);
    if let Some(name) = EQUAL.iter().find(|name| call.starts_with(**name)) {
        let Some(inner) = call
            .get(name.len()..)
            .filter(|inner| inner.starts_with('('))
        else {
            return false;
        };
        let arguments = split(inner, written.get(name.len()..).unwrap_or_default());
        // In Go, the first one is the test itself.
        let is_go = name.ends_with(".Equal");
        return match arguments.get(usize::from(is_go)..) {
            Some([a, b, ..]) => same(a, b),
            _ => false,
        };
    }
    if call.starts_with("expect(") {
        let actual = parens(call.get(6..).unwrap_or_default(), b'(', b')');
        let end = 6 + actual.len();
        let rest = call.get(end..).unwrap_or_default();
        let Some(name) = [".toBe", ".toEqual", ".toStrictEqual"].iter().find(|name| {
            rest.strip_prefix(**name)
                .is_some_and(|rest| rest.starts_with('('))
        }) else {
            return false;
        };
        let start = end + name.len();
        let wanted = parens(call.get(start..).unwrap_or_default(), b'(', b')');
        return same(
            written.get(6..end).unwrap_or_default(),
            written.get(start..start + wanted.len()).unwrap_or_default(),
        );
    }
    let line = written.split('\n').next().unwrap_or_default();
    line.strip_prefix("assert ")
        .and_then(|line| line.split_once("=="))
        .is_some_and(|(a, b)| same(a, b))
}

/// The arguments in the parentheses with which a call begins, as they were written.
fn split<'t>(call: &str, written: &'t str) -> Vec<&'t str> {
    let mut arguments = Vec::new();
    let (mut depth, mut start) = (0_usize, 1);
    for (at, byte) in call.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 || depth == 1 && byte == b',' {
            arguments.push(written.get(start..at).unwrap_or_default());
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    arguments
}

/// 1-based.
pub(crate) fn line_of(text: &str, at: usize) -> u32 {
    let before = text.get(..at).unwrap_or_default().matches('\n').count();
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

/// Equal for what differs in white space alone.
pub(super) fn hash(head: &str, body: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    for part in [head, "\0", body] {
        for word in part.split_whitespace() {
            hasher.write(word.as_bytes());
            hasher.write_u8(b' ');
        }
    }
    hasher.finish()
}
