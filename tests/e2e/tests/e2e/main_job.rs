//! What Ringfence is for: broken links of a real repository become branches with one repair each.
//!
//! **Invariant:** whatever a beat does, the user's index, checkout, stash, refs and configuration are byte for byte what
//! they were.

use std::fs;

use serde_json::{Value, json};

use crate::loop_files::at_level;
use crate::rig::{Rig, root};
use crate::traces::Before;

/// One row of `docs/example.md`: a broken link, and its only repair if there is one.
struct Row {
    file: String,
    link: String,
    repair: Option<String>,
}

fn rows() -> Vec<Row> {
    let list = fs::read_to_string(root().join("docs/example.md")).unwrap();
    let rows = list.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let code = |cell: &str| cell.trim_matches('`').to_owned();
        Row {
            file: code(cells[1]),
            link: code(cells[2]),
            repair: (!cells[4].starts_with("refused")).then(|| code(cells[4])),
        }
    })
    .collect()
}

/// Leaves something of every kind that a person may have lying about.
fn make_a_mess(rig: &Rig) {
    let append = |path: &str, line: &str| {
        let text = rig.read(path);
        rig.write(path, &format!("{text}{line}\n"));
    };
    append("CHANGELOG.md", "Stashed.");
    rig.git(&["stash", "push", "-q", "-m", "later"]);
    append("docs/reference/storage.md", "Staged.");
    rig.git(&["add", "docs/reference/storage.md"]);
    append("docs/contributing.md", "Not staged.");
    // Staged in one version, edited in another.
    append("docs/help/faq.md", "Staged.");
    rig.git(&["add", "docs/help/faq.md"]);
    append("docs/help/faq.md", "And more.");
    rig.git(&["rm", "-q", "--cached", "docs/images/flow.svg"]);
    rig.write("notes.txt", "untracked\n");
    rig.write("planned.md", "[nowhere](at/all.md)\n");
    rig.git(&["add", "--intent-to-add", "planned.md"]);
    rig.write(".git/info/exclude", "*.log\n");
    rig.write("debug.log", "ignored\n");
}

#[test]
fn each_repair_becomes_a_branch_and_nothing_else_changes() {
    let rig = Rig::example();
    rig.init();
    make_a_mess(&rig);
    let before = Before::of(&rig);
    let (repairs, hopeless): (Vec<_>, Vec<_>) =
        rows().into_iter().partition(|row| row.repair.is_some());
    assert_eq!((repairs.len(), hopeless.len()), (7, 2));
    for (index, row) in repairs.iter().enumerate() {
        let report = rig.beat(0);
        assert_eq!(report["outcome"]["kind"], "proposed", "{report:#}");
        let branch = format!("ringfence/docs-links/{}", index + 1);
        assert_holds_only(&rig, &branch, row);
    }
    assert_eq!(rig.beat(0)["outcome"]["kind"], "nothing-to-do");
    before.assert_untouched();

    assert_eq!(rig.beat(0)["outcome"]["kind"], "skipped");
    for (args, code) in [(&["beat"][..], 0), (&["beat", "--detailed-exit-code"], 10)] {
        assert_eq!(rig.run(args).code, code, "{args:?}");
    }
    before.assert_untouched();
    let branches = rig.git(&[
        "branch",
        "--list",
        "--format=%(refname:short)",
        "ringfence/*",
    ]);
    assert_eq!(branches.lines().count(), 7, "{branches}");
    let verified = rig.run(&["journal", "verify", "--format", "json"]).json();
    assert_eq!(verified["ok"], true);
}

/// The branch is one commit on `HEAD` that retargets this one link, and the new target is there.
fn assert_holds_only(rig: &Rig, branch: &str, row: &Row) {
    let repair = row.repair.as_ref().unwrap();
    assert_eq!(
        rig.git(&["rev-list", "--count", &format!("HEAD..{branch}")]),
        "1"
    );
    assert_eq!(
        rig.git(&["rev-parse", &format!("{branch}^")]),
        rig.git(&["rev-parse", "HEAD"])
    );
    let names = rig.git(&["diff", "--name-status", "HEAD", branch]);
    assert_eq!(names, format!("M\t{}", row.file));
    let show = |commit: &str| rig.git(&["show", &format!("{commit}:{}", row.file)]);
    let (was, now) = (show("HEAD"), show(branch));
    // The same words may stand elsewhere: the link is what some kind of Markdown puts around it.
    let around = [("(", ")"), ("href=\"", "\""), (": ", "\n")];
    let spelled = around.map(|(open, close)| {
        let with = |target: &str| format!("{open}{target}{close}");
        (with(&row.link), with(repair))
    });
    let here: Vec<_> = spelled
        .iter()
        .filter(|(old, _)| was.contains(old))
        .collect();
    assert_eq!(here.len(), 1, "{} in {}", row.link, row.file);
    let (old, new) = here[0];
    assert_eq!(was.matches(old).count(), 1, "{old}");
    assert_eq!(now, was.replace(old, new), "{branch}");

    let (target, anchor) = repair
        .split_once('#')
        .map_or((repair.as_str(), None), |(target, anchor)| {
            (target, Some(anchor))
        });
    let folder = row.file.rsplit_once('/').map_or(".", |(folder, _)| folder);
    // Git follows `..` in a name relative to where it runs.
    let listed = rig.git(&["-C", folder, "show", &format!("{branch}:./{target}")]);
    let heading = |line: &str| {
        line.trim_start_matches('#')
            .trim()
            .to_lowercase()
            .replace(' ', "-")
    };
    if let Some(anchor) = anchor {
        let is_there = listed
            .lines()
            .any(|line| line.starts_with('#') && heading(line) == anchor);
        assert!(is_there, "{anchor} in {listed}");
    }
}

#[test]
fn what_was_accepted_or_turned_down_is_not_proposed_again() {
    let rig = Rig::example();
    rig.init();
    for _ in 0..2 {
        assert_eq!(rig.beat(0)["outcome"]["kind"], "proposed");
    }
    rig.git(&["merge", "-q", "--no-edit", "ringfence/docs-links/1"]);
    rig.git(&["branch", "-q", "-D", "ringfence/docs-links/1"]);
    let report = rig.beat(0);
    assert_eq!(
        report["outcome"]["reference"],
        "refs/heads/ringfence/docs-links/3"
    );
    let reason = report["receipt"]["decision"].to_string();
    assert!(
        reason.contains("writing-rule"),
        "the second is still open: {reason}"
    );
    rig.git(&["branch", "-q", "-D", "ringfence/docs-links/3"]);
    let reason = rig.beat(0)["receipt"]["decision"].to_string();
    assert!(!reason.contains("writing-rule"), "turned down: {reason}");
}

#[test]
fn a_branch_that_is_in_the_way_is_not_touched() {
    let rig = Rig::small_with_loop();
    rig.git(&["branch", "ringfence/docs-links/1"]);
    let mine = rig.git(&["rev-parse", "ringfence/docs-links/1"]);
    let report = rig.beat(0);
    assert_eq!(
        report["outcome"]["reference"],
        "refs/heads/ringfence/docs-links/2"
    );
    assert_eq!(rig.git(&["rev-parse", "ringfence/docs-links/1"]), mine);

    // Where a branch has the name of the folder, git cannot have one in it.
    let rig = Rig::small_with_loop();
    rig.git(&["branch", "ringfence/docs-links"]);
    let mine = rig.git(&["rev-parse", "HEAD"]);
    let ran = rig.run(&["beat"]);
    assert_eq!(ran.code, 8, "{}", ran.out);
    insta::assert_snapshot!(ran.parts(&["docs-links"]), @r"
    docs-links beat 1: failed
      host: a branch named refs/heads/ringfence/docs-links is in the way of
        refs/heads/ringfence/docs-links/1

    --- exit 8
    ");
    assert_eq!(rig.git(&["rev-parse", "ringfence/docs-links"]), mine);
    assert_eq!(rig.run(&["journal", "verify"]).code, 0);
    rig.git(&["branch", "-q", "-D", "ringfence/docs-links"]);
    let report = rig.beat(4);
    assert_eq!(report["outcome"]["kind"], "waiting", "{report:#}");
}

#[test]
fn a_state_directory_that_was_removed_is_made_again() {
    let rig = Rig::example();
    rig.init();
    for _ in 0..2 {
        assert_eq!(rig.beat(0)["outcome"]["kind"], "proposed");
    }
    let first = rig.git(&["rev-parse", "ringfence/docs-links/1"]);
    fs::remove_dir_all(rig.path(".git/ringfence-state")).unwrap();
    let before = Before::of(&rig);
    let report = rig.beat(0);
    before.assert_untouched();
    assert_eq!(
        report["outcome"]["reference"],
        "refs/heads/ringfence/docs-links/3"
    );
    assert_eq!(rig.git(&["rev-parse", "ringfence/docs-links/1"]), first);
}

#[test]
fn a_dry_run_leaves_caches_and_nothing_else() {
    let rig = Rig::small_with_loop();
    let before = Before::of(&rig);
    let ran = rig.run(&["beat", "--dry-run"]);
    insta::assert_snapshot!(ran.parts(&["docs-links", "changed", "diff"]), @r"
    docs-links beat 1: would be accepted (dry run: nothing is kept)

    changed: 1 file
      modified  +1 -1  README.md

    diff
      diff --git a/README.md b/README.md
      index da6295f..96337a3 100644
      --- a/README.md
      +++ b/README.md
      @@ -1,3 +1,3 @@
       # Hello

    --- exit 0
    ");
    before.assert_untouched();
    assert_eq!(rig.git(&["for-each-ref", "refs/heads/ringfence/"]), "");
    insta::assert_snapshot!(state(&rig), @"
    /docs-links/
    docs-links/base/
    docs-links/held/
    docs-links/identity
    docs-links/index
    docs-links/index-candidate
    docs-links/journal.jsonl (empty)
    docs-links/lock (empty)
    docs-links/memo/
    docs-links/proposals/
    docs-links/shadow/
    docs-links/store.git/
    ");
    let report = rig.beat(0);
    assert_eq!(report["receipt"]["beat"], 1, "the dry run was none");
    assert_eq!(report["receipt"]["steps"][0]["memo"], true);
}

/// What is in the state directory, two folders deep, with the size of what is not git's.
fn state(rig: &Rig) -> String {
    let mut lines = Vec::new();
    for folder in [
        "",
        "docs-links",
        "docs-links/shadow",
        "docs-links/proposals",
    ] {
        for entry in fs::read_dir(rig.path(".git/ringfence-state").join(folder)).unwrap() {
            let entry = entry.unwrap();
            let meta = entry.metadata().unwrap();
            let what = if meta.is_dir() {
                "/"
            } else if meta.len() == 0 {
                " (empty)"
            } else {
                ""
            };
            lines.push(format!("{folder}/{}{what}", entry.file_name().display()));
        }
    }
    lines.sort();
    lines.join("\n")
}

#[test]
fn remembered_answers_are_the_same_as_new_ones() {
    let rig = Rig::example();
    rig.init();
    let run = |more: &[&str]| {
        let args = [&["beat", "--dry-run", "--format", "json"], more].concat();
        let ran = rig.run(&args);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        ran.json()
    };
    let (first, remembered, anew) = (run(&[]), run(&[]), run(&["--no-memo"]));
    let memos = |report: &Value| steps(report, |step| step["memo"].clone());
    // The sensor and three gates; a decider and an executor are always asked.
    assert_eq!(
        memos(&first),
        json!([false, false, false, false, false, false])
    );
    assert_eq!(
        memos(&remembered),
        json!([true, false, false, true, true, true])
    );
    assert_eq!(memos(&anew), memos(&first));
    let usage = |report: &Value| steps(report, |step| step["usage"].clone());
    for other in [&remembered, &anew] {
        assert_eq!(usage(other), usage(&first));
        for key in ["signals", "decision", "change", "verdicts", "summary"] {
            assert_eq!(other["receipt"][key], first["receipt"][key], "{key}");
        }
        assert_eq!(other["diff"], first["diff"]);
    }
}

fn steps(report: &Value, of: impl Fn(&Value) -> Value) -> Value {
    report["receipt"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(of)
        .collect()
}

#[test]
fn stdout_holds_one_document_for_programs() {
    let rig = Rig::small_with_loop();
    for (args, key, value) in [
        (&["check"][..], "/ok", json!(true)),
        (&["beat", "--dry-run"], "/dry_run", json!(true)),
        (&["beat", "-vv"], "/outcome/kind", json!("proposed")),
        (&["status"], "/next", json!({ "next": "free" })),
        (&["journal", "show"], "/3/kind", json!("beat")),
        (&["journal", "verify"], "/entries", json!(4)),
        (&["plugin", "list"], "/0/manifest/name", json!("codeowners")),
        (
            &["plugin", "inspect", "std:paths"],
            "/manifest/roles/0",
            json!("gate"),
        ),
        (
            &["explain", ".git/x", "--step", "paths"],
            "/answers/0/allowed",
            json!(false),
        ),
    ] {
        let ran = rig.run(&[args, &["--format", "json"]].concat());
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
        assert_eq!(ran.json().pointer(key), Some(&value), "{args:?}");
    }
}

const REPAIRED: &str = "# Hello\n\nSee the [guide](docs/guide.md).\n";

#[test]
fn a_shadow_is_a_patch_that_git_takes() {
    let rig = Rig::small_with_loop();
    rig.set_loop(&at_level(&rig.read("LOOP.md"), "L1"));
    let before = Before::of(&rig);
    let report = rig.beat(0);
    assert_eq!(
        report["outcome"],
        json!({ "kind": "shadowed", "patch": "shadow/1.patch" })
    );
    before.assert_untouched();
    assert_eq!(rig.git(&["for-each-ref", "refs/heads/ringfence/"]), "");
    rig.git(&["apply", ".git/ringfence-state/docs-links/shadow/1.patch"]);
    assert_eq!(rig.read("README.md"), REPAIRED);
}

#[test]
fn a_folder_without_git_gets_a_patch() {
    let rig = Rig::folder();
    rig.write("README.md", "# Hello\n\nSee the [guide](guide.md).\n");
    rig.write("docs/guide.md", "# Guide\n");
    assert_eq!(rig.run(&["init"]).code, 0);
    let report = rig.beat(0);
    assert_eq!(
        report["outcome"]["reference"], "proposals/1.patch",
        "{report:#}"
    );
    assert!(!rig.path(".git").exists());
    assert_eq!(
        rig.read("README.md"),
        "# Hello\n\nSee the [guide](guide.md).\n"
    );
    rig.git(&["apply", ".ringfence/docs-links/proposals/1.patch"]);
    assert_eq!(rig.read("README.md"), REPAIRED);
    assert_eq!(rig.beat(0)["outcome"]["kind"], "nothing-to-do");
    assert_eq!(rig.beat(0)["outcome"]["kind"], "skipped");
}

#[test]
fn the_working_tree_can_be_the_base() {
    let rig = Rig::small_with_loop();
    let text = rig.read("LOOP.md");
    rig.set_loop(&text.replace("level =", "base = \"worktree\"\nlevel ="));
    // Clean, it is the commit's own tree, and the proposal a branch.
    assert_eq!(
        rig.beat(0)["outcome"]["reference"],
        "refs/heads/ringfence/docs-links/1"
    );
    let edited = "# Hello, edited\n\nSee the [guide](guide.md).\n";
    rig.write("README.md", edited);
    rig.write("new.md", "[guide](guide.md#guide)\n");
    let before = Before::of(&rig);
    let report = rig.beat(0);
    assert_eq!(
        report["outcome"]["reference"], "proposals/2.patch",
        "{report:#}"
    );
    before.assert_untouched();
    assert_eq!(rig.read("README.md"), edited);
    rig.git(&["apply", ".git/ringfence-state/docs-links/proposals/2.patch"]);
    assert_eq!(rig.read("new.md"), "[guide](docs/guide.md#guide)\n");
}
