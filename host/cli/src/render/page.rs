//! Lines of text, wrapped at 80 columns.
//!
//! **Invariant:** lines break at spaces only, so that a path or a command can be copied whole; colour codes appear only
//! where they were asked for, and are ended on the line they began on.

use unicode_width::UnicodeWidthStr;

use super::text::{Ink, Text};

/// What everything is laid out for.
pub(crate) const COLUMNS: usize = 80;

/// Some lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Page {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    /// A line, the columns before it, and the columns before the lines it goes on in.
    Wrapped(Text, usize, usize),
    /// A name, the column it begins at, the column its value begins and goes on at, and the value.
    Field(Text, usize, usize, Text),
    /// A line to be copied: never broken.
    Whole(Text, usize),
    /// Lines drawn elsewhere, with and without colour.
    Drawn { plain: String, coloured: String },
}

/// A word of a line, in pieces of one ink each.
pub(crate) type Word<'a> = Vec<(Ink, &'a str)>;

impl Page {
    /// An empty page.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, text: impl Into<Text>) -> &mut Self {
        self.item(0, text)
    }

    /// Adds a line that begins at column `indent` and goes on two columns further in.
    pub(crate) fn item(&mut self, indent: usize, text: impl Into<Text>) -> &mut Self {
        self.lines
            .push(Line::Wrapped(text.into(), indent, indent + 2));
        self
    }

    /// Adds a line whose continuation begins at column `hanging`.
    pub(crate) fn hanging(
        &mut self,
        indent: usize,
        hanging: usize,
        text: impl Into<Text>,
    ) -> &mut Self {
        self.lines.push(Line::Wrapped(text.into(), indent, hanging));
        self
    }

    /// Adds a faint name at column `indent` and its value at column `at`, where it also goes on.
    pub(crate) fn field(
        &mut self,
        indent: usize,
        at: usize,
        name: &'static str,
        value: impl Into<Text>,
    ) -> &mut Self {
        self.row(indent, at, Text::from(name).ink(Ink::Faint), value)
    }

    /// The same with a name as it is.
    pub(crate) fn row(
        &mut self,
        indent: usize,
        at: usize,
        name: Text,
        value: impl Into<Text>,
    ) -> &mut Self {
        self.lines.push(Line::Field(name, indent, at, value.into()));
        self
    }

    /// Adds a line to be copied, which is not broken however long it is.
    pub(crate) fn copy(&mut self, indent: usize, text: impl Into<Text>) -> &mut Self {
        self.lines.push(Line::Whole(text.into(), indent));
        self
    }

    /// Adds an empty line, unless the page is empty or ends with one.
    pub(crate) fn gap(&mut self) -> &mut Self {
        let ends_empty = match self.lines.last() {
            None => true,
            Some(Line::Wrapped(text, ..) | Line::Whole(text, _)) => text.is_empty(),
            Some(Line::Field(..)) => false,
            Some(Line::Drawn { plain, .. }) => plain.is_empty(),
        };
        if !ends_empty {
            self.lines.push(Line::Whole(Text::new(), 0));
        }
        self
    }

    /// Adds the lines of another page.
    pub(crate) fn append(&mut self, other: Self) -> &mut Self {
        self.lines.extend(other.lines);
        self
    }

    /// Adds lines that were drawn elsewhere. Whatever they quote must have been made harmless there.
    pub(super) fn drawn_unchecked(&mut self, plain: String, coloured: String) -> &mut Self {
        self.lines.push(Line::Drawn { plain, coloured });
        self
    }

    /// The page as it is printed, each line ended.
    pub(crate) fn print(&self, coloured: bool) -> String {
        let mut out = String::new();
        for line in &self.lines {
            match line {
                Line::Drawn {
                    plain,
                    coloured: drawn,
                } => {
                    let drawn = if coloured { drawn } else { plain };
                    out.push_str(drawn.trim_end());
                    out.push('\n');
                }
                Line::Field(name, indent, at, value) => {
                    print_field(&mut out, (name, *indent), value, *at, coloured)
                }
                Line::Whole(text, indent) => {
                    let words: Vec<Word> = text.spans().map(|span| vec![span]).collect();
                    print_line(&mut out, *indent, &words, "", coloured);
                }
                Line::Wrapped(text, indent, hanging) => {
                    let mut indent = *indent;
                    for words in wrap(
                        text,
                        COLUMNS.saturating_sub(indent),
                        COLUMNS.saturating_sub(*hanging),
                    ) {
                        print_line(&mut out, indent, &words, " ", coloured);
                        indent = *hanging;
                    }
                }
            }
        }
        out
    }
}

/// The columns that a text takes.
pub(crate) fn width(text: &Text) -> usize {
    text.spans().map(|(_, text)| text.width()).sum()
}

/// Breaks a text at its spaces into lines of at most `first` columns, then `rest`; a longer word has a line of its own.
pub(crate) fn wrap(text: &Text, first: usize, rest: usize) -> Vec<Vec<Word<'_>>> {
    let mut lines: Vec<Vec<Word>> = vec![Vec::new()];
    let (mut used, mut room) = (0, first);
    for word in words(text) {
        let width: usize = word.iter().map(|(_, text)| text.width()).sum();
        if used > 0 && used + 1 + width > room {
            lines.push(Vec::new());
            (used, room) = (0, rest);
        }
        used += width + usize::from(used > 0);
        if let Some(line) = lines.last_mut() {
            line.push(word);
        }
    }
    lines
}

fn words(text: &Text) -> Vec<Word<'_>> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (ink, span) in text.spans() {
        for (index, part) in span.split(' ').enumerate() {
            open &= index == 0;
            if part.is_empty() {
                continue;
            }
            match words.last_mut() {
                Some(word) if open => word.push((ink, part)),
                _ => words.push(vec![(ink, part)]),
            }
            open = true;
        }
        open &= !span.ends_with(' ');
    }
    words
}

fn print_field(
    out: &mut String,
    (name, indent): (&Text, usize),
    value: &Text,
    at: usize,
    coloured: bool,
) {
    let room = COLUMNS.saturating_sub(at);
    let lines = wrap(value, room, room);
    for (index, words) in lines.iter().enumerate() {
        if index > 0 {
            print_line(out, at, words, " ", coloured);
            continue;
        }
        let pad = " ".repeat(at.saturating_sub(indent + width(name)).max(1));
        let mut line: Vec<Word> = name.spans().map(|span| vec![span]).collect();
        line.push(vec![(Ink::Plain, &pad)]);
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                line.push(vec![(Ink::Plain, " ")]);
            }
            line.push(word.clone());
        }
        print_line(out, indent, &line, "", coloured);
    }
}

fn print_line(
    out: &mut String,
    indent: usize,
    words: &[Word],
    between: &'static str,
    coloured: bool,
) {
    // Neighbours in one ink are switched on and off together.
    let mut spans: Vec<(Ink, String)> = vec![(Ink::Plain, " ".repeat(indent))];
    for (index, word) in words.iter().enumerate() {
        for (part, (ink, text)) in word.iter().enumerate() {
            let space = if index > 0 && part == 0 { between } else { "" };
            match spans.last_mut() {
                Some((last, line)) if last == ink => *line += &format!("{space}{text}"),
                Some((_, line)) => {
                    line.push_str(space);
                    spans.push((*ink, (*text).to_owned()));
                }
                None => spans.push((*ink, format!("{space}{text}"))),
            }
        }
    }
    let start = out.len();
    for (ink, text) in &spans {
        push_ink(out, *ink, text, coloured);
    }
    let kept = out.trim_end_matches(' ').len().max(start);
    out.truncate(kept);
    out.push('\n');
}

/// Writes `text` in its ink.
pub(crate) fn push_ink(out: &mut String, ink: Ink, text: &str, coloured: bool) {
    let code = ink.code();
    if coloured && !code.is_empty() && !text.is_empty() {
        out.push_str("\u{1b}[");
        out.push_str(code);
        out.push('m');
        out.push_str(text);
        out.push_str("\u{1b}[0m");
    } else {
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Safe, text};

    #[test]
    fn lines_wrap_at_spaces() {
        let mut page = Page::new();
        page.gap().line("one");
        page.item(
            2,
            text!["word ".repeat(0).len(), Safe::line(&" word".repeat(20))],
        );
        page.gap().gap().copy(2, Safe::cut(&"x y ".repeat(25), 200));
        page.item(0, Safe::line(&"z".repeat(90)));
        let printed = page.print(false);
        insta::assert_snapshot!(printed, @r"
        one
          0 word word word word word word word word word word word word word word word
            word word word word word

          x y x y x y x y x y x y x y x y x y x y x y x y x y x y x y x y x y x y x y x y x y x y x y x y x y
        zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz
        ");
    }

    #[test]
    fn pieces_without_a_space_stay_one_word() {
        let text = text!["a", text!["b "].ink(Ink::Bad), "c", " ", "d"];
        let words = words(&text);
        assert_eq!(
            words,
            [
                vec![(Ink::Plain, "a"), (Ink::Bad, "b")],
                vec![(Ink::Plain, "c")],
                vec![(Ink::Plain, "d")]
            ]
        );
    }

    #[test]
    fn colour_only_when_asked_for() {
        let mut page = Page::new();
        page.line(text!["all ", text!["went well"].ink(Ink::Good), "."]);
        assert_eq!(page.print(false), "all went well.\n");
        assert_eq!(page.print(true), "all \u{1b}[32mwent well\u{1b}[0m.\n");
    }

    proptest::proptest! {
        #[test]
        fn only_a_single_word_is_wider_than_the_page(words in proptest::collection::vec("[a-z日]{0,30}|x{100}", 0..40), indent in 0..20_usize) {
            let mut page = Page::new();
            page.item(indent, Safe::cut(&words.join(" "), 10_000));
            page.field(indent, indent + 12, "name", Safe::cut(&words.join(" "), 10_000));
            for line in page.print(false).lines() {
                let pieces = line.split_whitespace().filter(|word| *word != "name").count();
                proptest::prop_assert!(line.width() <= COLUMNS || pieces == 1, "{line}");
            }
        }
    }
}
