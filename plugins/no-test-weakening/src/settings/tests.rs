//! Settings of every tool, and what is none of their business.

use serde_json::json;

use super::*;
use crate::tests_of::{RUST, check, of};
use crate::{Change, TestFile, judge as judge_all};

/// The severities that are found when a file goes from one text to another.
fn severities(path: &str, before: &str, after: &str) -> Vec<Severity> {
    let change = Change::test(vec![TestFile::modified(path, before, after)]);
    let verdict = judge_all(&Context::test(json!({})), &change).unwrap();
    let of_settings = |finding: &&Finding| finding.rule == "test-settings";
    let found = verdict.findings.iter().filter(of_settings);
    found.map(|finding| finding.severity).collect()
}

#[test]
fn a_switch_of_a_target_is_found_however_it_is_written() {
    let base = "[package]\nname = \"a\"\n[[bench]]\nname = \"b\"\nharness = false\n[[test]]\nname = \"t\"\n";
    for more in [
        // The line is there already, for the bench.
        "harness = false\n",
        "\"harness\" = false\n",
        "'h\\u0061rness' = false\n[lib]\n\"t\\u0065st\" = false\n",
        "[lib]\ntest = false\n",
        "[lib]\n\"test\" = false\n",
        "[ lib ]\ntest=false # fine\n",
        "[\"lib\"]\n\"doctest\" = false\n",
        "[[bin]]\nname = \"c\"\ntest = false\n",
    ] {
        let after = format!("{base}{more}");
        assert_eq!(
            severities("Cargo.toml", base, &after),
            [Severity::Error],
            "{more}"
        );
        assert_eq!(severities("Cargo.toml", &after, &after), [], "{more}");
    }
    for more in [
        "lib.test = false\n",
        "lib = { test = false }\n",
        "test = [{ name = \"t\", harness = false }]\n",
    ] {
        assert_eq!(
            severities("a/Cargo.toml", "", more),
            [Severity::Error],
            "{more}"
        );
    }
}

#[test]
fn a_target_that_moves_takes_along_what_it_said() {
    let base = "[[test]]\nname = \"a\"\nharness = false\n\n[[test]]\nname = \"b\"\n";
    let renamed = base.replace("\"a\"", "\"c\"");
    assert_eq!(severities("Cargo.toml", base, &renamed), []);
    let sorted = "[[test]]\nname = \"b\"\n\n[[test]]\nharness = false\nname = \"a\"\n";
    assert_eq!(severities("Cargo.toml", base, sorted), []);
    // From one that stays to another one.
    let other = "[[test]]\nname = \"a\"\n\n[[test]]\nname = \"b\"\nharness = false\n";
    assert_eq!(severities("Cargo.toml", base, other), [Severity::Error]);
    for fine in [
        "[[bench]]\nname = \"x\"\nharness = false\n",
        "[[example]]\nname = \"x\"\ntest = false\n",
        "[lib]\ntest = true\n",
        "[package]\ndescription = \"\"\"\n[lib]\ntest = false\n\"\"\"\n",
        "[dependencies]\ntest = { version = \"1\", default-features = false }\n",
    ] {
        assert_eq!(severities("Cargo.toml", "", fine), [], "{fine}");
    }
    let features = format!("{base}required-features = [\"x\"]\n");
    assert_eq!(
        severities("Cargo.toml", base, &features),
        [Severity::Warning]
    );
}

#[test]
fn a_test_that_is_no_target_any_more() {
    let all = "[package]\nautotests = false\n[[test]]\nname = \"a\"\n[[test]]\nname = \"b\"\n";
    let of_manifest = |after: &str| {
        let files = vec![
            TestFile::modified("Cargo.toml", all, after),
            TestFile::modified("tests/a.rs", RUST, RUST),
            TestFile::modified("tests/b.rs", RUST, RUST),
        ];
        of(json!({}), files)
    };
    assert_eq!(of_manifest(&format!("{all}\n")), [""; 0]);
    let fewer = all.replace("[[test]]\nname = \"b\"\n", "");
    assert_eq!(of_manifest(&fewer), ["test-settings"]);
    let elsewhere = format!("{all}path = \"tests/none.rs\"\n");
    assert_eq!(of_manifest(&elsewhere), ["test-settings"]);
}

#[test]
fn settings_that_run_nothing_are_errors_and_others_warnings() {
    let package = |script: &str| format!("{{\"scripts\": {{\"test\": {}}}}}", json!(script));
    for (path, before, after, expect) in [
        (
            "package.json",
            package("jest"),
            package("true"),
            Severity::Error,
        ),
        (
            "package.json",
            package("jest"),
            package("jest || true"),
            Severity::Error,
        ),
        (
            "package.json",
            package("jest"),
            package("vitest"),
            Severity::Warning,
        ),
        (
            "package.json",
            package("jest"),
            "{}".to_owned(),
            Severity::Warning,
        ),
        (
            "package.json",
            package("jest"),
            "{\"scripts\": {\"t\\u0065st\": \"exit 0\"}}".to_owned(),
            Severity::Error,
        ),
        (
            "pytest.ini",
            String::new(),
            "[pytest]\npython_files = never_*.py\n".to_owned(),
            Severity::Warning,
        ),
        (
            "pyproject.toml",
            String::new(),
            "python_files = []\n".to_owned(),
            Severity::Error,
        ),
        (
            "jest.config.js",
            String::new(),
            "testMatch: ['**/a.js'],\n".to_owned(),
            Severity::Warning,
        ),
        (
            "jest.config.js",
            String::new(),
            "testMatch: [],\n".to_owned(),
            Severity::Error,
        ),
        (
            "pytest.ini",
            String::new(),
            "addopts = -p no:python\n".to_owned(),
            Severity::Error,
        ),
        (
            "conftest.py",
            String::new(),
            "def pytest_sessionfinish(session):\n".to_owned(),
            Severity::Warning,
        ),
        (
            "conftest.py",
            String::new(),
            "    session.exitstatus = 0\n".to_owned(),
            Severity::Error,
        ),
        (
            "a/conftest.py",
            String::new(),
            "def pytest_collection_modifyitems(items):\n".to_owned(),
            Severity::Error,
        ),
        (
            "conftest.py",
            String::new(),
            "def pytest_generate_tests(metafunc):\n".to_owned(),
            Severity::Warning,
        ),
        (
            "conftest.py",
            String::new(),
            "def pytest_runtest_makereport():\n".to_owned(),
            Severity::Warning,
        ),
        (
            ".cargo/config.toml",
            String::new(),
            "runner = \"true\"\n".to_owned(),
            Severity::Error,
        ),
        (
            ".cargo/config.toml",
            String::new(),
            "runner = \"qemu-arm\"\n".to_owned(),
            Severity::Warning,
        ),
    ] {
        assert_eq!(
            severities(path, &before, &after),
            [expect],
            "{path} {after}"
        );
        assert_eq!(severities(path, &after, &after), [], "{path} {after}");
    }
    for (path, text) in [
        ("config.toml", "runner = \"true\"\n"),
        ("conftest.py", "def pytest_addoption(parser):\n"),
        (
            "package.json",
            "{\"scripts\": {\"build\": \"true\", \"latest\": \"x\"}}",
        ),
        ("package.json", "{\"test\": \"true\"}"),
    ] {
        assert_eq!(severities(path, "", text), [], "{path} {text}");
    }
    let new = |path: &str| of(json!({}), vec![TestFile::added(path, "[pytest]\n")]);
    assert_eq!(new("pytest.ini"), ["test-settings"]);
    assert_eq!(new("setup.cfg"), [""; 0]);
}

#[test]
fn options_of_pytest_that_run_nothing_are_errors() {
    for (path, text) in [
        ("pytest.ini", "addopts = --co\n"),
        ("pytest.ini", "addopts = -q --collect-only\n"),
        ("tox.ini", "setenv =\n  PYTEST_ADDOPTS=--collect-only\n"),
        ("tox.ini", "commands = pytest -k nothing\n"),
        ("setup.cfg", "addopts = -qknothing\n"),
        ("pyproject.toml", "addopts = [\"-ra\", \"-k\", \"x\"]\n"),
        ("pyproject.toml", "addopts = \"--ignore=tests\"\n"),
        ("noxfile.py", "session.run(\"pytest\", \"-k\", \"x\")\n"),
    ] {
        assert_eq!(
            severities(path, "", text)[..1],
            [Severity::Error],
            "{path} {text}"
        );
    }
    let errors = |text: &str| {
        let found = severities("setup.cfg", "addopts =\n  -q\n", text);
        found
            .iter()
            .filter(|severity| **severity == Severity::Error)
            .count()
    };
    assert_eq!(errors("addopts =\n  -q\n  # -k x\n\n  -k nothing\n"), 1);
    assert_eq!(errors("addopts =\n  -q\nother = -k nothing\n"), 0);
    for text in [
        "-ra",
        "-m 'not slow'",
        "-p kitten",
        "-pkitten",
        "-n auto -rk",
        "--cov=k -W k",
        "--color=yes",
    ] {
        let text = format!("addopts = {text}\n");
        assert_eq!(
            severities("pytest.ini", "", &text),
            [Severity::Warning],
            "{text}"
        );
    }
    let toml = "addopts = [\n\"-q\",\n\"-k\",\n\"x\",\n]\nother = \"-k\"\n";
    assert_eq!(
        severities("pyproject.toml", "", toml),
        [Severity::Warning, Severity::Error]
    );
}

#[test]
fn a_library_that_is_elsewhere() {
    let at = |path: &str| {
        severities(
            "Cargo.toml",
            "[lib]\n",
            &format!("[lib]\npath = \"{path}\"\n"),
        )
    };
    assert_eq!(at("src/other.rs"), [Severity::Warning]);
    assert_eq!(at("src/lib.rs"), []);
    assert_eq!(at("./src/lib.rs"), []);
    let bin = "[[bin]]\nname = \"a\"\npath = \"a.rs\"\n";
    assert_eq!(severities("Cargo.toml", "", bin), []);
}

#[test]
fn settings_say_which_tests_are_run() {
    for (path, before, after, expect) in [
        (
            "Cargo.toml",
            "[lib]\n",
            "[lib]\ntest = false\n",
            &["test-settings"][..],
        ),
        (
            "Cargo.toml",
            "[package]\nautotests = false\n",
            "[package]\n\nautotests=false\n",
            &[],
        ),
        ("Cargo.toml", "", "[[bench]]\nharness = false\n", &[]),
        (
            "Cargo.toml",
            "",
            "[[test]]\nharness = false\n",
            &["test-settings"],
        ),
        (
            "tests/conftest.py",
            "",
            "collect_ignore_glob = [\"*\"]\n",
            &["test-settings"],
        ),
        ("tests/conftest.py", "", "import x\n", &[]),
        ("pytest.ini", "", "addopts = -q\n", &["test-settings"]),
        ("pyproject.toml", "[tool.x]\n", "[tool.y]\n# addopts\n", &[]),
        (
            "jest.config.js",
            "",
            "testPathIgnorePatterns: ['.']\n",
            &["test-settings"],
        ),
        (
            "package.json",
            "{\"scripts\": {\n\"test\": \"jest\"\n}}",
            "{\"scripts\": {\n\"test\": \"true\"\n}}",
            &["test-settings"],
        ),
        ("a.md", "", "autotests = false\n", &[]),
    ] {
        check(path, before, after, expect);
    }
    let ruling = |text: &str| {
        let change = Change::test(vec![TestFile::added("pytest.ini", text)]);
        judge_all(&Context::test(json!({})), &change)
            .unwrap()
            .ruling
    };
    let cargo = |path: &str, text: &str| {
        let files = vec![
            TestFile::added("a/Cargo.toml", text),
            TestFile::modified(path, RUST, RUST),
        ];
        of(json!({}), files)
    };
    let listed = "[package]\nautotests = false\n[[test]]\nname = \"a\"\npath = \"tests/a.rs\"\n";
    for (path, text, expect) in [
        (
            "a/tests/a.rs",
            "[package]\nautotests = false\n",
            &["test-settings"][..],
        ),
        ("a/tests/b.rs", listed, &["test-settings"]),
        // Cargo itself writes so when it publishes.
        ("a/tests/a.rs", listed, &[]),
        ("a/src/a.rs", "[package]\nautotests = false\n", &[]),
        ("a/tests/a/b.rs", "[package]\nautotests = false\n", &[]),
    ] {
        assert_eq!(cargo(path, text), expect, "{path} {text}");
    }
    assert_eq!(ruling("addopts = -q\n"), Ruling::Pass);
    assert_eq!(ruling("addopts = --ignore=tests\n"), Ruling::Fail);
}
