//! Problems in a file, each with the lines it is about and a caret.
//!
//! **Invariant:** the quoted lines are made harmless byte for byte, so that every caret still stands where it should.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use ringfence_core::diagnostic::Diagnostic;
use ringfence_core::verdict::Severity;

use super::amount::count;
use super::page::{COLUMNS, Page};
use super::safe::{Safe, is_treacherous};
use super::text::{Ink, Text, text};

// Limit: labels are a few words; a longer one would push the caret's line over the edge.
const LABEL_CHARS_MAX: usize = 32;
// Limit: a block of text more than this is not read at a caret.
const SPAN_LINES_MAX: usize = 4;
// Limit: half a line, so that what stands around it can be seen.
const SPAN_CHARS_MAX: usize = 30;

/// All problems of one file in their order, and how many there are.
pub(crate) fn diagnostics(name: &str, text: &str, found: &[Diagnostic]) -> Page {
    let mut page = Page::new();
    let source = neutral(text);
    for one in found {
        page.append(diagnostic(name, &source, one)).gap();
    }
    let errors = found
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .count();
    let warnings = found.len() - errors;
    let parts = [
        (errors, count(errors, "error", "errors")),
        (warnings, count(warnings, "warning", "warnings")),
    ];
    let parts = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(_, text)| text);
    page.line(text![Safe::line(name), ": ", Text::join(parts, ", ")]);
    page
}

fn diagnostic(name: &str, source: &str, one: &Diagnostic) -> Page {
    let mut page = Page::new();
    let (word, ink, level) = match one.severity {
        Severity::Error => ("error", Ink::Bad, Level::ERROR),
        Severity::Warning => ("warning", Ink::Warn, Level::WARNING),
        Severity::Note => ("note", Ink::Plain, Level::NOTE),
    };
    let head = text![
        text![word, "[", one.code, "]"].ink(ink),
        ": ",
        Safe::paragraph(&one.message)
    ];
    page.hanging(0, 2, head);
    let span = place(source, &one.span);
    let (name, label) = (Safe::line(name), Safe::cut(&one.label, LABEL_CHARS_MAX));
    let draw = |renderer: Renderer| {
        let caret = AnnotationKind::Primary
            .span(span.clone())
            .label(label.as_str());
        let snippet = Snippet::source(source)
            .path(name.as_str())
            .annotation(caret);
        renderer
            .term_width(COLUMNS)
            .render(&[Group::with_level(level.clone()).element(snippet)])
    };
    page.drawn_unchecked(draw(Renderer::plain()), draw(Renderer::styled()));
    if let Some(help) = &one.help {
        page.hanging(
            0,
            6,
            text![text!["help"].ink(Ink::Strong), ": ", Safe::paragraph(help)],
        );
    }
    page
}

/// The span as far as carets can show it: on character boundaries, and not over pages of text.
fn place(source: &str, span: &Range<usize>) -> Range<usize> {
    let start = source.floor_char_boundary(span.start);
    let end = source.floor_char_boundary(span.end.max(start));
    let covered = source.get(start..end).unwrap_or_default();
    let first = covered.split('\n').next().unwrap_or_default();
    let shown = match first.char_indices().nth(SPAN_CHARS_MAX) {
        Some((cut, _)) => cut,
        None => covered
            .split_inclusive('\n')
            .take(SPAN_LINES_MAX)
            .map(str::len)
            .sum(),
    };
    start..start + shown
}

/// The text with other characters of the same length in UTF-8 for those that a terminal would act upon.
fn neutral(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let pair = match (is_treacherous(c) && !matches!(c, '\n' | '\t'), c.len_utf8()) {
                (false, _) => [Some(c), None],
                (true, 1) => [Some('?'), None],
                (true, 2) => [Some('¿'), None],
                (true, 3) => [Some('\u{FFFD}'), None],
                (true, _) => [Some('\u{FFFD}'), Some('?')],
            };
            pair.into_iter().flatten()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neutral_text_keeps_its_length() {
        let text = "a\u{1b}\u{9b}\u{202e}\u{e0041}é\n\t";
        assert_eq!(neutral(text), "a?¿\u{FFFD}\u{FFFD}?é\n\t");
        assert_eq!(neutral(text).len(), text.len());
    }

    #[test]
    fn carets() {
        let text = "+++\nloop = \"docs\"\n[paths]\nraed = [\"**\"] # \u{1b}[31m\n+++\n";
        let at = text.find("raed").unwrap();
        let found = [
            Diagnostic::error(
                "unknown-key",
                at..at + 4,
                "unknown key `raed` in [paths]",
                "not known",
            )
            .with_help("did you mean `read`?"),
            Diagnostic::warning(
                "no-write",
                18..25,
                "executors may write nothing",
                "no `write` here",
            ),
            Diagnostic::error(
                "end",
                text.len()..text.len() + 9,
                "\u{1b}[2J",
                "past the end",
            ),
        ];
        insta::assert_snapshot!(diagnostics("LOOP.md", text, &found).print(false), @r#"
        error[unknown-key]: unknown key `raed` in [paths]
         --> LOOP.md:4:1
          |
        4 | raed = ["**"] # ?[31m
          | ^^^^ not known
        help: did you mean `read`?

        warning[no-write]: executors may write nothing
         --> LOOP.md:3:1
          |
        3 | [paths]
          | ^^^^^^^ no `write` here

        error[end]: \u{1b}[2J
         --> LOOP.md:5:5
          |
        5 | +++
          |    ^ past the end

        LOOP.md: 2 errors, 1 warning
        "#);
    }

    #[test]
    fn long_lines_and_labels_stay_within_the_page() {
        let text = format!("{}bad{}\n", "x".repeat(5_000), "y".repeat(5_000));
        let found = [Diagnostic::error(
            "e",
            5_000..5_003,
            "m ".repeat(100),
            "label ".repeat(20),
        )];
        for line in diagnostics("LOOP.md", &text, &found).print(false).lines() {
            assert!(
                unicode_width::UnicodeWidthStr::width(line) <= COLUMNS,
                "{line}"
            );
        }
    }

    #[test]
    fn spans_of_many_lines_are_cut() {
        let text = "a\n".repeat(100);
        assert_eq!(place(&text, &(0..200)), 0..8);
        assert_eq!(place("é", &(1..1)), 0..0);
    }
}
