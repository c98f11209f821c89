//! `read-directory`.

use std::collections::BTreeSet;

use wasip2::filesystem::types::DescriptorType;

use super::{Check, check};
use crate::asked::{CREATE, Dir, WRITE, good, holds, same};

pub(super) const CHECKS: &[Check] = &[
    check(
        "list",
        "WASI read-directory: every name once, without dots, with its type",
        |dir| {
            same("empty", good("list", dir.names("."))?, vec![])?;
            good("write", dir.write("file", b""))?;
            good("mkdir", dir.mkdir("sub"))?;
            good("link", dir.link("nothing", "link"))?;
            good("write", dir.write("Действие", b""))?;
            let listing = good("list", dir.0.read_directory())?;
            let mut seen = Vec::new();
            while let Some(entry) = good("next", listing.read_directory_entry())? {
                let kind = match entry.type_ {
                    DescriptorType::RegularFile => "file",
                    DescriptorType::Directory => "folder",
                    DescriptorType::SymbolicLink => "link",
                    _ => "other",
                };
                seen.push((entry.name, kind));
            }
            seen.sort();
            let expect = [
                ("file", "file"),
                ("link", "link"),
                ("sub", "folder"),
                ("Действие", "file"),
            ];
            same(
                "names",
                seen,
                expect.map(|(name, kind)| (name.to_owned(), kind)).to_vec(),
            )?;
            let after = good("after the end", listing.read_directory_entry())?;
            holds("after the end", after.is_none())
        },
    ),
    check("list-many", "a thousand names", |dir| {
        for n in 0..1_000 {
            good("make", dir.open(&format!("file.{n}"), CREATE, WRITE))?;
        }
        let names = good("list", dir.names("."))?;
        same("count", names.len(), 1_000)?;
        same(
            "different",
            names.iter().collect::<BTreeSet<_>>().len(),
            1_000,
        )
    }),
    check("list-twice", "WASI: every stream begins anew", |dir| {
        for name in ["a", "b", "c"] {
            good("write", dir.write(name, b""))?;
        }
        let one = good("list", dir.0.read_directory())?;
        let two = good("list", dir.0.read_directory())?;
        let mut names = BTreeSet::new();
        for _ in 0..3 {
            for listing in [&one, &two] {
                let entry = good("next", listing.read_directory_entry())?;
                names.extend(entry.map(|entry| entry.name));
            }
        }
        same("names", names.len(), 3)?;
        let ends = |listing| {
            good(
                "end",
                wasip2::filesystem::types::DirectoryEntryStream::read_directory_entry(listing),
            )
        };
        holds("ends", ends(&one)?.is_none() && ends(&two)?.is_none())
    }),
    check(
        "list-while-removing",
        "POSIX readdir: what was not removed is listed",
        |dir| {
            for n in 0..100 {
                good("write", dir.write(&format!("{n}"), b""))?;
            }
            let listing = good("list", dir.0.read_directory())?;
            let mut seen = 0;
            while let Some(entry) = good("next", listing.read_directory_entry())? {
                good("rm", dir.rm(&entry.name))?;
                seen += 1;
            }
            same("seen", seen, 100)?;
            drop(listing);
            same("left", good("list", dir.names("."))?, vec![])
        },
    ),
    check(
        "list-after-handle",
        "a stream outlives the handle it came from",
        |dir| {
            good("mkdir", dir.mkdir("sub"))?;
            good("write", dir.write("sub/file", b""))?;
            let sub = good("open", dir.folder("sub"))?;
            let listing = good("list", sub.read_directory())?;
            drop(sub);
            let entry = good("next", listing.read_directory_entry())?;
            same(
                "name",
                entry.map(|entry| entry.name),
                Some("file".to_owned()),
            )
        },
    ),
    check(
        "list-renamed",
        "a handle lists its directory, whatever that is called by now",
        |dir| {
            good("mkdir", dir.mkdir("a"))?;
            good("write", dir.write("a/file", b""))?;
            let sub = good("open", dir.folder("a"))?;
            good("mv", dir.mv("a", "b"))?;
            good("mkdir", dir.mkdir("a"))?;
            same(
                "names",
                good("list", Dir(&sub).names("."))?,
                vec!["file".to_owned()],
            )
        },
    ),
];
