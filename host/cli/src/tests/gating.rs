//! `gate`: changes of all kinds, judged without a loop.

use serde_json::Value;

use super::rig::Rig;
use crate::exit::Exit;

pub(super) const LINKS: &str = "[[gate]]\nplugin = \"std:md-links\"\n";
pub(super) const SIZE: &str = "[[gate]]\nplugin = \"std:diff-size\"\nconfig = { max_lines = 3 }\n";
pub(super) const SECRETS: &str = "[[gate]]\nplugin = \"std:secrets\"\n";
pub(super) const TOKEN: &str = "ghp_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1w2";

/// A repository whose links are whole, with a gates file; pinned and committed on `main`.
pub(super) fn rig(gates: &str) -> Rig {
    let rig = Rig::folder();
    rig.write("README.md", "# Hello\n\nSee the [guide](docs/guide.md).\n");
    rig.write("docs/guide.md", "# Guide\n");
    rig.write("src/lib.rs", "fn main() {}\n");
    rig.write("ringfence-gates.toml", gates);
    rig.git(&["init", "-q", "-b", "main"]);
    rig.commit();
    let ran = rig.run(&["gate", "check", "--write-lock"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    rig.commit();
    rig
}

/// Runs gates; the exit and the report.
pub(super) fn gate(rig: &Rig, args: &[&str]) -> (Exit, Value) {
    let args = [&["gate", "--format", "json"], args].concat();
    let ran = rig.run(&args);
    // A plugin that was never compiled on this machine takes its time.
    let told = |line: &str| line.contains(" s: ");
    assert!(ran.err.lines().all(told), "{args:?}: {}", ran.err);
    (ran.exit, serde_json::from_str(&ran.out).unwrap())
}

/// Where each gate stands, in one line.
pub(super) fn standings(report: &Value) -> String {
    let gates = report["gates"].as_array().unwrap().iter();
    let of = |gate: &Value| {
        let (id, standing) = (gate["gate"].as_str(), gate["standing"].as_str());
        format!("{} {}", id.unwrap(), standing.unwrap())
    };
    gates.map(of).collect::<Vec<_>>().join(", ")
}

pub(super) fn judged(rig: &Rig, args: &[&str]) -> (u8, String) {
    let (exit, report) = gate(rig, args);
    (exit.code(), standings(&report))
}

pub(super) fn refused(rig: &Rig, args: &[&str]) -> (u8, String) {
    let ran = rig.run(&[&["gate"], args].concat());
    assert_eq!(ran.out, "");
    (ran.exit.code(), ran.err)
}

#[test]
fn what_is_not_committed_is_judged() {
    let rig = rig(LINKS);
    let (exit, report) = gate(&rig, &[]);
    assert_eq!(
        (exit, report["outcome"].as_str()),
        (Exit::Done, Some("unjudged"))
    );
    assert_eq!(gate(&rig, &["--require-some"]).0, Exit::Refused);
    rig.write("docs/new.md", "# New, see [it](../README.md).\n");
    assert_eq!(judged(&rig, &[]), (0, "md-links passed".to_owned()));
    rig.write("docs/new.md", "# New, see [it](nowhere.md).\n");
    assert_eq!(judged(&rig, &[]), (1, "md-links failed".to_owned()));
    assert_eq!(judged(&rig, &["--worktree"]).0, 1);
    // Nothing of it is staged or committed.
    assert_eq!(judged(&rig, &["--staged"]), (0, String::new()));
    assert_eq!(judged(&rig, &["--base", "main"]), (0, String::new()));
    rig.git(&["add", "-A"]);
    let index = std::fs::read(rig.top().join(".git/index")).unwrap();
    assert_eq!(judged(&rig, &["--staged"]).0, 1);
    rig.write("docs/new.md", "# New.\n");
    assert_eq!(judged(&rig, &["--staged"]).0, 1);
    assert_eq!(judged(&rig, &[]).0, 0);
    assert_eq!(std::fs::read(rig.top().join(".git/index")).unwrap(), index);
}

#[test]
fn a_branch_is_judged_from_where_it_left() {
    let rig = rig(&format!("{LINKS}{SIZE}"));
    rig.git(&["checkout", "-q", "-b", "topic"]);
    rig.write("docs/new.md", "# New\n");
    rig.commit();
    rig.git(&["checkout", "-q", "main"]);
    rig.write(
        "src/lib.rs",
        "fn main() {\n    // one\n    // two\n    // three\n}\n",
    );
    rig.commit();
    let (exit, report) = gate(&rig, &["--base", "main", "--head", "topic"]);
    assert_eq!(exit, Exit::Done);
    assert_eq!(report["change"]["files"], 1);
    assert_eq!(report["change"]["commits"], 1);
    assert_eq!(report["base"]["name"], "main");
    let direct = gate(&rig, &["--base", "main", "--head", "topic", "--direct"]);
    assert_eq!(
        (direct.0, &direct.1["change"]["files"]),
        (Exit::Refused, &2.into())
    );
    // With a base alone it is HEAD that is judged.
    rig.git(&["checkout", "-q", "topic"]);
    assert_eq!(
        gate(&rig, &["--base", "main"]).1["change"],
        report["change"]
    );
    let tree = rig.git(&["rev-parse", "main^{tree}"]);
    let (code, said) = refused(&rig, &["--base", &tree, "--head", "topic"]);
    assert!(
        code == 2 && said.contains("is a tree") && said.contains("--direct"),
        "{said}"
    );
    assert_eq!(gate(&rig, &["--base", &tree, "--direct"]).0, Exit::Refused);
    assert_eq!(refused(&rig, &["--head", "topic"]).0, 2);
}

#[test]
fn a_patch_is_judged_without_being_applied() {
    let rig = rig(LINKS);
    rig.write("docs/guide.md", "# Guide to [nothing](gone.md)\n");
    rig.write("p.diff", &(rig.git(&["diff"]) + "\n"));
    rig.git(&["checkout", "-q", "docs/guide.md"]);
    assert_eq!(judged(&rig, &["--patch", "p.diff"]).0, 1);
    assert_eq!(rig.read("docs/guide.md"), "# Guide\n");
    for (patch, what) in [
        ("nothing of the kind", "cannot be applied"),
        (
            "--- a/docs/guide.md\n+++ b/docs/guide.md\n@@ -1 +1 @@\n-other\n+x\n",
            "cannot be applied",
        ),
        (
            "--- /dev/null\n+++ b/../out.md\n@@ -0,0 +1 @@\n+x\n",
            "cannot be applied",
        ),
        (
            "--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+x\n",
            "cannot be applied",
        ),
    ] {
        rig.write("p.diff", patch);
        let (code, said) = refused(&rig, &["--patch", "p.diff"]);
        assert!(code == 2 && said.contains(what), "{patch}: {said}");
    }
    assert_eq!(refused(&rig, &["--patch", "none.diff"]).0, 2);
    rig.write("p.diff", "");
    assert_eq!(judged(&rig, &["--patch", "p.diff"]).0, 0, "nothing differs");
    // Without prefixes, git would take a folder for one.
    rig.write("docs/guide.md", "# Guide to [nothing](gone.md)\n");
    for args in [
        &["diff", "--no-prefix"][..],
        &["diff", "--src-prefix=docs/", "--dst-prefix=docs/"],
    ] {
        rig.write("p.diff", &(rig.git(args) + "\n"));
        let (code, said) = refused(&rig, &["--patch", "p.diff"]);
        assert!(code == 2 && said.contains("without a/ or b/"), "{said}");
    }
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let rig = rig(LINKS);
    let (code, said) = refused(&rig, &["--base", "nowhere"]);
    assert!(
        code == 2 && said.contains("\"nowhere\" is not known") && said.contains("git fetch"),
        "{said}"
    );
    for odd in ["--upload-pack=x", "-x", "a b", "HEAD^{/x}", ":/x"] {
        assert_eq!(refused(&rig, &[&format!("--base={odd}")]).0, 2, "{odd}");
    }
    rig.git(&["checkout", "-q", "--orphan", "alone"]);
    rig.commit();
    let (code, said) = refused(&rig, &["--base", "main"]);
    assert!(
        code == 2 && said.contains("no commit in common") && said.contains("--direct"),
        "{said}"
    );
    rig.git(&["checkout", "-q", "main"]);
    for text in ["one", "two", "three"] {
        rig.write("src/lib.rs", text);
        rig.commit();
    }
    let url = format!("file://{}", rig.top().display());
    rig.git(&["clone", "-q", "--depth", "1", &url, "shallow"]);
    let shallow = rig.top().join("shallow");
    for base in ["HEAD~2", "origin/alone"] {
        let ran = rig.run_in(&shallow, &["gate", "--base", base]);
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.contains("lacks a part of the history") && said.contains("--unshallow"),
            "{said}"
        );
    }
    let ran = rig.run_in(&shallow, &["gate", "--base", "nosuch"]);
    assert!(
        ran.err.contains("\"nosuch\" is not known") && !ran.err.contains("shallow"),
        "{}",
        ran.err
    );
    assert_eq!(refused(&rig, &["--only", "other"]).0, 2);
    assert_eq!(refused(&rig, &["--config", "none.toml"]).0, 2);
    let (code, said) = refused(&rig, &["--config", "/etc/hostname"]);
    assert!(code == 2 && said.contains("below that folder"), "{said}");
    let (code, said) = refused(&rig, &["--baseline", "none.json"]);
    assert!(code == 2 && said.contains("gate baseline"), "{said}");
    let folder = Rig::folder();
    let (code, said) = refused(&folder, &[]);
    assert!(
        code == 2 && said.contains("no git repository") && said.contains("git init"),
        "{said}"
    );
    folder.git(&["init", "-q"]);
    let (code, said) = refused(&folder, &[]);
    assert!(code == 2 && said.contains("gate init"), "{said}");
    folder.write("x", "");
    folder.commit();
    folder.write("ringfence-gates.toml", LINKS);
    let (code, said) = refused(&folder, &["--rules-from", "HEAD"]);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        code == 2
            && said.contains("no LOOP.md in HEAD")
            && said.contains("merge a gates file there first"),
        "{said}"
    );
    folder.commit();
    let (code, said) = refused(&folder, &[]);
    assert!(code == 2 && said.contains("--write-lock"), "{said}");
}

#[test]
fn a_gate_without_a_verdict_is_no_pass() {
    for (gates, code, class) in [
        (
            "[[gate]]\nplugin = \"std:md-links\"\nlimits = { fuel = \"1k\" }\n",
            5,
            "out-of-fuel",
        ),
        (
            "[[gate]]\nplugin = \"std:md-links\"\nlimits = { memory = \"64KiB\" }\n",
            5,
            "memory",
        ),
        (
            "[[gate]]\nplugin = \"std:paths\"\nconfig = { deny = [\"[\"] }\n",
            2,
            "config",
        ),
    ] {
        let rig = rig(&format!("{gates}{SECRETS}"));
        rig.write("docs/new.md", "# New\n");
        let (exit, report) = gate(&rig, &[]);
        assert_eq!(
            (exit.code(), report["outcome"].as_str()),
            (code, Some("broken")),
            "{report}"
        );
        assert_eq!(report["gates"][0]["failure"]["class"], class);
        let ran = rig.run(&["gate", "baseline"]);
        assert_eq!(ran.exit.code(), code, "{}", ran.err);
        assert!(!rig.top().join("ringfence-baseline.json").exists());
    }
}

#[test]
fn only_new_findings_fail() {
    let rig = rig(&format!("{LINKS}{SIZE}"));
    rig.write("docs/old.md", "# Old\n\n[a](a.md)\n");
    assert_eq!(rig.run(&["gate", "baseline"]).exit, Exit::Done);
    let with = ["--baseline", "ringfence-baseline.json"];
    let (exit, report) = gate(&rig, &with);
    // The baseline itself is a part of the change, and too large.
    assert_eq!(
        (exit, standings(&report)),
        (
            Exit::Refused,
            "md-links excused, diff-size failed".to_owned()
        )
    );
    rig.git(&["add", "ringfence-baseline.json"]);
    rig.git(&["commit", "-qm", "known"]);
    assert_eq!(
        judged(&rig, &with),
        (0, "md-links excused, diff-size passed".to_owned())
    );
    assert_eq!(judged(&rig, &[]).0, 1);
    // Lines may move, and other links are new.
    rig.write("docs/old.md", "# Old\n\n\n[a](a.md)\n");
    assert_eq!(judged(&rig, &with).0, 1, "four lines");
    let only = [&with[..], &["--only", "md-links"]].concat();
    assert_eq!(judged(&rig, &only), (0, "md-links excused".to_owned()));
    rig.write("docs/old.md", "# Old\n\n[a](a.md)\n[a](a.md)\n");
    assert_eq!(judged(&rig, &only).0, 1);
    rig.write("docs/old.md", "# Old\n\n[b](b.md)\n");
    assert_eq!(judged(&rig, &only).0, 1);
    // What a gate says of the change as a whole is never known.
    rig.write("src/lib.rs", "1\n2\n3\n4\n5\n");
    let ran = rig.run(&["gate", "baseline", "--only", "diff-size"]);
    assert!(ran.err.contains("as a whole"), "{}", ran.err);
    assert_eq!(
        judged(&rig, &[&with[..], &["--only", "diff-size"]].concat()).0,
        1
    );
    rig.write("ringfence-baseline.json", "{}");
    assert_eq!(refused(&rig, &with).0, 2);
}

#[test]
fn what_is_said_of_a_file_is_known_while_the_file_stays() {
    let deny = "[[gate]]\nplugin = \"std:paths\"\nconfig = { deny = [\"infra/**\"] }\n";
    let rig = rig(&format!(
        "[verdict]\nbaseline = \"known.json\"\n{deny}{SECRETS}"
    ));
    rig.write("infra/a.tf", "one\n");
    let long = "x".repeat(1 << 20);
    rig.write("long.txt", &format!("t = \"{TOKEN}\"\n{long}\n"));
    let latin: &[u8] = b"caf\xe9 t = \"ghp_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1w2\"\n";
    std::fs::write(rig.top().join("latin.txt"), latin).unwrap();
    rig.commit();
    let ran = rig.run(&["gate", "baseline", "--all"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    rig.commit();
    let (exit, report) = gate(&rig, &["--all"]);
    assert_eq!(exit, Exit::Done, "{report}");
    assert_eq!(standings(&report), "paths excused, secrets excused");
    // A change of the very same files is another matter.
    rig.write("infra/a.tf", "two\n");
    assert_eq!(judged(&rig, &["--only", "paths"]).0, 1);
    rig.git(&["checkout", "-q", "infra"]);
    rig.git(&["update-index", "--chmod=+x", "infra/a.tf"]);
    assert_eq!(judged(&rig, &["--staged", "--only", "paths"]).0, 1);
    rig.git(&["reset", "-q", "--hard"]);
    std::fs::remove_file(rig.top().join("infra/a.tf")).unwrap();
    assert_eq!(judged(&rig, &["--only", "paths"]).0, 1);
    rig.git(&["reset", "-q", "--hard"]);
    let other = TOKEN.replace('w', "k");
    rig.write("long.txt", &format!("t = \"{other}\"\n{long}\n"));
    assert_eq!(judged(&rig, &["--only", "secrets"]).0, 1);
    rig.git(&["reset", "-q", "--hard"]);
    let latin = [b"caf\xe9 t = \"".as_slice(), other.as_bytes(), b"\"\n"].concat();
    std::fs::write(rig.top().join("latin.txt"), latin).unwrap();
    assert_eq!(judged(&rig, &["--only", "secrets"]).0, 1);
}

#[test]
fn what_is_known_is_not_forgotten_by_the_way() {
    let rig = rig(&format!("[fuel]\nregression = \"5%\"\n{LINKS}{SECRETS}"));
    rig.write("docs/old.md", &format!("[a](a.md)\n\n`{TOKEN}`\n"));
    let write = |args: &[&str]| {
        let ran = rig.run(&[&["gate", "baseline"], args].concat());
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        let known = serde_json::from_str(&rig.read("ringfence-baseline.json"));
        let known: Value = known.unwrap();
        let known = known["findings"].as_array().unwrap().clone();
        (ran.exit.code(), format!("{said} {known:?}"), known.len())
    };
    let (code, said, known) = write(&[]);
    assert!(
        code == 0 && known == 2 && said.contains("2 known findings"),
        "{said}"
    );
    rig.commit();
    // Nothing of it is in this change.
    let (code, said, known) = write(&[]);
    assert!(
        (code, known) == (2, 2) && said.contains("2 known findings would be forgotten"),
        "{said}"
    );
    assert!(said.contains("--prune") && said.contains("--all"), "{said}");
    let (code, said, known) = write(&["--all", "--only", "md-links"]);
    assert_eq!((code, known), (0, 2), "{said}");
    rig.write("docs/old.md", &format!("`{TOKEN}`\n"));
    rig.commit();
    let (code, said, known) = write(&["--all"]);
    assert!(
        (code, known) == (0, 1)
            && said.contains("1 known finding 1 finding of before is forgotten"),
        "{said}"
    );
    rig.commit();
    let (code, said, known) = write(&["--prune"]);
    assert!(
        (code, known) == (0, 0) && said.contains("--all takes"),
        "{said}"
    );
    let old = r#"{"version": 1, "findings": []}"#;
    rig.write("ringfence-baseline.json", old);
    for args in [
        &["baseline"][..],
        &["--baseline", "ringfence-baseline.json"],
    ] {
        let ran = rig.run(&[&["gate"], args].concat());
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = said.contains("of version 1") && said.contains("write it anew with");
        assert!(ran.exit == Exit::Usage && told, "{said}");
    }
    assert_eq!(rig.read("ringfence-baseline.json"), old);
    rig.write("ringfence-baseline.json", "{");
    assert_eq!(rig.run(&["gate", "baseline"]).exit, Exit::Usage);
    assert_eq!(rig.read("ringfence-baseline.json"), "{");
}

#[test]
fn what_is_known_of_files_as_they_are_is_not_forgotten_for_head() {
    let rig = rig(LINKS);
    rig.write("docs/new.md", "[a](a.md)\n");
    rig.run_ok(&["gate", "baseline"]);
    let ran = rig.run(&["gate", "baseline", "--all"]);
    let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        ran.exit == Exit::Usage
            && said.contains("1 known finding would be forgotten in files that are not as they")
            && said.contains("--all --worktree"),
        "{said}"
    );
    rig.run_ok(&["gate", "baseline", "--all", "--worktree"]);
    assert!(rig.read("ringfence-baseline.json").contains("docs/new.md"));
    rig.run_ok(&["gate", "baseline", "--all", "--prune"]);
    assert!(!rig.read("ringfence-baseline.json").contains("docs/new.md"));
    rig.run_ok(&["gate", "baseline"]);
    rig.commit();
    rig.run_ok(&["gate", "baseline", "--all"]);
    assert!(rig.read("ringfence-baseline.json").contains("docs/new.md"));
}

#[test]
fn what_was_cut_becomes_no_baseline() {
    let rig = rig("[[gate]]\nplugin = \"std:injection\"\n");
    rig.write("docs/old.md", &"turned \u{202e} round\n".repeat(1_100));
    let ran = rig.run(&["gate", "baseline"]);
    assert!(
        ran.exit == Exit::Usage && ran.err.contains("more than a report holds"),
        "{}",
        ran.err
    );
    assert!(!rig.top().join("ringfence-baseline.json").exists());
}

#[test]
fn the_last_line_says_why() {
    let rig = rig(&format!("{LINKS}{SIZE}{SECRETS}"));
    let last = |args: &[&str]| {
        let ran = rig.run(&[&["gate"], args].concat());
        let text = ran.out.rsplit("\n\n").next().unwrap_or_default();
        text.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(last(&[]), "unjudged: nothing differs");
    assert_eq!(
        last(&["--require-some"]),
        "failed: nothing differs; none passed it, and one must"
    );
    rig.write("docs/new.md", "# New\n");
    assert_eq!(
        last(&["--only", "diff-size"]),
        "passed: 1 passed, of 1 gate, 2 not asked"
    );
    rig.write(
        "ringfence-gates.toml",
        &format!("{LINKS}{SIZE}{SECRETS}#\n"),
    );
    assert_eq!(
        last(&["--fail-on", "warning"]),
        "failed: `scope` refused it; 3 passed, of 3 gates"
    );
}

#[test]
fn a_comment_allows_what_the_operator_lets_it() {
    let allow = "[[allow]]\nrules = [\"github-*\"]\npaths = [\"tests/**\"]\n";
    let rig = rig(&format!("{SECRETS}{allow}"));
    let line = format!("let t = \"{TOKEN}\"; // ringfence:allow github-token: a sample\n");
    rig.write("tests/a.rs", &line);
    let (exit, report) = gate(&rig, &[]);
    let remark = &report["gates"][0]["remarks"][0];
    assert_eq!(exit, Exit::Done, "{report}");
    assert_eq!(
        (remark["status"].as_str(), remark["reason"].as_str()),
        (Some("allowed"), Some("a sample"))
    );
    // No report repeats the secret.
    assert!(!report.to_string().contains(TOKEN));
    rig.write("src/a.rs", &line);
    assert_eq!(gate(&rig, &[]).0, Exit::Refused);
    std::fs::remove_file(rig.top().join("src/a.rs")).unwrap();
    rig.write("tests/a.rs", &line.replace(": a sample", ""));
    let ran = rig.run(&["gate"]);
    assert!(
        ran.exit == Exit::Refused && ran.out.contains("gives no reason"),
        "{}",
        ran.out
    );
}

#[test]
fn nothing_that_the_change_brings_along_decides_about_it() {
    let rig = rig(LINKS);
    rig.write("docs/new.md", "[a](a.md)\n");
    rig.write(
        "ringfence-gates.toml",
        "[[gate]]\nplugin = \"std:diff-size\"\n",
    );
    assert_eq!(rig.run(&["gate", "check", "--write-lock"]).exit, Exit::Done);
    let (exit, report) = gate(&rig, &[]);
    assert_eq!(
        (exit, standings(&report)),
        (Exit::Done, "diff-size passed".to_owned())
    );
    let rules: Vec<_> = report["host"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["rule"])
        .collect();
    assert_eq!(rules, ["rules-changed", "rules-changed"]);
    assert_eq!(gate(&rig, &["--fail-on", "warning"]).0, Exit::Refused);
    let (exit, report) = gate(&rig, &["--rules-from", "HEAD"]);
    assert_eq!(
        (exit, standings(&report)),
        (Exit::Refused, "md-links failed".to_owned())
    );
    assert_eq!(report["rules_from"], "HEAD");
    assert_eq!(report["host"], serde_json::json!([]));
}

#[test]
fn the_same_question_is_answered_once_and_always_the_same() {
    let rig = rig(&format!("{LINKS}{SIZE}{SECRETS}"));
    rig.write("docs/new.md", "# New, see [it](../README.md).\n");
    let figures = |args: &[&str]| {
        let (exit, report) = gate(&rig, args);
        assert_eq!(exit, Exit::Done);
        let gates = report["gates"].as_array().unwrap().clone();
        let fuel: Vec<_> = gates
            .iter()
            .map(|gate| gate["receipt"]["usage"]["fuel"]["used"].clone())
            .collect();
        let memo: Vec<_> = gates
            .iter()
            .map(|gate| gate["receipt"]["memo"].as_bool().unwrap())
            .collect();
        (fuel, memo)
    };
    let (fuel, memo) = figures(&["--jobs", "1"]);
    assert_eq!(memo, [false; 3]);
    assert_eq!(figures(&[]), (fuel.clone(), vec![true; 3]));
    for jobs in ["1", "2", "3"] {
        assert_eq!(
            figures(&["--no-memo", "--jobs", jobs]),
            (fuel.clone(), vec![false; 3])
        );
    }
}

#[test]
fn a_submodule_is_no_gates_business_and_said() {
    let rig = rig(SIZE);
    let head = rig.git(&["rev-parse", "HEAD"]);
    let entry = format!("160000,{head},vendor");
    rig.git(&["update-index", "--add", "--cacheinfo", &entry]);
    let (exit, report) = gate(&rig, &["--staged"]);
    assert_eq!(
        (exit, &report["host"][0]["rule"]),
        (Exit::Refused, &"submodule".into())
    );
    rig.git(&["reset", "-q"]);
    rig.write(
        "ringfence-gates.toml",
        &format!("[verdict]\nsubmodules = \"accepted\"\n{SIZE}"),
    );
    rig.commit();
    rig.git(&["update-index", "--add", "--cacheinfo", &entry]);
    assert_eq!(gate(&rig, &["--staged"]).0, Exit::Done);
    rig.git(&["commit", "-q", "-m", "a submodule"]);
    // Another commit of it, another place for it, and none.
    let other = rig.git(&["rev-parse", "HEAD"]);
    let entry = format!("160000,{other},vendor");
    rig.git(&["update-index", "--cacheinfo", &entry]);
    assert_eq!(gate(&rig, &["--staged"]).0, Exit::Done);
    let moved = format!("160000,{head},lib");
    rig.git(&["rm", "-q", "--cached", "-f", "vendor"]);
    assert_eq!(gate(&rig, &["--staged"]).0, Exit::Done);
    rig.git(&["update-index", "--add", "--cacheinfo", &moved]);
    assert_eq!(gate(&rig, &["--staged"]).0, Exit::Done);
}

#[test]
fn no_file_hides_behind_submodules_that_are_accepted() {
    let rig = rig(&format!("[verdict]\nsubmodules = \"accepted\"\n{SECRETS}"));
    let head = rig.git(&["rev-parse", "HEAD"]);
    let staged = |what: &str| {
        let (exit, report) = gate(&rig, &["--staged"]);
        rig.git(&["reset", "-q", "--hard"]);
        assert_eq!(exit, Exit::Refused, "{what}: {report}");
        report
    };
    // A file that a submodule replaces.
    rig.git(&["rm", "-q", "--cached", "src/lib.rs"]);
    let entry = format!("160000,{head},src/lib.rs");
    rig.git(&["update-index", "--add", "--cacheinfo", &entry]);
    let report = staged("a file replaced");
    assert_eq!(report["host"][0]["rule"], "refused");
    // What stands in the file that says where submodules come from.
    rig.write("infra/.gitmodules", &format!("token = \"{TOKEN}\"\n"));
    rig.git(&["add", "-A"]);
    let report = staged("a key in .gitmodules");
    assert_eq!(
        (&report["host"], standings(&report)),
        (&serde_json::json!([]), "secrets failed".to_owned())
    );
    // Where a file goes that is renamed to one.
    let size = rig.read("ringfence-gates.toml");
    rig.write(
        "ringfence-gates.toml",
        &size.replace("std:secrets", "std:no-test-weakening"),
    );
    rig.write(
        "tests/test_auth.py",
        "def test_auth():\n    assert login()\n",
    );
    assert_eq!(rig.run(&["gate", "check", "--write-lock"]).exit, Exit::Done);
    rig.commit();
    std::fs::create_dir(rig.top().join("x")).unwrap();
    rig.git(&["mv", "tests/test_auth.py", "x/.gitmodules"]);
    let report = staged("a test moved away");
    assert_eq!(report["change"]["files"], 2);
    // Half of a rename is refused, and the other half seen.
    rig.git(&["mv", "tests/test_auth.py", "x\\y"]);
    let report = staged("a test with a name that no rule can name");
    assert_eq!(
        (&report["host"][0]["rule"], &report["change"]["files"]),
        (&"refused".into(), &1.into())
    );
}

#[test]
fn no_more_is_checked_out_than_gates_may_read() {
    let rig = rig(&format!("[paths]\nread = [\"docs/**\"]\n{SECRETS}{SIZE}"));
    let checkout = rig.top().join(".git/ringfence-state/gates.d/base");
    rig.write("docs/new.md", "# New\n");
    assert_eq!(gate(&rig, &["--only", "diff-size"]).0, Exit::Done);
    assert!(!checkout.exists());
    assert_eq!(gate(&rig, &[]).0, Exit::Done);
    let names: Vec<_> = std::fs::read_dir(&checkout)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(names.is_empty() || names == ["docs"], "{names:?}");
    let (exit, report) = gate(&rig, &["--all", "--only", "secrets"]);
    assert_eq!(
        (exit, &report["base"]["name"]),
        (Exit::Plugin, &"nothing".into()),
        "a gate that cannot see all that it judges does not pass it"
    );
    assert_eq!(
        gate(&rig, &["--all", "--only", "diff-size"]).0,
        Exit::Refused
    );
}

#[test]
fn a_gates_file_to_begin_with() {
    let rig = Rig::broken_links();
    let ran = rig.run(&["gate", "init"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    assert!(
        ran.out
            .contains("git add ringfence-gates.toml ringfence.lock")
            && !ran.out.contains("main"),
        "{}",
        ran.out
    );
    assert_eq!(rig.run(&["gate", "init"]).exit, Exit::Usage);
    let folder = Rig::folder();
    let ran = folder.run(&["gate", "init"]);
    assert!(
        ran.exit == Exit::Usage && ran.err.contains("git init"),
        "{}",
        ran.err
    );
    assert!(!folder.top().join("ringfence-gates.toml").exists());
    rig.commit();
    rig.write("docs/new.md", "# New\n");
    assert_eq!(gate(&rig, &[]).0, Exit::Done);
    let shown = rig.run(&["gate", "check"]);
    assert_eq!(shown.exit, Exit::Done);
    assert!(
        shown.out.contains("gate secrets: std:secrets"),
        "{}",
        shown.out
    );
}

#[test]
fn the_gates_of_a_loop_judge_what_no_loop_made() {
    let rig = Rig::with_loop();
    rig.write("docs/new.md", "[a](a.md)\n");
    assert_eq!(
        judged(&rig, &[]),
        (
            1,
            "md-links failed, diff-size passed, paths passed".to_owned()
        )
    );
    // Nothing of it is a loop's.
    assert!(!rig.run(&["status", "--all", "."]).out.contains("gates"));
}
