//! Looking: `stat`, `readlink-at`, `metadata-hash`, and their times.

use std::sync::Arc;

use ringfence_core::digest::PartsHasher;
use ringfence_core::policy::Access;
use ringfence_core::relpath::RelPath;
use rustix::fs::{FileType, Stat};

use super::handle::Descriptor;
use super::links::judge_other_names;
use super::lone::{Held, settle};
use super::place::{Place, Spot, Tree};
use super::stop::{Answer, settled};
use super::walk::{Entry, Found, LastLink, link_text, resolve};
use super::{Fs, Times, sys};
use crate::bindings::wasi::clocks::wall_clock::Datetime;
use crate::bindings::wasi::filesystem::types::{
    DescriptorStat, DescriptorType, ErrorCode, MetadataHashValue,
};
use crate::meter::SYSCALL;

/// A thing that may be looked at.
struct Looked {
    path: RelPath,
    stat: Stat,
}

impl Fs {
    pub(super) fn stat(&self, descriptor: &Descriptor) -> Answer<DescriptorStat> {
        Ok(self.describe(&self.look(descriptor)?.stat))
    }

    pub(super) fn stat_at(
        &self,
        place: &Arc<Place>,
        last: LastLink,
        path: &str,
    ) -> Answer<DescriptorStat> {
        Ok(self.describe(&self.look_at(place, last, path)?.stat))
    }

    pub(super) fn hash(&self, descriptor: &Descriptor) -> Answer<MetadataHashValue> {
        Ok(self.metadata_hash(&self.look(descriptor)?))
    }

    pub(super) fn hash_at(
        &self,
        place: &Arc<Place>,
        last: LastLink,
        path: &str,
    ) -> Answer<MetadataHashValue> {
        Ok(self.metadata_hash(&self.look_at(place, last, path)?))
    }

    pub(super) fn readlink_at(&self, place: &Arc<Place>, path: &str) -> Answer<String> {
        self.meter.charge(SYSCALL);
        settled(
            || match resolve(place, path, LastLink::Keep, Access::Read, &self.meter)? {
                Found::Entry(entry) => self.read_link(&entry),
                Found::Dir(_) => Err(ErrorCode::Invalid.into()),
            },
        )
    }

    /// None: the entry is something else by now.
    fn read_link(&self, entry: &Entry) -> Answer<Option<String>> {
        entry.spot.judge(Access::Read)?;
        let Some(stat) = &entry.stat else {
            return Err(ErrorCode::NoEntry.into());
        };
        match sys::file_type(stat) {
            FileType::Symlink => {}
            FileType::Directory => return Err(ErrorCode::Invalid.into()),
            _ if entry.must_be_dir => return Err(ErrorCode::NotDirectory.into()),
            _ => return Err(ErrorCode::Invalid.into()),
        }
        let tree = &entry.parent.tree;
        judge_other_names(tree, stat, &entry.spot, Access::Read, &self.meter)?;
        let Some(link) = Held::of(entry, stat)? else {
            return Ok(None);
        };
        link_text(entry, link.target()?, Access::Read).map(Some)
    }

    fn look(&self, descriptor: &Descriptor) -> Answer<Looked> {
        self.meter.charge(SYSCALL);
        match descriptor {
            Descriptor::File(file) => {
                let stat = rustix::fs::fstat(&*file.file)?;
                self.judge_look(&file.tree, &file.spot, &stat)?;
                Ok(Looked {
                    path: file.spot.path.clone(),
                    stat,
                })
            }
            Descriptor::Dir(dir) => look_dir(&dir.place()),
        }
    }

    fn look_at(&self, place: &Arc<Place>, last: LastLink, path: &str) -> Answer<Looked> {
        self.meter.charge(SYSCALL);
        settled(
            || match resolve(place, path, last, Access::Stat, &self.meter)? {
                Found::Dir(place) => look_dir(&place).map(Some),
                Found::Entry(entry) => self.look_at_entry(entry),
            },
        )
    }

    /// None: the entry is something else by now.
    fn look_at_entry(&self, entry: Entry) -> Answer<Option<Looked>> {
        let Some(stat) = entry.stat else {
            return Err(ErrorCode::NoEntry.into());
        };
        self.judge_look(&entry.parent.tree, &entry.spot, &stat)?;
        if entry.must_be_dir && sys::file_type(&stat) != FileType::Directory {
            return Err(ErrorCode::NotDirectory.into());
        }
        let stat = settle(&entry, &stat)?;
        let path = entry.spot.path;
        Ok(stat.map(|stat| Looked { path, stat }))
    }

    /// A directory on the way to something allowed may be looked at, anything else must be allowed itself.
    fn judge_look(&self, tree: &Tree, spot: &Spot, stat: &Stat) -> Answer<()> {
        if sys::file_type(stat) == FileType::Directory {
            return spot.judge_look(Access::Stat);
        }
        spot.judge(Access::Stat)?;
        judge_other_names(tree, stat, spot, Access::Stat, &self.meter)
    }

    fn describe(&self, stat: &Stat) -> DescriptorStat {
        let fixed = matches!(self.times, Times::Fixed(_));
        let kind = sys::file_type(stat);
        let is_dir = kind == FileType::Directory;
        DescriptorStat {
            type_: descriptor_type(kind),
            // What a directory weighs and how many links it has is the file system's own affair.
            link_count: if fixed && is_dir {
                1
            } else {
                sys::name_count(stat)
            },
            size: if fixed && is_dir {
                0
            } else {
                u64::try_from(stat.st_size).unwrap_or(0)
            },
            data_access_timestamp: self.time(stat.st_atime, stat.st_atime_nsec),
            data_modification_timestamp: self.time(stat.st_mtime, stat.st_mtime_nsec),
            status_change_timestamp: self.time(stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    /// A time before 1970 has no WASI form: absent, not a trap.
    fn time(&self, seconds: i64, nanoseconds: u64) -> Option<Datetime> {
        match self.times {
            Times::Fixed(seconds) => Some(Datetime {
                seconds,
                nanoseconds: 0,
            }),
            Times::Real => Some(Datetime {
                seconds: u64::try_from(seconds).ok()?,
                nanoseconds: u32::try_from(nanoseconds).ok()?,
            }),
        }
    }

    /// Equal for the same file: C libraries take it for the inode number, which stays when a file is written. Real
    /// numbers differ from checkout to checkout, so path and size stand for them where times are fixed.
    fn metadata_hash(&self, looked: &Looked) -> MetadataHashValue {
        let Looked { path, stat } = looked;
        let mut hasher = PartsHasher::new("ringfence metadata hash");
        match self.times {
            Times::Fixed(_) => {
                hasher.part("path", path.as_str().as_bytes());
                hasher.part("size", &stat.st_size.to_le_bytes());
            }
            Times::Real => {
                hasher.part("device", &stat.st_dev.to_le_bytes());
                hasher.part("inode", &stat.st_ino.to_le_bytes());
            }
        }
        let digest = hasher.finish();
        let (lower, rest) = digest
            .as_bytes()
            .split_first_chunk()
            .unwrap_or((&[0; 8], &[]));
        let (upper, _) = rest.split_first_chunk().unwrap_or((&[0; 8], &[]));
        MetadataHashValue {
            lower: u64::from_le_bytes(*lower),
            upper: u64::from_le_bytes(*upper),
        }
    }
}

fn look_dir(place: &Place) -> Answer<Looked> {
    place.spot.judge_look(Access::Stat)?;
    let stat = rustix::fs::fstat(&place.fd)?;
    Ok(Looked {
        path: place.spot.path.clone(),
        stat,
    })
}

/// The WASI name of a file type.
pub(super) fn descriptor_type(kind: FileType) -> DescriptorType {
    match kind {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::Fifo => DescriptorType::Fifo,
        FileType::Socket => DescriptorType::Socket,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::Unknown => DescriptorType::Unknown,
    }
}
