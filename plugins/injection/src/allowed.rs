//! Comments that tools need.
//!
//! In a comment of the configuration, `{word}` stands for a word of letters, digits and `._+-`, `{number}` for digits; a last
//! word that ends in `…` may stand several times.
//!
//! **Invariant:** a comment is allowed as a whole; nothing may follow what a tool reads.

use ringfence_sdk::prelude::*;

/// Limit: of a `{word}`; names of rules and licences are no longer, and sentences are.
const WORD_CHARS_MAX: usize = 24;
/// Limit: of a `{number}`.
const DIGITS_MAX: usize = 6;

/// All of them.
pub(crate) struct Allowed(Vec<Vec<String>>);

impl Allowed {
    /// # Errors
    /// [`Error::Config`] for one that would allow anything, and for braces around something else.
    pub(crate) fn parse(written: &[String]) -> Result<Self> {
        let parsed = written.iter().map(|comment| {
            let refused = |why| Error::config(format!("`{comment}` in `allowed_comments`: {why}"));
            let words: Vec<String> = comment.split_whitespace().map(str::to_owned).collect();
            let fixed = comment.replace("{word}", "").replace("{number}", "");
            if fixed.contains(['{', '}']) {
                return Err(refused("in braces stands `word` or `number`"));
            }
            if !fixed.contains(char::is_alphanumeric) {
                return Err(refused("it would allow every comment of so many words"));
            }
            if words
                .iter()
                .any(|word| word.contains("{word}") && word.ends_with('…'))
            {
                return Err(refused("words that stand several times say anything"));
            }
            Ok(words)
        });
        Ok(Self(parsed.collect::<Result<_>>()?))
    }

    /// True when `comment` is one of them.
    pub(crate) fn has(&self, comment: &str) -> bool {
        let words: Vec<&str> = comment.split_whitespace().collect();
        self.0.iter().any(|wanted| fit(wanted, &words))
    }
}

fn fit(wanted: &[String], words: &[&str]) -> bool {
    let Some((first, rest)) = wanted.split_first() else {
        return words.is_empty();
    };
    if let Some(again) = first.strip_suffix('…').filter(|_| rest.is_empty()) {
        return !words.is_empty() && words.iter().all(|word| fits(again, word));
    }
    words
        .split_first()
        .is_some_and(|(word, words)| fits(first, word) && fit(rest, words))
}

fn fits(wanted: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
    let is_digit = |c: char| c.is_ascii_digit();
    let between = |before: &str, after: &str, is: &dyn Fn(char) -> bool, most: usize| {
        let inner = word
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after));
        inner.is_some_and(|inner| (1..=most).contains(&inner.len()) && inner.chars().all(is))
    };
    if let Some((before, after)) = wanted.split_once("{word}") {
        return between(before, after, &is_word, WORD_CHARS_MAX);
    }
    if let Some((before, after)) = wanted.split_once("{number}") {
        return between(before, after, &is_digit, DIGITS_MAX);
    }
    wanted == word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(comments: &[&str]) -> Result<Allowed> {
        Allowed::parse(&comments.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_comment_is_allowed_as_a_whole() {
        let allowed = parse(&["toc", "lint {word}", "lint-off MD{number}…"]).unwrap();
        for comment in [
            "toc",
            " toc\n",
            "lint a-b.c",
            "lint-off MD1",
            "lint-off MD013 MD2 MD3",
        ] {
            assert!(allowed.has(comment), "{comment}");
        }
        for comment in [
            "",
            "toc: run it",
            "toc run",
            "Toc",
            "lint",
            "lint a b",
            "lint run-this-now-and-then-that-as-well",
            "lint a:b",
            "lint-off",
            "lint-off MD1 run",
            "lint-off MDx",
            "lint-off MD1234567",
        ] {
            assert!(!allowed.has(comment), "{comment}");
        }
    }

    #[test]
    fn a_comment_that_fits_everything_is_none() {
        for comment in ["{word}", "{x}", "{word} {word}", "", "a {word}…", "a{"] {
            let error = parse(&[comment]).err().unwrap().to_string();
            assert!(error.contains(comment), "{error}");
        }
    }
}
