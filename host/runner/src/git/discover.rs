//! Finds the project a folder belongs to: a git repository, or just the folder.
//!
//! **Invariant:** the search is ours, never git's; git is pointed at what was found here, and only to read `HEAD`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::output::{is_id, records};
use super::{Durability, Git, GitError, GitProgram, display_name, failed, unreadable};
use crate::state_dir::open_followed;

// Limit: a `.git` or `commondir` file holds one path, and the kernel takes none longer than this.
const LINK_FILE_BYTES_MAX: u64 = 4096 + 16;
// Limit: how deep git itself follows alternates.
const ALTERNATES_DEPTH_MAX: usize = 5;
// Limit: a thousand paths; more were not written by a person or a clone.
const ALTERNATES_BYTES_MAX: u64 = 1 << 20;

/// What a loop works on.
#[derive(Debug, Clone)]
pub enum Project {
    /// The working tree of a git repository.
    Repository(UserRepo),
    /// A folder that no git repository contains; canonical.
    Folder(PathBuf),
}

/// The user's repository: where its parts are. Nothing in it is ever changed but by `settle`.
#[derive(Debug, Clone)]
pub struct UserRepo {
    top: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
    program: GitProgram,
}

/// Where `HEAD` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How the repository names objects.
    pub format: ObjectFormat,
    /// The commit; none when the branch has no commit yet.
    pub commit: Option<String>,
}

/// How a repository names objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectFormat {
    /// 40 hex digits.
    Sha1,
    /// 64 hex digits.
    Sha256,
}

/// Why no usable project was found.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// A repository without working files, or the inside of one.
    #[error("{} is a git repository without working files: start in a working tree", .0.display())]
    Bare(PathBuf),
    /// A `.git` that leads nowhere, or to something that is no repository.
    #[error("{} does not lead to a git repository: {why}", path.display())]
    Broken {
        /// The `.git`, or the file in it that is broken.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// `HEAD`, or the branch it names, cannot be read.
    #[error("{name} of the repository {} cannot be read", git_dir.display())]
    CorruptHead {
        /// The repository.
        git_dir: PathBuf,
        /// `HEAD`, or the branch.
        name: String,
    },
    /// A path that git's own files cannot express.
    #[error("a newline in the path of an object directory: {0:?}")]
    OddPath(PathBuf),
    /// Reading failed.
    #[error("{} cannot be read", path.display())]
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

impl ObjectFormat {
    /// As git's configuration spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// How many bytes an id has where it is not spelled in digits.
    #[must_use]
    pub fn id_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The id that means «no object».
    #[must_use]
    pub fn zero_id(self) -> String {
        match self {
            Self::Sha1 => "0".repeat(40),
            Self::Sha256 => "0".repeat(64),
        }
    }
}

impl Project {
    /// Finds the project that `start` belongs to: the nearest folder upwards that has a `.git`, else `start` itself.
    ///
    /// # Errors
    /// [`DiscoverError::Bare`], [`DiscoverError::Broken`], [`DiscoverError::Io`].
    pub fn discover(program: &GitProgram, start: &Path) -> Result<Self, DiscoverError> {
        let start = canonical(start)?;
        for dir in start.ancestors() {
            let dot_git = dir.join(".git");
            if fs::symlink_metadata(&dot_git).is_ok() {
                return Ok(Self::Repository(UserRepo::open(program, dir, &dot_git)?));
            }
            if looks_like_git_dir(dir) {
                return Err(DiscoverError::Bare(dir.to_owned()));
            }
        }
        Ok(Self::Folder(start))
    }

    /// The top folder, where the state directory stands.
    #[must_use]
    pub fn top(&self) -> &Path {
        match self {
            Self::Repository(repo) => &repo.top,
            Self::Folder(folder) => folder,
        }
    }

    /// The repository, if it is one.
    #[must_use]
    pub fn repository(&self) -> Option<&UserRepo> {
        match self {
            Self::Repository(repo) => Some(repo),
            Self::Folder(_) => None,
        }
    }
}

impl UserRepo {
    fn open(program: &GitProgram, top: &Path, dot_git: &Path) -> Result<Self, DiscoverError> {
        let broken = |why| DiscoverError::Broken {
            path: dot_git.to_owned(),
            why,
        };
        let meta = fs::metadata(dot_git).map_err(|_| broken("a link to nothing"))?;
        let git_dir = if meta.is_dir() {
            dot_git.to_owned()
        } else {
            let text = link_file(dot_git)?.ok_or_else(|| broken("no regular file"))?;
            let target = text
                .strip_prefix(b"gitdir: ")
                .ok_or_else(|| broken("it does not begin with «gitdir: »"))?;
            top.join(OsStr::from_bytes(target))
        };
        let git_dir =
            fs::canonicalize(git_dir).map_err(|_| broken("the folder it names is not there"))?;
        let common_dir = match link_file(&git_dir.join("commondir"))? {
            None => git_dir.clone(),
            Some(text) => fs::canonicalize(git_dir.join(OsStr::from_bytes(&text)))
                .map_err(|_| broken("the repository of this linked working tree is not there"))?,
        };
        if fs::symlink_metadata(git_dir.join("HEAD")).is_err() {
            return Err(broken("there is no HEAD"));
        }
        if !common_dir.join("objects").is_dir() {
            return Err(broken("there is no folder of objects"));
        }
        Ok(Self {
            top: top.to_owned(),
            git_dir,
            common_dir,
            program: program.clone(),
        })
    }

    /// The full names of all refs that begin with `prefix`, which ends with a slash.
    ///
    /// # Errors
    /// [`GitError`] when the refs cannot be read.
    pub fn references(&self, prefix: &str) -> Result<Vec<String>, GitError> {
        let listed = self
            .git()
            .call("for-each-ref")
            .args(["--format=%(refname)", prefix])
            .run()?;
        Ok(String::from_utf8_lossy(&listed)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// The folder of working files.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The directory that refs and objects live in; of a linked working tree, the main repository's.
    #[must_use]
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The directory that belongs to this working tree: its `HEAD` and its index.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Git, pointed at this repository.
    #[must_use]
    pub fn git(&self) -> Git {
        Git::new(&self.program, &self.git_dir, Durability::Full)
    }

    /// Git, pointed at this repository, with the hooks that its configuration names switched off one by one: newer
    /// gits have such, and `core.hooksPath` does not concern them.
    ///
    /// # Errors
    /// [`GitError`] when the configuration cannot be read.
    pub fn git_without_hooks(&self) -> Result<Git, GitError> {
        let git = self.git();
        let call = git
            .call("config")
            .args(["-z", "--name-only", "--get-regexp", "^hook\\."]);
        let found = call.run_any()?;
        let names = match found.code {
            Some(0) => records("config", &found.stdout)?,
            Some(1) => Vec::new(),
            _ => return Err(failed("config", &found)),
        };
        let mut off: Vec<_> = names.into_iter().filter_map(hook_switch).collect();
        off.sort();
        off.dedup();
        Ok(git.with_config(
            off.into_iter()
                .map(|key| (key, OsString::from("false")))
                .collect(),
        ))
    }

    /// Reads where `HEAD` is.
    ///
    /// # Errors
    /// [`DiscoverError::CorruptHead`] when it, or the branch it names, is there and cannot be read.
    pub fn head(&self) -> Result<Head, DiscoverError> {
        let git = self.git();
        let found = git
            .call("rev-parse")
            .args(["--show-object-format", "--verify", "-q", "HEAD"])
            .run_any()?;
        let text = String::from_utf8_lossy(&found.stdout);
        let mut lines = text.lines();
        let format = match lines.next() {
            Some("sha1") => ObjectFormat::Sha1,
            Some("sha256") => ObjectFormat::Sha256,
            _ => return Err(self.head_error(&found)),
        };
        match (found.code, lines.next()) {
            (Some(0), Some(id)) if is_id(id) => Ok(Head {
                format,
                commit: Some(id.to_owned()),
            }),
            (Some(1), None) => self.unborn(format),
            _ => Err(self.head_error(&found)),
        }
    }

    /// Resolves a ref by its full name; none when there is no such ref.
    ///
    /// # Errors
    /// [`GitError`] when git does not say.
    pub fn resolve(&self, reference: &str) -> Result<Option<String>, GitError> {
        let found = self
            .git()
            .call("rev-parse")
            .args(["--verify", "-q", reference])
            .run_any()?;
        match found.code {
            Some(0) => super::output::one_id("rev-parse", &found.stdout).map(Some),
            Some(1) => Ok(None),
            _ => Err(failed("rev-parse", &found)),
        }
    }

    /// The directories that hold the repository's objects: its own, then those it borrows from, each once.
    ///
    /// # Errors
    /// [`DiscoverError::OddPath`] for one with a newline in its path, [`DiscoverError::Io`].
    pub fn object_dirs(&self) -> Result<Vec<PathBuf>, DiscoverError> {
        let mut dirs = Vec::new();
        add_object_dir(&self.common_dir.join("objects"), 0, &mut dirs)?;
        match dirs
            .iter()
            .find(|dir| dir.as_os_str().as_bytes().contains(&b'\n'))
        {
            Some(odd) => Err(DiscoverError::OddPath(odd.clone())),
            None => Ok(dirs),
        }
    }

    fn unborn(&self, format: ObjectFormat) -> Result<Head, DiscoverError> {
        let found = self
            .git()
            .call("symbolic-ref")
            .args(["-q", "HEAD"])
            .run_any()?;
        let target = String::from_utf8_lossy(&found.stdout).trim_end().to_owned();
        if found.code != Some(0) || target.is_empty() {
            let text =
                small_file(&self.git_dir.join("HEAD"), LINK_FILE_BYTES_MAX)?.unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            return Err(self.corrupt(text.strip_prefix("ref: ").map_or("HEAD", str::trim_end)));
        }
        // A file that is there and that git passes over is damage, not a branch without commits.
        if fs::symlink_metadata(self.common_dir.join(&target)).is_ok_and(|meta| !meta.is_dir()) {
            return Err(self.corrupt(&target));
        }
        Ok(Head {
            format,
            commit: None,
        })
    }

    fn head_error(&self, found: &super::process::Finished) -> DiscoverError {
        if found.stderr.contains("not a git repository") {
            return self.corrupt("HEAD");
        }
        match found.code {
            Some(0) => unreadable("rev-parse", &found.stdout).into(),
            _ => failed("rev-parse", found).into(),
        }
    }

    fn corrupt(&self, name: &str) -> DiscoverError {
        DiscoverError::CorruptHead {
            git_dir: self.git_dir.clone(),
            name: display_name(name.as_bytes()),
        }
    }
}

/// `hook.<name>.command` → `hook.<name>.enabled`.
fn hook_switch(key: &[u8]) -> Option<OsString> {
    let dot = key.iter().rposition(|byte| *byte == b'.')?;
    let section = key
        .get(..dot)
        .filter(|section| section.len() > b"hook.".len())?;
    Some(OsString::from_vec([section, b".enabled"].concat()))
}

fn looks_like_git_dir(dir: &Path) -> bool {
    dir.join("HEAD").is_file() && dir.join("objects").is_dir() && dir.join("refs").is_dir()
}

fn canonical(path: &Path) -> Result<PathBuf, DiscoverError> {
    fs::canonicalize(path).map_err(|source| DiscoverError::Io {
        path: path.to_owned(),
        source,
    })
}

/// The one path in a `.git` or `commondir` file, without its newline; none when there is no such file.
fn link_file(path: &Path) -> Result<Option<Vec<u8>>, DiscoverError> {
    Ok(small_file(path, LINK_FILE_BYTES_MAX)?.map(|mut text| {
        while text
            .last()
            .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
        {
            text.pop();
        }
        text
    }))
}

fn small_file(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, DiscoverError> {
    let io = |source| DiscoverError::Io {
        path: path.to_owned(),
        source,
    };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io(error)),
        Ok(meta) if !meta.is_file() => Ok(None),
        Ok(meta) if meta.len() > bytes_max => Err(DiscoverError::Broken {
            path: path.to_owned(),
            why: "it is far too long",
        }),
        Ok(_) => {
            let mut bytes = Vec::new();
            open_followed(path)
                .and_then(|file| file.take(bytes_max).read_to_end(&mut bytes))
                .map_err(io)?;
            Ok(Some(bytes))
        }
    }
}

fn add_object_dir(dir: &Path, depth: usize, dirs: &mut Vec<PathBuf>) -> Result<(), DiscoverError> {
    // What git would pass over with a warning is passed over here too: a missing object is reported when it is missed.
    let Ok(dir) = fs::canonicalize(dir) else {
        return Ok(());
    };
    if dirs.contains(&dir) || depth > ALTERNATES_DEPTH_MAX {
        return Ok(());
    }
    dirs.push(dir.clone());
    let text = small_file(&dir.join("info/alternates"), ALTERNATES_BYTES_MAX)?.unwrap_or_default();
    for line in text.split(|byte| *byte == b'\n') {
        match line.first() {
            None | Some(b'#') => {}
            Some(b'"') => add_object_dir(
                &dir.join(OsString::from_vec(unquote(line))),
                depth + 1,
                dirs,
            )?,
            Some(_) => add_object_dir(&dir.join(OsStr::from_bytes(line)), depth + 1, dirs)?,
        }
    }
    Ok(())
}

/// Undoes git's C-style quoting of a path; stops at the closing quote.
fn unquote(line: &[u8]) -> Vec<u8> {
    let mut bytes = line.iter().copied().skip(1).peekable();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next().filter(|byte| *byte != b'"') {
        let next = if byte == b'\\' { bytes.next() } else { None };
        plain.push(match next {
            None => byte,
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'a') => 7,
            Some(b'b') => 8,
            Some(b'v') => 11,
            Some(b'f') => 12,
            Some(digit @ b'0'..=b'7') => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    let Some(more) = bytes.next_if(|byte| matches!(byte, b'0'..=b'7')) else {
                        break;
                    };
                    value = value * 8 + u32::from(more - b'0');
                }
                u8::try_from(value).unwrap_or(b'?')
            }
            Some(other) => other,
        });
    }
    plain
}

#[cfg(test)]
mod tests;
