//! `paths`: the gate that says where a change may be, and of what kind its files.
//!
//! Every file that differs is judged by its path, and a renamed one by its old path as well. It looks at what the
//! host measured and reads no file.
//!
//! | rule | means |
//! | --- | --- |
//! | `denied-path` | a glob of `deny` matches |
//! | `path-not-allowed` | no glob of `allow` (`**`) matches |
//! | `made-executable` | a file got an executable bit, and `allow_executable` is not set |
//! | `symlink` | a symbolic link was added or changed, and `allow_symlinks` is not set |
//! | `odd-mode` | something that is neither a file nor a link, such as a submodule |
//! | `too-many-files` | more files differ than `max_files` (1000) |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:paths"
//! config = { allow = ["docs/**", "*.md"], deny = ["docs/legal/**"] }
//! ```
//!
//! Globs are anchored at the workspace root; `*` and `?` stop at `/`, `**` does not; `dir/**` covers `dir` itself.
//! The loop's own policy is enforced by the host with or without this gate; this one is for what a policy of the
//! step cannot say, and for changes that were made elsewhere.
//!
//! **Invariant:** deny wins, and matches all names that some file system takes for the same; a pattern that could never match
//! is an error of the configuration, not an open door.

use ringfence_globs::{Case, Denied, Globs};
use ringfence_sdk::prelude::*;
use serde::Deserialize;

ringfence_sdk::plugin!("../plugin.toml");

/// The `config` table; every key has the default that `plugin.toml` names.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    allow: Vec<String>,
    deny: Vec<String>,
    max_files: u64,
    allow_executable: bool,
    allow_symlinks: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow: vec!["**".to_owned()],
            deny: Vec::new(),
            max_files: 1000,
            allow_executable: false,
            allow_symlinks: false,
        }
    }
}

/// Judges the paths and modes of a change.
///
/// # Errors
/// [`Error::Config`] when the configuration is not one, or a glob in it can never match.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    let config: Config = cx.config()?;
    let rules = Rules {
        allow: Globs::parse("allow", &config.allow, Case::Exact)?,
        deny: Denied::parse("deny", &config.deny)?,
        config,
    };
    Ok(rules.judge(change.files()))
}

struct Rules {
    allow: Globs,
    deny: Denied,
    config: Config,
}

impl Rules {
    fn judge(&self, files: &[FileChange]) -> Verdict {
        let number = u64::try_from(files.len()).unwrap_or(u64::MAX);
        let mut findings = Vec::new();
        if number > self.config.max_files {
            let over = number - self.config.max_files;
            let message = format!(
                "{number} files differ, {over} more than the {} allowed",
                self.config.max_files
            );
            findings.push(Finding::error("too-many-files", message));
        }
        findings.extend(files.iter().flat_map(|file| self.judge_file(file)));
        let differ = count(number, "file differs", "files differ");
        if findings.is_empty() {
            return Verdict::pass(format!("{differ}, none where it may not be"));
        }
        let found = count(findings.len(), "finding", "findings");
        Verdict::fail(format!("{differ}; {found}"), findings)
    }

    fn judge_file(&self, file: &FileChange) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.judge_path(&file.path).into_iter().collect();
        if let Some(source) = &file.renamed_from {
            findings.extend(self.judge_path(source));
        }
        findings.extend(self.judge_mode(file));
        findings
    }

    fn judge_path(&self, path: &str) -> Option<Finding> {
        if let Some(glob) = self.deny.matching(path) {
            let message = format!("`{glob}` in `deny` covers it");
            return Some(Finding::error("denied-path", message).at(path));
        }
        let finding =
            || Finding::error("path-not-allowed", "no glob in `allow` covers it").at(path);
        self.allow.matching(path).is_none().then(finding)
    }

    fn judge_mode(&self, file: &FileChange) -> Option<Finding> {
        let (rule, message) = match Mode::of(file.new_mode) {
            Mode::None | Mode::Plain => return None,
            Mode::Executable
                if self.config.allow_executable || Mode::of(file.old_mode) == Mode::Executable =>
            {
                return None;
            }
            Mode::Link if self.config.allow_symlinks => return None,
            Mode::Executable => ("made-executable", "became executable".to_owned()),
            Mode::Link => ("symlink", "a symbolic link was added or changed".to_owned()),
            Mode::Odd => (
                "odd-mode",
                format!("mode {:o} is neither a file nor a link", file.new_mode),
            ),
        };
        Some(Finding::error(rule, message).at(&file.path))
    }
}

/// What git's mode bits say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// There is no file.
    None,
    Plain,
    Executable,
    Link,
    Odd,
}

impl Mode {
    fn of(bits: u32) -> Self {
        match (bits, bits & 0o170_000) {
            (0, _) => Self::None,
            (0o120_000, _) => Self::Link,
            (_, 0o100_000) if bits & 0o7_000 != 0 => Self::Odd,
            (_, 0o100_000) if bits & 0o111 != 0 => Self::Executable,
            (_, 0o100_000) => Self::Plain,
            _ => Self::Odd,
        }
    }
}

#[cfg(test)]
mod tests;
