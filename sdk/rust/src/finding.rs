//! Remarks about a workspace or a change.
//!
//! Owns the finding, its severity and its places. What a gate concludes from findings is in `verdict.rs`.
//!
//! **Invariant:** a finding is data for the host to judge and escape; nothing here checks or cuts it.

use serde::Deserialize;

/// How bad a finding is; the levels of SARIF. A configuration spells it in lower case: `"error"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The change must not go through like this.
    Error,
    /// Somebody should look.
    Warning,
    /// For information.
    Note,
}

/// A place in the workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Relative to the workspace root, `/`-separated.
    pub path: String,
    /// 1-based; 0 means the whole file.
    pub line: u32,
    /// 1-based, in Unicode code points; 0 means the whole line.
    pub column: u32,
}

/// One remark.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Stable and greppable, in kebab-case: `broken-link`.
    pub rule: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where; empty means the change as a whole.
    pub locations: Vec<Location>,
    /// What to do about it; may be empty.
    pub help: String,
}

impl Finding {
    /// A remark that fails a gate.
    pub fn error(rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, message)
    }

    /// A remark that somebody should look at.
    pub fn warning(rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, rule, message)
    }

    /// A remark for information.
    pub fn note(rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, rule, message)
    }

    /// A remark as bad as the configuration says, for example.
    pub fn new(severity: Severity, rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity,
            rule: rule.into(),
            message: message.into(),
            locations: Vec::new(),
            help: String::new(),
        }
    }

    /// Adds a whole file as a place.
    #[must_use]
    pub fn at(self, path: impl Into<String>) -> Self {
        self.at_position(path, 0, 0)
    }

    /// Adds a line as a place; `line` is 1-based.
    #[must_use]
    pub fn at_line(self, path: impl Into<String>, line: u32) -> Self {
        self.at_position(path, line, 0)
    }

    /// Adds a position as a place; both numbers are 1-based, the column in Unicode code points.
    #[must_use]
    pub fn at_position(mut self, path: impl Into<String>, line: u32, column: u32) -> Self {
        self.locations.push(Location {
            path: path.into(),
            line,
            column,
        });
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_says_how_bad() {
        let severity = |text: &str| serde_json::from_str::<Severity>(text);
        assert_eq!(severity("\"note\"").unwrap(), Severity::Note);
        assert!(severity("\"Note\"").is_err());
        let finding = Finding::new(severity("\"warning\"").unwrap(), "r", "m");
        assert_eq!(finding, Finding::warning("r", "m"));
    }

    #[test]
    fn places_are_added_in_order() {
        let finding = Finding::warning("todo", "a to-do is left")
            .at("a.md")
            .at_line("b.md", 3)
            .at_position("c.md", 4, 5)
            .help("do it");
        let places: Vec<_> = finding
            .locations
            .iter()
            .map(|l| (l.path.as_str(), l.line, l.column))
            .collect();
        assert_eq!(places, [("a.md", 0, 0), ("b.md", 3, 0), ("c.md", 4, 5)]);
        assert_eq!(
            (finding.severity, finding.help.as_str()),
            (Severity::Warning, "do it")
        );
    }
}
