//! Native programs beside gates, and what a change can do to those that the host itself starts.
//!
//! **Invariant:** where the machine gives no sandbox, what is tested is that the run says so and judges nothing.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::rig::{PROGRAM, Ran, Rig, environment};

const SIZE: &str = "[[gate]]\nid = \"size\"\nplugin = \"std:diff-size\"\n";

/// A repository with these tables in its gates file besides a gate that passes, and a change in it.
fn with(tables: &str) -> Rig {
    let rig = Rig::small();
    rig.write("ringfence-gates.toml", &format!("{SIZE}\n{tables}"));
    let pinned = rig.run(&["gate", "check", "--write-lock"]);
    assert_eq!(pinned.code, 0, "{}", pinned.err);
    rig.write("LOOP.md", "no loop\n");
    rig.commit("gates");
    rig.write("new.md", "# New\n");
    rig
}

/// False where programs cannot be confined; the run has said so.
fn is_confined(ran: &Ran) -> bool {
    let missing = ran.err.contains("no sandbox for native programs");
    if missing {
        eprintln!(
            "THIS MACHINE GIVES NO SANDBOX ({}): only the refusal is tested",
            ran.err
        );
        assert_eq!(ran.code, 8);
    }
    !missing
}

fn rules(report: &Value) -> Vec<&str> {
    let remarks = report["host"].as_array().unwrap().iter();
    remarks.filter_map(|one| one["rule"].as_str()).collect()
}

#[test]
fn a_bad_end_fails_the_change_whether_a_gate_reads_it_or_not() {
    let bad = "[command.test]\nargv = [\"sh\", \"-c\", \"echo it is broken >&2; exit 3\"]\n";
    let rig = with(bad);
    let ran = rig.run(&["gate"]);
    if !is_confined(&ran) {
        return;
    }
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let unread = "error[command-unread] `test` exited with 3, and no gate judges it";
    assert!(ran.out.contains(unread), "{}", ran.out);
    assert!(ran.out.contains("| it is broken"), "{}", ran.out);
    let report = rig.run(&["gate", "--format", "json"]).json();
    assert_eq!(rules(&report), ["command-unread"]);
    assert_eq!(report["outputs"][0]["tail"], "it is broken\n");
    let checked = rig.run(&["gate", "check"]);
    assert!(
        checked.out.contains("command test on after"),
        "{}",
        checked.out
    );
    assert!(checked.out.contains("read by NO GATE"), "{}", checked.out);

    let judge = "[[gate]]\nplugin = \"std:commands\"\nconfig = { commands = [\"test\"] }\n";
    let rig = with(&format!("{judge}{bad}"));
    let report = rig.run(&["gate", "--format", "json"]).json();
    assert_eq!(
        (report["exit_code"].as_u64(), rules(&report)),
        (Some(1), vec![])
    );
    let checked = rig.run(&["gate", "check"]);
    assert!(checked.out.contains("read by commands"), "{}", checked.out);
    // Where no gate is asked that reads it, it does not run.
    let report = rig
        .run(&["gate", "--only", "size", "--format", "json"])
        .json();
    assert_eq!(report["exit_code"], 0, "{report:#}");
    assert_eq!(report["commands"], json!([]));
}

#[test]
fn a_good_end_that_no_gate_reads_is_let_through_and_sees_the_whole_tree() {
    // What loops are kept from is a file like any other here; `deny` is as good as ever.
    let script = "cat LOOP.md && ! test -e README.md && test ! -e .git";
    let rig = with(&format!(
        "[paths]\ndeny = [\"README.md\"]\n[command.test]\nargv = [\"sh\", \"-c\", \"{script}\"]\n"
    ));
    let ran = rig.run(&["gate", "--format", "json"]);
    if is_confined(&ran) {
        let report = ran.json();
        assert_eq!(report["exit_code"], 0, "{report:#}");
        assert_eq!(report["commands"][0]["ended"]["code"], 0);
        assert_eq!(report["outputs"], json!([]));
    }
}

#[test]
fn a_program_that_does_not_start_ends_the_run() {
    let rig = with("[command.test]\nargv = [\"no-such-program\"]\n");
    let ran = rig.run(&["gate"]);
    if is_confined(&ran) {
        assert_eq!(ran.code, 8, "{}{}", ran.out, ran.err);
        assert!(
            ran.err.contains("command test did not start"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn nobody_waits_for_the_other_end_of_a_pipe() {
    let rig = with("");
    let pipe = rig.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let pipe = pipe.to_str().unwrap();
    for args in [
        ["gate", "--patch", pipe],
        ["gate", "--evidence", &format!("test/junit={pipe}")],
    ] {
        let ran = rig.run(&args);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains("no regular file"), "{}", ran.err);
    }
}

#[test]
fn git_ends_with_whoever_started_it() {
    let rig = with("");
    let programs = rig.home().join("programs");
    fs::create_dir(&programs).unwrap();
    let pipe = rig.home().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let path = std::env::var("PATH").unwrap();
    // It is minded some moments after it begins.
    let script = format!(
        "#!/bin/sh\nPATH='{path}'\ncase \" $* \" in *' diff-tree '*)\n\
         exec 9>'{}'; sleep 1; echo begun >&9; sleep 60; echo late >&9;;\nesac\nexec git \"$@\"\n",
        pipe.display()
    );
    let git = programs.join("git");
    fs::write(&git, script).unwrap();
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let mut ringfence = Command::new(PROGRAM)
        .arg("gate")
        .current_dir(rig.top())
        .env_clear()
        .envs(environment(&rig.home()))
        .env("PATH", &programs)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut heard = fs::File::open(&pipe).unwrap();
    let mut begun = [0; 6];
    heard.read_exact(&mut begun).unwrap();
    assert_eq!(begun, *b"begun\n");
    ringfence.kill().unwrap();
    ringfence.wait().unwrap();
    // The pipe ends with the last process that holds it.
    let mut rest = String::new();
    heard.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn a_change_that_no_disk_holds_is_refused_and_the_next_one_is_judged() {
    let rig = with("[[gate]]\nplugin = \"std:md-links\"\n");
    let blob = rig.git(&["rev-parse", "HEAD:README.md"]);
    let deep = format!("{}x.md", "d/".repeat(2030));
    rig.git(&["checkout", "-q", "-b", "deep"]);
    rig.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        "100644",
        blob.trim(),
        &deep,
    ]);
    rig.git(&["commit", "-q", "-m", "deep"]);
    let ran = rig.run(&["gate", "--base", "main", "--head", "deep"]);
    assert_eq!(ran.code, 8, "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("the tree cannot be checked out"),
        "{}",
        ran.err
    );
    rig.git(&["reset", "-q", "--hard", "main"]);
    let ran = rig.run(&["gate"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}
