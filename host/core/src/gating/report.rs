//! The report of one run of gates, which every format of output is written from.
//!
//! **Invariant:** the same trees, gates and rules give the same report, but for the times in it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fingerprint, Outcome, Output, Standing};
use crate::call::LogLine;
use crate::digest::Digest;
use crate::evidence::CommandReceipt;
use crate::failure::Failure;
use crate::ids::StepId;
use crate::journal::StepReceipt;
use crate::spec::VerdictRules;
use crate::text;
use crate::verdict::{Finding, Ruling};

/// One side of the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TreeName {
    /// As it was asked for: a revision, `worktree`, `staged`, `patch`.
    pub name: String,
    /// The commit; none for what is no commit.
    pub commit: Option<String>,
    /// The git id of the tree.
    pub tree: String,
}

/// The change in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeFacts {
    /// Of the change set.
    pub digest: Digest,
    /// Files that differ.
    pub files: u64,
    /// Lines added.
    pub lines_added: u64,
    /// Lines removed.
    pub lines_removed: u64,
    /// Commits between base and head; 0 where head is no commit.
    pub commits: u64,
}

/// What a finding counts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Status {
    /// It counts.
    New,
    /// It stands in the baseline.
    Known,
    /// A comment allows it.
    Allowed {
        /// Why, as the comment says.
        reason: String,
    },
    /// The gates file accepts findings of this kind.
    Accepted,
    /// It is said for information, and fails nothing whatever the rules.
    Noted,
}

/// The line a finding points to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Excerpt {
    /// The line's text without its end, some 500 characters of it: escape before showing.
    pub text: String,
    /// How many code points of the line come before it; none where the place that is pointed to is among the first ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u32,
}

/// Most characters that are shown of a line.
// Limit: some lines of a screen.
const EXCERPT_CHARS_MAX: usize = 500;
/// How many of them stand before the place where they are not the beginning of the line.
const EXCERPT_CHARS_BEFORE: usize = 200;

impl Excerpt {
    /// As much of `line` as is shown, with what stands at `column` (from 1, in code points; 0 for the whole line) in it.
    #[must_use]
    pub fn of(line: &str, column: u32) -> Self {
        let at = usize::try_from(column)
            .unwrap_or(usize::MAX)
            .saturating_sub(1);
        let is_early = at < EXCERPT_CHARS_MAX - EXCERPT_CHARS_BEFORE;
        let from = if is_early {
            0
        } else {
            at - EXCERPT_CHARS_BEFORE
        };
        let (from, rest) = match line.char_indices().nth(from) {
            Some((start, _)) => (from, line.get(start..).unwrap_or_default()),
            // A column behind the end of its line.
            None => (0, line),
        };
        Self {
            text: text::cut(rest, EXCERPT_CHARS_MAX),
            left_out: u32::try_from(from).unwrap_or(u32::MAX),
        }
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// One finding, weighed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remark {
    /// What was found; its places are ones that its gate may see.
    #[serde(flatten)]
    pub finding: Finding,
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// True when a baseline can know it: what stands at its places is a part of the fingerprint.
    pub knowable: bool,
    /// What it counts for.
    #[serde(flatten)]
    pub status: Status,
    /// The text at its first place; none where that is no line of a text file in head, and for gates whose findings are
    /// secrets.
    pub excerpt: Option<Excerpt>,
}

/// One gate's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// The gate.
    pub gate: StepId,
    /// Its plugin as the file spells it.
    pub plugin: String,
    /// The plugin's own name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it stands.
    pub standing: Standing,
    /// What it ruled; none when it gave no verdict.
    pub ruling: Option<Ruling>,
    /// Why it gave no verdict.
    pub failure: Option<Failure>,
    /// Its own line; escape before showing.
    pub summary: String,
    /// What it found.
    pub remarks: Vec<Remark>,
    /// What it was given, used and was denied.
    pub receipt: StepReceipt,
    /// What it logged; escape before showing.
    pub log: Vec<LogLine>,
    /// How long it took here, in milliseconds; 0 for what was remembered.
    pub ms: u64,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// What became of the change.
    pub outcome: Outcome,
    /// What it was compared with.
    pub base: TreeName,
    /// What was judged.
    pub head: TreeName,
    /// The change in figures.
    pub change: ChangeFacts,
    /// The file that names the gates.
    pub file: String,
    /// Of that file's bytes.
    pub file_digest: Digest,
    /// Where that file, its lock file and the baseline were read: none for the disk, else the revision.
    pub rules_from: Option<String>,
    /// What fails.
    pub rules: VerdictRules,
    /// What the host itself remarked.
    pub host: Vec<Remark>,
    /// Every gate that was asked, in the order of the file.
    pub gates: Vec<Judged>,
    /// The gates of the file that were left out because others were named.
    pub not_asked: Vec<StepId>,
    /// Native programs that ran for the gates.
    pub commands: Vec<CommandReceipt>,
    /// What those of them that did not end well said last.
    #[serde(default)]
    pub outputs: Vec<Output>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_has_what_is_pointed_to() {
        let line = format!("{}äX{}", "a".repeat(6_000), "b".repeat(6_000));
        let excerpt = Excerpt::of(&line, 6_002);
        let at = usize::try_from(6_001 - excerpt.left_out).unwrap();
        assert_eq!(excerpt.text.chars().nth(at), Some('X'));
        assert_eq!(excerpt.left_out, 5_801);
        for column in [0, 1, 300, 99_999] {
            let excerpt = Excerpt::of(&line, column);
            assert_eq!(excerpt.left_out, 0, "{column}");
            assert!(excerpt.text.starts_with("aaa") && excerpt.text.len() < 600);
        }
        let short = Excerpt::of("short", 5);
        assert_eq!((short.text.as_str(), short.left_out), ("short", 0));
        assert_eq!(Excerpt::of("", 1).text, "");
    }
}
