//! What of a test can be reached.
//!
//! **Invariant:** only what is surely never run is taken away; every byte keeps its place.

use super::dropped::{dropped, is_idle, says_nothing};
use super::python::statement::{head_end, statements};
use super::python::{Logical, is_never as python_never, logical};
use super::words::word_at;
use crate::language::Language;

/// The body with spaces for what stands behind a `return`, or below a condition that never holds.
pub(super) fn live(language: Language, body: &str) -> String {
    let dead = match language {
        Language::Python => dead_python(body),
        Language::Rust | Language::JavaScript | Language::Go => Braces::new(language, body).dead(),
    };
    let mut bytes = body.as_bytes().to_vec();
    for (start, end) in dead {
        for byte in bytes
            .get_mut(start..end.min(body.len()))
            .into_iter()
            .flatten()
        {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    // Whole characters were taken away, or none of a character.
    String::from_utf8_lossy(&bytes).into_owned()
}

/// True for `false` and its like, with or without parentheses.
pub(super) fn is_never(condition: &str) -> bool {
    let bare: String = condition.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = bare.trim_matches(['(', ')']);
    matches!(
        bare,
        "false" | "0" | "!true" | "!1" | "null" | "undefined" | "cfg!any" | "cfg!(any("
    ) || bare.starts_with("false&&")
        || bare.ends_with("&&false")
}

fn is_always(condition: &str) -> bool {
    let bare: String = condition.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = bare.trim_matches(['(', ')']);
    matches!(bare, "true" | "1" | "!false" | "!0") || bare.starts_with("true||")
}

struct Level {
    /// Where it begins.
    start: usize,
    never: bool,
    /// Whether it is run whenever what is around it is.
    always: bool,
    /// Where everything that follows is dead.
    returned: Option<usize>,
    /// What the statement around was about, for when the block ends.
    around: (bool, usize),
    is_try: bool,
    /// Whether it is one that nobody waits for, if its value is dropped.
    is_idle: bool,
    /// The block whose failures it takes.
    takes: Option<(usize, usize)>,
}

struct Braces<'t> {
    language: Language,
    body: &'t str,
    levels: Vec<Level>,
    dead: Vec<(usize, usize)>,
    /// Where the statement, or the head of a block, begins.
    head: usize,
    /// Brackets of other kinds that are open, since a statement of lines ends outside of them.
    brackets: usize,
    /// Whether a `return` waits for the end of its statement.
    returning: bool,
    /// The block of a `try` that has just ended.
    tried: Option<(usize, usize)>,
}

impl<'t> Braces<'t> {
    fn new(language: Language, body: &'t str) -> Self {
        Self {
            language,
            body,
            levels: Vec::new(),
            dead: Vec::new(),
            head: 0,
            brackets: 0,
            returning: false,
            tried: None,
        }
    }

    fn dead(mut self) -> Vec<(usize, usize)> {
        let bytes = self.body.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'{' => self.open(at),
                b'}' => self.close(at),
                b'(' | b'[' => self.brackets += 1,
                b')' | b']' => self.brackets = self.brackets.saturating_sub(1),
                b';' => self.end_statement(at),
                b'\n' if self.language != Language::Rust => self.end_line(at),
                b'r' => self.word(at),
                b'.' | b'c' | b's' if !matches!(self.language, Language::Go) => {
                    self.dead
                        .extend(dropped(self.language, self.body, self.head, at));
                }
                _ => {}
            }
            at += 1;
        }
        let end = self.body.len();
        while !self.levels.is_empty() {
            self.close(end);
        }
        self.dead
    }

    fn open(&mut self, at: usize) {
        let head = self.body.get(self.head..at).unwrap_or_default().trim();
        let condition = ["else if", "if", "while", "for"].iter().find_map(|word| {
            head.strip_prefix(word)
                .filter(|rest| !rest.starts_with(super::words::is_word))
        });
        self.levels.push(Level {
            start: at,
            never: condition.is_some_and(is_never),
            always: matches!(head, "" | "unsafe") && !self.levels.is_empty()
                || head.starts_with("if") && condition.is_some_and(is_always),
            returned: None,
            // A `return` of a closure waits until that has ended.
            around: (self.returning, self.brackets),
            is_try: head == "try",
            is_idle: self.language == Language::Rust && is_idle(self.body, head),
            takes: self.tried.take().filter(|_| word_at(head) == "catch"),
        });
        (self.returning, self.brackets) = (false, 0);
        self.head = at + 1;
    }

    fn close(&mut self, at: usize) {
        self.settle(at);
        let Some(level) = self.levels.pop() else {
            return;
        };
        (self.returning, self.brackets) = level.around;
        if level.is_try {
            self.tried = Some((level.start, at));
        }
        let inside = self.body.get(level.start + 1..at).unwrap_or_default();
        if let Some(tried) = level.takes.filter(|_| says_nothing(inside)) {
            self.dead.push(tried);
        }
        let after = self.body.get(at + 1..).unwrap_or_default();
        if level.is_idle && after.trim_start().starts_with(';') {
            self.dead.push((level.start, at));
        }
        if level.never {
            self.dead.push((level.start, at));
        } else if let Some(from) = level.returned {
            self.dead.push((from, at));
            if level.always
                && let Some(around) = self.levels.last_mut()
            {
                around.returned.get_or_insert(at + 1);
            }
        }
        self.head = at + 1;
    }

    /// Ends a `return` that waits.
    fn settle(&mut self, at: usize) {
        if std::mem::take(&mut self.returning)
            && let Some(level) = self.levels.last_mut()
        {
            level.returned.get_or_insert(at);
        }
    }

    fn end_statement(&mut self, at: usize) {
        self.settle(at);
        self.head = at + 1;
    }

    /// A line ends a statement, unless something is open, or goes on.
    fn end_line(&mut self, at: usize) {
        // The arguments of a test are within its parentheses, and no statement is.
        if self.brackets > 0 {
            return;
        }
        let line = self.body.get(self.head..at).unwrap_or_default().trim_end();
        let goes_on = line.ends_with([
            '.', ',', '+', '-', '*', '/', '=', '&', '|', '?', ':', '(', '[',
        ]);
        let next = self.body.get(at + 1..).unwrap_or_default().trim_start();
        let follows = next.starts_with(['.', '?', ':', '&', '|']);
        // Behind the head of an `if` without braces, what follows belongs to it.
        let is_head = self.language == Language::JavaScript
            && ["if", "for", "while", "else"].contains(&word_at(line));
        if !goes_on && !follows && !is_head {
            self.end_statement(at);
        }
    }

    /// A `return` that is a statement, and so is always come to.
    fn word(&mut self, at: usize) {
        let head = self.body.get(self.head..at).unwrap_or_default();
        let rest = self.body.get(at..).unwrap_or_default();
        if head.trim().is_empty() && word_at(rest) == "return" {
            self.returning = true;
        }
    }
}

fn dead_python(body: &str) -> Vec<(usize, usize)> {
    let mut dead = swallowed(body);
    // From which indent on lines are dead, and whether those at just that indent are.
    let mut below: Option<(usize, bool)> = None;
    let mut certain: Vec<usize> = Vec::new();
    for line in logical(body) {
        if let Some((indent, itself)) = below {
            if line.indent > indent || itself && line.indent == indent {
                dead.push((line.start, line.end));
                continue;
            }
            below = None;
        }
        certain.retain(|indent| *indent < line.indent);
        let has_suite = head_end(line.code).is_some();
        let returned = statements(line.code)
            .into_iter()
            .find(|statement| word_at(statement) == "return");
        if let Some(statement) = returned.filter(|_| !has_suite) {
            // Below `if True:`, what follows that is dead as well.
            let indent = certain.first().copied().unwrap_or(line.indent);
            below = Some((indent, true));
            let start = statement.as_ptr() as usize - body.as_ptr() as usize;
            dead.push((start + "return".len(), line.end));
        } else if python_never(line.code) {
            if let Some((_, suite)) = line.code.split_once(':')
                && !suite.trim().is_empty()
            {
                dead.push((line.start, line.end));
            } else {
                below = Some((line.indent, false));
            }
        } else if matches!(
            line.code.trim_end_matches(':'),
            "if True" | "if 1" | "if not False"
        ) {
            certain.push(line.indent);
        } else if returned.is_some()
            && ["if True:", "if 1:"]
                .iter()
                .any(|head| line.code.starts_with(head))
        {
            below = Some((line.indent, true));
        }
    }
    dead
}

/// What fails in vain: the suite of a `try` that takes any failure and says nothing, and of `suppress`.
fn swallowed(body: &str) -> Vec<(usize, usize)> {
    // Most bodies are not read twice.
    if !["except", "finally", "suppress("]
        .iter()
        .any(|word| body.contains(word))
    {
        return Vec::new();
    }
    let lines = logical(body);
    let mut dead = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if !matches!(word_at(line.code), "try" | "with") {
            continue;
        }
        let rest = lines.get(at + 1..).unwrap_or_default();
        let suite = suite(rest, line.indent);
        let is_suppressed = line.code.starts_with("with ")
            && line
                .code
                .split_once("suppress(")
                .is_some_and(|(_, what)| takes_failures(what));
        let is_taken = line.code.starts_with("try")
            && line
                .code
                .trim_start_matches("try")
                .trim_start()
                .starts_with(':')
            && is_silent(rest.get(suite.len()..).unwrap_or_default(), line.indent);
        let returns = line.code.starts_with("try")
            && returns_in_the_end(rest.get(suite.len()..).unwrap_or_default(), line.indent);
        if is_suppressed || is_taken || returns {
            let end = suite.last().map_or(line.end, |last| last.end);
            dead.push((line.start, end));
        }
    }
    dead
}

/// The lines that are indented below.
fn suite<'l, 't>(lines: &'l [Logical<'t>], indent: usize) -> &'l [Logical<'t>] {
    let end = lines.iter().position(|line| line.indent <= indent);
    lines.get(..end.unwrap_or(lines.len())).unwrap_or_default()
}

/// True where the first handler that takes a failed assertion neither fails by itself nor hands it on. `lines` begin with the
/// first handler.
fn is_silent(mut lines: &[Logical<'_>], indent: usize) -> bool {
    const FAILS: [&str; 4] = ["raise", "assert", "fail", "exit"];
    while let Some((head, rest)) = lines.split_first() {
        let Some(what) = head
            .code
            .strip_prefix("except")
            .filter(|_| head.indent == indent)
        else {
            return false;
        };
        let handler = suite(rest, indent);
        let (what, same_line) = what.split_once(':').unwrap_or((what, ""));
        if what.trim_matches(['*', ' ']).is_empty() || takes_failures(what) {
            let mut said = handler.iter().map(|line| line.code).chain([same_line]);
            return !said.any(|code| {
                let lower = code.to_lowercase();
                FAILS.iter().any(|word| lower.contains(word))
            });
        }
        lines = rest.get(handler.len()..).unwrap_or_default();
    }
    false
}

/// True where a `finally` returns, which drops whatever failed. `lines` begin with the first handler.
fn returns_in_the_end(lines: &[Logical<'_>], indent: usize) -> bool {
    let belong = lines.iter().enumerate().take_while(|(_, line)| {
        line.indent > indent || matches!(word_at(line.code), "except" | "else" | "finally")
    });
    let mut last =
        belong.filter(|(_, line)| line.indent == indent && line.code.starts_with("finally"));
    last.next().is_some_and(|(at, head)| {
        let suite = suite(lines.get(at + 1..).unwrap_or_default(), indent);
        let mut statements = suite
            .iter()
            .chain([head])
            .flat_map(|line| statements(line.code));
        statements.any(|statement| word_at(statement) == "return")
    })
}

/// True where a failed assertion is among the exceptions that are named.
fn takes_failures(what: &str) -> bool {
    let names = what.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    names
        .into_iter()
        .any(|name| matches!(name, "Exception" | "BaseException" | "AssertionError"))
}
