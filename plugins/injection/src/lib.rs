//! `injection`: the gate that finds text which people do not see and programs read.
//!
//! A reviewer looks at a rendered page, or at a diff in a font. A model reads the bytes. What stands in a change for only
//! one of them is found here, on added lines and in paths.
//!
//! | rule | means | is |
//! | --- | --- | --- |
//! | `bidi-control` | a character that turns the order of text around | an error |
//! | `hidden-character` | one without a shape: zero width, tags, fillers, control codes | an error |
//! | `html-comment` | a comment in a document, where no page shows it | as `comments` says (a warning) |
//! | `hidden-html` | an element of a document that is styled away | an error |
//! | `agent-instructions` | a file of `instructions` differs: what agents are told is a person's to say | an error |
//! | `too-many-findings` | more than are listed | an error |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:injection"
//! config = { comments = "error", ignore = ["tests/data/**"] }
//! ```
//!
//! Joiners and variation selectors are let be where writing needs them: between letters of the scripts that join, and
//! within emoji. `hidden.rs` has the characters, `html.rs` what hides in a page.
//!
//! **Invariant:** a character is harmless because it is known to be, in its place; an unknown invisible one is found.

mod hidden;
mod html;

use ringfence_globs::{Case, Globs};
use ringfence_sdk::AddedLine;
use ringfence_sdk::prelude::*;
use serde::Deserialize;

use crate::hidden::Hidden;

ringfence_sdk::plugin!("../plugin.toml");

/// Limit: findings of one answer; one more says that there are others.
const FINDINGS_MAX: usize = 200;

/// The `config` table; every key has the default that `plugin.toml` names.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    comments: Comments,
    documents: Vec<String>,
    allowed_comments: Vec<String>,
    instructions: Vec<String>,
    ignore: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Comments {
    Error,
    Warning,
    Off,
}

impl Default for Config {
    fn default() -> Self {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            comments: Comments::Warning,
            documents: list(&["**/*.md", "**/*.mdx", "**/*.markdown"]),
            allowed_comments: list(&[
                "prettier-ignore",
                "markdownlint-",
                "toc",
                "/toc",
                "spell-checker:",
                "cspell:",
                "vale ",
                "lint ",
                "eslint-",
                "SPDX-",
                "omit in toc",
                "textlint-",
            ]),
            instructions: list(&[
                "**/AGENTS.md",
                "**/CLAUDE.md",
                "**/GEMINI.md",
                "**/SKILL.md",
                "**/.cursorrules",
                "**/.cursor/rules/**",
                "**/.windsurfrules",
                "**/.clinerules",
                ".github/copilot-instructions.md",
                ".github/instructions/**",
            ]),
            ignore: Vec::new(),
        }
    }
}

/// Judges what a change adds.
///
/// # Errors
/// [`Error::Config`] for a glob that is none; [`Error::Unavailable`] when an added line cannot be read.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    let rules = Rules::new(cx.config()?)?;
    let lines = change.added_lines()?;
    let in_paths = change.files().iter().flat_map(|file| rules.in_path(file));
    let in_lines = lines
        .iter()
        .filter(|line| !rules.ignore.cover(&line.path))
        .flat_map(|line| rules.in_line(line));
    let mut findings: Vec<Finding> = in_paths.chain(in_lines).take(FINDINGS_MAX + 1).collect();
    if findings.len() > FINDINGS_MAX {
        findings.truncate(FINDINGS_MAX);
        let message = format!("there are more than these {FINDINGS_MAX}");
        findings.push(Finding::error("too-many-findings", message));
    }
    let mut verdict = Verdict::from(findings);
    verdict.summary = format!("{} in {} added lines", verdict.summary, lines.len());
    Ok(verdict)
}

struct Rules {
    comments: Comments,
    documents: Globs,
    allowed_comments: Vec<String>,
    instructions: Globs,
    ignore: Globs,
}

impl Rules {
    fn new(config: Config) -> Result<Self> {
        Ok(Self {
            comments: config.comments,
            documents: Globs::parse("documents", &config.documents, Case::Any)?,
            allowed_comments: config.allowed_comments,
            instructions: Globs::parse("instructions", &config.instructions, Case::Any)?,
            ignore: Globs::parse("ignore", &config.ignore, Case::Exact)?,
        })
    }

    /// What a path itself hides, and whether it is one of those that agents obey.
    fn in_path(&self, file: &FileChange) -> Vec<Finding> {
        let paths = [Some(&file.path), file.renamed_from.as_ref()];
        let mut findings = Vec::new();
        for path in paths.into_iter().flatten() {
            if let Some(hidden) = hidden::find(path).first() {
                findings.push(of_character(hidden).at(path));
            }
            if let Some(glob) = self.instructions.matching(path) {
                let message = format!("agents take it as instructions (`{glob}`)");
                let help = "what agents are told is for a person to change";
                findings.push(
                    Finding::error("agent-instructions", message)
                        .at(path)
                        .help(help),
                );
            }
        }
        findings
    }

    fn in_line(&self, line: &AddedLine) -> Vec<Finding> {
        let mut findings: Vec<Finding> = hidden::find(&line.text)
            .iter()
            // A byte order mark stands at the beginning of a file, and nowhere else.
            .filter(|hidden| {
                !(hidden.character == '\u{feff}' && line.line == 1 && hidden.column == 1)
            })
            .map(|hidden| of_character(hidden).at_position(&line.path, line.line, hidden.column))
            .collect();
        if self.documents.cover(&line.path) {
            findings.extend(self.in_document(line));
        }
        findings
    }

    fn in_document(&self, line: &AddedLine) -> Vec<Finding> {
        let at = |finding: Finding, column| finding.at_position(&line.path, line.line, column);
        let mut findings = Vec::new();
        if self.comments != Comments::Off {
            let hidden = html::comments(&line.text)
                .into_iter()
                .filter(|comment| !self.is_allowed(comment.text));
            for comment in hidden {
                let message = "a comment that no page shows";
                let finding = match self.comments {
                    Comments::Error => Finding::error("html-comment", message),
                    Comments::Warning | Comments::Off => Finding::warning("html-comment", message),
                };
                findings.push(at(finding, comment.column));
            }
        }
        if let Some((column, what)) = html::styled_away(&line.text) {
            let message = format!("an element that no page shows (`{what}`)");
            findings.push(at(Finding::error("hidden-html", message), column));
        }
        findings
    }

    fn is_allowed(&self, comment: &str) -> bool {
        let allowed = &self.allowed_comments;
        allowed
            .iter()
            .any(|start| comment.starts_with(start.as_str()))
    }
}

fn of_character(hidden: &Hidden) -> Finding {
    let code = u32::from(hidden.character);
    if hidden.turns_text {
        let message = format!("U+{code:04X} turns the order of the text around");
        return Finding::error("bidi-control", message);
    }
    let message = format!("U+{code:04X} has no shape that anybody could see");
    Finding::error("hidden-character", message)
}

#[cfg(test)]
mod tests;
