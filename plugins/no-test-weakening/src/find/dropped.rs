//! Failures that nobody hears of: in promises, threads and panics that are caught.
//!
//! **Invariant:** only what surely fails in vain is found; a value that is looked at, or kept under a name, is none of it.

use super::words::{is_word, parens};
use crate::language::Language;

/// Calls of Rust whose panics go into what they return, and what asks for that.
const CATCHES: [&str; 1] = ["catch_unwind"];
const THREADS: [&str; 4] = [
    "thread::spawn",
    "task::spawn",
    "tokio::spawn",
    "task::spawn_blocking",
];

/// What of `body` fails in vain because of the call at `at`; the statement begins at `head`.
pub(super) fn dropped(
    language: Language,
    body: &str,
    head: usize,
    at: usize,
) -> Option<(usize, usize)> {
    let rest = body.get(at..)?;
    if language == Language::JavaScript {
        let arguments = rest.strip_prefix(".catch")?.trim_start();
        let arguments = arguments
            .starts_with('(')
            .then(|| parens(arguments, b'(', b')'))?;
        return is_deaf(arguments).then(|| (chain_start(body, at), at));
    }
    let call = CATCHES.iter().chain(&THREADS).find(|call| {
        let last = call.rsplit("::").next().unwrap_or(call);
        let is_last = rest.starts_with(last)
            && !rest
                .get(last.len()..)
                .is_some_and(|rest| rest.starts_with(is_word));
        let path = call.strip_suffix(last).unwrap_or_default();
        is_last && body.get(..at).is_some_and(|before| before.ends_with(path))
    })?;
    let before = body.get(head..at)?;
    let path = before.trim_end_matches(|c| is_word(c) || c == ':');
    let arguments = rest.find('(').and_then(|open| rest.get(open..))?;
    let arguments = parens(arguments, b'(', b')');
    let start = arguments.as_ptr() as usize - body.as_ptr() as usize;
    let after = body.get(start + arguments.len()..)?;
    let end = after.find(';')?;
    let after: String = after.get(..end)?.split_whitespace().collect();
    let drops = ["", ".ok()", ".is_ok()", ".is_err()"].contains(&after.as_str())
        || path.trim_start().starts_with("drop(") && after == ")";
    let is_thread = !CATCHES.contains(call);
    // What a thread returns may be asked for by name.
    let is_kept =
        !is_unnamed(body, path) && (!is_thread || body.contains("join") || body.contains(".await"));
    (drops && !is_kept).then_some((start, start + arguments.len()))
}

/// True where nothing keeps what follows: no `let`, or one of `_`, or of a name like that which is not used.
fn is_unnamed(body: &str, before: &str) -> bool {
    let before = before.trim();
    let name = before
        .strip_prefix("let ")
        .and_then(|rest| rest.trim_end().strip_suffix('='));
    let name = name.map(|name| name.split(':').next().unwrap_or(name).trim());
    before.is_empty()
        || before == "drop("
        || name.is_some_and(|name| {
            name == "_" || name.starts_with('_') && body.matches(name).count() == 1
        })
}

/// True for the head of a block of Rust that is run only when something waits for it, and nothing can.
pub(super) fn is_idle(body: &str, head: &str) -> bool {
    let head = head.strip_suffix("move").unwrap_or(head).trim_end();
    let before = head.strip_suffix("async");
    before.is_some_and(|before| !before.ends_with(is_word) && is_unnamed(body, before))
}

/// True for the block of a `catch` of JavaScript that does nothing with what it got.
pub(super) fn says_nothing(block: &str) -> bool {
    block.chars().all(|c| c.is_whitespace() || c == ';')
}

/// True for a function in parentheses that does nothing.
fn is_deaf(arguments: &str) -> bool {
    let bare: String = arguments.chars().filter(|c| !c.is_whitespace()).collect();
    let inner = bare.trim_start_matches('(');
    let body = if let Some((head, body)) = bare.split_once("=>") {
        let is_plain = head
            .chars()
            .all(|c| is_word(c) || matches!(c, '(' | ')' | ':'));
        Some(body).filter(|_| is_plain)
    } else if inner.starts_with("function") {
        inner.find('{').and_then(|open| inner.get(open..))
    } else {
        None
    };
    let body = body.and_then(|body| body.strip_suffix(')'));
    body.is_some_and(|body| {
        let body = body.trim_matches(['(', ')']);
        matches!(
            body,
            "{}" | "{;}"
                | "{return}"
                | "{return;}"
                | "null"
                | "undefined"
                | "void0"
                | "true"
                | "false"
                | "0"
        )
    }) || matches!(inner, "noop)" | "_.noop)" | "Boolean)")
}

/// Where the chain of calls begins that ends at `at`: `a(…).then(…)`.
fn chain_start(body: &str, at: usize) -> usize {
    let bytes = body.as_bytes();
    let mut depth = 0_usize;
    let mut start = at;
    for (at, byte) in bytes.get(..at).unwrap_or_default().iter().enumerate().rev() {
        match byte {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' if depth == 0 => return start,
            b'(' | b'[' | b'{' => depth -= 1,
            _ if depth > 0 => {}
            b'.' | b'_' | b'$' | b'?' => {}
            byte if byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() => {
                // Where a line ends that goes on with no call, another statement does.
                let goes_on = body.get(at + 1..).unwrap_or_default().trim_start();
                if *byte == b'\n' && !goes_on.starts_with(['.', '?']) {
                    return start;
                }
            }
            _ => return start,
        }
        start = at;
    }
    start
}
