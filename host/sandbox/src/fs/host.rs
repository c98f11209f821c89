//! The WASI side: descriptors in, answers and error codes out. No rule lives here.

use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use super::Listing;
use super::data::{self, FileReader, FileWriter};
use super::handle::{Descriptor, DirHandle};
use super::place::Place;
use super::stop::{Answer, Stop, code};
use super::walk::LastLink;
use crate::bindings::wasi::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode,
    HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags,
    PathFlags,
};
use crate::bindings::wasi::filesystem::{preopens, types};
use crate::meter::{SYNC, SYSCALL};
use crate::state::State;

/// What the bindings carry: a code for the guest, or a trap.
#[expect(
    unreachable_pub,
    reason = "the generated bindings export it, privately"
)]
#[derive(Debug)]
pub enum FsError {
    /// For the guest.
    Code(ErrorCode),
    /// The guest misused the host and ends.
    Trap(wasmtime::Error),
}

impl From<wasmtime::component::ResourceTableError> for FsError {
    fn from(error: wasmtime::component::ResourceTableError) -> Self {
        Self::Trap(error.into())
    }
}

type FsResult<T> = Result<T, FsError>;

impl State {
    /// Turns the end of a file call into what the guest sees, and keeps denials for the report.
    fn settle<T>(&mut self, answer: Answer<T>) -> FsResult<T> {
        answer.map_err(|stop| match stop {
            Stop::Code(code) => FsError::Code(code),
            Stop::Broken(error) => FsError::Trap(error.into()),
            Stop::Denied(refusal) => {
                self.fs.denials.add(refusal);
                FsError::Code(ErrorCode::NotPermitted)
            }
        })
    }

    fn place(&mut self, fd: &Resource<Descriptor>) -> FsResult<Arc<Place>> {
        let place = self.table.get(fd)?.dir().map(DirHandle::place);
        let place = place.and_then(|place| {
            place.check_is_there(&self.meter)?;
            Ok(place)
        });
        self.settle(place)
    }

    /// Runs `verb` on the directory behind `fd`. What the host copied of a guest's `text` costs by its length.
    fn at<T>(
        &mut self,
        fd: &Resource<Descriptor>,
        text: &str,
        verb: impl FnOnce(&mut super::Fs, &Arc<Place>) -> Answer<T>,
    ) -> FsResult<T> {
        self.meter.charge_bytes(text.len());
        let place = self.place(fd)?;
        let answer = verb(&mut self.fs, &place);
        self.settle(answer)
    }

    /// Runs `verb` on the descriptor behind `fd`.
    fn on<T>(
        &mut self,
        fd: &Resource<Descriptor>,
        verb: impl FnOnce(&super::Fs, &Descriptor) -> Answer<T>,
    ) -> FsResult<T> {
        let answer = verb(&self.fs, self.table.get(fd)?);
        self.settle(answer)
    }

    fn push_descriptor(&mut self, descriptor: Descriptor) -> FsResult<Resource<Descriptor>> {
        match &descriptor {
            Descriptor::Dir(dir) => self.fs.dirs.push(Arc::downgrade(&dir.place)),
            Descriptor::File(file) => self.fs.files.push(Arc::downgrade(&file.file)),
        }
        Ok(self.table.push(descriptor)?)
    }

    fn room_for_one_more(&mut self) -> FsResult<()> {
        if self.fs.is_full() {
            Err(FsError::Code(ErrorCode::InsufficientMemory))
        } else {
            Ok(())
        }
    }
}

fn last_link(flags: PathFlags) -> LastLink {
    if flags.contains(PathFlags::SYMLINK_FOLLOW) {
        LastLink::Follow
    } else {
        LastLink::Keep
    }
}

impl preopens::Host for State {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let flags = DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY;
        let mounts: Vec<_> = self.fs.mounts.clone();
        mounts
            .into_iter()
            .map(|(guest_path, tree)| {
                let descriptor = Descriptor::Dir(DirHandle::new(Place::root(&tree), flags));
                match self
                    .room_for_one_more()
                    .and_then(|()| self.push_descriptor(descriptor))
                {
                    Ok(resource) => Ok((resource, guest_path)),
                    Err(FsError::Trap(error)) => Err(error),
                    Err(FsError::Code(_)) => Err(wasmtime::Error::msg(super::TOO_MANY_OPEN)),
                }
            })
            .collect()
    }
}

impl types::Host for State {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        match error {
            FsError::Code(code) => Ok(code),
            FsError::Trap(error) => Err(error),
        }
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        let error = self.table.get(&error)?.downcast_ref::<std::io::Error>();
        Ok(error.map(|error| match error.raw_os_error() {
            Some(raw) => code(rustix::io::Errno::from_raw_os_error(raw)),
            None => ErrorCode::Io,
        }))
    }
}

impl HostDescriptor for State {
    fn read_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: u64,
    ) -> FsResult<Resource<DynInputStream>> {
        let file = self.on(&fd, |_, descriptor| {
            Ok(Arc::clone(&descriptor.readable()?.file))
        })?;
        let meter = Arc::clone(&self.meter);
        let reader: DynInputStream = Box::new(FileReader {
            file,
            offset,
            meter,
        });
        Ok(self.table.push(reader)?)
    }

    fn write_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: u64,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.writer(&fd, Some(offset))
    }

    fn append_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.writer(&fd, None)
    }

    /// Advice about caching: nothing in it changes what a guest sees.
    fn advise(&mut self, fd: Resource<Descriptor>, _: u64, _: u64, _: Advice) -> FsResult<()> {
        self.on(&fd, |_, descriptor| descriptor.file().map(drop))
    }

    fn sync_data(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.sync(fd)
    }

    fn sync(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.meter.charge(SYNC);
        self.on(&fd, |_, descriptor| match descriptor {
            Descriptor::File(file) => Ok(file.file.sync_all()?),
            // A handle for walking cannot be synced; the workspace is, when it is settled.
            Descriptor::Dir(_) => Ok(()),
        })
    }

    fn get_flags(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.on(&fd, |_, descriptor| Ok(descriptor.flags()))
    }

    fn get_type(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorType> {
        self.on(&fd, |_, descriptor| {
            Ok(match descriptor {
                Descriptor::File(_) => DescriptorType::RegularFile,
                Descriptor::Dir(_) => DescriptorType::Directory,
            })
        })
    }

    fn set_size(&mut self, fd: Resource<Descriptor>, size: u64) -> FsResult<()> {
        self.on(&fd, |fs, descriptor| {
            data::set_size(descriptor.file()?, size, &fs.meter)
        })
    }

    fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        access: NewTimestamp,
        modification: NewTimestamp,
    ) -> FsResult<()> {
        self.on(&fd, |fs, descriptor| {
            fs.set_times(descriptor, access, modification)
        })
    }

    fn read(
        &mut self,
        fd: Resource<Descriptor>,
        len: u64,
        offset: u64,
    ) -> FsResult<(Vec<u8>, bool)> {
        self.on(&fd, |fs, descriptor| {
            data::read(descriptor.readable()?, len, offset, &fs.meter)
        })
    }

    fn write(&mut self, fd: Resource<Descriptor>, bytes: Vec<u8>, offset: u64) -> FsResult<u64> {
        self.on(&fd, |fs, descriptor| {
            data::write(descriptor.file()?, &bytes, offset, &fs.meter)
        })
    }

    fn read_directory(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<Listing>> {
        self.room_for_one_more()?;
        let listing = self.at(&fd, "", |fs, place| fs.list(place))?;
        let entries = listing.0.len();
        let resource = self.table.push(listing)?;
        self.fs.listings += 1;
        self.fs.listed += entries;
        Ok(resource)
    }

    fn create_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.at(&fd, &path, |fs, place| fs.create_directory_at(place, &path))
    }

    fn stat(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        self.on(&fd, |fs, descriptor| fs.stat(descriptor))
    }

    fn stat_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        self.at(&fd, &path, |fs, place| {
            fs.stat_at(place, last_link(flags), &path)
        })
    }

    fn set_times_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        access: NewTimestamp,
        modification: NewTimestamp,
    ) -> FsResult<()> {
        self.at(&fd, &path, |fs, place| {
            fs.set_times_at(place, last_link(flags), &path, access, modification)
        })
    }

    fn link_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        old: String,
        new_fd: Resource<Descriptor>,
        new: String,
    ) -> FsResult<()> {
        self.meter.charge_bytes(new.len());
        let to = self.place(&new_fd)?;
        self.at(&fd, &old, |fs, from| {
            fs.link_at(from, last_link(flags), &old, &to, &new)
        })
    }

    fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        self.room_for_one_more()?;
        let opened = self.at(&fd, &path, |fs, place| {
            fs.open_at(place, last_link(path_flags), &path, open, flags)
        })?;
        self.push_descriptor(opened)
    }

    fn readlink_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<String> {
        self.at(&fd, &path, |fs, place| fs.readlink_at(place, &path))
    }

    fn remove_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.at(&fd, &path, |fs, place| fs.remove_directory_at(place, &path))
    }

    fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        old: String,
        new_fd: Resource<Descriptor>,
        new: String,
    ) -> FsResult<()> {
        self.meter.charge_bytes(new.len());
        let to = self.place(&new_fd)?;
        self.at(&fd, &old, |fs, from| fs.rename_at(from, &old, &to, &new))
    }

    fn symlink_at(
        &mut self,
        fd: Resource<Descriptor>,
        target: String,
        path: String,
    ) -> FsResult<()> {
        self.meter.charge_bytes(target.len());
        self.at(&fd, &path, |fs, place| fs.symlink_at(place, &target, &path))
    }

    fn unlink_file_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.at(&fd, &path, |fs, place| fs.unlink_file_at(place, &path))
    }

    fn is_same_object(
        &mut self,
        a: Resource<Descriptor>,
        b: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        self.meter.charge(SYSCALL);
        let identity = |descriptor: &Descriptor| {
            let stat = match descriptor {
                Descriptor::File(file) => rustix::fs::fstat(&*file.file),
                Descriptor::Dir(dir) => rustix::fs::fstat(&*dir.place().fd),
            };
            stat.map(|stat| (stat.st_dev, stat.st_ino)).ok()
        };
        let (a, b) = (identity(self.table.get(&a)?), identity(self.table.get(&b)?));
        Ok(a.is_some() && a == b)
    }

    fn metadata_hash(&mut self, fd: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        self.on(&fd, |fs, descriptor| fs.hash(descriptor))
    }

    fn metadata_hash_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        self.at(&fd, &path, |fs, place| {
            fs.hash_at(place, last_link(flags), &path)
        })
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        Ok(self.table.delete(fd).map(drop)?)
    }
}

impl State {
    fn writer(
        &mut self,
        fd: &Resource<Descriptor>,
        offset: Option<u64>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let file = self.on(fd, |_, descriptor| {
            Ok(Arc::clone(&descriptor.file()?.writable()?.file))
        })?;
        let meter = Arc::clone(&self.meter);
        let writer: DynOutputStream = Box::new(FileWriter {
            file,
            offset,
            meter,
        });
        Ok(self.table.push(writer)?)
    }
}

impl HostDirectoryEntryStream for State {
    fn read_directory_entry(
        &mut self,
        stream: Resource<Listing>,
    ) -> FsResult<Option<DirectoryEntry>> {
        let entry = self.table.get_mut(&stream)?.0.pop();
        let handed_out = usize::from(entry.is_some());
        self.fs.listed = self.fs.listed.saturating_sub(handed_out);
        Ok(entry)
    }

    fn drop(&mut self, stream: Resource<Listing>) -> wasmtime::Result<()> {
        let left = self.table.delete(stream)?.0.len();
        self.fs.listed = self.fs.listed.saturating_sub(left);
        self.fs.listings = self.fs.listings.saturating_sub(1);
        Ok(())
    }
}
