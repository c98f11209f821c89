//! `secrets`: the gate that finds credentials in what a change adds.
//!
//! Most services give their keys a form of their own; `rules.rs` knows those forms. What has none is found by where it
//! stands and by how random it looks: in quotes behind the name of a credential, in an environment variable, a header or an
//! option, and without quotes in files of settings. Judged are added lines and new paths, and as a whole files that are no
//! text and those that come from where nobody looked.
//!
//! | rule | means |
//! | --- | --- |
//! | the names in `rules.rs` | a credential of that service |
//! | `credential` | a random-looking value that is assigned to a name such as `api_key` |
//! | `password-in-url` | a URL with a password in it |
//! | `not-searched` | a file that is no text and too large (a warning) |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:secrets"
//! config = { allow_files = ["tests/fixtures/**"], allow = ["AKIA[A-Z0-9]{9}EXAMPLE"] }
//! ```
//!
//! What is not random is not found (`hunter2` is a password, too), nor what is put together from parts, nor what stands where
//! no name says what it is.
//!
//! **Invariant:** no finding holds a credential: what is said of it is its beginning and its length, since findings end in
//! journals, reports and logs.

mod rules;
mod search;

use std::collections::BTreeSet;

use regex_lite::Regex;
use ringfence_globs::{Case, Globs};
use ringfence_sdk::prelude::*;
use serde::Deserialize;

use crate::rules::RULES;
use crate::search::{Hit, Search};

ringfence_sdk::plugin!("../plugin.toml");

/// Limit: what is searched of a file that is no text.
const BINARY_BYTES_MAX: u64 = 1 << 20;
/// Limit: of a credential that is shown; every known form has as many fixed ones, or more.
const SHOWN_CHARS: usize = 4;

/// The `config` table; every key has the default that `plugin.toml` names.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    generic: bool,
    allow: Vec<String>,
    allow_files: Vec<String>,
    allow_rules: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            generic: true,
            allow: Vec::new(),
            allow_files: Vec::new(),
            allow_rules: Vec::new(),
        }
    }
}

/// Judges what a change adds.
///
/// # Errors
/// [`Error::Config`] for a pattern or a rule that is none; [`Error::Unavailable`] when an added line cannot be read.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    let gate = Gate::new(cx.config()?)?;
    let lines = change.added_lines()?;
    let mut findings = Vec::new();
    for line in lines.iter().filter(|line| !gate.files.cover(&line.path)) {
        findings.extend(gate.in_line(&line.path, line.line, &line.text)?);
    }
    for file in change.files() {
        findings.extend(gate.in_file(change, file)?);
    }
    let mut verdict = Verdict::from(findings);
    let lines = count(lines.len(), "added line", "added lines");
    verdict.summary = format!("{} in {lines}", verdict.summary);
    Ok(verdict)
}

struct Gate {
    search: Search,
    allow: Vec<Regex>,
    files: Globs,
}

impl Gate {
    fn new(config: Config) -> Result<Self> {
        for name in &config.allow_rules {
            if RULES.iter().all(|rule| rule.name != name) {
                return Err(Error::config(format!(
                    "`{name}` in `allow_rules` is no rule"
                )));
            }
        }
        let left_out: BTreeSet<&str> = config.allow_rules.iter().map(String::as_str).collect();
        let allow = config.allow.iter().map(|pattern| {
            Regex::new(&format!("^(?:{pattern})$"))
                .map_err(|error| Error::config(format!("`{pattern}` in `allow`: {error}")))
        });
        Ok(Self {
            search: Search::new(&left_out, config.generic)?,
            allow: allow.collect::<Result<_>>()?,
            files: Globs::parse("allow_files", &config.allow_files, Case::Exact)?,
        })
    }

    fn hits(&self, path: &str, text: &str) -> Result<Vec<Hit>> {
        let mut hits = self.search.hits(path, text)?;
        hits.retain(|hit| {
            !self
                .allow
                .iter()
                .any(|allowed| allowed.is_match(&hit.secret))
        });
        Ok(hits)
    }

    fn in_line(&self, path: &str, line: u32, text: &str) -> Result<Vec<Finding>> {
        let hits = self.hits(path, text)?.into_iter();
        Ok(hits
            .map(|hit| finding(&hit).at_position(path, line, hit.column))
            .collect())
    }

    /// What no added line says of a file.
    fn in_file(&self, change: &Change, file: &FileChange) -> Result<Vec<Finding>> {
        if file.kind == ChangeKind::Deleted || self.files.cover(&file.path) {
            return Ok(Vec::new());
        }
        let from = file.renamed_from.as_ref();
        let mut findings = Vec::new();
        if file.kind == ChangeKind::Added || from.is_some() {
            findings.extend(self.in_path(&file.path)?);
        }
        if file.binary {
            findings.extend(self.in_binary(change, file)?);
        } else if from.is_some_and(|from| self.files.cover(from)) {
            let bytes = change.read(&file.path)?;
            for (text, line) in String::from_utf8_lossy(&bytes).split('\n').zip(1..) {
                findings.extend(self.in_line(&file.path, line, text)?);
            }
        }
        Ok(findings)
    }

    /// A credential in a path; what is said of it names no path, since that would tell it.
    fn in_path(&self, path: &str) -> Result<Vec<Finding>> {
        let hits = self.hits("", path)?.into_iter();
        let with_form = hits.filter(|hit| hit.has_form);
        Ok(with_form
            .map(|hit| {
                let mut found = finding(&hit);
                found.message = format!("in the name of a file: {}", found.message);
                found
            })
            .collect())
    }

    /// What is in the bytes of a file that is no text.
    fn in_binary(&self, change: &Change, file: &FileChange) -> Result<Vec<Finding>> {
        if file.size > BINARY_BYTES_MAX {
            let message = format!("{} bytes that are no text were not searched", file.size);
            return Ok(vec![
                Finding::warning("not-searched", message).at(&file.path),
            ]);
        }
        let bytes = change.read(&file.path)?;
        // Once as the strings between zeros, and once without them, as texts in UTF-16 read then.
        let apart: Vec<u8> = bytes
            .iter()
            .map(|byte| if *byte == 0 { b'\n' } else { *byte })
            .collect();
        let joined: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
        let mut findings = Vec::new();
        let mut seen = BTreeSet::new();
        for bytes in [apart, joined] {
            let text = String::from_utf8_lossy(&bytes);
            let hits = self.hits(&file.path, &text)?.into_iter();
            let first = hits.filter(|hit| seen.insert((hit.rule, hit.secret.clone())));
            findings.extend(first.map(|hit| finding(&hit).at(&file.path)));
        }
        Ok(findings)
    }
}

fn finding(hit: &Hit) -> Finding {
    let shown: String = hit.secret.chars().take(SHOWN_CHARS).collect();
    let length = hit.secret.chars().count();
    let message = format!("{}: `{shown}…`, {length} characters", hit.what);
    Finding::error(hit.rule, message)
        .help("take it out, and have it revoked: what was once written down counts as known")
}

#[cfg(test)]
mod tests;
