//! Level L3 in a loop file: the branch it commits to, and what else such a file must say.
//!
//! **Invariant:** a file that passes here names what no step may touch, says what a day may cost, and works on commits.
//! Whether the loop has earned its level is not for the file to say.

use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::toml_doc::{Section, Text};

// Limit: a file name of the longest kind has to hold the branch and its lock.
const TARGET_BYTES_MAX: usize = 200;

/// What a day may cost has to be the operator's own figure, not a default.
const BUDGETS: [&str; 3] = ["fuel_per_beat", "fuel_per_day", "beats_per_day"];

pub(super) static TARGET: Text = Text {
    code: "bad-branch",
    what: "a branch",
    check: branch,
    pattern: Some("^[A-Za-z0-9_][A-Za-z0-9_+./-]{0,199}$"),
    example: "main",
};

/// Reports what keeps the file from level L3, and a target that no level uses.
pub(super) fn check(root: &Section, found: &mut Diagnostics) {
    let level = root.text("level");
    if level != Some("L3") {
        // A level that is no level was reported.
        if root.has("target") && matches!(level, None | Some("L1" | "L2")) {
            let warning = Diagnostic::warning(
                "unused-target",
                root.span_of("target"),
                "only level L3 commits to a branch, so `target` does nothing here",
                "not used",
            );
            found.push(warning.with_help("remove it, or ask for the level: `level = \"L3\"`"));
        }
        return;
    }
    let mut refuse = |missing: &str, help: &str| {
        let span = root.span_of("level");
        let message = format!("level L3 commits without a person in between, and {missing}");
        let problem =
            Diagnostic::error("level", span, message, "asks for more than this file says");
        found.push(problem.with_help(help));
    };
    let paths = root.one("paths");
    if !paths.is_some_and(|paths| paths.has("deny"))
        || paths
            .and_then(|paths| paths.list("deny"))
            .is_some_and(<[_]>::is_empty)
    {
        refuse(
            "[paths] denies nothing of its own",
            "list what no step may touch: `deny = [\"**/secrets/**\"]` in [paths]",
        );
    }
    let budget = root.one("budget");
    let unwritten: Vec<_> = BUDGETS
        .into_iter()
        .filter(|key| !budget.is_some_and(|budget| budget.has(key)))
        .collect();
    if !unwritten.is_empty() {
        let list = unwritten.join(", ");
        refuse(
            &format!("[budget] does not say what it may cost: no {list}"),
            "write them out, also where the default would do: `ringfence check` shows it",
        );
    }
    if root.text("base") == Some("worktree") {
        refuse(
            "the base is the working tree, whose uncommitted edits it would commit",
            "work on what is committed: `base = \"head\"`",
        );
    }
}

/// Stricter than git: a name that needs no quoting anywhere.
fn branch(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+./-".contains(c);
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && !part.ends_with(".lock")
            && !part.ends_with('.')
    };
    let refusal = if name.starts_with("refs/") {
        "is spelled with its folder: leave out `refs/heads/`"
    } else if name.starts_with("ringfence/") {
        "belongs to a loop's own branches"
    } else if name == "HEAD" || name == "@" {
        "is no branch"
    } else if name.len() > TARGET_BYTES_MAX
        || !name.chars().all(plain)
        || name.contains("..")
        || !name.split('/').all(part)
    {
        "is not a branch of plain letters, digits and _ + . / -"
    } else {
        return Ok(());
    };
    Err(format!("{} {refusal}", quote(name)))
}
