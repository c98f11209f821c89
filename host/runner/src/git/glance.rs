//! `HEAD` and the branches of a loop in one question, for a beat that may have nothing to do.
//!
//! **Invariant:** git answers, and all of its answer counts or none: whatever is odd about it (no commit yet, a damaged
//! ref, a complaint) is for the questions that can say what is wrong.

use std::collections::BTreeSet;

use super::discover::UserRepo;
use super::output::is_id;

/// What a repository looks like from afar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// The commit that `HEAD`, or the branch that was asked for, names.
    pub commit: String,
    /// The full names of the branches that were asked for.
    pub branches: BTreeSet<String>,
}

impl UserRepo {
    /// The commit that `HEAD` names, or the branch `base` if there is one to be, which is there, and all refs that begin
    /// with `prefix`, which begins with `refs/heads/`. None when git does not simply say so.
    #[must_use]
    pub fn glance(&self, prefix: &str, base: Option<&str>) -> Option<Glance> {
        // The one command that lists branches and, without a branch of its own, `HEAD`, however refs are stored.
        let git = self.git();
        let call = git.call("show-ref").args(["--head", "--heads"]);
        let said = call.run_any().ok()?;
        (said.code == Some(0) && said.stderr.is_empty()).then_some(())?;
        let base = base.map_or_else(
            || "HEAD".to_owned(),
            |branch| format!("refs/heads/{branch}"),
        );
        read(&String::from_utf8_lossy(&said.stdout), prefix, &base)
    }
}

fn read(text: &str, prefix: &str, base: &str) -> Option<Glance> {
    let mut commit = None;
    let mut branches = BTreeSet::new();
    for line in text.lines() {
        let (id, name) = line.split_once(' ').filter(|(id, _)| is_id(id))?;
        if name == base {
            commit = Some(id.to_owned());
        } else if name.starts_with(prefix) {
            branches.insert(name.to_owned());
        }
    }
    Some(Glance {
        commit: commit?,
        branches,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Rig, gits};

    const PREFIX: &str = "refs/heads/ringfence/docs/";

    fn glance(rig: &Rig) -> Option<Glance> {
        rig.project().repository().unwrap().glance(PREFIX, None)
    }

    /// Fails unless the glance is what the long questions say.
    fn check(rig: &Rig, branches: &[&str]) {
        let project = rig.project();
        let repo = project.repository().unwrap();
        let found = glance(rig).unwrap();
        assert_eq!(Some(&found.commit), repo.head().unwrap().commit.as_ref());
        let listed: BTreeSet<_> = repo.references(PREFIX).unwrap().into_iter().collect();
        assert_eq!(found.branches, listed);
        let expected = branches.iter().map(|name| format!("{PREFIX}{name}"));
        assert_eq!(found.branches, expected.collect());
    }

    #[test]
    fn says_what_the_long_questions_say() {
        for program in gits() {
            let mut kinds: Vec<&[&str]> = vec![&[], &["--object-format=sha256"]];
            if program.version() >= (2, 45) {
                kinds.push(&["--ref-format=reftable"]);
            }
            for kind in kinds {
                let rig = Rig::filled(&program, kind);
                check(&rig, &[]);
                rig.git(&["branch", "ringfence/docs/1"]);
                rig.git(&["branch", "ringfence/docs-too/1"]);
                rig.git(&["tag", "ringfence/docs/2"]);
                check(&rig, &["1"]);
                rig.git(&["pack-refs", "--all"]);
                rig.git(&["branch", "ringfence/docs/3"]);
                check(&rig, &["1", "3"]);
                rig.commit("second");
                check(&rig, &["1", "3"]);
                let other = rig
                    .project()
                    .repository()
                    .unwrap()
                    .glance(PREFIX, Some("ringfence/docs/3"));
                assert_eq!(other.unwrap().commit, rig.git(&["rev-parse", "HEAD~1"]));
                rig.git(&["checkout", "-q", "--detach", "HEAD~1"]);
                check(&rig, &["1", "3"]);
                rig.git(&["worktree", "add", "-q", "../tree", "main"]);
                let tree = Rig::at(&program, rig.top.with_file_name("tree"));
                check(&tree, &["1", "3"]);
                assert_ne!(glance(&tree), glance(&rig));
                rig.git(&["symbolic-ref", "HEAD", "refs/heads/ringfence/docs/3"]);
                check(&rig, &["1", "3"]);
                rig.git(&["symbolic-ref", "HEAD", "refs/heads/not-yet"]);
                assert_eq!(glance(&rig), None);
            }
        }
    }

    #[test]
    fn what_is_odd_is_no_answer() {
        for program in gits() {
            let rig = Rig::repository(&program);
            rig.git(&["branch", "ringfence/docs/1"]);
            check(&rig, &["1"]);
            let branch = rig.top.join(".git/refs/heads/ringfence/docs/1");
            for text in ["", "x\n", "0000000000000000000000000000000000000001\n"] {
                std::fs::write(&branch, text).unwrap();
                assert_eq!(glance(&rig), None, "{text:?}");
            }
            std::fs::remove_file(&branch).unwrap();
            let main = rig.top.join(".git/refs/heads/main");
            for text in ["", "x\n", "0000000000000000000000000000000000000001\n"] {
                std::fs::write(&main, text).unwrap();
                assert_eq!(glance(&rig), None, "{text:?}");
            }
            std::fs::write(rig.top.join(".git/HEAD"), "nonsense").unwrap();
            assert_eq!(glance(&rig), None);
        }
        let id = "1".repeat(40);
        for text in [
            "",
            "\n",
            &format!("{id}\n"),
            &format!("{id} refs/heads/x\n"),
            &format!("{id} HEAD\nx y\n"),
        ] {
            assert_eq!(read(text, PREFIX, "HEAD"), None, "{text:?}");
        }
    }
}
