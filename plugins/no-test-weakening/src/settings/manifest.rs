//! What a `Cargo.toml` says of tests.
//!
//! **Invariant:** keys are read as Cargo reads them, however they are spelled; a manifest that is not whole TOML says what can be
//! read of it.

use std::ops::Range;

use ringfence_sdk::prelude::*;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::find::line_of;

/// Kinds of targets whose tests `cargo test` runs unless they say otherwise. Benches and examples have none by default.
const TARGETS: [&str; 3] = ["lib", "bin", "test"];
/// What keeps a target's tests from being run where it is `false`.
const SWITCHES: [&str; 3] = ["test", "harness", "doctest"];

/// Something that a target says about its tests.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    kind: &'static str,
    name: String,
    key: String,
    at: usize,
}

impl Fact {
    fn is_alike(&self, other: &Self) -> bool {
        (self.kind, &self.key) == (other.kind, &other.key)
    }

    fn same(&self, other: &Self) -> bool {
        self.is_alike(other) && self.name == other.name
    }
}

/// A manifest, read.
#[derive(Debug, Default)]
struct Manifest {
    facts: Vec<Fact>,
    /// Kind and name of all targets that are written down.
    targets: Vec<(&'static str, String)>,
    /// The files of those with tests alone.
    files: Vec<String>,
    /// Where it says that Cargo shall not look for tests.
    autotests_off: Option<usize>,
}

/// What the manifest at `path` says of tests that it did not say before.
pub(super) fn judge(change: &Change, path: &str, before: &str, after: &str) -> Vec<Finding> {
    let (was, is) = (Manifest::read(before), Manifest::read(after));
    // A target that got another name takes along what it said.
    let mut gone: Vec<&Fact> = was.facts.iter().collect();
    gone.retain(|old| !is.targets.contains(&(old.kind, old.name.clone())));
    let mut new: Vec<&Fact> = is.facts.iter().collect();
    new.retain(|fact| !was.facts.iter().any(|old| old.same(fact)));
    new.retain(|fact| {
        let same = gone.iter().position(|old| old.is_alike(fact));
        same.map(|at| gone.swap_remove(at)).is_none()
    });
    let mut findings: Vec<Finding> = new
        .iter()
        .map(|fact| fact.finding().at_line(path, line_of(after, fact.at)))
        .collect();
    if let Some(at) = is.autotests_off {
        let known = |name: &String| was.autotests_off.is_some() && !was.lists(name);
        let lost = files_of_tests(change, path)
            .into_iter()
            .find(|name| !is.lists(name) && !known(name));
        if let Some(name) = lost {
            let message = format!("keeps tests from being run: `tests/{name}.rs` is no target");
            findings
                .push(Finding::error("test-settings", message).at_line(path, line_of(after, at)));
        }
    }
    findings
}

impl Fact {
    fn finding(&self) -> Finding {
        let Self {
            kind, name, key, ..
        } = self;
        let of = match name.as_str() {
            "" => format!("[{kind}]"),
            name => format!("the {kind} `{name}`"),
        };
        if SWITCHES.contains(&key.as_str()) {
            let message = format!("keeps tests from being run: `{key} = false` of {of}");
            return Finding::error("test-settings", message);
        }
        let message = format!("says which tests are run: `{key}` of {of}");
        Finding::warning("test-settings", message)
    }
}

impl Manifest {
    fn read(text: &str) -> Self {
        let mut manifest = Self::default();
        let (document, _) = DeTable::parse_recoverable(text);
        let document = document.get_ref();
        for kind in TARGETS {
            match get(document, kind) {
                Some((_, DeValue::Table(target))) => manifest.target(kind, target),
                Some((_, DeValue::Array(targets))) => {
                    for target in targets.iter() {
                        if let DeValue::Table(target) = target.get_ref() {
                            manifest.target(kind, target);
                        }
                    }
                }
                _ => {}
            }
        }
        if let Some((_, DeValue::Table(package))) =
            get(document, "package").or_else(|| get(document, "project"))
            && let Some((span, DeValue::Boolean(false))) = get(package, "autotests")
        {
            manifest.autotests_off = Some(span.start);
        }
        manifest
    }

    fn target(&mut self, kind: &'static str, target: &DeTable<'_>) {
        let name = match get(target, "name") {
            Some((_, DeValue::String(name))) if kind != "lib" => name.to_string(),
            _ => String::new(),
        };
        for key in SWITCHES {
            if let Some((span, DeValue::Boolean(false))) = get(target, key) {
                self.say(kind, &name, key, &span);
            }
        }
        if let Some((span, DeValue::Array(features))) = get(target, "required-features")
            && kind == "test"
        {
            for feature in features
                .iter()
                .filter_map(|feature| feature.get_ref().as_str())
            {
                let key = format!("required-features = [\"{feature}\"]");
                self.say(kind, &name, &key, &span);
            }
        }
        if let Some((span, DeValue::String(path))) = get(target, "path")
            && kind == "lib"
            && path.trim_start_matches("./") != "src/lib.rs"
        {
            let key = format!("path = \"{path}\"");
            self.say(kind, &name, &key, &span);
        }
        if kind == "test" {
            self.files.push(match get(target, "path") {
                Some((_, DeValue::String(path))) => path.trim_start_matches("./").to_owned(),
                _ => format!("tests/{name}.rs"),
            });
        }
        self.targets.push((kind, name));
    }

    fn say(&mut self, kind: &'static str, name: &str, key: &str, span: &Range<usize>) {
        self.facts.push(Fact {
            kind,
            name: name.to_owned(),
            key: key.to_owned(),
            at: span.start,
        });
    }

    /// True when the file of tests `tests/NAME.rs` is a target that is written down.
    fn lists(&self, name: &str) -> bool {
        self.files.contains(&format!("tests/{name}.rs"))
    }
}

/// The value of a key, and where the key stands.
fn get<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<(Range<usize>, &'t DeValue<'i>)> {
    let (key, value): (_, &Spanned<DeValue<'i>>) = table.get_key_value(key)?;
    Some((key.span(), value.get_ref()))
}

/// Names of the files of tests beside a manifest, as the change leaves them.
fn files_of_tests(change: &Change, path: &str) -> Vec<String> {
    let folder = format!(
        "{}tests",
        path.strip_suffix("Cargo.toml").unwrap_or_default()
    );
    // A folder that is not there has no tests.
    let there = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let there = there.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let differing = change.files().iter().filter(|file| file.new_mode != 0);
    let differing = differing.filter_map(|file| {
        let name = file.path.strip_prefix(&folder)?.strip_prefix('/')?;
        Some(name.to_owned())
    });
    let mut names: Vec<String> = there
        .chain(differing)
        .filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned()))
        .filter(|name| !name.is_empty() && !name.contains('/'))
        .collect();
    names.sort();
    names.dedup();
    names
}
