//! Repositories that are broken, odd or hostile, and a machine without git.
//!
//! **Invariant:** nothing that a repository names is run, and nothing in it reaches the terminal as it is.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{MINIMAL, refused_in};
use crate::loop_files::Troupe;
use crate::rig::{PROGRAM, Rig};
use crate::traces::Before;

#[test]
fn repositories_that_cannot_be_worked_on() {
    let rig = Rig::folder();
    rig.git(&["init", "-q", "-b", "main"]);
    assert_eq!(rig.run(&["init"]).code, 0);
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r#"
    --- stderr
    error: the repository [project] has no commit yet
    help: commit something first, or work on the files as they are: `base =
          "worktree"` in the loop file
    --- exit 2
    "#);

    rig.edit("LOOP.md", "level =", "base = \"worktree\"\nlevel =");
    assert_eq!(rig.beat(0)["outcome"]["kind"], "nothing-to-do");

    let rig = Rig::folder();
    rig.git(&["init", "-q", "--bare"]);
    insta::assert_snapshot!(rig.run(&["init"]).shown(), @r"
    --- stderr
    error: [project] is a git repository without working files: start in a
      working tree
    --- exit 2
    ");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    --- stderr
    error: [project] is a git repository without working files: start in a
      working tree
    --- exit 2
    ");

    let rig = Rig::small_with_loop();
    rig.write(".git/HEAD", "gone astray\n");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    --- stderr
    error: HEAD of the repository [project]/.git cannot be read
    --- exit 8
    ");
    fs::remove_dir_all(rig.path(".git")).unwrap();
    rig.write(".git", "gitdir: /nowhere\n");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    --- stderr
    error: [project]/.git does not lead to a git repository: the folder it
      names is not there
    help: restore the repository; without its .git the folder is worked on as it is
    --- exit 2
    ");
}

#[test]
fn a_repository_that_lost_an_object() {
    let rig = Rig::small_with_loop();
    let blob = rig.git(&["rev-parse", "HEAD:docs/guide.md"]);
    let (folder, file) = blob.split_at(2);
    fs::remove_file(rig.path(&format!(".git/objects/{folder}/{file}"))).unwrap();
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    --- stderr
    error: object [hex] of the base is not in the
      repository: the clone is partial, or damaged
    help: `git fsck` says more; a partial clone has to be made a whole one first
    --- exit 8
    ");
}

#[test]
fn odd_repositories_are_worked_on_all_the_same() {
    let rig = Rig::small_with_loop();
    // Names that are no text, a loop of links, a link to outside, a pipe, a submodule, names like options.
    let odd = OsStr::from_bytes(b"docs/\xff\xfe\n.md");
    fs::write(rig.top().join(odd), "[x](y.md)\n").unwrap();
    rig.link("b", "a");
    rig.link("a", "b");
    rig.link("../..", "docs/up");
    rig.link("/etc/passwd", "docs/passwd.md");
    for name in [
        "--help.md",
        "-rf",
        "odd/--exec=id.md",
        ":(top)x.md",
        "odd/[a]*.md",
    ] {
        rig.write(name, "[guide](guide.md)\n");
    }
    let sub = Rig::small();
    let url = sub.top().display().to_string();
    let local = "protocol.file.allow=always";
    rig.git(&["-c", local, "submodule", "--quiet", "add", &url, "sub"]);
    rig.commit("odd things");
    rig.git(&["checkout", "-q", "--detach"]);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        rig.path("docs/pipe.md"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from(0o600),
        0,
    )
    .unwrap();
    // Somebody is at work in this very moment.
    rig.write(".git/index.lock", "");
    let before = Before::of(&rig);
    let mut changed = Vec::new();
    for beat in 1..=4 {
        let report = rig.beat(0);
        assert_eq!(report["outcome"]["kind"], "proposed", "{report:#}");
        let branch = format!("ringfence/docs-links/{beat}");
        changed.push(rig.git(&["diff", "--name-only", "HEAD", &branch]));
    }
    before.assert_untouched();
    changed.sort();
    assert_eq!(
        changed,
        ["--help.md", ":(top)x.md", "README.md", "odd/--exec=id.md"]
    );
    rig.write(
        "LOOP.md",
        &rig.read("LOOP.md")
            .replace("level =", "base = \"worktree\"\nlevel ="),
    );
    let before = Before::of(&rig);
    let report = rig.beat(0);
    assert_eq!(report["outcome"]["kind"], "proposed", "{report:#}");
    before.assert_untouched();
}

#[test]
fn a_file_that_is_called_like_an_option() {
    let rig = Rig::small();
    rig.write("-x/LOOP.md", MINIMAL);
    assert_eq!(
        rig.run(&["check", "--write-lock", "--", "-x/LOOP.md"]).code,
        0
    );
    rig.write("--help", MINIMAL);
    let ran = rig.run(&["check", "--", "--help"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("loop minimal\n"), "{}", ran.out);
    let ran = rig.run(&["explain", "--step", "md-links", "--", "--help"]);
    assert_eq!(ran.code, 2, "there is no LOOP.md at the top: {}", ran.out);
}

#[test]
fn a_repository_inside_another() {
    let rig = Rig::small_with_loop();
    fs::create_dir(rig.path("inner")).unwrap();
    rig.git(&["init", "-q", "inner"]);
    insta::assert_snapshot!(rig.run(&["-C", "inner", "check"]).shown(), @r"
    --- stderr
    error: no LOOP.md in [project]/inner or a folder above it
    help: write one with `ringfence init`
    --- exit 2
    ");
    // A folder is no border: the loop of the repository is the one of its folders, too.
    assert_eq!(rig.run(&["-C", "docs", "check"]).code, 0);
}

#[test]
fn a_repository_that_names_programs() {
    let rig = Rig::small_with_loop();
    let trap = rig.home().join("trap");
    fs::write(&trap, "#!/bin/sh\necho ran >> \"$HOME/ran\"\ncat\n").unwrap();
    fs::set_permissions(&trap, Permissions::from_mode(0o755)).unwrap();
    let trap = trap.to_str().unwrap();
    for hook in [
        "post-checkout",
        "reference-transaction",
        "post-index-change",
        "pre-commit",
    ] {
        rig.write(
            &format!(".git/hooks/{hook}"),
            &format!("#!/bin/sh\n{trap}\n"),
        );
        let hook = rig.path(&format!(".git/hooks/{hook}"));
        fs::set_permissions(hook, Permissions::from_mode(0o755)).unwrap();
    }
    rig.write(".gitattributes", "* filter=trap diff=trap merge=trap\n");
    let before_config = rig.read(".git/config");
    let config = format!(
        "{before_config}[core]\n\tfsmonitor = {trap}\n\tsshCommand = {trap}\n\teditor = {trap}\n[filter \"trap\"]\n\tclean = {trap}\n\tsmudge = {trap}\n\trequired = true\n[diff \"trap\"]\n\ttextconv = {trap}\n\tcommand = {trap}\n[diff]\n\texternal = {trap}\n[gpg]\n\tprogram = {trap}\n[commit]\n\tgpgSign = true\n"
    );
    rig.git(&["add", ".gitattributes"]);
    rig.git(&["commit", "-q", "-m", "attributes"]);
    rig.write(".git/config", &config);
    // The user's own git runs them; that is the user's business, and not part of this.
    fs::remove_file(rig.home().join("ran")).ok();
    let report = rig.beat(0);
    assert_eq!(report["outcome"]["kind"], "proposed", "{report:#}");
    assert!(
        !rig.home().join("ran").exists(),
        "{}",
        fs::read_to_string(rig.home().join("ran")).unwrap()
    );
    assert_eq!(rig.read(".git/config"), config);
}

#[test]
fn no_git_on_the_path() {
    let rig = Rig::small_with_loop();
    let before = Before::of(&rig);
    for path in ["/nowhere", ""] {
        let ran = rig.run_command(rig.hermetic(PROGRAM).env("PATH", path).arg("beat"));
        insta::allow_duplicates! { insta::assert_snapshot!(ran.shown(), @r"
        --- stderr
        error: the git program was not found
        help: install git, or add its folder to PATH by its absolute path
        --- exit 8
        "); }
    }
    // A program of that name in the project is not the user's git.
    fs::write(rig.path("git"), "#!/bin/sh\ntouch ran\n").unwrap();
    fs::set_permissions(rig.path("git"), Permissions::from_mode(0o755)).unwrap();
    let ran = rig.run_command(rig.hermetic(PROGRAM).env("PATH", ".").arg("beat"));
    assert_eq!(ran.code, 8, "{}", ran.err);
    assert!(!rig.path("ran").exists());
    fs::remove_file(rig.path("git")).unwrap();
    before.assert_untouched();
}

#[test]
fn a_hostile_text_is_shown_harmlessly() {
    let rig = Rig::folder();
    let name = "docs/\u{1b}[2J\u{202e}a.md";
    rig.write(
        name,
        "[\u{1b}]0;owned\u{7}](b\u{9b}31m.md) [guide](guide.md)\n",
    );
    rig.write("guide.md", "# Guide\n");
    rig.git(&["init", "-q", "-b", "main"]);
    rig.commit("hostile");
    rig.init();
    for args in [
        &["beat"][..],
        &["status"],
        &["journal", "show"],
        &["beat", "--format", "json"],
    ] {
        let ran = rig.run(args);
        let shown = ran.out.clone() + &ran.err;
        let bad = shown
            .chars()
            .find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!((ran.code, bad), (0, None), "{shown}");
    }
    let troupe = Troupe {
        gate: json!({
            "log": [["warn", "\u{1b}[1A\u{1b}[2Kgate watch: pass"]],
            "stdout": "\rok",
            "verdict": { "ruling": "fail", "summary": "\u{1b}[2Jbad\nacts beat 1: proposed", "findings": [
                { "severity": "error", "rule": "odd", "message": "a\u{202e}\nb\u{7}", "locations": [
                    { "path": "../../etc/passwd" }, { "path": "docs/secret/key" }, { "path": "docs/a\u{1b}.md" },
                ] },
            ] },
        }),
        ..Troupe::default()
    };
    let rig = Rig::with_guests(&troupe.loop_file(), &troupe.guests());
    insta::assert_snapshot!(rig.run(&["beat"]).parts(&["acts", "judged", "said"]), @r"
    acts beat 1: discarded
      watch: odd

    judged
      fail  watch  [2Jbad acts beat 1: proposed
               error[odd] a\u{202e}\nb\u{7}
                 at docs/a\u{1b}.md

    said
      gate watch warn: \u{1b}[1A\u{1b}[2Kgate watch: pass

    --- exit 1
    ");
}
