//! Bytes of an open file: `read`, `write`, `set-size`, and the streams over it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::bytes::Bytes;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{InputStream, OutputStream, StreamError, StreamResult};

use super::handle::FileHandle;
use super::stop::Answer;
use crate::bindings::wasi::filesystem::types::ErrorCode;
use crate::meter::{Meter, SYSCALL};

// Limit: what the host holds for one call; larger reads come in pieces, as POSIX allows.
pub(super) const CHUNK_MAX: usize = 1 << 20;

/// Reads at most `len` bytes at `offset`; true at the end of the file.
pub(super) fn read(
    handle: &FileHandle,
    len: u64,
    offset: u64,
    meter: &Meter,
) -> Answer<(Vec<u8>, bool)> {
    let len = usize::try_from(len).unwrap_or(CHUNK_MAX).min(CHUNK_MAX);
    let bytes = read_at(&handle.readable()?.file, len, offset, meter)?;
    let end = bytes.is_empty() && len > 0;
    Ok((bytes, end))
}

/// Writes at `offset`; returns how much was written, which is all of it.
pub(super) fn write(handle: &FileHandle, bytes: &[u8], offset: u64, meter: &Meter) -> Answer<u64> {
    let file = &handle.writable()?.file;
    reserve(meter, added(file, offset, bytes.len())?)?;
    file.write_all_at(bytes, offset)?;
    Ok(bytes.len() as u64)
}

/// Cuts or extends the file; an extension counts as written.
pub(super) fn set_size(handle: &FileHandle, size: u64, meter: &Meter) -> Answer<()> {
    let file = &handle.writable()?.file;
    check_offset(size)?;
    reserve(meter, size.saturating_sub(length(file)?))?;
    Ok(file.set_len(size)?)
}

/// Refuses what the kernel would take for a negative offset.
fn check_offset(offset: u64) -> std::io::Result<()> {
    match i64::try_from(offset) {
        Ok(_) => Ok(()),
        Err(_) => Err(Errno::INVAL.into()),
    }
}

/// What a write of `bytes` at `offset` counts as: a hole before it has to be read by whoever reads the file.
fn added(file: &File, offset: u64, bytes: usize) -> std::io::Result<u64> {
    check_offset(offset)?;
    if bytes == 0 {
        return Ok(0);
    }
    let hole = offset.saturating_sub(length(file)?);
    Ok(hole.saturating_add(bytes as u64))
}

fn reserve(meter: &Meter, bytes: u64) -> Answer<()> {
    meter.charge(SYSCALL);
    if meter.may_write(bytes) {
        Ok(())
    } else {
        Err(ErrorCode::InsufficientSpace.into())
    }
}

fn read_at(file: &File, len: usize, offset: u64, meter: &Meter) -> std::io::Result<Vec<u8>> {
    meter.charge(SYSCALL);
    check_offset(offset)?;
    // No more than the file has: a guest may ask for a megabyte of an empty file a million times.
    let left = length(file)?.saturating_sub(offset);
    let len = usize::try_from(left).unwrap_or(len).min(len);
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        let at = offset.saturating_add(bytes.len() as u64);
        match pread(file, spare_capacity(&mut bytes), at) {
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    // A vector may have more room than was asked for.
    bytes.truncate(len);
    meter.read(bytes.len());
    Ok(bytes)
}

/// Writes at the end of the file, wherever others have moved it meanwhile.
#[cfg(target_os = "linux")]
fn append(file: &File, mut bytes: &[u8]) -> std::io::Result<()> {
    use rustix::io::{ReadWriteFlags, pwritev2};
    while !bytes.is_empty() {
        match pwritev2(
            file,
            &[std::io::IoSlice::new(bytes)],
            0,
            ReadWriteFlags::APPEND,
        ) {
            Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::NOSYS | Errno::NOTSUP) => return append_apart(file, bytes),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn append(file: &File, bytes: &[u8]) -> std::io::Result<()> {
    append_apart(file, bytes)
}

/// The same in two steps, between which others may write.
fn append_apart(file: &File, bytes: &[u8]) -> std::io::Result<()> {
    file.write_all_at(bytes, length(file)?)
}

fn length(file: &File) -> std::io::Result<u64> {
    let stat = rustix::fs::fstat(file)?;
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

/// `read-via-stream`.
pub(super) struct FileReader {
    pub(super) file: Arc<File>,
    pub(super) offset: u64,
    pub(super) meter: Arc<Meter>,
}

#[async_trait]
impl Pollable for FileReader {
    async fn ready(&mut self) {}
}

#[async_trait]
impl InputStream for FileReader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        let bytes = read_at(&self.file, size.min(CHUNK_MAX), self.offset, &self.meter)
            .map_err(|error| StreamError::LastOperationFailed(error.into()))?;
        if bytes.is_empty() {
            return Err(StreamError::Closed);
        }
        self.offset = self.offset.saturating_add(bytes.len() as u64);
        Ok(bytes.into())
    }
}

/// `write-via-stream` and `append-via-stream`.
pub(super) struct FileWriter {
    pub(super) file: Arc<File>,
    /// None: at the end, wherever that is by then.
    pub(super) offset: Option<u64>,
    pub(super) meter: Arc<Meter>,
}

#[async_trait]
impl Pollable for FileWriter {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for FileWriter {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let failed = |error: std::io::Error| StreamError::LastOperationFailed(error.into());
        self.meter.charge(SYSCALL);
        let count = match self.offset {
            Some(offset) => added(&self.file, offset, bytes.len()).map_err(failed)?,
            None => bytes.len() as u64,
        };
        if !self.meter.may_write(count) {
            return Err(failed(Errno::NOSPC.into()));
        }
        match &mut self.offset {
            Some(offset) => {
                self.file.write_all_at(&bytes, *offset).map_err(failed)?;
                *offset = offset.saturating_add(bytes.len() as u64);
            }
            None => append(&self.file, &bytes).map_err(failed)?,
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK_MAX)
    }
}
