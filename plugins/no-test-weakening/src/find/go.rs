//! Tests of Go: functions that `go test` runs.
//!
//! **Invariant:** a constraint on a file counts for each of its tests.

use super::live::live;
use super::words::{block, word_at, word_starts};
use super::{Source, Test};
use crate::language::Language;

/// Ends of file names that Go reads as a platform.
const PLATFORMS: [&str; 39] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "wasip1",
    "windows",
    "zos",
    "386",
    "amd64",
    "arm",
    "arm64",
    "loong64",
    "mips",
    "mips64",
    "mips64le",
    "mipsle",
    "ppc64",
    "ppc64le",
    "riscv64",
    "s390x",
    "sparc64",
    "wasm",
    "amd64p32",
    "armbe",
    "arm64be",
    "ppc",
    "riscv",
    "s390",
];

impl Source<'_> {
    pub(super) fn go(&self, file: &str) -> Vec<Test> {
        let constraints = self.constraints(file);
        let mut tests = Vec::new();
        for at in word_starts(&self.blanked, "func ") {
            let Some(code) = self.blanked.get(at + 5..) else {
                continue;
            };
            let name = word_at(code);
            if name == "init" && ends_process(block(code)) {
                let mut test = self.test(Language::Go, name, at, block(code));
                test.focused = true;
                tests.push(test);
            }
            let runs = ["Test", "Fuzz", "Example"].iter().any(|start| {
                name.strip_prefix(start)
                    .is_some_and(|rest| !rest.starts_with(|c: char| c.is_lowercase()))
            });
            if !runs {
                continue;
            }
            let body = block(code);
            let mut test = self.test(Language::Go, name, at, body);
            test.off.clone_from(&constraints);
            if let Some(skip) = skip(body) {
                test.skip(skip);
            }
            // What runs all others, and here does not.
            test.focused = name == "TestMain" && !runs_all(code, body);
            tests.push(test);
        }
        tests
    }

    fn constraints(&self, file: &str) -> Vec<String> {
        let head = self.text.lines().zip(self.blanked.lines());
        let head = head.take_while(|(_, blanked)| !blanked.trim_start().starts_with("package "));
        let lines = head.map(|(line, _)| line.trim());
        let mut found: Vec<String> = lines
            .filter(|line| line.starts_with("//go:build ") || line.starts_with("// +build "))
            .map(str::to_owned)
            .collect();
        let stem = file.strip_suffix("_test.go").unwrap_or_default();
        let parts = stem
            .split('_')
            .skip(1)
            .filter(|part| PLATFORMS.contains(part));
        found.extend(parts.map(|part| format!("a file for `{part}`")));
        found
    }
}

/// Whether a `TestMain` runs the tests, and hands on how they ended.
fn runs_all(code: &str, body: &str) -> bool {
    let parameter = code.split_once('(').map(|(_, rest)| word_at(rest));
    let call = format!("{}.Run(", parameter.unwrap_or_default());
    let live = live(Language::Go, body);
    let runs = word_starts(&live, &call).next();
    let last = live.trim_end().trim_end_matches('}').trim_end();
    runs.is_some() && !last.ends_with("os.Exit(0)")
}

/// True for a body that ends the process whatever happens.
fn ends_process(body: &str) -> bool {
    let live = live(Language::Go, body);
    word_starts(&live, "os.Exit(").next().is_some()
}

/// A call that skips the test: a method of `t`, or a function whose name begins so.
fn skip(body: &str) -> Option<&'static str> {
    let calls = ["Skip(", "Skipf(", "SkipNow("];
    if calls.iter().any(|call| body.contains(&format!(".{call}"))) {
        return Some("it is skipped");
    }
    if body.contains("os.Exit(0)") || body.contains("runtime.Goexit()") {
        return Some("it ends the process");
    }
    ["skip", "Skip"]
        .iter()
        .flat_map(|word| word_starts(body, word))
        .any(|at| {
            let before = body.get(..at).unwrap_or_default();
            let rest = body.get(at..).unwrap_or_default();
            let called = rest.get(word_at(rest).len()..).unwrap_or_default();
            called.starts_with('(') && !before.trim_end().ends_with("func")
        })
        .then_some("it calls what skips it")
}
