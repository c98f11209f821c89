//! The line that a finding is about, with a caret below the column.
//!
//! **Invariant:** no line is wider than the page, and the caret stands below the character that the column names, however
//! long the line is and whatever stands in it.

use ringfence_core::gating::Excerpt;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::super::items::Place;
use crate::render::page::{COLUMNS, Page};
use crate::render::safe::Safe;
use crate::render::text::{Ink, text};

/// Columns before the caret that are kept of a long line.
const BEFORE: usize = 40;
const INDENT: usize = 4;
/// A tab, which would be shown by its escape.
const TAB: &str = "    ";

/// Draws the place and its line.
pub(super) fn draw(page: &mut Page, place: &Place, excerpt: &Excerpt) {
    let digits = place.line.to_string().len();
    let room = COLUMNS.saturating_sub(INDENT + digits + " | ".len());
    // A mark stands for what is not there of the line's beginning.
    let (line, column) = match excerpt.left_out {
        0 => (excerpt.text.clone(), place.column),
        left_out => (
            format!("…{}", excerpt.text),
            place.column.saturating_sub(left_out).saturating_add(1),
        ),
    };
    let (quoted, caret) = quote(&line, column, room);
    let gutter = || spaces(digits);
    page.hanging(INDENT, INDENT + 4, text![gutter(), "--> ", place.text()]);
    let empty = || text![gutter(), " |"].ink(Ink::Faint);
    page.copy(INDENT, empty());
    let number = text![place.line, " | "].ink(Ink::Faint);
    page.copy(INDENT, text![number, quoted]);
    match caret {
        Some(at) => {
            let caret = text!["^"].ink(Ink::Bad);
            page.copy(INDENT, text![empty(), spaces(at + 1), caret])
        }
        None => page.copy(INDENT, empty()),
    };
}

/// As much of a line as `room` columns hold, and the column below which the caret stands; none where it has none.
fn quote(line: &str, column: u32, room: usize) -> (Safe, Option<usize>) {
    let nth = usize::try_from(column).unwrap_or(usize::MAX).checked_sub(1);
    let at = nth.and_then(|nth| line.char_indices().map(|(at, _)| at).nth(nth));
    let shown = |text: &str| Safe::paragraph(&text.replace('\t', TAB));
    let whole = shown(line);
    let before = at.and_then(|at| line.get(..at)).unwrap_or_default();
    let split = whole
        .as_str()
        .floor_char_boundary(shown(before).as_str().len());
    let (mut before, mut after) = whole.as_str().split_at(split);
    let (mut start, mut end) = ("", "");
    if whole.as_str().width() > room {
        (start, before) = last(before, BEFORE);
        (after, end) = first(after, room.saturating_sub(start.width() + before.width()));
    }
    let caret = at.map(|_| start.width() + before.width());
    let quoted = format!("{start}{before}{after}{end}");
    (Safe::paragraph(&quoted), caret)
}

/// The end of a text in at most `columns`, and the mark of what was left out before it.
fn last(text: &str, columns: usize) -> (&'static str, &str) {
    let mut kept = text.len();
    let mut used = 1;
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return ("…", text.get(kept..).unwrap_or_default());
        }
        kept = at;
    }
    ("", text)
}

/// The beginning of a text in at most `columns`, and the mark of what was left out behind it.
fn first(text: &str, columns: usize) -> (&str, &'static str) {
    if text.width() <= columns {
        return (text, "");
    }
    let mut used = 1;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return (text.get(..at).unwrap_or_default(), "…");
        }
    }
    (text, "")
}

fn spaces(number: usize) -> Safe {
    Safe::line(&" ".repeat(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_its_character() {
        for (line, column, quoted, caret) in [
            ("See [gone](gone.md).", 5, "See [gone](gone.md).", Some(4)),
            ("\tif x {", 2, "    if x {", Some(4)),
            ("日本x", 3, "日本x", Some(4)),
            ("a\u{202e}b", 3, "a\\u{202e}b", Some(9)),
            ("std::fs", 4, "std::fs", Some(3)),
            ("short", 0, "short", None),
            ("short", 9, "short", None),
            ("", 1, "", None),
        ] {
            let found = quote(line, column, 40);
            assert_eq!((found.0.as_str(), found.1), (quoted, caret), "{line:?}");
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_caret() {
        let line = format!("{}X{}", "a".repeat(300), "b".repeat(300));
        let (quoted, caret) = quote(&line, 301, 60);
        assert_eq!(quoted.as_str().width(), 60);
        assert_eq!(quoted.as_str().chars().nth(caret.unwrap()), Some('X'));
        assert!(quoted.as_str().starts_with('…') && quoted.as_str().ends_with('…'));
        let (quoted, caret) = quote(&line, 0, 60);
        assert_eq!((quoted.as_str().width(), caret), (60, None));
        assert!(quoted.as_str().starts_with('a'));
    }

    #[test]
    fn the_caret_stands_below_its_character_when_the_beginning_is_left_out() {
        let line = format!("{}X{}", "a".repeat(6_000), "b".repeat(6_000));
        let place = Place {
            path: ringfence_core::relpath::RelPath::lexical("long.md").unwrap(),
            line: 1,
            column: 6_001,
        };
        let mut page = Page::new();
        draw(&mut page, &place, &Excerpt::of(&line, place.column));
        let shown = page.print(false);
        let lines: Vec<&str> = shown.lines().collect();
        let at = |sign: char, line: &str| line.chars().position(|c| c == sign);
        let quoted = lines.iter().find_map(|line| at('X', line));
        assert!(quoted.is_some(), "{shown}");
        assert_eq!(
            lines.iter().find_map(|line| at('^', line)),
            quoted,
            "{shown}"
        );
    }

    #[test]
    fn a_line_that_is_split_at_the_caret_commands_nobody() {
        for column in 0..6 {
            let (quoted, _) = quote("x##[error]", column, 40);
            assert_eq!(quoted.as_str(), "x#\\u{23}[error]");
        }
    }
}
