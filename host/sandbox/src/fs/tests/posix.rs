//! Where the policy has no say: what POSIX and the WASI documents expect of the verbs.

use wasmtime_wasi_io::streams::OutputStream;

use super::*;
use crate::bindings::wasi::filesystem::types::MetadataHashValue;
use crate::fs::data::FileWriter;

fn none() -> OpenFlags {
    OpenFlags::empty()
}

/// Everything below `docs` may be read and written, `out` only written.
fn free(case: impl Fn(World)) {
    for name_by_name in [false, true] {
        case(world_with(
            name_by_name,
            &["docs", "docs/**"],
            &["docs", "docs/**", "out", "out/**"],
            &[],
        ));
    }
}

#[test]
fn a_handle_says_what_it_is_for() {
    let (nothing, read, write) = (Flags::empty(), Flags::READ, Flags::WRITE);
    let new = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
    free(|world| {
        for (path, open, asked, given) in [
            ("docs/a.md", none(), nothing, read),
            ("docs/a.md", none(), write, write),
            ("docs/a.md", none(), read | write, read | write),
            ("docs/a.md", OpenFlags::EXCLUSIVE, nothing, read),
            ("docs/a.md", OpenFlags::CREATE, read, read),
            ("docs/a.md", OpenFlags::TRUNCATE, nothing, read | write),
            ("docs/1", new, nothing, read | write),
            ("docs/2", new, read, read | write),
            ("docs/3", new, write, write),
            // May not be read, so it is not opened for that unasked.
            ("out/1", new, nothing, write),
            ("out/1", OpenFlags::TRUNCATE, nothing, write),
            ("out/1", none(), nothing, nothing),
            ("docs", none(), nothing, read),
            (
                "docs",
                none(),
                Flags::MUTATE_DIRECTORY,
                read | Flags::MUTATE_DIRECTORY,
            ),
            ("docs/.", OpenFlags::EXCLUSIVE, nothing, read),
        ] {
            let opened = world.open(path, open, asked).unwrap();
            assert_eq!(opened.flags(), given, "{path} {open:?} {asked:?}");
        }
        assert_eq!(end(&world.open("out/1", none(), read)), Denied);
        for open in [OpenFlags::CREATE, OpenFlags::TRUNCATE, OpenFlags::EXCLUSIVE] {
            for path in ["docs", "docs/a.md", "docs/.", "docs/nothing"] {
                let opened = world.open(path, OpenFlags::DIRECTORY | open, read);
                assert_eq!(end(&opened), Code(ErrorCode::Invalid), "{path} {open:?}");
            }
        }
    });
}

#[test]
fn a_directory_is_no_file() {
    free(|world| {
        let dir = world.open("docs", none(), Flags::READ).unwrap();
        let code = |answer: Answer<&_>| answer.map(drop).map_err(|stop| end::<()>(&Err(stop)));
        assert_eq!(code(dir.readable()), Err(Code(ErrorCode::IsDirectory)));
        assert_eq!(code(dir.file()), Err(Code(ErrorCode::BadDescriptor)));
    });
}

#[test]
fn offsets_have_a_sign_bit() {
    free(|world| {
        let opened = world
            .open("docs/a.md", none(), Flags::READ | Flags::WRITE)
            .unwrap();
        let (file, meter) = (opened.file().unwrap(), &world.fs.meter);
        let wrong = Code(ErrorCode::Invalid);
        for offset in [u64::MAX, 1 << 63] {
            assert_eq!(end(&data::read(file, 1, offset, meter)), wrong);
            assert_eq!(end(&data::write(file, b"x", offset, meter)), wrong);
            assert_eq!(end(&data::set_size(file, offset, meter)), wrong);
        }
        let last = i64::MAX.unsigned_abs();
        assert_eq!(data::read(file, 1, last, meter).unwrap(), (vec![], true));
        assert_eq!(data::read(file, 0, 0, meter).unwrap(), (vec![], false));
    });
}

#[test]
fn links_to_links() {
    free(|world| {
        let link = |old, new| end(&world.fs.link_at(&world.root, Keep, old, &world.root, new));
        for (old, new, expect) in [
            ("docs/dangling", "docs/1", Fine),
            ("docs/loop-a", "docs/2", Fine),
            ("docs/a.md", "docs/dangling", Code(ErrorCode::Exist)),
            ("docs/a.md", "docs/deep", Code(ErrorCode::Exist)),
            ("docs/a.md", "docs/deep/", Code(ErrorCode::Exist)),
            ("docs/a.md", "docs/3/", Code(ErrorCode::NoEntry)),
            ("docs/deep", "docs/3", Code(ErrorCode::NotPermitted)),
            ("docs/fifo", "docs/3", Code(ErrorCode::NotPermitted)),
        ] {
            assert_eq!(link(old, new), expect, "{old} -> {new}");
        }
        let target = world.fs.readlink_at(&world.root, "docs/1");
        assert_eq!(target.unwrap(), "nothing");
    });
    // A link with a second name is judged by both, like a file.
    let world = world_with(false, &["**"], &["docs/**"], &["secrets/**"]);
    let at = |path: &str| world.dir.path().join(path);
    symlink("a word that nobody may read", at("secrets/link")).unwrap();
    fs::hard_link(at("secrets/link"), at("docs/twin")).unwrap();
    assert_eq!(end(&world.fs.readlink_at(&world.root, "docs/twin")), Denied);
}

#[test]
fn a_slash_after_the_last_name() {
    free(|world| {
        let fs = &world.fs;
        let link = |path| end(&fs.symlink_at(&world.root, "a.md", path));
        assert_eq!(link("docs/new/"), Code(ErrorCode::NoEntry));
        assert_eq!(link("docs/deep/"), Code(ErrorCode::Exist));
        assert_eq!(link("docs/a.md/"), Code(ErrorCode::Exist));
        let read = |path| end(&fs.readlink_at(&world.root, path));
        assert_eq!(read("docs/a.md/"), Code(ErrorCode::NotDirectory));
        assert_eq!(read("docs/to-file/"), Code(ErrorCode::NotDirectory));
        assert_eq!(read("docs/to-dir/"), Code(ErrorCode::Invalid));
    });
}

#[test]
fn a_file_keeps_its_number_when_it_is_written() {
    free(|world| {
        let number = |path| {
            let MetadataHashValue { lower, upper } =
                world.fs.hash_at(&world.root, Follow, path).unwrap();
            (lower, upper)
        };
        let before = number("docs/a.md");
        world.write("docs/a.md").unwrap();
        let answer = world
            .fs
            .link_at(&world.root, Keep, "docs/a.md", &world.root, "docs/twin");
        assert_eq!(end(&answer), Fine);
        assert_eq!(number("docs/a.md"), before);
        assert_eq!(number("docs/twin"), before);
        assert_ne!(number("docs/deep/er/b.md"), before);
    });
}

#[test]
fn a_dot_after_the_last_name() {
    free(|mut world| {
        let root = world.root.clone();
        let fs = &mut world.fs;
        for path in ["docs/deep/.", "docs/deep/./", "docs/to-dir/."] {
            assert_eq!(
                end(&fs.create_directory_at(&root, path)),
                Code(ErrorCode::Exist)
            );
            assert_eq!(
                end(&fs.remove_directory_at(&root, path)),
                Code(ErrorCode::Invalid)
            );
            assert_eq!(
                end(&fs.unlink_file_at(&root, path)),
                Code(ErrorCode::IsDirectory)
            );
            let moved = fs.rename_at(&root, path, &root, "docs/new");
            assert_eq!(end(&moved), Code(ErrorCode::Busy));
        }
        for (path, expect) in [
            ("docs/a.md/.", ErrorCode::NotDirectory),
            ("docs/nothing/.", ErrorCode::NoEntry),
        ] {
            assert_eq!(
                end(&fs.remove_directory_at(&root, path)),
                Code(expect),
                "{path}"
            );
            assert_eq!(
                end(&fs.create_directory_at(&root, path)),
                Code(expect),
                "{path}"
            );
        }
    });
}

#[test]
fn a_programs_link_may_lead_out_but_nobody_follows_it() {
    free(|world| {
        let World { dir, fs, root } = world;
        let fs = fs.with_links(Links::Anywhere);
        let link = |target, path| end(&fs.symlink_at(&root, target, path));
        assert_eq!(link("../..", "docs/up"), Fine);
        assert_eq!(link("/etc", "docs/absolute"), Denied);
        assert_eq!(link("../src/main.rs", "docs/unseen"), Denied);
        for path in ["docs/up", "docs/up/x"] {
            let opened = fs.open_at(&root, Follow, path, none(), Flags::READ);
            assert_eq!(end(&opened), Denied, "{path}");
        }
        drop(dir);
    });
}

/// Two programs that append to one log must not write over one another.
#[test]
fn appending_is_one_step() {
    const LINES: usize = 2_000;
    let world = world(false);
    let opened = world
        .open("docs/log", OpenFlags::CREATE, Flags::WRITE)
        .unwrap();
    let mut ours = FileWriter {
        file: Arc::clone(&opened.file().unwrap().file),
        offset: None,
        meter: Arc::clone(&world.fs.meter),
    };
    let path = world.dir.path().join("docs/log");
    let theirs = std::thread::spawn(move || {
        let mut log = fs::OpenOptions::new().append(true).open(path).unwrap();
        for _ in 0..LINES {
            std::io::Write::write_all(&mut log, b"theirs\n").unwrap();
        }
    });
    for _ in 0..LINES {
        ours.write("ours\n".into()).unwrap();
    }
    theirs.join().unwrap();
    let log = world.on_disk("docs/log").unwrap();
    for who in ["ours", "theirs"] {
        assert_eq!(
            log.lines().filter(|line| *line == who).count(),
            LINES,
            "{who}"
        );
    }
}
