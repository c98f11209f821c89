//! `import`, `journal export` and `estimate`.

use ringfence_core::import::{Source, import};
use ringfence_core::run_log::RunLine;

use super::rig::Rig;
use crate::exit::Exit;

/// A file of core's fixtures.
macro_rules! old {
    ($name:literal) => {
        include_str!(concat!("../../../core/src/import/fixtures/", $name))
    };
}

/// A project that another tool has looked after.
fn swept() -> Rig {
    let rig = Rig::broken_links();
    for (name, text) in [
        ("LOOP.md", old!("sweeper/LOOP.md")),
        ("loop-budget.md", old!("sweeper/loop-budget.md")),
        ("gate.yaml", old!("sweeper/gate.yaml")),
        ("loop-ledger.json", old!("sweeper/loop-ledger.json")),
        ("loop-run-log.md", old!("sweeper/loop-run-log.md")),
    ] {
        rig.write(name, text);
    }
    rig
}

#[test]
fn an_old_loop_moves_in_beside_its_file() {
    let rig = swept();
    insta::assert_snapshot!(rig.run(&["import"]).shown());
    assert!(rig.read("LOOP.md").starts_with("# Loop Configuration"));
    let file = "loops/build-sweeper/LOOP.md";
    let ran = rig.run(&["check", file]);
    assert_eq!(
        (ran.exit, ran.err.as_str()),
        (Exit::Done, ""),
        "{}",
        ran.out
    );
    // It runs as it stands, with the steps that stand in.
    assert_eq!(rig.run(&["check", "--write-lock", file]).exit, Exit::Done);
    rig.commit();
    let ran = rig.run(&["beat", "--dry-run", file]);
    assert_eq!(ran.exit, Exit::Done, "{}{}", ran.out, ran.err);
}

#[test]
fn what_comes_out_of_every_fixture_passes_check() {
    for (names, texts, output) in [
        (
            &["LOOP_SPEC.md"][..],
            &[old!("spec/LOOP_SPEC.md")][..],
            "LOOP.md",
        ),
        (&["LOOP_SPEC.md"], &[old!("scoped/LOOP_SPEC.md")], "LOOP.md"),
        (
            &["LOOP.md", "loop-constraints.md", "loop-budget.md"],
            &[
                old!("many/LOOP.md"),
                old!("many/loop-constraints.md"),
                old!("many/loop-budget.md"),
            ],
            "loops/daily-triage/LOOP.md",
        ),
        (
            &["gate.yaml", "loop-ledger.json"],
            &[
                old!("platform/gate.yaml"),
                old!("platform/loop-ledger.json"),
            ],
            "LOOP.md",
        ),
        (&["gate.yaml"], &[old!("bare/gate.yaml")], "LOOP.md"),
    ] {
        let rig = Rig::broken_links();
        for (name, text) in names.iter().zip(texts) {
            rig.write(name, text);
        }
        let found = rig.run(&["import", "--format", "json"]).json();
        assert_eq!(
            found.pointer("/check").unwrap(),
            &serde_json::json!([]),
            "{names:?}"
        );
        let ran = rig.run(&["check", output]);
        assert_eq!(ran.exit, Exit::Done, "{names:?}: {}{}", ran.out, ran.err);
        // What is missing is warned of in the file, and listed by the import.
        let says_so = |key: &str| found.to_string().contains(&format!("\"what\":\"{key}\""));
        assert_eq!(
            ran.err.contains("executors may write nothing"),
            says_so("paths.write"),
            "{names:?}"
        );
    }
}

#[test]
fn nothing_is_replaced_unless_it_is_told() {
    let rig = swept();
    let old = rig.read("LOOP.md");
    insta::assert_snapshot!(rig.run(&["import", "--output", "LOOP.md"]).shown(), @r"
    --- stderr
    error: [project]/LOOP.md exists; nothing was written
    help: --stdout shows the new one, --output names another file, --force replaces
          this one
    --- exit 2
    ");
    assert_eq!(rig.read("LOOP.md"), old);
    assert_eq!(rig.run(&["import"]).exit, Exit::Done);
    assert_eq!(rig.run(&["import"]).exit, Exit::Usage);
    let ran = rig.run(&["import", "--stdout"]);
    assert_eq!(
        (ran.exit, ran.out.as_str()),
        (Exit::Done, rig.read("loops/build-sweeper/LOOP.md").as_str())
    );
    assert!(ran.err.contains("weaker than it looks"), "{}", ran.err);
    assert_eq!(
        rig.run(&["import", "--force", "--output", "LOOP.md"]).exit,
        Exit::Done
    );
    assert!(rig.read("LOOP.md").starts_with("+++"));
    // Now it is one of ours, and the rest is read as before.
    let ran = rig.run(&["import", "--stdout"]);
    assert!(ran.err.contains("a loop file of"), "{}", ran.err);
    assert_eq!(
        rig.run(&["import", "--stdout", "--force"]).exit,
        Exit::Usage
    );
}

#[test]
fn links_lead_nowhere() {
    let rig = swept();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), rig.top().join("loops")).unwrap();
    let refused = |rig: &Rig| {
        let ran = rig.run(&["import"]);
        assert_eq!(ran.exit, Exit::Host, "{}", ran.out);
        assert!(ran.err.contains("is a link"), "{}", ran.err);
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    };
    refused(&rig);
    std::fs::remove_file(rig.top().join("loops")).unwrap();
    std::fs::create_dir(rig.top().join("loops")).unwrap();
    let own = rig.top().join("loops/build-sweeper");
    std::os::unix::fs::symlink(outside.path(), &own).unwrap();
    refused(&rig);
    std::fs::remove_file(rig.top().join("LOOP.md")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("x"), rig.top().join("LOOP.md")).unwrap();
    assert_eq!(
        rig.run(&["import", "--output", "LOOP.md"]).exit,
        Exit::Usage
    );
    assert_eq!(rig.run(&["import", "--force"]).exit, Exit::Done);
    assert!(!outside.path().join("x").exists());
    assert!(rig.read("LOOP.md").starts_with("+++"));
}

#[test]
fn nothing_to_import() {
    let rig = Rig::folder();
    insta::assert_snapshot!(rig.run(&["import"]).shown(), @r"
    --- stderr
    error: none of the files is one that can be read
    help: it reads LOOP.md, LOOP_SPEC.md, loop-constraints.md, docs/safety.md,
          gate.yaml, loop-budget.md, loop-run-log.md and loop-ledger.json;
          `ringfence init` begins without them
    --- exit 2
    ");
    insta::assert_snapshot!(rig.run(&["import", "gone"]).shown(), @r"
    --- stderr
    error: [project]/gone cannot be read: No such file or directory (os error
      2)
    --- exit 2
    ");
    rig.write("gate.yaml", "version: 1\ndenylist: [a]\n");
    insta::assert_snapshot!(rig.run(&["import", "--loop", "No"]).shown(), @r#"
    --- stderr
    error: not an id of lower-case letters, digits and dashes, at most 64: "No"
    --- exit 2
    "#);
    std::fs::write(rig.top().join("gate.yaml"), b"\xff\xfed\0e\0").unwrap();
    insta::assert_snapshot!(rig.run(&["import"]).shown(), @r"
    --- stderr
    error: none of the files is one that can be read
    help: gate.yaml: it is UTF-16: save it as UTF-8
    --- exit 2
    ");
}

#[test]
fn hostile_files_show_as_text() {
    let rig = Rig::broken_links();
    rig.write("LOOP.md", "# Loop: \u{1b}[2J\u{202e}x\n\n## Limits\n- Max \u{1b}[31mfiles: \u{9b}31m\n- Red \u{7}: x\n");
    rig.write(
        "gate.yaml",
        "denylist:\n  - \"\\e[31m\"\n  - \"a\\u202e/**\"\n\"\\e\": 1\n",
    );
    rig.write("loop-run-log.md", "{\"run_id\":\"\\u001b[31m\",\"pattern\":\"\\u202e\",\"duration_s\":1,\"items_found\":1,\"actions_taken\":1,\"escalations\":0,\"tokens_estimate\":1,\"outcome\":\"\\u001b[2J\"}\n");
    // The rig looks for characters that a terminal acts upon.
    assert_eq!(rig.run(&["import", "--stdout"]).exit, Exit::Done);
    assert_eq!(rig.run(&["import", "--format", "json"]).exit, Exit::Done);
}

#[test]
fn what_is_exported_is_understood() {
    let rig = Rig::with_loop();
    for time in [
        "2026-01-02T03:04:05Z",
        "2026-01-02T04:04:05Z",
        "2026-01-03T03:04:05Z",
    ] {
        rig.set_clock(time);
        assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    }
    let ran = rig.run(&["journal", "export", "--run-log"]);
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
    let lines: Vec<RunLine> = ran
        .out
        .lines()
        .map(|line| RunLine::read(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    for (line, text) in lines.iter().zip(ran.out.lines()) {
        assert_eq!(serde_json::to_string(line).unwrap(), text);
    }
    let first = lines.first().unwrap();
    assert_eq!(
        (
            first.run_id.as_str(),
            first.pattern.as_str(),
            first.items_found,
            first.actions_taken,
            first.outcome.as_str()
        ),
        ("2026-01-02T03:04:05Z", "docs-links", 2, 1, "fix-proposed")
    );
    assert_eq!(
        lines
            .last()
            .map(|line| (line.items_found, line.outcome.as_str())),
        Some((2, "no-op"))
    );
    let sources = [Source {
        name: "loop-run-log.md",
        text: &ran.out,
    }];
    let history = import(&sources, None).unwrap().history;
    assert_eq!(
        history.first().map(|past| (past.runs, past.unreadable)),
        Some((3, 0))
    );
    for (since, expect) in [
        ("2026-01-03", 1),
        ("2026-01-02T04:00:00Z", 2),
        ("2027-01-01", 0),
    ] {
        let ran = rig.run(&["journal", "export", "--run-log", "--since", since]);
        assert_eq!(ran.out.lines().count(), expect, "{since}");
    }
    let ran = rig.run(&["journal", "export", "--run-log", "--since", "yesterday"]);
    insta::assert_snapshot!(ran.shown(), @"
    --- stderr
    error: yesterday is no time
    help: write a day (2026-11-21), a moment (2026-11-21T09:30:00Z), or how long ago
          it was (90m, 2h, 7d)
    --- exit 2
    ");
    assert_eq!(rig.run(&["journal", "export"]).exit, Exit::Usage);
}

#[test]
fn estimates() {
    let rig = Rig::with_loop();
    insta::assert_snapshot!(rig.run(&["estimate"]).shown(), @r"
    loop docs-links
      runs       96 times a day
      a beat  at most [n], what a beat may use; its steps may use [n]

    a day's budget  limit  planned  lasts    measured  lasts
    fuel_per_day  [n]  [n]  10 h  -
    beats_per_day   200    96       all day  -

    by the plan: `fuel_per_day` is used up first, before the day ends

    note: no beat has run: there is nothing measured to set beside the plan
    --- exit 0
    ");
    for hour in 3..7 {
        rig.set_clock(&format!("2026-01-02T0{hour}:04:05Z"));
        assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    }
    insta::assert_snapshot!(rig.run(&["estimate", "--every", "15m"]).shown(), @r"
    loop docs-links
      runs       96 times a day
      a beat  at most [n], what a beat may use; its steps may use [n]

    measured: 4 beats from 2026-01-02T03:04:05Z to 2026-01-02T06:04:05Z
      ended          beats  half below  9 of 10 below  most
      skipped        2      0           0              0
      nothing-to-do  1  [n]  [n]  [n]
      proposed  1  [n]  [n]  [n]
      all  4  0  [n]  [n]

    a day's budget  limit  planned  lasts    measured  lasts
    fuel_per_day  [n]  [n]  10 h  [n]  all day
    beats_per_day   200    96       all day  48        all day

    by the plan: `fuel_per_day` is used up first, before the day ends
    as measured: every budget lasts the day

    note: 4 beats are few: what is measured may be far off, and the 90 % is the
      largest
    note: no whole day has passed between its beats: nights and weekends are not in
      it
    note: answers that were remembered cost nothing: a repository that changes more
      often costs more
    --- exit 0
    ");
    let found = rig
        .run(&["estimate", "--every", "5m", "--format", "json"])
        .json();
    assert_eq!(found.pointer("/beats_per_day").unwrap(), 288);
    assert_eq!(found.pointer("/binds_planned").unwrap(), "fuel_per_day");
    assert_eq!(found.pointer("/measured/fuel/count").unwrap(), 4);
}
