//! What the workspace promises about itself, checked: who may depend on whom, what the pure half may name, where
//! `unsafe` may stand, and that every source says what it is.
//!
//! Each rule is a pure function from texts or from `cargo metadata` to [`Finding`]s, with an example that it catches
//! beside it. `tests/workspace.rs` runs all of them over the workspace; `tests/docs.rs` follows the links of the
//! documentation.
//!
//! **Invariant:** a rule that is broken names the file and line and what to do; nothing here changes a file.
//!
//! Modules: [`source`] cuts Rust into code, comments and literals; [`rooms`] and [`purity`] hold the borders between
//! crates; [`text`] looks at single files; [`contract`] at `wit/`; [`guests`] and [`plugins`] at what is built to
//! WebAssembly; [`workspace`] does the reading.
//!
//! ```
//! let text = "//! A file.\n\nfn later() { todo!() }\n";
//! let found = ringfence_tidy::text::no_placeholders("host/core/src/later.rs", text);
//! assert_eq!(found[0].to_string(), "host/core/src/later.rs:3: `todo!` is left in the code: finish it");
//! ```

use std::fmt;

pub mod contract;
pub mod guests;
pub mod plugins;
pub mod purity;
pub mod rooms;
pub mod source;
pub mod text;
pub mod workspace;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the workspace root.
    pub path: String,
    /// 1-based; 0 means the file as a whole.
    pub line: usize,
    /// What is wrong, and the way out.
    pub what: String,
}

impl Finding {
    /// A finding about a whole file.
    #[must_use]
    pub fn file(path: &str, what: impl Into<String>) -> Self {
        Self::line(path, 0, what)
    }

    /// A finding about one line.
    #[must_use]
    pub fn line(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what } = self;
        if *line == 0 {
            write!(f, "{path}: {what}")
        } else {
            write!(f, "{path}:{line}: {what}")
        }
    }
}
