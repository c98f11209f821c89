//! Words, blocks and calls of a blanked source.
//!
//! **Invariant:** a block that is never closed goes to the end of the source.

use std::hash::{DefaultHasher, Hasher};

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

/// How often something is called whose name begins with one of `starts`, and that could fail. `written` is what the
/// blanked `body` was.
pub(super) fn count_calls(body: &str, written: &str, starts: &[&str]) -> usize {
    let calls = starts.iter().flat_map(|start| word_starts(body, start));
    let real = calls.filter(|at| {
        // A name that is a part of a longer path was counted with that path.
        let before = body.get(..*at).unwrap_or_default();
        let call = body.get(*at..).unwrap_or_default();
        let written = written.get(*at..).unwrap_or_default();
        !before.ends_with(['.', ':']) && !is_trivial(call) && !has_equal_sides(call, written)
    });
    real.count()
}

/// True for what holds whatever the program does.
fn is_trivial(call: &str) -> bool {
    let line = call.split(['\n', ';']).next().unwrap_or_default();
    let bare: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    [
        "assert!(true)",
        "assert!(true,",
        "assert(true)",
        "assert.ok(true)",
        "assert.True(t,true",
        "require.True(t,true",
        "expect(true).toBe(true)",
        "expect(true).toBeTruthy()",
        "expect(1).toBe(1)",
        "self.assertTrue(True)",
    ]
    .iter()
    .any(|trivial| bare.starts_with(trivial))
        // Python's `assert True`, with or without a message.
        || ["assertTrue", "assert1", "assertnotFalse"].iter().any(|trivial| {
            bare.strip_prefix(trivial)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
        })
        || [" or True", "|| true", "||true", "|| !false"].iter().any(|end| {
            line.split_once(end)
                .is_some_and(|(_, rest)| !rest.starts_with(is_word))
        })
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
