//! Finds the bytes of a destination that the Markdown parser has already understood.
//!
//! Owns the way from «somewhere in this range» to «these bytes». The parser says what the destination means; a range
//! is only returned if reading it again gives the same meaning.
//!
//! **Invariant:** no range is returned that fails this check.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

/// Returns the destination of an inline link or image. `text[from..end]` runs from behind the link's last child to
/// behind its closing parenthesis.
pub(super) fn inline(text: &str, from: usize, end: usize, meaning: &str) -> Option<Range<usize>> {
    let region = text.get(from..end)?;
    let start = from + region.find("](")? + 2;
    read(text, start..end, meaning)
}

/// Returns the destination of a reference definition that lies in `text[span]`.
pub(super) fn definition(text: &str, span: Range<usize>, meaning: &str) -> Option<Range<usize>> {
    let source = text.get(span.clone())?;
    let start = span.start + label_end(source)?;
    read(text, start..span.end, meaning)
}

/// Returns the offset behind `[label]:`.
fn label_end(source: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in source.bytes().enumerate().skip(source.find('[')? + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b']' => return source.get(at + 1..)?.starts_with(':').then_some(at + 2),
            _ => {}
        }
    }
    None
}

fn read(text: &str, within: Range<usize>, meaning: &str) -> Option<Range<usize>> {
    let source = text.get(within.clone())?;
    let blank = source.len() - source.trim_start().len();
    let rest = source.get(blank..)?;
    let (skipped, length) = match rest.strip_prefix('<') {
        Some(angled) => (1, length_until(angled, |byte| byte == b'>')),
        None => (0, bare_length(rest)),
    };
    let start = within.start + blank + skipped;
    let span = start..start + length;
    means(text.get(span.clone())?, skipped == 1, meaning).then_some(span)
}

/// The length up to white space or the parenthesis that closes the link.
fn bare_length(source: &str) -> usize {
    let mut depth = 0_usize;
    length_until(source, |byte| match byte {
        b'(' => {
            depth += 1;
            false
        }
        b')' if depth == 0 => true,
        b')' => {
            depth -= 1;
            false
        }
        byte => byte.is_ascii_whitespace() || byte.is_ascii_control(),
    })
}

/// The length up to the first unescaped byte that `ends` the destination.
fn length_until(source: &str, mut ends: impl FnMut(u8) -> bool) -> usize {
    let mut escaped = false;
    let end = source.bytes().position(|byte| {
        if escaped {
            escaped = false;
            return byte.is_ascii_whitespace();
        }
        escaped = byte == b'\\';
        ends(byte)
    });
    end.unwrap_or(source.len())
}

/// Whether `source`, standing as a destination, is read as `meaning`.
fn means(source: &str, angled: bool, meaning: &str) -> bool {
    if source == meaning {
        return true;
    }
    if !source.contains(['\\', '&']) {
        return false;
    }
    // A table cell takes one more level of escapes away from `|`.
    let source = source.replace("\\|", "|");
    let link = if angled {
        format!("[x](<{source}>)")
    } else {
        format!("[x]({source})")
    };
    Parser::new(&link)
        .any(|event| matches!(event, Event::Start(Tag::Link { dest_url, .. }) if dest_url.as_ref() == meaning))
}
