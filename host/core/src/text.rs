//! Shortening text that a component wrote, so that the cut can be seen.
//!
//! **Invariant:** what comes out never exceeds the limit by more than the marker, and never ends inside a character.

use std::fmt::Display;

/// The first `chars_max` characters of `text`; a marker with the number of characters left out follows when it is longer.
/// Where the marker would be as long as what it stands for, nothing is left out.
#[must_use]
pub fn cut(text: &str, chars_max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars_max) else {
        return text.to_owned();
    };
    let (kept, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let left_out = rest.chars().count();
    let marker = format!("… [{left_out} more characters]");
    if left_out <= marker.chars().count() {
        return text.to_owned();
    }
    kept.to_owned() + &marker
}

/// `1 file`, `2 files`: the number with the word that fits.
#[must_use]
pub fn count<N: Display + PartialEq + From<u8>>(number: N, one: &str, many: &str) -> String {
    let word = if number == N::from(1) { one } else { many };
    format!("{number} {word}")
}

/// Like [`cut`], with every run of white space and control characters made one space.
#[must_use]
pub fn one_line(text: &str, chars_max: usize) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    cut(&words.join(" "), chars_max)
}

/// Like [`one_line`], without the marks that make a terminal show text in another order or hide it.
#[must_use]
pub fn plain(text: &str, chars_max: usize) -> String {
    let acts = |c: char| matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    let text: String = text.chars().filter(|c| !acts(*c)).collect();
    one_line(&text, chars_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_shows() {
        for (text, max, expect) in [
            ("", 0, ""),
            ("abc", 3, "abc"),
            ("abcd", 3, "abcd"),
            ("äöüß", 2, "äöüß"),
            (
                "äöüß and all that follows it",
                2,
                "äö… [26 more characters]",
            ),
            ("x23456789 23456789 234", 0, "x23456789 23456789 234"),
        ] {
            assert_eq!(cut(text, max), expect);
        }
    }

    #[test]
    fn numbers_with_their_words() {
        let files = |number: usize| count(number, "file", "files");
        assert_eq!(
            [files(0), files(1), files(2)],
            ["0 files", "1 file", "2 files"]
        );
    }

    #[test]
    fn plain_text_reads_as_it_is_written() {
        assert_eq!(plain("a\u{202e}b\u{200b}\nc\u{e0041}é", 80), "ab cé");
    }

    #[test]
    fn one_line_has_no_control_characters() {
        assert_eq!(one_line("  a\r\n\u{1b}[31mb\tc ", 80), "a [31mb c");
        let long = one_line(&"a b\n".repeat(20), 3);
        assert_eq!(long, "a b… [76 more characters]");
    }
}
