//! Loop files and plugins that are wrong.
//!
//! **Invariant:** all problems of a loop file are told at once, each in its place.

use std::fs;

use super::{MINIMAL, refused_in};
use crate::loop_files::Troupe;
use crate::rig::{Rig, guest};

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
    insta::assert_snapshot!(refused(&minimal("+++\nloop", "+++\nbase = \"disk\"\nnetwork = 1\nloop")), @r#"
    --- stderr
    error[bad-value]: `base` is "head" or "worktree", not "disk"
     --> LOOP.md:2:8
      |
    2 | base = "disk"
      |        ^^^^^^ unknown word

    error[not-supported]: `network` is not supported by this version
     --> LOOP.md:3:1
      |
    3 | network = 1
      | ^^^^^^^ not yet
    help: no step has network access

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
    insta::assert_snapshot!(refused(&minimal("[decider]", "[decider]\nlimits = { fuel = \"0\", memory = \"8GiB\", deadline = \"2 years\" }")), @r#"
    --- stderr
    error[bad-amount]: "0" is not an amount of fuel above zero, such as "[n]"
     --> LOOP.md:7:19
      |
    7 | limits = { fuel = "0", memory = "8GiB", deadline = "2 years" }
      |                   ^^^ not an amount of fuel
    help: write `fuel = "2G"`

    error[over-limit]: `memory` is 8GiB, and the most is 4GiB
     --> LOOP.md:7:33
      |
    7 | limits = { fuel = "0", memory = "8GiB", deadline = "2 years" }
      |                                 ^^^^^^ too much

    error[bad-amount]: "2 years" is not a duration above zero, such as "10s"
     --> LOOP.md:7:52
      |
    7 | limits = { fuel = "0", memory = "8GiB", deadline = "2 years" }
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
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r"
    --- stderr
    error: [project]/LOOP.md cannot be read: it is not UTF-8
    --- exit 2
    ");
    fs::remove_file(rig.path("LOOP.md")).unwrap();
    fs::create_dir(rig.path("LOOP.md")).unwrap();
    insta::assert_snapshot!(refused_in(&rig, &["beat"]), @r"
    --- stderr
    error: no LOOP.md in [project] or a folder above it
    help: write one with `ringfence init`
    --- exit 2
    ");
    insta::assert_snapshot!(refused_in(&rig, &["beat", "LOOP.md"]), @r"
    --- stderr
    error: [project]/LOOP.md cannot be read: it is no regular file
    --- exit 2
    ");
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
    help: `ringfence plugin list` shows those inside this program

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
    help: build it, or correct the path, which begins at the top of the project

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
    help: if you changed or updated it yourself: `ringfence check --write-lock
          --accept "./puppet.wasm"`
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
