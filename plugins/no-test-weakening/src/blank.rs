//! A source without its comments and texts.
//!
//! `javascript.rs` and `python.rs` have what only those languages know; what several read in the same way is here.
//!
//! **Invariant:** every byte keeps its place and every line its number, so that what is found in the blanked source can be read in
//! the one as it was written.

mod javascript;
mod python;

use crate::language::Language;

/// `text` with a space for each byte of a comment, and for each byte between the quotes of a text or the slashes of a regular
/// expression. Whatever ends a line for the language is a line feed.
pub(crate) fn blank(language: Language, text: &str) -> String {
    let scanner = scan(language, text);
    // Only whole bytes were replaced by spaces; what stays of a character stays whole.
    let blanked = String::from_utf8(scanner.out).unwrap_or_default();
    match language {
        Language::JavaScript | Language::Python => feed(blanked),
        Language::Rust | Language::Go => blanked,
    }
}

/// Why a source may mean something else to its language than what is read here.
pub(crate) fn doubt(language: Language, text: &str) -> Option<String> {
    match language {
        Language::Python => python::odd_encoding(text)
            .map(|name| format!("is written in `{name}`, so its tests cannot be told")),
        Language::JavaScript => scan(language, text).doubt.then(|| {
            "has `<!--`, or a line that begins with `-->`: a comment in a script and code in a module, so its tests \
             cannot be told"
                .to_owned()
        }),
        Language::Rust | Language::Go => None,
    }
}

fn scan(language: Language, text: &str) -> Scanner<'_> {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
        out: Vec::with_capacity(text.len()),
        returns_end: matches!(language, Language::JavaScript | Language::Python),
        hiding: false,
        doubt: false,
    };
    if language == Language::JavaScript {
        javascript::Script::new(&mut scanner).run();
    }
    while let Some(byte) = scanner.peek(0) {
        scanner.step(language, byte);
    }
    scanner
}

/// A line feed for each carriage return that has none.
fn feed(text: String) -> String {
    let mut bytes = text.into_bytes();
    for at in 0..bytes.len() {
        let is_alone = bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) != Some(&b'\n');
        if let Some(byte) = bytes.get_mut(at).filter(|_| is_alone) {
            *byte = b'\n';
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    out: Vec<u8>,
    /// Whether a carriage return ends a line.
    returns_end: bool,
    /// Whether this is the code within a text, of which nothing is shown.
    hiding: bool,
    /// Whether something was read that could be read otherwise.
    doubt: bool,
}

impl<'a> Scanner<'a> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The character that stands here. Within one there is none, so the rest is left to whoever reads bytes.
    fn char(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn is_behind(&self, byte: u8) -> bool {
        self.at.checked_sub(1).and_then(|at| self.bytes.get(at)) == Some(&byte)
    }

    fn is_behind_word(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.bytes.get(at));
        before.is_some_and(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b')' | b']')
        })
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

    /// What stands here after a backslash, too; the two characters of a line's end are one.
    fn hide_escaped(&mut self) {
        self.hide(if self.is_at("\\\r\n") { 3 } else { 2 });
    }

    /// A character that ends a line, as a line feed.
    fn end_line(&mut self, c: char) {
        if c.is_ascii() {
            self.keep(1);
        } else {
            self.out.extend(b"\n  ");
            self.at += c.len_utf8();
        }
    }

    fn ends_line(&self) -> bool {
        match self.peek(0) {
            Some(b'\n') => true,
            Some(b'\r') => self.returns_end,
            // Those of JavaScript.
            Some(0xe2) => self.returns_end && (self.is_at("\u{2028}") || self.is_at("\u{2029}")),
            _ => false,
        }
    }

    fn has_line_end(&self, from: usize) -> bool {
        let passed = self.text.get(from..self.at).unwrap_or_default();
        passed.contains(['\n', '\r', '\u{2028}', '\u{2029}'])
    }

    fn step(&mut self, language: Language, byte: u8) {
        let slashes = language != Language::Python;
        match byte {
            b'#' if !slashes => self.line_comment(),
            b'/' if slashes && self.is_at("//") => self.line_comment(),
            b'/' if slashes && self.is_at("/*") => self.block_comment(language == Language::Rust),
            b'"' | b'\'' if language == Language::Python => self.python_text(0),
            b'r' | b'b' | b'c' if language == Language::Rust && self.raw_start().is_some() => {
                self.raw_text()
            }
            b'\'' if language == Language::Rust => self.rust_quote(),
            b'`' if language == Language::Go => self.quoted("`", false, true),
            b'"' => self.quoted("\"", true, language == Language::Rust),
            b'\'' => self.quoted("'", true, false),
            _ => self.keep(1),
        }
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some() && !self.ends_line() {
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
        let put = if self.hiding { Self::hide } else { Self::keep };
        put(self, quote.len());
        while let Some(byte) = self.peek(0) {
            if self.is_at(quote) {
                return put(self, quote.len());
            }
            if !spans && (byte == b'\n' || byte == b'\r' && self.returns_end) {
                return;
            }
            if escapes && byte == b'\\' {
                self.hide_escaped();
            } else {
                self.hide(1);
            }
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
            (Language::Python, "# a\rb # c\r\nd", "   \nb    \r\nd"),
            (Language::Python, "f\"{\"#\"}\" + 'a'", "f\"     \" + ' '"),
            (
                Language::Python,
                "f'{a[\"b\"]:{c}\">3}' + 'a'",
                "f'               ' + ' '",
            ),
            (Language::Python, "f'{{' # '", "f'  '    "),
            (
                Language::Python,
                "x = 'a\\\r\nb' + 'c'",
                "x = '  \r\n ' + ' '",
            ),
            (Language::Go, "// a\rb", "    \r "),
        ] {
            check(language, text, expect);
        }
    }

    #[test]
    fn slashes_of_javascript() {
        for (text, expect) in [
            ("/`/; return; /`/", "/ /; return; / /"),
            ("/[/*]/; x; /\"/", "/    /; x; / /"),
            ("a / b / `c`", "a / b / ` `"),
            ("a = /'/g; 'b'", "a = / /g; ' '"),
            ("f(/\\//, '/')", "f(/  /, ' ')"),
            ("if (a) /'/.b('c')", "if (a) / /.b(' ')"),
            ("(a) / 'b' / 'c'", "(a) / ' ' / ' '"),
            ("x.if (a) / 'b' / 'c'", "x.if (a) / ' ' / ' '"),
            ("return /'/", "return / /"),
            ("x.return / 'b' / 2", "x.return / ' ' / 2"),
            ("a = {} / 'b' / 'c'", "a = {} / ' ' / ' '"),
            ("{} /'/.x", "{} / /.x"),
            ("() => {}\n/'/.x", "() => {}\n/ /.x"),
            (
                "a = function () {} / 'b' / 'c'",
                "a = function () {} / ' ' / ' '",
            ),
            (
                "a = async function () {} / 'b' / 'c'",
                "a = async function () {} / ' ' / ' '",
            ),
            ("function a() {} /'/.x", "function a() {} / /.x"),
            ("a++ / 'b' / 'c'", "a++ / ' ' / ' '"),
            ("a! / 'b' / 'c'", "a! / ' ' / ' '"),
            ("!/'/.x", "!/ /.x"),
            (
                "a ? {} / 'b' / 'c' : {} / 'd' / 'e'",
                "a ? {} / ' ' / ' ' : {} / ' ' / ' '",
            ),
            (
                "switch (a) { case 1: {} /'/.x }",
                "switch (a) { case 1: {} / /.x }",
            ),
            ("1. / 'b' / 2", "1. / ' ' / 2"),
            ("for (a of /'/) b", "for (a of / /) b"),
            ("of / 'a' / 2", "of / ' ' / 2"),
            ("a\u{a0}=\u{a0}/'/", "a\u{a0}=\u{a0}/ /"),
            ("/a\n'b'", "/a\n' '"),
            ("<b>'x'</b> 'c'", "<b>' '</b> ' '"),
            ("<A {...b} /> 'c'", "<A {...b} /> ' '"),
            ("<A b={c} /> 'd'", "<A b={c} /> ' '"),
            ("0</`/; return; /`/", "0</ /; return; / /"),
            ("#!/usr/bin/env node\n'a'", "                   \n' '"),
        ] {
            check(Language::JavaScript, text, expect);
        }
    }

    #[test]
    fn templates_and_lines_of_javascript() {
        for (text, expect) in [
            ("`${'`'}`; return; `${'`'}`", "`      `; return; `      `"),
            ("`${`a${b}`}` c", "`          ` c"),
            ("`a}b` { c }", "`   ` { c }"),
            ("// a\rb", "    \nb"),
            ("// a\u{2028}b // c\u{2029}d", "    \n  b     \n  d"),
            ("'a\rb'", "' \nb'"),
            ("'a\u{2028}b' // c", "'     '     "),
        ] {
            check(Language::JavaScript, text, expect);
        }
    }

    #[test]
    fn what_may_mean_something_else_is_said() {
        let has = |language, text: &str| doubt(language, text).is_some();
        for text in [
            "a <!-- b",
            "--> b",
            "a\n/* b */ --> c",
            "/*\n*/ --> a",
            "a\u{2028}--> b",
        ] {
            assert!(has(Language::JavaScript, text), "{text}");
        }
        for text in [
            "while (a --> 0) {}",
            "'<!-- a -->'",
            "`\n--> a`",
            "/<!--/",
            "// <!-- a",
            "a < !(--b)",
        ] {
            assert!(!has(Language::JavaScript, text), "{text}");
        }
        for text in [
            "# coding: utf-7",
            "#!/bin/x\n# -*- coding: unicode_escape -*-",
            "\u{c}#coding=gbk",
            "\r\n# vim: set fileencoding=shift_jis :",
        ] {
            assert!(has(Language::Python, text), "{text}");
        }
        for text in [
            "# coding: utf-8",
            "# -*- coding: UTF_8 -*-",
            "# -*- coding: latin-1 -*-",
            "# coding: iso-8859-15",
            "x = 1\n# coding: utf-7",
            "#\n#\n# coding: utf-7",
            "# encoding matters here",
        ] {
            assert!(!has(Language::Python, text), "{text}");
        }
    }
}
