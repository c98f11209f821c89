//! Handles: identity, hashes, advice, syncing.

use wasip2::filesystem::types::{
    Advice, Descriptor, DescriptorType, ErrorCode, MetadataHashValue, OpenFlags,
};

use super::{Check, check};
use crate::asked::{Answer, Dir, FOLLOW, READ, WRITE, fails, good, holds, same};

fn number(hash: Answer<MetadataHashValue>) -> Result<(u64, u64), String> {
    good("hash", hash).map(|hash| (hash.lower, hash.upper))
}

fn sync(handle: &Descriptor) -> Answer<()> {
    handle.sync_data()?;
    handle.sync()
}

pub(super) const CHECKS: &[Check] = &[
    check("get-type", "WASI get-type", |dir| {
        good("write", dir.write("file", b""))?;
        let file = good("open", dir.reader("file"))?;
        let kind = good("type", file.get_type())?;
        holds("a file", kind == DescriptorType::RegularFile)?;
        let kind = good("type", dir.0.get_type())?;
        holds("a folder", kind == DescriptorType::Directory)
    }),
    check(
        "same-object",
        "WASI is-same-object: by what is open, not by name",
        |dir| {
            good("write", dir.write("a", b""))?;
            good("write", dir.write("b", b""))?;
            good("ln", dir.ln("a", "twin"))?;
            let open = |path| good(path, dir.reader(path));
            let (a, again, b, twin, this) = (
                open("a")?,
                open("a")?,
                open("b")?,
                open("twin")?,
                open(".")?,
            );
            holds("itself", a.is_same_object(&a))?;
            holds("opened again", a.is_same_object(&again))?;
            holds("twin", a.is_same_object(&twin))?;
            holds("another", !a.is_same_object(&b))?;
            holds("a folder", !a.is_same_object(dir.0))?;
            holds("this folder", dir.0.is_same_object(&this))
        },
    ),
    check(
        "hash",
        "POSIX st_ino: one number for one file, kept when it is written",
        |dir| {
            good("write", dir.write("a", b"x"))?;
            good("write", dir.write("b", b"x"))?;
            good("ln", dir.ln("a", "twin"))?;
            let by_name = |path| number(dir.0.metadata_hash_at(FOLLOW, path));
            let a = by_name("a")?;
            same("twin", by_name("twin")?, a)?;
            holds("another", by_name("b")? != a)?;
            let handle = good("open", dir.open("a", OpenFlags::empty(), READ | WRITE))?;
            same("handle", number(handle.metadata_hash())?, a)?;
            good("write", handle.write(b"more", 0))?;
            same("written", number(handle.metadata_hash())?, a)?;
            good("mv", dir.mv("a", "moved"))?;
            same("moved", by_name("moved")?, a)?;
            same("folder", by_name(".")?, number(dir.0.metadata_hash())?)
        },
    ),
    check("hash-wrong", "WASI metadata-hash-at", |dir| {
        let hash = |path| dir.0.metadata_hash_at(FOLLOW, path);
        fails("missing", hash("missing"), &[ErrorCode::NoEntry])?;
        fails("empty", hash(""), &[ErrorCode::NoEntry])?;
        fails("/", hash("/"), &[ErrorCode::NotPermitted])?;
        fails("..", hash(".."), &[ErrorCode::NotPermitted])
    }),
    check(
        "advise",
        "POSIX posix_fadvise: any range of a file",
        |dir| {
            good("write", dir.write("file", b"hello"))?;
            let file = good("open", dir.reader("file"))?;
            for advice in [
                Advice::Normal,
                Advice::Sequential,
                Advice::Random,
                Advice::WillNeed,
                Advice::DontNeed,
                Advice::NoReuse,
            ] {
                for (offset, length) in [(0, 0), (0, 5), (5, 4_096), (10_000, 10)] {
                    good("advise", file.advise(offset, length, advice))?;
                }
            }
            Ok(())
        },
    ),
    check(
        "sync",
        "POSIX fsync: also on handles for reading, and on directories",
        |dir| {
            good("write", dir.write("file", b"x"))?;
            good("reader", sync(&good("open", dir.reader("file"))?))?;
            let writer = good("open", dir.open("file", OpenFlags::empty(), WRITE))?;
            good("write", writer.write(b"y", 0))?;
            good("writer", sync(&writer))?;
            good("folder", sync(dir.0))
        },
    ),
    check(
        "parent-dropped",
        "a handle does without the one it came from",
        |dir| {
            good("mkdir", dir.mkdir("sub"))?;
            good("write", dir.write("sub/file", b"x"))?;
            let sub = good("open", dir.folder("sub"))?;
            let file = good("open", Dir(&sub).reader("file"))?;
            drop(sub);
            same("bytes", good("read", file.read(9, 0))?.0, b"x".to_vec())
        },
    ),
];
