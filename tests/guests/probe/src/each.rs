//! `open-each`: every combination of flags of `open-at` at one path, in one operation.
//!
//! Owns the order of the combinations: path flags, then open flags, then descriptor flags, each as a binary number whose
//! lowest bit is the first flag of the WIT file.
//!
//! **Invariant:** what is at `new_path` is brought back to `text`, or to nothing, before the next combination; an answer
//! says whether that was needed.

use ringfence_sdk::prelude::*;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};

use crate::plan::{Handles, Operation, Outcome, find};
use crate::raw::code;

const OPEN_FLAGS: u8 = 1 << 4;
const DESCRIPTOR_FLAGS: u8 = 1 << 3;
const DESCRIPTOR_FLAGS_WITH_SYNC: u8 = 1 << 6;

/// Opens and closes `path` with every combination; the results are a list of codes (`ok` if opened), each with a `*`
/// behind it when something had to be brought back.
pub(crate) fn run(op: &Operation, handles: &Handles) -> Outcome {
    let on = find(&handles.descriptors, op.on())?;
    let root = find(&handles.descriptors, "root")?;
    let mut ends = Vec::new();
    let last = if op.sync {
        DESCRIPTOR_FLAGS_WITH_SYNC
    } else {
        DESCRIPTOR_FLAGS
    };
    for follow in [PathFlags::empty(), PathFlags::SYMLINK_FOLLOW] {
        for open in 0..OPEN_FLAGS {
            for descriptor in 0..last {
                let opened = on.open_at(
                    follow,
                    &op.path,
                    open_flags(open),
                    descriptor_flags(descriptor),
                );
                let mut end = opened.map_or_else(code, |_| "ok".to_owned());
                let may_change =
                    open_flags(open).intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
                if may_change && !op.new_path.is_empty() && mend(op, root)? {
                    end.push('*');
                }
                ends.push(end);
            }
        }
    }
    Ok(json!(ends))
}

fn open_flags(bits: u8) -> OpenFlags {
    OpenFlags::from_bits_truncate(bits)
}

/// The WIT file has `mutate-directory` last; it comes before the three about syncing here.
fn descriptor_flags(bits: u8) -> DescriptorFlags {
    [
        DescriptorFlags::READ,
        DescriptorFlags::WRITE,
        DescriptorFlags::MUTATE_DIRECTORY,
        DescriptorFlags::FILE_INTEGRITY_SYNC,
        DescriptorFlags::DATA_INTEGRITY_SYNC,
        DescriptorFlags::REQUESTED_WRITE_SYNC,
    ]
    .into_iter()
    .enumerate()
    .filter(|(index, _)| bits & (1 << index) != 0)
    .fold(DescriptorFlags::empty(), |flags, (_, flag)| flags | flag)
}

/// Brings back what was there; whether that was needed.
fn mend(op: &Operation, root: &Descriptor) -> std::result::Result<bool, String> {
    let size = root
        .stat_at(PathFlags::empty(), &op.new_path)
        .ok()
        .map(|stat| stat.size);
    let expect = (!op.absent).then_some(op.text.len() as u64);
    if size == expect {
        return Ok(false);
    }
    if op.absent {
        root.unlink_file_at(&op.new_path).map_err(code)?;
    } else {
        let flags = (OpenFlags::CREATE, DescriptorFlags::WRITE);
        let file = root
            .open_at(PathFlags::empty(), &op.new_path, flags.0, flags.1)
            .map_err(code)?;
        file.write(op.text.as_bytes(), 0).map_err(code)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_are_counted_in_bits() {
        assert_eq!(open_flags(0b1001), OpenFlags::CREATE | OpenFlags::TRUNCATE);
        assert_eq!(
            descriptor_flags(0b101),
            DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY
        );
        assert_eq!(descriptor_flags(0), DescriptorFlags::empty());
    }
}
