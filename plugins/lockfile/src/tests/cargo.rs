//! Cargo's locks.

use super::*;

const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A file of a release of hexyl.
fn hexyl(version: &str, kind: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real");
    std::fs::read_to_string(format!("{folder}/hexyl-{version}.{kind}")).unwrap()
}

/// From one release to another.
fn release(from: &str, to: &str) -> Case {
    Case::new()
        .modified("Cargo.toml", &hexyl(from, "toml"), &hexyl(to, "toml"))
        .modified("Cargo.lock", &hexyl(from, "lock"), &hexyl(to, "lock"))
}

#[test]
fn real_releases_pass() {
    for (from, to) in [("0.12.0", "0.14.0"), ("0.14.0", "0.16.0")] {
        let case = release(from, to);
        case.check(&[]);
        let verdict = case.judged();
        assert_eq!(verdict.ruling, Ruling::Pass);
        assert!(
            verdict.findings.iter().all(|f| f.rule == "new-dependency"),
            "{verdict:?}"
        );
        assert!(!verdict.findings.is_empty());
    }
}

#[test]
fn steps_of_a_real_release_are_seen() {
    let errors = |config: Value| {
        let verdict = release("0.14.0", "0.16.0").config(config).judged();
        let errors = verdict
            .findings
            .into_iter()
            .filter(|f| f.severity == Severity::Error);
        errors.map(|f| f.message).collect::<Vec<String>>()
    };
    let minor = errors(json!({ "allow": "minor" }));
    assert!(
        minor.contains(
            &"owo-colors 4.1.0 from 3.5.0 is a major step, and minor is what is allowed".to_owned()
        ),
        "{minor:?}"
    );
    let patch = errors(json!({ "allow": "patch" }));
    assert!(patch.len() > minor.len(), "{patch:?}");
    let without = errors(json!({ "allow": "minor", "overrides": { "owo-colors": "major" } }));
    assert_eq!(without.len(), minor.len() - 1);
    assert!(!errors(json!({ "allow_new": false })).is_empty());
}

#[test]
fn a_manifest_without_its_lock_is_stale() {
    let manifest = hexyl("0.14.0", "toml");
    let lock = hexyl("0.14.0", "lock");
    let check = |after: &str, expect: &[&str]| {
        Case::new()
            .same("Cargo.lock", &lock)
            .modified("Cargo.toml", &manifest, after)
            .check(expect);
    };
    check(
        &manifest.replace(
            "[dependencies.anyhow]\nversion = \"1.0\"",
            "[dependencies.anyhow]\nversion = \"2\"",
        ),
        &["out-of-range anyhow is 1.0.75, and Cargo.toml asks for ^2"],
    );
    check(
        &manifest.replace("[dependencies.anyhow]", "[dependencies.nobody]"),
        &[
            "stale-lock nobody ^1.0 is not in Cargo.lock",
            "stale-lock hexyl needs anyhow here, and Cargo.toml does not ask for it",
        ],
    );
    check(
        &manifest.replace("version = \"0.14.0\"", "version = \"0.15.0\""),
        &["stale-lock hexyl 0.15.0 is not in Cargo.lock"],
    );
    check(
        &manifest.replace(
            "[dependencies.anyhow]\n",
            "[dependencies.anyhow]\ngit = \"https://x.test/anyhow\"\n",
        ),
        &["stale-lock anyhow comes from elsewhere than Cargo.toml says"],
    );
    check("[package", &["unreadable unclosed table, expected `]`"]);
}

/// The entry of a package in a lock.
fn entry(lock: &str, name: &str) -> String {
    let entries = lock
        .split("\n\n")
        .filter(|entry| entry.contains(&format!("name = \"{name}\"\n")));
    entries.last().unwrap().to_owned()
}

#[test]
fn what_can_be_done_to_a_lock_is_seen() {
    let manifest = hexyl("0.14.0", "toml");
    let lock = hexyl("0.14.0", "lock");
    let anyhow = entry(&lock, "anyhow");
    let check = |changed: &str, expect: &[&str]| {
        assert_ne!(changed, anyhow);
        let case = Case::new().same("Cargo.toml", &manifest);
        case.modified("Cargo.lock", &lock, &lock.replace(&anyhow, changed))
            .check(expect);
    };
    let digest = "a4668cab20f66d8d020e1fbc0ebe47217433c1b6c8f2040faf858554e394ace6";
    let sum = anyhow
        .lines()
        .find(|line| line.starts_with("checksum"))
        .unwrap();
    let version = |to: &str| anyhow.replace("1.0.75", to).replace(digest, "00");
    check(&version("1.0.76"), &[]);
    check(
        &version("1.0.74"),
        &["downgrade anyhow 1.0.74 was 1.0.75 before"],
    );
    check(
        &version("2.0.0"),
        &["out-of-range anyhow is 2.0.0, and Cargo.toml asks for ^1.0"],
    );
    check(
        &anyhow.replace(sum, "checksum = \"00\""),
        &[&format!(
            "checksum-changed anyhow 1.0.75 is another file than before: 00, and was {digest}"
        )],
    );
    check(
        &anyhow.replace(&format!("\n{sum}"), ""),
        &[
            "checksum-missing anyhow 1.0.75 has no checksum",
            &format!(
                "checksum-changed anyhow 1.0.75 is another file than before: none, and was {digest}"
            ),
        ],
    );
    check(
        &anyhow.replace("rust-lang/crates.io-index", "evil/index"),
        &[
            "stale-lock anyhow comes from elsewhere than Cargo.toml says",
            "new-source anyhow 1.0.75 comes from registry+https://github.com/evil/index, as nothing did before",
            "source-changed anyhow 1.0.75 comes from registry+https://github.com/evil/index, and came from registry+https://github.com/rust-lang/crates.io-index",
        ],
    );
    check(
        &anyhow.replace(INDEX, "git+https://x.test/anyhow?rev=1#1"),
        &[
            "stale-lock anyhow comes from elsewhere than Cargo.toml says",
            "new-source anyhow 1.0.75 comes from git+https://x.test/anyhow, as nothing did before",
            "source-changed anyhow 1.0.75 comes from git+https://x.test/anyhow, and came from registry+https://github.com/rust-lang/crates.io-index",
        ],
    );
    check(
        &anyhow.replace("name = \"anyhow\"", "name = \"anyhoww\""),
        &[
            "stale-lock hexyl needs `anyhow`, which is not one package here",
            "stale-lock anyhoww 1.0.75 is there, and nothing needs it",
            "stale-lock anyhow ^1.0 is not in Cargo.lock",
        ],
    );
}

#[test]
fn a_lock_may_begin_and_may_not_go() {
    let manifest = hexyl("0.14.0", "toml");
    let lock = hexyl("0.14.0", "lock");
    let begin = Case::new()
        .same("Cargo.toml", &manifest)
        .file("Cargo.lock", None, Some(&lock));
    begin.check(&[]);
    assert!(begin.judged().findings.is_empty());
    let elsewhere = lock.replacen("rust-lang/crates.io-index", "evil/index", 1);
    let begin =
        Case::new()
            .same("Cargo.toml", &manifest)
            .file("Cargo.lock", None, Some(&elsewhere));
    assert_eq!(begin.judged().findings[0].rule, "new-source");
    let gone = || Case::new().file("Cargo.lock", Some(&lock), None);
    gone()
        .same("Cargo.toml", &manifest)
        .check(&["lock-removed is gone, and its manifest is not"]);
    gone().check(&[]);
}

const ROOT: &str = "[workspace]\nmembers = ['crates/*', 'tool']\nexclude = ['crates/old']\n[workspace.package]\nversion = '1.0.0'\n[workspace.dependencies]\nserde = '1'\na = { path = 'crates/a' }\n";
const WORKSPACE_LOCK: &str = r#"version = 4
[[package]]
name = "a"
version = "1.0.0"
dependencies = ["c", "serde 1.0.5"]
[[package]]
name = "b"
version = "0.1.0"
dependencies = ["a", "serde 2.0.0"]
[[package]]
name = "c"
version = "0.0.0"
[[package]]
name = "serde"
version = "1.0.5"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "1"
[[package]]
name = "serde"
version = "2.0.0"
source = "git+https://x.test/serde?branch=next#abc"
[[package]]
name = "tool"
version = "1.0.0"
dependencies = ["serde 1.0.5"]
"#;

fn workspace() -> Case {
    Case::new()
        .same("Cargo.toml", ROOT)
        .same("crates/a/Cargo.toml", "[package]\nname = 'a'\nversion.workspace = true\n[dependencies]\nserde.workspace = true\n[target.'cfg(unix)'.dev-dependencies]\nc = { path = '../../elsewhere/c' }\n")
        .same("crates/b/Cargo.toml", "[package]\nname = 'b'\nversion = '0.1.0'\n[build-dependencies]\na.workspace = true\nother = { package = 'serde', git = 'https://x.test/serde', branch = 'next' }\n")
        .same("crates/old/Cargo.toml", "[package]\nname = 'old'\n[dependencies]\ngone = '9'\n")
        .same("crates/notes/README.md", "")
        .same("elsewhere/c/Cargo.toml", "[package]\nname = 'c'\n")
        .same("tool/Cargo.toml", "[package]\nname = 'tool'\nversion = '1.0.0'\n[dependencies]\nserde = '1.0.5'\n")
}

#[test]
fn a_workspace_is_judged_as_one() {
    let lock = || workspace().modified("Cargo.lock", "version = 4\n", WORKSPACE_LOCK);
    lock()
        .config(json!({ "sources": ["git+https://x.test/serde"] }))
        .check(&[]);
    // By one member that differs, all of them.
    let differs = |path: &str, before: &str, after: &str, expect: &[&str]| {
        workspace()
            .same("Cargo.lock", WORKSPACE_LOCK)
            .modified(path, before, after)
            .check(expect);
    };
    let tool = "[package]\nname = 'tool'\nversion = '1.0.0'\n[dependencies]\nserde = '1.0.6'\n";
    differs(
        "tool/Cargo.toml",
        "",
        tool,
        &["out-of-range serde is 1.0.5, and tool/Cargo.toml asks for ^1.0.6"],
    );
    differs(
        "elsewhere/c/Cargo.toml",
        "",
        "[package]\nname = 'c'\nversion = '0.0.1'\n",
        &["stale-lock c 0.0.1 is not in Cargo.lock"],
    );
    differs(
        "Cargo.toml",
        "",
        &ROOT.replace("serde = '1'", "serde = '2'"),
        &["out-of-range serde is 1.0.5, and crates/a/Cargo.toml asks for ^2"],
    );
    differs(
        "Cargo.toml",
        "",
        &ROOT.replace("'tool'", "'tool', 'gone'"),
        &["unreadable member gone has no manifest"],
    );
    differs(
        "Cargo.toml",
        "",
        &ROOT.replace("'tool'", "'tool', '../x'"),
        &["unreadable member `../x` lies outside"],
    );
    differs(
        "crates/b/Cargo.toml",
        "",
        "[package]\nname = 'b'\nversion = '0.1.0'\n[dependencies]\nnone.workspace = true\n",
        &["unreadable `none` is in no workspace"],
    );
}

#[test]
fn a_commit_that_moves_is_a_major_step() {
    let moved = WORKSPACE_LOCK.replace("#abc", "#def");
    let case = |allow: &str| {
        workspace()
            .modified("Cargo.lock", WORKSPACE_LOCK, &moved)
            .config(json!({ "allow": allow }))
    };
    case("major").check(&[]);
    case("minor").check(&[
        "step-too-large serde 2.0.0 from 2.0.0 is a major step, and minor is what is allowed",
    ]);
}

#[test]
fn old_and_odd_locks() {
    let manifest = "[package]\nname = 'a'\nversion = '1.0.0'\n[dependencies]\nb = '1'\n";
    let old = format!(
        "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\"b 1.0.0 ({INDEX})\"]\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"{INDEX}\"\n[metadata]\n\"checksum b 1.0.0 ({INDEX})\" = \"SUM\"\n"
    );
    let case = |before: &str, after: &str| {
        Case::new()
            .same("Cargo.toml", manifest)
            .modified("Cargo.lock", before, after)
    };
    case(&old, &format!("{old}\n")).check(&[]);
    case(&old, &old.replace("SUM", "other"))
        .check(&["checksum-changed b 1.0.0 is another file than before: other, and was SUM"]);
    case(&old, "version = 5\n").check(&["unreadable is of version 5, which is not known here"]);
    case(&old, "]").check(&["unreadable missing table open, expected `[`"]);
    // A lock that says one thing twice says nothing.
    let twice = format!("{old}[[package]]\nname = 'b'\nversion = '1.0.0'\nsource = '{INDEX}'\n")
        .replace("[metadata]", "")
        .replace("\"checksum", "# ");
    assert!(
        case(&old, &twice)
            .judged()
            .findings
            .iter()
            .any(|f| f.message.contains("not one package"))
    );
}

/// `RINGFENCE_CRATES` names a folder of unpacked crates, such as Cargo's `registry/src/…`: each that has a lock is judged
/// as new, and each release against the one before it. The figures of `docs/gates.md` are from here.
#[test]
fn crates_of_a_registry() {
    let Ok(folder) = std::env::var("RINGFENCE_CRATES") else {
        return;
    };
    let read = |path: &std::path::Path| std::fs::read_to_string(path).ok();
    let mut releases: BTreeMap<String, Vec<(semver::Version, String, String)>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let (Some(manifest), Some(lock)) = (
            read(&path.join("Cargo.toml")),
            read(&path.join("Cargo.lock")),
        ) else {
            continue;
        };
        let table: toml::Table = manifest.parse().unwrap();
        let text = |key: &str| {
            table["package"][key]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let Ok(version) = text("version").parse() else {
            continue;
        };
        releases
            .entry(text("name"))
            .or_default()
            .push((version, manifest, lock));
    }
    let (mut new, mut steps, mut loud) = (0, 0, 0);
    for (name, mut releases) in releases {
        releases.sort();
        let mut before: Option<&(semver::Version, String, String)> = None;
        for release in &releases {
            let (version, manifest, lock) = release;
            let case = match before {
                None => Case::new().file("Cargo.toml", None, Some(manifest)).file(
                    "Cargo.lock",
                    None,
                    Some(lock),
                ),
                Some((_, old, old_lock)) => Case::new()
                    .modified("Cargo.toml", old, manifest)
                    .modified("Cargo.lock", old_lock, lock),
            };
            new += usize::from(before.is_none());
            steps += usize::from(before.is_some());
            let verdict = case.judged();
            loud += usize::from(verdict.ruling == Ruling::Fail);
            for finding in verdict
                .findings
                .iter()
                .filter(|f| f.severity != Severity::Note)
                .take(5)
            {
                println!("{name} {version}: {} {}", finding.rule, finding.message);
            }
            before = Some(release);
        }
    }
    println!("{new} locks, {steps} steps from one release to the next, {loud} refused");
    assert!(new > 0);
}

#[test]
fn versions_beside_each_other_are_told_apart() {
    let lock = |versions: &[&str]| {
        let needs: Vec<String> = versions
            .iter()
            .map(|version| format!("'b {version}'"))
            .collect();
        let mut lock = format!(
            "[[package]]\nname = 'a'\nversion = '1.0.0'\ndependencies = [{}]\n",
            needs.join(", ")
        );
        for version in versions {
            lock.push_str(&format!("[[package]]\nname = 'b'\nversion = '{version}'\nsource = '{INDEX}'\nchecksum = '{version}'\n"));
        }
        lock
    };
    for (before, after, expect) in [
        (
            &["1.0.5", "2.0.0"][..],
            &["1.0.4", "2.0.0"][..],
            "downgrade b 1.0.4 was 1.0.5 before",
        ),
        (&["1.0.5", "2.0.0"], &["1.0.6", "2.0.0"], ""),
        (
            &["2.11.0"],
            &["1.3.2", "2.13.0"],
            "step-too-large b 1.3.2 from 2.11.0 is a major step, and minor is what is allowed",
        ),
        (
            &["2.11.0"],
            &["1.3.2"],
            "downgrade b 1.3.2 was 2.11.0 before",
        ),
        (
            &["1.0.0"],
            &["1.0.0", "2.0.0"],
            "step-too-large b 2.0.0 beside 1.0.0 is a major step, and minor is what is allowed",
        ),
        (&["1.0.0", "2.0.0"], &["2.0.0"], ""),
    ] {
        let case = Case::new().modified("Cargo.lock", &lock(before), &lock(after));
        let expect: Vec<&str> = Some(expect)
            .filter(|expect| !expect.is_empty())
            .into_iter()
            .collect();
        case.config(json!({ "allow": "minor" })).check(&expect);
    }
}
