//! The same work by calls of `wasi:filesystem`, on the descriptor of the folder.
//!
//! **Invariant:** a file is read until the host says that it ends, as `std::fs` does.

use std::io::{Error, Result};

use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

use crate::{Sum, Work, name, unknown};

pub(crate) fn run(kind: &str, work: &Work) -> Result<Sum> {
    let mut roots = preopens::get_directories().into_iter();
    let (root, _) = roots.next().ok_or_else(|| unknown("no root"))?;
    if kind == "scan" {
        let file = open(&root, &work.path, OpenFlags::empty(), DescriptorFlags::READ)?;
        return drain(&file, work.bytes);
    }
    let folder = open(
        &root,
        &work.path,
        OpenFlags::DIRECTORY,
        DescriptorFlags::READ,
    )?;
    let mut sum = Sum::default();
    match kind {
        "read" => read(&folder, work, &mut sum)?,
        "stat" => {
            for index in 0..work.count {
                let name = name(index % work.bytes.max(1));
                let found = folder.stat_at(PathFlags::SYMLINK_FOLLOW, &name);
                sum.add(&found.map_err(failed)?.size.to_le_bytes());
            }
        }
        "list" => list(&folder, &mut sum)?,
        "write" => write(&folder, work, &mut sum)?,
        kind => return Err(unknown(kind)),
    }
    Ok(sum)
}

fn read(folder: &Descriptor, work: &Work, sum: &mut Sum) -> Result<()> {
    for index in 0..work.count {
        let file = open(
            folder,
            &name(index),
            OpenFlags::empty(),
            DescriptorFlags::READ,
        )?;
        let mut bytes = Vec::new();
        loop {
            let offset = bytes.len() as u64;
            let (more, ends) = file.read(64 << 10, offset).map_err(failed)?;
            bytes.extend(more);
            if ends {
                break;
            }
        }
        sum.add(&bytes);
    }
    Ok(())
}

fn drain(file: &Descriptor, step: u64) -> Result<Sum> {
    let (mut sum, mut offset) = (Sum::default(), 0);
    loop {
        let (bytes, ends) = file.read(step, offset).map_err(failed)?;
        if !bytes.is_empty() {
            sum.add(&bytes);
        }
        if ends {
            return Ok(sum);
        }
        offset += bytes.len() as u64;
    }
}

fn list(folder: &Descriptor, sum: &mut Sum) -> Result<()> {
    let listing = folder.read_directory().map_err(failed)?;
    let mut names = Vec::new();
    while let Some(entry) = listing.read_directory_entry().map_err(failed)? {
        names.push(entry.name);
    }
    names.sort_unstable();
    names.iter().for_each(|name| sum.add(name.as_bytes()));
    Ok(())
}

fn write(folder: &Descriptor, work: &Work, sum: &mut Sum) -> Result<()> {
    let bytes = vec![b'w'; usize::try_from(work.bytes).unwrap_or(0)];
    for index in 0..work.count {
        let create = OpenFlags::CREATE | OpenFlags::TRUNCATE;
        let file = open(folder, &name(index), create, DescriptorFlags::WRITE)?;
        let written = file.write(&bytes, 0).map_err(failed)?;
        if written != work.bytes {
            return Err(Error::other(format!("{written} of {} bytes", work.bytes)));
        }
        sum.add(&bytes);
    }
    Ok(())
}

fn open(
    folder: &Descriptor,
    path: &str,
    open: OpenFlags,
    flags: DescriptorFlags,
) -> Result<Descriptor> {
    folder
        .open_at(PathFlags::SYMLINK_FOLLOW, path, open, flags)
        .map_err(failed)
}

fn failed(code: ErrorCode) -> Error {
    Error::other(code.name())
}
