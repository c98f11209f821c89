//! Links: `symlink-at`, `readlink-at`, `link-at`, and the way through them.

use wasip2::filesystem::types::{DescriptorType, ErrorCode, PathFlags};

use super::{Check, check};
use crate::asked::{Dir, FOLLOW, fails, good, holds, same};

pub(super) const CHECKS: &[Check] = &[
    check("symlink", "POSIX symlink, readlink", |dir| {
        good("link", dir.link("some/where", "link"))?;
        same(
            "target",
            good("readlink", dir.0.readlink_at("link"))?,
            "some/where".to_owned(),
        )?;
        let stat = good("lstat", dir.lstat("link"))?;
        holds("a link", stat.type_ == DescriptorType::SymbolicLink)?;
        same("size", stat.size, 10)?;
        fails("dangling", dir.stat("link"), &[ErrorCode::NoEntry])
    }),
    check("symlink-there", "POSIX symlink: EEXIST", |dir| {
        good("mkdir", dir.mkdir("sub"))?;
        good("write", dir.write("file", b""))?;
        good("link", dir.link("x", "dangling"))?;
        for path in ["sub", "sub/", "file", "dangling"] {
            fails(path, dir.link("x", path), &[ErrorCode::Exist])?;
        }
        fails(
            "file/",
            dir.link("x", "file/"),
            &[ErrorCode::Exist, ErrorCode::NotDirectory],
        )
    }),
    check("symlink-nowhere", "POSIX symlink: ENOENT", |dir| {
        fails("empty target", dir.link("", "link"), &[ErrorCode::NoEntry])?;
        fails("empty name", dir.link("x", ""), &[ErrorCode::NoEntry])?;
        fails("slash", dir.link("x", "new/"), &[ErrorCode::NoEntry])?;
        fails("no parent", dir.link("x", "no/link"), &[ErrorCode::NoEntry])
    }),
    check(
        "symlink-absolute",
        "WASI symlink-at: not-permitted where the target begins with a slash",
        |dir| {
            fails("/", dir.link("/", "link"), &[ErrorCode::NotPermitted])?;
            fails("/x", dir.link("/x", "link"), &[ErrorCode::NotPermitted])
        },
    ),
    check(
        "symlink-outside",
        "POSIX symlink: a target may be anything; WASI: the way through it stays inside",
        |dir| {
            good("link", dir.link("../..", "up"))?;
            good("link", dir.link("up", "up2"))?;
            for path in ["up", "up2", "up/x", "up2/ground/x"] {
                fails(path, dir.reader(path), &[ErrorCode::NotPermitted])?;
                fails(path, dir.stat(path), &[ErrorCode::NotPermitted])?;
            }
            fails("mkdir", dir.mkdir("up/x"), &[ErrorCode::NotPermitted])?;
            same(
                "target",
                good("readlink", dir.0.readlink_at("up"))?,
                "../..".to_owned(),
            )?;
            good("rm", dir.rm("up2"))
        },
    ),
    check(
        "readlink-no-link",
        "POSIX readlink: EINVAL, ENOENT",
        |dir| {
            good("mkdir", dir.mkdir("sub"))?;
            good("write", dir.write("file", b""))?;
            for path in ["file", "sub", "."] {
                fails(path, dir.0.readlink_at(path), &[ErrorCode::Invalid])?;
            }
            fails(
                "missing",
                dir.0.readlink_at("missing"),
                &[ErrorCode::NoEntry],
            )?;
            fails("empty", dir.0.readlink_at(""), &[ErrorCode::NoEntry])?;
            fails("..", dir.0.readlink_at(".."), &[ErrorCode::NotPermitted])
        },
    ),
    check("symlink-loop", "POSIX: ELOOP", |dir| {
        good("link", dir.link("self", "self"))?;
        good("link", dir.link("b", "a"))?;
        good("link", dir.link("a", "b"))?;
        for path in ["self", "a", "b", "a/x"] {
            fails(path, dir.reader(path), &[ErrorCode::Loop])?;
            fails(path, dir.stat(path), &[ErrorCode::Loop])?;
        }
        good("lstat", dir.lstat("self").map(drop))
    }),
    check("symlink-chain", "POSIX SYMLOOP_MAX is at least 8", |dir| {
        good("write", dir.write("file", b"x"))?;
        good("link", dir.link("file", "link0"))?;
        for n in 1..=20 {
            good(
                "link",
                dir.link(&format!("link{}", n - 1), &format!("link{n}")),
            )?;
        }
        same("bytes", good("read", dir.read("link20"))?, b"x".to_vec())
    }),
    check(
        "symlink-to-folder",
        "POSIX pathname resolution through links",
        |dir| {
            good("mkdir", dir.mkdir("a"))?;
            good("mkdir", dir.mkdir("a/b"))?;
            good("write", dir.write("a/b/file", b"x"))?;
            good("write", dir.write("a/beside", b"y"))?;
            good("link", dir.link("a/b", "into"))?;
            good("link", dir.link("a/b/", "into-slash"))?;
            for path in ["into/file", "into-slash/file", "into/./file", "into//file"] {
                same(path, good(path, dir.read(path))?, b"x".to_vec())?;
            }
            // `..` goes up from where the link leads.
            same("..", good("..", dir.read("into/../beside"))?, b"y".to_vec())?;
            let kind = |path| good(path, dir.lstat(path)).map(|stat| stat.type_);
            holds(
                "into is a link",
                kind("into")? == DescriptorType::SymbolicLink,
            )?;
            holds(
                "into/ is a folder",
                kind("into/")? == DescriptorType::Directory,
            )?;
            good("write", dir.write("into/new", b""))?;
            good("there", dir.stat("a/b/new").map(drop))
        },
    ),
    check("link-slash", "POSIX: a slash asks for a directory", |dir| {
        good("write", dir.write("file", b""))?;
        good("link", dir.link("file", "link"))?;
        fails("stat", dir.stat("link/"), &[ErrorCode::NotDirectory])?;
        fails("open", dir.reader("link/"), &[ErrorCode::NotDirectory])?;
        fails("unlink", dir.rm("link/"), &[ErrorCode::NotDirectory])
    }),
    check("hard-link", "POSIX link", |dir| {
        good("write", dir.write("file", b"x"))?;
        good("mkdir", dir.mkdir("sub"))?;
        let sub = good("open", dir.folder("sub"))?;
        good("ln", dir.ln("file", "twin"))?;
        good(
            "ln",
            dir.0.link_at(PathFlags::empty(), "file", &sub, "third"),
        )?;
        same("links", good("stat", dir.stat("file"))?.link_count, 3)?;
        good("write", dir.write("sub/third", b"both"))?;
        same("file", good("read", dir.read("file"))?, b"both".to_vec())?;
        good("rm", dir.rm("file"))?;
        same("twin", good("read", dir.read("twin"))?, b"both".to_vec())?;
        same("links", good("stat", dir.stat("twin"))?.link_count, 2)
    }),
    check("hard-link-there", "POSIX link: EEXIST", |dir| {
        good("write", dir.write("file", b""))?;
        good("write", dir.write("other", b""))?;
        good("mkdir", dir.mkdir("sub"))?;
        good("link", dir.link("nothing", "dangling"))?;
        for path in ["file", "other", "sub", "dangling"] {
            fails(path, dir.ln("file", path), &[ErrorCode::Exist])?;
        }
        Ok(())
    }),
    check(
        "hard-link-wrong",
        "POSIX link: EPERM for a directory, ENOENT",
        |dir| {
            good("write", dir.write("file", b""))?;
            good("mkdir", dir.mkdir("sub"))?;
            let refused = &[ErrorCode::NotPermitted, ErrorCode::Access];
            fails("sub", dir.ln("sub", "new"), refused)?;
            fails(".", dir.ln(".", "new"), refused)?;
            fails("missing", dir.ln("missing", "new"), &[ErrorCode::NoEntry])?;
            fails("empty", dir.ln("", "new"), &[ErrorCode::NoEntry])?;
            fails("to empty", dir.ln("file", ""), &[ErrorCode::NoEntry])?;
            fails("to slash", dir.ln("file", "new/"), &[ErrorCode::NoEntry])?;
            fails("file/", dir.ln("file/", "new"), &[ErrorCode::NotDirectory])?;
            fails("outside", dir.ln("file", "../new"), refused)?;
            fails("/", dir.ln("/", "new"), refused)
        },
    ),
    check(
        "hard-link-to-link",
        "POSIX linkat: without AT_SYMLINK_FOLLOW the link itself",
        |dir| {
            good("link", dir.link("nothing", "dangling"))?;
            good("link", dir.link("self", "self"))?;
            good("ln", dir.ln("dangling", "twin"))?;
            good("ln", dir.ln("self", "twin2"))?;
            same(
                "target",
                good("readlink", dir.0.readlink_at("twin"))?,
                "nothing".to_owned(),
            )
        },
    ),
    check(
        "hard-link-follow",
        "WASI hosts refuse to follow a link here",
        |dir| {
            good("write", dir.write("file", b""))?;
            good("link", dir.link("file", "link"))?;
            let followed = dir.0.link_at(FOLLOW, "link", dir.0, "new");
            fails("follow", followed, &[ErrorCode::Invalid])
        },
    ),
    check(
        "link-moved",
        "POSIX: a link is read from where it stands",
        |dir| {
            good("mkdir", dir.mkdir("a"))?;
            good("write", dir.write("a/file", b"in a"))?;
            good("write", dir.write("file", b"at top"))?;
            good("link", dir.link("file", "link"))?;
            good("mv", dir.mv("link", "a/link"))?;
            same("bytes", good("read", dir.read("a/link"))?, b"in a".to_vec())?;
            let sub = good("open", dir.folder("a"))?;
            same(
                "from a",
                good("read", Dir(&sub).read("link"))?,
                b"in a".to_vec(),
            )
        },
    ),
];
