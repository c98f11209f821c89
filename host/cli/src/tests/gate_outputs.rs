//! `gate --format`: what goes where.

use serde_json::Value;

use super::gating::{LINKS, rig};
use super::rig::Rig;
use crate::exit::Exit;

/// A project with a link that was not there before and leads nowhere.
fn broken() -> Rig {
    let rig = rig(LINKS);
    rig.write("docs/new page.md", "# New\n\nSee [it](nowhere.md).\n");
    rig
}

#[test]
fn the_text_is_what_people_get() {
    let rig = broken();
    let ran = rig.run(&["gate"]);
    assert_eq!(ran.exit, Exit::Refused);
    for part in [
        "error[missing-file]",
        "--> docs/new page.md:3:",
        "3 | See [it](nowhere.md).",
        "failed: 1 failed, of 1 gate",
        " of ",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert!(
        ran.out
            .lines()
            .any(|line| line.trim_start().starts_with("| ")),
        "{}",
        ran.out
    );
    rig.write("docs/new page.md", "# New\n");
    let ran = rig.run(&["gate"]);
    assert_eq!(ran.exit, Exit::Done);
    assert!(
        ran.out.contains("passed: 1 passed, of 1 gate"),
        "{}",
        ran.out
    );
}

#[test]
fn several_formats_at_once() {
    let rig = broken();
    let ran = rig.run(&[
        "gate",
        "--format=sarif=out.sarif",
        "--format=junit=out.xml",
        "--format=json=out.json",
        "--format",
        "github",
    ]);
    assert_eq!(ran.exit, Exit::Refused, "{}", ran.err);
    assert!(
        ran.out.contains("\n::error file=docs/new page.md,line=3,"),
        "{}",
        ran.out
    );
    let sarif: Value = serde_json::from_str(&rig.read("out.sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "docs/new%20page.md");
    assert_eq!(place["region"]["startLine"], 3);
    assert_eq!(sarif["runs"][0]["invocations"][0]["exitCode"], 1);
    assert!(rig.read("out.xml").contains("<testcase name=\"md-links\""));
    let json: Value = serde_json::from_str(&rig.read("out.json")).unwrap();
    assert_eq!(
        (&json["version"], &json["exit_code"]),
        (&1.into(), &1.into())
    );
    // Where nothing is for stdout, people get their text; a file that is there is replaced.
    rig.write("out.json", "{ an older report");
    let ran = rig.run(&["gate", "--format", "json=out.json"]);
    assert!(ran.out.contains("error[missing-file]"), "{}", ran.out);
    assert!(serde_json::from_str::<Value>(&rig.read("out.json")).is_ok());
}

#[test]
fn what_cannot_be_written_is_said() {
    let rig = broken();
    rig.write("folder/x", "");
    std::os::unix::fs::symlink("README.md", rig.top().join("link.json")).unwrap();
    std::os::unix::fs::symlink("folder", rig.top().join("linked")).unwrap();
    for (args, code, said) in [
        (
            &["--format", "yaml"][..],
            2,
            "text, json, sarif, junit, github, summary, rdjson, checkstyle",
        ),
        (&["--format", "json=a,sarif=b"], 2, "names two formats"),
        (&["--format", "json,sarif"], 2, "names two formats"),
        (&["--format", "json=linked/a"], 2, "through a link"),
        (
            &["--format", "json=folder/a", "--format", "sarif=linked/a"],
            2,
            "through a link",
        ),
        (
            &["--format", "json=a", "--receipt", "folder/../a"],
            2,
            "cannot be a report",
        ),
        (&["--receipt", "linked/a"], 2, "through a link"),
        (&["--receipt", "folder"], 2, "is no plain file"),
        (&["--receipt", "none/a"], 2, "no such folder"),
        (&["baseline", "--output", "folder"], 2, "is no plain file"),
        (&["baseline", "--output", "none/a"], 2, "no such folder"),
        (&["--format", "json="], 2, "names no file"),
        (&["--format", "json=-"], 2, "names no file"),
        (&["--format", "json", "--format", "text"], 2, "at most one"),
        (
            &["--format", "json=a", "--format", "sarif=./a"],
            2,
            "cannot both be",
        ),
        (&["--format", "json=folder"], 2, "is no plain file"),
        (&["--format", "json=link.json"], 2, "is no plain file"),
        (&["--format", "json=/dev/null"], 2, "is no plain file"),
        (&["--format", "json=none/a"], 2, "no such folder"),
        (
            &["--format", "junit=good.xml", "--format", "json=folder"],
            2,
            "is no plain file",
        ),
    ] {
        let ran = rig.run(&[&["gate"], args].concat());
        assert_eq!((ran.exit.code(), ran.out.as_str()), (code, ""), "{args:?}");
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
    assert!(rig.read("README.md").starts_with("# Hello"));
    assert!(!rig.top().join("good.xml").exists());
}

#[test]
fn no_report_of_somebody_else_survives_a_run_that_ends_early() {
    let rig = broken();
    rig.write("gates.sarif", "brought along");
    let ran = rig.run(&["gate", "--base", "nowhere", "--format", "sarif=gates.sarif"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(!rig.top().join("gates.sarif").exists());
    // What is refused at once takes nothing away.
    rig.write("gates.sarif", "mine");
    let twice = ["--format=sarif=gates.sarif", "--format=json=./gates.sarif"];
    assert_eq!(rig.run(&[&["gate"][..], &twice].concat()).exit, Exit::Usage);
    assert_eq!(rig.read("gates.sarif"), "mine");
}
