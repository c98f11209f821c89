//! The one way from foreign text to something that may be shown: [`Safe`].
//!
//! Foreign is whatever a component, a repository, a journal or a file name holds. Control characters (and so every
//! terminal command), line ends, characters that turn the direction of writing, and those that cannot be seen are shown
//! as escapes; heaps of combining marks are taken apart; what is too long is cut with a marker. So is what the log of a CI
//! takes for a command: `::` where a line may begin, and `##[…]`, `##vso[…]` wherever it stands.
//!
//! **Invariant:** a [`Safe`] is one line, moves no cursor, commands nobody who reads along, and looks the same to the
//! reader as to the machine.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ringfence_core::text;
use unicode_width::UnicodeWidthChar;

// Limit: five lines of a terminal; whoever wants the whole text asks for JSON.
const LINE_CHARS_MAX: usize = 400;
// Limit: the longest message that core keeps, panic texts included.
const PARAGRAPH_CHARS_MAX: usize = 2_100;
// Limit: the longest path there is.
const PATH_BYTES_MAX: usize = 4_096;
// Limit: as many as any living language puts on one letter.
const MARKS_MAX: usize = 2;

/// Foreign text, made fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Safe(String);

impl Safe {
    /// A line: at most some 400 characters.
    pub(crate) fn line(text: &str) -> Self {
        Self::cut(text, LINE_CHARS_MAX)
    }

    /// A longer message: at most some 2,100 characters.
    pub(crate) fn paragraph(text: &str) -> Self {
        Self::cut(text, PARAGRAPH_CHARS_MAX)
    }

    /// At most some `chars_max` characters.
    pub(crate) fn cut(text: &str, chars_max: usize) -> Self {
        Self(escape(&text::cut(text, chars_max)))
    }

    /// An error with its causes, joined by colons; their lines become one.
    pub(crate) fn error(error: &dyn std::error::Error) -> Self {
        let line = |error: &dyn std::error::Error| {
            let text = error.to_string();
            text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
        };
        let mut text = line(error);
        let mut cause = error.source();
        while let Some(error) = cause {
            // Where a message repeats its cause, once is enough.
            let message = line(error);
            if !text.ends_with(&message) {
                text = format!("{text}: {message}");
            }
            cause = error.source();
        }
        Self::paragraph(&text)
    }

    /// A file name of the system, whose bytes need not be text.
    pub(crate) fn path(path: &Path) -> Self {
        let bytes = path.as_os_str().as_bytes();
        let kept = bytes.get(..PATH_BYTES_MAX).unwrap_or(bytes);
        let mut shown = String::new();
        for chunk in kept.utf8_chunks() {
            shown.push_str(&escape(chunk.valid()));
            for byte in chunk.invalid() {
                push(&mut shown, format_args!("\\x{byte:02x}"));
            }
        }
        if kept.len() < bytes.len() {
            push(
                &mut shown,
                format_args!("… [{} more bytes]", bytes.len() - kept.len()),
            );
        }
        Self(shown)
    }

    /// The text, ready to be shown.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// True for a character that could move, hide or reorder what is shown around it.
pub(crate) fn is_treacherous(c: char) -> bool {
    c.is_control()
        // No characters at all: a browser calls a page with one wrong.
        || u32::from(c) & 0xFFFE == 0xFFFE
        || matches!(u32::from(c),
            // Soft hyphen, joiners, marks and overrides of direction, fillers, and Unicode's other ignorable ones.
            0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
            // Line and paragraph separators; overrides and isolates; invisible operators.
            | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
            | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
            // Private characters: what they look like is up to the font.
            | 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xE0000..=0x10FFFF)
}

/// True where `c`, between `last` and `rest`, would begin a command in the log of a CI.
///
/// GitHub takes `::` for one at the beginning of a line, after any white space, and pages are wrapped at spaces; `##[` it
/// takes for one anywhere in a line, as Azure and TeamCity do `##` and a word.
fn is_command(last: char, c: char, rest: &str) -> bool {
    match c {
        ':' => last.is_whitespace() && rest.starts_with(':'),
        '#' => last == '#' && rest.starts_with(|c: char| c == '[' || c.is_ascii_alphabetic()),
        _ => false,
    }
}

fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut marks = 0;
    let mut rest = text.chars();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        let last = std::mem::replace(&mut before, c);
        if is_command(last, c, rest.as_str()) {
            push(&mut shown, format_args!("\\u{{{:x}}}", u32::from(c)));
            continue;
        }
        let is_mark = c.width() == Some(0);
        marks = if is_mark { marks + 1 } else { 0 };
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if is_treacherous(c) || marks > MARKS_MAX || (is_mark && shown.is_empty()) => {
                push(&mut shown, format_args!("\\u{{{:x}}}", u32::from(c)));
            }
            c => shown.push(c),
        }
    }
    shown
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    // A `String` takes whatever it is given.
    if text.write_fmt(what).is_err() {
        text.push('\u{FFFD}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_visible() {
        for (text, expect) in [
            (
                "plain, 100 % [ok] \\ naïve 日本 🙂",
                "plain, 100 % [ok] \\ naïve 日本 🙂",
            ),
            ("\u{1b}[2J\u{1b}[31mred", "\\u{1b}[2J\\u{1b}[31mred"),
            (
                "\u{1b}]8;;http://x\u{7}link",
                "\\u{1b}]8;;http://x\\u{7}link",
            ),
            ("a\r\nb\tc\0", "a\\r\\nb\\tc\\u{0}"),
            ("one\u{85}two\u{2028}three", "one\\u{85}two\\u{2028}three"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("abc\u{202e}fed", "abc\\u{202e}fed"),
            ("\u{2066}a\u{2069}", "\\u{2066}a\\u{2069}"),
            ("g\u{200b}it", "g\\u{200b}it"),
            ("\u{e0041}\u{e000}", "\\u{e0041}\\u{e000}"),
            ("\u{1fffe}\u{fdd0}", "\\u{1fffe}\\u{fdd0}"),
            ("e\u{301}\u{302}", "e\u{301}\u{302}"),
            (
                "z\u{301}\u{301}\u{301}\u{301}",
                "z\u{301}\u{301}\\u{301}\\u{301}",
            ),
            ("\u{301}x", "\\u{301}x"),
            ("::error::x", "\\u{3a}:error::x"),
            (
                "a \u{a0}::x std::fs :::",
                "a \u{a0}\\u{3a}:x std::fs \\u{3a}::",
            ),
            ("x##[error]y ##vso[z]", "x#\\u{23}[error]y #\\u{23}vso[z]"),
            ("## Heading #1 ###", "## Heading #1 ###"),
            ("###[", "##\\u{23}["),
        ] {
            assert_eq!(Safe::line(text).as_str(), expect, "{text:?}");
        }
    }

    #[test]
    fn long_text_is_cut_where_it_shows() {
        let long = "\u{1b}".repeat(40);
        assert_eq!(
            Safe::cut(&long, 1).as_str(),
            "\\u{1b}… [39 more characters]"
        );
        assert!(Safe::line(&"x".repeat(1 << 20)).as_str().len() < 500);
    }

    #[test]
    fn paths_need_not_be_text() {
        let path = Path::new(std::ffi::OsStr::from_bytes(b"a\xff\x1b/b"));
        assert_eq!(Safe::path(path).as_str(), "a\\xff\\u{1b}/b");
        assert!(
            Safe::path(Path::new(&"x/".repeat(4_000)))
                .as_str()
                .ends_with("… [3904 more bytes]")
        );
    }

    #[test]
    fn causes_follow_their_error() {
        let error = std::io::Error::other("disk\nfull");
        assert_eq!(Safe::error(&error).as_str(), "disk full");
    }

    proptest::proptest! {
        #[test]
        fn nothing_treacherous_comes_through(text in "\\PC*|.*", raw: Vec<char>) {
            for text in [text, raw.into_iter().collect()] {
                proptest::prop_assert!(!Safe::paragraph(&text).as_str().chars().any(is_treacherous));
            }
        }
    }
}
