//! What is known of a file: `stat`, and times.

use wasip2::clocks::wall_clock::{self, Datetime};
use wasip2::filesystem::types::{
    DescriptorStat, DescriptorType, ErrorCode, NewTimestamp, PathFlags,
};

use super::{Check, check};
use crate::asked::{Dir, FOLLOW, Seen, fails, good, holds, same};

fn at(seconds: u64, nanoseconds: u32) -> Datetime {
    Datetime {
        seconds,
        nanoseconds,
    }
}

fn set(seconds: u64, nanoseconds: u32) -> NewTimestamp {
    NewTimestamp::Timestamp(at(seconds, nanoseconds))
}

/// The times are these, in seconds and nanoseconds.
fn are(what: &str, stat: &DescriptorStat, accessed: (u64, u32), modified: (u64, u32)) -> Seen {
    let pair = |time: Option<Datetime>| time.map(|time| (time.seconds, time.nanoseconds));
    let seen = (
        pair(stat.data_access_timestamp),
        pair(stat.data_modification_timestamp),
    );
    same(what, seen, (Some(accessed), Some(modified)))
}

/// Within two minutes of now: a file system's clock is not this one.
fn is_now(what: &str, time: Option<Datetime>) -> Seen {
    let seconds = time.map_or(0, |time| time.seconds);
    holds(what, seconds.abs_diff(wall_clock::now().seconds) < 120)
}

fn touch(dir: &Dir<'_>, flags: PathFlags, path: &str, seconds: u64) -> Result<(), ErrorCode> {
    dir.0
        .set_times_at(flags, path, set(seconds, 0), set(seconds, 0))
}

pub(super) const CHECKS: &[Check] = &[
    check("stat", "POSIX stat: type, size, links", |dir| {
        good("write", dir.write("file", b"hello"))?;
        good("mkdir", dir.mkdir("sub"))?;
        good("link", dir.link("sub", "link"))?;
        let file = good("stat", dir.stat("file"))?;
        holds("a file", file.type_ == DescriptorType::RegularFile)?;
        same("size and links", (file.size, file.link_count), (5, 1))?;
        for path in ["sub", "sub/", ".", "link", "link/"] {
            let sub = good(path, dir.stat(path))?;
            holds(
                path,
                sub.type_ == DescriptorType::Directory && sub.link_count > 0,
            )?;
        }
        holds(
            "a link",
            good("lstat", dir.lstat("link"))?.type_ == DescriptorType::SymbolicLink,
        )?;
        fails("file/", dir.stat("file/"), &[ErrorCode::NotDirectory])?;
        fails("empty", dir.stat(""), &[ErrorCode::NoEntry])?;
        fails("..", dir.stat(".."), &[ErrorCode::NotPermitted])?;
        fails("/", dir.stat("/"), &[ErrorCode::NotPermitted])
    }),
    check("stat-handle", "WASI stat and stat-at agree", |dir| {
        good("write", dir.write("file", b"hello"))?;
        let file = good("open", dir.reader("file"))?;
        let (one, two) = (
            good("stat", file.stat())?,
            good("stat-at", dir.stat("file"))?,
        );
        same("size", one.size, two.size)?;
        same("times", format!("{one:?}"), format!("{two:?}"))
    }),
    check(
        "times-now",
        "POSIX: writing marks a file as modified now",
        |dir| {
            good("write", dir.write("file", b"x"))?;
            let stat = good("stat", dir.stat("file"))?;
            is_now("modified", stat.data_modification_timestamp)?;
            is_now("accessed", stat.data_access_timestamp)?;
            good("touch", touch(dir, FOLLOW, "file", 1_000))?;
            good("write", dir.write("file", b"y"))?;
            is_now(
                "written",
                good("stat", dir.stat("file"))?.data_modification_timestamp,
            )
        },
    ),
    check(
        "set-times",
        "POSIX utimensat: to the nanosecond; UTIME_OMIT, UTIME_NOW",
        |dir| {
            good("write", dir.write("file", b"x"))?;
            let set_at = |access, modified| dir.0.set_times_at(FOLLOW, "file", access, modified);
            good("set", set_at(set(42, 1), set(69, 999_999_999)))?;
            are(
                "set",
                &good("stat", dir.stat("file"))?,
                (42, 1),
                (69, 999_999_999),
            )?;
            good("omit", set_at(NewTimestamp::NoChange, set(70, 0)))?;
            are("omit", &good("stat", dir.stat("file"))?, (42, 1), (70, 0))?;
            good(
                "omit both",
                set_at(NewTimestamp::NoChange, NewTimestamp::NoChange),
            )?;
            are(
                "omit both",
                &good("stat", dir.stat("file"))?,
                (42, 1),
                (70, 0),
            )?;
            good("now", set_at(NewTimestamp::Now, NewTimestamp::NoChange))?;
            let stat = good("stat", dir.stat("file"))?;
            is_now("now", stat.data_access_timestamp)?;
            are(
                "now",
                &stat,
                (
                    stat.data_access_timestamp.map_or(0, |t| t.seconds),
                    stat.data_access_timestamp.map_or(0, |t| t.nanoseconds),
                ),
                (70, 0),
            )
        },
    ),
    check(
        "set-times-handle",
        "POSIX futimens: also on a handle for reading",
        |dir| {
            good("write", dir.write("file", b"x"))?;
            good("mkdir", dir.mkdir("sub"))?;
            for path in ["file", "sub"] {
                let handle = good("open", dir.reader(path))?;
                good("set", handle.set_times(set(42, 5), set(69, 6)))?;
                are(path, &good("stat", handle.stat())?, (42, 5), (69, 6))?;
            }
            Ok(())
        },
    ),
    check(
        "set-times-link",
        "POSIX utimensat: AT_SYMLINK_NOFOLLOW",
        |dir| {
            good("write", dir.write("file", b"x"))?;
            good("link", dir.link("file", "link"))?;
            good("file", touch(dir, FOLLOW, "file", 1_000))?;
            good("link", touch(dir, PathFlags::empty(), "link", 2_000))?;
            are(
                "link",
                &good("lstat", dir.lstat("link"))?,
                (2_000, 0),
                (2_000, 0),
            )?;
            are(
                "file",
                &good("stat", dir.stat("file"))?,
                (1_000, 0),
                (1_000, 0),
            )?;
            good("through", touch(dir, FOLLOW, "link", 3_000))?;
            are(
                "file",
                &good("stat", dir.stat("file"))?,
                (3_000, 0),
                (3_000, 0),
            )
        },
    ),
    check(
        "set-times-wrong",
        "POSIX utimensat: ENOENT, ENOTDIR",
        |dir| {
            good("write", dir.write("file", b"x"))?;
            good("link", dir.link("nothing", "dangling"))?;
            fails(
                "missing",
                touch(dir, FOLLOW, "missing", 1),
                &[ErrorCode::NoEntry],
            )?;
            fails("empty", touch(dir, FOLLOW, "", 1), &[ErrorCode::NoEntry])?;
            fails(
                "dangling",
                touch(dir, FOLLOW, "dangling", 1),
                &[ErrorCode::NoEntry],
            )?;
            fails(
                "file/",
                touch(dir, FOLLOW, "file/", 1),
                &[ErrorCode::NotDirectory],
            )?;
            fails(
                "..",
                touch(dir, FOLLOW, "..", 1),
                &[ErrorCode::NotPermitted],
            )?;
            fails("/", touch(dir, FOLLOW, "/", 1), &[ErrorCode::NotPermitted])
        },
    ),
    check("set-times-far", "no time ends the host", |dir| {
        good("write", dir.write("file", b"x"))?;
        for seconds in [0, 1 << 33, 1 << 40, u64::MAX >> 1, 1 << 63, u64::MAX] {
            // What a file system can keep is its own affair.
            let kept = touch(dir, FOLLOW, "file", seconds).is_ok();
            holds("an answer", kept || dir.stat("file").is_ok())?;
            good("stat", dir.stat("file").map(drop))?;
        }
        Ok(())
    }),
];
