//! Bytes to text: byte order mark, front matter, and line and column of an offset.
//!
//! Owns what is decided before Markdown is parsed.
//!
//! **Invariant:** offsets always count from the first byte of the file, so a range found in the body can be cut out
//! of the file as it lies on disk.

/// Returns the offset at which the Markdown starts: after a byte order mark and a closed front matter block.
pub(crate) fn body_start(text: &str) -> usize {
    let start = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let rest = text.get(start..).unwrap_or_default();
    start + front_matter(rest).unwrap_or(0)
}

/// Returns the length of a front matter block (`---` or `+++` on the first line, closed by the same or `...`).
fn front_matter(text: &str) -> Option<usize> {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next()?;
    let fence = first.trim_end();
    if fence != "---" && fence != "+++" {
        return None;
    }
    let mut length = first.len();
    for line in lines {
        length += line.len();
        let line = line.trim_end();
        if line == fence || (fence == "---" && line == "...") {
            return Some(length);
        }
    }
    None
}

/// Turns rising byte offsets into lines and columns, in one walk over the text.
///
/// Both count from 1; columns count code points; `\n`, `\r\n` and a lone `\r` end a line; a byte order mark has no
/// width.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    line: u32,
    column: u32,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let offset = if text.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        Self {
            text,
            offset,
            line: 1,
            column: 1,
        }
    }

    /// Moves on to `offset`; one that lies behind the cursor or inside a character leaves it where it is.
    pub(crate) fn seek(&mut self, offset: usize) -> (u32, u32) {
        let ahead = self.text.get(self.offset..offset).unwrap_or_default();
        let mut line = None;
        for (at, byte) in ahead.bytes().enumerate() {
            if byte == b'\n' || byte == b'\r' && !self.is_feed(self.offset + at + 1) {
                self.line = self.line.saturating_add(1);
                line = ahead.get(at + 1..);
            }
        }
        if line.is_some() {
            self.column = 1;
        }
        let passed = line.unwrap_or(ahead).chars().count();
        self.column = self
            .column
            .saturating_add(u32::try_from(passed).unwrap_or(u32::MAX));
        self.offset += ahead.len();
        (self.line, self.column)
    }

    fn is_feed(&self, at: usize) -> bool {
        self.text.as_bytes().get(at) == Some(&b'\n')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_body() {
        for (text, body) in [
            ("# a", "# a"),
            ("\u{feff}# a", "# a"),
            ("---\ntitle: x\n---\n# a", "# a"),
            ("---\r\ntitle: x\r\n---\r\n# a", "# a"),
            ("---\nx\n...\n# a", "# a"),
            ("+++\nx = 1\n+++\n# a", "# a"),
            ("---\nnever closed\n# a", "---\nnever closed\n# a"),
            ("----\nx\n----\n# a", "----\nx\n----\n# a"),
            ("\n---\nx\n---\n", "\n---\nx\n---\n"),
            ("", ""),
        ] {
            assert_eq!(&text[body_start(text)..], body, "{text:?}");
        }
    }

    #[test]
    fn counts_lines_and_code_points() {
        let text = "\u{feff}ab\r\nü→c\rd\ne";
        let mut cursor = Cursor::new(text);
        for (needle, expect) in [
            ("a", (1, 1)),
            ("b", (1, 2)),
            ("c", (2, 3)),
            ("d", (3, 1)),
            ("e", (4, 1)),
        ] {
            assert_eq!(cursor.seek(text.find(needle).unwrap()), expect, "{needle}");
        }
        assert_eq!(cursor.seek(0), (4, 1), "never goes back");
        assert_eq!(cursor.seek(10_000), (4, 1), "nor past the end");
    }
}
