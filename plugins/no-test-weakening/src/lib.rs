//! `no-test-weakening`: the gate that finds tests which a change removes, skips or empties.
//!
//! Whoever may change code and its tests can make any build green. So the tests of all files that differ are listed as they
//! were and as they are, in Rust, Python, JavaScript, TypeScript and Go. A test that was moved, or only got another name, is
//! still there, as long as it runs.
//!
//! | rule | means | is |
//! | --- | --- | --- |
//! | `test-removed` | a test is no longer there | an error |
//! | `test-skipped` | one is skipped, or runs under a condition, and was or did not before | an error; a warning for a new one |
//! | `test-focused` | one is singled out, so that others do not run | an error |
//! | `assertions-removed` | one asserts nothing any more, or a macro that asserts is defined anew | an error |
//! | `fewer-assertions` | one asserts less than before | as `fewer_assertions` says (a warning) |
//! | `test-settings` | a line of settings differs that says which tests are run | an error if it keeps tests from it, else a warning |
//! | `not-read` | a file of tests is no text, or may be read in two ways, so nobody can tell | an error |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:no-test-weakening"
//! ```
//!
//! `blank.rs` takes comments and texts out of a source, `find.rs` finds the tests, `pairs.rs` says which was which, `reach.rs`
//! which files no tool looks into any more. Assertions that cannot fail, such as `assert!(true)`, are none, nor are those
//! behind a `return`.
//!
//! Found are the usual ways to weaken tests, not all; `docs/gates.md` says what is not seen. A test that still asserts, but
//! something else, is as good as before here; so is one whose helper, fixture or recorded answer was changed, or that asserts
//! in a loop over nothing.
//!
//! **Invariant:** what stands in a comment or a text is no test, so a test that is commented out is removed. It passes only if
//! there were tests to judge.

mod blank;
mod find;
mod language;
mod pairs;
mod reach;
mod settings;

use ringfence_globs::{Case, Globs};
use ringfence_sdk::prelude::*;
use serde::Deserialize;

use crate::blank::doubt;
use crate::find::{Module, Outline, REPLACED, Test, outline, tests};
use crate::language::Language;
use crate::pairs::{Known, pairs};

ringfence_sdk::plugin!("../plugin.toml");

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
    for (number, file) in change.files().iter().enumerate() {
        sides.add(change, number, file, &ignore)?;
    }
    sides.reach(change);
    let no_tests = sides.before.is_empty() && sides.after.is_empty();
    let tests = count(sides.after.len(), "test", "tests");
    let findings = sides.findings(change, config.fewer_assertions);
    if no_tests && findings.is_empty() {
        return Ok(Verdict::abstain("no tests in the files that differ"));
    }
    let mut verdict = Verdict::from(findings);
    verdict.summary = format!("{}; {tests} in the files that differ", verdict.summary);
    Ok(verdict)
}

/// All tests as they were and as they are.
#[derive(Debug, Default)]
struct Sides {
    before: Vec<Known>,
    after: Vec<Known>,
    /// The modules in other files that Rust's sources name, with the source.
    modules_before: Vec<(String, Module)>,
    modules_after: Vec<(String, Module)>,
    found: Vec<Finding>,
}

impl Sides {
    fn add(
        &mut self,
        change: &Change,
        number: usize,
        file: &FileChange,
        ignore: &Globs,
    ) -> Result<()> {
        let is_file = |mode: u32| mode & 0o170_000 == 0o100_000;
        let old_path = file.renamed_from.as_ref().unwrap_or(&file.path);
        let wanted = |path: &str| Language::of(path).filter(|_| !ignore.cover(path));
        let (mut was, mut is) = (Outline::default(), Outline::default());
        let mut known_doubt = None;
        if let Some(language) = wanted(old_path).filter(|_| is_file(file.old_mode)) {
            // What was unreadable before cannot have got worse.
            if let Ok(text) = String::from_utf8(change.read_base(old_path)?) {
                self.before.extend(known(language, number, old_path, &text));
                known_doubt = doubt(language, &text);
                if language == Language::Rust {
                    was = outline(&text);
                }
            }
        }
        if let Some(language) = wanted(&file.path).filter(|_| is_file(file.new_mode)) {
            match String::from_utf8(change.read(&file.path)?) {
                Ok(text) => {
                    self.after
                        .extend(known(language, number, &file.path, &text));
                    let has_tests = language.looks_in(&file.path)
                        || self.after.last().is_some_and(|last| last.file == number);
                    let doubt = doubt(language, &text).filter(|_| has_tests);
                    if let Some(why) = doubt.filter(|why| known_doubt.as_ref() != Some(why)) {
                        self.found
                            .push(Finding::error("not-read", why).at(&file.path));
                    }
                    if language == Language::Rust {
                        is = outline(&text);
                    }
                }
                Err(_) => self.found.push(
                    Finding::error("not-read", "not UTF-8, so its tests cannot be told")
                        .at(&file.path),
                ),
            }
        }
        self.found.extend(redefined(&was, &is, &file.path));
        let at = |path: &str, modules: Vec<Module>| {
            let path = path.to_owned();
            modules
                .into_iter()
                .map(move |module| (path.clone(), module))
        };
        self.modules_before.extend(at(old_path, was.modules));
        self.modules_after.extend(at(&file.path, is.modules));
        if !ignore.cover(&file.path) || !ignore.cover(old_path) {
            self.found.extend(settings::judge(change, file)?);
        }
        Ok(())
    }

    fn findings(mut self, change: &Change, fewer: Fewer) -> Vec<Finding> {
        let mut findings = std::mem::take(&mut self.found);
        findings.extend(self.lost_modules(change));
        let (pairs, new) = pairs(&self.before, &self.after);
        for (was, is) in self.before.iter().zip(pairs) {
            match is.and_then(|at| self.after.get(at)) {
                Some(is) => findings.extend(compare(was, is, fewer)),
                // Nobody ran it.
                None if was.test.off.iter().any(|why| why == REPLACED) => {}
                None => findings.push(removed(was)),
            }
        }
        for is in new.iter().filter_map(|at| self.after.get(*at)) {
            findings.extend(judge_new(is));
        }
        findings
    }
}

/// The macros that a source defines anew.
fn redefined(was: &Outline, is: &Outline, path: &str) -> Vec<Finding> {
    let had = |name: &String| was.redefined.iter().any(|(old, _)| old == name);
    let new = is.redefined.iter().filter(|(name, _)| !had(name));
    let findings = new.map(|(name, line)| {
        let message = format!("`{name}!` is defined anew, so what it asserts nobody can tell");
        Finding::error("assertions-removed", message).at_line(path, *line)
    });
    findings.collect()
}

fn known(language: Language, file: usize, path: &str, text: &str) -> Vec<Known> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let looks_in = language.looks_in(path);
    let found = tests(language, name, text).into_iter();
    found
        .map(|mut test| {
            if !looks_in {
                test.off
                    .push("no tool looks for tests in such a file".to_owned());
            }
            Known {
                language,
                file,
                path: path.to_owned(),
                test,
            }
        })
        .collect()
}

fn removed(was: &Known) -> Finding {
    let message = format!("test `{}` is gone", was.test.name);
    Finding::error("test-removed", message)
        .at_line(&was.path, was.test.line)
        .help("a test that is no longer right is for a person to take away")
}

fn compare(was: &Known, is: &Known, fewer: Fewer) -> Vec<Finding> {
    let (old, new) = (&was.test, &is.test);
    let name = &new.name;
    let at = |finding: Finding| finding.at_line(&is.path, new.line);
    let mut findings = Vec::new();
    if let Some(why) = new.off.iter().find(|why| !old.off.contains(why)) {
        let message = format!("test `{name}` does not run as before: {why}");
        findings.push(at(Finding::error("test-skipped", message)));
    }
    if new.focused && !old.focused {
        findings.push(at(focused(name)));
    }
    if new.assertions < old.assertions {
        let message = format!(
            "test `{name}` has {}, and had {}",
            count(new.assertions, "assertion", "assertions"),
            old.assertions
        );
        let finding = match (new.assertions, fewer) {
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
fn judge_new(is: &Known) -> Vec<Finding> {
    let Test { name, line, .. } = &is.test;
    let at = |finding: Finding| finding.at_line(&is.path, *line);
    let mut findings = Vec::new();
    if is.test.skipped {
        let message = format!("new test `{name}` is skipped");
        findings.push(at(Finding::warning("test-skipped", message)));
    }
    if is.test.focused {
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
