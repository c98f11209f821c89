//! `doctor`: on this machine, and where the project is in a bad state.

use std::os::unix::fs::symlink;

use super::rig::Rig;
use crate::exit::Exit;

#[test]
fn says_how_each_thing_is() {
    let rig = Rig::with_loop();
    let ran = rig.run(&["doctor"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.out);
    let top = rig.top();
    for line in [
        format!("project        ok: a git repository, {}\n", top.display()),
        "state          ok: none yet: no beat has run here\n".to_owned(),
        format!("compile cache  ok: {}\n", rig.cache_dir.display()),
    ] {
        assert!(ran.out.contains(&line), "{line}{}", ran.out);
    }
    let json = rig.run(&["doctor", "--format", "json"]).json();
    assert_eq!(json["ok"], true);
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
        ]
    );
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
