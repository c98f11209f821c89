//! Shortening text that a component wrote, so that the cut can be seen.
//!
//! **Invariant:** what comes out never exceeds the limit by more than the marker, and never ends inside a character.

/// The first `chars_max` characters of `text`; a marker with the number of characters left out follows when it is longer.
#[must_use]
pub fn cut(text: &str, chars_max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars_max) else {
        return text.to_owned();
    };
    let (kept, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    format!("{kept}… [{} more characters]", rest.chars().count())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_shows() {
        for (text, max, expect) in [
            ("", 0, ""),
            ("abc", 3, "abc"),
            ("abcd", 3, "abc… [1 more characters]"),
            ("äöüß", 2, "äö… [2 more characters]"),
        ] {
            assert_eq!(cut(text, max), expect);
        }
    }

    #[test]
    fn one_line_has_no_control_characters() {
        assert_eq!(one_line("  a\r\n\u{1b}[31mb\tc ", 80), "a [31mb c");
        assert_eq!(one_line("a b c", 3), "a b… [2 more characters]");
    }
}
