//! Loops that beat by themselves, as far as that can be seen without waiting.

use ringfence_runner::git::GitProgram;
use ringfence_runner::scheduler::{self, Crew, Line, Search, Wish};
use ringfence_sandbox::{Compiler, Sandbox, Settings};
use serde_json::Value;

use super::rig::{Ran, Rig};
use crate::exit::Exit;
use crate::std_plugins::StdPlugins;

fn lines(ran: &Ran) -> Vec<Value> {
    assert_eq!(ran.err, "");
    let lines = ran.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn once_is_one_beat_of_each_loop_that_is_due() {
    let rig = Rig::with_loop();
    rig.write(
        "loops/daily/LOOP.md",
        &rig.read("LOOP.md")
            .replace("docs-links", "daily")
            .replace("every = \"15m\"", "cron = \"0 8 * * *\""),
    );
    insta::assert_snapshot!(rig.run(&["run", "--once", "--jobs", "1"]).shown(), @r"
    --- stderr
    2026-01-02T03:04:05Z docs-links proposed: ringfence/docs-links/1
    2026-01-02T03:04:05Z daily proposed: ringfence/daily/1
    --- exit 0
    ");
    // Nothing is due any more.
    insta::assert_snapshot!(rig.run(&["run", "--once", "--jobs", "1"]).shown(), @r"
    --- stderr
    2026-01-02T03:04:05Z LOOP.md not due, next 03:19:05Z
    2026-01-02T03:04:05Z loops/daily/LOOP.md not due, next 08:00:00Z
    --- exit 0
    ");
    rig.set_clock("2026-01-02T08:00:00Z");
    let told = lines(&rig.run(&["run", "--once", "--jobs", "1", "--format", "json"]));
    let told: Vec<_> = told
        .iter()
        .map(|line| {
            let of = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
            let next = line["next"]["at"].as_str().unwrap().to_owned();
            (of("event"), of("loop"), next)
        })
        .collect();
    let expect =
        |event: &str, name: &str, next: &str| (event.to_owned(), name.to_owned(), next.to_owned());
    assert_eq!(
        told,
        [
            expect("beat", "docs-links", "2026-01-02T08:15:00Z"),
            expect("beat", "daily", "2026-01-03T08:00:00Z"),
        ]
    );
}

#[test]
fn one_loop_that_is_broken_keeps_no_other_waiting() {
    let rig = Rig::with_loop();
    let text = rig.read("LOOP.md").replace("docs-links", "other");
    let broken = text.replace("every =", "evrey =");
    rig.write("loops/broken/LOOP.md", &broken);
    rig.write("loops/other/LOOP.md", &text);
    rig.write("loops/twin/LOOP.md", &text);
    let ran = rig.run(&["run", "--once", "--jobs", "1"]);
    assert_eq!(ran.exit, Exit::Usage);
    insta::assert_snapshot!(ran.shown(), @r#"
    --- stderr
    2026-01-02T03:04:05Z loops/broken/LOOP.md cannot beat
    error[unknown-key]: [cadence] has no key "evrey"
      --> loops/broken/LOOP.md:41:1
       |
    41 | evrey = "15m"
       | ^^^^^ unknown key
    help: did you mean `every`?

    loops/broken/LOOP.md: 1 error
    2026-01-02T03:04:05Z loops/twin/LOOP.md cannot beat
    error: the loop file [project]/loops/other/LOOP.md has the same name
    help: give one of them another name: `loop = "…"`
    2026-01-02T03:04:05Z docs-links proposed: ringfence/docs-links/1
    2026-01-02T03:04:05Z other proposed: ringfence/other/1
    --- exit 2
    "#);
}

#[test]
fn loops_of_many_projects_are_told_apart() {
    let rig = Rig::folder();
    for project in ["one", "two"] {
        rig.git(&["init", "-q", "-b", "main", project]);
        rig.write(&format!("{project}/README.md"), "[gone](gone.md)\n");
        let dir = rig.top().join(project);
        assert_eq!(rig.run_in(&dir, &["init"]).exit, Exit::Done);
        rig.git(&["-C", project, "add", "-A"]);
        rig.git(&["-C", project, "commit", "-q", "-m", "a commit"]);
    }
    let ran = rig.run(&["run", "--once", "--all", ".", "--jobs", "1"]);
    insta::assert_snapshot!(ran.shown(), @r"
    --- stderr
    2026-01-02T03:04:05Z one/docs-links nothing-to-do: of 1 items none is labelled…
    2026-01-02T03:04:05Z two/docs-links nothing-to-do: of 1 items none is labelled…
    --- exit 0
    ");
}

#[test]
fn nothing_to_run() {
    let rig = Rig::broken_links();
    insta::assert_snapshot!(rig.run(&["run", "--once"]).shown(), @r"
    --- stderr
    error: no LOOP.md in [project], and none in loops/
    help: write a loop file with `ringfence init`
    --- exit 2
    ");
    insta::assert_snapshot!(rig.run(&["run", "--once", "--all", "docs"]).shown(), @r"
    --- stderr
    error: no repository with a LOOP.md below [project]/docs
    help: write a loop file with `ringfence init`
    --- exit 2
    ");
    insta::assert_snapshot!(rig.run(&["run", "--once", "missing.md"]).shown(), @r"
    --- stderr
    error: there is no [project]/missing.md
    help: write a loop file with `ringfence init`
    --- exit 2
    ");
}

#[test]
fn a_beat_only_if_it_is_due() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat", "--if-due"]).exit, Exit::Done);
    rig.set_clock("2026-01-02T03:10:00Z");
    insta::assert_snapshot!(rig.run(&["beat", "--if-due", "--detailed-exit-code"]).shown(), @r"
    loop docs-links: not due before 2026-01-02T03:19:05Z, by its cadence
    --- exit 10
    ");
    let json = rig.run(&["beat", "--if-due", "--format", "json"]).json();
    assert_eq!(
        (&json["due"], &json["exit_code"]),
        (&false.into(), &0.into())
    );
    assert_eq!(json["next"]["at"], "2026-01-02T03:19:05Z");
    rig.set_clock("2026-01-02T03:19:05Z");
    let json = rig.run(&["beat", "--if-due", "--format", "json"]).json();
    assert_eq!(json["next"]["at"], "2026-01-02T03:34:05Z");
}

#[test]
fn check_shows_the_times_of_a_cron() {
    let rig = Rig::with_loop();
    rig.edit(
        "LOOP.md",
        "every = \"15m\"",
        "cron = \"30 8 * * 1-5\"\njitter = \"30s\"",
    );
    let shown = rig.run(&["check"]).shown();
    let part: Vec<_> = shown
        .lines()
        .filter(|line| {
            line.contains("beats  ") || line.contains("next times") || line.contains("08:30")
        })
        .collect();
    insta::assert_snapshot!(part.join("\n"), @r"
      beats      cron 30 8 * * 1-5 (UTC), up to 30s later
    next times
      Fri 2026-01-02 08:30 +00:00
      Mon 2026-01-05 08:30 +00:00
      Tue 2026-01-06 08:30 +00:00
    ");
    let json = rig.run(&["check", "--format", "json"]).json();
    assert_eq!(json["next_ticks"][0], "2026-01-02T08:30:00Z");
    assert_eq!(json["loop"]["cadence"]["cron"], "30 8 * * 1-5");
}

#[test]
fn units_quote_what_they_run() {
    let rig = Rig::folder();
    rig.write("a b%c$d\"e/x", "");
    let dir = rig.top().join("a b%c$d\"e");
    let ran = rig.run_in(
        &dir,
        &["install-service", "--print", "--user", "--all", "."],
    );
    assert_eq!(ran.exit, Exit::Done);
    let line = |key: &str| {
        let line = ran.out.lines().find(|line| line.starts_with(key)).unwrap();
        line.replace(&rig.top().display().to_string(), "TOP")
    };
    assert_eq!(
        line("WorkingDirectory="),
        "WorkingDirectory=TOP/a b%%c$d\"e"
    );
    assert!(line("ExecStart=").ends_with(r#" "run" "--all" "TOP/a b%%c$$d\"e""#));
    assert!(line("# ~/.config").ends_with("/ringfence-a-b-c-d-e.service"));
    rig.write("line\nbreak/x", "");
    let dir = rig.top().join("line\nbreak");
    let ran = rig.run_in(
        &dir,
        &["install-service", "--print", "--user", "--all", "."],
    );
    assert_eq!(ran.exit, Exit::Usage);
}

#[test]
fn a_journal_that_never_ends_keeps_no_other_waiting() {
    let rig = Rig::with_loop();
    let text = rig.read("LOOP.md").replace("docs-links", "other");
    rig.write("loops/other/LOOP.md", &text);
    rig.write(
        ".git/ringfence-state/other/journal.jsonl",
        &",\"sum\":\"".repeat((9 << 20) / 8),
    );
    insta::assert_snapshot!(rig.run(&["run", "--once", "--jobs", "1"]).shown(), @"
    --- stderr
    2026-01-02T03:04:05Z loops/other/LOOP.md cannot beat
    error: the journal [project]/.git/ringfence-state/other/journal.jsonl
      cannot be trusted: journal entry 1 at byte 0: the line has more than 8388608
      bytes
    help: no beat runs on a history that cannot be trusted: restore the file, or
          move it away, and the `bookmark` beside it, to begin anew
    2026-01-02T03:04:05Z docs-links proposed: ringfence/docs-links/1
    --- exit 8
    ");
    insta::assert_snapshot!(rig.run(&["status", "--all", "."]).shown(), @"
    loop        level  mode  next       last beat  spent  waits  where
    docs-links  L2     run   in 15 min  proposed   0 %    0      .

    error: loops/other/LOOP.md:
      [project]/.git/ringfence-state/other/journal.jsonl: journal entry 1 at
      byte 0: the line has more than 8388608 bytes
    --- exit 0
    ");
}

#[test]
fn one_that_was_stopped_looks_at_no_loop_any_more() {
    let rig = Rig::with_loop();
    rig.write("loops/broken/LOOP.md", "+++\n+++\n");
    let program = GitProgram::find(&std::env::var_os("PATH").unwrap(), &[]).unwrap();
    let sandbox = Sandbox::new(Settings {
        compiler: Compiler::InProcess,
        ..Settings::default()
    });
    let crew = Crew {
        program: &program,
        plugins: &StdPlugins,
        sandbox: &sandbox.unwrap(),
        clock: &rig.clock,
        config_dir: None,
    };
    let wish = Wish {
        search: Search::Project(rig.top()),
        jobs: 1,
        once: false,
    };
    let line = Line::new();
    line.caller().stop();
    let mut told = Vec::new();
    scheduler::run(crew, &wish, &line, &mut |news| told.push(news)).unwrap();
    assert!(told.is_empty(), "{told:?}");
}
