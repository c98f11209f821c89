//! The two trees of a change, and what differs.

use jiff::Timestamp;
use ringfence_core::change::{COMMITS_BYTES_MAX, COMMITS_MAX, ChangeSet, Commit};
use ringfence_core::gating::{Receipt, ReceiptSide, TreeName};
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::LockedStep;
use ringfence_core::text;

use super::patch_names;
use super::spelled::one_meaning;
use super::{Base, Gating, GatingError, Head, ReplayError, Run, Wanted};
use crate::git::discover::UserRepo;
use crate::git::output::{self, one_id};
use crate::git::{failed, unreadable};
use crate::store::{Store, commit_named};
use crate::workspace::measure::differences;
use crate::workspace::{BASE_SECOND_WITHOUT_COMMIT, BaseFrom, Refusal, WorkspaceError};

// Limit: of a commit besides what gates are shown of it: signatures, parents.
const COMMIT_REST_BYTES_MAX: usize = 64 << 10;

const HEAD: &str = "HEAD";
// Limit: a line of a message.
const NAME_CHARS_MAX: usize = 120;
/// How the tree without a file is called.
const NOTHING: &str = "nothing";

/// What a revision leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    /// The commit; none for a tree.
    pub(super) commit: Option<String>,
    /// The tree.
    pub(super) tree: String,
    /// When the commit was made.
    pub(super) time: Option<Timestamp>,
}

/// A change between two trees.
pub(super) struct Sides {
    pub(super) base: TreeName,
    pub(super) head: TreeName,
    pub(super) change: ChangeSet,
    /// What gates cannot be asked about.
    pub(super) refused: Vec<Refusal>,
    /// The time that components live in.
    pub(super) time: Option<Timestamp>,
    /// The commits from base to head.
    pub(super) commits: Commits,
}

/// The commits of a change.
#[derive(Default)]
pub(super) struct Commits {
    /// How many there are.
    pub(super) count: u64,
    /// What gates are shown of them, oldest first; nothing where no gate can ask for them.
    pub(super) shown: Vec<Commit>,
}

impl Sides {
    /// What components take for now.
    pub(super) fn now(&self) -> Timestamp {
        let fixed = Timestamp::from_second(BASE_SECOND_WITHOUT_COMMIT);
        self.time.unwrap_or(fixed.unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

impl Gating {
    /// Finds both sides and compares them, for these gates.
    pub(super) fn sides(
        &self,
        wanted: &Wanted,
        gates: &[LockedStep],
    ) -> Result<Sides, GatingError> {
        let repo = self.repo()?;
        let store = self.workspace.store();
        let (base_name, known) = match &wanted.base {
            Base::Revision(name) => (name.as_str(), Some(resolve(repo, name)?)),
            Base::Checked => (HEAD, checked_out(repo)?),
            Base::Nothing => (NOTHING, None),
        };
        let (base_name, mut base) = match known {
            Some(base) => (base_name, base),
            None => (NOTHING, self.nothing()?),
        };
        let head = self.head(repo, wanted, &base)?;
        let mut commits = Commits::default();
        let fork = match &wanted.head {
            // A patch is over the base itself.
            Head::Patch(_) => None,
            _ if wanted.direct || !matches!(wanted.base, Base::Revision(_)) => None,
            Head::Revision(name) => Some((name.as_str(), head.0.clone())),
            Head::Worktree | Head::Staged(_) => Some((HEAD, resolve(repo, HEAD)?)),
        };
        if let Some((head_name, tip)) = fork {
            base = merge_base(repo, (base_name, &base), (head_name, &tip))?;
        }
        if let (Head::Revision(_), Some(from), Some(to)) =
            (&wanted.head, &base.commit, &head.0.commit)
        {
            let store = see_commits(gates).then_some(store);
            commits = between(repo, store, (base_name, from), (&head.1, to))?;
        }
        let time = head.0.time.or(base.time);
        let (head, name) = head;
        self.compared(named(base_name, &base), named(&name, &head), time, commits)
    }

    /// The files that lie on the disk otherwise than they were judged in `run`, without those that git ignores.
    ///
    /// # Errors
    /// [`GatingError`]
    pub fn differs_from_disk(&self, run: &Run) -> Result<Vec<RelPath>, GatingError> {
        let found = self.workspace.locate(BaseFrom::Worktree)?;
        let judged = &run.sides.head.tree;
        let (files, _) = differences(self.workspace.store(), judged, &found.tree)?;
        Ok(files.into_iter().map(|file| file.path).collect())
    }

    /// The two sides of a receipt, as they are in this repository.
    pub(super) fn sides_of(
        &self,
        receipt: &Receipt,
        gates: &[LockedStep],
    ) -> Result<Sides, ReplayError> {
        let store = self.workspace.store();
        for side in [&receipt.base, &receipt.head] {
            if let Some(id) = &side.commit {
                let commit = store.commit(id).map_err(GatingError::from)?;
                let commit = commit.ok_or_else(|| ReplayError::NoObject {
                    what: "commit",
                    id: id.clone(),
                })?;
                if commit.tree != side.tree {
                    return Err(ReplayError::OtherTree { id: id.clone() });
                }
            }
            if !has_tree(store, &side.tree)? {
                return Err(ReplayError::NoObject {
                    what: "tree",
                    id: side.tree.clone(),
                });
            }
        }
        let time = Timestamp::from_second(receipt.clock);
        let time = time.map_err(|_| ReplayError::Clock(receipt.clock))?;
        let commits = match (&receipt.base.commit, &receipt.head.commit) {
            (Some(from), Some(to)) => {
                let (base, head) = (&receipt.base.name, &receipt.head.name);
                let store = see_commits(gates).then_some(store);
                between(self.repo()?, store, (base, from), (head, to))?
            }
            _ => Commits::default(),
        };
        let tree_name = |side: &ReceiptSide| TreeName {
            name: side.name.clone(),
            commit: side.commit.clone(),
            tree: side.tree.clone(),
        };
        let (base, head) = (tree_name(&receipt.base), tree_name(&receipt.head));
        Ok(self.compared(base, head, Some(time), commits)?)
    }

    fn repo(&self) -> Result<&UserRepo, GatingError> {
        let none = || GatingError::NoRepository(self.project.top().to_owned());
        self.project.repository().ok_or_else(none)
    }

    fn compared(
        &self,
        base: TreeName,
        head: TreeName,
        time: Option<Timestamp>,
        commits: Commits,
    ) -> Result<Sides, GatingError> {
        let (files, refused) = differences(self.workspace.store(), &base.tree, &head.tree)?;
        let change = ChangeSet {
            base_tree: base.tree.clone(),
            candidate_tree: head.tree.clone(),
            files,
            ignored: Vec::new(),
        };
        Ok(Sides {
            base,
            head,
            change,
            refused,
            time,
            commits,
        })
    }

    /// The tree without a file.
    fn nothing(&self) -> Result<Resolved, GatingError> {
        let git = self.workspace.store().git();
        let made = git.call("mktree").stdin(Vec::new()).run()?;
        Ok(Resolved {
            commit: None,
            tree: one_id("mktree", &made)?,
            time: None,
        })
    }

    fn head(
        &self,
        repo: &UserRepo,
        wanted: &Wanted,
        base: &Resolved,
    ) -> Result<(Resolved, String), GatingError> {
        let no_commit = |tree, time| Resolved {
            commit: None,
            tree,
            time,
        };
        Ok(match &wanted.head {
            Head::Revision(name) => (resolve(repo, name)?, name.clone()),
            Head::Worktree => {
                let found = self.workspace.locate(BaseFrom::Worktree)?;
                let resolved = no_commit(found.tree, Some(found.time));
                (resolved, "worktree".to_owned())
            }
            Head::Staged(index) => {
                let time = match wanted.base {
                    Base::Checked => base.time,
                    Base::Revision(_) | Base::Nothing => {
                        checked_out(repo)?.and_then(|head| head.time)
                    }
                };
                let tree = self.workspace.staged(repo, index.as_deref())?;
                (no_commit(tree, time), "staged".to_owned())
            }
            Head::Patch(patch) => {
                if let Some(line) = patch_names::odd(patch) {
                    return Err(GatingError::PatchNames(text::one_line(
                        &line,
                        NAME_CHARS_MAX,
                    )));
                }
                // Git takes an empty patch for a mistake; here it is a change of nothing.
                if patch.trim_ascii().is_empty() {
                    return Ok((no_commit(base.tree.clone(), base.time), "patch".to_owned()));
                }
                let tree = self.workspace.patched(&base.tree, patch.clone());
                let tree = tree.map_err(|error| match error {
                    WorkspaceError::Git(source) => GatingError::Patch {
                        base: match &wanted.base {
                            Base::Revision(name) => name.clone(),
                            Base::Checked => HEAD.to_owned(),
                            Base::Nothing => NOTHING.to_owned(),
                        },
                        source,
                    },
                    error => error.into(),
                })?;
                (no_commit(tree, base.time), "patch".to_owned())
            }
        })
    }
}

fn named(name: &str, resolved: &Resolved) -> TreeName {
    TreeName {
        name: name.to_owned(),
        commit: resolved.commit.clone(),
        tree: resolved.tree.clone(),
    }
}

/// What is checked out; none where the branch has no commit yet.
fn checked_out(repo: &UserRepo) -> Result<Option<Resolved>, GatingError> {
    match resolve(repo, HEAD) {
        Err(GatingError::Workspace(WorkspaceError::NoCommit(_))) => Ok(None),
        found => found.map(Some),
    }
}

/// What `name` leads to: a commit, or a tree.
pub(super) fn resolve(repo: &UserRepo, name: &str) -> Result<Resolved, GatingError> {
    one_meaning(repo, name)?;
    let git = repo.git();
    if let Some((id, commit)) = commit_named(&git, name)? {
        return Ok(Resolved {
            commit: Some(id),
            tree: commit.tree,
            time: commit.time,
        });
    }
    let call = git
        .call("rev-parse")
        .args(["--verify", "-q", "--end-of-options"]);
    let found = call.arg(format!("{name}^{{tree}}")).run_any()?;
    if found.code == Some(0) {
        return Ok(Resolved {
            commit: None,
            tree: id_of(&found.stdout)?,
            time: None,
        });
    }
    if name == HEAD && repo.head()?.commit.is_none() {
        return Err(WorkspaceError::NoCommit(repo.top().to_owned()).into());
    }
    Err(GatingError::Revision {
        name: name.to_owned(),
        shallow: may_lack(name) && is_shallow(repo),
    })
}

/// True for what a clone without all history may lack: a commit by its id, or by those behind it, or a branch of a remote. A
/// name of none of these forms is unknown in a whole clone, too.
fn may_lack(name: &str) -> bool {
    let is_id = name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id || name.contains(['~', '^', '/'])
}

/// `rev-parse` prints the words it was told not to take for options, too.
fn id_of(said: &[u8]) -> Result<String, GatingError> {
    let said = said.strip_prefix(b"--end-of-options\n").unwrap_or(said);
    Ok(one_id("rev-parse", said)?)
}

fn has_tree(store: &Store, id: &str) -> Result<bool, GatingError> {
    let asked = format!("{id}\n").into_bytes();
    let said = store.git().call("cat-file");
    let said = said.arg("--batch-check=%(objecttype)").stdin(asked).run()?;
    Ok(said == b"tree\n")
}

/// The commit where the second left the first.
fn merge_base(
    repo: &UserRepo,
    (base_name, base): (&str, &Resolved),
    (head_name, tip): (&str, &Resolved),
) -> Result<Resolved, GatingError> {
    let no_commit = |name: &str| GatingError::NoCommit(name.to_owned());
    let ids = [
        tip.commit.as_ref().ok_or_else(|| no_commit(head_name))?,
        base.commit.as_ref().ok_or_else(|| no_commit(base_name))?,
    ];
    let call = repo.git();
    let call = call.call("merge-base").arg("--all").args(ids);
    let found = call.run_any()?;
    match found.code {
        // Git would take any of them, and which one decides what counts as changed.
        Some(0) if found.stdout.iter().filter(|byte| **byte == b'\n').count() > 1 => {
            Err(GatingError::SeveralMergeBases {
                base: base_name.to_owned(),
                head: head_name.to_owned(),
            })
        }
        Some(0) => {
            let id = one_id("merge-base", &found.stdout)?;
            match [base, tip]
                .iter()
                .find(|side| side.commit.as_ref() == Some(&id))
            {
                Some(known) => Ok((*known).clone()),
                None => resolve(repo, &id),
            }
        }
        Some(1) => Err(GatingError::NoMergeBase {
            base: base_name.to_owned(),
            head: head_name.to_owned(),
            shallow: is_shallow(repo),
        }),
        _ => Err(failed("merge-base", &found).into()),
    }
}

fn see_commits(gates: &[LockedStep]) -> bool {
    gates.iter().any(|gate| gate.sees.commits)
}

/// The commits that `to` has and `from` has not; what they say is read from the store, if there is a need for it.
fn between(
    repo: &UserRepo,
    store: Option<&Store>,
    (base_name, from): (&str, &str),
    (head_name, to): (&str, &str),
) -> Result<Commits, GatingError> {
    let git = repo.git();
    let range = format!("{from}..{to}");
    let Some(store) = store else {
        let said = git.call("rev-list").args(["--count", &range]).run()?;
        let count = String::from_utf8_lossy(&said).trim().parse();
        let count = count.map_err(|_| unreadable("rev-list", &said))?;
        return Ok(Commits {
            count,
            shown: Vec::new(),
        });
    };
    let listed = git
        .call("rev-list")
        .args(["--reverse", "--topo-order"])
        .arg(format!("--max-count={}", COMMITS_MAX + 1))
        .arg(&range)
        .run()?;
    let ids: Vec<String> = String::from_utf8_lossy(&listed)
        .lines()
        .map(str::to_owned)
        .collect();
    if ids.len() > COMMITS_MAX {
        return Err(GatingError::TooManyCommits {
            base: base_name.to_owned(),
            head: head_name.to_owned(),
        });
    }
    if ids.is_empty() {
        return Ok(Commits::default());
    }
    let bytes_max = COMMITS_BYTES_MAX.saturating_add(COMMIT_REST_BYTES_MAX * ids.len());
    let texts = store.commit_texts(&ids, bytes_max)?;
    let count = ids.len() as u64;
    let mut shown = Vec::new();
    for (id, text) in ids.into_iter().zip(texts) {
        let mut commit = commit(id, &text);
        if commit.parents > 1 && !is_merge(store, &text)? {
            commit.parents = 1;
        }
        shown.push(commit);
    }
    Ok(Commits { count, shown })
}

/// True unless one of a commit's parents has all the others among its ancestors, and the commit has changes of its own: then
/// there was nothing to merge, and the other parents only make it look like a merge.
fn is_merge(store: &Store, text: &[u8]) -> Result<bool, GatingError> {
    let merge = output::commit(text)?;
    let call = store.git().call("merge-base").arg("--independent");
    let said = call.args(&merge.parents).run()?;
    if said.iter().filter(|byte| **byte == b'\n').count() > 1 {
        return Ok(true);
    }
    let tip = store.commit(&one_id("merge-base", &said)?)?;
    Ok(tip.is_some_and(|tip| tip.tree == merge.tree))
}

/// What gates are shown of a commit.
fn commit(id: String, text: &[u8]) -> Commit {
    let text = String::from_utf8_lossy(text);
    let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
    let author = head.lines().find_map(|line| line.strip_prefix("author "));
    // Behind the address stand the time and its zone.
    let author = author.and_then(|author| author.rsplit_once('>'));
    let parents = head.lines().filter(|line| line.starts_with("parent "));
    Commit {
        id,
        author: author
            .map(|(name, _)| format!("{name}>"))
            .unwrap_or_default(),
        message: message.to_owned(),
        parents: u32::try_from(parents.count()).unwrap_or(u32::MAX),
    }
}

fn is_shallow(repo: &UserRepo) -> bool {
    let found = repo
        .git()
        .call("rev-parse")
        .arg("--is-shallow-repository")
        .run_any();
    found.is_ok_and(|found| found.stdout == b"true\n")
}
