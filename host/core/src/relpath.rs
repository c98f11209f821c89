//! Paths relative to a workspace root, in the one shape the rest of the code accepts.
//!
//! **Invariant:** a [`RelPath`] never escapes its root and never holds a name that two systems could read in two ways:
//! no absolute path, no `.` or `..`, no empty name, no backslash, no NUL. What may be done at such a path is
//! [`policy`](crate::policy)'s question.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest path in bytes, the kernel's `PATH_MAX`.
pub const PATH_BYTES_MAX: usize = 4096;
/// Longest single name in bytes, what every common file system shares.
pub const NAME_BYTES_MAX: usize = 255;

/// A path inside a workspace: names joined by `/`, UTF-8, the root being the empty path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelPath(String);

/// Why a text is no path inside a workspace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PathError {
    /// The text starts with `/` or a drive letter.
    #[error("an absolute path")]
    Absolute,
    /// A `..` climbs above the root.
    #[error("a path that leaves the workspace")]
    Escapes,
    /// A backslash: a separator to some systems, a letter to others.
    #[error("a backslash in a path")]
    Backslash,
    /// A NUL byte ends the path for the kernel and not for us.
    #[error("a NUL byte in a path")]
    Nul,
    /// The bytes are no UTF-8, so no rule could name them.
    #[error("a name that is not UTF-8")]
    NotUtf8,
    /// No path at all.
    #[error("an empty path")]
    Empty,
    /// A path or a name is longer than [`PATH_BYTES_MAX`] or [`NAME_BYTES_MAX`].
    #[error("a path or name that is too long")]
    TooLong,
}

impl RelPath {
    /// The workspace root itself.
    pub const ROOT: Self = Self(String::new());

    /// Reads `text`, resolving `.` and `..` by their names alone.
    ///
    /// Where a link may stand in the way, that is not what the file system does: the sandbox walks instead.
    ///
    /// # Errors
    /// [`PathError`] when the text is absolute, leaves the root, or holds a name that [`check_name`] refuses.
    pub fn lexical(text: &str) -> Result<Self, PathError> {
        check_text(text)?;
        let mut path = Self::ROOT;
        for name in text.split('/') {
            match name {
                "" | "." => {}
                ".." => path = path.parent().ok_or(PathError::Escapes)?,
                name => path.push(name)?,
            }
        }
        Ok(path)
    }

    /// The path as text; empty for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the workspace root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The names from the root down; none for the root.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }

    /// The path without its last name; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.rfind('/').unwrap_or(0);
        self.0.get(..end).map(|text| Self(text.to_owned()))
    }

    /// The last name; none for the root.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.names().next_back()
    }

    /// The path with one more name.
    ///
    /// # Errors
    /// [`PathError`] when [`check_name`] refuses the name or the path becomes longer than [`PATH_BYTES_MAX`].
    pub fn join(&self, name: &str) -> Result<Self, PathError> {
        let mut path = String::with_capacity(self.0.len() + 1 + name.len());
        path.push_str(&self.0);
        let mut path = Self(path);
        path.push(name)?;
        Ok(path)
    }

    /// True when `self` is `other` or lies below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        other.is_root()
            || self
                .0
                .strip_prefix(&other.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn push(&mut self, name: &str) -> Result<(), PathError> {
        check_name(name)?;
        if self.0.len() + 1 + name.len() > PATH_BYTES_MAX {
            return Err(PathError::TooLong);
        }
        if !self.is_root() {
            self.0.push('/');
        }
        self.0.push_str(name);
        Ok(())
    }
}

/// Checks one name: not empty, not `.` or `..`, no separator of any system, no NUL, not too long.
///
/// # Errors
/// The [`PathError`] that fits.
pub fn check_name(name: &str) -> Result<(), PathError> {
    let has = |byte| name.as_bytes().contains(&byte);
    match name {
        "" | "." => Err(PathError::Empty),
        ".." => Err(PathError::Escapes),
        _ if has(b'/') => Err(PathError::Absolute),
        _ if has(b'\\') => Err(PathError::Backslash),
        _ if has(0) => Err(PathError::Nul),
        _ if name.len() > NAME_BYTES_MAX => Err(PathError::TooLong),
        _ => Ok(()),
    }
}

/// Checks what can be said of a path text before it is split into names.
///
/// # Errors
/// The [`PathError`] that fits.
pub fn check_text(text: &str) -> Result<(), PathError> {
    let drive = text.as_bytes().get(1) == Some(&b':')
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && matches!(text.as_bytes().get(2), Some(b'/' | b'\\'));
    match text {
        "" => Err(PathError::Empty),
        // First, since the other errors are reported with the text.
        _ if text.len() > PATH_BYTES_MAX => Err(PathError::TooLong),
        _ if text.starts_with('/') || drive => Err(PathError::Absolute),
        _ if text.contains('\\') => Err(PathError::Backslash),
        _ if text.contains('\0') => Err(PathError::Nul),
        _ => Ok(()),
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

impl TryFrom<String> for RelPath {
    type Error = PathError;
    fn try_from(text: String) -> Result<Self, PathError> {
        Self::lexical(&text)
    }
}

impl From<RelPath> for String {
    fn from(path: RelPath) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_by_names_alone() {
        for (text, expect) in [
            ("docs/a.md", Ok("docs/a.md")),
            ("./docs//a.md/", Ok("docs/a.md")),
            ("docs/../a.md", Ok("a.md")),
            (".", Ok(".")),
            ("docs/..", Ok(".")),
            ("..", Err(PathError::Escapes)),
            ("docs/../../a", Err(PathError::Escapes)),
            ("/etc/passwd", Err(PathError::Absolute)),
            ("c:/windows", Err(PathError::Absolute)),
            ("docs\\a.md", Err(PathError::Backslash)),
            ("a\0b", Err(PathError::Nul)),
            ("", Err(PathError::Empty)),
        ] {
            let read = RelPath::lexical(text).map(|path| path.to_string());
            assert_eq!(read, expect.map(str::to_owned), "{text:?}");
        }
        assert_eq!(RelPath::lexical(&"a".repeat(256)), Err(PathError::TooLong));
        assert_eq!(
            RelPath::lexical(&"a/".repeat(2500)),
            Err(PathError::TooLong)
        );
    }

    #[test]
    fn knows_what_lies_below() {
        let docs = RelPath::lexical("docs").unwrap();
        for (path, expect) in [
            ("docs", true),
            ("docs/a", true),
            ("docsX/a", false),
            ("a", false),
        ] {
            assert_eq!(
                RelPath::lexical(path).unwrap().is_within(&docs),
                expect,
                "{path}"
            );
        }
        assert!(docs.is_within(&RelPath::ROOT));
    }

    proptest::proptest! {
        #[test]
        fn print_then_parse_is_identity(names in proptest::collection::vec("[a-z. ]{1,6}", 0..6)) {
            let Ok(path) = RelPath::lexical(&format!("./{}", names.join("/"))) else { return Ok(()) };
            proptest::prop_assert_eq!(&RelPath::lexical(&path.to_string()).unwrap(), &path);
            proptest::prop_assert!(path.names().all(|name| check_name(name).is_ok()));
        }
    }
}
