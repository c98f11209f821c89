//! Measures what was done to a checkout.
//!
//! First our own walk, which refuses what must never be published; then git compares, through an index of our own.
//! **Invariant:** what is not in the change set is not published. A file that the rules of the base or those of the
//! candidate ignore is listed and stays where it is.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use ringfence_core::change::{ChangeKind, ChangeSet, FileChange};
use ringfence_core::digest::Digest;
use ringfence_core::quantity::Bytes;
use ringfence_core::relpath::RelPath;

use super::walk::{self, Refusal, RefusalReason, relative_path};
use super::{Base, clean, lock_of, snapshot, trees};
use crate::git::output::{
    LineCounts, MODE_LINK, MODE_SUBMODULE, RawChange, Tracked, changes, records, tracked,
};
use crate::git::{Git, GitError, MEMORY_BYTES_MAX, display_name, failed, unreadable};
use crate::state_dir::LoopDir;
use crate::steps::{self, Steps};
use crate::store::Store;

/// Most files that one change may touch.
// Limit: a proposal is something that gates and a person read.
pub const CHANGED_FILES_MAX: usize = 10_000;
/// Most bytes that the files of one change may have after it, together.
// Limit: the import of a proposal is put together in memory.
pub const CHANGED_BYTES_MAX: u64 = 64 << 20;

// Limit: git reads no longer line of an attributes file, and `git fsck` complains of one.
const ATTRIBUTES_LINE_BYTES_MAX: usize = 2048;

/// Why there is no change set.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// There are things that must never be published; the first hundred of them.
    #[error("{}", refused_text(.0))]
    Refused(Vec<Refusal>),
    /// More than is ever published at once.
    #[error("the change has {found} {what}, and at most {limit} are published at once")]
    TooLarge {
        /// `files`, `bytes` or `ignored files`.
        what: &'static str,
        /// How many.
        found: u64,
        /// How many may be.
        limit: u64,
    },
    /// Comparing the two trees takes too much memory.
    #[error(
        "the trees differ in more than can be compared with {limit} of memory: in very large files, or in far more than the \
         {CHANGED_FILES_MAX} that are judged at once"
    )]
    Incomparable {
        /// What comparing may use.
        limit: Bytes,
    },
    /// A tree is not as git writes it, so that what it holds depends on who looks.
    #[error("the tree {tree} is not as git writes trees: {name} stands there {what}")]
    Tree {
        /// Its git id.
        tree: String,
        /// The name in it, with odd bytes escaped.
        name: String,
        /// How it stands there.
        what: &'static str,
    },
    /// The checkout is not what was judged.
    #[error("the workspace changed after it was judged: {found} instead of {judged}")]
    Moved {
        /// The change set that was judged.
        judged: Digest,
        /// What is there now.
        found: Digest,
    },
    /// A file of the checkout cannot be looked at.
    #[error("{} cannot be measured", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Git said no.
    #[error(transparent)]
    Git(#[from] GitError),
}

pub(super) fn measure(
    store: &Store,
    dir: &LoopDir,
    base: &Base,
    steps: &dyn Steps,
) -> Result<ChangeSet, MeasureError> {
    let git = candidate_git(store, dir)?;
    let known = tracked(&git.call("ls-files").args(["-z", "--stage"]).run()?)?;
    let submodules = known
        .iter()
        .filter(|entry| entry.mode == MODE_SUBMODULE)
        .map(|entry| entry.path.as_slice())
        .collect();
    let walked = walk::walk(&base.dir, &submodules).map_err(|source| MeasureError::Io {
        path: base.dir.clone(),
        source,
    })?;
    let files = Files::sort(&known, &walked.files);
    refuse_hard(walked.refused, walked.refused_if_new, &files)?;
    let ignored = ignored(&git, dir, &base.dir, &files)?;
    let wanted = files
        .present
        .iter()
        .chain(files.new.iter().filter(|path| !ignored.contains(**path)));
    snapshot::remove(&git, files.gone.iter().copied())?;
    snapshot::add(&git, wanted.copied())?;
    let candidate = snapshot::write_tree(&git)?;
    steps.at(steps::CHANGE_STAGED);
    let mut change = ChangeSet {
        base_tree: base.tree.clone(),
        candidate_tree: candidate,
        files: Vec::new(),
        ignored: names(&ignored)?,
    };
    if change.candidate_tree != change.base_tree {
        change.files = compare(store, &change)?;
    }
    Ok(change)
}

/// The index of the checkout, copied, with the time it was written: what is younger than that is read again.
fn candidate_git(store: &Store, dir: &LoopDir) -> Result<Git, MeasureError> {
    let (index, copy) = (dir.index(), dir.index_candidate());
    let io = |source| MeasureError::Io {
        path: copy.clone(),
        source,
    };
    clean::remove_file_if_there(&lock_of(&copy)).map_err(io)?;
    clean::remove_file_if_there(&copy).map_err(io)?;
    fs::copy(&index, &copy).map_err(io)?;
    let written = fs::metadata(&index)
        .and_then(|meta| meta.modified())
        .map_err(io)?;
    File::options()
        .write(true)
        .open(&copy)
        .and_then(|file| file.set_modified(written))
        .map_err(io)?;
    Ok(store.git().with_tree(&dir.base(), &copy))
}

/// Which files are in the base, in the checkout, or in both.
struct Files<'a> {
    present: Vec<&'a [u8]>,
    gone: Vec<&'a [u8]>,
    new: Vec<&'a [u8]>,
    known: HashSet<&'a [u8]>,
}

impl<'a> Files<'a> {
    fn sort(known: &'a [Tracked], walked: &'a HashSet<Vec<u8>>) -> Self {
        let files = known
            .iter()
            .filter(|entry| entry.mode != MODE_SUBMODULE)
            .map(|entry| entry.path.as_slice());
        let (present, gone) = files.partition(|path| walked.contains(*path));
        let known: HashSet<_> = known.iter().map(|entry| entry.path.as_slice()).collect();
        let mut new: Vec<_> = walked
            .iter()
            .map(Vec::as_slice)
            .filter(|path| !known.contains(path))
            .collect();
        new.sort_unstable();
        Self {
            present,
            gone,
            new,
            known,
        }
    }
}

fn refuse_hard(
    mut refused: Vec<Refusal>,
    if_new: Vec<(Vec<u8>, Refusal)>,
    files: &Files<'_>,
) -> Result<(), MeasureError> {
    refused.extend(
        if_new
            .into_iter()
            .filter(|(path, _)| !files.known.contains(path.as_slice()))
            .map(|(_, refusal)| refusal),
    );
    refuse(refused)
}

fn refuse(mut refused: Vec<Refusal>) -> Result<(), MeasureError> {
    if refused.is_empty() {
        return Ok(());
    }
    refused.sort_by(|a, b| a.path.cmp(&b.path));
    refused.truncate(100);
    Err(MeasureError::Refused(refused))
}

/// The new files that the candidate's rules ignore, and those that the base's rules ignore.
fn ignored(
    git: &Git,
    dir: &LoopDir,
    root: &Path,
    files: &Files<'_>,
) -> Result<HashSet<Vec<u8>>, MeasureError> {
    if files.new.is_empty() {
        return Ok(HashSet::new());
    }
    // With `./` before it no name is taken for an instruction; git says it back as it was asked.
    let asked: Vec<_> = files
        .new
        .iter()
        .map(|path| [b"./", *path].concat())
        .collect();
    let asked = snapshot::terminated(asked.iter().map(Vec::as_slice));
    let mut ignored = matching(git, asked.clone())?;
    let rule_files: Vec<_> = files
        .known
        .iter()
        .filter(|path| is_rule_file(path))
        .copied()
        .collect();
    if !rule_files.is_empty() {
        let rules = Rules::lay_out(git, dir, &rule_files)?;
        ignored.extend(matching(
            &git.with_tree(&rules.dir, &dir.index_candidate()),
            asked,
        )?);
        rules.remove()?;
    }
    tracing::debug!(count = ignored.len(), root = %root.display(), "new files that are ignored");
    too_large(
        "ignored files",
        ignored.len() as u64,
        CHANGED_FILES_MAX as u64,
    )?;
    Ok(ignored)
}

fn matching(git: &Git, asked: Vec<u8>) -> Result<HashSet<Vec<u8>>, GitError> {
    let found = git
        .call("check-ignore")
        .args(["--no-index", "-z", "--stdin"])
        .stdin(asked)
        .run_any()?;
    match found.code {
        Some(0 | 1) => records("check-ignore", &found.stdout)?
            .into_iter()
            .map(plain)
            .collect(),
        _ => Err(failed("check-ignore", &found)),
    }
}

fn plain(answer: &[u8]) -> Result<Vec<u8>, GitError> {
    answer
        .strip_prefix(b"./")
        .map(<[u8]>::to_vec)
        .ok_or_else(|| unreadable("check-ignore", answer))
}

fn is_rule_file(path: &[u8]) -> bool {
    path.rsplit(|byte| *byte == b'/').next() == Some(b".gitignore")
}

/// The ignore files of the base, alone in a folder of their own.
struct Rules {
    dir: PathBuf,
    trash: PathBuf,
}

impl Rules {
    fn lay_out(git: &Git, dir: &LoopDir, files: &[&[u8]]) -> Result<Self, MeasureError> {
        let rules = Self {
            dir: dir.path().join("rules"),
            trash: dir.trash(),
        };
        rules.remove()?;
        fs::create_dir(&rules.dir).map_err(|source| MeasureError::Io {
            path: rules.dir.clone(),
            source,
        })?;
        let names = snapshot::terminated(files.iter().copied());
        let git = git.with_tree(&rules.dir, &dir.index());
        git.call("checkout-index")
            .args(["-z", "--stdin"])
            .stdin(names)
            .run()?;
        Ok(rules)
    }

    fn remove(&self) -> Result<(), MeasureError> {
        clean::discard(&self.dir, &self.trash).map_err(|source| MeasureError::Io {
            path: self.dir.clone(),
            source,
        })
    }
}

fn compare(store: &Store, change: &ChangeSet) -> Result<Vec<FileChange>, MeasureError> {
    let (files, mut refused) = differences(store, &change.base_tree, &change.candidate_tree)?;
    let is_modules = |file: &&FileChange| {
        let name = file.path.file_name();
        name.is_some_and(|name| name.eq_ignore_ascii_case(".gitmodules"))
    };
    let modules = files.iter().filter(is_modules);
    refused.extend(
        modules.map(|file| refusal(file.path.as_str().as_bytes(), RefusalReason::Submodules)),
    );
    refuse(refused)?;
    let bytes = files
        .iter()
        .fold(0u64, |sum, file| sum.saturating_add(file.size));
    too_large("bytes", bytes, CHANGED_BYTES_MAX)?;
    Ok(files)
}

/// The files that differ between two trees, sorted by path, and what is refused among them: what nobody could be shown. A rule
/// that is only about publishing is none of this function's.
///
/// # Errors
/// [`MeasureError::TooLarge`] for more files than gates are asked about, [`MeasureError::Incomparable`] for so many more that
/// they are not counted, [`MeasureError::Tree`], [`MeasureError::Git`].
pub(crate) fn differences(
    store: &Store,
    base: &str,
    candidate: &str,
) -> Result<(Vec<FileChange>, Vec<Refusal>), MeasureError> {
    differences_within(store, base, candidate, MEMORY_BYTES_MAX)
}

/// The same with so many bytes of memory.
pub(super) fn differences_within(
    store: &Store,
    base: &str,
    candidate: &str,
    memory: u64,
) -> Result<(Vec<FileChange>, Vec<Refusal>), MeasureError> {
    let switches = [
        "-r",
        "-z",
        "--raw",
        "--numstat",
        "-M",
        "--no-abbrev",
        "--no-ext-diff",
        "--no-textconv",
    ];
    let said = store
        .git()
        .call("diff-tree")
        .args(switches)
        .args([base, candidate])
        .memory_max(memory)
        .run()
        .map_err(|error| match error {
            GitError::Memory { limit, .. } => MeasureError::Incomparable { limit },
            error => error.into(),
        })?;
    let found = changes(&said)?;
    too_large("files", found.len() as u64, CHANGED_FILES_MAX as u64)?;
    trees::well_formed(store, base, candidate, memory)?;
    let (mut files, mut refused) = (Vec::new(), Vec::new());
    for (raw, counts) in &found {
        for half in file_changes(raw, *counts) {
            match half {
                Ok(file) => files.push(file),
                Err(refusal) => refused.push(refusal),
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    fill_in_sizes(store, &mut files)?;
    refused.extend(long_attributes(store, &files)?);
    Ok((files, refused))
}

/// One file, or of a rename both: the old one deleted, the new one added with all the lines that differ. What is refused of
/// one of them is no matter of the other.
fn file_changes(raw: &RawChange, counts: LineCounts) -> Vec<Result<FileChange, Refusal>> {
    let paths = || {
        [Some(&raw.path), raw.new_path.as_ref()]
            .into_iter()
            .flatten()
    };
    if let Some(reason) = of_submodules(raw.old_mode, raw.new_mode) {
        let refused = |path: &Vec<u8>| Err(refusal(path, reason));
        return paths().map(refused).collect();
    }
    let new_mode = if raw.new_path.is_some() {
        0
    } else {
        raw.new_mode
    };
    let old = named(&raw.path, new_mode);
    let (lines_added, lines_removed) = counts.unwrap_or((0, 0));
    let change = |path: RelPath| FileChange {
        path,
        kind: match raw.status {
            b'A' => ChangeKind::Added,
            b'D' => ChangeKind::Deleted,
            _ => ChangeKind::Modified,
        },
        renamed_from: None,
        old_mode: raw.old_mode,
        new_mode: raw.new_mode,
        size: 0,
        lines_added,
        lines_removed,
        binary: counts.is_none(),
        old_blob: if raw.status == b'A' {
            String::new()
        } else {
            raw.old_id.clone()
        },
        new_blob: if raw.status == b'D' {
            String::new()
        } else {
            raw.new_id.clone()
        },
    };
    let Some(new_path) = &raw.new_path else {
        return vec![old.map(change)];
    };
    let renamed_from = old.as_ref().ok().cloned();
    let from = old.map(|path| FileChange {
        kind: ChangeKind::Deleted,
        new_mode: 0,
        lines_added: 0,
        lines_removed: 0,
        new_blob: String::new(),
        ..change(path)
    });
    let to = named(new_path, raw.new_mode).map(|path| FileChange {
        kind: ChangeKind::Added,
        renamed_from,
        old_mode: 0,
        old_blob: String::new(),
        ..change(path)
    });
    vec![from, to]
}

/// Why what has these modes is no file that anybody could be shown; none for a file.
fn of_submodules(old_mode: u32, new_mode: u32) -> Option<RefusalReason> {
    let is_submodule = |mode: u32| mode == MODE_SUBMODULE;
    let is_nothing_else = |mode: u32| mode == 0 || is_submodule(mode);
    match is_submodule(old_mode) || is_submodule(new_mode) {
        false => None,
        true if is_nothing_else(old_mode) && is_nothing_else(new_mode) => {
            Some(RefusalReason::BelowSubmodule)
        }
        true => Some(RefusalReason::FileForSubmodule),
    }
}

/// The path of a file with `new_mode`, which is 0 when it is gone.
fn named(path: &[u8], new_mode: u32) -> Result<RelPath, Refusal> {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    if new_mode == MODE_LINK && walk::is_read_by_git(name) {
        return Err(refusal(path, RefusalReason::LinkedGitFile));
    }
    relative_path(path).map_err(|problem| refusal(path, RefusalReason::Name(problem)))
}

fn refusal(path: &[u8], reason: RefusalReason) -> Refusal {
    Refusal {
        path: display_name(path),
        reason,
    }
}

fn fill_in_sizes(store: &Store, files: &mut [FileChange]) -> Result<(), MeasureError> {
    let ids: Vec<_> = files
        .iter()
        .map(|file| file.new_blob.clone())
        .filter(|id| !id.is_empty())
        .collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let sizes = store.sizes(&ids)?;
    for (file, size) in files
        .iter_mut()
        .filter(|file| !file.new_blob.is_empty())
        .zip(sizes)
    {
        file.size = size.unwrap_or(0);
    }
    Ok(())
}

fn long_attributes(store: &Store, files: &[FileChange]) -> Result<Vec<Refusal>, MeasureError> {
    let mut refused = Vec::new();
    for file in files.iter().filter(|file| !file.new_blob.is_empty()) {
        let is_attributes = file
            .path
            .file_name()
            .is_some_and(|name| name.eq_ignore_ascii_case(".gitattributes"));
        if is_attributes {
            let bytes_max = file.size.min(CHANGED_BYTES_MAX);
            let bytes = store.blob(
                &file.new_blob,
                usize::try_from(bytes_max).unwrap_or(usize::MAX),
            )?;
            if bytes
                .split(|byte| *byte == b'\n')
                .any(|line| line.len() > ATTRIBUTES_LINE_BYTES_MAX)
            {
                let path = file.path.as_str().as_bytes();
                refused.push(refusal(path, RefusalReason::LongAttributes));
            }
        }
    }
    Ok(refused)
}

fn too_large(what: &'static str, found: u64, limit: u64) -> Result<(), MeasureError> {
    if found <= limit {
        Ok(())
    } else {
        Err(MeasureError::TooLarge { what, found, limit })
    }
}

/// New files have been refused already when their names are odd, so each of these is a path.
fn names(paths: &HashSet<Vec<u8>>) -> Result<Vec<RelPath>, MeasureError> {
    let mut names = Vec::new();
    for path in paths {
        let refused = |problem| refusal(path, RefusalReason::Name(problem));
        names.push(
            relative_path(path).map_err(|problem| MeasureError::Refused(vec![refused(problem)]))?,
        );
    }
    names.sort();
    Ok(names)
}

fn refused_text(refused: &[Refusal]) -> String {
    let first = refused.first().map(ToString::to_string).unwrap_or_default();
    match refused.len() {
        0 | 1 => format!("the change must not be published: {first}"),
        more => format!(
            "the change must not be published: {first}, and {} more",
            more - 1
        ),
    }
}
