//! Commits to the branch that is checked out: what they move, what they leave alone, and what stops them.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use super::*;
use crate::fixture::{Opened, Rig, files, gits, put};
use crate::settle::Target;
use crate::state_dir::STATE_IN_GIT;
use crate::steps::{COMMIT_NAMES, NAMES, NoSteps};
use crate::workspace::Base;

mod crashes;
mod in_the_way;

const MAIN: &str = "refs/heads/main";

/// Repairs, renames, adds, deletes, marks executable, links, and turns a folder into a file and the other way round.
fn work(base: &Base) {
    let dir = &base.dir;
    put(dir, b"README.md", b"# Hello\n\n[guide](docs/guide.md)\n");
    put(dir, b"odd \"name\"\n\t.md", b"data 5\nfrom x\n");
    put(dir, b"new/deep/folder/bin", &[0, 10, 13, 255]);
    fs::remove_dir_all(dir.join("docs/deep")).unwrap();
    put(dir, b"docs/deep", b"a file now\n");
    fs::remove_file(dir.join("link.md")).unwrap();
    put(dir, b"link.md/inside", b"a folder now\n");
    symlink("../outside", dir.join("link")).unwrap();
    fs::rename(dir.join("run.sh"), dir.join("docs/run.sh")).unwrap();
    fs::set_permissions(dir.join("docs/guide.md"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(dir.join("lonely/folder/file")).unwrap();
}

/// A repository whose user is in the midst of something else.
fn used(rig: &Rig) {
    rig.write("lonely/folder/file", "x\n");
    rig.write("notes/a.txt", "one\n");
    rig.write("notes/b.txt", "one\n");
    rig.write("notes/gone.txt", "one\n");
    rig.commit("second");
    rig.write("notes/a.txt", "stashed\n");
    rig.git(&["stash", "push", "-q"]);
    rig.write("notes/a.txt", "staged\n");
    rig.write("notes/new.txt", "staged\n");
    rig.git(&["add", "notes"]);
    rig.write("notes/a.txt", "staged, and changed again\n");
    rig.write("notes/b.txt", "changed\n");
    rig.git(&["rm", "-q", "notes/gone.txt"]);
    rig.write("notes/intended.txt", "x\n");
    rig.git(&["add", "-N", "notes/intended.txt"]);
    rig.write("untracked.txt", "x\n");
    rig.write("docs/out.log", "ignored\n");
}

/// Everything of the user's that a commit leaves alone: index and files but for what `work` does, and what git says.
#[derive(Debug, PartialEq)]
struct Users {
    said: Vec<String>,
    files: Vec<(PathBuf, Vec<u8>)>,
}

fn users(rig: &Rig) -> Users {
    let questions: [&[&str]; 4] = [
        &["status", "--porcelain=v2", "--untracked-files=all"],
        &["stash", "list", "--format=%H"],
        &["config", "--local", "--list"],
        &["symbolic-ref", "-q", "HEAD"],
    ];
    let said = questions.map(|question| rig.try_git(&rig.top, question).1);
    let mine = |path: &Path| {
        ["notes", "untracked.txt", "docs/out.log"]
            .iter()
            .any(|own| path.starts_with(own))
    };
    let files = files(&rig.top).into_iter().filter(|(path, _)| mine(path));
    Users {
        said: said.to_vec(),
        files: files.collect(),
    }
}

/// All that anybody can see, to the byte, but for objects.
#[derive(Debug, PartialEq)]
struct Everything {
    users: Users,
    files: Vec<(PathBuf, Vec<u8>)>,
    index: Vec<u8>,
    refs: String,
    leftovers: Vec<String>,
}

fn everything(rig: &Rig) -> Everything {
    let git_dir = PathBuf::from(rig.git(&["rev-parse", "--absolute-git-dir"]));
    Everything {
        users: users(rig),
        files: files(&rig.top),
        index: fs::read(git_dir.join("index")).unwrap_or_default(),
        refs: rig.git(&["for-each-ref"]),
        leftovers: leftovers(&git_dir),
    }
}

/// What a git directory holds besides what git keeps there.
fn leftovers(git_dir: &Path) -> Vec<String> {
    let names = fs::read_dir(git_dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut odd: Vec<_> = names
        .filter(|name| name != STATE_IN_GIT)
        .filter(|name| name.ends_with(".lock") || name.contains("ringfence"))
        .collect();
    odd.sort();
    odd
}

fn ready(
    rig: &Rig,
    opened: &Opened,
    base: &Base,
    steps: &dyn Steps,
) -> Result<Prepared, SettleError> {
    let change = opened.ws.measure(base, &NoSteps).unwrap();
    prepare(
        &opened.ws,
        &rig.settlement(Target::Propose, base, &change),
        MAIN,
        steps,
    )
}

fn commit(rig: &Rig, opened: &Opened, base: &Base) -> Result<String, SettleError> {
    let prepared = ready(rig, opened, base, &NoSteps)?;
    let commit = prepared.commit.clone();
    carry_out(&opened.ws, BeatNo(7), prepared, &NoSteps)?;
    Ok(commit)
}

/// Does something of the user's at one step.
struct At<'a>(&'static str, RefCell<Option<Box<dyn FnOnce() + 'a>>>);

impl Steps for At<'_> {
    fn at(&self, step: &'static str) {
        if step == self.0
            && let Some(deed) = self.1.take()
        {
            deed();
        }
    }
}

/// Fails unless the branch, the index and the files are those of `commit`, on top of `before`.
#[track_caller]
fn assert_committed(rig: &Rig, commit: &str, before: &Users) {
    assert_eq!(rig.git(&["rev-parse", MAIN]), commit);
    assert_eq!(&users(rig), before);
    let seen = rig.top.with_file_name("seen");
    rig.git(&["worktree", "add", "-q", "--detach", "../seen", commit]);
    let mine = |path: &Path| {
        path.starts_with("notes")
            || path == Path::new("untracked.txt")
            || path == Path::new("docs/out.log")
    };
    let there: Vec<_> = files(&rig.top)
        .into_iter()
        .filter(|(path, _)| !mine(path))
        .collect();
    let expected: Vec<_> = files(&seen)
        .into_iter()
        .filter(|(path, _)| !mine(path))
        .collect();
    assert_eq!(there, expected);
    rig.git(&["worktree", "remove", "--force", "../seen"]);
    assert!(!rig.top.join("lonely").exists(), "an empty folder is left");
    assert!(!rig.loop_dir().commit().exists() && !rig.loop_dir().index_commit().exists());
    assert_eq!(
        leftovers(&PathBuf::from(
            rig.git(&["rev-parse", "--absolute-git-dir"])
        )),
        [""; 0]
    );
    rig.assert_sound();
}

#[test]
fn a_commit_moves_branch_index_and_files_and_nothing_else() {
    for program in gits() {
        for switches in [
            &[][..],
            &["--object-format=sha256"],
            &["--ref-format=reftable"],
        ] {
            if switches == ["--ref-format=reftable"] && program.version() < (2, 45) {
                continue;
            }
            let rig = Rig::filled(&program, switches);
            used(&rig);
            rig.git(&["pack-refs", "--all"]);
            fs::set_permissions(rig.top.join("README.md"), fs::Permissions::from_mode(0o600))
                .unwrap();
            let before = users(&rig);
            let opened = rig.open();
            let base = opened.prepare();
            work(&base);
            let made = commit(&rig, &opened, &base).unwrap();
            assert_committed(&rig, &made, &before);
            assert_eq!(
                rig.git(&["rev-parse", "HEAD~1"]),
                base.commit.clone().unwrap()
            );
            assert_eq!(
                rig.git(&["log", "-1", "--format=%B|%an", "HEAD"]),
                "docs: repair a link\n\nBecause.\n|Ringfence"
            );
            assert_eq!(
                rig.git(&["reflog", "-1", "--format=%gs", "HEAD"]),
                "ringfence: committed"
            );
            let mode = |path: &str| {
                fs::metadata(rig.top.join(path))
                    .unwrap()
                    .permissions()
                    .mode()
                    & 0o777
            };
            assert_eq!(
                (mode("README.md"), mode("docs/guide.md") & 0o111),
                (0o600, 0o111)
            );
            // The user goes on as if nothing had been.
            rig.git(&["commit", "-q", "-am", "third"]);
        }
    }
}

#[test]
fn a_branch_that_nobody_has_checked_out_moves_alone() {
    let rig = Rig::repository(&gits()[0]);
    rig.git(&["switch", "-q", "-c", "other"]);
    used(&rig);
    let before = everything(&rig);
    let opened = rig.open();
    let base = opened.ws.prepare_branch(MAIN, &NoSteps).unwrap();
    put(&base.dir, b"README.md", b"new\n");
    // Even a git at work here is none of our business.
    rig.write(".git/index.lock", "");
    let made = commit(&rig, &opened, &base).unwrap();
    fs::remove_file(rig.top.join(".git/index.lock")).unwrap();
    assert_eq!(rig.git(&["rev-parse", MAIN]), made);
    let after = everything(&rig);
    let refs = before.refs.clone();
    assert_ne!(refs, after.refs);
    assert_eq!(Everything { refs, ..after }, before);
}

#[test]
fn a_linked_working_tree_is_brought_along_as_well() {
    let main = Rig::repository(&gits()[0]);
    main.git(&["worktree", "add", "-q", "-b", "side", "../linked"]);
    let rig = Rig::at(&gits()[0], main.top.with_file_name("linked"));
    let opened = rig.open();
    let base = opened.prepare();
    put(&base.dir, b"README.md", b"new\n");
    let change = opened.ws.measure(&base, &NoSteps).unwrap();
    let settlement = rig.settlement(Target::Propose, &base, &change);
    let prepared = prepare(&opened.ws, &settlement, "refs/heads/side", &NoSteps).unwrap();
    carry_out(&opened.ws, BeatNo(7), prepared, &NoSteps).unwrap();
    assert_eq!(rig.git(&["status", "--porcelain"]), "");
    assert_eq!(fs::read(rig.top.join("README.md")).unwrap(), b"new\n");
    assert_eq!(main.git(&["status", "--porcelain"]), "");
    assert_eq!(main.git(&["log", "--format=%s", "side"]).lines().count(), 2);
    main.assert_sound();
}

#[test]
fn an_index_that_another_git_has_locked_is_left_to_it() {
    let rig = Rig::repository(&gits()[0]);
    used(&rig);
    let opened = rig.open();
    let base = opened.prepare();
    work(&base);
    rig.write(".git/index.lock", "");
    let before = everything(&rig);
    let error = commit(&rig, &opened, &base).unwrap_err();
    assert!(
        error.leaves_nothing() && error.to_string().ends_with("index.lock"),
        "{error}"
    );
    assert_eq!(everything(&rig), before);
    fs::remove_file(rig.top.join(".git/index.lock")).unwrap();
    let before = users(&rig);
    let made = commit(&rig, &opened, &base).unwrap();
    assert_committed(&rig, &made, &before);
}

#[test]
fn an_index_of_any_kind_is_kept() {
    let kinds: [&[&str]; 4] = [
        &["update-index", "--split-index"],
        &["update-index", "--index-version=4"],
        &["update-index", "--untracked-cache"],
        &["sparse-checkout", "set", "--no-cone", "/*", "!/notes/"],
    ];
    for kind in kinds {
        let rig = Rig::repository(&gits()[0]);
        rig.write("lonely/folder/file", "x\n");
        rig.write("notes/a.txt", "one\n");
        rig.commit("second");
        rig.git(kind);
        rig.write("staged", "x");
        rig.git(&["add", "staged"]);
        let before = rig.git(&["status", "--porcelain=v2"]);
        let tags = rig.git(&["ls-files", "-v", "notes"]);
        let opened = rig.open();
        let base = opened.prepare();
        work(&base);
        commit(&rig, &opened, &base).unwrap();
        assert_eq!(rig.git(&["status", "--porcelain=v2"]), before, "{kind:?}");
        assert_eq!(rig.git(&["ls-files", "-v", "notes"]), tags, "{kind:?}");
        rig.assert_sound();
    }
}

#[test]
fn what_is_written_to_a_file_that_was_just_replaced_is_kept() {
    use std::io::Write;
    let rig = Rig::repository(&gits()[0]);
    let opened = rig.open();
    let base = opened.prepare();
    put(&base.dir, b"README.md", b"new\n");
    let mut editor = fs::OpenOptions::new()
        .append(true)
        .open(rig.top.join("README.md"))
        .unwrap();
    let at = At(
        steps::TREE_PUT,
        RefCell::new(Some(Box::new(move || editor.write_all(b"late\n").unwrap()))),
    );
    let prepared = ready(&rig, &opened, &base, &NoSteps).unwrap();
    carry_out(&opened.ws, BeatNo(7), prepared, &at).unwrap();
    let kept = fs::read_to_string(rig.loop_dir().kept().join("7-0")).unwrap();
    assert!(kept.ends_with("late\n"), "{kept}");
    assert_eq!(fs::read(rig.top.join("README.md")).unwrap(), b"new\n");
}

#[test]
fn a_repository_runs_no_program_of_its_own() {
    let rig = Rig::repository(&gits()[0]);
    let trap = rig.top.with_file_name("trap");
    let script = format!("#!/bin/sh\ntouch {}\n", trap.display());
    for hook in [
        "post-index-change",
        "reference-transaction",
        "post-checkout",
        "pre-commit",
        "post-commit",
    ] {
        rig.write(&format!(".git/hooks/{hook}"), &script);
        fs::set_permissions(
            rig.top.join(".git/hooks").join(hook),
            fs::Permissions::from_mode(0o755),
        )
        .unwrap();
    }
    for (key, value) in [
        ("core.fsmonitor", script.as_str()),
        ("filter.x.clean", "touch ../trap; cat"),
        ("filter.x.smudge", "touch ../trap; cat"),
        ("hook.x.event", "reference-transaction"),
        ("hook.x.command", "touch ../trap"),
    ] {
        rig.git(&["-c", "core.fsmonitor=false", "config", key, value]);
    }
    rig.write(".git/info/attributes", "docs/* filter=x\n");
    let opened = rig.open();
    let base = opened.prepare();
    put(&base.dir, b"README.md", b"new\n");
    commit(&rig, &opened, &base).unwrap();
    assert!(!trap.exists());
}

#[test]
fn targets() {
    let rig = Rig::repository(&gits()[0]);
    let found = |wanted| target(&rig.project(), wanted).map_err(|error| error.to_string());
    assert_eq!(found(None), Ok(MAIN.to_owned()));
    rig.git(&["branch", "other"]);
    assert_eq!(found(Some("other")), Ok("refs/heads/other".to_owned()));
    assert_eq!(
        found(Some("none")),
        Err("there is no branch none".to_owned())
    );
    rig.git(&["symbolic-ref", "refs/heads/link", MAIN]);
    assert_eq!(
        found(Some("link")),
        Err("link is no branch that a loop may commit to".to_owned())
    );
    rig.git(&["switch", "-q", "--detach"]);
    assert_eq!(
        found(None),
        Err("HEAD is detached, so there is no branch to commit to".to_owned())
    );
    assert_eq!(found(Some("main")), Ok(MAIN.to_owned()));
    rig.git(&["symbolic-ref", "HEAD", "refs/heads/new"]);
    assert_eq!(
        found(None),
        Err("the branch new has no commit yet".to_owned())
    );
    rig.git(&["symbolic-ref", "HEAD", "refs/heads/ringfence/docs/1"]);
    assert!(
        found(None)
            .unwrap_err()
            .contains("is no branch that a loop may commit to")
    );
    let folder = Rig::folder(&gits()[0]);
    assert!(
        target(&folder.project(), None)
            .unwrap_err()
            .to_string()
            .starts_with("level L3 commits to a branch")
    );
}

#[test]
fn a_git_directory_on_another_file_system() {
    let rig = Rig::repository(&gits()[0]);
    let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).ok();
    let memory = Path::new("/dev/shm");
    if device(memory).is_none() || device(memory) == device(&rig.top) {
        return;
    }
    let elsewhere = tempfile::tempdir_in(memory).unwrap();
    let elsewhere = elsewhere.path().join("git");
    rig.git(&[
        "init",
        "-q",
        "--separate-git-dir",
        elsewhere.to_str().unwrap(),
    ]);
    let error = target(&rig.project(), None).unwrap_err().to_string();
    assert!(error.ends_with("lies on another file system"), "{error}");
}

#[test]
fn every_step_of_a_commit_has_its_name_in_the_list() {
    struct Seen(RefCell<Vec<&'static str>>);
    impl Steps for Seen {
        fn at(&self, step: &'static str) {
            assert!(
                NAMES.contains(&step) || COMMIT_NAMES.contains(&step),
                "{step}"
            );
            self.0.borrow_mut().push(step);
        }
    }
    let seen = Seen(RefCell::default());
    let rig = Rig::repository(&gits()[0]);
    rig.write("lonely/folder/file", "x\n");
    rig.commit("second");
    let opened = rig.open();
    let base = opened.prepare();
    work(&base);
    let prepared = ready(&rig, &opened, &base, &seen).unwrap();
    rig.write(".git/refs/heads/main.lock", "");
    carry_out(&opened.ws, BeatNo(7), prepared, &seen).unwrap_err();
    fs::remove_file(rig.top.join(".git/refs/heads/main.lock")).unwrap();
    let prepared = ready(&rig, &opened, &base, &seen).unwrap();
    carry_out(&opened.ws, BeatNo(7), prepared, &seen).unwrap();
    for name in COMMIT_NAMES {
        assert!(
            seen.0.borrow().contains(&name),
            "{name} is in the list and never called"
        );
    }
}
