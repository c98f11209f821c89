//! What every single file keeps to: headers, length, no placeholders, no `unsafe` outside its few places, no paths of
//! somebody's machine.

use crate::Finding;
use crate::source::Source;

/// A file longer than this says in its header why.
// Limit: what a reader holds in mind is a tenth of it; a table or a generated list may be longer.
pub const LINES_MAX: usize = 1_000;

/// How that reason begins in the header.
pub const LONG_BECAUSE: &str = "//! Long because ";

/// Where `unsafe` may stand, and why.
const UNSAFE: &[(&str, &str)] = &[
    (
        "host/sandbox/src/artifact.rs",
        "compiled code is mapped into memory",
    ),
    (
        "host/sandbox/src/native/inside/kernel.rs",
        "namespaces and mounts, for which no crate in the tree has a safe call",
    ),
    (
        "sdk/rust/src/bindings/",
        "generated: the canonical ABI is made of pointers",
    ),
    (
        "sdk/rust/src/lib.rs",
        "`#[unsafe(link_section)]` of the manifest",
    ),
    (
        "sdk/rust/macros/src/",
        "spells what the generated bindings need",
    ),
];

/// True for Rust sources that people write: not generated, not a fixture.
#[must_use]
pub fn is_written(path: &str) -> bool {
    let generated = path.starts_with("sdk/rust/src/bindings/");
    path.ends_with(".rs") && !generated && !path.contains("/fixtures/")
}

/// Holds a Rust file to beginning with `//!`.
#[must_use]
pub fn has_header(path: &str, text: &str) -> Vec<Finding> {
    if !is_written(path) || text.starts_with("//! ") {
        return Vec::new();
    }
    vec![Finding::line(
        path,
        1,
        "the file does not begin with `//! ` and what it does",
    )]
}

/// Holds a Rust file to [`LINES_MAX`], or to a reason.
#[must_use]
pub fn is_short(path: &str, text: &str) -> Vec<Finding> {
    let lines = text.lines().count();
    let mut header = text.lines().take_while(|line| line.starts_with("//!"));
    if !is_written(path) || lines <= LINES_MAX || header.any(|line| line.starts_with(LONG_BECAUSE))
    {
        return Vec::new();
    }
    let what = format!(
        "{lines} lines, more than {LINES_MAX}: split it, or say `{LONG_BECAUSE}…` in its header"
    );
    vec![Finding::file(path, what)]
}

/// Refuses unfinished code and tests that do not run or that pass by failing.
#[must_use]
pub fn no_placeholders(path: &str, text: &str) -> Vec<Finding> {
    let fixme = |line: &str| has_word(line, "FIXME");
    if [".toml", ".wit", ".sh"]
        .iter()
        .any(|end| path.ends_with(end))
    {
        return lines_with(path, text, fixme, "FIXME", "finish it");
    }
    if !is_written(path) {
        return Vec::new();
    }
    let source = Source::new(text);
    let code =
        |what: &'static str| lines_with(path, &source.code, |line| line.contains(what), what, "");
    let mut found = Vec::new();
    for macro_name in ["todo!", "unimplemented!"] {
        let is_call = |line: &str| has_word(line, macro_name);
        found.extend(lines_with(
            path,
            &source.code,
            is_call,
            macro_name,
            "finish it",
        ));
    }
    for attribute in ["#[ignore", "#[should_panic"] {
        found.extend(code(attribute).into_iter().map(|finding| Finding {
            what: format!("`{attribute}`: let the test run, and assert what happens"),
            ..finding
        }));
    }
    found.extend(lines_with(
        path,
        &source.comments,
        fixme,
        "FIXME",
        "finish it",
    ));
    found
}

/// Refuses `unsafe` outside its few places.
#[must_use]
pub fn no_unsafe(path: &str, text: &str) -> Vec<Finding> {
    if !path.ends_with(".rs") || UNSAFE.iter().any(|(place, _)| path.starts_with(place)) {
        return Vec::new();
    }
    let code = Source::new(text).code;
    lines_with(
        path,
        &code,
        |line| has_word(line, "unsafe"),
        "unsafe",
        "it has no place in this file",
    )
}

/// Refuses absolute paths of a machine that the project was made on.
#[must_use]
pub fn no_machine_paths(path: &str, text: &str) -> Vec<Finding> {
    let folders = ["work", "root", "home", "Users"].map(|name| format!("/{name}/"));
    let begins_here = |line: &str, at: usize| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "_.-~/*}>)]$".contains(c))
    };
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let hit = folders.iter().find(|folder| {
            line.match_indices(*folder)
                .any(|(at, _)| begins_here(line, at))
        });
        if let Some(folder) = hit {
            let what =
                format!("`{folder}…` is a path of one machine: make it relative, or name another");
            found.push(Finding::line(path, number, what));
        }
    }
    found
}

/// Refuses a final line without its end, and white space before one: what `.editorconfig` asks of editors.
#[must_use]
pub fn is_trimmed(path: &str, text: &str) -> Vec<Finding> {
    const KINDS: [&str; 7] = [".rs", ".toml", ".md", ".wit", ".sh", ".yml", ".json"];
    let generated = path.starts_with("sdk/rust/src/bindings/");
    if generated || path.contains("/fixtures/") || !KINDS.iter().any(|end| path.ends_with(end)) {
        return Vec::new();
    }
    let mut found = lines_with(
        path,
        text,
        |line| line.ends_with([' ', '\t', '\r']),
        "white space at the end",
        "",
    );
    if !text.is_empty() && !text.ends_with('\n') {
        found.push(Finding::file(path, "the last line has no end"));
    }
    found
}

fn lines_with(
    path: &str,
    text: &str,
    hit: impl Fn(&str) -> bool,
    what: &str,
    help: &str,
) -> Vec<Finding> {
    let help = if help.is_empty() {
        String::new()
    } else {
        format!(": {help}")
    };
    let lines = (1..).zip(text.split('\n')).filter(|(_, line)| hit(line));
    lines
        .map(|(number, _)| {
            Finding::line(path, number, format!("`{what}` is left in the code{help}"))
        })
        .collect()
}

/// True when `word` stands in `line` by itself.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c == '_' || c.is_alphanumeric();
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs one rule and compares the lines it finds.
    fn check(rule: fn(&str, &str) -> Vec<Finding>, path: &str, text: &str, lines: &[usize]) {
        let found: Vec<usize> = rule(path, text)
            .iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(found, lines, "{path}: {text}");
    }

    #[test]
    fn a_source_says_what_it_does() {
        check(has_header, "a/src/lib.rs", "//! Does it.\n", &[]);
        check(has_header, "a/src/lib.rs", "// Does it.\n", &[1]);
        check(has_header, "a/src/lib.rs", "//!\n", &[1]);
        check(has_header, "a/src/lib.rs", "\n//! Late.\n", &[1]);
        check(
            has_header,
            "sdk/rust/src/bindings/gate.rs",
            "// Generated\n",
            &[],
        );
        check(
            has_header,
            "plugins/x/fixtures/a/before/main.rs",
            "fn main() {}\n",
            &[],
        );
        check(has_header, "README.md", "# A\n", &[]);
    }

    #[test]
    fn a_long_source_says_why() {
        let lines = |count| "x\n".repeat(count);
        check(is_short, "a.rs", &lines(LINES_MAX), &[]);
        check(is_short, "a.rs", &lines(LINES_MAX + 1), &[0]);
        let reason = format!("//! A table.\n//!\n{LONG_BECAUSE}a table is read by row.\n");
        check(
            is_short,
            "a.rs",
            &format!("{reason}{}", lines(LINES_MAX)),
            &[],
        );
        check(
            is_short,
            "a.rs",
            &format!("//! A.\n{}{reason}", lines(LINES_MAX)),
            &[0],
        );
    }

    #[test]
    fn nothing_is_left_for_later() {
        check(no_placeholders, "a.rs", "fn f() {\n    todo!()\n}", &[2]);
        check(no_placeholders, "a.rs", "unimplemented!(\"x\")", &[1]);
        check(
            no_placeholders,
            "a.rs",
            "#[ignore = \"slow\"]\nfn f() {}",
            &[1],
        );
        check(no_placeholders, "a.rs", "#[should_panic]", &[1]);
        check(no_placeholders, "a.rs", "// FIXME: later\n", &[1]);
        check(no_placeholders, "a.toml", "# FIXME\n", &[1]);
        check(
            no_placeholders,
            "a.rs",
            "// todo!\nlet todo = \"todo!() FIXME\"; not_todo!();",
            &[],
        );
        check(
            no_placeholders,
            "a.rs",
            "#[expect(dead_code, reason = \"#[ignore]\")]",
            &[],
        );
        check(no_placeholders, "a.md", "FIXME is refused\n", &[]);
    }

    #[test]
    fn unsafe_has_its_places() {
        check(
            no_unsafe,
            "host/core/src/lib.rs",
            "fn f() {\n unsafe { g() } }",
            &[2],
        );
        check(
            no_unsafe,
            "sdk/rust/src/change.rs",
            "#[unsafe(no_mangle)]",
            &[1],
        );
        check(
            no_unsafe,
            "host/core/src/lib.rs",
            "// unsafe\nlet a = \"unsafe\"; #![deny(unsafe_code)]",
            &[],
        );
        for (place, _) in UNSAFE {
            let path = if place.ends_with('/') {
                format!("{place}x.rs")
            } else {
                (*place).to_owned()
            };
            check(no_unsafe, &path, "unsafe {}", &[]);
        }
    }

    #[test]
    fn no_machine_shows() {
        for folder in ["work", "root", "home", "Users"] {
            check(
                no_machine_paths,
                "a.md",
                &format!("see\n`/{folder}/x/main`\n"),
                &[2],
            );
            check(no_machine_paths, "a.rs", &format!("\"/{folder}/x\""), &[1]);
            check(
                no_machine_paths,
                "a.rs",
                &format!("\"tests/{folder}/x ~/{folder}/ /{folder}s/\""),
                &[],
            );
        }
    }

    #[test]
    fn files_end_as_editors_are_told() {
        check(is_trimmed, "a.rs", "a\n\nb\n", &[]);
        check(is_trimmed, "a.rs", "", &[]);
        check(is_trimmed, "a.rs", "a \nb\t\nc\r\nd", &[1, 2, 3, 0]);
        check(is_trimmed, "plugins/x/fixtures/a.md", "a ", &[]);
        check(is_trimmed, "a.bin", "a ", &[]);
    }
}
