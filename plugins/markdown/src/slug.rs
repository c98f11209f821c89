//! Heading anchors as GitHub makes them, and the set of anchors of one document.
//!
//! Owns the slug rule (that of github-slugger: lower-case, keep letters, marks, decimal digits, connectors, `-` and
//! spaces, then spaces become `-`; a repeat gets `-1`, `-2`, …) and the forgiving comparison of a fragment with them.
//!
//! **Invariant:** a fragment that GitHub would scroll to is never called missing; the reverse may happen for
//! spellings that differ only in case or in invisible emoji joiners.

use std::collections::BTreeMap;

use unicode_general_category::{GeneralCategory, get_general_category};

/// Limit: longer headings are cut for their slug; nobody links to a kilobyte of anchor.
const SLUG_BYTES_MAX: usize = 1024;

/// Hands out the anchors of one document, in the order of its headings.
#[derive(Clone, Debug, Default)]
pub struct Slugger {
    seen: BTreeMap<String, u32>,
}

impl Slugger {
    /// Returns the anchor of the next heading with this text.
    pub fn slug(&mut self, heading: &str) -> String {
        let plain = slugify(heading);
        let mut result = plain.clone();
        while self.seen.contains_key(&result) {
            let count = self.seen.entry(plain.clone()).or_default();
            *count += 1;
            result = format!("{plain}-{count}");
        }
        self.seen.insert(result.clone(), 0);
        result
    }
}

/// Returns the slug of a text on its own, without a counter.
pub fn slugify(heading: &str) -> String {
    let mut slug = String::with_capacity(heading.len().min(SLUG_BYTES_MAX));
    for char in heading.chars().flat_map(char::to_lowercase) {
        if slug.len() >= SLUG_BYTES_MAX {
            break;
        }
        match char {
            ' ' => slug.push('-'),
            '-' => slug.push('-'),
            char if is_kept(char) => slug.push(char),
            _ => {}
        }
    }
    slug
}

fn is_kept(char: char) -> bool {
    use GeneralCategory::{
        ConnectorPunctuation, DecimalNumber, EnclosingMark, NonspacingMark, SpacingMark,
    };
    if char.is_ascii() {
        return char.is_ascii_alphanumeric() || char == '_';
    }
    char.is_alphabetic()
        || matches!(
            get_general_category(char),
            ConnectorPunctuation | DecimalNumber | EnclosingMark | NonspacingMark | SpacingMark
        )
}

/// The anchors of one document: headings, `id=` and `name=` attributes, `{#id}` marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors {
    by_key: BTreeMap<String, String>,
}

impl Anchors {
    /// Adds an anchor as it is spelled in the document.
    pub fn insert(&mut self, anchor: String) {
        if !anchor.is_empty() {
            self.by_key.entry(key(&anchor)).or_insert(anchor);
        }
    }

    /// Whether `fragment` (decoded, without `#`) leads somewhere in this document.
    pub fn contains(&self, fragment: &str) -> bool {
        self.by_key.contains_key(&key(fragment))
            || fragment
                .strip_prefix("user-content-")
                .is_some_and(|rest| self.by_key.contains_key(&key(rest)))
    }

    /// Iterates over (comparison key, spelling), sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_key
            .iter()
            .map(|(key, anchor)| (key.as_str(), anchor.as_str()))
    }

    /// How many anchors there are.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

/// Returns what two anchors are compared by: no case, no emoji variation selectors, no joiners.
pub fn key(anchor: &str) -> String {
    anchor
        .chars()
        .filter(|char| !matches!(char, '\u{fe0e}' | '\u{fe0f}' | '\u{200b}'..='\u{200d}'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slugs_like_github() {
        for (heading, expect) in [
            ("Hello World", "hello-world"),
            ("What's new?", "whats-new"),
            ("C++ & Rust", "c--rust"),
            ("`--flag` option", "--flag-option"),
            ("snake_case", "snake_case"),
            ("1.2.3 (2024-01-02)", "123-2024-01-02"),
            ("🎉 Release", "-release"),
            (":tada: Release", "tada-release"),
            ("⚙\u{fe0f} Settings", "\u{fe0f}-settings"),
            ("Привет не латиница", "привет-не-латиница"),
            ("Größe", "größe"),
            ("中文 标题", "中文-标题"),
            ("हिन्दी", "हिन्दी"),
            ("x² ①", "x-"),
            ("tab\tbed", "tabbed"),
            ("", ""),
        ] {
            assert_eq!(slugify(heading), expect, "{heading}");
        }
    }

    #[test]
    fn numbers_repeats() {
        let mut slugger = Slugger::default();
        let slugs: Vec<String> = ["a", "a", "a-1", "a", "b", "a 1"]
            .into_iter()
            .map(|heading| slugger.slug(heading))
            .collect();
        assert_eq!(slugs, ["a", "a-1", "a-1-1", "a-2", "b", "a-1-2"]);
    }

    #[test]
    fn compares_forgivingly() {
        let mut anchors = Anchors::default();
        anchors.insert("getting-started".to_owned());
        anchors.insert("\u{fe0f}-settings".to_owned());
        for yes in [
            "getting-started",
            "Getting-Started",
            "user-content-getting-started",
            "-settings",
        ] {
            assert!(anchors.contains(yes), "{yes}");
        }
        for no in ["getting", "", "user-content-", "settings"] {
            assert!(!anchors.contains(no), "{no}");
        }
    }

    #[test]
    fn long_headings_are_cut() {
        assert!(slugify(&"x".repeat(1 << 20)).len() <= SLUG_BYTES_MAX + 4);
    }

    proptest! {
        #[test]
        fn anchors_of_one_document_differ(headings in proptest::collection::vec("[ab]( 1| 2)?", 0..40)) {
            let mut slugger = Slugger::default();
            let slugs: std::collections::BTreeSet<String> = headings.iter().map(|h| slugger.slug(h)).collect();
            prop_assert_eq!(slugs.len(), headings.len());
        }
    }
}
