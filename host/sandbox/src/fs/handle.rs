//! What a descriptor of the guest stands for.

use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use super::place::{Place, Spot, Tree};
use super::stop::Answer;
use crate::bindings::wasi::filesystem::types::{DescriptorFlags, ErrorCode};

/// An open file or directory.
#[expect(
    unreachable_pub,
    reason = "the generated bindings export it, privately"
)]
#[derive(Debug)]
pub enum Descriptor {
    /// A regular file.
    File(Box<FileHandle>),
    /// A directory.
    Dir(DirHandle),
}

/// An open regular file.
#[expect(
    unreachable_pub,
    reason = "the generated bindings export it, privately"
)]
#[derive(Debug, Clone)]
pub struct FileHandle {
    pub(super) file: Arc<File>,
    pub(super) tree: Arc<Tree>,
    pub(super) spot: Spot,
    pub(super) flags: DescriptorFlags,
    /// How many names it had when it was opened.
    pub(super) names: u64,
}

/// An open directory. The place moves along when the guest renames a directory above it.
#[expect(
    unreachable_pub,
    reason = "the generated bindings export it, privately"
)]
#[derive(Debug, Clone)]
pub struct DirHandle {
    pub(super) place: Arc<Mutex<Arc<Place>>>,
    pub(super) flags: DescriptorFlags,
}

impl Descriptor {
    /// The file; a directory is never open for anything that is done to one.
    pub(super) fn file(&self) -> Answer<&FileHandle> {
        match self {
            Self::File(file) => Ok(file),
            Self::Dir(_) => Err(ErrorCode::BadDescriptor.into()),
        }
    }

    /// The file, if it was opened for reading. Directories are, but have no bytes.
    pub(super) fn readable(&self) -> Answer<&FileHandle> {
        match self {
            Self::File(file) => file.readable(),
            Self::Dir(_) => Err(ErrorCode::IsDirectory.into()),
        }
    }

    pub(super) fn dir(&self) -> Answer<&DirHandle> {
        match self {
            Self::File(_) => Err(ErrorCode::NotDirectory.into()),
            Self::Dir(dir) => Ok(dir),
        }
    }

    pub(super) fn flags(&self) -> DescriptorFlags {
        match self {
            Self::File(file) => file.flags,
            Self::Dir(dir) => dir.flags,
        }
    }
}

impl FileHandle {
    /// The handle, if it was opened for reading.
    pub(super) fn readable(&self) -> Answer<&Self> {
        if self.flags.contains(DescriptorFlags::READ) {
            Ok(self)
        } else {
            Err(ErrorCode::BadDescriptor.into())
        }
    }

    /// The handle, if it was opened for writing.
    pub(super) fn writable(&self) -> Answer<&Self> {
        if self.flags.contains(DescriptorFlags::WRITE) {
            Ok(self)
        } else {
            Err(ErrorCode::BadDescriptor.into())
        }
    }
}

impl DirHandle {
    /// A handle on a directory, which is always for reading.
    pub(super) fn new(place: Arc<Place>, flags: DescriptorFlags) -> Self {
        Self {
            place: Arc::new(Mutex::new(place)),
            flags: flags | DescriptorFlags::READ,
        }
    }

    /// Where it stands now.
    pub(super) fn place(&self) -> Arc<Place> {
        Arc::clone(&self.place.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
