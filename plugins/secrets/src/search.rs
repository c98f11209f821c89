//! Looks for credentials in a text.
//!
//! **Invariant:** a text is read once for the signs of all rules, and a pattern is only tried near one of its signs, up to the first
//! white space behind it that ends a credential; so a line of megabytes costs in proportion to its length.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use regex_lite::Regex;
use ringfence_sdk::prelude::*;

use crate::rules::{GENERIC, RULES, Rule, SETTINGS, is_settings};

/// Limit: of what stands between a sign and its credential, which may hold white space: the rest of a name, an operator, the word
/// for a scheme. Behind that, white space ends what is looked at, since it ends every credential.
const LEAD_BYTES_MAX: usize = 160;
/// Limit: what is looked at before it: the name of a variable, the scheme of a URL, the first half of a key.
const WINDOW_BEFORE: usize = 160;

/// Words in what is no credential but stands for one: at its beginning, or as most of it.
const PLACEHOLDERS: [&str; 17] = [
    "example",
    "changeme",
    "change_me",
    "change-me",
    "placeholder",
    "your_",
    "your-",
    "yourapi",
    "dummy",
    "redacted",
    "sample",
    "notreal",
    "not-real",
    "fake",
    "process.env",
    "os.environ",
    "todo",
];
/// Words that say nothing by themselves, and make it most of it.
const FILLERS: [&str; 19] = [
    "secret",
    "token",
    "password",
    "passwd",
    "credential",
    "api",
    "key",
    "here",
    "insert",
    "replace",
    "enter",
    "test",
    "value",
    "goes",
    "string",
    "access",
    "user",
    "1234",
    "abcd",
];
/// What documentation of services shows, and nobody can use.
const SHOWN: [&str; 3] = [
    "akiaiosfodnn7example",
    "akiai44qh8dhbexample",
    "wjalrxutnfemi/k7mdeng/bpxrficyexamplekey",
];
/// Beginning and end of what a template puts something else for.
const TEMPLATES: [(&str, &str); 6] = [
    ("${", "}"),
    ("{{", "}}"),
    ("$(", ")"),
    ("<", ">"),
    ("%(", ")s"),
    ("{", "}"),
];
/// Limit: of one character in a row that was drawn by lot.
const SAME_MAX: usize = 3;
/// How random a value in hexadecimal looks at least, which has no more than four bits for a character.
const HEX_ENTROPY: u32 = 290;

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
    signs: AhoCorasick,
    /// For each sign the rules, by their place in `rules`, that it is one of.
    rules_of_sign: Vec<Vec<usize>>,
}

/// A rule, whose pattern is compiled when one of its signs is met for the first time: most never are.
struct Looked {
    rule: Rule,
    pattern: OnceCell<Option<Regex>>,
    has_form: bool,
    /// Only in files of settings.
    in_settings: bool,
}

impl Search {
    /// All rules but those `left_out`, and without `generic` only those of forms.
    ///
    /// # Errors
    /// [`Error::Internal`] when signs of ours cannot be looked for.
    pub(crate) fn new(left_out: &BTreeSet<&str>, generic: bool) -> Result<Self> {
        let with_form = RULES.iter().map(|rule| (rule, true, false));
        let by_place = GENERIC.iter().map(|rule| (rule, false, false));
        let by_place = by_place.chain([(&SETTINGS, false, true)]);
        let rules = with_form
            .chain(by_place.filter(|_| generic))
            .filter(|(rule, ..)| !left_out.contains(rule.name))
            .map(|(rule, has_form, in_settings)| Looked {
                rule: *rule,
                pattern: OnceCell::new(),
                has_form,
                in_settings,
            });
        let rules: Vec<Looked> = rules.collect();
        let mut of_sign: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, looked) in rules.iter().enumerate() {
            for sign in looked.rule.signs {
                of_sign.entry(sign).or_default().push(at);
            }
        }
        let signs = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(of_sign.keys())
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self {
            rules,
            signs,
            rules_of_sign: of_sign.into_values().collect(),
        })
    }

    /// All of them in a text of the file at `path`, from left to right, each place once.
    ///
    /// # Errors
    /// [`Error::Internal`] for a pattern of ours that is none.
    pub(crate) fn hits(&self, path: &str, text: &str) -> Result<Vec<Hit>> {
        let settings = is_settings(path);
        let mut found: BTreeMap<usize, Hit> = BTreeMap::new();
        for (rule, signs) in self.signs_in(text) {
            let Some(looked) = self.rules.get(rule) else {
                continue;
            };
            if looked.in_settings && !settings {
                continue;
            }
            let Looked { rule, has_form, .. } = looked;
            for window in windows(text, &signs, rule.bytes_max) {
                for (at, secret) in matches(text, window, looked.pattern()?) {
                    if stands_for_one(secret, rule.entropy, *has_form) {
                        continue;
                    }
                    // A rule that knows the form comes before one that goes by the place.
                    let taken = found.range(..at + secret.len()).next_back();
                    if taken.is_some_and(|(start, hit)| start + hit.secret.len() > at) {
                        continue;
                    }
                    let hit = Hit {
                        rule: rule.name,
                        what: rule.what,
                        secret: secret.to_owned(),
                        column: 0,
                        has_form: *has_form,
                    };
                    found.insert(at, hit);
                }
            }
        }
        Ok(in_columns(text, found))
    }

    /// Where signs stand, by the rules that they are of, in their order.
    fn signs_in(&self, text: &str) -> BTreeMap<usize, Vec<usize>> {
        let mut signs: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for sign in self.signs.find_overlapping_iter(text) {
            let rules = self.rules_of_sign.get(sign.pattern().as_usize());
            for rule in rules.into_iter().flatten() {
                signs.entry(*rule).or_default().push(sign.start());
            }
        }
        signs
    }
}

/// The hits by the byte where they begin, each with its column.
fn in_columns(text: &str, found: BTreeMap<usize, Hit>) -> Vec<Hit> {
    let (mut seen, mut column) = (0, 1u32);
    let placed = found.into_iter().map(|(at, hit)| {
        let between = text.get(seen..at).unwrap_or_default().chars().count();
        column = column.saturating_add(u32::try_from(between).unwrap_or(u32::MAX));
        seen = at;
        Hit { column, ..hit }
    });
    placed.collect()
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
fn windows(text: &str, signs: &[usize], bytes_max: usize) -> Vec<(usize, usize)> {
    let mut signs = signs.to_vec();
    // They come in the order of their ends.
    signs.sort_unstable();
    let mut joined: Vec<(usize, usize)> = Vec::new();
    for at in signs {
        let start = at.saturating_sub(WINDOW_BEFORE);
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = window_end(text, (at, bytes_max), last.1),
            _ => joined.push((start, window_end(text, (at, bytes_max), 0))),
        }
    }
    joined
}

/// Where the window of a sign ends: with the white space behind its lead, or with the longest credential. That of the sign before
/// it ends at `seen`, and nothing is read twice.
fn window_end(text: &str, (at, bytes_max): (usize, usize), seen: usize) -> usize {
    let lead = at.saturating_add(LEAD_BYTES_MAX);
    // White space between the lead and there would have ended the other one as well.
    let from = lead.max(seen.saturating_sub(1));
    let end = at.saturating_add(bytes_max).max(from);
    let rest = text.as_bytes().get(from..end.min(text.len()));
    let space = rest.and_then(|rest| rest.iter().position(u8::is_ascii_whitespace));
    space.map_or(end, |length| from + length + 1)
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

/// True for what does not look random, is written for readers, or is filled in later.
fn stands_for_one(secret: &str, entropy: u32, has_form: bool) -> bool {
    let lower = secret.to_ascii_lowercase();
    if SHOWN.contains(&lower.as_str()) || PLACEHOLDERS.iter().any(|word| lower.starts_with(word)) {
        return true;
    }
    let is_hex = secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    let entropy = if is_hex {
        entropy.min(HEX_ENTROPY)
    } else {
        entropy
    };
    if !is_random(secret, entropy) {
        return true;
    }
    let real = without_placeholders(&lower);
    if real.chars().count() * 2 < lower.chars().count() {
        return true;
    }
    // A name, a path or a sentence is no credential; what was drawn by lot has digits and letters, and nothing that no
    // keyboard has.
    let has = |wanted: fn(&char) -> bool| real.chars().any(|c| wanted(&c));
    !has_form
        && (!has(char::is_ascii_digit)
            || !has(char::is_ascii_alphabetic)
            || has(|c| c.is_control() || *c == '\u{fffd}')
            || is_name(&real))
}

/// True for words and numbers that are joined, as in `my-service-2026`, `org.example.Sha2Encoder` and `/run/token_1`.
fn is_name(text: &str) -> bool {
    let parts = || text.split(['-', '_', '.', '/', ':', '@']);
    parts().count() > 2 && parts().all(is_word)
}

/// Letters, with a number of at most four digits among them, or digits alone.
fn is_word(part: &str) -> bool {
    let rest = part.trim_start_matches(char::is_alphabetic);
    let digits = rest.trim_end_matches(char::is_alphabetic);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && (digits.len() <= 4 || digits.len() == part.len())
}

/// What is left of a value when everything is taken out that stands for something else.
fn without_placeholders(lower: &str) -> String {
    let mut real = String::new();
    let mut rest = lower;
    while let Some(c) = rest.chars().next() {
        let cut = template(rest)
            .or_else(|| word(rest))
            .or_else(|| same(rest))
            .unwrap_or(0);
        if cut == 0 {
            real.push(c);
        }
        rest = rest.get(cut.max(c.len_utf8())..).unwrap_or_default();
    }
    real
}

fn template(rest: &str) -> Option<usize> {
    TEMPLATES.iter().find_map(|(start, end)| {
        let inner = rest.strip_prefix(start)?;
        Some(start.len() + inner.find(end)? + end.len())
    })
}

fn word(rest: &str) -> Option<usize> {
    let words = PLACEHOLDERS.iter().chain(&FILLERS);
    words
        .filter(|word| rest.starts_with(**word))
        .map(|word| word.len())
        .max()
}

/// The same character again and again, as in `xxxx` or `****`.
fn same(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    let run = rest.chars().take_while(|c| *c == first).count();
    (run > SAME_MAX).then_some(run * first.len_utf8())
}
