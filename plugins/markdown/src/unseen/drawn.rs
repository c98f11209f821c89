//! Diagrams and formulas: code that pages draw instead of showing it, and what of it they leave out.
//!
//! **Invariant:** what is drawn is let be; a comment is found as one, and what is drawn without being seen by the number of its
//! words, since formulas need some room that is empty.

use std::ops::Range;

use pulldown_cmark::CodeBlockKind;

use super::{OPEN_BYTES_MAX, WORDS_MAX, Walk, What, style, words};

/// Commands whose argument takes room and is not seen.
const PHANTOMS: [&str; 3] = ["\\phantom{", "\\hphantom{", "\\vphantom{"];
/// Commands that name a colour.
const COLOURS: [&str; 3] = ["\\color{", "\\textcolor{", "\\color[named]{"];

/// What pages draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawn {
    Diagram,
    Formula,
}

impl Drawn {
    pub(super) fn of(kind: &CodeBlockKind<'_>) -> Option<Self> {
        let CodeBlockKind::Fenced(info) = kind else {
            return None;
        };
        let language = info
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | '{'))
            .next()?;
        match language.to_lowercase().as_str() {
            "mermaid" => Some(Self::Diagram),
            "math" | "latex" | "tex" | "katex" => Some(Self::Formula),
            _ => None,
        }
    }
}

impl Walk<'_> {
    /// Comments of a diagram. A directive is none, as long as it has no more words than a setting.
    pub(super) fn diagram(&mut self, range: Range<usize>) {
        let mut at = range.start;
        for line in self.get(range).split_inclusive('\n') {
            let bare = line.trim_start();
            let start = at + line.len() - bare.len();
            at += line.len();
            let Some(comment) = bare.strip_prefix("%%") else {
                continue;
            };
            let span = start..start + bare.trim_end().len();
            if !comment.starts_with('{') {
                self.push(span, What::Comment, comment);
            } else if words(comment) > 2 * WORDS_MAX {
                self.push(span, What::Words, comment);
            }
        }
    }

    /// What a formula leaves out: comments, and words that nobody sees.
    pub(super) fn formula(&mut self, range: Range<usize>) {
        let mut at = range.start;
        for line in self.get(range.clone()).split_inclusive('\n') {
            let comment = line
                .match_indices('%')
                .find(|(at, _)| !line.get(..*at).is_some_and(|before| before.ends_with('\\')));
            if let Some((column, _)) = comment {
                let text = line.get(column + 1..).unwrap_or_default().trim_end();
                if !text.trim().is_empty() {
                    self.push(at + column..at + line.trim_end().len(), What::Comment, text);
                }
            }
            at += line.len();
        }
        self.commands(range);
    }

    /// The same in a text, where formulas stand between dollar signs.
    pub(super) fn formulas(&mut self, range: Range<usize>) {
        let text = self.get(range.clone());
        if !text.contains('\\') {
            return;
        }
        let lines = self.get(range.start..self.source.len());
        let behind = lines
            .get(..lines.floor_char_boundary(OPEN_BYTES_MAX))
            .unwrap_or_default();
        let before = self.get(0..range.start);
        let before =
            before.get(before.ceil_char_boundary(before.len().saturating_sub(OPEN_BYTES_MAX))..);
        let paragraph = before
            .unwrap_or_default()
            .rsplit("\n\n")
            .next()
            .unwrap_or_default();
        if behind.contains('$') && (paragraph.contains('$') || text.contains('$')) {
            self.commands(range);
        }
    }

    fn commands(&mut self, range: Range<usize>) {
        let source = self.get(range.start..self.source.len());
        for command in PHANTOMS.iter().chain(&COLOURS) {
            for (at, _) in self.get(range.clone()).match_indices(command) {
                let open = at + command.len();
                let inner = source.get(open..).unwrap_or_default();
                let inner = inner
                    .get(..inner.floor_char_boundary(OPEN_BYTES_MAX))
                    .unwrap_or_default();
                let (argument, rest) = closed(inner);
                let (hidden, end) = if PHANTOMS.contains(command) {
                    (argument, argument.len())
                } else if style::is_invisible(&argument.trim().to_lowercase()) {
                    let until = rest.find('$').unwrap_or(rest.len());
                    (
                        rest.get(..until).unwrap_or_default(),
                        argument.len() + until,
                    )
                } else {
                    continue;
                };
                if words(hidden) > WORDS_MAX {
                    let start = range.start + at;
                    self.push(start..range.start + open + end, What::Words, hidden);
                }
            }
        }
    }
}

/// Up to the brace that closes, and what follows it.
fn closed(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => {
                return (
                    text.get(..at).unwrap_or(text),
                    text.get(at..).unwrap_or_default(),
                );
            }
            b'}' => depth -= 1,
            _ => {}
        }
    }
    (text, "")
}
