//! Changes of tests in every language, and what is none.

use serde_json::{Value, json};

use super::*;

fn of(config: Value, files: Vec<TestFile>) -> Vec<String> {
    let verdict = judge(&Context::test(config), &Change::test(files)).unwrap();
    verdict
        .findings
        .iter()
        .map(|finding| finding.rule.clone())
        .collect()
}

fn check(path: &str, before: &str, after: &str, expect: &[&str]) {
    let found = of(json!({}), vec![TestFile::modified(path, before, after)]);
    assert_eq!(found, expect, "{path}\n{before}\n=>\n{after}");
}

/// One test that asserts twice, in each language, with `{}` where something may stand before or within.
const RUST: &str =
    "#[test]\nfn adds() {\n    assert_eq!(1 + 1, two());\n    assert!(two() > 1);\n}\n";
const PYTHON: &str = "def test_adds():\n    assert 1 + 1 == two()\n    assert two() > 1\n\nx = 1\n";
const JAVASCRIPT: &str =
    "it('adds', () => {\n  expect(1 + 1).toBe(two());\n  expect(two()).toBe(2);\n});\n";
const GO: &str = "func TestAdds(t *testing.T) {\n\tif two() != 2 {\n\t\tt.Errorf(\"no\")\n\t}\n\trequire.Equal(t, two(), 2)\n}\n";
const ALL: [(&str, &str); 4] = [
    ("a.rs", RUST),
    ("a.py", PYTHON),
    ("a.ts", JAVASCRIPT),
    ("a_test.go", GO),
];

#[test]
fn a_test_that_stays_is_fine() {
    for (path, text) in ALL {
        check(path, text, text, &[]);
        check(path, text, &format!("\n\n{text}"), &[]);
        check(path, "", text, &[]);
    }
}

#[test]
fn a_test_that_is_gone() {
    for (path, text) in ALL {
        check(path, text, "", &["test-removed"]);
        assert_eq!(
            of(json!({}), vec![TestFile::deleted(path, text)]),
            ["test-removed"],
            "{path}"
        );
    }
    check("a.rs", RUST, &format!("/*\n{RUST}*/\n"), &["test-removed"]);
    check(
        "a.rs",
        RUST,
        &RUST.replace("#[test]\n", ""),
        &["test-removed"],
    );
    check(
        "a.py",
        PYTHON,
        &format!("\"\"\"\n{PYTHON}\"\"\"\n"),
        &["test-removed"],
    );
    check(
        "a.py",
        PYTHON,
        &PYTHON.replace("test_adds", "adds"),
        &["test-removed"],
    );
    check(
        "a.ts",
        JAVASCRIPT,
        &format!("/*{JAVASCRIPT}*/"),
        &["test-removed"],
    );
    check(
        "a_test.go",
        GO,
        &GO.replace("TestAdds", "testAdds"),
        &["test-removed"],
    );
}

#[test]
fn a_test_that_moves_is_still_there() {
    for (path, text) in ALL {
        let moved = vec![
            TestFile::deleted(path, text),
            TestFile::added(format!("sub/{path}"), text),
        ];
        assert_eq!(of(json!({}), moved), [""; 0], "{path}");
    }
    for (path, text, from, to) in [
        ("a.rs", RUST, "adds", "adds_up"),
        ("a.py", PYTHON, "test_adds", "test_adds_up"),
        ("a.ts", JAVASCRIPT, "adds", "adds up"),
        ("a_test.go", GO, "TestAdds", "TestAddsUp"),
    ] {
        check(path, text, &text.replace(from, to), &[]);
        // Under another name, and doing something else.
        let other = text
            .replace(from, to)
            .replace('2', "3")
            .replace("1 + 1", "3");
        check(path, text, &other, &["test-removed"]);
    }
}

#[test]
fn a_test_that_is_skipped() {
    for (path, text, skipped) in [
        (
            "a.rs",
            RUST,
            RUST.replace("#[test]", "#[test]\n#[ignore = \"slow\"]"),
        ),
        (
            "a.py",
            PYTHON,
            format!("@pytest.mark.skip(reason='x')\n{PYTHON}"),
        ),
        (
            "a.py",
            PYTHON,
            format!("@unittest.skipIf(True, 'x')\n{PYTHON}"),
        ),
        (
            "a.py",
            PYTHON,
            PYTHON.replace("():\n", "():\n    pytest.skip()\n"),
        ),
        ("a.ts", JAVASCRIPT, JAVASCRIPT.replace("it(", "it.skip(")),
        ("a.ts", JAVASCRIPT, JAVASCRIPT.replace("it(", "xit(")),
        (
            "a_test.go",
            GO,
            GO.replace("{\n\tif", "{\n\tt.Skip()\n\tif"),
        ),
    ] {
        check(path, text, &skipped, &["test-skipped"]);
        check(path, &skipped, text, &[]);
        check(path, "", &skipped, &["test-skipped"]);
        let change = Change::test(vec![TestFile::added(path, skipped)]);
        assert_eq!(
            judge(&Context::test(json!({})), &change).unwrap().ruling,
            Ruling::Pass
        );
    }
    let group = format!("describe('all', () => {{\n{JAVASCRIPT}}});\n");
    check(
        "a.ts",
        &group,
        &group.replace("describe(", "describe.skip("),
        &["test-skipped"],
    );
}

#[test]
fn a_test_that_is_singled_out() {
    check(
        "a.ts",
        JAVASCRIPT,
        &JAVASCRIPT.replace("it(", "it.only("),
        &["test-focused"],
    );
    check(
        "a.ts",
        JAVASCRIPT,
        &JAVASCRIPT.replace("it(", "fit("),
        &["test-focused"],
    );
    check(
        "a.ts",
        "",
        &JAVASCRIPT.replace("it(", "test.only("),
        &["test-focused"],
    );
}

#[test]
fn a_test_that_asserts_less() {
    for (path, text, line) in [
        ("a.rs", RUST, "    assert!(two() > 1);\n"),
        ("a.py", PYTHON, "    assert two() > 1\n"),
        ("a.ts", JAVASCRIPT, "  expect(two()).toBe(2);\n"),
        ("a_test.go", GO, "\trequire.Equal(t, two(), 2)\n"),
    ] {
        let less = text.replace(line, "");
        check(path, text, &less, &["fewer-assertions"]);
        let files = || vec![TestFile::modified(path, text, less.as_str())];
        assert_eq!(of(json!({ "fewer_assertions": "off" }), files()), [""; 0]);
    }
    for (path, before, after) in [
        ("a.rs", RUST, "#[test]\nfn adds() { two(); }\n"),
        ("a.rs", RUST, "#[test]\nfn adds() { assert!(true); }\n"),
        ("a.py", PYTHON, "def test_adds():\n    pass\n"),
        ("a.py", PYTHON, "def test_adds():\n    assert True\n"),
        (
            "a.ts",
            JAVASCRIPT,
            "it('adds', () => { expect(true).toBe(true); });\n",
        ),
        ("a_test.go", GO, "func TestAdds(t *testing.T) {}\n"),
    ] {
        check(path, before, after, &["assertions-removed"]);
    }
}

#[test]
fn forms_of_tests() {
    for (path, text, names) in [
        (
            "a.rs",
            "#[tokio::test(flavor = \"x\")]\nasync fn a() {}\n#[cfg(test)]\nmod t { #[rstest]\n#[case(1)]\nfn b(#[case] n: u8) {} fn c() {} }",
            vec!["a", "b"],
        ),
        (
            "a.rs",
            "#[test] fn a() { let s = \"}\"; } #[derive(X)] struct Y; fn b() {}",
            vec!["a"],
        ),
        (
            "a.py",
            "class TestX:\n    async def test_a(self):\n        pass\n    def helper(self): pass\n    def test_b(self): pass\n",
            vec!["test_a", "test_b"],
        ),
        (
            "a.ts",
            "describe('x', () => { it.each([[1]])('a %i', (n) => {}); test(`b`, f); emit('c'); x.it('d'); });",
            vec!["a %i", "b"],
        ),
        (
            "a_test.go",
            "func Test_a(t *testing.T) {}\nfunc Testify() {}\nfunc FuzzX(f *testing.F) {}\nfunc (s *S) TestB() {}",
            vec!["Test_a", "FuzzX"],
        ),
    ] {
        let found: Vec<String> = tests(Language::of(path).unwrap(), text)
            .into_iter()
            .map(|test| test.name)
            .collect();
        assert_eq!(found, names, "{text}");
    }
}

#[test]
fn other_files_have_no_tests() {
    for path in ["a.md", "a.go", "Makefile", "a.rs.txt"] {
        assert_eq!(Language::of(path), None, "{path}");
        check(path, RUST, "", &[]);
    }
    let ignored = vec![TestFile::deleted("old/a.rs", RUST)];
    assert_eq!(of(json!({ "ignore": ["old/**"] }), ignored), [""; 0]);
}

#[test]
fn a_file_that_became_unreadable() {
    let file = TestFile::modified("a.rs", RUST, vec![0xff]);
    assert_eq!(of(json!({}), vec![file]), ["not-read", "test-removed"]);
}

#[test]
fn odd_sources_end() {
    for text in [
        "#[",
        "#[test]\nfn",
        "#[test]\nfn a() {",
        "\"",
        "r#\"",
        "/*",
        "it(",
        "it('",
        "def test_",
        "func Test",
        "#[test]#[test",
        "'\\",
        "it.each([",
    ] {
        for path in ["a.rs", "a.py", "a.ts", "a_test.go"] {
            let _found = tests(Language::of(path).unwrap(), text);
        }
    }
}
