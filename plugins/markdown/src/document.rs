//! One Markdown file: its relative links with the exact bytes of their destinations, and its anchors.
//!
//! Owns what counts as a link (inline, image, reference definition, `href`, `src`, `srcset`, `poster`) and what does
//! not (code, comments, front matter, other sites). Reading follows GitHub: footnotes, tables, alerts.
//!
//! **Invariant:** a [`Link::span`] cuts exactly the destination out of the file: without quotes, angle brackets,
//! title or white space. Where that cannot be said for sure, there is no span. Where a link leads is
//! [`crate::target`]'s business, whether that exists [`crate::breaks`](mod@crate::breaks)'s.

mod destination;
pub(crate) mod events;

use std::ops::Range;

use crate::slug::Anchors;
use crate::text::Cursor;

/// Limit: bytes of one file. The largest change logs in the wild have about two million; parsing costs some hundred
/// fuel a byte, so this also bounds a call.
pub const FILE_BYTES_MAX: usize = 4 << 20;

/// Limit: characters of one file that may be markup, line ends included. The parser keeps up to two hundred bytes for
/// each, and a plugin has 64 MiB by default. Large change logs have a tenth of this.
pub const MARKS_MAX: usize = 200_000;

/// Limit: relative links, and anchors, of one file that are kept.
pub const LINKS_MAX: usize = 50_000;

/// One relative link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The destination as a reader means it: escapes and character references resolved, percent-encoding kept.
    pub target: String,
    /// The bytes of the destination in the file; `None` when its spelling is too odd to be found again.
    pub span: Option<Range<usize>>,
    /// Where the destination begins, or the link when there is no span; from 1.
    pub line: u32,
    /// In code points, from 1.
    pub column: u32,
}

/// Why a file has no [`Document`].
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be read at all.
    #[error("cannot be read")]
    Io(#[from] std::io::Error),
    /// More than [`FILE_BYTES_MAX`].
    #[error("is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// Some other encoding, or no text.
    #[error("is not UTF-8 from byte {offset} on")]
    NotUtf8 {
        /// The first byte that is not UTF-8, from 0.
        offset: usize,
    },
    /// More than [`MARKS_MAX`] characters that may be markup.
    #[error("has more than {MARKS_MAX} characters of markup")]
    TooDense,
    /// More than [`LINKS_MAX`] relative links or anchors.
    #[error("has more than {LINKS_MAX} relative links or anchors")]
    TooManyLinks,
}

/// What this crate knows of one Markdown file; its text is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    links: Vec<Link>,
    anchors: Anchors,
}

impl Document {
    /// Reads a Markdown file.
    ///
    /// # Errors
    /// Every [`ReadError`] but `Io`.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReadError> {
        let text = text_of(bytes)?;
        let found = events::collect(text);
        if found.links.len() > LINKS_MAX || found.anchors.len() > LINKS_MAX {
            return Err(ReadError::TooManyLinks);
        }
        Ok(Self {
            links: place(text, found.links),
            anchors: found.anchors,
        })
    }

    /// The relative links, sorted by where they stand.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The anchors that a fragment can lead to.
    pub fn anchors(&self) -> &Anchors {
        &self.anchors
    }
}

/// The text of a file that is no more than the parser may be given.
///
/// # Errors
/// [`ReadError::TooLarge`], [`ReadError::TooDense`] and [`ReadError::NotUtf8`].
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, ReadError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(ReadError::TooLarge);
    }
    if bytes.len() > MARKS_MAX && marks(bytes) > MARKS_MAX {
        return Err(ReadError::TooDense);
    }
    std::str::from_utf8(bytes).map_err(|error| ReadError::NotUtf8 {
        offset: error.valid_up_to(),
    })
}

/// How many bytes there are for which alone the parser may keep something.
fn marks(bytes: &[u8]) -> usize {
    // A table, because this looks at every byte of a large file.
    const KINDS: [Mark; 256] = Mark::table();
    let mut count = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let is_mark = match KINDS.get(usize::from(*byte)) {
            None | Some(Mark::Never) => false,
            Some(Mark::Always) => true,
            Some(Mark::BeforeSpace) => bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace),
        };
        count += usize::from(is_mark);
    }
    count
}

/// Whether a byte may be markup.
#[derive(Clone, Copy)]
enum Mark {
    Never,
    Always,
    /// The end of a list's marker.
    BeforeSpace,
}

impl Mark {
    const fn of(byte: u8) -> Self {
        match byte {
            b'\n' | b'\r' | b'*' | b'_' | b'~' | b'[' | b']' | b'!' | b'<' | b'>' | b'&' | b'`'
            | b'\\' | b'|' => Self::Always,
            b'-' | b'+' | b'.' | b')' => Self::BeforeSpace,
            _ => Self::Never,
        }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "both run over the same 256 bytes, at compile time"
    )]
    #[expect(clippy::cast_possible_truncation, reason = "as above")]
    const fn table() -> [Self; 256] {
        let mut table = [Self::Never; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = Self::of(byte as u8);
            byte += 1;
        }
        table
    }
}

/// A link before lines are counted.
struct Found {
    target: String,
    span: Option<Range<usize>>,
    /// Where the link is reported when there is no span.
    start: usize,
}

impl Found {
    fn offset(&self) -> usize {
        self.span.as_ref().map_or(self.start, |span| span.start)
    }
}

fn place(text: &str, mut found: Vec<Found>) -> Vec<Link> {
    found.sort_by_key(Found::offset);
    let mut cursor = Cursor::new(text);
    let placed = found.into_iter().map(|link| {
        let (line, column) = cursor.seek(link.offset());
        Link {
            target: link.target,
            span: link.span,
            line,
            column,
        }
    });
    placed.collect()
}

#[cfg(test)]
mod tests;
