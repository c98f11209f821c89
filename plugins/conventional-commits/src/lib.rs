//! `conventional-commits`: the gate that holds commit messages to Conventional Commits 1.0.0.
//!
//! Each commit of the change is judged by itself: its subject (`message.rs` reads it), the blank line below, and the footers
//! that say what breaks. A change that comes in no commits is none of this gate's business.
//!
//! | rule | means |
//! | --- | --- |
//! | `not-conventional` | the subject is not `type(scope)!: description` |
//! | `unknown-type`, `unknown-scope` | it is, but with a word that `types` or `scopes` does not have |
//! | `no-scope` | it has no scope, and `require_scope` is on |
//! | `long-subject` | it has more characters than `subject_chars_max` |
//! | `no-blank-line` | the body begins right below the subject |
//! | `unread-breaking-change` | a footer says that something breaks, in a form that no tool takes for it |
//! | `unexplained-breaking-change` | a `!` without a footer, and `explain_breaking` is on |
//! | `breaking-change` | something breaks, and `allow_breaking` is off |
//! | `merge-commit`, `revert-commit`, `fixup-commit` | a commit of a kind that is forbidden |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:conventional-commits"
//! config = { types = ["feat", "fix", "docs"], scopes = ["core", "cli"] }
//! ```
//!
//! **Invariant:** it passes only if it judged at least one commit. What a commit says of its author is not believed, so nobody
//! is let off by name.

mod message;

use ringfence_sdk::prelude::*;
use serde::Deserialize;

use crate::message::{Body, Subject};

ringfence_sdk::plugin!("../plugin.toml");

/// Limit: of a subject that is shown.
const SHOWN_CHARS: usize = 80;
/// What git begins the subject of a commit with that it wants to squash into another.
const FIXUPS: [&str; 3] = ["fixup! ", "squash! ", "amend! "];

/// The `config` table; every key has the default that `plugin.toml` names.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    types: Vec<String>,
    scopes: Vec<String>,
    require_scope: bool,
    subject_chars_max: usize,
    explain_breaking: bool,
    allow_breaking: bool,
    merges: Way,
    reverts: Way,
    fixups: Way,
}

/// What to do with commits of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    Skip,
    Check,
    Forbid,
}

impl Default for Config {
    fn default() -> Self {
        let types = [
            "build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style",
            "test",
        ];
        Self {
            types: types.map(str::to_owned).to_vec(),
            scopes: Vec::new(),
            require_scope: false,
            subject_chars_max: 100,
            explain_breaking: false,
            allow_breaking: true,
            merges: Way::Skip,
            reverts: Way::Skip,
            fixups: Way::Forbid,
        }
    }
}

/// Judges the commits of a change.
///
/// # Errors
/// [`Error::Config`] for a configuration that does not fit.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    let config: Config = cx.config()?;
    let commits = change.commits();
    if commits.is_empty() {
        return Ok(Verdict::abstain("the change comes in no commits"));
    }
    let judged: Vec<Judged> = commits.iter().map(|commit| config.judge(commit)).collect();
    let skipped = judged.iter().filter(|judged| judged.skipped).count();
    let breaking = judged.iter().filter(|judged| judged.breaking).count();
    if skipped == commits.len() {
        return Ok(Verdict::abstain("every commit is skipped"));
    }
    let findings: Vec<Finding> = judged
        .into_iter()
        .flat_map(|judged| judged.findings)
        .collect();
    let mut verdict = Verdict::from(findings);
    let commits = count(commits.len(), "commit", "commits");
    verdict.summary = format!(
        "{} in {commits}; {skipped} skipped, {breaking} breaking",
        verdict.summary
    );
    Ok(verdict)
}

/// What came of one commit.
#[derive(Default)]
struct Judged {
    findings: Vec<Finding>,
    skipped: bool,
    breaking: bool,
}

impl Config {
    fn judge(&self, commit: &Commit) -> Judged {
        let subject = commit.subject();
        match self.of_kind(commit) {
            Some((Way::Skip, ..)) => {
                return Judged {
                    skipped: true,
                    ..Judged::default()
                };
            }
            Some((Way::Forbid, rule, what)) => {
                return Judged {
                    findings: vec![about(commit, rule, what)],
                    ..Judged::default()
                };
            }
            Some((Way::Check, ..)) | None => {}
        }
        let mut judged = Judged::default();
        let mut say = |rule: &str, what: &str| judged.findings.push(about(commit, rule, what));
        let chars = subject.chars().count();
        if chars > self.subject_chars_max {
            let what = format!("{chars} characters, more than {}", self.subject_chars_max);
            say("long-subject", &what);
        }
        let body = Body::of(&commit.message);
        if !body.after_blank {
            say("no-blank-line", "no blank line between subject and body");
        }
        if let Some(line) = body.unread {
            let what = format!(
                "`{}` is no footer: after a blank line, `BREAKING CHANGE: ` and what breaks",
                shown(line)
            );
            say("unread-breaking-change", &what);
        }
        let marked = match Subject::parse(subject) {
            Ok(subject) => {
                for (rule, what) in self.words(&subject) {
                    say(rule, &what);
                }
                subject.breaking
            }
            Err(why) => {
                say("not-conventional", why);
                false
            }
        };
        if marked && !body.breaking && self.explain_breaking {
            say(
                "unexplained-breaking-change",
                "marked with `!`, and no footer says what breaks",
            );
        }
        judged.breaking = marked || body.breaking;
        if judged.breaking && !self.allow_breaking {
            judged
                .findings
                .push(about(commit, "breaking-change", "it breaks something"));
        }
        judged
    }

    /// Whether the commit is of a kind that has a way of its own: which, its rule, and what is said of it.
    fn of_kind(&self, commit: &Commit) -> Option<(Way, &'static str, &'static str)> {
        let subject = commit.subject();
        if commit.parents > 1 {
            Some((self.merges, "merge-commit", "a merge"))
        } else if FIXUPS.iter().any(|begin| subject.starts_with(begin)) {
            Some((
                self.fixups,
                "fixup-commit",
                "it waits to be squashed into another commit",
            ))
        } else if subject.starts_with("Revert \"") && subject.ends_with('"') {
            Some((self.reverts, "revert-commit", "a revert in git's own words"))
        } else {
            None
        }
    }

    /// What is wrong with type and scope.
    fn words(&self, subject: &Subject<'_>) -> Vec<(&'static str, String)> {
        let knows = |known: &[String], word: &str| {
            known.is_empty()
                || known
                    .iter()
                    .any(|one| one.to_lowercase() == word.to_lowercase())
        };
        let mut wrong = Vec::new();
        if !knows(&self.types, subject.kind) {
            let what = format!(
                "type `{}` is none of {}",
                shown(subject.kind),
                self.types.join(", ")
            );
            wrong.push(("unknown-type", what));
        }
        match subject.scope {
            Some(scope) if !knows(&self.scopes, scope) => {
                let what = format!(
                    "scope `{}` is none of {}",
                    shown(scope),
                    self.scopes.join(", ")
                );
                wrong.push(("unknown-scope", what));
            }
            None if self.require_scope => wrong.push(("no-scope", "it has no scope".to_owned())),
            _ => {}
        }
        wrong
    }
}

fn about(commit: &Commit, rule: &str, what: &str) -> Finding {
    let subject = shown(commit.subject());
    Finding::error(
        rule,
        format!("commit {} «{subject}»: {what}", commit.short_id()),
    )
    .help("reword it, e.g. with git rebase --interactive")
}

/// A text as it is shown: not all of a long one.
fn shown(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(SHOWN_CHARS).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
