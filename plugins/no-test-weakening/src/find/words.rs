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

/// How often something is called whose name begins with one of `starts`, and that could fail.
pub(super) fn count_calls(body: &str, starts: &[&str]) -> usize {
    let calls = starts.iter().flat_map(|start| word_starts(body, start));
    let real = calls.filter(|at| {
        // A name that is a part of a longer path was counted with that path.
        let before = body.get(..*at).unwrap_or_default();
        !before.ends_with(['.', ':']) && !is_trivial(body.get(*at..).unwrap_or_default())
    });
    real.count()
}

/// True for what holds whatever the program does.
fn is_trivial(call: &str) -> bool {
    let line: String = call
        .split(['\n', ';'])
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
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
    .any(|trivial| line.starts_with(trivial))
        // Python's `assert True`, with or without a message.
        || line == "assertTrue"
        || line.starts_with("assertTrue,")
}

/// 1-based.
pub(super) fn line_of(text: &str, at: usize) -> u32 {
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
