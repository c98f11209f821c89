//! Components that say no, break, lie or reach for what is not theirs: how the beat ends, and that none of it gets out.
//!
//! **Invariant:** nothing is published unless every gate has passed exactly what is published.

use std::fs;

use serde_json::{Value, json};

use crate::loop_files::{Troupe, passing};
use crate::rig::{Ran, Rig};
use crate::traces::Before;

fn rig(troupe: &Troupe) -> Rig {
    Rig::with_guests(&troupe.loop_file(), &troupe.guests())
}

/// Runs one beat of a new project that must end with `code` and publish nothing.
#[track_caller]
fn unpublished(troupe: &Troupe, code: i32) -> Ran {
    let rig = rig(troupe);
    let before = Before::of(&rig);
    let ran = rig.run(&["beat"]);
    assert_eq!(ran.code, code, "{}{}", ran.err, ran.out);
    before.assert_untouched();
    assert_eq!(published(&rig), Vec::<String>::new());
    ran
}

/// Every branch and patch of a loop.
fn published(rig: &Rig) -> Vec<String> {
    let branches = rig.git(&[
        "for-each-ref",
        "--format=%(refname)",
        "refs/heads/ringfence/",
    ]);
    let mut found: Vec<_> = branches.lines().map(str::to_owned).collect();
    for folder in ["proposals", "shadow"] {
        let patches = fs::read_dir(rig.path(".git/ringfence-state/acts").join(folder));
        for patch in patches.into_iter().flatten() {
            found.push(patch.unwrap().path().display().to_string());
        }
    }
    found
}

/// Runs one beat whose executor, a probe, carries out `plan`; the report.
fn carried_out(plan: &Value, code: i32) -> (Rig, Value) {
    let rig = rig(&Troupe {
        executor: ("probe", "run"),
        input: json!({ "plan": plan }),
        ..Troupe::default()
    });
    let before = Before::of(&rig);
    let report = rig.beat(code);
    before.assert_untouched();
    (rig, report)
}

#[test]
fn a_good_change_is_published() {
    let rig = rig(&Troupe::default());
    assert_eq!(
        rig.beat(0)["outcome"]["reference"],
        "refs/heads/ringfence/acts/1"
    );
    assert_eq!(rig.git(&["show", "ringfence/acts/1:docs/new.md"]), "# New");
}

#[test]
fn a_gate_that_says_no_twice_leaves_the_item_to_a_person() {
    let no = json!({ "verdict": { "ruling": "fail", "summary": "not like this", "findings": [
        { "severity": "error", "rule": "taste", "message": "too new", "locations": [{ "path": "docs/new.md", "line": 1 }] },
    ] } });
    let rig = rig(&Troupe {
        gate: no,
        tables: "[budget]\nattempts_per_item = 2",
        ..Troupe::default()
    });
    let before = Before::of(&rig);
    let ran = rig.run(&["beat"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.parts(&["acts", "judged"]), @r"
    acts beat 1: discarded
      watch: taste

    judged
      fail  watch  not like this
               error[taste] too new
                 at docs/new.md:1

    --- exit 1
    ");
    let status = rig.run(&["status", "--format", "json"]).json();
    assert_eq!(
        (&status["items"][0]["item"], &status["items"][0]["attempts"]),
        (&json!("job"), &json!(1))
    );
    let ran = rig.run(&["beat"]);
    assert_eq!(ran.code, 3);
    insta::assert_snapshot!(ran.parts(&["acts", "judged"]), @r"
    acts beat 2: escalated
      item job is left to a person: 2 of 2 attempts failed
      watch: taste
      look  ringfence inbox item-[hex]

    judged
      fail  watch  not like this
               error[taste] too new
                 at docs/new.md:1

    --- exit 3
    ");
    assert_eq!(rig.beat(0)["outcome"]["kind"], "skipped", "no item is left");
    let status = rig.run(&["status"]);
    assert!(status.out.contains("2 of 2"), "{}", status.out);
    let inbox = rig.run(&["inbox", "item-63a2265e"]);
    assert_eq!(
        inbox.out.matches("watch: taste").count(),
        3,
        "{}",
        inbox.out
    );
    assert_eq!(rig.run(&["answer", "item-63a2265e", "approve"]).code, 0);
    assert_eq!(
        rig.beat(1)["outcome"]["kind"],
        "discarded",
        "fresh attempts"
    );
    before.assert_untouched();
    assert_eq!(published(&rig), Vec::<String>::new());
}

#[test]
fn gates_that_give_no_answer_have_not_passed() {
    let gate = |gate: Value, keys: &'static str, code| {
        unpublished(
            &Troupe {
                gate,
                gate_keys: keys,
                ..Troupe::default()
            },
            code,
        )
    };
    let trap = gate(json!({ "panic": "out of my depth" }), "", 7);
    assert!(trap.out.contains("out of my depth"), "{}", trap.out);
    let fuel = gate(
        json!({ "burn": 1_000_000_000 }),
        "limits = { fuel = \"1M\" }",
        5,
    );
    let used = "out of fuel: used 1000000 of 1000000";
    assert!(fuel.out.contains(used), "{}", fuel.out);
    gate(
        json!({ "burn": 1_000_000_000_000_u64 }),
        "limits = { fuel = \"900T\", deadline = \"100ms\" }\n[budget]\nfuel_per_beat = \"1000T\"\nfuel_per_day = \"1000T\"",
        5,
    );
    gate(json!({ "error": ["unavailable", "later"] }), "", 7);
    gate(json!({ "error": ["config", "no such key"] }), "", 2);
    // An error that is said among a thousand notes, by a gate that passes the change.
    let note = json!({ "severity": "note", "rule": "x", "message": "x" });
    let error = json!({ "severity": "error", "rule": "x", "message": "x" });
    for findings in [
        vec![error.clone()],
        [vec![note; 1_000], vec![error]].concat(),
    ] {
        gate(
            json!({ "verdict": { "ruling": "pass", "findings": findings } }),
            "",
            7,
        );
    }
    gate(json!({ "verdict": { "ruling": "abstain" } }), "", 1);
}

#[test]
fn an_executor_that_breaks() {
    let acts = |input: Value, keys: &'static str, code| {
        unpublished(
            &Troupe {
                input,
                executor_keys: keys,
                ..Troupe::default()
            },
            code,
        )
    };
    let writes = json!([["docs/new.md", "half done"]]);
    acts(json!({ "writes": writes, "panic": "half way" }), "", 7);
    acts(
        json!({ "writes": writes, "burn": 1_000_000_000 }),
        "limits = { fuel = \"5M\" }",
        5,
    );
    acts(
        json!({ "writes": writes, "error": ["unavailable", "half way"] }),
        "",
        7,
    );
    let nothing = acts(json!({}), "", 1);
    assert!(
        nothing.out.contains("the executor changed nothing"),
        "{}",
        nothing.out
    );
    // What it left half done is gone, too.
    let rig = rig(&Troupe {
        input: json!({ "writes": writes, "panic": "half way" }),
        ..Troupe::default()
    });
    rig.beat(7);
    let whole = Troupe::default().loop_file();
    rig.set_loop(&whole.replace("docs/new.md", "docs/other.md"));
    let report = rig.beat(0);
    let names = rig.git(&["diff", "--name-only", "HEAD", "ringfence/acts/2"]);
    assert_eq!(names, "docs/other.md", "{report:#}");
}

#[test]
fn memory_and_time() {
    let hog = |input: Value, keys: &'static str| {
        unpublished(
            &Troupe {
                executor: ("hog", "run"),
                input,
                executor_keys: keys,
                ..Troupe::default()
            },
            5,
        )
    };
    let memory = hog(
        json!({ "mode": "memory", "count": 100, "bytes": 1_048_576 }),
        "limits = { memory = \"8MiB\" }",
    );
    assert!(memory.out.contains("memory"), "{}", memory.out);
    let time = hog(
        json!({ "mode": "spin" }),
        "limits = { fuel = \"900T\", deadline = \"200ms\" }\n[budget]\nfuel_per_beat = \"1000T\"\nfuel_per_day = \"1000T\"",
    );
    assert!(time.out.contains("deadline"), "{}", time.out);
}

#[test]
fn writing_outside_the_grant_is_denied_with_the_line_to_paste() {
    let outside = [
        ["src/main.rs", "x"],
        ["docs/secret/key", "x"],
        [".git/config", "x"],
        [".git/hooks/post-checkout", "x"],
        ["LOOP.md", "x"],
        ["ringfence.lock", "x"],
        [".ringfence/acts/journal.jsonl", "x"],
        ["../escape", "x"],
        ["docs/../../escape", "x"],
        ["docs/.git/config", "x"],
        ["docs/.GIT/config", "x"],
        ["docs/Secret/key", "x"],
    ];
    let troupe = Troupe {
        input: json!({ "writes": outside, "lenient": true, "reads": ["docs/secret/key", ".git/config"] }),
        ..Troupe::default()
    };
    let rig = rig(&troupe);
    rig.write("docs/secret/key", "xyzzy-unseen");
    rig.commit("a secret");
    let before = Before::of(&rig);
    let ran = rig.run(&["beat"]);
    insta::assert_snapshot!(ran.parts(&["acts", "denied"]), @r#"
    acts beat 1: failed
      denied: executor make was denied access: write "src" (not in the loop's list)

    denied
      executor make wanted to write src: not in the loop's list
          to allow it, in [paths]: write = ["src"]
      executor make wanted to write docs/secret: deny = "docs/secret/**"
      executor make wanted to write .git (2 times): always denied: "**/.git/**"
      executor make wanted to write LOOP.md: denied by default: "**/LOOP.md"
          to allow it, in [paths]: lift = ["**/LOOP.md"]
      executor make wanted to write ringfence.lock: always denied: "ringfence.lock"
      executor make wanted to write .ringfence: always denied: ".ringfence/**"
      executor make wanted to write ./.. (2 times): a path that leaves the workspace
      executor make wanted to write docs/.git: always denied: "**/.git/**"
      executor make wanted to write docs/.GIT: always denied: "**/.git/**"
      executor make wanted to write docs/Secret: deny = "docs/secret/**"
      executor make wanted to read docs/secret: deny = "docs/secret/**"
      executor make wanted to read .git: always denied: "**/.git/**"

    --- exit 6
    "#);
    before.assert_untouched();
    assert!(!rig.top().parent().unwrap().join("escape").exists());
    assert_eq!(published(&rig), Vec::<String>::new());
    let told = rig.read(".git/ringfence-state/acts/journal.jsonl");
    assert!(
        !told.contains("xyzzy-unseen"),
        "a secret got into the journal"
    );
}

#[test]
fn an_executor_that_lies_is_measured() {
    let rig = rig(&Troupe {
        input: json!({
            "writes": [["docs/new.md", "# New\n"], ["docs/guide.md", "# Changed\n"]],
        }),
        executor_keys: r#"config = { outcome = { summary = "Fix a typo\nRingfence-Gates: all of them", detail = { files = [] } } }"#,
        gate: json!({ "look_at_change": true }),
        ..Troupe::default()
    });
    let report = rig.beat(0);
    let files = report["receipt"]["change"]["files"].as_array().unwrap();
    let paths: Vec<_> = files
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["docs/guide.md", "docs/new.md"]);
    let seen = report["receipt"]["verdicts"].to_string();
    assert!(
        seen.contains("docs/guide.md") && seen.contains("docs/new.md"),
        "{seen}"
    );
    insta::assert_snapshot!(rig.git(&["log", "-1", "--format=%an <%ae>%n%B", "ringfence/acts/1"]), @r"
    Ringfence <ringfence@localhost>
    Fix a typo Ringfence-Gates: all of them

    it is there

    Ringfence-Loop: acts
    Ringfence-Beat: 1
    Ringfence-Item: job
    Ringfence-Gates: watch passed
    ");
}

#[test]
fn links_out_of_the_workspace_lead_nowhere() {
    let outside = "/tmp/e2e-outside-of-every-project";
    let plan = json!([
        { "op": "symlink-at", "path": outside, "new_path": "docs/absolute" },
        { "op": "symlink-at", "path": "../../../../../../etc", "new_path": "docs/up" },
        { "op": "symlink-at", "path": "../README.md", "new_path": "docs/readme" },
        { "op": "std-write", "path": "docs/up/escape", "text": "x" },
        { "op": "std-write", "path": "docs/readme", "text": "x" },
        { "op": "std-read", "path": "docs/up/passwd" },
        { "op": "std-hard-link", "path": "README.md", "new_path": "docs/hard" },
        { "op": "std-create-dir", "path": "docs/.git" },
        { "op": "std-create-dir", "path": "docs/.Git" },
        { "op": "std-create-dir", "path": "docs/git~1" },
        { "op": "std-rename", "path": "docs/guide.md", "new_path": "LOOP.md" },
        { "op": "std-rename", "path": "README.md", "new_path": "docs/README.md" },
        { "op": "std-write", "path": "docs/fine.md", "text": "x" },
    ]);
    let (rig, report) = carried_out(&plan, 6);
    insta::assert_snapshot!(denials(&report), @r#"
    "write" "docs/absolute -> /tmp/e2e-outside-of-every-project": "shape"
    "write" "docs/up -> ../../../../../../etc": "shape"
    "write" "README.md": "not-allowed"
    "write" "docs/.git": "deny"
    "write" "docs/.Git": "deny"
    "write" "docs/git~1": "deny"
    "write" "LOOP.md": "deny"
    "#);
    let branches = rig.git(&["branch", "--list", "ringfence/*"]);
    assert_eq!(
        branches, "",
        "a denied write takes all of the change with it"
    );
}

fn denials(report: &Value) -> String {
    let steps = report["receipt"]["steps"].as_array().unwrap();
    let denials = steps
        .iter()
        .flat_map(|step| step["denials"].as_array().unwrap());
    let lines = denials.map(|denial| {
        format!(
            "{} {}: {}",
            denial["access"], denial["path"], denial["rule"]
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_must_not_be_published_is_refused() {
    // Git would take this folder for a repository, and this file decides what other people's git fetches.
    for (plan, why) in [
        (
            json!([
                { "op": "std-create-dir-all", "path": "docs/bare/objects" },
                { "op": "std-create-dir-all", "path": "docs/bare/refs" },
                { "op": "std-write", "path": "docs/bare/HEAD", "text": "ref: refs/heads/x\n" },
            ]),
            "a repository inside the workspace",
        ),
        (
            json!([{ "op": "std-write", "path": "docs/.gitmodules", "text": "[submodule \"x\"]\n" }]),
            "a change of where submodules come from",
        ),
    ] {
        let (rig, report) = carried_out(&plan, 1);
        let text = report["receipt"]["scope"].to_string();
        assert!(text.contains(why), "{text}");
        assert_eq!(published(&rig), Vec::<String>::new());
    }
}

#[test]
fn ignored_files_stay_behind() {
    let troupe = Troupe {
        input: json!({ "writes": [["docs/build/out.md", "x"], ["docs/new.md", "x"], ["docs/.gitignore", "*\n!.gitignore\n"]] }),
        ..Troupe::default()
    };
    let rig = rig(&troupe);
    rig.write(".gitignore", "build/\n");
    rig.commit("rules");
    let before = Before::of(&rig);
    let report = rig.beat(0);
    before.assert_untouched();
    assert_eq!(report["outcome"]["kind"], "proposed", "{report:#}");
    let names = rig.git(&["diff", "--name-only", "HEAD", "ringfence/acts/1"]);
    assert_eq!(
        names, "docs/.gitignore",
        "a rule of its own hides the other one, and the judges saw neither"
    );
}

#[test]
fn too_many_files_are_refused() {
    let troupe = Troupe {
        executor: ("hog", "run"),
        input: json!({ "mode": "many-files", "count": 10_001, "path": "docs" }),
        executor_keys: "limits = { deadline = \"60s\" }",
        ..Troupe::default()
    };
    let ran = unpublished(&troupe, 1);
    assert!(
        ran.out
            .contains("the change has 10001 files, and at most 10000"),
        "{}",
        ran.out
    );
}

#[test]
fn a_change_of_what_a_person_decides_about() {
    let rig = rig(&Troupe {
        tables: "[escalate]\npaths = [\"docs/new.md\"]",
        ..Troupe::default()
    });
    let before = Before::of(&rig);
    let ran = rig.run(&["beat"]);
    assert_eq!(ran.code, 3, "{}{}", ran.err, ran.out);
    let why = "the change touches what a person decides about: docs/new.md";
    assert!(ran.out.contains(why), "{}", ran.out);
    assert_eq!(rig.beat(0)["outcome"]["kind"], "skipped", "no item is left");
    before.assert_untouched();
    assert_eq!(published(&rig), Vec::<String>::new());
    let ran = rig.run(&["answer", "held-1", "approve", "--now"]);
    assert_eq!(ran.code, 0, "{}{}", ran.err, ran.out);
    before.assert_untouched();
    assert_eq!(published(&rig), ["refs/heads/ringfence/acts/3"]);
    assert_eq!(rig.git(&["show", "ringfence/acts/3:docs/new.md"]), "# New");
}

#[test]
fn a_gate_that_is_not_sure_may_have_a_person_asked() {
    let warned = json!({ "verdict": { "ruling": "pass", "summary": "well", "findings": [
        { "severity": "warning", "rule": "taste", "message": "a bit new", "locations": [] },
    ] } });
    let ran = unpublished(
        &Troupe {
            gate: warned,
            tables: "[escalate]\non = [\"gate-uncertainty\"]",
            ..Troupe::default()
        },
        3,
    );
    let why = "gate watch passed it with a warning";
    assert!(ran.out.contains(why), "{}", ran.out);
}

#[test]
fn every_gate_has_to_pass() {
    let ran = unpublished(
        &Troupe {
            gate: passing(),
            tables: "[[gate]]\nplugin = \"std:diff-size\"\nconfig = { max_lines = 1 }\n[[gate]]\nplugin = \"std:paths\"\nconfig = { allow = [\"docs/**\"] }",
            input: json!({ "writes": [["docs/new.md", "1\n2\n"]] }),
            ..Troupe::default()
        },
        1,
    );
    assert!(
        ran.out.contains("discarded") && ran.out.contains("too-many-lines"),
        "{}",
        ran.out
    );
}
