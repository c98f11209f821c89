//! Plain text into Markdown that shows exactly this text.
//!
//! Owns what is special: to CommonMark, to GitHub's additions (tables, links without brackets, mentions, issue
//! numbers, formulas) and to a reader's eye (control and direction characters).
//!
//! **Invariant:** the result holds no line break and begins no block, wherever it is put.

/// Between two characters that together would mean something; it has no width.
const BREAK: &str = "&#8203;";

/// Returns `text` on one line, escaped; long text is cut after `chars_max` characters.
pub(crate) fn line(text: &str, chars_max: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let joined = words.join(" ");
    let cut: String = joined.chars().take(chars_max).collect();
    let more = if joined.chars().nth(chars_max).is_some() {
        "…"
    } else {
        ""
    };
    format!("{}{more}", escape(&cut))
}

/// Returns the paragraphs of `text`, each escaped line by line, with an empty line between them.
pub(crate) fn paragraphs(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut pending = false;
    for line in text.lines().map(|text| line(text, usize::MAX)) {
        if line.is_empty() {
            pending = !written.is_empty();
            continue;
        }
        if pending {
            written.push('\n');
        }
        pending = false;
        written.push_str(&line);
        written.push('\n');
    }
    written
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    let (start, rest) = block_start(text);
    escaped.push_str(&start);
    let mut previous = start.chars().next_back().unwrap_or(' ');
    let mut chars = rest.chars().peekable();
    while let Some(char) = chars.next() {
        push(&mut escaped, char);
        if joins(previous, char, chars.peek().copied()) {
            escaped.push_str(BREAK);
        }
        previous = char;
    }
    escaped
}

/// Escapes what only means something at the start of a line: list markers, rules, underlines of headings.
fn block_start(text: &str) -> (String, &str) {
    if let Some(rest) = text.strip_prefix(['-', '+', '=', ':']) {
        let marker = text.chars().next().unwrap_or_default();
        return (format!("\\{marker}"), rest);
    }
    let digits = text.len()
        - text
            .trim_start_matches(|char: char| char.is_ascii_digit())
            .len();
    match text.split_at_checked(digits) {
        Some((number, rest)) if digits > 0 && rest.starts_with(['.', ')']) => {
            let (marker, rest) = rest.split_at_checked(1).unwrap_or((rest, ""));
            (format!("{number}\\{marker}"), rest)
        }
        _ => (String::new(), text),
    }
}

fn push(escaped: &mut String, char: char) {
    match char {
        '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '$' | '!'
        | '^' | '{' | '}' => {
            escaped.push('\\');
            escaped.push(char);
        }
        char if char.is_control() || is_invisible(char) => {
            escaped.push(char::REPLACEMENT_CHARACTER)
        }
        char => escaped.push(char),
    }
}

/// Characters that are not seen, or turn the text around them.
fn is_invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether `char` would, with its neighbours, be taken for an address, a mention or the number of an issue.
fn joins(previous: char, char: char, next: Option<char>) -> bool {
    match char {
        '@' => true,
        '#' => next.is_some_and(|next| next.is_ascii_digit()),
        ':' => next == Some('/'),
        '.' => previous.eq_ignore_ascii_case(&'w'),
        '-' => {
            previous.eq_ignore_ascii_case(&'h') && next.is_some_and(|next| next.is_ascii_digit())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_readable() {
        for text in [
            "docs/a.md: 3 links",
            "Größe, 中文 (1)",
            "a - b + c = d",
            "v1.2.3",
            "12 files",
        ] {
            assert_eq!(line(text, 100), text);
        }
    }

    #[test]
    fn markup_is_shown() {
        for (text, expect) in [
            ("[a](b)", "\\[a\\](b)"),
            ("# h #", "\\# h \\#"),
            ("- item", "\\- item"),
            ("12. item", "12\\. item"),
            ("===", "\\==="),
            ("a | b", "a \\| b"),
            ("<!-- x", "\\<\\!-- x"),
            ("@you #12", "@&#8203;you \\#&#8203;12"),
            ("http://x.y www.z", "http:&#8203;//x.y www.&#8203;z"),
            ("a\u{202e}b\u{7}", "a\u{fffd}b\u{fffd}"),
            ("a\n\n# b", "a \\# b"),
        ] {
            assert_eq!(line(text, 100), expect, "{text}");
        }
        assert_eq!(line("abcdef", 3), "abc…");
    }

    #[test]
    fn empty_lines_part_paragraphs() {
        assert_eq!(paragraphs("\n a\n    b\n\n\n c\n\n"), "a\nb\n\nc\n");
        assert_eq!(paragraphs(" \n"), "");
    }
}
