//! Branches and patches, made once and whole, in repositories that would rather not.

use std::cell::RefCell;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::*;
use crate::fixture::{Opened, Rig, files, gits, put};
use crate::recovery::{self, Found};
use crate::state_dir::StateDir;
use crate::steps::{NAMES, NoSteps};
use crate::workspace::BaseFrom;

const REF: &str = "refs/heads/ringfence/docs/7";

/// Repairs, renames, adds, deletes, links and turns a folder into a file.
fn work(base: &Base) {
    let dir = &base.dir;
    put(dir, b"README.md", b"# Hello\n\n[guide](docs/guide.md)\n");
    put(dir, b"odd \"name\"\n\t.md", b"data 5\nfrom x\n");
    put(dir, b"bin", &[0, 10, 13, 255]);
    put(dir, b"empty", b"");
    fs::remove_dir_all(dir.join("docs/deep")).unwrap();
    put(dir, b"docs/deep", b"a file now\n");
    fs::remove_file(dir.join("link.md")).unwrap();
    put(dir, b"link.md/inside", b"a folder now\n");
    std::os::unix::fs::symlink("../outside", dir.join("link")).unwrap();
    fs::rename(dir.join("run.sh"), dir.join("docs/run.sh")).unwrap();
}

fn proposed(
    rig: &Rig,
    opened: &Opened,
    base: &Base,
    steps: &dyn Steps,
) -> Result<Published, SettleError> {
    let change = opened.ws.measure(base, &NoSteps).unwrap();
    carry_out(
        &opened.ws,
        &rig.settlement(Target::Propose, base, &change),
        steps,
    )
}

#[test]
fn a_proposal_is_one_commit_on_a_branch_of_its_own() {
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
            rig.write("README.md", "uncommitted\n");
            rig.git(&["stash", "push", "-q"]);
            rig.write("staged", "x");
            rig.git(&["add", "staged"]);
            let before = rig.users_state();
            // Somebody else is at work in the index: none of our business.
            rig.write(".git/index.lock", "");
            let opened = rig.open();
            let base = opened.prepare();
            work(&base);
            let change = opened.ws.measure(&base, &NoSteps).unwrap();
            let settlement = rig.settlement(Target::Propose, &base, &change);
            let published = carry_out(&opened.ws, &settlement, &NoSteps).unwrap();

            let commit = rig.git(&["rev-parse", REF]);
            assert_eq!(
                published,
                Published::Branch {
                    reference: REF.into(),
                    commit: commit.clone()
                }
            );
            let format = "%T %P|%an <%ae> %at|%cn <%ce> %ct|%B";
            let said = rig.git(&["log", "-1", &format!("--format={format}"), REF]);
            let who = "Ringfence <ringfence@localhost> 1800000000";
            let parent = base.commit.clone().unwrap();
            assert_eq!(
                said,
                format!(
                    "{} {parent}|{who}|{who}|docs: repair a link\n\nBecause.",
                    change.candidate_tree
                )
            );
            assert_eq!(rig.users_state(), before);
            fs::remove_file(rig.top.join(".git/index.lock")).unwrap();
            rig.assert_sound();
            assert_eq!(
                rig.git(&["for-each-ref", "--format=%(refname)"]),
                format!("refs/heads/main\n{REF}\nrefs/stash")
            );
            rig.git(&["worktree", "add", "-q", "../seen", REF]);
            assert_eq!(files(&rig.top.with_file_name("seen")), files(&base.dir));
            assert_eq!(
                recovery::look(&opened.ws, &settlement.intent()).unwrap(),
                Found::Published {
                    commit: Some(commit)
                }
            );

            // The same again is refused: what is there is never overwritten.
            let error = carry_out(&opened.ws, &settlement, &NoSteps).unwrap_err();
            assert_eq!(error.to_string(), format!("{REF} exists already"));
        }
    }
}

#[test]
fn a_linked_working_tree_proposes_into_its_repository() {
    for program in gits() {
        let rig = Rig::repository(&program);
        rig.git(&["worktree", "add", "-q", "-b", "side", "../linked"]);
        let linked = rig.top.with_file_name("linked");
        let before = (rig.users_state(), files(&linked));
        let project = crate::git::discover::Project::discover(&program, &linked).unwrap();
        let dir = StateDir::open(&project)
            .unwrap()
            .open_loop(&rig.loop_id)
            .unwrap();
        let lock = crate::lock::LoopLock::acquire(&dir, &crate::clock::SystemClock).unwrap();
        let ws = Workspace::open(&program, &dir, &lock, &project).unwrap();
        let base = ws.prepare(BaseFrom::Head, &NoSteps).unwrap();
        work(&base);
        let change = ws.measure(&base, &NoSteps).unwrap();
        carry_out(
            &ws,
            &rig.settlement(Target::Propose, &base, &change),
            &NoSteps,
        )
        .unwrap();
        assert_eq!(
            rig.git(&["rev-parse", &format!("{REF}^{{tree}}")]),
            change.candidate_tree
        );
        assert_eq!((rig.users_state(), files(&linked)), before);
        assert_eq!(
            rig.try_git(&linked, &["status", "--porcelain"]),
            (true, String::new())
        );
        rig.assert_sound();
    }
}

#[test]
fn names_that_differ_in_case_are_two_names() {
    for program in gits() {
        let rig = Rig::repository(&program);
        rig.write("Case/One.md", "one\n");
        rig.write("Case/Two.md", "two\n");
        rig.commit("mixed case");
        rig.git(&["config", "core.ignoreCase", "true"]);
        let opened = rig.open();
        let base = opened.prepare();
        fs::rename(base.dir.join("Case"), base.dir.join("case")).unwrap();
        fs::rename(base.dir.join("case/One.md"), base.dir.join("case/one.md")).unwrap();
        proposed(&rig, &opened, &base, &NoSteps).unwrap();
        let names = rig.git(&["ls-tree", "-r", "--name-only", REF]);
        assert!(
            names.contains("case/Two.md\ncase/one.md") && !names.contains("Case"),
            "{names}"
        );
        rig.assert_sound();
    }
}

#[test]
fn the_project_may_stand_at_an_odd_path() {
    for program in gits() {
        for name in [
            &b"--help"[..],
            b"quote\"d and $(spaced)",
            b"raw\xff:;#",
            b"tab\t'",
        ] {
            let rig = Rig::repository(&program);
            let top = rig.top.with_file_name(std::ffi::OsStr::from_bytes(name));
            fs::rename(&rig.top, &top).unwrap();
            let rig = Rig { top, ..rig };
            let opened = rig.open();
            let base = opened.prepare();
            work(&base);
            proposed(&rig, &opened, &base, &NoSteps).unwrap();
            rig.assert_sound();
            opened.ws.reset(&base, &NoSteps).unwrap();
            assert_eq!(opened.ws.locate(BaseFrom::Worktree).unwrap(), base);
        }
        let rig = Rig::repository(&program);
        let top = rig.top.with_file_name("new\nline");
        fs::rename(&rig.top, &top).unwrap();
        let rig = Rig { top, ..rig };
        let opened = Workspace::open(&program, &rig.loop_dir(), &rig.lock(), &rig.project());
        let error = opened.unwrap_err().to_string();
        assert!(
            error.starts_with("a newline in the path of an object directory"),
            "{error}"
        );
    }
}

#[test]
fn names_that_are_taken_are_named() {
    for program in gits() {
        for (taken, expect) in [
            (
                "ringfence",
                "a branch named refs/heads/ringfence is in the way of refs/heads/ringfence/docs/7",
            ),
            (
                "ringfence/docs",
                "a branch named refs/heads/ringfence/docs is in the way of refs/heads/ringfence/docs/7",
            ),
            (
                "ringfence/docs/7",
                "refs/heads/ringfence/docs/7 exists already",
            ),
            ("ringfence/docs/7/more", "git update-ref failed"),
        ] {
            let rig = Rig::repository(&program);
            rig.git(&["branch", taken]);
            let opened = rig.open();
            let base = opened.prepare();
            work(&base);
            let error = proposed(&rig, &opened, &base, &NoSteps)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(expect), "{error}");
            assert_eq!(
                rig.git(&["rev-parse", taken]),
                rig.git(&["rev-parse", "main"])
            );
            rig.assert_sound();
        }
    }
}

#[test]
fn a_branch_that_appears_meanwhile_is_not_overwritten() {
    struct Meanwhile<'a>(&'a Rig);
    impl Steps for Meanwhile<'_> {
        fn at(&self, step: &'static str) {
            if step == steps::COMMIT_VERIFIED {
                self.0.git(&["branch", "ringfence/docs/7"]);
            }
        }
    }
    for program in gits() {
        let rig = Rig::repository(&program);
        let opened = rig.open();
        let base = opened.prepare();
        work(&base);
        let error = proposed(&rig, &opened, &base, &Meanwhile(&rig)).unwrap_err();
        assert_eq!(error.to_string(), format!("{REF} exists already"));
        assert_eq!(
            rig.git(&["rev-parse", REF]),
            rig.git(&["rev-parse", "main"])
        );
        // And recovery does not take the user's branch for the loop's.
        let change = opened.ws.measure(&base, &NoSteps).unwrap();
        let intent = rig.settlement(Target::Propose, &base, &change).intent();
        assert_eq!(
            recovery::look(&opened.ws, &intent).unwrap_err().to_string(),
            format!("{REF} is there, and is not what this loop was about to publish")
        );
    }
}

#[test]
fn what_changed_after_the_verdict_is_not_published() {
    let rig = Rig::repository(&gits()[0]);
    let opened = rig.open();
    let base = opened.prepare();
    work(&base);
    let change = opened.ws.measure(&base, &NoSteps).unwrap();
    put(&base.dir, b"README.md", b"something else\n");
    for target in [Target::Propose, Target::Shadow] {
        let error = carry_out(
            &opened.ws,
            &rig.settlement(target, &base, &change),
            &NoSteps,
        )
        .unwrap_err();
        assert!(
            matches!(error, SettleError::Measure(MeasureError::Moved { .. })),
            "{error}"
        );
    }
    opened.ws.reset(&base, &NoSteps).unwrap();
    assert!(matches!(
        proposed(&rig, &opened, &base, &NoSteps),
        Err(SettleError::Empty)
    ));
    assert_eq!(
        rig.git(&["for-each-ref", "--format=%(refname)"]),
        "refs/heads/main"
    );
}

#[test]
fn patches_carry_everything_and_apply() {
    for program in gits() {
        let repository = Rig::repository(&program);
        let folder = Rig::folder(&program);
        folder.fill();
        for (rig, target, file) in [
            (&repository, Target::Shadow, "shadow/7.patch"),
            (&folder, Target::Shadow, "shadow/7.patch"),
            (&folder, Target::Propose, "proposals/7.patch"),
        ] {
            let opened = rig.open();
            let base = opened.prepare();
            work(&base);
            let change = opened.ws.measure(&base, &NoSteps).unwrap();
            let settlement = rig.settlement(target, &base, &change);
            assert_eq!(
                recovery::look(&opened.ws, &settlement.intent()).unwrap(),
                Found::NotPublished
            );
            let published = carry_out(&opened.ws, &settlement, &NoSteps).unwrap();
            assert_eq!(
                published,
                Published::Patch {
                    file: file.to_owned()
                }
            );
            assert_eq!(
                recovery::look(&opened.ws, &settlement.intent()).unwrap(),
                Found::Published { commit: None }
            );
            let error = carry_out(&opened.ws, &settlement, &NoSteps).unwrap_err();
            assert_eq!(error.to_string(), format!("{file} exists already"));
            let copy = rig.top.with_file_name("copy");
            if copy.exists() {
                fs::remove_dir_all(&copy).unwrap();
            }
            fs::create_dir(&copy).unwrap();
            for (path, _) in files(&rig.top) {
                let status = std::process::Command::new("cp")
                    .args(["-a", "--parents"])
                    .arg(&path)
                    .arg(&copy)
                    .current_dir(&rig.top)
                    .status();
                assert!(status.unwrap().success());
            }
            let (ok, text) = rig.try_git(
                &copy,
                &["apply", opened.ws.dir().path().join(file).to_str().unwrap()],
            );
            assert!(ok, "{text}");
            assert_eq!(files(&copy), files(&base.dir));
        }
        assert_eq!(
            repository.git(&["for-each-ref", "--format=%(refname)"]),
            "refs/heads/main"
        );
    }
}

#[test]
fn a_patch_begins_with_what_it_is() {
    let rig = Rig::repository(&gits()[0]);
    let opened = rig.open();
    let base = opened.prepare();
    put(&base.dir, b"README.md", b"x\n");
    let change = opened.ws.measure(&base, &NoSteps).unwrap();
    let mut settlement = rig.settlement(Target::Shadow, &base, &change);
    settlement.message = "repair\n\ndiff --git a/x b/x\n\u{1b}[31m\0";
    carry_out(&opened.ws, &settlement, &NoSteps).unwrap();
    insta::assert_snapshot!(fs::read_to_string(opened.ws.dir().shadow(BeatNo(7))).unwrap(), @r"
    Ringfence patch 1
    loop: docs
    beat: 7
    base-tree: 75aec5632877c8fc2878bcdf998fbc8432292eb1
    candidate-tree: 51417cb64876c55107561b5bec345863c701031a

        repair

        diff --git a/x b/x
        [31m

    diff --git a/README.md b/README.md
    index 48ddc9b57084ae162f14129ad71487501e872661..587be6b4c3f93f93c489c0111bba5596147a26cb 100644
    --- a/README.md
    +++ b/README.md
    @@ -1,3 +1 @@
    -# Hello
    -
    -[guide](docs/guid.md)
    +x
    ");
}

#[test]
fn a_stream_that_git_refuses_leaves_nothing_behind() {
    for program in gits() {
        let rig = Rig::repository(&program);
        let opened = rig.open();
        let base = opened.prepare();
        work(&base);
        let change = opened.ws.measure(&base, &NoSteps).unwrap();
        let elsewhere = Base {
            commit: Some("1".repeat(40)),
            ..base.clone()
        };
        let error = carry_out(
            &opened.ws,
            &rig.settlement(Target::Propose, &elsewhere, &change),
            &NoSteps,
        )
        .unwrap_err();
        assert!(
            matches!(
                error,
                SettleError::Git(GitError::Failed {
                    command: "fast-import",
                    ..
                })
            ),
            "{error}"
        );
        let left: Vec<_> = fs::read_dir(rig.top.join(".git"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(
            !left
                .iter()
                .any(|name| name.to_string_lossy().contains("crash")),
            "{left:?}"
        );
        rig.assert_sound();
        // A commit on another parent than the one that was judged gets no ref.
        rig.commit("meanwhile");
        let other = Base {
            commit: Some(rig.git(&["rev-parse", "HEAD"])),
            ..base.clone()
        };
        rig.git(&["rm", "-q", "docs/guide.md"]);
        let third = Base {
            commit: Some(rig.commit("less")),
            ..base
        };
        assert!(
            carry_out(
                &opened.ws,
                &rig.settlement(Target::Propose, &other, &change),
                &NoSteps
            )
            .is_ok()
        );
        let mut settlement = rig.settlement(Target::Propose, &third, &change);
        settlement.beat = BeatNo(8);
        let error = carry_out(&opened.ws, &settlement, &NoSteps).unwrap_err();
        assert!(matches!(error, SettleError::NotAsJudged { .. }), "{error}");
        assert_eq!(
            rig.git(&["for-each-ref", "--format=%(refname)"]),
            format!("refs/heads/main\n{REF}")
        );
    }
}

#[test]
fn every_step_has_its_name_in_the_list() {
    struct Seen(RefCell<Vec<&'static str>>);
    impl Steps for Seen {
        fn at(&self, step: &'static str) {
            assert!(NAMES.contains(&step));
            self.0.borrow_mut().push(step);
        }
    }
    let seen = Seen(RefCell::default());
    let rig = Rig::repository(&gits()[0]);
    recovery::sweep(&rig.loop_dir(), &rig.lock(), &seen).unwrap();
    let opened = rig.open();
    let base = opened.ws.prepare(BaseFrom::Head, &seen).unwrap();
    work(&base);
    proposed(&rig, &opened, &base, &seen).unwrap();
    let change = opened.ws.measure(&base, &seen).unwrap();
    carry_out(
        &opened.ws,
        &rig.settlement(Target::Shadow, &base, &change),
        &seen,
    )
    .unwrap();
    let path = opened.ws.dir().journal();
    fs::write(&path, "torn").unwrap();
    let mut journal = crate::journal_file::DiskJournal::open(&path, &seen).unwrap();
    crate::journal_file::JournalFile::cut_torn(&mut journal, 0).unwrap();
    crate::journal_file::JournalFile::append(&mut journal, b"x", true).unwrap();
    for name in NAMES {
        assert!(
            seen.0.borrow().contains(&name),
            "{name} is in the list and never called"
        );
    }
}

#[test]
fn messages_are_made_fit_for_a_commit() {
    for (text, expect) in [
        ("one", "one\n"),
        ("one\n\n\n", "one\n"),
        ("one\r\n\ttwo\0\u{1b}[31m", "one\n\ttwo[31m\n"),
        ("", "\n"),
    ] {
        assert_eq!(clean_message(text), expect, "{text:?}");
    }
    assert!(Path::new(REF).ends_with("7"));
}
