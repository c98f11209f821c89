//! Looks for credentials in a text.
//!
//! **Invariant:** a pattern is only tried near one of its signs, within a window as long as the longest credential of its rule; so
//! a line of megabytes costs in proportion to its length.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;
use ringfence_sdk::prelude::*;

use crate::rules::{GENERIC, RULES, Rule};

/// Limit: what is looked at behind a sign; a JSON Web Token with a few claims fits.
const WINDOW_AFTER: usize = 4_096;
/// Limit: what is looked at before it: the name of a variable, the scheme of a URL, the first half of a key.
const WINDOW_BEFORE: usize = 160;

/// Words in what is no credential but stands for one.
const PLACEHOLDERS: [&str; 22] = [
    "example",
    "changeme",
    "change_me",
    "placeholder",
    "your_",
    "your-",
    "yourapi",
    "xxxx",
    "****",
    "....",
    "<",
    "${",
    "{{",
    "$(",
    "%s",
    "dummy",
    "redacted",
    "sample",
    "notreal",
    "not-real",
    "fake",
    "process.env",
];

/// One that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) rule: &'static str,
    pub(crate) what: &'static str,
    pub(crate) secret: String,
    /// 1-based, in code points.
    pub(crate) column: u32,
    /// False for one that was told by where it stands.
    pub(crate) has_form: bool,
}

pub(crate) struct Search {
    rules: Vec<Looked>,
}

/// A rule, whose pattern is compiled when one of its signs is met for the first time: most never are.
struct Looked {
    rule: Rule,
    pattern: OnceCell<Option<Regex>>,
    has_form: bool,
}

impl Search {
    pub(crate) fn new(left_out: &BTreeSet<&str>, generic: bool) -> Self {
        let with_form = RULES.iter().map(|rule| (rule, true));
        let by_place = GENERIC.iter().filter(|_| generic).map(|rule| (rule, false));
        let rules = with_form
            .chain(by_place)
            .filter(|(rule, _)| !left_out.contains(rule.name))
            .map(|(rule, has_form)| Looked {
                rule: *rule,
                pattern: OnceCell::new(),
                has_form,
            });
        Self {
            rules: rules.collect(),
        }
    }

    /// All of them, from left to right, each place once.
    ///
    /// # Errors
    /// [`Error::Internal`] for a pattern of ours that is none.
    pub(crate) fn hits(&self, text: &str) -> Result<Vec<Hit>> {
        let lower = text.to_ascii_lowercase();
        let mut found: BTreeMap<usize, Hit> = BTreeMap::new();
        for looked in &self.rules {
            let Looked { rule, has_form, .. } = looked;
            for window in windows(&lower, rule.signs) {
                for (at, secret) in matches(text, window, looked.pattern()?) {
                    if !is_random(secret, rule.entropy) || stands_for_one(secret, *has_form) {
                        continue;
                    }
                    // A rule that knows the form comes before one that goes by the place.
                    let taken = found.range(..=at).next_back();
                    if taken.is_some_and(|(start, hit)| start + hit.secret.len() > at) {
                        continue;
                    }
                    let before = text.get(..at).unwrap_or_default().chars().count();
                    let hit = Hit {
                        rule: rule.name,
                        what: rule.what,
                        secret: secret.to_owned(),
                        column: u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1),
                        has_form: *has_form,
                    };
                    found.insert(at, hit);
                }
            }
        }
        Ok(found.into_values().collect())
    }
}

impl Looked {
    fn pattern(&self) -> Result<&Regex> {
        let compiled = self
            .pattern
            .get_or_init(|| Regex::new(self.rule.pattern).ok());
        let none = || Error::internal(format!("the pattern of {} is none", self.rule.name));
        compiled.as_ref().ok_or_else(none)
    }
}

/// Where to look: around each sign, without overlap.
fn windows(lower: &str, signs: &[&str]) -> Vec<(usize, usize)> {
    let mut windows: Vec<(usize, usize)> = signs
        .iter()
        .flat_map(|sign| lower.match_indices(sign))
        .map(|(at, _)| {
            (
                at.saturating_sub(WINDOW_BEFORE),
                at.saturating_add(WINDOW_AFTER),
            )
        })
        .collect();
    windows.sort_unstable();
    let mut joined: Vec<(usize, usize)> = Vec::new();
    for (start, end) in windows {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = end,
            _ => joined.push((start, end)),
        }
    }
    joined
}

/// Every match in the window: where the credential begins in the text, and what it is.
fn matches<'t>(text: &'t str, window: (usize, usize), pattern: &Regex) -> Vec<(usize, &'t str)> {
    let start = text.floor_char_boundary(window.0);
    let end = text.floor_char_boundary(window.1.min(text.len()));
    let Some(part) = text.get(start..end) else {
        return Vec::new();
    };
    pattern
        .captures_iter(part)
        .filter_map(|found| {
            let secret = found.get(1)?;
            let at = start + secret.start();
            Some((at, text.get(at..start + secret.end())?))
        })
        .collect()
}

/// True when the characters are spread as in something that was drawn by lot: Shannon's entropy of one character.
fn is_random(secret: &str, hundredths: u32) -> bool {
    let mut counts: BTreeMap<char, u32> = BTreeMap::new();
    for c in secret.chars() {
        *counts.entry(c).or_default() += 1;
    }
    let all = f64::from(counts.values().sum::<u32>().max(1));
    let bits: f64 = counts
        .values()
        .map(|count| {
            let share = f64::from(*count) / all;
            -share * share.log2()
        })
        .sum();
    bits * 100.0 >= f64::from(hundredths)
}

fn stands_for_one(secret: &str, has_form: bool) -> bool {
    let lower = secret.to_ascii_lowercase();
    if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
        return true;
    }
    // A name, a path or a sentence is no credential; what was drawn by lot has digits and letters.
    let lacks = |wanted: fn(&char) -> bool| !secret.chars().any(|c| wanted(&c));
    !has_form && (lacks(char::is_ascii_digit) || lacks(char::is_ascii_alphabetic))
}
