//! Where comments, texts, templates and regular expressions of JavaScript begin and end.
//!
//! A `/` divides, or begins a regular expression, by what stands before it; so this follows the brackets, and what each of them is.
//!
//! **Invariant:** where a valid source leaves no doubt, none is left here; a tag of JSX is read as a tag. What two kinds of sources
//! read in two ways (`<!--`, and `-->` at the start of a line) is said.

use super::Scanner;

/// Words that an expression follows.
const OPERATORS: [&str; 14] = [
    "await",
    "case",
    "default",
    "delete",
    "extends",
    "in",
    "instanceof",
    "new",
    "return",
    "throw",
    "typeof",
    "void",
    "yield",
    "satisfies",
];
/// Words that a statement follows.
const STARTS: [&str; 4] = ["do", "else", "finally", "try"];
/// Words whose parentheses a statement follows.
const HEADS: [&str; 4] = ["for", "if", "while", "with"];

/// What has just ended, as far as it says what may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prev {
    /// A statement may begin.
    Start,
    /// An expression has to.
    Operator,
    /// As after `=>`: an expression, or a block.
    Arrow,
    /// `if` and its like.
    Head,
    /// Something that can be divided.
    Operand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Template,
    Block,
    Object,
    Other,
}

/// A bracket that is open.
struct Frame {
    kind: Kind,
    close: u8,
    /// What its end is.
    ends: Prev,
    /// Whether the next block is that of a function or class which is a value.
    is_value: bool,
    /// `?` that wait for their `:`.
    conditions: usize,
}

/// A source that is being read.
pub(super) struct Script<'s, 'a> {
    scanner: &'s mut Scanner<'a>,
    frames: Vec<Frame>,
    prev: Prev,
    /// Before `async`, which says nothing.
    before_async: Option<Prev>,
    is_member: bool,
    is_default: bool,
    line_starts: bool,
}

impl<'s, 'a> Script<'s, 'a> {
    pub(super) fn new(scanner: &'s mut Scanner<'a>) -> Self {
        Self {
            scanner,
            frames: vec![frame(Kind::Block, 0, Prev::Start)],
            prev: Prev::Start,
            before_async: None,
            is_member: false,
            is_default: false,
            line_starts: true,
        }
    }

    pub(super) fn run(&mut self) {
        if self.scanner.is_at("#!") {
            self.scanner.line_comment();
        }
        while let Some(c) = self.scanner.char() {
            self.step(c);
        }
    }

    fn step(&mut self, c: char) {
        if matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}') {
            self.scanner.end_line(c);
            self.line_starts = true;
        } else if c.is_whitespace() || c == '\u{feff}' {
            self.emit(c.len_utf8());
        } else if self.scanner.is_at("//") {
            self.scanner.line_comment();
        } else if self.scanner.is_at("/*") {
            let from = self.scanner.at;
            self.scanner.block_comment(false);
            self.line_starts |= self.scanner.has_line_end(from);
        } else if self.scanner.is_at("<!--") || self.line_starts && self.scanner.is_at("-->") {
            self.scanner.doubt = true;
            self.scanner.line_comment();
        } else {
            self.line_starts = false;
            self.token(c);
        }
    }

    fn token(&mut self, c: char) {
        match c {
            '"' | '\'' => {
                let quote = if c == '"' { "\"" } else { "'" };
                self.scanner.quoted(quote, true, false);
                self.operand();
            }
            '`' => self.template(),
            '/' => self.slash(),
            '(' | '[' | '{' => self.open(c),
            ')' | ']' | '}' => self.close(c),
            c if is_part(c) => self.word(c),
            _ => self.punctuation(c),
        }
    }

    fn emit(&mut self, count: usize) {
        if self.scanner.hiding {
            self.scanner.hide(count);
        } else {
            self.scanner.keep(count);
        }
    }

    fn operand(&mut self) {
        self.after(Prev::Operand);
    }

    fn after(&mut self, prev: Prev) {
        self.prev = prev;
        (self.is_member, self.is_default, self.before_async) = (false, false, None);
    }

    fn top(&mut self) -> Option<&mut Frame> {
        self.frames.last_mut()
    }

    fn word(&mut self, first: char) {
        let rest = self.scanner.rest();
        let is_number = first.is_ascii_digit();
        let end = rest.find(|c| !(is_part(c) || is_number && c == '.'));
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let (before, was_async, was_default) = (self.prev, self.before_async, self.is_default);
        let is_member = self.is_member;
        self.emit(word.len());
        self.operand();
        if is_member || is_number {
            return;
        }
        match word {
            "async" => self.before_async = Some(before),
            "function" | "class" => {
                let before = was_async.unwrap_or(before);
                let is_value = !was_default && matches!(before, Prev::Operator | Prev::Arrow);
                if let Some(top) = self.top() {
                    top.is_value = is_value;
                }
            }
            // `for await (`.
            "await" if before == Prev::Head => self.prev = Prev::Head,
            "of" if before == Prev::Operand => self.prev = Prev::Operator,
            _ if OPERATORS.contains(&word) => self.prev = Prev::Operator,
            _ if STARTS.contains(&word) => self.prev = Prev::Start,
            _ if HEADS.contains(&word) => self.prev = Prev::Head,
            _ => {}
        }
        self.is_default = word == "default";
    }

    fn open(&mut self, c: char) {
        let (kind, close) = match c {
            '(' => (Kind::Other, b')'),
            '[' => (Kind::Other, b']'),
            _ => (self.brace(), b'}'),
        };
        let ends = match (kind, self.prev) {
            (Kind::Block, Prev::Operand) if self.takes_value() => Prev::Operand,
            (Kind::Block, _) => Prev::Start,
            (_, Prev::Head) => Prev::Start,
            _ => Prev::Operand,
        };
        self.emit(1);
        self.frames.push(frame(kind, close, ends));
        self.after(if kind == Kind::Block {
            Prev::Start
        } else {
            Prev::Operator
        });
    }

    /// Whether the block that begins is of a function or class that is a value; it is asked once.
    fn takes_value(&mut self) -> bool {
        self.top()
            .is_some_and(|top| std::mem::take(&mut top.is_value))
    }

    fn brace(&self) -> Kind {
        let inside = self.scanner.rest().get(1..).unwrap_or_default();
        match self.prev {
            // Of a tag.
            _ if inside.trim_start().starts_with("...") => Kind::Object,
            Prev::Operator => Kind::Object,
            Prev::Start | Prev::Arrow | Prev::Head | Prev::Operand => Kind::Block,
        }
    }

    fn close(&mut self, c: char) {
        let close = u8::try_from(c).unwrap_or_default();
        // In the text of a tag, brackets need no partner; braces do.
        let found = match c {
            '}' => self.frames.iter().rposition(|frame| frame.close == b'}'),
            _ => self
                .frames
                .len()
                .checked_sub(1)
                .filter(|_| self.frames.last().is_some_and(|top| top.close == close)),
        };
        self.emit(1);
        self.operand();
        let Some(at) = found else { return };
        self.frames.truncate(at + 1);
        let Some(frame) = self.frames.pop() else {
            return;
        };
        self.prev = frame.ends;
        if frame.kind == Kind::Template {
            self.template_text();
        }
    }

    fn template(&mut self) {
        self.emit(1);
        self.template_text();
    }

    /// From within a template to its end, or to what is put in.
    fn template_text(&mut self) {
        self.scanner.hiding = true;
        while self.scanner.peek(0).is_some() {
            if self.scanner.is_at("`") {
                let is_inner = self.frames.iter().any(|frame| frame.kind == Kind::Template);
                self.scanner.hiding = is_inner;
                self.emit(1);
                self.operand();
                return;
            }
            if self.scanner.is_at("${") {
                self.scanner.hide(2);
                self.frames.push(frame(Kind::Template, b'}', Prev::Operand));
                self.after(Prev::Operator);
                return;
            }
            let is_escaped = self.scanner.is_at("\\");
            self.scanner.hide(if is_escaped { 2 } else { 1 });
        }
    }

    fn slash(&mut self) {
        let divides = match self.prev {
            Prev::Operand => true,
            Prev::Start | Prev::Operator | Prev::Arrow | Prev::Head => self.ends_tag(),
        };
        if let Some(length) = regex(self.scanner.rest()).filter(|_| !divides) {
            self.emit(1);
            self.scanner.hide(length - 2);
            self.emit(1);
            self.operand();
        } else {
            self.emit(1);
            self.after(Prev::Operator);
        }
    }

    /// Whether this is the slash of `</a>`.
    fn ends_tag(&self) -> bool {
        let rest = self.scanner.rest().get(1..).unwrap_or_default();
        let name = rest.trim_start_matches(|c| is_part(c) || matches!(c, '.' | '-' | ':'));
        self.scanner.is_behind(b'<') && name.trim_start().starts_with('>')
    }

    fn punctuation(&mut self, c: char) {
        let is_operand = self.prev == Prev::Operand;
        for (token, keeps) in [("++", true), ("--", true), ("...", false), ("=>", false)] {
            if self.scanner.is_at(token) {
                self.emit(token.len());
                if token == "=>" {
                    self.after(Prev::Arrow);
                } else if !(keeps && is_operand) {
                    self.after(Prev::Operator);
                }
                return;
            }
        }
        let is_condition = c == '?' && !self.scanner.is_at("?.") && !self.scanner.is_at("??");
        let is_not_null = c == '!' && is_operand && self.scanner.is_behind_word();
        self.emit(c.len_utf8());
        if is_not_null && !self.scanner.is_at("=") {
            return;
        }
        let prev = match c {
            ';' if self.top().is_some_and(|top| top.kind == Kind::Block) => Prev::Start,
            ':' if self.is_label() => Prev::Start,
            _ => Prev::Operator,
        };
        self.after(prev);
        self.is_member = c == '.';
        let Some(top) = self.top() else { return };
        top.conditions += usize::from(is_condition);
        if c == ';' {
            (top.is_value, top.conditions) = (false, 0);
        }
    }

    /// Whether a `:` is that of a label or a case.
    fn is_label(&mut self) -> bool {
        let Some(top) = self.top() else { return false };
        if top.conditions > 0 {
            top.conditions -= 1;
            return false;
        }
        top.kind == Kind::Block
    }
}

fn frame(kind: Kind, close: u8, ends: Prev) -> Frame {
    Frame {
        kind,
        close,
        ends,
        is_value: false,
        conditions: 0,
    }
}

/// True within a name, a number or a keyword; an escape is part of a name.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '\\' | '@')
}

/// The length of the regular expression with which a text begins, with both slashes.
fn regex(text: &str) -> Option<usize> {
    let mut in_class = false;
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => return None,
            '\\' => {
                let (_, next) = chars.next()?;
                if matches!(next, '\n' | '\r' | '\u{2028}' | '\u{2029}') {
                    return None;
                }
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return Some(at + 1),
            _ => {}
        }
    }
    None
}
