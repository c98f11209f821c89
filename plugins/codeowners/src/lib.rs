//! `codeowners`: the gate that leaves files which somebody owns to a person.
//!
//! Reads `CODEOWNERS` as GitHub does: `.github/`, the root, `docs/` (and GitLab's folder), the first that is there; the
//! last line that matches a path counts; a line without owners takes them away. The rules are those from before the
//! change, so that no change says whose it is. Where there were none, nobody owned anything: the gate abstains, unless the
//! change brings rules along, or `unowned` is `error`.
//!
//! | rule | means |
//! | --- | --- |
//! | `needs-owner` | the file has an owner, one of `owners` if there are any |
//! | `unowned` | it has none, and `unowned` is `error` |
//! | `owners-changed` | the rules themselves differ |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:codeowners"
//! config = { owners = ["@org/security"] }
//! ```
//!
//! **Invariant:** a line that cannot be understood is an error of the configuration, not one that is passed over.

mod pattern;

use ringfence_sdk::prelude::*;
use serde::Deserialize;

use crate::pattern::Pattern;

ringfence_sdk::plugin!("../plugin.toml");

/// Where the rules may be, first things first.
const PLACES: [&str; 4] = [
    ".github/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitlab/CODEOWNERS",
];

/// The `config` table; every key has the default that `plugin.toml` names.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    owners: Vec<String>,
    unowned: Unowned,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Unowned {
    #[default]
    Fine,
    Error,
}

/// Judges whose files differ.
///
/// # Errors
/// [`Error::Config`] for rules that cannot be understood; [`Error::Unavailable`] for rules that cannot be read.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    let config: Config = cx.config()?;
    let Some((place, text)) = rules_before(change)? else {
        let verdict = Owners { lines: Vec::new() }.judge(&config, change.files());
        return Ok(match verdict.ruling {
            Ruling::Fail => verdict,
            Ruling::Pass | Ruling::Abstain => {
                Verdict::abstain("there was no CODEOWNERS before the change")
            }
        });
    };
    let owners = Owners::parse(place, &text)?;
    Ok(owners.judge(&config, change.files()))
}

/// The rules as they were before the change, and where; none where there were none.
fn rules_before(change: &Change) -> Result<Option<(&'static str, String)>> {
    let files = change.files();
    for place in PLACES {
        let was_here =
            |file: &&FileChange| file.renamed_from.as_deref().unwrap_or(&file.path) == place;
        let before = files
            .iter()
            .filter(|file| file.kind != ChangeKind::Added)
            .find(was_here);
        let bytes = match before {
            Some(file) if file.old_mode & 0o170_000 != 0o100_000 => {
                let message = format!(
                    "{place} was a link before the change: where it led, rules are not read"
                );
                return Err(Error::unavailable(message));
            }
            Some(_) => change.read_base(place)?,
            None if files.iter().any(|file| file.path == place) => continue,
            None => match std::fs::read(place) {
                Ok(bytes) => bytes,
                Err(error) if is_gone(&error) => continue,
                Err(error) => return Err(Error::unread(place, &error)),
            },
        };
        let text =
            String::from_utf8(bytes).map_err(|_| Error::config(format!("{place} is not UTF-8")))?;
        return Ok(Some((place, text)));
    }
    Ok(None)
}

fn is_gone(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// Whose files are whose, in the order of the lines.
struct Owners {
    lines: Vec<(Pattern, Vec<String>)>,
}

impl Owners {
    fn parse(place: &str, text: &str) -> Result<Self> {
        let mut lines = Vec::new();
        // GitLab's sections may have owners of their own.
        let mut of_section: Vec<String> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = without_comment(line);
            if let Some(section) = section(line) {
                of_section = section;
                continue;
            }
            let mut words = words(line).into_iter();
            let Some(first) = words.next() else { continue };
            let pattern = Pattern::parse(&first).map_err(|why| {
                Error::config(format!("{place}, line {}: `{first}` {why}", number + 1))
            })?;
            let owners: Vec<String> = words.collect();
            let owners = if owners.is_empty() {
                of_section.clone()
            } else {
                owners
            };
            lines.push((pattern, owners));
        }
        Ok(Self { lines })
    }

    /// The owners of `path`: of the last line that matches.
    fn of(&self, path: &str) -> &[String] {
        let last = self
            .lines
            .iter()
            .rev()
            .find(|(pattern, _)| pattern.matches(path));
        last.map_or(&[], |(_, owners)| owners.as_slice())
    }

    fn judge(&self, config: &Config, files: &[FileChange]) -> Verdict {
        let findings: Vec<Finding> = files
            .iter()
            .flat_map(|file| self.judge_file(config, file))
            .collect();
        let mut verdict = Verdict::from(findings);
        let files = count(files.len(), "file", "files");
        verdict.summary = format!("{} in {files}", verdict.summary);
        verdict
    }

    fn judge_file(&self, config: &Config, file: &FileChange) -> Vec<Finding> {
        let mut findings = Vec::new();
        let paths = [Some(&file.path), file.renamed_from.as_ref()];
        for path in paths.into_iter().flatten() {
            if PLACES.contains(&path.as_str()) {
                let message = "whose files are whose is for a person to change";
                findings.push(Finding::error("owners-changed", message).at(path));
                continue;
            }
            let owners = self.of(path);
            let is_wanted = |owner: &&String| {
                config.owners.is_empty()
                    || config
                        .owners
                        .iter()
                        .any(|wanted| wanted.eq_ignore_ascii_case(owner))
            };
            let wanted: Vec<&str> = owners
                .iter()
                .filter(is_wanted)
                .map(String::as_str)
                .collect();
            if !wanted.is_empty() {
                let message = format!("owned by {}", wanted.join(", "));
                findings.push(Finding::error("needs-owner", message).at(path));
            } else if owners.is_empty() && config.unowned == Unowned::Error {
                findings.push(Finding::error("unowned", "nobody owns it").at(path));
            }
        }
        findings
    }
}

/// The line up to a `#` that begins it or follows white space.
fn without_comment(line: &str) -> &str {
    let begins = |at: usize| {
        line.get(..at)
            .is_some_and(|before| before.is_empty() || before.ends_with(char::is_whitespace))
    };
    let comment = line
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|at| begins(*at));
    comment.and_then(|at| line.get(..at)).unwrap_or(line).trim()
}

/// The owners of a section's heading: `[Docs] @writers`, `^[Optional][2]`.
fn section(line: &str) -> Option<Vec<String>> {
    let rest = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (_, rest) = rest.split_once(']')?;
    let rest = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((count, rest)) if count.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => rest,
    };
    // A pattern that begins with a class goes on right behind it.
    (rest.is_empty() || rest.starts_with(char::is_whitespace))
        .then(|| rest.split_whitespace().map(str::to_owned).collect())
}

/// Words between white space; a backslash keeps a space in one.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        let word = words.last_mut();
        match (c, word) {
            ('\\', Some(word)) => match rest.next() {
                Some(' ') => word.push(' '),
                Some(other) => word.extend(['\\', other]),
                None => word.push('\\'),
            },
            (c, Some(word)) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(String::new());
                }
            }
            (c, Some(word)) => word.push(c),
            (_, None) => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests;
