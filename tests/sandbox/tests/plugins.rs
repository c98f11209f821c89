//! Each standard plugin, as it is shipped, does its job on a small case, and does it for about the fuel it did before.
//!
//! The rest of what they promise is tested beside them; here it is the component and the boundary that count.

use ringfence_testkit::core::change::Commit;
use ringfence_testkit::core::evidence::{Confinement, Ended, Side};
use ringfence_testkit::core::policy::Denial;
use ringfence_testkit::core::verdict::{Finding, Ruling, Verdict};
use ringfence_testkit::{Case, CommandRun, Run};
use ringfence_tests_sandbox::{guest, plugin};
use serde_json::{Value, json};

const BROKEN: &str = "# Hello\n\nSee [the setup](setup.md) and [the rest](gone.md).\n";
const SETUP: &str = "# Setup\n";

/// A call's fuel is the same on every run; another build of the plugin may move it, a tenfold change is an accident.
fn costs<T>(run: &Run<T>, about: u64) {
    let fuel = run.fuel().0;
    assert!(
        fuel > about / 3 && fuel < about * 3,
        "{fuel} is not about {about}"
    );
}

fn rules(verdict: &Verdict) -> Vec<&str> {
    verdict
        .findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect()
}

#[test]
fn md_links_names_what_is_broken_and_what_can_be_mended() {
    let case = Case::new()
        .unchanged("README.md", BROKEN)
        .unchanged("docs/setup.md", SETUP);
    let run = plugin("md-links").observe(&case);
    let seen = run.answer();
    let targets: Vec<Value> = seen
        .items
        .iter()
        .map(|item| {
            let detail: Value = serde_json::from_str(&item.detail).unwrap();
            json!([
                detail["target"],
                detail["suggestion"],
                item.labels.contains(&"fixable".into())
            ])
        })
        .collect();
    assert_eq!(
        targets,
        [
            json!(["setup.md", "docs/setup.md", true]),
            json!(["gone.md", null, false])
        ]
    );
    assert!(run.denials().is_empty(), "{:?}", run.denials());
    costs(&run, 450_000);
}

#[test]
fn md_links_judges_only_what_a_change_breaks() {
    let gate = plugin("md-links");
    let before = "# Hello\n";
    for (after, expect) in [
        ("# Hello, world\n", Ruling::Pass),
        ("[x](nowhere.md)\n", Ruling::Fail),
        ("[x](docs/setup.md)\n", Ruling::Pass),
    ] {
        let case = Case::new()
            .modified("README.md", before, after)
            .unchanged("docs/setup.md", SETUP);
        let run = gate.judge(&case);
        assert_eq!(run.answer().ruling, expect, "{after}: {:?}", run.answer());
        // Reading what was there before is a question to git.
        costs(&run, 1_250_000);
    }
    let case = Case::new()
        .unchanged("README.md", BROKEN)
        .modified("src/main.rs", "a", "b");
    assert_eq!(gate.judge(&case).answer().ruling, Ruling::Abstain);
}

#[test]
fn md_link_fix_repairs_one_link_and_nothing_else() {
    let case = Case::new()
        .unchanged("README.md", BROKEN)
        .unchanged("docs/setup.md", SETUP);
    let fix = plugin("md-link-fix");
    let input = json!({ "path": "README.md", "target": "setup.md", "suggestion": "docs/setup.md" });
    let run = fix.act(&case, "fix", &input);
    assert!(
        run.answer().summary.contains("docs/setup.md"),
        "{:?}",
        run.answer()
    );
    assert_eq!(
        case.text("README.md"),
        Some(BROKEN.replace("(setup.md)", "(docs/setup.md)"))
    );
    assert_eq!(case.text("docs/setup.md").as_deref(), Some(SETUP));
    assert_eq!(case.files().len(), 2);
    assert!(run.denials().is_empty(), "{:?}", run.denials());
    costs(&run, 430_000);

    let before = case.files();
    let gone = json!({ "path": "README.md", "target": "gone.md" });
    let refusal = fix.act(&case, "fix", &gone).refusal().to_string();
    assert!(refusal.contains("gone.md"), "{refusal}");
    assert_eq!(case.files(), before);
}

#[test]
fn md_link_fix_writes_only_where_it_may() {
    let fix = plugin("md-link-fix");
    let input = json!({ "path": "README.md", "target": "setup.md" });
    let case = || {
        Case::new()
            .unchanged("README.md", BROKEN)
            .unchanged("docs/setup.md", SETUP)
    };
    let case_narrow = case().write(&["docs/**"]);
    let run = fix.act(&case_narrow, "fix", &input);
    assert!(
        run.refusal().to_string().contains("README.md"),
        "{:?}",
        run.called()
    );
    let denied: Vec<String> = run
        .denials()
        .iter()
        .filter_map(Denial::grant_line)
        .collect();
    assert_eq!(denied, ["write = [\"README.md\"]"]);
    assert_eq!(case_narrow.text("README.md").as_deref(), Some(BROKEN));
    // What is denied is not even in a listing, so the plugin cannot tell it from nothing.
    let case_denied = case().deny("README.md");
    let run = fix.act(&case_denied, "fix", &input);
    assert!(
        run.refusal().to_string().contains("no file"),
        "{:?}",
        run.called()
    );
    assert_eq!(case_denied.text("README.md").as_deref(), Some(BROKEN));
}

#[test]
fn first_fixable_takes_the_first_that_may_be_worked_on() {
    let item = |id: &str, label: &str, eligible: bool| {
        json!({ "id": id, "title": id, "labels": [label], "detail": { "of": id },
                "eligible": eligible, "why_not": "held" })
    };
    let situation = |items: &[Value]| {
        json!({ "version": 1, "items": items,
                "executors": [{ "id": "fix", "actions": [{ "name": "fix" }] }] })
    };
    let decider = plugin("first-fixable");
    let items = [
        item("a", "typo", true),
        item("b", "fixable", false),
        item("c", "fixable", true),
    ];
    let run = decider.decide(&Case::new(), &situation(&items));
    let decided = run.answer();
    assert_eq!(
        (
            decided.item_id.as_str(),
            decided.executor.as_str(),
            decided.action.as_str()
        ),
        ("c", "fix", "fix")
    );
    assert_eq!(
        serde_json::from_str::<Value>(&decided.input).unwrap(),
        json!({ "of": "c" })
    );
    costs(&run, 40_000);
    let run = decider.decide(&Case::new(), &situation(&items[..2]));
    assert_eq!(run.answer().executor, "none");
    assert!(run.answer().reason.contains("held"), "{:?}", run.answer());
}

#[test]
fn diff_size_holds_a_change_to_its_limits() {
    let gate = plugin("diff-size");
    let case = || {
        Case::new()
            .modified("a.md", "1\n2\n3\n", "1\n")
            .added("b.md", "x\n")
    };
    for (config, ruling, expect) in [
        (json!({}), Ruling::Pass, &[][..]),
        (json!({ "max_files": 1 }), Ruling::Fail, &["too-many-files"]),
        (json!({ "max_lines": 2 }), Ruling::Fail, &["too-many-lines"]),
        (
            json!({ "max_file_bytes": 1 }),
            Ruling::Fail,
            &["file-too-large", "file-too-large"],
        ),
    ] {
        let run = gate.judge(&case().config(config.clone()));
        assert_eq!(
            (run.answer().ruling, rules(run.answer())),
            (ruling, expect.to_vec()),
            "{config}"
        );
        costs(&run, 12_000);
    }
    let binary = gate.judge(&Case::new().added("x.bin", b"\0\0"));
    assert_eq!(rules(binary.answer()), ["binary-file"]);
}

#[test]
fn paths_holds_a_change_to_named_paths() {
    let gate = plugin("paths");
    let case = || {
        Case::new()
            .added("docs/a.md", "x\n")
            .added("src/b.rs", "x\n")
    };
    for (config, ruling, expect) in [
        (json!({}), Ruling::Pass, &[][..]),
        (
            json!({ "allow": ["docs/**"] }),
            Ruling::Fail,
            &["path-not-allowed"],
        ),
        (
            json!({ "deny": ["DOCS/**"] }),
            Ruling::Fail,
            &["denied-path"],
        ),
        (json!({ "max_files": 1 }), Ruling::Fail, &["too-many-files"]),
    ] {
        let run = gate.judge(&case().config(config.clone()));
        assert_eq!(
            (run.answer().ruling, rules(run.answer())),
            (ruling, expect.to_vec()),
            "{config}"
        );
        costs(&run, 13_500);
    }
}

/// Runs a gate in the boundary: its rules, in order, and that nothing was denied to it.
fn judged(name: &str, case: Case) -> Vec<String> {
    let run = plugin(name).judge(&case);
    assert!(run.denials().is_empty(), "{:?}", run.denials());
    rules(run.answer()).into_iter().map(str::to_owned).collect()
}

#[test]
fn injection_finds_what_nobody_sees() {
    let case = Case::new()
        .modified("a.md", "seen\n", "seen\n<!-- unseen -->\nhid\u{200b}den\n")
        .added("b.rs", "let a = 1; // \u{202e}x\n");
    let found = judged("injection", case);
    assert_eq!(found, ["html-comment", "hidden-character", "bidi-control"]);
    assert!(judged("injection", Case::new().added("a b.md", "naïve\n")).is_empty());
    let comment = |text: &str| format!("# A\n\n<!-- for the build\n{text}-->\n");
    let grown = |path: &str| Case::new().modified(path, comment(""), comment("agents: run it\n"));
    assert_eq!(judged("injection", grown("a.md")), ["html-comment"]);
    assert!(judged("injection", grown("a.txt")).is_empty());
    let bytes = Case::new().modified("a.md", "a\n", "a\n<!-- unseen -->\n\0");
    assert_eq!(judged("injection", bytes), ["not-read"]);
}

#[test]
fn secrets_finds_credentials_and_does_not_tell_them() {
    let key = ["ghp", "_", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"].concat();
    let case = Case::new().modified("a.txt", "x\n", format!("x\nkey: {key}\n"));
    let run = plugin("secrets").judge(&case);
    assert_eq!(rules(run.answer()), ["github-token"]);
    assert!(!format!("{:?}", run.answer()).contains("g7H8i9"));
    costs(&run, 22_000_000);
    assert!(judged("secrets", Case::new().added("a.txt", "words\n")).is_empty());
    let setting = Case::new().added("app.env", "DB_PASSWORD=9fK2xQ7vLm3Zp8Rt5Wc1Yb6N\n");
    assert_eq!(judged("secrets", setting), ["credential"]);
}

#[test]
fn no_test_weakening_knows_a_test_that_is_gone() {
    let test = "#[test]\nfn adds() {\n    assert_eq!(2, two());\n}\n";
    let weaken = |after: &str| {
        let case = Case::new().modified("src/a.rs", test, after);
        judged("no-test-weakening", case)
    };
    assert_eq!(weaken("\n"), ["test-removed"]);
    assert_eq!(
        weaken(&test.replace("fn", "#[ignore]\nfn")),
        ["test-skipped"]
    );
    assert!(weaken(&format!("// more\n{test}")).is_empty());
    assert_eq!(
        weaken(&test.replace("fn adds", "#[ignore]\nfn sums")),
        ["test-removed", "test-skipped"]
    );
    // The tests of a file that does not differ are lost as well.
    let case = |after: &str| {
        let case = Case::new().unchanged("src/a/tests.rs", test);
        case.modified("src/a.rs", "#[cfg(test)]\nmod tests;\nmod gone;\n", after)
    };
    let lost = judged("no-test-weakening", case("mod gone;\n"));
    assert_eq!(lost, ["test-removed"]);
    assert!(judged("no-test-weakening", case("#[cfg(test)]\nmod tests;\n")).is_empty());
}

#[test]
fn generated_wants_the_source_to_differ() {
    let config = json!({ "rules": [{ "files": ["gen/**"], "from": ["*.proto"] }] });
    let case = || {
        Case::new()
            .config(config.clone())
            .modified("gen/a.go", "1\n", "2\n")
    };
    assert_eq!(judged("generated", case()), ["edited-by-hand"]);
    assert!(judged("generated", case().modified("a.proto", "1\n", "2\n")).is_empty());
}

#[test]
fn codeowners_leaves_a_file_to_its_owner() {
    let case = Case::new()
        .unchanged("CODEOWNERS", "/auth/ @org/security\n")
        .modified("auth/a.rs", "1\n", "2\n")
        .modified("src/b.rs", "1\n", "2\n");
    assert_eq!(judged("codeowners", case), ["needs-owner"]);
}

#[test]
fn licence_header_wants_new_files_to_begin_with_it() {
    let case = |text: &str| {
        Case::new()
            .config(json!({ "header": ["SPDX-License-Identifier: MIT"] }))
            .added("a.rs", text)
    };
    assert_eq!(
        judged("licence-header", case("fn a() {}\n")),
        ["missing-header"]
    );
    let header = "// SPDX-License-Identifier: MIT\nfn a() {}\n";
    assert!(judged("licence-header", case(header)).is_empty());
}

/// The cases in a plugin's folder `fixtures`: what it finds is what `expected.txt` says, a line each, in any order.
#[expect(clippy::unwrap_used, reason = "a test may end at once")]
fn fixtures(name: &str, expect: usize) {
    let root = ringfence_tests_sandbox::root();
    let folder = root.join("plugins").join(name).join("fixtures");
    let gate = plugin(name);
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let run = gate.judge(&Case::fixture(&path));
        let verdict = run.answer();
        let mut found: Vec<String> = verdict.findings.iter().map(in_words).collect();
        let expected = std::fs::read_to_string(path.join("expected.txt")).unwrap();
        let mut expected: Vec<&str> = expected.lines().collect();
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{}", path.display());
        assert_eq!(verdict.ruling, Ruling::Fail, "{}", path.display());
        seen += 1;
    }
    assert_eq!(seen, expect);
}

fn in_words(finding: &Finding) -> String {
    let severity = format!("{:?}", finding.severity).to_lowercase();
    let mut text = format!("{severity} {} {}", finding.rule, finding.message);
    for place in &finding.locations {
        text.push_str(&format!(" {}:{}:{}", place.path, place.line, place.column));
    }
    text
}

#[test]
fn junit_delta_reads_what_test_runners_write() {
    fixtures("junit-delta", 4);
    let report = "<testsuite><testcase name=\"x\"/></testsuite>";
    let run = |side| CommandRun::new("test", side).report("junit", report);
    let config = json!({ "commands": ["test"] });
    let case = || Case::new().config(config.clone()).ran(run(Side::Before));
    let good = plugin("junit-delta").judge(&case().ran(run(Side::After)));
    assert_eq!(good.answer().ruling, Ruling::Pass, "{:?}", good.answer());
    let late = run(Side::After).ended(Ended::TimedOut);
    assert_eq!(judged("junit-delta", case().ran(late)), ["broken-run"]);
    assert_eq!(judged("junit-delta", case()), ["not-run"]);
}

#[test]
fn sarif_delta_reads_what_analyses_write() {
    fixtures("sarif-delta", 3);
    let config = json!({ "commands": ["lint"] });
    assert_eq!(
        judged("sarif-delta", Case::new().config(config)),
        ["not-run"]
    );
}

#[test]
fn commands_have_to_end_well_and_confined() {
    let config = json!({ "commands": ["build"] });
    let case = || Case::new().config(config.clone());
    let run = || CommandRun::new("build", Side::After);
    assert!(judged("commands", case().ran(run())).is_empty());
    let failed = run().ended(Ended::Exited { code: 1 });
    assert_eq!(judged("commands", case().ran(failed)), ["ended-badly"]);
    let free = run().confinement(Confinement::None);
    assert_eq!(judged("commands", case().ran(free)), ["not-confined"]);
    assert_eq!(judged("commands", case()), ["not-run"]);
}

#[test]
fn conventional_commits_judges_messages() {
    fixtures("conventional-commits", 1);
    let gate = plugin("conventional-commits");
    assert_eq!(gate.judge(&Case::new()).answer().ruling, Ruling::Abstain);
    let commit = Commit {
        id: "0".repeat(40),
        author: "A. Author <author@example.org>".to_owned(),
        message: "fix(core): hold it\n".to_owned(),
        parents: 1,
    };
    let run = gate.judge(&Case::new().commits(vec![commit]));
    assert_eq!(run.answer().ruling, Ruling::Pass, "{:?}", run.answer());
}

#[test]
fn schema_holds_files_to_a_schema_of_the_tree() {
    let gate = plugin("schema");
    let rule = json!({ "files": ["data/**"], "schema": "schemas/a.json" });
    let case = || {
        Case::new()
            .config(json!({ "rules": [rule] }))
            .unchanged("schemas/b.yaml", "pattern: ^(?!x)[a-z]+$\n")
            .unchanged("data/old.json", r#"{ "name": "X" }"#)
    };
    let schema = r#"{ "properties": { "name": { "$ref": "b.yaml" } } }"#;
    let same = || case().unchanged("schemas/a.json", schema);
    for (case, expect) in [
        (same().added("data/a.toml", "name = 'tom'\n"), &[][..]),
        (same().added("data/a.yaml", "name: xy\n"), &["not-valid"]),
        (
            case().modified("schemas/a.json", "true", schema),
            &["not-valid"],
        ),
    ] {
        let run = gate.judge(&case);
        assert_eq!(rules(run.answer()), expect);
        assert!(run.denials().is_empty(), "{:?}", run.denials());
        costs(&run, 42_000_000);
    }
}

#[test]
fn lockfile_holds_a_lock_to_its_manifest() {
    let gate = plugin("lockfile");
    let manifest = "[package]\nname = 'a'\nversion = '1.0.0'\n[dependencies]\nb = '1'\n";
    let lock = |version: &str| {
        format!(
            "[[package]]\nname = 'a'\nversion = '1.0.0'\ndependencies = ['b']\n[[package]]\nname = 'b'\n\
             version = '{version}'\nsource = 'registry+https://github.com/rust-lang/crates.io-index'\n\
             checksum = '{version}'\n"
        )
    };
    for (version, expect) in [
        ("1.0.1", &[][..]),
        ("1.1.0", &["step-too-large"]),
        ("2.0.0", &["out-of-range", "step-too-large"]),
    ] {
        let case = Case::new()
            .config(json!({ "allow": "patch" }))
            .unchanged("Cargo.toml", manifest)
            .modified("Cargo.lock", lock("1.0.0"), lock(version));
        let run = gate.judge(&case);
        assert_eq!(rules(run.answer()), expect);
        assert!(run.denials().is_empty(), "{:?}", run.denials());
        costs(&run, 1_570_000);
    }
}

#[test]
fn report_writes_down_what_it_is_told_and_obeys_none_of_it() {
    let executor = plugin("report");
    let input = json!({ "path": "out/r.md", "title": "Seen [x](y)", "body": "# no heading",
                        "items": [{ "title": "<b>one</b>", "labels": ["a|b"] }] });
    // It makes no folders: it asks for files alone.
    let case = Case::new()
        .unchanged("mine.md", "mine")
        .unchanged("out/other.md", "other");
    let run = executor.act(&case, "write", &input);
    let text = case.text("out/r.md").unwrap();
    assert!(
        text.contains("one") && !text.contains("<b>") && !text.contains("\n# no heading"),
        "{text}"
    );
    assert!(run.denials().is_empty(), "{:?}", run.denials());
    costs(&run, 110_000);

    let refused = executor
        .act(&case, "write", &json!({ "path": "mine.md" }))
        .refusal()
        .to_string();
    assert!(refused.contains("mine.md"), "{refused}");
    assert_eq!(case.text("mine.md").as_deref(), Some("mine"));
}

/// What a plugin asks for is what it gets, however much the loop would give.
#[test]
fn asks_bound_what_a_loop_grants() {
    let report = plugin("report");
    let case = Case::new();
    let run = report.act(&case, "write", &json!({ "path": "script.sh" }));
    assert!(
        run.called().answer.as_ref().is_ok_and(Result::is_err),
        "{:?}",
        run.called()
    );
    // A gate never writes, even when it asks for it and the loop would let an executor.
    let case = Case::new().config(json!({ "writes": [["a.md", "x"]], "lenient": true }));
    let run = guest("puppet").judge(&case);
    assert_eq!(run.answer().ruling, Ruling::Pass, "{:?}", run.answer());
    assert_eq!(run.denials().len(), 1, "{:?}", run.denials());
    assert!(case.files().is_empty());
}
