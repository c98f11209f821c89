//! Which files of Rust's tests are still compiled.
//!
//! A file that is no target of its own needs a `mod` somewhere. Where a change takes that away, or makes it conditional, tests
//! are lost that are in no file of the change.
//!
//! **Invariant:** a file that cannot be read has no tests: those of one that was deleted are found to be gone by themselves.

use ringfence_sdk::prelude::*;

use crate::find::{outline, tests};
use crate::language::Language;
use crate::{Sides, find::Module};

/// Limit: files that are read to find tests below one module; deeper trees than that are rare.
const FILES_MAX: usize = 64;

impl Sides {
    /// Marks the tests of new files that nothing compiles.
    pub(crate) fn reach(&mut self, change: &Change) {
        let mut declared: Vec<String> = self
            .modules_after
            .iter()
            .flat_map(|(path, module)| files_of(path, module))
            .collect();
        // A file that took the place of another is declared where that was.
        let gone = change.files().iter().filter_map(|file| match file.kind {
            ChangeKind::Deleted => Some(&file.path),
            ChangeKind::Added | ChangeKind::Modified => file.renamed_from.as_ref(),
        });
        let places: Vec<&str> = gone.map(|path| place(path)).collect();
        declared.sort_unstable();
        let named = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            let stem = name.strip_suffix(".rs").unwrap_or(name);
            let stem = if stem == "mod" {
                place(path).rsplit('/').next().unwrap_or(stem)
            } else {
                stem
            };
            self.modules_after
                .iter()
                .any(|(_, module)| module.path.rsplit('/').next() == Some(stem))
        };
        let lost: Vec<usize> = change
            .files()
            .iter()
            .enumerate()
            .filter(|(_, file)| {
                let is_new = file.kind == ChangeKind::Added || file.renamed_from.is_some();
                Language::of(&file.path) == Some(Language::Rust)
                    && is_new
                    && !is_target(&file.path)
                    && !places.contains(&place(&file.path))
                    && declared.binary_search(&file.path).is_err()
                    // Attributes and macros may name a file, too.
                    && !named(&file.path)
            })
            .map(|(number, _)| number)
            .collect();
        for known in &mut self.after {
            if lost.contains(&known.file) {
                known
                    .test
                    .off
                    .push("no `mod` of the change names its file".to_owned());
            }
        }
    }

    /// Modules that are no longer compiled, or not always, and whose tests are in files that do not differ.
    pub(crate) fn lost_modules(&self, change: &Change) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (path, was) in &self.modules_before {
            let files = files_of(path, was);
            let same = |(other, is): &&(String, Module)| files_of(other, is) == files;
            let is = self.modules_after.iter().find(same);
            let why = match is {
                None => "is no longer a module".to_owned(),
                Some((_, is)) => match is.off.iter().find(|why| !was.off.contains(why)) {
                    Some(why) => format!("is compiled under a condition: {why}"),
                    None => continue,
                },
            };
            let mut left = FILES_MAX;
            if files.iter().any(|file| has_tests(change, file, &mut left)) {
                let message = format!("`{}`, which has tests, {why}", was.path);
                let line = is.map_or(was.line, |(_, is)| is.line);
                let path = is.map_or(path, |(path, _)| path);
                let rule = if is.is_some() {
                    "test-skipped"
                } else {
                    "test-removed"
                };
                findings.push(Finding::error(rule, message).at_line(path, line));
            }
        }
        findings
    }
}

/// Where the file of a module may be.
fn files_of(path: &str, module: &Module) -> Vec<String> {
    let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
    let base = if is_target(path) || path.ends_with("/mod.rs") {
        folder
    } else {
        place(path)
    };
    let join = |name: &str| match base {
        "" => name.to_owned(),
        base => format!("{base}/{name}"),
    };
    vec![
        join(&format!("{}.rs", module.path)),
        join(&format!("{}/mod.rs", module.path)),
    ]
}

/// The path of a module: `a/b` for `a/b.rs` and for `a/b/mod.rs`.
fn place(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    stem.strip_suffix("/mod").unwrap_or(stem)
}

/// True for a file that Cargo compiles by itself.
fn is_target(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (above, last) = folder.rsplit_once('/').unwrap_or(("", folder));
    let auto = ["tests", "benches", "examples", "bin"];
    matches!(name, "lib.rs" | "main.rs" | "build.rs")
        || auto.contains(&last)
        || name == "main.rs" && auto.contains(&above.rsplit('/').next().unwrap_or(above))
}

fn has_tests(change: &Change, path: &str, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    let Some(text) = change
        .read(path)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
    else {
        return false;
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    !tests(Language::Rust, name, &text).is_empty()
        || outline(&text)
            .modules
            .iter()
            .flat_map(|module| files_of(path, module))
            .any(|file| has_tests(change, &file, left))
}
