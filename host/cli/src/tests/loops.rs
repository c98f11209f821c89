//! `init`, `check` and `explain`.

use serde_json::json;

use super::rig::Rig;
use crate::exit::Exit;

#[test]
fn init_writes_once() {
    let rig = Rig::broken_links();
    insta::assert_snapshot!(rig.run(&["init"]).shown(), @r"
    wrote LOOP.md: a loop that repairs links between Markdown files
    wrote ringfence.lock: the plugins it runs, by digest

    Next:
      ringfence check           see what each step may do; nothing runs
      ringfence beat --dry-run  try one beat; nothing is kept
      ringfence beat            run one beat; a repair becomes a branch, HEAD stays
    --- exit 0
    ");
    let written = rig.read("LOOP.md");
    insta::assert_snapshot!(rig.run(&["init", "--loop", "other"]).shown(), @r"
    --- stderr
    error: [project]/LOOP.md exists; nothing was written
    help: look at it with `ringfence check`, or name another folder
    --- exit 2
    ");
    assert_eq!(rig.read("LOOP.md"), written);
    insta::assert_snapshot!(rig.run(&["init", "nowhere"]).shown(), @r"
    --- stderr
    error: [project]/nowhere/LOOP.md cannot be written: there is no such
      folder
    --- exit 2
    ");
    insta::assert_snapshot!(rig.run(&["init", "--loop", "No Name"]).shown(), @r#"
    --- stderr
    error: not an id of lower-case letters, digits and dashes, at most 64: "No Name"
    --- exit 2
    "#);
}

#[test]
fn init_does_not_follow_a_link() {
    let rig = Rig::broken_links();
    std::os::unix::fs::symlink("elsewhere.md", rig.top().join("LOOP.md")).unwrap();
    assert_eq!(rig.run(&["init"]).exit, Exit::Usage);
    assert!(!rig.top().join("elsewhere.md").exists());
}

#[test]
fn check_shows_every_grant() {
    insta::assert_snapshot!(Rig::with_loop().run(&["check"]).shown(), @r#"
    loop docs-links
      level      L2: an accepted change is proposed as a commit on a branch
      works on   the tree of the current commit
      beats      every 15m
      budget     fuel 50G a beat and 2T a day; 200 beats a day (UTC); 2 attempts an
                 item
      a person's changes of: **/LICENSE*, **/SECURITY.md

    sensor md-links: std:md-links 0.1.0 ([hex])
      limits     fuel 10G, memory 64MiB, deadline 10s
      read       everything that is not denied
      write      nothing: only executors write

    decider first-fixable: std:first-fixable 0.1.0 ([hex])
      limits     fuel 10G, memory 64MiB, deadline 10s
      read       nothing: the plugin does not ask for it
      write      nothing: only executors write

    executor md-link-fix: std:md-link-fix 0.1.0 ([hex])
      limits     fuel 10G, memory 64MiB, deadline 10s
      read       everything that is not denied
      write      **/*.md ([paths])
                 and only in **/*.md, **/*.markdown, **/*.MD (the plugin asks)
      can        fix

    gate md-links: std:md-links 0.1.0 ([hex])
      limits     fuel 10G, memory 64MiB, deadline 10s
      read       everything that is not denied
      write      nothing: only executors write

    gate diff-size: std:diff-size 0.1.0 ([hex])
      limits     fuel 10G, memory 64MiB, deadline 10s
      config     {"max_files": 5, "max_lines": 200}
      read       nothing: the plugin does not ask for it
      write      nothing: only executors write

    gate paths: std:paths 0.1.0 ([hex])
      limits     fuel 10G, memory 64MiB, deadline 10s
      config     {"allow": ["**/*.md"]}
      read       nothing: the plugin does not ask for it
      write      nothing: only executors write

    denied to every step
      [paths]    **/.env*, **/secrets/**
      always     **/.git/**, **/git~1/**, .ringfence/**, ringfence.lock
      by default **/LOOP.md, **/.claude/**, **/.cursor/**, **/.idea/**,
                 **/.mcp.json, **/.vscode/**, **/.zed/**, **/.envrc,
                 **/.bash_profile, **/.bashrc, **/.profile, **/.zprofile,
                 **/.zshenv, **/.zshrc

    every plugin is the one pinned in ringfence.lock
    --- exit 0
    "#);
}

const NARROW: &str = r#"+++
loop = "narrow"
level = "L1"
base = "worktree"
[paths]
read = ["docs/**", "*.md"]
write = ["docs/**"]
deny = ["secrets/**"]
lift = ["**/.vscode/**"]
[[sensor]]
plugin = "std:md-links"
limits = { fuel = "500M", memory = "32MiB", deadline = "5s" }
paths = { read = ["docs/**"], deny = ["docs/private/**"] }
[decider]
plugin = "std:first-fixable"
[[executor]]
id = "fix"
plugin = "std:md-link-fix"
paths = { write = ["docs/guide.md"] }
[[gate]]
plugin = "std:md-links"
[escalate]
labels = ["security"]
+++
"#;

#[test]
fn check_shows_who_narrows_what() {
    insta::assert_snapshot!(Rig::with_loop_file(NARROW).run(&["check"]).shown(), @r"
    loop narrow
      level      L1: an accepted change is recorded as a patch
      works on   the files as they are, uncommitted edits included
      beats      every 15m
      budget     fuel 50G a beat and 2T a day; 200 beats a day (UTC); 2 attempts an
                 item
      a person's items labelled: security

    sensor md-links: std:md-links 0.1.0 ([hex])
      limits  fuel [n], memory 32MiB, deadline 5s
      read       docs/**, *.md ([paths])
                 and only in docs/** (this step's paths)
      write      nothing: only executors write
      deny       docs/private/**

    decider first-fixable: std:first-fixable 0.1.0 ([hex])
      limits     fuel 10G, memory 64MiB, deadline 10s
      read       nothing: the plugin does not ask for it
      write      nothing: only executors write

    executor fix: std:md-link-fix 0.1.0 ([hex])
      limits     fuel 10G, memory 64MiB, deadline 10s
      read       docs/**, *.md ([paths])
      write      docs/** ([paths])
                 and only in docs/guide.md (this step's paths)
                 and only in **/*.md, **/*.markdown, **/*.MD (the plugin asks)
      can        fix

    gate md-links: std:md-links 0.1.0 ([hex])
      limits     fuel 10G, memory 64MiB, deadline 10s
      read       docs/**, *.md ([paths])
      write      nothing: only executors write

    denied to every step
      [paths]    secrets/**
      always     **/.git/**, **/git~1/**, .ringfence/**, ringfence.lock
      by default **/LOOP.md, **/.claude/**, **/.cursor/**, **/.idea/**,
                 **/.mcp.json, **/.zed/**, **/.envrc, **/.bash_profile, **/.bashrc,
                 **/.profile, **/.zprofile, **/.zshenv, **/.zshrc
      LIFTED     **/.vscode/**: a default denial that this loop file switches off

    every plugin is the one pinned in ringfence.lock
    --- exit 0
    ");
}

#[test]
fn what_is_lifted_is_red() {
    let ran = Rig::with_loop_file(NARROW).run(&["check", "--color=always"]);
    assert!(
        ran.out.contains("\u{1b}[31m**/.vscode/**:\u{1b}[0m"),
        "{}",
        ran.out
    );
}

#[test]
fn check_pins_only_when_asked() {
    let rig = Rig::broken_links();
    rig.write("LOOP.md", NARROW);
    let shown = rig.run(&["check"]).shown();
    let tail = shown.split("denied to every step").last().unwrap();
    insta::assert_snapshot!(tail, @r"
      [paths]    secrets/**
      always     **/.git/**, **/git~1/**, .ringfence/**, ringfence.lock
      by default **/LOOP.md, **/.claude/**, **/.cursor/**, **/.idea/**,
                 **/.mcp.json, **/.zed/**, **/.envrc, **/.bash_profile, **/.bashrc,
                 **/.profile, **/.zprofile, **/.zshenv, **/.zshrc
      LIFTED     **/.vscode/**: a default denial that this loop file switches off

    not pinned in ringfence.lock: std:first-fixable, std:md-link-fix, std:md-links
    No beat runs before that. To accept these plugins with the grants above:
      ringfence check --write-lock
    --- exit 0
    ");
    assert!(!rig.top().join("ringfence.lock").exists());
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    --- stderr
    error: not pinned in ringfence.lock: std:first-fixable, std:md-link-fix,
      std:md-links
    help: look at what they may do with `ringfence check`, then pin them with
          `ringfence check --write-lock`
    --- exit 2
    ");
    assert_eq!(rig.run(&["check", "--write-lock"]).exit, Exit::Done);
    assert!(rig.read("ringfence.lock").contains("std:md-link-fix"));
}

#[test]
fn check_for_programs() {
    let rig = Rig::with_loop();
    let json = rig.run(&["check", "--format", "json"]).json();
    assert_eq!(
        (&json["ok"], &json["file"]),
        (&json!(true), &json!("LOOP.md"))
    );
    assert_eq!(json["loop"]["executors"][0]["id"], "md-link-fix");
    assert_eq!(json["loop"]["gates"].as_array().unwrap().len(), 3);
    rig.edit("LOOP.md", "write =", "wirte =");
    let ran = rig.run(&["check", "--format", "json"]);
    assert_eq!(ran.exit, Exit::Usage);
    let json = ran.json();
    assert_eq!(json["ok"], false);
    assert_eq!(json["diagnostics"][0]["line"], 12);
    assert_eq!(json["diagnostics"][0]["code"], "unknown-key");
}

#[test]
fn problems_of_a_loop_file_come_all_at_once() {
    let rig = Rig::with_loop();
    rig.edit("LOOP.md", "write =", "wirte =");
    rig.edit("LOOP.md", "\"L2\"", "\"L9\"");
    rig.edit("LOOP.md", "max_files = 5", "max_files = \"many\"");
    insta::assert_snapshot!(rig.run(&["check"]).shown(), @r#"
    --- stderr
    error[bad-value]: `level` is "L1" or "L2" or "L3", not "L9"
     --> LOOP.md:6:9
      |
    6 | level = "L9"        # L1 records a patch, L2 proposes a branch, L3 commits
      |         ^^^^ unknown word
    help: did you mean "L1"?

    error[unknown-key]: [paths] has no key "wirte"
      --> LOOP.md:12:1
       |
    12 | wirte = ["**/*.md"]
       | ^^^^^ unknown key
    help: did you mean `write`?

    LOOP.md: 2 errors
    --- exit 2
    "#);
    rig.edit("LOOP.md", "wirte =", "write =");
    rig.edit("LOOP.md", "\"L9\"", "\"L2\"");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r#"
    --- stderr
    error[bad-config]: the config of diff-size does not fit: /max_files: "many" is
      not of type "integer"
      --> LOOP.md:33:24
       |
    33 | config = { max_files = "many", max_lines = 200 }
       |                        ^^^^^^ does not fit

    LOOP.md: 1 error
    --- exit 2
    "#);
}

#[test]
fn loops_that_cannot_be_opened() {
    let rig = Rig::broken_links();
    insta::assert_snapshot!(rig.run(&["check"]).shown(), @r"
    --- stderr
    error: no LOOP.md in [project] or a folder above it
    help: write one with `ringfence init`
    --- exit 2
    ");
    insta::assert_snapshot!(rig.run(&["check", "other/LOOP.md"]).shown(), @r"
    --- stderr
    error: [project]/other/LOOP.md cannot be read: No such file or directory
      (os error 2)
    --- exit 2
    ");
    rig.write("LOOP.md", "+++\nloop =\n+++\n");
    insta::assert_snapshot!(rig.run(&["check"]).shown(), @r"
    --- stderr
    error[toml]: invalid TOML: string values must be quoted, expected literal string
     --> LOOP.md:2:7
      |
    2 | loop =
      |       ^ here

    LOOP.md: 1 error
    --- exit 2
    ");
}

#[test]
fn a_plugin_that_changed_is_refused() {
    let rig = Rig::with_loop();
    let lock = rig.read("ringfence.lock");
    let pinned = lock.split("blake3:").nth(1).unwrap().get(..64).unwrap();
    rig.edit("ringfence.lock", pinned, &"0".repeat(64));
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r#"
    --- stderr
    error: plugin "std:diff-size" has the digest
      blake3:[hex], and
      ringfence.lock pins
      blake3:[hex]
    help: if you changed or updated it yourself: `ringfence check --write-lock
          --accept "std:diff-size"`
    --- exit 7
    "#);
    assert_eq!(rig.run(&["check", "--write-lock"]).exit, Exit::Plugin);
    let ran = rig.run(&["check", "--write-lock", "--accept", "std:diff-size"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    assert!(
        ran.out.contains("pinned now: std:diff-size\n"),
        "{}",
        ran.out
    );
    assert_eq!(rig.read("ringfence.lock"), lock);
}

#[test]
fn plugins_that_are_none() {
    let rig = Rig::broken_links();
    rig.write(
        "LOOP.md",
        &NARROW.replace("std:first-fixable", "./decide.wasm"),
    );
    insta::assert_snapshot!(rig.run(&["check"]).shown(), @r#"
    --- stderr
    error[missing-plugin]: there is no plugin "./decide.wasm"
      --> LOOP.md:15:10
       |
    15 | plugin = "./decide.wasm"
       |          ^^^^^^^^^^^^^^^ not found
    help: build it, or correct the path, which begins at the top of the project

    LOOP.md: 1 error
    --- exit 2
    "#);
    rig.write("decide.wasm", "\0asm\u{1}\0\0\0");
    insta::assert_snapshot!(rig.run(&["check"]).shown(), @r"
    --- stderr
    error: plugin ./decide.wasm cannot be used: a core WebAssembly module, not a
      component: build it for the target wasm32-wasip2
    --- exit 7
    ");
}

fn explain(path: &str, step: &str) -> String {
    Rig::with_loop_file(NARROW)
        .run(&["explain", path, "--step", step])
        .shown()
}

#[test]
fn explain_names_the_rule() {
    insta::assert_snapshot!(explain("docs/guide.md", "fix"), @r"
    executor fix may read docs/guide.md: it is allowed by docs/** ([paths]), and
      denied by nothing

    executor fix may write docs/guide.md: it is allowed by docs/** ([paths]) and
      docs/guide.md (the step's paths) and **/*.md (asked by the plugin), and denied
      by nothing
    --- exit 0
    ");
    insta::assert_snapshot!(explain("docs/other.md", "fix"), @r#"
    executor fix may read docs/other.md: it is allowed by docs/** ([paths]), and
      denied by nothing

    executor fix may not write docs/other.md: no glob in the step's own paths
      matches it
      To allow it, add to this step's `paths`:
        write = ["docs/other.md"]
    --- exit 0
    "#);
    insta::assert_snapshot!(explain("src/main.rs", "executor/fix"), @r#"
    executor fix may not read src/main.rs: no glob in [paths] matches it
      To allow it, add to [paths] in the loop file:
        read = ["src/main.rs"]

    executor fix may not write src/main.rs: no glob in [paths] matches it
      To allow it, add to [paths] in the loop file:
        write = ["src/main.rs"]
    --- exit 0
    "#);
    insta::assert_snapshot!(explain("secrets/key", "gate/md-links"), @r"
    gate md-links may not read secrets/key: the loop file denies secrets/**

    gate md-links may not write secrets/key: the loop file denies secrets/**
    --- exit 0
    ");
    insta::assert_snapshot!(explain(".git/config", "fix"), @r"
    executor fix may not read .git/config: **/.git/** is denied in every loop, and
      nothing lifts that

    executor fix may not write .git/config: **/.git/** is denied in every loop, and
      nothing lifts that
    --- exit 0
    ");
    insta::assert_snapshot!(explain("../up", "fix"), @r"
    executor fix may not read ../up: it is a path that leaves the workspace

    executor fix may not write ../up: it is a path that leaves the workspace
    --- exit 0
    ");
    insta::assert_snapshot!(explain("docs/a.md", "nobody"), @r"
    --- stderr
    error: loop narrow has no step nobody
    help: its steps are sensor/md-links, decider/first-fixable, executor/fix,
          gate/md-links
    --- exit 2
    ");
}

#[test]
fn explain_answers_for_all_steps_of_that_name() {
    let rig = Rig::with_loop_file(NARROW);
    let ran = rig.run(&[
        "explain",
        "README.md",
        "--step",
        "md-links",
        "--access",
        "read",
    ]);
    insta::assert_snapshot!(ran.shown(), @r#"
    sensor md-links may not read README.md: no glob in the step's own paths matches
      it
      To allow it, add to this step's `paths`:
        read = ["README.md"]

    gate md-links may read README.md: it is allowed by *.md ([paths]), and denied by
      nothing
    --- exit 0
    "#);
    let json = rig
        .run(&["explain", ".zed/x", "--step", "fix", "--format", "json"])
        .json();
    assert_eq!(json["answers"][0]["allowed"], false);
    assert_eq!(json["answers"][0]["rule"], "deny");
    assert_eq!(json["answers"][0]["grant_line"], "lift = [\"**/.zed/**\"]");
}
