//! Markdown as far as these files use it: headings, tables, bullets, paragraphs.
//!
//! **Invariant:** one pass over the lines, whatever they hold; a code block says nothing; no piece is longer than
//! [`PIECE_CHARS_MAX`], and of more than [`PIECES_MAX`] the rest is left out and counted.

use crate::text;

/// Most pieces of one file.
// Limit: many times the longest of these files; what follows is counted.
const PIECES_MAX: usize = 5_000;
/// Longest piece in characters.
// Limit: a long paragraph; a path list of a hundred entries still fits.
const PIECE_CHARS_MAX: usize = 4_000;
/// Longest heading or key in characters.
// Limit: each piece keeps the headings above it; one line of a page.
const TITLE_CHARS_MAX: usize = 200;
// Limit: no table of these files has half as many columns.
const CELLS_MAX: usize = 24;

/// A piece of a file, with the line it begins on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) line: usize,
    /// The headings above it, outermost first.
    pub(super) under: Vec<String>,
    pub(super) what: What,
}

/// What a piece is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// A heading, which is also the last of `under`.
    Heading,
    /// A row of a table as (heading of the column, cell).
    Row(Vec<(String, String)>),
    /// An entry of a list.
    Bullet(String),
    /// A paragraph.
    Paragraph(String),
}

/// The pieces of a text, and how many were too many.
pub(super) fn read(source: &str) -> (Vec<Piece>, usize) {
    let mut reader = Reader::default();
    for (index, line) in source.lines().enumerate() {
        reader.line(index + 1, line);
    }
    reader.flush();
    (reader.pieces, reader.dropped)
}

#[derive(Debug, Default)]
struct Reader {
    pieces: Vec<Piece>,
    dropped: usize,
    headings: Vec<(usize, String)>,
    fence: Option<String>,
    /// The header of the table that is being read, once its line of dashes has come.
    columns: Option<Vec<String>>,
    /// What may turn out to be such a header.
    header: Option<(usize, Vec<String>)>,
    /// A bullet or paragraph that may go on.
    open: Option<(usize, bool, String)>,
}

impl Reader {
    fn line(&mut self, number: usize, raw: &str) {
        let line = raw.trim();
        if self.in_code(line) {
            return;
        }
        if line.starts_with("<!--") || line.is_empty() {
            self.flush();
            return;
        }
        if let Some((level, title)) = heading(line) {
            self.flush();
            self.headings.retain(|(outer, _)| *outer < level);
            self.headings
                .push((level, text::one_line(title, TITLE_CHARS_MAX)));
            self.push(number, What::Heading);
        } else if line.starts_with('|') {
            self.row(number, cells(line));
        } else if let Some(text) = bullet(line) {
            self.flush();
            self.open = Some((number, true, text.to_owned()));
        } else {
            self.go_on(number, line);
        }
    }

    fn in_code(&mut self, line: &str) -> bool {
        let fence: String = line
            .chars()
            .take_while(|c| *c == '`' || *c == '~')
            .collect();
        let is_fence = fence.len() >= 3;
        match &self.fence {
            Some(open) => {
                if is_fence && fence.starts_with(open.as_str()) && fence == line {
                    self.fence = None;
                }
                true
            }
            None if is_fence => {
                self.flush();
                self.fence = Some(fence);
                true
            }
            None => false,
        }
    }

    fn row(&mut self, number: usize, cells: Vec<String>) {
        self.end_text();
        let dashes = cells.iter().all(|cell| {
            !cell.is_empty() && cell.chars().all(|c| c == '-' || c == ':') && cell.contains('-')
        });
        match (&self.columns, self.header.take()) {
            (Some(columns), _) if !dashes => {
                let row = columns.iter().cloned().zip(cells).collect();
                self.push(number, What::Row(row));
            }
            (None, Some((_, header))) if dashes => self.columns = Some(header),
            (None, _) => self.header = Some((number, cells)),
            (Some(_), _) => {}
        }
    }

    fn go_on(&mut self, number: usize, line: &str) {
        self.columns = None;
        self.header = None;
        match &mut self.open {
            Some((_, _, text)) if text.len() < PIECE_CHARS_MAX * 4 => {
                text.push(' ');
                text.push_str(line);
            }
            Some(_) => {}
            None => {
                let line = line.trim_start_matches(['>', ' ']);
                self.open = Some((number, false, line.to_owned()));
            }
        }
    }

    fn flush(&mut self) {
        self.end_text();
        self.columns = None;
        self.header = None;
    }

    fn end_text(&mut self) {
        if let Some((number, is_bullet, text)) = self.open.take() {
            let text = cut(&text);
            let what = if is_bullet {
                What::Bullet(text)
            } else {
                What::Paragraph(text)
            };
            self.push(number, what);
        }
    }

    fn push(&mut self, line: usize, what: What) {
        if self.pieces.len() >= PIECES_MAX {
            self.dropped += 1;
            return;
        }
        self.pieces.push(Piece {
            line,
            under: self
                .headings
                .iter()
                .map(|(_, title)| title.clone())
                .collect(),
            what,
        });
    }
}

fn cut(text: &str) -> String {
    text::one_line(text, PIECE_CHARS_MAX)
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.chars().take_while(|c| *c == '#').count();
    let title = line.get(level..)?.strip_prefix(' ')?;
    (1..=6)
        .contains(&level)
        .then(|| (level, title.trim().trim_end_matches('#').trim()))
}

fn bullet(line: &str) -> Option<&str> {
    let text = line.strip_prefix(['-', '*', '+']).or_else(|| {
        let digits = line.chars().take_while(char::is_ascii_digit).count();
        (1..=3)
            .contains(&digits)
            .then(|| line.get(digits..))??
            .strip_prefix(['.', ')'])
    })?;
    let text = text.strip_prefix(' ')?.trim();
    let unboxed = ["[ ] ", "[x] ", "[X] "]
        .iter()
        .find_map(|done| text.strip_prefix(done));
    Some(unboxed.unwrap_or(text))
}

/// The cells of a line; a bar inside backticks or behind a backslash parts none.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut code, mut escaped) = (Vec::new(), String::new(), false, false);
    let body = line.strip_prefix('|').unwrap_or(line);
    for c in body.chars() {
        match c {
            '|' if !code && !escaped => cells.push(std::mem::take(&mut cell)),
            _ => {
                code ^= c == '`';
                cell.push(c);
            }
        }
        escaped = c == '\\';
    }
    if !cell.trim().is_empty() {
        cells.push(cell);
    }
    cells
        .iter()
        .take(CELLS_MAX)
        .map(|cell| cut(&cell.replace("\\|", "|")))
        .collect()
}

/// A text without emphasis, code marks and the targets of links.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        let (before, link) = rest.split_at(start);
        out.push_str(before);
        match link
            .split_once("](")
            .and_then(|(label, more)| Some((label, more.split_once(')')?.1)))
        {
            Some((label, more)) if !label.contains(']') => {
                out.push_str(label.trim_start_matches('['));
                rest = more;
            }
            _ => {
                out.push('[');
                rest = link.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    let out = out.replace("**", "").replace("__", "").replace('`', "");
    out.trim().to_owned()
}

/// `key: value` of a bullet or cell; none where what stands before the colon is no key.
pub(super) fn key_value(text: &str) -> Option<(String, &str)> {
    let colon = text.match_indices(':').map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).unwrap_or_default();
        before.matches('`').count() % 2 == 0
    })?;
    let (key, value) = text.split_at_checked(colon)?;
    let value = value.get(1..)?;
    if key.len() > TITLE_CHARS_MAX || value.starts_with("//") {
        return None;
    }
    let value = value.trim_start_matches("**").trim();
    let key = plain(key);
    let words = key.split_whitespace().count();
    ((1..=8).contains(&words) && key.chars().count() <= 60).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str) -> String {
        let (pieces, dropped) = read(source);
        assert_eq!(dropped, 0);
        let lines = pieces.iter().map(|piece| {
            format!(
                "{} {} {:?}",
                piece.line,
                piece.under.join(" > "),
                piece.what
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn pieces() {
        let source = "# Loop — x\n\nSome\ntext.\n\n## Limits\n\n- Max files: 5\n  more of it\n* [ ] other\n1. first\n\n| Loop | Max `a|b` |\n|---|:---:|\n| CI \\| x | 96 |\n| short |\n\n```yaml\n- not: this\n```\n## Next\ntext\n| no | table |\n";
        insta::assert_snapshot!(shown(source), @r#"
        1 Loop — x Heading
        3 Loop — x Paragraph("Some text.")
        6 Loop — x > Limits Heading
        8 Loop — x > Limits Bullet("Max files: 5 more of it")
        10 Loop — x > Limits Bullet("other")
        11 Loop — x > Limits Bullet("first")
        15 Loop — x > Limits Row([("Loop", "CI | x"), ("Max `a|b`", "96")])
        16 Loop — x > Limits Row([("Loop", "short")])
        21 Loop — x > Next Heading
        22 Loop — x > Next Paragraph("text")
        "#);
    }

    #[test]
    fn keys_and_values() {
        for (text, expect) in [
            ("Cadence: 15m", Some(("Cadence", "15m"))),
            ("**Max files:** 5", Some(("Max files", "5"))),
            ("`maxFiles`: 5", Some(("maxFiles", "5"))),
            ("[Run log](x.md): there", Some(("Run log", "there"))),
            ("see https://example.com/x", None),
            ("no colon", None),
            ("one two three four five six seven eight nine: x", None),
            (": x", None),
        ] {
            let found = key_value(text);
            assert_eq!(
                found.as_ref().map(|(key, value)| (key.as_str(), *value)),
                expect,
                "{text}"
            );
        }
    }

    #[test]
    fn much_is_bounded() {
        let (pieces, dropped) = read(&"- x\n".repeat(20_000));
        assert_eq!((pieces.len(), dropped), (PIECES_MAX, 20_000 - PIECES_MAX));
        let (pieces, _) = read(&format!("| {} |\n|---|\n", "a | ".repeat(10_000)));
        assert!(pieces.is_empty());
        let (pieces, _) = read(&"word ".repeat(200_000));
        assert!(
            matches!(pieces.first().map(|one| &one.what), Some(What::Paragraph(text)) if text.chars().count() < PIECE_CHARS_MAX + 40)
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[-#|*`:>\\[\\]() a1\\n~]{0,120}|\\PC{0,80}") {
            let (pieces, _) = read(&text);
            for piece in &pieces {
                if let What::Bullet(text) | What::Paragraph(text) = &piece.what {
                    proptest::prop_assert!(!text.contains('\n'));
                    key_value(text);
                    plain(text);
                }
            }
        }
    }
}
