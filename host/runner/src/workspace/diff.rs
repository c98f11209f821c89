//! A change set as text: for gates and people, and as a patch that carries everything.
//!
//! **Invariant:** both are made from the two trees that were measured, not from the files; and what was measured as a rename is
//! shown as one wherever both its files are, since lines are counted by that, and as git counts them only where it is asked for
//! context.

use std::collections::BTreeMap;

use ringfence_core::change::ChangeSet;
use ringfence_core::relpath::RelPath;

use super::Workspace;
use crate::git::{GitError, unreadable};

mod bare;

/// Most lines of context around a change.
pub const CONTEXT_LINES_MAX: u32 = 1000;

// Limit: so many names fit on one command line everywhere.
const PATHS_PER_CALL: usize = 500;
// Limit: twice what a change may have, since binary data is written in a longer alphabet, with what it removes.
pub(crate) const PATCH_BYTES_MAX: usize = 512 << 20;

impl Workspace {
    /// The change to `paths` as a unified diff with `context_lines` (at most [`CONTEXT_LINES_MAX`]) of context. Binary
    /// files are named only. Empty when `paths` is.
    ///
    /// # Errors
    /// [`GitError`], also when the text has more than `bytes_max` bytes.
    pub fn unified_diff(
        &self,
        change: &ChangeSet,
        context_lines: u32,
        paths: &[RelPath],
        bytes_max: usize,
    ) -> Result<Vec<u8>, GitError> {
        let context = format!("-U{}", context_lines.clamp(1, CONTEXT_LINES_MAX));
        let mut text = Vec::new();
        for Together { renames, paths } in calls(change, paths) {
            let call = self.store.git().call("diff-tree").args([
                "-r",
                "-p",
                renames,
                "--no-ext-diff",
                "--no-textconv",
            ]);
            let call = call
                .arg(&context)
                .args([&change.base_tree, &change.candidate_tree])
                .arg("--");
            let call = call.args(
                paths
                    .iter()
                    .map(|path| format!(":(literal){}", path.as_str())),
            );
            text.extend(
                call.stdout_max(bytes_max.saturating_sub(text.len()))
                    .run()?,
            );
        }
        if context_lines == 0 {
            text = bare::bare(&text).ok_or_else(|| unreadable("diff-tree", &text))?;
        }
        Ok(text)
    }

    /// The change as a patch that `git apply` turns the base into the candidate with, binary files included.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn patch(&self, change: &ChangeSet) -> Result<Vec<u8>, GitError> {
        let switches = [
            "-r",
            "-p",
            "--binary",
            "--full-index",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
        ];
        let call = self.store.git().call("diff-tree").args(switches);
        call.args([&change.base_tree, &change.candidate_tree])
            .stdout_max(PATCH_BYTES_MAX)
            .run()
    }
}

/// What one call of git is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Together<'a> {
    renames: &'static str,
    paths: Vec<&'a RelPath>,
}

/// The calls that show `paths`: one for the whole of a small change, which finds the renames that measuring found; else renames
/// apart from the rest, where git could find others than in the whole, and both files of one in the same call.
fn calls<'a>(change: &ChangeSet, paths: &'a [RelPath]) -> Vec<Together<'a>> {
    let together = |renames, paths: Vec<&'a RelPath>| Together { renames, paths };
    if paths.len() == change.files.len() && paths.len() <= PATHS_PER_CALL {
        let all = together("-M", paths.iter().collect());
        return if paths.is_empty() {
            Vec::new()
        } else {
            vec![all]
        };
    }
    let mut rest: BTreeMap<&RelPath, &'a RelPath> = paths.iter().map(|path| (path, path)).collect();
    let mut renamed = Vec::new();
    for file in &change.files {
        if let Some(from) = &file.renamed_from
            && rest.contains_key(from)
            && let Some(to) = rest.remove(&file.path)
        {
            renamed.extend(rest.remove(from));
            renamed.push(to);
        }
    }
    let rest: Vec<&RelPath> = rest.into_values().collect();
    let alone = rest.chunks(PATHS_PER_CALL);
    let alone = alone.map(|some| together("--no-renames", some.to_vec()));
    // An even number, so that none is torn apart.
    let pairs = renamed.chunks(PATHS_PER_CALL);
    let pairs = pairs.map(|some| together("-M", some.to_vec()));
    alone.chain(pairs).collect()
}

#[cfg(test)]
mod tests {
    use crate::fixture::{Rig, gits, put};
    use crate::steps::NoSteps;

    #[test]
    fn a_diff_without_context_has_the_lines_that_were_counted() {
        for git in gits() {
            let rig = Rig::empty(&git, &[]);
            let lines = |name: &str, count: usize| -> String {
                (0..count).map(|n| format!("{name}{n}\n")).collect()
            };
            // Whether the `x` between others counts as kept hangs on how often it stands elsewhere, and on how much is compared.
            let text = |one: &str| {
                let (head, tail) = ("x\n".repeat(24), lines("t", 2000));
                let (before, after) = (lines(one, 9), lines(&one.repeat(2), 9));
                format!("{head}{before}x\n{after}{tail}")
            };
            rig.write("a", text("a"));
            rig.commit("a");
            let opened = rig.open();
            let base = opened.prepare();
            put(&base.dir, b"a", text("b").as_bytes());
            let change = opened.ws.measure(&base, &NoSteps).unwrap();
            let [file] = change.files.as_slice() else {
                panic!("{change:?}");
            };
            let path = [file.path.clone()];
            let diff = opened.ws.unified_diff(&change, 0, &path, 1 << 20).unwrap();
            let diff = String::from_utf8(diff).unwrap();
            let starting = |sign: &str| {
                let lines = diff.lines().skip(4);
                lines.filter(|line| line.starts_with(sign)).count()
            };
            assert_eq!(starting("+"), file.lines_added as usize);
            assert_eq!(starting("-"), file.lines_removed as usize);
            assert_eq!(starting(" "), 0);
        }
    }
}
