//! Why a plugin could not do its job.
//!
//! Owns the error type of every role's function and its conversions.
//!
//! **Invariant:** an error is never a judgement: a gate that finds a change bad returns a verdict (`verdict.rs`).

use std::fmt;

use crate::words::why;

/// What every function of a plugin returns.
pub type Result<T> = std::result::Result<T, Error>;

/// The plugin could not do its job. The message is shown to people: name the value or the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The configuration is unusable; trying again cannot help.
    Config(String),
    /// Something this beat needs is missing or broken; it may heal.
    Unavailable(String),
    /// A bug in the plugin.
    Internal(String),
}

impl Error {
    /// The configuration is unusable.
    pub fn config(message: impl Into<String>) -> Self {
        Self::Config(message.into())
    }

    /// Something this beat needs is missing or broken.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable(message.into())
    }

    /// A file or folder could not be read.
    pub fn unread(path: &str, error: &std::io::Error) -> Self {
        Self::Unavailable(format!("{path} cannot be read: {}", why(error)))
    }

    /// A bug in the plugin.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(message) => write!(f, "configuration: {message}"),
            Self::Unavailable(message) => write!(f, "unavailable: {message}"),
            Self::Internal(message) => write!(f, "internal: {message}"),
        }
    }
}

impl std::error::Error for Error {}

/// An error of the system knows no path, so a message made of it names none: [`Error::unread`] does.
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(why(&error))
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_choose_the_kind() {
        let io = std::io::Error::other("docs/a.md is odd");
        assert_eq!(Error::from(io), Error::unavailable("docs/a.md is odd"));
        let json = serde_json::from_str::<u8>("x").unwrap_err();
        assert!(matches!(Error::from(json), Error::Internal(_)));
    }

    #[test]
    fn text_names_the_kind() {
        assert_eq!(
            Error::config("no roots").to_string(),
            "configuration: no roots"
        );
        assert_eq!(Error::internal("odd").to_string(), "internal: odd");
    }
}
