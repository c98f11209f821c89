//! `gate`: whose rules decide, and what a revision, an index or a file means when somebody wants it to mean something else.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::gating::{LINKS, SECRETS, SIZE, TOKEN, gate, judged, refused, rig};
use super::rig::Rig;
use crate::exit::Exit;

/// What stderr said, its lines joined.
fn said(err: &str) -> String {
    err.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn refused_with(rig: &Rig, args: &[&str], words: &[&str]) {
    let (code, err) = refused(rig, args);
    let err = said(&err);
    assert_eq!(code, 2, "{args:?}: {err}");
    for word in words {
        assert!(err.contains(word), "{args:?}: no {word:?} in {err}");
    }
}

#[test]
fn the_index_that_git_hands_to_a_hook_is_judged() {
    let mut rig = rig(LINKS);
    rig.write("docs/new.md", "# New, see [it](nowhere.md).\n");
    rig.git(&["add", "-A"]);
    let top = rig.top();
    let at = |name: &str| top.join(name);
    fs::copy(at(".git/index"), at(".git/next-index-1.lock")).unwrap();
    fs::copy(at(".git/index"), at("outside.index")).unwrap();
    rig.git(&["reset", "-q"]);
    symlink("next-index-1.lock", at(".git/link.lock")).unwrap();
    symlink("../outside.index", at(".git/out.lock")).unwrap();
    rig.git(&["worktree", "add", "-q", "../linked", "HEAD"]);
    let linked = rig.top().join("../linked").canonicalize().unwrap();
    let absolute = at(".git/next-index-1.lock");
    for (index, code) in [
        (None, 0),
        (Some(".git/index"), 0),
        (Some(".git/next-index-1.lock"), 1),
        (Some("docs/../.git/next-index-1.lock"), 1),
        (absolute.to_str(), 1),
        (Some(".git/link.lock"), 2),
        (Some(".git/out.lock"), 2),
        (Some(".git/gone.lock"), 2),
        (Some(".git/hooks"), 2),
        (Some(".git"), 2),
        (Some("outside.index"), 2),
        (Some("/dev/null"), 2),
        (Some(""), 2),
    ] {
        rig.index_file = index.map(PathBuf::from);
        let ran = rig.run(&["gate", "--staged"]);
        assert_eq!(ran.exit.code(), code, "{index:?}: {}", ran.err);
    }
    // A relative name begins at the top, as it does for git.
    rig.index_file = Some(".git/next-index-1.lock".into());
    let docs = rig.top().join("docs");
    assert_eq!(rig.run_in(&docs, &["gate", "--staged"]).exit.code(), 1);
    // Another working tree has another index, and this one is not its own.
    rig.index_file = Some(at(".git/index"));
    assert_eq!(rig.run_in(&linked, &["gate", "--staged"]).exit.code(), 2);
    rig.index_file = Some(at(".git/worktrees/linked/index"));
    assert_eq!(rig.run_in(&linked, &["gate", "--staged"]).exit.code(), 0);
    // Nothing but what is staged is asked for by this name.
    rig.index_file = Some("outside.index".into());
    assert_eq!(rig.run(&["gate", "--worktree"]).exit.code(), 1);
    fs::remove_dir_all(linked).unwrap();
}

#[test]
fn a_link_of_the_change_leads_to_no_other_rules() {
    let rig = rig(LINKS);
    rig.write("ci/gates.toml", SECRETS);
    rig.write("tests/fixtures/gates.toml", SIZE);
    rig.commit();
    rig.run_ok(&["gate", "check", "--write-lock", "--config", "ci/gates.toml"]);
    rig.run_ok(&[
        "gate",
        "check",
        "--write-lock",
        "--config",
        "tests/fixtures/gates.toml",
    ]);
    rig.commit();
    rig.git(&["checkout", "-q", "-b", "topic"]);
    rig.git(&["rm", "-rq", "ci"]);
    symlink("tests/fixtures", rig.top().join("ci")).unwrap();
    rig.write("a.txt", &format!("token = \"{TOKEN}\"\n"));
    rig.commit();
    let full = rig.top().join("ci/gates.toml");
    for config in [
        "ci/gates.toml",
        "./ci/../ci/gates.toml",
        full.to_str().unwrap(),
    ] {
        let args = ["--base", "main", "--config", config, "--rules-from", "main"];
        assert_eq!(judged(&rig, &args), (1, "secrets failed".to_owned()));
        // As they are on the disk, they are nobody's.
        refused_with(&rig, &["--config", config], &["ci is a link"]);
    }
    let topic = ["--config", "ci/gates.toml", "--rules-from", "topic"];
    assert_eq!(refused(&rig, &topic).0, 2);
    // A link in the place of the file itself.
    rig.git(&["checkout", "-q", "main"]);
    fs::remove_file(rig.top().join("ci/gates.toml")).unwrap();
    symlink(
        "../tests/fixtures/gates.toml",
        rig.top().join("ci/gates.toml"),
    )
    .unwrap();
    rig.git(&["checkout", "-q", "-b", "other"]);
    rig.commit();
    let other = ["--config", "ci/gates.toml", "--rules-from", "other"];
    refused_with(&rig, &other, &["other:ci/gates.toml is a link"]);
}

#[test]
fn files_beside_the_rules_are_of_the_same_revision() {
    let rig = rig(LINKS);
    rig.write("docs/old.md", "[a](a.md)\n");
    let write = ["gate", "baseline", "--output", "ci/known.json"];
    rig.write("ci/README.md", "# What is known\n");
    rig.run_ok(&write);
    let known = rig.read("ci/known.json");
    rig.write("docs/old.md", "# Old\n");
    rig.run_ok(&[&write[..], &["--prune"]].concat());
    rig.commit();
    rig.write("docs/old.md", "[a](a.md)\n");
    rig.write("ci/known.json", &known);
    let given = ["--baseline", "ci/known.json"];
    let from = [&given[..], &["--rules-from", "HEAD"]].concat();
    assert_eq!(judged(&rig, &from), (1, "md-links failed".to_owned()));
    let (exit, report) = gate(&rig, &given);
    assert_eq!(exit, Exit::Done, "{report}");
    let remark = &report["host"][0];
    assert_eq!(
        (&remark["rule"], &remark["locations"][0]["path"]),
        (&"rules-changed".into(), &"ci/known.json".into())
    );
    // What is not in the project is the operator's.
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("known.json");
    fs::write(&file, &known).unwrap();
    let mine = ["--baseline", file.to_str().unwrap(), "--rules-from", "HEAD"];
    assert_eq!(judged(&rig, &mine).0, 0);
    // And so is what gates cost.
    rig.run_ok(&["gate", "fuel", "--record", "--fuel-file", "ci/fuel"]);
    let held = ["--fuel-file", "ci/fuel", "--fuel-regression", "5%"];
    assert_eq!(refused(&rig, &[&held[..], &from].concat()).0, 2);
    let (exit, report) = gate(&rig, &[&held[..], &given].concat());
    assert_eq!(exit, Exit::Done, "{report}");
    let ran = rig.run(&["gate", "fuel", "--record", "--rules-from", "HEAD"]);
    assert_eq!(ran.exit, Exit::Usage);
}

#[test]
fn a_name_that_git_would_choose_a_meaning_for_is_refused() {
    let rig = rig(LINKS);
    let first = rig.git(&["rev-parse", "HEAD"]);
    rig.write("docs/new.md", "[a](a.md)\n");
    rig.commit();
    let bad = rig.git(&["rev-parse", "HEAD"]);
    rig.git(&["update-ref", "refs/remotes/origin/main", &first]);
    rig.git(&["update-ref", "refs/remotes/origin/HEAD", &first]);
    let base = |name: &str| judged(&rig, &["--base", name]);
    for name in ["origin/main", "origin", "main~1", "remotes/origin/main"] {
        assert_eq!(base(name), (1, "md-links failed".to_owned()), "{name}");
    }
    rig.git(&["tag", "origin/main", &bad]);
    rig.git(&["branch", "origin", &bad]);
    rig.git(&["tag", "main", &first]);
    rig.git(&["update-ref", "refs/tags/refs/remotes/origin/main", &bad]);
    rig.git(&["update-ref", "refs/tags/refs/heads/gone", &bad]);
    rig.git(&["update-ref", "refs/heads/FETCH_HEAD", &bad]);
    rig.git(&["branch", &first[..12], &bad]);
    for name in [
        "origin/main",
        "origin/main~0",
        "origin/main^{commit}",
        "origin",
        "main",
        "main@{0}",
        "refs/heads/gone",
        "FETCH_HEAD",
        &first[..12],
    ] {
        refused_with(&rig, &["--base", name], &["can mean", "in full"]);
        refused_with(&rig, &["--rules-from", name], &["can mean"]);
    }
    for name in [
        "refs/remotes/origin/main",
        "refs/remotes/origin/main~0",
        "refs/tags/main^{commit}",
        "heads/main~1",
        &first,
    ] {
        assert_eq!(base(name), (1, "md-links failed".to_owned()), "{name}");
    }
    let head = ["--base", &first, "--head", "main"];
    refused_with(&rig, &head, &["refs/heads/main, or refs/tags/main"]);
}

#[test]
fn of_several_places_to_begin_from_none_is_chosen() {
    let rig = rig(LINKS);
    rig.git(&["checkout", "-q", "-b", "topic"]);
    rig.write("docs/topic.md", "# T\n");
    rig.commit();
    rig.git(&["checkout", "-q", "main"]);
    rig.write("docs/main.md", "# M\n");
    rig.commit();
    let both = [
        rig.git(&["rev-parse", "main"]),
        rig.git(&["rev-parse", "topic"]),
    ];
    rig.git(&["merge", "-q", "-m", "one", &both[1]]);
    rig.git(&["checkout", "-q", "topic"]);
    rig.git(&["merge", "-q", "-m", "other", &both[0]]);
    rig.write("docs/more.md", "# More\n");
    rig.commit();
    refused_with(
        &rig,
        &["--base", "main"],
        &["more than one place", "--direct"],
    );
    assert_eq!(judged(&rig, &["--base", "main", "--direct"]).0, 0);
    rig.git(&["merge", "-q", "-m", "again", "main"]);
    assert_eq!(judged(&rig, &["--base", "main"]).0, 0);
}

#[test]
fn no_link_is_followed_to_what_decides() {
    let rig = rig(LINKS);
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("environ");
    fs::write(&secret, "SECRET = hunter2 =\n").unwrap();
    for name in ["ringfence-gates.toml", "ringfence.lock"] {
        let place = rig.top().join(name);
        let text = fs::read(&place).unwrap();
        fs::remove_file(&place).unwrap();
        symlink(&secret, &place).unwrap();
        let (code, err) = refused(&rig, &[]);
        assert!(
            code == 2 && said(&err).contains("is a link"),
            "{name}: {err}"
        );
        assert!(!err.contains("hunter2"), "{err}");
        fs::remove_file(&place).unwrap();
        fs::write(&place, text).unwrap();
    }
    assert_eq!(refused(&rig, &["--baseline", "known.json"]).0, 2);
    symlink(&secret, rig.top().join("known.json")).unwrap();
    refused_with(
        &rig,
        &["--baseline", "known.json"],
        &["known.json is a link"],
    );
    symlink(&secret, rig.top().join("ringfence.fuel")).unwrap();
    refused_with(
        &rig,
        &["--fuel-regression", "5%"],
        &["ringfence.fuel is a link"],
    );
    symlink(outside.path(), rig.top().join("ci")).unwrap();
    refused_with(&rig, &["--config", "ci/environ"], &["ci is a link"]);
    // Into the project through a link from elsewhere.
    symlink(rig.top().join("docs"), outside.path().join("docs")).unwrap();
    let way = outside.path().join("docs/x.json");
    refused_with(&rig, &["--baseline", way.to_str().unwrap()], &[]);
    fs::remove_file(rig.top().join("ringfence-gates.toml")).unwrap();
    symlink(&secret, rig.top().join("LOOP.md")).unwrap();
    refused_with(&rig, &[], &["LOOP.md is a link"]);
    rig.write("plugin.toml", "");
    rig.write("ringfence-gates.toml", "[[gate]]\nplugin = \"./x.wasm\"\n");
    symlink(&secret, rig.top().join("x.wasm")).unwrap();
    refused_with(&rig, &[], &["x.wasm is a link"]);
}

#[test]
fn a_gates_file_that_is_taken_away_is_remarked_on() {
    let rig = Rig::with_loop();
    rig.write("ringfence-gates.toml", SECRETS);
    rig.run_ok(&["gate", "check", "--write-lock"]);
    rig.commit();
    fs::remove_file(rig.top().join("ringfence-gates.toml")).unwrap();
    let (_, report) = gate(&rig, &[]);
    let remark = &report["host"][0];
    assert_eq!(report["file"], "LOOP.md");
    assert_eq!(remark["rule"], "rules-changed");
    assert_eq!(remark["locations"][0]["path"], "ringfence-gates.toml");
}

#[test]
fn before_the_first_commit_every_file_is_new() {
    let rig = Rig::folder();
    rig.git(&["init", "-q", "-b", "main"]);
    rig.write("ringfence-gates.toml", LINKS);
    rig.run_ok(&["gate", "check", "--write-lock"]);
    assert_eq!(judged(&rig, &["--staged"]), (0, String::new()));
    rig.write("a.md", "[b](b.md)\n");
    let (exit, report) = gate(&rig, &[]);
    assert_eq!(
        (exit, &report["base"]["name"]),
        (Exit::Refused, &"nothing".into())
    );
    assert_eq!(judged(&rig, &["--all", "--worktree"]).0, 1);
    assert_eq!(judged(&rig, &["--staged"]), (0, String::new()));
    rig.git(&["add", "-A"]);
    assert_eq!(judged(&rig, &["--staged"]).0, 1);
    rig.write("a.md", "# A\n");
    assert_eq!(judged(&rig, &[]).0, 0);
    refused_with(&rig, &["--all"], &["no commit yet", "--all --worktree"]);
    // A branch that cannot be read is no branch without commits.
    rig.commit();
    rig.write(".git/refs/heads/main", "nonsense\n");
    assert_ne!(rig.run(&["gate", "--staged"]).exit, Exit::Done);
}

#[test]
fn what_to_fetch_is_named() {
    let rig = rig(LINKS);
    refused_with(
        &rig,
        &["--base", "refs/remotes/origin/v1"],
        &["`git fetch origin v1:refs/remotes/origin/v1`"],
    );
    refused_with(&rig, &["--base", "origin/a;b"], &["BRANCH"]);
    let shallow = rig.top().join("shallow");
    rig.git(&["checkout", "-q", "-b", "topic"]);
    rig.write("a.md", "# A\n");
    rig.commit();
    let url = format!("file://{}", rig.top().display());
    rig.git(&[
        "clone", "-q", "--depth", "1", "-b", "topic", &url, "shallow",
    ]);
    let ran = rig.run_in(&shallow, &["gate", "--base", "origin/main"]);
    let help = "git fetch --unshallow origin main:refs/remotes/origin/main";
    assert!(said(&ran.err).contains(help), "{}", ran.err);
    let words: Vec<&str> = help.split(' ').skip(1).collect();
    rig.git(&[&["-C", "shallow"], &words[..]].concat());
    let ran = rig.run_in(&shallow, &["gate", "--base", "origin/main"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
}

#[test]
fn too_many_commits_are_said_by_name() {
    let commits = "[[gate]]\nplugin = \"std:conventional-commits\"\n";
    let rig = rig(commits);
    let mut import = String::new();
    for n in 0..1_001 {
        let from = if n == 0 {
            "from refs/heads/main^0\n"
        } else {
            ""
        };
        import += &format!(
            "commit refs/heads/topic\ncommitter A <a@example.org> {n} +0000\ndata 7\nfix: it{from}\n"
        );
    }
    import += "M 644 inline a.txt\ndata 2\na\n\n";
    let mut command = Command::new("git");
    command
        .arg("fast-import")
        .arg("--quiet")
        .stdin(Stdio::piped());
    let mut child = command.current_dir(rig.top()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(import.as_bytes()).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    let all = ["--base", "main", "--head", "topic"];
    refused_with(&rig, &all, &["\"main\" to \"topic\"", "1000", "--base"]);
    let (_, report) = gate(&rig, &["--base", "topic~1000", "--head", "topic"]);
    assert_eq!(report["change"]["commits"], 1_000);
    // Gates that cannot ask for commits do without.
    rig.write("size.toml", "[[gate]]\nplugin = \"std:diff-size\"\n");
    let size = ["--config", "size.toml"];
    rig.run_ok(&[&["gate", "check", "--write-lock"], &size[..]].concat());
    let (exit, report) = gate(&rig, &[&all[..], &size].concat());
    assert_eq!(
        (exit, &report["change"]["commits"]),
        (Exit::Done, &1_001.into())
    );
}

#[test]
fn commits_that_come_to_no_difference_are_judged() {
    let gates =
        "[[gate]]\nplugin = \"std:conventional-commits\"\n[[gate]]\nplugin = \"std:paths\"\n";
    let rig = rig(gates);
    rig.git(&["checkout", "-q", "-b", "topic"]);
    let judged_with = |message: &str| {
        rig.git(&["commit", "-q", "--allow-empty", "-m", message]);
        judged(&rig, &["--base", "main"])
    };
    let (passed, failed) = ("conventional-commits passed", "conventional-commits failed");
    assert_eq!(judged(&rig, &["--base", "main"]), (0, String::new()));
    assert_eq!(judged_with("fix: nothing"), (0, passed.to_owned()));
    assert_eq!(judged_with("WIP"), (1, failed.to_owned()));
    rig.git(&["reset", "-q", "--hard", "HEAD^"]);
    // What one commit brings and the next takes back.
    rig.write("a.txt", "a");
    rig.git(&["add", "-A"]);
    assert_eq!(judged_with("WIP").0, 1);
    rig.git(&["rm", "-q", "a.txt"]);
    assert_eq!(judged_with("fix: without"), (1, failed.to_owned()));
}

#[test]
fn no_commit_is_a_merge_that_merges_nothing() {
    let rig = rig("[[gate]]\nplugin = \"std:conventional-commits\"\n");
    rig.git(&["checkout", "-q", "-b", "topic"]);
    rig.git(&["commit", "-q", "--allow-empty", "-m", "fix: one"]);
    rig.write("a.txt", "a");
    rig.git(&["add", "-A"]);
    let tree = rig.git(&["write-tree"]);
    let odd = ["-p", "topic", "-p", "main", "-m", "WIP"];
    let odd = rig.git(&[&["commit-tree", &tree], &odd[..]].concat());
    assert_eq!(judged(&rig, &["--base", "main", "--head", &odd]).0, 1);
    rig.git(&["commit", "-q", "-m", "fix: two"]);
    // A branch that could have been taken as it is, and was merged all the same.
    rig.git(&["checkout", "-q", "-b", "taken", "main"]);
    rig.git(&["merge", "-q", "--no-ff", "-m", "Take topic", "topic"]);
    assert_eq!(judged(&rig, &["--base", "main"]).0, 0);
    rig.git(&["checkout", "-q", "-b", "both", "main"]);
    rig.write("b.txt", "b");
    rig.git(&["add", "-A"]);
    rig.git(&["commit", "-q", "-m", "fix: three"]);
    rig.git(&["merge", "-q", "-m", "Take topic", "topic"]);
    assert_eq!(judged(&rig, &["--base", "main"]).0, 0);
}

#[test]
fn what_is_pinned_is_said_and_taken_back_only_by_name() {
    let rig = rig(LINKS);
    let check = |args: &[&str]| {
        let ran = rig.run(&[&["gate", "check"], args].concat());
        (ran.exit.code(), said(&format!("{} {}", ran.out, ran.err)))
    };
    let (code, told) = check(&[]);
    let pinned = "every plugin is the one pinned in ringfence.lock";
    assert!(code == 0 && told.ends_with(pinned), "{told}");
    rig.write(
        "ringfence-gates.toml",
        "[[gate]]\nplugin = \"std:secrets\"\n",
    );
    let (code, told) = check(&[]);
    assert!(
        code == 0
            && told.contains("not pinned in ringfence.lock: std:secrets No gate runs before that")
            && told.contains("pinned for another file, or for nothing: std:md-links"),
        "{told}"
    );
    for unknown in ["std:nowhere", "std:secrets"] {
        let (code, told) = check(&["--write-lock", "--accept", unknown]);
        assert!(code == 2 && told.contains("is not pinned"), "{told}");
    }
    assert_eq!(check(&["--accept", "std:md-links"]).0, 2);
    let (_, told) = check(&["--write-lock"]);
    assert!(told.contains("pinned now: std:secrets"), "{told}");
    assert!(rig.read("ringfence.lock").contains("std:md-links"));
    let (_, told) = check(&["--write-lock", "--accept", "std:md-links"]);
    assert!(told.ends_with("pinned no longer: std:md-links"), "{told}");
    assert!(!rig.read("ringfence.lock").contains("std:md-links"));
    // What was tampered with is taken only when it is named.
    let lock = rig.read("ringfence.lock");
    let digest = lock.split("blake3:").nth(1).unwrap().get(..64).unwrap();
    rig.edit("ringfence.lock", digest, &"0".repeat(64));
    assert_eq!(check(&["--write-lock"]).0, 7);
    assert_eq!(check(&["--write-lock", "--accept", "std:secrets"]).0, 0);
    assert_eq!(rig.read("ringfence.lock"), lock);
}

#[test]
fn a_revision_in_the_place_of_a_verb_is_told_where_it_goes() {
    let rig = rig(LINKS);
    let ran = rig.run(&["gate", "main"]);
    assert!(
        ran.exit == Exit::Usage && ran.err.contains("ringfence gate --base main"),
        "{}",
        ran.err
    );
    assert!(!rig.run(&["journal", "main"]).err.contains("--base"));
}
