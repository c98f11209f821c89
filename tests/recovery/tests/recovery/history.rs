//! What a loop's journal says, held against what is there.

use std::collections::BTreeSet;
use std::fs;

use jiff::tz::TimeZone;
use ringfence_core::journal::{self, DaySpend, Intent, LoopState};

use crate::ground::{Kind, Project};

/// A journal that was read whole.
#[derive(Debug)]
pub(crate) struct History(LoopState);

/// One settled change.
#[derive(Debug)]
struct Settled {
    item: String,
    target: String,
    commit: String,
}

impl History {
    /// Reads the journal; none yet is an empty one.
    #[track_caller]
    pub(crate) fn of(project: &Project) -> Self {
        let bytes = fs::read(project.journal()).unwrap_or_default();
        let read = journal::decode(&bytes).unwrap();
        assert_eq!(read.torn_tail, None);
        Self(LoopState::fold(&read.entries, &TimeZone::UTC))
    }

    /// What was begun and has no end.
    pub(crate) fn pending(&self) -> Option<&Intent> {
        self.0.pending.as_ref()
    }

    /// The items that were settled, in order.
    pub(crate) fn items(&self) -> Vec<String> {
        self.settled().into_iter().map(|one| one.item).collect()
    }

    /// The beats whose changes wait for a person.
    pub(crate) fn held(&self) -> Vec<String> {
        self.0
            .held
            .iter()
            .map(|held| held.beat.to_string())
            .collect()
    }

    /// The items whose changes wait for a person, oldest first.
    pub(crate) fn held_items(&self) -> Vec<String> {
        let items = self.0.held.iter().map(|held| held.hold.mv.item.clone());
        items.map(|item| item.unwrap().to_string()).collect()
    }

    /// What the day of all these beats has cost.
    pub(crate) fn spent(&self) -> DaySpend {
        self.0.day(jiff::civil::date(2026, 1, 5))
    }

    fn settled(&self) -> Vec<Settled> {
        let proposals = self.0.proposals.iter().map(|one| Settled {
            item: one.item.clone().unwrap().to_string(),
            target: one.reference.clone(),
            commit: one.commit.clone(),
        });
        let shadows = self.0.shadows.iter().map(|one| Settled {
            item: one.item.clone().unwrap().to_string(),
            target: one.patch.clone(),
            commit: String::new(),
        });
        let commits = self.0.commits.iter().map(|one| Settled {
            item: one.item.clone().unwrap().to_string(),
            target: one.reference.clone(),
            commit: one.commit.clone(),
        });
        proposals.chain(shadows).chain(commits).collect()
    }

    /// Fails unless exactly `items` are settled, each once and whole, and nothing else is there or left open.
    #[track_caller]
    pub(crate) fn assert_settled(project: &Project, items: &[String], when: &str) {
        let history = Self::of(project);
        assert_eq!(history.pending(), None, "{when}");
        let settled = history.settled();
        let known: Vec<_> = settled.iter().map(|one| one.item.as_str()).collect();
        assert_eq!(known, items, "{when}");
        let targets: BTreeSet<_> = settled.iter().map(|one| one.target.clone()).collect();
        assert_eq!(targets, published(project), "{when}");
        for one in &settled {
            match project.kind {
                Kind::Propose => assert_is_branch(project, one, when),
                Kind::Shadow => assert_is_patch(project, one, "worktree", when),
                Kind::Folder => assert_is_patch(project, one, "project", when),
                Kind::Commit => {}
            }
        }
        if project.kind == Kind::Commit {
            let commits: Vec<_> = settled
                .iter()
                .map(|one| (one.commit.clone(), one.item.clone()))
                .collect();
            assert_eq!(commits, committed(project), "{when}");
        }
    }
}

/// Names of all branches or patches of the loop.
pub(crate) fn published(project: &Project) -> BTreeSet<String> {
    let folder = match project.kind {
        Kind::Propose => {
            let listed = project.git(&[
                "for-each-ref",
                "--format=%(refname)",
                "refs/heads/ringfence",
            ]);
            return listed.lines().map(str::to_owned).collect();
        }
        Kind::Commit => {
            let main = (!committed(project).is_empty()).then(|| "refs/heads/main".to_owned());
            return main.into_iter().collect();
        }
        Kind::Shadow => "shadow",
        Kind::Folder => "proposals",
    };
    let Ok(entries) = fs::read_dir(project.state().join(folder)) else {
        return BTreeSet::new();
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // A patch that is being written has another name until it is whole.
    names
        .filter(|name| name.ends_with(".patch"))
        .map(|name| format!("{folder}/{name}"))
        .collect()
}

/// The loop's commits on the branch that is checked out, oldest first, each with its item; the user's come before them.
pub(crate) fn committed(project: &Project) -> Vec<(String, String)> {
    let format = "--format=%an|%H|%(trailers:key=Ringfence-Item,valueonly,separator=)";
    let log = project.git(&["log", "--reverse", "--first-parent", format, "main"]);
    let lines = log
        .lines()
        .skip_while(|line| !line.starts_with("Ringfence|"));
    lines
        .map(|line| {
            let (commit, item) = line
                .strip_prefix("Ringfence|")
                .unwrap()
                .split_once('|')
                .unwrap();
            (commit.to_owned(), item.to_owned())
        })
        .collect()
}

/// One commit on top of one of the user's, which says what it is for.
#[track_caller]
fn assert_is_branch(project: &Project, one: &Settled, when: &str) {
    let format = "--format=%H%n%(trailers:key=Ringfence-Item,valueonly,separator=)%n%an";
    let range = format!("{}..{}", one.commit, one.target);
    assert_eq!(project.git(&["rev-list", &range]), "", "{when}");
    let log = project.git(&["log", format, &one.target, "--not", "main", "other"]);
    assert_eq!(
        log.lines().collect::<Vec<_>>(),
        [&one.commit, &one.item, "Ringfence"],
        "{when}"
    );
}

#[track_caller]
fn assert_is_patch(project: &Project, one: &Settled, tree: &str, when: &str) {
    let patch = project.state().join(&one.target);
    let text = fs::read_to_string(&patch).unwrap();
    assert!(text.contains(&one.item), "{when}: {text}");
    let dir = project.root().join(tree);
    let (ok, said) = project.try_git(&dir, &["apply", "--check", patch.to_str().unwrap()]);
    assert!(ok, "{when}: {said}");
}
