//! Work on files by `std::fs`, as a plugin would do it.
//!
//! **Invariant:** nothing here knows whether it runs in a component.

use std::fs::{self, File};
use std::io::{Read, Result};
use std::path::Path;

use crate::{Sum, Work, name, unknown};

pub(crate) fn run(kind: &str, work: &Work) -> Result<Sum> {
    let mut sum = Sum::default();
    let folder = Path::new(&work.path);
    match kind {
        "read" => {
            for index in 0..work.count {
                sum.add(&fs::read(folder.join(name(index)))?);
            }
        }
        "stat" => {
            for index in 0..work.count {
                let found = fs::metadata(folder.join(name(index % work.bytes.max(1))))?;
                sum.add(&found.len().to_le_bytes());
            }
        }
        "list" => list(folder, &mut sum)?,
        "scan" => scan(folder, work, &mut sum)?,
        "write" => {
            let bytes = vec![b'w'; usize::try_from(work.bytes).unwrap_or(0)];
            for index in 0..work.count {
                fs::write(folder.join(name(index)), &bytes)?;
                sum.add(&bytes);
            }
        }
        kind => return Err(unknown(kind)),
    }
    Ok(sum)
}

fn list(folder: &Path, sum: &mut Sum) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().into_encoded_bytes());
    }
    // No two hosts list in one order.
    names.sort_unstable();
    names.iter().for_each(|name| sum.add(name));
    Ok(())
}

fn scan(path: &Path, work: &Work, sum: &mut Sum) -> Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; usize::try_from(work.bytes).unwrap_or(0)];
    loop {
        let count = file.read(&mut buffer)?;
        match buffer.get(..count) {
            Some(bytes) if count > 0 => sum.add(bytes),
            _ => return Ok(()),
        }
    }
}
