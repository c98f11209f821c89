//! A path that a glob matches, to try things at.

use super::pattern::check_pattern;
use crate::relpath::RelPath;

// What stands for whatever a wildcard takes: a name that no project has by chance.
const NAME: &str = "ringfence-drill";
// What a class of letters is tried with where it says only what it does not take.
const LETTERS: &str = "a0_Zz9A-~.b1";

/// A path that `pattern` matches; none for a pattern that cannot be used, or whose classes leave nothing ordinary to take.
#[must_use]
pub fn witness(pattern: &str) -> Option<RelPath> {
    check_pattern(pattern).ok()?;
    let body = pattern.trim_end_matches('/');
    let segments: Vec<&str> = body.split('/').collect();
    let mut names = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let is_last = index + 1 == segments.len();
        match *segment {
            // Any depth, none included: only at the end does something have to stand for it.
            "**" if !is_last => {}
            "**" => names.push(NAME.to_owned()),
            other => names.push(name(other)?),
        }
    }
    if body.len() < pattern.len() {
        names.push(NAME.to_owned());
    }
    RelPath::lexical(&names.join("/")).ok()
}

/// A name that one segment matches.
fn name(segment: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = segment;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..)?;
        match c {
            '*' => out.push_str(NAME),
            '?' => out.push('a'),
            '[' => {
                let end = rest.char_indices().skip(1).find(|(_, c)| *c == ']')?.0;
                out.push(letter(rest.get(..end)?)?);
                rest = rest.get(end + 1..)?;
            }
            '{' => {
                let end = closing(rest)?;
                let choice = rest.get(..end)?.split(',').next()?;
                out.push_str(&name(choice)?);
                rest = rest.get(end + 1..)?;
            }
            other => out.push(other),
        }
    }
    Some(out)
}

/// Where the brace ends that was opened before `text`. Braces within it make it too odd to be worth a drill.
fn closing(text: &str) -> Option<usize> {
    let end = text.find('}')?;
    (!text.get(..end)?.contains('{')).then_some(end)
}

/// A letter that a class takes; `class` is what stands between the brackets.
fn letter(class: &str) -> Option<char> {
    let negated = class.strip_prefix(['!', '^']);
    let members: Vec<char> = negated.unwrap_or(class).chars().collect();
    let takes = |c: char| {
        let is_range = |range: &[char]| match range {
            [from, '-', to] => (*from..=*to).contains(&c),
            _ => false,
        };
        members.contains(&c) || members.windows(3).any(is_range)
    };
    match negated {
        Some(_) => LETTERS.chars().find(|c| !takes(*c)),
        None => members.first().copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Access, DenyPattern, DenySource, Layer, PathPolicy, PolicySpec, builtin_denials,
    };
    use super::*;

    fn denies(pattern: &str, path: &RelPath) -> bool {
        let everything = vec!["**".to_owned()];
        let layers = vec![Layer {
            name: "loop".to_owned(),
            read: everything.clone(),
            write: everything,
        }];
        let deny = vec![DenyPattern {
            pattern: pattern.to_owned(),
            source: DenySource::Operator,
        }];
        let policy = PathPolicy::new(&PolicySpec { layers, deny }).unwrap();
        !policy.decide(path, Access::Write).is_allowed()
    }

    #[test]
    fn the_pattern_takes_its_witness() {
        for (pattern, expect) in [
            ("**", "ringfence-drill"),
            ("**/.env*", ".envringfence-drill"),
            ("**/secrets/**", "secrets/ringfence-drill"),
            ("docs/", "docs/ringfence-drill"),
            ("a/**/b?.md", "a/ba.md"),
            ("*.{pem,key}", "ringfence-drill.pem"),
            ("[a-c]x", "ax"),
            ("[!a-z]x", "0x"),
            ("[^0a-]y", "_y"),
            ("[]]z", "]z"),
        ] {
            let path = witness(pattern).unwrap();
            assert_eq!(path.as_str(), expect, "{pattern}");
            assert!(denies(pattern, &path), "{pattern}");
        }
        for denial in builtin_denials() {
            let path = witness(&denial.pattern).unwrap();
            assert!(denies(&denial.pattern, &path), "{}", denial.pattern);
        }
        for pattern in ["", "/a", "a\\b", "!a", "[!a0_Zz9A-~.b1]"] {
            assert_eq!(witness(pattern), None, "{pattern}");
        }
    }
}
