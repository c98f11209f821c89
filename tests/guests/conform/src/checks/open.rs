//! `open-at`: paths, flags, and what a handle says of itself.

use wasip2::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags};

use super::{Check, check};
use crate::asked::{CREATE, DIRECTORY, Dir, EXCLUSIVE, READ, TRUNCATE, WRITE, fails, good, same};

const NONE: OpenFlags = OpenFlags::empty();
const NOTHING: DescriptorFlags = DescriptorFlags::empty();

pub(super) const CHECKS: &[Check] = &[
    check("open-missing", "POSIX open: ENOENT", |dir| {
        fails("missing", dir.reader("missing"), &[ErrorCode::NoEntry])?;
        fails(
            "below missing",
            dir.reader("missing/file"),
            &[ErrorCode::NoEntry],
        )?;
        fails("empty", dir.reader(""), &[ErrorCode::NoEntry])
    }),
    check(
        "open-outside",
        "WASI path resolution: paths stay below their handle",
        |dir| {
            let refused = &[ErrorCode::NotPermitted];
            for path in ["/", "/etc/passwd", "..", "../x"] {
                fails(path, dir.reader(path), refused)?;
            }
            good("mkdir", dir.mkdir("sub"))?;
            fails("sub/../..", dir.reader("sub/../.."), refused)?;
            let sub = good("sub", dir.folder("sub"))?;
            fails("../file", Dir(&sub).reader("../file"), refused)
        },
    ),
    check(
        "open-dots",
        "POSIX pathname resolution: `.`, `..`, slashes",
        |dir| {
            good("mkdir", dir.mkdir("a"))?;
            good("mkdir", dir.mkdir("a/b"))?;
            good("write", dir.write("a/b/file", b"x"))?;
            let path = "a/.//b/../../a/b/../b///./file";
            same("bytes", good(path, dir.read(path))?, b"x".to_vec())?;
            for path in ["a/b/", "a/b///", "a/b/.", "a/b/.."] {
                good(path, dir.reader(path))?;
            }
            Ok(())
        },
    ),
    check(
        "open-file-slash",
        "POSIX open: ENOTDIR for a slash after a file",
        |dir| {
            good("write", dir.write("file", b""))?;
            for path in ["file/", "file///", "file/x", "file/.", "file/.."] {
                fails(path, dir.reader(path), &[ErrorCode::NotDirectory])?;
            }
            Ok(())
        },
    ),
    check("open-long-name", "POSIX open: ENAMETOOLONG", |dir| {
        good("255 bytes", dir.write(&"n".repeat(255), b""))?;
        fails(
            "256 bytes",
            dir.reader(&"n".repeat(256)),
            &[ErrorCode::NameTooLong],
        )?;
        fails(
            "5000 bytes",
            dir.reader(&"n/".repeat(2_500)),
            &[ErrorCode::NameTooLong],
        )
    }),
    check("open-nul", "a path ends at no NUL", |dir| {
        good("write", dir.write("file", b""))?;
        let wrong = &[
            ErrorCode::Invalid,
            ErrorCode::IllegalByteSequence,
            ErrorCode::NoEntry,
        ];
        fails("file\\0", dir.reader("file\0"), wrong)?;
        fails("file\\0x", dir.write("file\0x", b""), wrong)
    }),
    check(
        "open-odd-names",
        "POSIX: a name is any bytes but slash and NUL",
        |dir| {
            for name in [
                " ",
                "-",
                "...",
                "a b",
                "a:b",
                "*",
                "é",
                "Действие",
                "\u{1f980}",
                "a\nb",
                "~",
            ] {
                good(name, dir.write(name, name.as_bytes()))?;
                same(name, good(name, dir.read(name))?, name.as_bytes().to_vec())?;
            }
            Ok(())
        },
    ),
    check("open-directory-flag", "POSIX open: O_DIRECTORY", |dir| {
        good("mkdir", dir.mkdir("sub"))?;
        good("write", dir.write("file", b""))?;
        good("sub", dir.open("sub", DIRECTORY, READ))?;
        fails(
            "file",
            dir.open("file", DIRECTORY, READ),
            &[ErrorCode::NotDirectory],
        )?;
        fails(
            "missing",
            dir.open("missing", DIRECTORY, READ),
            &[ErrorCode::NoEntry],
        )?;
        for open in [CREATE, EXCLUSIVE, TRUNCATE, CREATE | EXCLUSIVE] {
            for path in ["sub", "new"] {
                fails(
                    path,
                    dir.open(path, DIRECTORY | open, READ),
                    &[ErrorCode::Invalid],
                )?;
            }
        }
        Ok(())
    }),
    check("open-directory-to-write", "POSIX open: EISDIR", |dir| {
        good("mkdir", dir.mkdir("sub"))?;
        let is_dir = &[ErrorCode::IsDirectory];
        for path in [".", "sub", "sub/"] {
            fails(path, dir.open(path, NONE, WRITE), is_dir)?;
            fails(path, dir.open(path, NONE, READ | WRITE), is_dir)?;
            fails(path, dir.open(path, DIRECTORY, WRITE), is_dir)?;
            fails(path, dir.open(path, TRUNCATE, READ), is_dir)?;
        }
        Ok(())
    }),
    check(
        "open-exclusive",
        "POSIX open: EEXIST for O_CREAT and O_EXCL",
        |dir| {
            good("write", dir.write("file", b"x"))?;
            good("mkdir", dir.mkdir("sub"))?;
            good("link", dir.link("file", "link"))?;
            good("dangling", dir.link("nothing", "dangling"))?;
            for path in ["file", "sub", "link", "dangling"] {
                let opened = dir.open(path, CREATE | EXCLUSIVE, WRITE);
                fails(path, opened, &[ErrorCode::Exist])?;
            }
            same("file", good("file", dir.read("file"))?, b"x".to_vec())?;
            good("new", dir.open("new", CREATE | EXCLUSIVE, WRITE).map(drop))
        },
    ),
    check("open-create", "POSIX open: O_CREAT", |dir| {
        good("write", dir.write("file", b"kept"))?;
        good("again", dir.open("file", CREATE, WRITE).map(drop))?;
        same("file", good("file", dir.read("file"))?, b"kept".to_vec())?;
        fails(
            "no folder",
            dir.write("no/file", b""),
            &[ErrorCode::NoEntry],
        )?;
        fails(
            "a slash",
            dir.write("new/", b""),
            &[ErrorCode::IsDirectory, ErrorCode::NoEntry],
        )?;
        fails("nothing made", dir.stat("new"), &[ErrorCode::NoEntry])
    }),
    check("open-truncate", "POSIX open: O_TRUNC", |dir| {
        good("write", dir.write("file", b"bytes"))?;
        good("truncate", dir.open("file", TRUNCATE, WRITE).map(drop))?;
        same("size", good("stat", dir.stat("file"))?.size, 0)?;
        good("write", dir.write("file", b"bytes"))?;
        good(
            "without writing",
            dir.open("file", TRUNCATE, NOTHING).map(drop),
        )?;
        same("size", good("stat", dir.stat("file"))?.size, 0)?;
        fails(
            "missing",
            dir.open("missing", TRUNCATE, WRITE),
            &[ErrorCode::NoEntry],
        )
    }),
    check(
        "open-last-link",
        "POSIX open: ELOOP for O_NOFOLLOW",
        |dir| {
            good("write", dir.write("file", b"x"))?;
            good("mkdir", dir.mkdir("sub"))?;
            good("link", dir.link("file", "link"))?;
            good("link", dir.link("sub", "into"))?;
            good("link", dir.link("nothing", "dangling"))?;
            for path in ["link", "into", "dangling"] {
                fails(path, dir.open_here(path, NONE, READ), &[ErrorCode::Loop])?;
                let as_dir = dir.open_here(path, DIRECTORY, READ);
                fails(path, as_dir, &[ErrorCode::Loop, ErrorCode::NotDirectory])?;
            }
            good(
                "through",
                dir.open_here("into/../file", NONE, READ).map(drop),
            )?;
            good("into/", dir.open_here("into/", NONE, READ).map(drop))
        },
    ),
    check(
        "open-through-dangling",
        "POSIX open: O_CREAT follows a dangling link",
        |dir| {
            good("link", dir.link("target", "dangling"))?;
            fails("missing", dir.reader("dangling"), &[ErrorCode::NoEntry])?;
            good("write", dir.write("dangling", b"x"))?;
            same("target", good("target", dir.read("target"))?, b"x".to_vec())?;
            same(
                "still a link",
                good("readlink", dir.0.readlink_at("dangling"))?,
                "target".to_owned(),
            )
        },
    ),
    check(
        "open-flags",
        "WASI get-flags; creating implies writing, asking for nothing reading",
        |dir| {
            good("write", dir.write("file", b""))?;
            let new = CREATE | EXCLUSIVE;
            for (path, open, asked, given) in [
                (".", NONE, NOTHING, READ),
                ("file", NONE, NOTHING, READ),
                ("file", NONE, READ, READ),
                ("file", NONE, WRITE, WRITE),
                ("file", NONE, READ | WRITE, READ | WRITE),
                ("file", EXCLUSIVE, NOTHING, READ),
                ("new1", new, NOTHING, READ | WRITE),
                ("new2", new, READ, READ | WRITE),
                ("new3", new, WRITE, WRITE),
            ] {
                let opened = good(path, dir.open(path, open, asked))?;
                same(path, good(path, opened.get_flags())?, given)?;
            }
            Ok(())
        },
    ),
    check(
        "open-mutable-directory",
        "WASI: mutate-directory is asked for",
        |dir| {
            let both = READ | DescriptorFlags::MUTATE_DIRECTORY;
            let opened = good("open", dir.open(".", DIRECTORY, both))?;
            same("flags", good("flags", opened.get_flags())?, both)
        },
    ),
    check(
        "open-below-file",
        "WASI: not-directory for a handle on a file",
        |dir| {
            good("write", dir.write("file", b""))?;
            let file = good("open", dir.reader("file"))?;
            let (file, no_dir) = (Dir(&file), &[ErrorCode::NotDirectory]);
            fails("open", file.reader("x"), no_dir)?;
            fails("stat", file.stat("."), no_dir)?;
            fails("mkdir", file.mkdir("x"), no_dir)?;
            fails("readlink", file.0.readlink_at("."), no_dir)?;
            fails("list", file.0.read_directory(), no_dir)
        },
    ),
    check("open-many", "POSIX OPEN_MAX is at least 20", |dir| {
        let open = |n| good("open", dir.open(&format!("{n}"), CREATE, READ | WRITE));
        let files: Vec<_> = (0..100).map(open).collect::<Result<_, _>>()?;
        for (n, file) in (0..).zip(&files) {
            good("write", file.write(&[n], 0))?;
        }
        drop(files);
        for _ in 0..20 {
            let files: Vec<_> = (0..50).map(open).collect::<Result<_, _>>()?;
            drop(files);
        }
        Ok(())
    }),
];
