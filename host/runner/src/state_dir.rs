//! The state directory: `ringfence-state/` in a repository's git directory, `.ringfence/` in a folder without git; one folder
//! in it for each loop.
//!
//! Owns the layout (which file is where) and how a file is replaced. What stands in the files belongs to their modules.
//! **Invariant:** no tree of a repository can name a file in here: what a branch tracks, git writes into the working tree at a
//! checkout, over ignored files without a question. Nothing in here is reached through a symbolic link or belongs to another
//! user, and a folder that was not made at this very place lends nothing to a beat but its journal: its caches are thrown
//! away, since an archive can ship files of these names.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ringfence_core::ids::{BeatNo, LoopId};
use rustix::fs::OFlags;
use tempfile::NamedTempFile;

use crate::git::discover::Project;
use crate::lock::LoopLock;
use crate::workspace::clean;

/// Name of the state directory in a folder without git.
pub const STATE_DIR: &str = ".ringfence";
/// Its name in a git directory. Not `ringfence`: git looks for `ringfence/LOOP/1` there before it looks for that branch.
pub const STATE_IN_GIT: &str = "ringfence-state";
/// What the name of every temporary file in the state directory begins with.
pub const TEMP_PREFIX: &str = ".tmp-";

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const IDENTITY: &str = "identity";
const CACHES: [&str; 16] = [
    "bookmark",
    "store.git",
    "base",
    "index",
    "commands",
    "index-commands",
    "index-candidate",
    "index-user",
    "index-commit",
    "index-none",
    "index-view",
    "nothing",
    "base.whole",
    "commands.whole",
    "rules",
    "memo",
];
// What a folder may hold that has not been signed yet and brings nothing along.
const EMPTY_FOLDER: [&str; 5] = ["lock", "shadow", "proposals", "held", "memo"];

/// Why the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    /// Following it could lead anywhere.
    #[error("a symbolic link stands where the state directory should be: {}", .0.display())]
    Symlink(PathBuf),
    /// A file, or something else that is no directory.
    #[error("something that is no directory stands where the state directory should be: {}", .0.display())]
    NotADirectory(PathBuf),
    /// Somebody else could change it while a beat runs.
    #[error("the state directory {} belongs to user {owner}, not to user {user}", path.display())]
    ForeignOwner {
        /// The directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who this program runs as.
        user: u32,
    },
    /// A beat has to write its journal there.
    #[error("the state directory {} cannot be written", .0.display())]
    ReadOnly(PathBuf),
    /// Anything else.
    #[error("the state directory {} cannot be used", path.display())]
    Io {
        /// The directory or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Where a loop's folder came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Made here, by this beat or an earlier one.
    Ours,
    /// Copied, moved or shipped with the project: the journal may be genuine, the caches are not used.
    BroughtAlong,
}

/// The state directory of a project.
#[derive(Debug, Clone)]
pub struct StateDir {
    path: PathBuf,
}

/// The folder of one loop. Reading needs no lock; writing anything but the lock file does.
#[derive(Debug, Clone)]
pub struct LoopDir {
    path: PathBuf,
    loop_id: LoopId,
}

impl StateDir {
    /// Opens the state directory of a project, making it (mode 0700) when there is none.
    ///
    /// # Errors
    /// [`StateDirError`] when it is a link, no directory, somebody else's, or cannot be written.
    pub fn open(project: &Project) -> Result<Self, StateDirError> {
        let path = place(project);
        ensure_dir(&path)?;
        // The folder may become a repository one day.
        let ignore = path.join(".gitignore");
        if project.repository().is_none() && small_file(&ignore).as_deref() != Some(b"*\n") {
            write_atomic(&ignore, b"*\n").map_err(|source| StateDirError::Io {
                path: ignore,
                source,
            })?;
        }
        Ok(Self { path })
    }

    /// Finds the state directory of a project without making one; none when there is none.
    ///
    /// # Errors
    /// [`StateDirError`] when what is there cannot be trusted. One that can only be read is fine.
    pub fn find(project: &Project) -> Result<Option<Self>, StateDirError> {
        let path = place(project);
        Ok(existing_dir(&path)?.map(|_| Self { path }))
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says whether a beat could write here.
    ///
    /// # Errors
    /// [`StateDirError::ReadOnly`] where this user may not, [`StateDirError::Io`] where nobody can.
    pub fn writable(&self) -> Result<(), StateDirError> {
        let io = |source| StateDirError::Io {
            path: self.path.clone(),
            source,
        };
        let meta = fs::metadata(&self.path).map_err(io)?;
        match rustix::fs::access(&self.path, rustix::fs::Access::WRITE_OK) {
            Ok(()) if meta.mode() & 0o200 != 0 => Ok(()),
            Ok(()) | Err(rustix::io::Errno::ACCESS) => {
                Err(StateDirError::ReadOnly(self.path.clone()))
            }
            Err(errno) => Err(io(errno.into())),
        }
    }

    /// Opens the folder of one loop, making it when there is none.
    ///
    /// # Errors
    /// As [`StateDir::open`].
    pub fn open_loop(&self, loop_id: &LoopId) -> Result<LoopDir, StateDirError> {
        self.open_folder(LoopDir {
            path: self.path.join(loop_id.as_str()),
            loop_id: loop_id.clone(),
        })
    }

    #[expect(
        clippy::unused_self,
        reason = "only who has opened the state directory opens a folder in it"
    )]
    fn open_folder(&self, dir: LoopDir) -> Result<LoopDir, StateDirError> {
        if ensure_dir(&dir.path)? {
            dir.sign()?;
        }
        for name in ["shadow", "proposals", "held", "memo"] {
            ensure_dir(&dir.path.join(name))?;
        }
        Ok(dir)
    }

    /// Opens the folder that gates without a loop work in, making it when there is none. No loop can have its name.
    ///
    /// # Errors
    /// As [`StateDir::open`].
    pub fn open_gates(&self) -> Result<LoopDir, StateDirError> {
        let loop_id = LoopId::new("gates").map_err(|error| StateDirError::Io {
            path: self.path.clone(),
            source: io::Error::other(error.to_string()),
        })?;
        self.open_folder(LoopDir {
            path: self.path.join("gates.d"),
            loop_id,
        })
    }

    /// Finds the folder of one loop without making it.
    ///
    /// # Errors
    /// As [`StateDir::find`].
    pub fn find_loop(&self, loop_id: &LoopId) -> Result<Option<LoopDir>, StateDirError> {
        let path = self.path.join(loop_id.as_str());
        Ok(existing_dir(&path)?.map(|_| LoopDir {
            path,
            loop_id: loop_id.clone(),
        }))
    }

    /// The loops that have a folder, sorted; names that are no loop's are passed over.
    ///
    /// # Errors
    /// [`StateDirError::Io`] when the directory cannot be listed.
    pub fn loops(&self) -> Result<Vec<LoopId>, StateDirError> {
        let io = |source| StateDirError::Io {
            path: self.path.clone(),
            source,
        };
        let mut loops = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(io)? {
            let entry = entry.map_err(io)?;
            let id = entry
                .file_name()
                .to_str()
                .and_then(|name| LoopId::new(name).ok());
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            loops.extend(id.filter(|_| is_dir));
        }
        loops.sort();
        Ok(loops)
    }
}

/// Where the state directory of a project is, or would be.
#[must_use]
pub fn place(project: &Project) -> PathBuf {
    match project {
        Project::Repository(repo) => repo.git_dir().join(STATE_IN_GIT),
        Project::Folder(top) => top.join(STATE_DIR),
    }
}

/// The same as somebody who stands in the project's top folder would type it.
#[must_use]
pub fn place_from_top(project: &Project) -> PathBuf {
    let path = place(project);
    let below = path.strip_prefix(project.top()).map(Path::to_owned);
    below.unwrap_or(path)
}

impl LoopDir {
    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whose folder it is.
    #[must_use]
    pub fn loop_id(&self) -> &LoopId {
        &self.loop_id
    }

    /// The lock file.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// Where the journal was left.
    #[must_use]
    pub fn bookmark(&self) -> PathBuf {
        self.path.join("bookmark")
    }

    /// The private bare repository.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.path.join("store.git")
    }

    /// The warm checkout.
    #[must_use]
    pub fn base(&self) -> PathBuf {
        self.path.join("base")
    }

    /// A folder that stays empty.
    #[must_use]
    pub fn nothing(&self) -> PathBuf {
        self.path.join("nothing")
    }

    /// The index that describes the checkout as it was last written.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.path.join("index")
    }

    /// The checkout that the commands of a gates file look at.
    #[must_use]
    pub fn commands(&self) -> PathBuf {
        self.path.join("commands")
    }

    /// The index that describes it.
    #[must_use]
    pub fn index_commands(&self) -> PathBuf {
        self.path.join("index-commands")
    }

    /// The index a change set is measured with; a copy of [`LoopDir::index`], made anew each time.
    #[must_use]
    pub fn index_candidate(&self) -> PathBuf {
        self.path.join("index-candidate")
    }

    /// The index a snapshot of the user's files is taken with.
    #[must_use]
    pub fn index_user(&self) -> PathBuf {
        self.path.join("index-user")
    }

    /// What a commit to the checked-out branch needs until it is finished or undone.
    #[must_use]
    pub fn commit(&self) -> PathBuf {
        self.path.join("commit")
    }

    /// A copy of the user's index, while it is brought along.
    #[must_use]
    pub fn index_commit(&self) -> PathBuf {
        self.path.join("index-commit")
    }

    /// Bytes that somebody wrote into files which a commit had just replaced.
    #[must_use]
    pub fn kept(&self) -> PathBuf {
        self.path.join("kept")
    }

    /// Where files wait to be deleted.
    #[must_use]
    pub fn trash(&self) -> PathBuf {
        self.path.join("trash")
    }

    /// Memoised answers of components.
    #[must_use]
    pub fn memo(&self) -> PathBuf {
        self.path.join("memo")
    }

    /// The patch of a shadowed beat.
    #[must_use]
    pub fn shadow(&self, beat: BeatNo) -> PathBuf {
        self.path.join("shadow").join(format!("{beat}.patch"))
    }

    /// The patch of a proposal that cannot be a branch.
    #[must_use]
    pub fn proposal(&self, beat: BeatNo) -> PathBuf {
        self.path.join("proposals").join(format!("{beat}.patch"))
    }

    /// The lock of whoever tells people.
    #[must_use]
    pub fn telling(&self) -> PathBuf {
        self.path.join("telling")
    }

    /// What only this folder at this place has.
    ///
    /// # Errors
    /// [`StateDirError::Io`] when it cannot be looked at.
    pub fn identity(&self) -> Result<String, StateDirError> {
        identity(&self.path)
    }

    /// Says where this folder came from.
    ///
    /// # Errors
    /// [`StateDirError::Io`] when it cannot be looked at.
    pub fn origin(&self) -> Result<Origin, StateDirError> {
        let io = |source| StateDirError::Io {
            path: self.path.clone(),
            source,
        };
        if small_file(&self.path.join(IDENTITY)).as_deref()
            == Some(identity(&self.path)?.as_bytes())
        {
            return Ok(Origin::Ours);
        }
        let mut names = fs::read_dir(&self.path).map_err(io)?;
        let is_new = names.try_fold(true, |so_far, entry| {
            let name = entry.map_err(io)?.file_name();
            Ok::<_, StateDirError>(so_far && EMPTY_FOLDER.iter().any(|empty| name == *empty))
        })?;
        let memo = fs::read_dir(self.memo()).is_ok_and(|mut entries| entries.next().is_some());
        Ok(if is_new && !memo {
            Origin::Ours
        } else {
            Origin::BroughtAlong
        })
    }

    /// Makes this folder ours: throws away the caches of one that was brought along. Returns what it was before.
    ///
    /// # Errors
    /// As [`LoopDir::origin`], and when the caches cannot be removed.
    pub fn adopt(&self, _lock: &LoopLock) -> Result<Origin, StateDirError> {
        let origin = self.origin()?;
        if origin == Origin::BroughtAlong {
            self.drop_caches()?;
            // It tells of another working tree, or of what somebody would like to see in this one.
            let path = self.commit();
            clean::discard(&path, &self.trash())
                .map_err(|source| StateDirError::Io { path, source })?;
        }
        if small_file(&self.path.join(IDENTITY)).as_deref()
            != Some(identity(&self.path)?.as_bytes())
        {
            self.sign()?;
        }
        Ok(origin)
    }

    /// Writes down that this folder was made here.
    fn sign(&self) -> Result<(), StateDirError> {
        let file = self.path.join(IDENTITY);
        let text = identity(&self.path)?;
        write_atomic(&file, text.as_bytes())
            .map_err(|source| StateDirError::Io { path: file, source })
    }

    /// Throws away everything that the next beat can make again.
    pub(crate) fn drop_caches(&self) -> Result<(), StateDirError> {
        for name in CACHES {
            let path = self.path.join(name);
            clean::discard(&path, &self.trash())
                .map_err(|source| StateDirError::Io { path, source })?;
        }
        ensure_dir(&self.memo()).map(drop)
    }
}

/// Replaces the file at `path` by `bytes` so that a crash leaves either the old or the new file, on disk. Only its owner may
/// read it.
///
/// # Errors
/// The first error of writing, flushing or renaming; the old file then still stands.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(path, bytes, 0o600, Place::Taken)
}

/// The same for a file that others are to read.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_atomic_for_all(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(path, bytes, 0o644, Place::Taken)
}

/// Makes the file at `path`, which others may read, with all of `bytes` or not at all.
///
/// # Errors
/// The first error of writing, flushing or naming; `AlreadyExists` where something has that name.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(path, bytes, 0o644, Place::Free)
}

/// Replaces a file of a cache, all of it or nothing, without waiting for the disk: after a power cut it may be torn, so whoever
/// reads it has to be able to tell.
///
/// # Errors
/// The first error of writing or naming.
pub(crate) fn write_cached(path: &Path, bytes: &[u8]) -> io::Result<()> {
    name(written(path, bytes, 0o600)?, path, Place::Taken)
}

/// What may be at the place of a file that is written.
#[derive(Clone, Copy)]
enum Place {
    Free,
    Taken,
}

fn put(path: &Path, bytes: &[u8], mode: u32, place: Place) -> io::Result<()> {
    let file = written(path, bytes, mode)?;
    file.as_file().sync_all()?;
    name(file, path, place)?;
    sync_dir(parent(path)?)
}

/// A file of another name beside `path`, with all of `bytes`.
fn written(path: &Path, bytes: &[u8], mode: u32) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    let mut file = builder.prefix(TEMP_PREFIX).tempfile_in(parent(path)?)?;
    file.write_all(bytes)?;
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(mode))?;
    Ok(file)
}

fn name(file: NamedTempFile, path: &Path, place: Place) -> io::Result<()> {
    let named = match place {
        Place::Free => file.persist_noclobber(path),
        Place::Taken => file.persist(path),
    };
    named.map(drop).map_err(|error| error.error)
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent()
        .ok_or_else(|| io::Error::other("a path without a parent"))
}

/// Flushes a directory, so that the names in it survive a power cut.
///
/// # Errors
/// What the system said.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Opens a regular file, without following a link in its place and without waiting for the other end of a pipe.
///
/// # Errors
/// What the system said, and one of its own for what is no regular file.
pub(crate) fn open_plain(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    open_with(path, options, OFlags::NOFOLLOW | OFlags::NONBLOCK)
}

/// Opens a regular file or one that a link leads to, for reading, without waiting for the other end of a pipe.
///
/// # Errors
/// As whatever opens files; and one of its own for what is no regular file.
pub fn open_followed(path: &Path) -> io::Result<File> {
    open_with(path, File::options().read(true), OFlags::NONBLOCK)
}

fn open_with(path: &Path, options: &mut OpenOptions, flags: OFlags) -> io::Result<File> {
    let file = options
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

/// The text of a regular file of bounded length; a link or pipe in its place is not followed and not waited for.
pub(crate) fn read_plain(path: &Path, bytes_max: u64) -> Option<String> {
    String::from_utf8(read_plain_bytes(path, bytes_max)?).ok()
}

/// The same for a file that may be no text.
pub(crate) fn read_plain_bytes(path: &Path, bytes_max: u64) -> Option<Vec<u8>> {
    let file = open_plain(path, File::options().read(true)).ok()?;
    let meta = file.metadata().ok()?;
    if meta.len() > bytes_max {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(bytes_max).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// What tells this start of the machine from every other; empty where the system does not say.
pub(crate) fn boot_id() -> String {
    fs::read_to_string(BOOT_ID).unwrap_or_default()
}

/// Makes the directory unless it is there; true when it was made.
fn ensure_dir(path: &Path) -> Result<bool, StateDirError> {
    let io = |source: io::Error| match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StateDirError::ReadOnly(path.to_owned())
        }
        _ => StateDirError::Io {
            path: path.to_owned(),
            source,
        },
    };
    let Some(meta) = existing_dir(path)? else {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            // Another beat was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return ensure_dir(path),
            made => made.map_err(io)?,
        }
        path.parent().map_or(Ok(()), sync_dir).map_err(io)?;
        return Ok(true);
    };
    // The owner's bit counts for root as well: who took it away did not want writers.
    let writable = rustix::fs::access(path, rustix::fs::Access::WRITE_OK);
    if meta.mode() & 0o200 == 0 || writable.is_err() {
        return Err(StateDirError::ReadOnly(path.to_owned()));
    }
    if meta.mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(io)?;
    }
    Ok(false)
}

fn existing_dir(path: &Path) -> Result<Option<Metadata>, StateDirError> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(StateDirError::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    let user = rustix::process::geteuid().as_raw();
    if meta.is_symlink() {
        Err(StateDirError::Symlink(path.to_owned()))
    } else if !meta.is_dir() {
        Err(StateDirError::NotADirectory(path.to_owned()))
    } else if meta.uid() != user {
        Err(StateDirError::ForeignOwner {
            path: path.to_owned(),
            owner: meta.uid(),
            user,
        })
    } else {
        Ok(Some(meta))
    }
}

/// The bytes of a small regular file; none of anything else, which could lead elsewhere or block.
fn small_file(path: &Path) -> Option<Vec<u8>> {
    let is_small = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() < 1024);
    if is_small { fs::read(path).ok() } else { None }
}

/// What only this directory at this place has: nobody who packs an archive can know it beforehand.
fn identity(path: &Path) -> Result<String, StateDirError> {
    let io = |source| StateDirError::Io {
        path: path.to_owned(),
        source,
    };
    let meta = fs::symlink_metadata(path).map_err(io)?;
    let born = meta
        .created()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let born = born.map_or_else(|| "unknown".to_owned(), |time| time.as_nanos().to_string());
    Ok(format!("inode {} born {born}\n", meta.ino()))
}

#[cfg(test)]
mod tests;
