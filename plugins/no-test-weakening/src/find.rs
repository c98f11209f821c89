//! Finds the tests in a source.
//!
//! **Invariant:** looks at the blanked source for what things are, and at the written one only for the names of tests in
//! JavaScript, which are texts.

mod words;

use crate::blank::blank;
use crate::language::Language;
use words::{block, count_calls, hash, is_word, line_of, parens, word_at, word_starts};

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) name: String,
    /// 1-based.
    pub(crate) line: u32,
    pub(crate) skipped: bool,
    /// Singled out, so that others do not run.
    pub(crate) focused: bool,
    /// How often it asserts something that could fail.
    pub(crate) assertions: usize,
    /// A digest of what it does, white space aside.
    pub(crate) body: u64,
}

/// The tests of a source, in its order.
pub(crate) fn tests(language: Language, text: &str) -> Vec<Test> {
    let source = Source {
        blanked: blank(language, text),
        text,
    };
    match language {
        Language::Rust => source.rust(),
        Language::Python => source.python(),
        Language::JavaScript => source.javascript(),
        Language::Go => source.go(),
    }
}

struct Source<'a> {
    blanked: String,
    text: &'a str,
}

/// Calls that assert, by what they begin with.
const RUST_ASSERTS: [&str; 6] = [
    "assert",
    "debug_assert",
    "prop_assert",
    "panic!",
    "unreachable!",
    "insta::",
];
const PYTHON_ASSERTS: [&str; 5] = [
    "assert",
    "self.assert",
    "self.fail",
    "pytest.raises",
    "pytest.fail",
];
const JAVASCRIPT_ASSERTS: [&str; 5] = ["expect", "assert", "t.", "should", "sinon.assert"];
const GO_ASSERTS: [&str; 5] = ["t.Error", "t.Fatal", "t.Fail", "require.", "assert."];

impl Source<'_> {
    /// Functions below an attribute whose last name is or ends in `test`.
    fn rust(&self) -> Vec<Test> {
        let mut tests = Vec::new();
        let mut attributes: Vec<&str> = Vec::new();
        let mut rest = 0;
        while let Some(at) = self.next_rust(rest) {
            let Some(code) = self.blanked.get(at..) else {
                break;
            };
            if code.starts_with("#[") {
                let attribute = code.get(1..).map_or("", |code| parens(code, b'[', b']'));
                attributes.push(attribute);
                rest = at + 1 + attribute.len().max(1);
                continue;
            }
            if attributes.iter().any(|attribute| is_rust_test(attribute)) {
                let name = word_at(code.get(3..).unwrap_or_default());
                let skipped = attributes.iter().any(|attribute| {
                    let inner = attribute.trim_matches(['[', ']', ' ']);
                    inner.starts_with("ignore") || inner.starts_with("cfg(any())")
                });
                let body = block(code);
                tests.push(self.test(name, at, body, skipped, false, &RUST_ASSERTS));
            }
            attributes.clear();
            rest = at + 3;
        }
        tests
    }

    /// Where the next attribute or function begins.
    fn next_rust(&self, from: usize) -> Option<usize> {
        let rest = self.blanked.get(from..)?;
        let function = word_starts(rest, "fn ").next();
        let attribute = rest.find("#[");
        let next = match (function, attribute) {
            (Some(function), Some(attribute)) => function.min(attribute),
            (function, attribute) => function.or(attribute)?,
        };
        Some(from + next)
    }

    /// Functions whose name begins with `test`, and everything indented below them.
    fn python(&self) -> Vec<Test> {
        let mut tests = Vec::new();
        let mut decorators: Vec<&str> = Vec::new();
        let mut at = 0;
        for line in self.blanked.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let code = line.trim();
            if code.starts_with('@') {
                decorators.push(code);
                continue;
            }
            let function = code
                .strip_prefix("async ")
                .unwrap_or(code)
                .trim_start()
                .strip_prefix("def ");
            if let Some(name) = function
                .map(word_at)
                .filter(|name| name.starts_with("test"))
            {
                let indent = line.len() - line.trim_start().len();
                let body = self
                    .blanked
                    .get(at..)
                    .map_or("", |rest| indented(rest, indent));
                let skips = ["skip", "xfail"];
                let skipped = decorators
                    .iter()
                    .any(|decorator| skips.iter().any(|skip| decorator.contains(skip)))
                    || ["pytest.skip(", "self.skipTest(", "pytest.xfail("]
                        .iter()
                        .any(|skip| body.contains(skip));
                let mut test = self.test(name, start, body, skipped, false, &PYTHON_ASSERTS);
                test.body = hash(
                    code.split_once('(').map_or("", |(_, rest)| rest),
                    &self.written(body),
                );
                tests.push(test);
            }
            if !code.is_empty() {
                decorators.clear();
            }
        }
        tests
    }

    /// Calls of `it` and `test`, in all their forms.
    fn javascript(&self) -> Vec<Test> {
        const PLAIN: [&str; 3] = ["it", "test", "specify"];
        const SKIPPED: [&str; 4] = ["xit", "xtest", "xspecify", "xdescribe"];
        const FOCUSED: [&str; 3] = ["fit", "ftest", "fdescribe"];
        let mut tests = Vec::new();
        let groups = ["describe", "suite", "context"];
        for name in PLAIN
            .into_iter()
            .chain(SKIPPED)
            .chain(FOCUSED)
            .chain(groups)
        {
            for at in word_starts(&self.blanked, name) {
                let Some(code) = self.blanked.get(at + name.len()..) else {
                    continue;
                };
                if code.starts_with(is_word) || self.is_member(at) {
                    continue;
                }
                let call = code
                    .find('(')
                    .map_or("", |open| code.get(..open).unwrap_or_default());
                let modifiers = call.trim();
                let is_chain = modifiers.is_empty()
                    || modifiers.starts_with('.')
                        && modifiers
                            .bytes()
                            .all(|b| b == b'.' || is_word(char::from(b)));
                if !is_chain {
                    continue;
                }
                let skipped = SKIPPED.contains(&name)
                    || [".skip", ".todo", ".failing"]
                        .iter()
                        .any(|word| modifiers.contains(word));
                let focused = FOCUSED.contains(&name) || modifiers.contains(".only");
                let is_group = groups.contains(&name) || name.ends_with("describe");
                // A group counts for itself only when something is done to it.
                if is_group && !skipped && !focused {
                    continue;
                }
                tests.extend(self.javascript_test(
                    at + name.len() + call.len(),
                    at,
                    skipped,
                    focused,
                ));
            }
        }
        tests.sort_by_key(|test| test.line);
        tests
    }

    fn is_member(&self, at: usize) -> bool {
        self.blanked
            .get(..at)
            .is_some_and(|before| before.ends_with(['.', '$']))
    }

    fn javascript_test(
        &self,
        open: usize,
        at: usize,
        skipped: bool,
        focused: bool,
    ) -> Option<Test> {
        let mut body = parens(self.blanked.get(open..)?, b'(', b')');
        let mut start = open;
        // `it.each(table)(name, …)`: the second call is the test.
        if let Some(rest) = self
            .blanked
            .get(open + body.len()..)
            .filter(|rest| rest.starts_with('('))
        {
            start = open + body.len();
            body = parens(rest, b'(', b')');
        }
        let written = self.text.get(start..start + body.len())?;
        let inner = written.get(1..)?.trim_start();
        let quote = inner
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\'' | '`'))?;
        let name = inner.get(1..)?.split(quote).next()?;
        let mut test = self.test(name, at, body, skipped, focused, &JAVASCRIPT_ASSERTS);
        test.body = hash(
            "",
            written
                .get(written.find(',').unwrap_or(0)..)
                .unwrap_or_default(),
        );
        Some(test)
    }

    /// Functions that `go test` runs.
    fn go(&self) -> Vec<Test> {
        let mut tests = Vec::new();
        for at in word_starts(&self.blanked, "func ") {
            let Some(code) = self.blanked.get(at + 5..) else {
                continue;
            };
            let name = word_at(code);
            let runs = ["Test", "Fuzz", "Example"].iter().any(|start| {
                name.strip_prefix(start)
                    .is_some_and(|rest| !rest.starts_with(|c: char| c.is_lowercase()))
            });
            if runs {
                let body = block(code);
                let skipped = body.contains(".Skip(")
                    || body.contains(".Skipf(")
                    || body.contains(".SkipNow(");
                tests.push(self.test(name, at, body, skipped, false, &GO_ASSERTS));
            }
        }
        tests
    }

    fn test(
        &self,
        name: &str,
        at: usize,
        body: &str,
        skipped: bool,
        focused: bool,
        asserts: &[&str],
    ) -> Test {
        Test {
            name: name.to_owned(),
            line: line_of(self.text, at),
            skipped,
            focused,
            assertions: count_calls(body, asserts),
            body: hash("", &self.written(body)),
        }
    }

    /// What was written where `part` of the blanked source is, comments left out.
    fn written(&self, part: &str) -> String {
        let start = part.as_ptr() as usize - self.blanked.as_ptr() as usize;
        let written = self.text.get(start..start + part.len()).unwrap_or(part);
        written.to_owned()
    }
}

/// `[test]`, `[tokio::test(…)]`, `[test_case(…)]`, `[rstest]`; not `[cfg(test)]`.
fn is_rust_test(attribute: &str) -> bool {
    let inner = attribute.trim_matches(['[', ']', ' ']);
    let path = inner.split(['(', ' ', '=']).next().unwrap_or_default();
    let last = path.rsplit("::").next().unwrap_or_default();
    last.ends_with("test")
        || last.starts_with("test")
        || last == "wasm_bindgen_test"
        || last == "quickcheck"
}

/// The lines that are indented deeper than `indent`.
fn indented(text: &str, indent: usize) -> &str {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let depth = line.len() - line.trim_start().len();
        if !line.trim().is_empty() && depth <= indent {
            break;
        }
        end += line.len();
    }
    text.get(..end).unwrap_or(text)
}
