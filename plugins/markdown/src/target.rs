//! The text of a link destination: what it points at, and how a path is written back as one.
//!
//! Owns absolute or relative, the parts (path, query, fragment), percent-encoding, and which destinations are not
//! ours to judge (other sites, templates, GitHub's own pages).
//!
//! **Invariant:** [`encode_path`] yields text that means the same path inside `(…)`, `<…>`, a reference definition
//! and a quoted HTML attribute. Finding the destination in a file is [`crate::document`]'s business.

use crate::path::{Joined, join, parent};

/// The three parts of a relative destination, undecoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Before `?` and `#`; empty for the same document.
    pub path: &'a str,
    /// From `?` (included) up to `#`; may be empty.
    pub query: &'a str,
    /// After `#`, without it; `None` when there is no `#`.
    pub fragment: Option<&'a str>,
}

/// Cuts a relative destination into its parts.
pub fn parts(target: &str) -> Parts<'_> {
    let (before, fragment) = match target.split_once('#') {
        Some((before, fragment)) => (before, Some(fragment)),
        None => (target, None),
    };
    let at = before.find('?').unwrap_or(before.len());
    let (path, query) = before.split_at_checked(at).unwrap_or((before, ""));
    Parts {
        path,
        query,
        fragment,
    }
}

/// Whether a destination could lead to a file of this repository: not empty, no scheme, no `//host`, no template.
pub fn is_relative(target: &str) -> bool {
    let target = target.trim();
    !target.is_empty()
        && !target.starts_with("//")
        && !has_scheme(target)
        && !is_template(target)
        && !is_rustdoc(target)
}

/// Whether `target` begins as `scheme:` does (RFC 3986, 3.1).
fn has_scheme(target: &str) -> bool {
    target.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|char: char| char.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.'))
    })
}

/// Whether a generator will still replace part of `target`: Jinja, Liquid, Handlebars, shell, ERB, JSX.
fn is_template(target: &str) -> bool {
    target.starts_with('{')
        || ["{{", "{%", "${", "<%"]
            .iter()
            .any(|mark| target.contains(mark))
}

/// Whether `target` is an item path of rustdoc that could not be a file: `crate`, `Self`, `macro@report`. (`a::b` has a
/// scheme already.)
fn is_rustdoc(target: &str) -> bool {
    const KINDS: [&str; 18] = [
        "const",
        "constant",
        "derive",
        "enum",
        "field",
        "fn",
        "function",
        "macro",
        "method",
        "mod",
        "module",
        "prim",
        "primitive",
        "static",
        "struct",
        "trait",
        "type",
        "value",
    ];
    let item = parts(target).path;
    matches!(item, "crate" | "self" | "super" | "Self")
        || item
            .split_once('@')
            .is_some_and(|(kind, _)| KINDS.contains(&kind))
}

/// Where a relative destination leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A path of the workspace (`""` is its root), with the decoded fragment.
    Inside {
        /// Relative to the workspace root; not known to exist.
        path: String,
        /// Decoded; `None` when there is none or an empty one.
        fragment: Option<String>,
    },
    /// Above the workspace root.
    Outside {
        /// What follows after the last step above the root.
        rest: String,
    },
    /// Somewhere that is not a file, such as `../../issues` in a README on GitHub.
    Elsewhere,
}

/// Follows a relative destination from the document at `from`.
pub fn follow(from: &str, target: &str) -> Place {
    let Parts { path, fragment, .. } = parts(target.trim());
    let fragment = fragment.map(decode).filter(|fragment| !fragment.is_empty());
    if path.is_empty() {
        return Place::Inside {
            path: from.to_owned(),
            fragment,
        };
    }
    let decoded = decode(path);
    let folder = if decoded.starts_with('/') {
        ""
    } else {
        parent(from)
    };
    match join(folder, &decoded) {
        Joined::Inside(path) => Place::Inside { path, fragment },
        Joined::Outside { climbed: 2, rest } if is_github_page(&rest) => Place::Elsewhere,
        Joined::Outside { rest, .. } => Place::Outside { rest },
    }
}

/// The pages beside a repository's `blob/<branch>/` on GitHub that READMEs link to by climbing two steps.
fn is_github_page(rest: &str) -> bool {
    const PAGES: [&str; 24] = [
        "actions",
        "archive",
        "blob",
        "branches",
        "commit",
        "commits",
        "compare",
        "contributors",
        "discussions",
        "graphs",
        "issues",
        "labels",
        "milestone",
        "milestones",
        "network",
        "projects",
        "pull",
        "pulls",
        "releases",
        "security",
        "stargazers",
        "tags",
        "tree",
        "wiki",
    ];
    let first = rest.split('/').next().unwrap_or_default();
    PAGES.contains(&first) || matches!(first, "raw" | "workflows")
}

/// Decodes percent-encoding; what is no valid escape, or would be no UTF-8, stays as it is.
pub fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'%', [high, low, tail @ ..]) => {
                hex(*high).zip(hex(*low)).map(|(h, l)| (h * 16 + l, tail))
            }
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((byte, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Writes a path as the path part of a destination. A first component that looks like a scheme gets `./` before it.
pub fn encode_path(path: &str) -> String {
    let encoded = encode(path, |char| {
        is_harmless(char) && !matches!(char, '%' | '?' | '#' | '&' | ',')
    });
    let first = encoded.split('/').next().unwrap_or_default();
    if first.contains(':') {
        format!("./{encoded}")
    } else {
        encoded
    }
}

/// Escapes whatever in a query or fragment could end a destination early; what is escaped already stays.
pub fn encode_suffix(suffix: &str) -> String {
    encode(suffix, is_harmless)
}

/// Percent-encodes the characters of `text` that `keeps` refuses.
fn encode(text: &str, keeps: impl Fn(char) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for char in text.chars() {
        if keeps(char) {
            encoded.push(char);
            continue;
        }
        let mut buffer = [0; 4];
        for byte in char.encode_utf8(&mut buffer).bytes() {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 15].map(|half| {
                char::from_digit(half.into(), 16)
                    .unwrap_or('0')
                    .to_ascii_uppercase()
            }));
        }
    }
    encoded
}

/// Whether a character can stand in every kind of destination without ending it or hiding something.
fn is_harmless(char: char) -> bool {
    match char {
        '"' | '\'' | '(' | ')' | '<' | '>' | '\\' | '`' | '|' | '{' | '}' | '^' => false,
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => false,
        char => !char.is_whitespace() && !char.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tells_relative_from_the_rest() {
        for yes in [
            "a.md",
            "./a.md",
            "/a.md",
            "#x",
            "?raw=true",
            "a:b/c".trim_start_matches("a:"),
            "www.example.org",
            "1:2",
        ] {
            assert!(is_relative(yes), "{yes}");
        }
        for no in [
            "",
            " ",
            "https://example.org",
            "mailto:a@b",
            "//host/x",
            "tel:1",
            "crate::module",
            "data:,x",
            "{{ site.url }}/x",
            "{% link a.md %}",
            "${base}/x",
            "{useBaseUrl('x')}",
            "crate",
            "macro@report",
        ] {
            assert!(!is_relative(no), "{no}");
        }
    }

    fn leads(from: &str, target: &str, path: &str, fragment: Option<&str>) {
        let expect = Place::Inside {
            path: path.to_owned(),
            fragment: fragment.map(str::to_owned),
        };
        assert_eq!(follow(from, target), expect, "{from} → {target}");
    }

    #[test]
    fn follows_inside() {
        leads("docs/a.md", "b.md", "docs/b.md", None);
        leads("docs/a.md", "/b.md", "b.md", None);
        leads(
            "docs/a.md",
            "../b%20c.md?plain=1#L%31",
            "b c.md",
            Some("L1"),
        );
        leads("docs/a.md", "#top", "docs/a.md", Some("top"));
        leads("docs/a.md", "?x", "docs/a.md", None);
        leads("docs/a.md", "b.md#", "docs/b.md", None);
        leads("docs/a.md", "..", "", None);
        leads("a.md", "b%ff.md", "b%ff.md", None);
        leads("a.md", "b%2", "b%2", None);
        leads(
            "a.md",
            "%2e%2e/a.md".trim_start_matches("%2e%2e/"),
            "a.md",
            None,
        );
    }

    #[test]
    fn says_what_is_above_the_root() {
        for (from, target, rest) in [
            ("a.md", "../b.md", "b.md"),
            ("docs/a.md", "../../b.md", "b.md"),
            ("a.md", "%2e%2e/b.md", "b.md"),
            ("a.md", "/../b.md", "b.md"),
            ("a.md", "../../../issues", "issues"),
            ("a.md", "../../etc", "etc"),
        ] {
            assert_eq!(
                follow(from, target),
                Place::Outside {
                    rest: rest.to_owned()
                },
                "{from} → {target}"
            );
        }
        for (from, target) in [
            ("README.md", "../../issues/new"),
            ("docs/a.md", "../../../wiki"),
        ] {
            assert_eq!(follow(from, target), Place::Elsewhere, "{from} → {target}");
        }
    }

    #[test]
    fn writes_paths_that_no_syntax_breaks() {
        for (path, expect) in [
            ("docs/a.md", "docs/a.md"),
            ("a b(1).md", "a%20b%281%29.md"),
            ("50%?#&.md", "50%25%3F%23%26.md"),
            ("größe/中文.md", "größe/中文.md"),
            ("c:/x.md", "./c:/x.md"),
            ("x\u{202e}y", "x%E2%80%AEy"),
            ("a|b`c'd\"e<f>", "a%7Cb%60c%27d%22e%3Cf%3E"),
        ] {
            assert_eq!(encode_path(path), expect, "{path}");
        }
        assert_eq!(encode_suffix("?a=1&b=%20#x y"), "?a=1&b=%20#x%20y");
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(path in "\\PC{1,20}") {
            let encoded = encode_path(&path);
            prop_assert_eq!(decode(encoded.strip_prefix("./").filter(|_| !path.starts_with("./")).unwrap_or(&encoded)), path);
        }

        #[test]
        fn follow_survives_anything(target in "\\PC{0,40}") {
            if let Place::Inside { path, .. } = follow("docs/a.md", &target) {
                prop_assert!(path.split('/').all(|part| part != ".."));
            }
        }
    }
}
