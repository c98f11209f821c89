//! Rows of cells below headings, within the page's columns.
//!
//! **Invariant:** a column is never wider than it was allowed to be; longer cells go on below, broken inside a word
//! where they have to be. The last column takes what is left.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::page::{COLUMNS, Page, width};
use super::text::{Ink, Text};

const GAP: usize = 2;
// Limit: narrower, and one word has a line of its own.
const LAST_MIN: usize = 16;

/// A table; each row has as many cells as there are columns.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    indent: usize,
    columns: Vec<(&'static str, usize)>,
    rows: Vec<Vec<Text>>,
}

impl Table {
    /// A table with columns as (heading, columns of the terminal it may take).
    pub(crate) fn new(indent: usize, columns: &[(&'static str, usize)]) -> Self {
        Self {
            indent,
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Text; N]) -> &mut Self {
        self.rows.push(cells.into());
        self
    }

    /// True when there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Puts the table on a page; nothing when it has no rows.
    pub(crate) fn put(&self, page: &mut Page) {
        if self.is_empty() {
            return;
        }
        if self.columns.iter().any(|(head, _)| !head.is_empty()) {
            let heads: Vec<Text> = self
                .columns
                .iter()
                .map(|(head, _)| Text::from(*head).ink(Ink::Faint))
                .collect();
            self.put_row(&heads, page);
        }
        for row in &self.rows {
            self.put_row(row, page);
        }
    }

    /// Puts one of its rows on a page, as wide as it would be among the others; nothing where there is no such row.
    pub(crate) fn put_nth(&self, index: usize, page: &mut Page) {
        if let Some(row) = self.rows.get(index) {
            self.put_row(row, page);
        }
    }

    fn put_row(&self, row: &[Text], page: &mut Page) {
        for line in lines(row, &self.widths()) {
            page.copy(self.indent, line);
        }
    }

    fn widths(&self) -> Vec<usize> {
        let natural = |index: usize, head: &str| {
            let cells = self.rows.iter().filter_map(|row| row.get(index)).map(width);
            cells.max().unwrap_or(0).max(head.width())
        };
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, (head, max))| natural(index, head).min(*max))
            .collect();
        if let Some((last, others)) = widths.split_last_mut() {
            let taken: usize = others.iter().map(|width| width + GAP).sum::<usize>() + self.indent;
            *last = (*last).min(COLUMNS.saturating_sub(taken).max(LAST_MIN));
        }
        widths
    }
}

/// The lines that one row takes.
fn lines(row: &[Text], widths: &[usize]) -> Vec<Text> {
    let cells: Vec<Vec<Cell>> = row
        .iter()
        .zip(widths)
        .map(|(text, width)| fold(text, *width))
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|line| {
            let mut text = Cell::default();
            for (cell, width) in cells.iter().zip(widths) {
                let empty = Cell::default();
                let part = cell.get(line).unwrap_or(&empty);
                let pad = width.saturating_sub(part.width) + GAP;
                text.spans.extend(part.spans.iter().cloned());
                text.spans.push((Ink::Plain, " ".repeat(pad)));
            }
            Text::from_spans(text.spans)
        })
        .collect()
}

/// One line of one cell.
#[derive(Debug, Clone, Default)]
struct Cell {
    spans: Vec<(Ink, String)>,
    width: usize,
}

impl Cell {
    fn push(&mut self, ink: Ink, c: char) {
        self.width += c.width().unwrap_or(0);
        match self.spans.last_mut() {
            Some((last, text)) if *last == ink => text.push(c),
            _ => self.spans.push((ink, c.to_string())),
        }
    }
}

/// Breaks a cell into lines of at most `width` columns, at spaces where it can.
fn fold(text: &Text, width: usize) -> Vec<Cell> {
    let mut lines = Vec::new();
    for words in super::page::wrap(text, width, width) {
        let mut line = Cell::default();
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                line.push(Ink::Plain, ' ');
            }
            for (ink, c) in word
                .iter()
                .flat_map(|(ink, text)| text.chars().map(|c| (*ink, c)))
            {
                if line.width + c.width().unwrap_or(0) > width && line.width > 0 {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(ink, c);
            }
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Safe, text};

    #[test]
    fn tables_fit() {
        let mut table = Table::new(2, &[("name", 8), ("n", 3), ("what", 80)]);
        table.row([text!["short"], text![1_u64], text!["a few words"]]);
        table.row([
            Safe::line("a-very-long-name").into(),
            text![12_345_u64],
            Safe::line(&"words ".repeat(20)).into(),
        ]);
        table.row([Safe::line("日本日本日本").into(), text![""], text![""]]);
        let mut page = Page::new();
        table.put(&mut page);
        insta::assert_snapshot!(page.print(false), @r"
        name      n    what
        short     1    a few words
        a-very-l  123  words words words words words words words words words words
        ong-name  45   words words words words words words words words words words
        日本日本
        日本
        ");
    }

    #[test]
    fn a_table_without_rows_is_nothing() {
        let mut page = Page::new();
        Table::new(0, &[("name", 8)]).put(&mut page);
        assert_eq!(page, Page::new());
    }
}
