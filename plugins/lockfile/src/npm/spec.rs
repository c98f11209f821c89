//! What a dependency of npm asks for: a range of versions, or something else.
//!
//! **Invariant:** what is no range is not said to be fulfilled by a version.

use nodejs_semver::{Range, Version};

/// One `name: spec` of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spec<'a> {
    /// Versions of the package of that name.
    Range(&'a str),
    /// Versions of another package.
    Alias { name: &'a str, range: &'a str },
    /// A folder, a repository, an address, or a tag of the registry.
    Other,
}

impl<'a> Spec<'a> {
    pub(super) fn parse(written: &'a str) -> Self {
        let written = written.trim();
        if let Some(alias) = written.strip_prefix("npm:") {
            let at = alias.char_indices().skip(1).find(|(_, c)| *c == '@');
            let (name, range) = at.map_or((alias, "*"), |(at, _)| alias.split_at(at));
            let range = range.trim_start_matches('@');
            return Self::Alias { name, range };
        }
        if written.contains([':', '/']) {
            return Self::Other;
        }
        Self::Range(written)
    }
}

/// Whether a version is within a range, as npm sees it; true for a tag, which only the registry knows.
pub(super) fn satisfies(version: &str, range: &str) -> bool {
    if range.is_empty() || range == "*" {
        return true;
    }
    let Ok(parsed) = Range::parse(range) else {
        return is_tag(range);
    };
    Version::parse(version).is_ok_and(|version| version.satisfies(&parsed))
}

fn is_tag(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs() {
        for (written, expect) in [
            ("^1.2.0", Spec::Range("^1.2.0")),
            ("latest", Spec::Range("latest")),
            ("", Spec::Range("")),
            (
                "npm:left-pad@^1",
                Spec::Alias {
                    name: "left-pad",
                    range: "^1",
                },
            ),
            (
                "npm:@a/b@1",
                Spec::Alias {
                    name: "@a/b",
                    range: "1",
                },
            ),
            (
                "npm:@a/b",
                Spec::Alias {
                    name: "@a/b",
                    range: "*",
                },
            ),
            ("file:../a", Spec::Other),
            ("user/repo", Spec::Other),
            ("git+ssh://git@x.test/a.git#v1", Spec::Other),
            ("https://x.test/a.tgz", Spec::Other),
        ] {
            assert_eq!(Spec::parse(written), expect, "{written}");
        }
    }

    #[test]
    fn ranges() {
        for (version, range, expect) in [
            ("1.2.3", "^1.2.0", true),
            ("1.2.3", "~1.1", false),
            ("1.2.3", "1.x || 3", true),
            ("1.2.3", ">=1 <2", true),
            ("1.2.3", "1.0.0 - 1.2", true),
            ("2.0.0-rc.1", "^2.0.0-rc.0", true),
            ("2.0.0-rc.1", ">=1", false),
            ("2.0.0-rc.1", "*", true),
            ("9.9.9", "latest", true),
            ("9.9.9", "^^", false),
            ("not", "^1", false),
        ] {
            assert_eq!(satisfies(version, range), expect, "{version} {range}");
        }
    }
}
