//! The contract in `wit/`: names that every bindings generator can spell, and a changelog that knows the text.

use crate::Finding;

/// The contract.
pub const WIT: &str = "wit/beat.wit";
/// Its changelog.
pub const CHANGELOG: &str = "wit/CHANGELOG.md";

/// Words that break a generator as the name of an item.
const RESERVED: &[&str] = &["loop", "move", "match", "type", "world"];

/// Refuses items called by a word that some bindings generator cannot spell.
#[must_use]
pub fn names_are_spellable(path: &str, wit: &str) -> Vec<Finding> {
    let tokens = tokens(wit);
    let mut found = Vec::new();
    for (at, (line, token)) in tokens.iter().enumerate() {
        let name = token.trim_start_matches('%');
        let next = |steps: usize| {
            tokens
                .get(at + steps)
                .map_or("", |(_, token)| token.as_str())
        };
        // `world` and `type` are also keywords, which a declaration begins with.
        let declares = match token.as_str() {
            "world" => next(2) == "{",
            "type" => next(2) == "=",
            _ => false,
        };
        if RESERVED.contains(&name) && !declares {
            found.push(Finding::line(
                path,
                *line,
                format!("an item called `{name}` breaks bindings generators"),
            ));
        }
    }
    found
}

/// Names, and every other sign by itself, without comments and white space.
fn tokens(wit: &str) -> Vec<(usize, String)> {
    let mut tokens = Vec::new();
    for (number, line) in (1..).zip(wit.lines()) {
        let mut rest = line.split("//").next().unwrap_or_default();
        while let Some(first) = rest.chars().next() {
            let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '%';
            let len = if part(first) {
                rest.find(|c| !part(c)).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            let (token, after) = rest.split_at_checked(len).unwrap_or((rest, ""));
            if !token.trim().is_empty() {
                tokens.push((number, token.to_owned()));
            }
            rest = after;
        }
    }
    tokens
}

/// Holds the changelog to the text of the contract: under the heading of the package's version stands the line
/// `Fingerprint: ` with the BLAKE3 digest of the file.
#[must_use]
pub fn fingerprint_is_current(wit: &str, changelog: &str) -> Vec<Finding> {
    let Some(version) = version(wit) else {
        return vec![Finding::file(WIT, "no `package name@version;` in it")];
    };
    let Some(section) = section(changelog, version) else {
        return vec![Finding::file(
            CHANGELOG,
            format!("no heading `## {version}`, which is the contract's version"),
        )];
    };
    let line = fingerprint_line(wit);
    if section.lines().any(|found| found == line) {
        return Vec::new();
    }
    let what = format!(
        "the contract changed: say how under `## {version}`, or under a new version, with the line\n{line}"
    );
    vec![Finding::file(CHANGELOG, what)]
}

/// The line that the changelog must have for this text of the contract.
#[must_use]
pub fn fingerprint_line(wit: &str) -> String {
    format!("Fingerprint: `blake3:{}`", blake3::hash(wit.as_bytes()))
}

fn version(wit: &str) -> Option<&str> {
    let package = wit.lines().find_map(|line| line.strip_prefix("package "))?;
    package
        .trim_end()
        .strip_suffix(';')?
        .split_once('@')
        .map(|(_, version)| version)
}

/// What stands between the heading of `version` and the next heading of its level.
fn section<'a>(changelog: &'a str, version: &str) -> Option<&'a str> {
    let is_heading = |line: &str| {
        line.strip_prefix("## ")
            .and_then(|rest| rest.split_whitespace().next())
            == Some(version)
    };
    let mut at = 0;
    for line in changelog.split_inclusive('\n') {
        at += line.len();
        if is_heading(line) {
            let rest = changelog.get(at..)?;
            return rest.get(..rest.find("\n## ").unwrap_or(rest.len()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_break_bindings_are_refused() {
        for wit in [
            "package ringfence:loop@0.1.0;",
            "interface match {}",
            "record move { a: u8 }",
            "world world { }",
            "f: func(world: string);",
            "record a { type: string }",
            "record a { %type: string }",
            "enum a { b, match }",
        ] {
            assert_eq!(names_are_spellable("x.wit", wit).len(), 1, "{wit}");
        }
        let fine = "/// A loop, a move.\npackage a:b@0.1.0;\nworld gate { import log; }\ninterface a {\n    type b = u8; // match\n    world-wide: func();\n}";
        assert_eq!(names_are_spellable("x.wit", fine), []);
    }

    #[test]
    fn the_changelog_follows_the_contract() {
        let wit = "package a:b@0.2.0;\n";
        let line = fingerprint_line(wit);
        for (changelog, count) in [
            (
                format!("# C\n\n## 0.2.0 (new)\n\nText.\n\n{line}\n\n## 0.1.0\n"),
                0,
            ),
            (format!("# C\n\n## 0.2.0\n\n## 0.1.0\n\n{line}\n"), 1),
            (format!("# C\n\n## 0.1.0\n\n{line}\n"), 1),
            (
                format!(
                    "# C\n\n## 0.2.0\n\nFingerprint: `blake3:{}`\n",
                    "0".repeat(64)
                ),
                1,
            ),
            (String::new(), 1),
        ] {
            assert_eq!(
                fingerprint_is_current(wit, &changelog).len(),
                count,
                "{changelog}"
            );
        }
        assert_eq!(fingerprint_is_current("package a:b;\n", "").len(), 1);
        assert!(
            fingerprint_is_current(&format!("{wit}\n"), &format!("## 0.2.0\n{line}\n"))[0]
                .what
                .contains("blake3:")
        );
    }
}
