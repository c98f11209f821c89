//! Somebody else's work where a commit should go: it is named, and nothing is changed, whenever it comes.

use super::*;

/// Fails unless a commit on `rig`, to whom `user` does something first, is refused for `why` and changes nothing.
#[track_caller]
fn refused(user: impl Fn(&Rig), why: &str) {
    let rig = Rig::repository(&gits()[0]);
    used(&rig);
    let opened = rig.open();
    let base = opened.prepare();
    work(&base);
    user(&rig);
    let before = everything(&rig);
    let error = ready(&rig, &opened, &base, &NoSteps).unwrap_err();
    assert!(error.leaves_nothing());
    let said = error.to_string();
    assert!(said.contains(why), "{said}");
    assert_eq!(everything(&rig), before, "{why}");
}

#[test]
fn what_would_be_lost_is_named() {
    let edit = |path: &'static str| move |rig: &Rig| rig.write(path, "mine\n");
    refused(edit("README.md"), "README.md (edited)");
    refused(edit("lonely/folder/file"), "lonely/folder/file (edited)");
    refused(edit("link"), "link (an untracked file)");
    refused(
        edit("new"),
        "new (no directory, where the change needs one)",
    );
    refused(
        edit("new/deep/folder/bin"),
        "new/deep/folder/bin (an untracked file)",
    );
    refused(
        edit("docs/deep/er/mine.txt"),
        "docs/deep/er/mine.txt (an untracked file where a folder becomes a file)",
    );
    refused(
        edit("docs/deep/er/ignored.log"),
        "docs/deep/er/ignored.log (an untracked",
    );
    refused(
        |rig| fs::remove_file(rig.top.join("README.md")).unwrap(),
        "README.md (deleted)",
    );
    refused(
        |rig| {
            fs::remove_file(rig.top.join("README.md")).unwrap();
            fs::create_dir(rig.top.join("README.md")).unwrap();
        },
        "README.md (replaced)",
    );
    refused(
        |rig| {
            fs::rename(rig.top.join("docs"), rig.top.join("elsewhere")).unwrap();
            symlink("elsewhere", rig.top.join("docs")).unwrap();
        },
        "docs/guide.md (deleted)",
    );
    refused(
        |rig| {
            fs::remove_file(rig.top.join("README.md")).unwrap();
            symlink("docs/guide.md", rig.top.join("README.md")).unwrap();
        },
        "README.md (edited)",
    );
    refused(
        |rig| {
            fs::set_permissions(rig.top.join("README.md"), fs::Permissions::from_mode(0o755))
                .unwrap()
        },
        "README.md (edited)",
    );
    let staged = |rig: &Rig, path: &str| {
        let kept = fs::read(rig.top.join(path)).unwrap_or_default();
        rig.write(path, "staged\n");
        rig.git(&["add", path]);
        rig.write(path, kept);
    };
    refused(move |rig| staged(rig, "README.md"), "README.md (staged)");
    refused(
        |rig| drop(rig.git(&["rm", "-q", "--cached", "README.md"])),
        "README.md (taken out of the index)",
    );
    refused(
        |rig| {
            rig.write("link", "x");
            rig.git(&["add", "-N", "link"]);
            fs::remove_file(rig.top.join("link")).unwrap();
        },
        "link (in the index already)",
    );
    refused(
        |rig| {
            rig.write("new", "x");
            rig.git(&["add", "new"]);
            fs::remove_file(rig.top.join("new")).unwrap();
        },
        "new (in the index, where the change needs the name)",
    );
    refused(
        |rig| {
            rig.git(&["update-index", "--skip-worktree", "README.md"]);
            fs::remove_file(rig.top.join("README.md")).unwrap();
        },
        "README.md (left out of the working tree (sparse checkout))",
    );
    refused(
        |rig| drop(rig.git(&["update-index", "--assume-unchanged", "README.md"])),
        "README.md (marked as unchanged",
    );
    refused(
        |rig| drop(rig.git(&["init", "-q", "docs"])),
        "docs (another repository)",
    );
    refused(
        |rig| rig.write(".gitattributes", "*.md filter=lfs\n"),
        "README.md (converted by git when it is checked out)",
    );
}

#[test]
fn what_somebody_is_in_the_midst_of_is_not_disturbed() {
    refused(
        |rig| rig.write(".git/MERGE_HEAD", rig.git(&["rev-parse", "HEAD"])),
        "a merge is under way",
    );
    refused(
        |rig| fs::create_dir(rig.top.join(".git/rebase-merge")).unwrap(),
        "a rebase is under way",
    );
    refused(
        |rig| {
            let id = rig.git(&["rev-parse", "HEAD:README.md"]);
            let zero = "0".repeat(40);
            let wish = format!(
                "0 {zero}\tnotes/b.txt\n100644 {id} 1\tnotes/b.txt\n100644 {id} 2\tnotes/b.txt\n"
            );
            rig.write("wish", wish);
            let status = Command::new("sh")
                .args(["-c", "git update-index --index-info < wish && rm wish"])
                .current_dir(&rig.top)
                .status();
            assert!(status.unwrap().success());
        },
        "the index has conflicts",
    );
    refused(
        |rig| drop(rig.git(&["worktree", "add", "-q", "--force", "../second", "main"])),
        "is checked out in",
    );
    refused(
        |rig| {
            rig.git(&["switch", "-q", "-c", "else"]);
            rig.git(&["worktree", "add", "-q", "../second", "main"]);
        },
        "is checked out in",
    );
    refused(
        |rig| {
            rig.git(&["worktree", "add", "-q", "--detach", "../second"]);
            rig.write(
                ".git/worktrees/second/rebase-merge/head-name",
                "refs/heads/main\n",
            );
        },
        "main is being rebased",
    );
    refused(
        |rig| drop(rig.git(&["commit", "-q", "--allow-empty", "-m", "mine"])),
        "refs/heads/main is at ",
    );
    refused(
        |rig| drop(rig.git(&["update-ref", "-d", MAIN])),
        "refs/heads/main is at no commit",
    );
}

/// Fails unless `deed`, done at `step`, stops a commit for `why` and all but the deed is as before.
#[track_caller]
fn overtaken(step: &'static str, deed: impl Fn(&Rig), why: &str) {
    let rig = Rig::repository(&gits()[0]);
    used(&rig);
    let opened = rig.open();
    let base = opened.prepare();
    work(&base);
    let deed = || deed(&rig);
    let at = At(step, RefCell::new(Some(Box::new(deed))));
    let prepared = ready(&rig, &opened, &base, &NoSteps).unwrap();
    let before = everything(&rig);
    let error = carry_out(&opened.ws, BeatNo(7), prepared, &at).unwrap_err();
    assert!(
        error.leaves_nothing() && error.to_string().contains(why),
        "{step}: {error}"
    );
    assert!(at.1.borrow().is_none(), "{step}");
    drop(at);
    let after = everything(&rig);
    rig.assert_sound();
    assert_eq!(
        (&after.index, &after.leftovers),
        (&before.index, &before.leftovers),
        "{step}: {why}"
    );
    // But for what was done meanwhile, every file is the old one.
    let differing = |a: &[(PathBuf, Vec<u8>)], b: &[(PathBuf, Vec<u8>)]| {
        a.iter()
            .filter(|file| !b.contains(file))
            .map(|file| file.0.clone())
            .collect::<Vec<_>>()
    };
    let (lost, new) = (
        differing(&before.files, &after.files),
        differing(&after.files, &before.files),
    );
    let mine: &[&str] = match why {
        _ if why.starts_with("README.md") => &["README.md"],
        _ if why.starts_with("link ") => &["link"],
        _ => &[],
    };
    assert!(
        new.iter()
            .all(|path| mine.iter().any(|mine| path == Path::new(mine))),
        "{step}: {new:?}"
    );
    assert!(
        lost.iter()
            .all(|path| mine.iter().any(|mine| path == Path::new(mine))),
        "{step}: {lost:?}"
    );
    for path in &new {
        assert_eq!(fs::read(rig.top.join(path)).unwrap(), b"mine\n", "{step}");
    }
    assert!(!rig.loop_dir().commit().exists());
}

#[test]
fn whoever_is_faster_wins() {
    use crate::steps::{COMMIT_LOGGED, INDEX_LOCKED, INDEX_PREPARED, TREE_FILE_PUT, TREE_PUT};
    for step in [INDEX_LOCKED, INDEX_PREPARED, COMMIT_LOGGED, TREE_FILE_PUT] {
        overtaken(
            step,
            |rig| rig.write("README.md", "mine\n"),
            "README.md (edited)",
        );
        overtaken(
            step,
            |rig| rig.write("link", "mine\n"),
            "link (an untracked file)",
        );
    }
    for step in [
        INDEX_LOCKED,
        INDEX_PREPARED,
        COMMIT_LOGGED,
        TREE_FILE_PUT,
        TREE_PUT,
    ] {
        let moved = |rig: &Rig| {
            let tree = rig.git(&["rev-parse", "HEAD^{tree}"]);
            let other = rig.git(&["commit-tree", "-p", "HEAD", "-m", "pushed", &tree]);
            rig.git(&["update-ref", MAIN, &other]);
        };
        overtaken(step, moved, "refs/heads/main is at ");
    }
    overtaken(
        TREE_PUT,
        |rig| rig.write(".git/refs/heads/main.lock", ""),
        "left a lock behind",
    );
}
