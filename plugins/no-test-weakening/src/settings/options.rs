//! Options that pytest is started with, as settings name them.
//!
//! **Invariant:** an option counts where pytest reads it: in the value of `addopts`, on as many lines as that has, and on a line that
//! names pytest.

/// Long options that keep tests from being run.
const AGAINST: [&str; 12] = [
    "--co",
    "--collect-only",
    "--collectonly",
    "--deselect",
    "--fixtures",
    "--fixtures-per-test",
    "--help",
    "--ignore",
    "--ignore-glob",
    "--markers",
    "--setup-plan",
    "--version",
];
/// Short ones that take a value, so that what follows is none.
const WITH_VALUE: [char; 8] = ['c', 'm', 'n', 'o', 'p', 'r', 'W', 'D'];

/// Where the value of `addopts` goes on.
#[derive(Default)]
pub(super) struct Options {
    is_within: bool,
    brackets: usize,
}

impl Options {
    /// Passes a line of settings, and says whether it has options that keep tests from being run.
    pub(super) fn select(&mut self, line: &str) -> bool {
        let code = line.trim();
        if code.is_empty() || code.starts_with(['#', ';']) {
            return false;
        }
        let starts = code.trim_start_matches(['"', '\'']).starts_with("addopts");
        let goes_on = self.brackets > 0 || line.starts_with([' ', '\t']);
        self.is_within = starts || self.is_within && goes_on;
        if !self.is_within {
            self.brackets = 0;
            return code.to_lowercase().contains("pytest") && has_option(code);
        }
        let count = |bracket: char| code.matches(bracket).count();
        self.brackets = (self.brackets + count('[')).saturating_sub(count(']'));
        has_option(code)
    }
}

fn has_option(code: &str) -> bool {
    let tokens =
        code.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '[' | ']' | '='));
    tokens.into_iter().any(|token| {
        if token.starts_with("--") {
            return AGAINST.contains(&token);
        }
        let Some(letters) = token.strip_prefix('-') else {
            return false;
        };
        let mut own = letters
            .chars()
            .take_while(|c| c.is_ascii_alphabetic() && !WITH_VALUE.contains(c));
        // What is chosen by name, and help instead of tests.
        own.any(|letter| matches!(letter, 'k' | 'h' | 'V'))
    })
}
