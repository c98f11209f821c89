//! `rename-at`.

use wasip2::filesystem::types::ErrorCode;

use super::{Check, check};
use crate::asked::{Dir, fails, good, read_all, same};

pub(super) const CHECKS: &[Check] = &[
    check("rename-file", "POSIX rename", |dir| {
        good("write", dir.write("a", b"a"))?;
        good("mv", dir.mv("a", "b"))?;
        fails("gone", dir.stat("a"), &[ErrorCode::NoEntry])?;
        good("write", dir.write("c", b"c"))?;
        good("over a file", dir.mv("b", "c"))?;
        same("c", good("read", dir.read("c"))?, b"a".to_vec())?;
        good("onto itself", dir.mv("c", "c"))?;
        same("c", good("read", dir.read("c"))?, b"a".to_vec())?;
        fails("missing", dir.mv("missing", "d"), &[ErrorCode::NoEntry])?;
        fails("nowhere", dir.mv("c", "no/d"), &[ErrorCode::NoEntry])?;
        fails("empty", dir.mv("c", ""), &[ErrorCode::NoEntry])
    }),
    check(
        "rename-folder",
        "POSIX rename: over an empty directory, ENOTEMPTY over a full one",
        |dir| {
            good("mkdir", dir.mkdir("a"))?;
            good("write", dir.write("a/file", b"x"))?;
            good("mkdir", dir.mkdir("empty"))?;
            good("over empty", dir.mv("a", "empty"))?;
            same("file", good("read", dir.read("empty/file"))?, b"x".to_vec())?;
            good("mkdir", dir.mkdir("full"))?;
            good("write", dir.write("full/file", b"y"))?;
            fails(
                "over full",
                dir.mv("empty", "full"),
                &[ErrorCode::NotEmpty, ErrorCode::Exist],
            )?;
            same("kept", good("read", dir.read("full/file"))?, b"y".to_vec())
        },
    ),
    check("rename-kinds", "POSIX rename: EISDIR, ENOTDIR", |dir| {
        good("mkdir", dir.mkdir("sub"))?;
        good("write", dir.write("file", b""))?;
        fails(
            "file over folder",
            dir.mv("file", "sub"),
            &[ErrorCode::IsDirectory],
        )?;
        fails(
            "folder over file",
            dir.mv("sub", "file"),
            &[ErrorCode::NotDirectory],
        )
    }),
    check("rename-into-itself", "POSIX rename: EINVAL", |dir| {
        good("mkdir", dir.mkdir("sub"))?;
        fails(
            "into itself",
            dir.mv("sub", "sub/sub"),
            &[ErrorCode::Invalid],
        )
    }),
    check(
        "rename-dot",
        "POSIX rename: EBUSY or EINVAL for a dot",
        |dir| {
            good("mkdir", dir.mkdir("sub"))?;
            let wrong = &[ErrorCode::Busy, ErrorCode::Invalid];
            fails(".", dir.mv(".", "new"), wrong)?;
            fails("sub/.", dir.mv("sub/.", "new"), wrong)?;
            fails("to .", dir.mv("sub", "."), wrong)
        },
    ),
    check("rename-outside", "WASI path resolution", |dir| {
        good("write", dir.write("file", b""))?;
        for path in ["..", "../new", "/new", "/tmp/new"] {
            fails(path, dir.mv("file", path), &[ErrorCode::NotPermitted])?;
            fails(path, dir.mv(path, "new"), &[ErrorCode::NotPermitted])?;
        }
        good("there", dir.stat("file").map(drop))
    }),
    check(
        "rename-slash",
        "POSIX: slashes after a directory's name, ENOTDIR after a file's",
        |dir| {
            good("mkdir", dir.mkdir("a"))?;
            good("mv", dir.mv("a/", "b"))?;
            good("mv", dir.mv("b", "c/"))?;
            good("mv", dir.mv("c/", "d/"))?;
            good("there", dir.folder("d").map(drop))?;
            good("write", dir.write("file", b""))?;
            fails("file/", dir.mv("file/", "new"), &[ErrorCode::NotDirectory])?;
            let wrong = &[ErrorCode::NotDirectory, ErrorCode::NoEntry];
            fails("to slash", dir.mv("file", "new/"), wrong)
        },
    ),
    check(
        "rename-link",
        "POSIX rename: the link itself is moved and replaced",
        |dir| {
            good("write", dir.write("file", b"x"))?;
            good("link", dir.link("file", "link"))?;
            good("mv", dir.mv("link", "moved"))?;
            same(
                "target",
                good("readlink", dir.0.readlink_at("moved"))?,
                "file".to_owned(),
            )?;
            good("write", dir.write("other", b"y"))?;
            good("over a link", dir.mv("other", "moved"))?;
            same("file", good("read", dir.read("file"))?, b"x".to_vec())?;
            same("moved", good("read", dir.read("moved"))?, b"y".to_vec())
        },
    ),
    check(
        "rename-twin",
        "POSIX rename: two names of one file both stay",
        |dir| {
            good("write", dir.write("a", b"x"))?;
            good("ln", dir.ln("a", "b"))?;
            good("mv", dir.mv("a", "b"))?;
            good("a", dir.stat("a").map(drop))?;
            good("b", dir.stat("b").map(drop))
        },
    ),
    check("rename-between", "WASI rename-at with two handles", |dir| {
        good("mkdir", dir.mkdir("sub"))?;
        good("write", dir.write("file", b"x"))?;
        let sub = good("open", dir.folder("sub"))?;
        good("in", dir.0.rename_at("file", &sub, "inner"))?;
        same("inner", good("read", dir.read("sub/inner"))?, b"x".to_vec())?;
        good("out", sub.rename_at("inner", dir.0, "file"))?;
        fails(
            "gone",
            sub.rename_at("inner", dir.0, "file"),
            &[ErrorCode::NoEntry],
        )
    }),
    check("rename-open", "POSIX: an open handle goes along", |dir| {
        good("mkdir", dir.mkdir("a"))?;
        good("write", dir.write("a/file", b"x"))?;
        let folder = good("open", dir.folder("a"))?;
        let file = good("open", dir.reader("a/file"))?;
        good("mv", dir.mv("a", "b"))?;
        same(
            "through",
            good("read", Dir(&folder).read("file"))?,
            b"x".to_vec(),
        )?;
        good("write", Dir(&folder).write("new", b"y"))?;
        same("new", good("read", dir.read("b/new"))?, b"y".to_vec())?;
        same("file", good("read", read_all(&file))?, b"x".to_vec())
    }),
];
