//! `doctor`: on this machine, and where the project is in a bad state.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::rig::Rig;
use crate::exit::Exit;

#[test]
fn says_how_each_thing_is() {
    let rig = Rig::with_loop();
    let ran = rig.run(&["doctor"]);
    // A loop that never ran has proven nothing.
    assert_eq!(ran.exit, Exit::Refused, "{}", ran.out);
    let top = rig.top();
    for line in [
        format!("project        ok: a git repository, {}\n", top.display()),
        "state          ok: none yet: no beat has run here\n".to_owned(),
        format!("compile cache  ok: {}\n", rig.cache_dir.display()),
    ] {
        assert!(ran.out.contains(&line), "{line}{}", ran.out);
    }
    let json = rig.run(&["doctor", "--format", "json"]).json();
    assert_eq!((&json["ok"], &json["ready"]), (&true.into(), &false.into()));
    let names: Vec<&str> = json["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "system",
            "user",
            "openat2",
            "Landlock",
            "seccomp",
            "trial",
            "engine",
            "compile cache",
            "git",
            "project",
            "state",
            "loop",
            "journal",
            "drills",
            "budgets",
            "history",
        ]
    );
    let empty = Rig::folder();
    let ran = empty.run(&["doctor"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.out);
    let json = empty.run(&["doctor", "--format", "json"]).json();
    assert_eq!(json["ready"], serde_json::Value::Null);
    assert_eq!(rig.run(&["doctor", "NOTHING.md"]).exit, Exit::Refused);
    assert!(!rig.top().join(".git/ringfence-state").exists());
}

/// What is said of the loop, without the machine.
fn of_loop(rig: &Rig) -> String {
    let shown = rig.run(&["doctor"]).shown();
    let (_, of_loop) = shown.split_once("\nloop ").unwrap();
    format!("loop {of_loop}")
}

#[test]
fn a_file_that_is_there_proves_nothing() {
    let rig = Rig::with_loop();
    insta::assert_snapshot!(of_loop(&rig), @r"
    loop           ok: docs-links, at L2, and the loop file allows L2
    journal        unproven: no beat has run here
                   a loop that never ran has shown nothing: `ringfence beat`
    drills         unproven: none were run
                   `ringfence drill` tries every guard, and takes a minute
    budgets        ok: in force, all written out
    history        unproven: 0 of 0 cycles went well; hold: exit-criteria(14),
                   window 0/7
                   `ringfence health` says more
    --- exit 1
    ");
    let journal = ".git/ringfence-state/docs-links/journal.jsonl";
    rig.write(journal, "");
    let said = of_loop(&rig);
    assert!(
        said.contains("unproven: 0 entries, which were copied or shipped here"),
        "{said}"
    );
    let forged =
        r#"{"v":1,"seq":1,"prev":"","at":"2026-01-01T00:00:00Z","kind":"drill","body":{}}"#;
    rig.write(journal, &format!("{forged}\n{forged}\n"));
    let ran = rig.run(&["doctor"]);
    assert_eq!(ran.exit, Exit::Refused);
    assert!(
        ran.out.contains("journal        unproven: error:"),
        "{}",
        ran.out
    );
    std::fs::remove_dir_all(rig.top().join(".git/ringfence-state")).unwrap();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    assert_eq!(rig.run(&["drill"]).exit, Exit::Done);
    insta::assert_snapshot!(of_loop(&rig), @"
    loop           ok: docs-links, at L2, and the loop file allows L2
    journal        ok: 5 entries, each follows from the one before
    drills         ok: all passed, good until 2026-02-01T03:04:05Z
    budgets        ok: in force, all written out
    history        ok: 1 of 1 cycles went well; hold: exit-criteria(14), window 1/7
    --- exit 0
    ");
}

#[test]
fn what_is_needed_and_missing_is_the_hosts_failure() {
    let rig = Rig::folder();
    symlink("/tmp", rig.top().join(".ringfence")).unwrap();
    let ran = rig.run(&["doctor"]);
    assert_eq!(ran.exit, Exit::Host);
    assert!(ran.out.contains("state          missing: a symbolic link"));
    assert!(ran.out.contains("move it away; a beat makes the directory"));
    let json = rig.run(&["doctor", "--format", "json"]).json();
    assert_eq!(json["ok"], false);
    assert_eq!(json["checks"][10]["state"], "missing");
}

#[test]
fn what_keeps_a_loop_or_its_people_is_said() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    let said = of_loop(&rig);
    assert!(
        !said.contains("\nmode ") && !said.contains("notify"),
        "{said}"
    );
    rig.run_ok(&["retire", "--reason", "it is done"]);
    let said = of_loop(&rig);
    assert!(
        said.contains("\nmode           unproven: retired since"),
        "{said}"
    );
    rig.run_ok(&["resume"]);
    assert!(!of_loop(&rig).contains("\nmode "));
    rig.edit(
        "LOOP.md",
        "\n[decider]\n",
        "\n[notify]\nto = \"team\"\n\n[decider]\n",
    );
    let notify = |expect: &str| {
        let ran = rig.run(&["doctor"]);
        assert!(ran.out.contains(expect), "{expect}: {}", ran.out);
    };
    notify("notify         unproven: there is no");
    std::fs::create_dir_all(rig.config_dir()).unwrap();
    let config = rig.config_dir().join("config.toml");
    let team = |program: &str| format!("[notify.team]\nargv = [\"{program}\"]\n");
    std::fs::write(&config, team("/nonexistent/tell")).unwrap();
    notify("notify         unproven: team: /nonexistent/tell");
    std::fs::write(&config, team("/bin/sh")).unwrap();
    notify("notify         ok: team: /bin/sh");
}

#[test]
fn a_state_directory_that_cannot_be_written_is_no_good() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    let state = rig.top().join(".git/ringfence-state");
    let mode = |mode| std::fs::set_permissions(&state, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o500);
    let ran = rig.run(&["doctor"]);
    mode(0o700);
    assert_eq!(ran.exit, Exit::Host);
    assert!(ran.out.contains("state          missing:"), "{}", ran.out);
}
