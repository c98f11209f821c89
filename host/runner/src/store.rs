//! The private bare repository of a loop: where trees are compared and candidates are written.
//!
//! Borrows the objects of the user's repository and adds its own; has its own configuration, no refs and no hooks.
//! **Invariant:** bytes go in and out as they are: no line ending, keyword, encoding or filter is ever applied, whatever
//! a repository's attributes say. It is a cache: what a crash of the machine may have torn is thrown away.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ringfence_core::relpath::RelPath;

use crate::git::discover::{DiscoverError, ObjectFormat, Project};
use crate::git::output::{Commit, commit, is_id};
use crate::git::{Durability, Git, GitError, GitProgram, unreadable};
use crate::lock::LoopLock;
use crate::state_dir::{
    LoopDir, Origin, StateDirError, TEMP_PREFIX, boot_id, read_plain, read_plain_bytes,
    write_cached,
};

// Beats every `.gitattributes`: the file of this name inside the repository directory comes first for git.
const ATTRIBUTES: &str =
    "* -text -crlf -eol -ident -filter -working-tree-encoding !diff !merge !whitespace\n";
// Holds what a beat must not inherit from an earlier boot: files that were never flushed.
const BOOT: &str = "ringfence-boot";

// Limit: `<64 hex digits> blob <20 digits>` and two line ends.
const HEAD_BYTES_MAX: usize = 128;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The user's repository cannot be read.
    #[error(transparent)]
    Project(#[from] DiscoverError),
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StateDirError),
    /// A file of the store cannot be written.
    #[error("the private store {} cannot be set up", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A loop's private bare repository.
#[derive(Debug, Clone)]
pub struct Store {
    git: Git,
    format: ObjectFormat,
    origin: Origin,
}

impl Store {
    /// Opens the store of a loop, making it, or making it anew when it is not to be trusted: brought along from
    /// elsewhere, made for another kind of repository, or older than the machine's last start.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(
        program: &GitProgram,
        dir: &LoopDir,
        lock: &LoopLock,
        project: &Project,
    ) -> Result<Self, StoreError> {
        let (format, alternates) = match project {
            Project::Repository(repo) => (repo.head()?.format, repo.object_dirs()?),
            Project::Folder(_) => (ObjectFormat::Sha1, Vec::new()),
        };
        let origin = dir.adopt(lock)?;
        let path = dir.store();
        let boot = boot_id();
        let made_for = format!("{} {boot}", format.name());
        if read_plain(&path.join(BOOT), made_for.len() as u64).as_ref() != Some(&made_for) {
            dir.drop_caches()?;
        }
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Io { path, source }
        };
        for sub in ["info", "objects/info", "objects/pack", "refs/heads"] {
            let sub = path.join(sub);
            fs::create_dir_all(&sub).map_err(io(&sub))?;
        }
        let mut borrowed = Vec::new();
        for dir in &alternates {
            borrowed.extend_from_slice(dir.as_os_str().as_bytes());
            borrowed.push(b'\n');
        }
        let config = config(format);
        for (name, bytes) in [
            ("config", config.as_bytes()),
            ("info/attributes", ATTRIBUTES.as_bytes()),
            ("info/exclude", b""),
            ("objects/info/alternates", &borrowed),
            ("HEAD", b"ref: refs/heads/none\n"),
            // The last, so that a store that is not complete is made again.
            (BOOT, made_for.as_bytes()),
        ] {
            let file = path.join(name);
            if read_plain_bytes(&file, bytes.len() as u64).as_deref() != Some(bytes) {
                write_cached(&file, bytes).map_err(io(&file))?;
            }
        }
        // With no way to tell one start of the machine from the next, git has to flush.
        let durability = if boot.is_empty() {
            Durability::Full
        } else {
            Durability::Cache
        };
        Ok(Self {
            git: Git::new(program, &path, durability),
            format,
            origin,
        })
    }

    /// Git, pointed at the store.
    #[must_use]
    pub fn git(&self) -> &Git {
        &self.git
    }

    /// How objects are named.
    #[must_use]
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    /// Where the loop's folder came from when the store was opened.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Reads one commit; none when it is not there.
    ///
    /// # Errors
    /// [`GitError`] when the object is no commit.
    pub fn commit(&self, id: &str) -> Result<Option<Commit>, GitError> {
        if !is_id(id) {
            return Err(unreadable("cat-file", id.as_bytes()));
        }
        let asked = format!("{id}\n").into_bytes();
        let said = self.git.call("cat-file").arg("--batch").stdin(asked);
        let said = said.run()?;
        match commit_text(id, &said).ok_or_else(|| unreadable("cat-file", &said))? {
            Some(text) => commit(text).map(Some),
            None => Ok(None),
        }
    }

    /// The first of `ids` that is not there, if any.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn missing(&self, ids: &[&str]) -> Result<Option<String>, GitError> {
        let sizes = self.sizes(ids)?;
        Ok(ids
            .iter()
            .zip(sizes)
            .find(|(_, size)| size.is_none())
            .map(|(id, _)| (*id).to_owned()))
    }

    /// The size of each object in bytes, in the order asked; none for one that is not there.
    ///
    /// # Errors
    /// [`GitError`], also for a text that is no full object id.
    pub fn sizes(&self, ids: &[&str]) -> Result<Vec<Option<u64>>, GitError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(odd) = ids.iter().find(|id| !is_id(id)) {
            return Err(unreadable("cat-file", odd.as_bytes()));
        }
        let asked = ids
            .iter()
            .flat_map(|id| [id, "\n"])
            .collect::<String>()
            .into_bytes();
        let format = "--batch-check=%(objectname) %(objectsize)";
        let said = self.git.call("cat-file").arg(format).stdin(asked).run()?;
        let text = String::from_utf8_lossy(&said);
        let lines: Vec<_> = text.lines().collect();
        if lines.len() != ids.len() {
            return Err(unreadable("cat-file", &said));
        }
        ids.iter()
            .zip(lines)
            .map(|(id, line)| {
                size_of(id, line).ok_or_else(|| unreadable("cat-file", line.as_bytes()))
            })
            .collect()
    }

    /// The bytes of one blob, at most `bytes_max` of them.
    ///
    /// # Errors
    /// [`GitError`] when it is longer, missing or no blob.
    pub fn blob(&self, id: &str, bytes_max: usize) -> Result<Vec<u8>, GitError> {
        if !is_id(id) {
            return Err(unreadable("cat-file", id.as_bytes()));
        }
        self.git
            .call("cat-file")
            .args(["blob", id])
            .stdout_max(bytes_max)
            .run()
    }

    /// The bytes of each blob that has at most `each_max` of them, in the order asked, until `all_max` are together; none for
    /// the others.
    ///
    /// # Errors
    /// [`GitError`] for a text that is no full object id, and for what git says otherwise.
    pub fn blobs(
        &self,
        ids: &[&str],
        each_max: u64,
        all_max: u64,
    ) -> Result<Vec<Option<Vec<u8>>>, GitError> {
        let mut left = all_max;
        let wanted: Vec<bool> = self
            .sizes(ids)?
            .iter()
            .map(|size| {
                let size = size.filter(|size| *size <= each_max.min(left));
                left -= size.unwrap_or(0);
                size.is_some()
            })
            .collect();
        let asked: String = ids
            .iter()
            .zip(&wanted)
            .filter(|(_, wanted)| **wanted)
            .flat_map(|(id, _)| [id, "\n"])
            .collect();
        let said = if asked.is_empty() {
            Vec::new()
        } else {
            let bytes_max = usize::try_from(all_max).unwrap_or(usize::MAX);
            let heads = ids.len().saturating_mul(HEAD_BYTES_MAX);
            let call = self.git.call("cat-file").arg("--batch");
            call.stdin(asked.into_bytes())
                .stdout_max(bytes_max.saturating_add(heads))
                .run()?
        };
        let mut rest = said.as_slice();
        let mut blobs = Vec::new();
        for wanted in wanted {
            blobs.push(if wanted {
                let bytes = next_object(&mut rest, "blob");
                let bytes = bytes.ok_or_else(|| unreadable("cat-file", &said))?;
                Some(bytes.to_vec())
            } else {
                None
            });
        }
        Ok(blobs)
    }

    /// The texts of commits, in the order asked.
    ///
    /// # Errors
    /// [`GitError`] where one is not there or no commit, and for more than `all_max` bytes together.
    pub fn commit_texts(&self, ids: &[String], all_max: usize) -> Result<Vec<Vec<u8>>, GitError> {
        self.texts("commit", ids, all_max)
    }

    /// The bytes of trees, in the order asked.
    ///
    /// # Errors
    /// [`GitError`] where one is not there or no tree, and for more than `all_max` bytes together.
    pub fn tree_texts(&self, ids: &[String], all_max: usize) -> Result<Vec<Vec<u8>>, GitError> {
        self.texts("tree", ids, all_max)
    }

    fn texts(&self, kind: &str, ids: &[String], all_max: usize) -> Result<Vec<Vec<u8>>, GitError> {
        if let Some(odd) = ids.iter().find(|id| !is_id(id)) {
            return Err(unreadable("cat-file", odd.as_bytes()));
        }
        let asked: String = ids.iter().flat_map(|id| [id, "\n"]).collect();
        let heads = ids.len().saturating_mul(HEAD_BYTES_MAX);
        let call = self.git.call("cat-file").arg("--batch");
        let call = call.stdin(asked.into_bytes());
        let said = call.stdout_max(all_max.saturating_add(heads)).run()?;
        let mut rest = said.as_slice();
        let next = |_| {
            let bytes = next_object(&mut rest, kind).map(<[u8]>::to_vec);
            bytes.ok_or_else(|| unreadable("cat-file", &said))
        };
        ids.iter().map(next).collect()
    }

    /// The id of the blob that `tree` has at `path`; none when there is no file.
    ///
    /// # Errors
    /// [`GitError`] when the tree cannot be read.
    pub fn blob_at(&self, tree: &str, path: &RelPath) -> Result<Option<String>, GitError> {
        Ok(self.file_at(tree, path)?.map(|(_, id)| id))
    }

    /// The git mode and the id of the file or link that `tree` has at `path`; none when there is neither.
    ///
    /// # Errors
    /// As [`Store::blob_at`].
    pub fn file_at(&self, tree: &str, path: &RelPath) -> Result<Option<(u32, String)>, GitError> {
        let call = self.git.call("ls-tree").args([
            "-z",
            "--full-tree",
            "--format=%(objectmode) %(objecttype) %(objectname)",
        ]);
        // Without the prefix, git would read a path that begins with a colon as an instruction.
        let literal = format!(":(literal){}", path.as_str());
        let listed = call.args([tree, "--", &literal]).run()?;
        let text = String::from_utf8_lossy(&listed);
        let Some((mode, rest)) = text.trim_end_matches('\0').split_once(' ') else {
            return Ok(None);
        };
        let Some(id) = rest.strip_prefix("blob ") else {
            return Ok(None);
        };
        let mode = u32::from_str_radix(mode, 8).map_err(|_| unreadable("ls-tree", &listed))?;
        Ok(Some((mode, id.to_owned())))
    }

    /// Removes what a git that was killed left in the store, and returns the files.
    ///
    /// # Errors
    /// The first error of listing or removing.
    pub(crate) fn sweep(dir: &LoopDir) -> io::Result<Vec<PathBuf>> {
        let store = dir.store();
        let is_lock = |name: &[u8]| name.ends_with(b".lock");
        let is_temp =
            |name: &[u8]| name.starts_with(b"tmp_") || name.starts_with(TEMP_PREFIX.as_bytes());
        let mut removed = remove_files(&store, &|name| is_lock(name) || is_temp(name))?;
        for sub in ["info", "objects/info", "refs/heads"] {
            removed.extend(remove_files(&store.join(sub), &|name| {
                is_lock(name) || is_temp(name)
            })?);
        }
        let objects = store.join("objects");
        for entry in list(&objects)? {
            removed.extend(remove_files(&objects.join(entry), &is_temp)?);
        }
        Ok(removed)
    }
}

/// Removes the regular files directly in `dir` whose name `unwanted` picks; a missing directory has none.
pub(crate) fn remove_files(
    dir: &Path,
    unwanted: &dyn Fn(&[u8]) -> bool,
) -> io::Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    for name in list(dir)? {
        let path = dir.join(&name);
        if unwanted(name.as_bytes()) && fs::symlink_metadata(&path)?.is_file() {
            fs::remove_file(&path)?;
            removed.push(path);
        }
    }
    Ok(removed)
}

fn list(dir: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    match fs::read_dir(dir) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect(),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

fn config(format: ObjectFormat) -> String {
    match format {
        ObjectFormat::Sha1 => "[core]\n\trepositoryformatversion = 0\n\tbare = true\n".to_owned(),
        ObjectFormat::Sha256 => {
            "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n".to_owned()
        }
    }
}

/// The commit that `name` leads to in the repository of `git`, and its id; none where it leads to none.
///
/// # Errors
/// [`GitError`] when git cannot say.
pub(crate) fn commit_named(git: &Git, name: &str) -> Result<Option<(String, Commit)>, GitError> {
    if name.contains(['\n', '\0']) {
        return Ok(None);
    }
    let asked = format!("{name}^{{commit}}\n").into_bytes();
    let said = git.call("cat-file").arg("--batch").stdin(asked).run()?;
    let Some(text) = next_object(&mut said.as_slice(), "commit") else {
        return Ok(None);
    };
    let id = said.split(|byte| *byte == b' ').next().unwrap_or_default();
    let id = String::from_utf8_lossy(id).into_owned();
    if !is_id(&id) {
        return Err(unreadable("cat-file", &said));
    }
    Ok(Some((id, commit(text)?)))
}

/// The text in `<id> commit <size>\n<text>\n`, or that it is missing; none when it is neither.
#[expect(
    clippy::option_option,
    reason = "unreadable and missing are two things"
)]
fn commit_text<'a>(id: &str, said: &'a [u8]) -> Option<Option<&'a [u8]>> {
    let said = said.strip_prefix(id.as_bytes())?.strip_suffix(b"\n")?;
    if said == b" missing" {
        return Some(None);
    }
    let end = said.iter().position(|byte| *byte == b'\n')?;
    let (head, text) = said.split_at_checked(end)?;
    let text = text.strip_prefix(b"\n")?;
    let bytes = std::str::from_utf8(head).ok()?.strip_prefix(" commit ")?;
    (bytes.parse() == Ok(text.len())).then_some(Some(text))
}

/// Takes `<id> <kind> <size>\n<bytes>\n` off the beginning; none when something else stands there.
fn next_object<'a>(rest: &mut &'a [u8], kind: &str) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (head, after) = rest.split_at_checked(end)?;
    let mut words = std::str::from_utf8(head).ok()?.split(' ').skip(1);
    (words.next()? == kind).then_some(())?;
    let size: usize = words.next()?.parse().ok()?;
    let (bytes, after) = after.get(1..)?.split_at_checked(size)?;
    *rest = after.strip_prefix(b"\n")?;
    Some(bytes)
}

/// Reads `<id> <size>`, or `<id> missing`; none when it is neither.
#[expect(
    clippy::option_option,
    reason = "unreadable and missing are two things"
)]
fn size_of(id: &str, line: &str) -> Option<Option<u64>> {
    match line.strip_prefix(id)?.strip_prefix(' ')? {
        "missing" => Some(None),
        size => size.parse().ok().map(Some),
    }
}

#[cfg(test)]
mod tests;
