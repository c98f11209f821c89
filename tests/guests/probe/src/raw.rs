//! Every verb of `wasi:filesystem/types`, straight to the host.
//!
//! Owns the spelling of verbs, flags and results.
//!
//! **Invariant:** arguments go to the host as the plan gives them; only what cannot be expressed (an unknown flag) is
//! refused here, with an error that begins with `plan:`.

use ringfence_sdk::prelude::*;
use wasip2::{
    clocks::wall_clock::Datetime,
    filesystem::types::{
        Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode,
        MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
    },
    io::streams::StreamError,
};

use crate::plan::{Handles, Operation, Outcome, find};

type Parsed<T> = std::result::Result<T, String>;

/// Does one operation.
pub(crate) fn run(verb: &str, op: &Operation, handles: &mut Handles) -> Outcome {
    match verb {
        "preopens" => Ok(json!(handles.preopened)),
        "drop" => Ok(json!(handles.drop(op.on()))),
        "open" => open(op, handles),
        "read-via-stream" | "write-via-stream" | "append-via-stream" | "read-directory" => {
            open_stream(verb, op, handles)
        }
        "stream-read" | "stream-write" | "next" | "list" => use_stream(verb, op, handles),
        "link-at" | "rename-at" | "is-same-object" => two_handles(verb, op, handles),
        _ => {
            let descriptor = find(&handles.descriptors, op.on())?;
            match on_path(verb, op, descriptor) {
                Some(outcome) => outcome,
                None => on_descriptor(verb, op, descriptor)
                    .unwrap_or_else(|| Err(format!("plan: no such operation: {verb}"))),
            }
        }
    }
}

fn open(op: &Operation, handles: &mut Handles) -> Outcome {
    let opened = find(&handles.descriptors, op.on())?
        .open_at(
            path_flags(op),
            &op.path,
            open_flags(&op.flags)?,
            descriptor_flags(&op.descriptor)?,
        )
        .map_err(code)?;
    handles.descriptors.insert(op.opened(), opened);
    Ok(Value::Null)
}

/// The verbs that open a stream and keep it.
fn open_stream(verb: &str, op: &Operation, handles: &mut Handles) -> Outcome {
    let descriptor = find(&handles.descriptors, op.on())?;
    match verb {
        "read-via-stream" => {
            let stream = descriptor.read_via_stream(op.offset).map_err(code)?;
            handles.readers.insert(op.opened(), stream);
        }
        "write-via-stream" => {
            let stream = descriptor.write_via_stream(op.offset).map_err(code)?;
            handles.writers.insert(op.opened(), stream);
        }
        "append-via-stream" => {
            let stream = descriptor.append_via_stream().map_err(code)?;
            handles.writers.insert(op.opened(), stream);
        }
        _ => {
            let stream = descriptor.read_directory().map_err(code)?;
            handles.listings.insert(op.opened(), stream);
        }
    }
    Ok(Value::Null)
}

/// `list` opens a listing, reads it to its end, sorts it and closes it; the others use what is open.
fn use_stream(verb: &str, op: &Operation, handles: &Handles) -> Outcome {
    match verb {
        "stream-read" => {
            let bytes = find(&handles.readers, op.on())?
                .blocking_read(op.length)
                .map_err(|error| stream_code(&error))?;
            Ok(json!(String::from_utf8_lossy(&bytes)))
        }
        "stream-write" => {
            find(&handles.writers, op.on())?
                .blocking_write_and_flush(op.text.as_bytes())
                .map_err(|error| stream_code(&error))?;
            Ok(json!(op.text.len()))
        }
        "next" => {
            let entry = find(&handles.listings, op.on())?
                .read_directory_entry()
                .map_err(code)?;
            Ok(entry.map_or(Value::Null, |entry| {
                json!([entry.name, type_name(entry.type_)])
            }))
        }
        _ => {
            let listing = find(&handles.descriptors, op.on())?
                .read_directory()
                .map_err(code)?;
            let mut entries = Vec::new();
            while let Some(entry) = listing.read_directory_entry().map_err(code)? {
                entries.push((entry.name, type_name(entry.type_)));
            }
            entries.sort();
            Ok(json!(entries))
        }
    }
}

fn two_handles(verb: &str, op: &Operation, handles: &Handles) -> Outcome {
    let from = find(&handles.descriptors, op.on())?;
    let to = find(&handles.descriptors, op.to())?;
    match verb {
        "link-at" => done(from.link_at(path_flags(op), &op.path, to, &op.new_path)),
        "rename-at" => done(from.rename_at(&op.path, to, &op.new_path)),
        _ => Ok(json!(from.is_same_object(to))),
    }
}

/// The verbs that take a path.
fn on_path(verb: &str, op: &Operation, descriptor: &Descriptor) -> Option<Outcome> {
    let path = &op.path;
    Some(match verb {
        "create-directory-at" => done(descriptor.create_directory_at(path)),
        "stat-at" => descriptor
            .stat_at(path_flags(op), path)
            .map(stat)
            .map_err(code),
        "set-times-at" => times(op).and_then(|(atime, mtime)| {
            done(descriptor.set_times_at(path_flags(op), path, atime, mtime))
        }),
        "readlink-at" => descriptor.readlink_at(path).map(Value::from).map_err(code),
        "remove-directory-at" => done(descriptor.remove_directory_at(path)),
        // `path` is what the link says, `new_path` the link.
        "symlink-at" => done(descriptor.symlink_at(path, &op.new_path)),
        "unlink-file-at" => done(descriptor.unlink_file_at(path)),
        "metadata-hash-at" => descriptor
            .metadata_hash_at(path_flags(op), path)
            .map(|hash| hash_text(&hash))
            .map_err(code),
        _ => return None,
    })
}

/// The verbs that take none.
fn on_descriptor(verb: &str, op: &Operation, descriptor: &Descriptor) -> Option<Outcome> {
    Some(match verb {
        "advise" => advice(&op.advice)
            .and_then(|advice| done(descriptor.advise(op.offset, op.length, advice))),
        "sync-data" => done(descriptor.sync_data()),
        "sync" => done(descriptor.sync()),
        "get-flags" => descriptor.get_flags().map(flag_names).map_err(code),
        "get-type" => descriptor
            .get_type()
            .map(|type_| json!(type_name(type_)))
            .map_err(code),
        "set-size" => done(descriptor.set_size(op.length)),
        "set-times" => {
            times(op).and_then(|(atime, mtime)| done(descriptor.set_times(atime, mtime)))
        }
        "read" => descriptor
            .read(op.length, op.offset)
            .map(|(bytes, end)| json!([String::from_utf8_lossy(&bytes), end]))
            .map_err(code),
        "write" => descriptor
            .write(op.text.as_bytes(), op.offset)
            .map(Value::from)
            .map_err(code),
        "stat" => descriptor.stat().map(stat).map_err(code),
        "metadata-hash" => descriptor
            .metadata_hash()
            .map(|hash| hash_text(&hash))
            .map_err(code),
        _ => return None,
    })
}

fn done(result: std::result::Result<(), ErrorCode>) -> Outcome {
    result.map(|()| Value::Null).map_err(code)
}

pub(crate) fn code(code: ErrorCode) -> String {
    code.name().to_owned()
}

fn stream_code(error: &StreamError) -> String {
    match error {
        StreamError::Closed => "closed".to_owned(),
        StreamError::LastOperationFailed(error) => {
            wasip2::filesystem::types::filesystem_error_code(error)
                .map_or_else(|| error.to_debug_string(), code)
        }
    }
}

fn path_flags(op: &Operation) -> PathFlags {
    if op.follow {
        PathFlags::SYMLINK_FOLLOW
    } else {
        PathFlags::empty()
    }
}

fn open_flags(names: &[String]) -> Parsed<OpenFlags> {
    names.iter().try_fold(OpenFlags::empty(), |flags, name| {
        Ok(flags
            | match name.as_str() {
                "create" => OpenFlags::CREATE,
                "directory" => OpenFlags::DIRECTORY,
                "exclusive" => OpenFlags::EXCLUSIVE,
                "truncate" => OpenFlags::TRUNCATE,
                _ => return Err(format!("plan: no such open flag: {name}")),
            })
    })
}

const DESCRIPTOR_FLAGS: [(&str, DescriptorFlags); 6] = [
    ("read", DescriptorFlags::READ),
    ("write", DescriptorFlags::WRITE),
    ("file-integrity-sync", DescriptorFlags::FILE_INTEGRITY_SYNC),
    ("data-integrity-sync", DescriptorFlags::DATA_INTEGRITY_SYNC),
    (
        "requested-write-sync",
        DescriptorFlags::REQUESTED_WRITE_SYNC,
    ),
    ("mutate-directory", DescriptorFlags::MUTATE_DIRECTORY),
];

fn descriptor_flags(names: &[String]) -> Parsed<DescriptorFlags> {
    names
        .iter()
        .try_fold(DescriptorFlags::empty(), |flags, name| {
            DESCRIPTOR_FLAGS
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, flag)| flags | *flag)
                .ok_or_else(|| format!("plan: no such descriptor flag: {name}"))
        })
}

fn flag_names(flags: DescriptorFlags) -> Value {
    DESCRIPTOR_FLAGS
        .iter()
        .filter(|(_, flag)| flags.contains(*flag))
        .map(|(name, _)| *name)
        .collect()
}

fn advice(name: &str) -> Parsed<Advice> {
    Ok(match name {
        "" | "normal" => Advice::Normal,
        "sequential" => Advice::Sequential,
        "random" => Advice::Random,
        "will-need" => Advice::WillNeed,
        "dont-need" => Advice::DontNeed,
        "no-reuse" => Advice::NoReuse,
        _ => return Err(format!("plan: no such advice: {name}")),
    })
}

fn times(op: &Operation) -> Parsed<(NewTimestamp, NewTimestamp)> {
    Ok((time(&op.atime)?, time(&op.mtime)?))
}

fn time(text: &str) -> Parsed<NewTimestamp> {
    match text {
        "" | "no-change" => return Ok(NewTimestamp::NoChange),
        "now" => return Ok(NewTimestamp::Now),
        _ => {}
    }
    let (seconds, nanoseconds) = text.split_once('.').unwrap_or((text, "0"));
    let wrong = |_| format!("plan: no such time: {text}");
    Ok(NewTimestamp::Timestamp(Datetime {
        seconds: seconds.parse().map_err(wrong)?,
        nanoseconds: nanoseconds.parse().map_err(wrong)?,
    }))
}

fn type_name(type_: DescriptorType) -> &'static str {
    match type_ {
        DescriptorType::Unknown => "unknown",
        DescriptorType::BlockDevice => "block-device",
        DescriptorType::CharacterDevice => "character-device",
        DescriptorType::Directory => "directory",
        DescriptorType::Fifo => "fifo",
        DescriptorType::SymbolicLink => "symbolic-link",
        DescriptorType::RegularFile => "regular-file",
        DescriptorType::Socket => "socket",
    }
}

fn stat(stat: DescriptorStat) -> Value {
    let seconds = |time: Option<Datetime>| time.map(|time| time.seconds);
    json!({
        "type": type_name(stat.type_),
        "links": stat.link_count,
        "size": stat.size,
        "atime": seconds(stat.data_access_timestamp),
        "mtime": seconds(stat.data_modification_timestamp),
        "ctime": seconds(stat.status_change_timestamp),
    })
}

fn hash_text(hash: &MetadataHashValue) -> Value {
    json!(format!("{:016x}{:016x}", hash.upper, hash.lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_spelled_as_in_wit() {
        let names = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let flags = descriptor_flags(&names("read mutate-directory")).unwrap();
        assert_eq!(flag_names(flags), json!(["read", "mutate-directory"]));
        assert!(descriptor_flags(&names("reed")).is_err());
        assert!(open_flags(&names("create exclusive")).is_ok());
        assert!(open_flags(&names("creat")).is_err());
    }

    #[test]
    fn times_are_parsed() {
        assert!(matches!(time("").unwrap(), NewTimestamp::NoChange));
        assert!(matches!(time("now").unwrap(), NewTimestamp::Now));
        let NewTimestamp::Timestamp(at) = time("18446744073709551615.7").unwrap() else {
            panic!("a timestamp");
        };
        assert_eq!((at.seconds, at.nanoseconds), (u64::MAX, 7));
        assert!(time("soon").is_err());
    }
}
