//! Puts a new destination in the place of an old one, byte for byte.
//!
//! Owns the edit and the proof that it did what it should: the edited text is read again, and every link but the
//! edited ones must be what it was.
//!
//! **Invariant:** no byte outside the destinations changes.

use crate::document::{Document, Link, ReadError};
use crate::html;

/// Why a document could not be rewritten.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// The document before or after the edit is not one we can read.
    #[error("the document {0}")]
    Unreadable(#[from] ReadError),
    /// No link has this destination, or none that can be located exactly.
    #[error("no link to `{0}` can be located exactly")]
    NotFound(String),
    /// Read again, the edited text does not hold the links it should.
    #[error("writing `{new}` in place of `{old}` would change the meaning of the document")]
    Misread {
        /// The destination that was to be replaced.
        old: String,
        /// The one that was to stand there.
        new: String,
    },
}

/// Returns the bytes of a document in which every link to `old` leads to `new`, and how many links that were.
///
/// `old` is compared with [`Link::target`]; `new` is written as it is, so it must be a destination as
/// [`crate::repair()`] makes them.
///
/// # Errors
/// See [`RewriteError`]; the document is left alone then.
pub fn retarget(bytes: &[u8], old: &str, new: &str) -> Result<(Vec<u8>, usize), RewriteError> {
    let before = Document::parse(bytes)?;
    let mut edited = Vec::with_capacity(bytes.len() + new.len());
    let mut end = 0;
    let mut count = 0;
    for link in before.links().iter().filter(|link| link.target == old) {
        let Some(span) = &link.span else { continue };
        let Some(between) = bytes.get(end..span.start) else {
            continue;
        };
        edited.extend_from_slice(between);
        edited.extend_from_slice(new.as_bytes());
        end = span.end;
        count += 1;
    }
    if count == 0 {
        return Err(RewriteError::NotFound(old.to_owned()));
    }
    edited.extend_from_slice(bytes.get(end..).unwrap_or_default());
    let after = Document::parse(&edited)?;
    if reads_as(&before, &after, old, new) {
        Ok((edited, count))
    } else {
        Err(RewriteError::Misread {
            old: old.to_owned(),
            new: new.to_owned(),
        })
    }
}

/// Whether `after` is `before` with nothing but the located links to `old` changed.
fn reads_as(before: &Document, after: &Document, old: &str, new: &str) -> bool {
    let new = html::decode(new);
    let expected = |link: &Link| {
        if link.target == old && link.span.is_some() {
            new.clone()
        } else {
            link.target.clone()
        }
    };
    before.anchors() == after.anchors()
        && before.links().len() == after.links().len()
        && before
            .links()
            .iter()
            .zip(after.links())
            .all(|(before, after)| expected(before) == after.target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, old: &str, new: &str, expect: &str, links: usize) {
        let (edited, count) = retarget(source.as_bytes(), old, new).unwrap();
        assert_eq!(String::from_utf8(edited).unwrap(), expect);
        assert_eq!(count, links);
    }

    #[test]
    fn replaces_only_the_destination() {
        check(
            "[a](b.md \"t\") b.md\n",
            "b.md",
            "c/d.md",
            "[a](c/d.md \"t\") b.md\n",
            1,
        );
        check("[a]( <b c.md> )", "b c.md", "d.md", "[a]( <d.md> )", 1);
        check(
            "[b.md](b.md)[b.md]: x",
            "b.md",
            "c.md",
            "[b.md](c.md)[b.md]: x",
            1,
        );
        check(
            "[r]\n\n[r]: b.md 't'\n",
            "b.md",
            "c.md",
            "[r]\n\n[r]: c.md 't'\n",
            1,
        );
        check(
            "<img src='b.md' alt=b.md>",
            "b.md",
            "c.md",
            "<img src='c.md' alt=b.md>",
            1,
        );
        check(
            "[a](b.md) `[a](b.md)` ![i](b.md)",
            "b.md",
            "c.md",
            "[a](c.md) `[a](b.md)` ![i](c.md)",
            2,
        );
        check(
            "\u{feff}[a](b.md)\r\n",
            "b.md",
            "c.md",
            "\u{feff}[a](c.md)\r\n",
            1,
        );
    }

    #[test]
    fn refuses_what_it_cannot_do_cleanly() {
        for (source, old, new) in [
            ("[a](b.md)", "x.md", "c.md"),
            ("[a](b.md)", "b.md", "c d.md"),
            ("[a](b.md)", "b.md", "c)"),
        ] {
            assert!(
                retarget(source.as_bytes(), old, new).is_err(),
                "{source} {old} {new}"
            );
        }
        assert!(retarget(b"[a](\xff)", "b", "c").is_err());
    }
}
