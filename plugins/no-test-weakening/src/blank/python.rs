//! Texts of Python, with those that have expressions in them, and how a source says that it is encoded.
//!
//! **Invariant:** an expression in a text may hold the quotes of that text, as Python has it since 3.12; older ones know no such
//! source.

use super::Scanner;

/// Limit: of texts in expressions in texts; Python itself takes a few more.
const DEPTH_MAX: usize = 8;

impl Scanner<'_> {
    /// A text that begins here; `depth` texts are around it.
    pub(super) fn python_text(&mut self, depth: usize) {
        let quote = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quote| self.is_at(quote));
        let Some(quote) = quote else { return };
        let spans = quote.len() > 1;
        if depth < DEPTH_MAX && self.has_fields() {
            self.text_with_fields(quote, spans, depth);
        } else {
            self.quoted(quote, true, spans);
        }
    }

    /// Whether the letters before a quote say that there are expressions in the text.
    fn has_fields(&self) -> bool {
        let before = self.bytes.get(..self.at).unwrap_or_default();
        let letters = before.iter().rev();
        let letters: Vec<u8> = letters
            .take(3)
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .map(u8::to_ascii_lowercase)
            .collect();
        matches!(
            letters.as_slice(),
            b"f" | b"t" | b"fr" | b"rf" | b"tr" | b"rt"
        )
    }

    fn text_with_fields(&mut self, quote: &str, spans: bool, depth: usize) {
        self.put(quote.len());
        while let Some(byte) = self.peek(0) {
            match byte {
                _ if self.is_at(quote) => return self.put(quote.len()),
                b'\n' if !spans => return,
                b'{' if self.is_at("{{") => self.hide(2),
                b'{' => {
                    self.hide(1);
                    self.field(quote, spans, depth);
                }
                b'\\' if !self.is_at("\\{") => self.hide_escaped(),
                _ => self.hide(1),
            }
        }
    }

    /// To the brace that ends an expression, or, where none does, to the end of the text.
    fn field(&mut self, quote: &str, spans: bool, depth: usize) {
        let was_hiding = std::mem::replace(&mut self.hiding, true);
        let mut brackets = 0_usize;
        let mut is_format = false;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'}' if brackets == 0 => {
                    self.hide(1);
                    break;
                }
                // How it is written, rather than what it is.
                b':' if brackets == 0 => {
                    is_format = true;
                    self.hide(1);
                }
                b'{' if is_format => {
                    self.hide(1);
                    if depth < DEPTH_MAX {
                        self.field(quote, spans, depth + 1);
                    }
                }
                _ if is_format && (self.is_at(quote) || byte == b'\n' && !spans) => break,
                _ if is_format => self.hide(1),
                b'"' | b'\'' => self.python_text(depth + 1),
                b'#' => self.line_comment(),
                b'(' | b'[' | b'{' => {
                    brackets += 1;
                    self.hide(1);
                }
                b')' | b']' | b'}' => {
                    brackets = brackets.saturating_sub(1);
                    self.hide(1);
                }
                _ => self.hide(1),
            }
        }
        self.hiding = was_hiding;
    }

    /// Keeps what stands here, unless it is in something that is hidden.
    fn put(&mut self, count: usize) {
        if self.hiding {
            self.hide(count);
        } else {
            self.keep(count);
        }
    }
}

/// The name of the encoding that one of the first two lines gives, if plain characters are not what they are in UTF-8 there, or
/// may not be.
pub(super) fn odd_encoding(text: &str) -> Option<&str> {
    const ALIKE: [&str; 9] = [
        "utf8", "utf8sig", "u8", "cp65001", "ascii", "usascii", "latin", "latin1", "l1",
    ];
    const FAMILIES: [&str; 4] = ["iso8859", "cp125", "windows125", "koi8"];
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text.split(['\n', '\r']);
    let first = lines.next().unwrap_or_default();
    let second = match text.strip_prefix(first) {
        Some(rest) if rest.starts_with("\r\n") => lines.nth(1),
        _ => lines.next(),
    };
    let is_blank = |line: &str| line.trim_start().is_empty() || line.trim_start().starts_with('#');
    let second = second.filter(|_| is_blank(first)).unwrap_or_default();
    let name = encoding(first).or_else(|| encoding(second))?;
    let bare: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let of_family = FAMILIES.iter().any(|family| bare.starts_with(family));
    (!of_family && !ALIKE.contains(&bare.as_str())).then_some(name)
}

/// What follows `coding:` or `coding=` in a comment.
fn encoding(line: &str) -> Option<&str> {
    let comment = line
        .trim_start_matches([' ', '\t', '\u{c}'])
        .strip_prefix('#')?;
    comment.match_indices("coding").find_map(|(at, word)| {
        let rest = comment.get(at + word.len()..)?;
        let name = rest
            .strip_prefix([':', '='])?
            .trim_start_matches([' ', '\t']);
        let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
        let name = name.get(..end.unwrap_or(name.len()))?;
        (!name.is_empty()).then_some(name)
    })
}
