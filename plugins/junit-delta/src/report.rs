//! Reads JUnit XML, as surefire, pytest, cargo-nextest, jest-junit, GoogleTest and others write it.
//!
//! Only elements and attributes count; what tests printed is passed over. There is no schema that all keep to, so what counts is
//! what they have in common: a `testcase` with a name, mostly a class, and a child that says how it went.
//!
//! **Invariant:** a document that is not whole (an element that is not closed, a second root, a reference that XML itself does not
//! know, a document type) is refused; no entity is ever expanded but XML's five. A suite that counts failures and shows none
//! is refused, too.

use std::borrow::Cow;
use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use ringfence_sdk::Finding;

/// Limit: elements within each other; suites in suites have some.
const DEPTH_MAX: usize = 100;
/// Limit: of a failure's message that is shown.
const MESSAGE_CHARS: usize = 200;

/// How the tests of one name went, and where they are.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    /// What the first that failed said; may be empty.
    pub(crate) message: String,
    file: Option<String>,
    line: u32,
}

/// All tests of a run, by `CLASS::NAME`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tests(BTreeMap<String, Tally>);

impl Tally {
    /// How many there are.
    pub(crate) fn all(&self) -> u64 {
        self.ran() + self.skipped
    }

    /// How many of them ran.
    pub(crate) fn ran(&self) -> u64 {
        self.passed + self.failed
    }

    /// The finding, in its place where the report names one.
    pub(crate) fn at(&self, finding: Finding) -> Finding {
        match &self.file {
            Some(file) => finding.at_line(file, self.line),
            None => finding,
        }
    }
}

impl Tests {
    pub(crate) fn get(&self, test: &str) -> Option<&Tally> {
        self.0.get(test)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Tally)> {
        self.0.iter().map(|(test, tally)| (test.as_str(), tally))
    }

    /// How many there are, skipped ones included.
    pub(crate) fn count(&self) -> u64 {
        self.0.values().map(Tally::all).sum()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.0.values().map(|tally| tally.failed).sum()
    }

    fn add(&mut self, case: TestCase) {
        let tally = self.0.entry(case.id).or_default();
        match case.went {
            Went::Well => tally.passed += 1,
            Went::Skipped => tally.skipped += 1,
            Went::Wrong => tally.failed += 1,
        }
        if tally.message.is_empty() {
            tally.message = case.message;
        }
        if tally.file.is_none() {
            (tally.file, tally.line) = (case.file, case.line);
        }
    }
}

/// How one test went; what is worse counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Went {
    Well,
    Skipped,
    Wrong,
}

#[derive(Debug)]
struct TestCase {
    id: String,
    went: Went,
    /// Whether it went wrong at first, and a rerun made it good: some tools count that as a failure.
    reran: bool,
    message: String,
    file: Option<String>,
    line: u32,
}

/// A suite that is open.
#[derive(Debug)]
struct Suite {
    name: String,
    /// Whether it counts something that went wrong.
    counts_wrong: bool,
    /// Whether something in it did, if only at first.
    shows_wrong: bool,
}

/// What is open, from the outside in.
#[derive(Debug)]
enum Open {
    Suite(Suite),
    Case(TestCase),
    Other,
}

/// Adds the tests of one report.
///
/// # Errors
/// Why it cannot be read, in words.
pub(crate) fn read(bytes: &[u8], tests: &mut Tests) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut document = Document {
        tests,
        open: Vec::new(),
        has_root: false,
    };
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event().map_err(|error| error.to_string());
        let more = event.and_then(|event| document.take(event));
        match more {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(why) => return Err(format!("byte {at}: {why}")),
        }
    }
}

struct Document<'a> {
    tests: &'a mut Tests,
    open: Vec<Open>,
    has_root: bool,
}

impl Document<'_> {
    /// Takes the next part; false at the end.
    fn take(&mut self, event: Event<'_>) -> Result<bool, String> {
        match event {
            Event::Start(element) => self.begin(&element)?,
            Event::Empty(element) => {
                self.begin(&element)?;
                self.end()?;
            }
            Event::End(_) => self.end()?,
            Event::DocType(_) => return Err("a document type".to_owned()),
            Event::Text(text) if self.open.is_empty() && !text.trim().is_empty() => {
                return Err("text outside of the root".to_owned());
            }
            Event::CData(_) if self.open.is_empty() => {
                return Err("text outside of the root".to_owned());
            }
            Event::GeneralRef(reference) => {
                let known = matches!(&*reference, "lt" | "gt" | "amp" | "apos" | "quot");
                let is_char = reference.is_char_ref()
                    && reference
                        .resolve_char_ref()
                        .map_err(|error| error.to_string())?
                        .is_some();
                if !known && !is_char || self.open.is_empty() {
                    return Err(format!("an unknown reference &{};", &*reference));
                }
            }
            Event::Eof if !self.open.is_empty() => return Err("it ends too early".to_owned()),
            Event::Eof if !self.has_root => return Err("it is empty".to_owned()),
            Event::Eof => return Ok(false),
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_) => {}
        }
        Ok(true)
    }

    fn begin(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        let attributes = Attributes::of(element)?;
        let name = element.local_name();
        let name = name.as_ref();
        if self.open.is_empty() {
            if self.has_root {
                return Err("a second root".to_owned());
            }
            if !matches!(name, "testsuites" | "testsuite") {
                return Err(format!("its root is `{name}`, which is no suite of tests"));
            }
            self.has_root = true;
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} elements within each other"));
        }
        let opened = match (name, self.open.last_mut()) {
            ("testsuites" | "testsuite", None | Some(Open::Suite(_))) => {
                Open::Suite(Suite::of(&attributes))
            }
            ("testcase", Some(Open::Suite(suite))) => {
                Open::Case(TestCase::of(&attributes, &suite.name)?)
            }
            ("testsuites" | "testsuite" | "testcase", Some(_)) => {
                return Err(format!("a `{name}` that is in no suite"));
            }
            (_, Some(Open::Case(case))) => {
                case.told(name, &attributes);
                Open::Other
            }
            ("failure" | "error", Some(Open::Suite(suite))) => Open::Case(TestCase {
                id: suite.name.clone(),
                went: Went::Wrong,
                reran: false,
                message: attributes.message(),
                file: None,
                line: 0,
            }),
            _ => Open::Other,
        };
        self.open.push(opened);
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let wrong = match self.open.pop() {
            Some(Open::Case(case)) => {
                let wrong = case.went == Went::Wrong || case.reran;
                self.tests.add(case);
                wrong
            }
            Some(Open::Suite(suite)) if suite.counts_wrong && !suite.shows_wrong => {
                return Err(format!(
                    "the suite `{}` counts failures and shows none",
                    suite.name
                ));
            }
            Some(Open::Suite(suite)) => suite.shows_wrong,
            Some(Open::Other) | None => false,
        };
        if let Some(Open::Suite(suite)) = self.open.last_mut() {
            suite.shows_wrong |= wrong;
        }
        Ok(())
    }
}

impl Suite {
    fn of(attributes: &Attributes) -> Self {
        let some = |name: &str| {
            attributes
                .get(name)
                .is_some_and(|count| count.trim().parse::<f64>().is_ok_and(|count| count > 0.0))
        };
        Self {
            name: attributes.get("name").unwrap_or_default().trim().to_owned(),
            counts_wrong: some("failures") || some("errors"),
            shows_wrong: false,
        }
    }
}

impl TestCase {
    fn of(attributes: &Attributes, suite: &str) -> Result<Self, String> {
        let name = attributes
            .get("name")
            .ok_or("a test without a name")?
            .trim();
        let class = attributes.get("classname").unwrap_or_default().trim();
        let class = if class.is_empty() { suite } else { class };
        let id = if class.is_empty() || class == name {
            name.to_owned()
        } else {
            format!("{class}::{name}")
        };
        // GoogleTest and CTest say in an attribute that a test did not run.
        let skipped = ["status", "result"].iter().any(|key| {
            let said = attributes.get(key).unwrap_or_default().to_ascii_lowercase();
            matches!(
                said.as_str(),
                "notrun" | "skipped" | "suppressed" | "disabled" | "ignored"
            )
        });
        let line = attributes.get("line").and_then(|line| line.parse().ok());
        Ok(Self {
            id,
            went: if skipped { Went::Skipped } else { Went::Well },
            reran: false,
            message: String::new(),
            file: attributes
                .get("file")
                .map(|file| file.trim_start_matches("./").to_owned()),
            line: line.unwrap_or(0),
        })
    }

    /// A child of a test says how it went. A failure that a rerun made good (`flakyFailure`) is none, and `rerunFailure` is
    /// said of a test that failed anyway.
    fn told(&mut self, name: &str, attributes: &Attributes) {
        let went = match name {
            "failure" | "error" => Went::Wrong,
            "skipped" | "disabled" => Went::Skipped,
            "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError" => {
                self.reran = true;
                return;
            }
            _ => return,
        };
        self.went = self.went.max(went);
        if went == Went::Wrong && self.message.is_empty() {
            self.message = attributes.message();
        }
    }
}

/// The attributes of one element, read and in order.
struct Attributes(Vec<(String, String)>);

impl Attributes {
    fn of(element: &BytesStart<'_>) -> Result<Self, String> {
        let mut all = Vec::new();
        for attribute in element.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value: Cow<'_, str> = attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .map_err(|error| error.to_string())?;
            all.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(Self(all))
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What a failure says, as far as it is shown.
    fn message(&self) -> String {
        let text = self
            .get("message")
            .or_else(|| self.get("type"))
            .unwrap_or_default();
        let line = text.trim().lines().next().unwrap_or_default();
        line.chars().take(MESSAGE_CHARS).collect()
    }
}
