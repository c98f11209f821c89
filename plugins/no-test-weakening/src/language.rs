//! The languages whose tests are known.
//!
//! **Invariant:** a file is told by the end of its name; what has another end has no tests here.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Language {
    Rust,
    Python,
    /// TypeScript as well.
    JavaScript,
    Go,
}

impl Language {
    /// The language of a file.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        let (_, end) = name.rsplit_once('.')?;
        match end.to_ascii_lowercase().as_str() {
            "rs" => Some(Self::Rust),
            "py" | "pyi" => Some(Self::Python),
            "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" | "cts" => Some(Self::JavaScript),
            // Elsewhere Go does not look for tests.
            "go" => name.ends_with("_test.go").then_some(Self::Go),
            _ => None,
        }
    }
}
