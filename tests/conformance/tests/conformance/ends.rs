//! How a run ends, and what the program was told before.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::json;

use crate::rig::Rig;

#[test]
fn the_exit_code_is_the_programs() {
    let rig = Rig::new();
    for code in ["0", "1", "42", "255"] {
        let ran = rig.run(&[], &["exit", code]);
        assert_eq!(ran.code.to_string(), code, "{}", ran.err);
    }
    assert_eq!(rig.run(&[], &["fail"]).code, 1);
}

#[test]
fn a_panic_is_shown() {
    let (ran, report) = Rig::new().reported(&[], &["panic", "with", "these words"]);
    assert_eq!(ran.code, 7);
    assert!(ran.err.contains("with these words"), "{}", ran.err);
    assert_eq!(report["exit_code"], 7);
    assert_ne!(report["failure"], json!(null));
}

#[test]
fn limits_end_it() {
    for (options, deed) in [
        (["--fuel", "50M"], ["spin", ""]),
        (["--deadline", "300ms"], ["spin", ""]),
        (["--deadline", "300ms"], ["sleep", "3600000"]),
    ] {
        let ran = Rig::new().run(&options, &deed);
        assert_eq!(ran.code, 5, "{options:?}: {}", ran.err);
    }
}

#[test]
fn arguments_arrive_as_they_are() {
    let args = ["arguments", "", "a b", "--dir", "-x", "Действие", "*", "--"];
    let ran = Rig::new().run(&[], &args);
    let expect = [&["conform.wasm"], &args[..]].concat().join("\n") + "\n";
    assert_eq!(ran.out, expect);
}

#[test]
fn the_environment_is_what_is_given() {
    let rig = Rig::new();
    let options = ["--env", "A=1", "--env", "B=x=y z", "--env", "EMPTY="];
    let ran = rig.exec(&options, &["variables"]).env("LEAK", "1").output();
    let out = String::from_utf8(ran.unwrap().stdout).unwrap();
    assert_eq!(out, "A=1\nB=x=y z\nEMPTY=\n");
    let ran = rig.run(&["--env", "=x"], &["variables"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn what_is_no_program_is_refused() {
    let rig = Rig::with(&[("text", "not wasm"), ("core", "\0asm\u{1}\0\0\0")]);
    for (file, words) in [("text", "not a WebAssembly component"), ("core", "core")] {
        let output = std::process::Command::new(crate::rig::PROGRAM)
            .current_dir(rig.path("."))
            .args(["exec", file])
            .output();
        let ran = crate::rig::Ran::from(output.unwrap());
        assert_eq!(ran.code, 7, "{}", ran.err);
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}

#[test]
fn two_determined_runs_are_alike() {
    let runs = ["one", "two"].map(|_| {
        let rig = Rig::with(&[("file", "text")]);
        let options = ["--deterministic", "--dir", ".::/"];
        let (ran, report) = rig.reported(&options, &["checks", "random", "clock-sleep"]);
        (ran.out, report)
    });
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0].0.matches("\tok\n").count(), 2, "{}", runs[0].0);
}

#[test]
fn the_report_says_what_was_used_and_denied() {
    let rig = Rig::with(&[("notes", "12345"), ("secret", "s")]);
    let options = ["--dir", ".::/", "--deny", "secret"];
    let (ran, report) = rig.reported(&options, &["read", "/notes", "/secret"]);
    assert_eq!(ran.out, "/notes: 12345\n/secret: PermissionDenied\n");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(report["exit_code"], 0);
    assert_eq!(report["failure"], json!(null));
    assert_eq!(report["bytes_read"], 5);
    assert!(report["fuel"]["used"].as_u64() > Some(0), "{report}");
    assert_eq!(report["denials"][0]["path"], "secret");
    assert_eq!(report["denials"].as_array().unwrap().len(), 1);
}

/// A report that has no place is found out before anything runs.
#[test]
fn a_report_without_a_place_begins_nothing() {
    let rig = Rig::new();
    let options = ["--dir", ".::/", "--report", "no/such/folder/report.json"];
    let ran = rig.run(&options, &["write", "/made"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(fs::metadata(rig.path("made")).is_err());
}

/// Nor one whose place is no plain file, or within the program's reach. What stood there before is gone in the end.
#[test]
fn a_report_is_written_where_only_the_host_writes() {
    let rig = Rig::with(&[("in/a", "a"), ("precious", "precious"), ("old", "old")]);
    symlink("precious", rig.path("link")).unwrap();
    let pipe = Command::new("mkfifo").arg(rig.path("pipe")).status();
    assert!(pipe.unwrap().success());
    let run = |report: &str, options: &[&str]| {
        let options = [&["--dir", "in::/", "--report", report], options].concat();
        let ran = rig.run(&options, &["read", "/a"]);
        // Its lines are as long as the screen.
        let words: Vec<&str> = ran.err.split_whitespace().collect();
        (ran.code, ran.out, words.join(" "))
    };
    for (report, why) in [
        ("link", "is no plain file"),
        ("pipe", "is no plain file"),
        ("in", "is no plain file"),
        ("in/report", "where the program may write"),
        ("./x/../in/report", "where the program may write"),
    ] {
        let (code, out, err) = run(report, &[]);
        assert_eq!((code, out.as_str()), (2, ""), "{report}: {err}");
        assert!(err.contains(why), "{report}: {err}");
    }
    assert!(run("in/report", &["--write", "b"]).2.contains("may write"));
    assert_eq!(rig.read("precious"), "precious");
    assert!(fs::metadata(rig.path("in/report")).is_err());
    for (report, options) in [("old", &[][..]), ("in/report", &["--read", "**"])] {
        let (code, out, err) = run(report, options);
        assert_eq!((code, out.as_str()), (0, "/a: a\n"), "{report}: {err}");
        let report: serde_json::Value = serde_json::from_str(&rig.read(report)).unwrap();
        assert_eq!(report["exit_code"], 0);
    }
}
