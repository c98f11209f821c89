//! Each rule passed and refused, and the tricks that paths are played with.

use serde_json::{Value, json};

use super::*;

fn file(path: &str) -> FileChange {
    FileChange {
        path: path.to_owned(),
        kind: ChangeKind::Modified,
        renamed_from: None,
        old_mode: 0o100_644,
        new_mode: 0o100_644,
        size: 1,
        lines_added: 1,
        lines_removed: 0,
        binary: false,
    }
}

fn judged(config: Value, files: &[FileChange]) -> Verdict {
    let config: Config = Context::test(config).config().unwrap();
    let allow = Globs::parse("allow", &config.allow, Case::Exact).unwrap();
    let deny = Denied::parse("deny", &config.deny).unwrap();
    Rules {
        allow,
        deny,
        config,
    }
    .judge(files)
}

/// Checks `rule path` of each finding.
fn check(config: Value, files: &[FileChange], expect: &[&str]) {
    let verdict = judged(config, files);
    let show = |finding: &Finding| {
        let path = finding
            .locations
            .first()
            .map_or("", |place| place.path.as_str());
        format!("{} {path}", finding.rule).trim_end().to_owned()
    };
    let found: Vec<String> = verdict.findings.iter().map(show).collect();
    assert_eq!(found, expect);
    assert_eq!(
        verdict.ruling,
        if expect.is_empty() {
            Ruling::Pass
        } else {
            Ruling::Fail
        }
    );
}

fn paths(config: Value, paths: &[&str], expect: &[&str]) {
    let files: Vec<FileChange> = paths.iter().map(|path| file(path)).collect();
    check(config, &files, expect);
}

#[test]
fn allow_is_needed() {
    let docs = json!({ "allow": ["docs/**", "*.md"] });
    paths(docs.clone(), &["docs/a/b.png", "README.md", "docs"], &[]);
    paths(
        docs,
        &["src/a.rs", "x/README.md", "Docs/a.md"],
        &[
            "path-not-allowed src/a.rs",
            "path-not-allowed x/README.md",
            "path-not-allowed Docs/a.md",
        ],
    );
    paths(json!({}), &["any/where", ".hidden"], &[]);
}

#[test]
fn deny_wins_in_any_case() {
    let config = json!({ "allow": ["**"], "deny": ["docs/legal/**", "**/.env*"] });
    paths(
        config,
        &[
            "docs/a.md",
            "docs/legal/x.md",
            "DOCS/Legal/x.md",
            "docs/legal",
            "a/.ENV.local",
            ".env",
        ],
        &[
            "denied-path docs/legal/x.md",
            "denied-path DOCS/Legal/x.md",
            "denied-path docs/legal",
            "denied-path a/.ENV.local",
            "denied-path .env",
        ],
    );
}

#[test]
fn deny_sees_what_a_file_system_would() {
    let config = json!({ "deny": [
        "infra/**", ".env", "ünit/**", "straße/**", "docs/**", "office/**", "**/*.key", ".github/workflows/**"
    ] });
    let seen = [
        "infra./x",
        "Infra /x",
        "infra::$DATA",
        "in\u{200b}fra/x",
        ".env.",
        ".env:x",
        ".ENV. .",
        "u\u{308}nit/x",
        "UNIT/x".replace('U', "U\u{308}").as_str(),
        "STRASSE/x",
        "STRAẞE/x",
        "doc\u{17f}/x",
        "ｄｏｃｓ/x",
        "o\u{fb03}ce/x",
        "docs\u{61c}/x",
        "docs\u{115f}/x",
        "docs\u{e0041}/x",
        "a.key\u{3164}",
        "a.key\u{e0100}",
        "a.\u{212a}ey",
        "GITHUB~1/workflows/x.yml",
        "GITHUB~1/WORKFL~1/x.yml",
        "GITHUB~1./workflows/x.yml",
    ]
    .map(str::to_owned);
    for path in &seen {
        paths(
            config.clone(),
            &[path],
            &[format!("denied-path {path}").trim_end()],
        );
    }
    paths(
        config,
        &[
            "infra.md",
            "x/infra",
            ".environment",
            "a:b",
            "unit/x",
            "strase/x",
            "doc/x",
            "a.keys",
            "GITLAB~1/workflows/x.yml",
            "GITHUB~1/x.yml",
            "backup~/x",
            "notes~1",
        ],
        &[],
    );
}

#[test]
fn a_rename_is_judged_at_both_ends() {
    let mut renamed = file("docs/b.md");
    renamed.renamed_from = Some("secrets/b.md".to_owned());
    check(
        json!({ "deny": ["secrets/**"] }),
        &[renamed],
        &["denied-path secrets/b.md"],
    );
}

#[test]
fn modes() {
    let with = |old_mode, new_mode| FileChange {
        old_mode,
        new_mode,
        ..file("a")
    };
    let refused = [
        (with(0, 0o100_755), "made-executable a"),
        (with(0o100_644, 0o100_755), "made-executable a"),
        (with(0o120_000, 0o100_755), "made-executable a"),
        (with(0, 0o120_000), "symlink a"),
        (with(0o120_000, 0o120_000), "symlink a"),
        (with(0, 0o160_000), "odd-mode a"),
        (with(0, 0o104_755), "odd-mode a"),
        (with(0, 0o010_644), "odd-mode a"),
    ];
    for (file, expect) in refused {
        check(json!({}), &[file], &[expect]);
    }
    let fine = [
        (0, 0o100_644),
        (0o100_755, 0o100_755),
        (0o100_755, 0o100_644),
        (0o120_000, 0),
        (0o100_644, 0),
    ];
    for (old, new) in fine {
        check(json!({}), &[with(old, new)], &[]);
    }
    check(
        json!({ "allow_executable": true }),
        &[with(0, 0o100_755)],
        &[],
    );
    check(
        json!({ "allow_symlinks": true }),
        &[with(0, 0o120_000)],
        &[],
    );
    check(
        json!({ "allow_symlinks": true, "allow_executable": true }),
        &[with(0, 0o160_000)],
        &["odd-mode a"],
    );
}

#[test]
fn files_are_counted() {
    paths(json!({ "max_files": 2 }), &["a", "b"], &[]);
    paths(json!({ "max_files": 1 }), &["a", "b"], &["too-many-files"]);
    let many: Vec<FileChange> = (0..5_000).map(|n| file(&format!("f{n}"))).collect();
    assert!(judged(json!({ "allow": ["x"] }), &many).findings.len() > 5_000);
}

#[test]
fn patterns_that_never_match_are_refused() {
    for glob in [
        "[[:alpha:]]*",
        "/docs/**",
        "./docs/**",
        "docs/",
        "a/../b",
        "a[",
        "{a",
        "***[",
        "a/[!b",
    ] {
        for key in ["allow", "deny"] {
            let cx = Context::test(json!({ key: [glob] }));
            let error = judge(&cx, &Change::test(vec![])).unwrap_err().to_string();
            assert!(error.contains(glob) && error.contains(key), "{error}");
        }
    }
}

#[test]
fn a_real_change_is_judged() {
    let change = Change::test(vec![
        TestFile::added("a.md", "x"),
        TestFile::deleted("b/c.md", "x"),
    ]);
    let verdict = judge(&Context::test(json!({ "allow": ["*.md"] })), &change).unwrap();
    assert_eq!(
        (verdict.ruling, verdict.summary.as_str()),
        (Ruling::Fail, "2 files differ; 1 finding")
    );
}
