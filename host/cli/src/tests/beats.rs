//! `beat`, `journal` and `status` with real steps.

use ringfence_core::digest::Digest;
use serde_json::json;

use super::rig::Rig;
use crate::exit::Exit;

#[test]
fn a_beat_proposes_and_says_where() {
    let rig = Rig::with_loop();
    insta::assert_snapshot!(rig.run(&["status"]).shown(), @r"
    loop docs-links (LOOP.md)
      level     L2
      mode      run
      next      a beat may run now
      due       now: it has never run; every 15m
      drills    none was run

    today (UTC)
      fuel_per_day  [--------------------]  0 %  0 of [n]
      beats_per_day  [--------------------]  0 %  0 of 200

    no beat has run yet
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @"
    docs-links beat 1: proposed
      branch    ringfence/docs-links/1
      look      git diff HEAD...ringfence/docs-links/1
      accept    git merge ringfence/docs-links/1

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
    --- exit 0
    ");
    assert!(
        rig.git(&["diff", "HEAD...ringfence/docs-links/1"])
            .contains("+[set up](old/setup.md)")
    );
    assert_eq!(rig.git(&["status", "--porcelain"]), "");
    rig.set_clock("2026-01-02T03:24:05Z");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    docs-links beat 2: nothing-to-do
      1 items labelled fixable but none is eligible; the first: proposed on
        refs/heads/ringfence/docs-links/1

    found: 2 items, 1 open to be worked on
      `setup.md` in docs/guide.md leads to no file (not now)
      `gone.md` in docs/guide.md leads to no file

    steps: [n] fuel in all
      role     step           fuel           memory
      sensor  md-links  [n] of [n]  [n] MiB  remembered
      decider  first-fixable  [n] of [n]  [n] MiB
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["status"]).shown(), @r"
    loop docs-links (LOOP.md)
      level     L2
      mode      run
      next      a beat may run now
      due       2026-01-02T03:39:05Z (in 15 min): every 15m
      drills    none was run

    today (UTC)
      fuel_per_day  [#-------------------]  0 %  [n] of [n]
      beats_per_day  [#-------------------]  1 %  2 of 200

    last beats
      beat  when         fuel   how it ended
      2  just now  [n]  nothing-to-do: 1 items labelled fixable but none is
                                eligible; the first: proposed on
                                refs/heads/ringfence/docs-links/1
      1  20 min ago  [n]  proposed: ringfence/docs-links/1

    open proposals (to look: git diff HEAD...BRANCH)
      beat  branch or patch         for
      1  ringfence/docs-links/1  broken-link-[hex]
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["journal", "show"]).shown(), @r"
    entry  at                    beat  fuel   what
    1  2026-01-02T03:04:05Z  1  began: may cost [n] fuel
    2      2026-01-02T03:04:05Z  1            about to propose
                                              ringfence/docs-links/1
    3      2026-01-02T03:04:05Z  1            done
    4  2026-01-02T03:04:05Z  1  [n]  proposed: ringfence/docs-links/1
    5  2026-01-02T03:24:05Z  2  began: may cost [n] fuel
    6  2026-01-02T03:24:05Z  2  [n]  nothing-to-do: 1 items labelled
                                              fixable but none is eligible; the
                                              first: proposed on
                                              refs/heads/ringfence/docs-links/1
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["journal", "show", "-n", "1"]).shown(), @r"
    entry  at                    beat  fuel   what
    6  2026-01-02T03:24:05Z  2  [n]  nothing-to-do: 1 items labelled
                                              fixable but none is eligible; the
                                              first: proposed on
                                              refs/heads/ringfence/docs-links/1
    … 5 before these: -n 6 shows all
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["journal", "verify"]).shown(), @"
    whole: 6 entries of loop docs-links, each follows from the one before
      kinds   2 beat, 1 done, 1 intent, 2 reserve
    the last one is
      blake3:[hex]
    --- exit 0
    ");
    let skipped = rig.run(&["beat", "--detailed-exit-code"]);
    insta::assert_snapshot!(skipped.shown(), @r"
    docs-links beat 3: skipped
      nothing has changed since the last decision, and nothing is left to work on

    steps: 0 fuel in all
      role    step      fuel           memory
      sensor  md-links  [n] of [n]  [n] MiB  remembered
    --- exit 10
    ");
    assert_eq!(
        (skipped.exit, rig.run(&["beat"]).exit),
        (Exit::Skipped, Exit::Done)
    );
}

#[test]
fn a_dry_run_keeps_nothing() {
    let rig = Rig::with_loop();
    let before = rig.git(&["for-each-ref"]);
    insta::assert_snapshot!(rig.run(&["beat", "--dry-run"]).shown(), @"
    docs-links beat 1: would be accepted (dry run: nothing is kept)

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

    diff
      diff --git a/docs/guide.md b/docs/guide.md
      index a252323..026ad96 100644
      --- a/docs/guide.md
      +++ b/docs/guide.md
      @@ -1,3 +1,3 @@
       # Guide

      -[set up](setup.md) first, then [go](gone.md).
      +[set up](old/setup.md) first, then [go](gone.md).
    --- exit 0
    ");
    assert_eq!(rig.git(&["for-each-ref"]), before);
    insta::assert_snapshot!(rig.run(&["journal", "show"]).shown(), @r"
    no beat has run yet
    --- exit 0
    ");
}

#[test]
fn a_refused_change_is_told_with_its_findings() {
    let rig = Rig::with_loop();
    rig.edit("LOOP.md", "allow = [\"**/*.md\"]", "allow = [\"src/**\"]");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @"
    docs-links beat 1: discarded
      paths: path-not-allowed

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
      fail  paths      1 file differs; 1 finding
               error[path-not-allowed] no glob in `allow` covers it
                 at docs/guide.md

    steps: [n] fuel in all
      role      step           fuel            memory
      sensor  md-links  [n] of [n]  [n] MiB
      decider  first-fixable  [n] of [n]  [n] MiB
      executor  md-link-fix  [n] of [n]  [n] MiB
      gate  md-links  [n] of [n]  [n] MiB
      gate  diff-size  [n] of [n]  [n] MiB
      gate  paths  [n] of [n]  [n] MiB
    --- exit 1
    ");
    insta::assert_snapshot!(rig.run(&["status"]).shown(), @r"
    loop docs-links (LOOP.md)
      level     L2
      mode      run
      next      a beat may run now
      due       2026-01-02T03:19:05Z (in 15 min): every 15m
      drills    none was run

    today (UTC)
      fuel_per_day  [#-------------------]  0 %  [n] of [n]
      beats_per_day  [#-------------------]  0 %  1 of 200

    last beats
      beat  when         fuel   how it ended
      1  just now  [n]  discarded: paths: path-not-allowed

    tried in vain
      item                          attempts
      broken-link-[hex]  1 of 2  paths path not allowed
    --- exit 0
    ");
}

#[test]
fn a_change_outside_the_grant_is_denied_with_the_line_to_paste() {
    let rig = Rig::with_loop();
    rig.edit("LOOP.md", "write = [\"**/*.md\"]", "write = [\"*.md\"]");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r#"
    docs-links beat 1: failed
      unavailable: cannot do it now: docs/guide.md cannot be written: Operation not
        permitted (os error 63)

    found: 2 items, 2 open to be worked on
      `setup.md` in docs/guide.md leads to no file
      `gone.md` in docs/guide.md leads to no file

    decided: md-link-fix does fix for broken-link-[hex]
      first eligible item labelled fixable: `setup.md` in docs/guide.md leads to no
        file

    steps: [n] fuel in all
      role      step           fuel           memory
      sensor  md-links  [n] of [n]  [n] MiB
      decider  first-fixable  [n] of [n]  [n] MiB
      executor  md-link-fix  [n] of [n]  [n] MiB  unavailable

    denied
      executor md-link-fix wanted to write docs/guide.md: not in the loop's list
          to allow it, in [paths]: write = ["docs/guide.md"]
    --- exit 7
    "#);
}

#[test]
fn a_step_that_runs_out_of_fuel() {
    let rig = Rig::with_loop();
    rig.edit(
        "LOOP.md",
        "[decider]\nplugin = \"std:first-fixable\"",
        "[decider]\nplugin = \"std:first-fixable\"\nlimits = { fuel = \"20k\" }",
    );
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    docs-links beat 1: failed
      out-of-fuel: out of fuel: used 20000 of 20000

    found: 2 items, 2 open to be worked on
      `setup.md` in docs/guide.md leads to no file
      `gone.md` in docs/guide.md leads to no file

    steps: [n] fuel in all
      role     step           fuel            memory
      sensor  md-links  [n] of [n]  [n] MiB
      decider  first-fixable  [n] of [n]  [n] MiB  out-of-fuel
    --- exit 5
    ");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    docs-links beat 2: waiting
      until 2026-01-02T03:05:05Z: backoff: 1 beat failed in a row, the last one at
        2026-01-02T03:04:05Z: 60 s between tries

    steps: 0 fuel in all
      role    step      fuel           memory
      sensor  md-links  [n] of [n]  [n] MiB  remembered
    --- exit 4
    ");
    insta::assert_snapshot!(rig.run(&["status"]).shown(), @"
    loop docs-links (LOOP.md)
      level     L2
      mode      run
      next      waits until 2026-01-02T03:05:05Z (in 60 s): backoff: 1 beat failed
                in a row, the last one at 2026-01-02T03:04:05Z: 60 s between tries
      due       2026-01-02T03:19:05Z (in 15 min): every 15m
      drills    none was run

    today (UTC)
      fuel_per_day  [#-------------------]  0 %  [n] of [n]
      beats_per_day  [#-------------------]  0 %  1 of 200

    last beats
      beat  when         fuel   how it ended
      2     just now     0      waiting: until 2026-01-02T03:05:05Z: backoff: 1 beat
                                failed in a row, the last one at
                                2026-01-02T03:04:05Z: 60 s between tries
      1  just now  [n]  failed: out-of-fuel: out of fuel: used 20000 of
                                20000
    --- exit 0
    ");
}

#[test]
fn shadows_are_patches() {
    let rig = Rig::with_loop();
    rig.edit("LOOP.md", "\"L2\"", "\"L1\"");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @"
    docs-links beat 1: shadowed
      patch     .git/ringfence-state/docs-links/shadow/1.patch
      accept    git apply .git/ringfence-state/docs-links/shadow/1.patch

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
    --- exit 0
    ");
    rig.git(&[
        "apply",
        "--check",
        ".git/ringfence-state/docs-links/shadow/1.patch",
    ]);
}

#[test]
fn a_folder_without_git_gets_patches() {
    let rig = Rig::folder();
    rig.write("a.md", "[b](b.md)\n");
    rig.write("sub/b.md", "# B\n");
    let ran = rig.run(&["init"]);
    assert!(ran.out.contains("a repair becomes a patch"), "{}", ran.out);
    let ran = rig.run(&["check"]);
    assert!(ran.out.contains("proposed as a patch"), "{}", ran.out);
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @"
    docs-links beat 1: proposed
      patch     .ringfence/docs-links/proposals/1.patch
      accept    git apply .ringfence/docs-links/proposals/1.patch

    found: 1 item, 1 open to be worked on
      `b.md` in a.md leads to no file

    decided: md-link-fix does fix for broken-link-[hex]
      first eligible item labelled fixable: `b.md` in a.md leads to no file

    changed: 1 file
      modified  +1 -1  a.md

    judged
      pass  md-links   0 newly broken, 0 broken before, in 1 document
      pass  diff-size  1 file, +1 −1 lines, largest file 14 bytes
      pass  paths      1 file differs, none where it may not be

    steps: [n] fuel in all
      role      step           fuel            memory
      sensor  md-links  [n] of [n]  [n] MiB
      decider  first-fixable  [n] of [n]  [n] MiB
      executor  md-link-fix  [n] of [n]  [n] MiB
      gate  md-links  [n] of [n]  [n] MiB
      gate  diff-size  [n] of [n]  [n] MiB
      gate  paths  [n] of [n]  [n] MiB
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["status"]).shown(), @r"
    loop docs-links (LOOP.md)
      level     L2
      mode      run
      next      a beat may run now
      due       2026-01-02T03:19:05Z (in 15 min): every 15m
      drills    none was run

    today (UTC)
      fuel_per_day  [#-------------------]  0 %  [n] of [n]
      beats_per_day  [#-------------------]  0 %  1 of 200

    last beats
      beat  when         fuel   how it ended
      1  just now  [n]  proposed: proposals/1.patch

    open proposals
      beat  branch or patch    for
      1  proposals/1.patch  broken-link-[hex]
    --- exit 0
    ");
}

#[test]
fn reports_for_programs() {
    let rig = Rig::with_loop();
    let json = rig.run(&["beat", "--format", "json"]).json();
    assert_eq!(
        (&json["version"], &json["loop"], &json["exit_code"]),
        (&json!(1), &json!("docs-links"), &json!(0))
    );
    assert_eq!(json["outcome"]["kind"], "proposed");
    assert_eq!(json["receipt"]["steps"].as_array().unwrap().len(), 6);
    assert!(json["diff"].as_str().unwrap().contains("old/setup.md"));
    let json = rig.run(&["status", "--format", "json"]).json();
    assert_eq!(
        json["proposals"][0]["reference"],
        "refs/heads/ringfence/docs-links/1"
    );
    assert_eq!(json["next"], json!({"next": "free"}));
    let json = rig.run(&["journal", "show", "--format", "json"]).json();
    let kinds: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["reserve", "intent", "done", "beat"]);
    let json = rig.run(&["journal", "verify", "--format", "json"]).json();
    assert_eq!((&json["ok"], &json["entries"]), (&json!(true), &json!(4)));
}

#[test]
fn a_damaged_journal_stops_everything() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    rig.edit(
        ".git/ringfence-state/docs-links/journal.jsonl",
        "\"kind\":\"done\"",
        "\"kind\":\"gone\"",
    );
    insta::assert_snapshot!(rig.run(&["journal", "verify"]).shown(), @"
    --- stderr
    error: [project]/.git/ringfence-state/docs-links/journal.jsonl: journal
      entry 3 at byte 876: the line does not match its sum
    help: no beat runs on a history that cannot be trusted: restore the file, or
          move it away, and the `bookmark` beside it, to begin anew
    --- exit 8
    ");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @"
    --- stderr
    error: the journal [project]/.git/ringfence-state/docs-links/journal.jsonl
      cannot be trusted: journal entry 3 at byte 876: the line does not match its
      sum
    help: no beat runs on a history that cannot be trusted: restore the file, or
          move it away, and the `bookmark` beside it, to begin anew
    --- exit 8
    ");
    assert_eq!(rig.run(&["status"]).exit, Exit::Host);
    let ran = rig.run(&["journal", "verify", "--format", "json"]);
    assert_eq!((ran.exit, &ran.json()["ok"]), (Exit::Host, &json!(false)));
}

#[test]
fn a_journal_that_has_lost_entries_stops_everything_until_a_person_says_so() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    let path = ".git/ringfence-state/docs-links/journal.jsonl";
    let whole = rig.read(path);
    let first = whole.split_inclusive('\n').next().unwrap();
    for (left, entries) in [("", 0), (first, 1)] {
        rig.write(path, left);
        for args in [
            &["journal", "verify"][..],
            &["status"],
            &["inbox"],
            &["beat"],
            &["pause"],
        ] {
            let ran = rig.run(args);
            let said: Vec<_> = ran.err.split_whitespace().collect();
            let expect = format!("has {entries} entries where 4 were written");
            assert!(said.join(" ").contains(&expect), "{args:?}: {}", ran.err);
            assert_eq!(ran.exit, Exit::Host, "{args:?}");
        }
        assert_eq!(rig.read(path), left, "nothing is written to it");
    }
    std::fs::remove_file(rig.top().join(path)).unwrap();
    assert_eq!(rig.run(&["status"]).exit, Exit::Host, "it is gone");
    rig.write(path, &whole);
    assert_eq!(rig.run(&["status"]).exit, Exit::Done, "it was put back");
    rig.write(path, first);
    std::fs::remove_file(rig.top().join(".git/ringfence-state/docs-links/bookmark")).unwrap();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done, "a person said so");
}

#[test]
fn a_journal_of_another_loop_is_refused() {
    let rig = Rig::with_loop();
    let other = rig.read("LOOP.md").replace("docs-links", "other");
    rig.write("loops/other/LOOP.md", &other);
    assert_eq!(rig.run(&["beat", "LOOP.md"]).exit, Exit::Done);
    let journal = rig.read(".git/ringfence-state/docs-links/journal.jsonl");
    rig.write(".git/ringfence-state/other/journal.jsonl", &journal);
    for args in [["journal", "verify"].as_slice(), &["status"], &["beat"]] {
        let ran = rig.run(&[args, &["loops/other/LOOP.md"]].concat());
        assert_eq!(ran.exit, Exit::Host, "{args:?}");
        let said: Vec<_> = ran.err.split_whitespace().collect();
        let expect = "this is the journal of another loop";
        assert!(said.join(" ").contains(expect), "{args:?}: {}", ran.err);
    }
    assert_eq!(rig.run(&["journal", "verify", "LOOP.md"]).exit, Exit::Done);
}

#[test]
fn what_a_newer_version_wrote_is_passed_over_by_whoever_only_looks() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    let path = ".git/ringfence-state/docs-links/journal.jsonl";
    let before = rig.read(path);
    let prev = Digest::of(before.lines().last().unwrap().as_bytes());
    for newer in ["\"v\":2", "\"kind\":\"meditate\""] {
        let mut open = format!(
            r#"{{"v":1,"seq":5,"prev":"{prev}","at":"2026-01-02T03:04:05Z","kind":"done","body":{{"beat":1,"settled":null}}"#
        );
        for old in ["\"v\":1", "\"kind\":\"done\""] {
            if old.split(':').next() == newer.split(':').next() {
                open = open.replacen(old, newer, 1);
            }
        }
        let sum = Digest::of(open.as_bytes());
        let journal = format!("{before}{open},\"sum\":\"{sum}\"}}\n");
        rig.write(path, &journal);
        for args in [
            &["journal", "verify"][..],
            &["journal", "show"],
            &["inbox"],
            &["status"],
        ] {
            let ran = rig.run(args);
            assert_eq!(ran.exit, Exit::Done, "{args:?}: {}", ran.err);
            let said = format!("{}{}", ran.out, ran.err);
            let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains("update this one"), "{args:?}: {said}");
        }
        for args in [["beat"], ["pause"], ["demote"]] {
            let ran = rig.run(&args);
            assert_eq!(ran.exit, Exit::Host, "{args:?}: {}", ran.err);
            let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains("update this one"), "{args:?}: {said}");
        }
        assert_eq!(rig.read(path), journal, "nothing is written to it");
    }
}

#[test]
fn a_reason_has_to_say_something() {
    let rig = Rig::with_loop();
    for args in [
        &["retire", "--reason", ""][..],
        &["retire", "--reason", "  "],
        &["promote", "--override", "--reason", "   "],
        &["pause", "--reason", ""],
    ] {
        let ran = rig.run(args);
        assert_eq!(ran.exit, Exit::Usage, "{args:?}");
        assert!(
            ran.err.contains("a reason has to say something"),
            "{}",
            ran.err
        );
    }
    assert_eq!(
        rig.run(&["retire", "--reason", " it is done "]).exit,
        Exit::Done
    );
}

#[test]
fn a_torn_tail_is_said() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    let journal = rig.read(".git/ringfence-state/docs-links/journal.jsonl");
    rig.write(
        ".git/ringfence-state/docs-links/journal.jsonl",
        &format!("{journal}{{\"torn"),
    );
    insta::assert_snapshot!(rig.run(&["journal", "verify"]).shown(), @"
    whole: 4 entries of loop docs-links, each follows from the one before
      kinds   1 beat, 1 done, 1 intent, 1 reserve
    the last one is
      blake3:[hex]
    torn tail: 6 bytes behind the last whole entry: the last line has no end; the
      next beat cuts them off and keeps them aside
    --- exit 0
    ");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    note: the journal's last line was torn (the last line has no end); it was cut
      off and kept in [project]/.git/ringfence-state/docs-links/journal.torn-1

    docs-links beat 2: nothing-to-do
      1 items labelled fixable but none is eligible; the first: proposed on
        refs/heads/ringfence/docs-links/1

    found: 2 items, 1 open to be worked on
      `setup.md` in docs/guide.md leads to no file (not now)
      `gone.md` in docs/guide.md leads to no file

    steps: [n] fuel in all
      role     step           fuel           memory
      sensor  md-links  [n] of [n]  [n] MiB  remembered
      decider  first-fixable  [n] of [n]  [n] MiB
    --- exit 0
    ");
}
