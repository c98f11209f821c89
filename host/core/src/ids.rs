//! Small names and numbers that must not be mixed up: loops, steps, items, beats.
//!
//! **Invariant:** each can stand in a file name, a git ref and a terminal as it is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest item id in bytes.
pub const ITEM_ID_BYTES_MAX: usize = 128;
/// Longest loop or step id in bytes.
pub const NAME_ID_BYTES_MAX: usize = 64;

/// A text that cannot serve as an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A loop or step id must match `[a-z0-9][a-z0-9-]{0,63}`.
    #[error("not an id of lower-case letters, digits and dashes, at most 64: {0:?}")]
    Name(String),
    /// An item id is 1 to 128 bytes without `/`, `\`, control characters or a leading dot.
    #[error(
        "not an item id (1 to 128 bytes, no slash, backslash, leading dot or control character): {0:?}"
    )]
    Item(String),
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads an id.
            ///
            /// # Errors
            /// [`IdError`] when the text does not have the shape of this id.
            pub fn new(text: &str) -> Result<Self, IdError> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id!(
    /// The name of a loop: `[a-z0-9][a-z0-9-]{0,63}`, so that it can be a directory and part of a git ref.
    LoopId, check_name
);
id!(
    /// The name of a step (sensor, decider, executor or gate) in its loop; the same shape as a [`LoopId`].
    StepId, check_name
);
id!(
    /// What a sensor calls a thing that could be worked on.
    ItemId, check_item
);

/// The number of a beat of one loop, from 1, never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BeatNo(pub u64);

impl fmt::Display for BeatNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn check_name(text: &str) -> Result<(), IdError> {
    let fits = text.len() <= NAME_ID_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if fits {
        Ok(())
    } else {
        Err(IdError::Name(shorten(text)))
    }
}

fn check_item(text: &str) -> Result<(), IdError> {
    let fits = (1..=ITEM_ID_BYTES_MAX).contains(&text.len())
        && !text.starts_with('.')
        && !text
            .chars()
            .any(|c| c == '/' || c == '\\' || c.is_control());
    if fits {
        Ok(())
    } else {
        Err(IdError::Item(shorten(text)))
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(ITEM_ID_BYTES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        for (text, name, item) in [
            ("docs-links", true, true),
            ("9", true, true),
            ("Docs", false, true),
            ("-a", false, true),
            ("", false, false),
            (".hidden", false, false),
            ("a/b", false, false),
            ("a\\b", false, false),
            ("a\nb", false, false),
            ("a b", false, true),
            (&"x".repeat(65), false, true),
            (&"x".repeat(129), false, false),
        ] {
            assert_eq!(LoopId::new(text).is_ok(), name, "{text:?}");
            assert_eq!(ItemId::new(text).is_ok(), item, "{text:?}");
        }
    }
}
