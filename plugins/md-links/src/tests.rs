//! Golden fixtures: `fixtures/<case>/before` for the sensor, with `after` for the gate, `config.json` for both, and
//! what is expected in `expected.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ringfence_markdown::Kind;
use serde_json::{Value, json};

use super::*;

fn read(path: &Path) -> Option<Value> {
    fs::read_to_string(path)
        .ok()
        .map(|text| serde_json::from_str(&text).unwrap())
}

/// Every file below `folder` by its path in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let tree = Tree::read(folder).unwrap();
    tree.files()
        .map(|path| (path.to_owned(), fs::read(folder.join(path)).unwrap()))
        .collect()
}

fn scope(case: &Path) -> Scope {
    let config = read(&case.join("config.json")).unwrap_or_else(|| json!({}));
    Scope::new(Context::test(config).config().unwrap()).unwrap()
}

/// What the sensor says of the files before.
fn sensed(case: &Path) -> Value {
    let root = case.join("before");
    let seen = observe::observe(&Tree::read(&root).unwrap(), &Disk::at(&root), &scope(case));
    let show = |item: &Item| {
        let suggestion = item
            .detail
            .get("suggestion")
            .and_then(Value::as_str)
            .unwrap_or("-");
        format!(
            "{}:{} {} → {suggestion}",
            item.detail["line"], item.detail["column"], item.title
        )
    };
    let items: Vec<String> = seen.items.iter().map(show).collect();
    json!({ "signal": seen.signal, "items": items, "unreadable": seen.detail["unreadable"] })
}

/// What the gate says of the change from `before` to `after`.
fn judged(case: &Path) -> Value {
    let (before, after) = (files(&case.join("before")), files(&case.join("after")));
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = paths
        .into_iter()
        .filter_map(|path| match (before.get(path), after.get(path)) {
            (Some(old), Some(new)) => {
                (old != new).then(|| TestFile::modified(path, old.clone(), new.clone()))
            }
            (None, Some(new)) => Some(TestFile::added(path, new.clone())),
            (old, None) => old.map(|old| TestFile::deleted(path, old.clone())),
        });
    let change = Change::test(changed.collect());
    let root = case.join("after");
    let verdict = judge::judge(
        &Tree::read(&root).unwrap(),
        &Disk::at(&root),
        &change,
        &scope(case),
    )
    .unwrap();
    let show = |finding: &Finding| {
        let place = finding.locations.first().unwrap();
        let Finding {
            severity,
            rule,
            message,
            help,
            ..
        } = finding;
        let said = format!(
            "{severity:?} {rule} {}:{}:{} {message}",
            place.path, place.line, place.column
        );
        if help.is_empty() {
            said
        } else {
            format!("{said} ({help})")
        }
    };
    let findings: Vec<String> = verdict.findings.iter().map(show).collect();
    json!({ "ruling": format!("{:?}", verdict.ruling), "summary": verdict.summary, "findings": findings })
}

#[test]
fn fixtures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 15, "{cases:?}");
    let mut wrong = Vec::new();
    for case in cases {
        let actual = if case.join("after").is_dir() {
            judged(&case)
        } else {
            sensed(&case)
        };
        if read(&case.join("expected.json")).as_ref() != Some(&actual) {
            wrong.push(format!(
                "{}\n{}",
                case.display(),
                serde_json::to_string_pretty(&actual).unwrap()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Files by path; of what is listed last, nothing may be looked at.
struct Memory(BTreeMap<String, String>, &'static [&'static str]);

impl ringfence_markdown::Files for Memory {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        if self.is_hidden(path) {
            return Err(std::io::ErrorKind::PermissionDenied.into());
        }
        self.0
            .get(path)
            .map(|text| text.clone().into_bytes())
            .ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }

    fn link(&self, path: &str) -> std::io::Result<String> {
        let bytes = self.read(path)?;
        String::from_utf8(bytes).map_err(|_| std::io::ErrorKind::InvalidData.into())
    }

    fn is_hidden(&self, path: &str) -> bool {
        self.1.iter().any(|folder| path.starts_with(folder))
    }
}

fn observed(files: &[(&str, &str)]) -> Observation {
    let files = Memory(
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect(),
        &["vendor/"],
    );
    let tree = Tree::of(files.0.keys().map(|path| (path.clone(), Kind::File)));
    observe::observe(&tree, &files, &Scope::new(Config::default()).unwrap())
}

#[test]
fn what_moves_about_keeps_signal_and_ids() {
    let seen = observed(&[("a.md", "[x](b.md) [x](b.md) [y](c.md)\n")]);
    let moved = observed(&[
        ("a.md", "# New\n\n[y](c.md)\n\n[x](b.md)\n\nand [x](b.md)\n"),
        ("new.md", "# N\n"),
    ]);
    let ids = |seen: &Observation| {
        seen.items
            .iter()
            .map(|item| item.id.clone())
            .collect::<BTreeSet<String>>()
    };
    assert_eq!(seen.signal, moved.signal);
    assert_eq!(ids(&seen), ids(&moved));
    assert_eq!(ids(&seen).len(), 2, "all occurrences are one item");
    let other = observed(&[("a.md", "[x](b.md) [y](c.md)\n")]);
    assert_ne!(seen.signal, other.signal);
}

/// What the gate says where nothing in `vendor` may be looked at: the ruling, or what it lacks.
fn guarded(config: Value, files: &[(&str, &str)], change: Vec<TestFile>) -> String {
    let owned = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let files = Memory(owned.collect(), &["vendor/"]);
    let tree = Tree::of(files.0.keys().map(|path| (path.clone(), Kind::File)));
    let scope = Scope::new(Context::test(config).config().unwrap()).unwrap();
    match judge::judge(&tree, &files, &Change::test(change), &scope) {
        Ok(verdict) => format!("{:?}", verdict.ruling),
        Err(error) => error.to_string(),
    }
}

#[test]
fn there_is_no_verdict_on_what_may_not_be_looked_at() {
    let nothing = || json!({});
    let (old, new) = ("[a](vendor/a.md)\n", "[a](vendor/a.md)\n[b](vendor/b.md)\n");
    let links = |before: &str, after: &str| {
        guarded(
            nothing(),
            &[("a.md", after)],
            vec![TestFile::modified("a.md", before, after)],
        )
    };
    let lacks =
        |what: &str| format!("unavailable: {what}: grant reading it, or name it in `ignore`");
    let new_link = lacks("a.md links to vendor/b.md, which this plugin may not look at");
    assert_eq!(links(old, new), new_link);
    assert_eq!(links(new, &new.replace("b.md", "b.md#x")), new_link);
    // What stood there before says nothing about the change.
    assert_eq!(links(old, &format!("{old}\nmore\n")), "Pass");
    let added = |config: Value| {
        let change = vec![TestFile::added("a.md", new)];
        guarded(config, &[("a.md", new)], change)
    };
    assert!(
        added(nothing()).ends_with("(1 more like this): grant reading it, or name it in `ignore`")
    );
    assert_eq!(added(json!({ "ignore": ["vendor/**"] })), "Pass");
    let document = || vec![TestFile::modified("vendor/a.md", "a\n", "[x](gone.md)\n")];
    assert_eq!(
        guarded(nothing(), &[], document()),
        lacks("vendor/a.md cannot be read: this plugin may not")
    );
    assert_eq!(
        guarded(json!({ "ignore": ["vendor/**"] }), &[], document()),
        "Abstain"
    );
    let gone = vec![TestFile::deleted("vendor/a.md", "a\n")];
    assert_eq!(
        guarded(nothing(), &[("a.md", old)], gone),
        lacks("a.md links to vendor/a.md, which this plugin may not look at")
    );
}

#[test]
fn the_sensor_passes_over_what_may_not_be_looked_at() {
    assert!(observed(&[("a.md", "[a](vendor/a.md)\n")]).items.is_empty());
    assert_eq!(observed(&[("a.md", "[a](b.md)\n")]).items.len(), 1);
}

#[test]
fn no_finding_of_the_gate_is_left_out() {
    let text: String = (0..600).map(|n| format!("[x](gone-{n}.md)\n")).collect();
    let files = Memory(BTreeMap::from([("a.md".to_owned(), text.clone())]), &[]);
    let tree = Tree::of([("a.md".to_owned(), Kind::File)]);
    let scope = Scope::new(Config::default()).unwrap();
    let change = Change::test(vec![TestFile::added("a.md", text)]);
    let verdict = judge::judge(&tree, &files, &change, &scope).unwrap();
    assert_eq!(verdict.findings.len(), 600);
}

#[test]
fn a_fixable_item_says_what_its_repair_takes() {
    let seen = observed(&[("a.md", "[x](b.md)\n"), ("docs/b.md", "")]);
    let [item] = seen.items.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!(item.labels, ["broken-link", "missing-file", "fixable"]);
    let expect = json!({ "path": "a.md", "line": 1, "column": 5, "target": "b.md", "rule": "missing-file",
                         "suggestion": "docs/b.md" });
    assert_eq!(item.detail, expect);
}

#[test]
fn a_route_of_a_published_site_is_left_alone() {
    let docs = [
        ("docs/guide/npm-ls.md", ""),
        ("docs/a.md", "[x](/commands/npm-ls)\n"),
    ];
    let seen = observed(&docs);
    assert!(
        seen.items
            .iter()
            .all(|item| !item.labels.contains(&"fixable".to_owned())),
        "{seen:?}"
    );
    let rooted = [("docs/guide/b.md", ""), ("docs/a.md", "[x](/docs/b.md)\n")];
    assert!(
        observed(&rooted)
            .items
            .iter()
            .any(|item| item.labels.contains(&"fixable".to_owned()))
    );
}

#[test]
fn hostile_workspaces_give_bounded_answers() {
    let many = (0..30_000)
        .map(|n| format!("[x](gone-{n}.md)\n"))
        .collect::<String>();
    let long = format!("[x]({})\n", "a/".repeat(100_000));
    let seen = observed(&[("long.md", &long), ("many.md", &many)]);
    assert!(seen.items.len() <= SHOWN_MAX);
    assert_eq!(seen.detail["broken"], 30_001);
    let size = seen.signal.to_string().len() + seen.detail.to_string().len();
    assert!(size < 500_000, "{size}");
    let deep = format!("{}x.md", "folder/".repeat(500));
    let wide = (0..400)
        .map(|n| format!("[x]({n}{})\n", "y".repeat(2_000)))
        .collect::<String>();
    let seen_deep = observed(&[(&deep, &wide)]);
    let size = seen_deep
        .signal
        .to_string()
        .len()
        .max(seen_deep.detail.to_string().len());
    assert!(size < 500_000, "{size}");
    let other = observed(&[
        ("long.md", &long),
        ("many.md", &many.replace("gone-29999", "gone-x")),
    ]);
    assert_ne!(seen.signal, other.signal, "what is cut off still counts");
}

#[test]
fn a_wrong_config_is_an_error() {
    for config in [
        json!({ "roots": ["../x"] }),
        json!({ "roots": ["/docs"] }),
        json!({ "ignore": ["[[:alpha:]]"] }),
        json!({ "ignore": ["a["] }),
        json!({ "ignore": ["!a"] }),
        json!({ "root_relative": "site" }),
        json!({ "root": [] }),
    ] {
        let scope = Context::test(config.clone()).config().and_then(Scope::new);
        assert!(matches!(scope, Err(Error::Config(_))), "{config}");
    }
}

/// What the gate finds in a tree with links in the file system, which are listed last and say where they lead.
fn with_links(
    files: &[(&str, &str)],
    links: &[(&str, &str)],
    change: Vec<TestFile>,
) -> (Ruling, Vec<String>) {
    let all = files.iter().chain(links);
    let all = all.map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let memory = Memory(all.collect(), &[]);
    let entries = files.iter().map(|(path, _)| (*path, Kind::File));
    let entries = entries.chain(links.iter().map(|(path, _)| (*path, Kind::Link)));
    let tree = Tree::of(entries.map(|(path, kind)| (path.to_owned(), kind)));
    let scope = Scope::new(Config::default()).unwrap();
    let verdict = judge::judge(&tree, &memory, &Change::test(change), &scope).unwrap();
    let findings = verdict.findings.iter();
    let errors = findings.filter(|finding| finding.severity == Severity::Error);
    (
        verdict.ruling,
        errors.map(|finding| finding.rule.clone()).collect(),
    )
}

#[test]
fn a_link_that_leads_nowhere_in_the_place_of_a_target() {
    let (a, b) = (
        "[b](docs/b.md) ![c](docs/c.png)\n[h](docs/b.md#head)\n",
        "# Head\n",
    );
    let replaced = |to: &'static str| {
        let change = vec![TestFile::modified("docs/b.md", b, to)];
        with_links(
            &[
                ("a.md", a),
                ("docs/c.png", ""),
                ("notes.txt", "x"),
                ("x.md", "# Head\n"),
            ],
            &[("docs/b.md", to)],
            change,
        )
    };
    for to in ["nowhere", "b.md", "/etc/passwd", "../../x.md"] {
        let broken = vec!["missing-file".to_owned(); 2];
        assert_eq!(replaced(to), (Ruling::Fail, broken), "{to}");
    }
    // A page that is text has no headings.
    assert_eq!(
        replaced("../notes.txt"),
        (Ruling::Fail, vec!["missing-anchor".to_owned()])
    );
    assert_eq!(replaced("../x.md").1, [""; 0]);

    let folder = |to: &'static str, more: &[(&str, &str)]| {
        let change = vec![
            TestFile::deleted("docs/b.md", b),
            TestFile::deleted("docs/c.png", "x"),
            TestFile::added("docs", to),
        ];
        with_links(&[&[("a.md", a)], more].concat(), &[("docs", to)], change)
    };
    for to in ["nowhere", "docs"] {
        let broken = vec!["missing-file".to_owned(); 3];
        assert_eq!(folder(to, &[]), (Ruling::Fail, broken), "{to}");
    }
    let moved = [("new/b.md", b), ("new/c.png", "")];
    assert_eq!(folder("new", &moved), (Ruling::Pass, vec![]));
}

#[test]
fn what_a_link_in_the_file_system_leads_to_counts() {
    let a = "[b](alias.md)\n[c](alias.md#head)\n";
    let links = [("alias.md", "real.md")];
    let added = |files: &[(&str, &str)]| {
        let files = [&[("a.md", a)], files].concat();
        with_links(&files, &links, vec![TestFile::added("a.md", a)]).1
    };
    assert_eq!(added(&[]), ["missing-file", "missing-file"]);
    assert_eq!(added(&[("real.md", "# Other\n")]), ["missing-anchor"]);
    assert_eq!(added(&[("real.md", "# Head\n")]), [""; 0]);
    // Behind a link that stays, something goes.
    let gone = vec![TestFile::deleted("real.md", "# Head\n")];
    assert_eq!(
        with_links(&[("a.md", a)], &links, gone).1,
        ["missing-file", "missing-file"]
    );
    let other = vec![TestFile::modified("real.md", "# Head\n", "# Other\n")];
    let files = [("a.md", a), ("real.md", "# Other\n")];
    assert_eq!(with_links(&files, &links, other).1, ["missing-anchor"]);
}

#[test]
fn a_tree_is_walked_only_where_a_link_can_break() {
    let told = |file: TestFile, modes: Option<(u32, u32)>| {
        let mut file = Change::test(vec![file]).files()[0].clone();
        (file.old_mode, file.new_mode) = modes.unwrap_or((file.old_mode, file.new_mode));
        crate::judge::breaks_nothing(&file)
    };
    let modified = |path: &str| TestFile::modified(path, "a", "b");
    assert!(told(TestFile::added("a.rs", "x"), None));
    assert!(told(modified("a.rs"), None));
    assert!(told(modified("a.sh"), Some((0o100_644, 0o100_755))));
    for (file, modes) in [
        (TestFile::added("a.MD", "x"), None),
        (modified("docs/a.markdown"), None),
        (TestFile::deleted("a.rs", "x"), None),
        (TestFile::renamed("a.rs", "b.rs", "x", "x"), None),
        (modified("a"), Some((0o100_644, 0o120_000))),
        (modified("a"), Some((0o120_000, 0o120_000))),
        (modified("a"), Some((0o120_000, 0o100_644))),
    ] {
        assert!(!told(file.clone(), modes), "{file:?}");
    }
    // No folder is there to be listed: the answer comes without.
    let change = Change::test(vec![modified("a.rs")]);
    assert_eq!(
        crate::judge::untouched(&change).unwrap().ruling,
        Ruling::Abstain
    );
}
