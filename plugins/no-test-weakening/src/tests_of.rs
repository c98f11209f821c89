//! Changes of tests in every language, and what is none.
//! Long because it is a table of such changes.

mod real;

use serde_json::{Value, json};

use super::*;

pub(crate) fn of(config: Value, files: Vec<TestFile>) -> Vec<String> {
    let verdict = judge(&Context::test(config), &Change::test(files)).unwrap();
    verdict
        .findings
        .iter()
        .map(|finding| finding.rule.clone())
        .collect()
}

pub(crate) fn check(path: &str, before: &str, after: &str, expect: &[&str]) {
    let found = of(json!({}), vec![TestFile::modified(path, before, after)]);
    assert_eq!(found, expect, "{path}\n{before}\n=>\n{after}");
}

/// One test that asserts twice, in each language, with `{}` where something may stand before or within.
pub(crate) const RUST: &str =
    "#[test]\nfn adds() {\n    assert_eq!(1 + 1, two());\n    assert!(two() > 1);\n}\n";
const PYTHON: &str = "def test_adds():\n    assert 1 + 1 == two()\n    assert two() > 1\n\nx = 1\n";
const JAVASCRIPT: &str =
    "it('adds', () => {\n  expect(1 + 1).toBe(two());\n  expect(two()).toBe(2);\n});\n";
const GO: &str = "func TestAdds(t *testing.T) {\n\tif two() != 2 {\n\t\tt.Errorf(\"no\")\n\t}\n\trequire.Equal(t, two(), 2)\n}\n";
const ALL: [(&str, &str); 4] = [
    ("a.rs", RUST),
    ("test_a.py", PYTHON),
    ("a.test.ts", JAVASCRIPT),
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
        "test_a.py",
        PYTHON,
        &format!("\"\"\"\n{PYTHON}\"\"\"\n"),
        &["test-removed"],
    );
    check(
        "test_a.py",
        PYTHON,
        &PYTHON.replace("test_adds", "adds"),
        &["test-removed"],
    );
    check(
        "a.test.ts",
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
            TestFile::modified("src/lib.rs", "", "#[path = \"..\"] mod a;"),
        ];
        assert_eq!(of(json!({}), moved), [""; 0], "{path}");
    }
    for (path, text, from, to) in [
        ("a.rs", RUST, "adds", "adds_up"),
        ("test_a.py", PYTHON, "test_adds", "test_adds_up"),
        ("a.test.ts", JAVASCRIPT, "adds", "adds up"),
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
            "test_a.py",
            PYTHON,
            format!("@pytest.mark.skip(reason='x')\n{PYTHON}"),
        ),
        (
            "test_a.py",
            PYTHON,
            format!("@unittest.skipIf(True, 'x')\n{PYTHON}"),
        ),
        (
            "test_a.py",
            PYTHON,
            PYTHON.replace("():\n", "():\n    pytest.skip()\n"),
        ),
        (
            "a.test.ts",
            JAVASCRIPT,
            JAVASCRIPT.replace("it(", "it.skip("),
        ),
        ("a.test.ts", JAVASCRIPT, JAVASCRIPT.replace("it(", "xit(")),
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
        "a.test.ts",
        &group,
        &group.replace("describe(", "describe.skip("),
        &["test-skipped"],
    );
}

#[test]
fn a_test_that_is_singled_out() {
    check(
        "a.test.ts",
        JAVASCRIPT,
        &JAVASCRIPT.replace("it(", "it.only("),
        &["test-focused"],
    );
    check(
        "a.test.ts",
        JAVASCRIPT,
        &JAVASCRIPT.replace("it(", "fit("),
        &["test-focused"],
    );
    check(
        "a.test.ts",
        "",
        &JAVASCRIPT.replace("it(", "test.only("),
        &["test-focused"],
    );
}

#[test]
fn assertions_by_names_that_a_source_binds() {
    let own =
        "test('a', (t) => {\n  t.plan(2)\n  t.equal(two(), 2)\n  t.ok(two() > 1)\n  t.end()\n})\n";
    let plan = "test('a', async (t) => {\n  const plan = tspl(t, { plan: 2 })\n  plan.equal(two(), 2)\n  \
                plan.ok(two() > 1)\n  await plan.completed\n})\n";
    let bare = "const { equal, ok } = require('node:assert')\ntest('a', () => {\n  equal(two(), 2)\n  \
                ok(two() > 1)\n})\n";
    for (before, after) in [(own, plan), (plan, bare), (bare, own)] {
        check("a.test.js", before, after, &[]);
    }
    for (text, one, other) in [
        (own, "t.equal(two(), 2)", "t.pass()"),
        (own, "t.equal(two(), 2)", "t.comment(2)"),
        (plan, "plan.ok(two() > 1)", "plan.ok(true)"),
        (bare, "equal(two(), 2)", "two()"),
        // Bound to something else now.
        (bare, "require('node:assert')", "require('./helpers')"),
    ] {
        let less = text.replace(one, other);
        let all = other.contains("helpers");
        let rule = if all {
            "assertions-removed"
        } else {
            "fewer-assertions"
        };
        check("a.test.js", text, &less, &[rule]);
    }
}

#[test]
fn a_test_that_asserts_less() {
    for (path, text, line) in [
        ("a.rs", RUST, "    assert!(two() > 1);\n"),
        ("test_a.py", PYTHON, "    assert two() > 1\n"),
        ("a.test.ts", JAVASCRIPT, "  expect(two()).toBe(2);\n"),
        ("a_test.go", GO, "\trequire.Equal(t, two(), 2)\n"),
    ] {
        let less = text.replace(line, "");
        check(path, text, &less, &["fewer-assertions"]);
        let files = || vec![TestFile::modified(path, text, less.as_str())];
        // Whoever lets this pass lets no more pass.
        let verdict = judge(&Context::test(json!({})), &Change::test(files())).unwrap();
        let [finding] = verdict.findings.as_slice() else {
            panic!("{verdict:?}")
        };
        let said = finding.message.strip_prefix("test `").unwrap();
        assert!(said.ends_with("` has 1 assertion, and had 2"), "{said}");
        assert!(finding.locations[0].line > 0);
        assert_eq!(of(json!({ "fewer_assertions": "off" }), files()), [""; 0]);
    }
    for (path, before, after) in [
        ("a.rs", RUST, "#[test]\nfn adds() { two(); }\n"),
        ("a.rs", RUST, "#[test]\nfn adds() { assert!(true); }\n"),
        ("test_a.py", PYTHON, "def test_adds():\n    pass\n"),
        ("test_a.py", PYTHON, "def test_adds():\n    assert True\n"),
        (
            "a.test.ts",
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
            "test_a.py",
            "class TestX:\n    async def test_a(self):\n        pass\n    def helper(self): pass\n    def test_b(self): pass\n",
            vec!["test_a", "test_b"],
        ),
        (
            "a.test.ts",
            "describe('x', () => { it.each([[1]])('a %i', (n) => {}); test(`b`, f); emit('c'); x.it('d'); });",
            vec!["a %i", "b"],
        ),
        (
            "a_test.go",
            "func Test_a(t *testing.T) {}\nfunc Testify() {}\nfunc FuzzX(f *testing.F) {}\nfunc (s *S) TestB() {}",
            vec!["Test_a", "FuzzX"],
        ),
    ] {
        let found: Vec<String> = tests(Language::of(path).unwrap(), path, text)
            .into_iter()
            .map(|test| test.name)
            .collect();
        assert_eq!(found, names, "{text}");
    }
}

#[test]
fn a_change_without_tests_is_none_of_its_business() {
    for files in [
        vec![],
        vec![TestFile::modified("src/a.rs", "fn a() {}\n", "fn b() {}\n")],
        vec![TestFile::added("a.md", "x\n")],
        vec![TestFile::modified(
            "Cargo.toml",
            "",
            "[package]\nname = \"a\"\n",
        )],
    ] {
        let verdict = judge(&Context::test(json!({})), &Change::test(files)).unwrap();
        assert_eq!(verdict.ruling, Ruling::Abstain);
    }
    let change = Change::test(vec![TestFile::modified("a.rs", "", RUST)]);
    let verdict = judge(&Context::test(json!({})), &change).unwrap();
    assert_eq!(verdict.ruling, Ruling::Pass);
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
fn a_file_that_may_be_read_in_two_ways() {
    let coded = format!("# coding: utf-7\n{PYTHON}");
    check("test_a.py", PYTHON, &coded, &["not-read"]);
    check("test_a.py", &coded, &format!("{coded}\n"), &[]);
    let old = format!("{JAVASCRIPT}--> it('adds')\n");
    check("a.test.ts", JAVASCRIPT, &old, &["not-read"]);
    check("a.test.ts", &old, &format!("{old}\n"), &[]);
    check("src/a.ts", "", "--> x\n", &[]);
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
        for path in ["a.rs", "test_a.py", "a.test.ts", "a_test.go"] {
            let _found = tests(Language::of(path).unwrap(), path, text);
        }
    }
}

/// The rules that are found when a file goes from one text to another.
fn weakens(path: &str, before: &str, after: &str) {
    let found = of(json!({}), vec![TestFile::modified(path, before, after)]);
    let severe = [
        "test-removed",
        "test-skipped",
        "test-focused",
        "assertions-removed",
    ];
    assert!(
        found.iter().any(|rule| severe.contains(&rule.as_str())),
        "{path}: {found:?}\n{before}\n=>\n{after}"
    );
    let change = Change::test(vec![TestFile::modified(path, before, after)]);
    let verdict = judge(&Context::test(json!({})), &change).unwrap();
    assert_eq!(verdict.ruling, Ruling::Fail, "{path}\n{after}");
    // It is no worse than it was.
    check(path, after, after, &[]);
}

#[test]
fn a_test_that_is_skipped_under_another_name() {
    for (path, text, from, to) in [
        ("a.rs", RUST, "fn adds", "#[ignore]\nfn adds_"),
        ("a.rs", RUST, "fn adds", "#[should_panic]\nfn adds_"),
        ("test_a.py", PYTHON, "def test_adds", "@skip\ndef test_b"),
        ("a.test.ts", JAVASCRIPT, "it('adds'", "it.skip('b'"),
        ("a.test.ts", JAVASCRIPT, "it('adds'", "test.todo('b'"),
        (
            "a_test.go",
            GO,
            "TestAdds(t *testing.T) {",
            "TestB(t *testing.T) {\n\tt.Skip()",
        ),
    ] {
        weakens(path, text, &text.replace(from, to));
        let moved = vec![
            TestFile::deleted(path, text),
            TestFile::added(format!("tests/test_b_{path}"), text.replace(from, to)),
        ];
        assert!(
            of(json!({}), moved).contains(&"test-removed".to_owned()),
            "{path}"
        );
    }
}

#[test]
fn a_test_of_rust_that_does_not_run() {
    let module = format!("#[cfg(test)]\nmod tests {{\n{RUST}}}\n");
    for (from, to) in [
        ("#[test]", "#[test]\n#[cfg_attr(all(), ignore)]"),
        ("#[test]", "#[test]\n#[cfg(any())]"),
        ("#[test]", "#[cfg_attr(any(), test)]"),
        ("#[test]", "#[test] #[ignore]"),
        ("#[test]", "#[test]\n#[ignore /* x */ = \"y\"]"),
        ("#[test]", "#[test]\n#[should_panic]"),
        ("#[cfg(test)]", "#[cfg(all(test, feature = \"never\"))]"),
        ("#[cfg(test)]", "#[cfg(test)]\n#[cfg(any())]"),
        ("mod tests {", "mod tests {\n#![cfg(any())]"),
        ("mod tests {", "fn never() {"),
        ("mod tests {", "macro_rules! never {"),
        ("#[cfg(test)]", "#![cfg(never)]\n#[cfg(test)]"),
        ("fn adds() {", "fn adds() {\nreturn;"),
        ("fn adds() {", "fn adds() {\nif true { return; }"),
        ("fn adds() {", "fn adds() {\n{ return }"),
        ("fn adds() {", "fn adds() {\nstd::process::exit(0);"),
    ] {
        if to.starts_with("macro_rules") {
            continue;
        }
        weakens("a.rs", &module, &module.replace(from, to));
    }
    let never = RUST
        .replace("{\n", "{\nif false {\n")
        .replace("}\n", "}}\n");
    weakens("a.rs", RUST, &never);
    let within = |before: &str, after: &str| {
        let whole = RUST.replace("{\n", &format!("{{\n{before}\n"));
        whole.replace("}\n", &format!("{after}\n}}\n"))
    };
    for (before, after) in [
        ("let _ = std::panic::catch_unwind(|| {", "});"),
        ("catch_unwind(AssertUnwindSafe(|| {", "})).ok();"),
        ("drop(panic::catch_unwind(|| {", "}));"),
        ("async {", "};"),
        ("let _ = async move {", "};"),
        ("std::thread::spawn(|| {", "});"),
        ("let _ = tokio::spawn(async move {", "});"),
        ("let handle = thread::spawn(move || {", "});"),
    ] {
        weakens("a.rs", RUST, &within(before, after));
    }
    for (before, after) in [
        ("std::panic::catch_unwind(|| {", "}).unwrap();"),
        ("let end = catch_unwind(|| {", "}); end.unwrap();"),
        ("block_on(async {", "});"),
        ("async {", "}.await;"),
        ("let run = async {", "}; run.await;"),
        ("thread::spawn(|| {", "}).join().unwrap();"),
        (
            "let handle = thread::spawn(|| {",
            "}); handle.join().unwrap();",
        ),
        ("let _run = thread::spawn(|| {", "}); _run.join().unwrap();"),
        ("scope.spawn(|| {", "});"),
        ("all.push(thread::spawn(|| {", "}));"),
    ] {
        check("a.rs", RUST, &within(before, after), &[]);
    }
    let same = RUST
        .replace("assert_eq!(1 + 1, two())", "assert_eq!(two(), two())")
        .replace("two() > 1", "two() > 1 || true");
    weakens("a.rs", RUST, &same);
    weakens(
        "a.rs",
        RUST,
        &format!("macro_rules! assert_eq {{ ($($x:tt)*) => {{}} }}\n{RUST}"),
    );
    check(
        "a.rs",
        RUST,
        &format!("macro_rules! assert_all {{ ($($x:tt)*) => {{}} }}\n{RUST}"),
        &[],
    );
    let constant = RUST
        .replace("1 + 1", "\"a\"")
        .replace("two() > 1", "x == (1 || 2)");
    check("a.rs", RUST, &constant, &[]);
    for fine in [
        "#[cfg(not(miri))]",
        "#[cfg_attr(miri, ignore = \"slow\")]",
        "#[rustfmt::skip]",
    ] {
        check(
            "a.rs",
            RUST,
            &RUST.replace("#[test]", &format!("#[test]\n{fine}")),
            &[],
        );
    }
    // Another feature is another condition.
    let on = |feature: &str| {
        RUST.replace(
            "#[test]",
            &format!("#[test]\n#[cfg(feature = \"{feature}\")]"),
        )
    };
    weakens("a.rs", &on("std"), &on("never"));
    check("a.rs", &on("std"), RUST, &[]);
    check("a.rs", "", &on("std"), &[]);
    check(
        "a.rs",
        RUST,
        &RUST.replace("    assert!", "    if x { return; }\n    assert!"),
        &[],
    );
    check("a.rs", RUST, &RUST.replace("}\n", "    return;\n}\n"), &[]);
}

#[test]
fn a_module_of_rust_that_is_lost() {
    let parent = "#[cfg(test)]\nmod tests;\nmod more;\n";
    let of_parent = |after: &str| {
        let files = vec![
            TestFile::modified("src/a.rs", parent, after),
            TestFile::modified("src/a/tests.rs", RUST, RUST),
            TestFile::modified("src/a/more/mod.rs", "mod deep;", "mod deep;"),
            TestFile::modified("src/a/more/deep.rs", RUST, RUST),
        ];
        of(json!({}), files)
    };
    assert_eq!(of_parent(parent), [""; 0]);
    assert_eq!(
        of_parent(&parent.replace("mod tests;\n", "")),
        ["test-removed"]
    );
    assert_eq!(
        of_parent(&parent.replace("mod more;\n", "")),
        ["test-removed"]
    );
    assert_eq!(
        of_parent(&parent.replace("cfg(test)", "cfg(all(test, never))")),
        ["test-skipped"]
    );
    assert_eq!(
        of_parent("mod tests { mod x; }\nmod tests;\nmod more;"),
        [""; 0]
    );
    // A file that nothing names any more.
    for (from, to, names, expect) in [
        ("tests/a.rs", "attic/a.rs", "", vec!["test-skipped"]),
        ("tests/a.rs", "tests/all/a.rs", "mod a;", vec![]),
        ("tests/a.rs", "tests/b.rs", "", vec![]),
        ("src/a.rs", "src/a/mod.rs", "", vec![]),
        ("src/a.rs", "src/b.rs", "", vec!["test-skipped"]),
        ("src/a.rs", "src/b.rs", "mod b;", vec![]),
        (
            "src/a.rs",
            "src/b.rs",
            "#[path = \"b.rs\"] mod c;\nmod b;",
            vec![],
        ),
    ] {
        let files = vec![
            TestFile::renamed(from, to, RUST, RUST),
            TestFile::modified("tests/all/main.rs", "", names),
            TestFile::modified("src/lib.rs", "", names),
        ];
        assert_eq!(of(json!({}), files), expect, "{from} {to}");
    }
}

#[test]
fn a_test_of_python_that_does_not_run() {
    let class = "import pytest\nclass TestA:\n    def test_a(self):\n        assert f(1) == 2\n";
    for (from, to) in [
        ("class", "@pytest.mark.skip\nclass"),
        (
            "class",
            "@pytest.mark.skipif(\n    True,\n    reason='x',\n)\nclass",
        ),
        (
            "    def",
            "    @pytest.mark.skipif(\n        True,\n    )\n    def",
        ),
        ("class", "pytestmark = pytest.mark.skip\nclass"),
        ("    def", "    pytestmark = [pytest.mark.xfail]\n    def"),
        ("    def", "    __test__ = False\n    def"),
        ("class", "pytest.skip('x', allow_module_level=True)\nclass"),
        ("class", "pytest.importorskip('never')\nclass"),
        ("class", "raise unittest.SkipTest('x')\nclass"),
        ("class", "slow = pytest.mark.skip\n@slow\nclass"),
        ("class TestA", "class A"),
        ("class TestA", "class A(object)"),
        ("class TestA:", "def never():"),
        ("class TestA:", "if False:"),
        ("        assert", "        return\n        assert"),
        ("        assert", "        if True: return\n        assert"),
        (
            "        assert",
            "        if True:\n            return\n        assert",
        ),
        ("        assert", "        if False:\n          assert"),
        ("        assert", "        if 0: assert"),
        ("        assert", "        raise SkipTest\n        assert"),
        ("f(1) == 2", "f(1) == 2 or True"),
        ("f(1) == 2", "f(1) == f(1)"),
        ("f(1) == 2\n", "f(1) == 2\nTestA = None\n"),
        ("f(1) == 2\n", "f(1) == 2\ndel TestA\n"),
        ("f(1) == 2\n", "f(1) == 2\nclass TestA:\n    pass\n"),
        (
            "f(1) == 2\n",
            "f(1) == 2\n    def test_a(self):\n        pass\n",
        ),
        ("f(1) == 2\n", "f(1) == 2\n    test_a = None\n"),
        // A second one of the same name, which asserts something.
        (
            "f(1) == 2\n",
            "f(1) == 2\n    def test_a(self):\n        assert g() == 3\n",
        ),
        ("f(1) == 2\n", "f(1) == 2\nTestA.test_a.__test__ = False\n"),
        ("f(1) == 2\n", "f(1) == 2\nTestA.__test__ = False\n"),
        ("f(1) == 2\n", "f(1) == 2\nTestA.__unittest_skip__ = True\n"),
        ("f(1) == 2\n", "f(1) == 2\nTestA.test_a = None\n"),
        ("f(1) == 2\n", "f(1) == 2\ndel TestA.test_a\n"),
        ("f(1) == 2\n", "f(1) == 2\n    test_a.__test__ = False\n"),
        ("class", "__test__ = False\nclass"),
        ("class", "__test__: bool = not True\nclass"),
        ("    def", "    __test__: bool = False\n    def"),
        (
            "    def",
            "    def __init__(self):\n        self.x = 1\n    def",
        ),
        ("    def", "    @pytest.fixture\n    def"),
        ("        assert", "        yield\n        assert"),
        ("        assert", "        x = yield 1\n        assert"),
        ("assert f(1) == 2", "assert (f(1) == 2, 1)"),
        ("assert f(1) == 2", "assert (f(1) == 2, 'a message')"),
        ("assert f(1) == 2", "assert(f(1) == 2,)"),
        ("assert f(1) == 2", "assert [f(1) == 2]"),
        ("f(1) == 2", "f(1) == 2 or 1"),
        ("f(1) == 2", "(f(1) == 2 or\n            True)"),
        ("f(1) == 2", "f(1) == 2 or 'a message'"),
        ("f(1) == 2", "f(1) == 2 or not False, 'x'"),
        (
            "        assert f(1) == 2\n",
            "        try:\n            assert f(1) == 2\n        except BaseException:\n            pass\n",
        ),
        (
            "        assert f(1) == 2\n",
            "        try:\n            assert f(1) == 2\n        except:\n            print('x')\n",
        ),
        (
            "        assert f(1) == 2\n",
            "        try: assert f(1) == 2\n        except (ValueError, AssertionError): pass\n",
        ),
        (
            "        assert f(1) == 2\n",
            "        with contextlib.suppress(Exception):\n            assert f(1) == 2\n",
        ),
        (
            "import pytest\n",
            "import pytest; pytestmark = pytest.mark.skip\n",
        ),
        ("class", "if True: pytestmark = pytest.mark.skip\nclass"),
        (
            "class",
            "pytestmark: list = []\npytestmark += [pytest.mark.skip]\nclass",
        ),
        (
            "class",
            "pytestmark = []\npytestmark.append(pytest.mark.skip)\nclass",
        ),
        ("class", "pytestmark, x = pytest.mark.skip, 1\nclass"),
        ("class", "x = pytestmark = pytest.mark.skip\nclass"),
        ("class", "from a import b as pytestmark\nclass"),
        ("class", "import sys; sys.exit(0)\nclass"),
        ("    def", "    x = 1; __test__ = False\n    def"),
        ("class", "from unittest import skip as s\n@s\nclass"),
        (
            "class",
            "from unittest import (\n    a, skip as s)\n@s('x')\nclass",
        ),
        (
            "        assert",
            "        import pytest as p\n        p.skip()\n        assert",
        ),
        (
            "        assert",
            "        from pytest import skip as s; s('x')\n        assert",
        ),
        (
            "        assert",
            "        s = pytest.skip\n        s('x')\n        assert",
        ),
        ("    def", "    @pytest.mark.parametrize('x', [])\n    def"),
        (
            "    def",
            "    @pytest.mark.parametrize(argvalues=(), argnames='x')\n    def",
        ),
        ("class", "@pytest.mark.parametrize('x', [\n])\nclass"),
        ("class TestA:", "if os.environ.get('X'):\n  class TestA:"),
        ("class TestA:", "try:\n  import nothing\n  class TestA:"),
        ("        assert", "        x = 1; return\n        assert"),
        ("        assert", "        return; assert"),
        (
            "        assert f(1) == 2\n",
            "        try:\n            assert f(1) == 2\n        finally:\n            return\n",
        ),
        ("f(1) == 2\n", "f(1) == 2\nfor TestA in [None]: pass\n"),
        ("f(1) == 2\n", "f(1) == 2\nwith open('x') as TestA: pass\n"),
        (
            "f(1) == 2\n",
            "f(1) == 2\nwith a() as (x, TestA):\n    pass\n",
        ),
        ("f(1) == 2\n", "f(1) == 2\nfrom os import getcwd as TestA\n"),
        ("f(1) == 2\n", "f(1) == 2\nimport x as TestA\n"),
        ("f(1) == 2\n", "f(1) == 2\n(TestA := None)\n"),
        ("f(1) == 2\n", "f(1) == 2\nx = TestA = None\n"),
        ("f(1) == 2\n", "f(1) == 2\nif os: TestA = None\n"),
        ("f(1) == 2\n", "f(1) == 2\nif os:\n    TestA = None\n"),
        (
            "f(1) == 2\n",
            "f(1) == 2\n    for test_a in x:\n        pass\n",
        ),
        (
            "        assert",
            "        # x\r        return\n        assert",
        ),
        (
            "        assert",
            "        f'{\"#\"}'; return\n        assert",
        ),
    ] {
        let after = class.replace(from, to);
        assert_ne!(after, class, "{from}");
        weakens("tests/test_a.py", class, &after);
    }
    for (from, to) in [
        (
            "        assert f(1) == 2\n",
            "        try:\n            assert f(1) == 2\n        except ValueError:\n            pass\n",
        ),
        (
            "        assert f(1) == 2\n",
            "        try:\n            assert f(1) == 2\n        except AssertionError:\n            raise\n        except Exception:\n            pass\n",
        ),
        (
            "        assert f(1) == 2\n",
            "        try:\n            g()\n        except Exception:\n            pass\n        assert f(1) == 2\n",
        ),
        ("f(1) == 2", "f(x or True) == 2"),
        ("assert f(1) == 2", "assert (f(1), 1) == (2, 1)"),
        ("assert f(1) == 2", "assert (f(1) == 2), 'x or True'"),
        ("assert f(1) == 2", "self.assertEqual(1, f(1))"),
        (
            "        assert",
            "        def g():\n            yield 1\n        assert",
        ),
        ("    def", "    @inlineCallbacks\n    def"),
        (
            "class TestA:",
            "class TestA(unittest.TestCase):\n    def __init__(self):\n        pass",
        ),
        (
            "class",
            "@pytest.fixture\ndef test_app():\n    yield 1\n\nclass",
        ),
        ("class", "test_x == 3\nclass"),
        ("class", "from x import TestA\nclass"),
        ("class", "TestA = None; x = [TestA for TestA in y]\nclass"),
        (
            "f(1) == 2\n",
            "f(1) == 2\nx = [TestA == 1]\nx[TestA] <= 3\nf(TestA=3)\n",
        ),
        ("f(1) == 2\n", "f(1) == 2\ndef g():\n    TestA = None\n"),
        ("    def", "    @pytest.mark.parametrize('x', [1])\n    def"),
        ("class TestA:", "with x:\n  class TestA:"),
        (
            "        assert",
            "        if x: y = 1; return\n        assert",
        ),
        ("    def", "    __test__ = True\n    def"),
    ] {
        let after = class.replace(from, to);
        assert_ne!(after, class, "{from}");
        check("tests/test_a.py", class, &after, &[]);
    }
    let yields = class.replace("        assert", "        yield g()\n        assert");
    check(
        "tests/test_a.py",
        &yields.replace("    def", "    @gen_test\n    def"),
        &yields.replace("    def", "    @gen_test()\n    def"),
        &[],
    );
    // One of two, of which nobody ran the first.
    let twice = format!("{class}    def test_a(self):\n        assert g() == 3\n");
    let once = class.replace("f(1) == 2", "g() == 3");
    check("tests/test_a.py", &twice, &once, &[]);
    let moved = |to: &str| {
        of(
            json!({}),
            vec![TestFile::renamed("tests/test_a.py", to, class, class)],
        )
    };
    assert_eq!(moved("attic.py"), ["test-skipped"]);
    assert_eq!(moved("tests/.old/test_a.py"), ["test-skipped"]);
    assert_eq!(moved("build/test_a.py"), ["test-skipped"]);
    assert_eq!(moved("tests/a_test.py"), [""; 0]);
    // Lines that go on.
    let long = "def test_a(\n    x,\n):\n    y = \"\"\"\ntext\n\"\"\"\n    assert x == y\n";
    check(
        "test_a.py",
        long,
        &long.replace("    assert x == y\n", "    pass\n"),
        &["assertions-removed"],
    );
    check(
        "test_a.py",
        "def test_a(): assert x\n",
        "def test_a(): pass\n",
        &["assertions-removed"],
    );
    // Both are there, for different systems.
    let both = "if x:\n    def test_a():\n        assert 1 == y\nelse:\n    def test_a():\n        assert 2 == y\n";
    check("test_a.py", both, &format!("\n{both}"), &[]);
    check(
        "test_a.py",
        both,
        both.split("else").next().unwrap(),
        &["test-removed"],
    );
}

#[test]
fn a_test_of_javascript_that_does_not_run() {
    let group = format!("describe('all', () => {{\n{JAVASCRIPT}}});\n");
    for (from, to) in [
        ("describe('all'", "describe.skip('every'"),
        ("describe('all'", "xdescribe('every'"),
        ("describe('all'", "describe.skipIf(true)('all'"),
        ("describe('all'", "test.describe.skip('all'"),
        ("describe('all'", "if (false) { describe('all'"),
        ("describe('all', ", "describe('all', { skip: true }, "),
        ("it('adds', ", "it('adds', { skip: 'x' }, "),
        ("it('adds', ", "it('adds', { todo: true }, "),
        ("it('adds'", "it . skip('adds'"),
        ("it('adds'", "it/**/.skip('adds'"),
        ("it('adds'", "it.fails('adds'"),
        ("it('adds'", "it.runIf(false)('adds'"),
        ("it('adds'", "it['skip']('adds'"),
        ("it('adds'", "it.skip.each`x`('adds'"),
        ("it('adds'", "if (false) { it('adds'"),
        ("describe('all'", "describe['skip']('all'"),
        ("describe('all'", "describe[`skip`]('all'"),
        ("describe('all'", "describe['sk' + 'ip']('all'"),
        ("describe('all'", "describe?.skip('all'"),
        ("describe('all', ", "describe('all', { ['skip']: true }, "),
        ("it('adds', ", "it('adds', { 'skip': true }, "),
        ("it('adds'", "it.each([])('adds'"),
        ("it('adds'", "if (process.env.X) { it('adds'"),
        ("it('adds'", "if (x) {} else { it('adds'"),
        ("it('adds'", "if (process.env.X) it('adds'"),
        ("it('adds'", "if (f(x))\n it('adds'"),
        ("it('adds'", "process.env.X && it('adds'"),
        ("it('adds'", "process.env.X &&\n it('adds'"),
        ("it('adds'", "false && it('adds'"),
        ("=> {\n  expect", "=> {\n  /`/; return; /`/\n  expect"),
        (
            "=> {\n  expect",
            "=> {\n  `${'`'}`; return; `${'`'}`\n  expect",
        ),
        ("=> {\n  expect", "=> {\n  // x\u{2028}return\n  expect"),
        ("=> {\n  expect", "=> {\n  return;\n  expect"),
        ("=> {\n  expect", "=> {\n  return\n  expect"),
        ("=> {\n  expect", "=> {\n  f()\n  return\n  expect"),
        ("=> {\n  expect", "=> {\n  if (true) { return }\n  expect"),
        ("=> {\n  expect", "=> {\n  this.skip();\n  expect"),
        ("=> {\n  expect", "=> {\n  test.skip(true, 'x');\n  expect"),
    ] {
        let after = group.replace(from, to);
        assert_ne!(after, group, "{from}");
        weakens("a.test.ts", &group, &after);
    }
    let tried = |catch: &str| {
        let inner = JAVASCRIPT.replace("=> {\n", "=> {\n  try {\n");
        inner.replace("\n});", &format!("\n  }} catch (e) {{{catch}}}\n}});"))
    };
    weakens("a.test.ts", JAVASCRIPT, &tried(" /* fine */ "));
    weakens("a.test.ts", JAVASCRIPT, &tried(" ; "));
    let caught = |catch: &str| {
        let inner = JAVASCRIPT.replace("=> {\n", "=> {\n  return f().then(() => {\n");
        inner.replace("\n});", &format!("\n  }}).catch({catch})\n}});"))
    };
    for catch in [
        "() => {}",
        "(e) => {}",
        "_ => { ; }",
        "function () {}",
        "() => null",
        "noop",
    ] {
        weakens("a.test.ts", JAVASCRIPT, &caught(catch));
    }
    for catch in [
        "done",
        "(e) => done(e)",
        "(e) => { throw e }",
        "e => console.log(e)",
    ] {
        check("a.test.ts", JAVASCRIPT, &caught(catch), &[]);
    }
    let beside = JAVASCRIPT.replace("\n});", "\n  f().catch(() => {});\n});");
    check("a.test.ts", JAVASCRIPT, &beside, &[]);
    for fine in [
        "x.if (a) { b }\n",
        "if (x) y()\n",
        "if (x) y\n",
        "if (x) { y() }\n",
        "const a = b && c;\n",
        "for (const x of [1]) f(x);\n",
        "const [a] = it.x ?? b;\n",
    ] {
        check("a.test.ts", JAVASCRIPT, &format!("{fine}{JAVASCRIPT}"), &[]);
    }
    let in_loop = format!("for (const x of [1, 2]) {{\n{JAVASCRIPT}}}\n");
    check("a.test.ts", JAVASCRIPT, &in_loop, &[]);
    let shared = JAVASCRIPT.replace("() =>", "({ skip }) =>");
    check("a.test.ts", JAVASCRIPT, &shared, &[]);
    let table = JAVASCRIPT.replace("it('adds'", "it.each([[1]])('adds'");
    check("a.test.ts", JAVASCRIPT, &table, &[]);
    check("a.test.ts", JAVASCRIPT, &tried(" throw e; "), &[]);
    weakens(
        "a.test.ts",
        "it('a', () => { assert.ok(two() > 1); });\n",
        "it('a', () => { assert.ok(two() > 1 || true); });\n",
    );
    check(
        "a.test.ts",
        "it('a', () => { expect('a').toBe(two(x)); });\n",
        "it('a', () => { expect('a').toBe(two(x || true)); });\n",
        &[],
    );
    let same = "it('adds', () => { expect(two()).toEqual(two()); });\n";
    weakens("a.test.ts", JAVASCRIPT, same);
    let moved = |to: &str| {
        of(
            json!({}),
            vec![TestFile::renamed("a.test.js", to, JAVASCRIPT, JAVASCRIPT)],
        )
    };
    assert_eq!(moved("a.old.js"), ["test-skipped"]);
    assert_eq!(moved("__tests__/a.js"), [""; 0]);
    let promise = "it('a', () => {\n  return get()\n    .then((x) => {\n      expect(x).toBe(1);\n    });\n});\n";
    check(
        "a.test.js",
        promise,
        &promise.replace("toBe(1);\n", "toBe(1);\n      if (x) { return }\n"),
        &[],
    );
    check(
        "a.test.js",
        promise,
        "it('a', () => {});",
        &["assertions-removed"],
    );
    let early = JAVASCRIPT.replace("{\n", "{\n  if (x)\n    return\n");
    check("a.test.js", JAVASCRIPT, &early, &[]);
}

#[test]
fn a_test_of_go_that_does_not_run() {
    let file = format!("package x\n\n{GO}");
    for (from, to) in [
        ("package x", "//go:build never\n\npackage x"),
        ("package x", "// +build never\n\npackage x"),
        ("T) {\n", "T) {\n\treturn\n"),
        ("T) {\n", "T) {\n\tf()\n\treturn\n"),
        ("T) {\n", "T) {\n\tif true {\n\t\treturn\n\t}\n"),
        ("T) {\n", "T) {\n\tskip(t)\n"),
        ("T) {\n", "T) {\n\tskipAlways(t)\n"),
        ("T) {\n", "T) {\n\tt.SkipNow()\n"),
        ("T) {\n", "T) {\n\tos.Exit(0)\n"),
        (
            "func TestAdds",
            "func TestMain(m *testing.M) { os.Exit(0) }\nfunc TestAdds",
        ),
        (
            "func TestAdds",
            "func TestMain(m *testing.M) { exec.Command().Run() }\nfunc TestAdds",
        ),
        (
            "func TestAdds",
            "func TestMain(m *testing.M) {\n\treturn\n\tm.Run()\n}\nfunc TestAdds",
        ),
        (
            "func TestAdds",
            "func TestMain(m *testing.M) {\n\tm.Run()\n\tos.Exit(0)\n}\nfunc TestAdds",
        ),
        ("func TestAdds", "func init() { os.Exit(0) }\nfunc TestAdds"),
    ] {
        let after = file.replace(from, to);
        assert_ne!(after, file, "{from}");
        weakens("a_test.go", &file, &after);
    }
    let moved = |to: &str| {
        of(
            json!({}),
            vec![TestFile::renamed(
                "a_test.go",
                to,
                file.as_str(),
                file.as_str(),
            )],
        )
    };
    assert_eq!(moved("a_plan9_test.go"), ["test-skipped"]);
    assert_eq!(moved("b_test.go"), [""; 0]);
    assert_eq!(moved("b_test.go.txt"), ["test-removed"]);
    assert_eq!(moved("_a_test.go"), ["test-removed"]);
    assert_eq!(moved(".a_test.go"), ["test-removed"]);
    assert_eq!(moved("testdata/a_test.go"), ["test-removed"]);
    assert_eq!(moved("x/_old/a_test.go"), ["test-removed"]);
    assert_eq!(moved("x/old_/a_test.go"), [""; 0]);
    let main = "func TestMain(m *testing.M) { os.Exit(m.Run()) }\n";
    check("a_test.go", &file, &format!("{file}{main}"), &[]);
    let helper = "func TestMain(m *testing.M) {\n\tif x() {\n\t\tos.Exit(0)\n\t}\n\tdefer f()\n\tm.Run()\n}\n";
    check(
        "a_test.go",
        &file,
        &format!("{file}{helper}"),
        &["test-skipped"],
    );
    check(
        "a_test.go",
        &file,
        &format!("{file}func init() {{ x() }}\n"),
        &[],
    );
    let alone = "package x\nfunc init() { os.Exit(0) }\n";
    check("b_test.go", "", alone, &["test-focused"]);
}

#[test]
fn a_test_of_the_same_name_elsewhere_is_no_excuse() {
    let skipped = RUST.replace("#[test]", "#[test]\n#[ignore]");
    let files = vec![
        TestFile::modified("a.rs", RUST, skipped),
        TestFile::modified("b.rs", "", RUST),
    ];
    assert_eq!(of(json!({}), files), ["test-skipped"]);
    let inner = |name: &str| format!("mod {name} {{\n{RUST}}}\n");
    let both = format!("{}{}", inner("a"), inner("b"));
    check("a.rs", &both, &inner("a"), &["test-removed"]);
    check("a.rs", &both, &format!("{}{}", inner("b"), inner("c")), &[]);
}
