//! What a change does so that a gate overlooks it: many findings that are excused, links, what the gate may not read.
//!
//! **Invariant:** what a gate does not see is never taken for fine: the run ends with another code than 0.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::rig::{Ran, Rig};

/// A repository with these gates, and these files, committed.
fn rig(gates: &str, files: &[(&str, &str)]) -> Rig {
    let rig = Rig::folder();
    rig.git(&["init", "-q", "-b", "main"]);
    rig.write("ringfence-gates.toml", gates);
    for (path, text) in files {
        rig.write(path, text);
    }
    let locked = rig.run(&["gate", "check", "--write-lock"]);
    assert_eq!(locked.code, 0, "{}", locked.err);
    commit(&rig);
    rig
}

fn commit(rig: &Rig) {
    rig.git(&["add", "-A"]);
    rig.git(&["commit", "-q", "--no-verify", "-m", "a beginning"]);
}

fn judged(rig: &Rig) -> (Ran, Value) {
    let ran = rig.run(&["gate", "--format", "json"]);
    let report = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    (ran, report)
}

/// Lines with as many credentials, each with a comment that allows it; drawn by a fixed rule, and random to look at.
fn allowed_lines(count: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = 7_usize;
    let mut lines = String::new();
    for _ in 0..count {
        let drawn = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(LETTERS[(state >> 33) % LETTERS.len()])
        });
        let drawn: String = drawn.take(32).collect();
        let why = "ringfence:allow credential: a sample";
        writeln!(lines, "api_key = \"{drawn}\" # {why}").unwrap();
    }
    lines
}

#[test]
fn a_key_behind_many_allowed_findings_is_refused() {
    let gates = "[[gate]]\nplugin = \"std:secrets\"\n[[allow]]\nrules = [\"credential\"]\npaths = [\"tests/**\"]\n";
    let rig = rig(gates, &[]);
    rig.write("tests/a.txt", &allowed_lines(205));
    let (ran, report) = judged(&rig);
    assert_eq!(
        (ran.code, &report["gates"][0]["standing"]),
        (0, &Value::from("excused"))
    );
    let key = format!("AKIA{}", "Z3MHK5QW7BNJ2XTC");
    rig.write("z.txt", &format!("{key}\n"));
    let (ran, report) = judged(&rig);
    assert_eq!(ran.code, 1, "{}", report["gates"][0]["summary"]);
    assert!(ran.out.contains("aws-access-key"));
    // More than are ever shown: nothing excuses what is left out.
    rig.write("tests/a.txt", &allowed_lines(1_100));
    fs::remove_file(rig.path("z.txt")).unwrap();
    let (ran, _) = judged(&rig);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("too-many-findings"));
}

#[test]
fn no_name_in_a_tree_reaches_the_state_directory() {
    let rig = rig(
        "[[gate]]\nplugin = \"std:secrets\"\n",
        &[("a.txt", "plain\n")],
    );
    // Where a folder without git has its state: git would write these into a working tree, over what is ignored there.
    let places = [
        ".ringfence/gates.d/identity",
        ".ringfence/gates.d/store.git/commondir",
    ];
    for place in places {
        rig.write(place, &allowed_lines(1));
        rig.git(&["add", "-f", place]);
        let (ran, report) = judged(&rig);
        assert_eq!(ran.code, 1, "{place}: {}", ran.out);
        assert_eq!(
            report["gates"][0]["remarks"][0]["locations"][0]["path"],
            place
        );
        rig.git(&["rm", "-q", "-f", place]);
    }
    assert!(!rig.path(".ringfence").exists());
    assert!(rig.path(".git/ringfence-state/gates.d/identity").exists());
}

#[test]
fn there_is_no_verdict_on_a_link_to_what_is_denied() {
    let gates =
        "[paths]\nread = [\"**\"]\ndeny = [\"vendor/**\"]\n[[gate]]\nplugin = \"std:md-links\"\n";
    let rig = rig(
        gates,
        &[("a.md", "[a](vendor/a.md)\n"), ("vendor/a.md", "# A\n")],
    );
    rig.write("a.md", "[a](vendor/a.md)\n\nMore.\n");
    assert_eq!(judged(&rig).0.code, 0);
    for (path, text) in [
        ("a.md", "[a](vendor/a.md) [b](vendor/nope.md)\n"),
        ("vendor/a.md", "# A, see [b](nope.md)\n"),
    ] {
        let before = fs::read_to_string(rig.path(path)).unwrap();
        rig.write(path, text);
        let (ran, report) = judged(&rig);
        assert_eq!(report["outcome"], "broken", "{path}: {}", ran.out);
        rig.write(path, &before);
    }
}

#[test]
fn a_lock_that_is_a_link_is_refused() {
    let manifest = "[package]\nname = \"a\"\nversion = \"0.1.0\"\n";
    let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"0.1.0\"\n";
    let rig = rig(
        "[paths]\nread = [\"**\"]\ndeny = [\"vendor/**\"]\n[[gate]]\nplugin = \"std:lockfile\"\n",
        &[("Cargo.toml", manifest), ("real.lock", lock)],
    );
    // What it must not look at is none of its business while no lock differs there.
    rig.write("vendor/a.txt", "a\n");
    assert_eq!(judged(&rig).0.code, 0);
    symlink("real.lock", rig.path("Cargo.lock")).unwrap();
    commit(&rig);
    rig.write("real.lock", &lock.replace("0.1.0", "0.2.0"));
    let (ran, _) = judged(&rig);
    assert!(
        ran.code == 1 && ran.out.contains("is a link"),
        "{}",
        ran.out
    );
}

#[test]
fn a_file_that_became_a_link_is_still_covered_by_its_schema() {
    let rule = "{ files = [\"data/*.json\"], schema = \"s.json\" }";
    let rig = rig(
        &format!("[[gate]]\nplugin = \"std:schema\"\nconfig = {{ rules = [{rule}] }}\n"),
        &[
            ("s.json", "{ \"type\": \"object\" }"),
            ("data/a.json", "{}"),
            ("real.json", "1"),
        ],
    );
    fs::remove_file(rig.path("data/a.json")).unwrap();
    symlink("../real.json", rig.path("data/a.json")).unwrap();
    let (ran, _) = judged(&rig);
    assert!(
        ran.code == 1 && ran.out.contains("is a link"),
        "{}",
        ran.out
    );
}

#[test]
fn a_repository_without_owners_can_be_taken_as_it_is() {
    let rig = rig(
        "[[gate]]\nplugin = \"std:codeowners\"\n",
        &[("a.md", "# A\n")],
    );
    let ran = rig.run(&["gate", "--all"]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    rig.write("CODEOWNERS", "* @a\n");
    commit(&rig);
    let ran = rig.run(&["gate", "baseline", "--all"]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
}
