//! Real locks and what can be done to them.

mod bound;
mod cargo;
mod npm;
mod patches;
mod settings;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

/// A tree before and after, and what the gate says of the difference.
struct Case {
    folder: TempDir,
    files: BTreeMap<String, (Option<String>, Option<String>)>,
    renamed: Vec<(String, String, String)>,
    config: Value,
}

impl Case {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            files: BTreeMap::new(),
            renamed: Vec::new(),
            config: json!({}),
        }
    }

    fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    fn same(self, path: &str, text: &str) -> Self {
        self.file(path, Some(text), Some(text))
    }

    fn modified(self, path: &str, before: &str, after: &str) -> Self {
        self.file(path, Some(before), Some(after))
    }

    fn file(mut self, path: &str, before: Option<&str>, after: Option<&str>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        self.files
            .insert(path.to_owned(), (owned(before), owned(after)));
        self
    }

    fn renamed(mut self, from: &str, to: &str, text: &str) -> Self {
        self.renamed
            .push((from.to_owned(), to.to_owned(), text.to_owned()));
        self
    }

    fn judged(&self) -> Verdict {
        let mut changes = Vec::new();
        let put = |path: &str, text: &str| {
            let place = self.folder.path().join(path);
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, text).unwrap();
        };
        for (from, to, text) in &self.renamed {
            put(to, text);
            changes.push(TestFile::renamed(from, to, text.as_str(), text.as_str()));
        }
        for (path, (before, after)) in &self.files {
            if let Some(after) = after {
                put(path, after);
            }
            match (before, after) {
                (Some(before), Some(after)) if before != after => {
                    changes.push(TestFile::modified(path, before.as_str(), after.as_str()));
                }
                (None, Some(after)) => changes.push(TestFile::added(path, after.as_str())),
                (Some(before), None) => changes.push(TestFile::deleted(path, before.as_str())),
                _ => {}
            }
        }
        let config = Context::test(self.config.clone()).config().unwrap();
        let tree = Tree::new(self.folder.path());
        judge_in(&tree, &config, &Change::test(changes)).unwrap()
    }

    /// `severity rule message` of each finding but the notes.
    fn check(&self, expect: &[&str]) {
        let verdict = self.judged();
        let found = verdict
            .findings
            .iter()
            .filter(|f| f.severity != Severity::Note);
        let found: Vec<String> = found.map(|f| format!("{} {}", f.rule, f.message)).collect();
        assert_eq!(found, expect, "{}", verdict.summary);
    }
}

#[test]
fn what_has_no_lock_is_nobodys_business() {
    let case = Case::new()
        .modified("src/a.rs", "1", "2")
        .modified(
            "Cargo.toml",
            "[package]\nname = 'a'\n",
            "[package]\nname = 'b'\n",
        )
        .modified("js/package.json", "{}", "{ }");
    assert_eq!(case.judged().ruling, Ruling::Abstain);
}

#[test]
fn only_locks_and_versions_may_differ_for_a_loop_that_updates() {
    let manifest = |version: &str, more: &str| {
        format!(
            "[package]\nname = 'a'\n{more}\n[dependencies]\nb = '{version}'\nc = {{ version = '{version}', features = [] }}\n"
        )
    };
    let package = |version: &str, more: &str| {
        format!(r#"{{ "name": "a", {more} "dependencies": {{ "b": "{version}" }} }}"#)
    };
    let bump = || {
        Case::new()
            .config(json!({ "lock_only": true }))
            .modified("Cargo.toml", &manifest("1", ""), &manifest("2", ""))
            .modified("js/package.json", &package("1", ""), &package("2", ""))
    };
    bump().check(&[]);
    bump()
        .modified("src/a.rs", "1", "2")
        .check(&["other-change differs, and is no manifest and no lock"]);
    let differs = "other-change differs in more than the versions that it asks for";
    let bump = |before: &str, after: &str, path: &str| {
        let case = Case::new().config(json!({ "lock_only": true }));
        case.modified(path, before, after).check(&[differs]);
    };
    bump(
        &manifest("1", ""),
        &manifest("1", "build = 'evil.rs'"),
        "Cargo.toml",
    );
    bump(
        &manifest("1", ""),
        &manifest("1", "").replace("[]", "['x']"),
        "Cargo.toml",
    );
    bump(
        &package("1", ""),
        &package("1", r#""scripts": { "postinstall": "x" },"#),
        "package.json",
    );
}

#[test]
fn errors_come_before_notes() {
    let mut report = Report::default();
    for _ in 0..300 {
        report.add(Finding::note("new-dependency", "a"));
    }
    report.add(Finding::error("new-source", "b"));
    let verdict = report.verdict();
    assert_eq!(verdict.ruling, Ruling::Fail);
    assert_eq!(
        (verdict.findings.len(), verdict.findings[0].rule.as_str()),
        (301, "new-source")
    );
    assert_eq!(
        verdict.summary,
        "no locks of no packages; 1 error, 300 notes"
    );
}

#[test]
fn a_lock_that_is_a_link_is_refused() {
    let case = Case::new().modified("js/real.lock", "1", "2");
    std::fs::create_dir_all(case.folder.path().join("js")).unwrap();
    let link = |from: &str| {
        std::os::unix::fs::symlink("js/real.lock", case.folder.path().join(from)).unwrap();
    };
    link("x.lock");
    assert_eq!(case.judged().ruling, Ruling::Abstain);
    link("Cargo.lock");
    case.check(&["unreadable is a link, and what it leads to may differ unseen"]);
    assert_eq!(case.judged().findings[0].locations[0].path, "Cargo.lock");
}

#[test]
fn a_config_that_is_none_is_refused() {
    for config in [
        json!({ "allow": "huge" }),
        json!({ "overrides": { "a": 1 } }),
        json!({ "x": 1 }),
    ] {
        let error = judge(&Context::test(config), &Change::test(vec![])).unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{error}");
    }
}
