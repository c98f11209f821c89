//! Cuts a loop file into its front matter and its prose.
//!
//! **Invariant:** offsets stay those of the whole file, so that every span points into what the person sees.

use std::ops::Range;

use super::LOOP_FILE_BYTES_MAX;
use crate::diagnostic::{Diagnostic, Diagnostics};

const FENCE: &str = "+++";

/// A loop file in two parts.
#[derive(Debug)]
pub(super) struct Front<'t> {
    /// The front matter behind as many line ends as bytes stand before it in the file.
    pub(super) padded: String,
    /// The opening `+++`.
    pub(super) opening: Range<usize>,
    /// What follows the closing `+++`, trimmed.
    pub(super) prose: &'t str,
}

/// Splits `text`; none when it has no front matter, which was reported.
pub(super) fn split<'t>(text: &'t str, found: &mut Diagnostics) -> Option<Front<'t>> {
    if text.len() > LOOP_FILE_BYTES_MAX {
        let message = format!(
            "the file has {} bytes, at most {LOOP_FILE_BYTES_MAX} are read",
            text.len()
        );
        found.push(Diagnostic::error("too-long", 0..0, message, "this file"));
        return None;
    }
    // Some editors write a byte order mark, which nobody sees.
    let mut start = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let mut lines = text.get(start..).unwrap_or_default().split_inclusive('\n');
    let first = lines.next().unwrap_or_default();
    if !is_fence(first) {
        found.push(no_opening(first, start));
        return None;
    }
    let opening = start..start + FENCE.len();
    start += first.len();
    let mut end = start;
    for line in lines {
        if is_fence(line) {
            return Some(Front {
                padded: "\n".repeat(start) + text.get(start..end).unwrap_or_default(),
                opening,
                prose: text.get(end + line.len()..).unwrap_or_default().trim(),
            });
        }
        end += line.len();
    }
    let open = Diagnostic::error(
        "front-matter",
        opening,
        "the front matter does not end",
        "opened here",
    );
    found.push(open.with_help("put a line `+++` between the settings and the prose"));
    None
}

fn is_fence(line: &str) -> bool {
    line.trim_end() == FENCE
}

fn no_opening(first: &str, start: usize) -> Diagnostic {
    let line = first.trim_end();
    let problem = Diagnostic::error(
        "front-matter",
        start..start + line.len(),
        "the file does not begin with a line `+++`",
        "first line",
    );
    problem.with_help(if line == "---" {
        "the settings are TOML between two lines `+++`, not YAML between `---`"
    } else {
        "a loop file is TOML between two lines `+++`, then prose; `ringfence init` writes one"
    })
}
