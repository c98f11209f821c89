//! What checks are written with: short names for the verbs of a directory, and what is expected of an answer.
//!
//! **Invariant:** nothing is tried twice, and no answer is mended.

use std::fmt::Debug;

use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, ErrorCode, OpenFlags, PathFlags,
};

/// Nothing, or what was seen instead.
pub(crate) type Seen = Result<(), String>;
pub(crate) type Answer<T> = Result<T, ErrorCode>;

pub(crate) const READ: DescriptorFlags = DescriptorFlags::READ;
pub(crate) const WRITE: DescriptorFlags = DescriptorFlags::WRITE;
pub(crate) const FOLLOW: PathFlags = PathFlags::SYMLINK_FOLLOW;
pub(crate) const CREATE: OpenFlags = OpenFlags::CREATE;
pub(crate) const EXCLUSIVE: OpenFlags = OpenFlags::EXCLUSIVE;
pub(crate) const TRUNCATE: OpenFlags = OpenFlags::TRUNCATE;
pub(crate) const DIRECTORY: OpenFlags = OpenFlags::DIRECTORY;

/// A directory to work in.
pub(crate) struct Dir<'a>(pub(crate) &'a Descriptor);

impl Dir<'_> {
    /// `open-at` that follows a last link.
    pub(crate) fn open(
        &self,
        path: &str,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Answer<Descriptor> {
        self.0.open_at(FOLLOW, path, open, flags)
    }

    /// `open-at` that does not.
    pub(crate) fn open_here(
        &self,
        path: &str,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Answer<Descriptor> {
        self.0.open_at(PathFlags::empty(), path, open, flags)
    }

    pub(crate) fn reader(&self, path: &str) -> Answer<Descriptor> {
        self.open(path, OpenFlags::empty(), READ)
    }

    pub(crate) fn folder(&self, path: &str) -> Answer<Descriptor> {
        self.open(path, DIRECTORY, READ | DescriptorFlags::MUTATE_DIRECTORY)
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) -> Answer<()> {
        let file = self.open(path, CREATE | TRUNCATE, WRITE)?;
        write_all(&file, bytes, 0)
    }

    pub(crate) fn read(&self, path: &str) -> Answer<Vec<u8>> {
        read_all(&self.reader(path)?)
    }

    pub(crate) fn mkdir(&self, path: &str) -> Answer<()> {
        self.0.create_directory_at(path)
    }

    pub(crate) fn rmdir(&self, path: &str) -> Answer<()> {
        self.0.remove_directory_at(path)
    }

    pub(crate) fn rm(&self, path: &str) -> Answer<()> {
        self.0.unlink_file_at(path)
    }

    pub(crate) fn mv(&self, old: &str, new: &str) -> Answer<()> {
        self.0.rename_at(old, self.0, new)
    }

    /// A hard link.
    pub(crate) fn ln(&self, old: &str, new: &str) -> Answer<()> {
        self.0.link_at(PathFlags::empty(), old, self.0, new)
    }

    /// A symbolic link at `path`.
    pub(crate) fn link(&self, target: &str, path: &str) -> Answer<()> {
        self.0.symlink_at(target, path)
    }

    pub(crate) fn stat(&self, path: &str) -> Answer<DescriptorStat> {
        self.0.stat_at(FOLLOW, path)
    }

    pub(crate) fn lstat(&self, path: &str) -> Answer<DescriptorStat> {
        self.0.stat_at(PathFlags::empty(), path)
    }

    /// Names in the order that the host lists them.
    pub(crate) fn names(&self, path: &str) -> Answer<Vec<String>> {
        let listing = self.folder(path)?.read_directory()?;
        let mut names = Vec::new();
        while let Some(entry) = listing.read_directory_entry()? {
            names.push(entry.name);
        }
        Ok(names)
    }
}

/// `write` until everything is written.
pub(crate) fn write_all(file: &Descriptor, bytes: &[u8], at: u64) -> Answer<()> {
    let (mut rest, mut at) = (bytes, at);
    while !rest.is_empty() {
        let count = file.write(rest, at)?;
        at += count;
        rest = rest
            .get(usize::try_from(count).unwrap_or(usize::MAX)..)
            .unwrap_or_default();
    }
    Ok(())
}

/// `read` until the host says that the file ends.
pub(crate) fn read_all(file: &Descriptor) -> Answer<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let (more, ends) = file.read(1 << 16, bytes.len() as u64)?;
        bytes.extend(more);
        if ends {
            return Ok(bytes);
        }
    }
}

/// The answer must be a good one.
pub(crate) fn good<T>(what: &str, answer: Answer<T>) -> Result<T, String> {
    answer.map_err(|code| format!("{what}: {}", code.name()))
}

/// The answer must be one of these codes.
pub(crate) fn fails<T>(what: &str, answer: Answer<T>, with: &[ErrorCode]) -> Seen {
    match answer {
        Err(code) if with.contains(&code) => Ok(()),
        Err(code) => Err(format!("{what}: {}", code.name())),
        Ok(_) => Err(format!("{what}: fine")),
    }
}

pub(crate) fn same<T: PartialEq + Debug>(what: &str, seen: T, expected: T) -> Seen {
    if seen == expected {
        Ok(())
    } else {
        let text = format!("{seen:?}");
        Err(format!(
            "{what}: {}",
            text.chars().take(200).collect::<String>()
        ))
    }
}

pub(crate) fn holds(what: &str, holds: bool) -> Seen {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}
