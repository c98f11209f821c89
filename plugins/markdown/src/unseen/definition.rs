//! Definitions of links, which a page never shows.
//!
//! **Invariant:** reads one line; a label ends with the first bracket that is not escaped.

/// `[label]: rest`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Definition<'a> {
    pub(super) label: &'a str,
    /// Where it leads, and its title.
    pub(super) rest: &'a str,
}

/// The definition that a line is.
pub(super) fn parse(line: &str) -> Option<Definition<'_>> {
    let inner = line.trim_start().strip_prefix('[')?;
    let mut escaped = false;
    let end = inner.find(|c| {
        let ends = c == ']' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    let label = inner.get(..end)?;
    let rest = inner.get(end + 1..)?.strip_prefix(':')?;
    // A footnote is no link.
    (!label.starts_with('^')).then(|| Definition {
        label,
        rest: rest.trim(),
    })
}

impl Definition<'_> {
    /// True where it leads to nothing but the page itself, as comments are written.
    pub(super) fn leads_nowhere(&self) -> bool {
        let target = self.rest.split_whitespace().next().unwrap_or_default();
        matches!(target, "" | "<>" | "<#>" | "/" | "." | "()") || target.starts_with('#')
    }

    /// What it says where nobody sees it.
    pub(super) fn text(&self) -> String {
        let title = self
            .rest
            .trim_start_matches(['#', '<', '>', '/', '.', ' ', '(', '"', '\''])
            .trim_end_matches([' ', ')', '"', '\'']);
        if title.is_empty() { self.label } else { title }.to_owned()
    }
}

/// A label as labels are compared.
pub(super) fn folded(label: &str) -> String {
    let lower = label.to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}
