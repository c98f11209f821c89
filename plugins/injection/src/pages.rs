//! What a document hides now, and did not hide before.
//!
//! **Invariant:** a piece counts as old only if the document had one that is wholly equal; a comment that grew is new.

use ringfence_markdown::document::ReadError;
use ringfence_markdown::unseen::{Unseen, What, in_html, in_markdown};
use ringfence_sdk::AddedLine;
use ringfence_sdk::prelude::*;

use crate::{Comments, Rules};

impl Rules {
    /// The findings in one document.
    pub(crate) fn in_document(
        &self,
        change: &Change,
        file: &FileChange,
        lines: &[AddedLine],
    ) -> Result<Vec<Finding>> {
        let after = match pieces(&file.path, &change.read(&file.path)?) {
            Ok(pieces) => pieces,
            Err(error) => {
                let message = format!("nobody can tell what it hides: it {error}");
                return Ok(vec![Finding::error("not-read", message).at(&file.path)]);
            }
        };
        if after.is_empty() {
            return Ok(Vec::new());
        }
        let mut before = self.pieces_before(change, file)?;
        let mut is_new = |piece: &Unseen| {
            let same = before
                .iter()
                .position(|old| old.what == piece.what && old.text == piece.text);
            same.map(|at| before.swap_remove(at)).is_none()
        };
        let new: Vec<Unseen> = after.into_iter().filter(|piece| is_new(piece)).collect();
        let findings = new.iter().filter_map(|piece| {
            let (line, column) = place(piece, &file.path, lines);
            let finding = self.of_piece(piece)?;
            Some(finding.at_position(&file.path, line, column))
        });
        Ok(findings.collect())
    }

    /// What the document hid before; nothing if it was none, and what could not be read hid nothing that anybody knew of.
    fn pieces_before(&self, change: &Change, file: &FileChange) -> Result<Vec<Unseen>> {
        let path = file.renamed_from.as_ref().unwrap_or(&file.path);
        let was_file = file.old_mode & 0o170_000 == 0o100_000;
        if !was_file || !self.documents.cover(path) || self.ignore.cover(path) {
            return Ok(Vec::new());
        }
        Ok(pieces(path, &change.read_base(path)?).unwrap_or_default())
    }

    fn of_piece(&self, piece: &Unseen) -> Option<Finding> {
        let (rule, message) = match &piece.what {
            What::Element(why) => {
                let message = format!("an element that no page shows (`{why}`)");
                return Some(Finding::error("hidden-html", message));
            }
            What::Comment if self.allowed_comments.has(&piece.text) => return None,
            What::Comment => ("html-comment", "a comment that no page shows"),
            What::Words => ("unseen-text", "words that no page shows"),
        };
        match self.comments {
            Comments::Error => Some(Finding::error(rule, message)),
            Comments::Warning => Some(Finding::warning(rule, message)),
            Comments::Off => None,
        }
    }
}

fn pieces(path: &str, bytes: &[u8]) -> std::result::Result<Vec<Unseen>, ReadError> {
    let lower = path.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|end| lower.ends_with(end));
    if ends(&[".html", ".htm", ".xhtml"]) {
        return in_html(bytes);
    }
    in_markdown(bytes, ends(&[".mdx"]))
}

/// Where a piece begins, or the first added line in it.
fn place(piece: &Unseen, path: &str, lines: &[AddedLine]) -> (u32, u32) {
    let within = |line: &&AddedLine| {
        line.path == path && (piece.line..=piece.last_line).contains(&line.line)
    };
    match lines.iter().find(within) {
        Some(line) if line.line != piece.line => (line.line, 1),
        _ => (piece.line, piece.column),
    }
}
