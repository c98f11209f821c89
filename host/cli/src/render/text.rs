//! Pieces of a line: words of this program, values that are harmless by their type, and [`Safe`] text.
//!
//! **Invariant:** there is no way from a `String` or a borrowed `str` that is not a literal into a [`Text`], but through
//! [`Safe`]. Colour only repeats what the words say.

use jiff::Timestamp;
use ringfence_core::digest::Digest;
use ringfence_core::ids::{BeatNo, ItemId, LoopId, StepId};
use ringfence_core::manifest::Role;
use ringfence_core::quantity::{Bytes, Fuel, Millis};
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::{Base, Level};

use super::safe::Safe;

/// What a piece of text stands out as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Ink {
    /// Nothing special.
    #[default]
    Plain,
    /// A heading, or what the line is about.
    Strong,
    /// Less important than the rest.
    Faint,
    /// Went well.
    Good,
    /// Needs attention.
    Warn,
    /// Went wrong, or opens a door.
    Bad,
}

impl Ink {
    /// The parameters of the terminal command that switches it on; empty for none.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "31",
        }
    }
}

/// A piece of one line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text {
    spans: Vec<(Ink, String)>,
}

impl Text {
    /// No text.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The same with another piece behind it.
    pub(crate) fn and(mut self, more: impl Into<Self>) -> Self {
        self.spans.extend(more.into().spans);
        self
    }

    /// All of it in one ink.
    pub(crate) fn ink(mut self, ink: Ink) -> Self {
        for (own, _) in &mut self.spans {
            *own = ink;
        }
        self
    }

    /// True when there is nothing to see.
    pub(crate) fn is_empty(&self) -> bool {
        self.spans.iter().all(|(_, text)| text.is_empty())
    }

    /// The pieces with their inks.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (Ink, &str)> {
        self.spans.iter().map(|(ink, text)| (*ink, text.as_str()))
    }

    /// Many pieces with `between` them.
    pub(crate) fn join<T: Into<Self>>(
        pieces: impl IntoIterator<Item = T>,
        between: &'static str,
    ) -> Self {
        let mut all = Self::new();
        for (index, piece) in pieces.into_iter().enumerate() {
            if index > 0 {
                all = all.and(between);
            }
            all = all.and(piece);
        }
        all
    }

    /// Pieces that were cut from another text.
    pub(super) fn from_spans(spans: Vec<(Ink, String)>) -> Self {
        Self { spans }
    }

    fn plain(text: String) -> Self {
        Self {
            spans: vec![(Ink::Plain, text)],
        }
    }
}

/// Puts pieces behind one another: `text!["found ", count, " in ", Safe::line(name)]`.
macro_rules! text {
    ($($piece:expr),* $(,)?) => { $crate::render::Text::new()$(.and($piece))* };
}
pub(crate) use text;

impl From<&'static str> for Text {
    fn from(words: &'static str) -> Self {
        Self::plain(words.to_owned())
    }
}

impl From<Safe> for Text {
    fn from(safe: Safe) -> Self {
        Self::plain(safe.as_str().to_owned())
    }
}

impl From<&RelPath> for Text {
    fn from(path: &RelPath) -> Self {
        Safe::cut(&path.to_string(), 4_096).into()
    }
}

impl From<&ItemId> for Text {
    fn from(id: &ItemId) -> Self {
        Safe::line(id.as_str()).into()
    }
}

impl From<&Digest> for Text {
    fn from(digest: &Digest) -> Self {
        Self::plain(digest.short())
    }
}

impl From<Timestamp> for Text {
    /// The second that it is in, as in the messages that core writes.
    fn from(time: Timestamp) -> Self {
        Self::plain(format!("{time:.0}"))
    }
}

impl From<Fuel> for Text {
    fn from(fuel: Fuel) -> Self {
        Self::plain(fuel.approx())
    }
}

impl From<Bytes> for Text {
    fn from(bytes: Bytes) -> Self {
        Self::plain(bytes.approx())
    }
}

/// Types whose own spelling holds nothing but letters, digits and a few signs.
macro_rules! harmless {
    ($($kind:ty),*) => { $(
        impl From<$kind> for Text {
            fn from(value: $kind) -> Self {
                Self::plain(value.to_string())
            }
        }
    )* };
}
harmless!(
    u8, u32, u64, usize, Millis, BeatNo, &LoopId, &StepId, Role, Level, Base
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join() {
        let text = text!["a", 1_u64, Safe::line("\u{1b}")]
            .ink(Ink::Bad)
            .and("!");
        let spans: Vec<_> = text.spans().collect();
        assert_eq!(
            spans,
            [
                (Ink::Bad, "a"),
                (Ink::Bad, "1"),
                (Ink::Bad, "\\u{1b}"),
                (Ink::Plain, "!")
            ]
        );
        assert_eq!(Text::join(["a", "b"], ", "), text!["a", ", ", "b"]);
        assert!(text![""].is_empty());
    }
}
