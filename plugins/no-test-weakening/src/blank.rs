//! A source without its comments and texts.
//!
//! **Invariant:** every byte keeps its place and every line its number, so that what is found in the blanked source can be read in
//! the one as it was written.

use crate::language::Language;

/// `text` with a space for each byte of a comment, and for each byte between the quotes of a text.
pub(crate) fn blank(language: Language, text: &str) -> String {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
        out: Vec::with_capacity(text.len()),
    };
    while let Some(byte) = scanner.peek(0) {
        scanner.step(language, byte);
    }
    // Only whole bytes were replaced by spaces; what stays of a character stays whole.
    String::from_utf8(scanner.out).unwrap_or_default()
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    out: Vec<u8>,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn is_at(&self, text: &str) -> bool {
        self.bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    fn keep(&mut self, count: usize) {
        for _ in 0..count {
            self.out.extend(self.peek(0));
            self.at += 1;
        }
    }

    fn hide(&mut self, count: usize) {
        for _ in 0..count {
            if let Some(byte) = self.peek(0) {
                self.out.push(if matches!(byte, b'\n' | b'\r') {
                    byte
                } else {
                    b' '
                });
            }
            self.at += 1;
        }
        self.at = self.at.min(self.bytes.len());
    }

    fn step(&mut self, language: Language, byte: u8) {
        let slashes = language != Language::Python;
        match byte {
            b'#' if !slashes => self.line_comment(),
            b'/' if slashes && self.is_at("//") => self.line_comment(),
            b'/' if slashes && self.is_at("/*") => self.block_comment(language == Language::Rust),
            b'"' | b'\'' if language == Language::Python => self.python_text(byte),
            b'r' | b'b' | b'c' if language == Language::Rust && self.raw_start().is_some() => {
                self.raw_text()
            }
            b'\'' if language == Language::Rust => self.rust_quote(),
            b'`' if language == Language::Go => self.quoted("`", false, true),
            b'`' if language == Language::JavaScript => self.quoted("`", true, true),
            b'"' => self.quoted("\"", true, language == Language::Rust),
            b'\'' => self.quoted("'", true, false),
            _ => self.keep(1),
        }
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.hide(1);
        }
    }

    fn block_comment(&mut self, nests: bool) {
        let mut depth = 0_usize;
        while self.peek(0).is_some() {
            if self.is_at("/*") && (nests || depth == 0) {
                depth += 1;
                self.hide(2);
            } else if self.is_at("*/") {
                depth -= 1;
                self.hide(2);
                if depth == 0 {
                    return;
                }
            } else {
                self.hide(1);
            }
        }
    }

    /// From a quote to the next one like it. Unless it `spans` lines, a text ends with its line, so that one odd quote does
    /// not hide the rest of a file.
    fn quoted(&mut self, quote: &str, escapes: bool, spans: bool) {
        self.keep(quote.len());
        while self.peek(0).is_some() {
            if self.is_at(quote) {
                self.keep(quote.len());
                return;
            }
            if !spans && self.peek(0) == Some(b'\n') {
                return;
            }
            let escaped = escapes && self.peek(0) == Some(b'\\');
            self.hide(if escaped { 2 } else { 1 });
        }
    }

    fn python_text(&mut self, quote: u8) {
        let (long, short) = if quote == b'"' {
            ("\"\"\"", "\"")
        } else {
            ("'''", "'")
        };
        if self.is_at(long) {
            self.quoted(long, true, true);
        } else {
            self.quoted(short, true, false);
        }
    }

    /// How many bytes stand before the text of a raw string that begins here, and how many `#` end it.
    fn raw_start(&self) -> Option<(usize, usize)> {
        let before = self.at.checked_sub(1).and_then(|at| self.bytes.get(at));
        if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            return None;
        }
        let letters = usize::from(matches!(self.peek(0), Some(b'b' | b'c')));
        if self.peek(letters) != Some(b'r') {
            return None;
        }
        let mut hashes = 0;
        while self.peek(letters + 1 + hashes) == Some(b'#') {
            hashes += 1;
        }
        (self.peek(letters + 1 + hashes) == Some(b'"')).then_some((letters + 2 + hashes, hashes))
    }

    fn raw_text(&mut self) {
        let Some((start, hashes)) = self.raw_start() else {
            return;
        };
        self.keep(start);
        let end = format!("\"{}", "#".repeat(hashes));
        while self.peek(0).is_some() && !self.is_at(&end) {
            self.hide(1);
        }
        self.keep(end.len());
    }

    /// A character, or the name of a lifetime.
    fn rust_quote(&mut self) {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let text = String::from_utf8_lossy(rest.get(..12).unwrap_or(rest));
        let mut chars = text.chars();
        let first = chars.next();
        if first == Some('\\') || (first.is_some() && chars.next() == Some('\'')) {
            self.quoted("'", true, false);
        } else {
            self.keep(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(language: Language, text: &str, expect: &str) {
        let blanked = blank(language, text);
        assert_eq!(blanked, expect, "{text}");
        assert_eq!(blanked.len(), text.len());
    }

    #[test]
    fn comments_and_texts() {
        for (language, text, expect) in [
            (Language::Rust, "a // b\nc", "a     \nc"),
            (
                Language::Rust,
                "a /* b /* c */ d */ e",
                "a                   e",
            ),
            (Language::JavaScript, "a /* b /* c */ d", "a              d"),
            (Language::Rust, "\"a\\\"b\" c", "\"    \" c"),
            (Language::Rust, "r#\"a\"b\"# c", "r#\"   \"# c"),
            (Language::Rust, "br\"a\\\" c", "br\"  \" c"),
            (
                Language::Rust,
                "<'a> 'b' '\\'' '\"' c",
                "<'a> ' ' '  ' ' ' c",
            ),
            (Language::Rust, "\"a\nb\" c", "\" \n \" c"),
            (Language::Python, "a # b\n'c' \"d\"", "a    \n' ' \" \""),
            (
                Language::Python,
                "\"\"\"a\n\"b\"\n\"\"\" c",
                "\"\"\" \n   \n\"\"\" c",
            ),
            (Language::Python, "'a\nb", "' \nb"),
            (Language::JavaScript, "`a ${b}\nc` d", "`      \n ` d"),
            (Language::Go, "`a\\` b", "`  ` b"),
            (Language::Go, "'\"' b", "' ' b"),
            (Language::Rust, "\"ä\" // ö", "\"  \"      "),
        ] {
            check(language, text, expect);
        }
    }
}
