//! Tests of Python: functions whose name begins with `test`, where a test runner collects them.
//!
//! **Invariant:** a name has the value that it was given last; a function whose name was given to something else is not run.

mod names;
pub(super) mod statement;

use std::collections::BTreeMap;

use super::words::{hash, parens, top_level, word_at, word_starts};
use super::{Source, Test};
use crate::language::Language;
use names::Names;
use statement::{Import, assigned, given, head_end, import, statements};

const SKIPS: [&str; 3] = ["skip", "xfail", "expectedFailure"];
/// Limit: of a condition that is shown.
const SHOWN_CHARS: usize = 80;

/// Said of a test whose name something else has got.
pub(crate) const REPLACED: &str = "its name is given to something else";

const MARKED: &str = "`pytestmark` skips it";
const FOR_NOTHING: &str = "it is run for no value";

/// Decorators, by a part of their names, that make something else of a function.
const NO_TESTS: [&str; 2] = ["fixture", "contextmanager"];
/// Decorators, by a part of their names, that run a function which yields.
const RUN_GENERATORS: [&str; 4] = ["gen_test", "inlineCallbacks", "coroutine", "deferred"];

/// A line with those that it goes on in.
pub(super) struct Logical<'t> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) indent: usize,
    /// Without white space around.
    pub(super) code: &'t str,
}

/// The lines of a blanked source that are not empty.
pub(super) fn logical(text: &str) -> Vec<Logical<'_>> {
    let mut lines = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut open = Open::default();
    for line in text.split_inclusive('\n') {
        at += line.len();
        open.pass(line);
        if open.goes_on() && at < text.len() {
            continue;
        }
        let whole = text.get(start..at).unwrap_or_default();
        let code = whole.trim();
        if !code.is_empty() {
            lines.push(Logical {
                start,
                end: at,
                indent: whole.len() - whole.trim_start().len(),
                code,
            });
        }
        start = at;
        open = Open::default();
    }
    lines
}

/// What a line leaves open.
#[derive(Default)]
struct Open<'t> {
    brackets: usize,
    quotes: Option<&'t str>,
    escaped: bool,
}

impl Open<'_> {
    fn pass(&mut self, line: &str) {
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let quotes = ["\"\"\"", "'''"]
                .into_iter()
                .find(|quotes| rest.starts_with(quotes));
            if let Some(quotes) = quotes {
                match self.quotes {
                    None => self.quotes = Some(quotes),
                    Some(open) if open == quotes => self.quotes = None,
                    Some(_) => {}
                }
                rest = rest.get(3..).unwrap_or_default();
                continue;
            }
            match c {
                '(' | '[' | '{' => self.brackets += 1,
                ')' | ']' | '}' => self.brackets = self.brackets.saturating_sub(1),
                _ => {}
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        self.escaped = line.trim_end_matches(['\n', '\r']).ends_with('\\');
    }

    fn goes_on(&self) -> bool {
        self.brackets > 0 || self.quotes.is_some() || self.escaped
    }
}

/// Something that lines are indented below.
struct Block {
    id: usize,
    indent: usize,
    kind: Kind,
}

enum Kind {
    Function,
    /// Its name, whether it has no class above it, and its binding.
    Class(String, bool, Binding),
    Other,
}

/// A name that is given to a function or a class.
#[derive(Clone)]
struct Binding {
    block: usize,
    /// The class or the file that the block is in.
    scope: usize,
    name: String,
    count: usize,
}

/// A test, and what its fate hangs on.
struct Found {
    test: Test,
    blocks: Vec<usize>,
    bindings: Vec<Binding>,
}

#[derive(Default)]
struct Walk {
    blocks: Vec<Block>,
    decorators: Vec<String>,
    names: Names,
    /// The last function or class of each name in each block, which has others beside it for other conditions.
    bound: BTreeMap<(usize, String), usize>,
    /// What else was given each name last, under whatever condition.
    given: BTreeMap<(usize, String), usize>,
    /// Blocks that are run only under a condition.
    conditions: BTreeMap<usize, String>,
    /// The last condition of each indent, for its `else`.
    heads: BTreeMap<usize, String>,
    /// Blocks that are not run, and why.
    off: BTreeMap<usize, String>,
    /// Tests and classes, with those around them, that are switched off or replaced by name, and how.
    named_off: Vec<(String, String)>,
    found: Vec<Found>,
    count: usize,
}

impl Source<'_> {
    pub(super) fn python(&self) -> Vec<Test> {
        let lines = logical(&self.blanked);
        let mut walk = Walk {
            names: Names::of(&lines),
            ..Walk::default()
        };
        for (number, line) in lines.iter().enumerate() {
            walk.leave(line.indent);
            let below = lines.get(number + 1..).unwrap_or_default();
            let end = below
                .iter()
                .find(|other| other.indent <= line.indent)
                .map_or(self.blanked.len(), |other| other.start);
            walk.line(self, line, end);
        }
        walk.finish()
    }
}

impl Walk {
    fn leave(&mut self, indent: usize) {
        while self
            .blocks
            .last()
            .is_some_and(|block| block.indent >= indent)
        {
            self.blocks.pop();
        }
    }

    fn here(&self) -> usize {
        self.blocks.last().map_or(0, |block| block.id)
    }

    fn scope(&self) -> usize {
        let mut blocks = self.blocks.iter().rev();
        let scope = blocks.find(|block| !matches!(block.kind, Kind::Other));
        scope.map_or(0, |block| block.id)
    }

    /// Gives a name to a function or a class.
    fn bind(&mut self, name: &str) -> Binding {
        self.count += 1;
        let binding = Binding {
            block: self.here(),
            scope: self.scope(),
            name: name.to_owned(),
            count: self.count,
        };
        self.bound
            .insert((binding.block, name.to_owned()), self.count);
        binding
    }

    /// Gives a name to something else.
    fn give(&mut self, name: &str) {
        self.count += 1;
        self.given
            .insert((self.scope(), name.to_owned()), self.count);
    }

    fn enter(&mut self, indent: usize, kind: Kind) -> usize {
        self.count += 1;
        let id = self.count;
        self.blocks.push(Block { id, indent, kind });
        id
    }

    fn in_function(&self) -> bool {
        self.blocks
            .iter()
            .any(|block| matches!(block.kind, Kind::Function))
    }

    fn line(&mut self, source: &Source<'_>, line: &Logical<'_>, end: usize) {
        let code = line.code;
        if code.starts_with('@') {
            self.decorators.push(code.to_owned());
            return;
        }
        let decorators = std::mem::take(&mut self.decorators);
        let skips = decorators
            .iter()
            .any(|decorator| self.names.skips(decorator));
        let has_no_value = decorators.iter().any(|decorator| is_for_nothing(decorator));
        let plain = code.strip_prefix("async ").unwrap_or(code).trim_start();
        if let Some(rest) = plain.strip_prefix("def ") {
            let name = word_at(rest);
            let binding = self.bind(name);
            let is_of = |names: &[&str]| {
                let of = |decorator: &String| names.iter().any(|name| decorator.contains(name));
                decorators.iter().any(of)
            };
            if name.starts_with("test") && !self.in_function() && !is_of(&NO_TESTS) {
                let runs_generators = is_of(&RUN_GENERATORS);
                self.test(source, line, end, binding);
                if let Some(Found { test, .. }) = self.found.last_mut() {
                    if skips {
                        test.skip("it is skipped");
                    }
                    if has_no_value {
                        test.skip(FOR_NOTHING);
                    }
                    let whole = source.blanked.get(line.start..end).unwrap_or_default();
                    if !runs_generators && does_yield(whole) {
                        test.skip("it yields, so what it does is not run");
                    }
                }
            }
            self.method(name);
            self.enter(line.indent, Kind::Function);
        } else if let Some(rest) = code.strip_prefix("class ") {
            self.class(line.indent, rest, skips);
            if has_no_value {
                self.off.insert(self.here(), FOR_NOTHING.to_owned());
            }
            for statement in statements(code).into_iter().skip(1) {
                self.simple(statement);
            }
        } else {
            self.statement(source, line);
        }
    }

    fn class(&mut self, indent: usize, rest: &str, skips: bool) {
        let name = word_at(rest);
        let binding = self.bind(name);
        let bases = rest.trim_start().get(name.len()..).unwrap_or_default();
        let bases = parens(bases.trim_start(), b'(', b')').trim_matches(['(', ')', ':', ' ']);
        let is_plain = matches!(bases, "" | "object" | "pass");
        let is_collected = name.starts_with("Test") || !is_plain;
        let id = self.enter(indent, Kind::Class(name.to_owned(), is_plain, binding));
        if skips {
            self.off.insert(id, "its class is skipped".to_owned());
        } else if !is_collected {
            self.off
                .insert(id, format!("class `{name}` is none of tests"));
        }
    }

    /// pytest takes no class that is made in a way of its own; those of `unittest` have a class above them.
    fn method(&mut self, name: &str) {
        if let Some(Block {
            id,
            kind: Kind::Class(_, true, _),
            ..
        }) = self.blocks.last()
            && matches!(name, "__init__" | "__new__")
        {
            let why = format!("its class has `{name}`, so it is not collected");
            self.off.entry(*id).or_insert(why);
        }
    }

    fn test(&mut self, source: &Source<'_>, line: &Logical<'_>, end: usize, binding: Binding) {
        let whole = source.blanked.get(line.start..end).unwrap_or_default();
        let open = whole.find('(').unwrap_or(whole.len());
        let from_open = whole.get(open..).unwrap_or_default();
        let parameters = parens(from_open, b'(', b')');
        let after = from_open.get(parameters.len()..).unwrap_or_default();
        let body = after.split_once(':').map_or(after, |(_, body)| body);
        let mut test = source.test(Language::Python, &binding.name, line.start, body);
        test.body = hash(source.written(parameters), source.written(body));
        if let Some(call) = self.names.call(body) {
            test.skip(format!("it calls `{call}`"));
        }
        let mut bindings = vec![binding];
        let mut scope = Vec::new();
        for block in &self.blocks {
            if let Kind::Class(name, _, binding) = &block.kind {
                scope.push(name.as_str());
                bindings.push(binding.clone());
            }
        }
        test.scope = scope.join(".");
        let blocks = std::iter::once(0).chain(self.blocks.iter().map(|block| block.id));
        self.found.push(Found {
            test,
            blocks: blocks.collect(),
            bindings,
        });
    }

    fn statement(&mut self, source: &Source<'_>, line: &Logical<'_>) {
        let code = line.code;
        let never = is_never(code);
        if !self.in_function() && !never {
            for statement in statements(code) {
                self.simple(statement);
            }
        }
        if code.ends_with(':') || never {
            let condition = self.condition(source, line);
            let id = self.enter(line.indent, Kind::Other);
            self.conditions.extend(condition.map(|head| (id, head)));
            if never {
                self.off
                    .insert(id, "it is within what is never run".to_owned());
            }
        }
    }

    /// What has to hold for a suite to be run, as it is written; of an `else`, what its `if` said.
    fn condition(&mut self, source: &Source<'_>, line: &Logical<'_>) -> Option<String> {
        let end = head_end(line.code)?;
        let head = source.written(line.code.get(..end)?);
        let head: String = head.split_whitespace().collect::<Vec<_>>().join(" ");
        let head: String = head.chars().take(SHOWN_CHARS).collect();
        let whole = match word_at(line.code) {
            "with" | "async" | "finally" => return None,
            "elif" | "else" | "except" => {
                let of = self.heads.get(&line.indent).map_or("", String::as_str);
                format!("{head} of {of}")
            }
            _ => {
                self.heads.insert(line.indent, head.clone());
                head
            }
        };
        Some(whole)
    }

    /// One statement outside of functions.
    fn simple(&mut self, code: &str) {
        let here = self.here();
        let imports = import(code);
        for Import { name, .. } in &imports {
            if *name == "pytestmark" {
                let why = "`pytestmark` is imported, and may skip it";
                self.off.insert(here, why.to_owned());
            }
            self.give(name);
        }
        for name in given(code) {
            self.give(name);
        }
        let assigned = assigned(code);
        for (name, value) in &assigned {
            self.assignment(here, name, value);
        }
        if code.starts_with("pytestmark.") && self.names.skips(code) {
            self.off.insert(here, MARKED.to_owned());
        }
        for name in code
            .strip_prefix("del ")
            .into_iter()
            .flat_map(|names| names.split(','))
        {
            self.give(name.trim());
            self.switch(name.trim(), "it is deleted");
        }
        if let Some(call) = self.names.call(code).filter(|_| imports.is_empty())
            && assigned.is_empty()
        {
            let why = format!("its file calls `{call}`");
            self.off.insert(0, why);
        }
    }

    fn assignment(&mut self, here: usize, name: &str, value: &str) {
        let skips = self.names.skips(value);
        let (of, last) = name.rsplit_once('.').unwrap_or(("", name));
        let why = match last {
            "pytestmark" if skips => MARKED,
            // Whatever it is, if it is not plain.
            "__test__" if !matches!(value, "True" | "1") => "`__test__` is false",
            "__unittest_skip__" if value == "True" => "`__unittest_skip__` is true",
            _ if of.is_empty() => {
                if skips {
                    self.names.add(name);
                }
                self.give(name);
                return;
            }
            _ => {
                self.switch(name, REPLACED);
                return;
            }
        };
        if of.is_empty() {
            self.off.insert(here, why.to_owned());
        } else {
            self.switch(of, why);
        }
    }

    /// Says of what has this name, with the classes around it, that it is not run.
    fn switch(&mut self, name: &str, why: &str) {
        let around = self.blocks.iter().filter_map(|block| match &block.kind {
            Kind::Class(name, ..) => Some(name.as_str()),
            Kind::Function | Kind::Other => None,
        });
        let whole: Vec<&str> = around.chain([name]).collect();
        self.named_off.push((whole.join("."), why.to_owned()));
    }

    fn finish(self) -> Vec<Test> {
        let Self {
            bound,
            given,
            conditions,
            off,
            named_off,
            found,
            ..
        } = self;
        let is_last = |binding: &Binding| {
            let of = |id: usize| (id, binding.name.clone());
            bound.get(&of(binding.block)) == Some(&binding.count)
                && given
                    .get(&of(binding.scope))
                    .is_none_or(|at| *at < binding.count)
        };
        let mut tests = Vec::new();
        for Found {
            mut test,
            blocks,
            bindings,
        } in found
        {
            for why in blocks.iter().filter_map(|block| off.get(block)) {
                test.skip(why.as_str());
            }
            for head in blocks.iter().filter_map(|block| conditions.get(block)) {
                test.off
                    .push(format!("it is there under a condition: `{head}`"));
            }
            let whole = format!("{}.{}", test.scope, test.name);
            let whole = whole.trim_start_matches('.');
            for (_, why) in named_off.iter().filter(|(name, _)| {
                whole
                    .strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }) {
                test.skip(why.as_str());
            }
            if !bindings.iter().all(is_last) {
                test.skip(REPLACED);
            }
            tests.push(test);
        }
        tests
    }
}

/// True for a decorator that runs a test for each of no values.
fn is_for_nothing(decorator: &str) -> bool {
    let Some(at) = decorator.find("parametrize") else {
        return false;
    };
    let arguments = decorator.get(at..).unwrap_or_default();
    let open = arguments.find('(').unwrap_or(arguments.len());
    let arguments = parens(arguments.get(open..).unwrap_or_default(), b'(', b')');
    let inner = arguments.trim_start_matches('(');
    let arguments = top_level(inner, &[","]);
    let named = arguments
        .iter()
        .find_map(|argument| argument.trim().strip_prefix("argvalues"));
    let named = named.and_then(|value| value.trim_start().strip_prefix('='));
    let values = named.or_else(|| arguments.get(1).copied());
    let bare: String = values.unwrap_or_default().split_whitespace().collect();
    matches!(
        bare.as_str(),
        "[]" | "()" | "{}" | "list()" | "tuple()" | "set()" | "range(0)"
    )
}

/// True for a function that yields by itself; those within it do not count.
fn does_yield(function: &str) -> bool {
    if !function.contains("yield") {
        return false;
    }
    let lines = logical(function);
    let mut inner: Option<usize> = None;
    lines.iter().enumerate().any(|(number, line)| {
        if inner.is_some_and(|indent| line.indent > indent) {
            return false;
        }
        inner = None;
        let plain = line.code.strip_prefix("async ").unwrap_or(line.code);
        if number > 0 && (plain.starts_with("def ") || plain.starts_with("class ")) {
            inner = Some(line.indent);
            return false;
        }
        word_starts(line.code, "yield").any(|at| {
            let rest = line.code.get(at..).unwrap_or_default();
            word_at(rest) == "yield"
        })
    })
}

/// `if False:` and its like.
pub(super) fn is_never(code: &str) -> bool {
    let bare: String = code
        .split(':')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let condition = bare
        .strip_prefix("elif")
        .or_else(|| bare.strip_prefix("if"))
        .or_else(|| bare.strip_prefix("while"));
    condition.is_some_and(|condition| {
        matches!(
            condition.trim_matches(['(', ')']),
            "False" | "0" | "None" | "notTrue" | "not1" | "TYPE_CHECKING" | "typing.TYPE_CHECKING"
        )
    })
}
