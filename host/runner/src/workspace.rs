//! The private checkout a beat reads and writes in.
//!
//! Owns where a base comes from ([`BaseFrom`]), how the checkout is moved to it, and how what an executor did to it is
//! measured ([`measure`]) and shown ([`diff`]). Publishing is [`settle`](crate::settle)'s.
//!
//! **Invariant:** the user's files are only read, and only for a snapshot; their index is never touched. The checkout
//! holds no `.git`, and git never reads a rule, filter or attribute out of it that would change a byte.

pub(crate) mod clean;
pub mod diff;
mod fit;
pub mod measure;
mod patched;
mod restore;
mod snapshot;
mod trees;
mod view;
mod walk;

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ringfence_core::change::ChangeSet;

use crate::git::discover::{DiscoverError, Project, UserRepo};
use crate::git::output::{Tracked, records, tracked};
use crate::git::{Git, GitError, GitProgram};
use crate::lock::LoopLock;
use crate::state_dir::{LoopDir, Origin, boot_id, read_plain, write_cached};
use crate::steps::{self, Steps};
use crate::store::{Store, StoreError};

pub use fit::CHECKOUT_BYTES_MAX;
pub use measure::MeasureError;
pub use restore::Restored;
pub(crate) use restore::read_held;
pub use walk::{NameProblem, Refusal, RefusalReason};

// Limit: the name of a start of the machine, and that of a tree.
const WHOLE_BYTES_MAX: u64 = 256;

/// When a base has no commit, this is what its components take for now: 2020-01-01T00:00:00Z.
pub const BASE_SECOND_WITHOUT_COMMIT: i64 = 1_577_836_800;

/// What a beat begins from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BaseFrom {
    /// The commit that is checked out. For a folder without git the same as [`BaseFrom::Worktree`].
    #[default]
    Head,
    /// The user's files as they are now, without what `.gitignore` and `.git/info/exclude` name.
    Worktree,
}

/// The tree a beat works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its git id.
    pub tree: String,
    /// The commit that has this very tree; none for a folder without git and for files with uncommitted changes. Without
    /// one, a proposal is a patch.
    pub commit: Option<String>,
    /// When the checked-out commit was made; [`BASE_SECOND_WITHOUT_COMMIT`] when there is none.
    pub time: Timestamp,
    /// Where it is, or will be, checked out; absolute.
    pub dir: PathBuf,
}

/// Why there is no base to work on.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The branch has no commit yet.
    #[error("the repository {} has no commit yet", .0.display())]
    NoCommit(PathBuf),
    /// An object that the base consists of is not there.
    #[error("object {id} of the base is not in the repository: the clone is partial, or damaged")]
    MissingObject {
        /// The object, or the tree that it should be in.
        id: String,
    },
    /// The index that was named is none of this working tree.
    #[error("the index {} is not judged: {why}", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The user's repository cannot be read.
    #[error(transparent)]
    Project(#[from] DiscoverError),
    /// The private store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the checkout or the user's working tree cannot be read or changed.
    #[error("{} cannot be {doing}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// `cleaned`, `read` or `written`.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A tree that cannot be files.
    #[error("the tree cannot be checked out: {0}")]
    Unfit(String),
    /// Git said no.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// A loop's private checkout and the store behind it. There is one at a time: its maker holds the loop's lock.
#[derive(Debug, Clone)]
pub struct Workspace {
    dir: LoopDir,
    store: Store,
    project: Project,
    place: Place,
}

/// Where a tree is checked out.
#[derive(Debug, Clone)]
struct Place {
    dir: PathBuf,
    /// The index that describes it as it was last written.
    index: PathBuf,
}

impl Workspace {
    /// Opens the workspace of a loop; nothing is checked out yet.
    ///
    /// # Errors
    /// [`WorkspaceError::Store`].
    pub fn open(
        program: &GitProgram,
        dir: &LoopDir,
        lock: &LoopLock,
        project: &Project,
    ) -> Result<Self, WorkspaceError> {
        let store = Store::open(program, dir, lock, project)?;
        Ok(Self {
            dir: dir.clone(),
            store,
            project: project.clone(),
            place: Place {
                dir: dir.base(),
                index: dir.index(),
            },
        })
    }

    /// The same with another checkout, which native programs look at while components look at a part of a tree.
    #[must_use]
    pub(crate) fn for_commands(&self) -> Self {
        Self {
            place: Place {
                dir: self.dir.commands(),
                index: self.dir.index_commands(),
            },
            ..self.clone()
        }
    }

    /// Where trees are checked out.
    pub(crate) fn checkout_dir(&self) -> PathBuf {
        self.place.dir.clone()
    }

    /// Where the loop's folder came from when this was opened; of one that was brought along, the caches are gone.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.store.origin()
    }

    /// The private store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The project it was opened for.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The loop's folder.
    #[must_use]
    pub fn dir(&self) -> &LoopDir {
        &self.dir
    }

    /// Finds what a beat would begin from, without moving the checkout.
    ///
    /// # Errors
    /// [`WorkspaceError::NoCommit`] for [`BaseFrom::Head`] of an empty repository, [`WorkspaceError::MissingObject`], and
    /// the rest when something cannot be read.
    pub fn locate(&self, from: BaseFrom) -> Result<Base, WorkspaceError> {
        match &self.project {
            Project::Repository(repo) => self.locate_in(repo, from),
            Project::Folder(folder) => {
                let tree = snapshot::take(&self.store, &self.dir, folder, None)?;
                Ok(self.base(tree, None, None))
            }
        }
    }

    /// Makes the checkout equal to the tree of `base`, whatever was done to it before.
    ///
    /// # Errors
    /// [`WorkspaceError::MissingObject`] when a part of the tree is not there, [`WorkspaceError::Io`], and
    /// [`WorkspaceError::Git`] for a tree that git refuses to write into files.
    pub fn checkout(&self, base: &Base, steps: &dyn Steps) -> Result<(), WorkspaceError> {
        self.forget_whole()?;
        steps.at(steps::CHECKOUT_BEGINS);
        self.clean()?;
        steps.at(steps::CHECKOUT_CLEANED);
        if let Err(error) = self.read_tree(&base.tree) {
            if let Some(id) = self.missing_object(&base.tree)? {
                return Err(WorkspaceError::MissingObject { id });
            }
            tracing::warn!(%error, "the checkout could not be moved and is made again");
            self.discard_checkout()?;
            self.clean()?;
            self.read_tree(&base.tree)?;
        }
        steps.at(steps::CHECKOUT_DONE);
        Ok(())
    }

    /// [`Workspace::checkout`] for those who only read it. What they left is what they found, so it is not looked through again:
    /// the same tree costs nothing, another one what differs.
    ///
    /// # Errors
    /// As [`Workspace::checkout`].
    pub(crate) fn checkout_to_read(
        &self,
        base: &Base,
        steps: &dyn Steps,
    ) -> Result<(), WorkspaceError> {
        let path = self.whole();
        // A machine that was started since may have lost what was written before.
        let boot = boot_id();
        let (boot, found) = (boot.trim(), read_plain(&path, WHOLE_BYTES_MAX));
        let found = found.filter(|_| !boot.is_empty() && self.place.dir.is_dir());
        let mark = |tree: &str| format!("{boot} {tree}\n");
        let of_this_start = |found: String| found.split(' ').next() == Some(boot);
        if found.as_deref() == Some(mark(&base.tree).as_str()) {
            return Ok(());
        }
        let here = found.is_some_and(of_this_start);
        self.fits(&base.tree)?;
        self.forget_whole()?;
        if !here || self.read_tree(&base.tree).is_err() {
            self.checkout(base, steps)?;
        }
        let marked = write_cached(&path, mark(&base.tree).as_bytes());
        marked.map_err(|source| WorkspaceError::Io {
            path,
            doing: "written",
            source,
        })
    }

    /// Says which tree the checkout holds, untouched.
    fn whole(&self) -> PathBuf {
        self.place.dir.with_extension("whole")
    }

    /// Nobody knows what the checkout holds until it is whole again.
    fn forget_whole(&self) -> Result<(), WorkspaceError> {
        let path = self.whole();
        clean::remove_file_if_there(&path).map_err(|source| WorkspaceError::Io {
            path,
            doing: "removed",
            source,
        })
    }

    /// An empty folder, for who may look at nothing: it costs no git.
    ///
    /// # Errors
    /// [`WorkspaceError::Io`].
    pub(crate) fn nothing(&self) -> Result<PathBuf, WorkspaceError> {
        let dir = self.dir.nothing();
        match clean::clean(&dir, &clean::Expected::default(), &self.dir.trash()) {
            Ok(()) => Ok(dir),
            Err(source) => Err(WorkspaceError::Io {
                path: dir,
                doing: "cleaned",
                source,
            }),
        }
    }

    /// [`Workspace::locate`] and [`Workspace::checkout`] together.
    ///
    /// # Errors
    /// As these two.
    pub fn prepare(&self, from: BaseFrom, steps: &dyn Steps) -> Result<Base, WorkspaceError> {
        let base = self.locate(from)?;
        self.checkout(&base, steps)?;
        Ok(base)
    }

    /// Finds the commit of a branch by its full name, and makes the checkout equal to it.
    ///
    /// # Errors
    /// As [`Workspace::prepare`].
    pub fn prepare_branch(
        &self,
        reference: &str,
        steps: &dyn Steps,
    ) -> Result<Base, WorkspaceError> {
        let repo = self.project.repository();
        let id = match repo {
            Some(repo) => repo.resolve(reference)?,
            None => None,
        };
        let id = id.ok_or_else(|| WorkspaceError::NoCommit(self.project.top().to_owned()))?;
        let Some(commit) = self.store.commit(&id)? else {
            return Err(WorkspaceError::MissingObject { id });
        };
        let base = self.base(commit.tree, Some(id), commit.time);
        self.checkout(&base, steps)?;
        Ok(base)
    }

    /// Throws away what an executor did: the checkout equals `base` again.
    ///
    /// # Errors
    /// As [`Workspace::checkout`].
    pub fn reset(&self, base: &Base, steps: &dyn Steps) -> Result<(), WorkspaceError> {
        self.checkout(base, steps)
    }

    /// Measures what an executor did to the checkout since `base` was prepared.
    ///
    /// # Errors
    /// [`MeasureError::Refused`] with everything that must never be published, [`MeasureError::TooLarge`], and the rest
    /// when something cannot be read. There is no change set then.
    pub fn measure(&self, base: &Base, steps: &dyn Steps) -> Result<ChangeSet, MeasureError> {
        let change = measure::measure(&self.store, &self.dir, base, steps)?;
        steps.at(steps::CHANGE_MEASURED);
        Ok(change)
    }

    /// Measures again and compares with `change`, which must be what stands in the checkout.
    ///
    /// # Errors
    /// [`MeasureError::Moved`] when it is not, and as [`Workspace::measure`].
    pub fn verify(
        &self,
        base: &Base,
        change: &ChangeSet,
        steps: &dyn Steps,
    ) -> Result<(), MeasureError> {
        let found = self.measure(base, steps)?;
        if found.digest() == change.digest() && found.files == change.files {
            return Ok(());
        }
        Err(MeasureError::Moved {
            judged: change.digest(),
            found: found.digest(),
        })
    }

    /// The bytes of a blob that a change set names, at most `bytes_max` of them.
    ///
    /// # Errors
    /// [`GitError`] when it is longer, missing, or no blob.
    pub fn read_blob(&self, id: &str, bytes_max: usize) -> Result<Vec<u8>, GitError> {
        self.store.blob(id, bytes_max)
    }

    fn locate_in(&self, repo: &UserRepo, from: BaseFrom) -> Result<Base, WorkspaceError> {
        let head = match repo.head()?.commit {
            None => None,
            Some(id) => match self.store.commit(&id)? {
                Some(commit) => Some((id, commit)),
                None => return Err(WorkspaceError::MissingObject { id }),
            },
        };
        match (from, head) {
            (BaseFrom::Head, None) => Err(WorkspaceError::NoCommit(repo.top().to_owned())),
            (BaseFrom::Head, Some((id, commit))) => {
                Ok(self.base(commit.tree, Some(id), commit.time))
            }
            (BaseFrom::Worktree, None) => {
                let tree = snapshot::take(&self.store, &self.dir, repo.top(), Some((repo, None)))?;
                Ok(self.base(tree, None, None))
            }
            (BaseFrom::Worktree, Some((id, commit))) => {
                let tree = snapshot::take(
                    &self.store,
                    &self.dir,
                    repo.top(),
                    Some((repo, Some(&commit.tree))),
                )?;
                let same = tree == commit.tree;
                Ok(self.base(tree, same.then_some(id), commit.time))
            }
        }
    }

    fn base(&self, tree: String, commit: Option<String>, time: Option<Timestamp>) -> Base {
        let fixed =
            Timestamp::from_second(BASE_SECOND_WITHOUT_COMMIT).unwrap_or(Timestamp::UNIX_EPOCH);
        Base {
            tree,
            commit,
            time: time.unwrap_or(fixed),
            dir: self.checkout_dir(),
        }
    }

    fn checkout_git(&self) -> Git {
        self.store
            .git()
            .with_tree(&self.place.dir, &self.place.index)
    }

    fn read_tree(&self, tree: &str) -> Result<(), GitError> {
        self.checkout_git()
            .call("read-tree")
            .args(["--reset", "-u", tree])
            .run()
            .map(drop)
    }

    fn clean(&self) -> Result<(), WorkspaceError> {
        let Place { dir: base, index } = &self.place;
        let io = |source| WorkspaceError::Io {
            path: base.clone(),
            doing: "cleaned",
            source,
        };
        clean::remove_file_if_there(&lock_of(index)).map_err(io)?;
        // An index that cannot be read, or none, keeps nothing.
        let known = if base.is_dir() {
            self.index_entries().unwrap_or_default()
        } else {
            Vec::new()
        };
        if known.is_empty() {
            clean::remove_file_if_there(index).map_err(io)?;
        }
        clean::clean(base, &clean::Expected::new(&known), &self.dir.trash()).map_err(io)
    }

    fn index_entries(&self) -> Result<Vec<Tracked>, GitError> {
        tracked(
            &self
                .checkout_git()
                .call("ls-files")
                .args(["-z", "--stage"])
                .run()?,
        )
    }

    fn discard_checkout(&self) -> Result<(), WorkspaceError> {
        for path in [&self.place.index, &self.place.dir] {
            clean::discard(path, &self.dir.trash()).map_err(|source| WorkspaceError::Io {
                path: path.clone(),
                doing: "cleaned",
                source,
            })?;
        }
        Ok(())
    }

    /// The first object of `tree` that is not there: blobs one by one, trees as the whole they belong to.
    fn missing_object(&self, tree: &str) -> Result<Option<String>, GitError> {
        let git = self.store.git();
        let Ok(listed) = git.call("ls-tree").args(["-r", "-z", tree]).run() else {
            return Ok(Some(tree.to_owned()));
        };
        let listed = records("ls-tree", &listed)?;
        let ids: Vec<_> = listed.iter().filter_map(|record| blob_of(record)).collect();
        self.store.missing(&ids)
    }
}

/// The id in `<mode> blob <id><TAB><path>`; none for a submodule.
fn blob_of(record: &[u8]) -> Option<&str> {
    let head = record.split(|byte| *byte == b'\t').next()?;
    let mut words = std::str::from_utf8(head).ok()?.split(' ').skip(1);
    (words.next()? == "blob").then_some(())?;
    words.next()
}

/// The lock file git makes beside an index.
pub(crate) fn lock_of(index: &Path) -> PathBuf {
    index.with_extension("lock")
}

#[cfg(test)]
mod tests;
