//! `drill` on real loops: a whole one, and some whose guards are blind.

use super::rig::Rig;
use crate::exit::Exit;

/// A loop whose file says `to` where that of `init` says `from`.
fn other(from: &str, to: &str) -> Rig {
    let rig = Rig::with_loop();
    rig.edit("LOOP.md", from, to);
    rig.commit();
    rig
}

/// What one drill says, and how it ends.
#[track_caller]
fn check(rig: &Rig, only: &str, exit: Exit, says: &[&str]) {
    let ran = rig.run(&["drill", "--only", only]);
    assert_eq!(ran.exit, exit, "{}{}", ran.out, ran.err);
    let words: Vec<_> = ran.out.split_whitespace().collect();
    let out = words.join(" ");
    for line in says {
        assert!(out.contains(line), "{line}: {}", ran.out);
    }
}

#[test]
fn a_whole_loop() {
    let rig = Rig::with_loop();
    insta::assert_snapshot!(rig.run(&["drill"]).shown(), @"
    drills of docs-links
      guard                          caught  passes  seen
      denied-path:md-link-fix        yes     yes     refused at all 20 denied
                                                     patterns, and nothing changed
                                                     there
      write-grant:md-link-fix        yes     yes     ringfence-drill/outside.bin
                                                     could not be made
      scope:md-link-fix              yes     yes     ringfence-drill/outside.bin may
                                                     not be changed: not in the
                                                     loop's list
      clean:md-link-fix              -       yes     ringfence-drill.md
      clean:md-links                 -       yes     2 items seen in the base
      size:diff-size/max_files       yes     -       max_files = 5: one more is
                                                     refused
      size:diff-size/max_lines       yes     -       max_lines = 200: one more is
                                                     refused
      size:diff-size/max_file_bytes  yes     -       max_file_bytes = 1048576: one
                                                     more is refused
      size:diff-size                 -       yes     pass: 1 file, +3 −0 lines,
                                                     largest file 32 bytes
      links:md-links                 yes     yes     ringfence-drill.md: fail:
                                                     missing-file
      paths:paths                    yes     yes     ringfence-drill/outside.bin:
                                                     fail: path-not-allowed
      broken-gate                    -       yes     with all gates whole,
                                                     ringfence-drill.md passes
      broken-gate:md-links           yes     -       no: unusable configuration:
                                                     invalid type: st… [36 more
                                                     characters]
      broken-gate:diff-size          yes     -       no: unusable configuration:
                                                     invalid type: st… [36 more
                                                     characters]
      broken-gate:paths              yes     -       no: unusable configuration:
                                                     invalid type: st… [36 more
                                                     characters]
      memo:md-links                  yes     yes     an answer that somebody altered
                                                     was not believed
      runaway:md-links/fuel          yes     yes     out-of-fuel: out of fuel: used
                                                     10000000000 of 10000000000
      runaway:md-links/deadline      yes     -       deadline: deadline of 200ms
                                                     passed
      runaway:md-links/memory        yes     -       memory: out of memory: asked
                                                     for [n] MiB of 64MiB
      budget:fuel_per_day            yes     -       used up: no beat before the day
                                                     ends
      budget:beats_per_day           yes     -       used up: no beat before the day
                                                     ends
      budget:fuel_per_beat           yes     -       used up: no call any more
      budget                         -       yes     a new day allows a beat
      escalation                     yes     yes     a change at any of 2 globs is a
                                                     person's

    passed: all of 36 drills
    --- exit 0
    ");
    assert_eq!(rig.git(&["status", "--porcelain"]), "");
    let json = rig.run(&["journal", "show", "--format", "json"]).json();
    let results = json[0]["body"]["results"].as_array().unwrap();
    assert!(results.len() > 30 && results.iter().all(|one| one["passed"] == true));
}

#[test]
fn one_alone_is_not_written_down() {
    let rig = Rig::with_loop();
    check(
        &rig,
        "budget",
        Exit::Done,
        &["passed: all of 4 drills; one alone is not written down"],
    );
    assert!(
        rig.run(&["journal", "show"])
            .out
            .starts_with("no beat has run yet")
    );
    let ran = rig.run(&["drill", "--only", "nothing"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.contains("there is no drill nothing"));
    let json = rig
        .run(&["drill", "--only", "budget", "--format", "json"])
        .json();
    assert_eq!(
        (&json["passed"], &json["recorded"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn a_gate_that_ignores_everything_is_blind() {
    let gate = "[[gate]]\nplugin = \"std:md-links\"\n";
    let blind = format!("{gate}config = {{ ignore = [\"**\"] }}\n");
    let rig = other(gate, &blind);
    check(
        &rig,
        "links",
        Exit::Refused,
        &["links:md-links NO yes a broken link in"],
    );
    let rig = other(gate, "");
    check(
        &rig,
        "links",
        Exit::Refused,
        &["no guard for this links: no gate of this loop looks at links"],
    );
}

#[test]
fn a_limit_that_nothing_reaches_is_none() {
    let blind = other("max_lines = 200", "max_lines = 1000000000");
    let says = [
        "size:diff-size/max_files yes",
        "size:diff-size/max_lines NO - max_lines = 1000000000 holds no change",
        "size:diff-size/max_file_bytes yes",
    ];
    check(&blind, "size", Exit::Refused, &says);
    let gate =
        "[[gate]]\nplugin = \"std:diff-size\"\nconfig = { max_files = 5, max_lines = 200 }\n";
    check(
        &other(gate, ""),
        "size",
        Exit::Done,
        &["size:paths yes yes 2000 files: fail: too-many-files"],
    );
    let rig = other(gate, "");
    rig.edit(
        "LOOP.md",
        "[\"**/*.md\"] }",
        "[\"**/*.md\"], max_files = 100000 }",
    );
    check(
        &rig,
        "size",
        Exit::Refused,
        &["no guard for this size: no gate minds 2000 new files"],
    );
}

#[test]
fn a_gate_of_paths_that_allows_everything_guards_nothing() {
    let rig = other(
        "config = { allow = [\"**/*.md\"] }",
        "config = { allow_symlinks = true }",
    );
    check(
        &rig,
        "paths",
        Exit::Refused,
        &["no guard for this paths:paths: it is told to let every"],
    );
    let rig = other("allow = [\"**/*.md\"]", "deny = [\"docs/legal/**\"]");
    let says = ["paths:paths yes yes docs/legal/ringfence-drill: fail: denied-path"];
    check(&rig, "paths", Exit::Done, &says);
}

#[test]
fn an_executor_that_may_write_nothing_has_no_clean_case() {
    let rig = other("write = [\"**/*.md\"]", "write = [\"nothing/*.bin\"]");
    check(
        &rig,
        "clean",
        Exit::Refused,
        &["clean:md-link-fix - NO no change could be seeded"],
    );
    let says = [
        "denied-path:md-link-fix NO",
        "nothing was found that it may write",
    ];
    check(&rig, "denied-path", Exit::Refused, &says[1..]);
}
