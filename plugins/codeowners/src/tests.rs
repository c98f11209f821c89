//! Patterns as GitHub documents them, and whose files are whose.

use serde_json::{Value, json};

use super::*;

fn owners(text: &str) -> Owners {
    Owners::parse("CODEOWNERS", text).unwrap()
}

#[test]
fn patterns() {
    for (pattern, path, expect) in [
        ("*", "a", true),
        ("*", "a/b/c", true),
        ("*.js", "a/b.js", true),
        ("*.js", "a/b.jsx", false),
        ("/build/logs/", "build/logs/a", true),
        ("/build/logs/", "build/logs/a/b", true),
        ("/build/logs/", "x/build/logs/a", false),
        ("/build/logs/", "build/logs", false),
        ("docs/*", "docs/a.md", true),
        ("docs/*", "docs/a/b.md", false),
        ("apps/", "apps/a", true),
        ("apps/", "x/apps/a", true),
        ("/docs/", "docs/a", true),
        ("/docs/", "x/docs/a", false),
        ("/scripts", "scripts/a/b", true),
        ("**/logs", "a/b/logs/c", true),
        ("**/logs", "logs/c", true),
        ("/apps/github", "apps/github/x", true),
        ("docs/**", "docs/a/b", true),
        ("README", "README", true),
        ("README", "a/README", true),
        ("README", "a/readme", false),
    ] {
        assert_eq!(
            Pattern::parse(pattern).unwrap().matches(path),
            expect,
            "{pattern} {path}"
        );
    }
}

#[test]
fn patterns_that_are_none_are_errors() {
    for (text, names) in [
        ("!a @x", "line 1"),
        ("\n[ab].rs @x", "line 2"),
        ("/ @x", "names nothing"),
        ("{a,b} @x", "choice"),
    ] {
        let error = Owners::parse("CODEOWNERS", text).err().unwrap().to_string();
        assert!(error.contains(names), "{error}");
    }
}

#[test]
fn the_last_line_counts() {
    let owners = owners(
        "# all\n* @all\n\n/docs/ @writers @ann # they know\n/docs/free.md\na\\ b.txt @space\n",
    );
    for (path, expect) in [
        ("x", vec!["@all"]),
        ("docs/a", vec!["@writers", "@ann"]),
        ("docs/free.md", vec![]),
        ("a b.txt", vec!["@space"]),
    ] {
        assert_eq!(owners.of(path), expect, "{path}");
    }
}

#[test]
fn sections_have_owners() {
    let owners = owners("[Docs] @writers\ndocs/\nREADME @ann\n^[Other][2] @bob\nsrc/\n[None]\nx\n");
    for (path, expect) in [
        ("docs/a", "@writers"),
        ("README", "@ann"),
        ("src/a", "@bob"),
        ("x", ""),
    ] {
        assert_eq!(owners.of(path).join(" "), expect, "{path}");
    }
}

fn judged(config: Value, files: Vec<TestFile>) -> Vec<String> {
    let config: Config = Context::test(config).config().unwrap();
    let change = Change::test(files);
    let verdict = owners("src/ @org/Core\nauth/ @org/security\n").judge(&config, change.files());
    verdict
        .findings
        .iter()
        .map(|f| format!("{} {}", f.rule, f.locations[0].path))
        .collect()
}

#[test]
fn whose_files_differ() {
    let files = || {
        vec![
            TestFile::added("src/a", "x"),
            TestFile::deleted("auth/b", "x"),
            TestFile::added("c", "x"),
        ]
    };
    assert_eq!(
        judged(json!({}), files()),
        ["needs-owner auth/b", "needs-owner src/a"]
    );
    assert_eq!(
        judged(json!({ "owners": ["@ORG/security"] }), files()),
        ["needs-owner auth/b"]
    );
    assert_eq!(
        judged(json!({ "owners": ["@x"], "unowned": "error" }), files()),
        ["unowned c"]
    );
    assert_eq!(judged(json!({}), vec![TestFile::added("c", "x")]), [""; 0]);
    assert_eq!(
        judged(json!({}), vec![TestFile::added("docs/CODEOWNERS", "x")]),
        ["owners-changed docs/CODEOWNERS"]
    );
}

#[test]
fn the_rules_are_those_before_the_change() {
    let change = Change::test(vec![
        TestFile::modified(".github/CODEOWNERS", "src/ @core\n", "\n"),
        TestFile::modified("src/a", "x\n", "y\n"),
    ]);
    let verdict = judge(&Context::test(json!({})), &change).unwrap();
    let rules: Vec<&str> = verdict.findings.iter().map(|f| f.rule.as_str()).collect();
    assert_eq!(rules, ["owners-changed", "needs-owner"]);
}

/// The rules of a change of `files`, where the tree has none besides.
fn ruled(config: Value, files: Vec<TestFile>) -> (Ruling, Vec<String>) {
    let verdict = judge(&Context::test(config), &Change::test(files)).unwrap();
    let said = |f: &Finding| format!("{} {}", f.rule, f.locations[0].path);
    (verdict.ruling, verdict.findings.iter().map(said).collect())
}

#[test]
fn where_there_were_no_rules_nobody_owned_anything() {
    let added = || vec![TestFile::added("a", "x\n")];
    assert_eq!(ruled(json!({}), added()), (Ruling::Abstain, vec![]));
    let unowned = (Ruling::Fail, vec!["unowned a".to_owned()]);
    assert_eq!(ruled(json!({ "unowned": "error" }), added()), unowned);
    // A whole tree that is taken as new.
    let mut all = added();
    all.push(TestFile::added("CODEOWNERS", "* @x\n"));
    let first = (Ruling::Fail, vec!["owners-changed CODEOWNERS".to_owned()]);
    assert_eq!(ruled(json!({}), all), first);
}

#[test]
fn rules_that_are_moved_away_still_count() {
    let files = vec![
        TestFile::renamed(".github/CODEOWNERS", "old", "* @x\n", "* @x\n"),
        TestFile::modified("a", "x\n", "y\n"),
    ];
    let expect = [
        "needs-owner a",
        "needs-owner old",
        "owners-changed .github/CODEOWNERS",
    ];
    assert_eq!(ruled(json!({}), files).1, expect);
    // What is moved there was none before.
    let files = vec![TestFile::renamed("old", "CODEOWNERS", "* @x\n", "* @x\n")];
    assert_eq!(ruled(json!({}), files).1, ["owners-changed CODEOWNERS"]);
}

#[test]
fn a_renamed_file_is_judged_at_both_ends() {
    let file = FileChange {
        path: "c".to_owned(),
        kind: ChangeKind::Modified,
        renamed_from: Some("auth/c".to_owned()),
        old_mode: 0o100_644,
        new_mode: 0o100_644,
        size: 1,
        lines_added: 0,
        lines_removed: 0,
        binary: false,
    };
    let verdict = owners("auth/ @x").judge(&Config::default(), &[file]);
    assert_eq!(verdict.findings[0].locations[0].path, "auth/c");
}
