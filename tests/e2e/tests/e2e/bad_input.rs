//! Projects and loop files that are wrong, odd or hostile: what the program says, how it ends, and that nothing is lost.
//!
//! **Invariant:** every refusal names the thing and the way out, and leaves the user's project as it was.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use crate::loop_files::Troupe;
use crate::rig::{PROGRAM, Rig, guest};
use crate::traces::Before;

/// A loop file with nothing but what it must have.
const MINIMAL: &str = r#"+++
loop = "minimal"
paths.write = ["**/*.md"]
[[sensor]]
plugin = "std:md-links"
[decider]
plugin = "std:first-fixable"
[[executor]]
plugin = "std:md-link-fix"
[[gate]]
plugin = "std:md-links"
+++
"#;

fn minimal(from: &str, to: &str) -> String {
    assert!(MINIMAL.contains(from), "{from}");
    MINIMAL.replace(from, to)
}

/// What `beat` says of a project with this loop file; it must leave everything as it is.
fn refused(loop_file: &str) -> String {
    let rig = Rig::small();
    rig.write("LOOP.md", loop_file);
    refused_in(&rig, &["beat"])
}

#[track_caller]
fn refused_in(rig: &Rig, args: &[&str]) -> String {
    let before = Before::of(rig);
    let ran = rig.run(args);
    assert_ne!(ran.code, 0, "{}", ran.out);
    assert_eq!(ran.out, "", "results go to stdout, and there is none");
    before.assert_untouched();
    ran.shown()
}

#[test]
fn loop_files() {
    insta::assert_snapshot!(refused("# No loop\n"), @r"
    --- stderr
    error[front-matter]: the file does not begin with a line `+++`
     --> LOOP.md:1:1
      |
    1 | # No loop
      | ^^^^^^^^^ first line
    help: a loop file is TOML between two lines `+++`, then prose; `ringfence init`
          writes one

    LOOP.md: 1 error
    --- exit 2
    ");
    insta::assert_snapshot!(refused("+++\nloop = \"x\nlevel = 2\n+++\n"), @r#"
    --- stderr
    error[toml]: invalid TOML: invalid basic string, expected `"`
     --> LOOP.md:2:10
      |
    2 | loop = "x
      |          ^ here

    LOOP.md: 1 error
    --- exit 2
    "#);
    insta::assert_snapshot!(refused(&minimal("loop =", "lopo = 1\nloop =")), @r#"
    --- stderr
    error[unknown-key]: the loop file has no key "lopo"
     --> LOOP.md:2:1
      |
    2 | lopo = 1
      | ^^^^ unknown key
    help: did you mean `loop`?

    LOOP.md: 1 error
    --- exit 2
    "#);
    insta::assert_snapshot!(refused(&minimal("[decider]", "[budgte]\n[decider]")), @r#"
    --- stderr
    error[unknown-key]: the loop file has no key "budgte"
     --> LOOP.md:6:2
      |
    6 | [budgte]
      |  ^^^^^^ unknown key
    help: did you mean `budget`?

    LOOP.md: 1 error
    --- exit 2
    "#);
    insta::assert_snapshot!(refused(&minimal("+++\nloop", "+++\nbase = \"disk\"\ncadence = 1\nloop")), @r#"
    --- stderr
    error[bad-value]: `base` is "head" or "worktree", not "disk"
     --> LOOP.md:2:8
      |
    2 | base = "disk"
      |        ^^^^^^ unknown word

    error[not-supported]: `cadence` is not supported by this version
     --> LOOP.md:3:1
      |
    3 | cadence = 1
      | ^^^^^^^ not yet
    help: a beat runs when it is called: let cron, a systemd timer or CI call
          `ringfence beat`

    LOOP.md: 2 errors
    --- exit 2
    "#);
    insta::assert_snapshot!(refused(&minimal("[\"**/*.md\"]", "[\"../**\", \"[[:alpha:]]\"]")), @r#"
    --- stderr
    error[bad-glob]: "../**" holds the segment "..", which no path has
     --> LOOP.md:3:16
      |
    3 | paths.write = ["../**", "[[:alpha:]]"]
      |                ^^^^^^^ not a glob

    error[bad-glob]: "[[:alpha:]]" holds a POSIX class in "[[:alpha:]]", which would
      never match
     --> LOOP.md:3:25
      |
    3 | paths.write = ["../**", "[[:alpha:]]"]
      |                         ^^^^^^^^^^^^^ not a glob

    LOOP.md: 2 errors
    --- exit 2
    "#);
    insta::assert_snapshot!(refused(&minimal("[decider]", "[decider]\nlimits = { fuel = \"0\", memory = \"9TiB\", deadline = \"2 years\" }")), @r#"
    --- stderr
    error[bad-amount]: "0" is not an amount of fuel above zero, such as "[n]"
     --> LOOP.md:7:19
      |
    7 | limits = { fuel = "0", memory = "9TiB", deadline = "2 years" }
      |                   ^^^ not an amount of fuel
    help: write `fuel = "2G"`

    error[bad-amount]: "9TiB" is not a number of bytes above zero, such as "64MiB"
     --> LOOP.md:7:33
      |
    7 | limits = { fuel = "0", memory = "9TiB", deadline = "2 years" }
      |                                 ^^^^^^ not a number of bytes
    help: write `memory = "64MiB"`

    error[bad-amount]: "2 years" is not a duration above zero, such as "10s"
     --> LOOP.md:7:52
      |
    7 | limits = { fuel = "0", memory = "9TiB", deadline = "2 years" }
      |                                                    ^^^^^^^^^ not a duration
    help: write `deadline = "10s"`

    LOOP.md: 3 errors
    --- exit 2
    "#);
    insta::assert_snapshot!(refused(&minimal("[[sensor]]", "[budget]\nbeats_per_day = -1\nfuel_per_day = 1.5\n[[sensor]]")), @r#"
    --- stderr
    error[bad-amount]: -1 is not above zero, and no number means «unlimited»
     --> LOOP.md:5:17
      |
    5 | beats_per_day = -1
      |                 ^^ not a number above zero
    help: write `beats_per_day = 200`

    error[bad-amount]: `fuel_per_day` is an amount of fuel, not a float
     --> LOOP.md:6:16
      |
    6 | fuel_per_day = [n]
      |                ^^^ not an amount of fuel
    help: write `fuel_per_day = "2G"`

    LOOP.md: 2 errors
    --- exit 2
    "#);
    insta::assert_snapshot!(refused(&minimal("std:first-fixable", "std:md-link-fix")), @r#"
    --- stderr
    error[wrong-role]: md-link-fix is no decider; it can be executor
     --> LOOP.md:7:10
      |
    7 | plugin = "std:md-link-fix"
      |          ^^^^^^^^^^^^^^^^^ used as decider here

    LOOP.md: 1 error
    --- exit 2
    "#);
}

#[test]
fn a_loop_file_that_is_no_text() {
    let rig = Rig::small();
    fs::write(rig.path("LOOP.md"), b"+++\nloop = \"\xff\"\n+++\n").unwrap();
    let shown = refused_in(&rig, &["beat"]);
    assert!(
        shown.contains("[project]/LOOP.md cannot be read: it is not UTF-8"),
        "{shown}"
    );
    fs::remove_file(rig.path("LOOP.md")).unwrap();
    fs::create_dir(rig.path("LOOP.md")).unwrap();
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r"
    --- stderr
    error: no LOOP.md in [project] or a folder above it
    help: write one with `ringfence init`
    --- exit 2
    ");
    let shown = refused_in(&rig, &["beat", "LOOP.md"]);
    assert!(
        shown.contains("[project]/LOOP.md cannot be read: it is no regular file"),
        "{shown}"
    );
    insta::assert_snapshot!(refused_in(&rig, &["init"]), @r"
    --- stderr
    error: [project]/LOOP.md exists; nothing was written
    help: look at it with `ringfence check`, or name another folder
    --- exit 2
    ");
}

#[test]
fn plugins() {
    insta::assert_snapshot!(refused(&minimal("std:first-fixable", "std:first-fixabel")), @r#"
    --- stderr
    error[missing-plugin]: there is no plugin "std:first-fixabel"
     --> LOOP.md:7:10
      |
    7 | plugin = "std:first-fixabel"
      |          ^^^^^^^^^^^^^^^^^^^ not found

    LOOP.md: 1 error
    --- exit 2
    "#);
    insta::assert_snapshot!(refused(&minimal("std:first-fixable", "../own.wasm")), @r#"
    --- stderr
    error[bad-plugin]: "../own.wasm" names no plugin: write "std:name", or
      "./path.wasm" from the root of the workspace
     --> LOOP.md:7:10
      |
    7 | plugin = "../own.wasm"
      |          ^^^^^^^^^^^^^ not a plugin

    LOOP.md: 1 error
    --- exit 2
    "#);
    insta::assert_snapshot!(refused(MINIMAL), @r"
    --- stderr
    error: not pinned in ringfence.lock: std:first-fixable, std:md-link-fix,
      std:md-links
    help: look at what they may do with `ringfence check`, then pin them with
          `ringfence check --write-lock`
    --- exit 2
    ");
    let own = minimal("std:first-fixable", "./own.wasm");
    let with = |bytes: &[u8]| {
        let rig = Rig::small();
        rig.write("LOOP.md", &own);
        fs::write(rig.path("own.wasm"), bytes).unwrap();
        refused_in(&rig, &["beat"])
    };
    insta::assert_snapshot!(refused(&own), @r#"
    --- stderr
    error[missing-plugin]: there is no plugin "./own.wasm"
     --> LOOP.md:7:10
      |
    7 | plugin = "./own.wasm"
      |          ^^^^^^^^^^^^ not found

    LOOP.md: 1 error
    --- exit 2
    "#);
    insta::assert_snapshot!(with(b"#!/bin/sh\n"), @r"
    --- stderr
    error: plugin ./own.wasm cannot be used: not a WebAssembly component: magic
      header not detected: bad magic number - expected=[ 0x0, 0x61, 0x73, 0x6d, ]
      actual=[ 0x23, 0x21, 0x2f, 0x62, ] (at offset 0x0)
    --- exit 7
    ");
    insta::assert_snapshot!(with(b"\0asm\x01\0\0\0"), @r"
    --- stderr
    error: plugin ./own.wasm cannot be used: a core WebAssembly module, not a
      component: build it for the target wasm32-wasip2
    --- exit 7
    ");
    insta::assert_snapshot!(with(b"\0asm\x0d\0\x01\0"), @r"
    --- stderr
    error: plugin ./own.wasm cannot be used: no plugin manifest inside: build it
      with ringfence-sdk and `plugin!`
    --- exit 7
    ");
    insta::assert_snapshot!(with(&other_contract()), @r#"
    --- stderr
    error: plugin ./own.wasm cannot be used: the manifest inside cannot be used:
      contract "9.1.0" is not supported: this host keeps 0.1.0
    --- exit 7
    "#);
    // It is a component, and none that decides.
    insta::assert_snapshot!(with(&guest("probe")), @r#"
    --- stderr
    error[wrong-role]: probe is no decider; it can be executor or gate
     --> LOOP.md:7:10
      |
    7 | plugin = "./own.wasm"
      |          ^^^^^^^^^^^^ used as decider here

    LOOP.md: 1 error
    --- exit 2
    "#);
}

/// The puppet as if it were built against a contract to come.
fn other_contract() -> Vec<u8> {
    let mut bytes = guest("puppet");
    let (now, then) = (b"\ncontract = \"0.1.0\"\n", b"\ncontract = \"9.1.0\"\n");
    let is_there = |at: &usize| bytes[*at..].starts_with(now);
    let places: Vec<_> = (0..bytes.len()).filter(is_there).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + now.len()].copy_from_slice(then);
    }
    bytes
}

#[test]
fn a_plugin_that_is_not_the_pinned_one() {
    let troupe = Troupe::default();
    let rig = Rig::with_guests(&troupe.loop_file(), &troupe.guests());
    let mut other = guest("puppet");
    other.extend(b"\0\x05\x04more");
    fs::write(rig.path("puppet.wasm"), other).unwrap();
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r#"
    --- stderr
    error: plugin "./puppet.wasm" has the digest
      blake3:[hex], and
      ringfence.lock pins
      blake3:[hex]
    help: if you changed or updated it yourself, delete the entry of "./puppet.wasm"
          from ringfence.lock and run `ringfence check --write-lock`
    --- exit 7
    "#);
    rig.write("ringfence.lock", "version = 1\n[[plugin]]\nreference = 7\n");
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r"
    --- stderr
    error: ringfence.lock line 2, entry 1: [[plugin]] has no `name`
    help: restore ringfence.lock from version control, or delete it and run
          `ringfence check --write-lock`
    --- exit 2
    ");
    rig.write("ringfence.lock", "version = 2\n");
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r"
    --- stderr
    error: ringfence.lock has format 2, and this version reads format 1
    help: update ringfence, or delete ringfence.lock and run `ringfence check
          --write-lock`
    --- exit 2
    ");
}

#[test]
fn repositories_that_cannot_be_worked_on() {
    let rig = Rig::folder();
    rig.git(&["init", "-q", "-b", "main"]);
    assert_eq!(rig.run(&["init"]).code, 0);
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r#"
    --- stderr
    error: the repository [project] has no commit yet
    help: commit something first, or work on the files as they are: `base =
          "worktree"` in the loop file
    --- exit 2
    "#);

    let rig = Rig::folder();
    rig.git(&["init", "-q", "--bare"]);
    insta::assert_snapshot!(rig.run(&["init"]).shown(), @r"
    --- stderr
    error: [project] is a git repository without working files: start in a
      working tree
    --- exit 2
    ");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    --- stderr
    error: [project] is a git repository without working files: start in a
      working tree
    --- exit 2
    ");

    let rig = Rig::small_with_loop();
    rig.write(".git/HEAD", "gone astray\n");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    --- stderr
    error: HEAD of the repository [project]/.git cannot be read
    --- exit 8
    ");
    fs::remove_dir_all(rig.path(".git")).unwrap();
    rig.write(".git", "gitdir: /nowhere\n");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    --- stderr
    error: [project]/.git does not lead to a git repository: the folder it
      names is not there
    --- exit 2
    ");
}

#[test]
fn a_repository_that_lost_an_object() {
    let rig = Rig::small_with_loop();
    let blob = rig.git(&["rev-parse", "HEAD:docs/guide.md"]);
    let (folder, file) = blob.split_at(2);
    fs::remove_file(rig.path(&format!(".git/objects/{folder}/{file}"))).unwrap();
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    --- stderr
    error: object [hex] of the base is not in the
      repository: the clone is partial, or damaged
    --- exit 8
    ");
}

#[test]
fn odd_repositories_are_worked_on_all_the_same() {
    let rig = Rig::small_with_loop();
    // Names that are no text, a loop of links, a link to outside, a pipe, a submodule, names like options.
    let odd = OsStr::from_bytes(b"docs/\xff\xfe\n.md");
    fs::write(rig.top().join(odd), "[x](y.md)\n").unwrap();
    rig.link("b", "a");
    rig.link("a", "b");
    rig.link("../..", "docs/up");
    rig.link("/etc/passwd", "docs/passwd.md");
    for name in [
        "--help.md",
        "-rf",
        "odd/--exec=id.md",
        ":(top)x.md",
        "odd/[a]*.md",
    ] {
        rig.write(name, "[guide](guide.md)\n");
    }
    let sub = Rig::small();
    let url = sub.top().display().to_string();
    let local = "protocol.file.allow=always";
    rig.git(&["-c", local, "submodule", "--quiet", "add", &url, "sub"]);
    rig.commit("odd things");
    rig.git(&["checkout", "-q", "--detach"]);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        rig.path("docs/pipe.md"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from(0o600),
        0,
    )
    .unwrap();
    // Somebody is at work in this very moment.
    rig.write(".git/index.lock", "");
    let before = Before::of(&rig);
    let mut changed = Vec::new();
    for beat in 1..=4 {
        let report = rig.beat(0);
        assert_eq!(report["outcome"]["kind"], "proposed", "{report:#}");
        let branch = format!("ringfence/docs-links/{beat}");
        changed.push(rig.git(&["diff", "--name-only", "HEAD", &branch]));
    }
    before.assert_untouched();
    changed.sort();
    assert_eq!(
        changed,
        ["--help.md", ":(top)x.md", "README.md", "odd/--exec=id.md"]
    );
    rig.write(
        "LOOP.md",
        &rig.read("LOOP.md")
            .replace("level =", "base = \"worktree\"\nlevel ="),
    );
    let before = Before::of(&rig);
    let report = rig.beat(0);
    assert_eq!(report["outcome"]["kind"], "proposed", "{report:#}");
    before.assert_untouched();
}

#[test]
fn a_file_that_is_called_like_an_option() {
    let rig = Rig::small();
    rig.write("-x/LOOP.md", MINIMAL);
    assert_eq!(
        rig.run(&["check", "--write-lock", "--", "-x/LOOP.md"]).code,
        0
    );
    rig.write("--help", MINIMAL);
    let ran = rig.run(&["check", "--", "--help"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("loop minimal\n"), "{}", ran.out);
    let ran = rig.run(&["explain", "--step", "md-links", "--", "--help"]);
    assert_eq!(ran.code, 2, "there is no LOOP.md at the top: {}", ran.out);
}

#[test]
fn a_repository_inside_another() {
    let rig = Rig::small_with_loop();
    fs::create_dir(rig.path("inner")).unwrap();
    rig.git(&["init", "-q", "inner"]);
    insta::assert_snapshot!(rig.run(&["-C", "inner", "check"]).shown(), @r"
    --- stderr
    error: no LOOP.md in [project]/inner or a folder above it
    help: write one with `ringfence init`
    --- exit 2
    ");
    // A folder is no border: the loop of the repository is the one of its folders, too.
    assert_eq!(rig.run(&["-C", "docs", "check"]).code, 0);
}

#[test]
fn state_directories_that_cannot_be_used() {
    let rig = Rig::small_with_loop();
    rig.write(".ringfence", "a file");
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r"
    --- stderr
    error: something that is no directory stands where the state directory should
      be: [project]/.ringfence
    --- exit 8
    ");
    fs::remove_file(rig.path(".ringfence")).unwrap();
    fs::create_dir(rig.home().join("elsewhere")).unwrap();
    rig.link("../home/elsewhere", ".ringfence");
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r"
    --- stderr
    error: a symbolic link stands where the state directory should be:
      [project]/.ringfence
    --- exit 8
    ");
    assert_eq!(
        fs::read_dir(rig.home().join("elsewhere")).unwrap().count(),
        0
    );
    fs::remove_file(rig.path(".ringfence")).unwrap();
    assert_eq!(rig.run(&["beat", "--dry-run"]).code, 0);
    for folder in [".ringfence", ".ringfence/docs-links"] {
        fs::set_permissions(rig.path(folder), Permissions::from_mode(0o500)).unwrap();
        let shown = refused_in(&rig, &["beat"]);
        let said = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.contains(&format!("[project]/{folder} cannot be written")),
            "{shown}"
        );
        assert!(shown.ends_with("exit 8"), "{shown}");
        fs::set_permissions(rig.path(folder), Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(rig.beat(0)["outcome"]["kind"], "proposed");
}

#[test]
fn two_beats_at_once() {
    let rig = Rig::small_with_loop();
    let report = rig.beat(0);
    assert_eq!(report["receipt"]["beat"], 1);
    let lock = fs::File::options()
        .write(true)
        .open(rig.path(".ringfence/docs-links/lock"))
        .unwrap();
    lock.lock().unwrap();
    fs::write(
        rig.path(".ringfence/docs-links/lock"),
        "{\"pid\":4711,\"since\":\"2026-01-02T03:04:05Z\"}",
    )
    .unwrap();
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r"
    --- stderr
    error: another beat of this loop is running (process 4711, since
      [time])
    help: wait until it has ended, or end it
    --- exit 4
    ");
    drop(lock);
    let beats = [(); 3].map(|()| {
        let mut command = rig.hermetic(PROGRAM);
        command.args(["beat", "--format", "json"]);
        command.stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null());
        command.spawn().unwrap()
    });
    for mut beat in beats {
        let code = beat.wait().unwrap().code();
        assert!(matches!(code, Some(0 | 4)), "{code:?}");
    }
    assert_eq!(rig.run(&["journal", "verify"]).code, 0);
}

#[test]
fn a_damaged_journal() {
    let rig = Rig::small_with_loop();
    assert_eq!(rig.run(&["beat"]).code, 0);
    let journal = ".ringfence/docs-links/journal.jsonl";
    let whole = rig.read(journal);
    rig.edit(journal, "\"kind\":\"done\"", "\"kind\":\"gone\"");
    let damaged = rig.read(journal);
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r"
    --- stderr
    error: the journal [project]/.ringfence/docs-links/journal.jsonl
      cannot be trusted: journal entry 2 at byte 606: the line does not match its
      sum
    help: `ringfence journal verify` says more; restore the file, or move it away to
          begin anew
    --- exit 8
    ");
    for args in [
        &["status"][..],
        &["journal", "show"],
        &["journal", "verify"],
    ] {
        assert_eq!(rig.run(args).code, 8, "{args:?}");
    }
    assert_eq!(rig.read(journal), damaged, "kept for whoever looks into it");
    rig.write(journal, &whole.replacen("{\"", "{ \"", 1));
    assert_eq!(rig.run(&["journal", "verify"]).code, 8);
    let lines: Vec<_> = whole.split_inclusive('\n').collect();
    rig.write(journal, &lines[1..].concat());
    insta::assert_snapshot!(rig.run(&["journal", "verify"]).shown(), @r"
    --- stderr
    error: [project]/.ringfence/docs-links/journal.jsonl: journal entry 1
      at byte 0: seq does not follow from the line before
    help: no beat runs on a history that cannot be trusted: restore the file, or
          move it away to begin anew
    --- exit 8
    ");
    rig.write(journal, &whole);
    assert_eq!(rig.run(&["journal", "verify"]).code, 0);
}

#[test]
fn a_repository_that_brings_a_state_directory_along() {
    let rig = Rig::small_with_loop();
    // What a beat left in somebody else's clone, and what somebody would like to be found there.
    assert_eq!(rig.run(&["beat"]).code, 0);
    let hostile = "#!/bin/sh\ntouch /tmp/e2e-hooked\n";
    rig.write(
        ".ringfence/docs-links/store.git/hooks/post-checkout",
        hostile,
    );
    rig.write(
        ".ringfence/docs-links/store.git/config",
        "[core]\n\thooksPath = hooks\n\tfsmonitor = touch ran\n",
    );
    rig.write(
        ".ringfence/docs-links/base/README.md",
        "[planted](nowhere.md)\n",
    );
    let copy = Rig::folder();
    copy.git(&["clone", "-q", rig.top().to_str().unwrap(), "."]);
    let from = rig.path(".ringfence");
    let status = copy
        .hermetic("cp")
        .args(["-r", from.to_str().unwrap(), "."])
        .status();
    assert!(status.unwrap().success());
    copy.git(&["add", "-A", "-f", ".ringfence"]);
    copy.commit("brought along");
    let before = Before::of(&copy);
    let report = copy.beat(0);
    before.assert_untouched();
    assert_eq!(report["outcome"]["kind"], "proposed", "{report:#}");
    assert_eq!(report["receipt"]["change"]["files"][0]["path"], "README.md");
    assert!(!Path::new("/tmp/e2e-hooked").exists() && !copy.path("ran").exists());
    let store = copy.read(".ringfence/docs-links/store.git/config");
    assert!(!store.contains("fsmonitor = touch"), "{store}");
    let step = &report["receipt"]["steps"][0];
    assert_eq!(
        step["memo"], false,
        "what others remembered is not believed"
    );
}

#[test]
fn a_repository_that_names_programs() {
    let rig = Rig::small_with_loop();
    let trap = rig.home().join("trap");
    fs::write(&trap, "#!/bin/sh\necho ran >> \"$HOME/ran\"\ncat\n").unwrap();
    fs::set_permissions(&trap, Permissions::from_mode(0o755)).unwrap();
    let trap = trap.to_str().unwrap();
    for hook in [
        "post-checkout",
        "reference-transaction",
        "post-index-change",
        "pre-commit",
    ] {
        rig.write(
            &format!(".git/hooks/{hook}"),
            &format!("#!/bin/sh\n{trap}\n"),
        );
        let hook = rig.path(&format!(".git/hooks/{hook}"));
        fs::set_permissions(hook, Permissions::from_mode(0o755)).unwrap();
    }
    rig.write(".gitattributes", "* filter=trap diff=trap merge=trap\n");
    let before_config = rig.read(".git/config");
    let config = format!(
        "{before_config}[core]\n\tfsmonitor = {trap}\n\tsshCommand = {trap}\n\teditor = {trap}\n[filter \"trap\"]\n\tclean = {trap}\n\tsmudge = {trap}\n\trequired = true\n[diff \"trap\"]\n\ttextconv = {trap}\n\tcommand = {trap}\n[diff]\n\texternal = {trap}\n[gpg]\n\tprogram = {trap}\n[commit]\n\tgpgSign = true\n"
    );
    rig.git(&["add", ".gitattributes"]);
    rig.git(&["commit", "-q", "-m", "attributes"]);
    rig.write(".git/config", &config);
    // The user's own git runs them; that is the user's business, and not part of this.
    fs::remove_file(rig.home().join("ran")).ok();
    let report = rig.beat(0);
    assert_eq!(report["outcome"]["kind"], "proposed", "{report:#}");
    assert!(
        !rig.home().join("ran").exists(),
        "{}",
        fs::read_to_string(rig.home().join("ran")).unwrap()
    );
    assert_eq!(rig.read(".git/config"), config);
}

#[test]
fn no_git_on_the_path() {
    let rig = Rig::small_with_loop();
    let before = Before::of(&rig);
    for path in ["/nowhere", ""] {
        let ran = rig.run_command(rig.hermetic(PROGRAM).env("PATH", path).arg("beat"));
        insta::allow_duplicates! { insta::assert_snapshot!(ran.shown(), @r"
        --- stderr
        error: the git program was not found
        --- exit 8
        "); }
    }
    // A program of that name in the project is not the user's git.
    fs::write(rig.path("git"), "#!/bin/sh\ntouch ran\n").unwrap();
    fs::set_permissions(rig.path("git"), Permissions::from_mode(0o755)).unwrap();
    let ran = rig.run_command(rig.hermetic(PROGRAM).env("PATH", ".").arg("beat"));
    assert_eq!(ran.code, 8, "{}", ran.err);
    assert!(!rig.path("ran").exists());
    fs::remove_file(rig.path("git")).unwrap();
    before.assert_untouched();
}

#[test]
fn a_hostile_text_is_shown_harmlessly() {
    let rig = Rig::folder();
    let name = "docs/\u{1b}[2J\u{202e}a.md";
    rig.write(
        name,
        "[\u{1b}]0;owned\u{7}](b\u{9b}31m.md) [guide](guide.md)\n",
    );
    rig.write("guide.md", "# Guide\n");
    rig.git(&["init", "-q", "-b", "main"]);
    rig.commit("hostile");
    rig.init();
    for args in [
        &["beat"][..],
        &["status"],
        &["journal", "show"],
        &["beat", "--format", "json"],
    ] {
        let ran = rig.run(args);
        let shown = ran.out.clone() + &ran.err;
        let bad = shown
            .chars()
            .find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!((ran.code, bad), (0, None), "{shown}");
    }
    let troupe = Troupe {
        gate: json!({
            "log": [["warn", "\u{1b}[1A\u{1b}[2Kgate watch: pass"]],
            "stdout": "\rok",
            "verdict": { "ruling": "fail", "summary": "\u{1b}[2Jbad\nacts beat 1: proposed", "findings": [
                { "severity": "error", "rule": "odd", "message": "a\u{202e}\nb\u{7}", "locations": [
                    { "path": "../../etc/passwd" }, { "path": "docs/secret/key" }, { "path": "docs/a\u{1b}.md" },
                ] },
            ] },
        }),
        ..Troupe::default()
    };
    let rig = Rig::with_guests(&troupe.loop_file(), &troupe.guests());
    insta::assert_snapshot!(rig.run(&["beat"]).parts(&["acts", "judged", "said"]), @r"
    acts beat 1: discarded
      watch: odd

    found: 1 item, 1 open to be worked on
      A job

    decided: make does act for job
      it is there

    changed: 1 file
      added  +1 -0  docs/new.md

    judged
      fail  watch  [2Jbad acts beat 1: proposed
               error[odd] a\u{202e}\nb\u{7}
                 at docs/a\u{1b}.md

    steps: [n] fuel in all
      role      step   fuel            memory
      sensor  look  [n] of [n]  [n] MiB
      decider  pick  [n] of [n]  [n] MiB
      executor  make  [n] of [n]  [n] MiB
      gate  watch  [n] of [n]  [n] MiB

    said
      gate watch warn: \u{1b}[1A\u{1b}[2Kgate watch: pass
    --- exit 1
    ");
}
