//! `std::fs`, as programs use it: a C library and an adapter lie between it and the host.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Check, check};
use crate::asked::{Seen, good, holds, same};

/// The ground that every check gets, by its path.
const GROUND: &str = "/ground";

fn ground(path: &str) -> PathBuf {
    Path::new(GROUND).join(path)
}

fn asked(deed: fn() -> Result<Seen>) -> Seen {
    deed().map_err(|error| format!("{error} ({:?})", error.kind()))?
}

fn kind<T>(answer: Result<T>) -> Option<ErrorKind> {
    answer.err().map(|error| error.kind())
}

/// Relative paths lead where absolute ones do.
fn relative() -> Result<Seen> {
    fs::write("ground/file", "x")?;
    fs::write("./ground/../ground/other", "y")?;
    let seen = (
        fs::read_to_string("/ground/file")?,
        fs::read_to_string("ground/other")?,
    );
    Ok(same("text", seen, ("x".to_owned(), "y".to_owned())))
}

fn whole_trees() -> Result<Seen> {
    fs::create_dir_all(ground("a/b/c/d"))?;
    fs::create_dir_all(ground("a/b"))?;
    fs::write(ground("a/b/c/file"), "deep")?;
    fs::write(ground("kept"), "kept")?;
    fs::remove_dir_all(ground("a"))?;
    let gone = kind(fs::metadata(ground("a")));
    Ok(same(
        "gone",
        (gone, fs::exists(ground("kept"))?),
        (Some(ErrorKind::NotFound), true),
    ))
}

fn kinds() -> Result<Seen> {
    fs::create_dir(ground("sub"))?;
    fs::write(ground("sub/file"), "")?;
    let seen = [
        kind(File::open(ground("missing"))),
        kind(fs::create_dir(ground("sub"))),
        kind(fs::read_dir(ground("sub/file"))),
        kind(fs::read(ground("sub/file/x"))),
        kind(File::create_new(ground("sub/file"))),
        kind(fs::write(ground("sub"), "")),
    ];
    let expect = [
        ErrorKind::NotFound,
        ErrorKind::AlreadyExists,
        ErrorKind::NotADirectory,
        ErrorKind::NotADirectory,
        ErrorKind::AlreadyExists,
        ErrorKind::IsADirectory,
    ];
    Ok(same("kinds", seen, expect.map(Some)))
}

fn copies() -> Result<Seen> {
    let text = "line\n".repeat(50_000);
    fs::write(ground("one"), &text)?;
    let count = fs::copy(ground("one"), ground("two"))?;
    fs::rename(ground("two"), ground("three"))?;
    fs::hard_link(ground("three"), ground("four"))?;
    let back = fs::read_to_string(ground("four"))?;
    Ok(holds("copy", count == 250_000 && back == text))
}

fn appends() -> Result<Seen> {
    let mut log = OpenOptions::new()
        .append(true)
        .create(true)
        .open(ground("log"))?;
    log.write_all(b"one ")?;
    log.seek(SeekFrom::Start(0))?;
    log.write_all(b"two ")?;
    let mut other = OpenOptions::new().append(true).open(ground("log"))?;
    other.write_all(b"three ")?;
    log.write_all(b"four")?;
    Ok(same(
        "log",
        fs::read_to_string(ground("log"))?,
        "one two three four".to_owned(),
    ))
}

fn seeks() -> Result<Seen> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(ground("file"))?;
    file.write_all(b"hello world")?;
    let mut text = String::new();
    file.seek(SeekFrom::Start(6))?;
    file.read_to_string(&mut text)?;
    let end = file.seek(SeekFrom::End(-5))?;
    file.write_all(b"W")?;
    let here = file.stream_position()?;
    let before = kind(file.seek(SeekFrom::Current(-100)));
    file.seek(SeekFrom::Start(15))?;
    file.write_all(b"!")?;
    file.set_len(14)?;
    let bytes = fs::read(ground("file"))?;
    let seen = (text.as_str(), end, here, before);
    let expect = ("world", 6, 7, Some(ErrorKind::InvalidInput));
    Ok(same("seeks", seen, expect).and(same("bytes", bytes, b"hello World\0\0\0".to_vec())))
}

fn lists() -> Result<Seen> {
    for n in 0..300 {
        fs::write(ground(&format!("a rather long name of a file {n}")), "")?;
    }
    fs::create_dir(ground("sub"))?;
    let (mut files, mut folders) = (0, 0);
    for entry in fs::read_dir(GROUND)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        files += usize::from(kind.is_file() && entry.metadata()?.is_file());
        folders += usize::from(kind.is_dir());
    }
    Ok(same("counts", (files, folders), (300, 1)))
}

fn links() -> Result<Seen> {
    fs::write(ground("file"), "x")?;
    let about = fs::symlink_metadata(ground("link"))?;
    let seen = (
        about.is_symlink(),
        fs::metadata(ground("link"))?.is_file(),
        fs::read_link(ground("dangling"))?,
        fs::exists(ground("dangling"))?,
        fs::read_to_string(ground("link"))?,
    );
    let expect = (true, true, PathBuf::from("nothing"), false, "x".to_owned());
    Ok(same("links", seen, expect))
}

fn times() -> Result<Seen> {
    let file = File::create(ground("file"))?;
    let (one, two) = (
        SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789),
        SystemTime::UNIX_EPOCH + Duration::new(1_500_000_000, 0),
    );
    file.set_times(FileTimes::new().set_accessed(one).set_modified(two))?;
    let about = fs::metadata(ground("file"))?;
    let seen = (about.accessed()?, about.modified()?);
    file.set_modified(one)?;
    let again = file.metadata()?.modified()?;
    Ok(same("times", seen, (one, two)).and(same("again", again, one)))
}

fn sizes() -> Result<Seen> {
    let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut file = File::create(ground("file"))?;
    for part in bytes.chunks(7_777) {
        file.write_all(part)?;
    }
    file.sync_all()?;
    drop(file);
    let back = fs::read(ground("file"))?;
    Ok(holds("bytes", back == bytes))
}

pub(super) const CHECKS: &[Check] = &[
    check(
        "std-relative",
        "paths begin at the working directory, which is the root",
        |_| asked(relative),
    ),
    check("std-trees", "create_dir_all, remove_dir_all", |_| {
        asked(whole_trees)
    }),
    check("std-kinds", "std::io::ErrorKind of common mistakes", |_| {
        asked(kinds)
    }),
    check("std-copies", "copy, rename, hard_link", |_| asked(copies)),
    check("std-appends", "OpenOptions::append", |_| asked(appends)),
    check("std-seeks", "seeking, set_len", |_| asked(seeks)),
    check(
        "std-lists",
        "read_dir with cookies of more than one buffer",
        |_| asked(lists),
    ),
    check("std-links", "read_link, symlink_metadata", |dir| {
        good("link", dir.link("file", "link"))?;
        good("link", dir.link("nothing", "dangling"))?;
        asked(links)
    }),
    check("std-times", "File::set_times", |_| asked(times)),
    check("std-sizes", "many writes of odd sizes", |_| asked(sizes)),
];
