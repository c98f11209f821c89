//! Making and removing names: `create-directory-at`, `remove-directory-at`, `unlink-file-at`.

use wasip2::filesystem::types::ErrorCode;

use super::{Check, check};
use crate::asked::{Dir, fails, good, holds, read_all, same};

pub(super) const CHECKS: &[Check] = &[
    check("mkdir-there", "POSIX mkdir: EEXIST", |dir| {
        good("mkdir", dir.mkdir("sub"))?;
        good("write", dir.write("file", b""))?;
        good("link", dir.link("sub", "link"))?;
        good("link", dir.link("nothing", "dangling"))?;
        for path in ["sub", "sub/", "file", "link", "dangling", "."] {
            fails(path, dir.mkdir(path), &[ErrorCode::Exist])?;
        }
        Ok(())
    }),
    check("mkdir-nowhere", "POSIX mkdir: ENOENT, ENOTDIR", |dir| {
        good("write", dir.write("file", b""))?;
        fails("empty", dir.mkdir(""), &[ErrorCode::NoEntry])?;
        fails("no parent", dir.mkdir("no/sub"), &[ErrorCode::NoEntry])?;
        fails(
            "below a file",
            dir.mkdir("file/sub"),
            &[ErrorCode::NotDirectory],
        )
    }),
    check(
        "mkdir-slash",
        "POSIX: a directory's name may end in slashes",
        |dir| {
            for path in ["one/", "two///", "one/../three"] {
                good(path, dir.mkdir(path))?;
            }
            for path in ["one", "two", "three"] {
                good(path, dir.folder(path))?;
            }
            Ok(())
        },
    ),
    check("mkdir-outside", "WASI path resolution", |dir| {
        for path in ["..", "/", "../x", "/tmp/x"] {
            fails(path, dir.mkdir(path), &[ErrorCode::NotPermitted])?;
            fails(path, dir.rmdir(path), &[ErrorCode::NotPermitted])?;
        }
        Ok(())
    }),
    check("rmdir", "POSIX rmdir: ENOTEMPTY, ENOTDIR, ENOENT", |dir| {
        good("mkdir", dir.mkdir("sub"))?;
        good("write", dir.write("sub/file", b""))?;
        good("link", dir.link("sub", "link"))?;
        fails(
            "full",
            dir.rmdir("sub"),
            &[ErrorCode::NotEmpty, ErrorCode::Exist],
        )?;
        fails("file", dir.rmdir("sub/file"), &[ErrorCode::NotDirectory])?;
        fails("missing", dir.rmdir("missing"), &[ErrorCode::NoEntry])?;
        fails("empty path", dir.rmdir(""), &[ErrorCode::NoEntry])?;
        fails("link", dir.rmdir("link"), &[ErrorCode::NotDirectory])?;
        good("rm", dir.rm("sub/file"))?;
        good("empty", dir.rmdir("sub"))?;
        fails("gone", dir.stat("sub"), &[ErrorCode::NoEntry])
    }),
    check("rmdir-dot", "POSIX rmdir: EINVAL for a last dot", |dir| {
        good("mkdir", dir.mkdir("sub"))?;
        fails(".", dir.rmdir("."), &[ErrorCode::Invalid])?;
        fails("sub/.", dir.rmdir("sub/."), &[ErrorCode::Invalid])
    }),
    check(
        "rmdir-slash",
        "POSIX: a directory's name may end in slashes",
        |dir| {
            good("mkdir", dir.mkdir("sub"))?;
            good("mkdir", dir.mkdir("two"))?;
            good("write", dir.write("file", b""))?;
            fails("file/", dir.rmdir("file/"), &[ErrorCode::NotDirectory])?;
            good("sub/", dir.rmdir("sub/"))?;
            good("two///", dir.rmdir("two///"))
        },
    ),
    check(
        "unlink",
        "POSIX unlink: ENOENT, EISDIR or EPERM for a directory",
        |dir| {
            good("mkdir", dir.mkdir("sub"))?;
            good("write", dir.write("file", b""))?;
            let is_dir = &[ErrorCode::IsDirectory, ErrorCode::NotPermitted];
            for path in ["sub", "sub/", "."] {
                fails(path, dir.rm(path), is_dir)?;
            }
            fails("missing", dir.rm("missing"), &[ErrorCode::NoEntry])?;
            fails("empty path", dir.rm(""), &[ErrorCode::NoEntry])?;
            fails("file/", dir.rm("file/"), &[ErrorCode::NotDirectory])?;
            fails("file/x", dir.rm("file/x"), &[ErrorCode::NotDirectory])?;
            good("file", dir.rm("file"))?;
            fails("gone", dir.stat("file"), &[ErrorCode::NoEntry])
        },
    ),
    check(
        "unlink-link",
        "POSIX unlink: removes the link, not what it leads to",
        |dir| {
            good("write", dir.write("file", b"x"))?;
            good("link", dir.link("file", "link"))?;
            good("link", dir.link("nothing", "dangling"))?;
            good("rm", dir.rm("link"))?;
            good("rm", dir.rm("dangling"))?;
            fails("gone", dir.lstat("link"), &[ErrorCode::NoEntry])?;
            same("file", good("read", dir.read("file"))?, b"x".to_vec())
        },
    ),
    check(
        "unlink-open",
        "POSIX unlink: an open file stays until it is closed",
        |dir| {
            good("write", dir.write("file", b"still here"))?;
            let file = good("open", dir.reader("file"))?;
            good("rm", dir.rm("file"))?;
            same(
                "bytes",
                good("read", read_all(&file))?,
                b"still here".to_vec(),
            )?;
            let stat = good("stat", file.stat())?;
            same("size and links", (stat.size, stat.link_count), (10, 0))
        },
    ),
    check(
        "rmdir-open",
        "POSIX rmdir: an open directory can no longer be filled",
        |dir| {
            good("mkdir", dir.mkdir("sub"))?;
            let sub = good("open", dir.folder("sub"))?;
            good("rmdir", dir.rmdir("sub"))?;
            fails("make", Dir(&sub).write("file", b""), &[ErrorCode::NoEntry])?;
            good("stat", sub.stat().map(drop))?;
            let names = Dir(&sub).names(".");
            holds("no names", names.map_or(true, |names| names.is_empty()))
        },
    ),
];
