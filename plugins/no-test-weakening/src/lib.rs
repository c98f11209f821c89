//! `no-test-weakening`: the gate that finds tests which a change removes, skips or empties.
//!
//! Whoever may change code and its tests can make any build green. So the tests of all files that differ are listed as they
//! were and as they are, in Rust, Python, JavaScript, TypeScript and Go. A test that was moved, or only got another name, is
//! still there.
//!
//! | rule | means | is |
//! | --- | --- | --- |
//! | `test-removed` | a test is no longer there | an error |
//! | `test-skipped` | one is skipped, and was not before | an error; a warning for a new one |
//! | `test-focused` | one is singled out, so that others do not run | an error |
//! | `assertions-removed` | one asserts nothing any more | an error |
//! | `fewer-assertions` | one asserts less than before | as `fewer_assertions` says (a warning) |
//! | `not-read` | a file of tests is no text, so nobody can tell | an error |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:no-test-weakening"
//! ```
//!
//! `blank.rs` takes comments and texts out of a source, `find.rs` finds the tests. Assertions that cannot fail, such as
//! `assert!(true)`, are none.
//!
//! **Invariant:** what stands in a comment or a text is no test, so a test that is commented out is removed.

mod blank;
mod find;
mod language;

use std::collections::BTreeMap;

use ringfence_globs::{Case, Globs};
use ringfence_sdk::prelude::*;
use serde::Deserialize;

use crate::find::{Test, tests};
use crate::language::Language;

ringfence_sdk::plugin!("../plugin.toml");

/// Limit: findings of one answer; the summary counts all.
const FINDINGS_MAX: usize = 200;

/// The `config` table; every key has the default that `plugin.toml` names.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    fewer_assertions: Fewer,
    ignore: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fewer {
    Error,
    #[default]
    Warning,
    Off,
}

/// Judges the tests of the files that differ.
///
/// # Errors
/// [`Error::Config`] for a glob that is none; [`Error::Unavailable`] for a file that cannot be read.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    let config: Config = cx.config()?;
    let ignore = Globs::parse("ignore", &config.ignore, Case::Exact)?;
    let mut sides = Sides::default();
    for file in change.files() {
        sides.add(change, file, &ignore)?;
    }
    let count = sides.after.values().map(|named| named.count).sum::<usize>();
    let findings = sides.findings(config.fewer_assertions);
    let found = findings.len();
    let mut verdict = Verdict::from(findings);
    verdict.findings.truncate(FINDINGS_MAX);
    verdict.summary = format!("{found} findings, {count} tests in the files that differ");
    Ok(verdict)
}

/// The tests of one name, which may be in several places.
#[derive(Debug, Default)]
struct Named {
    /// Where the first one is.
    path: String,
    line: u32,
    count: usize,
    skipped: usize,
    focused: usize,
    assertions: usize,
    /// Digests of what they do, so that one can be found under another name.
    bodies: Vec<u64>,
}

type Key = (Language, String);

/// All tests as they were and as they are.
#[derive(Debug, Default)]
struct Sides {
    before: BTreeMap<Key, Named>,
    after: BTreeMap<Key, Named>,
    unread: Vec<Finding>,
}

impl Sides {
    fn add(&mut self, change: &Change, file: &FileChange, ignore: &Globs) -> Result<()> {
        let is_file = |mode: u32| mode & 0o170_000 == 0o100_000;
        let old_path = file.renamed_from.as_ref().unwrap_or(&file.path);
        let wanted = |path: &str| Language::of(path).filter(|_| !ignore.cover(path));
        if let Some(language) = wanted(old_path).filter(|_| is_file(file.old_mode)) {
            // What was unreadable before cannot have got worse.
            if let Ok(text) = String::from_utf8(change.read_base(old_path)?) {
                collect(&mut self.before, language, old_path, &text);
            }
        }
        if let Some(language) = wanted(&file.path).filter(|_| is_file(file.new_mode)) {
            match String::from_utf8(change.read(&file.path)?) {
                Ok(text) => collect(&mut self.after, language, &file.path, &text),
                Err(_) => self.unread.push(
                    Finding::error("not-read", "not UTF-8, so its tests cannot be told")
                        .at(&file.path),
                ),
            }
        }
        Ok(())
    }

    fn findings(self, fewer: Fewer) -> Vec<Finding> {
        let Self {
            before,
            after,
            unread: mut findings,
        } = self;
        let mut fresh: Vec<u64> = after
            .iter()
            .filter(|(key, _)| !before.contains_key(*key))
            .flat_map(|(_, named)| named.bodies.iter().copied())
            .collect();
        for (key, was) in &before {
            match after.get(key) {
                Some(is) => findings.extend(compare(&key.1, was, is, fewer)),
                None => findings.extend(removed(&key.1, was, &mut fresh)),
            }
        }
        for (key, is) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
            findings.extend(new(&key.1, is));
        }
        findings
    }
}

fn collect(side: &mut BTreeMap<Key, Named>, language: Language, path: &str, text: &str) {
    for test in tests(language, text) {
        let named = side.entry((language, test.name.clone())).or_default();
        if named.count == 0 {
            (named.path, named.line) = (path.to_owned(), test.line);
        }
        named.add(&test);
    }
}

impl Named {
    fn add(&mut self, test: &Test) {
        self.count += 1;
        self.skipped += usize::from(test.skipped);
        self.focused += usize::from(test.focused);
        self.assertions += test.assertions;
        self.bodies.push(test.body);
    }
}

/// A test that is gone, unless a new one does the same.
fn removed(name: &str, was: &Named, fresh: &mut Vec<u64>) -> Option<Finding> {
    let mut gone = was.count;
    for body in &was.bodies {
        if let Some(at) = fresh.iter().position(|other| other == body) {
            fresh.swap_remove(at);
            gone -= 1;
        }
    }
    (gone > 0).then(|| {
        Finding::error("test-removed", format!("test `{name}` is gone"))
            .at_line(&was.path, was.line)
            .help("a test that is no longer right is for a person to take away")
    })
}

fn compare(name: &str, was: &Named, is: &Named, fewer: Fewer) -> Vec<Finding> {
    let at = |finding: Finding| finding.at_line(&is.path, is.line);
    let mut findings = Vec::new();
    if is.count < was.count {
        let message = format!("of {} tests `{name}` {} are left", was.count, is.count);
        findings.push(at(Finding::error("test-removed", message)));
    }
    if is.skipped > was.skipped {
        let message = format!("test `{name}` is skipped");
        findings.push(at(Finding::error("test-skipped", message)));
    }
    if is.focused > was.focused {
        findings.push(at(focused(name)));
    }
    if is.assertions < was.assertions {
        let message = format!(
            "test `{name}` asserts {} times, {} before",
            is.assertions, was.assertions
        );
        let finding = match (is.assertions, fewer) {
            (0, _) => Some(Finding::error("assertions-removed", message)),
            (_, Fewer::Error) => Some(Finding::error("fewer-assertions", message)),
            (_, Fewer::Warning) => Some(Finding::warning("fewer-assertions", message)),
            (_, Fewer::Off) => None,
        };
        findings.extend(finding.map(at));
    }
    findings
}

/// What is wrong with a test that was not there before.
fn new(name: &str, is: &Named) -> Vec<Finding> {
    let at = |finding: Finding| finding.at_line(&is.path, is.line);
    let mut findings = Vec::new();
    if is.skipped > 0 {
        let message = format!("new test `{name}` is skipped");
        findings.push(at(Finding::warning("test-skipped", message)));
    }
    if is.focused > 0 {
        findings.push(at(focused(name)));
    }
    findings
}

fn focused(name: &str) -> Finding {
    Finding::error(
        "test-focused",
        format!("`{name}` is singled out: others do not run"),
    )
}

#[cfg(test)]
mod tests_of;
