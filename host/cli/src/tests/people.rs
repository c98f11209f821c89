//! What people are asked and told, and what they say.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::rig::Rig;
use crate::exit::Exit;

/// A loop whose every change of `docs/` waits for a person.
fn asking() -> Rig {
    let rig = Rig::with_loop();
    rig.edit(
        "LOOP.md",
        "paths = [\"**/LICENSE*\"",
        "paths = [\"docs/**\"",
    );
    rig.commit();
    rig
}

/// The same with a change that waits as `held-1`.
fn held() -> Rig {
    let rig = asking();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Escalated);
    rig
}

fn outcome(rig: &Rig) -> String {
    let report = rig.run(&["beat", "--format", "json"]).json();
    report["outcome"]["kind"].as_str().unwrap().to_owned()
}

fn branches(rig: &Rig) -> String {
    rig.git(&[
        "branch",
        "--list",
        "ringfence/*",
        "--format=%(refname:short)",
    ])
}

#[test]
fn a_change_waits_is_looked_at_and_approved() {
    let rig = asking();
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @"
    docs-links beat 1: escalated
      the gates let the change through; it waits for a person as held-1
      the change touches what a person decides about: docs/guide.md
      look      ringfence inbox held-1

    found: 2 items, 2 open to be worked on
      `setup.md` in docs/guide.md leads to no file
      `gone.md` in docs/guide.md leads to no file

    decided: md-link-fix does fix for broken-link-[hex]
      first eligible item labelled fixable: `setup.md` in docs/guide.md leads to no
        file

    changed: 1 file
      modified  +1 -1  docs/guide.md

    judged
      pass  md-links   0 newly broken, 1 broken before, in 1 document
               note[missing-file] `gone.md` leads to no file, as it did before this
                 change
                 at docs/guide.md:3:41
      pass  diff-size  1 file, +1 −1 lines, largest file 59 bytes
      pass  paths      1 file differs, none where it may not be

    steps: [n] fuel in all
      role      step           fuel            memory
      sensor  md-links  [n] of [n]  [n] MiB
      decider  first-fixable  [n] of [n]  [n] MiB
      executor  md-link-fix  [n] of [n]  [n] MiB
      gate  md-links  [n] of [n]  [n] MiB
      gate  diff-size  [n] of [n]  [n] MiB
      gate  paths  [n] of [n]  [n] MiB
    --- exit 3
    ");
    assert_eq!(branches(&rig), "");
    insta::assert_snapshot!(rig.run(&["inbox"]).shown(), @r"
    loop docs-links: 1 thing waits, oldest first

    held-1: a change that all gates let through, just now
      since   2026-01-02T03:04:05Z
      item  broken-link-[hex]
      why     the change touches what a person decides about: docs/guide.md
      change  1 file, +1 -1
      gates   md-links pass, diff-size pass, paths pass
        +++ b/docs/guide.md
        @@ -1,3 +1,3 @@
         # Guide

        -[set up](setup.md) first, then [go](gone.md).
        +[set up](old/setup.md) first, then [go](gone.md).
      answer  ringfence answer held-1 approve|reject|note
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["inbox", "held-1"]).shown(), @"
    held-1: a change that all gates let through, just now
      since   2026-01-02T03:04:05Z
      item  broken-link-[hex]
      why     the change touches what a person decides about: docs/guide.md
      answer  ringfence answer held-1 approve|reject|note

    decided: md-link-fix does fix for broken-link-[hex]
      first eligible item labelled fixable: `setup.md` in docs/guide.md leads to no
        file

    changed: 1 file
      modified  +1 -1  docs/guide.md

    judged
      pass  md-links   0 newly broken, 1 broken before, in 1 document
               note[missing-file] `gone.md` leads to no file, as it did before this
                 change
                 at docs/guide.md:3:41
      pass  diff-size  1 file, +1 −1 lines, largest file 59 bytes
      pass  paths      1 file differs, none where it may not be

    diff
      diff --git a/docs/guide.md b/docs/guide.md
      index a252323f44a93529912685a2bc64dab1bc636123..026ad96e63829af79e6652ac5a62622cd9de0303 100644
      --- a/docs/guide.md
      +++ b/docs/guide.md
      @@ -1,3 +1,3 @@
       # Guide

      -[set up](setup.md) first, then [go](gone.md).
      +[set up](old/setup.md) first, then [go](gone.md).
    --- exit 0
    ");
    let json = rig.run(&["inbox", "--format", "json"]).json();
    assert_eq!(json["waiting"][0]["answers"][0], "approve");
    assert!(
        json["waiting"][0]["diff"]["text"]
            .as_str()
            .unwrap()
            .contains("+[set up]")
    );
    insta::assert_snapshot!(rig.run(&["answer", "held-1", "approve"]).shown(), @r"
    loop docs-links: held-1 is approved: the next beat judges it anew and settles it
      (now: --now, or `ringfence beat`)
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["inbox"]).shown(), @r"
    loop docs-links: 1 thing waits, oldest first

    held-1: a change that is approved; the next beat settles it, just now
      since   2026-01-02T03:04:05Z
      item  broken-link-[hex]
      why     the change touches what a person decides about: docs/guide.md
      change  1 file, +1 -1
      gates   md-links pass, diff-size pass, paths pass
        +++ b/docs/guide.md
        @@ -1,3 +1,3 @@
         # Guide

        -[set up](setup.md) first, then [go](gone.md).
        +[set up](old/setup.md) first, then [go](gone.md).
      answer  ringfence answer held-1 approve|reject|note
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @"
    docs-links beat 2: proposed
      branch    ringfence/docs-links/2
      look      git diff HEAD...ringfence/docs-links/2
      accept    git merge ringfence/docs-links/2

    decided: md-link-fix does fix for broken-link-[hex]
      first eligible item labelled fixable: `setup.md` in docs/guide.md leads to no
        file

    changed: 1 file
      modified  +1 -1  docs/guide.md

    judged
      pass  md-links   0 newly broken, 1 broken before, in 1 document
               note[missing-file] `gone.md` leads to no file, as it did before this
                 change
                 at docs/guide.md:3:41
      pass  diff-size  1 file, +1 −1 lines, largest file 59 bytes
      pass  paths      1 file differs, none where it may not be

    steps: 0 fuel in all
      role  step       fuel            memory
      gate  md-links  [n] of [n]  [n] MiB  remembered
      gate  diff-size  [n] of [n]  [n] MiB  remembered
      gate  paths  [n] of [n]  [n] MiB  remembered
    --- exit 0
    ");
    assert_eq!(branches(&rig), "ringfence/docs-links/2");
    let message = rig.git(&[
        "log",
        "-1",
        "--format=%(trailers:key=Ringfence-Approved)",
        "ringfence/docs-links/2",
    ]);
    assert_eq!(message, "Ringfence-Approved: held-1");
    assert_eq!(
        rig.git(&["diff", "--name-only", "HEAD...ringfence/docs-links/2"]),
        "docs/guide.md"
    );
    insta::assert_snapshot!(rig.run(&["inbox"]).shown(), @r"
    loop docs-links: nothing waits for a person
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["journal", "show"]).shown(), @"
    entry  at                    beat  fuel   what
    1  2026-01-02T03:04:05Z  1  began: may cost [n] fuel
    2      2026-01-02T03:04:05Z  1            about to lay aside held/1.patch
    3      2026-01-02T03:04:05Z  1            done
    4  2026-01-02T03:04:05Z  1  [n]  escalated: the gates let the change
                                              through; it waits for a person as
                                              held-1; the change touches what a
                                              person decides about: docs/guide.md
    5      2026-01-02T03:04:05Z               approved held-1 by ann
    6  2026-01-02T03:04:05Z  2  began: may cost [n] fuel
    7      2026-01-02T03:04:05Z  2            about to propose
                                              ringfence/docs-links/2
    8      2026-01-02T03:04:05Z  2            done
    9      2026-01-02T03:04:05Z  2            proposed: ringfence/docs-links/2
    --- exit 0
    ");
}

#[test]
fn an_approved_change_outlasts_the_time_in_which_changes_are_only_recorded() {
    let rig = Rig::folder();
    for n in 1..=6 {
        let text = format!("# From\n\n[to](to-{n}.md)\n");
        rig.write(&format!("docs/from-{n}.md"), &text);
        rig.write(&format!("docs/old/to-{n}.md"), "# To\n");
    }
    rig.git(&["init", "-q", "-b", "main"]);
    assert_eq!(rig.run(&["init"]).exit, Exit::Done);
    rig.edit(
        "LOOP.md",
        "paths = [\"**/LICENSE*\"",
        "paths = [\"docs/**\"",
    );
    rig.commit();
    for _ in 1..=4 {
        assert_eq!(rig.run(&["beat"]).exit, Exit::Escalated);
    }
    for n in 1..=3 {
        let id = format!("held-{n}");
        assert_eq!(rig.run(&["answer", &id, "reject"]).exit, Exit::Done);
    }
    let flat = |args: &[&str]| {
        let ran = rig.run(args);
        ran.out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let why = "rejected: people rejected 3 changes in a row";
    for (args, says) in [
        (
            &["answer", "held-4", "approve"][..],
            "held-4 is approved, and not settled yet: ",
        ),
        (&["inbox", "held-4"], "not yet "),
        (&["inbox", "report-only"], "why "),
        (&["status"], "approved, and not settled yet: "),
    ] {
        let said = flat(args);
        assert!(said.contains(&format!("{says}{why}")), "{args:?}: {said}");
    }
    let said = flat(&["beat"]);
    assert!(
        said.contains("escalated") && said.contains("held-4 is approved"),
        "{said}"
    );
    assert_eq!(outcome(&rig), "escalated", "the loop goes on");
    assert_eq!(branches(&rig), "");
    assert_eq!(rig.run(&["resume"]).exit, Exit::Done);
    assert_eq!(outcome(&rig), "proposed");
    assert_eq!(branches(&rig), "ringfence/docs-links/7");
}

#[test]
fn an_answer_may_act_at_once() {
    let rig = held();
    let ran = rig.run(&["answer", "held-1", "approve", "--now", "--format", "json"]);
    assert_eq!(ran.exit, Exit::Done);
    assert_eq!(ran.json()["outcome"]["kind"], "proposed");
    assert_eq!(branches(&rig), "ringfence/docs-links/2");
}

#[test]
fn a_conflict_is_told_and_the_item_is_open_again() {
    let rig = held();
    rig.write(
        "docs/guide.md",
        "# The guide\n\n[set up](setup.md) first, then [go](gone.md).\n\nMore.\n",
    );
    rig.commit();
    assert_eq!(rig.run(&["answer", "held-1", "approve"]).exit, Exit::Done);
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    docs-links beat 2: discarded
      held-1 is approved and cannot be taken up: it does not go together with the
        base: error: patch failed: docs/guide.md:1; error: docs/guide.md: patch does
        not apply

    decided: md-link-fix does fix for broken-link-[hex]
      first eligible item labelled fixable: `setup.md` in docs/guide.md leads to no
        file
    --- exit 1
    ");
    assert!(rig.run(&["inbox"]).out.contains("nothing waits"));
    assert_eq!(outcome(&rig), "escalated", "the loop found another way");
}

#[test]
fn a_change_that_fits_on_another_base_is_settled_there() {
    let rig = held();
    rig.write("other.md", "# Other\n");
    rig.commit();
    assert_eq!(rig.run(&["answer", "held-1", "approve"]).exit, Exit::Done);
    assert_eq!(outcome(&rig), "proposed");
    assert_eq!(
        rig.git(&["rev-parse", "ringfence/docs-links/2~1"]),
        rig.git(&["rev-parse", "HEAD"])
    );
}

#[test]
fn a_gate_that_refuses_an_approved_change_has_the_last_word() {
    let rig = held();
    rig.edit("LOOP.md", "max_lines = 200", "max_lines = 1");
    assert_eq!(rig.run(&["answer", "held-1", "approve"]).exit, Exit::Done);
    assert_eq!(outcome(&rig), "discarded");
    assert_eq!(branches(&rig), "");
    assert!(rig.run(&["inbox"]).out.contains("nothing waits"));
}

#[test]
fn a_change_that_was_tampered_with_is_not_settled() {
    let rig = held();
    rig.edit(
        ".git/ringfence-state/docs-links/held/1.patch",
        "+[set up](old/setup.md)",
        "+[set up](old/other.md)",
    );
    assert!(rig.run(&["inbox"]).out.contains("not what was laid aside"));
    assert_eq!(rig.run(&["answer", "held-1", "approve"]).exit, Exit::Done);
    let ran = rig.run(&["beat"]);
    assert!(
        ran.out.contains("held/1.patch is not what was laid"),
        "{}",
        ran.out
    );
    assert_eq!(branches(&rig), "");
}

/// Puts a copy of the loop's folder in its place.
fn copy_here(rig: &Rig) {
    let state = rig.top().join(".git/ringfence-state");
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(state.join("docs-links"))
        .arg(state.join("copy"))
        .status();
    assert!(copied.unwrap().success());
    fs::remove_dir_all(state.join("docs-links")).unwrap();
    fs::rename(state.join("copy"), state.join("docs-links")).unwrap();
}

#[test]
fn an_approval_that_was_given_here_counts_in_a_folder_that_was_copied() {
    let rig = held();
    copy_here(&rig);
    assert_eq!(rig.run(&["answer", "held-1", "approve"]).exit, Exit::Done);
    let ran = rig.run(&["beat"]);
    assert!(!ran.out.contains("came here"), "{}", ran.out);
    assert_eq!(branches(&rig), "ringfence/docs-links/2");
}

#[test]
fn an_approved_label_that_came_with_the_folder_counts_for_nothing() {
    let rig = Rig::with_loop();
    rig.edit(
        "LOOP.md",
        "[escalate]",
        "[escalate]\nlabels = [\"fixable\"]",
    );
    rig.commit();
    assert_eq!(outcome(&rig), "nothing-to-do");
    let inbox = rig.run(&["inbox", "--format", "json"]).json();
    let id = inbox["waiting"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(rig.run(&["answer", &id[..12], "approve"]).exit, Exit::Done);
    copy_here(&rig);
    let ran = rig.run(&["beat"]);
    let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("was approved before the loop's folder came here"),
        "{said}"
    );
    assert_eq!(branches(&rig), "");
    assert_eq!(rig.run(&["answer", &id[..12], "approve"]).exit, Exit::Done);
    assert_eq!(outcome(&rig), "proposed");
}

#[test]
fn an_approval_that_came_with_the_folder_counts_for_nothing() {
    let rig = held();
    assert_eq!(rig.run(&["answer", "held-1", "approve"]).exit, Exit::Done);
    copy_here(&rig);
    let ran = rig.run(&["beat"]);
    assert!(
        ran.out
            .contains("held-1 was approved before the loop's folder came here"),
        "{}",
        ran.out
    );
    assert_eq!(branches(&rig), "");
    assert!(!rig.run(&["inbox"]).out.contains("approved"));
}

#[test]
fn what_is_rejected_stays_away() {
    let rig = held();
    insta::assert_snapshot!(rig.run(&["answer", "held-1", "reject", "--reason", "we like it"]).shown(), @r"
    loop docs-links: held-1 is dropped; its item is left alone while it is as it is
    --- exit 0
    ");
    assert_eq!(outcome(&rig), "nothing-to-do");
    assert_eq!(outcome(&rig), "skipped");
    assert_eq!(branches(&rig), "");
}

#[test]
fn a_note_reaches_the_decider_once() {
    let rig = held();
    assert_eq!(outcome(&rig), "nothing-to-do");
    assert_eq!(outcome(&rig), "skipped");
    assert_eq!(rig.run(&["answer", "held-1", "note"]).exit, Exit::Usage);
    insta::assert_snapshot!(rig.run(&["answer", "held-1", "note", "--reason", "look\u{1b}[31m again"]).shown(), @r"
    loop docs-links: noted; the decider is told
    --- exit 0
    ");
    assert_eq!(outcome(&rig), "nothing-to-do", "it is a new world");
    assert_eq!(outcome(&rig), "skipped");
}

#[test]
fn answers_to_nothing_are_refused() {
    let rig = held();
    insta::assert_snapshot!(rig.run(&["answer", "held-2", "approve"]).shown(), @r"
    --- stderr
    error: nothing called held-2 waits for an answer
    help: `ringfence inbox` shows what waits
    --- exit 2
    ");
    insta::assert_snapshot!(rig.run(&["inbox", "held-2"]).shown(), @r"
    --- stderr
    error: nothing called held-2 waits
    help: `ringfence inbox` shows what does
    --- exit 2
    ");
}

#[test]
fn pausing_needs_nothing_but_a_journal() {
    let rig = Rig::with_loop();
    insta::assert_snapshot!(rig.run(&["pause", "--until", "3d", "--reason", "holidays"]).shown(), @r"
    loop docs-links: paused until 2026-01-05T03:04:05Z
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["inbox"]).shown(), @r"
    loop docs-links: 1 thing waits, oldest first

    paused: the loop is paused, just now
      since   2026-01-02T03:04:05Z
      why     by ann: holidays
      answer  ringfence resume
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["resume"]).shown(), @r"
    loop docs-links: resumed
    --- exit 0
    ");
    rig.edit("LOOP.md", "std:md-links", "std:no-such-thing");
    insta::assert_snapshot!(rig.run(&["pause"]).shown(), @r"
    loop docs-links: paused until it is resumed
    --- exit 0
    ");
    rig.edit("LOOP.md", "level = ", "levle = ");
    insta::assert_snapshot!(rig.run(&["resume"]).shown(), @r"
    loop docs-links: resumed
    --- exit 0
    ");
    rig.write("LOOP.md", "no loop file");
    let ran = rig.run(&["retire", "--reason", "done"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(
        ran.err.contains("name the loop: --loop NAME"),
        "{}",
        ran.err
    );
    insta::assert_snapshot!(rig.run(&["retire", "--reason", "done", "--loop", "docs-links"]).shown(), @r"
    loop docs-links: retired; `ringfence resume` would bring it back
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["retire", "--reason", "done", "--loop", "docs-lnks"]).shown(), @r"
    --- stderr
    error: no loop docs-lnks has run in [project]
    --- exit 2
    ");
    fs::remove_file(rig.top().join("LOOP.md")).unwrap();
    assert_eq!(
        rig.run(&["resume", "--loop", "docs-links"]).exit,
        Exit::Done
    );
    assert_eq!(
        rig.run(&["pause", "--loop", "docs-links", "--until", "2020-01-01"])
            .exit,
        Exit::Usage
    );
}

#[test]
fn a_frozen_loop_waits_and_says_why() {
    let rig = Rig::with_loop();
    rig.edit(
        "LOOP.md",
        "level = \"L2\"",
        "calendar = \"ops/calendar.toml\"\nlevel = \"L2\"",
    );
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    docs-links beat 1: waiting
      until 2026-01-02T03:19:05Z: frozen, since the calendar cannot be read:
        ops/calendar.toml: No such file or directory (os error 2)
    --- exit 4
    ");
    for args in [&["inbox", "calendar"][..], &["doctor"], &["status"]] {
        let ran = rig.run(args);
        assert!(
            ran.out.contains("ops/calendar.toml: No such"),
            "{args:?}: {}",
            ran.out
        );
    }
    rig.write(
        "ops/calendar.toml",
        "[[freeze]]\nfrom = \"2026-01-01\"\nuntil = \"2026-01-03\"\nreason = \"holidays\"\n",
    );
    assert!(rig.run(&["inbox"]).out.contains("nothing waits"));
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    docs-links beat 2: waiting
      until 2026-01-04T00:00:00Z: frozen by the calendar: holidays
    --- exit 4
    ");
    rig.set_clock("2026-01-04T00:00:00Z");
    assert_eq!(outcome(&rig), "proposed");
    // No step lifts a freeze.
    let ran = rig.run(&["explain", "ops/calendar.toml", "--step", "md-link-fix"]);
    insta::assert_snapshot!(ran.shown(), @r"
    executor md-link-fix may not read ops/calendar.toml: ops/calendar.toml is a file
      that this loop goes by, and nothing lets its steps touch that

    executor md-link-fix may not write ops/calendar.toml: ops/calendar.toml is a
      file that this loop goes by, and nothing lets its steps touch that
    --- exit 0
    ");
}

/// A loop that tells a command, which keeps each message in a file of the returned folder.
fn telling(rig: &Rig, script: &str) -> std::path::PathBuf {
    let dir = rig.config_dir();
    let program = dir.join("tell");
    fs::write(
        &program,
        format!("#!/bin/sh\ncd {}\n{script}\n", dir.display()),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let config = format!("[notify.team]\nargv = [{program:?}]\ndeadline = \"500ms\"\n");
    fs::write(dir.join("config.toml"), config).unwrap();
    rig.edit("LOOP.md", "[budget]", "[notify]\nto = \"team\"\n\n[budget]");
    rig.commit();
    dir
}

/// The messages that were kept, without what differs from loop to loop.
fn messages(dir: &std::path::Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(dir.join("messages")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const KEEP: &str = "cat >> messages; echo >> messages";

#[test]
fn people_are_told_once_reminded_daily_and_again_of_what_is_new() {
    let rig = asking();
    let dir = telling(&rig, KEEP);
    let told = || {
        let ids = |message: &serde_json::Value| {
            let events = message["events"].as_array().unwrap().iter();
            events
                .map(|event| {
                    format!(
                        "{}{}",
                        event["id"].as_str().unwrap(),
                        if event["reminder"] == true {
                            " again"
                        } else {
                            ""
                        }
                    )
                })
                .collect::<Vec<_>>()
                .join(", ")
        };
        messages(&dir).iter().map(ids).collect::<Vec<_>>()
    };
    assert_eq!(rig.run(&["beat"]).exit, Exit::Escalated);
    assert_eq!(told(), ["held-1"]);
    insta::assert_snapshot!(messages(&dir)[0]["text"].as_str().unwrap(), @r"
    ringfence loop docs-links
    - a change waits for approval (held-1, since 2026-01-02T03:04:05Z)
      the change touches what a person decides about: docs/guide.md
      ringfence inbox held-1
    ");
    for _ in 0..3 {
        assert!(rig.run(&["beat"]).err.is_empty());
    }
    assert_eq!(told().len(), 1, "over several runs of the program");
    rig.set_clock("2026-01-03T03:04:05Z");
    assert!(rig.run(&["beat"]).err.is_empty());
    assert_eq!(told(), ["held-1", "held-1 again"]);
    assert_eq!(rig.run(&["pause"]).exit, Exit::Done);
    assert_eq!(told().len(), 2, "within five minutes it is collected");
    rig.set_clock("2026-01-03T03:10:00Z");
    assert!(rig.run(&["beat"]).err.is_empty());
    assert_eq!(told().last().unwrap(), "paused");
    assert_eq!(rig.run(&["answer", "held-1", "reject"]).exit, Exit::Done);
    rig.set_clock("2026-01-09T00:00:00Z");
    assert!(rig.run(&["beat"]).err.is_empty());
    assert_eq!(told().len(), 3);
}

#[test]
fn a_command_that_misbehaves_changes_nothing_but_the_journal() {
    for (script, expect) in [
        ("sleep 1000", "the program was stopped after"),
        ("cat /dev/zero", "the program printed more than"),
        (
            "echo no such team >&2; exit 1",
            "the command ended with exit 1: no such team",
        ),
    ] {
        let rig = asking();
        let dir = telling(&rig, script);
        let ran = rig.run(&["beat"]);
        assert_eq!(ran.exit, Exit::Escalated);
        let flat = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(expect), "{flat}");
        let shown = rig.run(&["journal", "show", "--format", "json"]).json();
        let last = shown.as_array().unwrap().last().unwrap().clone();
        assert!(
            last["body"]["error"].as_str().unwrap().contains(expect),
            "{last}"
        );
        assert_eq!(outcome(&rig), "nothing-to-do");
        fs::write(
            dir.join("tell"),
            format!("#!/bin/sh\ncd {}\n{KEEP}\n", dir.display()),
        )
        .unwrap();
        assert_eq!(outcome(&rig), "skipped");
        assert_eq!(messages(&dir).len(), 0, "the next try is not due");
        rig.set_clock("2026-01-02T03:05:05Z");
        assert_eq!(outcome(&rig), "skipped");
        assert_eq!(messages(&dir).len(), 1, "and then it is");
    }
}

#[test]
fn a_name_that_stands_for_nothing_is_said() {
    let rig = asking();
    let dir = telling(&rig, KEEP);
    fs::remove_file(dir.join("config.toml")).unwrap();
    let ran = rig.run(&["beat"]);
    assert_eq!(ran.exit, Exit::Escalated);
    let flat = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("people could not be told: there is no"),
        "{flat}"
    );
}
