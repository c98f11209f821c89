//! Compiled code on disk, so that a component is compiled once per machine.
//!
//! An entry's name, and the label in it, are made of everything that decides the code (the component; the engine's version,
//! settings and target; the processor's features) and of the directory itself: its number and when it was made. So a
//! directory that came with a repository or an archive holds nothing that would be found.
//!
//! **Invariant:** code is taken only from a regular file of this user's that nobody else can write to, in a directory of
//! which the same is true; both are asked of what was opened, not of a name, and no entry can make the cache wait. Whoever
//! can write there as this user can run programs as this user anyway: the label guards against damage and mix-ups, not
//! against the owner.

use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringfence_core::digest::{Digest, PartsHasher};
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT,
};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::artifact::{
    CODE_BYTES_MAX, LABEL_BYTES, Label, deserialize, deserialize_file, engine_key,
};
use crate::engine::SandboxError;

// Limit: some hundred components; those that were not used for longest go first.
const BYTES_MAX: u64 = 512 << 20;
// Limit: writing an entry takes a second on a slow disk; what is older was left behind by a process that was killed.
const HALF_WRITTEN: Duration = Duration::from_secs(3_600);
// Often enough to tell what is used from what is not, and seldom enough that a beat writes nothing.
const USED_NOTED: Duration = Duration::from_secs(3_600);

const ENTRY: &str = ".cwasm";
const NEW: &str = ".new-";

/// A directory of compiled components.
#[derive(Debug)]
pub(crate) struct Cache {
    /// Held open: what happens to its name later changes nothing.
    dir: OwnedFd,
    /// Engine and directory.
    maker: Digest,
}

impl Cache {
    /// Opens the directory, making it where there is none.
    pub(crate) fn open(path: PathBuf, engine: &Engine) -> Result<Self, SandboxError> {
        let opened = open_dir(&path).and_then(|dir| {
            let mut maker = PartsHasher::new("ringfence compile cache 2");
            maker.part("engine", engine_key(engine).as_bytes());
            maker.part("directory", identity(&dir)?.as_bytes());
            Ok(Self {
                dir,
                maker: maker.finish(),
            })
        });
        opened.map_err(|error| SandboxError::Cache {
            path,
            why: error.to_string(),
        })
    }

    /// The code for the component with this digest; none when there is none that can be trusted.
    pub(crate) fn get(&self, engine: &Engine, component: &Digest) -> Option<Component> {
        let label = self.label(component);
        let (file, artifact) = self.read(&name(&label)).ok()?;
        let code = label.code(&artifact)?;
        // Mapping is several times faster than copying, the check included.
        deserialize_file(engine, &file).or_else(|| deserialize(engine, code).ok())
    }

    /// Keeps the code. A cache that cannot be written to costs time, not correctness, so failures end here.
    pub(crate) fn put(&self, component: &Digest, code: &[u8]) {
        let label = self.label(component);
        let kept = self.write(&name(&label), &[code, &label.tail(code)]);
        if kept.and_then(|()| self.shrink(BYTES_MAX)).is_err() {
            // Compiled anew next time.
        }
    }

    fn label(&self, component: &Digest) -> Label {
        Label {
            component: *component,
            maker: self.maker,
        }
    }

    fn read(&self, name: &str) -> io::Result<(File, Vec<u8>)> {
        // A pipe would block, a link lead elsewhere.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.dir, name, flags, Mode::empty())?);
        let found = rustix::fs::fstat(&file)?;
        let size = usize::try_from(found.st_size).map_err(io::Error::other)?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile
            || !is_ours_alone(&found)
            || size > LABEL_BYTES + CODE_BYTES_MAX
        {
            return Err(io::Error::other("no entry of ours"));
        }
        let mut artifact = vec![0; size];
        file.read_exact(&mut artifact)?;
        self.note_use(&file, &found)?;
        Ok((file, artifact))
    }

    /// Makes the time of an entry that of its use.
    fn note_use(&self, file: &File, found: &Stat) -> io::Result<()> {
        if age(found) < USED_NOTED {
            return Ok(());
        }
        let at = |nanos| Timespec {
            tv_sec: 0,
            tv_nsec: nanos,
        };
        let times = Timestamps {
            last_access: at(UTIME_OMIT),
            last_modification: at(UTIME_NOW),
        };
        Ok(rustix::fs::futimens(file, &times)?)
    }

    /// Another process sees the whole entry or none.
    fn write(&self, name: &str, pieces: &[&[u8]]) -> io::Result<()> {
        let new = format!("{NEW}{}-{name}", std::process::id());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let mut file = File::from(rustix::fs::openat(&self.dir, &new, flags, mode)?);
        let written = pieces.iter().try_for_each(|piece| file.write_all(piece));
        let kept =
            written.and_then(|()| Ok(rustix::fs::renameat(&self.dir, &new, &self.dir, name)?));
        if kept.is_err() {
            self.remove(&new);
        }
        kept
    }

    /// Removes what was left half written, and what was not used for longest until the rest fits. What is not the
    /// cache's own is neither counted nor touched.
    fn shrink(&self, bytes_max: u64) -> io::Result<()> {
        let mut entries = Vec::new();
        for found in Dir::read_from(&self.dir)? {
            let found = found?;
            let Ok(name) = found.file_name().to_str() else {
                continue;
            };
            if !is_entry(name) && !name.starts_with(NEW) {
                continue;
            }
            // Another process may be tidying up as well.
            let Ok(stat) = rustix::fs::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if name.starts_with(NEW) {
                if age(&stat) > HALF_WRITTEN {
                    self.remove(name);
                }
                continue;
            }
            if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
                entries.push((age(&stat), stat.st_size.unsigned_abs(), name.to_owned()));
            }
        }
        entries.sort_unstable();
        let mut total = 0_u64;
        for (_, size, name) in entries {
            total = total.saturating_add(size);
            if total > bytes_max {
                self.remove(&name);
            }
        }
        Ok(())
    }

    /// Removes a file. What cannot be removed, such as a directory in its place, stays.
    fn remove(&self, name: &str) {
        rustix::fs::unlinkat(&self.dir, name, AtFlags::empty()).unwrap_or_default();
    }
}

/// The name of an entry: a digest of its label.
fn name(label: &Label) -> String {
    let mut hasher = PartsHasher::new("ringfence compiled component 2");
    hasher.part("component", label.component.as_bytes());
    hasher.part("maker", label.maker.as_bytes());
    format!("{}{ENTRY}", hasher.finish().hex())
}

fn is_entry(name: &str) -> bool {
    let stem = name.strip_suffix(ENTRY).unwrap_or("");
    stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn open_dir(path: &Path) -> io::Result<OwnedFd> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = rustix::fs::openat(CWD, path, flags, Mode::empty());
    let ours = match &dir {
        Ok(dir) => is_ours_alone(&rustix::fs::fstat(dir)?),
        Err(_) => false,
    };
    if !ours {
        let why = "it must be a directory of yours that nobody else can write to";
        return Err(io::Error::other(why));
    }
    Ok(dir?)
}

/// Owned by this user, and nobody else can write to it.
fn is_ours_alone(found: &Stat) -> bool {
    let others = Mode::WGRP | Mode::WOTH;
    found.st_uid == rustix::process::geteuid().as_raw()
        && !Mode::from_raw_mode(found.st_mode).intersects(others)
}

/// What only this directory at this place has: whoever packs an archive or a repository cannot know it beforehand.
fn identity(dir: &OwnedFd) -> io::Result<String> {
    let found = File::from(dir.try_clone()?).metadata()?;
    let born = found
        .created()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let born = born.map_or_else(|| "unknown".to_owned(), |time| time.as_nanos().to_string());
    let inode = std::os::unix::fs::MetadataExt::ino(&found);
    Ok(format!("inode {inode} born {born}"))
}

/// How long ago the file was written or used. What claims to be of the future is as old as can be.
fn age(found: &Stat) -> Duration {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let then = u64::try_from(found.st_mtime).map_or(Duration::ZERO, Duration::from_secs);
    now.checked_sub(then).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests;
