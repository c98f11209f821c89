//! The verbs against a real directory, each case run twice: with the kernel resolving paths, and name by name.
//!
//! The policy of [`World`]: everything may be read, `docs/**` and `out/**` written, `secrets/**` and `**/*.key` are denied.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use ringfence_core::policy::{DenyPattern, DenySource, Layer, PolicySpec, Rule};
use ringfence_core::quantity::{Bytes, Fuel};
use rustix::fs::{FileType as Kind, Mode};

mod bounds;
#[cfg(target_os = "linux")]
mod lone;

use super::handle::Descriptor;
use super::stop::{Answer, Stop};
use super::walk::LastLink::{Follow, Keep};
use super::*;
use crate::bindings::wasi::filesystem::types::{
    DescriptorFlags as Flags, ErrorCode, NewTimestamp, OpenFlags,
};

const SECRET: &str = "the secret bytes";

struct World {
    dir: tempfile::TempDir,
    fs: Fs,
    root: Arc<Place>,
}

fn world(name_by_name: bool) -> World {
    world_with(
        name_by_name,
        &["**"],
        &["docs/**", "out/**"],
        &["secrets/**", "**/*.key"],
    )
}

fn world_with(name_by_name: bool, read: &[&str], write: &[&str], deny: &[&str]) -> World {
    let dir = tempfile::tempdir().unwrap();
    let at = |path: &str| dir.path().join(path);
    for made in ["docs/deep/er", "out", "secrets/deep", "src"] {
        fs::create_dir_all(at(made)).unwrap();
    }
    for (path, text) in [
        ("docs/a.md", "a"),
        ("docs/deep/er/b.md", "b"),
        ("docs/x.key", SECRET),
        ("secrets/s.txt", SECRET),
        ("secrets/deep/s.txt", SECRET),
        ("src/main.rs", "fn main() {}"),
    ] {
        fs::write(at(path), text).unwrap();
    }
    for (target, link) in [
        ("a.md", "docs/to-file"),
        ("deep", "docs/to-dir"),
        ("to-file", "docs/to-link"),
        ("../secrets/s.txt", "docs/to-secret"),
        ("../secrets", "docs/to-secrets"),
        ("to-secrets", "docs/to-to-secrets"),
        ("/etc/passwd", "docs/to-absolute"),
        ("../../../../../../etc/passwd", "docs/to-outside"),
        ("loop-b", "docs/loop-a"),
        ("loop-a", "docs/loop-b"),
        ("nothing", "docs/dangling"),
    ] {
        symlink(target, at(link)).unwrap();
    }
    fs::hard_link(at("secrets/s.txt"), at("docs/alias.txt")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        at("docs/fifo"),
        Kind::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let own = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
    let policy = PathPolicy::new(&PolicySpec {
        layers: vec![Layer {
            name: "loop".into(),
            read: own(read),
            write: own(write),
        }],
        deny: deny
            .iter()
            .map(|glob| DenyPattern {
                pattern: (*glob).into(),
                source: DenySource::Operator,
            })
            .collect(),
    })
    .unwrap();
    let mount = Mount {
        guest_path: "/".into(),
        host_path: dir.path().to_owned(),
        policy,
    };
    let meter = Arc::new(Meter::new(Fuel(1 << 40), Bytes(1 << 20)));
    let fs = Fs::new(&[mount], Times::Real, name_by_name, &meter).unwrap();
    let root = Place::root(&fs.mounts[0].1);
    World { dir, fs, root }
}

/// Runs a case in both modes.
fn both(case: impl Fn(World)) {
    for name_by_name in [false, true] {
        case(world(name_by_name));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Fine,
    Denied,
    Code(ErrorCode),
}

use End::{Code, Denied, Fine};

fn end<T>(answer: &Answer<T>) -> End {
    match answer {
        Ok(_) => Fine,
        Err(Stop::Denied(_)) => Denied,
        Err(Stop::Code(code)) => Code(*code),
        Err(Stop::Broken(error)) => panic!("{error}"),
    }
}

impl World {
    fn open(&self, path: &str, open: OpenFlags, flags: Flags) -> Answer<Descriptor> {
        self.fs.open_at(&self.root, Follow, path, open, flags)
    }

    fn read(&self, path: &str) -> Answer<String> {
        let opened = self.open(path, OpenFlags::empty(), Flags::READ)?;
        let (bytes, _) = data::read(opened.file()?, 1 << 10, 0, &self.fs.meter)?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    fn write(&self, path: &str) -> Answer<()> {
        let opened = self.open(path, OpenFlags::CREATE | OpenFlags::TRUNCATE, Flags::WRITE)?;
        data::write(opened.file()?, b"written", 0, &self.fs.meter).map(drop)
    }

    fn names(&self, path: &str) -> Vec<String> {
        let dir = self.dir(path);
        self.fs
            .list(&dir)
            .unwrap()
            .0
            .into_iter()
            .rev()
            .map(|entry| entry.name)
            .collect()
    }

    fn dir(&self, path: &str) -> Arc<Place> {
        self.open(path, OpenFlags::DIRECTORY, Flags::READ)
            .unwrap()
            .dir()
            .unwrap()
            .place()
    }

    fn on_disk(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.dir.path().join(path)).ok()
    }

    /// What is denied must be as it was.
    fn assert_untouched(&self) {
        for path in ["secrets/s.txt", "secrets/deep/s.txt", "docs/x.key"] {
            assert_eq!(self.on_disk(path).as_deref(), Some(SECRET), "{path}");
        }
        assert_eq!(
            fs::read_dir(self.dir.path().join("secrets"))
                .unwrap()
                .count(),
            2
        );
    }
}

#[test]
fn reading() {
    both(|world| {
        for (path, expect) in [
            ("docs/a.md", Fine),
            ("./docs//a.md", Fine),
            ("docs/deep/../a.md", Fine),
            ("docs/../docs/a.md", Fine),
            ("docs/to-file", Fine),
            ("docs/to-link", Fine),
            ("docs/to-dir/er/b.md", Fine),
            ("docs/to-dir/../a.md", Fine),
            ("src/main.rs", Fine),
            ("docs/nothing", Code(ErrorCode::NoEntry)),
            ("docs/a.md/", Code(ErrorCode::NotDirectory)),
            ("docs/a.md/x", Code(ErrorCode::NotDirectory)),
            ("docs/nothing/x", Code(ErrorCode::NoEntry)),
            ("", Code(ErrorCode::NoEntry)),
            ("docs/loop-a", Code(ErrorCode::Loop)),
            ("docs/dangling", Code(ErrorCode::NoEntry)),
            (&"n".repeat(300), Code(ErrorCode::NameTooLong)),
            (&"n/".repeat(3_000), Code(ErrorCode::NameTooLong)),
            ("docs/a.md\0x", Code(ErrorCode::Invalid)),
            ("secrets/s.txt", Denied),
            ("secrets/nothing", Denied),
            ("SECRETS/s.txt", Denied),
            ("secrets./s.txt", Denied),
            ("secrets/../docs/a.md", Denied),
            ("docs/../secrets/s.txt", Denied),
            ("docs/to-secret", Denied),
            ("docs/to-secrets/s.txt", Denied),
            ("docs/to-to-secrets/deep/s.txt", Denied),
            ("docs/to-secrets/../docs/a.md", Denied),
            ("docs/alias.txt", Denied),
            ("docs/x.key", Denied),
            ("docs/x.KEY", Denied),
            ("docs/fifo", Denied),
            ("docs/to-absolute", Denied),
            ("docs/to-outside", Denied),
            ("/etc/passwd", Denied),
            ("../x", Denied),
            ("docs/../../x", Denied),
            ("docs\\a.md", Denied),
        ] {
            let read = world.read(path);
            assert_eq!(end(&read), expect, "{path}");
            assert!(read.ok().is_none_or(|text| text != SECRET), "{path}");
        }
        assert!(world.read("docs/alias.txt").is_err_and(|stop| matches!(
            stop,
            Stop::Denied(refusal) if refusal.rule == Rule::HardLink { other: "secrets/s.txt".into() }
        )));
    });
}

#[test]
fn writing() {
    both(|world| {
        for (path, expect) in [
            ("docs/a.md", Fine),
            ("docs/new.md", Fine),
            ("out/new", Fine),
            ("docs/to-file", Fine),
            ("docs/to-dir/new", Fine),
            ("docs", Code(ErrorCode::IsDirectory)),
            ("docs/newer/", Code(ErrorCode::IsDirectory)),
            ("docs/nothing/x", Code(ErrorCode::NoEntry)),
            ("docs/dangling", Fine),
            ("docs/nothing/x", Code(ErrorCode::NotDirectory)),
            ("src/main.rs", Denied),
            ("src/new.rs", Denied),
            ("new", Denied),
            ("secrets/new", Denied),
            ("docs/new.key", Denied),
            ("docs/New.KEY", Denied),
            ("docs/x.key", Denied),
            ("docs/to-secret", Denied),
            ("docs/to-secrets/new", Denied),
            ("docs/alias.txt", Denied),
            ("docs/fifo", Denied),
            ("docs/to-outside", Denied),
        ] {
            assert_eq!(end(&world.write(path)), expect, "{path}");
        }
        assert_eq!(world.on_disk("docs/a.md").as_deref(), Some("written"));
        assert_eq!(
            world.on_disk("src/main.rs").as_deref(),
            Some("fn main() {}")
        );
        world.assert_untouched();
    });
}

#[test]
fn open_flags_are_judged() {
    both(|world| {
        let (none, read, write) = (OpenFlags::empty(), Flags::READ, Flags::WRITE);
        for (path, open, flags, expect) in [
            ("src/main.rs", none, read, Fine),
            ("src/main.rs", none, write, Denied),
            ("src/main.rs", OpenFlags::TRUNCATE, read, Denied),
            ("src/main.rs", OpenFlags::CREATE, read, Fine),
            ("src/new.rs", OpenFlags::CREATE, read, Denied),
            (
                "src/main.rs",
                OpenFlags::CREATE | OpenFlags::EXCLUSIVE,
                read,
                Denied,
            ),
            (
                "docs/a.md",
                OpenFlags::CREATE | OpenFlags::EXCLUSIVE,
                write,
                Code(ErrorCode::Exist),
            ),
            (
                "docs/to-file",
                OpenFlags::CREATE | OpenFlags::EXCLUSIVE,
                write,
                Code(ErrorCode::Exist),
            ),
            (
                "docs/dangling",
                OpenFlags::CREATE | OpenFlags::EXCLUSIVE,
                write,
                Code(ErrorCode::Exist),
            ),
            (
                "docs/a.md",
                OpenFlags::DIRECTORY,
                read,
                Code(ErrorCode::NotDirectory),
            ),
            ("docs", OpenFlags::DIRECTORY, read, Fine),
            ("docs", none, write, Code(ErrorCode::IsDirectory)),
            (".", OpenFlags::DIRECTORY, read, Fine),
        ] {
            assert_eq!(
                end(&world.open(path, open, flags)),
                expect,
                "{path} {open:?} {flags:?}"
            );
        }
        assert_eq!(
            world.on_disk("src/main.rs").as_deref(),
            Some("fn main() {}")
        );
        let kept = world
            .fs
            .open_at(&world.root, Keep, "docs/to-file", none, read);
        assert_eq!(end(&kept), Code(ErrorCode::Loop));
        let read_only = world.open("docs/a.md", none, read).unwrap();
        let written = data::write(read_only.file().unwrap(), b"x", 0, &world.fs.meter);
        assert_eq!(end(&written), Code(ErrorCode::BadDescriptor));
    });
}

#[test]
fn listings_hide_what_is_denied() {
    both(|world| {
        assert_eq!(world.names("."), ["docs", "out", "src"]);
        let docs = world.names("docs");
        assert!(
            docs.contains(&"a.md".to_owned()) && !docs.contains(&"x.key".to_owned()),
            "{docs:?}"
        );
        assert!(docs.is_sorted());
    });
    let narrow = world_with(false, &["docs/deep/er/*.md"], &[], &[]);
    assert_eq!(narrow.names("."), ["docs"]);
    assert_eq!(narrow.names("docs"), ["deep"]);
    assert_eq!(end(&narrow.read("docs/deep/er/b.md")), Fine);
    assert_eq!(end(&narrow.read("docs/a.md")), Denied);
}

#[test]
fn looking() {
    both(|world| {
        let stat = |last, path| end(&world.fs.stat_at(&world.root, last, path));
        for (path, follow, keep) in [
            ("docs/a.md", Fine, Fine),
            (".", Fine, Fine),
            ("docs/to-file", Fine, Fine),
            ("docs/to-secret", Denied, Fine),
            ("docs/to-secrets/", Denied, Denied),
            ("docs/to-dir/", Fine, Fine),
            ("docs/dangling", Code(ErrorCode::NoEntry), Fine),
            ("docs/alias.txt", Denied, Denied),
            ("secrets", Denied, Denied),
            (
                "docs/nothing",
                Code(ErrorCode::NoEntry),
                Code(ErrorCode::NoEntry),
            ),
            (
                "docs/a.md/",
                Code(ErrorCode::NotDirectory),
                Code(ErrorCode::NotDirectory),
            ),
        ] {
            assert_eq!(
                (stat(Follow, path), stat(Keep, path)),
                (follow, keep),
                "{path}"
            );
        }
        for (path, expect) in [
            ("docs/to-file", Ok("a.md")),
            ("docs/a.md", Err(Code(ErrorCode::Invalid))),
            ("secrets/s.txt", Err(Denied)),
        ] {
            let target = world.fs.readlink_at(&world.root, path);
            assert_eq!(
                target.as_deref().map_err(|_| end(&target)),
                expect,
                "{path}"
            );
        }
    });
}

#[test]
fn changing_names() {
    both(|world| {
        let fs = &world.fs;
        for (path, expect) in [
            ("docs/new", Fine),
            ("docs/other/", Fine),
            ("docs/deep", Code(ErrorCode::Exist)),
            ("src/new", Denied),
            ("secrets/new", Denied),
            ("docs/dir.key", Denied),
            ("docs/to-secrets/new", Denied),
            (".", Denied),
        ] {
            assert_eq!(
                end(&fs.create_directory_at(&world.root, path)),
                expect,
                "mkdir {path}"
            );
        }
        for (path, expect) in [
            ("docs/new", Fine),
            ("docs/deep", Code(ErrorCode::NotEmpty)),
            ("docs/a.md", Code(ErrorCode::NotDirectory)),
            ("docs/to-dir/", Code(ErrorCode::NotDirectory)),
            ("secrets", Denied),
            ("src", Denied),
        ] {
            assert_eq!(
                end(&fs.remove_directory_at(&world.root, path)),
                expect,
                "rmdir {path}"
            );
        }
        for (path, expect) in [
            ("docs/to-secret", Fine),
            ("docs/a.md", Fine),
            ("docs/deep", Code(ErrorCode::IsDirectory)),
            ("docs/to-dir/", Code(ErrorCode::NotDirectory)),
            ("docs/nothing", Code(ErrorCode::NoEntry)),
            ("secrets/s.txt", Denied),
            ("docs/x.key", Denied),
            ("src/main.rs", Denied),
        ] {
            assert_eq!(
                end(&fs.unlink_file_at(&world.root, path)),
                expect,
                "unlink {path}"
            );
        }
        for (target, path, expect) in [
            ("deep", "docs/link", Fine),
            ("../src/main.rs", "docs/link2", Fine),
            ("../secrets", "docs/link3", Denied),
            ("../SECRETS/x", "docs/link4", Denied),
            ("/etc", "docs/link5", Denied),
            ("../../up", "docs/link6", Denied),
            ("deep", "secrets/link", Denied),
            ("deep", "docs/link.key", Denied),
        ] {
            assert_eq!(
                end(&fs.symlink_at(&world.root, target, path)),
                expect,
                "symlink {path}"
            );
        }
        world.assert_untouched();
    });
}

/// `a/.` is a directory by itself, not the name `a`.
#[test]
fn a_dot_at_the_end_is_no_name() {
    both(|mut world| {
        let (fs, root) = (&world.fs, &world.root);
        for path in ["docs/new/.", "docs/new/./"] {
            let made = fs.create_directory_at(root, path);
            assert_eq!(end(&made), Code(ErrorCode::NoEntry), "{path}");
        }
        fs.create_directory_at(root, "docs/empty").unwrap();
        for (path, expect) in [
            ("docs/empty/.", Code(ErrorCode::Invalid)),
            ("docs/a.md/.", Code(ErrorCode::NotDirectory)),
            ("src/.", Denied),
        ] {
            assert_eq!(end(&fs.remove_directory_at(root, path)), expect, "{path}");
        }
        let root = world.root.clone();
        let moved = world
            .fs
            .rename_at(&root, "docs/empty/.", &root, "out/empty");
        assert_eq!(end(&moved), Code(ErrorCode::Busy));
    });
}

#[test]
fn times() {
    both(|world| {
        let fs = &world.fs;
        let now = NewTimestamp::Now;
        for (path, last, expect) in [
            ("docs/a.md", Follow, Fine),
            ("docs/to-file", Follow, Fine),
            ("docs/to-secret", Follow, Denied),
            ("docs/to-secret", Keep, Fine),
            ("docs/alias.txt", Follow, Denied),
            ("docs/fifo", Follow, Denied),
            ("src/main.rs", Follow, Denied),
            ("secrets/s.txt", Follow, Denied),
        ] {
            assert_eq!(
                end(&fs.set_times_at(&world.root, last, path, now, now)),
                expect,
                "{path}"
            );
        }
        let before = fs::metadata(world.dir.path().join("src/main.rs"))
            .unwrap()
            .mtime_nsec();
        let held = world
            .open("src/main.rs", OpenFlags::empty(), Flags::READ)
            .unwrap();
        assert_eq!(
            end(&fs.set_times(&held, now, now)),
            Denied,
            "a read-only handle"
        );
        assert_eq!(
            fs::metadata(world.dir.path().join("src/main.rs"))
                .unwrap()
                .mtime_nsec(),
            before
        );
        let far = NewTimestamp::Timestamp(crate::bindings::wasi::clocks::wall_clock::Datetime {
            seconds: u64::MAX,
            nanoseconds: 0,
        });
        assert_eq!(
            end(&fs.set_times_at(&world.root, Follow, "docs/a.md", far, far)),
            Code(ErrorCode::Overflow)
        );
        // A file from before 1970 has no time a guest could be told.
        let past = rustix::fs::Timestamps {
            last_access: rustix::fs::Timespec {
                tv_sec: -5,
                tv_nsec: 0,
            },
            last_modification: rustix::fs::Timespec {
                tv_sec: -5,
                tv_nsec: 0,
            },
        };
        let path = world.dir.path().join("docs/a.md");
        rustix::fs::utimensat(rustix::fs::CWD, &path, &past, rustix::fs::AtFlags::empty()).unwrap();
        assert!(
            fs.stat_at(&world.root, Follow, "docs/a.md")
                .unwrap()
                .data_modification_timestamp
                .is_none()
        );
    });
}

#[test]
fn renames_judge_both_ends_and_what_they_carry() {
    both(|mut world| {
        let root = world.root.clone();
        for (old, new, expect) in [
            ("docs/a.md", "out/a.md", Fine),
            ("out/a.md", "docs/a.md", Fine),
            ("docs/a.md", "src/a.md", Denied),
            ("src/main.rs", "docs/main.rs", Denied),
            ("docs/a.md", "docs/a.key", Denied),
            ("docs/a.md", "secrets/a.md", Denied),
            ("secrets", "docs/s", Denied),
            ("secrets/s.txt", "docs/s.txt", Denied),
            ("docs/alias.txt", "docs/alias2.txt", Denied),
            ("docs/x.key", "docs/x.txt", Denied),
            // It carries docs/x.key along.
            ("docs", "out/docs", Denied),
            ("docs/deep", "out/deep", Fine),
            ("docs/nothing", "out/nothing", Code(ErrorCode::NoEntry)),
            ("docs/a.md/", "docs/b.md", Code(ErrorCode::NotDirectory)),
            (".", "docs/x", Denied),
        ] {
            assert_eq!(
                end(&world.fs.rename_at(&root, old, &root, new)),
                expect,
                "{old} -> {new}"
            );
        }
        assert_eq!(world.on_disk("out/deep/er/b.md").as_deref(), Some("b"));
        world.assert_untouched();
    });
}

#[test]
fn a_held_directory_keeps_no_rights_of_the_path_it_left() {
    for name_by_name in [false, true] {
        let mut world = world_with(name_by_name, &["**"], &["**"], &["out/deep/secret"]);
        let root = world.root.clone();
        let opened = world
            .open("docs/deep", OpenFlags::DIRECTORY, Flags::READ)
            .unwrap();
        let held = opened.dir().unwrap().clone();
        world.fs.dirs.push(Arc::downgrade(&held.place));
        world
            .fs
            .rename_at(&root, "docs/deep", &root, "out/deep")
            .unwrap();
        let create = |name| {
            end(&world
                .fs
                .open_at(&held.place(), Follow, name, OpenFlags::CREATE, Flags::WRITE))
        };
        assert_eq!(create("secret"), Denied);
        assert_eq!(create("plain"), Fine);
        assert!(world.on_disk("out/deep/secret").is_none());
    }
}

#[test]
fn links_judge_both_ends() {
    both(|world| {
        let link = |old, new| end(&world.fs.link_at(&world.root, Keep, old, &world.root, new));
        for (old, new, expect) in [
            ("docs/a.md", "out/a.md", Fine),
            ("src/main.rs", "docs/main.rs", Denied),
            ("secrets/s.txt", "docs/s.txt", Denied),
            ("docs/alias.txt", "docs/alias2.txt", Denied),
            ("docs/a.md", "docs/a.key", Denied),
            ("docs/deep", "docs/deep2", Code(ErrorCode::NotPermitted)),
            ("docs/a.md", "docs/to-file", Code(ErrorCode::Exist)),
        ] {
            assert_eq!(link(old, new), expect, "{old} -> {new}");
        }
        // All names of this file are known and allowed, so it stays usable.
        assert_eq!(end(&world.write("out/a.md")), Fine);
        assert_eq!(world.on_disk("docs/a.md").as_deref(), Some("written"));
        // Now one is outside: reading is fine, writing would reach it.
        let outside = tempfile::tempdir_in(world.dir.path().parent().unwrap()).unwrap();
        fs::hard_link(
            world.dir.path().join("docs/deep/er/b.md"),
            outside.path().join("b"),
        )
        .unwrap();
        world.root.tree.other_names.forget();
        assert_eq!(end(&world.read("docs/deep/er/b.md")), Fine);
        assert_eq!(end(&world.write("docs/deep/er/b.md")), Denied);
    });
}

/// Others make second names, too, and at any time: what a search has found before is no answer then.
#[test]
fn a_second_name_made_after_a_search_is_found() {
    both(|world| {
        let at = |path: &str| world.dir.path().join(path);
        fs::write(at("docs/one"), "one").unwrap();
        fs::hard_link(at("docs/one"), at("docs/two")).unwrap();
        assert_eq!(end(&world.read("docs/one")), Fine);
        fs::hard_link(at("secrets/s.txt"), at("docs/late")).unwrap();
        assert_eq!(end(&world.read("docs/late")), Denied);
        fs::hard_link(at("docs/one"), at("secrets/one")).unwrap();
        assert_eq!(end(&world.read("docs/one")), Denied);
    });
}

/// A file that may be read under a name here may have another elsewhere, and keeps it when the one here is gone.
#[test]
fn a_handle_does_not_reach_the_name_that_is_left() {
    both(|world| {
        let outside = tempfile::tempdir_in(world.dir.path().parent().unwrap()).unwrap();
        let at = |path: &str| world.dir.path().join(path);
        for kept in [at("src/kept"), outside.path().join("kept")] {
            fs::write(&kept, "kept").unwrap();
            fs::hard_link(&kept, at("docs/alias")).unwrap();
            world.root.tree.other_names.forget();
            let held = world.open("docs/alias", OpenFlags::empty(), Flags::READ);
            let unlinked = world.fs.unlink_file_at(&world.root, "docs/alias");
            assert_eq!(end(&unlinked), Fine);
            let now = NewTimestamp::Now;
            let touched = world.fs.set_times(&held.unwrap(), now, now);
            assert_eq!(end(&touched), Denied, "{}", kept.display());
        }
        // A file without any name left is nobody else's.
        let held = world
            .open("docs/a.md", OpenFlags::empty(), Flags::READ)
            .unwrap();
        assert_eq!(
            end(&world.fs.unlink_file_at(&world.root, "docs/a.md")),
            Fine
        );
        let now = NewTimestamp::Now;
        assert_eq!(end(&world.fs.set_times(&held, now, now)), Fine);
    });
}

/// A name that no path can spell may be one that is denied.
#[test]
fn where_not_all_names_are_known_nothing_is_allowed() {
    use std::os::unix::ffi::OsStrExt;
    both(|world| {
        let unspelled = std::ffi::OsStr::from_bytes(b"secrets/\xff");
        fs::write(world.dir.path().join(unspelled), SECRET).unwrap();
        fs::hard_link(
            world.dir.path().join(unspelled),
            world.dir.path().join("docs/alias"),
        )
        .unwrap();
        assert_eq!(end(&world.read("docs/alias")), Denied);
        assert_eq!(end(&world.read("docs/a.md")), Fine);
    });
}

/// A link is a file as well, and its target its content.
#[test]
fn a_second_name_of_a_denied_link_is_not_read() {
    both(|world| {
        let at = |path: &str| world.dir.path().join(path);
        symlink(SECRET, at("secrets/link")).unwrap();
        fs::hard_link(at("secrets/link"), at("docs/alias")).unwrap();
        let target = world.fs.readlink_at(&world.root, "docs/alias");
        assert_eq!(end(&target), Denied);
    });
}

/// What is denied by its path is denied before anything is looked at, whoever resolves the path.
#[test]
fn a_denial_does_not_wait_for_what_is_there() {
    both(|world| {
        for path in [
            "docs/nothing/x.key/y",
            "docs/a.md/x.key/y",
            "docs/to-file/x.key/y",
            "docs/dangling/x.key/y",
        ] {
            assert_eq!(end(&world.read(path)), Denied, "{path}");
        }
    });
}

#[test]
fn handles_are_the_floor() {
    both(|world| {
        let deep = world.dir("docs/deep");
        let read = |path| {
            end(&world
                .fs
                .open_at(&deep, Follow, path, OpenFlags::empty(), Flags::READ))
        };
        assert_eq!(read("er/b.md"), Fine);
        assert_eq!(read("../a.md"), Denied);
        assert_eq!(read("er/../../a.md"), Denied);
    });
}

#[test]
fn the_write_quota_holds_for_sizes_too() {
    both(|world| {
        let opened = world
            .open("out/big", OpenFlags::CREATE, Flags::WRITE)
            .unwrap();
        let file = opened.file().unwrap();
        let meter = &world.fs.meter;
        assert_eq!(
            end(&data::set_size(file, 1 << 40, meter)),
            Code(ErrorCode::InsufficientSpace)
        );
        assert_eq!(end(&data::set_size(file, 1 << 19, meter)), Fine);
        assert_eq!(
            end(&data::write(file, &vec![0; 1 << 20], 0, meter)),
            Code(ErrorCode::InsufficientSpace)
        );
        assert_eq!(
            end(&data::set_size(file, 0, meter)),
            Fine,
            "cutting costs nothing"
        );
        assert_eq!(
            end(&data::write(file, b"x", 1 << 40, meter)),
            Code(ErrorCode::InsufficientSpace),
            "a hole counts as written"
        );
        assert_eq!(end(&data::write(file, b"", 1 << 40, meter)), Fine);
        assert_eq!(end(&data::write(file, b"x", 1 << 18, meter)), Fine);
        assert_eq!(meter.bytes_written(), Bytes((1 << 19) + (1 << 18) + 1));
    });
}

#[test]
fn a_handle_reached_by_a_link_is_judged_by_both_paths() {
    for name_by_name in [false, true] {
        let world = world_with(name_by_name, &["**"], &[], &["docs/to-dir/er/b.md"]);
        let deep = world.dir("docs/to-dir");
        for (path, expect) in [("er/b.md", Denied), ("er/../er/b.md", Denied), ("er", Fine)] {
            let opened = world
                .fs
                .open_at(&deep, Follow, path, OpenFlags::empty(), Flags::READ);
            assert_eq!(end(&opened), expect, "{path}");
        }
        assert_eq!(end(&world.read("docs/deep/er/b.md")), Fine);
    }
}

#[test]
fn what_is_charged_does_not_depend_on_how_a_path_is_resolved() {
    let cost = |name_by_name| {
        let world = world(name_by_name);
        for path in [
            "docs/deep/er/b.md",
            "docs/to-dir/er/b.md",
            "docs/../docs/a.md",
            "secrets/s.txt",
            "docs/alias.txt",
        ] {
            drop(world.read(path));
        }
        world.fs.meter.used()
    };
    assert_eq!(cost(false), cost(true));
}

#[test]
#[cfg(target_os = "linux")]
fn the_memory_of_processes_is_no_mount() {
    for dir in ["/proc", "/proc/self", "/proc/self/task"] {
        let mount = Mount {
            guest_path: "/".to_owned(),
            host_path: dir.into(),
            policy: PathPolicy::new(&PolicySpec {
                layers: vec![],
                deny: vec![],
            })
            .unwrap(),
        };
        let meter = Arc::new(Meter::new(Fuel(1), Bytes(1)));
        let refused = Fs::new(&[mount], Times::Real, false, &meter);
        assert!(refused.unwrap_err().1.to_string().contains("memory"));
    }
}

mod posix;
mod roots;
