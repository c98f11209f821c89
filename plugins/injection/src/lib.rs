//! `injection`: the gate that finds text which people do not see and programs read.
//!
//! A reviewer looks at a rendered page, or at a diff in a font. A model reads the bytes. What stands in a change for only
//! one of them is found here, in added lines, in paths, and in documents as a whole: there, what no page shows now and the
//! document did not have before.
//!
//! | rule | means | is |
//! | --- | --- | --- |
//! | `bidi-control` | a character that turns the order of text around | an error |
//! | `hidden-character` | one without a shape: zero width, tags, fillers, control codes | an error |
//! | `html-comment` | a comment in a document or in a diagram of it, also as a definition that leads nowhere | as `comments` says (a warning) |
//! | `unseen-text` | more words where no page shows any: a long title, a footnote nobody refers to, a cell too many, empty room in a formula | as `comments` says |
//! | `hidden-html` | an element of a document that is styled away, or never shown | an error |
//! | `agent-instructions` | a file of `instructions` differs: what agents are told is a person's to say | an error |
//! | `not-read` | a document, or what is text but for a few bytes, that cannot be read as text | an error |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:injection"
//! config = { comments = "error", ignore = ["tests/data/**"] }
//! ```
//!
//! Joiners and variation selectors are let be where writing needs them: between letters of the scripts that join, and
//! within emoji. `hidden.rs` has the characters, `pages.rs` what hides in a document, `allowed.rs` the comments that tools
//! need.
//!
//! What is shown, but not at first sight, is not found: alternative texts of images, short titles of links, front matter,
//! `<details>`, letters that look like others, words in the addresses of links.
//!
//! **Invariant:** a character is harmless because it is known to be, in its place; an unknown invisible one is found.

mod allowed;
mod hidden;
mod pages;
mod wide;

use std::collections::BTreeSet;

use ringfence_globs::{Case, Globs};
use ringfence_sdk::AddedLine;
use ringfence_sdk::prelude::*;
use serde::Deserialize;

use crate::allowed::Allowed;
use crate::hidden::Hidden;

ringfence_sdk::plugin!("../plugin.toml");

/// Limit: a file that is no text is looked at up to this size, since nobody reads more by chance.
const BINARY_BYTES_MAX: u64 = 1 << 20;

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

/// Where agents look for instructions by themselves.
const INSTRUCTIONS: [&str; 33] = [
    "**/AGENTS.md",
    "**/AGENTS.*.md",
    "**/AGENT.md",
    "**/CLAUDE.md",
    "**/CLAUDE.*.md",
    "**/GEMINI.md",
    "**/QWEN.md",
    "**/CRUSH.md",
    "**/WARP.md",
    "**/SKILL.md",
    "**/.agents/**",
    "**/.claude/**",
    "**/.codex/**",
    "**/.gemini/**",
    "**/.cursor/**",
    "**/.cursorrules",
    "**/.windsurf/**",
    "**/.windsurfrules",
    "**/.clinerules/**",
    "**/.roo/**",
    "**/.roorules*",
    "**/.continue/**",
    "**/.junie/**",
    "**/.kiro/**",
    "**/.amazonq/**",
    "**/.augment*/**",
    "**/.goosehints",
    "**/.mcp.json",
    "**/.vscode/mcp.json",
    "**/.github/copilot-instructions.md",
    "**/.github/instructions/**",
    "**/.github/prompts/**",
    "**/.github/{agents,chatmodes,skills}/**",
];

/// Comments that tools need, as `allowed.rs` reads them.
const ALLOWED_COMMENTS: [&str; 44] = [
    "prettier-ignore",
    "prettier-ignore-start",
    "prettier-ignore-end",
    "markdownlint-{word}",
    "markdownlint-{word} MD{number}…",
    "toc",
    "/toc",
    "tocstop",
    "START doctoc",
    "END doctoc",
    "omit in toc",
    "omit from toc",
    "no toc",
    "spell-checker:{word}",
    "spell-checker: {word}",
    "cspell:{word}",
    "cspell: {word}",
    "cspell:ignore {word}",
    "vale {word}",
    "vale {word} = {word}",
    "lint {word}",
    "eslint-{word}",
    "textlint-{word}",
    "textlint-{word} {word}",
    "rumdl-{word}",
    "rumdl-{word} MD{number}…",
    "remark-ignore",
    "more",
    "SPDX-License-Identifier: {word}",
    "SPDX-License-Identifier: {word} OR {word}",
    "badges: start",
    "badges: end",
    "ALL-CONTRIBUTORS-LIST:START - Do not remove or modify this section",
    "ALL-CONTRIBUTORS-LIST:END",
    "ALL-CONTRIBUTORS-BADGE:START - Do not remove or modify this section",
    "ALL-CONTRIBUTORS-BADGE:END",
    "START doctoc generated TOC please keep comment here to allow auto update",
    "END doctoc generated TOC please keep comment here to allow auto update",
    "DON'T EDIT THIS SECTION, INSTEAD RE-RUN doctoc TO UPDATE",
    "markdownlint-{word} {word}",
    "cargo-rdme start",
    "cargo-rdme end",
    "cargo-sync-readme start",
    "cargo-sync-readme end",
];

impl Default for Config {
    fn default() -> Self {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            comments: Comments::Warning,
            documents: list(&[
                "**/*.md",
                "**/*.mdx",
                "**/*.markdown",
                "**/*.mdown",
                "**/*.mkd",
                "**/*.mkdn",
            ]),
            allowed_comments: list(&ALLOWED_COMMENTS),
            instructions: list(&INSTRUCTIONS),
            ignore: Vec::new(),
        }
    }
}

/// Judges what a change adds.
///
/// # Errors
/// [`Error::Config`] for a glob or a comment that is none; [`Error::Unavailable`] when a file cannot be read.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    let rules = Rules::new(cx.config()?)?;
    let lines = change.added_lines()?;
    let mut findings = Vec::new();
    for file in change.files() {
        findings.extend(rules.in_path(file));
        findings.extend(rules.in_file(change, file, &lines)?);
    }
    let in_lines = lines
        .iter()
        .filter(|line| !rules.ignore.cover(&line.path))
        .flat_map(|line| rules.in_line(line));
    findings.extend(in_lines);
    let mut verdict = Verdict::from(findings);
    let lines = count(lines.len(), "added line", "added lines");
    verdict.summary = format!("{} in {lines}", verdict.summary);
    Ok(verdict)
}

struct Rules {
    comments: Comments,
    documents: Globs,
    allowed_comments: Allowed,
    instructions: Globs,
    ignore: Globs,
}

impl Rules {
    fn new(config: Config) -> Result<Self> {
        Ok(Self {
            comments: config.comments,
            documents: Globs::parse("documents", &config.documents, Case::Any)?,
            allowed_comments: Allowed::parse(&config.allowed_comments)?,
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

    /// What a file hides that its added lines do not tell.
    fn in_file(
        &self,
        change: &Change,
        file: &FileChange,
        lines: &[AddedLine],
    ) -> Result<Vec<Finding>> {
        let is_file = file.new_mode & 0o170_000 == 0o100_000;
        if !is_file || self.ignore.cover(&file.path) {
            return Ok(Vec::new());
        }
        let is_read = self.documents.cover(&file.path) || self.instructions.cover(&file.path);
        if file.binary {
            return self.in_binary(change, file, is_read);
        }
        let mut findings = Vec::new();
        // What comes from where nobody looked is new here as a whole.
        let was_ignored = file
            .renamed_from
            .as_ref()
            .is_some_and(|from| self.ignore.cover(from));
        if was_ignored {
            let bytes = change.read(&file.path)?;
            for (text, line) in String::from_utf8_lossy(&bytes).split('\n').zip(1..) {
                let path = file.path.clone();
                let text = text.to_owned();
                findings.extend(self.in_line(&AddedLine { path, line, text }));
            }
        }
        if self.documents.cover(&file.path) {
            findings.extend(self.in_document(change, file, lines)?);
        }
        Ok(findings)
    }

    /// One odd byte makes git take a text for none, and shows nobody its lines.
    fn in_binary(&self, change: &Change, file: &FileChange, is_read: bool) -> Result<Vec<Finding>> {
        let not_read = |message| Ok(vec![Finding::error("not-read", message).at(&file.path)]);
        if is_read {
            return not_read("is no text, so nobody sees what it says");
        }
        if file.size > BINARY_BYTES_MAX {
            return Ok(Vec::new());
        }
        let bytes = change.read(&file.path)?;
        if let Some(text) = wide::text(&bytes) {
            return self.in_wide(change, file, &text);
        }
        if is_nearly_text(&bytes) {
            return not_read("is text but for a few bytes, which keep its lines out of every diff");
        }
        Ok(Vec::new())
    }

    /// What lines hide that are new in a text of UTF-16, which no diff shows.
    fn in_wide(&self, change: &Change, file: &FileChange, text: &str) -> Result<Vec<Finding>> {
        let was = file.renamed_from.as_ref().unwrap_or(&file.path);
        let had = file.old_mode & 0o170_000 == 0o100_000 && !self.ignore.cover(was);
        let before = if had {
            change.read_base(was)?
        } else {
            Vec::new()
        };
        let before =
            wide::text(&before).unwrap_or_else(|| String::from_utf8_lossy(&before).into_owned());
        let known: BTreeSet<&str> = before.split('\n').collect();
        let new = text
            .split('\n')
            .zip(1..)
            .filter(|(text, _)| !known.contains(text));
        let lines = new.map(|(text, line)| AddedLine {
            path: file.path.clone(),
            line,
            text: text.to_owned(),
        });
        Ok(lines.flat_map(|line| self.in_line(&line)).collect())
    }

    fn in_line(&self, line: &AddedLine) -> Vec<Finding> {
        hidden::find(&line.text)
            .iter()
            // A byte order mark stands at the beginning of a file, and nowhere else.
            .filter(|hidden| {
                !(hidden.character == '\u{feff}' && line.line == 1 && hidden.column == 1)
            })
            .map(|hidden| of_character(hidden).at_position(&line.path, line.line, hidden.column))
            .collect()
    }
}

/// True for bytes that are hardly ever a control code, or no UTF-8: more than one in ten of a real file without text are.
fn is_nearly_text(bytes: &[u8]) -> bool {
    let is_odd = |c: &char| c.is_ascii_control() && !c.is_ascii_whitespace();
    let odd = bytes
        .utf8_chunks()
        .map(|chunk| chunk.valid().chars().filter(is_odd).count() + chunk.invalid().len());
    odd.sum::<usize>() * 10 < bytes.len()
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
