//! Checkouts and change sets, against executors and repositories that mean no good.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use ringfence_core::change::ChangeKind;
use ringfence_core::relpath::RelPath;

use super::*;
use crate::fixture::{Opened, Rig, files, gits, put};
use crate::steps::NoSteps;

fn measure(opened: &Opened, base: &Base) -> ChangeSet {
    opened.ws.measure(base, &NoSteps).unwrap()
}

fn refusals(opened: &Opened, base: &Base) -> Vec<String> {
    match opened.ws.measure(base, &NoSteps) {
        Err(MeasureError::Refused(refused)) => refused.iter().map(ToString::to_string).collect(),
        other => panic!("not refused: {other:?}"),
    }
}

/// `A path 100644 +3-0`, one a file.
fn shown(change: &ChangeSet) -> Vec<String> {
    let line = |file: &ringfence_core::change::FileChange| {
        let kind = match file.kind {
            ChangeKind::Added => "A",
            ChangeKind::Modified => "M",
            ChangeKind::Deleted => "D",
        };
        let from = file
            .renamed_from
            .as_ref()
            .map(|path| format!(" from {path}"))
            .unwrap_or_default();
        let binary = if file.binary { " binary" } else { "" };
        let (old, new, path) = (file.old_mode, file.new_mode, file.path.as_str());
        format!(
            "{kind} {path:?} {old:o}>{new:o} {} +{}-{}{binary}{from}",
            file.size, file.lines_added, file.lines_removed
        )
    };
    change.files.iter().map(line).collect()
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// What the tree of `base` should look like on disk, by the user's git.
fn expected_files(rig: &Rig, tree: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let dir = rig.top.with_file_name("expected");
    fs::create_dir_all(&dir).unwrap();
    let index = rig.top.with_file_name("expected-index");
    let git = Git::new(
        &rig.program,
        &rig.top.join(".git"),
        crate::git::Durability::Cache,
    )
    .with_tree(&dir, &index);
    git.call("read-tree")
        .args(["--reset", "-u", tree])
        .run()
        .unwrap();
    files(&dir)
}

#[test]
fn a_checkout_equals_its_tree_and_measures_empty() {
    for program in gits() {
        for switches in [&[][..], &["--object-format=sha256"]] {
            let rig = Rig::filled(&program, switches);
            let before = rig.users_state();
            let opened = rig.open();
            let base = opened.prepare();
            assert_eq!(base.tree, rig.git(&["rev-parse", "HEAD^{tree}"]));
            assert_eq!(base.commit, Some(rig.git(&["rev-parse", "HEAD"])));
            assert_eq!(base.time.as_second(), 1_700_000_000);
            assert_eq!(files(&base.dir), files(&rig.top));
            assert_eq!(
                fs::metadata(base.dir.join("run.sh"))
                    .unwrap()
                    .permissions()
                    .mode()
                    & 0o100,
                0o100
            );
            let change = measure(&opened, &base);
            assert!(change.is_empty() && change.ignored.is_empty());
            assert_eq!(change.candidate_tree, base.tree);
            assert_eq!(rig.users_state(), before);
        }
    }
}

#[test]
fn every_kind_of_change_is_measured() {
    for program in gits() {
        let rig = Rig::repository(&program);
        let opened = rig.open();
        let base = opened.prepare();
        let dir = &base.dir;
        put(dir, b"README.md", b"# Hello\n\n[guide](docs/guide.md)\n");
        put(dir, b"new/--help", b"a\nb\n");
        put(dir, b"bin", &[0, 1, 2]);
        fs::remove_dir_all(dir.join("docs/deep")).unwrap();
        put(dir, b"docs/deep", b"");
        fs::rename(dir.join("docs/guide.md"), dir.join("docs/manual.md")).unwrap();
        fs::write(
            dir.join("docs/manual.md"),
            "one\ntwo\nthree\nfour\nfive\nSIX\n",
        )
        .unwrap();
        fs::set_permissions(dir.join("run.sh"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::remove_file(dir.join("link.md")).unwrap();
        fs::write(dir.join("link.md"), "plain\n").unwrap();
        symlink("/etc/passwd", dir.join("outside")).unwrap();
        put(dir, b"target/out", b"x");
        put(dir, b"a.log", b"x");
        let change = measure(&opened, &base);
        let expect = [
            r#"M "README.md" 100644>100644 32 +1-1"#,
            r#"A "bin" 0>100644 3 +0-0 binary"#,
            r#"A "docs/deep" 0>100644 0 +0-0"#,
            r#"D "docs/deep/er/x.md" 100644>0 0 +0-1"#,
            r#"D "docs/guide.md" 100644>0 0 +0-0"#,
            r#"A "docs/manual.md" 0>100644 28 +1-1 from docs/guide.md"#,
            r#"M "link.md" 120000>100644 6 +1-1"#,
            r#"A "new/--help" 0>100644 4 +2-0"#,
            r#"A "outside" 0>120000 11 +1-0"#,
            r#"M "run.sh" 100755>100644 10 +0-0"#,
        ];
        assert_eq!(shown(&change), expect, "{:?}", program.version());
        let ignored: Vec<_> = change.ignored.iter().map(RelPathText::text).collect();
        assert_eq!(ignored, ["a.log", "target/out"]);
        opened.ws.verify(&base, &change, &NoSteps).unwrap();
        let blobs: BTreeMap<_, _> = change
            .files
            .iter()
            .map(|file| (file.path.as_str(), file))
            .collect();
        assert_eq!(
            opened.ws.read_blob(&blobs["bin"].new_blob, 3).unwrap(),
            [0, 1, 2]
        );
        assert_eq!(
            opened
                .ws
                .read_blob(&blobs["docs/guide.md"].old_blob, 99)
                .unwrap(),
            b"one\ntwo\nthree\nfour\nfive\nsix\n"
        );
        assert!(blobs["bin"].old_blob.is_empty() && blobs["docs/guide.md"].new_blob.is_empty());

        // One byte more after the verdict is another change.
        put(dir, b"README.md", b"# Hello!\n");
        let moved = opened.ws.verify(&base, &change, &NoSteps).unwrap_err();
        assert!(matches!(moved, MeasureError::Moved { .. }), "{moved}");

        opened.ws.reset(&base, &NoSteps).unwrap();
        assert_eq!(files(dir), files(&rig.top));
        assert!(measure(&opened, &base).is_empty());
    }
}

trait RelPathText {
    fn text(&self) -> &str;
}

impl RelPathText for ringfence_core::relpath::RelPath {
    fn text(&self) -> &str {
        self.as_str()
    }
}

#[test]
fn same_size_and_times_do_not_hide_a_change() {
    for program in gits() {
        let rig = Rig::repository(&program);
        let opened = rig.open();
        let base = opened.prepare();
        let path = base.dir.join("docs/guide.md");
        let times = fs::metadata(&path).unwrap();
        let times = fs::FileTimes::new()
            .set_modified(times.modified().unwrap())
            .set_accessed(times.accessed().unwrap());
        fs::write(&path, "ONE\ntwo\nthree\nfour\nfive\nsix\n").unwrap();
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_times(times)
            .unwrap();
        assert_eq!(
            shown(&measure(&opened, &base)),
            [r#"M "docs/guide.md" 100644>100644 28 +1-1"#]
        );
        opened.ws.reset(&base, &NoSteps).unwrap();
        assert_eq!(files(&base.dir), files(&rig.top));
    }
}

#[test]
fn odd_but_honest_names_go_through() {
    for program in gits() {
        let rig = Rig::repository(&program);
        let names: [&[u8]; 8] = [
            b"--help",
            b"new\nline",
            b"tab\tname",
            b"quote\"d",
            b":(top)x",
            b"*",
            b" lead",
            "\u{fc}\u{1f980}".as_bytes(),
        ];
        for name in names {
            put(&rig.top, name, b"before\n");
        }
        rig.write("Case.md", "x\n");
        rig.commit("odd");
        let opened = rig.open();
        let base = opened.prepare();
        assert_eq!(files(&base.dir), files(&rig.top));
        for name in names {
            put(&base.dir, name, b"after\n");
            put(&base.dir, &[b"d/", name].concat(), b"new\n");
        }
        fs::rename(base.dir.join("Case.md"), base.dir.join("case.md")).unwrap();
        let change = measure(&opened, &base);
        assert_eq!(change.files.len(), 2 * names.len() + 2);
        assert!(shown(&change).contains(&r#"A "case.md" 0>100644 2 +0-0 from Case.md"#.to_owned()));
        let paths: Vec<_> = change.files.iter().map(|file| file.path.clone()).collect();
        let diff = String::from_utf8(opened.ws.unified_diff(&change, 1, &paths, 1 << 20).unwrap())
            .unwrap();
        assert_eq!(diff.matches("diff --git").count(), 2 * names.len() + 1);
    }
}

#[test]
fn what_must_never_be_published_is_refused() {
    let rig = Rig::repository(&gits()[0]);
    put(&rig.top, b"raw\xffname", b"x");
    put(&rig.top, b"back\\slash", b"x");
    fs::create_dir_all(rig.top.join("fake/objects")).unwrap();
    for part in ["fake/HEAD", "fake/objects/o", "fake/refs/r"] {
        rig.write(part, "x");
    }
    rig.commit("odd names that are there already");
    let opened = rig.open();
    let base = opened.prepare();
    assert!(measure(&opened, &base).is_empty());
    let check = |make: &dyn Fn(&Path), expect: &[&str]| {
        opened.ws.reset(&base, &NoSteps).unwrap();
        make(&base.dir);
        assert_eq!(refusals(&opened, &base), expect);
    };
    check(
        &|dir| mkfifo(&dir.join("pipe")),
        &["pipe: a named pipe, which is neither file nor directory nor link"],
    );
    let socket = |dir: &Path| drop(std::os::unix::net::UnixListener::bind(dir.join("s")).unwrap());
    check(
        &socket,
        &["s: a socket, which is neither file nor directory nor link"],
    );
    check(
        &|dir| put(dir, b"docs/.git/config", b"x"),
        &["docs/.git: a name that can stand for .git"],
    );
    check(
        &|dir| put(dir, b".GIT", b"gitdir: /tmp\n"),
        &[".GIT: a name that can stand for .git"],
    );
    check(
        &|dir| put(dir, b"a/git~1", b""),
        &["a/git~1: a name that can stand for .git"],
    );
    check(
        &|dir| put(dir, b"new\xff", b""),
        &["new\\xff: a name that is not UTF-8"],
    );
    check(
        &|dir| put(dir, b"new\\n.log", b""),
        &["new\\\\n.log: a backslash in a name"],
    );
    check(
        &|dir| put(dir, b"raw\xffname", b"y"),
        &["raw\\xffname: a name that is not UTF-8"],
    );
    check(
        &|dir| fs::remove_file(dir.join("back\\slash")).unwrap(),
        &["back\\\\slash: a backslash in a name"],
    );
    check(
        &|dir| put(dir, b".gitmodules", b""),
        &[".gitmodules: a change of where submodules come from"],
    );
    let linked = |name: &'static str| {
        move |dir: &Path| {
            clean::remove_file_if_there(&dir.join(name)).unwrap();
            symlink("/etc/passwd", dir.join(name)).unwrap();
        }
    };
    check(
        &linked(".gitattributes"),
        &[".gitattributes: a link in the place of a file that git reads"],
    );
    check(
        &linked(".gitignore"),
        &[".gitignore: a link in the place of a file that git reads"],
    );
    let long = |dir: &Path| put(dir, b"sub/.gitattributes", &[b'x'; 3000]);
    check(
        &long,
        &["sub/.gitattributes: an attributes file with a line of more than 2048 bytes"],
    );
    let setuid = |dir: &Path| {
        fs::set_permissions(dir.join("run.sh"), fs::Permissions::from_mode(0o4755)).unwrap()
    };
    check(
        &setuid,
        &["run.sh: a set-user-id, set-group-id or sticky bit"],
    );
    let nested = |dir: &Path| {
        ["n/HEAD", "n/objects/x", "n/refs/x"]
            .iter()
            .for_each(|path| put(dir, path.as_bytes(), b""))
    };
    check(&nested, &["n: a repository inside the workspace"]);
    let deep = |dir: &Path| fs::create_dir_all(dir.join("d/".repeat(300))).unwrap();
    check(
        &deep,
        &[&format!(
            "{}: more than 256 directories deep",
            ["d"; 257].join("/")
        )],
    );
    let two = |dir: &Path| {
        mkfifo(&dir.join("b"));
        put(dir, b"a/.git", b"");
    };
    opened.ws.reset(&base, &NoSteps).unwrap();
    two(&base.dir);
    let error = opened.ws.measure(&base, &NoSteps).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the change must not be published: a/.git: a name that can stand for .git, and 1 more"
    );
    // And all of it is gone with the next reset.
    opened.ws.reset(&base, &NoSteps).unwrap();
    assert!(measure(&opened, &base).is_empty());
}

#[test]
fn too_much_at_once_is_refused() {
    let rig = Rig::repository(&gits()[0]);
    let opened = rig.open();
    let base = opened.prepare();
    let big = fs::File::create(base.dir.join("big")).unwrap();
    big.set_len(measure::CHANGED_BYTES_MAX + 1).unwrap();
    let error = opened.ws.measure(&base, &NoSteps).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the change has 67108865 bytes, and at most 67108864 are published at once"
    );
}

#[test]
fn both_sets_of_ignore_rules_hold() {
    for program in gits() {
        let rig = Rig::repository(&program);
        rig.write("docs/.gitignore", "private*\n!private-not\n");
        rig.commit("more rules");
        let opened = rig.open();
        let base = opened.prepare();
        let dir = &base.dir;
        // The candidate lifts a rule of the base and makes one of its own; neither publishes what was ignored.
        put(dir, b".gitignore", b"*.tmp\n");
        fs::remove_file(dir.join("docs/.gitignore")).unwrap();
        for path in [
            "a.log",
            "b.tmp",
            "target/x",
            "docs/private",
            "docs/private-not",
            "c.txt",
            "docs/-z",
        ] {
            put(dir, path.as_bytes(), b"x");
        }
        let change = measure(&opened, &base);
        let names: Vec<_> = change.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            names,
            [
                ".gitignore",
                "c.txt",
                "docs/-z",
                "docs/.gitignore",
                "docs/private-not"
            ]
        );
        let ignored: Vec<_> = change.ignored.iter().map(RelPathText::text).collect();
        assert_eq!(ignored, ["a.log", "b.tmp", "docs/private", "target/x"]);
    }
}

#[test]
fn a_hostile_repository_runs_nothing_and_changes_no_byte() {
    for program in gits() {
        let rig = Rig::empty(&program, &[]);
        let mark = rig.top.with_file_name("owned");
        let run = format!("touch {}", mark.display());
        let evil = rig.top.with_file_name("evil.config");
        fs::write(&evil, format!("[core]\n\tfsmonitor = {run}\n[filter \"evil\"]\n\tclean = {run}\n\tsmudge = {run}\n\tprocess = {run}\n\trequired\n")).unwrap();
        rig.fill();
        rig.write("crlf.txt", "a\r\nb\n");
        rig.write("id.txt", "$Id$ $Id: 12345 $\n");
        rig.write("utf16.txt", b"\xff\xfea\0\n\0");
        rig.write("evil.md", "evil\n");
        rig.commit("first");
        rig.write(
            ".gitattributes",
            "* text=auto eol=crlf ident filter=evil diff=evil merge=evil\nutf16.txt working-tree-encoding=UTF-16\n*.md -diff binary\n",
        );
        // The user's git would run these; the commit is made without it.
        let attributes = rig.git(&["hash-object", "-w", "--no-filters", ".gitattributes"]);
        rig.git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("100644,{attributes},.gitattributes"),
        ]);
        rig.git(&["commit", "-q", "-m", "attributes"]);
        let config = format!(
            "\n[include]\n\tpath = {evil}\n[includeIf \"gitdir:/\"]\n\tpath = {evil}\n[core]\n\tpager = {run}\n\tsshCommand = {run}\n\
             \tautocrlf = true\n\tignoreCase = true\n\tfileMode = false\n\tsymlinks = false\n\thooksPath = {hooks}\n\
             [diff]\n\texternal = {run}\n[diff \"evil\"]\n\tcommand = {run}\n\ttextconv = {run}\n[protocol \"ext\"]\n\tallow = always\n\
             [remote \"origin\"]\n\turl = \"ext::sh -c '{run}'\"\n\tpromisor = true\n[extensions]\n\tpartialClone = origin\n",
            evil = evil.display(),
            hooks = rig.top.join(".git/hooks").display(),
        );
        let path = rig.top.join(".git/config");
        fs::write(
            &path,
            fs::read_to_string(&path)
                .unwrap()
                .replace("repositoryformatversion = 0", "repositoryformatversion = 1")
                + &config,
        )
        .unwrap();
        for hook in [
            "post-checkout",
            "post-index-change",
            "reference-transaction",
            "pre-commit",
            "post-commit",
            "fsmonitor-watchman",
        ] {
            put(
                &rig.top,
                format!(".git/hooks/{hook}").as_bytes(),
                format!("#!/bin/sh\n{run}\n").as_bytes(),
            );
            fs::set_permissions(
                rig.top.join(format!(".git/hooks/{hook}")),
                fs::Permissions::from_mode(0o755),
            )
            .unwrap();
        }
        let opened = rig.open();
        for from in [BaseFrom::Head, BaseFrom::Worktree] {
            let base = opened.ws.prepare(from, &NoSteps).unwrap();
            assert_eq!(
                base.commit.is_some(),
                from == BaseFrom::Head
                    || base.tree == opened.ws.locate(BaseFrom::Head).unwrap().tree
            );
            assert_eq!(files(&base.dir), files(&rig.top));
            assert!(measure(&opened, &base).is_empty());
            put(&base.dir, b"evil.md", b"EVIL\r\n$Id$\n");
            put(&base.dir, b"new.md", b"\r\n");
            let change = measure(&opened, &base);
            assert_eq!(
                shown(&change),
                [
                    r#"M "evil.md" 100644>100644 11 +2-1"#,
                    r#"A "new.md" 0>100644 2 +1-0"#
                ]
            );
            let diff = opened
                .ws
                .unified_diff(&change, 0, &[change.files[0].path.clone()], 1000)
                .unwrap();
            assert!(
                String::from_utf8(diff)
                    .unwrap()
                    .ends_with("@@ -1 +1,2 @@\n-evil\n+EVIL\r\n+$Id$\n")
            );
            let settlement = rig.settlement(crate::settle::Target::Propose, &base, &change);
            if from == BaseFrom::Head {
                crate::settle::carry_out(&opened.ws, &settlement, &NoSteps).unwrap();
                let published = rig.git(&["cat-file", "-p", "ringfence/docs/7:evil.md"]);
                assert_eq!(published, "EVIL\r\n$Id$");
            }
        }
        assert!(!mark.exists(), "something of the repository was run");
    }
}

#[test]
fn a_missing_object_is_named_and_nothing_is_fetched() {
    for program in gits() {
        for (what, expect) in [
            ("HEAD:docs/guide.md", "blob"),
            ("HEAD:docs", "tree"),
            ("HEAD^{tree}", "root"),
            ("HEAD", "commit"),
        ] {
            let rig = Rig::repository(&program);
            let id = rig.git(&["rev-parse", what]);
            let mark = rig.top.with_file_name("owned");
            rig.git(&["config", "extensions.partialClone", "origin"]);
            rig.git(&["config", "protocol.ext.allow", "always"]);
            rig.git(&[
                "config",
                "remote.origin.url",
                &format!("ext::sh -c 'touch {}'", mark.display()),
            ]);
            let (fan, rest) = id.split_at(2);
            fs::remove_file(rig.top.join(".git/objects").join(fan).join(rest)).unwrap();
            let opened = rig.open();
            let error = opened.ws.prepare(BaseFrom::Head, &NoSteps).unwrap_err();
            let WorkspaceError::MissingObject { id: named } = &error else {
                panic!("{expect}: {error:?}")
            };
            assert!(*named == id || expect == "tree", "{expect}: {error}");
            assert!(!mark.exists());
        }
    }
}

#[test]
fn shallow_clones_and_linked_working_trees_work() {
    for program in gits() {
        let rig = Rig::repository(&program);
        rig.write("README.md", "changed\n");
        rig.commit("second");
        let url = format!("file://{}", rig.top.display());
        rig.git(&["clone", "-q", "--depth=1", &url, "../shallow"]);
        rig.git(&["worktree", "add", "-q", "../linked", "HEAD~1"]);
        rig.git(&["clone", "-q", "--shared", ".", "../borrowing"]);
        for (name, readme) in [
            ("shallow", "changed\n"),
            ("linked", "# Hello\n\n[guide](docs/guid.md)\n"),
            ("borrowing", "changed\n"),
        ] {
            let top = rig.top.with_file_name(name);
            let project = Project::discover(&program, &top).unwrap();
            let dir = crate::state_dir::StateDir::open(&project)
                .unwrap()
                .open_loop(&rig.loop_id)
                .unwrap();
            let lock = LoopLock::acquire(&dir, &crate::clock::SystemClock).unwrap();
            let ws = Workspace::open(&program, &dir, &lock, &project).unwrap();
            let base = ws.prepare(BaseFrom::Head, &NoSteps).unwrap();
            assert_eq!(
                fs::read_to_string(base.dir.join("README.md")).unwrap(),
                readme
            );
            assert!(ws.measure(&base, &NoSteps).unwrap().is_empty());
        }
    }
}

#[test]
fn submodules_stay_empty_and_untouched() {
    for program in gits() {
        let inner = Rig::repository(&program);
        let rig = Rig::repository(&program);
        rig.git(&[
            "submodule",
            "--quiet",
            "add",
            inner.top.to_str().unwrap(),
            "sub",
        ]);
        rig.commit("a submodule");
        let mark = rig.top.with_file_name("owned");
        let (ok, _) = rig.try_git(
            &rig.top.join("sub"),
            &[
                "config",
                "core.fsmonitor",
                &format!("touch {}", mark.display()),
            ],
        );
        assert!(ok);
        let opened = rig.open();
        for from in [BaseFrom::Head, BaseFrom::Worktree] {
            let base = opened.ws.prepare(from, &NoSteps).unwrap();
            assert_eq!(base.tree, rig.git(&["rev-parse", "HEAD^{tree}"]));
            assert_eq!(fs::read_dir(base.dir.join("sub")).unwrap().count(), 0);
            assert!(measure(&opened, &base).is_empty());
            // Even without its empty folder it is still the same submodule.
            fs::remove_dir(base.dir.join("sub")).unwrap();
            assert!(measure(&opened, &base).is_empty());
            put(&base.dir, b"sub", b"x");
            assert_eq!(
                refusals(&opened, &base),
                ["sub: a change at or below a submodule"]
            );
            opened.ws.reset(&base, &NoSteps).unwrap();
            put(&base.dir, b"sub/x", b"x");
            assert_eq!(
                refusals(&opened, &base),
                ["sub: a change at or below a submodule"]
            );
        }
        assert!(!mark.exists());
    }
}

#[test]
fn a_working_tree_is_taken_as_it_is() {
    for program in gits() {
        let rig = Rig::repository(&program);
        rig.git(&["init", "-q", "vendor/inner"]);
        rig.write("vendor/inner/x", "x");
        fs::create_dir_all(rig.top.join(".git/info")).unwrap();
        fs::write(rig.top.join(".git/info/exclude"), "mine\n").unwrap();
        let opened = rig.open();
        let clean = opened.ws.locate(BaseFrom::Worktree).unwrap();
        assert_eq!(clean.commit, Some(rig.git(&["rev-parse", "HEAD"])));

        rig.write("README.md", "edited\n");
        rig.git(&["add", "README.md"]);
        rig.write("untracked\n.md", "new\n");
        rig.write("mine", "x");
        rig.write("a.log", "x");
        put(&rig.top, b"raw\xff", b"x");
        fs::remove_dir_all(rig.top.join("docs")).unwrap();
        symlink("vendor", rig.top.join("docs")).unwrap();
        mkfifo(&rig.top.join("pipe"));
        let before = rig.users_state();
        for _ in 0..2 {
            let base = opened.ws.prepare(BaseFrom::Worktree, &NoSteps).unwrap();
            assert_eq!(base.commit, None);
            assert_eq!(base.time.as_second(), 1_700_000_000);
            let names: Vec<_> = files(&base.dir)
                .into_iter()
                .map(|(path, _)| path.into_os_string().into_encoded_bytes())
                .collect();
            let expect: [&[u8]; 7] = [
                b".gitignore",
                b"README.md",
                b"docs",
                b"link.md",
                b"raw\xff",
                b"run.sh",
                b"untracked\n.md",
            ];
            assert_eq!(names, expect);
            assert_eq!(
                fs::read_to_string(base.dir.join("README.md")).unwrap(),
                "edited\n"
            );
            assert!(measure(&opened, &base).is_empty());
        }
        assert_eq!(rig.users_state(), before);
        // And back: the snapshot follows.
        rig.git(&["reset", "-q", "--hard"]);
        fs::remove_file(rig.top.join("untracked\n.md")).unwrap();
        fs::remove_file(rig.top.join(OsStr::from_bytes(b"raw\xff"))).unwrap();
        assert_eq!(opened.ws.locate(BaseFrom::Worktree).unwrap(), clean);
    }
}

#[test]
fn a_folder_without_git_has_trees_too() {
    for program in gits() {
        let rig = Rig::folder(&program);
        rig.fill();
        rig.write("a.log", "ignored");
        let opened = rig.open();
        let first = opened.prepare();
        assert_eq!(
            (first.commit.clone(), first.time.as_second()),
            (None, BASE_SECOND_WITHOUT_COMMIT)
        );
        let mut expect = files(&rig.top);
        expect.retain(|(path, _)| path != Path::new("a.log"));
        assert_eq!(files(&first.dir), expect);
        rig.write("README.md", "else\n");
        fs::remove_file(rig.top.join("run.sh")).unwrap();
        fs::write(rig.top.join(".gitignore"), "docs\n").unwrap();
        let second = opened.prepare();
        assert_ne!(second.tree, first.tree);
        let names: Vec<_> = files(&second.dir)
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        assert_eq!(
            names,
            [".gitignore", "README.md", "a.log", "link.md"].map(PathBuf::from)
        );
        put(&second.dir, b"README.md", b"repaired\n");
        assert_eq!(
            shown(&measure(&opened, &second)),
            [r#"M "README.md" 100644>100644 9 +1-1"#]
        );
        // An earlier tree can still be checked out by its name.
        opened.ws.checkout(&first, &NoSteps).unwrap();
        assert_eq!(files(&first.dir), expect);
    }
}

#[test]
fn a_branch_without_a_commit_has_no_head() {
    for program in gits() {
        let rig = Rig::empty(&program, &[]);
        let opened = rig.open();
        let error = opened.ws.prepare(BaseFrom::Head, &NoSteps).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the repository {} has no commit yet", rig.top.display())
        );
        rig.write("README.md", "x\n");
        let base = opened.ws.prepare(BaseFrom::Worktree, &NoSteps).unwrap();
        assert_eq!(base.commit, None);
        assert_eq!(files(&base.dir), files(&rig.top));
    }
}

#[test]
fn a_checkout_survives_whatever_was_done_to_it() {
    let rig = Rig::repository(&gits()[0]);
    let opened = rig.open();
    let base = opened.prepare();
    let expect = expected_files(&rig, &base.tree);
    let dir = &base.dir;
    let loop_dir = opened.ws.dir().clone();
    let outside = rig.top.with_file_name("outside");
    put(&outside, b"guide.md", b"outside\n");
    let damages: [(&str, &dyn Fn()); 9] = [
        ("a folder became a link to outside", &|| {
            fs::remove_dir_all(dir.join("docs")).unwrap();
            symlink(&outside, dir.join("docs")).unwrap();
        }),
        ("a file became a folder", &|| {
            fs::remove_file(dir.join("README.md")).unwrap();
            put(dir, b"README.md/.git/config", b"x");
        }),
        ("closed folders and files", &|| {
            fs::set_permissions(dir.join("README.md"), fs::Permissions::from_mode(0o000)).unwrap();
            fs::set_permissions(dir.join("docs"), fs::Permissions::from_mode(0o000)).unwrap();
        }),
        ("a hard link", &|| {
            fs::remove_file(dir.join("README.md")).unwrap();
            fs::hard_link(outside.join("guide.md"), dir.join("README.md")).unwrap();
        }),
        ("a pipe", &|| {
            fs::remove_file(dir.join("README.md")).unwrap();
            mkfifo(&dir.join("README.md"));
        }),
        ("no checkout", &|| fs::remove_dir_all(dir).unwrap()),
        ("no index", &|| fs::remove_file(loop_dir.index()).unwrap()),
        ("a broken index and a lock", &|| {
            fs::write(loop_dir.index(), "DIRCgarbage").unwrap();
            fs::write(lock_of(&loop_dir.index()), "").unwrap();
        }),
        ("a stray file in the trash", &|| {
            put(&loop_dir.trash(), b"0/x", b"x")
        }),
    ];
    for (what, damage) in damages {
        damage();
        opened
            .ws
            .reset(&base, &NoSteps)
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(files(dir), expect, "{what}");
        assert!(measure(&opened, &base).is_empty(), "{what}");
    }
    assert_eq!(
        fs::read_to_string(outside.join("guide.md")).unwrap(),
        "outside\n"
    );
}

#[test]
fn a_tree_that_git_will_not_check_out_is_an_error() {
    for program in gits() {
        let rig = Rig::repository(&program);
        let blob = rig.git(&["rev-parse", "HEAD:README.md"]);
        let raw: Vec<u8> = (0..20)
            .map(|n| u8::from_str_radix(&blob[2 * n..2 * n + 2], 16).unwrap())
            .collect();
        for name in [".git", ".GIT", "git~1", ".g\u{200c}it"] {
            let tree = [&b"100644 "[..], name.as_bytes(), b"\0", &raw].concat();
            fs::write(rig.top.with_file_name("tree"), tree).unwrap();
            let tree = rig.git(&["hash-object", "-w", "-t", "tree", "--literally", "../tree"]);
            let opened = rig.open();
            let base = Base {
                tree,
                ..opened.prepare()
            };
            let error = opened.ws.checkout(&base, &NoSteps).unwrap_err();
            assert!(
                error.to_string().contains("invalid path"),
                "{name}: {error}"
            );
            assert_eq!(files(&base.dir), []);
        }
    }
}

#[test]
fn a_rename_is_shown_as_one_among_more_files_than_fit_one_call() {
    let rig = Rig::empty(&gits()[0], &[]);
    let text = |n: usize| (0..20).map(|m| format!("{n} {m}\n")).collect::<String>();
    for n in 0..8 {
        put(&rig.top, format!("a/{n}.md").as_bytes(), text(n).as_bytes());
    }
    put(&rig.top, b"m.md", text(99).as_bytes());
    rig.commit("files");
    let opened = rig.open();
    let base = opened.prepare();
    for n in 0..8 {
        fs::remove_file(base.dir.join(format!("a/{n}.md"))).unwrap();
        let edited = text(n) + "edited\n";
        put(&base.dir, format!("z/{n}.md").as_bytes(), edited.as_bytes());
    }
    for n in 0..600 {
        put(
            &base.dir,
            format!("m/{n}.md").as_bytes(),
            format!("{n}\n").as_bytes(),
        );
    }
    let change = measure(&opened, &base);
    let pairs = change
        .files
        .iter()
        .filter(|file| file.renamed_from.is_some());
    assert_eq!(pairs.clone().count(), 8);
    let all: Vec<_> = change.files.iter().map(|file| file.path.clone()).collect();
    let added = |paths: &[RelPath]| {
        let diff = opened.ws.unified_diff(&change, 0, paths, 8 << 20).unwrap();
        let diff = String::from_utf8(diff).unwrap();
        let is_added = |line: &&str| line.starts_with('+') && !line.starts_with("+++");
        (
            diff.matches("rename from").count(),
            diff.lines().filter(is_added).count(),
        )
    };
    assert_eq!(added(&all), (8, 608));
    let some: Vec<_> = pairs
        .flat_map(|file| [file.path.clone(), file.renamed_from.clone().unwrap()])
        .collect();
    assert_eq!(added(&some), (8, 8));
    // One file of a rename alone is a file that is gone, or new.
    assert_eq!(added(&some[..1]), (0, 21));
    assert_eq!(added(&some[1..2]), (0, 0));
}

#[test]
fn five_thousand_files() {
    let rig = Rig::empty(&gits()[0], &[]);
    // Straight into the repository: five thousand more files on disk would only cost time.
    let mut stream = b"commit refs/heads/main\ncommitter a <a@b> 1 +0000\ndata 0\n".to_vec();
    for n in 0..5000 {
        stream.extend(format!("M 644 inline d{}/f{n}.md\ndata <<end\n{n}\nend\n", n % 5).bytes());
    }
    let git = Git::new(
        &rig.program,
        &rig.top.join(".git"),
        crate::git::Durability::Cache,
    );
    git.call("fast-import")
        .arg("--quiet")
        .stdin(stream)
        .run()
        .unwrap();
    let opened = rig.open();
    let base = opened.prepare();
    for n in 0..300 {
        put(
            &base.dir,
            format!("d{}/f{n}.md", n % 5).as_bytes(),
            b"changed\n",
        );
        put(
            &base.dir,
            format!("new/{n}.md").as_bytes(),
            format!("new {n}\n").as_bytes(),
        );
    }
    let change = measure(&opened, &base);
    assert_eq!(change.files.len(), 600);
    let paths: Vec<_> = change.files.iter().map(|file| file.path.clone()).collect();
    let diff = opened.ws.unified_diff(&change, 3, &paths, 8 << 20).unwrap();
    assert_eq!(
        diff.windows(10)
            .filter(|window| window == b"diff --git")
            .count(),
        600
    );
    assert!(opened.ws.unified_diff(&change, 3, &paths, 1000).is_err());
    assert!(
        opened
            .ws
            .unified_diff(&change, 3, &[], 1000)
            .unwrap()
            .is_empty()
    );
    let settlement = rig.settlement(crate::settle::Target::Propose, &base, &change);
    crate::settle::carry_out(&opened.ws, &settlement, &NoSteps).unwrap();
    rig.assert_sound();
    opened.ws.reset(&base, &NoSteps).unwrap();
    assert!(measure(&opened, &base).is_empty());
}

#[test]
fn a_path_that_fits_nowhere_stays_in_nobodys_way() {
    for git in &gits() {
        let rig = Rig::repository(git);
        let opened = rig.open();
        let base = opened.ws.prepare(BaseFrom::Head, &NoSteps).unwrap();
        let blob = rig.git(&["rev-parse", "HEAD:README.md"]);
        let deep = format!("{}f", "d/".repeat(2040));
        rig.git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            "100644",
            &blob,
            &deep,
        ]);
        let tree = rig.git(&["write-tree"]);
        let error = opened.ws.fits(&tree).unwrap_err().to_string();
        assert!(error.contains("no file can have more than 4095"), "{error}");
        opened.ws.fits(&base.tree).unwrap();
        // As somebody left it who did not look before.
        let wedge = Base {
            tree,
            ..base.clone()
        };
        let laid_out = opened.ws.checkout(&wedge, &NoSteps);
        assert!(base.dir.join("d/d").exists(), "{laid_out:?}");
        opened.ws.checkout(&base, &NoSteps).unwrap();
        assert_eq!(files(&base.dir), expected_files(&rig, &base.tree));
    }
}

#[test]
fn a_checkout_that_is_only_read_is_not_looked_through_again() {
    for git in &gits() {
        let rig = Rig::repository(git);
        let opened = rig.open();
        let base = opened.ws.locate(BaseFrom::Head).unwrap();
        let read = |base: &Base| opened.ws.checkout_to_read(base, &NoSteps).unwrap();
        read(&base);
        let all = expected_files(&rig, &base.tree);
        assert_eq!(files(&base.dir), all);
        let gone = base.dir.join("README.md");
        fs::remove_file(&gone).unwrap();
        read(&base);
        assert!(!gone.exists(), "nothing was looked at");
        opened.ws.checkout(&base, &NoSteps).unwrap();
        assert_eq!(files(&base.dir), all);
        // Nobody knows what has been done to it since then.
        fs::remove_file(&gone).unwrap();
        read(&base);
        assert_eq!(files(&base.dir), all);
        let tree = opened
            .ws
            .view(&base.tree, &|path| path.as_str() == "README.md");
        let part = Base {
            tree: tree.unwrap(),
            ..base.clone()
        };
        read(&part);
        assert_eq!(files(&base.dir).len(), 1);
        read(&base);
        assert_eq!(files(&base.dir), all);
        // The mark of another start of the machine is none.
        fs::remove_file(&gone).unwrap();
        let mark = base.dir.with_extension("whole");
        fs::write(&mark, format!("earlier {}\n", base.tree)).unwrap();
        read(&base);
        assert_eq!(files(&base.dir), all);
    }
}
