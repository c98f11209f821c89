//! Rust text cut into code, comments and literals, so that a word in a string is not taken for code.
//!
//! Owns a lexer that knows just enough: nested comments, raw strings, and characters that look like lifetimes. It is
//! no parser, and what it cannot tell apart (macros that spell names piecemeal) the compiler's own lints have to see.
//!
//! **Invariant:** every view has as many lines as the text, each of the same length.

/// One text in three views; what does not belong to a view is blank in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Without comments and literals.
    pub code: String,
    /// Comments alone.
    pub comments: String,
    /// String and character literals alone.
    pub literals: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Literal,
}

impl Source {
    /// Cuts `text` up.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut source = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let (part, len) = token(rest);
            let (taken, after) = rest.split_at_checked(len).unwrap_or((rest, ""));
            source.push(part, taken);
            rest = after;
        }
        source
    }

    fn push(&mut self, part: Part, text: &str) {
        let blank: String = text
            .chars()
            .map(|c| if c == '\n' { c } else { ' ' })
            .collect();
        let add = |view: &mut String, own| view.push_str(if part == own { text } else { &blank });
        add(&mut self.code, Part::Code);
        add(&mut self.comments, Part::Comment);
        add(&mut self.literals, Part::Literal);
    }
}

/// The kind and length in bytes of what `rest`, which is not empty, begins with.
fn token(rest: &str) -> (Part, usize) {
    if rest.starts_with("//") {
        return (Part::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Part::Comment, block_comment(rest));
    }
    let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let (prefix, after) = rest.split_at_checked(word).unwrap_or((rest, ""));
    let literal = match prefix {
        "r" | "br" | "cr" => raw_string(after),
        "" | "b" | "c" => quoted(after),
        _ => None,
    };
    if let Some(len) = literal {
        return (Part::Literal, word + len);
    }
    let first = rest.chars().next().map_or(1, char::len_utf8);
    (Part::Code, word.max(first))
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(after) = rest.get(at..).filter(|after| !after.is_empty()) {
        let step = if after.starts_with("/*") {
            depth += 1;
            2
        } else if after.starts_with("*/") {
            depth -= 1;
            2
        } else {
            after.chars().next().map_or(1, char::len_utf8)
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a raw string after its letters; none when it is a raw identifier or something else.
fn raw_string(after: &str) -> Option<usize> {
    let hashes = after.find(|c| c != '#')?;
    let body = after.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", after.get(..hashes)?);
    let body_len = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(hashes + 1 + body_len)
}

/// The length of a string or character in quotes; none for a lifetime and for anything else.
fn quoted(after: &str) -> Option<usize> {
    let mut chars = after.char_indices();
    let (_, quote) = chars.next()?;
    if quote == '\'' {
        let (_, first) = chars.clone().next()?;
        let second = chars.clone().nth(1).map(|(_, c)| c);
        if first != '\\' && second != Some('\'') {
            return None;
        }
    } else if quote != '"' {
        return None;
    }
    let mut escaped = false;
    for (at, c) in chars {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    Some(after.len())
}

/// `code` with everything blank that is only compiled for tests: items behind `#[cfg(test)]` and the like.
#[must_use]
pub fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find("#[cfg(") {
        let (before, item) = rest.split_at_checked(start).unwrap_or((rest, ""));
        out.push_str(before);
        let attribute = item.find(']').map_or(item.len(), |at| at + 1);
        let (condition, after) = item.split_at_checked(attribute).unwrap_or((item, ""));
        let words: Vec<&str> = condition.split(|c| !is_word(c)).collect();
        if words.contains(&"test") && !words.contains(&"not") {
            let len = attribute + item_len(after);
            let (gone, kept) = item.split_at_checked(len).unwrap_or((item, ""));
            out.extend(gone.chars().map(|c| if c == '\n' { c } else { ' ' }));
            rest = kept;
        } else {
            out.push_str(condition);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The length of the item at the beginning of `code`: up to its `;`, or the end of its braces.
fn item_len(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// True for files that hold nothing but tests.
#[must_use]
pub fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs") || path.contains("/benches/")
}

/// Words after which a path may begin with `::`.
const KEYWORDS: &[&str] = &[
    "as", "break", "dyn", "else", "for", "if", "impl", "in", "match", "move", "mut", "return",
    "use", "where", "while",
];

/// Every path that `code` names, with its line; `use` lists are written out: `std::{fs, io::Read}` gives `std::fs` and
/// `std::io::Read`, `self` and `*` are left off.
#[must_use]
pub fn names(code: &str) -> Vec<(usize, String)> {
    let mut reader = Names::default();
    let mut rest = code;
    reader.line = 1;
    while let Some(first) = rest.chars().next() {
        let len = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at_checked(len).unwrap_or((rest, ""));
        reader.take(token, first);
        rest = after;
    }
    reader.end_path();
    reader.found
}

#[derive(Default)]
struct Names {
    line: usize,
    path: String,
    /// Where `path` begins.
    path_line: usize,
    /// What stands before each open brace of a `use` list; none for any other brace.
    open: Vec<Option<String>>,
    found: Vec<(usize, String)>,
}

impl Names {
    fn take(&mut self, token: &str, first: char) {
        match token {
            "::" => {
                // `use ::std::fs` begins anew; `std ::fs` goes on.
                if KEYWORDS.contains(&self.path.as_str()) {
                    self.path.clear();
                }
                self.path.push_str(token);
            }
            "{" if self.path.ends_with("::") => {
                let path = std::mem::take(&mut self.path);
                self.open.push(Some(self.prefixed(&path)));
            }
            "{" => {
                self.end_path();
                self.open.push(None);
            }
            "}" => {
                self.end_path();
                self.open.pop();
            }
            _ if is_word(first) => {
                if !self.path.is_empty() && !self.path.ends_with("::") {
                    self.end_path();
                }
                if self.path.is_empty() {
                    self.path_line = self.line;
                }
                self.path.push_str(token);
            }
            // rustfmt breaks long paths before `::`, never after.
            _ if first.is_whitespace() => self.line += usize::from(first == '\n'),
            _ => self.end_path(),
        }
    }

    fn prefixed(&self, path: &str) -> String {
        let prefix = self
            .open
            .last()
            .and_then(Option::as_deref)
            .unwrap_or_default();
        format!("{prefix}{path}")
    }

    fn end_path(&mut self) {
        let path = std::mem::take(&mut self.path);
        if path.is_empty() || KEYWORDS.contains(&path.as_str()) {
            return;
        }
        let path = self.prefixed(&path);
        let path = path.strip_suffix("::self").unwrap_or(&path);
        let path = path.trim_start_matches("::").trim_end_matches("::");
        self.found.push((self.path_line, path.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tells_code_from_comments_and_literals() {
        for (text, code, comments, literals) in [
            ("a // b \"c\"\nd", "a d", "// b \"c\"", ""),
            ("a /* b /* c */ */ d", "a d", "/* b /* c */ */", ""),
            (r#"f("// x", 'y')"#, "f( , )", "", r#""// x" 'y'"#),
            (r##"r#"a"b"# r#type"##, "r#type", "", r##"r#"a"b"#"##),
            (r"fn f<'a>(c: '\'') {}", "fn f<'a>(c: ) {}", "", r"'\''"),
            (r#"b"x\"y" c"#, "c", "", r#"b"x\"y""#),
            ("'\u{7f}' 'é' '\"' x", "x", "", "'\u{7f}' 'é' '\"'"),
        ] {
            let source = Source::new(text);
            assert_eq!(words(&source.code), code, "{text}");
            assert_eq!(words(&source.comments), comments, "{text}");
            assert_eq!(words(&source.literals), literals, "{text}");
        }
    }

    #[test]
    fn every_view_has_the_shape_of_the_text() {
        let shape = |text: &str| {
            text.lines()
                .map(|line| line.chars().count())
                .collect::<Vec<_>>()
        };
        for text in [
            "/* a\n",
            "\"a\nb",
            "r#\"a",
            "'",
            "'\\",
            "é'é'é",
            "a /* b\n*/ \"c\n\" d",
            "b'",
            "r",
            "r#",
        ] {
            let source = Source::new(text);
            for view in [source.code, source.comments, source.literals] {
                assert_eq!(shape(&view), shape(text), "{text}");
            }
        }
    }

    #[test]
    fn leaves_out_what_only_tests_see() {
        for (code, expect) in [
            ("a(); #[cfg(test)] mod tests; b", "a(); b"),
            ("#[cfg(test)]\nmod t { fn f() { {} } }\nb", "b"),
            ("#[cfg(all(test, unix))] use x; b", "b"),
            ("#[cfg(not(test))] mod t; b", "#[cfg(not(test))] mod t; b"),
            ("#[cfg(unix)] mod t; b", "#[cfg(unix)] mod t; b"),
        ] {
            assert_eq!(words(&without_tests(code)), expect, "{code}");
        }
        assert_eq!(
            without_tests("a\n#[cfg(test)]\nmod t;\nb").lines().count(),
            4
        );
    }

    #[test]
    fn writes_use_lists_out() {
        let words = |code| {
            let found = names(code).into_iter().map(|(_, name)| name);
            found.collect::<Vec<_>>().join(" ")
        };
        for (code, expect) in [
            (
                "use std::{fs, io::{self, Read}};",
                "std::fs std::io std::io::Read",
            ),
            ("use std::{\n    fs::*,\n};", "std::fs"),
            (
                "::std::fs::read(p); use ::std::env;",
                "std::fs::read p std::env",
            ),
            ("use std as s;", "std s"),
            ("fn f() -> X { a::b(c) }", "fn f X a::b c"),
            ("std\n::fs", "std::fs"),
        ] {
            assert_eq!(words(code), expect, "{code}");
        }
        let at_lines = [(1, "a".to_owned()), (2, "b::c".to_owned())];
        assert_eq!(names("a\nb\n  ::c"), at_lines);
    }
}
