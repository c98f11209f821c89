//! Tests of Rust: functions below an attribute whose last name is or ends in `test`.
//!
//! **Invariant:** what stands around a test counts for it: the conditions of its modules, and a function that nobody calls.

use super::words::{block, parens, word_at};
use super::{Source, Test};
use crate::language::Language;

/// Macros that every source has without a `use`.
const ASSERTS: [&str; 8] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "panic",
    "unreachable",
];

/// `mod name;`, which makes the tests of another file run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Module {
    /// With the modules around it, as a path.
    pub(crate) path: String,
    /// 1-based.
    pub(crate) line: u32,
    /// Under which conditions.
    pub(crate) off: Vec<String>,
}

/// What a source has beside tests, and that tests hang on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// The modules that are in files of their own.
    pub(crate) modules: Vec<Module>,
    /// The macros of the standard library that it defines anew and that assert, and the lines on which it does.
    pub(crate) redefined: Vec<(String, u32)>,
}

/// The outline of a source.
pub(crate) fn outline(text: &str) -> Outline {
    let source = Source::new(Language::Rust, text);
    let mut walk = Walk::new(&source);
    walk.run();
    walk.outline
}

/// A block that has not ended.
#[derive(Default)]
struct Scope {
    module: Option<String>,
    off: Vec<String>,
    is_function: bool,
}

struct Walk<'s, 'a> {
    source: &'s Source<'a>,
    at: usize,
    scopes: Vec<Scope>,
    /// What the next block is.
    next: Option<Scope>,
    attributes: Vec<String>,
    tests: Vec<Test>,
    outline: Outline,
}

impl Source<'_> {
    pub(super) fn rust(&self) -> Vec<Test> {
        let mut walk = Walk::new(self);
        walk.run();
        walk.tests
    }
}

impl<'s, 'a> Walk<'s, 'a> {
    fn new(source: &'s Source<'a>) -> Self {
        Self {
            source,
            at: 0,
            scopes: vec![Scope::default()],
            next: None,
            attributes: Vec::new(),
            tests: Vec::new(),
            outline: Outline::default(),
        }
    }

    fn run(&mut self) {
        while let Some(byte) = self.source.blanked.as_bytes().get(self.at) {
            match byte {
                b'#' => self.attribute(),
                b'{' => {
                    let scope = self.next.take().unwrap_or_default();
                    self.scopes.push(scope);
                    self.end_item();
                }
                b'}' => {
                    // The file itself is never left, whatever it holds.
                    if self.scopes.len() > 1 {
                        self.scopes.pop();
                    }
                    self.end_item();
                }
                b';' => self.end_item(),
                byte if byte.is_ascii_alphabetic() || *byte == b'_' => self.word(),
                _ => self.at += 1,
            }
        }
    }

    fn end_item(&mut self) {
        self.attributes.clear();
        self.next = None;
        self.at += 1;
    }

    fn code(&self) -> &'s str {
        self.source.blanked.get(self.at..).unwrap_or_default()
    }

    fn attribute(&mut self) {
        let rest = self.code().get(1..).unwrap_or_default().trim_start();
        let inner = rest.strip_prefix('!');
        let brackets = inner.unwrap_or(rest).trim_start();
        if !brackets.starts_with('[') {
            self.at += 1;
            return;
        }
        let attribute = parens(brackets, b'[', b']');
        let start = self.code().len() - brackets.len();
        let written = without_comments(attribute, self.source.written(attribute));
        if inner.is_some() {
            if let Some(scope) = self.scopes.last_mut() {
                scope.off.extend(condition(&written));
            }
        } else {
            self.attributes.push(written);
        }
        self.at += start + attribute.len().max(1);
    }

    fn word(&mut self) {
        let code = self.code();
        let word = word_at(code);
        let start = self.at;
        self.at += word.len().max(1);
        let name = word_at(code.get(word.len()..).unwrap_or_default());
        match word {
            "macro_rules" => self.definition(start),
            "mod" if !name.is_empty() => self.module(start, name),
            "fn" if !name.is_empty() => self.function(start, name),
            _ => {}
        }
    }

    fn definition(&mut self, start: usize) {
        let rest = self.code().trim_start().strip_prefix('!');
        let name = word_at(rest.unwrap_or_default());
        if ASSERTS.contains(&name) {
            let line = self.source.line(start);
            self.outline.redefined.push((name.to_owned(), line));
        }
    }

    fn conditions(&self) -> Vec<String> {
        self.attributes
            .iter()
            .filter_map(|text| condition(text))
            .collect()
    }

    fn module(&mut self, start: usize, name: &str) {
        let after = self
            .code()
            .trim_start()
            .get(name.len()..)
            .unwrap_or_default();
        let off = self.conditions();
        if after.trim_start().starts_with(';') {
            let around = self
                .scopes
                .iter()
                .filter_map(|scope| scope.module.as_deref());
            self.outline.modules.push(Module {
                path: around.chain([name]).collect::<Vec<_>>().join("/"),
                line: self.source.line(start),
                off: self.around().chain(off).collect(),
            });
            return;
        }
        self.next = Some(Scope {
            module: Some(name.to_owned()),
            off,
            is_function: false,
        });
    }

    /// The conditions of everything around.
    fn around(&self) -> impl Iterator<Item = String> {
        self.scopes
            .iter()
            .flat_map(|scope| scope.off.iter().cloned())
    }

    fn function(&mut self, start: usize, name: &str) {
        let code = self.source.blanked.get(start..).unwrap_or_default();
        if self.attributes.iter().any(|attribute| is_test(attribute)) {
            let mut test = self.source.test(Language::Rust, name, start, block(code));
            test.scope = self
                .scopes
                .iter()
                .filter_map(|scope| scope.module.as_deref())
                .collect::<Vec<_>>()
                .join("::");
            test.off = self.around().chain(self.conditions()).collect();
            test.skipped = test.off.iter().any(|why| why.contains("ignore"));
            if self.scopes.iter().any(|scope| scope.is_function) {
                test.skip("it is within a function, where none is run");
            }
            if test_ends(block(code)) {
                test.skip("it ends the process");
            }
            self.tests.push(test);
        }
        self.next = Some(Scope {
            is_function: true,
            ..Scope::default()
        });
    }
}

/// What was written, with the texts and without the comments.
fn without_comments(blanked: &str, written: &str) -> String {
    let mut is_text = false;
    let bytes = blanked
        .bytes()
        .zip(written.bytes())
        .map(|(blanked, written)| {
            is_text ^= blanked == b'"';
            if is_text { written } else { blanked }
        });
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}

fn test_ends(body: &str) -> bool {
    body.contains("process::exit(0)") || body.contains("process::exit(EXIT_SUCCESS)")
}

/// What an attribute, with its brackets, asks for before something is run or even compiled.
fn condition(attribute: &str) -> Option<String> {
    let inner = attribute.strip_prefix('[').unwrap_or(attribute);
    let inner = inner.strip_suffix(']').unwrap_or(inner);
    let bare: String = inner.split_whitespace().collect();
    let name = bare.split(['(', '=']).next().unwrap_or_default();
    // An interpreter that is slow and cannot do everything; nobody's tests run in it alone.
    if bare == "cfg(not(miri))" || bare.starts_with("cfg_attr(miri,ignore") {
        return None;
    }
    match name {
        "ignore" => Some("#[ignore]".to_owned()),
        "should_panic" => Some("#[should_panic]".to_owned()),
        "cfg" if bare == "cfg(test)" => None,
        "cfg" => Some(format!("#[{bare}]")),
        "cfg_attr"
            if bare.contains("ignore")
                || bare.contains("should_panic")
                || bare.contains("cfg(") =>
        {
            Some(format!("#[{bare}]"))
        }
        _ => None,
    }
}

/// `[test]`, `[tokio::test(…)]`, `[test_case(…)]`, `[rstest]`; not `[cfg(test)]`.
fn is_test(attribute: &str) -> bool {
    let inner = attribute.trim_matches(['[', ']', ' ', '\n', '\t']);
    let path = inner.split(['(', ' ', '=']).next().unwrap_or_default();
    let last = path.rsplit("::").next().unwrap_or_default();
    last.ends_with("test")
        || last.starts_with("test")
        || last == "wasm_bindgen_test"
        || last == "quickcheck"
}
